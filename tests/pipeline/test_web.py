"""The guard against servers that mean well, and the rules it holds against all; hostile ones are in `tests/hostile`."""

from __future__ import annotations

import gzip
import socket
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.hostile.servers import Serve, heard, listening, own_certificate, redirects, sends
from tocsin import __version__
from tocsin.adapters.exchange import Limits, shown
from tocsin.adapters.web import KINDS, PASSING, Guard
from tocsin.errors import FetchFault

FEED = b'<?xml version="1.0"?><rss version="2.0"><channel><title>T</title></channel></rss>'
HERE = ("127.0.0.1/32",)
LIMITS = Limits(deadline=5)


def answer(body: bytes = FEED, status: str = "200 OK", **headers: str) -> bytes:
    """An answer that ends when the connection does."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode("latin-1") + body


class Site:
    """A server with an answer for each path, that remembers what it was asked."""

    def __init__(self, answers: Mapping[str, bytes]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def serve(self, connection: socket.socket) -> None:
        """Answers once."""
        question = heard(connection).decode("latin-1")
        self.asked.append(question)
        connection.sendall(self.answers[question.split(" ")[1]])

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the last question."""
        lines = self.asked[-1].split("\r\n")[1:-2]
        return dict(line.split(": ", 1) for line in lines)


def guard(**changes: object) -> Guard:
    """A guard that may ask this machine."""
    return Guard(**{"allow": HERE, "limits": LIMITS, **changes})  # type: ignore[arg-type]  # what the test changes


@contextmanager
def serving(serve: Serve) -> Iterator[str]:
    """A server's address, without a last stroke."""
    with listening(serve) as port:
        yield f"http://127.0.0.1:{port}"


def test_an_answer_is_told_whole() -> None:
    """The body, the headers by lower-case name, and the address that answered."""
    site = Site({"/feed?x=y": answer(ETag='"one"', Content_Type="application/rss+xml", X_Twice="a\r\nX-Twice: b")})
    with serving(site.serve) as url:
        got = guard().get(f"{url}/feed?x=y#part")
    assert (got.url, got.status, got.body, got.moved) == (f"{url}/feed?x=y", 200, FEED, "")
    assert got.headers == {"etag": '"one"', "content-type": "application/rss+xml", "x-twice": "a, b"}


def test_it_says_who_asks_and_nothing_else() -> None:
    """A server learns Tocsin's name and version, what it can read, and no more: no cookie, no credentials, no referrer."""
    site = Site({"/": answer(Set_Cookie="a=b")})
    with serving(site.serve) as url:
        visitor = guard(contact="https://example.org/bot")
        visitor.get(url)
        visitor.get(url)
    host = url.removeprefix("http://")
    assert set(site.headers) == {"Host", "User-Agent", "Accept", "Accept-Encoding", "Connection"}
    assert (site.headers["Host"], site.headers["Accept-Encoding"]) == (host, "gzip")
    assert site.headers["User-Agent"] == f"Tocsin/{__version__} (feed reader; +https://example.org/bot)"


CODED = {
    "gzip": answer(gzip.compress(FEED), Content_Encoding="gzip"),
    "GZIP in capitals": answer(gzip.compress(FEED), Content_Encoding="GZip"),
    "x-gzip": answer(gzip.compress(FEED), Content_Encoding="x-gzip"),
    "two gzips": answer(gzip.compress(FEED[:9]) + gzip.compress(FEED[9:]), Content_Encoding="gzip"),
    "gzip with padding": answer(gzip.compress(FEED) + b"\0" * 50, Content_Encoding="gzip"),
    "deflate": answer(zlib.compress(FEED), Content_Encoding="deflate"),
    "deflate without a head": answer(zlib.compress(FEED)[2:-4], Content_Encoding="deflate"),
    "identity": answer(Content_Encoding="identity"),
    "chunks": answer(
        b"5;x=y\r\n%s\r\n4c\r\n%s\r\n0\r\nX: y\r\n\r\n" % (FEED[:5], FEED[5:]), Transfer_Encoding="chunked"
    ),
    "gzip in chunks": answer(
        b"".join(b"1\r\n%c\r\n" % one for one in gzip.compress(FEED)) + b"0\r\n\r\n",
        Transfer_Encoding="chunked",
        Content_Encoding="gzip",
    ),
    "a length": answer(Content_Length=str(len(FEED))),
    "no length": answer(),
    "an interim answer first": b"HTTP/1.1 100 Continue\r\n\r\n" + answer(),
    "HTTP/1.0": answer().replace(b"HTTP/1.1", b"HTTP/1.0"),
}


@pytest.mark.parametrize("name", CODED)
def test_the_body_is_what_the_publisher_wrote(name: str) -> None:
    """However a body is compressed and cut up on the way, it arrives as it was."""
    with serving(sends(CODED[name])) as url:
        assert guard().get(url).body == FEED


def test_a_body_compressed_to_nothing_is_empty() -> None:
    """An empty body with a name of a compression is empty, not broken."""
    with serving(sends(answer(b"", Content_Encoding="gzip"))) as url:
        assert guard().get(url).body == b""


