"""Other systems to simulate: mutants of this one, each without one thing it needs, and the ways others deliver."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import time_machine

from tests.simulation.scenes import BATCH, DESK
from tests.simulation.world import OutboxTable, Port, Variant
from tests.twins import Row
from tocsin.errors import Unknown
from tocsin.pipeline.deliver import Deliverer, Where
from tocsin.pipeline.stories import root_alert
from tocsin.ports import Commit, Message, OutboxRow, Posted, Wanted
from tocsin.silence import Silence
from tocsin.story import Story

NEVER = timedelta(0)
"""No lease, no quarantine."""

# ── mutants ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class NoReconcile(Deliverer):
    """Posts again what is in doubt, without a look at the history."""

    def _looked_up(self, row: OutboxRow, attempted_at: float, where: Where) -> bool:
        del where
        if not self._in_quarantine(row, attempted_at):
            self.table.release(row.alert, self.owner, self.clock(), surely_not_posted=True)
            return True
        return False


class NoWait(Deliverer):
    """Edits again at once after an edit of unknown outcome."""

    def _waited_for(self, row: OutboxRow, attempted_at: float) -> bool:
        del attempted_at
        self.table.release(row.alert, self.owner, self.clock(), surely_not_posted=True)
        return True


class NoOrder(Deliverer):
    """A reply does not wait for its root."""

    def _root(self, row: OutboxRow, story: Story, until: datetime) -> Posted | None:
        del row, until
        return self.table.posted(root_alert(story.id)) or Posted(self.routes.channel, "")


class NoOwner(OutboxTable):
    """Rows are released and recorded by whoever comes, not by their owner only."""

    def _owned(self, alert: str, owner: str) -> Row | None:
        del owner
        return self.rows.get(alert)


class Torn(OutboxTable):
    """What an article changes is written one thing after the other."""

    def put_stories(self, commit: Commit, now: datetime) -> None:
        """Writes the stories."""
        super().commit(replace(commit, fate=None, replaces=None, alerts=(), held=()), now)

    def put_fate(self, commit: Commit, now: datetime) -> None:
        """Writes the fate."""
        super().commit(Commit(commit.fate, held=commit.held, replaces=commit.replaces), now)

    def put_alerts(self, commit: Commit, now: datetime) -> None:
        """Writes the alerts."""
        for wanted in commit.alerts:
            self._want(wanted, now)


class TornPort(Port):
    """Three calls for one commit."""

    def commit(self, commit: Commit, now: datetime) -> None:
        """See `Table.commit`."""
        for part in ("put_stories", "put_fate", "put_alerts"):
            getattr(self, part)(commit, now)


class TornPress(OutboxTable):
    """What a press changes is written one thing after the other."""

    def put_story(self, story: Story, silences: Sequence[Silence], now: datetime) -> None:
        """Writes the story and the silences."""
        super().act(story, None, silences, now)

    def put_order(self, shown: Wanted | None, now: datetime) -> None:
        """Writes the order to show the story."""
        if shown:
            self._want(shown, now)


class TornPressPort(Port):
    """Two calls for one press."""

    def act(self, story: Story, shown: Wanted | None, silences: Sequence[Silence], now: datetime) -> None:
        """See `DeskTable.act`."""
        self.__getattr__("put_story")(story, silences, now)
        self.__getattr__("put_order")(shown, now)


MUTANTS = (
    Variant("no-reconcile", deliverer=NoReconcile),
    Variant("sdk-retry", resends=True),
    Variant("handled-first", handled_first=True),
    Variant("no-transaction", table=Torn, port=TornPort),
    Variant("torn-press", table=TornPress, port=TornPressPort, scene=DESK),
    Variant("one-receive", receives=1),
    Variant("no-sweeper", sweeps=False),
    Variant("no-quarantine", deliverer=lambda *given: replace(Deliverer(*given), quarantine=NEVER)),
    Variant("release-by-anyone", table=NoOwner),
    Variant("late-edits", deliverer=NoWait),
    Variant("no-order", deliverer=NoOrder),
    Variant("whole-batches", whole_batches=True),
    Variant("never-apart", apart=False, scene=BATCH),
)

# ── how others deliver ───────────────────────────────────────────────────────────────────────────────────────────────


class Claiming(Deliverer):
    """Claims a row, and notes nothing else with that."""

    def _claimed(self, alert: str) -> OutboxRow | None:
        return self.table.claim(alert, self.owner, self.clock(), self.lease)


class PostThenRecord(Claiming):
    """Posts, then records that it did; nothing else. What fails is tried again."""

    def _begin(self, row: OutboxRow, channel: str) -> None:
        """Notes nothing."""


class ClaimThenPost(Claiming):
    """Notes that it posts, then does, once: what is in doubt is taken for posted."""

    def _looked_up(self, row: OutboxRow, attempted_at: float, where: Where) -> bool:
        del attempted_at, where
        self.table.bury(row.alert, self.owner, "taken for posted")
        return False


class Loop(PostThenRecord):
    """As Alertmanager's notification pipeline: tries a few times within one round, and notes in the log what succeeded."""

    _once = PostThenRecord._posted  # noqa: SLF001 - of its own base class

    def _posted(self, row: OutboxRow, text: Message, where: Where) -> Posted:
        for _ in range(2):
            try:
                return self._once(row, text, where)
            except Unknown:
                continue
        return self._once(row, text, where)


