"""A small Slack: the Web API methods Tocsin calls, over real HTTP on this machine, with faults on demand.

It refuses what Slack refuses, keeps what was posted and how it was edited, and never posts anywhere else.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any, Self
from urllib.parse import parse_qsl

BOT, APP, TEAM = "B0TOCSIN", "A0TOCSIN", "T0LOCAL"
USER = "U0TOCSIN"
SITE = "https://local.slack.test"
SCOPES = "chat:write,channels:history,channels:read,groups:history,groups:read,commands"

MAX_TEXT, MAX_UPDATE_TEXT = 40_000, 4_000
"""Characters of `text` that chat.postMessage and chat.update take. Slack truncates a longer post, this one refuses."""
MAX_BLOCKS, MAX_BLOCKS_TEXT = 50, 11_340
"""Blocks of a message, and characters in all of them: the lowest sum Slack was seen to refuse is 11,341."""
MAX_METADATA = 16_000
"""Characters of a message's metadata as JSON."""
MAX_PAGE = 999
TRIGGER_LIVES, ADDRESS_LIVES = 3, 1_800
"""Seconds after a press in which a form may be opened, and somebody answered."""
MAX_PRIVATE = 3_000
"""Characters a form carries for us."""
MAX_ANSWERS = 5
"""Answers one address takes."""
_POLL = 0.005
"""Seconds the end of the `with` statement waits at most for the server to notice."""


@dataclass(frozen=True, slots=True)
class RateLimited:
    """HTTP 429 with `Retry-After`; no effect."""

    retry_after: float = 1.0


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """`ok: false` with this error; with `effect`, the call is carried out nevertheless."""

    code: str
    effect: bool = False


@dataclass(frozen=True, slots=True)
class HttpStatus:
    """An HTTP status, by default without a word of Slack's; with `effect`, the call is carried out nevertheless."""

    status: int = 500
    effect: bool = False
    body: bytes = b"upstream connect error"


@dataclass(frozen=True, slots=True)
class GarbageBody:
    """HTTP 200 with a body that Slack would not send; with `effect`, the call is carried out nevertheless."""

    body: bytes = b"<html>Please sign in to the hotel's wireless network</html>"
    effect: bool = False


@dataclass(frozen=True, slots=True)
class DropBefore:
    """The connection closes without an answer; no effect."""


@dataclass(frozen=True, slots=True)
class DropAfter:
    """The call is carried out, then the connection closes without an answer."""


@dataclass(frozen=True, slots=True)
class ShortBody:
    """The call is carried out, then the connection closes in the middle of the answer."""


@dataclass(frozen=True, slots=True)
class Delay:
    """The call is carried out and answered this many (real) seconds late: a late effect, once the caller has gone."""

    seconds: float


Fault = RateLimited | ErrorCode | HttpStatus | GarbageBody | DropBefore | DropAfter | ShortBody | Delay


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel, as its members and the bot find it."""

    id: str
    name: str
    archived: bool = False
    member: bool = True


@dataclass(frozen=True, slots=True)
class Call:
    """One accepted call that wrote: what, where, and when by the clock of this Slack."""

    method: str
    channel: str
    ts: str
    thread_ts: str | None
    text: str
    blocks: tuple[Mapping[str, Any], ...]
    metadata: Mapping[str, Any]
    at: float
    broadcast: bool = False
    sent: Mapping[str, Any] = field(default_factory=dict)
    """The arguments as they came."""


@dataclass(frozen=True, slots=True)
class Version:
    """A message as it read from `at` on."""

    at: float
    text: str
    blocks: tuple[Mapping[str, Any], ...]
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SlackMessage:
    """A message with all its versions, oldest first; `thread_ts` is that of its root, for a reply."""

    channel: str
    ts: str
    versions: tuple[Version, ...]
    thread_ts: str | None = None
    broadcast: bool = False
    deleted: bool = False

    @property
    def text(self) -> str:
        """The text as it reads now."""
        return self.versions[-1].text

    @property
    def blocks(self) -> tuple[Mapping[str, Any], ...]:
        """The blocks as they read now."""
        return self.versions[-1].blocks

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The metadata as it is now."""
        return self.versions[-1].metadata

    @property
    def in_channel(self) -> bool:
        """Whether it shows in the channel itself, not only in a thread."""
        return self.thread_ts is None or self.broadcast


