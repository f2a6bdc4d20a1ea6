"""Where an alert goes: the receivers, the tree of routes and the muted hours of `rules/routes.yaml`, in Alertmanager's words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from tocsin.artefact import Artefact
from tocsin.errors import Fault, RuleFaults
from tocsin.rule import Model
from tocsin.rules import ROUTES, Loaded, near, validate
from tocsin.signal import LEVELS, STAGES
from tocsin.source import Source, read

DEFAULT_CHANNEL = "default"
"""The channel that the deployment names."""
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PASSES = "critical"
"""The level that no muted interval holds back."""
_ORDERS: Mapping[str, Sequence[str]] = {"level": LEVELS, "stage": STAGES}
FIELDS = ("rule", "level", "who", "where", "what", "stage")
_MATCHER = re.compile(r"\s*([a-z_]+)\s*(!=|>=|<=|=)\s*(\S.*?)\s*")
_CHANNEL = re.compile(r"[CG][A-Z0-9]{4,}")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")
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
        order = _ORDERS[self.field]
        if told not in order:
            return False
        distance = order.index(told) - order.index(self.values[0])
        return distance >= 0 if self.sign == ">=" else distance <= 0

    def __str__(self) -> str:
        return f"{self.field} {self.sign} {' | '.join(self.values)}"


def matcher(text: str) -> Matcher:
    """Reads `level >= high` or `who = iran | israel`; `ValueError` says what cannot be read."""
    parts = _MATCHER.fullmatch(text)
    if parts is None:
        raise ValueError(f"{text!r} is no condition; write one like 'level >= high' or 'who = iran | israel'")
    name, sign, rest = parts.groups()
    values = tuple(value.strip() for value in rest.split("|"))
    if name not in FIELDS:
        raise ValueError(f"an alert has no {name!r}; it has {', '.join(FIELDS)}{near(name, FIELDS)}")
    if "" in values:
        raise ValueError(f"{text!r} has an empty value; put one value before and one after each |")
    if sign in {">=", "<="} and (name not in _ORDERS or len(values) > 1):
        raise ValueError(f"{sign} compares level or stage with one value; write {name} = {rest}")
    if name in _ORDERS and (odd := [value for value in values if value not in _ORDERS[name]]):
        raise ValueError(f"there is no {name} {odd[0]!r}; there are {', '.join(_ORDERS[name])}")
    return Matcher(name, sign, values)


def _written(text: str) -> str:
    matcher(text)
    return text


def _channel(text: str) -> str:
    if text != DEFAULT_CHANNEL and not _CHANNEL.fullmatch(text):
        raise ValueError(
            f"{text!r} is no channel; write its id, which starts with C or G, or {DEFAULT_CHANNEL} for the deployment's own"
        )
    return text


def _clock(text: str) -> str:
    if not _CLOCK.fullmatch(text):
        raise ValueError(f"{text!r} is no time of day; write it in quotes, from '00:00' to '24:00'")
    return text


def _days(text: str) -> str:
    first, _, last = text.partition(":")
    for day in (first, last or first):
        if day not in DAYS:
            raise ValueError(f"{text!r} is neither a day nor days like monday:friday{near(day, DAYS)}")
    if DAYS.index(first) > DAYS.index(last or first):
        raise ValueError(f"{text!r} runs backwards; write two entries, one to sunday and one from monday")
    return text


def _location(text: str) -> str:
    try:
        ZoneInfo(text)
    except (OSError, ValueError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise ValueError(f"there is no time zone {text!r}; write UTC or one like Europe/Berlin") from error
    except KeyError as error:
        raise ValueError(f"there is no time zone {text!r}; write UTC or one like Europe/Berlin") from error
    return text


_Clock = Annotated[str, AfterValidator(_clock)]


class _Part(Model):
    """A part of this file."""


class ReceiverModel(_Part):
    """A receiver, as written."""

    name: str = Field(description="How routes call it")
    channel: Annotated[str, AfterValidator(_channel)] = Field(
        description="The id of a channel, or default for the one the deployment names"
    )
    fallback: str | None = Field(
        default=None, description="The receiver that takes over when Slack refuses the channel"
    )


class RouteModel(_Part):
    """A route, as written."""

    receiver: str | None = Field(default=None, description="When nothing is said, that of the route it stands in")
    matchers: list[Annotated[str, AfterValidator(_written)]] = Field(default=[], description="All must hold")
    routes: list[RouteModel] = Field(default=[], description="Tried in order; the first that matches takes the alert")
    continue_: bool = Field(default=False, alias="continue", description="Must be false: an alert has one place")
    mute_time_intervals: list[str] = Field(default=[], description="When alerts below critical wait")


class RangeModel(_Part):
    """Hours of a day, as written."""

    start_time: _Clock = Field(description="From this time of day")
    end_time: _Clock = Field(description="To this time of day; 24:00 is midnight")


class SpanModel(_Part):
    """A part of a time interval, as written: hours, on weekdays."""

    times: list[RangeModel] = Field(default=[], description="The whole day when nothing is said")
    weekdays: list[Annotated[str, AfterValidator(_days)]] = Field(
        default=[], description="Every day when nothing is said"
    )
    location: Annotated[str, AfterValidator(_location)] = Field(
        default="UTC", description="The time zone, as the IANA names it"
    )


class IntervalModel(_Part):
    """A time interval, as written."""

    name: str = Field(description="How routes call it")
    time_intervals: list[SpanModel] = Field(description="The parts it consists of")


class RoutesFile(_Part):
    """The file, as written."""

    receivers: list[ReceiverModel] = Field(description="Where alerts can go")
    route: RouteModel = Field(description="The route that takes every alert")
    time_intervals: list[IntervalModel] = Field(default=[], description="When alerts may have to wait")


@dataclass(frozen=True, slots=True)
class Span:
    """Hours (minutes of the day, the end not included) on weekdays (0 is Monday) in a time zone."""

    hours: tuple[tuple[int, int], ...]
    weekdays: frozenset[int]
    location: ZoneInfo

    def end(self, moment: datetime) -> datetime | None:
        """When the hours end that this moment lies in; None when it lies in none."""
        here = moment.astimezone(self.location)
        if here.weekday() not in self.weekdays:
            return None
        minute = here.hour * 60 + here.minute
        last = max((last for first, last in self.hours if first <= minute < last), default=None)
        return None if last is None else _at(here.date(), last, self.location)


def _at(day: date, minute: int, location: ZoneInfo) -> datetime:
    days, rest = divmod(minute, 24 * 60)
    local = datetime.combine(day + timedelta(days=days), time(rest // 60, rest % 60), location)
    return local.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Route:
    """One node of the tree."""

    receiver: str
    matchers: tuple[Matcher, ...] = ()
    routes: tuple[Route, ...] = ()
    mutes: tuple[str, ...] = ()

    def way(self, facts: Facts) -> tuple[Route, ...]:
        """The routes from here to the one that takes the alert; nothing when this one does not match."""
        if not all(one.matches(facts) for one in self.matchers):
            return ()
        return (self, *next((way for route in self.routes if (way := route.way(facts))), ()))

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

    def place(self, facts: Facts, now: datetime) -> Place:
        """Where an alert goes that would be posted now."""
        way = self.route.way(facts)
        last = way[-1]
        by, until = ("", None) if facts.level == PASSES else self._muted(last.mutes, now)
        return Place(last.receiver, self.receivers[last.receiver], way, by, until)

    def after(self, channel: str) -> tuple[str, ...]:
        """The channels that take over when Slack refuses this one."""
        chains = (chain for chain in self.receivers.values() if chain[0] == channel)
        return next(chains, (channel,))[1:]

    @property
    def channel(self) -> str:
        """Where goes what belongs to no story: the channel of the root of the tree."""
        return self.receivers[self.route.receiver][0]

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


def load(folder: Path, loaded: Loaded | Artefact, channel: str = DEFAULT_CHANNEL) -> Routes:
    """The routes of a folder of rules, with the deployment's channel in the place of `default`; without the file, one receiver.

    `RuleFaults` collects every mistake, unknown receivers, intervals, rules and slots among them.
    """
    path = folder / ROUTES
    if not path.exists():
        return everything_to(channel)
    source = read(path, f"{folder.name}/{ROUTES}")
    faults: list[Fault] = []
    written = validate(RoutesFile, source, faults)
    if written is not None:
        faults += _Check(written, source, loaded).faults()
    if written is None or faults:
        raise RuleFaults(faults)
    chains = {one.name: tuple(_chain(one.name, written, channel)) for one in written.receivers}
    intervals = {one.name: tuple(map(_span, one.time_intervals)) for one in written.time_intervals}
    return Routes(chains, _route(written.route, ""), intervals)


def _chain(name: str, written: RoutesFile, channel: str) -> Iterator[str]:
    receivers = {one.name: one for one in written.receivers}
    following: str | None = name
    while following:
        one = receivers[following]
        yield channel if one.channel == DEFAULT_CHANNEL else one.channel
        following = one.fallback


def _route(written: RouteModel, receiver: str) -> Route:
    receiver = written.receiver or receiver
    children = tuple(_route(one, receiver) for one in written.routes)
    return Route(receiver, tuple(map(matcher, written.matchers)), children, tuple(written.mute_time_intervals))


def _span(written: SpanModel) -> Span:
    hours = tuple((_minute(one.start_time), _minute(one.end_time)) for one in written.times) or ((0, 24 * 60),)
    days = {day for text in written.weekdays for day in _range(text)} or set(range(7))
    return Span(hours, frozenset(days), ZoneInfo(written.location))


def _range(text: str) -> range:
    first, _, last = text.partition(":")
    return range(DAYS.index(first), DAYS.index(last or first) + 1)


def _minute(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


_Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class _Check:
    """Looks for what one part of the file says of another that is not there."""

    written: RoutesFile
    source: Source
    loaded: Loaded | Artefact

    def faults(self) -> Iterator[Fault]:
        """Every mistake."""
        receivers = [one.name for one in self.written.receivers]
        intervals = [one.name for one in self.written.time_intervals]
        for part, names in (("receivers", receivers), ("time_intervals", intervals)):
            for index, name in enumerate(names):
                if name in names[:index]:
                    yield self.source.fault(
                        (part, index, "name"), f"the name {name!r} is here twice; rename one of them", "TOC701"
                    )
        for index, one in enumerate(self.written.receivers):
            if one.fallback is not None:
                yield from self._known(one.fallback, "receiver", receivers, ("receivers", index, "fallback"))
        yield from self._circles()
        for index, interval in enumerate(self.written.time_intervals):
            yield from self._backwards(interval, index)
        root = self.written.route
        if root.receiver is None:
            yield self.source.fault(
                ("route",), "the first route needs a receiver; it takes what no other route takes", "TOC705"
            )
        if root.matchers:
            yield self.source.fault(
                ("route", "matchers"), "the first route takes everything; move the matchers into its routes", "TOC706"
            )
        yield from self._route(root, ("route",), receivers, intervals)

    def _route(self, route: RouteModel, path: _Path, receivers: list[str], intervals: list[str]) -> Iterator[Fault]:
        if route.receiver is not None:
            yield from self._known(route.receiver, "receiver", receivers, (*path, "receiver"))
        if route.continue_:
            what = "continue must be false: an alert has one place, where its thread and its edits are"
            yield self.source.fault((*path, "continue"), what, "TOC707")
        for index, name in enumerate(route.mute_time_intervals):
            yield from self._known(name, "time interval", intervals, (*path, "mute_time_intervals", index))
        for index, text in enumerate(route.matchers):
            yield from self._matcher(matcher(text), (*path, "matchers", index))
        for index, one in enumerate(route.routes):
            yield from self._route(one, (*path, "routes", index), receivers, intervals)

    def _matcher(self, one: Matcher, path: _Path) -> Iterator[Fault]:
        if known := names_of(one.field, self.loaded):
            for value in one.values:
                yield from self._known(value, one.field, known, path)

    def _known(self, name: str, kind: str, names: Iterable[str], path: _Path) -> Iterator[Fault]:
        if name not in set(names):
            yield self.source.fault(path, f"there is no {kind} {name!r}{near(name, names)}", "TOC702")

    def _circles(self) -> Iterator[Fault]:
        following = {one.name: one.fallback for one in self.written.receivers}
        for index, one in enumerate(self.written.receivers):
            seen, name = [one.name], one.fallback
            while name and name not in seen:
                seen.append(name)
                name = following.get(name)
            if name == one.name:
                what = f"its fallback leads back to it ({' → '.join([*seen, name])}); let one of them have none"
                yield self.source.fault(("receivers", index, "fallback"), what, "TOC703")

    def _backwards(self, interval: IntervalModel, index: int) -> Iterator[Fault]:
        for number, span in enumerate(interval.time_intervals):
            for which, hours in enumerate(span.times):
                if _minute(hours.start_time) >= _minute(hours.end_time):
                    path = ("time_intervals", index, "time_intervals", number, "times", which, "end_time")
                    what = "the hours end before they begin; write two entries, one to '24:00' and one from '00:00'"
                    yield self.source.fault(path, what, "TOC704")


def names_of(asked: str, loaded: Loaded | Artefact) -> Iterable[str]:
    """The values that a field of an alert may have: rules, or the slugs of a slot; nothing for level and stage."""
    if asked == "rule":
        return loaded.rule_set.order
    if asked == "what":
        return dict.fromkeys(slug for rule in loaded.rule_set.rules for slug, _ in rule.materiel)
    return loaded.rule_set.printed if asked in {"who", "where"} else ()


def facts_of(values: Mapping[str, Any]) -> Facts:
    """An alert that is asked about: what is not said is empty."""
    return Facts(**{name: str(values.get(name) or "") for name in FIELDS})
