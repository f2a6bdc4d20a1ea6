"""The steps of the system, each written once against the ports: collect what was dropped, detect, deliver, sweep."""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tocsin import message
from tocsin.article import Article
from tocsin.compiled import RuleSet
from tocsin.decide import Decision, decide, fate_of
from tocsin.detection import detect
from tocsin.errors import Conflict, InputFault, Rejected, Throttled, Unknown
from tocsin.policy import Policy
from tocsin.ports import Archive, Commit, FateRecord, Message, OutboxRow, Posted, Queue, Slack, Table, Wanted
from tocsin.signal import Signal, rank
from tocsin.story import Report, Story, identity

if TYPE_CHECKING:
    from tocsin.reading import Entry  # with pydantic behind it, which detection must not wait for

log = logging.getLogger("tocsin")

Clock = Callable[[], datetime]

MAX_FILE = 20_000_000
"""Bytes a dropped file may have."""
INLINE = 200_000
"""Bytes an article may have to travel inside its queue message (SQS takes 256 KiB); a longer one goes by reference."""
MAX_STORIES = 30
"""Stories one article may change; each takes up to three of the hundred actions of a transaction."""
MAX_FATE = 250_000
"""Characters of JSON for the signals of one fate; a table item takes 400 kB."""
TRIES = 6
REFUSED_PAUSE = timedelta(minutes=5)
ORDER_PAUSE = timedelta(seconds=15)
LOOK_PAUSE = timedelta(seconds=30)
FIRST_STATE = 1
"""What every message that stands in Slack shows at least."""
CLOCK_SKEW = 60.0
"""Seconds by which our clock may be ahead of Slack's."""


# ── collect ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Collector:
    """Turns dropped files into articles on the queue."""

    archive: Archive
    queue: Queue
    table: Table
    clock: Clock
    contents: Callable[[str, bytes, Mapping[str, str]], Iterable[Entry]]
    """`tocsin.reading.contents`: file name, bytes and metadata to articles, each failing for itself."""

    def collect(self, key: str) -> None:
        """Reads one object, archives its articles and queues them; what cannot be used is recorded as rejected."""
        now = self.clock()
        try:
            body, metadata = self.archive.read(key, limit=MAX_FILE), self.archive.metadata(key)
        except InputFault as fault:
            self._reject(_name(key), fault, now)
            return
        articles: list[Article] = []
        for entry in self.contents(key, body, metadata):
            if entry.fault:
                number = "".join(filter(str.isdigit, entry.name.removeprefix(key)))
                self._reject(_name(key) + (f"-{number}" if number else ""), entry.fault, now)
            elif entry.article:
                articles.append(entry.article.arriving(now))
        if articles:
            self._send(articles, now)

    def _reject(self, name: str, fault: InputFault, now: datetime) -> None:
        log.warning("rejected %s", ascii(str(fault)))
        self.table.reject(FateRecord(name, "rejected", str(fault), now.isoformat(), ""))

    def _send(self, articles: Sequence[Article], now: datetime) -> None:
        rows = [json.dumps(article.to_json()) for article in articles]
        batch = archive_key("articles", now, rows)
        self.archive.write(batch, gzip.compress("\n".join(rows).encode(), mtime=0))
        self.queue.send(
            [row if len(row) <= INLINE else json.dumps({"ref": batch, "line": line}) for line, row in enumerate(rows)]
        )


def archive_key(kind: str, now: datetime, batch: Sequence[str]) -> str:
    """Where a batch is archived; the same batch on the same day always at the same place."""
    digest = hashlib.sha256("\n".join(batch).encode("utf-8", "surrogatepass")).hexdigest()[:16]
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
    find: Callable[[RuleSet, Article], Sequence[Signal]] = detect
    """The signals in an article."""

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
                signals = self.find(self.rules, article)
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
        rows = [
            FateRecord(
                one.id, "no_signal", "no rule matched", now.isoformat(), self.rules.version, one.title, one.source
            )
            for one in articles
        ]
        lines = "\n".join(json.dumps(row.to_json()) for row in rows)
        self.archive().write(
            archive_key("fates", now, [article.id for article in articles]), gzip.compress(lines.encode(), mtime=0)
        )

    def _decide(self, article: Article, signals: Sequence[Signal]) -> None:
        article = article.arriving(self.clock())
        for _ in range(TRIES):
            known = self.table().fate(article.id)
            if known and known.fate != "rejected":
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
            decision = decide(
                signal, report, policy, self.table().episodes(identity(signal, policy)), silences, now, self.max_age
            )
            told.append((signal, decision))
            if decision.story:
                stories[decision.story.id] = decision.story
                alerts |= {wanted.alert: wanted for wanted in _wanted(decision, report)}
        return Commit(_fate(article, signals, told, self.rules, now), tuple(stories.values()), tuple(alerts.values()))


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


