"""The table in DynamoDB: stories, fates, silences and the outbox, one item each, state as JSON beside the keys."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from tocsin.adapters import rules_table, tallies
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
    state_of,
)
from tocsin.article import Article
from tocsin.episodes import REMEMBERED
from tocsin.errors import Conflict
from tocsin.ports import (
    BEYOND,
    BULLETIN,
    MUTED,
    Backlog,
    Bulletin,
    Burst,
    Commit,
    FateRecord,
    Held,
    Notice,
    OutboxRow,
    Posted,
    Rolled,
    RulesInForce,
    Tally,
    Turn,
    Wanted,
    beside,
    digest_alert,
)
from tocsin.signal import LEVELS
from tocsin.silence import Silence
from tocsin.story import Story

FATES_LIVE = timedelta(days=90)
STORIES_LIVE = timedelta(days=400)
TRIES = 3
PROBE = timedelta(minutes=1)
"""How long others wait for the call that finds out whether Slack takes the token again."""
HELD_LIVE = timedelta(days=14)
MAX_HELD = 2_000
"""Rows of one day's digest, or one hour's notices, that are read."""
SHARD = "due"
"""The one partition of the index of waiting alerts: it holds only what is not delivered yet."""
MOST_WAITING = 100
"""Rows that are looked at to tell how far behind the delivery is."""
AUDIT_SHARD = "audit"
"""The partition of the same index for what is delivered and will be audited."""

_NAMES = {"#owner": "owner", "#status": "status"}
"""Attributes whose names are reserved words."""
_ASKED = {"#status": "status", "#level": "level", "#schema": "schema"}
_ASK = (
    "SET #status = :pending, due_at = :due, due_shard = :shard, since = if_not_exists(since, :due),"
    " story = :story, wanted = :wanted, reply = :reply, #level = :level, expires_at = :expires, #schema = :schema"
)
"""What is wanted of an alert."""


class DynamoTable:
    """`tocsin.ports.Table` on a DynamoDB client and a table name. Every read is strongly consistent, but for `due`."""

    def __init__(self, client: Any, name: str) -> None:
        self._client, self._name = client, name

    # fates, stories, silences

    def fate(self, article: str) -> FateRecord | None:
        """See `Table.fate`."""
        item = self._get(f"ARTICLE#{article}", "FATE")
        return _fate(item) if item else None

    def known(self, articles: Sequence[Article]) -> Mapping[str, FateRecord]:
        """See `Table.known`."""
        ids = {article.id for article in articles}
        addresses = {article.id: _address(article.address) for article in articles if article.address}
        found = self._batch(
            {*((f"ARTICLE#{one}", "FATE") for one in ids), *((pk, "ARTICLE") for pk in addresses.values())}
        )
        fates = {one: _fate(found[f"ARTICLE#{one}"]) for one in ids if f"ARTICLE#{one}" in found}
        theirs = {one: found[pk]["article"]["S"] for one, pk in addresses.items() if one not in fates and pk in found}
        others = self._batch({(f"ARTICLE#{other}", "FATE") for other in theirs.values()})
        pointed = {
            one: _fate(others[f"ARTICLE#{other}"]) for one, other in theirs.items() if f"ARTICLE#{other}" in others
        }
        return {**fates, **pointed}

    def _batch(self, keys: set[tuple[str, str]]) -> dict[str, Item]:
        """The items of these keys that exist, by their pk, strongly consistent."""
        return {pk: item for (pk, _), item in batch_get(self._client, self._name, keys).items()}

    def record(self, fate: FateRecord) -> None:
        """See `Table.record`."""
        try:
            self._client.put_item(
                TableName=self._name, Item=_fate_item(fate), ConditionExpression="attribute_not_exists(pk)"
            )
        except ClientError as error:
            if not is_conditional(error):
                raise

    def episodes(self, key: str) -> Sequence[Story]:
        """See `Table.episodes`."""
        answer = self._client.query(
            TableName=self._name,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
            ExpressionAttributeValues={":pk": {"S": f"STORY#{key}"}, ":sk": {"S": "EPISODE#"}},
            ScanIndexForward=False,
            Limit=REMEMBERED,
            ConsistentRead=True,
        )
        return [_story(item) for item in answer["Items"]]

    def story(self, story_id: str) -> Story | None:
        """See `Table.story`."""
        key, _, episode = story_id.rpartition("#")
        item = self._get(f"STORY#{key}", f"EPISODE#{int(episode):06d}")
        return _story(item) if item else None

    def silences(self, now: datetime) -> Sequence[Silence]:
        """See `Table.silences`."""
        return [silence for silence in self.all_silences() if silence.begins <= now < silence.ends]

    def all_silences(self) -> Sequence[Silence]:
        """The silences in force, those to come, and those that ended yesterday or today."""
        answer = self._client.query(
            TableName=self._name,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": "SILENCES"}},
            ConsistentRead=True,
        )
        return [_silence(state_of(item)) for item in answer["Items"]]

    def add_silence(self, silence: Silence) -> None:
        """Records a silence; it is forgotten a day after its end."""
        self._client.put_item(TableName=self._name, Item=_silence_item(silence))

    def commit(self, commit: Commit, now: datetime) -> None:
        """See `Table.commit`."""
        actions: list[dict[str, Any]] = [{"Put": _fate_put(commit.fate, commit.replaces)}] if commit.fate else []
        actions += [{"Put": _fate_put(fate, None)} for fate in commit.more]
        if commit.address:
            actions.append({"Put": _address_put(commit.address, commit.article, now)})
        actions += [{"Put": _story_put(story, now)} for story in commit.stories]
        actions += [{"ConditionCheck": _check(story, version)} for story, version in commit.relied]
        actions += [{"Update": _raised(story, version)} for story, version in commit.beside]
        actions += [{"Put": {"Item": _held_item(held)}} for held in commit.held]
        actions += [{"Update": _outbox_update(wanted, now)} for wanted in commit.alerts]
        self._write(actions, f"article {commit.fate.article if commit.fate else commit.article!r}")

    def want(self, wanted: Wanted, now: datetime) -> None:
        """See `Memory.want`."""
        shown = wanted.story.version + 1
        values = _asked(wanted.story.id, shown, wanted.reply, wanted.level, now)
        self._update(wanted.alert, _ASK, "attribute_not_exists(pk) OR wanted < :wanted", values, names=_ASKED)

    def once(self, name: str, now: datetime, until: datetime) -> bool:
        """See `DeskTable.once`."""
        try:
            self._client.put_item(
                TableName=self._name,
                Item=as_item(name, "ONCE", {}, expires=until),
                ConditionExpression="attribute_not_exists(pk) OR expires_at < :now",
                ExpressionAttributeValues={":now": {"N": str(int(now.timestamp()))}},
            )
        except ClientError as error:
            if is_conditional(error):
                return False
            raise
        return True

    def act(self, story: Story, shown: Wanted | None, silences: Sequence[Silence], now: datetime) -> None:
        """See `DeskTable.act`."""
        actions: list[dict[str, Any]] = [{"Put": _story_put(story, now)}]
        actions += [{"Update": _outbox_update(shown, now)}] if shown else []
        actions += [{"Put": {"Item": _silence_item(silence)}} for silence in silences]
        self._write(actions, f"story {story.id!r}")

    def _write(self, actions: Sequence[dict[str, Any]], what: str) -> None:
        """Writes it all or nothing; `Conflict` when a condition does not hold or another writer is at it. One write alone costs half."""
        for action in actions:
            next(iter(action.values()))["TableName"] = self._name
        try:
            if len(actions) == 1 and "Put" in actions[0]:
                self._client.put_item(**actions[0]["Put"])
            else:
                self._client.transact_write_items(TransactItems=actions)
        except ClientError as error:
            if not (is_cancelled(error) or is_conditional(error)):
                raise
            reasons = {reason.get("Code", "None") for reason in error.response.get("CancellationReasons", [])} - {
                "None"
            }
            raise Conflict(
                f"{what} was not written: {', '.join(sorted(reasons)) or 'another writer was first'}"
            ) from error

    def held(self, day: str) -> Sequence[Held]:
        """See `Table.held`."""
        return [Held(**state_of(item)) for item in self._partition(f"HELD#{day}", MAX_HELD)]

    def _partition(self, pk: str, limit: int) -> list[Item]:
        """The items of one partition in order, so many at most."""
        found: list[Item] = []
        start: dict[str, Any] = {}
        while len(found) < limit:
            answer = self._client.query(
                TableName=self._name,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": pk}},
                Limit=limit - len(found),
                ConsistentRead=True,
                **start,
            )
            found += answer["Items"]
            if "LastEvaluatedKey" not in answer:
                break
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        return found

    # the outbox

    def want_digest(self, day: str, now: datetime) -> bool:
        """See `Table.want_digest`."""
        return want(self._client, self._name, digest_alert(day), "pending", now)

    def announce(self, name: str, bulletin: Bulletin, now: datetime) -> bool:
        """See `Table.announce`."""
        told = json.dumps(asdict(bulletin), ensure_ascii=False)
        return want(self._client, self._name, f"{BULLETIN}{name}", "pending", now, bulletin=told, level=bulletin.level)

    def count(self, tally: Tally, now: datetime) -> None:
        """See `Table.count`."""
        tallies.add(self._client, self._name, tally, now)

    def count_silent(self, day: str, articles: int) -> None:
        """See `Table.count_silent`."""
        tallies.set_silent(self._client, self._name, day, articles)

    def tallies(self, days: Sequence[str]) -> Sequence[Tally]:
        """See `Table.tallies`."""
        return tallies.read(self._client, self._name, days)

    def stories(self, pages: int) -> tuple[list[Story], bool]:
        """The stories in the first so many pages of the table, and whether these are all: for people, it reads everything else too."""
        found: list[Story] = []
        start: dict[str, Any] = {}
        for _ in range(pages):
            answer = self._client.scan(
                TableName=self._name,
                FilterExpression="begins_with(pk, :story)",
                ExpressionAttributeValues={":story": {"S": "STORY#"}},
                **start,
            )
            found += map(_story, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return found, True
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        return found, False

    def rules_in_force(self) -> RulesInForce | None:
        """The set of rules that was put in force last; None while those that were deployed are."""
        return rules_table.in_force(self._client, self._name)

    def put_in_force(self, wanted: RulesInForce, known: RulesInForce | None) -> None:
        """Puts a set of rules in force instead of the known one; `Conflict` when somebody was faster."""
        rules_table.put_in_force(self._client, self._name, wanted, known)

    def rules_history(self) -> Sequence[RulesInForce]:
        """The sets of rules that were put in force, the last first."""
        return rules_table.history(self._client, self._name)

    def backlog(self, now: datetime) -> Backlog:
        """See `Table.backlog`."""
        answer = self._client.query(
            TableName=self._name,
            IndexName="due",
            KeyConditionExpression="due_shard = :shard",
            ExpressionAttributeValues={":shard": {"S": SHARD}},
            Limit=MOST_WAITING,
        )
        keys = {(item["pk"]["S"], item["sk"]["S"]) for item in answer["Items"]}
        rows = [row for row in self._batch(keys).values() if row.get("due_shard") == {"S": SHARD}]
        since = [(_since(row), row.get("note", {}).get("S", "")) for row in rows]
        waiting = [one for one in since if one[0] <= now.timestamp()]
        longest, why = min(waiting, default=(0.0, ""))
        return Backlog(
            len(waiting),
            datetime.fromtimestamp(longest, UTC) if waiting else None,
            sum("attempted_at" in row and _number(row, "lease_until") <= now.timestamp() for row in rows),
            why,
        )

    def notices(self, hour: str) -> Sequence[Notice]:
        """See `Table.notices`."""
        return [Notice(**state_of(item)) for item in self._partition(f"NOTICES#{hour}", MAX_HELD)]

    def claim(
        self, alert: str, owner: str, now: datetime, lease: timedelta, *, begins: str | None = None
    ) -> OutboxRow | None:
        """See `Table.claim`."""
        until = (now + lease).timestamp()
        begun = ", attempted_at = if_not_exists(attempted_at, :now)" if begins is not None else ""
        begun += ", channel = if_not_exists(channel, :channel)" if begins else ""
        item = self._update(
            alert,
            f"SET #status = :claimed, #owner = :owner, lease_until = :until{begun} ADD attempts :one",
            "attribute_exists(pk) AND #status IN (:pending, :waiting, :claimed) AND (attribute_not_exists(lease_until) OR lease_until <= :now)",
            {
                ":claimed": "claimed",
                ":pending": "pending",
                ":waiting": "waiting",
                ":owner": owner,
                ":until": until,
                ":now": now.timestamp(),
                ":one": 1,
                **({":channel": begins} if begins else {}),
            },
            answers="ALL_OLD",  # which tells whether a call had been begun before
        )
        if not item:
            return None
        row = _outbox(item)
        if begins is None or row.attempted_at is not None:
            return row
        return replace(row, channel=row.channel or begins, begun_at=now.timestamp())

    def turn(self, channel: str, now: datetime, pace: timedelta) -> Turn:
        """See `Table.turn`."""
        free = "attribute_not_exists(shut_until) AND (attribute_not_exists(#free) OR #free <= :now OR #free > :beyond)"
        times = {":now": now, ":beyond": now + BEYOND}
        held = self._turns("SET #free = :next", free, {":next": now + pace, **times}, channel)
        if held is None:
            return Turn()
        if "shut_until" not in held:
            return Turn(_moment(held[_free(channel)]))
        if now < (shut_until := _moment(held["shut_until"])) <= now + BEYOND:
            return Turn(shut_until, shut=True)
        again = now + PROBE
        over = "shut_until <= :now OR shut_until > :beyond"
        held = self._turns("SET shut_until = :again", over, {":again": again, **times})
        return Turn(again, shut=True) if held else Turn(probe=True)

    def pause(self, channel: str, until: datetime) -> None:
        """See `Table.pause`."""
        self._turns("SET #free = :until", "attribute_not_exists(#free) OR #free < :until", {":until": until}, channel)

    def shut(self, until: datetime) -> None:
        """See `Table.shut`."""
        later = "attribute_not_exists(shut_until) OR shut_until < :until"
        self._turns("SET shut_until = :until", later, {":until": until})

    def reopen(self) -> None:
        """See `Table.reopen`."""
        self._turns("REMOVE shut_until", "attribute_exists(shut_until)", {})

    def _turns(self, update: str, condition: str, times: Mapping[str, datetime], channel: str = "") -> Item | None:
        """Changes the one item that gives turns; when its condition does not hold, the item as it stands."""
        values = {name: as_value(moment.timestamp()) for name, moment in times.items()}
        names = {"#free": _free(channel)} if channel else {}
        if update.startswith("SET"):
            update, names = f"{update}, #schema = :schema", names | {"#schema": "schema"}
            values[":schema"] = as_value(SCHEMA)
        given: dict[str, Any] = {"ExpressionAttributeValues": values} if values else {}
        given |= {"ExpressionAttributeNames": names} if names else {}
        try:
            self._client.update_item(
                TableName=self._name, Key={"pk": {"S": "SLACK"}, "sk": {"S": "TURNS"}}, UpdateExpression=update, ConditionExpression=condition,
                ReturnValuesOnConditionCheckFailure="ALL_OLD", **given,
            )  # fmt: skip
        except ClientError as error:
            if not is_conditional(error):
                raise
            held: Any = error.response.get("Item")
            return held or self._get("SLACK", "TURNS") or {}
        return None

    def room(self, burst: Burst, alert: str, most: int) -> bool:
        """See `Table.room`."""
        values: dict[str, Any] = {":alerts": {"SS": [alert]}, ":alert": {"S": alert}, ":most": {"N": str(most)}}
        try:
            self._client.update_item(
                TableName=self._name,
                Key={"pk": {"S": f"ROOM#{burst.alert}"}, "sk": {"S": "ALERTS"}},
                UpdateExpression="SET expires_at = :expires, #schema = :schema ADD alerts :alerts",
                ExpressionAttributeNames={"#schema": "schema"},
                ConditionExpression="attribute_not_exists(alerts) OR contains(alerts, :alert) OR size(alerts) < :most",
                ExpressionAttributeValues=values
                | {":expires": {"N": _after(burst, HELD_LIVE)}, ":schema": as_value(SCHEMA)},
            )
        except ClientError as error:
            if is_conditional(error):
                return False
            raise
        return True

    def roll_up(self, row: OutboxRow, owner: str, burst: Burst, rolled: Rolled, now: datetime) -> None:
        """See `Table.roll_up`."""
        note, due = f"told in the list {burst.alert}", now.timestamp()
        mine = {":rolled": "rolled", ":burst": burst.alert, ":note": note, ":owner": owner, ":wanted": row.wanted}
        line: dict[str, Any] = {":state": json.dumps(asdict(rolled), ensure_ascii=False), ":schema": SCHEMA}
        line |= {":expires": int(_after(burst, HELD_LIVE))}
        told = {":pending": "pending", ":due": due, ":shard": SHARD, ":none": "", ":null": "null", ":one": 1, ":level": rolled.level,
                ":expires": int(_after(burst, STORIES_LIVE)), ":schema": SCHEMA}  # fmt: skip
        updates = [
            _change(
                f"ALERT#{row.alert}", "OUTBOX", "SET #status = :rolled, rolled_into = :burst, note = :note"
                " REMOVE #owner, lease_until, due_at, due_shard, attempted_at, since", mine,
                condition="#owner = :owner AND wanted <= :wanted", names=_NAMES,
            ),
            _change(
                f"ROLLED#{burst.alert}", row.alert, "SET #state = :state, expires_at = :expires, #schema = :schema", line,
                names={"#state": "state", "#schema": "schema"},
            ),
            _change(
                f"ALERT#{burst.alert}", "OUTBOX", "SET #status = :pending, due_at = :due, due_shard = :shard, story = :none, reply = :null,"
                " since = if_not_exists(since, :due), #level = :level, expires_at = :expires, #schema = :schema ADD wanted :one",
                told, names={"#status": "status", "#level": "level", "#schema": "schema"},
            ),
        ]  # fmt: skip
        try:
            self._client.transact_write_items(
                TransactItems=[{"Update": {"TableName": self._name, **one}} for one in updates]
            )
        except ClientError as error:
            if not is_cancelled(error):
                raise
            raise Conflict(f"alert {row.alert!r} changed before it was put into a list") from error

    def rolled(self, burst: Burst) -> Sequence[Rolled]:
        """See `Table.rolled`."""
        items = self._partition(f"ROLLED#{burst.alert}", MAX_HELD)
        return [Rolled(**state_of(item)) for item in items]

    def spread(self, row: OutboxRow, channel: str, now: datetime) -> None:
        """See `Table.spread`."""
        self._update(
            beside(row.alert, channel),
            _ASK,
            "attribute_not_exists(pk) OR wanted < :wanted",
            _asked(row.story, row.wanted, row.reply, row.level, now),
            names=_ASKED,
        )

    def spreads(self, alert: str, owner: str, channels: Sequence[str]) -> None:
        """See `Table.spreads`."""
        values = {":further": " ".join(channels), ":owner": owner}
        noted = self._update(alert, "SET further = :further", "#owner = :owner", values, names={"#owner": "owner"})
        if noted is None:
            raise Conflict(f"alert {alert!r} belongs to another deliverer now")

    def further(self, alert: str) -> Sequence[str]:
        """See `Table.further`."""
        item = self._get(f"ALERT#{alert}", "OUTBOX")
        return _further(item) if item else ()

    def posting(self, alert: str, owner: str, now: datetime, channel: str) -> None:
        """See `Table.posting`."""
        if (
            self._update(
                alert,
                "SET attempted_at = :now, channel = :channel",
                "#owner = :owner",
                {":now": now.timestamp(), ":owner": owner, ":channel": channel},
                names={"#owner": "owner"},
            )
            is None
        ):
            raise Conflict(f"alert {alert!r} belongs to another deliverer now")

    def delivered(self, alert: str, owner: str, posted: Posted, shown: int, *, audit: datetime | None = None) -> bool:
        """See `Table.delivered`."""
        values: dict[str, Any] = {":owner": owner, ":channel": posted.channel, ":ts": posted.ts, ":shown": shown}
        facts = "channel = :channel, ts = :ts, shown = :shown"
        later = {":due": audit.timestamp(), ":audit": AUDIT_SHARD} if audit else {}
        due = ", due_at = :due, due_shard = :audit" if audit else ""
        forget = "#owner, lease_until, attempted_at, note, since" + ("" if audit else ", due_at, due_shard")
        done = self._update(
            alert,
            f"SET #status = :delivered, {facts}{due} REMOVE {forget}",
            "#owner = :owner AND wanted <= :shown",
            {**values, **later, ":delivered": "delivered"},
        )
        if done is not None:
            return True
        again = self._update(
            alert,
            f"SET #status = :waiting, {facts} REMOVE #owner, lease_until, attempted_at",
            "#owner = :owner",
            {**values, ":waiting": "waiting"},
        )
        return again is None  # lost to another owner: nothing more to do here

    def release(  # noqa: PLR0913 - what is known of the call
        self,
        alert: str,
        owner: str,
        due: datetime,
        *,
        surely_not_posted: bool,
        plain: bool = False,
        doubted_at: float | None = None,
        note: str = "",
    ) -> None:
        """See `Table.release`."""
        forget, told = ", attempted_at" if surely_not_posted else "", ", plain = :plain" if plain else ""
        values = {
            ":waiting": "waiting",
            ":due": due.timestamp(),
            ":shard": SHARD,
            ":note": note[:300],
            ":owner": owner,
        } | ({":plain": True} if plain else {})
        if doubted_at is not None:
            told += ", doubted_at = if_not_exists(doubted_at, :doubted)"
            values[":doubted"] = doubted_at
        self._update(
            alert,
            f"SET #status = :waiting, due_at = :due, due_shard = :shard, note = :note{told} REMOVE #owner, lease_until{forget}",
            "#owner = :owner",
            values,
        )

    def bury(self, alert: str, owner: str, note: str) -> None:
        """See `Table.bury`."""
        self._update(
            alert, "SET #status = :dead, note = :note REMOVE #owner, lease_until, due_at, due_shard, since", "#owner = :owner",
            {":dead": "dead", ":note": note[:300], ":owner": owner},
        )  # fmt: skip

    def posted(self, alert: str) -> Posted | None:
        """See `Table.posted`."""
        item = self._get(f"ALERT#{alert}", "OUTBOX")
        if item and "ts" not in item and "rolled_into" in item:
            return self.posted(item["rolled_into"]["S"])
        return Posted(item["channel"]["S"], item["ts"]["S"]) if item and "ts" in item else None

    def due(self, now: datetime, limit: int) -> Sequence[str]:
        """See `Table.due`."""
        items = self._waiting(SHARD, now)
        ranked = sorted(items, key=lambda item: -_rank(item))  # which keeps the longest waiting first
        return [item["pk"]["S"].removeprefix("ALERT#") for item in ranked[:limit]]

    def doubtful(self, now: datetime, limit: int) -> Sequence[OutboxRow]:
        """See `Table.doubtful`."""
        found = self._waiting(AUDIT_SHARD, now, Limit=limit)
        items = (self._get(item["pk"]["S"], "OUTBOX") for item in found)
        return [_outbox(item) for item in items if item and item.get("due_shard") == {"S": AUDIT_SHARD}]

    def audited(self, alert: str, again: datetime | None) -> None:
        """See `Table.audited`."""
        self._update(
            alert,
            "SET due_at = :again" if again else "REMOVE due_at, due_shard, doubted_at",
            "due_shard = :audit",
            {":audit": AUDIT_SHARD} | ({":again": again.timestamp()} if again else {}),
            names={},
        )

    def _waiting(self, shard: str, now: datetime, **limit: int) -> list[Item]:
        """What one partition of the index tells of those whose time has come, the longest waiting first: a page of it."""
        answer = self._client.query(
            TableName=self._name,
            IndexName="due",
            KeyConditionExpression="due_shard = :shard AND due_at <= :now",
            ExpressionAttributeValues={":shard": {"S": shard}, ":now": {"N": as_number(now.timestamp())}},
            **limit,
        )
        items: list[Item] = answer["Items"]
        return items

    def _get(self, pk: str, sk: str) -> Item | None:
        answer = self._client.get_item(
            TableName=self._name, Key={"pk": {"S": pk}, "sk": {"S": sk}}, ConsistentRead=True
        )
        item: Item | None = answer.get("Item")
        return item

    def _update(  # noqa: PLR0913 - the parts of an update
        self,
        alert: str,
        update: str,
        condition: str,
        values: Mapping[str, Any],
        *,
        names: Mapping[str, str] = _NAMES,
        answers: str = "ALL_NEW",
        tries: int = TRIES,
    ) -> Item | None:
        named = {"ExpressionAttributeNames": names} if names else {}
        try:
            answer = self._client.update_item(
                TableName=self._name, Key={"pk": {"S": f"ALERT#{alert}"}, "sk": {"S": "OUTBOX"}}, UpdateExpression=update, ConditionExpression=condition,
                ExpressionAttributeValues={name: as_value(value) for name, value in values.items()}, ReturnValues=answers, **named,
            )  # fmt: skip
        except ClientError as error:
            if is_conditional(error):
                return None
            if (
                tries > 1 and error.response["Error"]["Code"] == "TransactionConflictException"
            ):  # a commit has the row in hand; boto3 does not try again
                return self._update(alert, update, condition, values, names=names, answers=answers, tries=tries - 1)
            raise
        item: Item = answer["Attributes"]
        return item


def _rank(item: Item) -> int:
    """How high a waiting alert's level is; one without comes last."""
    level = item.get("level", {"S": ""})["S"]
    return LEVELS.index(level) if level in LEVELS else -1


