"""Articles of which a feed tells only a summary: what is read of their pages, and what when there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.system import System, World, brought, row_of, rule_set
from tests.twins import Clock, MemoryArchive, MemoryQueue
from tocsin.adapters import pages
from tocsin.article import Article
from tocsin.errors import FetchFault, InputFault
from tocsin.feed import Answer
from tocsin.memory import Kept
from tocsin.pipeline.page import TRIES, PageReader, Unread
from tocsin.why import answer

URL = "https://news.example/troops"
LEAD = "North Korea is preparing to send more troops to Russia, officials in Seoul said on Friday."
BODY = [
    LEAD,
    "The military in Seoul said that it had seen signs of training and of the handing out of equipment near the border.",
    "About 11,000 soldiers were sent last autumn, and some 4,000 of them have been killed or wounded, according to Kyiv.",
    "Moscow did not comment on the report, and diplomats in the region said that they were watching the matter closely.",
]
SUMMARY = Article("a", LEAD, "More troops", "The Outlet", URL, datetime(2025, 1, 24, 9, 30, tzinfo=UTC))


def page(*paragraphs: str, title: str = "More troops", head: str = "") -> bytes:
    """A page of a news site, with what stands around an article."""
    text = "".join(f"<p>{each}</p>" for each in paragraphs)
    return f"""<!DOCTYPE html><html><head><title>{title} | The Outlet</title>{head}</head><body>
      <header><nav><a href="/">Home</a> <a href="/world">World</a></nav></header>
      <main><article><h1>{title}</h1>{text}</article></main>
      <aside><h2>Most read</h2><ul><li><a href="/x">Iran attacks a base in Iraq</a></li></ul></aside>
      <footer>Copyright The Outlet. All rights reserved.</footer><script>track("North Korea");</script></body></html>""".encode()


@dataclass
class Site:
    """A web of one page; a fault is raised instead of it."""

    answer: Answer | Exception = field(default_factory=lambda: html(page(*BODY)))
    asked: list[str] = field(default_factory=list)

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """See `Web.get`."""
        assert headers
        self.asked.append(url)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def html(body: bytes, kind: str = "text/html; charset=utf-8", status: int = 200) -> Answer:
    """What a server answers."""
    return Answer(URL, status, {"content-type": kind}, body)


@dataclass
class Reading:
    """The page reader on the twins, before a detector on the same archive."""

    site: Site = field(default_factory=Site)
    archive: MemoryArchive = field(default_factory=MemoryArchive)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    clock: Clock = field(default_factory=Clock)

    def read(self, article: Article = SUMMARY, *, receives: int = 1) -> Article:
        """One message of the page queue; the article that comes of it."""
        reader = PageReader(self.site, pages.extract, self.archive, self.queue, self.clock)
        reader.read(row_of(article), receives)
        return brought(self.archive, self.queue.bodies)[-1]


@pytest.fixture
def reading() -> Reading:
    """The page reader on the twins."""
    return Reading()


def test_a_summary_becomes_the_article_of_its_page(reading: Reading) -> None:
    """The text is the page's, without what stands around it; id, address, outlet, headline and date are the feed's."""
    article = reading.read()
    assert reading.site.asked == [URL]
    assert [sentence for sentence in BODY if sentence not in article.text] == []
    assert not any(noise in article.text for noise in ("Home", "Iran", "Copyright", "track"))
    assert (article.id, article.url, article.source, article.title) == ("a", URL, "The Outlet", "More troops")
    assert (article.published, article.dated, article.lacks) == (SUMMARY.published, "given", "")
    assert len(reading.archive.keys("articles/")) == 1


@pytest.mark.parametrize(
    ("summary", "stands_before"),
    [
        (LEAD, False),
        (f"  {LEAD.upper()} ", False),
        (f"{LEAD[:60]} …", False),
        (f"{LEAD[:60]} [...] Read more »", False),
        ("North Korea prepares to send more troops: the officials in Seoul said so on Friday.", True),
    ],
)
def test_what_the_feed_says_stays(reading: Reading, summary: str, stands_before: bool) -> None:
    """A summary that is no piece of the page stands before it, so that no sentence of the feed is lost; a piece is not said twice."""
    article = reading.read(Article("a", summary, "More troops", url=URL))
    assert article.text.startswith(summary) is stands_before
    assert article.text.endswith(BODY[-1])
    assert article.text.count("officials in Seoul") == 1 + stands_before


def test_what_the_feed_does_not_say_the_page_may(reading: Reading) -> None:
    """Headline and day are the page's where the feed has none."""
    reading.site.answer = html(
        page(*BODY, head='<meta property="article:published_time" content="2025-01-24T09:30:00Z">')
    )
    article = reading.read(Article("a", LEAD, url=URL).arriving(reading.clock()))
    assert article.title == "More troops"
    assert (article.published, article.dated) == (datetime(2025, 1, 24, tzinfo=UTC), "given")


