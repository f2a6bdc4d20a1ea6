"""`tocsin slack doctor`: each step is right or says what to mend, and the token is never shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.local.slack import SCOPES, Channel, DropAfter, ErrorCode, HttpStatus, LocalSlack, RateLimited
from infra.replay import SECRET
from tests.system import STACK, System, tocsin
from tests.twins import CHANNEL
from tocsin.cli.slack import MANIFEST, wanted_scopes

STEPS = ["token", "scopes", "channel", "history", "post"]


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalSlack]:
    """A local Slack that the environment names."""
    with LocalSlack([Channel(CHANNEL, "alerts")]) as running:
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        for name, value in (("TOKEN", running.token), ("CHANNEL", CHANNEL), ("URL", running.url)):
            monkeypatch.setenv(f"TOCSIN_SLACK_{name}", value)
        yield running


def told(slack: LocalSlack, code: int) -> dict[str, dict[str, Any]]:
    """What the doctor says of each step."""
    ran = tocsin("slack", "doctor", "--format", "ndjson")
    assert ran.code == code, ran.err
    assert slack.token not in ran.out + ran.err
    assert [row["step"] for row in ran.rows] == STEPS
    return {row["step"]: row for row in ran.rows}


def test_an_app_that_can_do_everything_is_well(slack: LocalSlack) -> None:
    """Five steps, and nothing is left in the channel."""
    assert {row["state"] for row in told(slack, 0).values()} == {"ok"}
    assert slack.messages(CHANNEL) == []
    assert [call.method for call in slack.journal] == ["chat.postMessage", "chat.delete"]
    assert tocsin("slack", "doctor").out.splitlines()[0] == "ok      token: tocsin in Local (T0LOCAL)"


ILLS: dict[str, tuple[Callable[[LocalSlack], object], str, str]] = {
    "missing scope": (
        lambda slack: setattr(slack, "scopes", SCOPES.replace("groups:history,", "")),
        "scopes",
        "missing: groups:history",
    ),
    "no slash command": (
        lambda slack: setattr(slack, "scopes", SCOPES.replace(",commands", "")),
        "scopes",
        "missing: commands (for the slash command)",
    ),
    "not a member": (
        lambda slack: slack.channels.update({CHANNEL: replace(slack.channels[CHANNEL], member=False)}),
        "channel",
        "not_in_channel",
    ),
    "archived": (
        lambda slack: slack.channels.update({CHANNEL: replace(slack.channels[CHANNEL], archived=True)}),
        "channel",
        "is_archived",
    ),
    "no channel": (lambda slack: slack.channels.clear(), "channel", "channel_not_found"),
    "history closed": (
        lambda slack: slack.fail_next("conversations.history", ErrorCode("missing_scope")),
        "history",
        "missing_scope",
    ),
    "may not post": (
        lambda slack: slack.fail_next("chat.postMessage", ErrorCode("restricted_action")),
        "post",
        "restricted_action",
    ),
    "novel error": (lambda slack: slack.fail_next("chat.delete", ErrorCode("news")), "post", "news"),
    "throttled": (lambda slack: slack.fail_next("conversations.info", RateLimited(7)), "channel", "7 s"),
    "down": (lambda slack: slack.fail_next("conversations.history", HttpStatus(503)), "history", "503"),
    "cut off": (lambda slack: slack.fail_next("chat.postMessage", DropAfter()), "post", "no telling"),
}


@pytest.mark.parametrize(("ill", "step", "what"), ILLS.values(), ids=ILLS)
def test_an_ill_is_named_with_its_mend(
    slack: LocalSlack, ill: Callable[[LocalSlack], object], step: str, what: str
) -> None:
    """The step that shows it fails with Slack's word for it and with what to do; the others are looked at all the same."""
    ill(slack)
    found = told(slack, 1)
    assert found["token"]["state"] == "ok"
    assert (found[step]["state"], found[step]["mend"] != "") == ("failed", True)
    assert what in found[step]["what"]


