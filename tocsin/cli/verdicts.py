"""What comes of the inline tests of rules: tried on all cores, and what passed is tried again only where an edit touches it.

What passed is kept in the user's cache, for each rule under all that decides it: what is written in the rules that are asked, but for their
tests, in the shared lists and cues, and the code. Of a set that differs from one of before, the tests are known whose texts the edit does not touch.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property

from tocsin.adapters.kept import Kept
from tocsin.adapters.rulebook import remembered
from tocsin.cli.crowd import CHUNK, SOME, counted, spread
from tocsin.compiled import RuleSet
from tocsin.coverage import Coverage
from tocsin.edit import Edit, between
from tocsin.policy import Policy
from tocsin.rule import Rule
from tocsin.rulefiles import behind, code_of
from tocsin.rules import Loaded
from tocsin.trial import Outcome, Trial, Variant, trials, tried, variants

KEPT = 400
"""Rules, in one state or another, of which it is kept which of their tests pass."""

LOOKS = 3
"""States of before that are looked at, the last first."""

ENOUGH = 0.9
"""Share of a rule's tests that is sooner tried than looked up in another state."""

Test = Trial | Variant
Row = tuple[str, str, str, Sequence[str], Sequence[str]]
"""What came of a test that passed: its text, what was wanted and what came, the forms and the cues."""


@dataclass(frozen=True, slots=True)
class Tested:
    """What came of a test, and what it touched."""

    outcome: Outcome
    forms: Sequence[str] = ()
    """The forms of its rule that match in it."""
    cues: Sequence[str] = ()
    """The cues that are heard in it."""


@dataclass(frozen=True)
class Verdict:
    """What came of some tests of one rule."""

    rule: str
    made: Callable[[], Sequence[Tested]]
    """Each test; where all are known to have passed, they are listed only when somebody asks."""
    counts: Counter[str]
    """How many there are of each kind."""
    failed: tuple[Outcome, ...] = ()
    forms: frozenset[str] = frozenset()
    """The forms of the rule that match in its tests."""
    cues: frozenset[str] = frozenset()
    """The cues that are heard in them."""

    @cached_property
    def tested(self) -> Sequence[Tested]:
        """Each test, in the order of the file."""
        return self.made()


