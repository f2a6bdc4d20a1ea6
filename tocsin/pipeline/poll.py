"""Asks the feeds that are due, and sends what is new in them on its way."""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tocsin import cursor, health, schedule
from tocsin.article import MAX_TEXT, Article
from tocsin.cursor import Cursor, Part, Recognised, Seen
from tocsin.errors import Conflict, FeedFault, FetchFault
from tocsin.feed import Answer, Feed
from tocsin.health import Failing, Health
from tocsin.pipeline.archive import INLINE, archive_key, archived
from tocsin.ports import Archive, Clock, FateRecord, Feeds, Listed, Meter, Notice, Queue, Web, unmetered
from tocsin.subscription import Subscription, host_of

log = logging.getLogger("tocsin")

MOST_DUE = 2_000
"""Feeds whose turn has come that are sent off at one time, and as many that wait; the rest waits for the next minute."""
LOOKED_AT = 20_000
"""Feeds that are looked at for them, so that hundreds of one host hide no others."""
A_MESSAGE = 150
"""Feeds that are asked for by one message, in one call: what they bring is one object of the archive, and their waiting is shared."""
TOGETHER = 26
"""Hosts that are asked at a time: a function waits for servers most of its time, and waiting is paid for."""
ENOUGH = timedelta(seconds=60)
"""After so long no further feed is asked in a call; what is left goes back to the queue."""
HELD = 4_000_000
"""Characters of articles that are held at most before they are sent, but for those of one feed."""
BUSY = timedelta(minutes=5)
"""Longer than a function reads one feed: after that it has ended."""
NOT_MODIFIED, GONE = 304, 410
_MAX_HEADER = 300


def send_due(feeds: Feeds, queue: Queue, now: datetime) -> int:
    """Sends off each feed whose turn has come, and those that are due out of turn, many in a message; returns how many.

    What was sent off is noted only after its message was accepted: when that fails it is sent off again, which does no harm.
    Of a host with many feeds some wait until the next minute; that alone is written for each.
    """
    found = feeds.round(now)
    turns, until = schedule.first(found.turns, MOST_DUE, now)
    waiting = dict.fromkeys(feeds.due(now, LOOKED_AT))
    spread = schedule.spread({**waiting, **dict.fromkeys(turns)})
    late = {*[feed for feed in spread if feed in waiting][:MOST_DUE]}
    chosen = {feed: feed in waiting for feed in spread if feed in late or feed not in waiting}
    for feed in turns:
        if feed not in chosen and feed not in waiting:
            feeds.wait(feed, now)
    for batch in _batches(list(chosen), A_MESSAGE):
        queue.send([json.dumps({"feeds": batch})])
        for feed in batch:
            if chosen[feed]:
                feeds.asked(feed, now)
    feeds.sent(found, until)
    return len(chosen)


def asked_for(body: str) -> list[str]:
    """The feeds in a queue message."""
    told = json.loads(body)
    return [str(feed) for feed in told["feeds"]] if "feeds" in told else [str(told["feed"])]


def comes_again(body: str) -> bool:
    """Whether a queue message is about a feed that came to nothing in the company of others."""
    return bool(json.loads(body).get("again"))


@dataclass(frozen=True, slots=True)
class Asked:
    """A feed that a message asks for, alone or beside others."""

    message: str
    """Its id."""
    feed: str
    tries: int = 1
    """How often it came, this time included, alone or not."""
    sent: datetime | None = None
    """When it was put on the queue; None when nobody knows."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of asking a server."""

    answer: Answer | Exception
    parts: Sequence[Part] = ()
    """What was put aside of the feed's entries, unless there is nothing new."""


@dataclass
class Poll:
    """What one poll brought, and what is to be written once all of it is on its way."""

    listed: Listed
    before: Cursor
    after: Cursor
    articles: list[Article] = field(default_factory=list)
    held: list[FateRecord] = field(default_factory=list)
    """Fates of entries that are remembered, but not sent."""
    aside: Part | None = None
    """What became known before and is to be put aside."""
    pause: timedelta | None = None
    """How long the server asked to be left alone."""

    @property
    def feed(self) -> Subscription:
        """The feed that was asked."""
        return self.listed.feed

    @property
    def weight(self) -> int:
        """Characters of what it brought."""
        return sum(len(article.text) for article in self.articles)


