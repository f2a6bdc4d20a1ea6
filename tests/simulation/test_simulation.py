"""Whatever fails in the whole pipeline, wherever and how, nothing is lost, repeated or left; and the search would notice."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from importlib.util import find_spec
from itertools import islice

import pytest

from tests.simulation.__main__ import main
from tests.simulation.faults import MODES, Fault, Schedule
from tests.simulation.scenes import SCENES
from tests.simulation.search import Course, at_random, every_single, sample_of_pairs, searched, singles, undisturbed
from tests.simulation.variants import BASELINES, MUTANTS
from tests.simulation.verdict import judged
from tests.simulation.world import Port, Variant, World, deployed, simulated
from tocsin.ports import Commit

PAIRS, MORE = 150, 80


@pytest.fixture(autouse=True)
def simulated_deployment() -> Iterator[None]:
    """The handlers run on the world under simulation."""
    with deployed():
        yield


@pytest.mark.parametrize(("scene", "least"), [("seeds", 700), ("channels", 450), ("desk", 500), ("batch", 400)])
def test_no_single_fault_breaks_a_promise(scene: str, least: int) -> None:
    """Every call of the run fails once in every way it can, and no alert or deed is lost, repeated or left."""
    tally = searched(every_single(Variant(scene=SCENES[scene])), cores=1)
    assert tally.holds, [str(verdict) for verdict in tally.broken]
    assert tally.schedules >= least
    assert tally.redriven == 0


@pytest.mark.parametrize("scene", SCENES)
def test_a_sample_of_more_faults_breaks_no_promise(scene: str) -> None:
    """Nor do two faults together, nor more: a sample, of which `make simulate-all` runs the whole."""
    variant = Variant(scene=SCENES[scene])
    tally = searched([*sample_of_pairs(variant, PAIRS, 7), *at_random(variant, MORE, 7)], cores=1)
    assert tally.holds, [str(verdict) for verdict in tally.broken]
    assert tally.schedules == PAIRS + MORE


@pytest.mark.parametrize("variant", MUTANTS, ids=lambda variant: variant.name)
def test_a_mutant_is_caught(variant: Variant) -> None:
    """Without one of the things it needs the system breaks a promise under some single fault, or under those that are known to show it."""
    if shown := SHOWN.get(variant.name):
        assert judged(World(Schedule.parse(shown), variant)).broken
        assert not judged(World(Schedule.parse(shown), Variant())).broken
    else:
        assert caught(variant)


SHOWN = {"release-by-anyone": "delay=20 50:crash-before 68:error-after 122:pause 137:pause 175:pause"}
"""Faults that show a mutant no single fault does; `python -m tests.simulation --variant NAME --random 6000` finds others."""


@pytest.mark.parametrize("variant", BASELINES, ids=lambda variant: variant.name)
def test_other_ways_to_deliver_are_caught(variant: Variant) -> None:
    """Ways to deliver that others use lose or repeat alerts under some single fault."""
    if variant.library and not find_spec(variant.library):
        pytest.skip(f"{variant.library} is not installed; it is in the dependency group `bench`")
    assert caught(variant)


def caught(variant: Variant) -> bool:
    """Whether some single fault breaks a promise of a system; tried in any order, to be quick."""
    schedules = list(singles(undisturbed(variant)))
    random.Random(0).shuffle(schedules)
    course = Course(World(Schedule(()), variant))
    return any(judged(course.spoilt(*one.faults)).broken for one in schedules if one.delay == course.delay)


def test_a_schedule_is_read_back() -> None:
    """What is printed of a broken schedule is what replays it."""
    schedule = Schedule((Fault(3, "crash-after"), Fault(40, "late")), 20)
    assert Schedule.parse(str(schedule)) == schedule
    assert Schedule.parse("40:late  3:crash-after delay=20") == schedule
    with pytest.raises(ValueError, match="the modes are"):
        Schedule.parse("3:crash-now")


class Ill(Port):
    """A table that fails whenever one article is to be written, until it did so five times."""

    tries = 5

    def commit(self, commit: Commit, now: datetime) -> None:
        """See `Table.commit`."""
        world: World = self._call.__self__  # type: ignore[attr-defined]  # whose method it is
        if commit.fate and commit.fate.article.startswith("002") and self.tries:
            self.tries -= 1
            world.faults[len(world.kinds) + 1] = "error-before"
        self._call("table.commit", partial(self._target.commit, commit, now))


def test_what_was_given_up_is_back_after_a_redrive() -> None:
    """An article that met five faults lies among the dead letters, holds up nobody, and `tocsin redrive` brings it back whole."""
    world = simulated(World(variant=Variant(port=Ill)))
    assert [one[:11] for one in world.given_up] == ["article 002"]
    assert {row.status for row in world.table.rows.values()} == {"delivered"}
    verdict = judged(World(variant=Variant(port=Ill)))
    assert (verdict.broken, verdict.redriven) == ((), True)
    assert judged(World(verdict.schedule)) == verdict


def test_a_run_is_the_same_every_time() -> None:
    """The same schedule makes the same calls and ends alike, from the beginning or continued from a copy."""
    course = Course(World())
    for number in range(20):
        chance = random.Random(number)
        at = chance.randrange(1, len(course.kinds) + 1)
        fault = Fault(at, chance.choice(MODES[course.kinds[at - 1]]))
        whole, continued = World(Schedule((fault,))), course.spoilt(fault)
        assert judged(whole) == judged(continued)
        assert whole.kinds == continued.kinds
        assert whole.table.rows == continued.table.rows


def test_schedules_drawn_alike_print_alike() -> None:
    """A schedule that was drawn prints as the faults it met, which break the same promises."""
    variant = next(one for one in MUTANTS if one.name == "no-reconcile")
    tally = searched(at_random(variant, 100, 1), cores=1)
    assert tally.broken
    for verdict in islice(tally.broken, 5):
        assert judged(World(verdict.schedule, variant)) == verdict


@pytest.mark.parametrize(
    ("given", "code", "last"),
    [
        (["--schedule", "{post}:late delay=20"], 0, "schedules 1, lost 0, duplicates 0, stuck 0"),
        (["--schedule", "{post}:reset", "--variant", "sdk-retry"], 1, "schedules 1, lost 0, duplicates 1, stuck 0"),
        (["--random", "30", "--cores", "1"], 0, "schedules 30, lost 0, duplicates 0, stuck 0"),
    ],
)
def test_the_last_line_says_it_all(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], given: list[str], code: int, last: str
) -> None:
    """The command closes with one line of counts, and its exit code says whether all of them are nought."""
    first = late_posts()[0]
    monkeypatch.setattr("sys.argv", ["simulation", *(one.format(post=first) for one in given)])
    assert main() == code
    assert capsys.readouterr().out.splitlines()[-1] == last


def late_posts() -> list[int]:
    """The numbers of the calls that post."""
    return [at for at, kind in enumerate(undisturbed(Variant()), 1) if kind == "slack.post"]


def test_beyond_the_bound_an_extra_copy_is_removed() -> None:
    """A post that turns up after it was given up makes one copy too many, until the auditor removes it."""
    for at in late_posts():
        world = World(Schedule((Fault(at, "late"),), delay=400))
        broken = judged(world).broken
        assert [count for count, _ in broken] == ["duplicate"]
        assert "stands twice" in broken[0][1]
        assert len(world.slack.standing) == len(world.slack.messages) - 1


def test_far_beyond_the_bound_too() -> None:
    """The auditor looks once more, an hour after the post."""
    for at in late_posts():
        world = World(Schedule((Fault(at, "late"),), delay=3_000))
        judged(world)
        assert len(world.slack.standing) == len(world.slack.messages) - 1
        assert not any(row.doubted_at or row.due_at for row in world.table.rows.values())
