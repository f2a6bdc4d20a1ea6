"""The compiled form of a rule set: plain frozen values that matching walks through, apart from the models analysts write."""

from __future__ import annotations

import json
from array import array
from collections import ChainMap
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from copy import copy
from functools import cached_property, lru_cache, partial
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, overload

from tocsin import rows
from tocsin.policy import Policy
from tocsin.sieve import COMPUTED, Open, Sieve, grouped, paired
from tocsin.signal import Certainty, Stage

if TYPE_CHECKING:
    from mmap import mmap

_T = TypeVar("_T")


class Lexeme(NamedTuple):
    """What one phrase means: an entry of a list. `capitals`: offsets that must be upper case in the original.

    A tuple, for a big set has millions of them to hash.
    """

    list: int
    tag: str
    slug: str = ""
    capitals: tuple[int, ...] = ()


class Step(NamedTuple):
    """One place of a form: a word of any of these lists, at most `gap` words after the step before."""

    lists: frozenset[int]
    gap: int = 0
    leaves_clause: bool = False
    optional: bool = False
    tags: frozenset[str] = frozenset()
    """Only these forms of a word, when any are given."""


class Form(NamedTuple):
    """One way of saying it, ready to be matched."""

    text: str
    steps: tuple[Step, ...]
    head: int
    stage: Stage | None = None
    with_: tuple[int, ...] = ()
    without: tuple[int, ...] = ()
    about: frozenset[int] = frozenset()
    needs: tuple[str | int, ...] = ()
    what: str | None = None
    who: str = "any"
    ignored: frozenset[str] = frozenset()
    tense: bool = True
    only_who: tuple[str, ...] = ()
    amounts: str | None = None
    told: frozenset[int] = frozenset()
    weak: bool = False


class Cue(NamedTuple):
    """Words that decide something about a match they reach."""

    name: str
    lists: tuple[int, ...]
    direction: str
    reach: int
    clause: bool
    unless: frozenset[int]
    stage: Stage | None = None
    certainty: Certainty | None = None
    flag: str | None = None
    drop: str | None = None
    fresh: bool = False
    adjacent: int = 0
    """1: it may stand in the sentence behind the match, -1: in the one before."""
    forms: tuple[Form, ...] = ()
    only: str | None = None
    opens: bool = False
    raises: tuple[Stage, ...] = ()
    """Stages it raises; such a cue sets none by itself."""


class Heeded(tuple[Cue, ...]):
    """The cues that speak to a rule. Rules that heed the same share them."""

    __slots__ = ()


class Doubt(NamedTuple):
    """A figure a reader should doubt, from the rule's `warn`."""

    unit: str
    above: float
    reading: str
    counts: str
    flag: str
    note: str


class Counted(NamedTuple):
    """Which numbers belong to the signal."""

    unit: str
    of: frozenset[int]
    counts: str


class Rule(NamedTuple):
    """One rule, ready to be matched."""

    policy: Policy
    forms: tuple[Form, ...]
    never: frozenset[int]
    never_in_sentence: frozenset[int]
    never_in_lead: frozenset[int]
    never_in_title: frozenset[int]
    never_as_theme: frozenset[int]
    after_done: frozenset[int]
    deed: frozenset[int]
    cues: tuple[Cue, ...]
    """As `Heeded`, where they are shared."""
    actors: frozenset[int]
    owners: frozenset[int]
    actor_required: bool
    inherits: bool
    only: frozenset[str]
    """Who alone can act; empty where anybody can."""
    watchers: frozenset[str]
    """Who acts only where it is plainly said."""
    anchored: bool
    active: bool
    speaker: bool
    places: frozenset[int]
    theatres: tuple[tuple[str, ...], ...]
    materiel: tuple[tuple[str, int], ...]
    vague: tuple[tuple[int, frozenset[str]], ...]
    default_what: str | None
    kinds: tuple[tuple[str, ...], ...]
    """Materiel that is one thing where an article speaks of both."""
    figures: tuple[Counted, ...]
    doubts: tuple[Doubt, ...]


_PARTS = (Rule, Policy, Form, Step, Doubt, Counted)


