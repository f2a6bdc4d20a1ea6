"""Feeds read from bytes: RSS, RDF, Atom and CDF by feedparser behind a guard, JSON Feed by ourselves.

feedparser sees neither an address nor a string. It is given bytes that `tocsin.markup` has decoded, stripped of prolog and
document type, measured and mended, so that its strict parser reads them, and never the loose one that takes quadratic time.
It neither sanitises HTML nor resolves links in it: text is cleaned here, once. An alarm bounds what all of it may take.
"""

from __future__ import annotations

import hashlib
import json
import re
import signal
import sys
import threading
import time
import warnings
import zlib
from calendar import timegm
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from types import FrameType
from typing import Any
from xml.parsers.expat import ExpatError

from tocsin import dates
from tocsin.article import EARLIEST, MAX_TEXT
from tocsin.clean import clean, html_text, is_html, line, tags, tidy, unescaped, web_address
from tocsin.errors import FeedFault
from tocsin.feed import Feed, FeedEntry
from tocsin.markup import DECLARATION, LIMITS, ROOTS, Root, decoded, entities, measured, mended, places, root
from tocsin.pieces import Pieces, pieces

MAX_BYTES = 10_000_000
"""Bytes of a feed once it is decompressed; with more, what feedparser makes of it would not fit into a small function."""
SECONDS = 3.0
"""Processor time the reading of one feed may take."""
CLOCK = 4.0
"""Seconds on the clock it may take, so that not even a busy machine, or a small function, is held up for more than five."""
MAX_ID, MAX_TITLE, MAX_LINK, MAX_NOTES = 300, 2_000, 2_000, 20
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)
_GZIP = b"\x1f\x8b"
_MAGIC = {
    b"%PDF-": "a PDF",
    b"\x89PNG": "a picture (PNG)",
    b"\xff\xd8\xff": "a picture (JPEG)",
    b"GIF8": "a picture (GIF)",
    b"PK\x03\x04": "a ZIP archive",
    b"BZh": "compressed by bzip2",
    b"\xfd7zXZ": "compressed by xz",
    b"\x28\xb5\x2f\xfd": "compressed by zstd",
    b"\x7fELF": "a program",
}
_REFERENCES = 300_000
"""With more, the text is put into sections: feedparser takes longer for each reference than mending does."""
_ENDS = 10
"""Entries at either end of a long feed whose dates tell in which order it is."""
_SAMPLE, _CONTROLS = 2_000, 0.05
"""More control characters than this share of the first characters: no text."""
_YEAR_ALONE = re.compile(r"\s*\d{4}\s?[^\s\dT:+-]")
"""The beginning of a date of which feedparser reads no more than the year, and makes up the rest."""
_HASH = 16


def parse(  # noqa: PLR0913 - the answer, what is known, and bounds
    body: bytes,
    *,
    url: str = "",
    content_type: str = "",
    known: Collection[str] = (),
    seconds: float = SECONDS,
    clock: float = CLOCK,
) -> Feed:
    """The feed in these bytes, gzipped or not; `url` and `content_type` are those of the answer they came in.

    Entries whose fingerprints are `known` may be left out: they cost most of the time, and say nothing new.

    `FeedFault` when there is none, or none that may be read; nothing else is raised.
    """
    try:
        with _alarm(seconds, clock):
            return _parse(body, url, content_type, known)
    except _Late:
        what = f"took more than {seconds:g} seconds of processor time, or {clock:g} on the clock"
        raise FeedFault("too-slow", what) from None
    except RecursionError:
        raise FeedFault("too-complex", "nests too deeply") from None
    except MemoryError:
        raise FeedFault("too-much-memory", "took more memory than there is") from None


