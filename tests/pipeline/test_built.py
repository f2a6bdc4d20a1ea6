"""The built artefact: every function starts and does its work with nothing but what was built, and is as small as promised."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.local.person import SIGNING_SECRET, Person
from infra.local.pump import Pump
from infra.local.slack import LocalSlack
from infra.local.stack import LocalStack
from infra.replay import CHANNEL, SECRET
from tests.built import TEMPLATE, Artefact, BuiltFunction, Unbuilt, aws_on_loopback, build, interpreter
from tests.system import ROOT, seeds
from tocsin.adapters.feed_table import FeedTable
from tocsin.article import Article
from tocsin.subscription import Subscription

EVENTS = ROOT / "tests" / "events"
SHARED_SECRET = "a-secret-that-nobody-guesses"
BUDGET = {"a function": 0.1, "CoreLayer": 70.0, "PageLayer": 75.0}
"""Megabytes that what is built may have, unpacked. AWS takes 250 for a function with its layers, and charges for each start."""
MAIN = {"Intake", "Detect", "Deliver"}
"""Functions a dropped file meets on its way to Slack."""


FULL = os.environ.get("BUILT", "")
"""What `make artefact` built with the SAM CLI. Without it the layer's own script fills the core layer, and the main way alone is tried."""
full = pytest.mark.skipif(not FULL, reason="`make artefact` builds it all with the SAM CLI and looks at every function")


@pytest.fixture(scope="module")
def artefact(tmp_path_factory: pytest.TempPathFactory) -> Artefact:
    """What was built, and the interpreter to run it."""
    try:
        python = interpreter()
        if FULL:
            return Artefact(Path(FULL), python)
        folder: Path = tmp_path_factory.mktemp("built")
        build(folder)
    except Unbuilt as why:
        pytest.skip(str(why))
    return Artefact(folder, python)


@dataclass
class Running:
    """The template on moto, its functions as they were built, in processes of their own."""

    stack: LocalStack
    pump: Pump
    slack: LocalSlack
    functions: dict[str, BuiltFunction]

    def client(self, service: str) -> Any:
        """A client of the stack."""
        return self.stack.client(service)

    def send(self, queue: str, body: str) -> None:
        """Puts a message on a queue."""
        self.client("sqs").send_message(QueueUrl=self.stack.physical(queue), MessageBody=body)


@pytest.fixture
def running(artefact: Artefact) -> Iterator[Running]:
    """The whole system, ready for events."""
    secrets = {SECRET: "", "posts": SHARED_SECRET, "signing": SIGNING_SECRET}
    with ExitStack() as undo:
        slack = undo.enter_context(LocalSlack())
        given = {"SlackChannel": CHANNEL, "SlackTokenSecret": SECRET, "SlackUrl": slack.url, "MaxAgeDays": "0"}
        given |= {"ReceiveSecret": "posts", "SlackSigningSecret": "signing", "SecondsBetweenMessages": "0"}
        given["RulesFolder"] = str(artefact.folder / "CoreLayer" / "rules")
        stack = undo.enter_context(LocalStack(TEMPLATE, given))
        aws = undo.enter_context(aws_on_loopback())
        for name, value in secrets.items():
            stack.client("secretsmanager").create_secret(Name=name, SecretString=value or slack.token)
        functions: dict[str, BuiltFunction] = {}

        def make(stack: LocalStack, name: str) -> BuiltFunction:
            functions[name] = BuiltFunction(stack, name, artefact, aws)
            undo.callback(functions[name].stop)
            return functions[name]

        yield Running(stack, Pump(stack, make), slack, functions)


def event(name: str) -> dict[str, Any]:
    """A reference event."""
    told: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return told


def drop_seeds(running: Running) -> None:
    """Drops the five seeds as a user would, with what their manifest tells."""
    for seed in seeds():
        assert seed.article is not None
        assert seed.body is not None
        told = {"published": seed.article.published.isoformat()} if seed.article.published else {}
        key = f"inbox/{Path(seed.name).name}"
        running.client("s3").put_object(Bucket=running.stack.physical("Bucket"), Key=key, Body=seed.body, Metadata=told)


def call_the_others(running: Running) -> None:
    """Gives every function that no article of an inbox reaches an event of its own."""
    feeds = FeedTable(running.client("dynamodb"), running.stack.physical("Table"))
    feeds.add(Subscription("nobody", "https://127.0.0.1/feed.xml", "Nobody"), datetime.now(UTC))  # which no guard asks
    running.send("PageQueue", json.dumps(Article("p", "A summary.", url="https://127.0.0.1/page").to_json()))
    for name in ("Due", "Digest", "Sweep"):
        running.pump.fire(name)
    post = event("http-api") | {"body": json.dumps({"text": "The mayor opened a bakery."}), "isBase64Encoded": False}
    post["headers"] = {"authorization": f"Bearer {SHARED_SECRET}", "content-type": "application/json"}
    assert running.pump.call("Receive", post)["statusCode"] == 202
    assert running.pump.call("Ops", event("sns-alarm")) == {"told": 1}
    asked = Person(running.slack, clock=time.time).type("status")
    assert running.pump.call("Interact", asked.event())["statusCode"] == 200


def test_what_was_built_rings_for_the_seeds(running: Running) -> None:
    """Under Lambda's runtime client, in an interpreter that has nothing else, the five seeds make five alerts; no call fails."""
    drop_seeds(running)
    if FULL:
        call_the_others(running)
    running.pump.drain()
    assert [call.error or call.answer for call in running.pump.invocations if call.error or call.failures] == []
    idle = {name for name, one in running.functions.items() if not one.started}
    assert idle == (set() if FULL else running.functions.keys() - MAIN)
    told = [json.dumps(message.metadata) for message in running.slack.messages(CHANNEL) if message.metadata]
    assert len([one for one in told if "ops/" not in one]) == 5


@full
@pytest.mark.parametrize("module", ["tocsin.adapters.pages", "tocsin.adapters.feed", "tocsin.rules", "yaml._yaml"])
def test_what_is_only_sometimes_needed_was_built_too(artefact: Artefact, module: str) -> None:
    """What no event above reaches is there, compiled parts included: what reads pages, feeds and YAML."""
    path = os.pathsep.join(str(artefact.folder / layer / "python") for layer in ("CoreLayer", "PageLayer"))
    subprocess.run([artefact.python, "-c", f"import {module}"], env={"PYTHONPATH": path}, check=True)


@full
def test_what_was_built_is_small(artefact: Artefact) -> None:
    """Functions and layers keep to their budget: the size is paid for at each start."""
    for place in artefact.folder.iterdir():
        if place.is_dir():
            size = sum(path.stat().st_size for path in place.rglob("*") if path.is_file()) / 1e6
            assert size <= BUDGET.get(place.name, BUDGET["a function"]), f"{place.name} has {size:.2f} MB"


@full
def test_no_function_compiles_rules_or_bytecode(artefact: Artefact) -> None:
    """The layer brings the compiled rules and the bytecode of its Python, which a cold start would wait for."""
    core = artefact.folder / "CoreLayer"
    assert (core / "rules" / "compiled").is_file()
    assert (core / "python" / "tocsin" / "__pycache__" / "match.cpython-313.pyc").is_file()
