"""Dead-letter queues in SQS: what could not be handled, and the way back to the queue it came from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tocsin.adapters.sqs import BATCH, TRIES, SqsQueue


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that was given up."""

    body: str
    sent: datetime
    """When it was first sent, in UTC."""


class DeadLetters:
    """A dead-letter queue on an SQS client. `source` is the URL of the queue its messages came from, empty when there is none."""

    HIDDEN = 60
    """Seconds for which a message that is on its way back is nobody else's."""
    WAIT = 1
    """Seconds to wait for a message: without a wait SQS asks only some of its servers."""

    def __init__(self, client: Any, name: str, url: str, source: str = "") -> None:
        self.name, self.source = name, source
        self._client, self._url = client, url

    def count(self) -> int:
        """About how many messages there are."""
        (attribute,) = names = ["ApproximateNumberOfMessages"]
        return int(self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=names)["Attributes"][attribute])

    def sample(self) -> list[Letter]:
        """Up to ten of the messages, the oldest first; they stay where they are."""
        found = [_letter(message) for message in self._receive(hidden=0)]
        return sorted(found, key=lambda letter: letter.sent)

    def move_back(self) -> int:
        """Sends every message to its source and then deletes it here; the number of those moved.

        A message is sent before it is deleted: what goes wrong between the two makes it come twice, which does no harm.
        """
        moved, seen = 0, set[str]()
        while messages := [each for each in self._receive(self.HIDDEN) if each["MessageId"] not in seen]:
            SqsQueue(self._client, self.source).send(
                [message["Body"] for message in messages]
            )  # read by the rules of today
            self._delete(messages)
            moved += len(messages)
            seen.update(message["MessageId"] for message in messages)
        return moved

    def _receive(self, hidden: int) -> list[dict[str, Any]]:
        answer = self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=BATCH,
            VisibilityTimeout=hidden,
            WaitTimeSeconds=self.WAIT,
            MessageSystemAttributeNames=["SentTimestamp"],
        )
        messages: list[dict[str, Any]] = answer.get("Messages", [])
        return messages

    def _delete(self, messages: Sequence[dict[str, Any]]) -> None:
        left = {str(number): message["ReceiptHandle"] for number, message in enumerate(messages)}
        for _ in range(TRIES):
            entries = [{"Id": number, "ReceiptHandle": handle} for number, handle in left.items()]
            failed = self._client.delete_message_batch(QueueUrl=self._url, Entries=entries).get("Failed", [])
            left = {entry["Id"]: left[entry["Id"]] for entry in failed}
            if not left:
                return


def dead_letters(client: Any, urls: Mapping[str, str]) -> list[DeadLetters]:
    """The dead-letter queues among queues given as name → URL, each with the queue whose messages it takes."""
    attributes = {
        name: client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn", "RedrivePolicy"])["Attributes"]
        for name, url in urls.items()
    }
    sources = {
        json.loads(each["RedrivePolicy"])["deadLetterTargetArn"]: urls[name]
        for name, each in attributes.items()
        if "RedrivePolicy" in each
    }
    return [
        DeadLetters(client, name, urls[name], sources.get(each["QueueArn"], ""))
        for name, each in attributes.items()
        if "RedrivePolicy" not in each
    ]


def _letter(message: dict[str, Any]) -> Letter:
    return Letter(message["Body"], datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC))
