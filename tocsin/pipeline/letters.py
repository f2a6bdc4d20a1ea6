"""Dead letters are told: as a figure for the alarm, and queue by queue in the channel."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from tocsin.ports import Bulletin, Meter, Table


def tell(letters: Mapping[str, int], table: Table, meter: Meter, now: datetime) -> int:
    """Tells how many letters lie in the queues of dead letters, given by name; the channel once a day of each queue. How many bulletins are new."""
    meter(DeadLetters=[sum(letters.values())])
    return sum(
        table.announce(f"letters-{queue}-{now:%Y-%m-%d}", _bulletin(queue, count), now)
        for queue, count in letters.items()
        if count
    )


def _bulletin(queue: str, count: int) -> Bulletin:
    held = "1 message" if count == 1 else f"{count} messages"
    lines = (
        f"What to do: docs/operate.md#{queue.lower()}.",
        "tocsin redrive --dry-run shows what it is; this is told once a day until there is nothing left.",
    )
    return Bulletin(f"{queue} holds {held}", lines, "high")
