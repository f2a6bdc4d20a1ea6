"""Decides what becomes of articles and writes it down.

What raises or corrects a story is written in one transaction with the alert and the article's fate. What begins a story or only adds to it is written
one after the other, at half the price, and each fate last: an article without a fate comes again, and then everything that is missing is written. What
only adds is gathered, so that a story is written once for all articles of a batch.
"""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from tocsin import message
from tocsin.article import Article, canonical
from tocsin.compiled import RuleSet
from tocsin.decide import Decision, Fate, correct, decide, fate_of
from tocsin.errors import Conflict
from tocsin.pipeline.archive import counted_key
from tocsin.pipeline.detect import Detector
from tocsin.pipeline.stories import TRIES, root_alert, standing
from tocsin.policy import Policy
from tocsin.ports import Commit, FateRecord, Held, Tally, Wanted
from tocsin.signal import Signal, rank
from tocsin.silence import Silence
from tocsin.story import Report, Story, identity

log = logging.getLogger("tocsin")

MAX_ACTIONS = 100
"""Writes one transaction may hold."""
MAX_STORIES = 24
"""Stories one article may change; each takes up to four of the actions of a transaction."""
MAX_VERSIONS = 10
"""Earlier versions of an edited article that are remembered."""
MAX_FATE = 250_000
"""Characters of JSON for the signals of one fate; a table item takes 400 kB."""


