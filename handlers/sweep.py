"""Every minute: alerts that are due and were not delivered by their stream record, and how far behind the delivery is."""

from __future__ import annotations

from typing import Any

from tocsin.adapters import aws
from tocsin.pipeline.backlog import measure

deliverer = aws.deliverer


def handler(_event: dict[str, Any], _context: object) -> dict[str, int]:
    """Takes a schedule's event; answers how many alerts were due."""
    due = deliverer().sweep()
    measure(aws.table(), aws.meter(), aws.now())
    return {"due": due}
