"""Turns dropped files into articles on the queue."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tocsin.article import Article
from tocsin.errors import InputFault
from tocsin.pipeline.archive import MAX_FILE, archived

if TYPE_CHECKING:
    from tocsin.ports import Archive, Clock, Queue, Table
    from tocsin.reading import Entry

log = logging.getLogger("tocsin")


@dataclass(frozen=True, slots=True)
class Collector:
    """Turns dropped files into articles on the queue."""

    archive: Archive
    queue: Queue
    table: Table
    clock: Clock
    contents: Callable[[str, bytes, Mapping[str, str]], Iterable[Entry]]
    """`tocsin.reading.contents`: file name, bytes and metadata to articles, each failing for itself."""

    def collect(self, key: str) -> None:
        """Reads one object, archives its articles and queues them; what cannot be used is recorded as rejected."""
        now = self.clock()
        try:
            body, metadata = self.archive.read(key, limit=MAX_FILE), self.archive.metadata(key)
        except InputFault as fault:
            self._reject(_name(key), fault, now)
            return
        articles: list[Article] = []
        for entry in self.contents(key, body, metadata):
            if entry.fault:
                number = "".join(filter(str.isdigit, entry.name.removeprefix(key)))
                self._reject(_name(key) + (f"-{number}" if number else ""), entry.fault, now)
            elif entry.article:
                articles.append(entry.article.arriving(now))
        if articles:
            self._send(articles, now)

    def _reject(self, name: str, fault: InputFault, now: datetime) -> None:
        from tocsin.ports import FateRecord

        log.warning("rejected %s", ascii(str(fault)))
        self.table.record(FateRecord(name, "rejected", str(fault), now.isoformat(), ""))

    def _send(self, articles: Sequence[Article], now: datetime) -> None:
        self.queue.send(archived(self.archive, articles, now))


def _name(key: str) -> str:
    return key.rpartition("/")[2].rpartition(".")[0] or key