@dataclass(frozen=True, slots=True)
class _Reply:
    """What goes back over the wire; `short` cuts the body in the middle."""

    body: bytes
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    short: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """An answer that only the person sees who asked."""

    text: str
    blocks: tuple[Mapping[str, Any], ...]
    sent: Mapping[str, Any]
    """The fields as they came."""


class _Refused(Exception):
    """Slack's answer `ok: false`."""

    def __init__(self, code: str, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> None:
        self.code, self.status, self.headers = code, status, headers
        super().__init__(code)


class LocalSlack:
    """A Slack workspace on an ephemeral port of 127.0.0.1, from `with` until its end.

    `clock` gives epoch seconds, from which `ts` is made: unique and increasing even when the clock stands still.
    With `one_a_second`, a second post to a channel within a second of that clock is throttled, as in Slack.
    `largest_page` caps the messages on one page of history. `token` and `scopes` may be changed while it runs.
    """

    def __init__(
        self,
        channels: Iterable[Channel] = (Channel("C0ALERTS", "alerts"),),
        *,
        clock: Callable[[], float] = time.time,
        token: str = "xoxb-local-slack",  # noqa: S107 it opens nothing but this class
        one_a_second: bool = False,
        largest_page: int = MAX_PAGE,
    ) -> None:
        self.channels = {channel.id: channel for channel in channels}
        self.token = token
        self.scopes = SCOPES
        self.forms: list[Mapping[str, Any]] = []
        """Every form that was opened."""
        self.told: list[Told] = []
        """Every answer that one person alone was given."""
        self.journal: list[Call] = []
        """Every accepted call that wrote something."""
        self.requests: Counter[str] = Counter()
        """How often each method was called, with whatever outcome."""
        self._clock, self._one_a_second, self._largest_page = clock, one_a_second, largest_page
        self._messages: dict[tuple[str, str], SlackMessage] = {}
        self._threads: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        self._last_ts = 0
        self._last_post: dict[str, float] = {}
        self._faults: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self._triggers: dict[str, float] = {}
        self._addresses: dict[str, list[float]] = {}
        self._lock, self._closing = threading.RLock(), threading.Event()
        self._server: _Server | None = None

    def __enter__(self) -> Self:
        self._closing.clear()
        self._server = _Server(self)
        threading.Thread(target=self._server.serve_forever, args=(_POLL,), name="local-slack", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def url(self) -> str:
        """Base of the Web API while it runs, ending with `/api/`."""
        if self._server is None:
            raise RuntimeError("this Slack is not running; use it in a `with` statement")
        return f"http://127.0.0.1:{self._server.server_address[1]}/api/"

    @property
    def posts(self) -> list[Call]:
        """The accepted calls of chat.postMessage, in order."""
        return [call for call in self.journal if call.method == "chat.postMessage"]

    @property
    def updates(self) -> list[Call]:
        """The accepted calls of chat.update, in order."""
        return [call for call in self.journal if call.method == "chat.update"]

    def messages(self, channel: str) -> list[SlackMessage]:
        """The messages and replies that stand in a channel, oldest first, with their earlier versions."""
        with self._lock:
            return [message for message in self._all(channel) if not message.deleted]

    def fail_next(self, method: str, fault: Fault, times: int = 1) -> None:
        """Gives the next `times` calls of `method` this fault, after those already asked for."""
        if method not in _METHODS:
            raise ValueError(f"this Slack has no method {method!r}; it has {', '.join(_METHODS)}")
        with self._lock:
            self._faults[method].extend([fault] * times)

    def heal(self) -> None:
        """Forgets the faults that were asked for and have not come yet."""
        with self._lock:
            self._faults.clear()

    def remove(self, channel: str, ts: str) -> None:
        """A person deletes a message. A root with replies leaves a tombstone, as in Slack."""
        with self._lock:
            self._messages[channel, ts] = replace(self._messages[channel, ts], deleted=True)

    def trigger(self) -> str:
        """Lets one form be opened, for three seconds."""
        with self._lock:
            name = f"{len(self._triggers) + 1}.tocsin"
            self._triggers[name] = self._clock() + TRIGGER_LIVES
            return name

    def address(self) -> str:
        """Where one person can be answered, five times within half an hour."""
        with self._lock:
            path = f"/actions/{TEAM}/{len(self._addresses) + 1}"
            self._addresses[path] = [self._clock()]
            return self.url.removesuffix("/api/") + path

    def tell(self, path: str, fields: Mapping[str, Any]) -> _Reply:
        """The answer to a post to such an address."""
        with self._lock:
            self.requests["response"] += 1
            times = self._addresses.get(path)
            if times is None or self._clock() - times[0] > ADDRESS_LIVES or len(times) > MAX_ANSWERS:
                return _Reply(b"used_url", 404)
            try:
                told = Told(str(fields.get("text") or ""), check_blocks(fields.get("blocks")), fields)
            except _Refused as refusal:
                return _Reply(refusal.code.encode(), 400)
            times.append(self._clock())
            self.told.append(told)
        return _Reply(b"ok")

    def serve(self, method: str, arguments: Mapping[str, Any], token: str) -> _Reply | None:
        """The answer to one request, bent by the fault that is due; None closes the connection."""
        with self._lock:
            self.requests[method] += 1
            fault = self._faults[method].popleft() if self._faults[method] else None
        if isinstance(fault, Delay):
            self._closing.wait(fault.seconds)
        if isinstance(fault, None | Delay | DropAfter | ShortBody) or getattr(fault, "effect", False):
            return _bent(fault, self._answer(method, arguments, token))
        return _bent(fault, _Reply(b""))

    def _answer(self, method: str, arguments: Mapping[str, Any], token: str) -> _Reply:
        with self._lock:
            try:
                self._authenticate(token)
                answer = _METHODS.get(method, LocalSlack._unknown)(self, arguments)
            except _Refused as refusal:
                return _Reply(_refusal(refusal.code), refusal.status, refusal.headers)
        return _Reply(json.dumps({"ok": True, **answer}).encode(), headers=(("X-OAuth-Scopes", self.scopes),))

    def _authenticate(self, token: str) -> None:
        if not token:
            raise _Refused("not_authed")
        if token != self.token:
            raise _Refused("invalid_auth")

    def _unknown(self, _: Mapping[str, Any]) -> dict[str, Any]:
        raise _Refused("unknown_method")

    def _auth_test(self, _: Mapping[str, Any]) -> dict[str, Any]:
        names = {"url": f"{SITE}/", "team": "Local", "user": "tocsin"}
        return {**names, "team_id": TEAM, "user_id": USER, "bot_id": BOT}

    def _conversation(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        channel = self._channel(arguments)
        flags = {"is_channel": True, "is_archived": channel.archived, "is_member": channel.member}
        return {"channel": {"id": channel.id, "name": channel.name, **flags}}

    def _post(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        channel = self._writable(arguments)
        version = self._version(arguments, MAX_TEXT)
        root = self._root(channel, arguments.get("thread_ts"))
        self._throttle(channel)
        broadcast = root is not None and _flag(arguments.get("reply_broadcast"))
        message = SlackMessage(channel.id, self._next_ts(), (version,), root, broadcast)
        self._store("chat.postMessage", message, arguments)
        return {"channel": channel.id, "ts": message.ts, "message": self._row(message, with_metadata=True)}

    def _update(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        channel = self._channel(arguments)
        message = self._messages.get((channel.id, str(arguments.get("ts"))))
        if channel.archived:
            raise _Refused("is_inactive")
        if message is None or (message.deleted and not self._replies(message)):
            raise _Refused("message_not_found")
        if message.deleted:
            raise _Refused("cant_update_message")
        version = self._version({"metadata": message.metadata, **arguments}, MAX_UPDATE_TEXT)
        message = replace(message, versions=(*message.versions, version))
        self._store("chat.update", message, arguments)
        row = self._row(message, with_metadata=True)
        return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": row}

    def _delete(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        channel = self._channel(arguments)
        message = self._messages.get((channel.id, str(arguments.get("ts"))))
        if message is None or message.deleted:
            raise _Refused("message_not_found")
        self._store("chat.delete", replace(message, deleted=True), arguments)
        return {"channel": channel.id, "ts": message.ts}

    def _permalink(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        channel = self._channel(arguments)
        message = self._messages.get((channel.id, str(arguments.get("message_ts"))))
        if message is None or message.deleted:
            raise _Refused("message_not_found")
        link = f"{SITE}/archives/{channel.id}/p{message.ts.replace('.', '')}"
        thread = f"?thread_ts={message.thread_ts}&cid={channel.id}" if message.thread_ts else ""
        return {"channel": channel.id, "permalink": link + thread}

    def _open(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        expires = self._triggers.pop(str(arguments.get("trigger_id")), None)
        if expires is None:
            raise _Refused("invalid_trigger_id")
        if self._clock() > expires:
            raise _Refused("expired_trigger_id")
        view = _decoded(arguments.get("view"))
        if (
            not isinstance(view, dict)
            or view.get("type") != "modal"
            or not _text(view.get("title"), 24, ("plain_text",))
        ):
            raise _Refused("invalid_arguments")
        _require(
            len(check_blocks(view.get("blocks"))) > 0 and len(str(view.get("private_metadata", ""))) <= MAX_PRIVATE
        )
        self.forms.append(view)
        return {"view": {**view, "id": f"V{len(self.forms)}"}}

    def _history(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        channel = self._readable(arguments)
        shown = [message for message in self._all(channel.id) if message.in_channel and self._visible(message)]
        return self._page(_within(reversed(shown), arguments), arguments)

    def _thread(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        channel = self._readable(arguments)
        message = self._messages.get((channel.id, str(arguments.get("ts"))))
        root = message and self._messages.get((channel.id, message.thread_ts or message.ts))
        if root is None or not self._visible(root):
            raise _Refused("thread_not_found")
        return self._page([root, *_within(self._replies(root), arguments)], arguments)

    def _channel(self, arguments: Mapping[str, Any]) -> Channel:
        channel = self.channels.get(str(arguments.get("channel")))
        if channel is None:
            raise _Refused("channel_not_found")
        return channel

    def _writable(self, arguments: Mapping[str, Any]) -> Channel:
        """The channel to post to, which may be given by its name."""
        ids = {f"#{channel.name}": channel.id for channel in self.channels.values()}
        wanted = str(arguments.get("channel"))
        channel = self._channel({"channel": ids.get(wanted, wanted)})
        if channel.archived:
            raise _Refused("is_archived")
        if not channel.member:
            raise _Refused("not_in_channel")
        return channel

    def _readable(self, arguments: Mapping[str, Any]) -> Channel:
        channel = self._channel(arguments)
        if not channel.member:
            raise _Refused("not_in_channel")
        return channel

    def _version(self, arguments: Mapping[str, Any], longest: int) -> Version:
        text, blocks = str(arguments.get("text") or ""), check_blocks(_decoded(arguments.get("blocks")))
        if not text.strip() and not blocks:
            raise _Refused("no_text")
        if len(text) > longest:
            raise _Refused("msg_too_long")
        return Version(self._clock(), text, blocks, check_metadata(_decoded(arguments.get("metadata"))))

    def _root(self, channel: Channel, thread_ts: object) -> str | None:
        """The root a reply goes under; None for a message of the channel itself.

        A reply to a root that was deleted with nothing under it silently becomes a message of the channel, as in Slack.
        """
        if not thread_ts:
            return None
        root = self._messages.get((channel.id, str(thread_ts)))
        if root is None or root.thread_ts is not None:
            raise _Refused("thread_not_found")
        return root.ts if self._visible(root) else None

    def _throttle(self, channel: Channel) -> None:
        now, last = self._clock(), self._last_post.get(channel.id, float("-inf"))
        if self._one_a_second and 0 <= now - last < 1:
            raise _Refused("ratelimited", status=429, headers=(("Retry-After", "1"),))
        self._last_post[channel.id] = now

    def _next_ts(self) -> str:
        self._last_ts = max(round(self._clock() * 1_000_000), self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def _store(self, method: str, message: SlackMessage, sent: Mapping[str, Any]) -> None:
        self._messages[message.channel, message.ts] = message
        if method == "chat.postMessage" and message.thread_ts:
            self._threads[message.channel, message.thread_ts].append(message.ts)
        where, what = (message.channel, message.ts, message.thread_ts), (message.text, message.blocks, message.metadata)
        self.journal.append(Call(method, *where, *what, self._clock(), message.broadcast, sent))

    def _all(self, channel: str) -> list[SlackMessage]:
        """Every message ever posted to a channel, in order, as each `ts` is later than the one before."""
        return [message for message in self._messages.values() if message.channel == channel]

    def _replies(self, root: SlackMessage) -> list[SlackMessage]:
        replies = (self._messages[root.channel, ts] for ts in self._threads.get((root.channel, root.ts), ()))
        return [reply for reply in replies if not reply.deleted]

    def _visible(self, message: SlackMessage) -> bool:
        return not message.deleted or bool(self._replies(message))

    def _page(self, messages: Sequence[SlackMessage], arguments: Mapping[str, Any]) -> dict[str, Any]:
        limit = min(int(arguments.get("limit") or 100), self._largest_page, MAX_PAGE)
        start = _start(messages, str(arguments.get("cursor") or ""))
        page, rest = messages[start : start + limit], messages[start + limit :]
        with_metadata = _flag(arguments.get("include_all_metadata"))
        rows = [self._row(message, with_metadata=with_metadata) for message in page]
        cursor = f"next_ts:{rest[0].ts}" if rest else ""
        return {"messages": rows, "has_more": bool(rest), "response_metadata": {"next_cursor": cursor}}

    def _row(self, message: SlackMessage, *, with_metadata: bool) -> dict[str, Any]:
        """A message as Slack's history shows it."""
        row: dict[str, Any] = {"type": "message", "user": USER, "bot_id": BOT, "app_id": APP, "ts": message.ts}
        replies = [] if message.thread_ts else self._replies(message)
        if message.thread_ts or replies:
            row["thread_ts"] = message.thread_ts or message.ts
        if replies:
            row["reply_count"] = len(replies)
        if message.deleted:
            return {**row, "subtype": "tombstone", "text": "This message was deleted.", "hidden": True}
        if message.broadcast:
            row["subtype"] = "thread_broadcast"
        if len(message.versions) > 1:
            row["edited"] = {"user": USER, "ts": f"{message.versions[-1].at:.6f}"}
        if with_metadata and message.metadata:
            row["metadata"] = dict(message.metadata)
        return {**row, "text": message.text, "blocks": list(message.blocks)}


_METHODS: Mapping[str, Callable[[LocalSlack, Mapping[str, Any]], dict[str, Any]]] = {
    "auth.test": LocalSlack._auth_test,  # noqa: SLF001 the table of the class itself
    "chat.delete": LocalSlack._delete,  # noqa: SLF001
    "chat.getPermalink": LocalSlack._permalink,  # noqa: SLF001
    "chat.postMessage": LocalSlack._post,  # noqa: SLF001
    "chat.update": LocalSlack._update,  # noqa: SLF001
    "conversations.history": LocalSlack._history,  # noqa: SLF001
    "conversations.info": LocalSlack._conversation,  # noqa: SLF001
    "conversations.replies": LocalSlack._thread,  # noqa: SLF001
    "views.open": LocalSlack._open,  # noqa: SLF001
}


def check_blocks(blocks: object) -> tuple[Mapping[str, Any], ...]:
    """The blocks, when Slack would show them; raises Slack's refusal otherwise."""
    if not blocks:
        return ()
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise _Refused("invalid_blocks_format")
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    _require(len(blocks) <= MAX_BLOCKS and len(set(ids)) == len(ids) and all(_short(name, 255) for name in ids))
    for block in blocks:
        check = _BLOCKS.get(str(block.get("type")))
        _require(check is not None and check(block))
    if _characters(blocks) > MAX_BLOCKS_TEXT:
        raise _Refused("msg_blocks_too_long")
    return tuple(blocks)


def check_metadata(metadata: object) -> Mapping[str, Any]:
    """The metadata, when Slack would keep it; raises Slack's refusal otherwise."""
    if not metadata:
        return {}
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_type"), str):
        raise _Refused("invalid_metadata_format")
    payload = metadata.get("event_payload")
    if not isinstance(payload, dict) or set(metadata) != {"event_type", "event_payload"}:
        raise _Refused("invalid_metadata_format")
    if any(value is None for value in payload.values()):
        raise _Refused("invalid_metadata_schema")
    if len(json.dumps(metadata)) > MAX_METADATA:
        raise _Refused("metadata_too_large")
    return metadata


def _require(fits: bool) -> None:  # noqa: FBT001 it is the whole question
    if not fits:
        raise _Refused("invalid_blocks")


def _short(text: object, longest: int) -> bool:
    return isinstance(text, str) and 0 < len(text) <= longest


def _text(value: object, longest: int, kinds: tuple[str, ...] = ("mrkdwn", "plain_text")) -> bool:
    """Whether this is a text object of one of these kinds and not too long."""
    return isinstance(value, dict) and value.get("type") in kinds and _short(value.get("text"), longest)


def _header(block: Mapping[str, Any]) -> bool:
    return _text(block.get("text"), 150, ("plain_text",))


def _section(block: Mapping[str, Any]) -> bool:
    text, fields = block.get("text"), block.get("fields")
    if text is None and not fields:
        return False
    return (text is None or _text(text, 3000)) and (fields is None or _list(fields, 10, lambda one: _text(one, 2000)))


def _context(block: Mapping[str, Any]) -> bool:
    return _list(block.get("elements"), 10, lambda one: _text(one, 3000) or _image(one))


def _actions(block: Mapping[str, Any]) -> bool:
    return _list(block.get("elements"), 25, _control)


def _control(element: Mapping[str, Any]) -> bool:
    """A button within its limits; other controls are taken as they are."""
    if element.get("type") != "button":
        return isinstance(element.get("type"), str)
    limits = {"action_id": 255, "value": 2000, "url": 3000}
    fits = all(_short(element[name], longest) for name, longest in limits.items() if name in element)
    return fits and _text(element.get("text"), 75, ("plain_text",))


def _input(block: Mapping[str, Any]) -> bool:
    """A field of a form: its label, and the choices of a list within their limits."""
    element = block.get("element")
    if not _text(block.get("label"), 2_000, ("plain_text",)) or not isinstance(element, dict):
        return False
    options = element.get("options")
    return options is None or _list(
        options, 100, lambda one: _text(one.get("text"), 75, ("plain_text",)) and _short(one.get("value"), 150)
    )


def _image(block: Mapping[str, Any]) -> bool:
    return block.get("type") == "image" and _short(block.get("image_url"), 3000) and _short(block.get("alt_text"), 2000)


def _anything(_: Mapping[str, Any]) -> bool:
    return True


def _list(items: object, most: int, fits: Callable[[Mapping[str, Any]], bool]) -> bool:
    if not isinstance(items, list) or not 0 < len(items) <= most:
        return False
    return all(isinstance(item, dict) and fits(item) for item in items)


_BLOCKS: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "header": _header,
    "section": _section,
    "context": _context,
    "actions": _actions,
    "image": _image,
    "input": _input,
    "divider": _anything,
    "rich_text": _anything,
}


def _characters(value: object) -> int:
    """Characters of every text inside."""
    if isinstance(value, list):
        return sum(_characters(item) for item in value)
    if not isinstance(value, dict):
        return 0
    own = value.get("text")
    return len(own) if isinstance(own, str) else sum(_characters(item) for item in value.values())


def _within(messages: Iterable[SlackMessage], arguments: Mapping[str, Any]) -> list[SlackMessage]:
    """The messages between `oldest` and `latest`, which belong to them only when `inclusive`."""
    oldest, latest = _moment(arguments, "oldest", "-inf"), _moment(arguments, "latest", "inf")
    inside = [message for message in messages if oldest <= float(message.ts) <= latest]
    if _flag(arguments.get("inclusive")):
        return inside
    return [message for message in inside if float(message.ts) not in (oldest, latest)]


def _moment(arguments: Mapping[str, Any], name: str, otherwise: str) -> float:
    try:
        return float(arguments.get(name) or otherwise)
    except ValueError:
        raise _Refused(f"invalid_ts_{name}") from None


def _start(messages: Sequence[SlackMessage], cursor: str) -> int:
    """Where the page begins that a cursor stands for."""
    if not cursor:
        return 0
    for index, message in enumerate(messages):
        if cursor == f"next_ts:{message.ts}":
            return index
    raise _Refused("invalid_cursor")


def _flag(value: object) -> bool:
    return value is True or str(value).lower() in ("1", "true")


def _decoded(value: object) -> object:
    """An argument that a form carries as JSON text and a JSON body as it is."""
    if not isinstance(value, str) or not value:
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _refusal(code: str) -> bytes:
    return json.dumps({"ok": False, "error": code}).encode()


def _bent(fault: Fault | None, reply: _Reply) -> _Reply | None:  # noqa: PLR0911 one return per fault
    """What becomes of an answer under a fault; None: nothing is sent."""
    match fault:
        case RateLimited(seconds):
            return _Reply(_refusal("ratelimited"), 429, (("Retry-After", f"{seconds:g}"),))
        case ErrorCode(code):
            return _Reply(_refusal(code))
        case HttpStatus(status=status, body=body):
            return _Reply(body, status)
        case GarbageBody(body):
            return _Reply(body)
        case ShortBody():
            return replace(reply, short=True)
        case DropBefore() | DropAfter():
            return None
        case _:
            return reply


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, slack: LocalSlack) -> None:
        self.slack = slack
        super().__init__(("127.0.0.1", 0), _Handler)

    def server_bind(self) -> None:
        # HTTPServer would look its own name up in DNS, which can take seconds on a laptop.
        TCPServer.server_bind(self)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        """Answers one call of a method named by the path."""
        method = self.path.partition("?")[0].rpartition("/")[2]
        arguments = self._arguments()
        if self.path.startswith("/actions/"):
            self._send(self.server.slack.tell(self.path, arguments))
            return
        scheme, _, bearer = self.headers.get("Authorization", "").partition(" ")
        token = bearer if scheme == "Bearer" else str(arguments.get("token") or "")
        reply = self.server.slack.serve(method, arguments, token)
        if reply is not None:
            self._send(reply)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the name is the standard library's
        """Prints nothing."""

    def _arguments(self) -> dict[str, Any]:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode(errors="replace")
        if not self.headers.get_content_type().endswith("json"):
            return dict(parse_qsl(body, keep_blank_values=True))
        fields = _decoded(body)
        return fields if isinstance(fields, dict) else {}

    def _send(self, reply: _Reply) -> None:
        try:
            self.send_response(reply.status)
            for name, value in (*reply.headers, ("Content-Type", "application/json; charset=utf-8")):
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body[: len(reply.body) // 2] if reply.short else reply.body)
        except ConnectionError:
            self.close_connection = True
