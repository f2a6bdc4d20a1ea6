"""When a feed is asked again: as often as it changes, within its bounds, and never all at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from zlib import crc32

from tocsin.health import Health
from tocsin.subscription import Subscription, host_of

A_HOST = 10
"""Feeds of one host that are sent off at a time; the others wait for the next minute."""
JITTER = 20
"""Seconds by which polls are put off, each by its own share, so that feeds that were due together part."""
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
    while found.total_seconds() * 2 <= wanted and found < feed.slowest:
        found *= 2
    return max(feed.every, min(found, feed.slowest))


def jitter(feed: str, now: datetime) -> int:
    """Seconds a poll is put off, always the same for one feed at one moment."""
    return crc32(f"{feed} {now:%Y-%m-%dT%H:%M}".encode()) % JITTER


def phase(feed: str, every: timedelta) -> timedelta:
    """When a feed is first asked after many were added at once: somewhere within its interval."""
    return timedelta(seconds=crc32(feed.encode()) % max(1, int(every.total_seconds())))


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
