"""The compiled form of a rule set: plain frozen values that matching walks through, apart from the models analysts write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ahocorasick_rs import BytesAhoCorasick, MatchKind

from tocsin.policy import Policy
from tocsin.signal import Certainty, Stage


@dataclass(frozen=True, slots=True)
class Lexeme:
    """What one surface form means: an entry of a list. `capitals`: offsets that must be upper case in the original."""

    list: int
    tag: str
    slug: str = ""
    capitals: tuple[int, ...] = ()


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
    def meanings(self) -> list[tuple[tuple[Lexeme, ...], tuple[int, ...], int]]:
        """For each surface form: its lexemes, the lists it cancels, and how many words it has."""
        return [
            (self.lexicon.get(surface, ()), self.cancels.get(surface, ()), surface.count(b" ") + 1)
            for surface in self.surfaces
        ]

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

    def policy(self, rule: str) -> Policy:
        """The policy of a rule by its name."""
        return self.rules[self.order[rule]].policy
