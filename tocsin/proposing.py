"""Tests for what no test notices: sentences of the tests there are, with one word changed, on which a rule and its mutant differ."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import TypeVar

from tocsin.article import Article
from tocsin.compiled import Form, Rule, RuleSet
from tocsin.detection import explained
from tocsin.match import read
from tocsin.mutation import Mutant, Range
from tocsin.rule import BLANK, Tests, Variants
from tocsin.scan import Hit
from tocsin.signal import Signal
from tocsin.text import fold_phrase
from tocsin.trial import READ, signals_of
from tocsin.words import noun_forms, verb_forms

TRIED = 60
"""Sentences tried for one mutant."""
INSERTED = 40
"""Sentences with a word put in that are tried for one mutant."""
PLACES = 6
"""Places for the words of a list that are looked for."""
LOOKED_AT = 40
"""Words of a list that are looked at for that."""
_AS_WRITTEN = frozenset({"words", "not"})
_SWAPS = 6
"""Words of a list tried at one place."""
_FILLERS = (
    "", "quietly", "at last", "in the end", "once and for all", "with the help of friends", "in spite of all the doubts",
    "in front of a large silent crowd", "with the blessing of all of its friends", "to the surprise of most people in the capital",
)  # fmt: skip
"""So many words that say nothing, for gaps."""
BACKGROUND = "The night was mild. The harbour lay quiet. The bakers had just opened."
"""Sentences that say nothing, behind which no sentence is of the lead."""
_SAFE = re.compile(r"[A-Za-z][A-Za-z0-9 .'/-]*[A-Za-z0-9.]|[A-Za-z]")
_ODD = re.compile(r"(?i)yes|no|on|off|true|false|null|y|n")
_W = TypeVar("_W")
_VOWEL = re.compile(r"[aeio](?!ne\b|u)|u(?!ni|s)")
_ARTICLE = re.compile(r"\b[Aa]n? \Z")
_NAMED = frozenset({"names", "adjectives", "people", "short", "seats", "leaders", "forces", "parliaments"})


@dataclass(frozen=True, slots=True)
class Place:
    """A part of a sentence in whose stead something else may stand."""

    title: str
    before: str
    after: str
    article: bool = False
    """Whether an article stood there, too, which depends on the word."""

    @property
    def sentence(self) -> str:
        """The sentence with a blank."""
        return f"{self.before}{BLANK}{self.after}"

    def filled(self, word: str) -> str:
        """The sentence with a word in the blank."""
        return f"{self.before}{word}{self.after}"

    def fitting(self, word: str, tag: str) -> str:
        """A word as it must stand there: with its article, with a capital."""
        if self.article and tag == "noun":
            word = f"{'an' if _VOWEL.match(word) else 'a'} {word}"
        return word if self.before.strip() else word[:1].upper() + word[1:]


@dataclass(frozen=True)
class Stock:
    """A sentence of a test, and what stands in it."""

    title: str
    text: str
    hits: Sequence[tuple[int, int, Hit]]
    """The entries of lists in it, with their offsets."""
    matches: Sequence[tuple[Form, tuple[tuple[int, int, Hit], ...]]]
    """The forms that match, with their words."""

    def place(self, start: int, end: int) -> Place:
        """The part between two offsets, with the article before it, which depends on it."""
        if article := _ARTICLE.search(self.text[:start]):
            return Place(self.title, self.text[: article.start()], self.text[end:], article=True)
        return Place(self.title, self.text[:start], self.text[end:])


@dataclass
class Proposer:
    """Looks for tests of one rule."""

    range: Range
    _places: dict[frozenset[int], list[tuple[Place, str]]] = field(default_factory=dict)
    """Lists → where their words are needed."""
    _readings: dict[tuple[str, str], list[tuple[object, ...]]] = field(default_factory=dict)
    """What the rule reads in each sentence."""
    _served: Counter[Place] = field(default_factory=Counter)
    """How often a place told a mutant: tried first, so that words share a sentence."""

    def propose(self, mutants: Iterable[Mutant]) -> Iterator[tuple[Mutant, Variants | None]]:
        """For each mutant a sentence on which the rule and the mutant differ, with what the rule reads in it; None where none was found."""
        for mutant in mutants:
            yield mutant, self._found(mutant)

    def _found(self, mutant: Mutant) -> Variants | None:
        altered = self.range.altered(mutant)
        if altered is None:
            return None
        for place, word in islice(self._candidates(mutant, altered), TRIED):
            if found := self._tells(altered, place, word):
                self._served[place] += 1
                return found
        return None

    def _tells(self, altered: RuleSet, place: Place, word: str) -> Variants | None:
        """The test that a sentence makes, if the altered rule fails it."""
        text = place.filled(word)
        told, other = (signals_of(rules, self.range.name, text, place.title) for rules in (self.range.base, altered))
        if bool(told) == bool(other) and _reading(told) == _reading(other):
            return None
        made: dict[str, object] = {"title": place.title, "words": [word]}
        if not told:
            return self._sure(altered, Variants.model_validate({**made, "silent": place.sentence}))
        made["fires"] = place.sentence
        if other:
            first, seconds = told[0], other
            differing = [
                name
                for name in READ
                if getattr(first, name) and all(getattr(one, name) != getattr(first, name) for one in seconds)
            ]
            made |= {name: getattr(first, name) for name in differing}
            if not differing:
                made |= {"flags": sorted({*first.flags} - set().union(*(one.flags for one in seconds)))}
                if not made["flags"]:
                    return None
        return self._sure(altered, Variants.model_validate(made))

    def _sure(self, altered: RuleSet, test: Variants) -> Variants | None:
        tests = Tests.model_construct(None, variants=[test])
        return test if self.range.passes(self.range.base, tests) and not self.range.passes(altered, tests) else None

    @cached_property
    def stock(self) -> list[Stock]:
        """The sentences of the tests, in the order of the file; of those with variants none, for these are made of others."""
        units = (unit for unit in self.range.units if unit.kind in {"fires", "silent"})
        return [stock for unit in units if (stock := self._taken(unit.articles[0]))]

    def _taken(self, article: Article) -> Stock | None:
        rules = self.range.base
        pages = read(rules, article)
        page = next((page for page in pages if page.field == "text"), None)
        if page is None:
            return None
        title = next((page.original for page in pages if page.field == "title"), "")

        def at(hit: Hit) -> tuple[int, int, Hit]:
            return page.bounds[hit.start][0], page.bounds[hit.end - 1][1], hit

        matches = [
            (one.form, tuple(map(at, one.match.hits)))
            for one in explained(rules, pages)
            if one.rule.policy.name == self.range.name and one.sentence.page is page
        ]
        return Stock(title, page.original, [at(hit) for sentence in page.sentences for hit in sentence.hits], matches)

    def _candidates(self, mutant: Mutant, altered: RuleSet) -> Iterator[tuple[Place, str]]:
        """Places and words to be tried, the likeliest first."""
        if mutant.without:
            yield from self._of_entry(mutant)
            return
        forms = {*self.range.compiled.forms} ^ {*altered.rules[0].forms}
        pairs = [
            (one, other)
            for one, other in zip(self.range.compiled.forms, altered.rules[0].forms, strict=False)
            if one != other and len(one.steps) == len(other.steps)
        ]
        if len(self.range.compiled.forms) == len(altered.rules[0].forms):
            for one, other in pairs:
                yield from self._of_form(one, other)
        if lists := _asked_of(self.range.compiled, altered.rules[0]):
            yield from islice(self._inserted(lists, forms), INSERTED)
        yield from self._anything(forms)

    def _of_entry(self, mutant: Mutant) -> Iterator[tuple[Place, str]]:
        """The entry where another of its list is needed, in the same form if there is one."""
        key, entries = mutant.entry
        inflected = {"nouns": noun_forms, "verbs": verb_forms}.get(key, lambda entry: {entry: "word"})
        noun = key == "nouns"
        forms = [(word, tag) for entry in _few(entries) for word, tag in inflected(entry).items()]
        needed = self._needed(_lists(mutant))
        alike = [(place, word, tag) for place, as_ in needed for word, tag in forms if tag == as_]
        other = [
            (place, word, "word") for place, as_ in needed for word, tag in forms if tag != as_ and key in _AS_WRITTEN
        ]
        yield from (
            (place, place.fitting(word, "noun" if noun and tag == "word" else tag))
            for place, word, tag in (*alike, *other)
        )

    def _needed(self, lists: frozenset[int]) -> Sequence[tuple[Place, str]]:
        """Where a sentence is read otherwise without its word of some lists, and which form of a word stands there; last what served well."""
        if lists not in self._places:
            self._places[lists] = [*islice(self._needing(lists), PLACES)]
        return sorted(self._places[lists], key=lambda one: -self._served[one[0]])

    def _read_of(self, stock: Stock) -> list[tuple[object, ...]]:
        key = stock.title, stock.text
        if key not in self._readings:
            self._readings[key] = _reading(signals_of(self.range.base, self.range.name, stock.text, stock.title))
        return self._readings[key]

    def _needing(self, lists: frozenset[int]) -> Iterator[tuple[Place, str]]:
        name = self.range.name
        found = (
            (stock, start, end, hit)
            for stock in self.stock
            for start, end, hit in stock.hits
            if hit.lexeme.list in lists
        )
        for stock, start, end, hit in islice(found, LOOKED_AT):
            phrase = fold_phrase(stock.text[start:end]).decode("ascii")
            less = self.range.lacking(frozenset((phrase, number) for number in lists))
            if self._read_of(stock) != _reading(signals_of(less, name, stock.text, stock.title)):
                yield stock.place(start, end), hit.lexeme.tag

    def _of_form(self, one: Form, other: Form) -> Iterator[tuple[Place, str]]:
        """Of a step that changed: a wider gap filled, a choice that is gone, another form of the word."""
        for step, (before, after) in enumerate(zip(one.steps, other.steps, strict=True)):
            for stock, words in self._matching(one, step):
                start, end, hit = words[step]
                if after.gap > before.gap:
                    yield from self._widened(stock, words[step - 1], words[step], before.gap, after.gap)
                if gone := before.lists - after.lists:
                    yield from self._swapped(stock, start, end, gone, before.tags or {hit.lexeme.tag})
                if before.tags != after.tags:
                    yield from self._swapped(stock, start, end, before.lists, None, unlike=before.tags)

    def _matching(self, form: Form, step: int) -> Iterator[tuple[Stock, tuple[tuple[int, int, Hit], ...]]]:
        for stock in self.stock:
            for found, words in stock.matches:
                if found == form and len(words) == len(form.steps) and step < len(words):
                    yield stock, words

    def _widened(
        self, stock: Stock, first: tuple[int, int, Hit], second: tuple[int, int, Hit], gap: int, wider: int
    ) -> Iterator[tuple[Place, str]]:
        standing = second[2].start - first[2].end
        for number in range(gap + 1 - standing, min(wider - standing, gap + 4 - standing) + 1):
            for at in (first[1], second[0]):
                word = filler(number)
                if word:
                    place = Place(
                        stock.title,
                        stock.text[:at] + (" " if at == first[1] else ""),
                        stock.text[at:] if at == first[1] else " " + stock.text[at:],
                    )
                    yield place, word

    def _swapped(  # noqa: PLR0913 - what stands there, and what may instead
        self,
        stock: Stock,
        start: int,
        end: int,
        lists: Iterable[int],
        tags: Iterable[str] | None,
        unlike: Iterable[str] = (),
    ) -> Iterator[tuple[Place, str]]:
        place = stock.place(start, end)
        words = [
            one
            for number in lists
            for one in self._surfaces.get(number, ())
            if (tags is None or one[1] in tags) and one[1] not in unlike
        ]
        yield from ((place, place.fitting(*one)) for one in _few(words))

    @cached_property
    def _surfaces(self) -> Mapping[int, list[tuple[str, str]]]:
        """Number of a list → its words, each with what form it is."""
        found: dict[int, list[tuple[str, str]]] = defaultdict(list)
        for lexeme, phrases in self.range.loaded.draft.meant():
            found[lexeme.list] += [(phrase, lexeme.tag) for phrase in phrases]
        return found

    def _inserted(self, lists: Iterable[int], forms: Iterable[Form]) -> Iterator[tuple[Place, str]]:
        """Words of some lists put into sentences that some forms match, or any where none is named: in front, behind, and around the match."""
        words = [one for number in lists for one in self._some(number)]
        wanted = set(forms)
        for stock in self.stock:
            matching = next((found for form, found in stock.matches if not wanted or form in wanted), None)
            if matching:
                begin, end = min(one[0] for one in matching), max(one[1] for one in matching)
                stop = len(stock.text.rstrip(".!?\"'"))
                for at in dict.fromkeys((begin, end, stop, 0, *(one[0] for one in matching))):
                    behind = at in {end, stop}
                    place = Place(stock.title, stock.text[:at] + " " * behind, " " * (not behind) + stock.text[at:])
                    yield from ((place, place.fitting(word, tag)) for word, tag in words)

    def _some(self, number: int) -> Sequence[tuple[str, str]]:
        """A few words of a list."""
        return _few(self._surfaces.get(number, ()))

    def _anything(self, forms: Iterable[Form]) -> Iterator[tuple[Place, str]]:
        """Where one of some forms matches, or anything where none is named: as it is, further down, and with other words of its lists."""
        wanted = set(forms)
        for stock in self.stock:
            matching = [words for form, words in stock.matches if not wanted or form in wanted]
            if not matching:
                continue
            start, end, _ = next((one for one in stock.hits if one[2].lexeme.tag in _NAMED), stock.hits[0])
            yield Place(stock.title, stock.text[:start], stock.text[end:]), stock.text[start:end]
            yield Place(stock.title, "", f" {stock.text}"), BACKGROUND
            for start, end, hit in matching[0] if wanted else ():
                yield from self._swapped(stock, start, end, [hit.lexeme.list], {hit.lexeme.tag})


def _asked_of(rule: Rule, other: Rule) -> frozenset[int]:
    """The lists of which one version of a rule asks what the other does not."""
    found: set[int] = set()
    for name in Rule._fields:
        part, changed = getattr(rule, name), getattr(other, name)
        if isinstance(part, frozenset):
            found |= {one for one in part ^ changed if isinstance(one, int)}
    deaf = {cue.name for cue in rule.cues} ^ {cue.name for cue in other.cues}
    if len(rule.forms) == len(other.forms):
        for one, two in zip(rule.forms, other.forms, strict=True):
            for asked in ("with_", "without", "about", "told", "needs"):
                found |= {
                    number for number in {*getattr(one, asked)} ^ {*getattr(two, asked)} if isinstance(number, int)
                }
            deaf |= one.ignored ^ two.ignored
    found |= {
        number
        for cue in rule.cues
        if cue.name in deaf
        for number in (*cue.lists, *(n for form in cue.forms for step in form.steps for n in step.lists))
    }
    return frozenset(found)


def _few(words: Sequence[_W]) -> Sequence[_W]:
    """A few of some words, from all over them."""
    return words[:: max(1, len(words) // _SWAPS)][:_SWAPS]


def filler(words: int, longest: int = len(_FILLERS) - 1) -> str:
    """So many words that say nothing, none of them twice: with "and" between where they are more than the longest has."""
    if words <= longest:
        return _FILLERS[max(0, words)]
    first = min(longest, words - 2)
    return f"{_FILLERS[first]} and {filler(words - first - 1, first - 1)}"


def _lists(mutant: Mutant) -> frozenset[int]:
    return frozenset(number for _, number in mutant.without)


def _reading(found: Sequence[Signal]) -> list[tuple[object, ...]]:
    return [tuple(getattr(one, name) for name in (*READ, "flags")) for one in found]


def joined(found: Iterable[Variants]) -> list[Variants]:
    """The same with the words of one sentence together, in the order in which the sentences first came."""
    tables: dict[str, Variants] = {}
    for one in found:
        key = one.model_copy(update={"words": []}).model_dump_json()
        before = tables.get(key)
        words = dict.fromkeys([*(before.words if before else ()), *one.words])
        tables[key] = one.model_copy(update={"words": [*words]})
    return [*tables.values()]


def written(test: Variants) -> str:
    """A test as it is written, before it is laid out."""
    told = test.model_dump(exclude_unset=True, exclude_defaults=True)
    kind = "fires" if test.fires is not None else "silent"
    words = ", ".join(map(_plain, test.words))
    rest = "".join(
        f"      {name}: {json.dumps(value, ensure_ascii=False) if name == 'title' else _flow(value)}\n"
        for name, value in told.items()
        if name not in {kind, "words"}
    )
    return f"    - {kind}: {json.dumps(test.text, ensure_ascii=False)}\n      words: [{words}]\n{rest}"


def _flow(value: object) -> str:
    return f"[{', '.join(value)}]" if isinstance(value, list) else str(value)


def _plain(word: str) -> str:
    """A word as it stands in a list in brackets, in quotes where it needs them."""
    return word if _SAFE.fullmatch(word) and not _ODD.fullmatch(word) else json.dumps(word, ensure_ascii=False)
