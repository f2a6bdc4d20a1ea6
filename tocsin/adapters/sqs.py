"""A queue in SQS: of feeds that are due, of articles, of articles whose pages are to be fetched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

BATCH = 10
BATCH_BYTES = 250_000
TRIES = 3


class NotQueued(Exception):
    """SQS did not accept some messages; the whole batch must come again."""


class SqsQueue:
    """`tocsin.ports.Queue` on an SQS client and a queue URL."""

    def __init__(self, client: Any, url: str) -> None:
        self._client, self._url = client, url

    def send(self, bodies: Sequence[str]) -> None:
        """See `Queue.send`. SQS answers 200 with a list of refused entries: those are sent again, and at last reported."""
        for batch in batches(bodies):
            left = {str(number): body for number, body in enumerate(batch)}
            for _ in range(TRIES):
                entries = [{"Id": number, "MessageBody": body} for number, body in left.items()]
                failed = self._client.send_message_batch(QueueUrl=self._url, Entries=entries).get("Failed", [])
                left = {entry["Id"]: left[entry["Id"]] for entry in failed}
                if not left:
                    break
            else:
                raise NotQueued(f"SQS refused {len(left)} of {len(batch)} messages {TRIES} times")


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
