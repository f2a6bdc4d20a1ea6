"""`tocsin test`: the inline tests of the rules, and what they leave untouched."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tocsin.cli import FINDINGS, FINE
from tocsin.cli.options import format_option, load_models, rules_option, so_many
from tocsin.cli.sound import Sound
from tocsin.errors import Fault, InputFault

if TYPE_CHECKING:
    from tocsin.cli.verdicts import Verdict
    from tocsin.coverage import Coverage, Share
    from tocsin.rules import Loaded
    from tocsin.source import Source
    from tocsin.trial import Outcome


@dataclass(frozen=True, slots=True)
class _Tried:
    """What came of one rule's tests."""

    verdict: Verdict
    status: str
    source: Source
    """The rule's file."""
    short: tuple[Fault, ...]
    """The kinds of test of which it has too few."""

    @property
    def name(self) -> str:
        """The rule."""
        return self.verdict.rule

    @property
    def outcomes(self) -> list[Outcome]:
        """What came of each test."""
        return [one.outcome for one in self.verdict.tested]

    @property
    def failed(self) -> list[tuple[Outcome, Fault]]:
        """The tests that did not come out, with their places."""
        return [(one, self.at(one)) for one in self.verdict.failed]

    def at(self, outcome: Outcome) -> Fault:
        """Where the test stands; looked for only when it is told."""
        return self.source.fault(outcome.path, "; ".join(outcome.faults), outcome.code)


