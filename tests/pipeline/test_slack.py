"""What the Slack adapter promises, checked over real HTTP against the local Slack."""

from __future__ import annotations

import io
import json
import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
import time_machine
from botocore.config import Config
from botocore.session import get_session
from botocore.stub import Stubber
from moto import mock_aws
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from infra.local.slack import (
    Channel,
    Delay,
    DropAfter,
    DropBefore,
    ErrorCode,
    Fault,
    GarbageBody,
    HttpStatus,
    LocalSlack,
    RateLimited,
    ShortBody,
)
from tocsin.adapters.secrets import SecretToken, store
from tocsin.adapters.services import Models, write
from tocsin.adapters.slack import CODES, EVENT_TYPE, OUTCOMES, SlackWorkspace
from tocsin.errors import Rejected, SettingsFault, SlackError, Throttled, Unknown
from tocsin.ports import Message, Posted, Slack

CHANNEL = "C0ALERTS"
CANARY = "xoxb-canary-4815162342-doNotPrintMe"
POST = "chat.postMessage"

TRANSPORT_FAULTS: list[Fault] = [
    HttpStatus(500),
    HttpStatus(502, effect=True),
    HttpStatus(503, body=b'{"ok": false, "error": "channel_not_found"}'),
    HttpStatus(404),
    DropBefore(),
    DropAfter(),
    ShortBody(),
    Delay(0.6),
    GarbageBody(),
    GarbageBody(b""),
    GarbageBody(b"null"),
    GarbageBody(b"true"),
    GarbageBody(b"[1]"),
    GarbageBody(b"\xff\xfe"),
    GarbageBody(b"[" * 100_000),
    GarbageBody(b'{"ok": false}'),
    GarbageBody(b'{"ok": false, "error": 7}'),
    ErrorCode("internal_error", effect=True),
    ErrorCode("a_code_nobody_documented"),
]


class Tokens:
    """A source of tokens that gives the next one at each refresh, and stays at the last."""

    def __init__(self, *tokens: str) -> None:
        self.tokens, self.refreshes = list(tokens), 0

    def __call__(self) -> str:
        """The token at hand."""
        return self.tokens[0]

    def refresh(self) -> str:
        """The next token, when there is one."""
        self.refreshes += 1
        if len(self.tokens) > 1:
            self.tokens.pop(0)
        return self.tokens[0]


class NoTokens(Tokens):
    """A source whose secret cannot be read."""

    def __call__(self) -> str:
        """Raises."""
        raise SettingsFault("the secret slack cannot be read")

    def refresh(self) -> str:
        """Raises."""
        raise SettingsFault("the secret slack cannot be read")


@pytest.fixture
def local() -> Iterator[LocalSlack]:
    """A running local Slack with the canary as its token."""
    archived, foreign = Channel("C0OLD", "old", archived=True), Channel("C0FAR", "far", member=False)
    with LocalSlack((Channel(CHANNEL, "alerts"), archived, foreign), token=CANARY) as slack:
        yield slack


@pytest.fixture
def slack(local: LocalSlack) -> Slack:
    """The adapter, talking to the local Slack; it gives up after half a real second."""
    return SlackWorkspace(local.url, Tokens(CANARY), timeout=0.5)


def message(alert: str = "a1", text: str = "Additional deployment", **metadata: object) -> Message:
    """A small alert as the pipeline would send it."""
    section = {"type": "section", "text": {"type": "mrkdwn", "text": text or "-"}}
    return Message(text, (section,), {"alert": alert, **metadata})


def outcome_of(call: Callable[[], object]) -> SlackError:
    """The outcome a call ended in, which must not be success."""
    with pytest.raises(SlackError) as caught:
        call()
    return caught.value


def test_post_answers_where_the_message_stands(local: LocalSlack, slack: Slack) -> None:
    """A post returns the channel id and ts under which Slack keeps the message, even when the channel was named."""
    posted = slack.post("#alerts", message())
    assert posted == Posted(CHANNEL, local.messages(CHANNEL)[0].ts)


def test_post_sends_what_proves_and_restrains_the_message(local: LocalSlack, slack: Slack) -> None:
    """A post carries its metadata, pings and unfurls nothing, and has the same client_msg_id each time."""
    slack.post(CHANNEL, message(story="s1"))
    slack.post(CHANNEL, message(story="s1"))
    first, second = (call.sent for call in local.posts)
    assert first["metadata"] == {"event_type": EVENT_TYPE, "event_payload": {"alert": "a1", "story": "s1"}}
    assert [first[name] for name in ("unfurl_links", "unfurl_media", "link_names", "parse")] == [
        False,
        False,
        False,
        "none",
    ]
    assert first["client_msg_id"] == second["client_msg_id"]


@pytest.mark.parametrize("broadcast", [False, True])
def test_reply_stands_in_its_thread(local: LocalSlack, slack: Slack, *, broadcast: bool) -> None:
    """A reply goes under its root, and into the channel as well only when it is broadcast."""
    root = slack.post(CHANNEL, message("root"))
    slack.post(CHANNEL, message("reply"), thread_ts=root.ts, broadcast=broadcast)
    reply = local.messages(CHANNEL)[1]
    assert (reply.thread_ts, reply.in_channel) == (root.ts, broadcast)


def test_update_replaces_the_whole_message(local: LocalSlack, slack: Slack) -> None:
    """An update replaces text, blocks and metadata, and the earlier version stays readable in the local Slack."""
    posted = slack.post(CHANNEL, message(text="one source"))
    slack.update(posted, Message("two sources", (), {"alert": "a1", "sources": 2}))
    kept = local.messages(CHANNEL)[0]
    assert (kept.text, kept.blocks, kept.metadata["event_payload"]["sources"]) == ("two sources", (), 2)
    assert [version.text for version in kept.versions] == ["one source", "two sources"]


@pytest.mark.parametrize("replies", [0, 1])
def test_update_of_a_deleted_message_is_missing(local: LocalSlack, slack: Slack, replies: int) -> None:
    """An update of a message a person deleted is rejected as missing, with or without replies under it."""
    root = slack.post(CHANNEL, message())
    for number in range(replies):
        slack.post(CHANNEL, message(f"reply {number}"), thread_ts=root.ts)
    local.remove(CHANNEL, root.ts)
    outcome = outcome_of(lambda: slack.update(root, message(text="late")))
    assert isinstance(outcome, Rejected)
    assert outcome.kind == "missing"


def test_find_reads_the_metadata(slack: Slack) -> None:
    """A message is found by the alert in its metadata and by nothing else."""
    slack.post(CHANNEL, message("a1", text="a2"))
    posted = slack.post(CHANNEL, message("a2", text="a1"))
    assert slack.find(CHANNEL, "a2", oldest=0) == posted
    assert slack.find(CHANNEL, "a3", oldest=0) is None


def test_find_takes_no_stranger_for_ours(local: LocalSlack, slack: Slack) -> None:
    """A message of another application with the same payload is not taken for the alert."""
    metadata = {"event_type": "someone_else", "event_payload": {"alert": "a1"}}
    WebClient(CANARY, local.url).chat_postMessage(channel=CHANNEL, text="hello", metadata=metadata)
    assert slack.find(CHANNEL, "a1", oldest=0) is None


@pytest.mark.parametrize("place", [0, 4, 5, 11])
def test_find_reads_every_page(place: int) -> None:
    """A message is found on whatever page of the history it stands."""
    with LocalSlack(largest_page=5) as local:
        slack = SlackWorkspace(local.url, Tokens(local.token))
        posted = [slack.post(CHANNEL, message(f"a{number}")) for number in range(12)]
        assert slack.find(CHANNEL, f"a{place}", oldest=0) == posted[place]
        assert slack.find(CHANNEL, "absent", oldest=0) is None
        assert local.requests["conversations.history"] == (11 - place) // 5 + 1 + 3


def test_find_looks_no_further_back_than_oldest() -> None:
    """A message posted before `oldest` is not found; one posted at that very moment is."""
    now = 1_735_689_600.25
    with LocalSlack(clock=lambda: now) as local:
        slack = SlackWorkspace(local.url, Tokens(local.token))
        posted = slack.post(CHANNEL, message())
        assert slack.find(CHANNEL, "a1", oldest=now) == posted
        assert slack.find(CHANNEL, "a1", oldest=now + 0.001) is None


def test_find_looks_into_threads(slack: Slack) -> None:
    """A reply that is not broadcast is found in its thread and not in the channel."""
    root = slack.post(CHANNEL, message("root"))
    reply = slack.post(CHANNEL, message("reply"), thread_ts=root.ts)
    assert slack.find(CHANNEL, "reply", oldest=0, thread_ts=root.ts) == reply
    assert slack.find(CHANNEL, "reply", oldest=0) is None


def test_find_sees_a_reply_that_lost_its_root(local: LocalSlack, slack: Slack) -> None:
    """A reply to a root deleted meanwhile stands in the channel, and is found although the thread is gone."""
    root = slack.post(CHANNEL, message("root"))
    local.remove(CHANNEL, root.ts)
    assert slack.find(CHANNEL, "reply", oldest=0, thread_ts=root.ts) is None
    reply = slack.post(CHANNEL, message("reply"), thread_ts=root.ts)
    assert local.messages(CHANNEL)[0].in_channel
    assert slack.find(CHANNEL, "reply", oldest=0, thread_ts=root.ts) == reply


