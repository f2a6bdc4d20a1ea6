"""What CloudWatch and others tell through SNS, as bulletins for the channel."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tocsin.ports import Bulletin


def bulletin_of(record: Mapping[str, Any]) -> tuple[str, Bulletin]:
    """The name and the bulletin of an SNS record; the same record, told twice, has the same name."""
    told = record["Sns"]
    return f"alarm-{told['MessageId']}", _alarm(told["Message"]) or _words(told)


def _alarm(message: str) -> Bulletin | None:
    """An alarm of CloudWatch; None for anything else."""
    try:
        row = json.loads(message)
        name, state = str(row["AlarmName"]), str(row["NewStateValue"])
    except (ValueError, TypeError, KeyError):
        return None
    lines = (str(row.get("AlarmDescription") or "There is no description."), str(row.get("NewStateReason") or ""))
    return Bulletin(
        f"{'Alarm' if state == 'ALARM' else state.capitalize()}: {name}", tuple(filter(None, lines)), "high"
    )


def _words(told: Mapping[str, Any]) -> Bulletin:
    """Anything else, such as a notice of a budget: its subject and its text."""
    lines = tuple(line for line in str(told["Message"]).splitlines() if line.strip())
    return Bulletin(str(told.get("Subject") or "A notice about the running of Tocsin"), lines[:12], "high")
