"""`tocsin studio`: a page on this machine, on which an article and a rule stand side by side, and what comes of both."""

from __future__ import annotations

import socket
import webbrowser
from pathlib import Path

import click

from tocsin.cli import FINE
from tocsin.cli.options import rules_option
from tocsin.errors import SettingsFault

HOST = "127.0.0.1"


@click.command("studio")
@rules_option
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default="a free one", help="Where it listens.")
@click.option("--no-open", "quiet", is_flag=True, help="Do not open the page in a browser.")
@click.argument("archives", nargs=-1, metavar="[ARCHIVE]...")
def command(rules: Path, port: int, *, quiet: bool, archives: tuple[str, ...]) -> int:
    """Shows what comes of an article while you edit a rule: evidence, story, message, and the edit in alerts. Ctrl+C ends it.

    Only this machine can reach the page, and only who has the address printed. ARCHIVE: articles the diff hears as well, as `tocsin diff` reads them.
    """
    try:
        import uvicorn

        from tocsin.cli.studio.app import Studio
    except ModuleNotFoundError as error:
        what = f"the studio needs {error.name}, which is not installed: `make setup` in a checkout, or pip install 'tocsin[cli,studio]'"
        raise SettingsFault(what) from error
    from tocsin.cli.backtest import read_all
    from tocsin.cli.studio.desk import Desk

    desk = Desk(rules, read_all(archives)[0] if archives else ())
    desk.saved()  # faults that leave no rule are told before anything opens
    listening = _listen(port)
    studio = Studio(desk, HOST, listening.getsockname()[1])
    click.echo(f"tocsin studio: {studio.address}")
    click.echo(f"rules: {desk.rules}; Ctrl+C ends it", err=True)
    if not quiet and not webbrowser.open(studio.address):
        click.echo("no browser was found here; open the address above in one", err=True)
    config = uvicorn.Config(
        studio.app,
        log_level="warning",
        lifespan="off",
        server_header=False,
        limit_concurrency=32,
        timeout_graceful_shutdown=2,
    )
    uvicorn.Server(config).run(sockets=[listening])
    return FINE


def _listen(port: int) -> socket.socket:
    """A socket of the loopback interface, which no other machine can reach."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
    except OSError as error:
        listening.close()
        raise SettingsFault(
            f"port {port} cannot be used: {error.strerror}; name another, or leave --port out"
        ) from error
    return listening
