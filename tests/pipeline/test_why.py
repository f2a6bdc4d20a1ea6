"""`tocsin why` and `tocsin silence`: on a replay, and on a stack made on moto."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.system import SEEDS, STACK, System, World, row_of, rule_set, seed_articles, tocsin
from tocsin.article import Article
from tocsin.errors import InputFault
from tocsin.memory import Kept
from tocsin.why import answer

PREPARING, _, DISPATCH, PREPARING_TOO, _ = seed_articles()
STORY = "additional-deployment/north-korea/russia#1"
URL = "https://news.example/weather"
SILENT = Article("calm", "The weather stays mild until Friday.", "Weather", "Outlet", URL, PREPARING.published)


@pytest.fixture
def told(world: World) -> World:
    """A world in which the seeds and a silent article arrived."""
    world.arrive(*seed_articles(), SILENT)
    return world


def asked(world: World, target: str, other: str | None = None) -> str:
    """The answer on the twins."""
    return "\n".join(answer(target, other, Kept(world.table, world.archive), rule_set().policy))


def test_why_an_article_was_told(told: World) -> None:
    """An article's answer names its fate, each signal with its decision and alert, its story, and who told it too."""
    text = asked(told, PREPARING.id)
    assert f"article {PREPARING.id}" in text
    assert "alerted: " in text
    assert "additional-deployment: north-korea · russia, preparing: first_report" in text
    assert f"alert: {STORY}/first_report" in text
    assert PREPARING_TOO.id in text


@pytest.mark.parametrize(
    "target", ["calm", URL, "http://www.news.example/weather/?utm_source=x"], ids=["id", "url", "link"]
)
def test_why_an_article_was_not_told(told: World, target: str) -> None:
    """A silent article is found in the archive by id or by any link to it, and its answer says what to do next."""
    assert "no_signal: no rule matched" in asked(told, target)
    assert "tocsin explain" in asked(told, target)


def test_why_one_alert_and_not_two(told: World) -> None:
    """Of two articles of one story the answer says which slots agree, and what a later stage makes of it."""
    text = asked(told, PREPARING.id, DISPATCH.id)
    assert f"one story, {STORY}" in text
    assert "who agrees (north-korea)" in text
    assert "where agrees (russia)" in text
    assert "a higher one rings in the thread" in text


def test_why_two_alerts_and_not_one(world: World) -> None:
    """Of two articles of two stories the answer says which slot differs."""
    one = Article(
        "one", "Turkey is preparing to send more troops to Syria, officials said.", source="A", published=world.clock()
    )
    two = replace(one, id="two", text=one.text.replace("Syria", "Libya"), source="B")
    world.arrive(one, two)
    text = asked(world, "one", "two")
    assert "two: additional-deployment/turkey/syria#1 and additional-deployment/turkey/libya#1" in text
    assert "where differs (syria, libya)" in text
    world.arrive(SILENT)
    assert "calm holds no signal" in asked(world, "one", "calm")


def test_why_a_story(told: World) -> None:
    """A story's answer lists its reports, its alerts and what keeps it one."""
    text = asked(told, STORY)
    assert "who north-korea, where russia agree" in text
    assert f"alerts: {STORY}/first_report, {STORY}/stage_up-done" in text
    assert all(article.id in text for article in (PREPARING, DISPATCH, PREPARING_TOO))


def test_why_another_episode(world: World) -> None:
    """Two episodes of one identity are kept apart by the quiet between them."""
    one = Article(
        "one", "Turkey is preparing to send more troops to Syria, officials said.", source="A", published=world.clock()
    )
    world.arrive(replace(one, id="old", published=world.clock() - timedelta(days=90)), one)
    text = asked(world, "additional-deployment/turkey/syria#2")
    assert "the episode before: additional-deployment/turkey/syria#1" in text
    assert "more than 3 days of quiet" in text


