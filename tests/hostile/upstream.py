"""feedparser's own test files against our reading of them: nothing raised, no entry lost, the same titles, links, ids and dates.

They come with feedparser's source distribution, which pip fetches when this runs (the hash in `requirements/dev.txt` holds) and
which is thrown away afterwards. Each file says in a comment what is expected of it, as an expression over what feedparser returns.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tarfile
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import feedparser

from tocsin.adapters.feed import parse
from tocsin.clean import html_text, line
from tocsin.errors import FeedFault
from tocsin.feed import Feed

ROOT = Path(__file__).parents[2]
FIELDS = frozenset({"title", "link", "id", "guid", "published_parsed", "updated_parsed", "created_parsed"})
"""Of what is expected of an entry, what we keep as it is."""
MARKUP = "a title is plain text: where feedparser keeps its markup, only the words are kept"
PAGE = "feedparser's sanitiser takes the page's own title and its comments for text; a browser does not"
"""Of the one file that is not like the others."""
SHARED = "two entries that share an id and differ are told apart"


class Unreachable(Exception):
    """The source distribution cannot be had: there is no pip, or no package index."""


@cache
def files() -> dict[str, bytes]:
    """The test files by their path in the distribution."""
    with tempfile.TemporaryDirectory() as folder:
        _download(Path(folder))
        (archive,) = Path(folder).glob("feedparser-*.tar.gz")
        with tarfile.open(archive) as tar:
            found = {
                member.name.partition("/tests/")[2]: file.read()
                for member in tar
                if "/tests/" in member.name and (file := tar.extractfile(member))
            }
    return {name: body for name, body in sorted(found.items()) if not name.endswith(".py")}


def _download(folder: Path) -> None:
    """Fetches the locked version."""
    lock = (ROOT / "requirements" / "dev.txt").read_text()
    entry = re.search(r"^feedparser==.*?(?=^\S)", lock, re.MULTILINE | re.DOTALL)
    assert entry, "feedparser is not in requirements/dev.txt"
    (folder / "lock.txt").write_text(re.sub(r"^ +#.*\n", "", entry[0], flags=re.MULTILINE).replace("\\\n    #", "\n#"))
    command = ["download", "--quiet", "--no-deps", "--no-binary", ":all:", "--require-hashes", "-r", "lock.txt"]
    told = ""
    for python in dict.fromkeys((sys.executable, getattr(sys, "_base_executable", sys.executable))):
        ran = subprocess.run([python, "-m", "pip", *command], cwd=folder, capture_output=True, text=True, check=False)
        if ran.returncode == 0:
            return
        told = (ran.stderr.strip().splitlines() or ["pip says nothing"])[-1]
    raise Unreachable(f"feedparser's source distribution cannot be fetched: {told}")


@dataclass(slots=True)
class Tally:
    """What came of all files."""

    files: int = 0
    read: int = 0
    uncaught: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    """Files that give other entries when they are read again."""
    expected: int = 0
    """Expectations on what we keep of an entry that feedparser itself meets."""
    missed: list[str] = field(default_factory=list)
    """Those that we do not meet, without a reason."""
    exceptions: dict[str, str] = field(default_factory=dict)
    """Those that we do not meet, with the reason."""


def examine(every: int = 1) -> Tally:
    """Reads every file both ways, or one of so many."""
    tally = Tally()
    for name, body in islice(files().items(), 0, None, every):
        tally.files += 1
        headers = _headers(body)
        theirs = _plain(body, headers)
        try:
            ours = _read(body, headers)
            tally.added += [name] if ours and ours != _read(body, headers) else []
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            tally.uncaught.append(f"{name}: {error!r}")
            continue
        tally.read += ours is not None
        kept = len(ours.entries) if ours else 0
        if kept < len(theirs["entries"]):
            tally.lost.append(f"{name}: {kept} of {len(theirs['entries'])}")
        expression = _expectation(body)
        if expression and _holds(expression, theirs):
            tally.expected += 1
            if not _holds(expression, _as_theirs(ours, theirs)):
                if reason := PAGE if name.endswith("/entry_title_crazy.xml") else _reason(ours, theirs):
                    tally.exceptions[name] = reason
                else:
                    tally.missed.append(f"{name}: {expression}")
    return tally


def _read(body: bytes, headers: dict[str, str]) -> Feed | None:
    try:
        return parse(body, url=headers.get("content-location", ""), content_type=headers.get("content-type", ""))
    except FeedFault:
        return None


def _plain(body: bytes, headers: dict[str, str]) -> dict[str, Any]:
    """What feedparser returns, or nothing where it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found: dict[str, Any] = feedparser.parse(io.BytesIO(body), response_headers=headers or None)
        except Exception:  # noqa: BLE001 - it raises whatever its parts do
            return {"entries": []}
    return found


