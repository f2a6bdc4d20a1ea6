"""A function that does what each record asks of it, and tells what it saw."""

from __future__ import annotations

import json
import os
from typing import Any

calls = 0


def handler(event: dict[str, Any], context: Any) -> Any:
    """Fails, raises, exits or answers as the records say; otherwise a well-formed answer."""
    global calls  # noqa: PLW0603 - counts what a warm function would remember
    calls += 1
    failures = []
    for identifier, order in map(_read, event.get("Records", ())):
        match order:
            case {"do": "raise"}:
                raise RuntimeError("as ordered")
            case {"do": "exit"}:
                raise SystemExit(1)
            case {"do": "answer", "answer": answer}:
                return {"not json": object()} if answer == "unserialisable" else answer
            case {"do": "fail"}:
                failures.append({"itemIdentifier": identifier})
    return {
        "batchItemFailures": failures,
        "calls": calls,
        "environment": {name: value for name, value in os.environ.items() if name.startswith("TOCSIN_")},
        "function": context.function_name,
        "remaining": context.get_remaining_time_in_millis(),
    }


def _read(record: dict[str, Any]) -> tuple[str, Any]:
    if "Sns" in record:
        return record["Sns"]["MessageId"], json.loads(record["Sns"]["Message"])
    if record["eventSource"] == "aws:sqs":
        return record["messageId"], json.loads(record["body"])
    image = record["dynamodb"]["NewImage"]
    return record["dynamodb"]["SequenceNumber"], {"do": image["do"]["S"]}
