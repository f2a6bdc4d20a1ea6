"""How fast something long goes, and how long it will take."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable

EVERY = 10.0
"""Seconds between two lines where no terminal shows a bar."""
RECENT = 7
"""Marks, one for each of these whiles, from the first of which on it is counted: what came before went faster or slower."""
SURE = 1.0
"""Seconds after which a rate tells something."""


class Pace:
    """Told how many of all articles, or whatever else, are done; tells how many a second and the time left.

    It counts from the first that is done, for what must be made ready before that is done once.
    """

    def __init__(self, total: int, what: str = "articles", clock: Callable[[], float] = time.perf_counter) -> None:
        self._total, self._what, self._clock = total, what, clock
        self._told_at = clock()
        self._marks: deque[tuple[float, int]] = deque(maxlen=RECENT)
        """When so many were done."""

    def line(self, done: int) -> str:
        """`2,300 of 10,000 articles, 66 a second, 1:57 left`."""
        counted = f"{done:,} of {self._total:,} {self._what}"
        rate = self.rate(done)
        if not rate:
            return counted
        minutes, seconds = divmod(round((self._total - done) / rate), 60)
        return f"{counted}, {rate:,.{0 if rate >= 10 else 1}f} a second, {minutes}:{seconds:02} left"  # noqa: PLR2004 - two digits

    def rate(self, done: int) -> float:
        """Articles a second of late; 0 where that is not known yet."""
        now = self._clock()
        began, first = self._marks[0] if self._marks else (now, done)
        if not self._marks or now - self._marks[-1][0] >= EVERY:
            self._marks.append((now, done))
        return (done - first) / (now - began) if now - began >= SURE else 0.0

    def tell(self, done: int) -> None:
        """A line on standard error, now and then."""
        if self._clock() - self._told_at >= EVERY:
            self._told_at = self._clock()
            sys.stderr.write(f"{self.line(done)}\n")
        elif not self._marks:
            self.rate(done)
