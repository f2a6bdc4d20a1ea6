"""`tocsin redrive`: what was given up is shown, and goes back to the queue it came from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest

from infra.local.stack import LocalStack, keep_secret
from infra.replay import CHANNEL, SECRET
from tests.pipeline.test_stack import PARAMETERS, TEMPLATE
from tests.system import Ran, dead_letters, system, tocsin
from tocsin.adapters.dead_letters import DeadLetters
from tocsin.adapters.s3 import S3Archive
from tocsin.adapters.sqs import NotQueued


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    """The real template, running on the real clock: a dead-letter queue is waited for."""
    with LocalStack(TEMPLATE, PARAMETERS) as running:
        yield running


def send(stack: LocalStack, queue: str, *bodies: str) -> None:
    """Puts messages into a queue."""
    for body in bodies:
        stack.client("sqs").send_message(QueueUrl=stack.physical(queue), MessageBody=body)


def take(stack: LocalStack, queue: str) -> list[str]:
    """Takes the messages out of a queue."""
    bodies = []
    while (
        messages := stack.client("sqs")
        .receive_message(QueueUrl=stack.physical(queue), MaxNumberOfMessages=10)
        .get("Messages")
    ):
        for message in messages:
            bodies.append(message["Body"])
            stack.client("sqs").delete_message(QueueUrl=stack.physical(queue), ReceiptHandle=message["ReceiptHandle"])
    return sorted(bodies)


def redrive(stack: LocalStack, *options: str) -> Ran:
    """Calls the command."""
    return tocsin("redrive", "--stack-name", stack.name, *options)


@pytest.fixture
def letters(stack: LocalStack) -> Iterator[list[str]]:
    """Twelve dead articles and one dead stream record; what is left of them afterwards goes."""
    bodies = [
        json.dumps({"id": f"a{number}", "text": "\x1b[31m\u202eevil"}, ensure_ascii=False) for number in range(12)
    ]
    send(stack, "ArticleDeadLetters", *bodies)
    send(stack, "DeliverDeadLetters", "a stream record")
    yield sorted(bodies)
    for queue in ("ArticleDeadLetters", "DeliverDeadLetters", "ArticleQueue", "PageDeadLetters", "PageQueue"):
        take(stack, queue)


def test_nothing_is_moved_by_looking(stack: LocalStack, letters: list[str]) -> None:
    """--dry-run shows how many there are, since when, and what they begin with, escaped; then all are where they were."""
    ran = redrive(stack, "--dry-run")
    assert (ran.code, ran.err) == (1, "")
    assert "ArticleDeadLetters: 12 messages, the oldest of 20" in ran.out
    assert "InboxDeadLetters: 0 messages\n" in ran.out
    assert "\x1b" not in ran.out
    assert "\u202e" not in ran.out
    assert r"\u202eevil" in ran.out
    assert take(stack, "ArticleQueue") == []
    assert take(stack, "ArticleDeadLetters") == letters


def test_dead_letters_go_back_where_they_came_from(stack: LocalStack, letters: list[str]) -> None:
    """Every message is moved once, word for word; stream records stay, with the reason why they need not be moved."""
    ran = redrive(stack)
    assert (ran.code, ran.err) == (0, "")
    assert "ArticleDeadLetters: 12 messages" in ran.out
    assert "12 moved back" in ran.out
    assert "The alerts stay in the outbox" in ran.out
    assert take(stack, "ArticleQueue") == letters
    assert take(stack, "ArticleDeadLetters") == []
    assert take(stack, "DeliverDeadLetters") == ["a stream record"]


def test_one_queue_may_be_named(stack: LocalStack, letters: list[str]) -> None:
    """--queue moves what lies in one queue; a name that is none is told with those that are."""
    send(stack, "PageDeadLetters", "a summary")
    (row,) = redrive(stack, "--queue", "PageDeadLetters", "--format", "ndjson").rows
    assert (row["queue"], row["messages"], row["moved"], row["redrivable"]) == ("PageDeadLetters", 1, 1, True)
    assert row["sample"] == ["'a summary'"]
    assert "a summary" in take(stack, "PageQueue")
    assert take(stack, "ArticleDeadLetters") == letters
    ran = redrive(stack, "--queue", "Inbox")
    assert ran.code == 3
    assert "there is ArticleDeadLetters, DeliverDeadLetters, " in ran.err


def test_a_file_that_could_not_be_taken_is_told_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What Lambda gave up of the topic's calls goes back to the topic, and the file is taken; what no topic told comes back. The log names the file."""
    monkeypatch.setattr(DeadLetters, "WAIT", 0)  # a wait would never end on a clock that stands still
    with system() as running:
        with mock.patch.object(S3Archive, "metadata", side_effect=ConnectionError("S3 is away")):
            running.drop("a.txt", b"North Korea is preparing to send more troops to Russia, Seoul said on Friday.")
            running.pass_time(4)
        assert caplog.text.count("file 'inbox/a.txt' comes again") == 3
        (letter,) = dead_letters(running.stack)["InboxDeadLetters"]
        assert json.loads(letter)["requestContext"]["approximateInvokeCount"] == 3
        assert running.slack.messages(CHANNEL) == []
        assert redrive(running.stack).code == 0
        running.pass_time(1)
        assert len(running.slack.messages(CHANNEL)) == 1
        assert dead_letters(running.stack)["InboxDeadLetters"] == []
        send(running.stack, "InboxDeadLetters", "from nobody")
        assert redrive(running.stack).code == 0
        running.pass_time(4)
        assert ["from nobody" in letter for letter in dead_letters(running.stack)["InboxDeadLetters"]] == [True]


