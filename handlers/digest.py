"""Every day: what silences and rules on trial held back goes into the outbox, as one message; once a week a heartbeat."""

from __future__ import annotations

from typing import Any

from tocsin.adapters import aws
from tocsin.pipeline.digest import count_silent, want_digests, want_heartbeat


def handler(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Takes a schedule's event; answers the days whose digests were put into the outbox, and whether a heartbeat was."""
    table, now = aws.table(), aws.now()
    count_silent(table, aws.archive(), now)
    return {"days": want_digests(table, now), "heartbeat": want_heartbeat(table, now)}