def _after(burst: Burst, life: timedelta) -> str:
    """When something about an hour is forgotten."""
    return str(int((datetime.fromisoformat(f"{burst.hour}:00:00+00:00") + life).timestamp()))


def _change(  # noqa: PLR0913 - the parts of an update
    pk: str, sk: str, update: str, values: Mapping[str, Any], *, names: Mapping[str, str], condition: str = ""
) -> dict[str, Any]:
    """An update that is part of a transaction."""
    return {
        "Key": {"pk": {"S": pk}, "sk": {"S": sk}},
        "UpdateExpression": update,
        "ExpressionAttributeNames": dict(names),
        "ExpressionAttributeValues": {name: as_value(value) for name, value in values.items()},
        **({"ConditionExpression": condition} if condition else {}),
    }


def _free(channel: str) -> str:
    """The attribute that holds when a channel's next turn is free."""
    return f"free_{channel}"


def _moment(value: Mapping[str, str]) -> datetime:
    return datetime.fromtimestamp(float(value["N"]), UTC)


def want(client: Any, table: str, alert: str, status: str, due: datetime, **more: str) -> bool:
    """Puts an alert that belongs to no story into the outbox, unless it is there; "pending" has it delivered at once."""
    values = {
        "status": status,
        "due_at": due.timestamp(),
        "due_shard": SHARD,
        "since": due.timestamp(),
        "story": "",
        "wanted": 1,
        "reply": "null",
        "schema": SCHEMA,
        **more,
    }
    key = {"pk": {"S": f"ALERT#{alert}"}, "sk": {"S": "OUTBOX"}}
    expires = {"expires_at": {"N": str(int((due + FATES_LIVE).timestamp()))}}
    item = key | expires | {name: as_value(value) for name, value in values.items()}
    try:
        client.put_item(TableName=table, Item=item, ConditionExpression="attribute_not_exists(pk)")
    except ClientError as error:
        if is_conditional(error):
            return False
        raise
    return True


