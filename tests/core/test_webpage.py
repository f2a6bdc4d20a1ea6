"""How a saved web page becomes an article."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tocsin.errors import InputFault
from tocsin.reading import MAX_PAGE, articles, contents

TEXT = "North Korea is preparing to send more troops to Russia, Seoul said on Friday."
AROUND = """<header><a href="/">The Outlet</a></header><nav><ul><li>World</li></ul></nav>"""
BELOW = """<aside><h2>Most read</h2><p>Iran attacks a base.</p></aside><footer>Copyright</footer>"""


def page(body: str, head: str = "") -> bytes:
    """A page with this in it."""
    return (
        f"<!DOCTYPE html>\n<html><head><title>Troops &amp; more</title>{head}</head><body>{body}</body></html>".encode()
    )


@pytest.mark.parametrize(
    "body",
    [
        f"<article><p>{TEXT}</p></article>",
        f"{AROUND}<main><article><header><h1>Troops</h1></header><p>{TEXT}</p></article></main>{BELOW}",
        f"{AROUND}<main><p>{TEXT}</p></main>{BELOW}",
        f"{AROUND}<div><p>{TEXT}</p></div>{BELOW}",
        f"{AROUND}<article><p>{TEXT}</p>{BELOW}</article><article><p>Another one.</p></article>",
        f"<ARTICLE CLASS='a>b'><P>{TEXT}</P></ARTICLE>",
        f"<!-- <article>{'hidden ' * 50}</article> --><article>{TEXT}</article>",
        f"<script>'<article>' + {'x' * 500} + '</article>'</script><article>{TEXT}</article>",
        f"<div><p>{TEXT}",
        f"<aside>{TEXT}",
    ],
)
def test_the_text_is_that_of_the_article(body: str) -> None:
    """Whichever way the page marks its article, its text comes without menus, footers, teasers, scripts and comments."""
    (article,) = articles("page.html", page(body))
    lines = [line for line in article.text.splitlines() if line != "Troops"]
    assert lines == [TEXT]


def test_a_page_says_who_it_is() -> None:
    """Headline, outlet, address and date are read from what the page says of itself."""
    head = """<meta property="og:title" content="More troops &#8211; Seoul"><meta property="og:site_name" content="The Outlet">
      <link rel="canonical" href="https://news.example/troops"><meta content="2025-01-24T18:30:00+09:00" property="article:published_time">"""
    (article,) = articles("inbox/a.htm", page(f"<article><p>{TEXT}</p></article>", head))
    assert (article.title, article.source) == ("More troops – Seoul", "The Outlet")
    assert (article.url, article.id, article.named) == ("https://news.example/troops", "a", "file")
    assert article.published == datetime(2025, 1, 24, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (
            '<script type="application/ld+json">{"@type": "NewsArticle", "datePublished": "2025-01-24T09:30:00Z"}</script>',
            True,
        ),
        ('<time datetime="2025-01-24T09:30Z">yesterday</time>', True),
        ('<meta name="date" content="soon"><meta itemprop="datePublished" content="2025-01-24 09:30+00:00">', True),
        ('<meta name="date" content="24/01/2025">', False),
        ('<meta name="date" content="0001-01-01T00:00:00+14:00">', False),
        ('<meta name="date">', False),
        ("", False),
    ],
)
def test_a_date_is_read_where_it_cannot_be_misread(said: str, read: bool) -> None:
    """A date comes from any of the usual places, if it is written so that it means one day only; else the page has none."""
    (article,) = articles("a.html", page(f"{said}<p>{TEXT}</p>"))
    assert article.published == (datetime(2025, 1, 24, 9, 30, tzinfo=UTC) if read else None)


def test_what_is_said_beside_a_page_counts_for_more() -> None:
    """Who drops a page knows better than the page what it is."""
    told = {"title": "T", "source": "S", "url": "https://x.example/1", "published": "2025-01-24T00:00:00-05:00"}
    (article,) = articles("a.html", page(f"<p>{TEXT}</p>", '<meta property="og:title" content="Other">'), told)
    assert (article.title, article.source, article.url) == ("T", "S", "https://x.example/1")
    assert article.published == datetime(2025, 1, 24, tzinfo=timezone(timedelta(hours=-5)))


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [
        ("utf-8", "utf-8"),
        ("windows-1251", "cp1251"),
        ("KOI8-R", "koi8-r"),
        ("iso-8859-5", "iso-8859-5"),
        ("utf-8", "utf-8-sig"),
    ],
)
def test_a_page_in_another_encoding(charset: str, encoding: str) -> None:
    """A page that says in which of the usual encodings it is is read in it."""
    source = f'<html><head><meta charset="{charset}"></head><p>Россия перебросила войска.</p></html>'
    assert articles("a.html", source.encode(encoding))[0].text == "Россия перебросила войска."


@pytest.mark.parametrize("charset", ["utf-8", "utf-7", "punycode", "unicode_escape", "no-such", "zip"])
def test_a_page_that_lies_about_its_encoding(charset: str) -> None:
    """Letters of Windows are read whatever a page says of them, and no codec that hides or slows is ever used."""
    source = f"<meta charset={charset}><p>Séoul +ADw-b+AD4- \\u0041</p>".encode("cp1252")
    assert articles("a.html", source)[0].text == "Séoul +ADw-b+AD4- \\u0041"


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"", "is empty"),
        (b"<html><script>x</script></html>", "is a page without a text"),
        (b"<p>" + b"x" * MAX_PAGE, "is a page of more than 5,000,000 bytes"),
        ("<p>Text.</p>".encode("utf-16"), "is UTF-16"),
    ],
)
def test_a_page_that_cannot_be_read(body: bytes, what: str) -> None:
    """A page without a text, too large, or in UTF-16 is told with what is wrong."""
    with pytest.raises(InputFault) as caught:
        articles("a.html", body)
    assert what in caught.value.what
    assert caught.value.mend


@pytest.mark.parametrize(
    "piece", ["<!--", "<", "<div>", "<article>", "<article>a</article><nav>x</nav>", "<nav>", "<script>", "<title ", "<meta a='", "&amp;", "<time datetime=x>"]
)  # fmt: skip
def test_markup_without_an_end_is_read_to_the_end(piece: str) -> None:
    """A page of one piece again and again, which a careless reader would look at from each piece on, is an article or a fault."""
    (entry,) = contents("a.html", (piece * (100_000 // len(piece))).encode())
    assert (entry.article is None) is (entry.fault is not None)
