"""Feeds changed at random, as nobody would think of it: whatever comes, a feed or a `FeedFault`, never anything else."""

from __future__ import annotations

import os
import random
import sys
import traceback
from collections.abc import Sequence

from tocsin.adapters.feed import parse
from tocsin.article import EARLIEST, MAX_TEXT
from tocsin.clean import clean
from tocsin.errors import FEED_FAULTS, FeedFault
from tocsin.feed import Feed

MANY = 80_000
PROGRESS = 10_000
"""Feeds after which it is told how far it is: all of them take minutes."""
RSS = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE rss [<!ENTITY more "and more">]>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:media="http://search.yahoo.com/mrss/" xml:base="https://example.org/"><channel><title>Wire &amp; more</title>
<link>https://example.org/</link><language>en</language><image><url>i.png</url><title>logo</title></image>
<item><title>Troops <![CDATA[& <b>tanks</b>]]></title><link>/a?x=1&amp;y=2</link><guid isPermaLink="false">a-1</guid>
<pubDate>Fri, 24 Jan 2025 10:00:00 +0900</pubDate><category domain="x">war</category><dc:creator>Kim</dc:creator>
<description>&lt;p&gt;One&lt;br/&gt;two&#8217;s &more;&lt;/p&gt;</description>
<content:encoded><![CDATA[<div><p>Full <a href="b">text</a></p><script>no()</script></div>]]></content:encoded>
<media:content url="v.mp4"><media:title>clip</media:title></media:content><enclosure url="e.mp3" length="5" type="audio/mpeg"/></item>
<item><title>Zweitens: größer</title><link>https://example.org/b</link><guid>https://example.org/b</guid>
<pubDate>2025-01-25T11:00:00Z</pubDate><source url="https://example.org/s">other</source><description>words &hellip;</description></item>
</channel></rss>"""
ATOM = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="fr"><title type="html">Le &amp;lt;fil&amp;gt;</title>
<link rel="self" href="https://example.org/atom"/><updated>2025-01-24T10:00:00Z</updated><id>urn:feed</id>
<entry><id>urn:1</id><title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">Des <em>missiles</em></div></title>
<link href="https://example.org/1" rel="alternate" type="text/html"/><published>2025-01-24T09:00:00+01:00</published>
<updated>2025-01-24T10:00:00Z</updated><author><name>Anne</name><email>a@example.org</email></author>
<summary type="text">court</summary><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Texte entier</p></div></content></entry>
<entry><id>urn:2</id><title>Deux</title><link href="2"/><content type="text/plain" mode="base64">VGV4dA==</content>
<source><title>autre</title><id>urn:s</id></source></entry></feed>"""
RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="https://example.org/"><title>Новости</title></channel>
<item rdf:about="https://example.org/r1"><title>Войска</title><link>https://example.org/r1</link><dc:date>2025-01-24</dc:date>
<description>Текст</description></item></rdf:RDF>"""
CDF = '<CHANNEL HREF="https://example.org/"><TITLE>T</TITLE><ITEM HREF="https://example.org/c"><TITLE>I</TITLE><ABSTRACT>x</ABSTRACT></ITEM></CHANNEL>'
JSON = """{"version": "https://jsonfeed.org/version/1.1", "title": "J", "feed_url": "https://example.org/j", "items": [
{"id": "1", "url": "/1", "title": "A &amp; b", "content_html": "<p>x</p>", "date_published": "2025-01-24T10:00:00+09:00"},
{"id": 2, "content_text": "\\u00fc \\ud83d\\udd14", "summary": "s", "date_modified": "2025-01-24T10:00:00Z"}]}"""
SEEDS = (*map(str.encode, (RSS, ATOM, RDF, CDF, JSON)), RSS.encode("utf-16"), RDF.encode("utf-16-be"))
TOKENS: Sequence[bytes] = (
    b"<", b">", b"&", b"]]>", b"<![CDATA[", b"<!--", b"-->", b"<?", b"?>", b"<!DOCTYPE x [", b"<item>", b"</item>", b"<entry>",
    b"</channel>", b"</rss>", b"<x a='", b'"', b"&#xD800;", b"&#0;", b"&lol;", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\x1f\x8b",
    b"\xed\xa0\x80", b"xmlns:", b"xml:base='", b"xmlns=''", b" encoding='utf-16'", b" encoding='punycode'", b"9" * 40, b"-", b"{",
    b"}", b"[", b"null", b"\\ud800", b"1e999", b"\n" * 50, b"<div>" * 300, b"\xe2\x80\xae", b"<link/>", b"<title", b"/>", b"%",
)  # fmt: skip


def mutated(chance: random.Random) -> bytes:
    """One feed with a few changes."""
    body = bytearray(chance.choice(SEEDS))
    for _ in range(chance.choice((1, 1, 2, 3, 5, 10, 40))):
        at = chance.randrange(len(body) + 1)
        end = min(len(body), at + chance.choice((1, 2, 8, 40, 200)))
        match chance.randrange(7):
            case 0:
                body[at:at] = chance.choice(TOKENS)
            case 1:
                body[at:end] = b""
            case 2:
                body[at:end] = chance.randbytes(end - at)
            case 3:
                body[at:at] = body[at:end] * chance.choice((1, 2, 20))
            case 4:
                body[at:end] = chance.choice(TOKENS)
            case 5:
                other = chance.choice(SEEDS)
                start = chance.randrange(len(other))
                body[at:end] = other[start : start + (end - at)]
            case _:
                if chance.random() < 0.2:
                    del body[at:]
    return bytes(body)


def wrong(feed: Feed) -> str:
    """What a feed is that it must not be; empty when nothing."""
    ids = [entry.id for entry in feed.entries]
    if len(set(ids)) < len(ids) or not all(ids):
        return "ids are empty or shared"
    for entry in feed.entries:
        if entry.link and not entry.link.startswith(("http://", "https://")):
            return f"the link {entry.link!r}"
        if any(clean(value) != value for value in (entry.id, entry.title, entry.link, entry.text)):
            return f"text that is not clean: {entry!r}"
        if len(entry.text) > MAX_TEXT or (entry.published and entry.published < EARLIEST):
            return "text or date beyond bounds"
    return ""


def run(count: int = MANY, seed: int = 0) -> dict[str, float]:
    """Reads so many: how many were feeds, how many `FeedFault`, how many anything else. What is wrong is printed with its seed."""
    read = faults = bad = 0
    for number in range(count):
        if number and number % PROGRESS == 0:
            print(f"{number:,} of {count:,} mutated feeds, {bad} wrong", file=sys.stderr, flush=True)  # noqa: T201
        body = mutated(random.Random(f"{seed}:{number}"))
        try:
            found = wrong(parse(body))
            read += 1
        except FeedFault as fault:
            found = "" if fault.kind in FEED_FAULTS else f"the kind {fault.kind!r}"
            faults += 1
        except Exception:  # noqa: BLE001 - that is what is looked for
            found = traceback.format_exc(limit=-3)
        if found:
            bad += 1
            print(f"BAD {seed}:{number}: {found}")  # noqa: T201
    return {"mutated": count, "read": read, "faults": faults, "uncaught": bad}


if __name__ == "__main__":
    print(run(int(sys.argv[1]) if len(sys.argv) > 1 else MANY, int(os.environ.get("SEED", "0"))))  # noqa: T201
