"""A folder of rule files, read and compiled: every fault is collected, and a rule that does not load stops no other."""

from __future__ import annotations

import difflib
import gc
import hashlib
import json
import re
from collections import ChainMap, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import product
from math import prod
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from tocsin import compiled, spelling
from tocsin.compiled import Heeded, Lexeme, RuleSet, Step
from tocsin.errors import Fault, RuleFaults
from tocsin.packing import Draft, Said, packed
from tocsin.policy import Policy
from tocsin.rows import absolute
from tocsin.rule import Cue, CuesFile, Form, Model, Name, NamesFile, Phrases, Rule, Words, WordsFile
from tocsin.rulefiles import SHORT, code_of, files_of, fingerprint, paths_of
from tocsin.source import Source, contents, decoded, digest
from tocsin.text import fold, fold_phrase
from tocsin.words import noun_forms, verb_forms

ROUTES = "routes.yaml"
"""The one file beside the rules that is none: see `tocsin.routes`."""
DEFAULT_GAP = 6
GAP_LIMIT = 40
MAX_WAYS = 500
"""Forms that one form may stand for."""
TAGS = {
    "past": {"past", "part", "bare"},
    "ing": {"ing"},
    "base": {"base", "bare"},
    "present": {"base", "s", "bare"},
    "plural": {"plural"},
    "people": {"people"},
    "adjectives": {"adjectives"},
    "named": {"names", "short", "seats", "word"},
    "verb": {"base", "s", "ing", "past", "part", "bare"},
}
"""What may stand behind the colon of `<list:past>`."""
_ROLES = ("names", "adjectives", "people", "short", "seats", "leaders", "forces", "parliaments")
_MODELS: dict[str, type[Model]] = {"words": WordsFile, "names": NamesFile, "cues": CuesFile}


_MISNAMED = re.compile(r"(.+?)\.(?:yml|ya?ml\.txt|YA?ML)")
"""Names that editors and habit give to files of YAML, which are not those of files that are read."""
_M = TypeVar("_M", bound=Model)


@dataclass
class Loaded:
    """A folder as read: the rules' models, every fault, and what the compiled set is packed of when somebody asks for it."""

    models: dict[str, Rule]
    draft: Draft
    faults: list[Fault] = field(default_factory=list)
    sources: dict[str, Source] = field(default_factory=dict)
    """Name of a rule → its file."""
    declared: dict[str, tuple[Words | Cue, Source, tuple[str | int, ...]]] = field(default_factory=dict)
    """Name of a list or cue → as written, and where."""
    used: frozenset[str] = frozenset()
    """The lists something refers to."""
    packs: Callable[[Draft], RuleSet] = packed
    """Who packs the set."""
    key: str = ""
    """Names the compiled set where it is kept."""
    fingerprint: str = ""
    """The hash of every file of the folder, as they were read; empty where one cannot be."""
    again: Callable[[Source, Rule], compiled.Rule | None] | None = None
    """Compiles another version of a rule against the same lists, for one that asks for no list or word that there is not."""

    @cached_property
    def rule_set(self) -> RuleSet:
        """The compiled set of what loads."""
        with unswept():
            return self.packs(self.draft)


@dataclass
class Shelf:
    """Files as they were read and understood, so that a folder that is loaded again and again costs only what is new."""

    sources: dict[str, tuple[bytes, Source]] = field(default_factory=dict)
    """Name of a file → what stood in it, and what that was read as."""
    models: dict[str, tuple[Source, Any, tuple[Fault, ...]]] = field(default_factory=dict)
    """Name of a file → as it was read, the model of it, and its faults."""
    kept: Keeps | None = None
    """What was read in other runs."""
    packed: tuple[Draft, RuleSet] | None = None
    """The set that was packed last, and of what."""

    def read(self, raw: bytes, file: str) -> Source:
        """The bytes of a file, read; from what is kept, where they were read before."""
        if self.kept is None:
            return decoded(raw, file)
        key = hashlib.sha256(_reader() + raw).hexdigest()
        if data := self.kept.get(key):
            with suppress(ValueError):
                return Source.of(file, raw.decode("utf-8-sig"), json.loads(data))
        source = decoded(raw, file)
        data = json.dumps(source.data).encode()
        if json.loads(data) == source.data:
            self.kept.put(key, data)
        return source


class Keeps(Protocol):
    """Who keeps things by what they were made of."""

    def get(self, key: str) -> bytes | None:
        """What was kept under a key."""

    def put(self, key: str, data: bytes) -> None:
        """Keeps something."""


@cache
def _reader() -> bytes:
    """Names the reader of files: what another version of it read does not count."""
    return code_of("source")


def load(folder: Path, shelf: Shelf | None = None) -> Loaded:
    """Reads and compiles a folder: rules in it, lists and cues below it. `RuleFaults` only when nothing can be used.

    What stands on the shelf is not read again, and what is read is put there.
    """
    if not folder.is_dir():
        raise RuleFaults([Fault(str(folder), 1, 1, "is not a folder of rules; name one with --rules", "TOC201")])
    with unswept():
        return _Loader(folder, shelf or Shelf()).load()