def test_every_queue_of_the_template_is_known(stack: LocalStack) -> None:
    """No dead-letter queue is forgotten, and each that takes messages of a queue is redriven to it."""
    rows = redrive(stack, "--dry-run", "--format", "ndjson").rows
    ends = [queue for queue in stack.of_type("AWS::SQS::Queue") if queue.endswith("DeadLetters")]
    assert {row["queue"] for row in rows} == set(ends)
    assert {row["queue"] for row in rows if not row["redrivable"]} == {"DeliverDeadLetters", "SweepDeadLetters"}


def test_no_dead_letter_shows_the_token() -> None:
    """When everything fails, and the secret that holds the token most of all, every queue has dead letters, and none shows it."""
    with system(SlackSigningSecret="signing") as running:
        sqs, token = running.stack.client("sqs"), running.slack.token
        running.drop("a.txt", b"North Korea is preparing to send more troops to Russia, Seoul said on Friday.")
        keep_secret(running.stack.client, SECRET, f'{{"token": "{token}')
        running.stack.client("sns").publish(
            TopicArn=running.stack.physical("InboxTopic"), Message='{"neither": "this nor that"'
        )
        for queue in ("ArticleQueue", "FeedQueue", "PageQueue", "QuestionQueue"):
            sqs.send_message(QueueUrl=running.stack.physical(queue), MessageBody='{"neither": "this nor that"')
        key = {"pk": {"S": "ALERT#unreadable"}, "sk": {"S": "OUTBOX"}}
        running.stack.client("dynamodb").put_item(
            TableName=running.stack.physical("Table"), Item=key | {"status": {"S": "pending"}}
        )
        for _ in range(6):
            running.pump.drain()
            running.move(minutes=25)
        found = dead_letters(running.stack)
        assert {queue for queue, letters in found.items() if not letters} == {"SweepDeadLetters"}
        assert token.startswith("xoxb-")
        assert token not in repr(found)
        keep_secret(running.stack.client, SECRET, token)
        running.pass_time(2)
        assert len(running.slack.messages(CHANNEL)) == 1


class Stubborn:
    """An SQS with one dead letter that refuses to take it back, or to delete it, as often as it is told to."""

    def __init__(self, *, refuses: int = 0, keeps: bool = False) -> None:
        self.journal: list[str] = []
        self._refuses, self._keeps = refuses, keeps

    def receive_message(self, **_: Any) -> dict[str, Any]:
        """See boto3."""
        gone = not self._keeps and "delete" in self.journal
        message = {"MessageId": "m", "ReceiptHandle": "r", "Body": "b", "Attributes": {"SentTimestamp": "0"}}
        return {} if gone else {"Messages": [message]}

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803 - boto3's
        """See boto3."""
        self.journal.append(f"send to {QueueUrl}")
        self._refuses -= 1
        return {"Failed": Entries if self._refuses >= 0 else []}

    def delete_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803 - boto3's
        """See boto3."""
        assert QueueUrl == "dead"
        self.journal.append("delete")
        return {"Failed": Entries if self._keeps else []}


def test_a_message_is_sent_before_it_is_deleted() -> None:
    """What cannot be sent is not deleted, and nothing is lost; what cannot be deleted is sent once and no more."""
    sqs = Stubborn()
    assert DeadLetters(sqs, "D", "dead", "source").move_back() == 1
    assert sqs.journal == ["send to source", "delete"]
    sqs = Stubborn(refuses=9)
    with pytest.raises(NotQueued):
        DeadLetters(sqs, "D", "dead", "source").move_back()
    assert "delete" not in sqs.journal
    sqs = Stubborn(keeps=True)
    assert DeadLetters(sqs, "D", "dead", "source").move_back() == 1
    assert sqs.journal.count("send to source") == 1
