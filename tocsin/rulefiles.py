"""The files of a rule set as they are written, and the hash of their contents, which names the set."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tocsin.errors import InputFault

FOLDERS = ("", "lists/", "cues/")
"""Where the files of a rule set lie."""
SHORT = 12
"""Letters of the hash that are printed."""
_IMPORTED = re.compile(r"^\s*from tocsin(?:\.(\w+))? import (.+)$", re.MULTILINE)
_NAME = re.compile(r"((lists|cues)/)?[\w-][\w.-]*\.yaml", re.ASCII)


def paths_of(folder: Path) -> dict[str, Path]:
    """What is called as a file of a rule set, by its place in the folder, in order."""
    found: dict[str, Path] = {}
    for inside in FOLDERS:
        place = folder / inside
        names = sorted(path.name for path in place.iterdir()) if place.is_dir() else ()
        found |= {f"{inside}{name}": place / name for name in names if name.endswith(".yaml")}
    return found


def files_of(folder: Path, paths: Mapping[str, Path] | None = None) -> dict[str, bytes]:
    """The files of a rule set by their place in the folder, in order; `OSError` when one cannot be read. A folder or pipe is none."""
    found = paths_of(folder) if paths is None else paths
    return {name: path.read_bytes() for name, path in found.items() if path.is_file()}


@cache
def code_of(*modules: str) -> bytes:
    """Names modules of this package by what stands in them: what another version of them made does not count. `OSError` when one cannot be read."""
    digest = hashlib.sha256()
    for module in modules:
        digest.update(Path(__file__).with_name(f"{module}.py").read_bytes())
    return digest.digest()


@cache
def behind(*modules: str) -> tuple[str, ...]:
    """Modules of this package with all that they import of it."""
    found: dict[str, None] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        path = Path(__file__).with_name(f"{name}.py")
        if name in found or not path.is_file():
            continue
        found[name] = None
        for module, names in _IMPORTED.findall(path.read_text(encoding="utf-8")):
            waiting += [module] if module else re.findall(r"\w+", names)
    return tuple(sorted(found))


def fingerprint(files: Mapping[str, bytes]) -> str:
    """The hash that names a set: of what its files are called and of what stands in them."""
    digest = hashlib.sha256()
    for name, body in sorted(files.items()):
        digest.update(f"\n{name} {len(body)}\n".encode())
        digest.update(body)
    return digest.hexdigest()


def bundled(files: Mapping[str, bytes]) -> bytes:
    """The files as one, the same bytes for the same set. `InputFault` for a file that is no text or has a name that cannot travel."""
    told: dict[str, str] = {}
    for name, body in sorted(files.items()):
        if not _NAME.fullmatch(name):
            raise InputFault("is no name for a file of rules", ascii(name), "use letters, figures, - and _")
        try:
            told[name] = body.decode()
        except UnicodeDecodeError as error:
            raise InputFault(f"is not UTF-8 ({error.reason})", name, "save it in the encoding UTF-8") from error
    return gzip.compress(json.dumps(told, ensure_ascii=False).encode(), mtime=0)


def unbundled(data: bytes) -> dict[str, bytes]:
    """The files of what `bundled` made; `InputFault` for anything else."""
    try:
        told = json.loads(gzip.decompress(data))
        files = {str(name): str(text).encode() for name, text in told.items()}
    except (OSError, EOFError, ValueError, AttributeError) as error:
        raise InputFault("is no set of rules", mend="push the rules again") from error
    if odd := [name for name in files if not _NAME.fullmatch(name)]:
        raise InputFault("is no name for a file of rules", ascii(odd[0]), "push the rules again")
    return files


def written_to(folder: Path, files: Mapping[str, bytes]) -> None:
    """Writes the files of a set into a folder."""
    for name, body in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
