"""The list of feeds as people write it: what is read, what is refused and why, and what is written."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from tests.system import ROOT
from tocsin.errors import RuleFaults
from tocsin.feeds import as_opml, as_yaml, line, read, shortest
from tocsin.subscription import Subscription, feed_id

URL = "https://news.example/rss"
GOOD = Subscription(
    feed_id(URL), URL, "Nachrichten <„&“>", "de", "DE", timedelta(minutes=5), timedelta(hours=2), pages=True
)


def test_the_list_it_comes_with_can_be_read() -> None:
    """infra/feeds.yaml loads without a fault, says that it is unverified, and names no feed twice."""
    body = (ROOT / "infra" / "feeds.yaml").read_bytes()
    feeds, faults = read("infra/feeds.yaml", body)
    assert faults == []
    assert len(feeds) == body.count(b"  - {url:") >= 60
    assert b"UNVERIFIED" in body
    assert all(feed.language for feed in feeds)


@pytest.mark.parametrize("form", ["yaml", "opml"])
def test_what_is_written_is_read_back(form: str) -> None:
    """Both formats keep everything, and a feed as usual is a short line."""
    usual = line(url="https://b.example/f?a=1&b=2", name="B")
    slow = line(url="https://c.example/", name="C", every="1d")
    text = (as_opml if form == "opml" else as_yaml)([GOOD, usual, slow])
    assert read(f"list.{form}", text.encode()) == ([GOOD, usual, slow], [])
    assert text.count("every") == 2


OPML: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "nested, in the manner of readers": (
        """<opml version="1.0"><body><outline text="World"><outline type="rss" title="A" xmlURL="https://a.example/f"/>
        <outline text="B" type="rss" xmlUrl="http://b.example/f" htmlUrl="http://b.example"/></outline></body></opml>""",
        [("A", "https://a.example/f"), ("B", "http://b.example/f")],
    ),
    "no name": (
        '<opml><body><outline xmlUrl="https://a.example/f"/></body></opml>',
        [("a.example", "https://a.example/f")],
    ),
    "a name with a line break and a mark": (
        '<opml><body><outline text="A&#10;B \u202ec" xmlUrl="https://a.example/f"/></body></opml>',
        [("A B c", "https://a.example/f")],
    ),
}


@pytest.mark.parametrize("name", OPML)
def test_opml_of_other_readers_is_read(name: str) -> None:
    """Outlines with an address are feeds, however deep and however named."""
    text, expected = OPML[name]
    found, faults = read("subscriptions.opml", text.encode())
    assert ([(feed.name, feed.url) for feed in found], faults) == (expected, [])


FAULTS: dict[str, tuple[str, str]] = {
    "an unknown field": ("feeds:\n - {url: https://a.example/f, name: A, evry: 5m}", "list:2:40: unknown field 'evry'; a feed has"),
    "no name": ("feeds:\n - {url: https://a.example/f}", "list:2:4: the feed has no 'name'"),
    "no feed": ("feeds:\n - https://a.example/f", "list:2:4: is no feed; write"),
    "a file": ("feeds:\n - {url: file:///etc/passwd, name: A}", "must be an address that starts with http://"),
    "a sign-in": ("feeds:\n - {url: https://me:secret@a.example/f, name: A}", "without a sign-in part"),
    "a port that is none": ("feeds:\n - {url: 'https://[::1', name: A}", "must be an address"),
    "a period": ("feeds:\n - {url: https://a.example/f, name: A, every: 5}", "every: write a number and a unit: 5m, 2h or 1d"),
    "too often": ("feeds:\n - {url: https://a.example/f, name: A, every: 99999d}", "must be between 1m and 30d"),
    "the wrong way round": ("feeds:\n - {url: https://a.example/f, name: A, every: 2h, slowest: 1h}", "`slowest` must not be shorter"),
    "twice": (
        "feeds:\n - {url: https://a.example/f, name: A}\n - {url: 'http://www.a.example/f?utm_source=x', name: B}",
        "list:3:5: the feed http://www.a.example/f?utm_source=x is on the list already, as 'A'",
    ),
    "outline": ('<opml><body><outline text="A" xmlUrl="javascript:alert(1)"/></body></opml>', "list:1:13: url: must be an address"),
    "nothing": ("<opml><body/></opml>", "no <outline> has an xmlUrl"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_wrong_line_is_named_with_its_place(name: str) -> None:
    """What is wrong with a feed is said with line and column, and leaves the others."""
    text, what = FAULTS[name]
    _, faults = read("list", text.encode())
    assert len(faults) == 1
    assert what in str(faults[0])


USELESS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "lists no feeds"),
    "no list": (b"feeds: none", "write `feeds:`"),
    "not utf-8": (b"feeds: \xff", "is not UTF-8"),
    "another document": (b"<html><body/></html>", "is no OPML: it begins with <html>"),
    "cut off": (b"<opml><body>", "is no XML: no element found"),
    "a bomb": (b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><opml>&b;</opml>', "declares a document type"),
    "a file's content": (
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><opml>&a;</opml>',
        "declares a document type",
    ),
    "too deep": (b"<opml>" * 60, "nested deeper than 50"),
    "too many": (b"<opml>" + b'<outline xmlUrl="https://a"/>' * 20_001, "more than 20,000 feeds"),
    "too long": (b" " * 5_000_001, "more than 5,000,000 bytes"),
    "an unknown encoding": (b'<?xml version="1.0" encoding="punycode"?><opml/>', "is no XML"),
}


@pytest.mark.parametrize("name", USELESS)
def test_a_file_that_is_no_list_is_refused(name: str) -> None:
    """A file of which nothing can be used ends with one fault that says why."""
    body, what = USELESS[name]
    with pytest.raises(RuleFaults, match=what.replace("(", r"\(")):
        read("list", body)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://a.example/f", "http://www.a.example/f/?utm_source=x#top", True),
        ("https://a.example/f?cat=1", "https://a.example/f?cat=2", False),
        ("https://a.example/", "http://a.example", True),
        ("https://a.example/", "https://b.example/", False),
    ],
)
def test_one_feed_has_one_id(one: str, other: str, same: bool) -> None:
    """What varies between links to one feed does not make another of it."""
    assert (feed_id(one) == feed_id(other)) is same


@pytest.mark.parametrize(
    "url", ["https://[::1", "nonsense", "", "https://ex\u00e4mple.\udc80/f", "http://" + "a" * 5_000]
)
def test_every_address_has_an_id(url: str) -> None:
    """Whatever somebody types, there is an id that can be a key, short and plain."""
    assert feed_id(url).isascii()
    assert len(feed_id(url)) < 120


def test_a_subscription_survives_json() -> None:
    """A subscription is read back as it was written."""
    assert Subscription.from_json(json.loads(json.dumps(GOOD.to_json()))) == GOOD


@pytest.mark.parametrize(("minutes", "written"), [(5, "5m"), (90, "90m"), (120, "2h"), (1_440, "1d"), (0.2, "1m")])
def test_lengths_are_written_as_they_are_read(minutes: float, written: str) -> None:
    """Lengths of time have the largest unit that fits."""
    assert shortest(timedelta(minutes=minutes)) == written
