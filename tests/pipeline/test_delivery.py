"""Each alert reaches the channel once, roots before replies, whatever call fails, crashes, is repeated or comes late."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from fnmatch import fnmatch
from itertools import pairwise
from typing import Any

import pytest

from infra.local.slack import DropAfter, DropBefore, ErrorCode, Fault, HttpStatus, LocalSlack, RateLimited, ShortBody
from tests.promises import GIVEN_UP
from tests.system import LEASE, QUARANTINE
from tests.twins import CHANNEL, Clock, Crash, MemorySlack, MemoryTable, Shown, fails, meanwhile
from tocsin.adapters.slack import SlackWorkspace
from tocsin.errors import Rejected, Throttled, Unknown
from tocsin.pipeline.deliver import Deliverer
from tocsin.policy import Policy
from tocsin.ports import Commit, FateRecord, Slack, Table, Wanted
from tocsin.routes import Matcher, Route, Routes, Span, everything_to
from tocsin.story import Report, Story, add

LEVELS = (("planned", "medium"), ("preparing", "high"), ("imminent", "critical"), ("done", "critical"))
POLICY = Policy("drill", "Drill", "v1", "stable", LEVELS, ("who",), timedelta(days=60), (), "")
STORY = "drill/atlantis#1"
ROOT, REPLY = f"{STORY}/first_report", f"{STORY}/stage_up-done"
PATIENCE = 20
"""Minutes within which everything is delivered once nothing fails any more."""


def report(number: int, stage: Any = "preparing") -> Report:
    """What one of several outlets reported."""
    when = f"2025-02-{number:02d}T00:00:00+00:00"
    return Report(f"a{number}", f"Outlet {number}", f"Title {number}", "", when, stage, "asserted", f"Quote {number}.")


def begun(story_id: str = STORY) -> Story:
    """A story with its first report."""
    first = report(1)
    return Story(
        story_id, "drill", "atlantis", None, None, 1, first.published, first.published, (first,), (first.outlet,), 1
    )


@dataclass
class Desk:
    """An outbox and a channel, with deliverers between them."""

    clock: Clock = field(default_factory=Clock)
    table: MemoryTable = field(default_factory=MemoryTable)
    slack: MemorySlack = field(init=False)
    routes: Routes = field(default_factory=lambda: everything_to(CHANNEL))
    articles: int = 0
    roots: int = 0

    def __post_init__(self) -> None:
        self.slack = MemorySlack(self.clock)

    def commit(self, story: Story, *replies: str) -> None:
        """An article changes a story: its root is wanted, and perhaps replies."""
        self.articles += 1
        told = {"reason": "stage_up", "detail": "preparing → done", "report": story.best.article}
        level = POLICY.level_of(story.stage)
        root = Wanted(f"{story.id}/first_report", story, level=level)
        wanted = [root, *(Wanted(alert, story, told, level) for alert in replies)]
        fate = FateRecord(f"article {self.articles}", "alerted", "", self.clock().isoformat(), "")
        self.table.commit(Commit(fate, (story,), tuple(wanted)), self.clock())

    def begin(self) -> None:
        """The first report of the story."""
        self.commit(begun())

    def corroborate(self) -> None:
        """One more outlet tells it."""
        story = self.table.stories[STORY]
        self.commit(add(story, report(2 + story.version)))

    def escalate(self) -> None:
        """A report of a higher stage."""
        story = self.table.stories[STORY]
        self.commit(add(story, report(2 + story.version, "done")), REPLY)

    def deliverer(self, owner: str = "stream", *, table: Table | None = None, slack: Slack | None = None) -> Deliverer:
        """A deliverer on these twins, or on what is given instead of them."""
        neighbours = (table or self.table, slack or self.slack)
        return Deliverer(
            *neighbours,
            lambda _: POLICY,
            self.clock,
            owner,
            self.routes,
            LEASE,
            QUARANTINE,
            self.clock.wait,
            roots=self.roots,
        )

    def deliver(self) -> None:
        """The stream tells the deliverer of every row that is pending."""
        self.deliverer().deliver([alert for alert, row in self.table.rows.items() if row.status == "pending"])

    def sweep(self, minutes: int = PATIENCE) -> None:
        """Lets minutes pass, with a sweep at the end of each."""
        for _ in range(minutes):
            self.clock.move(minutes=1)
            self.deliverer("sweep").sweep()

    def standing(self, alert: str = ROOT) -> list[Shown]:
        """The messages of an alert in the channel."""
        return [one for one in self.slack.standing if one.alert == alert]

    def status(self, alert: str = ROOT) -> str:
        """How the row of an alert stands."""
        return self.table.rows[alert].status


@pytest.fixture
def desk() -> Desk:
    """A desk with one story begun and not yet delivered."""
    fresh = Desk()
    fresh.begin()
    return fresh


UNKNOWN = Unknown("TimeoutError")


def test_an_alert_is_posted_and_recorded(desk: Desk) -> None:
    """An alert in the outbox is posted to the channel, and its row says where."""
    desk.deliver()
    (message,) = desk.standing()
    assert desk.table.posted(ROOT) == desk.slack.find(CHANNEL, ROOT, oldest=0)
    assert (message.thread_ts, message.broadcast, desk.status()) == (None, False, "delivered")


def test_a_hint_told_twice_posts_once(desk: Desk) -> None:
    """A stream record that comes again, and a sweep, find nothing to do."""
    desk.deliverer().deliver([ROOT, ROOT])
    desk.deliverer().deliver([ROOT])
    desk.sweep(2)
    assert desk.slack.calls == ["post"]


def test_a_lost_stream_record_is_made_up_for_by_the_sweep(desk: Desk) -> None:
    """An alert whose stream record never came is posted by the next sweep."""
    desk.sweep(1)
    assert len(desk.standing()) == 1


def test_a_throttled_alert_is_posted_later_once(desk: Desk) -> None:
    """After a 429 the alert waits as long as Slack asked, and is then posted once."""
    desk.slack.twists["post"].append(fails(Throttled(90)))
    desk.deliver()
    desk.sweep(1)
    assert desk.standing() == []
    desk.sweep(1)
    assert (len(desk.standing()), desk.slack.calls) == (1, ["post", "post"])


def test_a_post_that_took_effect_unseen_is_not_repeated(desk: Desk) -> None:
    """A post of unknown outcome that did take effect is found in the history and recorded, never posted again."""
    desk.slack.twists["post"].append(fails(UNKNOWN, effect=True))
    desk.deliver()
    desk.sweep()
    assert (desk.slack.calls.count("post"), len(desk.standing()), desk.status()) == (1, 1, "delivered")


def test_a_post_that_failed_unseen_is_posted_after_the_quarantine(desk: Desk) -> None:
    """A post of unknown outcome that had no effect is posted once more, and not before lease and quarantine are over."""
    desk.slack.twists["post"].append(fails(UNKNOWN))
    begun_at = desk.clock()
    desk.deliver()
    while not desk.standing():
        desk.sweep(1)
    assert desk.clock() - begun_at >= LEASE + QUARANTINE
    desk.sweep()
    assert (desk.slack.calls.count("post"), len(desk.standing())) == (2, 1)


LOOKS = {
    "throttled": [Throttled(30)],
    "unknown": [UNKNOWN],
    "without the scope": [Rejected("auth", "missing_scope")],
    "not in the channel": [Rejected("channel", "not_in_channel")],
    "refused as it is": [Rejected("content", "invalid_arguments")] * 2,
}


@pytest.mark.parametrize("errors", LOOKS.values(), ids=LOOKS)
@pytest.mark.parametrize("effect", [True, False])
def test_a_failed_look_at_the_history_settles_nothing(desk: Desk, errors: list[Exception], effect: bool) -> None:
    """While the history cannot be read a post in doubt stays in doubt; it is neither forgotten nor repeated."""
    desk.slack.twists["post"].append(fails(UNKNOWN, effect=effect))
    desk.slack.twists["find"].extend(fails(error) for error in errors)
    desk.deliver()
    desk.sweep()
    assert (desk.slack.calls.count("post"), len(desk.standing()), desk.status()) == (1 if effect else 2, 1, "delivered")


@pytest.mark.parametrize(
    "error", [Throttled(30), UNKNOWN, Rejected("content", "invalid_blocks"), Rejected("auth", "invalid_auth")]
)
def test_a_failed_edit_of_a_found_message_does_not_post_it_again(desk: Desk, error: Exception) -> None:
    """A message found in the history stays found, even when bringing it up to date fails."""
    desk.slack.twists["post"].append(fails(UNKNOWN, effect=True))
    desk.slack.twists["update"].append(fails(error))
    desk.deliver()
    desk.corroborate()
    desk.sweep()
    (message,) = desk.standing()
    assert (desk.slack.calls.count("post"), desk.status()) == (1, "delivered")
    assert "2 outlets" in message.message.text


@pytest.mark.parametrize("effect", [True, False])
def test_a_crash_at_the_post_is_settled_by_the_sweep(desk: Desk, effect: bool) -> None:
    """A function that dies while it posts, before or after Slack took it, leaves one message in the end."""
    desk.slack.twists["post"].append(fails(Crash(), effect=effect))
    with pytest.raises(Crash):
        desk.deliver()
    desk.sweep()
    assert (len(desk.standing()), desk.status()) == (1, "delivered")


def test_a_crash_between_claim_and_post_is_posted_later(desk: Desk) -> None:
    """A function that dies after its claim, which notes that a call begins, leaves a row that is looked up, and then posted once."""
    with pytest.raises(Crash):
        desk.deliverer(table=Broken(desk.table, "turn", Crash())).deliver([ROOT])
    desk.sweep(5)
    assert (len(desk.standing()), desk.slack.calls[:2], desk.slack.calls.count("post")) == (1, ["find", "post"], 1)


def test_a_post_at_once_takes_no_note_of_its_own(desk: Desk) -> None:
    """Where there is one channel the claim tells all that a note would; what waited is noted anew."""
    noted: list[str] = []

    class Noting(Broken):
        """Keeps the alerts of which a note was made; its turns take as long as `turns` says."""

        turns = 0

        def posting(self, *arguments: Any) -> None:
            """See `Table.posting`."""
            noted.append(arguments[-1])
            desk.table.posting(*arguments)

        def turn(self, *arguments: Any) -> Any:
            """See `Table.turn`."""
            desk.clock.move(seconds=self.turns)
            return desk.table.turn(*arguments)

    table = Noting(desk.table, "", Crash())
    desk.deliverer(table=table).deliver([ROOT])
    desk.corroborate()
    desk.clock.move(seconds=2)
    desk.deliverer(table=table).deliver([ROOT])
    assert (noted, desk.slack.calls) == ([], ["post", "update"])
    desk.corroborate()
    desk.clock.move(seconds=2)
    table.turns = 6
    desk.deliverer(table=table).deliver([ROOT])
    assert noted == [CHANNEL]


def test_a_crash_between_post_and_record_is_reconciled(desk: Desk) -> None:
    """A function that dies after the post, before it is recorded, leaves a message that the sweep finds."""
    with pytest.raises(Crash):
        desk.deliverer(table=Broken(desk.table, "delivered", Crash())).deliver([ROOT])
    desk.sweep()
    assert (desk.slack.calls.count("post"), len(desk.standing()), desk.status()) == (1, 1, "delivered")


class Broken:
    """A table on which one method fails the first time."""

    def __init__(self, table: MemoryTable, method: str, error: BaseException) -> None:
        self._table, self._method, self._error = table, method, [error]

    def __getattr__(self, name: str) -> Any:
        """The method, or one that raises."""
        if name == self._method and self._error:
            raise self._error.pop()
        return getattr(self._table, name)


def test_a_reply_stands_in_the_thread_of_its_root_and_in_the_channel(desk: Desk) -> None:
    """An escalation is posted once, under the root, and broadcast; the root then shows the new stage."""
    desk.deliver()
    desk.escalate()
    desk.deliver()
    desk.sweep(1)
    (root,), (reply,) = desk.standing(), desk.standing(REPLY)
    assert (reply.thread_ts, reply.broadcast) == (root.ts, True)
    assert "*Stage:* done" in root.message.text


def test_a_reply_is_never_before_its_root(desk: Desk) -> None:
    """A reply whose stream record comes first brings its root along."""
    desk.escalate()
    desk.deliverer().deliver([REPLY])
    assert [one.alert for one in desk.slack.messages] == [ROOT, REPLY]


@pytest.mark.parametrize("error", [Throttled(60), Rejected("auth", "invalid_auth"), UNKNOWN])
def test_a_reply_waits_for_a_root_that_cannot_be_posted(desk: Desk, error: Exception) -> None:
    """While a root cannot be posted its reply waits, and comes after it."""
    desk.slack.twists["post"].append(fails(error))
    desk.escalate()
    desk.deliverer().deliver([REPLY])
    assert desk.slack.messages == []
    desk.sweep()
    assert [one.alert for one in desk.slack.messages] == [ROOT, REPLY]


@pytest.mark.parametrize("effect", [True, False])
def test_a_reply_in_doubt_is_looked_up_in_its_thread(desk: Desk, effect: bool) -> None:
    """A reply of unknown outcome is found in the thread, or posted once more when it is not there."""
    desk.deliver()
    desk.escalate()
    desk.slack.twists["post"].append(fails(UNKNOWN, effect=effect))
    desk.deliver()
    desk.sweep()
    assert (len(desk.standing()), len(desk.standing(REPLY)), desk.status(REPLY)) == (1, 1, "delivered")


def test_refused_blocks_are_posted_as_plain_text(desk: Desk) -> None:
    """A message whose blocks Slack refuses is posted once more without them, at once."""
    desk.slack.twists["post"].append(fails(Rejected("content", "invalid_blocks")))
    desk.deliver()
    (message,) = desk.standing()
    assert (message.message.blocks, desk.slack.calls) == ((), ["post", "post"])


def test_plain_text_stays_plain(desk: Desk) -> None:
    """A message that had to be plain stays plain when it waits or is edited: its blocks are not tried again."""
    desk.slack.twists["post"].extend([fails(Rejected("content", "invalid_blocks")), fails(Throttled(30))])
    desk.deliver()
    desk.sweep(1)
    desk.corroborate()
    desk.deliver()
    assert [message.blocks for message in desk.standing()[0].versions] == [(), ()]


def test_a_message_refused_even_as_plain_text_is_given_up(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """A message whose plain text is refused too is buried with Slack's word for it, and the log says so as the alarm looks for it."""
    desk.slack.twists["post"].extend([fails(Rejected("content", "msg_too_long"))] * 2)
    desk.deliver()
    desk.sweep()
    assert (desk.status(), desk.table.rows[ROOT].note, desk.slack.calls) == ("dead", "msg_too_long", ["post", "post"])
    (line,) = [one.getMessage() for one in caplog.records if one.levelname == "ERROR"]
    assert fnmatch(line, GIVEN_UP)


