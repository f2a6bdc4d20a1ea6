"""The episodes of one identity: which reports tell one development, and what a late report makes of what was told so far.

Reports none of which is further than `again_after` from the next tell one thing. What is told later, but within `quiet_for`, goes on
with it when it is a stage further and no figure contradicts, or when it gives the same figure: a plan waits for its deed, and the
first deed fulfils it. So which episodes there are is settled by the set of the reports, not by the order in which they came.
What cannot be settled by a set are the messages that were posted before a late report showed that two episodes are one, or that
one is two: then a message points to the one that goes on, or another is posted beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import reduce

from tocsin.changes import agree, contradict
from tocsin.policy import Policy
from tocsin.signal import Signal, rank
from tocsin.sources import reprinted
from tocsin.story import Report, Story, add, begin, deny, divide, earliest, merge, repeats

REMEMBERED = 8
"""Episodes of an identity read back for a decision, the latest begun first. A year of spells of 60 days makes six."""
ANSWERED = timedelta(days=7)
"""A denial answers what was told so long before it."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Where a report belongs. `before`: its story without it (None: it begins one), `after`: with it."""

    before: Story | None
    after: Story
    others: tuple[Story, ...]
    """Other episodes that change: merged into this one, parted from one, or with another number in time."""
    relied: tuple[tuple[str, int], ...]
    """Episodes it would be settled otherwise without, with their versions."""
    beside: tuple[tuple[str, int], ...]
    """Episodes beside which it begins a new one, with their versions: whoever adds to one of them at the same moment must know of the new one."""
    bridged: tuple[str, ...] = ()
    """Names of the episodes this report showed to be one."""
    parted: str = ""
    """Name of the episode it showed to be several."""


@dataclass(frozen=True, slots=True)
class _Link:
    """A report or a denial as a link of a chain."""

    report: Report
    denial: bool
    story: Story | None
    """Which keeps it; None for the new one."""
    kept: Report
    """What the story keeps: another report where the new one is the first of its copies."""
    when: datetime
    """When it was published."""

    @classmethod
    def of(cls, report: Report, story: Story | None, *, denial: bool) -> _Link:
        """The link a report is."""
        return cls(report, denial, story, report, datetime.fromisoformat(report.published))


_Part = list[_Link]
"""The links that tell one development, in order of time."""


def settle(signal: Signal, report: Report, policy: Policy, episodes: Sequence[Story]) -> Settled:
    """Puts a report where it belongs among the remembered episodes of its identity."""
    live = sorted((one for one in episodes if not one.merged), key=lambda one: (one.first_seen, one.number))
    denies = "denied" in signal.flags
    new, links = _linked(live, report, policy, denies=denies)
    cast = _Cast(live, _developments(links, [one for one in live if one.full], policy))
    born = max((one.number for one in episodes), default=0) + 1
    place = next(number for number, part in enumerate(cast.parts) if any(link is new for link in part))
    base = cast.base(place, born)
    after = begin(signal, report, policy, born) if base is None else (deny if denies else add)(base, report)
    bases: dict[int, Story] = {place: after}
    for number in range(len(cast.parts)):
        parted = max(born - 1, *(one.number for one in bases.values())) + 1
        if number != place and (other := cast.base(number, parted)):
            bases[number] = other
    numbered = _numbered(list(bases.values()), first=min((one.episode for one in live), default=1))
    after = next(one for one in numbered if one.id == after.id)
    gone = [replace(one, merged=bases[cast.heir(one)].id) for one in cast.gone]
    changed = [one for one in numbered if one.id != after.id and one not in live]
    near = tuple((one.id, one.version) for one in _beside(numbered, {after.id, *(one.id for one in changed)}))
    kept = tuple((one.id, one.version) for one in numbered if one in live)
    begins = any(one.number >= born for one in numbered)
    before = cast.told(place) or base
    return Settled(
        before and replace(before, episode=after.episode),
        after,
        (*gone, *changed),
        () if begins else near,
        kept if begins else (),
        tuple(one.name for one in cast.owners(place)) if gone else (),
        next((one.name for one in cast.owners(place) if cast.torn(one)), ""),
    )


def _linked(live: Iterable[Story], report: Report, policy: Policy, *, denies: bool) -> tuple[_Link, list[_Link]]:
    """The link that the new report is, or that of the report it is a copy of; and all there are."""
    told = [_Link.of(one, story, denial=False) for story in live for one in story.reports]
    denied = [_Link.of(one, story, denial=True) for story in live for one in story.denials]
    new = _Link.of(report, None, denial=denies)
    alike = denied if denies else told
    for at, one in enumerate(alike):
        again = report.article == one.report.article if denies else repeats(report, one.report)
        if again and abs(new.when - one.when) <= policy.quiet_for:
            first = earliest(report, one.report)
            alike[at] = replace(one, report=first, when=datetime.fromisoformat(first.published))
            return alike[at], [*told, *denied]
    return new, [*told, *denied, new]


