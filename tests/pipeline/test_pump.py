"""What the event pump promises: events as Lambda's pollers deliver them, on whatever clock the caller keeps."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from time_machine import Traveller

from infra.local.function import Outcome
from infra.local.mapping import Invocation, failed_identifiers
from infra.local.pattern import read_filters
from infra.local.pump import Pump
from infra.local.stack import LocalStack
from tocsin.errors import SettingsFault

TEMPLATE = Path(__file__).with_name("standin.yaml")
EVENTS = Path(__file__).parent.parent / "events"
VISIBILITY = 60


@pytest.fixture
def clock() -> Iterator[Traveller]:
    """A clock that stands still until it is moved."""
    with time_machine.travel(datetime(2026, 1, 5, 8, 30, tzinfo=UTC), tick=False) as traveller:
        yield traveller


@pytest.fixture
def stack(clock: Traveller) -> Iterator[LocalStack]:  # noqa: ARG001 - started first
    """The stand-in template, running."""
    with LocalStack(TEMPLATE, {"Word": "hello"}) as running:
        yield running


@pytest.fixture
def pump(stack: LocalStack) -> Pump:
    """Its pump."""
    return Pump(stack)


def send(stack: LocalStack, *orders: Mapping[str, Any], queue: str = "Queue") -> None:
    """Puts orders for the stand-in into a queue."""
    for order in orders:
        stack.client("sqs").send_message(QueueUrl=stack.physical(queue), MessageBody=json.dumps(order))


def put(stack: LocalStack, *orders: str, sk: str = "OUTBOX", status: str = "pending") -> None:
    """Writes a row for each order, so that the stream tells of it."""
    for number, order in enumerate(orders):
        row = {"pk": f"row {number}", "sk": sk, "status": status, "do": order}
        item = {name: {"S": value} for name, value in row.items()}
        stack.client("dynamodb").put_item(TableName=stack.physical("Table"), Item=item)


def bodies(invocation: Invocation) -> list[Any]:
    """The orders of a queue's batch."""
    return [json.loads(record["body"]) for record in invocation.records]


def rows(invocation: Invocation) -> list[str]:
    """The keys of a stream's batch."""
    return [record["dynamodb"]["Keys"]["pk"]["S"] for record in invocation.records]


def read_queue(stack: LocalStack, queue: str) -> list[Any]:
    """The bodies of what lies in a queue."""
    answer = stack.client("sqs").receive_message(QueueUrl=stack.physical(queue), MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def shape(value: Any) -> Any:
    """The keys and types of a JSON value, without what it says."""
    match value:
        case dict():
            return {key: shape(each) for key, each in value.items()}
        case list():
            return [shape(each) for each in value]
        case int() | float():
            return "number"
    return type(value).__name__


def reference(name: str) -> Any:
    """A reference envelope."""
    return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))


# Queues


def test_a_queue_is_drained_in_batches(stack: LocalStack, pump: Pump) -> None:
    """Twelve messages make a batch of ten and one of two, and then nothing is left or waited for."""
    send(stack, *({"n": n} for n in range(12)))
    assert pump.drain() == 2
    assert [len(invocation.records) for invocation in pump.invocations] == [10, 2]
    assert not pump.waiting()
    assert pump.drain() == 0


def test_a_batch_may_be_larger_than_one_receive(stack: LocalStack, pump: Pump) -> None:
    """A mapping with a batch size of 25 gets 25 messages at once although SQS hands out ten."""
    send(stack, *({"kind": "news"} for _ in range(26)), queue="PickedQueue")
    assert pump.drain() == 2
    assert [len(invocation.records) for invocation in pump.invocations] == [25, 1]


def test_queue_records_have_the_shape_of_the_reference(stack: LocalStack, pump: Pump) -> None:
    """A message arrives with every key and type of Lambda's SQS event, and says where and when it comes from."""
    send(stack, {"do": "nothing"})
    pump.drain()
    (record,) = pump.invocations[0].records
    assert shape(record) == shape(reference("sqs-batch")["Records"][0])
    assert record["awsRegion"] == stack.region
    assert record["eventSourceARN"].endswith(stack.physical("Queue").rpartition("/")[2])
    assert record["attributes"]["SentTimestamp"] == "1767601800000"


