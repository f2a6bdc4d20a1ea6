"""How a feed is doing: its learned cadence, what is wrong with it and since when, and what of that the channel was told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

PATIENCE = timedelta(days=1)
"""How long a feed may fail, and how long another address must stand, before the channel is told."""
HABIT = 5
"""Gaps between entries from which a feed has a habit that it can fall short of."""
_QUIET_GAPS, _QUIET_LONGEST = 6, 2
"""A feed is silent when it was quiet for more than six of its usual gaps, and twice its longest one."""
_WEIGHT = 0.1
"""What one gap weighs against those before it."""
_HALF_LIFE = timedelta(days=30).total_seconds()
"""The time in which a longest gap that was not reached again counts half: weekends are remembered, a summer is not."""
_LONGEST = timedelta(days=90).total_seconds()

Failing = Literal["", "dead", "malformed"]
Trouble = Literal["", "failing", "silent", "ended", "fatal"]
Kind = Literal["dead", "malformed", "silent", "ended", "fatal", "moved", "recovered"]
"""What the channel is told of a feed."""


@dataclass(frozen=True, slots=True)
class Health:
    """What is remembered of a feed's doings. Times are epoch seconds, gaps seconds."""

    gap: float = 0.0
    """The usual time between two entries."""
    longest: float = 0.0
    """The longest of late."""
    learned: int = 0
    """Gaps that were seen."""
    newest: float = 0.0
    """When the newest entry was published."""
    quiet_since: float = 0.0
    """When the last new entry came, or the feed answered again."""
    failing: Failing = ""
    what: str = ""
    since: float = 0.0
    """When it began to fail."""
    moved: str = ""
    """The address its server sends everyone to for good."""
    moved_since: float = 0.0
    """Since when; 0 once the channel was told."""
    ended: bool = False
    told: Trouble = ""
    """The trouble the channel knows of."""
    alone: float = 0.0
    """Since when it is read with no other feed beside it, because the function that read it before never said what became of it."""
    fatal: bool = False
    """Whether reading it ended the function."""

    def to_json(self) -> dict[str, Any]:
        """The values that differ from those of a new feed."""
        return {key: value for key, value in asdict(self).items() if value}

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Health:
        """Reads what `to_json` wrote; what a later version wrote beside it does not count."""
        known = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in row.items() if name in known})

    @property
    def habit(self) -> float:
        """Seconds without a new entry from which the feed is silent; 0 while nothing is known of it."""
        if self.learned < HABIT:
            return 0.0
        return max(PATIENCE.total_seconds(), _QUIET_GAPS * self.gap, _QUIET_LONGEST * self.longest)


def failed(health: Health, failing: Failing, what: str, now: datetime) -> Health:
    """A poll came to nothing. What stands there is the latest cause, since the first."""
    return replace(health, failing=failing, what=what[:300], since=health.since or now.timestamp())


def answered(health: Health, now: datetime) -> Health:
    """A poll came to a feed that can be read; after a long failure its silence counts anew."""
    if not health.since:
        return health if health.quiet_since else replace(health, quiet_since=now.timestamp())
    long = now.timestamp() - health.since >= PATIENCE.total_seconds()
    quiet = now.timestamp() if long or not health.quiet_since else health.quiet_since
    return replace(health, failing="", what="", since=0.0, quiet_since=quiet)


def heard(health: Health, published: Sequence[datetime], now: datetime) -> Health:
    """New entries came: what their times teach about the feed's cadence. A first poll learns from all that stands there."""
    times = sorted({min(one.timestamp(), now.timestamp()) for one in published})
    gap, longest, learned, last = health.gap, health.longest, health.learned, health.newest
    for time in times:
        if last and time > last:
            between = min(time - last, _LONGEST)
            learned = min(learned + 1, 1_000)
            gap += (between - gap) * max(_WEIGHT, 1 / learned)
            longest = max(longest * 0.5 ** (between / _HALF_LIFE), between)
        last = max(last, time)
    return replace(
        health, gap=round(gap), longest=round(longest), learned=learned, newest=last, quiet_since=now.timestamp()
    )


def alone(health: Health, now: datetime) -> Health:
    """It is to be read alone now: what stands there should the function end shows which feed did it."""
    return replace(health, alone=now.timestamp())


def killed(health: Health, now: datetime) -> Health:
    """Reading it ended the function."""
    return replace(health, alone=0.0, fatal=True, since=now.timestamp())


def over(health: Health) -> Health:
    """A poll came to an end, whatever else came of it."""
    return replace(health, alone=0.0, fatal=False, ended=False)


def pointed(health: Health, moved: str, now: datetime) -> Health:
    """Where the server sends everyone for good; nowhere when `moved` is empty."""
    if moved == health.moved:
        return health
    return replace(health, moved=moved, moved_since=now.timestamp() if moved else 0.0)


def settled(health: Health, now: datetime) -> str:
    """The address to use from now on; empty while none has stood for long enough."""
    if health.moved and not health.since and now.timestamp() - health.moved_since >= PATIENCE.total_seconds():
        return health.moved
    return ""


def trouble(health: Health, now: datetime) -> Trouble:
    """What is wrong, when it is worth telling."""
    if health.ended:
        return "ended"
    if health.fatal:
        return "fatal"
    if health.since:
        return "failing" if now.timestamp() - health.since >= PATIENCE.total_seconds() else ""
    quiet = now.timestamp() - health.quiet_since
    return "silent" if health.habit and quiet > health.habit else ""


def news(health: Health, now: datetime) -> tuple[Health, tuple[tuple[Kind, str], ...]]:
    """What the channel is to be told now, and the health that remembers it was: each trouble once, its end once."""
    told: list[tuple[Kind, str]] = []
    if health.moved and health.moved_since and settled(health, now):
        told.append(("moved", f"now at {health.moved}"))
        health = replace(health, moved_since=0.0)
    found = trouble(health, now)
    if found == health.told:
        return health, tuple(told)
    if found:
        told.append(_trouble_told(health, found))
    elif not health.since:
        told.append(("recovered", {"silent": "tells news again"}.get(health.told, "answers again")))
    else:
        return health, tuple(told)  # it fails, but not for long: nobody knows yet what it will be
    return replace(health, told=found), tuple(told)


def standing(health: Health, now: datetime) -> tuple[str, str]:
    """How a feed is doing in one word, and why: for the list."""
    found = trouble(health, now)
    if found:
        kind, why = _trouble_told(health, found)
        return kind, why
    if health.since:
        return "failing", f"{health.what}, since {moment(health.since)}"
    if health.moved:
        return "well", f"is sent on to {health.moved}"
    return ("well", "") if health.quiet_since else ("new", "not polled yet")


def moment(seconds: float) -> str:
    """A time as people read it."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def _trouble_told(health: Health, found: Trouble) -> tuple[Kind, str]:
    if found == "ended":
        return "ended", "its server says it is gone for good; it is not asked again"
    if found == "fatal":
        return "fatal", "not asked any more; mend Fetch, then tocsin redrive --queue FeedDeadLetters"
    if found == "silent":
        usual = f"nothing new since {moment(health.newest or health.quiet_since)}"
        return "silent", f"{usual}; it never was quiet for longer than {_length(health.longest)}"
    return health.failing or "dead", f"{health.what}, since {moment(health.since)}"


def _length(seconds: float) -> str:
    """A length of time in the largest unit that fits."""
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            count = round(seconds / length)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "a minute"
