"""What moves events to functions: the event-source mappings, subscriptions and schedules of the template, as the stack has them."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from infra.local.function import Function
from infra.local.mapping import Invocation, Journal, Source
from infra.local.queue import QueueSource
from infra.local.stack import LocalStack
from infra.local.stream import StreamSource
from infra.local.topic import TopicSource
from tocsin.errors import SettingsFault

_SOURCES: dict[str, Callable[[LocalStack, str, Function, Journal], Source]] = {
    "sqs": QueueSource,
    "dynamodb": StreamSource,
}


class Pump:
    """Delivers, when told to, what Lambda's pollers, SNS and EventBridge Scheduler would, in the envelopes they use.

    The clock is the caller's: what failed comes back once the clock has passed its visibility timeout or pause.
    `invocations` keeps every call of a function, in order. `make` makes each function, in this process if nothing else is said.
    """

    def __init__(self, stack: LocalStack, make: Callable[[LocalStack, str], Function] = Function) -> None:
        self.invocations: list[Invocation] = []
        self._stack = stack
        functions = [make(stack, name) for name in stack.of_type("AWS::Lambda::Function")]
        self._functions = {function.name: function for function in functions}
        self._by_arn = {function.arn: function for function in functions}
        self._sources = [self._open(mapping) for mapping in stack.of_type("AWS::Lambda::EventSourceMapping")]
        self._sources += [
            TopicSource(stack, name, self._by_arn[properties["Endpoint"]], self.invocations.append)
            for name, properties in ((name, stack.properties(name)) for name in stack.of_type("AWS::SNS::Subscription"))
            if properties["Protocol"] == "lambda"
        ]

    def drain(self) -> int:
        """Delivers until nothing is left that can be delivered now; the number of invocations that took."""
        total = 0
        while invocations := sum(source.poll() for source in self._sources):
            total += invocations
        return total

    def waiting(self) -> bool:
        """Whether messages in flight or delayed, or failed stream records, will come back when the clock moves on."""
        return any(source.is_waiting() for source in self._sources)

    def fire(self, schedule: str) -> Any:  # noqa: ANN401 - the target's own answer
        """Runs a schedule's target now and returns its answer, None when it failed (see `invocations`).

        `schedule` is the logical id of an `AWS::Scheduler::Schedule`, or of the function that just one of them calls.
        """
        target = self._stack.properties(self._schedule(schedule))["Target"]
        function = self._by_arn[target["Arn"]]
        event = self._scheduled_event(self._schedule(schedule), target)
        outcome = function.invoke(event)
        self.invocations.append(Invocation(function.name, event, outcome.answer, outcome.error))
        return outcome.answer

    def call(self, function: str, event: dict[str, Any]) -> Any:  # noqa: ANN401 - the function's own answer
        """Calls a function as a service does that waits for the answer, such as API Gateway; None when it failed."""
        outcome = self._functions[function].invoke(event)
        self.invocations.append(Invocation(function, event, outcome.answer, outcome.error))
        return outcome.answer

    def printed(self, function: str) -> list[str]:
        """The lines a function printed so far."""
        return self._functions[function].printed.getvalue().splitlines()

    def _open(self, mapping: str) -> Source:
        properties = self._stack.properties(mapping)
        called = properties["FunctionName"]
        (function,) = (each for each in self._functions.values() if self._stack.physical(each.name) == called)
        service = properties["EventSourceArn"].split(":")[2]
        if service not in _SOURCES:
            raise SettingsFault(f"{mapping} reads from {service}; the pump knows {' and '.join(_SOURCES)} only")
        return _SOURCES[service](self._stack, mapping, function, self.invocations.append)

    def _schedule(self, name: str) -> str:
        schedules = self._stack.of_type("AWS::Scheduler::Schedule")
        if name in schedules:
            return name
        arn = self._functions[name].arn if name in self._functions else None
        calling = [each for each in schedules if self._stack.properties(each)["Target"]["Arn"] == arn]
        if len(calling) != 1:
            raise SettingsFault(
                f"{name} names {len(calling)} schedules, not one; the schedules are {', '.join(schedules)}"
            )
        return calling[0]

    def _scheduled_event(self, schedule: str, target: dict[str, Any]) -> dict[str, Any]:
        """The event Scheduler sends when the template gives a target no input of its own."""
        if "Input" in target:
            raise SettingsFault(f"{schedule} gives its target an Input, which infra/local/pump.py does not know")
        name = self._stack.properties(schedule).get("Name", schedule)
        return {
            "version": "0",
            "id": str(uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": self._stack.account,
            "time": datetime.fromtimestamp(int(time.time()), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self._stack.region,
            "resources": [f"arn:aws:scheduler:{self._stack.region}:{self._stack.account}:schedule/default/{name}"],
            "detail": "{}",
        }
