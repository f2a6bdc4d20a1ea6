"""Slack takes about one message a second, and is sometimes away: every alert comes, once, in order."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest

from tests.simulation.world import START, Drop, World, deployed, simulated
from tocsin.errors import Throttled, Unknown

ACTORS = ("Turkey", "France", "India", "Iran", "Egypt", "Poland", "Germany", "Japan", "Italy", "Spain")
THEATRES = ("Libya", "Chad", "Niger", "Somalia", "Lebanon", "Mali", "Syria", "Iraq", "Yemen", "Sudan")
HOUR = 3_600.0
TIMEOUT = 10.0
"""Seconds after which a call is given up."""
AWAY = 10.0, 6 * HOUR
"""From when till when nobody answers, in seconds after the start."""


@pytest.fixture(autouse=True)
def simulated_deployment() -> Iterator[None]:
    """The handlers run on the world under simulation."""
    with deployed():
        yield


def told(sentence: str, stories: int) -> Drop:
    """A file in which so many stories are told."""
    pairs = [(who, where) for who in ACTORS for where in THEATRES][:stories]
    rows = [
        {"id": f"{sentence[6:9]}-{who}-{where}", "text": sentence.format(who=who, where=where), "source": "Wire"}
        for who, where in pairs
    ]
    return Drop(f"inbox/{sentence[6:9]}.json", json.dumps(rows).encode())


PREPARES = told("{who} is preparing to send more troops to {where}, officials said.", 100)
SENT = told("{who} has sent more troops to {where}, officials said on Saturday.", 20)


def weather(world: World, away: tuple[float, float] = (0, 0)) -> Callable[[str], None]:
    """One message a second for the channel, and sometimes no answer at all."""
    free = [0.0]

    def met(method: str) -> None:
        if START + away[0] <= world.now < START + away[1]:
            world.wait(TIMEOUT)
            raise Unknown("timeout")
        if method in {"post", "update"}:
            if world.now < free[0]:
                raise Throttled(math.ceil(free[0] - world.now))
            free[0] = world.now + 1

    return met


def test_a_burst_drains_as_fast_as_slack_takes_it() -> None:
    """A hundred alerts that come at once are in the channel within 130 seconds, each once, a second apart."""
    world = World(arrivals=[[PREPARES]])
    world.slack.weather = weather(world)
    simulated(world)
    posted = [float(one.ts) for one in world.slack.messages]
    assert len({one.alert for one in world.slack.standing}) == len(posted) == 100
    assert posted[-1] - posted[0] <= 130
    assert all(later - earlier >= 0.999 for earlier, later in pairwise(posted))


def test_after_six_hours_without_slack_every_alert_comes_once_in_order() -> None:
    """What piles up while Slack is away comes when it is back: each alert once, roots before replies, within the rate."""
    world = World(arrivals=[[], [PREPARES], [SENT]], patience=24 * HOUR)
    world.slack.weather = weather(world, AWAY)
    simulated(world)
    posted = [float(one.ts) for one in world.slack.messages]
    copies = Counter(one.alert for one in world.slack.messages)
    assert (len(copies), max(copies.values()), world.broken, world.stuck) == (120, 1, [], False)
    assert {row.status for row in world.table.rows.values()} == {"delivered"}
    assert posted[0] >= START + AWAY[1]
    assert all(later - earlier >= 0.999 for earlier, later in pairwise(posted))
    assert posted[-1] - posted[0] <= 225 + 130
