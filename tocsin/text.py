"""How a text becomes sentences and comparable words: sentence ends with their offsets, and folding.

Folding never changes a text's length, so an offset into the folded bytes is an offset into the original string.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

MAX_TOKENS = 250
"""A sentence longer than this many words is cut, so that work stays linear whatever the text."""


class Pattern:
    """A regular expression that is compiled when it is first used: most articles are dismissed without the long ones."""

    def __init__(self, source: str | bytes, flags: int = 0) -> None:
        self._source, self._flags = source, flags

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """A method of the compiled expression, from now on an attribute of this one."""
        method: Callable[..., Any] = getattr(re.compile(self._source, self._flags), name)
        setattr(self, name, method)
        return method


def _fold_character(character: str) -> str:
    base = unicodedata.normalize("NFKD", character)[:1]
    return base if base.isascii() and base.isalnum() else " "


_BYTES = bytes(ord(folded.lower()) if (folded := _fold_character(chr(code))).isalnum() else 0x20 for code in range(256))


_FOLDED_MOST = 20_000  # of a million characters: no text shall fill the memory


class _Folding(dict[int, str]):
    """Folds one character outside Latin-1, as a rule only the first time it is met."""

    def __missing__(self, code: int) -> str:
        folded = _fold_character(chr(code))
        if len(self) < _FOLDED_MOST:
            self[code] = folded
        return folded


_FOLDING = _Folding({code: chr(code) for code in range(256)})


def fold(text: str) -> bytes:
    """The text in lower case ASCII letters and digits, everything else a space; one byte a character."""
    try:
        raw = text.encode("latin-1")
    except UnicodeEncodeError:
        raw = text.translate(_FOLDING).encode("latin-1")
    return raw.translate(_BYTES)


_ENTITY = Pattern(r"&(?:#(?:[xX][0-9a-fA-F]{1,6}|[0-9]{1,7})|[A-Za-z]{2,8}[0-9]{0,2});")


def plain(text: str) -> str:
    """The text with each HTML entity as its character and blanks up to the entity's length, so that offsets stay true."""
    return _ENTITY.sub(_character, text) if "&" in text else text


def _character(entity: re.Match[str]) -> str:
    import html  # noqa: PLC0415 - a table of two thousand names that few articles need

    character = html.unescape(entity[0])
    return character.ljust(len(entity[0])) if len(character) == 1 else entity[0]


def entity_end(text: str, start: int) -> int:
    """Where the entity that begins at a place ends; the place behind it where none begins there."""
    found = _ENTITY.match(text, start)
    return found.end() if found else start + 1


@cache
def fold_phrase(phrase: str) -> bytes:
    """A phrase of a rule or list as it is looked for: folded, single spaces inside, none outside."""
    return b" ".join(fold(phrase).split())


@dataclass(frozen=True, slots=True)
class Span:
    """A sentence's place in its text, with the number of its block (paragraph)."""

    start: int
    end: int
    block: int


_ABBREVIATION = Pattern(
    r"(?:^|[\s(\"'-])(?:[A-Z]|[A-Z](?:\.[A-Z])+|Mr|Mrs|Ms|Dr|St|Jr|Sr|Gen|Lt|Col|Maj|Capt|Cmdr|Adm|Sgt|Brig|Rear|Vice|Sen|Rep|Gov|Hon|Prof|"
    r"Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec|No|vs|v|Inc|Corp|Co|Ltd|cf|e\.g|i\.e|approx|Ft|Mt|pct|Rs|bn|mln|a\.m|p\.m)$"
)
_END = Pattern(
    r"(?<![.!?])[.!?]++[\"'\u201d\u2019)\]]*+(?=\s|$)"  # possessive, and never from the middle: a million dots stay linear
    r"|(?<=[a-z0-9\"\u201d\u2019)])[.!?]\u201d?(?=[\u201c\"]?(?:[A-Z][a-z]|[AI]\s))|\n[ \t\r]*+\n\s*+|\r?\n"
)
_MARK = Pattern(r"[.!?\r\n]")
_NEXT_WORD = Pattern(r"\s+[\"\u201c]?([A-Z][a-z]*)\s")
_REST_IS_BLANK = Pattern(r"\s*+\Z")
_WRAPPED = 84
_DASH = Pattern(r"[-–—(]")
_DATELINE_MOST = 200
_PLACE = 4  # words of a dateline in capitals, with its dash
_OPEN = frozenset("\"'\u201c\u2018(")
_FEW = 4  # lines that are no copy yet
_DATELINE = Pattern(
    r"(?!FILES?\b)(?:[A-Z][A-Z'’. /-]{2,40}(?:, [A-Z][\w. ]{1,30}){0,3}(?:, \d{4})?\s*(?:\([A-Z][^()\n]{1,30}\)\s*)?(?:-{1,2}|[–—])\s+"
    r"|[A-Z][a-z]+(?: [A-Z][a-z]+)?, (?:\d{1,2} )?(?:Jan|Feb|Mar|Apr|May|June?|July?|Aug|Sept?|Oct|Nov|Dec)[a-z]*\.?(?: \d{1,2})?(?:, \d{4})?\s*"
    r"(?:\([A-Z][^()\n]{1,30}\)\s*)?(?:-{1,2}|[–—])\s+"
    r"|[^.!?\n()]{0,60}\((?:AP|AFP|Reuters?|UPI|PTI|ANI|IANS|CNN|BBC|NHK|VOA|RFA|EFE|ANSA|KUNA|IRNA|KCNA|TASS|Tass|DPA|dpa|Xinhua|Yonhap|Kyodo|Sputnik"
    r"|Interfax[^()\n]{0,20})\)\s*(?:(?:-{1,2}|[–—])\s+)?)"
)
"""What stands before the first word of wire copy: SEOUL, South Korea (AP) —."""


