"""Strict YAML: plain data out of a rule file, with the line and column of everything in it.

Refused: anchors, aliases and merge keys, duplicate keys, tags, tabs as indentation, more depth or nodes than a person
writes. Words stay words: `NO`, `on`, `012` and `1:30` are text here, never a boolean or another number. A file that is JSON,
as programs write rules, is YAML too, and is read in a fraction of the time.
"""

from __future__ import annotations

import hashlib
import json
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from pydantic_core import to_json

from tocsin.errors import Fault, RuleFaults
from tocsin.rulefiles import SHORT
from tocsin.unreadable import slip

MAX_BYTES = 1_048_576
MAX_DEPTH = 32
MAX_NODES = 50_000
_MAX_FAULTS = 50
_MAX_DIGITS = 15  # longer runs of digits are identifiers, not numbers

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NODES: dict[type, Any] = {yaml.SequenceStartEvent: yaml.SequenceNode, yaml.MappingStartEvent: yaml.MappingNode}
_ENDS = frozenset({yaml.SequenceEndEvent, yaml.MappingEndEvent})
_NAMING = frozenset({yaml.AliasEvent, yaml.ScalarEvent, *_NODES})
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+\Z")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # YAML 1.2, 5.1
_CONSTANTS: dict[str, Any] = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(frozen=True)
class Source:
    """One YAML file read: its plain data, and the text, in which places are looked for where there is a fault."""

    file: str
    text: str

    @classmethod
    def of(cls, file: str, text: str, data: object) -> Source:
        """A text that was read already."""
        made = cls(file, text)
        made.__dict__["data"] = data
        return made

    @cached_property
    def data(self) -> Any:
        """What it holds, as plain data."""
        return parse(self.text, self.file).data

    @cached_property
    def digest(self) -> str:
        """A hash of what it holds, however it is written."""
        return digest([self.data])

    def lighten(self) -> None:
        """Lets go of what can be read again, but for its digest, for nobody is likely to ask for it: of thousands of files that is most of the memory."""
        self.__dict__["digest"] = self.digest
        for part in ("data", "node"):
            self.__dict__.pop(part, None)

    @cached_property
    def node(self) -> yaml.Node | None:
        """The tree that remembers places."""
        return _composed(self.text, self.file)

    def fault(self, path: Sequence[str | int], what: str, code: str = "", *, at_key: bool = False) -> Fault:
        """A fault at the place of `path` (keys and indexes from the root), or the nearest part of it that exists; `at_key`: where its last key stands."""
        node = _walk(self.node, path, at_key=at_key)
        return Fault(self.file, *_start(node.start_mark if node else None), what, code)

    def last_entry(self, path: Sequence[str | int]) -> tuple[int, int] | None:
        """Where the last entry of a list begins: its line, and the column of the list's dashes, from 0. None when there is none."""
        node = _walk(self.node, path) if _leads(self.data, path) else None
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            return None
        return node.value[-1].start_mark.line, node.start_mark.column


def digest(values: Sequence[Any]) -> str:
    """A hash of some plain data."""
    return hashlib.sha256(to_json(values)).hexdigest()[:SHORT]


def _leads(data: Any, path: Sequence[str | int]) -> bool:
    """Whether there is something at the end of a path."""
    for key in path:
        if not isinstance(data, dict) or key not in data:
            return False
        data = data[key]
    return True


def read(path: Path, name: str | None = None) -> Source:
    """Reads one file; `RuleFaults` with file, line and column when it is not strict YAML."""
    file = name or str(path)
    return decoded(contents(path, file), file)


