"""The episodes of one identity: where a report belongs, when an episode ends, and what a late report that joins two makes of them.

An episode is a chain of reports: none is further than `again_after` from the next, or than `quiet_for` where the later one
tells a higher stage. So which episodes there are is
settled by the set of the reports, not by the order in which they came. What cannot be settled by a set are the messages
that were posted before a late report showed that two episodes are one: then one message goes on, the other points to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

from tocsin.policy import Policy
from tocsin.signal import Signal
from tocsin.story import Report, Story, add, begin, deny, merge

REMEMBERED = 8
"""Episodes of an identity read back for a decision, the latest begun first. A year of spells of 60 days makes six."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Where a report belongs. `before`: its story without it (None: it begins one), `after`: with it."""

    before: Story | None
    after: Story
    others: tuple[Story, ...]
    """Other episodes that change: those merged into this one, and those whose number in time moves."""
    relied: tuple[tuple[str, int], ...]
    """Episodes it would be settled otherwise without, with their versions."""
    beside: tuple[tuple[str, int], ...]
    """Episodes beside which it begins a new one, with their versions: whoever adds to one of them at the same moment must know of the new one."""
    bridged: tuple[str, ...] = ()
    """Names of the episodes this report showed to be one."""


def settle(signal: Signal, report: Report, policy: Policy, episodes: Sequence[Story]) -> Settled:
    """Puts a report where it belongs among the remembered episodes of its identity."""
    live = sorted((one for one in episodes if not one.merged), key=lambda one: (one.first_seen, one.number))
    joined = [one for one in live if one.joins(report, policy)]
    rest = [one for one in live if one not in joined]
    born = max((one.number for one in episodes), default=0) + 1
    if joined:
        keeper = min(joined, key=lambda one: (not one.alerted, not one.posted, one.first_seen, one.number))
        gone = [one for one in joined if one is not keeper]
        before = reduce(merge, gone, keeper)
        after = (deny if "denied" in signal.flags else add)(before, report)
    else:
        before, gone = None, []
        after = begin(signal, report, policy, born)
    numbered = _numbered([*rest, after], first=min((one.episode for one in live), default=1))
    after = next(one for one in numbered if one.id == after.id)
    moved = [one for one in numbered if one.id != after.id and one not in rest]
    near = tuple((one.id, one.version) for one in _neighbours(numbered, after) if one in rest)
    beside = tuple((one.id, one.version) for one in numbered if one in rest)
    return Settled(
        before and replace(before, episode=after.episode),
        after,
        (*(replace(one, merged=after.id) for one in gone), *moved),
        near if before else (),
        () if before else beside,
        tuple(one.name for one in joined) if gone else (),
    )


def _numbered(stories: Sequence[Story], first: int) -> list[Story]:
    """The stories with their numbers in order of time."""
    order = sorted(stories, key=lambda one: (one.first_seen, one.number))
    return [one if one.episode == at else replace(one, episode=at) for at, one in enumerate(order, first)]


def _neighbours(order: Sequence[Story], story: Story) -> list[Story]:
    """The episodes right before and right after a story."""
    at = order.index(story)
    return [*order[max(0, at - 1) : at], *order[at + 1 : at + 2]]