def sentences(text: str) -> list[Span]:
    """The sentences of a text in order. Blank lines and line ends close a sentence, but not in hard-wrapped copy."""
    wrapped = hard_wrapped(text)
    spans: list[Span] = []
    start = block = 0
    for match in _ends(text):
        mark = match.group()
        if mark[0] in "\r\n":
            blank = mark.count("\n") > 1
            if not blank and wrapped and _continues(text, match.start(), match.end()):
                continue
            _add(spans, text, start, match.start(), block)
            block += 1
            start = match.end()
        elif not _abbreviated(text, match):
            _add(spans, text, start, match.end(), block)
            start = match.end()
    _add(spans, text, start, len(text), block)
    return spans


def _ends(text: str) -> Iterator[re.Match[str]]:
    """Where sentences may end, in order; looked for only where a mark or a line end stands."""
    behind = 0
    for mark in _MARK.finditer(text):
        if mark.start() >= behind and (found := _END.match(text, mark.start())):
            behind = found.end()
            yield found


def stretches(text: str, most: int) -> Iterator[tuple[int, int]]:
    """A long text in stretches of at most `most` characters, cut where a paragraph, a line, a sentence or at least a word ends."""
    start = 0
    while len(text) - start > most:
        end = start + most
        for mark in ("\n\n", "\n", ". ", " "):
            if (found := text.rfind(mark, start + most // 2, end)) >= 0:
                end = found + len(mark)
                break
        yield start, end
        start = end
    yield start, len(text)


def _add(spans: list[Span], text: str, start: int, end: int, block: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    start = _behind_dateline(text, start, end)
    if end > start:
        spans.append(Span(start, end, block))


def _behind_dateline(text: str, start: int, end: int) -> int:
    """Where the sentence begins behind what wire copy puts before it; in copy all in capitals a place has few words."""
    if not _DASH.search(text, start, min(end, start + _DATELINE_MOST)):
        return start
    found = _DATELINE.match(text, start, end)
    if not found or found.end() >= end:
        return start
    begins = text[found.end()]
    if found[0].rstrip().endswith(")") and not (begins.isupper() or begins in _OPEN):  # "said so on Monday (Interfax)."
        return start
    shouted = "(" not in found[0] and not any(map(str.isdigit, found[0])) and text[found.end() : end].isupper()
    return start if shouted and len(found[0].split()) > _PLACE else found.end()


def _abbreviated(text: str, match: re.Match[str]) -> bool:
    if match.group() != ".":
        return False
    after = text[match.end() : match.end() + 3].lstrip()
    if after and (after[0].islower() or after[0] in ",;)"):
        return True
    before = text[max(0, match.start() - 12) : match.start()]
    return bool(_ABBREVIATION.search(before)) and not _sentence_starts(text, match.end())


_STARTERS = frozenset({
    "The", "It", "He", "She", "They", "In", "On", "But", "A", "An", "However", "Meanwhile", "This", "That", "We", "I",
    "And", "If",
})  # fmt: skip


def _sentence_starts(text: str, at: int) -> bool:
    """After "U.S." only a word that hardly ever continues a name begins a new sentence."""
    word = _NEXT_WORD.match(text, at, at + 24)
    return word[1] in _STARTERS if word else _REST_IS_BLANK.match(text, at) is not None


def hard_wrapped(text: str) -> bool:
    """Whether a text is copy whose lines end anywhere in a sentence; in any other a line holds whole sentences."""
    lines = [line for line in text.split("\n") if line.strip()]
    if len(lines) < _FEW:
        return False
    unfinished = sum(1 for line in lines[:-1] if line.rstrip()[-1:] not in '.!?":”’')
    return max(map(len, lines)) <= _WRAPPED and unfinished * 2 > len(lines)


def _continues(text: str, end: int, start: int) -> bool:
    return text[max(0, end - 1) : end] not in {".", "!", "?", ":"} and not text[start : start + 1].isspace()
