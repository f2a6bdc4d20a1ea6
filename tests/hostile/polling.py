"""Polling against feeds that lie about their entries: a table of what they do to them, and what ten thousand feeds cost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from tests.listening import DAY, Listening, entry, subscription
from tocsin.feed import FeedEntry

SIGNAL = "Turkey is preparing to send more troops to Syria, officials said."
OTHER = "Russia is preparing to send more troops to Belarus, officials said."
QUIET = "Officials met in Ankara on Saturday and agreed to meet again."


@dataclass(frozen=True)
class Case:
    """What a feed does to its entries from one poll to the next. What rings beyond `rings` is an extra alert."""

    name: str
    polls: tuple[tuple[FeedEntry, ...], ...]
    rings: tuple[str, ...] = ("first_report",)
    articles: int = 2
    sent: int = 2
    """Messages for the detector: an article once, and once more for each edit."""


A, B = entry("a", SIGNAL), entry("b", QUIET)
_HTTP = [replace(one, id=one.link, link=one.link) for one in (A, B)]
_PLAIN = [replace(one, id=one.link.replace("https", "http"), link=one.link.replace("https", "http")) for one in _HTTP]
_LATER = DAY + timedelta(minutes=20)

CASES = (
    Case("guids change with every poll", tuple((replace(A, id=f"{n}-a"), replace(B, id=f"{n}-b")) for n in range(4))),
    Case("entries come in another order", ((A, B), (B, A), (A, B))),
    Case(
        "words that say nothing are edited",
        ((A, B), (replace(A, title="Headline a (updated)", text=f"{SIGNAL} More follows."), B)),
        sent=3,
    ),
    Case(
        "links carry tracking parameters",
        tuple((replace(A, id="", link=f"{A.link}?utm_source=rss&fbclid={n}"), B) for n in range(3)),
    ),
    Case("http becomes https", (tuple(_PLAIN), tuple(_HTTP), tuple(_PLAIN))),
    Case("entries vanish and come back", ((A, B), (B,), (), (A, B))),
    Case(
        "two entries have one guid",
        ((replace(A, id="1"), replace(B, id="1")), (replace(B, id="1"), replace(A, id="1")), (replace(A, id="1"),)),
    ),
    Case(
        "an edit adds a signal",
        ((B,), (replace(B, title="Headline b, updated", text=f"{QUIET} {SIGNAL}"),)),
        articles=1,
    ),
    Case(
        "an edit takes the signal away",
        ((A,), (replace(A, text=f"{QUIET} An earlier version was wrong."),)),
        rings=("first_report", "corrected"),
        articles=1,
    ),
    Case(
        "guid and link change, or two stand at one link",
        (
            (A, replace(B, link=A.link, title="Another headline")),
            (
                replace(A, id="x", link="https://news.example/moved/a"),
                replace(B, link=A.link, title="Another headline"),
            ),
        ),
    ),
)
"""The ten ways of the issue; each has an alert to lose or to ring twice."""


def outcome(case: Case) -> tuple[list[str], int, int]:
    """The alerts that rang and should not have, or should have and did not; how many articles there were, and messages."""
    desk = Listening()
    desk.add(subscription())
    for poll in case.polls:
        desk.publish(*poll)
        desk.poll()
        desk.poll()  # a message that comes twice
        desk.world.clock.move(minutes=10)
    rang = [alert.split("-")[0] for alert in desk.alerts]
    wrong = [*rang[len(case.rings) :], *(one for one in case.rings[len(rang) :])]
    if rang[: len(case.rings)] != list(case.rings[: len(rang)]):
        wrong += rang
    return wrong, len({article.id for article in desk.told}), len(desk.told)