class Records:
    """Where Powertools Idempotency keeps its records: DynamoDB's conditional writes, in a dictionary."""

    def __init__(self) -> None:
        self.rows: dict[str, Any] = {}

    def copied(self) -> Records:
        """The same records, to go another way from here."""
        other = copy(self)
        other.rows = dict(self.rows)
        return other

    def get(self, key: str) -> Any:
        """The record, or None."""
        return self.rows.get(key)

    def put(self, record: Any, now: datetime) -> Any:
        """Writes a record unless one is in force; answers the one that is."""
        held, seconds = self.rows.get(record.idempotency_key), now.timestamp()
        if held and held.expiry_timestamp > seconds:
            running = held.status == "INPROGRESS"
            if (
                not running
                or not held.in_progress_expiry_timestamp
                or held.in_progress_expiry_timestamp > seconds * 1000
            ):
                return held
        self.rows[record.idempotency_key] = record
        return None

    def update(self, record: Any) -> None:
        """Replaces a record."""
        self.rows[record.idempotency_key] = record

    def delete(self, record: Any) -> None:
        """Forgets a record."""
        self.rows.pop(record.idempotency_key, None)


@dataclass(frozen=True, slots=True)
class Powertools(PostThenRecord):
    """Posts inside the library's idempotent function, keyed by the alert."""

    records: Any = None

    def _posted(self, row: OutboxRow, text: Message, where: Where) -> Posted:
        with time_machine.travel(self.clock(), tick=False):  # the library reads the clock itself
            post = _idempotent(partial(PostThenRecord._posted, self), self.records, self.clock)  # noqa: SLF001 - of its own base class
            channel, ts = post(alert=row.alert, rest=(row, text, where))
        return Posted(channel, ts)


def _idempotent(post: Callable[..., Posted], records: Any, clock: Callable[[], datetime]) -> Callable[..., Any]:
    """The post as the library's documentation tells to wrap it, on our records."""
    from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent_function
    from aws_lambda_powertools.utilities.idempotency.exceptions import (
        IdempotencyItemAlreadyExistsError,
        IdempotencyItemNotFoundError,
    )
    from aws_lambda_powertools.utilities.idempotency.persistence.base import BasePersistenceLayer

    class Store(BasePersistenceLayer):  # type: ignore[misc]  # the library is optional
        """The library's storage, on the records under simulation."""

        def _get_record(self, idempotency_key: str) -> Any:
            if (found := records.get(idempotency_key)) is None:
                raise IdempotencyItemNotFoundError
            return found

        def _put_record(self, data_record: Any) -> None:
            if held := records.put(data_record, clock()):
                raise IdempotencyItemAlreadyExistsError("exists", held)

        def _update_record(self, data_record: Any) -> None:
            records.update(data_record)

        def _delete_record(self, data_record: Any) -> None:
            records.delete(data_record)

    config = IdempotencyConfig(expires_after_seconds=86_400)
    config.register_lambda_context(SimpleNamespace(get_remaining_time_in_millis=lambda: 60_000))

    @idempotent_function(data_keyword_argument="alert", config=config, persistence_store=Store())  # type: ignore[untyped-decorator]  # as above
    def idempotent(alert: str, rest: tuple[OutboxRow, Message, Where]) -> tuple[str, str]:
        del alert
        posted = post(*rest)
        return posted.channel, posted.ts

    return idempotent  # type: ignore[no-any-return]  # as above


def hasty(deliverer: Deliverer) -> Deliverer:
    """The deliverer without lease and quarantine."""
    return replace(deliverer, lease=NEVER, quarantine=NEVER)


BASELINES = (
    Variant("post-then-record", deliverer=lambda *given: hasty(PostThenRecord(*given))),
    Variant("claim-then-post", deliverer=ClaimThenPost),
    Variant("alertmanager-loop", deliverer=lambda *given: hasty(Loop(*given))),
    Variant(
        "powertools-idempotency",
        deliverer=lambda *given, records: hasty(Powertools(*given, records=records)),  # type: ignore[misc]  # it is not among what is given
        parts=(("records", Records),),
        library="aws_lambda_powertools",
    ),
)
