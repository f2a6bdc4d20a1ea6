"""The steps of the system, each written once against the ports: collect what was dropped, detect, deliver, sweep."""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tocsin import message
from tocsin.article import Article
from tocsin.compiled import RuleSet
from tocsin.decide import Decision, decide, fate_of
from tocsin.errors import Conflict, InputFault, Rejected, Throttled, Unknown
from tocsin.match import detect
from tocsin.policy import Policy
from tocsin.ports import Archive, Commit, FateRecord, Message, OutboxRow, Posted, Queue, Slack, Table, Wanted
from tocsin.signal import Signal, rank
from tocsin.story import Report, Story, identity

log = logging.getLogger("tocsin")

Clock = Callable[[], datetime]

MAX_FILE = 20_000_000
"""Bytes a dropped file may have."""
INLINE = 200_000
"""Bytes an article may have to travel inside its queue message (SQS takes 256 KiB); a longer one goes by reference."""
TRIES = 6
AUTH_PAUSE = timedelta(minutes=5)
ORDER_PAUSE = timedelta(seconds=15)


# ── collect ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Collector:
    """Turns dropped files into articles on the queue."""

    archive: Archive
    queue: Queue
    table: Table
    clock: Clock
    parse: Callable[[str, bytes, Any], Sequence[Article]]
    """`tocsin.reading.articles`: file name, bytes and metadata to articles; raises `InputFault`."""

    def collect(self, key: str) -> None:
        """Reads one object, archives its articles and queues them; an unusable one is recorded as rejected."""
        now = self.clock()
        try:
            body = self.archive.read(key, limit=MAX_FILE)
            articles = [article.arriving(now) for article in self.parse(key, body, self.archive.metadata(key))]
        except InputFault as fault:
            log.warning("rejected %s: %s", ascii(key), ascii(str(fault)))
            self.table.reject(FateRecord(_name(key), "rejected", str(fault), now.isoformat(), ""))
            return
        batch = archive_key("articles", now, articles)
        rows = [json.dumps(article.to_json()) for article in articles]
        self.archive.write(batch, gzip.compress("\n".join(rows).encode(), mtime=0))
        self.queue.send([row if len(row) <= INLINE else json.dumps({"ref": batch, "line": line}) for line, row in enumerate(rows)])


def archive_key(kind: str, now: datetime, articles: Sequence[Article]) -> str:
    """Where a batch is archived; the same batch on the same day always at the same place."""
    digest = hashlib.sha256("\n".join(article.id for article in articles).encode()).hexdigest()[:16]
    return f"{kind}/{now:%Y/%m/%d}/{digest}.jsonl.gz"


def _name(key: str) -> str:
    return key.rpartition("/")[2].rpartition(".")[0] or key


# ── detect ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Detector:
    """Decides what becomes of articles and writes it down."""

    rules: RuleSet
    table: Callable[[], Table]
    """Made only when there is a signal: an article without one needs no table."""
    archive: Callable[[], Archive]
    clock: Clock
    max_age: timedelta | None

    def article(self, body: str) -> Article:
        """The article in a queue message, fetched from the archive when it travels by reference."""
        row = json.loads(body)
        if "ref" in row:
            lines = gzip.decompress(self.archive().read(row["ref"], limit=MAX_FILE)).decode().splitlines()
            row = json.loads(lines[row["line"]])
        return Article.from_json(row)

    def detect(self, articles: Iterable[tuple[str, Article]]) -> list[str]:
        """Handles a batch of (message id, article); returns the ids of those that must come again."""
        failed: list[str] = []
        silent: list[Article] = []
        for message_id, article in articles:
            try:
                signals = detect(self.rules, article)
                if signals:
                    self._decide(article, signals)
                else:
                    silent.append(article)
            except Exception:
                log.exception("article %s comes again", ascii(article.id))
                failed.append(message_id)
        if silent:
            self._record_silent(silent)
        return failed

    def _record_silent(self, articles: Sequence[Article]) -> None:
        now = self.clock()
        rows = [FateRecord(one.id, "no_signal", "no rule matched", now.isoformat(), self.rules.version, one.title, one.source) for one in articles]
        lines = "\n".join(json.dumps({name: getattr(row, name) for name in FateRecord.__slots__}) for row in rows)
        self.archive().write(archive_key("fates", now, articles), gzip.compress(lines.encode(), mtime=0))

    def _decide(self, article: Article, signals: Sequence[Signal]) -> None:
        article = article.arriving(self.clock())
        for _ in range(TRIES):
            if self.table().fate(article.id):
                log.info("article %s has a fate already", ascii(article.id))
                return
            try:
                self.table().commit(self._commit(article, signals), self.clock())
            except Conflict:
                continue
            return
        raise Conflict(f"article {article.id!r} lost against other writers {TRIES} times")

    def _commit(self, article: Article, signals: Sequence[Signal]) -> Commit:
        now = self.clock()
        silences = self.table().silences(now)
        stories: dict[str, Story] = {}
        alerts: dict[str, Wanted] = {}
        told: list[tuple[Signal, Decision]] = []
        for signal in _strongest(self.rules, signals):
            policy = self.rules.policy(signal.rule)
            report = Report.of(signal, article)
            decision = decide(signal, report, policy, self.table().episodes(identity(signal, policy)), silences, now, self.max_age)
            told.append((signal, decision))
            if decision.story:
                stories[decision.story.id] = decision.story
                alerts |= {wanted.alert: wanted for wanted in _wanted(decision, report)}
        return Commit(_fate(article, signals, told, self.rules, now), tuple(stories.values()), tuple(alerts.values()))