@pytest.mark.parametrize(
    "page",
    [
        {"messages": [], "has_more": True},
        {"messages": [], "has_more": True, "response_metadata": {"next_cursor": ""}},
        {"messages": None},
        {},
    ],
    ids=str,
)
def test_find_never_concludes_from_half_a_history(local: LocalSlack, slack: Slack, page: dict[str, Any]) -> None:
    """A history that breaks off before its last page is an unknown outcome, never 'not there'."""
    local.fail_next("conversations.history", GarbageBody(json.dumps({"ok": True, **page}).encode()))
    assert isinstance(outcome_of(lambda: slack.find(CHANNEL, "a1", oldest=0)), Unknown)


def test_find_stops_at_a_cursor_that_leads_nowhere(local: LocalSlack, slack: Slack) -> None:
    """A history whose cursor never moves is an unknown outcome after the second page."""
    page = {"ok": True, "messages": [], "has_more": True, "response_metadata": {"next_cursor": "next_ts:1"}}
    local.fail_next("conversations.history", GarbageBody(json.dumps(page).encode()), times=9)
    assert isinstance(outcome_of(lambda: slack.find(CHANNEL, "a1", oldest=0)), Unknown)
    assert local.requests["conversations.history"] == 2


@pytest.mark.parametrize(
    "row", [None, 7, {}, {"ts": 1}, {"ts": "1.0", "metadata": []}, {"ts": "1.0", "metadata": {}}], ids=str
)
def test_find_passes_over_odd_rows(local: LocalSlack, slack: Slack, row: object) -> None:
    """A row of the history that is not a message with metadata is passed over."""
    local.fail_next("conversations.history", GarbageBody(json.dumps({"ok": True, "messages": [row]}).encode()))
    assert slack.find(CHANNEL, "a1", oldest=0) is None


def test_permalink_leads_to_the_message(local: LocalSlack, slack: Slack) -> None:
    """A message has a link as long as it stands, and none once it is deleted."""
    posted = slack.post(CHANNEL, message())
    assert (slack.permalink(posted) or "").endswith("/p" + posted.ts.replace(".", ""))
    local.remove(CHANNEL, posted.ts)
    assert slack.permalink(posted) is None


def test_no_code_has_two_meanings() -> None:
    """Every documented error code stands in the table once."""
    listed = [code for codes in CODES.values() for code in codes.split()]
    assert len(listed) == len(set(listed)) == len(OUTCOMES)


@pytest.mark.parametrize("code", sorted(OUTCOMES))
def test_documented_code_has_its_outcome(local: LocalSlack, slack: Slack, code: str) -> None:
    """A documented error code ends in the outcome its row of the table says, after one call."""
    local.fail_next(POST, ErrorCode(code))
    outcome = outcome_of(lambda: slack.post(CHANNEL, message()))
    told = (outcome.kind, outcome.code) if isinstance(outcome, Rejected) else type(outcome)
    assert told == {"throttled": Throttled, "unknown": Unknown}.get(OUTCOMES[code], (OUTCOMES[code], code))
    assert local.requests[POST] == 1
    assert not local.posts


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("msg_too_long", "content"),
        ("invalid_blocks", "content"),
        ("metadata_too_large", "content"),
        ("channel_not_found", "channel"),
        ("not_in_channel", "channel"),
        ("is_archived", "channel"),
        ("restricted_action_thread_locked", "channel"),
        ("account_inactive", "auth"),
        ("missing_scope", "auth"),
        ("message_not_found", "missing"),
        ("ratelimited", "throttled"),
        ("message_limit_exceeded", "throttled"),
        ("internal_error", "unknown"),
        ("fatal_error", "unknown"),
        ("service_unavailable", "unknown"),
        ("request_timeout", "unknown"),
        ("duplicate_message_not_found", "unknown"),
    ],
)
def test_table_agrees_with_slack(code: str, kind: str) -> None:
    """The codes that decide about loss and duplicates are in the class Slack's own description puts them in."""
    assert OUTCOMES[code] == kind


