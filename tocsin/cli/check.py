"""`tocsin check`: faults of the rules and of lists of feeds, and the tests at the bottom of each rule."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from tocsin import __version__
from tocsin.adapters.rulebook import models
from tocsin.checks import CHECKS, OF_CODE
from tocsin.cli import FINDINGS, FINE, RULES_UNREADABLE
from tocsin.cli.options import rules_option
from tocsin.cli.sound import Sound
from tocsin.errors import Fault, RuleFaults


@click.command("check")
@rules_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "ndjson", "sarif", "github"]),
    default="table",
    show_default=True,
    help="For people, one JSON object a line, SARIF 2.1.0, or annotations of GitHub.",
)
@click.option("--fix", "mends", is_flag=True, help="First mend what can surely be mended, and say what was.")
@click.argument("lists", nargs=-1, type=click.Path(path_type=Path), metavar="[FEEDS]...")
def command(rules: Path, form: str, lists: tuple[Path, ...], *, mends: bool) -> int:
    """Prints every fault of rules and routes as file:line:column, then runs the inline tests of every rule that loads.

    FEEDS: lists of feeds, as YAML or OPML, to be checked as well. docs/checks.md tells of each check by its code.

    With --fix encoding, line ends, tabs in indentation, fields that are surely misspelt and words without quotes that other readers of YAML
    take for something else are mended. What could be meant in two ways stays a fault.
    """
    if mends:
        _mend([*sorted(rules.glob("*.yaml")), *sorted(rules.glob("[lc]*s/*.yaml")), *lists])
    of_feeds: list[Fault] = []
    if lists:
        from tocsin.cli.faults import faults_of_feeds

        of_feeds = [*faults_of_feeds(lists)]
    try:
        found = _looked(rules)
    except RuleFaults as error:
        _write(form, [*error.faults, *of_feeds])
        return RULES_UNREADABLE
    faults = [*found.faults, *of_feeds]
    _write(form, sorted([*faults, *found.failed]))
    told = f"{found.rules} rules, {len(faults)} faults, {found.tests} inline tests, {len(found.failed)} failed"
    click.echo(told, err=True)
    if not found.rules:
        return RULES_UNREADABLE
    return FINDINGS if faults or found.failed else FINE


@dataclass(frozen=True, slots=True)
class _Looked:
    """What was found in a folder: how many rules that load, and tests of them, every fault, and the tests that fail."""

    rules: int
    tests: int
    faults: Sequence[Fault] = ()
    failed: Sequence[Fault] = ()


def _looked(rules: Path) -> _Looked:
    """What is found in a folder; where nothing was wrong with it before and nothing is changed, what was found then."""
    sound = Sound("check", rules)
    if (told := sound.told) is not None:
        return _Looked(**told)
    from tocsin.cli.faults import failed_tests, faults_of

    loaded = models(rules)
    count = sum(rule.tests.counts().total() for rule in loaded.models.values())
    found = _Looked(len(loaded.models), count, faults_of(rules, loaded), [*failed_tests(loaded)])
    if found.rules and not found.faults and not found.failed:
        sound.keep({"rules": found.rules, "tests": found.tests})
    return found


def _mend(paths: Sequence[Path]) -> None:
    """Writes each file as far as it can surely be mended, and says on standard error what was mended."""
    from tocsin.repair import repaired
    from tocsin.source import MAX_BYTES

    for path in paths:
        try:
            raw = path.read_bytes() if path.is_file() and path.stat().st_size <= MAX_BYTES else b""
            found = repaired(raw, str(path))
            if found.mends:
                path.write_bytes(found.text.encode())
        except (OSError, RuleFaults):  # a fault that is told below
            continue
        for mend in found.mends:
            click.echo(f"{mend.file}:{mend.line}:{mend.column}: mended: {mend.what}", err=True)


def _write(form: str, faults: Sequence[Fault]) -> None:
    if form == "sarif":
        click.echo(json.dumps(_sarif(faults), ensure_ascii=False, indent=2))
        return
    for fault in faults:
        click.echo(_WRITTEN[form](fault))


def _row(fault: Fault) -> str:
    check = OF_CODE.get(fault.code)
    return json.dumps({**asdict(fault), "mend": check.mend if check else ""}, ensure_ascii=False)


def _annotation(fault: Fault) -> str:
    """A workflow command of GitHub Actions, with what would end it early escaped."""
    place = ",".join(
        [f"file={_escaped(fault.file)}", f"line={fault.line}", f"col={fault.column}", f"title={fault.code}"]
    )
    message = fault.what.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::error {place}::{message}"


def _escaped(value: str) -> str:
    for letter, code in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"), (":", "%3A"), (",", "%2C")):
        value = value.replace(letter, code)
    return value


_WRITTEN: Mapping[str, Callable[[Fault], str]] = {"table": str, "ndjson": _row, "github": _annotation}


def _sarif(faults: Sequence[Fault]) -> dict[str, Any]:
    """The faults as SARIF 2.1.0, with every check there is."""
    numbers = {check.code: number for number, check in enumerate(CHECKS)}
    rules = [
        {
            "id": check.code,
            "shortDescription": {"text": check.what},
            "fullDescription": {"text": check.why},
            "help": {"text": check.mend},
        }
        for check in CHECKS
    ]
    results = [
        {
            "ruleId": fault.code,
            "ruleIndex": numbers.get(fault.code, -1),
            "level": "error",
            "message": {"text": fault.what},
            "locations": [{
                "physicalLocation": {
                    "artifactLocation": {"uri": Path(fault.file).as_posix()},
                    "region": {"startLine": fault.line, "startColumn": fault.column},
                }
            }],
        }
        for fault in faults
    ]  # fmt: skip
    driver = {"name": "Tocsin", "version": __version__, "rules": rules}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }
