"""The feeds in DynamoDB: a small item for each on the list, with its place in the schedule, and its cursor in another.

The small ones stand together in one partition, which is the list. Sending a feed off moves that item alone, so that costs the
same however much is remembered of the feed; its cursor is written only when something in the feed has changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any
from zlib import crc32

from botocore.exceptions import ClientError

from tocsin.adapters.dynamodb import want
from tocsin.adapters.items import (
    SCHEMA,
    Item,
    as_item,
    as_key,
    as_number,
    as_value,
    batch_get,
    is_cancelled,
    is_conditional,
)
from tocsin.cursor import Cursor, packed, unpacked
from tocsin.errors import Conflict
from tocsin.health import Health
from tocsin.ports import NOTICES_WAIT, Listed, Notice, notices_alert
from tocsin.schedule import jitter
from tocsin.subscription import Subscription

LIST = "FEEDS"
SHARDS = 4
"""Partitions of the index of what is due that the feeds are spread over: each takes a thousand writes a second."""
NOTICES_LIVE = timedelta(days=14)


class FeedTable:
    """`tocsin.ports.Feeds` on a DynamoDB client and a table name."""

    def __init__(self, client: Any, name: str) -> None:
        self._client, self._name = client, name

    def due(self, now: datetime, limit: int) -> Sequence[str]:
        """See `Feeds.due`."""
        found = [row for shard in range(SHARDS) for row in self._due(_shard_name(shard), now, limit)]
        return [feed for _, feed in sorted(found)[:limit]]

    def asked(self, feed: str, now: datetime) -> None:
        """See `Feeds.asked`."""
        values = {":now": now.timestamp(), ":from": now.timestamp() + jitter(feed, now)}
        self._update(feed, "SET due_at = :from + every, asked_at = :now", "due_at <= :now", values)

    def read(self, feeds: Sequence[str]) -> Mapping[str, tuple[Listed, Cursor]]:
        """See `Feeds.read`."""
        keys = [key for feed in feeds for key in ((LIST, feed), (_own(feed), "CURSOR"))]
        found = batch_get(self._client, self._name, keys)
        return {
            feed: (_listed(found[LIST, feed]), _cursor(feed, found.get((_own(feed), "CURSOR"))))
            for feed in feeds
            if (LIST, feed) in found
        }

    def save(self, cursor: Cursor, notices: Sequence[Notice] = ()) -> None:
        """See `Feeds.save`."""
        put = {**cursor_put(cursor), "TableName": self._name}
        told = [{"Put": {"TableName": self._name, "Item": _notice_item(notice)}} for notice in notices]
        for hour in {notice.hour for notice in notices}:  # first: an alert without notices tells nothing, but is found
            due = datetime.fromisoformat(f"{hour}:00:00+00:00") + NOTICES_WAIT
            want(self._client, self._name, notices_alert(hour), "waiting", due)
        try:
            if told:
                self._client.transact_write_items(TransactItems=[{"Put": put}, *told])
            else:
                self._client.put_item(**put)
        except ClientError as error:
            if is_conditional(error) or is_cancelled(error):
                raise Conflict(f"the cursor of {cursor.feed!r} was written by another function") from error
            raise

    def reschedule(self, feed: str, interval: timedelta, due: datetime) -> None:
        """See `Feeds.reschedule`."""
        values = {":every": interval.total_seconds(), ":due": due.timestamp()}
        self._update(feed, "SET every = :every, due_at = :due", "attribute_exists(due_at)", values)

    def resume(self, feed: str, interval: timedelta, due: datetime) -> None:
        """See `Feeds.resume`."""
        values = {":every": interval.total_seconds(), ":due": due.timestamp(), ":shard": _shard(feed)}
        update = "SET every = :every, due_at = :due, due_shard = :shard"
        self._update(feed, update, "attribute_exists(pk)", values)

    def move(self, feed: str, old: str, new: str) -> None:
        """See `Feeds.move`."""
        self._update(feed, "SET #url = :new", "#url = :old", {":new": new, ":old": old}, {"#url": "url"})

    def end(self, feed: str) -> None:
        """See `Feeds.end`."""
        self._update(feed, "REMOVE due_at, due_shard", "attribute_exists(pk)", {})

    # what the command line needs

    def all(self) -> Iterator[Listed]:
        """Every feed on the list, in order of ids, strongly consistent."""
        start: dict[str, Any] = {}
        while True:
            answer = self._client.query(
                TableName=self._name,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": LIST}},
                ConsistentRead=True,
                **start,
            )
            yield from map(_listed, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def add(self, feed: Subscription, due: datetime) -> bool:
        """Puts a feed on the list, or changes the one with its id, to be asked when due; whether it is a new one."""
        key, every = as_key(LIST, feed.id), feed.every.total_seconds()
        state = {":state": json.dumps(_state(feed), ensure_ascii=False), ":url": feed.url, ":schema": SCHEMA}
        values = state | {":every": every, ":due": due.timestamp(), ":shard": _shard(feed.id)}
        answer = self._client.update_item(
            TableName=self._name,
            Key=key,
            UpdateExpression="SET #state = :state, #url = :url, #schema = :schema, every = :every, due_at = :due, due_shard = :shard",
            ExpressionAttributeNames={"#state": "state", "#url": "url", "#schema": "schema"},
            ExpressionAttributeValues={name: as_value(value) for name, value in values.items()},
            ReturnValues="ALL_OLD",
        )
        return not answer.get("Attributes")

    def remove(self, feed: str) -> bool:
        """Takes a feed off the list, with what is known of it; False when it was not there."""
        answer = self._client.delete_item(TableName=self._name, Key=as_key(LIST, feed), ReturnValues="ALL_OLD")
        self._client.delete_item(TableName=self._name, Key=as_key(_own(feed), "CURSOR"))
        return bool(answer.get("Attributes"))

    def _due(self, shard: str, now: datetime, limit: int) -> Iterator[tuple[float, str]]:
        start: dict[str, Any] = {}
        left = limit
        while left > 0:
            answer = self._client.query(
                TableName=self._name,
                IndexName="due",
                KeyConditionExpression="due_shard = :shard AND due_at <= :now",
                ExpressionAttributeValues={":shard": {"S": shard}, ":now": {"N": as_number(now.timestamp())}},
                Limit=left,
                **start,
            )
            yield from ((float(item["due_at"]["N"]), item["sk"]["S"]) for item in answer["Items"])
            left -= len(answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _update(
        self,
        feed: str,
        update: str,
        condition: str,
        values: Mapping[str, Any],
        names: Mapping[str, str] | None = None,
    ) -> None:
        """Changes a feed on the list where the condition holds; where it does not, nothing happens."""
        more: dict[str, Any] = {"ExpressionAttributeNames": names} if names else {}
        if values:
            more["ExpressionAttributeValues"] = {name: as_value(value) for name, value in values.items()}
        try:
            self._client.update_item(
                TableName=self._name,
                Key=as_key(LIST, feed),
                UpdateExpression=update,
                ConditionExpression=condition,
                **more,
            )
        except ClientError as error:
            if not is_conditional(error):
                raise


def cursor_put(cursor: Cursor) -> dict[str, Any]:
    """The write of a cursor over the version it was made from."""
    state = {"etag": cursor.etag, "last_modified": cursor.last_modified, "body": cursor.body}
    state = {name: value for name, value in state.items() if value}
    item = as_item(
        _own(cursor.feed), "CURSOR", {**state, "health": cursor.health.to_json()}, version=cursor.version + 1
    )
    if cursor.seen:
        item["seen"] = {"B": packed(cursor.seen)}
    if cursor.version == 0:
        return {"Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
    values = {":version": as_value(cursor.version)}
    return {"Item": item, "ConditionExpression": "version = :version", "ExpressionAttributeValues": values}


def _own(feed: str) -> str:
    return f"FEED#{feed}"


def _shard(feed: str) -> str:
    return _shard_name(crc32(feed.encode()) % SHARDS)


def _shard_name(number: int) -> str:
    return f"feeds/{number}"


def _state(feed: Subscription) -> dict[str, Any]:
    """What is kept of a subscription: its address stands beside it, for conditions to look at, and its id is the key."""
    row = feed.to_json()
    return {name: value for name, value in row.items() if name not in {"id", "url"}}


def _listed(item: Item) -> Listed:
    row = json.loads(item["state"]["S"]) | {"id": item["sk"]["S"], "url": item["url"]["S"]}
    return Listed(
        Subscription.from_json(row),
        timedelta(seconds=float(item["every"]["N"])),
        _moment(item, "due_at"),
        _moment(item, "asked_at"),
    )


def _moment(item: Item, name: str) -> datetime | None:
    return datetime.fromtimestamp(float(item[name]["N"]), UTC) if name in item else None


def _cursor(feed: str, item: Item | None) -> Cursor:
    if item is None:
        return Cursor(feed)
    row = json.loads(item["state"]["S"])
    health = Health.from_json(row.pop("health"))
    seen = unpacked(bytes(item["seen"]["B"])) if "seen" in item else ()
    return Cursor(feed, **row, seen=seen, health=health, version=int(item["version"]["N"]))


def _notice_item(notice: Notice) -> Item:
    expires = datetime.fromisoformat(notice.at) + NOTICES_LIVE
    return as_item(f"NOTICES#{notice.hour}", f"{notice.about}#{notice.kind}", asdict(notice), expires=expires)
