"""The tutorial, followed to the letter: its commands run in a copy of this checkout, its edits are made, its outputs come."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system import ROOT

TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
RULE = "rules/border-closure.yaml"
GIT = shutil.which("git") or "git"
LEFT_OUT = {"tocsin studio"}
"""Runs until somebody ends it; `tests/pipeline/test_studio.py` opens it."""
WRAPPER = f'#!/bin/sh\nPYTHONPATH="$TUTORIAL" exec {sys.executable} -c "import sys; from tocsin.cli import main; sys.exit(main())" "$@"\n'


def blocks() -> Iterator[tuple[str, str]]:
    """The blocks of the page in order, each with its kind."""
    for match in re.finditer(r"^```(\w+)\n(.*?)^```$", TUTORIAL, re.MULTILINE | re.DOTALL):
        yield match[1], match[2]


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A repository of the files of this checkout, to be cloned."""
    origin = tmp_path / "origin"
    listed = subprocess.run(
        [GIT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in listed.split("\0"):
        if name and not name.startswith(("tests/", "bench/")) and (ROOT / name).is_file():
            (origin / name).parent.mkdir(parents=True, exist_ok=True)
            (origin / name).write_bytes((ROOT / name).read_bytes())
            (origin / name).chmod((ROOT / name).stat().st_mode)
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "all"]):
        _git(origin, *words)
    return origin


def _git(folder: Path, *words: str) -> None:
    subprocess.run([GIT, "-c", "user.name=A", "-c", "user.email=a@example.org", *words], cwd=folder, check=True)


def furnished(clone: Path) -> None:
    """Puts an environment into the clone that `make setup` finds to be as it should be: this test's own, so nothing is fetched."""
    programs = clone / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "tocsin").write_text(WRAPPER, encoding="utf-8")
    (programs / "activate").write_text(f'export PATH="{programs}:$PATH" TUTORIAL="{clone}"\n', encoding="utf-8")
    (programs / "python").symlink_to(sys.executable)
    (programs / "tocsin").chmod(0o755)
    lock, project, setup = (
        (clone / name).read_text() for name in ("requirements/dev.txt", "pyproject.toml", "infra/setup.sh")
    )
    (clone / ".venv" / ".locked").write_text(f"{clone}\n{lock}", encoding="utf-8")
    (clone / ".venv" / ".installed").write_text(project + setup, encoding="utf-8")


class Newcomer:
    """Somebody who follows the page in one terminal."""

    def __init__(self, folder: Path, origin: Path) -> None:
        self.folder, self.origin = folder, origin
        self.said = ""
        self.begins: list[str] = []
        mine = {"HOME": str(folder), "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org", "NO_COLOR": "1"}
        mine |= {"GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.org", "COLUMNS": "80"}
        self.environment = os.environ | mine

    def runs(self, commands: str) -> None:
        """Types the lines of a block; each must succeed."""
        first, *rest = commands.splitlines()
        if first.startswith("git clone "):
            self._type([first.replace("ADDRESS", str(self.origin))])
            furnished(self.folder / "tocsin")
            self._type(rest)
            self.begins = ["cd tocsin", ". .venv/bin/activate"]
        else:
            self._type([line for line in (first, *rest) if line not in LEFT_OUT])

    def _type(self, lines: list[str]) -> None:
        typed = "\n".join(["set -e", *self.begins, *lines])
        ran = subprocess.run(
            ["/bin/sh", "-c", typed], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        self.said = ran.stdout + ran.stderr
        assert ran.returncode == 0, f"{typed}\n{self.said}"

    def writes(self, text: str) -> None:
        """Makes the file of the rule."""
        (self.folder / "tocsin" / RULE).write_text(text, encoding="utf-8")

    def edits(self, diff: str) -> None:
        """Changes the lines a block shows: what stands there must be in the file, once."""
        path = self.folder / "tocsin" / RULE
        lines = diff.splitlines(keepends=True)
        old = "".join(line[1:] for line in lines if line[0] in " -")
        new = "".join(line[1:] for line in lines if line[0] in " +")
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, old
        path.write_text(text.replace(old, new), encoding="utf-8")

    def sees(self, output: str) -> None:
        """Compares what was promised with what came: every line, in order; … stands for anything."""
        rest = iter(self.said.splitlines())
        for line in output.splitlines():
            wanted = ".*".join(re.escape(part) for part in line.split("…"))
            assert any(re.fullmatch(wanted, one.rstrip()) for one in rest), f"{line!r} did not come:\n{self.said}"


def test_a_newcomer_gets_through(origin: Path, tmp_path: Path) -> None:
    """From the clone to the commit each command works, each edit fits, and each output that the page shows comes."""
    folder = tmp_path / "home"
    folder.mkdir()
    newcomer = Newcomer(folder, origin)
    does = {"console": newcomer.runs, "yaml": newcomer.writes, "diff": newcomer.edits, "text": newcomer.sees}
    kinds = []
    for kind, text in blocks():
        does[kind](text)
        kinds.append(kind)
    assert kinds.count("console") >= 8
    assert "border-closure" in (folder / "tocsin" / RULE).read_text(encoding="utf-8")
