"""Feeds are asked when they are due, and what is new in them is sent on once, whatever feeds, servers and queues do."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.test_cursor import LIARS
from tests.hostile.polling import CASES, QUIET, SIGNAL, Case, outcome
from tests.listening import DAY, URL, Listening, entry, subscription
from tests.system import brought, rule_set
from tests.twins import MemoryArchive, MemoryFeeds, MemoryQueue, MemoryTable
from tocsin import health
from tocsin.adapters.feed import parse
from tocsin.article import Article
from tocsin.cursor import Cursor, known
from tocsin.detection import detect
from tocsin.errors import FetchFault
from tocsin.feed import Answer, Feed, FeedEntry
from tocsin.health import HABIT, Health
from tocsin.memory import Kept
from tocsin.message import notices as told
from tocsin.pipeline.archive import read_on
from tocsin.pipeline.poll import HELD, Asked, asked_for, comes_again, send_due
from tocsin.ports import FateRecord, Notice
from tocsin.schedule import A_HOST, interval, phase
from tocsin.subscription import Subscription, feed_id

A, B = entry("a", SIGNAL), entry("b", QUIET)


@pytest.fixture
def desk() -> Listening:
    """A desk with one feed on its list."""
    one = Listening()
    one.add()
    return one


class Counted(MemoryFeeds):
    """Feeds that count what is written."""

    writes = 0

    def save(self, cursor: Cursor, notices: Sequence[Notice] = ()) -> None:
        """See `Feeds.save`."""
        self.writes += 1
        super().save(cursor, notices)


class Refusing(MemoryQueue):
    """A queue that refuses everything, though it may have taken some of it."""

    def send(self, bodies: Sequence[str]) -> None:
        """See `Queue.send`."""
        self.bodies += bodies[:1]
        raise ConnectionError("refused")


def fates(desk: Listening) -> list[FateRecord]:
    """The fates in the archive that are not the detector's."""
    archive = desk.world.archive
    lines = [
        line for key in archive.keys("fates/") for line in gzip.decompress(archive.read(key, limit=10**7)).splitlines()
    ]
    rows = [FateRecord.from_json(json.loads(line)) for line in lines]
    return [row for row in rows if row.fate != "no_signal"]


# What is new, and what is not


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_alert_too_many_and_none_lost(case: Case) -> None:
    """Whatever a feed does to its entries from poll to poll, each article rings once, and edits are seen as edits."""
    assert outcome(case) == ([], case.articles, case.sent)


def whole(body: bytes, *, url: str, content_type: str, known: Sequence[str]) -> Feed:  # noqa: ARG001 - the parser's signature
    """Reads all of a feed, whatever is known of it."""
    return replace(parse(body, url=url, content_type=content_type), marks=())


POLLS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 12), st.lists(LIARS, max_size=2), st.booleans()),
    min_size=2,
    max_size=8,
)
"""For each poll: how far the feed has come, how much it tells, what lies among that, and whether it tells the oldest first."""


@settings(max_examples=15, deadline=None)
@given(POLLS)
def test_what_is_left_out_changes_nothing(polls: list[tuple[int, int, list[FeedEntry], bool]]) -> None:
    """Whatever a feed tells from poll to poll: the same words are sent on, whether what was read before is read again or not."""
    sent = []
    for reader in (whole, parse):
        desk = Listening(parse=reader)
        desk.add()
        for start, count, liars, rising in polls:
            told = [*liars, *(entry(str(n), f"{QUIET} {n}") for n in range(start + count, start, -1))]
            desk.publish(*(reversed(told) if rising else told))
            assert desk.poller().poll([Asked("1", feed_id(URL))]) == []
        articles = brought(desk.world.archive, desk.queue.bodies)
        sent.append(Counter((one.title, one.text, one.url, one.published) for one in articles))
        known_after = {one.article for one in known(desk.feeds.cursors[feed_id(URL)], desk.feeds.recall(feed_id(URL)))}
        assert {one.id.rpartition("/")[2] for one in articles} <= known_after
    assert sent[0] == sent[1]


def test_of_a_feed_only_what_is_new_is_read_again(desk: Listening) -> None:
    """As long as entries stay as they are written they are read once, and once more only when they are put aside."""
    read: list[int] = []

    def counted(body: bytes, **told: Any) -> Feed:
        feed = parse(body, **told)
        read.append(len(feed.entries))
        return feed

    desk.parse = counted
    lines = [entry(str(n), f"{QUIET} {n}") for n in range(40)]
    for first in range(30, 0, -1):
        desk.publish(*lines[first : first + 10])
        desk.poll()
    assert len(desk.told) == 39
    assert Counter(read) == {10: 3, 1: 29}  # the first time, and as 16 are put aside


def test_what_is_new_is_sent_and_archived(desk: Listening) -> None:
    """Entries become articles of the outlet, archived as one batch, and only new ones do so at the next poll."""
    desk.publish(A, B)
    desk.poll()
    desk.publish(entry("c"), A, B)
    desk.poll()
    assert [(one.title, one.source, one.url, one.published) for one in desk.told] == [
        (f"Headline {name}", "Example News", f"https://news.example/{name}", DAY) for name in "abc"
    ]
    assert len(desk.world.archive.keys("articles/2025/03/01/")) == 2
    assert desk.alerts == ["first_report"]


