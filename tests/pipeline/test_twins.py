"""The twins keep the same promises as what they stand for."""

from __future__ import annotations

import inspect
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from infra.local.slack import LocalSlack
from infra.local.stack import LocalStack
from infra.replay import TEMPLATE
from tests.simulation.deployment import deployment
from tests.simulation.queues import MemoryMailbox
from tests.twins import CHANNEL, Clock, FixedToken, MemoryArchive, MemoryFeeds, MemorySlack, MemoryTable
from tocsin.adapters.dynamodb import DynamoTable
from tocsin.adapters.feed_table import ROUNDS, FeedTable
from tocsin.adapters.items import as_key
from tocsin.adapters.s3 import S3Archive
from tocsin.adapters.slack import SlackWorkspace
from tocsin.adapters.sqs import SqsQueue
from tocsin.article import Article
from tocsin.cursor import Cursor, Part, Seen
from tocsin.errors import Conflict, InputFault, Rejected
from tocsin.health import Health
from tocsin.ports import (
    Archive,
    Backlog,
    Bulletin,
    Burst,
    Commit,
    FateRecord,
    Feeds,
    Held,
    Listed,
    Message,
    Notice,
    OutboxRow,
    Posted,
    Rolled,
    Slack,
    Table,
    Tally,
    Turn,
    Wanted,
    beside,
)
from tocsin.silence import Silence
from tocsin.story import Report, Story
from tocsin.subscription import Subscription

START = datetime(2025, 3, 1, 9, tzinfo=UTC)
STEPS = 120


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    """The resources of `template.yaml` on moto."""
    with LocalStack(TEMPLATE, {"SlackChannel": CHANNEL, "SlackTokenSecret": "secret"}) as running:
        yield running


