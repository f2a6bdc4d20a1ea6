"""The steps of the system, each written once against the ports: collect what was dropped, detect, deliver, sweep."""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tocsin import message
from tocsin.article import Article, canonical
from tocsin.compiled import RuleSet
from tocsin.decide import Decision, Fate, correct, decide, fate_of
from tocsin.detection import detect
from tocsin.errors import Conflict, InputFault, Rejected, Throttled, Unknown
from tocsin.policy import Policy
from tocsin.ports import Archive, Commit, FateRecord, Held, Message, OutboxRow, Posted, Queue, Slack, Table, Wanted
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
MAX_ACTIONS = 100
"""Writes one transaction may hold."""
MAX_STORIES = 24
"""Stories one article may change; each takes up to four of the actions of a transaction."""
MAX_VERSIONS = 10
"""Earlier versions of an edited article that are remembered."""
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
        self.table.record(FateRecord(name, "rejected", str(fault), now.isoformat(), ""))

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
        silent: list[tuple[str, Article]] = []
        for message_id, article in articles:
            try:
                signals = self.find(self.rules, article)
                if signals:
                    self._decide(article, signals)
                else:
                    silent.append((message_id, article))
            except Exception:
                log.exception("article %s comes again", ascii(article.id))
                failed.append(message_id)
        return failed + (self._silent(silent) if silent else [])

    def _silent(self, articles: Sequence[tuple[str, Article]]) -> list[str]:
        """Articles without a signal: those that had one before they were edited are decided on, the others go to the archive."""
        known = self.table().known([article for _, article in articles])
        failed: list[str] = []
        silent: list[Article] = []
        for message_id, article in articles:
            before = known.get(article.id)
            if before is None or before.fate == "rejected":
                silent.append(article)
            elif _another(article, before):
                silent.append(_renamed(article))
            elif not _seen(article, before):
                try:
                    self._decide(article, ())
                except Exception:
                    log.exception("article %s comes again", ascii(article.id))
                    failed.append(message_id)
        if silent:
            self._record_silent(silent)
        return failed

    def _record_silent(self, articles: Sequence[Article]) -> None:
        now = self.clock()
        rows = [_fate_record(one, "no_signal", "no rule matched", self.rules.version, now) for one in articles]
        lines = "\n".join(json.dumps(row.to_json()) for row in rows)
        names = [f"{article.id}\n{article.content}" for article in articles]
        self.archive().write(archive_key("fates", now, names), gzip.compress(lines.encode(), mtime=0))

    def _decide(self, article: Article, signals: Sequence[Signal]) -> None:
        article = article.arriving(self.clock())
        for _ in range(TRIES):
            known = self.table().known([article]).get(article.id)
            if known and known.fate != "rejected":
                if _another(article, known):
                    article = _renamed(article)
                    continue
                if _seen(article, known):
                    self._again(article, known)
                    return
            try:
                self._write(article, signals, known if known and known.fate != "rejected" else None)
            except Conflict:
                continue
            return
        raise Conflict(f"article {article.id!r} lost against other writers {TRIES} times")

    def _again(self, article: Article, known: FateRecord) -> None:
        """An article that came before: nothing changes, but one that came under another id has a fate of its own."""
        log.info("article %s has a fate already", ascii(article.id))
        if known.article != article.id:
            reason = f"the same article as {known.article}, at the same address"
            self.table().record(_fate_record(article, "duplicate", reason, self.rules.version, self.clock()))

    def _write(self, article: Article, signals: Sequence[Signal], known: FateRecord | None) -> None:
        """Decides and writes, everything in one transaction. `known`: the fate of the version before, if it was edited."""
        draft = _Draft(self, replace(article, id=known.article) if known else article, known)
        draft.decide(signals)
        commit = draft.commit(signals)
        self.table().commit(commit, self.clock())
        if known and known.article != article.id:
            reason = f"an edit of {known.article}: {commit.fate.reason}"
            fate = _fate_record(article, commit.fate.fate, reason, self.rules.version, self.clock())
            self.table().record(fate)


