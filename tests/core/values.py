"""Values the core tests are made of: a rule's policy, articles, signals and reports, each with one thing changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tocsin.article import Article
from tocsin.policy import Policy
from tocsin.signal import Evidence, Signal, Stage
from tocsin.story import Report

NOON = datetime(2031, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
QUIET = 60 * DAY
QUOTE = "Borduria is preparing to land more marines in Syldavia, the ministry said."


def policy(**changes: Any) -> Policy:
    """A rule on landings; both early stages are high, the others critical."""
    fields: dict[str, Any] = {
        "name": "landing",
        "title": "Landing of marines",
        "version": "v3",
        "status": "stable",
        "level": (("planned", "high"), ("preparing", "high"), ("imminent", "critical"), ("done", "critical")),
        "same": ("who", "where"),
        "quiet_for": QUIET,
        "update_on": (),
        "runbook": "",
        "names": {"borduria": "Borduria", "syldavia": "Syldavia"},
    }
    return Policy(**(fields | changes))


def evidence(quote: str = QUOTE, stage: Stage = "preparing", **changes: Any) -> Evidence:
    """A quoted sentence that stands a hundred characters into its article."""
    fields: dict[str, Any] = {"quote": quote, "start": 100, "end": 100 + len(quote), "stage": stage}
    return Evidence(**(fields | changes))


def signal(stage: Stage = "preparing", quote: str = QUOTE, **changes: Any) -> Signal:
    """Borduria lands marines in Syldavia, says the ministry."""
    shown = evidence(quote, stage)
    fields: dict[str, Any] = {
        "rule": "landing",
        "who": "borduria",
        "where": "syldavia",
        "what": None,
        "stage": stage,
        "certainty": "asserted",
        "flags": (),
        "says": ("Ministry of Defence",),
        "relays": (),
        "figures": (),
        "evidence": shown,
        "sentences": (shown,),
    }
    return Signal(**(fields | changes))


def article(name: str = "a1", days: float = 0, **changes: Any) -> Article:
    """An article of an outlet of its own, with a text of its own, published so many days after noon."""
    fields: dict[str, Any] = {
        "id": name,
        "text": words(name),
        "title": f"Headline of {name}",
        "source": f"Outlet {name}",
        "url": f"https://news.example/{name}",
        "published": NOON + days * DAY,
    }
    return Article(**(fields | changes))


def words(name: str, count: int = 60) -> str:
    """A text that shares no four words in a row with that of another name."""
    return " ".join(f"{name}word{number}" for number in range(count))


def report(name: str = "a1", stage: Stage = "preparing", days: float = 0, **changes: Any) -> Report:
    """What such an article contributes to a story."""
    told = {key: value for key, value in changes.items() if key in Signal.__slots__}
    rest = {key: value for key, value in changes.items() if key not in told}
    return Report.of(signal(stage, rest.pop("quote", QUOTE), **told), article(name, days, **rest))
