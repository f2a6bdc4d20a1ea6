"""In-memory twins of the ports: what the adapters promise on AWS and Slack, small enough to run a thousand times a second."""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tocsin.article import Article
from tocsin.cursor import Cursor, Part
from tocsin.episodes import REMEMBERED
from tocsin.errors import Conflict, FetchFault, InputFault, Rejected
from tocsin.feed import Answer
from tocsin.ports import (
    BEYOND,
    BULLETIN,
    MUTED,
    NOTICES_WAIT,
    Backlog,
    Bulletin,
    Burst,
    Commit,
    FateRecord,
    Held,
    Listed,
    Message,
    Notice,
    OutboxRow,
    Posted,
    Rolled,
    Round,
    Tally,
    Turn,
    Wanted,
    beside,
    digest_alert,
    notices_alert,
)
from tocsin.schedule import TRIAL, jitter, turn
from tocsin.signal import LEVELS
from tocsin.silence import Silence
from tocsin.story import Story
from tocsin.subscription import Subscription

CHANNEL = "C0ALERTS"


class Crash(BaseException):
    """The process ends here and now; no `except Exception` sees it."""


@dataclass
class Row:
    """An outbox row as the table keeps it; times in epoch seconds."""

    story: str
    wanted: int
    reply: Mapping[str, Any] | None
    due_at: float | None
    status: str = "pending"
    owner: str | None = None
    lease_until: float | None = None
    attempted_at: float | None = None
    shown: int = 0
    channel: str = ""
    ts: str = ""
    plain: bool = False
    doubted_at: float | None = None
    since: float | None = None
    bulletin: Bulletin | None = None
    audit: bool = False
    """Whether it is delivered and due for an audit only."""
    note: str = ""
    level: str = ""
    rolled_into: str = ""
    further: tuple[str, ...] = ()

    def held(self, alert: str) -> OutboxRow:
        """The row as a deliverer holds it."""
        return OutboxRow(
            alert, self.story, self.wanted, self.shown, self.level, self.reply, self.channel, self.ts, self.attempted_at,
            self.plain, self.doubted_at, self.rolled_into, self.bulletin, self.further,
        )  # fmt: skip


