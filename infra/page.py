"""The replay as one HTML page: the channel as Slack shows it, the stories in time, each article with its evidence."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from itertools import pairwise, zip_longest
from typing import Any

from markupsafe import Markup

from infra.local.slack import SlackMessage, Version
from infra.preview import ENV, day, instant, mrkdwn, unescaped
from infra.replay import Arrival, Replayed
from tocsin.decide import FATES
from tocsin.message import safe_link
from tocsin.signal import Stage, rank
from tocsin.story import Report, Story

SHOWN = 300
"""Articles, stories and threads shown in full; the page says how many more there were."""
SHOWN_EDITS = 20
FOLD = 900
"""Characters of text without evidence from which its middle folds away."""
KEPT = 280
"""Characters kept at each end of a fold."""
NEARBY = 200
"""Characters around that in which a fold looks for a good place to begin or end."""
MAX_FOLDED = 20_000
"""Characters a fold holds; what is longer is left out of the page."""


def render(replayed: Replayed) -> str:
    """The page. It asks for nothing outside itself and runs no script; text from outside never becomes markup."""
    css = Markup(ENV.get_template("replay.css.j2").render(fates=FATES))  # noqa: S704 - our own file
    page = ENV.get_template("replay.html.j2").render(
        css=css,
        css_hash=base64.b64encode(hashlib.sha256(css.encode()).digest()).decode(),
        replayed=replayed,
        summary=replayed.summary(),
        span=_span(replayed),
        levels=_levels(replayed.messages),
        anchors=_anchors(replayed),
        threads=_threads(replayed.messages)[:SHOWN],
        timeline=_timeline(replayed.stories[:SHOWN]),
        cards=[_card(number, arrival) for number, arrival in enumerate(replayed.arrivals[:SHOWN], 1)],
        rest=replayed.arrivals[SHOWN:],
    )
    return page.encode("utf-8", "replace").decode()  # half a surrogate pair cannot be written to a file


# ── the channel ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Thread:
    """A message of the channel with the replies to it."""

    root: SlackMessage
    replies: tuple[SlackMessage, ...]


@dataclass(frozen=True, slots=True)
class Edit:
    """A version that was replaced at `until`, and what the next one changed: lines of (del, ins or nothing, words)."""

    version: Version
    until: float
    changes: tuple[tuple[tuple[str, str], ...], ...]


def _threads(messages: Sequence[SlackMessage]) -> list[Thread]:
    """Threads in the order of their roots; a reply whose root was deleted stands for itself."""
    stamps = {message.ts for message in messages}
    roots = [message for message in messages if message.thread_ts not in stamps]
    return [Thread(root, tuple(message for message in messages if message.thread_ts == root.ts)) for root in roots]


def edits(message: SlackMessage) -> list[Edit]:
    """The earlier versions of a message, the latest first."""
    pairs = list(pairwise(message.versions))[-SHOWN_EDITS:]
    return [Edit(before, after.at, tuple(_changes(_lines(before), _lines(after)))) for before, after in reversed(pairs)]


def told(message: SlackMessage | Version) -> Mapping[str, Any]:
    """What the metadata says of an alert: its id, story, reason and level. Empty for anything else."""
    payload: Mapping[str, Any] = message.metadata.get("event_payload", {})
    return payload


def _lines(version: Version) -> list[str]:
    """A version as plain lines of text."""
    texts = [text["text"] for block in version.blocks for text in _texts(block)] or [version.text]
    return [mrkdwn(line).striptags() for text in texts for line in text.split("\n")]


def _texts(block: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = [block.get("text"), *block.get("fields", ()), *block.get("elements", ())]
    return [text for text in found if text and isinstance(text.get("text"), str)]


def _changes(before: list[str], after: list[str]) -> Iterator[tuple[tuple[str, str], ...]]:
    for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind != "equal":
            yield from (
                tuple(_words(old.split(), new.split()))
                for old, new in zip_longest(before[a:b], after[c:d], fillvalue="")
            )


def _words(before: list[str], after: list[str]) -> Iterator[tuple[str, str]]:
    for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            yield "", " ".join(before[a:b])
            continue
        if b > a:
            yield "del", " ".join(before[a:b])
        if d > c:
            yield "ins", " ".join(after[c:d])


def _levels(messages: Iterable[SlackMessage]) -> dict[str, str]:
    """The level each story has now, from its root message."""
    return {
        told(message)["story"]: told(message)["level"]
        for message in messages
        if told(message) and message.thread_ts is None
    }


# ── the timeline ─────────────────────────────────────────────────────────────────────────────────────────────────────

PILE, STEP, NEAR = 6, 12, 2.5
"""Dots in a pile, pixels between them, and how close (in % of the width) reports share one."""
LABEL_WIDTH, LABEL_HEIGHT = 24.0, 13
TICKS = 5


@dataclass(frozen=True, slots=True)
class Dot:
    """A report: `x` in % of the width, `dx` and `dy` in pixels from there; `rise`: the stage its story rose to."""

    report: Report
    x: float
    dx: int
    dy: int
    rise: Stage | None = None
    lane: int = 0

    @property
    def anchor(self) -> str:
        """On which side of the dot its label stands, so that it never leaves the picture."""
        return "start" if self.x < 15 else "end" if self.x > 85 else "middle"  # noqa: PLR2004 - percent


@dataclass(frozen=True, slots=True)
class Row:
    """A story in the timeline."""

    story: Story
    dots: tuple[Dot, ...]

    @property
    def base(self) -> int:
        """Pixels from the top to the line the dots hang on."""
        return LABEL_HEIGHT * (1 + max(dot.lane for dot in self.dots)) + 10

    @property
    def height(self) -> int:
        """Pixels."""
        return self.base + max(dot.dy for dot in self.dots) + 9


@dataclass(frozen=True, slots=True)
class Timeline:
    """The stories on one axis of time; `ticks` are (x in %, moment, label)."""

    rows: tuple[Row, ...]
    ticks: tuple[tuple[float, datetime, str], ...]


def _timeline(stories: Sequence[Story]) -> Timeline:
    when = [instant(report.published) for story in stories for report in story.reports]
    if not when:
        return Timeline((), ())
    low, high = min(when), max(when)
    rows = tuple(Row(story, _dots(story, low, high)) for story in stories)
    return Timeline(rows, tuple(_ticks(low, high)))


def _ticks(low: datetime, high: datetime) -> Iterator[tuple[float, datetime, str]]:
    """Five moments from `low` to `high`, labelled as precisely as their distance allows; one when they are the same."""
    if low == high:
        yield 50.0, low, day(low)
        return
    for part in range(TICKS):
        at = low + (high - low) * part / (TICKS - 1)
        outer = part in {0, TICKS - 1}
        hour, date = f"{at:%H:%M}", f"{at.day} {at:%b}"
        if high - low < timedelta(days=3):
            label = f"{date} {hour}" if outer else hour
        elif high - low < timedelta(days=600):
            label = f"{date} {at.year}" if outer and (part == 0 or high.year != low.year) else date
        else:
            label = f"{at:%b} {at.year}"
        yield _place(at, low, high), at, label


def _place(when: datetime, low: datetime, high: datetime) -> float:
    return 50.0 if low == high else round(3 + 94 * ((when - low) / (high - low)), 2)


def _dots(story: Story, low: datetime, high: datetime) -> tuple[Dot, ...]:
    dots: list[Dot] = []
    top, base, piled, lane, labelled = 0, -100.0, 0, -1, -100.0
    for report in sorted(story.reports, key=lambda one: (one.published, rank(one.stage), one.article)):
        x = _place(instant(report.published), low, high)
        base, piled = (base, piled + 1) if x - base < NEAR else (x, 0)
        column, place = divmod(piled, PILE)
        rise = report.stage if rank(report.stage) > top else None
        if rise:
            lane = lane + 1 if x - labelled < LABEL_WIDTH else 0
            top, labelled = rank(rise), x
        aside = column * (STEP if base < 60 else -STEP)  # noqa: PLR2004 - percent
        dots.append(Dot(report, base, aside, place * STEP, rise, lane if rise else 0))
    return tuple(dots)


# ── the articles ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of an article: evidence of the numbered signals, or none; perhaps `folded`, `left_out` after it."""

    text: str
    signals: tuple[int, ...] = ()
    folded: bool = False
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Card:
    """An article as the page shows it."""

    number: int
    arrival: Arrival
    title: tuple[Piece, ...] = ()
    text: tuple[Piece, ...] = ()
    link: str = ""


