"""The checks: each finds what its example shows, at a place, and says how to mend it; each has a code, and is documented."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.marching import RULE
from tests.system import ROOT, Ran, tocsin
from tocsin.checks import CHECKS, GROUPS, OF_CODE, page
from tocsin.rules import load
from tocsin.source import MAX_BYTES, MAX_NODES

RULE_FILE = "marching.yaml"
FEED = "  - {{url: https://example.org/{0}, name: Feed}}\n"
NOT_SHOWN: dict[str, Callable[[Path], object]] = {
    "TOC101": lambda rules: (rules / "strolling.yaml").mkdir(),
    "TOC102": lambda rules: (rules / RULE_FILE).write_text(RULE + "#" * MAX_BYTES, encoding="utf-8"),
    "TOC103": lambda rules: (rules / RULE_FILE).write_text(RULE.replace("Somebody", "Jérôme"), encoding="latin-1"),
    "TOC104": lambda rules: (rules / RULE_FILE).write_text(RULE.replace("Somebody", "\a"), encoding="utf-8"),
    "TOC109": lambda rules: (rules / RULE_FILE).write_text(f"{RULE}tags: [{'a, ' * MAX_NODES}]", encoding="utf-8"),
    "TOC201": lambda rules: rules.rename(rules.parent / "elsewhere"),
    "TOC202": lambda rules: (rules / RULE_FILE).unlink(),
    "TOC404": lambda rules: (rules / "strolling.yaml").write_text(
        RULE.replace("name: marching", "name: strolling"), encoding="utf-8"
    ),
    "TOC604": lambda rules: (rules / "feeds.yaml").write_text(
        f"feeds:\n{''.join(FEED.format(number) for number in range(20_001))}", encoding="utf-8"
    ),
    "TOC215": lambda folder: (folder / "strolling.yml").write_text(RULE, encoding="utf-8"),
}
"""Faults that no part of a file can show, and how they are made."""
SLOW = {"TOC604"}
"""Read by feeds' own reader in seconds: tested there."""


def blocks(text: str) -> dict[str, str]:
    """The top-level fields of a rule, each with all its lines."""
    lines = iter(text.splitlines(keepends=True))
    found: dict[str, str] = {}
    for line in lines:
        key = line.split(":", maxsplit=1)[0]
        if line[0].isspace():
            found[list(found)[-1]] += line
        else:
            found[key] = line
    return found


def broken(example: str) -> str:
    """The sound rule with what an example shows put in the place of its own."""
    if example.startswith("# without "):
        return "".join(block for key, block in blocks(RULE).items() if key != example.removeprefix("# without "))
    return "".join((blocks(RULE) | blocks(example + "\n")).values())


def make(folder: Path, code: str) -> tuple[str | Path, ...]:
    """Makes the fault of a code; returns what to call."""
    check = OF_CODE[code]
    if code in NOT_SHOWN:
        NOT_SHOWN[code](folder)
    elif check.kind == "rule":
        (folder / RULE_FILE).write_text(broken(check.example), encoding="utf-8")
    elif check.kind in {"feeds", "opml"}:
        path = folder.parent / f"list.{'yaml' if check.kind == 'feeds' else 'opml'}"
        path.write_text(check.example, encoding="utf-8")
        return ("check", "--rules", folder, "--format", "ndjson", path)
    elif check.kind == "routes":
        (folder / "routes.yaml").write_text(check.example, encoding="utf-8")
    else:
        place = folder / ("cues" if check.kind == "cues" else "lists") / "extra.yaml"
        place.parent.mkdir(exist_ok=True)
        place.write_text(check.example, encoding="utf-8")
    return ("check", "--rules", folder, "--format", "ndjson")


@pytest.mark.parametrize("code", [check.code for check in CHECKS if check.code not in SLOW])
def test_each_check_finds_its_example(folder: Path, code: str) -> None:
    """What the documentation shows as wrong is found, under the code it is documented with, with a place."""
    ran = tocsin(*make(folder, code))
    rows = [row for row in ran.rows if "code" in row]
    assert ran.code in {1, 2}
    found = [row for row in rows if row["code"] == code]
    assert found, rows
    assert all(row["line"] >= 1 and row["column"] >= 1 and row["what"] and row["file"] for row in found)
    assert found[0]["mend"] == OF_CODE[code].mend