class MemoryTable:
    """`tocsin.ports.Table` in dictionaries, with the same conditions on every write."""

    def __init__(self) -> None:
        self.fates: dict[str, FateRecord] = {}
        self.stories: dict[str, Story] = {}
        self.rows: dict[str, Row] = {}
        self.addresses: dict[str, str] = {}
        self.helds: dict[tuple[str, str], Held] = {}
        self.noted: dict[tuple[str, str], Notice] = {}
        self.counted: dict[str, Tally] = {}
        self.free: dict[str, datetime] = {}
        self.rooms: dict[Burst, frozenset[str]] = {}
        self.lists: dict[tuple[Burst, str], Rolled] = {}
        self.shut_until: datetime | None = None
        self.names: dict[str, datetime] = {}
        self._silences: list[Silence] = []

    def fate(self, article: str) -> FateRecord | None:
        """See `Table.fate`."""
        return self.fates.get(article)

    def known(self, articles: Sequence[Article]) -> Mapping[str, FateRecord]:
        """See `Table.known`."""
        ids = {one.id: one.id if one.id in self.fates else self.addresses.get(one.address, "") for one in articles}
        return {one: self.fates[name] for one, name in ids.items() if name in self.fates}

    def record(self, fate: FateRecord) -> None:
        """See `Table.record`."""
        self.fates.setdefault(fate.article, self._recorded(fate))

    def episodes(self, key: str) -> Sequence[Story]:
        """See `Table.episodes`."""
        found = [story for story in self.stories.values() if story.id.rpartition("#")[0] == key]
        return sorted(found, key=lambda story: -story.number)[:REMEMBERED]

    def story(self, story_id: str) -> Story | None:
        """See `Table.story`."""
        return self.stories.get(story_id)

    def silences(self, now: datetime) -> Sequence[Silence]:
        """See `Table.silences`."""
        return [silence for silence in self._silences if silence.begins <= now < silence.ends]

    def all_silences(self) -> Sequence[Silence]:
        """See `DynamoTable.all_silences`."""
        return self._silences

    def add_silence(self, silence: Silence) -> None:
        """See `DynamoTable.add_silence`."""
        self._silences = sorted(
            [*(one for one in self._silences if one.id != silence.id), silence], key=lambda one: one.id
        )

    def commit(self, commit: Commit, now: datetime) -> None:
        """See `Table.commit`."""
        if not self._expected(commit):
            what = commit.fate.article if commit.fate else commit.article
            raise Conflict(f"article {what!r}: another writer was first")
        if commit.fate:
            self.fates[commit.fate.article] = self._recorded(commit.fate)
        for fate in commit.more:
            self.fates[fate.article] = self._recorded(fate)
        for story in commit.stories:
            self.stories[story.id] = self._written(replace(story, version=story.version + 1))
        for name, version in commit.beside:
            self.stories[name] = replace(self.stories[name], version=version + 1)
        for wanted in commit.alerts:
            self._want(wanted, now)
        for held in commit.held:
            self.helds[held.day, f"{held.story}/{held.reason}"] = Held(**json.loads(json.dumps(asdict(held))))
        if commit.address:
            self.addresses[commit.address] = commit.article

    def want(self, wanted: Wanted, now: datetime) -> None:
        """See `Memory.want`."""
        row = self.rows.get(wanted.alert)
        if row is None or row.wanted < wanted.story.version + 1:
            self._want(wanted, now)

    def once(self, name: str, now: datetime, until: datetime) -> bool:
        """See `DeskTable.once`."""
        if name in self.names and self.names[name] >= now:
            return False
        self.names[name] = until
        return True

    def act(self, story: Story, shown: Wanted | None, silences: Sequence[Silence], now: datetime) -> None:
        """See `DeskTable.act`."""
        known = self.stories.get(story.id)
        if (known.version if known else 0) != story.version:
            raise Conflict(f"story {story.id!r}: another writer was first")
        self.stories[story.id] = Story.from_json(
            json.loads(json.dumps(replace(story, version=story.version + 1).to_json()))
        )
        if shown:
            self._want(shown, now)
        for silence in silences:
            self.add_silence(silence)

    def _expected(self, commit: Commit) -> bool:
        """Whether everything is still as the commit was made for."""
        known = self.fates.get(commit.fate.article) if commit.fate else None
        found = known.content if known and known.fate != "rejected" else None
        fresh = commit.fate is None or found == commit.replaces
        others = (self.fates.get(fate.article) for fate in commit.more)
        fresh = fresh and all(one is None or one.fate == "rejected" for one in others)
        versions = {story.id: story.version for story in self.stories.values()}
        asked = [*((story.id, story.version) for story in commit.stories), *commit.relied, *commit.beside]
        theirs = self.addresses.get(commit.address, commit.article)
        return (
            fresh
            and all(versions.get(story, 0) == version for story, version in asked)
            and (not commit.address or theirs == commit.article)
        )

    def held(self, day: str) -> Sequence[Held]:
        """See `Table.held`."""
        return [held for (at, _), held in sorted(self.helds.items()) if at == day]

    def want_digest(self, day: str, now: datetime) -> bool:
        """See `Table.want_digest`."""
        if digest_alert(day) in self.rows:
            return False
        self.rows[digest_alert(day)] = Row("", 1, None, now.timestamp(), since=now.timestamp())
        return True

    def notices(self, hour: str) -> Sequence[Notice]:
        """See `Table.notices`."""
        return [notice for (at, _), notice in sorted(self.noted.items()) if at == hour]

    def _want(self, wanted: Wanted, now: datetime) -> None:
        version = wanted.story.version + 1 if wanted.reply is None else 1
        asked = Row(wanted.story.id, version, json.loads(json.dumps(wanted.reply)), now.timestamp(), level=wanted.level)
        self._ask(wanted.alert, asked)

    def _ask(self, alert: str, asked: Row) -> None:
        row = self.rows.setdefault(alert, asked)
        row.status, row.story, row.wanted, row.reply = "pending", asked.story, asked.wanted, asked.reply
        row.due_at, row.audit, row.level = asked.due_at, False, asked.level
        row.since = asked.due_at if row.since is None else row.since

    def claim(
        self, alert: str, owner: str, now: datetime, lease: timedelta, *, begins: str | None = None
    ) -> OutboxRow | None:
        """See `Table.claim`."""
        row = self.rows.get(alert)
        if (
            row is None
            or row.status not in {"pending", "waiting", "claimed"}
            or (row.lease_until or 0) > now.timestamp()
        ):
            return None
        row.status, row.owner = "claimed", owner
        row.lease_until = (now + lease).timestamp()
        held = row.held(alert)
        if begins is None:
            return held
        row.channel = row.channel or begins
        if held.attempted_at is not None:
            return held
        row.attempted_at = now.timestamp()
        return replace(held, channel=row.channel, begun_at=now.timestamp())

    def turn(self, channel: str, now: datetime, pace: timedelta) -> Turn:
        """See `Table.turn`."""
        if self.shut_until is not None:
            if now < self.shut_until <= now + BEYOND:
                return Turn(self.shut_until, shut=True)
            self.shut_until = now + timedelta(minutes=1)
            return Turn(probe=True)
        if now < (free := self.free.get(channel, now)) <= now + BEYOND:
            return Turn(free)
        self.free[channel] = now + pace
        return Turn()

    def pause(self, channel: str, until: datetime) -> None:
        """See `Table.pause`."""
        self.free[channel] = max(self.free.get(channel, until), until)

    def shut(self, until: datetime) -> None:
        """See `Table.shut`."""
        self.shut_until = max(self.shut_until or until, until)

    def reopen(self) -> None:
        """See `Table.reopen`."""
        self.shut_until = None

    def room(self, burst: Burst, alert: str, most: int) -> bool:
        """See `Table.room`."""
        held = self.rooms.get(burst, frozenset())
        if held and alert not in held and len(held) >= most:
            return False
        self.rooms[burst] = held | {alert}
        return True

    def roll_up(self, row: OutboxRow, owner: str, burst: Burst, rolled: Rolled, now: datetime) -> None:
        """See `Table.roll_up`."""
        mine = self._owned(row.alert, owner)
        if mine is None or mine.wanted > row.wanted:
            raise Conflict(f"alert {row.alert!r} changed before it was put into a list")
        mine.status, mine.rolled_into, mine.note = "rolled", burst.alert, f"told in the list {burst.alert}"
        mine.owner = mine.lease_until = mine.due_at = mine.attempted_at = mine.since = None
        self.lists[burst, row.alert] = rolled
        told = self.rows.setdefault(burst.alert, Row("", 0, None, None))
        told.status, told.due_at, told.wanted, told.audit = "pending", now.timestamp(), told.wanted + 1, False
        told.level, told.since = rolled.level, now.timestamp() if told.since is None else told.since

    def rolled(self, burst: Burst) -> Sequence[Rolled]:
        """See `Table.rolled`."""
        return [rolled for (one, _), rolled in sorted(self.lists.items(), key=lambda row: row[0][1]) if one == burst]

    def spread(self, row: OutboxRow, channel: str, now: datetime) -> None:
        """See `Table.spread`."""
        there = beside(row.alert, channel)
        if there not in self.rows or self.rows[there].wanted < row.wanted:
            reply = json.loads(json.dumps(row.reply))
            self._ask(there, Row(row.story, row.wanted, reply, now.timestamp(), level=row.level))

    def spreads(self, alert: str, owner: str, channels: Sequence[str]) -> None:
        """See `Table.spreads`."""
        row = self._owned(alert, owner)
        if row is None:
            raise Conflict(f"alert {alert!r} belongs to another deliverer now")
        row.further = tuple(channels)

    def further(self, alert: str) -> Sequence[str]:
        """See `Table.further`."""
        return self.rows[alert].further if alert in self.rows else ()

    def posting(self, alert: str, owner: str, now: datetime, channel: str) -> None:
        """See `Table.posting`."""
        row = self._owned(alert, owner)
        if row is None:
            raise Conflict(f"alert {alert!r} belongs to another deliverer now")
        row.attempted_at, row.channel = now.timestamp(), channel

    def delivered(self, alert: str, owner: str, posted: Posted, shown: int, *, audit: datetime | None = None) -> bool:
        """See `Table.delivered`."""
        row = self._owned(alert, owner)
        if row is None:
            return True
        row.channel, row.ts, row.shown = posted.channel, posted.ts, shown
        row.owner = row.lease_until = row.attempted_at = None
        if row.wanted > shown:
            row.status = "waiting"
            return False
        row.status, row.note, row.since = "delivered", "", None
        row.due_at, row.audit = audit.timestamp() if audit else None, audit is not None
        return True

    def release(
        self,
        alert: str,
        owner: str,
        due: datetime,
        *,
        surely_not_posted: bool,
        plain: bool = False,
        doubted_at: float | None = None,
        note: str = "",
    ) -> None:
        """See `Table.release`."""
        if row := self._owned(alert, owner):
            row.status, row.due_at, row.note, row.plain = "waiting", due.timestamp(), note, row.plain or plain
            row.owner = row.lease_until = None
            row.attempted_at = None if surely_not_posted else row.attempted_at
            row.doubted_at = doubted_at if row.doubted_at is None else row.doubted_at

    def bury(self, alert: str, owner: str, note: str) -> None:
        """See `Table.bury`."""
        if row := self._owned(alert, owner):
            row.status, row.note, row.since = "dead", note, None
            row.owner = row.lease_until = row.due_at = None

    def posted(self, alert: str) -> Posted | None:
        """See `Table.posted`."""
        row = self.rows.get(alert)
        if row and row.rolled_into and not row.ts:
            return self.posted(row.rolled_into)
        return Posted(row.channel, row.ts) if row and row.ts else None

    def announce(self, name: str, bulletin: Bulletin, now: datetime) -> bool:
        """See `Table.announce`."""
        if f"{BULLETIN}{name}" in self.rows:
            return False
        self.rows[f"{BULLETIN}{name}"] = Row(
            "", 1, None, now.timestamp(), since=now.timestamp(), bulletin=bulletin, level=bulletin.level
        )
        return True

    def count(self, tally: Tally, now: datetime) -> None:
        """See `Table.count`."""
        day = f"{now:%Y-%m-%d}"
        old = self.counted.get(day, Tally(day))
        self.counted[day] = Tally(
            day, old.articles + tally.articles, old.alerts + tally.alerts, tally.rules, now.isoformat(),
            now.isoformat() if tally.alerts else old.last_alert, old.silent,
        )  # fmt: skip

    def count_silent(self, day: str, articles: int) -> None:
        """See `Table.count_silent`."""
        self.counted[day] = replace(self.counted.get(day, Tally(day)), silent=articles)

    def tallies(self, days: Sequence[str]) -> Sequence[Tally]:
        """See `Table.tallies`."""
        return [self.counted[day] for day in sorted(set(days)) if day in self.counted]

    def backlog(self, now: datetime) -> Backlog:
        """See `Table.backlog`."""
        rows = [row for row in self.rows.values() if row.due_at is not None and not row.audit]
        since = [
            (row.due_at or 0 if row.since is None or row.note.startswith(MUTED) else row.since, row.note)
            for row in rows
        ]
        waiting = [one for one in since if one[0] <= now.timestamp()]
        longest, why = min(waiting, default=(0.0, ""))
        doubtful = [row for row in rows if row.attempted_at is not None and (row.lease_until or 0) <= now.timestamp()]
        return Backlog(len(waiting), datetime.fromtimestamp(longest, UTC) if waiting else None, len(doubtful), why)

    def due(self, now: datetime, limit: int) -> Sequence[str]:
        """See `Table.due`."""
        return self._by(now, limit, audit=False)

    def doubtful(self, now: datetime, limit: int) -> Sequence[OutboxRow]:
        """See `Table.doubtful`."""
        return [self.rows[alert].held(alert) for alert in self._by(now, limit, audit=True)]

    def audited(self, alert: str, again: datetime | None) -> None:
        """See `Table.audited`."""
        row = self.rows.get(alert)
        if row and row.audit:
            row.due_at, row.audit = again.timestamp() if again else None, again is not None
            row.doubted_at = row.doubted_at if again else None

    def _by(self, now: datetime, limit: int, *, audit: bool) -> list[str]:
        rows = (
            (0 if audit or row.level not in LEVELS else -1 - LEVELS.index(row.level), row.due_at, alert)
            for alert, row in self.rows.items()
            if row.audit is audit and row.due_at is not None and row.due_at <= now.timestamp()
        )
        return [alert for _, _, alert in sorted(rows)][:limit]

    def _recorded(self, fate: FateRecord) -> FateRecord:
        """The record after its journey through JSON."""
        return FateRecord.from_json(json.loads(json.dumps(fate.to_json())))

    def _written(self, story: Story) -> Story:
        """The story after its journey through JSON."""
        return Story.from_json(json.loads(json.dumps(story.to_json())))

    def _owned(self, alert: str, owner: str) -> Row | None:
        row = self.rows.get(alert)
        return row if row and row.owner == owner else None


