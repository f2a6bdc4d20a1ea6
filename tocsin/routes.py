"""Where an alert goes: receivers, a tree of routes and muted hours, in Alertmanager's words. `tocsin.routefile` reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from tocsin import rows
from tocsin.signal import LEVELS, STAGES

DEFAULT_CHANNEL = "default"
"""The channel that the deployment names."""
PASSES = "critical"
"""The level that no muted interval holds back."""
ORDERS: Mapping[str, Sequence[str]] = {"level": LEVELS, "stage": STAGES}
FIELDS = ("rule", "level", "who", "where", "what", "stage")
_FURTHEST = 15
"""Days within which a muted interval ends, or else is taken to end."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a route can ask of an alert."""

    rule: str
    level: str
    who: str = ""
    where: str = ""
    what: str = ""
    stage: str = ""


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition: a field, `=` or `!=` with any of several values, or `>=` or `<=` with one level or stage."""

    field: str
    sign: str
    values: tuple[str, ...]

    def matches(self, facts: Facts) -> bool:
        """Whether the condition holds."""
        told = getattr(facts, self.field)
        if self.sign in {"=", "!="}:
            return (told in self.values) is (self.sign == "=")
        order = ORDERS[self.field]
        if told not in order:
            return False
        distance = order.index(told) - order.index(self.values[0])
        return distance >= 0 if self.sign == ">=" else distance <= 0

    def __str__(self) -> str:
        return f"{self.field} {self.sign} {' | '.join(self.values)}"


@dataclass(frozen=True, slots=True)
class Span:
    """Hours (minutes of the day, the end not included) on weekdays (0 is Monday) in a time zone."""

    hours: tuple[tuple[int, int], ...]
    weekdays: frozenset[int]
    location: str

    def end(self, moment: datetime) -> datetime | None:
        """When the hours end that this moment lies in; None when it lies in none."""
        from zoneinfo import ZoneInfo  # most rooms have no muted hours, and every start would pay for it

        zone = ZoneInfo(self.location)
        here = moment.astimezone(zone)
        if here.weekday() not in self.weekdays:
            return None
        minute = here.hour * 60 + here.minute
        last = max((last for first, last in self.hours if first <= minute < last), default=None)
        return None if last is None else _at(here.date(), last, zone)


def _at(day: date, minute: int, zone: tzinfo) -> datetime:
    days, rest = divmod(minute, 24 * 60)
    local = datetime.combine(day + timedelta(days=days), time(rest // 60, rest % 60), zone)
    return local.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Route:
    """One node of the tree."""

    receiver: str
    matchers: tuple[Matcher, ...] = ()
    routes: tuple[Route, ...] = ()
    mutes: tuple[str, ...] = ()
    goes_on: bool = False

    def ways(self, facts: Facts) -> Sequence[tuple[Route, ...]]:
        """The routes from here to each that takes the alert, in order; none when this one does not match."""
        if not all(one.matches(facts) for one in self.matchers):
            return ()
        found: list[tuple[Route, ...]] = []
        for route in self.routes:
            below = route.ways(facts)
            found += [(self, *way) for way in below]
            if below and not route.goes_on:
                break
        return found or [(self,)]

    @property
    def may_go_on(self) -> bool:
        """Whether some alert may be taken by more than one route."""
        return self.goes_on or any(route.may_go_on for route in self.routes)

    def __str__(self) -> str:
        return ", ".join(map(str, self.matchers)) or "everything"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an alert goes: to the first of the channels that takes it, and not before it is `muted_until`."""

    receiver: str
    channels: tuple[str, ...]
    way: tuple[Route, ...]
    muted_by: str = ""
    muted_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Routes:
    """Receivers by name with their channels in order of fallback, the tree, and the muted intervals by name."""

    receivers: Mapping[str, tuple[str, ...]]
    route: Route
    intervals: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)

    def places(self, facts: Facts, now: datetime) -> Sequence[Place]:
        """Where an alert goes that would be posted now, one place for each channel: its own first, then what `continue` adds."""
        found: dict[str, Place] = {}
        for way in self.route.ways(facts):
            last = way[-1]
            by, until = ("", None) if facts.level == PASSES else self._muted(last.mutes, now)
            place = Place(last.receiver, self.receivers[last.receiver], way, by, until)
            found.setdefault(place.channels[0], place)
        return tuple(found.values())

    @property
    def several(self) -> bool:
        """Whether an alert may go to more than one channel."""
        return self.route.may_go_on

    def after(self, channel: str) -> tuple[str, ...]:
        """The channels that take over when Slack refuses this one."""
        chains = (chain for chain in self.receivers.values() if chain[0] == channel)
        return next(chains, (channel,))[1:]

    @property
    def channel(self) -> str:
        """Where goes what belongs to no story: the channel of the root of the tree."""
        return self.receivers[self.route.receiver][0]

    @property
    def channels(self) -> tuple[str, ...]:
        """Every channel an alert may go to, that of the root of the tree first."""
        others = (channel for chain in self.receivers.values() for channel in chain)
        return tuple(dict.fromkeys((self.channel, *others)))

    def to(self, channel: str) -> Routes:
        """The same with the deployment's channel in the place of `default`."""
        chains = {
            name: tuple(channel if one == DEFAULT_CHANNEL else one for one in chain)
            for name, chain in self.receivers.items()
        }
        return replace(self, receivers=chains)

    def to_json(self) -> dict[str, Any]:
        """JSON values that `from_json` reads back."""
        intervals = {name: rows.row(spans, {}) for name, spans in self.intervals.items()}
        return {"receivers": self.receivers, "route": rows.row(self.route, {}), "intervals": intervals}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Routes:
        """Reads what `to_json` wrote."""
        kinds = rows.kinds([Matcher, Route, Span])
        return cls(
            {name: tuple(chain) for name, chain in row["receivers"].items()},
            rows.value(row["route"], kinds),
            {name: rows.value(spans, kinds) for name, spans in row["intervals"].items()},
        )

    def _muted(self, names: Iterable[str], now: datetime) -> tuple[str, datetime | None]:
        """Which interval mutes now, and when the last that follows without a gap is over."""
        until, by = now, ""
        while (held := self._holding(names, until)) and until < now + timedelta(days=_FURTHEST):
            by, until = by or held[0], held[1]
        return (by, until) if by else ("", None)

    def _holding(self, names: Iterable[str], moment: datetime) -> tuple[str, datetime] | None:
        ends = ((name, end) for name in names for span in self.intervals[name] if (end := span.end(moment)))
        return max(ends, key=lambda held: held[1], default=None)


def everything_to(channel: str) -> Routes:
    """One receiver for all."""
    return Routes({"desk": (channel,)}, Route("desk"))


def facts_of(values: Mapping[str, Any]) -> Facts:
    """An alert that is asked about: what is not said is empty."""
    return Facts(**{name: str(values.get(name) or "") for name in FIELDS})
