"""A scripted year: forty stories whose alerts are known beforehand."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from tests.system import World
from tests.twins import Clock, Shown
from tests.year import STORIES, Arrival, year

SEEDS = [1, 2, 3]


@cache
def ran(seed: int) -> World:
    """The year, arrived article by article, delivered as it went."""
    world = World(Clock(year(seed)[0].at))
    for arrival in year(seed):
        world.clock.now = max(world.clock.now, arrival.at)
        assert world.arrive(arrival.article) == []
        world.deliver()
    world.sweep(5)
    assert world.undelivered() == {}
    return world


def raised(shown: Shown) -> tuple[str, str]:
    """The identity and the reason of an alert."""
    return shown.alert.partition("#")[0], str(shown.message.metadata["reason"])


def wanted(arrivals: list[Arrival]) -> Counter[tuple[str, str]]:
    """The alerts that must come, by identity and reason."""
    return Counter((one.story, one.raises) for one in arrivals if one.raises)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_year_of_forty_stories(seed: int) -> None:
    """Of the alerts of a year none is missing and none is extra."""
    found, truth = Counter(map(raised, ran(seed).slack.standing)), wanted(year(seed))
    assert (truth - found, found - truth) == (Counter(), Counter())
    assert len({story for story, _ in truth}) == STORIES
    assert {reason for _, reason in truth} == {"first_report", "stage_up", "disputed", "material_change", "corrected"}


@pytest.mark.parametrize("seed", SEEDS)
def test_every_article_of_the_year_has_a_fate(seed: int) -> None:
    """Each article of the year, whatever became of it, has a fate with a reason."""
    world = ran(seed)
    for arrival in year(seed):
        assert world.table.fates[arrival.article.id].reason


@pytest.mark.parametrize("seed", SEEDS)
def test_copies_of_the_year_are_no_sources(seed: int) -> None:
    """Reprints, reposts and agency copy are counted as outlets, not as sources of their own."""
    for story in ran(seed).table.stories.values():
        if story.episode == 1:
            assert ("AP", 3) in story.copies
            assert "Reprint Daily" in story.outlets
            assert story.independent <= len(story.outlets) - 3
