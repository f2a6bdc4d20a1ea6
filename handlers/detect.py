"""Articles from the queue: rules, stories, decisions, and what comes of them in the table."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from tocsin.adapters import aws, sqs
from tocsin.pipeline.detect import Sent

if TYPE_CHECKING:
    from tocsin.pipeline.detect import Detector

log = logging.getLogger("tocsin")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Takes an SQS batch of messages with articles, each to be read by the rules it names; what failed comes again alone."""
    batches: dict[str | None, tuple[Detector, list[Sent]]] = {}
    failed: list[str] = []
    for record in event["Records"]:
        rules = sqs.rules_of(record)
        try:
            if rules not in batches:
                batches[rules] = aws.detector(rules), []
            tries = int(record["attributes"]["ApproximateReceiveCount"])
            batches[rules][1].append(Sent(record["messageId"], record["body"], tries))
        except Exception:
            log.exception("message %s comes again", record["messageId"])
            failed.append(record["messageId"])
    for detector, messages in batches.values():
        failed += detector.take(messages)
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}
