"""Which forms a text may hold, told from its words alone: what most articles are done with.

A form is looked for only where each of its steps has a word, in order and no further apart than its gaps allow. That is asked first
of the whole text, by its different words, then of the places where they stand. Every match of a form passes; few other texts do.
"""

from __future__ import annotations

import itertools
import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from tocsin.amounts import NUMERALS
from tocsin.text import MAX_TOKENS

MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
)  # fmt: skip
MONTH_NUMBERS = {form: number for number, name in enumerate(MONTHS, 1) for form in (name, name[:3])} | {"sept": 9}
PLACING = frozenset(
    {"to", "into", "toward", "towards", "near", "off", "onto", "at", "in", "outside", "around", "through", "for"}
)
"""Prepositions behind which a place may stand that nobody listed."""
COMPUTED = {
    "number": "figure", "amount": "figure", "percent": "figure", "figure": "figure",
    "past-date": "date", "coming-date": "date", "near-date": "date", "unlisted-place": "place",
}  # fmt: skip
"""Lists to which words are added that no list can hold, with what such a word is."""
ALWAYS = -1
"""What waits for no word."""
FAR = MAX_TOKENS
"""As far apart as two words of a sentence can stand."""
HALF_A = 2
"""Words that may stand before the first numeral of a sum: "half a million"."""

Hits = list[tuple[int, int]]
"""Words [start, end), in order."""
Chain = Sequence[tuple[int, int]]
"""Steps of a form in order, each with how far behind the end of the one before it may begin."""


class Sought(NamedTuple):
    """A form as it is looked for."""

    rule: str
    number: int
    rarest: Chain
    """Its rarest steps alone."""
    chain: Chain
    listed: frozenset[int]
    """The steps that must have a word of a list."""


class Phrase(NamedTuple):
    """Words that count only together."""

    words: list[str]
    place: int
    """Where among them the rarest stands."""
    kind: int


_Value = TypeVar("_Value")


def grouped(lines: Iterable[str], values: Iterable[_Value]) -> dict[str, _Value]:
    """Word → the value of the line it stands in."""
    found: dict[str, _Value] = {}
    for line, value in zip(lines, values, strict=False):
        found.update(dict.fromkeys(line.split(), value))
    return found


def paired(text: str) -> dict[str, str]:
    """Of a text of two halves with a blank line between, a line of the first → the same line of the second."""
    keys, _, values = text.partition("\n\n")
    return dict(zip(keys.split("\n"), values.split("\n"), strict=True)) if keys else {}


class Sieve:
    """The steps of all forms, by their words. Words of the same steps are of one kind."""

    def __init__(self, plan: Mapping[str, Any], words: str, phrases: str, forms: str) -> None:
        self._lines = words, phrases, forms
        self._vocabulary = frozenset(words.split()).union(phrases.partition("\n\n")[0].split("\n"))
        """Every word without which there is no form."""
        self.kinds: list[list[int]] = plan["kinds"]
        """Kind → the steps whose words are of it."""
        self.computed: dict[int, list[str]] = dict(plan["computed"])
        """Step → what it takes that no list can hold."""
        self._parsed: dict[str, list[Phrase]] = {}
        self._waiting: dict[int, dict[int, list[int]]] = {rarest: dict(others) for rarest, others in plan["waiting"]}
        """Step → another → the forms whose two rarest steps these are."""
        self._read: dict[int, Sought] = {}

    @cached_property
    def words(self) -> dict[str, int]:
        """Word → its kind, where it counts by itself."""
        return grouped(self._lines[0].split("\n"), itertools.count())

    @cached_property
    def _phrases(self) -> dict[str, str]:
        """Word → the phrases it is the rarest word of: words, place and kind, each divided by `,` and the phrases by `;`."""
        return paired(self._lines[1])

    @cached_property
    def _forms(self) -> list[str]:
        """Of each form, as JSON: rule, number in its rule, and both chains."""
        return self._lines[2].split("\n")

    def sift(self, words: Sequence[str]) -> Sifted | None:
        """The forms that a text may hold; None where there is none."""
        if self._vocabulary.isdisjoint(words):
            return None
        sifted = Sifted(self, words)
        return sifted if sifted.forms else None

    def hot(self, words: Iterable[str]) -> AbstractSet[str]:
        """Those of some words that a step has."""
        return self._vocabulary.intersection(words)

    def phrases(self, word: str) -> Sequence[Phrase]:
        """The phrases a word is the rarest word of."""
        found = self._parsed.get(word)
        if found is None:
            rows = (row.split(",") for row in self._phrases.get(word, "").split(";") if row)
            found = self._parsed[word] = [Phrase(words.split(), int(place), int(kind)) for words, place, kind in rows]
        return found

    def waiting(self, present: AbstractSet[int]) -> Iterator[Sought]:
        """The forms each of whose listed steps is among those present."""
        for rarest in present & self._waiting.keys():
            others = self._waiting[rarest]
            for other in present & others.keys():
                for number in others[other]:
                    form = self._read.get(number) or self._form(number)
                    if form.listed <= present:
                        yield form

    def _form(self, number: int) -> Sought:
        rule, place, rarest, chain = json.loads(self._forms[number])
        listed = frozenset(step for step, _ in chain if step not in self.computed)
        found = self._read[number] = Sought(rule, place, rarest, chain, listed)
        return found


