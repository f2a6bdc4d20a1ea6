"""Polling against feeds that lie about their entries: a table of what they do to them, and what ten thousand feeds cost."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import heappop, heappush
from pathlib import Path
from threading import Lock
from typing import Any

from tests.listening import DAY, Listening, entry, subscription
from tests.twins import Clock, MemoryArchive, MemoryFeeds
from tocsin.adapters.feed_table import SHARDS, cursor_put, part_item
from tocsin.adapters.sqs import batches
from tocsin.cursor import OPEN, REMEMBERED, Cursor, Part, Seen
from tocsin.errors import FetchFault
from tocsin.feed import Answer, Feed, FeedEntry
from tocsin.health import Health
from tocsin.pipeline.archive import apart
from tocsin.pipeline.poll import TOGETHER, Asked, Poller, asked_for, send_due
from tocsin.ports import Listed, Notice, Round
from tocsin.schedule import phase
from tocsin.subscription import SLOWEST, Subscription

SIGNAL = "Turkey is preparing to send more troops to Syria, officials said."
OTHER = "Russia is preparing to send more troops to Belarus, officials said."
QUIET = "Officials met in Ankara on Saturday and agreed to meet again."


@dataclass(frozen=True)
class Case:
    """What a feed does to its entries from one poll to the next. What rings beyond `rings` is an extra alert."""

    name: str
    polls: tuple[tuple[FeedEntry, ...], ...]
    rings: tuple[str, ...] = ("first_report",)
    articles: int = 2
    sent: int = 2
    """Messages for the detector: an article once, and once more for each edit."""


A, B = entry("a", SIGNAL), entry("b", QUIET)
_HTTP = [replace(one, id=one.link, link=one.link) for one in (A, B)]
_PLAIN = [replace(one, id=one.link.replace("https", "http"), link=one.link.replace("https", "http")) for one in _HTTP]
_LATER = DAY + timedelta(minutes=20)

CASES = (
    Case("guids change with every poll", tuple((replace(A, id=f"{n}-a"), replace(B, id=f"{n}-b")) for n in range(4))),
    Case("entries come in another order", ((A, B), (B, A), (A, B))),
    Case(
        "words that say nothing are edited",
        ((A, B), (replace(A, title="Headline a (updated)", text=f"{SIGNAL} More follows."), B)),
        sent=3,
    ),
    Case(
        "links carry tracking parameters",
        tuple((replace(A, id="", link=f"{A.link}?utm_source=rss&fbclid={n}"), B) for n in range(3)),
    ),
    Case("http becomes https", (tuple(_PLAIN), tuple(_HTTP), tuple(_PLAIN))),
    Case("entries vanish and come back", ((A, B), (B,), (), (A, B))),
    Case(
        "two entries have one guid",
        ((replace(A, id="1"), replace(B, id="1")), (replace(B, id="1"), replace(A, id="1")), (replace(A, id="1"),)),
    ),
    Case(
        "an edit adds a signal",
        ((B,), (replace(B, title="Headline b, updated", text=f"{QUIET} {SIGNAL}"),)),
        articles=1,
        sent=2,
    ),
    Case(
        "an edit takes the signal away",
        ((A,), (replace(A, text=f"{QUIET} An earlier version was wrong."),)),
        rings=("first_report", "corrected"),
        articles=1,
    ),
    Case(
        "guid and link change, or two stand at one link",
        (
            (A, replace(B, link=A.link, title="Another headline")),
            (
                replace(A, id="x", link="https://news.example/moved/a"),
                replace(B, link=A.link, title="Another headline"),
            ),
        ),
    ),
)
"""The ten ways of the issue; each has an alert to lose or to ring twice."""


def outcome(case: Case) -> tuple[list[str], int, int]:
    """The alerts that rang and should not have, or should have and did not; how many articles there were, and messages."""
    desk = Listening()
    desk.add(subscription())
    for poll in case.polls:
        desk.publish(*poll)
        desk.poll()
        desk.poll()  # a message that comes twice
        desk.world.clock.move(minutes=10)
    rang = [alert.split("-")[0] for alert in desk.alerts]
    wrong = [*rang[len(case.rings) :], *(one for one in case.rings[len(rang) :])]
    if rang[: len(case.rings)] != list(case.rings[: len(rang)]):
        wrong += rang
    return wrong, len({article.id for article in desk.told}), len(desk.told)


_PRICES = json.loads((Path(__file__).parents[2] / "bench" / "prices.json").read_text(encoding="utf-8"))
TAKEN: Mapping[str, Any] = _PRICES["taken"]
UNIT: Mapping[str, float] = _PRICES["unit"]
UNITS = {
    "queue": "queue requests",
    "reads": "table reads",
    "writes": "table writes",
    "puts": "objects written",
    "functions": "function calls",
    "GB-seconds": "GB-seconds",
}
"""What is counted, by the word of the price file."""
MEMORY, PROCESSOR = 1024, 1769
"""Megabytes of Fetch, and those with which a function has a whole processor."""
CLASSES = ((10, 10), (40, 60), (80, 360), (100, 1_440))
"""Of a hundred feeds the first ten tell something every ten minutes, those up to the fortieth every hour, and so on."""
TWENTY = 20
"""Entries of the feeds for which the price file says what the processor takes."""
MUTE, DEAD = 20, 5
"""Of a hundred feeds: those whose servers know no ETag, and those that have not answered at all for months."""


@dataclass
class Sky:
    """The servers of any number of feeds, each telling something at its own steady pace."""

    clock: Clock
    at_once: int = 1
    """Articles that a feed tells together."""
    waits: list[float] = field(default_factory=list)
    """Seconds each request took since somebody looked."""
    busy: float = 0.0
    """Seconds of a whole processor."""
    counting: Lock = field(default_factory=Lock)

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """See `Web.get`."""
        number = int(url.rpartition("/")[2])
        dead, count = _is_dead(number), _told_by(number, self.clock())
        with self.counting:
            self.waits.append(TAKEN["a server that never answers" if dead else "a server's answer"])
            self.busy += TAKEN["processor: a request"]
        if dead:
            raise FetchFault("timeout", "it took too long")
        etag = "" if _kind(number) % 10 < MUTE // 10 else f'"{count}"'
        status = 304 if etag and (headers or {}).get("If-None-Match") == etag else 200
        body = b"" if status == 304 else f"{number} {count}".encode()
        return Answer(url, status, {"etag": etag} if etag else {}, body)

    def parse(
        self,
        body: bytes,
        *,
        url: str,
        content_type: str,  # noqa: ARG002 - the parser's signature
        known: Collection[str] = (),
    ) -> Feed:
        """The last entries of a feed, or those that are not known; a third of the feeds tell the whole text."""
        number, count = map(int, body.split())
        told = [(n, k) for n in range(count, max(0, count - 10 // self.at_once), -1) for k in range(self.at_once)]
        marks = {one: f"{one[0]:010x}{one[1]:02x}" for one in told}
        new = [one for one in told if marks[one] not in known]
        partial = 2 * len(new) <= len(told)
        whole = number % 3 == 0
        took = TAKEN[f"processor: a feed of {'whole articles' if whole else 'summaries'}"]
        self.busy += TAKEN["processor: a feed cut to what is new"] + took * len(new) / TWENTY if partial else took
        pace, start = _pace(number), DAY - timedelta(days=60) - phase(str(number), _pace(number))
        text = QUIET * (80 if whole else 5)
        return Feed("rss20", "", tuple(
            FeedEntry(f"{number}-{n}-{k}", f"Entry {n} of {number}, {k}", f"{url}/{n}/{k}", start + n * pace, f"{text} {n} {k}")
            for n, k in (new if partial else told)
        ), marks=tuple(marks.values()), partial=partial)  # fmt: skip

    def seconds(self, calls: float) -> float:
        """How long a function took that made so many calls to the table beside what was asked here, as many together as servers."""
        free = [0.0] * TOGETHER
        for wait in self.waits:
            heappush(free, heappop(free) + wait)
        busy = (self.busy + calls * TAKEN["processor: a call to the table"]) * PROCESSOR / MEMORY
        first = TAKEN["a server's answer"] if self.waits else 0.0
        self.waits, self.busy = [], 0.0
        return float(max(*free, first + busy) + -(-calls // TOGETHER) * TAKEN["dynamodb"])


def _kind(number: int) -> int:
    return number * 37 % 100


def _is_dead(number: int) -> bool:
    return _kind(number) % 20 < DEAD * 20 // 100


def _pace(number: int) -> timedelta:
    share = number * 61 % 100
    return timedelta(minutes=next(minutes for below, minutes in CLASSES if share < below))


def _told_by(number: int, now: datetime) -> int:
    pace = _pace(number)
    return int((now - DAY + timedelta(days=60) + phase(str(number), pace)) / pace)


@dataclass
class Cost:
    """What is used: requests to servers and queues, units of the table, objects written, calls of functions."""

    polls: int = 0
    articles: int = 0
    bringing: int = 0
    """Calls of Fetch that brought articles."""
    used: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def dollars(self) -> float:
        """What it costs."""
        return sum(self.used[name] * UNIT[unit] for name, unit in UNITS.items())

    def since(self, before: Cost) -> Cost:
        """What was used after `before`."""
        used = {name: count - before.used.get(name, 0) for name, count in self.used.items()}
        return Cost(
            self.polls - before.polls,
            self.articles - before.articles,
            self.bringing - before.bringing,
            defaultdict(float, used),
        )


class CountedFeeds(MemoryFeeds):
    """Feeds that count what DynamoDB would bill, by the sizes of the items the adapter writes, and the calls that are made."""

    def __init__(self, cost: Cost) -> None:
        super().__init__()
        self.cost, self.counting = cost, Lock()

    def due(self, now: datetime, limit: int) -> Sequence[str]:
        """See `Feeds.due`: one query a shard; an entry of the index has some 150 bytes."""
        found = super().due(now, limit)
        self._read(SHARDS, SHARDS * _halves(len(found) // SHARDS * 150))
        return found

    def asked(self, feed: str, now: datetime) -> None:
        """See `Feeds.asked`: the item, and in the index its old entry and its new one."""
        self._moved()
        super().asked(feed, now)

    def round(self, now: datetime) -> Round:
        """See `Feeds.round`: the item that says until when, and a query for each interval."""
        found = super().round(now)
        every = Counter(self.listed[feed].interval for _, feed in found.turns)
        intervals = {one.interval for one in self.listed.values() if one.place is not None}
        self._read(1 + len(intervals), 1 + sum(_halves(every[one] * 150) for one in intervals))
        return found

    def sent(self, found: Round, until: datetime) -> None:
        """See `Feeds.sent`."""
        self._wrote(100, "rounds")
        super().sent(found, until)

    def wait(self, feed: str, now: datetime) -> None:
        """See `Feeds.wait`: as `asked`."""
        self._moved()
        super().wait(feed, now)

    def read(self, feeds: Sequence[str], *, consistent: bool = False) -> Mapping[str, tuple[Listed, Cursor]]:
        """See `Feeds.read`: two items each, and one more; a hundred items a call."""
        found = super().read(feeds, consistent=consistent)
        sizes = [_size(cursor_put(at)["Item"]) if at.version else 0 for _, at in found.values()]
        units = sum(map(_halves, [100, *(400 for _ in feeds), *sizes]))
        self._read(-(-(1 + 2 * len(feeds)) // 100), units * (2 if consistent else 1))
        return found

    def save(self, cursor: Cursor, notices: Sequence[Notice] = ()) -> None:
        """See `Feeds.save`."""
        self._wrote(_size(cursor_put(cursor)["Item"]), "cursors")
        super().save(cursor, notices)

    def recall(self, feed: str) -> Sequence[Part]:
        """See `Feeds.recall`: one query; as many parts as there are once the feed was read for months."""
        found = super().recall(feed)
        size = sum(_size(part_item(feed, part)) for part in found)
        short = max(0, REMEMBERED - sum(len(part.seen) for part in found))
        self._read(1, _halves(size + short * 40))
        return found

    def put_aside(self, feed: str, part: Part) -> None:
        """See `Feeds.put_aside`."""
        self._wrote(_size(part_item(feed, part)), "parts")
        super().put_aside(feed, part)

    def reschedule(self, feed: str, every: timedelta, place: int, now: datetime, due: datetime | None = None) -> None:
        """See `Feeds.reschedule`: as `asked`."""
        self._moved()
        super().reschedule(feed, every, place, now, due)

    def _read(self, calls: int, units: float) -> None:
        with self.counting:
            self.cost.used["reads"] += units
            self.cost.used["calls"] += calls

    def _wrote(self, size: int, what: str) -> None:
        with self.counting:
            self.cost.used["writes"] += -(-size // 1_024)
            self.cost.used["calls"] += 1
            self.cost.used[what] += 1

    def _moved(self) -> None:
        self._wrote(3 * 1_024, "moves")


def _size(item: Mapping[str, Mapping[str, Any]]) -> int:
    """Bytes of an item, as DynamoDB counts them, nearly."""
    return sum(len(name) + len(next(iter(value.values()))) for name, value in item.items())


def _halves(size: int) -> float:
    """Units that reading so many bytes takes when a write of this very moment need not count."""
    return max(1, -(-size // 4_096)) / 2


@dataclass
class CountedQueue:
    """A queue that counts requests: 64 KiB each to send, and one to receive and one to delete each batch."""

    cost: Cost
    name: str
    batch: int = 10
    """Messages that one call of a function takes."""
    bodies: list[str] = field(default_factory=list)

    def send(self, bodies: Sequence[str]) -> None:
        """See `Queue.send`."""
        self._count(list(batches(bodies)))
        self.bodies += bodies

    def take(self) -> list[str]:
        """Everything that was sent, received in batches."""
        taken, self.bodies = self.bodies, []
        received = [taken[first : first + self.batch] for first in range(0, len(taken), self.batch)]
        self._count(received)
        self._count([[""]] * len(received))
        self.cost.used["functions"] += len(received)
        self.cost.used[f"calls {self.name}"] += len(received)
        return taken

    def _count(self, requests: Sequence[Sequence[str]]) -> None:
        count = sum(max(1, -(-sum(map(len, bodies)) // 65_536)) for bodies in requests)
        self.cost.used["queue"] += count
        self.cost.used[self.name] += count


class CountedArchive(MemoryArchive):
    """An archive that counts what is written and keeps nothing."""

    def __init__(self, cost: Cost) -> None:
        super().__init__()
        self.cost = cost

    def write(self, key: str, body: bytes) -> None:  # noqa: ARG002 - the archive's signature
        """See `Archive.write`."""
        self.cost.used["puts"] += 1


def hourly(count: int, hours: int = 1, warm: int = 2, at_once: int = 1) -> Cost:
    """What so many feeds use in an hour, once the poller knows their pace."""
    cost, clock = Cost(), Clock(DAY)
    sky, feeds = Sky(clock, at_once), CountedFeeds(cost)
    feeds.begun, feeds.until = DAY - timedelta(days=60), DAY
    due, articles, pages = (
        CountedQueue(cost, "to feeds", 1),
        CountedQueue(cost, "to articles"),
        CountedQueue(cost, "to pages"),
    )
    poller = Poller(feeds, sky, sky.parse, CountedArchive(cost), articles, pages, due, clock)
    for number in range(count):
        url = f"https://host{number % max(1, count // 3)}.example/{number}"
        feed = Subscription(f"host{number % max(1, count // 3)}.example/{number}", url, f"Outlet {number}")
        feeds.add(feed, DAY + phase(feed.id, SLOWEST / 6))
        state = Health(failing="dead", since=DAY.timestamp() - 6e6, told="failing") if _is_dead(number) else Health()
        gone = tuple(Seen(f"{n:016x}", "", "", "", "") for n in range(number % (OPEN + 1)))
        feeds.cursors[feed.id] = Cursor(feed.id, seen=gone, health=state, version=1)
    before = Cost()
    for minute in range((warm + hours) * 60):
        if minute == warm * 60:
            before = replace(cost, used=defaultdict(float, cost.used))
        clock.move(minutes=1)
        cost.used["functions"] += 1
        calls = cost.used["calls"]
        send_due(feeds, due, clock())
        cost.used["GB-seconds"] += sky.seconds(cost.used["calls"] - calls) * 0.5
        for body in due.take():
            asked = [Asked("m", feed) for feed in asked_for(body)]
            used = cost.used.copy()
            assert poller.poll(asked) == []
            calls, puts, sent = (cost.used[name] - used[name] for name in ("calls", "puts", "to articles"))
            seconds = sky.seconds(calls + puts + sent) + puts * TAKEN["s3"] + sent * TAKEN["sqs"]
            cost.used["GB-seconds"] += seconds * MEMORY / 1024
            cost.polls += len(asked)
            bodies = articles.take()
            cost.articles += sum(len(apart(body)) or 1 for body in bodies)
            cost.bringing += bool(bodies)
    after = cost.since(before)
    return replace(
        after, polls=after.polls // hours, articles=after.articles // hours, bringing=after.bringing // hours
    )


def told(count: int, cost: Cost) -> str:
    """The costs of an hour in one line."""
    used = cost.used
    per_article = used["to articles"] / max(1, cost.articles)
    return (
        f"{count:>6,} feeds: {cost.polls:,} requests, {cost.articles:,} articles, {used['queue']:,.0f} queue requests"
        f" ({per_article:.2f} an article), {used['reads']:,.0f} table reads, {used['writes']:,.0f} writes"
        f" ({used['cursors']:,.0f} cursors, {used['parts']:,.0f} parts, {used['moves']:,.0f} moves), {used['puts']:,.0f} objects,"
        f" {used['GB-seconds']:,.0f} GB-seconds, ${cost.dollars:.4f} an hour"
    )


def run(sizes: Sequence[int] = (2_500, 10_000), tell: Callable[[str], None] = print) -> dict[str, float]:
    """The identity table and the cost of so many feeds, line by line; returns counts for the last line of `make hostile`."""
    wrong = 0
    for case in CASES:
        extra, articles, sent = outcome(case)
        right = (extra, articles, sent) == ([], case.articles, case.sent)
        wrong += not right
        verdict = "ok " if right else "BAD"
        tell(f"{verdict} {case.name}: {len(extra)} extra alerts, {articles} articles, {sent} messages")
    costs = [(size, hourly(size)) for size in sizes]
    for size, cost in costs:
        tell(told(size, cost))
    (small, least), (large, most) = costs[0], costs[-1]
    share = most.dollars / large / (least.dollars / small) - 1
    tell(f"a feed costs {100 * share:+.1f} % of what it costs among {small:,}")
    return {"identity cases": len(CASES), "extra alerts": wrong, "feeds polled": large}


if __name__ == "__main__":
    run()
