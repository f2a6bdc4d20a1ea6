"""What the desk did about a story: the same whatever the order, and shown in the root message."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from functools import reduce

from hypothesis import given
from hypothesis import strategies as some

from tests.core.values import policy, report, signal
from tocsin.actions import BUTTONS, KINDS, Action
from tocsin.message import root
from tocsin.story import Story, act, begin, merge

ACTIONS = some.lists(
    some.builds(
        Action,
        at=some.sampled_from(["2031-03-10T12:00:00+00:00", "2031-03-10T12:00:05+00:00"]),
        kind=some.sampled_from(KINDS),
        by=some.sampled_from(["U1", "U2"]),
        name=some.sampled_from(["ana", "ben"]),
        until=some.sampled_from(["2031-03-11T12:00:00+00:00", "2031-03-11T12:00:05+00:00"]),
        why=some.sampled_from(["", "past"]),
    ),
    max_size=8,
)


def story() -> Story:
    """A story of one report."""
    return begin(signal(), report(), policy(), 1)


@given(ACTIONS, some.randoms())
def test_the_order_of_presses_makes_no_difference(actions: list[Action], chance: random.Random) -> None:
    """In any order, and however often each, the same was done in the end."""
    shuffled = chance.sample(actions, len(actions)) + chance.sample(actions, len(actions))
    assert reduce(act, shuffled, story()) == reduce(act, actions, story())


@given(ACTIONS, some.integers(0, 8))
def test_what_was_done_survives_a_merge(actions: list[Action], half: int) -> None:
    """Two stories that turn out to be one have had done to them what either had."""
    one, other = reduce(act, actions[:half], story()), reduce(act, actions[half:], story())
    assert merge(one, other).actions == merge(other, one).actions == reduce(act, actions, story()).actions


@given(ACTIONS)
def test_what_was_done_survives_json(actions: list[Action]) -> None:
    """It is read back as it was written."""
    done = reduce(act, actions, story())
    assert Story.from_json(json.loads(json.dumps(done.to_json()))) == done


DONE = (
    Action("2031-03-10T12:00:00+00:00", "acknowledged", "U1", "ana"),
    Action("2031-03-10T13:00:00+00:00", "silenced", "U2", "b*e*n <!here>", "2031-03-11T13:00:00+00:00"),
    Action(
        "2031-03-10T14:00:00+00:00", "irrelevant", "U2", "", why="An exercise. See <https://x.example|here> @channel"
    ),
)


def test_who_did_what_and_when_stands_in_the_message() -> None:
    """One line for each, with no markup of anybody's."""
    done = reduce(act, DONE, story())
    assert root(done, policy()).blocks[-2]["text"]["text"].split("\n") == [
        "*Acknowledged* by ana, 10 Mar 2031 12:00 UTC",
        "*Silenced* until 11 Mar 2031 13:00 UTC by b*\u200be*\u200bn &lt;!here&gt;",
        "*Not relevant*, says U2, 10 Mar 2031 14:00 UTC: An exercise. See &lt;https://x.example|here&gt; @channel",
    ]


def test_a_message_without_anything_done_is_as_it_was() -> None:
    """Neither lines nor buttons are added where there are none."""
    plain, pressed = root(story(), policy()), root(story(), policy(), buttons=True)
    assert plain.blocks == pressed.blocks[:-1]
    assert plain.text == pressed.text


def test_the_buttons_carry_the_story_and_its_slots() -> None:
    """Whoever takes a press learns from it which story it is about, and what makes its identity."""
    block = root(story(), policy(), buttons=True).blocks[-1]
    assert [each["text"]["text"] for each in block["elements"]] == list(BUTTONS.values())
    assert {each["value"] for each in block["elements"]} == {story().id}
    assert block["block_id"] == "story who where"


def test_a_long_name_or_reason_is_cut() -> None:
    """A story stays small whatever people are called."""
    done = act(story(), replace(DONE[2], name="x" * 10_000, why="y" * 10_000))
    assert len(json.dumps(done.actions[0].why + done.actions[0].name)) < 700
