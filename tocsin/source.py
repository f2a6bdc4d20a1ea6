"""Strict YAML: plain data out of a rule file, with the line and column of everything in it.

Refused: aliases and merge keys, duplicate keys, tags, tabs, more depth or nodes than a person writes. Words stay words:
`NO`, `on` and `1:30` are text here, never a boolean or a number of seconds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from yaml.events import AliasEvent

from tocsin.errors import Fault, RuleFaults

MAX_BYTES = 1_048_576
MAX_DEPTH = 32
MAX_NODES = 100_000

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+\Z")
_CONSTANTS: dict[str, Any] = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(frozen=True, slots=True)
class Source:
    """One YAML file read: its plain data, and the node tree that remembers places."""

    file: str
    data: Any
    node: yaml.Node | None

    def fault(self, path: Sequence[str | int], what: str) -> Fault:
        """A fault at the place of `path` (keys and indexes from the root), or the nearest part of it that exists."""
        node = _walk(self.node, path)
        line, column = (node.start_mark.line + 1, node.start_mark.column + 1) if node else (1, 1)
        return Fault(self.file, line, column, what)


def read(path: Path, name: str | None = None) -> Source:
    """Reads one file; `RuleFaults` with file, line and column when it is not strict YAML."""
    file = name or str(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise RuleFaults([Fault(file, 1, 1, f"cannot be read: {error.strerror or error}; check the path and its permissions")]) from error
    if len(raw) > MAX_BYTES:
        raise RuleFaults([Fault(file, 1, 1, f"is {len(raw):,} bytes long; a rule file may have {MAX_BYTES:,}: split it")])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise RuleFaults([Fault(file, line, 1, "is not UTF-8; save the file with the encoding UTF-8")]) from error
    return parse(text, file)


def parse(text: str, file: str) -> Source:
    """Reads YAML text; `file` is only used to name the place of faults."""
    try:
        _check_events(text, file)
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise RuleFaults([Fault(file, line, column, f"is not YAML: {error.problem or error.context}{_hint(text, line)}")]) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise RuleFaults([Fault(file, 1, 1, f"is not YAML: {str(error).splitlines()[0]}")]) from error
    faults: list[Fault] = []
    data = _plain(node, file, faults) if node else None
    if faults:
        raise RuleFaults(faults)
    return Source(file, data, node)


def _check_events(text: str, file: str) -> None:
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=_LOADER)):
        what = None
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            what = "anchors and aliases (& and *) are not allowed; write the value out, or make it a list"
        elif count > MAX_NODES:
            what = f"has more than {MAX_NODES:,} nodes; split the file"
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            what = f"is nested deeper than {MAX_DEPTH} levels"
        if what:
            raise RuleFaults([Fault(file, event.start_mark.line + 1, event.start_mark.column + 1, what)])


def _hint(text: str, line: int) -> str:
    lines = text.splitlines()
    if 0 < line <= len(lines) and "\t" in lines[line - 1]:
        return "; the line holds a tab, indent with spaces"
    return ""


def _plain(node: yaml.Node, file: str, faults: list[Fault]) -> Any:
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, file, faults)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, file, faults) for item in node.value]
    return _scalar(node, file, faults)


def _mapping(node: yaml.MappingNode, file: str, faults: list[Fault]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for key_node, value_node in node.value:
        place = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
        if not isinstance(key_node, yaml.ScalarNode):
            faults.append(Fault(file, *place, "a key must be a word"))
        elif key_node.value == "<<":
            faults.append(Fault(file, *place, "merge keys (<<) are not allowed; write the keys out"))
        elif key_node.value in data:
            faults.append(Fault(file, *place, f"the key {key_node.value!r} is here twice; the second would silently win: remove one"))
        else:
            data[key_node.value] = _plain(value_node, file, faults)
    return data


def _scalar(node: yaml.Node, file: str, faults: list[Fault]) -> Any:
    value: str = node.value
    if not str(node.tag).startswith("tag:yaml.org,2002:"):
        faults.append(Fault(file, node.start_mark.line + 1, node.start_mark.column + 1, f"the tag {node.tag} is not allowed"))
    if getattr(node, "style", None):
        return value
    if value in _CONSTANTS:
        return _CONSTANTS[value]
    if _INTEGER.match(value) and len(value) < 16:  # noqa: PLR2004 - longer runs of digits are identifiers, not numbers
        return int(value)
    return float(value) if _FLOAT.match(value) else value


def _walk(node: yaml.Node | None, path: Sequence[str | int]) -> yaml.Node | None:
    for step in path:
        found: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            found = next((key if step == path[-1] and _is_leaf(value) else value for key, value in node.value if key.value == step), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            found = node.value[step]
        if found is None:
            return node
        node = found
    return node


def _is_leaf(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode)
