"""What `template.yaml` becomes on moto; what it promises as it is written is held by `tests/promises.py`."""

from __future__ import annotations

import json
import os
import re
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import boto3
import pytest
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]  # it ships no types

from infra.local.stack import LocalStack
from tests.promises import EVERYWHERE
from tocsin.errors import SettingsFault

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
PARAMETERS = {
    "SlackChannel": "C0LOCAL",
    "SlackTokenSecret": "slack-token",
    "ReceiveSecret": "posts",
    "SlackSigningSecret": "signing",
}
FUNCTIONS = [
    "Due", "Fetch", "Intake", "Receive", "Page", "Detect", "Deliver", "Sweep", "Interact", "Answer", "Digest", "Ops",
]  # fmt: skip


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    """The real template, running."""
    with LocalStack(TEMPLATE, PARAMETERS) as running:
        yield running


def mappings(stack: LocalStack) -> dict[str, dict[str, Any]]:
    """The event-source mappings by the function they feed."""
    named = {stack.physical(name): name for name in stack.of_type("AWS::Lambda::Function")}
    found = [stack.properties(name) for name in stack.of_type("AWS::Lambda::EventSourceMapping")]
    return {named[each["FunctionName"]]: each for each in found}


def statements(stack: LocalStack, role: str) -> list[dict[str, Any]]:
    """Every statement of a role's policies."""
    policies = stack.properties(role)["Policies"]
    found = [policy["PolicyDocument"]["Statement"] for policy in policies]
    return [statement for each in found for statement in (each if isinstance(each, list) else [each])]


def received(stack: LocalStack, queue: str) -> list[Any]:
    """The bodies of what lies in a queue, taken out."""
    sqs, url = stack.client("sqs"), stack.physical(queue)
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for message in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"]) for message in messages]


# What is kept