def test_codes_are_one_of_a_kind_and_in_order() -> None:
    """Each code is given once, in order, and belongs to a group."""
    codes = [check.code for check in CHECKS]
    assert codes == sorted(set(codes))
    assert len(codes) >= 40
    assert {code[3] for code in codes} == set(GROUPS)


def test_every_code_in_use_is_documented() -> None:
    """A code that the program prints stands in the registry, and each in the registry is used."""
    files = [path for path in (ROOT / "tocsin").rglob("*.py") if path.name != "checks.py"]
    used = {code for path in files for code in re.findall(r'"(TOC[0-9]{3})"', path.read_text(encoding="utf-8"))}
    assert used == set(OF_CODE)


def test_the_page_is_made_of_the_registry() -> None:
    """docs/checks.md is what `make docs` writes."""
    assert (ROOT / "docs" / "checks.md").read_text(encoding="utf-8") == page()


def checked(folder: Path, form: str) -> Ran:
    """A check of a rule with two faults."""
    (folder / RULE_FILE).write_text(broken("id: one\nrunbok: x, 100%"), encoding="utf-8")
    (folder / "strolling.yaml").write_text(broken("id: one\nname: strolling"), encoding="utf-8")
    return tocsin("check", "--rules", folder, "--format", form)


def test_a_fault_ends_with_its_code(folder: Path) -> None:
    """For people a fault is a line: the place, what is wrong, the mend, and the code."""
    out = checked(folder, "table").out
    assert "rules/marching.yaml:21:1: unknown field 'runbok', did you mean 'runbook'? [TOC204]\n" in out


def test_sarif(folder: Path) -> None:
    """SARIF 2.1.0 holds each fault with its rule, place and message, and each rule once."""
    told = json.loads(checked(folder, "sarif").out)
    (run,) = told["runs"]
    assert told["version"] == "2.1.0"
    names = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert names == sorted(OF_CODE)
    results = {result["ruleId"]: result for result in run["results"]}
    assert set(results) == {"TOC204", "TOC214"}
    place = results["TOC204"]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "rules/marching.yaml"}, "region": {"startLine": 21, "startColumn": 1}}
    assert names[results["TOC204"]["ruleIndex"]] == "TOC204"


def test_github(folder: Path) -> None:
    """Annotations of GitHub are one line each, with what would break the line escaped."""
    lines = checked(folder, "github").out.splitlines()
    assert lines[0].startswith("::error file=rules/marching.yaml,line=21,col=1,title=TOC204::unknown field 'runbok'")
    assert all(line.startswith("::error file=") for line in lines)


def test_the_shipped_lists_of_feeds_have_no_fault(folder: Path) -> None:
    """The list of feeds to begin with is sound, and checked beside the rules."""
    assert tocsin("check", "--rules", folder, ROOT / "infra" / "feeds.yaml").code == 0


def test_no_word_as_written_is_taken_for_a_list(folder: Path) -> None:
    """What was perhaps meant instead of an unknown list is a list, never a word that a form writes out."""
    form = "forms: [{form: <march> ..4 captured, needs: [captued]}]"
    (folder / RULE_FILE).write_text(broken(form), encoding="utf-8")
    rows = tocsin("check", "--rules", folder, "--format", "ndjson").rows
    fault = next(row for row in rows if row["code"] == "TOC303")
    assert "did you mean" not in fault["what"]


@pytest.mark.parametrize(
    ("choices", "unheard"),
    [
        ("<march:past> | strode", '"strode"'),
        ("<march:past> | <host>", "host"),
        ("<march:past> | <host:plural>", "march, host"),
        ("<march:past> | <host:past>", ""),
        ("<march:past> | <march:ing>", ""),
        ("<realms:named> | they", ""),
        ("<march> | strode", ""),
    ],
)
def test_a_choice_that_its_neighbour_binds_is_a_fault(folder: Path, choices: str, unheard: str) -> None:
    """What stands behind a colon holds for every choice beside it: where one of them would be heard otherwise than written, that is told."""
    text = RULE.replace("<march> ..4 <host>", f"({choices}) ..4 <host>")
    (folder / RULE_FILE).write_text(text, encoding="utf-8")
    told = [fault.what for fault in load(folder).faults if fault.code == "TOC316"]
    assert [f"also {unheard};" in what for what in told] == [True] * bool(unheard)
