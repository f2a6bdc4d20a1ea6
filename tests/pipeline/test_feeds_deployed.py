"""Feeds from end to end: the command line, the functions of the template on moto, and a server on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.system import ROOT, STACK, Ran, System, tocsin
from tocsin.adapters import web

SIGNAL = "Turkey is preparing to send more troops to Syria, officials said."
QUIET = "Officials met in Ankara on Saturday and agreed to meet again."
ITEM = (
    "<item><guid>{0}</guid><title>{1}</title><link>https://news.example/{0}</link>"
    "<pubDate>Sat, 01 Mar 2025 08:00:00 GMT</pubDate><description>{2}</description></item>"
)


@dataclass
class Site:
    """A web server with one feed for each path; it knows what it was asked, and answers 304 to what it said before."""

    url: str
    items: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    status: dict[str, int] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Path and If-None-Match of each request."""


@pytest.fixture
def site() -> Iterator[Site]:
    """A server that listens on this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            etag = self.headers.get("If-None-Match", "")
            one.asked.append((self.path, etag))
            items = "".join(ITEM.format(*item) for item in one.items.get(self.path, []))
            body = f'<rss version="2.0"><channel><title>Wire “{self.path}”</title>{items}</channel></rss>'.encode()
            mark = f'"{len(body)}"'
            status = one.status.get(self.path, 304 if etag == mark else 200)
            self.send_response(status)
            self.send_header("ETag", mark)
            self.send_header("Content-Type", "application/rss+xml")
            self.send_header("Content-Length", str(len(body) if status == 200 else 0))
            self.end_headers()
            self.wfile.write(body if status == 200 else b"")

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        one = Site(f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield one
        server.shutdown()


@pytest.fixture
def open_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard lets this machine be asked, as it never does when deployed."""
    monkeypatch.setattr(web, "Guard", partial(web.Guard, allow=["127.0.0.0/8"]))


def feeds(*arguments: str | Path, stdin: bytes = b"") -> Ran:
    """`tocsin feeds` on the stack."""
    command, *others = arguments
    return tocsin("feeds", command, "--stack-name", STACK, *others, stdin=stdin)


def listed() -> dict[str, dict[str, object]]:
    """What `tocsin feeds list` tells, by address."""
    return {str(row["url"]): row for row in feeds("list", "--format", "ndjson").rows}


def minutes(system: System, count: int) -> None:
    """Lets minutes pass: what is due is sent off, and everything delivered."""
    for _ in range(count):
        system.move(minutes=1)
        system.pump.fire("Due")
        system.pump.drain()
        system.pump.fire("Sweep")


@pytest.mark.usefixtures("open_guard")
def test_a_feed_rings(deployed: System, site: Site) -> None:
    """A feed is added, polled when due, asked conditionally, and its news ring once; it fails for a day, and that is told once."""
    site.items["/world"] = [("a", "Talks", QUIET)]
    added = feeds(
        "add", "--country", "TR", "--language", "en", "--every", "5m", "--slowest", "10m", f"{site.url}/world"
    )
    assert (added.code, added.err) == (0, "")
    assert "Wire “/world”" in added.out
    site.asked.clear()
    minutes(deployed, 1)
    assert len(site.asked) == 1
    site.items["/world"].insert(0, ("b", "Troops", SIGNAL))
    minutes(deployed, 12)
    (post,) = deployed.slack.posts
    assert "Turkey → Syria" in post.text
    assert "Wire “/world”" in post.text
    minutes(deployed, 12)
    assert site.asked[-1][1] != ""
    assert len(deployed.slack.posts) == 1
    row = listed()[f"{site.url}/world"]
    assert (row["name"], row["country"], row["health"], row["reason"]) == ("Wire “/world”", "TR", "well", "")
    assert row["last_entry"] == "2025-03-01T08:00:00+00:00"
    assert str(row["last_poll"]) > "2025-03-01T09:20"
    site.status["/world"] = 500
    minutes(deployed, 10)
    assert listed()[f"{site.url}/world"]["health"] == "failing"
    deployed.move(days=1)
    minutes(deployed, 20)
    deployed.move(hours=2)
    minutes(deployed, 2)
    assert len(deployed.slack.posts) == 2
    assert "Does not answer: 1" in deployed.slack.posts[1].text
    row = listed()[f"{site.url}/world"]
    assert deployed.now - timedelta(minutes=11) <= datetime.fromisoformat(str(row["last_poll"])) <= deployed.now
    assert feeds("restart").out.startswith("1 feeds ")  # it took turns, and has a time of its own now
    assert feeds("restart").out.startswith("0 feeds ")
    site.asked.clear()
    minutes(deployed, 11)
    assert len(site.asked) in {1, 2}
    assert [one.error for one in deployed.pump.invocations if one.error] == []


