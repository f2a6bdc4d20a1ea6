"""Rules with one thing changed, to see whether their tests notice: a test that passes whatever the rule says proves nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, get_args

from tocsin.article import Article
from tocsin.compiled import Form as CompiledForm
from tocsin.compiled import Rule as Compiled
from tocsin.compiled import RuleSet
from tocsin.demands import ENGINE
from tocsin.detection import detect
from tocsin.errors import Fault
from tocsin.match import Finding, parts, read
from tocsin.rule import Form, Model, Rule, Tests, Words, choices
from tocsin.rules import DEFAULT_GAP, GAP_LIMIT, Loaded
from tocsin.signal import Signal
from tocsin.source import Source
from tocsin.text import fold_phrase
from tocsin.trial import Hears, article_of, articles, run, trials, tried, variants
from tocsin.words import noun_forms, verb_forms

Kind = Literal["form", "gap", "choice", "tag", "key", "cue", "entry", "exception"]
KINDS: tuple[Kind, ...] = get_args(Kind)
ALIKE = 8
"""Words of a sentence on which a mutant of a form is tried; more of them are there for a list."""
WIDER = 3
"""Times as wide a gap becomes."""
_GAP = re.compile(r"(\.{2,3}&?)(\d*)(?=\s|\Z)")
_CHOICE = re.compile(r"\(([^()]*\|[^()]*)\)")
_TAG = re.compile(r"(<[a-z0-9_-]+):[a-z]+>")
_LISTS = (
    "never",
    "never_in_sentence",
    "never_in_lead",
    "never_in_title",
    "never_as_theme",
    "about",
    "needs",
    "ignore_cues",
)
"""Fields of a rule of which each entry may be missing."""
_PARTS = ("who", "where", "what")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One rule, or one shared list, with one thing changed."""

    rule: str
    """The rule; of an entry of a shared list, empty."""
    kind: Kind
    what: str
    at: Fault
    """Where what was changed stands."""
    model: Rule | None = None
    """The rule as it is then; None where only a list is changed."""
    without: frozenset[tuple[str, int]] = frozenset()
    """Phrases that are missing in a list, or do not cancel it."""
    cue: str = ""
    """The cue that is not heard."""
    entry: tuple[str, tuple[str, ...]] = ("", ())
    """Of an entry of a list: the key it stands under, and what is missing, each choice made."""

    @property
    def surfaces(self) -> frozenset[bytes]:
        """A text that holds none of them is read as before; none where any text may be read otherwise."""
        return frozenset(phrase.encode("ascii") for phrase, _ in self.without)


class Heard(NamedTuple):
    """What some articles say, as far as it tells which mutants read them otherwise."""

    words: bytes
    """Their words, with a space around each."""
    lists: tuple[AbstractSet[int], ...]
    """Of each sentence, the lists it has words of."""

    def holds(self, phrases: Iterable[bytes]) -> bool:
        """Whether any of these phrases stands there."""
        return any(b" " + phrase + b" " in self.words for phrase in phrases)

    def may_match(self, forms: Iterable[CompiledForm]) -> bool:
        """Whether a sentence has a word for each step of one of some forms."""
        asked = [[step.lists for step in form.steps if not step.optional] for form in forms]
        return any(all(not lists.isdisjoint(step) for step in steps) for steps in asked for lists in self.lists)


@dataclass(frozen=True, slots=True)
class Unit:
    """One test of a rule that it passes: of variants, one word's."""

    kind: str
    tests: Tests
    """The test, alone."""
    articles: tuple[Article, ...]
    heard: Heard
    cues: frozenset[str]
    """The cues that are heard in it."""
    alike: bool
    """Whether the words before it in its sentence do as well, unless a list is changed."""


