"""`tocsin rules`: how each rule is doing, and what it takes to move it on."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.marching import RULE
from tests.system import STACK, System, row_of, tocsin
from tocsin.actions import Action
from tocsin.article import Article
from tocsin.source import parse
from tocsin.story import act

ENOUGH = [f'{{text: "Ruritania marched its host {number} miles.", who: ruritania, stage: done}}' for number in range(6)]
QUIET = [f'"Nobody moved {number} miles."' for number in range(6)]
SOUND = RULE.replace('[{text: "Ruritania marched its host.", who: ruritania}]', f"[{', '.join(ENOUGH)}]")
SOUND = SOUND.replace('["Nobody moved."]', f"[{', '.join(QUIET)}]").replace(
    "who: {from: [realms]}", "who: {from: [realms], required: false}"
)


def archive(folder: Path) -> Path:
    """An archive of two articles, of which one holds a signal."""
    path = folder.parent / "articles.jsonl"
    rows = [
        {"id": f"a{number}", "text": text, "title": "Headline", "source": "Gazette", "published": f"2025-01-1{number}"}
        for number, text in enumerate(("Ruritania marched its host into Strelsau.", "Nothing happened."))
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def git(folder: Path, *arguments: str) -> str:
    """What git answers in a folder."""
    identity = ["-c", "user.name=Ana", "-c", "user.email=ana@example.org"]
    ran = subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True, text=True)  # noqa: S607 - whichever git there is
    return ran.stdout


def committed(folder: Path) -> None:
    """Makes the folder a checkout with one commit."""
    git(folder.parent, "init", "--quiet")
    git(folder.parent, "config", "user.name", "Ana")
    git(folder.parent, "config", "user.email", "ana@example.org")
    git(folder.parent, "add", "rules")
    git(folder.parent, "commit", "--quiet", "--message", "rules: the first")


def test_the_list(folder: Path) -> None:
    """Each rule is a row: status, tests, what it finds in an archive, and the commit that changed it last."""
    (row,) = tocsin("rules", "list", "--rules", folder, "--format", "ndjson").rows
    assert row["last_change"] == {"day": "", "revision": "", "subject": ""}
    committed(folder)
    (row,) = tocsin("rules", "list", "--rules", folder, "--format", "ndjson", archive(folder)).rows
    assert row["last_change"]["subject"] == "rules: the first"
    kept = {key: value for key, value in row.items() if key != "last_change"}
    assert kept == {
        "rule": "marching", "status": "experimental", "tests": 2, "fires": 1, "alerts": 1,
        "stories": None, "not_relevant": None, "rate": None, "held": None,
    }  # fmt: skip
    out = tocsin("rules", "list", "--rules", folder, archive(folder)).out
    assert out.split("\n")[0].split() == ["rule", "status", "tests", "fires", "alerts", "last", "change"]
    assert "rules: the first" in out


def test_promotion(folder: Path) -> None:
    """A rule that has what its next status asks for moves on; the message is printed, or committed with the file alone."""
    (folder / "marching.yaml").write_text(SOUND, encoding="utf-8")
    committed(folder)
    ran = tocsin("rules", "promote", "--rules", folder, "--commit", "marching", archive(folder))
    assert ran.code == 0, ran
    subject, _, *evidence = ran.out.splitlines()
    assert subject == "rules: marching moves from experimental to test"
    assert evidence == [
        "12 inline tests pass (6 fires, 6 silent); a rule of status test needs 6 fires and 6 silent.",
        "In 2 articles: 1 fires, 1 stories, 1 alerts.",
        "- high first_report: Ruritania marched its host into Strelsau.",
    ]
    assert git(folder, "log", "-1", "--format=%B").strip() == ran.out.strip()
    after = (folder / "marching.yaml").read_text(encoding="utf-8")
    assert after == SOUND.replace("status: experimental", "status: test")
    assert git(folder, "status", "--porcelain", ".") == ""


@pytest.mark.parametrize("way", ['{status: "experimental", ', "{status: 'experimental', "])
def test_the_status_is_found_however_it_is_written(folder: Path, way: str) -> None:
    """A status in quotes, or in a file that is one mapping in braces, is changed in its place."""
    from tocsin.cli.rules import _promoted

    path = folder / "marching.yaml"
    path.write_text(f"{way}name: experimental}}\n", encoding="utf-8")
    assert parse(_promoted(path, "experimental", "test"), "").data == {"status": "test", "name": "experimental"}


def test_what_stands_in_the_way_is_told(folder: Path) -> None:
    """A rule with too few tests, or one that fails, stays as it is, and what is missing is told with its place."""
    before = RULE.replace('"Nobody moved."', '"Ruritania marched its host home."')
    (folder / "marching.yaml").write_text(before, encoding="utf-8")
    ran = tocsin("rules", "promote", "--rules", folder, "marching")
    assert ran.code == 1
    assert "rules/marching.yaml:20:12: fired as who ruritania" in ran.err
    assert "has 1 tests that must fire; a rule of status test needs 6" in ran.err
    assert "marching stays experimental: 5 in the way of test" in ran.err
    assert (folder / "marching.yaml").read_text(encoding="utf-8") == before


@pytest.mark.parametrize(
    ("name", "status", "told"),
    [("strolling", "experimental", "there is no rule strolling"), ("marching", "stable", "is stable already")],
)
def test_what_cannot_be_promoted(folder: Path, name: str, status: str, told: str) -> None:
    """A rule that there is not, and one that has come to the end, are told."""
    (folder / "marching.yaml").write_text(RULE.replace("experimental", status), encoding="utf-8")
    ran = tocsin("rules", "promote", "--rules", folder, name)
    assert (ran.code, told in ran.err) == (3, True)


def test_what_the_stack_knows(deployed: System) -> None:
    """Asked by its name, the deployed stack tells stories, the share called not relevant, and what rules on trial would have posted."""
    trial = "Russia has put its strategic missile forces on high alert, the defence ministry said."
    posted = "North Korea is preparing to send more troops to Russia, Seoul said on Friday."
    for number, text in enumerate((trial, posted)):
        deployed.send(row_of(Article(f"a{number}", text, f"Headline {number}", "Outlet", published=deployed.now)))
    deployed.pump.drain()
    (story,) = [one for one in deployed.table.stories(5)[0] if one.rule == "additional-deployment"]
    action = Action(deployed.now.isoformat(), "irrelevant", "U1", "ana", why="past")
    deployed.table.act(act(story, action), None, (), deployed.now)
    deployed.move(days=2)
    rows = {row["rule"]: row for row in tocsin("rules", "list", "--stack-name", STACK, "--format", "ndjson").rows}
    told = [rows["additional-deployment"][key] for key in ("stories", "not_relevant", "rate", "held")]
    assert told == [1, 1, 1.0, 0]
    assert [rows["alert-posture"][key] for key in ("not_relevant", "held")] == [0, 1]
    assert rows["evacuation"]["stories"] == 0
    assert "1 (100%)" in tocsin("rules", "list", "--stack-name", STACK).out
