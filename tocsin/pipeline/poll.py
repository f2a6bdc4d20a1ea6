"""Asks the feeds that are due, and sends what is new in them on its way."""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tocsin import cursor, health, schedule
from tocsin.article import MAX_TEXT, Article
from tocsin.cursor import Cursor, Recognised
from tocsin.decide import Fate
from tocsin.errors import Conflict, FeedFault, FetchFault
from tocsin.feed import Answer, Feed
from tocsin.health import Failing
from tocsin.pipeline.archive import INLINE, archive_key, archived
from tocsin.ports import Archive, Clock, FateRecord, Feeds, Listed, Meter, Notice, Queue, Web, unmetered
from tocsin.subscription import Subscription, host_of

log = logging.getLogger("tocsin")

MOST_DUE = 2_000
"""Feeds sent off at one time; the rest waits for the next minute."""
LOOKED_AT = 20_000
"""Feeds that are looked at for them, so that hundreds of one host hide no others."""
TOGETHER = 5
"""Hosts that are asked at a time: a function waits for servers most of its time, and waiting is paid for."""
NOT_MODIFIED, GONE = 304, 410
_MAX_HEADER = 300


def send_due(feeds: Feeds, queue: Queue, now: datetime) -> int:
    """Sends off each feed that is due as a message of its own; returns how many.

    A feed is moved on only after its message was accepted: when that fails it is sent off again, which does no harm.
    """
    due = schedule.spread(feeds.due(now, LOOKED_AT))[:MOST_DUE]
    for first in range(0, len(due), 10):
        batch = due[first : first + 10]
        queue.send([json.dumps({"feed": feed}) for feed in batch])
        for feed in batch:
            feeds.asked(feed, now)
    return len(due)


def asked_for(body: str) -> str:
    """The feed in a queue message."""
    return str(json.loads(body)["feed"])


@dataclass
class Poll:
    """What one poll brought, and what is to be written once all of it is on its way."""

    listed: Listed
    before: Cursor
    after: Cursor
    articles: list[Article] = field(default_factory=list)
    held: list[FateRecord] = field(default_factory=list)
    """Fates of entries that are remembered, but not sent."""
    pause: timedelta | None = None
    """How long the server asked to be left alone."""

    @property
    def feed(self) -> Subscription:
        """The feed that was asked."""
        return self.listed.feed


