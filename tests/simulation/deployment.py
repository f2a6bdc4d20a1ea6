"""The numbers of `template.yaml` that decide how messages, records and leases behave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]  # it ships no types

_PAUSE = 60.0
"""Seconds after which Lambda makes a call again that nobody waits for; the second time it is twice as long."""
TEMPLATE = Path(__file__).parents[2] / "template.yaml"


@dataclass(frozen=True, slots=True)
class QueueNumbers:
    """How a queue and its reader behave; or Lambda's own queue of calls that nobody waits for."""

    visibility: float
    receives: int
    batch: int


@dataclass(frozen=True, slots=True)
class Deployment:
    """What the template says of queues, stream and delivery."""

    inbox: QueueNumbers
    articles: QueueNumbers
    questions: QueueNumbers
    records: int
    """Stream records in one batch."""
    retries: int
    """Times a failed stream record is tried again."""
    timeout: float
    """Seconds a function may run."""
    lease: timedelta
    quarantine: timedelta
    pace: timedelta
    roots: int


@cache
def deployment() -> Deployment:
    """The numbers as they stand in the template."""
    template = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))
    resources = {
        name: resource["Properties"] for name, resource in template["Resources"].items() if "Properties" in resource
    }
    outbox = resources["Deliver"]["Events"]["Outbox"]["Properties"]
    settings = resources["Deliver"]["Environment"]["Variables"]
    return Deployment(
        inbox=QueueNumbers(_PAUSE, 1 + resources["Intake"]["EventInvokeConfig"]["MaximumRetryAttempts"], 1),
        articles=_queue(resources["ArticleQueue"], resources["Detect"]["Events"]["Articles"]["Properties"]),
        questions=_queue(resources["QuestionQueue"], resources["Answer"]["Events"]["Questions"]["Properties"]),
        records=outbox["BatchSize"],
        retries=outbox["MaximumRetryAttempts"],
        timeout=template["Globals"]["Function"]["Timeout"],
        lease=timedelta(seconds=float(settings["TOCSIN_LEASE_SECONDS"])),
        quarantine=timedelta(seconds=float(settings["TOCSIN_QUARANTINE_SECONDS"])),
        pace=timedelta(seconds=template["Parameters"]["SecondsBetweenMessages"]["Default"]),
        roots=template["Parameters"]["RootsPerHour"]["Default"],
    )


def _queue(queue: dict[str, Any], reader: dict[str, Any]) -> QueueNumbers:
    return QueueNumbers(queue["VisibilityTimeout"], queue["RedrivePolicy"]["maxReceiveCount"], reader["BatchSize"])
