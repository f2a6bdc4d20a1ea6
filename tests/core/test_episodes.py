"""Episodes: which reports of one identity are one story, whatever the order in which they come."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.core.values import NOON, QUIET, policy, report, signal
from tocsin.decide import Decision, decide
from tocsin.message import root
from tocsin.signal import STAGES, Stage, rank
from tocsin.story import Report, Story

KEY = "landing/borduria/syldavia"


@dataclass(frozen=True)
class Told:
    """An article: its name, what it tells, and the day it was published."""

    name: str
    stage: Stage
    day: int
    outlet: str
    denied: bool = False

    @property
    def report(self) -> Report:
        """What it contributes."""
        return report(self.name, self.stage, self.day, source=self.outlet, flags=("denied",) if self.denied else ())


@dataclass
class Desk:
    """Stories as they are remembered, and every decision."""

    stories: dict[str, Story] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)

    def hears(self, one: Told) -> Decision:
        """An article arrives."""
        heard = signal(one.stage, flags=("denied",) if one.denied else ())
        decision = decide(heard, one.report, policy(), list(self.stories.values()), (), NOON, None)
        self.stories |= {story.id: story for story in decision.changed}
        self.decisions.append(decision)
        return decision

    @property
    def live(self) -> list[Story]:
        """The stories in order of time, freed of what is history."""
        standing = [story for story in self.stories.values() if not story.merged]
        bare = [replace(one, id=one.name, alerted=(), told=(), version=0) for one in standing]
        return sorted(bare, key=lambda one: one.episode)

    @property
    def alerts(self) -> list[str]:
        """The alerts raised."""
        return [decision.alert for decision in self.decisions if decision.alert]


def heard(*articles: Told) -> Desk:
    """A desk that has heard these, in this order."""
    desk = Desk()
    for one in articles:
        desk.hears(one)
    return desk


ARTICLES = some.lists(
    some.builds(
        Told,
        name=some.sampled_from([f"a{number}" for number in range(9)]),
        stage=some.sampled_from(STAGES),
        day=some.integers(0, 300),
        outlet=some.sampled_from(["One", "Two", "Three"]),
        denied=some.sampled_from([False, False, False, True]),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda one: one.name,
)
"""Articles over 300 days: with 60 days of quiet one to five episodes, and late ones that bridge two."""


@given(ARTICLES, some.randoms())
def test_any_order_ends_in_the_same_episodes(articles: list[Told], chance: random.Random) -> None:
    """Late articles, those that bridge two episodes included, end in the stories and root messages of any other order."""
    desk, other = heard(*articles), heard(*chance.sample(articles, len(articles)))
    assert desk.live == other.live
    assert [root(one, policy()) for one in desk.live] == [root(one, policy()) for one in other.live]


@given(ARTICLES)
def test_episodes_are_chains_of_reports(articles: list[Told]) -> None:
    """Two episodes are always further apart than the quiet that ends one, and numbered in order of time."""
    live = heard(*articles).live
    assert [story.episode for story in live] == list(range(1, len(live) + 1))
    days = sorted(one.day for one in articles)
    gaps = sum(later - earlier > QUIET.days for earlier, later in pairwise(days))
    assert len(live) == gaps + 1
    assert sum(story.articles for story in live) == sum(not one.denied for one in articles)


@given(ARTICLES, some.randoms())
def test_no_stage_of_a_story_rings_twice(articles: list[Told], chance: random.Random) -> None:
    """In any order each alert of a story tells a higher stage than the last, or its one denial."""
    desk = heard(*chance.sample(articles, len(articles)))
    assert len(set(desk.alerts)) == len(desk.alerts)
    for story in desk.stories.values():
        mine = [one for one in desk.decisions if one.alert and one.alert.startswith(f"{story.id}/")]
        assert sum(one.reason == "disputed" for one in mine) <= 1
        told = [rank(one.story.stage) for one in mine if one.story and one.reason != "disputed"]
        assert told == sorted(set(told))


@given(ARTICLES, some.randoms())
def test_no_order_rings_more_often_than_the_order_of_publication(articles: list[Told], chance: random.Random) -> None:
    """Where articles tell the stages of one episode as they come about, no order of arrival makes more alerts than that."""
    stages = sorted((one.stage for one in articles), key=rank)
    days = sorted(one.day % QUIET.days for one in articles)
    rising = [
        replace(one, stage=stage, day=day, denied=False) for one, stage, day in zip(articles, stages, days, strict=True)
    ]
    desk = heard(*chance.sample(rising, len(rising)))
    assert len(desk.alerts) <= len(heard(*rising).alerts)


FIRST, LAST = Told("first", "preparing", 0, "One"), Told("last", "done", 100, "Two")
BRIDGE = Told("bridge", "preparing", 50, "Three")


@pytest.mark.parametrize("order", list(permutations([FIRST, LAST, BRIDGE])))
def test_a_report_that_bridges_two_episodes_makes_them_one(order: tuple[Told, ...]) -> None:
    """Day 0, day 50 and day 100 are one story with quiet of 60 days, though day 0 and day 100 alone are two."""
    (story,) = heard(*order).live
    assert (story.name, story.articles, story.stage, story.previous) == (f"{KEY}#1", 3, "done", "")


def test_the_message_of_the_first_episode_goes_on() -> None:
    """When two posted stories turn out to be one, the earlier keeps its message and the other says where it went."""
    desk = heard(FIRST, LAST)
    decision = desk.hears(BRIDGE)
    assert decision.story
    assert (decision.reason, decision.story.id) == ("corroborated", f"{KEY}#1")
    assert f"{KEY}#1 and {KEY}#2 are one development" in decision.detail
    assert [(one.id, one.merged) for one in decision.others] == [(f"{KEY}#2", f"{KEY}#1")]
    assert decision.story.alerted == (f"{KEY}#1/first_report", f"{KEY}#2/first_report")


def test_a_late_episode_takes_its_place_in_time() -> None:
    """An episode told late is named by its place in time, and the later one links it, though its alert came first."""
    desk = heard(LAST)
    decision = desk.hears(replace(FIRST, day=-20))
    assert decision.reason == "first_report"
    assert [(story.name, story.previous) for story in desk.live] == [(f"{KEY}#1", ""), (f"{KEY}#2", f"{KEY}#1")]
    assert sorted(desk.alerts) == [f"{KEY}#1/first_report", f"{KEY}#2/first_report"]


def test_what_a_decision_relies_on() -> None:
    """A report that joins an episode relies on its neighbours as they were; one that begins an episode makes itself known to all others."""
    desk = heard(FIRST, replace(LAST, day=200))
    joins, begins = desk.hears(replace(BRIDGE, day=20)), desk.hears(Told("new", "done", 400, "Four"))
    assert (joins.relied, joins.beside) == (((f"{KEY}#2", 0),), ())
    assert (begins.relied, begins.beside) == ((), ((f"{KEY}#1", 0), (f"{KEY}#2", 0)))