@dataclass(frozen=True, slots=True)
class Poller:
    """Asks feeds, and sends what is new or was edited in them on its way.

    A cursor is written only after every article was accepted by its queue, so a failure anywhere reads the feed again, and
    what comes twice has the same id both times. Two that ask one feed at once send the same, and one of them writes.
    """

    feeds: Feeds
    web: Web
    parse: Callable[..., Feed]
    """`tocsin.adapters.feed.parse`: the bytes of a feed and, by name, `url`, `content_type` and `known`, to the feed; `FeedFault`."""
    archive: Archive
    queue: Queue
    pages: Queue
    """Where articles go of which the feed gives a summary only, as JSON of the article."""
    again: Queue
    """Where feeds go that are to be asked once more."""
    clock: Clock
    meter: Meter = unmetered

    def poll(self, asked: Sequence[Asked]) -> list[str]:
        """Handles messages; returns the ids of those that must come again.

        What comes again may be what ended the function, so it is read alone, after all others, and a mark says so. A feed
        whose mark is still there when the function has long ended is not read any more: its message becomes a dead letter.
        A message for several feeds comes again as one for each, which are read alone then.
        """
        now = self.clock()
        several = Counter(one.message for one in asked)
        known = self._known(asked)
        apart = {one.feed for one in asked if several[one.message] > 1 and one.tries > 1}
        tried = {one.feed: one for one in asked if one.feed not in apart and _suspect(one, known)}
        failed, left = self._read_all([known[feed] for feed in known if feed not in {*tried, *apart}], now)
        alone = [feed for feed in apart if feed in known and not known[feed][1].health.fatal]
        alone += [one.feed for one in asked if one.feed in failed and several[one.message] > 1]
        unsent = self._send_again(alone, left)
        for feed, one in tried.items():
            if not self._tried(one, *known[feed], now):
                failed.add(feed)
        lost = {one.message for one in asked if one.feed in failed and several[one.message] == 1}
        return sorted(lost | {one.message for one in asked if one.feed in unsent})

    def _known(self, asked: Sequence[Asked]) -> dict[str, tuple[Listed, Cursor]]:
        """The feeds as they are known; of those that come again as they are at this very moment."""
        others = sorted({one.feed for one in asked if one.tries > 1})
        first = sorted({one.feed for one in asked} - set(others))
        found = self.feeds.read(first) if first else {}
        return {**found, **(self.feeds.read(others, consistent=True) if others else {})}

    def _read_all(self, known: Sequence[tuple[Listed, Cursor]], now: datetime) -> tuple[set[str], list[str]]:
        """Asks feeds and sends what they bring; which of them came to nothing, and which there was no time for."""
        failed: set[str] = set()
        left: list[str] = []
        polls: list[Poll] = []
        for listed, at, heard in self._answers([one for one in known if not _too_soon(one[0], now)], now):
            if heard is None:
                left.append(listed.feed.id)
                continue
            try:
                polls.append(self._read(listed, at, heard, now))
            except Exception:
                log.exception("feed %s comes again", ascii(listed.feed.id))
                failed.add(listed.feed.id)
            if sum(poll.weight for poll in polls) >= HELD:
                failed |= self._finish(polls, now)
                polls.clear()
        return failed | (self._finish(polls, now) if polls else set()), left

    def _send_again(self, alone: Sequence[str], left: Sequence[str]) -> set[str]:
        """Sends feeds off again, some to be read alone; those that the queue did not take."""
        bodies = [json.dumps({"feed": feed, "again": True}) for feed in alone]
        bodies += [json.dumps({"feeds": batch}) for batch in _batches(left, A_MESSAGE)]
        try:
            if bodies:
                self.again.send(bodies)
        except Exception:
            log.exception("%d feeds come again", len(alone) + len(left))
            return {*alone, *left}
        return set()

    def _tried(self, one: Asked, listed: Listed, at: Cursor, now: datetime) -> bool:
        """Handles a feed that may be what ended the function; whether its message is done with."""
        try:
            if at.health.fatal and not _redriven(one, at.health):
                return False
            if at.health.alone:
                return self._busy(listed, at, now)
            if listed.ended and not at.health.fatal:  # it ended while the message was on its way
                return True
            marked = replace(at, health=health.alone(at.health, now))
            self.feeds.save(marked)
            return self._alone(listed, replace(marked, version=at.version + 1), now)
        except Conflict:
            return True  # another function has it
        except Exception:
            log.exception("feed %s comes again", ascii(one.feed))
            return False

    def _busy(self, listed: Listed, at: Cursor, now: datetime) -> bool:
        """Whether another function reads the feed, so that all is well; if not, it ended reading it."""
        if now.timestamp() - at.health.alone < BUSY.total_seconds():
            return True
        log.error("feed %s ends the function that reads it: it is not asked any more", ascii(listed.feed.id))
        self._save(listed, replace(at, health=health.killed(at.health, now)), now)
        self.feeds.end(listed.feed.id)
        return False

    def _alone(self, listed: Listed, marked: Cursor, now: datetime) -> bool:
        try:
            poll = self._read(listed, marked, self._answer(listed, marked), now)
            if not self._finish([poll], now):
                return True
        except Exception:
            log.exception("feed %s comes again", ascii(listed.feed.id))
        self.feeds.save(replace(marked, health=health.over(marked.health)))  # the function goes on: it was not that
        return False

    def _finish(self, polls: Sequence[Poll], now: datetime) -> set[str]:
        """Sends what polls brought and then writes how far they came; the feeds to be read again."""
        self.meter(FailedPolls=[float(bool(poll.after.health.failing)) for poll in polls])
        failed = self._sent(polls, now)
        brought = [poll for poll in polls if poll.feed.id not in failed]
        with ThreadPoolExecutor(TOGETHER) as pool:  # the table is waited for together, too
            return failed | {feed for feed in pool.map(lambda poll: self._settled(poll, now), brought) if feed}

    def _settled(self, poll: Poll, now: datetime) -> str:
        """Writes what a poll changed; the feed, if it is to be read again."""
        feed = poll.feed.id
        try:
            self._settle(poll, now)
        except Conflict:
            log.info("feed %s was read by another function too", ascii(feed))
        except Exception:
            log.exception("feed %s comes again", ascii(feed))
            return feed
        return ""

    def _answers(
        self, known: Iterable[tuple[Listed, Cursor]], now: datetime
    ) -> Iterator[tuple[Listed, Cursor, Heard | None]]:
        """What the servers answer: a few hosts are asked at a time, the feeds of one host one after another. None: no time was left.

        No more answers are held than hosts are asked; those with most feeds begin, for they take longest.
        """
        hosts: defaultdict[str, deque[tuple[Listed, Cursor]]] = defaultdict(deque)
        for listed, at in known:
            if not listed.ended:  # else it ended while the message was on its way
                hosts[host_of(listed.feed.id)].append((listed, at))
        waiting = deque(sorted(hosts.values(), key=len, reverse=True))
        ahead: dict[Future[Heard], tuple[deque[tuple[Listed, Cursor]], Listed, Cursor]] = {}
        with ThreadPoolExecutor(TOGETHER) as pool:
            while waiting or ahead:
                if waiting and self.clock() - now >= ENOUGH:
                    yield from ((*one, None) for feeds in waiting for one in feeds)
                    waiting.clear()
                while waiting and len(ahead) < TOGETHER:
                    feeds = waiting.popleft()
                    one = feeds.popleft()
                    ahead[pool.submit(self._answer, *one)] = feeds, *one
                wait(ahead, return_when=FIRST_COMPLETED)
                future = next((one for one in ahead if one.done()), None)
                if future is None:
                    continue
                feeds, listed, at = ahead.pop(future)
                heard = future.result()
                del future  # it would hold the answer while the next is waited for
                if feeds:
                    waiting.appendleft(feeds)
                yield listed, at, heard

    def _answer(self, listed: Listed, at: Cursor) -> Heard:
        """What a server answers, and what was put aside of the feed's entries if it may say something new."""
        try:
            answer = self.web.get(listed.feed.url, _conditions(at))
            changed = answer.status not in {NOT_MODIFIED, GONE} and at.body not in {"", _hash(answer.body)}
            return Heard(answer, self.feeds.recall(listed.feed.id) if changed else ())
        except Exception as error:  # noqa: BLE001 - it is told of the feed it belongs to
            return Heard(error)

    def _read(self, listed: Listed, before: Cursor, heard: Heard, now: datetime) -> Poll:
        """What an answer says."""
        answer = heard.answer
        poll = Poll(listed, before, replace(before, health=health.over(before.health)))
        try:
            if isinstance(answer, Exception):
                raise answer
            if answer.status == GONE:
                poll.after = replace(before, health=replace(poll.after.health, ended=True))
                return poll
            poll.after = replace(poll.after, health=health.pointed(poll.after.health, answer.moved, now))
            if answer.status != NOT_MODIFIED:
                self._parse(poll, answer, heard.parts, now)
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

    def _parse(self, poll: Poll, answer: Answer, parts: Sequence[Part], now: datetime) -> None:
        """Reads a feed that may have changed; what is known already is left out."""
        body = _hash(answer.body)
        marked = replace(
            poll.after, etag=_header(answer, "etag"), last_modified=_header(answer, "last-modified"), body=body
        )
        if body == poll.before.body:
            poll.after = marked
            return
        known = cursor.known(poll.before, parts)
        feed, found = self._found(poll, answer, known, now, poll.before.marks)
        after, poll.aside = cursor.remembering(marked, parts, found)
        if feed.partial and (poll.aside or not cursor.like_nothing(found, poll.before, known)):
            feed, found = self._found(poll, answer, known, now)  # what it still holds matters
            after, poll.aside = cursor.remembering(marked, parts, found)
        for note in feed.notes[:10]:
            log.info("feed %s: %s", ascii(poll.feed.id), ascii(note[:300]))
        news = [one for one in found if one.news != "known"]
        same = (marked.etag, marked.last_modified) == (poll.before.etag, poll.before.last_modified)
        if poll.before.body and same and not news:
            poll.aside = None
            return  # another body that says nothing else: to read it again costs less than to remember that
        for one in news:
            self._take(poll, one, cursor.unheard_of(one, poll.before, known), now)
        if news and feed.left_out:
            poll.held += [_left_out(poll.feed, "; ".join(feed.left_out), now)]
        fresh = [one.entry.published or one.entry.updated or now for one in news if one.news == "new"]
        after = replace(after, marks=feed.marks)
        poll.after = replace(after, health=health.heard(after.health, fresh, now) if fresh else after.health)

    def _found(
        self, poll: Poll, answer: Answer, known: Sequence[Seen], now: datetime, marks: Sequence[str] = ()
    ) -> tuple[Feed, list[Recognised]]:
        """The feed, without entries whose marks are known if that is possible, and what is recognised in it."""
        told = answer.headers.get("content-type", "")
        feed = self.parse(answer.body, url=answer.url, content_type=told, known=marks)
        return feed, cursor.recognised(poll.feed.id, feed.entries, known, now)

    def _take(self, poll: Poll, one: Recognised, fresh: bool, now: datetime) -> None:  # noqa: FBT001 - as the article has it
        """Sends an entry on, or says why not."""
        article = cursor.article(poll.feed, one)
        if not (article.text.strip() or article.title.strip()):
            poll.held.append(
                FateRecord.of(
                    article, "rejected", f"the entry has neither a headline nor a text; {_EMPTY}", now.isoformat()
                )
            )
        elif len(article.text) > MAX_TEXT:
            what = f"the entry has {len(article.text):,} characters, and {MAX_TEXT:,} is the most; drop it under inbox/ in parts"
            poll.held.append(FateRecord.of(article, "rejected", what, now.isoformat()))
        elif one.seen.undated and one.news == "new" and not poll.before.body:
            what = "it has no date and stood in the feed when that was first read, so nobody knows how old it is"
            poll.held.append(FateRecord.of(article, "stale", what, now.isoformat()))
        else:
            poll.articles.append(replace(article.arriving(now), fresh=fresh))

    def _sent(self, polls: Sequence[Poll], now: datetime) -> set[str]:
        """Sends what all of the polls brought, together; the feeds to be read again because some of it was not accepted."""
        bringing = [poll for poll in polls if poll.articles or poll.held]
        try:
            self._send(bringing, now)
        except Exception:
            log.exception("%d feeds come again", len(bringing))
            return {poll.feed.id for poll in bringing}
        if told := [f"{poll.feed.id!a} ({len(poll.articles)})" for poll in bringing if poll.articles]:
            log.info("articles are on their way from %s", ", ".join(told))
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
        feed = poll.feed
        if poll.aside:  # first: what is put aside and not counted does no harm
            self.feeds.put_aside(feed.id, poll.aside)
        after = self._save(poll.listed, poll.after, now, poll.before)
        if after.ended:
            self.feeds.end(feed.id)
            return
        if new := health.settled(after, now):
            self.feeds.move(feed.id, feed.url, new)
        wanted = schedule.interval(feed, after, now)
        place = schedule.place(feed.id, wanted, after, now)
        due = schedule.paused(place, wanted, now, poll.pause) if poll.pause else None
        if poll.listed.ended:
            self.feeds.resume(feed.id, wanted, place, now, due)
        elif due or (wanted, place) != (poll.listed.interval, poll.listed.place):
            self.feeds.reschedule(feed.id, wanted, place, now, due)

    def _save(self, listed: Listed, after: Cursor, now: datetime, before: Cursor | None = None) -> Health:
        """Writes a cursor, if it differs, with what the channel is to be told; answers the health that was written."""
        told, news = health.news(after.health, now)
        saved = replace(after, health=told)
        if saved != before:
            feed = listed.feed
            self.feeds.save(saved, [Notice(feed.id, kind, feed.name, what, now.isoformat()) for kind, what in news])
        return told


