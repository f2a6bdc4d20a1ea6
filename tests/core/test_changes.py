"""Material changes: what counts as one, and what does not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.core.values import NOON, policy, report, signal, words
from tocsin.decide import Decision, decide
from tocsin.signal import Figure
from tocsin.story import Story

RULE = policy(update_on=("troops", "what"))
KEY = "landing/borduria/syldavia#1"


def troops(value: float, printed: str = "", unit: str = "count", counts: str = "troops", reading: str = "") -> Figure:
    """So many marines."""
    return Figure(printed or f"{value:,.0f}", value, unit, counts, reading)


@dataclass
class Desk:
    """Decides on articles of a rule that watches troops and materiel."""

    stories: dict[str, Story] = field(default_factory=dict)

    def hears(
        self, name: str, *figures: Figure, days: float = 0, stage: Any = "preparing", what: str | None = None
    ) -> Decision:
        """An article with these figures arrives."""
        heard = signal(stage, figures=figures, what=what)
        told = report(name, stage, days, figures=figures, what=what)
        decision = decide(heard, told, RULE, list(self.stories.values()), (), NOON, None)
        self.stories |= {story.id: story for story in decision.changed}
        return decision


def test_a_figure_that_changed_is_told() -> None:
    """A figure beyond the tolerance is an update that says from what to what, as it was printed."""
    desk = Desk()
    desk.hears("a1", troops(3_000))
    decision = desk.hears("a2", troops(10_000, "10K"), days=1)
    assert (decision.reason, decision.detail) == ("material_change", "3,000 → 10K")
    assert (decision.alert, decision.edits) == (f"{KEY}/material_change-troops-10000", True)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param([troops(3_000)], [troops(4_000)], id="within the tolerance"),
        pytest.param([troops(3_000)], [troops(2_200)], id="within it below"),
        pytest.param([troops(3_000)], [], id="no figure"),
        pytest.param([], [troops(3_000)], id="the first figure at all"),
        pytest.param([troops(3_000)], [troops(9_000, counts="casualties")], id="counts something else"),
        pytest.param([troops(3)], [troops(9, "9 percent", "percent")], id="another unit"),
        pytest.param([troops(5e9, "$5 billion", "money")], [troops(9e9, "€9 billion", "money")], id="another currency"),
        pytest.param([troops(3_000)], [troops(10_000), troops(300)], id="two figures of one thing"),
        pytest.param([troops(3_000)], [troops(10_000, reading="+3.8 %")], id="a figure the rule doubts"),
    ],
)
def test_figures_that_are_no_change(first: list[Figure], second: list[Figure]) -> None:
    """Rounding, figures of other things and figures that cannot be compared ring nothing."""
    desk = Desk()
    desk.hears("a1", *first)
    assert desk.hears("a2", *second, days=1).reason == "corroborated"


def test_a_figure_that_falls_is_told() -> None:
    """A change is one in either direction."""
    desk = Desk()
    desk.hears("a1", troops(10_000))
    assert desk.hears("a2", troops(3_000), days=1).detail == "10,000 → 3,000"


def test_outlets_that_differ_ring_once() -> None:
    """Two outlets with two figures are told once, however often they repeat them."""
    desk = Desk()
    figures = [3_000, 10_000, 3_000, 10_000, 6_000, 3_000]
    reasons = [desk.hears(f"a{day}", troops(value), days=day).reason for day, value in enumerate(figures)]
    assert reasons == ["first_report", "material_change", *["corroborated"] * 4]


def test_a_figure_that_creeps_is_told_at_last() -> None:
    """Steps too small to tell add up: the change is measured from what was told."""
    desk = Desk()
    reasons = [desk.hears(f"a{day}", troops(value), days=day).reason for day, value in enumerate([3_000, 4_000, 5_000])]
    assert reasons == ["first_report", "corroborated", "material_change"]


def test_an_older_figure_is_no_change() -> None:
    """An article that comes late tells what was known before, and rings nothing."""
    desk = Desk()
    desk.hears("a1", troops(10_000), days=5)
    assert desk.hears("a2", troops(3_000), days=1).reason == "corroborated"


def test_a_rise_says_what_else_changed() -> None:
    """A higher stage and a new figure in one article are one alert."""
    desk = Desk()
    desk.hears("a1", troops(3_000))
    decision = desk.hears("a2", troops(10_000), days=1, stage="done")
    assert (decision.reason, decision.detail) == ("stage_up", "preparing → done; 3,000 → 10,000")
    assert desk.hears("a3", troops(10_000), days=2).reason == "corroborated"


def test_another_materiel_is_told() -> None:
    """A slot the rule watches, though it tells no stories apart by it, is an update when it is new."""
    desk = Desk()
    desk.hears("a1", what="tank")
    decision = desk.hears("a2", what="missile", days=1)
    assert (decision.reason, decision.detail) == ("material_change", "Tank → Missile")
    assert desk.hears("a3", what="tank", days=2).reason == "corroborated"


def test_an_outlet_that_repeats_itself_with_a_new_figure_rings_nothing() -> None:
    """A copy of a text by the same outlet is the same article, whatever is read out of it."""
    desk = Desk()
    desk.hears("a1", troops(3_000))
    heard = signal(figures=(troops(10_000),))
    told = report("a2", days=1, source="Outlet a1", text=words("a1"))
    assert decide(heard, told, RULE, list(desk.stories.values()), (), NOON, None).reason == "repeat"