@dataclass(frozen=True)
class Decider:
    """Decides on the articles of a batch that a detector does not dismiss."""

    detector: Detector

    @cached_property
    def silences(self) -> Sequence[Silence]:
        """The silences in force, read once for the batch."""
        return self.detector.table().silences(self.detector.clock())

    def decide(self, found: Iterable[tuple[str, Article, Sequence[Signal]]]) -> list[str]:
        """Handles (message id, article, signals); returns the ids of those that must come again."""
        failed: list[str] = []
        silent: list[tuple[str, Article]] = []
        told = rung = 0
        gathered = _Gathered()
        for message_id, article, signals in found:
            if gathered.full or gathered.holds(article):
                gathered.failed += self._add_all(gathered)
            try:
                if signals:
                    rung += self._decide(article, signals, gathered, message_id)
                    told += not article.fresh
                else:
                    silent.append((message_id, article))
            except Exception:
                log.exception("article %s comes again", ascii(article.id))
                failed.append(message_id)
        failed += [*self._add_all(gathered), *gathered.failed]
        if silent:
            lost, rang, edited = self._silent(silent)
            failed, rung, told = failed + lost, rung + rang, told + edited
        self._count(told, rung)
        return failed

    def _count(self, articles: int, alerts: int) -> None:
        """Adds to the tally of the day, which is for people: that it cannot be written stops nothing. The archive counts all others."""
        if (articles or alerts) and self.detector.tally:
            try:
                self.detector.tally(
                    Tally(articles=articles, alerts=alerts, rules=self.detector.rules.version), self.detector.clock()
                )
            except Exception:
                log.exception("%d articles are missing in the tally", articles)

    def _silent(self, articles: Sequence[tuple[str, Article]]) -> tuple[list[str], int, int]:
        """Articles without a signal: those that had one before they were edited are decided on, the others go to the archive.

        Returns which must come again, how many alerts were raised, and how many were decided on.
        """
        known = self.detector.table().known([article for _, article in articles])
        failed: list[str] = []
        silent: list[Article] = []
        rung = decided = 0
        for message_id, article in articles:
            before = known.get(article.id)
            if before is None or before.fate == "rejected":
                silent.append(article)
            elif _another(article, before):
                silent.append(_renamed(article))
            elif not _seen(article, before):
                try:
                    rung += self._decide(article, ())
                    decided += 1
                except Exception:
                    log.exception("article %s comes again", ascii(article.id))
                    failed.append(message_id)
        if silent:
            self._record_silent(silent)
        return failed, rung, decided

    def _record_silent(self, articles: Sequence[Article]) -> None:
        now = self.detector.clock()
        rows = [
            FateRecord.of(one, "no_signal", "no rule matched", now.isoformat(), self.detector.rules.version)
            for one in articles
        ]
        lines = "\n".join(json.dumps(row.to_json()) for row in rows)
        names = [f"{article.id}\n{article.content}" for article in articles]
        self.detector.archive().write(
            counted_key("fates", now, names, len(names)), gzip.compress(lines.encode(), mtime=0)
        )

    def _fate(self, article: Article, fate: Fate, reason: str) -> FateRecord:
        """A fate by the rules of this moment."""
        return FateRecord.of(article, fate, reason, self.detector.clock().isoformat(), self.detector.rules.version)

    def _decide(
        self,
        article: Article,
        signals: Sequence[Signal],
        gathered: _Gathered | None = None,
        message_id: str = "",
    ) -> int:
        """Decides on an article and writes that down, or gathers what it adds; returns how many alerts it raised."""
        article = article.arriving(self.detector.clock())
        for _ in range(TRIES):
            known = self.detector.table().known([article]).get(article.id)
            if known and known.fate != "rejected":
                if _another(article, known):
                    article = _renamed(article)
                    continue
                if _seen(article, known):
                    self._again(article, known)
                    return 0
            try:
                draft = _Draft(
                    self.detector,
                    article,
                    known if known and known.fate != "rejected" else None,
                    self.silences,
                    gathered.stories if gathered else {},
                )
                draft.decide(signals)
                if gathered and draft.adds:
                    gathered.take(message_id, draft, signals)
                elif gathered and gathered.stories.keys() & draft.touched:
                    gathered.failed += self._add_all(gathered)
                    continue
                else:
                    self._write(article, signals, draft)
            except Conflict:
                continue
            return draft.rung
        raise Conflict(f"article {article.id!r} lost against other writers {TRIES} times")

    def _again(self, article: Article, known: FateRecord) -> None:
        """An article that came before: nothing changes, but one that came under another id has a fate of its own."""
        log.info("article %s has a fate already", ascii(article.id))
        if known.article == article.id:
            self._found_at(article)
        else:
            reason = f"the same article as {known.article}, at the same address"
            self.detector.table().record(self._fate(article, "duplicate", reason))

    def _write(self, article: Article, signals: Sequence[Signal], draft: _Draft) -> None:
        """Writes what was decided on an article."""
        table, fate, known = self.detector.table(), draft.fate(signals), draft.known
        if draft.adds or draft.begins:
            self._add([(draft, fate)], draft.stories, draft.alerts)
        else:
            table.commit(draft.commit(fate), self.detector.clock())
            self._found_at(draft.article)
            _tell(fate)
        if known and known.article != article.id:
            table.record(self._fate(article, fate.fate, f"an edit of {known.article}: {fate.reason}"))

    def _add(
        self,
        told: Sequence[tuple[_Draft, FateRecord]],
        stories: Mapping[str, Story],
        alerts: Mapping[str, Wanted],
    ) -> None:
        """Writes the stories that articles begin or add to. Where a story may not know them if they come again, their fates go with it."""
        table, fates = self.detector.table(), [fate for _, fate in told]
        apart = all(draft.stands for draft, _ in told)
        if not apart:
            if len(stories) + len(alerts) + len(fates) > MAX_ACTIONS:
                raise Conflict(f"{len(fates)} articles are too many for one transaction")
            whole = Commit(fates[0], tuple(stories.values()), tuple(alerts.values()), more=tuple(fates[1:]))
            table.commit(whole, self.detector.clock())
        else:
            for story in stories.values():
                table.commit(Commit(stories=(story,)), self.detector.clock())
            for wanted in alerts.values():
                table.want(wanted, self.detector.clock())
        for draft, fate in told:
            self._found_at(draft.article)
            if apart:
                table.commit(Commit(fate), self.detector.clock())
            _tell(fate)

    def _add_all(self, gathered: _Gathered) -> list[str]:
        """Writes what was gathered; if that fails, for each article by itself. Returns the ids of the messages that must come again."""
        taken, gathered.taken = gathered.taken, []
        stories, gathered.stories = gathered.stories, {}
        alerts = {name: wanted for _, draft, _ in taken for name, wanted in draft.alerts.items()}
        try:
            self._add([(draft, draft.fate(signals)) for _, draft, signals in taken], stories, alerts)
        except Exception:
            log.exception("%d articles are written each by itself", len(taken))
        else:
            return []
        failed = []
        for message_id, draft, signals in taken:
            try:
                self._decide(draft.article, signals)
            except Exception:
                log.exception("article %s comes again", ascii(draft.article.id))
                failed.append(message_id)
        return failed

    def _found_at(self, article: Article) -> None:
        """Lets an article be found by its address. Of two that come at the same moment with one address, the first is."""
        if article.address:
            with suppress(Conflict):
                self.detector.table().commit(Commit(address=article.address, article=article.id), self.detector.clock())


