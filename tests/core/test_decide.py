"""What becomes of a signal, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.core.values import DAY, NOON, policy, report, signal, words
from tocsin.decide import FATES, Decision, Fate, Reason, decide, fate_of
from tocsin.policy import Policy
from tocsin.signal import STAGES, Stage, rank
from tocsin.silence import Silence
from tocsin.story import Story

FIRST = "landing/borduria/syldavia#1"
SHADOW = policy(status="test")
WEEK = timedelta(days=7)


@dataclass
class Desk:
    """Decides on articles as they arrive, and remembers the stories: the pipeline without its table."""

    policy: Policy = field(default_factory=policy)
    silences: Sequence[Silence] = ()
    max_age: timedelta | None = None
    now: datetime = NOON
    stories: dict[str, Story] = field(default_factory=dict)

    def hears(self, name: str, stage: Stage = "preparing", days: float = 0, **changes: Any) -> Decision:
        """The decision on an article that arrives now, published so many days after noon."""
        flags = changes.pop("flags", ())
        heard = signal(stage, flags=flags)
        told = report(name, stage, days, flags=flags, **changes)
        episodes = sorted(self.stories.values(), key=lambda story: -story.episode)
        decision = decide(heard, told, self.policy, episodes, self.silences, self.now, self.max_age)
        self.stories |= {story.id: story for story in decision.changed}
        return decision


def silence(*matchers: tuple[str, str], holds_critical: bool = False) -> Silence:
    """A silence in force."""
    return Silence(
        "s1", matchers or (("rule", "landing"),), NOON - DAY, NOON + DAY, "ana", "an exercise", holds_critical
    )


Step = tuple[str, dict[str, Any]]
PREPARING: Step = ("a1", {})
DONE: Step = ("a2", {"stage": "done"})


@pytest.mark.parametrize(
    ("desk", "before", "step", "reason", "alert", "edits"),
    [
        pytest.param(Desk(), [], PREPARING, "first_report", f"{FIRST}/first_report", True, id="first report"),
        pytest.param(Desk(), [], DONE, "first_report", f"{FIRST}/first_report", True, id="first report, done at once"),
        pytest.param(Desk(), [PREPARING], DONE, "stage_up", f"{FIRST}/stage_up-done", True, id="higher stage"),
        pytest.param(
            Desk(), [PREPARING], ("a2", {"stage": "imminent"}), "stage_up", f"{FIRST}/stage_up-imminent", True, id="imminent"
        ),
        pytest.param(Desk(), [PREPARING], ("a2", {}), "corroborated", None, True, id="same stage"),
        pytest.param(Desk(), [PREPARING], ("a2", {"stage": "planned"}), "corroborated", None, True, id="planned"),
        pytest.param(Desk(), [("a0", {"stage": "planned"})], PREPARING, "corroborated", None, True, id="same rank"),
        pytest.param(Desk(), [DONE], PREPARING, "corroborated", None, True, id="lower stage"),
        pytest.param(Desk(), [DONE], ("a3", {"stage": "imminent"}), "corroborated", None, True, id="stage between"),
        pytest.param(Desk(), [PREPARING], ("a2", {"days": -3}), "corroborated", None, True, id="older article, later"),
        pytest.param(Desk(), [PREPARING], ("a2", {"stage": "done", "days": -3}), "stage_up", f"{FIRST}/stage_up-done", True,
                     id="older article, higher stage"),
        pytest.param(Desk(), [PREPARING], PREPARING, "repeat", None, False, id="same article"),
        pytest.param(Desk(), [PREPARING], ("a9", {"source": "Outlet a1", "text": words("a1")}), "repeat", None, True,
                     id="same outlet, same text"),
        pytest.param(Desk(), [PREPARING], ("a9", {"source": "Outlet a1"}), "corroborated", None, True,
                     id="same outlet, new text"),
        pytest.param(Desk(), [PREPARING], ("a9", {"text": words("a1")}), "corroborated", None, True,
                     id="other outlet, same text"),
        pytest.param(
            Desk(), [PREPARING], ("a9", {"source": "Outlet a1", "text": words("a1"), "stage": "done"}), "stage_up",
            f"{FIRST}/stage_up-done", True, id="same teaser, new headline with a higher stage"),
        pytest.param(Desk(max_age=WEEK), [], ("a1", {"days": -8}), "stale", None, False, id="too old"),
        pytest.param(Desk(max_age=WEEK), [], ("a1", {"days": -7}), "first_report", f"{FIRST}/first_report", True,
                     id="just not too old"),
        pytest.param(Desk(max_age=WEEK), [PREPARING], ("a2", {"days": -8, "stage": "done"}), "corroborated", None, True,
                     id="too old to raise the stage"),
        pytest.param(Desk(silences=[silence()]), [], PREPARING, "silenced", None, False, id="silenced"),
        pytest.param(Desk(silences=[silence(("who", "syldavia"))]), [], PREPARING, "first_report", f"{FIRST}/first_report",
                     True, id="silence on another"),
        pytest.param(Desk(silences=[silence()]), [], DONE, "silenced", None, False, id="first report silenced though critical"),
        pytest.param(Desk(policy=SHADOW), [], PREPARING, "shadow", None, False, id="rule on trial"),
        pytest.param(Desk(policy=SHADOW), [PREPARING], DONE, "shadow", None, False, id="rule on trial, higher stage"),
        pytest.param(Desk(policy=SHADOW), [PREPARING], PREPARING, "repeat", None, False, id="rule on trial, repeat"),
        pytest.param(Desk(policy=policy(status="experimental")), [], PREPARING, "shadow", None, False, id="experimental"),
        pytest.param(Desk(policy=policy(status="deprecated")), [], PREPARING, "first_report", f"{FIRST}/first_report", True,
                     id="deprecated"),
        pytest.param(Desk(), [], ("d1", {"flags": ("denied",)}), "denied", None, False, id="denial of nothing"),
        pytest.param(Desk(), [PREPARING], ("d1", {"flags": ("denied",)}), "disputed", f"{FIRST}/disputed", True, id="denial"),
        pytest.param(Desk(), [PREPARING, ("d1", {"flags": ("denied",)})], ("d2", {"flags": ("denied",)}), "repeat", None, True,
                     id="second denial"),
        pytest.param(Desk(max_age=WEEK), [PREPARING], ("d1", {"flags": ("denied",), "days": -8}), "stale", None, True,
                     id="old denial"),
        pytest.param(Desk(policy=SHADOW), [PREPARING], ("d1", {"flags": ("denied",)}), "shadow", None, False,
                     id="denial of a story on trial"),
        pytest.param(Desk(), [PREPARING, ("d1", {"flags": ("denied",)})], DONE, "stage_up", f"{FIRST}/stage_up-done", True,
                     id="done after all"),
    ],
)  # fmt: skip
def test_decision(desk: Desk, before: list[Step], step: Step, reason: Reason, alert: str | None, edits: bool) -> None:
    """Each signal is decided for one reason, raises one alert or none, and says whether the root changes."""
    desk = replace(desk, stories={})
    for name, changes in before:
        desk.hears(name, **changes)
    decision = desk.hears(step[0], **step[1])
    assert (decision.reason, decision.alert, decision.edits) == (reason, alert, edits)
    assert decision.detail


@pytest.mark.parametrize("held", [False, True], ids=["to critical", "to critical, held"])
@pytest.mark.parametrize("stage", ["imminent", "done"])
def test_a_silence_lets_a_rise_to_critical_pass(held: bool, stage: Stage) -> None:
    """What was silenced at a lower level rings when it turns critical, unless the silence holds even that."""
    desk = Desk()
    desk.hears("a1")
    desk.silences = [silence(holds_critical=held)]
    decision = desk.hears("a2", stage)
    assert decision.reason == ("silenced" if held else "stage_up")
    assert decision.edits
    assert desk.stories[FIRST].stage == stage


def test_a_silence_holds_a_rise_that_is_not_critical() -> None:
    """A rise to a level below critical is held back; the root shows it quietly."""
    desk = Desk(policy=policy(level=(("preparing", "low"), ("done", "high"))))
    desk.hears("a1")
    desk.silences = [silence()]
    decision = desk.hears("a2", "done")
    assert (decision.reason, decision.alert, decision.edits) == ("silenced", None, True)
    assert "silence s1 by ana: an exercise" in decision.detail


def test_a_silence_holds_a_denial() -> None:
    """Who asked for quiet on a story is not told of its denial either."""
    desk = Desk()
    desk.hears("a1")
    desk.silences = [silence()]
    assert desk.hears("d1", flags=("denied",)).reason == "silenced"


def test_the_first_covering_silence_that_holds_is_named() -> None:
    """Of two silences the one that holds the alert back is given as the reason."""
    desk = Desk()
    desk.hears("a1")
    desk.silences = [silence(), replace(silence(holds_critical=True), id="s2")]
    assert "silence s2" in desk.hears("a2", "done").detail


def test_after_a_silence_the_next_report_rings() -> None:
    """A development first told under a silence rings with the first article after it, and then tells of both."""
    desk = Desk(silences=[silence()])
    assert desk.hears("a1").held == "first_report"
    desk.now = NOON + 2 * DAY
    decision = desk.hears("a2")
    assert (decision.reason, decision.alert) == ("first_report", f"{FIRST}/first_report")
    assert desk.stories[FIRST].articles == 2


def test_under_a_silence_no_message_appears_or_changes() -> None:
    """While a silence holds a story back nothing of it is shown, however many outlets tell it."""
    desk = Desk(silences=[silence()])
    decisions = [desk.hears("a1"), desk.hears("a2"), desk.hears("a3", "done", source="Outlet a1", text=words("a1"))]
    assert [(one.reason, one.edits, one.held) for one in decisions[:2]] == [("silenced", False, "first_report")] * 2
    assert (decisions[2].reason, decisions[2].alert) == ("first_report", f"{FIRST}/first_report")  # it turned critical


def test_a_rule_put_on_trial_falls_silent_at_once() -> None:
    """A rule that is demoted posts nothing more, not even for the stories it had posted."""
    desk = Desk()
    desk.hears("a1")
    desk.policy = SHADOW
    decisions = [
        desk.hears("a2", "done"),
        desk.hears("a9", source="Outlet a1", text=words("a1")),
        desk.hears("d", flags=("denied",)),
    ]
    assert [(one.alert, one.edits) for one in decisions] == [(None, False)] * 3


def test_a_story_begun_on_trial_stays_unposted() -> None:
    """A rule that is promoted does not ring in the middle of a story whose root was never posted, and says so."""
    desk = Desk(policy=SHADOW)
    desk.hears("a1")
    desk.policy = policy()
    decision = desk.hears("a2", "done")
    assert (decision.reason, decision.alert, decision.edits) == ("shadow", None, False)
    assert "began while its rule was on trial" in decision.detail


def test_a_denial_is_kept_with_the_story_and_changes_nothing_else() -> None:
    """The denial is there to be quoted, but it is no report: stage and sources stay as they were."""
    desk = Desk()
    before = desk.hears("a1").story
    after = desk.hears("d1", "done", 9, flags=("denied",)).story
    assert before
    assert after
    assert [denial.article for denial in after.denials] == ["d1"]
    assert replace(after, denials=(), alerted=before.alerted, last_seen=before.last_seen) == before


def test_a_denial_that_comes_before_the_report_stands_beside_it() -> None:
    """A denial of what nobody reported rings nothing; the report that follows does, and shows that it is denied."""
    desk = Desk()
    assert desk.hears("d1", flags=("denied",)).reason == "denied"
    decision = desk.hears("a1", days=1)
    assert (decision.reason, decision.alert) == ("first_report", f"{FIRST}/first_report")
    assert desk.stories[FIRST].denials


@pytest.mark.parametrize(
    ("days", "story", "previous"),
    [
        pytest.param(60, f"{FIRST[:-1]}1", "", id="within the episode"),
        pytest.param(61, f"{FIRST[:-1]}2", FIRST, id="after quiet_for"),
    ],
)
def test_a_new_episode_links_the_old_one(days: float, story: str, previous: str) -> None:
    """After `quiet_for` the same identity is a new story, which names the one before."""
    desk = Desk()
    desk.hears("a1")
    told = desk.hears("a2", days=days).story
    assert told
    assert (told.id, told.previous) == (story, previous)


def test_a_new_episode_rings_again() -> None:
    """A new story raises an alert of its own at any stage, even below that of the last one."""
    desk = Desk()
    desk.hears("a1", "done")
    assert desk.hears("a2", days=61).alert == f"{FIRST[:-1]}2/first_report"


def test_a_late_article_joins_its_own_episode() -> None:
    """An article of an earlier episode that arrives late corroborates that one, and the later one stays as it is."""
    desk = Desk()
    desk.hears("a1")
    desk.hears("a2", "done", 100)
    late = desk.hears("a3", "preparing", 3)
    assert late.reason == "corroborated"
    assert late.story
    assert (late.story.id, late.story.articles) == (FIRST, 2)
    assert desk.stories[f"{FIRST[:-1]}2"].articles == 1


def test_a_third_episode_follows_the_second() -> None:
    """Episodes are numbered one after the other, and each links the last."""
    desk = Desk()
    for number in range(3):
        desk.hears(f"a{number}", days=number * 100)
    assert [story.previous for story in desk.stories.values()] == ["", FIRST, f"{FIRST[:-1]}2"]


def test_a_stage_alerts_once() -> None:
    """However many outlets tell of a stage, one alert is raised for it."""
    desk = Desk()
    stages: list[Stage] = ["planned", "preparing", "imminent", "imminent", "preparing", "done", "done", "imminent"]
    alerts = [desk.hears(f"a{number}", stage).alert for number, stage in enumerate(stages)]
    assert [alert.rpartition("/")[2] for alert in alerts if alert] == [
        "first_report",
        "stage_up-imminent",
        "stage_up-done",
    ]


@given(some.lists(some.sampled_from(STAGES), min_size=1, max_size=6), some.randoms())
def test_never_two_alerts_for_one_stage_in_any_order(stages: list[Stage], chance: Any) -> None:
    """In any order of arrival each alert rises above the last, and the story ends at the furthest stage."""
    desk = Desk()
    heard = [(f"a{number}", stage, chance.randrange(5)) for number, stage in enumerate(stages)]
    decisions = [desk.hears(*one) for one in heard]
    ranks = [rank(stage) for (_, stage, _), decision in zip(heard, decisions, strict=True) if decision.alert]
    assert ranks == sorted(set(ranks))
    assert rank(desk.stories[FIRST].stage) == max(map(rank, stages)) == max(ranks)
    assert len(set(desk.stories[FIRST].alerted)) == len(ranks)


def test_the_order_of_arrival_changes_nothing_but_the_history() -> None:
    """Reports, reprints and a denial in any order end in one story, but for the alerts it raised on the way."""
    arrivals: list[tuple[str, dict[str, Any]]] = [
        ("a1", {}),
        ("a2", {"stage": "done", "days": 2}),
        ("a3", {"stage": "planned", "days": -1}),
        ("a4", {"days": 5, "source": "Outlet a1", "text": words("a1")}),
    ]
    arrivals.append(("d1", {"days": 3, "flags": ("denied",)}))
    ends = set()
    for order in permutations(arrivals):
        desk = Desk()
        for name, changes in order:
            desk.hears(name, **changes)
        ends.add(replace(desk.stories[FIRST], alerted=(), begun_by="", told=()))
    assert len(ends) == 1


def test_every_change_of_the_story_is_shown() -> None:
    """Whenever what a posted story tells has changed, the root is edited: no message lags behind its story."""
    desk = Desk()
    for number in range(40):
        before = desk.stories.get(FIRST)
        stage = STAGES[number % 4]
        decision = desk.hears(f"a{number}", stage, number % 7, source=f"O{number % 5}", text=words(str(number % 3)))
        assert decision.edits or decision.story == before


@pytest.mark.parametrize(
    ("reasons", "fate"),
    [
        pytest.param([], "no_signal", id="no signal"),
        pytest.param(["corroborated", "first_report"], "alerted", id="one alert is enough"),
        pytest.param(["disputed", "corroborated"], "updated", id="a dispute is an update"),
        pytest.param(["stage_up"], "updated", id="so is a stage"),
        pytest.param(["silenced", "shadow"], "silenced", id="silenced before shadow"),
        pytest.param(["stale", "repeat"], "stale", id="stale before duplicate"),
        pytest.param(["repeat", "denied"], "duplicate", id="duplicate before nothing"),
        pytest.param(["denied"], "no_signal", id="a denial of nothing"),
    ],
)
def test_the_fate_of_an_article(reasons: list[Reason], fate: Fate) -> None:
    """An article has one fate, the strongest of what its signals brought about."""
    assert fate_of([Decision(reason, "") for reason in reasons]) == fate
    assert fate_of([Decision(reason, "") for reason in reversed(reasons)]) == fate


def test_every_fate_has_its_rank() -> None:
    """The fates are these, from the strongest."""
    assert FATES == (
        "alerted", "updated", "corroborated", "silenced", "shadow", "stale", "duplicate", "no_signal", "rejected",
    )  # fmt: skip
