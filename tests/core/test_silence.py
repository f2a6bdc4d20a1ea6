"""What a silence covers."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.core.values import DAY, NOON, signal
from tocsin.silence import Silence

SECOND = timedelta(seconds=1)


def silence(*matchers: tuple[str, str]) -> Silence:
    """A silence of one day from noon."""
    return Silence("s1", matchers, NOON, NOON + DAY, "ana", "an exercise")


@pytest.mark.parametrize(
    ("matchers", "covered"),
    [
        pytest.param([("rule", "landing")], True, id="rule"),
        pytest.param([("who", "borduria")], True, id="actor"),
        pytest.param([("where", "syldavia")], True, id="place"),
        pytest.param([("stage", "preparing")], True, id="stage"),
        pytest.param([("rule", "landing"), ("who", "borduria")], True, id="all agree"),
        pytest.param([("rule", "landing"), ("who", "syldavia")], False, id="one disagrees"),
        pytest.param([("what", "icbm")], False, id="a slot the signal lacks"),
        pytest.param([("certainty", "asserted")], False, id="nothing one can match"),
        pytest.param([("colour", "red")], False, id="an unknown name"),
    ],
)
def test_matchers(matchers: list[tuple[str, str]], covered: bool) -> None:
    """A silence covers a signal when each of its matchers agrees, and a mistyped one never silences anything."""
    assert silence(*matchers).covers(signal(), NOON) is covered


@pytest.mark.parametrize(
    ("moment", "covered"),
    [
        pytest.param(NOON - SECOND, False, id="before it begins"),
        pytest.param(NOON, True, id="as it begins"),
        pytest.param(NOON + DAY - SECOND, True, id="before it ends"),
        pytest.param(NOON + DAY, False, id="as it ends"),
    ],
)
def test_period(moment: datetime, covered: bool) -> None:
    """A silence is in force from its beginning until just before its end."""
    assert silence(("rule", "landing")).covers(signal(), moment) is covered
