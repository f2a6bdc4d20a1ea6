"""What an edit of the rules may touch: which rules differ, and which words mean something else. Most articles need not be read again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from tocsin.article import Article
from tocsin.compiled import Rule, RuleSet
from tocsin.match import parts, read
from tocsin.text import fold, plain

MANY = 2_000
"""Phrases that differ, above which every article is taken to be touched."""


@dataclass(frozen=True)
class Edit:
    """The difference between two sets of rules, as far as articles can tell it."""

    before: RuleSet
    after: RuleSet
    rules: frozenset[str] = frozenset()
    """The rules that differ, or that only one set has."""
    phrases: frozenset[str] = frozenset()
    """The phrases of shared lists that mean something else, or that only one set has."""
    everything: bool = False
    """Whether any article may be touched."""

    @cached_property
    def _by_word(self) -> dict[str, list[frozenset[str]]]:
        found: dict[str, list[frozenset[str]]] = {}
        for phrase in self.phrases:
            words = phrase.split()
            found.setdefault(max(words, key=len, default=""), []).append(frozenset(words))
        return found

    def touches(self, article: Article) -> bool:
        """Whether the two sets may find different things in an article; where they do not, they surely find the same."""
        if self.everything or (self.phrases and self._holds(article)):
            return True
        return bool(self.rules) and any(self._is_possible(rules, article) for rules in (self.before, self.after))

    def _holds(self, article: Article) -> bool:
        """Whether an article holds all words of a phrase that differs."""
        words = frozenset(fold(plain(f"{article.title}\n{article.text}")).decode("ascii").split())
        return any(phrase <= words for word in words & self._by_word.keys() for phrase in self._by_word[word])

    def _is_possible(self, rules: RuleSet, article: Article) -> bool:
        """Whether a rule that differs may match anywhere in an article."""
        for _, part in parts(article):
            pages = read(rules, part)
            possible = any(not self.rules.isdisjoint(page.possible) for page in pages)
            for page in pages:
                page.release()
            if possible:
                return True
        return False


def between(before: RuleSet, after: RuleSet) -> Edit:
    """What is different between two sets."""
    if before.shared == after.shared:  # the shared lists and cues are the same, so a rule is its file
        versions = [{rule.policy.name: rule.policy.version for rule in rules.rules} for rules in (before, after)]
        return Edit(before, after, frozenset(name for name, _ in versions[0].items() ^ versions[1].items()))
    if before.names != after.names or before.states != after.states:  # lists have other numbers
        return Edit(before, after, everything=True)
    compiled = [{rule.policy.name: _bare(rule) for rule in rules.rules} for rules in (before, after)]
    names = compiled[0].keys() | compiled[1].keys()
    differing = frozenset(name for name in names if compiled[0].get(name) != compiled[1].get(name))
    phrases = frozenset(_differing(before, after))
    return Edit(before, after, differing, phrases, everything=len(phrases) > MANY)


def _bare(rule: Rule) -> Rule:
    """A rule without the printed names, which are in no signal."""
    return rule._replace(policy=replace(rule.policy, names={}))


def _differing(before: RuleSet, after: RuleSet) -> Iterable[str]:
    """The phrases that mean one thing before and another after."""
    old, new = before.meanings(), after.meanings()
    return (phrase for phrase in old.keys() | new.keys() if old.get(phrase) != new.get(phrase))
