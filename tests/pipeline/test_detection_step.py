"""What becomes of articles between their queue and the outbox, redelivery and other writers included."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from infra.local.slack import LocalSlack
from tests.system import System, World, brought, found, row_of, rule_set, seed_articles
from tests.twins import MemoryArchive, MemoryQueue, MemoryTable, Racing
from tocsin import reading
from tocsin.article import Article
from tocsin.compiled import RuleSet
from tocsin.errors import Conflict
from tocsin.pipeline.archive import INLINE, archived
from tocsin.pipeline.collect import Collector
from tocsin.pipeline.deciding import MAX_STORIES
from tocsin.pipeline.detect import Detector, Sent
from tocsin.ports import Commit, FateRecord, Queue, Wanted
from tocsin.signal import Signal

PREPARING, _, DISPATCH, PREPARING_TOO, _ = seed_articles()
STORY = "additional-deployment/north-korea/russia#1"
SILENT = Article("calm", "The weather stays mild in the whole country until Friday.", "Weather", "Outlet")
DEAD_AFTER = 40
"""Minutes after which a message that fails every time has been received five times."""


def fates(world: World) -> dict[str, str]:
    """Article → fate, of those in the table."""
    return {article: record.fate for article, record in world.table.fates.items()}


def test_an_article_with_signals_leaves_fate_stories_and_alerts(world: World) -> None:
    """An article that begins stories has a fate, and each of them stands in the table and in the outbox."""
    world.arrive(PREPARING)
    assert fates(world) == {PREPARING.id: "alerted"}
    assert STORY in world.table.stories
    assert set(world.hints()) == {f"{story}/first_report" for story in world.table.stories}


def test_a_silent_article_costs_no_write_to_the_table(world: World) -> None:
    """An article without a signal leaves the table as it is, whatever it asks of it; its fate goes to the archive."""
    assert world.arrive(SILENT) == []
    assert (world.table.fates, world.table.addresses, world.table.stories) == ({}, {}, {})
    assert len(world.archive.keys("fates/")) == 1


def test_a_redelivered_article_changes_nothing(world: World) -> None:
    """An article that comes again, alone or twice in a batch, leaves stories, fates and outbox as they were."""
    world.arrive(PREPARING)
    world.deliver()
    before = (dict(world.table.stories), dict(world.table.fates), world.hints())
    assert world.arrive(PREPARING, PREPARING) == []
    world.deliver()
    assert (dict(world.table.stories), dict(world.table.fates), world.hints()) == before
    assert world.slack.calls == ["post"] * 4


def test_a_redelivered_silent_article_has_one_fate(world: World) -> None:
    """The same silent batch, come again on the same day, is archived once."""
    world.arrive(SILENT)
    world.arrive(SILENT)
    assert len(world.archive.keys("fates/")) == 1


def test_two_articles_at_once_make_one_story(world: World) -> None:
    """When two articles begin the same story at the same moment, one alerts and the other corroborates."""
    world.table = Racing(lambda: world.arrive(PREPARING_TOO))
    assert world.arrive(PREPARING) == []
    assert world.table.stories[STORY].outlets == tuple(sorted([PREPARING.source, PREPARING_TOO.source]))
    assert [alert for alert in world.hints() if alert.startswith(STORY)] == [f"{STORY}/first_report"]


@pytest.mark.parametrize("bridge_first", [True, False])
def test_a_bridge_at_once_with_the_episode_it_bridges_to(world: World, *, bridge_first: bool) -> None:
    """A report that joins a story to another that begins at the same moment makes one story of both, whoever writes first."""

    def told(name: str, days: int) -> Article:
        text = "Turkey is preparing to send more troops to Libya, officials said."
        published = world.clock() + timedelta(days=days)
        return Article(name, text, name, name, f"https://{name}.example/", published)

    world.table = racing = Racing()
    world.arrive(told("first", -20))
    bridge, begins = told("bridge", -18), told("last", -16)
    one, other = (begins, bridge) if bridge_first else (bridge, begins)
    racing.others.append(lambda: world.arrive(other))
    assert world.arrive(one) == []
    (story,) = (one for one in world.table.stories.values() if not one.merged)
    assert story.articles == len({"first", "bridge", "last"})


def test_the_same_article_at_once_alerts_once(world: World) -> None:
    """When one article is handled twice at the same moment, the second finds its fate and stops."""
    world.table = Racing(lambda: world.arrive(PREPARING))
    assert world.arrive(PREPARING) == []
    assert world.table.stories[STORY].version == 1


def test_an_article_that_always_loses_comes_again_alone(world: World) -> None:
    """An article that loses against other writers every time comes again; its neighbours are done."""

    def lost() -> None:
        raise Conflict("another writer was first")

    world.table = Racing(*[lost] * 6)
    assert world.arrive(PREPARING, DISPATCH, SILENT) == [PREPARING.id]
    assert fates(world) == {DISPATCH.id: "alerted"}


def test_an_article_that_was_rejected_and_mended_is_one_after_all(world: World) -> None:
    """A file that was rejected, then mended and dropped again under its name, alerts as any other article."""
    world.table.record(FateRecord(PREPARING.id, "rejected", "is empty", world.clock().isoformat(), ""))
    world.arrive(PREPARING)
    assert fates(world) == {PREPARING.id: "alerted"}


def test_a_long_article_travels_by_reference(world: World) -> None:
    """An article too long for a queue message is read back from the archive, equal in every field."""
    long = replace(PREPARING, text=PREPARING.text + " Nothing else happened." * 14_000, named="given")
    queue = MemoryQueue()
    key = world.archive.drop("inbox/long.json", json.dumps(long.to_json()).encode())
    Collector(world.archive, queue, world.table, world.clock, reading.contents).collect(key)
    (body,) = queue.bodies
    assert len(body) < 200 < INLINE < len(row_of(long))
    assert brought(world.archive, [body]) == [long]


def test_a_story_is_written_once_for_all_articles_of_a_batch(world: World) -> None:
    """However many outlets of a batch tell a story, it is written once, with all of them; one article that comes under two ids counts once."""
    first = Article(
        "first", "Turkey is preparing to send more troops to Syria, officials said.", "Headline", "Outlet one"
    )
    world.arrive(first)
    others = [
        replace(
            first,
            id=f"a{number}",
            source=f"Outlet {number}",
            title=f"Headline {number}",
            url=f"https://{number}.example/a",
        )
        for number in range(4)
    ]
    (before,) = world.table.stories.values()
    assert world.arrive(*others, replace(others[1], id="b1"), others[2]) == []
    (story,) = world.table.stories.values()
    assert (story.version, story.articles, len(story.outlets)) == (before.version + 1, 5, 5)
    assert fates(world) == {"first": "alerted", **{one.id: "corroborated" for one in others}, "b1": "duplicate"}


class Interrupted(MemoryTable):
    """A table that fails at calls it is told of, once for each time it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.fails: list[str] = []

    def commit(self, commit: Commit, now: datetime) -> None:
        """See `Table.commit`."""
        self._fail("address" if commit.address else "story" if not commit.fate else "" if commit.stories else "fate")
        super().commit(commit, now)

    def want(self, wanted: Wanted, now: datetime) -> None:
        """See `Table.want`."""
        self._fail("want")
        super().want(wanted, now)

    def _fail(self, call: str) -> None:
        if call in self.fails:
            self.fails.remove(call)
            raise OSError(call)