def test_a_body_as_large_as_the_limit_is_taken() -> None:
    """The limits are limits: what just fits comes whole, what is one byte larger does not come."""
    body = bytes(range(256)) * 40
    limits = Limits(deadline=5, wire=len(body), body=len(body))
    with serving(sends(answer(body))) as url:
        assert guard(limits=limits).get(url).body == body
    with serving(sends(answer(body + b"x"))) as url, pytest.raises(FetchFault) as fault:
        guard(limits=limits).get(url)
    assert fault.value.kind == "large"


@pytest.mark.parametrize(("status", "body"), [(304, b""), (410, b"")])
def test_unchanged_and_gone_are_answers(status: int, body: bytes) -> None:
    """304 and 410 are told with their headers and without a body."""
    with serving(sends(answer(b"ignored", f"{status} X", ETag='"two"'))) as url:
        got = guard().get(url, {"if-none-match": '"one"'})
    assert (got.status, got.body, got.headers["etag"]) == (status, body, '"two"')


def test_what_the_server_said_is_sent_back() -> None:
    """Conditions are sent as they were said; what cannot be sent is left out, and what may not be sent is a mistake."""
    site = Site({"/": answer()})
    with serving(site.serve) as url:
        guard().get(url, {"If-None-Match": 'W/"é"', "if-modified-since": "Sat, 01 Mar 2025 00:00:00 GMT"})
        assert (site.headers["If-None-Match"], site.headers["If-Modified-Since"]) == (
            'W/"é"',
            "Sat, 01 Mar 2025 00:00:00 GMT",
        )
        for odd in ('"a"\r\nX: y', '"\u2028"', '"\x00"'):
            guard().get(url, {"If-None-Match": odd})
            assert "If-None-Match" not in site.headers
        for name in ("Authorization", "Cookie", "Host", "X\r\nY"):
            with pytest.raises(ValueError, match="does not send"):
                guard().get(url, {name: "x"})


