"""The deployed system in one process: the real handlers and steps on in-memory twins, with a fault at any call it makes."""

from __future__ import annotations

import heapq
import json
import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any
from unittest import mock

import handlers.answer
import handlers.deliver
import handlers.detect
import handlers.intake
import handlers.interact
import handlers.sweep
from infra.local.person import SIGNING_SECRET, Sealed
from tests.simulation.deployment import deployment
from tests.simulation.faults import MODES, NO_FAULT, Fault, Schedule
from tests.simulation.people import AGAIN, FILLS_IN, TRIES, MemoryForms, MemoryResponses, View, done, filled_in
from tests.simulation.queues import Batch, MemoryMailbox, MemoryStream
from tests.simulation.remembering import remembering
from tests.simulation.scenes import POISON, SEEDS, Deed, Drop, Scene, drops
from tests.system import brought, found_once, rule_set
from tests.twins import Crash, FixedToken, MemoryArchive, MemoryFeeds, MemorySlack, MemoryTable, Row, Shown
from tocsin.adapters import aws
from tocsin.article import Article
from tocsin.errors import SlackError, Throttled, Unknown
from tocsin.memory import Kept
from tocsin.pipeline.collect import Collector
from tocsin.pipeline.deliver import Deliverer
from tocsin.pipeline.detect import Detector
from tocsin.pipeline.interact import Interactor
from tocsin.pipeline.question import Answerer
from tocsin.pipeline.receive import Trusted
from tocsin.pipeline.stories import root_alert
from tocsin.ports import BESIDE, Burst, FateRecord, Message, OutboxRow, Posted, Rolled, beside, unmetered
from tocsin.reading import Entry, contents
from tocsin.signal import Signal
from tocsin.story import Story

START = datetime(2025, 3, 1, 9, tzinfo=UTC).timestamp()
MINUTE = 60.0
PAUSE = deployment().lease.total_seconds() + MINUTE
"""Seconds others run while a process sleeps: its lease ends, and a sweep comes after that."""
STALE = 60.0
"""Seconds the history may lag behind."""
THROTTLE = 30.0
BAD_REQUEST = 400

FIRST, BETWEEN = 40.0, 30.0
"""Seconds after a sweep that the first comes, so that the next but one sweep comes soon after its lease is over."""


@dataclass(frozen=True)
class Variant:
    """A system to be simulated: the deployed one unless something is said."""

    name: str = "tocsin"
    deliverer: Callable[..., Any] = Deliverer
    """Takes what `Deliverer` takes."""
    table: type[OutboxTable] | None = None
    port: type[Port] | None = None
    """Before the table."""
    parts: tuple[tuple[str, Callable[[], Any]], ...] = ()
    """Neighbours that the deliverer has beside the usual ones, by name."""
    library: str = ""
    """An optional library it needs."""
    receives: int | None = None
    sweeps: bool = True
    resends: bool = False
    """Whether the SDK makes a call to Slack again whose connection dropped."""
    handled_first: bool = False
    """Whether a message is deleted before it is handled."""
    whole_batches: bool = False
    """Whether a message that fails fails its whole batch."""
    apart: bool = True
    """Whether the articles of a message come again each alone."""
    scene: Scene = SEEDS


class OutboxTable(MemoryTable):
    """The table with its stream: it tells of every row that turns pending."""

    tell: Callable[[str], None]

    def copied(self) -> OutboxTable:
        """The same table, to go another way from here."""
        other = copy(self)
        other.fates, other.stories, other.addresses = dict(self.fates), dict(self.stories), dict(self.addresses)
        other.free, other.rooms, other.lists = dict(self.free), dict(self.rooms), dict(self.lists)
        other.names = dict(self.names)
        other.helds, other.rows = dict(self.helds), {alert: copy(row) for alert, row in self.rows.items()}
        return other

    def want_digest(self, day: str, now: datetime) -> bool:
        """See `Table.want_digest`."""
        wanted = super().want_digest(day, now)
        if wanted:
            self.tell(f"digest/{day}")
        return wanted

    def roll_up(self, row: OutboxRow, owner: str, burst: Burst, rolled: Rolled, now: datetime) -> None:
        """See `Table.roll_up`."""
        super().roll_up(row, owner, burst, rolled, now)
        self.tell(burst.alert)

    def _ask(self, alert: str, asked: Row) -> None:
        super()._ask(alert, asked)
        self.tell(alert)

    def _recorded(self, fate: FateRecord) -> FateRecord:
        """The record as it is: what a frozen value becomes on its way through JSON is the twin's own test's business."""
        return fate

    def _written(self, story: Story) -> Story:
        """As `_recorded`."""
        return story


