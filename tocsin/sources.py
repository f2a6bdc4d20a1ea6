"""Which of the outlets that tell a story are sources of their own: reprints and agency copy are told from independent reports."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar
from zlib import crc32

from tocsin.article import Article
from tocsin.text import Pattern, fold

SKETCH = 24
SHINGLE = 4
SAME_TEXT = 0.35
"""Share of common shingles from which two texts count as one text told twice; independent copy stays below 0.1."""
REPRINT = 0.6
"""Share from which a long text that comes much later is the old one, and not news with the old background."""
_HEAD, _TAIL = 120, 240
"""Characters at the beginning and the end of an article in which an agency signs its copy."""
_AGENCIES = {
    "Associated Press": "AP",
    "Agence France-Presse": "AFP",
    **{
        name: name for name in ("AP", "Reuters", "AFP", "Yonhap", "Kyodo", "Xinhua", "TASS", "UPI", "DPA", "ANI", "PTI")
    },
}
_NAMES = "|".join(sorted(map(re.escape, _AGENCIES), key=len, reverse=True))
_DATELINE = Pattern(rf"\((?:The )?({_NAMES})\)|\A\W{{0,3}}({_NAMES})(?: - | -- | — |: )|\ABy .{{1,60}}?\b({_NAMES})\b")
_SIGNATURE = Pattern(
    rf"\(({_NAMES})\)\W*\Z|(?:©|\(c\)|Copyright)\s?(?:\d{{4}}\s)?(?:The )?({_NAMES})\b|\bSource: (?:The )?({_NAMES})\b",
    re.IGNORECASE,
)
_REUTERS = Pattern(r"\(?(?:Additional )?[Rr]eporting by [^()\n]{3,160}; ?(?:[Ww]riting|[Ee]diting) by ")


class Telling(Protocol):
    """What is looked at to tell sources apart: who prints it, whose copy it is, and the sketch of its text."""

    @property
    def article(self) -> str:
        """The article's id."""

    @property
    def published(self) -> str:
        """When, in ISO 8601."""

    @property
    def outlet(self) -> str:
        """Who prints it."""

    @property
    def credit(self) -> str:
        """The agency whose copy it is, or nothing."""

    @property
    def sketch(self) -> tuple[int, ...]:
        """The sketch of its text."""


Told = TypeVar("Told", bound=Telling)


def sketch(text: str) -> tuple[int, ...]:
    """The smallest hashes of a text's word shingles (Broder 1997): enough to estimate how much two texts share."""
    words = fold(text).split()
    hashes = {crc32(b" ".join(words[at : at + SHINGLE])) for at in range(max(1, len(words) - SHINGLE + 1))}
    return tuple(sorted(hashes)[:SKETCH]) if words else ()


def shared(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """Estimated share of common shingles, 0 to 1."""
    if not one or not other:
        return 0.0
    union = sorted({*one, *other})[:SKETCH]
    both = set(one) & set(other)
    return sum(1 for value in union if value in both) / len(union)


def reprinted(one: Telling, later: Telling) -> bool:
    """Whether a report that comes much later prints a text again. Of a few words that cannot be said."""
    return len(one.sketch) == len(later.sketch) == SKETCH and shared(one.sketch, later.sketch) >= REPRINT


def credit(article: Article) -> str:
    """The agency whose copy an article is: it signs in the dateline ("SEOUL (AP) — …"), the byline or the last line."""
    text = article.text.strip()
    signed = _DATELINE.search(text[:_HEAD]) or _SIGNATURE.search(text[-_TAIL:])
    if signed:
        name = next(group for group in signed.groups() if group)
        return next(agency for known, agency in _AGENCIES.items() if known.casefold() == name.casefold())
    return "Reuters" if _REUTERS.search(text[-_TAIL:]) else ""


def groups(reports: Iterable[Told]) -> list[list[Told]]:
    """The reports by source: each group is one agency's copy, one outlet's, or one text printed again and again."""
    found: list[list[Told]] = []
    for report in sorted(reports, key=lambda one: (one.published, one.article)):
        linked = [group for group in found if any(_copies(report, one) for one in group)]
        found = [group for group in found if group not in linked] + [
            [report, *(one for group in linked for one in group)]
        ]
    return found


def copies(reports: Sequence[Telling]) -> tuple[tuple[str, int], ...]:
    """How many outlets carry the copy of each agency, and under "" how many print a text that others print too."""
    carried: dict[str, set[str]] = {}
    for group in groups(reports):
        outlets = {report.outlet for report in group}
        if len(outlets) == 1:
            continue
        agencies = {report.outlet: report.credit for report in group if report.credit}
        for outlet in outlets:
            carried.setdefault(agencies.get(outlet) or _AGENCIES.get(outlet, ""), set()).add(outlet)
    return tuple(sorted((agency, len(outlets)) for agency, outlets in carried.items()))


def _copies(one: Telling, other: Telling) -> bool:
    return bool(_names(one) & _names(other)) or shared(one.sketch, other.sketch) >= SAME_TEXT


def _names(report: Telling) -> set[str]:
    """The outlet and the agency whose copy it carries, each under one name."""
    return {_AGENCIES.get(name, name) for name in (report.outlet, report.credit) if name}
