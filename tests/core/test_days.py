"""Days that make an article's sentence news."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.system import rule_set
from tocsin.article import Article
from tocsin.detection import detect

LEAD = "It rained. The harvest is late. The mill is shut. "


@pytest.mark.parametrize(
    ("day", "told"),
    [
        ("on March 3", True),
        ("on 27 Feb.", True),
        ("on 3 March 2030", False),
        ("on 2 January", False),
        ("on a holiday", False),
    ],
)
def test_a_day_of_the_last_two_weeks_is_news(day: str, told: bool) -> None:
    """Below its lead an article tells a deployment where a day just gone stands beside it; an older one is background."""
    text = f"{LEAD}Some 90 Chadian soldiers crossed the border into Cameroon {day}, a warden said."
    article = Article("a", text, published=datetime(2031, 3, 5, tzinfo=UTC))
    assert any(signal.rule == "additional-deployment" for signal in detect(rule_set(), article)) == told
