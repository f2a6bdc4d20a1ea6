"""What to do with a signal, and why: one pure function from signal, remembered story, silences and time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, get_args

from tocsin.policy import Policy
from tocsin.signal import Signal, rank
from tocsin.silence import Silence
from tocsin.story import Report, Story, add, begin, repeats

Reason = Literal[
    "first_report", "stage_up", "corroborated", "disputed", "denied", "stale", "silenced", "shadow", "repeat"
]
Fate = Literal[
    "alerted", "updated", "corroborated", "silenced", "shadow", "stale", "duplicate", "no_signal", "rejected"
]

FATES: tuple[Fate, ...] = get_args(Fate)
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


@dataclass(frozen=True, slots=True)
class _Case:
    """A signal with everything its decision depends on but the story."""

    signal: Signal
    report: Report
    policy: Policy
    silences: Sequence[Silence]
    now: datetime
    max_age: timedelta | None

    @property
    def stale(self) -> bool:
        """Whether it was published too long ago to alert anybody."""
        return self.max_age is not None and datetime.fromisoformat(self.report.published) < self.now - self.max_age

    def silence(self, *, rises: bool = False) -> Silence | None:
        """The silence that holds it back; a rise to critical passes all but those that hold even that."""
        critical = rises and self.policy.level_of(self.signal.stage) == "critical"
        covering = (one for one in self.silences if one.covers(self.signal, self.now))
        return next((one for one in covering if one.holds_critical or not critical), None)


def decide(  # noqa: PLR0913 - everything a decision may depend on
    signal: Signal,
    report: Report,
    policy: Policy,
    episodes: Sequence[Story],
    silences: Sequence[Silence],
    now: datetime,
    max_age: timedelta | None,
) -> Decision:
    """The decision for one signal. `episodes`: the remembered stories of its identity, the latest first."""
    case = _Case(signal, report, policy, silences, now, max_age)
    story = next((one for one in episodes if one.joins(report.published, policy.quiet_for)), None)
    if "denied" in signal.flags:
        return _denied(case, story)
    return _known(case, story) if story else _new(case, episodes)


def _new(case: _Case, episodes: Sequence[Story]) -> Decision:
    if case.stale:
        return Decision("stale", f"published {case.report.published[:10]}, older than {case.max_age}")
    if silence := case.silence():
        return Decision("silenced", _held(silence))
    latest = max(episodes, key=lambda one: one.episode, default=None)
    episode, previous = (latest.episode + 1, latest.id) if latest else (1, "")
    story = begin(case.signal, case.report, case.policy, episode, previous)
    if not case.policy.posted:
        return Decision("shadow", _trial(case.policy), story)
    return _raise("first_report", f"first report of {story.id}", story)


def _known(case: _Case, story: Story) -> Decision:
    after = add(story, case.report)
    stage = case.signal.stage
    rises = rank(stage) > rank(story.stage)
    posted = story.posted and case.policy.posted
    if not rises and any(repeats(case.report, one) for one in story.reports):
        return Decision("repeat", f"{case.report.outlet} told it already", after, edits=posted and after != story)
    if not posted:
        return Decision("shadow", _trial(case.policy), after)
    if not rises:
        told = "same stage" if rank(stage) == rank(story.stage) else f"the story is at {story.stage} already"
    elif case.stale:
        told = f"{story.stage} → {stage}, but published {case.report.published[:10]}, older than {case.max_age}"
    elif silence := case.silence(rises=True):
        return Decision("silenced", _held(silence), after, edits=True)
    else:
        return _raise("stage_up", f"{story.stage} → {stage}", after)
    return Decision("corroborated", f"{told}; {len(after.outlets)} outlets now", after, edits=True)


def _denied(case: _Case, story: Story | None) -> Decision:
    """A denial is posted once. It is no report of the thing, so it leaves what the story tells as it was."""
    if story is None:
        return Decision("denied", "a denial of something never reported")
    if not (story.posted and case.policy.posted):
        return Decision("shadow", _trial(case.policy), story)
    if story.denial:
        return Decision("repeat", "the dispute is known", story)
    if case.stale:
        return Decision("stale", f"a denial published {case.report.published[:10]}, older than {case.max_age}", story)
    if silence := case.silence():
        return Decision("silenced", _held(silence), story)
    return _raise("disputed", f"denied, says {case.report.outlet}", replace(story, denial=case.report))


def _raise(reason: Reason, detail: str, story: Story) -> Decision:
    alert = f"{story.id}/{reason}" + (f"-{story.stage}" if reason == "stage_up" else "")
    return Decision(reason, detail, replace(story, alerted=(*story.alerted, alert)), alert, edits=True)


def _held(silence: Silence) -> str:
    return f"silence {silence.id} by {silence.author}: {silence.comment}"


def _trial(policy: Policy) -> str:
    if policy.posted:
        return "the story began while its rule was on trial"
    return f"the rule is on trial (status {policy.status})"


def fate_of(decisions: Sequence[Decision]) -> Fate:
    """The one fate of an article: the strongest thing that came of it."""
    return min((decision.fate for decision in decisions), key=FATES.index, default="no_signal")
