"""Questions that people asked in Slack are answered there, to them alone."""

from __future__ import annotations

import logging
from functools import cache
from typing import Any

from tocsin.adapters import aws
from tocsin.pipeline.question import Question

log = logging.getLogger("tocsin")
answerer = cache(aws.answerer)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Takes an SQS batch of questions; those that could not be answered come again."""
    failed = []
    for record in event["Records"]:
        try:
            answerer().answer(Question.from_json(record["body"]))
        except Exception:
            log.exception("question %s comes again", record["messageId"])
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
