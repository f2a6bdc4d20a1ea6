"""A silence: what an analyst asked not to be told for a while. It holds back posts, never records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tocsin.signal import Signal

MATCHERS = ("rule", "who", "where", "what", "stage")
UNNAMED = "-"
"""The value of a slot that nobody named."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Matchers are pairs of `rule`, `who`, `where`, `what` or `stage` and a value; all of them must agree.

    The value `-` agrees with a slot that nobody named. A matcher of any other name agrees with nothing.
    """

    id: str
    matchers: tuple[tuple[str, str], ...]
    begins: datetime
    ends: datetime
    author: str
    comment: str
    holds_critical: bool = False
    """Whether even a rise to critical is held back."""

    def covers(self, signal: Signal, now: datetime) -> bool:
        """Whether the silence is in force now and matches the signal."""
        return self.begins <= now < self.ends and all(
            name in MATCHERS and (getattr(signal, name) or UNNAMED) == value for name, value in self.matchers
        )