def _wanted(decision: Decision, report: Report) -> Iterable[Wanted]:
    story = decision.story
    if story is None or not decision.edits or not story.posted:
        return
    yield Wanted(root_alert(story.id), story)
    if decision.alert and decision.alert != root_alert(story.id):
        yield Wanted(
            decision.alert, story, {"reason": decision.reason, "detail": decision.detail, "report": report.article}
        )


def root_alert(story_id: str) -> str:
    """The id of the alert that is a story's root message."""
    return f"{story_id}/first_report"


def _fate(
    article: Article, signals: Sequence[Signal], told: Sequence[tuple[Signal, Decision]], rules: RuleSet, now: datetime
) -> FateRecord:
    decisions = {id(signal): decision for signal, decision in told}
    rows = []
    for signal in signals:
        decision = decisions.get(id(signal))
        rows.append({
            **signal.to_json(), "story": decision.story.id if decision and decision.story else None,
            "alert": decision.alert if decision else None, "reason": decision.reason if decision else "a_stronger_signal_counts",
            "detail": decision.detail if decision else "",
        })  # fmt: skip
    fate = fate_of([decision for _, decision in told])
    reason = "; ".join(
        dict.fromkeys(f"{signal.rule}: {decision.reason} ({decision.detail})" for signal, decision in told)
    )
    return FateRecord(
        article.id, fate, reason, now.isoformat(), rules.version, article.title, article.source, tuple(_fitting(rows))
    )


