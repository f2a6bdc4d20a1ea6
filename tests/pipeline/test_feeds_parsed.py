"""Feeds read from bytes, and `tocsin feeds parse`."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from tests.system import ROOT, tocsin
from tocsin.adapters.feed import parse
from tocsin.errors import FEED_FAULTS, FeedFault
from tocsin.feed import FeedEntry
from tocsin.pieces import MOST, pieces

DAY = datetime(2025, 1, 24, 10, tzinfo=UTC)
ITEM = "<title>T</title><link>https://example.org/1</link><guid>g</guid>"
FORMATS = {
    "rss20": '<rss version="2.0"><channel><title>N</title><item><title>T</title><link>https://example.org/1</link>'
    "<guid>1</guid><pubDate>Fri, 24 Jan 2025 19:00:00 +0900</pubDate><description>&lt;p&gt;Text&lt;/p&gt;</description>"
    "</item></channel></rss>",
    "rss091n": '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://x/rss-0.91.dtd"><rss version="0.91">'
    "<channel><title>N</title><item><title>T</title><link>https://example.org/1</link><guid>1</guid>"
    "<pubDate>24 Jan 25 10:00:00 GMT</pubDate><description>Text</description></item></channel></rss>",
    "rss10": '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>N</title></channel><item rdf:about="1"><title>T</title>'
    "<link>https://example.org/1</link><dc:date>2025-01-24T10:00Z</dc:date><description>Text</description></item></rdf:RDF>",
    "atom10": '<feed xmlns="http://www.w3.org/2005/Atom"><title>N</title><entry><id>1</id><title type="html">T</title>'
    '<link href="https://example.org/1"/><published>2025-01-24T11:00:00+01:00</published><summary>Te</summary>'
    '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Text</p></div></content></entry></feed>',
    "cdf": '<CHANNEL><TITLE>N</TITLE><ITEM HREF="https://example.org/1" LASTMOD="2025-01-24T10:00Z"><TITLE>T</TITLE>'
    "<ABSTRACT>Text</ABSTRACT></ITEM></CHANNEL>",
    "json11": '{"version": "https://jsonfeed.org/version/1.1", "title": "N", "items": [{"id": 1, "url": "https://example.org/1", '
    '"title": "T", "content_html": "<p>Text</p>", "date_published": "2025-01-24T10:00:00Z"}]}',
}


def rss(items: str, head: str = "") -> bytes:
    """A feed around its items."""
    return f'<rss version="2.0"><channel><title>N</title>{head}{items}</channel></rss>'.encode()


def only(body: bytes, url: str = "") -> FeedEntry:
    """The one entry of a feed."""
    (entry,) = parse(body, url=url).entries
    return entry


def fault(body: bytes) -> FeedFault:
    """Why bytes are no feed."""
    with pytest.raises(FeedFault) as caught:
        parse(body)
    assert caught.value.kind in FEED_FAULTS
    return caught.value


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_gives_the_same_entry(form: str) -> None:
    """RSS, RDF, Atom, CDF and JSON Feed become the same values, whatever the format calls them."""
    feed = parse(FORMATS[form].encode())
    (entry,) = feed.entries
    assert (feed.format, feed.title, entry.title, entry.text) == (form, "N", "T", "Text")
    assert (entry.link, entry.published) == ("https://example.org/1", DAY)
    assert entry.id == ("https://example.org/1" if form == "cdf" else "1")
    assert feed.notes == ()


def test_an_id_is_never_empty() -> None:
    """Without an id of its own an entry is known by its link, else by its words; and by the same id each time."""
    body = rss(
        "<item><link>https://example.org/a</link></item><item><title>T</title></item><item><title>U</title></item>"
    )
    first, second, third = (entry.id for entry in parse(body).entries)
    assert first == "https://example.org/a"
    assert second and third and second != third  # noqa: PT018 - one thought
    assert parse(body) == parse(body)


@pytest.mark.parametrize(
    ("one", "other"),
    {
        "link": ("<link>https://example.org/1</link>", "<link>https://example.org/2</link>"),
        "title": ("<title>1</title>", "<title>2</title>"),
        "date": ("<pubDate>2025-01-24</pubDate>", "<pubDate>2025-01-25</pubDate>"),
        "text": ("<description>1</description>", "<description>2</description>"),
    }.values(),
)
def test_entries_that_share_an_id_are_told_apart(one: str, other: str) -> None:
    """Two entries of one guid that differ have ids of their own, the same ones in any order of the feed."""
    items = [f"<item><guid>g</guid>{inside}</item>" for inside in (one, other)]
    forth, back = (parse(rss("".join(order))).entries for order in (items, items[::-1]))
    assert len({entry.id for entry in forth}) == 2
    assert {entry.id: entry for entry in forth} == {entry.id: entry for entry in back}


def test_the_fullest_text_is_kept_without_the_title() -> None:
    """Of content and summary the longer text counts, and a first line that only says the title again is left out."""
    inside = "<title>T</title><description>short</description>"
    full = '<content:encoded xmlns:content="http://purl.org/rss/1.0/modules/content/"><![CDATA[<h1>T</h1><p>long text]]></content:encoded>'
    assert only(rss(f"<item>{inside}{full}</item>")).text == "long text"
    assert only(rss(f"<item>{inside}</item>")).text == "short"


@pytest.mark.parametrize(
    ("inside", "link"),
    {
        "a mere number as guid": ("<guid>42</guid>", ""),
        "an address as guid": ("<guid>https://example.org/g</guid>", "https://example.org/g"),
        "an address that is no link": ('<guid isPermaLink="false">https://example.org/g</guid>', ""),
        "a script, and an address as guid": ("<link>javascript:a()</link><guid>https://example.org/g</guid>", ""),
        "a link of Atom beside a guid": (
            '<guid>42</guid><a:link xmlns:a="http://www.w3.org/2005/Atom" href="/a" rel="http://www.iana.org/assignments/relation/alternate"/>',
            "https://example.org/a",
        ),
    }.values(),
)
def test_a_guid_is_a_link_only_when_it_is_an_address(inside: str, link: str) -> None:
    """What names an entry is not taken for its address, and does not stand before one."""
    feed = parse(rss(f"<item><title>T</title>{inside}</item>"), url="https://example.org/feed")
    assert feed.entries[0].link == link
    assert bool(feed.notes) == ("javascript" in inside)


def test_links_are_resolved() -> None:
    """A relative link is read against xml:base, else the feed's address, else the channel's link."""
    relative = "<item><title>T</title><link>/a</link></item>"
    assert only(rss(relative), url="https://example.org/x/feed").link == "https://example.org/a"
    assert only(rss(relative, "<link>https://example.com/</link>")).link == "https://example.com/a"
    based = rss(relative).replace(b"<channel>", b'<channel xml:base="https://example.net/">')
    assert only(based, url="https://example.org/").link == "https://example.net/a"
    assert only(rss("<item><link>javascript:alert(1)</link></item>")).link == ""


@pytest.mark.parametrize(
    ("given", "moment"),
    {
        "RFC 822": ("Fri, 24 Jan 2025 05:00:00 EST", DAY),
        "ISO 8601": ("2025-01-24T19:00:00+09:00", DAY),
        "a day": ("2025-01-24", DAY.replace(hour=0)),
        "slashes, the year first": ("2025/01/24 10:00:00", DAY),
        "a day in Korean": ("2025년 1월 24일 오전 10:00", DAY),
        "a day in Chinese": ("2025年01月24日 10:00:00", DAY),
        "a zone by name": ("Fri, 24 Jan 2025 19:00:00 KST", DAY),
        "a zone behind a day in digits": ("2025-01-24 10:00:00 UTC", DAY),
        "parts of a second": ("Fri, 24 Jan 2025 10:00:00.000 GMT", DAY),
        "no space behind the weekday": ("Fri,24 Jan 2025 10:00:00 GMT", DAY),
        "the month first": ("Friday, January 24, 2025 - 10:00", DAY),
        "halves of a day": ("Jan 24th, 2025 at 5:00 AM EST", DAY),
        "the end of a day": ("Fri, 24 Jan 2025 24:00:00 GMT", DAY.replace(day=25, hour=0)),
        "seconds of a clock": ("1737712800", DAY),
        "milliseconds of a clock": ("1737712800000", DAY),
        "how JavaScript prints it": ("Fri Jan 24 2025 19:00:00 GMT+0900 (Korea Standard Time)", DAY),
        "slashes, the year last": ("03/04/2025 10:00", None),
        "a day there is not": ("2025/02/30", None),
        "a clock never set": ("Thu, 01 Jan 1970 00:00:00 GMT", None),
        "a year too far": ("9999-12-31T00:00:00Z", None),
        "nonsense": ("the day after tomorrow", None),
    }.values(),
)
def test_dates_are_utc_or_nothing(given: str, moment: datetime | None) -> None:
    """A date is aware and in UTC; one that cannot be right is left out, and said so."""
    feed = parse(rss(f"<item>{ITEM}<pubDate>{given}</pubDate></item>"))
    assert feed.entries[0].published == moment
    assert bool(feed.notes) == (moment is None)


def test_only_what_was_updated_says_so() -> None:
    """An entry that gives only the time of its last change is published then, and updated then."""
    entry = only(FORMATS["atom10"].replace("published>", "updated>").encode())
    assert (entry.published, entry.updated) == (DAY, DAY)
    assert only(FORMATS["atom10"].encode()).updated is None


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8", "iso-8859-1"),
        ("windows-1251", "windows-1251"),
        ("utf-16", "utf-8"),
        ("koi8-r", "koi8-r"),
        ("utf-8", "punycode"),
    ],
)
def test_the_bytes_decide_how_they_are_read(encoding: str, declared: str) -> None:
    """A declared encoding is believed only where the bytes do not show another."""
    text = '<?xml version="1.0" encoding="%s"?>%s' % (declared, rss("<item><title>Войска</title></item>").decode())  # noqa: UP031
    assert only(text.encode(encoding)).title == "Войска"


@pytest.mark.parametrize(
    ("declared", "encoding", "words"),
    [
        ("euc-kr", "cp949", "똠방각하의 발사"),
        ("ks_c_5601-1987", "cp949", "뷁, 미사일"),
        ("Shift_JIS", "cp932", "①ミサイル"),
        ("x-sjis", "cp932", "髙官 表示"),
        ("windows-31j", "cp932", "発射"),
        ("big5", "big5hkscs", "粧 埗 共軍"),
        ("gb2312", "gbk", "朱镕基 導彈"),
        ("win-1251", "cp1251", "Войска"),
    ],
)
def test_encodings_are_as_wide_as_they_are_used(declared: str, encoding: str, words: str) -> None:
    """Under the old names of East Asia stand letters that came later, and names are spelt in more ways than Python knows."""
    text = f'<?xml version="1.0" encoding="{declared}"?>' + rss(f"<item><title>{words}</title></item>").decode()
    feed = parse(text.encode(encoding))
    assert (feed.entries[0].title, feed.notes) == (words, ())


def test_western_bytes_are_read_as_they_were_meant() -> None:
    """Curly quotes of windows-1252 in a feed that calls itself UTF-8 are read, and said so; what is UTF-8 in it stays."""
    feed = parse(
        b'<?xml version="1.0" encoding="utf-8"?>'
        + rss("<item><title>é @quoted~</title></item>").replace(b"@", b"\x93").replace(b"~", b"\x94")
    )
    assert feed.entries[0].title == "é “quoted”"
    assert "windows-1252" in feed.notes[0]
    assert "windows-1252" in parse(rss("<item><title>é</title></item>").decode().encode("latin-1")).notes[0]


def test_a_feed_cut_off_keeps_what_is_complete() -> None:
    """Every complete entry of a feed that breaks off is read; of the broken one, its complete elements; and it is said."""
    whole = rss(
        "".join(
            f"<item><title>T{n}</title><link>https://example.org/{n}</link><description>text {n}</description></item>"
            for n in range(5)
        )
    )
    feed = parse(whole[: whole.index(b"text 3") + 3])
    assert [entry.title for entry in feed.entries] == ["T0", "T1", "T2", "T3"]
    assert [entry.text for entry in feed.entries] == ["text 0", "text 1", "text 2", ""]
    assert any("cut off" in note for note in feed.notes)
    assert [entry.title for entry in parse(gzip.compress(whole)[:-12]).entries][:3] == ["T0", "T1", "T2"]
    cut = FORMATS["json11"].replace("}]}", '}, {"id": 2, "title": "half')
    assert [entry.id for entry in parse(cut.encode()).entries] == ["1"]


@pytest.mark.parametrize(
    ("inside", "text"),
    {
        "undeclared entities": ("a&nbsp;b &eacute; &hellip;", "a b é …"),
        "bare ampersands": ("Q&A & more", "Q&A & more"),
        "HTML not escaped": ("<p>one<br>two</p>", "one\ntwo"),
        "HTML never closed": ("<p>one<p>two", "one\ntwo"),
        "forbidden references": ("a&#0;b&#xD800;c", "a\ufffdb\ufffdc"),
        "control characters": ("a\x08b", "ab"),
        "a bare bracket": ("3 &lt; 5 < 7", "3 < 5 < 7"),
    }.values(),
)
def test_broken_markup_is_mended(inside: str, text: str) -> None:
    """What feeds get wrong every day costs neither the entry nor the one behind it."""
    feed = parse(rss(f"<item>{ITEM}<description>{inside}</description></item><item><title>next</title></item>"))
    assert [entry.title for entry in feed.entries] == ["T", "next"]
    assert feed.entries[0].text == text


def test_titles_never_closed_swallow_no_entry() -> None:
    """Where an entry begins, the title before it has ended, that of the feed too."""
    body = b"<rss version=2.0><channel><title>N<item><title>A<link>https://example.org/a<description>d</item><item><title>B</item>"
    feed = parse(body)
    assert [(entry.title, entry.link) for entry in feed.entries] == [("A", "https://example.org/a"), ("B", "")]


def test_entities_of_the_feed_itself_are_read_only_when_they_are_plain() -> None:
    """A short entity is replaced; one made of others, or of a file, is refused by name, and its value goes nowhere."""
    feed = rss(f"<item>{ITEM}<description>&x;</description></item>")
    assert only(b'<!DOCTYPE rss [<!ENTITY x "plain">]>' + feed).text == "plain"
    for value in (b'"&y;&y;"', b'SYSTEM "file:///etc/passwd"'):
        refused = fault(b"<!DOCTYPE rss [<!ENTITY x " + value + b">]>" + feed)
        assert (refused.kind, "entity x" in refused.what) == ("entities", True)


def test_a_web_page_names_its_feeds() -> None:
    """A page where a feed should be is told as one, with the address of the feed it links to."""
    page = b"<!DOCTYPE html><html><head><link rel=alternate type=application/rss+xml href='/rss'></head><p>x</html>"
    with pytest.raises(FeedFault, match=r"web page.*https://example\.org/rss") as caught:
        parse(page, url="https://example.org/")
    assert caught.value.kind == "html"


@pytest.mark.parametrize(
    ("body", "kind", "says"),
    {
        "nothing": (b" ", "empty", "empty"),
        "text": (b"Bad gateway", "not-a-feed", "'Bad gateway'"),
        "a PDF": (b"%PDF-1.7", "not-a-feed", "PDF"),
        "a list of feeds": (b"<opml/>", "not-a-feed", "tocsin feeds import"),
        "another JSON": (b'{"error": 1}', "not-a-feed", "JSON"),
        "broken JSON": (b'{"version": ', "malformed", "JSON"),
        "twice compressed": (gzip.compress(gzip.compress(b"x", mtime=0), mtime=0), "compressed", "twice"),
        "too deep": (b"<rss>" * 300, "too-complex", "200"),
        "commands": (b"Service \x1b[31m temporarily unavailable", "not-a-feed", "'Service [31m temp"),
    }.values(),
)
def test_what_is_no_feed_says_why(body: bytes, kind: str, says: str) -> None:
    """A typed error names the cause, and nothing the bytes say can command a terminal or a log."""
    caught = fault(body)
    assert (caught.kind, says in caught.what, caught.what.isprintable()) == (kind, True, True)


SLOW = rss(f"<item>{ITEM}{'<x/>' * 100_000}</item>")


def reading(body: bytes, seconds: float = 0.1, clock: float = 60.0) -> str:
    """What came of reading, with next to no time."""
    try:
        return parse(body, seconds=seconds, clock=clock).format
    except FeedFault as caught:
        return caught.kind


def item(name: str, text: str = "T") -> str:
    """An item of RSS."""
    return f"<item><title>{name}</title><guid>{name}</guid><description>{text}</description></item>"


def test_what_is_known_is_left_out() -> None:
    """Of a feed most of which is known only what is new is read; what was edited is new."""
    before = parse(rss("".join(map(item, "abcd"))))
    assert len(before.marks) == 4
    assert not before.partial
    after = parse(rss("".join(map(item, "xabc"))), known=before.marks)
    assert ([one.title for one in after.entries], after.partial, len(after.marks)) == (["x"], True, 4)
    edited = parse(rss(item("a", "U") + "".join(map(item, "bcd"))), known=before.marks)
    assert [(one.title, one.text) for one in edited.entries] == [("a", "U")]
    assert parse(rss("".join(map(item, "dcba")), "<ttl>5</ttl>"), known=before.marks).entries == ()
    atom = FORMATS["atom10"].encode()
    assert parse(atom, known=parse(atom).marks).entries == ()


@pytest.mark.parametrize(
    "inside",
    [
        "<item><title>x</title><description><![CDATA[ </item>"
        + item("a")
        + "<item> ]]></description></item>"
        + item("b"),
        "<item><title>x</title><item><title>y</title></item></item>" + item("a") + item("b"),
        "<!-- " + item("a") + " -->" + item("b") + item("c") + item("x"),
        item("a") + item("b") + "<item><title>x",
        item("a") + item("b") + "<item><title>x</title><description>one & two</description></item>",
    ],
    ids=["in a section", "in one another", "in a comment", "cut off", "broken"],
)
def test_what_is_cut_wrongly_is_read_whole(inside: str) -> None:
    """Where places by name are not those of entries nothing is left out that was not read before."""
    body = rss(inside)
    whole, known = parse(body), parse(rss("".join(map(item, "abc")))).marks
    cut = parse(body, known=known)
    told = {one.title for one in cut.entries} | (set("abc") if cut.partial else set())
    assert {one.title for one in whole.entries} <= told
    assert parse(body, known=whole.marks).entries in {(), whole.entries}


def test_places_are_found_in_linear_time() -> None:
    """Elements that are never closed, and too many, are no entries; only whole names count."""
    assert pieces("<item>" * 200_000, 0).marks == ()
    assert pieces("<item></item>" * (MOST + 1), 0).marks == ()
    assert pieces("<items><item/></items><itemize></item>", 0).marks == ()
    text = "<item>a</item> <item x='1'>b</item>"
    found = pieces(text, 0)
    assert [text[start:end] for start, end in found.places] == ["<item>a</item>", "<item x='1'>b</item>"]
    assert found.without({found.marks[0]}, text) == " <item x='1'>b</item>"


def test_the_alarm_stops_what_takes_too_long() -> None:
    """Reading ends when its time is up, in a pattern of feedparser's that takes the square of its input, too; the next feed is read."""
    author = rss(f"<item>{ITEM}<author>{'a' * 100_000}</author></item>")
    assert [reading(body) for body in (SLOW, author, rss(""))] == ["too-slow", "too-slow", "rss20"]


