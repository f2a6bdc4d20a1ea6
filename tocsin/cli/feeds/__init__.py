"""`tocsin feeds`: what Tocsin listens to. Each subcommand's module is imported only when it is called."""

from __future__ import annotations

import importlib

import click

COMMANDS = {
    "add": ("deployed", "Adds a feed to the deployed list."),
    "check": ("check", "Fetches feeds and says what was seen, and how to mend what is wrong."),
    "export": ("deployed", "Writes the deployed list as OPML or YAML."),
    "import": ("deployed", "Adds the feeds of an OPML or YAML file to the deployed list."),
    "list": ("deployed", "The deployed list with the health of each feed."),
    "parse": ("parse", "Reads feed files offline, as the poller would."),
    "remove": ("deployed", "Removes a feed from the deployed list."),
    "restart": ("deployed", "Has every feed asked by a time of its own: before you go back to an older version."),
}
"""By name: the module it is in, where it is called like the subcommand (`import_` for import, `list_` for list), and its help."""


class Commands(click.Group):
    """Knows the subcommands by name and imports one when it is wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, in order."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The subcommand, or None when there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"tocsin.cli.feeds.{COMMANDS[cmd_name][0]}")
        found: click.Command = getattr(module, {"import": "import_", "list": "list_"}.get(cmd_name, cmd_name))
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Lists the subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in sorted(COMMANDS.items())])


@click.group(cls=Commands)
def command() -> None:
    """Feeds: RSS, RDF, Atom and JSON Feed."""
