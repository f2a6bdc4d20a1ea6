"""Articles: their dates, their addresses, and when two say the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.core.values import DAY, NOON, article
from tocsin.article import Article, canonical


@pytest.mark.parametrize(
    ("published", "seen", "dated"),
    [
        pytest.param(None, NOON, "arrival", id="no date"),
        pytest.param(NOON - 3_000 * DAY, NOON - 3_000 * DAY, "given", id="years ago"),
        pytest.param(NOON + timedelta(hours=9), NOON, "given", id="another time zone"),
        pytest.param(NOON + 2 * DAY, NOON, "clamped", id="the day after tomorrow"),
        pytest.param(datetime(9999, 12, 31, tzinfo=UTC), NOON, "clamped", id="the end of time"),
        pytest.param(datetime(1970, 1, 1, tzinfo=UTC), NOON, "clamped", id="a clock never set"),
        pytest.param(datetime(1, 1, 1, tzinfo=UTC), NOON, "clamped", id="the year one"),
    ],
)
def test_dates_that_cannot_be_are_those_of_the_arrival(published: datetime | None, seen: datetime, dated: str) -> None:
    """An article is never published later than it arrives; a date that cannot be right is the arrival's, and says so."""
    arrived = article(published=published).arriving(NOON)
    assert (arrived.published, arrived.dated) == (seen, dated)
    assert arrived.arriving(NOON + DAY) == arrived


LINK = "https://news.example/2031/landing"


@pytest.mark.parametrize(
    "url",
    [
        LINK,
        "http://news.example/2031/landing",
        "https://www.news.example/2031/landing/",
        "https://NEWS.example:443/2031/landing#top",
        f"{LINK}?utm_source=feed&utm_medium=rss",
        f"{LINK}?fbclid=x&ref=home",
        f"{LINK}/amp",
        "https://amp.news.example/2031/landing?outputType=amp",
    ],
)
def test_links_to_one_page(url: str) -> None:
    """Scheme, tracking, fragment and AMP make no other page."""
    assert canonical(url) == "news.example/2031/landing"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"{LINK}?id=1", f"{LINK}?id=2"),
        (LINK, f"{LINK}s"),
        (LINK, "https://other.example/2031/landing"),
        (f"{LINK}?page=2", LINK),
        ("https://news.example:8443/a", "https://news.example/a"),
    ],
)
def test_links_to_two_pages(one: str, other: str) -> None:
    """What says which page is meant stays in the address."""
    assert canonical(one) != canonical(other)
    assert canonical(f"{LINK}?b=2&a=1&utm_id=9") == canonical(f"{LINK}?a=1&b=2")


@pytest.mark.parametrize(
    "url", ["", "https://news.example/", "ftp://news.example/a", "news", "http://[::1", "https://x:99999999/a"]
)
def test_a_link_that_names_no_page_has_no_address(url: str) -> None:
    """A front page is not an article's address, and neither is what is no http link."""
    assert canonical(url) == ""


@given(some.text(max_size=80))
def test_any_link_has_an_address_or_none(url: str) -> None:
    """Whatever stands for a URL, its address is text, and its own address."""
    address = canonical(f"https://x.example/{url}")
    assert canonical(f"https://{address}") == address or not address


def test_articles_that_say_the_same() -> None:
    """Spacing, capitals, id and address are no content; headline and text are."""
    one = article(text="Troops  land.", title="News")
    assert one.content == replace(one, id="x", url="", text="troops\\nland.".replace("\\n", "\n")).content
    assert one.content != replace(one, title="Other news").content
    assert one.content != replace(one, text="Troops leave.").content


@given(some.text(max_size=50), some.sampled_from(["given", "file"]))
def test_an_article_survives_json(text: str, named: str) -> None:
    """What is queued is read back equal."""
    one = Article("a", text, named=named, published=NOON)  # type: ignore[arg-type]  # drawn from the two
    assert Article.from_json(one.to_json()) == one