def contents(path: Path, file: str) -> bytes:
    """What stands in a file; `RuleFaults` when it cannot be read or is too large."""
    try:
        known = path.stat()
        if not stat.S_ISREG(known.st_mode) and not stat.S_ISDIR(known.st_mode):  # to read a pipe would wait for ever
            what = "cannot be read: it is no file, but a pipe, socket or device; put a file in its place"
            raise RuleFaults([Fault(file, 1, 1, what, "TOC101")])
        with path.open("rb", buffering=0) as stream:
            raw = stream.read() if known.st_size <= MAX_BYTES else b""
    except OSError as error:
        what = f"cannot be read: {error.strerror or error}; check the path and its permissions"
        raise RuleFaults([Fault(file, 1, 1, what, "TOC101")]) from error
    if known.st_size > MAX_BYTES or len(raw) > MAX_BYTES:
        raise RuleFaults([Fault(file, 1, 1, f"has more than {MAX_BYTES:,} bytes; split the file", "TOC102")])
    return raw


def decoded(raw: bytes, file: str) -> Source:
    """Reads the bytes of a file."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = _place(raw[: error.start].decode("utf-8-sig", "replace"))
        raise RuleFaults(
            [Fault(file, *place, "is not UTF-8; save the file with the encoding UTF-8", "TOC103")]
        ) from error
    return parse(text, file)


def parse(text: str, file: str) -> Source:
    """Reads YAML text; `file` is only used to name the place of faults."""
    if data := _json(text):
        return Source.of(file, text, data)
    if not text.isprintable() and (odd := _UNPRINTABLE.search(text)):
        what = f"the character U+{ord(odd.group()):04X} is not allowed; remove it"
        raise RuleFaults([Fault(file, *_place(text[: odd.start()]), what, "TOC104")])
    if any(mark in text for mark in _MARKS) and (faults := [*_unmerged(text, file)]):
        raise RuleFaults(faults[:_MAX_FAULTS])
    try:
        node = _composed(text, file)
    except yaml.MarkedYAMLError as error:
        raise RuleFaults([_broken(text, file, error)]) from error
    faults = []
    data = _plain(node, file, faults) if node else None
    if faults:
        raise RuleFaults(faults[:_MAX_FAULTS])
    source = Source.of(file, text, data)
    source.__dict__["node"] = node
    return source


_MARKS = ("<<<<<<<", "|||||||", "=======", ">>>>>>>")
_MARK = re.compile(r"^(?:<{7}|\|{7}|={7}|>{7})(?=[ \r\n]|\Z)", re.MULTILINE)
"""What git writes around both versions of what it could not merge: at the beginning of a line, where YAML has no use for it."""


def _unmerged(text: str, file: str) -> Iterator[Fault]:
    """Where a merge was left undone: a fault for both versions of a place, or for a mark that stands alone."""
    end = -1
    for mark in _MARK.finditer(text):
        if mark.start() <= end:
            continue
        line, column = _place(text[: mark.start()])
        end = text.find("\n>>>>>>>", mark.start()) + 1 if mark[0] == "<<<<<<<" else 0
        what = (
            f"a merge is not done: both versions stand here, up to line {_place(text[:end])[0]}"
            if end
            else f"the {mark[0]} of a merge was left here"
        )
        mend = "keep the lines that you want, and remove those that begin with <<<<<<<, ======= and >>>>>>>"
        yield Fault(file, line, column, f"{what}; {mend}", "TOC115")


def _json(text: str) -> dict[str, Any] | None:
    """What a text holds that is JSON; None where it is anything else, or may hold what is refused."""
    if not text.startswith("{") or (any(map(text.__contains__, _ODD)) and _DOUBTFUL.search(text)):
        return None
    if len(text) > MAX_NODES / 2 and sum(map(text.count, ",:")) + 2 * sum(map(text.count, "[{")) > MAX_NODES:
        return None
    if not text.isascii() and _UNPRINTABLE.search(text):
        return None
    try:
        data: dict[str, Any] = _read_json(text)
        return data if _is_strict(data, text.count('":')) else None
    except (ValueError, RecursionError):
        return None


_DOUBTFUL = re.compile(r'\\u|\x7f|"<<"|\s:')
"""What is refused, or may stand between a key and its colon, which are counted."""
_ODD = ("\\", "\x7f", "<<", "\t", "\n", "\r", " :")
"""Without these it is not there."""


def _is_strict(data: dict[str, Any], keys: int) -> bool:
    """Whether no key stands twice, so that there are as many as were written, and no more brackets are open at once than may be."""
    level: list[Any] = [data]
    for _ in range(MAX_DEPTH):
        keys -= sum([len(one) for one in level if type(one) is dict])
        inside = [one.values() if type(one) is dict else one for one in level]
        level = [one for some in inside for one in some if type(one) is not str and type(one) in _HOLDING]
        if not level:
            return keys == 0
    return False


_HOLDING = frozenset({dict, list})


def _place(before: str) -> tuple[int, int]:
    """Line and column, from 1, of what follows this text."""
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _start(mark: Any) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _composed(text: str, file: str) -> yaml.Node | None:
    """The tree of a text, each of its events looked at first: in one pass, and without what YAML makes of words."""
    tree: list[yaml.Node] = []
    opened: list[list[yaml.Node]] = [tree]  # what each open node holds so far; of a mapping, keys and values in turn
    shape = _Shape(text, file)
    event: Any
    for count, event in enumerate(yaml.parse(text, Loader=_LOADER)):
        kind = type(event)
        if count > MAX_NODES or (kind in _NAMING and (event.anchor or getattr(event, "tag", None))):
            raise RuleFaults([Fault(file, *_start(event.start_mark), *_refused(event))])
        if kind is yaml.ScalarEvent:
            if event.style or event.value == "-":
                shape.scalar(event)
            opened[-1].append(yaml.ScalarNode("", event.value, event.start_mark, None, event.style))
        elif kind in _NODES:
            if len(opened) > MAX_DEPTH:
                what = f"is nested deeper than {MAX_DEPTH} levels; make it flatter"
                raise RuleFaults([Fault(file, *_start(event.start_mark), what, "TOC110")])
            shape.opens(event)
            opened[-1].append(_NODES[kind]("", [], event.start_mark))
            opened.append([])
        elif kind in _ENDS:
            shape.closes(event)
            _close(opened.pop(), opened[-1][-1])
        elif kind is yaml.DocumentStartEvent and tree:
            raise RuleFaults(
                [Fault(file, *_start(event.start_mark), "begins another document; split the file", "TOC111")]
            )
    shape.check()
    return tree[0] if tree else None


class _Shape:
    """What the fast loader reads and YAML forbids: other readers, and the next version of this one, would take it for something else."""

    def __init__(self, text: str, file: str) -> None:
        self._text, self._file = text, file
        self._depth: list[int | None] = []
        """Of each open node the column of its entries, None in brackets."""
        self._long: list[tuple[int, int, int, Any]] = []
        """Of values over several lines, in quotes or brackets, first and last line, the column they must stay behind, and the start."""
        self._ends: list[Any] = []
        """Where values in quotes or brackets end, if a # stands there."""
        self._quoted: list[tuple[tuple[int, int], tuple[int, int]]] = []
        """Where values in quotes begin and end in the brackets that are open."""

    @property
    def _column(self) -> int:
        """The column of the innermost entries that are not in brackets."""
        return next((one for one in reversed(self._depth) if one is not None), -1)

    def opens(self, event: Any) -> None:
        """A list or mapping begins."""
        if event.flow_style and None not in self._depth:
            self._begun = event.start_mark
            self._outside = self._column
        self._depth.append(None if event.flow_style else event.start_mark.column)

    def closes(self, event: Any) -> None:
        """A list or mapping ends."""
        if self._depth.pop() is None and None not in self._depth:
            begun, end = self._begun, event.end_mark
            if begun.line != end.line:
                self._long.append((begun.line, end.line, self._outside, begun))
                self._commas(begun.line, end.line)
            self._quoted.clear()
            self._ends.append(end)

    def scalar(self, event: Any) -> None:
        """A value in quotes, in a block, or a single dash."""
        start, end = event.start_mark, event.end_mark
        inside = None in self._depth
        if not event.style:
            if inside:
                self._fault(start, "is not YAML: a dash alone in brackets; put it into quotes")
            return
        if event.style in "|>":
            self._block(start)
        elif inside:
            self._quoted.append(((start.line, start.column), (end.line, end.column)))
        else:
            if start.line != end.line:
                self._long.append((start.line, end.line, self._column, start))
            self._ends.append(end)

    def check(self) -> None:
        """Raises the first fault there is."""
        lines = self._lines
        first = next((number for number, line in enumerate(lines) if line.strip() and not line.startswith("#")), 0)
        if lines[first].startswith("%"):
            self._fault_at(first, 0, "is not YAML of a rule: directives (%) are not allowed; remove the line")
        for end in self._ends:
            line = lines[end.line] if end.line < len(lines) else ""
            if line[end.column : end.column + 1] == "#":
                self._fault(end, _COMMENT)
        for first, last, column, start in self._long:
            for number in range(first + 1, last + 1):
                self._goes_on(number, column, start)

    def _goes_on(self, number: int, column: int, start: Any) -> None:
        """A line with which a value goes on that began above."""
        line = self._lines[number] if number < len(self._lines) else ""
        content = line.lstrip(" \t")
        if not content:
            return
        spaces = len(line) - len(line.lstrip(" "))
        if spaces <= column and line[spaces] == "\t":
            what = "is not YAML: a tab stands where spaces must; indent with spaces"
            self._fault_at(number, spaces, what, "TOC106")
        if spaces <= column and content[0] not in "]}":
            what = f"is not YAML: the value that began on line {start.line + 1} goes on here; indent the line further"
            self._fault_at(number, spaces, what)

    def _commas(self, first: int, last: int) -> None:
        """Lines in brackets in which a # follows a comma, and neither stands in quotes."""
        for number in range(first, last + 1) if self._has_commas else ():
            line = self._lines[number]
            for found in re.finditer(r",(?=#)", line.partition(" #")[0]):
                place = (number, found.start())
                if not any(begin <= place < end for begin, end in self._quoted):
                    self._fault_at(number, found.end(), _COMMENT)

    @cached_property
    def _has_commas(self) -> bool:
        """Whether there is any such line."""
        return ",#" in self._text

    def _block(self, start: Any) -> None:
        """A block of lines: a comment right behind its sign, or blank lines that reach further than its first line."""
        lines = self._lines
        header = lines[start.line][start.column :] if start.line < len(lines) else ""
        if "#" in header and not re.match(r"[|>][-+0-9]*[ \t]+#", header):
            self._fault_at(start.line, start.column + header.index("#"), _COMMENT)
        blank = 0
        for line in lines[start.line + 1 :]:
            if line.strip(" "):
                spaces = len(line) - len(line.lstrip(" "))
                if blank > spaces and not re.match(r"[|>][-+]?[1-9]", header):
                    self._fault(
                        start,
                        "is not YAML: a blank line at its begin reaches further than its first line; remove its spaces",
                    )
                return
            blank = max(blank, len(line))

    @cached_property
    def _lines(self) -> list[str]:
        return self._text.split("\n")

    def _fault(self, mark: Any, what: str) -> None:
        self._fault_at(mark.line, mark.column, what)

    def _fault_at(self, line: int, column: int, what: str, code: str = "TOC105") -> None:
        raise RuleFaults([Fault(self._file, line + 1, column + 1, what, code)])


