"""Routes: where an alert goes, when it waits, and what is said of a file that is wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.marching import RULE
from tests.system import RULES, rule_set, tocsin
from tocsin.errors import RuleFaults
from tocsin.packing import Draft
from tocsin.routefile import load, matcher
from tocsin.routes import Facts, Routes, everything_to
from tocsin.rules import ROUTES, Loaded

ROUTED = """
receivers:
  - {name: desk, channel: default}
  - {name: korea, channel: C0KOREA, fallback: watch}
  - {name: watch, channel: C0WATCH, fallback: desk}
  - {name: tests, channel: C0TESTS}
route:
  receiver: desk
  routes:
    - matchers: [who = north-korea | south-korea]
      receiver: korea
      mute_time_intervals: [nights, sundays]
      routes:
        - {receiver: tests, matchers: [rule = nuclear-test-preparation, stage >= imminent]}
        - {matchers: [what != icbm, level <= low]}
    - {receiver: watch, matchers: [level >= high]}
time_intervals:
  - name: nights
    time_intervals:
      - {times: [{start_time: "22:00", end_time: "24:00"}, {start_time: "00:00", end_time: "06:00"}], location: Europe/Berlin}
  - name: sundays
    time_intervals:
      - {weekdays: [sunday]}
"""


def routed(folder: Path, text: str = ROUTED) -> Routes:
    """The routes of a folder with this file, for the rules of the checkout."""
    (folder / ROUTES).write_text(text, encoding="utf-8")
    models: Any = {rule.policy.name: None for rule in rule_set().rules}
    return load(folder, Loaded(models, _draft())).to("C0DESK")


def _draft() -> Draft:
    rules = rule_set()
    return Draft("", "", tuple(rules.rules), rules.lists, {}, printed=rules.printed)


NOON = datetime(2025, 3, 3, 12, tzinfo=UTC)
"""A Monday."""


@pytest.mark.parametrize(
    ("facts", "receiver", "channels"),
    [
        (Facts("arms-transfer", "low", "france"), "desk", ["C0DESK"]),
        (Facts("arms-transfer", "high", "france"), "watch", ["C0WATCH", "C0DESK"]),
        (Facts("arms-transfer", "critical", "south-korea"), "korea", ["C0KOREA", "C0WATCH", "C0DESK"]),
        (Facts("nuclear-test-preparation", "high", "north-korea", stage="done"), "tests", ["C0TESTS"]),
        (Facts("nuclear-test-preparation", "high", "north-korea", stage="preparing"), "korea", ["C0KOREA", "C0WATCH", "C0DESK"]),
        (Facts("nuclear-test-preparation", "high", "iran", stage="done"), "watch", ["C0WATCH", "C0DESK"]),
        (Facts("arms-transfer", "", ""), "desk", ["C0DESK"]),
    ],
    ids=str,
)  # fmt: skip
def test_the_first_route_that_matches_takes_the_alert(
    tmp_path: Path, facts: Facts, receiver: str, channels: list[str]
) -> None:
    """Of the routes in a route the first whose matchers all hold takes the alert, and so on inside it."""
    (place,) = routed(tmp_path).places(facts, NOON)
    assert (place.receiver, list(place.channels)) == (receiver, channels)


def test_a_route_that_goes_on_lets_those_after_it_be_tried(tmp_path: Path) -> None:
    """With `continue` an alert has a place in each channel that is found, in their order, and each only once."""
    text = ROUTED.replace("receiver: korea\n", "receiver: korea\n      continue: true\n", 1)
    routes = routed(tmp_path, text.replace("level <= low]}", "level <= low], continue: true}"))
    places = routes.places(Facts("arms-transfer", "high", "north-korea"), NOON)
    assert [place.receiver for place in places] == ["korea", "watch"]
    assert [place.receiver for place in routes.places(Facts("arms-transfer", "low", "north-korea"), NOON)] == ["korea"]
    assert [place.receiver for place in routes.places(Facts("arms-transfer", "high", "france"), NOON)] == ["watch"]
    assert (routes.several, routed(tmp_path).several) == (True, False)


@pytest.mark.parametrize(
    ("when", "level", "until"),
    [
        ("2025-03-03T12:00", "high", None),
        ("2025-03-03T20:59", "high", None),
        ("2025-03-03T21:00", "high", "2025-03-04T05:00"),
        ("2025-03-04T04:59", "high", "2025-03-04T05:00"),
        ("2025-03-04T05:00", "high", None),
        ("2025-03-03T23:00", "critical", None),
        ("2025-07-01T20:00", "high", "2025-07-02T04:00"),
        ("2025-03-01T22:00", "high", "2025-03-02T05:00"),
        ("2025-03-02T12:00", "high", "2025-03-03T05:00"),
        ("2025-03-30T00:30", "high", "2025-03-31T04:00"),
    ],
)
def test_a_muted_interval_holds_until_its_end(tmp_path: Path, when: str, level: str, until: str | None) -> None:
    """What lies in muted hours of a time zone waits until the last of those that join is over; critical does not wait."""
    now = datetime.fromisoformat(when).replace(tzinfo=UTC)
    (place,) = routed(tmp_path).places(Facts("arms-transfer", level, "north-korea"), now)
    told = place.muted_until.isoformat()[:16] if place.muted_until else None
    if when.startswith("2025-03-01"):
        assert told == "2025-03-03T05:00"  # Saturday night runs into Sunday, and that into its night
    else:
        assert told == until


def test_hours_that_mute_always_end_some_day(tmp_path: Path) -> None:
    """Even who mutes every hour of the week is told in the end."""
    routes = routed(tmp_path, ROUTED.replace("{weekdays: [sunday]}", "{weekdays: [monday:sunday]}"))
    (place,) = routes.places(Facts("arms-transfer", "high", "north-korea"), NOON)
    assert place.muted_until is not None
    assert 14 <= (place.muted_until - NOON).days <= 16


def test_without_the_file_everything_goes_to_the_deployments_channel(tmp_path: Path) -> None:
    """A folder of rules needs no routes; the routes that are shipped say the same."""
    models: Any = {}
    loaded = Loaded(models, _draft())
    assert load(tmp_path, loaded).to("C0DESK") == load(RULES, loaded).to("C0DESK") == everything_to("C0DESK")


WRONG = {
    "a receiver": ("receiver: watch, matchers", "receiver: wach, matchers", "no receiver 'wach', did you mean 'watch'?"),
    "a fallback": ("fallback: desk}", "fallback: dusk}", "no receiver 'dusk', did you mean 'desk'?"),
    "a circle": ("{name: desk, channel: default}", "{name: desk, channel: default, fallback: korea}", "leads back"),
    "an interval": ("[nights, sundays]", "[nights, sunday]", "no time interval 'sunday', did you mean 'sundays'?"),
    "a field": ("receiver: korea", "reciever: korea", "unknown field 'reciever', did you mean 'receiver'?"),
    "a matcher": ("level >= high", "level > high", "is no condition; write one like"),
    "a name": ("level >= high", "levle >= high", "an alert has no 'levle'"),
    "a value": ("who = north-korea", "who = nort-korea", "no who 'nort-korea', did you mean 'north-korea'?"),
    "a rule": ("nuclear-test-preparation", "nuclear-test", "there is no rule 'nuclear-test'"),
    "a level": ("level >= high", "level >= hihg", "there is no level 'hihg'"),
    "an order": ("what != icbm", "what >= icbm", ">= compares level or stage"),
    "a channel": ("C0WATCH", "'#watch'", "'#watch' is no channel; write its id"),
    "a time": ('"22:00"', '"25:00"', "no time of day"),
    "hours": ('end_time: "24:00"', 'end_time: "21:00"', "end before they begin"),
    "a zone": ("Europe/Berlin", "Europe/Berlim", "there is no time zone 'Europe/Berlim'"),
    "a day": ("[sunday]", "[sonday]", "neither a day nor days"),
    "days": ("[sunday]", "[sunday:monday]", "runs backwards"),
    "continue": ("route:\n  receiver: desk", "route:\n  receiver: desk\n  continue: true", "no others after it"),
    "no receiver": ("route:\n  receiver: desk", "route:\n  mute_time_intervals: []", "the first route needs a receiver"),
    "two": ("{name: tests, channel: C0T", "{name: watch, channel: C0T", "the name 'watch' is here twice"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_refused_with_its_place(tmp_path: Path, name: str) -> None:
    """Whatever is wrong in the file is told with file, line, column and how to mend it, when it is loaded."""
    old, new, what = WRONG[name]
    text = ROUTED.replace(old, new, 1)
    line = text[: text.index(new) + len(new)].count("\n") + 1
    with pytest.raises(RuleFaults) as caught:
        routed(tmp_path, text)
    told = [str(fault) for fault in caught.value.faults]
    assert any(f"{tmp_path.name}/{ROUTES}:{line}:" in one and what in one for one in told), told


def test_a_matcher_prints_as_it_is_written() -> None:
    """What is shown as the reason of a route can be put into the file."""
    for text in ("level >= high", "who = iran | israel", "what != icbm"):
        assert str(matcher(text)) == str(matcher(text.replace(" ", ""))) == text


def test_the_command_shows_where_an_alert_would_go_and_why(small: Path) -> None:
    """`tocsin routes test` names receiver, channels, the matchers on the way and what mutes it."""
    alert = ("--who", "north-korea", "--level", "high", "--at", "2025-03-03T23:00")
    ran = tocsin("routes", "test", "--rules", small, *alert)
    assert (ran.code, ran.out.splitlines()) == (0, [
        "level high, who north-korea",
        "  goes to korea: channel C0KOREA, then C0WATCH, then default",
        "    everything → desk",
        "      who = north-korea | south-korea → korea",
        "  waits: nights mutes it until 2025-03-04 05:00 UTC; critical would pass",
    ])  # fmt: skip


def test_the_command_takes_articles(small: Path) -> None:
    """The alerts of an article are shown where they would go."""
    ran = tocsin(
        "routes",
        "test",
        "--rules",
        small,
        "--format",
        "ndjson",
        "-",
        stdin=b"North Korea marched its host into the plain.",
    )
    (row,) = ran.rows
    assert (row["receiver"], row["alert"]) == (
        "tests",
        {"rule": "marching", "level": "high", "who": "north-korea", "stage": "done"},
    )


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--who", "nort-korea"], "did you mean 'north-korea'?"),
        (["--rule", "marchin"], "did you mean 'marching'?"),
        (["--level", "high", "seeds"], "not both"),
    ],
)
def test_the_command_says_what_it_cannot_take(small: Path, given: list[str], told: str) -> None:
    """A misspelt name is an error with a proposal, not another receiver."""
    ran = tocsin("routes", "test", "--rules", small, *given)
    assert (ran.code, told in ran.err) == (3, True)


def test_check_reads_the_routes(small: Path) -> None:
    """`tocsin check` and `tocsin routes test` refuse a file that names nobody, with its place."""
    path = small / ROUTES
    path.write_text(path.read_text().replace("receiver: watch, matchers", "receiver: wach, matchers"), encoding="utf-8")
    checked, tested = tocsin("check", "--rules", small), tocsin("routes", "test", "--rules", small)
    assert (checked.code, tested.code) == (1, 2)
    assert f"rules/{ROUTES}:16:8: there is no receiver 'wach'" in checked.out
    assert f"rules/{ROUTES}:16:8: there is no receiver 'wach'" in tested.err


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A folder of one rule, with the routes above."""
    folder = tmp_path / "rules"
    (folder / "lists").mkdir(parents=True)
    names = [("north-korea", "North Korea"), ("south-korea", "South Korea")]
    rows = "".join(f"  - {{slug: {slug}, name: {name}, names: [{name}]}}\n" for slug, name in names)
    (folder / "lists" / "realms.yaml").write_text(f"list: realms\nkind: names\nentries:\n{rows}", encoding="utf-8")
    (folder / "marching.yaml").write_text(RULE.replace("experimental", "stable"), encoding="utf-8")
    text = ROUTED.replace("nuclear-test-preparation", "marching").replace("what != icbm", "who != south-korea")
    (folder / ROUTES).write_text(text, encoding="utf-8")
    return folder
