"""`tocsin restore`: the items of a restored table, back into the stack."""

from __future__ import annotations

import click

from tocsin.cli import FINE
from tocsin.cli.options import stack_option


@click.command("restore")
@stack_option
@click.option(
    "--overwrite", is_flag=True, help="Replace what the stack's table holds, too: after items were spoilt, not lost."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.argument("source", metavar="TABLE")
def command(stack_name: str, source: str, *, overwrite: bool, yes: bool) -> int:
    """Copies the items of TABLE, restored from a backup, into the stack's table: those it lacks, unless --overwrite.

    docs/operate.md tells the steps before and after.
    """
    from tocsin.adapters.stack import deployed

    with deployed(stack_name) as stack:
        if not yes:
            click.confirm(f"Copy the items of {source} into the table of {stack_name}?", abort=True)
        done = stack.put_back(source, overwrite=overwrite)
    click.echo(", ".join(f"{count:,} {what}" for what, count in done.items()))
    return FINE
