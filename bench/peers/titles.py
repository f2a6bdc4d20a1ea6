"""An exact key: articles of the same headline are the same."""

from __future__ import annotations

import re
from collections.abc import Sequence

NEEDS = ()
"""Packages it must have installed."""
THRESHOLDS = (1.0,)
"""There is nothing to choose."""


def alone(articles: Sequence[tuple[str, str]], _threshold: float) -> list[int]:
    """Which of the articles (headline, text), in order of arrival, are the first of their kind."""
    first: dict[str, int] = {}
    for at, (title, _) in enumerate(articles):
        first.setdefault(" ".join(re.findall(r"\w+", title.casefold())), at)
    return sorted(first.values())