@contextmanager
def unswept() -> Iterator[None]:
    """Without looking for garbage: next to nothing made meanwhile is, and looking for it takes a third of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where names of lists are looked up: in a rule, whose own lists go before those everybody shares; or in none.

    A rule's own lists have numbers below zero, counted within the rule, so that forms that are alike in several rules are one.
    """

    rule: str = ""
    first: int = 0
    """The number its first list has among all of them."""
    own: Mapping[str, int] = field(default_factory=dict)
    kind: int = 0
    """The same where the names of the own lists mean the same."""

    def among_all(self, number: int) -> int:
        """The number that a list has among all of them."""
        return absolute(number, self.first)


_SHARED = _Scope()


class _Loader:
    """Works through one folder, collecting faults."""

    def __init__(self, folder: Path, shelf: Shelf) -> None:
        self.folder, self.shelf = folder, shelf
        self.faults: list[Fault] = []
        self._paths = paths_of(folder)
        self._raw: dict[str, bytes] = {}
        """What stands in the files that were read, by their place in the folder."""
        self.numbers: dict[str, int] = {}
        self.entries: dict[Lexeme, dict[str, None]] = defaultdict(dict)
        self.owned: dict[str, list[Said]] = defaultdict(list)
        self.cancels: dict[str, dict[int, None]] = defaultdict(dict)
        self.words: dict[str, tuple[Words | Cue, Source, tuple[str | int, ...]]] = {}
        self.cues: dict[str, compiled.Cue] = {}
        self.printed: dict[str, str] = {}
        self.states: dict[str, str] = {}
        self.beside: dict[str, list[str]] = {}
        self.verb_lists: set[int] = set()
        self.used: set[int] = set()
        self._found: dict[tuple[int, str], list[int]] = {}
        """Kind of scope and name of a list → what it stands for."""
        self._scopes: dict[str, _Scope] = {}
        """Name of a rule → its scope."""
        self._kinds: dict[Any, int] = {(): _SHARED.kind}
        """What scopes are alike in → the number of their kind."""
        self._formed: dict[Any, tuple[tuple[compiled.Form, ...], set[int]]] = {}
        """A form and all that decides what is made of it → that, and the lists it asks for."""
        self._worded_before: dict[Any, dict[str, dict[str, None]]] = {}
        """The entries of a list as written → its phrases."""
        self._asked: set[int] = set()
        """Lists that were asked for since somebody wanted to know."""
        self._heard: dict[tuple[tuple[str, ...] | None, ...], Heeded] = {}

    def load(self) -> Loaded:
        self._unread()
        shared = [*self._sources([*self._inside("cues/"), *self._inside("lists/")])]
        for source in shared:
            self._read_shared(source)
        rules = [(source, rule) for source in self._sources(self._inside("")) if (rule := self._read_rule(source))]
        if not rules and not self.faults:
            self.faults.append(
                Fault(str(self.folder), 1, 1, "holds no rule; a rule is a file NAME.yaml in this folder", "TOC202")
            )
        firsts = {}
        for source, rule in rules:
            firsts[rule.name] = len(self.numbers)
            for name, words in rule.lists.items():
                self._declare(f"{rule.name}.{name}", words, source, ("lists", name))
        self._fill()
        self.used |= self._asked  # by cues: those of all are among all
        self._scopes = {rule.name: self._scope(rule, firsts[rule.name]) for _, rule in rules}
        ready = [(rule, built) for source, rule in rules if (built := self._compile(source, rule))]
        printed = self._fingerprint()
        draft = Draft(
            version=printed[:SHORT] or "unreadable",
            shared=digest([source.data for source in shared]) if shared else "none",
            rules=tuple(built for _, built in ready),
            lists=self.numbers,
            entries=self.entries,
            owned=self.owned,
            cancels=self.cancels,
            states=self.states,
            beside=self.beside,
            printed=self.printed,
            firsts=firsts,
        )
        names = {number: name for name, number in self.numbers.items()}
        return Loaded(
            {rule.name: rule for rule, _ in ready},
            draft,
            sorted(set(self.faults)),
            {rule.name: source for source, rule in rules},
            self.words,
            frozenset(names[number] for number in self.used),
            again=self._again,
            fingerprint=printed,
        )

    def _sources(self, names: Iterable[str]) -> Iterator[Source]:
        root = self.folder.parent
        called = self.folder.relative_to(root) if self.folder.is_relative_to(root) else self.folder
        before = "" if str(called) == "." else f"{called}/"
        for inside in names:
            name = f"{before}{inside}"
            try:
                raw = contents(self._paths[inside], name)
                known = self.shelf.sources.get(name)
                source = known[1] if known and known[0] == raw else self.shelf.read(raw, name)
                self.shelf.sources[name] = raw, source
                self._raw[inside] = raw
            except RuleFaults as error:
                self.faults += error.faults
            else:
                yield source

    def _fingerprint(self) -> str:
        """The hash of all files; empty where one cannot be read, whose fault is told."""
        try:
            others = files_of(self.folder, {name: self._paths[name] for name in self._paths.keys() - self._raw.keys()})
        except OSError:
            return ""
        files = self._raw | others
        return fingerprint(files) if len(files) == len(self._paths) else ""

    def _validate(self, model: type[_M], source: Source) -> _M | None:
        """The file as its model, from the shelf where it stands there."""
        known = self.shelf.models.get(source.file)
        if known is None or known[0] is not source:
            faults: list[Fault] = []
            parsed = validate(model, source, faults)
            known = self.shelf.models[source.file] = source, parsed, tuple(faults)
        self.faults += known[2]
        found: _M | None = known[1]
        return found

    def _unread(self) -> None:
        """What was surely meant to be read, and is not: for its name, or for the folder it lies in."""
        read = set(map(str, self._paths.values()))
        for path in self.folder.rglob("*.*"):
            if str(path) in read:
                continue
            inside = path.relative_to(self.folder)
            if any(part.startswith(("_", ".")) for part in inside.parts):
                continue
            file = str(path.relative_to(self.folder.parent))
            if named := _MISNAMED.fullmatch(path.name):
                what = f"is not read: files of rules end with .yaml; rename it {named[1]}.yaml"
                self.faults.append(Fault(file, 1, 1, what, "TOC215"))
            elif path.suffix == ".yaml" and str(inside.parent) not in {".", "lists", "cues"}:
                what = "is not read: rules lie in the folder itself, lists and cues in lists/ and cues/; move it there"
                self.faults.append(Fault(file, 1, 1, what, "TOC215"))

    def _inside(self, place: str) -> Iterator[str]:
        """The files that are read of the folder, or of one below it."""
        for name in self._paths:
            before, _, file = name.rpartition("/")
            if before == place[:-1] and name != ROUTES and not file.startswith(("_", ".")):
                yield name

    def _read_shared(self, source: Source) -> None:
        kind = source.data.get("kind") if isinstance(source.data, dict) else None
        model = _MODELS.get(kind or "")
        if model is None:
            self.faults.append(
                source.fault(["kind"], f"unknown kind {kind!r}; write one of: {', '.join(_MODELS)}", "TOC203")
            )
            return
        parsed = self._validate(model, source)
        if isinstance(parsed, WordsFile):
            for name, words in parsed.lists.items():
                self._declare(name, words, source, ("lists", name))
        elif isinstance(parsed, NamesFile):
            if parsed.list in self.words:
                what = f"the list {parsed.list!r} exists already; choose another name"
                self.faults.append(source.fault(["list"], what, "TOC301"))
            self._add_names(parsed)
        elif isinstance(parsed, CuesFile):
            for index, cue in enumerate(parsed.cues):
                self._declare(cue.name, cue, source, ("cues", index))

    def _read_rule(self, source: Source) -> Rule | None:
        rule = self._validate(Rule, source)
        if rule is None:
            return None
        source.lighten()
        stem = source.file.rpartition("/")[2].removesuffix(".yaml")
        if rule.name != stem:
            self.faults.append(
                source.fault(
                    ["name"], f"the name {rule.name!r} is not the file's name {stem!r}; rename one of them", "TOC213"
                )
            )
            return None
        return rule

    def _declare(self, name: str, words: Words | Cue, source: Source, path: tuple[str | int, ...]) -> None:
        if name in self.words or name in self.numbers:
            self.faults.append(source.fault(path, f"the list {name!r} exists already; choose another name", "TOC301"))
            return
        self.numbers[name] = len(self.numbers)
        self.words[name] = (words, source, path)

    def _fill(self) -> None:
        for name, (words, source, path) in self.words.items():
            number = self.numbers[name]
            if words.verbs:
                self.verb_lists.add(number)
            entries = self._entries(name, source, path, set()) if words.include else self._worded(words)
            if not entries and not getattr(words, "forms", ()) and not _group(words):
                self.faults.append(
                    source.fault(path, f"the list {name!r} is empty; give it verbs, nouns or words", "TOC302")
                )
            slug = name if getattr(words, "exclusive", False) else ""
            rule, dot, _ = name.partition(".")
            if dot:
                self.owned[rule].append((slug, entries))
            else:
                self.entries |= {Lexeme(number, tag, slug): phrases for tag, phrases in entries.items() if phrases}
            for phrase in self._exceptions(name, set()) if words.not_ or words.include else ():
                self.cancels[folded(phrase)][number] = None
            if isinstance(words, Cue):
                self.cues[name] = self._cue(words, number, source, path)

    def _entries(
        self, name: str, source: Source, path: tuple[str | int, ...], seen: set[str]
    ) -> dict[str, dict[str, None]]:
        """The phrases of a list and of those it includes, folded, by what form of a word they are."""
        seen.add(name)
        words = self.words[name][0]
        found = dict(self._worded(words))
        if words.verbs:
            self.verb_lists.add(self.numbers[name])
        for other in words.include:
            scoped = f"{name.split('.', maxsplit=1)[0]}.{other}" if "." in name else other
            known = scoped if scoped in self.words else other
            if known not in self.words:
                self.faults.append(
                    source.fault((*path, "include"), f"unknown list {other!r}{near(other, self.words)}", "TOC303")
                )
            elif known not in seen:
                self.used.add(self.numbers[known])
                for tag, phrases in self._entries(known, source, path, seen).items():
                    found[tag] = phrases | found.get(tag, {})
                if self.numbers[known] in self.verb_lists:
                    self.verb_lists.add(self.numbers[name])
        return found

    def _worded(self, words: Words | Cue) -> dict[str, dict[str, None]]:
        """The phrases of a list by itself, folded, by what form of a word they are. Lists alike have the same."""
        key = (tuple(words.words), tuple(words.nouns), tuple(words.verbs))
        found = self._worded_before.get(key)
        if found is None:
            found = self._worded_before[key] = {}
            if words.words:
                found["word"] = dict.fromkeys(map(folded, words.words))
            for inflected in (*map(_noun, words.nouns), *map(_verb, words.verbs)):
                for tag, phrase in inflected:
                    if tag in found:
                        found[tag][phrase] = None
                    else:
                        found[tag] = {phrase: None}
            for phrases in found.values():
                phrases.pop("", None)
        return found

    def _exceptions(self, name: str, seen: set[str]) -> Iterator[str]:
        """The `not:` phrases of a list and of the lists it includes."""
        seen.add(name)
        words = self.words[name][0]
        yield from words.not_
        for other in words.include:
            if other in self.words and other not in seen:
                yield from self._exceptions(other, seen)

    def _add(self, surface: str, lexeme: Lexeme) -> None:
        phrase = folded(surface)
        if phrase:
            self.entries[lexeme][phrase] = None

    def _add_names(self, parsed: NamesFile) -> None:
        number = self.numbers.setdefault(parsed.list, len(self.numbers))
        for phrase in parsed.not_:
            self.cancels[folded(phrase)][number] = None
        for entry in parsed.entries:
            self.printed.setdefault(entry.slug, entry.name)
            if entry.state:
                self.states[entry.slug] = entry.state
            if entry.beside:
                self.beside[entry.slug] = [*entry.beside]
            self._add_name(entry, number)

    def _add_name(self, entry: Name, number: int) -> None:
        for phrase in entry.not_:
            self.cancels[folded(phrase)][number] = None
        for role in _ROLES:
            for phrase in getattr(entry, role):
                self._add(phrase, Lexeme(number, role, entry.slug, _capitals(phrase)))

    def _cue(self, cue: Cue, number: int, source: Source, path: tuple[str | int, ...]) -> compiled.Cue:
        return compiled.Cue(
            cue.name, (number, *self._find(cue.include, _SHARED, source, (*path, "include"))), cue.direction, cue.reach, cue.scope == "clause",
            frozenset(self._find(cue.unless, _SHARED, source, (*path, "unless"))),
            cue.sets.stage, cue.sets.certainty, cue.sets.flag, cue.sets.drop, bool(cue.sets.fresh),
            {"next": 1, "previous": -1}.get(cue.scope, 0),
            tuple(self._cue_form(form, source, path) for form in cue.forms),
            cue.only, cue.opens, tuple(cue.raises),
        )  # fmt: skip

    def _cue_form(self, form: str, source: Source, path: tuple[str | int, ...]) -> compiled.Form:
        try:
            return compiled.Form(form, tuple(self._step(part, _SHARED, source, path) for part in parse_form(form)), 0)
        except FormError as error:
            self.faults.append(source.fault((*path, "forms"), str(error), error.code))
            return compiled.Form(form, (), 0)

    def _scope(self, rule: Rule, first: int) -> _Scope:
        own = {name: -1 - place for place, name in enumerate(rule.lists)}
        alike = tuple(
            [
                (name, tuple(words.any_of), first + place in self.verb_lists)
                for place, (name, words) in enumerate(rule.lists.items())
            ]
        )
        return _Scope(rule.name, first, own, self._kinds.setdefault(alike, len(self._kinds)))

    def _find(self, names: Sequence[str], scope: _Scope, source: Source, path: Sequence[str | int]) -> list[int]:
        """The numbers of some lists, and of those they stand for; a rule's own before those everybody shares."""
        found: list[int] = []
        for name in names:
            its = self._found.get((scope.kind, name))
            found += self._resolved(name, scope, source, path) if its is None else its
        self._asked.update(found)
        return found

    def _resolved(self, name: str, scope: _Scope, source: Source, path: Sequence[str | int]) -> list[int]:
        """The numbers of a list and of those it stands for, as they are found by its name from now on."""
        faults = len(self.faults)
        number = scope.own.get(name, self.numbers.get(name))
        if number is None:
            lists = [known for known in self.numbers if not known.startswith('"')]  # nor words as written
            own = {known.removeprefix(f"{scope.rule}.") for known in lists}
            self.faults.append(source.fault(path, f"unknown list {name!r}{near(name, own)}", "TOC303"))
            return []
        known = f"{scope.rule}.{name}" if number < 0 else name
        members = _group(self.words[known][0]) if known in self.words else ()
        its = self._find([member.partition(":")[0] for member in members], scope, source, path)
        its.append(number)
        if len(self.faults) == faults:
            self._found[scope.kind, name] = its
        return its

    def _group_tags(self, name: str, scope: _Scope) -> set[str]:
        """What `any_of` takes of its lists: with a tag on one of them, every form of a word, but of names only the tag's."""
        known = f"{scope.rule}.{name}" if name in scope.own else name
        asked = {member.partition(":")[2] for member in _group(self.words[known][0])} if known in self.words else set()
        tagged = [TAGS.get(tag, set()) for tag in asked if tag]
        return set().union(*tagged, TAGS["verb"], TAGS["plural"], {"word"}) if tagged else set()

    def _again(self, source: Source, rule: Rule) -> compiled.Rule | None:
        """Another version of a rule, with the numbers that lists have among all of them."""
        built = self._compile(source, rule)
        return compiled.among_all(built, self._scopes[rule.name].first) if built else None

    def _compile(self, source: Source, rule: Rule) -> compiled.Rule | None:
        before = len(self.faults)
        scope = self._scopes[rule.name]
        self._asked = set()

        def lists(names: Sequence[str], *path: str | int) -> list[int]:
            return self._find(names, scope, source, path) if names else []

        forms = tuple(self._forms(rule, scope, source))
        self._known_cues(source, rule)
        what = rule.what
        built = compiled.Rule(
            policy=self._policy(rule, source),
            forms=forms,
            never=frozenset(lists(rule.never, "never")),
            never_in_sentence=frozenset(lists(rule.never_in_sentence, "never_in_sentence")),
            never_in_lead=frozenset(lists(rule.never_in_lead, "never_in_lead")),
            never_in_title=frozenset(lists([*rule.never_in_title, *rule.never_as_theme], "never_in_title")),
            never_as_theme=frozenset(lists(rule.never_as_theme, "never_as_theme")),
            after_done=frozenset(lists(rule.after_done, "after_done")),
            deed=frozenset(lists(rule.deed, "deed")),
            cues=self._heeded(rule),
            actors=frozenset(lists(rule.who.from_, "who", "from")),
            owners=frozenset(lists(rule.who.of, "who", "of")),
            actor_required=rule.who.required,
            inherits=rule.who.inherit,
            only=frozenset(rule.who.only),
            watchers=frozenset(rule.who.watchers),
            anchored=rule.who.anchor,
            active=rule.active,
            speaker=rule.who.speaker,
            places=frozenset(lists(rule.where.from_, "where", "from")) if rule.where else frozenset(),
            theatres=tuple(tuple(group) for group in rule.where.merge) if rule.where else (),
            materiel=tuple(
                (slug, number) for slug, name in what.from_.items() for number in lists([name], "what", "from", slug)
            )
            if what
            else (),
            vague=tuple(
                (number, frozenset(slugs))
                for name, slugs in what.vague.items()
                for number in lists([name], "what", "vague", name)
            )
            if what
            else (),
            default_what=what.default if what else None,
            kinds=tuple(tuple(group) for group in what.merge) if what else (),
            figures=tuple(
                compiled.Counted(figure.unit, frozenset(lists(figure.of, "figures", index, "of")), figure.counts)
                for index, figure in enumerate(rule.figures)
            ),
            doubts=tuple(compiled.Doubt(w.unit, w.above, w.reading, w.counts, w.flag, w.note) for w in rule.warn),
        )
        self.used.update(map(scope.among_all, self._asked))
        return built if len(self.faults) == before else None

    def _heeded(self, rule: Rule) -> Heeded:
        """The cues that speak to a rule: every one, unless it or the cue names some. Rules that heed the same share them."""
        told = tuple(self._told.get(rule.name, ()))
        key = (None if rule.cues is None else tuple(rule.cues), tuple(rule.ignore_cues), told)
        if key not in self._heard:
            names = self.cues if rule.cues is None else rule.cues
            deaf = {*rule.ignore_cues, *(self._addressed.keys() - told)}
            self._heard[key] = Heeded(self.cues[name] for name in names if name in self.cues and name not in deaf)
        return self._heard[key]

    @cached_property
    def _addressed(self) -> dict[str, list[str]]:
        """The cues that speak to some rules only, with these."""
        written = ((name, self.words[name][0]) for name in self.cues)
        return {name: cue.rules for name, cue in written if isinstance(cue, Cue) and cue.rules}

    @cached_property
    def _told(self) -> dict[str, list[str]]:
        """Name of a rule → the cues that speak to it and some others only."""
        found: dict[str, list[str]] = defaultdict(list)
        for cue, rules in self._addressed.items():
            for rule in dict.fromkeys(rules):
                found[rule].append(cue)
        return found

    def _known_cues(self, source: Source, rule: Rule) -> None:
        named: list[tuple[tuple[str | int, ...], Sequence[str]]] = []
        named += [(("cues",), rule.cues or ()), (("ignore_cues",), rule.ignore_cues)]
        named += [
            (("forms", index, "ignore_cues"), form.ignore_cues)
            for index, form in enumerate(rule.forms)
            if form.ignore_cues
        ]
        for path, names in named:
            for name in names:
                if name not in self.cues:
                    self.faults.append(source.fault(path, f"unknown cue {name!r}{near(name, self.cues)}", "TOC304"))

    def _watched(self, rule: Rule, source: Source) -> None:
        """Faults of what a rule wants to be told changes of."""
        counted = {figure.counts for figure in rule.figures if figure.counts}
        slots = {name for name, part in (("where", rule.where), ("what", rule.what)) if part} - set(rule.story.same)
        for at, name in enumerate(rule.story.update_on):
            if name not in counted | slots:
                known = ", ".join(sorted(counted | slots)) or "no figure, where or what to watch"
                what = f"{name!r} is nothing this rule could see change; it has {known}"
                self.faults.append(source.fault(("story", "update_on", at), what, "TOC310"))

    def _policy(self, rule: Rule, source: Source) -> Policy:
        self._watched(rule, source)
        return Policy(
            name=rule.name, title=rule.title, version=source.digest, status=rule.status,
            level=tuple((str(stage), str(level)) for stage, level in rule.level.items()),
            same=tuple(rule.story.same), quiet_for=rule.story.quiet_for,
            again_after=rule.story.again_after or rule.story.quiet_for,
            kinds=tuple(tuple(group) for group in rule.what.merge) if rule.what else (), update_on=tuple(rule.story.update_on), runbook=rule.runbook,
            tolerance=rule.story.tolerance,
            names=ChainMap(rule.what.names if rule.what else {}, self.printed),
        )  # fmt: skip

    def _forms(self, rule: Rule, scope: _Scope, source: Source) -> Iterator[compiled.Form]:
        """The forms of a rule. Of those that another rule has as well, with lists that are called alike, nothing is made anew."""
        phrases = tuple([(name, *wordings) for name, wordings in rule.phrases.items()])
        common = (scope.kind, rule.tense, tuple(rule.needs), tuple(rule.about), phrases)
        for index, form in enumerate(rule.forms):
            key = (common, *[tuple(one) if type(one) is list else one for one in form.__dict__.values()])
            known = self._formed.get(key)
            if known is None:
                faults, asked = len(self.faults), self._asked
                self._asked = set()
                known = tuple(self._ways(form, index, rule, scope, source)), self._asked
                self._asked = asked
                if len(self.faults) == faults:
                    self._formed[key] = known
            made, lists = known
            self._asked |= lists
            yield from made

    def _ways(self, form: Form, index: int, rule: Rule, scope: _Scope, source: Source) -> Iterator[compiled.Form]:
        """The form for each way in which its phrases and orders let it be said."""
        try:
            found = ways(form.form, rule.phrases)
        except FormError as error:
            self.faults.append(source.fault(("forms", index, "form"), str(error), error.code))
            return
        for way in found:
            yield self._form(form, way, index, rule, scope, source)

    def _form(self, form: Form, way: str, index: int, rule: Rule, scope: _Scope, source: Source) -> compiled.Form:  # noqa: PLR0913 - all of what a form hangs on
        path = ("forms", index, "form")

        def lists(names: Sequence[str], *tail: str) -> tuple[int, ...]:
            return tuple(self._find(names, scope, source, ("forms", index, *tail)))

        try:
            steps = [self._step(part, scope, source, path) for part in parse_form(way)]
        except FormError as error:
            self.faults.append(source.fault(path, str(error), error.code))
            steps = []
        needs: list[str | int] = []
        for need in rule.needs if form.needs is None else form.needs:
            needs += [need] if need in {"forward", "fresh", "perfect", "lead", "title"} else lists([need], "needs")
        return compiled.Form(
            way, tuple(steps), self._head(form, scope, steps, source, index), form.stage,
            lists(form.with_, "with"), lists(form.without, "without"), frozenset(lists(form.about or rule.about, "about")),
            tuple(needs), form.what, form.who, frozenset(form.ignore_cues), rule.tense if form.tense is None else form.tense,
            tuple(form.only_who), form.amounts, frozenset(lists(form.told, "told")), form.weak,
        )  # fmt: skip

    def _head(self, form: Form, scope: _Scope, steps: list[Step], source: Source, index: int) -> int:
        if form.head and steps:
            there = form.head in scope.own or form.head in self.numbers
            wanted = set(self._find([form.head], scope, source, ("forms", index, "head"))) if there else set()
            found = next((number for number, step in enumerate(steps) if step.lists & wanted), None)
            if found is None:
                lists = ", ".join(dict.fromkeys(re.findall(r"<([a-z0-9_-]+)", form.form))) or "it has none"
                what = f"the head {form.head!r} does not stand in the form; name a list of the form: {lists}"
                self.faults.append(source.fault(("forms", index, "head"), what, "TOC309"))
            return found or 0
        verbs = (not self.verb_lists.isdisjoint(map(scope.among_all, step.lists)) for step in steps)
        return next((number for number, is_verb in enumerate(verbs) if is_verb), 0)

    def _step(self, part: Part, scope: _Scope, source: Source, path: Sequence[str | int]) -> Step:
        numbers: list[int] = []
        tags: set[str] = set()
        asked: dict[str, set[str]] = {}
        """Each choice, a list without its tag, → the forms of a word that it asks for; none for any."""
        for choice in part.choices:
            if choice.startswith("<"):
                name, _, tag = choice[1:-1].partition(":")
                if tag and tag not in TAGS:
                    what = f"<{name}:{tag}> asks for no form of a word{near(tag, TAGS)}; write one of {', '.join(TAGS)}"
                    self.faults.append(source.fault(path, what, "TOC311"))
                its = TAGS.get(tag, set()) if tag else self._group_tags(name, scope)
                tags |= its
                asked.setdefault(name, set()).update(its)
                numbers += self._find([name], scope, source, path)
            else:
                number = self.numbers.setdefault(f'"{choice}"', len(self.numbers))
                self._add(choice, Lexeme(number, "word"))
                numbers.append(number)
                asked[f'"{choice}"'] = {"word"}
        binds = any(choice.startswith("<") and ":" in choice for choice in part.choices)
        if odd := [name for name, its in asked.items() if binds and not _heard(name, its, tags)]:
            what = (
                f"what stands behind a colon in ({' | '.join(part.choices)}) binds every choice, also {', '.join(odd)}"
            )
            mend = "write the same behind each list, or a form of its own for what is meant otherwise"
            self.faults.append(source.fault(path, f"{what}; {mend}", "TOC316"))
        return Step(frozenset(numbers), part.gap, part.leaves_clause, part.optional, frozenset(tags))


