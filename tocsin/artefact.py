"""A compiled rule set as one file: a line that says what it was made from and where its sections stand, then the sections.

Nothing in it is run, so the worst a foreign file can do is not to match its key. What is cut off or changed is no artefact.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tocsin.compiled import RuleSet
from tocsin.errors import Fault
from tocsin.rulefiles import code_of, files_of, fingerprint, paths_of

if TYPE_CHECKING:
    from tocsin.routes import Routes

COMPILERS = (
    "amounts", "artefact", "compiled", "errors", "packing", "policy", "routefile", "routes", "rows", "rule", "rulefiles", "rules", "sieve", "signal",
    "source", "spelling", "text", "words",
)  # fmt: skip
"""The modules that decide what is made of rule files."""


class Artefact(NamedTuple):
    """A rule set ready to be used, with the faults of the files that did not load."""

    rule_set: RuleSet
    faults: tuple[Fault, ...]
    routed: Mapping[str, Any] | None = None
    """Where alerts go, as JSON; None when the file that says so does not load."""
    misrouted: tuple[Fault, ...] = ()
    """The faults of that file."""

    @property
    def routes(self) -> Routes | None:
        """Where alerts go; whoever sends none does not import what knows of it."""
        from tocsin.routes import Routes

        return Routes.from_json(self.routed) if self.routed else None


def key(folder: Path) -> str | None:
    """A hash of all that a compiled set depends on: every file of the folder, its name, and this compiler. None: it cannot be read."""
    digest = hashlib.sha256(folder.name.encode())
    try:
        digest.update(code_of(*COMPILERS))
        files = files_of(folder)
        if files.keys() != paths_of(folder).keys():  # one is no file
            return None
        digest.update(fingerprint(files).encode())
    except OSError:
        return None
    return digest.hexdigest()


def written(artefact: Artefact, key: str) -> bytes:
    """An artefact as bytes."""
    sections = {name: text.encode("ascii") for name, text in artefact.rule_set.sections.items()}
    body = b"".join(sections.values())
    head = {
        "tocsin": key,
        "crc": zlib.crc32(body),
        "faults": [astuple(fault) for fault in artefact.faults],
        "routes": artefact.routed,
        "misrouted": [astuple(fault) for fault in artefact.misrouted],
        "sections": {name: len(section) for name, section in sections.items()},
    }
    return json.dumps(head).encode("ascii") + b"\n" + body


def read(data: bytes, key: str) -> Artefact | None:
    """The artefact of these bytes; None where they are none, or not the one of this key."""
    first, _, body = data.partition(b"\n")
    try:
        head: dict[str, Any] = json.loads(first)
        if head["tocsin"] != key or head["crc"] != zlib.crc32(body):
            return None
        faults, misrouted = (tuple(Fault(*row) for row in head[part]) for part in ("faults", "misrouted"))
        return Artefact(RuleSet(_Sections(body, head["sections"])), faults, head["routes"], misrouted)
    except (ValueError, TypeError, KeyError):
        return None


class _Sections(Mapping[str, str]):
    """The sections of a body, each decoded when it is read."""

    def __init__(self, body: bytes, lengths: Mapping[str, int]) -> None:
        self._body = body
        self._ranges: dict[str, tuple[int, int]] = {}
        end = 0
        for name, length in lengths.items():
            self._ranges[name] = (end, end + length)
            end += length

    def __getitem__(self, name: str) -> str:
        start, end = self._ranges[name]
        return self._body[start:end].decode("ascii")

    def __iter__(self) -> Iterator[str]:
        return iter(self._ranges)

    def __len__(self) -> int:
        return len(self._ranges)
