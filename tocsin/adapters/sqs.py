"""A queue in SQS: of feeds that are due, of articles, of articles whose pages are to be fetched."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

BATCH = 10
BATCH_BYTES = 250_000
TRIES = 3
RULES = "rules"
"""The attribute of a message that names the set of rules its article is to be read by."""
DEPLOYED = "deployed"
"""What it says while nothing was pushed: an attribute cannot be empty."""


class NotQueued(Exception):
    """SQS did not accept some messages; the whole batch must come again."""


class SqsQueue:
    """`tocsin.ports.Queue` on an SQS client and a queue URL. `rules` names the set of rules that goes with each message."""

    def __init__(self, client: Any, url: str, rules: Callable[[], str] | None = None) -> None:
        self._client, self._url, self._rules = client, url, rules

    def send(self, bodies: Sequence[str]) -> None:
        """See `Queue.send`. SQS answers 200 with a list of refused entries: those are sent again, and at last reported."""
        about = _about(self._rules()) if self._rules else {}
        for batch in batches(bodies):
            left = {str(number): body for number, body in enumerate(batch)}
            for _ in range(TRIES):
                entries = [{"Id": number, "MessageBody": body, **about} for number, body in left.items()]
                failed = self._client.send_message_batch(QueueUrl=self._url, Entries=entries).get("Failed", [])
                left = {entry["Id"]: left[entry["Id"]] for entry in failed}
                if not left:
                    break
            else:
                raise NotQueued(f"SQS refused {len(left)} of {len(batch)} messages {TRIES} times")


def _about(rules: str) -> dict[str, Any]:
    return {"MessageAttributes": {RULES: {"DataType": "String", "StringValue": rules or DEPLOYED}}}


def rules_of(record: Mapping[str, Any]) -> str | None:
    """The set of rules that a record of an SQS event names, empty for the deployed one; None when it names none."""
    told = record.get("messageAttributes", {}).get(RULES, {}).get("stringValue")
    return "" if told == DEPLOYED else told


def batches(bodies: Sequence[str]) -> Iterator[list[str]]:
    """The bodies in as few batches as SQS takes them in."""
    batch: list[str] = []
    size = 0
    for body in bodies:
        length = len(body.encode())
        if batch and (len(batch) == BATCH or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(body)
        size += length
    if batch:
        yield batch
