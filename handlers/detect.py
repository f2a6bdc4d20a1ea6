"""Articles from the queue: rules, stories, decisions, and one transaction for each article with a signal."""

from __future__ import annotations

import logging
from typing import Any

from tocsin.adapters import aws, sqs

log = logging.getLogger("tocsin")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Takes an SQS batch of articles, each to be read by the rules it names; those that failed come again alone."""
    batches: dict[str | None, list[tuple[str, Any]]] = {}
    failed: list[str] = []
    for record in event["Records"]:
        rules = sqs.rules_of(record)
        try:
            article = aws.detector(rules).article(record["body"])
            batches.setdefault(rules, []).append((record["messageId"], article))
        except Exception:
            log.exception("message %s comes again", record["messageId"])
            failed.append(record["messageId"])
    for rules, articles in batches.items():
        failed += aws.detector(rules).detect(articles)
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}
