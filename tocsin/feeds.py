"""The list of feeds as people write it: YAML with a line for each setting, or the OPML that feed readers exchange."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import PurePath
from typing import Annotated, Any
from urllib.parse import urlsplit
from xml.sax.saxutils import quoteattr

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema, model_validator

from tocsin.errors import Fault, RuleFaults
from tocsin.opml import outlines
from tocsin.source import Source, parse
from tocsin.subscription import EVERY, SLOWEST, Subscription, feed_id

MAX_FILE = 5_000_000
"""Bytes a list may have."""
MAX_FEEDS = 20_000
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_PERIOD = re.compile(r"([1-9][0-9]{0,4})([mhd])\Z")
_SHORTEST, _LONGEST = timedelta(minutes=1), timedelta(days=30)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")


def _period(value: object) -> object:
    """A length of time: 5m, 2h or 1d."""
    if isinstance(value, timedelta):
        return value
    found = _PERIOD.match(str(value))
    if not found:
        raise ValueError("write a number and a unit: 5m, 2h or 1d")
    length = timedelta(**{_UNITS[found[2]]: int(found[1])})
    if not _SHORTEST <= length <= _LONGEST:
        raise ValueError("must be between 1m and 30d")
    return length


def _address(value: object) -> object:
    """An http(s) address with a host."""
    try:
        parts = urlsplit(str(value))
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        sound = False
    if not sound or not str(value).isprintable() or " " in str(value):
        raise ValueError("must be an address that starts with http:// or https://, without a sign-in part")
    return value


def _printable(value: object) -> object:
    """Words on one line."""
    return " ".join(_CONTROL.sub(" ", value).split()) if isinstance(value, str) else value


Period = Annotated[
    timedelta,
    BeforeValidator(_period),
    WithJsonSchema({"type": "string", "pattern": r"^[1-9][0-9]{0,4}[mhd]$", "examples": ["5m", "2h", "1d"]}),
]
Words = Annotated[str, BeforeValidator(_printable)]


class FeedLine(BaseModel):
    """One feed as a person writes it down."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, BeforeValidator(_address)] = Field(max_length=1_000, description="The address of the feed")
    name: Words = Field(min_length=1, max_length=100, description="The outlet, as alerts print it")
    language: Words = Field(default="", max_length=20, description="Of the feed, for people")
    country: Words = Field(default="", max_length=60, description="Of the outlet, for people")
    every: Period = Field(default=EVERY, description="How often it is asked at most")
    slowest: Period = Field(default=SLOWEST, description="How often it is asked at least")
    pages: bool = Field(
        default=False, description="Whether the page of each article is fetched, for feeds of summaries"
    )

    @model_validator(mode="after")
    def _ordered(self) -> FeedLine:
        if self.slowest < self.every:
            if "slowest" in self.model_fields_set:
                raise ValueError("`slowest` must not be shorter than `every`")
            self.slowest = self.every
        return self

    def subscription(self) -> Subscription:
        """The feed as the pipeline knows it."""
        return Subscription(feed_id(self.url), **dict(self))


def line(**given: object) -> Subscription:
    """One feed by its settings; `ValueError` says in one sentence what is wrong with them."""
    try:
        return FeedLine(**given).subscription()  # type: ignore[arg-type]  # they are checked here
    except ValidationError as error:
        raise ValueError("; ".join(what for _, what, _ in _mistakes(error))) from error


def read(name: str, body: bytes) -> tuple[list[Subscription], list[Fault]]:
    """The feeds of a list, OPML or YAML as its name or its first letter says, and what is wrong with the others.

    `RuleFaults` when nothing of it can be read.
    """
    if len(body) > MAX_FILE:
        raise RuleFaults([Fault(name, 1, 1, f"has more than {MAX_FILE:,} bytes; split the file", "TOC102")])
    begins = body.lstrip(b"\xef\xbb\xbf \t\r\n")
    marked = begins.startswith(b"<") and not begins.startswith(b"<<<<<<<")  # which a merge leaves in any file
    opml = PurePath(name).suffix.lower() in {".opml", ".xml"} or marked
    found, faults = _read_opml(name, body) if opml else _read_yaml(name, body)
    first: dict[str, Subscription] = {}
    for at, feed in found:
        if feed.id in first:
            faults.append(
                Fault(
                    name,
                    *at,
                    f"the feed {feed.url} is on the list already, as {first[feed.id].name!r}; remove one",
                    "TOC603",
                )
            )
        else:
            first[feed.id] = feed
    if len(first) > MAX_FEEDS:
        raise RuleFaults(
            [Fault(name, 1, 1, f"lists {len(first):,} feeds, and {MAX_FEEDS:,} is the most; split the list", "TOC604")]
        )
    return list(first.values()), sorted(faults)


def as_yaml(feeds: Iterable[Subscription]) -> str:
    """A list in YAML that `read` reads back to the same feeds."""
    rows = [_row(feed) for feed in feeds]
    return yaml.safe_dump({"feeds": rows}, allow_unicode=True, sort_keys=False, width=160)