@dataclass
class _Draft:
    """What one article changes, put together signal by signal."""

    detector: Detector
    article: Article
    known: FateRecord | None
    """The fate of the version before, if it was edited."""
    silences: Sequence[Silence]
    gathered: Mapping[str, Story] = field(default_factory=dict)
    """Stories with what other articles of the batch add to them, which is still to be written."""
    stories: dict[str, Story] = field(default_factory=dict)
    alerts: dict[str, Wanted] = field(default_factory=dict)
    relied: dict[str, int] = field(default_factory=dict)
    beside: dict[str, int] = field(default_factory=dict)
    held: list[Held] = field(default_factory=list)
    told: list[tuple[Signal, Decision]] = field(default_factory=list)
    gone: list[tuple[str, Decision]] = field(default_factory=list)
    """Decisions on what the article no longer says, by rule."""

    def __post_init__(self) -> None:
        if self.known:
            self.article = replace(self.article, id=self.known.article)
        self.now = self.detector.clock()
        self.table = self.detector.table()

    @property
    def rung(self) -> int:
        """How many alerts the article raised."""
        decisions = [decision for _, decision in (*self.told, *self.gone)]
        return len({one.alert for one in decisions if one.alert in self.alerts})

    def decide(self, signals: Sequence[Signal]) -> None:
        """Decides on each signal, and on each story an earlier version of the article told."""
        told = {story.key: story for story in self._told_before()}
        for signal in _strongest(self.detector.rules, signals):
            policy = self.detector.rules.policy(signal.rule)
            report = Report.of(signal, self.article)
            key = identity(signal, policy)
            story = told.pop(key, None)
            given = (self.silences, self.now, self.detector.max_age)
            if story and "denied" not in signal.flags and story.within(report, policy.quiet_for):
                decision = correct(signal, report, policy, story, *given)
            else:
                episodes = [self.gathered.get(one.id, one) for one in self.table.episodes(key)]
                decision = self._resumed(decide(signal, report, policy, episodes, *given))
            if self._adopt(decision, report, policy):
                self.told.append((signal, decision))
        for story in told.values():
            policy = self.detector.rules.policy(story.rule)
            report = story.told_by(self.article.id)
            decision = correct(None, report, policy, story, self.silences, self.now, self.detector.max_age)
            if report.article == self.article.id and self._adopt(decision, report, policy):
                self.gone.append((story.rule, decision))

    def _resumed(self, decision: Decision) -> Decision:
        """The decision on an article whose report the story holds, though it has no fate: whoever wrote it there ended before the rest was written."""
        story = decision.story
        if self.known or story is None or decision.reason not in {"repeat", "corroborated"}:
            return decision
        if story.begun_by == self.article.id:
            told, alert = f"first report of {story.name}", root_alert(story.id)
            return replace(decision, reason="first_report", detail=told, alert=alert, edits=True)
        if decision.reason != "repeat" or all(report.article != self.article.id for report in story.reports):
            return decision
        told = f"{len(story.outlets)} outlets now"
        return replace(decision, reason="corroborated", detail=told, edits=bool(story.alerted))

    @property
    def touched(self) -> set[str]:
        """The stories it changes or relies on."""
        return {*self.stories, *self.relied, *self.beside}

    @property
    def adds(self) -> bool:
        """Whether the article only adds to stories, and raises nothing."""
        return self._plain and all(decision.reason in {"corroborated", "repeat"} for _, decision in self.told)

    @property
    def begins(self) -> bool:
        """Whether the article begins stories beside which there is no other, and adds to others at most."""
        first = [decision for _, decision in self.told if decision.reason not in {"corroborated", "repeat"}]
        return self._plain and all(
            one.reason == "first_report" and one.story and one.story.begun_by == self.article.id and not one.others
            for one in first
        )

    @property
    def _plain(self) -> bool:
        """Whether it changes stories, and nothing else has to be written or looked at together with them."""
        return bool(self.stories) and not any((self.known, self.relied, self.beside, self.held, self.gone))

    @property
    def stands(self) -> bool:
        """Whether the stories know its report if it comes again: a copy of another, and one too many for a full story, may not be kept."""
        kept = all(decision.reason in {"corroborated", "first_report"} for _, decision in self.told)
        return kept and not any(story.full for story in self.stories.values())

    def _told_before(self) -> Iterator[Story]:
        """The stories that an earlier version of the article told, as they are now."""
        rows = self.known.signals if self.known else ()
        rules = {rule.policy.name for rule in self.detector.rules.rules}
        for name in dict.fromkeys(row["story"] for row in rows if row.get("story") and "denied" not in row["flags"]):
            story = standing(self.table, name)
            if story and story.rule in rules:
                yield self._keeping(story)

    def _keeping(self, story: Story) -> Story:
        """A story, or the one parted from it since that took the article's report along."""
        if any(report.article == self.article.id for report in story.reports):
            return story
        alike = (one for one in self.table.episodes(story.key) if not one.merged)
        return next((one for one in alike if any(report.article == self.article.id for report in one.reports)), story)

    def _adopt(self, decision: Decision, report: Report, policy: Policy) -> bool:
        """Takes over what a decision changes; False when the transaction has no room for it."""
        stories = {story.id: story for story in decision.changed}
        alerts = {wanted.alert: wanted for wanted in _wanted(decision, report, policy)}
        relied, beside = dict(decision.relied), dict(decision.beside)
        held = [_held(decision, report, policy, self.now)] if decision.held and decision.story else []
        known: tuple[Sized, ...] = (self.stories, self.alerts, self.relied, self.beside, self.held)
        new: tuple[Sized, ...] = (stories, alerts, relied, beside, held)
        if 2 + sum(len(one) for one in (*known, *new)) > MAX_ACTIONS:
            return False
        self.stories |= stories
        self.alerts |= alerts
        self.relied |= relied
        self.beside |= beside
        self.held += held
        return True

    def fate(self, signals: Sequence[Signal]) -> FateRecord:
        """What is to be recorded of the article."""
        return _fate(self.article, signals, self, self.detector.rules, self.now)

    def commit(self, fate: FateRecord) -> Commit:
        """Everything to be written at once."""
        return Commit(
            fate,
            tuple(self.stories.values()),
            tuple(self.alerts.values()),
            tuple((story, version) for story, version in self.relied.items() if story not in self.stories),
            tuple((story, version) for story, version in self.beside.items() if story not in self.stories),
            tuple(self.held),
            self.known.content if self.known else None,
        )


