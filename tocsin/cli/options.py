"""Options and readers that several commands share."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from tocsin.errors import RuleFaults
from tocsin.reading import Entry, entries, lines
from tocsin.rules import Loaded, load

DEFAULT_RULES = Path(__file__).parent.parent.parent / "rules"

rules_option = click.option(
    "--rules", "rules", type=click.Path(path_type=Path), default=DEFAULT_RULES, show_default="the rules of this checkout", help="Folder of the rules."
)
format_option = click.option(
    "--format", "form", type=click.Choice(["table", "ndjson"]), default="table", show_default=True, help="For people, or one JSON object a line."
)
paths_argument = click.argument("paths", nargs=-1, required=True)


def read_inputs(paths: Iterable[str]) -> Iterator[Entry]:
    """The articles the paths name, in order; `-` reads JSON lines or, if it is none, one text from standard input."""
    for path in paths:
        if path != "-":
            yield from entries(Path(path))
            continue
        text = sys.stdin.read()
        if text.lstrip().startswith("{"):
            yield from lines("standard input", iter(text.splitlines()))
        else:
            yield from _one_text(text)


def _one_text(text: str) -> Iterator[Entry]:
    from tocsin.errors import InputFault
    from tocsin.reading import articles

    try:
        yield Entry("standard input", articles("standard-input.txt", text.encode("utf-8", "surrogateescape"))[0])
    except InputFault as fault:
        yield Entry("standard input", fault=fault)


def load_rules(folder: Path) -> Loaded:
    """The rules; faults go to standard error and stop nothing unless no rule is left."""
    loaded = load(folder)
    for fault in loaded.faults:
        click.echo(str(fault), err=True)
    if not loaded.models:
        raise RuleFaults(loaded.faults)
    return loaded


def report_fault(entry: Entry) -> None:
    """Says on standard error why an input could not be used."""
    click.echo(f"rejected: {entry.fault}", err=True)
