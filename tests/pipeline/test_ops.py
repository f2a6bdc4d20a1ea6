"""What is told of the running of Tocsin: figures for the alarms, and alarms in the channel."""

from __future__ import annotations

import json
import logging
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.local.slack import DropAfter, ErrorCode
from infra.replay import CHANNEL
from tests.system import System, World, seed_articles
from tests.twins import fails
from tocsin.adapters.alarms import bulletin_of
from tocsin.adapters.metrics import LogMeter
from tocsin.adapters.traces import VARIABLE, traced
from tocsin.errors import Rejected, Unknown
from tocsin.pipeline.backlog import measure
from tocsin.pipeline.digest import want_heartbeat
from tocsin.ports import Bulletin

ALARM = json.loads((Path(__file__).parents[1] / "events" / "sns-alarm.json").read_text(encoding="utf-8"))


class Told:
    """A `Meter` that remembers the last values of each figure."""

    def __init__(self) -> None:
        self.figures: dict[str, list[float]] = {}

    def __call__(self, **values: Any) -> None:
        """See `Meter`."""
        self.figures |= {name: list(some) for name, some in values.items()}


def measured(world: World) -> dict[str, list[float]]:
    """The figures of a moment."""
    told = Told()
    measure(world.table, told, world.clock())
    return told.figures


# Figures


