"""ministack on loopback, and the template deployed on it as a user deploys it: by `sam deploy`, as it is."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

ROOT = Path(__file__).parents[2]
STACK = "desk"
REGION = "eu-west-1"
STARTS_WITHIN = 60.0
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
_DENIED = re.compile(r"AccessDenied|not authorized to perform|access is denied|may not be read|\(403\)|Forbidden")
_READS = {
    "sqs": ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
    "dynamodb": ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"],
}
"""What Lambda asks of a role to read a source of events."""


class Failed(Exception):
    """The system did not do what it should; says what."""


@contextmanager
def engine(python: Path, **more: str) -> Iterator[str]:
    """Ministack on a free port of this machine; its URL. `more` are settings of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    home = tempfile.mkdtemp(prefix="ministack-")
    told = {
        "HOME": home, "TMPDIR": home, "S3_DATA_DIR": f"{home}/s3", "STATE_DIR": f"{home}/state", "PATH": f"{python.parent}:/usr/bin:/bin",
        "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": port, "EDGE_PORT": port, "LAMBDA_EXECUTOR": "local", "MINISTACK_REGION": REGION,
    }  # fmt: skip
    with (Path(home) / "log").open("wb") as log:
        server = subprocess.Popen(
            [python, ROOT / "tests" / "engine" / "start.py"],
            env={**told, **more}, stdout=log, stderr=subprocess.STDOUT, cwd=home, start_new_session=True,
        )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        until = time.monotonic() + STARTS_WITHIN
        while True:
            with suppress(BotoCoreError, ClientError):
                client(url, "s3").list_buckets()
                break
            if time.monotonic() > until or server.poll() is not None:
                raise Failed(f"ministack did not start:\n{(Path(home) / 'log').read_text(errors='replace')[-2000:]}")
            time.sleep(0.2)
        yield url
    finally:
        server.terminate()
        with suppress(subprocess.TimeoutExpired):
            server.wait(10)
        server.kill()
        if kept := os.environ.get("KEEP_LOG"):
            shutil.copy(Path(home) / "log", kept)
        shutil.rmtree(home, ignore_errors=True)


@cache
def client(url: str, service: str) -> Any:
    """A client of the engine, as the root of its account."""
    connect: Any = boto3.client  # its stubs know literal names only
    once = Config(retries={"total_max_attempts": 1}, read_timeout=120)
    given = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": REGION}
    return connect(service, endpoint_url=url, config=once, **given)


