"""How bytes become articles: text, HTML, e-mail, JSON, JSON lines, folders with a manifest. Files and posts enter here."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import stat
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from tocsin.article import MAX_TEXT, Article
from tocsin.clean import clean, line
from tocsin.errors import InputFault, RuleFaults

MANIFEST = "manifest.yaml"
PAGES = (".html", ".htm")
SUFFIXES = (".txt", *PAGES, ".eml", ".json", ".jsonl")
PACKED = ".jsonl.gz"
"""JSON lines as batches of articles are archived."""
MAX_FILE = 20_000_000
"""Bytes a text, a JSON file, or one line of JSON lines may have; a file of JSON lines may be longer."""
MAX_PAGE = 5_000_000
"""Bytes an HTML page may have."""
_HEAD = 8_192
"""Bytes looked at to tell a text from a binary file."""
_CONTROL = 0.02
_YEAR = re.compile(r"[0-9]{4}(-[0-9]{2}){0,2}")
_NUMBER = re.compile(r"[+-]?(?![0-9]{8}\Z)[0-9]+(\.[0-9]*)?")
"""Seconds since 1970; eight figures are a day."""
_MILLISECONDS = 2e10
"""Numbers beyond it count these instead: as seconds they would be the year 2603."""
_YEARS = range(1900, 2200)
_MAX_STEM = 200
_MEND = {
    "text": f'give it a "text" of 1 to {MAX_TEXT:,} characters',
    "published": "write dates as 2025-01-24 or 2025-01-24T09:30:00Z",
    "id": "give it an id of up to 300 printable characters, or none",
}


class Field(NamedTuple):
    """A field of an article as outsiders hand it in."""

    what: str
    most: int = MAX_TEXT
    """Characters it may have."""
    is_date: bool = False


FIELDS: Mapping[str, Field] = {
    "id": Field("By which the article is known again; made of the file name where it has none", 300),
    "text": Field("What it says"),
    "title": Field("The headline", 2_000),
    "source": Field("The outlet", 300),
    "url": Field("Where it stands", 2_000),
    "published": Field("When, as 2025-01-24 or 2025-01-24T09:30:00Z", is_date=True),
}
"""What is read of an article; only its text is required, and other keys are ignored."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One input: an article, or the fault that kept it from being one. `body` is its own bytes, where it has some."""

    name: str
    article: Article | None = None
    fault: InputFault | None = None
    body: bytes | None = None


def articles(name: str, body: bytes, metadata: Mapping[str, str] | None = None) -> list[Article]:
    """The articles of one file, all or none: `contents`, with the first fault raised as `InputFault`."""
    found: list[Article] = []
    for entry in contents(name, body, metadata):
        if entry.fault:
            raise entry.fault
        if entry.article:
            found.append(entry.article)
    return found


def contents(name: str, body: bytes, metadata: Mapping[str, str] | None = None) -> Iterator[Entry]:
    """What one file holds, each article failing for itself: `.json` one or a list, `.jsonl` one a line, else a text.

    `metadata` (title, source, url, published) completes a text. A fault says what is wrong, where, and how to mend it.
    """
    suffix = PurePosixPath(name).suffix.lower()
    try:
        _readable(name, body)
        if suffix == ".jsonl":
            yield from lines(name, body.split(b"\n"))
        elif suffix == ".json":
            yield from _listed(name, _parsed(_decoded(body, name), name))
        else:
            article = _article_of(suffix, name, body, metadata or {})
            yield Entry(name, article, body=body if suffix in SUFFIXES else None)
    except InputFault as fault:
        yield Entry(name, fault=fault, body=body)


def _article_of(suffix: str, name: str, body: bytes, metadata: Mapping[str, str]) -> Article:
    """The article in a file that holds one; what is said beside it counts for more than what it says itself."""
    told: dict[str, Any] = {}
    lacks = ""
    if suffix in PAGES:
        if len(body) > MAX_PAGE:
            raise InputFault(f"is a page of more than {MAX_PAGE:,} bytes", name, "save the article's text instead")
        from tocsin.webpage import page_source, read_page

        told = read_page(page_source(body))
        if "text" not in told:
            raise InputFault("is a page without a text", name, "save the article's text instead")
    elif suffix == ".eml":
        from tocsin.mail import read_mail

        told, lacks = read_mail(name, body)
    else:
        told = {"text": _decoded(body, name)}
    return replace(_article({**told, **metadata, "text": told["text"]}, name, _stem(name)), lacks=lacks)