class WatchedSlack(MemorySlack):
    """A channel that notices the second copy of an alert, or a reply before its root, the moment it turns up."""

    lag = 0.0
    weather: Callable[[str], None] | None = None
    """What a call meets on its way, by its method: it may raise."""
    broke: list[tuple[str, str]]

    def copied(self) -> WatchedSlack:
        """The same channel, to go another way from here."""
        other = copy(self)
        other.calls = list(self.calls)
        other.messages = [replace(one, versions=list(one.versions)) for one in self.messages]
        return other

    def _called(self, method: str, act: Callable[[], Any]) -> Any:
        if self.weather:
            self.weather(method)
        self.calls.append(method)
        return act()

    def _post(self, channel: str, message: Message, thread_ts: str | None, *, broadcast: bool) -> Posted:
        posted = super()._post(channel, message, thread_ts, broadcast=broadcast)
        alert = str(message.metadata["alert"])
        alerts = [one.alert for one in self.messages if not one.deleted]
        if alerts.count(alert) > 1:
            self.broke.append(("duplicate", f"{alert} stands twice in the channel"))
        told, _, channel = alert.partition(BESIDE)
        root = beside(root_alert(told.rpartition("/")[0]), channel)
        if message.metadata["reason"] not in {"first_report", "digest", "notices", "burst"} and root not in alerts:
            self.broke.append(("lost", f"{alert} is told before its root"))
        return posted

    def _history(self, channel: str, thread_ts: str | None) -> Iterator[Shown]:
        seen = self.clock().timestamp() - self.lag
        return (one for one in super()._history(channel, thread_ts) if not self.lag or float(one.ts) <= seen)


class Port:
    """Stands before a neighbour and hands every call to the world, by its name."""

    def __init__(self, call: Callable[[str, partial[Any]], Any], target: Any, name: str) -> None:
        self._call, self._target, self._name = call, target, name

    def __getattr__(self, method: str) -> Callable[..., Any]:
        """One method of the neighbour."""
        kind, call, act = f"{self._name}.{method}", self._call, getattr(self._target, method)

        def counted(*given: Any, **named: Any) -> Any:
            return call(kind, partial(act, *given, **named))

        setattr(self, method, counted)
        return counted


