"""What no inline test touches: forms that match in none, cues that reach no match, entries of lists that stand in no text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from tocsin.compiled import lexicon_of
from tocsin.errors import Fault
from tocsin.match import Finding
from tocsin.rule import Cue, Words
from tocsin.rules import Loaded, folded, ways
from tocsin.source import Source
from tocsin.text import fold
from tocsin.words import noun_forms, verb_forms


@dataclass(frozen=True, slots=True)
class Gap:
    """Something no test touches."""

    source: Source
    path: Sequence[str | int]
    what: str

    @property
    def fault(self) -> Fault:
        """The same with its place, which is looked for when it is told."""
        return self.source.fault(self.path, self.what)


@dataclass(frozen=True, slots=True)
class Share:
    """Of one kind of thing, how many there are, and those no test touches."""

    kind: str
    total: int
    untouched: int
    missing: tuple[Gap, ...]


@dataclass
class Coverage:
    """Collects what tests touch while they run."""

    forms: set[tuple[str, str]] = field(default_factory=set)
    cues: set[str] = field(default_factory=set)
    texts: list[tuple[str, str, str]] = field(default_factory=list)
    """The texts of the tests; of what was read already, only what is new between it."""

    def hears(self, finding: Finding) -> None:
        """Takes note of a finding in the text of a test."""
        self.cues.update(cue.name for cue, _ in finding.cues)
        if not finding.lacking:
            self.forms.add((finding.rule.policy.name, finding.form.text))

    def shares(self, loaded: Loaded) -> list[Share]:
        """Forms, entries of lists and cues, in this order."""
        return [self._forms(loaded), self._entries(loaded), self._cues(loaded)]

    def _forms(self, loaded: Loaded) -> Share:
        total, missing = 0, []
        for name, rule in loaded.models.items():
            total += len(rule.forms)
            for index, form in enumerate(rule.forms):
                if not any((name, way) in self.forms for way in ways(form.form, rule.phrases)):
                    what = f"no test of the rule matches the form {form.form!r}"
                    missing.append(Gap(loaded.sources[name], ("forms", index), what))
        return Share("forms", total, len(missing), tuple(missing))

    def _entries(self, loaded: Loaded) -> Share:
        lists = [
            (name, dict(_entries(words)), source, path)
            for name, (words, source, path) in loaded.declared.items()
            if not isinstance(words, Cue)
        ]
        said = self._said({surface for _, entries, _, _ in lists for some in entries.values() for surface in some})
        total, untouched, missing = 0, 0, []
        for name, entries, source, path in lists:
            unsaid = [entry for entry, surfaces in entries.items() if said.isdisjoint(surfaces)]
            total += len(entries)
            untouched += len(unsaid)
            if unsaid:
                what = f"no test holds {len(unsaid)} of the {len(entries)} entries of the list {name!r}: {', '.join(unsaid)}"
                missing.append(Gap(source, path, what))
        return Share("list entries", total, untouched, tuple(missing))

    def _said(self, phrases: set[str]) -> set[str]:
        """Those of some phrases that stand in a text."""
        lexicon = lexicon_of(phrases)
        found: set[str] = set()
        for before, new, behind in self.texts:
            words = fold(f"{before}{new}{behind}").decode("ascii").split()
            low, high = _count(before) - 1, len(words) - _count(behind) + 1  # what is new may be part of a word
            found.update(phrase for _, _, phrase in lexicon.find(words, max(0, low), min(len(words), high)))
        return found

    def _cues(self, loaded: Loaded) -> Share:
        cues = {name for name, (words, _, _) in loaded.declared.items() if isinstance(words, Cue)}
        missing = [
            Gap(source, path, f"in no test the cue {name!r} reaches a match")
            for name, (_, source, path) in loaded.declared.items()
            if name in cues and name not in self.cues
        ]
        return Share("cues", len(cues), len(missing), tuple(missing))


@lru_cache(maxsize=16)
def _count(text: str) -> int:
    """The words of a text."""
    return len(fold(text).split())


def _entries(words: Words) -> Iterator[tuple[str, set[str]]]:
    """Each entry of a list, with the ways in which a text can hold it."""
    for entry in words.words:
        yield entry, {folded(entry)}
    for forms, entries in ((noun_forms, words.nouns), (verb_forms, words.verbs)):
        for entry in entries:
            yield entry, _all(forms(entry))


def _all(surfaces: Iterable[str]) -> set[str]:
    return {folded(surface) for surface in surfaces}
