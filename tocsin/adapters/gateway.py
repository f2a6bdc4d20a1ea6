"""API Gateway's events and answers, in payload format 2.0."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from tocsin.errors import InputFault
from tocsin.pipeline.receive import Reply, Request


def request_of(event: dict[str, Any]) -> Request:
    """The request in an event; `InputFault` when its body cannot be decoded."""
    body = event.get("body") or ""
    try:
        raw = base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()
    except (binascii.Error, UnicodeEncodeError, ValueError) as error:
        raise InputFault("the body cannot be decoded", mend="send it as UTF-8") from error
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    return Request(headers, raw, event.get("requestContext", {}).get("http", {}).get("sourceIp", ""))


def answer_of(reply: Reply) -> dict[str, Any]:
    """The answer to an event: JSON that nobody keeps, or nothing."""
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    if reply.status == 401:  # noqa: PLR2004 - RFC 9110 wants it
        headers["WWW-Authenticate"] = "Bearer"
    if reply.status == 503:  # noqa: PLR2004 - when to come again
        headers["Retry-After"] = "60"
    return {"statusCode": reply.status, "headers": headers, "body": json.dumps(reply.body) if reply.body else ""}
