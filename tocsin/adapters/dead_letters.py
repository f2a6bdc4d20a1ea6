"""Dead-letter queues in SQS: what could not be handled, and the way back to the queue or the topic it came from."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
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
    """A dead-letter queue on an SQS client.

    `source` is the URL of the queue its messages came from, or the ARN of the topic, empty when there is none; `send` puts
    bodies of messages back there, and is only given for a topic.
    """

    HIDDEN = 60
    """Seconds for which a message that is on its way back is nobody else's."""
    WAIT = 1
    """Seconds to wait for a message: without a wait SQS asks only some of its servers."""

    def __init__(
        self, client: Any, name: str, url: str, source: str = "", send: Callable[[Sequence[str]], None] | None = None
    ) -> None:
        self.name, self.source = name, source
        self._client, self._url = client, url
        self._send = send or SqsQueue(client, source).send

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
            self._send([message["Body"] for message in messages])  # read by the rules of today
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


class Topic:
    """A topic that is told once more what a call came to nothing about."""

    def __init__(self, client: Any, arn: str) -> None:
        self._client, self._arn = client, arn

    def tell(self, letters: Sequence[str]) -> None:
        """Tells again what letters are about, in the form in which Lambda keeps calls that it gave up."""
        for letter in letters:
            for message in _told(letter):
                self._client.publish(TopicArn=self._arn, Message=message)


def dead_letters(client: Any, urls: Mapping[str, str], sns: Any, topics: Mapping[str, str]) -> list[DeadLetters]:
    """The dead-letter queues among queues given as name → URL, each with the queue or the topic (name → ARN) whose messages it takes.

    `XDeadLetters` holds what calls by the topic `XTopic` came to nothing.
    """
    attributes = {
        name: client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn", "RedrivePolicy"])["Attributes"]
        for name, url in urls.items()
    }
    sources = {
        json.loads(each["RedrivePolicy"])["deadLetterTargetArn"]: urls[name]
        for name, each in attributes.items()
        if "RedrivePolicy" in each
    }
    callers = {f"{name.removesuffix('Topic')}DeadLetters": arn for name, arn in topics.items()}
    found = []
    for name, each in attributes.items():
        if "RedrivePolicy" in each:
            continue
        topic = callers.get(name, "")
        send = Topic(sns, topic).tell if topic else None
        found.append(DeadLetters(client, name, urls[name], topic or sources.get(each["QueueArn"], ""), send))
    return found


def _told(letter: str) -> list[str]:
    """What SNS had told the function; of a letter in another form the letter itself, which comes back if nobody can read it."""
    try:
        return [str(record["Sns"]["Message"]) for record in json.loads(letter)["requestPayload"]["Records"]]
    except (ValueError, KeyError, TypeError):
        return [letter]


def _letter(message: dict[str, Any]) -> Letter:
    return Letter(message["Body"], datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC))
