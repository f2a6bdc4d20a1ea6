"""Which forms a text may hold, told from its words alone: what most articles are done with.

A form is looked for only where each of its steps has a word, in order and no further apart than its gaps allow. That is asked first
of the whole text, by its different words, then of the places where they stand. Every match of a form passes; few other texts do.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from copy import copy
from functools import cached_property
from itertools import accumulate, chain, pairwise
from typing import NamedTuple, TypeVar

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
FIGURE, DATE, PLACE = "figure", "date", "place"
COMPUTED = {
    "number": FIGURE, "amount": FIGURE, "percent": FIGURE, "figure": FIGURE,
    "past-date": DATE, "coming-date": DATE, "near-date": DATE, "recent-date": DATE, "unlisted-place": PLACE,
}  # fmt: skip
"""Lists to which words are added that no list can hold, with what such a word is."""
ALWAYS = -1
"""What waits for no word."""
FAR = MAX_TOKENS
"""As far apart as two words of a sentence can stand."""
HALF_A = 2
"""Words that may stand before the first numeral of a sum: "half a million"."""

FEW = 16
"""Bits that are sooner added up."""
_ALWAYS = frozenset({ALWAYS})
Chain = Sequence[tuple[int, int]]
"""Steps of a form in order, each with how far behind the end of the one before it may begin."""


class Sought(NamedTuple):
    """A form as it is looked for."""

    rule: str
    number: int
    rarest: Chain
    """Its rarest steps alone."""
    chain: Chain
    needed: frozenset[int]
    """The steps that must have a word of a list, or a figure."""


class Phrase(NamedTuple):
    """Words that count only together."""

    words: list[str]
    place: int
    """Where among them the rarest stands."""
    kind: int
    others: frozenset[str]
    """Those beside the rarest."""


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


_FIRST = 2
"""Letters by which words are put into drawers."""


_SINGLY = 4
"""Texts, headlines among them, for which drawers are opened one by one."""


def filed(held: Mapping[str, str]) -> str:
    """Words and what is filed under them, as a text of drawers: their labels, where each begins, and what lies in them, in turn."""
    drawers: dict[str, list[str]] = {}
    for word in sorted(held):
        drawers.setdefault(word[:_FIRST], []).append(f"{word}\n{held[word]}\n")
    places = accumulate((sum(map(len, inside)) for inside in drawers.values()), initial=0)
    return f"{' '.join(drawers)}\n{' '.join(map(str, places))}\n{''.join(chain.from_iterable(drawers.values()))}"


class Drawers:
    """What is filed under words. For the first texts only the drawers of their words are opened, then all.

    So a function that starts for one article waits for few of them, and who reads many has them at hand.
    """

    def __init__(self, sections: Mapping[str, str], name: str) -> None:
        self._sections, self._name = sections, name
        self._asked = 0
        self._opened: dict[str, str] = {}

    @cached_property
    def all(self) -> Mapping[str, str]:
        """Every word."""
        self._opened.clear()
        self.__dict__.pop("_closed", None)
        return _alternating(self._sections[self._name].split("\n", 2)[2])

    def of(self, words: AbstractSet[str]) -> Mapping[str, str]:
        """What is filed under some words, among others."""
        if self._asked == _SINGLY:
            return self.all
        self._asked += 1
        drawers, inside = self._closed
        for label in {word[:_FIRST] for word in words} & drawers.keys():
            start, end = drawers.pop(label)
            self._opened |= _alternating(inside[start:end])
        return self._opened

    @cached_property
    def _closed(self) -> tuple[dict[str, tuple[int, int]], str]:
        """Where the drawers that are closed begin and end, and what lies in them."""
        labels, places, inside = self._sections[self._name].split("\n", 2)
        return dict(zip(labels.split(), pairwise(map(int, places.split())), strict=True)), inside


def _alternating(lines: str) -> dict[str, str]:
    """Of lines, each second one by the one before it."""
    some = lines.split("\n")
    return dict(zip(some[::2], some[1::2], strict=False))


class Sieve:
    """The steps of all forms, by their words. Words of the same steps are of one kind."""

    def __init__(self, sections: Mapping[str, str]) -> None:
        self._sections = sections
        self.computed: dict[int, list[str]] = dict(json.loads(sections["computed"]))
        """Step → what it takes that no list can hold."""
        self.figures = frozenset(step for step, kinds in self.computed.items() if kinds == [FIGURE])
        """The steps that take figures."""
        self._kinds: dict[int, frozenset[int]] = {}
        self._parsed: dict[str, list[Phrase]] = {}
        self._pairs: dict[int, dict[int, list[int]]] = {}
        self._read: dict[int, Sought] = {}
        self._only = ""

    @cached_property
    def words(self) -> Drawers:
        """Word → its kind, where it counts by itself."""
        return Drawers(self._sections, "words")

    @cached_property
    def _phrases(self) -> Drawers:
        """Word → the phrases it is the rarest word of: words, place and kind, each divided by `,` and the phrases by `;`."""
        return Drawers(self._sections, "rarest")

    @cached_property
    def _forms(self) -> list[str]:
        """Of each form, as JSON: rule, number in its rule, and both chains."""
        return self._sections["forms"].split("\n")

    @cached_property
    def _steps(self) -> list[str]:
        """Kind → the numbers of its steps."""
        return self._sections["kinds"].split("\n")

    @cached_property
    def _waiting(self) -> dict[int, str]:
        """Step → the forms of whose two rarest steps it is the rarest; by the other step, and divided by `;`."""
        found = paired(self._sections["waiting"])
        return dict(zip(map(int, found), found.values(), strict=True))

    def steps(self, kind: int) -> frozenset[int]:
        """The steps whose words are of a kind."""
        found = self._kinds.get(kind)
        if found is None:
            found = self._kinds[kind] = frozenset(map(int, self._steps[kind].split()))
        return found

    def of(self, rule: str) -> Sieve:
        """The same for the forms of one rule alone."""
        made = copy(self)
        made.__dict__["_only"] = rule
        return made

    def sift(self, words: Sequence[str]) -> Sifted | None:
        """The forms a text may hold; None where there is none."""
        everything = frozenset(words)
        alone, rarest = self.words.of(everything), self._phrases.of(everything)
        kinds = {word: int(alone[word]) for word in alone.keys() & everything}
        phrases = [
            phrase
            for word in rarest.keys() & everything
            for phrase in self.phrases(word, rarest[word])
            if phrase.others <= everything
        ]
        figures = figures_among(everything)
        present = _ALWAYS.union(
            *[self.steps(kind) for kind in {*kinds.values(), *[phrase.kind for phrase in phrases]}],
            self.figures if figures else (),
        )
        forms = [*self.waiting(present)]
        if self._only:
            forms = [form for form in forms if form.rule == self._only]
        return Sifted(self, words, kinds, phrases, figures, forms) if forms else None

    def waiting(self, present: AbstractSet[int]) -> Iterator[Sought]:
        """The forms each of whose needed steps is among those present."""
        for rarest in self._waiting.keys() & present:
            for other, forms in (self._pairs.get(rarest) or self._paired(rarest)).items():
                if other in present:
                    for number in forms:
                        form = self._read.get(number) or self._form(number)
                        if form.needed <= present:
                            yield form

    def _paired(self, rarest: int) -> Mapping[int, Sequence[int]]:
        """The forms that wait for a step, by the other step they wait for."""
        parts = (part.split(",") for part in self._waiting[rarest].split(";"))
        found = self._pairs[rarest] = {int(other): [*map(int, forms.split())] for other, forms in parts}
        return found

    def phrases(self, word: str, filed: str | None = None) -> Sequence[Phrase]:
        """The phrases a word is the rarest word of; `filed`: what is filed under it, where that is known."""
        found = self._parsed.get(word)
        if found is None:
            filed = self._phrases.all.get(word, "") if filed is None else filed
            rows = (row.split(",") for row in filed.split(";") if row)
            found = self._parsed[word] = [
                Phrase(parts := words.split(), int(place), int(kind), frozenset(parts) - {word})
                for words, place, kind in rows
            ]
        return found

    def every(self) -> Iterator[Sought]:
        """Every form."""
        return (self._form(number) for number in range(len(self._forms)) if self._forms[number])

    def _form(self, number: int) -> Sought:
        rule, place, rarest, chain = json.loads(self._forms[number])
        needed = frozenset(step for step, _ in chain if step in self.figures or step not in self.computed)
        found = self._read[number] = Sought(rule, place, rarest, chain, needed)
        return found


class Few:
    """A few of the forms of a sieve: whether a text has the words that one of them needs, told sooner than by sifting it."""

    def __init__(self, sieve: Sieve, wanted: Mapping[str, Container[int]]) -> None:
        """`wanted`: name of a rule → the forms, by their numbers."""
        self._sieve = sieve
        forms = [form for form in sieve.every() if form.number in wanted.get(form.rule, ())]
        self._needed = [form.needed for form in forms]
        self._steps = frozenset().union(*self._needed)
        self._known: dict[str, tuple[frozenset[int], Sequence[Phrase]]] = {}
        """Of each word that was met, the steps it stands for and the phrases it is the rarest word of."""

    def holds(self, words: AbstractSet[str]) -> bool:
        """Whether these are words enough for one of the forms."""
        present = set(_ALWAYS)
        if self._steps & self._sieve.figures and figures_among(words):
            present |= self._sieve.figures
        for word in words:
            known = self._known.get(word)
            if known is None:
                known = self._known[word] = self._of(word)
            present |= known[0]
            for phrase in known[1]:
                if phrase.others <= words:
                    present |= self._sieve.steps(phrase.kind)
        return any(needed <= present for needed in self._needed)

    def _of(self, word: str) -> tuple[frozenset[int], Sequence[Phrase]]:
        sieve = self._sieve
        kind = sieve.words.all.get(word)
        phrases = [one for one in sieve.phrases(word) if not self._steps.isdisjoint(sieve.steps(one.kind))]
        return self._steps & sieve.steps(int(kind)) if kind is not None else frozenset(), phrases


def figures_among(words: AbstractSet[str]) -> AbstractSet[str]:
    """The words that may stand for figures, or for part of one."""
    figures = NUMERALS & words
    if not "".join(words).isalpha():
        figures |= {word for word in words if word[0] < "a" or word[-1] < "a"}
    return figures


class Open:
    """Stands for a sieve of one rule through which everything falls: for a rule that is asked of a few texts only, and then no more."""

    def __init__(self, rule: str, forms: int) -> None:
        self.near = [(Sought(rule, number, (), (), frozenset()), ALWAYS) for number in range(forms)]
        """Every form, as standing anywhere."""

    def sift(self, _words: Sequence[str]) -> Open:
        """Whatever the text."""
        return self

    def within(self, _low: int, _high: int, forms: Iterable[Sought]) -> list[Sought]:
        """All of these forms."""
        return [*forms]


class Sifted:
    """A text that holds words for some forms: where those words stand, and which forms they may make there.

    Places are bits of a number, the first word's the lowest, so that a chain is followed by a few shifts however often its words stand.
    """

    def __init__(  # noqa: PLR0913 - all that was found out about the text
        self,
        sieve: Sieve,
        words: Sequence[str],
        kinds: Mapping[str, int],
        phrases: Sequence[Phrase],
        figures: AbstractSet[str],
        forms: Sequence[Sought],
    ) -> None:
        self._sieve, self._words = sieve, words
        self._kinds, self._phrases, self._figures = kinds, phrases, figures
        self._forms = forms
        self._places: dict[str, int] = {}
        """Word → where it stands."""
        self._columns: dict[int, list[tuple[int, int]]] = {}
        """Step → how many words its phrases have, and where those begin."""

    @cached_property
    def near(self) -> list[tuple[Sought, int]]:
        """The forms whose rarest words stand as near to each other as they must, with the places behind the last of these."""
        self._locate({step for form in self._forms for step, _ in form.rarest})
        found = [(form, self._ends(form.rarest, -1)) for form in self._forms]
        found = [(form, ends) for form, ends in found if ends]
        self._locate({step for form, _ in found for step, _ in form.chain})
        return found

    def within(self, low: int, high: int, forms: Iterable[Sought]) -> list[Sought]:
        """Those of some forms for each of whose steps there is a word among words [low, high), in order and near enough to each other."""
        inside = (1 << high) - (1 << low)
        return [form for form in forms if self._ends(form.chain, inside)]

    def _ends(self, chain: Chain, inside: int) -> int:
        """The places behind which a chain may end, with all its words at places `inside`."""
        starts = inside
        ends = 0
        for step, reach in chain:
            if ends:
                starts = _spread(ends, reach) & inside
            ends = 0
            for length, column in self._columns[step]:
                ends |= (column & starts) << length
            ends &= inside << 1
            if not ends:
                return 0
        return ends

    def _locate(self, steps: AbstractSet[int]) -> None:
        """Finds out where words of some steps stand."""
        sieve, wanted = self._sieve, steps - self._columns.keys()
        if not wanted:
            return
        of, computed = sieve.steps, wanted & sieve.computed.keys()
        singles = {word: its for word, kind in self._kinds.items() if not wanted.isdisjoint(its := of(kind))}
        phrases = [(one, its) for one in self._phrases if not wanted.isdisjoint(its := of(one.kind))]
        makers = {what: self._makers(what) for step in computed for what in sieve.computed[step]}
        self._place({*singles}.union(*[one.words for one, _ in phrases], *makers.values()))
        columns: dict[int, dict[int, int]] = {step: {} for step in wanted}
        found = [(1, self._places[word], its) for word, its in singles.items()]
        found += [(len(one.words), self._standing(one), its) for one, its in phrases]
        for length, places, its in found:
            for step in wanted & its if places else ():
                column = columns[step]
                column[length] = column.get(length, 0) | places
        for step in computed:
            for what in sieve.computed[step]:
                places = 0
                for word in makers[what]:
                    places |= self._places[word]
                columns[step][1] = columns[step].get(1, 0) | (places << 1 if what == PLACE else places)
        for step, column in columns.items():
            self._columns[step] = [*column.items()]

    def _makers(self, what: str) -> AbstractSet[str]:
        """The words that make, or stand before, what no list can hold."""
        return self._figures if what == FIGURE else PLACING if what == PLACE else MONTH_NUMBERS.keys() | self._figures

    def _place(self, wanted: set[str]) -> None:
        """Finds out where some words stand."""
        wanted -= self._places.keys()
        found: dict[str, list[int]] = {word: [] for word in wanted}
        for place, word in [(place, word) for place, word in enumerate(self._words) if word in wanted]:
            found[word].append(place)
        for word, places in found.items():
            self._places[word] = _bits(places)

    def _standing(self, phrase: Phrase) -> int:
        """Where a phrase begins."""
        places = -1
        for offset, word in enumerate(phrase.words):
            places &= self._places[word] >> offset
            if not places:
                return 0
        return places


def _bits(places: Sequence[int]) -> int:
    """A number with these bits."""
    if len(places) <= FEW:
        return sum([1 << place for place in places])
    found = bytearray((places[-1] >> 3) + 1)
    for place in places:
        found[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(found, "little")


def _spread(ends: int, reach: int) -> int:
    """Every place at or at most `reach` behind some ends."""
    covered = 1
    while covered <= reach:
        step = min(covered, reach + 1 - covered)
        ends |= ends << step
        covered += step
    return ends
