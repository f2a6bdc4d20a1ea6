"""What one form stands for: its phrases, either order, and entries of lists with choices."""

from __future__ import annotations

import pytest

from tocsin.rule import Words
from tocsin.rules import ways

PHRASES = {"grown": ["<sum> ..2 <higher>", "<more> ..1 <sum>"]}


@pytest.mark.parametrize(
    ("form", "stands_for"),
    [
        ("<rise> ..4 <sum>", ["<rise> ..4 <sum>"]),
        ("<army> ..&6 <grown>", [
            "<army> ..6 <sum> ..2 <higher>", "<sum> ..2 <higher> ..6 <army>",
            "<army> ..6 <more> ..1 <sum>", "<more> ..1 <sum> ..6 <army>",
        ]),
        ("<army> ...& <sum>", ["<army> ... <sum>", "<sum> ... <army>"]),
        ("<grown> <grown>", [
            "<sum> ..2 <higher> <sum> ..2 <higher>", "<sum> ..2 <higher> <more> ..1 <sum>",
            "<more> ..1 <sum> <sum> ..2 <higher>", "<more> ..1 <sum> <more> ..1 <sum>",
        ]),
    ],
    ids=["plain", "phrase in either order", "gap of no width", "two phrases"],
)  # fmt: skip
def test_a_form_stands_for_each_way_of_saying_it(form: str, stands_for: list[str]) -> None:
    """Each wording of its phrases makes a form, and what stands around `..&` may stand in either order."""
    assert ways(form, PHRASES) == stands_for


def test_an_entry_with_choices_is_several() -> None:
    """Choices in brackets are spread over the entry; a bracket without a choice stays what it is."""
    words = Words.model_validate({"nouns": ["(defence | defense) (budget | vote)", "Falkland Islands (Malvinas)"]})
    assert words.nouns == [
        "defence budget", "defence vote", "defense budget", "defense vote", "Falkland Islands (Malvinas)",
    ]  # fmt: skip


def test_a_group_within_a_group_stands_for_each_entry_once() -> None:
    """An analyst who puts choices into a choice is not told that the list holds an entry twice."""
    words = Words.model_validate({"words": ["missiles at (ships | the (city | town))"]})
    assert words.words == ["missiles at ships", "missiles at the city", "missiles at the town"]
