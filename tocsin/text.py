"""How a text becomes sentences and words: folding for comparison, sentence ends, tokens with their offsets.

Folding never changes a text's length, so an offset into the folded bytes is an offset into the original string.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

MAX_TOKENS = 250
"""A sentence longer than this many words is cut, so that work stays linear whatever the text."""

_QUOTES = str.maketrans({
    "\u2018": "'", "\u2019": "'", "\u201b": "'", "\u02bc": "'", "\u2032": "'", "\uff07": "'",
    "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2033": '"',
    "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-", "\u2015": "-", "\u2212": "-",
    "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u200a": " ", "\u2026": ".",
})  # fmt: skip


def _fold_character(character: str) -> str:
    base = unicodedata.normalize("NFKD", character)[:1]
    return base if base.isascii() and base.isalnum() else " "


_BYTES = bytes(
    ord(folded.lower()) if (folded := _fold_character(chr(code))).isalnum() else 0x20 for code in range(256)
)


class _Folding(dict[int, str]):
    """Folds one character outside Latin-1, the first time it is met."""

    def __missing__(self, code: int) -> str:
        folded = _fold_character(chr(code))
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


_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"'-])(?:[A-Z]|[A-Z](?:\.[A-Z])+|Mr|Mrs|Ms|Dr|St|Jr|Sr|Gen|Lt|Col|Maj|Capt|Cmdr|Adm|Sgt|Brig|Rear|Vice|Sen|Rep|Gov|Hon|Prof|"
    r"Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec|No|vs|v|Inc|Corp|Co|Ltd|cf|e\.g|i\.e|approx|Ft|Mt|pct|Rs|bn|mln|a\.m|p\.m)$"
)
_END = re.compile(r"[.!?]+[\"'\u201d\u2019)\]]*(?=\s|$)|(?<=[a-z0-9\"\u201d)])[.!?](?=[A-Z\u201c\"][a-z])|\n[ \t\r]*\n\s*|\r?\n")
_WRAPPED = 84


def sentences(text: str) -> list[Span]:
    """The sentences of a text in order. Blank lines and line ends close a sentence, but not in hard-wrapped copy."""
    wrapped = _hard_wrapped(text)
    spans: list[Span] = []
    start = block = 0
    for match in _END.finditer(text):
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


def _add(spans: list[Span], text: str, start: int, end: int, block: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if end > start:
        spans.append(Span(start, end, block))


def _abbreviated(text: str, match: re.Match[str]) -> bool:
    if match.group() != ".":
        return False
    after = text[match.end() : match.end() + 3].lstrip()
    if after and (after[0].islower() or after[0] in ",;)"):
        return True
    before = text[max(0, match.start() - 12) : match.start()]
    return bool(_ABBREVIATION.search(before)) and not _sentence_starts(text, match.end())


_STARTERS = frozenset({"The", "It", "He", "She", "They", "In", "On", "But", "A", "An", "However", "Meanwhile", "This", "That", "We", "I", "And", "If"})


def _sentence_starts(text: str, at: int) -> bool:
    """After "U.S." only a word that hardly ever continues a name begins a new sentence."""
    word = re.match(r"\s+[\"\u201c]?([A-Z][a-z]*)\s", text[at : at + 24])
    return bool(word) and word[1] in _STARTERS if word else text[at:].isspace() or at >= len(text)


def _hard_wrapped(text: str) -> bool:
    lines = [line for line in text.split("\n") if line.strip()]
    if len(lines) < 4:
        return False
    unfinished = sum(1 for line in lines[:-1] if line.rstrip()[-1:] not in ".!?\":”’")
    return max(map(len, lines)) <= _WRAPPED and unfinished * 2 > len(lines)


def _continues(text: str, end: int, start: int) -> bool:
    return text[max(0, end - 1) : end] not in {".", "!", "?", ":"} and not text[start : start + 1].isspace()


@dataclass(frozen=True, slots=True)
class Token:
    """One word: its offsets in the text, its folded form, and the marks that stand between it and the word before."""

    start: int
    end: int
    word: str
    gap: str


_WORD = re.compile(rb"[a-z0-9]+")


def tokens(text: str, folded: bytes, start: int, end: int) -> Iterator[Token]:
    """The words of `text[start:end]`, `folded` being the whole text folded."""
    last = start
    for match in _WORD.finditer(folded, start, end):
        gap = text[last : match.start()].translate(_QUOTES)
        yield Token(match.start(), match.end(), match.group().decode("ascii"), gap)
        last = match.end()


def within(starts: list[int], low: int, high: int) -> range:
    """The indexes of the sorted `starts` that lie in [low, high)."""
    return range(bisect_left(starts, low), bisect_right(starts, high - 1))