class Caller:
    """Makes random calls of a table, the same ones on every table for the same seed."""

    def __init__(self, table: Table, seed: int) -> None:
        self.table = table
        self.random = random.Random(seed)
        self.prefix = f"rule-{seed}"
        self.now = START
        self.moves: list[Callable[[], Any]] = [
            *[self.commit] * 5, *[self.attempt] * 5, self.claim, self.claim, self.posting, self.delivered, self.release, self.bury,
            self.record, self.fate, self.known, self.known, self.story, self.episodes, self.posted, *[self.due] * 3, self.silence, self.held,
            self.digest, self.bulletin, self.backlog, self.count, self.count_silent, self.tallies, self.doubtful, self.doubtful, self.audited,
            *[self.turn] * 4, self.pause, self.shut, self.reopen, *[self.roll] * 3, self.room, self.rolled,
            *[self.spread] * 3, self.further, *[self.address, self.add] * 2,
        ]  # fmt: skip
        table.reopen()  # what another caller may have shut

    def step(self) -> tuple[str, Any]:
        """One call, with what came of it."""
        self.now += timedelta(seconds=self.random.choice([0, 1, 20, 100]), milliseconds=1)
        move = self.random.choice(self.moves)
        try:
            return move.__name__, move()
        except Conflict:
            return move.__name__, Conflict

    def commit(self) -> None:
        """An article changes a story, sometimes one that was read too long ago, and wants alerts."""
        known = self.table.story(self.any_story())
        version = self.random.choice([known.version, known.version, known.version - 1] if known else [0, 0, 0, 1])
        story = a_story(known.id if known else self.any_story(), version, self.random.randrange(5))
        reply = self.random.choice([None, {"reason": "stage_up", "detail": "preparing → done", "report": "a"}])
        alerts = [Wanted(f"{story.id}/first_report", story, level=self.random.choice(["low", "high", "critical", ""]))]
        if reply:
            alerts.append(Wanted(f"{story.id}/stage_up", story, reply))
        fate = a_fate(self.any_article(), self.now, self.any_content())
        replaces = self.any_content() if self.random.randrange(3) == 0 else None
        other, version = self.any_story(), self.random.choice([1, 1, 2])
        named = ((other, version),) if other != story.id and self.random.randrange(3) == 0 else ()
        relied, beside = (named, ()) if self.random.choice([True, False]) else ((), named)
        held = (self.a_held(story.id),) if self.random.choice([True, False]) else ()
        more = (a_fate(f"{fate.article} too", self.now),) if self.random.randrange(4) == 0 else ()
        self.table.commit(Commit(fate, (story,), tuple(alerts), relied, beside, held, replaces, more=more), self.now)

    def address(self) -> None:
        """An article is to be found by its address, which another may have."""
        self.table.commit(Commit(address=self.any_address(), article=self.any_article()), self.now)

    def add(self) -> None:
        """A story is written alone, and what its root shall show is wanted, perhaps less than was before."""
        known = self.table.story(self.any_story())
        if known:
            self.table.commit(Commit(stories=(known,)), self.now)
            late = replace(known, version=known.version - self.random.randrange(3))
            self.table.want(Wanted(f"{known.id}/first_report", late, level="high"), self.now)
        self.table.commit(Commit(a_fate(self.any_article(), self.now, self.any_content())), self.now)

    def a_held(self, story: str) -> Held:
        """Something a silence held back."""
        at = f"{self.any_day()}T00:00:00+00:00"
        return Held(story, "first_report", "silence s", "silenced", "Rule", "A → B", "Title", "Outlet", "", at)

    def held(self) -> list[Held]:
        """Somebody asks what was held back."""
        return list(self.table.held(self.any_day()))

    def digest(self) -> bool:
        """A digest is wanted."""
        return self.table.want_digest(self.any_day(), self.now)

    def bulletin(self) -> bool:
        """An alarm is told, perhaps twice."""
        name = f"{self.prefix}-{self.random.randrange(3)}"
        return self.table.announce(name, Bulletin("Alarm", ("a line",), "high"), self.now)

    def count(self) -> None:
        """A batch was read."""
        tally = Tally(articles=self.random.randrange(3), alerts=self.random.randrange(2), rules=self.prefix)
        self.table.count(tally, self.counted_at())

    def count_silent(self) -> None:
        """The silent articles of a day were counted."""
        self.table.count_silent(f"{self.counted_at():%Y-%m-%d}", self.random.randrange(3))

    def tallies(self) -> list[Tally]:
        """Somebody asks what was read."""
        return list(self.table.tallies([f"{self.counted_at():%Y-%m-%d}"]))

    def counted_at(self) -> datetime:
        """A moment on one of two days; each caller has its own year."""
        return datetime.fromisoformat(f"{self.any_day()}T00:00:00+00:00")

    def backlog(self) -> Backlog:
        """Sweep asks how far behind it is."""
        return self.table.backlog(self.now)

    def known(self) -> dict[str, FateRecord]:
        """A detector asks what became of articles, by id or address."""
        told = [Article(self.any_article(), "text", url=f"https://{self.any_address()}") for _ in range(3)]
        return dict(sorted(self.table.known(told).items()))

    def any_day(self) -> str:
        """One of two days; each caller has its own year."""
        return f"{2000 + int(self.prefix[5:])}-01-0{self.random.randrange(1, 3)}"

    def any_address(self) -> str:
        """One of a few addresses."""
        return f"news.example/{self.prefix}/{self.random.randrange(6)}"

    def any_content(self) -> str:
        """One of two contents."""
        return self.random.choice(["x", "y"])

    def record(self) -> None:
        """An input is no article."""
        self.table.record(FateRecord(self.any_article(), "rejected", "is empty", self.now.isoformat(), ""))

    def claim(self) -> OutboxRow | None:
        """A deliverer claims a row, and may begin a call with that."""
        begins = self.random.choice([None, "", CHANNEL])
        return self.table.claim(self.any_alert(), self.any_owner(), self.now, timedelta(seconds=75), begins=begins)

    def attempt(self) -> tuple[OutboxRow | None, bool | None, OutboxRow | None]:
        """A deliverer claims a row, may begin a post, gives the row back, and claims it again."""
        alert, owner, now = self.any_alert(), self.any_owner(), self.now
        row, done = self.table.claim(alert, owner, now, timedelta(seconds=75)), None
        if row and self.random.choice([True, False]):
            self.table.posting(alert, owner, now, CHANNEL)
        if self.random.choice([True, False]):
            sure, plain = self.random.choice([True, False]), self.random.choice([True, False, False])
            doubt = now.timestamp() if self.random.choice([True, False]) else None
            self.table.release(alert, owner, now, surely_not_posted=sure, plain=plain, doubted_at=doubt)
        else:
            audit = now + timedelta(seconds=30) if self.random.choice([True, False]) else None
            done = self.table.delivered(alert, owner, Posted(CHANNEL, "1.5"), self.random.randrange(3), audit=audit)
        return row, done, self.table.claim(alert, owner, now, timedelta(seconds=self.random.choice([1, 75])))

    def posting(self) -> None:
        """A deliverer is about to post."""
        self.table.posting(self.any_alert(), self.any_owner(), self.now, CHANNEL)

    def roll(self) -> OutboxRow | None:
        """A deliverer puts a row into a list, sometimes one it does not hold."""
        alert, owner = self.any_alert(), self.any_owner()
        row = self.table.claim(alert, owner, self.now, timedelta(seconds=75))
        if row:
            rolled = Rolled(alert, self.random.choice(["high", "low"]), "A → B, “é”", "Title", "Outlet", "")
            self.table.roll_up(row, self.any_owner(), self.any_burst(), rolled, self.now)
        return row

    def spread(self) -> OutboxRow | None:
        """A deliverer wants an alert in a further channel, and notes that; sometimes it does not hold the row. It is claimed there."""
        alert, channel = self.any_alert(), self.any_channel()
        row = self.table.claim(alert, self.any_owner(), self.now, timedelta(seconds=75))
        if row:
            self.table.spread(row, channel, self.now)
            if self.random.randrange(3) == 0:
                self.table.spreads(alert, self.any_owner(), (channel, "C0OTHER"))
        return self.table.claim(beside(alert, channel), "x", self.now, timedelta(seconds=1))

    def further(self) -> list[str]:
        """A deliverer asks where an alert stands, too."""
        return list(self.table.further(self.any_alert()))

    def room(self) -> bool:
        """A deliverer asks whether there is room for a first report."""
        return self.table.room(self.any_burst(), self.any_alert(), self.random.randrange(1, 4))

    def rolled(self) -> tuple[list[Rolled], OutboxRow | None]:
        """A deliverer reads a list, and claims it."""
        burst = self.any_burst()
        return list(self.table.rolled(burst)), self.table.claim(burst.alert, "x", self.now, timedelta(seconds=75))

    def any_burst(self) -> Burst:
        """One of two lists."""
        return Burst(self.prefix, CHANNEL, f"2025-03-01T0{self.random.randrange(2)}")

    def turn(self) -> Turn:
        """A deliverer asks for a turn."""
        pace = timedelta(seconds=self.random.choice([0, 1, 40]))
        return self.table.turn(self.any_channel(), self.now, pace)

    def pause(self) -> None:
        """Slack asks for a pause."""
        self.table.pause(self.any_channel(), self.now + timedelta(seconds=self.random.randrange(90)))

    def shut(self) -> None:
        """Slack refuses the token."""
        self.table.shut(self.now + timedelta(seconds=self.random.randrange(300)))

    def reopen(self) -> None:
        """Slack takes the token again."""
        self.table.reopen()

    def any_channel(self) -> str:
        """One of two channels."""
        return f"C{self.prefix}{self.random.randrange(2)}"

    def delivered(self) -> bool:
        """A deliverer notes what Slack shows."""
        return self.table.delivered(
            self.any_alert(), self.any_owner(), Posted(CHANNEL, "1.5"), self.random.randrange(6)
        )

    def release(self) -> None:
        """A deliverer gives a row back."""
        due = self.now + timedelta(seconds=self.random.randrange(200))
        sure, plain = self.random.choice([True, False]), self.random.choice([True, False])
        self.table.release(
            self.any_alert(), self.any_owner(), due, surely_not_posted=sure, plain=plain, note="throttled"
        )

    def bury(self) -> None:
        """A deliverer gives a row up."""
        self.table.bury(self.any_alert(), self.any_owner(), "msg_too_long")

    def fate(self) -> FateRecord | None:
        """Somebody asks for a fate."""
        return self.table.fate(self.any_article())

    def story(self) -> Story | None:
        """Somebody asks for a story."""
        return self.table.story(self.any_story())

    def episodes(self) -> list[Story]:
        """Somebody asks for the episodes of an identity."""
        return list(self.table.episodes(f"{self.prefix}/north-korea"))

    def posted(self) -> Posted | None:
        """Somebody asks where an alert stands."""
        return self.table.posted(self.any_alert())

    def due(self) -> list[str]:
        """The sweeper asks what is due; rows due at the same moment come in any order."""
        return sorted(alert for alert in self.table.due(self.now, 1000) if alert.startswith(self.prefix + "/"))

    def doubtful(self) -> list[OutboxRow]:
        """The auditor asks what is to be looked at."""
        rows = self.table.doubtful(self.now, 1000)
        return sorted((row for row in rows if row.alert.startswith(self.prefix + "/")), key=lambda row: row.alert)

    def audited(self) -> None:
        """The auditor has looked at a row."""
        again = self.now + timedelta(seconds=50) if self.random.choice([True, False]) else None
        self.table.audited(self.any_alert(), again)

    def silence(self) -> list[Silence]:
        """An analyst silences something, and somebody asks for the silences."""
        begins = self.now - timedelta(seconds=self.random.randrange(100))
        one = Silence(self.prefix, (("who", "north-korea"),), begins, begins + timedelta(seconds=150), "Kim", "drill")
        if self.random.choice([True, False]):
            self.table.add_silence(one)  # type: ignore[attr-defined]  # no step of the pipeline adds one
        return [silence for silence in self.table.silences(self.now) if silence.id == self.prefix]

    def any_article(self) -> str:
        """One of many articles."""
        return f"{self.prefix}-{self.random.randrange(25)}"

    def any_story(self) -> str:
        """One of six episodes."""
        return f"{self.prefix}/north-korea#{self.random.randrange(1, 7)}"

    def any_alert(self) -> str:
        """One of a few alerts; some do not exist."""
        return f"{self.prefix}/north-korea#{self.random.randrange(1, 4)}/{self.random.choice(['first_report', 'stage_up'])}"

    def any_owner(self) -> str:
        """One of two deliverers."""
        return self.random.choice(["stream", "sweep"])


