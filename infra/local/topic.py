"""An SNS topic that calls a function, as Lambda makes calls that nobody waits for.

Source: "Invoking a Lambda function asynchronously" and "Invoking Lambda functions with Amazon SNS notifications" in the AWS Lambda Developer Guide.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

from infra.local.function import Function
from infra.local.mapping import Invocation, Journal, Record, check_properties, give_up
from infra.local.stack import LocalStack

_KNOWN = frozenset(
    {"DestinationConfig", "FunctionName", "MaximumEventAgeInSeconds", "MaximumRetryAttempts", "Qualifier"}
)
_PAUSES = (60.0, 120.0)
"""Seconds before the first further try, and before the second."""
_CAPITALS = {"SigningCertURL": "SigningCertUrl", "UnsubscribeURL": "UnsubscribeUrl"}
"""What SNS spells otherwise for Lambda than for a queue."""


@dataclass(slots=True)
class _Call:
    """A call that Lambda took on: how often it was made, since when it waits, and when it may be made."""

    event: Record
    since: float
    tries: int = 0
    ready_at: float = 0.0


class TopicSource:
    """A subscription of a function to a topic: a call that fails is made again after one minute and after two, and then kept as a dead letter."""

    def __init__(self, stack: LocalStack, subscription: str, function: Function, journal: Journal) -> None:
        self._function, self._journal = function, journal
        self._config = _config(stack, function)
        self._sqs = stack.client("sqs")
        name = f"{stack.name}-calls-of-{subscription}"  # Lambda's own queue, which no template knows
        self._url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        told = stack.client("sns").subscribe(
            TopicArn=stack.properties(subscription)["TopicArn"],
            Protocol="sqs",
            Endpoint=arn,
            ReturnSubscriptionArn=True,
        )
        self._subscription: str = told["SubscriptionArn"]
        self._calls: list[_Call] = []

    def poll(self) -> int:
        """Makes every call that may be made now."""
        self._calls += self._received()
        ready = [call for call in self._calls if call.ready_at <= time.time()]
        for call in ready:
            self._calls.remove(call)
            self._make(call)
        return len(ready)

    def is_waiting(self) -> bool:
        """Whether a call that failed waits for its next try."""
        return bool(self._calls)

    def _received(self) -> list[_Call]:
        calls: list[_Call] = []
        while messages := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=0).get(
            "Messages", []
        ):
            for message in messages:
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
                calls.append(_Call(self._event(json.loads(message["Body"])), time.time()))
        return calls

    def _event(self, told: Record) -> Record:
        notification = {_CAPITALS.get(name, name): value for name, value in told.items()}
        record = {"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": self._subscription}
        return {"Records": [record | {"Sns": {"Subject": None, "MessageAttributes": {}} | notification}]}

    def _make(self, call: _Call) -> None:
        outcome = self._function.invoke(call.event)
        self._journal(Invocation(self._function.name, call.event, outcome.answer, outcome.error))
        if outcome.error is None:
            return
        call.tries += 1
        retries = int(self._config.get("MaximumRetryAttempts", len(_PAUSES)))
        if call.tries > retries:
            self._give_up(call, outcome.error, "RetriesExhausted")
            return
        call.ready_at = time.time() + _PAUSES[call.tries - 1]
        if call.ready_at - call.since > float(self._config.get("MaximumEventAgeInSeconds", 21_600)):
            self._give_up(call, outcome.error, "EventAgeExceeded")
        else:
            self._calls.append(call)

    def _give_up(self, call: _Call, error: str, why: str) -> None:
        answer = {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
        said = {"errorMessage": error.strip().rpartition("\n")[2]}
        arn = f"{self._function.arn}:$LATEST"
        give_up(
            self._sqs, self._config, arn, why, call.tries, requestPayload=call.event, responseContext=answer, responsePayload=said,
        )  # fmt: skip


def _config(stack: LocalStack, function: Function) -> Record:
    """How the template wants calls of a function that nobody waits for."""
    for name in stack.of_type("AWS::Lambda::EventInvokeConfig"):
        properties = stack.properties(name)
        if properties["FunctionName"] == stack.physical(function.name):
            check_properties(name, properties, _KNOWN)
            return properties
    return {}
