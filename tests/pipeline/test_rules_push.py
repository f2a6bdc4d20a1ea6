"""Rules that are pushed: what is taken and what is not, who is told, and when functions use them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests import marching
from tests.system import RULES, STACK, System, row_of, tocsin
from tests.twins import Clock, MemoryArchive
from tocsin.adapters.in_force import InForce
from tocsin.adapters.rule_sets import RulesInUse, fetched, keep, key_of
from tocsin.article import Article
from tocsin.errors import Conflict, InputFault
from tocsin.ports import Bulletin, RulesInForce
from tocsin.rulefiles import bundled, files_of, fingerprint, unbundled

TELLS = "Ruritania marched its host to the border."


@pytest.fixture
def rules(folder: Path) -> Path:
    """A set of rules that passes all its tests."""
    return folder


def push(rules: Path, *more: str) -> str:
    """Pushes rules that are taken; returns their version."""
    ran = tocsin("rules", "push", "--stack-name", STACK, "--rules", rules, "--yes", *more)
    assert ran.code == 0, ran.err
    return fingerprint(files_of(rules))[:12]


def edit(rules: Path, old: str, new: str, file: str = "marching.yaml") -> None:
    """Edits one file of the rules."""
    path = rules / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def read_by(system: System, name: str, text: str = TELLS) -> str:
    """The rules that an article was read by which arrives now, a minute after what happened last."""
    system.move(minutes=1)
    system.send(row_of(Article(name, text, title=name)))
    system.pump.drain()
    fate = system.table.fate(name)
    assert fate is not None
    return fate.rules


def told(system: System) -> list[str]:
    """What the channel was told of the running."""
    system.pump.drain()
    return [message.text for message in system.slack.messages("C0ALERTS") if "ops/" in json.dumps(message.metadata)]


def test_pushed_rules_are_used_within_a_minute(deployed: System, rules: Path) -> None:
    """What arrives a minute later is read by the pushed rules, without a deployment; the fate names the set, and the channel is told who pushed it."""
    version = push(rules, "--author", "ana", "--note", "hosts")
    assert read_by(deployed, "one") == version
    assert any("ana" in text and version in text and "hosts" in text for text in told(deployed))
    again = tocsin("rules", "push", "--stack-name", STACK, "--rules", rules)
    assert (again.code, "in force already" in again.out) == (0, True)
    assert len(deployed.table.rules_history()) == 1


def _does_not_load(rules: Path) -> None:
    edit(rules, "forms:", "froms:")


def _fails_a_test(rules: Path) -> None:
    edit(rules, "silent: [", f'silent: ["{TELLS}", ')


def _is_no_yaml(rules: Path) -> None:
    (rules / "marching.yaml").write_text("name: [", encoding="utf-8")


def test_faulty_rules_replace_nothing(deployed: System, rules: Path) -> None:
    """Rules that do not load, or fail a test, change nothing, and the channel is told who pushed them, which file, which line."""
    version = push(rules)
    sound = (rules / "marching.yaml").read_text(encoding="utf-8")
    for harm in (_does_not_load, _fails_a_test, _is_no_yaml):
        harm(rules)
        ran = tocsin("rules", "push", "--stack-name", STACK, "--rules", rules, "--yes", "--author", "ben")
        assert ran.code in {1, 2}
        assert "marching.yaml:" in ran.out
        (rules / "marching.yaml").write_text(sound, encoding="utf-8")
    complaints = [text for text in told(deployed) if "not taken" in text]
    assert [("ben" in text, "marching.yaml:" in text) for text in complaints] == [(True, True)] * 3
    assert read_by(deployed, "two") == version


def test_rules_go_back(deployed: System, rules: Path) -> None:
    """What an edit does is shown first; `rollback` puts the rules of before in force, or those named, or those deployed; the history tells of all."""
    first = push(rules)
    edit(rules, "level: {done: high}", "level: {done: critical}")
    shown = tocsin("rules", "push", "--stack-name", STACK, "--rules", rules, "--dry-run").out
    assert ("changed" in shown, f"against {first} in force" in shown) == (True, True)
    deployed.move(minutes=1)
    second = push(rules)
    for named in ([], [second[:6]], ["deployed"]):
        deployed.move(minutes=1)
        assert tocsin("rules", "rollback", "--stack-name", STACK, "--yes", *named).code == 0
    listed = tocsin("rules", "history", "--stack-name", STACK, "--format", "ndjson").rows
    assert [(row["version"], row["in_force"]) for row in listed] == [
        ("deployed", True), (second, False), (first, False), (second, False), (first, False),
    ]  # fmt: skip
    assert (
        read_by(deployed, "four", "North Korea is preparing to send more troops to Russia, Seoul said.")
        == fingerprint(files_of(RULES))[:12]
    )
    assert tocsin("rules", "rollback", "--stack-name", STACK, "--yes", "0000").code == 3
    with pytest.raises(Conflict):  # whoever looked before somebody else pushed
        deployed.table.put_in_force(RulesInForce("a" * 64, "ana", "2025-03-02T09:00:00+00:00"), None)


# What a function uses


@dataclass
class Pointing:
    """A table that says which rules are in force."""

    rules: RulesInForce | None = None
    fails: bool = False

    def rules_in_force(self) -> RulesInForce | None:
        """See `Pointer`."""
        if self.fails:
            raise ClientError({"Error": {"Code": "InternalServerError", "Message": "later"}}, "GetItem")
        return self.rules


@dataclass
class Using:
    """A function's rules, on twins."""

    deployed: Path
    clock: Clock = field(default_factory=Clock)
    table: Pointing = field(default_factory=Pointing)
    archive: MemoryArchive = field(default_factory=MemoryArchive)
    told: list[Bulletin] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rules = RulesInUse(
            self.deployed,
            InForce(lambda: self.table, self.clock),
            lambda: self.archive,
            lambda _, one: self.told.append(one),
        )

    def push(self, files: dict[str, bytes]) -> str:
        """Pushes files as they are, whether they load or not."""
        name = keep(self.archive, files) if b"name: [" not in files["marching.yaml"] else fingerprint(files)
        self.archive.write(key_of(name), bundled(files))
        before = self.table.rules.set if self.table.rules else ""
        self.table.rules = RulesInForce(name, "ana", datetime.now(UTC).isoformat(), before=before)
        return name

    def used(self, minutes: int = 1) -> str:
        """The set that is used a while later."""
        self.clock.move(minutes=minutes)
        return fingerprint(files_of(self.rules.folder()))


