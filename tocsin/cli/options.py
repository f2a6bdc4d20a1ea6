"""Options and readers that several commands share."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tocsin.adapters.rulebook import models, rulebook
from tocsin.artefact import Artefact
from tocsin.errors import InputFault, RuleFaults
from tocsin.reading import MAX_FILE, PACKED, Entry, articles, contents, entries, lines, unpacked

if TYPE_CHECKING:
    from tocsin.rules import Loaded  # which most commands need not wait for

DEFAULT_RULES = Path(__file__).parent.parent.parent / "rules"
STANDARD_INPUT = "standard-input"

rules_option = click.option(
    "--rules",
    "rules",
    type=click.Path(path_type=Path),
    default=DEFAULT_RULES,
    show_default="the rules of this checkout",
    help="Folder of the rules.",
)
format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "ndjson"]),
    default="table",
    show_default=True,
    help="For people, or one JSON object a line.",
)
stack_option = click.option(
    "--stack-name",
    default="tocsin",
    show_default=True,
    envvar="TOCSIN_STACK",
    show_envvar=True,
    help="The deployed stack.",
)


def so_many(count: int, what: str) -> str:
    """A number with what is counted: 1 fault, 2 faults."""
    return f"{count:,} {what}" + "s" * (count != 1)


def as_line(row: Mapping[str, Any]) -> str:
    """A row as one line of JSON; what a terminal would obey, or no encoding can write, is escaped."""
    text = json.dumps(row, ensure_ascii=False)
    return text if text.isprintable() else "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in text)


def period(_context: click.Context, _parameter: click.Parameter, value: str | None) -> timedelta | None:
    """A length of time: 12h, 7d or 2w."""
    from tocsin import silencing  # which knows stories, as few commands must

    try:
        return silencing.period(value) if value is not None else None
    except InputFault as fault:
        raise click.BadParameter(fault.mend) from fault


def moment(_context: click.Context, _parameter: click.Parameter, value: str | None) -> datetime | None:
    """A moment, in UTC unless it says otherwise."""
    if value is None:
        return None
    try:
        when = datetime.fromisoformat(value)
        return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise click.BadParameter("write 2025-03-01 or 2025-03-01T18:00") from error


paths_argument = click.argument("paths", nargs=-1, required=True)


def read_inputs(paths: Iterable[str]) -> Iterator[Entry]:
    """The articles the paths name, in order; `-` reads JSON, JSON lines or, if it is neither, one text from standard input."""
    for path in paths:
        if path == "-":
            yield from _standard_input(sys.stdin.buffer.read())
        elif path.startswith("s3://"):
            yield from _bucket(path)
        else:
            yield from entries(Path(path))


def _bucket(address: str) -> Iterator[Entry]:
    """The articles under s3://BUCKET/PREFIX, in the order of the keys."""
    from tocsin.adapters.stack import bucket

    name, _, prefix = address.removeprefix("s3://").partition("/")
    with bucket(name) as archive:
        for key in archive.keys(prefix):
            where = f"s3://{name}/{key}"
            try:
                body = archive.read(key, limit=MAX_FILE)
                yield from unpacked(where, body) if key.endswith(PACKED) else contents(where, body)
            except InputFault as fault:
                yield Entry(where, fault=fault)


def _standard_input(body: bytes) -> Iterator[Entry]:
    try:
        if not body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
            yield Entry(STANDARD_INPUT, articles(f"{STANDARD_INPUT}.txt", body)[0])
        elif _is_json(body):
            yield Entry(STANDARD_INPUT, articles(f"{STANDARD_INPUT}.json", body)[0])
        else:
            yield from lines(STANDARD_INPUT, iter(body.decode("utf-8-sig").split("\n")))
    except UnicodeDecodeError as error:
        yield Entry(
            STANDARD_INPUT,
            fault=InputFault(f"is not UTF-8 ({error.reason})", STANDARD_INPUT, "pipe text in the encoding UTF-8"),
        )
    except InputFault as fault:
        yield Entry(STANDARD_INPUT, fault=fault)


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def load_rules(folder: Path) -> Artefact:
    """The rules; faults go to standard error and stop nothing unless no rule is left."""
    found = rulebook(folder)
    for fault in found.faults:
        click.echo(str(fault), err=True)
    return found


def load_models(folder: Path) -> Loaded:
    """The rules as `load_rules` has them, with the models and places of everything written in them."""
    loaded = models(folder)
    if not loaded.models:
        raise RuleFaults(loaded.faults)
    for fault in loaded.faults:
        click.echo(str(fault), err=True)
    return loaded


def report_fault(entry: Entry) -> None:
    """Says on standard error why an input could not be used."""
    click.echo(f"rejected: {entry.fault}", err=True)
