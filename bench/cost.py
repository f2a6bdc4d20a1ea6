"""What Tocsin costs: every call of a measured run on moto, priced by `bench/prices.json`.

python bench/cost.py [--articles N] [--json FILE]       `make cost` calls it

Detection and delivery are run on moto, created from `template.yaml`, and each call of an API that a function or a poller makes is counted, with
the units of the table that items of its size take. Polling is counted on the twins (`tests/hostile/polling.py`), with the time for which
servers are taken to let it wait. A function's time is
its own processor time, stretched to the processor its memory buys, and for each call what such a call takes in one region.
What is kept of a month stands by itself: what the table holds after the measured run, and articles packed as the seeds are.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

from botocore.client import BaseClient
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]  # it ships no types

from infra.local.function import Function, Outcome
from tests.hostile.polling import UNITS, hourly
from tests.system import ROOT, System, row_of, seed_articles, system
from tocsin.adapters.s3 import S3Archive
from tocsin.adapters.sqs import batches
from tocsin.article import Article
from tocsin.pipeline.archive import archived

PRICES = json.loads((ROOT / "bench" / "prices.json").read_text(encoding="utf-8"))
UNIT: Mapping[str, float] = PRICES["unit"]
FREE: Mapping[str, float] = PRICES["free a month"]
TAKEN: Mapping[str, Any] = PRICES["taken"]
PROCESSOR = 1769
"""Megabytes of memory with which a function has a whole processor."""
MONTH = 30
MINUTES = MONTH * 24 * 60
SIZE = 5_600
"""Characters of an article, as news has them."""
SIGNALS = 0.05
WORLD = 1_000_000
"""Articles of the world's press in a day: five where the feeds of an agency tell one make some more, which are polled, too."""
WHO = ("Turkey", "France", "India", "Iran", "Egypt", "Poland", "Germany", "Japan", "Greece", "Italy")
WHERE = ("Libya", "Chad", "Niger", "Somalia", "Lebanon", "Iraq", "Mali", "Yemen", "Jordan", "Kenya")
LOGGED = 600
"""Bytes of logs that a call of a function leaves: Lambda's own lines, and ours."""
OVERHEAD = 100
"""Bytes that DynamoDB bills for each item it keeps, besides its own."""
FILLER = "The council met on Friday, heard three reports about schools and roads, and agreed to meet again in spring. "

Used = defaultdict[str, float]