@dataclass(frozen=True, slots=True)
class Poller:
    """Asks feeds, and sends what is new or was edited in them on its way.

    A cursor is written only after every article was accepted by its queue, so a failure anywhere reads the feed again, and
    what comes twice has the same id both times. Two that ask one feed at once send the same, and one of them writes.
    """

    feeds: Feeds
    web: Web
    parse: Callable[..., Feed]
    """`tocsin.adapters.feed.parse`: the bytes of a feed and, by name, `url` and `content_type`, to the feed; `FeedFault`."""
    archive: Archive
    queue: Queue
    pages: Queue
    """Where articles go of which the feed gives a summary only, as JSON of the article."""
    clock: Clock
    meter: Meter = unmetered

    def poll(self, asked: Sequence[tuple[str, str]]) -> list[str]:
        """Handles a batch of (message id, feed id); returns the ids of those that must come again."""
        now = self.clock()
        known = self.feeds.read(sorted({feed for _, feed in asked}))
        polls: dict[str, Poll] = {}
        failed: set[str] = set()
        for listed, at, answer in self._answers(list(known.values())):
            try:
                polls[listed.feed.id] = self._read(listed, at, answer, now)
            except Exception:
                log.exception("feed %s comes again", ascii(listed.feed.id))
                failed.add(listed.feed.id)
        self.meter(FailedPolls=[float(bool(poll.after.health.failing)) for poll in polls.values()])
        lost = self._sent(list(polls.values()), now)
        failed |= lost
        for feed, poll in polls.items():
            try:
                if feed not in lost:
                    self._settle(poll, now)
            except Conflict:
                log.info("feed %s was read by another function too", ascii(feed))
            except Exception:
                log.exception("feed %s comes again", ascii(feed))
                failed.add(feed)
        return [message for message, feed in asked if feed in failed]

    def _answers(self, known: Iterable[tuple[Listed, Cursor]]) -> Iterator[tuple[Listed, Cursor, Answer | Exception]]:
        """What the servers answer: a few hosts are asked at a time, the feeds of one host one after another."""
        hosts: defaultdict[str, list[tuple[Listed, Cursor]]] = defaultdict(list)
        for listed, at in known:
            if listed.due is not None:  # else it ended while the message was on its way
                hosts[host_of(listed.feed.id)].append((listed, at))
        with ThreadPoolExecutor(TOGETHER) as pool:
            ahead: deque[Future[list[tuple[Listed, Cursor, Answer | Exception]]]] = deque()
            for feeds in hosts.values():
                ahead.append(pool.submit(self._of_host, feeds))
                if len(ahead) == TOGETHER:
                    yield from ahead.popleft().result()
            while ahead:
                yield from ahead.popleft().result()

    def _of_host(self, feeds: Iterable[tuple[Listed, Cursor]]) -> list[tuple[Listed, Cursor, Answer | Exception]]:
        answers: list[tuple[Listed, Cursor, Answer | Exception]] = []
        for listed, at in feeds:
            try:
                answers.append((listed, at, self.web.get(listed.feed.url, _conditions(at))))
            except Exception as error:  # noqa: BLE001 - it is told of the feed it belongs to
                answers.append((listed, at, error))
        return answers

    def _read(self, listed: Listed, before: Cursor, answer: Answer | Exception, now: datetime) -> Poll:
        """What an answer says."""
        poll = Poll(listed, before, replace(before, health=replace(before.health, ended=False)))
        try:
            if isinstance(answer, Exception):
                raise answer
            if answer.status == GONE:
                poll.after = replace(before, health=replace(before.health, ended=True))
                return poll
            poll.after = replace(poll.after, health=health.pointed(poll.after.health, answer.moved, now))
            if answer.status != NOT_MODIFIED:
                self._parse(poll, answer, now)
            poll.after = replace(poll.after, health=health.answered(poll.after.health, now))
        except FetchFault as fault:
            poll.pause = schedule.heeded(listed.feed, fault.retry_after) if fault.retry_after else None
            self._failed(poll, "dead", str(fault), now)
        except FeedFault as fault:
            self._failed(poll, "malformed", str(fault), now)
        return poll

    def _failed(self, poll: Poll, failing: Failing, what: str, now: datetime) -> None:
        log.info("feed %s: %s", ascii(poll.feed.id), ascii(what))
        before = poll.after.health
        if before.failing != failing or not before.since:  # the same again needs no write
            poll.after = replace(poll.after, health=health.failed(before, failing, what, now))

    def _parse(self, poll: Poll, answer: Answer, now: datetime) -> None:
        """Reads a feed that may have changed; what is known already is left out."""
        body = hashlib.sha256(answer.body).hexdigest()[:32]
        if body == poll.before.body:
            return
        feed = self.parse(answer.body, url=answer.url, content_type=answer.headers.get("content-type", ""))
        for note in feed.notes[:10]:
            log.info("feed %s: %s", ascii(poll.feed.id), ascii(note[:300]))
        found = cursor.recognised(poll.feed.id, feed.entries, poll.before.seen, now)
        news = [one for one in found if one.news != "known"]
        if not news and poll.before.body:
            return  # another body that says nothing else: to read it again costs less than to remember that
        for one in news:
            self._take(poll, one, now)
        fresh = [one.entry.published or one.entry.updated or now for one in news if one.news == "new"]
        poll.after = replace(
            poll.after,
            etag=_header(answer, "etag"),
            last_modified=_header(answer, "last-modified"),
            body=body,
            seen=cursor.remembered(found, poll.before.seen),
            health=health.heard(poll.after.health, fresh, now) if fresh else poll.after.health,
        )

    def _take(self, poll: Poll, one: Recognised, now: datetime) -> None:
        """Sends an entry on, or says why not."""
        article = cursor.article(poll.feed, one)
        if not (article.text.strip() or article.title.strip()):
            poll.held.append(_fate(article, "rejected", "the entry has neither a headline nor a text", now))
        elif len(article.text) > MAX_TEXT:
            what = f"the entry has {len(article.text):,} characters, and {MAX_TEXT:,} is the most"
            poll.held.append(_fate(article, "rejected", what, now))
        elif one.seen.undated and one.news == "new" and not poll.before.body:
            what = "it has no date and stood in the feed when that was first read, so nobody knows how old it is"
            poll.held.append(_fate(article, "stale", what, now))
        else:
            fresh = cursor.unheard_of(one, poll.before)
            poll.articles.append(replace(article.arriving(now), fresh=fresh))

    def _sent(self, polls: Sequence[Poll], now: datetime) -> set[str]:
        """Sends what all of the polls brought, together; the feeds to be read again because some of it was not accepted."""
        bringing = [poll for poll in polls if poll.articles or poll.held]
        try:
            self._send(bringing, now)
        except Exception:
            log.exception("%d feeds come again", len(bringing))
            return {poll.feed.id for poll in bringing}
        return set()

    def _send(self, polls: Sequence[Poll], now: datetime) -> None:
        held = [record for poll in polls for record in poll.held]
        if held:
            rows = "\n".join(json.dumps(record.to_json()) for record in held)
            key = archive_key("fates", now, [f"{record.article}\n{record.content}" for record in held])
            self.archive.write(key, gzip.compress(rows.encode(), mtime=0))
        told = [(_has_page(poll.feed, article), article) for poll in polls for article in poll.articles]
        if whole := [article for has_page, article in told if not has_page]:
            self.queue.send(archived(self.archive, whole, now))
        if summaries := [json.dumps(article.to_json()) for has_page, article in told if has_page]:
            self.pages.send(summaries)

    def _settle(self, poll: Poll, now: datetime) -> None:
        """Writes what the poll changed: the cursor with what the channel is to be told, then the schedule."""
        feed, (after, news) = poll.feed, health.news(poll.after.health, now)
        saved = replace(poll.after, health=after)
        if saved != poll.before:
            self.feeds.save(saved, [Notice(feed.id, kind, feed.name, what, now.isoformat()) for kind, what in news])
        if after.ended:
            self.feeds.end(feed.id)
            return
        if new := health.settled(after, now):
            self.feeds.move(feed.id, feed.url, new)
        wanted = schedule.interval(feed, after, now)
        if poll.pause or wanted != poll.listed.interval:
            wait = max(poll.pause or wanted, wanted) + timedelta(seconds=schedule.jitter(feed.id, now))
            self.feeds.reschedule(feed.id, wanted, now + wait)


def _conditions(before: Cursor) -> dict[str, str]:
    """The headers that ask for the feed only if it has changed."""
    given = {"If-None-Match": before.etag, "If-Modified-Since": before.last_modified}
    return {name: value for name, value in given.items() if value}


def _header(answer: Answer, name: str) -> str:
    """What a server said, if it can be said back to it."""
    value = answer.headers.get(name, "").strip()
    return value if value.isascii() and value.isprintable() and len(value) <= _MAX_HEADER else ""


def _has_page(feed: Subscription, article: Article) -> bool:
    """Whether the article's page is to be fetched: it has one of its own, and travels whole."""
    return feed.pages and bool(article.address) and len(json.dumps(article.to_json())) <= INLINE


def _fate(article: Article, fate: Fate, reason: str, now: datetime) -> FateRecord:
    published = article.published.isoformat() if article.published else ""
    return FateRecord(
        article.id, fate, reason, now.isoformat(), "", article.title, article.source, (), article.url, published, article.content
    )  # fmt: skip