@pytest.mark.parametrize("kind", ["auth", "channel"])
def test_nothing_is_lost_while_slack_shuts_us_out(desk: Desk, kind: Any) -> None:
    """While the token or the channel is refused the alert waits, a whole day if need be, and is then posted once."""
    desk.slack.twists["post"].extend([fails(Rejected(kind, "account_inactive"))] * 280)
    desk.deliver()
    desk.sweep(24 * 60)
    assert (len(desk.standing()), desk.status()) == (1, "delivered")


def test_a_root_that_a_person_deleted_stays_deleted(desk: Desk) -> None:
    """A root that somebody deleted is not posted again when the story goes on."""
    desk.deliver()
    desk.slack.remove(desk.standing()[0].ts)
    desk.corroborate()
    desk.deliver()
    desk.sweep()
    assert (desk.standing(), desk.slack.calls.count("post"), desk.status()) == ([], 1, "delivered")


def test_a_reply_to_a_deleted_root_stands_for_itself(desk: Desk) -> None:
    """An escalation reaches the channel even when somebody deleted the root and Slack knows no such thread."""
    desk.deliver()
    desk.slack.messages.clear()
    desk.escalate()
    desk.deliver()
    (reply,) = desk.standing(REPLY)
    assert (reply.thread_ts, desk.status(REPLY)) == (None, "delivered")


