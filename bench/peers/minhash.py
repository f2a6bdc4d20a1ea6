"""MinHash with locality-sensitive hashing, by datasketch, over shingles of three words."""

from __future__ import annotations

import re
from collections.abc import Sequence

NEEDS = ("datasketch",)
"""Packages it must have installed."""
THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
PERMUTATIONS = 128
"""Datasketch's own default."""


def alone(articles: Sequence[tuple[str, str]], threshold: float) -> list[int]:
    """Which of the articles (headline, text), in order of arrival, are the first of their kind."""
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=threshold, num_perm=PERMUTATIONS)
    first = []
    for at, (title, text) in enumerate(articles):
        words = re.findall(r"\w+", f"{title} {text}".casefold())
        shingles = {" ".join(words[start : start + 3]).encode() for start in range(max(1, len(words) - 2))}
        sketch = MinHash(num_perm=PERMUTATIONS)
        sketch.update_batch(shingles)
        if not index.query(sketch):
            first.append(at)
        index.insert(str(at), sketch)
    return first