def test_a_message_attribute_travels_along(stack: LocalStack, pump: Pump) -> None:
    """Message attributes arrive in the lower-case spelling of Lambda's events."""
    stack.client("sqs").send_message(
        QueueUrl=stack.physical("Queue"),
        MessageBody="{}",
        MessageAttributes={"trace": {"DataType": "String", "StringValue": "x"}},
    )
    pump.drain()
    (record,) = pump.invocations[0].records
    assert record["messageAttributes"] == {
        "trace": {"stringValue": "x", "dataType": "String", "stringListValues": [], "binaryListValues": []}
    }


def test_a_failed_message_comes_back_alone(stack: LocalStack, pump: Pump, clock: Traveller) -> None:
    """Of a batch in which one message fails, that one returns after its visibility timeout and the others do not."""
    send(stack, {"n": 1}, {"do": "fail"}, {"n": 3})
    assert pump.drain() == 1
    assert len(pump.invocations[0].failures) == 1
    assert pump.waiting()
    assert pump.drain() == 0
    clock.shift(VISIBILITY + 1)
    assert pump.drain() == 1
    assert bodies(pump.invocations[1]) == [{"do": "fail"}]
    assert pump.invocations[1].records[0]["attributes"]["ApproximateReceiveCount"] == "2"


def test_poison_ends_in_the_dead_letter_queue(stack: LocalStack, pump: Pump, clock: Traveller) -> None:
    """A message that fails every time is received five times and then lies in the dead-letter queue."""
    send(stack, {"do": "fail"})
    for _ in range(7):
        pump.drain()
        clock.shift(VISIBILITY + 1)
    assert [record["attributes"]["ApproximateReceiveCount"] for i in pump.invocations for record in i.records] == list(
        "12345"
    )
    assert not pump.waiting()
    assert read_queue(stack, "DeadLetters") == [{"do": "fail"}]


@pytest.mark.parametrize("order", [{"do": "raise"}, {"do": "exit"}, {"do": "answer", "answer": "unserialisable"}])
def test_a_function_that_ends_badly_fails_its_batch(
    order: dict[str, str], stack: LocalStack, pump: Pump, clock: Traveller
) -> None:
    """An exception, an exit or an answer that is no JSON brings the whole batch back, and the error is written down."""
    send(stack, {"n": 1}, order)
    pump.drain()
    assert pump.invocations[0].error
    assert len(pump.invocations[0].failures) == 2
    clock.shift(VISIBILITY + 1)
    pump.drain()
    assert bodies(pump.invocations[1]) == [{"n": 1}, order]


@pytest.mark.parametrize(
    "answer",
    [
        "ok",
        17,
        [],
        {"failures": []},
        {"batchItemFailures": "all"},
        {"batchItemFailures": [{}]},
        {"batchItemFailures": ["id"]},
        {"batchItemFailures": [{"itemIdentifier": ""}]},
        {"batchItemFailures": [{"itemIdentifier": None}]},
        {"batchItemFailures": [{"itemIdentifier": ["a"]}]},
        {"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "stranger"}]},
    ],
)
def test_a_broken_answer_fails_the_whole_batch(answer: Any) -> None:
    """What Lambda cannot read as a list of failures from this batch counts as failure of all of it."""
    properties = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}
    assert failed_identifiers(properties, ["a", "b"], Outcome(answer)) == ("a", "b")


@pytest.mark.parametrize("answer", [None, {}, {"batchItemFailures": None}, {"batchItemFailures": []}])
def test_an_empty_answer_is_success(answer: Any) -> None:
    """Nothing, an empty object, and an empty or null list all say that nothing failed."""
    properties = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}
    assert failed_identifiers(properties, ["a", "b"], Outcome(answer)) == ()