def a_story(story_id: str, version: int, outlets: int = 1) -> Story:
    """A story of so many outlets."""
    reports = tuple(
        Report(
            f"a{n}",
            f"outlet {n}",
            "“T”",
            "",
            START.isoformat(),
            "preparing",
            "asserted",
            "q",
            ((0, 1),),
            ("denied",),
            sketch=(1, 2),
        )
        for n in range(max(1, outlets))
    )
    rule, _, episode = story_id.partition("/")[0], "", int(story_id.rpartition("#")[2])
    day = START.isoformat()
    return Story(
        story_id, rule, "north-korea", None, None, episode, day, day, reports, ("outlet",), 1, ("a",), version=version
    )


def a_fate(article: str, now: datetime, content: str = "x") -> FateRecord:
    """A fate with a signal in it."""
    return FateRecord(
        article,
        "alerted",
        "first report",
        now.isoformat(),
        "v1",
        "Title ‘é’",
        "Outlet",
        ({"rule": "r", "flags": ["x"]},),
        content=content,
    )


def forget_what_waits(stack: LocalStack) -> None:
    """Takes the alerts of earlier callers out of the table they share."""
    dynamodb, table = stack.client("dynamodb"), stack.physical("Table")
    for item in dynamodb.scan(TableName=table, IndexName="due")["Items"]:
        dynamodb.delete_item(TableName=table, Key={name: item[name] for name in ("pk", "sk")})