def test_a_figure_is_one_line_of_embedded_metrics(world: World) -> None:
    """What CloudWatch reads: names with units, the stack as dimension, the moment in milliseconds, the values beside it."""
    lines: list[str] = []
    meter = LogMeter("desk", world.clock, lines.append)
    meter(OldestAlert=[12.5], UnknownOutcomes=[2])
    meter(FailedPolls=[])
    (line,) = map(json.loads, lines)
    assert line == {
        "_aws": {
            "Timestamp": int(world.clock().timestamp() * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": "Tocsin",
                    "Dimensions": [["Stack"]],
                    "Metrics": [
                        {"Name": "OldestAlert", "Unit": "Seconds"},
                        {"Name": "UnknownOutcomes", "Unit": "Count"},
                    ],
                }
            ],
        },
        "Stack": "desk",
        "OldestAlert": [12.5],
        "UnknownOutcomes": [2],
    }


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0", "1-5759e988-bd862e3fe1be46a994272793"),
        ("Sampled=1", None),
        ("", None),
    ],
)  # fmt: skip
def test_a_line_of_the_log_names_its_trace(
    told: str, found: str | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What the runtime says of a call's trace goes with every line, recorded or not; what it does not say is missing."""
    monkeypatch.setenv(VARIABLE, told)
    logging.getLogger("tocsin").addFilter(traced)  # as `tocsin.adapters.aws` does
    logging.getLogger("tocsin").warning("a line")
    assert [record.__dict__["trace"] for record in caplog.records] == [found]


def test_the_oldest_alert_is_counted_from_when_it_was_wanted(world: World) -> None:
    """However often an alert is tried again, it is as old as the wish for it; once it is delivered nothing waits."""
    world.slack.twists["post"].extend([fails(Rejected("auth", "invalid_auth"))] * 6)
    world.arrive(seed_articles()[0])
    world.deliver()
    world.sweep(6)
    assert measured(world)["OldestAlert"] == [360.0]
    world.sweep(30)
    assert measured(world) == {"OldestAlert": [0.0], "UnknownOutcomes": [0]}


def test_outcomes_nobody_knows_are_counted(world: World) -> None:
    """An alert of unknown outcome is counted until it is settled."""
    world.slack.twists["post"].append(fails(Unknown("timeout"), effect=True))
    world.arrive(seed_articles()[0])
    world.deliver()
    assert measured(world)["UnknownOutcomes"] == [1]
    world.sweep(10)
    assert measured(world)["UnknownOutcomes"] == [0]


def test_notices_that_wait_for_their_hour_are_not_late(world: World) -> None:
    """What is not due yet does not count as waiting."""
    world.table.announce("later", Bulletin("Later", ()), world.clock() + timedelta(hours=1))
    assert measured(world)["OldestAlert"] == [0.0]


def test_dead_letters_are_told_by_queue(on_moto: System) -> None:
    """Letters of every queue are one figure; the channel reads which queue holds some, once a day of each."""
    sqs, counted = on_moto.stack.client("sqs"), [letters(on_moto)]
    for queue in ("ArticleDeadLetters", "ArticleDeadLetters", "FeedDeadLetters"):
        sqs.send_message(QueueUrl=on_moto.stack.physical(queue), MessageBody="a letter")
        counted.append(letters(on_moto))
    assert counted == [0, 1, 2, 3]
    one, other = (message.text for message in on_moto.slack.messages(CHANNEL))
    assert "ArticleDeadLetters holds 1 message" in one
    assert "docs/operate.md#feeddeadletters" in other
    on_moto.move(days=1)
    letters(on_moto)
    assert any("ArticleDeadLetters holds 2 messages" in message.text for message in on_moto.slack.messages(CHANNEL))


# The heartbeat


def test_once_a_week_it_says_that_it_lives(world: World) -> None:
    """After a week the channel reads what was read and rung in it, once, however often and however late that is asked for."""
    world.arrive(*seed_articles())
    world.clock.now = world.clock.now.replace(month=3, day=4, hour=6)  # a Tuesday: the Monday was missed
    assert [want_heartbeat(world.table, world.clock()) for _ in range(3)] == [True, False, False]
    world.deliver()
    (shown,) = [one for one in world.slack.standing if one.alert == "ops/heartbeat-2025-02-24"]
    assert "From 2025-02-24 to 2025-03-02: 5 articles read, 5 alerts rung." in shown.message.text
    assert "Nothing was read on 2025-02-24, 2025-02-25" in shown.message.text
    world.clock.now = world.clock.now.replace(day=10)
    assert want_heartbeat(world.table, world.clock())


# Alarms in the channel


def test_an_alarm_is_told_in_the_channel_once(on_moto: System) -> None:
    """An alarm that SNS brings twice is one message, with what is wrong and where the runbook says what to do."""
    for _ in range(2):
        on_moto.pump.call("Ops", ALARM)
        on_moto.pump.drain()
    (message,) = on_moto.slack.messages(CHANNEL)
    for part in (
        "Alarm: tocsin-ArticleDeadLettersAlarm-XYZ",
        "Detect gave up an article",
        "docs/operate.md#articledeadlettersalarm",
    ):
        assert part in message.text
    on_moto.pass_time(1)
    assert figures(on_moto) == (0, 0)


def test_the_table_tells_how_far_behind_delivery_is(on_moto: System) -> None:
    """Sweep's figures on the deployed table: how long what Slack refuses has waited, and posts of unknown outcome."""
    on_moto.slack.fail_next("chat.postMessage", ErrorCode("channel_not_found"))
    on_moto.pump.call("Ops", ALARM)
    on_moto.pump.drain()
    on_moto.pass_time(2)
    assert figures(on_moto) == (120, 0)
    on_moto.slack.fail_next("chat.postMessage", DropAfter())
    on_moto.pass_time(5)
    assert figures(on_moto)[1] == 1
    on_moto.pass_time(5)
    assert figures(on_moto) == (0, 0)


def letters(system: System) -> float:
    """How many letters Ops counts now; what it has to say is delivered."""
    system.pump.fire("Ops")
    system.pump.drain()
    told: float = json.loads(system.pump.printed("Ops")[-1])["DeadLetters"][0]
    return told


def figures(system: System) -> tuple[float, float]:
    """What Sweep told last: the age of the oldest alert, and how many outcomes nobody knows."""
    line = json.loads(system.pump.printed("Sweep")[-1])
    assert line["Stack"] == system.stack.name
    return line["OldestAlert"][0], line["UnknownOutcomes"][0]


@pytest.mark.parametrize(
    ("message", "title", "lines"),
    [
        ("You asked for it.\n\nIt was passed.", "A subject", ("You asked for it.", "It was passed.")),
        ('{"AlarmName": "a", "NewStateValue": "OK"}', "Ok: a", ("There is no description.",)),
        ("[1, 2]", "A subject", ("[1, 2]",)),
        ("x\n" * 100, "A subject", ("x",) * 12),
    ],
)
def test_whatever_the_topic_tells_is_passed_on(message: str, title: str, lines: tuple[str, ...]) -> None:
    """A notice that is no alarm, such as one of a budget, is told in its own words, as far as they fit."""
    record = deepcopy(ALARM["Records"][0])
    record["Sns"] |= {"Message": message, "Subject": "A subject"}
    name, bulletin = bulletin_of(record)
    assert (bulletin.title, bulletin.lines) == (title, lines)
    assert record["Sns"]["MessageId"] in name


def test_what_an_alarm_says_can_neither_ping_nor_link(world: World) -> None:
    """The words of an alarm are text: nobody is pinged by them."""
    world.table.announce("odd", Bulletin("<!channel>", ("<https://example.org|click> *now*",), "high"), world.clock())
    world.deliver()
    (shown,) = world.slack.standing
    told = json.dumps([shown.message.text, shown.message.blocks])
    assert "<!channel>" not in told
    assert "<https" not in told