class Untouched(MemoryTable):
    """A table that must not be asked about articles."""

    def known(self, articles: Iterable[Article]) -> dict[str, FateRecord]:
        """See `Table.known`."""
        raise AssertionError(f"asked about {[article.id for article in articles]}")


def test_what_is_new_and_holds_no_signal_costs_the_detector_no_call(desk: Listening) -> None:
    """An article its feed never held, in which no rule finds anything, is done with; the archive counts it, and `why` finds it there."""
    desk.publish(A)
    desk.poll()
    before = desk.world.table
    desk.publish(entry("c"), A)
    desk.poller().poll([Asked("1", feed_id(URL))])
    desk.world.table = Untouched()
    desk.world.archive, written = MemoryArchive(), desk.world.archive
    (article,) = brought(written, desk.queue.bodies)
    assert desk.world.arrive(article) == []
    assert desk.world.archive.keys("") == []
    assert read_on(written, f"{desk.world.clock():%Y-%m-%d}") == 1
    kept = Kept(before, written, partial(detect, rule_set()))
    for target in (article.id, article.url):
        (record,) = kept.articles(target)
        assert (record.article, record.fate, record.reason) == (article.id, "no_signal", "no rule matched")


def test_what_has_no_row_though_a_rule_matches_is_told_so(desk: Listening) -> None:
    """An article that waits, or lies among the dead letters, is not said to hold no signal."""
    desk.publish(B)
    desk.poll()
    desk.publish(entry("c", SIGNAL), B)
    desk.poller().poll([Asked("1", feed_id(URL))])
    (record,) = Kept(desk.world.table, desk.world.archive, partial(detect, rule_set())).articles(
        "https://news.example/c"
    )
    assert "nothing was decided" in record.reason
    assert "tocsin redrive" in record.reason


def test_an_edit_is_looked_up(desk: Listening) -> None:
    """An entry that comes again with other words is no fresh one: what it said before is corrected."""
    desk.publish(B)
    desk.poll()
    desk.publish(entry("c", SIGNAL), B)
    desk.poll()
    assert desk.told[-1].fresh
    desk.publish(entry("c", QUIET), B)
    desk.poll()
    assert not desk.told[-1].fresh
    assert [fate.fate for fate in desk.world.table.fates.values() if fate.before] == ["updated"]


def test_many_at_one_link_are_many(desk: Listening) -> None:
    """Entries that all lead to one page are articles of their own, today and when one takes the place of another."""
    page = "https://ministry.example/notices"
    lines = [entry(str(n), f"Notice number {n}.", link=page) for n in range(4)]
    desk.publish(*lines[:3])
    desk.poll()
    desk.publish(*lines[1:])
    desk.poll()
    assert [one.title for one in desk.told] == [f"Headline {n}" for n in range(4)]
    assert len({one.id for one in desk.told}) == 4
    assert {one.address for one in desk.told} <= {"", "ministry.example/notices"}
    later = DAY + timedelta(hours=1)
    desk.publish(entry("5", SIGNAL, link=page, published=later))
    desk.poll()
    assert (len({one.id for one in desk.told}), desk.alerts) == (5, ["first_report"])


@pytest.mark.parametrize("dated", [True, False])
def test_copies_are_one(desk: Listening, dated: bool) -> None:
    """An entry that stands in a feed twice, in two categories say, is one article."""
    published = DAY if dated else None
    desk.publish(B)
    desk.poll()
    copies = [replace(A, id=f"guid-{n}", published=published) for n in range(2)]
    desk.publish(*copies, B)
    desk.poll()
    assert len(desk.told) == 2


def test_an_undated_entry_keeps_its_time(desk: Listening) -> None:
    """An edit of an entry without a date is dated by when the entry came first."""
    desk.publish(B)
    desk.poll()
    first = desk.world.clock.now
    undated = replace(A, published=None)
    desk.publish(undated, B)
    desk.poll()
    desk.world.clock.move(days=9)
    desk.publish(replace(undated, text="Other words."), B)
    desk.poll()
    assert [(one.published, one.dated) for one in desk.told[1:]] == [(first, "arrival")] * 2


def test_what_stood_there_undated_at_the_beginning_does_not_ring(desk: Listening) -> None:
    """At the first poll nobody knows how old an undated entry is: it has a fate and does not ring; a later one does."""
    desk.publish(replace(A, published=None))
    desk.poll()
    assert (desk.alerts, [row.fate for row in fates(desk)]) == ([], ["stale"])
    desk.publish(entry("n", SIGNAL, published=None), replace(A, published=None))
    desk.poll()
    assert desk.alerts == ["first_report"]