def alert_of(keys: Mapping[str, Mapping[str, str]]) -> str:
    """The alert whose outbox row has these keys (of a stream record)."""
    return keys["pk"]["S"].removeprefix("ALERT#")


def _fate_item(fate: FateRecord) -> Item:
    item = as_item(
        f"ARTICLE#{fate.article}",
        "FATE",
        fate.to_json(),
        expires=datetime.fromisoformat(fate.at) + FATES_LIVE,
        packed=True,
    )
    return item | {"fate": {"S": fate.fate}, "content": {"S": fate.content}}


def _fate_put(fate: FateRecord, replaces: str | None) -> dict[str, Any]:
    """Writes the one fate of an article. A rejected input that was mended and dropped again becomes an article after all."""
    item = _fate_item(fate)
    if replaces is not None:
        values = {":content": {"S": replaces}}
        return {"Item": item, "ConditionExpression": "content = :content", "ExpressionAttributeValues": values}
    values = {":rejected": {"S": "rejected"}}
    condition = "attribute_not_exists(pk) OR fate = :rejected"
    return {"Item": item, "ConditionExpression": condition, "ExpressionAttributeValues": values}


def _address(address: str) -> str:
    return f"ADDRESS#{hashlib.sha256(address.encode('utf-8', 'replace')).hexdigest()[:32]}"


