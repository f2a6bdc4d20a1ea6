"""What to do with a signal, and why: pure functions from signal, remembered stories, silences and time."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, get_args

from tocsin.changes import Change, changes, comparable, informed
from tocsin.episodes import Settled, settle
from tocsin.policy import Policy
from tocsin.signal import Evidence, Signal, Stage, rank
from tocsin.silence import Silence
from tocsin.story import Report, Story, amend, repeats

Reason = Literal[
    "first_report", "stage_up", "material_change", "disputed", "corrected", "corroborated", "denied", "stale", "silenced",
    "shadow", "repeat",
]  # fmt: skip
Fate = Literal[
    "alerted", "updated", "corroborated", "silenced", "shadow", "stale", "duplicate", "no_signal", "rejected"
]

REASONS: tuple[Reason, ...] = get_args(Reason)
FATES: tuple[Fate, ...] = get_args(Fate)
"""From the strongest: an article has the strongest fate of its signals."""
_FATE_OF: dict[Reason, Fate] = {
    "first_report": "alerted", "stage_up": "updated", "material_change": "updated", "disputed": "updated", "corrected": "updated",
    "corroborated": "corroborated", "silenced": "silenced", "shadow": "shadow", "stale": "stale", "repeat": "duplicate", "denied": "no_signal",
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
    others: tuple[Story, ...] = ()
    """Other stories of the identity that change with it."""
    relied: tuple[tuple[str, int], ...] = ()
    """Stories that must still have these versions for the decision to stand."""
    beside: tuple[tuple[str, int], ...] = ()
    """Stories beside which a new one begins, with their versions."""
    held: Reason | None = None
    """The reason of the alert that a silence or a trial held back."""

    @property
    def fate(self) -> Fate:
        """The fate this decision gives the article."""
        return _FATE_OF[self.reason]

    @property
    def changed(self) -> tuple[Story, ...]:
        """Every story to be written."""
        return (*((self.story,) if self.story else ()), *self.others)


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
    """The decision for one signal. `episodes`: the remembered stories of its identity, in any order."""
    case = _Case(signal, report, policy, silences, now, max_age)
    settled = settle(signal, report, policy, episodes)
    denies = "denied" in signal.flags
    if settled.before is None:
        decision = _denied_unheard(case, settled.after) if denies else _new(case, settled.after)
    elif denies:
        decision = _denied(case, settled.before, settled.after)
    else:
        decision = _known(case, settled.before, settled)
    if decision.story is None:
        return decision
    return replace(decision, others=settled.others, relied=settled.relied, beside=settled.beside)


def _new(case: _Case, story: Story) -> Decision:
    if case.stale:
        return Decision("stale", _too_old(case))
    if silence := case.silence():
        return Decision("silenced", _held(silence), story, held="first_report")
    if not case.policy.posted:
        return Decision("shadow", _trial(case.policy), story, held="first_report")
    begun = replace(informed(story, case.report, case.policy, told=True), begun_by=case.report.article)
    return _raise("first_report", f"first report of {story.name}", begun)


def _known(case: _Case, before: Story, settled: Settled) -> Decision:  # noqa: PLR0911 - one return for each reason
    after, stage = settled.after, case.signal.stage
    rises = not before.reports or rank(stage) > rank(before.stage)
    untold = before.posted and not before.alerted
    found = changes(before, case.report, case.policy)
    reason: Reason = "first_report" if untold else "stage_up" if rises else "material_change"
    told = _said(before, stage, found, rises=rises)
    if not rises and any(repeats(case.report, one) for one in before.reports) and not (untold and after != before):
        return Decision(
            "repeat", f"{case.report.outlet} told it already", after, edits=_shown(before, case) and after != before
        )
    if not (before.posted and case.policy.posted):
        held: Reason | None = "stage_up" if rises else "material_change" if found else None
        return Decision("shadow", _trial(case.policy), informed(after, case.report, case.policy, told=True), held=held)
    if not (rises or found or untold):
        return _corroborated(case, after, f"{_level(before, stage)}{_bridge(settled)}")
    if case.stale:
        return _corroborated(case, after, f"{told or _level(before, stage)}, but {_too_old(case)}")
    if silence := case.silence(rises=rises):
        return Decision("silenced", _held(silence), after, edits=bool(after.alerted), held=reason)
    after = informed(after, case.report, case.policy, told=True)
    if untold:
        return _raise(reason, f"first report of {after.name} that nothing held back", after)
    return _raise(reason, told, after, after.stage if rises else found[0].value)


def _corroborated(case: _Case, after: Story, told: str) -> Decision:
    after = informed(after, case.report, case.policy, told=False)
    return Decision("corroborated", f"{told}; {len(after.outlets)} outlets now", after, edits=bool(after.alerted))


def _said(before: Story, stage: str, found: Sequence[Change], *, rises: bool) -> str:
    """What changed: "preparing → done; 3,000 → 10,000"."""
    rise = [f"{before.stage} → {stage}"] if rises and before.reports else []
    return "; ".join([*rise, *(change.text for change in found)])


def _level(before: Story, stage: Stage) -> str:
    same = rank(stage) == rank(before.stage)
    return "same stage" if same else f"the story is at {before.stage} already"


def _bridge(settled: Settled) -> str:
    if settled.parted:
        return f"; it shows that {settled.parted} is more than one development"
    return f"; it shows that {' and '.join(settled.bridged)} are one development" if settled.bridged else ""


def _denied_unheard(case: _Case, story: Story) -> Decision:
    """A denial of what nobody reported is kept, so that it stands beside the report when that comes."""
    if case.stale:
        return Decision("stale", f"a denial {_too_old(case)}")
    return Decision("denied", "a denial of something never reported", story)


def _denied(case: _Case, before: Story, after: Story) -> Decision:  # noqa: PLR0911 - one return for each reason
    """A denial is posted once. It is no report of the thing, so it leaves stage and sources as they were."""
    edits = _shown(before, case) and after != before
    if not before.reports:
        return Decision("denied", "a denial of something never reported", after)
    if not (before.posted and case.policy.posted):
        return Decision("shadow", _trial(case.policy), after, held=None if before.denials else "disputed")
    if f"{before.id}/disputed" in before.alerted:
        return Decision("repeat", "the dispute is known", after, edits=edits)
    if case.stale:
        return Decision("stale", f"a denial {_too_old(case)}", after, edits=edits)
    if silence := case.silence():
        return Decision("silenced", _held(silence), after, edits=edits, held="disputed")
    if not before.alerted:
        return Decision("denied", "a denial of something that was not told", after)
    return _raise("disputed", f"denied, says {case.report.outlet}", after)


def correct(  # noqa: PLR0911, PLR0913 - one return for each reason; everything a decision may depend on
    signal: Signal | None,
    report: Report,
    policy: Policy,
    story: Story,
    silences: Sequence[Silence],
    now: datetime,
    max_age: timedelta | None,
) -> Decision:
    """The decision on an article that was edited after it had told `story`. `signal`: what it says of it now, None: nothing.

    `report`: what it tells now; where the signal is gone, what it had told.
    """
    before = next((one for one in story.reports if one.article == report.article), None)
    if before is None or (before.withdrawn and signal is None):
        return Decision("repeat", "edited; its report is not among those that are kept", story)
    after = amend(story, report.article, report if signal else None)
    rises = signal is not None and rank(after.stage) > rank(story.stage)
    told = _edited(before, report if signal else None, story, after)
    edits = bool(story.alerted) and after != story
    if not told:
        return Decision("repeat", f"{report.outlet} edited it; what it tells is the same", after, edits=edits)
    if not (story.posted and policy.posted):
        return Decision("shadow", _trial(policy), after, held="corrected")
    mark = hashlib.sha256(report.article.encode("utf-8", "replace")).hexdigest()[:8]
    if not story.alerted or any(alert.endswith(f"/corrected-{mark}") for alert in story.alerted):
        return Decision("corroborated", f"{report.outlet} edited it: {told}", after, edits=edits)
    case = _Case(signal or _silent(story, before), report, policy, silences, now, max_age)
    if case.stale:
        return Decision("stale", f"{told}, but {_too_old(case)}", after, edits=edits)
    if silence := case.silence(rises=rises):
        return Decision("silenced", _held(silence), after, edits=edits, held="corrected")
    if rises:
        return _raise("stage_up", told, informed(after, report, policy, told=True), after.stage)
    after = informed(after, report, policy, told=True) if signal else after
    return _raise("corrected", f"{report.outlet} edited it: {told}", after, mark)


def _silent(story: Story, report: Report) -> Signal:
    """The signal an article no longer tells, as far as silences look at it."""
    evidence = Evidence(report.quote, 0, len(report.quote), report.stage)
    slots = (story.who, story.where or report.where, story.what or report.what)
    return Signal(story.rule, *slots, report.stage, report.certainty, report.flags, (), (), (), evidence, (evidence,))


def _edited(before: Report, now: Report | None, story: Story, after: Story) -> str:
    """What an edit changed in what an article tells; nothing when it tells the same."""
    fallen = f"; the story falls {story.stage} → {after.stage}" if rank(after.stage) < rank(story.stage) else ""
    if now is None:
        return f"it no longer says {before.stage}{fallen}"
    if before.withdrawn:
        return f"it says {now.stage} again"
    found = [f"{before.stage} → {now.stage}{fallen}"] if rank(before.stage) != rank(now.stage) else []
    for counts in dict.fromkeys(figure.counts for figure in before.figures):
        one, other = comparable(before, counts), comparable(now, counts)
        if one and other and one.value != other.value:
            found.append(f"{one.printed} → {other.printed}")
    return "; ".join(found)


def _raise(reason: Reason, detail: str, story: Story, mark: str = "") -> Decision:
    alert = f"{story.id}/{reason}" + (f"-{mark}" if mark else "")
    again = sum(known == alert or known.startswith(f"{alert}.") for known in story.alerted)
    alert += f".{again + 1}" if again else ""
    return Decision(reason, detail, replace(story, alerted=(*story.alerted, alert)), alert, edits=True)


def _shown(story: Story, case: _Case) -> bool:
    """Whether a message of the story stands in the channel and is kept up to date."""
    return bool(story.alerted) and story.posted and case.policy.posted


def _too_old(case: _Case) -> str:
    return f"published {case.report.published[:10]}, older than {case.max_age}"


def _held(silence: Silence) -> str:
    return f"silence {silence.id} by {silence.author}: {silence.comment}"


def _trial(policy: Policy) -> str:
    if policy.posted:
        return "the story began while its rule was on trial"
    return f"the rule is on trial (status {policy.status})"


def fate_of(decisions: Sequence[Decision]) -> Fate:
    """The one fate of an article: the strongest thing that came of it."""
    return min((decision.fate for decision in decisions), key=FATES.index, default="no_signal")