@click.command("test")
@rules_option
@format_option
@click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), help="Write the outcomes as JUnit XML, too.")
@click.option("--coverage", "listed", is_flag=True, help="List the forms, list entries and cues that no test touches.")
@click.option(
    "--mutate",
    "mutates",
    is_flag=True,
    help="Instead, change one thing of a rule at a time, and list what its tests do not notice.",
)
@click.option(
    "--sample",
    type=click.IntRange(0),
    default=200,
    show_default=True,
    help="With --mutate: mutants tried of each rule; 0 for all.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="With --mutate: which sample.")
@click.option(
    "--least",
    type=click.IntRange(0, 100),
    default=0,
    show_default=True,
    help="With --mutate: percent of a stable rule's mutants to be noticed.",
)
@click.option(
    "--write",
    "writes",
    is_flag=True,
    help="With --mutate: add tests to the rules that notice what survives, made of their sentences; read them before you keep them.",
)
@click.argument("names", nargs=-1, metavar="[RULE]...")
def command(  # noqa: PLR0913 - a command has a parameter for each option
    rules: Path,
    form: str,
    junit: Path | None,
    sample: int,
    seed: int,
    least: int,
    *,
    listed: bool,
    mutates: bool,
    writes: bool,
    names: tuple[str, ...],
) -> int:
    """Runs the tests at the bottom of each rule, or of the rules named, and says of each that fails what came instead, and why.

    RULE: its name, or its file. A rule that has too few tests for its status fails as well. With --mutate the stable rules, or those named,
    are changed in one place at a time: a form deleted, a gap widened, a choice, a key, a cue or an entry of a list left out, also of the
    shared word lists they read. Each change that neither a test of theirs nor the seeds notice is listed: there a test is missing, or the
    thing does nothing. Lists of names are left as they are.
    """
    whole = not (names or mutates or listed or junit or form == "ndjson")
    sound = Sound("test", rules) if whole else None
    if sound and (told := sound.told):
        _table(told)
        return FINE
    checked = Sound("check", rules) if whole else None
    loaded = load_models(rules)
    names = tuple(Path(name).stem if name.endswith(".yaml") else name for name in names)
    for name in names:
        _known(name, loaded, rules)
    if mutates:
        from tocsin.cli.mutate import mutate

        return mutate(
            rules,
            loaded,
            names or [name for name, rule in loaded.models.items() if rule.status == "stable"],
            form,
            sample,
            seed,
            least,
            writes=writes,
        )
    from tocsin.cli.verdicts import verdicts

    tried = _each(loaded, verdicts().of(loaded, names or loaded.models))
    shares = [] if names else _coverage(loaded, tried).shares(loaded)
    if form == "ndjson":
        _rows(tried, shares, listed=listed)
    else:
        _show(tried, shares, listed=listed)
        if sound and not loaded.faults and not any(one.failed or one.short for one in tried):
            sound.keep(_told(tried, shares))
            _checked(checked, loaded, rules)
    if junit:
        junit.parent.mkdir(parents=True, exist_ok=True)
        junit.write_bytes(_xml(tried))
    return FINDINGS if loaded.faults or any(one.failed or one.short for one in tried) else FINE


def summed(loaded: Loaded, found: Sequence[Verdict]) -> dict[str, Any]:
    """What `tocsin test` says of rules whose tests all came out."""
    tried = _each(loaded, found)
    return _told(tried, _coverage(loaded, tried).shares(loaded))


def _each(loaded: Loaded, found: Sequence[Verdict]) -> list[_Tried]:
    return [
        _Tried(one, loaded.models[one.rule].status, loaded.sources[one.rule], _short(loaded, one.rule)) for one in found
    ]


def _checked(sound: Sound | None, loaded: Loaded, rules: Path) -> None:
    """Whoever runs `tocsin check` next need not wait again, where it has nothing to say."""
    from tocsin.cli.check import summed_up
    from tocsin.cli.faults import faults_of

    if sound and not faults_of(rules, loaded):
        sound.keep(summed_up(loaded))


def _known(name: str, loaded: Loaded, rules: Path) -> None:
    """`InputFault` where there is no such rule, or none that loads."""
    if name in loaded.models:
        return
    if any(Path(fault.file).stem == name for fault in loaded.faults):
        raise InputFault("none of its tests was run", name, "mend the faults told above")
    from tocsin.rules import near

    what = f"there is no rule {name}{near(name, loaded.models)}"
    raise InputFault(what, str(rules), f"there are {', '.join(loaded.models)}")


def _short(loaded: Loaded, name: str) -> tuple[Fault, ...]:
    from tocsin.demands import untested

    return tuple(untested(loaded.models[name], loaded.sources[name]))


def _coverage(loaded: Loaded, tried: Sequence[_Tried]) -> Coverage:
    """What the tests of all rules touch."""
    from tocsin.coverage import Coverage
    from tocsin.trial import texts

    coverage = Coverage()
    for one in tried:
        coverage.forms.update((one.name, form) for form in one.verdict.forms)
        coverage.cues.update(one.verdict.cues)
        coverage.texts.extend(texts(loaded.models[one.name]))
    return coverage


def _rows(tried: Sequence[_Tried], shares: Sequence[Share], *, listed: bool) -> None:
    """The output as JSON lines: each test, each shortage, and a summary."""
    for one in tried:
        for outcome in one.outcomes:
            at = one.at(outcome)
            row = {**asdict(outcome), "passed": outcome.passed, "file": at.file, "line": at.line, "column": at.column}
            click.echo(json.dumps(row, ensure_ascii=False))
        for fault in one.short:
            click.echo(json.dumps({"rule": one.name, "short": fault.what, "file": fault.file, "line": fault.line}))
    summary = {
        "rules": len(tried), "tests": sum(one.verdict.counts.total() for one in tried), "failed": sum(len(one.failed) for one in tried),
        "short": sum(len(one.short) for one in tried),
        "untouched": {share.kind: {"total": share.total, "untouched": share.untouched} for share in shares},
    }  # fmt: skip
    for fault in (gap.fault for share in shares for gap in share.missing if listed):
        click.echo(json.dumps({"untouched": fault.what, "file": fault.file, "line": fault.line}, ensure_ascii=False))
    click.echo(json.dumps({"summary": summary}))


def _show(tried: Sequence[_Tried], shares: Sequence[Share], *, listed: bool) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for one in tried:
        for outcome, at in one.failed:
            show_failure(outcome, at)
        for fault in one.short:
            console.print(Text(str(fault), style="yellow"))
    gaps = [str(gap.fault) for share in shares for gap in share.missing] if listed else None
    _table(_told(tried, shares), gaps)


def _told(tried: Sequence[_Tried], shares: Sequence[Share]) -> dict[str, Any]:
    """What the table says, and the lines below it."""
    from tocsin.trial import KINDS

    return {
        "columns": [
            kind.removesuffix("_story") for kind in KINDS
        ],  # so that the widest fits into a terminal of 80 letters
        "rows": [[one.name, one.status, *(_count(one, kind) for kind in KINDS)] for one in tried],
        "tests": sum(one.verdict.counts.total() for one in tried),
        "failed": sum(len(one.failed) for one in tried),
        "short": sum(len(one.short) for one in tried),
        "untouched": [f"{share.untouched} of {share.total} {share.kind}" for share in shares],
    }


def _table(told: Mapping[str, Any], gaps: Sequence[str] | None = None) -> None:
    """Prints how many tests of each rule came out, and what none touches; `gaps` are listed."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for column in ("rule", "status", *told["columns"]):
        table.add_column(column, justify="left" if column in {"rule", "status"} else "right", no_wrap=True)
    for row in told["rows"]:
        table.add_row(*row)
    console.print(table)
    line = f"{so_many(told['tests'], 'test')}, {told['failed']} failed"
    line += f", {so_many(told['short'], 'demand')} unmet" if told["short"] else ""
    console.print(Text(line, style="bold red" if told["failed"] or told["short"] else "bold green"))
    for gap in gaps or ():
        console.print(Text(gap))
    if told["untouched"]:
        line = f"no test touches {', '.join(told['untouched'])}"
        console.print(Text(line + ("; --coverage lists them" if gaps is None else ""), style="dim"))


def _count(one: _Tried, kind: str) -> str:
    total = one.verdict.counts[kind]
    failed = sum(outcome.kind == kind for outcome in one.verdict.failed)
    return f"[bold red]{total - failed} of {total}[/]" if failed else f"{total}"


def show_failure(outcome: Outcome, at: Fault) -> None:
    """Prints a test that failed: the text, what was wanted, what came, and why."""
    from rich.console import Console
    from rich.text import Text

    from tocsin.trial import STORIES

    console = Console(highlight=False, soft_wrap=True)
    console.print(Text(f"{at.file}:{at.line}:{at.column}: {outcome.rule} {outcome.name}", style="bold red"))
    for line in outcome.text.splitlines():
        console.print(Text(f"    {line}"))
    console.print(Text(f"  wanted  {outcome.wanted}", style="green"))
    console.print(Text(f"  got     {outcome.got}", style="red"))
    for fault in outcome.faults if outcome.kind in STORIES else ():
        console.print(Text(f"          {fault}", style="red"))
    for line in outcome.why:
        console.print(Text(f"  why     {line}", style="dim"))


def _xml(tried: Sequence[_Tried]) -> bytes:
    """The outcomes as JUnit XML: a suite for each rule, a case for each test, and one for enough tests."""
    from xml.etree import ElementTree as ET

    root = ET.Element("testsuites", name="tocsin test")
    for one in tried:
        failures = len(one.failed) + bool(one.short)
        suite = ET.SubElement(
            root, "testsuite", name=one.name, tests=str(len(one.outcomes) + 1), failures=str(failures)
        )
        for outcome in one.outcomes:
            at = one.at(outcome)
            case = ET.SubElement(
                suite, "testcase", classname=one.name, name=outcome.name, file=at.file, line=str(at.line)
            )
            if not outcome.passed:
                told = "\n".join(
                    [str(at), outcome.text, f"wanted {outcome.wanted}", f"got {outcome.got}", *outcome.why]
                )
                ET.SubElement(case, "failure", message=_printable("; ".join(outcome.faults))).text = _printable(told)
        case = ET.SubElement(suite, "testcase", classname=one.name, name="enough tests")
        if one.short:
            told = "\n".join(str(fault) for fault in one.short)
            ET.SubElement(case, "failure", message=_printable(one.short[0].what)).text = _printable(told)
    ET.indent(root)
    body: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return body + b"\n"


def _printable(text: str) -> str:
    """The text without what XML has no way to write."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "\ufffd" for letter in text)
