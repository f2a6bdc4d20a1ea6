"""How a YAML file is laid out: indents, line lengths and quotes the same in every file, its comments and its meaning untouched."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.emitter import RoundTripEmitter
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import ScalarEvent
from ruamel.yaml.resolver import VersionedResolver

from tocsin.errors import InputFault
from tocsin.repair import surprises, swapped
from tocsin.source import parse

WIDTH = 160
"""Letters of a line, about: no word is broken."""
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the reader of `tocsin.source`
_NOTHING = re.compile(r"(?:~|null|)\Z")
_DASHES = re.compile(r"( *(?:- )*)-   - ")
_BLANK = re.compile(r"\n{3,}")


class _Words(VersionedResolver):
    """Takes every value for a word, as Tocsin does, and nothing for nothing."""

    @cached_property
    def versioned_resolver(self) -> dict[str | None, list[tuple[str, re.Pattern[str]]]]:
        """First letter → what such a word may be."""
        return {letter: [("tag:yaml.org,2002:null", _NOTHING)] for letter in ("~", "n", "")}


class _Lines(RoundTripEmitter):
    """Breaks lines between the entries of a list in brackets, never inside one, and indents what goes on by two."""

    def increase_indent(self, flow: bool = False, sequence: bool | None = None, indentless: bool = False) -> None:  # noqa: FBT001, FBT002 - ruamel's signature
        """How far the next lines stand from the margin."""
        before = self.indent
        super().increase_indent(flow, sequence, indentless)
        if flow and sequence is not None and before is not None:
            self.indent = before + (6 if not self.flow_level and self.indents.last_seq() else 2)

    def expect_first_flow_sequence_item(self) -> None:
        """The first entry of a list in brackets: on the line of its bracket."""
        self._within(sys.maxsize, super().expect_first_flow_sequence_item)

    def expect_flow_sequence_item(self) -> None:
        """The next entry, on the next line where it would stand beyond the width and no braces are open."""
        width = self.best_width
        if any(opened.startswith("{") for opened in self.flow_context):
            width = sys.maxsize
        elif isinstance(self.event, ScalarEvent) and self.column + len(self.event.value) + 3 > width:
            width = 0
        self._within(width, super().expect_flow_sequence_item)

    def expect_flow_mapping_key(self) -> None:
        """The next field in braces: always on the same line."""
        self._within(sys.maxsize, super().expect_flow_mapping_key)

    def _within(self, width: int, write: Callable[[], None]) -> None:
        before, self.best_width = self.best_width, width
        try:
            write()
        finally:
            self.best_width = before

    def write_plain(self, text: str, split: bool = True) -> None:  # noqa: FBT001, FBT002 - ruamel's signature
        """A word or words without quotes."""
        width = sys.maxsize if self.flow_level else self.best_width
        self._within(width, lambda: super(_Lines, self).write_plain(text, split))

    def write_double_quoted(self, text: str, split: bool = True) -> None:  # noqa: ARG002, FBT001, FBT002 - ruamel's signature
        """The same in quotes: on one line, for a break would need a backslash."""
        super().write_double_quoted(text, split=False)

    def write_single_quoted(self, text: str, split: bool = True) -> None:  # noqa: ARG002, FBT001, FBT002 - ruamel's signature
        """The same."""
        super().write_single_quoted(text, split=False)


def laid_out(text: str, file: str) -> str:
    """The text of a file as it should be laid out. `InputFault` where that would change more than its looks."""
    before = parse(text, file)
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    for swap in surprises(parse(plain, file)):
        plain = swapped(plain, swap)
    written = _settled(plain, file)
    after = parse(written, file)
    if repr(after.data) != repr(before.data) or list(_between(written)) != list(_between(plain)):
        raise InputFault("cannot be laid out anew without changing what it says", file, "lay it out by hand")
    return written


def _settled(text: str, file: str) -> str:
    """The text written anew until that changes nothing any more."""
    for _ in range(3):
        written = _written(text, file)
        if written == text:
            return text
        text = written
    raise InputFault("comes out otherwise each time it is laid out", file, "lay it out by hand")


def _written(text: str, file: str) -> str:
    writer = YAML(typ="rt", pure=True)
    writer.Resolver, writer.Emitter = _Words, _Lines
    writer.preserve_quotes = True
    writer.width = WIDTH
    writer.indent(mapping=2, sequence=4, offset=2)
    written = io.StringIO()
    try:
        data = writer.load(text)
        if data is None:
            return text
        writer.dump(data, written)
    except (YAMLError, RecursionError) as error:
        raise InputFault("cannot be laid out anew", file, "lay it out by hand") from error
    lines = "\n".join(_compact([line.rstrip(" \t") for line in written.getvalue().split("\n")]))
    return f"{_BLANK.sub(chr(10) * 2, lines).strip(chr(10))}\n"


def _compact(lines: list[str]) -> list[str]:
    """The lines with the first dash of a list that is an entry of a list two letters behind the other's, as all it holds."""
    at = 0
    while at < len(lines):
        if not (found := _DASHES.match(lines[at])):
            at += 1
            continue
        depth = len(found[1])
        lines[at] = f"{found[1]}- {lines[at][depth + 4 :]}"
        for inside in range(at + 1, len(lines)):
            if lines[inside] and not lines[inside].startswith(" " * (depth + 2)):
                break
            lines[inside] = lines[inside].removeprefix("  ")
    return lines


def _between(text: str) -> Iterator[str]:
    """What stands behind a # outside of every value."""
    lines = text.split("\n")
    masked = [list(line) for line in lines]
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.ScalarEvent):
            start: Any = event.start_mark  # of the fast loader or the slow one
            end: Any = event.end_mark
            for number in range(start.line, min(end.line + 1, len(masked))):
                first = start.column if number == start.line else 0
                last = end.column if number == end.line else len(masked[number])
                masked[number][first:last] = "x" * len(masked[number][first:last])
    for line, mask in zip(lines, masked, strict=True):
        head, sign, _ = "".join(mask).partition("#")
        if sign:
            yield line[len(head) :].rstrip()
