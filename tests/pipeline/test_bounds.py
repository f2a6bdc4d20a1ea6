"""Bad input to stories: bounded, recorded, no crash; and reads and writes that do not grow."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bench.peers.cases import Outcome, posts, seeds, stories
from bench.peers.keywords import reader as keywords_reader
from bench.peers.ours import reader as ours_reader
from bench.stories import case_of_seeds, costs, slots
from tests.core.values import evidence, signal
from tests.system import World, rule_set
from tocsin.article import Article
from tocsin.compiled import RuleSet
from tocsin.pipeline.detect import Detector
from tocsin.signal import Signal

STORY = "additional-deployment/turkey/libya#1"
PREPARING = "Turkey is preparing to send more troops to Libya, officials said."
ITEM = 400_000


def article(name: str, text: str = PREPARING, **changes: Any) -> Article:
    """An article of an outlet of its own."""
    one = Article(
        name, f"{text} Edition {name}.", f"News {name}", f"Outlet {name}", "", World().clock() - timedelta(hours=2)
    )
    return replace(one, **changes)


def test_contradictory_signals_count_once(world: World) -> None:
    """An article that says prepared, done and denied contributes its strongest stage, once, and each signal is recorded."""
    text = (
        f"{PREPARING} Turkey has sent additional troops to Libya, a minister said on Sunday."
        " Turkey denied that it is preparing to send more troops to Libya."
    )
    world.arrive(article("one", text))
    world.deliver()
    story = world.table.stories[STORY]
    assert (story.stage, story.articles, len(story.reports)) == ("done", 1, 1)
    assert [shown.alert for shown in world.slack.standing] == [f"{STORY}/first_report"]


def contradicting(_rules: RuleSet, _article: Article) -> Sequence[Signal]:
    """Two signals of one identity that say the opposite."""
    shown = evidence("q")
    one = signal("done", rule="additional-deployment", who="turkey", where="libya", evidence=shown, sentences=(shown,))
    return [replace(one, flags=("denied",)), replace(one, stage="planned")]


def test_a_denial_beside_a_report_does_not_swallow_it(world: World) -> None:
    """Of a denial and a report of the same in one article the report counts; the denial is recorded with the fate."""
    detector = replace(world.detector(), find=contradicting)
    assert detector.detect([("1", article("one"))]) == []
    fate = world.table.fates["one"]
    assert fate.fate == "alerted"
    assert [row["reason"] for row in fate.signals] == ["a_stronger_signal_counts", "first_report"]


def test_a_story_everybody_tells(world: World) -> None:
    """A story of a thousand sources stays one alert and far below the size of an item, and counts them all."""
    found = world.detector().find(rule_set(), article("0"))
    detector: Detector = replace(world.detector(), find=lambda *_: found)
    for number in range(1_000):
        assert detector.detect([("1", article(str(number), f"{PREPARING} {number} {number * 7}"))]) == []
    story = world.table.stories[STORY]
    assert story.articles == 1_000
    assert len(json.dumps(story.to_json())) < ITEM / 4
    assert [alert for alert in world.table.rows if "first_report" not in alert] == []


def test_a_slot_of_ten_kilobytes(world: World) -> None:
    """A slot value of any length makes a story with a bounded key, an alert and a fate."""
    long = "x" * 10_000
    one = signal(rule="additional-deployment", who=long, where=long)
    detector = replace(world.detector(), find=lambda *_: [one])
    assert detector.detect([("1", article("one"))]) == []
    world.deliver()
    (story,) = world.table.stories.values()
    assert len(story.id) < 300
    assert len(world.slack.standing) == 1
    assert len(json.dumps(world.table.fates["one"].to_json())) < ITEM


@pytest.mark.parametrize(
    "jump", [timedelta(days=-20_000), timedelta(days=-1), timedelta(days=400), timedelta(days=20_000)], ids=str
)
def test_a_clock_that_jumps(world: World, jump: timedelta) -> None:
    """Whatever the clock does between two articles, both have a fate and nothing rings twice."""
    first = article("one")
    world.arrive(first)
    world.deliver()
    world.clock.now += jump
    assert world.arrive(first, article("two", published=None), article("three")) == []
    world.deliver()
    world.sweep(5)
    assert set(world.table.fates) == {"one", "two", "three"}
    alerts = [shown.alert for shown in world.slack.standing]
    assert len(set(alerts)) == len(alerts) <= 3
    assert world.undelivered() == {}


def test_a_thousand_episodes(world: World) -> None:
    """An identity that comes up again and again for a thousand spells is read back for the last few only."""
    found = world.detector().find(rule_set(), article("0"))
    detector = replace(world.detector(), find=lambda *_: found)
    start = datetime(1972, 1, 1, tzinfo=UTC)
    for number in range(300):
        assert detector.detect([("1", article(str(number), published=start + timedelta(days=61 * number)))]) == []
    stories = list(world.table.stories.values())
    assert [story.episode for story in stories] == list(range(1, 301))


def test_reads_and_writes_do_not_grow() -> None:
    """What an article costs does not depend on how many stories there are, nor on how many outlets told its own."""
    few, many = list(costs(0, 3)), list(costs(60, 12))
    assert few == many
    assert few[0] == "7 calls: 0 read, 4 written, 0 checked"
    assert few[-1] == "1 calls: 0 read, 0 written, 0 checked"


def test_slots_tell_the_seeds_apart() -> None:
    """In the comparison Tocsin tells each development of the seeds once."""
    score = slots(case_of_seeds())
    assert (score.alerts, score.repeated, score.swallowed) == (5, 0, 0)


def test_the_peers_are_measured_with_what_the_seeds_deserve() -> None:
    """Tocsin hears all nine signals of the seeds and tells the five developments in five alerts; a loop of keywords repeats itself."""
    case = seeds()
    ours, theirs = case.heard(ours_reader()), case.heard(keywords_reader())
    assert (case.found(ours), stories(case, ours)) == (9, Outcome(alerts=5, empty=0, swallowed=0))
    assert posts(case, theirs, lambda some: list(range(len(some)))).empty > 0