@pytest.mark.parametrize("target", ["nobody", "a/b#1", "a/b#x", "https://no.example/1", "", "#", "x" * 3_000])
def test_what_is_not_known_is_said_to_be_so(told: World, target: str) -> None:
    """A target of which nothing is kept is bad input, whatever it looks like."""
    with pytest.raises(InputFault, match="nothing is kept"):
        asked(told, target)


def test_why_on_a_replay() -> None:
    """`--replay` answers from a replay, where other stories of the rule are known too."""
    ran = tocsin("why", "--replay", SEEDS, "launch-preparation/north-korea/icbm#1")
    assert ran.code == 0
    assert "kept apart from launch-preparation/north-korea/satellite#1: what differs (icbm, satellite)" in ran.out
    ran = tocsin("why", "--replay", SEEDS, "nobody")
    assert (ran.code, ran.out) == (3, "")
    assert "nothing is kept of 'nobody'" in ran.err


def test_why_on_a_deployed_stack(deployed: System) -> None:
    """Table and archive of the stack are asked: for an article with a signal, a silent one, and a story."""
    deployed.send(row_of(PREPARING), row_of(SILENT))
    deployed.pump.drain()
    assert "alerted" in tocsin("why", "--stack-name", STACK, PREPARING.id).out
    assert "no_signal" in tocsin("why", "--stack-name", STACK, URL).out
    assert "Additional troop deployment" in tocsin("why", "--stack-name", STACK, STORY).out


def test_a_silence_is_added_listed_and_ended(deployed: System) -> None:
    """A silence holds back what it matches until it is ended; then the next report rings."""
    stack = ("--stack-name", STACK)
    ran = tocsin("silence", "add", *stack, "--for", "7d", "--comment", "a drill", "--author", "Ana", "who=north-korea")
    assert (ran.code, ran.err) == (0, "")
    name = ran.out.split()[0]
    (row,) = tocsin("silence", "list", *stack, "--format", "ndjson").rows
    assert (row["id"], row["matchers"], row["author"], row["state"]) == (
        name,
        {"who": "north-korea"},
        "Ana",
        "in force",
    )
    deployed.send(row_of(PREPARING))
    deployed.pump.drain()
    assert deployed.slack.posts == []
    assert f"silence {name} by Ana: a drill" in tocsin("why", *stack, PREPARING.id).out
    assert tocsin("silence", "expire", *stack, name).code == 0
    assert "ended" in tocsin("silence", "list", *stack).out
    deployed.send(row_of(PREPARING_TOO))
    deployed.pump.drain()
    assert [post.metadata["event_payload"]["reason"] for post in deployed.slack.posts] == ["first_report"]


GOOD = ["--comment", "x", "--for", "7d"]


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ([*GOOD, "who=nort-korea"], "did you mean north-korea"),
        ([*GOOD, "colour=red"], "is no matcher"),
        ([*GOOD, "who"], "is no matcher"),
        ([*GOOD, "rule=nonsense"], "no rule is called"),
        (["--comment", "x", "who=iran"], "say how long"),
        (["--comment", "x", "--until", "2020-01-01", "who=iran"], "end before it begins"),
        (["--comment", "x", "--until", "some day", "who=iran"], "2025-03-01"),
        (["--comment", "x", "--for", "7", "who=iran"], "12h, 7d or 2w"),
        (["--for", "7d", "who=iran"], "--comment"),
    ],
)
def test_a_silence_that_would_silence_nothing_is_refused(arguments: list[str], what: str) -> None:
    """A mistyped matcher or period is explained before anything is asked of AWS."""
    ran = tocsin("silence", "add", *arguments)
    assert (ran.code, ran.out) == (3, "")
    assert what in ran.err


@pytest.mark.usefixtures("deployed")
def test_what_aws_refuses_is_one_sentence() -> None:
    """A stack or a silence that does not exist ends with a message that says what to do."""
    ran = tocsin("silence", "list", "--stack-name", "nowhere")
    assert (ran.code, ran.out) == (3, "")
    assert "--stack-name" in ran.err
    ran = tocsin("silence", "expire", "--stack-name", STACK, "abc")
    assert "there is no silence abc" in ran.err
