"""What is told by the calendar: each day what silences and rules on trial held back, each week that Tocsin lives."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from tocsin.pipeline.archive import read_on
from tocsin.ports import Archive, Bulletin, Table, Tally

DIGEST_DAYS = 3
"""Days back for which a digest that was missed is made up."""


def want_digests(table: Table, now: datetime) -> list[str]:
    """Puts the digests of the last days that held something back into the outbox, each once; returns the days."""
    days = _days_before(now, DIGEST_DAYS)
    return [day for day in days if table.held(day) and table.want_digest(day, now)]


def count_silent(table: Table, archive: Archive, now: datetime) -> None:
    """Counts what the tallies of the last days do not, each day once: the archive knows it, and no batch waits for a counter."""
    days = _days_before(now, DIGEST_DAYS)
    counted = {one.day for one in table.tallies(days) if one.silent is not None}
    for day in days:
        if day not in counted:
            table.count_silent(day, read_on(archive, day))


def want_heartbeat(table: Table, now: datetime) -> bool:
    """Puts the heartbeat of the week that ended last Sunday into the outbox, once; False when it was there already.

    It is asked for every day, so that a Monday that was missed is made up.
    """
    monday = now - timedelta(days=now.weekday())
    days = _days_before(monday, 7)
    return table.announce(f"heartbeat-{days[0]}", _heartbeat(days, table.tallies(days)), now)


def _days_before(now: datetime, count: int) -> list[str]:
    """The UTC days before a moment, the last at the end."""
    return [f"{now - timedelta(days=back):%Y-%m-%d}" for back in range(count, 0, -1)]


def _heartbeat(days: Sequence[str], tallies: Sequence[Tally]) -> Bulletin:
    articles, alerts = sum(one.read for one in tallies), sum(one.alerts for one in tallies)
    quiet = [day for day in days if day not in {one.day for one in tallies if one.read}]
    read = f"{articles:,} {'article' if articles == 1 else 'articles'} read"
    lines = [f"From {days[0]} to {days[-1]}: {read}, {alerts:,} {'alert' if alerts == 1 else 'alerts'} rung."]
    if quiet:
        lines.append(f"Nothing was read on {', '.join(quiet)}.")
    if last := [one for one in tallies if one.last_article]:
        lines.append(
            f"Rules {last[-1].rules}; the last article with a signal was read at {last[-1].last_article[:16]} UTC."
        )
    return Bulletin("Tocsin lives", tuple(lines))
