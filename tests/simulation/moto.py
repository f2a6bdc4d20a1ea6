"""The same world with the real adapters: every call boto3 makes to DynamoDB, S3 and SQS, on moto, can be spoilt.

python -m tests.simulation.moto                 every single fault
python -m tests.simulation.moto --sample 10     so many of them, drawn from a seed
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import quote

from botocore.exceptions import ClientError

from infra.local.stack import LocalStack
from tests.simulation.deployment import TEMPLATE
from tests.simulation.faults import Schedule, argument
from tests.simulation.scenes import SCENES, SEEDS, Drop, Scene
from tests.simulation.search import Progress, Tally, singles
from tests.simulation.verdict import judged
from tests.simulation.world import Variant, World, deployed, simulated
from tests.twins import CHANNEL, MemoryTable, Row
from tocsin.adapters.dynamodb import AUDIT_SHARD, SHARD, DynamoTable
from tocsin.adapters.items import state_of
from tocsin.adapters.s3 import S3Archive
from tocsin.adapters.sqs import SqsQueue
from tocsin.ports import FateRecord
from tocsin.story import Story

_stacks: list[LocalStack] = []
UNREAD = -1.0


class SpoiltClient:
    """Stands before a boto3 client and hands every call to the world."""

    def __init__(self, world: MotoWorld, service: str) -> None:
        self._world, self._service, self._client = world, service, _stacks[-1].client(service)

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        """One operation of the client."""
        act = partial(self._world.took, getattr(self._client, operation), operation)
        return lambda **given: self._world.call(f"{self._service}.{operation}", partial(act, **given))


class MotoWorld(World):
    """A world whose table, bucket and article queue are those of the template on moto."""

    def _open(self) -> None:
        stack = _stacks[-1]
        self._names = {name: stack.physical(name) for name in ("Table", "Bucket", "ArticleQueue")}
        self._clients = {name: stack.client(name) for name in ("dynamodb", "s3", "sqs")}
        self._first_due = UNREAD
        self._empty()
        self.archive = S3Archive(self._clients["s3"], self._names["Bucket"])  # type: ignore[assignment]  # the real one

    def _connect_aws(self) -> None:
        dynamodb, s3, sqs = (SpoiltClient(self, service) for service in ("dynamodb", "s3", "sqs"))
        self.ports["table"] = DynamoTable(dynamodb, self._names["Table"])  # type: ignore[assignment]  # as above
        self.ports["archive"] = S3Archive(s3, self._names["Bucket"])  # type: ignore[assignment]  # as above
        self.ports["queue"] = SqsQueue(sqs, self._names["ArticleQueue"])  # type: ignore[assignment]  # as above

    def took(self, act: Callable[..., Any], operation: str, **given: Any) -> Any:
        """A call takes effect: the stream tells of rows that turn pending, and messages go on to the queue's reader."""
        answer = act(**given)
        self._first_due = self._first_due if operation in {"get_item", "batch_get_item", "query"} else UNREAD
        written = {"transact_write_items": given.get("TransactItems", ()), "update_item": [{"Update": given}]}
        updates = [item["Update"] for item in written.get(operation, ()) if "Update" in item]
        pending = [one for one in updates if "SET #status = :pending" in one["UpdateExpression"]]
        self.stream.fresh += [one["Key"]["pk"]["S"].removeprefix("ALERT#") for one in pending]
        if operation == "send_message_batch":
            self._pass_on()
        return answer

    def put(self, one: Drop) -> None:
        """Puts a file into the bucket."""
        told = {name: quote(value) for name, value in one.metadata if value}
        self._clients["s3"].put_object(Bucket=self._names["Bucket"], Key=one.key, Body=one.body, Metadata=told)

    def due(self) -> float | None:
        """When the next row of the outbox is due: read again when something was written."""
        if self._first_due == UNREAD:
            self._first_due = self._read_due()
        return None if self._first_due == math.inf else self._first_due

    def _read_due(self) -> float:
        found: list[float] = []
        for shard in (SHARD, AUDIT_SHARD):
            answer = self._clients["dynamodb"].query(
                TableName=self._names["Table"],
                IndexName="due",
                KeyConditionExpression="due_shard = :shard",
                ExpressionAttributeValues={":shard": {"S": shard}},
                Limit=1,
            )
            found += [float(item["due_at"]["N"]) for item in answer["Items"]]
        return min(found, default=math.inf)

    @property
    def left(self) -> MemoryTable:
        """What stands in the table, read back."""
        table = MemoryTable()
        for item in self._items():
            kind, _, name = item["pk"]["S"].partition("#")
            if kind == "ALERT":
                table.rows[name] = _row(item)
            elif kind == "ARTICLE":
                table.fates[name] = FateRecord.from_json(state_of(item))
            elif kind == "STORY":
                story = Story.from_json(state_of(item))
                table.stories[story.id] = story
        for silence in DynamoTable(self._clients["dynamodb"], self._names["Table"]).all_silences():
            table.add_silence(silence)
        return table

    def failure(self, kind: str) -> Exception:
        """What botocore raises when DynamoDB, S3 or SQS fails."""
        said = {"Error": {"Code": "InternalServerError", "Message": kind}, "ResponseMetadata": {"HTTPStatusCode": 500}}
        return ClientError(said, kind.partition(".")[2])  # type: ignore[arg-type]  # the parts of an answer that are read

    def _items(self) -> Sequence[Mapping[str, Any]]:
        items: Sequence[Mapping[str, Any]] = self._clients["dynamodb"].scan(TableName=self._names["Table"])["Items"]
        return items

    def _pass_on(self) -> None:
        """Messages that SQS took go to the twin of the queue, which hides and redrives them on the virtual clock."""
        sqs, url = self._clients["sqs"], self._names["ArticleQueue"]
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            self.articles.send(message["Body"] for message in messages)
            rows = [{"Id": str(number), "ReceiptHandle": one["ReceiptHandle"]} for number, one in enumerate(messages)]
            sqs.delete_message_batch(QueueUrl=url, Entries=rows)

    def _empty(self) -> None:
        """Leaves nothing of an earlier run. The table is made anew, without its stream, which moto copies at every transaction."""
        dynamodb, wanted = self._clients["dynamodb"], _stacks[-1].properties("Table")
        dynamodb.delete_table(TableName=self._names["Table"])
        told = {
            name: wanted[name]
            for name in ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
        }
        dynamodb.create_table(TableName=self._names["Table"], **told)
        s3, bucket = self._clients["s3"], self._names["Bucket"]
        if objects := [{"Key": one["Key"]} for one in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})


