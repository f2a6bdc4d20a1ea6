"""`tocsin redrive`: what was given up, and back to work with it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from tocsin.cli import FINDINGS, FINE
from tocsin.cli.options import format_option, stack_option
from tocsin.errors import InputFault

if TYPE_CHECKING:
    from tocsin.adapters.dead_letters import DeadLetters, Letter

_SAMPLE = 3
_SHOWN = 200
_NO_SOURCE = (
    "nothing to move: these only tell what was tried in vain. The alerts stay in the outbox, and Sweep delivers them."
)


@click.command("redrive")
@stack_option
@format_option
@click.option("--queue", "name", metavar="NAME", help="Only this dead-letter queue, for example ArticleDeadLetters.")
@click.option(
    "--dry-run", is_flag=True, help="Show what there is and move nothing; exit code 1 when something could be moved."
)
def command(stack_name: str, form: str, name: str | None, *, dry_run: bool) -> int:
    """Shows what lies in the dead-letter queues, and moves it back to where it came from.

    Mend the cause first: what cannot be handled comes back after a few more tries. To handle a message twice changes nothing.
    """
    from tocsin.adapters.stack import deployed

    waiting = 0
    with deployed(stack_name) as stack:
        for queue in _wanted(stack.dead_letters(), name):
            count = queue.count()
            sample = queue.sample() if count else []
            moved = queue.move_back() if sample and queue.source and not dry_run else 0
            waiting += count if queue.source and not moved else 0
            _tell(queue, max(count, len(sample)), sample, moved, form)
    return FINDINGS if dry_run and waiting else FINE


def _wanted(queues: Sequence[DeadLetters], name: str | None) -> Sequence[DeadLetters]:
    found = [queue for queue in queues if name in {None, queue.name}]
    if not found:
        names = ", ".join(queue.name for queue in queues) or "none at all"
        raise InputFault(f"the stack has no dead-letter queue {name or ''}".strip(), mend=f"there is {names}")
    return found


def _tell(queue: DeadLetters, count: int, sample: Sequence[Letter], moved: int, form: str) -> None:
    """One line, and what the messages begin with, the same once; everything they say is escaped."""
    shown = list(dict.fromkeys(ascii(letter.body[:_SHOWN]) for letter in sample))[:_SAMPLE]
    oldest = sample[0].sent if sample else None
    if form == "ndjson":
        row = {
            "queue": queue.name, "messages": count, "oldest": oldest.isoformat() if oldest else None,
            "redrivable": bool(queue.source), "moved": moved, "sample": shown,
        }  # fmt: skip
        click.echo(json.dumps(row))
        return
    since = f", the oldest of {oldest:%Y-%m-%d %H:%M} UTC" if oldest else ""
    click.echo(f"{queue.name}: {count} message{'s' * (count != 1)}{since}" + (f"; {moved} moved back" if moved else ""))
    for line in shown:
        click.echo(f"    {line}")
    if count and not queue.source:
        click.echo(f"    {_NO_SOURCE}")
