"""What is kept of articles and stories, where `tocsin why` looks: in a table and its archive, or at the end of a replay."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tocsin.article import Article, canonical
from tocsin.pipeline.archive import MAX_FILE
from tocsin.pipeline.stories import standing
from tocsin.ports import Archive, FateRecord, Table
from tocsin.story import Story


@dataclass(frozen=True, slots=True)
class Kept:
    """`tocsin.why.Remembered` in a table and its archive."""

    table: Table
    archive: Archive | None
    """None: articles without a signal are not looked for, which takes long."""

    def articles(self, target: str) -> Sequence[FateRecord]:
        """See `Remembered.articles`. Fates without a signal are looked for in the archive, the latest batch first."""
        asked = Article(target, "", url=target if "://" in target else "")
        found = self.table.known([asked]).get(target)
        if found or self.archive is None:
            return [found] if found else []
        return list(self._archived(target, self.archive))[:1]

    def _archived(self, target: str, archive: Archive) -> Iterator[FateRecord]:
        address = canonical(target)
        for key in reversed(archive.keys("fates/")):
            for line in gzip.decompress(archive.read(key, limit=MAX_FILE)).splitlines():
                record = FateRecord.from_json(json.loads(line))
                if record.article == target or (address and canonical(record.url) == address):
                    yield record

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


@dataclass(frozen=True, slots=True)
class Ended:
    """`tocsin.why.Remembered` at the end of a replay."""

    records: tuple[FateRecord, ...]
    stories: tuple[Story, ...]

    def articles(self, target: str) -> Sequence[FateRecord]:
        """See `Remembered.articles`."""
        address = canonical(target) if "://" in target else ""
        return [
            one
            for one in reversed(self.records)
            if one.article == target or (address and canonical(one.url) == address)
        ]

    def story(self, name: str) -> Story | None:
        """See `Remembered.story`."""
        return next((one for one in self.stories if name in {one.name, one.id}), None)

    def alike(self, story: Story) -> Sequence[Story]:
        """The other stories of its rule."""
        return [one for one in self.stories if one.rule == story.rule and one.id != story.id]