def as_opml(feeds: Iterable[Subscription]) -> str:
    """A list in OPML 2.0; what OPML has no word for stands in attributes of our own, which other readers pass over."""
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<opml version="2.0">',
        "  <head><title>Tocsin</title></head>",
        "  <body>",
    ]
    for feed in feeds:
        row = _row(feed)
        told = {
            "type": "rss",
            "text": row.pop("name"),
            "xmlUrl": row.pop("url"),
            **{key: _attribute(row[key]) for key in row},
        }
        lines.append("    <outline " + " ".join(f"{key}={quoteattr(value)}" for key, value in told.items()) + "/>")
    return "\n".join([*lines, "  </body>", "</opml>", ""])


def _attribute(value: object) -> str:
    return "true" if value is True else str(value)


def _row(feed: Subscription) -> dict[str, Any]:
    """A feed as it is written down: what is as usual is left out."""
    usual = Subscription("", "", "")
    row: dict[str, Any] = {"url": feed.url, "name": feed.name}
    for key in ("language", "country", "every", "slowest", "pages"):
        if (value := getattr(feed, key)) != getattr(usual, key):
            row[key] = shortest(value) if isinstance(value, timedelta) else value
    if feed.every > usual.slowest and feed.slowest == feed.every:
        row.pop("slowest", None)
    return row


def shortest(length: timedelta) -> str:
    """A length of time as it is written: 5m, 2h, 1d."""
    minutes = max(1, round(length.total_seconds() / 60))
    for unit, size in (("d", 1_440), ("h", 60)):
        if minutes % size == 0:
            return f"{minutes // size}{unit}"
    return f"{minutes}m"


Placed = tuple[tuple[int, int], Subscription]
"""A feed, and the line and column at which it stands."""


def _read_yaml(name: str, body: bytes) -> tuple[list[Placed], list[Fault]]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RuleFaults(
            [Fault(name, 1, 1, "is not UTF-8; save the file with the encoding UTF-8", "TOC103")]
        ) from error
    source = parse(text, name)
    rows = source.data.get("feeds") if isinstance(source.data, dict) else None
    if not isinstance(rows, list) or not rows:
        what = "lists no feeds; write `feeds:` and below it a list of feeds, each with a `url` and a `name`"
        raise RuleFaults([Fault(name, 1, 1, what, "TOC602")])
    faults: list[Fault] = [
        source.fault((key,), f"unknown field {key!r}; the list is under `feeds`", "TOC605")
        for key in source.data
        if key != "feeds"
    ]
    found: list[Placed] = []
    for number, row in enumerate(rows):
        try:
            feed = FeedLine.model_validate(row).subscription()
        except ValidationError as error:
            faults += [source.fault(("feeds", number, *place), what, code) for place, what, code in _mistakes(error)]
        else:
            found.append((_at(source, number), feed))
    return found, faults


def _at(source: Source, number: int) -> tuple[int, int]:
    fault = source.fault(("feeds", number, "url"), "")
    return fault.line, fault.column


_CODES = {"url": "TOC607", "every": "TOC608", "slowest": "TOC608", "": "TOC609"}
"""What a value that cannot be stands for → the code of the check; the whole feed, where its values do not fit together."""


def _mistakes(error: ValidationError) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    """The mistakes in a feed, each with its place, in words, and with the code of the check."""
    for one in error.errors():
        place = ".".join(str(part) for part in one["loc"])
        if one["type"] in {"model_type", "dict_type"}:
            code, what = "TOC610", "is no feed; write `- {url: https://…, name: …}`"
        elif one["type"] == "extra_forbidden":
            code, what = "TOC605", f"unknown field {place!r}; a feed has {', '.join(FeedLine.model_fields)}"
        elif one["type"] == "missing":
            code, what = "TOC606", f"the feed has no {place!r}; add it"
        else:
            what = one["msg"].removeprefix("Value error, ")
            code, what = _CODES.get(place, "TOC611"), f"{place}: {what}" if place else what
        yield one["loc"], what, code


def _read_opml(name: str, body: bytes) -> tuple[list[Placed], list[Fault]]:
    faults: list[Fault] = []
    found: list[Placed] = []
    for at, told in outlines(name, body, MAX_FEEDS):
        try:
            found.append((at, line(**_outline(told))))
        except ValueError as error:
            faults.append(Fault(name, *at, str(error), "TOC611"))
    if not found and not faults:
        faults.append(Fault(name, 1, 1, "lists no feeds: no <outline> has an xmlUrl", "TOC602"))
    return found, faults


def _outline(told: dict[str, str]) -> dict[str, object]:
    """What an outline says, in the words of `FeedLine`."""
    url = told["xmlurl"].strip()
    title = next((_printable(told[key]) for key in ("text", "title") if told.get(key, "").strip()), "")
    given: dict[str, object] = {"url": url, "name": str(title)[:100] or host(url)}
    given |= {key: told[key] for key in ("language", "country", "every", "slowest") if told.get(key)}
    return given | ({"pages": True} if told.get("pages", "").lower() == "true" else {})


def host(url: str) -> str:
    """The host of an address, as a name for want of a better one."""
    try:
        return urlsplit(url).hostname or "feed"
    except ValueError:
        return "feed"
