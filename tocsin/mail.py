"""An e-mail as an article: its plain text, or what its HTML shows; attachments are named and left out."""

from __future__ import annotations

import re
from datetime import datetime
from email import message_from_bytes, policy
from email.message import MIMEPart
from email.utils import parsedate_to_datetime
from typing import Any

from tocsin.clean import html_text, line, web_address
from tocsin.errors import InputFault
from tocsin.markup import decoded

MAX_MAIL = 10_000_000
"""Bytes an e-mail may have, attachments included."""
MAX_LINES = 400_000
MAX_DEPTH = 20
"""Parts that have parts of their own: each line of an e-mail is compared with all of them."""
MAX_PARTS = 1_000
MAX_FORWARDS = 3
"""How deep a forwarded e-mail may lie in e-mails without a text of their own."""
_MAX_HEADER = 5_000
_HEADER = re.compile(rb"^content-[a-z-]++:(?:[^\n]*+\n[ \t])*+[^\n]*+", re.IGNORECASE | re.MULTILINE)
"""What the parser takes apart by itself, in a time that grows with the square of its length."""
_YEARS = range(1971, 2200)
_NAMED = 5


def read_mail(name: str, body: bytes) -> tuple[dict[str, Any], str]:
    """Text, title, source, id, url and published of an article, as far as the e-mail tells them, and what was left out of it."""
    if what := _too_much(body):
        raise InputFault(f"is an e-mail of more than {what}", name, "save its text instead")
    try:
        mail = message_from_bytes(body, policy=policy.default)
        return _read(mail, name)
    except InputFault:
        raise
    except (Exception, RecursionError) as error:  # the parser's own: it raises of every kind on what is no e-mail
        raise InputFault(
            f"is no e-mail that can be read ({type(error).__name__})", name, "save its text instead"
        ) from error


def _too_much(body: bytes) -> str:
    """Which bound an e-mail exceeds; empty when it can be parsed in good time."""
    lower = body.lower()
    bounds = {
        f"{MAX_MAIL:,} bytes": len(body) > MAX_MAIL,
        f"{MAX_LINES:,} lines": body.count(b"\n") > MAX_LINES,
        f"{MAX_PARTS:,} parts": body.count(b"\n--") > MAX_PARTS,
        f"{MAX_DEPTH} parts in parts": lower.count(b"boundary") + lower.count(b"message/rfc822") > MAX_DEPTH,
        f"{_MAX_HEADER:,} bytes in a header": any(len(found[0]) > _MAX_HEADER for found in _HEADER.finditer(body)),
    }
    return next((what for what, exceeded in bounds.items() if exceeded), "")


def _read(mail: MIMEPart, name: str, depth: int = 0) -> tuple[dict[str, Any], str]:
    part = mail.get_body(("plain", "html"))
    text = _text(part) if isinstance(part, MIMEPart) else ""
    inner = [one for one in mail.walk() if one is not mail and one.get_content_type() == "message/rfc822"]
    if not text.strip() and inner and depth < MAX_FORWARDS:
        return _read(next(iter(inner[0].iter_parts())), name, depth + 1)
    if not text.strip():
        raise InputFault("is an e-mail without a text", name, "save the text of its attachment instead")
    found = {
        "text": text,
        "title": line(_header(mail, "Subject"), 2_000),
        "source": _sender(mail),
        "id": _id(mail),
        "url": web_address(_header(mail, "Archived-At").strip().strip("<>")),
        "published": _date(mail),
    }
    return {key: value for key, value in found.items() if value}, _left_out(mail)


def _text(part: MIMEPart) -> str:
    raw = part.get_payload(decode=True)
    written, _ = decoded(raw if isinstance(raw, bytes) else b"", f"charset={part.get_content_charset('utf-8')}")
    return html_text(written) if part.get_content_subtype() == "html" else written


def _header(mail: MIMEPart, name: str) -> str:
    """A header, decoded; empty when there is none, or one so odd or long that nobody should try."""
    raw = next((str(value) for key, value in mail.raw_items() if key.lower() == name.lower()), "")
    if len(raw) > _MAX_HEADER:
        return ""
    try:
        return str(mail[name] or "")
    except Exception:  # noqa: BLE001 - the parser raises of every kind on what is no header
        return ""


def _sender(mail: MIMEPart) -> str:
    """The name of the list, else of who wrote, else the domain it came from."""
    told = line(_header(mail, "List-Id"), 300).partition("<")[0].strip(' "')
    if told:
        return told
    written, _, address = line(_header(mail, "From"), 300).rpartition("<")
    return written.strip(' "') or address.rpartition("@")[2].strip(" <>")


def _id(mail: MIMEPart) -> str:
    told = line(_header(mail, "Message-ID")).strip("<> ")
    return told if told.isprintable() and len(told) <= 300 else ""  # noqa: PLR2004 - as long as any id


def _date(mail: MIMEPart) -> datetime | None:
    try:
        when = parsedate_to_datetime(_header(mail, "Date"))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return when if when.year in _YEARS else None


def _left_out(mail: MIMEPart) -> str:
    """Which parts were not read, by name."""
    names = [
        line(part.get_filename() or part.get_content_type(), 80)
        for part in mail.walk()
        if part.get_filename() or part.get_content_type() == "message/rfc822" or part.is_attachment()
    ]
    if not names:
        return ""
    shown = ", ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "")
    return f"{len(names)} attachment{'s' * (len(names) > 1)}: {shown}"
