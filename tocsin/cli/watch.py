"""`tocsin watch`: on every save what is wrong, which tests fail, and what the edit does to alerts."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from tocsin.cli import FINDINGS, FINE
from tocsin.cli.backtest import row_of
from tocsin.cli.bench import Bench, Failure, Round
from tocsin.cli.diff import base_of, counts_of
from tocsin.cli.diff import show as show_changes
from tocsin.cli.options import format_option, rules_option, so_many
from tocsin.cli.test import show_failure
from tocsin.cli.verdicts import verdicts
from tocsin.errors import InputFault
from tocsin.rulefiles import paths_of
from tocsin.rules import Loaded, Shelf, load

PAUSE = 0.1
"""Seconds between two looks at the folder."""


@click.command("watch")
@rules_option
@format_option
@click.option(
    "--base", default="HEAD", show_default=True, metavar="REV|DIR",
    help="What alerts are compared with: a revision of git, or a folder. Where there is none, the rules as they are now.",
)  # fmt: skip
@click.option("--once", is_flag=True, help="Look once, and stop: for scripts.")
def command(rules: Path, form: str, base: str, *, once: bool) -> int:
    """Looks at the rules on every save: faults, inline tests that fail, and which alerts the edits add, drop, merge, split or change.

    Files are read again only where they changed, and articles only where the edit may touch them. Stop it with Ctrl-C.
    """
    shelf = Shelf()
    bench = Bench(rules, _base(rules, base, shelf), shelf, verdicts())
    missed: tuple[Failure, ...] = ()
    for _ in _saves(rules, once=once):
        began = time.monotonic()
        found = bench.read()
        (_checked_rows if form == "ndjson" else _show_checked)(found, time.monotonic() - began)
        found = bench.tried(found)
        (_rows if form == "ndjson" else _show)(found, time.monotonic() - began)
        began = time.monotonic()
        words, missed = bench.vary()
        (_vary_rows if form == "ndjson" else _show_varied)(words, missed, time.monotonic() - began)
    return FINDINGS if found.faults or found.failures or missed else FINE


def _show_varied(words: int, missed: Sequence[Failure], took: float) -> None:
    for failure in missed:
        show_failure(failure.outcome, failure.at)
    if words:
        click.echo(f"{words:,} words of variants, {len(missed)} failed  ({took:.1f} s)")


def _vary_rows(words: int, missed: Sequence[Failure], took: float) -> None:
    for failure in missed:
        click.echo(json.dumps(_failed(failure), ensure_ascii=False))
    if words:
        click.echo(json.dumps({"variants": {"words": words, "failed": len(missed), "seconds": round(took, 2)}}))


def _failed(failure: Failure) -> dict[str, object]:
    at = {"file": failure.at.file, "line": failure.at.line, "column": failure.at.column}
    return {"failed": {**asdict(failure.outcome), **at}}


def _base(rules: Path, base: str, shelf: Shelf) -> Loaded:
    """What to compare with; the folder itself where it is in no history."""
    try:
        with base_of(rules, base) as folder:
            return load(folder, shelf)
    except InputFault as fault:
        click.echo(f"compared with the rules as they are now: {fault}", err=True)
        return load(rules, shelf)


def _saves(rules: Path, *, once: bool) -> Iterator[None]:
    """Once at first, then whenever a file of the folder was saved, came or went. Saves in quick succession are one."""
    seen = _stamps(rules)
    yield
    while not once:
        time.sleep(PAUSE)
        now = _stamps(rules)
        if now != seen:
            while (later := _settled(rules)) != now:
                now = later
            seen = now
            yield


def _settled(rules: Path) -> Mapping[str, tuple[int, int]]:
    time.sleep(PAUSE / 3)
    return _stamps(rules)


def _stamps(rules: Path) -> Mapping[str, tuple[int, int]]:
    """File → when it was changed, and how long it is."""
    found = {}
    for path in paths_of(rules).values():
        try:
            told = path.stat()
        except OSError:  # it just went
            continue
        found[str(path)] = told.st_mtime_ns, told.st_size
    return found


def _show_checked(found: Round, took: float) -> None:
    """What is wrong with the files; the tests follow."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    if console.is_terminal:
        console.clear()
    for fault in found.faults:
        console.print(Text(str(fault), style="red"))
    told = f"{so_many(found.rules, 'rule')}, {so_many(len(found.faults), 'fault')}"
    console.print(Text(f"{time.strftime('%H:%M:%S')}  {told}  ({took:.1f} s)", style="dim"))


def _show(found: Round, took: float) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for failure in found.failures:
        show_failure(failure.outcome, failure.at)
    if found.changes:
        show_changes(found.changes, "against the base")
    told = f"{so_many(found.rules, 'rule')}, {so_many(len(found.faults), 'fault')}; "
    told += f"{so_many(found.tests, 'test')}, {len(found.failures)} failed; "
    told += counts_of(found.changes) if found.changes is not None else "alerts are compared once the faults are mended"
    style = "bold red" if found.faults or found.failures else "bold green"
    console.print(Text(f"{time.strftime('%H:%M:%S')}  {told}  ({took:.1f} s)", style=style))


def _checked_rows(found: Round, took: float) -> None:
    """A line for each fault, and one that says that the files were checked."""
    for fault in found.faults:
        click.echo(json.dumps({"fault": asdict(fault)}, ensure_ascii=False))
    told = {"rules": found.rules, "faults": len(found.faults), "seconds": round(took, 2)}
    click.echo(json.dumps({"checked": told}))


def _rows(found: Round, took: float) -> None:
    """A line for each failure and change, and one that ends the round."""
    for failure in found.failures:
        click.echo(json.dumps(_failed(failure), ensure_ascii=False))
    for case, change in found.changes or ():
        row = {"change": change.kind, "case": case, "detail": change.detail, **row_of(change.alert)}
        click.echo(json.dumps(row, ensure_ascii=False))
    summary = {
        "rules": found.rules, "faults": len(found.faults), "tests": found.tests, "failed": len(found.failures),
        "changes": None if found.changes is None else len(found.changes), "seconds": round(took, 2),
    }  # fmt: skip
    click.echo(json.dumps({"round": summary}))