def _parse(body: bytes, url: str, content_type: str, known: Collection[str]) -> Feed:
    body, *notes = _unpacked(body)
    if not body.strip(b"\xef\xbb\xbf \t\r\n\x00"):
        raise FeedFault("empty", "is empty")
    for magic, what in _MAGIC.items():
        if body.startswith(magic):
            raise FeedFault("not-a-feed", f"is {what}, not a feed")
    text, note = decoded(body, content_type)
    notes.append(note)
    del body
    is_json = text.lstrip("\ufeff \t\r\n\f").startswith(("{", "["))
    read = _json_feed if is_json else partial(_xml_feed, known=frozenset(known))
    handed = [text]
    del text  # whoever reads it lets go of it before feedparser makes copies of its own
    feed = read(handed.pop(), url)
    told = tuple(dict.fromkeys(line(one, 300) for one in (*notes, *feed.left_out, *feed.notes) if one))
    return replace(feed, notes=told[:MAX_NOTES])


# The guard.


class _Late(Exception):
    """The time is up."""


@contextmanager
def _alarm(seconds: float, clock: float) -> Iterator[None]:
    """Raises `_Late` in what runs longer: by signals, or where there can be none, whenever a function is called."""
    if threading.current_thread() is not threading.main_thread():
        with _profile(time.thread_time() + seconds, time.monotonic() + clock):
            yield
        return
    timers = ((signal.ITIMER_PROF, signal.SIGPROF, seconds), (signal.ITIMER_REAL, signal.SIGALRM, clock))
    before = [signal.signal(number, _ring) for _, number, _ in timers]
    try:
        try:
            for timer, _, most in timers:  # again after a while, should it be swallowed where nobody can catch it
                signal.setitimer(timer, most, 0.2)
            yield
        finally:
            _still(timers)
    finally:  # once more, should it ring just before
        _still(timers)
        for (_, number, _), handler in zip(timers, before, strict=True):
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def _still(timers: Iterable[tuple[int, int, float]]) -> None:
    for timer, _, _ in timers:
        signal.setitimer(timer, 0)


def _ring(_number: int, _frame: FrameType | None) -> None:
    raise _Late


@contextmanager
def _profile(until: float, clock: float) -> Iterator[None]:
    def check(*_: object) -> None:
        if time.thread_time() > until or time.monotonic() > clock:
            raise _Late

    before = sys.getprofile()
    sys.setprofile(check)
    try:
        yield
    finally:
        sys.setprofile(before)


def _unpacked(body: bytes) -> tuple[bytes, str]:
    """The bytes, decompressed if they are gzip, and a note when their end is missing."""
    if len(body) > MAX_BYTES:
        raise FeedFault("too-large", f"has more than {MAX_BYTES:,} bytes")
    if not body.startswith(_GZIP):
        return body, ""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(body, MAX_BYTES + 1)
    except zlib.error as error:
        raise FeedFault("compressed", f"is no gzip, though it begins like it: {error}") from error
    if len(plain) > MAX_BYTES:
        raise FeedFault("too-large", f"has more than {MAX_BYTES:,} bytes when it is decompressed")
    if plain.startswith(_GZIP):
        raise FeedFault("compressed", "is compressed twice")
    return plain, "" if unpacker.eof else "the compressed data are cut off"


# XML.


def _xml_feed(text: str, url: str, known: Collection[str]) -> Feed:
    start = root(text)
    if start is None:
        what = "a binary file" if _binary(text) else f"no XML and no JSON: it begins with {_quoted(text)}"
        raise FeedFault("not-a-feed", f"is {what}")
    if start.name not in ROOTS and _binary(text):
        raise FeedFault("not-a-feed", "is a binary file, not a feed")
    if start.name == "html" or (start.name not in ROOTS and "<html" in text[:2_000].lower()):
        raise FeedFault("html", _page(text, url))
    found = pieces(text, start.start)
    if news := _news(text, url, start, found, known):
        return news
    data, *told = _guarded(text, start)
    sound = not any(told)
    del text
    parsed = _feedparser(data)
    del data
    feed = _Reader(url, *told).read(parsed)
    if sound and len(feed.entries) == len(found.marks):
        feed = replace(feed, marks=found.marks)
    if start.name not in ROOTS and not feed.entries:
        raise FeedFault("not-a-feed", _other(start.name))
    if feed.format == "rss091u" and "netscape" in start.doctype.lower():
        return replace(feed, format="rss091n")
    return replace(feed, format=feed.format or ("cdf" if start.name == "channel" else "unknown"))


