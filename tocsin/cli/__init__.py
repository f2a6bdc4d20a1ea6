"""The command line. Each command's module is imported only when the command is called."""

from __future__ import annotations

import gc
import importlib
import sys
from io import TextIOWrapper

import click

from tocsin import __version__
from tocsin.errors import InputFault, RuleFaults, SettingsFault, TocsinError

FINE, FINDINGS, RULES_UNREADABLE, BAD_INPUT = 0, 1, 2, 3
"""Exit codes."""
GARBAGE = 100_000
"""New values after which garbage is looked for: commands make much that they keep to their end, and little that refers to itself."""
COMMANDS = {
    "backtest": "Fires, stories and alerts of each rule over an archive of articles.",
    "check": "Every fault of the rules as file:line:column, and the tests at the bottom of each rule.",
    "detect": "Signals in articles: no AWS, no Slack.",
    "diff": "What an edit of the rules does to alerts: added, dropped, merged, split, changed.",
    "explain": "What matched in each sentence, which form and cue did it, and what a near miss lacked.",
    "export": "The stories and fates of the deployed stack, as JSON lines or Parquet.",
    "feedback": "What the desk called not relevant, as tests for the rules.",
    "feeds": "What Tocsin listens to: parse, check, list, add, remove, import, export.",
    "fmt": "Files of rules, lists, cues, routes and feeds laid out alike, with their comments.",
    "new": "A rule out of a few questions, which passes its own tests.",
    "preflight": "What stands in the way of a deployment: region, quota, secrets, what a failed one left.",
    "redrive": "What was given up: the dead-letter queues, and back to work with what is in them.",
    "replay": "The whole pipeline on moto: articles in, alerts out.",
    "restore": "The items of a table restored from a backup, back into the stack.",
    "routes": "Where an alert would go, and why: test.",
    "rules": "How each rule is doing, what it takes to ring, and the rules a deployed stack uses: list, promote, push, history, rollback.",
    "schema": "JSON Schema of the YAML files, for editors.",
    "silence": "What the desk does not want to be told for a while: add, list, expire.",
    "slack": "The Slack app: doctor says whether it can do what Tocsin needs of it.",
    "status": "How the deployed stack is doing, on one screen.",
    "studio": "A page on this machine: an article and a rule side by side, and what comes of both.",
    "tap": "A window of production as a file, to be replayed here.",
    "test": "The tests at the bottom of each rule: what failed, what came instead, and why.",
    "watch": "On every save: faults, tests, and what the edit does to alerts.",
    "why": "Why an article was alerted or not, and why two are one story or two.",
}


class Commands(click.Group):
    """Knows the commands by name and imports one when it is wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, in order."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The command, or None when there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"tocsin.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Lists the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tocsin")
def tocsin() -> None:
    """Recognises signals of military escalation in news, and rings once in Slack per real development."""


def main() -> None:
    """Runs the command line; an error is one clear message and an exit code, never a traceback. What it writes is UTF-8."""
    gc.set_threshold(GARBAGE)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(
            stream, TextIOWrapper
        ):  # news is in every script: the encoding of a locale may have no letters for it
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        code = tocsin.main(standalone_mode=False)
    except RuleFaults as error:
        sys.exit(_fail(str(error), RULES_UNREADABLE))
    except (InputFault, SettingsFault, TocsinError) as error:
        sys.exit(_fail(str(error), BAD_INPUT))
    except click.ClickException as error:
        error.show()
        sys.exit(BAD_INPUT)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(_fail("stopped", BAD_INPUT))
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(FINE)
    sys.exit(code if isinstance(code, int) else FINE)


def _fail(what: str, code: int) -> int:
    click.echo(what, err=True)
    return code
