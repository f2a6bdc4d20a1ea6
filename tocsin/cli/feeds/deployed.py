"""`tocsin feeds add`, `remove`, `list`, `import`, `export` and `restart`: the list of the deployed stack, changed without deploying."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tocsin import health, schedule
from tocsin.adapters.exchange import shown
from tocsin.cli import FINDINGS, FINE
from tocsin.cli.feeds.turns import last_poll, next_poll
from tocsin.cli.options import as_line, format_option, stack_option
from tocsin.errors import InputFault, RuleFaults
from tocsin.subscription import Subscription, feed_id

if TYPE_CHECKING:
    from tocsin.adapters.feed_table import FeedTable
    from tocsin.adapters.stack import DeployedStack
    from tocsin.cursor import Cursor
    from tocsin.ports import Listed

_TOGETHER = 100
"""Feeds whose cursors are read at a time."""


@click.command("add")
@stack_option
@click.option("--name", help="The outlet, as alerts print it.  [default: what the feed calls itself]")
@click.option("--language", default="", help="Its language: en, ko, ru …")
@click.option("--country", default="", help="Where the outlet is: KR, KP, RU …")
@click.option(
    "--every", default=None, metavar="PERIOD", help="The shortest time between two polls: 5m, 1h.  [default: 10m]"
)
@click.option("--slowest", default=None, metavar="PERIOD", help="The longest.  [default: 6h]")
@click.option("--pages", is_flag=True, help="The feed gives summaries only: fetch the page of each article.")
@click.option("--no-check", is_flag=True, help="Add it though it was not looked at, or is not fine.")
@click.argument("url", metavar="URL")
def add(  # noqa: PLR0913 - a command has a parameter for each option
    stack_name: str,
    name: str | None,
    language: str,
    country: str,
    every: str | None,
    slowest: str | None,
    url: str,
    *,
    pages: bool,
    no_check: bool,
) -> int:
    """Adds a feed, which is asked within a minute; one that is on the list gets the new settings.

    The feed is fetched first, as the poller will: when that fails nothing is added (exit code 1).
    """
    from tocsin.adapters.stack import deployed
    from tocsin.feeds import host, line

    seen = None if no_check else _checked(url)
    if seen is not None and not seen["ok"]:
        click.echo("not added; --no-check adds it all the same", err=True)
        return FINDINGS
    bounds = {key: value for key, value in (("every", every), ("slowest", slowest)) if value}
    named = name or str(seen["title"] if seen else "")[:100].strip() or host(url)
    try:
        feed = line(url=url, name=named, language=language, country=country, pages=pages, **bounds)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    with deployed(stack_name) as stack:
        feeds = stack.feeds()
        known = _by_address(one.feed for one in feeds.all()).get(feed.id)
        if known and known.id != feed.id:
            raise InputFault(
                f"is where the feed {known.id} has moved to", url, f"`tocsin feeds remove {known.id}` first"
            )
        added = feeds.add(feed, datetime.now(UTC))
        _warn(stack, [feed])
    click.echo(f"{'added' if added else 'changed'}  {_line(feed)}")
    return FINE


@click.command("remove")
@stack_option
@click.argument("names", nargs=-1, required=True, metavar="ID|URL...")
def remove(stack_name: str, names: tuple[str, ...]) -> int:
    """Removes feeds, by id or address, with all that is known of them. Articles and stories stay."""
    from tocsin.adapters.stack import deployed

    with deployed(stack_name) as stack:
        feeds = stack.feeds()
        known = {one.feed.id: one.feed for one in feeds.all()}
        addresses = _by_address(known.values())
        wanted = {name: known.get(name) or addresses.get(feed_id(name)) or known.get(feed_id(name)) for name in names}
        if unknown := [name for name, feed in wanted.items() if not feed]:
            raise InputFault(f"there is no feed {', '.join(unknown)}", mend="`tocsin feeds list` shows them")
        for feed in {feed.id: feed for feed in wanted.values() if feed}.values():
            feeds.remove(feed.id)
            click.echo(f"removed  {_line(feed)}")
    return FINE


@click.command("list")
@stack_option
@format_option
def list_(stack_name: str, form: str) -> int:
    """Lists the feeds: outlet, address, interval, last poll, last new entry, health and its reason."""
    from tocsin.adapters.stack import deployed

    with deployed(stack_name) as stack:
        feeds = stack.feeds()
        until = feeds.until()
        rows = [_row(listed, at, until) for listed, at in _all(feeds)]
    if form == "ndjson":
        for row in rows:
            click.echo(as_line(row))
    elif rows:
        _show(rows)
    else:
        click.echo("no feed; add the list this comes with: tocsin feeds import infra/feeds.yaml")
    return FINE


@click.command("import")
@stack_option
@click.argument("file", metavar="FILE")
def import_(stack_name: str, file: str) -> int:
    """Adds the feeds of an OPML or YAML file, - for standard input, and changes those that are on the list already.

    None is fetched first: `tocsin feeds list` shows within the hour which do not answer. Exit code 1 when some lines are wrong.
    """
    from tocsin.adapters.stack import deployed
    from tocsin.feeds import read

    name, body = _body(file)
    try:
        found, faults = read(name, body)
    except RuleFaults as error:
        raise InputFault(shown(str(error), 400)) from error
    for fault in faults:
        click.echo(shown(str(fault), 400), err=True)
    added = changed = 0
    with deployed(stack_name) as stack:
        feeds = stack.feeds()
        known = {one.feed.id: one.feed for one in feeds.all()}
        addresses = _by_address(known.values())
        now = datetime.now(UTC)
        for feed in found:
            before = known.get(feed.id) or addresses.get(feed.id)
            after = (
                replace(feed, id=before.id, url=before.url) if before else feed
            )  # it may have been followed elsewhere
            if after != before:
                feeds.add(after, now + schedule.phase(feed.id, feed.every))
                added, changed = added + (before is None), changed + (before is not None)
        _warn(stack, found)
    same = len(found) - added - changed
    click.echo(f"{added} added, {changed} changed, {same} as they were, {len(faults)} faults")
    return FINDINGS if faults else FINE


@click.command("export")
@stack_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["yaml", "opml"]),
    default="yaml",
    show_default=True,
    help="For Tocsin, or for a feed reader.",
)
def export(stack_name: str, form: str) -> int:
    """Writes the list to standard output; `tocsin feeds import` reads both formats back."""
    from tocsin.adapters.stack import deployed
    from tocsin.feeds import as_opml, as_yaml

    with deployed(stack_name) as stack:
        feeds = [one.feed for one in stack.feeds().all()]
    click.echo((as_opml if form == "opml" else as_yaml)(feeds), nl=False)
    return FINE


@click.command("restart")
@stack_option
def restart(stack_name: str) -> int:
    """Gives every feed a time at which it is asked next, instead of its turns, and leaves it so for an hour.

    Do so just before you go back to a version that knows no turns: it would not find the feeds that take them. Otherwise it does no harm.
    """
    from tocsin.adapters.stack import deployed

    with deployed(stack_name) as stack:
        moved = stack.feeds().restart(datetime.now(UTC))
    click.echo(f"{moved} feeds took turns and have a time of their own now; the others had one")
    return FINE


def _warn(stack: DeployedStack, feeds: Iterable[Subscription]) -> None:
    """Says that pages are asked for and the stack fetches none."""
    if any(feed.pages for feed in feeds) and not stack.fetches_pages():
        click.echo("this stack fetches no pages, so summaries alone are read: deploy it with FetchPages=true", err=True)


def _checked(url: str) -> Mapping[str, Any]:
    """What `tocsin feeds check` says of an address, which is printed too."""
    from tocsin.adapters.feed import parse
    from tocsin.adapters.web import Guard
    from tocsin.cli.feeds.check import looked, told

    (row,) = looked(Guard(), parse, [url], datetime.now(UTC))
    click.echo(told(row), err=not row["ok"])
    return row


def _body(file: str) -> tuple[str, bytes]:
    from tocsin.feeds import MAX_FILE

    if file == "-":
        return "standard-input", sys.stdin.buffer.read(MAX_FILE + 1)
    try:
        with Path(file).open("rb") as stream:
            return file, stream.read(MAX_FILE + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "cannot be read"
        raise InputFault(reason[:1].lower() + reason[1:], file, "name an OPML or YAML file") from error


def _by_address(feeds: Iterable[Subscription]) -> dict[str, Subscription]:
    """The feeds by the id that their present address has: another than their own once they have moved."""
    return {feed_id(feed.url): feed for feed in feeds}


def _all(feeds: FeedTable) -> Iterator[tuple[Listed, Cursor]]:
    listed = [one.feed.id for one in feeds.all()]
    for first in range(0, len(listed), _TOGETHER):
        found = feeds.read(listed[first : first + _TOGETHER])
        yield from (found[feed] for feed in listed[first : first + _TOGETHER] if feed in found)


def _row(listed: Listed, at: Cursor, until: datetime | None) -> dict[str, Any]:
    """One feed in JSON values."""
    now = datetime.now(UTC)
    state, reason = health.standing(at.health, now)
    feed, last, following = listed.feed, last_poll(listed, until), next_poll(listed, now)
    return {
        "id": feed.id,
        "name": feed.name,
        "url": feed.url,
        "language": feed.language,
        "country": feed.country,
        "pages": feed.pages,
        "interval": int(listed.interval.total_seconds()),
        "last_poll": last and last.isoformat(),
        "last_entry": _iso(at.health.newest),
        "next_poll": following and following.isoformat(),
        "health": state,
        "reason": reason,
    }


def _iso(seconds: float) -> str | None:
    return datetime.fromtimestamp(seconds, UTC).isoformat() if seconds else None


def _show(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from tocsin.feeds import shortest

    table = Table(box=None, pad_edge=False)
    for title in ("outlet", "address", "every", "last poll", "last entry", "health", "why"):
        table.add_column(title, overflow="fold")
    for row in rows:
        told = (row["name"], row["url"], shortest(timedelta(seconds=row["interval"])), _short(row["last_poll"]))
        more = (_short(row["last_entry"]), row["health"], row["reason"])
        table.add_row(*(Text(shown(one, 400)) for one in (*told, *more)))
    Console().print(table)


def _short(iso: str | None) -> str:
    return iso[:16].replace("T", " ") if iso else "-"


def _line(feed: Subscription) -> str:
    return shown(f"{feed.id}  {feed.name}  {feed.url}", 400)
