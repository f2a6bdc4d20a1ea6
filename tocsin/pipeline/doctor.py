"""Looks whether a Slack app can do all that Tocsin needs of it, and says what to mend."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Protocol

from tocsin.errors import REFUSALS, Rejected, SlackError, Throttled

State = Literal["ok", "failed", "skipped"]

OPTIONAL = {"commands": "the slash command", "channels:read": "this check", "groups:read": "this check"}
"""Scopes without which alerts are delivered all the same, and what wants them."""
_TEXT = "Tocsin was here: a test of the connection, which is removed at once."


class App(Protocol):
    """A Slack app, as it is asked about itself. Every method raises `Throttled`, `Rejected` or `Unknown` and nothing else."""

    def ask(self, method: str, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """One call of the Web API."""

    def scopes(self) -> Collection[str]:
        """What the token may do."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one step; `mend` says what to do about a failure."""

    step: str
    state: State
    what: str
    mend: str = ""


def examine(app: App, channels: Sequence[str], wanted: Collection[str]) -> Iterator[Finding]:
    """Every step in order, for each channel; those behind the first are named. What needs a step that failed is skipped.

    A missing optional scope fails nothing else.
    """
    steps: dict[str, Callable[[], Finding]] = {"token": lambda: _token(app), "scopes": lambda: _scopes(app, wanted)}
    for number, channel in enumerate(channels):
        named = f" {channel}" if number else ""
        steps |= {
            f"channel{named}": partial(_channel, app, channel, f"channel{named}"),
            f"history{named}": partial(_history, app, channel, f"history{named}"),
            f"post{named}": partial(_post, app, channel, f"post{named}"),
        }
    stopped = ""
    for step, look in steps.items():
        if stopped:
            yield Finding(step, "skipped", f"because {stopped} failed")
            continue
        found = _looked(step, look)
        yield found
        stopped = step if step == "token" and found.state == "failed" else ""


def _looked(step: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except Rejected as refusal:
        return Finding(step, "failed", f"Slack refuses: {refusal.code}", refusal.mend)
    except Throttled as pause:
        return Finding(step, "failed", str(pause), "try again later")
    except SlackError as doubt:
        return Finding(step, "failed", str(doubt), "check the network and the address of Slack, and try again")


def _token(app: App) -> Finding:
    told = app.ask("auth.test", {})
    return Finding("token", "ok", f"{told.get('user')} in {told.get('team')} ({told.get('team_id')})")


def _scopes(app: App, wanted: Collection[str]) -> Finding:
    granted = set(app.scopes())
    lacking = sorted(set(wanted) - granted)
    if not lacking:
        return Finding("scopes", "ok", ", ".join(sorted(wanted)))
    told = ", ".join(f"{one} (for {OPTIONAL[one]})" if one in OPTIONAL else one for one in lacking)
    return Finding("scopes", "failed", f"missing: {told}", REFUSALS["missing_scope"])


def _channel(app: App, channel: str, step: str) -> Finding:
    told = app.ask("conversations.info", {"channel": channel}).get("channel")
    found: Mapping[str, Any] = told if isinstance(told, dict) else {}
    for wrong, code in ((found.get("is_archived"), "is_archived"), (not found.get("is_member"), "not_in_channel")):
        if wrong:
            return Finding(step, "failed", f"#{found.get('name')}: {code}", REFUSALS[code])
    return Finding(step, "ok", f"#{found.get('name')} ({channel}), and the app is a member")


def _history(app: App, channel: str, step: str) -> Finding:
    app.ask("conversations.history", {"channel": channel, "limit": 1})
    return Finding(step, "ok", "can be read, so that an alert whose fate is unknown is looked up")


def _post(app: App, channel: str, step: str) -> Finding:
    posted = app.ask("chat.postMessage", {"channel": channel, "text": _TEXT})
    app.ask("chat.delete", {"channel": posted["channel"], "ts": posted["ts"]})
    return Finding(step, "ok", "a test message was posted and removed")
