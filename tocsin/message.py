"""The Slack message of an alert: Block Kit for people, the same in full as plain text, and metadata that proves whose it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from tocsin.policy import Policy
from tocsin.ports import Message
from tocsin.signal import Figure, Stage
from tocsin.story import Report, Story

HEADER_LIMIT = 150
SECTION_LIMIT = 2_900
TEXT_LIMIT = 3_500
SHOWN_OUTLETS = 12
MARKS = {"low": "🔵", "medium": "🟡", "high": "🟠", "critical": "🔴"}
_FLAGS = {
    "no-immediate-sign": "no immediate sign of action",
    "unconfirmed-by-party": "not confirmed by either party",
    "figure-disputed": "figure disputed",
    "denied": "denied",
}
_STAGES: dict[Stage, str] = {"planned": "planned", "preparing": "preparing", "imminent": "imminent", "done": "done"}
_ARROWS = {"who": "", "where": " → ", "what": " · "}


def root(story: Story, policy: Policy) -> Message:
    """The root message of a story: its whole state, the same whatever the order in which reports came."""
    level = policy.level_of(story.stage)
    lines = [
        _slots(story, policy),
        _headline(story.best),
        _quoted(story.best),
        _says(story.gathered("says"), story.gathered("relays")),
        _standing(story.stage, story.best.certainty, story.flags),
        *_figures(story.gathered("figures")),
        _sources(story),
    ]
    foot = [_reason("first_report", story, policy), f"first seen {_day(story.first_seen)}, last seen {_day(story.last_seen)}"]
    if story.previous:
        foot.append(f"earlier story: {story.previous}")
    return _message(f"{level.upper()} {policy.title}", level, lines, foot, {"alert": story.id + "/first_report", "story": story.id, "reason": "first_report", "level": level})


def reply(alert: str, reason: str, detail: str, report: Report, story: Story, policy: Policy) -> Message:  # noqa: PLR0913 - the parts of an alert
    """A message in the thread of a story: what changed, and the report that says so."""
    level = policy.level_of(report.stage)
    what = {"stage_up": "Stage", "disputed": "Disputed"}.get(reason, "Changed")
    lines = [
        f"*{what}: {escape(detail)}*",
        _slots(story, policy),
        _headline(report),
        _quoted(report),
        _says(report.says, report.relays),
        _standing(report.stage, report.certainty, report.flags),
        *_figures(report.figures),
        f"*Source:* {escape(report.outlet)}",
    ]
    foot = [_reason(reason, story, policy), f"seen {_day(report.published)}"]
    title = f"{level.upper()} {policy.title}: {detail}"
    return _message(title, level, lines, foot, {"alert": alert, "story": story.id, "reason": reason, "level": level})


def plain(message: Message) -> Message:
    """The same message without blocks, for when Slack refuses them."""
    return Message(message.text, (), message.metadata)


def escape(text: str) -> str:
    """Text from outside, so that it can neither ping, link nor format: Slack's three escapes, and marks made harmless."""
    text = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for mark in "*_~`":
        text = text.replace(mark, mark + "\u200b")
    return text


def _message(title: str, level: str, lines: Iterable[str], foot: list[str], metadata: Mapping[str, str]) -> Message:
    shown = [line for line in lines if line]
    header = f"{MARKS[level]} {title}"
    blocks: list[dict[str, Any]] = [{"type": "header", "text": {"type": "plain_text", "text": _cut(header, HEADER_LIMIT), "emoji": True}}]
    blocks += [{"type": "section", "text": {"type": "mrkdwn", "text": _cut(line, SECTION_LIMIT), "verbatim": True}} for line in shown]
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": _cut(escape(" · ".join(foot)), SECTION_LIMIT), "verbatim": True}]})
    text = "\n".join([escape(header), *shown, escape(" · ".join(foot))])
    return Message(_cut(text, TEXT_LIMIT), tuple(blocks), dict(metadata))