@pytest.mark.parametrize("method", ["post", "update"])
def test_a_story_that_changes_meanwhile_is_shown_as_it_is_last(desk: Desk, method: str) -> None:
    """When a story changes while its root is on its way, the root shows the last state, without a second message."""
    if method == "update":
        desk.deliver()
        desk.corroborate()
    desk.slack.twists[method].append(meanwhile(desk.corroborate))
    desk.deliver()
    desk.sweep(2)
    (message,) = desk.standing()
    assert f"{desk.table.stories[STORY].version} outlets" in message.message.text
    assert desk.status() == "delivered"


@pytest.mark.parametrize("method", ["post", "update"])
def test_two_deliverers_at_once_make_one_message(desk: Desk, method: str) -> None:
    """A second deliverer that is told of an alert while the first one is at it leaves it alone."""
    if method == "update":
        desk.deliver()
        desk.corroborate()
    desk.slack.twists[method].append(meanwhile(lambda: desk.deliverer("sweep").deliver([ROOT])))
    desk.clock.move(seconds=2)  # else the edit would leave the turn to what is new
    desk.deliver()
    assert (len(desk.standing()), desk.slack.calls.count(method)) == (1, 1)


def test_a_deliverer_that_slept_through_its_lease_does_not_post(desk: Desk) -> None:
    """A deliverer whose row went to another while it slept notices before it posts."""

    class Sleepy(Broken):
        """Sleeps between the claim and the post, while another deliverer works."""

        def turn(self, *arguments: Any) -> Any:
            """See `Table.turn`."""
            turn = desk.table.turn(*arguments)
            desk.clock.move(minutes=2)
            desk.deliverer("sweep").sweep()
            return turn

    desk.deliverer(table=Sleepy(desk.table, "", Crash())).deliver([ROOT])
    assert desk.slack.calls == []
    desk.sweep(5)
    assert (desk.slack.calls.count("post"), len(desk.standing()), desk.status()) == (1, 1, "delivered")


