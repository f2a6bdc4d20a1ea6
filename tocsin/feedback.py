"""What the desk said of alerts that were not relevant: each a sentence on which its rule should have stayed silent."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from tocsin.errors import InputFault
from tocsin.story import Story

FOLDER = "feedback/"
_UNSAFE = re.compile(r"[^a-z0-9.-]+")


@dataclass(frozen=True, slots=True)
class Feedback:
    """One alert that was not relevant, with the sentence that raised it."""

    rule: str
    story: str
    article: str
    outlet: str
    title: str
    url: str
    sentence: str
    reason: str
    note: str
    by: str
    at: str

    @classmethod
    def on(cls, story: Story, reason: str, note: str, by: str, at: str) -> Feedback:
        """What somebody says of a story: its sentence is the one the message shows."""
        best = story.best
        return cls(
            story.rule, story.name, best.article, best.outlet, best.title, best.url, best.quote, reason, note, by, at
        )

    @property
    def key(self) -> str:
        """Where it is kept: one of a story and a day, the last one said."""
        name = _UNSAFE.sub("-", self.story.lower()).strip("-")
        return f"{FOLDER}{_UNSAFE.sub('-', self.rule)}/{self.at[:10]}-{name}.json"

    def to_json(self) -> bytes:
        """The object that is kept, with the test ready to be copied into the rule."""
        told = {**asdict(self), "test": f"tests:\n  silent:\n{line(self.sentence)}"}
        return json.dumps(told, ensure_ascii=False, indent=2).encode("utf-8", "replace")

    @classmethod
    def from_json(cls, body: bytes, where: str) -> Feedback:
        """Reads what `to_json` wrote; `InputFault` for anything else."""
        try:
            told: Mapping[str, Any] = json.loads(body)
            return cls(**{field.name: _text(told[field.name]) for field in fields(cls)})
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise InputFault("is no feedback", where, "delete the object") from error


def line(sentence: str, indent: int = 4) -> str:
    """A sentence as an entry of `silent:`, on one line."""
    return f"{' ' * indent}- {json.dumps(plain(sentence), ensure_ascii=False)}\n"


def plain(sentence: str) -> str:
    """A sentence with one blank wherever there were several, or ends of lines."""
    return " ".join(sentence.split())


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