def _row(item: Mapping[str, Any]) -> Row:
    """What the verdict asks of a row."""
    due = float(item["due_at"]["N"]) if "due_at" in item else None
    note = item.get("note", {"S": ""})["S"]
    return Row(item["story"]["S"], int(item["wanted"]["N"]), None, due, item["status"]["S"], note=note)


@contextmanager
def on_moto() -> Iterator[None]:
    """The template on moto, and the handlers on the world under simulation."""
    parameters = {"SlackChannel": CHANNEL, "SlackTokenSecret": "secret"}
    with deployed(), LocalStack(TEMPLATE, parameters) as stack:
        _stacks.append(stack)
        try:
            yield
        finally:
            _stacks.pop()


Run = tuple[Scene, Schedule]


def runs(*scenes: Scene) -> list[Run]:
    """Every single fault at the calls a run of these scenes makes when nothing fails."""
    kinds = {scene: simulated(MotoWorld(variant=Variant(scene=scene))).kinds for scene in scenes}
    return [(scene, one) for scene in scenes for one in singles(kinds[scene])]


def drawn(some: Sequence[Run], count: int, seed: int) -> list[Run]:
    """So many of the runs."""
    return random.Random(seed).sample(some, count)


def ran(some: Sequence[Run], progress: Callable[[int, int, Tally], None] | None = None) -> Tally:
    """Runs schedules inside `on_moto`."""
    tally = Tally()
    for done, (scene, schedule) in enumerate(some, 1):
        tally.add(judged(MotoWorld(schedule, Variant(scene=scene)), replays=False))
        if progress:
            progress(done, len(some), tally)
    return tally


def _share(number: int, cores: int, scene: str | None, sample: int, seed: int) -> Tally:
    with on_moto():
        some = runs(*([SCENES[scene]] if scene else SCENES.values()))
        some = drawn(some, sample, seed) if sample else some
        random.Random(0).shuffle(some)
        return ran(some[number::cores], Progress() if number == 0 else None)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser("python -m tests.simulation.moto", description=__doc__)
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="so many single faults instead of all")
    parser.add_argument("--seed", type=int, default=1, help="what the sample is drawn from")
    parser.add_argument("--cores", type=int, default=os.cpu_count(), help="processes at work")
    parser.add_argument("--schedule", type=argument, help="one schedule, told call by call")
    parser.add_argument("--scene", choices=SCENES, help="only what happens in this one of the scenes")
    options = parser.parse_args()
    tally = Tally()
    if options.schedule:
        with on_moto():
            variant = Variant(scene=SCENES.get(options.scene, SEEDS))
            tally.add(judged(MotoWorld(options.schedule, variant, told=print), replays=False))
    else:
        given = (options.cores, options.scene, options.sample, options.seed)
        shares = [(number, *given) for number in range(options.cores)]
        with multiprocessing.get_context("spawn").Pool(options.cores) as pool:
            for part in pool.starmap(_share, shares):
                tally.merge(part)
    print(*tally.told(), sep="\n")
    return 0 if tally.holds else 1


if __name__ == "__main__":
    sys.exit(main())
