"""Which schedules are run, on all cores, and what came of them."""

from __future__ import annotations

import multiprocessing
import os
import random
import sys
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial

from tests.simulation.faults import MODES, Fault, Schedule
from tests.simulation.verdict import Verdict, judged
from tests.simulation.world import Variant, World, deployed, simulated

DELAYS = (20, 100)
"""Seconds after which a late call to Slack takes effect."""
CHUNK = 200
"""Random schedules that are drawn and run together."""
MOST_FAULTS = 6
REPLAYS = 4
"""Of the pairs, those whose second call's number this divides are replayed in the end; of the others, every one."""
KEPT = 20
"""Broken schedules that are shown."""


@dataclass
class Tally:
    """What came of many schedules."""

    schedules: int = 0
    lost: int = 0
    duplicates: int = 0
    stuck: int = 0
    redriven: int = 0
    """Runs in which something lay among the dead letters until it was redriven."""
    broken: list[Verdict] = field(default_factory=list)

    def add(self, verdict: Verdict) -> None:
        """Counts one run."""
        self.schedules += 1
        self.lost += verdict.broke("lost")
        self.duplicates += verdict.broke("duplicate")
        self.stuck += verdict.broke("stuck")
        self.redriven += verdict.redriven
        if verdict.broken and len(self.broken) < KEPT:
            self.broken.append(verdict)

    def merge(self, other: Tally) -> None:
        """Counts what another core ran."""
        self.schedules += other.schedules
        self.lost += other.lost
        self.duplicates += other.duplicates
        self.stuck += other.stuck
        self.redriven += other.redriven
        self.broken = [*self.broken, *other.broken][:KEPT]

    @property
    def holds(self) -> bool:
        """Whether every promise held in every run."""
        return not (self.lost or self.duplicates or self.stuck)

    def told(self) -> Iterator[str]:
        """What broke a promise, how often an operator was needed, and the counts."""
        yield from map(str, self.broken)
        if self.redriven:
            yield f"redriven {self.redriven}: something was given up after five receives, and `tocsin redrive` brought it back"
        yield str(self)

    def __str__(self) -> str:
        return f"schedules {self.schedules}, lost {self.lost}, duplicates {self.duplicates}, stuck {self.stuck}"


def singles(kinds: Sequence[str]) -> Iterator[Schedule]:
    """Every fault at every one of these calls; a late one at every delay."""
    for at, kind in enumerate(kinds, 1):
        for mode in MODES[kind]:
            for delay in DELAYS if mode == "late" else DELAYS[-1:]:
                yield Schedule((Fault(at, mode),), delay)


def undisturbed(variant: Variant) -> Sequence[str]:
    """The calls that are made when nothing fails."""
    return _undisturbed(variant, DELAYS[-1]).kinds


def every_single(variant: Variant) -> list[Unit]:
    """Every single fault, one unit for each call."""
    schedules = list(singles(undisturbed(variant)))
    return [partial(_run, variant, schedules[first : first + 10]) for first in range(0, len(schedules), 10)]


def every_pair(variant: Variant) -> list[Unit]:
    """Every pair of faults, one unit for each first fault.

    Only a late call takes note of the delay, so a pair without one is the same at every delay and is run once.
    """
    kinds = undisturbed(variant)
    firsts = [Fault(at, mode) for at, kind in enumerate(kinds, 1) for mode in MODES[kind]]
    units: list[Unit] = [partial(_pairs, variant, first, delay) for first in firsts for delay in DELAYS]
    random.Random(0).shuffle(units)  # so that what is done tells how long the rest takes
    return units


def at_random(variant: Variant, count: int, seed: int) -> list[Unit]:
    """So many schedules of three and more faults, drawn from this seed."""
    calls = len(undisturbed(variant))
    chunks = range(0, count, CHUNK)
    return [partial(_random, variant, range(first, min(first + CHUNK, count)), seed, calls) for first in chunks]


