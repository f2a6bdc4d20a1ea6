"""Tocsin itself, asked as the others are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tocsin.adapters.rulebook import rulebook
from tocsin.article import Article
from tocsin.detection import detect

NEEDS = ()
"""Packages it must have installed to read articles; what it is weighed with stands in `weigh`."""
RULES = Path(__file__).parent.parent.parent / "rules"


def reader() -> Callable[[str, str], set[str]]:
    """What tells of a headline and a text which kinds of signal they hold."""
    rules = rulebook(RULES).rule_set

    def read(title: str, text: str) -> set[str]:
        found = detect(rules, Article("bench", text, title))
        return {signal.rule for signal in found if "denied" not in signal.flags}

    return read
