"""What happens to files that nobody meant to change."""

from __future__ import annotations

from pathlib import Path


def cut(path: Path) -> None:
    """The end is lost."""
    path.write_bytes(path.read_bytes()[:-9])


def flipped(path: Path) -> None:
    """One bit is another."""
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(bytes(data))


def emptied(path: Path) -> None:
    """All of it is lost."""
    path.write_bytes(b"")
