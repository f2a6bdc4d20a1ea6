"""What the desk said of alerts that were not relevant: each a sentence on which its rule should have stayed silent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from tocsin.compiled import RuleSet
from tocsin.errors import InputFault
from tocsin.source import parse
from tocsin.story import Story
from tocsin.trial import signals_of

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
    return f"{' ' * indent}- {json.dumps(_plain(sentence), ensure_ascii=False)}\n"


def _plain(sentence: str) -> str:
    return " ".join(sentence.split())


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


@dataclass(frozen=True, slots=True)
class Mended:
    """A rule file with the tests it gets, or why it gets none."""

    text: str
    taken: tuple[Feedback, ...]
    left: tuple[tuple[Feedback, str], ...]
    """What is not taken, and why."""


def mend(feedback: Iterable[Feedback], rules: RuleSet, text: str, file: str) -> Mended:
    """The file of one rule with a `silent:` test for each sentence that fires by itself today and is none yet.

    `InputFault` when there is no list of them to add to.
    """
    source = parse(text, file)
    place = source.last_entry(("tests", "silent"))
    lines = text.splitlines(keepends=True)
    if place is None or lines[place[0]][place[1] : place[1] + 1] != "-":
        raise InputFault(
            "has no list `silent:` under `tests:`, one sentence a line", file, "add one with a sentence by hand"
        )
    known = {_plain(str(one)) for one in source.data["tests"]["silent"]}
    taken: dict[str, Feedback] = {}
    left: list[tuple[Feedback, str]] = []
    for one in feedback:
        sentence = _plain(one.sentence)
        if sentence in known or sentence in taken:
            left.append((one, "is a test already"))
        elif not signals_of(rules, one.rule, sentence):
            left.append((one, "does not fire by itself (any more)"))
        else:
            taken[sentence] = one
    at, indent = place[0] + 1, place[1]
    while at < len(lines) and lines[at][: indent + 1].isspace() and lines[at].strip():
        at += 1  # the last entry goes on
    if not lines[at - 1].endswith("\n"):
        lines[at - 1] += "\n"
    lines[at:at] = [line(sentence, indent) for sentence in taken]
    mended = "".join(lines) if taken else text
    if parse(mended, file).data["tests"]["silent"] != [*source.data["tests"]["silent"], *taken]:
        raise InputFault("has a list `silent:` that cannot be added to", file, "write its last sentence on one line")
    return Mended(mended, tuple(taken.values()), tuple(left))