def among_all(part: _T, first: int) -> _T:
    """A rule, or part of one, with the numbers that its own lists have among all lists, where they are below zero; `first`: that of the first."""
    kind: Any = type(part)
    made: _T = part
    inside: Any = part
    if kind is int:
        number: Any = rows.absolute(inside, first)
        made = number
    elif kind in {tuple, frozenset}:
        made = kind([among_all(one, first) for one in inside])
    elif kind in _PARTS and kind is not Policy:
        made = kind(*[among_all(one, first) for one in inside])
    return made


class Lexicon:
    """Phrases of folded words, found by their first word."""

    def __init__(self, phrases: Container[str], lengths: Mapping[str, Sequence[int]], longest: int) -> None:
        """`lengths`: first word → how many words the phrases have that begin with it; `longest`: how many the longest has."""
        self._phrases = phrases
        self._lengths = lengths
        self.longest = longest

    def of(self, phrases: Container[str]) -> Lexicon:
        """Of fewer phrases."""
        return Lexicon(phrases, self._lengths, self.longest)

    def find(self, words: Sequence[str], low: int, high: int) -> Iterator[tuple[int, int, str]]:
        """The phrases that touch words [low, high), each as (first word, word behind the last, phrase)."""
        phrases, end = self._phrases, len(words)
        begin = max(0, low - self.longest + 1)
        for first, lengths in enumerate(map(self._lengths.get, words[begin:high]), begin):
            for length in lengths or ():
                last = first + length
                if low < last <= end:
                    phrase = words[first] if length == 1 else " ".join(words[first:last])
                    if phrase in phrases:
                        yield first, last, phrase


