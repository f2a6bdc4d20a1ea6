"""Files dropped under `inbox/` of the bucket, told by S3 through a queue, become articles on the article queue."""

from __future__ import annotations

import json
import logging
from typing import Any
from urllib.parse import unquote_plus

from tocsin.adapters import aws

log = logging.getLogger("tocsin")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Takes an SQS batch of S3 notifications; messages whose objects could not be taken come again."""
    collector = aws.collector()
    failed = []
    for record in event["Records"]:
        try:
            for dropped in json.loads(record["body"]).get("Records", []):  # S3's test event has none
                collector.collect(unquote_plus(dropped["s3"]["object"]["key"]))
        except Exception:
            log.exception("message %s comes again", record["messageId"])
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
