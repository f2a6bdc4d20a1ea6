"""Figures about the running of Tocsin for CloudWatch, as lines of the log in the embedded metric format (EMF)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from tocsin.ports import Clock

NAMESPACE = "Tocsin"
UNITS = {"OldestAlert": "Seconds"}
"""Of figures that are no counts."""
MOST = 100
"""Values of one figure that one line may hold."""


class LogMeter:
    """`tocsin.ports.Meter` for one stack: each call is one line, which CloudWatch turns into metrics of the dimension Stack.

    The line must stand alone, so it is printed: what goes through `logging` is wrapped by the runtime.
    """

    def __init__(self, stack: str, clock: Clock, write: Callable[[str], object] = print) -> None:
        self._stack, self._clock, self._write = stack, clock, write

    def __call__(self, **values: Sequence[float]) -> None:
        """See `Meter`."""
        told = {name: list(some)[:MOST] for name, some in values.items() if some}
        if not told:
            return
        metrics = [{"Name": name, "Unit": UNITS.get(name, "Count")} for name in told]
        about = {"Namespace": NAMESPACE, "Dimensions": [["Stack"]], "Metrics": metrics}
        moment = int(self._clock().timestamp() * 1000)
        self._write(
            json.dumps({"_aws": {"Timestamp": moment, "CloudWatchMetrics": [about]}, "Stack": self._stack, **told})
        )
