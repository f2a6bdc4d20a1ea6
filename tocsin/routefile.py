"""`rules/routes.yaml`, read and checked: see `tocsin.routes` for what is made of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from tocsin.artefact import Artefact
from tocsin.errors import Fault, RuleFaults
from tocsin.routes import DEFAULT_CHANNEL, FIELDS, ORDERS, Matcher, Route, Routes, Span, everything_to
from tocsin.rule import Model
from tocsin.rules import ROUTES, Loaded, near, validate
from tocsin.source import Source, read

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MATCHER = re.compile(r"\s*([a-z_]+)\s*(!=|>=|<=|=)\s*(\S.*?)\s*")
_CHANNEL = re.compile(r"[CG][A-Z0-9]{4,}")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")


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
    if sign in {">=", "<="} and (name not in ORDERS or len(values) > 1):
        raise ValueError(f"{sign} compares level or stage with one value; write {name} = {rest}")
    if name in ORDERS and (odd := [value for value in values if value not in ORDERS[name]]):
        raise ValueError(f"there is no {name} {odd[0]!r}; there are {', '.join(ORDERS[name])}")
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
    continue_: bool = Field(
        default=False,
        alias="continue",
        description="Whether the routes after it are tried, too: each place has its own message",
    )
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


def load(folder: Path, loaded: Loaded | Artefact) -> Routes:
    """The routes of a folder of rules, with `default` for the deployment's channel; without the file, one receiver.

    `RuleFaults` collects every mistake, unknown receivers, intervals, rules and slots among them.
    """
    path = folder / ROUTES
    if not path.exists():
        return everything_to(DEFAULT_CHANNEL)
    source = read(path, f"{folder.name}/{ROUTES}")
    faults: list[Fault] = []
    written = validate(RoutesFile, source, faults)
    if written is not None:
        faults += _Check(written, source, loaded).faults()
    if written is None or faults:
        raise RuleFaults(faults)
    chains = {one.name: tuple(_chain(one.name, written)) for one in written.receivers}
    intervals = {one.name: tuple(map(_span, one.time_intervals)) for one in written.time_intervals}
    return Routes(chains, _route(written.route, ""), intervals)


def _chain(name: str, written: RoutesFile) -> Iterator[str]:
    receivers = {one.name: one for one in written.receivers}
    following: str | None = name
    while following:
        one = receivers[following]
        yield one.channel
        following = one.fallback


def _route(written: RouteModel, receiver: str) -> Route:
    receiver = written.receiver or receiver
    children = tuple(_route(one, receiver) for one in written.routes)
    mutes = tuple(written.mute_time_intervals)
    return Route(receiver, tuple(map(matcher, written.matchers)), children, mutes, written.continue_)


def _span(written: SpanModel) -> Span:
    hours = tuple((_minute(one.start_time), _minute(one.end_time)) for one in written.times) or ((0, 24 * 60),)
    days = {day for text in written.weekdays for day in _range(text)} or set(range(7))
    return Span(hours, frozenset(days), written.location)


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
        if root.continue_:
            what = "the first route has no others after it; write continue on those in it"
            yield self.source.fault(("route", "continue"), what, "TOC707")
        yield from self._route(root, ("route",), receivers, intervals)

    def _route(self, route: RouteModel, path: _Path, receivers: list[str], intervals: list[str]) -> Iterator[Fault]:
        if route.receiver is not None:
            yield from self._known(route.receiver, "receiver", receivers, (*path, "receiver"))
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
    known = loaded.rule_set if isinstance(loaded, Artefact) else loaded.draft
    if asked == "rule":
        return known.order
    if asked == "what":
        return dict.fromkeys(slug for rule in known.rules for slug, _ in rule.materiel)
    return known.printed if asked in {"who", "where"} else ()
