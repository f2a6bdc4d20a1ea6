"""How far a feed has been read: what its server said last, and which entries are known, however they come again.

What is known is a log in parts. What has become known lately stands beside what the server said; when that is too much for the
smallest unit a table bills, it is put aside as a part of its own, which nobody writes again until it is the oldest and not wanted any
more. So a new entry costs the write of a few others, not of all; the parts are read only when there may be something new.
"""

from __future__ import annotations

import hashlib
import struct
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from tocsin.article import Article, canonical
from tocsin.feed import FeedEntry
from tocsin.health import Health
from tocsin.subscription import Subscription

REMEMBERED = 200
"""Entries that are remembered at least after they vanished from the feed; more while the feed itself is longer."""
MOST = 5_000
"""Entries of one feed that are remembered at most: what fits the item of a table."""
OPEN = 16
"""Entries that stand beside what the server said, before they are put aside."""
_PACKED = struct.Struct(">8s6s6s4s6sIB")
_NO_GUID, _NO_ADDRESS, _UNDATED = 1, 2, 4

News = Literal["new", "edited", "known"]


@dataclass(frozen=True, slots=True)
class Seen:
    """What is remembered of one entry: fingerprints in hex, empty where there was nothing to take one of."""

    article: str
    """The end of the id of its article, which never changes."""
    guid: str
    """Of the feed's own id for it."""
    address: str
    """Of its link, without what varies between links to one page."""
    title: str
    content: str
    """Of headline and text."""
    published: int = 0
    """In minutes since the epoch: as the entry says, else when it came first."""
    common_guid: bool = False
    """Other entries had the same id, so that it tells nothing."""
    common_address: bool = False
    """Other entries had the same link."""
    undated: bool = False
    """The entry does not say when it was published."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far one feed has been read. `version` counts the writes; 0: it was never read."""

    feed: str
    etag: str = ""
    last_modified: str = ""
    body: str = ""
    """Hash of the bytes that were read last."""
    seen: tuple[Seen, ...] = ()
    """What has become known of its entries since the last part was put aside, the latest first."""
    health: Health = field(default_factory=Health)
    version: int = 0
    parts: int = 0
    """How many parts were put aside."""
    marks: tuple[str, ...] = ()
    """Fingerprints of the entries as they were written when the feed was read last (`Feed.marks`): all of them are remembered."""


@dataclass(frozen=True, slots=True)
class Part:
    """Entries that were put aside together."""

    slot: int
    """Where it stands; the next one may take its place once it is the oldest."""
    number: int
    """The how-many-th it is."""
    seen: tuple[Seen, ...]


@dataclass(frozen=True, slots=True)
class Recognised:
    """An entry of the feed as it is now, and what is to be remembered of it."""

    entry: FeedEntry
    seen: Seen
    news: News


def recognised(feed: str, entries: Sequence[FeedEntry], known: Sequence[Seen], now: datetime) -> list[Recognised]:
    """Each entry once, with what is remembered of it: whether it is new, known, or known with other words.

    Id and link make an entry, but feeds change ids, links and texts, and give one id or one link to several entries: so an id
    or a link that several entries of the feed have tells nothing, and where just one of the two is as before, headline
    or time must be so as well. An entry that is like nothing known is new: rather read twice than lost.
    """
    marked = _marked(entries, now)
    before = _paired([mark for _, mark in marked], known)
    names = {seen.article for seen in known}
    found = []
    for number, (entry, mark) in enumerate(marked):
        old = before.get(number)
        if old is None:
            found.append(Recognised(entry, _named(feed, mark, names), "new"))
        else:
            found.append(Recognised(entry, _again(mark, old), "known" if mark.content == old.content else "edited"))
    return found


def known(at: Cursor, parts: Sequence[Part]) -> tuple[Seen, ...]:
    """All that is remembered of a feed's entries, each as it was seen last, the latest first."""
    latest: dict[str, Seen] = {}
    for some in (_caught_up(at, parts).seen, *(part.seen for part in sorted(parts, key=_number, reverse=True))):
        for one in some:
            latest.setdefault(one.article, one)
    return tuple(latest.values())