class MemoryFeeds:
    """`tocsin.ports.Feeds` in dictionaries, with the outbox of a `MemoryTable`."""

    def __init__(self, table: MemoryTable | None = None) -> None:
        self.table = table or MemoryTable()
        self.listed: dict[str, Listed] = {}
        self.cursors: dict[str, Cursor] = {}
        self.parts: dict[str, dict[int, Part]] = {}
        self.until: datetime | None = None
        self.begun: datetime | None = None

    def due(self, now: datetime, limit: int) -> Sequence[str]:
        """See `Feeds.due`."""
        waiting = [(one.due, feed) for feed, one in self.listed.items() if one.due is not None and one.due <= now]
        return [feed for _, feed in sorted(waiting)[:limit]]

    def asked(self, feed: str, now: datetime) -> None:
        """See `Feeds.asked`."""
        one = self.listed.get(feed)
        if one and one.due is not None and one.due <= now:
            due = now + one.interval + timedelta(seconds=jitter(feed, now))
            self.listed[feed] = replace(one, due=due, asked=now)

    def round(self, now: datetime) -> Round:
        """See `Feeds.round`."""
        since = self.until or now - timedelta(minutes=1)
        turns = [
            (turn(one.place, one.interval, now), feed) for feed, one in self.listed.items() if one.place is not None
        ]
        return Round(self.until, sorted(one for one in turns if since < one[0]))

    def sent(self, found: Round, until: datetime) -> None:
        """See `Feeds.sent`."""
        if found.since == self.until:
            self.until = until.replace(microsecond=0)
            self.begun = self.begun or self.until

    def wait(self, feed: str, now: datetime) -> None:
        """See `Feeds.wait`."""
        if (one := self.listed.get(feed)) and not one.ended:
            self.listed[feed] = replace(one, place=None, due=now)

    def read(self, feeds: Sequence[str], *, consistent: bool = False) -> Mapping[str, tuple[Listed, Cursor]]:  # noqa: ARG002 - a dictionary is
        """See `Feeds.read`."""
        return {one: (self.listed[one], self.cursors.get(one, Cursor(one))) for one in feeds if one in self.listed}

    def save(self, cursor: Cursor, notices: Sequence[Notice] = ()) -> None:
        """See `Feeds.save`."""
        for notice in notices:
            due = datetime.fromisoformat(f"{notice.hour}:00:00+00:00") + NOTICES_WAIT
            self.table.rows.setdefault(
                notices_alert(notice.hour), Row("", 1, None, due.timestamp(), "waiting", since=due.timestamp())
            )
        if self.cursors.get(cursor.feed, Cursor(cursor.feed)).version != cursor.version:
            raise Conflict(f"the cursor of {cursor.feed!r} was written by another function")
        self.cursors[cursor.feed] = replace(cursor, version=cursor.version + 1)
        for notice in notices:
            self.table.noted[notice.hour, f"{notice.about}#{notice.kind}"] = notice

    def recall(self, feed: str) -> Sequence[Part]:
        """See `Feeds.recall`."""
        return [part for _, part in sorted(self.parts.get(feed, {}).items())]

    def put_aside(self, feed: str, part: Part) -> None:
        """See `Feeds.put_aside`."""
        self.parts.setdefault(feed, {})[part.slot] = part

    def reschedule(self, feed: str, every: timedelta, place: int, now: datetime, due: datetime | None = None) -> None:
        """See `Feeds.reschedule`."""
        if (one := self.listed.get(feed)) and not one.ended:
            self.resume(feed, every, place, now, due)

    def resume(self, feed: str, every: timedelta, place: int, now: datetime, due: datetime | None = None) -> None:
        """See `Feeds.resume`."""
        if not (self.begun and self.begun + TRIAL <= now):
            due = due or turn(place, every, now) + every
        if one := self.listed.get(feed):
            self.listed[feed] = replace(one, interval=every, place=None if due else place, due=due, asked=now)

    def move(self, feed: str, old: str, new: str) -> None:
        """See `Feeds.move`."""
        if (one := self.listed.get(feed)) and one.feed.url == old:
            self.listed[feed] = replace(one, feed=replace(one.feed, url=new))

    def end(self, feed: str) -> None:
        """See `Feeds.end`."""
        if one := self.listed.get(feed):
            self.listed[feed] = replace(one, place=None, due=None)

    def all(self) -> Iterator[Listed]:
        """See `FeedTable.all`."""
        yield from (self.listed[feed] for feed in sorted(self.listed))

    def add(self, feed: Subscription, due: datetime) -> bool:
        """See `FeedTable.add`."""
        old = self.listed.get(feed.id)
        self.listed[feed.id] = Listed(feed, feed.every, None, due, old.asked if old else None)
        return old is None

    def remove(self, feed: str) -> bool:
        """See `FeedTable.remove`."""
        self.cursors.pop(feed, None)
        self.parts.pop(feed, None)
        return self.listed.pop(feed, None) is not None


