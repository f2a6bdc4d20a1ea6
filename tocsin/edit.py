"""What an edit of the rules may touch: which forms differ, and which words mean something else. Most articles need not be read again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from tocsin.article import Article
from tocsin.compiled import Counted, Cue, Form, Lexeme, Rule, RuleSet, Step
from tocsin.match import parts, read
from tocsin.sieve import COMPUTED, Few
from tocsin.text import fold, plain

MANY = 2_000
"""Phrases that differ, above which every article is taken to be touched."""
LISTS: Mapping[type, frozenset[str]] = {
    Rule: frozenset({
        "never", "never_in_sentence", "never_in_lead", "never_in_title", "never_as_theme", "after_done", "deed", "actors", "owners", "places",
        "materiel", "vague",
    }),
    Form: frozenset({"with_", "without", "about", "needs", "told"}),
    Step: frozenset({"lists"}),
    Cue: frozenset({"lists", "unless"}),
    Counted: frozenset({"of"}),
}  # fmt: skip
"""Where numbers of lists stand. Another set may number them otherwise, so they are compared by name."""
_APART = frozenset({"policy", "forms"})
"""What of a rule decides nothing about what is found, and what is compared by itself."""

Forms = tuple[frozenset[int], frozenset[int]]
"""The forms of a rule that only the set before has, and those that only the set after has, by their numbers."""


@dataclass(frozen=True)
class Edit:
    """The difference between two sets of rules, as far as articles can tell it."""

    before: RuleSet
    after: RuleSet
    forms: Mapping[str, Forms] = field(default_factory=dict)
    """Name of a rule that differs → the forms that do; all of them, where something else of it differs."""
    phrases: frozenset[str] = frozenset()
    """The phrases of shared lists that mean something else, or that only one set has."""
    owned: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Name of a rule → the same of its own lists."""
    everything: bool = False
    """Whether any article may be touched."""

    def of(self, rule: str) -> Edit:
        """The difference where that rule is alone."""
        forms = {name: both for name, both in self.forms.items() if name == rule}
        owned = {name: phrases for name, phrases in self.owned.items() if name == rule}
        return replace(self, forms=forms, owned=owned)

    @cached_property
    def _by_word(self) -> dict[str, list[frozenset[str]]]:
        found: dict[str, list[frozenset[str]]] = {}
        for phrase in self.phrases.union(*self.owned.values()):
            words = phrase.split()
            found.setdefault(max(words, key=len, default=""), []).append(frozenset(words))
        return found

    @cached_property
    def _sides(self) -> Sequence[tuple[RuleSet, Mapping[str, frozenset[int]], Few]]:
        """Each set that has forms that differ, with these."""
        found = []
        for side, rules in enumerate((self.before, self.after)):
            if forms := {name: both[side] for name, both in self.forms.items() if both[side]}:
                found.append((rules, forms, Few(rules.sieve, forms)))
        return found

    @cached_property
    def none(self) -> bool:
        """Whether the two sets surely find the same in every article."""
        return not (self.everything or self._by_word or self._sides)

    def touches(self, article: Article) -> bool:
        """Whether the two sets may find different things in an article; where they do not, they surely find the same."""
        if self.everything:
            return True
        if self.none:
            return False
        words = frozenset(fold(plain(f"{article.title}\n{article.text}")).decode("ascii").split())
        if any(phrase <= words for word in words & self._by_word.keys() for phrase in self._by_word[word]):
            return True
        return any(few.holds(words) and _possible(rules, forms, article) for rules, forms, few in self._sides)


def _possible(rules: RuleSet, wanted: Mapping[str, frozenset[int]], article: Article) -> bool:
    """Whether one of some forms may match anywhere in an article."""
    for _, part in parts(article):
        pages = read(rules, part)
        possible = any(
            not forms.isdisjoint(numbers)
            for page in pages
            for name, forms in wanted.items()
            for numbers in page.possible.get(name, {}).values()
        )
        for page in pages:
            page.release()
        if possible:
            return True
    return False


