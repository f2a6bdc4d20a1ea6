"""What Slack sends us: whether it is Slack's, and what it asks. Nothing in a request is believed before its seal is checked."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from tocsin.errors import InputFault

WINDOW = timedelta(minutes=5)
"""How old, or how far ahead, a request may be: as long as Slack advises."""
MAX_BODY = 1_000_000
"""Bytes of a request: Slack's have a few thousand, and the message a button belongs to has fifty thousand at the most."""
_MAX_FIELDS = 100
_MOMENT = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")
_MEND = "Slack's own requests can be read; has their format changed?"


@dataclass(frozen=True, slots=True)
class Seal:
    """The signature of a request that may be Slack's: it is well formed, and of this moment."""

    moment: str
    signature: str
    body: bytes

    def is_of(self, secret: str) -> bool:
        """Whether the request was sealed with the secret; in constant time."""
        sealed = b"v0:" + self.moment.encode() + b":" + self.body
        wanted = "v0=" + hmac.new(secret.encode("utf-8", "replace"), sealed, hashlib.sha256).hexdigest()
        return hmac.compare_digest(wanted, self.signature)


def seal_of(headers: Mapping[str, str], body: bytes, now: datetime) -> Seal | None:
    """The seal of a request with these headers (names in lower case); None when it cannot be Slack's, whatever the secret."""
    moment, signature = headers.get("x-slack-request-timestamp", ""), headers.get("x-slack-signature", "")
    if len(body) > MAX_BODY or not _MOMENT.fullmatch(moment) or not _SIGNATURE.fullmatch(signature):
        return None
    if abs(now.timestamp() - int(moment)) > WINDOW.total_seconds():
        return None
    return Seal(moment, signature, body)


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks: the id, and how they are called."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Origin:
    """The workspace and the app that a request says it comes from."""

    team: str
    app: str


@dataclass(frozen=True, slots=True)
class Press:
    """A button was pressed on a story's message."""

    origin: Origin
    button: str
    story: str
    same: tuple[str, ...]
    """The slots that make the story's identity."""
    person: Person
    trigger: str
    """Lets a form be opened, for three seconds."""
    respond_at: str
    """Where whoever pressed can be answered, for half an hour."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The form about a story that is not relevant was sent."""

    origin: Origin
    story: str
    person: Person
    reason: str
    note: str


@dataclass(frozen=True, slots=True)
class Command:
    """The slash command, with what was written behind it."""

    origin: Origin
    text: str
    person: Person
    respond_at: str


@dataclass(frozen=True, slots=True)
class Challenge:
    """Slack wants to hear this word, to know that we are here."""

    word: str


Event = Press | Sent | Command | Challenge


def is_check(headers: Mapping[str, str], body: bytes) -> bool:
    """Whether somebody only looks at our certificate, as Slack does now and then, unsigned."""
    return _kind(headers) == "application/x-www-form-urlencoded" and b"ssl_check=1" in body.split(b"&")


def read(headers: Mapping[str, str], body: bytes) -> Event | None:
    """What a request of Slack's asks; None when it asks nothing of us. `InputFault` when it cannot be read."""
    try:
        text = body.decode()
        if _kind(headers) == "application/json":
            return _challenge(json.loads(text))
        if _kind(headers) != "application/x-www-form-urlencoded":
            raise InputFault("the content type is neither a form nor JSON", mend=_MEND)
        fields = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict"))
        return _interaction(json.loads(fields["payload"])) if "payload" in fields else _command(fields)
    except (ValueError, RecursionError) as error:
        raise InputFault("the request cannot be read", mend=_MEND) from error


def _kind(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _challenge(told: Any) -> Challenge | None:
    return Challenge(_text(told, "challenge")) if _at(told, "type") == "url_verification" else None


def _command(fields: Mapping[str, str]) -> Command:
    origin = Origin(fields.get("team_id", ""), fields.get("api_app_id", ""))
    person = Person(_text(fields, "user_id"), fields.get("user_name", ""))
    return Command(origin, _unescaped(fields.get("text", "")).strip(), person, _text(fields, "response_url"))


def _unescaped(text: str) -> str:
    """What was typed: Slack escapes three letters."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _interaction(told: Any) -> Press | Sent | None:
    match _at(told, "type"):
        case "block_actions":
            return _press(told)
        case "view_submission" if _at(told, "view", "callback_id") == "irrelevant":
            return _sent(told)
    return None


def _press(told: Any) -> Press | None:
    """The first button of a payload is the one that was pressed; one without a story is none of ours."""
    button, story = _at(told, "actions", 0, "action_id"), _at(told, "actions", 0, "value")
    if not isinstance(button, str) or not isinstance(story, str):
        return None
    _, *same = str(_at(told, "actions", 0, "block_id") or "").split()
    where = str(_at(told, "response_url") or "")
    return Press(_origin(told), button, story, tuple(same), _person(told), str(_at(told, "trigger_id") or ""), where)


def _sent(told: Any) -> Sent:
    values = _at(told, "view", "state", "values")
    reason = _text(values, "reason", "reason", "selected_option", "value")
    note = _at(values, "note", "note", "value")
    story = _text(told, "view", "private_metadata")
    return Sent(_origin(told), story, _person(told), reason, note if isinstance(note, str) else "")


def _origin(told: Any) -> Origin:
    team = _at(told, "team", "id") or _at(told, "user", "team_id")
    return Origin(str(team or ""), str(_at(told, "api_app_id") or ""))


def _person(told: Any) -> Person:
    name = _at(told, "user", "name") or _at(told, "user", "username")
    return Person(_text(told, "user", "id"), str(name or ""))


def _at(told: Any, *path: str | int) -> Any:
    """What stands at a place, or nothing."""
    for key in path:
        if isinstance(told, dict) and isinstance(key, str):
            told = told.get(key)
        elif isinstance(told, list) and isinstance(key, int) and key < len(told):
            told = told[key]
        else:
            return None
    return told


def _text(told: Any, *path: str | int) -> str:
    found = _at(told, *path)
    if not isinstance(found, str) or not found:
        raise InputFault(f"the field {'.'.join(map(str, path))} is missing", mend=_MEND)
    return found
