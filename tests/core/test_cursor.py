"""Entries are recognised, whatever their ids, links, words and dates have in common; see the table in `tests/hostile/polling.py`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.cursor import MOST, REMEMBERED, Recognised, Seen, packed, recognised, remembered, unpacked
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
    known: tuple[Seen, ...] = ()
    for number, earlier in enumerate(before):
        known = remembered(recognised("f", earlier, known, NOW + timedelta(hours=number)), known)
    return recognised("f", entries, known, NOW + timedelta(hours=len(before)))


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
    seen = remembered(read(entries), ())
    assert unpacked(packed(seen)) == seen
    assert len(packed(seen)) == 35 * len(seen)


def entry(number: int, **changes: object) -> FeedEntry:
    """One of many entries that have nothing in common."""
    given = {"id": f"g{number}", "title": f"T{number}", "link": f"https://a.example/{number}", "text": f"t{number}"}
    return FeedEntry(**{"published": NOW - timedelta(minutes=number), **given, **changes})  # type: ignore[arg-type]  # fields


def test_as_much_is_remembered_as_matters() -> None:
    """The entries of the feed, however many, and a few hundred of those that vanished; never more than fits."""
    small = remembered(read([entry(1)]), remembered(read([entry(n) for n in range(2, 900)]), ()))
    assert len(small) == 1 + REMEMBERED
    assert small[0].article == read([entry(1)])[0].seen.article
    huge = remembered(read([entry(n) for n in range(MOST + 50)]), small)
    assert len(huge) == MOST
    assert len(packed(huge)) < 300_000


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