_COMMENT = "is not YAML: a comment begins with a blank before its #; put one there"


def _close(held: list[yaml.Node], node: yaml.Node) -> None:
    node.value = list(zip(held[::2], held[1::2], strict=True)) if isinstance(node, yaml.MappingNode) else held


def _refused(event: yaml.Event) -> tuple[str, str]:
    """What is wrong with an event, and the code of the check."""
    if getattr(event, "anchor", None):  # of an alias, the anchor it names
        return "anchors and aliases (& and *) are not allowed; write the value out, or make it a list", "TOC107"
    if getattr(event, "tag", None):
        return "tags (!) are not allowed; put text that begins with ! into quotes", "TOC108"
    return f"has more than {MAX_NODES:,} nodes; split the file", "TOC109"


def _broken(text: str, file: str, error: yaml.MarkedYAMLError) -> Fault:
    """The slip because of which a text is no YAML; where none is found, where its reader stopped."""
    place = _start(error.problem_mark or error.context_mark)
    lines = text.split("\n")
    if place[0] <= len(lines) and "\t" in lines[place[0] - 1]:
        return Fault(file, *place, "is not YAML: the line holds a tab; indent with spaces", "TOC106")
    began = _start(error.context_mark or error.problem_mark)
    if found := slip(text, place[0] - 1, began[0] - 1, _stops):
        return Fault(file, found.line + 1, found.column + 1, f"is not YAML: {found.what}", "TOC105")
    what = f"is not YAML: {error.problem or error.context}; often a colon, a bracket or a quotation mark is missing here or just above"
    return Fault(file, *place, what, "TOC105")


