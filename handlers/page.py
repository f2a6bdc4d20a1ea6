"""Articles of which a feed tells only a summary get the text of their page, and go to the article queue."""

from __future__ import annotations

import logging
from typing import Any

from tocsin.adapters import aws, sqs

log = logging.getLogger("tocsin")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Takes an SQS batch of articles; those whose text could not be queued come again."""
    failed = []
    for record in event["Records"]:
        try:
            reader = aws.page_reader(sqs.rules_of(record))
            reader.read(record["body"], int(record["attributes"]["ApproximateReceiveCount"]))
        except Exception:
            log.exception("message %s comes again", record["messageId"])
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