class MemoryWeb:
    """`tocsin.ports.Web` with one answer for each address, which may be a fault; it knows what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer | Exception] = {}
        self.asked: list[tuple[str, Mapping[str, str]]] = []

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """See `Web.get`."""
        self.asked.append((url, headers or {}))
        answer = self.answers.get(url, FetchFault("status", "the server answered 404", status=404))
        if isinstance(answer, Exception):
            raise answer
        return answer


class Racing(MemoryTable):
    """Another writer comes in before the first commits."""

    def __init__(self, *others: Callable[[], Any]) -> None:
        super().__init__()
        self.others = list(others)

    def commit(self, commit: Commit, now: datetime) -> None:
        """See `Table.commit`."""
        if self.others:
            self.others.pop(0)()
        super().commit(commit, now)


class MemoryArchive:
    """`tocsin.ports.Archive` in a dictionary."""

    def __init__(self) -> None:
        self._objects: dict[str, tuple[bytes, Mapping[str, str]]] = {}

    def drop(self, key: str, body: bytes, **metadata: str) -> str:
        """Puts an object as a user does; returns its key."""
        self._objects[key] = body, metadata
        return key

    def read(self, key: str, *, limit: int) -> bytes:
        """See `Archive.read`."""
        body = self._object(key)[0]
        if len(body) > limit:
            raise InputFault(
                f"is {len(body):,} bytes long, and {limit:,} is the most", key, "split the file into smaller ones"
            )
        return body

    def metadata(self, key: str) -> Mapping[str, str]:
        """See `Archive.metadata`."""
        return self._object(key)[1]

    def write(self, key: str, body: bytes) -> None:
        """See `Archive.write`."""
        self._objects[key] = body, {}

    def keys(self, prefix: str) -> Sequence[str]:
        """See `Archive.keys`."""
        return sorted(key for key in self._objects if key.startswith(prefix))

    def copied(self) -> MemoryArchive:
        """The same bucket, to go another way from here."""
        other = MemoryArchive()
        other._objects = dict(self._objects)
        return other

    def _object(self, key: str) -> tuple[bytes, Mapping[str, str]]:
        if key not in self._objects:
            raise InputFault("is not in the bucket any more", key, "drop it again")
        return self._objects[key]


class MemoryQueue:
    """`tocsin.ports.Queue` that keeps what was sent."""

    def __init__(self) -> None:
        self.bodies: list[str] = []

    def send(self, bodies: Sequence[str]) -> None:
        """See `Queue.send`."""
        self.bodies += bodies


@dataclass
class Shown:
    """A message as it stands in the channel; `versions` are all it ever showed, the latest last."""

    channel: str
    ts: str
    versions: list[Message]
    thread_ts: str | None = None
    broadcast: bool = False
    deleted: bool = False

    @property
    def message(self) -> Message:
        """What it shows now."""
        return self.versions[-1]

    @property
    def alert(self) -> str:
        """Whose it is."""
        return str(self.message.metadata["alert"])


Act = Callable[[], Any]
Twist = Callable[[Act], Any]
"""What becomes of one call: it is handed the call's own effect, to be had before, after or never."""


