from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.hostile import mutated, upstream
from tests.hostile.feeds import GROUPS, MOST_MEGABYTES, MOST_SECONDS, Hostile, feeds, measured, outcome

TRIES = 4
LARGE = 300_000
"""Bytes: what is larger is read by `make hostile` alone."""


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: str(group.__name__))
def test_hostile_feeds_meet_their_fate(group: Callable[[], Iterator[Hostile]]) -> None:
    """Each is read, or refused with an error that names the cause; never anything else."""
    made = ((hostile, hostile.make()) for hostile in group() if "slow" not in hostile.fate)
    wrong = {hostile.name: _settled(hostile, body) for hostile, body in made if len(body) <= LARGE}
    assert {name: what for name, what in wrong.items() if what} == {}


def _settled(hostile: Hostile, body: bytes) -> str:
    """What is wrong with its outcome; one that ran into the clock, on a machine with much else to do, is tried again."""
    what = outcome(hostile, body)
    tries = 1
    while "too-slow" in what and tries < TRIES:
        what = outcome(hostile, body)
        tries += 1
    return what


def test_there_are_enough_of_them() -> None:
    """No fewer than promised, and no two of one name."""
    names = [hostile.name for hostile in feeds()]
    assert len(names) == len(set(names)) >= 140


@pytest.mark.parametrize("name", ["gzip of 100,000,000 spaces", "keywords in one element"])
def test_the_worst_stay_within_their_bounds(name: str) -> None:
    """A bomb, and a list that takes the square of its length: seconds and megabytes, not minutes and gigabytes."""
    (hostile,) = (hostile for hostile in feeds() if hostile.name == name)
    cost = measured(hostile)
    assert cost.wrong == ""
    assert cost.processor <= MOST_SECONDS
    assert cost.megabytes <= MOST_MEGABYTES


def test_mutated_feeds_raise_nothing_else() -> None:
    """Feeds changed at random are read or refused; `make hostile` tries 80,000 of them."""
    counts = mutated.run(600, seed=1)
    assert counts["read"] + counts["faults"] == 600
    assert counts["uncaught"] == 0


def test_feedparsers_own_files_lose_nothing() -> None:
    """On a quarter of feedparser's own test files nothing is raised, no entry lost or added, no expectation missed; `make hostile` reads all."""
    try:
        tally = upstream.examine(every=4)
    except upstream.Unreachable as error:
        pytest.skip(str(error))
    assert tally.files > 500
    assert (tally.uncaught, tally.lost, tally.added, tally.missed) == ([], [], [], [])
    assert tally.expected > 20
