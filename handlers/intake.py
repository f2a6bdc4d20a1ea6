"""Files dropped under `inbox/` of the bucket, told by S3 through a topic, become articles on the article queue."""

from __future__ import annotations

import json
import logging
from typing import Any
from urllib.parse import unquote_plus

from tocsin.adapters import aws

log = logging.getLogger("tocsin")


def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    """Takes an SNS event of a notification of S3; answers how many files it was told of. Lambda calls again when that fails, and then keeps the event."""
    collector, taken = aws.collector(), 0
    for record in event["Records"]:
        for dropped in json.loads(record["Sns"]["Message"]).get("Records", []):  # S3's test event has none
            key = unquote_plus(dropped["s3"]["object"]["key"])
            try:
                collector.collect(key)
            except Exception:
                log.exception("file %s comes again", ascii(key))
                raise
            taken += 1
    return {"taken": taken}
