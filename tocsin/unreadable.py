"""Why a text is no YAML, in the words of whoever wrote it: the slip, and the line as it should be.

A reader of YAML tells in words of its grammar where it could not go on, which is often a line behind the slip. So slips people make are
undone one at a time, in that line and in those above: what lets the reader go on is what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

REACH = 30
"""Lines behind the place that are read again after a mend."""
ABOVE = 3
"""Lines above it that may hold the slip, beside the one where what was being read began."""
TRIES = 60
"""Mends that are tried."""
_LONG = 400
"""Letters of a line in which slips are looked for."""
_SHOWN, _BEHIND = 60, 30
"""Letters of a line that are shown: up to where it is mended, and behind."""
_KEY = re.compile(r"(\s*(?:-\s+)?)([A-Za-z_][\w-]*)(:?)(\s*)(.*)", re.DOTALL)
_OPENS = re.compile(r"""(?:^|[\s\[{,])(["'])""")
_CLOSING = {"[": "]", "{": "}"}

Reads = Callable[[str], int | None]
"""Reads a text as YAML: the line, from 0, in which it could not go on; None where it could."""


class Slip(NamedTuple):
    """What is wrong and how to mend it, with its place counted from 0."""

    line: int
    column: int
    what: str


class _Try(NamedTuple):
    """A line as it may have been meant, and what was wrong with it then."""

    column: int
    line: str
    what: str


def slip(text: str, stopped: int, began: int, reads: Reads) -> Slip | None:
    """The slip because of which a reader stopped in a line, where undoing one helps. `began`: the line in which what it was reading began."""
    lines = text.split("\n")
    stopped, began = (min(line, len(lines) - 1) for line in (stopped, began))
    top = next((line for line in range(min(stopped, began) - 1, -1, -1) if _opens_part(lines[line])), 0)
    suspects = _suspects(lines, stopped, began)
    tries = ((kind, line, one) for kind in _KINDS for line in suspects for one in kind(lines, line))
    for kind, line, one in islice(tries, TRIES):
        mended = [*lines[top:line], one.line, *lines[line + 1 : stopped + REACH]]
        ends = reads("\n".join(mended))
        if ends is None or ends + top > stopped + 1:
            return Slip(
                line, one.column, one.what if kind is _indent else f"{one.what}; write {_shown(lines[line], one.line)}"
            )
    return None


def _shown(old: str, new: str) -> str:
    """A line as it should be, of a long one what lies around the first letter that is another."""
    same = next((place for place, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), len(old))
    start = max(0, same - _SHOWN) if same > _SHOWN else 0
    end = start + _SHOWN + _BEHIND
    return "…" * (start > 0) + new[start:end].strip() + "…" * (len(new) > end)


def _opens_part(line: str) -> bool:
    return bool(line) and line[0] not in " \t#-]}"


def _suspects(lines: Sequence[str], stopped: int, began: int) -> list[int]:
    """The lines that may hold the slip, the likeliest first."""
    above = [
        line for line in range(stopped, -1, -1) if lines[line].strip() and not lines[line].lstrip().startswith("#")
    ]
    return [line for line in dict.fromkeys([*above[: ABOVE + 1], began]) if len(lines[line]) <= _LONG]


def _unclosed(lines: Sequence[str], number: int) -> Iterator[_Try]:
    """A text in quotation marks that is not closed in its line."""
    line = lines[number]
    for start, end in _quoted(line):
        if end is None:
            mark = line[start]
            what = f"the quotation mark {mark} that opens here is not closed"
            ends = [found.start() for found in re.finditer(r",\s+\w+:\s", line)]
            ends += [len(line.rstrip().rstrip("]}")), len(line.rstrip())]
            yield from (_Try(start, line[:place] + mark + line[place:], what) for place in ends if place > start)


def _inner(lines: Sequence[str], number: int) -> Iterator[_Try]:
    """A quotation mark inside a text that stands in such marks: it ends the text too early."""
    line = lines[number]
    for start, end in _quoted(line):
        if end is None or re.match(r"\s*([,\]}]|$|:\s)", line[end + 1 :]):
            continue
        mark = line[start]
        other = "'" if mark == '"' else '"'
        what = f"the {mark} inside the text ends it"
        for found in re.finditer(re.escape(mark) + r"(?=\s*(?:[,\]}]|$))", line[end + 1 :]):
            last = end + 1 + found.start()
            inside = line[start + 1 : last]
            if mark == '"':
                yield _Try(end, f"{line[: start + 1]}{inside.replace(mark, other)}{line[last:]}", what)
            elif other not in inside:
                yield _Try(end, f"{line[:start]}{other}{inside}{other}{line[last + 1 :]}", what)
        text = line[start:].rstrip()
        if other not in text and not line[:start].rstrip().endswith(("[", "{", ",")):
            yield _Try(end, f"{line[:start]}{other}{text}{other}", f"the {mark} here ends the text")


def _quoted(line: str) -> Iterator[tuple[int, int | None]]:
    """Where the texts in quotation marks of a line open and close; None where one does not."""
    place = 0
    while opened := _OPENS.search(line, place):
        start = opened.start(1)
        if not re.search(r"(?:[:,\[{]|^\s*-|\s-|^)\s*$", line[:start]):  # a mark among plain words
            place = start + 1
            continue
        pattern = r'"(?:[^"\\]|\\.)*"' if opened[1] == '"' else r"'(?:[^']|'')*'"
        closed = re.compile(pattern).match(line, start)
        yield start, closed.end() - 1 if closed else None
        if not closed:
            return
        place = closed.end()


def _plain(lines: Sequence[str], number: int) -> Iterator[_Try]:
    """A text without quotation marks that needs them: it holds a colon, or begins with a sign that means something."""
    line = lines[number]
    values = [found.start(5) for found in [_KEY.fullmatch(line)] if found and found[3] and found[5]]
    values += [found.end() for found in [re.match(r"\s*-\s+", line)] if found]
    for start in sorted(values):
        value = line[start:].rstrip()
        if value and value[0] not in "\"'[{|>#" and (": " in value or value.endswith(":") or value[0] in "@`%&*!"):
            what = (
                "a text with a colon in it stands in quotation marks"
                if ":" in value
                else f"a text that begins with {value[0]} stands in quotation marks"
            )
            yield _Try(start, f"{line[:start]}{_in_marks(value)}", what)
    for found in re.finditer(r"(?<=[\[{,:] )([^\"'\[\]{},]*?: [^,\[\]{}]*?)(?=\s*[,\]}])", line):  # in brackets
        what = "a text with a colon in it stands in quotation marks"
        yield _Try(found.start(), line[: found.start()] + _in_marks(found[0]) + line[found.end() :], what)


def _in_marks(value: str) -> str:
    return f'"{value}"' if '"' not in value else "'" + value.replace("'", "''") + "'"


def _colon(lines: Sequence[str], number: int) -> Iterator[_Try]:
    """A colon that is missing behind a field, or the blank behind one."""
    found = _KEY.fullmatch(lines[number])
    if found and (not found[3] or (found[5] and not found[4])):
        before, key, colon, _, value = found.groups()
        what = f"behind {key}: a blank is missing" if colon else f"behind {key} a colon is missing"
        yield _Try(len(before) + len(key), f"{before}{key}: {value}".rstrip(), what)


def _bracket(lines: Sequence[str], number: int) -> Iterator[_Try]:
    """A bracket that is not closed, or one too many."""
    line = lines[number].rstrip()
    opened: list[int] = []
    texts = [range(start, (end if end is not None else len(line)) + 1) for start, end in _quoted(line)]
    for place, letter in enumerate(line):
        if any(place in text for text in texts):
            continue
        if letter in _CLOSING:
            opened.append(place)
        elif letter in "]}" and opened and _CLOSING[line[opened[-1]]] == letter:
            opened.pop()
        elif letter in "]}":
            wrong = f"the {letter} has no bracket that opens"
            if opened:
                closing = _CLOSING[line[opened[-1]]]
                what = f"the {line[opened[-1]]} that opens here is not closed"
                yield _Try(opened[-1], line[:place] + closing + line[place:], what)
                yield _Try(opened[-1], line[:place] + closing + line[place + 1 :], what)
            yield _Try(place, line[:place] + line[place + 1 :], wrong)
            return
    if opened:
        closing = "".join(_CLOSING[line[place]] for place in reversed(opened))
        yield _Try(opened[-1], line + closing, f"the {line[opened[-1]]} that opens here is not closed")


def _dash(lines: Sequence[str], number: int) -> Iterator[_Try]:
    """An entry of a list that does not begin with a dash, or one whose dash touches the text."""
    line = lines[number]
    text = line.lstrip()
    indent = len(line) - len(text)
    if re.match(r"-[^\s-]", text):
        yield _Try(indent, f"{line[:indent]}- {text[1:]}", "behind the dash a blank is missing")
    elif not text.startswith("- "):
        yield _Try(indent, f"{line[:indent]}- {text}", "an entry of a list begins with a dash and a blank")


def _indent(lines: Sequence[str], number: int) -> Iterator[_Try]:
    """A line that begins where none above does."""
    text = lines[number].lstrip(" ")
    now = len(lines[number]) - len(text)
    known = {len(line) - len(line.lstrip(" ")) for line in lines[max(0, number - 40) : number] if line.strip()}
    for indent in sorted(known - {now}, key=lambda one: (abs(one - now), -one)):
        what = f"the line is indented by {now}; indent it by {indent}, as lines above are"
        yield _Try(now, " " * indent + text, what)


_KINDS = (_unclosed, _inner, _plain, _colon, _bracket, _dash, _indent)