def test_an_entry_with_nothing_in_it_is_rejected_once(desk: Listening) -> None:
    """An entry without words has a fate and a reason; the others are read, and it is not told again."""
    desk.publish(replace(B, title=" ", text=""), A)
    desk.poll()
    desk.publish(replace(B, title=" ", text=""), A, entry("c"))
    desk.poll()
    (row,) = fates(desk)
    assert (row.fate, row.reason.partition(";")[0]) == ("rejected", "the entry has neither a headline nor a text")
    assert len(desk.told) == 2


def test_a_headline_is_enough(desk: Listening) -> None:
    """A feed of headlines rings by its headlines."""
    desk.publish(replace(A, title=SIGNAL, text=""))
    desk.poll()
    assert desk.alerts == ["first_report"]


def test_of_a_feed_of_summaries_the_pages_are_fetched() -> None:
    """Its articles go to where pages are fetched, as they are; one without a page of its own is read as it is."""
    desk = Listening()
    desk.add(subscription(pages=True))
    desk.publish(A, replace(B, link=""))
    desk.poll()
    assert [json.loads(body)["url"] for body in desk.pages.bodies] == [A.link]
    assert [one.title for one in desk.told] == [B.title]


def test_what_an_older_version_remembered_counts(desk: Listening) -> None:
    """A cursor that holds all of its entries, as they were written before, is read, and put aside with the first news."""
    entries = [entry(str(n)) for n in range(40)]
    desk.publish(*entries)
    desk.poll()
    (feed,) = desk.feeds.listed
    at, parts = desk.feeds.cursors[feed], desk.feeds.recall(feed)
    desk.feeds.cursors[feed], desk.feeds.parts = replace(at, seen=known(at, parts), parts=0), {}
    desk.publish(A, *entries)
    desk.poll()
    assert (len(desk.told), desk.alerts) == (41, ["first_report"])
    assert (len(desk.feeds.cursors[feed].seen), len(desk.feeds.recall(feed)[0].seen)) == (0, 41)
    desk.publish(*entries, A)
    desk.poll()
    assert len(desk.told) == 41


def test_what_was_put_aside_before_a_crash_counts(desk: Listening) -> None:
    """A function that ends between a part and its cursor has sent its articles: they are known, and what changes afterwards is seen once."""
    entries = [entry(str(n)) for n in range(20)]
    desk.publish(entries[0])
    desk.poll()
    before = dict(desk.feeds.cursors)
    desk.publish(*entries)
    desk.poll()
    desk.feeds.cursors = before
    desk.poll()
    assert len(desk.told) == 20
    for _ in range(3):
        desk.publish(replace(entries[0], text="Other words."), *entries[1:])
        desk.poll()
    assert len(desk.told) == 21


# What a poll costs, and what a failure leaves behind


def test_an_unchanged_feed_costs_nothing(desk: Listening) -> None:
    """What the server said is said back to it; 304 or the same bytes bring no parsing and no write."""
    feeds = desk.feeds = Counted(desk.world.table)
    desk.add()
    desk.publish(A, B, etag='"v1"', last_modified="Sat, 01 Mar 2025 08:00:00 GMT")
    desk.poll()
    assert feeds.writes == 1
    desk.parse = None  # type: ignore[assignment]  # nothing is to be parsed
    desk.poll()
    assert desk.headers() == {"If-None-Match": '"v1"', "If-Modified-Since": "Sat, 01 Mar 2025 08:00:00 GMT"}
    desk.answer(Answer(URL, 304))
    desk.poll()
    assert feeds.writes == 1
    assert len(desk.told) == 2


def test_a_mark_that_changes_alone_is_remembered(desk: Listening) -> None:
    """When the server marks the feed anew though it tells nothing new, or the very same, the new mark is said back to it."""
    desk.publish(A, etag='"v1"')
    desk.poll()
    desk.publish(A, etag='"v2"')
    desk.poll()
    desk.publish(replace(A, link=f"{A.link}?utm_source=rss"), etag='"v3"')
    desk.poll()
    desk.poll()
    assert [given.get("If-None-Match") for _, given in desk.web.asked] == [None, '"v1"', '"v2"', '"v3"']
    assert len(desk.told) == 1


def test_entries_that_are_left_out_have_a_fate(desk: Listening) -> None:
    """What nobody reads of a feed is recorded, with what is new in it: how much it is, and what to do; not again while nothing is new."""
    left = "has 2,002 entries, of which 2,000 are read at a time: its last 2 were left out"
    desk.publish(A)
    desk.parse = lambda *_, **__: Feed("rss20", "", (A,), notes=(left,), left_out=(left,))
    desk.poll()
    desk.publish(A, etag='"v2"')
    desk.poll()
    (row,) = fates(desk)
    assert (row.article, row.fate, row.source, row.url) == (f"{feed_id(URL)}/left-out", "rejected", "Example News", URL)
    assert row.reason == f"the feed {left}; ask its publisher for a shorter feed, or drop what you miss under inbox/"
    assert list(Kept(desk.world.table, desk.world.archive).articles(URL)) == [row]