class Range:
    """Where the mutants of one rule are tried: on its own tests, and on the seeds."""

    def __init__(self, loaded: Loaded, name: str, seeds: Sequence[Article] = ()) -> None:
        self.loaded, self.name = loaded, name
        self.rule, self.source = loaded.models[name], loaded.sources[name]
        compiled = self._compile(self.rule)
        assert compiled is not None  # noqa: S101 - it was loaded
        self.compiled = compiled
        self.base = loaded.rule_set.variant(compiled, loaded.rule_set.sieve.of(name))
        self._open = loaded.rule_set.variant(compiled)
        """Looks for words of the rule's lists in any text, whatever forms may match."""
        self._seeds = [(article, self._hears([article]), _told(self.base, article)) for article in seeds]
        self.units = list(self._sound())

    def mutants(self) -> list[Mutant]:
        """Every mutant of the rule's file there is; some may come to the same as the rule."""
        return list(_of_rule(self.loaded, self.name))

    def altered(self, mutant: Mutant) -> RuleSet | None:
        """The rule with a mutant's change; None where it comes to the same, or does not even load."""
        changed = self._changed(mutant)
        return self.loaded.rule_set.variant(changed, without=mutant.without) if isinstance(changed, Compiled) else None

    def noticed(self, mutant: Mutant) -> str | None:
        """Which kind of test notices a mutant, or `check`, or the seeds: empty where none does, None where it comes to the same as the rule."""
        compiled = self._changed(mutant)
        if not isinstance(compiled, Compiled):
            return compiled
        concerns = self._concerns(mutant, compiled)
        some = self.units if mutant.without else [unit for unit in self.units if not unit.alike]
        units = [unit for unit in some if (not mutant.cue or mutant.cue in unit.cues) and concerns(unit.heard)]
        seeds = [(article, told) for article, heard, told in self._seeds if concerns(heard)]
        if not units and not seeds:
            return ""
        rules = self.loaded.rule_set.variant(compiled, without=mutant.without)
        for unit in units:
            if not self.passes(rules, unit.tests):
                return unit.kind
        return "seeds" if any(_told(rules, article) != told for article, told in seeds) else ""

    def lacking(self, without: frozenset[tuple[str, int]]) -> RuleSet:
        """The rule where lists lack some phrases."""
        return self.loaded.rule_set.variant(self.compiled, self.base.sieve, without=without)

    def passes(self, rules: RuleSet, tests: Tests, hears: Hears | None = None) -> bool:
        """Whether a rule, perhaps a mutant, passes some tests."""

        def seek(rules: RuleSet, article: Article) -> tuple[Signal, ...]:
            return detect(rules, article, hears)

        rule = self.rule.model_copy(update={"tests": tests})
        return not any(
            one.faults for one in (*run(rules, rule, seek), *(tried(rules, one, hears) for one in variants(rule)))
        )

    def _concerns(self, mutant: Mutant, compiled: Compiled) -> Callable[[Heard], bool]:
        """Whether a text may be read otherwise by a mutant; where that is not plain, it may."""
        if mutant.without:
            return lambda heard: heard.holds(mutant.surfaces)
        if compiled._replace(forms=()) != self.compiled._replace(forms=()):
            return lambda _: True
        differing = {*compiled.forms} ^ {*self.compiled.forms}
        return lambda heard: heard.may_match(differing)

    def _hears(self, told: Iterable[Article]) -> Heard:
        pages = [page for article in told for _, part in parts(article) for page in read(self._open, part)]
        words = " ".join(word for page in pages for word in page.words)
        lists = tuple(sentence.by_list.keys() for page in pages for sentence in page.sentences)
        return Heard(f" {words} ".encode("ascii"), lists)

    def _changed(self, mutant: Mutant) -> Compiled | Literal["check"] | None:
        """The rule with a mutant's change, compiled; None where it comes to the same, `check` where it does not even load."""
        if mutant.model is None:
            return self.compiled
        compiled = self._compile(mutant.model)
        return "check" if compiled is None else compiled if compiled != self.compiled else None

    def _compile(self, model: Rule) -> Compiled | None:
        assert self.loaded.again is not None  # noqa: S101 - `load` gives it
        compiled = self.loaded.again(self.source, model)
        if compiled is None:
            return None
        return compiled._replace(policy=replace(compiled.policy, names={}))  # the printed names are in no test

    def _sound(self) -> Iterator[Unit]:
        """The tests that the rule passes when it is alone."""
        for kind, tests, alike in _apart(self.rule):
            heard: set[str] = set()

            def hears(finding: Finding, heard: set[str] = heard) -> None:
                heard.update(cue.name for cue, _ in finding.cues)

            rule = self.rule.model_copy(update={"tests": tests})
            told = [article for _, some in articles(rule) for article in some]
            told += [article_of(one.test.text, one.test.title) for one in variants(rule)]
            if self.passes(self.base, tests, hears):
                yield Unit(kind, tests, tuple(told), self._hears(told), frozenset(heard), alike)


