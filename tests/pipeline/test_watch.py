"""`tocsin watch`: what it says after each save, and that it looks again only at what an edit may touch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.marching import RULE
from tests.system import ROOT, tocsin
from tocsin.article import Article
from tocsin.cli import crowd, diff
from tocsin.cli.bench import Bench
from tocsin.compiled import RuleSet
from tocsin.detection import detect
from tocsin.packing import packed
from tocsin.rules import load
from tocsin.signal import Signal


@pytest.fixture(autouse=True)
def no_seeds(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The small set of rules has nothing to do with the seeds."""
    monkeypatch.setattr(diff, "SEEDS", folder / "no-seeds")


def save(folder: Path, old: str, new: str) -> None:
    """Saves the rule with an edit."""
    assert old in RULE
    (folder / "marching.yaml").write_text(RULE.replace(old, new, 1), encoding="utf-8")


def test_each_save_is_compared_with_the_base(folder: Path) -> None:
    """After an edit the tests it breaks and the alerts it drops are told; after the edit is taken back, nothing is."""
    desk = Bench(folder, load(folder))
    assert (desk.look().failures, desk.look().changes) == ((), ())
    save(folder, "verbs: [march]", "verbs: [walk]")
    found = desk.look()
    assert [(one.at.line, one.outcome.kind) for one in found.failures] == [(19, "fires")]
    assert [(case, change.kind) for case, change in found.changes or ()] == [("marching fires 1", "dropped")]
    save(folder, "title: Marching", "title: Marching on")
    assert (desk.look().failures, desk.look().changes) == ((), ())


def test_what_an_edit_does_not_touch_is_not_looked_at_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit of one rule has only the articles read again in which that rule may match."""
    other = RULE.replace("marching", "strolling").replace("march", "stroll").replace("0c1f6f1e", "0c1f6f1f")
    (folder / "strolling.yaml").write_text(other, encoding="utf-8")
    desk = Bench(folder, load(folder))
    desk.look()
    read: list[str] = []

    def reads(rules: RuleSet, article: Article) -> Sequence[Signal]:
        read.append(article.text)
        return detect(rules, article)

    monkeypatch.setattr(crowd, "detect", reads)
    desk.look()
    save(folder, "quiet_for: 3d", "quiet_for: 4d")
    desk.look()
    assert read == []
    save(folder, "..4 <host>", "..5 <host>")
    desk.look()
    assert read == ["Ruritania marched its host."]


def test_a_change_of_level_is_told_although_nothing_else_is_found(folder: Path) -> None:
    """What a rule says of alerts counts as well as what it finds."""
    desk = Bench(folder, load(folder))
    desk.look()
    save(folder, "{done: high}", "{done: critical}")
    ((_, change),) = desk.look().changes or ()
    assert (change.kind, change.detail) == ("changed", "high, on trial → critical, on trial")


@pytest.mark.parametrize("text", ["a: [", "title: No rule"])
def test_alerts_are_not_compared_while_a_file_does_not_load(folder: Path, text: str) -> None:
    """A file that does not load is a fault; its alerts are not called dropped."""
    desk = Bench(folder, load(folder))
    (folder / "marching.yaml").write_text(text, encoding="utf-8")
    found = desk.look()
    assert found.faults
    assert found.changes is None


def test_faults_are_told_before_the_set_is_packed(folder: Path) -> None:
    """What is wrong with a file is told at once; nothing is compiled for detection until its tests are tried."""
    desk = Bench(folder, load(folder))
    save(folder, "verbs: [march]", "verbs: [march, march]")
    found = desk.read()
    assert [fault.code for fault in found.faults] == ["TOC314"]
    assert desk.loaded is not None
    assert "rule_set" not in vars(desk.loaded)
    assert desk.tried(found).tests == 2


def test_once(folder: Path) -> None:
    """`--once` looks once; as JSON each fault, failure and change is a line, and the last sums up."""
    base = folder.parent / "base" / "rules"
    base.mkdir(parents=True)
    (base / "marching.yaml").write_text(RULE, encoding="utf-8")
    (base / "lists").symlink_to(folder / "lists")
    save(folder, "verbs: [march]", "verbs: [walk]")
    ran = tocsin("watch", "--rules", folder, "--base", base, "--once", "--format", "ndjson")
    assert ran.code == 1
    checked, failed, change, summary = ran.rows
    assert (checked["checked"]["rules"], checked["checked"]["faults"]) == (1, 0)
    assert failed["failed"]["why"] == ["no form of the rule matches a sentence"]
    assert (change["change"], change["case"]) == ("dropped", "marching fires 1")
    seconds = summary["round"].pop("seconds")
    assert summary == {"round": {"rules": 1, "faults": 0, "tests": 2, "failed": 1, "changes": 1}}
    assert seconds >= 0
    told = tocsin("watch", "--rules", folder, "--base", base, "--once").out
    assert "dropped marching: ruritania#1 first_report, high, on trial" in told
    assert "1 rule, 0 faults; 2 tests, 1 failed; 1 dropped" in told


def test_a_save_is_seen(folder: Path) -> None:
    """The command goes on, and tells of a file that is saved while it does; a folder in no history is compared with itself."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    code = "import sys; from tocsin.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "watch", "--rules", str(folder), "--format", "ndjson"]

    def told(stream: Any) -> dict[str, Any]:
        """The end of the next round."""
        while "round" not in (row := json.loads(stream.readline())):
            pass
        found: dict[str, Any] = row["round"]
        return found

    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as running:
        try:
            assert told(running.stdout)["failed"] == 0
            save(folder, "verbs: [march]", "verbs: [walk]")
            assert told(running.stdout)["failed"] == 1
            (folder / "marching.yaml").unlink()
            assert told(running.stdout)["faults"] == 1
        finally:
            running.kill()


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("marching.yaml", "..4 <host>", "..5 <host>"),
        ("marching.yaml", "verbs: [march]", "verbs: [march, stroll]"),
        ("marching.yaml", "<march> ..4", "(<march> | parades) ..4"),
        ("lists/realms.yaml", "names: [Ruritania]", "names: [Ruritania, Zenda]"),
        ("lists/realms.yaml", "list: realms", "list: realms\nnot: [Ruritania Airways]"),
    ],
)
def test_a_set_that_takes_words_over_is_the_set_itself(folder: Path, file: str, old: str, new: str) -> None:
    """What an edit leaves alone is not packed again, and what comes of it is what packing everything anew gives."""
    before = load(folder)
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    after = load(folder).draft
    assert packed(after, (before.draft, before.rule_set)).sections.body == packed(after).sections.body
