"""Feeds that lie, break, swell and attack: each with what must come of it.

`feeds()` generates them; nothing here is stored. `fate` is the kind of `FeedFault`, or `read`: then `entries` are kept. `run()` reads
each in a process of its own and measures what it takes; `make hostile` prints that.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import resource
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tocsin.adapters.feed import MAX_BYTES, parse
from tocsin.article import MAX_TEXT
from tocsin.errors import FeedFault

READ = "read"
SLOW = "read or too-slow"
"""As the processor goes."""
MB = 1_000_000
MOST_SECONDS, MOST_MEGABYTES = 5, 150
TRIES = 3


@dataclass(frozen=True, slots=True)
class Hostile:
    """One feed. `make` builds its bytes only when they are wanted."""

    name: str
    make: Callable[[], bytes]
    fate: str
    entries: int | None = None
    content_type: str = ""
    """As the server says it."""


def rss(items: str, head: str = "", declaration: str = "") -> str:
    """A feed around its items."""
    return f'{declaration}<rss version="2.0"><channel><title>T</title>{head}{items}</channel></rss>'


def item(number: int = 1, inside: str = "") -> str:
    """An entry that would be read, with something in it."""
    return (
        f"<item><title>Title {number}</title><link>https://example.org/{number}</link>"
        f"<guid>g{number}</guid>{inside}</item>"
    )


def atom(entries: str, attributes: str = "") -> str:
    """An Atom feed around its entries."""
    return f'<feed xmlns="http://www.w3.org/2005/Atom"{attributes}><title>T</title>{entries}</feed>'


def entry(inside: str = "") -> str:
    """An entry of Atom."""
    return f'<entry><id>urn:1</id><title>Title</title><link href="https://example.org/1"/>{inside}</entry>'


def feeds() -> Iterator[Hostile]:
    """All of them."""
    for group in GROUPS:
        yield from group()


def outcome(hostile: Hostile, body: bytes) -> str:
    """What is wrong with what came of it; empty when nothing."""
    try:
        feed = parse(body, content_type=hostile.content_type)
    except FeedFault as fault:
        right = fault.kind in hostile.fate.split(" or ") and fault.what and str(fault).isprintable()
        return "" if right else f"{fault!a} where {hostile.fate} was to come"
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        return repr(error)
    if READ not in hostile.fate.split(" or "):
        return f"{len(feed.entries)} entries were read where {hostile.fate} was to come"
    if hostile.entries not in {None, len(feed.entries)}:
        return f"{len(feed.entries)} of {hostile.entries} entries were read: {feed.notes}"
    return ""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one feed took, in seconds on the clock and of the processor."""

    wrong: str
    seconds: float
    processor: float
    megabytes: float