@pytest.mark.parametrize("seed", range(6))
def test_the_table_answers_as_dynamodb_does(stack: LocalStack, seed: int) -> None:
    """The same random calls get the same answers from the twin and from the table of the template on moto."""
    forget_what_waits(stack)
    tables: list[Table] = [MemoryTable(), DynamoTable(stack.client("dynamodb"), stack.physical("Table"))]
    twin, real = (Caller(table, seed) for table in tables)
    for number in range(STEPS):
        assert (number, twin.step()) == (number, real.step())


class FeedCaller:
    """Makes random calls of a list of feeds, the same ones on every list for the same seed."""

    def __init__(self, feeds: Feeds, table: Table, seed: int) -> None:
        self.feeds: Any = feeds  # with what only the command line calls
        self.table = table
        self.random = random.Random(seed)
        self.prefix = f"host-{seed}.example"
        self.now = START + timedelta(days=1000 * seed)
        self.moves: list[Callable[[], Any]] = [
            *[self.add] * 2, *[self.save] * 4, *[self.due] * 3, *[self.asked] * 3, *[self.round] * 6,
            *[self.reschedule] * 3, self.wait, *[self.put_aside, self.recall] * 3,
            self.resume, self.move, self.end, self.remove,
            self.all, self.read, self.notices,
        ]  # fmt: skip

    def step(self) -> tuple[str, Any]:
        """One call, with what came of it."""
        self.now += timedelta(seconds=self.random.choice([0, 1, 30, 400]))
        move = self.random.choice(self.moves)
        try:
            return move.__name__, move()
        except Conflict:
            return move.__name__, Conflict

    def add(self) -> bool:
        """Somebody adds a feed, or changes one."""
        feed = self.any_feed()
        every = timedelta(minutes=self.random.randrange(1, 9))
        told = Subscription(
            feed, self.any_url(), "Outlet “é”", "ko", "KR", every, pages=self.random.choice([True, False])
        )
        added: bool = self.feeds.add(told, self.now + timedelta(seconds=self.random.randrange(100)))
        return added

    def save(self) -> None:
        """A poll writes a cursor, sometimes over one that was read too long ago, and may have something to tell."""
        feed = self.any_feed()
        found = self.feeds.read([feed], consistent=self.random.choice([True, False]))
        known = found[feed][1] if found else Cursor(feed)
        version = self.random.choice([known.version, known.version, max(0, known.version - 1)])
        seen = tuple(
            Seen(f"{n:016x}", "", "0" * 11 + "1", "00000002", "0" * 11 + "3", n, undated=n % 2 == 0)
            for n in range(1, self.random.randrange(1, 5))
        )
        health = Health(gap=self.random.randrange(3), what=self.random.choice(["", "a “b”"]), told="silent")
        notices = [Notice(feed, "dead", "Outlet", f"why {self.random.randrange(9)}", self.now.isoformat())]
        told = notices if self.random.randrange(3) == 0 else []
        etag, parts = self.random.choice(["", '"é"']), self.random.randrange(3)
        self.feeds.save(Cursor(feed, etag, "", "b", seen, health, version, parts), told)

    def put_aside(self) -> None:
        """A poll puts aside what became known before."""
        seen = (Seen(f"{self.random.randrange(1, 99):016x}", "", "", "", "0" * 11 + "3"),)
        self.feeds.put_aside(self.any_feed(), Part(self.random.randrange(3), self.random.randrange(99), seen))

    def recall(self) -> list[Part]:
        """A poll asks what was put aside."""
        return list(self.feeds.recall(self.any_feed()))

    def due(self) -> list[str]:
        """It is asked what is due; feeds due at the same moment come in any order."""
        return sorted(feed for feed in self.feeds.due(self.now, 1000) if feed.startswith(self.prefix))

    def asked(self) -> None:
        """A feed was sent off."""
        self.feeds.asked(self.any_feed(), self.now)

    def round(self) -> list[tuple[datetime, str]]:
        """Due asks whose turn has come, and sometimes ends before it says what it sent off."""
        found = self.feeds.round(self.now)
        if self.random.randrange(4):
            self.feeds.sent(found, self.now)
        return [one for one in found.turns if one[1].startswith(self.prefix)]

    def wait(self) -> None:
        """A feed is one of too many of its host."""
        self.feeds.wait(self.any_feed(), self.now)

    def resume(self) -> None:
        """Somebody has a feed asked again."""
        self.feeds.resume(self.any_feed(), timedelta(minutes=40), 0, self.now, self.any_time())

    def reschedule(self) -> None:
        """A feed is asked less often."""
        every, place = timedelta(minutes=self.random.choice([10, 20])), self.random.randrange(600)
        self.feeds.reschedule(self.any_feed(), every, place, self.now, self.any_time())

    def any_time(self) -> datetime | None:
        """A time out of turn, or none."""
        return self.random.choice([None, self.now + timedelta(minutes=2)])

    def move(self) -> None:
        """A feed moves."""
        self.feeds.move(self.any_feed(), self.any_url(), self.any_url())

    def end(self) -> None:
        """A feed ends."""
        self.feeds.end(self.any_feed())

    def remove(self) -> bool:
        """Somebody removes a feed."""
        removed: bool = self.feeds.remove(self.any_feed())
        return removed

    def all(self) -> list[Listed]:
        """Somebody asks for the list."""
        return [one for one in self.feeds.all() if one.feed.id.startswith(self.prefix)]

    def read(self) -> dict[str, tuple[Listed, Cursor]]:
        """A poller reads feeds."""
        return dict(sorted(self.feeds.read([self.any_feed(), self.any_feed()]).items()))

    def notices(self) -> tuple[list[Notice], list[str]]:
        """A deliverer asks what the hour brought, and what alerts are due."""
        hour = self.now.isoformat()[:13]
        due = [one for one in self.table.due(self.now + timedelta(hours=2), 1000) if one == f"notices/{hour}"]
        return list(self.table.notices(hour)), due

    def any_feed(self) -> str:
        """One of a few feeds."""
        return f"{self.prefix}/{self.random.randrange(6)}"

    def any_url(self) -> str:
        """One of two addresses."""
        return f"https://{self.prefix}/{self.random.randrange(2)}"


