"""A story: one real development as many outlets tell it. Its state is a set of reports, so arrival order cannot matter."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zlib import crc32

from tocsin.article import Article
from tocsin.policy import Policy
from tocsin.signal import Certainty, Figure, Signal, Stage, furthest, rank
from tocsin.text import fold

MAX_REPORTS = 60
"""Reports a story keeps in full; the rest is counted. A story stays far below the 400 kB of a table item."""
MAX_OUTLETS = 200
SKETCH = 24
SHINGLE = 4
SAME_TEXT = 0.35
"""Share of common shingles from which two texts count as one text told twice; independent copy stays below 0.1."""
MAX_QUOTE = 1_000
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
        evidence = signal.evidence
        return cls(
            article.id, article.source or "unknown outlet", article.title, article.url, article.published.isoformat(), signal.stage, signal.certainty,
            evidence.quote[:MAX_QUOTE], tuple((a - evidence.start, b - evidence.start) for a, b in evidence.marks if b - evidence.start <= MAX_QUOTE),
            signal.flags, signal.says[:8], signal.relays[:8], signal.figures[:8], _credit(article), sketch(article.text), article.dated,
        )  # fmt: skip

    @property
    def order(self) -> tuple[int, str, str]:
        """Strongest stage first, then the earliest, then by id: the order in which a story keeps its reports."""
        return (-rank(self.stage), self.published, self.article)


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
    version: int = 0

    @property
    def stage(self) -> Stage:
        """The furthest stage any report tells."""
        return furthest(report.stage for report in self.reports)

    @property
    def best(self) -> Report:
        """The report shown: of those with the furthest stage the earliest with a headline."""
        top = [report for report in self.reports if rank(report.stage) == rank(self.stage)]
        return min(top, key=lambda report: (report.stage != self.stage, not report.title, report.published, report.article))

    @property
    def independent(self) -> int:
        """Outlets that neither carry an agency another one carries nor share their text."""
        return _independent(self.reports) + len(self.outlets) - len({report.outlet for report in self.reports})

    @property
    def flags(self) -> tuple[str, ...]:
        """What the reports at the furthest stage say besides, in the order they are kept."""
        top = [report for report in self.reports if rank(report.stage) == rank(self.stage)]
        return tuple(dict.fromkeys(flag for report in top for flag in report.flags))

    def gathered(self, name: str) -> tuple[Any, ...]:
        """The distinct values of a field that holds several (`says`, `relays`, `figures`) over all reports."""
        return tuple(dict.fromkeys(value for report in self.reports for value in getattr(report, name)))

    def joins(self, published: str, quiet_for: timedelta) -> bool:
        """Whether something published then belongs to this episode."""
        when = datetime.fromisoformat(published)
        return datetime.fromisoformat(self.first_seen) - quiet_for <= when <= datetime.fromisoformat(self.last_seen) + quiet_for

    def to_json(self) -> dict[str, Any]:
        """JSON values that `from_json` reads back to an equal story."""
        return asdict(self)

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Story:
        """Reads what `to_json` wrote."""
        reports = tuple(_report(report) for report in row["reports"])
        return cls(**{**row, "reports": reports, "outlets": tuple(row["outlets"]), "alerted": tuple(row["alerted"])})


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
    slots = {slot: (_bounded(value) if (value := signal.slot(slot)) else None) for slot in ("who", "where", "what")}
    kept = {slot: slots[slot] if slot in policy.same else None for slot in slots}
    return Story(
        story_id(key, episode), policy.name, kept["who"], kept["where"], kept["what"], episode, report.published, report.published,
        (report,), (report.outlet,), 1, (), previous, policy.posted,
    )  # fmt: skip


def add(story: Story, report: Report) -> Story:
    """The story with one more report. Adding the same reports in any order gives equal stories, versions apart."""
    reports = _kept((*(one for one in story.reports if not repeats(report, one)), *_preferred(story, report)))
    known = any(repeats(report, one) for one in story.reports)
    return replace(
        story,
        reports=reports,
        outlets=tuple(sorted({*story.outlets, report.outlet})[:MAX_OUTLETS]),
        articles=story.articles + (not known),
        first_seen=min(story.first_seen, report.published),
        last_seen=max(story.last_seen, report.published),
    )


def _preferred(story: Story, report: Report) -> tuple[Report, ...]:
    """Of copies of one text by one outlet, the one that comes first in the story's order."""
    return (min([report, *(one for one in story.reports if repeats(report, one))], key=lambda one: one.order),)


def _kept(reports: Iterable[Report]) -> tuple[Report, ...]:
    return tuple(sorted(reports, key=lambda report: report.order)[:MAX_REPORTS])


def repeats(one: Report, other: Report) -> bool:
    """Whether two reports are one article: the same id, or the same outlet with the same text."""
    return one.article == other.article or (one.outlet == other.outlet and bool(one.sketch) and one.sketch == other.sketch)


def sketch(text: str) -> tuple[int, ...]:
    """The smallest hashes of a text's word shingles (Broder 1997): enough to estimate how much two texts share."""
    words = fold(text).split()
    hashes = {crc32(b" ".join(words[at : at + SHINGLE])) for at in range(max(1, len(words) - SHINGLE + 1))}
    return tuple(sorted(hashes)[:SKETCH])


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
        groups = [group for group in groups if group not in linked] + [[report, *(one for group in linked for one in group)]]
    return len(groups)


def _copies(one: Report, other: Report) -> bool:
    return (
        one.outlet == other.outlet
        or (bool(one.credit) and one.credit == other.credit)
        or one.credit == other.outlet
        or other.credit == one.outlet
        or shared(one.sketch, other.sketch) >= SAME_TEXT
    )


_AGENCIES = ("AP", "Associated Press", "Reuters", "AFP", "Yonhap", "Kyodo", "Xinhua", "TASS", "UPI", "DPA", "ANI", "PTI")


def _credit(article: Article) -> str:
    """The agency whose copy this is, from its dateline: "SEOUL, South Korea (AP) — …"."""
    dateline = article.text[:120]
    return next((agency for agency in _AGENCIES if f"({agency})" in dateline or f"{agency} - " in dateline[:20]), "")


def _bounded(slug: str) -> str:
    if len(slug) <= _MAX_SLUG:
        return slug
    return slug[:_MAX_SLUG] + "-" + hashlib.sha256(slug.encode()).hexdigest()[:8]
