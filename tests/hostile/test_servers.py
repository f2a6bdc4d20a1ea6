from __future__ import annotations

import pytest

from tests.hostile.servers import MEGABYTES, SECONDS, SERVERS, ask
from tocsin.adapters.web import KINDS

DEADLINE = 0.25


@pytest.mark.parametrize("name", SERVERS)
def test_a_hostile_server_is_told_as_what_it_is(name: str) -> None:
    """Whatever a server does, the fault names it, on one short line, in time and without filling the memory."""
    cost = ask(name, DEADLINE)
    assert cost.kind in SERVERS[name].expected.split()
    assert cost.kind in KINDS
    assert cost.what.isprintable()
    assert len(cost.what) < 500
    assert cost.seconds < SECONDS
    assert cost.megabytes < MEGABYTES
