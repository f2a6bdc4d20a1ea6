"""Where batches of articles and fates are kept, and how an article travels in a message: whole, or by reference."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Callable, Sequence
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
"""Bytes an article may have to travel inside its queue message (SQS takes 256 KiB); a longer one goes by reference."""


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
    """Archives a batch of articles; returns the body of a queue message for each."""
    rows = [json.dumps(article.to_json()) for article in articles]
    batch = counted_key("articles", now, rows, sum(article.fresh for article in articles))
    archive.write(batch, gzip.compress("\n".join(rows).encode(), mtime=0))
    return [row if len(row) <= INLINE else json.dumps({"ref": batch, "line": line}) for line, row in enumerate(rows)]


def arrived(body: str, archive: Callable[[], Archive]) -> Article:
    """The article in a queue message, fetched from the archive when it travels by reference."""
    row = json.loads(body)
    if "ref" in row:
        lines = gzip.decompress(archive().read(row["ref"], limit=MAX_FILE)).decode().splitlines()
        row = json.loads(lines[row["line"]])
    return Article.from_json(row)