class Sifted:
    """The forms a text may hold, with the places where the words of their steps stand."""

    def __init__(self, sieve: Sieve, words: Sequence[str]) -> None:
        self._sieve, self._words = sieve, words
        self._places: dict[str, list[int]] = {}
        """Word → where it stands."""
        for place, word in enumerate(words):
            if word in self._places:
                self._places[word].append(place)
            else:
                self._places[word] = [place]
        self._carriers = self._carried()
        self._columns: dict[int, Hits] = {}
        self.forms = [
            form
            for form in sieve.waiting({ALWAYS, *self._carriers})
            if self._ends(form.rarest) and self._ends(form.chain)
        ]
        """Those whose steps stand near enough to each other, and in order."""

    def ends(self, form: Sought, low: int = 0, high: int | None = None) -> list[int]:
        """Where a form may end in words [low, high), or anywhere."""
        return self._ends(form.chain, low, high)

    def _ends(self, chain: Chain, low: int = 0, high: int | None = None) -> list[int]:
        ends: list[int] = []
        for step, reach in chain:
            hits = self._columns.get(step)
            if hits is None:
                hits = self._columns[step] = self._column(step)
            if high is not None:
                within = hits[bisect_left(hits, (low, 0)) : bisect_left(hits, (high, 0))]
                hits = [hit for hit in within if hit[1] <= high]
            if ends:
                hits = [
                    hit for hit in hits if (behind := bisect_right(ends, hit[0])) and hit[0] - ends[behind - 1] <= reach
                ]
            if not hits:
                return []
            ends = sorted({end for _, end in hits}) if len(hits) > 1 else [hits[0][1]]
        return ends

    def _carried(self) -> dict[int, list[str | Phrase]]:
        """The words and phrases of each step of which the text holds every word."""
        sieve, everything = self._sieve, self._places
        kinds: dict[int, list[str | Phrase]] = {}
        for word in sieve.hot(everything):
            kind = sieve.words.get(word)
            if kind is not None:
                kinds.setdefault(kind, []).append(word)
            for phrase in sieve.phrases(word):
                if all(word in everything for word in phrase.words):
                    kinds.setdefault(phrase.kind, []).append(phrase)
        found: dict[int, list[str | Phrase]] = {}
        for kind, carriers in kinds.items():
            for step in sieve.kinds[kind]:
                found[step] = found[step] + carriers if step in found else carriers
        return found

    def _column(self, step: int) -> Hits:
        """Where words of a step stand."""
        hits: set[tuple[int, int]] = set()
        for carrier in self._carriers.get(step, ()):
            if isinstance(carrier, Phrase):
                hits.update(self._standing(carrier))
            else:
                hits.update([(place, place + 1) for place in self._places[carrier]])
        for what in self._sieve.computed.get(step, ()):
            hits.update(self._computable[what])
        return sorted(hits)

    def _standing(self, phrase: Phrase) -> Iterator[tuple[int, int]]:
        words, length = phrase.words, len(phrase.words)
        for place in self._places[words[phrase.place]]:
            start = place - phrase.place
            if start >= 0 and self._words[start : start + length] == words:
                yield start, start + length

    @cached_property
    def _computable(self) -> dict[str, Hits]:
        """Where words may stand that no list can hold, by what they are."""
        words = self._places
        digits = [word for word in words if word[0] < "a" or word[-1] < "a"]
        kinds = {
            "figure": [place for word in {*digits, *(NUMERALS & words.keys())} for place in words[word]],
            "date": [place for word in {*digits, *(MONTH_NUMBERS.keys() & words.keys())} for place in words[word]],
            "place": [place + 1 for word in PLACING & words.keys() for place in words[word]],
        }
        return {what: [(place, place + 1) for place in found] for what, found in kinds.items()}