@dataclass
class Verdicts:
    """Who tries tests, and knows of what came of them before."""

    kept: Kept | None = None
    sets: Callable[[str], RuleSet | None] = lambda _: None
    """The sets that were compiled before, by their keys."""
    _edits: dict[tuple[str, str], Edit | None] = field(default_factory=dict)

    def of(self, loaded: Loaded, names: Iterable[str], *, varied: bool | None = None) -> list[Verdict]:
        """What comes of the tests of some rules, in the order of the files: of all, of variants alone, or of all but these."""
        kinds = [kind for kind in _KINDS if varied is None or varied == (kind is _KINDS[1])]
        names = [*names]
        asked = [_Asked(loaded, name, kind) for kind in kinds for name in names if kind.has(loaded, name)]
        new = [test for one in asked for test in self._unknown(one)]
        came = spread(_Tries(loaded).each, new, CHUNK, few=SOME)
        fresh = iter(counted(came, len(new), "tests") if len(new) > SOME else came)
        found: dict[str, list[Verdict]] = {name: [] for name in names}
        for one in asked:
            found[one.rule].append(self._verdict(one, fresh))
        return [_joined(some) for some in found.values() if some]

    def _unknown(self, asked: _Asked) -> list[Test]:
        """The tests of which it is not known that they pass."""
        if self.kept is None:
            return asked.tests
        if (known := _read(self.kept.get(asked.name))) and known.text == asked.text:
            asked.known = known
            return []
        asked.rows = self._untouched(asked) if known is None else asked.among(known.rows)
        return [one for one in asked.tests if one.name not in asked.rows]

    def _untouched(self, asked: _Asked) -> Mapping[str, Row]:
        """What is known of other states of the rules, as far as what lies between does not touch it."""
        found: dict[str, Row] = {}
        for name in self.kept.like(asked.prefix)[:LOOKS] if self.kept else ():
            known = _read(self.kept.get(name)) if self.kept else None
            if known and (edit := self._edit(asked, known.set)):
                rows = known.rows
                found |= {
                    test: rows[test]
                    for test, one in asked.by_name.items()
                    if test in rows and test not in found and not asked.touched(one, edit)
                }
            if len(found) > ENOUGH * len(asked.by_name):
                break
        return found

    def _edit(self, asked: _Asked, before: str) -> Edit | None:
        """What lies between another set and this one, as far as some tests can tell it; None where the other is not known any more."""
        key = before, asked.loaded.key
        if key not in self._edits:
            rules = self.sets(before) if before else None
            self._edits[key] = between(rules, asked.loaded.rule_set) if rules else None
        edit = self._edits[key]
        return edit.of(asked.rule) if edit and asked.kind.alone else edit

    def _verdict(self, asked: _Asked, fresh: Iterator[Tested]) -> Verdict:
        """What came of the tests of one kind, which is kept as far as they passed."""
        if known := asked.known:
            return Verdict(
                asked.rule,
                lambda: [_passed(one, known.rows[one.name]) for one in asked.tests],
                asked.counts,
                (),
                known.forms,
                known.cues,
            )
        tested = [_passed(one, asked.rows[one.name]) if one.name in asked.rows else next(fresh) for one in asked.tests]
        failed = tuple(one.outcome for one in tested if not one.outcome.passed)
        forms = frozenset(form for one in tested for form in one.forms)
        cues = frozenset(cue for one in tested for cue in one.cues)
        if self.kept:
            rows = {test.name: _row(one) for test, one in zip(asked.tests, tested, strict=True) if one.outcome.passed}
            self.kept.put(
                asked.name, _written(_Known(asked.loaded.key, "" if failed else asked.text, forms, cues, rows))
            )
        return Verdict(asked.rule, lambda: tested, asked.counts, failed, forms, cues)


def verdicts() -> Verdicts:
    """What is known in the user's cache."""
    return Verdicts(Kept("tests", KEPT), remembered)


@dataclass(frozen=True, slots=True)
class _Kind:
    """Tests that hang on the same things."""

    name: str
    alone: bool
    """Whether their rule is alone where they are tried."""
    tests: Callable[[Rule], Iterable[Test]]

    def has(self, loaded: Loaded, rule: str) -> bool:
        """Whether a rule has any."""
        return not self.alone or bool(loaded.models[rule].tests.variants)


_KINDS = (_Kind("trials", alone=False, tests=trials), _Kind("variants", alone=True, tests=variants))


class _Asked:
    """The tests of one kind of one rule, and what is known of them."""

    def __init__(self, loaded: Loaded, rule: str, kind: _Kind) -> None:
        self.loaded, self.rule, self.kind = loaded, rule, kind
        tried = f"{rule} {version()}"  # what other code made of it is nothing to begin with
        self.prefix = f"{kind.name}-{hashlib.sha256(tried.encode()).hexdigest()[:32]}-"
        self.name = f"{self.prefix}{_key(loaded, [rule] if kind.alone else loaded.models)}"
        self.text = hashlib.sha256(loaded.sources[rule].text.encode("utf-8", "surrogatepass")).hexdigest()
        self.known: _Known | None = None
        """What was kept, where it is of this very file, in which every test passed."""
        self.rows: Mapping[str, Row] = {}
        """What is known of single tests, by their names."""

    @cached_property
    def tests(self) -> list[Test]:
        """The tests, in the order of the file."""
        return [*self.kind.tests(self.loaded.models[self.rule])]

    @cached_property
    def by_name(self) -> dict[str, Test]:
        """The tests by their names."""
        return {one.name: one for one in self.tests}

    def among(self, rows: Mapping[str, Row]) -> dict[str, Row]:
        """Those of some rows that are of these tests."""
        return {name: rows[name] for name in self.by_name if name in rows}

    @property
    def counts(self) -> Counter[str]:
        """How many there are of each kind."""
        counts = self.loaded.models[self.rule].tests.counts()
        return Counter({kind: count for kind, count in counts.items() if (kind == "variants") == self.kind.alone})

    def touched(self, test: Test, edit: Edit) -> bool:
        """Whether an edit may change what comes of a test: by what is found in its texts, or by what is made of that."""
        if test.told_apart and self._policy(edit.before) != self._policy(edit.after):
            return True
        return not edit.none and any(edit.touches(article) for article in test.articles)

    def _policy(self, rules: RuleSet) -> Policy | None:
        return replace(rules.policy(self.rule), version="") if self.rule in rules.order else None


