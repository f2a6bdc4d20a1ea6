"""An SQS queue as Lambda polls it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from infra.local.function import Function
from infra.local.mapping import (
    COMMON,
    Invocation,
    Journal,
    Record,
    as_json,
    check_properties,
    failed_identifiers,
    queue_url,
)
from infra.local.pattern import read_filters
from infra.local.stack import LocalStack

_KNOWN = COMMON | {"ScalingConfig"}
_RECEIVE_LIMIT = 10


class QueueSource:
    """A queue: what fails comes back when its visibility timeout has passed; SQS itself redrives to dead letters."""

    def __init__(self, stack: LocalStack, mapping: str, function: Function, journal: Journal) -> None:
        properties = stack.properties(mapping)
        check_properties(mapping, properties, _KNOWN)
        self._client = stack.client("sqs")
        self._region = stack.region
        self._properties = properties
        self._function = function
        self._journal = journal
        self._matches = read_filters(properties.get("FilterCriteria", {}))
        self._url = queue_url(self._client, properties["EventSourceArn"])

    def poll(self) -> int:
        """Delivers every visible message."""
        invocations = 0
        while messages := self._receive():
            invocations += self._deliver(messages)
        return invocations

    def is_waiting(self) -> bool:
        """Whether a message is in flight or delayed."""
        names = ["ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"]
        attributes = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=names)["Attributes"]
        return any(int(attributes[name]) for name in names)

    def _receive(self) -> list[Record]:
        wanted = int(self._properties.get("BatchSize", 10))
        messages: list[Record] = []
        while len(messages) < wanted:
            answer = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=min(_RECEIVE_LIMIT, wanted - len(messages)),
                WaitTimeSeconds=0,  # a wait would never end on a clock that stands still
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
            if not (received := answer.get("Messages", [])):
                break
            messages += received
        return messages

    def _deliver(self, messages: Sequence[Record]) -> int:
        records = [self._record(message) for message in messages]
        wanted = [record for record in records if self._matches(_with_parsed_body(record))]
        failures: tuple[str, ...] = ()
        if wanted:
            event = {"Records": wanted}
            outcome = self._function.invoke(event)
            failures = failed_identifiers(self._properties, [record["messageId"] for record in wanted], outcome)
            self._journal(Invocation(self._function.name, event, outcome.answer, outcome.error, failures))
        self._delete([record for record in records if record["messageId"] not in failures])
        return 1 if wanted else 0

    def _delete(self, records: Sequence[Record]) -> None:
        for start in range(0, len(records), _RECEIVE_LIMIT):
            entries = [
                {"Id": str(index), "ReceiptHandle": record["receiptHandle"]}
                for index, record in enumerate(records[start : start + _RECEIVE_LIMIT])
            ]
            self._client.delete_message_batch(QueueUrl=self._url, Entries=entries)

    def _record(self, message: Record) -> Record:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
            "messageAttributes": {
                name: _message_attribute(value) for name, value in message.get("MessageAttributes", {}).items()
            },
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self._properties["EventSourceArn"],
            "awsRegion": self._region,
        }


def _message_attribute(value: Record) -> Record:
    kinds = {"StringValue": "stringValue", "BinaryValue": "binaryValue", "DataType": "dataType"}
    plain = {ours: as_json(value[theirs]) for theirs, ours in kinds.items() if theirs in value}
    return plain | {"stringListValues": [], "binaryListValues": []}


def _with_parsed_body(record: Record) -> Record:
    """The record as a filter sees it: a body that is JSON can be looked into."""
    try:
        return record | {"body": json.loads(record["body"])}
    except ValueError:
        return record
