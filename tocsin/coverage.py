"""What no inline test touches: forms that match in none, cues that reach no match, entries of lists that stand in no text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tocsin.errors import Fault
from tocsin.match import Finding
from tocsin.rule import Cue, Words
from tocsin.rules import Loaded, ways
from tocsin.text import fold, fold_phrase
from tocsin.words import noun_forms, verb_forms

_LONGEST = 8
"""Words the longest entry of a list has."""


@dataclass(frozen=True, slots=True)
class Share:
    """Of one kind of thing, how many there are, and those no test touches, each at its place."""

    kind: str
    total: int
    untouched: int
    missing: tuple[Fault, ...]


@dataclass
class Coverage:
    """Collects what tests touch while they run."""

    forms: set[tuple[str, str]] = field(default_factory=set)
    cues: set[str] = field(default_factory=set)
    phrases: set[bytes] = field(default_factory=set)

    def hears(self, finding: Finding) -> None:
        """Takes note of a finding in the text of a test."""
        self.cues.update(cue.name for cue, _ in finding.cues)
        if not finding.lacking:
            self.forms.add((finding.rule.policy.name, finding.form.text))

    def reads(self, text: str) -> None:
        """Takes note of the words of a test."""
        words = fold(text).split()
        for length in range(1, _LONGEST + 1):
            self.phrases.update(b" ".join(words[at : at + length]) for at in range(len(words) - length + 1))

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
                    missing.append(loaded.sources[name].fault(("forms", index), what))
        return Share("forms", total, len(missing), tuple(missing))

    def _entries(self, loaded: Loaded) -> Share:
        total, untouched, missing = 0, 0, []
        for name, (words, source, path) in loaded.declared.items():
            if isinstance(words, Cue):
                continue
            entries = dict(_entries(words))
            unsaid = [entry for entry, surfaces in entries.items() if self.phrases.isdisjoint(surfaces)]
            total += len(entries)
            untouched += len(unsaid)
            if unsaid:
                what = f"no test holds {len(unsaid)} of the {len(entries)} entries of the list {name!r}: {', '.join(unsaid)}"
                missing.append(source.fault(path, what))
        return Share("list entries", total, untouched, tuple(missing))

    def _cues(self, loaded: Loaded) -> Share:
        cues = {name for name, (words, _, _) in loaded.declared.items() if isinstance(words, Cue)}
        missing = [
            source.fault(path, f"in no test the cue {name!r} reaches a match")
            for name, (_, source, path) in loaded.declared.items()
            if name in cues and name not in self.cues
        ]
        return Share("cues", len(cues), len(missing), tuple(missing))


def _entries(words: Words) -> Iterator[tuple[str, set[bytes]]]:
    """Each entry of a list, with the ways in which a text can hold it."""
    for entry in words.words:
        yield entry, {fold_phrase(entry)}
    for forms, entries in ((noun_forms, words.nouns), (verb_forms, words.verbs)):
        for entry in entries:
            yield entry, _folded(forms(entry))


def _folded(surfaces: Iterable[str]) -> set[bytes]:
    return {fold_phrase(surface) for surface in surfaces}
