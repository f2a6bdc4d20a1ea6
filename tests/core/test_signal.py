"""Stages and their order, and a signal as it is printed."""

from __future__ import annotations

import json
from itertools import combinations_with_replacement

import pytest

from tests.core.values import QUOTE, evidence, signal
from tocsin.signal import STAGES, Figure, Stage, furthest, rank


def test_ranks_rise_with_the_stages() -> None:
    """Planned and preparing are one rank; imminent and done are each further."""
    assert [rank(stage) for stage in ("planned", "preparing", "imminent", "done")] == [1, 1, 2, 3]


@pytest.mark.parametrize(("one", "other"), list(combinations_with_replacement(STAGES, 2)))
def test_the_furthest_stage_does_not_depend_on_the_order(one: Stage, other: Stage) -> None:
    """Of two stages the later in the list is the furthest, whichever is named first."""
    assert furthest([one, other]) == furthest([other, one]) == other


def test_a_signal_is_printed_with_its_strongest_sentence() -> None:
    """The line for a signal names rule, slots and stage, and quotes the evidence with its offsets."""
    row = signal().to_json()
    assert {key: row[key] for key in ("rule", "who", "where", "what", "stage", "certainty")} == {
        "rule": "landing",
        "who": "borduria",
        "where": "syldavia",
        "what": None,
        "stage": "preparing",
        "certainty": "asserted",
    }
    assert (row["evidence"], row["start"], row["end"]) == (QUOTE, 100, 100 + len(QUOTE))
    assert row["sentences"] == [{"text": QUOTE, "start": 100, "end": 100 + len(QUOTE), "stage": "preparing"}]
    assert "in" not in row


def test_evidence_in_the_headline_says_so() -> None:
    """Offsets into the title are told from offsets into the text."""
    shown = evidence(field="title")
    row = signal(evidence=shown, sentences=(shown,)).to_json()
    assert row["in"] == row["sentences"][0]["in"] == "title"


def test_a_figure_is_printed_without_what_it_lacks() -> None:
    """A figure nobody doubts has neither a reading nor a note."""
    row = signal(figures=(Figure("3,000", 3000.0, "people", "troops"),)).to_json()
    assert row["figures"] == [{"printed": "3,000", "value": 3000.0, "unit": "people", "counts": "troops"}]


def test_a_signal_is_json() -> None:
    """What is printed survives JSON unchanged."""
    row = signal(flags=("denied",), says=("A",), relays=("B",), figures=(Figure("1 %", 1.0, "percent", "", "x", "y"),))
    assert json.loads(json.dumps(row.to_json())) == row.to_json()


@pytest.mark.parametrize(("slot", "value"), [("who", "borduria"), ("where", "syldavia"), ("what", None)])
def test_a_slot_is_found_by_its_name(slot: str, value: str | None) -> None:
    """A rule names the slots that make a story; the signal has them under these names."""
    assert signal().slot(slot) == value
