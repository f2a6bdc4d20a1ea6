"""Slack's messages as HTML, as the replay's page and the studio show them; and the templates both are made of.

Text from outside never becomes markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from tocsin.signal import STAGES

_INLINE = re.compile(
    r"<(?P<url>https?://[^|<>\s]+)(?:\|(?P<label>[^<>]*))?>"
    r"|(?<![\w*])\*(?![\s\u200b])(?P<bold>(?:<[^<>\n]*>|\*\u200b|[^*<\n])+)\*(?![\w*\u200b])"
)


def mrkdwn(text: str) -> Markup:
    """Slack's markup as HTML: bold, quotes, http(s) links and the three escapes. All else is text."""
    parts = []
    for quoted, lines in groupby(text.split("\n"), lambda line: line.startswith(">")):
        if quoted:
            parts.append(Markup("<blockquote>{}</blockquote>").format(_broken(line[1:].strip() for line in lines)))
        else:
            parts.append(_broken(lines))
    return Markup().join(parts)


def _broken(lines: Iterable[str]) -> Markup:
    return Markup("<br>").join(_inline(line) for line in lines)


def _inline(text: str) -> Markup:
    parts, last = [], 0
    for match in _INLINE.finditer(text):
        parts.append(escape(unescaped(text[last : match.start()])))
        if match["url"]:
            url = unescaped(match["url"])
            label = unescaped(match["label"] or url)
            parts.append(Markup('<a href="{}" rel="noopener noreferrer" dir="auto">{}</a>').format(url, label))
        else:
            parts.append(Markup("<b>{}</b>").format(_inline(match["bold"])))
        last = match.end()
    return Markup().join([*parts, escape(unescaped(text[last:]))])


def unescaped(text: str) -> str:
    """Text without Slack's three escapes."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def instant(when: datetime | str | float) -> datetime:
    """A moment in UTC: of ISO 8601, or of seconds since 1970."""
    if isinstance(when, float):
        return datetime.fromtimestamp(when, UTC)
    return (datetime.fromisoformat(when) if isinstance(when, str) else when).astimezone(UTC)


def day(when: datetime | str | float) -> str:
    """24 Jan 2025."""
    at = instant(when)
    return f"{at.day} {at:%b} {at.year}"


def moment(when: datetime | str | float) -> Markup:
    """24 Jan 2025 09:30 UTC; without the time when it is midnight, as a day alone is given."""
    at = instant(when)
    clock = "" if (at.hour, at.minute, at.second) == (0, 0, 0) else f" {at:%H:%M} UTC"
    return Markup('<time datetime="{}">{}{}</time>').format(at.isoformat(), day(at), clock)


def words(slug: str) -> str:
    """A slug as words, names with capitals: north-korea → North Korea; what is no name keeps its letters."""
    return " ".join(
        word if word in {"and", "of", "the"} else word.capitalize() for word in slug.replace("_", "-").split("-")
    )


def plain(slug: str) -> str:
    """A slug as words: no-immediate-sign → no immediate sign."""
    return slug.replace("_", " ").replace("-", " ")


ENV = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
"""Where the templates are found, and what they may call."""
ENV.filters |= {"mrkdwn": mrkdwn, "moment": moment, "words": words, "plain": plain}
ENV.globals |= {"STAGES": STAGES}