@dataclass(frozen=True, slots=True)
class Part:
    """One step of a form as written."""

    choices: tuple[str, ...]
    gap: int = 0
    leaves_clause: bool = False
    optional: bool = False


class FormError(ValueError):
    """A form that cannot be read: what is wrong with it, and the code of the check."""

    def __init__(self, what: str, code: str) -> None:
        self.code = code
        super().__init__(what)


_ITEM = re.compile(
    r"\s*(?:(?P<gap>\.{2,3})(?P<width>\d*)|\((?P<group>[^()]*)\)(?P<maybe>\?)?|(?P<list><[a-z0-9_-]+(?::[a-z]+)?>)(?P<maybe2>\?)?|(?P<word>[^\s<>().|?]+))"
)


_NAMED = re.compile(r"<([a-z0-9_-]+)>")
_EITHER = re.compile(r"(\.{2,3})&(\d*)")


def named(form: str) -> list[str]:
    """The lists and phrases a form names, without those that have a tag."""
    return _NAMED.findall(form)


def ways(form: str, phrases: Mapping[str, Sequence[str]]) -> list[str]:
    """The plain forms a form stands for: each wording of its phrases, and both orders of what stands around a `..&6`."""
    places = [match for match in _NAMED.finditer(form) if match[1] in phrases] if phrases else []
    if not places and "&" not in form:
        return [form]
    count = prod(len(phrases[match[1]]) for match in places)
    if count > MAX_WAYS:
        raise FormError(
            f"the form stands for {count:,} forms, and {MAX_WAYS} is the most; write it as several", "TOC315"
        )
    found: list[str] = []
    for wordings in product(*(phrases[match[1]] for match in places)):
        plain = form
        for match, wording in reversed(list(zip(places, wordings, strict=True))):
            plain = plain[: match.start()] + wording + plain[match.end() :]
        first, *rest = _EITHER.split(plain, maxsplit=1)
        found.append(_EITHER.sub(r"\1\2", plain))
        if rest:
            dots, width, second = rest
            found.append(f"{second.strip()} {dots}{width} {first.strip()}")
    return found