def remembering(at: Cursor, parts: Sequence[Part], found: Sequence[Recognised]) -> tuple[Cursor, Part | None]:
    """The cursor that knows what was found, and what is to be put aside before it counts.

    Everything in the feed is remembered, and `REMEMBERED` entries more, or as many as the feed has.
    """
    at, before = _caught_up(at, parts), {one.article: one for one in known(at, parts)}
    now = {one.seen.article: one.seen for one in found[:MOST]}
    latest = {name: one for name, one in now.items() if before.get(name) != one}
    latest |= {one.article: one for one in at.seen if one.article not in latest}
    if len(latest) <= OPEN:
        return replace(at, seen=tuple(latest.values())), None
    oldest = min(parts, key=_number, default=None)
    others = latest.keys() | {one.article for part in parts if part is not oldest for one in part.seen}
    if oldest and len(others) < len(now) + max(REMEMBERED, len(now)):
        oldest = None  # it is wanted still
    stay = [now[one.article] for one in oldest.seen if one.article in now.keys() - others] if oldest else []
    slot = oldest.slot if oldest else max((part.slot + 1 for part in parts), default=0)
    return replace(at, seen=(), parts=at.parts + 1), Part(slot, at.parts, (*latest.values(), *stay))


def _number(part: Part) -> int:
    return part.number


def _caught_up(at: Cursor, parts: Iterable[Part]) -> Cursor:
    """The cursor that counts all parts: whoever put one aside may have ended before the cursor said so."""
    ahead = [part for part in parts if part.number >= at.parts]
    told = {one.article for part in ahead for one in part.seen}
    count = max([at.parts, *(part.number + 1 for part in ahead)])
    return replace(at, seen=tuple(one for one in at.seen if one.article not in told), parts=count)


def unheard_of(one: Recognised, before: Cursor, known: Iterable[Seen]) -> bool:
    """Whether an entry is new in every part of a feed that was read before: nothing is known of its article, then."""
    if one.news != "new" or not before.body:
        return False
    parts = {(seen.guid, "") for seen in known} | {("", seen.address) for seen in known}
    return not parts & {(one.seen.guid, ""), ("", one.seen.address)} - {("", "")}


def like_nothing(found: Iterable[Recognised], before: Cursor, known: Sequence[Seen]) -> bool:
    """Whether entries are new whatever else the feed holds of what is known: neither that nor one another do they resemble."""
    return all(
        unheard_of(one, before, known) and not (one.seen.common_guid or one.seen.common_address) for one in found
    )


def article(feed: Subscription, one: Recognised) -> Article:
    """The article an entry tells."""
    published = datetime.fromtimestamp(one.seen.published * 60, UTC) if one.seen.undated else _published(one.entry)
    return Article(
        id=f"{feed.id}/{one.seen.article}",
        text=one.entry.text,
        title=one.entry.title,
        source=feed.name,
        url=one.entry.link,
        published=published,
        dated="arrival" if one.seen.undated else "given",
        shared=one.seen.common_address,
    )


def packed(seen: Iterable[Seen]) -> bytes:
    """What is remembered of entries in 35 bytes each."""
    return b"".join(
        _PACKED.pack(
            *(bytes.fromhex(part) for part in (one.article, one.guid, one.address, one.title, one.content)),
            one.published,
            one.common_guid * _NO_GUID + one.common_address * _NO_ADDRESS + one.undated * _UNDATED,
        )
        for one in seen
    )


def unpacked(packed: bytes) -> tuple[Seen, ...]:
    """Reads what `packed` wrote."""
    return tuple(_unpacked(packed))


def _unpacked(packed: bytes) -> Iterator[Seen]:
    for *parts, published, flags in _PACKED.iter_unpack(packed):
        article, guid, address, title, content = (part.hex() if any(part) else "" for part in parts)
        told = (bool(flags & flag) for flag in (_NO_GUID, _NO_ADDRESS, _UNDATED))
        yield Seen(article, guid, address, title, content, published, *told)


def _marked(entries: Sequence[FeedEntry], now: datetime) -> list[tuple[FeedEntry, Seen]]:
    """Each different entry with its fingerprints; an id or link of several is marked as common to them."""
    copies: dict[Hashable, tuple[FeedEntry, Seen]] = {}
    for one in ((entry, _mark(entry, now)) for entry in entries):
        kept = copies.setdefault(_twin(one[1]), one)
        if one[1].guid < kept[1].guid:  # whichever comes first, the same one counts
            copies[_twin(one[1])] = one
    once = list(copies.values())
    guids, addresses = Counter(mark.guid for _, mark in once), Counter(mark.address for _, mark in once)
    return [(entry, _common(mark, guids[mark.guid] > 1, addresses[mark.address] > 1)) for entry, mark in once]


def _common(mark: Seen, guid: bool, address: bool) -> Seen:  # noqa: FBT001 - what is common of two
    found = guid, address and bool(mark.address)
    return replace(mark, common_guid=found[0], common_address=found[1]) if any(found) else mark


