"""Matching the forms of a rule in a sentence. All ends a step can reach are kept, so nothing is tried twice."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from tocsin.compiled import Form
from tocsin.scan import Hit, Sentence

MATCHES = 8
"""Matches of one form in one sentence that are looked at; more is repetition, in news as in attacks."""


@dataclass(frozen=True, slots=True)
class Match:
    """A form in a sentence: a word for each of its steps. `head` is the one the cues look at."""

    form: Form
    sentence: Sentence
    hits: tuple[Hit, ...]

    @property
    def head(self) -> Hit:
        """The word that governs the rest."""
        return self.hits[self.form.head] if self.form.head < len(self.hits) else self.hits[0]

    @property
    def begin(self) -> int:
        """The first word."""
        return min(hit.start for hit in self.hits)

    @property
    def end(self) -> int:
        """The word behind the last."""
        return max(hit.end for hit in self.hits)


def matches(form: Form, sentence: Sentence) -> Iterator[Match]:
    """The nearest match of a form from each place it can begin."""
    present = sentence.by_list.keys()
    for step in form.steps:
        if not step.optional and present.isdisjoint(step.lists):
            return
    columns: list[list[Hit]] = []
    for step in form.steps:
        column = [
            hit
            for number in step.lists
            for hit in sentence.by_list.get(number, ())
            if not step.tags or hit.lexeme.tag in step.tags
        ]
        if not column and not step.optional:
            return
        column.sort(key=lambda hit: (hit.start, -hit.end))
        columns.append(column)
    for first in columns[0] if columns else ():
        if chain := _follow(form, columns, first, sentence):
            yield Match(form, sentence, chain)


def _follow(form: Form, columns: list[list[Hit]], first: Hit, sentence: Sentence) -> tuple[Hit, ...] | None:
    reached: dict[int, tuple[Hit, ...]] = {first.end: (first,)}
    for step, column in zip(form.steps[1:], columns[1:], strict=True):
        following: dict[int, tuple[Hit, ...]] = dict(reached) if step.optional else {}
        starts = [hit.start for hit in column]
        for end, chain in reached.items():
            for index in range(bisect_left(starts, end), len(column)):
                hit = column[index]
                if hit.start > end + step.gap:
                    break
                if step.leaves_clause or sentence.clause(hit.start) == sentence.clause(end - 1):
                    following.setdefault(hit.end, (*chain, hit))
        if not following:
            return None
        reached = following
    return min(reached.values(), key=lambda chain: (-len(chain), chain[-1].end))
