"""`tocsin feeds check` on the command line: what it says of a feed, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from tests.hostile.servers import drips, listening, redirects, sends
from tests.system import ROOT, Ran, tocsin
from tocsin.adapters.exchange import Limits
from tocsin.adapters.web import KINDS, Guard
from tocsin.cli.feeds.check import FULL_TEXT, looked
from tocsin.errors import FeedFault
from tocsin.feed import Answer, Feed

NOW = datetime.now(UTC)


def rss(*entries: str, language: str = "en") -> bytes:
    """A feed with these entries."""
    channel = f"<title>News &amp; Views</title><link>https://example.org</link><language>{language}</language>"
    return f'<?xml version="1.0"?><rss version="2.0"><channel>{channel}{"".join(entries)}</channel></rss>'.encode()


def item(number: int, text: str = "A short text.", age: timedelta | None = timedelta(hours=1)) -> str:
    """An entry; without an age it has no date."""
    date = f"<pubDate>{format_datetime(NOW - age)}</pubDate>" if age is not None else ""
    link = f"https://example.org/{number}"
    return f"<item><title>Title {number}</title><link>{link}</link><guid>{link}</guid>{date}<description>{text}</description></item>"


def answers(body: bytes, status: str = "200 OK", **headers: str) -> bytes:
    """What a server sends."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body


def check(*bodies: bytes, options: tuple[str, ...] = ("--format", "ndjson")) -> tuple[Ran, list[str]]:
    """Checks servers of this machine, one for each answer; gives the addresses, too."""
    with ExitStack() as stack:
        urls = [f"http://127.0.0.1:{stack.enter_context(listening(sends(body)))}/feed" for body in bodies]
        return tocsin("feeds", "check", "--allow-private", *options, *urls), urls


def checked(body: bytes) -> Mapping[str, Any]:
    """The row of one feed that is fine."""
    ran, urls = check(body)
    assert (ran.code, ran.err, ran.rows[0]["url"], ran.rows[0]["ok"]) == (0, "", urls[0], True)
    return ran.rows[0]


def test_a_feed_is_told_as_it_is() -> None:
    """Format, entries, title, language, dates, what the entries hold, and the cache headers."""
    items = [item(1, age=timedelta(hours=2)), item(2, age=timedelta(hours=9)), item(3, age=None)]
    row = checked(answers(rss(*items), ETag='"1"', Cache_Control="max-age=300", Content_Type="application/rss+xml"))
    assert (row["format"], row["entries"], row["title"], row["language"]) == ("rss20", 3, "News & Views", "en")
    assert (row["dated"], row["content"]) == (2, "summaries")
    assert datetime.fromisoformat(row["newest"]) - datetime.fromisoformat(row["oldest"]) == timedelta(hours=7)
    assert row["cache"] == {"etag": '"1"', "cache-control": "max-age=300"}
    assert (row["redirected"], row["moved"]) == (None, None)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (answers(rss(item(1))), "without ETag and Last-Modified"),
        (answers(rss()), "there is no entry"),
        (answers(rss(item(1), item(2, age=None))), "1 of 2 entries have no date"),
        (answers(rss(item(1, age=timedelta(days=90)))), "the newest entry is 90 days old"),
        (answers(rss(item(1, age=timedelta(days=-9)))), "an entry of the future"),
        (answers(rss(item(1))), "summaries only"),
        (answers(rss(item(1))), "whether https works"),
    ],
)
def test_what_could_be_better_is_said(body: bytes, words: str) -> None:
    """A feed that works and could work better is fine, and is told how."""
    assert any(words in one for one in checked(body)["mend"])


def test_whole_articles_are_recognised() -> None:
    """A feed whose entries are long gives whole articles, and is not told that it gives summaries."""
    row = checked(answers(rss(item(1, text="Word. " * FULL_TEXT))))
    assert row["content"] == "full text"
    assert not any("article" in one for one in row["mend"])


def test_a_feed_that_moved_names_its_new_address() -> None:
    """A permanent redirect is followed, and the new address is what to mend."""
    with listening(sends(answers(rss(item(1))))) as port:
        new = f"http://127.0.0.1:{port}/new"
        for status, moved in (("301 Moved Permanently", new), ("302 Found", None)):
            with listening(redirects(new, status)) as old:
                ran = tocsin("feeds", "check", "--allow-private", "--format", "ndjson", f"http://127.0.0.1:{old}/")
            assert (ran.code, ran.rows[0]["moved"], ran.rows[0]["redirected"]) == (0, moved, new)
            assert any(f"use {new}" in one for one in ran.rows[0]["mend"]) is bool(moved)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (answers(b"", "404 Not Found"), "status"),
        (answers(b"", "410 Gone"), "gone"),
        (answers(b"", "429 Slow", Retry_After="60"), "busy"),
        (answers(b"", "304 Not Modified"), "status"),
        (answers(b"<!DOCTYPE html><html><body>No feed"), "html"),
        (answers(b"\x89PNG\r\n\x1a\n" + bytes(range(256))), "not-a-feed"),
        (answers(b""), "empty"),
        (b"SSH-2.0-OpenSSH\r\n", "protocol"),
        (answers(b"x", Content_Length="50"), "length"),
    ],
)
def test_a_feed_that_is_not_fine_says_why(body: bytes, error: str) -> None:
    """What stands in the way is a row with the cause, the reason and the remedy, and the exit code is 1."""
    ran, urls = check(body)
    row = ran.rows[0]
    assert (ran.code, ran.err, row["url"], row["ok"], row["error"]) == (1, "", urls[0], False, error)
    assert row["reason"]
    assert row["mend"]


