"""Rule files with the tests that the desk's feedback asks for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tocsin.compiled import RuleSet
from tocsin.errors import InputFault, RuleFaults
from tocsin.feedback import Feedback, line, plain
from tocsin.source import parse
from tocsin.trial import signals_of


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
    known = {plain(str(one)) for one in source.data["tests"]["silent"]}
    taken: dict[str, Feedback] = {}
    left: list[tuple[Feedback, str]] = []
    for one in feedback:
        sentence = plain(one.sentence)
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
    if _silent(mended, file) != [*source.data["tests"]["silent"], *taken]:
        raise InputFault("has a list `silent:` that cannot be added to", file, "write its last sentence on one line")
    return Mended(mended, tuple(taken.values()), tuple(left))


def _silent(text: str, file: str) -> object:
    """The list of sentences in a file; nothing where it is no YAML (any more)."""
    try:
        return parse(text, file).data["tests"]["silent"]
    except RuleFaults:
        return None
