"""XML as it comes: decoded, stripped of its prolog, measured against limits, and mended where it is broken.

Feeds declare the wrong encoding, use entities nobody declared, forget to close tags and end in the middle. What comes out
here is well-formed and harmless: UTF-8 without prolog, document type or entities, within `Limits`. Each step takes linear
time. A library that reads it meets nothing its authors did not think of.
"""

from __future__ import annotations

import codecs
import html
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from xml.parsers import expat

from tocsin.errors import FeedFault

DECLARATION = b"<?xml version='1.0' encoding='utf-8'?>\n"
ROOTS = frozenset({"rss", "feed", "rdf", "channel"})
"""What the root of a feed is called, without prefix and in lower case."""
_FEED = re.compile(r"<(?:[\w.-]{1,40}:)?(?:rss|feed|rdf|channel)(?=[\s>/])", re.IGNORECASE)
_SPACES = {ord("\n"): "&#10;", ord("\r"): "&#13;", ord("\t"): "&#9;"}
_HEAD = 100_000
"""As many characters may stand before a feed."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one feed may consist of. Real feeds stay far below, but for `entries`: the rest is left out."""

    entries: int = 2_000
    elements: int = 250_000
    depth: int = 200
    attributes: int = 200
    namespaces: int = 100
    base: int = 2_000
    """Characters of an xml:base, which is resolved anew at each element."""
    links: int = 30_000
    lines: int = 300_000
    """Each line of text is handed over by itself."""
    tags: int = 2_000_000
    """Comparisons of categories: within an entry or a channel, each is compared with those before."""


LIMITS = Limits()

# Encodings.

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
)
_WIDE = (
    (re.compile(rb"\x00\x00\x00[^\x00]"), "utf-32-be"),
    (re.compile(rb"[^\x00]\x00\x00\x00"), "utf-32-le"),
    (re.compile(rb"\x00[^\x00]\x00[^\x00]"), "utf-16-be"),
    (re.compile(rb"[^\x00]\x00[^\x00]\x00"), "utf-16-le"),
)
_EBCDIC = b"\x4c\x6f\xa7\x94"
"""The beginning of `<?xml` in EBCDIC."""
_DECLARED = re.compile(r"""<\?xml[^<>]{0,200}?\sencoding\s{0,9}=\s{0,9}["']([\w.:-]{1,40})["']""")
_CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:-]{1,40})""", re.IGNORECASE)
_NO_TEXT = frozenset({"punycode", "idna", "unicode_escape", "raw_unicode_escape", "undefined", "utf_7", "mbcs", "oem"})
"""Codecs that take quadratic time, or that hide markup from whoever looks at the bytes."""
_SEVEN_BITS = ("iso2022", "hz")
_WIDER = {
    "ascii": "cp1252", "iso8859-1": "cp1252", "latin-1": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874",
    "gb2312": "gb18030", "gbk": "gb18030", "big5": "big5hkscs", "euc_kr": "cp949", "shift_jis": "cp932",
}  # fmt: skip
"""Encodings that are written where a wider one is meant."""
_PAGE = re.compile(r"(?:x-)?(?:windows|win|cp)-?(\d{3,4})", re.IGNORECASE)
_OTHER_NAMES = {
    "windows-31j": "cp932",
    "cp31j": "cp932",
    "iso88591": "cp1252",
    "cn-big5": "big5hkscs",
    "iso-8859-8-i": "iso8859-8",
}
_STRAY = {0xDC00 + byte: bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(0x80, 0x100)}
_TOLERATED = 0.01
"""The share of broken characters up to which a declared encoding is believed."""


def decoded(body: bytes, content_type: str = "") -> tuple[str, str]:
    """The text of the bytes, and a note when they are not what they are declared to be.

    A byte order mark or a pattern of zeros decides, then whether it is UTF-8 (nothing else looks like it), then what the
    server and the document say. What is neither is read as UTF-8 with stray bytes of windows-1252.
    """
    for mark, name in _BOMS:
        if body.startswith(mark):
            return _read(body[len(mark) :], name)
    for pattern, name in _WIDE:
        if pattern.match(body):
            return _read(body, name)
    head = body[:1_000].decode("cp037" if body.startswith(_EBCDIC) else "latin-1")
    declared = [_codec(found[1]) for found in (_CHARSET.search(content_type), _DECLARED.search(head)) if found]
    if body.startswith(_EBCDIC):
        return _read(body, next(filter(None, reversed(declared)), "cp037"))
    return _declared(body, [name for name in declared if name])


def _declared(body: bytes, declared: list[str]) -> tuple[str, str]:
    shifted = [name for name in declared if name.startswith(_SEVEN_BITS)]
    for name in (*shifted, "utf-8", *declared):
        try:
            return body.decode(name), ""
        except UnicodeError:
            continue
    for name in declared:
        text = body.decode(name, "replace") if name not in {"utf-8", "cp1252"} else "\ufffd"
        if text.count("\ufffd") <= _TOLERATED * len(text):
            return text, f"some bytes are not {name}, as is declared"
    text = body.decode("utf-8", "surrogateescape").translate(_STRAY)
    named = (declared or ["utf-8"])[0]
    return text, "" if named == "cp1252" else f"some bytes are not {named}: they were read as windows-1252"


def _read(body: bytes, name: str) -> tuple[str, str]:
    if name == "utf-8":
        return _declared(body, [name])
    text = body.decode(name, "replace")
    return text, f"some bytes are not {name}" if "\ufffd" in text else ""


def _codec(name: str) -> str:
    """Python's name of an encoding; empty when there is none or it must not be used."""
    name = name.lower().replace(":", "-")
    name = _OTHER_NAMES.get(name, _PAGE.sub(r"cp\1", name).removeprefix("x-"))
    try:
        known = codecs.lookup(name).name
        bytes(4).decode(known)  # LookupError when it is no encoding of text; no bytes at all are not even looked at
    except (LookupError, ValueError):
        return ""
    return "" if known.replace("-", "_") in _NO_TEXT else _WIDER.get(known, known)


