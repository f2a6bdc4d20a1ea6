"""`tocsin slack`: the token of the Slack app is put where the functions read it, and whether the app can do what Tocsin needs of it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tocsin.cli import FINDINGS, FINE
from tocsin.cli.options import format_option, load_rules, rules_option, stack_option
from tocsin.errors import InputFault, SettingsFault

if TYPE_CHECKING:
    from tocsin.adapters.slack import Token

MANIFEST = Path(__file__).parent.parent.parent / "infra" / "slack-manifest.yaml"
SLACK = "https://slack.com/api/"
_MARKS = {"ok": "ok     ", "failed": "FAILED ", "skipped": "skipped"}


@click.group("slack")
def command() -> None:
    """The Slack app."""


@command.command("token")
@click.argument("name", default="/tocsin/slack-token")
def store_token(name: str) -> int:
    """Asks for a token, which is not shown, and keeps it encrypted in the parameter NAME of Systems Manager, in place of an older one.

    Functions read it there when the stack's SlackTokenSecret, SlackSigningSecret or ReceiveSecret is that NAME.
    """
    import boto3

    from tocsin.adapters.secrets import service_of, store
    from tocsin.adapters.stack import asking

    if service_of(name) != "ssm":
        raise InputFault(f"{name} is no name of a parameter", mend="begin it with a slash, as /tocsin/slack-token")
    asked = click.prompt("Token", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.readline()
    if not (token := asked.strip()):
        raise InputFault("no token was given", mend="type it, or hand it in: tocsin slack token < FILE")
    with asking("name the account with AWS_PROFILE"):
        store(boto3.client("ssm"), name, token)
    click.echo(f"kept in {name}")
    return FINE


@command.command("doctor")
@stack_option
@rules_option
@format_option
def doctor(stack_name: str, rules: Path, form: str) -> int:
    """Checks token, scopes, channel and history, then posts a test message and removes it; exit code 1 when something is wrong.

    The channels that `routes.yaml` of the rules names are looked at, too.
    Asks with TOCSIN_SLACK_TOKEN and TOCSIN_SLACK_CHANNEL if they are set, else as the deployed stack does. The token is not shown.
    """
    from tocsin.adapters.slack_desk import SlackApp
    from tocsin.pipeline.doctor import examine

    url, channel, token = _given() or _deployed(stack_name)
    routes = load_rules(rules).routes
    channels = routes.to(channel).channels if routes else ()
    failed = False
    for found in examine(SlackApp(url, token), tuple(dict.fromkeys((channel, *channels))), wanted_scopes()):
        failed = failed or found.state == "failed"
        if form == "ndjson":
            click.echo(json.dumps(asdict(found), ensure_ascii=False))
        else:
            click.echo(f"{_MARKS[found.state]} {found.step}: {found.what}" + (f"; {found.mend}" if found.mend else ""))
    return FINDINGS if failed else FINE


@dataclass(frozen=True, repr=False)
class _Given:
    """A token from the environment."""

    token: str

    def __call__(self) -> str:
        return self.token

    def refresh(self) -> str:
        return self.token


def _given() -> tuple[str, str, Token] | None:
    names = ("TOCSIN_SLACK_TOKEN", "TOCSIN_SLACK_CHANNEL")
    token, channel = (os.environ.get(name, "").strip() for name in names)
    if not token and not channel:
        return None
    if not token or not channel:
        raise SettingsFault(f"set both {names[0]} and {names[1]}, or neither to ask as the deployed stack does")
    return os.environ.get("TOCSIN_SLACK_URL", SLACK), channel, _Given(token)


def _deployed(name: str) -> tuple[str, str, Token]:
    from tocsin.adapters.stack import deployed

    with deployed(name) as stack:
        return stack.slack()


def wanted_scopes() -> list[str]:
    """The scopes the manifest asks for."""
    from tocsin.source import read

    manifest: Mapping[str, Any] = read(MANIFEST).data
    scopes: list[str] = manifest["oauth_config"]["scopes"]["bot"]
    return scopes
