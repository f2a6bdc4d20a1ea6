"""A compiled rule set as one file: a line that says what it was made from and where its sections stand, then the sections.

Nothing in it is run, so the worst a foreign file can do is not to match its key. What is cut off or changed is no artefact.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tocsin.compiled import RuleSet, Sections
from tocsin.errors import Fault
from tocsin.rulefiles import code_of, files_of, fingerprint, paths_of

if TYPE_CHECKING:
    from mmap import mmap

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


def key(folder: Path, known: str | None = None) -> str | None:
    """A hash of all that a compiled set depends on: every file of the folder, its name, and this compiler. None: it cannot be read.

    `known`: the fingerprint of its files, where they were read already; empty where one of them cannot be.
    """
    digest = hashlib.sha256(folder.name.encode())
    try:
        digest.update(code_of(*COMPILERS))
        if known is None:
            paths = paths_of(folder)
            files = files_of(folder, paths)
            known = fingerprint(files) if len(files) == len(paths) else ""  # else one is no file
    except OSError:
        return None
    digest.update(known.encode())
    return digest.hexdigest() if known else None


def written(artefact: Artefact, key: str) -> bytes:
    """An artefact as bytes."""
    sections = artefact.rule_set.sections
    head = {
        "tocsin": key,
        "crc": zlib.crc32(sections.body),
        "faults": [astuple(fault) for fault in artefact.faults],
        "routes": artefact.routed,
        "misrouted": [astuple(fault) for fault in artefact.misrouted],
        "sections": sections.lengths,
    }
    return json.dumps(head).encode("ascii") + b"\n" + sections.body


def read(data: bytes | mmap, key: str | None) -> Artefact | None:
    """The artefact of these bytes; None where they are none, or not the one of this key.

    Without a key they are believed if none is missing: so a function reads of what was deployed with it only what it needs.
    """
    start = data.find(b"\n") + 1
    try:
        head: dict[str, Any] = json.loads(data[:start])
        if key is not None and (head["tocsin"] != key or head["crc"] != zlib.crc32(memoryview(data)[start:])):
            return None
        if start + sum(head["sections"].values()) != len(data):
            return None
        faults, misrouted = (tuple(Fault(*row) for row in head[part]) for part in ("faults", "misrouted"))
        return Artefact(RuleSet(Sections(data, head["sections"], start)), faults, head["routes"], misrouted)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