def _apart(rule: Rule) -> Iterator[tuple[str, Tests, bool]]:
    """Each test alone, with its kind; variants word by word, and whether the words before it are as good."""
    yield from ((one.kind, one.tests, False) for one in trials(rule))
    for some in rule.tests.variants:
        for place, word in enumerate(some.words):
            alone = Tests.model_construct(None, variants=[some.model_copy(update={"words": [word]})])
            yield "variants", alone, place >= ALIKE


def _told(rules: RuleSet, article: Article) -> list[tuple[object, ...]]:
    """What a rule says of an article, without the words of its sentences."""
    return [
        (one.rule, one.who, one.where, one.what, one.stage, one.certainty, one.flags, len(one.sentences))
        for one in detect(rules, article)
    ]


def _of_rule(loaded: Loaded, name: str) -> Iterator[Mutant]:
    source, rule = loaded.sources[name], loaded.models[name]
    for path, change in _changes(loaded, rule):
        yield Mutant(name, change.kind, change.what, source.fault(path, change.what), change.model, cue=change.cue)
    holdings = Holdings(loaded)
    for own in rule.lists:
        yield from holdings.of_list(f"{name}.{own}", name)


@dataclass(frozen=True, slots=True)
class _Change:
    """What is changed in the file of a rule, and the rule as it is then."""

    kind: Kind
    what: str
    model: Rule
    cue: str = ""


_Changes = Iterator[tuple[tuple[str | int, ...], _Change]]


def _changes(loaded: Loaded, rule: Rule) -> _Changes:
    """Every change of a rule that is no change of a list, and where it is made."""
    for index, form in enumerate(rule.forms):
        yield from _of_form(rule, index, form)
    for phrase, wordings in rule.phrases.items():
        for at, wording in enumerate(wordings):
            path = ("phrases", phrase, at)
            if len(wordings) > 1:
                yield _changed(
                    rule,
                    "choice",
                    f"without the wording {wording!r} of {phrase!r}",
                    path,
                    phrases=_without(rule.phrases, phrase, at),
                )
            for kind, what, text in _texts(wording):
                swapped = {**rule.phrases, phrase: [*wordings[:at], text, *wordings[at + 1 :]]}
                yield _changed(rule, kind, f"{what} in {wording!r} of {phrase!r}", path, phrases=swapped)
    yield from _of_fields(rule)
    cues = (
        rule.cues
        if rule.cues is not None
        else [cue.name for cue in loaded.rule_set.rules[loaded.rule_set.order[rule.name]].cues]
    )
    for cue in cues:
        deaf = rule.model_copy(update={"ignore_cues": [*rule.ignore_cues, cue]})
        yield ("ignore_cues",), _Change("cue", f"deaf to the cue {cue!r}", deaf, cue)


def _changed(
    rule: Rule, kind: Kind, told: str, path: tuple[str | int, ...], /, **update: object
) -> tuple[tuple[str | int, ...], _Change]:
    return path, _Change(kind, told, rule.model_copy(update=update))


def _without(phrases: dict[str, list[str]], name: str, at: int) -> dict[str, list[str]]:
    return {**phrases, name: [*phrases[name][:at], *phrases[name][at + 1 :]]}


def _of_form(rule: Rule, index: int, form: Form) -> _Changes:
    """The form deleted, each of its gaps widened, each choice, tag and key left out."""
    told, path = f"form {form.form!r}", ("forms", index)
    yield _changed(rule, "form", f"without the {told}", path, forms=[*rule.forms[:index], *rule.forms[index + 1 :]])

    def swapped(kind: Kind, what: str, **update: object) -> tuple[tuple[str | int, ...], _Change]:
        forms = [*rule.forms]
        forms[index] = form.model_copy(update=update)
        return _changed(rule, kind, f"{what} in the {told}", path, forms=forms)

    for kind, what, text in _texts(form.form):
        yield swapped(kind, what, form=text)
    for key in sorted(form.model_fields_set - {"form"}):
        usual = type(form).model_fields[key].get_default(call_default_factory=True)
        yield swapped("key", f"without `{key.removesuffix('_')}`", **{key: usual})


