"""Requests that say they are Slack's: which may be, and what those ask."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as some

from infra.local.person import SIGNING_SECRET, seal
from tocsin.errors import InputFault
from tocsin.slack_events import (
    MAX_BODY,
    WINDOW,
    Challenge,
    Command,
    Press,
    is_check,
    read,
    seal_of,
)

NOW = datetime(2031, 3, 10, 12, tzinfo=UTC)
BODY = b"text=status"
GOOD = seal(BODY, NOW.timestamp())
FORM = {"content-type": "application/x-www-form-urlencoded"}


def is_slacks(headers: Any, body: bytes = BODY, now: datetime = NOW, secret: str = SIGNING_SECRET) -> bool:
    """Whether a request has Slack's seal."""
    found = seal_of(headers, body, now)
    return found is not None and found.is_of(secret)


def test_the_example_of_slacks_documentation() -> None:
    """The example Slack prints for those who verify signatures is verified."""
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&"
        b"channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&"
        b"response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&"
        b"trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    headers = {
        "x-slack-request-timestamp": "1531420618",
        "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    }
    assert is_slacks(headers, body, datetime.fromtimestamp(1531420700, UTC), "8f742231b10e8888abcd99yyyzzz85a5")


@pytest.mark.parametrize("late", [timedelta(0), WINDOW, -WINDOW])
def test_a_request_of_the_last_minutes_is_slacks(late: timedelta) -> None:
    """Five minutes early or late, as clocks differ, are allowed."""
    assert is_slacks(GOOD.headers, now=NOW + late)


HEADERS = dict(GOOD.headers)
MOMENT, SIGNATURE = HEADERS["x-slack-request-timestamp"], HEADERS["x-slack-signature"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-slack-signature": SIGNATURE},
        {"x-slack-request-timestamp": MOMENT},
        HEADERS | {"x-slack-request-timestamp": ""},
        HEADERS | {"x-slack-request-timestamp": "now"},
        HEADERS | {"x-slack-request-timestamp": "NaN"},
        HEADERS | {"x-slack-request-timestamp": f"{MOMENT}.0"},
        HEADERS | {"x-slack-request-timestamp": f" {MOMENT}"},
        HEADERS | {"x-slack-request-timestamp": f"-{MOMENT}"},
        HEADERS | {"x-slack-request-timestamp": f"{MOMENT},{MOMENT}"},
        HEADERS | {"x-slack-request-timestamp": "١٩٣٠٩٩٩٦٠٠"},
        HEADERS | {"x-slack-request-timestamp": "9" * 400},
        HEADERS | {"x-slack-request-timestamp": "9" * 12},
        HEADERS | {"x-slack-signature": ""},
        HEADERS | {"x-slack-signature": "v0="},
        HEADERS | {"x-slack-signature": SIGNATURE[:-1]},
        HEADERS | {"x-slack-signature": SIGNATURE.upper()},
        HEADERS | {"x-slack-signature": SIGNATURE + "\n"},
        HEADERS | {"x-slack-signature": SIGNATURE.replace("v0", "v1")},
        HEADERS | {"x-slack-signature": "v0=" + "ü" * 64},
        HEADERS | {"x-slack-signature": "v0=" + "\ud83d" * 64},
        HEADERS | {"x-slack-signature": "v0=" + "0" * 64},
        HEADERS | {"x-slack-signature": f"{SIGNATURE},{SIGNATURE}"},
    ],
)
def test_whatever_is_wrong_with_its_seal_it_is_not_slacks(headers: dict[str, str]) -> None:
    """A moment or signature that is absent, malformed or another's is refused, and nothing is raised."""
    assert not is_slacks(headers)


@pytest.mark.parametrize(
    ("body", "now", "secret"),
    [
        (b"text=statu", NOW, SIGNING_SECRET),
        (b"\xff\xfe", NOW, SIGNING_SECRET),
        (b"", NOW, SIGNING_SECRET),
        (b"x" * (MAX_BODY + 1), NOW, SIGNING_SECRET),
        (BODY, NOW + WINDOW + timedelta(seconds=1), SIGNING_SECRET),
        (BODY, NOW - WINDOW - timedelta(seconds=1), SIGNING_SECRET),
        (BODY, NOW, "another"),
        (BODY, NOW, ""),
        (BODY, NOW, "ü\ud83d"),
    ],
)
def test_another_body_moment_or_secret_is_not_slacks(body: bytes, now: datetime, secret: str) -> None:
    """The seal holds for one body, within five minutes, and with one secret."""
    assert not is_slacks(GOOD.headers, body, now, secret)