def _news(text: str, url: str, start: Root, found: Pieces, known: Collection[str]) -> Feed | None:
    """The feed without its known entries; None where that would be of no use, or they are not what they seem."""
    new = found.new(known)
    if 2 * new > len(found.marks) or new == len(found.marks):
        return None
    try:
        data, *told = _guarded(found.without(known, text), start)
        feed = _Reader(url).read(_feedparser(data)) if new else Feed("", "", ())
    except FeedFault:
        return None
    if any(told) or len(feed.entries) != new:
        return None
    return replace(feed, marks=found.marks, partial=True)


def _guarded(text: str, start: Root) -> tuple[bytes, list[str], list[str]]:
    """The document as feedparser may see it, what had to be done to it, and what of it was left out."""
    notes = ["something stood before the feed"] if start.skipped else []
    text = text[start.start :]
    cut = False
    if text.count("&") > _REFERENCES:
        text, cut = mended(text, entities(start.doctype))
    try:
        kept, left = _fitted(DECLARATION + text.encode("utf-8", "replace"))
    except ExpatError as error:
        notes.append(f"is not well-formed: {error}")
        whole = start.name in ROOTS
        if not (whole or "<item" in text or "<entry" in text):
            raise FeedFault("not-a-feed", _other(start.name)) from error
        if not whole:
            notes.append("has no beginning: its entries were read")
        text, cut = mended(text if whole else f"<rss>{text}", entities(start.doctype))
        try:
            kept, left = _fitted(DECLARATION + text.encode())
        except ExpatError as worse:
            raise FeedFault("malformed", f"is broken beyond mending: {error}; {worse}") from worse
    if cut:
        notes.append("is cut off: what is complete was read")
    return kept, notes, left


def _fitted(data: bytes) -> tuple[bytes, list[str]]:
    """The document within its limits, the newest of its entries if there are too many, and what was left out.

    Feeds tell the newest entry first, but some the oldest: which it is, a few dates at both ends tell.
    """
    kept = measured(data)
    if len(kept) == len(data):
        return data, []
    found = places(data, _ENDS + 1, LIMITS.entries)
    if found.count <= LIMITS.entries:  # others stand within them
        return kept, [f"has more than {LIMITS.entries:,} entries: the rest was left out"]
    head, newest = data[: found.first[0]], data[found.last[0] :]
    try:
        sample = measured(data[: found.first[_ENDS]] + data[found.last[-_ENDS] :])
        rising = _rising([one.published for one in _Reader("").read(_feedparser(sample)).entries])
        kept = measured(head + newest) if rising else kept
    except ExpatError:  # they do not stand beside one another
        rising = False
    return kept, [_beyond(found.count, rising=rising)]


