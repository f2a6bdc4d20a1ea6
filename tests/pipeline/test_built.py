"""The built artefact: every function starts and does its work with nothing but what was built, and is as small as promised."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.local.pump import Pump
from infra.local.stack import LocalStack
from infra.replay import CHANNEL
from tests.built import Artefact, BuiltFunction, Ground, Unbuilt, build, call_the_others, ground, interpreter, trace_of
from tests.system import seeds

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
    """The system with its functions as they were built, in processes of their own."""

    on: Ground
    pump: Pump
    functions: dict[str, BuiltFunction]


@pytest.fixture
def running(artefact: Artefact) -> Iterator[Running]:
    """The whole system, ready for events."""
    with ExitStack() as undo:
        on = undo.enter_context(ground(artefact))
        functions: dict[str, BuiltFunction] = {}

        def make(stack: LocalStack, name: str) -> BuiltFunction:
            functions[name] = BuiltFunction(stack, name, artefact, on.aws)
            undo.callback(functions[name].stop)
            return functions[name]

        yield Running(on, Pump(on.stack, make), functions)


def drop_seeds(stack: LocalStack) -> None:
    """Drops the five seeds as a user would, with what their manifest tells."""
    for seed in seeds():
        assert seed.article is not None
        assert seed.body is not None
        told = {"published": seed.article.published.isoformat()} if seed.article.published else {}
        key = f"inbox/{Path(seed.name).name}"
        stack.client("s3").put_object(Bucket=stack.physical("Bucket"), Key=key, Body=seed.body, Metadata=told)


def test_what_was_built_rings_for_the_seeds(running: Running) -> None:
    """Under Lambda's runtime client, in an interpreter that has nothing else, the five seeds make five alerts; no call fails."""
    drop_seeds(running.on.stack)
    if FULL:
        post, alarm, command = call_the_others(running.on, running.pump)
        assert (post["statusCode"], alarm, command["statusCode"]) == (202, {"told": 1}, 200)
    running.pump.drain()
    assert [call.error or call.answer for call in running.pump.invocations if call.error or call.failures] == []
    idle = {name for name, one in running.functions.items() if not one.started}
    assert idle == (set() if FULL else running.functions.keys() - MAIN)
    told = [json.dumps(message.metadata) for message in running.on.slack.messages(CHANNEL) if message.metadata]
    assert len([one for one in told if "ops/" not in one]) == 5
    follow(running)


def follow(running: Running) -> None:
    """Each line of a log names its call and its trace, which goes along with what is put on a queue; lines lead from article to message."""
    said = {name: one.said() for name, one in running.functions.items() if one.started}
    assert [row for rows in said.values() for row in rows if row["trace"] != trace_of(row["requestId"])] == []
    assert [service for service, _ in running.on.traces if service == "sqs"]
    decided = " ".join(row["message"] for row in said["Detect"])
    posted = [row["message"] for rows in said.values() for row in rows if " stands in " in row["message"]]
    assert len(posted) == len(running.on.slack.messages(CHANNEL))
    for message in running.on.slack.messages(CHANNEL):
        (line,) = (one for one in posted if one.endswith(f" stands in {CHANNEL} at {message.ts}"))
        alert = line.split()[1]
        assert alert in decided or alert.startswith("'ops/")


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
