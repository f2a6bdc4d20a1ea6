"""Slack as a receiver of messages: how each call is made, and what each of Slack's answers means for a message."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol
from urllib.error import URLError
from uuid import UUID, uuid5

from tocsin.adapters.slack_http import Answer, Body, Caller, as_form, as_json
from tocsin.errors import Rejected, SettingsFault, SlackError, Throttled, Unknown
from tocsin.ports import Message, Posted

Outcome = Literal["throttled", "content", "channel", "auth", "missing", "unknown"]

EVENT_TYPE = "tocsin_alert"
"""The metadata type that marks a message as Tocsin's."""

CODES: Mapping[Outcome, str] = {
    # Surely not posted; the same call may succeed later.
    "throttled": """
        ratelimited rate_limited message_limit_exceeded external_channel_migrating streaming_state_conflict
    """,
    # Surely not posted; another rendering of the message may succeed.
    "content": """
        no_text msg_too_long msg_blocks_too_long invalid_blocks invalid_blocks_format block_mismatch
        markdown_text_conflict invalid_attachments too_many_attachments attachment_payload_limit_exceeded
        too_many_contact_cards invalid_metadata_format invalid_metadata_schema metadata_too_large
        invalid_metadata_filter_keys cant_broadcast_message no_dual_broadcast_content_update
        invalid_arguments invalid_arg_name invalid_array_arg invalid_charset invalid_form_data invalid_json
        json_not_object invalid_post_type missing_post_type as_user_not_supported
        invalid_cursor invalid_ts_latest invalid_ts_oldest pagination_not_available
        slack_connect_canvas_sharing_blocked slack_connect_file_link_sharing_blocked
        slack_connect_lists_sharing_blocked slack_connect_blocked_file_type slack_connect_clip_sharing_blocked
        slack_connect_file_upload_sharing_blocked blocked_file_type file_deleted file_is_deleted file_not_found
        file_share_limit_reached max_file_sharing_exceeded missing_file_data unable_to_share_files
    """,
    # Surely not posted; another channel may take it.
    "channel": """
        channel_not_found not_in_channel is_archived is_inactive messages_tab_disabled team_not_found
        restricted_action restricted_action_read_only_channel restricted_action_thread_only_channel
        restricted_action_non_threadable_channel restricted_action_thread_locked cannot_reply_to_message
        posting_to_channel_denied ekm_access_denied method_not_supported_for_channel_type
    """,
    # Surely not posted; nothing succeeds before a person mends the token, the app or the workspace.
    "auth": """
        not_authed invalid_auth token_revoked token_expired account_inactive missing_scope no_permission
        access_denied accesslimited not_allowed_token_type metadata_must_be_sent_from_app
        org_login_required team_added_to_org team_access_not_granted enterprise_is_restricted
        two_factor_setup_required method_deprecated deprecated_endpoint
    """,
    # The message to be edited, linked or replied to is gone, or closed to edits for good.
    "missing": """
        message_not_found thread_not_found cant_update_message edit_window_closed cant_delete_message
        compliance_exports_prevent_deletion
    """,
    # Slack's own words: some aspect may have succeeded. The drafts are here because Tocsin never sends one.
    "unknown": """
        internal_error fatal_error service_unavailable request_timeout update_failed
        duplicate_channel_not_found duplicate_message_not_found list_record_comment_fetch_failed
        draft_already_deleted draft_already_sent draft_has_conflict draft_not_found
    """,
}
"""Every error documented for the six methods used here, by what it means. An unlisted one is `unknown`.

Source: the reference pages of chat.postMessage, chat.update, chat.delete, chat.getPermalink, conversations.history
and conversations.replies.
"""

OUTCOMES: Mapping[str, Outcome] = {code: outcome for outcome, codes in CODES.items() for code in codes.split()}

_STALE_TOKEN = frozenset({"invalid_auth", "token_revoked", "token_expired"})
_CODE = re.compile(r"[a-z_]{1,80}")
_CLIENT_MSG_IDS = UUID("b0f5f0a2-6f0e-5d4c-9a53-2f6d6c1d7a01")
_PAUSE = 30.0
"""Seconds to wait where Slack refuses for now without saying how long."""
_PAGE = 200