def _developments(links: Iterable[_Link], full: Sequence[Story], policy: Policy) -> list[_Part]:
    """The links by what they tell, in order of time. A denial of what nobody told is for itself, and in nothing's way."""
    order = sorted(links, key=lambda link: (link.when, link.report.article))
    copied = dict(_copied(order, policy))
    found: list[_Part] = []
    unheard: list[_Part] = []
    for cluster in _clusters([link for at, link in enumerate(order) if at not in copied], full, policy.near):
        if found and _goes_on(found[-1], cluster, policy):
            found[-1] = [*found[-1], *cluster]
        else:
            (found if _reports(cluster) else unheard).append(cluster)
    for at, first in copied.items():
        next(part for part in found if any(link is order[first] for link in part)).append(order[at])
    return sorted([*found, *unheard], key=lambda part: part[0].when)


def _copied(order: Sequence[_Link], policy: Policy) -> Iterator[tuple[int, int]]:
    """The places of reports that print an older text after some quiet, and of what they print. They keep no story going."""
    near, quiet_for = policy.near, policy.quiet_for
    texts = [(at, link, frozenset(link.report.sketch)) for at, link in enumerate(order) if not link.denial]
    for at, link, words in texts:
        for first, original, known in texts:
            gap = link.when - original.when
            if gap <= near:
                break
            if gap <= quiet_for and not words.isdisjoint(known) and _reprints(original.report, link.report):
                yield at, first
                break


def _reprints(original: Report, later: Report) -> bool:
    return rank(later.stage) <= rank(original.stage) and reprinted(original, later)


def _clusters(links: Iterable[_Link], full: Sequence[Story], near: timedelta) -> Iterator[_Part]:
    """The links, in order, none of which is far from the next. A story that cannot keep all its reports is one, whatever is missing."""
    whole = [(datetime.fromisoformat(one.first_seen), datetime.fromisoformat(one.last_seen)) for one in full]
    cluster: _Part = []
    for link in links:
        last = cluster[-1].when if cluster else link.when
        if link.when - last > near and not any(begun <= last and link.when <= end for begun, end in whole):
            yield cluster
            cluster = []
        cluster.append(link)
    yield cluster


def _goes_on(part: _Part, later: _Part, policy: Policy) -> bool:
    """Whether what is told after some quiet is the same development."""
    gap = later[0].when - part[-1].when
    told, tells = _reports(part), _reports(later)
    if not tells:
        return gap <= min(ANSWERED, policy.quiet_for)
    rises = max(rank(one.stage) for one in tells) > max(rank(one.stage) for one in told)
    same = agree(told, tells, policy) or (rises and not contradict(told, tells, policy))
    return same and gap <= policy.quiet_for


def _reports(part: _Part) -> list[Report]:
    return [link.report for link in part if not link.denial]


class _Cast:
    """Which of the remembered stories goes on as which development."""

    def __init__(self, live: Sequence[Story], parts: Sequence[_Part]) -> None:
        self.parts = parts
        names = [{link.story.id for link in part if link.story} for part in parts]
        self._owners = [[story for story in live if story.id in kept] for kept in names]
        self._keepers: list[Story | None] = []
        for owners in self._owners:
            free = [one for one in owners if one not in self._keepers]
            order = sorted(free, key=lambda one: (not one.alerted, not one.posted, one.first_seen, one.number))
            self._keepers.append(next(iter(order), None))
        self.gone = [one for one in live if one not in self._keepers]
        """The stories that became part of others."""

    def owners(self, place: int) -> list[Story]:
        """The stories that keep some link of a part."""
        return self._owners[place]

    def heir(self, story: Story) -> int:
        """The first part that has something of a story."""
        return next(place for place, owners in enumerate(self._owners) if story in owners)

    def torn(self, story: Story) -> bool:
        """Whether a story turned out to be several developments."""
        return sum(story in owners for owners in self._owners) > 1

    def told(self, place: int) -> Story | None:
        """What the channel was told by the message that goes on, and by those that point to it; None where it is a new one."""
        keeper = self._keepers[place]
        return keeper and reduce(merge, [one for one in self.owners(place) if one in self.gone], keeper)

    def base(self, place: int, born: int) -> Story | None:
        """The story of a part without what is new; None where nothing of it was told. `born`: its number if it parts from another."""
        owners, keeper = self.owners(place), self._keepers[place]
        if not owners:
            return None
        first = keeper or owners[0]
        goes_on = self._piece(first, place, keeper.number if keeper else born) if self.torn(first) else first
        others = [one for one in owners if one is not first]
        return reduce(
            merge,
            [replace(self._piece(one, place, born), alerted=()) if self.torn(one) else one for one in others],
            goes_on,
        )

    def _piece(self, story: Story, place: int, number: int) -> Story:
        """What a torn story keeps of a part."""
        mine = [link for link in self.parts[place] if link.story is story]
        reports = [link.kept for link in mine if not link.denial]
        return divide(story, reports, [link.kept for link in mine if link.denial], number)


def _numbered(stories: Sequence[Story], first: int) -> list[Story]:
    """The stories with their numbers in order of time."""
    order = sorted(stories, key=lambda one: (one.first_seen, one.number))
    return [one if one.episode == at else replace(one, episode=at) for at, one in enumerate(order, first)]


def _beside(order: Sequence[Story], changed: AbstractSet[str]) -> Iterator[Story]:
    """The episodes right before and right after those that change; of those nobody reported, the next ones, too."""
    for way in (order, order[::-1]):
        beside = False
        for story in way:
            if story.id not in changed and beside:
                yield story
            beside = story.id in changed or (beside and not story.reports)