def _strongest(rules: RuleSet, signals: Sequence[Signal]) -> list[Signal]:
    """One signal for each story: an article contributes its strongest stage once."""
    best: dict[str, Signal] = {}
    for signal in signals:
        key = identity(signal, rules.policy(signal.rule))
        kept = best.get(key)
        if kept is None or ("denied" not in signal.flags, rank(signal.stage)) > ("denied" not in kept.flags, rank(kept.stage)):
            best[key] = signal
    return list(best.values())


def _wanted(decision: Decision, report: Report) -> Iterable[Wanted]:
    story = decision.story
    if story is None or not decision.edits or not story.posted:
        return
    yield Wanted(root_alert(story.id), story)
    if decision.alert and decision.alert != root_alert(story.id):
        yield Wanted(decision.alert, story, {"reason": decision.reason, "detail": decision.detail, "report": report.article})


def root_alert(story_id: str) -> str:
    """The id of the alert that is a story's root message."""
    return f"{story_id}/first_report"


def _fate(article: Article, signals: Sequence[Signal], told: Sequence[tuple[Signal, Decision]], rules: RuleSet, now: datetime) -> FateRecord:
    decisions = {id(signal): decision for signal, decision in told}
    rows = []
    for signal in signals:
        decision = decisions.get(id(signal))
        rows.append({
            **signal.to_json(), "story": decision.story.id if decision and decision.story else None,
            "alert": decision.alert if decision else None, "reason": decision.reason if decision else "weaker_signal_of_same_story",
            "detail": decision.detail if decision else "",
        })  # fmt: skip
    fate = fate_of([decision for _, decision in told])
    reason = "; ".join(dict.fromkeys(f"{signal.rule}: {decision.reason} ({decision.detail})" for signal, decision in told))
    return FateRecord(article.id, fate, reason, now.isoformat(), rules.version, article.title, article.source, tuple(rows))