def test_the_table_is_as_described(stack: LocalStack) -> None:
    """One table by pk and sk, paid by request, with a stream of new images and the sparse index of what is due."""
    table = stack.client("dynamodb").describe_table(TableName=stack.physical("Table"))["Table"]
    assert {key["AttributeName"]: key["KeyType"] for key in table["KeySchema"]} == {"pk": "HASH", "sk": "RANGE"}
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    (index,) = table["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "due"
    assert {key["AttributeName"]: key["KeyType"] for key in index["KeySchema"]} == {
        "due_shard": "HASH",
        "due_at": "RANGE",
    }
    assert {"AttributeName": "due_at", "AttributeType": "N"} in table["AttributeDefinitions"]


def test_what_is_due_can_be_found(stack: LocalStack) -> None:
    """The index finds rows by shard and time, and only rows that carry both."""
    dynamodb, table = stack.client("dynamodb"), stack.physical("Table")
    for number, due in enumerate([None, 100, 300]):
        row = {"pk": {"S": f"due {number}"}, "sk": {"S": "OUTBOX"}}
        more = {"due_shard": {"S": "0"}, "due_at": {"N": str(due)}} if due else {}
        dynamodb.put_item(TableName=table, Item=row | more)
    found = dynamodb.query(
        TableName=table,
        IndexName="due",
        KeyConditionExpression="due_shard = :shard AND due_at <= :now",
        ExpressionAttributeValues={":shard": {"S": "0"}, ":now": {"N": "200"}},
    )
    assert [item["pk"]["S"] for item in found["Items"]] == ["due 1"]


# Queues


def test_a_dropped_file_is_told_to_the_topic(stack: LocalStack) -> None:
    """An object under inbox/ is announced, others are not."""
    s3, bucket = stack.client("s3"), stack.physical("Bucket")
    url = stack.client("sqs").create_queue(QueueName="listener")["QueueUrl"]
    arn = stack.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    stack.client("sns").subscribe(TopicArn=stack.physical("InboxTopic"), Protocol="sqs", Endpoint=arn)
    for key in ("inbox/an article.txt", "articles/other.txt", "inbox.txt"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"text")
    (message,) = stack.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    (record,) = json.loads(json.loads(message["Body"])["Message"])["Records"]
    assert record["eventName"] == "ObjectCreated:Put"
    assert record["s3"]["bucket"]["name"] == bucket
    assert unquote_plus(record["s3"]["object"]["key"]) == "inbox/an article.txt"


@pytest.mark.parametrize(("name", "receives"), [("Article", 5), ("Page", 5), ("Feed", 3), ("Question", 3)])
def test_queues_redrive_after_a_few_receives(name: str, receives: int, stack: LocalStack) -> None:
    """What cannot be handled goes to the queue's own dead letters after a few receives."""
    queue, letters = f"{name}Queue", f"{name}DeadLetters"
    url = stack.physical(queue)
    attributes = stack.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    redrive = json.loads(attributes["RedrivePolicy"])
    assert redrive["maxReceiveCount"] == receives
    assert redrive["deadLetterTargetArn"].endswith(stack.physical(letters).rpartition("/")[2])


# Functions


def test_the_sweep_runs_every_minute(stack: LocalStack) -> None:
    """The outbox is swept every minute, and a sweep that could not start is kept as a dead letter."""
    schedule = stack.properties("SweepEveryMinute")
    assert schedule["ScheduleExpression"] == "rate(1 minute)"
    assert "Name" not in schedule
    letters = stack.physical("SweepDeadLetters").rpartition("/")[2]
    assert schedule["Target"]["DeadLetterConfig"]["Arn"].endswith(letters)


def test_feeds_are_sent_off_every_minute(stack: LocalStack) -> None:
    """Feeds that are due are sent off every minute."""
    schedule = stack.properties("DueEveryMinute")
    assert schedule["ScheduleExpression"] == "rate(1 minute)"
    assert "Name" not in schedule


def test_the_digest_is_asked_for_once_a_day(stack: LocalStack) -> None:
    """The digest comes at the hour the parameter names, in UTC, and its function may touch nothing but what it needs."""
    assert stack.properties("DigestEveryDay")["ScheduleExpression"] == "cron(0 6 * * ? *)"
    keys = [
        statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
        for statement in statements(stack, "DigestRole")
        if "ForAllValues:StringLike" in statement.get("Condition", {})
    ]
    assert keys == [["HELD#*"], ["TALLIES"], ["TALLIES"], ["ALERT#digest/*", "ALERT#ops/*"]]


def test_settings_name_what_was_created(stack: LocalStack) -> None:
    """The names functions are given are those of the resources that exist."""
    assert stack.environment("Intake") == {
        "TOCSIN_TABLE": stack.physical("Table"),
        "TOCSIN_BUCKET": stack.physical("Bucket"),
        "TOCSIN_ARTICLE_QUEUE": stack.physical("ArticleQueue"),
    }


@pytest.mark.parametrize("function", FUNCTIONS)
def test_logs_are_kept_for_a_set_time(function: str, stack: LocalStack) -> None:
    """Every function writes to a log group of its own that has a retention."""
    group = stack.properties(function)["LoggingConfig"]["LogGroup"]
    (found,) = stack.client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert found["retentionInDays"] == 30


@pytest.mark.parametrize("function", FUNCTIONS)
def test_roles_allow_named_actions_on_named_resources(function: str, stack: LocalStack) -> None:
    """No function may do a wildcard action, touch a wildcard resource (but to send traces, which has no other), or has a policy it did not ask for."""
    role = f"{function}Role"
    assert "ManagedPolicyArns" not in stack.properties(role)
    for statement in statements(stack, role):
        assert not any("*" in action for action in statement["Action"])
        if statement["Action"] == EVERYWHERE:
            continue
        named = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        assert all(re.fullmatch(r"arn:aws:[a-z0-9]+:[^*?]+(/\*|:\*|-\?{6})?", one) for one in named)


@pytest.mark.parametrize(("function", "path"), [("Receive", "articles"), ("Interact", "slack")])
def test_an_endpoint_is_narrow(function: str, path: str, stack: LocalStack) -> None:
    """Only posts to one path reach the function, few a second, and the function ends before the gateway gives up."""
    for stage in stack.of_type("AWS::ApiGatewayV2::Stage"):
        throttle = stack.properties(stage)["DefaultRouteSettings"]
        assert (throttle["ThrottlingRateLimit"], throttle["ThrottlingBurstLimit"]) == (5, 5)
    (permission,) = (name for name in stack.of_type("AWS::Lambda::Permission") if name.startswith(function))
    assert stack.properties(permission)["SourceArn"].endswith(f"/POST/{path}")
    assert stack.properties(function)["Timeout"] < 30


@pytest.mark.parametrize(
    ("role", "writable"),
    [
        ("ReceiveRole", {"ARTICLE#post-*"}),
        ("InteractRole", {"STORY#*", "SILENCES", "REQUEST#*", "ALERT#*"}),
        ("AnswerRole", {"SILENCES"}),
    ],
)
def test_what_strangers_reach_may_write_little(role: str, writable: set[str], stack: LocalStack) -> None:
    """Each endpoint writes the rows it is there for, and no others."""
    writing = [
        each for each in statements(stack, role) if {"dynamodb:PutItem", "dynamodb:UpdateItem"} & {*each["Action"]}
    ]
    keys = [each["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"] for each in writing]
    assert {key for each in keys for key in each} == writable


def test_pages_are_looked_at_one_by_one(stack: LocalStack) -> None:
    """A page that ends the function takes no other along, few sites are asked at once, and its role reads no secret and no table."""
    mapping = mappings(stack)["Page"]
    assert (mapping["BatchSize"], mapping["ScalingConfig"]) == (1, {"MaximumConcurrency": 5})
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    actions = {action.partition(":")[0] for each in statements(stack, "PageRole") for action in each["Action"]}
    assert actions == {"logs", "xray", "sqs", "s3"}


def test_only_page_carries_what_reads_pages() -> None:
    """The library that finds the article in a page burdens the start of no other function."""
    resources = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))["Resources"]
    assert [name for name, each in resources.items() if "Layers" in each.get("Properties", {})] == ["Page"]


