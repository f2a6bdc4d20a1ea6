"""How bytes become articles: text files, JSON, JSON lines, and folders with a manifest. Everything from outside enters here."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from tocsin.article import MAX_TEXT, Article
from tocsin.errors import InputFault, RuleFaults
from tocsin.source import read as read_yaml

MANIFEST = "manifest.yaml"
SUFFIXES = (".txt", ".json", ".jsonl")
MAX_FILE = 20_000_000
"""Bytes a text or JSON file may have; JSON lines are read line by line and may be longer."""
_DATE = re.compile(r"\A\d{4}(-\d{2}){0,2}\Z")
_CONTROL = 0.02


class ArticleInput(BaseModel):
    """An article as outsiders hand it in; unknown keys are ignored."""

    model_config = ConfigDict(extra="ignore", str_max_length=MAX_TEXT)

    id: str = Field(default="", max_length=300)
    text: str
    title: str | None = Field(default="", max_length=2_000)
    source: str | None = Field(default="", max_length=300)
    url: str | None = Field(default="", max_length=2_000)
    published: datetime | None = None

    @field_validator("published", mode="before")
    @classmethod
    def _lenient_date(cls, value: Any) -> Any:
        """A year or a month is taken as its first day; nothing is better than a wrong guess for the rest."""
        if isinstance(value, str) and _DATE.match(value.strip()):
            return value.strip() + "-01" * (2 - value.count("-")) + "T00:00:00Z"
        return value or None

    def article(self, default_id: str) -> Article:
        """The article, with `default_id` where it has none of its own."""
        if not self.text.strip():
            raise InputFault("has no text", default_id, 'give it a "text" that is not empty')
        published = self.published
        if published is not None:
            published = published.replace(tzinfo=UTC) if published.tzinfo is None else published.astimezone(UTC)
        fields = {name: _unbroken(getattr(self, name) or "") for name in ("title", "source", "url")}
        return Article(id=_unbroken(self.id) or default_id, text=_unbroken(self.text), published=published, **fields)


def articles(name: str, body: bytes, metadata: Mapping[str, str] | None = None) -> list[Article]:
    """The articles of one file: `.json` one or a list, `.jsonl` one a line, anything else is text.

    `metadata` (title, source, url, published) completes a text. `InputFault` says what is wrong, where, and how to mend it.
    """
    suffix = PurePosixPath(name).suffix.lower()
    if suffix == ".jsonl":
        rows = [_parsed(line, f"{name}, line {number}") for number, line in enumerate(_decoded(name, body).splitlines(), 1) if line.strip()]
        return [_article(row, f"{name}, line {number}", f"{_stem(name)}-{number}") for number, row in enumerate(rows, 1)]
    text = _decoded(name, body)
    if suffix == ".json":
        data = _parsed(text, name)
        many = data if isinstance(data, list) else [data]
        return [_article(row, name, _stem(name) if len(many) == 1 else f"{_stem(name)}-{number}") for number, row in enumerate(many, 1)]
    return [_article({**(metadata or {}), "text": text, "id": (metadata or {}).get("id", "")}, name, _stem(name))]


@dataclass(frozen=True, slots=True)
class Entry:
    """One input of a command: an article, or the fault that kept it from being one. `body` is a file's own bytes."""

    name: str
    article: Article | None = None
    fault: InputFault | None = None
    body: bytes | None = None


def entries(path: Path) -> Iterator[Entry]:
    """The inputs a path names, in order: a file, a JSON-lines file read line by line, or a folder with or without a manifest."""
    if path.is_dir():
        yield from _folder(path)
    elif not path.exists():
        yield Entry(str(path), fault=InputFault("does not exist", str(path), "check the path"))
    elif path.suffix.lower() == ".jsonl":
        yield from _lines(path)
    else:
        yield from _file(path, {})


def lines(name: str, stream: Iterator[str]) -> Iterator[Entry]:
    """Articles from lines of JSON, each line failing for itself."""
    for number, line in enumerate(stream, 1):
        if line.strip():
            where = f"{name}, line {number}"
            try:
                yield Entry(where, _article(_parsed(line, where), where, f"{_stem(name)}-{number}"))
            except InputFault as fault:
                yield Entry(where, fault=fault, body=line.encode("utf-8", "replace"))