def fails(error: BaseException, *, effect: bool = False) -> Twist:
    """The call raises; with `effect`, only after it was carried out."""

    def twist(act: Act) -> Any:
        if effect:
            act()
        raise error

    return twist


def meanwhile(action: Act) -> Twist:
    """Something else happens before the call takes effect."""

    def twist(act: Act) -> Any:
        action()
        return act()

    return twist


@dataclass
class MemorySlack:
    """`tocsin.ports.Slack` with one list of messages. It knows its channels and threads, and keeps metadata and every edit."""

    clock: Callable[[], datetime]
    channels: tuple[str, ...] = (CHANNEL,)
    messages: list[Shown] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    """The method of each call, with whatever outcome."""
    twists: defaultdict[str, deque[Twist]] = field(default_factory=lambda: defaultdict(deque))
    """What the next calls of a method meet."""

    def post(self, channel: str, message: Message, *, thread_ts: str | None = None, broadcast: bool = False) -> Posted:
        """See `Slack.post`. A reply to a root that was deleted with nothing under it lands in the channel, as in Slack."""
        posted: Posted = self._called("post", lambda: self._post(channel, message, thread_ts, broadcast=broadcast))
        return posted

    def update(self, posted: Posted, message: Message) -> None:
        """See `Slack.update`."""
        self._called("update", lambda: self._update(posted, message))

    def find(self, channel: str, alert: str, *, oldest: float, thread_ts: str | None = None) -> Posted | None:
        """See `Slack.find`."""
        found: Posted | None = self._called("find", lambda: self._find(channel, alert, oldest, thread_ts))
        return found

    def copies(self, channel: str, alert: str, *, oldest: float, thread_ts: str | None = None) -> Sequence[Posted]:
        """See `Slack.copies`."""
        found: list[Posted] = self._called("copies", lambda: list(self._found(channel, alert, oldest, thread_ts)))
        return found

    def delete(self, posted: Posted) -> None:
        """See `Slack.delete`."""
        self._called("delete", lambda: self._delete(posted))

    def permalink(self, posted: Posted) -> str | None:
        """See `Slack.permalink`."""
        return f"https://slack.test/{posted.channel}/p{posted.ts}" if self._at(posted.channel, posted.ts) else None

    def remove(self, ts: str) -> None:
        """A person deletes a message."""
        next(one for one in self.messages if one.ts == ts).deleted = True

    @property
    def standing(self) -> list[Shown]:
        """The messages nobody deleted, oldest first."""
        return [one for one in self.messages if not one.deleted]

    def _called(self, method: str, act: Act) -> Any:
        self.calls.append(method)
        return self.twists[method].popleft()(act) if self.twists[method] else act()

    def _post(self, channel: str, message: Message, thread_ts: str | None, *, broadcast: bool) -> Posted:
        if channel not in self.channels:
            raise Rejected("channel", "channel_not_found")
        root = next((one for one in self.messages if (one.channel, one.ts) == (channel, thread_ts)), None)
        if thread_ts and (root is None or root.thread_ts):
            raise Rejected("missing", "thread_not_found")
        thread = root.ts if root and self._visible(root) else None
        shown = Shown(channel, self._next_ts(), [message], thread, broadcast and thread is not None)
        self.messages.append(shown)
        return Posted(channel, shown.ts)

    def _update(self, posted: Posted, message: Message) -> None:
        shown = self._at(posted.channel, posted.ts)
        if shown is None:
            raise Rejected("missing", "message_not_found")
        shown.versions.append(message)

    def _delete(self, posted: Posted) -> None:
        shown = self._at(posted.channel, posted.ts)
        if shown is None:
            raise Rejected("missing", "message_not_found")
        shown.deleted = True

    def _find(self, channel: str, alert: str, oldest: float, thread_ts: str | None) -> Posted | None:
        return next(self._found(channel, alert, oldest, thread_ts), None)

    def _found(self, channel: str, alert: str, oldest: float, thread_ts: str | None) -> Iterator[Posted]:
        if channel not in self.channels:
            raise Rejected("channel", "channel_not_found")
        for one in self._history(channel, thread_ts):
            if one.alert == alert and float(one.ts) >= oldest:
                yield Posted(one.channel, one.ts)

    def _history(self, channel: str, thread_ts: str | None) -> Iterator[Shown]:
        here = [one for one in self.standing if one.channel == channel]
        root = next((one for one in self.messages if one.ts == thread_ts), None)
        if root and self._visible(root):
            return (one for one in here if thread_ts in (one.ts, one.thread_ts))
        return (one for one in reversed(here) if one.thread_ts is None or one.broadcast)

    def _visible(self, root: Shown) -> bool:
        return not root.deleted or any(one.thread_ts == root.ts for one in self.standing)

    def _at(self, channel: str, ts: str) -> Shown | None:
        return next((one for one in self.standing if (one.channel, one.ts) == (channel, ts)), None)

    def _next_ts(self) -> str:
        last = float(self.messages[-1].ts) if self.messages else 0.0
        return f"{max(self.clock().timestamp(), last + 1e-6):.6f}"


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: datetime = datetime(2025, 3, 1, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def wait(self, seconds: float) -> None:
        """Lets seconds pass."""
        self.move(seconds=seconds)

    def move(self, **delta: float) -> None:
        """Lets time pass."""
        self.now += timedelta(**delta)


class FixedToken:
    """A token or secret that never changes."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self) -> str:
        """The token."""
        return self._token

    def refresh(self) -> str:
        """The token."""
        return self._token