def _rising(dates: Sequence[datetime | None]) -> bool:
    """Whether the dates at the end are later than those at the beginning: those in the middle of a few, for one may lie."""
    first, last = (sorted(one for one in part if one) for part in (dates[:_ENDS], dates[-_ENDS:]))
    return bool(first and last) and last[len(last) // 2] > first[len(first) // 2]


def _beyond(count: int, *, rising: bool) -> str:
    left = count - LIMITS.entries
    those = f"its first {left:,}, which are older," if rising else f"its last {left:,}"
    return f"has {count:,} entries, of which {LIMITS.entries:,} are read at a time: {those} were left out"


def _feedparser(data: bytes) -> Any:
    """What feedparser makes of it."""
    import feedparser

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return feedparser.parse(BytesIO(data), sanitize_html=False, resolve_relative_uris=False)
        except (_Late, RecursionError, MemoryError):
            raise
        except Exception as error:  # it raises whatever its parts do
            raise FeedFault("malformed", f"feedparser fails: {type(error).__name__}: {_quoted(str(error))}") from error


def _binary(text: str) -> bool:
    """Whether too much of the beginning is no text."""
    head = text[:_SAMPLE]
    return sum(char < " " and char not in "\t\n\f\r" for char in head) > _CONTROLS * len(head)


_OTHERS = {
    "opml": "is a list of feeds (OPML): use `tocsin feeds import`",
    "urlset": "is a sitemap, not a feed",
    "sitemapindex": "is a list of sitemaps, not a feed",
    "svg": "is a picture (SVG), not a feed",
}


def _other(name: str) -> str:
    return _OTHERS.get(name, f"is no feed: its first element is {_quoted(name)}")


_FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml")
_LINKED = 5


def _page(text: str, url: str) -> str:
    """What to say of a web page: the feeds it names."""
    found = []
    for attributes in tags(text[:500_000], "link"):
        if "alternate" in attributes.get("rel", "").lower() and attributes.get("type", "").lower() in _FEED_TYPES:
            link = web_address(attributes.get("href", ""), url) or line(attributes.get("href", ""), MAX_LINK)
            found.append(link)
            if len(found) == _LINKED:
                break
    return "is a web page, not a feed" + (
        f"; it links to the feed {', '.join(found)}" if found else "; it links to none"
    )


def _quoted(text: str) -> str:
    return ascii(line(text[:200], 60))


# Entries.


@dataclass(slots=True)
class _Reader:
    """Makes a `Feed` of what feedparser found."""

    url: str
    notes: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def read(self, parsed: Any) -> Feed:
        """The feed; values of unexpected types count as missing, for elements of any name set them."""
        feed = parsed["feed"] if isinstance(parsed.get("feed"), dict) else {}
        link = web_address(_string(feed, "link"), self.url, MAX_LINK)
        base = self.url or link
        entries = [self._entry(entry, base) for entry in parsed["entries"] if isinstance(entry, dict)]
        return Feed(
            format=str(parsed.get("version") or ""),
            title=_title(feed),
            entries=_identified(entries),
            link=link,
            language=line(_string(feed, "language"), 40),
            notes=tuple(self.notes),
            left_out=tuple(self.left_out),
        )

    def _entry(self, entry: dict[str, Any], base: str) -> FeedEntry:
        title = _title(entry)
        text = self._text(entry, title)
        published = self._date(entry, "published", "created", "updated")
        return FeedEntry(
            id=line(_string(entry, "id")),
            title=title,
            link=self._link(entry, base),
            published=published,
            text=text,
            updated=self._date(entry, "updated"),
        )

    def _link(self, entry: dict[str, Any], base: str) -> str:
        link, name = _string(entry, "link"), _string(entry, "id")
        if link == name and (found := web_address(link, "", MAX_LINK)):
            return found  # else it is a guid that counts as link, though it may be a mere number
        told = [one for one in (link, *_alternates(entry)) if one and one != name]
        found = next(filter(None, (web_address(one, base, MAX_LINK) for one in told)), "")
        if told and not found:
            self.notes.append("has links that are no http or https addresses: they were left out")
        return found

    def _text(self, entry: dict[str, Any], title: str) -> str:
        contents = entry["content"] if isinstance(dict.get(entry, "content"), list) else []
        given = [(_string(one, "value"), _string(one, "type")) for one in contents if isinstance(one, dict)]
        given.append((_string(entry, "summary"), _type(entry, "summary")))
        texts = dict.fromkeys((value, kind) for value, kind in given if value and _textual(kind))
        text = max((_plain(value, kind) for value, kind in texts), key=len, default="")
        return self.fitted(text, title)

    def fitted(self, text: str, title: str) -> str:
        """The text without its title, and no longer than an article may be."""
        if len(text) > MAX_TEXT:
            self.notes.append(f"has a text of more than {MAX_TEXT:,} characters: the rest was left out")
        return _untitled(text[:MAX_TEXT], title)

    def _date(self, entry: dict[str, Any], *names: str) -> datetime | None:
        for name in names:
            given = _string(entry, name)
            theirs = None if _YEAR_ALONE.match(given) else _moment(dict.get(entry, f"{name}_parsed"))
            if moment := _possible(dates.moment(given)) or theirs:
                return moment
            if given:
                self.notes.append(f"has a date that cannot be right: {_quoted(given)}")
        return None


def _moment(given: object) -> datetime | None:
    """A date as feedparser reads it, in UTC; None when no clock of our time showed it."""
    if not isinstance(given, tuple):
        return None
    try:
        return _possible(datetime.fromtimestamp(timegm(given), UTC))
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _possible(moment: datetime | None) -> datetime | None:
    """A date that a clock of our time can have shown."""
    return moment if moment and EARLIEST <= moment < _LATEST else None


def _string(values: dict[str, Any], name: str) -> str:
    """A value of feedparser's, past its table of other names; empty unless it is a string."""
    value = dict.get(values, name)
    return value if isinstance(value, str) else ""


def _type(values: dict[str, Any], name: str) -> str:
    detail = dict.get(values, f"{name}_detail")
    return _string(detail, "type") if isinstance(detail, dict) else ""


def _title(values: dict[str, Any]) -> str:
    title, kind = _string(values, "title"), _type(values, "title")
    return line(title if kind in {"text/plain", ""} else html_text(title), MAX_TITLE)


def _alternates(entry: dict[str, Any]) -> Iterator[str]:
    links = dict.get(entry, "links")
    for link in links if isinstance(links, list) else []:
        if isinstance(link, dict) and str(link.get("rel", "alternate")).rpartition("/")[2] == "alternate":
            yield _string(link, "href")


def _textual(kind: str) -> bool:
    return not kind or kind.startswith("text/") or kind.endswith(("/xml", "+xml"))


def _plain(value: str, kind: str) -> str:
    """The text of a value of that media type."""
    if kind != "text/plain" or is_html(value):
        return html_text(value, MAX_TEXT + 1)
    return tidy(clean(value), MAX_TEXT + 1)


def _untitled(text: str, title: str) -> str:
    first, _, rest = text.partition("\n")
    return rest if title and first.casefold() == title.casefold() else text


def _identified(entries: list[FeedEntry]) -> tuple[FeedEntry, ...]:
    """The entries with ids that are never empty and never shared.

    Without an id of its own, an entry is known by its link, else by its words. Entries that share an id are told apart by
    the first of link, title and date, text in which they differ, whatever their order; entries alike in all by a number.
    """
    named = [replace(entry, id=_named(entry)) for entry in entries]
    for part in (_by_link, _by_title, _by_text):
        shared = {key for key, count in Counter(entry.id for entry in named).items() if count > 1}
        if not shared:
            return tuple(named)
        differing = _differing(named, shared, part)
        named = [
            replace(entry, id=f"{entry.id[:MAX_ID]}#{_hash(part(entry))}") if entry.id in differing else entry
            for entry in named
        ]
    seen: Counter[str] = Counter()
    numbered = []
    for entry in named:
        seen[entry.id] += 1
        numbered.append(replace(entry, id=f"{entry.id}#{seen[entry.id]}") if seen[entry.id] > 1 else entry)
    return tuple(numbered)


def _differing(entries: list[FeedEntry], shared: set[str], part: Callable[[FeedEntry], str]) -> set[str]:
    """Those of the shared ids whose entries differ in a part."""
    parts: dict[str, set[str]] = {}
    for entry in entries:
        if entry.id in shared:
            parts.setdefault(entry.id, set()).add(part(entry))
    return {key for key, found in parts.items() if len(found) > 1}


def _by_link(entry: FeedEntry) -> str:
    return entry.link


def _by_title(entry: FeedEntry) -> str:
    return f"{entry.title}\n{entry.published}"


def _by_text(entry: FeedEntry) -> str:
    return entry.text


def _named(entry: FeedEntry) -> str:
    name = entry.id or entry.link
    if name and len(name) <= MAX_ID:
        return name
    return _hash(name or f"{entry.title}\n{entry.text}")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:_HASH]