def deploy(url: str, template: Path, parameters: dict[str, str]) -> None:
    """`sam deploy` of what was built, without any answer to be given."""
    given = [f"{name}={value}" for name, value in parameters.items()]
    environment = {
        **os.environ,
        **KEYS,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": url,
        "SAM_CLI_TELEMETRY": "0",
    }
    environment.pop("AWS_PROFILE", None)
    ran = subprocess.run(
        [
            ROOT / ".venv-sam/bin/sam", "deploy", "--config-env", "none", "--template", template, "--stack-name", STACK,
            "--resolve-s3", "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-progressbar", "--parameter-overrides", *given,
        ],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if ran.returncode:
        raise Failed(f"sam deploy failed:\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}")


@dataclass(frozen=True, slots=True)
class Called:
    """What came of a call of a function."""

    answer: Any
    log: str
    failed: bool

    @property
    def denied(self) -> str:
        """What shows that the function met something it may not do, told or not; empty when nothing does."""
        told = json.dumps(self.answer) + self.log
        if found := _DENIED.search(told):
            return told[max(0, found.start() - 300) : found.end() + 300]
        return f"{told[:300]} … {told[-600:]}" if self.failed else ""


@dataclass
class Stack:
    """The deployed stack."""

    url: str
    physical: dict[str, str] = field(default_factory=dict)
    name: str = STACK
    outside: dict[str, str] = field(default_factory=dict)
    """Environment of the functions that are tried."""

    @classmethod
    def of(cls, url: str) -> Stack:
        """What is deployed on an engine; nothing, before it is."""
        stack = cls(url)
        with suppress(ClientError):
            for page in stack.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=STACK):
                stack.physical |= {
                    row["LogicalResourceId"]: row["PhysicalResourceId"] for row in page["StackResourceSummaries"]
                }
        return stack

    def client(self, service: str) -> Any:
        """A client of the engine."""
        return client(self.url, service)

    def call(self, function: str, event: Any) -> Called:
        """Calls a function directly and waits for its answer; its log comes with it."""
        answer = self.client("lambda").invoke(
            FunctionName=self.physical[function], Payload=json.dumps(event).encode(), LogType="Tail"
        )
        told = json.loads(answer["Payload"].read() or b"null")
        log = base64.b64decode(answer.get("LogResult", "")).decode("utf-8", "replace")
        failures = isinstance(told, dict) and (
            bool(told.get("batchItemFailures")) or told.get("statusCode", 200) >= 500
        )
        return Called(told, log, "FunctionError" in answer or failures)

    def ran(self, function: str) -> bool:
        """Whether a function was ever called, as its log group tells."""
        with suppress(ClientError):
            found = self.client("logs").describe_log_streams(logGroupName=self.physical[f"{function}Logs"])
            return bool(found["logStreams"])
        return False

    def idle(self) -> bool:
        """Whether nothing lies or is worked on in any queue, dead letters included."""
        names, ask = [f"ApproximateNumberOfMessages{one}" for one in ("", "NotVisible")], self.client("sqs")
        urls = [url for name, url in self.physical.items() if name.endswith(("Queue", "DeadLetters")) and "/" in url]
        told = [ask.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"] for url in urls]
        return not any(int(count) for one in told for count in one.values())

    def logs(self) -> str:
        """The last lines of the log of each function that wrote any."""
        told = []
        for name, group in self.physical.items():
            with suppress(ClientError):
                found = (
                    self.client("logs").filter_log_events(logGroupName=group)["events"] if name.endswith("Logs") else []
                )
                told += [f"{name}: {one['message'].strip()[:600]}" for one in found[-6:]]
        return "\n".join(told)

    def quieten(self) -> None:
        """Nothing calls a function any more but who calls it directly: what comes of that call is its alone."""
        ask, schedules = self.client("lambda"), self.client("scheduler")
        for mapping in ask.list_event_source_mappings()["EventSourceMappings"]:
            ask.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        for row in schedules.list_schedules()["Schedules"]:
            schedules.delete_schedule(Name=row["Name"], GroupName=row["GroupName"])

    def afresh(self, function: str) -> None:
        """Lets the next call of a function find a new process, which remembers nothing."""
        ask, name = self.client("lambda"), self.physical[function]
        variables = ask.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        environment = {"Variables": {**variables, **self.outside, "AFRESH": str(time.monotonic_ns())}}
        ask.update_function_configuration(FunctionName=name, Environment=environment)

    def refused(self, function: str) -> Iterator[str]:
        """What AWS itself does under a function's role, and that does not allow; ministack does it without asking.

        Its log is written, the queue or stream it reads is read, what is given up is sent away; and who looks for a file that is
        not there is told so only if the bucket may be listed.
        """
        logs = self.client("logs").describe_log_groups(logGroupNamePrefix=self.physical[f"{function}Logs"])["logGroups"]
        needed = {logs[0]["arn"]: ["logs:CreateLogStream", "logs:PutLogEvents"]}
        asked, name = self.client("lambda"), self.physical[function]
        mappings = [
            one
            for one in asked.list_event_source_mappings()["EventSourceMappings"]
            if one["FunctionArn"].endswith(f":{name}")
        ]
        for mapping in mappings:
            needed[mapping["EventSourceArn"]] = _READS[mapping["EventSourceArn"].split(":")[2]]
        calls = asked.list_function_event_invoke_configs(FunctionName=name)["FunctionEventInvokeConfigs"]
        for config in (*mappings, *calls):
            if destination := config.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination"):
                needed[destination] = ["sqs:SendMessage"]
        if (
            self.client("lambda")
            .get_function_configuration(FunctionName=self.physical[function])
            .get("TracingConfig", {})
            .get("Mode")
            == "Active"
        ):
            needed["*"] = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
        if function == "Intake":
            needed[f"arn:aws:s3:::{self.physical['Bucket']}"] = ["s3:ListBucket"]
        role = self.client("iam").get_role(RoleName=self.physical[f"{function}Role"])["Role"]["Arn"]
        for resource, actions in needed.items():
            ask = self.client("iam").simulate_principal_policy
            found = ask(PolicySourceArn=role, ActionNames=actions, ResourceArns=[resource])["EvaluationResults"]
            yield from (f"{one['EvalActionName']} on {resource}" for one in found if one["EvalDecision"] != "allowed")

    def statements(self, function: str) -> tuple[str, str, list[dict[str, Any]]]:
        """The role of a function, its policy, and the statements in it."""
        iam, role = self.client("iam"), self.physical[f"{function}Role"]
        (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
        document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        told = json.loads(document) if isinstance(document, str) else document
        return role, policy, told["Statement"]

    @contextmanager
    def without(self, function: str, sid: str) -> Iterator[None]:
        """The function's role lacks one statement until the end of the `with` statement."""
        role, policy, statements = self.statements(function)
        self._put(role, policy, [one for one in statements if one["Sid"] != sid])
        try:
            yield
        finally:
            self._put(role, policy, statements)

    def _put(self, role: str, policy: str, statements: list[dict[str, Any]]) -> None:
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        self.client("iam").put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=document)


def wait_for(what: str, done: Callable[[], bool], seconds: float) -> float:
    """Waits until something is so; the seconds that took. `Failed` when it never is."""
    began = time.monotonic()
    while not done():
        if time.monotonic() - began > seconds:
            raise Failed(f"{what} did not come about within {seconds:g} s")
        time.sleep(0.25)
    return time.monotonic() - began