def test_without_a_token_nothing_else_is_tried(slack: LocalSlack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong token is the one thing to mend first."""
    monkeypatch.setenv("TOCSIN_SLACK_TOKEN", "xoxb-wrong")
    found = told(slack, 1)
    assert [row["state"] for row in found.values()] == ["failed", *["skipped"] * 4]
    assert "xoxb-wrong" not in json.dumps(found)
    assert slack.requests["chat.postMessage"] == 0


def test_the_channels_of_the_routes_are_looked_at(slack: LocalSlack, folder: Path) -> None:
    """Each further channel has its steps: one the app is not in is named, with what to mend; one of a fallback is looked at, too."""
    slack.channels |= {"C0WATCH": Channel("C0WATCH", "watch", member=False), "C0SPARE": Channel("C0SPARE", "spare")}
    (folder / "routes.yaml").write_text(
        "receivers:\n  - {name: desk, channel: default}\n  - {name: watch, channel: C0WATCH, fallback: spare}\n"
        "  - {name: spare, channel: C0SPARE}\nroute:\n  receiver: desk\n  routes: [{receiver: watch, matchers: [level >= high]}]\n",
        encoding="utf-8",
    )
    rows = tocsin("slack", "doctor", "--rules", folder, "--format", "ndjson").rows
    assert [row["step"] for row in rows if row["state"] == "failed"] == [
        "channel C0WATCH",
        "history C0WATCH",
        "post C0WATCH",
    ]
    assert "/invite" in rows[5]["mend"]
    assert [row["state"] for row in rows if "C0SPARE" in row["step"]] == ["ok"] * 3


def test_half_a_setting_is_named(slack: LocalSlack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Token and channel belong together."""
    monkeypatch.delenv("TOCSIN_SLACK_CHANNEL")
    ran = tocsin("slack", "doctor")
    assert ran.code == 3
    assert "set both TOCSIN_SLACK_TOKEN and TOCSIN_SLACK_CHANNEL" in ran.err
    assert slack.token not in ran.err


def test_the_deployed_stack_is_asked_as_it_is_set_up(on_moto: System) -> None:
    """Without the environment, secret, channel and address are those of the stack."""
    ran = tocsin("slack", "doctor", "--stack-name", on_moto.stack.name)
    assert ran.code == 0, ran.out + ran.err
    assert ran.out.count("ok ") == len(STEPS)
    assert tocsin("slack", "doctor", "--stack-name", STACK).code == 3


def test_a_token_is_put_where_the_functions_read_it(on_moto: System) -> None:
    """A token that is handed in is kept encrypted, in place of the old one, and not shown; none, and a name that is no parameter's, are refused."""
    asked = ("slack", "doctor", "--stack-name", on_moto.stack.name)
    assert tocsin("slack", "token", SECRET, stdin=b"xoxb-wrong\n").code == 0
    assert tocsin(*asked).code == 1
    ran = tocsin("slack", "token", stdin=f" {on_moto.slack.token}\n".encode())
    assert (ran.code, ran.out, on_moto.slack.token in ran.err) == (0, f"kept in {SECRET}\n", False)
    assert tocsin(*asked).code == 0
    assert on_moto.stack.client("ssm").get_parameter(Name=SECRET)["Parameter"]["Type"] == "SecureString"
    for given, said in (((), "no token was given"), (("tocsin-slack",), "begin it with a slash")):
        ran = tocsin("slack", "token", *given, stdin=b"\n")
        assert (ran.code, said in ran.err) == (3, True)


def test_the_manifest_asks_for_what_the_local_slack_grants() -> None:
    """The scopes are the same, so that what is tested here is what users install."""
    assert set(wanted_scopes()) == set(SCOPES.split(","))
    manifest = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
    addresses = {command["url"] for command in manifest["features"]["slash_commands"]}
    assert addresses == {manifest["settings"]["interactivity"]["request_url"]}
    assert all(address.endswith("/slack") for address in addresses)
