"""`tocsin tap`: a window of production, to be replayed here."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from tocsin.cli import FINE
from tocsin.cli.options import moment, period, stack_option
from tocsin.errors import InputFault
from tocsin.rulefiles import written_to


@click.command("tap")
@stack_option
@click.option(
    "--since",
    callback=period,
    metavar="PERIOD",
    default="1d",
    show_default=True,
    help="How long the window is: 2h, 7d.",
)
@click.option(
    "--until", callback=moment, metavar="WHEN", help="When it ends, in UTC: 2025-03-01T18:00.  [default: now]"
)
@click.option(
    "--rules",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the rules in force into this folder, which is new.",
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def command(stack_name: str, since: timedelta, until: datetime | None, rules: Path | None, file: Path) -> int:
    """Writes the articles that arrived within a window to FILE (.jsonl.gz), in the order in which they did, each dated by its arrival if by nothing else.

    `tocsin replay --as-given FILE` runs them through the whole system, as often as you like with the same output, byte for byte. With --rules the rules that
    were pushed last are captured, too: `--rules FOLDER`.
    """
    from tocsin.adapters.stack import deployed

    end = until or datetime.now(UTC) + timedelta(minutes=1)
    with deployed(stack_name) as stack:
        lines = []
        for kept, row in stack.archived("articles", end - since, end):
            told = {name: value for name, value in row.items() if value is not None}
            lines.append(json.dumps({"published": kept.at.isoformat(), **told}, ensure_ascii=False))
        in_force = stack.table().rules_in_force()
        files = stack.rules(in_force.set) if rules and in_force and in_force.set else None
    if not lines:
        raise InputFault(
            "no article arrived within this window",
            f"{end - since:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC",
            "widen it with --since",
        )
    if rules and files is None:
        raise InputFault(
            "no rules were pushed",
            str(rules),
            "leave --rules away: the rules in force are those of the deployed checkout",
        )
    if rules and files:
        written_to(rules, files)
    file.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0))
    click.echo(f"{len(lines):,} articles in {file}", err=True)
    return FINE