def test_pages_are_left_out_only_when_asked() -> None:
    """Without pages nothing of Page is left, and what others are told of its queues is empty; the dashboard is sound either way."""
    for fetches, queue in (("true", True), ("false", False)):
        with LocalStack(TEMPLATE, PARAMETERS | {"FetchPages": fetches}) as stack:
            assert bool(stack.environment("Fetch")["TOCSIN_PAGE_QUEUE"]) is queue
            assert ("PageDeadLetters=" in stack.environment("Ops")["TOCSIN_DEAD_LETTERS"]) is queue
            left = [name for kind in ("SQS::Queue", "Lambda::Function") for name in stack.of_type(f"AWS::{kind}")]
            assert any(name.startswith("Page") for name in left) is queue
            body = json.loads(stack.properties("Dashboard")["DashboardBody"])
            assert ("PageQueue" in json.dumps(body)) is queue


def test_the_secret_may_be_named_by_its_arn() -> None:
    """A secret given as an ARN is the one the role may read; one given by name, and a parameter, get the ARN that name has."""
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:slack-token-AbCdEf"
    parameter = "arn:aws:ssm:eu-west-1:123456789012:parameter/tocsin/slack-token"
    given_as = ((arn, arn), ("slack-token", arn[: -len("AbCdEf")] + "??????"), ("/tocsin/slack-token", parameter))
    for given, expected in given_as:
        with LocalStack(TEMPLATE, PARAMETERS | {"SlackTokenSecret": given}) as stack:
            assert expected in [statement["Resource"] for statement in statements(stack, "DeliverRole")]


@pytest.mark.parametrize(("reserve", "expected"), [("false", None), ("true", 1)])
def test_sweep_is_held_to_one_only_when_asked(reserve: str, expected: int | None) -> None:
    """Concurrency is reserved only on request, because accounts with a low quota refuse it."""
    with LocalStack(TEMPLATE, PARAMETERS | {"ReserveSweep": reserve}) as stack:
        assert stack.properties("Sweep").get("ReservedConcurrentExecutions") == expected


# The local stack itself


def test_the_stack_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Inside, no account but moto's can be reached; afterwards the environment is as it was."""
    monkeypatch.setenv("AWS_PROFILE", "somebody")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "real")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://192.0.2.1")
    before = dict(os.environ)
    with LocalStack(TEMPLATE, PARAMETERS, region="us-west-2") as stack:
        assert "AWS_PROFILE" not in os.environ
        assert os.environ["AWS_ACCESS_KEY_ID"] != "real"
        assert boto3.client("sqs").list_queues()["QueueUrls"]
        assert ".us-west-2." in stack.physical("ArticleQueue")
    assert dict(os.environ) == before


def test_stacks_share_nothing() -> None:
    """A second stack in the same process starts empty."""
    for _ in range(2):
        with LocalStack(TEMPLATE, PARAMETERS) as stack:
            table = stack.physical("Table")
            assert stack.client("dynamodb").scan(TableName=table)["Items"] == []
            stack.client("dynamodb").put_item(TableName=table, Item={"pk": {"S": "a"}, "sk": {"S": "b"}})


def test_other_http_is_left_alone(stack: LocalStack) -> None:
    """A request to a server on this machine is answered by that server, not by moto."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"from the server")

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    assert stack.physical("Table")
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/api/chat.postMessage", b"{}") as answer:
            assert answer.read() == b"from the server"
        server.shutdown()


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"SlackTokenSecret": "slack-token"}, "needs a value for its parameter SlackChannel"),
        (PARAMETERS | {"Chanel": "x"}, "has no parameter Chanel; it has SlackChannel"),
    ],
)
def test_wrong_parameters_are_named(parameters: dict[str, str], complaint: str) -> None:
    """A parameter the template lacks or misses is said by name."""
    with pytest.raises(SettingsFault, match=complaint), LocalStack(TEMPLATE, parameters):
        pass


def test_an_unmet_resource_type_is_refused(tmp_path: Path) -> None:
    """A type of resource that nobody has decided about stops the stack instead of being left out silently."""
    template = tmp_path / "template.yaml"
    text = TEMPLATE.read_text(encoding="utf-8")
    template.write_text(
        text.replace("\nResources:\n", "\nResources:\n  River: {Type: AWS::Kinesis::Stream}\n"), encoding="utf-8"
    )
    before = dict(os.environ)
    with (
        pytest.raises(SettingsFault, match="River is of the type AWS::Kinesis::Stream"),
        LocalStack(template, PARAMETERS),
    ):
        pass
    assert dict(os.environ) == before
