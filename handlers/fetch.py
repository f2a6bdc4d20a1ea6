"""Feeds from the queue, many in a message: one request each, and what is new in them becomes articles on the article queue."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from functools import cache
from typing import Any

from tocsin.adapters import aws
from tocsin.pipeline.poll import Asked, asked_for, comes_again

log = logging.getLogger("tocsin")
poller = cache(aws.poller)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Takes SQS messages of feeds; what could not be asked or written comes again alone."""
    asked: list[Asked] = []
    failed = []
    for record in event["Records"]:
        try:
            asked += _asked(record)
        except Exception:
            log.exception("message %s comes again", record["messageId"])
            failed.append(record["messageId"])
    failed += poller().poll(asked)
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}


def _asked(record: dict[str, Any]) -> list[Asked]:
    attributes, body = record["attributes"], record["body"]
    sent = datetime.fromtimestamp(int(attributes["SentTimestamp"]) / 1_000, UTC)
    tries = int(attributes["ApproximateReceiveCount"]) + comes_again(body)
    return [Asked(record["messageId"], feed, tries, sent) for feed in asked_for(body)]
