"""What is measured is compared in the right direction, and whoever waits is told how long."""

from __future__ import annotations

import pytest

from bench.compare import changes
from tocsin.cli.pace import Pace


@pytest.mark.parametrize(
    ("name", "before", "after", "warns"),
    [
        ("growth_1000", 2.0, 2.5, True),
        ("growth_1000", 2.0, 2.3, False),
        ("growth_1000", 2.0, 1.0, False),
        ("engine_over_re_loop", 100.0, 70.0, True),
        ("engine_over_re_loop", 100.0, 200.0, False),
    ],
)
def test_a_ratio_that_became_worse_by_more_than_a_fifth_is_told(
    name: str, before: float, after: float, warns: bool
) -> None:
    """Of most ratios less is better, of those of the engine over others more."""
    (change,) = changes({"ratios": {name: before}}, {"ratios": {name: after}})
    assert change.warns is warns


def test_ratios_of_handlers_are_compared_one_by_one() -> None:
    """What stands inside another ratio has a name of its own, and what only one run has is told without a warning."""
    old = {"ratios": {"cold_start": {"detect": 0.3}}}
    found = changes(old, {"ratios": {"cold_start": {"detect": 0.6, "fetch": 1.0}}})
    assert [(one.name, one.warns) for one in found] == [("cold_start.detect", True), ("cold_start.fetch", False)]


def test_the_pace_tells_articles_a_second_and_the_time_left() -> None:
    """A hundred and one of a thousand articles, a hundred of them in two seconds: eighteen are left, whatever it took to begin."""
    now = 0.0
    pace = Pace(1_001, clock=lambda: now)
    now = 60.0  # a system was made meanwhile
    assert pace.line(1) == "1 of 1,001 articles"
    now = 62.0
    assert pace.line(101) == "101 of 1,001 articles, 50 a second, 0:18 left"


def test_the_pace_is_that_of_late() -> None:
    """What went fast in the beginning and goes slowly now takes as long as it goes now."""
    now = 0.0
    pace = Pace(10_000, clock=lambda: now)
    for minute in range(30):
        now, done = minute * 10.0, 5_000 + 100 * minute
        told = pace.line(done if minute else 1)
    assert told == "7,900 of 10,000 articles, 10 a second, 3:30 left"


def test_lines_about_the_pace_come_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    """Where no terminal shows a bar, a line comes every ten seconds, not for every article."""
    times = iter([0.0, 1.0, 11.0, 11.0, 11.0, 12.0])
    pace = Pace(10, clock=lambda: next(times, 12.0))
    for done in range(1, 4):
        pace.tell(done)
    assert len(capsys.readouterr().err.splitlines()) == 1