# The root.


@dataclass(frozen=True, slots=True)
class Root:
    """Where the document begins, and what stood before it."""

    start: int
    name: str
    """Without prefix, in lower case."""
    doctype: str = ""
    skipped: bool = False
    """Whether something that is no prolog stood before it."""


_NAME = re.compile(r"<([A-Za-z_][\w.-]*+)(?::([A-Za-z_][\w.-]*+))?", re.ASCII)
_INSTRUCTION = re.compile(r"<\?(?:[^<>]*+>|[^<]*?\?>|[^<]*+)")
_DOCTYPE = re.compile(r"<!DOCTYPE[^\[<>]*+(?:\[.*?\]\s*+)?>", re.IGNORECASE | re.DOTALL)


def root(text: str) -> Root | None:
    """The first element, or the first that is called like a feed; None when there is no element."""
    first = _first(text)
    if first is None or first.name in ROOTS:
        return first
    found = _FEED.search(text, first.start, first.start + _HEAD)
    if not found:
        return first
    name = found[0].rpartition(":")[2].lstrip("<").lower()
    return Root(found.start(), name, first.doctype, skipped=True)


def _first(text: str) -> Root | None:
    """The first element behind declaration, document type, comments and junk."""
    at, doctype, closed = 0, "", True
    while (at := text.find("<", at, at + _HEAD)) >= 0:
        if text.startswith("<!--", at):
            end = text.find("-->", at)
            if end < 0:
                return None if not (found := _FEED.search(text, at)) else _root(text, found.start(), doctype)
            at = end + len("-->")
        elif found := _INSTRUCTION.match(text, at):
            at = found.end()
        elif closed and text.startswith("<!", at):
            found = _DOCTYPE.match(text, at)
            closed = found is not None or text[at : at + 9].upper() != "<!DOCTYPE"  # else none behind it is closed
            doctype, at = (doctype or found[0], found.end()) if found else (doctype, at + 1)
        elif _NAME.match(text, at):
            return _root(text, at, doctype)
        else:
            at += 1
    return None


def _root(text: str, start: int, doctype: str) -> Root:
    found = _NAME.match(text, start)
    return Root(start, (found[2] or found[1]).lower() if found else "", doctype)


_ENTITY = re.compile(
    r"""<!ENTITY\s++(?P<percent>%\s++)?(?P<name>[\w.:-]{1,100})\s++(?:"(?P<a>[^"]*+)"|'(?P<b>[^']*+)'|)"""
)
_PLAIN = re.compile(r"&#(?:[0-9]{1,7}|[xX][0-9a-fA-F]{1,6});|[^&%]{0,100}")


def entities(doctype: str) -> dict[str, str | None]:
    """The entities a document type declares; None for those that are long, made of others, or come from elsewhere."""
    declared: dict[str, str | None] = {}
    for found in _ENTITY.finditer(doctype):
        value = found["a"] if found["a"] is not None else found["b"]
        plain = value is not None and not found["percent"] and _PLAIN.fullmatch(value)
        declared.setdefault(found["name"], _character(value) if plain and value is not None else None)
    return declared


