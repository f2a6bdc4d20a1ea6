"""How values become items of the table, and what its adapters share of asking for them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

Item = dict[str, dict[str, Any]]
SCHEMA = 1
"""The version of what items hold; `docs/operate.md` says what a higher one means."""
Key = tuple[str, str]
"""The pk and sk of an item."""


def as_key(pk: str, sk: str) -> Item:
    """A key as DynamoDB wants it."""
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def as_value(value: Any) -> dict[str, Any]:
    """A text, number, truth value or set of numbers as DynamoDB wants it."""
    if isinstance(value, set):
        return {"NS": sorted(map(as_number, value))}
    if isinstance(value, bool):
        return {"BOOL": value}
    return {"S": value} if isinstance(value, str) else {"N": as_number(value)}


def as_number(value: float) -> str:
    """A number in DynamoDB's decimal notation."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def as_item(pk: str, sk: str, state: Mapping[str, Any], *, expires: datetime | None = None, **numbers: float) -> Item:
    """An item with its state as JSON, and beside it the numbers that conditions and indexes look at."""
    item = as_key(pk, sk) | {"schema": {"N": str(SCHEMA)}, "state": {"S": json.dumps(state, ensure_ascii=False)}}
    if expires:
        item["expires_at"] = {"N": str(int(expires.timestamp()))}
    return item | {name: {"N": as_number(value)} for name, value in numbers.items()}


def is_conditional(error: ClientError) -> bool:
    """Whether a write was refused because its condition does not hold."""
    return bool(error.response["Error"]["Code"] == "ConditionalCheckFailedException")


def is_cancelled(error: ClientError) -> bool:
    """Whether a transaction was refused because a condition does not hold or another writer is at it."""
    return error.response["Error"]["Code"] in {"TransactionCanceledException", "TransactionConflictException"}


def batch_get(client: Any, table: str, keys: Iterable[Key], *, consistent: bool = True) -> dict[Key, Item]:
    """The items of these keys that exist, strongly consistent unless half the price is enough."""
    found: dict[Key, Item] = {}
    order = sorted(set(keys))
    for first in range(0, len(order), 100):
        wanted = [as_key(pk, sk) for pk, sk in order[first : first + 100]]
        while wanted:
            answer = client.batch_get_item(RequestItems={table: {"Keys": wanted, "ConsistentRead": consistent}})
            found |= {(item["pk"]["S"], item["sk"]["S"]): item for item in answer["Responses"].get(table, [])}
            wanted = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
    return found
