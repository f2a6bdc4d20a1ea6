"""`tocsin test --mutate`: each kind of change is tried on the real matching, and what no test notices is told with its place."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.marching import RULE
from tests.system import tocsin
from tocsin.cli import mutate

WORDY = RULE.replace(
    "  host: {nouns: [host]}\n", "  host: {nouns: [host, army], not: [host of angels]}\n  home: {words: [homewards]}\n  walk: {verbs: [walk]}\n"
).replace(
    "  - {form: <march> ..4 <host>}\n",
    "  - {form: (<march:past> | <walk:past>) ..2 <host>, without: [home]}\nnever: [home]\n",
)  # fmt: skip
NOTICED = """tests:
  fires:
    - {text: "Ruritania marched its host.", who: ruritania}
    - {text: "Ruritania marched the army.", who: ruritania}
    - {text: "Ruritania walked its host.", who: ruritania}
  silent:
    - "Ruritania marched its host homewards."
    - "Ruritania marched a host of angels."
    - "Ruritania marches its host."
    - "Ruritania marched with band and banner its host."
"""


@pytest.fixture(autouse=True)
def no_seeds(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The small rule has nothing to do with the seeds."""
    monkeypatch.setattr(mutate, "SEEDS", folder / "no-seeds")


def tried(folder: Path, text: str, *options: str) -> tuple[dict[str, list[str]], dict[str, Any], int]:
    """What survives by kind, mutants and those caught, and the exit code."""
    (folder / "marching.yaml").write_text(text, encoding="utf-8")
    ran = tocsin("test", "--rules", folder, "--mutate", "--format", "ndjson", "marching", *options)
    *rows, summary = ran.rows
    survived: dict[str, list[str]] = {}
    for row in rows:
        survived.setdefault(row["kind"], []).append(row["survived"])
    return survived, summary["summary"], ran.code


def test_tests_that_notice_everything(folder: Path) -> None:
    """Where each word and key has a test that needs it, hardly anything survives: what another rule of the same rule forbids as well."""
    survived, summary, _ = tried(folder, WORDY.split("tests:")[0] + NOTICED)
    form = "the form '(<march:past> | <walk:past>) ..2 <host>'"
    assert survived == {"key": [f"without `without` in {form}", "without 'home' under `never`"]}
    assert set(summary["kinds"]) == {"form", "gap", "choice", "tag", "key", "entry", "exception"}


def test_what_no_test_needs_survives(folder: Path) -> None:
    """An entry, a choice, a tag and an exception that no test touches survive, each told by what was changed."""
    survived, _, _ = tried(folder, WORDY)
    assert survived["entry"] == [
        "without 'army' in the list 'host'",
        "without 'homewards' in the list 'home'",
        "without 'walk' in the list 'walk'",
    ]
    assert survived["exception"] == ["without 'host of angels' under `not` of the list 'host'"]
    assert survived["choice"] == [
        "without the choice '<walk:past>' in the form '(<march:past> | <walk:past>) ..2 <host>'"
    ]
    assert "form" not in survived


def test_a_sample_is_the_same_each_time(folder: Path) -> None:
    """A sample has the size that is asked for, and the same seed gives the same one."""
    first, summary, _ = tried(folder, WORDY, "--sample", "5")
    assert summary["mutants"] <= 5
    assert tried(folder, WORDY, "--sample", "5")[0] == first
    everything = tried(folder, WORDY, "--sample", "0")[1]["mutants"]
    assert everything > 5


def test_too_few_noticed_fails(folder: Path) -> None:
    """With --least a stable rule of which fewer mutants are noticed fails; one on trial does not."""
    assert tried(folder, WORDY, "--least", "100")[2] == 0
    assert tried(folder, WORDY.replace("experimental", "stable"), "--least", "100")[2] == 1
    assert tried(folder, WORDY.replace("experimental", "stable"), "--least", "10")[2] == 0


def test_the_shown_list(folder: Path) -> None:
    """For people each survivor is a line with its place, and each rule a line with its share."""
    (folder / "marching.yaml").write_text(WORDY, encoding="utf-8")
    out = tocsin("test", "--rules", folder, "--mutate", "marching").out
    assert re.search(r"rules/marching\.yaml:14:\d+: survives: without 'army' in the list 'host'\n", out)
    assert "mutants noticed (" in out


SHARED = """kind: words
lists:
  walk: {verbs: [walk, stroll, (amble | trot) with], not: [walk out]}
"""


def test_entries_of_shared_lists_are_dropped_too(folder: Path) -> None:
    """An entry of a shared list, or a choice in one, is dropped for all rules that read it, and told at its place if no test of theirs notices."""
    (folder / "lists" / "walking.yaml").write_text(SHARED, encoding="utf-8")
    text = WORDY.replace("  walk: {verbs: [walk]}\n", "").replace(
        "  silent:", '  variants:\n    - {fires: "Ruritania {} its host.", words: [walked, ambled with]}\n  silent:'
    )
    (folder / "marching.yaml").write_text(text, encoding="utf-8")
    ran = tocsin("test", "--rules", folder, "--mutate", "--format", "ndjson", "marching")
    rows = [row for row in ran.rows if "walking.yaml" in row.get("file", "")]
    assert [(row["survived"], row["line"]) for row in rows] == [
        ("without 'stroll' in the list 'walk'", 3),
        ("without the choice 'trot' of '(amble | trot) with' in the list 'walk'", 3),
        ("without 'walk out' under `not` of the list 'walk'", 3),
    ]
    assert ran.rows[-1]["summary"]["by"] == {"variants": 3}


def test_tests_are_found_for_what_survives(folder: Path) -> None:
    """With `--write` sentences of the rule's tests, with another word, are added as variants: they pass, and then less survives."""
    text = WORDY.replace("words: [homewards]", "words: [homewards, back]").replace(
        '  silent: ["Nobody moved."]', '  silent: ["Nobody moved.", "Ruritania marched its host homewards."]'
    )
    survived, before, _ = tried(folder, text)
    ran = tocsin("test", "--rules", folder, "--mutate", "--write", "marching")
    assert ran.code == 0
    assert "sentences added; read them, and keep what is right" in ran.out
    written = (folder / "marching.yaml").read_text(encoding="utf-8")
    assert written.startswith(text.rstrip("\n"))
    assert '    - fires: "Ruritania marched its {}."\n      words: [army]\n' in written
    assert '    - silent: "Ruritania marched its host {}."\n      words: [back]\n' in written
    assert tocsin("test", "--rules", folder).code == 0
    left, after, _ = tried(folder, written)
    assert after["caught"] > before["caught"]
    assert "without 'army' in the list 'host'" in survived["entry"]
    assert "entry" not in left or "without 'army' in the list 'host'" not in left["entry"]
