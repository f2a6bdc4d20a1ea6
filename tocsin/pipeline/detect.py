"""Looks for signals in articles. What holds none, and was never heard of before, is done with."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tocsin.article import Article
from tocsin.compiled import RuleSet
from tocsin.detection import detect
from tocsin.pipeline.archive import Arrivals, apart

if TYPE_CHECKING:  # what decides and writes costs a start more than all of this, and most articles need none of it
    from datetime import datetime, timedelta

    from tocsin.ports import Archive, Clock, Memory, Queue, Tally
    from tocsin.signal import Signal

log = logging.getLogger("tocsin")


@dataclass(frozen=True, slots=True)
class Sent:
    """A message of the article queue."""

    id: str
    body: str
    tries: int = 1
    """How often it came, this time included."""


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
    again: Callable[[], Queue] | None = None
    """Where articles of a message that brings many go, each alone, when they are to come again; None: the whole message comes."""

    def take(self, messages: Iterable[Sent]) -> list[str]:
        """Handles messages of the article queue; returns the ids of those that must come again.

        Of a message that brings many articles those that fail are sent again, each alone. If it comes a second time, all are: one
        of them may be what ended the function, and it shall hold up no other.
        """
        failed: list[str] = []
        alone: defaultdict[str, list[str]] = defaultdict(list)
        sources: dict[str, tuple[Sent, str]] = {}
        articles: list[tuple[str, Article]] = []
        arrivals = Arrivals(self.archive)
        for one in messages:
            try:
                if one.tries > 1 and self.again and (bodies := apart(one.body)):
                    alone[one.id] += bodies
                    continue
                for body, article in arrivals.of(one.body):
                    articles.append((f"{one.id} {len(articles)}", article))
                    sources[articles[-1][0]] = one, body
            except Exception:
                log.exception("message %s comes again", one.id)
                failed.append(one.id)
        for name in self.detect(articles):
            one, body = sources[name]
            if body == one.body or not self.again:
                failed.append(one.id)
            else:
                alone[one.id].append(body)
        return [*dict.fromkeys([*failed, *self._send_apart(alone)])]

    def _send_apart(self, alone: Mapping[str, Sequence[str]]) -> list[str]:
        """Sends what each message brought again, an article a message; the messages of which the queue did not take all."""
        unsent = []
        for message_id, bodies in alone.items():
            try:
                assert self.again is not None  # noqa: S101 - else nothing is taken apart
                self.again().send(bodies)
            except Exception:
                log.exception("message %s comes again", message_id)
                unsent.append(message_id)
        return unsent

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
