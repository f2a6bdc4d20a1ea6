"""One request to Slack and its answer: sent once, whatever comes of it, and to nobody else, for a redirect is an answer like any other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import urlencode
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, ProxyHandler, Request

from tocsin import __version__


class Body(NamedTuple):
    """What is sent, and its media type."""

    kind: str
    sent: bytes


class Answer(NamedTuple):
    """What came back, whatever the status."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    data: Mapping[str, Any]
    """The object of its JSON; empty where it holds none."""


def as_json(fields: Mapping[str, Any]) -> Body:
    """Fields as JSON; `TypeError` or `ValueError` where they cannot be."""
    return Body("application/json; charset=utf-8", json.dumps(fields).encode())


def as_form(fields: Mapping[str, Any]) -> Body:
    """Fields as a form."""
    told = {name: int(value) if isinstance(value, bool) else value for name, value in fields.items()}
    return Body("application/x-www-form-urlencoded", urlencode(told).encode())


class Caller:
    """Calls the server at an address, through the proxy of the environment if it names one.

    `timeout` is seconds per socket operation. The `token` is kept here: no argument, and so no traceback, holds it.
    """

    def __init__(self, url: str, timeout: float) -> None:
        self._url, self._timeout = url, timeout
        self.token = ""

    def post(self, method: str, body: Body) -> Answer:
        """Posts to a method below the address, or with none to itself. Raises whatever keeps the answer from coming whole."""
        headers = {"Content-Type": body.kind, "User-Agent": f"Tocsin/{__version__}"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = Request(self._url + method, body.sent, headers)  # noqa: S310 - the opener knows no scheme but HTTP's
        with self._opener.open(request, timeout=self._timeout) as answer:
            about = {name.lower(): value for name, value in answer.headers.items()}
            return Answer(answer.status, about, _object(answer.read()))

    @cached_property
    def _opener(self) -> OpenerDirector:
        """What follows no redirect and makes no error of a status. Certificates are loaded where TLS wants them."""
        opener = OpenerDirector()
        for handler in (ProxyHandler(), HTTPSHandler() if self._url.startswith("https:") else HTTPHandler()):
            opener.add_handler(handler)
        return opener


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