@dataclass
class World:
    """One run: arrivals, functions, queues, stream and schedule on one virtual clock, with the faults of a schedule."""

    schedule: Schedule = NO_FAULT
    variant: Variant = Variant()
    chosen: dict[int, float] = field(default_factory=dict)
    """Faults whose mode is chosen when their call is known: number of the call → a number from 0 to 1."""
    arrivals: Sequence[Sequence[Drop]] | None = None
    """What is dropped instead of the files of the scene."""
    now: float = START
    roots: int = field(default_factory=lambda: deployment().roots)
    """First reports of a rule that the channel gets within an hour; 0: all."""
    patience: float = 4 * 3600.0
    """Seconds after which a run that still has work to do is stuck."""
    kinds: list[str] = field(default_factory=list)
    """The calls made so far."""
    broken: list[tuple[str, str]] = field(default_factory=list)
    """Promises that did not hold: which count it goes to, and what happened."""
    told: Callable[[str], None] | None = None
    """Told of every call, when somebody wants to read along."""
    between: Callable[[World], None] | None = None
    """Called whenever no function is running: the moments at which a run can be copied."""

    def __post_init__(self) -> None:
        numbers, receives = deployment(), self.variant.receives
        scene = self.variant.scene
        places = {channel for chain in scene.routes.receivers.values() for channel in chain}
        self.slack = WatchedSlack(self.clock, tuple(sorted(places)))
        self.forms, self.responses = MemoryForms(), MemoryResponses()
        self.questions = MemoryMailbox(numbers.questions.visibility, numbers.questions.receives)
        self.inbox = MemoryMailbox(numbers.inbox.visibility, receives or numbers.inbox.receives)
        self.articles = MemoryMailbox(numbers.articles.visibility, receives or numbers.articles.receives)
        self.stream = MemoryStream(numbers.records, numbers.retries)
        self.parts = {name: make() for name, make in self.variant.parts}
        self.faults = {fault.at: fault.mode for fault in self.schedule.faults}
        self.stuck = False
        self._events: list[tuple[float, int, str, tuple[Any, ...], dict[str, Any]]] = []
        self._made = 0
        self._idle: dict[str, tuple[str, ...]] = {}
        self._owner, self._deadline, self._wakes = "", math.inf, math.inf
        self._swept = -1
        self._open()
        self._connect()
        for number, wave in enumerate(drops(scene) if self.arrivals is None else self.arrivals):
            self.later(FIRST + number * BETWEEN, "drop", wave)
        for deed in scene.deeds:
            self.later(deed.at, "do", deed)

    def _open(self) -> None:
        """Sets up table and bucket."""
        self.table = (self.variant.table or OutboxTable)()
        self.archive = MemoryArchive()

    def _connect(self) -> None:
        """Lets the parts tell the world what happens, and puts a port before each."""
        self.slack.clock, self.slack.broke = self.clock, self.broken
        self.ports = {name: Port(self.call, part, name) for name, part in self.parts.items()}
        for name in ("slack", "forms", "responses"):
            self.ports[name] = Port(self.call, getattr(self, name), name)
        self.ports["questions"] = Port(self.call, self.questions, "queue")
        self._connect_aws()

    def _connect_aws(self) -> None:
        self.table.tell = self.stream.fresh.append
        self.ports["table"] = (self.variant.port or Port)(self.call, self.table, "table")
        self.ports["archive"] = Port(self.call, self.archive, "archive")
        self.ports["queue"] = Port(self.call, self.articles, "queue")

    @property
    def left(self) -> MemoryTable:
        """What stands in the table."""
        return self.table

    def due(self) -> float | None:
        """When the next row of the outbox is due."""
        return min((row.due_at for row in self.table.rows.values() if row.due_at is not None), default=None)

    def copied(self, *faults: Fault) -> World:
        """The same run, at a moment when no function is running, to be continued with more faults."""
        other = copy(self)
        for name in ("table", "slack", "archive", "inbox", "articles", "stream", "questions", "forms", "responses"):
            setattr(other, name, getattr(self, name).copied())
        other.parts = {name: part.copied() for name, part in self.parts.items()}
        other.kinds, other.broken, other.between = list(self.kinds), list(self.broken), None
        other.faults = self.faults | {fault.at: fault.mode for fault in faults}
        other.chosen = dict(self.chosen)
        other._events, other._idle = list(self._events), dict(self._idle)  # noqa: SLF001 - another of this class
        other._connect()  # noqa: SLF001 - as above
        return other

    @property
    def given_up(self) -> Mapping[str, int]:
        """What lies among the dead letters, the poison aside, and after how many receives."""
        numbers = deployment()
        articles = {one.id for one in brought(self.archive, self.articles.dead)} - {POISON}
        notices = {"a notice of a dropped file": numbers.inbox.receives} if self.inbox.dead else {}
        questions = {"a question": numbers.questions.receives} if self.questions.dead else {}
        return {f"article {one}": numbers.articles.receives for one in sorted(articles)} | notices | questions

    def redrive(self) -> None:
        """An operator hears the alarm and does what the runbook says: `tocsin redrive`, once."""
        self.patience += self.now - START
        for mailbox in (self.inbox, self.articles, self.questions):
            mailbox.redrive()

    def clock(self) -> datetime:
        """The virtual time."""
        return datetime.fromtimestamp(self.now, UTC)

    # what the world does

    def drop(self, files: Sequence[Drop]) -> None:
        """Files are dropped into the inbox, and S3 tells the topic, which calls Intake."""
        for one in files:
            self.put(one)
            self.inbox.send([json.dumps({"Records": [{"s3": {"object": {"key": one.key}}}]})])

    def do(self, deed: Deed, tries: int = 1) -> None:
        """A person presses a button or types; whoever is not heard does it again, and so does who sees no message yet."""
        view = self._view()
        if not self._heard(done(deed, view, self.now)):
            if tries < TRIES:
                self.later(AGAIN, "do", deed, tries + 1)
        elif deed.does == "irrelevant":
            self.later(FILLS_IN, "send", deed, self.forms.opened[view.trigger()])

    def send(self, deed: Deed, form: Mapping[str, Any], tries: int = 1) -> None:
        """A person sends a form; it stays open until that is taken."""
        if not self._heard(filled_in(deed, form, self._view(), self.now)) and tries < TRIES:
            self.later(AGAIN, "send", deed, form, tries + 1)

    def _view(self) -> View:
        self._made += 1
        return View(self.slack.standing, self._made)

    def _heard(self, sealed: Sealed | None) -> bool:
        """Whether a request was answered well; one that comes twice is refused the second time."""
        if sealed is None or (mode := self.call("interact.request", NOTHING)) == "lost":
            return False
        answer = self._invoke("interact", handlers.interact.handler, sealed.event())
        if mode == "twice":
            again = self._invoke("interact", handlers.interact.handler, sealed.event())
            if all(one and one["statusCode"] < BAD_REQUEST for one in (answer, again)):
                self.broken.append(("duplicate", "a request was taken twice"))
        return answer is not None and answer["statusCode"] < BAD_REQUEST

    def put(self, one: Drop) -> None:
        """Puts a file into the bucket."""
        self.archive.drop(one.key, one.body, **dict(one.metadata))

    def later(self, seconds: float, part: str, *given: Any, **named: Any) -> None:
        """So much later something happens: files are dropped, or a call to Slack takes effect and nobody hears its answer."""
        self._made += 1
        heapq.heappush(self._events, (self.now + seconds, self._made, part, given, named))

    def _happens(self, part: str, given: tuple[Any, ...], named: dict[str, Any]) -> None:
        if part in {"drop", "do", "send"}:
            getattr(self, part)(*given)
            return
        with suppress(SlackError):
            getattr(self.slack, part)(*given, **named)

    def run(self, until: float = math.inf) -> None:
        """Lets everything happen until nothing is left to do, or until then."""
        while not self.stuck:
            if self.between and not self._owner:
                self.between(self)
            if self._worked():
                continue
            following = self._next()
            if following is None or following > until:
                self.now = max(self.now, until if until < math.inf else self.now)
                return
            if following > START + self.patience:
                self.stuck = True
                return
            self.now = max(self.now, following)
            while self._events and self._events[0][0] <= self.now:
                self._happens(*heapq.heappop(self._events)[2:])

    def _worked(self) -> bool:
        """Whether something could be done at this moment."""
        return (
            self._polled("inbox", self.inbox, handlers.intake.handler, deployment().inbox.batch)
            or self._polled("articles", self.articles, handlers.detect.handler, deployment().articles.batch)
            or self._polled("questions", self.questions, handlers.answer.handler, deployment().questions.batch)
            or self._streamed()
            or self._ticked()
        )

    def _next(self) -> float | None:
        """When the next thing happens."""
        times = [self.inbox.next(), self.articles.next(), self.questions.next(), self.stream.next(), self._tick()]
        if self._events:
            times.append(self._events[0][0])
        return min((one for one in times if one is not None), default=None)

    def _polled(self, name: str, mailbox: MemoryMailbox, handler: Callable[..., Any], batch: int) -> bool:
        """One batch of a queue, or what a topic tells, goes to its function; what it handled is deleted."""
        messages = mailbox.receive(self.now, batch)
        if not messages:
            return False
        if self.variant.handled_first and name == "inbox":
            mailbox.delete(messages)
        if self.call(f"{name}.receive", NOTHING) == "twice":
            mailbox.again(messages)
        records = [
            {"Sns": {"Message": one.body}}
            if name == "inbox"
            else {
                "messageId": one.id,
                "body": one.body,
                "attributes": {"ApproximateReceiveCount": str(one.receives)},
            }
            for one in messages
        ]
        answer = self._invoke(handler.__module__.rpartition(".")[2], handler, {"Records": records})
        if answer is not None:
            failed = {row["itemIdentifier"] for row in answer.get("batchItemFailures", ())}
            failed = {mail.id for mail in messages} if failed and self.variant.whole_batches else failed
            done = [mail for mail in messages if mail.id not in failed]
            if done and self.call(f"{name}.delete", NOTHING) != "lost":
                mailbox.delete(done)
        return True

    def _streamed(self) -> bool:
        """One batch of the stream goes to its function."""
        batch = self.stream.take(self.now)
        if batch is None:
            return False
        alerts: list[str] = []
        for alert in batch.alerts:
            mode = self.call("stream.record", NOTHING)
            alerts += {"lost": [], "twice": [alert, alert]}.get(mode, [alert])
        if not alerts:
            return True
        records = [
            {
                "eventID": str(number),
                "dynamodb": {"Keys": {"pk": {"S": f"ALERT#{alert}"}}, "SequenceNumber": str(number)},
            }
            for number, alert in enumerate(alerts)
        ]
        self.stream.busy = True
        answer = self._invoke("deliver", handlers.deliver.handler, {"Records": records})
        self.stream.busy = False
        failed = [{"itemIdentifier": "0"}] if answer is None else answer["batchItemFailures"]
        if failed:
            first = min(int(row["itemIdentifier"]) for row in failed)
            self.stream.failed(Batch(alerts, batch.attempts), first, self.now)
        return True

    def _ticked(self) -> bool:
        """The schedule calls the sweep, every minute. A sweep that would find nothing due is left out: it does nothing."""
        minute = int((self.now - START) // MINUTE)
        tick = self._tick()
        if tick is None or tick > self.now:
            return False
        self._swept = minute
        mode = self.call("sweep.tick", NOTHING)
        if mode != "lost":
            self._invoke("sweep", handlers.sweep.handler, {})
        if mode == "twice":
            self._invoke("sweep", handlers.sweep.handler, {})
        return True

    def _tick(self) -> float | None:
        """The minute at which the next sweep finds something due."""
        if not self.variant.sweeps:
            return None
        if (due := self.due()) is None:
            return None
        return START + MINUTE * max(math.ceil((due - START) / MINUTE), self._swept + 1)

    def wait(self, seconds: float) -> None:
        """A function waits while others run; it is killed when its time is over."""
        deadline = self._deadline
        self._sleep(seconds)
        if self.now >= deadline:
            raise Crash

    def _sleep(self, seconds: float) -> None:
        """Others run for so long, but no longer than until one wakes that fell asleep before: it would wake too late."""
        outer = self._wakes
        self._wakes = min(self.now + seconds, outer)
        self.run(self._wakes)
        self._wakes = outer

    # functions

    def _invoke(self, name: str, handler: Callable[..., Any], event: dict[str, Any]) -> dict[str, Any] | None:
        """Runs a function in an environment that is idle, or in a new one; None when it failed or died."""
        idle = self._idle.get(name, ())
        self._made += not idle
        owner, self._idle[name] = (idle[-1], idle[:-1]) if idle else (f"{name} {self._made}", ())
        outer = self._owner, self._deadline
        self._owner, self._deadline = owner, self.now + deployment().timeout
        try:
            answer: dict[str, Any] | None = handler(event, None)
        except Crash:
            return None
        except Exception:  # noqa: BLE001 - as Lambda sees it
            answer = None
        finally:
            self._owner, self._deadline = outer
        self._idle[name] += (owner,)
        return answer

    def collector(self) -> Collector:
        """What intake runs."""
        ports = self.ports
        return Collector(ports["archive"], ports["queue"], ports["table"], self.clock, read_once)

    def detector(self) -> Detector:
        """What detect runs."""
        table, archive = self.ports["table"], self.ports["archive"]
        again = (lambda: self.ports["queue"]) if self.variant.apart else None
        return Detector(rule_set(), lambda: table, lambda: archive, self.clock, None, signals_of, again=again)

    def interactor(self) -> Interactor:
        """What interact runs."""
        table: Any = self.ports["table"]
        archive, forms = self.ports["archive"], self.ports["forms"]
        return Interactor(
            Trusted(FixedToken(SIGNING_SECRET), self.clock), table, archive, self.ports["questions"], forms, self.clock
        )

    def answerer(self) -> Answerer:
        """What answer runs."""
        table: Any = self.ports["table"]
        return Answerer(rule_set, Kept(table, None), table, MemoryFeeds(), self.ports["responses"], self.clock)

    def deliverer(self) -> Any:
        """What deliver and sweep run."""
        neighbours = (self.ports["table"], self.ports["slack"], rule_set().policy, self.clock)
        numbers = deployment()
        parts = {name: self.ports[name] for name in self.parts}
        given = (
            *neighbours,
            self._owner,
            self.variant.scene.routes,
            numbers.lease,
            numbers.quarantine,
            self.wait,
            numbers.pace,
            self.roots,
            bool(self.variant.scene.deeds),
        )
        return self.variant.deliverer(*given, **parts)

    # faults

    def call(self, kind: str, act: partial[Any]) -> Any:
        """One call of a neighbour, spoilt when the schedule says so."""
        self.kinds.append(kind)
        number = len(self.kinds)
        if number in self.chosen:
            modes = MODES[kind]
            self.faults[number] = modes[int(self.chosen[number] * len(modes))]
        mode = self.faults.get(number)
        if mode and mode not in MODES[kind]:
            raise SystemExit(f"call {number} is {kind}, which knows no {mode}: {', '.join(MODES[kind])}")
        if self.told:
            self.told(f"{self.clock():%H:%M:%S} {number:4} {kind}{'  <- ' + mode if mode else ''}")
        return act() if mode is None else self._spoilt(kind, act, mode)

    def _spoilt(self, kind: str, act: partial[Any], mode: str) -> Any:
        if act is NOTHING:
            return mode
        if mode == "pause":
            self._sleep(PAUSE)
            return act()
        if mode == "stale":
            self.slack.lag = STALE
            try:
                return act()
            finally:
                self.slack.lag = 0.0
        if mode == "late":
            self.later(self.schedule.delay, act.func.__name__, *act.args, **act.keywords)
        if mode in {"crash-after", "error-after", "twice", "reset"}:
            act()
        if mode.startswith("crash"):
            raise Crash
        if mode == "throttled":
            raise Throttled(THROTTLE)
        if mode == "twice" or (mode == "reset" and self.variant.resends):
            return act()
        raise Unknown(mode) if kind.startswith(SLACKS) else self.failure(kind)

    def failure(self, kind: str) -> Exception:
        """What a failing call of a neighbour on AWS raises."""
        return OSError(kind)

    @property
    def met(self) -> Schedule:
        """The faults that were met, as a schedule that meets them again."""
        met = (Fault(at, mode) for at, mode in sorted(self.faults.items()) if at <= len(self.kinds))
        return Schedule(tuple(met), self.schedule.delay)


SLACKS = ("slack", "forms", "responses")
"""The neighbours that are parts of Slack."""
NOTHING = partial(bool)
"""What happens at a call that only the outside sees."""


@cache
def _entries(key: str, body: bytes, metadata: tuple[tuple[str, str], ...]) -> tuple[Entry, ...]:
    return tuple(contents(key, body, dict(metadata)))


def read_once(key: str, body: bytes, metadata: Any) -> Sequence[Entry]:
    """`tocsin.reading.contents` with a memory."""
    return _entries(key, body, tuple(metadata.items()))


def signals_of(_rules: Any, article: Article) -> Sequence[Signal]:
    """The signals in an article, with a memory; the poison is more than a detector can bear."""
    if article.id == POISON:
        raise MemoryError(POISON)
    return found_once(article)


_running: list[World] = []


def running() -> World:
    """The world that is under simulation."""
    return _running[-1]


@contextmanager
def deployed() -> Iterator[None]:
    """The handlers run what the world under simulation gives them."""
    logging.disable(logging.CRITICAL)
    with ExitStack() as stack:
        stack.callback(logging.disable, logging.NOTSET)
        stack.enter_context(remembering())
        for owner, name, instead in (
            (aws, "collector", lambda: running().collector()),
            (aws, "detector", lambda _rules: running().detector()),
            (aws, "table", lambda: running().ports["table"]),
            (aws, "meter", lambda: unmetered),
            (aws, "now", lambda: running().clock()),
            (handlers.deliver, "deliverer", lambda: running().deliverer()),
            (handlers.sweep, "deliverer", lambda: running().deliverer()),
            (handlers.interact, "interactor", lambda: running().interactor()),
            (handlers.answer, "answerer", lambda: running().answerer()),
        ):
            stack.enter_context(mock.patch.object(owner, name, instead))
        yield


def simulated(world: World) -> World:
    """The world after everything in it has happened, inside `deployed`."""
    _running.append(world)
    try:
        world.run()
    finally:
        _running.pop()
    return world
