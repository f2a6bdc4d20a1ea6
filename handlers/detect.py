"""Articles from the queue: rules, stories, decisions, and one transaction for each article with a signal."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from tocsin.adapters import aws, sqs

if TYPE_CHECKING:
    from tocsin.article import Article
    from tocsin.pipeline.detect import Detector

log = logging.getLogger("tocsin")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Takes an SQS batch of articles, each to be read by the rules it names; those that failed come again alone."""
    batches: dict[str | None, tuple[Detector, list[tuple[str, Article]]]] = {}
    failed: list[str] = []
    for record in event["Records"]:
        rules = sqs.rules_of(record)
        try:
            if rules not in batches:
                batches[rules] = aws.detector(rules), []
            detector, articles = batches[rules]
            articles.append((record["messageId"], detector.article(record["body"])))
        except Exception:
            log.exception("message %s comes again", record["messageId"])
            failed.append(record["messageId"])
    for detector, articles in batches.values():
        failed += detector.detect(articles)
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}
