"""`tocsin status`: one screen about the deployed stack."""

from __future__ import annotations

import json
from datetime import timedelta

import boto3
import pytest

from tests.system import ROOT, STACK, System, World, row_of, seed_articles, system, tocsin
from tocsin.adapters.estimate import PRICES, figures
from tocsin.adapters.stack import spending_of
from tocsin.article import Article
from tocsin.cursor import Cursor
from tocsin.health import Health
from tocsin.pipeline.digest import count_silent
from tocsin.subscription import Subscription


def test_the_screen_tells_how_the_stack_is_doing(deployed: System) -> None:
    """An idle stack is said to read nothing; one that works tells what it read and rang, and which feed is not well."""
    idle = tocsin("status", "--stack-name", STACK)
    assert (idle.code, "no article for a day" in idle.out, "last poll     never" in idle.out) == (1, True, True)
    feeds = feed_list(deployed)
    text = "Turkey is preparing to send more troops to Syria, officials said."
    deployed.send(row_of(Article("one", text, "Turkey readies troops", "Outlet", "", deployed.now)))
    deployed.pump.drain()
    deployed.move(minutes=5)
    count(deployed, "AWS/DynamoDB", "ConsumedWriteCapacityUnits", 400_000, TableName=deployed.stack.physical("Table"))
    asked: list[str] = []
    boto3.setup_default_session()
    events = boto3._get_default_session().events  # noqa: SLF001 - what counts the calls of all clients made from here on
    events.register("before-call.cloudformation", lambda model, **_: asked.append(model.name))
    ran = tocsin("status", "--stack-name", STACK)
    assert sorted(asked) == ["DescribeStacks", "ListStackResources"]  # each once
    assert (ran.code, ran.err) == (0, "")
    for part in (
        "last article  2025-03-01 09:00 UTC (5 min ago); 1 in 7 days",
        "last alert    2025-03-01 09:00 UTC (5 min ago); 1 in 7 days",
        "undelivered   0; 0 of unknown outcome",
        "dead letters  all empty",
        "feeds         2, of which 1 are not well",
        "dead: does not answer, since 2025-02-27 09:00 UTC",
        "silences      0 in force",
        "cost          about 0.25 USD this month, 20.48 expected",  # nine hours of it have passed
        "account       its bill is not known: the stack has no budget",
        "look at       nothing",
    ):
        assert part in ran.out
    (row,) = tocsin("status", "--stack-name", STACK, "--format", "ndjson").rows
    assert (row["alerts"], row["stories"], row["look_at"], list(row["failing_feeds"])) == (1, 1, [], [feeds[0]])


@pytest.mark.parametrize(
    ("given", "mend"),
    [
        ({"SlackTokenSecret": "/absent"}, "; the secret /absent cannot be read: it does not exist; tocsin slack token /absent"),
        ({"SlackChannel": "C0WRONG"}, "; give the channel's id"),
    ],
)  # fmt: skip
def test_why_an_alert_waits_is_told_with_what_to_do(
    given: dict[str, str], mend: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secret that is absent and a channel there is not are named by the log and on the screen, each with what to do."""
    with system(**given) as running:
        running.name_outputs()
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
        text = "Turkey is preparing to send more troops to Syria, officials said."
        running.send(row_of(Article("one", text, "Turkey readies troops", "Outlet", "", running.now)))
        running.pump.drain()
        running.move(minutes=20)
        ran = tocsin("status", "--stack-name", STACK)
    waits = [record.getMessage() for record in caplog.records if "AlertWaits" in record.getMessage()]
    assert waits
    assert all(mend in one for one in waits)
    assert (ran.code, mend in ran.out) == (1, True)


def count(system: System, namespace: str, name: str, value: float, **of: str) -> None:
    """Has CloudWatch count something."""
    dimensions = [{"Name": each, "Value": told} for each, told in of.items()]
    data = [
        {"MetricName": name, "Dimensions": dimensions, "Value": value, "Timestamp": system.now - timedelta(hours=1)}
    ]
    system.stack.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=data)


def test_a_function_costs_its_seconds_and_calls() -> None:
    """What is counted has the list price: a million calls of a function of 512 MB, of 100 ms each, and a million messages; those of `make cost`."""
    counted = {(one.name, *dict(one.dimensions).values()): one.price for one in figures({"f": 512}, ["q"], "t")}
    assert counted["Duration", "f"] * 1e6 * 100 == pytest.approx(0.5 * 0.1 * 13.3334)
    assert (counted["Invocations", "f"] * 1e6, counted["NumberOfMessagesSent", "q"] * 1e6) == pytest.approx((0.2, 0.4))
    listed = json.loads((ROOT / "bench" / "prices.json").read_text(encoding="utf-8"))["unit"]
    assert {name: listed[name] for name in PRICES} == PRICES


def feed_list(system: System) -> list[str]:
    """Two feeds, the first of which fails since two days."""
    from tocsin.adapters.feed_table import FeedTable

    table = FeedTable(system.stack.client("dynamodb"), system.stack.physical("Table"))
    subscriptions = [
        Subscription(f"{name}.example.org/feed", f"https://{name}.example.org/feed", name) for name in ("one", "two")
    ]
    for one in subscriptions:
        table.add(one, system.now + timedelta(days=1))
    since = (system.now - timedelta(days=2)).timestamp()
    table.save(Cursor(subscriptions[0].id, health=Health(failing="dead", what="does not answer", since=since)))
    return [one.id for one in subscriptions]


def test_an_unknown_stack_is_said(deployed: System) -> None:
    """A stack that is not there is one clear line."""
    ran = tocsin("status", "--stack-name", "nowhere")
    assert (ran.code, deployed.stack.name in ran.err) == (3, False)
    assert "name the stack with --stack-name" in ran.err


@pytest.mark.parametrize(("forecast", "expected"), [({"ForecastedSpend": {"Amount": "4.5"}}, 4.5), ({}, None)])
def test_a_budget_tells_the_month(forecast: dict[str, object], expected: float | None) -> None:
    """What AWS says of a budget, with and without a forecast."""
    budget = {
        "BudgetLimit": {"Amount": "10"},
        "CalculatedSpend": {"ActualSpend": {"Amount": "1.25"}, **forecast},
    }
    found = spending_of(budget)
    assert (found.spent, found.forecast, found.limit) == (1.25, expected, 10.0)


def test_what_is_read_and_rung_is_counted(world: World) -> None:
    """Articles count once they are done with, alerts when they are raised; a repost raises none. Those without a signal are counted the next morning."""
    first, *others = seed_articles()
    world.arrive(first)
    world.arrive(first, *others)
    for _ in range(2):  # a batch that comes twice
        world.arrive(*(Article(name, f"The mayor opened a bakery in {name}.") for name in ("Rome", "Oslo")))
    (tally,) = world.table.tallies(["2025-03-01"])
    assert (tally.articles, tally.alerts, tally.silent) == (6, 5, None)
    for _ in range(2):
        count_silent(world.table, world.archive, world.clock() + timedelta(days=1))
    (tally,) = world.table.tallies(["2025-03-01"])
    assert (tally.read, tally.silent) == (8, 2)
    assert tally.last_alert == world.clock().isoformat()
