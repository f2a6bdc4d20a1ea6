"""What to do with a signal, and why: one pure function from signal, remembered story, silences and time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from tocsin.policy import Policy
from tocsin.signal import Signal, rank
from tocsin.silence import Silence
from tocsin.story import Report, Story, add, begin, repeats

Reason = Literal["first_report", "stage_up", "corroborated", "disputed", "denied", "stale", "silenced", "shadow", "repeat"]
Fate = Literal["alerted", "updated", "corroborated", "silenced", "shadow", "stale", "duplicate", "no_signal", "rejected"]

FATES: tuple[Fate, ...] = ("alerted", "updated", "corroborated", "silenced", "shadow", "stale", "duplicate", "no_signal", "rejected")
"""From the strongest: an article has the strongest fate of its signals."""
_FATE_OF: dict[Reason, Fate] = {
    "first_report": "alerted", "stage_up": "updated", "disputed": "updated", "corroborated": "corroborated", "silenced": "silenced",
    "shadow": "shadow", "stale": "stale", "repeat": "duplicate", "denied": "no_signal",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a signal. `story` is its story afterwards (None: nothing to remember), `alert` the alert it raises."""

    reason: Reason
    detail: str
    story: Story | None = None
    alert: str | None = None
    edits: bool = False
    """Whether the root message must show the story anew."""

    @property
    def fate(self) -> Fate:
        """The fate this decision gives the article."""
        return _FATE_OF[self.reason]


def decide(  # noqa: PLR0913 - everything a decision may depend on
    signal: Signal, report: Report, policy: Policy, episodes: Sequence[Story], silences: Sequence[Silence], now: datetime, max_age: timedelta | None
) -> Decision:
    """The decision for one signal. `episodes`: the remembered stories of its identity, the latest first."""
    story = next((one for one in episodes if one.joins(report.published, policy.quiet_for)), None)
    if story and any(repeats(report, one) for one in story.reports):
        return Decision("repeat", f"{report.outlet} told it already", add(story, report))
    if "denied" in signal.flags:
        return _denied(story, report)
    stale = max_age is not None and datetime.fromisoformat(report.published) < now - max_age
    if story is None:
        if stale:
            return Decision("stale", f"published {report.published[:10]}, older than {max_age}")
        return _new(signal, report, policy, episodes, silences, now)
    return _known(signal, report, policy, story, silences, now, stale=stale)


def _new(signal: Signal, report: Report, policy: Policy, episodes: Sequence[Story], silences: Sequence[Silence], now: datetime) -> Decision:  # noqa: PLR0913
    if silence := _silencing(signal, policy, silences, now, rises=False):
        return Decision("silenced", f"silence {silence.id} by {silence.author}: {silence.comment}")
    latest = max(episodes, key=lambda one: one.episode, default=None)
    episode = latest.episode + 1 if latest else 1
    story = begin(signal, report, policy, episode, latest.id if latest else "")
    if not policy.posted:
        return Decision("shadow", f"the rule is on trial (status {policy.status})", story)
    return _raise("first_report", f"first report of {story.id}", story)


def _known(signal: Signal, report: Report, policy: Policy, story: Story, silences: Sequence[Silence], now: datetime, *, stale: bool) -> Decision:  # noqa: PLR0913
    after = add(story, report)
    if not story.posted:
        return Decision("shadow", f"the rule is on trial (status {policy.status})", after)
    if rank(signal.stage) > rank(story.stage) and not stale:
        if silence := _silencing(signal, policy, silences, now, rises=True):
            return Decision("silenced", f"silence {silence.id} by {silence.author}: {silence.comment}", after, edits=True)
        return _raise("stage_up", f"{story.stage} → {signal.stage}", after)
    same = "same stage" if rank(signal.stage) == rank(story.stage) else f"the story is at {story.stage} already"
    return Decision("corroborated", f"{same}; {len(after.outlets)} outlets now", after, edits=True)


def _denied(story: Story | None, report: Report) -> Decision:
    if story is None:
        return Decision("denied", "a denial of something never reported")
    alert = f"{story.id}/disputed"
    if alert in story.alerted or not story.posted:
        return Decision("repeat", "the dispute is known", story)
    disputed = replace(story, alerted=(*story.alerted, alert), last_seen=max(story.last_seen, report.published))
    return Decision("disputed", f"denied, says {report.outlet}", disputed, alert, edits=True)


def _raise(reason: Reason, detail: str, story: Story) -> Decision:
    alert = f"{story.id}/{reason}" + (f"-{story.stage}" if reason == "stage_up" else "")
    return Decision(reason, detail, replace(story, alerted=(*story.alerted, alert)), alert, edits=True)


def _silencing(signal: Signal, policy: Policy, silences: Sequence[Silence], now: datetime, *, rises: bool) -> Silence | None:
    critical = rises and policy.level_of(signal.stage) == "critical"
    return next((one for one in silences if one.covers(signal, now) and (one.holds_critical or not critical)), None)


def fate_of(decisions: Sequence[Decision]) -> Fate:
    """The one fate of an article: the strongest thing that came of it."""
    return min((decision.fate for decision in decisions), key=FATES.index, default="no_signal")