def test_no_more_is_held_than_fits(desk: Listening) -> None:
    """What large feeds bring is sent before all of them are read, and how far each was read is written with it."""
    large = [desk.add(subscription(f"https://h{n}.example/rss")) for n in range(3)]
    entries = tuple(entry(str(n), "x" * 180_000) for n in range(HELD // 180_000 + 1))
    read = []

    def parsed(_body: bytes, **_given: str) -> Feed:
        read.append(len(desk.feeds.cursors))
        return Feed("rss20", "", entries)

    desk.parse = parsed
    for feed in large:
        desk.publish(A, url=feed.url)
    assert desk.poller().poll([Asked(feed.id, feed.id) for feed in large]) == []
    assert read == [0, 1, 2]
    assert len(brought(desk.world.archive, desk.queue.bodies)) == len(entries) * len(large)


@pytest.mark.parametrize("etag", ['"a\r\nCookie: x"', '"é"', '"' + "x" * 400 + '"'])
def test_what_cannot_be_said_back_is_not(desk: Listening, etag: str) -> None:
    """A mark that could break a request apart is not repeated."""
    desk.publish(A, etag=etag)
    desk.poll()
    desk.poll()
    assert desk.headers() == {}


def test_nothing_is_known_before_everything_is_accepted(desk: Listening) -> None:
    """When the queue refuses articles the cursor stays and the message comes again; what was taken twice rings once."""
    desk.publish(A, B)
    refusing = Refusing()
    assert desk.poll(poller=desk.poller(queue=refusing)) == [f"message {feed_id(URL)}"]
    assert desk.feeds.cursors == {}
    desk.queue.bodies += refusing.bodies
    assert desk.poll() == []
    assert (len(desk.told), desk.alerts) == (3, ["first_report"])


def test_two_that_poll_at_once_do_no_harm(desk: Listening) -> None:
    """Two functions read one feed at the same moment: one writes the cursor, both are content, and it rings once."""

    class Second(MemoryFeeds):
        """The feeds as the slower function finds them."""

        def save(self, cursor: Cursor, notices: Sequence[Notice] = ()) -> None:
            """The other function has been here."""
            assert desk.poll() == []
            desk.feeds.save(cursor, notices)

    slow = Second(desk.world.table)
    slow.listed = desk.feeds.listed
    desk.publish(A, B)
    assert desk.poll(poller=desk.poller(feeds=slow)) == []
    assert (len(desk.told), desk.alerts) == (4, ["first_report"])
    assert desk.feeds.cursors[feed_id(URL)].version == 1


def test_one_broken_feed_fails_alone(desk: Listening) -> None:
    """An error nobody thought of in one feed leaves the other feeds of the batch alone."""
    other = desk.add(subscription("https://other.example/rss"))
    desk.publish(A)
    desk.answer(ZeroDivisionError("a bug"), other.url)
    assert desk.poll() == [f"message {other.id}"]
    assert desk.alerts == ["first_report"]


# A feed that ends the function


class Killed(BaseException):
    """The function is no more."""


POISON = "https://poison.example/rss"


@dataclass
class Killing:
    """A feed that ends the function, among others on a queue that lets a message come three times."""

    desk: Listening
    poison: Subscription = field(init=False)
    messages: list[list[Asked]] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)
    """Feeds of the messages that came too often."""
    asked: Counter[str] = field(default_factory=Counter)
    mended: bool = False
    number: int = 0

    def __post_init__(self) -> None:
        self.poison = self.desk.add(subscription(POISON, name="Poison"))
        self.desk.parse = self.parse
        self.desk.publish(A, url=POISON)

    def parse(self, body: bytes, *, url: str, content_type: str, known: Sequence[str]) -> Feed:
        """Reads a feed, if that does not end the function."""
        self.asked[url] += 1
        if url == POISON and not self.mended:
            raise Killed
        return parse(body, url=url, content_type=content_type, known=known)

    def send(self, *feeds: str, again: bool = False) -> None:
        """Puts a message on the queue."""
        name, now = f"message {self.number}", self.desk.world.clock()
        self.number += 1
        self.messages.append([Asked(name, feed, int(again), now) for feed in feeds])

    def minutes(self, count: int) -> None:
        """The schedule goes on, and every twenty minutes all messages come (again)."""
        for minute in range(count):
            self.desk.world.clock.move(minutes=1)
            send_due(self.desk.feeds, self.desk.feed_queue, self.desk.world.clock())
            for body in self.desk.feed_queue.bodies:
                self.send(*asked_for(body), again=comes_again(body))
            self.desk.feed_queue.bodies.clear()
            if minute % 20 == 0:
                self.come()
            self.desk.world.deliverer("sweep").sweep()

    def come(self) -> None:
        """The function is called with each message."""
        left = []
        for message in self.messages:
            batch = [replace(one, tries=one.tries + 1) for one in message]
            try:
                failed = self.desk.poller().poll(batch)
            except Killed:
                failed = [batch[0].message]
            if failed and batch[0].tries < 3:
                left.append(batch)
            elif failed:
                self.dead += [one.feed for one in batch]
        self.desk.detect()
        self.messages = left


def test_a_feed_that_ends_the_function_is_found_and_told_once(desk: Listening) -> None:
    """It is found out by reading alone what comes again; its messages alone become dead letters, and the channel is told once."""
    killing = Killing(desk)
    others = [desk.add(subscription(f"https://h{n}.example/rss")) for n in range(8)]
    for feed in others:
        desk.publish(B, url=feed.url)
    killing.minutes(300)
    assert set(killing.dead) == {killing.poison.id}
    assert all(killing.asked[feed.url] for feed in others)
    assert killing.asked[POISON] <= 20 / 5 + 1  # its turns before the first message comes again, and alone
    assert desk.notices[0] == "*Ended the function that read it: 1*"
    assert f"({killing.poison.id}): not asked any more; mend Fetch, then tocsin redrive --queue Feed" in desk.notices[1]
    assert len(desk.notices) == 2
    assert health.standing(desk.feeds.cursors[killing.poison.id].health, desk.world.clock())[0] == "fatal"


def test_redrive_brings_it_back(desk: Listening) -> None:
    """Once the cause is mended its dead letter has it read, told as well again, and asked as before; until then it dies again, alone."""
    killing = Killing(desk)
    killing.minutes(300)
    letters = len(killing.dead)
    killing.send(killing.poison.id)
    killing.minutes(100)
    assert len(killing.dead) == letters + 1
    asked, killing.mended = killing.asked[POISON], True
    killing.send(killing.dead[-1])
    killing.minutes(150)
    assert desk.alerts == ["first_report"]
    assert killing.asked[POISON] > asked
    assert len(desk.web.asked) > asked + 2
    assert desk.notices[2:] == ["*Well again: 1*", f"• Poison ({killing.poison.id}): answers again"]


def test_a_failure_is_not_taken_for_an_end(desk: Listening) -> None:
    """A feed whose articles were refused by the queue three times is read as ever afterwards: the function went on."""
    desk.publish(A)
    (feed,) = desk.feeds.listed
    for tries in (1, 2, 3):
        assert desk.poller(queue=Refusing()).poll([Asked("m", feed, tries, desk.world.clock())]) == ["m"]
        desk.world.clock.move(minutes=20)
    assert desk.poll() == []
    assert (desk.alerts, desk.notices) == (["first_report"], [])


def test_a_feed_that_another_function_reads_is_left_to_it(desk: Listening) -> None:
    """While a feed is read alone, a second message for it is done with, and nobody is blamed."""
    desk.publish(A)
    (feed,) = desk.feeds.listed
    at = Cursor(feed)
    desk.feeds.save(replace(at, health=health.alone(at.health, desk.world.clock())))
    assert desk.poll() == []
    assert (desk.web.asked, desk.feeds.cursors[feed].health.fatal) == ([], False)


def test_a_feed_that_was_removed_is_not_asked(desk: Listening) -> None:
    """A message for a feed that is off the list is done with."""
    assert desk.poll("gone.example/0") == []
    assert desk.web.asked == []


# When feeds are asked


def test_a_feed_is_sent_off_once_an_interval(desk: Listening) -> None:
    """A feed that is due is sent off, and not again before its interval is over."""
    desk.publish(A)
    assert desk.minutes(1) == 1
    assert 2 <= desk.minutes(15) <= 3


def test_a_feed_is_moved_on_only_when_its_message_was_accepted(desk: Listening) -> None:
    """When the queue refuses, the feed stays due."""
    with pytest.raises(ConnectionError):
        send_due(desk.feeds, Refusing(), desk.world.clock())
    assert list(desk.feeds.due(desk.world.clock(), 9)) == [feed_id(URL)]


def test_the_feeds_of_one_host_are_spread() -> None:
    """Of a host's many feeds a few are asked each minute, and they hold nobody else up."""
    desk = Listening()
    for number in range(A_HOST * 3):
        desk.add(subscription(f"https://many.example/{number}"))
    desk.world.clock.move(seconds=1)
    desk.add(subscription("https://other.example/rss"))
    now = desk.world.clock()
    assert [send_due(desk.feeds, desk.feed_queue, now) for _ in range(4)] == [A_HOST + 1, A_HOST, A_HOST, 0]
    assert len({feed for body in desk.feed_queue.bodies for feed in asked_for(body)}) == A_HOST * 3 + 1


def taking_turns(count: int, every: timedelta, host: str = "") -> Listening:
    """A desk whose feeds take turns."""
    desk = Listening()
    desk.world.clock.now = DAY
    send_due(desk.feeds, desk.feed_queue, DAY)
    desk.world.clock.move(hours=2)
    now = desk.world.clock()
    send_due(desk.feeds, desk.feed_queue, now)
    for number in range(count):
        feed = desk.add(subscription(f"https://{host or f'h{number}.example'}/{number}", every=every, slowest=every))
        desk.feeds.reschedule(feed.id, every, int(phase(feed.id, every).total_seconds()), now)
    return desk


def rounds(desk: Listening, *minutes: int) -> list[list[str]]:
    """What is sent off when Due runs after so many minutes each time."""
    told = []
    for wait in minutes:
        desk.world.clock.move(minutes=wait)
        desk.feed_queue.bodies.clear()
        send_due(desk.feeds, desk.feed_queue, desk.world.clock())
        told.append([feed for body in desk.feed_queue.bodies for feed in asked_for(body)])
    return told


def test_turns_follow_from_the_clock() -> None:
    """Each feed is sent off once an interval, at its own minute, and nothing is written for it."""
    desk = taking_turns(60, timedelta(minutes=20))
    before = dict(desk.feeds.listed)
    first, second = rounds(desk, *[1] * 20), rounds(desk, *[1] * 20)
    assert first == second
    assert Counter(feed for some in first for feed in some) == dict.fromkeys(desk.feeds.listed, 1)
    assert max(map(len, first)) <= 10
    assert desk.feeds.listed == before


def test_what_a_missed_round_should_have_sent_the_next_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """After minutes, or days, without Due every feed whose turn has come is asked once; what is too much at a time follows by the minute."""
    desk = taking_turns(60, timedelta(minutes=20))
    (few,) = rounds(desk, 7)
    (rest,) = rounds(desk, 13)
    assert sorted([*few, *rest]) == sorted(desk.feeds.listed)
    (all_,) = rounds(desk, 3 * 24 * 60)
    assert sorted(all_) == sorted(desk.feeds.listed)
    monkeypatch.setattr("tocsin.pipeline.poll.MOST_DUE", 25)
    told = rounds(desk, 24 * 60, 1, 1)
    assert [len(some) for some in told[:2]] == [25, 25]
    desk = taking_turns(60, timedelta(hours=6))
    told = rounds(desk, 24 * 60, 1, 1)
    assert Counter(feed for some in told for feed in some) == dict.fromkeys(desk.feeds.listed, 1)


def test_a_round_that_was_not_accepted_is_made_again() -> None:
    """When the queue refuses, the turns of that minute are sent off a minute later."""
    desk = taking_turns(60, timedelta(minutes=5))
    desk.world.clock.move(minutes=1)
    with pytest.raises(ConnectionError):
        send_due(desk.feeds, Refusing(), desk.world.clock())
    assert len(rounds(desk, 4)[0]) == 60


def test_many_of_one_host_take_turns_and_wait() -> None:
    """Of a host's feeds whose turn comes at one time a few are asked each minute; all of them are, and then take turns again."""
    desk = taking_turns(35, timedelta(minutes=30), "many.example")
    told = rounds(desk, 30, 1, 1, 1)
    assert [len(some) for some in told] == [A_HOST, A_HOST, A_HOST, 5]
    assert Counter(feed for some in told for feed in some) == dict.fromkeys(desk.feeds.listed, 1)
    desk.poll()
    assert [one.place is not None for one in desk.feeds.listed.values()] == [True] * 35


def test_feeds_that_fail_for_long_wait_for_their_servers_together() -> None:
    """After a day without an answer feeds have their turn at the same time, so that one call waits for all of them; well again, they part."""
    desk = Listening()
    hour = timedelta(hours=1)
    feeds = [desk.add(subscription(f"https://h{n}.example/rss", every=hour, slowest=hour)) for n in range(7)]
    desk.minutes(2 * 60)
    assert len({one.place for one in desk.feeds.listed.values()}) == 7
    desk.minutes(25 * 60)
    assert {one.place for one in desk.feeds.listed.values()} <= set(range(0, 3_600, 600))
    for feed in feeds:
        desk.publish(B, url=feed.url)
    desk.minutes(70)
    assert len({one.place for one in desk.feeds.listed.values()}) == 7


def test_a_deployment_may_be_undone() -> None:
    """For the first hour feeds stand where the version before looks for them; then they take turns, those it left behind, too."""
    desk = Listening()
    desk.publish(B)
    feed = desk.add()
    desk.minutes(50)
    assert desk.feeds.listed[feed.id].due is not None
    desk.minutes(30)
    assert desk.feeds.listed[feed.id].place is not None


def test_what_comes_to_nothing_among_others_comes_again_alone(desk: Listening) -> None:
    """Of a message for many feeds that fail those are sent off again, each alone; of one that comes a second time all are."""
    others = [desk.add(subscription(f"https://h{n}.example/rss")) for n in range(3)]
    desk.answer(ZeroDivisionError("a bug"), others[0].url)
    asked = [Asked("m", feed) for feed in desk.feeds.listed]
    assert desk.poller().poll(asked) == []
    assert [(asked_for(body), comes_again(body)) for body in desk.feed_queue.bodies] == [([others[0].id], True)]
    desk.feed_queue.bodies.clear()
    asked_before = len(desk.web.asked)
    assert desk.poller().poll([replace(one, tries=2) for one in asked]) == []
    assert sorted(asked_for(body)[0] for body in desk.feed_queue.bodies) == sorted(desk.feeds.listed)
    assert len(desk.web.asked) == asked_before
    assert replace(desk.poller(), again=Refusing()).poll([replace(one, tries=2) for one in asked]) == ["m"]


def test_what_there_is_no_time_for_goes_back(desk: Listening) -> None:
    """Servers that let a call wait for too long cost the others of its message minutes, not their turn."""
    feeds = [desk.add(subscription(f"https://slow.example/{n}")) for n in range(5)]

    def parsed(_body: bytes, **_given: str) -> Feed:
        desk.world.clock.move(seconds=25)
        return Feed("rss20", "", (B,))

    desk.parse = parsed
    for feed in feeds:
        desk.publish(B, url=feed.url)
    assert desk.poller().poll([Asked("m", feed.id) for feed in feeds]) == []
    (body,) = desk.feed_queue.bodies
    assert (asked_for(body), comes_again(body)) == (
        [feed.id for feed in sorted(feeds, key=lambda one: one.id)[3:]],
        False,
    )


def test_the_interval_follows_the_feed() -> None:
    """A lively feed is asked at its shortest interval, one that falls quiet less and less often, never beyond its bounds."""
    feed, now = subscription(every=timedelta(minutes=5), slowest=timedelta(hours=2)), DAY
    lively = Health(gap=600, learned=50, quiet_since=now.timestamp())
    assert interval(feed, lively, now) == feed.every
    waits = [interval(feed, lively, now + timedelta(hours=hours)) for hours in range(100)]
    assert waits == sorted(waits)
    assert waits[-1] == 16 * feed.every <= feed.slowest < 32 * feed.every
    assert interval(feed, Health(gap=3_600, quiet_since=now.timestamp()), now) == timedelta(minutes=20)
    assert interval(feed, Health(gap=86_400, quiet_since=now.timestamp()), now) == 16 * feed.every


def test_a_quiet_feed_is_polled_less_often(desk: Listening) -> None:
    """Over a quiet day a feed is asked a fraction of the times a lively one is, and the first entry after it is heard."""
    desk.publish(B)
    assert desk.minutes(24 * 60) < 24 * 12 / 2.5
    desk.publish(A, B)
    desk.minutes(121)
    assert desk.alerts == ["first_report"]


def test_a_server_that_asks_for_a_pause_is_left_alone(desk: Listening) -> None:
    """Retry-After is heeded, up to a day."""
    desk.answer(FetchFault("busy", "the server answers 429", status=429, retry_after=3600))
    assert desk.minutes(1) == 1
    assert desk.minutes(59) == 0
    assert desk.minutes(3) == 1
    desk.answer(FetchFault("busy", "the server answers 429", status=429, retry_after=10**9))
    desk.minutes(65)
    assert desk.minutes(20 * 60) == 0


# What the channel is told


def test_a_feed_that_is_gone_is_told_once_and_left_alone(desk: Listening) -> None:
    """410 ends a feed: it stays on the list, is never asked again, and the channel is told once."""
    desk.answer(Answer(URL, 410))
    desk.minutes(1)
    polls = len(desk.web.asked)
    desk.minutes(24 * 60)
    assert len(desk.web.asked) == polls == 1
    assert [line for line in desk.notices if "Example News" in line] == [
        "• Example News (news.example/"
        + feed_id(URL)[-8:]
        + "): its server says it is gone for good; it is not asked again"
    ]
    desk.add()  # somebody knows better
    desk.publish(A)
    desk.minutes(70)
    assert desk.alerts == ["first_report"]
    assert "*Well again: 1*" in desk.notices


@pytest.mark.parametrize(
    ("trouble", "title", "what"),
    [
        (FetchFault("timeout", "it took too long"), "*Does not answer: 1*", "it took too long (timeout)"),
        (Answer(URL, 200, {}, b"<html>"), "*Cannot be read: 1*", "(html)"),
    ],
)
def test_a_feed_that_fails_for_a_day_is_told_once(
    desk: Listening, trouble: Answer | Exception, title: str, what: str
) -> None:
    """A day without a feed that can be read is told once, with the cause, and so is its recovery."""
    desk.publish(B)
    desk.minutes(10)
    desk.answer(trouble)
    desk.minutes(23 * 60)
    assert desk.notices == []
    desk.minutes(3 * 24 * 60)
    assert desk.notices[0] == title
    assert what in desk.notices[1]
    assert len(desk.notices) == 2
    desk.publish(A, B)
    desk.minutes(4 * 60)
    assert desk.notices[2:] == ["*Well again: 1*", f"• Example News ({feed_id(URL)}): answers again"]
    assert desk.alerts == ["first_report"]


def test_a_feed_that_fails_now_and_then_is_not_told(desk: Listening) -> None:
    """Failures that pass within a day are nobody's business."""
    for _ in range(3):
        desk.answer(FetchFault("connection", "refused"))
        desk.minutes(10 * 60)
        desk.publish(B)
        desk.minutes(3 * 60)
    assert desk.notices == []


def test_a_feed_that_is_silent_beyond_its_habit_is_told_once(desk: Listening) -> None:
    """A feed is known by its cadence: weekends are no silence, a week is, and the first entry after it ends that."""
    entries = [B]
    for day in range(21):
        for hour in range(6) if day % 7 < 5 else ():
            entries.insert(0, entry(f"{day}-{hour}", published=DAY + timedelta(days=day, hours=hour)))
            desk.publish(*entries[:10])
            desk.world.clock.now = DAY + timedelta(days=day, hours=hour, minutes=10)
            desk.poll()
    assert desk.notices == []
    desk.minutes(5 * 24 * 60)
    assert desk.notices == []
    desk.minutes(9 * 24 * 60)
    assert desk.notices[0] == "*Silent beyond its habit: 1*"
    assert "nothing new since 2025-03-19 13:00 UTC; it never was quiet for longer than 3 days" in desk.notices[1]
    desk.publish(A, *entries[:9])
    desk.minutes(4 * 60)
    assert desk.notices[2:] == ["*Well again: 1*", f"• Example News ({feed_id(URL)}): tells news again"]


def test_a_feed_that_moved_is_followed_and_told_once(desk: Listening) -> None:
    """A permanent redirect that stands for a day becomes the feed's address; its entries stay known."""
    new = "https://feeds.example/new"
    desk.publish(A, moved=new)
    desk.publish(A, url=new)
    desk.minutes(23 * 60)
    assert desk.feeds.listed[feed_id(URL)].feed.url == URL
    desk.minutes(3 * 24 * 60)
    assert desk.feeds.listed[feed_id(URL)].feed.url == new
    assert desk.web.asked[-1][0] == new
    assert desk.notices == ["*Moved, and followed: 1*", f"• Example News ({feed_id(URL)}): now at {new}"]
    assert (len(desk.told), desk.alerts) == (1, ["first_report"])


def test_a_redirect_that_passes_is_not_followed(desk: Listening) -> None:
    """A server that sends people elsewhere for an hour keeps its address."""
    desk.publish(B, moved="https://maintenance.example/")
    desk.minutes(60)
    desk.publish(B)
    desk.minutes(3 * 24 * 60)
    assert (desk.feeds.listed[feed_id(URL)].feed.url, desk.notices) == (URL, [])


def test_many_troubles_make_one_message() -> None:
    """When forty feeds fail together the channel reads one message, short enough for Slack, and one more when they are well."""
    desk = Listening()
    hour = timedelta(hours=1)
    feeds = [desk.add(subscription(f"https://h{n}.example/rss", every=hour, slowest=hour)) for n in range(40)]
    desk.minutes(27 * 60)
    assert len(desk.world.slack.messages) == 1
    assert "*Does not answer: 40*" in desk.notices
    assert "… and 34 more" in desk.notices
    for feed in feeds:
        desk.publish(B, url=feed.url)
    desk.minutes(120)
    assert len(desk.world.slack.messages) == 2


def test_what_a_feed_says_cannot_ping_anybody() -> None:
    """Names and reasons in a notice are text and nothing else, and even the longest fit a message."""
    bad = "<!channel> *x* \u202e&" * 60
    rows = [
        Notice(f"f{n}", kind, bad, bad, "2025-03-01T09:00:00+00:00")
        for n in range(50)
        for kind in ("fatal", "dead", "malformed", "silent", "ended", "moved", "recovered")
    ]  # fmt: skip
    message = told("notices/2025-03-01T09", "2025-03-01T09", rows)
    everything = json.dumps(message.blocks, ensure_ascii=False) + message.text
    assert "<!channel>" not in everything
    assert "\u202e" not in everything
    assert sum(len(block["text"]["text"]) for block in message.blocks if "text" in block) < 10_000
    assert all(len(block["text"]["text"]) <= 3_000 for block in message.blocks if "text" in block)


def test_an_alert_without_notices_is_buried(desk: Listening) -> None:
    """A function that ended between asking for the message and saying what it is for leaves nothing to post."""
    desk.feeds.save(Cursor("x"), [Notice("x", "dead", "X", "why", desk.world.clock().isoformat())])
    desk.world.table.noted.clear()
    desk.world.clock.move(hours=2)
    desk.world.sweep(1)
    assert desk.world.slack.messages == []
    assert set(desk.world.undelivered().values()) == {"there is nothing to tell"}


# Health, as values


def test_the_cadence_is_learned_from_the_first_feed() -> None:
    """The dates in a feed that is read for the first time tell its habit."""
    times = [DAY - timedelta(hours=6 * n) for n in range(HABIT + 1)]
    learned = health.heard(Health(), times, DAY)
    assert (learned.gap, learned.longest, learned.newest) == (6 * 3600, 6 * 3600, DAY.timestamp())
    assert learned.habit == 36 * 3600


def test_nothing_is_known_of_a_new_feed() -> None:
    """A feed with a handful of entries has no habit yet, however old they are."""
    learned = health.heard(Health(), [DAY - timedelta(days=300 * n) for n in range(3)], DAY)
    assert (learned.habit, health.trouble(learned, DAY + timedelta(days=3000))) == (0, "")


def test_health_survives_json() -> None:
    """Health is read back as it was written, by an older version too, which knows less."""
    one = Health(1.5, 2, 3, 4, 5, "dead", "why", 6, "https://x", 7, True, "silent", 8, fatal=True)
    assert Health.from_json(json.loads(json.dumps(one.to_json() | {"later": 1}))) == one
