"""An article: one text from a feed, a dropped file or a post, as everything after intake sees it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

MAX_TEXT = 5_000_000
"""Characters of text an article may hold; longer input is rejected where it enters."""

EARLIEST = datetime(1971, 1, 1, tzinfo=UTC)
"""Dates before it are those of a clock that was never set."""
AHEAD = timedelta(days=1)
"""How far a date may lie ahead of the arrival before it is wrong: the clocks of the world differ by that."""
Dating = Literal["given", "arrival", "clamped"]
Naming = Literal["given", "file"]


@dataclass(frozen=True, slots=True)
class Article:
    """One text with its source. `published` is aware UTC; `dated` says how it is known.

    `given`: the feed, manifest or file said so. `arrival`: nobody said, so it is the time the article came in. `clamped`:
    what was said cannot be right, so it is the time of arrival too. `named` says how the id is known: `file`, when it is
    only that of the file the article came in.
    """

    id: str
    text: str
    title: str = ""
    source: str = ""
    url: str = ""
    published: datetime | None = None
    dated: Dating = "given"
    named: Naming = "given"
    lacks: str = ""
    """What of it could not be read, and why; empty when it is whole."""
    shared: bool = False
    """Whether other articles stand at its URL too (a live page, a list), so that the URL does not tell it from them."""
    fresh: bool = False
    """Whether nothing can be known of it, for its feed has been read before and never held it, its id or its address."""

    def arriving(self, now: datetime) -> Article:
        """The same article with a published time: its own, or else `now`, marked as such. Never later than `now`."""
        if self.published is None:
            return replace(self, published=now, dated="arrival")
        if not EARLIEST <= self.published <= now + AHEAD:
            return replace(self, published=now, dated="clamped")
        return replace(self, published=min(self.published, now))

    @property
    def address(self) -> str:
        """Its URL without what varies between links to one page, when it stands there alone: see `canonical`."""
        return "" if self.shared else canonical(self.url)

    @property
    def content(self) -> str:
        """A hash of headline and text, spacing and capitals apart: articles that say the same in the same words share it."""
        words = "\n".join(" ".join(part.split()).casefold() for part in (self.title, self.text))
        return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        """A dict of JSON values that `from_json` reads back to an equal article."""
        row: dict[str, Any] = {"id": self.id, "text": self.text}
        for key in ("title", "source", "url"):
            if value := getattr(self, key):
                row[key] = value
        if self.published is not None:
            row["published"] = self.published.astimezone(UTC).isoformat()
            row["dated"] = self.dated
        if self.named != "given":
            row["named"] = self.named
        if self.lacks:
            row["lacks"] = self.lacks
        if self.shared:
            row["shared"] = True
        if self.fresh:
            row["fresh"] = True
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
            named=row.get("named", "given"),
            lacks=row.get("lacks", ""),
            shared=row.get("shared", False),
            fresh=row.get("fresh", False),
        )


_TRACKING = frozenset({
    "_ga", "_gl", "amp", "at_campaign", "at_medium", "cmp", "cmpid", "dclid", "embedded-checkout",
    "fb_action_ids", "fb_source", "fbclid", "gclid", "gclsrc", "guccounter", "guce_referrer",
    "guce_referrer_sig", "icid", "igsh", "igshid", "ito", "mc_cid", "mc_eid", "mkt_tok", "msclkid", "ncid",
    "ns_campaign", "ns_mchannel", "ocid", "outputtype", "partner", "ref", "ref_src", "ref_url", "referrer",
    "s_cid", "smid", "smtyp", "sr_share", "taid", "tpcc", "trk", "twclid", "twitter_impression", "wt.mc_id",
    "xtor", "yclid",
})  # fmt: skip
"""Parameters that say how a reader came, not what is read."""


def canonical(url: str) -> str:
    """The address of a page whatever link led there: no scheme, `www.`, tracking parameter, fragment, AMP mark or closing slash.

    Empty when the URL is no http(s) address of a page of its own.
    """
    # Here, for the detector, which dismisses most articles, asks for no address.
    from urllib.parse import parse_qsl, urlencode, urlsplit

    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").removeprefix("www.").removeprefix("amp."), parts.port
    except ValueError:
        return ""
    path = _without_marks(parts.path)
    kept = sorted(
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if name.lower() not in _TRACKING and not name.lower().startswith("utm_")
    )
    if parts.scheme.lower() not in {"http", "https"} or not host or not (path or kept):
        return ""
    place = host if port in {None, 80, 443} else f"{host}:{port}"
    return place + path + (f"?{urlencode(kept)}" if kept else "")


def _without_marks(path: str) -> str:
    """A path without what leads to the same page: doubled and closing slashes, spaces at its end, an AMP mark."""
    while (shorter := path.replace("//", "/").rstrip().rstrip("/").removesuffix("/amp").removesuffix(".amp")) != path:
        path = shorter
    return path
