"""The digest of what silences and rules on trial held back."""

from __future__ import annotations

from datetime import datetime, timedelta

from tocsin.ports import Table

DIGEST_DAYS = 3
"""Days back for which a digest that was missed is made up."""


def want_digests(table: Table, now: datetime) -> list[str]:
    """Puts the digests of the last days that held something back into the outbox, each once; returns the days."""
    days = [f"{now - timedelta(days=back):%Y-%m-%d}" for back in range(DIGEST_DAYS, 0, -1)]
    return [day for day in days if table.held(day) and table.want_digest(day, now)]