@cache
def parse_form(form: str) -> Sequence[Part]:
    """The steps of a form; `FormError` says what cannot be read, and where."""
    parts: list[Part] = []
    gap, leaves, position = 0, False, 0
    form = form.strip()
    while position < len(form):
        match = _ITEM.match(form, position)
        if not match:
            what = f"cannot read the form at {form[position:]!r}; use words, <lists>, (one | other), a gap .. or ..3"
            raise FormError(what, "TOC305")
        position = match.end()
        if match["gap"]:
            gap = int(match["width"] or DEFAULT_GAP)
            leaves = match["gap"] == "..."
            if gap > GAP_LIMIT:
                raise FormError(f"a gap of {gap} words is too wide; {GAP_LIMIT} is the most", "TOC306")
            continue
        choices = tuple(choice.strip() for choice in (match["group"] or match["list"] or match["word"]).split("|"))
        if not all(choices):
            raise FormError(f"an empty choice in {match.group().strip()!r}; write a word on both sides of |", "TOC307")
        parts.append(Part(choices, gap if parts else 0, leaves, bool(match["maybe"] or match["maybe2"])))
        gap, leaves = 0, False
    if not [part for part in parts if not part.optional]:
        raise FormError("the form holds no word or list, so it can never match; write at least one", "TOC308")
    return tuple(parts)