def lines(name: str, stream: Iterable[str | bytes]) -> Iterator[Entry]:
    """Articles from lines of JSON, each line failing for itself."""
    for number, row in enumerate(stream, 1):
        where = f"{name}, line {number}"
        if not row.strip():
            continue
        try:
            text = row if isinstance(row, str) else _decoded(row, where)
            yield Entry(where, _article(_parsed(text, where), where, f"{_stem(name)}-{number}"))
        except InputFault as fault:
            yield Entry(where, fault=fault, body=row.encode("utf-8", "replace") if isinstance(row, str) else row)


def entries(path: Path) -> Iterator[Entry]:
    """The inputs a path names, in order: a file, or a folder with or without a manifest."""
    try:
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    except FileNotFoundError:
        yield Entry(str(path), fault=InputFault("does not exist", str(path), "check the path"))
    except (OSError, ValueError) as error:
        yield Entry(str(path), fault=_unreadable(path, error))
    else:
        yield from _folder(path) if is_folder else _file(path, {})


def _folder(folder: Path) -> Iterator[Entry]:
    manifest = folder / MANIFEST
    told: dict[str, dict[str, str]] = {}
    try:
        told = _manifest(manifest) if manifest.exists() else {}
    except InputFault as fault:
        yield Entry(str(manifest), fault=fault)
    files = sorted(file for file in folder.rglob("*") if _named_so(file) and file.is_file())
    names = {file: file.relative_to(folder).as_posix() for file in files}
    for name in told:
        if name not in names.values():
            what = f"names {name!r}, which is not in the folder"
            yield Entry(name, fault=InputFault(what, str(manifest), "correct the name or remove the entry"))
    if not files and not told:
        what = f"holds no article; looked for {', '.join(SUFFIXES)}"
        yield Entry(str(folder), fault=InputFault(what, str(folder), "put the files there"))
    for file in files:
        yield from _file(file, told.get(names[file], {}))


def _file(path: Path, metadata: Mapping[str, str]) -> Iterator[Entry]:
    if path.name.lower().endswith((".jsonl", PACKED)):
        yield from _line_by_line(path)
        return
    try:
        with path.open("rb") as stream:
            body = stream.read(MAX_FILE + 1)
    except OSError as error:
        yield Entry(str(path), fault=_unreadable(path, error))
        return
    if len(body) > MAX_FILE:
        yield Entry(str(path), fault=_too_long(path))
        return
    yield from contents(str(path), body, metadata)


def _named_so(file: Path) -> bool:
    """Whether a file of a folder is named as articles are."""
    return file.suffix.lower() in SUFFIXES or file.name.lower().endswith(PACKED)


def unpacked(name: str, body: bytes) -> Iterator[Entry]:
    """The articles of a batch as it is archived: JSON lines, packed."""
    try:
        with gzip.open(io.BytesIO(body)) as stream:
            yield from lines(name, iter(lambda: _bounded_line(Path(name), stream.readline(MAX_FILE + 1)), b""))
    except (OSError, EOFError, zlib.error) as error:
        yield Entry(name, fault=InputFault(f"cannot be unpacked: {error}", name, "write it anew, as gzip"))
    except InputFault as fault:
        yield Entry(name, fault=fault)


def _line_by_line(path: Path) -> Iterator[Entry]:
    """The articles of a file of JSON lines, perhaps packed, which may be longer than memory."""
    try:
        with gzip.open(path) if path.name.lower().endswith(PACKED) else path.open("rb") as stream:
            _readable(str(path), stream.peek(_HEAD))
            yield from lines(str(path), iter(lambda: _bounded_line(path, stream.readline(MAX_FILE + 1)), b""))
    except (OSError, EOFError, zlib.error) as error:
        yield Entry(str(path), fault=_unreadable(path, error))
    except InputFault as fault:
        yield Entry(str(path), fault=fault)


def _bounded_line(path: Path, row: bytes) -> bytes:
    if len(row) > MAX_FILE:
        raise _too_long(path)
    return row


def _manifest(path: Path) -> dict[str, dict[str, str]]:
    """File name → title, source, url and published, as a folder's manifest tells them."""
    from tocsin.source import read

    try:
        data = read(path).data
    except RuleFaults as error:
        what = "; ".join(f"line {fault.line}, column {fault.column}: {fault.what}" for fault in error.faults)
        raise InputFault(what, str(path), "mend the YAML") from error
    rows = data.get("articles") if isinstance(data, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) and _named(row) for row in rows):
        what = "has no list `articles` whose entries each name a `file`"
        raise InputFault(what, str(path), "see seeds/manifest.yaml")
    keys = ("title", "source", "url", "published")
    return {row["file"]: {key: str(row[key]) for key in keys if row.get(key)} for row in rows}


def _named(row: Mapping[str, Any]) -> bool:
    return isinstance(row.get("file"), str) and bool(row["file"])