FIRST = Article("first", "Turkey is preparing to send more troops to Syria, officials said.", "Headline", "Outlet one")
SECOND = replace(FIRST, id="second", source="Outlet two", url="https://two.example/a", title="Another headline")


@pytest.mark.parametrize("interrupted", [FIRST, SECOND], ids=["begins", "adds"])
@pytest.mark.parametrize("call", ["story", "want", "address", "fate"])
def test_what_was_interrupted_is_begun_anew(world: World, call: str, interrupted: Article) -> None:
    """Wherever the writing of an article ends that begins a story or adds to it, it comes again, and then all is as if nothing had failed."""
    first, second = replace(FIRST, url="https://one.example/a"), SECOND
    calm, world.table = World(), (table := Interrupted())
    for told in (calm, world):
        for article in (first, second):
            if told is world and article.id == interrupted.id:
                table.fails += [call] * (2 if interrupted is SECOND else 1)  # what adds is tried again by itself
                assert told.arrive(article) == [article.id]
            assert told.arrive(article) == []
            told.deliver()
    assert [replace(one, version=0) for one in world.table.stories.values()] == [
        replace(one, version=0) for one in calm.table.stories.values()
    ]
    assert (fates(world), world.table.addresses) == (fates(calm), calm.table.addresses)
    assert fates(world) == {"first": "alerted", "second": "corroborated"}
    assert [one.message.text for one in world.slack.standing] == [one.message.text for one in calm.slack.standing]
    assert table.fails == []


