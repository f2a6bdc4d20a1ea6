"""Folders that were found to be in order: as long as nothing changes, they are not looked at again."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import tocsin
from tocsin import artefact
from tocsin.adapters.kept import Kept
from tocsin.rulefiles import fingerprint

KEPT = 64
"""Folders, in one state or another, of which it is kept that they are in order."""
READERS = ("pydantic_core", "yaml", "re2")
"""The libraries that decide what is a fault."""


class Sound:
    """What was told of a folder in which nothing was wrong: by every file in it, all code and the libraries that read."""

    def __init__(self, asked: str, folder: Path, environment: Mapping[str, str] = os.environ) -> None:
        self._asked, self._folder = asked, folder
        self._kept = Kept("sound", KEPT, environment)
        self._key = self._now()

    @property
    def told(self) -> dict[str, Any] | None:
        """What was kept of the folder as it was when this was made; None where it was never in order so."""
        data = self._kept.get(self._key) if self._key else None
        found: dict[str, Any] | None = json.loads(data) if data else None
        return found

    def keep(self, told: Mapping[str, Any]) -> None:
        """Keeps what is told of a folder that is in order, unless it was changed meanwhile."""
        if self._key and self._key == self._now():
            self._kept.put(self._key, json.dumps(told).encode())

    def _now(self) -> str | None:
        """Names the folder as it stands, and what is asked of it."""
        state = artefact.key(self._folder)
        there = (path for path in self._folder.rglob("*") if path.suffix or not path.is_dir())
        names = sorted(str(path.relative_to(self._folder)) for path in there)  # what is not read is a fault, too
        return hashlib.sha256(f"{self._asked} {state} {names} {_version()}".encode()).hexdigest() if state else None


@cache
def _version() -> str:
    """Names this package, this Python, and the libraries by where they lie and when they were put there."""
    package = Path(tocsin.__file__).parent
    code = fingerprint({str(path.relative_to(package)): path.read_bytes() for path in package.rglob("*.py")})
    places = [found.origin for name in READERS if (found := find_spec(name)) and found.origin]
    readers = [(place, Path(place).stat().st_mtime_ns) for place in places]
    return f"{sys.version} {code} {readers}"
