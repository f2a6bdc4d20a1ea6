"""What came of inline tests, known from before: what is tried again after which edit, and that no answer is ever stale."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.harm import cut, emptied, flipped
from tests.marching import RULE
from tests.system import ROOT
from tocsin.adapters.kept import Kept
from tocsin.adapters.rulebook import models, remembered
from tocsin.cli import verdicts
from tocsin.cli.verdicts import Verdicts
from tocsin.rulefiles import behind

OTHER = RULE.replace("marching", "strolling").replace("march", "stroll").replace("0c1f6f1e", "0c1f6f1f")
VARIANTS = """  variants:
    - fires: "Ruritania {} its host."
      words: [marched, marches]
"""


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tests that were tried, as they are written."""
    told: list[str] = []
    tries = verdicts._Tries._tried  # noqa: SLF001 - where every test passes through

    def tells(self: verdicts._Tries, test: verdicts.Test) -> verdicts.Tested:
        told.append(test.articles[0].text)
        return tries(self, test)

    monkeypatch.setattr(verdicts._Tries, "_tried", tells)  # noqa: SLF001 - as above
    return told


class Bench:
    """Two rules with their tests, tried as another command would."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder, self.home = folder, {"XDG_CACHE_HOME": str(home)}
        (folder / "strolling.yaml").write_text(OTHER, encoding="utf-8")
        (folder / "marching.yaml").write_text(RULE + VARIANTS, encoding="utf-8")

    @property
    def kept(self) -> Kept:
        """What is known from before."""
        return Kept("tests", 100, self.home)

    def failed(self) -> list[str]:
        """The tests that fail, by their rule and name."""
        loaded = models(self.folder, self.home)
        assert loaded.faults == []
        found = Verdicts(self.kept, lambda key: remembered(key, self.home)).of(loaded, loaded.models)
        assert [one.name for verdict in found for one in verdict.failed] == [
            one.outcome.name for verdict in found for one in verdict.tested if not one.outcome.passed
        ]
        return [f"{one.rule} {one.name}" for verdict in found for one in verdict.failed]

    def edit(self, old: str, new: str, file: str = "marching.yaml") -> None:
        """Changes a file."""
        text = (self.folder / file).read_text(encoding="utf-8")
        assert old in text
        (self.folder / file).write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def desk(folder: Path, tmp_path: Path, tried: list[str]) -> Bench:
    """Where everything was tried once."""
    bench = Bench(folder, tmp_path / "cache")
    assert bench.failed() == []
    tried.clear()
    return bench


MARCHED, NOBODY, STROLLED = "Ruritania marched its host.", "Nobody moved.", "Ruritania strolled its host."


@pytest.mark.parametrize(
    ("old", "new", "again", "fails"),
    [
        pytest.param("", "", [], [], id="nothing"),
        pytest.param("title: M", "title: m", [], [], id="the title"),
        pytest.param("[Parades.]", "[Parades.] # and fairs", [], [], id="a comment"),
        pytest.param("silent: [", 'silent: ["Nobody sat.", ', ["Nobody sat."], [], id="a test more"),
        pytest.param(", who: ruritania", "", [MARCHED], [], id="what a test wants"),
        pytest.param("marches]", "marches, marching]", ["Ruritania marching its host."], [], id="a word of variants"),
        pytest.param("..4 <host>", "..5 <host>", [MARCHED, MARCHED, "Ruritania marches its host."], [], id="a gap"),
        pytest.param("nouns: [host]", "nouns: [host, army]", [], [], id="a word nobody says"),
        pytest.param(
            "nouns: [host]", "nouns: [army]", [MARCHED, STROLLED, MARCHED, "Ruritania marches its host."],
            ["marching fires 1", "marching variants 1 'marched'", "marching variants 1 'marches'"], id="a word gone",
        ),
    ],
)  # fmt: skip
def test_what_is_tried_again(
    desk: Bench, tried: list[str], old: str, new: str, again: list[str], fails: list[str]
) -> None:
    """After an edit those tests are tried that it may touch, and what comes of all of them is what would without a memory."""
    desk.edit(old, new) if old else None
    assert desk.failed() == fails
    assert sorted(tried) == sorted(again)


def test_a_test_that_fails_is_tried_each_time(desk: Bench, tried: list[str]) -> None:
    """Only what passed is known; what fails is tried, so that it can be told why, until it is mended."""
    desk.edit('silent: ["Nobody moved."', 'silent: ["Ruritania marches a host."')
    for _ in range(2):
        tried.clear()
        assert desk.failed() == ["marching silent 1"]
        assert tried == ["Ruritania marches a host."]
    desk.edit("Ruritania marches a host.", NOBODY)
    assert desk.failed() == []


def test_a_period_decides_over_stories_alone(desk: Bench, tried: list[str]) -> None:
    """What is made of signals is looked at again where that changes, although what is found does not."""
    told = ", ".join(
        f'{{text: "{text}", published: {day}, source: {day}}}'
        for text, day in ((MARCHED, "2025-01-01"), ("On Friday it was Ruritania that marched a host.", "2025-01-03"))
    )
    desk.edit("  silent: [", f"  same_story: [[{told}]]\n  silent: [")
    assert desk.failed() == []
    tried.clear()
    desk.edit("quiet_for: 3d", "quiet_for: 1d")
    assert desk.failed() == ["marching same_story 1"]
    assert tried == [MARCHED]


@pytest.mark.parametrize("harm", [cut, flipped, emptied, Path.unlink])
def test_what_is_harmed_is_tried_again(desk: Bench, tried: list[str], harm: Callable[[Path], None]) -> None:
    """A memory that is cut off, changed or gone is none: everything is tried, and known again."""
    assert desk.kept.folder
    for path in desk.kept.folder.iterdir():
        harm(path)
    assert desk.failed() == []
    assert len(tried) == 6
    tried.clear()
    assert desk.failed() == []
    assert tried == []


def test_other_code_knows_nothing_of_before(desk: Bench, tried: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What another version of the code found says nothing."""
    monkeypatch.setattr(verdicts, "version", lambda: "another")
    assert desk.failed() == []
    assert len(tried) == 6


def test_what_passed_before_somebody_stopped_is_known(
    folder: Path, tmp_path: Path, tried: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever stops the first run goes on where it was: the tests of every rule come first, word by word of variants last."""
    bench = Bench(folder, tmp_path / "cache")
    tries = verdicts._Tries._tried  # noqa: SLF001 - where every test passes through

    def stops(self: verdicts._Tries, test: verdicts.Test) -> verdicts.Tested:
        if "marches" in test.articles[0].text:
            raise KeyboardInterrupt
        return tries(self, test)

    with monkeypatch.context() as patched:
        patched.setattr(verdicts, "CHUNK", 1)
        patched.setattr(verdicts._Tries, "_tried", stops)  # noqa: SLF001 - as above
        with pytest.raises(KeyboardInterrupt):
            bench.failed()
    tried.clear()
    assert bench.failed() == []
    assert tried == ["Ruritania marched its host.", "Ruritania marches its host."]


def test_the_code_that_tries_is_named_whole() -> None:
    """Every module that trying a test imports counts as the code that tried it; what only writes messages does not."""
    code = "import sys, tocsin.trial, tocsin.coverage, tocsin.edit; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    imported = {name.removeprefix("tocsin.") for name in ran.stdout.split() if name.startswith("tocsin.")}
    named = set(behind("trial", "coverage", "edit"))
    assert imported <= named
    assert named.isdisjoint({"message", "feeds", "webpage"})