def _suspect(one: Asked, known: Mapping[str, tuple[Listed, Cursor]]) -> bool:
    """Whether a feed may be what ended the function: its message comes again, or it was read alone to no end."""
    if one.feed not in known:
        return False
    state = known[one.feed][1].health
    return one.tries > 1 or bool(state.alone) or state.fatal


def _too_soon(listed: Listed, now: datetime) -> bool:
    """Whether a feed was asked just before its turn, which it has begun to take only then."""
    return listed.place is not None and listed.asked is not None and now - listed.asked < listed.feed.every / 2


def _batches(feeds: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """The feeds in order, so many at a time."""
    return (feeds[first : first + size] for first in range(0, len(feeds), size))


def _redriven(one: Asked, state: Health) -> bool:
    """Whether somebody sent a feed off again after it was taken out of the schedule."""
    return one.sent is not None and one.sent.timestamp() > state.since


def _hash(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:32]


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


_EMPTY = "open its link, or tell the publisher; if all are like it, remove the feed"
_LEFT_OUT = "ask its publisher for a shorter feed, or drop what you miss under inbox/"


def _left_out(feed: Subscription, what: str, now: datetime) -> FateRecord:
    """The fate of entries that are not read at all, together."""
    reason = f"the feed {what}; {_LEFT_OUT}"
    return FateRecord(f"{feed.id}/left-out", "rejected", reason, now.isoformat(), "", "", feed.name, (), feed.url)