@pytest.mark.parametrize("seed", range(2))
def test_the_feeds_answer_as_dynamodb_does(stack: LocalStack, seed: int) -> None:
    """The same random calls get the same answers from the twin of the feeds and from the table of the template on moto."""
    client, name, memory = stack.client("dynamodb"), stack.physical("Table"), MemoryTable()
    client.delete_item(TableName=name, Key=as_key(*ROUNDS))  # what earlier callers sent off
    twin = FeedCaller(MemoryFeeds(memory), memory, seed)
    real = FeedCaller(FeedTable(client, name), DynamoTable(client, name), seed)
    for number in range(STEPS):
        assert (number, twin.step()) == (number, real.step())


def test_every_method_is_compared() -> None:
    """No method of the ports of table and feeds is left out of the comparison."""
    source = inspect.getsource(Caller) + inspect.getsource(FeedCaller)
    assert [name for name in methods(Table) if f"self.table.{name}(" not in source] == []
    assert [name for name in methods(Feeds) if f"self.feeds.{name}(" not in source] == []


def methods(port: type) -> list[str]:
    """The methods of a protocol."""
    return [name for name, value in vars(port).items() if inspect.isfunction(value) and not name.startswith("_")]


@pytest.mark.parametrize("kind", ["twin", "dynamodb"])
def test_due_alerts_come_in_order(stack: LocalStack, kind: str) -> None:
    """What is due comes the longest waiting first, and no more than was asked for."""
    table: Table = MemoryTable() if kind == "twin" else DynamoTable(stack.client("dynamodb"), stack.physical("Table"))
    for number, day in enumerate([3, 1, 2]):
        story = a_story(f"order/x{number}#1", 0)
        fate = a_fate(f"order-{number}", START)
        table.commit(Commit(fate, (story,), (Wanted(f"order/x{number}", story),)), START - timedelta(days=10 * day))
    assert list(table.due(START, 2)) == ["order/x0", "order/x2"]