# Limits.


class _Full(Exception):
    """As many entries were seen as are read: the next would begin at byte `at`."""

    def __init__(self, at: int) -> None:
        self.at = at
        super().__init__(at)


_ENTRIES = frozenset({"item", "entry", "Item", "Entry", "ITEM", "ENTRY"})
_TAGS = frozenset({"category", "subject", "keywords", "tags", "Category", "CATEGORY"})
_LISTS = frozenset({"keywords", "tags"})
"""Elements that hold many categories."""
_CATEGORIES = "comparisons of categories: each entry may have a few hundred of them"
_KEYWORD = 8
"""Bytes of one of them, or more."""
_BASE = "http://www.w3.org/XML/1998/namespace base xml"


@dataclass(slots=True)
class _Meter:
    """Counts while expat reads."""

    limits: Limits
    parser: expat.XMLParserType
    open: list[str] = field(default_factory=list)
    prefixes: set[str] = field(default_factory=set)
    elements: int = 0
    entries: int = 0
    links: int = 0
    tags: int = 0
    compared: int = 0
    listed: tuple[int, int] = (0, 0)
    """Depth and first byte of the list of categories that is open."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """One more element."""
        limits = self.limits
        self.elements += 1
        local = name.split(" ", 2)[1] if " " in name else name
        if local in _ENTRIES:
            self.tags = 0
            self.entries += 1
            if self.entries > limits.entries:
                raise _Full(self.parser.CurrentByteIndex)
        elif local in _TAGS:
            self.tags += 1
            self.compared += self.tags
            if local in _LISTS:
                self.listed = len(self.open) + 1, self.parser.CurrentByteIndex
        elif local == "link":
            self.links += 1
            _within(self.links, limits.links, "links")
        self.open.append(name)
        if attributes:
            base = attributes.get(_BASE) or attributes.get("base") or ""
            _within(len(base), limits.base, "characters in one xml:base")
            _within(len(attributes), limits.attributes, "attributes in one element")
        _within(len(self.open), limits.depth, "elements in one another")
        _within(self.elements, limits.elements, "elements")
        _within(self.compared, limits.tags, _CATEGORIES)

    def end(self, _name: str) -> None:
        """It is closed."""
        if len(self.open) == self.listed[0]:
            self.tags += (self.parser.CurrentByteIndex - self.listed[1]) // _KEYWORD
            self.compared += self.tags**2 // 2
            self.listed = 0, 0
            _within(self.compared, self.limits.tags, _CATEGORIES)
        self.open.pop()

    def namespace(self, prefix: str | None, uri: str | None) -> None:
        """A namespace is declared."""
        if uri and not _whole(uri):
            raise expat.ExpatError("a namespace with a space in it")
        self.prefixes.add(prefix or "")
        _within(len(self.prefixes), self.limits.namespaces, "namespaces")


def _whole(uri: str) -> bool:
    """Whether there is no space in it: between address and name there is one, and who splits them there counts three parts."""
    return uri.split() == [uri]


def _within(number: int, most: int, what: str) -> None:
    if number > most:
        raise FeedFault("too-complex", f"has more than {most:,} {what}")


def measured(data: bytes, limits: Limits = LIMITS) -> bytes:
    """The same document, or as many of its entries as are read. `expat.ExpatError` when it is not well-formed."""
    _within(data.count(b"\n"), limits.lines, "lines")
    parser = expat.ParserCreate("utf-8", namespace_separator=" ")
    meter = _Meter(limits, parser)
    parser.namespace_prefixes = True
    parser.StartElementHandler = meter.start
    parser.EndElementHandler = meter.end
    parser.StartNamespaceDeclHandler = meter.namespace
    parser.StartDoctypeDeclHandler = _no_doctype
    try:
        parser.Parse(data, True)  # noqa: FBT003 - expat's signature
    except _Full as full:
        return data[: full.at] + "".join(f"</{_qualified(name)}>" for name in reversed(meter.open)).encode()
    return data


@dataclass(frozen=True, slots=True)
class Places:
    """At which bytes the entries of a document begin, of those that stand beside the first one."""

    first: Sequence[int]
    last: Sequence[int]
    count: int
    """How many there are."""


def places(data: bytes, first: int, last: int) -> Places:
    """The places of so many entries at the beginning and at the end. `expat.ExpatError` when it is not well-formed."""
    parser = expat.ParserCreate("utf-8")
    beginning: list[int] = []
    end: deque[int] = deque(maxlen=last)
    depth = at = count = 0

    def start(name: str, _attributes: dict[str, str]) -> None:
        nonlocal depth, at, count
        depth += 1
        if name.rpartition(":")[2] in _ENTRIES and depth == (at := at or depth):
            count += 1
            end.append(parser.CurrentByteIndex)
            if count <= first:
                beginning.append(parser.CurrentByteIndex)

    def close(_name: str) -> None:
        nonlocal depth
        depth -= 1

    parser.StartElementHandler, parser.EndElementHandler = start, close
    parser.Parse(data, True)  # noqa: FBT003 - expat's signature
    return Places(beginning, list(end), count)


def _qualified(name: str) -> str:
    """A name as it is written: expat tells address, name and prefix."""
    parts = name.split(" ")
    local, prefix = (parts[1], parts[2]) if len(parts) > 2 else (parts[-1], "")  # noqa: PLR2004 - all three
    return f"{prefix}:{local}" if prefix else local


def _no_doctype(*_: object) -> None:
    raise FeedFault("entities", "declares a document type inside the feed")


# Mending.

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_TOKEN = re.compile(
    r"""<(?:
      !--(?:.*?-->|.*)
    | !\[CDATA\[(?P<data>.*?)(?P<whole>\]\]>|\Z)
    | [!?][^<>]*+>?
    | (?P<close>/?)(?P<name>[a-z_][\w.-]*+(?::[a-z_][\w.-]*+)?)
      (?P<rest>(?:[^<>"']++|"[^"<]*+"|'[^'<]*+'|["'])*+)(?P<end>>|(?=<)|\Z)
    )""",
    re.ASCII | re.DOTALL | re.IGNORECASE | re.VERBOSE,
)
"""No `<` may stand in an attribute, so a quote that is not closed before one is no quote."""
_PAIR = re.compile(
    r"""([a-z_][\w.-]*+(?::[a-z_][\w.-]*+)?)\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s"'>]++)""", re.ASCII | re.IGNORECASE
)
_REFERENCE = re.compile(r"&(#[0-9]{1,9}|#[xX][0-9a-fA-F]{1,8}|[A-Za-z_][\w.-]{0,60});")
_XML = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_VOID = frozenset({"br", "img", "hr", "wbr", "input", "area", "embed"})
_LEAVES = frozenset({"title", "link", "guid", "pubdate"})
"""Elements that hold no other of `_FIELDS`: where one begins, the one before was not closed."""
_FIELDS = _LEAVES | {"description", "item", "entry"}
_DEPTH = 100
"""Tags that nest deeper are left out: what is never closed would nest without end."""
_MEANT = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "itunes": "http://www.itunes.com/DTDs/PodCast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xhtml": "http://www.w3.org/1999/xhtml",
}
"""What a prefix means that is not declared."""
_RESERVED = frozenset({"http://www.w3.org/2000/xmlns/", "http://www.w3.org/XML/1998/namespace", ""})