def test_failures_are_not_heard_unless_the_template_says_so(stack: LocalStack, pump: Pump) -> None:
    """Without ReportBatchItemFailures an answer that names failures is ignored, as on Lambda."""
    send(stack, {"kind": "news", "do": "fail"}, queue="PickedQueue")
    assert pump.drain() == 1
    assert pump.invocations[0].failures == ()
    assert not pump.waiting()


def test_filtered_messages_are_dropped_unseen(stack: LocalStack, pump: Pump) -> None:
    """A message that matches none of a mapping's patterns leaves the queue without an invocation."""
    send(stack, {"kind": "news"}, {"kind": "sport"}, {"kind": "report"}, {}, queue="PickedQueue")
    assert pump.drain() == 1
    assert bodies(pump.invocations[0]) == [{"kind": "news"}, {"kind": "report"}]
    assert not pump.waiting()


# Functions


def test_a_function_sees_its_own_settings_only(stack: LocalStack, pump: Pump, monkeypatch: pytest.MonkeyPatch) -> None:
    """During a call the environment holds the function's TOCSIN_ variables and no other; afterwards it is as before."""
    monkeypatch.setenv("TOCSIN_STRAY", "from the shell")
    send(stack, {})
    pump.drain()
    assert pump.invocations[0].answer["environment"] == {
        "TOCSIN_QUEUE": stack.physical("Queue"),
        "TOCSIN_WORD": "hello!",
    }
    assert os.environ["TOCSIN_STRAY"] == "from the shell"
    assert "TOCSIN_WORD" not in os.environ


def test_a_function_is_told_its_name_and_time(stack: LocalStack, pump: Pump) -> None:
    """The context names the function and counts down from the template's timeout."""
    send(stack, {})
    pump.drain()
    answer = pump.invocations[0].answer
    assert answer["function"] == stack.physical("Reader")
    assert answer["remaining"] == 10_000


def test_every_pump_starts_cold(stack: LocalStack, pump: Pump) -> None:
    """A function stays warm within one pump and is imported afresh by the next."""
    for each in (pump, pump, Pump(stack)):
        send(stack, {})
        each.drain()
    assert [invocation.answer["calls"] for invocation in pump.invocations] == [1, 2]


# The stream


def test_the_stream_tells_of_rows_that_match(stack: LocalStack, pump: Pump) -> None:
    """Only outbox rows that are pending reach the function, in the order they were written."""
    put(stack, "nothing", sk="STORY")
    put(stack, "nothing", "nothing")
    put(stack, "nothing", status="posted")
    assert pump.drain() == 1
    assert rows(pump.invocations[0]) == ["row 0", "row 1"]
    assert pump.drain() == 0


def test_stream_records_have_the_shape_of_the_reference(stack: LocalStack, pump: Pump) -> None:
    """A new and a changed row arrive with every key and type of Lambda's DynamoDB event, as they were when written."""
    put(stack, "nothing")
    put(stack, "again")
    pump.drain()
    inserted, modified = pump.invocations[0].records
    expected = reference("dynamodb-stream")["Records"][0]
    expected["dynamodb"]["NewImage"]["do"] = {"S": "nothing"}
    assert shape(inserted) == shape(modified) == shape(expected)
    assert [inserted["eventName"], modified["eventName"]] == ["INSERT", "MODIFY"]
    assert [each["dynamodb"]["NewImage"]["do"]["S"] for each in (inserted, modified)] == ["nothing", "again"]
    assert inserted["awsRegion"] == stack.region
    assert inserted["dynamodb"]["ApproximateCreationDateTime"] == 1767601800