WITHOUT: dict[str, tuple[Any, str]] = {
    "refused": (FetchFault("status", "the server answered 403", status=403), "the server answered 403"),
    "slow": (FetchFault("timeout", "nothing came within 10 s"), "within 10 s"),
    "private": (FetchFault("private", "127.0.0.1 is no public address"), "no public address"),
    "gone": (html(b"", status=410), "answered 410"),
    "unchanged": (html(b"", status=304), "answered 304"),
    "a PDF": (html(b"%PDF-1.7", "application/pdf"), "application/pdf, not HTML"),
    "empty": (html(b""), "no text"),
    "no article": (html(b"<html><body><nav><a href=/>Home</a></nav></body></html>"), "something else"),
    "not HTML": (html(bytes(range(256)) * 40), "page"),
    "huge": (html(b"<p>x</p>" * 300_000), "2,000,000 is the most"),
    "nested": (html(b"<div>" * 100_000 + LEAD.encode()), "page"),
    "a wall": (html(page("We value your privacy. Our partners store cookies on your device to measure content and audiences. " * 9)), "something else"),
    "the front page": (html(page(*["Markets fell sharply after the central bank raised its interest rate once again today."] * 9)), "something else"),
}  # fmt: skip


@pytest.mark.parametrize("name", WITHOUT)
def test_without_a_page_the_summary_is_the_article(reading: Reading, name: str) -> None:
    """Whatever keeps the page from being read, the summary goes on at once, and says why it is all there is."""
    reading.site.answer, why = WITHOUT[name]
    article = reading.read()
    assert (article.id, article.text, article.published) == ("a", LEAD, SUMMARY.published)
    assert article.lacks.startswith("all but its summary")
    assert why in article.lacks
    assert len(reading.queue.bodies) == 1


def test_where_no_pages_are_fetched_the_summary_is_the_article(reading: Reading) -> None:
    """Without a page queue summaries go on at once, together, each saying what it lacks."""
    Unread(reading.archive, reading.queue, reading.clock).send([row_of(SUMMARY), row_of(replace(SUMMARY, id="b"))])
    one, other = brought(reading.archive, reading.queue.bodies)
    assert (one.id, other.id, one.text) == ("a", "b", SUMMARY.text)
    assert one.lacks == "all but its summary, because of its page: this stack fetches none"
    assert (reading.site.asked, len(reading.archive.keys("articles/"))) == ([], 1)


def test_a_page_that_ended_the_function_is_left_alone(reading: Reading) -> None:
    """A message that was received before and never finished becomes an article without its page being looked at."""
    assert reading.read(receives=TRIES).lacks == ""
    article = reading.read(receives=TRIES + 1)
    assert (article.text, len(reading.site.asked)) == (LEAD, 1)
    assert "ended the function" in article.lacks


