"""`tocsin feeds parse`: feed files read offline, by the parser that the poller uses."""

from __future__ import annotations

import os
import stat
from typing import Any

import click

from tocsin.adapters.feed import MAX_BYTES
from tocsin.adapters.feed import parse as read_feed
from tocsin.cli import FINDINGS, FINE
from tocsin.cli.options import as_line, format_option
from tocsin.errors import FeedFault
from tocsin.feed import Feed

UNREADABLE = "unreadable"
"""The error of a file that gave no bytes; every other error is a kind of `FeedFault`."""


@click.command("parse")
@format_option
@click.argument("files", nargs=-1, required=True)
def parse(form: str, *, files: tuple[str, ...]) -> int:
    """Reads feed files (RSS, RDF, Atom, CDF, JSON Feed, gzipped or not) and prints their entries.

    With --format ndjson, one line a file: file, format, entries (id, title, link, published, text), notes; or file, error,
    reason. Exit code 1 when some file could not be read as a feed.
    """
    failed = False
    for name in files:
        shown = os.fsencode(name).decode("utf-8", "replace")
        try:
            feed = read_feed(_body(name))
        except FeedFault as fault:
            failed = True
            _fault(shown, fault, form)
        else:
            if form == "ndjson":
                click.echo(as_line(_row(shown, feed)))
            else:
                _show(shown, feed)
    return FINDINGS if failed else FINE


def _body(name: str) -> bytes:
    """The bytes of a regular file, as many as are read of a feed; nothing that waits or never ends is opened."""
    try:
        number = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            mode = os.fstat(number).st_mode
            if not stat.S_ISREG(mode):
                kind = "a folder" if stat.S_ISDIR(mode) else "a pipe, a device or the like"
                raise FeedFault(UNREADABLE, f"is {kind}, not a file: name the file itself")
            with open(number, "rb", closefd=False) as file:
                return file.read(MAX_BYTES + 1)
        finally:
            os.close(number)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FeedFault(UNREADABLE, f"cannot be read: {reason}: check the path and its permissions") from error


def _row(name: str, feed: Feed) -> dict[str, Any]:
    entries = [
        {
            "id": entry.id,
            "title": entry.title,
            "link": entry.link,
            "published": entry.published.isoformat() if entry.published else None,
            "text": entry.text,
        }
        for entry in feed.entries
    ]
    return {"file": name, "format": feed.format, "entries": entries, "notes": list(feed.notes)}


def _fault(name: str, fault: FeedFault, form: str) -> None:
    if form == "ndjson":
        click.echo(as_line({"file": name, "error": fault.kind, "reason": fault.what}))
    else:
        click.echo(f"{_printable(name)}: {fault.what} ({fault.kind})", err=True)


def _show(name: str, feed: Feed) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    count = len(feed.entries)
    console.print(
        Text(f"{_printable(name)}: {feed.format}, {count} {'entry' if count == 1 else 'entries'}", style="bold")
    )
    for note in feed.notes:
        console.print(Text(f"  note: {note}", style="yellow"))
    for entry in feed.entries:
        day = f"{entry.published:%Y-%m-%d %H:%M}" if entry.published else "no date"
        console.print(Text(f"  {day}  {entry.title or '(no title)'}  ({len(entry.text):,} characters)"))
        console.print(Text(f"    {entry.link or entry.id}", style="dim"))


def _printable(name: str) -> str:
    """A file's name that cannot command a terminal."""
    return name if name.isprintable() else ascii(name)