# JSON Feed.

_MAX_VALUES, _MAX_MARKS = 200_000, 1_000_000
_VERSION = "https://jsonfeed.org/version/"


def _json_feed(text: str, url: str) -> Feed:
    if text.count("{") + text.count("[") > _MAX_VALUES or text.count(",") + text.count(":") > _MAX_MARKS:
        raise FeedFault("too-complex", f"has more than {_MAX_VALUES:,} values, or {_MAX_MARKS:,} commas and colons")
    notes: list[str] = []
    text = text.lstrip("\ufeff \t\r\n\f")
    try:
        document, _ = json.JSONDecoder(strict=False).raw_decode(text)
    except ValueError as error:
        document = _complete(text)
        if not document.get("items"):
            raise FeedFault("malformed", f"is broken JSON: {error}") from error
        notes.append(f"is cut off or broken ({error}): the items that are complete were read")
    if not isinstance(document, dict) or not isinstance(document.get("items"), list):
        raise FeedFault("not-a-feed", "is JSON, but no JSON Feed: it has no list of items")
    version = _given(document, "version")
    if not version.startswith(_VERSION) and not version.startswith(_VERSION.replace("https", "http")):
        if not any(isinstance(one, dict) and "id" in one for one in document["items"]):
            raise FeedFault("not-a-feed", "is JSON, but no JSON Feed: it has no version, and no item has an id")
        notes.append("does not say which version of JSON Feed it is")
    return _JsonReader(url, notes).feed(document)


