"""What Lambda's event-source mappings have in common: how an answer is read, and what is written down of a call.

Source: "Invoking Lambda functions with event source mappings" in the AWS Lambda Developer Guide.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import uuid4

from infra.local.function import Outcome
from tocsin.errors import SettingsFault

Record = dict[str, Any]

COMMON = frozenset(
    {
        "BatchSize",
        "EventSourceArn",
        "FilterCriteria",
        "FunctionName",
        "FunctionResponseTypes",
        "MaximumBatchingWindowInSeconds",  # nothing more comes while the pump runs, so there is nothing to wait for
        "Tags",
    }
)
"""Properties that every kind of mapping honours."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of a function. `failures` are the messages or sequence numbers it did not get done."""

    function: str
    event: Mapping[str, Any]
    answer: Any
    error: str | None
    failures: tuple[str, ...] = ()

    @property
    def records(self) -> Sequence[Mapping[str, Any]]:
        """The records of the event; none for a schedule."""
        records: Sequence[Mapping[str, Any]] = self.event.get("Records", ())
        return records


Journal = Callable[[Invocation], None]


class Source(Protocol):
    """What feeds one function."""

    def poll(self) -> int:
        """Delivers all there is at this moment; the number of invocations that took."""

    def is_waiting(self) -> bool:
        """Whether something will turn up again when the clock has moved on."""


def check_properties(mapping: str, properties: Mapping[str, Any], known: frozenset[str]) -> None:
    """`SettingsFault` for a property that would not be honoured."""
    if unknown := properties.keys() - known:
        raise SettingsFault(
            f"{mapping} has {', '.join(sorted(unknown))}, which the pump does not know; teach it in infra/local"
        )


def failed_identifiers(properties: Mapping[str, Any], identifiers: Sequence[str], outcome: Outcome) -> tuple[str, ...]:
    """Which records of a batch a function did not get done, as Lambda reads its answer.

    An answer that is not of the documented shape, or names a record that was not sent, fails the whole batch.
    """
    if outcome.error is not None:
        return tuple(identifiers)
    if "ReportBatchItemFailures" not in properties.get("FunctionResponseTypes", []):
        return ()
    if outcome.answer in (None, {}, {"batchItemFailures": None}):
        return ()
    match outcome.answer:
        case {"batchItemFailures": list(failures)}:
            named = [failure.get("itemIdentifier") if isinstance(failure, dict) else None for failure in failures]
            if all(name in identifiers for name in named):
                return tuple(str(name) for name in named)
    return tuple(identifiers)


def give_up(client: Any, config: Mapping[str, Any], arn: str, condition: str, calls: int, **about: Any) -> None:  # noqa: ANN401 - a boto3 client
    """Tells the on-failure destination of a configuration, if it has one, what a function was called for in vain."""
    destination = config.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    if destination is None:
        return
    notice = {
        "version": "1.0",
        "timestamp": instant(time.time()),
        "requestContext": {
            "requestId": str(uuid4()), "functionArn": arn, "condition": condition, "approximateInvokeCount": calls,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"},
    } | about  # fmt: skip
    client.send_message(QueueUrl=queue_url(client, destination), MessageBody=json.dumps(notice))


def instant(epoch: float) -> str:
    """A moment as Lambda's notices spell it."""
    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def queue_url(client: Any, arn: str) -> str:  # noqa: ANN401 - a boto3 client
    """The URL of a queue."""
    url: str = client.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
    return url


def as_json(value: Any) -> Any:  # noqa: ANN401 - whatever boto3 parsed
    """A parsed value as Lambda's events spell it: times in epoch seconds, bytes in base64."""
    match value:
        case dict():
            return {key: as_json(each) for key, each in value.items()}
        case list():
            return [as_json(each) for each in value]
        case datetime():
            return value.timestamp()
        case bytes():
            return base64.b64encode(value).decode("ascii")
    return value
