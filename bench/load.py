"""A million articles a day, with bursts, through the steps of detection and delivery on in-memory twins, in virtual time.

python bench/load.py [--hours H] [--a-day N] [--seed S]       `make load` calls it

Articles come as calls of Fetch send them, some three a minute, many in a message. The queue is read as Lambda reads it (batches and windows of
the template, some pollers side by side), the stream as it is read (one batch at a time).
The steps are those of the functions; only the engine is replaced by its answers, found once for each text, and what a call
takes is taken from `bench/prices.json`. Told are the age of the queue, the time from an article's arrival on the queue to its
alert in Slack, and how many units a second the busiest keys of the table and its index take; a partition takes a thousand.
"""

from __future__ import annotations

import argparse
import heapq
import json
import math
import random
import sys
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]  # it ships no types

from tests.simulation.deployment import deployment
from tests.system import ROOT, found_once, rule_set
from tests.twins import CHANNEL, Clock, MemoryArchive, MemorySlack, MemoryTable
from tocsin.article import Article
from tocsin.pipeline.archive import Arrivals, archived
from tocsin.pipeline.deliver import Deliverer
from tocsin.pipeline.detect import Detector, Sent
from tocsin.ports import Commit, FateRecord, Wanted
from tocsin.routes import everything_to
from tocsin.signal import Signal
from tocsin.story import Story

TAKEN: dict[str, float] = json.loads((ROOT / "bench" / "prices.json").read_text(encoding="utf-8"))["taken"]
START = datetime(2025, 3, 1, 12, tzinfo=UTC)
POLLERS = 5
"""Batches Lambda takes from a queue at once, before it sees that more are wanted."""
ENGINE = 0.004
"""Seconds an article of the news takes on the share of a processor that the function has."""
CALLS = 3
"""Calls of Fetch a minute: ten thousand feeds are asked 17,000 times an hour, a hundred a call."""
FETCHED = (2.0, 5.0)
"""Seconds after which such a call sends what it brought, at least and at most."""
STREAM = 0.25
"""Seconds until a record of the stream is read."""
PACKED = 0.35
"""Kilobytes a report takes in a story's item: the five of the seeds take 1.8 together."""
SIGNALS = 0.05
NEW = 0.02
"""Of the articles with a signal, those that tell a new story; the others are about one of the last day, the latest most."""
BURSTS = 2
"""Breaking news an hour: for three minutes ten times as many articles, one in ten of them about one story."""
WHO = (
    "Turkey",
    "France",
    "India",
    "Iran",
    "Egypt",
    "Poland",
    "Germany",
    "Japan",
    "Greece",
    "Italy",
    "Spain",
    "Brazil",
    "Mexico",
    "Norway",
    "Sweden",
)
WHERE = (
    "Libya",
    "Chad",
    "Niger",
    "Somalia",
    "Lebanon",
    "Iraq",
    "Mali",
    "Yemen",
    "Jordan",
    "Kenya",
    "Cyprus",
    "Serbia",
    "Sudan",
    "Syria",
    "Cuba",
)


@cache
def signals_of(who: str, where: str) -> Sequence[Signal]:
    """What the engine finds in an article about such a deployment."""
    return found_once(Article("x", text_of(who, where)))


def text_of(who: str, where: str) -> str:
    """Such an article."""
    return f"{who} is preparing to send more troops to {where}, officials said on Friday."


