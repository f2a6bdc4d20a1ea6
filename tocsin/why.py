"""Answers to "why was I told, or not" and "why one alert and not two", from what is kept of articles and stories."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from tocsin.errors import InputFault
from tocsin.policy import Policy
from tocsin.ports import FateRecord
from tocsin.story import Report, Story

SHOWN = 12
"""Reports and other stories listed."""

Policies = Callable[[str], Policy]


class Remembered(Protocol):
    """What is kept of articles and stories, in a table and its archive or at the end of a replay."""

    def articles(self, target: str) -> Sequence[FateRecord]:
        """The fates of the articles with this id or URL, the latest first."""

    def story(self, name: str) -> Story | None:
        """The story of this name or id; the one it was merged into, where it was."""

    def alike(self, story: Story) -> Sequence[Story]:
        """Other stories of its rule, as many as can be found without looking through everything."""


def answer(target: str, other: str | None, kept: Remembered, policies: Policies) -> Iterator[str]:
    """The answer on an article or a story, or on two articles, line by line. `InputFault` when nothing of it is kept."""
    if other is not None:
        yield from _two(_one(target, kept), _one(other, kept), kept, policies)
        return
    if story := kept.story(target):
        yield from _story(story, kept, policies)
        return
    records = kept.articles(target)
    if not records:
        raise InputFault(
            f"nothing is kept of {target!r}", mend="give an article's id or URL or a story's id; fates live 90 days"
        )
    for record in records:
        yield from _article(record, kept, policies)


def _one(target: str, kept: Remembered) -> FateRecord:
    records = kept.articles(target)
    if not records:
        raise InputFault(f"nothing is kept of the article {target!r}", mend="give an article's id or URL")
    return records[0]


def _article(record: FateRecord, kept: Remembered, policies: Policies) -> Iterator[str]:
    about = " · ".join(part for part in (record.source, record.title, record.published[:16], record.url) if part)
    yield f"article {record.article}" + (f" ({about})" if about else "")
    yield f"  {record.fate}: {record.reason}"
    yield f"  decided {record.at[:16]} UTC" + (f" by rules@{record.rules}" if record.rules else "")
    if record.lacks:
        yield f"  not all of it was read: {record.lacks}"
    for version in record.before:
        yield f"  before it was edited, {version['at'][:16]}: {version['fate']}: {version['reason']}"
    if record.fate == "no_signal" and not record.signals:
        yield "  `tocsin explain` on its file shows which rule came near, and what it lacked"
    for number, signal in enumerate(record.signals, 1):
        yield from _signal(number, signal, record, kept, policies)


def _signal(
    number: int, signal: Mapping[str, Any], record: FateRecord, kept: Remembered, policies: Policies
) -> Iterator[str]:
    told = f" ({signal['detail']})" if signal.get("detail") else ""
    yield f"  {number}. {signal['rule']}: {_slots(signal)}, {signal['stage']}: {signal['reason']}{told}"
    yield f"     “{' '.join(str(signal['evidence']).split())[:200]}”"
    yield f"     alert: {signal['alert']}" if signal.get("alert") else "     no alert of its own"
    story = kept.story(signal["story"]) if signal.get("story") else None
    if story is None:
        return
    yield f"     story: {story.name}, {_size(story)}"
    policy = policies(story.rule)
    others = [report for report in _reports(story) if report.article != record.article]
    if others:
        yield f"     one story with {_named(others)}: {_agreed(story, policy)}"
    yield from (f"     {line}" for line in _apart(story, kept, policy))


def _story(story: Story, kept: Remembered, policies: Policies) -> Iterator[str]:
    policy = policies(story.rule)
    yield f"story {story.name}: {policy.title}, {story.stage}, {_size(story)}"
    yield f"  one story because {_agreed(story, policy)}"
    yield f"  alerts: {', '.join(story.alerted) or 'none: ' + _unposted(story, policy)}"
    if story.previous:
        yield f"  the episode before: {story.previous}"
    for report in _reports(story)[:SHOWN]:
        says = "denies it" if report in story.denials else f"{report.stage}{', withdrawn' if report.withdrawn else ''}"
        yield f"  {report.published[:16]}  {says}  {report.outlet}: {report.title or report.quote[:80]} [{report.article}]"
    if len(_reports(story)) > SHOWN:
        yield f"  … and {len(_reports(story)) - SHOWN} more reports"
    yield from (f"  {line}" for line in _apart(story, kept, policy))


def _two(one: FateRecord, other: FateRecord, kept: Remembered, policies: Policies) -> Iterator[str]:
    yield f"{one.article} and {other.article}:"
    if one.article == other.article:
        yield "  are one article"
        return
    if not one.signals or not other.signals:
        silent = " and ".join(record.article for record in (one, other) if not record.signals)
        yield f"  {silent} holds no signal, so there is nothing to share a story"
        return
    for first in one.signals:
        for second in other.signals:
            if first["rule"] == second["rule"]:
                yield from _pair(first, second, (one, other), kept, policies(first["rule"]))
    apart = sorted({row["rule"] for row in one.signals} ^ {row["rule"] for row in other.signals})
    if apart:
        yield f"  {', '.join(apart)}: only one of them tells it; signals of different rules never share a story"


def _pair(
    first: Mapping[str, Any],
    second: Mapping[str, Any],
    records: tuple[FateRecord, FateRecord],
    kept: Remembered,
    policy: Policy,
) -> Iterator[str]:
    stories = [kept.story(row["story"]) if row.get("story") else None for row in (first, second)]
    names = [story.name if story else "no story" for story in stories]
    same = names[0] == names[1] and stories[0] is not None
    yield f"  {policy.name}: " + (f"one story, {names[0]}" if same else f"two: {names[0]} and {names[1]}")
    for slot in policy.same:
        yield f"    {slot} {_compared(first.get(slot), second.get(slot))}"
    published = [datetime.fromisoformat(record.published) for record in records if record.published]
    if len(published) == len(records):
        days = abs(published[0] - published[1]).total_seconds() / 86_400
        quiet = policy.quiet_for.total_seconds() / 86_400
        again = (
            f", and after {policy.near.days} unless a plan comes to pass or a figure is told again"
            if policy.near < policy.quiet_for
            else ""
        )
        yield f"    published {days:.3g} days apart; an episode ends after {quiet:.3g} days of quiet{again}"
    if first["stage"] != second["stage"]:
        yield f"    stage {first['stage']} and {second['stage']}: a higher one rings in the thread, it makes no other story"
    for row in (first, second):
        yield f"    {row['reason']}: {row.get('detail') or 'another signal of the article told the same story'}"


def _apart(story: Story, kept: Remembered, policy: Policy) -> Iterator[str]:
    """Why other stories of the rule are others."""
    others = kept.alike(story)
    for other in others[:SHOWN]:
        differing = [slot for slot in policy.same if getattr(story, slot) != getattr(other, slot)]
        if differing:
            why = "; ".join(f"{slot} {_compared(getattr(story, slot), getattr(other, slot))}" for slot in differing)
        else:
            why = f"more than {policy.near.days} days of quiet between them"
        yield f"kept apart from {other.name}: {why}"
    if len(others) > SHOWN:
        yield f"… and from {len(others) - SHOWN} more"


def _compared(one: str | None, other: str | None) -> str:
    return (
        f"agrees ({one or 'not named'})" if one == other else f"differs ({one or 'not named'}, {other or 'not named'})"
    )


def _agreed(story: Story, policy: Policy) -> str:
    slots = [f"{slot} {getattr(story, slot) or 'not named'}" for slot in policy.same]
    return f"{', '.join(['rule ' + policy.name, *slots])} agree, and never {policy.near.days} days passed without a report, or what came then led on"


def _unposted(story: Story, policy: Policy) -> str:
    if not (story.posted and policy.posted):
        return "its rule is or was on trial"
    return "nobody but a denial" if not story.reports else "a silence or its age held it back"


def _reports(story: Story) -> list[Report]:
    return sorted((*story.reports, *story.denials), key=lambda one: (one.published, one.article))


def _size(story: Story) -> str:
    days = f"{story.first_seen[:10]} to {story.last_seen[:10]}"
    return f"{story.articles} articles of {len(story.outlets)} outlets, {story.independent} independent, {days}"


def _named(reports: Sequence[Report]) -> str:
    more = f" and {len(reports) - SHOWN} more" if len(reports) > SHOWN else ""
    return ", ".join(report.article for report in reports[:SHOWN]) + more


def _slots(row: Mapping[str, Any]) -> str:
    return " · ".join(str(row[name]) for name in ("who", "where", "what") if row.get(name)) or "no slot"