def test_a_deliverer_that_slept_over_its_post_makes_no_second_message(desk: Desk) -> None:
    """A post that takes effect after its lease is over is found by the other deliverer, not repeated."""

    def other() -> None:
        desk.clock.move(minutes=2)
        desk.deliverer("sweep").sweep()

    desk.slack.twists["post"].append(meanwhile(other))
    desk.deliver()
    desk.sweep()
    assert (desk.slack.calls.count("post"), len(desk.standing()), desk.status()) == (1, 1, "delivered")


def test_a_note_that_took_too_long_is_not_followed_by_a_post(desk: Desk) -> None:
    """A deliverer whose note of a post took as long as the lease does not post: the row is looked up later, and posted once."""

    class Slow(Broken):
        """Takes two minutes to note that a post begins, which it does for its turn took a while."""

        def turn(self, *arguments: Any) -> Any:
            """See `Table.turn`."""
            desk.clock.move(seconds=6)
            return desk.table.turn(*arguments)

        def posting(self, *arguments: Any) -> None:
            """See `Table.posting`."""
            desk.table.posting(*arguments)
            desk.clock.move(minutes=2)

    desk.deliverer(table=Slow(desk.table, "", Crash())).deliver([ROOT])
    assert desk.slack.calls == []
    desk.sweep()
    assert (desk.slack.calls.count("post"), len(desk.standing()), desk.status()) == (1, 1, "delivered")


