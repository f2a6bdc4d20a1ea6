"""What is new in a report beyond its stage: a figure, theatre or materiel the rule watches that is not what was told so far."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from tocsin.policy import Policy
from tocsin.signal import Figure
from tocsin.story import Report, Story, Told
from tocsin.text import Pattern

MAX_VALUES = 10
SLOTS = ("where", "what")
_NUMERIC = Pattern(r"[\d.,\s-]+|\b(?:thousand|hundred|million|billion|trillion|dozen|bn|mn|tn|k|m)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Change:
    """A watched value that differs from what was told: `text` says it as "3,000 → 10,000"."""

    name: str
    value: str
    text: str


def changes(before: Story, report: Report, policy: Policy) -> list[Change]:
    """The changes a report brings to what the channel was told. An article older than the latest that told it brings none."""
    return [
        change
        for name in policy.update_on
        for change in (
            _moved(before, report, policy, name) if name in SLOTS else _differing(before, report, policy, name)
        )
    ]


def informed(story: Story, report: Report, policy: Policy, *, told: bool) -> Story:
    """The story with what the channel now knows: `told` says that the report's values were told, else only first values count."""
    kept = {(one.name, one.unit): one for one in story.told}
    for new in _values(report, policy):
        known = kept.get((new.name, new.unit))
        if known is None:
            kept[new.name, new.unit] = new
        elif told:
            kept[new.name, new.unit] = _widened(known, new)
        else:
            kept[new.name, new.unit] = replace(known, latest=max(known.latest, new.latest))
    return replace(story, told=tuple(kept.values()))


def agree(told: Iterable[Report], tells: Iterable[Report], policy: Policy) -> bool:
    """Whether one of the later reports gives the very figure of an earlier one. A share is everybody's: "two percent of output"."""
    return any(unit != "percent" and not ours.isdisjoint(theirs) for unit, ours, theirs in _both(told, tells, policy))


def contradict(told: Iterable[Report], tells: Iterable[Report], policy: Policy) -> bool:
    """Whether both give a figure, and those of the later reports are all beyond the tolerance from those of the earlier."""
    return any(
        all(max(one, other) > min(one, other) * (1 + policy.tolerance) for one in ours for other in theirs)
        for _, ours, theirs in _both(told, tells, policy)
    )


def _both(
    told: Iterable[Report], tells: Iterable[Report], policy: Policy
) -> Iterator[tuple[str, AbstractSet[float], AbstractSet[float]]]:
    """The unit and the values of each figure the rule watches that both give."""
    ours, theirs = _given(told, policy), _given(tells, policy)
    return ((name[1], ours[name], theirs[name]) for name in ours.keys() & theirs.keys())


def _given(reports: Iterable[Report], policy: Policy) -> dict[tuple[str, str], set[float]]:
    """The values that reports give of the figures the rule watches, by name and unit."""
    found: dict[tuple[str, str], set[float]] = {}
    for report in reports:
        for name in policy.update_on:
            if name not in SLOTS and (figure := comparable(report, name)):
                found.setdefault((name, _unit(figure)), set()).add(figure.value)
    return found


def _values(report: Report, policy: Policy) -> Iterator[Told]:
    for name in policy.update_on:
        if name in SLOTS:
            if value := getattr(report, name):
                yield Told(name, "", 0, 0, "", "", (value,), report.published)
        elif figure := comparable(report, name):
            printed = figure.printed
            yield Told(name, _unit(figure), figure.value, figure.value, printed, printed, (), report.published)


def comparable(report: Report, counts: str) -> Figure | None:
    """The one figure a report gives of something; None when it gives several, or one the rule doubts."""
    figures = {(figure.value, figure.unit): figure for figure in report.figures if figure.counts == counts}
    (figure, *more) = figures.values() if figures else (None,)
    return None if more or figure is None or figure.reading else figure


def _differing(before: Story, report: Report, policy: Policy, name: str) -> Iterator[Change]:
    figure = comparable(report, name)
    if figure is None:
        return
    told = next((one for one in before.told if (one.name, one.unit) == (name, _unit(figure))), None)
    if told is None or report.published < told.latest:
        return
    value = f"{name}-{figure.value:g}"
    if figure.value > told.high * (1 + policy.tolerance):
        yield Change(name, value, f"{told.printed_high} → {figure.printed}")
    elif figure.value * (1 + policy.tolerance) < told.low:
        yield Change(name, value, f"{told.printed_low} → {figure.printed}")


def _moved(before: Story, report: Report, policy: Policy, name: str) -> Iterator[Change]:
    value = getattr(report, name)
    told = next((one for one in before.told if one.name == name), None)
    if value and told and value not in told.values and report.published >= told.latest:
        yield Change(name, f"{name}-{value}", f"{policy.printed(told.values[-1])} → {policy.printed(value)}")


def _widened(known: Told, new: Told) -> Told:
    known = replace(
        known,
        values=tuple(dict.fromkeys((*known.values, *new.values)))[-MAX_VALUES:],
        latest=max(known.latest, new.latest),
    )
    if new.high > known.high:
        known = replace(known, high=new.high, printed_high=new.printed_high)
    return replace(known, low=new.low, printed_low=new.printed_low) if new.low < known.low else known


def _unit(figure: Figure) -> str:
    """What a figure is counted in; of money the currency too, as it is printed."""
    if figure.unit != "money":
        return figure.unit
    return " ".join(("money", *_NUMERIC.sub(" ", figure.printed).casefold().split()))
