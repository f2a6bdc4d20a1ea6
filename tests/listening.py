"""Feeds, poller, detector and channel in one, on the twins: what a test of polling turns and looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from xml.sax.saxutils import escape

from tests.system import World, brought
from tests.twins import MemoryFeeds, MemoryQueue, MemoryWeb
from tocsin.adapters.feed import parse
from tocsin.article import Article
from tocsin.feed import Answer, Feed, FeedEntry
from tocsin.pipeline.poll import Asked, Poller, asked_for, send_due
from tocsin.ports import Feeds, Queue
from tocsin.subscription import Subscription, feed_id

URL = "https://news.example/rss"
DAY = datetime(2025, 3, 1, 8, tzinfo=UTC)


def subscription(url: str = URL, **changes: Any) -> Subscription:
    """A feed on the list."""
    bounds = {"every": timedelta(minutes=5), "slowest": timedelta(hours=2)}
    return Subscription(**{"id": feed_id(url), "url": url, "name": "Example News", **bounds, **changes})


def entry(name: str, text: str = "", **changes: Any) -> FeedEntry:
    """An entry that was published this morning."""
    given = {
        "id": f"guid-{name}",
        "title": f"Headline {name}",
        "link": f"https://news.example/{name}",
        "published": DAY,
    }
    return FeedEntry(**{**given, "text": text or f"Nothing of note came of {name}.", **changes})


def body_of(entries: Iterable[FeedEntry]) -> bytes:
    """Entries as a feed of RSS tells them."""
    rows = "".join(
        f"<item><guid isPermaLink='false'>{escape(one.id)}</guid><title>{escape(one.title)}</title><link>{escape(one.link)}</link>"
        f"<description>{escape(one.text)}</description>"
        + (f"<pubDate>{format_datetime(one.published)}</pubDate></item>" if one.published else "</item>")
        for one in entries
    )
    return f"<rss version='2.0'><channel><title>Example</title>{rows}</channel></rss>".encode()


@dataclass
class Listening:
    """A desk that listens to feeds. `minutes` lets time pass: every minute what is due is sent off, polled and detected."""

    world: World = field(default_factory=World)
    feeds: MemoryFeeds = field(init=False)
    web: MemoryWeb = field(default_factory=MemoryWeb)
    feed_queue: MemoryQueue = field(default_factory=MemoryQueue)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    pages: MemoryQueue = field(default_factory=MemoryQueue)
    parse: Callable[..., Feed] = parse
    told: list[Article] = field(default_factory=list)
    """Every article that was sent on, in order."""

    def __post_init__(self) -> None:
        self.feeds = MemoryFeeds(self.world.table)

    def add(self, feed: Subscription | None = None) -> Subscription:
        """Puts a feed on the list, due at once."""
        feed = feed or subscription()
        self.feeds.add(feed, self.world.clock())
        return feed

    def publish(self, *entries: FeedEntry, url: str = URL, moved: str = "", **headers: str) -> None:
        """The feed's server has these entries from now on."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        self.web.answers[url] = Answer(url, 200, given, body_of(entries), moved)

    def answer(self, answer: Answer | Exception, url: str = URL) -> None:
        """The feed's server answers this from now on."""
        self.web.answers[url] = answer

    def poller(self, *, feeds: Feeds | None = None, queue: Queue | None = None) -> Poller:
        """A poller on these twins, or on what is given instead of them."""
        world = self.world
        neighbours = (
            self.web,
            self.parse,
            world.archive,
            queue or self.queue,
            self.pages,
            self.feed_queue,
            world.clock,
        )
        return Poller(feeds or self.feeds, *neighbours)

    def poll(self, *feeds: str, poller: Poller | None = None) -> list[str]:
        """Polls feeds, those on the list when none is named, and lets the detector have what comes of it."""
        asked = [Asked(f"message {feed}", feed) for feed in feeds or self.feeds.listed]
        failed = (poller or self.poller()).poll(asked)
        self.detect()
        return failed

    def detect(self) -> None:
        """What lies on the article queue reaches the detector, and what that decides the channel."""
        articles = brought(self.world.archive, self.queue.bodies)
        self.queue.bodies.clear()
        self.told += articles
        for first in range(0, len(articles), 10):
            assert self.world.arrive(*articles[first : first + 10]) == []
        self.world.deliver()

    def minutes(self, count: int) -> int:
        """Lets minutes pass, and what is due be polled; returns how many polls that took."""
        polls = 0
        for _ in range(count):
            self.world.clock.move(minutes=1)
            send_due(self.feeds, self.feed_queue, self.world.clock())
            bodies = self.feed_queue.bodies[:]
            self.feed_queue.bodies.clear()
            for body in bodies:
                asked = asked_for(body)
                polls += len(asked)
                self.poll(*asked)
            self.world.deliverer("sweep").sweep()
        return polls

    @property
    def alerts(self) -> list[str]:
        """The alerts of stories in the channel, in order, by what raised them."""
        return [
            shown.alert.rpartition("/")[2] for shown in self.world.slack.messages if shown.message.metadata["story"]
        ]

    @property
    def notices(self) -> list[str]:
        """What the channel was told of feeds, in order."""
        told = [one for one in self.world.slack.messages if one.message.metadata["reason"] == "notices"]
        return [line for one in told for line in one.message.text.splitlines()[1:-1]]

    def headers(self) -> Mapping[str, str]:
        """The conditions of the latest request."""
        return self.web.asked[-1][1]
