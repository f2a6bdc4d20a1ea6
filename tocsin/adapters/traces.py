"""The trace of X-Ray that a call of a function belongs to: its id stands in each line of the log.

Lambda records the way from function to function, as far as the template's `Traces` asks for it, and boto3's core sends the trace on with what
is put on a queue; so nothing of X-Ray's is imported.
"""

from __future__ import annotations

import logging
import os

VARIABLE = "_X_AMZN_TRACE_ID"
"""In which the runtime tells of the call's trace: `Root=1-…;Parent=…;Sampled=1`."""


def trace() -> str | None:
    """The id of the trace of this call; None outside of Lambda."""
    told = dict(part.partition("=")[::2] for part in os.environ.get(VARIABLE, "").split(";"))
    return told.get("Root")


def traced(record: logging.LogRecord) -> bool:
    """Lets every line of the log pass, with the id of its trace: the runtime writes it as a field of its own."""
    record.trace = trace()
    return True