def test_one_bad_feed_hides_no_other() -> None:
    """Every address has its row, in the order in which they were named, whatever the others do."""
    good, bad = answers(rss(item(1))), answers(b"", "500 Oops")
    ran, urls = check(*[good, bad] * 10)
    assert [row["url"] for row in ran.rows] == urls
    assert [row["ok"] for row in ran.rows] == [True, False] * 10
    assert ran.code == 1


def test_a_slow_feed_costs_its_time_and_no_more() -> None:
    """A server that drips is told as too slow."""
    with listening(drips(b"HTTP/1.1 200 OK\r\n\r\n", b"<rss>")) as port:
        guard = Guard(allow=("127.0.0.1/32",), limits=Limits(deadline=0.2))
        rows = list(looked(guard, unread, [f"http://127.0.0.1:{port}/"], NOW))
    assert [row["error"] for row in rows] == ["timeout"]


def unread(body: bytes, *, url: str = "", content_type: str = "") -> Feed:
    """A parser that must not be called."""
    raise AssertionError((body, url, content_type))


PRIVATE = [
    "http://127.0.0.1:9001/",
    "http://169.254.169.254/",
    "http://[::1]/",
    "http://10.0.0.1/",
    "http://localhost/",
]
USELESS = [
    "file:///etc/passwd",
    "nonsense",
    "http://2130706433/",
    "http://u:p@example.org/",
    "http://a b/",
    "http://e\x1b[31m/",
]


def test_addresses_that_are_refused_have_rows() -> None:
    """Addresses of private hosts, and what is no address of the web, are told as that, and nobody is asked."""
    ran = tocsin("feeds", "check", "--format", "ndjson", *PRIVATE, *USELESS, "http://8.8.8.8:22/")
    assert ran.code == 1
    assert [row["url"] for row in ran.rows] == [*PRIVATE, *USELESS, "http://8.8.8.8:22/"]
    assert [row["error"] for row in ran.rows] == [*["private"] * len(PRIVATE), *["url"] * len(USELESS), "port"]
    assert all(row["mend"] == KINDS[row["error"]] for row in ran.rows)
    assert all(line.isprintable() for line in ran.out.splitlines())


def test_own_networks_are_asked_only_when_it_is_said() -> None:
    """`--allow-private` lets a feed of this machine be checked; the metadata of a cloud stay out of reach even then."""
    with listening(sends(answers(rss(item(1))))) as port:
        url = f"http://127.0.0.1:{port}/"
        assert tocsin("feeds", "check", url).code == 1
        assert tocsin("feeds", "check", "--allow-private", url).code == 0
    ran = tocsin(
        "feeds", "check", "--allow-private", "--format", "ndjson", "http://169.254.169.254/", "http://[fe80::1]/"
    )
    assert [row["error"] for row in ran.rows] == ["private", "private"]


def test_the_report_for_people_holds_nothing_invisible() -> None:
    """What feeds and servers say stands in the report, each on its line, without control characters."""
    title = rss(item(1)).replace(b"News &amp; Views", "A\u202eB&#x85;C\u200bD".encode())
    ran, _ = check(answers(title, ETag='"\x1b[31m"'), answers(b"", "404 \x1b[31m"), options=())
    assert "rss20, 1 entries, 1 dated" in ran.out
    assert "status: the server answers 404 Not Found" in ran.out
    assert [line for line in ran.out.splitlines() if not line.isprintable()] == []


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        (b"http://10.0.0.1/\n# a remark\n\n  http://10.0.0.2/  \r\n", 2),
        (b"\xef\xbb\xbfhttp://10.0.0.1/", 1),
        (b"http://10.0.0.1/#a\n\x00\n", 2),
    ],
)
def test_addresses_are_read_from_a_file(tmp_path: Path, body: bytes, rows: int) -> None:
    """`--from` reads an address a line; blank lines and remarks do not count. `-` is standard input."""
    (tmp_path / "list.txt").write_bytes(body)
    ran = tocsin("feeds", "check", "--format", "ndjson", "--from", tmp_path / "list.txt")
    assert (ran.code, len(ran.rows), ran.rows[0]["reason"]) == (1, rows, "10.0.0.1 is not public: private use")
    assert tocsin("feeds", "check", "--format", "ndjson", "--from", "-", stdin=body).out == ran.out


