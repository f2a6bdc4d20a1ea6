"""`tocsin status`: how the deployed stack is doing, on one screen."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from tocsin import health
from tocsin.cli import FINDINGS, FINE
from tocsin.cli.feeds.turns import last_poll
from tocsin.cli.options import format_option, stack_option
from tocsin.pipeline.archive import read_on
from tocsin.ports import Tally

if TYPE_CHECKING:
    from tocsin.adapters.feed_table import FeedTable
    from tocsin.adapters.s3 import S3Archive
    from tocsin.adapters.stack import DeployedStack

DAYS = 7
PAGES = 20
"""Pages of the table, of 1 MB each, that are looked through for stories."""
SHOWN = 10
"""Failing feeds that are named."""


@click.command("status")
@stack_option
@format_option
def command(stack_name: str, form: str) -> int:
    """Shows how the deployed stack is doing; exit code 1 when something wants to be looked at.

    Something does when an alert waits for 15 minutes, there are dead letters, or no article was read for a day.
    """
    from tocsin.adapters.stack import deployed

    now = datetime.now(UTC)
    with deployed(stack_name) as stack:
        found = _found(stack, now)
    if form == "ndjson":
        click.echo(json.dumps(found, ensure_ascii=False))
    else:
        for name, told in _told(found, now):
            click.echo(f"{name:<14}{told}")
    return FINDINGS if found["look_at"] else FINE


def _found(stack: DeployedStack, now: datetime) -> dict[str, Any]:
    """Everything there is to tell, as JSON values."""
    table = stack.table()
    tallies = table.tallies([f"{now - timedelta(days=back):%Y-%m-%d}" for back in range(DAYS)])
    backlog = table.backlog(now)
    stories, complete = table.stories(PAGES)
    since = (now - timedelta(days=DAYS)).isoformat()
    spending = stack.spending()
    archive, today = stack.archive(), now.strftime("%Y-%m-%d")
    silent = sum(one.silent or 0 for one in tallies if one.day != today) + read_on(archive, today)
    found = {
        "stack": stack.name,
        **_feeds(stack.feeds(), now),
        "last_article": _last_article(archive, tallies, now),
        "last_alert": max((one.last_alert for one in tallies), default="") or None,
        "articles": sum(one.articles for one in tallies) + silent,
        "alerts": sum(one.alerts for one in tallies),
        "rules": next((one.rules for one in reversed(tallies) if one.rules), None),
        "waiting": backlog.waiting,
        "waiting_since": backlog.since.isoformat() if backlog.since else None,
        "waiting_why": backlog.why,
        "unknown_outcomes": backlog.doubtful,
        "queues": stack.queues(),
        "dead_letters": {queue.name: queue.count() for queue in stack.dead_letters()},
        "stories": sum(not story.merged and story.last_seen >= since for story in stories),
        "stories_complete": complete,
        "silences": len(table.silences(now)),
        "month": asdict(spending) if spending else None,
        "estimate": asdict(stack.estimate(now)),
    }
    return {**found, "look_at": list(_look_at(found, now))}


def _last_article(archive: S3Archive, tallies: Sequence[Tally], now: datetime) -> str | None:
    """When the last article was read: of those that were decided on the tally knows it, of others the archive of today or yesterday."""
    told = [one.last_article for one in tallies if one.last_article]
    for back in range(2):
        day = now - timedelta(days=back)
        newest = [found for kind in ("articles", "fates") if (found := archive.newest(f"{kind}/{day:%Y/%m/%d}/"))]
        if newest:
            return max([*told, max(newest).astimezone(UTC).isoformat()])
    return max(told, default=None)


def _feeds(feeds: FeedTable, now: datetime) -> dict[str, Any]:
    listed = list(feeds.all())
    cursors = feeds.read([one.feed.id for one in listed])
    troubled = {feed: health.standing(cursor.health, now) for feed, (_, cursor) in cursors.items()}
    failing = {feed: f"{word}: {why}" for feed, (word, why) in sorted(troubled.items()) if word not in {"well", "new"}}
    until = feeds.until()
    asked = [last for one in listed if (last := last_poll(one, until))]
    return {"feeds": len(listed), "failing_feeds": failing, "last_poll": max(asked).isoformat() if asked else None}


def _look_at(found: dict[str, Any], now: datetime) -> Iterator[str]:
    """What wants to be looked at."""
    if found["waiting_since"] and now - datetime.fromisoformat(found["waiting_since"]) > timedelta(minutes=15):
        yield "undelivered alerts"
    yield from (name for name, count in found["dead_letters"].items() if count)
    if not found["last_article"] or now - datetime.fromisoformat(found["last_article"]) > timedelta(days=1):
        yield "no article for a day"


def _told(found: dict[str, Any], now: datetime) -> Iterator[tuple[str, str]]:
    """The lines of the screen; what comes from outside is escaped."""
    yield "stack", found["stack"]
    yield "last poll", _moment(found["last_poll"], now)
    yield "last article", f"{_moment(found['last_article'], now)}; {found['articles']:,} in {DAYS} days"
    yield "last alert", f"{_moment(found['last_alert'], now)}; {found['alerts']:,} in {DAYS} days"
    since = f", the oldest since {_moment(found['waiting_since'], now)}" if found["waiting_since"] else ""
    yield "undelivered", f"{found['waiting']}{since}; {found['unknown_outcomes']} of unknown outcome"
    if found["waiting_why"]:
        yield "", ascii(found["waiting_why"])[1:-1]
    for name, counts in (("queues", found["queues"]), ("dead letters", found["dead_letters"])):
        yield name, ", ".join(f"{queue} {count}" for queue, count in counts.items() if count) or "all empty"
    failing = found["failing_feeds"]
    yield "feeds", f"{found['feeds']:,}, of which {len(failing)} are not well"
    yield from (("", f"{ascii(feed)[1:-1]}  {ascii(why)[1:-1]}") for feed, why in list(failing.items())[:SHOWN])
    yield "rules", found["rules"] or "none has read anything yet"
    least = "" if found["stories_complete"] else "at least "
    yield "stories", f"{least}{found['stories']:,} told of within {DAYS} days"
    yield "silences", f"{found['silences']} in force"
    yield (
        "cost",
        "about {spent:.2f} USD this month, {expected:.2f} expected, at list prices".format(**found["estimate"]),
    )
    yield "account", _cost(found["month"])
    yield "look at", ", ".join(found["look_at"]) or "nothing"


def _cost(month: dict[str, Any] | None) -> str:
    if month is None:
        return "its bill is not known: the stack has no budget (parameter MonthlyBudget)"
    ahead = f", {month['forecast']:.2f} expected" if month["forecast"] is not None else ""
    return f"{month['spent']:.2f} USD this month{ahead}, of {month['limit']:.2f}"


def _moment(iso: str | None, now: datetime) -> str:
    """A moment, and how long ago it was."""
    if not iso:
        return "never"
    when = datetime.fromisoformat(iso)
    minutes = round((now - when).total_seconds() / 60)
    ago = f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"  # noqa: PLR2004 - two hours
    return f"{when:%Y-%m-%d %H:%M} UTC ({ago} ago)"
