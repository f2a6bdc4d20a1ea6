"""People in front of the Slack of a simulation: they press, fill in forms and type, again and again until it is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from infra.local.person import Person, Sealed
from tests.simulation.scenes import Deed
from tests.twins import CHANNEL, Shown
from tocsin.actions import BUTTONS
from tocsin.ports import Message

AGAIN = 20.0
"""Seconds after which somebody who was not heard does it again, or looks for the message again."""
TRIES = 300
FILLS_IN = 5.0
"""Seconds it takes to fill in a form."""


@dataclass
class MemoryForms:
    """`tocsin.ports.Forms` that keeps what was opened, by the trigger of the press."""

    opened: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def open(self, trigger: str, form: Mapping[str, Any]) -> None:
        """See `Forms.open`."""
        self.opened[trigger] = form

    def copied(self) -> MemoryForms:
        """The same forms, to go another way from here."""
        return MemoryForms(dict(self.opened))


@dataclass
class MemoryResponses:
    """`tocsin.ports.Responses` that keeps what was answered where."""

    answered: list[tuple[str, Message]] = field(default_factory=list)

    def respond(self, address: str, message: Message) -> None:
        """See `Responses.respond`."""
        self.answered.append((address, message))

    def copied(self) -> MemoryResponses:
        """The same answers, to go another way from here."""
        return MemoryResponses(list(self.answered))


@dataclass(frozen=True, slots=True)
class View:
    """The channel as one person sees it at one moment, and what Slack would number the next press with."""

    standing: Sequence[Shown]
    number: int

    def messages(self, channel: str) -> list[Any]:
        """The messages of a channel."""
        here = (one for one in self.standing if one.channel == channel)
        return [SimpleNamespace(ts=one.ts, text=one.message.text, blocks=one.message.blocks) for one in here]

    def trigger(self) -> str:
        """What lets a form be opened."""
        return f"trigger {self.number}"

    def address(self) -> str:
        """Where whoever does it is answered."""
        return f"https://slack.test/answers/{self.number}"


def done(deed: Deed, view: View, now: float) -> Sealed | None:
    """The request Slack sends of a deed; None while there is no message to do it on."""
    person: Any = Person(view, f"U0{deed.person.upper()}", deed.person, clock=lambda: now)  # type: ignore[arg-type]  # as much of Slack as a person sees
    if deed.does not in BUTTONS:
        sealed: Sealed = person.type(deed.does)
        return sealed
    roots = (one for one in view.standing if one.alert.startswith(deed.story) and one.alert.endswith("/first_report"))
    root = next(roots, None)
    return person.press(CHANNEL, root.ts, deed.does) if root else None


def filled_in(deed: Deed, form: Mapping[str, Any], view: View, now: float) -> Sealed:
    """The request Slack sends of a form that is sent."""
    person: Any = Person(view, f"U0{deed.person.upper()}", deed.person, clock=lambda: now)  # type: ignore[arg-type]  # as above
    sealed: Sealed = person.send(form, "exercise", "a parade")
    return sealed
