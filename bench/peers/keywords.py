"""A loop of regular expressions over lists of keywords, sentence by sentence: what most bots do."""

from __future__ import annotations

import re
from collections.abc import Callable

from bench.peers.words import SIGNALS, SPOILERS

NEEDS = ()
"""Packages it must have installed."""

_ENDS = re.compile(r"(?<=[.!?])[\"”’']?\s+|\n+")


def reader() -> Callable[[str, str], set[str]]:
    """What tells of a headline and a text which kinds of signal they hold."""
    rules = [(name, [_any(words) for words in groups], _any(SPOILERS[name])) for name, groups in SIGNALS.items()]

    def read(title: str, text: str) -> set[str]:
        sentences = [title, *_ENDS.split(text)]
        return {
            name
            for name, groups, spoilers in rules
            if any(_holds(groups, spoilers, sentence) for sentence in sentences)
        }

    return read


def _any(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\b", re.IGNORECASE)


def _holds(groups: list[re.Pattern[str]], spoilers: re.Pattern[str], sentence: str) -> bool:
    return all(group.search(sentence) for group in groups) and not spoilers.search(sentence)
