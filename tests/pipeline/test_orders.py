"""Whatever the order and the batches in which the seeds arrive, the channel ends up the same and nothing rings twice."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import permutations
from typing import Any

import pytest

from infra.replay import Options, replay
from tests.simulation.remembering import remembering
from tests.system import RULES, World, seed_articles, seeds
from tests.twins import Clock
from tocsin.article import Article
from tocsin.story import Story

BATCHES = range(1, 6)
ORDERS = list(permutations(range(5)))
DISPATCH = "002_"
"""The one seed that tells of a dispatch; the other four tell of its preparation."""
ALL_ON_MOTO = "TOCSIN_ALL_ORDERS"


@dataclass(frozen=True)
class Outcome:
    """What the seeds brought about in one order of arrival."""

    order: tuple[str, ...]
    stories: Mapping[str, Story]
    roots: Mapping[str, Any]
    """What each root message shows, without its ts."""
    alerts: tuple[str, ...]
    fates: tuple[str, ...]

    @property
    def expected_alerts(self) -> int:
        """A preparation that arrives after the dispatch is no news any more."""
        return 4 if self.order[0].startswith(DISPATCH) else 5


@cache
def outcomes(batch: int) -> list[Outcome]:
    """The outcomes of all 120 orders on the twins, in batches of this size."""
    articles = seed_articles()
    with remembering():
        return [on_twins([articles[index] for index in order], batch) for order in ORDERS]


def on_twins(articles: list[Article], batch: int) -> Outcome:
    """Runs the seeds through detector and deliverer on the twins."""
    world = World(Clock(min(article.published for article in articles if article.published)))
    for first in range(0, len(articles), batch):
        arriving = articles[first : first + batch]
        world.clock.now = max([world.clock.now, *(article.published for article in arriving if article.published)])
        assert world.arrive(*arriving) == []
        world.deliver()
    world.sweep()
    assert world.undelivered() == {}
    messages = [(one.message.metadata, one.message.text, one.message.blocks) for one in world.slack.standing]
    fates = tuple(record.fate for record in world.table.fates.values())
    return outcome(articles, world.table.stories.values(), messages, fates)


def on_moto(seed: int, batch: int) -> Outcome:
    """Runs the seeds through the real replay."""
    replayed = replay(seeds(), Options(RULES, shuffle=seed, batch=batch))
    messages = [(one.metadata["event_payload"], one.text, one.blocks) for one in replayed.messages]
    articles = [arrival.entry.article for arrival in replayed.arrivals if arrival.entry.article]
    return outcome(articles, replayed.stories, messages, tuple(arrival.fate.fate for arrival in replayed.arrivals))


def outcome(articles: Any, stories: Any, messages: list[tuple[Any, str, Any]], fates: tuple[str, ...]) -> Outcome:
    """An outcome, freed of what may differ: versions count writes, `alerted` is history."""
    return Outcome(
        tuple(article.id for article in articles),
        {story.id: replace(story, version=0, alerted=(), begun_by="", told=()) for story in stories},
        {
            told["alert"]: (text, tuple(blocks), told)
            for told, text, blocks in messages
            if told["reason"] == "first_report"
        },
        tuple(told["alert"] for told, _, _ in messages),
        fates,
    )


@cache
def seed_of(order: tuple[int, ...]) -> int:
    """The first `--shuffle` seed that makes the seeds arrive in this order of their order by date."""
    return next(seed for seed, shuffled in shuffles() if shuffled == order)


def shuffles() -> Iterator[tuple[int, tuple[int, ...]]]:
    """Each seed with the order it makes."""
    for seed in range(10_000):
        order = list(range(5))
        random.Random(seed).shuffle(order)
        yield seed, tuple(order)


@pytest.mark.parametrize("batch", BATCHES)
def test_every_order_ends_in_the_same_stories(batch: int) -> None:
    """All 120 orders end in the same stories, whatever the batches."""
    reference = outcomes(1)[0].stories
    assert sum(story.posted for story in reference.values()) == 4
    assert all(one.stories == reference for one in outcomes(batch))


@pytest.mark.parametrize("batch", BATCHES)
def test_every_order_ends_in_the_same_root_messages(batch: int) -> None:
    """All 120 orders end in root messages that are equal to the byte, their ts apart."""
    reference = outcomes(1)[0].roots
    assert len(reference) == 4
    assert all(one.roots == reference for one in outcomes(batch))


@pytest.mark.parametrize("batch", BATCHES)
def test_no_order_rings_twice_for_one_development(batch: int) -> None:
    """No alert is posted twice, and no story is begun twice, in any order."""
    for one in outcomes(batch):
        assert max(Counter(one.alerts).values()) == 1
        assert sorted(alert for alert in one.alerts if alert.endswith("/first_report")) == sorted(one.roots)


@pytest.mark.parametrize("batch", BATCHES)
def test_five_alerts_or_four_when_the_dispatch_comes_first(batch: int) -> None:
    """Five alerts are posted, or four when the dispatch arrives before every report of its preparation."""
    assert [len(one.alerts) for one in outcomes(batch)] == [one.expected_alerts for one in outcomes(batch)]


@pytest.mark.parametrize("batch", BATCHES)
def test_every_article_has_one_fate(batch: int) -> None:
    """Five articles in are five fates out, and each of them is told."""
    assert {len(one.fates) for one in outcomes(batch)} == {5}
    assert {fate for one in outcomes(batch) for fate in one.fates} <= {"alerted", "updated", "corroborated"}


@pytest.mark.parametrize("index", range(0, 120, 40))
def test_the_real_replay_ends_as_the_twins_do(index: int) -> None:
    """On moto, with the deployed handlers and Slack over HTTP, an order ends as it does on the twins."""
    check_on_moto(index, 1 + index // 20)


@pytest.mark.skipif(ALL_ON_MOTO not in os.environ, reason=f"takes ten minutes: {ALL_ON_MOTO}=1 runs all orders on moto")
@pytest.mark.parametrize("batch", BATCHES)
def test_every_order_on_moto(batch: int) -> None:
    """All 120 orders in batches of one to five end on moto as on the twins."""
    for index in range(len(ORDERS)):
        check_on_moto(index, batch)


def check_on_moto(index: int, batch: int) -> None:
    """One order on moto against the twins."""
    found, reference = on_moto(seed_of(ORDERS[index]), batch), outcomes(1)[0]
    assert found.stories == reference.stories
    assert found.roots == reference.roots
    assert len(found.alerts) == len(set(found.alerts)) == found.expected_alerts
    assert len(found.fates) == 5
