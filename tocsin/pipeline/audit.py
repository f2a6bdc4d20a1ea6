"""Removes the extra copy of an alert, should a post turn up after it was given up and begun anew."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from tocsin.errors import Rejected
from tocsin.pipeline.stories import root_alert, standing
from tocsin.ports import OutboxRow, Posted, Slack, Table, beside

log = logging.getLogger("tocsin")

FIRST_LOOK = timedelta(minutes=5)
"""How long after its delivery an alert that was given up once is looked at."""
LAST_LOOK = timedelta(hours=1)
"""How long after its post it is looked at for the last time."""
CLOCK_SKEW = 60.0
"""Seconds by which our clock may be ahead of Slack's."""


def audit(table: Table, slack: Slack, now: datetime, limit: int) -> None:
    """Looks at the alerts whose post was given up once, each for itself; what fails is looked at by the next sweep."""
    for row in table.doubtful(now, limit):
        try:
            _audited(table, slack, row, now)
        except Exception:
            log.exception("alert %s is audited later", ascii(row.alert))


def _audited(table: Table, slack: Slack, row: OutboxRow, now: datetime) -> None:
    copies = slack.copies(row.channel, row.alert, oldest=_oldest(row), thread_ts=_thread(table, row))
    for extra in _extra(copies, Posted(row.channel, row.ts)):
        log.warning("alert %s stood twice in the channel; %s is removed", ascii(row.alert), extra.ts)
        try:
            slack.delete(extra)
        except Rejected as refusal:
            log.error("a person must remove %s: %s", extra.ts, refusal.code)  # noqa: TRY400 - Slack's word says it all
    last = datetime.fromtimestamp(float(row.ts), now.tzinfo) + LAST_LOOK
    table.audited(row.alert, last if now < last else None)


def _extra(copies: Sequence[Posted], kept: Posted) -> Sequence[Posted]:
    """The copies beside the recorded one. Where a person deleted that, one of the others stays: one was left standing."""
    others = [copy for copy in copies if copy != kept]
    return others if kept in copies else others[1:]


def _oldest(row: OutboxRow) -> float:
    return (row.doubted_at or float(row.ts)) - CLOCK_SKEW


def _thread(table: Table, row: OutboxRow) -> str | None:
    """The thread a reply stands in."""
    if row.reply is None:
        return None
    story = standing(table, row.story)
    root = table.posted(beside(root_alert(story.id), row.beside)) if story else None
    return root.ts if root else None
