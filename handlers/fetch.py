"""Feeds from the queue: one request each, and what is new in them becomes articles on the article queue."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from functools import cache
from typing import Any

from tocsin.adapters import aws
from tocsin.pipeline.poll import Asked, asked_for

log = logging.getLogger("tocsin")
poller = cache(aws.poller)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Takes an SQS batch of feeds; those that could not be asked or written come again alone."""
    asked, failed = [], []
    for record in event["Records"]:
        try:
            asked.append(_asked(record))
        except Exception:
            log.exception("message %s comes again", record["messageId"])
            failed.append(record["messageId"])
    failed += poller().poll(asked)
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}


def _asked(record: dict[str, Any]) -> Asked:
    attributes = record["attributes"]
    sent = datetime.fromtimestamp(int(attributes["SentTimestamp"]) / 1_000, UTC)
    return Asked(record["messageId"], asked_for(record["body"]), int(attributes["ApproximateReceiveCount"]), sent)
