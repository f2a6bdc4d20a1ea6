"""An article: one text from a feed, a dropped file or a post, as everything after intake sees it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

MAX_TEXT = 5_000_000
"""Characters of text an article may hold; longer input is rejected where it enters."""

Dating = Literal["given", "arrival"]


@dataclass(frozen=True, slots=True)
class Article:
    """One text with its source. `published` is aware UTC; `dated` says how it is known.

    `given`: the feed, manifest or file said so. `arrival`: nobody said, so it is the time the article came in.
    """

    id: str
    text: str
    title: str = ""
    source: str = ""
    url: str = ""
    published: datetime | None = None
    dated: Dating = "given"

    def arriving(self, now: datetime) -> Article:
        """The same article with a published time: its own, or else `now`, marked as such."""
        if self.published is not None:
            return self
        return replace(self, published=now, dated="arrival")

    def to_json(self) -> dict[str, Any]:
        """A dict of JSON values that `from_json` reads back to an equal article."""
        row: dict[str, Any] = {"id": self.id, "text": self.text}
        for key in ("title", "source", "url"):
            if value := getattr(self, key):
                row[key] = value
        if self.published is not None:
            row["published"] = self.published.astimezone(UTC).isoformat()
            row["dated"] = self.dated
        return row

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Article:
        """Reads what `to_json` wrote. Outside input goes through `tocsin.reading` instead, which checks it."""
        published = row.get("published")
        return cls(
            id=row["id"],
            text=row["text"],
            title=row.get("title", ""),
            source=row.get("source", ""),
            url=row.get("url", ""),
            published=datetime.fromisoformat(published) if published else None,
            dated=row.get("dated", "given"),
        )
