"""Takes articles that are posted by those who know a shared secret."""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.message import Message
from typing import TYPE_CHECKING, Any, Protocol

from tocsin.article import Article
from tocsin.errors import InputFault
from tocsin.pipeline.archive import archived

if TYPE_CHECKING:
    from tocsin.ports import Archive, Clock, Queue, Table
    from tocsin.reading import Entry

log = logging.getLogger("tocsin")

MAX_BODY = 4_000_000
"""Bytes one post may have: Lambda takes 6 MB, in which the body is escaped or in base64."""
MAX_ARTICLES = 500
"""Articles one post may hold: they are queued within the half minute for which a caller is kept waiting."""
FRESH = timedelta(minutes=1)
"""How long the secret is believed before it is fetched again: a new one is known, and an old one void, after that."""
FORMATS = {
    "application/json": "post.json",
    "application/x-ndjson": "post.jsonl",
    "application/ndjson": "post.jsonl",
    "application/jsonl": "post.jsonl",
}
"""Media type → name of a file that would be read alike."""
_SHOWN = 500


@dataclass(frozen=True, slots=True)
class Request:
    """One post. Header names are in lower case; `sender` is the caller's address, for the log."""

    headers: Mapping[str, str]
    body: bytes
    sender: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered: a status and an object of JSON."""

    status: int
    body: Mapping[str, Any]


class Secret(Protocol):
    """A secret kept elsewhere."""

    def __call__(self) -> str:
        """The secret as it was last fetched; `SettingsFault` when it cannot be had."""

    def refresh(self) -> str:
        """The secret as it is now; `SettingsFault` when it cannot be had."""


@dataclass
class Trusted:
    """A secret that is believed for a minute: a new one is known, and an old one void, after that."""

    secret: Secret
    clock: Clock
    _fetched: datetime | None = field(default=None, init=False)

    def current(self) -> str:
        """The secret; fetched when the one at hand is a minute old."""
        now = self.clock()
        if self._fetched is not None and now - self._fetched < FRESH:
            return self.secret()
        secret = self.secret.refresh()
        self._fetched = now
        return secret


@dataclass
class Door(Trusted):
    """Tells those who know the secret from those who do not, in the same time and with the same words for all of these."""

    def admits(self, headers: Mapping[str, str]) -> bool:
        """Whether a post carries the secret, as `Authorization: Bearer …` or as `X-Tocsin-Secret`."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        bearer = token.strip() if scheme.lower() == "bearer" else ""
        given = [one for one in (bearer, headers.get("x-tocsin-secret", "").strip()) if one]
        if not given:
            return False
        wanted = _digest(self.current())
        return any([hmac.compare_digest(_digest(one), wanted) for one in given])  # noqa: C419 - all are compared


@dataclass(frozen=True, slots=True)
class Receiver:
    """Turns posts into articles on the queue."""

    door: Door
    archive: Archive
    queue: Queue
    table: Table
    clock: Clock
    contents: Callable[[str, bytes], Iterable[Entry]]
    """`tocsin.reading.contents`: name and bytes to articles, each failing for itself."""

    def receive(self, request: Request) -> Reply:
        """Queues the articles of a post and answers what became of each; to post them again changes nothing.

        202 with `{"accepted": [ids], "rejected": [{"index", "reason"}]}`, or 400, 401, 413 or 415 with `{"error", "message"}`.
        """
        if not self.door.admits(request.headers):
            log.warning("refused a post from %s", ascii(request.sender))
            return failure(
                401, "unauthorized", "send the shared secret as Authorization: Bearer … or X-Tocsin-Secret: …"
            )
        if len(request.body) > MAX_BODY:
            return failure(413, "too_large", f"a post may have {MAX_BODY:,} bytes; send fewer articles at a time")
        name = _name(request.headers)
        if name is None:
            known = " or ".join(list(FORMATS)[:2])
            return failure(415, "unsupported_type", f"send {known} in UTF-8, not compressed")
        entries: list[Entry] = []
        for entry in self.contents(name, request.body):
            if len(entries) == MAX_ARTICLES:
                return failure(413, "too_many", f"a post may hold {MAX_ARTICLES} articles; send fewer at a time")
            entries.append(entry)
        return self._take(entries, _digest(request.body).hex()[:16])

    def _take(self, entries: Iterable[Entry], post: str) -> Reply:
        now = self.clock()
        articles: dict[Article, None] = {}
        faults: dict[int, InputFault] = {}
        for index, entry in enumerate(entries):
            if entry.article:
                articles[_identified(entry.article).arriving(now)] = None
            elif entry.fault:
                faults[index] = entry.fault
        if articles:
            self.queue.send(archived(self.archive, list(articles), now))
        for index, fault in faults.items():
            self._reject(f"post-{post}-{index}", fault, now)
        outcome = {
            "accepted": list(dict.fromkeys(article.id for article in articles)),
            "rejected": [{"index": index, "reason": str(fault)[:_SHOWN]} for index, fault in faults.items()],
        }
        if articles:
            return Reply(202, outcome)
        what = failure(400, "nothing_accepted", "the post holds no article that can be read; see `rejected`")
        return replace(what, body={**what.body, **outcome})

    def _reject(self, name: str, fault: InputFault, now: datetime) -> None:
        from tocsin.ports import FateRecord

        log.warning("rejected %s", ascii(str(fault)))
        self.table.record(FateRecord(name, "rejected", str(fault), now.isoformat(), ""))


def failure(status: int, code: str, message: str) -> Reply:
    """The reply to a post of which nothing was taken: what was wrong, and what to do about it."""
    return Reply(status, {"error": code, "message": message})


def _name(headers: Mapping[str, str]) -> str | None:
    """The name of a file that would be read as the body is; None when no file would."""
    told = Message()
    told["Content-Type"] = headers.get("content-type", "")
    charset = str(told.get_param("charset", "utf-8")).lower()
    if charset not in {"utf-8", "utf8"} or headers.get("content-encoding", "identity").lower() != "identity":
        return None
    return FORMATS.get(told.get_content_type())


def _identified(article: Article) -> Article:
    """The article under its own id, else under one that it gets each time it is posted, and no other article does."""
    if article.named == "given":
        return article
    told = f"{article.source}\n{article.address}\n{article.content}"
    return replace(article, id=f"post-{_digest(told).hex()[:16]}")


def _digest(told: str | bytes) -> bytes:
    """A fingerprint, so that comparing it tells nothing of the length of what was told."""
    return hashlib.sha256(told if isinstance(told, bytes) else told.encode("utf-8", "surrogatepass")).digest()