def _slots(story: Story, policy: Policy) -> str:
    parts = [_ARROWS[slot] + escape(policy.printed(value)) for slot in ("who", "where", "what") if (value := getattr(story, slot))]
    return f"*{''.join(parts).strip(' →·')}* · {story.stage}"


def _headline(report: Report) -> str:
    title = escape(report.title or report.quote[:120])
    link = safe_link(report.url)
    headline = f"<{link}|{title.replace('|', '¦')}>" if link else title
    when = _moment(report.published) + (" (time of arrival; the article has no date)" if report.dated == "arrival" else "")
    return f"{headline}\n{escape(report.outlet)}, {when}"


def _quoted(report: Report) -> str:
    parts, last = [], 0
    for start, end in sorted(report.marks):
        if start < last or end > len(report.quote):
            continue
        parts += [escape_keeping(report.quote[last:start]), f"*{escape(report.quote[start:end])}*"]
        last = end
    quoted = "".join([*parts, escape_keeping(report.quote[last:])])
    return "> " + " ".join(quoted.split())


def escape_keeping(text: str) -> str:
    """`escape`, keeping the blanks at both ends."""
    lead = " " if text[:1].isspace() else ""
    tail = " " if len(text) > 1 and text[-1:].isspace() else ""
    return lead + escape(text) + tail


def _says(says: tuple[str, ...], relays: tuple[str, ...]) -> str:
    who = escape("; ".join(says)) or "the outlet itself"
    return f"*Says:* {who}" + (f" (via {escape(', '.join(relays))})" if relays else "")


def _standing(stage: Stage, certainty: str, flags: Iterable[str]) -> str:
    told = "; ".join(escape(_FLAGS.get(flag, flag.replace("-", " "))) for flag in flags)
    return f"*Stage:* {_STAGES[stage]} · *Certainty:* {certainty}" + (f" · *Flags:* {told}" if told else "")


def _figures(figures: tuple[Figure, ...]) -> list[str]:
    if not figures:
        return []
    return ["*Figures:* " + "; ".join(_figure(figure) for figure in figures[:6])]


def _figure(figure: Figure) -> str:
    if figure.reading:
        return f"printed “{escape(figure.printed)}”, likely {escape(figure.reading)}: {escape(figure.counts)} ({escape(figure.note)})"
    return f"{escape(figure.printed)} ({escape(figure.counts)})" if figure.counts else escape(figure.printed)


def _sources(story: Story) -> str:
    count = len(story.outlets)
    named = ", ".join(escape(outlet) for outlet in story.outlets[:SHOWN_OUTLETS]) + (f" and {count - SHOWN_OUTLETS} more" if count > SHOWN_OUTLETS else "")
    told = "1 outlet" if count == 1 else f"{count} outlets, {story.independent} independent"
    articles = "" if story.articles == count else f", {story.articles} articles"
    return f"*Sources:* {told}{articles}: {named}"


def _reason(reason: str, story: Story, policy: Policy) -> str:
    return f"{reason} · story {story.id} · {policy.name}@{policy.version}"


def safe_link(url: str) -> str:
    """The URL if it is http(s) with a host and no sign-in part, made safe for Slack's link markup; otherwise nothing."""
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not host or "@" in parts.netloc:
        return ""
    return quote(url.strip(), safe=":/?#[]@!$&'()*+,;=%-._~").replace("&", "&amp;")


def _moment(iso: str) -> str:
    when = datetime.fromisoformat(iso)
    return f"{when.day} {when:%b %Y}" if (when.hour, when.minute) == (0, 0) else f"{when.day} {when:%b %Y %H:%M} UTC"


def _day(iso: str) -> str:
    when = datetime.fromisoformat(iso)
    return f"{when.day} {when:%b %Y}"


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    if cut.rfind("&") > cut.rfind(";"):  # never end inside an escape
        cut = cut[: cut.rfind("&")]
    if cut.rfind("<") > cut.rfind(">"):  # nor inside a link
        cut = cut[: cut.rfind("<")]
    return cut.rstrip() + "…"