@pytest.mark.parametrize("kind", ["twin", "s3"])
def test_the_archive_reads_what_was_written(stack: LocalStack, kind: str) -> None:
    """An object is read back whole, under a limit, and is found by its prefix; a missing one is a fault of the input."""
    archive: Archive = MemoryArchive() if kind == "twin" else S3Archive(stack.client("s3"), stack.physical("Bucket"))
    archive.write("fates/b", b"body")
    archive.write("fates/a", b"")
    assert archive.read("fates/b", limit=4) == b"body"
    assert archive.metadata("fates/b") == {}
    assert list(archive.keys("fates/")) == ["fates/a", "fates/b"]
    with pytest.raises(InputFault, match="4 bytes long"):
        archive.read("fates/b", limit=3)
    with pytest.raises(InputFault, match="not in the bucket"):
        archive.read("fates/c", limit=3)
    with pytest.raises(InputFault, match="not in the bucket"):
        archive.metadata("fates/c")


@pytest.fixture(params=["twin", "local"])
def workspace(request: pytest.FixtureRequest) -> Iterator[tuple[Slack, Callable[[str], None]]]:
    """The twin and the adapter on the local Slack, each with a way to delete a message as a person does."""
    if request.param == "twin":
        twin = MemorySlack(Clock(START))
        yield twin, twin.remove
        return
    with LocalSlack(clock=START.timestamp) as local:
        yield SlackWorkspace(local.url, FixedToken(local.token)), lambda ts: local.remove(CHANNEL, ts)


