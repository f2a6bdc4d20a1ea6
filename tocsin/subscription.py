"""A feed that Tocsin listens to: where it is, whose it is, and how often it may be asked."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from tocsin.article import canonical

EVERY = timedelta(minutes=10)
"""How often a feed is asked at most, unless its line in the list says otherwise."""
SLOWEST = timedelta(hours=6)
"""How often it is asked at least."""
_HOST = re.compile(r"[^a-z0-9.-]+")


@dataclass(frozen=True, slots=True)
class Subscription:
    """One line of the list of feeds. `id` never changes, even when the feed moves."""

    id: str
    url: str
    name: str
    """The outlet, as alerts print it."""
    language: str = ""
    country: str = ""
    every: timedelta = EVERY
    """The shortest time between two polls."""
    slowest: timedelta = SLOWEST
    """The longest."""
    pages: bool = False
    """Whether the feed gives summaries only, so that the page of each article is to be fetched."""

    def to_json(self) -> dict[str, Any]:
        """JSON values that `from_json` reads back to an equal subscription."""
        row: dict[str, Any] = {"id": self.id, "url": self.url, "name": self.name}
        row |= {key: value for key in ("language", "country", "pages") if (value := getattr(self, key))}
        return row | {"every": int(self.every.total_seconds()), "slowest": int(self.slowest.total_seconds())}

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Subscription:
        """Reads what `to_json` wrote."""
        bounds = {key: timedelta(seconds=row[key]) for key in ("every", "slowest")}
        return cls(**{**row, **bounds})


def feed_id(url: str) -> str:
    """The id of the feed at an address: its host, and a few letters that tell it from others there.

    One feed has one id with http or https, with or without `www.` and tracking parameters.
    """
    address = canonical(url) or re.sub(r"\A[a-z]+:/*(www\.)?|/*\Z", "", url.strip().lower())
    try:
        host = (urlsplit(url.strip()).hostname or "").removeprefix("www.")
    except ValueError:
        host = ""
    digest = hashlib.sha256(address.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{_HOST.sub('-', host.lower())[:100] or 'feed'}/{digest}"


def host_of(feed: str) -> str:
    """The host in the id of a feed: where it was when it was added."""
    return feed.partition("/")[0]
