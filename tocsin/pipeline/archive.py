"""Where batches of articles and fates are kept, and how articles travel in messages: whole, or by reference, many in one."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from tocsin.article import Article

if TYPE_CHECKING:
    from datetime import datetime

    from tocsin.ports import Archive

MAX_FILE = 20_000_000
"""Bytes a dropped file may have."""
_MARK = re.compile(r"-(\d+)\.jsonl\.gz$")
COUNTED = ("articles", "fates")
"""The kinds of batches whose keys tell how many articles of them are to be counted."""
INLINE = 200_000
"""Bytes an article may have to travel inside a queue message (SQS takes 256 KiB)."""
REQUEST, TEN = 64_000, 10
"""Bytes that SQS bills as one request, and messages that one may hold: a batch of more goes by reference."""
NAMED, NAMED_TEXT = 50, 1_000_000
"""Articles that one message names at most, and bytes they have together: ten such messages are the work of one call."""


def archive_key(kind: str, now: datetime, batch: Sequence[str], mark: str = "") -> str:
    """Where a batch is archived; the same batch on the same day always at the same place."""
    digest = hashlib.sha256("\n".join(batch).encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{kind}/{now:%Y/%m/%d}/{digest}{mark}.jsonl.gz"


def counted_key(kind: str, now: datetime, batch: Sequence[str], count: int) -> str:
    """Where a batch is archived of which so many are to be counted: the key tells that, so that counting takes no look into it."""
    return archive_key(kind, now, batch, f"-{count}" if count else "")


def read_on(archive: Archive, day: str) -> int:
    """How many articles were read on a UTC day (2025-03-01) that the tally does not count: fresh ones, and others without a signal.

    A batch that came twice counts once.
    """
    inside = day.replace("-", "/")
    marks = (_MARK.search(key) for kind in COUNTED for key in archive.keys(f"{kind}/{inside}/"))
    return sum(int(mark[1]) for mark in marks if mark)


def archived(archive: Archive, articles: Sequence[Article], now: datetime) -> list[str]:
    """Archives a batch of articles; returns the bodies of the queue messages that bring them.

    A few short ones travel whole, each in a message of its own; of a larger batch messages name the lines in which they stand.
    """
    rows = [json.dumps(article.to_json()) for article in articles]
    batch = counted_key("articles", now, rows, sum(article.fresh for article in articles))
    archive.write(batch, gzip.compress("\n".join(rows).encode(), mtime=0))
    if len(rows) <= TEN and sum(map(len, rows)) <= REQUEST:
        return rows
    return [json.dumps({"ref": batch, "lines": lines}) for lines in _parts(rows)]


def _parts(rows: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The rows in order, as many at a time as one message names: the first, and the one behind the last."""
    first = size = 0
    for line, row in enumerate(rows):
        if line > first and (line - first == NAMED or size + len(row) > NAMED_TEXT):
            yield first, line
            first, size = line, 0
        size += len(row)
    yield first, len(rows)


def apart(body: str) -> list[str]:
    """The messages that bring the articles of this one each alone; nothing when it brings one."""
    row = json.loads(body)
    first, end = row.get("lines", (0, 1))
    return [_alone(row["ref"], line) for line in range(first, end)] if end - first > 1 else []


def _alone(batch: str, line: int) -> str:
    return json.dumps({"ref": batch, "line": line})


class Arrivals:
    """Articles as messages bring them. The batch that was read last is kept, for the next message may name others of its lines."""

    def __init__(self, archive: Callable[[], Archive]) -> None:
        self._archive = archive
        self._batch: tuple[str, Sequence[str]] = ("", ())

    def of(self, body: str) -> list[tuple[str, Article]]:
        """The articles of a message, each with the message that brings it alone."""
        row = json.loads(body)
        if "ref" not in row:
            return [(body, Article.from_json(row))]
        lines = self._lines(row["ref"])
        if "line" in row:
            return [(body, Article.from_json(json.loads(lines[row["line"]])))]
        first, end = row["lines"]
        named = [(body if end - first == 1 else _alone(row["ref"], line), lines[line]) for line in range(first, end)]
        return [(alone, Article.from_json(json.loads(line))) for alone, line in named]

    def _lines(self, batch: str) -> Sequence[str]:
        if batch != self._batch[0]:
            self._batch = batch, gzip.decompress(self._archive().read(batch, limit=MAX_FILE)).decode().splitlines()
        return self._batch[1]


def arrived(body: str, archive: Callable[[], Archive]) -> Article:
    """The article of a message that brings one."""
    ((_, article),) = Arrivals(archive).of(body)
    return article
