"""The articles all ways are given, what they hold, and how well a way heard it and told it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from bench import engine
from bench.stories import NOON, ROOT, RULES, Development, rows_of, tells, told_by_corpus, told_by_seeds
from tocsin.article import Article
from tocsin.detection import detect
from tocsin.rehearsal import Rehearsal
from tocsin.source import read
from tocsin.story import identity

POSTED = frozenset(rule.policy.name for rule in RULES.rules if rule.policy.posted)
"""The kinds of signal that ring. Rules on trial are nobody's alarm."""
CALM = "The harvest was good, the growers' association said. Bread will cost what it did. Bakers were relieved."
"""What stands before a sentence that is tried alone: in its own article it is no lead either."""
Reads = Callable[[str, str], set[str]]
"""From headline and text to the kinds of signal they hold."""


@dataclass(eq=False)
class Case:
    """Some articles in order of publication, and everything that is known of them."""

    name: str
    stream: list[Article]
    """What arrives."""
    wanted: Mapping[str, frozenset[str]]
    """Article → the rules that must fire on it."""
    calm: list[Article]
    """Articles and sentences without a signal."""
    developments: list[Development] = field(default_factory=list)
    """What deserves an alert. Empty: nobody knows."""
    incomplete: frozenset[str] = frozenset()
    """Articles that may hold more than is known; what else fires there is left out."""

    def heard(self, reads: Reads) -> dict[str, set[str]]:
        """What fires on each article of the stream, as far as it can be judged."""
        found = {one.id: reads(one.title, one.text) & POSTED for one in self.stream}
        return {
            name: rules & self.wanted.get(name, frozenset()) if name in self.incomplete else rules
            for name, rules in found.items()
        }

    @cached_property
    def signals_wanted(self) -> int:
        """How many signals there are to be found: articles times rules."""
        return sum(map(len, self.wanted.values()))

    def found(self, heard: Mapping[str, set[str]]) -> int:
        """How many of them were."""
        return sum(len(rules & heard[name]) for name, rules in self.wanted.items())

    def false(self, reads: Reads) -> int:
        """How many of the calm ones fire."""
        return sum(bool(reads(one.title, one.text) & POSTED) for one in self.calm)


@dataclass(frozen=True)
class Outcome:
    """What a way told of the developments it heard of."""

    alerts: int
    empty: int
    """Alerts that told no development anew."""
    swallowed: int
    """Developments that were heard of and that no alert told."""


def outcome(case: Case, heard: Mapping[str, set[str]], alerts: Iterable[frozenset[str]]) -> Outcome:
    """How alerts served, each given as the names of the developments it tells."""
    told: set[str] = set()
    count = empty = 0
    for names in alerts:
        count += 1
        empty += not names - told
        told |= names
    known = {one.name for one in case.developments if any(one.rule in heard.get(name, ()) for name in one.articles)}
    return Outcome(count, empty, len(known - told))


def posts(
    case: Case, heard: Mapping[str, set[str]], first: Callable[[Sequence[tuple[str, str]]], list[int]]
) -> Outcome:
    """A bot that posts each article in which something fires, unless it takes it for one it had; a post tells all the article holds."""
    hits = [one for one in case.stream if heard[one.id]]
    posted = [hits[at] for at in first([(one.title, one.text) for one in hits])] if hits else []
    return outcome(
        case,
        heard,
        (
            frozenset(dev.name for dev in case.developments if one.id in dev.articles and dev.rule in heard[one.id])
            for one in posted
        ),
    )


def stories(case: Case, heard: Mapping[str, set[str]]) -> Outcome:
    """Tocsin: the deployed step on a table in memory. An alert tells one story, so actor and slots must be right, too."""
    rehearsal = Rehearsal(RULES, case.stream[0].published or NOON)
    alerts: list[frozenset[str]] = []
    for one in case.stream:
        signals = [signal for signal in detect(RULES, one) if signal.rule in heard[one.id]]
        theirs = [dev for dev in case.developments if one.id in dev.articles]
        for alert in rehearsal.hears(one, signals):
            key = alert.story.rpartition("#")[0]
            told = [each for each in signals if identity(each, RULES.policy(each.rule)) == key]
            alerts.append(frozenset(dev.name for dev in theirs if any(tells(each, dev) for each in told)))
    return outcome(case, heard, alerts)


def seeds() -> Case:
    """The five seeds; calm are the sentences of their manifest that look like signals and are none."""
    articles, developments = told_by_seeds()
    rows = read(ROOT / "seeds" / "manifest.yaml").data["articles"]
    wanted = {Path(row["file"]).stem: frozenset(one["rule"] for one in row["signals"]) for row in rows}
    holding = {one["text"] for row in rows for one in (*row["must_fire"], *row["may_fire"])}
    traps = {one["text"] for row in rows for one in row["must_not_fire"]} - holding
    calm = [Article(str(number), f"{CALM}\n\n{text}", "Bread") for number, text in enumerate(sorted(traps))]
    return Case("seeds", _in_order(articles), wanted, calm, developments)


def generated(count: int) -> Case:
    """Articles of five kilobytes, 98 in 100 of them calm; the others hold a sentence from the tests of a rule of Tocsin's."""
    articles = engine.articles(count, random.Random(engine.SEED))
    tests = [(name, test) for name, rule in engine.shipped() for test in rule["tests"]["fires"]]
    firing = {test["text"]: name for name, test in tests if "title" not in test}  # the others need their headline
    every = round(1 / engine.SIGNALS)
    held = {one.id: {name for text, name in firing.items() if text in one.text} for one in articles[::every]}
    wanted = {name: frozenset(rules & POSTED) for name, rules in held.items()}
    calm = [one for one in articles if one.id not in held]
    return Case(f"{count:,} generated", articles, wanted, calm)


def corpus(path: Path) -> Case:
    """A labelled corpus. Articles without a signal arrive among the others, but for those of which people would disagree."""
    articles, developments = told_by_corpus(path)
    golds = {row["id"]: row["gold"] for row in rows_of(path)}
    wanted = {
        name: frozenset(one["rule"] for one in gold["labels"] if one["status"] != "denied")
        for name, gold in golds.items()
    }
    incomplete = frozenset(name for name, gold in golds.items() if gold["set"] == "pos")
    calm = {name for name, gold in golds.items() if gold["set"] == "neg" and not gold["borderline"]}
    telling = {name for one in developments for name in one.articles}
    stream = [one for one in articles if one.id in calm or one.id in telling or wanted[one.id]]
    return Case(
        "corpus", _in_order(stream), {name: rules for name, rules in wanted.items() if rules},
        [one for one in articles if one.id in calm], developments, incomplete,
    )  # fmt: skip


def _in_order(articles: list[Article]) -> list[Article]:
    return sorted(articles, key=lambda one: (one.published or NOON, one.id))