def _card(number: int, arrival: Arrival) -> Card:
    article = arrival.entry.article
    if article is None:
        return Card(number, arrival)
    text = [piece for piece in marked(article.text, _spans(arrival, "text")) if piece.text]
    folded = [part for at, piece in enumerate(text) for part in _fold(piece, last=at == len(text) - 1)]
    title = tuple(marked(article.title, _spans(arrival, "title")))
    return Card(number, arrival, title if article.title else (), tuple(folded), unescaped(safe_link(article.url)))


def _spans(arrival: Arrival, field: str) -> list[tuple[int, int, int]]:
    """Where a field of the article holds evidence: start, end, number of the signal."""
    return [
        (int(sentence["start"]), int(sentence["end"]), number)
        for number, signal in enumerate(arrival.fate.signals, 1)
        for sentence in signal.get("sentences", ())
        if sentence.get("in", "text") == field
    ]


def marked(text: str, spans: Iterable[tuple[int, int, int]]) -> Iterator[Piece]:
    """The text cut where evidence begins and ends; spans may overlap."""
    kept = [(max(0, start), min(len(text), end), number) for start, end, number in spans if start < min(len(text), end)]
    edges = sorted({0, len(text), *(edge for start, end, _ in kept for edge in (start, end))})
    for start, end in pairwise(edges):
        yield Piece(text[start:end], tuple(sorted({number for a, b, number in kept if a <= start and end <= b})))