def _texts(form: str) -> Iterator[tuple[Kind, str, str]]:
    """A form with one word or gap of its text changed: what kind of change, the change in words, and the form."""
    for gap in _GAP.finditer(form):
        width = int(gap[2] or DEFAULT_GAP)
        wider = min(GAP_LIMIT, max(width, 1) * WIDER)
        if wider > width:
            yield (
                "gap",
                f"the gap {gap[0]} as wide as {wider}",
                f"{form[: gap.start()]}{gap[1]}{wider}{form[gap.end() :]}",
            )
    for choice, text in _less_a_choice(form):
        yield "choice", f"without the choice {choice!r}", text
    for tag in _TAG.finditer(form):
        yield "tag", f"{tag[1]}> for {tag[0]}", f"{form[: tag.start()]}{tag[1]}>{form[tag.end() :]}"


def _less_a_choice(text: str) -> Iterator[tuple[str, str]]:
    """Each choice of a form or an entry, and the text without it."""
    for group in _CHOICE.finditer(text):
        several = [choice.strip() for choice in group[1].split("|")]
        for choice in several:
            rest = [one for one in several if one != choice]
            left = f"({' | '.join(rest)})" if len(rest) > 1 else "".join(rest)
            yield choice, f"{text[: group.start()]}{left}{text[group.end() :]}"


def _of_fields(rule: Rule) -> _Changes:
    """Each entry of a list of the rule, and each key of who, where and what, left out."""
    for field in _LISTS:
        entries = getattr(rule, field)
        for at, entry in enumerate(entries):
            yield _changed(
                rule,
                "key",
                f"without {entry!r} under `{field}`",
                (field, at),
                **{field: [*entries[:at], *entries[at + 1 :]]},
            )
    for field in ("tense", "active"):
        if field in rule.model_fields_set and getattr(rule, field) != Rule.model_fields[field].default:
            yield _changed(rule, "key", f"without `{field}`", (field,), **{field: Rule.model_fields[field].default})
    for name in _PARTS:
        part: Model | None = getattr(rule, name)
        if part is None:
            continue
        for field in sorted(part.model_fields_set):
            info = type(part).model_fields[field]
            if not info.is_required():
                usual = info.get_default(call_default_factory=True)
                told = f"without `{field.removesuffix('_')}` of `{name}`"
                yield _changed(
                    rule, "key", told, (name, field.removesuffix("_")), **{name: part.model_copy(update={field: usual})}
                )