def _headers(body: bytes) -> dict[str, str]:
    found = re.findall(rb"^Header:\s+([^:]+):(.+)$", body, re.MULTILINE)
    return {name.decode().lower(): value.decode("latin-1").strip() for name, value in found}


def _expectation(body: bytes) -> str:
    """The expression, when it is about entries, and about nothing of them that we do not keep."""
    for text in _decodings(body):
        if found := re.search(r"^Expect:\s+(.+?)\s*$", text, re.MULTILINE):
            names = {
                one or other for one, other in re.findall(r"entries\[\d\](?:\[['\"](\w+)['\"]\]|\.(\w+))", found[1])
            }
            return found[1] if names and names <= FIELDS else ""
    return ""


def _decodings(body: bytes) -> Iterator[str]:
    for name in ("utf-8", "utf-16", "utf-32", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "cp037", "latin-1"):
        try:
            yield body.decode(name)
        except UnicodeError:
            continue


def _holds(expression: str, names: dict[str, Any]) -> bool:
    try:
        return bool(eval(expression, {"__builtins__": {}}, names))  # noqa: S307 - of a package whose hash is locked
    except Exception:  # noqa: BLE001 - a missing key, most often
        return False


def _reason(ours: Feed | None, theirs: dict[str, Any]) -> str:
    """Why our entries are not what is expected, when there is a reason."""
    if ours is None or len(ours.entries) != len(theirs["entries"]):
        return ""
    pairs = list(zip(ours.entries, theirs["entries"], strict=True))
    ids = [entry.get("id") for entry in theirs["entries"]]
    if len(set(ids)) < len(ids) and all(our.id.partition("#")[0] == their.get("id") for our, their in pairs):
        return SHARED
    titled = [(our.title, their.get("title", "")) for our, their in pairs]
    if titled and all(plain == line(html_text(markup)) for plain, markup in titled):
        return MARKUP
    return ""


def _as_theirs(ours: Feed | None, theirs: dict[str, Any]) -> dict[str, Any]:
    """Our entries in feedparser's words, among the rest of what it says."""
    entries = []
    for entry in ours.entries if ours else ():
        row: dict[str, Any] = {"title": entry.title, "link": entry.link, "id": entry.id}
        times = {"published": entry.published, "created": entry.published, "updated": entry.updated}
        row |= {f"{name}_parsed": moment.utctimetuple() for name, moment in times.items() if moment}
        entries.append(feedparser.FeedParserDict(row))
    return {**theirs, "bozo": theirs.get("bozo"), "entries": entries}


def run() -> dict[str, float]:
    """Counts for the last line of `make hostile`; what is wrong is printed."""
    tally = examine()
    for what in ("uncaught", "lost", "added", "missed"):
        for one in getattr(tally, what):
            print(f"BAD {what}: {one}")  # noqa: T201
    for name, reason in tally.exceptions.items():
        print(f"exception {name}: {reason}")  # noqa: T201
    return {
        "files": tally.files,
        "uncaught": len(tally.uncaught),
        "lost": len(tally.lost),
        "added": len(tally.added),
        "expectations": tally.expected,
        "missed": len(tally.missed),
        "exceptions": len(tally.exceptions),
    }


if __name__ == "__main__":
    print(run())  # noqa: T201
