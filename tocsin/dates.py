"""Dates as feeds write them that a parser of RFC 822 and ISO 8601 cannot read, or reads wrongly.

Only what can mean one moment is read: a day between slashes is, when the year stands first, and is not, when it stands last.
Without a zone, or with one whose name does not say where, it counts as UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

LONGEST = 80
"""Characters of a date."""
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_HOURS = {
    "UT": 0, "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2, "EET": 2, "EEST": 3,
    "MSK": 3, "TRT": 3, "PKT": 5, "WIB": 7, "HKT": 8, "SGT": 8, "KST": 9, "JST": 9, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip
"""How far the clocks of a zone are ahead of UTC. Those of RFC 822 mean what they mean there; IST and BST mean too much."""
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})[a-z]{{0,6}}\.?"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_WEEKDAY = r"(?:[a-z]{3,9}\.?\s?,?\s?)?"
_CLOCK = (
    r"(?:[\s,T-]{0,3}(?:at\s)?(?P<half_before>오전|오후)?\s?(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,]\d{1,9})?)?"
    r"\s?(?P<half>[ap]\.?m\.?)?\s?(?P<zone>(?:GMT|UTC)?[+-]\d\d:?\d\d|[A-Z]{1,5})?(?:\s?\([^()]*\))?)?"
)
_FORMS = tuple(
    re.compile(rf"{day}{_CLOCK}", re.IGNORECASE)
    for day in (
        rf"{_YEAR}\s?[-/.년年]\s?(?P<month>\d{{1,2}})\s?[-/.월月]\s?(?P<day>\d{{1,2}})\s?[일日.]?",
        rf"{_WEEKDAY}{_DAY}[\s-]{_MONTH}[\s,-]\s?{_YEAR}",
        rf"{_WEEKDAY}{_MONTH}\s{_DAY},?\s{_YEAR}",
    )
)
_EPOCH = re.compile(r"1\d{9}(?:\d{3})?")
_NOON, _MIDNIGHT = 12, 24


def moment(written: str) -> datetime | None:
    """The moment that is written, in UTC; None when it is written in no way that is known here."""
    text = " ".join(written[: LONGEST + 1].split())
    if len(text) > LONGEST:
        return None
    if _EPOCH.fullmatch(text):
        return datetime.fromtimestamp(int(text[:10]), UTC)
    return next(_read(text), None)


def _read(text: str) -> Iterator[datetime]:
    for form in _FORMS:
        if not (found := form.fullmatch(text)):
            continue
        month = found["month"].lower()
        hour = _hour(int(found["hour"] or 0), (found["half_before"] or found["half"] or "").lower())
        try:
            day = datetime(
                int(found["year"]),
                _MONTHS.index(month) + 1 if month in _MONTHS else int(month),
                int(found["day"]),
                0 if hour == _MIDNIGHT else hour,
                int(found["minute"] or 0),
                int(found["second"] or 0),
                tzinfo=UTC,
            )
            yield day + timedelta(days=hour == _MIDNIGHT) - _ahead(found["zone"] or "")
        except (ValueError, OverflowError):
            continue


def _hour(hour: int, half: str) -> int:
    """The hour of the day; in halves it is counted up to twelve, though some write both."""
    if not half or not 0 < hour <= _NOON:
        return hour
    return hour % _NOON + (_NOON if half.startswith(("p", "오후")) else 0)


def _ahead(zone: str) -> timedelta:
    """How far the clocks of a zone are ahead of UTC."""
    digits = zone[-6:].upper().lstrip("GMTUC").replace(":", "")
    if not digits[1:].isdigit():
        return timedelta(hours=_HOURS.get(zone.upper(), 0))
    ahead = timedelta(hours=int(digits[1:3]), minutes=int(digits[3:5]))
    return -ahead if digits[0] == "-" else ahead