# ── deliver ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Deliverer:
    """Brings alerts to Slack: each once, roots before replies, whatever call fails.

    The outbox row is the truth. A row is claimed with a lease; a post whose outcome nobody knows is never repeated before
    lease and quarantine are over, and then only when the channel's history does not show it.
    """

    table: Table
    slack: Slack
    policy: Callable[[str], Policy]
    clock: Clock
    owner: str
    channel: str
    lease: timedelta
    quarantine: timedelta

    def deliver(self, alerts: Iterable[str]) -> None:
        """Delivers what can be delivered now; the rest stays in the outbox with the time it is due."""
        for alert in dict.fromkeys(alerts):
            self._deliver(alert)

    def sweep(self, limit: int = 100) -> int:
        """Delivers what is due and was not delivered by its stream record; returns how many rows it looked at."""
        due = self.table.due(self.clock(), limit)
        self.deliver(due)
        return len(due)

    def _deliver(self, alert: str) -> None:
        for _ in range(TRIES):
            row = self.table.claim(alert, self.owner, self.clock(), self.lease)
            if row is None or self._attempt(row):
                return

    def _attempt(self, row: OutboxRow) -> bool:
        """One try with a claimed row; False when the story changed meanwhile and must be shown again."""
        now = self.clock()
        try:
            story = self.table.story(row.story)
            if story is None:
                self.table.bury(row.alert, self.owner, "its story is gone")
                return True
            posted = self._show(row, story)
            return posted is None or self.table.delivered(row.alert, self.owner, posted, story.version if row.reply is None else 1)
        except Throttled as pause:
            self._again(row, timedelta(seconds=pause.retry_after), "throttled", sure=True)
        except Rejected as refusal:
            self._refused(row, refusal)
        except Unknown as doubt:
            log.warning("alert %s: %s", ascii(row.alert), ascii(str(doubt)))
            wait = self.lease + self.quarantine if not row.ts else timedelta(seconds=30)
            self.table.release(row.alert, self.owner, now + wait, surely_not_posted=False, note=str(doubt))
        return True

    def _show(self, row: OutboxRow, story: Story) -> Posted | None:
        thread: str | None = None
        if row.reply is not None:
            thread = self._root_ts(story)
            if thread is None:
                self._again(row, ORDER_PAUSE, "waits for its root message", sure=row.attempted_at is None)
                return None
        text = self._message(row, story)
        if row.ts:
            return self._edited(Posted(row.channel, row.ts), row, text)
        if row.attempted_at is not None:
            over = datetime.fromtimestamp(row.attempted_at, self.clock().tzinfo) + self.lease + self.quarantine
            if self.clock() < over:
                self.table.release(row.alert, self.owner, over, surely_not_posted=False, note="outcome unknown, in quarantine")
                return None
            if found := self.slack.find(self.channel, row.alert, oldest=row.attempted_at - 60, thread_ts=thread):
                return self._edited(found, row, text)
        self.table.posting(row.alert, self.owner, self.clock())
        return self.slack.post(self.channel, text, thread_ts=thread, broadcast=thread is not None)

    def _edited(self, posted: Posted, row: OutboxRow, text: Message) -> Posted:
        """Brings a message that stands in Slack up to date; a reply is history and stays as it is."""
        if row.reply is None:
            self._edit(posted, text)
        return posted

    def _edit(self, posted: Posted, text: Message) -> None:
        try:
            self.slack.update(posted, text)
        except Rejected as refusal:
            if refusal.kind != "missing":
                raise
            log.info("message %s was deleted by a person and stays deleted", posted.ts)

    def _root_ts(self, story: Story) -> str | None:
        """The ts of the story's root; delivers the root first when it is not there yet."""
        root = root_alert(story.id)
        posted = self.table.posted(root)
        if posted is None:
            self._deliver(root)
            posted = self.table.posted(root)
        return posted.ts if posted else None

    def _message(self, row: OutboxRow, story: Story) -> Message:
        policy = self.policy(story.rule)
        if row.reply is None:
            text = message.root(story, policy)
        else:
            report = next((one for one in story.reports if one.article == row.reply["report"]), story.best)
            text = message.reply(row.alert, row.reply["reason"], row.reply["detail"], report, story, policy)
        return message.plain(text) if row.plain else text

    def _refused(self, row: OutboxRow, refusal: Rejected) -> None:
        if refusal.kind == "content" and not row.plain:
            self.table.release(row.alert, self.owner, self.clock(), surely_not_posted=True, plain=True, note=refusal.code)
            self._deliver(row.alert)
        elif refusal.kind == "auth":
            log.error("Slack refuses the token (%s); the alert %s waits", refusal.code, ascii(row.alert))
            self._again(row, AUTH_PAUSE, refusal.code, sure=True)
        elif refusal.kind == "channel":
            log.error("Slack refuses the channel (%s); the alert %s waits", refusal.code, ascii(row.alert))
            self._again(row, AUTH_PAUSE, refusal.code, sure=True)
        else:
            log.error("alert %s cannot be delivered: %s", ascii(row.alert), refusal.code)
            self.table.bury(row.alert, self.owner, refusal.code)

    def _again(self, row: OutboxRow, wait: timedelta, note: str, *, sure: bool) -> None:
        self.table.release(row.alert, self.owner, self.clock() + wait, surely_not_posted=sure, note=note)
