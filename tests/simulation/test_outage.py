"""Slack takes about one message a second, and is sometimes away: every alert comes, once, in order."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest

from tests.simulation.scenes import Drop
from tests.simulation.search import singles
from tests.simulation.verdict import judged
from tests.simulation.world import START, World, deployed, simulated
from tocsin.errors import Rejected, Throttled, Unknown

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
    world = World(arrivals=[[PREPARES]], roots=0)
    world.slack.weather = weather(world)
    simulated(world)
    posted = [float(one.ts) for one in world.slack.messages]
    assert len({one.alert for one in world.slack.standing}) == len(posted) == 100
    assert posted[-1] - posted[0] <= 130
    assert all(later - earlier >= 0.999 for earlier, later in pairwise(posted))


def test_a_burst_above_the_budget_is_listed_in_one_message() -> None:
    """Of a hundred alerts that come at once the budget are messages, and all the others stand in one list: none is lost."""
    world = World(arrivals=[[PREPARES]])
    world.slack.weather = weather(world)
    simulated(world)
    kinds = Counter(str(one.message.metadata["reason"]) for one in world.slack.messages)
    assert kinds == {"first_report": world.roots, "burst": 1}
    (told,) = (one.message for one in world.slack.standing if one.message.metadata["reason"] == "burst")
    assert f"{100 - world.roots} more" in told.text
    assert Counter(row.status for row in world.table.rows.values()) == {
        "delivered": world.roots + 1,
        "rolled": 100 - world.roots,
    }
    assert (world.broken, world.stuck) == ([], False)


SOME = told("{who} is preparing to send more troops to {where}, officials said.", 5)


def test_no_single_fault_breaks_a_list() -> None:
    """Whatever fails while a list is made, each story has a message of its own or a line in the one list, and no other."""
    undisturbed = simulated(World(arrivals=[[SOME]], roots=2))
    for schedule in random.Random(7).sample(list(singles(undisturbed.kinds)), 150):
        world = simulated(World(schedule, arrivals=[[SOME]], roots=2))
        shown = Counter(one.alert for one in world.slack.standing)
        listed = {alert for alert, row in world.table.rows.items() if row.status == "rolled"}
        (burst,) = {row.rolled_into for row in world.table.rows.values() if row.rolled_into}
        assert {alert: count for alert, count in shown.items() if count > 1} == {}, schedule
        assert shown.keys() == world.table.rows.keys() - listed, schedule
        assert (len(world.table.rows), len(listed), world.broken, world.stuck) == (6, 3, [], False), schedule
        (told,) = (one.message.text for one in world.slack.standing if one.alert == burst)
        assert "3 more" in told, schedule


def refusing(world: World, until: float) -> World:
    """A world whose Slack takes the token only after so many seconds."""

    def met(_method: str) -> None:
        if world.now < START + until:
            raise Rejected("auth", "token_revoked")

    world.slack.weather = met
    return world


def test_no_single_fault_breaks_a_promise_while_the_token_is_refused() -> None:
    """Whatever fails while Slack refuses the token and when it takes it again, each alert comes once."""
    kinds = simulated(refusing(World(), 20 * 60)).kinds
    for schedule in random.Random(7).sample(list(singles(kinds)), 40):
        verdict = judged(refusing(World(schedule), 20 * 60))
        assert not verdict.broken, str(verdict)


def test_after_six_hours_without_slack_every_alert_comes_once_in_order() -> None:
    """What piles up while Slack is away comes when it is back: each alert once, roots before replies, within the rate."""
    world = World(arrivals=[[], [PREPARES], [SENT]], patience=24 * HOUR, roots=0)
    world.slack.weather = weather(world, AWAY)
    simulated(world)
    posted = [float(one.ts) for one in world.slack.messages]
    copies = Counter(one.alert for one in world.slack.messages)
    assert (len(copies), max(copies.values()), world.broken, world.stuck) == (120, 1, [], False)
    assert {row.status for row in world.table.rows.values()} == {"delivered"}
    assert posted[0] >= START + AWAY[1]
    assert all(later - earlier >= 0.999 for earlier, later in pairwise(posted))
    assert posted[-1] - posted[0] <= 150