def test_the_stream_survives_a_cancelled_transaction(stack: LocalStack, pump: Pump) -> None:
    """Rows of a transaction that was cancelled are never told of; those written after it are."""
    put(stack, "nothing")
    pump.drain()
    dynamodb, table = stack.client("dynamodb"), stack.physical("Table")
    outbox = {"pk": {"S": "cancelled"}, "sk": {"S": "OUTBOX"}, "status": {"S": "pending"}, "do": {"S": ""}}
    taken = {"pk": {"S": "row 0"}, "sk": {"S": "OUTBOX"}}
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException):
        dynamodb.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": table, "Item": outbox}},
                {"Put": {"TableName": table, "Item": taken, "ConditionExpression": "attribute_not_exists(pk)"}},
            ]
        )
    put(stack, "later")
    assert pump.drain() == 1
    assert rows(pump.invocations[-1]) == ["row 0"]


def test_a_partial_failure_goes_on_from_the_failed_record(stack: LocalStack, pump: Pump, clock: Traveller) -> None:
    """What stood before the first failed record is done; it and all that follow are tried again a little later."""
    put(stack, "nothing", "fail", "nothing")
    assert pump.drain() == 1
    assert pump.waiting()
    assert pump.drain() == 0
    clock.shift(2)
    pump.drain()
    assert rows(pump.invocations[1]) == ["row 1", "row 2"]


