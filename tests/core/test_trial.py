"""The story tests at the bottom of a rule: what they accept, and what they complain of."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from tests.system import RULES
from tocsin import rule as models
from tocsin.decide import REASONS
from tocsin.rule import Report
from tocsin.rules import load
from tocsin.trial import run

LOADED = load(RULES)
PREPARING = "Turkey is preparing to send 3,000 more troops to Libya, officials said."
MORE = "Turkey is preparing to send 10,000 more troops to Libya, officials said."
SENT = "Turkey has sent the additional troops to Libya, officials said on Sunday."
DENIED = "Turkey denied that it is preparing to send more troops to Libya."
CALM = "Turkey and Libya signed an agreement on fishing, officials said."


def failures(
    kind: str, *reports: tuple[str, str, str] | tuple[str, str, str, str], rule: str = "additional-deployment"
) -> list[str]:
    """What the tests of the rule complain of, when it has this one: day of March, text, what it becomes, and perhaps an id."""
    told = [
        Report(
            id=more[0] if more else "",
            text=text,
            source=f"Outlet {number}",
            published=f"2025-03-{day}",
            becomes=becomes or None,  # type: ignore[arg-type]  # checked by the model
        )
        for number, (day, text, becomes, *more) in enumerate(reports)
    ]
    tests: dict[str, Any] = {kind: [told]}
    model = LOADED.models[rule].model_copy(update={"tests": models.Tests(**tests)})
    return [fault for outcome in run(LOADED.rule_set, model) for fault in outcome.faults]


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_may_be_wanted(reason: Any) -> None:
    """A test may name any reason a decision can have."""
    assert Report(text="x", source="y", published="2025-03-01", becomes=reason).becomes == reason
    assert reason in str(get_args(Report.model_fields["becomes"].annotation))


@pytest.mark.parametrize(
    ("text", "becomes"),
    [(SENT, "stage_up"), (MORE, "material_change"), (DENIED, "disputed")],
    ids=["rise", "figure", "denial"],
)
def test_updates(text: str, becomes: str) -> None:
    """A rise, a changed figure and a denial are updates of the story."""
    assert failures("update", ("01", PREPARING, "first_report"), ("03", text, becomes)) == []


@pytest.mark.parametrize("text", [CALM, MORE])
def test_an_article_that_was_edited(text: str) -> None:
    """Two articles of one id are one article and its edit; when the edit changes the signal, or takes it away, it is corrected."""
    assert failures("update", ("01", PREPARING, "first_report", "a"), ("02", text, "corrected", "a")) == []


def test_what_does_not_come_out_is_said() -> None:
    """A wrong expectation is named with the article's number and what became of it."""
    assert failures("same_story", ("01", PREPARING, ""), ("02", SENT, "corroborated")) == [
        f"article 2 became stage_up, wanted corroborated: {SENT!r}"
    ]
    assert failures("same_story", ("01", PREPARING, ""), ("02", CALM, ""))[0].startswith("article 2 stayed silent")
    assert "made 1 stories" in failures("new_story", ("01", PREPARING, ""), ("02", SENT, ""))[0]
    assert "wanted an update" in failures("update", ("01", SENT, ""), ("02", PREPARING, ""))[0]
    assert (
        "wanted one story"
        in failures("same_story", ("01", PREPARING, ""), ("02", PREPARING.replace("Libya", "Chad"), ""))[0]
    )


def test_a_rule_on_trial_is_tested_as_if_it_were_posted() -> None:
    """The tests of a rule on trial say what it would do once it rings."""
    text = "Russia has put its strategic missile forces on high alert, the defence ministry said."
    assert failures("update", ("01", text, "first_report"), rule="alert-posture") == [
        "the last article became first_report, wanted an update"
    ]