@dataclass
class Counted(MemoryTable):
    """A table that counts the units its keys and its index take, by the second."""

    clock: Callable[[], datetime] = datetime.now
    units: Counter[tuple[str, int]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        MemoryTable.__init__(self)

    def took(self, key: str, units: int, now: datetime) -> None:
        """So many units of a key."""
        self.units[key, int(now.timestamp())] += units

    def commit(self, commit: Commit, now: datetime) -> None:
        """See `Table.commit`: twice the units where several are written, as transactions take."""
        super().commit(commit, now)
        twice = 2 if commit.fate and commit.stories else 1
        for story in commit.stories:
            self.took(f"STORY {story.key}", twice * (1 + int(PACKED * len(story.reports))), now)
        for wanted in commit.alerts:
            self.took(f"ALERT {wanted.alert}", twice, now)
            self.took("index of what is due", 2, now)

    def want(self, wanted: Wanted, now: datetime) -> None:
        """See `Table.want`."""
        super().want(wanted, now)
        self.took(f"ALERT {wanted.alert}", 1, now)
        self.took("index of what is due", 2, now)

    def _recorded(self, fate: FateRecord) -> FateRecord:
        """What becomes of a frozen value on its way through JSON is the twin's own test's business."""
        return fate

    def _written(self, story: Story) -> Story:
        """As `_recorded`."""
        return story

    def claim(self, alert: str, owner: str, now: datetime, lease: timedelta, *, begins: str | None = None) -> Any:
        """See `Table.claim`."""
        self.took(f"ALERT {alert}", 2, now)  # and when it is delivered
        self.took("index of what is due", 1, now)
        return super().claim(alert, owner, now, lease, begins=begins)

    def turn(self, channel: str, now: datetime, pace: timedelta) -> Any:
        """See `Table.turn`."""
        self.took("turns of the channel", 1, now)
        return super().turn(channel, now, pace)


class Timed:
    """Stands before the table for a detector, whose calls each take their time."""

    def __init__(self, table: Counted, clock: Clock) -> None:
        self._table, self._clock = table, clock

    def __getattr__(self, method: str) -> Any:
        self._clock.move(seconds=TAKEN["dynamodb"])
        return getattr(self._table, method)


class TimedSlack(MemorySlack):
    """A channel in which each call takes its time."""

    def _called(self, method: str, act: Callable[[], Any]) -> Any:
        assert isinstance(self.clock, Clock)  # noqa: S101 - the twin takes any
        self.clock.move(seconds=TAKEN["slack"])
        return super()._called(method, act)


@dataclass
class Load:
    """One run."""

    a_day: int
    seconds: int
    seed: int
    random: random.Random = field(init=False)
    stories: list[tuple[str, str]] = field(default_factory=list)
    ages: list[float] = field(default_factory=list)
    seen: dict[str, float] = field(default_factory=dict)
    """When the first article of an alert arrived, by the alert."""
    delays: list[float] = field(default_factory=list)
    edits: int = 0
    hints: deque[tuple[float, str]] = field(default_factory=deque)
    found: dict[str, Sequence[Signal]] = field(default_factory=dict)
    """What each article tells, by its id."""

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        resources = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))["Resources"]
        reads = resources["Detect"]["Properties"]["Events"]["Articles"]["Properties"]
        self.batch, self.window = reads["BatchSize"], float(reads["MaximumBatchingWindowInSeconds"])
        self.table = Counted()
        self.delivery, self.sweeping = Clock(START), Clock(START)
        self.due: deque[str] = deque()
        self.ends = START
        self.slack = TimedSlack(self.delivery)
        self.pairs = [(who, where) for where in WHERE for who in WHO]
        self.random.shuffle(self.pairs)

    def arrivals(self) -> list[tuple[float, Article, Sequence[Signal]]]:
        """Every article with its second and what it tells: a steady stream of polls, and bursts."""
        rate = self.a_day / 86_400
        times = [self.random.uniform(0, self.seconds) for _ in range(round(rate * self.seconds))]
        bursts = [
            (at, self._new())
            for at in (
                self.random.uniform(0, max(1, self.seconds - 180))
                for _ in range(max(1, round(BURSTS * self.seconds / 3600)))
            )
        ]
        for at, _ in bursts:
            times += [at + self.random.betavariate(1, 3) * 180 for _ in range(round(9 * rate * 180))]
        found = []
        for number, at in enumerate(sorted(times)):
            story = self._told(at, bursts)
            text = text_of(*story) if story else "The mayor opened a bakery."
            outlet = f"Outlet {self.random.randrange(300)}"
            article = Article(
                f"a{number}",
                text,
                f"Headline {number}",
                outlet,
                f"https://news.example/{number}",
                START + timedelta(seconds=at - 60),
                fresh=True,
            )
            found.append((at, article, signals_of(*story) if story else ()))
        return found

    def messages(self, archive: MemoryArchive) -> list[tuple[float, str]]:
        """The messages that bring every article, each with the second in which it is sent."""
        brought: defaultdict[tuple[int, int], list[Article]] = defaultdict(list)
        for at, article, told in self.arrivals():
            self.found[article.id] = told
            brought[int(at // 60), self.random.randrange(CALLS)].append(article)
        sent = []
        for (minute, _), articles in brought.items():
            at = 60 * (minute + 1) + self.random.uniform(*FETCHED)
            sent += [(at, body) for body in archived(archive, articles, START + timedelta(seconds=at))]
        return sorted(sent)

    def _new(self) -> tuple[str, str]:
        self.stories.append(self.pairs[len(self.stories) % len(self.pairs)])
        return self.stories[-1]

    def _told(self, at: float, bursts: Sequence[tuple[float, tuple[str, str]]]) -> tuple[str, str] | None:
        for begins, story in bursts:
            if 0 <= at - begins < 180 and self.random.random() < SIGNALS * 2:  # noqa: PLR2004 - three minutes
                return story
        if self.random.random() >= SIGNALS:
            return None
        if not self.stories or self.random.random() < NEW:
            return self._new()
        return self.stories[-1 - min(int(self.random.expovariate(0.3)), len(self.stories) - 1)]

    def run(self) -> None:
        """Lets everything arrive, and be detected and delivered."""
        clock = Clock(START)
        archive = MemoryArchive()
        waiting = deque(self.messages(archive))
        arrivals = Arrivals(lambda: archive)
        table: Any = Timed(self.table, clock)

        def find(_rules: object, article: Article) -> Sequence[Signal]:
            clock.move(seconds=ENGINE)
            return self.found[article.id]

        detector = Detector(
            rule_set(),
            lambda: table,
            lambda: archive,
            clock,
            None,
            find,
            self.table.count,
        )
        free = [0.0] * POLLERS
        heapq.heapify(free)
        while waiting:
            begins = max(heapq.heappop(free), waiting[0][0])
            batch: list[tuple[float, str]] = []
            closes = waiting[0][0] + self.window if waiting[0][0] >= begins else begins
            while waiting and len(batch) < self.batch and waiting[0][0] <= max(closes, begins):
                batch.append(waiting.popleft())
            begins = max(begins, batch[-1][0]) if len(batch) == self.batch else max(begins, closes)
            articles = [(at, article) for at, body in batch for _, article in arrivals.of(body)]
            told = sum(bool(self.found[article.id]) for _, article in articles)
            clock.now = START + timedelta(seconds=begins + TAKEN["s3"])
            before = {alert: row.wanted for alert, row in self.table.rows.items()} if told else {}
            if lost := detector.take([Sent(str(number), body) for number, (_, body) in enumerate(batch)]):
                raise SystemExit(f"load: messages came again: {lost[:3]}")
            ends = (clock.now - START).total_seconds()
            self.ages += [begins - at for at, _ in articles]
            for alert, row in self.table.rows.items() if told else ():
                if alert not in before:
                    self.seen[alert] = min(at for at, article in articles if self.found[article.id])
                if before.get(alert) != row.wanted:
                    self.hints.append((ends + STREAM, alert))
            heapq.heappush(free, ends)
            self._deliver(ends)
        self._deliver(self.seconds + 3_600.0)

    def _deliver(self, until: float) -> None:
        """The stream's reader and the sweep of each minute, which take turns by their own clocks, until then."""
        while True:
            stream = max(self._now(), self.hints[0][0]) if self.hints else math.inf
            sweep = (self.sweeping.now - START).total_seconds()
            if min(stream, sweep) > until:
                return
            if stream <= sweep:
                self._read(stream)
            else:
                self._sweep()

    def _read(self, at: float) -> None:
        """One batch of the stream."""
        self.delivery.now = START + timedelta(seconds=at)
        some = [self.hints.popleft()[1]]
        while self.hints and self.hints[0][0] <= self._now() and len(some) < deployment().records:
            some.append(self.hints.popleft()[1])
        for alert in dict.fromkeys(some):
            self._call(self.delivery, None, alert)

    def _sweep(self) -> None:
        """One alert of a sweep; when it has none left, or has worked long enough, it waits for the next minute."""
        if not self.due:
            self.due.extend(self.table.due(self.sweeping.now, 100))
            self.ends = self.sweeping.now + timedelta(seconds=45)
        if self.due and self.sweeping.now < self.ends:
            alert = self.due.popleft()
            self._call(self.sweeping, self.ends, alert)
        if not self.due or self.sweeping.now >= self.ends:
            self.due.clear()
            minute = self.sweeping.now.replace(second=0, microsecond=0) + timedelta(minutes=1)
            self.sweeping.now = max(minute, self.sweeping.now)

    def _call(self, clock: Clock, until: datetime | None, alert: str) -> None:
        """Lets the stream's deliverer, or a sweep until then, do something about an alert, and notes what became of it."""
        numbers = deployment()
        self.slack.clock = clock
        before = len(self.slack.messages)
        deliverer = Deliverer(
            self.table, self.slack, rule_set().policy, clock, f"{id(clock)}", everything_to(CHANNEL), numbers.lease, numbers.quarantine,
            clock.wait, numbers.pace, numbers.roots,
        )  # fmt: skip
        if until:
            deliverer._deliver(alert, until)  # noqa: SLF001 - a sweep, one by one
        else:
            deliverer.deliver([alert])
        if len(self.slack.messages) > before and alert in self.seen:
            self.delays.append((clock.now - START).total_seconds() - self.seen[alert])
        else:
            self.edits += 1

    def _now(self) -> float:
        return (self.delivery.now - START).total_seconds()


def percentile(values: Sequence[float], part: float) -> float:
    """The value below which so many of them lie."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))] if values else 0.0


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        "python bench/load.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hours", type=float, default=2.0, help="how long it goes on, in virtual time")
    parser.add_argument("--a-day", type=int, default=1_000_000, help="articles a day, bursts not counted")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    load = Load(options.a_day, round(options.hours * 3_600), options.seed)
    load.run()
    print(f"{len(load.ages):,} articles in {options.hours:g} h ({options.a_day:,} a day, and bursts)")
    print(f"{len(load.table.rows):,} alerts wanted, {len(load.delays):,} posted, {load.edits:,} edits")
    for name, values in (("age of the queue", load.ages), ("article seen to alert posted", load.delays)):
        print(
            f"{name}: median {percentile(values, 0.5):.1f} s, p99 {percentile(values, 0.99):.1f} s, at worst {max(values, default=0):.1f} s"
        )
    worst: Counter[str] = Counter()
    for (key, _), units in load.table.units.items():
        worst[key] = max(worst[key], units)
    print(
        "busiest keys, units in their busiest second: "
        + ", ".join(f"{key} {units}" for key, units in worst.most_common(4))
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