def _fold(piece: Piece, *, last: bool) -> Iterator[Piece]:
    """The piece, its middle folded when it is long; at the end of the article everything after its beginning."""
    text = piece.text
    if piece.signals or len(text) <= FOLD:
        yield piece
        return
    head = _break(text, KEPT)
    tail = len(text) if last else _break(text, len(text) - KEPT)
    folded = text[head : min(tail, head + MAX_FOLDED)]
    yield Piece(text[:head].rstrip())
    yield Piece(folded.strip(), folded=True, left_out=tail - head - len(folded))
    yield Piece(text[tail:].lstrip())


def _break(text: str, at: int) -> int:
    """The best place to break near `at`: after a line, else a sentence, else a word."""
    places = (text.rfind(end, at - NEARBY, at + NEARBY) for end in ("\n", ". ", " "))
    return next((place + 1 for place in places if place >= 0), at)


# ── words and links ──────────────────────────────────────────────────────────────────────────────────────────────────


def _anchors(replayed: Replayed) -> dict[tuple[str, str], str]:
    """Where on the page an alert, a story or an article stands, by its id."""
    messages = [one for thread in _threads(replayed.messages)[:SHOWN] for one in (thread.root, *thread.replies)]
    found = {("alert", told(one).get("alert", "")): f"message-{one.ts}" for one in messages if told(one)}
    found |= {("story", story.name): f"story-{number}" for number, story in enumerate(replayed.stories[:SHOWN], 1)}
    return {
        ("article", one.article): f"article-{number}" for number, one in enumerate(replayed.arrivals[:SHOWN], 1)
    } | found


def _span(replayed: Replayed) -> tuple[datetime, ...]:
    """The first and the last moment an article was published, once if they are one day."""
    published = [at for one in replayed.arrivals if one.entry.article and (at := one.entry.article.published)]
    first_last = (min(published), max(published)) if published else ()
    return first_last[:1] if first_last and first_last[0].date() == first_last[1].date() else first_last


ENV.filters |= {"day": day, "edits": edits, "told": told}
ENV.globals |= {"FATES": FATES, "SHOWN": SHOWN, "SHOWN_EDITS": SHOWN_EDITS}
