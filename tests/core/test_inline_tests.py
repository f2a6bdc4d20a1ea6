"""`tocsin test`: what it prints of the tests at the bottom of each rule, and what no test touches."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.marching import RULE
from tests.system import tocsin

MARCH = "Ruritania marched its host."


def put(folder: Path, old: str, new: str) -> None:
    """Changes the rule."""
    assert old in RULE
    (folder / "marching.yaml").write_text(RULE.replace(old, new, 1), encoding="utf-8")


def test_tests_that_come_out(folder: Path) -> None:
    """Where every test comes out, each rule is a line with its counts, and the exit code is 0."""
    ran = tocsin("test", "--rules", folder)
    assert ran.code == 0
    assert "2 tests, 0 failed" in ran.out
    assert "no test touches 0 of 1 forms, 0 of 2 list entries, 0 of 0 cues" in ran.out


def test_a_test_that_fails_says_what_was_expected_what_came_and_why(folder: Path) -> None:
    """Of a failed test the place, the sentence, what was wanted, what came instead and the reason are told."""
    put(folder, "who: ruritania}", "who: ruritania, stage: imminent}")
    ran = tocsin("test", "--rules", folder)
    assert ran.code == 1
    for line in (
        "rules/marching.yaml:19:11: marching fires 1", MARCH, "wanted  a signal: who ruritania, stage imminent",
        "got     who ruritania, stage done, certainty asserted", f"match: {MARCH}", "form   <march> ..4 <host>",
        "stage  done: the verb or noun itself ('marched')",
    ):  # fmt: skip
        assert line in ran.out


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        pytest.param('"Nobody moved."', f'"{MARCH}"', f"match: {MARCH}", id="fired"),
        pytest.param(MARCH, "Ruritania slept.", "no form of the rule matches a sentence", id="silent"),
        pytest.param(MARCH, "They marched their host.", "lacks  who: nobody is said to act", id="near miss"),
    ],
)
def test_why_it_failed(folder: Path, old: str, new: str, why: str) -> None:
    """The reason is what `explain` says: a match that was not wanted, no match, or what a near miss lacked."""
    put(folder, old, new)
    (row,) = (
        row for row in tocsin("test", "--rules", folder, "--format", "ndjson").rows if not row.get("passed", True)
    )
    assert any(why in line for line in row["why"]), row


def test_a_story_test_tells_what_became_of_each_article(folder: Path) -> None:
    """Of a story test every article's decision and story are told."""
    reports = [f'{{source: {source}, published: "2025-03-01", text: "{MARCH}"}}' for source in ("One", "Two")]
    put(folder, "  silent:", f"  new_story: [[{', '.join(reports)}]]\n  silent:")
    (row,) = (
        row for row in tocsin("test", "--rules", folder, "--format", "ndjson").rows if not row.get("passed", True)
    )
    assert row["wanted"] == "a story each"
    assert row["got"] == "article 1 first_report (marching/ruritania#1), article 2 corroborated (marching/ruritania#1)"


def test_a_stable_rule_needs_two_tests_of_each_kind(folder: Path) -> None:
    """A stable rule with fewer than two tests of a kind fails, although every test it has comes out."""
    put(folder, "status: experimental", "status: stable")
    ran = tocsin("test", "--rules", folder)
    assert ran.code == 1
    for kind in ("same_story", "new_story", "update"):
        assert f"has 0 tests of {kind}; a rule of status stable needs 2" in ran.out


def test_what_no_test_touches_is_listed(folder: Path) -> None:
    """With `--coverage` the forms, entries and cues that no test touches are listed with their places."""
    put(
        folder,
        "  host: {nouns: [host]}\nforms:\n",
        "  host: {nouns: [host, army]}\nforms:\n  - {form: <march> <host:plural>}\n",
    )
    (folder / "cues").mkdir()
    cues = "kind: cues\ncues:\n  - {name: idle, sets: {certainty: suspected}, words: [perhaps]}\n"
    (folder / "cues" / "idle.yaml").write_text(cues, encoding="utf-8")
    told = tocsin("test", "--rules", folder).out
    assert "no test touches 1 of 2 forms, 1 of 3 list entries, 1 of 1 cues; --coverage lists them" in told
    listed = tocsin("test", "--rules", folder, "--coverage").out
    assert "rules/marching.yaml:16:5: no test of the rule matches the form '<march> <host:plural>'" in listed
    assert "no test holds 1 of the 2 entries of the list 'marching.host': army" in listed
    assert "rules/cues/idle.yaml:3:5: in no test the cue 'idle' reaches a match" in listed


