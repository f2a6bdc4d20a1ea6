"""What people do in Slack, as Slack tells it over HTTPS: buttons, forms, and the slash command."""

from __future__ import annotations

import logging
from functools import cache
from typing import Any

from tocsin.adapters import aws
from tocsin.adapters.gateway import answer_of, request_of
from tocsin.errors import InputFault
from tocsin.pipeline.receive import failure

log = logging.getLogger("tocsin")
interactor = cache(aws.interactor)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Takes an event of API Gateway; whatever goes wrong is logged, and Slack shows whoever pressed that something did."""
    try:
        return answer_of(interactor().interact(request_of(event)))
    except InputFault as fault:
        return answer_of(failure(400, "unreadable", str(fault)))
    except Exception:
        log.exception("what was done in Slack was not taken")
        return answer_of(failure(503, "unavailable", "try again later"))