def text(alert: str, words: str = "words") -> Message:
    """A message of an alert."""
    return Message(words, (), {"alert": alert})


def test_slack_finds_a_message_by_its_metadata(workspace: tuple[Slack, Callable[[str], None]]) -> None:
    """A message is found by the alert in its metadata, when it is young enough and stands."""
    slack, remove = workspace
    posted = slack.post(CHANNEL, text("a"))
    reply = slack.post(CHANNEL, text("b"), thread_ts=posted.ts, broadcast=True)
    oldest = START.timestamp()
    assert slack.find(CHANNEL, "a", oldest=oldest) == posted
    assert slack.find(CHANNEL, "a", oldest=oldest + 1) is None
    assert slack.find(CHANNEL, "b", oldest=oldest, thread_ts=posted.ts) == reply
    remove(reply.ts)
    assert slack.find(CHANNEL, "b", oldest=oldest, thread_ts=posted.ts) is None
    assert slack.find(CHANNEL, "c", oldest=oldest) is None


def test_slack_puts_a_reply_to_a_deleted_root_into_the_channel(workspace: tuple[Slack, Callable[[str], None]]) -> None:
    """A reply to a root that was deleted stands in the channel, where it is found."""
    slack, remove = workspace
    root = slack.post(CHANNEL, text("a"))
    remove(root.ts)
    reply = slack.post(CHANNEL, text("b"), thread_ts=root.ts, broadcast=True)
    assert slack.find(CHANNEL, "b", oldest=0, thread_ts=root.ts) == reply
    assert slack.find(CHANNEL, "b", oldest=0) == reply


