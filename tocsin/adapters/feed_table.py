"""The feeds in DynamoDB: a small item for each on the list, with its place in the schedule, and its cursor in others.

The small ones stand together in one partition, which is the list. In the index `due` they stand by the interval at which they take
turns and the second of it at which they do, so asking a feed moves nothing: an item is written when its interval changes. What is
asked out of turn stands there by the time when, as every feed did before there were turns; such rows are read as they are, and take
turns once they were asked. Until when turns were sent off, and which intervals there are, is an item of its own.
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
    Key,
    as_item,
    as_key,
    as_value,
    batch_get,
    is_cancelled,
    is_conditional,
)
from tocsin.cursor import Cursor, Part, packed, unpacked
from tocsin.errors import Conflict
from tocsin.health import Health
from tocsin.pieces import MARK
from tocsin.ports import NOTICES_WAIT, Listed, Notice, Round, notices_alert
from tocsin.schedule import TRIAL, jitter, places, turn
from tocsin.subscription import Subscription

LIST = "FEEDS"
PART = "SEEN#"
"""How the sort keys of the parts begin that a feed's entries are put aside in."""
ROUNDS = ("ROUNDS", "ROUNDS")
"""The key of the item that says until when turns were sent off."""
SHARDS = 4
"""Partitions of the index that what is due out of turn is spread over: each takes a thousand writes a second."""
TURNS = "feeds/every/"
"""How the partitions of the index begin in which feeds stand by their turns; their interval in seconds follows."""
A_MINUTE = timedelta(minutes=1)
NOTICES_LIVE = timedelta(days=14)


