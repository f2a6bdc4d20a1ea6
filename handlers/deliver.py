"""Alerts that enter the outbox, told by the table's stream, go to Slack."""

from __future__ import annotations

import logging
from typing import Any

from tocsin.adapters import aws
from tocsin.adapters.dynamodb import alert_of

log = logging.getLogger("tocsin")
deliverer = aws.deliverer


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Takes a batch of stream records. What cannot be delivered now stays in the outbox and is swept up when due."""
    delivering = deliverer()
    for record in event["Records"]:
        try:
            delivering.deliver([alert_of(record["dynamodb"]["Keys"])])
        except Exception:
            log.exception("record %s comes again", record["eventID"])
            return {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]}
    return {"batchItemFailures": []}
