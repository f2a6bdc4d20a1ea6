"""Slack as a desk: forms for whoever pressed a button, answers for whoever asked, and what the app may do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from tocsin.adapters.slack import SlackWorkspace
from tocsin.adapters.slack_http import Caller, as_form, as_json
from tocsin.errors import InputFault, Unknown
from tocsin.ports import Message


class SlackForms(SlackWorkspace):
    """`tocsin.ports.Forms` through the Web API."""

    def open(self, trigger: str, form: Mapping[str, Any]) -> None:
        """See `Forms.open`."""
        self._write("views.open", {"trigger_id": trigger, "view": dict(form)})


class SlackResponses:
    """`tocsin.ports.Responses`: posts to the addresses that Slack at `url` gives, and to no others."""

    def __init__(self, url: str, *, timeout: int = 10) -> None:
        self._api, self._timeout = urlsplit(url), timeout

    def respond(self, address: str, message: Message) -> None:
        """See `Responses.respond`. `Unknown` when it may be tried again."""
        if not self._is_slacks(address):
            raise InputFault("the address to answer at is none of Slack's")
        blocks = [dict(block) for block in message.blocks]
        told = {"text": message.text, "blocks": blocks, "response_type": "ephemeral", "replace_original": False}
        try:
            status = Caller(address, self._timeout).post("", as_json(told)).status
        except Exception as error:  # noqa: BLE001 - whatever it is may quote the address, which is as good as a key for half an hour
            failure: Exception = Unknown(type(error).__name__)
        else:
            if status == 200:  # noqa: PLR2004 - an HTTP status
                return
            refused = 400 <= status < 500 and status != 429  # noqa: PLR2004 - HTTP statuses
            what = f"Slack answers {status}"
            failure = InputFault(f"{what}: too late, or answered too often") if refused else Unknown(what)
        raise failure

    def _is_slacks(self, address: str) -> bool:
        """Whether an address is at the API's own origin, or over TLS at the host for answers that stands beside it."""
        try:
            given = urlsplit(address)
            there = (given.scheme, given.hostname, given.port)
        except ValueError:
            return False
        own = (self._api.scheme, self._api.hostname, self._api.port)
        return there in {own, ("https", f"hooks.{self._api.hostname}", None)} and "@" not in given.netloc


class SlackApp(SlackWorkspace):
    """`tocsin.pipeline.doctor.App` through the Web API."""

    def ask(self, method: str, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """See `App.ask`."""
        return self._read(method, fields)

    def scopes(self) -> frozenset[str]:
        """See `App.scopes`: Slack tells them beside every answer."""
        told = self._call("auth.test", as_form({})).headers.get("x-oauth-scopes", "")
        return frozenset(one.strip() for one in told.split(",") if one.strip())
