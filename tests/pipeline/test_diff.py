"""`tocsin diff`: what an edit of the rules does to alerts, told by the real rules and a small set of them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.marching import RULE
from tests.system import Ran, tocsin
from tocsin.cli import diff

BASE = RULE.replace("story: {same: [who]", "where: {from: [towns]}\nstory: {same: [who, where]")
TOWNS = """list: towns
kind: names
entries:
  - {slug: strelsau, name: Strelsau, names: [Strelsau]}
  - {slug: hofbau, name: Hofbau, names: [Hofbau]}
  - {slug: zenda, name: Zenda, names: [Zenda]}
"""
ARTICLES = (
    ("2025-01-10", "Ruritania marched its big old proud host into Strelsau."),
    ("2025-01-11", "Ruritania marched its host into Hofbau."),
    ("2025-01-12", "Ruritania moved its host to Zenda."),
    ("2025-01-13", "Ruritania marched its host into Strelsau at last."),
)


@pytest.fixture
def sets(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The set before and after an edit, alike so far; the seeds are left out."""
    monkeypatch.setattr(diff, "SEEDS", folder / "no-seeds")
    (folder / "lists" / "towns.yaml").write_text(TOWNS, encoding="utf-8")
    (folder / "marching.yaml").write_text(BASE, encoding="utf-8")
    before = folder.parent / "before" / "rules"
    shutil.copytree(folder, before)
    return before, folder


def edited(sets: tuple[Path, Path], old: str, new: str, form: str = "ndjson") -> Ran:
    """What the diff says of an edit of the rule."""
    before, after = sets
    assert old in BASE
    (after / "marching.yaml").write_text(BASE.replace(old, new, 1), encoding="utf-8")
    path = after.parent / "articles.jsonl"
    rows = [
        {"id": f"a{number}", "text": text, "title": f"Headline *{number}*", "source": "Gazette", "published": when}
        for number, (when, text) in enumerate(ARTICLES, 1)
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return tocsin("diff", "--rules", after, "--base", before, "--format", form, path)


def changes(ran: Ran) -> list[tuple[Any, ...]]:
    """The changes it tells: kind, case and article."""
    return [(row["change"], row["case"], row["article"]) for row in ran.rows if "change" in row]


def test_no_edit(sets: tuple[Path, Path]) -> None:
    """Two equal sets of rules differ in no alert."""
    ran = edited(sets, "title: Marching", "title: Marching on")
    assert (ran.code, changes(ran)) == (0, [])
    assert "no alert changes" in edited(sets, "title: Marching", "title: Marching on", "table").out


INLINE = ("marching fires 1", "inline-test")
FIRST, SECOND, THIRD = ("archive", "a1"), ("archive", "a2"), ("archive", "a3")
EDITS = [
    pytest.param("<host>}\n", "<host>}\n  - {form: (moved | moves) ..4 <host>}\n", {("added", *THIRD)}, id="added"),
    pytest.param("march: {verbs: [march]}", "march: {verbs: [move]}", {
        ("dropped", *INLINE), ("dropped", *FIRST), ("dropped", *SECOND), ("added", *THIRD),
    }, id="dropped"),
    pytest.param("{done: high}", "{done: critical}", {("changed", *one) for one in (INLINE, FIRST, SECOND)}, id="level"),
    pytest.param("status: experimental", "status: stable", {("changed", *one) for one in (INLINE, FIRST, SECOND)}, id="status"),
    pytest.param("<march> ..4", "<march> ..1", {("changed", "archive", "a4")}, id="told first by another article"),
    pytest.param("same: [who, where]", "same: [who]", {("merged", *FIRST)}, id="merged"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "wanted"), EDITS)
def test_what_an_edit_does(sets: tuple[Path, Path], old: str, new: str, wanted: set[tuple[str, str, str]]) -> None:
    """Each alert that an edit adds, drops, merges or changes is told once, with the case and article it belongs to."""
    ran = edited(sets, old, new)
    assert sorted(changes(ran)) == sorted(wanted), ran.out


def test_the_other_way_round(sets: tuple[Path, Path]) -> None:
    """What one edit merges, its reversal splits."""
    before, after = sets
    edited(sets, "same: [who, where]", "same: [who]")
    ran = tocsin("diff", "--rules", before, "--base", after, "--format", "ndjson", after.parent / "articles.jsonl")
    assert changes(ran) == [("split", *FIRST)]
    assert ran.rows[0]["detail"] == (
        "marching/ruritania#1 is 2 stories now, marching/ruritania/hofbau#1 and marching/ruritania/strelsau#1"
    )


def test_the_level_is_told(sets: tuple[Path, Path]) -> None:
    """A changed level is told from what to what, with headline and sentence."""
    out = edited(sets, "status: experimental", "status: stable", "table").out
    assert "changed marching: ruritania/strelsau#1 first_report, high\n        high, on trial → high" in out
    assert "archive: Headline *1* (Gazette, 2025-01-10)" in out
    assert "Ruritania marched its big old proud host into Strelsau." in out
    assert "3 changed" in out


def test_a_comment_on_a_pull_request(sets: tuple[Path, Path]) -> None:
    """As Markdown the same is a comment; nothing in a headline can be more than words."""
    out = edited(sets, "<host>}\n", "<host>}\n  - {form: (moved | moves) ..4 <host>}\n", "markdown").out
    assert out.startswith("### What this edit does to alerts: 1 added\n\n- **added** marching: ruritania/zenda&#35;1")
    assert "archive: Headline &#42;3&#42; (Gazette, 2025-01-12)" in out
    assert "> Ruritania moved its host to Zenda." in out


def test_only_what_was_published_since(sets: tuple[Path, Path]) -> None:
    """With `--since` older articles of an archive are left out."""
    before, after = sets
    edited(sets, "{done: high}", "{done: critical}")
    path = after.parent / "articles.jsonl"
    ran = tocsin("diff", "--rules", after, "--base", before, "--since", "30d", "--format", "ndjson", path)
    assert changes(ran) == [("changed", *INLINE)]


def test_against_a_revision(sets: tuple[Path, Path]) -> None:
    """The base may be a revision of git, the last commit where none is named; one that there is not is refused."""
    _, after = sets
    git = shutil.which("git")
    assert git
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    for command in (["init", "-q"], ["add", "rules"], [*identity, "commit", "-q", "-m", "rules: begin"]):
        subprocess.run([git, "-C", after.parent, *command], check=True)
    (after / "marching.yaml").write_text(BASE.replace("{done: high}", "{done: critical}"), encoding="utf-8")
    ran = tocsin("diff", "--rules", after, "--format", "ndjson")
    assert [(row["change"], row["detail"]) for row in ran.rows if "change" in row] == [
        ("changed", "high, on trial → critical, on trial")
    ]
    for base in ("no-such-branch", "--output=x"):
        refused = tocsin("diff", "--rules", after, f"--base={base}")
        assert (refused.code, "name a revision of git" in refused.err) == (3, True), refused
    assert not (after / "x").exists()
