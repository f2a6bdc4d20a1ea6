"""Slack as a desk: forms for whoever pressed a button, answers for whoever asked, and what the app may do."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from tocsin.adapters.slack import SlackWorkspace
from tocsin.errors import InputFault, Unknown
from tocsin.ports import Message

# The SDK logs whole requests, and the address is as good as a key for half an hour; this logger prints nothing.
_SILENT = logging.Logger("slack_sdk", logging.CRITICAL + 1)  # noqa: LOG001


class SlackForms(SlackWorkspace):
    """`tocsin.ports.Forms` through the Web API."""

    def open(self, trigger: str, form: Mapping[str, Any]) -> None:
        """See `Forms.open`."""
        self._call("views.open", json={"trigger_id": trigger, "view": dict(form)})


class SlackResponses:
    """`tocsin.ports.Responses`: posts to the addresses that Slack at `url` gives, and to no others."""

    def __init__(self, url: str, *, timeout: int = 10) -> None:
        self._api, self._timeout = urlsplit(url), timeout

    def respond(self, address: str, message: Message) -> None:
        """See `Responses.respond`. `Unknown` when it may be tried again."""
        if not self._is_slacks(address):
            raise InputFault("the address to answer at is none of Slack's")
        from slack_sdk.webhook import WebhookClient

        client = WebhookClient(address, timeout=self._timeout, retry_handlers=[], logger=_SILENT)
        try:
            answer = client.send(
                text=message.text,
                blocks=[dict(block) for block in message.blocks],
                response_type="ephemeral",
                replace_original=False,
            )
        except Exception as error:  # noqa: BLE001 - whatever it is may quote the address
            failure: Exception = Unknown(type(error).__name__)
        else:
            if answer.status_code == 200:  # noqa: PLR2004 - an HTTP status
                return
            refused = 400 <= answer.status_code < 500 and answer.status_code != 429  # noqa: PLR2004 - HTTP statuses
            what = f"Slack answers {answer.status_code}"
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
        return self._call(method, params=fields)

    def scopes(self) -> frozenset[str]:
        """See `App.scopes`: Slack tells them beside every answer."""
        self._call("auth.test", params={})
        try:
            headers = self._client.api_call("auth.test").headers
        except Exception as error:  # noqa: BLE001 - whatever it is may hold the token
            failure = Unknown(type(error).__name__)
        else:
            told = {name.lower(): value for name, value in headers.items()}.get("x-oauth-scopes", "")
            return frozenset(one.strip() for one in told.split(",") if one.strip())
        raise failure
