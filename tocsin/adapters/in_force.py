"""Which set of rules is in force, asked for at most twice a minute."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError

from tocsin.ports import Clock, RulesInForce

log = logging.getLogger("tocsin")

AGAIN = timedelta(seconds=30)
"""How long a function believes that the same rules are in force: with what its calls take, less than a minute."""


class Pointer(Protocol):
    """What knows which set of rules is in force."""

    def rules_in_force(self) -> RulesInForce | None:
        """The set that was put in force last; None while those that were deployed are."""


class InForce:
    """What was put in force last, when it is called; what cannot be asked for is as it was."""

    def __init__(self, pointer: Callable[[], Pointer], clock: Clock) -> None:
        self._pointer, self._clock = pointer, clock
        self._looked: datetime | None = None
        self._seen: RulesInForce | None = None

    def __call__(self) -> RulesInForce | None:
        """The set; None while those that were deployed are in force."""
        now = self._clock()
        if self._looked and timedelta(0) <= now - self._looked < AGAIN:
            return self._seen
        try:
            self._seen = self._pointer().rules_in_force()
        except (ClientError, BotoCoreError):
            if self._looked is None:  # nobody knows which rules count: the call is made again
                raise
            log.exception("the rules in force cannot be asked for")
        self._looked = now
        return self._seen
