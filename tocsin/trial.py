"""The tests at the bottom of a rule, run with the same matching as everything else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from tocsin.article import Article
from tocsin.compiled import RuleSet
from tocsin.decide import Decision, decide
from tocsin.detection import detect
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
        for signal in _signals(rules, rule.name, text):
            yield Failure(
                ("tests", "silent", index),
                f"fired as {signal.who} {signal.stage} by the form {signal.evidence.form!r}: {text!r:.120}",
            )
    for kind in ("same_story", "new_story", "update"):
        for index, reports in enumerate(getattr(rule.tests, kind)):
            for what in _stories(rules, rule.name, kind, reports):
                yield Failure(("tests", kind, index), what)


def _signals(rules: RuleSet, rule: str, text: str, title: str = "") -> list[Signal]:
    article = Article("inline-test", text, title, "inline test", published=WHEN)
    return [signal for signal in detect(rules, article) if signal.rule == rule and "denied" not in signal.flags]


def _fires(rules: RuleSet, rule: str, test: Fires) -> Iterator[str]:
    found = _signals(rules, rule, test.text, test.title)
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


def _stories(rules: RuleSet, rule: str, kind: str, reports: list[Report]) -> Iterator[str]:
    policy = rules.policy(rule)
    episodes: dict[str, list[Story]] = {}
    told: list[tuple[str, Decision]] = []
    for number, one in enumerate(reports):
        published = datetime.fromisoformat(one.published).replace(tzinfo=UTC)
        article = Article(f"inline-test-{number}", one.text, one.title, one.source, published=published)
        found = [signal for signal in detect(rules, article) if signal.rule == rule]
        if not found:
            yield f"article {number + 1} stayed silent: {one.text!r:.120}"
            return
        signal = max(found, key=lambda item: rank(item.stage))
        key = identity(signal, policy)
        decision = decide(signal, StoryReport.of(signal, article), policy, episodes.get(key, []), (), published, None)
        if decision.story:
            known = {story.id: story for story in (*episodes.get(key, []), *decision.changed)}
            episodes[key] = list(known.values())
            told.append((decision.story.id, decision))
        if one.becomes and decision.reason != one.becomes:
            yield f"article {number + 1} became {decision.reason}, wanted {one.becomes}: {one.text!r:.120}"
    stories = {story for story, _ in told}
    if kind == "new_story" and len(stories) < len(told):
        yield f"{len(told)} articles made {len(stories)} stories, wanted one each: {sorted(stories)}"
    if kind != "new_story" and len(stories) > 1:
        yield f"wanted one story, got {sorted(stories)}"
    if kind == "update" and told and told[-1][1].fate != "updated":
        yield f"the last article became {told[-1][1].reason}, wanted an update"