def _fitting(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """As many signals as one record has room for; of the last ones only the beginning of the evidence."""
    room = MAX_FATE
    for row in rows:
        short = row if len(json.dumps(row)) <= room else {**row, "evidence": row["evidence"][:300], "sentences": []}
        room -= len(json.dumps(short))
        if room < 0:
            return
        yield short


# ── deliver ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Deliverer:
    """Brings alerts to Slack: each once, roots before replies, whatever call fails.

    The outbox row is the truth. A row is claimed with a lease, for one call to Slack that the row itself calls for: an edit
    when it knows its `ts`; a look at the history when a post was begun whose outcome nobody noted, once lease and quarantine
    are over; else the post. So a refused call can never make us forget that an older one may have had an effect.
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
        """Delivers what is due and was not delivered by its stream record, each for itself; returns how many rows were due."""
        due = self.table.due(self.clock(), limit)
        for alert in due:
            try:
                self._deliver(alert)
            except Exception:
                log.exception("alert %s waits for a later sweep", ascii(alert))
        return len(due)

    def _deliver(self, alert: str) -> None:
        for _ in range(TRIES):
            row = self.table.claim(alert, self.owner, self.clock(), self.lease)
            if row is None or not self._attempt(row):
                return

    def _attempt(self, row: OutboxRow) -> bool:
        """One call to Slack for a claimed row, and a note of what came of it; True when there is more to do at once."""
        try:
            return self._step(row)
        except Throttled as pause:
            self._again(row, timedelta(seconds=pause.retry_after), "throttled")
        except Rejected as refusal:
            return self._refused(row, refusal)
        except Unknown as doubt:
            log.warning("alert %s: %s", ascii(row.alert), ascii(str(doubt)))
            self.table.release(
                row.alert, self.owner, self.clock() + LOOK_PAUSE, surely_not_posted=False, note=str(doubt)
            )
        except Conflict:
            log.info("alert %s belongs to another deliverer now", ascii(row.alert))
        return False

    def _step(self, row: OutboxRow) -> bool:
        story = self.table.story(row.story)
        if story is None:
            self.table.bury(row.alert, self.owner, "its story is gone")
            return False
        if row.ts:
            posted = self._edited(row, story)
            return not self.table.delivered(row.alert, self.owner, posted, _state(row, story))
        root = self._root(story) if row.reply is not None else None
        if row.reply is not None and root is None:
            self._again(row, ORDER_PAUSE, "waits for its root message")
            return False
        if row.attempted_at is not None:
            return self._looked_up(row, row.attempted_at, root)
        posted = self._posted(row, self._message(row, story), root)
        return not self.table.delivered(row.alert, self.owner, posted, _state(row, story))

    def _edited(self, row: OutboxRow, story: Story) -> Posted:
        """Brings a message that stands in Slack up to date; one that a person deleted stays deleted."""
        posted = Posted(row.channel, row.ts)
        try:
            self.slack.update(posted, self._message(row, story))
        except Rejected as refusal:
            if refusal.kind != "missing":
                raise
            log.info("message %s was deleted by a person and stays deleted", posted.ts)
        return posted

    def _looked_up(self, row: OutboxRow, attempted_at: float, root: Posted | None) -> bool:
        """Settles a post of unknown outcome: once it is too late for it to turn up, the history tells."""
        over = datetime.fromtimestamp(attempted_at, self.clock().tzinfo) + self.lease + self.quarantine
        if self.clock() < over:
            self.table.release(
                row.alert, self.owner, over, surely_not_posted=False, note="outcome unknown, in quarantine"
            )
            return False
        channel, thread = (root.channel, root.ts) if root else (self.channel, None)
        found = self.slack.find(channel, row.alert, oldest=attempted_at - CLOCK_SKEW, thread_ts=thread)
        if found is None:
            self.table.release(row.alert, self.owner, self.clock(), surely_not_posted=True, note="not in the history")
            return True
        return not self.table.delivered(row.alert, self.owner, found, FIRST_STATE)

    def _posted(self, row: OutboxRow, text: Message, root: Posted | None) -> Posted:
        self.table.posting(row.alert, self.owner, self.clock())
        if root is None:
            return self.slack.post(self.channel, text)
        try:
            return self.slack.post(root.channel, text, thread_ts=root.ts, broadcast=True)
        except Rejected as refusal:
            if refusal.kind != "missing":
                raise
            log.info("root %s was deleted by a person; the reply stands for itself", root.ts)
            return self.slack.post(root.channel, text)

    def _root(self, story: Story) -> Posted | None:
        """Where the story's root stands; delivers it first when it is not there yet."""
        root = root_alert(story.id)
        if self.table.posted(root) is None:
            self._deliver(root)
        return self.table.posted(root)

    def _message(self, row: OutboxRow, story: Story) -> Message:
        policy = self.policy(story.rule)
        if row.reply is None:
            text = message.root(story, policy)
        else:
            report = story.told_by(row.reply["report"])
            text = message.reply(row.alert, row.reply["reason"], row.reply["detail"], report, story, policy)
        return message.plain(text) if row.plain else text

    def _refused(self, row: OutboxRow, refusal: Rejected) -> bool:
        if refusal.kind != "content" or row.attempted_at is not None:
            log.error("Slack refuses: %s (%s); the alert %s waits", refusal.code, refusal.kind, ascii(row.alert))
            self._again(row, REFUSED_PAUSE, refusal.code)
            return False
        if row.plain:
            log.error("alert %s cannot be delivered: %s", ascii(row.alert), refusal.code)
            self.table.bury(row.alert, self.owner, refusal.code)
            return False
        self.table.release(row.alert, self.owner, self.clock(), surely_not_posted=True, plain=True, note=refusal.code)
        return True

    def _again(self, row: OutboxRow, wait: timedelta, note: str) -> None:
        """Gives the row back; the refused call of this claim had no effect, but an older one in doubt stays in doubt."""
        self.table.release(
            row.alert, self.owner, self.clock() + wait, surely_not_posted=row.attempted_at is None, note=note
        )


def _state(row: OutboxRow, story: Story) -> int:
    """What a message shows: a root the story's version, a reply always itself."""
    return story.version if row.reply is None else FIRST_STATE
