"""What was read and rung on each day: one item a day in the table, added to after each batch that held a signal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tocsin.adapters.items import SCHEMA, Item, as_key, as_value, batch_get
from tocsin.ports import Tally

TALLIES_LIVE = timedelta(days=400)


def add(client: Any, table: str, tally: Tally, now: datetime) -> None:
    """Adds to the tally of the day. A call whose outcome is unknown may be counted twice: the sums are for people."""
    moment = now.isoformat()
    told = {":rules": tally.rules, ":now": moment, ":expires": int((now + TALLIES_LIVE).timestamp())}
    told |= {":schema": SCHEMA, ":articles": tally.articles, ":alerts": tally.alerts}
    alerted = ", last_alert = :now" if tally.alerts else ""
    client.update_item(
        TableName=table,
        Key=_key(f"{now:%Y-%m-%d}"),
        UpdateExpression=f"SET #rules = :rules, last_article = :now, expires_at = :expires, #schema = :schema{alerted} ADD articles :articles, alerts :alerts",
        ExpressionAttributeNames={"#rules": "rules", "#schema": "schema"},  # reserved words
        ExpressionAttributeValues={name: as_value(value) for name, value in told.items()},
    )


def set_silent(client: Any, table: str, day: str, articles: int) -> None:
    """Sets how many articles of a day were silent."""
    expires = int((datetime.fromisoformat(day).replace(tzinfo=UTC) + TALLIES_LIVE).timestamp())
    told = {":silent": articles, ":expires": expires, ":schema": SCHEMA}
    client.update_item(
        TableName=table,
        Key=_key(day),
        UpdateExpression="SET silent = :silent, expires_at = if_not_exists(expires_at, :expires), #schema = :schema",
        ExpressionAttributeNames={"#schema": "schema"},
        ExpressionAttributeValues={name: as_value(value) for name, value in told.items()},
    )


def read(client: Any, table: str, days: Sequence[str]) -> Sequence[Tally]:
    """The tallies of these UTC days that have one, in order."""
    found = batch_get(client, table, [("TALLIES", f"DAY#{day}") for day in days])
    return [_tally(sk.removeprefix("DAY#"), item) for (_, sk), item in sorted(found.items())]


def _key(day: str) -> Item:
    return as_key("TALLIES", f"DAY#{day}")


def _tally(day: str, item: Item) -> Tally:
    texts = {name: item.get(name, {"S": ""})["S"] for name in ("rules", "last_article", "last_alert")}
    articles, alerts = (int(item.get(name, {"N": "0"})["N"]) for name in ("articles", "alerts"))
    return Tally(day, articles, alerts, **texts, silent=int(item["silent"]["N"]) if "silent" in item else None)
