"""The compiled form of a rule set: plain frozen values that matching walks through, apart from the models analysts write."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import inf
from typing import NamedTuple

from ahocorasick_rs import BytesAhoCorasick, MatchKind

from tocsin.policy import Policy
from tocsin.signal import Certainty, Stage


class Lexeme(NamedTuple):
    """What one surface form means: an entry of a list. `capitals`: offsets that must be upper case in the original.

    A tuple, for a big set has millions of them to hash.
    """

    list: int
    tag: str
    slug: str = ""
    capitals: tuple[int, ...] = ()


COMPUTED = frozenset({
    "number", "amount", "percent", "figure", "past-date", "coming-date", "near-date", "unlisted-place",
})  # fmt: skip
"""Lists to which words are added that no list can hold: figures, dates, places nobody listed."""
_COMMON = frozenset((
    b"a about after all also an and another are as at back be been before between but by can come could day down early first for from further get give go had "
    b"has have he her his if in into is it its last late may more most move near new next no not now of off on one only or other out over plan put s said say "
    b"second see send set she since so some support take than that the their them then there these they third this three time to two under until up us was we "
    b"week were when which who will with would year years"
).split())  # fmt: skip
"""Words that stand in most articles of any kind."""
ANYWHERE = -1
"""The surface form of what waits for no word."""

Place = int | tuple[int, frozenset[str]]
"""What a step of a form asks for: a word of a list, or such a word with one of some tags."""
Waiting = tuple[str, int, tuple[frozenset[Place], ...], tuple[frozenset[Place], ...]]
"""A form, by rule and number, with what its steps ask for: those that listed words alone can meet, and the others."""
Meaning = tuple[tuple[Lexeme, ...], tuple[int, ...], int]
"""Of one surface form: its lexemes, the lists it cancels, and how many words it has."""


@dataclass(frozen=True, slots=True)
class Step:
    """One place of a form: a word of any of these lists, at most `gap` words after the step before."""

    lists: frozenset[int]
    gap: int = 0
    leaves_clause: bool = False
    optional: bool = False
    tags: frozenset[str] = frozenset()
    """Only these forms of a word, when any are given."""


@dataclass(frozen=True, slots=True)
class Form:
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


@dataclass(frozen=True, slots=True)
class Cue:
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


@dataclass(frozen=True, slots=True)
class Doubt:
    """A figure a reader should doubt, from the rule's `warn`."""

    unit: str
    above: float
    reading: str
    counts: str
    flag: str
    note: str