def _heard(name: str, asked: set[str], tags: set[str]) -> bool:
    """Whether a choice is found just as it asks where its step takes some forms of a word only."""
    return asked <= tags if name.startswith('"') else asked == tags


def _group(words: Words | Cue) -> Phrases:
    """The lists a list stands for."""
    return words.any_of if isinstance(words, Words) else []


@cache
def folded(phrase: str) -> str:
    """A phrase as the lexicon has it."""
    return fold_phrase(phrase).decode("ascii")


def _inflected(forms: Callable[[str], Mapping[str, str]]) -> Callable[[str], tuple[tuple[str, str], ...]]:
    """From a noun or verb to its forms, folded, each behind what form it is."""
    return cache(lambda word: tuple((tag, folded(surface)) for surface, tag in forms(word).items()))


_noun, _verb = _inflected(noun_forms), _inflected(verb_forms)


@cache
def _capitals(phrase: str) -> tuple[int, ...]:
    """Offsets of the capital letters, counted in the folded phrase."""
    if phrase.isascii() and len(phrase) == len(folded(phrase)):  # as most are
        return tuple([place for place, letter in enumerate(phrase) if letter.isupper()])
    offsets: list[int] = []
    length, space = 0, False
    for original, code in zip(phrase, fold(phrase), strict=True):
        if chr(code).isspace():
            space = length > 0
            continue
        length += space
        space = False
        if original.isupper():
            offsets.append(length)
        length += 1
    return tuple(offsets)