def lengths_of(phrases: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """First word → how many words the phrases have that begin with it, in order."""
    found: dict[str, set[int]] = {}
    for phrase in phrases:
        first, _, _ = phrase.partition(" ")
        found.setdefault(first, set()).add(phrase.count(" ") + 1)
    return {first: tuple(sorted(lengths)) for first, lengths in found.items()}


def lexicon_of(phrases: Collection[str]) -> Lexicon:
    """The lexicon of these phrases alone."""
    lengths = lengths_of(phrases)
    return Lexicon(phrases, lengths, max(map(max, lengths.values()), default=0))


REMEMBERED = 20_000
"""Phrases whose meanings are kept."""
Own = Mapping[str, tuple[Lexeme, ...]]
"""The phrases of a rule's own lists."""
OWN_BREAK = ";"
"""What divides these in a row."""


class Sections(Mapping[str, str]):
    """Sections of text in one row of bytes, or in a file that is mapped, each decoded when it is read."""

    def __init__(self, data: bytes | mmap, lengths: Mapping[str, int], start: int = 0) -> None:
        """`start`: where in the data the first of them begins."""
        self._data, self._start = data, start
        self.lengths = dict(lengths)
        """Name → bytes of the section."""
        ends = [*accumulate(self.lengths.values(), initial=start)]
        self._ranges = dict(zip(self.lengths, pairwise(ends), strict=True))
        self._end = ends[-1]

    @classmethod
    def of(cls, texts: Mapping[str, str]) -> Sections:
        """Sections of these texts."""
        encoded = {name: text.encode("ascii") for name, text in texts.items()}
        return cls(b"".join(encoded.values()), {name: len(one) for name, one in encoded.items()})

    @property
    def body(self) -> bytes:
        """All of them."""
        return self._data[self._start : self._end]

    def __getitem__(self, name: str) -> str:
        start, end = self._ranges[name]
        return self._data[start:end].decode("ascii")

    def __iter__(self) -> Iterator[str]:
        return iter(self._ranges)

    def __len__(self) -> int:
        return len(self._ranges)

    def rows(self, name: str, of: Callable[[Any], _T]) -> Sequence[_T]:
        """What is made of each line of a section, which is JSON; of thousands of lines only those in use are held in memory."""
        start, end = self._ranges[name]
        if start == end:
            return ()
        places = array("Q", [start])
        while (found := self._data.find(b"\n", places[-1], end)) >= 0:
            places.append(found + 1)
        places.append(end + 1)
        return _Lazily(len(places) - 1, lambda one: of(json.loads(self._data[places[one] : places[one + 1] - 1])))


class RuleSet:
    """Everything detection needs, read out of its sections when it is first asked for: see `tocsin.packing`.

    So most articles are dismissed before anything but the sieve is read, and of thousands of rules only those that may match are.
    """

    def __init__(self, sections: Sections) -> None:
        self.sections = sections
        head = json.loads(sections["head"])
        self.version: str = head["version"]
        """Names the set: a hash of all its files."""
        self.shared: str = head["shared"]
        """A hash of what is written in its lists and cues."""
        self.order: Mapping[str, int] = {name: place for place, name in enumerate(head["rules"])}
        """Name of a rule → its place in the set."""

    def _read(self, section: str) -> Any:
        return json.loads(self.sections[section])

    @cached_property
    def sieve(self) -> Sieve:
        """Which forms a text may hold."""
        return Sieve(self.sections)

    def variant(
        self, rule: Rule, sieve: Sieve | None = None, *, without: AbstractSet[tuple[str, int]] = frozenset()
    ) -> RuleSet:
        """The set of one rule alone, perhaps another version of it; (phrase, list) pairs are left out of the lists, or cancel nothing.

        It shares everything else with this set, so it costs next to nothing.
        """
        name = rule.policy.name
        meaning, (lexicon, own) = self.meaning, self.owned((name,))
        made = copy(self)
        made.order = {name: 0}
        for shared in ("lists", "names", "computed", "states", "beside", "printed", "_phrases", "lexicon"):
            made.__dict__[shared] = getattr(self, shared)

        def meant(phrase: str) -> tuple[Sequence[Lexeme], Sequence[int]]:
            lexemes, cancelled = meaning(phrase)
            lexemes = [one for one in lexemes if (phrase, one.list) not in without]
            return lexemes, [one for one in cancelled if (phrase, one) not in without]

        if fewer := {phrase: own[phrase] for phrase, _ in without if phrase in own}:
            own = {
                **own,
                **{
                    phrase: [one for one in found if (phrase, one.list) not in without]
                    for phrase, found in fewer.items()
                },
            }
            own = {phrase: found for phrase, found in own.items() if found}
            lexicon = lexicon.of(own)
        made.__dict__ |= {"rules": (rule,), "_owned": (own,), "owned": lambda _: (lexicon, own)}
        made.__dict__["sieve"] = sieve or Open(name, len(rule.forms))
        made.__dict__["meaning"] = meant if without else meaning
        return made

    def alone(self, name: str) -> RuleSet:
        """The set of one rule alone."""
        return self.variant(self.rules[self.order[name]], self.sieve.of(name))

    @cached_property
    def lists(self) -> dict[str, int]:
        """Name of a list → its number."""
        return {name: number for number, name in enumerate(self._read("lists"))}

    @cached_property
    def names(self) -> dict[int, str]:
        """List number → name."""
        return {number: name for name, number in self.lists.items()}

    @cached_property
    def computed(self) -> frozenset[int]:
        """The lists to which words are added that no list can hold."""
        return frozenset(self.lists[name] for name in COMPUTED if name in self.lists)

    @cached_property
    def states(self) -> dict[str, str]:
        """Slug of a place → slug of the state it lies in."""
        found: dict[str, str] = self._read("states")
        return found

    @cached_property
    def beside(self) -> dict[str, list[str]]:
        """Slug → those whose company makes its short names plain."""
        found: dict[str, list[str]] = self._read("beside")
        return found

    @cached_property
    def printed(self) -> dict[str, str]:
        """Slug → printed name of every entry of the name lists."""
        found: dict[str, str] = self._read("printed")
        return found

    @cached_property
    def _phrases(self) -> dict[str, str]:
        """Phrase of the shared lists → the numbers of its lexemes; behind a `;`, those of the lists it cancels."""
        return paired(self.sections["phrases"])

    @cached_property
    def lexicon(self) -> Lexicon:
        """The phrases of the lists everybody shares, and those that cancel others."""
        lengths = [tuple(map(int, one.split())) for one in self._read("lengths")]
        firsts = grouped(self.sections["firsts"].split("\n"), lengths)
        return Lexicon(self._phrases, firsts, max(map(max, lengths), default=0))

    @cached_property
    def meaning(self) -> Callable[[str], tuple[Sequence[Lexeme], Sequence[int]]]:
        """What a phrase of the shared lists means, and the lists whose words it cancels."""
        return lru_cache(maxsize=REMEMBERED)(self._meaning)

    def _meaning(self, phrase: str) -> tuple[Sequence[Lexeme], Sequence[int]]:
        lexemes, _, cancelled = self._phrases[phrase].partition(";")
        return [self._lexemes[int(one)] for one in lexemes.split()], [*map(int, cancelled.split())]

    @cached_property
    def _lexemes(self) -> Sequence[Lexeme]:
        lines = self.sections["lexemes"].split("\n")
        return _Lazily(len(lines), lambda place: _lexeme(json.loads(lines[place])))

    @cached_property
    def rules(self) -> Sequence[Rule]:
        """The rules, in order."""
        kinds = self._kinds
        return self.sections.rows("rules", lambda row: rows.value(row[1], kinds(row[0])))

    @cached_property
    def _kinds(self) -> Callable[[int], rows.Kinds]:
        """From the number of a rule's first own list to what its row is made of."""
        shared = rows.kinds([Cue, Form, Step])
        cues = [rows.value(row, shared) for row in self._read("cues")]
        heeded = [Heeded(cues[one] for one in numbers) for numbers in self._read("heeded")]
        return partial(
            rows.kinds,
            _PARTS,
            heeded=heeded.__getitem__,
            names=lambda own: ChainMap(own, self.printed),
        )

    @cached_property
    def _owned(self) -> Sequence[Own]:
        return self.sections.rows("owned", _own)

    @cached_property
    def owned(self) -> Callable[[tuple[str, ...]], tuple[Lexicon, Mapping[str, list[Lexeme]]]]:
        """The phrases of some rules' own lists, with what they mean to them in the order of the rules."""
        return lru_cache(maxsize=64)(self._joined)

    def _joined(self, rules: tuple[str, ...]) -> tuple[Lexicon, Mapping[str, list[Lexeme]]]:
        found: dict[str, list[Lexeme]] = {}
        for rule in rules:
            for phrase, lexemes in self._owned[self.order[rule]].items():
                found.setdefault(phrase, []).extend(lexemes)
        return lexicon_of(found), found

    @cached_property
    def meanings(self) -> dict[str, tuple[Sequence[Lexeme], Sequence[int]]]:
        """Every phrase of the shared lists with what it means, and the lists whose words it cancels. Phrases alike in both share them."""
        lexemes = [*map(_lexeme, json.loads(f"[{self.sections['lexemes'].replace(chr(10), ',')}]"))]
        known: dict[str, tuple[Sequence[Lexeme], Sequence[int]]] = {}
        for row in set(self._phrases.values()):
            meant, _, cancelled = row.partition(";")
            known[row] = [lexemes[int(one)] for one in meant.split()], [*map(int, cancelled.split())]
        return {phrase: known[row] for phrase, row in self._phrases.items()}

    def phrases(self) -> Iterator[tuple[str, Sequence[Lexeme]]]:
        """Every phrase of every list with what it means; of several lists in turn."""
        for phrase, (lexemes, _) in self.meanings.items():
            yield phrase, lexemes
        for own in self._owned:
            yield from own.items()

    def policy(self, rule: str) -> Policy:
        """The policy of a rule by its name."""
        return self.rules[self.order[rule]].policy


def _lexeme(row: Sequence[Any]) -> Lexeme:
    number, tag, slug, *capitals = row
    return Lexeme(number, tag, slug, tuple(capitals[0]) if capitals else ())


def _own(row: Sequence[Any]) -> Own:
    found: dict[str, list[Lexeme]] = {}
    first, *lists = row
    for number, (slug, said) in enumerate(lists, first):
        for tag, phrases in said.items():
            meant = Lexeme(number, tag, slug)
            for phrase in phrases.split(OWN_BREAK):
                found.setdefault(phrase, []).append(meant)
    return {phrase: tuple(lexemes) for phrase, lexemes in found.items()}


class _Lazily(Sequence[_T]):
    """Values of which each is made when it is first asked for."""

    def __init__(self, length: int, make: Callable[[int], _T]) -> None:
        self._made: list[_T | None] = [None] * length
        self._make = make

    def __len__(self) -> int:
        return len(self._made)

    @overload
    def __getitem__(self, place: int) -> _T: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[_T]: ...
    def __getitem__(self, place: int | slice) -> _T | Sequence[_T]:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        found = self._made[place]
        if found is None:
            found = self._made[place] = self._make(place)
        return found