@dataclass(frozen=True, slots=True)
class Counted:
    """Which numbers belong to the signal."""

    unit: str
    of: frozenset[int]
    counts: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, ready to be matched."""

    policy: Policy
    forms: tuple[Form, ...]
    never: frozenset[int]
    never_in_sentence: frozenset[int]
    never_in_lead: frozenset[int]
    never_in_title: frozenset[int]
    never_as_theme: frozenset[int]
    cues: tuple[Cue, ...]
    actors: frozenset[int]
    owners: frozenset[int]
    actor_required: bool
    inherits: bool
    only: frozenset[str]
    """Who alone can act; empty where anybody can."""
    watchers: frozenset[str]
    """Who acts only where it is plainly said."""
    aside: frozenset[int]
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


@dataclass(frozen=True)
class RuleSet:
    """Everything detection needs, with one automaton over all words of all lists."""

    version: str
    rules: tuple[Rule, ...]
    lists: Mapping[str, int]
    lexicon: Mapping[bytes, tuple[Lexeme, ...]]
    cancels: Mapping[bytes, tuple[int, ...]] = field(default_factory=dict)
    """Phrases under `not:`, with the lists whose words they cancel."""
    states: Mapping[str, str] = field(default_factory=dict)
    """Slug of a place → slug of the state it lies in."""
    printed: Mapping[str, str] = field(default_factory=dict)
    """Slug → printed name of every entry of the name lists."""

    @cached_property
    def surfaces(self) -> list[bytes]:
        """The folded surface forms, in the automaton's order."""
        return sorted({*self.lexicon, *self.cancels})

    @cached_property
    def meanings(self) -> list[Meaning]:
        """For each surface form: its lexemes, the lists it cancels, and how many words it has."""
        return [
            (self.lexicon.get(surface, ()), self.cancels.get(surface, ()), surface.count(b" ") + 1)
            for surface in self.surfaces
        ]

    @cached_property
    def naming(self) -> list[tuple[Lexeme, ...]]:
        """For each surface form, the names it may be."""
        return [tuple(lexeme for lexeme in lexemes if lexeme.slug) for lexemes, _, _ in self.meanings]

    @cached_property
    def apart(self) -> list[tuple[tuple[Lexeme, ...], dict[str, list[Lexeme]]]]:
        """For each surface form, its entries in lists everybody shares, and those in lists of one rule, by that rule."""
        owner = {
            number: name.split(".", maxsplit=1)[0]
            for name, number in self.lists.items()
            if "." in name and name.partition(".")[0] in self.order
        }
        found: list[tuple[tuple[Lexeme, ...], dict[str, list[Lexeme]]]] = []
        for lexemes, _, _ in self.meanings:
            owned: dict[str, list[Lexeme]] = {}
            for lexeme in lexemes:
                if lexeme.list in owner:
                    owned.setdefault(owner[lexeme.list], []).append(lexeme)
            found.append((tuple(lexeme for lexeme in lexemes if lexeme.list not in owner) if owned else lexemes, owned))
        return found

    @cached_property
    def shortened(self) -> frozenset[int]:
        """The surface forms that are short names of something."""
        meanings = enumerate(self.meanings)
        return frozenset(number for number, (lexemes, _, _) in meanings if any(one.tag == "short" for one in lexemes))

    @cached_property
    def longest(self) -> int:
        """Words the longest surface form has."""
        return max((length for _, _, length in self.meanings), default=0)

    @cached_property
    def bearing(self) -> list[frozenset[Place]]:
        """For each surface form, the lists it may be a word of; with the tags a step asks for, where it bears one of them."""
        asked: defaultdict[int, set[frozenset[str]]] = defaultdict(set)
        for forms in self.forms.values():
            for step in (step for form in forms for step in form.steps if step.tags):
                for number in step.lists:
                    asked[number].add(step.tags)
        found: list[frozenset[Place]] = []
        for lexemes, _, _ in self.meanings:
            places: set[Place] = {lexeme.list for lexeme in lexemes}
            for number, tag, _, _ in lexemes:
                if number in asked:
                    places.update((number, tags) for tags in asked[number] if tag in tags)
            found.append(frozenset(places))
        return found

    @cached_property
    def holding(self) -> dict[Place, list[int]]:
        """The surface forms of each list, the other way round."""
        found: dict[Place, list[int]] = {}
        for surface, places in enumerate(self.bearing):
            for place in places:
                found.setdefault(place, []).append(surface)
        return found

    @cached_property
    def waiting(self) -> list[Waiting]:
        """Every form of every rule, with what its steps ask for, the rarest first.

        A step is as common as its words are: those of `_COMMON` most, else the shorter, the commoner (Zipf's law of abbreviation).
        """
        common: dict[Place, float] = dict.fromkeys(self.computed, inf)
        weights = [1.0 if surface in _COMMON else 2.0 ** -len(surface) for surface in self.surfaces]

        def weight(places: frozenset[Place]) -> float:
            for place in places:
                if place not in common:
                    common[place] = sum(weights[surface] for surface in self.holding.get(place, ()))
            return sum(common[place] for place in places)

        found: list[Waiting] = []
        for name, forms in self.forms.items():
            for number, form in enumerate(forms):
                steps = [
                    frozenset((one, step.tags) if step.tags else one for one in step.lists)
                    for step in form.steps
                    if not step.optional
                ]
                steps.sort(key=weight)
                listed = [places for places in steps if self.computed.isdisjoint(places)]
                found.append((name, number, tuple(listed), tuple(steps[len(listed) :])))
        return found

    @cached_property
    def anchored(self) -> dict[int, frozenset[int]]:
        """Surface form → the forms (places in `waiting`) that wait for it, each for the words of its rarest step.

        So a text costs nothing for the rules of whose words it holds none, however many they are.
        """
        found: defaultdict[int, set[int]] = defaultdict(set)
        for form, (_, _, listed, _) in enumerate(self.waiting):
            for place in listed[0] if listed else ():
                for surface in self.holding.get(place, ()):
                    found[surface].add(form)
            if not listed:
                found[ANYWHERE].add(form)
        return {surface: frozenset(forms) for surface, forms in found.items()}

    def prepared(self) -> RuleSet:
        """The set itself, with everything worked out that matching needs."""
        for name in ("automaton", "anchored", "apart", "naming"):
            getattr(self, name)
        return self

    @cached_property
    def computed(self) -> frozenset[int]:
        """The lists to which words are added that no list can hold."""
        return frozenset(self.lists[name] for name in COMPUTED if name in self.lists)

    @cached_property
    def automaton(self) -> BytesAhoCorasick:
        """Finds every surface form as whole words in text that `fold`ed and joined by single spaces."""
        return BytesAhoCorasick([b" " + surface + b" " for surface in self.surfaces], matchkind=MatchKind.Standard)

    @cached_property
    def names(self) -> dict[int, str]:
        """List number → name."""
        return {number: name for name, number in self.lists.items()}

    @cached_property
    def order(self) -> dict[str, int]:
        """Name of a rule → its place in the set."""
        return {rule.policy.name: place for place, rule in enumerate(self.rules)}

    @cached_property
    def forms(self) -> dict[str, tuple[Form, ...]]:
        """Name of a rule → its forms."""
        return {rule.policy.name: rule.forms for rule in self.rules}

    def policy(self, rule: str) -> Policy:
        """The policy of a rule by its name."""
        return self.rules[self.order[rule]].policy
