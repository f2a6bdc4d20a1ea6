"""`tocsin export`: the stories and fates of a deployed stack, for other programs."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tocsin.article import Article
from tocsin.cli import FINE
from tocsin.cli.options import as_line, period, stack_option
from tocsin.errors import SettingsFault
from tocsin.ports import FateRecord

if TYPE_CHECKING:
    from tocsin.adapters.stack import DeployedStack

FATES_LIVE = timedelta(days=90)


@click.command("export")
@stack_option
@click.option(
    "--since",
    callback=period,
    metavar="PERIOD",
    help="Only what was last changed since: 30d, 8w.  [default: all there is]",
)
@click.option("--parquet", is_flag=True, help="Write Parquet instead of JSON lines; needs pyarrow and a FILE.")
@click.argument("what", type=click.Choice(["stories", "fates"]))
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
def command(stack_name: str, since: timedelta | None, what: str, file: Path | None, *, parquet: bool) -> int:
    """Writes stories, or the fates of all articles, one JSON object a line, to FILE (packed if it ends in .gz) or standard output.

    Fates are kept for 90 days, stories for 400. In Parquet, what is nested is JSON.
    """
    from tocsin.adapters.stack import deployed

    with deployed(stack_name) as stack:
        found = list(_stories(stack, since) if what == "stories" else _fates(stack, since))
    if parquet:
        _write_parquet(found, file)
    elif file is None or str(file) == "-":
        for row in found:
            click.echo(as_line(row))
        return FINE
    else:
        lines = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in found).encode()
        file.write_bytes(gzip.compress(lines, mtime=0) if file.name.endswith(".gz") else lines)
    click.echo(f"{len(found):,} {what} in {file}", err=True)
    return FINE


def _stories(stack: DeployedStack, since: timedelta | None) -> Iterator[dict[str, Any]]:
    earliest = (datetime.now(UTC) - since).isoformat() if since else ""
    stories, _ = stack.table().stories(pages=1_000_000)
    for story in sorted(stories, key=lambda one: one.id):
        if story.last_seen >= earliest:
            yield story.to_json()


def _fates(stack: DeployedStack, since: timedelta | None) -> Iterator[dict[str, Any]]:
    """The fates in the table, then those of articles without a signal, each by its time."""
    earliest = datetime.now(UTC) - (since or FATES_LIVE)
    latest = datetime.now(UTC) + timedelta(days=1)
    rows = list(stack.states("ARTICLE#", "FATE"))
    told = [row for row in rows if datetime.fromisoformat(row["at"]) >= earliest]
    yield from sorted(told, key=lambda row: (row["at"], row["article"]))
    for _, row in stack.archived("fates", earliest, latest):
        yield row
    known = {row["article"] for row in rows}
    for kept, row in stack.archived("articles", earliest, latest):
        if row.get("fresh") and row["id"] not in known:
            reason = "no rule matched, or it is still on its way"
            yield FateRecord.of(Article.from_json(row), "no_signal", reason, kept.at.isoformat()).to_json()


def _write_parquet(rows: list[dict[str, Any]], file: Path | None) -> None:
    if file is None or str(file) == "-":
        raise click.UsageError("Parquet is no text: name a FILE for it")
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        own = f"{sys.executable} -m pip install" if find_spec("pip") else f"uv pip install --python {sys.executable}"
        raise SettingsFault(f"Parquet needs pyarrow: {own} 'pyarrow>=20'; JSON lines need nothing") from error
    flat = [{name: _flat(value) for name, value in row.items()} for row in rows]
    parquet.write_table(pa.Table.from_pylist(flat), file)


def _flat(value: object) -> object:
    """A value as a column of a table takes it."""
    return value if isinstance(value, str | int | float | None) else json.dumps(value, ensure_ascii=False)
