"""Articles that come again: edited, under another id, at another address, or as a namesake of another file."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.system import World, brought
from tests.twins import MemoryQueue, Racing
from tocsin import reading
from tocsin.article import Article
from tocsin.pipeline.collect import Collector
from tocsin.reading import contents

STORY = "additional-deployment/turkey/syria#1"
URL = "https://news.example/2025/troops"
FILLER = " ".join(
    f"Nothing else of note happened in district {number} of the capital that day." for number in range(12)
)
PREPARING = "Turkey is preparing to send 3,000 more troops to Syria, officials said."
MORE = "Turkey is preparing to send 10,000 more troops to Syria, officials said."
SENT = "Turkey has sent the additional troops to Syria, officials said on Sunday."
CALM = "Turkey and Syria signed an agreement on water, officials said."


def article(name: str, sentence: str = PREPARING, **changes: object) -> Article:
    """An article of the last day of February."""
    one = Article(
        name, f"{sentence} {FILLER}", "News of the day", "Outlet one", "", World().clock() - timedelta(days=1)
    )
    return replace(one, **changes)  # type: ignore[arg-type]  # fields of an article


def alerts(world: World) -> list[str]:
    """The alerts in the channel, in order."""
    world.deliver()
    world.sweep(2)
    return [shown.alert for shown in world.slack.standing]


def fate(world: World, name: str) -> str:
    """The fate of an article, and the reason of its first signal."""
    record = world.table.fates[name]
    return f"{record.fate}: {record.reason}"


@pytest.mark.parametrize(
    "again",
    [
        pytest.param({"url": URL}, id="redelivered"),
        pytest.param({"id": "new guid", "url": URL}, id="a new guid"),
        pytest.param({"id": "new guid", "url": f"{URL}?utm_source=rss"}, id="a tracking parameter"),
        pytest.param({"id": "new guid", "url": "http://www.news.example/2025/troops/"}, id="http and www"),
        pytest.param({"url": URL, "title": "Troops: what we know"}, id="a new headline"),
        pytest.param({"id": "new guid", "url": URL, "title": "Troops: what we know"}, id="a new headline and guid"),
        pytest.param({"id": "new guid", "url": "https://news.example/other"}, id="another address, same outlet"),
        pytest.param({"id": "copy", "url": "https://other.example/1", "source": "Outlet two"}, id="a syndicated copy"),
        pytest.param({"url": URL, "text": f"{PREPARING} Ankara declined to comment. {FILLER}"}, id="a new paragraph"),
    ],
)
def test_an_article_that_comes_again_rings_nothing(world: World, again: dict[str, str]) -> None:
    """Redelivered, reposted, retitled, syndicated or edited without a change of its signal: one alert, and a fate for each id."""
    world.arrive(article("guid", url=URL))
    world.arrive(
        article(**{"name": str(again.get("id", "guid"))} | {key: value for key, value in again.items() if key != "id"})
    )
    assert alerts(world) == [f"{STORY}/first_report"]
    assert again.get("id", "guid") in world.table.fates
    assert len(world.table.stories[STORY].reports) == (2 if "source" in again else 1)


def test_an_article_edited_into_silence_is_corrected(world: World) -> None:
    """When the signal is edited out of an article, the thread is told, and the root says who withdrew it."""
    world.arrive(article("guid"))
    world.arrive(article("guid", CALM))
    assert alerts(world) == [f"{STORY}/first_report", *[one for one in alerts(world) if "/corrected-" in one]]
    assert len(world.slack.standing) == 2
    root, reply = world.slack.standing
    assert "withdrawn by Outlet one" in root.message.text
    assert "it no longer says preparing" in reply.message.text
    assert (reply.thread_ts, reply.broadcast) == (root.ts, True)
    assert fate(world, "guid").startswith("updated: additional-deployment: corrected")
    assert world.table.fates["guid"].before[0]["fate"] == "alerted"
    assert world.archive.keys("fates/") == []


def test_an_article_edited_to_another_figure_is_corrected(world: World) -> None:
    """When an outlet corrects its figure, the thread says from what to what."""
    world.arrive(article("guid"))
    world.arrive(article("guid", MORE))
    assert len(alerts(world)) == 2
    assert "Outlet one edited it: 3,000 → 10,000" in world.slack.standing[1].message.text


def test_an_article_edited_to_a_higher_stage_is_a_rise(world: World) -> None:
    """When an outlet updates its article because the troops have left, the rise rings, once."""
    world.arrive(article("guid"))
    world.arrive(article("guid", SENT))
    world.arrive(article("guid", SENT))
    assert alerts(world) == [f"{STORY}/first_report", f"{STORY}/stage_up-done"]
    assert world.table.stories[STORY].articles == 1


def test_a_correction_takes_back_the_rise(world: World) -> None:
    """When the only article that said so withdraws it, the story falls back to what the others say."""
    world.arrive(article("one"))
    world.arrive(article("two", SENT, source="Outlet two"))
    world.arrive(article("two", CALM, source="Outlet two"))
    assert [one.rpartition("/")[2].partition("-")[0] for one in alerts(world)] == [
        "first_report",
        "stage_up",
        "corrected",
    ]
    assert world.table.stories[STORY].stage == "preparing"
    assert "the story falls done → preparing" in world.slack.standing[2].message.text


def test_an_article_is_corrected_once(world: World) -> None:
    """An article that is edited to and fro rings for its first correction only."""
    for sentence in (PREPARING, CALM, PREPARING + " Really.", CALM + " Really.", MORE):
        world.arrive(article("guid", sentence))
    assert len([one for one in alerts(world) if "/corrected-" in one]) == 1


def test_an_old_version_that_comes_again_changes_nothing(world: World) -> None:
    """A version that was decided on before is not taken for a new edit when the queue delivers it late."""
    world.arrive(article("guid"))
    world.arrive(article("guid", MORE))
    before = dict(world.table.stories)
    world.arrive(article("guid"))
    assert world.table.stories == before


def test_two_files_of_one_name_are_two_articles(world: World) -> None:
    """A second, different report.txt is no edit of the first: it has a fate of its own under a name of its own."""
    first = article("report", named="file")
    other = article("report", MORE.replace("Turkey", "France").replace("Syria", "Chad"), named="file")
    silent = article("report", CALM, named="file")
    for one in (first, other, silent, other):
        world.arrive(one)
    assert {name: record.fate for name, record in world.table.fates.items()} == {
        "report": "alerted",
        f"report~{other.content[:8]}": "alerted",
    }
    assert len(world.archive.keys("fates/")) == 1
    assert len(alerts(world)) == 2


def test_a_dropped_text_is_known_by_its_file(world: World) -> None:
    """What has no id of its own says so, from the file to the queue; what has one is known by it."""
    queue = MemoryQueue()
    for name, body in (("report.txt", b"One two."), ("two.json", b'{"id": "own", "text": "Three four."}')):
        key = world.archive.drop(f"inbox/{name}", body)
        Collector(world.archive, queue, world.table, world.clock, reading.contents).collect(key)
    assert [(one.id, one.named) for one in brought(world.archive, queue.bodies)] == [
        ("report", "file"),
        ("own", "given"),
    ]
    assert [entry.article.named for entry in contents("a.jsonl", b'{"text": "x"}') if entry.article] == ["file"]


def test_two_guids_of_one_address_at_the_same_moment(world: World) -> None:
    """Two ids of one page that arrive at the same moment are one article: the second finds the first by its address."""
    racing = Racing(lambda: world.arrive(article("other", url=URL)))
    world.table = racing
    assert world.arrive(article("guid", url=URL)) == []
    assert {name: record.fate for name, record in world.table.fates.items()} == {
        "other": "alerted",
        "guid": "duplicate",
    }
    assert world.table.stories[STORY].articles == 1


def test_a_date_in_the_future_is_said_to_be_wrong(world: World) -> None:
    """An article from the future is dated by its arrival, in its fate and in its alert."""
    world.arrive(article("guid", published=world.clock() + timedelta(days=900)))
    assert "its own date cannot be right" in fate(world, "guid")
    assert alerts(world)
    assert "the article's own date cannot be right" in world.slack.standing[0].message.text
    assert world.table.stories[STORY].first_seen == world.table.fates["guid"].at