@dataclass
class _Draft:
    """What one article changes, put together signal by signal."""

    detector: Detector
    article: Article
    known: FateRecord | None
    stories: dict[str, Story] = field(default_factory=dict)
    alerts: dict[str, Wanted] = field(default_factory=dict)
    relied: dict[str, int] = field(default_factory=dict)
    held: list[Held] = field(default_factory=list)
    told: list[tuple[Signal, Decision]] = field(default_factory=list)
    gone: list[tuple[str, Decision]] = field(default_factory=list)
    """Decisions on what the article no longer says, by rule."""

    def __post_init__(self) -> None:
        self.now = self.detector.clock()
        self.table = self.detector.table()
        self.silences = self.table.silences(self.now)

    def decide(self, signals: Sequence[Signal]) -> None:
        """Decides on each signal, and on each story an earlier version of the article told."""
        told = {story.key: story for story in self._told_before()}
        for signal in _strongest(self.detector.rules, signals):
            policy = self.detector.rules.policy(signal.rule)
            report = Report.of(signal, self.article)
            key = identity(signal, policy)
            story = told.pop(key, None)
            given = (self.silences, self.now, self.detector.max_age)
            if story and "denied" not in signal.flags and story.joins(report, policy):
                decision = correct(signal, report, policy, story, *given)
            else:
                decision = decide(signal, report, policy, self.table.episodes(key), *given)
            if self._adopt(decision, report, policy):
                self.told.append((signal, decision))
        for story in told.values():
            policy = self.detector.rules.policy(story.rule)
            report = story.told_by(self.article.id)
            decision = correct(None, report, policy, story, self.silences, self.now, self.detector.max_age)
            if report.article == self.article.id and self._adopt(decision, report, policy):
                self.gone.append((story.rule, decision))

    def _told_before(self) -> Iterator[Story]:
        """The stories that an earlier version of the article told, as they are now."""
        rows = self.known.signals if self.known else ()
        rules = {rule.policy.name for rule in self.detector.rules.rules}
        for name in dict.fromkeys(row["story"] for row in rows if row.get("story") and "denied" not in row["flags"]):
            story = standing(self.table, name)
            if story and story.rule in rules:
                yield story

    def _adopt(self, decision: Decision, report: Report, policy: Policy) -> bool:
        """Takes over what a decision changes; False when the transaction has no room for it."""
        stories = {story.id: story for story in decision.changed}
        alerts = {wanted.alert: wanted for wanted in _wanted(decision, report)}
        relied = dict(decision.relied)
        held = [_held(decision, report, policy, self.now)] if decision.held and decision.story else []
        before = len(self.stories) + len(self.alerts) + len(self.relied) + len(self.held)
        if 2 + before + len(stories) + len(alerts) + len(relied) + len(held) > MAX_ACTIONS:
            return False
        self.stories |= stories
        self.alerts |= alerts
        self.relied |= relied
        self.held += held
        return True

    def commit(self, signals: Sequence[Signal]) -> Commit:
        """Everything to be written."""
        fate = _fate(self.article, signals, self, self.detector.rules, self.now)
        return Commit(
            fate,
            tuple(self.stories.values()),
            tuple(self.alerts.values()),
            tuple((story, version) for story, version in self.relied.items() if story not in self.stories),
            tuple(self.held),
            self.known.content if self.known else None,
            self.article.address,
        )


def standing(table: Table, story_id: str) -> Story | None:
    """A story, or the one it turned out to be part of."""
    story = table.story(story_id)
    for _ in range(TRIES):
        if story is None or not story.merged:
            break
        story = table.story(story.merged)
    return story


def _another(article: Article, known: FateRecord) -> bool:
    """Whether an article shares nothing but the name of its file with the one that has the fate."""
    if article.named != "file" or known.article != article.id or known.content in {"", article.content}:
        return False
    return not article.address or article.address != canonical(known.url)


def _renamed(article: Article) -> Article:
    """The article under an id of its own: file name and content."""
    return replace(article, id=f"{article.id}~{article.content[:8]}")


def _seen(article: Article, known: FateRecord) -> bool:
    """Whether this version of an article has been decided on before."""
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


def _wanted(decision: Decision, report: Report) -> Iterator[Wanted]:
    for other in decision.others:
        if other.alerted and other.posted:
            yield Wanted(root_alert(other.id), other)
    story = decision.story
    if story is None or not decision.edits or not story.posted:
        return
    yield Wanted(root_alert(story.id), story)
    if decision.alert and decision.alert != root_alert(story.id):
        yield Wanted(
            decision.alert, story, {"reason": decision.reason, "detail": decision.detail, "report": report.article}
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


def root_alert(story_id: str) -> str:
    """The id of the alert that is a story's root message."""
    return f"{story_id}/first_report"


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
    record = _fate_record(
        article, fate_of([decision for _, decision in told]), "; ".join(dict.fromkeys(reasons)), rules.version, now
    )
    record = replace(record, signals=tuple(_fitting(rows)))
    if known := draft.known:
        version = {"fate": known.fate, "reason": known.reason[:500], "at": known.at, "content": known.content}
        record = replace(record, before=(*known.before, version)[-MAX_VERSIONS:])
    return record


def _fate_record(article: Article, fate: Fate, reason: str, rules: str, now: datetime) -> FateRecord:
    """The fate of an article, without its signals."""
    published = article.published.isoformat() if article.published else ""
    return FateRecord(
        article.id, fate, reason, now.isoformat(), rules, article.title, article.source, (), article.url, published, article.content
    )  # fmt: skip


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

    def _step(self, row: OutboxRow) -> bool:  # noqa: PLR0911 - one return for each thing that may be next
        if row.digest is not None:
            return self._digest(row)
        story = self.table.story(row.story)
        if story and story.merged and (row.reply is not None or not (row.ts or row.attempted_at)):
            if row.reply is None:
                self.table.bury(row.alert, self.owner, f"it turned out to be part of {story.merged}")
                return False
            story = standing(self.table, story.merged)
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

    def _digest(self, row: OutboxRow) -> bool:
        """The digest of a day: posted once, and never edited."""
        if row.attempted_at is not None:
            return self._looked_up(row, row.attempted_at, None)
        day = row.digest or ""
        text = message.digest(row.alert, day, self.table.held(day))
        posted = self._posted(row, message.plain(text) if row.plain else text, None)
        return not self.table.delivered(row.alert, self.owner, posted, FIRST_STATE)

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
        if story.merged:
            kept = standing(self.table, story.merged)
            text = message.pointer(story, kept or story, policy)
        elif row.reply is None:
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


# ── digest ───────────────────────────────────────────────────────────────────────────────────────────────────────────

DIGEST_DAYS = 3
"""Days back for which a digest that was missed is made up."""


def want_digests(table: Table, now: datetime) -> list[str]:
    """Puts the digests of the last days that held something back into the outbox, each once; returns the days."""
    days = [f"{now - timedelta(days=back):%Y-%m-%d}" for back in range(DIGEST_DAYS, 0, -1)]
    return [day for day in days if table.held(day) and table.want_digest(day, now)]