def _listed(name: str, data: Any) -> Iterator[Entry]:
    if not isinstance(data, list):
        yield Entry(name, _article(data, name, _stem(name)))
        return
    if not data:
        raise InputFault("holds an empty list", name, "put articles into it")
    for number, row in enumerate(data, 1):
        where = f"{name}, article {number}"
        try:
            yield Entry(where, _article(row, where, _stem(name) if len(data) == 1 else f"{_stem(name)}-{number}"))
        except InputFault as fault:
            yield Entry(where, fault=fault)


def _article(row: Any, where: str, default_id: str) -> Article:
    if not isinstance(row, dict):
        mend = 'write {"text": "…", "title": "…", "source": "…", "published": "…"}'
        raise InputFault("is not a JSON object", where, mend)
    told: dict[str, Any] = {}
    faults: dict[str, str] = {}
    for name, field in FIELDS.items():
        try:
            told[name] = _date(row.get(name)) if field.is_date else _text(row, name, field.most)
        except ValueError as error:
            faults[name] = str(error)
    if faults:
        what = "; ".join(f"{name}: {fault}" for name, fault in faults.items())
        mend = "; ".join(dict.fromkeys(_MEND.get(name, f"shorten the {name} or leave it out") for name in faults))
        raise InputFault(what, where, mend)
    return Article(**{**told, "id": told["id"] or default_id}, named="given" if told["id"] else "file")


def _text(row: Mapping[str, Any], name: str, most: int) -> str:
    """A field that is a text, clean; empty where there is none. `ValueError` says what is wrong with it."""
    value = row.get(name)
    if value is None and name != "text":
        return ""
    if name not in row:
        raise ValueError("field required")
    if not isinstance(value, str):
        raise ValueError("input should be a valid string")  # noqa: TRY004 - it is told, not raised further
    text = clean(value) if name in {"id", "text"} else line(value)
    if len(text) > most:
        raise ValueError(f"string should have at most {most} characters")
    if name == "text" and not text.strip():
        raise ValueError("is empty")
    if name == "id" and not text.isprintable():
        raise ValueError("holds a character that cannot be printed")
    return text


def _date(value: Any) -> datetime | None:
    """A date in UTC; nothing where there is none. `ValueError` says what is wrong with it."""
    if not value:
        return None
    try:
        moment = _moment(value.strip() if isinstance(value, str) else value)
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"input should be a valid datetime, not {ascii(value)[:60]}") from None
    if moment.year not in _YEARS:
        raise ValueError(f"the year must lie between {_YEARS[0]} and {_YEARS[-1]}")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _moment(value: Any) -> datetime:
    """A date in the ways people and programs write it.

    A year or a month is taken as its first day; nothing is better than a wrong guess for the rest.
    """
    if isinstance(value, datetime):
        return value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError  # noqa: TRY004 - as any other value that is no date
    written = str(value)
    if _YEAR.fullmatch(written):
        return datetime.fromisoformat(written + "-01" * (2 - written.count("-")))
    if not _NUMBER.fullmatch(written):
        return datetime.fromisoformat(written.upper())
    number = float(value)
    return datetime.fromtimestamp(number if abs(number) <= _MILLISECONDS else number / 1_000, UTC)


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputFault(f"is not JSON: {error}", where, "check it with a JSON formatter") from error


def _readable(name: str, body: bytes) -> None:
    """Refuses what is surely no text, from its first bytes."""
    head = body[:_HEAD]
    if not body.strip():
        raise InputFault("is empty", name, "put the article's text into it")
    if head[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raise InputFault("is UTF-16", name, "save it with the encoding UTF-8")
    control = sum(byte < ord(" ") and byte not in b"\t\n\r\f\v" for byte in head)
    if b"\x00" in head or control > _CONTROL * len(head):
        raise InputFault("is a binary file, not text", name, "drop text, JSON or JSON lines")


def _decoded(body: bytes, where: str) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"is not UTF-8 (byte 0x{error.object[error.start]:02x} at {error.start})"
        raise InputFault(what, where, "save it with the encoding UTF-8") from error


def _unreadable(path: Path, error: Exception) -> InputFault:
    reason = getattr(error, "strerror", None) or error
    return InputFault(f"cannot be read: {reason}", str(path), "check the path and its permissions")


def _too_long(path: Path) -> InputFault:
    mend = "split it into smaller files"
    return InputFault(f"holds an article of more than {MAX_FILE:,} bytes, the most that is read", str(path), mend)


def _stem(name: str) -> str:
    stem = line(PurePosixPath(name.replace("\\", "/")).stem)
    if stem and len(stem) <= _MAX_STEM:
        return stem
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