def test_headers_come_on_one_line_each() -> None:
    """A header that is folded or holds control characters is told on one line, so that it may be kept and sent back."""
    with serving(sends(answer(ETag='"a\x1b[31m\tb"', X_Folded="one\r\n two"))) as url:
        headers = guard().get(url).headers
    assert headers == {"etag": '"a [31m b"', "x-folded": "one two"}


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("99999999999", 7 * 86_400),
        ("Sat, 01 Mar 2059 00:00:00 GMT", 7 * 86_400),
        ("Sat, 01 Mar 2025 00:00:00 GMT", 0),
        ("Sat, 01 Mar 2025 00:00:00", 0),
        ("-5", None),
        ("soon", None),
        ("١٢٠", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_pause_that_is_asked_for_is_told(status: int, asked: str, seconds: float | None) -> None:
    """`Retry-After` in seconds or as a date is told in seconds, within a week."""
    head = f"HTTP/1.1 {status} X\r\nRetry-After: {asked}\r\n\r\n".encode()
    with serving(sends(head)) as url, pytest.raises(FetchFault) as fault:
        guard().get(url)
    assert (fault.value.kind, fault.value.status, fault.value.retry_after) == ("busy", status, seconds)


@pytest.mark.parametrize(
    ("first", "second", "moved"),
    [(301, 308, True), (308, 301, True), (301, 302, False), (302, 301, False), (303, 307, False)],
)
def test_a_feed_that_moved_for_good_says_where_to(first: int, second: int, *, moved: bool) -> None:
    """The new address is told when every redirect on the way was permanent, and only then."""
    site = Site(
        {
            "/": answer(b"", f"{first} X", Location="/a?b#c", Set_Cookie="x=y"),
            "/a?b": answer(b"", f"{second} X", Location="/Ã¼ n#d"),
            "/%C3%BC%20n": answer(),
        }
    )
    with serving(site.serve) as url:
        got = guard().get(url, {"If-None-Match": '"one"'})
        assert (got.url, got.moved) == (f"{url}/%C3%BC%20n", f"{url}/%C3%BC%20n" if moved else "")
    assert len(site.asked) == 3
    assert site.headers["If-None-Match"] == '"one"'
    assert "Cookie" not in site.headers


def test_five_redirects_are_followed_and_no_sixth() -> None:
    """A feed may be a few redirects away."""
    pages = {f"/{n}": answer(b"", "302 X", Location=f"/{n + 1}") for n in range(6)} | {"/6": answer()}
    with serving(Site(pages).serve) as url:
        assert guard().get(f"{url}/1").body == FEED
        with pytest.raises(FetchFault, match="more than 5 redirects"):
            guard().get(f"{url}/0")


def test_a_name_is_looked_up_once_for_each_question() -> None:
    """The address that was checked is the address that is asked: a second answer of the name server is never wanted."""
    asked: list[str] = []

    def resolve(name: str) -> list[str]:
        asked.append(name)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    site = Site({"/": answer(), "/away": answer(b"", "302 X", Location="/")})
    with listening(site.serve) as port:
        assert guard(resolve=resolve).get(f"http://Feeds.Example.:{port}/").body == FEED
        assert (asked, site.headers["Host"]) == (["feeds.example"], f"feeds.example:{port}")
        asked.clear()
        with pytest.raises(FetchFault) as fault:
            guard(resolve=resolve).get(f"http://feeds.example:{port}/away")
    assert (fault.value.kind, len(asked), len(site.asked)) == ("private", 2, 2)


def test_one_private_address_is_enough() -> None:
    """A name with any address that is not public is not asked, wherever that address stands in the list."""
    site = Site({"/": answer()})
    with listening(site.serve) as port:
        for addresses in (["127.0.0.1", "10.0.0.1"], ["::1", "127.0.0.1"]):
            with pytest.raises(FetchFault) as fault:
                guard(resolve=lambda _, found=addresses: found).get(f"http://feeds.example:{port}/")
            assert fault.value.kind == "private"
    assert site.asked == []


def test_a_dead_address_does_not_hide_the_others() -> None:
    """When the first address of a name does not answer, the next one is asked."""
    with listening(Site({"/": answer()}).serve) as port:
        visitor = guard(allow=("127.0.0.0/8",), resolve=lambda _: ["127.0.0.9", "127.0.0.1"])
        assert visitor.get(f"http://feeds.example:{port}/").body == FEED


def test_ports_are_those_of_the_web() -> None:
    """A public host is asked on the usual ports only; of a network that was allowed, any."""
    site = Site({"/": answer()})
    with listening(site.serve) as port:
        for visitor in (Guard(), guard()):
            with pytest.raises(FetchFault) as fault:
                visitor.get(f"http://8.8.8.8:{port}/")
            assert fault.value.kind == "port"
        assert guard().get(f"http://127.0.0.1:{port}/").body == FEED
    assert len(site.asked) == 1


def test_a_name_without_an_address_is_told() -> None:
    """A name the resolver does not know is a fault of its own, which may pass."""

    def resolve(_: str) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(FetchFault) as fault:
        Guard(resolve=resolve).get("https://feeds.example/")
    assert (fault.value.kind, fault.value.what) == ("name", "the host feeds.example is not found")


def test_nobody_is_there() -> None:
    """A port where nobody listens is told as that."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(FetchFault) as fault:
        guard().get(f"http://127.0.0.1:{port}/")
    assert (fault.value.kind, fault.value.what) == ("connection", "the connection failed: Connection refused")


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would resolve names again, unchecked: it is never used."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/")
    with serving(sends(answer())) as url:
        assert guard().get(url).body == FEED


def test_https_asks_the_checked_address_in_the_name_of_the_host(tmp_path: Path) -> None:
    """With https the connection goes to the checked address, and the certificate must be that of the name."""
    server, client = own_certificate(tmp_path, "feeds.example")
    names: list[str | None] = []
    server.sni_callback = lambda _socket, name, _context: names.append(name)
    site = Site({"/": answer(), "/http": answer(b"", "302 X", Location="http://feeds.example/")})
    visitor = guard(resolve=lambda _: ["127.0.0.1"], tls=client)
    with listening(site.serve, tls=server) as port:
        got = visitor.get(f"https://feeds.example:{port}/")
        assert (got.body, got.url, names) == (FEED, f"https://feeds.example:{port}/", ["feeds.example"])
        for host in ("other.example", "127.0.0.1"):
            with pytest.raises(FetchFault) as fault:
                visitor.get(f"https://{host}:{port}/")
            assert fault.value.kind == "tls"
            assert host in fault.value.what
        with pytest.raises(FetchFault, match="from https to http"):
            visitor.get(f"https://feeds.example:{port}/http")


def test_where_a_redirect_led_is_told() -> None:
    """The reason names the address a refused redirect led to, in the characters of an address."""
    with serving(redirects("http://10.0.0.1/\u202e\x07?{port}")) as url, pytest.raises(FetchFault) as fault:
        guard().get(url)
    assert "10.0.0.1" in fault.value.what
    assert fault.value.what.isprintable()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain", "plain"),
        ("a\r\nb\x1b[31m", r"a\r\nb\x1b[31m"),
        ("\u202eevil\u200b\ud800", r"\u202eevil\u200b\ud800"),
        ("é和", "é和"),
        ("x" * 200, "x" * 160 + "…"),
        ("\x00" * 100, r"\x00" * 40 + "…"),
    ],
)
def test_words_of_strangers_are_shown_harmless(text: str, line: str) -> None:
    """What a server says stands in a message on one line, with nothing invisible, and not for long."""
    assert shown(text) == line


def test_every_kind_of_fault_is_documented() -> None:
    """The page about fetching names each kind of fault with what to do about it."""
    page = (Path(__file__).parents[2] / "docs" / "fetching.md").read_text(encoding="utf-8")
    assert {kind: mend for kind, mend in KINDS.items() if f"| `{kind}` | {mend} |" not in page} == {}
    assert set(KINDS) >= PASSING
