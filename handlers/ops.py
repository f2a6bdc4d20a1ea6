"""Alarms, told by SNS, go into the outbox as bulletins for the channel. When Slack itself fails, the e-mail beside it tells."""

from __future__ import annotations

from typing import Any

from tocsin.adapters import aws
from tocsin.adapters.alarms import bulletin_of


def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    """Takes an SNS event; answers how many of its records were new. SNS calls again when that fails."""
    table, now = aws.table(), aws.now()
    return {"told": sum(table.announce(*bulletin_of(record), now) for record in event["Records"])}
