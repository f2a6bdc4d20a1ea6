"""Every minute: the feeds that are due go on their way, many in a message."""

from __future__ import annotations

import os
from typing import Any

from tocsin.adapters import aws
from tocsin.pipeline.poll import send_due
from tocsin.settings import Settings


def handler(_event: dict[str, Any], _context: object) -> dict[str, int]:
    """Takes a schedule's event; answers how many feeds were due."""
    return {"due": send_due(aws.feeds(), aws.queue(Settings(os.environ).feed_queue), aws.now())}
