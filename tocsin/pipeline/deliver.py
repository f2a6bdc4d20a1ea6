"""Brings alerts to Slack: each once, roots before replies, whatever call fails."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tocsin import message
from tocsin.errors import Conflict, Rejected, Throttled, Unknown
from tocsin.pipeline.audit import CLOCK_SKEW, FIRST_LOOK, audit
from tocsin.pipeline.stories import TRIES, root_alert, standing
from tocsin.policy import Policy
from tocsin.ports import (
    MUTED,
    Burst,
    Clock,
    Message,
    OutboxRow,
    Posted,
    Rolled,
    Slack,
    Table,
    Turn,
    beside,
)
from tocsin.routes import Facts, Place, Routes
from tocsin.signal import Stage
from tocsin.story import Story

log = logging.getLogger("tocsin")

WORK = timedelta(seconds=45)
"""How long one call of a function goes on to begin things; its timeout is longer by more than one call to Slack takes."""
REFUSED_PAUSE = timedelta(minutes=5)
ORDER_PAUSE = timedelta(seconds=15)
LOOK_PAUSE = timedelta(seconds=30)
AT_ONCE = timedelta(seconds=5)
"""How long after its claim a call is begun at most without another note that it is."""
PACE = timedelta(seconds=1)
"""About how often Slack takes a message for one channel."""
FIRST_STATE = 1
"""What every message that stands in Slack shows at least."""


@dataclass(frozen=True, slots=True)
class Where:
    """Where an alert is posted: in the thread of its root, or in the first of the channels that takes it."""

    channels: tuple[str, ...]
    root: Posted | None = None


@dataclass(frozen=True, slots=True)
class Deliverer:
    """Brings alerts to Slack: each once, roots before replies, whatever call fails.

    The outbox row is the truth. A row is claimed with a lease, and with a note that a call begins, for one call to Slack that the row itself calls for: an edit
    when it knows its `ts`; a look at the history when a post was begun whose outcome nobody noted, once lease and quarantine
    are over; else the post. So a refused call can never make us forget that an older one may have had an effect. An edit
    whose outcome nobody noted is waited for as long, so that it cannot turn up late over a newer one.

    What is shown in a channel takes turns, which the table gives, so that several deliverers together keep Slack's rate, the
    pause it asks for, and the long one after it refused the token.
    """

    table: Table
    slack: Slack
    policy: Callable[[str], Policy]
    clock: Clock
    owner: str
    routes: Routes
    lease: timedelta
    quarantine: timedelta
    wait: Callable[[float], object]
    """Lets seconds pass: the pauses Slack asks for are kept, so that a burst drains as fast as Slack takes it."""
    pace: timedelta = PACE
    roots: int = 0
    """First reports of one rule that one channel gets within an hour, each as a message; the others are listed in one. 0: all."""
    buttons: bool = False
    """Whether somebody takes what is pressed."""

    def deliver(self, alerts: Iterable[str]) -> None:
        """Delivers what can be delivered now; the rest stays in the outbox with the time it is due.

        An edit takes the channel's turn if it is free, and else leaves it to what is new: the next sweep sees to it, once for however many there were.
        """
        until = self.clock() + WORK
        for alert in dict.fromkeys(alerts):
            if self.clock() < until:
                self._deliver(alert, until, edits_wait=False)

    def sweep(self, limit: int = 100) -> int:
        """Delivers what is due and was not delivered by its stream record, each for itself, and audits; returns how many rows were due."""
        until = self.clock() + WORK
        due = self.table.due(self.clock(), limit)
        for alert in due:
            if self.clock() >= until:
                break
            try:
                self._deliver(alert, until)
            except Exception:
                log.exception("alert %s waits for a later sweep", ascii(alert))
        audit(self.table, self.slack, self.clock(), limit)
        return len(due)

    def _deliver(self, alert: str, until: datetime, *, edits_wait: bool = True) -> None:
        for _ in range(TRIES):
            row = self._claimed(alert)
            if row is None or not self._attempt(row, until, edits_wait=edits_wait):
                return

    def _claimed(self, alert: str) -> OutboxRow | None:
        """The row, for one call to Slack that counts as begun. Where there are several channels, which one it is for is noted when it is known."""
        channel, *others = self.routes.channels
        return self.table.claim(alert, self.owner, self.clock(), self.lease, begins="" if others else channel)

    def _attempt(self, row: OutboxRow, until: datetime, *, edits_wait: bool) -> bool:
        """One call to Slack for a claimed row, and a note of what came of it; True when there is more to do at once."""
        try:
            return self._step(row, until, edits_wait=edits_wait)
        except Throttled as pause:
            return self._throttled(row, timedelta(seconds=pause.retry_after), until)
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

    def _throttled(self, row: OutboxRow, pause: timedelta, until: datetime) -> bool:
        """Gives the row back for as long as Slack asks; True when that was waited for."""
        self._again(row, pause, "throttled")
        if self.clock() + pause >= until:
            return False
        self.wait(pause.total_seconds())
        return True

    def _step(self, row: OutboxRow, until: datetime, *, edits_wait: bool) -> bool:  # noqa: PLR0911 - one return for each thing that may be next
        if not row.story:
            return self._alone(row, until)
        story = self._story(row)
        if story is None:
            return False
        if row.ts:
            if row.attempted_at is not None:
                return self._waited_for(row, row.attempted_at)
            edit = self._message(row, story)
            patience = until if edits_wait else self.clock()
            return self._sent(row, row.channel, patience, lambda: self._edited(row, edit), _state(row, story))
        place = self._place(row, story)
        if row.attempted_at is None and self._held_back(row, story, place):
            return False
        root = self._root(row, story, until) if row.reply is not None else None
        if row.reply is not None and root is None:
            self._again(row, ORDER_PAUSE, "waits for its root message")
            return False
        where = Where((root.channel, *self.routes.after(root.channel)), root) if root else Where(place.channels)
        if row.attempted_at is not None:
            return self._looked_up(row, row.attempted_at, where)
        text = self._message(row, story)
        return self._sent(row, where.channels[0], until, lambda: self._posted(row, text, where), _state(row, story))

    def _story(self, row: OutboxRow) -> Story | None:
        """The story an alert tells of, which is wanted in further channels, too; None: nothing is to be told any more."""
        story = self.table.story(row.story)
        if story and story.merged and row.reply is not None:
            story = standing(self.table, story.merged)
        if story is None:
            self.table.bury(row.alert, self.owner, "its story is gone")
            return None
        self._spread(row, story)
        if story.merged and row.reply is None and not (row.ts or row.attempted_at):
            self.table.bury(row.alert, self.owner, f"it turned out to be part of {story.merged}")
            return None
        return story

    def _place(self, row: OutboxRow, story: Story) -> Place:
        """Where the routes send an alert, or one beside it."""
        stage = story.stage if row.reply is None else story.told_by(row.reply["report"]).stage
        places = self._places(story, stage)
        if not row.beside:
            return places[0]
        unrouted = Place("", (row.beside, *self.routes.after(row.beside)), ())
        return next((place for place in places if place.channels[0] == row.beside), unrouted)

    def _places(self, story: Story, stage: Stage) -> Sequence[Place]:
        level = self.policy(story.rule).level_of(stage)
        facts = Facts(story.rule, level, story.who or "", story.where or "", story.what or "", stage)
        return self.routes.places(facts, self.clock())

    def _spread(self, row: OutboxRow, story: Story) -> None:
        """Wants an alert in every further channel, too, where it is a row of its own: a reply wherever its root stands."""
        if row.beside or not (row.further or self.routes.several):
            return
        known, channel = row.further, row.channel if row.ts or row.attempted_at is not None else ""
        if row.reply is not None:
            root = root_alert(story.id)
            posted = self.table.posted(root)
            known, channel = tuple(self.table.further(root)), posted.channel if posted else ""
        places = () if story.merged else self._places(story, story.stage)
        channels = tuple(dict.fromkeys((*known, *(place.channels[0] for place in _others(places, channel)))))
        if channels != row.further:
            self.table.spreads(row.alert, self.owner, channels)
        for channel in channels:
            self.table.spread(row, channel, self.clock())

    def _held_back(self, row: OutboxRow, story: Story, place: Place) -> bool:
        """Whether an alert is not posted now: it waits for the end of a muted interval, or stands in a list."""
        if place.muted_until is not None:
            self._again(row, place.muted_until - self.clock(), f"{MUTED}{place.muted_by}")
            return True
        return row.reply is None and self._rolled_up(row, story, place)

    def _rolled_up(self, row: OutboxRow, story: Story, place: Place) -> bool:
        """Whether a first report is told in the list of its hour, because it was one too many for the channel."""
        burst = Burst(story.rule, place.channels[0], self.clock().isoformat()[:13])
        if row.rolled_into:
            burst = replace(row, alert=row.rolled_into).burst or burst
        elif not self.roots or self.table.room(burst, row.alert, self.roots):
            return False
        policy, best = self.policy(story.rule), story.best
        text = f"{message.slots(story, policy) or policy.title}, {story.stage}"
        rolled = Rolled(row.alert, policy.level_of(story.stage), text, best.title, best.outlet, best.url)
        self.table.roll_up(row, self.owner, burst, rolled, self.clock())
        return True

    def _sent(self, row: OutboxRow, channel: str, until: datetime, send: Callable[[], Posted], shown: int) -> bool:
        """One call that shows something in a channel, when it is its turn; True when the story has changed meanwhile."""
        turn = self._turn(channel, until)
        if turn.until is not None:
            self._again(
                row, turn.until - self.clock(), "Slack refuses the token" if turn.shut else "waits for its turn"
            )
            return False
        try:
            posted = send()
        except Throttled as pause:
            self.table.pause(channel, self.clock() + timedelta(seconds=pause.retry_after))
            raise
        if turn.probe:
            self.table.reopen()
        return self._noted(row, posted, shown)

    def _turn(self, channel: str, until: datetime) -> Turn:
        """The channel's turn, waited for unless that takes too long."""
        turn = self.table.turn(channel, self.clock(), self.pace)
        for _ in range(TRIES):
            if turn.until is None or turn.shut or turn.until >= until:
                break
            self.wait(max(0.0, (turn.until - self.clock()).total_seconds()))
            turn = self.table.turn(channel, self.clock(), self.pace)
        return turn

    def _alone(self, row: OutboxRow, until: datetime) -> bool:
        """An alert that belongs to no story: posted once; the list of an hour is edited while it grows."""
        channel = row.burst.channel if row.burst else self.routes.channel
        where = Where((channel, *self.routes.after(channel)))
        if row.attempted_at is not None:
            if row.ts:
                return self._waited_for(row, row.attempted_at)
            return self._looked_up(row, row.attempted_at, where)
        text = self._told(row)
        if text is None:
            self.table.bury(row.alert, self.owner, "there is nothing to tell")
            return False
        shown = message.plain(text) if row.plain else text
        if row.ts:
            return self._sent(row, row.channel, until, lambda: self._edited(row, shown), row.wanted)
        return self._sent(row, where.channels[0], until, lambda: self._posted(row, shown, where), row.wanted)

    def _noted(self, row: OutboxRow, posted: Posted, shown: int) -> bool:
        """Notes what Slack shows; True when the story has changed meanwhile. One given up before is to be audited."""
        log.info("alert %s stands in %s at %s", ascii(row.alert), posted.channel, posted.ts)
        audit_at = self.clock() + FIRST_LOOK if row.doubted_at is not None else None
        return not self.table.delivered(row.alert, self.owner, posted, shown, audit=audit_at)

    def _told(self, row: OutboxRow) -> Message | None:
        """What an alert says that belongs to no story: the digest of a day, the notices or the list of an hour, a bulletin."""
        if row.bulletin is not None:
            return message.bulletin(row.alert, row.bulletin)
        if burst := row.burst:
            return message.burst(row.alert, burst.hour, self.table.rolled(burst), self.policy(burst.rule))
        if row.digest is not None:
            return message.digest(row.alert, row.digest, self.table.held(row.digest))
        notices = self.table.notices(row.notices or "")
        return message.notices(row.alert, row.notices or "", notices) if notices else None

    def _edited(self, row: OutboxRow, text: Message) -> Posted:
        """Brings a message that stands in Slack up to date; one that a person deleted stays deleted."""
        posted = Posted(row.channel, row.ts)
        self._begin(row, row.channel)
        try:
            self.slack.update(posted, text)
        except Rejected as refusal:
            if refusal.kind != "missing":
                raise
            log.info("message %s was deleted by a person and stays deleted", posted.ts)
        return posted

    def _looked_up(self, row: OutboxRow, attempted_at: float, where: Where) -> bool:
        """Settles a post of unknown outcome: once it is too late for it to turn up, the history of its channel tells."""
        if self._in_quarantine(row, attempted_at):
            return False
        channel = row.channel or where.channels[0]
        thread = where.root.ts if where.root and where.root.channel == channel else None
        found = self.slack.find(channel, row.alert, oldest=attempted_at - CLOCK_SKEW, thread_ts=thread)
        if found is None:
            self.table.release(
                row.alert,
                self.owner,
                self.clock(),
                surely_not_posted=True,
                doubted_at=attempted_at,
                note="not in the history",
            )
            return True
        return self._noted(row, found, FIRST_STATE)

    def _waited_for(self, row: OutboxRow, attempted_at: float) -> bool:
        """Settles an edit of unknown outcome: once it is too late for it to turn up, the whole state can be shown again."""
        if self._in_quarantine(row, attempted_at):
            return False
        self.table.release(row.alert, self.owner, self.clock(), surely_not_posted=True, note="to be shown again")
        return True

    def _in_quarantine(self, row: OutboxRow, attempted_at: float) -> bool:
        """Whether a call of unknown outcome may still take effect; if so the row is given back until then."""
        over = datetime.fromtimestamp(attempted_at, self.clock().tzinfo) + self.lease + self.quarantine
        if self.clock() >= over:
            return False
        self.table.release(row.alert, self.owner, over, surely_not_posted=False, note="outcome unknown, in quarantine")
        return True

    def _begin(self, row: OutboxRow, channel: str) -> None:
        """Notes that a call to Slack begins, unless the claim did so just now. `Conflict` when that took so long that it is too late to begin."""
        began = self.clock()
        if (
            row.channel == channel
            and row.begun_at is not None
            and began.timestamp() - row.begun_at < AT_ONCE.total_seconds()
        ):
            return
        self.table.posting(row.alert, self.owner, began, channel)
        if self.clock() - began >= self.lease:
            raise Conflict(f"alert {row.alert!r} waits, because its lease is over")

    def _posted(self, row: OutboxRow, text: Message, where: Where) -> Posted:
        """Posts to the first channel that takes it: one that surely did not is left for the next."""
        channel, *others = where.channels
        self._begin(row, channel)
        try:
            return self._post(channel, text, where.root)
        except Rejected as refusal:
            if refusal.kind != "channel" or not others:
                raise
            log.error("ChannelRefused: %s takes no alerts (%s); %s takes over", channel, refusal.code, others[0])  # noqa: TRY400 - Slack's word says it all
        return self._posted(row, text, Where(tuple(others)))

    def _post(self, channel: str, text: Message, root: Posted | None) -> Posted:
        if root is None:
            return self.slack.post(channel, text)
        try:
            return self.slack.post(root.channel, text, thread_ts=root.ts, broadcast=True)
        except Rejected as refusal:
            if refusal.kind != "missing":
                raise
            log.info("root %s was deleted by a person; the reply stands for itself", root.ts)
            return self.slack.post(root.channel, text)

    def _root(self, row: OutboxRow, story: Story, until: datetime) -> Posted | None:
        """Where the root of a reply stands; delivers it first when it is not there yet."""
        root = beside(root_alert(story.id), row.beside)
        if self.table.posted(root) is None:
            if row.beside:
                wanted = OutboxRow(root_alert(story.id), story.id, story.version, level=row.level)
                self.table.spread(wanted, row.beside, self.clock())
            self._deliver(root, until)
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
        if row.beside:
            text = replace(text, metadata={**text.metadata, "alert": row.alert})
        return message.plain(text) if row.plain else text

    def _refused(self, row: OutboxRow, refusal: Rejected) -> bool:
        if refusal.kind == "auth" and row.attempted_at is None:  # a look may lack a scope that a post does not need
            self.table.shut(self.clock() + REFUSED_PAUSE)
            log.error("TokenRefused: Slack says %s; nothing is posted before it takes the token again", refusal.code)
        if refusal.kind != "content" or row.attempted_at is not None:
            log.error(
                "AlertWaits: Slack says %s (%s) to %s; %s", refusal.code, refusal.kind, ascii(row.alert), refusal.mend
            )
            self._again(row, REFUSED_PAUSE, f"{refusal.code}; {refusal.mend}")
            return False
        if row.plain:
            log.error("AlertDead: %s cannot be delivered: %s", ascii(row.alert), refusal.code)  # an alarm looks for it
            self.table.bury(row.alert, self.owner, refusal.code)
            return False
        self.table.release(row.alert, self.owner, self.clock(), surely_not_posted=True, plain=True, note=refusal.code)
        return True

    def _again(self, row: OutboxRow, wait: timedelta, note: str) -> None:
        """Gives the row back; the refused call of this claim had no effect, but an older one in doubt stays in doubt."""
        self.table.release(
            row.alert, self.owner, self.clock() + wait, surely_not_posted=row.attempted_at is None, note=note
        )


def _others(places: Sequence[Place], channel: str) -> Sequence[Place]:
    """The places beside the one where an alert stands: in a place's own channel or its fallback, and else in the first."""
    own = [place for place in places if place.channels[0] == channel]
    own += [place for place in places if channel in place.channels]
    return [place for place in places if place is not (own or places)[0]]


def _state(row: OutboxRow, story: Story) -> int:
    """What a message shows: a root the story's version, a reply always itself."""
    return story.version if row.reply is None else FIRST_STATE
