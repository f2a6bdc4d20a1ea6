"""What a launch is of: two things that are prepared are two signals, one thing nobody is sure of is one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.system import rule_set
from tocsin.article import Article
from tocsin.detection import detect


def launched(text: str) -> list[str]:
    """The materiel of each launch signal in a text."""
    article = Article("a", text, published=datetime(2031, 5, 1, tzinfo=UTC))
    return sorted(signal.what or "" for signal in detect(rule_set(), article) if signal.rule == "launch-preparation")


@pytest.mark.parametrize(
    "text",
    [
        "North Korea is preparing to launch a ballistic missile or a spy satellite, officials in Seoul said.",
        "Iran is preparing for a launch that could range from a military satellite to a ballistic missile, officials said.",
    ],
)
def test_alternatives_are_one_launch(text: str) -> None:
    """A launch that may be this or that is one development."""
    assert len(launched(text)) == 1


def test_two_things_prepared_are_two_launches() -> None:
    """A missile and a satellite that are both being prepared stay apart, though another sentence offers them as alternatives."""
    text = (
        "North Korea is preparing to launch a spy satellite, officials said. It is also fuelling an intercontinental ballistic missile. "
        "Either a satellite or an intercontinental ballistic missile could be launched within days, officials said."
    )
    assert launched(text) == ["icbm", "satellite"]
