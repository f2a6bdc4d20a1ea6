"""What a rule found in an article: the signal, its stage, certainty, figures and evidence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

Stage = Literal["planned", "preparing", "imminent", "done"]
Certainty = Literal["suspected", "asserted", "confirmed"]
Field = Literal["title", "text"]

STAGES: tuple[Stage, ...] = ("planned", "preparing", "imminent", "done")
LEVELS = ("low", "medium", "high", "critical")
_RANK: dict[Stage, int] = {"planned": 1, "preparing": 1, "imminent": 2, "done": 3}


def rank(stage: Stage) -> int:
    """How far a stage has come, for comparison; planned and preparing share one rank."""
    return _RANK[stage]


def furthest(stages: Iterable[Stage]) -> Stage:
    """The furthest of some stages; of the two that share a rank, preparing."""
    return max(stages, key=STAGES.index)


_T = TypeVar("_T")


def _each(first: tuple[_T, ...], second: tuple[_T, ...]) -> tuple[_T, ...]:
    """The values of both, each once."""
    return tuple(dict.fromkeys((*first, *second)))


@dataclass(frozen=True, slots=True)
class Figure:
    """A number bound to what it counts. `printed` is word for word; `reading` is set when the rule doubts it."""

    printed: str
    value: float
    unit: str
    counts: str
    reading: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A quoted sentence: `quote == article.<field>[start:end]`, and the places of the matched words in the same field."""

    quote: str
    start: int
    end: int
    stage: Stage
    certainty: Certainty = "asserted"
    flags: tuple[str, ...] = ()
    field: Field = "text"
    marks: tuple[tuple[int, int], ...] = ()
    form: str = ""

    def moved(self, by: int) -> Evidence:
        """The same quote in a text that begins `by` characters earlier; a headline stays where it is."""
        if self.field == "title":
            return self
        marks = tuple((start + by, end + by) for start, end in self.marks)
        return replace(self, start=self.start + by, end=self.end + by, marks=marks)

    def bounds(self) -> dict[str, Any]:
        """The sentence as `tocsin detect` prints it."""
        row: dict[str, Any] = {"text": self.quote, "start": self.start, "end": self.end, "stage": self.stage}
        return row | {"in": "title"} if self.field == "title" else row


@dataclass(frozen=True, slots=True)
class Signal:
    """A rule found in an article, once for each set of slots. `evidence` is the strongest of `sentences`."""

    rule: str
    who: str | None
    where: str | None
    what: str | None
    stage: Stage
    certainty: Certainty
    flags: tuple[str, ...]
    says: tuple[str, ...]
    relays: tuple[str, ...]
    figures: tuple[Figure, ...]
    evidence: Evidence
    sentences: tuple[Evidence, ...]

    def slot(self, name: str) -> str | None:
        """The value of the slot `who`, `where` or `what`."""
        value: str | None = getattr(self, name)
        return value

    def moved(self, by: int) -> Signal:
        """The same signal in a text that begins `by` characters earlier."""
        sentences = tuple(sentence.moved(by) for sentence in self.sentences)
        return replace(self, evidence=self.evidence.moved(by), sentences=sentences)

    def joined(self, other: Signal, most: int) -> Signal:
        """The signal with what a later part of the article says of it, and at most so many sentences."""
        further = other if rank(other.stage) > rank(self.stage) else self
        return replace(
            further,
            flags=_each(self.flags, other.flags),
            says=_each(self.says, other.says),
            relays=_each(self.relays, other.relays),
            figures=_each(self.figures, other.figures)[:most],
            sentences=_each(self.sentences, other.sentences)[:most],
        )

    def to_json(self) -> dict[str, Any]:
        """The object `tocsin detect --format ndjson` prints for this signal."""
        row: dict[str, Any] = {
            name: getattr(self, name) for name in ("rule", "who", "where", "what", "stage", "certainty")
        }
        row |= {"flags": list(self.flags), "says": list(self.says), "relays": list(self.relays)}
        row["figures"] = [
            {key: value for key in Figure.__slots__ if (value := getattr(figure, key)) != ""} for figure in self.figures
        ]
        row |= {"evidence": self.evidence.quote, "start": self.evidence.start, "end": self.evidence.end}
        if self.evidence.field == "title":
            row["in"] = "title"
        row["sentences"] = [sentence.bounds() for sentence in self.sentences]
        return row
