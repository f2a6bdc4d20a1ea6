"""Bends the network of a function that is tried: what it asks of one public address reaches a server on this machine.

Python runs this before anything else, where the folder stands in PYTHONPATH. The function itself, its guard too, stays as it was built.
"""

import os
import socket
from typing import Any

connect = socket.socket.connect


def bent(self: socket.socket, address: Any) -> None:
    """Connects to the address, or to who stands in for it."""
    connect(self, ("127.0.0.1", int(os.environ["OUTSIDE"])) if address[0] == os.environ.get("BENT") else address)


socket.socket.connect = bent  # type: ignore[assignment,method-assign]  # it takes the same
