"""Mends of a file's text that are surely what was meant: its encoding, its line ends, tabs, misspelt fields, words without quotes.

Whatever could be meant in two ways stays as it is, for a person to mend.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, NamedTuple

import yaml
from pydantic import BaseModel, ValidationError

from tocsin.errors import Fault, RuleFaults
from tocsin.kinds import kind_of
from tocsin.rules import parts_of
from tocsin.source import Source, parse

SURE = 0.8
"""How alike a misspelt field and the one that is meant must be."""
MOST = 200
"""Mends of one file."""
SURPRISING = re.compile(
    r"(?:y|Y|yes|Yes|YES|n|N|no|No|NO|True|TRUE|False|FALSE|on|On|ON|off|Off|OFF|Null|NULL)\Z"
    r"|[-+]?0[0-7_]+\Z|[-+]?0o[0-7]+\Z|[-+]?0x[0-9a-fA-F_]+\Z|[-+]?0b[01_]+\Z"
    r"|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?\Z|[-+]?[0-9]+_[0-9_]*\Z"
    r"|[-+]?(?:\.[0-9]+|[0-9]+\.?[0-9]*)[eE][-+]?[0-9]+\Z|[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z"
)
"""What other readers of YAML take for a boolean, another number or nothing, and is a word here."""
_LEADING = re.compile(r"[ \t]*")
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


class Swap(NamedTuple):
    """Some letters of a line that others take the place of. Line and column count from 0."""

    line: int
    column: int
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Repaired:
    """A file's text after its mends, and what was mended, each with its place in the text before that mend."""

    text: str
    mends: tuple[Fault, ...]


def repaired(raw: bytes, file: str) -> Repaired:
    """The text of a file with every sure mend made; `RuleFaults` where it is no text."""
    mends: list[Fault] = []
    text = _decoded(raw, file, mends)
    if "\r" in text:
        place = text[: text.index("\r")]
        mends.append(
            Fault(file, place.count("\n") + 1, len(place) - place.rfind("\n"), "a line ended with CR; now as all do")
        )
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _without_tabs(text, file, mends)
    try:
        source = parse(text, file)
    except RuleFaults:
        return Repaired(text, tuple(mends))
    while len(mends) < MOST and (found := _of_model(source)):
        swap, source = found
        mends.append(Fault(file, swap.line + 1, swap.column + 1, f"was {swap.old!r}, is {swap.new!r}"))
    text = source.text
    for swap in surprises(source):
        what = f"{swap.old} is in quotes now: it is a word, and looks like something else"
        mends.append(Fault(file, swap.line + 1, swap.column + 1, what))
        text = swapped(text, swap)
    return Repaired(text, tuple(mends))


def surprises(source: Source) -> list[Swap]:
    """Words without quotes that other readers of YAML take for something else, the last first."""
    found = [
        Swap(line, column, word, f'"{word}"')
        for _, word, line, column in _plain_words(source.node)
        if SURPRISING.match(word)
    ]
    return sorted((one for one in found if _stands(source.text, one)), reverse=True)


def swapped(text: str, swap: Swap) -> str:
    """The text after a swap."""
    lines = text.split("\n")
    line = lines[swap.line]
    lines[swap.line] = line[: swap.column] + swap.new + line[swap.column + len(swap.old) :]
    return "\n".join(lines)


def _decoded(raw: bytes, file: str, mends: list[Fault]) -> str:
    """The text of bytes; a byte order mark says surely which encoding they have."""
    for mark, encoding in _BOMS:
        if raw.startswith(mark):
            mends.append(
                Fault(
                    file, 1, 1, f"began with a byte order mark and was {encoding.upper()}; now it is UTF-8 without one"
                )
            )
            return _text(raw.removeprefix(mark), encoding, file)
    return _text(raw, "utf-8", file)