@dataclass
class _Gathered:
    """What articles of a batch add to stories, until it is written."""

    stories: dict[str, Story] = field(default_factory=dict)
    taken: list[tuple[str, _Draft, Sequence[Signal]]] = field(default_factory=list)
    """For each article the id of its message, and its signals."""
    failed: list[str] = field(default_factory=list)
    """Messages whose articles could not be written."""

    def take(self, message_id: str, draft: _Draft, signals: Sequence[Signal]) -> None:
        """Keeps what one more article adds."""
        self.stories |= draft.stories
        self.taken.append((message_id, draft, signals))

    @property
    def full(self) -> bool:
        """Whether it is time to write it: with another article it might not fit one transaction."""
        return len(self.taken) + 2 * len(self.stories) > MAX_ACTIONS // 2

    def holds(self, article: Article) -> bool:
        """Whether one of them is this article: only when that is written, it is known."""
        return any(
            one.article.id == article.id or (article.address and one.article.address == article.address)
            for _, one, _ in self.taken
        )


def _tell(fate: FateRecord) -> None:
    """Lets the log lead from an article that told something to its alerts, or else to its stories."""
    named = dict.fromkeys(str(row["alert"] or row["story"]) for row in fate.signals if row["story"])
    log.info("article %s is %s: %s", ascii(fate.article), fate.fate, ", ".join(map(ascii, named)))