def test_slack_tells_every_copy_and_removes_one(workspace: tuple[Slack, Callable[[str], None]]) -> None:
    """All messages of an alert are told, in the channel or in a thread, and one that is removed is gone."""
    slack, _ = workspace
    root, extra = slack.post(CHANNEL, text("a")), slack.post(CHANNEL, text("a"))
    replies = [slack.post(CHANNEL, text("b"), thread_ts=root.ts, broadcast=True) for _ in range(2)]
    assert set(slack.copies(CHANNEL, "a", oldest=0)) == {root, extra}
    assert set(slack.copies(CHANNEL, "b", oldest=0, thread_ts=root.ts)) == set(replies)
    assert slack.permalink(extra)
    slack.delete(extra)
    assert list(slack.copies(CHANNEL, "a", oldest=0)) == [root]
    assert slack.permalink(extra) is None


def test_slack_refuses_what_is_not_there(workspace: tuple[Slack, Callable[[str], None]]) -> None:
    """An unknown channel, an unknown thread and a deleted message are refused, each with its kind."""
    slack, remove = workspace
    posted = slack.post(CHANNEL, text("a"))
    remove(posted.ts)
    calls: list[tuple[str, Callable[[], Any]]] = [
        ("channel", lambda: slack.post("C0OTHER", text("a"))),
        ("channel", lambda: slack.find("C0OTHER", "a", oldest=0)),
        ("missing", lambda: slack.post(CHANNEL, text("a"), thread_ts="1.000001")),
        ("missing", lambda: slack.update(posted, text("a"))),
        ("missing", lambda: slack.delete(posted)),
        ("channel", lambda: slack.copies("C0OTHER", "a", oldest=0)),
    ]
    for kind, call in calls:
        with pytest.raises(Rejected) as refusal:
            call()
        assert refusal.value.kind == kind


def test_stories_survive_the_table(stack: LocalStack) -> None:
    """A story is read back from the table equal to the one that was written, one version on."""
    table = DynamoTable(stack.client("dynamodb"), stack.physical("Table"))
    story = a_story("back/y#1", 0, 3)
    table.commit(Commit(a_fate("back", START), (story,)), START)
    found = table.story("back/y#1")
    assert found is not None
    assert json.dumps(found.to_json() | {"version": 0}) == json.dumps(story.to_json())


def test_a_queue_hides_redelivers_and_gives_up_as_sqs_does(stack: LocalStack) -> None:
    """A message hides while it is handled, comes again, and after the template's number of receives is a dead letter."""
    numbers, sqs = deployment().articles, stack.client("sqs")
    url, dead = stack.physical("ArticleQueue"), stack.physical("ArticleDeadLetters")
    twin = MemoryMailbox(numbers.visibility, numbers.receives)
    with time_machine.travel(START, tick=False) as clock:
        SqsQueue(sqs, url).send(["good", "bad"])
        twin.send(["good", "bad"])
        now = START
        for _ in range(numbers.receives + 2):
            theirs = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
            ours = twin.receive(now.timestamp(), 10)
            assert sorted(mail.body for mail in ours) == sorted(message["Body"] for message in theirs)
            for message in theirs:
                if message["Body"] == "good":
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            twin.delete(mail for mail in ours if mail.body == "good")
            assert twin.receive(now.timestamp(), 10) == []
            assert "Messages" not in sqs.receive_message(QueueUrl=url)
            now += timedelta(seconds=numbers.visibility + 1)
            clock.move_to(now)
        given_up = sqs.receive_message(QueueUrl=dead).get("Messages", [])
    assert [message["Body"] for message in given_up] == twin.dead == ["bad"]