def _text(raw: bytes, encoding: str, file: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        what = f"is not {encoding.upper()}; save the file with the encoding UTF-8"
        raise RuleFaults([Fault(file, 1, 1, what, "TOC103")]) from error


def _without_tabs(text: str, file: str, mends: list[Fault]) -> str:
    """The text with spaces where lines begin with tabs, if it is YAML then and is not now."""
    try:
        parse(text, file)
    except RuleFaults as error:
        if {fault.code for fault in error.faults} != {"TOC106"}:
            return text
    else:
        return text
    lines = text.split("\n")
    starts = [_LEADING.match(line) for line in lines]
    spread = [
        line if start is None else start[0].replace("\t", "  ") + line[start.end() :]
        for line, start in zip(lines, starts, strict=True)
    ]
    try:
        parse("\n".join(spread), file)
    except RuleFaults:
        return text
    mends += [
        Fault(file, number, 1, "a tab in the indentation is two spaces now")
        for number, (before, after) in enumerate(zip(lines, spread, strict=True), 1)
        if before != after
    ]
    return "\n".join(spread)


def _of_model(source: Source) -> tuple[Swap, Source] | None:
    """The first mend that a file's model asks for, and the file after it; each leaves fewer faults, and no other ones."""
    before = _errors(source)
    known = {(one["loc"], one["type"]) for one in before}
    for error in before:
        for swap in _swaps(source, error):
            after = parse(swapped(source.text, swap), source.file)
            if {(one["loc"], one["type"]) for one in _errors(after)} < known:
                return swap, after
    return None


def _errors(source: Source) -> list[Any]:
    model: type[BaseModel] = kind_of(source.data).model
    try:
        model.model_validate(source.data)
    except ValidationError as error:
        return error.errors()
    return []


def _swaps(source: Source, error: Any) -> Iterator[Swap]:  # noqa: ANN401 - pydantic's own
    """What may mend an error: the field that is meant, or quotes."""
    path = error["loc"]
    if error["type"] == "extra_forbidden":
        key, held = str(path[-1]), _at(source.data, path[:-1])
        known = _fields(kind_of(source.data).model) - set(held if isinstance(held, dict) else ())
        for name in get_close_matches(key, known, n=3, cutoff=SURE):
            yield from _words(source, path, name, keys=True)
    elif error["type"] == "string_type" and isinstance(error["input"], bool | int | float):
        yield from _words(source, path, None, keys=False)


def _words(source: Source, path: Sequence[str | int], new: str | None, *, keys: bool) -> Iterator[Swap]:
    """A swap of the word at a path for another, or for itself in quotes."""
    for one, word, line, column in _plain_words(source.node, keys=keys):
        swap = Swap(line, column, word, new or f'"{word}"')
        if one == tuple(path) and _stands(source.text, swap):
            yield swap


def _stands(text: str, swap: Swap) -> bool:
    """Whether the old letters stand where they should."""
    return text.split("\n")[swap.line].startswith(swap.old, swap.column)


def _at(data: Any, path: Sequence[str | int]) -> Any:  # noqa: ANN401 - whatever a YAML file holds
    """What stands at a path, as far as it leads; steps of pydantic's own that name no place are passed over."""
    for step in path:
        there = (
            step in data
            if isinstance(data, dict)
            else isinstance(data, list) and isinstance(step, int) and step < len(data)
        )
        data = data[step] if there else data
    return data


def _fields(model: type[BaseModel]) -> set[str]:
    """The fields of all parts of a file: which of them belong at a place is found out by trying."""
    found, waiting = {model}, [model]
    while waiting:
        for info in waiting.pop().model_fields.values():
            parts = set(parts_of(info.annotation)) - found
            found |= parts
            waiting += parts
    return {info.alias or name for one in found for name, info in one.model_fields.items()}


_Word = tuple[tuple[str | int, ...], str, int, int]
"""A path, the word that stands there, its line and its column."""


def _plain_words(node: yaml.Node | None, path: tuple[str | int, ...] = (), *, keys: bool = False) -> Iterator[_Word]:
    """The words of a file without quotes: values, or with `keys` the fields, each under the path that leads to it."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inside = (*path, key.value)
            if keys and not key.style:
                yield inside, key.value, key.start_mark.line, key.start_mark.column
            yield from _plain_words(value, inside, keys=keys)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield from _plain_words(value, (*path, number), keys=keys)
    elif isinstance(node, yaml.ScalarNode) and not node.style and not keys:
        yield path, node.value, node.start_mark.line, node.start_mark.column
