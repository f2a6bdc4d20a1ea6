"""When a feed was asked and will be, as its turns tell."""

from __future__ import annotations

from datetime import datetime

from tocsin.ports import Listed
from tocsin.schedule import turn


def last_poll(listed: Listed, until: datetime | None) -> datetime | None:
    """When a feed was asked last, if turns were sent off until then."""
    if listed.place is None or until is None:
        return listed.asked
    last = turn(listed.place, listed.interval, until)
    return max(listed.asked, last) if listed.asked else last


def next_poll(listed: Listed, now: datetime) -> datetime | None:
    """When a feed is asked next; None when it has ended."""
    return listed.due if listed.place is None else turn(listed.place, listed.interval, now) + listed.interval