def _stops(text: str) -> int | None:
    """The line, from 0, in which the reader of YAML stops; None where it does not."""
    try:
        for _ in yaml.parse(text, Loader=_LOADER):
            pass
    except yaml.MarkedYAMLError as error:
        return _start(error.problem_mark or error.context_mark)[0] - 1
    return None


def _plain(node: yaml.Node, file: str, faults: list[Fault]) -> Any:
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, file, faults)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, file, faults) for item in node.value]
    value: str = node.value
    if getattr(node, "style", None) or (value[:1].isalpha() and value not in _CONSTANTS):
        return value
    return _scalar(value)


def _mapping(node: yaml.MappingNode, file: str, faults: list[Fault]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for key, value in node.value:
        refused = _refused_key(key, data)
        if refused:
            faults.append(Fault(file, *_start(key.start_mark), *refused))
        else:
            data[key.value] = _plain(value, file, faults)
    return data


def _refused_key(key: yaml.Node, data: Mapping[str, Any]) -> tuple[str, str] | None:
    """What is wrong with a key, and the code of the check; None where nothing is."""
    if not isinstance(key, yaml.ScalarNode):
        return "a key must be a word; put text that begins with [ or { into quotes", "TOC112"
    if key.value == "<<":
        return "merge keys (<<) are not allowed; write the keys out", "TOC113"
    if key.value in data:
        return f"the key {key.value!r} is here twice; the second would silently win: remove one", "TOC114"
    return None


def _scalar(value: str) -> Any:
    """What a scalar without quotes means."""
    if value in _CONSTANTS:
        return _CONSTANTS[value]
    if len(value) > _MAX_DIGITS:
        return value
    if _INTEGER.match(value):
        return int(value)
    return float(value) if _FLOAT.match(value) else value


_read_json = json.JSONDecoder(parse_int=_scalar, parse_float=_scalar, parse_constant=_scalar).decode


def _walk(node: yaml.Node | None, path: Sequence[str | int], *, at_key: bool = False) -> yaml.Node | None:
    for number, step in enumerate(path, 1):
        found: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            last = number == len(path)
            found = _under(node, step, at_key=last and at_key, last=last)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            found = node.value[step]
        if found is None:
            return node
        node = found
    return node


def _under(node: yaml.MappingNode, step: str | int, *, last: bool, at_key: bool) -> yaml.Node | None:
    """What stands under a key; where the path ends at a word, its key: there the line begins."""
    for key, value in node.value:
        if key.value == step:
            found: yaml.Node = key if at_key or (last and isinstance(value, yaml.ScalarNode)) else value
            return found
    return None
