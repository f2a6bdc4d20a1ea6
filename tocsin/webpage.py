"""A saved web page as an article: its text without what stands around it, and what it says of itself.

Pages that are fetched are read by `tocsin.adapters.pages`, with a library that is too large for the other functions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from tocsin.clean import html_text, line, tags, unescaped, web_address
from tocsin.markup import decoded

_AROUND = ("nav", "aside", "footer", "form")
_HIDDEN = ("script", "style", "template", "noscript")
_MARK = re.compile(rf"<!--|<(/?)(article|main|header|{'|'.join(_AROUND + _HIDDEN)})\b[^<>]*+>", re.IGNORECASE)
_CHARSET = re.compile(rb"""<meta\b[^<>]*?\bcharset\s*=\s*["']?\s*([A-Za-z0-9_.:-]{2,40})""", re.IGNORECASE)
_HEAD = 8_192
"""Bytes of a page that may name its encoding."""
_TITLE = re.compile(r"<(title|h1)\b[^<>]*+>([^<]++)", re.IGNORECASE)
_TOLD = re.compile(r'"datePublished"\s*+:\s*+"([^"]{4,40})"')
_TITLES = ("og:title", "twitter:title", "headline", "dc.title")
_DATES = ("article:published_time", "datepublished", "date", "dc.date", "dcterms.date", "pubdate", "publish-date")
_YEARS = range(1971, 2200)
_MOST = 2_000
_LOOKED_AT = 50
"""Articles of one page among which the longest is looked for."""

Span = tuple[int, int]


def page_source(body: bytes, content_type: str = "") -> str:
    """The source of a page in the encoding that the server (`content_type`) or the page names."""
    found = _CHARSET.search(body[:_HEAD])
    told = f"charset={found[1].decode('ascii')}" if found else ""
    return decoded(body, content_type if "charset" in content_type.lower() else told)[0]


def read_page(source: str) -> dict[str, Any]:
    """Text, title, source, url and published of an article, as far as the page tells them. Takes linear time."""
    spans = _spans(source)
    body = _text(source, spans)
    told = _told(source)
    title = next((told[name] for name in _TITLES if told.get(name)), "") or _heading(source)
    link = next(
        (tag["href"] for tag in tags(source, "link") if tag.get("rel", "").lower() == "canonical" and "href" in tag), ""
    )
    found = {
        "text": body,
        "title": line(title, _MOST),
        "source": line(told.get("og:site_name", ""), 300),
        "url": web_address(link) or web_address(told.get("og:url", "")),
        "published": _published(source, told),
    }
    return {name: value for name, value in found.items() if value}


def _told(source: str) -> dict[str, str]:
    """What the page's `meta` elements say, by lower-case name; the first of a name counts."""
    told: dict[str, str] = {}
    for tag in tags(source, "meta"):
        name = (tag.get("property") or tag.get("name") or tag.get("itemprop") or "").lower()
        if name and tag.get("content"):
            told.setdefault(name, tag["content"])
    return told


def _heading(source: str) -> str:
    """The page's first heading, else its title."""
    found = {name.lower(): words for name, words in reversed(_TITLE.findall(source))}
    return unescaped(found.get("h1", "").strip() or found.get("title", ""))


def _published(source: str, told: dict[str, str]) -> datetime | None:
    """When the page says it was published, if it says so in a way that cannot be misread."""
    for written in _dates(source, told):
        try:
            when = datetime.fromisoformat(written.strip())
        except ValueError:
            continue
        if when.year in _YEARS:
            return when
    return None


def _dates(source: str, told: dict[str, str]) -> Iterator[str]:
    yield from (told[name] for name in _DATES if name in told)
    yield from _TOLD.findall(source)
    yield from (tag["datetime"] for tag in tags(source, "time") if "datetime" in tag)


def _spans(source: str) -> dict[str, list[Span]]:
    """Where elements that matter begin and end, by name, comments as `hidden`. An element that is not closed is none."""
    spans: dict[str, list[Span]] = {}
    opened: dict[str, list[int]] = {}
    at = 0
    while mark := _MARK.search(source, at):
        at = mark.end()
        name = (mark[2] or "").lower()
        if not name or (name in _HIDDEN and not mark[1]):
            at = _end(source, f"</{name}" if name else "-->", at)
            spans.setdefault("hidden", []).append((mark.start(), at))
        elif not mark[1]:
            opened.setdefault(name, []).append(mark.start())
        elif starts := opened.get(name):
            spans.setdefault(name, []).append((starts.pop(), at))
    return spans


def _end(source: str, closing: str, start: int) -> int:
    """The place behind the next `closing`, in any case of letters; of what is not closed, the end of the page."""
    found = re.compile(re.escape(closing) + "[^<>]*+>?", re.IGNORECASE).search(source, start)
    return found.end() if found else len(source)


def _text(source: str, spans: dict[str, list[Span]]) -> str:
    """The longest article of the page, else its main part, else all of it; without what stands around an article."""
    around = [span for name in (*_AROUND, "hidden") for span in spans.get(name, ())]
    for name in ("article", "main"):
        parts = [_without(source, span, around) for span in islice(_outermost(spans.get(name, ())), _LOOKED_AT)]
        if text := max(parts, key=len, default=""):
            return text
    everything = (0, len(source))
    return _without(source, everything, [*around, *spans.get("header", ())]) or _without(
        source, everything, spans.get("hidden", ())
    )


def _without(source: str, part: Span, left_out: Sequence[Span]) -> str:
    """The text of a part of the page, without those that are left out."""
    pieces, at = [], part[0]
    for start, end in _outermost([span for span in left_out if part[0] < span[0] < part[1]]):
        pieces.append(source[at:start])
        at = min(end, part[1])
    return html_text("\n".join([*pieces, source[at : part[1]]]))


def _outermost(spans: Sequence[Span]) -> Iterator[Span]:
    """The spans that lie in no other, in order."""
    reached = 0
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= reached:
            yield start, end
            reached = end