def mended(text: str, known: dict[str, str | None]) -> tuple[str, bool]:
    """The document made well-formed, and whether its end is missing. `known`: its own entities.

    Tags are closed where their parents end, what closes nothing is dropped, entities become characters, and what only looks
    like markup becomes text. Of an entry that breaks off, the element in which it does is left out.
    """
    text = _ILLEGAL.sub("", text)
    last = text.rfind("-->") + 1
    text = text[:last] + text[last:].replace("<!--", "")
    mender = _Mender({**known, **_XML}, max(text.rfind("<item"), text.rfind("<entry")))
    at = 0
    for token in _TOKEN.finditer(text):
        mender.text(text[at : token.start()])
        at = token.end()
        mender.token(token)
    mender.text(text[at:])
    return mender.document()


@dataclass(slots=True)
class _Mender:
    """Writes a well-formed document out of tokens."""

    known: dict[str, str | None]
    last: int
    """Where the last entry begins."""
    pieces: list[str] = field(default_factory=list)
    open: list[tuple[str, int]] = field(default_factory=list)
    """The open elements, and the place of each in `pieces`."""
    counts: dict[str, int] = field(default_factory=dict)
    entries: list[int] = field(default_factory=list)
    """Where in `open` the entries are."""
    root: dict[str, str] = field(default_factory=dict)
    prefixes: set[str] = field(default_factory=set)
    over: bool = False

    def text(self, text: str) -> None:
        """Characters between two tags."""
        if self.open and not self.over and text:
            self.pieces.append(_section(self._resolved(text)))

    def token(self, token: re.Match[str]) -> None:
        """A tag or a section."""
        if self.over:
            return
        if token["data"] is not None:
            if self.open and token["whole"]:
                self.pieces.append(_section(token["data"]))
        elif token["name"]:
            name = token["name"].lower()
            if token["close"]:
                self._close(name, token.start())
            elif (
                token["end"].endswith(">")
                or not self.pieces
                or name.rpartition(":")[2] in _ENTRIES
                or (name in _FIELDS and not token["rest"].strip())
            ):
                self._start(name, token["rest"])
            elif token.end() < len(token.string):
                self.text(token[0])

    def document(self) -> tuple[str, bool]:
        """Everything, closed."""
        cut = bool(self.open)
        if self.entries:
            self._drop_half(self.entries[0])
        while self.open:
            self._pop()
        used = sorted(self.prefixes - {"xml", "xmlns"})
        meant = {f"xmlns:{name}": _MEANT.get(name, f"urn:undeclared:{name}") for name in used}
        if self.pieces:
            self.pieces[0] = self.pieces[0].replace(">", f"{_written(meant | self.root)}>")
        return "".join(self.pieces), cut

    def _drop_half(self, entry: int) -> None:
        """Leaves out the element in which an entry breaks off, unless the entry has no other."""
        for _, at in self.open[entry + 1 : entry + 2]:
            if any(piece.startswith("</") for piece in self.pieces[self.open[entry][1] : at]):
                del self.pieces[at:], self.open[entry + 1 :]
                self.entries.clear()

    def _start(self, name: str, rest: str) -> None:
        local = name.rpartition(":")[2]
        if name.startswith("xmlns:") or (len(self.open) >= _DEPTH and local not in _ENTRIES):
            return
        if local in _ENTRIES:
            while self.entries:
                self._pop()
        if self.open and self.open[-1][0] in _LEAVES and name in _FIELDS:
            self._pop()
        attributes = self._attributes(rest)
        self.prefixes.update(part.partition(":")[0] for part in (name, *attributes) if ":" in part)
        if not self.pieces:
            self.root, attributes = attributes, {}
        empty = rest.rstrip().endswith("/") or name in _VOID
        self.pieces.append(f"<{name}{_written(attributes)}>")
        if local in _ENTRIES:
            self.entries.append(len(self.open))
        self.open.append((name, len(self.pieces) - 1))
        self.counts[name] = self.counts.get(name, 0) + 1
        if empty and len(self.pieces) > 1:
            self._pop()

    def _attributes(self, rest: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, value in _PAIR.findall(rest):
            plain = self._resolved(value[1:-1] if value[0] in "\"'" else value)
            if not name.startswith("xmlns") or (
                _whole(plain) and plain not in _RESERVED and name[6:] not in {"xml", "xmlns"}
            ):
                found.setdefault(name.lower(), plain)
        return found

    def _close(self, name: str, at: int) -> None:
        if not self.counts.get(name):
            return
        if name == self.open[0][0] and self.counts[name] == 1:
            if at < self.last:
                return
            self.over = True
        while self._pop() != name:
            pass

    def _pop(self) -> str:
        name, _ = self.open.pop()
        if self.entries and self.entries[-1] == len(self.open):
            self.entries.pop()
        self.counts[name] -= 1
        self.pieces.append(f"</{name}>")
        return name

    def _resolved(self, text: str) -> str:
        """The text with every reference replaced by what it stands for."""
        return _REFERENCE.sub(self._reference, text) if "&" in text else text

    def _reference(self, found: re.Match[str]) -> str:
        if found[1] not in self.known:
            return _character(found[0])
        value = self.known[found[1]]
        if value is None:
            raise FeedFault("entities", f"uses the entity {found[1]}, which is made of others or comes from elsewhere")
        return value


def _section(text: str) -> str:
    """Text of an element: a section costs whoever reads it less than a reference for each character."""
    if "<" not in text and "&" not in text and "]]>" not in text:
        return text
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"


def _written(attributes: dict[str, str]) -> str:
    return "".join(f" {name}={_quoted(value)}" for name, value in attributes.items())


def _quoted(value: str) -> str:
    """A value as an attribute: `xml.sax.saxutils` does the same, and brings `urllib.request` along, which costs a start."""
    return '"' + html.escape(value).translate(_SPACES) + '"'


@lru_cache(maxsize=500)
def _character(reference: str) -> str:
    """What a reference stands for, without characters that XML forbids."""
    return _ILLEGAL.sub("\ufffd", html.unescape(reference))