@pytest.mark.parametrize("call", ["want", "address", "fate"])
def test_a_story_whose_beginning_was_interrupted_rings_with_the_next_article(world: World, call: str) -> None:
    """What a first report left unwritten is written by the outlet that comes next: one alert, and the first keeps its fate when it comes again."""
    world.table = (table := Interrupted())
    table.fails.append(call)
    first = replace(FIRST, url="https://one.example/a")
    assert world.arrive(first) == ["first"]
    assert world.arrive(SECOND) == []
    world.deliver()
    assert [one.alert for one in world.slack.standing] == ["additional-deployment/turkey/syria#1/first_report"]
    assert world.arrive(first) == []
    world.deliver()
    assert fates(world) == {"first": "alerted", "second": "corroborated"}
    assert [one.alert for one in world.slack.standing] == ["additional-deployment/turkey/syria#1/first_report"]
    (story,) = world.table.stories.values()
    assert (story.articles, len(story.outlets)) == (2, 2)


MANY = [PREPARING, *(replace(SILENT, id=f"calm {number}", text=f"{SILENT.text} {number}") for number in range(80))]


def test_many_articles_travel_in_few_messages(world: World) -> None:
    """A batch that no request holds travels by reference, up to fifty articles a message, in order; a few travel whole, each alone."""
    bodies = archived(world.archive, MANY, world.clock())
    assert [len(brought(world.archive, [body])) for body in bodies] == [50, 31]
    assert brought(world.archive, bodies) == MANY
    long = [replace(one, text=one.text * 9_000) for one in MANY[1:4]]
    bodies = archived(world.archive, long, world.clock())
    assert brought(world.archive, bodies) == long
    assert [len(brought(world.archive, [body])) for body in bodies] == [1, 1, 1]
    assert archived(world.archive, MANY[:10], world.clock()) == [row_of(one) for one in MANY[:10]]


def test_of_many_articles_one_that_fails_comes_again_alone(world: World) -> None:
    """In a message that brings many articles one bad one holds up no other, nor comes again with them."""

    def find(rules: RuleSet, article: Article) -> Sequence[Signal]:
        if article.id == "calm 3":
            raise MemoryError
        return found(rules, article)

    apart = MemoryQueue()
    detector = replace(world.detector(), find=find, again=lambda: apart)
    bodies = archived(world.archive, MANY, world.clock())
    assert detector.take([Sent("1", bodies[0]), Sent("2", bodies[1])]) == []
    assert [one.id for one in brought(world.archive, apart.bodies)] == ["calm 3"]
    assert fates(world) == {PREPARING.id: "alerted"}
    assert detector.take([Sent("3", apart.bodies[0])]) == ["3"]


def test_what_ended_the_function_is_taken_apart(world: World) -> None:
    """A message with many articles that comes a second time is not read: each of them is sent alone; if that fails the message comes again."""
    apart = MemoryQueue()
    detector = replace(world.detector(), again=lambda: apart)
    (body, _) = archived(world.archive, MANY, world.clock())
    assert detector.take([Sent("1", body, 2)]) == []
    assert (brought(world.archive, apart.bodies), len(apart.bodies), fates(world)) == (MANY[:50], 50, {})
    assert detector.take([Sent(str(number), one, 2) for number, one in enumerate(apart.bodies)]) == []
    assert fates(world) == {PREPARING.id: "alerted"}

    def refused() -> Queue:
        raise OSError

    assert replace(detector, again=refused).take([Sent("1", body, 2)]) == ["1"]


