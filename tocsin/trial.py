"""The tests at the bottom of a rule, run with the same matching as everything else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from tocsin.article import Article
from tocsin.compiled import RuleSet
from tocsin.decide import Decision, correct, decide
from tocsin.detection import detect
from tocsin.policy import Policy
from tocsin.rule import Fires, Report, Rule
from tocsin.signal import Signal, rank
from tocsin.story import Report as StoryReport
from tocsin.story import Story, identity

WHEN = datetime(2025, 6, 15, tzinfo=UTC)
"""When the articles of `fires` and `silent` are published: rules read past dates against it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A test that did not come out. `path` leads to it in the rule's file."""

    path: tuple[str | int, ...]
    what: str


def run(rules: RuleSet, rule: Rule) -> Iterator[Failure]:
    """Every failed test of one rule, in the order of the file."""
    for index, test in enumerate(rule.tests.fires):
        for what in _fires(rules, rule.name, test):
            yield Failure(("tests", "fires", index), what)
    for index, text in enumerate(rule.tests.silent):
        for signal in signals_of(rules, rule.name, text):
            yield Failure(
                ("tests", "silent", index),
                f"fired as {signal.who} {signal.stage} by the form {signal.evidence.form!r}: {text!r:.120}",
            )
    for kind in ("same_story", "new_story", "update"):
        for index, reports in enumerate(getattr(rule.tests, kind)):
            for what in _stories(rules, rule.name, kind, reports):
                yield Failure(("tests", kind, index), what)


def signals_of(rules: RuleSet, rule: str, text: str, title: str = "") -> list[Signal]:
    """What one rule finds in the text of a test."""
    article = Article("inline-test", text, title, "inline test", published=WHEN)
    return [signal for signal in detect(rules, article) if signal.rule == rule and "denied" not in signal.flags]


def _fires(rules: RuleSet, rule: str, test: Fires) -> Iterator[str]:
    found = signals_of(rules, rule, test.text, test.title)
    if not found:
        yield f"stayed silent: {test.text!r:.160}"
        return
    wanted = {name: value for name in ("who", "where", "what", "stage", "certainty") if (value := getattr(test, name))}
    if any(_agrees(signal, wanted) and set(test.flags or ()) <= set(signal.flags) for signal in found):
        return
    got = "; ".join(
        f"who {one.who}, where {one.where}, what {one.what}, {one.stage}, {one.certainty}, flags {list(one.flags)}"
        for one in found
    )
    yield f"wanted {wanted} {test.flags or ''}, got {got}: {test.text!r:.120}"


def _agrees(signal: Signal, wanted: dict[str, str]) -> bool:
    return all(getattr(signal, name) == value for name, value in wanted.items())


@dataclass
class _Desk:
    """Hears the articles of one story test in their order, as if the rule were not on trial, and remembers their stories."""

    rules: RuleSet
    policy: Policy
    stories: dict[str, Story] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)
    """Article → id of the story it told."""

    def hears(self, number: int, one: Report) -> Decision | None:
        """What becomes of an article; None when it stays silent and never said anything else."""
        published = datetime.fromisoformat(one.published).replace(tzinfo=UTC)
        article = Article(one.id or f"inline-test-{number}", one.text, one.title, one.source, published=published)
        found = [signal for signal in detect(self.rules, article) if signal.rule == self.policy.name]
        signal = max(found, key=lambda item: ("denied" not in item.flags, rank(item.stage)), default=None)
        report = StoryReport.of(signal, article) if signal else None
        before = self.stories.get(self.told.get(article.id, ""))
        if before and (signal is None or identity(signal, self.policy) == before.key):
            known = report or before.told_by(article.id)
            return self._keep(article.id, correct(signal, known, self.policy, before, (), published, None))
        if signal is None or report is None:
            return None
        key = identity(signal, self.policy)
        episodes = [story for story in self.stories.values() if story.key == key]
        return self._keep(article.id, decide(signal, report, self.policy, episodes, (), published, None))

    def _keep(self, article: str, decision: Decision) -> Decision:
        self.stories |= {story.id: story for story in decision.changed}
        if decision.story:
            self.told[article] = decision.story.id
        return decision


def _stories(rules: RuleSet, rule: str, kind: str, reports: list[Report]) -> Iterator[str]:
    desk = _Desk(rules, replace(rules.policy(rule), status="stable"))
    last: Decision | None = None
    for number, one in enumerate(reports, 1):
        last = desk.hears(number, one)
        if last is None:
            yield f"article {number} stayed silent: {one.text!r:.120}"
            return
        if one.becomes and last.reason != one.becomes:
            yield f"article {number} became {last.reason}, wanted {one.becomes}: {one.text!r:.120}"
    stories = sorted({desk.stories[story].merged or story for story in desk.told.values()})
    if kind == "new_story" and len(stories) < len(desk.told):
        yield f"{len(desk.told)} articles made {len(stories)} stories, wanted one each: {stories}"
    if kind != "new_story" and len(stories) > 1:
        yield f"wanted one story, got {stories}"
    if kind == "update" and last and last.fate != "updated":
        yield f"the last article became {last.reason}, wanted an update"
