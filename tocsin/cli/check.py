"""`tocsin check`: faults of the rules and of lists of feeds, and the tests at the bottom of each rule."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tocsin import __version__
from tocsin.adapters.rulebook import models
from tocsin.checks import CHECKS, OF_CODE
from tocsin.cli import FINDINGS, FINE, RULES_UNREADABLE
from tocsin.cli.options import rules_option, so_many
from tocsin.cli.sound import Sound
from tocsin.errors import Fault, RuleFaults
from tocsin.rulefiles import paths_of

if TYPE_CHECKING:
    from tocsin.rules import Loaded


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
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
def command(rules: Path, form: str, paths: tuple[Path, ...], *, mends: bool) -> int:
    """Prints every fault of rules and routes as file:line:column, then runs the inline tests of every rule that loads.

    PATHS: files of the rules, to be told of these alone; and lists of feeds, as YAML or OPML, to be checked as well. docs/checks.md tells of
    each check by its code.

    With --fix encoding, line ends, tabs in indentation, fields that are surely misspelt and words without quotes that other readers of YAML
    take for something else are mended. What could be meant in two ways stays a fault.
    """
    own = {name: path for path in paths if (name := _in_rules(rules, path))}
    lists = [path for path in paths if path not in own.values()]
    if mends:
        mended = {_in_rules(rules, path): path for path in paths_of(rules).values()}
        _mend({name: path for name, path in mended.items() if _among(name, own)} | {str(path): path for path in lists})
    page = _Page(form)
    of_feeds: list[Fault] = []
    if lists:
        from tocsin.cli.faults import faults_of_feeds

        of_feeds = [*faults_of_feeds(lists)]
        page.tell(of_feeds)
    try:
        found = _looked(rules, own, page.tell)
    except RuleFaults as error:
        page.tell(error.faults)
        page.end()
        return RULES_UNREADABLE
    page.tell(found.failed)
    page.end()
    faults = [*found.faults, *of_feeds]
    line = f"{so_many(found.rules, 'rule')}, {so_many(len(faults), 'fault')}, {so_many(found.tests, 'inline test')}, {len(found.failed)} failed"
    click.echo(line + (f"; {so_many(found.elsewhere, 'fault')} in other files" if found.elsewhere else ""), err=True)
    if not found.loads:
        return RULES_UNREADABLE
    return FINDINGS if faults or found.failed else FINE


@dataclass(frozen=True, slots=True)
class _Looked:
    """What was found in the files that were asked about: how many rules that load, and tests of them, every fault, and the tests that fail."""

    rules: int
    tests: int
    faults: Sequence[Fault] = ()
    failed: Sequence[Fault] = ()
    elsewhere: int = 0
    """Faults in other files."""
    loads: bool = True
    """Whether any rule does."""


def _looked(rules: Path, own: Mapping[str, Path], tells: Callable[[Sequence[Fault]], None]) -> _Looked:
    """What is found in some files of a folder, or in all; where nothing was wrong with all and nothing is changed, what was found then.

    Faults are told before the tests are tried, which may take a while.
    """
    sound = None if own else Sound("check", rules)
    if sound and (known := sound.told):
        return _Looked(**known)
    tested = Sound("test", rules) if sound else None
    from tocsin.cli.faults import faults_of, told
    from tocsin.cli.verdicts import verdicts

    loaded = models(rules)
    every = faults_of(rules, loaded)
    asked = [name for name, source in loaded.sources.items() if name in loaded.models and _among(source.file, own)]
    gone = [
        Fault(name, 1, 1, "cannot be read: there is no such file; check the path", "TOC101")
        for name, path in own.items()
        if not path.exists()
    ]
    faults = sorted([*(fault for fault in every if _among(fault.file, own)), *gone])
    tells(faults)
    came = verdicts().of(loaded, asked)
    found = _Looked(
        len(asked),
        sum(loaded.models[name].tests.counts().total() for name in asked),
        faults,
        sorted(told(loaded, (one for verdict in came for one in verdict.failed))),
        sum(not _among(fault.file, own) for fault in every),
        loads=bool(loaded.models),
    )
    if sound and tested and found.loads and not every and not found.failed:
        from tocsin.cli.test import summed

        sound.keep(summed_up(loaded))
        tested.keep(summed(loaded, came))  # whoever asks for the tests next need not wait again
    return found


def _among(file: str, own: Collection[str]) -> bool:
    """Whether a file is one of those that were asked about, or lies in one; each is where none was."""
    return not own or any(file == one or file.startswith(f"{one}/") for one in own)


def _in_rules(rules: Path, path: Path) -> str:
    """What a file or folder of the rules is called where faults are told; empty for any other."""
    place, home = path.resolve(), rules.resolve()
    return str((rules / place.relative_to(home)).relative_to(rules.parent)) if place.is_relative_to(home) else ""


def summed_up(loaded: Loaded) -> dict[str, int]:
    """What `tocsin check` says of a folder with which nothing is wrong."""
    return {"rules": len(loaded.models), "tests": sum(rule.tests.counts().total() for rule in loaded.models.values())}


def _mend(paths: Mapping[str, Path]) -> None:
    """Writes each file as far as it can surely be mended, and says on standard error what was mended."""
    from tocsin.repair import repaired
    from tocsin.source import MAX_BYTES

    for name, path in paths.items():
        try:
            raw = path.read_bytes() if path.is_file() and path.stat().st_size <= MAX_BYTES else b""
            found = repaired(raw, name)
            if found.mends:
                path.write_bytes(found.text.encode())
        except (OSError, RuleFaults):  # a fault that is told below
            continue
        for mend in found.mends:
            click.echo(f"{mend.file}:{mend.line}:{mend.column}: mended: {mend.what}", err=True)


class _Page:
    """Where faults are written, each as soon as it is known; SARIF, which is one document, in the end."""

    def __init__(self, form: str) -> None:
        self._form = form
        self._told: list[Fault] = []

    def tell(self, faults: Sequence[Fault]) -> None:
        """Writes some faults."""
        self._told += faults
        for fault in faults if self._form != "sarif" else ():
            click.echo(_WRITTEN[self._form](fault))

    def end(self) -> None:
        """There are no more."""
        if self._form == "sarif":
            click.echo(json.dumps(_sarif(sorted(self._told)), ensure_ascii=False, indent=2))


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