def test_poison_in_the_stream_is_isolated_and_given_up(stack: LocalStack, pump: Pump, clock: Traveller) -> None:
    """Bisection leaves the poison alone with its retries; its notice reaches the destination, the others are done."""
    put(stack, "nothing", "nothing", "raise", "nothing", "nothing")
    for _ in range(20):
        pump.drain()
        clock.shift(10)
    assert not pump.waiting()
    done = [key for invocation in pump.invocations if not invocation.failures for key in rows(invocation)]
    assert sorted(done) == ["row 0", "row 1", "row 3", "row 4"]
    alone = [invocation for invocation in pump.invocations if rows(invocation) == ["row 2"]]
    assert len(alone) == 3
    (notice,) = read_queue(stack, "GivenUp")
    number = alone[0].records[0]["dynamodb"]["SequenceNumber"]
    assert notice["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert notice["requestContext"]["approximateInvokeCount"] == 3
    assert notice["DDBStreamBatchInfo"]["startSequenceNumber"] == number
    assert notice["DDBStreamBatchInfo"]["batchSize"] == 1


def test_a_failing_batch_holds_up_what_follows(stack: LocalStack, pump: Pump, clock: Traveller) -> None:
    """Records behind a failing one are not delivered before it is done or given up."""
    put(stack, "raise")
    pump.drain()
    put(stack, "nothing", "nothing")
    assert pump.drain() == 0
    clock.shift(2)
    pump.drain()
    assert [rows(invocation) for invocation in pump.invocations] == [["row 0"], ["row 0"]]


def test_records_too_old_are_given_up_unseen(stack: LocalStack, pump: Pump, clock: Traveller) -> None:
    """A record older than the template allows is not delivered; the destination is told."""
    put(stack, "nothing")
    clock.shift(601)
    assert pump.drain() == 0
    (notice,) = read_queue(stack, "GivenUp")
    assert notice["requestContext"]["condition"] == "RecordAgeExceeded"


# Topics


def tell(stack: LocalStack, **order: Any) -> None:
    """Publishes an order for the stand-in."""
    stack.client("sns").publish(TopicArn=stack.physical("Topic"), Message=json.dumps(order))


def test_a_topic_calls_its_function(stack: LocalStack, pump: Pump) -> None:
    """Each message is a call of its own, with the event SNS sends, but for the subject that only some messages have."""
    tell(stack, do="nothing")
    tell(stack, do="nothing")
    assert pump.drain() == 2
    assert {invocation.function for invocation in pump.invocations} == {"Listener"}
    (told, *others), (wanted,) = pump.invocations[0].records, reference("sns-alarm")["Records"]
    assert others == []
    assert told.keys() == wanted.keys()
    assert shape(told["Sns"] | {"Subject": ""}) == shape(wanted["Sns"])


def test_a_call_nobody_waits_for_is_made_three_times_and_kept(stack: LocalStack, pump: Pump, clock: Traveller) -> None:
    """What fails is called again after one minute and after two, and then the destination holds what the call was about."""
    tell(stack, do="raise")
    made = []
    for seconds in (0, 59, 1, 119, 1, 3600):
        clock.shift(seconds)
        made.append(pump.drain())
        if seconds < 3600 and sum(made) < 3:
            assert pump.waiting()
    assert made == [1, 0, 1, 0, 1, 0]
    assert not pump.waiting()
    (kept,) = read_queue(stack, "GivenUp")
    assert kept["requestContext"]["condition"] == "RetriesExhausted"
    assert kept["requestContext"]["approximateInvokeCount"] == 3
    assert kept["requestPayload"] == pump.invocations[0].event
    assert kept["responsePayload"]["errorMessage"] == "RuntimeError: as ordered"


# Schedules


@pytest.mark.parametrize("name", ["Clock", "ClockTick"])
def test_firing_a_schedule_calls_its_target(name: str, stack: LocalStack, pump: Pump) -> None:
    """A schedule, named by its own id or its function's, sends the event EventBridge Scheduler sends."""
    answer = pump.fire(name)
    (invocation,) = pump.invocations
    assert invocation.function == "Clock"
    assert answer["function"] == stack.physical("Clock")
    assert shape(invocation.event) == shape(reference("schedule"))
    assert invocation.event["time"] == "2026-01-05T08:30:00Z"


def test_firing_what_is_no_schedule_says_what_is(pump: Pump) -> None:
    """A name without a schedule gets an error that lists the schedules."""
    with pytest.raises(SettingsFault, match=r"Reader names 0 schedules.* ClockTick"):
        pump.fire("Reader")


# What is not known


@pytest.mark.parametrize(
    "pattern",
    [
        '{"a": [{"anything-but": ["b"]}]}',
        '{"a": [{"numeric": [">", 1]}]}',
        '{"$or": [{"a": ["b"]}]}',
        '{"a": "b"}',
        '{"a": []}',
        '{"a": [{"prefix": "b", "suffix": "c"}]}',
    ],
)
def test_unknown_patterns_are_refused(pattern: str) -> None:
    """A filter the pump would get wrong stops it before anything runs."""
    with pytest.raises(SettingsFault, match="pattern"):
        read_filters({"Filters": [{"Pattern": pattern}]})


@pytest.mark.parametrize(
    ("pattern", "record", "matches"),
    [
        ('{"a": [1, null]}', {"a": 1}, True),
        ('{"a": [1, null]}', {"a": None}, True),
        ('{"a": [1]}', {"a": True}, False),
        ('{"a": ["x"]}', {"a": ["y", "x"]}, True),
        ('{"a": {"b": ["x"]}}', {"a": "x"}, False),
        ('{"a": [{"exists": true}]}', {"a": None}, True),
        ('{"a": [{"exists": false}]}', {}, True),
        ('{"a": [{"exists": false}], "b": ["x"]}', {"b": "y"}, False),
    ],
)
def test_patterns_mean_what_eventbridge_says(pattern: str, record: dict[str, Any], matches: bool) -> None:
    """Values match exactly and by type, arrays by any element, absence only where it is asked for."""
    assert read_filters({"Filters": [{"Pattern": pattern}]})(record) is matches


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            ("            BatchSize: 4\n", "            BatchSize: 4\n            TumblingWindowInSeconds: 5\n"),
            "Tumbling",
        ),
        (("TRIM_HORIZON", "LATEST"), "LATEST"),
    ],
)
def test_a_mapping_the_pump_would_not_honour_is_refused(
    change: tuple[str, str], complaint: str, tmp_path: Path
) -> None:
    """A property of an event-source mapping that the pump does not know stops it before anything runs."""
    template = tmp_path / "template.yaml"
    template.write_text(TEMPLATE.read_text(encoding="utf-8").replace(*change), encoding="utf-8")
    with LocalStack(template, {"Word": "x"}) as stack, pytest.raises(SettingsFault, match=complaint):
        Pump(stack)
