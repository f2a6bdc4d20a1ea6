"""Any order, any batching, any duplication, any split over two runs: the same stories and root messages."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.system import World
from tests.twins import Clock
from tests.year import STORIES, year
from tocsin.article import Article
from tocsin.story import Story

ROUNDS = 60


@dataclass(frozen=True)
class End:
    """What remains in the end: stories and what their roots show, by name; and the alerts that were posted."""

    stories: Mapping[str, Story]
    roots: Mapping[str, Any]
    alerts: Sequence[str]


def end(world: World) -> End:
    """The end of a run."""
    world.deliver()
    world.sweep(3)
    assert world.undelivered() == {alert: note for alert, note in world.undelivered().items() if "part of" in note}
    live = {story.name: story for story in world.table.stories.values() if not story.merged}
    roots = {
        name: (shown.message.text, shown.message.blocks)
        for name, story in live.items()
        for shown in world.standing(f"{story.id}/first_report")
    }
    bare = {name: replace(story, id=name, version=0, alerted=(), begun_by="", told=()) for name, story in live.items()}
    return End(bare, roots, [shown.alert for shown in world.slack.standing])


def ran(batches: Sequence[Sequence[Article]]) -> World:
    """The batches arrive one after the other, when everything has been published."""
    world = World(Clock(year(1)[-1].at + timedelta(days=300)))
    for batch in batches:
        assert world.arrive(*batch) == []
        world.deliver()
    return world


def articles(chance: random.Random) -> list[Article]:
    """The articles of a few stories of the scripted year, edits apart: which version is the later one only arrival tells."""
    chosen = set(chance.sample(range(STORIES), 3))
    arrivals = [one for one in year(chance.randrange(1, 4)) if int(one.article.id[1:].partition("-")[0]) in chosen]
    first: dict[str, Article] = {}
    for one in arrivals:
        if not any(one.article.address and one.article.address == known.address for known in first.values()):
            first.setdefault(one.article.id, one.article)
    return list(first.values())


def in_batches(chance: random.Random, order: Sequence[Article]) -> list[list[Article]]:
    """The order, cut into batches of any size."""
    rest, batches = list(order), []
    while rest:
        size = chance.randrange(1, 11)
        batches.append(rest[:size])
        rest = rest[size:]
    return batches


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_any_order_batching_and_duplication(seed: int) -> None:
    """Whatever the order, the batches and the repetitions, stories and root messages are those of the order of publication."""
    chance = random.Random(seed)
    told = articles(chance)
    in_order = end(ran([[one] for one in sorted(told, key=lambda one: (one.published, one.id))]))
    again = chance.sample(told + chance.sample(told, len(told) // 2), len(told) + len(told) // 2)
    other = end(ran(in_batches(chance, again)))
    assert other.stories == in_order.stories
    assert other.roots == in_order.roots
    assert len(set(other.alerts)) == len(other.alerts)


@pytest.mark.parametrize("seed", range(ROUNDS // 3))
def test_any_split_over_two_runs(seed: int) -> None:
    """Articles that come in two runs, days apart and some in both, end as those of one run."""
    chance = random.Random(seed)
    told = articles(chance)
    one = end(ran(in_batches(chance, told)))
    world = ran(in_batches(chance, chance.sample(told, len(told) // 2)))
    end(world)
    world.clock.move(days=3)
    for batch in in_batches(chance, chance.sample(told, len(told))):
        assert world.arrive(*batch) == []
    two = end(world)
    assert two.stories == one.stories
    assert two.roots == one.roots
    assert len(set(two.alerts)) == len(two.alerts)


@pytest.mark.parametrize("seed", range(ROUNDS // 3))
def test_no_order_makes_more_alerts(seed: int) -> None:
    """Where each story is told within a week, its stages as they come about, no order makes more alerts than that of publication."""
    chance = random.Random(seed)
    told = [one for one in articles(chance) if " denied " not in one.text and " 10,000 " not in one.text]
    begun: dict[str, datetime] = {}
    for one in sorted(told, key=lambda one: str(one.published)):
        begun.setdefault(one.id.partition("-")[0], published(one))
    told = [one for one in told if published(one) - begun[one.id.partition("-")[0]] <= timedelta(days=7)]
    in_order = end(ran([[one] for one in sorted(told, key=lambda one: (one.published, one.id))]))
    other = end(ran(in_batches(chance, chance.sample(told, len(told)))))
    assert len(other.alerts) <= len(in_order.alerts)


def published(article: Article) -> datetime:
    """When an article was published."""
    assert article.published is not None
    return article.published


def test_a_bridge_leaves_one_message_and_a_pointer() -> None:
    """Two posted episodes that a late article joins: one message goes on with all three, the other points to it."""
    text = "Turkey is preparing to send more troops to Libya, officials said."
    world = World()
    now = world.clock()
    for name, days in (("old", 5), ("new", 0), ("bridge", 2.5)):
        stamp = now.fromtimestamp(now.timestamp() - 86_400 * days, now.tzinfo)
        assert world.arrive(Article(name, text, name, name, published=stamp)) == []
        world.deliver()
    world.sweep(2)
    kept, gone = world.slack.standing
    assert "3 outlets, 1 independent" in kept.message.text
    assert "are one development" in gone.message.text
    assert gone.message.metadata["reason"] == "merged"
    assert [story.merged for story in world.table.stories.values()] == ["", "additional-deployment/turkey/libya#1"]


def test_a_late_deed_gets_the_later_one_a_message_of_its_own() -> None:
    """A plan and a deed that were told as one story are two when a deed between them is told late; an edit finds the parted one."""
    plan, deed = (
        f"Turkey {told} to Libya, officials said." for told in ("plans to send more troops", "has sent more troops")
    )
    world = World()
    told: dict[str, Article] = {}
    for name, text, days in (("plan", plan, 30), ("next", deed, 5), ("deed", deed, 20)):
        stamp = world.clock() - timedelta(days=days)
        told[name] = Article(name, text, name, name, f"https://news.example/{name}", published=stamp)
        assert world.arrive(told[name]) == []
        world.deliver()
    world.sweep(2)
    first, stage_up, parted = world.slack.standing
    assert [one.message.metadata["reason"] for one in (first, stage_up, parted)] == [
        "first_report",
        "stage_up",
        "first_report",
    ]
    assert ("2 outlets" in first.message.text, "1 outlet: next" in parted.message.text) == (True, True)
    assert world.arrive(replace(told["next"], text="Turkey and Libya signed an agreement on fishing.")) == []
    world.deliver()
    assert world.table.stories["additional-deployment/turkey/libya#2"].withdrawn == ("next",)