def validate(model: type[_M], source: Source, faults: list[Fault]) -> _M | None:
    """The file as its model; None when it is not, and its mistakes are among the faults."""
    try:
        return model.model_validate(source.data)
    except ValidationError as error:
        details = error.errors()
        meant = {_meant(detail, model) for detail in details}
        for detail in details:
            path = list(detail["loc"])
            if detail["type"] == "missing" and tuple(path) in meant:  # it is there, and misspelt
                continue
            unknown = detail["type"] == "extra_forbidden"
            faults.append(source.fault(path, *_explain(detail, path, model), at_key=unknown))
        return None


def _meant(detail: Mapping[str, Any], model: type[Model]) -> tuple[str | int, ...]:
    """The place of the field that an unknown one was perhaps meant to be; nowhere for another mistake."""
    *inside, key = detail["loc"] or ("",)
    close = _close(str(key), _beside(model, inside)) if detail["type"] == "extra_forbidden" else ""
    return (*inside, close) if close else ()


def _explain(detail: Mapping[str, Any], path: list[str | int], model: type[Model]) -> tuple[str, str]:
    """What is wrong with a value, and the code of the check."""
    key = str(path[-1]) if path else ""
    kind = detail["type"]
    if kind == "extra_forbidden":
        theirs = spelling.ours(key) if model.__mro__[1] is Model else ""  # of a rule
        return (
            f"unknown field {key!r}{theirs or _suggest(key, path, model)}{_curly(key)}",
            "TOC205" if theirs else "TOC204",
        )
    if kind == "missing":
        return f"the field {key!r} is missing; add it", "TOC206"
    if kind in _OF_FIELDS and not path:
        what = "is empty" if detail["input"] is None else f"holds {detail['input']!r:.60} and no fields"
        return f"{what}; write fields into it, each with its name and a colon, or remove the file", "TOC210"
    called = _called(path)
    if kind == "value_error":
        return f"{called}: {detail['ctx']['error']}", "TOC209"
    wanted = _WANTED.get(kind, f"{detail['msg'][:1].lower()}{detail['msg'][1:]}")
    return f"{called}: {wanted}, not {detail['input']!r:.60}", _OF_VALUES.get(kind, "TOC210")


