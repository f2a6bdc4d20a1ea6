"""Folders in which nothing was wrong are not looked at again, and no fault is ever hidden by that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.harm import cut, emptied, flipped
from tests.system import tocsin
from tocsin.cli import sound
from tocsin.cli.sound import Sound
from tocsin.rules import Loaded, load


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Path]:
    """The folders that were looked at, with a cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    told: list[Path] = []

    def looked(rules: Path) -> Loaded:
        told.append(rules)
        return load(rules)

    monkeypatch.setattr("tocsin.cli.check.models", looked)
    monkeypatch.setattr("tocsin.cli.options.models", looked)
    return told


@pytest.mark.parametrize("command", ["check", "test"])
def test_the_second_time_the_same_is_said_without_a_look(looks: list[Path], folder: Path, command: str) -> None:
    """As long as nothing was changed, the command says what it said, and reads no rule."""
    first, second = (tocsin(command, "--rules", folder) for _ in range(2))
    assert (first.code, first.out, first.err) == (second.code, second.out, second.err)
    assert first.code == 0
    assert len(looks) == 1


@pytest.mark.parametrize(("first", "second"), [("check", "test"), ("test", "check")])
def test_whoever_checked_need_not_wait_for_the_tests(
    looks: list[Path], folder: Path, first: str, second: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where one of both commands found all in order, the other says what it would have said, and reads no rule."""
    assert tocsin(first, "--rules", folder).code == 0
    told = tocsin(second, "--rules", folder)
    assert len(looks) == 1
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another"))
    alone = tocsin(second, "--rules", folder)
    assert len(looks) == 2
    assert (told.code, told.out, told.err) == (alone.code, alone.out, alone.err)


def put(name: str, old: str, new: str) -> Callable[[Path], None]:
    """An edit of a file."""

    def edit(folder: Path) -> None:
        path = folder / name
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        assert old in text
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.replace(old, new) if old else new, encoding="utf-8")

    return edit


def renamed(folder: Path) -> None:
    """Gives a rule's file another name."""
    (folder / "marching.yaml").rename(folder / "strolling.yaml")


EDITS: dict[str, Callable[[Path], None]] = {
    "a test": put("marching.yaml", "Nobody moved.", "Ruritania marches its host."),
    "a form": put("marching.yaml", "<march> ..4", "<marsh> ..4"),
    "a name": put("lists/realms.yaml", "names: [Ruritania]", "names: [Arcadia]"),
    "a new list": put("lists/more.yaml", "", "kind: words\nlists: {more: {words: [more]}}\n"),
    "new cues": put("cues/some.yaml", "", "kind: cues\ncues: [{name: odd}]\n"),
    "routes": put("routes.yaml", "", "routes: 3\n"),
    "what is no YAML": put("odd.yaml", "", "[\n"),
    "a rule that is called otherwise": renamed,
    "a list that is gone": lambda folder: folder.joinpath("lists", "realms.yaml").unlink(),
    "a folder in place of a file": lambda folder: folder.joinpath("odd.yaml").mkdir(),
}


@pytest.mark.parametrize("edit", EDITS)
def test_after_any_edit_every_fault_is_told(looks: list[Path], folder: Path, edit: str) -> None:
    """Whatever in the folder is changed, it is looked at again; a folder with a fault each time; and none where all is as it was."""
    before = {path: path.read_bytes() for path in folder.rglob("*.yaml")}
    tocsin("check", "--rules", folder)
    EDITS[edit](folder)
    for _ in range(2):
        assert tocsin("check", "--rules", folder).code != 0
    assert len(looks) == 3
    for path in [*folder.rglob("*.yaml")]:
        path.rmdir() if path.is_dir() else path.unlink()
    for path, body in before.items():
        path.write_bytes(body)
    assert tocsin("check", "--rules", folder).code == 0
    assert len(looks) == 3


def test_a_folder_that_changes_while_it_is_looked_at_is_not_known(folder: Path, tmp_path: Path) -> None:
    """What was found in a folder that was changed meanwhile says nothing of it as it was, nor as it is."""
    home = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    begun, body = Sound("check", folder, home), (folder / "marching.yaml").read_bytes()
    emptied(folder / "marching.yaml")
    begun.keep({"rules": 1})
    assert Sound("check", folder, home).told is None
    (folder / "marching.yaml").write_bytes(body)
    assert Sound("check", folder, home).told is None


def test_another_version_and_another_question_know_nothing(
    monkeypatch: pytest.MonkeyPatch, folder: Path, tmp_path: Path
) -> None:
    """What another version of the code found, or was asked for something else, does not count."""
    home = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    Sound("check", folder, home).keep({"rules": 1})
    assert Sound("check", folder, home).told == {"rules": 1}
    assert Sound("test", folder, home).told is None
    monkeypatch.setattr(sound, "_version", lambda: "another")
    assert Sound("check", folder, home).told is None


@pytest.mark.parametrize("harm", [cut, flipped, emptied])
def test_what_is_not_whole_is_not_believed(folder: Path, tmp_path: Path, harm: Callable[[Path], None]) -> None:
    """What was kept and then harmed is not there."""
    home = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    Sound("check", folder, home).keep({"rules": 1, "tests": 2, "more": "than a few letters"})
    for path in (tmp_path / "cache" / "tocsin" / "sound").iterdir():
        harm(path)
    assert Sound("check", folder, home).told is None
