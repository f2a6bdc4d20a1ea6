"""What is asked of a rule set that loads: no dead form, no dead list, enough tests, and what an analyst on duty needs."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from tocsin.compiled import Form, Step
from tocsin.compiled import Rule as Compiled
from tocsin.errors import Fault
from tocsin.rule import BLANK, Cue, Rule, Tests
from tocsin.rules import Loaded, named, ways
from tocsin.sieve import COMPUTED
from tocsin.source import Source
from tocsin.text import fold_phrase

ENGINE = COMPUTED.keys() | frozenset({
    "reporting", "intent", "telling", "theatres", "body", "institutions", "relays", "both", "power", "alliances", "states", "arsenals",
})  # fmt: skip
"""Lists the engine itself looks at."""


@dataclass(frozen=True, slots=True)
class Enough:
    """How many tests a rule of some status has at least."""

    fires: int
    silent: int
    actors: int = 1
    stages: int = 0
    stories: int = 0


ENOUGH = {
    "stable": Enough(fires=6, silent=6, actors=4, stages=1, stories=2),
    "test": Enough(fires=6, silent=6, actors=4, stages=1),
    "experimental": Enough(fires=1, silent=1),
    "deprecated": Enough(fires=0, silent=0, actors=0),
}
"""What each status asks for: an alert that is posted has been tried most."""
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE)
_TOLD = {
    "policy": (
        "TOC405",
        "say what the rule does about domestic use of troops, relief, police, peacekeepers, exercises",
    ),
    "references": ("TOC406", "name at least one source for what the rule looks for"),
    "falsepositives": ("TOC407", "say what it is known to take for a signal"),
    "runbook": ("TOC408", "say what an analyst does with an alert"),
}


def shortcomings(loaded: Loaded) -> list[Fault]:
    """Every demand a rule set does not meet, in the order of files and lines."""
    found = [*_unused(loaded), *_same_ids(loaded)]
    words = _Words(loaded)
    for rule in loaded.draft.among_all():
        model, source = loaded.models[rule.policy.name], loaded.sources[rule.policy.name]
        found += _untold(model, source)
        found += _repeated(model, source)
        found += _unknown_names(model, source, rule.policy.names)
        found += untested(model, source)
        found += _dead_forms(rule, model, source, words)
    found += _cancelled(loaded, words)
    found += _twice_in_a_list(loaded)
    return sorted(set(found))


def _unused(loaded: Loaded) -> Iterator[Fault]:
    """Lists nothing refers to; not asked where something did not load, for that may have used them."""
    if loaded.faults:
        return
    for name, (words, source, path) in loaded.declared.items():
        if isinstance(words, Cue) or name in loaded.used | ENGINE:
            continue
        yield source.fault(
            path, f"the list {name.rpartition('.')[2]!r} is never used; use it in a rule or remove it", "TOC401"
        )
    for rule, model in loaded.models.items():
        used = {phrase for form in model.forms for phrase in named(form.form)}
        for name in sorted(model.phrases.keys() - used):
            what = f"the phrase {name!r} stands in no form; use it or remove it"
            yield loaded.sources[rule].fault(["phrases", name], what, "TOC402")


def _cancelled(loaded: Loaded, known: _Words) -> Iterator[Fault]:
    """Lists whose exceptions leave no entry."""
    for name, (words, source, path) in loaded.declared.items():
        exceptions = {fold_phrase(phrase).decode("ascii") for phrase in words.not_}
        own = known.entries.get(loaded.draft.lists[name], set())
        if exceptions and own and own <= exceptions:
            yield source.fault(
                path, f"the `not` of the list {name!r} cancels every entry; remove one or the other", "TOC403"
            )


def _same_ids(loaded: Loaded) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for name, model in loaded.models.items():
        if model.id in seen:
            what = f"the id is that of the rule {seen[model.id]!r}; give it one of its own (`python3 -c 'import uuid; print(uuid.uuid4())'`)"
            yield loaded.sources[name].fault(["id"], what, "TOC404")
        seen.setdefault(model.id, name)


def _untold(rule: Rule, source: Source) -> Iterator[Fault]:
    for key, (code, mend) in _TOLD.items():
        if not getattr(rule, key):
            yield source.fault([key] if key in rule.model_fields_set else ["title"], f"has no {key}; {mend}", code)


def _repeated(rule: Rule, source: Source) -> Iterator[Fault]:
    """An id that is none, a form and a text that stand there twice."""
    if not _UUID.match(rule.id):
        mend = "make one with `python3 -c 'import uuid; print(uuid.uuid4())'`"
        yield source.fault(["id"], f"{rule.id!r} is no UUID; {mend}", "TOC214")
    forms: dict[str, int] = {}
    for index, form in enumerate(rule.forms):
        first = forms.setdefault(form.model_dump_json(), index)
        if first != index:
            what = f"the form {form.form!r} is written twice, as form {first + 1} and {index + 1}; remove one"
            yield source.fault(["forms", index, "form"], what, "TOC313")
    texts: dict[tuple[str, str], str] = {}
    for name, path, text in _told(rule.tests):
        before = texts.setdefault(text, name)
        if before != name:
            what = f"the text stands in the tests already, as {before}; remove one"
            yield source.fault(["tests", *path], what, "TOC425")


def _told(tests: Tests) -> Iterator[tuple[str, list[str | int], tuple[str, str]]]:
    """Each text of the tests: what it is called, where it stands, its headline and itself."""
    for index, test in enumerate(tests.fires):
        yield f"fires {index + 1}", ["fires", index], (test.title, test.text)
    for index, text in enumerate(tests.silent):
        yield f"silent {index + 1}", ["silent", index], ("", text)
    for index, some in enumerate(tests.variants):
        for place, word in enumerate(some.words):
            told = some.title.replace(BLANK, word), some.text.replace(BLANK, word)
            yield f"variants {index + 1} {word!r}", ["variants", index, "words", place], told


def _unknown_names(rule: Rule, source: Source, names: Collection[str]) -> Iterator[Fault]:
    """Slugs that no list of names has: what asks for one can never be met."""
    asked: list[tuple[list[str | int], Iterable[str]]] = [
        (["who", "only"], rule.who.only),
        (["who", "watchers"], rule.who.watchers),
        (["where", "merge"], [slug for group in (rule.where.merge if rule.where else []) for slug in group]),
    ]
    for index, form in enumerate(rule.forms):
        asked.append((["forms", index, "only_who"], form.only_who))
    for path, slugs in asked:
        for slug in slugs:
            if slug not in names:
                near = get_close_matches(slug, names, 1)
                mend = f", did you mean {near[0]!r}?" if near else "; write a slug of one"
                yield source.fault(path, f"no list of names has {slug!r}{mend}", "TOC312")


def _twice_in_a_list(loaded: Loaded) -> Iterator[Fault]:
    """Entries of a list that stand there twice."""
    for name, (words, source, path) in loaded.declared.items():
        for kind in ("verbs", "nouns", "words"):
            entries = Counter(getattr(words, kind))
            for entry in (one for one, count in entries.items() if count > 1):
                what = f"the list {name!r} holds {entry!r} twice; remove one"
                yield source.fault((*path, kind), what, "TOC314")


def untested(rule: Rule, source: Source) -> Iterator[Fault]:
    """The kinds of test of which a rule has fewer than its status asks for."""
    enough, tests = ENOUGH[rule.status], rule.tests
    actors = {test.who for test in tests.fires if test.who}
    wanted = [
        ("TOC411", "fires", len(tests.fires), enough.fires, "tests that must fire"),
        ("TOC412", "silent", len(tests.silent), enough.silent, "tests that must stay silent"),
        ("TOC413", "fires", len(actors), enough.actors if rule.who.required else 0, "different actors (`who`) in the tests that fire"),
        ("TOC414", "fires", sum(test.stage is not None for test in tests.fires), enough.stages, "tests that name the stage"),
        *((code, kind, len(getattr(tests, kind)), enough.stories, f"tests of {kind}") for kind, code in _STORIES.items()),
    ]  # fmt: skip
    for code, kind, count, least, what in wanted:
        if count < least:
            path = ["tests", kind] if getattr(tests, kind) else ["tests"]
            yield source.fault(
                path, f"has {count} {what}; a rule of status {rule.status} needs {least}; add some", code
            )


_STORIES = {"same_story": "TOC415", "new_story": "TOC416", "update": "TOC417"}
"""The kinds of story test, and the code of having too few."""


class _Words:
    """Which lists have words at all, and of which forms."""

    def __init__(self, loaded: Loaded) -> None:
        lists = loaded.draft.lists
        self.names = {number: name for name, number in lists.items()}
        self.entries: dict[int, set[str]] = defaultdict(set)
        """The phrases of each list."""
        self._tags: dict[int, set[str]] = defaultdict(set)
        self._computed = frozenset(lists[name] for name in COMPUTED if name in lists)
        for lexeme, phrases in loaded.draft.meant():
            self.entries[lexeme.list].update(phrases)
            self._tags[lexeme.list].add(lexeme.tag)

    def any(self, step: Step) -> bool:
        """Whether some word can stand at a step."""
        return any(self._has(number, step.tags) for number in step.lists)

    def _has(self, number: int, tags: frozenset[str]) -> bool:
        if number in self._computed and not tags:
            return True
        return bool(self._tags.get(number, set()) & tags if tags else self._tags.get(number))

    def said(self, numbers: Iterable[int]) -> str:
        """The lists, for a message."""
        return " or ".join(sorted(self.names[number] for number in numbers))


def _dead_forms(rule: Compiled, model: Rule, source: Source, words: _Words) -> Iterator[Fault]:
    written = [index for index, form in enumerate(model.forms) for _ in ways(form.form, model.phrases)]
    for index, form in zip(written, rule.forms, strict=True):
        for code, key, what in _contradictions(rule, form, words):
            yield source.fault(["forms", index, key], f"the form can never match: {what}", code)


def _contradictions(rule: Compiled, form: Form, words: _Words) -> Iterator[tuple[str, str, str]]:
    """Why a form can never match: the code of the check, the field, and what is wrong."""
    barred = rule.never_in_sentence | {*form.without}
    for step in form.steps:
        if step.optional:
            continue
        if not words.any(step):
            tags = f" in the form {' or '.join(sorted(step.tags))}" if step.tags else ""
            yield (
                "TOC421",
                "form",
                f"no entry of {words.said(step.lists)}{tags}; give the list one, or leave the tag out",
            )
        elif step.lists <= barred:
            what = f"{words.said(step.lists)} must stand in it and must not stand in the sentence"
            yield "TOC422", "form", f"{what}; take it out of `without` or `never_in_sentence`"
    if form.with_ and barred.issuperset(form.with_):
        yield "TOC423", "with", f"{words.said(form.with_)} must and must not stand in the sentence; take it out of one"
    lists = {need for need in form.needs if isinstance(need, int)}
    if form.needs and len(lists) == len(form.needs) and lists <= barred | rule.never:
        yield (
            "TOC424",
            "needs",
            f"{words.said(lists)} is needed and silences the match; take it out of `needs`, `without` or `never`",
        )
