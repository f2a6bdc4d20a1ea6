"""What the desk did about a story: acknowledged it, silenced it, or called it not relevant. A set, so order cannot matter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

Kind = Literal["acknowledged", "silenced", "irrelevant"]

KINDS: tuple[Kind, ...] = get_args(Kind)
BUTTONS: Mapping[str, str] = {
    "acknowledge": "Acknowledge",
    "silence": "Silence 24 h",
    "irrelevant": "Not relevant",
    "why": "Why?",
}
"""The buttons of a root message: what a press is called, and what is written on it."""
MAX_NAME, MAX_WHY = 80, 500
"""Characters kept of a name, and of a reason."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing somebody did. Times are ISO 8601 in UTC; `by` is the id of a person in Slack, `name` how they are called."""

    at: str
    kind: Kind
    by: str
    name: str
    until: str = ""
    """When a silence ends."""
    why: str = ""

    @property
    def bounded(self) -> Action:
        """The action with no more text than a story has room for."""
        return replace(self, name=self.name[:MAX_NAME], why=self.why[:MAX_WHY])


def together(actions: Iterable[Action]) -> tuple[Action, ...]:
    """One action of each kind, the same whatever the order: the silence that ends last, of the others the first."""
    found: dict[Kind, Action] = {}
    for one in sorted(actions, key=lambda each: (each.at, each.by, each.name, each.why, each.until)):
        known = found.setdefault(one.kind, one)
        if one.kind == "silenced" and one.until > known.until:
            found[one.kind] = one
    return tuple(found[kind] for kind in KINDS if kind in found)
