"""A story: one real development as many outlets tell it. Its state is a set of reports, so arrival order cannot matter."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zlib import crc32

from tocsin.article import Article
from tocsin.policy import Policy
from tocsin.signal import Certainty, Figure, Signal, Stage, furthest, rank
from tocsin.text import fold

MAX_REPORTS = 40
"""Reports a story keeps in full; the rest is counted. With these limits a story fits the 400 kB of a table item."""
MAX_OUTLETS = 200
MAX_QUOTE = 1_200
"""Bytes of a quoted sentence a report keeps."""
SKETCH = 24
SHINGLE = 4
SAME_TEXT = 0.35
"""Share of common shingles from which two texts count as one text told twice; independent copy stays below 0.1."""
_MAX_TITLE, _MAX_URL, _MAX_OUTLET, _MAX_NAME, _MAX_FLAG, _MAX_NOTE = 400, 800, 150, 100, 40, 160
_MAX_NAMES, _MAX_FLAGS, _MAX_FIGURES, _MAX_MARKS = 5, 8, 4, 40
_MAX_SLUG = 80


@dataclass(frozen=True, slots=True)
class Report:
    """What one article contributed to a story. Times are ISO 8601 in UTC; `marks` are offsets into `quote`."""

    article: str
    outlet: str
    title: str
    url: str
    published: str
    stage: Stage
    certainty: Certainty
    quote: str
    marks: tuple[tuple[int, int], ...] = ()
    flags: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    relays: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    credit: str = ""
    sketch: tuple[int, ...] = ()
    dated: str = "given"

    @classmethod
    def of(cls, signal: Signal, article: Article) -> Report:
        """The report an article (with a published time) makes of one signal."""
        assert article.published is not None  # noqa: S101 - `arriving` dated it before any decision
        quote = _clipped(signal.evidence.quote, MAX_QUOTE)
        offset = signal.evidence.start
        marks = [(start - offset, end - offset) for start, end in signal.evidence.marks if end - offset <= len(quote)]
        return cls(
            article=article.id,
            outlet=_clipped(article.source, _MAX_OUTLET) or "unknown outlet",
            title=_clipped(article.title, _MAX_TITLE),
            url=article.url if _size(article.url) <= _MAX_URL else "",
            published=article.published.astimezone(UTC).isoformat(),
            stage=signal.stage,
            certainty=signal.certainty,
            quote=quote,
            marks=tuple(marks[:_MAX_MARKS]),
            flags=tuple(_clipped(flag, _MAX_FLAG) for flag in signal.flags[:_MAX_FLAGS]),
            says=tuple(_clipped(name, _MAX_NAME) for name in signal.says[:_MAX_NAMES]),
            relays=tuple(_clipped(name, _MAX_NAME) for name in signal.relays[:_MAX_NAMES]),
            figures=tuple(_bounded_figure(figure) for figure in signal.figures[:_MAX_FIGURES]),
            credit=_credit(article),
            sketch=sketch(article.text),
            dated=article.dated,
        )


@dataclass(frozen=True, slots=True)
class Story:
    """One development within one episode. `version` counts the writes of its row; 0 means it was never written."""

    id: str
    rule: str
    who: str | None
    where: str | None
    what: str | None
    episode: int
    first_seen: str
    last_seen: str
    reports: tuple[Report, ...]
    outlets: tuple[str, ...]
    articles: int
    alerted: tuple[str, ...] = ()
    """Ids of the alerts it raised."""
    previous: str = ""
    posted: bool = True
    denial: Report | None = None
    """The denial that raised an alert; it is no report of the thing."""
    version: int = 0

    @property
    def stage(self) -> Stage:
        """The furthest stage any report tells."""
        return furthest(report.stage for report in self.reports)

    @property
    def best(self) -> Report:
        """The report shown: of those with the furthest stage the earliest with a headline."""
        stage = self.stage
        return min(
            self._furthest,
            key=lambda report: (report.stage != stage, not report.title, report.published, report.article),
        )

    @property
    def independent(self) -> int:
        """How many of the kept reports neither share an agency nor their text with another: at least so many sources."""
        return _independent(self.reports)

    @property
    def flags(self) -> tuple[str, ...]:
        """What the reports at the furthest stage say besides, in the order they are kept."""
        return tuple(dict.fromkeys(flag for report in self._furthest for flag in report.flags))

    @property
    def _furthest(self) -> list[Report]:
        stage = self.stage
        return [report for report in self.reports if rank(report.stage) == rank(stage)]

    def gathered(self, name: str) -> tuple[Any, ...]:
        """The distinct values of a field that holds several (`says`, `relays`, `figures`) over all reports."""
        return tuple(dict.fromkeys(value for report in self.reports for value in getattr(report, name)))

    def told_by(self, article: str) -> Report:
        """What an article contributed, a denial included; the best report where it is no longer kept."""
        known = (*self.reports, self.denial) if self.denial else self.reports
        return next((report for report in known if report.article == article), self.best)

    def joins(self, published: str, quiet_for: timedelta) -> bool:
        """Whether something published then belongs to this episode."""
        first, when, last = map(datetime.fromisoformat, (self.first_seen, published, self.last_seen))
        return first - quiet_for <= when <= last + quiet_for

    def to_json(self) -> dict[str, Any]:
        """JSON values that `from_json` reads back to an equal story."""
        return asdict(self)

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Story:
        """Reads what `to_json` wrote."""
        read = {
            "reports": tuple(_report(report) for report in row["reports"]),
            "outlets": tuple(row["outlets"]),
            "alerted": tuple(row["alerted"]),
            "denial": _report(row["denial"]) if row.get("denial") else None,
        }
        return cls(**{**row, **read})


def _report(row: dict[str, Any]) -> Report:
    lists = {name: tuple(row[name]) for name in ("flags", "says", "relays", "sketch")}
    marks = tuple((start, end) for start, end in row["marks"])
    return Report(**{**row, **lists, "marks": marks, "figures": tuple(Figure(**figure) for figure in row["figures"])})


def identity(signal: Signal, policy: Policy) -> str:
    """The key two signals of one story share: the rule and the slots it names under `story.same`."""
    return "/".join([policy.name, *(_bounded(signal.slot(slot) or "-") for slot in policy.same)])


def story_id(key: str, episode: int) -> str:
    """The id of a story: readable, and the same whoever computes it."""
    return f"{key}#{episode}"


def begin(signal: Signal, report: Report, policy: Policy, episode: int, previous: str) -> Story:
    """A new story with its first report."""
    key = identity(signal, policy)
    slots = {slot: _bounded(value) for slot in policy.same if (value := signal.slot(slot))}
    return Story(
        id=story_id(key, episode),
        rule=policy.name,
        who=slots.get("who"),
        where=slots.get("where"),
        what=slots.get("what"),
        episode=episode,
        first_seen=report.published,
        last_seen=report.published,
        reports=(report,),
        outlets=(report.outlet,),
        articles=1,
        previous=previous,
        posted=policy.posted,
    )


def add(story: Story, report: Report) -> Story:
    """The story with one more report. The same reports in any order give equal stories, versions apart.

    Of copies of one text by one outlet the first in the story's order is kept. An article is added once (its fate sees to
    that): one that is no longer among the kept reports would be counted again.
    """
    copies = [one for one in story.reports if repeats(report, one)]
    others = [one for one in story.reports if not repeats(report, one)]
    kept = sorted([*others, min([report, *copies], key=_order)], key=_order)
    return replace(
        story,
        reports=tuple(kept[:MAX_REPORTS]),
        outlets=tuple(sorted({*story.outlets, report.outlet})[:MAX_OUTLETS]),
        articles=story.articles + all(report.article != one.article for one in story.reports),
        first_seen=min(story.first_seen, report.published),
        last_seen=max(story.last_seen, report.published),
    )


def _order(report: Report) -> tuple[int, str, str]:
    """Strongest stage first, then the earliest, then by id: the order in which a story keeps its reports."""
    return (-rank(report.stage), report.published, report.article)


def repeats(one: Report, other: Report) -> bool:
    """Whether two reports are one article: the same id, or the same outlet with the same text."""
    return one.article == other.article or (
        one.outlet == other.outlet and bool(one.sketch) and one.sketch == other.sketch
    )


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


def _independent(reports: tuple[Report, ...]) -> int:
    groups: list[list[Report]] = []
    for report in sorted(reports, key=lambda one: (one.published, one.article)):
        linked = [group for group in groups if any(_copies(report, one) for one in group)]
        groups = [group for group in groups if group not in linked] + [
            [report, *(one for group in linked for one in group)]
        ]
    return len(groups)


def _copies(one: Report, other: Report) -> bool:
    return bool(_sources(one) & _sources(other)) or shared(one.sketch, other.sketch) >= SAME_TEXT


def _sources(report: Report) -> set[str]:
    """The outlet and the agency whose copy it carries, each under one name."""
    return {_AGENCIES.get(name, name) for name in (report.outlet, report.credit) if name}


_AGENCIES = {
    "Associated Press": "AP",
    "Agence France-Presse": "AFP",
    **{
        name: name for name in ("AP", "Reuters", "AFP", "Yonhap", "Kyodo", "Xinhua", "TASS", "UPI", "DPA", "ANI", "PTI")
    },
}


def _credit(article: Article) -> str:
    """The agency whose copy this is, from its dateline: "SEOUL, South Korea (AP) — …"."""
    dateline = article.text[:120]
    return next(
        (agency for name, agency in _AGENCIES.items() if f"({name})" in dateline or f"{name} - " in dateline[:30]), ""
    )


def _bounded(slug: str) -> str:
    if len(slug) <= _MAX_SLUG:
        return slug
    return slug[:_MAX_SLUG] + "-" + hashlib.sha256(slug.encode()).hexdigest()[:8]


def _bounded_figure(figure: Figure) -> Figure:
    return replace(
        figure,
        printed=_clipped(figure.printed, _MAX_NAME),
        unit=_clipped(figure.unit, _MAX_FLAG),
        counts=_clipped(figure.counts, _MAX_NAME),
        reading=_clipped(figure.reading, _MAX_FLAG),
        note=_clipped(figure.note, _MAX_NOTE),
    )


def _size(text: str) -> int:
    """Bytes a text takes inside a table item."""
    return len(json.dumps(text, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def _clipped(text: str, limit: int) -> str:
    """The beginning of a text that takes at most so many bytes."""
    while (size := _size(text)) > limit:
        text = text[: min(len(text) - 1, len(text) * limit // size)]
    return text
