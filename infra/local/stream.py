"""A table's stream as Lambda polls it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from infra.local.function import Function
from infra.local.mapping import (
    COMMON,
    Invocation,
    Journal,
    Record,
    as_json,
    check_properties,
    failed_identifiers,
    give_up,
    instant,
)
from infra.local.pattern import read_filters
from infra.local.stack import LocalStack
from tocsin.errors import SettingsFault

_KNOWN = COMMON | {
    "BisectBatchOnFunctionError",
    "DestinationConfig",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",  # moto's streams have one shard, and one key's records stay in order anyway
    "StartingPosition",
}
_READ_LIMIT = 1000
_LONGEST_PAUSE = 60.0


@dataclass(slots=True)
class _Batch:
    """Records that travel together, how often they failed together, and when they may be tried again."""

    records: list[Record]
    attempts: int = 0
    ready_at: float = 0.0


class StreamSource:
    """A table's stream, in order: a failing batch holds up what stands behind it until it succeeds or is given up.

    A batch that fails is tried again after 1, 2, 4 … 60 s; Lambda does not tell its own pauses. A partial failure keeps
    what was done and goes on from the first failed record. Bisection halves a batch without counting an attempt.
    """

    def __init__(self, stack: LocalStack, mapping: str, function: Function, journal: Journal) -> None:
        properties = stack.properties(mapping)
        check_properties(mapping, properties, _KNOWN)
        if properties["StartingPosition"] != "TRIM_HORIZON":
            raise SettingsFault(
                f"{mapping} starts at {properties['StartingPosition']}; the pump knows TRIM_HORIZON only"
            )
        self._stack = stack
        self._properties = properties
        self._function = function
        self._journal = journal
        self._arn: str = properties["EventSourceArn"]
        self._matches = read_filters(properties.get("FilterCriteria", {}))
        self._client = stack.client("dynamodbstreams")
        description = self._client.describe_stream(StreamArn=self._arn)["StreamDescription"]
        self._shard: str = description["Shards"][0]["ShardId"]
        self._last: str | None = None
        self._batches: deque[_Batch] = deque()

    def poll(self) -> int:
        """Delivers every new record, and whatever failed and may be tried again."""
        invocations = 0
        while batch := self._next():
            invocations += self._deliver(batch)
        return invocations

    def is_waiting(self) -> bool:
        """Whether a failed batch waits for its next try."""
        return bool(self._batches)

    def _next(self) -> _Batch | None:
        if not self._batches:
            self._read()
        if not self._batches or self._batches[0].ready_at > time.time():
            return None
        return self._batches.popleft()

    def _read(self) -> None:
        size = int(self._properties.get("BatchSize", 100))
        while records := self._read_some():
            wanted = [record for record in map(self._record, records) if self._matches(record)]
            self._batches += [_Batch(wanted[start : start + size]) for start in range(0, len(wanted), size)]

    def _read_some(self) -> list[Record]:
        where = {"ShardIteratorType": "TRIM_HORIZON"}
        if self._last:
            where = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": self._last}
        # No iterator is kept: moto's would point into a table that a cancelled transaction has thrown away.
        iterator = self._client.get_shard_iterator(StreamArn=self._arn, ShardId=self._shard, **where)["ShardIterator"]
        records: list[Record] = self._client.get_records(ShardIterator=iterator, Limit=_READ_LIMIT)["Records"]
        if records:
            self._last = records[-1]["dynamodb"]["SequenceNumber"]
        return records

    def _record(self, record: Record) -> Record:
        told: Record = as_json(record)
        return told | {
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": self._stack.region,
            "eventSourceARN": self._arn,
        }

    def _deliver(self, batch: _Batch) -> int:
        batch.records = self._without_aged(batch)
        if not batch.records:
            return 0
        event = {"Records": batch.records}
        outcome = self._function.invoke(event)
        numbers = [_number(record) for record in batch.records]
        failures = failed_identifiers(self._properties, numbers, outcome)
        self._journal(Invocation(self._function.name, event, outcome.answer, outcome.error, failures))
        if failures:
            self._keep_for_later(batch, min(numbers.index(number) for number in failures))
        return 1

    def _keep_for_later(self, batch: _Batch, first_failed: int) -> None:
        rest = batch.records[first_failed:]
        soon = time.time() + 1
        if first_failed:
            self._batches.appendleft(_Batch(rest, ready_at=soon))
        elif self._properties.get("BisectBatchOnFunctionError") and len(rest) > 1:
            middle = len(rest) // 2
            self._batches.extendleft([_Batch(rest[middle:]), _Batch(rest[:middle], ready_at=soon)])
        elif self._has_attempts_left(batch):
            pause = min(2.0**batch.attempts, _LONGEST_PAUSE)
            self._batches.appendleft(_Batch(rest, batch.attempts + 1, time.time() + pause))
        else:
            self._give_up(rest, "RetryAttemptsExhausted", batch.attempts + 1)

    def _has_attempts_left(self, batch: _Batch) -> bool:
        limit = int(self._properties.get("MaximumRetryAttempts", -1))
        return limit < 0 or batch.attempts < limit

    def _without_aged(self, batch: _Batch) -> list[Record]:
        limit = int(self._properties.get("MaximumRecordAgeInSeconds", -1))
        horizon = time.time() - limit if limit >= 0 else float("-inf")
        fresh = [record for record in batch.records if _created(record) >= horizon]
        if aged := [record for record in batch.records if _created(record) < horizon]:
            self._give_up(aged, "RecordAgeExceeded", batch.attempts)
        return fresh

    def _give_up(self, records: Sequence[Record], condition: str, invocations: int) -> None:
        """Tells the on-failure destination which records are given up; as on Lambda, without their contents."""
        batch = {
            "shardId": self._shard,
            "startSequenceNumber": _number(records[0]),
            "endSequenceNumber": _number(records[-1]),
            "approximateArrivalOfFirstRecord": instant(_created(records[0])),
            "approximateArrivalOfLastRecord": instant(_created(records[-1])),
            "batchSize": len(records),
            "streamArn": self._arn,
        }
        sqs = self._stack.client("sqs")
        give_up(sqs, self._properties, self._function.arn, condition, invocations, DDBStreamBatchInfo=batch)


def _number(record: Record) -> str:
    number: str = record["dynamodb"]["SequenceNumber"]
    return number


def _created(record: Record) -> float:
    created: float = record["dynamodb"]["ApproximateCreationDateTime"]
    return created