def test_looking_for_a_text_ends_when_its_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page made to keep the library busy costs no more than the time it is given."""
    monkeypatch.setattr(pages, "SECONDS", 0.05)
    with pytest.raises(InputFault, match=r"takes more than 0\.05 s"):
        pages.extract(html(b"<p>" + b"<span>a</span>" * 60_000))


@pytest.mark.parametrize(
    ("kind", "head", "encoding"),
    [
        ("text/html; charset=windows-1252", "", "cp1252"),
        ("text/html", '<meta charset="iso-8859-1">', "cp1252"),
        ("text/html; charset=utf-8", '<meta charset="iso-8859-1">', "utf-8"),
        ("text/html; charset=utf-7", "", "utf-8"),
        ("application/xhtml+xml", "", "utf-16"),
    ],
)
def test_a_page_in_another_encoding(reading: Reading, kind: str, head: str, encoding: str) -> None:
    """The encoding is the one the server names, else the page, as long as the bytes bear it out."""
    source = page(*BODY, "Séoul said “no more”.", head=head).decode()
    reading.site.answer = html(source.encode(encoding), kind)
    assert reading.read().text.endswith("Séoul said “no more”.")


def test_text_in_other_letters_is_known_again(reading: Reading) -> None:
    """Summary and page are compared in scripts without blanks or with short words, too."""
    lead = "한국 합참은 북한이 러시아에 추가 파병을 준비하고 있다고 금요일 밝혔다."
    other = "중앙은행이 오늘 기준금리를 다시 올리면서 주식시장이 큰 폭으로 하락했다. " * 9
    for text, whole in (
        (lead + " " + "군은 훈련과 장비 지급의 징후를 포착했다고 설명했다. " * 9, True),
        (other, False),
    ):
        reading.site.answer = html(page(text, title="추가 파병"))
        assert (reading.read(Article("k", lead, "", url=URL)).lacks == "") is whole


# On moto, through the handler and the guard


def test_no_summary_is_lost(on_moto: System) -> None:
    """On moto, a summary whose page the guard refuses to ask for rings; what is no article ends among the dead letters."""
    sqs, url = on_moto.stack.client("sqs"), on_moto.stack.physical("PageQueue")
    for body in (row_of(replace(SUMMARY, url="http://169.254.169.254/latest/meta-data")), "no article"):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    for _ in range(6):
        on_moto.pump.drain()
        on_moto.move(minutes=7)
    record = on_moto.table.fate("a")
    assert record is not None
    assert (record.fate, len(on_moto.slack.posts)) == ("alerted", 1)
    assert "169.254.169.254" in record.lacks
    assert on_moto.messages_in("PageDeadLetters") == ["no article"]


# Summary and whole are one article


def arrive(world: World, reading: Reading, answer: Any, summary: Article = SUMMARY) -> None:
    """The article comes by its feed, with this answer to the question for its page, and reaches the detector."""
    reading.site.answer = answer
    world.arrive(reading.read(summary))
    world.deliver()


def test_a_summary_that_becomes_whole_rings_once(world: World, reading: Reading) -> None:
    """First the summary alone, then the page too: one alert, and the fate says what was lacking and no longer is."""
    arrive(world, reading, FetchFault("timeout", "too slow"))
    told = "\n".join(answer("a", None, Kept(world.table, world.archive), rule_set().policy))
    assert "not all of it was read: all but its summary, because of its page: too slow" in told
    arrive(world, reading, html(page(*BODY)))
    assert len(world.slack.standing) == 1
    assert world.table.fates["a"].lacks == ""
    assert len(world.table.fates["a"].before) == 1


def test_a_page_that_cannot_be_had_again_takes_nothing_back(world: World, reading: Reading) -> None:
    """A signal that stood on the page only is not withdrawn because the summary, edited since, comes without the page."""
    calm = Article(
        "a",
        "The military in Seoul said that it had seen signs of training near the border.",
        "Signs",
        "O",
        URL,
        SUMMARY.published,
    )
    arrive(world, reading, html(page(*BODY)), calm)
    assert len(world.slack.standing) == 1
    arrive(
        world,
        reading,
        FetchFault("status", "the server answered 503", status=503),
        replace(calm, title="Signs seen"),
    )
    assert len(world.slack.standing) == 1
    assert world.table.fates["a"].fate == "alerted"
    assert all(row.reply is None for row in world.table.rows.values())


def test_a_summary_that_is_edited_is_an_edit(world: World, reading: Reading) -> None:
    """Of a site that never gives its pages, an edit that takes the signal away is seen like any other."""
    refused = FetchFault("status", "the server answered 403", status=403)
    arrive(world, reading, refused)
    arrive(
        world,
        reading,
        refused,
        replace(SUMMARY, text="The report was withdrawn by the editors.", title="Withdrawn"),
    )
    assert len(world.table.fates["a"].before) == 1
    assert [row.reply["reason"] for row in world.table.rows.values() if row.reply] == ["corrected"]