def _address_put(address: str, article: str, now: datetime) -> dict[str, Any]:
    """Lets the article be found by its address, unless another is."""
    item = as_item(_address(address), "ARTICLE", {}, expires=now + FATES_LIVE)
    return {
        "Item": item | {"article": {"S": article}},
        "ConditionExpression": "attribute_not_exists(pk) OR article = :article OR expires_at < :now",
        "ExpressionAttributeValues": {":article": {"S": article}, ":now": {"N": str(int(now.timestamp()))}},
    }


def _check(story: str, version: int) -> dict[str, Any]:
    """That a story still has this version."""
    key, _, episode = story.rpartition("#")
    return {
        "Key": as_key(f"STORY#{key}", f"EPISODE#{int(episode):06d}"),
        "ConditionExpression": "version = :version",
        "ExpressionAttributeValues": {":version": as_value(version)},
    }


def _raised(story: str, version: int) -> dict[str, Any]:
    """Raises the version of a story, and changes nothing else of it."""
    check = _check(story, version)
    values = check["ExpressionAttributeValues"] | {":next": as_value(version + 1)}
    return check | {"UpdateExpression": "SET version = :next", "ExpressionAttributeValues": values}


def _held_item(held: Held) -> Item:
    expires = datetime.fromisoformat(held.at) + HELD_LIVE
    return as_item(f"HELD#{held.day}", f"{held.story}/{held.reason}", asdict(held), expires=expires)


