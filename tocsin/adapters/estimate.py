"""What a stack costs, estimated from what CloudWatch has counted: calls and seconds of functions, messages of queues, units of the table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

PRICES = {
    "function calls": 0.20e-6,
    "GB-seconds": 13.3334e-6,
    "queue requests": 0.40e-6,
    "table reads": 0.125e-6,
    "table writes": 0.625e-6,
}
"""US dollars, of November 2026, for arm64 in us-east-1; what is free is not taken off."""
_DAY = 86_400
_QUEUE = ("NumberOfEmptyReceives", "NumberOfMessagesReceived", "NumberOfMessagesSent", "NumberOfMessagesDeleted")
"""What is paid for; of requests that carry several messages each message counts, so the estimate is rather too high."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure that CloudWatch counts, and what one of it costs."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    price: float

    def query(self, number: int) -> dict[str, Any]:
        """The question for its sum on each day."""
        dimensions = [{"Name": name, "Value": value} for name, value in self.dimensions]
        metric = {"Namespace": self.namespace, "MetricName": self.name, "Dimensions": dimensions}
        return {"Id": f"m{number}", "MetricStat": {"Metric": metric, "Period": _DAY, "Stat": "Sum"}}


def figures(functions: Mapping[str, int], queues: Sequence[str], table: str) -> Iterator[Figure]:
    """What is counted of a stack: of its functions, each with its megabytes, its queues and its table, by name."""
    for name, memory in functions.items():
        of = (("FunctionName", name),)
        yield Figure("AWS/Lambda", "Duration", of, memory / 1024 / 1000 * PRICES["GB-seconds"])  # it is in milliseconds
        yield Figure("AWS/Lambda", "Invocations", of, PRICES["function calls"])
    for queue in queues:
        yield from (Figure("AWS/SQS", name, (("QueueName", queue),), PRICES["queue requests"]) for name in _QUEUE)
    for index in ((), (("GlobalSecondaryIndexName", "due"),)):
        of = (("TableName", table), *index)
        yield Figure("AWS/DynamoDB", "ConsumedReadCapacityUnits", of, PRICES["table reads"])
        yield Figure("AWS/DynamoDB", "ConsumedWriteCapacityUnits", of, PRICES["table writes"])


def spent(client: Any, counted: Sequence[Figure], since: datetime, until: datetime) -> float:
    """US dollars, as a client of CloudWatch tells."""
    queries = [figure.query(number) for number, figure in enumerate(counted)]
    pages = client.get_paginator("get_metric_data").paginate(MetricDataQueries=queries, StartTime=since, EndTime=until)
    rows = (row for page in pages for row in page["MetricDataResults"])
    return float(sum(counted[int(row["Id"][1:])].price * sum(row["Values"]) for row in rows))
