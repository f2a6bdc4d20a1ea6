"""What is kept of a stack, read as a whole: for export, for a tap, and to put a restored table back. For people: it may take minutes."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from tocsin.adapters.items import Item, is_conditional, state_of
from tocsin.pipeline.archive import MAX_FILE
from tocsin.ports import Archive

ARRIVES_WITHIN = timedelta(days=1)
"""How much later than the day in its name an object may be written: by a call that began before midnight."""


def items(client: Any, table: str, beginning: str = "") -> Iterator[Item]:
    """The items of a table whose pk begins so, a page at a time."""
    asked: dict[str, Any] = {"TableName": table, "ConsistentRead": True}
    if beginning:
        asked |= {"FilterExpression": "begins_with(pk, :pk)", "ExpressionAttributeValues": {":pk": {"S": beginning}}}
    while True:
        answer = client.scan(**asked)
        yield from answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        asked["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def states(client: Any, table: str, beginning: str, ending: str) -> Iterator[dict[str, Any]]:
    """The states of the items of a kind."""
    for item in items(client, table, beginning):
        if item["sk"]["S"].startswith(ending):
            yield state_of(item)


@dataclass(frozen=True, slots=True)
class Kept:
    """An object of the archive, and when it was written."""

    key: str
    at: datetime


def archived(client: Any, bucket: str, kind: str, since: datetime, until: datetime) -> list[Kept]:
    """The batches of a kind (`articles`, `fates`) that were written within a window, in the order in which they were."""
    found = []
    day = (since - ARRIVES_WITHIN).date()
    while day <= until.date():
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{kind}/{day:%Y/%m/%d}/")
        found += [
            Kept(row["Key"], row["LastModified"].astimezone(UTC)) for page in pages for row in page.get("Contents", [])
        ]
        day += timedelta(days=1)
    return sorted((one for one in found if since <= one.at < until), key=lambda one: (one.at, one.key))


def rows(archive: Archive, key: str) -> Iterator[dict[str, Any]]:
    """The rows of a batch, in order; none of one that cannot be unpacked, or is gone."""
    try:
        body = gzip.decompress(archive.read(key, limit=MAX_FILE))
    except (OSError, EOFError, zlib.error):
        return
    for line in body.decode().splitlines():
        yield json.loads(line)


def put_back(client: Any, source: str, target: str, now: datetime, *, overwrite: bool) -> Mapping[str, int]:
    """Copies the items of one table into another: those it lacks, or all. How many were copied, were there, and had expired."""
    done = {"copied": 0, "there": 0, "expired": 0}
    kept = {} if overwrite else {"ConditionExpression": "attribute_not_exists(pk)"}
    for item in items(client, source):
        if "expires_at" in item and float(item["expires_at"]["N"]) <= now.timestamp():
            done["expired"] += 1
            continue
        try:
            client.put_item(TableName=target, Item=item, **kept)
            done["copied"] += 1
        except ClientError as error:
            if not is_conditional(error):
                raise
            done["there"] += 1
    return done
