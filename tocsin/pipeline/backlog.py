"""How far behind the delivery of alerts is."""

from __future__ import annotations

from datetime import datetime

from tocsin.ports import Meter, Table


def measure(table: Table, meter: Meter, now: datetime) -> None:
    """Tells how long the oldest undelivered alert has waited (0: none has), and of how many the outcome is unknown."""
    backlog = table.backlog(now)
    waited = max(0.0, (now - backlog.since).total_seconds()) if backlog.since else 0.0
    meter(OldestAlert=[waited], UnknownOutcomes=[backlog.doubtful])
