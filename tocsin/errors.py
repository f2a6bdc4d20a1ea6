"""Every error Tocsin raises on purpose, one class per thing a caller can do about it.

TocsinError
├── InputFault          skip this record and tell who sent it (its fate is `rejected`)
├── SettingsFault       stop: the deployment or the command line is wrong
├── RuleFaults          tell the analyst: the collected faults of a rule set
├── FetchFault          the web did not give it: `kind` says what stood in the way, and whether to try again
├── FeedFault           the bytes are no feed that can be used: `kind` names the cause
├── Conflict            read again and decide again: somebody else wrote first
└── SlackError          what came of one call to Slack
    ├── Throttled       retry later, surely not posted
    ├── Rejected        surely not posted; `kind` says what would mend it
    └── Unknown         nobody can say whether it was posted: look before you post again
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


class TocsinError(Exception):
    """Anything Tocsin raises on purpose."""


class InputFault(TocsinError):
    """An article, file or manifest entry that cannot be used: what, where, and how to mend it."""

    def __init__(self, what: str, where: str = "", mend: str = "") -> None:
        self.what, self.where, self.mend = what, where, mend
        super().__init__(": ".join(part for part in (where, what) if part) + (f" ({mend})" if mend else ""))


class SettingsFault(TocsinError):
    """A setting, parameter or option that keeps the program from starting."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One mistake in one file of a rule set; line and column count from 1. `code` names the check that found it."""

    file: str
    line: int
    column: int
    what: str
    code: str = ""
    """One of `tocsin.checks`, which say why and how to mend it."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.what}" + (f" [{self.code}]" if self.code else "")


class RuleFaults(TocsinError):
    """All the mistakes found in a rule set, collected."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = sorted(set(faults))
        super().__init__("\n".join(str(fault) for fault in self.faults))


class FetchFault(TocsinError):
    """Nothing usable came from an address. `retry_after` is what the server asked for, in seconds."""

    def __init__(self, kind: str, what: str, *, status: int = 0, retry_after: float | None = None) -> None:
        self.kind, self.what, self.status, self.retry_after = kind, what, status, retry_after
        super().__init__(f"{what} ({kind})")


FEED_FAULTS = {
    "empty": "there is nothing in it",
    "too-large": "it has more bytes than are read, perhaps only once it is decompressed",
    "compressed": "it is compressed, but not as gzip says, or twice",
    "html": "it is a web page; the reason names the feeds the page links to",
    "not-a-feed": "it is something else: text, a picture, other XML or other JSON",
    "malformed": "it was meant to be a feed, but is broken beyond what can be mended",
    "entities": "it uses entities that are made of other entities, or of files: what bombs and thieves do",
    "too-complex": "it nests too deeply, or has too many elements, attributes, namespaces or categories",
    "too-slow": "reading it took too long",
    "too-much-memory": "reading it took too much memory",
}
"""The kinds of `FeedFault`, and what they mean."""


class FeedFault(TocsinError):
    """Bytes that cannot be read as a feed, or must not be: what, and by `kind` which of `FEED_FAULTS` is the cause."""

    def __init__(self, kind: str, what: str) -> None:
        self.kind, self.what = kind, what
        super().__init__(f"{what} ({kind})")


class Conflict(TocsinError):
    """A conditional write lost against another writer; nothing of it was written."""


class SlackError(TocsinError):
    """What came of one call to Slack, when it was not success."""


class Throttled(SlackError):
    """Slack asked us to wait; the call surely had no effect. `retry_after` is in seconds."""

    def __init__(self, retry_after: float) -> None:
        self.retry_after = retry_after
        super().__init__(f"Slack asks for a pause of {retry_after:g} s")


REFUSALS = {
    "not_authed": "give it a token: store the Bot User OAuth Token (it begins with xoxb) in the secret",
    "invalid_auth": "store the Bot User OAuth Token (it begins with xoxb) of the app as it is installed now",
    "token_revoked": "install the app again and store its new token",
    "token_expired": "switch token rotation off, install the app again and store its new token",
    "account_inactive": "install the app again and store its new token",
    "missing_scope": "add the missing scopes to the app (infra/slack-manifest.yaml) and install it again",
    "channel_not_found": "give the channel's id (it begins with C; channel details, at the bottom); a private channel must have the app as a member",
    "not_in_channel": "invite the app: /invite @tocsin in the channel",
    "is_archived": "choose another channel, or bring this one back",
    "restricted_action": "let the app post: an administrator has restricted who may",
}
"""What to do about what Slack says, where a person can do something."""


class Rejected(SlackError):
    """Slack refused the call, which surely had no effect; `code` is Slack's own error code, `mend` what to do about it."""

    def __init__(self, kind: Literal["content", "channel", "auth", "missing"], code: str, mend: str = "") -> None:
        self.kind, self.code = kind, code
        self.mend = mend or REFUSALS.get(code, f"look {code} up at docs.slack.dev")
        super().__init__(f"Slack refused: {code} ({kind})")


class Unknown(SlackError):
    """The call may or may not have had an effect (timeout, reset, 5xx, an unlisted code)."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"no telling whether Slack took it: {reason}")
