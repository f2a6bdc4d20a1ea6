"""What a backtest is expected to find: for each rule, how many fires, stories and alerts, exactly, at least or at most.

additional-deployment:
  alerts: {exactly: 3}
  stories: {at_least: 2, at_most: 5}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tocsin.errors import Fault, RuleFaults
from tocsin.source import read


class Bound(BaseModel):
    """How many there should be."""

    model_config = ConfigDict(extra="forbid", strict=True)

    exactly: int | None = Field(default=None, ge=0, description="So many")
    at_least: int | None = Field(default=None, ge=0, description="So many or more")
    at_most: int | None = Field(default=None, ge=0, description="So many or fewer")

    def broken(self, count: int) -> str:
        """How a count misses the bound; empty where it keeps to it."""
        if self.exactly is not None and count != self.exactly:
            return f"exactly {self.exactly}"
        if self.at_least is not None and count < self.at_least:
            return f"at least {self.at_least}"
        return f"at most {self.at_most}" if self.at_most is not None and count > self.at_most else ""


class Expected(BaseModel):
    """What is expected of one rule."""

    model_config = ConfigDict(extra="forbid")

    fires: Bound = Field(default=Bound(), description="Articles in which the rule fires")
    stories: Bound = Field(default=Bound(), description="Stories it makes")
    alerts: Bound = Field(default=Bound(), description="Alerts it raises")


Expectations = Mapping[str, tuple[Expected, Fault]]
"""Rule → what is expected of it, and where that is written."""


def expectations(path: Path, rules: Mapping[str, object]) -> Expectations:
    """Reads a file of expectations; `RuleFaults` when it cannot be used."""
    source = read(path)
    rows = source.data
    if not isinstance(rows, dict) or not rows:
        what = "expects nothing; write a rule's name and below it `alerts: {exactly: 3}`"
        raise RuleFaults([source.fault((), what)])
    faults: list[Fault] = []
    found: dict[str, tuple[Expected, Fault]] = {}
    for name, row in rows.items():
        if name not in rules:
            faults.append(source.fault((name,), f"there is no rule {name!r}; there are {', '.join(rules)}"))
            continue
        try:
            found[name] = Expected.model_validate(row), source.fault((name,), "")
        except ValidationError as error:
            for one in error.errors():
                told = f"{'.'.join(map(str, one['loc']))}: {one['msg'].lower()}; write `alerts: {{exactly: 3}}`"
                faults.append(source.fault((name, *one["loc"]), told.removeprefix(": ")))
    if faults:
        raise RuleFaults(faults)
    return found


def broken(expected: Expectations, counts: Mapping[str, Mapping[str, int]]) -> Iterator[Fault]:
    """The expectations that the counts of each rule do not meet, each at its place."""
    for name, (wanted, at) in expected.items():
        for kind in Expected.model_fields:
            count = counts.get(name, {}).get(kind, 0)
            if bound := getattr(wanted, kind).broken(count):
                yield Fault(at.file, at.line, at.column, f"{name} has {count} {kind}, expected {bound}")