def between(before: RuleSet, after: RuleSet) -> Edit:
    """What is different between two sets."""
    alike = before.shared == after.shared  # the shared lists and cues are the same, so a rule is its file
    if not alike and (
        before.states != after.states or before.beside != after.beside or _computed(before) != _computed(after)
    ):
        return Edit(before, after, everything=True)
    rules = [{rule.policy.name: rule for rule in one.rules} for one in (before, after)]
    numbered_alike = before.names == after.names
    named = [_Named(before), _Named(after)]
    forms: dict[str, Forms] = {}
    owned: dict[str, frozenset[str]] = {}
    for name in sorted(rules[0].keys() | rules[1].keys()):
        old, new = (one.get(name) for one in rules)
        if alike and old and new and old.policy.version == new.policy.version:
            continue
        if numbered_alike and old == new and before.owned((name,))[1] == after.owned((name,))[1]:
            continue
        if differing := _forms(old and named[0].rule(old), new and named[1].rule(new)):
            forms[name] = differing
        if words := _differing(*[one.owned(name) for one in named]):
            owned[name] = words
    phrases = frozenset() if alike else _phrases(before, after, named)
    everything = sum(map(len, (phrases, *owned.values()))) > MANY
    return Edit(before, after, forms, phrases, owned, everything)


def _phrases(before: RuleSet, after: RuleSet, named: Sequence[_Named]) -> frozenset[str]:
    """The phrases of shared lists that differ; read with the names of lists only where these are numbered otherwise."""
    if before.names == after.names:
        return _differing(before.meanings, after.meanings)
    return _differing(*[one.shared() for one in named])


def _computed(rules: RuleSet) -> set[str]:
    return COMPUTED.keys() & rules.lists.keys()


class _Named:
    """What a set is made of, with the names of lists for their numbers."""

    def __init__(self, rules: RuleSet) -> None:
        self._rules = rules
        self._cues: dict[int, Any] = {}

    def rule(self, rule: Rule) -> tuple[Any, Sequence[Any]]:
        """A rule without what nobody sees in what it finds; and its forms."""
        rest = {name: self._part(Rule, name, part) for name, part in rule._asdict().items() if name not in _APART}
        return rest, [self._value(form) for form in rule.forms]

    def _value(self, value: Any) -> Any:
        kind = type(value)
        if kind is Cue and id(value) in self._cues:
            return self._cues[id(value)]
        if kind in LISTS:
            found = tuple(self._part(kind, name, part) for name, part in value._asdict().items())
            if kind is Cue:  # rules share them
                self._cues[id(value)] = found
            return found
        return tuple(map(self._value, value)) if isinstance(value, tuple) else value

    def _part(self, kind: type, name: str, part: Any) -> Any:
        return self._renamed(part) if name in LISTS[kind] else self._value(part)

    def _renamed(self, part: Any) -> Any:
        if isinstance(part, int):
            return ("list", self._rules.names.get(part))
        return type(part)(map(self._renamed, part)) if isinstance(part, tuple | frozenset) else part

    def shared(self) -> Mapping[str, Any]:
        """The phrases of the shared lists, with what they mean."""
        names = self._rules.names
        known: dict[int, Any] = {}  # phrases alike share what they mean
        found = {}
        for phrase, (lexemes, cancelled) in self._rules.meanings.items():
            meant = known.get(id(lexemes))
            if meant is None:
                meant = known[id(lexemes)] = self._meant(lexemes), [names[one] for one in cancelled]
            if meant[0] or meant[1]:
                found[phrase] = meant
        return found

    def owned(self, rule: str) -> Mapping[str, Any]:
        """The phrases of a rule's own lists, with what they mean."""
        own = self._rules.owned((rule,))[1] if rule in self._rules.order else {}
        return {phrase: self._meant(lexemes) for phrase, lexemes in own.items()}

    def _meant(self, lexemes: Iterable[Lexeme]) -> list[Any]:
        """What a phrase means, but that forms name it as it is written: what they find is compared with them."""
        named = [(self._rules.names[one.list], *one[1:]) for one in lexemes]
        return [one for one in named if not one[0].startswith('"')]


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> frozenset[str]:
    """The phrases that mean one thing before and another after."""
    return frozenset(phrase for phrase in before.keys() | after.keys() if before.get(phrase) != after.get(phrase))


def _forms(before: tuple[Any, Sequence[Any]] | None, after: tuple[Any, Sequence[Any]] | None) -> Forms | None:
    """The forms that only one of two versions of a rule has; all, where something else differs, or their order."""
    rests, forms = ([one[at] if one else () for one in (before, after)] for at in (0, 1))
    if rests[0] == rests[1]:
        both = frozenset(forms[0]) & frozenset(forms[1])
        if [one for one in forms[0] if one in both] == [one for one in forms[1] if one in both]:
            old, new = (frozenset(at for at, one in enumerate(some) if one not in both) for some in forms)
            return (old, new) if old or new else None
    return frozenset(range(len(forms[0]))), frozenset(range(len(forms[1])))
