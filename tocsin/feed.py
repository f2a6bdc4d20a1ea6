"""A feed as Tocsin sees it, whatever format it came in: values between the web, the parser and the poller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered, within all limits."""

    url: str
    """The address that answered, after redirects."""
    status: int
    """200, 304 or 410; every other status is a `FetchFault`."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """By lower-case name."""
    body: bytes = b""
    """Decompressed."""
    moved: str = ""
    """The address to use from now on, when every redirect on the way was a permanent one."""


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One item of a feed; text is clean and plain."""

    id: str
    """The feed's own id for it, else what identifies it best: never empty."""
    title: str
    link: str
    published: datetime | None
    """Aware UTC; None when the feed says nothing usable."""
    text: str
    """The fullest text the feed gives; may be empty."""
    updated: datetime | None = None


@dataclass(frozen=True, slots=True)
class Feed:
    """What was read from the bytes of one feed."""

    format: str
    """rss20, rss10, rss091u, atom10, json11 … (feedparser's names, and `json1` and `json11`)."""
    title: str
    entries: tuple[FeedEntry, ...]
    link: str = ""
    language: str = ""
    notes: tuple[str, ...] = ()
    """What was wrong and could be borne, or had to be left out, and why."""
    left_out: tuple[str, ...] = ()
    """Those of the notes that tell of entries nobody reads."""
    marks: tuple[str, ...] = ()
    """Fingerprints of its entries as they are written, if each of them was read without more ado."""
    partial: bool = False
    """Whether entries that were known by their fingerprints are left out."""
