"""`tocsin rules`: the rules a deployed stack uses."""

from __future__ import annotations

import click

from tocsin.cli.rules_push import history, push, rollback


@click.group("rules")
def command() -> None:
    """The rules a deployed stack uses."""


command.add_command(push)
command.add_command(history)
command.add_command(rollback)
