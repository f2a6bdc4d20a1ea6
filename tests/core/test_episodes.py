"""Episodes: which reports of one identity are one story, whatever the order in which they come."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tests.core.values import DAY, NOON, QUIET, policy, report, signal, words
from tocsin.decide import Decision, decide
from tocsin.message import root
from tocsin.policy import Policy
from tocsin.signal import STAGES, Figure, Stage, rank
from tocsin.story import Report, Story

KEY = "landing/borduria/syldavia"


@dataclass(frozen=True)
class Told:
    """An article: its name, what it tells, and the day it was published."""

    name: str
    stage: Stage
    day: int
    outlet: str = "One"
    denied: bool = False
    men: int = 0
    copied: str = ""
    """Whose text it is, if not its own."""

    @property
    def report(self) -> Report:
        """What it contributes."""
        return report(
            self.name,
            self.stage,
            self.day,
            source=self.outlet,
            flags=("denied",) if self.denied else (),
            figures=(Figure(f"{self.men:,}", self.men, "count", "men"),) if self.men else (),
            text=words(self.copied or self.name),
        )


@dataclass
class Desk:
    """Stories as they are remembered, and every decision."""

    policy: Policy = field(default_factory=policy)
    stories: dict[str, Story] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)

    def hears(self, one: Told) -> Decision:
        """An article arrives."""
        heard = signal(one.stage, flags=("denied",) if one.denied else ())
        decision = decide(heard, one.report, self.policy, list(self.stories.values()), (), NOON, None)
        self.stories |= {story.id: story for story in decision.changed}
        self.decisions.append(decision)
        return decision

    @property
    def live(self) -> list[Story]:
        """The stories in order of time, freed of what is history."""
        standing = [story for story in self.stories.values() if not story.merged]
        bare = [replace(one, id=one.name, alerted=(), begun_by="", told=(), version=0) for one in standing]
        return sorted(bare, key=lambda one: one.episode)

    @property
    def told(self) -> list[set[str]]:
        """The articles that tell each story, in order of time."""
        return [{one.article for one in (*story.reports, *story.denials)} for story in self.live]

    @property
    def alerts(self) -> list[str]:
        """The alerts raised."""
        return [decision.alert for decision in self.decisions if decision.alert]


def heard(*articles: Told, by: Policy | None = None) -> Desk:
    """A desk that has heard these, in this order."""
    desk = Desk(by or policy())
    for one in articles:
        desk.hears(one)
    return desk


def tellings(days: int, outlets: Sequence[str], **more: some.SearchStrategy[object]) -> some.SearchStrategy[list[Told]]:
    """Up to eight articles of so many days."""
    one = some.builds(
        Told,
        name=some.sampled_from([f"a{number}" for number in range(9)]),
        stage=some.sampled_from(STAGES),
        day=some.integers(0, days),
        outlet=some.sampled_from(outlets),
        denied=some.sampled_from([False, False, False, True]),
        **more,
    )
    return some.lists(one, min_size=1, max_size=8, unique_by=lambda one: one.name)


ARTICLES = tellings(300, ["One", "Two", "Three"])
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


AGAIN = policy(again_after=7 * DAY, update_on=("men",))
"""A rule by which the same again after a week is another development."""
WAVES = tellings(
    60,
    ["One", "Two"],
    men=some.sampled_from([0, 0, 1_000, 1_200, 3_000]),
    copied=some.sampled_from(["", "", "", "x"]),
)
"""Articles over 60 days: plans, deeds, figures and copies that go together, or not, with quiet of a week between many of them."""


@settings(max_examples=50)
@given(WAVES, some.randoms())
def test_any_order_ends_in_the_same_developments(articles: list[Told], chance: random.Random) -> None:
    """Late articles that show that two episodes are one, or that one is two, end in the stories and root messages of any other order."""
    desk = heard(*articles, by=AGAIN)
    other = heard(*chance.sample(articles, len(articles)), by=AGAIN)
    assert desk.told == other.told
    assert desk.live == other.live
    assert [root(one, AGAIN) for one in desk.live] == [root(one, AGAIN) for one in other.live]


@settings(max_examples=50)
@given(WAVES, some.randoms())
def test_no_development_rings_twice(articles: list[Told], chance: random.Random) -> None:
    """In any order no alert is raised twice, and every story that has a report has a root message of its own."""
    desk = heard(*chance.sample(articles, len(articles)), by=AGAIN)
    assert len(set(desk.alerts)) == len(desk.alerts)
    for story in desk.stories.values():
        assert story.merged or not story.reports or f"{story.id}/first_report" in story.alerted


@settings(max_examples=50)
@given(WAVES, some.randoms())
def test_what_did_not_change_is_relied_upon(articles: list[Told], chance: random.Random) -> None:
    """A decision is the same without the episodes it neither changes nor relies on."""
    *before, last = chance.sample(articles, len(articles))
    desk = heard(*before, by=AGAIN)
    known = list(desk.stories.values())
    decision = desk.hears(last)
    needed = {story.id for story in decision.changed} | {name for name, _ in decision.relied}
    lean = Desk(AGAIN, {story.id: story for story in known if story.id in needed})
    assert lean.hears(last).reason == decision.reason
    assert {frozenset(told) for told in lean.told} <= {frozenset(told) for told in desk.told}


@pytest.mark.parametrize(
    ("told", "together"),
    [
        pytest.param([Told("a", "done", 0), Told("b", "done", 7)], True, id="soon"),
        pytest.param([Told("a", "done", 0), Told("b", "done", 8)], False, id="the same again"),
        pytest.param([Told("a", "preparing", 0), Told("b", "planned", 8)], False, id="as far again"),
        pytest.param([Told("a", "done", 0), Told("b", "preparing", 8)], False, id="less far"),
        pytest.param([Told("a", "planned", 0), Told("b", "done", 60)], True, id="fulfilled"),
        pytest.param([Told("a", "planned", 0), Told("b", "done", 61)], False, id="too late"),
        pytest.param([Told("a", "planned", 0, men=3_000), Told("b", "done", 30, men=900)], False, id="another figure"),
        pytest.param([Told("a", "planned", 0, men=3_000), Told("b", "done", 30, men=3_200)], True, id="nearly the figure"),
        pytest.param([Told("a", "done", 0, men=3_000), Told("b", "done", 30, men=3_000)], True, id="the very figure"),
        pytest.param([Told("a", "done", 0, men=3_000), Told("b", "done", 61, men=3_000)], False, id="the figure, too late"),
        pytest.param([Told("a", "done", 0), Told("b", "done", 20, copied="a")], True, id="a copy"),
        pytest.param([Told("a", "done", 0), Told("b", "done", 20, outlet="Two", copied="a")], True, id="a reprint"),
        pytest.param([Told("a", "done", 0), Told("b", "done", 61, outlet="Two", copied="a")], False, id="a reprint, too late"),
        pytest.param([Told("a", "planned", 0), Told("b", "done", 20, outlet="Two", copied="a")], True, id="further, in the old words"),
        pytest.param([Told("a", "done", 0), Told("b", "done", 7, denied=True)], True, id="denied"),
        pytest.param([Told("a", "done", 0), Told("b", "done", 8, denied=True)], False, id="denied too late"),
        pytest.param([Told("a", "done", 0, denied=True), Told("b", "done", 8)], False, id="denied before"),
    ],
)  # fmt: skip
def test_the_same_again_after_a_while_is_a_new_development(told: list[Told], together: bool) -> None:
    """After `again_after` only what fulfils a plan, gives the very figure, or is a copy, belongs to the story."""
    for order in permutations(told):
        assert len(heard(*order, by=AGAIN).told) == (1 if together else 2)


PLAN, DEED, NEXT = Told("plan", "planned", 0), Told("deed", "done", 10), Told("next", "done", 30)
OLD = Told("old", "planned", 25, outlet="Two", copied="plan")


@pytest.mark.parametrize("order", list(permutations([PLAN, DEED, NEXT])))
def test_a_plan_is_fulfilled_once(order: tuple[Told, ...]) -> None:
    """The first deed after a plan is what was planned; the next is another development, in whatever order they are heard of."""
    desk = heard(*order, by=AGAIN)
    assert desk.told == [{"plan", "deed"}, {"next"}]
    assert [story.stage for story in desk.live] == ["done", "done"]


@pytest.mark.parametrize("order", list(permutations([PLAN, DEED, NEXT, OLD])))
def test_a_reprint_keeps_no_story_going(order: tuple[Told, ...]) -> None:
    """An old text printed again belongs to what it told, and leads from there to nothing that was told since."""
    assert heard(*order, by=AGAIN).told == [{"plan", "deed", "old"}, {"next"}]


def test_a_late_deed_parts_what_was_taken_for_one() -> None:
    """A deed told late, that came before the one taken for it, leaves the message with the plan; the other gets one of its own."""
    desk = heard(PLAN, NEXT, by=AGAIN)
    decision = desk.hears(DEED)
    assert (decision.reason, [one.id for one in decision.changed]) == ("corroborated", [f"{KEY}#1", f"{KEY}#2"])
    assert f"{KEY}#1 is more than one development" in decision.detail
    (parted,) = decision.others
    assert (parted.name, parted.alerted, parted.articles, parted.version) == (
        f"{KEY}#2",
        (f"{KEY}#2/first_report",),
        1,
        0,
    )


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