def _called(path: Sequence[str | int]) -> str:
    """What a value is called: its key, and of what stands in a list its number there: `variants 2`."""
    keys = [place for place, one in enumerate(path) if isinstance(one, str)]
    return " ".join(str(one + 1) if isinstance(one, int) else one for one in path[keys[-1] if keys else 0 :])


_OF_VALUES = {
    "literal_error": "TOC207", "string_pattern_mismatch": "TOC208", "string_too_short": "TOC211", "string_too_long": "TOC211",
    "greater_than": "TOC212", "greater_than_equal": "TOC212", "less_than": "TOC212", "less_than_equal": "TOC212",
}  # fmt: skip
"""What pydantic finds wrong with a value → the code of the check."""
_OF_FIELDS = frozenset({"model_type", "dict_type"})
_WANTED = dict.fromkeys(_OF_FIELDS, "should hold fields, like {name: value}") | {
    "list_type": "should be a list, like [one, another]"
}
"""What pydantic finds wrong with a value → what was wanted, in other words than its own."""


def _suggest(key: str, path: Sequence[str | int], model: type[Model]) -> str:
    """The field that was perhaps meant, as the end of a sentence: one that may stand there, before one of another part of the file."""
    if close := _close(key, _beside(model, path[:-1])):
        return f", did you mean {close!r}?"
    family = model.__mro__[1]
    known = {info.alias or name for cls in [model, *family.__subclasses__()] for name, info in cls.model_fields.items()}
    if family is not Model:  # not of a rule
        return near(key, known)
    misspelt = difflib.get_close_matches(key.lower(), spelling.KEYS, n=1, cutoff=0.85)
    return spelling.ours(misspelt[0]) if misspelt else near(key, known)


def _beside(model: type[BaseModel], inside: Sequence[str | int]) -> set[str]:
    """The fields that may stand at a place of a file."""
    models = {model}
    for step in inside:
        fields = [info for one in models for name, info in one.model_fields.items() if step in {name, info.alias}]
        models = {part for info in fields for part in parts_of(info.annotation)} or models
    return {info.alias or name for one in models for name, info in one.model_fields.items()}


def parts_of(annotation: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401 - a type of any shape
    """The models of which a type is made."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from parts_of(inner)


def _curly(key: str) -> str:
    """What to say of a field that is the end of a text in quotation marks that are none."""
    if any(mark in key for mark in "“”„‘’«»"):
        return "; it seems to be the rest of a text: only the straight quotation marks \" and ' hold one together"
    return ""


def _close(name: str, known: Iterable[str]) -> str:
    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)), "")


def near(name: str, known: Iterable[str]) -> str:
    """The known name that was perhaps meant, as a question."""
    close = _close(name, known)
    return f", did you mean {close!r}?" if close else ""
