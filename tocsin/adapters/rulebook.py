"""The rules of a folder, compiled once: read as an artefact where there is one that fits, else compiled and kept for the next time.

python -m tocsin.adapters.rulebook FOLDER      compiles a folder into FOLDER/compiled, as the layer's build does: what functions take from then on
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tocsin import artefact
from tocsin.adapters.kept import Kept, write
from tocsin.artefact import Artefact
from tocsin.errors import RuleFaults

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tocsin.compiled import RuleSet
    from tocsin.packing import Draft
    from tocsin.rules import Loaded, Shelf

INSIDE = "compiled"
"""The artefact that lies in the folder itself, written where it is built."""
KEPT = 16
"""Artefacts that are kept."""
FILES = 400
"""Files that are kept as they were read."""


def rulebook(folder: Path, environment: Mapping[str, str] = os.environ, *, sealed: bool = False) -> Artefact:
    """The compiled rules of a folder, with the faults of what does not load. `RuleFaults` when no rule is left.

    `sealed`: nobody changes the folder after it was built, so what was compiled there is that of its files, and of this version.
    """
    if sealed and (built := _inside(folder, None)):
        return built
    key = artefact.key(folder)
    if key is None:
        return _compiled(folder)
    kept = Kept("rules", KEPT, environment)
    found = _known(folder, key, kept)
    if found is None:
        found = _compiled(folder)
        kept.put(key, artefact.written(found, key))
    return found


def models(folder: Path, environment: Mapping[str, str] = os.environ, shelf: Shelf | None = None) -> Loaded:
    """A folder with its models and the places of all that is written there; what was read or compiled before is not again.

    The set itself is packed when it is first asked for, so that faults need not wait for it.
    """
    from tocsin import rules
    from tocsin.packing import packed

    key = artefact.key(folder) if folder.is_dir() else None
    kept = Kept("rules", KEPT, environment)
    found = _known(folder, key, kept) if key else None
    shelf = shelf or rules.Shelf(kept=Kept("files", FILES, environment))
    loaded = rules.load(folder, shelf)

    def packs(draft: Draft) -> RuleSet:
        made = found.rule_set if found else packed(draft, shelf.packed)
        shelf.packed = draft, made
        if key and not found and loaded.models:
            kept.put(key, artefact.written(_made_of(folder, loaded, made), key))
        return made

    return replace(loaded, key=key or "", packs=packs)


def remembered(key: str, environment: Mapping[str, str] = os.environ) -> RuleSet | None:
    """The set that was compiled under a key, if it is kept still."""
    data = Kept("rules", KEPT, environment).get(key)
    found = artefact.read(data, key) if data else None
    return found.rule_set if found else None


def _known(folder: Path, key: str, kept: Kept) -> Artefact | None:
    """The artefact of this key, from the folder itself or what was kept."""
    if found := _inside(folder, key):
        return found
    data = kept.get(key)
    return artefact.read(data, key) if data else None


def _inside(folder: Path, key: str | None) -> Artefact | None:
    """The artefact in the folder itself, if it is the one of this key; without a key any that is whole."""
    from mmap import ACCESS_READ, mmap  # of a checkout, whose artefact lies elsewhere, nobody needs it

    with suppress(OSError, ValueError), (folder / INSIDE).open("rb") as stream:  # an empty file cannot be mapped
        return artefact.read(mmap(stream.fileno(), 0, access=ACCESS_READ), key)
    return None


def build(folder: Path) -> Artefact:
    """Compiles a folder and puts the artefact into it."""
    made, printed = _read(folder)
    if key := artefact.key(folder, printed):
        write(folder / INSIDE, artefact.written(made, key))
    return made


def _compiled(folder: Path) -> Artefact:
    return _read(folder)[0]


def _read(folder: Path) -> tuple[Artefact, str]:
    """The artefact of a folder, with the fingerprint of the files it was made of."""
    from tocsin import rules

    with rules.unswept():  # until the models are gone, of which there may be millions
        loaded = rules.load(folder)
        if not loaded.models:
            raise RuleFaults(loaded.faults)
        made = _made_of(folder, loaded, loaded.rule_set), loaded.fingerprint
        del loaded
    return made


def _made_of(folder: Path, loaded: Loaded, rule_set: RuleSet) -> Artefact:
    from tocsin import routefile

    try:
        routes = routefile.load(folder, loaded)
    except RuleFaults as error:
        return Artefact(rule_set, tuple(loaded.faults), None, tuple(error.faults))
    return Artefact(rule_set, tuple(loaded.faults), routes.to_json())


def main() -> None:
    """Compiles the folder the command line names. Faults are told and stop nothing, unless no rule is left."""
    try:
        faults = build(Path(sys.argv[1])).faults
    except RuleFaults as error:
        sys.exit(str(error))
    for fault in faults:
        sys.stderr.write(f"{fault}\n")


if __name__ == "__main__":
    main()