@pytest.mark.usefixtures("deployed")
def test_a_feed_that_is_not_fine_is_not_added(site: Site) -> None:
    """What the poller could not fetch is not added, unless somebody insists; it is said what is wrong."""
    ran = feeds("add", f"{site.url}/world")
    assert (ran.code, listed()) == (1, {})
    assert "127.0.0.1 is not public" in ran.err
    assert "--no-check" in ran.err
    assert feeds("add", "--no-check", f"{site.url}/world").code == 0
    (row,) = listed().values()
    assert (row["name"], row["health"], row["reason"]) == ("127.0.0.1", "new", "not polled yet")
    assert site.asked == []


@pytest.mark.usefixtures("deployed")
def test_the_list_is_imported_exported_and_changed(tmp_path: Path) -> None:
    """The list this comes with goes in, comes out in both formats, goes in again unchanged, and feeds are removed by address or id."""
    shipped = ROOT / "infra" / "feeds.yaml"
    count = shipped.read_bytes().count(b"  - {url:")
    assert feeds("import", shipped).out == f"{count} added, 0 changed, 0 as they were, 0 faults\n"
    for form in ("yaml", "opml"):
        (tmp_path / f"list.{form}").write_text(feeds("export", "--format", form).out, encoding="utf-8")
        again = feeds("import", tmp_path / f"list.{form}")
        assert (again.code, again.out) == (0, f"0 added, 0 changed, {count} as they were, 0 faults\n")
    one, other = list(listed().values())[:2]
    ran = feeds("remove", str(one["url"]).replace("https", "http"), str(other["id"]))
    assert (ran.code, len(ran.out.splitlines()), len(listed())) == (0, 2, count - 2)
    changed = json.dumps({"feeds": [{"url": one["url"], "name": "New\x1b[31m name"}, {"url": "ftp://x", "name": "X"}]})
    ran = feeds("import", "-", stdin=changed.encode())
    assert (ran.code, ran.out) == (1, "1 added, 0 changed, 0 as they were, 1 faults\n")
    assert "standard-input:1:" in ran.err
    assert feeds("remove", "https://nowhere.example/").code == 3
    assert "New [31m name" in feeds("list").out.replace("\n", "")


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["add", "--no-check", "--every", "5", "https://a.example/f"], "every: write a number and a unit"),
        (["add", "--no-check", "file:///etc/passwd"], "must be an address that starts with http"),
        (["import", "no/such/list.opml"], "no such file"),
    ],
)
def test_wrong_words_are_explained(arguments: list[str], what: str) -> None:
    """A mistyped setting, address or file is explained before anything is asked of AWS."""
    ran = feeds(*arguments)
    assert (ran.code, ran.out) == (3, "")
    assert what in ran.err


@pytest.mark.usefixtures("deployed")
def test_an_empty_list_says_how_to_begin() -> None:
    """Who has no feed yet is told of the list this comes with."""
    assert "tocsin feeds import infra/feeds.yaml" in feeds("list").out


def test_a_bomb_on_the_feed_queue_is_a_dead_letter(on_moto: System) -> None:
    """A message that is no feed comes three times, then stands among the dead letters; the others are handled."""
    sqs, url = on_moto.stack.client("sqs"), on_moto.stack.physical("FeedQueue")
    for body in ("nonsense", '{"feed": "gone.example/0"}'):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    for _ in range(4):
        on_moto.pump.drain()
        on_moto.move(seconds=1_266)
    on_moto.pump.drain()
    assert on_moto.messages_in("FeedDeadLetters") == ["nonsense"]
