"""Polling against feeds that lie about their entries: a table of what they do to them, and what ten thousand feeds cost."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tests.listening import DAY, Listening, entry, subscription
from tests.twins import Clock, MemoryArchive, MemoryFeeds
from tocsin.adapters.feed_table import SHARDS, cursor_put
from tocsin.adapters.sqs import batches
from tocsin.cursor import Cursor
from tocsin.errors import FetchFault
from tocsin.feed import Answer, Feed, FeedEntry
from tocsin.pipeline.poll import Asked, Poller, asked_for, send_due
from tocsin.ports import Listed, Notice
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


PRICES = {"queue": 0.40, "reads": 0.125, "writes": 0.625, "puts": 5.00, "functions": 0.20}
"""US dollars a million, at the list prices of November 2026."""
GB_SECOND = 0.0000133334
POLL_SECONDS, MEMORY = 0.1, 1.0
"""What a poll is taken to keep a function busy, five of them waiting together, for the cost alone; and its gigabytes."""
CLASSES = ((10, 10), (40, 60), (80, 360), (100, 1_440))
"""Of a hundred feeds the first ten tell something every ten minutes, those up to the fortieth every hour, and so on."""
MUTE, DEAD = 20, 5
"""Of a hundred feeds: those whose servers know no ETag, and those that do not answer at all."""


@dataclass(frozen=True)
class Sky:
    """The servers of any number of feeds, each telling something at its own steady pace."""

    clock: Clock
    asked: Counter[int] = field(default_factory=Counter)

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """See `Web.get`."""
        number = int(url.rpartition("/")[2])
        kind, count = _kind(number), _told_by(number, self.clock())
        if kind % 20 < DEAD * 20 // 100:
            raise FetchFault("timeout", "it took too long")
        etag = "" if kind % 10 < MUTE // 10 else f'"{count}"'
        status = 304 if etag and (headers or {}).get("If-None-Match") == etag else 200
        self.asked[status] += 1
        return Answer(
            url, status, {"etag": etag} if etag else {}, b"" if status == 304 else f"{number} {count}".encode()
        )


def _kind(number: int) -> int:
    return number * 37 % 100


def _pace(number: int) -> timedelta:
    share = number * 61 % 100
    return timedelta(minutes=next(minutes for below, minutes in CLASSES if share < below))


def _told_by(number: int, now: datetime) -> int:
    pace = _pace(number)
    return int((now - DAY + timedelta(days=60) + phase(str(number), pace)) / pace)


def _parse(body: bytes, *, url: str, content_type: str) -> Feed:  # noqa: ARG001 - the parser's signature
    """The last ten entries of a feed of the sky; a third of the feeds tell the whole text."""
    number, count = map(int, body.split())
    pace, start = _pace(number), DAY - timedelta(days=60) - phase(str(number), _pace(number))
    text = QUIET * (80 if number % 3 == 0 else 5)
    return Feed("rss20", "", tuple(
        FeedEntry(f"{number}-{n}", f"Entry {n} of {number}", f"{url}/{n}", start + n * pace, f"{text} {n}")
        for n in range(count, max(0, count - 10), -1)
    ))  # fmt: skip


@dataclass
class Cost:
    """What is used: requests to servers and queues, units of the table, objects written, calls of functions."""

    polls: int = 0
    articles: int = 0
    used: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def dollars(self) -> float:
        """What it costs, the time of the functions that poll included."""
        billed = sum(self.used[name] * price / 1e6 for name, price in PRICES.items())
        return billed + self.polls * POLL_SECONDS * MEMORY * GB_SECOND

    def since(self, before: Cost) -> Cost:
        """What was used after `before`."""
        used = {name: count - before.used.get(name, 0) for name, count in self.used.items()}
        return Cost(self.polls - before.polls, self.articles - before.articles, defaultdict(float, used))


class CountedFeeds(MemoryFeeds):
    """Feeds that count what DynamoDB would bill, by the sizes of the items the adapter writes."""

    def __init__(self, cost: Cost) -> None:
        super().__init__()
        self.cost = cost
        self._sizes: dict[str, int] = {}
        self._waiting: dict[datetime, set[str]] = {}

    def due(self, now: datetime, limit: int) -> Sequence[str]:
        """See `Feeds.due`: one query a shard; an entry of the index has some 150 bytes."""
        found = super().due(now, limit)
        self.cost.used["reads"] += SHARDS * max(1, -(-len(found) // SHARDS * 150 // 4_096)) / 2
        return found

    def asked(self, feed: str, now: datetime) -> None:
        """See `Feeds.asked`: the item, and in the index its old entry and its new one."""
        self.cost.used["writes"] += 3
        super().asked(feed, now)

    def read(self, feeds: Sequence[str]) -> Mapping[str, tuple[Listed, Cursor]]:
        """See `Feeds.read`: two items each."""
        self.cost.used["reads"] += sum(1 + max(1, -(-self._sizes.get(feed, 0) // 4_096)) for feed in feeds)
        return super().read(feeds)

    def save(self, cursor: Cursor, notices: Sequence[Notice] = ()) -> None:
        """See `Feeds.save`."""
        item = cursor_put(cursor)["Item"]
        size = sum(len(name) + len(next(iter(value.values()))) for name, value in item.items())
        self._sizes[cursor.feed] = size
        self.cost.used["writes"] += -(-size // 1_024)
        self.cost.used["cursors"] += 1
        super().save(cursor, notices)

    def reschedule(self, feed: str, interval: timedelta, due: datetime) -> None:
        """See `Feeds.reschedule`: as `asked`."""
        self.cost.used["writes"] += 3
        super().reschedule(feed, interval, due)


@dataclass
class CountedQueue:
    """A queue that counts requests: 64 KiB each to send, and one to receive and one to delete each ten."""

    cost: Cost
    name: str
    tens: int = 1
    """Of messages that one call of a function takes."""
    bodies: list[str] = field(default_factory=list)

    def send(self, bodies: Sequence[str]) -> None:
        """See `Queue.send`."""
        self._count(list(batches(bodies)))
        self.bodies += bodies

    def take(self) -> list[str]:
        """Everything that was sent, received in tens."""
        taken, self.bodies = self.bodies, []
        tens = [taken[first : first + 10] for first in range(0, len(taken), 10)]
        self._count(tens)
        self._count([[""]] * len(tens))
        self.cost.used["functions"] += len(tens) / self.tens
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


def hourly(count: int, hours: int = 1, warm: int = 2) -> Cost:
    """What so many feeds use in an hour, once the poller knows their pace."""
    cost, clock = Cost(), Clock(DAY)
    sky, feeds = Sky(clock), CountedFeeds(cost)
    due, queue, pages = (
        CountedQueue(cost, "to feeds"),
        CountedQueue(cost, "to articles"),
        CountedQueue(cost, "to pages"),
    )
    poller = Poller(feeds, sky, _parse, CountedArchive(cost), queue, pages, clock)
    for number in range(count):
        url = f"https://host{number % max(1, count // 3)}.example/{number}"
        feed = Subscription(f"host{number % max(1, count // 3)}.example/{number}", url, f"Outlet {number}")
        feeds.add(feed, DAY + phase(feed.id, SLOWEST / 6))
    before = Cost()
    for minute in range((warm + hours) * 60):
        if minute == warm * 60:
            before = replace(cost, used=defaultdict(float, cost.used))
        clock.move(minutes=1)
        cost.used["functions"] += 1
        send_due(feeds, due, clock())
        asked = [Asked(str(place), asked_for(body)) for place, body in enumerate(due.take())]
        for first in range(0, len(asked), 10):
            assert poller.poll(asked[first : first + 10]) == []
        cost.polls += len(asked)
        cost.articles += len(queue.take())
    cost.used["requests"] = cost.polls
    after = cost.since(before)
    return replace(after, polls=after.polls // hours, articles=after.articles // hours)


def told(count: int, cost: Cost) -> str:
    """The costs of an hour in one line."""
    used = cost.used
    per_article = used["to articles"] / max(1, cost.articles)
    return (
        f"{count:>6,} feeds: {cost.polls:,} requests, {cost.articles:,} articles, {used['queue']:,.0f} queue requests"
        f" ({per_article:.2f} an article), {used['reads']:,.0f} table reads, {used['writes']:,.0f} writes"
        f" ({used['cursors']:,.0f} cursors), {used['puts']:,.0f} objects, ${cost.dollars:.4f} an hour"
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
