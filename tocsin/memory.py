"""What is kept of articles and stories, where `tocsin why` looks: in a table and its archive, or at the end of a replay."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tocsin.article import Article, canonical
from tocsin.pipeline.archive import MAX_FILE
from tocsin.pipeline.stories import standing
from tocsin.ports import Archive, FateRecord, Table
from tocsin.signal import Signal
from tocsin.story import Story


@dataclass(frozen=True, slots=True)
class Kept:
    """`tocsin.why.Remembered` in a table and its archive."""

    table: Table
    archive: Archive | None
    """None: articles without a signal are not looked for, which takes long."""
    find: Callable[[Article], Sequence[Signal]] = lambda _: ()
    """The signals that rules find today in an article that was archived and left no row."""

    def articles(self, target: str) -> Sequence[FateRecord]:
        """See `Remembered.articles`. Articles without a signal are looked for in the archive, the latest batch first."""
        asked = Article(target, "", url=target if "://" in target else "")
        found = self.table.known([asked]).get(target)
        if found or self.archive is None:
            return [found] if found else []
        found = next(self._recorded(target, self.archive), None) or next(self._silent(target, self.archive), None)
        return [found] if found else []

    def _recorded(self, target: str, archive: Archive) -> Iterator[FateRecord]:
        """The fates in the archive of articles with this id or URL."""
        asked = _asked(target)
        for _, row in _rows(archive, "fates/"):
            record = FateRecord.from_json(row)
            if asked(record.article, record.url):
                yield record

    def _silent(self, target: str, archive: Archive) -> Iterator[FateRecord]:
        """The fates of articles that have none written down, for they were fresh and no rule matched."""
        asked = _asked(target)
        for day, row in _rows(archive, "articles/"):
            if row.get("fresh") and asked(row["id"], row.get("url", "")):
                article = Article.from_json(row)
                yield FateRecord.of(article, "no_signal", self._why_unwritten(article), day)

    def _why_unwritten(self, article: Article) -> str:
        """Why it has no row: what was read without a signal needs none, but one that is not read yet has none either."""
        elsewhere = "so it is on its way, or `tocsin redrive` shows it among the dead letters"
        try:
            rules = dict.fromkeys(signal.rule for signal in self.find(article))
        except Exception as error:  # noqa: BLE001 - whatever stops the detector, it is what is asked for
            return f"reading it fails ({type(error).__name__}: {error}), {elsewhere}"
        if not rules:
            return "no rule matched"
        return f"nothing was decided, but the rules of today match ({', '.join(rules)}): they were changed since; if not, {elsewhere}"

    def story(self, name: str) -> Story | None:
        """See `Remembered.story`."""
        key, _, number = name.rpartition("#")
        if not key or not (number.isascii() and number.isdigit()):
            return None
        episodes = self.table.episodes(key)
        named = next((story for story in episodes if story.name == name and not story.merged), None)
        return named or standing(self.table, name)

    def alike(self, story: Story) -> Sequence[Story]:
        """The other episodes of its identity."""
        return [one for one in self.table.episodes(story.key) if one.id != story.id and not one.merged]


def _asked(target: str) -> Callable[[str, str], bool]:
    """Whether the article of this id and URL is the one that is asked for, by its id or by any link to it."""
    address = canonical(target)
    return lambda name, url: name == target or bool(address and canonical(url) == address)


def _rows(archive: Archive, prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every line below a prefix with the day of its batch, the latest day first."""
    for key in reversed(archive.keys(prefix)):
        day = "-".join(key.split("/")[1:4])
        for line in gzip.decompress(archive.read(key, limit=MAX_FILE)).splitlines():
            yield day, json.loads(line)


@dataclass(frozen=True, slots=True)
class Ended:
    """`tocsin.why.Remembered` at the end of a replay."""

    records: tuple[FateRecord, ...]
    stories: tuple[Story, ...]

    def articles(self, target: str) -> Sequence[FateRecord]:
        """See `Remembered.articles`."""
        asked = _asked(target)
        return [one for one in reversed(self.records) if asked(one.article, one.url)]

    def story(self, name: str) -> Story | None:
        """See `Remembered.story`."""
        return next((one for one in self.stories if name in {one.name, one.id}), None)

    def alike(self, story: Story) -> Sequence[Story]:
        """The other stories of its rule."""
        return [one for one in self.stories if one.rule == story.rule and one.id != story.id]
