"""Two ways to run the whole pipeline in a test: on the twins, and from `template.yaml` on moto."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import quote

import time_machine

from infra.local.pump import Pump
from infra.local.slack import LocalSlack
from infra.local.stack import LocalStack, keep_secret
from infra.replay import CHANNEL, SECRET, TEMPLATE
from tests.twins import Clock, MemoryArchive, MemorySlack, MemoryTable, Shown
from tocsin.adapters.dynamodb import DynamoTable
from tocsin.adapters.rulebook import rulebook
from tocsin.article import Article
from tocsin.cli import main
from tocsin.compiled import RuleSet
from tocsin.detection import detect
from tocsin.pipeline.archive import Arrivals
from tocsin.pipeline.deliver import Deliverer
from tocsin.pipeline.detect import Detector
from tocsin.ports import Archive, Slack, Table
from tocsin.reading import Entry, entries
from tocsin.routes import everything_to
from tocsin.signal import Signal

ROOT = Path(__file__).parent.parent
RULES = ROOT / "rules"
SEEDS = ROOT / "seeds"
STACK = "desk"
"""The name under which the command line finds the system on moto."""
LEASE, QUARANTINE = timedelta(seconds=75), timedelta(seconds=150)


@cache
def rule_set() -> RuleSet:
    """The shipped rules, compiled once."""
    return rulebook(RULES).rule_set


@cache
def seeds() -> tuple[Entry, ...]:
    """The five seeds with what their manifest tells."""
    return tuple(entries(SEEDS))


def seed_articles() -> list[Article]:
    """The five seeds as articles, in the order of their names."""
    return [entry.article for entry in seeds() if entry.article]


@cache
def found_once(article: Article) -> Sequence[Signal]:
    """The signals in an article, looked for once however often the tests ask."""
    return detect(rule_set(), article)


def found(_rules: RuleSet, article: Article) -> Sequence[Signal]:
    """`tocsin.match.detect` with a memory."""
    return found_once(article)


@dataclass
class World:
    """Detector and deliverer on the twins. `arrive`, `deliver` and `sweep` are what the functions are called for."""

    clock: Clock = field(default_factory=Clock)
    table: MemoryTable = field(default_factory=MemoryTable)
    archive: MemoryArchive = field(default_factory=MemoryArchive)
    max_age: timedelta | None = None
    slack: MemorySlack = field(init=False)

    def __post_init__(self) -> None:
        self.slack = MemorySlack(self.clock)

    def arrive(self, *articles: Article) -> list[str]:
        """One batch of articles reaches the detector; returns the ids of those that must come again."""
        return self.detector().detect([(article.id, article) for article in articles])

    def detector(self) -> Detector:
        """The detector on these twins."""
        return Detector(
            rule_set(), lambda: self.table, lambda: self.archive, self.clock, self.max_age, found, self.table.count
        )

    def deliverer(self, owner: str = "stream", *, table: Table | None = None, slack: Slack | None = None) -> Deliverer:
        """A deliverer on these twins, or on what is given instead of them."""
        neighbours = (table or self.table, slack or self.slack)
        return Deliverer(
            *neighbours,
            rule_set().policy,
            self.clock,
            owner,
            everything_to(CHANNEL),
            LEASE,
            QUARANTINE,
            self.clock.wait,
        )

    def hints(self) -> list[str]:
        """The alerts the stream would tell of: those whose row says pending."""
        return [alert for alert, row in self.table.rows.items() if row.status == "pending"]

    def deliver(self) -> None:
        """The stream tells the deliverer."""
        self.deliverer().deliver(self.hints())

    def sweep(self, minutes: int = 1) -> None:
        """Lets minutes pass, with a sweep at the end of each."""
        for _ in range(minutes):
            self.clock.move(minutes=1)
            self.deliverer("sweep").sweep()

    def standing(self, alert: str) -> list[Shown]:
        """The messages of an alert that stand in the channel: there must never be two."""
        return [one for one in self.slack.standing if one.alert == alert]

    def undelivered(self) -> dict[str, str]:
        """The alerts that are not delivered, each with its note."""
        return {alert: row.note for alert, row in self.table.rows.items() if row.status != "delivered"}


@dataclass
class System:
    """The template on moto, its pump, a local Slack, and a clock that stands still until it is moved."""

    stack: LocalStack
    pump: Pump
    slack: LocalSlack
    clock: time_machine.Traveller
    now: datetime

    @property
    def table(self) -> DynamoTable:
        """The table, as a reader sees it."""
        return DynamoTable(self.stack.client("dynamodb"), self.stack.physical("Table"))

    def name_outputs(self, **parameters: str) -> None:
        """Makes a stack whose outputs name table and bucket, as those of a deployed one do, for the command line to find."""
        given = {name: {"Type": "String", "Default": value} for name, value in parameters.items()}
        outputs = {name: {"Value": self.stack.physical(name)} for name in ("Table", "Bucket")}
        queue = {"Queue": {"Type": "AWS::SQS::Queue"}}
        body = json.dumps({"Parameters": given, "Resources": queue, "Outputs": outputs})
        self.stack.client("cloudformation").create_stack(StackName=STACK, TemplateBody=body)

    def drop(self, key: str, body: bytes, **metadata: str) -> None:
        """Puts a file under `inbox/`."""
        told = {name: quote(value) for name, value in metadata.items()}
        bucket = self.stack.physical("Bucket")
        self.stack.client("s3").put_object(Bucket=bucket, Key=f"inbox/{key}", Body=body, Metadata=told)

    def send(self, *bodies: str) -> None:
        """Puts messages on the article queue."""
        for body in bodies:
            self.stack.client("sqs").send_message(QueueUrl=self.stack.physical("ArticleQueue"), MessageBody=body)

    def pass_time(self, minutes: int) -> None:
        """Lets minutes pass, with a sweep at the end of each."""
        for _ in range(minutes):
            self.move(minutes=1)
            self.pump.fire("Sweep")
            self.pump.drain()

    def move(self, **delta: float) -> None:
        """Moves the clock."""
        self.now += timedelta(**delta)
        self.clock.move_to(self.now)

    def messages_in(self, queue: str) -> list[str]:
        """The bodies of the messages that are visible in a queue."""
        answer = self.stack.client("sqs").receive_message(QueueUrl=self.stack.physical(queue), MaxNumberOfMessages=10)
        return [message["Body"] for message in answer.get("Messages", [])]


@contextmanager
def system(**parameters: str) -> Iterator[System]:
    """The system, running from here to the end of the `with` statement, with parameters of the template besides the usual ones."""
    start = datetime(2025, 3, 1, 9, tzinfo=UTC)
    wanted = {"SlackChannel": CHANNEL, "SlackTokenSecret": SECRET, "MaxAgeDays": "0", "RulesFolder": str(RULES)}
    wanted["SecondsBetweenMessages"] = "0"  # the clock stands still
    with (
        time_machine.travel(start, tick=False) as clock,
        LocalSlack() as slack,
        LocalStack(TEMPLATE, {**wanted, **parameters, "SlackUrl": slack.url}) as stack,
    ):
        keep_secret(stack.client, SECRET, slack.token)
        os.environ["NO_PROXY"] = "127.0.0.1,localhost"
        pump = Pump(stack)
        pump.drain()  # S3's test event
        yield System(stack, pump, slack, clock, start)
        kept = stack.client("dynamodb").scan(TableName=stack.physical("Table"))["Items"]
        assert slack.token not in repr(kept), "Slack's token stands in the table"
        assert slack.token not in repr(dead_letters(stack)), "Slack's token stands in a dead letter"


def dead_letters(stack: LocalStack) -> dict[str, list[str]]:
    """What lies in each dead-letter queue of the template; it stays there."""
    sqs = stack.client("sqs")
    ends = [name for name in stack.of_type("AWS::SQS::Queue") if name.endswith("DeadLetters")]
    told = {"MaxNumberOfMessages": 10, "VisibilityTimeout": 0}
    found = {name: sqs.receive_message(QueueUrl=stack.physical(name), **told).get("Messages", []) for name in ends}
    return {name: [message["Body"] for message in messages] for name, messages in found.items()}


def brought(archive: Archive, bodies: Iterable[str]) -> list[Article]:
    """The articles that messages of the article queue bring, in order."""
    arrivals = Arrivals(lambda: archive)
    return [article for body in bodies for _, article in arrivals.of(body)]


def row_of(article: Article) -> str:
    """An article as it travels in a queue message."""
    return json.dumps(article.to_json())


@dataclass(frozen=True)
class Ran:
    """What came of a call of the command line."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Its output as NDJSON."""
        return [json.loads(line) for line in self.out.splitlines()]


def tocsin(*arguments: str | Path, stdin: bytes = b"") -> Ran:
    """Calls the command line in this process, as the installed `tocsin` does."""
    out, err = io.StringIO(), io.StringIO()
    given = io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")
    with (
        mock.patch.object(sys, "argv", ["tocsin", *map(str, arguments)]),
        mock.patch.object(sys, "stdin", given),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            return Ran(int(end.code or 0), out.getvalue(), err.getvalue())
    raise AssertionError("the command line did not exit")