def test_the_alarm_looks_at_the_clock_too() -> None:
    """However little the processor does, reading ends when the time on the clock is up; the next feed is read."""
    assert [reading(body, 60, 0.1) for body in (SLOW, rss(""))] == ["too-slow", "rss20"]


def test_the_alarm_rings_in_any_thread() -> None:
    """Where no signal can come, in another thread, slow reading is stopped all the same, by both times."""
    found: list[str] = []
    tries = [(rss(""), 60), (SLOW, 60), (SLOW, 0.1), (rss(""), 60)]
    thread = threading.Thread(target=lambda: found.extend(reading(body, clock=clock) for body, clock in tries))
    thread.start()
    thread.join()
    assert found == ["rss20", "too-slow", "too-slow", "rss20"]


def dated(number: int) -> str:
    """An entry of so many hours after the first."""
    day = datetime(2025, 3, 1, tzinfo=UTC) + timedelta(hours=number)
    return f"<item><guid>g{number}</guid><title>Title {number}</title><pubDate>{format_datetime(day)}</pubDate></item>"


LONG = 2_003
"""Entries: three more than are read."""


@pytest.mark.parametrize(("rising", "whole"), [(False, True), (True, False)])
def test_of_a_long_feed_the_newest_entries_are_read(rising: bool, whole: bool) -> None:
    """Whichever way a feed of thousands is written, broken at its end or not, the newest are read, and what was left out is told."""
    order = range(LONG) if rising else reversed(range(LONG))
    body = rss("<link>https://example.org/</link>" + "".join(map(dated, order)))
    feed = parse(body if whole else body.removesuffix(b"</channel></rss>"))
    assert {entry.title for entry in feed.entries} == {f"Title {number}" for number in range(3, LONG)}
    those = "its first 3, which are older," if rising else "its last 3"
    assert feed.left_out == (f"has 2,003 entries, of which 2,000 are read at a time: {those} were left out",)
    assert (set(feed.left_out) <= set(feed.notes), feed.link) == (True, "https://example.org/")