def _another(article: Article, known: FateRecord) -> bool:
    """Whether an article shares nothing but the name of its file with the one that has the fate."""
    if article.named != "file" or known.article != article.id or known.content in {"", article.content}:
        return False
    return not article.address or article.address != canonical(known.url)


def _renamed(article: Article) -> Article:
    """The article under an id of its own: file name and content."""
    return replace(article, id=f"{article.id}~{article.content[:8]}")


def _seen(article: Article, known: FateRecord) -> bool:
    """Whether this version of an article tells nothing new: it was decided on before, or it is a part of what was read whole."""
    if article.lacks and not known.lacks and known.content:
        return True
    return known.content in {"", article.content} or any(one.get("content") == article.content for one in known.before)


def _strongest(rules: RuleSet, signals: Sequence[Signal]) -> list[Signal]:
    """One signal for each story, for as many stories as fit: an article contributes its strongest stage once."""
    best: dict[str, Signal] = {}
    for signal in signals:
        key = identity(signal, rules.policy(signal.rule))
        kept = best.get(key)
        if kept is None or ("denied" not in signal.flags, rank(signal.stage)) > (
            "denied" not in kept.flags,
            rank(kept.stage),
        ):
            best[key] = signal
    return sorted(best.values(), key=lambda signal: -rank(signal.stage))[:MAX_STORIES]


def _wanted(decision: Decision, report: Report, policy: Policy) -> Iterator[Wanted]:
    for other in decision.others:
        if other.alerted and other.posted:
            yield Wanted(root_alert(other.id), other, level=policy.level_of(other.stage))
    story = decision.story
    if story is None or not decision.edits or not story.posted:
        return
    yield Wanted(root_alert(story.id), story, level=policy.level_of(story.stage))
    if decision.alert and decision.alert != root_alert(story.id):
        yield Wanted(
            decision.alert,
            story,
            {"reason": decision.reason, "detail": decision.detail, "report": report.article},
            policy.level_of(report.stage),
        )


def _held(decision: Decision, report: Report, policy: Policy, now: datetime) -> Held:
    """What the digest tells of an alert that was held back."""
    assert decision.story is not None  # noqa: S101 - asked for only where there is one
    assert decision.held is not None  # noqa: S101 - as above
    text = f"{message.slots(decision.story, policy) or policy.title}, {decision.story.stage}"
    return Held(
        decision.story.id, decision.held, decision.detail, decision.reason, policy.title, text, report.title, report.outlet, report.url,
        now.isoformat(),
    )  # fmt: skip


def _fate(article: Article, signals: Sequence[Signal], draft: _Draft, rules: RuleSet, now: datetime) -> FateRecord:
    decisions = {id(signal): decision for signal, decision in draft.told}
    rows = []
    for signal in signals:
        decision = decisions.get(id(signal))
        rows.append({
            **signal.to_json(), "story": decision.story.id if decision and decision.story else None,
            "alert": decision.alert if decision else None, "reason": decision.reason if decision else "a_stronger_signal_counts",
            "detail": decision.detail if decision else "",
        })  # fmt: skip
    told = [(signal.rule, decision) for signal, decision in draft.told] + draft.gone
    reasons = [f"{rule}: {decision.reason} ({decision.detail})" for rule, decision in told]
    if article.dated == "clamped":
        reasons.append("its own date cannot be right, so it is dated by its arrival")
    fate, reason = fate_of([decision for _, decision in told]), "; ".join(dict.fromkeys(reasons))
    record = FateRecord.of(article, fate, reason, now.isoformat(), rules.version)
    record = replace(record, signals=tuple(_fitting(rows)))
    if known := draft.known:
        version = {"fate": known.fate, "reason": known.reason[:500], "at": known.at, "content": known.content}
        record = replace(record, before=(*known.before, version)[-MAX_VERSIONS:])
    return record


def _fitting(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """As many signals as one record has room for; of the last ones only the beginning of the evidence."""
    room = MAX_FATE
    for row in rows:
        short = row if len(json.dumps(row)) <= room else {**row, "evidence": row["evidence"][:300], "sentences": []}
        room -= len(json.dumps(short))
        if room < 0:
            return
        yield short