def measured(hostile: Hostile) -> Cost:
    """Reads it in a child of this process, from which it cannot harm the others."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        body = hostile.make()
        before, started, used = memory(reset=True), time.perf_counter(), time.process_time()
        wrong = outcome(hostile, body)
        cost = [wrong, time.perf_counter() - started, time.process_time() - used, memory() - before]
        os.write(writing, json.dumps(cost).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    return Cost(*json.loads(told)) if told else Cost("the process died", 0, 0, 0)


def _cost(hostile: Hostile) -> Cost:
    """What it takes; what comes out wrong or takes too long is tried twice more, for others may run on this machine."""
    tries = [measured(hostile)]
    while (tries[-1].wrong or tries[-1].seconds > MOST_SECONDS) and len(tries) < TRIES:
        tries.append(measured(hostile))
    return min(tries, key=lambda cost: (bool(cost.wrong), cost.seconds))


def memory(*, reset: bool = False) -> float:
    """Megabytes this process has held at most, or since the last reset."""
    try:
        if reset:
            Path("/proc/self/clear_refs").write_text("5")
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1_000
    except OSError:  # no Linux: then it is never reset, and the figures are upper bounds
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000


def run() -> dict[str, float]:
    """Reads all of them; what is wrong is printed."""
    parse(rss(item()).encode())  # feedparser is imported once, not by every child
    costs = {hostile.name: _cost(hostile) for hostile in feeds()}
    beyond = {
        name: cost.wrong or f"{cost.seconds:.1f} s, {cost.megabytes:.0f} MB"
        for name, cost in costs.items()
        if cost.wrong or cost.seconds > MOST_SECONDS or cost.megabytes > MOST_MEGABYTES
    }
    for name, wrong in beyond.items():
        print(f"BAD {name}: {wrong}")  # noqa: T201
    return {
        "feeds": len(costs),
        "wrong": len(beyond),
        "slowest_seconds": round(max(cost.seconds for cost in costs.values()), 2),
        "slowest_processor_seconds": round(max(cost.processor for cost in costs.values()), 2),
        "largest_megabytes": round(max(cost.megabytes for cost in costs.values()), 1),
    }


def _text(name: str, text: str | Callable[[], str], fate: str = READ, entries: int | None = None) -> Hostile:
    def make() -> bytes:
        return (text if isinstance(text, str) else text()).encode()

    return Hostile(name, make, fate, entries)


def _laughs(levels: int, width: int) -> str:
    lines = ['<!ENTITY lol0 "lol">']
    lines += [f'<!ENTITY lol{n} "{f"&lol{n - 1};" * width}">' for n in range(1, levels)]
    return f"<!DOCTYPE rss [{''.join(lines)}]>"


def bombs() -> Iterator[Hostile]:
    """Small things that become large, and entities that fetch files."""
    for levels, width in ((10, 10), (30, 2), (4, 100)):
        doc = rss(item(1, f"<description>&lol{levels - 1};</description>"), declaration=_laughs(levels, width))
        yield _text(f"billion laughs, {levels} levels of {width}", doc, "entities")
    doc = rss(
        item(1, f"<description>{'&a;' * 50_000}</description>"),
        declaration=f'<!DOCTYPE r [<!ENTITY a "{"a" * 50_000}">]>',
    )
    yield _text("quadratic blow-up", doc, "entities")
    small = rss(
        item(1, f"<description>{'&a;' * 50_000}</description>"), declaration='<!DOCTYPE r [<!ENTITY a "short">]>'
    )
    yield _text("one short entity, 50,000 times", small, READ, 1)
    for name, value in {
        "a file": 'SYSTEM "file:///etc/passwd"',
        "an address": 'SYSTEM "http://169.254.169.254/latest/meta-data/"',
        "a public id": 'PUBLIC "x" "http://127.0.0.1/x"',
        "itself": '"&x;"',
        "a parameter entity": '"%y;"',
    }.items():
        doc = rss(item(1, "<description>&x;</description>"), declaration=f"<!DOCTYPE rss [<!ENTITY x {value}>]>")
        yield _text(f"entity from {name}", doc, "entities")
    yield _text(
        "external entity that is not used",
        rss(item(), declaration='<!DOCTYPE r [<!ENTITY x SYSTEM "file:///x">]>'),
        READ,
        1,
    )
    yield _text(
        "external parameter entity",
        rss(item(), declaration='<!DOCTYPE r [<!ENTITY % x SYSTEM "http://127.0.0.1/x"> %x;]>'),
        READ,
        1,
    )
    yield _text(
        "external document type", rss(item(), declaration='<!DOCTYPE rss SYSTEM "http://127.0.0.1/rss.dtd">'), READ, 1
    )
    many = "".join(f'<!ENTITY e{n} "{n}">' for n in range(50_000))
    yield _text("50,000 entities declared", rss(item(), declaration=f"<!DOCTYPE rss [{many}]>"), READ, 1)
    attributes = "".join(f'<!ATTLIST item a{n} CDATA "x">' for n in range(20_000))
    yield _text("attributes by default", rss(item(), declaration=f"<!DOCTYPE rss [{attributes}]>"), READ, 1)
    yield _text("a document type never closed", "<!DOCTYPE rss [" + "<!ENTITY x 'y'>" * 50_000 + rss(item()), READ, 1)
    yield _text("50,000 document types never closed", "<!DOCTYPE x [" * 50_000 + rss(item()), READ, 1)
    yield _text("a document type in the middle", rss(item() + '<!DOCTYPE x [<!ENTITY a "b">]>' + item(2)), READ, 2)
    yield _text(
        "XInclude",
        rss(item(1, '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>')),
        READ,
        1,
    )
    yield _text("a style sheet", '<?xml-stylesheet href="file:///etc/passwd"?>' + rss(item()), READ, 1)
    for size in (MB * 20, MB * 100):
        yield Hostile(f"gzip of {size:,} spaces", partial(_bomb, b" ", size), "too-large")
    yield Hostile("gzip of a feed of 100 MB", partial(_bomb, item().encode(), 100 * MB), "too-large")
    yield Hostile("gzip in gzip", lambda: gzip.compress(gzip.compress(rss(item()).encode())), "compressed")
    yield Hostile("gzip", lambda: gzip.compress(rss(item()).encode()), READ, 1)
    yield Hostile("gzip with junk behind", lambda: gzip.compress(rss(item()).encode()) + b"junk" * 100, READ, 1)
    whole = rss("".join(item(n, f"<description>{_words(40, n)}</description>") for n in range(200))).encode()
    yield Hostile("gzip cut off", lambda: gzip.compress(whole)[:-4_000], READ)
    yield Hostile("gzip with a wrong checksum", lambda: gzip.compress(whole)[:-8] + b"\0" * 8, "compressed")
    yield Hostile("gzip that is none", lambda: b"\x1f\x8b" + b"not at all" * 10, "compressed")
    yield Hostile("gzip of nothing", lambda: gzip.compress(b""), "empty")
    yield Hostile("gzip header alone", lambda: b"\x1f\x8b", "empty")
    yield Hostile("deflate without saying so", lambda: zlib.compress(whole), "not-a-feed")


def _words(count: int, seed: int) -> str:
    chance = random.Random(seed)
    return " ".join("".join(chance.choices("abcdefghij", k=6)) for _ in range(count))


def _bomb(chunk: bytes, size: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    block = chunk * (MB // len(chunk))
    return b"".join([*(packer.compress(block) for _ in range(size // len(block))), packer.flush()])


def growth() -> Iterator[Hostile]:
    """What takes quadratic time in some part of a parser."""
    yield _text("20 kB of lines before the root", "\n" * 20_000 + rss(item()), READ, 1)
    yield _text("1 MB of lines before the root", "\n" * MB + rss(item()), "not-a-feed")
    yield _text("lines behind the declaration", '<?xml version="1.0"?>' + "\n" * 50_000 + rss(item()), READ, 1)
    yield _text(
        "516 kB of categories",
        rss(item(1, "".join(f"<category>c{n}</category>" for n in range(22_000)))),
        "too-complex",
    )
    yield _text(
        "categories of the channel",
        rss(item(), "".join(f"<category>c{n}</category>" for n in range(22_000))),
        "too-complex",
    )
    yield _text(
        "categories of Atom", atom(entry("".join(f'<category term="c{n}"/>' for n in range(22_000)))), "too-complex"
    )
    some = "".join(f"<category>c{n}</category>" for n in range(300))
    yield _text("many categories in many entries", rss("".join(item(n, some) for n in range(100))), "too-complex")
    yield _text(
        "forty categories an entry",
        rss("".join(item(n, "".join(f"<category>c{k}</category>" for k in range(40))) for n in range(500))),
        READ,
        500,
    )
    keywords = ",".join(f"k{n}" for n in range(60_000))
    itunes = ' xmlns:itunes="http://www.itunes.com/DTDs/PodCast-1.0.dtd"'
    yield _text(
        "keywords in one element", rss(item(1, f"<itunes:keywords{itunes}>{keywords}</itunes:keywords>")), "too-complex"
    )
    yield _text("tags in one element", rss(item(1, f"<tags>{keywords}</tags>")), "too-complex")
    yield _text("an author of 300 kB", rss(item(1, f"<author>{'a' * 300_000}</author>")), "too-slow")
    for what in (
        "<!--",
        "<![CDATA[",
        "<!",
        "<?",
        "<",
        "</",
        "<a ",
        '<a b="',
        "<a b='",
        "&",
        "&#",
        "&#x",
        "]]>",
        "-->",
        "<a/",
        "<item>",
    ):
        yield _text(f"1 MB of {what} in an entry", partial(_repeated, what), _swollen(what), None)
    for what in (
        "<!--",
        "<![CDATA[",
        "<a ",
        '<a b="',
        "<div>",
        "<script>",
        "<style>",
        "<svg>",
        "&",
        "&#",
        "</",
        "<!",
        "<b><i>",
    ):
        yield _text(f"1 MB of escaped {what}", partial(_escaped, what), SLOW)
    yield _text("1 MB of escaped <table>", partial(_escaped, "<table><tr><td>"), SLOW)
    yield _text("one name of 1 MB", rss(item(1, f"<{'a' * MB}/>")), READ, 1)
    yield _text("one attribute of 1 MB", rss(item(1, f'<x a="{"a" * MB}"/>')), READ, 1)
    yield _text(
        "100,000 attributes", rss(item(1, "<x " + " ".join(f'a{n}="1"' for n in range(100_000)) + "/>")), "too-complex"
    )
    yield _text("one attribute 100,000 times", rss(item(1, "<x " + 'a="1" ' * 100_000 + "/>")), READ, 1)
    yield _text(
        "10,000 namespaces", rss(item(1, "".join(f'<x xmlns:n{n}="urn:{n}"/>' for n in range(10_000)))), "too-complex"
    )
    yield _text("a namespace of 1 MB", rss(item(1, f'<x xmlns:n="{"u" * MB}"/>')), READ, 1)
    yield _text("an xml:base of 1 MB", rss(item(1, f'<x xml:base="{"u" * MB}">{"<y/>" * 10_000}</x>')), "too-complex")
    yield _text("xml:base upon xml:base", rss(item(1, '<x xml:base="a/">' * 150 + "</x>" * 150)), READ, 1)
    yield _text("a million empty elements", rss(item(1, "<x/>" * MB)), "too-complex")
    yield _text(
        "a million lines of text",
        rss(item(1, f"<description>{'a&#10;' * MB}</description>")),
        "too-complex or too-slow",
    )
    yield _text("2.4 million references", rss(item(1, f"<description>{'&lt;' * 2_400_000}</description>")), SLOW)
    yield _text("5,000 entries", rss("".join(map(item, range(5_000)))), READ, 2_000)
    yield _text("300,000 entries", rss("<item/>" * 300_000), READ, 2_000)
    yield _text("2,000 entries of one id", rss(item() * 2_000), READ, 2_000)
    yield _text(
        "100,000 links in an entry", rss(item(1, '<link href="https://example.org/"/>' * 100_000)), "too-complex"
    )
    yield _text(
        "as large as is read",
        rss(item(1, f"<description>{'words ' * ((MAX_BYTES - 1_000) // 6)}</description>")),
        READ,
        1,
    )
    wide = f"<description>\U0001f514{'words ' * ((MAX_BYTES - 1_000) // 6)}</description>"
    yield _text("as large as is read, with a wide character", rss(item(1, wide)), SLOW)
    yield _text("a byte too large", lambda: rss(item()) + " " * MAX_BYTES, "too-large")
    yield Hostile("50 MB of zeros", lambda: b"\0" * 50 * MB, "too-large")
    yield Hostile("9 MB of zeros", lambda: b"\0" * 9 * MB, "empty")
    noise = random.Random(5).randbytes(3 * MB)
    yield Hostile("3 MB of noise", lambda: noise, "not-a-feed")
    yield Hostile(
        "noise in a feed",
        lambda: rss(item(1, "<description>@</description>")).encode().replace(b"@", noise),
        f"{SLOW} or too-complex",
    )


def _repeated(what: str) -> str:
    return rss(item(1, f"<description>{what * (MB // len(what))}</description>") + item(2))


def _swollen(what: str) -> str:
    return "too-complex" if what == "<item>" else SLOW


def _escaped(what: str) -> str:
    inside = (what * (MB // len(what))).replace("&", "&amp;").replace("<", "&lt;")
    return rss(item(1, f"<description>{inside}</description>"))


def nesting() -> Iterator[Hostile]:
    """Depth."""
    for depth in (1_000, 100_000):
        yield _text(f"{depth:,} levels", rss(item(1, "<x>" * depth + "</x>" * depth)), "too-complex")
        yield _text(f"{depth:,} levels never closed", rss(item(1, "<x>" * depth)), "too-complex")
        div = "<div>" * depth + "deep" + "</div>" * depth
        yield _text(f"{depth:,} levels of XHTML", atom(entry(f'<content type="xhtml">{div}</content>')), "too-complex")
        escaped = div.replace("<", "&lt;")
        yield _text(f"{depth:,} levels of escaped HTML", rss(item(1, f"<description>{escaped}</description>")), READ, 1)
        yield _text(f"{depth:,} entries in one another", rss("<item>" * depth + "</item>" * depth), "too-complex")
        yield _text(f"{depth:,} brackets", "[" * depth, "too-complex or malformed")
        yield _text(f"{depth:,} objects", '{"items":' * depth, "too-complex or malformed")
    yield _text("an entry in an entry", rss(f"<item><title>outer</title>{item(2)}</item>"), READ, 2)
    yield _text("a feed in a feed", rss(rss(item())), READ, 1)
    yield _text("100 levels", rss(item(1, "<x>" * 100 + "</x>" * 100)), READ, 1)


def encodings() -> Iterator[Hostile]:
    """Lies about bytes."""
    body = rss(item(1, "<description>žluťoučký kůň, войска, 部队</description>"))
    for name in (
        "punycode", "idna", "unicode_escape", "raw_unicode_escape", "undefined", "utf-7", "rot13", "hex", "base64", "zlib",
        "bz2", "uu", "quopri", "mbcs", "none", "utf-8-sig", "UTF-16", "utf-32", "us-ascii", "iso-8859-1", "x" * 39, "../../etc",
    ):  # fmt: skip
        declared = f'<?xml version="1.0" encoding="{name}"?>{body}'.encode()
        yield Hostile(f"UTF-8 declared as {name}", partial(bytes, declared), READ, 1)
    for name in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"):
        yield Hostile(f"{name} without a declaration", partial(body.encode, name), READ, 1)
        lying = f'<?xml version="1.0" encoding="utf-8"?>{body}'.encode(name)
        yield Hostile(f"{name} declared as utf-8", partial(bytes, lying), READ, 1)
    western = rss(item(1, "<description>d\xe9j\xe0 vu \x93quoted\x94 \x80</description>")).encode("latin-1")
    yield Hostile("windows-1252 that says nothing", partial(bytes, western), READ, 1)
    yield Hostile(
        "windows-1252 declared as utf-8", lambda: b'<?xml version="1.0" encoding="utf-8"?>' + western, READ, 1
    )
    yield Hostile(
        "windows-1252 declared as utf-8 by the server", partial(bytes, western), READ, 1, "text/xml; charset=utf-8"
    )
    yield Hostile("UTF-8 with one stray byte", lambda: body.encode().replace(b", ", b"\xff, ", 1), READ, 1)
    yield Hostile("UTF-16 with an odd byte", lambda: body.encode("utf-16") + b"\x00", READ, 1)
    yield Hostile("two byte order marks", lambda: b"\xef\xbb\xbf\xef\xbb\xbf" + body.encode(), READ, 1)
    yield Hostile("a server's charset of nonsense", body.encode, READ, 1, "text/xml; charset=" + "q" * 10_000)
    yield Hostile("zeros between the tags", lambda: body.replace("><", ">\0<").encode(), READ, 1)
    yield Hostile("overlong UTF-8", lambda: body.encode().replace(b", ", b"\xc0\xbcscript\xc0\xbe", 1), READ, 1)
    yield Hostile("surrogates in UTF-8", lambda: body.encode().replace(b", ", b"\xed\xa0\x80", 1), READ, 1)
    yield _text("XML 1.1", '<?xml version="1.1"?>' + body, READ, 1)
    yield _text("XML 9.9", '<?xml version="9.9" standalone="perhaps"?>' + body, READ, 1)
    yield _text("two declarations", '<?xml version="1.0"?><?xml version="1.0"?>' + body, READ, 1)
    yield _text("a declaration of 1 MB", f'<?xml version="1.0" {" " * MB}?>{body}', READ, 1)


def truncation() -> Iterator[Hostile]:
    """Ends in the middle."""
    whole = rss(
        "".join(item(n, f"<description><![CDATA[<p>{_words(20, n)}</p>]]></description>") for n in range(10))
    ).encode()
    eighth = whole.index(b"<title>Title 7<")
    places = {
        "behind an entry": whole.index(b"<item><title>Title 7<"),
        "in a tag": eighth - 3,
        "in a title": eighth + 10,
        "in a link": whole.index(b"example.org/7") + 5,
        "in a section": whole.index(b"<p>", eighth) + 30,
        "in the end of a section": whole.index(b"]]>", eighth) + 1,
        "in an end tag": whole.index(b"</item>", eighth) + 4,
    }
    for name, at in places.items():
        yield Hostile(f"cut {name}", partial(bytes, whole[:at]), READ, None)
    yield Hostile("the end of the channel is missing", lambda: whole.removesuffix(b"</channel></rss>"), READ, 10)
    yield Hostile("the last bracket is missing", lambda: whole[:-1], READ, 10)
    yield Hostile("the first half alone", lambda: whole[: len(whole) // 2], READ, None)
    yield Hostile("the second half alone", lambda: whole[len(whole) // 2 :], READ, None)
    yield Hostile("a root tag that breaks off", lambda: b'<rss version="2.0', READ, 0)
    yield Hostile("a root and nothing else", lambda: b'<rss version="2.0">', READ, 0)
    yield Hostile("cut in a character", lambda: rss(item(1, "<description>войска")).encode()[:-1], READ, 1)


def broken() -> Iterator[Hostile]:
    """Markup as it really comes."""
    whole = rss(item(1, "<description>Fish &amp; chips</description>") + item(2))
    for name, inside in {
        "undeclared entities": "<description>a&nbsp;b&eacute;&hellip;&bogus;</description>",
        "bare ampersands": "<description>Q&A & more &</description><x a='b&c'/>",
        "a bare bracket": "<description>a < b and 3 <4</description>",
        "a surrogate": "<description>a&#xD800;b</description>",
        "character zero": "<description>a&#0;b&#x0;c</description>",
        "a number without end": f"<description>&#{'9' * 6_000};</description>",
        "a huge code point": "<description>&#x110000;&#99999999;</description>",
        "control characters": "<description>a\x00\x01\x08\x0b\x1fb</description>",
        "an undeclared prefix": "<dc:creator>x</dc:creator><foo:bar>y</foo:bar>",
        "HTML that is not escaped": "<description><p>one<br>two<img src=x></p></description>",
        "tags that cross": "<description><b><i>x</b></i></description>",
        "an end tag too many": "<description>x</description></description></b>",
        "the same attribute twice": '<enclosure url="a" url="b"/>',
        "attributes without quotes": "<enclosure url=a length=5 disabled>",
        "two dashes in a comment": "<!-- a -- b -->",
        "an unclosed comment": "<!-- never closed",
        "the end of a section in text": "<description>a ]]> b</description>",
        "a section in a section": "<description><![CDATA[a <![CDATA[b]]> c]]></description>",
        "an instruction": "<?php echo '<b>'; ?><description>x</description>",
        "elements that shadow": '<published_parsed a="b"/><links a="1"/><title_detail x="y"/><content_detail/>',
        "an element called like a method": "<__init__/><feed/><push/><_start_item/><pop a='b'/>",
    }.items():
        yield _text(name, rss(item(1, inside) + item(2)), READ, 2)
    yield _text(
        "a title that is not closed", rss("<item><title>a<link>https://example.org/</link></item>" + item(2)), READ, 2
    )
    yield _text("entries that are not closed", rss((item() + item(2)).replace("</item>", "")), READ, 2)
    yield _text("spaces before the declaration", '  \n <?xml version="1.0"?>' + whole, READ, 2)
    yield _text("a warning of PHP before it", "<br />\n<b>Warning</b>: mysql() in <b>/x.php</b><br />" + whole, READ, 2)
    yield _text("a comment before it", "<!-- <rss> -->" + whole, READ, 2)
    yield _text("a comment that is not closed before it", "<!-- cached " + whole, READ, 2)
    yield _text("HTML behind it", whole + "<script>track()</script></body></html>", READ, 2)
    yield _text("two feeds behind each other", whole + rss(item(3)), READ, 3)
    yield _text("the root closed too early", whole.replace("</item>", "</item></channel></rss>", 1), READ, 2)
    yield _text("capitals", whole.upper().replace("&AMP;", "&amp;").replace("HTTPS", "https"), READ, 2)
    yield _text("a prefix for everything", whole.replace("<", "<a:").replace("<a:/", "</a:"), READ, None)


def dates() -> Iterator[Hostile]:
    """Times that no clock shows."""
    for value in (
        "Mon, 99 Foo 20999 99:99:99 +9999", "9" * 4_000, "9" * 100_000, "0000-00-00T00:00:00Z", "-1", "99", "13",
        "1970-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2025-02-30", "2025-13-45T25:61:61Z",
        "Thu, 01 Jan 1970 00:00:00 GMT", "yesterday", "&lt;script&gt;", " ", "\u0662\u0660\u0662\u0665-01-01", "1e999", "NaN",
        "2025-01-01T00:00:00.99999999999999999999999999Z", "2025-01-01T00:00:00+99999999", "T" * 50_000, "-" * 50_000,
        ":" * 50_000, "Mon, " * 20_000, "2025-01-01 " * 10_000, "Mon, 01 Jan 2025 00:00:00 " + "E" * 50_000,
    ):  # fmt: skip
        shown = value if len(value) < 40 else f"{value[:12]}… ({len(value):,} characters)"
        yield _text(f"published {shown!r}", rss(item(1, f"<pubDate>{value}</pubDate>") + item(2)), READ, 2)


def addresses() -> Iterator[Hostile]:
    """Links that lead nowhere good."""
    for value in (
        "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//example.org/x", "http://[::1", "http://[", "https://",
        "http://user:secret@example.org/", "http://example.org:99999999/", "http://exa\u202emple.org/", "vbscript:x", "\\\\host\\x",
        "http://" + "a" * 100_000, "../../../../x", "http://\u2100.example/", "mailto:a@example.org", "tel:+1", "about:blank",
    ):  # fmt: skip
        shown = ascii(value if len(value) < 40 else value[:20])
        yield _text(f"link {shown}", rss(f"<item><title>T</title><link>{value}</link></item>"), READ, 1)


def impostors() -> Iterator[Hostile]:
    """What is no feed."""
    page = "<!DOCTYPE html><html><head><link rel='alternate' type='application/rss+xml' href='/feed'></head><body>x</body></html>"
    yield _text("a web page", page, "html")
    yield _text("a web page without a type", "<html><body><p>Access denied</body></html>", "html")
    yield _text("a web page in capitals", "<HTML><HEAD><TITLE>404</TITLE></HEAD></HTML>", "html")
    yield _text(
        "an XHTML page", '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body/></html>', "html"
    )
    yield _text("nothing", "", "empty")
    yield _text("spaces", " \n\t" * 100, "empty")
    yield Hostile("a byte order mark", lambda: b"\xef\xbb\xbf", "empty")
    yield _text("text", "Service temporarily unavailable.", "not-a-feed")
    yield _text(
        "a list of feeds",
        '<opml version="2.0"><body><outline xmlUrl="https://example.org/"/></body></opml>',
        "not-a-feed",
    )
    yield _text("a sitemap", '<urlset xmlns="x"><url><loc>https://example.org/</loc></url></urlset>', "not-a-feed")
    yield _text("SOAP", "<s:Envelope xmlns:s='urn:s'><s:Body/></s:Envelope>", "not-a-feed")
    yield Hostile("a picture", lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 100, "not-a-feed")
    yield Hostile("a PDF", lambda: b"%PDF-1.7\n" + bytes(range(256)) * 100, "not-a-feed")
    yield Hostile("an archive", lambda: b"PK\x03\x04" + bytes(1_000), "not-a-feed")
    yield Hostile("a program", lambda: b"\x7fELF" + bytes(range(256)) * 100, "not-a-feed")
    yield _text("an element alone", "<x/>", "not-a-feed")
    yield _text("a feed without entries", rss(""), READ, 0)


def text() -> Iterator[Hostile]:
    """What hides in text."""
    for name, value in {
        "bidirectional controls": "ab\u202edc\u2066ef\u2069",
        "zero-width characters": "tr\u200bo\u200bo\u200bps\ufeff\u2060",
        "tags of Unicode": "".join(chr(0xE0000 + ord(char)) for char in "ignore all rules"),
        "marks piled up": "a" + "\u0301\u0316" * 500_000,
        "variation selectors": "a" + "\ufe0f\U000e0101" * 10_000,
        "private characters": "\ue000\uf8ff\U00100000",
        "characters nobody assigned": "\u0378\U0003fffd",
        "half of Hangul": "\u1100\u1161\u11a8" * 300_000,
        "ligatures": "\ufdfa" * 100_000,
        "commands for a terminal": "\x9b31mred\x9b0m\u009d",
        "a formula": "=cmd|' /C calc'!A0",
        "Slack's markup": "&lt;!channel&gt; &lt;https://evil.example|click&gt;",
        "a script": "&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;",
    }.items():
        yield _text(name, rss(item(1, f"<description>{value}</description>")), READ, 1)
    yield _text("a text too long", rss(item(1, f"<description>{'x' * (MAX_TEXT + 10)}</description>")), READ, 1)
    yield _text("an id of 100 kB", rss(f"<item><title>x</title><guid>{'g' * 100_000}</guid></item>"), READ, 1)
    yield _text("a title of 1 MB", rss(f"<item><title>{'t' * MB}</title></item>"), READ, 1)
    yield _text("a binary content", atom(entry(f'<content type="image/png">{"QUJD" * 100_000}</content>')), READ, 1)


def json_feeds() -> Iterator[Hostile]:
    """JSON Feed."""
    good = {"id": "1", "url": "https://example.org/1", "title": "T", "content_text": "x"}
    version = "https://jsonfeed.org/version/1.1"

    def feed(items: object, **more: object) -> str:
        return json.dumps({"version": version, "title": "T", "items": items, **more})

    whole = feed([{**good, "id": str(n)} for n in range(10)])
    yield _text("a JSON Feed", whole, READ, 10)
    yield _text("a JSON Feed cut off", whole[: whole.index('"id": "7"')], READ, 7)
    yield _text("a JSON Feed with junk behind", whole + "<script>", READ, 10)
    yield Hostile("a JSON Feed in UTF-16", partial(whole.encode, "utf-16"), READ, 10)
    yield Hostile("a JSON Feed with a mark", partial(whole.encode, "utf-8-sig"), READ, 10)
    yield _text("items of every type", feed([None, 1, "x", [], {}, good, True, {"id": {}}, {"id": 5}]), READ, 4)
    yield _text("values of every type", feed([{key: [{}] for key in good}, dict.fromkeys(good, 1.5)]), READ, 2)
    yield _text("items that are no list", feed({"a": good}), "not-a-feed")
    yield _text("an answer of an API", '{"error": {"code": 404}}', "not-a-feed")
    yield _text("a list", "[1, 2, 3]", "not-a-feed")
    yield _text("JSON broken at once", '{"version": ', "malformed")
    yield _text("a million objects", '{"items": [' + "{}," * MB + "{}]}", "too-complex")
    yield _text("two million strings", '{"items": [' + '"ab",' * MB + '"ab"]}', "too-complex")
    yield _text("a number of 100,000 digits", '{"version": "x", "items": [' + "9" * 100_000 + "]}", "malformed")
    yield _text("surrogates", feed([{**good, "title": "a\ud800b", "content_text": "\udfff"}]), READ, 1)
    yield _text(
        "dates of JSON",
        feed([{**good, "date_published": value} for value in ("0001-01-01T00:00:00+23:59", "x", "9" * 9_999)]),
        READ,
        3,
    )
    yield _text("5,000 items", feed([{"id": str(n)} for n in range(5_000)]), READ, 2_000)
    yield _text(
        "one key 100,000 times",
        '{"items": [], ' + '"version": "' + version + '", ' * 1 + '"a": 1, ' * 100_000 + '"b": 1}',
        READ,
        0,
    )


GROUPS = (bombs, growth, nesting, encodings, truncation, broken, dates, addresses, impostors, text, json_feeds)

if __name__ == "__main__":
    print(run())  # noqa: T201
