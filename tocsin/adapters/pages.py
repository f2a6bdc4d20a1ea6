"""The article in a web page, found by trafilatura. Nothing is fetched here: it is handed guarded bytes."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import FrameType
from typing import Any

from tocsin.clean import clean
from tocsin.errors import InputFault
from tocsin.feed import Answer
from tocsin.pipeline.page import Page
from tocsin.webpage import page_source

MAX_PAGE = 2_000_000
"""Bytes of HTML that are looked at; time and memory grow with them."""
SECONDS = 20.0
"""How long a page is looked at."""
TYPES = ("text/html", "application/xhtml+xml")
_MAX_TITLE = 2_000

# It tells of every page it cannot read, in the page's words.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
logging.getLogger("htmldate").setLevel(logging.CRITICAL)


class _TooLong(BaseException):
    """The time is up. No `except Exception` of a library may hold it back."""


def extract(answer: Answer) -> Page:
    """See `PageReader.extract`."""
    if answer.status != 200:  # noqa: PLR2004 - HTTP's OK
        raise InputFault(f"the server answered {answer.status}")
    kind = answer.headers.get("content-type", TYPES[0]).partition(";")[0].strip().lower()
    if kind not in TYPES:
        raise InputFault(f"it is {kind[:80]}, not HTML")
    if len(answer.body) > MAX_PAGE:
        raise InputFault(f"it has {len(answer.body):,} bytes, and {MAX_PAGE:,} is the most")
    found = _found(answer)
    text = clean(getattr(found, "text", None) or "").strip()
    if not text:
        raise InputFault("no text of an article was found in it")
    return Page(text, clean(found.title or "").strip()[:_MAX_TITLE], _day(found.date))


def _found(answer: Answer) -> Any:
    source = page_source(answer.body, answer.headers.get("content-type", ""))
    try:
        with _bounded():
            import trafilatura

            return trafilatura.bare_extraction(
                source, url=answer.url, with_metadata=True, include_comments=False, include_tables=False
            )
    except _TooLong:
        raise InputFault(f"finding its text takes more than {SECONDS:g} s") from None
    except (Exception, RecursionError) as error:  # a page must not matter more than its summary
        raise InputFault(f"its text cannot be found: {type(error).__name__}") from error


@contextmanager
def _bounded() -> Iterator[None]:
    """Ends what runs inside when the time is up. Lambda runs handlers in the main thread, where alarms go off."""

    def ring(_signal: int, _frame: FrameType | None) -> None:
        raise _TooLong

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _day(written: str | None) -> datetime | None:
    """The day a page says it is of; nothing is better than a wrong guess for the rest."""
    try:
        return datetime.fromisoformat(written or "").replace(tzinfo=UTC)
    except ValueError:
        return None