def _complete(text: str) -> dict[str, Any]:
    """What can be read of a JSON Feed that breaks off: its items up to there."""
    decoder = json.JSONDecoder(strict=False)
    found: dict[str, Any] = {
        "items": [],
        "version": _VERSION + "1.1" if "jsonfeed.org/version/1.1" in text else _VERSION + "1",
    }
    at = text.find("[", text.find('"items"')) + 1
    try:
        while at and (at := text.find("{", at)) >= 0:
            item, at = decoder.raw_decode(text, at)
            found["items"].append(item)
    except ValueError:
        pass
    return found


def _given(values: dict[str, Any], name: str) -> str:
    """A string or number, as a string; empty when it is something else."""
    value = values.get(name)
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    return value if isinstance(value, str) else str(value)


@dataclass(slots=True)
class _JsonReader:
    """Makes a `Feed` of a JSON Feed."""

    url: str
    notes: list[str]

    def feed(self, document: dict[str, Any]) -> Feed:
        """The feed; items that are no objects are left out."""
        link = web_address(_given(document, "home_page_url"), self.url, MAX_LINK)
        items = [item for item in document["items"] if isinstance(item, dict)]
        left_out = []
        if others := len(document["items"]) - len(items):
            left_out.append(f"has items that are no objects: {others:,} were left out")
        if len(items) > LIMITS.entries:
            rising = _rising([self._date(item, "date_published") for item in (*items[:_ENDS], *items[-_ENDS:])])
            left_out.append(_beyond(len(items), rising=rising))
            items = items[-LIMITS.entries :] if rising else items[: LIMITS.entries]
        base = self.url or web_address(_given(document, "feed_url")) or link
        return Feed(
            format="json11" if _given(document, "version").rstrip("/").endswith("/1.1") else "json1",
            title=line(_given(document, "title"), MAX_TITLE),
            entries=_identified([self._entry(item, base) for item in items]),
            link=link,
            language=line(_given(document, "language"), 40),
            notes=tuple(self.notes),
            left_out=tuple(left_out),
        )

    def _entry(self, item: dict[str, Any], base: str) -> FeedEntry:
        title = line(unescaped(_given(item, "title")), MAX_TITLE)
        texts = (
            _plain(_given(item, "content_html"), "text/html"),
            tidy(clean(_given(item, "content_text")[: MAX_TEXT + 1])),
            tidy(clean(_given(item, "summary")[: MAX_TEXT + 1])),
        )
        link = _given(item, "url") or _given(item, "external_url")
        updated = self._date(item, "date_modified")
        return FeedEntry(
            id=line(_given(item, "id")),
            title=title,
            link=web_address(link, base, MAX_LINK),
            published=self._date(item, "date_published") or updated,
            text=_Reader(self.url, self.notes).fitted(max(texts, key=len), title),
            updated=updated,
        )

    def _date(self, item: dict[str, Any], name: str) -> datetime | None:
        given = line(_given(item, name), 100)
        if not given:
            return None
        try:
            iso = datetime.fromisoformat(given)
            moment = _possible(iso.replace(tzinfo=UTC) if iso.tzinfo is None else iso.astimezone(UTC))
        except (ValueError, OverflowError):
            moment = _possible(dates.moment(given))
        if not moment:
            self.notes.append(f"has a date that cannot be right: {_quoted(given)}")
            return None
        return moment
