"""What the functions' boto3 knows of the services they ask, and what a start must not bring along."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session, get_session

from tocsin.adapters.secrets import service_of
from tocsin.adapters.services import SERVICES, Models, write

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {"TOCSIN_RULES": str(ROOT / "rules"), "TOCSIN_BUTTONS": "true"} | {
    f"TOCSIN_{name}": "some"
    for name in (
        "TABLE", "BUCKET", "ARTICLE_QUEUE", "QUESTION_QUEUE", "RECEIVE_SECRET", "SLACK_SECRET", "SLACK_SIGNING_SECRET", "SLACK_URL",
        "SLACK_TEAM", "SLACK_APP",
    )
}  # fmt: skip


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """boto3's core with the copy, as functions have it."""
    folder = tmp_path_factory.mktemp("services")
    write(folder)
    made = get_session()
    made.register_component("data_loader", Models(folder))
    return made


@pytest.fixture(scope="module")
def theirs() -> Session:
    """boto3's core as it ships."""
    return get_session()


def described(part: Any) -> Any:
    """A model without what it says to people."""
    if isinstance(part, dict):
        said = part.items()
        return {name: described(one) for name, one in said if name != "documentation" or not isinstance(one, str)}
    return [described(one) for one in part] if isinstance(part, list) else part


@pytest.mark.parametrize("service", [one for one in SERVICES if one != "ssm"])
def test_the_copy_knows_all_that_boto3_knows(ours: Session, theirs: Session, service: str) -> None:
    """Of each service calls, shapes, addresses, pages and regions are those of boto3; only the documentation is empty."""
    for kind in ("service-2", "endpoint-rule-set-1", "paginators-1"):
        found, wanted = (one.get_component("data_loader").load_service_model(service, kind) for one in (ours, theirs))
        assert described(found) == described(wanted)
    for partition in theirs.get_available_partitions():
        assert ours.get_available_regions(service, partition) == theirs.get_available_regions(service, partition)


def test_of_systems_manager_the_copy_knows_one_call(ours: Session, theirs: Session) -> None:
    """What is left is as boto3 has it, and nothing of it is missing."""
    found, wanted = (
        described(one.get_component("data_loader").load_service_model("ssm", "service-2")) for one in (ours, theirs)
    )
    assert found["operations"] == {"GetParameter": wanted["operations"]["GetParameter"]}
    assert found["shapes"].items() <= wanted["shapes"].items()
    named = set(re.findall(r"'shape': '(\w+)'", repr(found)))
    assert named == set(found["shapes"])


def test_the_copy_is_what_is_read(ours: Session) -> None:
    """Where there is a copy, nobody waits for the documentation of boto3's own."""
    model = ours.get_service_model("s3")
    assert model.documentation == ""
    assert {model.operation_model(name).documentation for name in model.operation_names} == {""}


def test_functions_ask_no_other_service() -> None:
    """Each client that a function makes is of a service in the copy."""
    asked = re.findall(r'\bclient\("([^"]+)"\)', (ROOT / "tocsin" / "adapters" / "aws.py").read_text(encoding="utf-8"))
    assert {*asked, service_of("/a/parameter"), service_of("a-secret")} == set(SERVICES)


@pytest.mark.parametrize(
    ("handlers", "made", "seldom"),
    [
        pytest.param(
            "intake receive page", "aws.collector(), aws.receiver(), aws.page_reader('')",
            {"tocsin.ports", "tocsin.story", "tocsin.adapters.dynamodb", "tocsin.markup"}, id="what brings articles in",
        ),
        pytest.param("interact answer deliver sweep", "aws.interactor(), aws.answerer()", {"tocsin.rules", "tocsin.rule"}, id="what talks to Slack"),
    ],
)  # fmt: skip
def test_a_start_brings_only_what_it_needs(handlers: str, made: str, seldom: set[str]) -> None:
    """No function imports at its start what checks rules, reads feeds or pages, or wraps what is there already, nor what few of its events need."""
    heavy = {"pydantic", "yaml", "feedparser", "trafilatura", "slack_sdk", "boto3", "asyncio"}
    imports = "; ".join(f"import handlers.{name}" for name in handlers.split())
    code = f"import sys; from tocsin.adapters import aws; {imports}; {made}; print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    assert {*ran.stdout.split()} & (heavy | seldom) == set()
