"""The rules of a folder, compiled once: read as an artefact where there is one that fits, else compiled and kept for the next time.

python -m tocsin.adapters.rulebook FOLDER      compiles a folder into FOLDER/.compiled, as the layer's build does
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tocsin import artefact
from tocsin.artefact import Artefact
from tocsin.errors import RuleFaults

if TYPE_CHECKING:
    from collections.abc import Mapping

INSIDE = "compiled"
"""The artefact that lies in the folder itself, written where it is built."""
KEPT = 16
"""Artefacts that are kept in the cache."""
_OTHERS = 0o022


def rulebook(folder: Path, environment: Mapping[str, str] = os.environ) -> Artefact:
    """The compiled rules of a folder, with the faults of what does not load. `RuleFaults` when no rule is left."""
    key = artefact.key(folder)
    if key is None:
        return _compiled(folder)
    cache = _cache(environment)
    for path in (folder / INSIDE, *([cache / key] if cache else [])):
        found = _read(path, key)
        if found is not None:
            return found
    made = _compiled(folder)
    if cache:
        with suppress(OSError):  # a full or locked disk costs time, nothing else
            _keep(cache, key, artefact.written(made, key))
    return made


def build(folder: Path) -> Artefact:
    """Compiles a folder and puts the artefact into it."""
    made = _compiled(folder)
    key = artefact.key(folder)
    if key:
        write(folder / INSIDE, artefact.written(made, key))
    return made


def _compiled(folder: Path) -> Artefact:
    from tocsin import routefile, rules

    loaded = rules.load(folder)
    if not loaded.models:
        raise RuleFaults(loaded.faults)
    try:
        routes = routefile.load(folder, loaded)
    except RuleFaults as error:
        return Artefact(loaded.rule_set, tuple(loaded.faults), None, tuple(error.faults))
    return Artefact(loaded.rule_set, tuple(loaded.faults), routes.to_json())


def _cache(environment: Mapping[str, str]) -> Path | None:
    """Where artefacts are kept: under XDG_CACHE_HOME or in the home; not where others could write."""
    home = environment.get("HOME")
    place = environment.get("XDG_CACHE_HOME") or (f"{home}/.cache" if home else "")
    if not Path(place).is_absolute():
        return None
    cache = Path(place) / "tocsin" / "rules"
    try:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        told = cache.stat()
    except OSError:
        return None
    return cache if told.st_uid == os.geteuid() and not told.st_mode & _OTHERS else None


def _read(path: Path, key: str) -> Artefact | None:
    try:
        return artefact.read(path.read_bytes(), key)
    except OSError:
        return None


def _keep(cache: Path, key: str, data: bytes) -> None:
    write(cache / key, data)
    kept = sorted(cache.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in kept[KEPT:]:
        path.unlink(missing_ok=True)


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
