"""Looks for signals in articles. What holds none, and was never heard of before, is done with."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tocsin.article import Article
from tocsin.compiled import RuleSet
from tocsin.detection import detect
from tocsin.pipeline.archive import arrived

if TYPE_CHECKING:  # what decides and writes costs a start more than all of this, and most articles need none of it
    from datetime import datetime, timedelta

    from tocsin.ports import Archive, Clock, Memory, Tally
    from tocsin.signal import Signal

log = logging.getLogger("tocsin")


@dataclass(frozen=True, slots=True)
class Detector:
    """Decides what becomes of articles and writes it down."""

    rules: RuleSet
    table: Callable[[], Memory]
    """Made only when there is something to decide on."""
    archive: Callable[[], Archive]
    clock: Clock
    max_age: timedelta | None
    find: Callable[[RuleSet, Article], Sequence[Signal]] = detect
    """The signals in an article."""
    tally: Callable[[Tally, datetime], None] | None = None
    """Where what was read and rung is counted, for people to be told of."""

    def article(self, body: str) -> Article:
        """The article in a queue message."""
        return arrived(body, self.archive)

    def detect(self, articles: Iterable[tuple[str, Article]]) -> list[str]:
        """Handles a batch of (message id, article); returns the ids of those that must come again.

        A fresh article without a signal needs no call: that it stands in the archive, and has no row in the table, is its fate.
        """
        failed: list[str] = []
        found: list[tuple[str, Article, Sequence[Signal]]] = []
        for message_id, article in articles:
            try:
                signals = self.find(self.rules, article)
            except Exception:
                log.exception("article %s comes again", ascii(article.id))
                failed.append(message_id)
                continue
            if signals or not article.fresh:
                found.append((message_id, article, signals))
        if found:
            from tocsin.pipeline.deciding import Decider

            failed += Decider(self).decide(found)
        return failed
