"""JSON Schema of the YAML files: made of the models, named in every file, and of one mind with `tocsin check`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from tests.core.test_checks import broken
from tests.marching import REALMS, RULE
from tests.system import ROOT, tocsin
from tocsin.checks import CHECKS, Check
from tocsin.kinds import KINDS, kind_of
from tocsin.schemas import HEADER, NONE, schema
from tocsin.source import parse, read

FILES = [*sorted((ROOT / "rules").rglob("*.yaml")), ROOT / "infra" / "feeds.yaml", ROOT / "seeds" / "manifest.yaml"]
LONG = {"relays.yaml", "institutions.yaml"}
"""Lists of names like the others, which take seconds."""
PARTS = {
    "TOC204",
    "TOC205",
    "TOC206",
    "TOC207",
    "TOC208",
    "TOC210",
    "TOC211",
    "TOC212",
    "TOC605",
    "TOC606",
    "TOC608",
    "TOC610",
}
"""Checks of fields and values, which a schema can make."""


def committed(kind: str) -> dict[str, Any]:
    """The schema of a kind as it stands in the checkout."""
    found: dict[str, Any] = json.loads((ROOT / "schemas" / f"{kind}.json").read_text(encoding="utf-8"))
    return found


def faults(kind: str, text: str) -> list[str]:
    """What an editor marks in a file."""
    return [error.message for error in Draft7Validator(committed(kind)).iter_errors(parse(text, "x.yaml").data)]


@pytest.mark.parametrize("kind", KINDS)
def test_the_schemas_are_made_of_the_models(kind: str) -> None:
    """Each committed schema is what `make schemas` writes, but for the names on offer, which change with every list."""
    there = committed(kind)
    for name, part in there.get("definitions", {}).items():
        if name.startswith("x-"):
            offered, free = part["anyOf"]
            assert offered["enum"] == sorted(set(offered["enum"]))
            there["definitions"][name] = free
    assert there == schema(KINDS[kind], NONE)
    Draft7Validator.check_schema(there)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_file_names_its_schema_and_keeps_to_it(path: Path) -> None:
    """The first line of every file leads an editor to the schema of its kind, which finds no fault in it."""
    source = read(path)
    kind = kind_of(source.data).name
    first = source.text.split("\n", maxsplit=1)[0]
    assert first.startswith(HEADER)
    assert (path.parent / first.removeprefix(HEADER)).resolve() == ROOT / "schemas" / f"{kind}.json"
    assert path.name in LONG or faults(kind, source.text) == []


@pytest.mark.parametrize("check", [one for one in CHECKS if one.code in PARTS], ids=lambda check: check.code)
def test_what_check_finds_wrong_with_a_field_an_editor_finds(check: Check) -> None:
    """Each check of a field or value has an example in which the schema finds a fault as well."""
    text = broken(check.example) if check.kind == "rule" else check.example
    assert faults(check.kind, text)


def test_sound_files_have_no_fault() -> None:
    """A sound rule and a sound list are sound for an editor, with names of their own."""
    assert faults("rule", RULE) == []
    assert faults("names", REALMS) == []
    assert faults("expectations", "marching: {alerts: {exactly: 3}}") == []


def test_names_are_on_offer() -> None:
    """Lists, cues and slugs of the shipped rules are offered where one is asked for."""
    names = {
        name: part["anyOf"][0]["enum"]
        for name, part in committed("rule")["definitions"].items()
        if name.startswith("x-")
    }
    assert {"states", "troops", "theatres"} <= set(names["x-lists"])
    assert "adopted" in names["x-cues"]
    assert "north-korea" in names["x-slugs"]


def test_the_command(folder: Path, tmp_path: Path) -> None:
    """One schema is printed, or all are written into a folder, with the names of the rules at hand."""
    printed = json.loads(tocsin("schema", "--rules", folder, "rule").out)
    assert printed["definitions"]["x-lists"]["anyOf"][0] == {"enum": ["realms"]}
    assert tocsin("schema", "--rules", folder, "--write", tmp_path / "out").code == 0
    assert json.loads((tmp_path / "out" / "rule.json").read_text(encoding="utf-8")) == printed
    assert sorted(path.stem for path in (tmp_path / "out").iterdir()) == sorted(KINDS)
    assert tocsin("schema").code == 3


def test_the_settings_of_the_editor_name_files_that_there_are() -> None:
    """What `.vscode/` names is there, and the pattern by which faults are found in the output fits it."""
    settings = json.loads((ROOT / ".vscode" / "settings.json").read_text(encoding="utf-8"))
    for name, globs in settings["yaml.schemas"].items():
        assert (ROOT / name).is_file()
        assert any(list(ROOT.glob(one)) for one in globs if not one.startswith("!"))
    check, _ = json.loads((ROOT / ".vscode" / "tasks.json").read_text(encoding="utf-8"))["tasks"]
    pattern = check["problemMatcher"]["pattern"]["regexp"]
    found = re.match(pattern, "rules/marching.yaml:21:1: unknown field 'runbok', did you mean 'runbook'? [TOC204]")
    assert found
    assert found.groups() == (
        "rules/marching.yaml",
        "21",
        "1",
        "unknown field 'runbok', did you mean 'runbook'?",
        "TOC204",
    )
