"""A feed cut into its entries as they are written, so that those which are as they were are not read again.

Most of what a feed says it said before. A piece is known by a fingerprint of its characters; what is left without the known ones is a
feed, too, and a short one. Places are found by name alone: whoever reads what is left finds out whether they were entries.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

MOST = 64
"""Pieces of one feed that are told apart; a longer feed is read as a whole."""
MARK = 6
"""Bytes of a fingerprint."""
_NAMES = ("item", "entry")


@dataclass(frozen=True, slots=True)
class Pieces:
    """Where the entries of a feed stand in its text, and a fingerprint of each, in hex."""

    places: tuple[tuple[int, int], ...] = ()
    marks: tuple[str, ...] = ()

    def new(self, known: Collection[str]) -> int:
        """How many pieces are not known."""
        return sum(mark not in known for mark in self.marks)

    def without(self, known: Collection[str], text: str) -> str:
        """The text without the pieces that are known."""
        kept, at = [], 0
        for (start, end), mark in zip(self.places, self.marks, strict=True):
            if mark in known:
                kept.append(text[at:start])
                at = end
        return "".join((*kept, text[at:]))


def pieces(text: str, start: int) -> Pieces:
    """The entries in the text of a feed that begins at `start`; none where there are too many."""
    places = next(filter(None, (_places(text, start, name) for name in _NAMES)), [])
    return Pieces(tuple(places), tuple(_mark(text[first:end]) for first, end in places))


def _places(text: str, at: int, name: str) -> Sequence[tuple[int, int]]:
    """From where to where elements of a name stand: in linear time, whatever is not closed."""
    opened, closed = f"<{name}", f"</{name}>"
    found: list[tuple[int, int]] = []
    while (start := text.find(opened, at)) >= 0:
        at = start + len(opened)
        if not text[at : at + 1].isspace() and text[at : at + 1] != ">":
            continue
        end = text.find(closed, at)
        if end < 0:
            break
        if len(found) == MOST:
            return []
        at = end + len(closed)
        found.append((start, at))
    return found


def _mark(piece: str) -> str:
    return hashlib.sha256(piece.encode("utf-8", "surrogatepass")).hexdigest()[: 2 * MARK]