def _twin(mark: Seen) -> Hashable:
    """What two copies of one entry in one feed share: the same words at the same place and time."""
    return (mark.address, "" if mark.address else mark.guid, mark.content, mark.published)


def _again(mark: Seen, old: Seen) -> Seen:
    """What is to be remembered of an entry that was known: what proved to tell nothing is not believed again."""
    return replace(
        mark,
        article=old.article,
        published=old.published if mark.undated else mark.published,
        common_guid=mark.common_guid or (old.common_guid and mark.guid == old.guid),
        common_address=mark.common_address or (old.common_address and mark.address == old.address),
    )


def _mark(entry: FeedEntry, now: datetime) -> Seen:
    published = _published(entry)
    minutes = int((published or now).timestamp() // 60)
    words = "\n".join(" ".join(part.split()).casefold() for part in (entry.title, entry.text))
    return Seen(
        article="",
        guid=_hash(("://" in entry.id and canonical(entry.id)) or entry.id.strip(), 12),
        address=_hash(canonical(entry.link), 12),
        title=_hash(" ".join(entry.title.split()).casefold(), 8),
        content=_hash(words, 12),
        published=min(max(0, minutes), 2**32 - 1),
        undated=published is None,
    )


def _published(entry: FeedEntry) -> datetime | None:
    return entry.published or entry.updated


def _hash(text: str, length: int) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:length] if text else ""


def _named(feed: str, mark: Seen, taken: set[str]) -> Seen:
    """A new entry with the end of its article's id: the same whoever reads the entry first, but no other article's."""
    told = (mark, replace(mark, common_address=True), replace(mark, common_address=True, common_guid=True))
    named = (replace(one, article=_hash(f"{feed} {_telling(one)}", 16)) for one in told)
    found = next((one for one in named if one.article not in taken), None)
    return found or replace(told[-1], article=_hash(f"{feed} {_telling(told[-1])}", 16))


def _telling(mark: Seen) -> str:
    """What tells an entry from all others."""
    if mark.address and not mark.common_address:
        return mark.address
    if mark.guid and not mark.common_guid:
        return f"id {mark.guid}"
    return f"{mark.guid} {mark.address} {mark.content} {'' if mark.undated else mark.published}"


Key = Callable[[Seen], Any]
Check = Callable[[Seen, Seen], bool]


def _paired(marks: Sequence[Seen], known: Sequence[Seen]) -> dict[int, Seen]:
    """Which entry is which known one: surest likeness first, each known one once."""
    paired: dict[int, Seen] = {}
    taken: set[int] = set()
    for key, check in _PASSES:
        places: defaultdict[Hashable, list[int]] = defaultdict(list)
        for place, seen in enumerate(known):
            if place not in taken and (value := key(seen)):
                places[value].append(place)
        for number, mark in enumerate(marks):
            if number in paired or not (value := key(mark)):
                continue
            alike = next((one for one in places[value] if one not in taken and check(mark, known[one])), None)
            if alike is not None:
                paired[number] = known[alike]
                taken.add(alike)
    return paired


def _continues(mark: Seen, seen: Seen) -> bool:
    """Whether headline or time is as it was; an entry that says no time may have been edited in any way."""
    return mark.title == seen.title or mark.undated or seen.undated or mark.published == seen.published


def _same_time(mark: Seen, seen: Seen) -> bool:
    return mark.undated or seen.undated or mark.published == seen.published


def _same_moment(mark: Seen, seen: Seen) -> bool:
    """As `_same_time`, but where nobody says a time it may not be the same unless the id tells nothing either."""
    return _same_time(mark, seen) and (mark.common_guid or not (mark.undated or seen.undated))


def _always(_mark: Seen, _seen: Seen) -> bool:
    return True


def _address(one: Seen) -> str:
    return "" if one.common_address else one.address


def _guid(one: Seen) -> str:
    return "" if one.common_guid else one.guid


_PASSES: tuple[tuple[Key, Check], ...] = (
    (lambda one: (one.guid, one.address, one.content, one.undated or one.published), _always),
    (lambda one: (one.guid, one.address, one.title), _same_time),
    (lambda one: one.guid and one.address and (_guid(one) or _address(one)) and (one.guid, one.address), _always),
    (_address, _continues),
    (_guid, _continues),
    (lambda one: one.address and (one.address, one.title), _same_moment),
    (lambda one: not one.undated and (one.content, one.published), _always),
)
"""What makes an entry a known one, the surest first: what both must have alike, and what else must hold."""
