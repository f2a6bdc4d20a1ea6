"""A story: one real development as many outlets tell it. Its state is a set of reports, so arrival order cannot matter."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tocsin import sources
from tocsin.actions import Action, together
from tocsin.article import Article
from tocsin.policy import Policy
from tocsin.signal import Certainty, Figure, Signal, Stage, furthest, rank

MAX_REPORTS = 40
"""Reports a story keeps in full; the rest is counted. With these limits a story fits the 400 kB of a table item."""
MAX_OUTLETS = 200
MAX_QUOTE = 1_200
"""Bytes of a quoted sentence a report keeps."""
MAX_DENIALS = 5
MAX_ALERTED = 200
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
    where: str | None = None
    what: str | None = None
    withdrawn: bool = False
    """Whether the outlet has edited the signal out of its article since."""
    again: int = 0
    """How often the outlet told the same text again, under other ids."""

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
            credit=sources.credit(article),
            sketch=sources.sketch(article.text),
            dated=article.dated,
            where=signal.where and _bounded(signal.where),
            what=signal.what and _bounded(signal.what),
        )


@dataclass(frozen=True, slots=True)
class Told:
    """What the channel was last told of a figure, or of the values of a slot: a range that only widens when it is told anew."""

    name: str
    """`counts` of the figure, or the slot."""
    unit: str
    low: float
    high: float
    printed_low: str
    printed_high: str
    values: tuple[str, ...] = ()
    latest: str = ""
    """When the latest comparable report was published."""


@dataclass(frozen=True, slots=True)
class Story:
    """One development within one episode. `version` counts the writes of its row; 0 means it was never written."""

    id: str
    """Under which it is kept and its alerts are known: identity and the number of its birth. It never changes."""
    rule: str
    who: str | None
    where: str | None
    what: str | None
    episode: int
    """Its number among the episodes of its identity in order of time, which a late article may change."""
    first_seen: str
    last_seen: str
    reports: tuple[Report, ...]
    outlets: tuple[str, ...]
    articles: int
    alerted: tuple[str, ...] = ()
    """Ids of the alerts it raised. History, as `told` is: no part of what the story tells."""
    begun_by: str = ""
    """Id of the article whose first report rang as the story began; history, too."""
    told: tuple[Told, ...] = ()
    posted: bool = True
    denials: tuple[Report, ...] = ()
    """Denials by the party; they are no reports of the thing."""
    merged: str = ""
    """Id of the story this one turned out to be part of."""
    kinds: tuple[str, ...] = ()
    """Materiel that is one thing here, the closer word first."""
    actions: tuple[Action, ...] = ()
    """What the desk did about it, one of each kind."""
    version: int = 0

    @property
    def key(self) -> str:
        """The identity it shares with its other episodes."""
        return self.id.rpartition("#")[0]

    @property
    def number(self) -> int:
        """How many episodes of its identity were begun before it, and one."""
        return int(self.id.rpartition("#")[2])

    @property
    def name(self) -> str:
        """How it is printed: identity and place in time. The same whatever the order of arrival."""
        return story_id(self.key, self.episode)

    @property
    def previous(self) -> str:
        """The name of the episode before, or nothing."""
        return story_id(self.key, self.episode - 1) if self.episode > 1 else ""

    @property
    def telling(self) -> tuple[Report, ...]:
        """The reports that count: those nobody withdrew; all of them, or else the denials, where none is left."""
        return tuple(report for report in self.reports if not report.withdrawn) or self.reports or self.denials

    @property
    def withdrawn(self) -> tuple[str, ...]:
        """The outlets that withdrew what they had reported."""
        return tuple(sorted({report.outlet for report in self.reports if report.withdrawn}))

    @property
    def stage(self) -> Stage:
        """The furthest stage any report tells."""
        return furthest(report.stage for report in self.telling)

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
        return len(sources.groups(self.reports))

    @property
    def copies(self) -> tuple[tuple[str, int], ...]:
        """See `sources.copies`."""
        return sources.copies(self.reports)

    @property
    def flags(self) -> tuple[str, ...]:
        """What the reports at the furthest stage say besides, in the order they are kept."""
        return tuple(dict.fromkeys(flag for report in self._furthest for flag in report.flags))

    @property
    def _furthest(self) -> list[Report]:
        stage = self.stage
        return [report for report in self.telling if rank(report.stage) == rank(stage)]

    def gathered(self, name: str) -> tuple[Any, ...]:
        """The distinct values of a field that holds several (`says`, `relays`, `figures`) over all reports that count."""
        return tuple(dict.fromkeys(value for report in self.telling for value in getattr(report, name)))

    def slot(self, name: str) -> str | None:
        """The value of the slot `who`, `where` or `what`; of materiel that is one thing the closest word any report has."""
        told = {report.what for report in self.reports} if name == "what" else set()
        value: str | None = getattr(self, name)
        return next((kind for kind in self.kinds if kind in told), value)

    def told_by(self, article: str) -> Report:
        """What an article contributed, a denial included; the best report where it is no longer kept."""
        known = (*self.reports, *self.denials)
        return next((report for report in known if report.article == article), self.best)

    @property
    def full(self) -> bool:
        """Whether it may have heard more than it keeps."""
        return len(self.reports) >= MAX_REPORTS or len(self.denials) >= MAX_DENIALS

    def within(self, report: Report, quiet_for: timedelta) -> bool:
        """Whether a report was published no longer before or after the others of the story."""
        first, when, last = map(datetime.fromisoformat, (self.first_seen, report.published, self.last_seen))
        return first - quiet_for <= when <= last + quiet_for

    def to_json(self) -> dict[str, Any]:
        """JSON values that `from_json` reads back to an equal story."""
        return asdict(self)

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Story:
        """Reads what `to_json` wrote, of an earlier version too."""
        older = [row["denial"]] if row.get("denial") else []
        read = {
            "reports": tuple(_report(report) for report in row["reports"]),
            "outlets": tuple(row["outlets"]),
            "kinds": tuple(row.get("kinds", ())),
            "alerted": tuple(row["alerted"]),
            "told": tuple(Told(**{**told, "values": tuple(told["values"])}) for told in row.get("told", ())),
            "denials": tuple(_report(report) for report in row.get("denials", older)),
            "actions": tuple(Action(**action) for action in row.get("actions", ())),
        }
        return cls(**{**{name: row[name] for name in row if name in cls.__slots__}, **read})


def _report(row: dict[str, Any]) -> Report:
    lists = {name: tuple(row[name]) for name in ("flags", "says", "relays", "sketch")}
    marks = tuple((start, end) for start, end in row["marks"])
    return Report(**{**row, **lists, "marks": marks, "figures": tuple(Figure(**figure) for figure in row["figures"])})


def identity(signal: Signal, policy: Policy) -> str:
    """The key two signals of one story share: the rule and the slots it names under `story.same`."""
    return "/".join([policy.name, *(_bounded(policy.one_of(slot, signal.slot(slot)) or "-") for slot in policy.same)])


def story_id(key: str, episode: int) -> str:
    """The id of a story: readable, and the same whoever computes it."""
    return f"{key}#{episode}"


def begin(signal: Signal, report: Report, policy: Policy, number: int) -> Story:
    """A new story with its first report, or with a denial of what nobody has reported yet."""
    slots = {slot: _bounded(value) for slot in policy.same if (value := policy.one_of(slot, signal.slot(slot)))}
    story = Story(
        id=story_id(identity(signal, policy), number),
        rule=policy.name,
        who=slots.get("who"),
        where=slots.get("where"),
        what=slots.get("what"),
        episode=number,
        first_seen=report.published,
        last_seen=report.published,
        reports=(),
        outlets=(),
        articles=0,
        posted=policy.posted,
        kinds=policy.kin("what", slots.get("what")),
    )
    return deny(story, report) if "denied" in signal.flags else add(story, report)


def add(story: Story, report: Report) -> Story:
    """The story with one more report. The same reports in any order give equal stories, versions apart.

    Of copies of one text by one outlet the first in the story's order is kept. An article is added once (its fate sees to
    that): one that is no longer among the kept reports would be counted again.
    """
    return _spanned(
        replace(
            story,
            reports=_kept(story.reports, report),
            outlets=tuple(sorted({*story.outlets, report.outlet})[:MAX_OUTLETS]),
            articles=story.articles + all(report.article != one.article for one in story.reports),
        ),
        story,
        report,
    )


def deny(story: Story, report: Report) -> Story:
    """The story with a denial. It leaves stage and sources as they are."""
    known = {one.article: one for one in (report, *story.denials)}
    denials = sorted(known.values(), key=lambda one: (one.published, one.article))
    return _spanned(replace(story, denials=tuple(denials[:MAX_DENIALS])), story, report)


def amend(story: Story, article: str, report: Report | None) -> Story:
    """The story after an article was edited: with its new report, or, where the signal is gone, with the old one withdrawn.

    An article whose report is not kept changes nothing.
    """
    old = next((one for one in story.reports if one.article == article), None)
    if old is None:
        return story
    others = tuple(one for one in story.reports if one is not old)
    new = replace(report, again=old.again) if report else replace(old, withdrawn=True)
    return _spanned(replace(story, reports=_kept(others, new)), story, new)


def act(story: Story, action: Action) -> Story:
    """The story after somebody did something about it. The same action again changes nothing."""
    return replace(story, actions=together((*story.actions, action.bounded)))


def merge(story: Story, other: Story) -> Story:
    """Two stories as one: what all their reports in one story would have made."""
    reports = story.reports
    for report in other.reports:
        reports = _kept(reports, report)
    for denial in other.denials:
        story = deny(story, denial)
    return replace(
        story,
        reports=reports,
        outlets=tuple(sorted({*story.outlets, *other.outlets})[:MAX_OUTLETS]),
        articles=story.articles + other.articles,
        first_seen=min(story.first_seen, other.first_seen),
        last_seen=max(story.last_seen, other.last_seen),
        alerted=tuple(dict.fromkeys((*story.alerted, *other.alerted)))[-MAX_ALERTED:],
        told=_widest((*story.told, *other.told)),
        posted=story.posted or other.posted,
        actions=together((*story.actions, *other.actions)),
    )


def divide(story: Story, reports: Sequence[Report], denials: Sequence[Report], number: int) -> Story:
    """What a story would be of these of its reports alone. With a number of its own it is another story, whose root is to be posted."""
    kept = replace(
        story,
        reports=tuple(sorted(reports, key=_order)),
        denials=tuple(sorted(denials, key=lambda one: (one.published, one.article))),
        outlets=tuple(sorted({report.outlet for report in reports})),
    )
    if number == story.number:
        return _spanned(replace(kept, articles=story.articles - _told(story.reports) + _told(reports)))
    name = story_id(story.key, number)
    alerted = (f"{name}/first_report",) if story.alerted and reports else ()
    return _spanned(
        replace(kept, id=name, articles=_told(reports), alerted=alerted, begun_by="", actions=(), version=0)
    )


def _told(reports: Sequence[Report]) -> int:
    """How many articles told these reports."""
    return sum(1 + report.again for report in reports)


def _spanned(story: Story, *others: Story | Report) -> Story:
    """The story from the first to the last of what it keeps; one that cannot keep everything spans what these spanned, too."""
    times = [one.published for one in (*story.reports, *story.denials)]
    for other in others if story.full else ():
        times += [other.published] if isinstance(other, Report) else [other.first_seen, other.last_seen]
    return replace(story, first_seen=min(times), last_seen=max(times))


def _kept(reports: tuple[Report, ...], report: Report) -> tuple[Report, ...]:
    """The reports a story keeps, with one more."""
    copies = [one for one in reports if repeats(report, one)]
    others = [one for one in reports if not repeats(report, one)]
    if all(one.article != report.article for one in copies):
        copies.append(report)
    first = min(copies, key=_order)
    first = replace(first, again=sum(1 + one.again for one in copies) - 1)
    return tuple(sorted([*others, first], key=_order)[:MAX_REPORTS])


def _widest(told: tuple[Told, ...]) -> tuple[Told, ...]:
    """What was told of each name and unit, as one range."""
    found: dict[tuple[str, str], Told] = {}
    for one in told:
        known = found.setdefault((one.name, one.unit), one)
        low, high = min(known, one, key=lambda each: each.low), max(known, one, key=lambda each: each.high)
        found[one.name, one.unit] = replace(
            known,
            low=low.low,
            high=high.high,
            printed_low=low.printed_low,
            printed_high=high.printed_high,
            values=tuple(dict.fromkeys((*known.values, *one.values))),
            latest=max(known.latest, one.latest),
        )
    return tuple(found.values())


def earliest(one: Report, copy: Report) -> Report:
    """Of two copies the one a story keeps."""
    return min(one, copy, key=_order)


def _order(report: Report) -> tuple[int, str, str]:
    """Strongest stage first, then the earliest, then by id: the order in which a story keeps its reports."""
    return (-rank(report.stage), report.published, report.article)


def repeats(one: Report, other: Report) -> bool:
    """Whether two reports are one article: the same id, or the same outlet with the same text."""
    return one.article == other.article or (
        one.outlet == other.outlet and bool(one.sketch) and one.sketch == other.sketch
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
