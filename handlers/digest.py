"""Every day: what silences and rules on trial held back goes into the outbox, as one message."""

from __future__ import annotations

from typing import Any

from tocsin.adapters import aws
from tocsin.pipeline.digest import want_digests


def handler(_event: dict[str, Any], _context: object) -> dict[str, list[str]]:
    """Takes a schedule's event; answers the days whose digests were put into the outbox."""
    return {"days": want_digests(aws.table(), aws.now())}
