"""Signals in many articles: on all cores, with a bar that tells how fast it goes and how long it will take."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tocsin.article import Article
from tocsin.cli.pace import Pace
from tocsin.compiled import RuleSet
from tocsin.detection import detect
from tocsin.match import Finding, parts, read
from tocsin.signal import Signal

CHUNK = 25
"""Articles a process takes at once."""
FEW = 200
"""Articles for which more processes are not worth their start."""


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

    def find(self, articles: Sequence[Article]) -> list[Found]:
        """What is found in each article."""
        return [self._found(article) for article in articles]

    def _found(self, article: Article) -> Found:
        *others, last = self.sets
        missed: list[Finding] = []
        signals = detect(last, article, missed.append if self.near else None)
        before = [signals if _alike(rules, last, article) else detect(rules, article) for rules in others]
        return Found((*before, signals), tuple(_misses(missed, {signal.rule for signal in signals})))


def _alike(one: RuleSet, other: RuleSet, article: Article) -> bool:
    """Whether two sets surely find the same: they share their lists and cues, and no rule that differs may match anywhere."""
    if one.shared != other.shared:
        return False
    versions = [{rule.policy.name: rule.policy.version for rule in rules.rules} for rules in (one, other)]
    differing = {name for name, _ in versions[0].items() ^ versions[1].items()}
    if not differing:
        return True
    for rules in (one, other):
        for _, part in parts(article):
            pages = read(rules, part)
            possible = any(differing & page.possible.keys() for page in pages)
            for page in pages:
                page.release()
            if possible:
                return False
    return True


def _misses(found: Sequence[Finding], fired: set[str]) -> Iterator[Miss]:
    """Of each rule that stayed silent, each sentence that lacked something once, with the form that lacked it."""
    told: set[tuple[str, str]] = set()
    for finding in found:
        rule, sentence = finding.rule.policy.name, " ".join(finding.sentence.text.split())
        if finding.lacking and rule not in fired and (rule, sentence) not in told:
            told.add((rule, sentence))
            yield Miss(rule, finding.lacking, finding.form.text, sentence)


_STARTED: list[_Seeker] = []


def _find(articles: Sequence[Article]) -> list[Found]:
    return _STARTED[-1].find(articles)


def find(
    articles: Sequence[Article], sets: Sequence[RuleSet], *, near: bool = False, jobs: int | None = None
) -> Iterator[tuple[Article, Found]]:
    """What is found in each article, in their order. The bar shows on a terminal, on standard error."""
    seeker = _Seeker(tuple(sets), near)
    chunks = [articles[at : at + CHUNK] for at in range(0, len(articles), CHUNK)]
    jobs = jobs or os.cpu_count() or 1
    if jobs == 1 or len(articles) <= FEW or "fork" not in multiprocessing.get_all_start_methods():
        found = (one for chunk in chunks for one in seeker.find(chunk))
        yield from zip(articles, _counted(found, len(articles)), strict=True)
        return
    _STARTED.append(seeker)  # the processes begin as copies of this one, so that the rules are read once
    try:
        with multiprocessing.get_context("fork").Pool(jobs) as pool:
            found = (one for some in pool.imap(_find, chunks) for one in some)
            yield from zip(articles, _counted(found, len(articles)), strict=True)
    finally:
        _STARTED.pop()


def _counted(found: Iterator[Found], total: int) -> Iterator[Found]:
    """The same, with a bar where somebody is watching, and elsewhere a line now and then."""
    if not sys.stderr.isatty():
        pace = Pace(total)
        for done, one in enumerate(found, 1):
            yield one
            pace.tell(done)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("articles", total=total, rate="")
        for one in found:
            yield one
            speed = progress.tasks[0].speed
            progress.update(task, advance=1, rate=f"{speed:,.0f} articles/s" if speed else "")
