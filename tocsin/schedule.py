"""When a feed is asked again: as often as it changes, within its bounds, and never all at once.

A feed's turn follows from the clock and from the feed alone: it comes whenever the time, divided by the feed's interval, leaves
the feed's own remainder. So nothing has to be written when a feed was asked. Intervals double, which keeps the turns of the
longer one among those of the shorter. Only what cannot wait for its turn, or must wait longer, has a time of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from zlib import crc32

from tocsin.health import PATIENCE, Health
from tocsin.subscription import Subscription, host_of

A_HOST = 10
"""Feeds of one host that are sent off at a time; the others wait for the next minute."""
JITTER = 20
"""Seconds by which what is asked out of turn is put off, each feed by its own share, so that those that were due together part."""
TRIAL = timedelta(hours=1)
"""How long feeds take no turns after the first round: a deployment that is undone meanwhile finds each where it looks for it."""
TOGETHER = 600
"""Seconds whose feeds that fail for long have their turn at one time."""
_PER_GAP = 2
"""Polls between two entries at the feed's usual cadence."""
_PER_QUIET = 20
"""The share of its present quiet that is waited: a feed silent for ten hours is asked every half hour."""
LONGEST_WAIT = timedelta(days=1)
"""The longest a server's wish to be left alone is heeded."""


def interval(feed: Subscription, health: Health, now: datetime) -> timedelta:
    """The time until the next poll: the shortest, doubled while it stays below what cadence, quiet or failure ask for."""
    quiet = now.timestamp() - (health.since or health.quiet_since or now.timestamp())
    wanted = max(health.gap / _PER_GAP, quiet / _PER_QUIET)
    found = feed.every
    while found.total_seconds() * 2 <= wanted and found * 2 <= feed.slowest:
        found *= 2
    return found


def jitter(feed: str, now: datetime) -> int:
    """Seconds a poll is put off, always the same for one feed at one moment."""
    return crc32(f"{feed} {now:%Y-%m-%dT%H:%M}".encode()) % JITTER


def phase(feed: str, every: timedelta) -> timedelta:
    """A feed's own place within its interval."""
    return timedelta(seconds=crc32(feed.encode()) % max(1, int(every.total_seconds())))


def place(feed: str, every: timedelta, health: Health, now: datetime) -> int:
    """The second of its interval at which a feed's turn comes: its own, but those that fail for long wait for their servers together."""
    own = int(phase(feed, every).total_seconds())
    together = bool(health.since) and now.timestamp() - health.since >= PATIENCE.total_seconds()
    return own - own % TOGETHER if together else own


def turn(place: int, every: timedelta, now: datetime) -> datetime:
    """The last turn until now of what has that place in its interval, counted from the epoch."""
    seconds = int(now.timestamp())
    return datetime.fromtimestamp(seconds - (seconds - place) % max(1, int(every.total_seconds())), UTC)


def first(turns: Sequence[tuple[datetime, str]], most: int, now: datetime) -> tuple[list[str], datetime]:
    """Of turns in their order the feeds of as many as may be sent off at one time, or some more, and until when that is all of them."""
    until = turns[most - 1][0] if len(turns) > most else now
    return [feed for moment, feed in turns if moment <= until], until


def places(every: timedelta, since: datetime, now: datetime) -> list[tuple[int, int]]:
    """From which second of an interval to which those stand whose turn has come after `since`, now at the latest."""
    length, end = max(1, int(every.total_seconds())), int(now.timestamp())
    past = end - int(since.timestamp())
    if past <= 0:
        return []
    if past >= length:
        return [(0, length - 1)]
    first, last = (end - past + 1) % length, end % length
    return [(first, last)] if first <= last else [(first, length - 1), (0, last)]


def paused(place: int, every: timedelta, now: datetime, pause: timedelta) -> datetime:
    """When a feed is asked whose server wants to be left alone: at its first turn after that."""
    return turn(place, every, now + pause) + every


def heeded(feed: Subscription, retry_after: float) -> timedelta:
    """How long a server that asked for a pause is left alone."""
    return min(max(timedelta(seconds=min(retry_after, LONGEST_WAIT.total_seconds())), feed.every), LONGEST_WAIT)


def spread(feeds: Iterable[str]) -> list[str]:
    """Of the feeds that are due those that are asked now: a few of each host, one host's behind one another."""
    asked: Counter[str] = Counter()
    chosen = []
    for feed in feeds:
        host = host_of(feed)
        asked[host] += 1
        if asked[host] <= A_HOST:
            chosen.append(feed)
    order = {host: place for place, host in enumerate(dict.fromkeys(map(host_of, chosen)))}
    return sorted(chosen, key=lambda feed: order[host_of(feed)])
