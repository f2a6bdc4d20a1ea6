"""How values become items of the table, and what its adapters share of asking for them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from tocsin.errors import SettingsFault

Item = dict[str, dict[str, Any]]
SCHEMA = 2
"""The version of what items hold; `docs/operate.md` says what a higher one means. Since 2 the states of stories and fates are packed."""
_RAW = -15
"""Deflate without header and checksum (RFC 1951)."""
COMMON = (
    b'{"article":"","fate":"alerted","reason":": first_report (first report of #1)","at":"2026-01-01T00:00:00.000000+00:00","rules":"","title":"",'
    b'"source":"","signals":[{"rule":"","who":"","where":"","what":null,"stage":"","certainty":"asserted","flags":[],"says":[],"relays":[],'
    b'"figures":[],"evidence":"","start":,"end":,"sentences":[{"text":"","start":,"end":,"stage":""}],"story":"","alert":"/first_report",'
    b'"reason":"corroborated","detail":"same stage; 2 outlets now"}],"url":"https://","published":"","content":"","before":[],"lacks":""}'
    b'{"id":"#1","rule":"","who":"","where":"","what":null,"episode":1,"first_seen":"","last_seen":"","reports":[{'
    b'"},{"article":"","outlet":"","title":"","url":"https://www.","published":"2026-01-01T00:00:00+00:00","stage":"preparing",'
    b'"certainty":"asserted","quote":"","marks":[[0,],[,]],"flags":[],"says":[],"relays":[],"figures":[],"credit":"","sketch":[],"dated":"given",'
    b'"where":null,"what":null,"withdrawn":false}],"outlets":[""],"articles":1,"alerted":["/first_report"],"told":[],"posted":true,"denials":[],'
    b'"merged":"","kinds":[],"actions":[],"version":1}'
)
"""What the states of fates and stories have in common: packed, it takes no room. It is part of schema 2 and never changes: nothing packed with
it could be read."""
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


def as_item(
    pk: str,
    sk: str,
    state: Mapping[str, Any],
    *,
    expires: datetime | None = None,
    packed: bool = False,
    **numbers: float,
) -> Item:
    """An item with its state as JSON, packed where it is long and written often, and beside it the numbers that conditions and indexes look at."""
    told = {"B": _packed(state)} if packed else {"S": json.dumps(state, ensure_ascii=False)}
    item = as_key(pk, sk) | {"schema": {"N": str(SCHEMA)}, "state": told}
    if expires:
        item["expires_at"] = {"N": str(int(expires.timestamp()))}
    return item | {name: {"N": as_number(value)} for name, value in numbers.items()}


def state_of(item: Mapping[str, Any]) -> dict[str, Any]:
    """The state of an item, however it was written."""
    told = item["state"]
    try:
        text = zlib.decompressobj(_RAW, COMMON).decompress(told["B"]) if "B" in told else told["S"]
        state: dict[str, Any] = json.loads(text)
    except (KeyError, ValueError, zlib.error) as error:
        if (schema := int(item.get("schema", {}).get("N", SCHEMA))) > SCHEMA:
            what = f"a later version of Tocsin wrote this item of the table (schema {schema}, this one reads {SCHEMA})"
            raise SettingsFault(f"{what}; deploy that version again, then tocsin redrive") from error
        raise
    return state


def _packed(state: Mapping[str, Any]) -> bytes:
    """A state in about a third of its bytes: the table charges by the kilobyte, and for a transaction twice."""
    text = json.dumps(state, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    packer = zlib.compressobj(9, zlib.DEFLATED, _RAW, zdict=COMMON)
    return packer.compress(text) + packer.flush()


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
