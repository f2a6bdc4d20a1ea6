"""A deployed function in this process: its handler from the checkout, its own environment, JSON in and JSON out."""

from __future__ import annotations

import importlib
import io
import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from typing import Any
from unittest import mock
from uuid import uuid4

from infra.local.stack import LocalStack

Handler = Callable[[Any, "Context"], Any]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one call of a function: its answer, or the traceback of what it raised."""

    answer: Any = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What Lambda hands a handler beside the event; the time left follows the clock, virtual or not."""

    function_name: str
    invoked_function_arn: str
    memory_limit_in_mb: str
    log_group_name: str
    deadline: float
    function_version: str = "$LATEST"
    log_stream_name: str = "local"
    aws_request_id: str = field(default_factory=lambda: str(uuid4()))

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda would stop the call."""
        return max(0, round((self.deadline - time.time()) * 1000))


class Function:
    """One function of the stack. Its module is imported at the first call, afresh for each pump, as at a cold start."""

    def __init__(self, stack: LocalStack, logical_id: str) -> None:
        self.name = logical_id
        self.arn = f"arn:aws:lambda:{stack.region}:{stack.account}:function:{stack.physical(logical_id)}"
        self._stack = stack
        self._properties = stack.properties(logical_id)
        self._handler: Handler | None = None
        self.printed = io.StringIO()
        """What the function printed, which Lambda writes to its log."""

    def invoke(self, event: object) -> Outcome:
        """Calls the handler; whatever it raises, an exit or a crash included, is a failed call, as on Lambda."""
        with self._surroundings():
            try:
                self._handler = self._handler or self._import()
                return Outcome(_through_json(self._handler(_through_json(event), self._context())))
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001 - Lambda outlives every end of a handler
                _log.warning("%s failed: %r", self.name, error)
                return Outcome(error=traceback.format_exc())

    def _import(self) -> Handler:
        module, _, name = self._properties["Handler"].rpartition(".")
        sys.modules.pop(module, None)
        handler: Handler = getattr(importlib.import_module(module), name)
        return handler

    def _context(self) -> Context:
        return Context(
            function_name=self._stack.physical(self.name),
            invoked_function_arn=self.arn,
            memory_limit_in_mb=str(self._properties.get("MemorySize", 128)),
            log_group_name=self._properties.get("LoggingConfig", {}).get("LogGroup", ""),
            deadline=time.time() + self._properties.get("Timeout", 3),
        )

    @contextmanager
    def _surroundings(self) -> Iterator[None]:
        """The function's variables and no other function's; the checkout first among the places to import from."""
        others = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
        environment = others | self._stack.environment(self.name)
        path = [str(self._stack.template.parent), *sys.path]
        with (
            mock.patch.dict(os.environ, environment, clear=True),
            mock.patch.object(sys, "path", path),
            redirect_stdout(self.printed),
        ):
            yield


def _through_json(value: object) -> Any:  # noqa: ANN401 - any value of JSON
    """The value as it is after a journey as JSON; `TypeError` for one that cannot make it."""
    return json.loads(json.dumps(value))