@pytest.mark.parametrize("minutes", [8, 40])
def test_a_post_that_turns_up_after_it_was_given_up_is_removed(desk: Desk, minutes: int) -> None:
    """Beyond the bound there are two copies for a while; the one that is edited and replied to stays."""
    desk.slack.twists["post"].append(fails(UNKNOWN))
    desk.deliver()
    desk.sweep(5)
    (kept,) = desk.standing()
    desk.sweep(minutes - 5)
    desk.slack.post(CHANNEL, kept.message)
    assert len(desk.standing()) == 2
    desk.escalate()
    desk.deliver()
    desk.sweep(70)
    assert desk.standing() == [kept]
    assert "*Stage:* done" in kept.message.text
    assert desk.table.rows[ROOT].doubted_at is None


def test_of_two_copies_a_person_deletes_one_the_other_stays(desk: Desk) -> None:
    """Where a person already removed the recorded copy, the auditor leaves the other one standing."""
    desk.slack.twists["post"].append(fails(UNKNOWN))
    desk.deliver()
    desk.sweep(5)
    (kept,) = desk.standing()
    desk.slack.post(CHANNEL, kept.message)
    desk.slack.remove(kept.ts)
    desk.sweep(70)
    assert len(desk.standing()) == 1


@pytest.mark.parametrize("error", [Throttled(30), UNKNOWN, Rejected("auth", "invalid_auth")])
@pytest.mark.parametrize("method", ["copies", "delete"])
def test_an_audit_that_fails_is_made_again(desk: Desk, method: str, error: Exception) -> None:
    """A look that fails is made by the next sweep, and a copy that could not be removed is removed at the last look."""
    desk.slack.twists["post"].append(fails(UNKNOWN))
    desk.slack.twists[method].append(fails(error))
    desk.deliver()
    desk.sweep(5)
    (kept,) = desk.standing()
    desk.slack.post(CHANNEL, kept.message)
    desk.sweep(70)
    assert desk.standing() == [kept]


def test_an_alert_that_was_never_given_up_is_not_audited(desk: Desk) -> None:
    """What was posted at once, or found in the history, costs no look."""
    desk.slack.twists["post"].append(fails(UNKNOWN, effect=True))
    desk.deliver()
    desk.sweep(90)
    assert "copies" not in desk.slack.calls


def test_an_edit_leaves_the_turn_to_what_is_new(desk: Desk) -> None:
    """While the channel is busy the stream posts what is new and leaves edits to the next sweep, which makes one of many."""
    desk.deliver()
    for _ in range(3):
        desk.corroborate()
        desk.deliver()
    desk.commit(begun("drill/lemuria#1"))
    desk.deliver()
    assert len(desk.standing("drill/lemuria#1/first_report")) == 1
    assert (len(desk.standing()[0].versions), desk.status()) == (1, "waiting")
    desk.sweep(1)
    assert (len(desk.standing()[0].versions), desk.status()) == (2, "delivered")


def test_an_edit_in_doubt_does_not_turn_up_over_a_newer_one(desk: Desk) -> None:
    """An edit that takes effect late is followed by one that shows the last state."""
    desk.deliver()
    desk.corroborate()
    old: list[Callable[[], Any]] = []

    def late(act: Callable[[], Any]) -> Any:
        old.append(act)
        raise UNKNOWN

    desk.slack.twists["update"].append(late)
    desk.deliver()
    desk.corroborate()
    desk.deliver()
    desk.sweep(2)
    old[0]()
    desk.sweep()
    assert "3 outlets" in desk.standing()[0].message.text


def test_an_alert_that_cannot_be_rendered_does_not_hold_up_the_others(desk: Desk) -> None:
    """A sweep goes on after an alert that raises, and tries it again a sweep later."""
    desk.commit(begun("other/atlantis#1"))

    def policy(rule: str) -> Policy:
        if rule == "drill" and desk.clock().minute < 5:
            raise LookupError(rule)
        return POLICY

    desk.table.stories["other/atlantis#1"] = replace(desk.table.stories["other/atlantis#1"], rule="other")
    for _ in range(8):
        desk.clock.move(minutes=1)
        replace(desk.deliverer("sweep"), policy=policy).sweep()
        assert len(desk.standing("other/atlantis#1/first_report")) == 1
    assert len(desk.standing()) == 1


def others(count: int) -> list[str]:
    """The roots of so many other stories, which are in the outbox too."""
    return [f"drill/other-{number}#1/first_report" for number in range(count)]


