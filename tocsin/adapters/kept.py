"""What is worth keeping from one command to the next, in a folder of the user: by what it was made of, so that it is never stale."""

from __future__ import annotations

import os
import zlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_OTHERS = 0o022
_SEAL = 4
"""Bytes that tell whether the rest is whole."""


def place(kind: str, environment: Mapping[str, str] = os.environ) -> Path | None:
    """The folder for one kind of thing: under XDG_CACHE_HOME or in the home; none where others could write."""
    home = environment.get("HOME")
    under = environment.get("XDG_CACHE_HOME") or (f"{home}/.cache" if home else "")
    if not Path(under).is_absolute():
        return None
    folder = Path(under) / "tocsin" / kind
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        told = folder.stat()
    except OSError:
        return None
    return folder if told.st_uid == os.geteuid() and not told.st_mode & _OTHERS else None


def write(path: Path, data: bytes) -> None:
    """Writes a file that others see whole or not at all."""
    import tempfile  # drags in compression and chance, for which no cold start shall wait

    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as stream:
        try:
            stream.write(data)
            stream.close()
            Path(stream.name).chmod(0o644)
            Path(stream.name).replace(path)
        except OSError:
            Path(stream.name).unlink(missing_ok=True)
            raise


def sealed(data: bytes) -> bytes:
    """Data with what tells whether it is whole."""
    return zlib.crc32(data).to_bytes(_SEAL, "big") + data


def unsealed(data: bytes) -> bytes | None:
    """The same again; None where something of it is lost or changed."""
    whole = zlib.crc32(memoryview(data)[_SEAL:]).to_bytes(_SEAL, "big") == data[:_SEAL]
    return data[_SEAL:] if whole else None


class Kept:
    """Things of one kind, as many as are worth their room."""

    def __init__(self, kind: str, most: int, environment: Mapping[str, str] = os.environ) -> None:
        self.folder = place(kind, environment)
        self._most = most

    def get(self, key: str) -> bytes | None:
        """What was kept under a key; what is not whole is not there."""
        if self.folder is None:
            return None
        try:
            return unsealed((self.folder / key).read_bytes())
        except OSError:
            return None

    def like(self, prefix: str) -> list[str]:
        """The keys that begin so, what was kept last first."""
        found: list[tuple[float, str]] = []
        for path in self.folder.glob(f"{prefix}*") if self.folder else ():
            with suppress(OSError):
                found.append((path.stat().st_mtime, path.name))
        return [name for _, name in sorted(found, reverse=True)]

    def put(self, key: str, data: bytes) -> None:
        """Keeps something; a full or locked disk costs time, nothing else."""
        if self.folder is None:
            return
        with suppress(OSError):
            write(self.folder / key, sealed(data))
            kept = [*self.folder.iterdir()]
            if len(kept) > self._most:
                kept.sort(key=lambda path: path.stat().st_mtime, reverse=True)
                for path in kept[self._most :]:
                    path.unlink(missing_ok=True)
