"""The rules while somebody edits them: what came of every article is remembered, so that an edit costs only what it touches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tocsin.adapters.rulebook import models
from tocsin.article import Article
from tocsin.cli.crowd import Heard
from tocsin.cli.diff import Case, cases_of
from tocsin.cli.faults import faults_of
from tocsin.cli.verdicts import Verdicts
from tocsin.compiled import RuleSet
from tocsin.difference import KINDS, Change, Ended, compare
from tocsin.errors import Fault, RuleFaults
from tocsin.policy import Policy
from tocsin.rehearsal import Rehearsal
from tocsin.rules import Loaded, Shelf
from tocsin.trial import Outcome, run


@dataclass(frozen=True, slots=True)
class Failure:
    """An inline test that did not come out, and where it stands."""

    outcome: Outcome
    at: Fault


@dataclass(frozen=True, slots=True)
class Round:
    """What the rules are worth as they stand."""

    faults: tuple[Fault, ...]
    rules: int = 0
    tests: int = 0
    failures: tuple[Failure, ...] = ()
    changes: tuple[tuple[str, Change], ...] | None = None
    """What differs in alerts from the base, with the name of its case; None where faults leave that open."""


@dataclass
class Bench:
    """A folder of rules that is looked at again and again, and what it is compared with."""

    folder: Path
    base: Loaded
    shelf: Shelf = field(default_factory=Shelf)
    verdicts: Verdicts = field(default_factory=Verdicts)
    """Who remembers which variants pass."""
    loaded: Loaded | None = None
    """The folder as it was read last."""
    _now: Heard = field(default_factory=Heard)
    _before: Heard = field(default_factory=Heard)
    _ends: dict[tuple[Article, ...], Ended] = field(default_factory=dict)
    """Of each case, how it ends with the base."""
    _kept: dict[tuple[Article, ...], tuple[object, list[Change]]] = field(default_factory=dict)
    """Of each case what its changes were made of, and the changes."""
    _policies: dict[str, Policy] = field(default_factory=dict)
    """Of each rule what it says of alerts, whatever its version."""

    def look(self) -> Round:
        """Reads what is new in the folder, and tries it."""
        return self.tried(self.read())

    def read(self) -> Round:
        """Reads what is new in the folder: its faults, which need not wait for what comes of the tests."""
        try:
            self.loaded = models(self.folder, shelf=self.shelf)
        except RuleFaults as error:
            self.loaded = None
            return Round(tuple(error.faults))
        return Round(tuple(faults_of(self.folder, self.loaded)), len(self.loaded.models))

    def tried(self, found: Round) -> Round:
        """What was read, with what comes of its tests and alerts."""
        loaded = self.loaded
        if loaded is None or not loaded.models:
            return found
        self._now.turn(loaded.rule_set)
        cases = cases_of([loaded, self.base])[0]
        self._now.prepare([article for case in cases for article in case.articles])
        outcomes = [
            (name, outcome)
            for name, rule in loaded.models.items()
            for outcome in run(loaded.rule_set, rule, self._now.seek)
        ]
        failures = tuple(
            Failure(one, loaded.sources[name].fault(one.path, "; ".join(one.faults), one.code))
            for name, one in outcomes
            if one.faults
        )
        changes = (
            None
            if loaded.faults
            else tuple(sorted(self._changes(cases, loaded.rule_set), key=lambda one: KINDS.index(one[1].kind)))
        )
        return replace(found, tests=len(outcomes), failures=failures, changes=changes)

    def vary(self) -> tuple[int, tuple[Failure, ...]]:
        """How many words the variants of the rules have, and those that do not come out. It takes longer, so it comes after everything else."""
        if self.loaded is None:
            return 0, ()
        found = self.verdicts.of(self.loaded, self.loaded.models, varied=True)
        wrong = [(one, self.loaded.sources[verdict.rule]) for verdict in found for one in verdict.failed]
        return sum(verdict.counts.total() for verdict in found), tuple(
            Failure(one, source.fault(one.path, "; ".join(one.faults), one.code)) for one, source in wrong
        )

    def _changes(self, cases: Sequence[Case], rules: RuleSet) -> Iterator[tuple[str, Change]]:
        """How alerts differ from those of the base."""
        if self._before.rules is None:
            self._before.turn(self.base.rule_set)
            self._before.prepare([article for case in cases for article in case.articles])
        policies = self._said(rules)
        for case in cases:
            key = tuple(case.articles)
            found = [self._now.seek(rules, article) for article in key]
            made = found, [policies.get(signal.rule) for signals in found for signal in signals]
            kept = self._kept.get(key)
            if kept is None or kept[0] != made:
                kept = self._kept[key] = made, self._compared(case, key, rules)
            yield from ((case.name, change) for change in kept[1])

    def _said(self, rules: RuleSet) -> dict[str, Policy]:
        """What each rule says of alerts; the same as before, where it does."""
        told = {rule.policy.name: replace(rule.policy, version="") for rule in rules.rules}
        before = self._policies
        self._policies = {name: before[name] if before.get(name) == one else one for name, one in told.items()}
        return self._policies

    def _compared(self, case: Case, key: tuple[Article, ...], rules: RuleSet) -> list[Change]:
        if key not in self._ends:
            self._ends[key] = _ended(case, self.base.rule_set, self._before)
        return compare(self._ends[key], _ended(case, rules, self._now))


def _ended(case: Case, rules: RuleSet, heard: Heard) -> Ended:
    rehearsal = Rehearsal(rules, case.start)
    return Ended.of(
        rehearsal,
        [alert for article in case.articles for alert in rehearsal.hears(article, heard.seek(rules, article))],
    )
