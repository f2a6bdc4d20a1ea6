"""The numbers of `template.yaml` that decide how messages, records and leases behave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

TEMPLATE = Path(__file__).parents[2] / "template.yaml"


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short functions, which are read as what they are given."""


def _given(loader: _Loader, _suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return node.value


_Loader.add_multi_constructor("!", _given)


@dataclass(frozen=True, slots=True)
class QueueNumbers:
    """How a queue and its reader behave."""

    visibility: float
    receives: int
    batch: int


@dataclass(frozen=True, slots=True)
class Deployment:
    """What the template says of queues, stream and delivery."""

    inbox: QueueNumbers
    articles: QueueNumbers
    records: int
    """Stream records in one batch."""
    retries: int
    """Times a failed stream record is tried again."""
    timeout: float
    """Seconds a function may run."""
    lease: timedelta
    quarantine: timedelta


@cache
def deployment() -> Deployment:
    """The numbers as they stand in the template."""
    template = yaml.load(TEMPLATE.read_text(), Loader=_Loader)  # noqa: S506 - a safe loader with CloudFormation's tags
    resources = {name: resource["Properties"] for name, resource in template["Resources"].items() if "Properties" in resource}
    outbox = resources["Deliver"]["Events"]["Outbox"]["Properties"]
    settings = resources["Deliver"]["Environment"]["Variables"]
    return Deployment(
        inbox=_queue(resources["InboxQueue"], resources["Intake"]["Events"]["Inbox"]["Properties"]),
        articles=_queue(resources["ArticleQueue"], resources["Detect"]["Events"]["Articles"]["Properties"]),
        records=outbox["BatchSize"],
        retries=outbox["MaximumRetryAttempts"],
        timeout=template["Globals"]["Function"]["Timeout"],
        lease=timedelta(seconds=float(settings["TOCSIN_LEASE_SECONDS"])),
        quarantine=timedelta(seconds=float(settings["TOCSIN_QUARANTINE_SECONDS"])),
    )


def _queue(queue: dict[str, Any], reader: dict[str, Any]) -> QueueNumbers:
    return QueueNumbers(queue["VisibilityTimeout"], queue["RedrivePolicy"]["maxReceiveCount"], reader["BatchSize"])