def test_junit(folder: Path, tmp_path: Path) -> None:
    """With `--junit` the same outcomes are written as XML: a suite for each rule, a case for each test."""
    put(folder, '"Nobody moved."', f'"{MARCH}\\u0001"')
    tocsin("test", "--rules", folder, "--junit", tmp_path / "out" / "tests.xml")
    (suite,) = ET.parse(tmp_path / "out" / "tests.xml").getroot()  # noqa: S314 - our own file
    assert suite.attrib == {"name": "marching", "tests": "3", "failures": "1"}
    assert [case.get("name") for case in suite] == ["fires 1", "silent 1", "enough tests"]
    failure = suite[1].find("failure")
    assert failure is not None
    assert failure.text is not None
    assert "wanted nothing" in failure.text
    assert suite[1].get("line") == "20"


def test_variants_are_tested_word_by_word(folder: Path) -> None:
    """Each word in the blank is a test: one that fails is told with its place and the sentence it makes, and the others count."""
    put(
        folder,
        '  silent: ["Nobody moved."]',
        '  silent: ["Nobody moved."]\n  variants:\n    - {fires: "Ruritania {} its host.", words: [marches, hid], who: ruritania}\n'
        '    - {silent: "Nobody said more.", title: "Ruritania {} its host", words: [lost, marches]}',
    )
    ran = tocsin("test", "--rules", folder)
    assert "6 tests, 2 failed" in ran.out
    assert (
        "rules/marching.yaml:22:58: marching variants 1 'hid'\n    Ruritania hid its host.\n  wanted  a signal: who ruritania\n"
        in ran.out
    )
    assert (
        "rules/marching.yaml:23:83: marching variants 2 'marches'\n    Ruritania marches its host | Nobody said more."
        in ran.out
    )
    assert (
        "rules/marching.yaml:22:58: stayed silent: 'Ruritania hid its host.'" in tocsin("check", "--rules", folder).out
    )
    assert "no test touches 0 of 1 forms, 0 of 2 list entries" in ran.out


@pytest.mark.parametrize(
    ("test", "told"),
    [
        pytest.param(
            '{fires: "They {}", silent: "They {}", words: [go]}',
            "write the sentence under `fires` or under `silent`",
            id="both",
        ),
        pytest.param("{words: [go]}", "write the sentence under `fires` or under `silent`", id="neither"),
        pytest.param('{fires: "They go.", words: [go]}', "needs one {} where the words stand in turn", id="no blank"),
        pytest.param(
            '{fires: "{} and {}", words: [go]}', "needs one {} where the words stand in turn", id="two blanks"
        ),
        pytest.param(
            '{silent: "They {}", words: [go], stage: done}',
            "nothing is read out of what stays silent",
            id="silent, yet read",
        ),
        pytest.param('{silent: "They {}", words: [go, go]}', "'go' stands there twice; once is enough", id="twice"),
    ],
)
def test_variants_that_make_no_test(folder: Path, test: str, told: str) -> None:
    """What can be no test is a fault at its place, with what to do."""
    put(folder, '  silent: ["Nobody moved."]', f'  silent: ["Nobody moved."]\n  variants:\n    - {test}')
    (line,) = tocsin("check", "--rules", folder).out.splitlines()
    assert line.startswith("rules/marching.yaml:22:7: variants 1: ")
    assert told in line


def test_a_word_that_makes_a_text_there_is(folder: Path) -> None:
    """A word with which a sentence stands in the tests already is a fault at its place."""
    put(
        folder,
        '  silent: ["Nobody moved."]',
        '  silent: ["Nobody moved."]\n  variants:\n    - {fires: "Ruritania {} its host.", words: [marches, marched]}',
    )
    assert (
        "rules/marching.yaml:22:58: the text stands in the tests already, as fires 1; remove one"
        in tocsin("check", "--rules", folder).out
    )


def test_rules_can_be_named(folder: Path) -> None:
    """Only the rules named are tested; a name that there is not is refused with those that there are."""
    other = RULE.replace("name: marching", "name: strolling").replace('"Nobody moved."', f'"{MARCH}"')
    (folder / "strolling.yaml").write_text(other, encoding="utf-8")
    assert tocsin("test", "--rules", folder, "marching").code == 0
    assert tocsin("test", "--rules", folder).code == 1
    ran = tocsin("test", "--rules", folder, "walking")
    assert (ran.code, ran.err) == (3, f"{folder}: there is no rule walking (there are marching, strolling)\n")


def test_a_date_that_is_none_is_a_fault_of_the_rule(folder: Path) -> None:
    """A date of a story test that cannot be read is told with its place."""
    reports = f'{{source: One, published: yesterday, text: "{MARCH}"}}'
    put(folder, "  silent:", f"  new_story: [[{reports}]]\n  silent:")
    ran = tocsin("test", "--rules", folder)
    assert (ran.code, "rules/marching.yaml:20:30: published: write a date as 2025-03-01" in ran.err) == (2, True), ran