def sample_of_pairs(variant: Variant, count: int, seed: int) -> list[Unit]:
    """So many pairs, drawn from this seed."""
    calls = len(undisturbed(variant))
    return [partial(_random, variant, range(count), seed, calls, 2)]


Unit = Callable[[], Tally]


def _run(variant: Variant, schedules: Iterable[Schedule]) -> Tally:
    tally = Tally()
    for schedule in schedules:
        tally.add(judged(_undisturbed(variant, schedule.delay).spoilt(*schedule.faults)))
    return tally


@cache
def _undisturbed(variant: Variant, delay: int) -> Course:
    return Course(World(Schedule((), delay), variant))


def _pairs(variant: Variant, first: Fault, delay: int) -> Tally:
    tally = Tally()
    alone = Course(World(Schedule((first,), delay), variant), first.at)
    for at in range(first.at + 1, len(alone.kinds) + 1):
        for mode in MODES[alone.kinds[at - 1]]:
            if delay == DELAYS[-1] or "late" in {first.mode, mode}:
                tally.add(judged(alone.spoilt(Fault(at, mode)), replays=at % REPLAYS == 0))
    return tally


class Course:
    """One run, copied whenever no function was running: runs that differ only later need not begin at the beginning."""

    def __init__(self, world: World, after: int = 0) -> None:
        self._after, self.delay = after, world.schedule.delay
        self._copies: list[World] = [world.copied()]
        world.between = self._copy
        simulated(world)
        self.kinds = world.kinds
        self._calls = [len(one.kinds) for one in self._copies]

    def _copy(self, world: World) -> None:
        if len(world.kinds) >= self._after:
            self._copies.append(world.copied())

    def spoilt(self, *faults: Fault, chosen: Mapping[int, float] | None = None) -> World:
        """The run with one fault more, to be continued."""
        first = min([fault.at for fault in faults] + list(chosen or ()))
        world = self._copies[bisect_left(self._calls, first) - 1 if first > 0 else 0].copied(*faults)
        world.chosen |= chosen or {}
        return world


def _random(variant: Variant, numbers: Iterable[int], seed: int, calls: int, faults: int = 0) -> Tally:
    tally = Tally()
    for number in numbers:
        chance = random.Random(f"{seed}/{number}")
        count = faults or chance.randint(3, MOST_FAULTS)
        chosen = {at: chance.random() for at in chance.sample(range(1, calls + 1), count)}
        tally.add(judged(_undisturbed(variant, chance.choice(DELAYS)).spoilt(chosen=chosen)))
    return tally


_units: list[Unit] = []


def _unit(number: int) -> Tally:
    return _units[number]()


def searched(
    units: Sequence[Unit], progress: Callable[[int, int, Tally], None] | None = None, cores: int | None = None
) -> Tally:
    """Runs the units on all cores; `progress` is told how many of them are done."""
    tally, cores = Tally(), cores or os.cpu_count() or 1
    with deployed():
        for done, part in enumerate(_parts(units, cores), 1):
            tally.merge(part)
            if progress:
                progress(done, len(units), tally)
    return tally


def _parts(units: Sequence[Unit], cores: int) -> Iterator[Tally]:
    if cores == 1:
        yield from (unit() for unit in units)
        return
    _units[:] = units  # which the forked processes find where they are
    with multiprocessing.get_context("fork").Pool(cores) as pool:
        yield from pool.imap_unordered(_unit, range(len(units)))


@dataclass
class Progress:
    """Tells, now and then, how fast it goes and how long it takes."""

    every: float = 15.0
    began: float = field(default_factory=time.monotonic)
    told: float = field(default_factory=time.monotonic)

    def __call__(self, done: int, units: int, tally: Tally) -> None:
        """One more unit is done."""
        now = time.monotonic()
        if now - self.told < self.every:
            return
        self.told = now
        spent = now - self.began
        left = spent / done * (units - done)
        rate = tally.schedules / spent
        print(
            f"{done * 100 // units:3} %  {tally}  {rate:,.0f} schedules/s, {left / 60:.0f} min left",
            file=sys.stderr,
            flush=True,
        )
