"""Signals in many articles: on all cores, with a bar that tells how fast it goes and how long it will take."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from tocsin.article import Article
from tocsin.cli.pace import Pace
from tocsin.compiled import RuleSet
from tocsin.detection import detect
from tocsin.edit import between
from tocsin.match import Finding
from tocsin.signal import Signal

CHUNK = 25
"""Articles a process takes at once."""
FEW = 200
"""Articles for which more processes are not worth their start."""
SOME = 60
"""The same where somebody waits, and every tenth of a second counts."""


@dataclass(frozen=True, slots=True)
class Miss:
    """A sentence that would have been a match, but for one thing."""

    rule: str
    lacking: str
    form: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in one article: its signals by each set of rules, and the near misses of the last set."""

    signals: tuple[tuple[Signal, ...], ...]
    misses: tuple[Miss, ...] = ()


@dataclass
class _Seeker:
    """Looks for signals; in other processes the one they were started with."""

    sets: tuple[RuleSet, ...]
    near: bool

    def __post_init__(self) -> None:
        self.edits = [between(rules, self.sets[-1]) for rules in self.sets[:-1]]

    def find(self, articles: Sequence[Article]) -> list[Found]:
        """What is found in each article."""
        return [self._found(article) for article in articles]

    def _found(self, article: Article) -> Found:
        last = self.sets[-1]
        missed: list[Finding] = []
        signals = detect(last, article, missed.append if self.near else None)
        before = [detect(edit.before, article) if edit.touches(article) else signals for edit in self.edits]
        return Found((*before, signals), tuple(_misses(missed, {signal.rule for signal in signals})))


def _misses(found: Sequence[Finding], fired: set[str]) -> Iterator[Miss]:
    """Of each rule that stayed silent, each sentence that lacked something once, with the form that lacked it."""
    told: set[tuple[str, str]] = set()
    for finding in found:
        rule, sentence = finding.rule.policy.name, " ".join(finding.sentence.text.split())
        if finding.lacking and rule not in fired and (rule, sentence) not in told:
            told.add((rule, sentence))
            yield Miss(rule, finding.lacking, finding.form.text, sentence)


_One = TypeVar("_One")
_Made = TypeVar("_Made")
_STARTED: list[Callable[[Sequence[Any]], Sequence[Any]]] = []


def _work(some: Sequence[Any]) -> Sequence[Any]:
    return _STARTED[-1](some)


def spread(
    work: Callable[[Sequence[_One]], Sequence[_Made]],
    items: Sequence[_One],
    chunk: int,
    *,
    few: int,
    jobs: int | None = None,
) -> Iterator[_Made]:
    """What some work makes of items, in their order: on all cores where there are more than a few, so many at once."""
    chunks = [items[at : at + chunk] for at in range(0, len(items), chunk)]
    jobs = jobs or os.cpu_count() or 1
    if jobs == 1 or len(items) <= few or "fork" not in multiprocessing.get_all_start_methods():
        yield from (one for some in chunks for one in work(some))
        return
    _STARTED.append(work)  # the processes begin as copies of this one, so that the rules are read once
    try:
        with multiprocessing.get_context("fork").Pool(jobs) as pool:
            yield from (one for some in pool.imap(_work, chunks) for one in some)
    finally:
        _STARTED.pop()


def find(
    articles: Sequence[Article], sets: Sequence[RuleSet], *, near: bool = False, jobs: int | None = None, few: int = FEW
) -> Iterator[tuple[Article, Found]]:
    """What is found in each article, in their order. The bar shows on a terminal, on standard error."""
    seeker = _Seeker(tuple(sets), near)
    found = spread(seeker.find, articles, CHUNK, few=few, jobs=jobs)
    yield from zip(articles, counted(found, len(articles), "articles"), strict=True)


_T = TypeVar("_T")


def counted(found: Iterable[_T], total: int, what: str) -> Iterator[_T]:
    """The same, with a bar where somebody is watching, and elsewhere a line now and then."""
    if not sys.stderr.isatty():
        pace = Pace(total, what)
        for done, one in enumerate(found, 1):
            yield one
            pace.tell(done)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=total, rate="")
        for one in found:
            yield one
            speed = progress.tasks[0].speed
            progress.update(task, advance=1, rate=f"{speed:,.0f} {what}/s" if speed else "")


class Heard:
    """What one set of rules after another finds in articles: looked for once, and again only where an edit touches them."""

    def __init__(self) -> None:
        self.rules: RuleSet | None = None
        self._found: dict[Article, tuple[Signal, ...]] = {}

    def turn(self, rules: RuleSet) -> None:
        """From now on these rules are asked."""
        if self.rules:
            edit = between(self.rules, rules)
            self._found = {article: found for article, found in self._found.items() if not edit.touches(article)}
        self.rules = rules

    def prepare(self, articles: Sequence[Article]) -> None:
        """Looks for signals in many articles at once, on all cores where that pays."""
        assert self.rules is not None  # noqa: S101 - `turn` comes first
        new = [article for article in dict.fromkeys(articles) if article not in self._found]
        if len(new) > SOME:
            self._found |= {article: one.signals[0] for article, one in find(new, [self.rules], few=SOME)}

    def seek(self, rules: RuleSet, article: Article) -> tuple[Signal, ...]:
        """The signals of an article."""
        found = self._found.get(article)
        if found is None:
            found = self._found[article] = detect(rules, article)
        return found