class Holdings:
    """What each word list holds, and which others take it from there: what is missing when one of its entries is."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._reach = dict(_reach(loaded))
        self._origins: Counter[tuple[str, int]] = Counter()
        """Phrase and number of a list → how many entries bring the one into the other."""
        for name, (_, source, path) in loaded.declared.items():
            for entry in _written(source, path):
                if entry.key != "not":
                    self._origins.update((one, number) for one in entry.surfaces for number in self._reach[name])

    def of_shared(self, names: Iterable[str]) -> Iterator[Mutant]:
        """Each entry dropped, and each phrase under `not`, of the shared word lists that some rules read."""
        rules = self._loaded.rule_set
        read = frozenset[int]().union(*(_read(rules.rules[rules.order[name]]) for name in names))
        read |= {rules.lists[name] for name in ENGINE if name in rules.lists}
        for name, (words, _, _) in self._loaded.declared.items():
            if isinstance(words, Words) and "." not in name and read & self._reach[name]:
                yield from self.of_list(name)

    def of_list(self, name: str, rule: str = "") -> Iterator[Mutant]:
        """Each entry of a list dropped, each choice in one, and each phrase under `not`, from every list that takes it from there."""
        _, source, path = self._loaded.declared[name]
        called = name.rpartition(".")[2]
        for entry in _written(source, path):
            exception = entry.key == "not"
            for what, gone in entry.less():
                pairs = ((one, number) for one in entry.only(gone) for number in self._reach[name])
                if without := frozenset(pair for pair in pairs if exception or self._origins[pair] == 1):
                    told = f"without {what} {'under `not` of' if exception else 'in'} the list {called!r}"
                    at = source.fault((*path, entry.key), told)
                    kind: Kind = "exception" if exception else "entry"
                    yield Mutant(rule, kind, told, at, None, without, entry=(entry.key, gone))


@dataclass(frozen=True, slots=True)
class _Written:
    """An entry of a list as it is written."""

    key: str
    """What it stands under."""
    text: str
    spread: Mapping[str, frozenset[str]]
    """The entries that it stands for, each choice made, and the ways in which a text can hold them."""

    @property
    def surfaces(self) -> frozenset[str]:
        """The ways in which a text can hold it."""
        return frozenset[str]().union(*self.spread.values())

    def only(self, some: Iterable[str]) -> frozenset[str]:
        """The ways in which a text can hold some of the entries it stands for, and no other."""
        others = frozenset[str]().union(*(self.spread[one] for one in self.spread.keys() - some))
        return frozenset[str]().union(*(self.spread[one] for one in some)) - others

    def less(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """What may be missing of it, in words, and the entries it stands for that are missing then: the whole, or a choice."""
        yield repr(self.text), (*self.spread,)
        for choice, text in _less_a_choice(self.text):
            left = choices(text)
            if gone := tuple(one for one in self.spread if one not in left):
                yield f"the choice {choice!r} of {self.text!r}", gone


def _reach(loaded: Loaded) -> Iterator[tuple[str, frozenset[int]]]:
    """Each list, with the numbers of the lists that hold its entries: its own, and of those that include it."""
    takers: dict[str, set[str]] = {name: set() for name in loaded.declared}
    for name, (words, _, _) in loaded.declared.items():
        scope, dot, _ = name.rpartition(".")
        for other in words.include:
            own = f"{scope}{dot}{other}"
            takers.get(own, takers.get(other, set())).add(name)
    for name in takers:
        held, new = {name}, {name}
        while new:
            new = set[str]().union(*(takers[one] for one in new)) - held
            held |= new
        yield name, frozenset(loaded.rule_set.lists[one] for one in held)


def _read(rule: Compiled) -> frozenset[int]:
    """The lists that a rule asks for."""
    forms = [*rule.forms, *(form for cue in rule.cues for form in cue.forms)]
    found = [step.lists for form in forms for step in form.steps]
    found += [
        frozenset(one)
        for form in forms
        for one in (
            form.with_,
            form.without,
            form.about,
            form.told,
            (need for need in form.needs if isinstance(need, int)),
        )
    ]
    found += [frozenset(one) for cue in rule.cues for one in (cue.lists, cue.unless)]
    found += [
        rule.never,
        rule.never_in_sentence,
        rule.never_in_lead,
        rule.never_in_title,
        rule.never_as_theme,
        rule.after_done,
        rule.deed,
    ]
    found += [rule.actors, rule.owners, rule.places, *(figure.of for figure in rule.figures)]
    return frozenset[int]().union(*found, (number for _, number in rule.materiel), (number for number, _ in rule.vague))


_INFLECTED: Mapping[str, Callable[[str], Iterable[str]]] = {"nouns": noun_forms, "verbs": verb_forms}
"""Key of a list → the ways in which a text can hold what stands under it; anything else as it is written."""


def _written(source: Source, path: tuple[str | int, ...]) -> Iterator[_Written]:
    """Each entry of a list, and each phrase under `not`, as it stands in the file."""
    at: Any = source.data
    for step in path:
        at = at[step]
    for key in ("words", "nouns", "verbs", "not"):
        for text in at.get(key, ()):
            yield _Written(key, text, {one: frozenset(map(_folded, _forms(key, one))) for one in choices(text)})


def _forms(key: str, entry: str) -> Iterable[str]:
    return _INFLECTED[key](entry) if key in _INFLECTED else [entry]


def _folded(phrase: str) -> str:
    return fold_phrase(phrase).decode("ascii")
