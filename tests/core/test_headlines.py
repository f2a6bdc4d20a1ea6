"""What a headline says about its text: its theme, and what it only asks for."""

from __future__ import annotations

import pytest

from tests.system import RULES
from tocsin.article import Article
from tocsin.compiled import RuleSet
from tocsin.detection import detect
from tocsin.rules import load

TEXT = "Some 50,000 Dutch soldiers with 65 warships have poured into Norway"


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    """The shipped rules."""
    return load(RULES).rule_set


def _fired(rules: RuleSet, title: str, text: str) -> set[str]:
    return {signal.rule for signal in detect(rules, Article("one", text, title, "Wire"))}


def test_an_exercise_in_headline_and_lead_silences_the_text(rules: RuleSet) -> None:
    """A headline about war games silences a text whose lead speaks of the drills as well, and no other."""
    told = f"{TEXT}. The drills begin on Friday."
    assert not _fired(rules, "Alliance opens its biggest war games", told)
    assert _fired(rules, "Alliance opens its biggest war games", f"{TEXT}.") == {"additional-deployment"}
    assert _fired(rules, "Dutch in Norway", told) == {"additional-deployment"}


def test_a_headline_that_bids_tells_nothing(rules: RuleSet) -> None:
    """What somebody asks others to send is not sent."""
    assert not _fired(rules, "Kyrgyz minister: Keep your applause, send tanks", "He spoke for an hour.")
