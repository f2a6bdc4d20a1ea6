from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile.ssrf import PUBLIC, Traps
from tocsin.adapters.web import Guard
from tocsin.errors import FetchFault

ROOT = Path(__file__).parents[2]


def answers(address: str) -> bool:
    """Whether this machine can be asked at an address."""
    try:
        socket.create_server((address, 0)).close()
    except OSError:
        return False
    return True


needs_a_second_loopback = pytest.mark.skipif(not answers(PUBLIC), reason=f"this machine does not answer at {PUBLIC}")


@needs_a_second_loopback
def test_nothing_leads_inside() -> None:
    """No address, spelling, name server or redirect makes the guard ask a machine that is not public, or open a file."""
    # A process of its own: the audit hook that watches connections and files cannot be taken away again.
    ran = subprocess.run(
        [sys.executable, "-m", "tests.hostile.ssrf"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    counts = json.loads(ran.stdout)
    assert counts.pop("payloads") >= 250
    assert counts == {"connections": 0, "files": 0, "wrong": {}}


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "[::1]"])
def test_the_traps_catch_who_comes(host: str) -> None:
    """The traps count a guard that may go inside, so their silence means something."""
    if not answers(host.strip("[]")) and ":" not in host:
        pytest.skip(f"this machine does not answer at {host}")
    with Traps().set() as traps:
        with pytest.raises(FetchFault):
            Guard(allow=("0.0.0.0/0", "::/0")).get(f"http://{host}:{traps.port}/")
        assert len(traps.caught) == (0 if ":" in host and not socket.has_ipv6 else 1)
