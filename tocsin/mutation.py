"""Rules with one thing changed, to see whether their tests notice: a test that passes whatever the rule says proves nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from tocsin.article import Article
from tocsin.compiled import Rule as Compiled
from tocsin.compiled import RuleSet
from tocsin.detection import detect
from tocsin.errors import Fault
from tocsin.packing import Entries, sieved
from tocsin.rule import Form, Model, Rule, Tests, Words
from tocsin.rules import DEFAULT_GAP, GAP_LIMIT, Loaded
from tocsin.text import fold, fold_phrase
from tocsin.trial import STORIES, run
from tocsin.words import noun_forms, verb_forms

Kind = Literal["form", "gap", "choice", "tag", "key", "cue", "entry", "exception"]
KINDS: tuple[Kind, ...] = get_args(Kind)
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
    """One rule with one thing changed."""

    rule: str
    kind: Kind
    what: str
    path: tuple[str | int, ...]
    """Leads to what was changed in the rule's file."""
    model: Rule | None = None
    """The rule as it is then; None where only a list is changed."""
    without: frozenset[tuple[str, int]] = frozenset()
    """Phrases that are missing in a list, or do not cancel it."""

    @property
    def surfaces(self) -> frozenset[bytes]:
        """A text that holds none of them is read as before; none where any text may be read otherwise."""
        return frozenset(phrase.encode("ascii") for phrase, _ in self.without)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the tests of a rule notice a mutant, and which does."""

    mutant: Mutant
    by: str
    """The kind of test, or seeds; empty where nothing noticed it."""
    at: Fault


class Range:
    """Where the mutants of one rule are tried: on its own tests, and on the seeds."""

    def __init__(self, loaded: Loaded, name: str, seeds: Sequence[Article] = ()) -> None:
        assert loaded.draft is not None  # noqa: S101 - `load` gives it
        self.loaded, self.name = loaded, name
        self.rule, self.source = loaded.models[name], loaded.sources[name]
        self._entries = Entries(loaded.draft)
        compiled = self._compile(self.rule)
        assert compiled is not None  # noqa: S101 - it was loaded
        self._compiled = compiled
        self._sieve = sieved([compiled], self._entries)
        self._base = self._set(self._compiled, frozenset())
        self._seeds = [(article, _told(self._base, article)) for article in seeds]
        self._passing = self._sound(run(self._base, self.rule))

    def mutants(self) -> list[Mutant]:
        """Every mutant there is; some may come to the same as the rule."""
        return list(_of_rule(self.loaded, self.name))

    def verdict(self, mutant: Mutant) -> Verdict | None:
        """Whether a mutant is noticed; None where it comes to the same as the rule."""
        compiled = self._compile(mutant.model) if mutant.model else self._compiled
        if mutant.model and compiled == self._compiled:
            return None
        return Verdict(mutant, self._noticed(mutant, compiled), self.source.fault(mutant.path, mutant.what))

    def _noticed(self, mutant: Mutant, compiled: Compiled | None) -> str:
        if compiled is None:  # it does not even load
            return "check"
        tests = self._tests(mutant.surfaces)
        rules = self._set(compiled, mutant.without)
        for outcome in run(rules, self.rule.model_copy(update={"tests": tests})):
            if outcome.faults:
                return outcome.kind
        seeds = (
            one
            for one in self._seeds
            if not mutant.surfaces or _holds(one[0].title + "\n" + one[0].text, mutant.surfaces)
        )
        return "seeds" if any(_told(rules, article) != told for article, told in seeds) else ""

    def _set(self, compiled: Compiled, without: frozenset[tuple[str, int]]) -> RuleSet:
        sieve = self._sieve if compiled is self._compiled else sieved([compiled], self._entries)
        return self.loaded.rule_set.variant(compiled, sieve, without=without)

    def _compile(self, model: Rule) -> Compiled | None:
        assert self.loaded.again is not None  # noqa: S101 - `load` gives it
        return self.loaded.again(self.source, model)

    def _sound(self, outcomes: Iterator[Any]) -> Tests:
        """The tests that the rule passes when it is alone."""
        passed = {(one.kind, one.index) for one in outcomes if one.passed}
        kept: dict[str, Any] = {
            kind: [test for index, test in enumerate(getattr(self.rule.tests, kind)) if (kind, index) in passed]
            for kind in type(self.rule.tests).model_fields
        }
        return Tests.model_construct(None, **kept)

    def _tests(self, surfaces: frozenset[bytes]) -> Tests:
        """The tests whose texts may be read otherwise."""
        if not surfaces:
            return self._passing
        tests = self._passing
        kept: dict[str, Any] = {
            "fires": [test for test in tests.fires if _holds(f"{test.title}\n{test.text}", surfaces)],
            "silent": [text for text in tests.silent if _holds(text, surfaces)],
        }
        for kind in STORIES:
            told = getattr(tests, kind)
            kept[kind] = [some for some in told if any(_holds(f"{one.title}\n{one.text}", surfaces) for one in some)]
        return Tests.model_construct(None, **kept)


def _holds(text: str, surfaces: frozenset[bytes]) -> bool:
    words = b" " + b" ".join(fold(text).split()) + b" "
    return any(b" " + surface + b" " in words for surface in surfaces)


def _told(rules: RuleSet, article: Article) -> list[tuple[object, ...]]:
    """What a rule says of an article, without the words of its sentences."""
    return [
        (one.rule, one.who, one.where, one.what, one.stage, one.certainty, one.flags, len(one.sentences))
        for one in detect(rules, article)
    ]


def _of_rule(loaded: Loaded, name: str) -> Iterator[Mutant]:
    rule = loaded.models[name]
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
        else [cue.name for cue in loaded.rule_set.rules[loaded.rule_set.order[name]].cues]
    )
    for cue in cues:
        yield _changed(rule, "cue", f"deaf to the cue {cue!r}", ("ignore_cues",), ignore_cues=[*rule.ignore_cues, cue])
    for own, words in rule.lists.items():
        yield from _of_list(rule.name, own, words, loaded.rule_set.lists[f"{name}.{own}"])


def _changed(rule: Rule, kind: Kind, told: str, path: tuple[str | int, ...], /, **update: object) -> Mutant:
    return Mutant(rule.name, kind, told, path, rule.model_copy(update=update))


def _without(phrases: dict[str, list[str]], name: str, at: int) -> dict[str, list[str]]:
    return {**phrases, name: [*phrases[name][:at], *phrases[name][at + 1 :]]}


def _of_form(rule: Rule, index: int, form: Form) -> Iterator[Mutant]:
    """The form deleted, each of its gaps widened, each choice, tag and key left out."""
    told, path = f"form {form.form!r}", ("forms", index)
    yield _changed(rule, "form", f"without the {told}", path, forms=[*rule.forms[:index], *rule.forms[index + 1 :]])

    def swapped(kind: Kind, what: str, **update: object) -> Mutant:
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
    for group in _CHOICE.finditer(form):
        choices = [choice.strip() for choice in group[1].split("|")]
        for choice in choices:
            rest = " | ".join(one for one in choices if one != choice)
            yield "choice", f"without the choice {choice!r}", f"{form[: group.start()]}({rest}){form[group.end() :]}"
    for tag in _TAG.finditer(form):
        yield "tag", f"{tag[1]}> for {tag[0]}", f"{form[: tag.start()]}{tag[1]}>{form[tag.end() :]}"


def _of_fields(rule: Rule) -> Iterator[Mutant]:
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


def _of_list(rule: str, name: str, words: Words, number: int) -> Iterator[Mutant]:
    """Each entry of one of the rule's own lists dropped, and each phrase under `not`."""
    kinds: tuple[tuple[str, Sequence[str], Callable[[str], Any]], ...] = (
        ("words", words.words, lambda entry: (entry,)),
        ("nouns", words.nouns, noun_forms),
        ("verbs", words.verbs, verb_forms),
    )
    written = [
        (kind, entry, frozenset(fold_phrase(one) for one in forms(entry)))
        for kind, entries, forms in kinds
        for entry in entries
    ]
    for kind, entry, surfaces in written:
        others = frozenset[bytes]().union(*[some for _, one, some in written if one != entry])
        if gone := surfaces - others:
            without = frozenset((surface.decode("ascii"), number) for surface in gone)
            told = f"without {entry!r} in the list {name!r}"
            yield Mutant(rule, "entry", told, ("lists", name, kind), None, without)
    for entry in words.not_:
        phrase = fold_phrase(entry)
        without = frozenset({(phrase.decode("ascii"), number)})
        told = f"without {entry!r} under `not` of the list {name!r}"
        yield Mutant(rule, "exception", told, ("lists", name, "not"), None, without)
