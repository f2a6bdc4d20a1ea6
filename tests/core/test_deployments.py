"""What a deployment is told apart by: where it goes, and how many go."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.system import rule_set
from tocsin.article import Article
from tocsin.detection import detect
from tocsin.signal import Signal


def deployed(text: str) -> list[Signal]:
    """The deployments in a text."""
    article = Article("a", text, published=datetime(2031, 5, 1, tzinfo=UTC))
    return [signal for signal in detect(rule_set(), article) if signal.rule == "additional-deployment"]


@pytest.mark.parametrize(
    "place", ["the border of Guyana", "the east of Guyana", "the south of neighbouring Guyana", "parts of Guyana"]
)
def test_a_part_of_a_land_is_in_the_land(place: str) -> None:
    """Forces that go to the border, or to some part, of a land go to that land."""
    (signal,) = deployed(f"Venezuela has moved more tanks to {place}, officials said.")
    assert (signal.who, signal.where) == ("venezuela", "guyana")


def test_two_that_mass_troops_at_the_border_do_so_at_each_other_s() -> None:
    """Where both sides move to a border without a name, each goes to the other's."""
    text = "Chad and Libya quarrel over wells. Both countries are massing more troops along the border, officials said."
    assert {signal.who: signal.where for signal in deployed(text)} == {"chad": "libya", "libya": "chad"}


@pytest.mark.parametrize(
    ("told", "figures"),
    [
        ("Kenya will send 800 more soldiers to Haiti", ["800"]),
        ("Kenya has sent another 1,200 combat troops to Haiti", ["1,200"]),
        ("Kenya has sent soldiers of the 98th Division to Haiti", []),
    ],
)
def test_how_many_go(told: str, figures: list[str]) -> None:
    """The number before forces is how many go, whatever word of the rule they matched; the number of a division is not."""
    assert [
        figure.printed for signal in deployed(f"{told}, officials said on Sunday.") for figure in signal.figures
    ] == figures
