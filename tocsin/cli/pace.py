"""How fast something long goes, and how long it will take."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

EVERY = 10.0
"""Seconds between two lines where no terminal shows a bar."""


class Pace:
    """Told how many of all articles, or whatever else, are done; tells how many a second and the time left."""

    def __init__(self, total: int, what: str = "articles", clock: Callable[[], float] = time.perf_counter) -> None:
        self._total, self._what, self._clock = total, what, clock
        self._began = self._told_at = clock()

    def line(self, done: int) -> str:
        """`2,300 of 10,000 articles, 66 a second, 1:57 left`."""
        counted = f"{done:,} of {self._total:,} {self._what}"
        rate = self.rate(done)
        if not rate:
            return counted
        minutes, seconds = divmod(round((self._total - done) / rate), 60)
        return f"{counted}, {rate:,.{0 if rate >= 10 else 1}f} a second, {minutes}:{seconds:02} left"  # noqa: PLR2004 - two digits

    def rate(self, done: int) -> float:
        """Articles a second since the beginning."""
        return done / max(self._clock() - self._began, 1e-9)

    def tell(self, done: int) -> None:
        """A line on standard error, now and then."""
        if self._clock() - self._told_at >= EVERY:
            self._told_at = self._clock()
            sys.stderr.write(f"{self.line(done)}\n")