class Token(Protocol):
    """Where the bot token comes from. Both methods may raise `SettingsFault`."""

    def __call__(self) -> str:
        """The token at hand."""

    def refresh(self) -> str:
        """The token fetched anew."""


class SlackWorkspace:
    """One Slack workspace, reached through the Web API at `url`; fulfils `tocsin.ports.Slack`.

    Every method makes one call per page and never repeats one, except after an error that says the
    token is stale: then the token is fetched once more and, if it changed, the call made once more,
    which is safe because Slack surely refused the first. `timeout` is seconds per socket operation.
    """

    def __init__(self, url: str, token: Token, *, timeout: float = 10.0) -> None:
        self._url, self._token = url, token
        self._caller = Caller(url, timeout)

    def __repr__(self) -> str:
        """Shows the address only."""
        return f"SlackWorkspace({self._url!r})"

    def post(self, channel: str, message: Message, *, thread_ts: str | None = None, broadcast: bool = False) -> Posted:
        """Posts once; returns the channel id and ts Slack answered. `broadcast` is for replies."""
        fields = {"channel": channel, "unfurl_links": False, "unfurl_media": False, "mrkdwn": True, **_content(message)}
        if thread_ts is not None:
            fields |= {"thread_ts": thread_ts, "reply_broadcast": broadcast}
        if alert := message.metadata.get("alert"):
            # Slack promises nothing for it, so it may save a duplicate but proves nothing.
            fields["client_msg_id"] = str(uuid5(_CLIENT_MSG_IDS, str(alert)))
        answer = self._write("chat.postMessage", fields)
        if not isinstance(answer.get("channel"), str) or not isinstance(answer.get("ts"), str):
            raise Unknown("chat.postMessage answered without channel and ts")
        return Posted(answer["channel"], answer["ts"])

    def update(self, posted: Posted, message: Message) -> None:
        """Replaces text, blocks and metadata of a message. `Rejected("missing")` when it is gone."""
        self._write("chat.update", {"channel": posted.channel, "ts": posted.ts, **_content(message)})

    def find(self, channel: str, alert: str, *, oldest: float, thread_ts: str | None = None) -> Posted | None:
        """The message whose metadata names `alert`, posted at or after `oldest` (epoch seconds), or None.

        `channel` is a channel id. None means that every page was read to the end; a look-up which breaks off raises.
        """
        return next(self._found(channel, alert, oldest, thread_ts), None)

    def copies(self, channel: str, alert: str, *, oldest: float, thread_ts: str | None = None) -> Sequence[Posted]:
        """All the messages `find` might have found."""
        return list(self._found(channel, alert, oldest, thread_ts))

    def delete(self, posted: Posted) -> None:
        """Removes a message. `Rejected("missing")` when it is gone already or can never be removed."""
        self._write("chat.delete", {"channel": posted.channel, "ts": posted.ts})

    def permalink(self, posted: Posted) -> str | None:
        """A link to the message, or None when it is gone or Slack gives none."""
        try:
            answer = self._read("chat.getPermalink", {"channel": posted.channel, "message_ts": posted.ts})
        except Rejected as refusal:
            if refusal.kind == "missing":
                return None
            raise
        return answer.get("permalink") or None

    def _found(self, channel: str, alert: str, oldest: float, thread_ts: str | None) -> Iterator[Posted]:
        where = {"channel": channel, "oldest": f"{oldest:.6f}"}
        if thread_ts is not None:
            try:
                yield from self._search("conversations.replies", {**where, "ts": thread_ts}, alert)
            except Rejected as refusal:
                if refusal.kind != "missing":
                    raise
            else:
                return
            # A reply whose root was deleted meanwhile is put into the channel itself, silently (slack-go issue 1571).
        yield from self._search("conversations.history", where, alert)

    def _search(self, method: str, where: Mapping[str, str], alert: str) -> Iterator[Posted]:
        """Reads page after page, and gives each message that names the alert."""
        cursor = ""
        page = {**where, "inclusive": True, "include_all_metadata": True, "limit": _PAGE}
        while True:
            answer = self._read(method, {**page, **({"cursor": cursor} if cursor else {})})
            rows, behind, cursor = answer.get("messages"), cursor, _next_cursor(answer)
            if not isinstance(rows, list) or (answer.get("has_more") and cursor in ("", behind)):
                raise Unknown(f"{method} broke off before the last page")
            for row in rows:
                if _names(row, alert):
                    yield Posted(where["channel"], row["ts"])
            if not cursor:
                return

    def _read(self, method: str, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Methods that only read take no JSON."""
        return self._call(method, as_form(fields)).data

    def _write(self, method: str, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            body = as_json(fields)
        except (TypeError, ValueError):
            raise Rejected("content", "invalid_json") from None
        return self._call(method, body).data

    def _call(self, method: str, body: Body) -> Answer:
        """One call, and after a stale token a second; the answer says `ok`."""
        try:
            self._caller.token = self._token()
        except SettingsFault as fault:
            raise Rejected("auth", "not_authed", str(fault)) from fault
        try:
            return self._send(method, body)
        except Rejected as refusal:
            if refusal.code not in _STALE_TOKEN or not self._renewed():
                raise
        return self._send(method, body)

    def _renewed(self) -> bool:
        """Whether the source now gives another token than the one in use."""
        refused = self._caller.token
        try:
            self._caller.token = self._token.refresh()
        except SettingsFault:
            return False
        return self._caller.token != refused

    def _send(self, method: str, body: Body) -> Answer:
        answer = self._answer(method, body)
        if isinstance(answer, SlackError):
            raise answer  # here, so that nothing that quotes request or answer is in its traceback
        return answer

    def _answer(self, method: str, body: Body) -> Answer | SlackError:
        try:
            answer = self._caller.post(method, body)
        except Exception as error:  # noqa: BLE001 after the first byte left, any failure leaves the outcome open
            return Unknown(_cause(error))
        return answer if answer.status == 200 and answer.data.get("ok") else _outcome(answer)  # noqa: PLR2004 an HTTP status


def _content(message: Message) -> dict[str, Any]:
    """What a message shows and whose it is, alike for posting and editing."""
    metadata = {"event_type": EVENT_TYPE, "event_payload": dict(message.metadata)}
    # chat.update would parse with "client" by default, so that an edit could turn plain words into links.
    content = {"text": message.text, "metadata": metadata, "link_names": False, "parse": "none"}
    # An edit with text and no blocks removes the blocks there were.
    return {**content, "blocks": [dict(block) for block in message.blocks]} if message.blocks else content


def _next_cursor(answer: Mapping[str, Any]) -> str:
    metadata = answer.get("response_metadata")
    return str(metadata.get("next_cursor") or "") if isinstance(metadata, dict) else ""


def _names(row: Any, alert: str) -> bool:
    """Whether a message of the history is Tocsin's and belongs to this alert."""
    metadata = row.get("metadata") if isinstance(row, dict) and isinstance(row.get("ts"), str) else None
    if not isinstance(metadata, dict) or metadata.get("event_type") != EVENT_TYPE:
        return False
    payload = metadata.get("event_payload")
    return isinstance(payload, dict) and payload.get("alert") == alert


def _outcome(answer: Answer) -> SlackError:
    """What an answer other than `ok` means for the message."""
    status, code = answer.status, answer.data.get("error")
    if status == 429:  # noqa: PLR2004 an HTTP status
        return Throttled(_pause(answer.headers))
    if status >= 500 or not isinstance(code, str) or not _CODE.fullmatch(code):  # noqa: PLR2004 an HTTP status
        return Unknown(f"HTTP {status} without a word of Slack's")
    outcome = OUTCOMES.get(code, "unknown")
    if outcome == "throttled":
        return Throttled(_pause(answer.headers))
    if outcome == "unknown":
        return Unknown(code)
    return Rejected(outcome, code)


def _pause(headers: Mapping[str, str]) -> float:
    """Seconds Slack asks to wait."""
    asked = headers.get("retry-after", "")
    return float(asked) if re.fullmatch(r"\d{1,6}(\.\d{1,3})?", asked) else _PAUSE


def _cause(error: Exception) -> str:
    """The kind of a failure without its text, which may quote the request."""
    reason = error.reason if isinstance(error, URLError) else error
    return type(reason).__name__ if isinstance(reason, Exception) else type(error).__name__
