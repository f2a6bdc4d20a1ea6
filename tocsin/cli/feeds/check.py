"""`tocsin feeds check`: what a feed is like when it is fetched as the poller would, and how to mend what is wrong."""

from __future__ import annotations

import statistics
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import click

from tocsin.adapters.exchange import shown
from tocsin.adapters.web import KINDS, Guard
from tocsin.addresses import read
from tocsin.cli import FINDINGS, FINE
from tocsin.cli.options import as_line, format_option
from tocsin.errors import FeedFault, FetchFault, InputFault, RuleFaults
from tocsin.feed import Answer, Feed
from tocsin.ports import Web

OWN_NETWORKS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "fc00::/7", "::1/128")
"""Where feeds of one's own are served. Link-local addresses, where clouds keep their secrets, are not among them."""
FULL_TEXT = 1000
"""Characters of the middle entry from which a feed is taken to give whole articles."""
QUIET = timedelta(days=30)
AHEAD = timedelta(days=1)
_GONE = 410
_TOGETHER = 8
_LARGEST_LIST = 5_000_000
_LISTS = {".yaml", ".yml", ".opml"}
_CACHE = ("etag", "last-modified", "cache-control", "expires")


class Parse(Protocol):
    """Reads the bytes of a feed; `FeedFault` when they are none."""

    def __call__(self, body: bytes, *, url: str = "", content_type: str = "") -> Feed:
        """The feed."""


@click.command("check")
@format_option
@click.option(
    "--from",
    "listed",
    metavar="FILE",
    help="A file with one address a line, # before a remark, or a list in YAML or OPML; - for standard input.",
)
@click.option(
    "--allow-private",
    is_flag=True,
    help="Ask hosts of private networks and of this machine, too, on any port. For feeds you serve yourself: never for "
    "addresses others gave you, and the deployed Tocsin will not fetch these.",
)
@click.argument("urls", nargs=-1, metavar="URL...")
def check(form: str, listed: str | None, urls: tuple[str, ...], *, allow_private: bool) -> int:
    """Fetches feeds and says what was seen: format, entries, dates, full text or summaries, language, cache headers, redirects.

    Exit codes: 0 every feed is fine, 1 some are not, 3 bad usage.
    """
    wanted = [*urls, *(_listed(listed) if listed else ())]
    if not wanted:
        raise click.UsageError("name the address of a feed, or a file of addresses with --from FILE")
    guard = Guard(allow=OWN_NETWORKS if allow_private else ())
    show = as_line if form == "ndjson" else told
    failed = []
    for row in looked(guard, _parsed, wanted, datetime.now(UTC)):
        failed += [] if row["ok"] else [row]
        click.echo(show(row))
    if len(wanted) > 1 and form != "ndjson":
        click.echo(f"{len(wanted) - len(failed)} of {len(wanted)} are fine" + (", these are not:" if failed else ""))
        for row in failed:
            click.echo(f"  {shown(row['url'], 400)} ({row['error']})")
    return FINDINGS if failed else FINE


def _parsed(body: bytes, *, url: str = "", content_type: str = "") -> Feed:
    """The parser, imported when there is something to parse."""
    from tocsin.adapters.feed import parse

    return parse(body, url=url, content_type=content_type)


def looked(web: Web, parse: Parse, urls: Sequence[str], now: datetime) -> Iterator[dict[str, Any]]:
    """A row of JSON values for each address, in order. A few are fetched at a time, and parsed one by one."""
    for url, got in _fetched(web, urls):
        if isinstance(got, FetchFault):
            yield _failed(url, got)
        elif got.status == _GONE:
            yield _refused(url, "gone", "the server says that the feed is gone for good (410)", "remove the feed")
        else:
            try:
                feed = parse(got.body, url=got.url, content_type=got.headers.get("content-type", ""))
            except FeedFault as fault:
                yield _refused(url, fault.kind, shown(fault.what, 400), _mend_feed(fault.kind))
            else:
                yield {"url": url, "ok": True, **_seen(url, got, feed, now)}


def _fetched(web: Web, urls: Sequence[str]) -> Iterator[tuple[str, Answer | FetchFault]]:
    """The answers in order. No more are held than are fetched at a time."""
    ahead: deque[tuple[str, Callable[[], Answer | FetchFault]]] = deque()
    pool = ThreadPoolExecutor(_TOGETHER)
    try:
        for url in urls:
            ahead.append((url, pool.submit(_get, web, url).result))
            if len(ahead) == _TOGETHER:
                first, result = ahead.popleft()
                yield first, result()
        while ahead:
            first, result = ahead.popleft()
            yield first, result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _get(web: Web, url: str) -> Answer | FetchFault:
    try:
        answer = web.get(url)
    except FetchFault as fault:
        return fault
    return FetchFault("status", "the server answers 304, though nothing is known") if answer.status == 304 else answer  # noqa: PLR2004


def _refused(url: str, error: str, reason: str, mend: str) -> dict[str, Any]:
    return {"url": url, "ok": False, "error": error, "reason": reason, "mend": mend}


def _failed(url: str, fault: FetchFault) -> dict[str, Any]:
    more = {"status": fault.status} if fault.status else {}
    if fault.retry_after is not None:
        more["retry_after"] = round(fault.retry_after)
    return {**_refused(url, fault.kind, shown(fault.what, 400), KINDS[fault.kind]), **more}


