"""What `tocsin check` finds in a set of rules: faults that keep a rule from loading, and demands that it does not meet."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.marching import RULE
from tests.system import RULES, tocsin
from tocsin.demands import ENOUGH, shortcomings
from tocsin.rules import load
from tocsin.spelling import ours


def put(folder: Path, old: str, new: str) -> None:
    """Changes the rule."""
    assert old in RULE
    (folder / "marching.yaml").write_text(RULE.replace(old, new, 1), encoding="utf-8")


def faults(folder: Path) -> list[str]:
    """Every fault of the set, as printed."""
    loaded = load(folder)
    return [str(fault) for fault in [*loaded.faults, *shortcomings(loaded)]]


def test_a_sound_set_has_no_fault(folder: Path) -> None:
    """A set that says all that is asked for has no fault, and the exit code of its check is 0."""
    assert faults(folder) == []
    assert tocsin("check", "--rules", folder).code == 0


FAULTS = [
    pytest.param("runbook:", "runbok:", 10, "unknown field 'runbok', did you mean 'runbook'?", id="misspelt key"),
    pytest.param("level:", "severity: high\nlevel:", 5, "'severity', did you mean 'level'?", id="Sigma's key"),
    pytest.param("level:", "DedupPeriodMinutes: 5\nlevel:", 5, "did you mean 'story'?", id="Panther's key"),
    pytest.param("level:", "group_by: [who]\nlevel:", 5, "did you mean 'story'?", id="Alertmanager's key"),
    pytest.param("level:", "logsource: x\nlevel:", 5, "'logsource'; remove it:", id="a key without a place here"),
    pytest.param("status:", "name: marching\nstatus:", 4, "the key 'name' is here twice", id="duplicate key"),
    pytest.param("<march> ..4", "<marsh> ..4", 16, "unknown list 'marsh', did you mean 'march'?", id="unknown list"),
    pytest.param("..4", "..99", 16, "a gap of 99 words is too wide", id="gap beyond the limit"),
    pytest.param("{nouns: [host]}", "{}", 14, "is empty; give it verbs, nouns or words", id="empty list"),
    pytest.param("{nouns: [host]}", "{nouns: [host]}\n  idle: {words: [idle]}", 15, "'idle' is never used", id="unused"),
    pytest.param("[host]}", "[host], not: [host, hosts]}", 14, "cancels every entry", id="list that cancels itself"),
    pytest.param("<host>}", "<host:ing>}", 16, "never match: no entry of marching.host in the form ing", id="dead tag"),
    pytest.param("<host>}", "<host>, without: [host]}", 16, "must stand in it and must not stand", id="step barred"),
    pytest.param("<host>}", "<host>, with: [realms], without: [realms]}", 16, "must and must not stand", id="with"),
    pytest.param("<host>}", "<host>, needs: [realms], without: [realms]}", 16, "is needed and silences", id="needs"),
    pytest.param("forms:", "phrases:\n  idle: [<march>]\nforms:", 16, "the phrase 'idle' stands in no form", id="unused phrase"),
    pytest.param("{form: <march> ..4 <host>}", "{form: <march> ..&4 <host>}\n  - {form: <host:ing>}", 17, "can never match", id="dead form behind two"),
    pytest.param("forms:", "ignore_cues: [nope]\nforms:", 15, "unknown cue 'nope'", id="unknown cue"),
    pytest.param("status: experimental", "status: test", 19, "has 1 tests that must fire; a rule of status test needs 6", id="tests"),
    pytest.param("status: experimental", "status: test", 20, "has 1 tests that must stay silent", id="silent tests"),
    pytest.param("status: experimental", "status: test", 19, "has 1 different actors", id="actors"),
    pytest.param("status: experimental", "status: test", 19, "has 0 tests that name the stage", id="stages"),
    pytest.param("status: experimental", "status: stable", 19, "has 0 tests of same_story", id="story tests"),
    pytest.param("runbook: Look where they march to.\n", "", 1, "has no runbook; say what an analyst does", id="runbook"),
    pytest.param("falsepositives: [Parades.]\n", "", 1, "has no falsepositives", id="false positives"),
    pytest.param("references: [https://example.org/]\n", "", 1, "has no references", id="references"),
    pytest.param("policy: Exercises are left alone.\n", "", 1, "has no policy", id="policy"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "what"), FAULTS)
def test_each_fault_is_told_where_it_is(folder: Path, old: str, new: str, line: int, what: str) -> None:
    """Every fault is printed as file:line:column, with what is wrong and how to mend it, and makes the check fail."""
    put(folder, old, new)
    told = [fault for fault in faults(folder) if fault.startswith(f"rules/marching.yaml:{line}:") and what in fault]
    assert told, faults(folder)
    ran = tocsin("check", "--rules", folder)
    assert ran.code == (1 if load(folder).models else 2)
    assert told[0] in ran.out


def test_a_test_that_fails_is_told_where_it_is(folder: Path) -> None:
    """An inline test that does not come out as said is a fault at its own line."""
    put(folder, "Nobody moved.", "Ruritania marched its host home.")
    ran = tocsin("check", "--rules", folder)
    assert ran.code == 1
    assert "rules/marching.yaml:20:12: fired as who ruritania" in ran.out


def test_two_rules_have_two_ids(folder: Path) -> None:
    """A copied rule that kept the id of the first is told of."""
    (folder / "strolling.yaml").write_text(RULE.replace("name: marching", "name: strolling"), encoding="utf-8")
    assert any("the id is that of the rule 'marching'" in fault for fault in faults(folder))


def test_a_faulty_rule_stops_no_other(folder: Path) -> None:
    """Detection goes on with the rules that load, names the faults on standard error, and ends with exit code 1."""
    (folder / "strolling.yaml").write_text(RULE.replace("name: marching", "nam: strolling"), encoding="utf-8")
    for command in ("detect", "explain"):
        ran = tocsin(command, "--rules", folder, "-", stdin=b"Ruritania marched its host.")
        assert ran.code == 1
        assert "ruritania" in ran.out or command == "detect"
        assert "rules/strolling.yaml:3:1: unknown field 'nam', did you mean 'name'?" in ran.err


def test_every_status_has_its_demands() -> None:
    """A rule that posts needs more tests than one on trial, and one on trial more than an experiment."""
    assert set(ENOUGH) == {"stable", "test", "experimental", "deprecated"}
    assert ENOUGH["stable"].stories > ENOUGH["test"].stories == 0
    assert ENOUGH["test"].fires > ENOUGH["experimental"].fires > 0


SIGMA = [
    "detection",
    "condition",
    "logsource",
    "falsepositive",
    "reference",
    "author",
    "date",
    "modified",
    "fields",
    "timeframe",
    "related",
]
PANTHER = ["AnalysisType", "RuleID", "DisplayName", "Enabled", "LogTypes", "Severity", "Reference", "DedupPeriodMinutes", "Threshold", "Filename",
           "SummaryAttributes", "ScheduledQueries", "GlobalID", "Reports", "ExpectedResult", "Detection"]  # fmt: skip
ALERTMANAGER = ["alert", "expr", "for", "keep_firing_for", "labels", "annotations", "groups", "summary", "runbook_url", "receiver", "group_by",
                "group_wait", "group_interval", "repeat_interval", "match", "match_re", "matchers", "continue", "routes", "inhibit_rules",
                "source_matchers", "target_matchers", "equal", "mute_time_intervals", "record"]  # fmt: skip


@pytest.mark.parametrize("key", [*SIGMA, *PANTHER, *ALERTMANAGER])
def test_fields_of_other_systems_are_understood(key: str) -> None:
    """Whoever writes a field as Sigma, Panther or Alertmanager spells it is told what it is called here, or that it has no place."""
    assert ours(key)


def test_the_shipped_rules_load() -> None:
    """No shipped rule, list or cue has a fault that keeps it from loading."""
    assert load(RULES).faults == []


def test_what_cues_alone_ask_for_is_used(folder: Path) -> None:
    """A shared list that only a cue names, under `unless` or in a form, is no list that nothing uses."""
    lists = "kind: words\nlists:\n  parades: {words: [parade]}\n  drums: {nouns: [drum]}\n  idle: {words: [idle]}\n"
    (folder / "lists" / "more.yaml").write_text(lists, encoding="utf-8")
    (folder / "cues").mkdir()
    cues = "kind: cues\ncues:\n  - {name: festive, unless: [parades], forms: [<drums> ..2 beaten], sets: {flag: festive}}\n"
    (folder / "cues" / "some.yaml").write_text(cues, encoding="utf-8")
    unused = [fault.what for fault in shortcomings(load(folder)) if fault.code == "TOC401"]
    assert [what.split("'")[1] for what in unused] == ["idle"]
