"""What a silence covers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.core.values import DAY, NOON, policy, report, signal
from tocsin.silence import Silence
from tocsin.silencing import of_story
from tocsin.story import begin

SECOND = timedelta(seconds=1)


def silence(*matchers: tuple[str, str]) -> Silence:
    """A silence of one day from noon."""
    return Silence("s1", matchers, NOON, NOON + DAY, "ana", "an exercise")


@pytest.mark.parametrize(
    ("matchers", "covered"),
    [
        pytest.param([("rule", "landing")], True, id="rule"),
        pytest.param([("who", "borduria")], True, id="actor"),
        pytest.param([("where", "syldavia")], True, id="place"),
        pytest.param([("stage", "preparing")], True, id="stage"),
        pytest.param([("rule", "landing"), ("who", "borduria")], True, id="all agree"),
        pytest.param([("rule", "landing"), ("who", "syldavia")], False, id="one disagrees"),
        pytest.param([("what", "icbm")], False, id="a slot the signal lacks"),
        pytest.param([("what", "-")], True, id="a slot that nobody named"),
        pytest.param([("where", "-")], False, id="a slot that somebody named"),
        pytest.param([("certainty", "asserted")], False, id="nothing one can match"),
        pytest.param([("colour", "red")], False, id="an unknown name"),
    ],
)
def test_matchers(matchers: list[tuple[str, str]], covered: bool) -> None:
    """A silence covers a signal when each of its matchers agrees, and a mistyped one never silences anything."""
    assert silence(*matchers).covers(signal(), NOON) is covered


@pytest.mark.parametrize(
    ("moment", "covered"),
    [
        pytest.param(NOON - SECOND, False, id="before it begins"),
        pytest.param(NOON, True, id="as it begins"),
        pytest.param(NOON + DAY - SECOND, True, id="before it ends"),
        pytest.param(NOON + DAY, False, id="as it ends"),
    ],
)
def test_period(moment: datetime, covered: bool) -> None:
    """A silence is in force from its beginning until just before its end."""
    assert silence(("rule", "landing")).covers(signal(), moment) is covered


@pytest.mark.parametrize(
    ("slots", "same", "covered"),
    [
        ({}, ("who", "where"), [True, False, False]),
        ({"where": None}, ("who", "where"), [False, True, False]),
        ({"where": None}, ("who",), [True, True, False]),
        ({"who": None}, ("who", "where"), [False, False, True]),
    ],
)
def test_a_silence_of_a_story_covers_its_identity(
    slots: dict[str, Any], same: tuple[str, ...], covered: list[bool]
) -> None:
    """Other reports of the same slots are held back, and none of another story: a slot that is not named is a value, too."""
    rule = policy(same=same)
    silences = of_story(begin(signal(**slots), report(**slots), rule, 1), same, NOON, NOON + DAY, "ana")
    told = [signal(), signal(where=None), signal(who=None)]
    assert [any(one.covers(each, NOON) for one in silences) for each in told] == covered


def test_a_silence_of_materiel_that_is_one_thing_covers_each_word() -> None:
    """A story of a missile that another outlet calls a rocket is silenced by either name."""
    rule = policy(same=("what",), kinds=(("icbm", "missile"),))
    story = begin(signal(what="missile"), report(what="missile"), rule, 1)
    silences = of_story(story, ("what",), NOON, NOON + DAY, "ana")
    assert [any(one.covers(signal(what=what), NOON) for one in silences) for what in ("icbm", "missile", "satellite", None)] == [
        True, True, False, False,
    ]  # fmt: skip
    assert len({one.id for one in silences}) == len(silences)