@pytest.mark.parametrize(
    ("name", "body"),
    {
        "list.yaml": "feeds:\n- {url: 'http://10.0.0.1/', name: A}\n- {url: 'http://10.0.0.2/', name: B}\n- {url: 'ftp://c/', name: C}\n",
        "list.opml": '<opml><body><outline text="A" xmlUrl="http://10.0.0.1/"/><outline text="B" xmlUrl="http://10.0.0.2/"/>'
        '<outline text="C" xmlUrl="ftp://c/"/></body></opml>',
    }.items(),
)
def test_a_list_to_import_can_be_checked_first(tmp_path: Path, name: str, body: str) -> None:
    """`--from` takes what `import` takes, infra/feeds.yaml too: each feed is asked, and what is none is told with its line."""
    (tmp_path / name).write_text(body)
    ran = tocsin("feeds", "check", "--format", "ndjson", "--from", tmp_path / name)
    assert [row["url"] for row in ran.rows] == ["http://10.0.0.1/", "http://10.0.0.2/"]
    assert ran.code == 1
    assert f"{name}:" in ran.err
    (tmp_path / name).write_text("nothing of the kind")
    assert tocsin("feeds", "check", "--from", tmp_path / name).code == 3


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (None, "no such file or directory"),
        (b"", "holds no address"),
        (b"# nothing\n \n", "holds no address"),
        (b"http://e\xe9.org/", "is not UTF-8"),
        (b"\n" * 5_000_001, "is larger than"),
    ],
)
def test_a_bad_list_is_told(tmp_path: Path, body: bytes | None, words: str) -> None:
    """A list that cannot be read, or holds nothing, is named with what to do, and the exit code is 3."""
    file = tmp_path / "list.txt"
    if body is not None:
        file.write_bytes(body)
    ran = tocsin("feeds", "check", "--from", file)
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith(f"{file}: {words}")


def test_of_many_feeds_those_that_are_not_fine_are_named_last() -> None:
    """After a long list the eye finds what to mend at its end, by address and cause."""
    ran = tocsin("feeds", "check", "http://127.0.0.1/rss", "ftp://a.example/")
    last = "0 of 2 are fine, these are not:\n  http://127.0.0.1/rss (private)\n  ftp://a.example/ (url)\n"
    assert (ran.code, ran.out.endswith(last)) == (1, True)


@pytest.mark.parametrize("arguments", [[], ["--format", "xml", "http://a.example/"], ["--nope"], ["--from"]])
def test_a_wrong_command_line_is_explained(arguments: list[str]) -> None:
    """Without an address, or with a wrong option, it says what is missing, and the exit code is 3."""
    ran = tocsin("feeds", "check", *arguments)
    assert (ran.code, ran.out) == (3, "")
    assert "Error: " in ran.err


def test_a_folder_is_no_list(tmp_path: Path) -> None:
    """A folder after `--from` is told as that."""
    ran = tocsin("feeds", "check", "--from", tmp_path)
    assert (ran.code, ran.err) == (3, f"{tmp_path}: is a directory (name a file with one address a line)\n")


@pytest.mark.parametrize("form", ["ndjson", "table"])
def test_an_argument_that_is_no_text_is_told(form: str) -> None:
    """Bytes that are no UTF-8 on the command line end as an address that cannot be used."""
    command = [sys.executable, "-c", "from tocsin.cli import main; main()", "feeds", "check", "--format", form]
    ran = subprocess.run([*command, b"http://e\xff.org/"], cwd=ROOT, capture_output=True, check=False)
    assert (ran.returncode, ran.stderr) == (1, b"")
    line = ran.stdout.decode()
    assert json.loads(line)["error"] == "url" if form == "ndjson" else "url: " in line


class Memory:
    """A web in which every address has the same answer."""

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """The answer."""
        assert headers is None
        return Answer(url, 200, {}, b"x")


def test_a_fault_of_the_parser_is_a_row() -> None:
    """What the parser refuses is told with its cause, bounded and on one line."""

    def refuse(body: bytes, *, url: str = "", content_type: str = "") -> Feed:
        assert (body, url, content_type) == (b"x", "https://example.org/feed", "")
        raise FeedFault("malformed", "\x1b[31m" + "x" * 10_000)

    (row,) = looked(Memory(), refuse, ["https://example.org/feed"], NOW)
    assert (row["ok"], row["error"]) == (False, "malformed")
    assert row["reason"].isprintable()
    assert len(row["reason"]) < 500
