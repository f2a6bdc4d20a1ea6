"""What can go wrong, where, and how a whole schedule of it is written in one argument."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Mapping
from dataclasses import dataclass

READ = ("crash", "error", "pause")
WRITE = ("crash-before", "crash-after", "error-before", "error-after", "twice", "pause")
SEND = ("crash-before", "crash-after", "error-before", "error-after", "reset", "throttled", "late", "pause")
ASK = tuple(mode for mode in SEND if mode != "late")
LOOK = ("crash", "error", "throttled", "stale", "pause")
HINT = ("lost", "twice")

MODES: Mapping[str, tuple[str, ...]] = {
    "archive.read": READ,
    "archive.metadata": READ,
    "archive.write": WRITE,
    "queue.send": WRITE,
    "table.known": READ,
    "table.silences": READ,
    "table.episodes": READ,
    "table.story": READ,
    "table.posted": READ,
    "table.due": READ,
    "table.backlog": READ,
    "table.doubtful": READ,
    "table.audited": WRITE,
    "table.record": WRITE,
    "table.commit": WRITE,
    "table.want": WRITE,
    "table.claim": WRITE,
    "table.turn": WRITE,
    "table.room": WRITE,
    "table.once": WRITE,
    "table.act": WRITE,
    "table.put_story": WRITE,
    "table.put_order": WRITE,
    "table.fate": READ,
    "table.all_silences": READ,
    "table.add_silence": WRITE,
    "table.roll_up": WRITE,
    "table.rolled": READ,
    "table.pause": WRITE,
    "table.shut": WRITE,
    "table.reopen": WRITE,
    "table.spread": WRITE,
    "table.spreads": WRITE,
    "table.further": READ,
    "table.posting": WRITE,
    "table.delivered": WRITE,
    "table.release": WRITE,
    "table.bury": WRITE,
    "table.put_stories": WRITE,
    "table.put_fate": WRITE,
    "table.put_alerts": WRITE,
    "records.get": READ,
    "records.put": WRITE,
    "records.update": WRITE,
    "records.delete": WRITE,
    "slack.post": SEND,
    "slack.update": SEND,
    "slack.find": LOOK,
    "slack.copies": LOOK,
    "slack.delete": SEND,
    "forms.open": ASK,
    "responses.respond": ASK,
    "interact.request": HINT,
    "questions.receive": ("twice",),
    "questions.delete": ("lost",),
    "dynamodb.get_item": READ,
    "dynamodb.batch_get_item": READ,
    "dynamodb.query": READ,
    "dynamodb.put_item": WRITE,
    "dynamodb.update_item": WRITE,
    "dynamodb.transact_write_items": WRITE,
    "s3.get_object": READ,
    "s3.head_object": READ,
    "s3.put_object": WRITE,
    "sqs.send_message_batch": WRITE,
    "inbox.receive": ("twice",),
    "inbox.delete": ("lost",),
    "articles.receive": ("twice",),
    "articles.delete": ("lost",),
    "stream.record": HINT,
    "sweep.tick": HINT,
}
"""The modes in which each call can be spoilt.

`crash`: the process ends, before or after the effect. `error`: the call fails, before or after the effect. `twice`: its
answer is lost and the SDK makes it again; of a message or record: it is delivered twice. `pause`: others run, for longer
than the lease, before it takes effect. `reset`: the connection drops after Slack accepted. `late`: the call times out and
takes effect a while later. `stale`: the history is shown as it was a while ago. `lost`: a hint, a tick or the word that a
message was handled never arrives. A read has no effect, so before and after are one.
"""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """The call with this number, counted from 1, is spoilt in this mode."""

    at: int
    mode: str

    def __str__(self) -> str:
        return f"{self.at}:{self.mode}"


@dataclass(frozen=True, slots=True)
class Schedule:
    """Faults of one run. `delay` is how many seconds later a late call to Slack takes effect."""

    faults: tuple[Fault, ...] = ()
    delay: int = 100

    def __str__(self) -> str:
        return " ".join([f"delay={self.delay}", *map(str, self.faults)])

    @classmethod
    def parse(cls, written: str) -> Schedule:
        """Reads what `str` wrote; `ValueError` says what cannot be read."""
        delay, faults = 100, []
        for word in written.split():
            name, mark, value = word.partition("=")
            if mark and name == "delay" and value.isdigit():
                delay = int(value)
                continue
            at, _, mode = word.partition(":")
            known = {mode for modes in MODES.values() for mode in modes}
            if not at.isdigit() or mode not in known:
                raise ValueError(
                    f"{word!r} is not like 17:crash-after or delay=100; the modes are {', '.join(sorted(known))}"
                )
            faults.append(Fault(int(at), mode))
        return cls(tuple(sorted(faults)), delay)


NO_FAULT = Schedule()


def argument(written: str) -> Schedule:
    """A schedule given on a command line."""
    try:
        return Schedule.parse(written)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error
