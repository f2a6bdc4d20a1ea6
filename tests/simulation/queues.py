"""In-memory twins of an SQS queue and of a table's stream, as Lambda polls them. Times are epoch seconds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tocsin.adapters.dead_letters import DeadLetters

LONGEST_PAUSE = 60.0


@dataclass(slots=True)
class Mail:
    """A message on a queue."""

    id: str
    body: str
    visible_at: float = 0.0
    receives: int = 0


@dataclass
class MemoryMailbox:
    """An SQS queue: a message that is received hides for a while, and after too many receives goes to the dead letters."""

    visibility: float
    receives: int
    messages: dict[str, Mail] = field(default_factory=dict)
    dead: list[str] = field(default_factory=list)
    sent: int = 0

    def send(self, bodies: Iterable[str]) -> None:
        """Puts messages on the queue."""
        for body in bodies:
            self.sent += 1
            self.messages[str(self.sent)] = Mail(str(self.sent), body)

    def receive(self, now: float, most: int) -> list[Mail]:
        """Up to `most` visible messages, which hide from now on."""
        taken: list[Mail] = []
        for mail in list(self.messages.values()):
            if mail.visible_at > now or len(taken) == most:
                continue
            if mail.receives >= self.receives:
                self.dead.append(self.messages.pop(mail.id).body)
                continue
            mail.receives, mail.visible_at = mail.receives + 1, now + self.visibility
            taken.append(mail)
        return taken

    def again(self, messages: Iterable[Mail]) -> None:
        """Delivers copies of messages once more, as a queue that promises at least once may."""
        for mail in messages:
            self.sent += 1
            self.messages[str(self.sent)] = Mail(str(self.sent), mail.body, 0.0, mail.receives)

    def delete(self, messages: Iterable[Mail]) -> None:
        """Forgets messages that were handled."""
        for mail in messages:
            self.messages.pop(mail.id, None)

    def redrive(self) -> int:
        """What an operator does about dead letters: `tocsin redrive` puts them all back, by its own code; how many."""
        return DeadLetters(_Redriven(self), "dead", "dead", "source").move_back()

    def copied(self) -> MemoryMailbox:
        """The same queue, to go another way from here."""
        messages = {name: replace(mail) for name, mail in self.messages.items()}
        return replace(self, messages=messages, dead=list(self.dead))

    def next(self) -> float | None:
        """When the next message is visible."""
        return min((mail.visible_at for mail in self.messages.values()), default=None)


class _Redriven:
    """As much of boto3's SQS client as moving dead letters needs, on a queue of ours."""

    def __init__(self, mailbox: MemoryMailbox) -> None:
        self._mailbox = mailbox

    def receive_message(self, **_: Any) -> dict[str, Any]:
        """Every dead letter."""
        rows = enumerate(self._mailbox.dead)
        return {"Messages": [{"MessageId": str(at), "ReceiptHandle": str(at), "Body": body} for at, body in rows]}

    def send_message_batch(self, *, QueueUrl: str, Entries: Sequence[dict[str, str]]) -> dict[str, Any]:  # noqa: N803 - boto3's
        """Back to the queue they came from."""
        assert QueueUrl == "source"
        self._mailbox.send(entry["MessageBody"] for entry in Entries)
        return {}

    def delete_message_batch(self, *, QueueUrl: str, Entries: Sequence[dict[str, str]]) -> dict[str, Any]:  # noqa: N803 - boto3's
        """They are dead no more."""
        assert QueueUrl == "dead"
        gone = {int(entry["ReceiptHandle"]) for entry in Entries}
        self._mailbox.dead = [body for at, body in enumerate(self._mailbox.dead) if at not in gone]
        return {}


@dataclass(frozen=True, slots=True)
class Batch:
    """Stream records that travel together: how often they failed, and when they may be tried again."""

    alerts: Sequence[str]
    attempts: int = 0
    ready_at: float = 0.0


@dataclass
class MemoryStream:
    """A table's stream: a batch that fails holds up what stands behind it until it succeeds or is given up."""

    batch: int
    retries: int
    fresh: list[str] = field(default_factory=list)
    waiting: list[Batch] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)
    busy: bool = False

    def take(self, now: float) -> Batch | None:
        """The next batch, when it may be delivered now."""
        if not self.waiting and self.fresh:
            self.waiting.append(Batch(self.fresh[: self.batch]))
            del self.fresh[: self.batch]  # the table goes on telling this list
        if self.busy or not self.waiting or self.waiting[0].ready_at > now:
            return None
        return self.waiting.pop(0)

    def failed(self, batch: Batch, first: int, now: float) -> None:
        """Keeps what failed, from this record on, for later: halved when that helps, else tried a few times more."""
        rest = batch.alerts[first:]
        if first:
            self.waiting.insert(0, Batch(rest, 0, now + 1))
        elif len(rest) > 1:
            middle = len(rest) // 2
            self.waiting[:0] = [Batch(rest[:middle], 0, now + 1), Batch(rest[middle:])]
        elif batch.attempts < self.retries:
            self.waiting.insert(0, Batch(rest, batch.attempts + 1, now + min(2.0**batch.attempts, LONGEST_PAUSE)))
        else:
            self.given_up += rest

    def copied(self) -> MemoryStream:
        """The same stream, to go another way from here."""
        return replace(self, fresh=list(self.fresh), waiting=list(self.waiting), given_up=list(self.given_up))

    def next(self) -> float | None:
        """When the next batch may be delivered."""
        if self.busy:
            return None
        if self.waiting:
            return self.waiting[0].ready_at
        return 0.0 if self.fresh else None
