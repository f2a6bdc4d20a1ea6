"""What git knows of the rules."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tocsin.errors import InputFault

_BETWEEN = "\x1f"
_RECORD = "\x1e"


@dataclass(frozen=True, slots=True)
class Last:
    """The last commit that changed a file."""

    day: str = ""
    revision: str = ""
    subject: str = ""


def git(folder: Path, *arguments: str) -> bytes:
    """What git answers in a folder; `InputFault` where it is not installed, or refuses."""
    found = shutil.which("git")
    if found is None:
        raise InputFault("git is not installed", str(folder), "install git, or do without its history")
    ran = subprocess.run([found, "-C", str(folder), *arguments], capture_output=True, check=False)  # noqa: S603 - git itself
    if ran.returncode:
        raise InputFault(ran.stderr.decode(errors="replace").strip(), str(folder), "call it in a checkout")
    return ran.stdout


def last_changes(folder: Path) -> dict[str, Last]:
    """Name of each file in a folder → its last commit; nothing where there is no history."""
    try:
        told = git(
            folder, "log", "--name-only", "--relative", f"--format={_RECORD}%cs{_BETWEEN}%h{_BETWEEN}%s", "--", "."
        ).decode(errors="replace")
    except InputFault:
        return {}
    found: dict[str, Last] = {}
    for record in told.split(_RECORD)[1:]:
        head, *files = record.split("\n")
        for file in filter(None, files):
            found.setdefault(file, Last(*head.split(_BETWEEN)))
    return found
