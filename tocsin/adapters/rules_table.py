"""Which set of rules is in force: one item that functions read, and one for each time it was changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from botocore.exceptions import ClientError

from tocsin.adapters.items import Item, as_item, as_key, is_cancelled, state_of
from tocsin.errors import Conflict
from tocsin.ports import RulesInForce

PARTITION, CURRENT = "RULES", "IN_FORCE"
SHOWN = 100
"""Changes that a history tells of."""


def in_force(client: Any, table: str) -> RulesInForce | None:
    """The set of rules that was put in force last, strongly consistent; None while none was."""
    answer = client.get_item(TableName=table, Key=as_key(PARTITION, CURRENT), ConsistentRead=True)
    return _read(answer["Item"]) if "Item" in answer else None


def put_in_force(client: Any, table: str, wanted: RulesInForce, known: RulesInForce | None) -> None:
    """Puts a set in force and into the history, in one transaction; `Conflict` when another was put in force meanwhile."""
    unchanged = {"ConditionExpression": "attribute_not_exists(pk)"} if known is None else {
        "ConditionExpression": "since = :since", "ExpressionAttributeValues": {":since": {"S": known.at}},
    }  # fmt: skip
    puts = [
        {"TableName": table, "Item": _item(CURRENT, wanted), **unchanged},
        {"TableName": table, "Item": _item(f"CHANGE#{wanted.at}", wanted), "ConditionExpression": "attribute_not_exists(pk)"},
    ]  # fmt: skip
    try:
        client.transact_write_items(TransactItems=[{"Put": put} for put in puts])
    except ClientError as error:
        if not is_cancelled(error):
            raise
        raise Conflict("other rules were put in force meanwhile") from error


def history(client: Any, table: str) -> Sequence[RulesInForce]:
    """The sets that were put in force, the last first."""
    answer = client.query(
        TableName=table,
        KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
        ExpressionAttributeValues={":pk": {"S": PARTITION}, ":sk": {"S": "CHANGE#"}},
        ScanIndexForward=False,
        Limit=SHOWN,
        ConsistentRead=True,
    )
    return [_read(item) for item in answer["Items"]]


def _item(sk: str, rules: RulesInForce) -> Item:
    return as_item(PARTITION, sk, asdict(rules)) | {"since": {"S": rules.at}}


def _read(item: Item) -> RulesInForce:
    return RulesInForce(**state_of(item))