def test_a_refused_token_is_tried_once_in_five_minutes(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """While Slack refuses the token one call in five minutes finds that out, however many alerts wait; then all are posted."""
    desk.slack.twists["post"].extend([fails(Rejected("auth", "token_revoked"))] * 3)
    for alert in others(5):
        desk.commit(begun(alert.removesuffix("/first_report")))
    desk.deliver()
    assert (desk.slack.calls, desk.standing()) == (["post"], [])
    desk.sweep(11)
    assert (desk.slack.calls, desk.table.shut_until is None) == (["post"] * 3, False)
    desk.sweep(8)
    assert [len(desk.standing(alert)) for alert in (ROOT, *others(5))] == [1] * 6
    assert desk.table.shut_until is None
    assert sum("TokenRefused" in record.message for record in caplog.records) == 3


def test_a_look_that_lacks_a_scope_keeps_no_other_alert_waiting(desk: Desk) -> None:
    """When the history cannot be read for want of a scope, only the alert in doubt waits."""
    desk.slack.twists["post"].append(fails(UNKNOWN))
    desk.slack.twists["find"].extend([fails(Rejected("auth", "missing_scope"))] * 3)
    desk.deliver()
    desk.sweep(4)
    (other,) = others(1)
    desk.commit(begun(other.removesuffix("/first_report")))
    desk.deliver()
    assert (len(desk.standing()), len(desk.standing(other))) == (0, 1)


SPARE = "C0SPARE"
WITH_SPARE = Routes({"desk": (CHANNEL, SPARE), "spare": (SPARE,)}, Route("desk"))


def test_a_refused_channel_gives_way_to_its_fallback(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """When the channel is archived or the bot was put out of it, alerts go to the fallback, and their replies and edits too."""
    desk.routes, desk.slack.channels = WITH_SPARE, (SPARE,)
    desk.deliver()
    desk.escalate()
    desk.deliver()
    desk.sweep(1)
    (root,), (reply,) = desk.standing(), desk.standing(REPLY)
    assert (root.channel, reply.channel, reply.thread_ts) == (SPARE, SPARE, root.ts)
    assert "*Stage:* done" in root.message.text
    assert sum("ChannelRefused" in record.message for record in caplog.records) == 1


def test_a_reply_to_a_root_in_an_archived_channel_goes_to_the_fallback(desk: Desk) -> None:
    """When the channel of a story is archived later, what happens next is told in the fallback."""
    desk.routes, desk.slack.channels = WITH_SPARE, (CHANNEL, SPARE)
    desk.deliver()
    desk.slack.channels = (SPARE,)
    desk.escalate()
    desk.deliver()
    (reply,) = desk.standing(REPLY)
    assert (reply.channel, reply.thread_ts, desk.status(REPLY)) == (SPARE, None, "delivered")


@pytest.mark.parametrize("effect", [True, False])
def test_a_post_to_the_fallback_in_doubt_is_looked_up_there(desk: Desk, effect: bool) -> None:
    """A post of unknown outcome is looked up in the channel it was meant for, and stands once."""
    desk.routes, desk.slack.channels = WITH_SPARE, (CHANNEL, SPARE)
    desk.slack.twists["post"].append(fails(Rejected("channel", "is_archived")))
    desk.slack.twists["post"].append(fails(UNKNOWN, effect=effect))
    desk.deliver()
    desk.sweep()
    (message,) = desk.standing()
    assert (message.channel, desk.status()) == (SPARE if effect else CHANNEL, "delivered")


NIGHT = Span(((0, 12 * 60),), frozenset(range(7)), "UTC")
AT_NIGHT = Routes({"desk": (CHANNEL,)}, Route("desk", (), (), ("night",)), {"night": (NIGHT,)})


def test_a_muted_alert_waits_until_the_interval_ends(desk: Desk) -> None:
    """Muted is not lost: the alert and what became of its story stand in the channel when the interval is over, once."""
    desk.routes = AT_NIGHT
    desk.deliver()
    desk.corroborate()
    desk.deliver()
    desk.sweep(179)
    assert (desk.standing(), desk.table.rows[ROOT].note) == ([], "muted by night")
    desk.sweep(2)
    (message,) = desk.standing()
    assert "2 outlets" in message.message.text


def test_critical_passes_a_muted_interval(desk: Desk) -> None:
    """What has become critical is told at once, root and reply."""
    desk.routes = AT_NIGHT
    desk.deliver()
    desk.escalate()
    desk.deliver()
    assert (len(desk.standing()), len(desk.standing(REPLY))) == (1, 1)


def test_a_story_stays_where_it_began(desk: Desk) -> None:
    """A story whose level rises is told on in the thread of its root, whatever the routes say of its new level."""
    critical = Route("spare", (Matcher("level", ">=", ("critical",)),))
    desk.routes = replace(WITH_SPARE, route=replace(WITH_SPARE.route, routes=(critical,)))
    desk.slack.channels = (CHANNEL, SPARE)
    desk.deliver()
    desk.escalate()
    desk.deliver()
    assert [one.channel for one in desk.slack.standing] == [CHANNEL, CHANNEL]
    desk.commit(add(begun("drill/lemuria#1"), report(9, "done")))
    desk.deliver()
    assert desk.standing("drill/lemuria#1/first_report")[0].channel == SPARE


WATCH = "C0WATCH"
GOES_ON = Route("watch", (Matcher("level", ">=", ("high",)),), goes_on=True)
BOTH = Routes({"desk": (CHANNEL, SPARE), "watch": (WATCH,)}, Route("desk", (), (GOES_ON, Route("desk"))))
BESIDE = f"{ROOT}@{CHANNEL}"


def at_both(desk: Desk, *channels: str) -> Desk:
    """The desk with a route that goes on: what is high or more is told to the watch, and to everybody."""
    desk.routes, desk.slack.channels = BOTH, channels or (CHANNEL, SPARE, WATCH)
    return desk


def test_an_alert_stands_in_each_channel_that_its_routes_find(desk: Desk) -> None:
    """With `continue` each receiver has a root of its own, which is edited, and replies in its own thread, each once."""
    at_both(desk).deliver()
    desk.corroborate()
    desk.escalate()
    for _ in range(3):
        desk.deliver()
    desk.sweep()
    roots = {one.channel: one for alert in (ROOT, BESIDE) for one in desk.standing(alert)}
    replies = {one.channel: one for alert in (REPLY, f"{REPLY}@{CHANNEL}") for one in desk.standing(alert)}
    assert len(desk.slack.messages) == 4
    assert roots.keys() == replies.keys() == {WATCH, CHANNEL}
    for channel, root in roots.items():
        assert "*Stage:* done" in root.message.text
        assert (replies[channel].thread_ts, replies[channel].broadcast) == (root.ts, True)
    assert {row.status for row in desk.table.rows.values()} == {"delivered"}


@pytest.mark.parametrize("effect", [True, False])
def test_each_channel_of_an_alert_is_delivered_for_itself(desk: Desk, effect: bool) -> None:
    """A post of unknown outcome in one channel neither holds up nor repeats the one in the other."""
    at_both(desk).slack.twists["post"].append(fails(UNKNOWN, effect=effect))
    for _ in range(2):
        desk.deliver()
    assert len(desk.standing(BESIDE)) == 1
    desk.sweep()
    assert (len(desk.standing()), len(desk.slack.messages)) == (1, 2)


def test_a_channel_that_is_refused_keeps_no_other_from_its_alert(desk: Desk) -> None:
    """Where one receiver's channel is archived and it has no fallback, the others get theirs."""
    at_both(desk, CHANNEL)
    for _ in range(2):
        desk.deliver()
    assert (len(desk.standing()), len(desk.standing(BESIDE)), desk.status()) == (0, 1, "waiting")


def test_a_story_that_rises_is_told_to_whom_it_concerns_by_then(desk: Desk) -> None:
    """A receiver whose route matches later gets the story's message then, and the story stays where it began."""
    watch = replace(
        BOTH.route, routes=(replace(GOES_ON, matchers=(Matcher("level", ">=", ("critical",)),)), Route("desk"))
    )
    at_both(desk).routes = replace(BOTH, route=watch)
    desk.deliver()
    assert [one.channel for one in desk.slack.messages] == [CHANNEL]
    desk.escalate()
    for _ in range(3):
        desk.deliver()
    assert sorted(one.channel for one in desk.slack.messages) == [CHANNEL, CHANNEL, WATCH, WATCH]
    assert len(desk.standing(f"{ROOT}@{WATCH}")) == 1


def test_a_message_that_fell_back_is_told_once_more_only_where_it_should_be(desk: Desk) -> None:
    """A root that stands in a fallback is in its receiver's place: no further message is made for that."""
    routes = replace(BOTH, route=replace(BOTH.route, routes=(replace(GOES_ON, receiver="desk"), Route("watch"))))
    at_both(desk, SPARE, WATCH).routes = routes
    desk.deliver()
    desk.escalate()
    for _ in range(3):
        desk.deliver()
    assert sorted(one.channel for one in desk.slack.messages) == [SPARE, SPARE, WATCH, WATCH]


def test_messages_to_one_channel_are_a_second_apart(desk: Desk) -> None:
    """However many alerts come at once, and however many deliverers, a channel gets one message a second."""
    for alert in others(8):
        desk.commit(begun(alert.removesuffix("/first_report")))
    for owner in ("one", "two", "three"):
        desk.deliverer(owner).deliver([ROOT, *others(8)][: 3 if owner != "three" else None])
    posted = [float(one.ts) for one in desk.slack.standing]
    assert len(posted) == 9
    assert all(later - earlier >= 0.999 for earlier, later in pairwise(posted))


def test_a_pause_slack_asks_for_is_kept_by_every_deliverer(desk: Desk) -> None:
    """After a 429 nobody sends anything to the channel until the pause is over."""
    desk.slack.twists["post"].append(fails(Throttled(90)))
    desk.deliver()
    (other,) = others(1)
    desk.commit(begun(other.removesuffix("/first_report")))
    desk.deliverer("other").deliver([other])
    desk.sweep(1)
    assert desk.slack.calls == ["post"]
    desk.sweep(2)
    assert (len(desk.standing()), len(desk.standing(other))) == (1, 1)


LIST = f"burst/drill/{CHANNEL}/2025-03-01T09"


def flooded(desk: Desk, count: int = 6) -> None:
    """More stories of one rule than the two a channel gets within an hour."""
    desk.roots = 2
    for alert in others(count - 1):
        desk.commit(begun(alert.removesuffix("/first_report")))
    desk.deliver()
    desk.deliver()


def test_too_many_first_reports_are_told_in_one_list(desk: Desk) -> None:
    """Above the budget of a rule, channel and hour there is one message more, which names every other story."""
    flooded(desk)
    (told,) = desk.standing(LIST)
    assert [one.alert for one in desk.slack.standing] == [ROOT, *others(1), LIST]
    assert told.message.text.startswith("🟠 4 more: Drill")
    assert told.message.text.count("Outlet 1") == 4
    rolled = [desk.table.rows[alert] for alert in others(5)[1:]]
    assert {(row.status, row.rolled_into) for row in rolled} == {("rolled", LIST)}
    desk.sweep()
    assert len(desk.slack.messages) == 3


def test_the_list_of_an_hour_grows_in_place(desk: Desk) -> None:
    """A later story of the hour is added to the list, without another message; the next hour has room again."""
    flooded(desk)
    later, after = "drill/later#1/first_report", "drill/after#1/first_report"
    desk.commit(begun("drill/later#1"))
    desk.deliver()
    desk.deliver()
    (told,) = desk.standing(LIST)
    assert told.message.text.startswith("🟠 5 more: Drill")
    desk.clock.move(hours=1)
    desk.commit(begun("drill/after#1"))
    desk.deliver()
    assert (len(desk.standing(later)), len(desk.standing(after))) == (0, 1)


def test_what_becomes_of_a_listed_story_is_told_in_the_thread_of_its_list(desk: Desk) -> None:
    """The rise of a story that has no message of its own is told under its list and in the channel; the list shows its stage."""
    flooded(desk, 2)
    (last,) = others(1)
    desk.roots = 1
    desk.commit(begun("drill/listed#1"))
    desk.deliver()
    reply = "drill/listed#1/stage_up-done"
    desk.commit(add(desk.table.stories["drill/listed#1"], report(9, "done")), reply)
    desk.deliver()
    desk.sweep(2)
    (told,), (rise,) = desk.standing(LIST), desk.standing(reply)
    assert (rise.thread_ts, rise.broadcast, len(desk.standing(last))) == (told.ts, True, 1)
    assert (told.message.metadata["level"], desk.standing("drill/listed#1/first_report")) == ("critical", [])


@pytest.mark.parametrize("effect", [True, False])
def test_a_list_of_unknown_outcome_stands_once(desk: Desk, effect: bool) -> None:
    """A list whose post is in doubt is looked up like any alert, and then shows all it has to tell."""
    desk.roots = 1
    desk.deliver()
    for alert in others(3):
        desk.commit(begun(alert.removesuffix("/first_report")))
    desk.slack.twists["post"].append(fails(UNKNOWN, effect=effect))
    desk.deliver()
    desk.sweep()
    (told,) = desk.standing(LIST)
    assert (told.message.text[:9], desk.status(LIST)) == ("🟠 3 more:", "delivered")


def test_what_waits_comes_in_order_of_level_then_age(desk: Desk) -> None:
    """When many alerts wait, the gravest is posted first, and of one level the oldest."""
    for number, stage in enumerate(["planned", "done", "preparing", "done"]):
        desk.clock.move(seconds=1)
        story = begun(f"drill/wait-{number}#1")
        desk.commit(replace(story, reports=(report(1, stage),)))
    desk.sweep(1)
    assert [one.alert.rpartition("/")[0].partition("/")[2] for one in desk.slack.standing] == [
        "wait-1#1", "wait-3#1", "atlantis#1", "wait-2#1", "wait-0#1",
    ]  # fmt: skip


# ── over HTTP ────────────────────────────────────────────────────────────────────────────────────────────────────────


class Token:
    """The token of the local Slack."""

    def __init__(self, slack: LocalSlack) -> None:
        self._slack = slack

    def __call__(self) -> str:
        """The token."""
        return self._slack.token

    def refresh(self) -> str:
        """The token."""
        return self._slack.token


@pytest.fixture
def local(desk: Desk) -> Iterator[LocalSlack]:
    """A Slack over HTTP on the desk's clock."""
    with LocalSlack(clock=lambda: desk.clock().timestamp()) as running:
        yield running


FAULTS: dict[str, tuple[Fault, int]] = {
    "429": (RateLimited(30), 2),
    "dropped before": (DropBefore(), 2),
    "dropped after": (DropAfter(), 1),
    "half an answer": (ShortBody(), 1),
    "500 after": (HttpStatus(500, effect=True), 1),
    "fatal_error": (ErrorCode("fatal_error"), 2),
    "invalid_auth": (ErrorCode("invalid_auth"), 2),
    "invalid_blocks": (ErrorCode("invalid_blocks"), 2),
}


@pytest.mark.parametrize("name", FAULTS)
def test_over_http_a_failed_post_leaves_one_message(desk: Desk, local: LocalSlack, name: str) -> None:
    """With the real adapter, over HTTP, an alert is posted once whatever became of the first call."""
    fault, calls = FAULTS[name]
    local.fail_next("chat.postMessage", fault)
    slack = SlackWorkspace(local.url, Token(local), timeout=2)
    desk.deliverer(slack=slack).deliver([ROOT])
    for _ in range(PATIENCE):
        desk.clock.move(minutes=1)
        desk.deliverer("sweep", slack=slack).sweep()
    assert [one.metadata["event_payload"]["alert"] for one in local.messages(CHANNEL)] == [ROOT]
    assert (local.requests["chat.postMessage"], desk.status()) == (calls, "delivered")
