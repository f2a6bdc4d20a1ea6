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


@pytest.mark.parametrize("days", ["for 5 and 6 March", "for March 5 or 6", "for March 5-7", "for 4 to 8 March"])
def test_days_that_end_ahead_are_near(days: str) -> None:
    """A stretch of days that has begun, or begins today, is ahead as long as it ends ahead."""
    text = f"Pakistan has put out a warning to shipping {days} under which a missile is to be fired."
    (signal,) = detect(rule_set(), Article("a", text, published=datetime(2031, 3, 5, tzinfo=UTC)))
    assert (signal.rule, signal.stage) == ("launch-preparation", "imminent")


@pytest.mark.parametrize(
    ("second", "told"),
    [
        ("It had told the agencies that it planned to launch a satellite.", False),
        ("It will launch another satellite next week.", True),
    ],
)
def test_an_article_that_opens_with_the_deed_tells_of_the_next_one_only(second: str, told: bool) -> None:
    """Where headline and first sentence tell of a launch that was, what was said of it before is no news."""
    article = Article("a", f"North Korea launched a rocket on Sunday. {second}", "North Korea launches rocket")
    assert any(signal.rule == "launch-preparation" for signal in detect(rule_set(), article)) == told


def test_a_headline_that_says_that_it_is_near_is_heeded() -> None:
    """The text says what, the headline how soon."""
    article = Article("a", "North Korea will fire a Musudan, an analyst said.", "N. Korea days away from missile shot")
    assert [signal.stage for signal in detect(rule_set(), article)] == ["imminent"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("In November a Sarmat missile will be fired by the Russian division, the ministry said.", True),
        ("A Sarmat missile will be fired by the Russian division in November, the ministry said.", True),
        ("In November a Sarmat missile was fired by the Russian division, the ministry said.", False),
    ],
)
def test_a_month_beside_will_is_one_to_come(text: str, told: bool) -> None:
    """A month that lies eight or fewer back is one ahead where the sentence says "will"."""
    found = detect(rule_set(), Article("a", text, published=datetime(2031, 6, 5, tzinfo=UTC)))
    assert any(signal.rule == "launch-preparation" for signal in found) == told


@pytest.mark.parametrize(
    ("second", "stage"),
    [
        ("The valley is quiet.", "preparing"),
        ("Pyongyang plans to launch a satellite in autumn, officers said.", "planned"),
    ],
)
def test_a_hint_counts_where_nothing_else_does(second: str, stage: str) -> None:
    """A rocket at a launch site, in the lead, is a hint: it tells a stage only where no other sentence does."""
    text = f"A rocket stands at Sohae in North Korea, a lawmaker said. {second}"
    stages = {signal.stage for signal in detect(rule_set(), Article("a", text)) if signal.rule == "launch-preparation"}
    assert stages == {stage}