def _lines(path: Path) -> Iterator[Entry]:
    try:
        with path.open(encoding="utf-8-sig") as stream:
            yield from lines(str(path), stream)
    except UnicodeDecodeError as error:
        yield Entry(str(path), fault=InputFault(f"is not UTF-8 ({error.reason})", str(path), "save it with the encoding UTF-8"))
    except OSError as error:
        yield Entry(str(path), fault=InputFault(f"cannot be read: {error.strerror}", str(path), "check the path and its permissions"))


def _folder(folder: Path) -> Iterator[Entry]:
    manifest = folder / MANIFEST
    try:
        told = _manifest(manifest) if manifest.exists() else {}
    except InputFault as fault:
        yield Entry(str(manifest), fault=fault)
        told = {}
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
    for name in told.keys() - {str(file.relative_to(folder)) for file in files}:
        yield Entry(name, fault=InputFault(f"names {name!r}, which is not in the folder", str(manifest), "correct the name or remove the entry"))
    if not files and not told:
        yield Entry(str(folder), fault=InputFault(f"holds no article; looked for {', '.join(SUFFIXES)}", str(folder), "put the files there"))
    for file in files:
        yield from _lines(file) if file.suffix.lower() == ".jsonl" else _file(file, told.get(str(file.relative_to(folder)), {}))


def _file(path: Path, metadata: Mapping[str, str]) -> Iterator[Entry]:
    body: bytes | None = None
    try:
        size = path.stat().st_size
        if size > MAX_FILE:
            raise InputFault(f"is {size:,} bytes long, and {MAX_FILE:,} is the most", str(path), "split it into smaller files")
        body = path.read_bytes()
        found = articles(str(path), body, metadata)
    except OSError as error:
        yield Entry(str(path), fault=InputFault(f"cannot be read: {error.strerror}", str(path), "check the path and its permissions"))
    except InputFault as fault:
        yield Entry(str(path), fault=fault, body=body)
    else:
        yield from (Entry(str(path), article, body=body if path.suffix.lower() == ".txt" else None) for article in found)


def _manifest(path: Path) -> dict[str, dict[str, str]]:
    """File name → title, source, url and published, as a folder's manifest tells them."""
    try:
        data = read_yaml(path).data
    except RuleFaults as error:
        raise InputFault(str(error), str(path), "mend the YAML") from error
    rows = data.get("articles") if isinstance(data, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) and row.get("file") for row in rows):
        raise InputFault("has no list `articles` whose entries each name a `file`", str(path), "see seeds/manifest.yaml")
    return {row["file"]: {key: str(row[key]) for key in ("title", "source", "url", "published") if row.get(key)} for row in rows}


def _article(row: Any, where: str, default_id: str) -> Article:
    if not isinstance(row, dict):
        raise InputFault("is not a JSON object", where, 'write {"text": "…", "title": "…", "source": "…", "published": "…"}')
    try:
        return ArticleInput.model_validate(row).article(default_id)
    except ValidationError as error:
        details = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg'].lower()}" for one in error.errors()[:3])
        raise InputFault(details, where, 'an article needs a "text"; dates are written 2025-01-24 or 2025-01-24T09:30:00Z') from error
    except InputFault as fault:
        raise InputFault(fault.what, where, fault.mend) from fault


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputFault(f"is not JSON: {error}", where, "check it with a JSON formatter") from error


def _decoded(name: str, body: bytes) -> str:
    if not body.strip():
        raise InputFault("is empty", name, "put the article's text into it")
    if body[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raise InputFault("is UTF-16", name, "save it with the encoding UTF-8")
    if b"\x00" in body[:8192]:
        raise InputFault("is a binary file, not text", name, "drop text, JSON or JSON lines")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputFault(f"is not UTF-8 (byte 0x{body[error.start]:02x} at {error.start})", name, "save it with the encoding UTF-8") from error
    if sum(character < " " and character not in "\t\n\r\f\v" for character in text[:8192]) > _CONTROL * min(len(text), 8192):
        raise InputFault("is a binary file, not text", name, "drop text, JSON or JSON lines")
    return text


def _unbroken(text: str) -> str:
    """The text with lone surrogates replaced one for one: they cannot be encoded, and offsets must not move."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if any("\ud800" <= c <= "\udfff" for c in text) else text


def _stem(name: str) -> str:
    stem = PurePosixPath(name.replace("\\", "/")).stem
    return stem if stem and len(stem) <= 200 else hashlib.sha256(name.encode()).hexdigest()[:16]  # noqa: PLR2004 - a sane file name

