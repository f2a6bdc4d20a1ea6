"""What story, decision and message know of a rule."""

from __future__ import annotations

import pytest

from tests.core.values import policy


@pytest.mark.parametrize(
    ("status", "posted"),
    [("stable", True), ("deprecated", True), ("test", False), ("experimental", False), ("unheard of", False)],
)
def test_a_rule_on_trial_is_not_posted(status: str, posted: bool) -> None:
    """Only a rule that has left its trial rings; whatever else it is called, it is recorded."""
    assert policy(status=status).posted is posted


@pytest.mark.parametrize(("stage", "level"), [("preparing", "high"), ("done", "critical"), ("unheard of", "medium")])
def test_the_level_of_a_stage(stage: str, level: str) -> None:
    """Each stage has the level its rule gives it; one it says nothing of is medium."""
    assert policy().level_of(stage) == level


@pytest.mark.parametrize(
    ("slug", "printed"),
    [("borduria", "Borduria"), ("north-korea", "North korea"), ("", ""), (None, "")],
    ids=["named", "not named", "blank", "none"],
)
def test_the_printed_name(slug: str | None, printed: str) -> None:
    """A slot is printed by the name its list gives it, else by its slug in words."""
    assert policy().printed(slug) == printed