@pytest.mark.parametrize("fault", TRANSPORT_FAULTS, ids=str)
@pytest.mark.parametrize(
    "method", [POST, "chat.update", "conversations.history", "conversations.replies", "chat.getPermalink"]
)
def test_every_doubtful_answer_is_unknown(local: LocalSlack, method: str, fault: Fault) -> None:
    """Whatever breaks on the way leaves the outcome unknown, after exactly one call."""
    slack = SlackWorkspace(local.url, Tokens(CANARY), timeout=0.3)
    posted = slack.post(CHANNEL, message())
    calls: dict[str, Callable[[], object]] = {
        POST: lambda: slack.post(CHANNEL, message("a2")),
        "chat.update": lambda: slack.update(posted, message()),
        "conversations.history": lambda: slack.find(CHANNEL, "a1", oldest=0),
        "conversations.replies": lambda: slack.find(CHANNEL, "a1", oldest=0, thread_ts=posted.ts),
        "chat.getPermalink": lambda: slack.permalink(posted),
    }
    before = local.requests[method]
    local.fail_next(method, fault)
    assert type(outcome_of(calls[method])) is Unknown
    assert local.requests[method] == before + 1


def test_a_redirect_takes_the_token_nowhere(local: LocalSlack) -> None:
    """An answer that sends the caller elsewhere is an unknown outcome, and whoever it names is not asked."""

    class Elsewhere(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(307)
            self.send_header("Location", f"{local.url}{POST}")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        slack = SlackWorkspace(f"http://127.0.0.1:{server.server_port}/api/", Tokens(CANARY), timeout=0.5)
        assert isinstance(outcome_of(lambda: slack.post(CHANNEL, message())), Unknown)
    assert not local.messages(CHANNEL)


def test_slack_that_is_not_there_is_unknown() -> None:
    """A refused connection is an unknown outcome like any other transport error."""
    with LocalSlack() as local:
        slack = SlackWorkspace(local.url, Tokens(local.token), timeout=1)
    assert isinstance(outcome_of(lambda: slack.post(CHANNEL, message())), Unknown)


@pytest.mark.parametrize("answer", [{}, {"channel": CHANNEL}, {"channel": CHANNEL, "ts": 1.5}], ids=str)
def test_post_without_a_place_is_unknown(local: LocalSlack, slack: Slack, answer: dict[str, Any]) -> None:
    """An `ok` that does not say where the message stands is an unknown outcome."""
    local.fail_next(POST, GarbageBody(json.dumps({"ok": True, **answer}).encode()))
    assert isinstance(outcome_of(lambda: slack.post(CHANNEL, message())), Unknown)


@pytest.mark.parametrize(
    "fault",
    [
        DropAfter(),
        ShortBody(),
        HttpStatus(500, effect=True),
        ErrorCode("fatal_error", effect=True),
        GarbageBody(effect=True),
    ],
    ids=str,
)
def test_history_proves_what_the_answer_left_open(local: LocalSlack, slack: Slack, fault: Fault) -> None:
    """A message that was posted although its answer was lost is found, so that nobody posts it again."""
    local.fail_next(POST, fault)
    assert isinstance(outcome_of(lambda: slack.post(CHANNEL, message())), Unknown)
    found = slack.find(CHANNEL, "a1", oldest=0)
    assert found == Posted(CHANNEL, local.messages(CHANNEL)[0].ts)
    assert len(local.posts) == 1


@pytest.mark.parametrize("fault", [DropBefore(), HttpStatus(500), GarbageBody()], ids=str)
def test_history_proves_that_nothing_was_posted(local: LocalSlack, slack: Slack, fault: Fault) -> None:
    """A call that had no effect leaves nothing to find."""
    local.fail_next(POST, fault)
    assert isinstance(outcome_of(lambda: slack.post(CHANNEL, message())), Unknown)
    assert slack.find(CHANNEL, "a1", oldest=0) is None


def test_effect_may_come_after_the_caller_left(local: LocalSlack, slack: Slack) -> None:
    """A message may appear after the call timed out, which is why unknown outcomes wait before they are looked up."""
    local.fail_next(POST, Delay(0.8))
    assert isinstance(outcome_of(lambda: slack.post(CHANNEL, message())), Unknown)
    assert slack.find(CHANNEL, "a1", oldest=0) is None
    deadline = time.monotonic() + 5
    while slack.find(CHANNEL, "a1", oldest=0) is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("seconds", [1.0, 30.0, 86_400.0])
def test_throttling_says_how_long(local: LocalSlack, slack: Slack, seconds: float) -> None:
    """HTTP 429 is a pause of the seconds in Retry-After, and nothing was posted."""
    local.fail_next(POST, RateLimited(seconds))
    outcome = outcome_of(lambda: slack.post(CHANNEL, message()))
    assert isinstance(outcome, Throttled)
    assert outcome.retry_after == seconds
    assert not local.posts


@pytest.mark.parametrize("fault", [HttpStatus(429), ErrorCode("rate_limited"), RateLimited(float("nan"))], ids=str)
def test_throttling_without_seconds_is_half_a_minute(local: LocalSlack, slack: Slack, fault: Fault) -> None:
    """A refusal for now that does not say for how long is a pause of 30 seconds."""
    local.fail_next(POST, fault)
    outcome = outcome_of(lambda: slack.post(CHANNEL, message()))
    assert isinstance(outcome, Throttled)
    assert outcome.retry_after == 30


def test_second_post_within_a_second_is_throttled() -> None:
    """With its rate limit on, the local Slack takes one message a second for each channel."""
    now = [1_735_689_600.0]
    channels = (Channel("C1", "one"), Channel("C2", "two"))
    with LocalSlack(channels, clock=lambda: now[0], one_a_second=True) as local:
        slack = SlackWorkspace(local.url, Tokens(local.token))
        slack.post("C1", message())
        slack.post("C2", message())
        assert isinstance(outcome_of(lambda: slack.post("C1", message())), Throttled)
        now[0] += 1
        slack.post("C1", message())


@pytest.mark.parametrize("code", ["invalid_auth", "token_revoked", "token_expired"])
def test_stale_token_is_fetched_anew_once(local: LocalSlack, code: str) -> None:
    """A token Slack calls stale is fetched once more, and the call is repeated once with the new one."""
    tokens = Tokens(CANARY, "xoxb-rotated")
    slack = SlackWorkspace(local.url, tokens)
    local.fail_next(POST, ErrorCode(code))
    local.token = "xoxb-rotated"
    slack.post(CHANNEL, message())
    assert (local.requests[POST], tokens.refreshes, len(local.posts)) == (2, 1, 1)


@pytest.mark.parametrize(
    ("tokens", "requests"),
    [(Tokens("xoxb-wrong"), 1), (Tokens("xoxb-wrong", "xoxb-wrong-too", "xoxb-third"), 2), (NoTokens(), 0)],
    ids=["unchanged", "changed", "none"],
)
def test_refused_token_is_an_auth_rejection(local: LocalSlack, tokens: Tokens, requests: int) -> None:
    """A call is repeated only with another token and only once; then it is rejected as a matter of authentication."""
    slack = SlackWorkspace(local.url, tokens)
    outcome = outcome_of(lambda: slack.post(CHANNEL, message()))
    assert isinstance(outcome, Rejected)
    assert (outcome.kind, local.requests[POST]) == ("auth", requests)


def test_other_auth_errors_do_not_fetch_the_token(local: LocalSlack) -> None:
    """A missing scope is not mended by another token, so none is fetched."""
    tokens = Tokens(CANARY, "xoxb-other")
    local.fail_next(POST, ErrorCode("missing_scope"))
    outcome_of(lambda: SlackWorkspace(local.url, tokens).post(CHANNEL, message()))
    assert tokens.refreshes == 0


@pytest.mark.parametrize(
    "fault",
    [*TRANSPORT_FAULTS, RateLimited(), ErrorCode("invalid_auth"), ErrorCode("channel_not_found"),
     GarbageBody(f"<html>Authorization: Bearer {CANARY}</html>".encode()),
     GarbageBody(json.dumps({"ok": False, "error": CANARY}).encode())],
    ids=lambda fault: str(fault).replace(CANARY, "canary"),
)  # fmt: skip
def test_token_never_shows(local: LocalSlack, fault: Fault) -> None:
    """The token is in no repr, no log line at DEBUG, no error, no traceback and none of its locals."""
    printed = io.StringIO()
    handler, root = logging.StreamHandler(printed), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    slack = SlackWorkspace(local.url, Tokens(CANARY), timeout=0.3)
    local.fail_next(POST, fault)
    try:
        outcome = outcome_of(lambda: slack.post(CHANNEL, message()))
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    told = traceback.TracebackException.from_exception(outcome, capture_locals=True)
    shown = [repr(slack), repr(outcome), str(outcome), repr(vars(outcome)), printed.getvalue(), *told.format()]
    assert not [text for text in shown if CANARY in text]
    assert outcome.__context__ is None


def test_token_that_no_header_can_carry_never_shows(local: LocalSlack) -> None:
    """A token with a line break in it, which the HTTP library quotes in its error, is not quoted in ours."""
    slack = SlackWorkspace(local.url, Tokens(f"{CANARY}\nX-Other: 1"))
    outcome = outcome_of(lambda: slack.post(CHANNEL, message()))
    assert CANARY not in "".join(traceback.format_exception(outcome))


@pytest.mark.parametrize("value", [datetime(2025, 1, 1, tzinfo=UTC), {1, 2}, b"bytes"], ids=repr)
def test_message_that_is_no_json_is_a_content_rejection(local: LocalSlack, slack: Slack, value: object) -> None:
    """A message that cannot be written as JSON is rejected for its content before anything is sent."""
    outcome = outcome_of(lambda: slack.post(CHANNEL, message(oops=value)))
    assert isinstance(outcome, Rejected)
    assert (outcome.kind, local.requests[POST]) == ("content", 0)


def section(**parts: object) -> dict[str, Any]:
    """A section block with these parts."""
    return {"type": "section", **parts}


def words(length: int, kind: str = "mrkdwn") -> dict[str, str]:
    """A text object of this length."""
    return {"type": kind, "text": "x" * length}


def header(length: int) -> dict[str, Any]:
    """A header block with a text of this length."""
    return {"type": "header", "text": words(length, "plain_text")}


@pytest.mark.parametrize(
    "blocks",
    [
        [header(150)],
        [section(text=words(3000))],
        [section(fields=[words(1000)] * 10)],
        [{"type": "divider"}] * 50,
        [{"type": "context", "elements": [words(100)] * 10}],
        [{"type": "actions", "elements": [{"type": "button", "text": words(75, "plain_text"), "value": "v"}]}],
    ],
    ids=lambda blocks: f"{len(blocks)} {blocks[0]['type']}",
)
def test_content_within_slacks_limits_is_taken(local: LocalSlack, slack: Slack, blocks: list[dict[str, Any]]) -> None:
    """Blocks exactly at Slack's limits are posted as they were sent."""
    slack.post(CHANNEL, Message("text", tuple(blocks), {"alert": "a1"}))
    assert list(local.posts[0].blocks) == blocks


@pytest.mark.parametrize(
    ("text", "blocks", "metadata", "code"),
    [
        ("", [], {}, "no_text"),
        ("x" * 40_001, [], {}, "msg_too_long"),
        ("x", [{"type": "divider"}] * 51, {}, "invalid_blocks"),
        ("x", [header(151)], {}, "invalid_blocks"),
        ("x", [{"type": "header", "text": words(5)}], {}, "invalid_blocks"),
        ("x", [section(text=words(3001))], {}, "invalid_blocks"),
        ("x", [section(text=words(0))], {}, "invalid_blocks"),
        ("x", [section()], {}, "invalid_blocks"),
        ("x", [section(fields=[words(1)] * 11)], {}, "invalid_blocks"),
        ("x", [section(fields=[words(2001)])], {}, "invalid_blocks"),
        ("x", [{"type": "context", "elements": [words(1)] * 11}], {}, "invalid_blocks"),
        ("x", [{"type": "actions", "elements": []}], {}, "invalid_blocks"),
        ("x", [{"type": "actions", "elements": [{"type": "button", "text": words(76, "plain_text")}]}], {},
         "invalid_blocks"),
        ("x", [{"type": "nonsense"}], {}, "invalid_blocks"),
        ("x", [section(block_id="b", text=words(1))] * 2, {}, "invalid_blocks"),
        ("x", [section(text=words(3000))] * 4, {}, "msg_blocks_too_long"),
        ("x", [], {"big": "x" * 16_000}, "metadata_too_large"),
        ("x", [], {"none": None}, "invalid_metadata_schema"),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_content_beyond_slacks_limits_is_rejected(
    local: LocalSlack, slack: Slack, text: str, blocks: list[dict[str, Any]], metadata: dict[str, Any], code: str
) -> None:
    """Content that Slack refuses is a content rejection with Slack's code, and nothing is posted."""
    outcome = outcome_of(lambda: slack.post(CHANNEL, Message(text, tuple(blocks), {"alert": "a1", **metadata})))
    assert isinstance(outcome, Rejected)
    assert (outcome.kind, outcome.code) == ("content", code)
    assert not local.posts


def test_update_takes_less_text_than_a_post(slack: Slack) -> None:
    """A text of more than 4,000 characters can be posted but not put into an update."""
    long = Message("x" * 4001, (), {"alert": "a1"})
    posted = slack.post(CHANNEL, long)
    outcome = outcome_of(lambda: slack.update(posted, long))
    assert isinstance(outcome, Rejected)
    assert outcome.code == "msg_too_long"


@pytest.mark.parametrize(
    ("channel", "code"),
    [("C0NOWHERE", "channel_not_found"), ("C0OLD", "is_archived"), ("C0FAR", "not_in_channel")],
)
def test_channel_that_cannot_be_posted_to_is_a_channel_rejection(slack: Slack, channel: str, code: str) -> None:
    """An absent, archived or foreign channel is a channel rejection with Slack's code."""
    outcome = outcome_of(lambda: slack.post(channel, message()))
    assert isinstance(outcome, Rejected)
    assert (outcome.kind, outcome.code) == ("channel", code)


def test_reply_to_a_message_that_never_was_is_missing(slack: Slack) -> None:
    """A reply under a ts that Slack never gave is rejected as missing."""
    outcome = outcome_of(lambda: slack.post(CHANNEL, message(), thread_ts="1.000001"))
    assert isinstance(outcome, Rejected)
    assert outcome.kind == "missing"


@pytest.mark.parametrize("tick", [False, True])
def test_frozen_time_hangs_nothing(*, tick: bool) -> None:
    """Under a virtual clock, standing or running, posts get increasing ts of that clock and time-outs still come."""
    then = datetime(2025, 1, 1, 12, 0, tzinfo=UTC)
    with time_machine.travel(then, tick=tick), LocalSlack() as local:
        slack = SlackWorkspace(local.url, Tokens(local.token), timeout=0.5)
        stamps = [slack.post(CHANNEL, message(f"a{number}")).ts for number in range(3)]
        assert stamps == sorted(set(stamps))
        assert all(0 <= float(ts) - then.timestamp() < 60 for ts in stamps)
        assert slack.find(CHANNEL, "a0", oldest=then.timestamp()) == Posted(CHANNEL, stamps[0])
        local.fail_next(POST, Delay(5))
        assert isinstance(outcome_of(lambda: slack.post(CHANNEL, message())), Unknown)


def test_proxy_settings_leave_listed_hosts_alone(local: LocalSlack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment is not used for a host in NO_PROXY."""
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    SlackWorkspace(local.url, Tokens(CANARY)).post(CHANNEL, message())


def test_history_is_newest_first_and_threads_oldest_first(local: LocalSlack, slack: Slack) -> None:
    """The local Slack lists as Slack does: channels backwards with broadcasts, threads forwards from the root."""
    client = WebClient(CANARY, local.url)
    root = slack.post(CHANNEL, message("root"))
    quiet = slack.post(CHANNEL, message("quiet"), thread_ts=root.ts)
    loud = slack.post(CHANNEL, message("loud"), thread_ts=root.ts, broadcast=True)
    last = slack.post(CHANNEL, message("last"))
    history = client.conversations_history(channel=CHANNEL, include_all_metadata=True)["messages"]
    thread = client.conversations_replies(channel=CHANNEL, ts=root.ts)["messages"]
    assert [row["ts"] for row in history] == [last.ts, loud.ts, root.ts]
    assert [row["ts"] for row in thread] == [root.ts, quiet.ts, loud.ts]
    assert [row.get("subtype") for row in history] == [None, "thread_broadcast", None]
    assert all("metadata" in row for row in history)
    assert not any("metadata" in row for row in thread)


def test_local_slack_answers_a_doctor(local: LocalSlack, slack: Slack) -> None:
    """The local Slack says who the bot is, with which scopes, where it may post, and deletes what it posted."""
    client = WebClient(CANARY, local.url)
    assert "chat:write" in client.auth_test().headers["X-OAuth-Scopes"]
    assert client.conversations_info(channel="C0FAR")["channel"]["is_member"] is False
    posted = slack.post(CHANNEL, message())
    client.chat_delete(channel=CHANNEL, ts=posted.ts)
    assert not local.messages(CHANNEL)
    with pytest.raises(SlackApiError, match="not_authed"):
        WebClient(None, local.url).auth_test()


def test_local_slack_refuses_a_fault_that_could_never_come(local: LocalSlack) -> None:
    """A fault for a method the local Slack does not have is refused at once, with those it has."""
    with pytest.raises(ValueError, match=r"no method 'chat\.post'; it has .*chat\.postMessage"):
        local.fail_next("chat.post", DropAfter())


@pytest.fixture
def secrets() -> Iterator[Any]:
    """A Secrets Manager client on moto."""
    with mock_aws():
        yield boto3.client("secretsmanager", "eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")


@pytest.mark.parametrize(
    "stored", [CANARY, f" {CANARY}\n", json.dumps({"token": CANARY}), json.dumps({"token": CANARY, "of": "x"})]
)
def test_secret_gives_the_token(secrets: Any, local: LocalSlack, stored: str) -> None:
    """The token is read from a secret that holds it alone or as JSON, and opens Slack while moto is at work."""
    arn = secrets.create_secret(Name="slack", SecretString=stored)["ARN"]
    for name in ("slack", arn):
        SlackWorkspace(local.url, SecretToken(secrets, name)).post(CHANNEL, message())


def test_secret_is_fetched_once_and_anew_when_asked(secrets: Any) -> None:
    """The token at hand stays what it was until a refresh, which sees a rotation."""
    secrets.create_secret(Name="slack", SecretString="xoxb-one")
    token = SecretToken(secrets, "slack")
    assert token() == "xoxb-one"
    secrets.put_secret_value(SecretId="slack", SecretString="xoxb-two")
    assert token() == "xoxb-one"
    assert (token.refresh(), token()) == ("xoxb-two", "xoxb-two")


@pytest.mark.parametrize(
    "stored",
    [" ", "{}", '{"token": ""}', '{"token": 7}',
     f'{{"token": "{CANARY}"', f"{CANARY} x", "[]\u2026", f'{{"token": "{CANARY}\u2026"}}']
)  # fmt: skip
def test_secret_without_a_token_says_what_to_store(secrets: Any, stored: str) -> None:
    """A secret that holds no usable token is a fault which names the secret and never quotes it."""
    secrets.create_secret(Name="slack", SecretString=stored)
    with pytest.raises(SettingsFault, match=r"the secret slack holds no Slack bot token; store ") as caught:
        SecretToken(secrets, "slack")()
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    own = [frame for frame in told.stack if frame.filename.endswith("secrets.py")]
    assert CANARY not in "".join([str(caught.value), *(str(frame.locals) for frame in own)])


def test_secret_that_is_absent_or_doomed_says_so(secrets: Any) -> None:
    """An absent secret, one scheduled for deletion and one without text are faults that say what to mend."""
    with pytest.raises(
        SettingsFault,
        match="the secret slack cannot be read: it does not exist; aws secretsmanager create-secret --name slack",
    ):
        SecretToken(secrets, "slack")()
    secrets.create_secret(Name="slack", SecretBinary=b"bytes")
    with pytest.raises(SettingsFault, match="holds no Slack bot token"):
        SecretToken(secrets, "slack")()
    secrets.delete_secret(SecretId="slack")
    with pytest.raises(SettingsFault, match="scheduled for deletion"):
        SecretToken(secrets, "slack")()


def test_secret_that_may_not_be_read_says_so(secrets: Any) -> None:
    """A role without permission is a fault which names the permission it needs."""
    # Stubbed, as moto answers a denied call of Secrets Manager in a form that AWS does not use.
    stub = Stubber(secrets)
    stub.add_client_error("get_secret_value", "AccessDeniedException")
    with (
        stub,
        pytest.raises(
            SettingsFault,
            match="secretsmanager:GetSecretValue on it to the function's role or, if it does not exist, aws",
        ),
    ):
        SecretToken(secrets, "slack")()


@pytest.mark.usefixtures("secrets")
def test_a_parameter_gives_the_token(tmp_path: Path) -> None:
    """A name that begins with a slash is a parameter: read with the description the functions carry, refused when absent or not encrypted."""
    session = get_session()
    write(tmp_path)
    session.register_component("data_loader", Models(tmp_path))
    session.set_credentials("x", "x")
    whole = boto3.client("ssm", "eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")
    trimmed = session.create_client("ssm", "eu-central-1")
    with pytest.raises(
        SettingsFault, match="the secret /slack cannot be read: it does not exist; tocsin slack token /slack"
    ):
        SecretToken(trimmed, "/slack")()
    whole.put_parameter(Name="/slack", Value=CANARY, Type="String")
    with pytest.raises(
        SettingsFault, match="not encrypted; aws ssm delete-parameter --name /slack, then tocsin slack token /slack"
    ) as caught:
        SecretToken(trimmed, "/slack")()
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert CANARY not in "".join(str(frame.locals) for frame in told.stack if frame.filename.endswith("secrets.py"))
    store(whole, "/another", CANARY)
    assert SecretToken(trimmed, "/another")() == CANARY
    stub = Stubber(trimmed)
    stub.add_client_error("get_parameter", "AccessDeniedException")
    with stub, pytest.raises(SettingsFault, match="allow ssm:GetParameter on it"):
        SecretToken(trimmed, "/another")()


def test_secrets_manager_that_is_not_there_is_a_fault() -> None:
    """An endpoint that nobody answers at is a fault that names the secret."""
    client = boto3.client(
        "secretsmanager", "eu-central-1", endpoint_url="http://127.0.0.1:9",
        aws_access_key_id="x", aws_secret_access_key="x",
        config=Config(retries={"total_max_attempts": 1}),
    )  # fmt: skip
    with pytest.raises(SettingsFault, match="the secret slack cannot be read: EndpointConnectionError"):
        SecretToken(client, "slack")()


def test_secret_token_hides_itself(secrets: Any) -> None:
    """The repr of a token that was fetched names its secret and not the token."""
    secrets.create_secret(Name="slack", SecretString=CANARY)
    token = SecretToken(secrets, "slack")
    token()
    assert repr(token) == "SecretToken('slack')"