def test_a_burst_about_one_story_is_written_together(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """However many articles of a batch tell of one story, all are written with it a few times, none by itself."""
    burst = [replace(FIRST, id=f"b{number}", source=f"Outlet {number}") for number in range(150)]
    assert world.arrive(FIRST) == []
    assert world.detector().detect([(one.id, one) for one in burst]) == []
    (story,) = world.table.stories.values()
    assert (story.articles, story.version < 10) == (151, True)
    assert len(fates(world)) == 151
    assert "by itself" not in caplog.text


STATES = [
    "France", "Germany", "Japan", "China", "India", "Iran", "Iraq", "Egypt", "Brazil", "Canada", "Mexico", "Peru", "Chile", "Turkey", "Poland", "Norway",
    "Sweden", "Finland", "Kenya", "Uganda", "Rwanda", "Ethiopia", "Chad", "Nigeria", "Ghana", "Pakistan", "Vietnam", "Thailand", "Indonesia", "Spain",
]  # fmt: skip


def test_an_article_with_hundreds_of_signals_fits_the_table(on_moto: System) -> None:
    """However many stories an article touches, what it changes fits one transaction."""
    pairs = [(sender, other) for other in STATES for sender in STATES if sender != other]
    text = " ".join(f"{sender} is preparing to send more troops to {other}, officials said." for sender, other in pairs)
    signals = decided(on_moto, Article("crowd", text, "T", "Outlet"))
    assert len({signal["story"] for signal in signals if signal["story"]}) == MAX_STORIES


def test_an_endless_sentence_fits_the_table(on_moto: System) -> None:
    """However long the evidence of an article, its fate fits one item."""
    text = "North Korea is preparing to send more troops to Russia " + "and again and again " * 25_000
    (signal,) = decided(on_moto, Article("endless", text, "T", "Outlet"))
    assert text.startswith(signal["evidence"])


def decided(on_moto: System, article: Article) -> Sequence[Mapping[str, Any]]:
    """The signals recorded with the fate of an article that reaches the table on moto."""
    table, archive = on_moto.table, MemoryArchive()
    assert Detector(rule_set(), lambda: table, lambda: archive, World().clock, None).detect([("1", article)]) == []
    record = table.fate(article.id)
    assert record is not None
    assert record.fate == "alerted"
    return record.signals


def test_a_poison_message_leaves_its_neighbours_alone(on_moto: System) -> None:
    """A message nobody can read ends in the dead-letter queue, word for word, while its neighbours are handled."""
    on_moto.send("no article", row_of(PREPARING), '{"id": "half"}', row_of(SILENT))
    on_moto.pump.drain()
    assert len(on_moto.slack.posts) == 4
    on_moto.pass_time(DEAD_AFTER)
    assert sorted(on_moto.messages_in("ArticleDeadLetters")) == ["no article", '{"id": "half"}']
    assert not on_moto.pump.waiting()
    assert not [call for call in on_moto.pump.invocations if call.error]


def test_a_message_that_comes_twice_posts_once(on_moto: System) -> None:
    """The queue may deliver an article twice: the channel does not show it."""
    on_moto.send(row_of(PREPARING), row_of(PREPARING))
    on_moto.send(row_of(PREPARING))
    on_moto.pump.drain()
    on_moto.pass_time(3)
    assert (len(on_moto.slack.posts), len(on_moto.slack.updates)) == (4, 0)


def test_a_long_article_alerts_on_moto(on_moto: System) -> None:
    """An article of 300 kB goes all the way from the inbox to the channel."""
    body = (PREPARING.text + " Nothing else happened." * 13_000).encode()
    on_moto.drop("long.txt", body, title=PREPARING.title, source=PREPARING.source)
    on_moto.pump.drain()
    assert len(body) > 300_000
    assert len(on_moto.slack.posts) == 4


def test_a_slack_that_is_away_loses_nothing(on_moto: System) -> None:
    """While Slack refuses everything alerts wait in the outbox; when it is back each is posted once, roots first."""
    slack: LocalSlack = on_moto.slack
    token, slack.token = slack.token, "xoxb-rotated"
    on_moto.send(*[row_of(article) for article in seed_articles()])
    on_moto.pump.drain()
    on_moto.pass_time(10)
    assert slack.posts == []
    slack.token = token
    on_moto.pass_time(10)
    alerts = [call.metadata["event_payload"]["alert"] for call in slack.posts]
    assert len(alerts) == len(set(alerts)) == 5
    assert alerts.index(f"{STORY}/first_report") < alerts.index(f"{STORY}/stage_up-done")