def test_a_body_larger_than_any_of_slacks_is_not_looked_at() -> None:
    """Even when it is sealed."""
    body = b"x" * (MAX_BODY + 1)
    assert not is_slacks(seal(body, NOW.timestamp()).headers, body)


PRESSED: dict[str, Any] = {
    "type": "block_actions",
    "user": {"id": "U1", "username": "ana", "team_id": "T1"},
    "team": {"id": "T1"},
    "api_app_id": "A1",
    "actions": [{"action_id": "acknowledge", "block_id": "story who where", "value": "landing/x#1"}],
}


def form(told: Any) -> bytes:
    """A payload as Slack wraps it."""
    return urlencode({"payload": json.dumps(told)}).encode()


def test_a_press_is_read() -> None:
    """Who pressed what, on which story."""
    press = read(FORM, form(PRESSED))
    assert isinstance(press, Press)
    assert (press.button, press.story, press.same) == ("acknowledge", "landing/x#1", ("who", "where"))
    assert (press.person.id, press.person.name, press.origin.team, press.origin.app) == ("U1", "ana", "T1", "A1")


def test_a_command_is_read_as_it_was_typed() -> None:
    """The three letters that Slack escapes are themselves again."""
    fields = {
        "text": " why https://x.example/?a=1&amp;b=2 ",
        "user_id": "U1",
        "response_url": "https://hooks.slack.com/x",
    }
    command = read(FORM, urlencode(fields).encode())
    assert isinstance(command, Command)
    assert command.text == "why https://x.example/?a=1&b=2"


def test_slacks_own_questions_are_known() -> None:
    """The challenge of a new address, and the look at the certificate."""
    told = json.dumps({"type": "url_verification", "challenge": "word"}).encode()
    assert read({"content-type": "application/json"}, told) == Challenge("word")
    assert is_check(FORM, b"ssl_check=1&token=x")
    assert is_check(FORM, b"token=x&ssl_check=1")
    assert not is_check(FORM, b"text=ssl_check=1")


@pytest.mark.parametrize(
    "told",
    [
        {"type": "view_closed"},
        {"type": "shortcut"},
        {"type": "view_submission", "view": {"callback_id": "another"}},
        PRESSED | {"actions": [{"action_id": "link", "type": "button", "url": "https://x.example"}]},
        PRESSED | {"actions": []},
        {},
        [],
        7,
    ],
)
def test_what_asks_nothing_of_us_is_nothing(told: Any) -> None:
    """Other apps' forms, links that were followed, whatever Slack may tell some day."""
    assert read(FORM, form(told)) is None


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("", BODY),
        ("text/plain", BODY),
        ("multipart/form-data; boundary=x", BODY),
        (FORM["content-type"], b""),
        (FORM["content-type"], b"\xff"),
        (FORM["content-type"], b"payload=%ff"),
        (FORM["content-type"], b"payload={"),
        (FORM["content-type"], b"payload=" + b"%5B" * 100_000),
        (FORM["content-type"], b"&".join(b"a=1" for _ in range(1_000))),
        (FORM["content-type"], b"text=status&user_id=U1"),
        (FORM["content-type"], form(PRESSED | {"user": None})),
        (FORM["content-type"], form({"type": "view_submission", "view": {"callback_id": "irrelevant"}})),
        ("application/json", b"{"),
        ("application/json", b'{"type": "url_verification"}'),
    ],
)
def test_what_cannot_be_read_is_said(kind: str, body: bytes) -> None:
    """A request that is sealed and yet cannot be read is bad input, no accident."""
    with pytest.raises(InputFault):
        read({"content-type": kind}, body)


KEYS = some.sampled_from(["type", "user", "id", "view", "actions", "value", "action_id"])
JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=8),
    lambda each: some.lists(each, max_size=3) | some.dictionaries(KEYS, each, max_size=4),
    max_leaves=12,
)


@given(JSON, some.sampled_from(["block_actions", "view_submission", "x"]))
def test_no_payload_is_an_accident(told: Any, kind: str) -> None:
    """Whatever JSON stands in a payload, it is read, none of ours, or bad input."""
    with suppress(InputFault):
        read(FORM, form({**told, "type": kind} if isinstance(told, dict) else told))