@pytest.mark.parametrize("rising", [True, False])
def test_so_it_is_with_json(rising: bool) -> None:
    """Of a JSON Feed of thousands the newest items are read; what is no item is told, too."""
    day = datetime(2025, 3, 1, tzinfo=UTC)
    items = [{"id": str(n), "date_published": (day + timedelta(hours=n)).isoformat()} for n in range(LONG)]
    ordered = items if rising else items[::-1]
    feed = parse(json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [7, *ordered]}).encode())
    assert {entry.id for entry in feed.entries} == {str(number) for number in range(3, LONG)}
    assert [note[:13] for note in feed.left_out] == ["has items tha", "has 2,003 ent"]


def test_entries_that_do_not_stand_beside_one_another_are_read_from_the_first() -> None:
    """Of thousands of entries in two channels of other names the first are read: nobody can say which is the last."""
    feed = parse(rss("<a>" + dated(0) * 1_500 + "</a><b>" + dated(9) * 1_500 + "</b>"))
    assert (len(feed.entries), [note[:17] for note in feed.left_out]) == (2_000, ["has 3,000 entries"])


def test_parse_prints_one_line_a_file(tmp_path: Path) -> None:
    """`tocsin feeds parse` prints a line for each file, errors among them, in order, and ends with 1 when there was one."""
    good, page, pipe = tmp_path / "good.xml", tmp_path / "page.html", tmp_path / "pipe"
    good.write_text(FORMATS["rss20"])
    page.write_text("<html></html>")
    os.mkfifo(pipe)
    ran = tocsin(
        "feeds", "parse", "--format", "ndjson", good, page, pipe, tmp_path, tmp_path / "none", "/dev/zero", good
    )
    entry = {
        "id": "1",
        "title": "T",
        "link": "https://example.org/1",
        "published": "2025-01-24T10:00:00+00:00",
        "text": "Text",
    }
    read = {"file": str(good), "format": "rss20", "entries": [entry], "notes": []}
    assert (ran.code, ran.rows[0], ran.rows[-1]) == (1, read, read)
    assert [row["error"] for row in ran.rows[1:-1]] == ["html", *["unreadable"] * 4]
    assert all(set(row) == {"file", "error", "reason"} and row["reason"] for row in ran.rows[1:-1])


