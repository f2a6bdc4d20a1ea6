"""Feeds from the queue: one request each, and what is new in them becomes articles on the article queue."""

from __future__ import annotations

import logging
from functools import cache
from typing import Any

from tocsin.adapters import aws
from tocsin.pipeline.poll import asked_for

log = logging.getLogger("tocsin")
poller = cache(aws.poller)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Takes an SQS batch of feeds; those that could not be asked or written come again alone."""
    asked, failed = [], []
    for record in event["Records"]:
        try:
            asked.append((record["messageId"], asked_for(record["body"])))
        except Exception:
            log.exception("message %s comes again", record["messageId"])
            failed.append(record["messageId"])
    failed += poller().poll(asked)
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}
