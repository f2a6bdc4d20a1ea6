"""spaCy's Matcher on a blank English pipeline: the same lists of keywords, in any order, a few words apart, in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

from bench.peers.words import SIGNALS, SPOILERS

NEEDS = ("spacy",)
"""Packages it must have installed."""
APART = 8
"""Words that may stand between two of the keywords."""


def reader() -> Callable[[str, str], set[str]]:
    """What tells of a headline and a text which kinds of signal they hold."""
    import spacy
    from spacy.matcher import Matcher

    pipeline = spacy.blank("en")
    pipeline.add_pipe("sentencizer")
    matcher = Matcher(pipeline.vocab)
    for name, groups in SIGNALS.items():
        matcher.add(name, [_pattern(order) for order in permutations(groups)], greedy="LONGEST")

    def read(title: str, text: str) -> set[str]:
        document = pipeline(f"{title}.\n{text}")
        found: set[str] = set()
        for span in matcher(document, as_spans=True):
            sentence = {token.lower_ for token in span.sent}
            if span[-1] in span.sent and not sentence.intersection(SPOILERS[span.label_]):
                found.add(span.label_)
        return found

    return read


def _pattern(groups: tuple[tuple[str, ...], ...]) -> list[dict[str, Any]]:
    pattern: list[dict[str, Any]] = []
    for words in groups:
        pattern += [{"IS_SENT_START": False, "OP": f"{{0,{APART}}}"}] if pattern else []
        pattern.append({"LOWER": {"IN": list(words)}})
    return pattern