def _joined(found: Sequence[Verdict]) -> Verdict:
    """What came of tests of several kinds of one rule."""
    return Verdict(
        found[0].rule,
        lambda: [one for some in found for one in some.tested],
        sum((one.counts for one in found), Counter()),
        tuple(outcome for one in found for outcome in one.failed),
        frozenset().union(*(one.forms for one in found)),
        frozenset().union(*(one.cues for one in found)),
    )


class _Tries:
    """Tries tests; in other processes, too."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._alone: dict[str, RuleSet] = {}

    def each(self, tests: Sequence[Test]) -> list[Tested]:
        """What comes of each."""
        return [self._tried(one) for one in tests]

    def _tried(self, test: Test) -> Tested:
        touched, rules = Coverage(), self._loaded.rule_set
        if isinstance(test, Trial):
            outcome = test.tried(rules, self._loaded.models[test.rule], touched.hears)
        else:
            if test.rule not in self._alone:
                self._alone[test.rule] = rules.alone(test.rule)
            outcome = tried(self._alone[test.rule], test, touched.hears)
        return Tested(outcome, sorted(form for rule, form in touched.forms if rule == test.rule), sorted(touched.cues))


@dataclass(frozen=True)
class _Known:
    """What is kept of the tests of a rule."""

    set: str
    """The key of the set in which they were tried."""
    text: str
    """Names the file of the rule, where every test of it passed."""
    forms: frozenset[str]
    cues: frozenset[str]
    rows: Mapping[str, Row]
    """Name of a test that passed → what came of it."""


class _Rows(Mapping[str, Row]):
    """Rows of JSON that are read when one is wanted."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    @cached_property
    def _read(self) -> dict[str, Row]:
        found: dict[str, Row] = json.loads(self._data)
        return found

    def __getitem__(self, name: str) -> Row:
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read)

    def __len__(self) -> int:
        return len(self._read)


def _read(data: bytes | None) -> _Known | None:
    """What was kept; it is whole, for `Kept` gives nothing else."""
    if data is None:
        return None
    head, _, rows = data.partition(b"\n")
    told = json.loads(head)
    return _Known(told["set"], told["text"], frozenset(told["forms"]), frozenset(told["cues"]), _Rows(rows))


def _written(known: _Known) -> bytes:
    head = {"set": known.set, "text": known.text, "forms": sorted(known.forms), "cues": sorted(known.cues)}
    return json.dumps(head).encode() + b"\n" + json.dumps(dict(known.rows)).encode()


def _row(tested: Tested) -> Row:
    one = tested.outcome
    return one.text, one.wanted, one.got, tested.forms, tested.cues


def _passed(test: Test, row: Row) -> Tested:
    text, wanted, got, forms, cues = row
    return Tested(test.passed(text, wanted, got), forms, cues)


def _key(loaded: Loaded, names: Iterable[str]) -> str:
    """Names all that decides what some rules find: what is written in them, but for their tests, the shared lists and cues, and this version."""
    told = [loaded.models[name].model_dump_json(exclude={"tests"}) for name in names]
    return hashlib.sha256(repr((told, loaded.draft.shared)).encode()).hexdigest()


@cache
def version() -> str:
    """Names the code that tries a test, and that tells which tests an edit may touch."""
    return code_of(*behind("trial", "coverage", "edit")).hex()
