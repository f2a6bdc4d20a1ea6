"""Somebody in front of the local Slack, who presses buttons, sends forms and types the slash command."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from infra.local.slack import APP, TEAM, LocalSlack

SIGNING_SECRET = "local-signing-secret-0123456789ab"  # noqa: S105 - it opens nothing but tests
COMMAND = "/tocsin"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A request as Slack sends it: what API Gateway would hand on."""

    headers: Mapping[str, str]
    body: bytes

    def event(self) -> dict[str, Any]:
        """The event of API Gateway that carries it."""
        where = {"http": {"method": "POST", "path": "/slack", "sourceIp": "192.0.2.20"}}
        return {
            "version": "2.0",
            "rawPath": "/slack",
            "headers": dict(self.headers),
            "requestContext": where,
            "body": self.body.decode(),
            "isBase64Encoded": False,
        }


def seal(
    body: bytes, moment: float, secret: str = SIGNING_SECRET, kind: str = "application/x-www-form-urlencoded"
) -> Sealed:
    """A request with Slack's signature."""
    told = str(int(moment))
    signature = hmac.new(secret.encode(), b"v0:" + told.encode() + b":" + body, hashlib.sha256).hexdigest()
    return Sealed(
        {"content-type": kind, "x-slack-request-timestamp": told, "x-slack-signature": f"v0={signature}"}, body
    )


@dataclass(frozen=True, slots=True)
class Person:
    """A member of the workspace. Each thing they do is the request Slack would send of it."""

    slack: LocalSlack
    id: str = "U0ANALYST"
    name: str = "ana"
    secret: str = SIGNING_SECRET
    clock: Callable[[], float] = time.time

    def press(self, channel: str, ts: str, button: str) -> Sealed:
        """Presses a button of a message; `LookupError` when it shows none of that name."""
        (message,) = (one for one in self.slack.messages(channel) if one.ts == ts)
        for block in message.blocks:
            for element in block.get("elements", ()):
                if element.get("action_id") == button:
                    pressed = {
                        "type": "button",
                        "block_id": block["block_id"],
                        "action_ts": str(self.clock()),
                        **element,
                    }
                    shown = {"type": "message", "ts": ts, "text": message.text, "blocks": list(message.blocks)}
                    return self._interaction({
                        "type": "block_actions",
                        "trigger_id": self.slack.trigger(),
                        "response_url": self.slack.address(),
                        "channel": {"id": channel, "name": "alerts"},
                        "message": shown,
                        "actions": [pressed],
                    })  # fmt: skip
        raise LookupError(f"the message {ts} shows no button {button!r}")

    def send(self, form: Mapping[str, Any], reason: str, note: str | None = None) -> Sealed:
        """Sends a form that was opened."""
        chosen = {"type": "static_select", "selected_option": {"value": reason}}
        values = {"reason": {"reason": chosen}, "note": {"note": {"type": "plain_text_input", "value": note}}}
        return self._interaction({"type": "view_submission", "view": {**form, "id": "V1", "state": {"values": values}}})

    def type(self, text: str) -> Sealed:
        """Types the slash command, with this behind it."""
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        fields = {"command": COMMAND, "text": escaped, "team_id": TEAM, "api_app_id": APP, "channel_id": "C0ALERTS"}
        asked = {"user_id": self.id, "user_name": self.name, "response_url": self.slack.address()}
        return self._sealed(fields | asked | {"trigger_id": self.slack.trigger()})

    def _interaction(self, told: Mapping[str, Any]) -> Sealed:
        who = {"id": self.id, "username": self.name, "name": self.name, "team_id": TEAM}
        payload = {"user": who, "team": {"id": TEAM, "domain": "local"}, "api_app_id": APP, "token": "obsolete", **told}
        return self._sealed({"payload": json.dumps(payload)})

    def _sealed(self, fields: Mapping[str, str]) -> Sealed:
        return seal(urlencode(fields).encode(), self.clock(), self.secret)