def _seen(url: str, answer: Answer, feed: Feed, now: datetime) -> dict[str, Any]:
    """What a feed is like, and under `mend` what could be better."""
    dates = sorted(entry.published for entry in feed.entries if entry.published)
    length = round(statistics.median(len(entry.text) for entry in feed.entries)) if feed.entries else 0
    row = {
        "format": feed.format,
        "entries": len(feed.entries),
        "title": feed.title,
        "language": feed.language,
        "dated": len(dates),
        "oldest": dates[0].isoformat() if dates else None,
        "newest": dates[-1].isoformat() if dates else None,
        "content": "full text" if length >= FULL_TEXT else "summaries" if length else "titles",
        "characters": length,
        "bytes": len(answer.body),
        "cache": {name: answer.headers[name] for name in _CACHE if name in answer.headers},
        "redirected": answer.url if answer.url != read(url).url else None,
        "moved": answer.moved or None,
        "notes": [shown(note, 400) for note in feed.notes],
    }
    return {**row, "mend": list(_advice(row, answer, now, dates, feed.left_out))}


def _advice(
    row: Mapping[str, Any], answer: Answer, now: datetime, dates: Sequence[datetime], left_out: Sequence[str]
) -> Iterator[str]:
    if answer.moved:
        yield f"the feed has moved for good: use {shown(answer.moved, 400)}"
    if answer.url.startswith("http://"):
        yield "anybody on the way can change what comes by http: see whether https works"
    if not row["entries"]:
        yield "there is no entry: look whether this is the right address"
        return
    if not {"etag", "last-modified"} & set(row["cache"]):
        yield "without ETag and Last-Modified every poll fetches everything: poll it less often"
    if undated := row["entries"] - row["dated"]:
        yield f"{undated} of {row['entries']} entries have no date, and count as published when they are first seen"
    if dates and now - dates[-1] > QUIET:
        yield f"the newest entry is {(now - dates[-1]).days} days old: look whether the feed is still written"
    if dates and dates[-1] - now > AHEAD:
        yield "there is an entry of the future: its publisher must mend the dates"
    yield from (f"ask for a shorter feed: it {note}" for note in left_out)
    if row["content"] != "full text":
        yield f"it gives {row['content']} only: what stands in the article alone is heard when the article pages are fetched, too"


def _mend_feed(kind: str) -> str:
    """What to do about bytes that cannot be used as a feed."""
    if kind == "html":
        return "open the page in a browser and look for the address of its feed"
    return "its publisher must mend the feed; look whether there is another format of it"


def _listed(name: str) -> list[str]:
    """The addresses in a file, one a line."""
    where = "standard input" if name == "-" else name
    try:
        body = sys.stdin.buffer.read(_LARGEST_LIST + 1) if name == "-" else _read(Path(name))
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputFault(f"is not UTF-8 ({error.reason})", where, "write one address a line, as UTF-8") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "cannot be read"
        raise InputFault(reason[:1].lower() + reason[1:], where, "name a file with one address a line") from error
    if len(body) > _LARGEST_LIST:
        raise InputFault(f"is larger than {_LARGEST_LIST:,} bytes", where, "split it")
    found = (
        _of_list(name, body) if Path(name).suffix.lower() in _LISTS else [line.strip() for line in text.splitlines()]
    )
    found = [line for line in found if line and not line.startswith("#")]
    if not found:
        raise InputFault("holds no address", where, "write one address a line")
    return found


def _of_list(name: str, body: bytes) -> list[str]:
    """The addresses in a list as `tocsin feeds import` takes it; what is wrong with others goes to standard error."""
    from tocsin.feeds import read as read_list

    try:
        found, faults = read_list(name, body)
    except RuleFaults as error:
        raise InputFault(shown(str(error), 400)) from error
    for fault in faults:
        click.echo(shown(str(fault), 400), err=True)
    return [feed.url for feed in found]


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_LARGEST_LIST + 1)


def told(row: Mapping[str, Any]) -> str:
    """A row for people."""
    lines = [shown(row["url"], 400)]
    if not row["ok"]:
        return "\n".join([*lines, f"  {row['error']}: {row['reason']}", f"  mend: {row['mend']}"])
    span = f"{row['dated']} dated"
    if row["dated"]:
        span += f" from {row['oldest'][:16]} to {row['newest'][:16]}"
    given = f"{row['content']} of about {row['characters']:,} characters" if row["characters"] else row["content"]
    language = f", language {shown(row['language'], 40)}" if row["language"] else ""
    lines.append(f"  {row['format']}, {row['entries']} entries, {span}, {given}{language}")
    cache = "; ".join(f"{name}: {shown(value, 80)}" for name, value in row["cache"].items())
    lines += [f"  title: {shown(row['title'])}"] if row["title"] else []
    lines += [f"  redirected to {shown(row['redirected'], 400)}"] if row["redirected"] else []
    lines.append(f"  cache: {cache or 'nothing is said'}")
    lines += [f"  note: {note}" for note in row["notes"]]
    lines += [f"  mend: {one}" for one in row["mend"]]
    return "\n".join(lines)
