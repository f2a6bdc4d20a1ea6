"""Entries are recognised, whatever their ids, links, words and dates have in common; see the table in `tests/hostile/polling.py`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.cursor import (
    MOST,
    OPEN,
    REMEMBERED,
    Cursor,
    Part,
    Recognised,
    Seen,
    known,
    packed,
    recognised,
    remembering,
    unpacked,
)
from tocsin.feed import FeedEntry

NOW = datetime(2025, 3, 1, 9, tzinfo=UTC)
LIARS = st.builds(
    FeedEntry,
    id=st.sampled_from(["1", "2", "https://a.example/1"]),
    title=st.sampled_from(["", "T", "U"]),
    link=st.sampled_from(["", "https://a.example/1", "http://a.example/1?utm_source=x", "https://a.example/2"]),
    published=st.sampled_from([None, NOW - timedelta(days=1), NOW - timedelta(days=2)]),
    text=st.sampled_from(["", "t", "u"]),
)
"""Entries that share everything with one another."""


def read(entries: list[FeedEntry], *before: list[FeedEntry]) -> list[Recognised]:
    """The last of several readings of one feed, an hour apart."""
    memory = Memory()
    for earlier in before:
        memory.read(earlier)
    return memory.read(entries)


@dataclass
class Memory:
    """What is remembered of a feed that is read every hour."""

    at: Cursor = field(default_factory=lambda: Cursor("f"))
    parts: dict[int, Part] = field(default_factory=dict)
    hour: int = 0
    written: int = 0
    """Bytes of fingerprints."""

    def read(self, entries: list[FeedEntry], *, crash: bool = False) -> list[Recognised]:
        """Reads the feed; the function may end before the cursor is written."""
        found = recognised("f", entries, self.known, NOW + timedelta(hours=self.hour))
        after, aside = remembering(self.at, list(self.parts.values()), found)
        self.written += len(packed(after.seen)) + len(packed(aside.seen if aside else ()))
        if aside:
            self.parts[aside.slot] = aside
        self.at, self.hour = self.at if crash else after, self.hour + 1
        return found

    @property
    def known(self) -> tuple[Seen, ...]:
        """All of it."""
        return known(self.at, list(self.parts.values()))


def words(entry: FeedEntry) -> tuple[object, ...]:
    """What somebody who reads an entry learns of it, and where."""
    return entry.title, entry.text, entry.published


@settings(max_examples=150, deadline=None)
@given(st.lists(LIARS, max_size=6), st.data())
def test_nothing_is_lost_and_nothing_comes_twice(entries: list[FeedEntry], data: st.DataObject) -> None:
    """However alike entries are, all that they say is read, as articles of their own; read again in any order nothing is news."""
    first = read(entries)
    assert {words(one.entry) for one in first} == {words(entry) for entry in entries}
    assert len({one.seen.article for one in first}) == len(first)
    again = read(data.draw(st.permutations(entries)), entries)
    assert [one.news for one in again] == ["known"] * len(first)
    assert {one.seen.article for one in again} == {one.seen.article for one in first}


@settings(max_examples=150, deadline=None)
@given(st.lists(LIARS, max_size=4), st.lists(LIARS, max_size=4))
def test_new_words_are_always_news(before: list[FeedEntry], after: list[FeedEntry]) -> None:
    """Whatever was read before: an entry that is taken for known says what was said already."""
    said = {(entry.title, entry.text) for entry in before}
    found = read(after, before)
    assert all((one.entry.title, one.entry.text) in said for one in found if one.news == "known")
    assert len({one.seen.article for one in found}) == len(found)


@settings(max_examples=50, deadline=None)
@given(st.lists(LIARS, max_size=6))
def test_what_is_remembered_survives_the_table(entries: list[FeedEntry]) -> None:
    """What was packed is unpacked as it was."""
    seen = tuple(one.seen for one in read(entries))
    assert unpacked(packed(seen)) == seen
    assert len(packed(seen)) == 35 * len(seen)


def entry(number: int, **changes: object) -> FeedEntry:
    """One of many entries that have nothing in common."""
    given = {"id": f"g{number}", "title": f"T{number}", "link": f"https://a.example/{number}", "text": f"t{number}"}
    return FeedEntry(**{"published": NOW - timedelta(minutes=number), **given, **changes})  # type: ignore[arg-type]  # fields


@pytest.mark.parametrize(("length", "new"), [(10, 2), (10, 7), (60, 20), (5, 40)])
def test_as_much_is_remembered_as_matters(length: int, new: int) -> None:
    """The entries of the feed, however many, and a few hundred of those that vanished last; what that takes does not grow."""
    memory = Memory()
    polls = REMEMBERED * 2 // new
    told = [entry(n, published=None) for n in range(length + new * polls)]
    here: list[str] = []
    vanished: list[str] = []
    for start in range(0, new * polls, new):
        before, here = here, [one.seen.article for one in memory.read(told[start : start + length])]
        vanished += [name for name in before if name not in here]
        assert {*here, *vanished[-REMEMBERED:]} <= {one.article for one in memory.known}
    assert len(memory.known) <= 3 * length + 2 * REMEMBERED + 3 * new
    assert len(memory.parts) <= (2 * length + REMEMBERED) / OPEN + 3
    assert memory.written <= 35 * (length * 4 + polls * (OPEN + 3 * new))


def test_a_long_feed_fits() -> None:
    """Of a feed of thousands no more is remembered than an item of the table holds."""
    memory = Memory()
    memory.read([entry(n) for n in range(MOST + 50)])
    assert len(memory.known) == MOST
    assert max(len(packed(part.seen)) for part in memory.parts.values()) < 300_000


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 20), st.booleans()), max_size=8))
def test_nothing_in_the_feed_is_forgotten(polls: list[tuple[int, int, bool]]) -> None:
    """Whatever the feed holds from poll to poll, edits included, and wherever the function ends: what it holds now is known as it is now."""
    memory = Memory()
    for number, (first, count, crash) in enumerate(polls):
        told = [entry(n, text=f"t{n} {number // 3 if n % 7 == 0 else 0}") for n in range(first, first + count)]
        memory.read(told, crash=crash)
        assert crash or {one.news for one in memory.read(told)} == {"known"}


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"id": "x"}, True),
        ({"link": "https://b.example/x"}, True),
        ({"link": "https://b.example/x", "title": "X"}, True),
        ({"id": "x", "title": "X"}, True),
        ({"id": "x", "published": NOW}, True),
        ({"id": "x", "link": "https://b.example/x"}, True),
        ({"id": "x", "link": "https://b.example/x", "text": "x"}, False),
        ({"id": "x", "title": "X", "published": NOW}, False),
        ({"link": "https://b.example/x", "title": "X", "published": NOW}, False),
        ({"title": "X", "text": "x", "published": NOW}, True),
        ({"published": None}, True),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_what_makes_an_entry_the_same(changes: dict[str, object], same: bool) -> None:
    """Id and link make an entry; of one alone headline or time must be a witness, of neither all words and the time."""
    before, (after,) = read([entry(1)]), read([entry(1, **changes)], [entry(1)])
    assert (after.seen.article == before[0].seen.article) is same
    assert (after.news == "new") is not same
