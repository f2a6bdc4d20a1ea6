"""A replay: articles dropped into the bucket of the whole system, made from `template.yaml` on moto, on a virtual clock."""

from __future__ import annotations

import gzip
import json
import multiprocessing
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

import time_machine

from infra import shares
from infra.local.pump import Pump
from infra.local.slack import LocalSlack, SlackMessage
from infra.local.stack import LocalStack, keep_secret
from tocsin.adapters.dynamodb import DynamoTable
from tocsin.article import AHEAD, EARLIEST, Article
from tocsin.decide import FATES
from tocsin.errors import SettingsFault, TocsinError
from tocsin.pipeline.stories import standing
from tocsin.ports import FateRecord
from tocsin.reading import Entry
from tocsin.story import Story

TEMPLATE = Path(__file__).parent.parent / "template.yaml"
CHANNEL = "C0ALERTS"
SECRET = "/tocsin/slack-token"  # noqa: S105 - the name of a secret, not one
PATIENCE = 60
"""Minutes of virtual time a replay waits at the end: messages that fail five times take half an hour to be given up."""
REAL_PAUSE = 1.0
"""Seconds a replay waits for each of those minutes when a real Slack is at the other end."""
METADATA_LIMIT = 2_000
"""Characters of metadata an S3 object may have, nearly."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """An input in order of arrival, with what became of it."""

    entry: Entry
    article: str
    at: datetime
    fate: FateRecord


@dataclass(frozen=True, slots=True)
class Replayed:
    """Everything a replay brought about. `messages` is the channel as it stands at the end, each with its edits."""

    arrivals: tuple[Arrival, ...]
    stories: tuple[Story, ...]
    messages: tuple[SlackMessage, ...]
    posts: int
    updates: int

    @property
    def fates(self) -> dict[str, int]:
        """How many inputs had each fate; the sum is the number of inputs."""
        counts = {fate: sum(arrival.fate.fate == fate for arrival in self.arrivals) for fate in FATES}
        return {fate: count for fate, count in counts.items() if count}

    @property
    def alerts(self) -> list[SlackMessage]:
        """The messages that are alerts: roots and replies."""
        return [message for message in self.messages if message.metadata]

    @property
    def _raised(self) -> int:
        """Alerts the stories raised: what counts when a real workspace keeps the messages."""
        return sum(len(story.alerted) for story in self.stories)

    def summary(self) -> dict[str, Any]:
        """The last line of the NDJSON output."""
        return {
            "articles": len(self.arrivals),
            "fates": self.fates,
            "alerts": len(self.alerts) or self._raised,
            "posts": self.posts,
            "updates": self.updates,
        }


@dataclass
class Options:
    """How to replay."""

    rules: Path
    shuffle: int | None = None
    as_given: bool = False
    """Articles arrive in the order in which they are given, not in that of their publication."""
    batch: int = 1
    max_age_days: float = 0
    workspace: Mapping[str, str] | None = None
    """A real Slack workspace: `token` and `channel`. None: the local Slack."""
    template: Path = TEMPLATE
    on_message: Callable[[str, Any], None] | None = None
    """Told of each call Slack accepted, as (method, call), while the replay runs."""
    on_progress: Callable[[int, int], None] | None = None
    jobs: int | None = None
    """Processes that share the inputs. None: as many as there are cores, once it is worth while."""


@dataclass(frozen=True, slots=True)
class _Input:
    """An input on its way: its place in the order of arrival, and when the first and this one arrive."""

    number: int
    entry: Entry
    start: datetime
    at: datetime


@dataclass
class _Run:
    """One replay under way."""

    options: Options
    clock: time_machine.Traveller
    now: datetime
    stack: LocalStack
    pump: Pump
    slack: LocalSlack | None
    told: int = 0
    names: dict[int, str] = field(default_factory=dict)


def replay(entries: Sequence[Entry], options: Options) -> Replayed:
    """Runs the inputs through the system and says what became of each. `SettingsFault` when it cannot be set up.

    Many inputs are shared among the cores, each of which has a system of its own.
    """
    order = list(entries) if options.as_given else _order(entries, options.shuffle)
    today = datetime.now(UTC)
    inputs = _timed(order, options.batch, today)
    jobs = 1 if options.workspace else options.jobs or shares.worth(len(inputs))
    if jobs > 1:
        parts = shares.shares(order, options.rules, jobs)
        return _together(inputs, [[inputs[at] for at in part] for part in parts if part], options)
    return _part(inputs, inputs[0].start if inputs else today, options)


def _together(inputs: Sequence[_Input], parts: Sequence[Sequence[_Input]], options: Options) -> Replayed:
    """The parts, each in a process of its own, the first in this one, where the stories are told."""
    start, done = inputs[0].start, multiprocessing.Array("q", len(parts), lock=False)

    def told(part: int) -> Callable[[int, int], None]:
        def arrived(count: int, _: int) -> None:
            done[part] = count
            if options.on_progress and not part:
                options.on_progress(sum(done), len(inputs))

        return arrived

    def run(part: int) -> Replayed:
        says = replace(options, on_progress=told(part))
        return _part(parts[part], start, replace(says, on_message=None) if part else says)

    with shares.beside(run, range(1, len(parts))) as others:
        made = [run(0), *others()]
    if any(one.stories for one in made[1:]):
        raise TocsinError("an article told a story that had been taken for silent: replay with --jobs 1, and report it")
    arrivals = {
        one.number: arrival
        for part, replayed in zip(parts, made, strict=True)
        for one, arrival in zip(part, replayed.arrivals, strict=True)
    }
    return replace(made[0], arrivals=tuple(arrivals[one.number] for one in inputs))


def _part(inputs: Sequence[_Input], start: datetime, options: Options) -> Replayed:
    """Some inputs, through a system made for them."""
    with ExitStack() as stack:
        clock = stack.enter_context(time_machine.travel(start, tick=False))
        os.environ["NO_PROXY"] = "127.0.0.1,localhost"
        slack = None if options.workspace else stack.enter_context(LocalSlack())
        system = stack.enter_context(LocalStack(options.template, _parameters(options, slack)))
        token = options.workspace["token"] if options.workspace else slack.token if slack else ""
        keep_secret(system.client, SECRET, token)
        run = _Run(options, clock, start, system, Pump(system), slack)
        run.pump.drain()  # S3's test event
        _drop_all(run, inputs)
        return _results(run, inputs)


def _parameters(options: Options, slack: LocalSlack | None) -> dict[str, str]:
    parameters = {
        "SlackChannel": options.workspace["channel"] if options.workspace else CHANNEL,
        "SlackTokenSecret": SECRET,
        "MaxAgeDays": f"{options.max_age_days:g}",
        "RulesFolder": str(options.rules.resolve()),
        "SecondsBetweenMessages": "0",  # the clock stands still
    }
    return parameters | ({"SlackUrl": slack.url} if slack else {})


def _order(entries: Sequence[Entry], shuffle: int | None) -> list[Entry]:
    """By published time; inputs without one last. Shuffled when a seed is given."""
    late = datetime.max.replace(tzinfo=UTC)
    order = sorted(entries, key=lambda entry: (entry.article.published if entry.article else None) or late)
    if shuffle is not None:
        random.Random(shuffle).shuffle(order)  # noqa: S311 - an order of arrival, not a secret
    return order


def _believed(entry: Entry, today: datetime) -> datetime | None:
    """When an input says it was published, unless that cannot be."""
    published = entry.article.published if entry.article else None
    return published if published and EARLIEST <= published <= today + AHEAD else None


def _timed(order: Sequence[Entry], batch: int, today: datetime) -> list[_Input]:
    """The inputs with the time at which each arrives: that of the latest published so far, by batches."""
    believed = [_believed(entry, today) for entry in order]
    start = now = min(filter(None, believed), default=today)
    found: list[_Input] = []
    for first in range(0, len(order), batch):
        now = max([now, *filter(None, believed[first : first + batch])])
        found += [_Input(number, order[number], start, now) for number in range(first, min(first + batch, len(order)))]
    return found


def _drop_all(run: _Run, inputs: Sequence[_Input]) -> None:
    done = 0
    for _, batch in groupby(inputs, lambda one: one.number // run.options.batch):
        for one in batch:
            run.now = one.at
            run.clock.move_to(run.now)
            run.names[one.number] = _drop(run, one.number, one.entry)
            done += 1
        run.pump.drain()
        _tell(run)
        if run.options.on_progress:
            run.options.on_progress(done, len(inputs))
    _settle(run)
    _tell(run)


def _drop(run: _Run, number: int, entry: Entry) -> str:
    """Puts one input under `inbox/` as a user would; returns the id its fate is recorded under."""
    article = entry.article
    if article is None:
        name = PurePosixPath(entry.name.split(", line ")[0]).name
        if entry.body is not None:
            stem = PurePosixPath(name).stem + (f"-{number}" if ", line " in entry.name else "")
            suffix = ".json" if ", line " in entry.name else PurePosixPath(name).suffix
            run.stack.client("s3").put_object(
                Bucket=run.stack.physical("Bucket"), Key=f"inbox/{number:06d}/{stem}{suffix}", Body=entry.body
            )
            return stem
        return name
    unsaid = {"text", "dated", "named", "lacks"} | ({"id"} if article.named == "file" else set())
    told = {key: value for key, value in article.to_json().items() if key not in unsaid}
    metadata = {name: quote(value, safe=" :/+,.'-") for name, value in told.items()}
    if entry.body is not None and len("".join([*metadata, *metadata.values()])) < METADATA_LIMIT:
        key, body = f"inbox/{number:06d}/{PurePosixPath(entry.name).name}", entry.body
    else:
        metadata = {}
        name = article.id if article.named == "file" else "article"
        key, body = f"inbox/{number:06d}/{name}.json", json.dumps(told | {"text": article.text}).encode()
    run.stack.client("s3").put_object(Bucket=run.stack.physical("Bucket"), Key=key, Body=body, Metadata=metadata)
    return article.id


def _settle(run: _Run) -> None:
    """Lets time pass while something waits: messages to come again, alerts due later. Complains of what never got done."""
    table = DynamoTable(run.stack.client("dynamodb"), run.stack.physical("Table"))
    for _ in range(PATIENCE):
        if not run.pump.waiting() and not table.due(run.now + timedelta(days=1), 1):
            break
        if run.options.workspace:
            time.sleep(REAL_PAUSE)
        run.now += timedelta(minutes=1)
        run.clock.move_to(run.now)
        run.pump.fire("Sweep")
        run.pump.drain()
    if failed := [one for one in run.pump.invocations if one.error]:
        raise TocsinError(f"{len(failed)} function calls failed, the first:\n{failed[0].error}")
    if waiting := table.due(run.now + timedelta(days=1), 100):
        raise SettingsFault(
            f"{len(waiting)} alerts were not posted within {PATIENCE} minutes; the messages above say why Slack refused them"
        )


def _tell(run: _Run) -> None:
    if run.slack and run.options.on_message:
        for call in run.slack.journal[run.told :]:
            run.options.on_message(call.method, call)
        run.told = len(run.slack.journal)


def _results(run: _Run, inputs: Sequence[_Input]) -> Replayed:
    table = DynamoTable(run.stack.client("dynamodb"), run.stack.physical("Table"))
    arrivals = tuple(_arrivals(run, inputs, table))
    ids = dict.fromkeys(
        signal["story"] for arrival in arrivals for signal in arrival.fate.signals if signal.get("story")
    )
    ended = {one: story for one in ids if (story := standing(table, one))}
    stories = tuple({story.id: story for story in ended.values()}.values())
    arrivals = tuple(replace(arrival, fate=_named(arrival.fate, ended)) for arrival in arrivals)
    messages = tuple(run.slack.messages(CHANNEL)) if run.slack else ()
    posts, updates = (len(run.slack.posts), len(run.slack.updates)) if run.slack else (0, 0)
    return Replayed(arrivals, stories, messages, posts, updates)


def _named(fate: FateRecord, stories: Mapping[str, Story]) -> FateRecord:
    """The fate with the names its stories have in the end: a late article may have moved or merged them."""
    rows = tuple(
        {**row, "story": stories[row["story"]].name} if row.get("story") in stories else row for row in fate.signals
    )
    return replace(fate, signals=rows)


def _arrivals(run: _Run, inputs: Sequence[_Input], table: DynamoTable) -> Iterator[Arrival]:
    silent: dict[tuple[str, str], FateRecord] = {}
    for fate in _silent_fates(run):
        silent[fate.article, fate.content] = fate
    seen: set[tuple[str, str]] = set()
    for one in inputs:
        entry, at, name = one.entry, one.at, run.names[one.number]
        if entry.article is None:
            yield Arrival(entry, name, at, FateRecord(name, "rejected", str(entry.fault), at.isoformat(), ""))
            continue
        fate = _fate(entry.article, table, silent)
        if (fate.article, entry.article.content) in seen:
            fate = replace(
                fate, fate="duplicate", reason="this article had arrived before", at=at.isoformat(), signals=()
            )
        seen.add((fate.article, entry.article.content))
        yield Arrival(entry, fate.article, at, fate)


def _fate(article: Article, table: DynamoTable, silent: Mapping[tuple[str, str], FateRecord]) -> FateRecord:
    """What became of this version of an article, under its own id or the one that tells it from its namesake."""
    for name in (article.id, f"{article.id}~{article.content[:8]}"):
        record = table.fate(name)
        if record and record.content == article.content:
            return record
        for before in record.before if record else ():
            if record and before["content"] == article.content:
                version = {key: before[key] for key in ("fate", "reason", "at")}
                return replace(record, **version, signals=(), content=article.content)
        if found := silent.get((name, article.content)):
            return found
    raise SettingsFault(f"the article {article.id!r} has no fate: something in the pipeline lost it")


def _silent_fates(run: _Run) -> Iterator[FateRecord]:
    s3, bucket = run.stack.client("s3"), run.stack.physical("Bucket")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="fates/"):
        for item in page.get("Contents", []):
            body = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
            for line in gzip.decompress(body).decode().splitlines():
                yield FateRecord.from_json(json.loads(line))