@pytest.fixture
def using(tmp_path: Path) -> Using:
    """A function that was deployed with one set of rules."""
    return Using(marching.write(tmp_path / "deployed"))


def edited(using: Using, what: str = "high") -> dict[str, bytes]:
    """Other rules than those that were deployed."""
    files = files_of(using.deployed)
    return {
        **files,
        "marching.yaml": files["marching.yaml"].replace(b"done: high", f"done: {what}".encode()) + b"# 2\n",
    }


def test_rules_that_cannot_be_used_leave_those_of_before(using: Using) -> None:
    """A set that does not load in a function, or is gone, replaces nothing: the last good one stays, also at a start, and the channel is told."""
    good = using.push(edited(using))
    assert using.used() == good
    using.push({**edited(using), "marching.yaml": b"name: ["})
    assert using.used() == good
    (complaint,) = using.told
    assert "ana" in str(complaint)
    assert "rules/marching.yaml:1:7" in str(complaint)
    again = Using(using.deployed, using.clock, using.table, using.archive)
    assert again.used() == good
    last = Using(using.deployed, using.clock, using.table)  # whose bucket was emptied
    assert last.used() == fingerprint(files_of(using.deployed))


def test_rules_of_another_version_are_compiled(using: Using) -> None:
    """Where what was compiled at the push is missing, or of another version of Tocsin, a function compiles the set itself."""
    name = using.push(edited(using))
    for key in using.archive.keys("rules/compiled/"):
        using.archive.write(key, b"of another version")
    assert using.used() == name


def test_what_cannot_be_asked_for_stays_as_it_was(using: Using) -> None:
    """While the table does not answer, a function goes on with its rules; one that starts fails, so that its call is made again."""
    name = using.push(edited(using))
    assert using.used() == name
    using.table.fails = True
    assert using.used() == name
    with pytest.raises(ClientError):
        Using(using.deployed, using.clock, using.table, using.archive).used()


def test_rules_are_asked_for_twice_a_minute(using: Using) -> None:
    """Between two looks half a minute passes, so that a call costs nothing more and no function is a minute late."""
    first = using.used()
    second = using.push(edited(using))
    using.clock.move(seconds=29)
    assert using.used(0) == first
    using.clock.move(seconds=1)
    assert using.used(0) == second


def test_a_set_travels_unchanged(using: Using) -> None:
    """The files of a set come out as they went in; what is no set, or names a place outside the folder, is refused."""
    files = files_of(using.deployed)
    assert unbundled(bundled(files)) == files
    for odd in (b"", b"no set", bundled(files)[:-20]):
        with pytest.raises(InputFault):
            unbundled(odd)
    with pytest.raises(InputFault, match="no name"):
        bundled({"../marching.yaml": b""})
    with pytest.raises(InputFault, match="UTF-8"):
        bundled({"marching.yaml": b"\xff"})


def test_a_set_that_may_not_be_read_is_a_missing_one() -> None:
    """S3 tells who may not list a bucket only that access is denied: that says which rules are missing, and what to do."""

    class Denying(MemoryArchive):
        def read(self, key: str, *, limit: int) -> bytes:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": f"{key} {limit}"}}, "GetObject")

    with pytest.raises(InputFault, match="push the rules again"):
        fetched(Denying(), "a" * 64)
