"""Brings alerts to Slack: each once, roots before replies, whatever call fails."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin import message
from tocsin.errors import Conflict, Rejected, Throttled, Unknown
from tocsin.pipeline.stories import TRIES, root_alert, standing
from tocsin.policy import Policy
from tocsin.ports import Clock, Message, OutboxRow, Posted, Slack, Table
from tocsin.story import Story

log = logging.getLogger("tocsin")

REFUSED_PAUSE = timedelta(minutes=5)
ORDER_PAUSE = timedelta(seconds=15)
LOOK_PAUSE = timedelta(seconds=30)
FIRST_STATE = 1
"""What every message that stands in Slack shows at least."""
CLOCK_SKEW = 60.0
"""Seconds by which our clock may be ahead of Slack's."""


@dataclass(frozen=True, slots=True)
class Deliverer:
    """Brings alerts to Slack: each once, roots before replies, whatever call fails.

    The outbox row is the truth. A row is claimed with a lease, for one call to Slack that the row itself calls for: an edit
    when it knows its `ts`; a look at the history when a post was begun whose outcome nobody noted, once lease and quarantine
    are over; else the post. So a refused call can never make us forget that an older one may have had an effect.
    """

    table: Table
    slack: Slack
    policy: Callable[[str], Policy]
    clock: Clock
    owner: str
    channel: str
    lease: timedelta
    quarantine: timedelta
    buttons: bool = False
    """Whether somebody takes what is pressed."""

    def deliver(self, alerts: Iterable[str]) -> None:
        """Delivers what can be delivered now; the rest stays in the outbox with the time it is due."""
        for alert in dict.fromkeys(alerts):
            self._deliver(alert)

    def sweep(self, limit: int = 100) -> int:
        """Delivers what is due and was not delivered by its stream record, each for itself; returns how many rows were due."""
        due = self.table.due(self.clock(), limit)
        for alert in due:
            try:
                self._deliver(alert)
            except Exception:
                log.exception("alert %s waits for a later sweep", ascii(alert))
        return len(due)

    def _deliver(self, alert: str) -> None:
        for _ in range(TRIES):
            row = self.table.claim(alert, self.owner, self.clock(), self.lease)
            if row is None or not self._attempt(row):
                return

    def _attempt(self, row: OutboxRow) -> bool:
        """One call to Slack for a claimed row, and a note of what came of it; True when there is more to do at once."""
        try:
            return self._step(row)
        except Throttled as pause:
            self._again(row, timedelta(seconds=pause.retry_after), "throttled")
        except Rejected as refusal:
            return self._refused(row, refusal)
        except Unknown as doubt:
            log.warning("alert %s: %s", ascii(row.alert), ascii(str(doubt)))
            self.table.release(
                row.alert, self.owner, self.clock() + LOOK_PAUSE, surely_not_posted=False, note=str(doubt)
            )
        except Conflict:
            log.info("alert %s belongs to another deliverer now", ascii(row.alert))
        return False

    def _step(self, row: OutboxRow) -> bool:  # noqa: PLR0911 - one return for each thing that may be next
        if row.digest is not None or row.notices is not None:
            return self._alone(row)
        story = self.table.story(row.story)
        if story and story.merged and (row.reply is not None or not (row.ts or row.attempted_at)):
            if row.reply is None:
                self.table.bury(row.alert, self.owner, f"it turned out to be part of {story.merged}")
                return False
            story = standing(self.table, story.merged)
        if story is None:
            self.table.bury(row.alert, self.owner, "its story is gone")
            return False
        if row.ts:
            posted = self._edited(row, story)
            return not self.table.delivered(row.alert, self.owner, posted, _state(row, story))
        root = self._root(story) if row.reply is not None else None
        if row.reply is not None and root is None:
            self._again(row, ORDER_PAUSE, "waits for its root message")
            return False
        if row.attempted_at is not None:
            return self._looked_up(row, row.attempted_at, root)
        posted = self._posted(row, self._message(row, story), root)
        return not self.table.delivered(row.alert, self.owner, posted, _state(row, story))

    def _alone(self, row: OutboxRow) -> bool:
        """An alert that belongs to no story: posted once, and never edited."""
        if row.attempted_at is not None:
            return self._looked_up(row, row.attempted_at, None)
        text = self._told(row)
        if text is None:
            self.table.bury(row.alert, self.owner, "there is nothing to tell")
            return False
        posted = self._posted(row, message.plain(text) if row.plain else text, None)
        return not self.table.delivered(row.alert, self.owner, posted, FIRST_STATE)

    def _told(self, row: OutboxRow) -> Message | None:
        """What an alert says that belongs to no story: the digest of a day, or the notices of an hour."""
        if row.digest is not None:
            return message.digest(row.alert, row.digest, self.table.held(row.digest))
        notices = self.table.notices(row.notices or "")
        return message.notices(row.alert, row.notices or "", notices) if notices else None

    def _edited(self, row: OutboxRow, story: Story) -> Posted:
        """Brings a message that stands in Slack up to date; one that a person deleted stays deleted."""
        posted = Posted(row.channel, row.ts)
        try:
            self.slack.update(posted, self._message(row, story))
        except Rejected as refusal:
            if refusal.kind != "missing":
                raise
            log.info("message %s was deleted by a person and stays deleted", posted.ts)
        return posted

    def _looked_up(self, row: OutboxRow, attempted_at: float, root: Posted | None) -> bool:
        """Settles a post of unknown outcome: once it is too late for it to turn up, the history tells."""
        over = datetime.fromtimestamp(attempted_at, self.clock().tzinfo) + self.lease + self.quarantine
        if self.clock() < over:
            self.table.release(
                row.alert, self.owner, over, surely_not_posted=False, note="outcome unknown, in quarantine"
            )
            return False
        channel, thread = (root.channel, root.ts) if root else (self.channel, None)
        found = self.slack.find(channel, row.alert, oldest=attempted_at - CLOCK_SKEW, thread_ts=thread)
        if found is None:
            self.table.release(row.alert, self.owner, self.clock(), surely_not_posted=True, note="not in the history")
            return True
        return not self.table.delivered(row.alert, self.owner, found, FIRST_STATE)

    def _posted(self, row: OutboxRow, text: Message, root: Posted | None) -> Posted:
        self.table.posting(row.alert, self.owner, self.clock())
        if root is None:
            return self.slack.post(self.channel, text)
        try:
            return self.slack.post(root.channel, text, thread_ts=root.ts, broadcast=True)
        except Rejected as refusal:
            if refusal.kind != "missing":
                raise
            log.info("root %s was deleted by a person; the reply stands for itself", root.ts)
            return self.slack.post(root.channel, text)

    def _root(self, story: Story) -> Posted | None:
        """Where the story's root stands; delivers it first when it is not there yet."""
        root = root_alert(story.id)
        if self.table.posted(root) is None:
            self._deliver(root)
        return self.table.posted(root)

    def _message(self, row: OutboxRow, story: Story) -> Message:
        policy = self.policy(story.rule)
        if story.merged:
            kept = standing(self.table, story.merged)
            text = message.pointer(story, kept or story, policy)
        elif row.reply is None:
            text = message.root(story, policy, buttons=self.buttons)
        else:
            report = story.told_by(row.reply["report"])
            text = message.reply(row.alert, row.reply["reason"], row.reply["detail"], report, story, policy)
        return message.plain(text) if row.plain else text

    def _refused(self, row: OutboxRow, refusal: Rejected) -> bool:
        if refusal.kind != "content" or row.attempted_at is not None:
            log.error("Slack refuses: %s (%s); the alert %s waits", refusal.code, refusal.kind, ascii(row.alert))
            self._again(row, REFUSED_PAUSE, refusal.code)
            return False
        if row.plain:
            log.error("alert %s cannot be delivered: %s", ascii(row.alert), refusal.code)
            self.table.bury(row.alert, self.owner, refusal.code)
            return False
        self.table.release(row.alert, self.owner, self.clock(), surely_not_posted=True, plain=True, note=refusal.code)
        return True

    def _again(self, row: OutboxRow, wait: timedelta, note: str) -> None:
        """Gives the row back; the refused call of this claim had no effect, but an older one in doubt stays in doubt."""
        self.table.release(
            row.alert, self.owner, self.clock() + wait, surely_not_posted=row.attempted_at is None, note=note
        )


def _state(row: OutboxRow, story: Story) -> int:
    """What a message shows: a root the story's version, a reply always itself."""
    return story.version if row.reply is None else FIRST_STATE
