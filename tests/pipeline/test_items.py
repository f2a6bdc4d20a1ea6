"""Everything that is stored says which version of items it is of, and what earlier versions stored is still read."""

from __future__ import annotations

import json
import zlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.system import System, row_of
from tocsin.adapters.dynamodb import DynamoTable
from tocsin.adapters.feed_table import FeedTable
from tocsin.adapters.items import SCHEMA, state_of
from tocsin.article import Article
from tocsin.cursor import Cursor, Part, Seen
from tocsin.errors import SettingsFault
from tocsin.health import Health
from tocsin.ports import Bulletin, Burst, Notice, Rolled, RulesInForce
from tocsin.silence import Silence
from tocsin.subscription import Subscription

FROZEN = {number: Path(__file__).parents[1] / "events" / f"items-{number}.json" for number in (1, 2)}
"""An item of each kind, as each version of items was written; they never change."""
KINDS = {
    "ADDRESS#", "ALERT#", "ARTICLE#", "FEED#", "FEEDS", "HELD#", "NOTICES#", "ROLLED#", "ROOM#", "ROUNDS", "RULES", "SILENCES", "SLACK", "STORY#", "TALLIES",
    "once",
}  # fmt: skip
SENT = "Turkey is preparing to send more troops to Syria, officials said."
STORY = "additional-deployment/turkey/syria#1"


def kind_of(item: dict[str, Any]) -> str:
    """What an item is about, by its key."""
    pk: str = item["pk"]["S"]
    return pk.partition("#")[0] + "#" * ("#" in pk) if item["sk"]["S"] != "ONCE" else "once"


def fill(system: System) -> None:
    """Has an item of each kind written, by the functions where they do it and by the table where they seldom do."""
    table, now = system.table, system.now
    system.send(row_of(Article("one", SENT, "Headline", "Outlet", "https://news.example/one", now)))
    system.pump.drain()
    table.add_silence(Silence("drill", (("who", "poland"),), now, now + timedelta(days=3), "Ana", "an exercise"))
    system.send(
        row_of(Article("two", "Poland is preparing to send more troops to Latvia, officials said.", published=now))
    )
    system.pump.drain()
    table.want_digest("2025-03-01", now)
    table.announce("alarm", Bulletin("Alarm", ("a line",), "high"), now)
    table.once("REQUEST#1", now, now + timedelta(hours=1))
    burst = Burst("additional-deployment", "C0ALERTS", "2025-03-01T09")
    table.room(burst, "ops/alarm", 1)
    row = table.claim("ops/alarm", "me", now, timedelta(minutes=1))
    assert row is not None
    table.roll_up(row, "me", burst, Rolled("ops/alarm", "high", "a → b", "Title", "Outlet", ""), now)
    table.put_in_force(RulesInForce("a" * 64, "ana", now.isoformat()), None)
    feeds = FeedTable(system.stack.client("dynamodb"), system.stack.physical("Table"))
    feeds.add(Subscription("example.org/1", "https://example.org/feed", "Outlet"), now)
    health = Health(failing="dead", what="does not answer", since=now.timestamp())
    feeds.sent(feeds.round(now), now)
    feeds.put_aside("example.org/1", Part(0, 0, (Seen("a" * 16, "", "", "", "b" * 12),)))
    feeds.save(
        Cursor("example.org/1", etag='"1"', health=health),
        [Notice("example.org/1", "dead", "Outlet", "it is dead", now.isoformat())],
    )


def stored(system: System) -> list[dict[str, Any]]:
    """Every item of the table."""
    items: list[dict[str, Any]] = system.stack.client("dynamodb").scan(TableName=system.stack.physical("Table"))[
        "Items"
    ]
    return items


def test_every_item_says_its_version(on_moto: System) -> None:
    """Whatever is written to the table, by whichever call, carries `schema`; a new kind of item is added to the kinds above."""
    fill(on_moto)
    items = stored(on_moto)
    assert {kind_of(item) for item in items} == KINDS
    assert [item for item in items if item.get("schema") != {"N": f"{SCHEMA}"}] == []
    assert max(FROZEN) == SCHEMA


def frozen(number: int) -> list[dict[str, Any]]:
    """The items of a version; bytes are written in hexadecimals."""
    items: list[dict[str, Any]] = json.loads(FROZEN[number].read_text(encoding="utf-8"))
    return [
        {name: {"B": bytes.fromhex(value["B"])} if "B" in value else value for name, value in item.items()}
        for item in items
    ]


def test_an_item_of_a_later_version_that_cannot_be_read_says_so() -> None:
    """Where a later version packed otherwise, the fault tells which version is needed; what is merely spoilt is no matter of versions."""
    with pytest.raises(SettingsFault, match=f"schema {SCHEMA + 1}, this one reads {SCHEMA}\\); deploy that version"):
        state_of({"schema": {"N": str(SCHEMA + 1)}, "state": {"B": b"packed otherwise"}})
    with pytest.raises((ValueError, zlib.error)):
        state_of({"schema": {"N": str(SCHEMA)}, "state": {"B": b"spoilt"}})


@pytest.mark.parametrize(
    ("number", "version"),
    [
        (1, "as it was"),
        (1, "without its version, as rows were before 1.0"),
        (2, "as it was"),
        (SCHEMA, "with a field of later"),
    ],
)
def test_old_items_are_read(on_moto: System, number: int, version: str) -> None:
    """An item of each kind that was written by any version, by one before them, or by a later one, is read as what it is."""
    client, name = on_moto.stack.client("dynamodb"), on_moto.stack.physical("Table")
    for item in frozen(number):
        extra = {"later": {"S": "unknown"}} if "later" in version else {}
        put = {key: value for key, value in item.items() if not (key == "schema" and "without" in version)}
        client.put_item(TableName=name, Item=put | extra)
    table, feeds, now = (
        DynamoTable(client, name),
        FeedTable(client, name),
        datetime.fromisoformat("2025-03-01T09:00:00+00:00"),
    )
    fate, story = table.fate("one"), table.story(STORY)
    assert fate is not None
    assert story is not None
    assert (fate.fate, story.stage, [one.id for one in table.episodes("additional-deployment/turkey/syria")]) == (
        "alerted",
        "preparing",
        [STORY],
    )
    assert table.known([Article("other", SENT, url="https://news.example/one")])["other"].article == "one"
    assert [one.comment for one in table.silences(now)] == ["an exercise"]
    assert [one.kind for one in table.held("2025-03-01")] == ["silenced"]
    assert [one.articles for one in table.tallies(["2025-03-01"])] == [2]
    assert [one.kind for one in table.notices("2025-03-01T09")] == ["dead"]
    burst = Burst("additional-deployment", "C0ALERTS", "2025-03-01T09")
    assert [one.alert for one in table.rolled(burst)] == ["ops/alarm"]
    assert not table.room(burst, "another", 1)
    assert table.posted(f"{STORY}/first_report") is not None
    digest = table.claim("digest/2025-03-01", "me", now + timedelta(hours=1), timedelta(minutes=1))
    assert digest is not None
    assert digest.digest == "2025-03-01"
    assert not table.once("REQUEST#1", now, now + timedelta(hours=1))
    in_force = table.rules_in_force()
    assert in_force is not None
    assert in_force.by == "ana"
    assert [one.feed.name for one in feeds.all()] == ["Outlet"]
    listed, at = feeds.read(["example.org/1"])["example.org/1"]
    assert (at.etag, at.parts, listed.due, listed.place) == ('"1"', 0, now, None)
    assert feeds.due(now, 9) == ["example.org/1"]