class FeedTable:
    """`tocsin.ports.Feeds` on a DynamoDB client and a table name."""

    def __init__(self, client: Any, name: str) -> None:
        self._client, self._name = client, name
        self._begun: datetime | None = None
        self._intervals: set[int] = set()

    def due(self, now: datetime, limit: int) -> Sequence[str]:
        """See `Feeds.due`."""
        values = {":now": now.timestamp()}
        found = [
            row for shard in range(SHARDS) for row in self._indexed(_shard_name(shard), "due_at <= :now", values, limit)
        ]
        return [feed for _, feed in sorted(found)[:limit]]

    def asked(self, feed: str, now: datetime) -> None:
        """See `Feeds.asked`."""
        values = {":now": now.timestamp(), ":from": now.timestamp() + jitter(feed, now), ":turns": TURNS}
        waits = "due_at <= :now AND NOT begins_with(due_shard, :turns)"
        self._update(feed, "SET due_at = :from + every, asked_at = :now", waits, values)

    def round(self, now: datetime) -> Round:
        """See `Feeds.round`."""
        item = batch_get(self._client, self._name, [ROUNDS]).get(ROUNDS, {})
        self._note(item)
        since = _moment(item, "until")
        turns = []
        for seconds in sorted(self._intervals):
            every = timedelta(seconds=seconds)
            for first, last in places(every, since or now - A_MINUTE, now):
                values = {":first": first, ":last": last}
                found = self._indexed(f"{TURNS}{seconds}", "due_at BETWEEN :first AND :last", values)
                turns += [(turn(int(at), every, now), feed) for at, feed in found]
        return Round(since, sorted(turns))

    def sent(self, found: Round, until: datetime) -> None:
        """See `Feeds.sent`."""
        before = {":before": found.since.timestamp()} if found.since else {}
        self._update(
            ROUNDS,
            "SET #until = :until, #schema = :schema, begun = if_not_exists(begun, :until)",
            "#until = :before" if before else "attribute_not_exists(#until)",
            {":until": int(until.timestamp()), ":schema": SCHEMA, **before},
            {"#until": "until", "#schema": "schema"},
        )

    def wait(self, feed: str, now: datetime) -> None:
        """See `Feeds.wait`."""
        values = {":now": now.timestamp(), ":shard": _shard(feed)}
        self._update(feed, "SET due_at = :now, due_shard = :shard", "attribute_exists(due_at)", values)

    def read(self, feeds: Sequence[str], *, consistent: bool = False) -> Mapping[str, tuple[Listed, Cursor]]:
        """See `Feeds.read`."""
        keys = [key for feed in feeds for key in ((LIST, feed), (_own(feed), "CURSOR"))]
        found = batch_get(self._client, self._name, [ROUNDS, *keys], consistent=consistent)
        self._note(found.get(ROUNDS, {}))
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

    def recall(self, feed: str) -> Sequence[Part]:
        """See `Feeds.recall`."""
        values = {":pk": {"S": _own(feed)}, ":part": {"S": PART}}
        condition = "pk = :pk AND begins_with(sk, :part)"
        items = self._query(KeyConditionExpression=condition, ExpressionAttributeValues=values)
        return [
            Part(int(item["slot"]["N"]), int(item["number"]["N"]), unpacked(bytes(item["seen"]["B"]))) for item in items
        ]

    def put_aside(self, feed: str, part: Part) -> None:
        """See `Feeds.put_aside`."""
        self._client.put_item(TableName=self._name, Item=part_item(feed, part))

    def reschedule(self, feed: str, every: timedelta, place: int, now: datetime, due: datetime | None = None) -> None:
        """See `Feeds.reschedule`."""
        self._place(feed, every, place, now, due, "attribute_exists(due_at)")

    def resume(self, feed: str, every: timedelta, place: int, now: datetime, due: datetime | None = None) -> None:
        """See `Feeds.resume`."""
        self._place(feed, every, place, now, due, "attribute_exists(pk)")

    def move(self, feed: str, old: str, new: str) -> None:
        """See `Feeds.move`."""
        self._update(feed, "SET #url = :new", "#url = :old", {":new": new, ":old": old}, {"#url": "url"})

    def end(self, feed: str) -> None:
        """See `Feeds.end`."""
        self._update(feed, "REMOVE due_at, due_shard", "attribute_exists(pk)", {})

    # what the command line needs

    def all(self) -> Iterator[Listed]:
        """Every feed on the list, in order of ids, strongly consistent."""
        values = {":pk": {"S": LIST}}
        items = self._query(KeyConditionExpression="pk = :pk", ExpressionAttributeValues=values, ConsistentRead=True)
        yield from map(_listed, items)

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
        for part in self.recall(feed):
            self._client.delete_item(TableName=self._name, Key=as_key(_own(feed), _part_name(part.slot)))
        self._client.delete_item(TableName=self._name, Key=as_key(_own(feed), "CURSOR"))
        return bool(answer.get("Attributes"))

    def until(self) -> datetime | None:
        """Until when turns were sent off."""
        return _moment(batch_get(self._client, self._name, [ROUNDS]).get(ROUNDS, {}), "until")

    def restart(self, now: datetime) -> int:
        """Has every feed that takes turns asked out of turn, at its next one, and none take turns for an hour; returns how many."""
        values = {":now": now.timestamp(), ":schema": SCHEMA}
        self._update(ROUNDS, "SET begun = :now, #schema = :schema", "", values, {"#schema": "schema"})
        moved = [(one.feed.id, one.interval, one.place) for one in self.all() if one.place is not None]
        for feed, every, place in moved:
            self._place(feed, every, place, now, turn(place, every, now) + every, "attribute_exists(due_at)")
        return len(moved)

    def _note(self, item: Item) -> None:
        self._begun = _moment(item, "begun")
        self._intervals = {int(one) for one in item.get("every", {"NS": []})["NS"]}

    def _place(  # noqa: PLR0913 - a place, and when it counts
        self, feed: str, every: timedelta, place: int, now: datetime, due: datetime | None, condition: str
    ) -> None:
        """Gives a feed its turns, or a time out of turn while feeds take none."""
        seconds = int(every.total_seconds())
        if not due and not (self._begun and self._begun + TRIAL <= now):
            due = turn(place, every, now) + every
        if not due and seconds not in self._intervals:  # first: an interval nobody has costs a question a minute
            values = {":every": {seconds}, ":schema": SCHEMA}
            self._update(ROUNDS, "SET #schema = :schema ADD every :every", "", values, {"#schema": "schema"})
            self._intervals.add(seconds)
        values = {":every": seconds, ":now": now.timestamp()}
        values |= {":at": due.timestamp() if due else place, ":shard": _shard(feed) if due else f"{TURNS}{seconds}"}
        update = "SET every = :every, due_at = :at, due_shard = :shard, asked_at = :now"
        self._update(feed, update, condition, values)

    def _indexed(
        self, shard: str, condition: str, values: Mapping[str, float], limit: int | None = None
    ) -> Iterator[tuple[float, str]]:
        """What stands in a partition of the index where a condition on `due_at` holds, in order."""
        items = self._query(
            limit,
            IndexName="due",
            KeyConditionExpression=f"due_shard = :shard AND {condition}",
            ExpressionAttributeValues={":shard": {"S": shard}, **{name: as_value(one) for name, one in values.items()}},
        )
        return ((float(item["due_at"]["N"]), item["sk"]["S"]) for item in items)

    def _query(self, limit: int | None = None, **asked: Any) -> Iterator[Item]:
        """The items that a query finds, page by page, so many at most."""
        while limit is None or limit > 0:
            answer = self._client.query(TableName=self._name, **asked, **({"Limit": limit} if limit else {}))
            yield from answer["Items"]
            limit = limit and limit - len(answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            asked["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _update(
        self,
        what: str | Key,
        update: str,
        condition: str,
        values: Mapping[str, Any],
        names: Mapping[str, str] | None = None,
    ) -> None:
        """Changes a feed on the list, or another item, where the condition holds; where it does not, nothing happens."""
        more: dict[str, Any] = {"ExpressionAttributeNames": names} if names else {}
        if values:
            more["ExpressionAttributeValues"] = {name: as_value(value) for name, value in values.items()}
        if condition:
            more["ConditionExpression"] = condition
        try:
            self._client.update_item(
                TableName=self._name,
                Key=as_key(*((LIST, what) if isinstance(what, str) else what)),
                UpdateExpression=update,
                **more,
            )
        except ClientError as error:
            if not is_conditional(error):
                raise


def cursor_put(cursor: Cursor) -> dict[str, Any]:
    """The write of a cursor over the version it was made from."""
    marks = {"etag": cursor.etag, "last_modified": cursor.last_modified, "body": cursor.body}
    state = {name: value for name, value in marks.items() if value} | {"health": cursor.health.to_json()}
    item = as_item(_own(cursor.feed), "CURSOR", state, version=cursor.version + 1, parts=cursor.parts)
    if cursor.seen:
        item["seen"] = {"B": packed(cursor.seen)}
    if cursor.marks:
        item["marks"] = {"B": bytes.fromhex("".join(cursor.marks))}
    if cursor.version == 0:
        return {"Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
    values = {":version": as_value(cursor.version)}
    return {"Item": item, "ConditionExpression": "version = :version", "ExpressionAttributeValues": values}


def part_item(feed: str, part: Part) -> Item:
    """The item of a part that was put aside."""
    numbers = {"schema": SCHEMA, "slot": part.slot, "number": part.number}
    item = as_key(_own(feed), _part_name(part.slot)) | {name: as_value(value) for name, value in numbers.items()}
    return item | {"seen": {"B": packed(part.seen)}}


def _part_name(slot: int) -> str:
    return f"{PART}{slot:04}"


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
    turns = item.get("due_shard", {"S": ""})["S"].startswith(TURNS)
    return Listed(
        Subscription.from_json(row),
        timedelta(seconds=float(item["every"]["N"])),
        int(item["due_at"]["N"]) if turns else None,
        None if turns else _moment(item, "due_at"),
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
    version, parts = (int(item.get(name, {"N": "0"})["N"]) for name in ("version", "parts"))
    told = bytes(item["marks"]["B"]) if "marks" in item else b""
    marks = tuple(told[at : at + MARK].hex() for at in range(0, len(told), MARK))
    return Cursor(feed, **row, seen=seen, health=health, version=version, parts=parts, marks=marks)


def _notice_item(notice: Notice) -> Item:
    expires = datetime.fromisoformat(notice.at) + NOTICES_LIVE
    return as_item(f"NOTICES#{notice.hour}", f"{notice.about}#{notice.kind}", asdict(notice), expires=expires)