@dataclass
class Ledger:
    """Counts what is used while it is open, by unit of the price file."""

    running: System
    used: Used = field(default_factory=lambda: defaultdict(float))
    calls: Counter[str] = field(default_factory=Counter)
    traced: int = 0
    """Calls of functions that are traced unless the deployment says otherwise."""
    _inside: list[float] = field(default_factory=list)
    """Seconds spent in calls by the function that runs."""

    @contextmanager
    def open(self) -> Iterator[None]:
        """Counts until the end of the `with` statement."""
        call: Any = BaseClient.__dict__["_make_api_call"]  # where every call of boto3 passes
        invoke = Function.invoke

        def called(client: Any, operation: str, given: dict[str, Any]) -> Any:
            before = self._items(client, operation, given)
            began = time.process_time()
            answer = call(client, operation, given)
            if self._inside:
                self._inside[-1] += time.process_time() - began
            self._count(client, operation, given, answer, before)
            return answer

        def invoked(function: Function, event: object) -> Outcome:
            self._inside.append(0.0)
            calls, began = self.calls.copy(), time.process_time()
            outcome = invoke(function, event)
            own = time.process_time() - began - self._inside.pop()
            self._run(function, own, self.calls - calls)
            return outcome

        with mock.patch.object(BaseClient, "_make_api_call", called), mock.patch.object(Function, "invoke", invoked):
            yield

    def _run(self, function: Function, own: float, calls: Counter[str]) -> None:
        """One call of a function: its own time on the processor it has, and the time its calls take."""
        memory = function._properties.get("MemorySize", 128)  # noqa: SLF001 - the template's word
        waits = sum(TAKEN[name.partition(".")[0]] * count for name, count in calls.items())
        seconds = own * PROCESSOR / min(memory, PROCESSOR) + waits
        self.used["function calls"] += 1
        self.used["GB-seconds"] += seconds * memory / 1024
        self.traced += function._properties.get("TracingConfig", {}).get("Mode") == "Active"  # noqa: SLF001 - as above

    def _items(self, client: Any, operation: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """The items a write finds, by key."""
        if client.meta.service_model.service_name != "dynamodb" or operation not in {
            "PutItem",
            "UpdateItem",
            "TransactWriteItems",
        }:
            return {}
        return {json.dumps(key): self._item(key) for _, key in _writes(operation, given)}

    def _item(self, key: Mapping[str, Any]) -> Mapping[str, Any]:
        from moto.dynamodb.models import dynamodb_backends

        backend = dynamodb_backends[self.running.stack.account][self.running.stack.region]
        found = backend.get_item(self.running.stack.physical("Table"), {"pk": key["pk"], "sk": key["sk"]})
        return found.to_json()["Attributes"] if found else {}

    def _count(
        self,
        client: Any,
        operation: str,
        given: Mapping[str, Any],
        answer: Mapping[str, Any],
        before: Mapping[str, Any],
    ) -> None:
        service = client.meta.service_model.service_name
        if service == "dynamodb":
            self._count_table(operation, given, answer, before)
        elif service == "sqs":
            if operation != "ReceiveMessage" or answer.get("Messages"):
                bodies = [
                    one.get("Body", one.get("MessageBody", ""))
                    for one in (*answer.get("Messages", ()), *given.get("Entries", ()))
                ]
                self.used["queue requests"] += _requests(bodies)
        elif service == "s3":
            self.used["objects written" if operation == "PutObject" else "objects read"] += 1
        if self._inside:
            self.calls[f"{service}.{operation}"] += 1

    def _count_table(
        self, operation: str, given: Mapping[str, Any], answer: Mapping[str, Any], before: Mapping[str, Any]
    ) -> None:
        if operation in {"PutItem", "UpdateItem", "TransactWriteItems"}:
            twice = 2 if operation == "TransactWriteItems" else 1
            for written, key in _writes(operation, given):
                old, new = before[json.dumps(key)], self._item(key)
                units = math.ceil(max(_size(old), _size(new), 1) / 1024) * twice
                self.used["table writes"] += units + (_index(old, new) if written else 0)
        elif operation in {"GetItem", "BatchGetItem", "Query"}:
            items = [answer["Item"]] if "Item" in answer else answer.get("Items", [])
            items = items or [one for some in answer.get("Responses", {}).values() for one in some]
            asked = sum(len(one["Keys"]) for one in given.get("RequestItems", {}).values()) or 1
            half = 1.0 if given.get("ConsistentRead") or operation == "BatchGetItem" else 0.5
            if operation == "Query":
                self.used["table reads"] += max(1, math.ceil(sum(map(_size, items)) / 4096)) * half
            else:
                found = sum(math.ceil(_size(one) / 4096) for one in items)
                self.used["table reads"] += (found + max(0, asked - len(items))) * half


def _requests(bodies: Iterable[str]) -> int:
    """Requests that SQS bills for one that carries these messages."""
    return max(1, math.ceil(sum(map(len, bodies)) / 65_536))


def _writes(operation: str, given: Mapping[str, Any]) -> Iterator[tuple[bool, Mapping[str, Any]]]:
    """The keys a call writes, each with whether it does, or only looks."""
    if operation == "TransactWriteItems":
        for action in given["TransactItems"]:
            ((kind, what),) = action.items()
            yield kind != "ConditionCheck", _key(what)
    else:
        yield True, _key(given)


def _key(what: Mapping[str, Any]) -> Mapping[str, Any]:
    found = what.get("Item") or what["Key"]
    return {"pk": found["pk"], "sk": found["sk"]}


def _size(item: Mapping[str, Any]) -> int:
    """Bytes of an item, as DynamoDB counts them, nearly."""
    return sum(len(name) + _held(value) for name, value in item.items())


def _held(value: Mapping[str, Any]) -> int:
    ((kind, held),) = value.items()
    if kind == "B":  # the client has bytes, moto keeps them in base64
        return len(held) if isinstance(held, bytes) else len(held) * 3 // 4
    return len(str(held).encode())


def _index(old: Mapping[str, Any], new: Mapping[str, Any]) -> int:
    """Units that the index of what is due takes: one for an entry that comes, goes or has another level, two for one that moves."""
    before, after = (
        (one["due_shard"], one["due_at"], one.get("level")) if "due_shard" in one else None for one in (old, new)
    )
    if before == after:
        return 0
    return 2 if before and after and before[:2] != after[:2] else 1


def detected(articles: int, signals: float, together: int) -> tuple[Used, float, float]:
    """What so many articles use from the queue to Slack, so many sent by one call of Fetch, each for itself; a thousand of them.

    And the bytes that the table keeps of a thousand, and the calls that are traced.
    """
    with system() as running:
        ledger = Ledger(running)
        starts = (*(_article(number) for number in range(10)), _article(10, len(WHO) * len(WHERE) - 1))
        running.send(*map(row_of, starts))  # so that what only a start does is not counted
        running.pump.drain()
        before = _bytes_kept(running)
        archive = S3Archive(running.stack.client("s3"), running.stack.physical("Bucket"))
        told = list(_articles(articles, signals))
        half = articles // 2  # a story that is told in the first stands in Slack before it is told again
        for start in (*range(0, half, together), *range(half, articles, together)):
            end = min(start + together, half if start < half else articles)
            bodies = archived(archive, told[start:end], running.now)  # which polling counts
            running.send(*bodies)
            with ledger.open():
                running.pump.drain()
            ledger.used["queue requests"] += sum(_requests(some) for some in batches(bodies))  # what sent them
        slack = len(running.slack.posts) + len(running.slack.updates)
        ledger.used["GB-seconds"] += slack * TAKEN["slack"] * _memory("Deliver") / 1024
        kept = (_bytes_kept(running) - before) * 1_000 / articles
    return scaled(ledger.used, 1_000 / articles), kept, ledger.traced * 1_000 / articles


def _bytes_kept(running: System) -> int:
    """Bytes of everything in the table."""
    pages = running.stack.client("dynamodb").get_paginator("scan").paginate(TableName=running.stack.physical("Table"))
    return sum(_size(item) + OVERHEAD for page in pages for item in page["Items"])


@cache
def packed() -> float:
    """Bytes that an article of usual length takes in the archive, packed as the seeds are, which are news."""
    articles = seed_articles()
    rows = "\n".join(json.dumps(article.to_json()) for article in articles)
    return len(gzip.compress(rows.encode(), mtime=0)) / sum(len(article.text) for article in articles) * SIZE


def kept(articles: float, table: float) -> Used:
    """What it takes to keep so many articles a month, of a thousand of which the table has so many bytes."""
    in_table = articles / 1_000 * table / 1e9
    in_bucket = articles * packed() / 1e9
    names = ("GB-months of objects", "GB-months of table", "GB-months of backup")
    return defaultdict(float, zip(names, (in_bucket, in_table, in_table), strict=True))


def _memory(function: str) -> int:
    """Megabytes of a function."""
    template = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
    own: int = template["Resources"][function]["Properties"].get(
        "MemorySize", template["Globals"]["Function"]["MemorySize"]
    )
    return own


def _articles(count: int, signals: float) -> Iterator[Article]:
    """Articles new in their feeds, some with a signal: in the first half each tells a new story, in the second one that stands in Slack."""
    every = round(1 / signals) if signals else count + 1
    stories = max(1, count // every // 2)
    for number in range(count):
        yield _article(1_000 + number, number // every % stories if number % every == 0 and signals else None)


def _article(number: int, story: int | None = None) -> Article:
    """An article of usual length, with a signal of one of the stories or without any."""
    told = ""
    if story is not None:
        who, where = WHO[story % len(WHO)], WHERE[story // len(WHO) % len(WHERE)]
        told = f"{who} is preparing to send more troops to {where}, officials said on Friday. "
    body = told + FILLER * ((SIZE - len(told)) // len(FILLER))
    return Article(
        f"article-{number}",
        body,
        f"Headline {number}",
        f"Outlet {number % 7}",
        f"https://news{number % 7}.example/{number}",
        fresh=True,
    )


def idle() -> Used:
    """What a month of waiting uses as it is deployed by default: the schedules, the pollers of the queues, alarms, figures."""
    with system() as running:
        told = running.stack.properties
        alarms = [told(name) for name in running.stack.of_type("AWS::CloudWatch::Alarm")]
        mappings = [told(name) for name in running.stack.of_type("AWS::Lambda::EventSourceMapping")]
        queues = sum(":sqs:" in one["EventSourceArn"] for one in mappings)
        ledger = Ledger(running)
        for function in ("Due", "Sweep", "Ops"):
            running.pump.fire(function)
        with ledger.open():
            for minute in range(10):
                running.move(minutes=1)
                for function in ("Due", "Sweep", "Ops") if minute % 5 == 0 else ("Due", "Sweep"):
                    running.pump.fire(function)
    used = scaled(ledger.used, MINUTES / 10)
    used["schedule calls"] += 2 * MINUTES + MINUTES / 5 + MONTH
    used["queue requests"] += queues * TAKEN["receives of an idle queue a minute"] * MINUTES
    used["alarm-months"] += len(alarms)
    used["metric-months"] += len({one["MetricName"] for one in alarms if "AWS/" not in str(one["Namespace"])})
    return used


@cache
def polled(feeds: int, at_once: int = 1) -> tuple[Used, int, int]:
    """What an hour of polling so many feeds uses, up to the article queue, the articles it brings, and how many a call of Fetch does."""
    cost = hourly(feeds, at_once=at_once)
    used: Used = defaultdict(float, {unit: cost.used[name] for name, unit in UNITS.items()})
    used["queue requests"] -= cost.used["to articles"]  # what detection counts
    used["function calls"] -= cost.used["calls to articles"]
    return used, cost.articles, max(1, round(cost.articles / cost.bringing))


def scaled(used: Mapping[str, float], factor: float) -> Used:
    """So many times as much."""
    return defaultdict(float, {name: count * factor for name, count in used.items()})


def added(*parts: Mapping[str, float]) -> Used:
    """All of it together."""
    whole: Used = defaultdict(float)
    for part in parts:
        for name, count in part.items():
            whole[name] += count
    return whole


def dollars(used: Mapping[str, float], *, free: bool = False) -> float:
    """The price of what is used in a month, of all or of what is beyond the free amounts."""
    return sum(max(0.0, count - (FREE.get(name, 0) if free else 0)) * UNIT[name] for name, count in used.items())


@dataclass(frozen=True, slots=True)
class Case:
    """A size of use, in a month."""

    name: str
    used: Used
    articles: float
    """A day."""
    next: str
    """What is the bottleneck first, and what then changes."""
    polling: Used
    """What of it polling uses."""
    together: int
    """Articles that a call of Fetch brings."""
    background: Used
    """What a thousand articles without a signal use from the queue on."""
    mixed: Used
    """What a thousand do of which some hold one."""
    kept: Used
    """What keeping the articles of a month takes, for a month."""
    traced: Used
    """Calls of functions that are traced unless the deployment says otherwise: all but those the clock makes."""


def cases(measured: int) -> Iterator[Case]:
    """The three sizes, with so many articles in each measured run."""
    base = idle()
    for name, feeds, at_once, then in (
        (
            "100 feeds, a desk",
            100,
            1,
            "nothing: what it costs is queues that are asked though they are empty",
        ),
        (
            "10,000 feeds, an agency",
            10_000,
            1,
            "servers that let Fetch wait; then the processor that reads feeds",
        ),
        (
            "10,000 feeds with 1,000,000 articles a day, the world's press",
            10_000,
            5,
            "one channel of Slack takes a message a second: more routes; then the account's concurrency",
        ),
    ):
        used, articles, together = polled(feeds, at_once)
        daily = WORLD if at_once > 1 else articles * 24
        polling = scaled(used, MONTH * 24)
        some = max(measured, 2 * together)  # at least two calls of Fetch, as large as they are
        background, (mixed, table, traced) = detected(some, 0, together)[0], detected(some, SIGNALS, together)
        month = added(polling, scaled(mixed, daily * MONTH / 1_000), base)
        month["GB of logs"] = month["function calls"] * LOGGED / 1e9
        calls = polling["function calls"] - MINUTES + traced * daily * MONTH / 1_000
        keeping, traces = kept(daily * MONTH, table), defaultdict(float, {"traces": calls})
        yield Case(name, month, daily, then, polling, together, background, mixed, keeping, traces)


def table(some: list[Case]) -> Iterator[str]:
    """The lines that are printed."""
    yield f"prices: {PRICES['of']}"
    for case in some:
        for name, used in (("no signal", case.background), (f"{SIGNALS:.0%} signals", case.mixed)):
            units = ", ".join(f"{count / 1_000:.3f} {unit}" for unit, count in sorted(used.items()) if count)
            price = dollars(scaled(used, 1_000))
            yield f"an article of {case.together} together, from the queue to Slack, {name}: {units}: {price:.2f} USD a million"
    for case in some:
        month, beyond = dollars(case.used), dollars(case.used, free=True)
        yield f"{case.name}: {case.articles:,.0f} articles a day, {month:.2f} USD a month, {month / MONTH:.2f} a day; beyond the free amounts {beyond:.2f}"
        for what, used in (("", case.used), (f"polling {dollars(case.polling):.2f} of it: ", case.polling)):
            parts = sorted(((UNIT[unit] * count, unit, count) for unit, count in used.items()), reverse=True)
            told = (f"{unit} {count:,.0f} = {price:.2f}" for price, unit, count in parts if price >= 0.005)  # noqa: PLR2004 - half a cent
            yield f"    {what}{', '.join(told)}"
        traces, beyond = dollars(case.traced), dollars(case.traced, free=True)
        yield f"    besides, with Traces=Active: {case.traced['traces']:,.0f} traces = {traces:.2f}, beyond the free amount {beyond:.2f}"
        yield f"    with them {month + traces:.2f} a month, {(month + traces) / MONTH:.2f} a day"
        told = (f"{count:.3f} {unit} = {UNIT[unit] * count:.2f}" for unit, count in case.kept.items())
        yield f"    besides, for each month that articles are kept: {', '.join(told)}: {dollars(case.kept):.2f}"
        yield f"    first: {case.next}"


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        "python bench/cost.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--articles", type=int, default=400, help="articles of each measured run")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    options = parser.parse_args()
    some = list(cases(options.articles))
    for line in table(some):
        print(line)
    if options.json:
        told: dict[str, Any] = {"prices": PRICES["of"]}
        told |= {
            case.name: {
                "background per 1,000": case.background,
                "mixed per 1,000": case.mixed,
                "month": case.used,
                "usd a month": dollars(case.used),
                "beyond free": dollars(case.used, free=True),
                "kept a month": case.kept,
                "traced a month": case.traced,
            }
            for case in some
        }
        options.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
