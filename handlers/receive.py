"""Articles posted to the HTTPS endpoint, by those who know the shared secret, go to the article queue."""

from __future__ import annotations

import logging
from functools import cache
from typing import Any

from tocsin.adapters import aws
from tocsin.adapters.gateway import answer_of, request_of
from tocsin.errors import InputFault
from tocsin.pipeline.receive import failure

log = logging.getLogger("tocsin")
receiver = cache(aws.receiver)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Takes an event of API Gateway; whatever goes wrong is answered in JSON, and its cause is logged."""
    try:
        return answer_of(receiver().receive(request_of(event)))
    except InputFault as fault:
        return answer_of(failure(400, "unreadable", str(fault)))
    except Exception:
        log.exception("a post was not taken")
        return answer_of(failure(503, "unavailable", "try again later; to post articles twice does no harm"))
