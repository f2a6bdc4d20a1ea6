"""Reads the pages of articles of which a feed tells only a summary."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from tocsin.article import MAX_TEXT, Article
from tocsin.errors import FetchFault, InputFault
from tocsin.pipeline.archive import archived, arrived

if TYPE_CHECKING:
    from tocsin.feed import Answer
    from tocsin.ports import Archive, Clock, Queue, Web

log = logging.getLogger("tocsin")

TRIES = 2
"""How often a page is looked at: one that ended the function that often is left alone."""
AKIN = 0.5
"""Share of the summary's words that a page must hold to be the page of that article."""
HEADERS = {"Accept": "text/html, application/xhtml+xml;q=0.9"}
_CUT_OFF = re.compile(r"(?:\s*(?:…|\.\.\.|\[…\]|\[\.\.\.\]|read (?:more|on)|continue reading))+\W*\Z", re.IGNORECASE)
_PAIRED = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"(?=([{_PAIRED}]{{2}}))|([^\W{_PAIRED}]{{4,}})")
"""A word of some length, or two characters of a script whose words are short or run together."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a page holds of an article; text is clean and plain."""

    text: str
    title: str = ""
    published: datetime | None = None


@dataclass(frozen=True, slots=True)
class PageReader:
    """Turns summaries into whole articles on the queue. No summary is lost: where there is no page, it is the article."""

    web: Web
    extract: Callable[[Answer], Page]
    """The article in a page; `InputFault` when there is none."""
    archive: Archive
    queue: Queue
    clock: Clock

    def read(self, body: str, receives: int = 1) -> None:
        """Takes one message of the page queue, received for the nth time."""
        now = self.clock()
        article = self._whole(arrived(body, lambda: self.archive), receives).arriving(now)
        self.queue.send(archived(self.archive, [article], now))

    def _whole(self, summary: Article, receives: int) -> Article:
        """The article with the text of its page, else the summary, which then says why."""
        if receives > TRIES:
            return _alone(summary, f"it ended the function {TRIES} times")
        try:
            return _joined(summary, self.extract(self.web.get(summary.url, HEADERS)))
        except (FetchFault, InputFault) as fault:
            return _alone(summary, str(fault))


@dataclass(frozen=True, slots=True)
class Unread:
    """Stands where the page queue would, when no pages are fetched: summaries go on at once, as the articles they are then."""

    archive: Archive
    queue: Queue
    clock: Clock

    def send(self, bodies: Sequence[str]) -> None:
        """See `Queue.send`."""
        now = self.clock()
        summaries = [_alone(arrived(body, lambda: self.archive), "this stack fetches none") for body in bodies]
        self.queue.send(archived(self.archive, [one.arriving(now) for one in summaries], now))


def _alone(summary: Article, why: str) -> Article:
    """The summary as the article, with what it lacks."""
    log.warning("only the summary of %s is read: %s", ascii(summary.id), ascii(why))
    return replace(summary, lacks=f"all but its summary, because of its page: {why}"[:500])


def _joined(summary: Article, page: Page) -> Article:
    """Summary and page as one article: what the feed says of it stands, and its text is the page's."""
    said, told = _words(f"{summary.title} {summary.text}"), _words(f"{page.title} {page.text}")
    if len(said & told) < AKIN * len(said):
        raise InputFault("it tells something else than the summary")
    if summary.dated != "given" and page.published:
        summary = replace(summary, published=page.published, dated="given")
    lead = _CUT_OFF.sub("", summary.text).strip()
    text = page.text if _run(lead) in _run(page.text) else f"{summary.text.strip()}\n\n{page.text}"
    return replace(summary, text=text[:MAX_TEXT], title=summary.title or page.title)


def _words(text: str) -> frozenset[str]:
    return frozenset(pair or word for pair, word in _WORD.findall(text.casefold()))


def _run(text: str) -> str:
    return " ".join(text.split()).casefold()