def _fate(item: Item) -> FateRecord:
    return FateRecord.from_json(state_of(item))


def _story_put(story: Story, now: datetime) -> dict[str, Any]:
    key, _, episode = story.id.rpartition("#")
    after = replace(story, version=story.version + 1)
    item = as_item(
        f"STORY#{key}",
        f"EPISODE#{int(episode):06d}",
        after.to_json(),
        expires=now + STORIES_LIVE,
        packed=True,
        version=after.version,
    )
    if story.version == 0:
        return {"Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
    values = {":version": {"N": str(story.version)}}
    return {"Item": item, "ConditionExpression": "version = :version", "ExpressionAttributeValues": values}


def _story(item: Item) -> Story:
    return replace(Story.from_json(state_of(item)), version=int(item["version"]["N"]))


def _outbox_update(wanted: Wanted, now: datetime) -> dict[str, Any]:
    shown = wanted.story.version + 1 if wanted.reply is None else 1
    values = _asked(wanted.story.id, shown, wanted.reply, wanted.level, now)
    return _change(f"ALERT#{wanted.alert}", "OUTBOX", _ASK, values, names=_ASKED)


def _asked(story: str, wanted: int, reply: Mapping[str, Any] | None, level: str, now: datetime) -> dict[str, Any]:
    """The values of `_ASK`."""
    return {
        ":pending": "pending", ":story": story, ":wanted": wanted, ":due": now.timestamp(), ":shard": SHARD,
        ":reply": json.dumps(reply), ":expires": int((now + STORIES_LIVE).timestamp()), ":level": level, ":schema": SCHEMA,
    }  # fmt: skip


def _further(item: Item) -> tuple[str, ...]:
    return tuple(item.get("further", {"S": ""})["S"].split())


def _since(item: Item) -> float:
    """From when on a waiting alert should have been delivered; rows of versions before 1.0 do not say it."""
    due = _number(item, "due_at")
    return due if item.get("note", {"S": ""})["S"].startswith(MUTED) else _number(item, "since", due)


def _number(item: Item, name: str, otherwise: float = 0.0) -> float:
    return float(item[name]["N"]) if name in item else otherwise


def _bulletin(item: Item) -> Bulletin | None:
    if "bulletin" not in item:
        return None
    row = json.loads(item["bulletin"]["S"])
    return Bulletin(**{**row, "lines": tuple(row["lines"])})


def _outbox(item: Item) -> OutboxRow:
    return OutboxRow(
        alert=item["pk"]["S"].removeprefix("ALERT#"),
        story=item["story"]["S"],
        wanted=int(item["wanted"]["N"]),
        shown=int(item.get("shown", {"N": "0"})["N"]),
        level=item.get("level", {"S": ""})["S"],
        reply=json.loads(item["reply"]["S"]),
        channel=item.get("channel", {"S": ""})["S"],
        ts=item.get("ts", {"S": ""})["S"],
        attempted_at=float(item["attempted_at"]["N"]) if "attempted_at" in item else None,
        plain=item.get("plain", {"BOOL": False})["BOOL"],
        doubted_at=float(item["doubted_at"]["N"]) if "doubted_at" in item else None,
        rolled_into=item.get("rolled_into", {"S": ""})["S"],
        bulletin=_bulletin(item),
        further=_further(item),
    )


def _silence_item(silence: Silence) -> Item:
    row = {**asdict(silence), "begins": silence.begins.isoformat(), "ends": silence.ends.isoformat()}
    return as_item("SILENCES", f"SILENCE#{silence.id}", row, expires=silence.ends + timedelta(days=1))


def _silence(row: dict[str, Any]) -> Silence:
    matchers = tuple((name, value) for name, value in row["matchers"])
    begins, ends = (
        datetime.fromisoformat(row["begins"]).astimezone(UTC),
        datetime.fromisoformat(row["ends"]).astimezone(UTC),
    )
    return Silence(**{**row, "matchers": matchers, "begins": begins, "ends": ends})
