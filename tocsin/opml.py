"""The outlines of an OPML file that name a feed, read with limits: nothing is fetched, no entity is declared, no depth hurts."""

from __future__ import annotations

from xml.parsers.expat import ExpatError, ParserCreate

from tocsin.errors import Fault, RuleFaults

DEPTH = 50
"""Levels outlines may be nested."""
_FEED_TYPES = {"", "rss", "rss1", "atom", "rdf", "json", "jsonfeed", "link"}

Place = tuple[int, int]
"""Line and column, from 1."""


def outlines(name: str, body: bytes, most: int) -> list[tuple[Place, dict[str, str]]]:
    """The attributes, by lower-case name, of every outline with the address of a feed; `name` is what faults are said of.

    `RuleFaults` when it is no OPML, declares a document type, or goes beyond the limits.
    """
    reader = _Reader(name, most)
    try:
        reader.parser.Parse(body, True)  # noqa: FBT003 - expat's own signature
    except (ExpatError, ValueError, LookupError) as error:
        raise RuleFaults([reader.fault(f"is no XML: {error}", "TOC622")]) from error
    return reader.found


class _Reader:
    """What expat calls while it reads."""

    def __init__(self, name: str, most: int) -> None:
        self.found: list[tuple[Place, dict[str, str]]] = []
        self._name, self._most, self._depth = name, most, 0
        self.parser = ParserCreate()
        self.parser.StartElementHandler, self.parser.EndElementHandler = self._begins, self._ends
        self.parser.StartDoctypeDeclHandler = self._declares

    def fault(self, what: str, code: str) -> Fault:
        """A fault at the place that is being read."""
        return Fault(self._name, *self._place(), what, code)

    def _place(self) -> Place:
        return self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1

    def _begins(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth == 1 and tag.lower() != "opml":
            raise RuleFaults([self.fault(f"is no OPML: it begins with <{tag[:40]}>", "TOC621")])
        if self._depth > DEPTH:
            raise RuleFaults([self.fault(f"is nested deeper than {DEPTH} levels; make it flatter", "TOC110")])
        told = {key.lower(): value for key, value in attributes.items()}
        if tag.lower() == "outline" and told.get("xmlurl") and told.get("type", "").lower() in _FEED_TYPES:
            self.found.append((self._place(), told))
        if len(self.found) > self._most:
            raise RuleFaults([self.fault(f"lists more than {self._most:,} feeds; split the file", "TOC604")])

    def _ends(self, _tag: str) -> None:
        self._depth -= 1

    def _declares(self, *_: object) -> None:
        raise RuleFaults(
            [self.fault("declares a document type, which may hide anything; remove <!DOCTYPE …>", "TOC623")]
        )
