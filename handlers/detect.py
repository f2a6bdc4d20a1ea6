"""Articles from the queue: rules, stories, decisions, and one transaction for each article with a signal."""

from __future__ import annotations

import logging
from typing import Any

from tocsin.adapters import aws

log = logging.getLogger("tocsin")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Takes an SQS batch of articles; those that failed come again alone."""
    detector = aws.detector()
    articles, failed = [], []
    for record in event["Records"]:
        try:
            articles.append((record["messageId"], detector.article(record["body"])))
        except Exception:
            log.exception("message %s comes again", record["messageId"])
            failed.append(record["messageId"])
    failed += detector.detect(articles)
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}
