"""Alarms, told by SNS, go into the outbox as bulletins for the channel. When Slack itself fails, the e-mail beside it tells.

Every few minutes it is looked whether there are dead letters.
"""

from __future__ import annotations

from typing import Any

from tocsin.adapters import aws
from tocsin.adapters.alarms import bulletin_of
from tocsin.pipeline.letters import tell


def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    """Takes an SNS event, or that of a schedule; answers how many bulletins are new. SNS calls again when that fails."""
    table, now = aws.table(), aws.now()
    if "Records" not in event:
        return {"told": tell(aws.letters(), table, aws.meter(), now)}
    return {"told": sum(table.announce(*bulletin_of(record), now) for record in event["Records"])}
