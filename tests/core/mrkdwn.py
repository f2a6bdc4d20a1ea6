"""Slack's markup, read as strictly as its documentation describes it: what a message would do besides being read."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import urlsplit

from tocsin.ports import Message

LINK = re.compile(r"<([^<>|]+)\|([^<>|\n]+)>")
MARKS = "*_~`"
TURNING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_COMBINING = (chr(code) for code in range(0x10000) if unicodedata.name(chr(code), "").startswith("COMBINING"))
HEAP = re.compile(f"[{''.join(_COMBINING)}]{{4}}")
"""Marks on one letter that run over other lines."""


def violations(message: Message, hosts: frozenset[str]) -> Iterator[str]:
    """What is wrong with a message: limits of Block Kit, markup other than links to `hosts`, characters that break the page."""
    header, *_ = message.blocks
    for limit, what, count in (
        (50, "blocks", len(message.blocks)),
        (150, "characters of header", len(header["text"]["text"])),
        (10_000, "characters of blocks", len(json.dumps(message.blocks, ensure_ascii=False))),
        (4_000, "characters of text", len(message.text)),
    ):
        if not 0 < count <= limit:
            yield f"{count} {what}"
    yield from _shown(message.text, hosts)
    for block in message.blocks:
        elements = block["elements"] if block["type"] == "context" else [block["text"]]
        for element in elements:
            if not 0 < len(element["text"]) <= 3_000:
                yield f"{len(element['text'])} characters in one {block['type']}"
            if element["type"] == "mrkdwn" and element.get("verbatim") is not True:
                yield "Slack would look for links and names by itself"
            if element["type"] == "plain_text":
                yield from _characters(element["text"])
                if LINK.search(element["text"]) or re.search(r"<[@#!]", element["text"]):
                    yield "markup in plain text"
            else:
                yield from _shown(element["text"], hosts)


def skeleton(message: Message) -> list[str]:
    """What shapes each text: its lines and quotations, and the marks that format."""
    texts = [block["text"]["text"] if "text" in block else block["elements"][0]["text"] for block in message.blocks[1:]]
    return ["".join(_shaping(LINK.sub(r"\2", text))) for text in texts]


def _shaping(text: str) -> Iterator[str]:
    for number, char in enumerate(text):
        if char == "\n" or (char == ">" and (number == 0 or text[number - 1] == "\n")):
            yield char
        if char in MARKS and text[number + 1 : number + 2] != "\u200b":
            yield char


def _shown(text: str, hosts: frozenset[str]) -> Iterator[str]:
    """What is wrong with one text of markup."""
    yield from _characters(text.replace("\n", " "))
    for link in LINK.finditer(text):
        parts = urlsplit(link.group(1))
        if parts.scheme not in {"http", "https"} or parts.hostname not in hosts:
            yield f"a link to {link.group(1)[:80]}"
    rest = LINK.sub("", text)
    lines = [line[1:] if line.startswith("> ") else line for line in rest.split("\n")]
    if "<" in rest or any(">" in line for line in lines):
        yield f"an open bracket in {rest[:80]!r}"
    if stray := re.search(r"&(?!(amp|lt|gt);)", rest):
        yield f"a bare & at {stray.start()}"


def _characters(text: str) -> Iterator[str]:
    """Characters that break the page or the transport."""
    for char in set(text):
        if unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} or char in TURNING:
            yield f"the character U+{ord(char):04X}"
    if not text.isascii() and HEAP.search(text):
        yield "too many marks on one letter"