def test_parse_is_readable(tmp_path: Path) -> None:
    """For people: the format, the notes, and a line with date and title for each entry."""
    path = tmp_path / "feed.json"
    path.write_text(json.dumps({**json.loads(FORMATS["json11"]), "version": None}))
    ran = tocsin("feeds", "parse", path)
    assert ran.code == 0
    assert "feed.json: json1, 1 entry" in ran.out
    assert "does not say which version" in ran.out
    assert "2025-01-24 10:00  T  (4 characters)" in ran.out
    assert tocsin("feeds", "parse").code == 3


def test_what_is_printed_is_utf_8_and_commands_no_terminal(tmp_path: Path) -> None:
    """News in any script can be printed in any locale, and neither the name of a file nor what is in it moves the cursor."""
    path = tmp_path / "a\x9b\u202e\n.xml"
    path.write_text(rss("<item><title>북한 \u0644\u200c\u0645</title></item>").decode())
    program = [sys.executable, "-c", "from tocsin.cli import main; main()", "feeds", "parse", "--format"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    for form in ("table", "ndjson"):
        ran = subprocess.run([*program, form, path], cwd=ROOT, env=environment, capture_output=True, check=True)
        out = ran.stdout.decode()
        assert "북한" in out
        assert not {"\x9b", "\u202e", "\x1b"} & set(out)
    assert json.loads(out)["file"] == str(path)
