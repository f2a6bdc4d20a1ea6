"""The Slack message of an alert: Block Kit for people, the same in full as plain text, and metadata that proves whose it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from tocsin.actions import BUTTONS, Action
from tocsin.policy import Policy
from tocsin.ports import Bulletin, Held, Message, Notice, Rolled
from tocsin.signal import LEVELS, Figure, Stage
from tocsin.story import Report, Story

HEADER_LIMIT = 150
TEXT_LIMIT = 3_500
"""chat.update takes 4,000 characters of text."""
LINK_LIMIT = 800
"""A longer URL is left out: a link cannot be cut."""
ROLLED_LINK = 160
SHOWN_OUTLETS = 12
SHOWN_HELD = 10
SHOWN_NOTICES = 6
SHOWN_ROLLED, ROLLED_LINES = 30, 8
"""Lines of the list of an hour, and how many of them one section holds."""
ANSWER_PART, ANSWER_PARTS = 2_900, 3
"""Characters of a block of an answer, and how many there may be."""
REASONS = {
    "past": "It tells of something long past",
    "exercise": "An exercise or routine",
    "actor": "The wrong actor or place",
    "civil": "Nothing military",
    "opinion": "Opinion, history or fiction",
    "other": "Something else",
}
"""Why a story may be not relevant: what a choice is called, and what is written on it."""
MARKS = {"low": "🔵", "medium": "🟡", "high": "🟠", "critical": "🔴"}
_FLAGS = {
    "no-immediate-sign": "no immediate sign of action",
    "unconfirmed-by-party": "not confirmed by either party",
    "figure-disputed": "figure disputed",
    "denied": "denied",
}
_DATED = {
    "arrival": "time of arrival; the article has no date",
    "clamped": "time of arrival; the article's own date cannot be right",
}
_ARROWS = {"who": "", "where": " → ", "what": " · "}
_MARKUP = re.compile(r"[*_~`]")
_UNSEEN = dict.fromkeys([
    *range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0xD800, 0xE000),
])  # fmt: skip
"""Control characters, those that turn the direction of all that follows, and halves of characters."""
_HEAP = re.compile(
    r"([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{3})[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
"""More marks on one letter than any language has: they run over the lines above and below."""
# The most characters of each part once escaped, so that no hostile part takes another's room: together below 10,000
_SLOT, _TITLE, _OUTLET, _QUOTE, _CHANGE, _SAYS, _VIA, _LIST, _FOOT = 100, 300, 100, 1_200, 300, 300, 150, 500, 500


def root(story: Story, policy: Policy, *, buttons: bool = False) -> Message:
    """The root message of a story: its whole state, the same whatever the order in which reports came and buttons were pressed."""
    level, best = policy.level_of(story.stage), story.best
    lines = [
        _slots(story, policy),
        _headline(best),
        _quoted(best),
        _says(story.gathered("says"), story.gathered("relays")),
        _standing(story.stage, best.certainty, (*story.flags, "denied") if story.denials else story.flags),
        _figures(story.gathered("figures")),
        _sources(story),
        "\n".join(_done(action) for action in story.actions),
    ]
    seen = f"first seen {_day(story.first_seen)}, last seen {_day(story.last_seen)}"
    foot = [_reason("first_report", story, policy), seen]
    if story.previous:
        foot.append(f"earlier story: {story.previous}")
    metadata = {"alert": f"{story.id}/first_report", "story": story.name, "reason": "first_report", "level": level}
    shown = _message(f"{level.upper()} {policy.title}", level, lines, foot, metadata)
    return replace(shown, blocks=(*shown.blocks, _buttons(story, policy))) if buttons else shown


def _buttons(story: Story, policy: Policy) -> dict[str, Any]:
    """They carry the story's id, which never changes, and the slots that make its identity: who takes presses knows no rules."""
    return {
        "type": "actions",
        "block_id": " ".join(["story", *policy.same]),
        "elements": [
            {
                "type": "button",
                "action_id": name,
                "text": {"type": "plain_text", "text": label, "emoji": True},
                "value": story.id,
            }
            for name, label in BUTTONS.items()
        ],
    }


def _done(action: Action) -> str:
    who, when = _part(action.name or action.by, _OUTLET), _moment(action.at)
    match action.kind:
        case "acknowledged":
            return f"*Acknowledged* by {who}, {when}"
        case "silenced":
            return f"*Silenced* until {_moment(action.until)} by {who}"
        case _:
            return f"*Not relevant*, says {who}, {when}" + (f": {_part(action.why, _CHANGE)}" if action.why else "")


def pointer(story: Story, kept: Story, policy: Policy) -> Message:
    """What the root of a story shows once a late report has shown that it is part of another one."""
    level = policy.level_of(story.stage)
    lines = [
        f"*Part of another story:* a later report shows that this and {_part(kept.name, _LIST)} are one development. It goes on there."
    ]
    foot = [f"merged · story {kept.name} · {policy.name}@{policy.version}"]
    metadata = {"alert": f"{story.id}/first_report", "story": kept.name, "reason": "merged", "level": level}
    return _message(policy.title, level, [*lines, _slots(kept, policy)], foot, metadata)


def digest(alert: str, day: str, held: Sequence[Held]) -> Message:
    """The daily list of what silences and rules on trial held back, each story and reason once."""
    lines = []
    for kind, title in (("silenced", "Silenced"), ("shadow", "Rules on trial")):
        rows = [one for one in held if one.kind == kind]
        if rows:
            told = "\n".join(_held_line(one) for one in rows[:SHOWN_HELD])
            more = f"\n… and {len(rows) - SHOWN_HELD} more" if len(rows) > SHOWN_HELD else ""
            lines.append(f"*{title}: {len(rows)}*\n{told}{more}")
    metadata = {"alert": alert, "story": "", "reason": "digest", "level": "low"}
    return _message(f"Held back on {_day(day)}", "low", lines, [f"digest · {day} UTC"], metadata)


def _held_line(held: Held) -> str:
    what = f"{held.rule}: {held.text}" if held.rule not in held.text else held.text
    by = f" · {_part(held.by, 90)}" if held.kind == "silenced" else ""
    return f"• {_part(what, 100)} · {held.reason.replace('_', ' ')} · {_part(held.outlet, 40)}{by}"


def burst(alert: str, hour: str, rows: Sequence[Rolled], policy: Policy) -> Message:
    """The first reports of one rule that were too many for an hour, as a list: the gravest first."""
    ranked = sorted(rows, key=lambda one: -LEVELS.index(one.level))
    told = [_rolled_line(one) for one in ranked[:SHOWN_ROLLED]]
    lines = ["\n".join(told[first : first + ROLLED_LINES]) for first in range(0, len(told), ROLLED_LINES)]
    if len(ranked) > SHOWN_ROLLED:
        lines.append(f"… and {len(ranked) - SHOWN_ROLLED} more")
    level = ranked[0].level if ranked else "low"
    foot = [f"burst · {hour}h UTC", f"{policy.name}@{policy.version}", "tocsin why ARTICLE tells of each"]
    metadata = {"alert": alert, "story": "", "reason": "burst", "level": level}
    return _message(f"{len(rows)} more: {policy.title}", level, lines, foot, metadata)


def _rolled_line(rolled: Rolled) -> str:
    text, link = _part(rolled.text, 80).replace("|", "¦"), safe_link(rolled.url)
    shown = f"<{link}|{text}>" if link and text and len(link) <= ROLLED_LINK else text
    return f"{MARKS[rolled.level]} {shown} · {_part(rolled.outlet, 30)}"


_KINDS = {
    "fatal": "Ended the function that read it",
    "dead": "Does not answer",
    "malformed": "Cannot be read",
    "silent": "Silent beyond its habit",
    "ended": "Ended",
    "moved": "Moved, and followed",
    "recovered": "Well again",
}


def notices(alert: str, hour: str, rows: Sequence[Notice]) -> Message:
    """What became of feeds within an hour: trouble first, each told once."""
    lines = []
    for kind, title in _KINDS.items():
        told = [one for one in rows if one.kind == kind]
        if told:
            listed = "\n".join(_notice_line(one) for one in told[:SHOWN_NOTICES])
            more = f"\n… and {len(told) - SHOWN_NOTICES} more" if len(told) > SHOWN_NOTICES else ""
            lines.append(f"*{title}: {len(told)}*\n{listed}{more}")
    metadata = {"alert": alert, "story": "", "reason": "notices", "level": "low"}
    count = len({one.about for one in rows})
    feeds = "1 feed" if count == 1 else f"{count} feeds"
    return _message(
        f"News of {feeds}", "low", lines, [f"notices · {hour}h UTC · tocsin feeds list shows all feeds"], metadata
    )


def bulletin(alert: str, told: Bulletin) -> Message:
    """Something about the running of Tocsin, in words."""
    lines = [_part(line, _LIST) for line in told.lines]
    metadata = {"alert": alert, "story": "", "reason": "ops", "level": told.level}
    return _message(
        told.title, told.level, lines, ["about Tocsin itself · tocsin status shows how it is doing"], metadata
    )


def _notice_line(notice: Notice) -> str:
    return f"• {_part(notice.name, 60)} ({_part(notice.about, 60)}): {_part(notice.detail, 120)}"


def reply(alert: str, reason: str, detail: str, report: Report, story: Story, policy: Policy) -> Message:  # noqa: PLR0913 - the parts of an alert
    """A message in the thread of a story: what changed, and the report that says so."""
    level = policy.level_of(report.stage)
    what = {"stage_up": "Stage", "disputed": "Disputed", "corrected": "Corrected"}.get(reason, "Changed")
    lines = [
        f"*{what}: {_part(detail, _CHANGE)}*",
        _slots(story, policy),
        _headline(report),
        _quoted(report),
        _says(report.says, report.relays),
        _standing(report.stage, report.certainty, report.flags),
        _figures(report.figures),
        f"*Source:* {_part(report.outlet, _OUTLET)}",
    ]
    foot = [_reason(reason, story, policy), f"seen {_day(report.published)}"]
    metadata = {"alert": alert, "story": story.name, "reason": reason, "level": level}
    return _message(f"{level.upper()} {policy.title}: {detail}", level, lines, foot, metadata)


def answer(lines: Iterable[str]) -> Message:
    """What one person is told who asked; lines that are set in stay so, and what does not fit is counted."""
    parts: list[list[str]] = [[]]
    told = [_told(line) for line in lines]
    for number, line in enumerate(told):
        if len("\n".join([*parts[-1], line])) > ANSWER_PART:
            if len(parts) == ANSWER_PARTS:
                parts[-1].append(f"… and {len(told) - number} more lines; `tocsin` on the command line shows all")
                break
            parts.append([])
        parts[-1].append(line)
    texts = ["\n".join(part) for part in parts if part] or ["nothing to tell"]
    blocks = tuple({"type": "section", "text": _mrkdwn(text)} for text in texts)
    return Message(_cut(texts[0], TEXT_LIMIT), blocks)


def _told(line: str) -> str:
    depth = (len(line) - len(line.lstrip(" "))) // 2
    return "\u2003" * depth + _part(line, _QUOTE)


def form(story: Story) -> Mapping[str, Any]:
    """The short form that asks why a story is not relevant; Slack hands it back with the story's id."""
    reasons = [{"text": _plain_text(label), "value": value} for value, label in REASONS.items()]
    chosen = {"type": "static_select", "action_id": "reason", "placeholder": _plain_text("Choose"), "options": reasons}
    note = {"type": "plain_text_input", "action_id": "note", "multiline": True, "max_length": 300}
    return {
        "type": "modal",
        "callback_id": "irrelevant",
        "private_metadata": story.id,
        "title": _plain_text("Not relevant"),
        "submit": _plain_text("Send"),
        "close": _plain_text("Cancel"),
        "blocks": [
            {"type": "section", "text": _mrkdwn(f"*{_part(story.name, _SLOT)}*\n{_quoted(story.best)}")},
            {"type": "input", "block_id": "reason", "label": _plain_text("Why is it not relevant?"), "element": chosen},
            {"type": "input", "block_id": "note", "label": _plain_text("More about it"), "optional": True, "element": note},
        ],
    }  # fmt: skip


def _plain_text(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def plain(message: Message) -> Message:
    """The same message without blocks, for when Slack refuses them."""
    return Message(message.text, (), message.metadata)


def escape(text: str) -> str:
    """Text from outside, so that it can neither ping, link, format nor turn what follows: marks are made harmless."""
    return _MARKUP.sub("\\g<0>\u200b", _entities(text))


def _entities(text: str) -> str:
    """Slack's three escapes, which plain text needs too, on one line."""
    line = _HEAP.sub(r"\1", " ".join(text.split()).translate(_UNSEEN))
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _part(text: str, limit: int) -> str:
    return _cut(escape(text), limit)


def _message(title: str, level: str, lines: Iterable[str], foot: list[str], metadata: Mapping[str, str]) -> Message:
    title = f"{MARKS[level]} {title}"
    shown = [line for line in lines if line]
    last = _part(" · ".join(foot), _FOOT)
    blocks: tuple[dict[str, Any], ...] = (
        {"type": "header", "text": {"type": "plain_text", "text": _cut(_entities(title), HEADER_LIMIT), "emoji": True}},
        *({"type": "section", "text": _mrkdwn(line)} for line in shown),
        {"type": "context", "elements": [_mrkdwn(last)]},
    )
    return Message(_cut("\n".join([_part(title, HEADER_LIMIT), *shown, last]), TEXT_LIMIT), blocks, dict(metadata))


def _mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def slots(story: Story, policy: Policy) -> str:
    """The slots of a story in one line: "North Korea → Russia"."""
    named = ((slot, story.slot(slot)) for slot in _ARROWS)
    return "".join(_ARROWS[slot] + policy.printed(value) for slot, value in named if value).strip(" →·")


def _slots(story: Story, policy: Policy) -> str:
    named = ((slot, story.slot(slot)) for slot in _ARROWS)
    parts = [_ARROWS[slot] + _part(policy.printed(value), _SLOT) for slot, value in named if value]
    return f"*{''.join(parts).strip(' →·') or _part(policy.title, _SLOT)}* · {story.stage}"


def _headline(report: Report) -> str:
    title = (_part(report.title, _TITLE) or _part(report.quote[:120], _TITLE)).replace("|", "¦")
    link = safe_link(report.url)
    headline = f"<{link}|{title}>" if link and title else title
    dated = f" ({_DATED[report.dated]})" if report.dated in _DATED else ""
    return f"{headline}\n{_part(report.outlet, _OUTLET)}, {_moment(report.published)}{dated}"


def _quoted(report: Report) -> str:
    parts, last = [], 0
    for start, end in sorted(report.marks):
        if not last <= start < end <= len(report.quote):
            continue
        parts += [_between(report.quote[last:start]), f"*{escape(report.quote[start:end])}*"]
        last = end
    quoted = "".join([*parts, _between(report.quote[last:])])
    return _cut("> " + " ".join(quoted.split()), _QUOTE)


def _between(text: str) -> str:
    """`escape`, keeping the blanks at both ends."""
    lead = " " if text[:1].isspace() else ""
    tail = " " if text[-1:].isspace() else ""
    return lead + escape(text) + tail


def _says(says: tuple[str, ...], relays: tuple[str, ...]) -> str:
    who = _part("; ".join(says), _SAYS) or "the outlet itself"
    return f"*Says:* {who}" + (f" (via {_part(', '.join(relays), _VIA)})" if relays else "")


def _standing(stage: Stage, certainty: str, flags: Iterable[str]) -> str:
    told = _part("; ".join(_FLAGS.get(flag, flag.replace("-", " ")) for flag in dict.fromkeys(flags)), _LIST)
    return f"*Stage:* {stage} · *Certainty:* {certainty}" + (f" · *Flags:* {told}" if told else "")


def _figures(figures: Iterable[Figure]) -> str:
    told = _part("; ".join(_figure(figure) for figure in figures), _LIST)
    return f"*Figures:* {told}" if told else ""


def _figure(figure: Figure) -> str:
    if figure.reading:
        return f"printed “{figure.printed}”, likely {figure.reading}: {figure.counts} ({figure.note})"
    return f"{figure.printed} ({figure.counts})" if figure.counts else figure.printed


def _sources(story: Story) -> str:
    count = len(story.outlets)
    named = _part(", ".join(story.outlets[:SHOWN_OUTLETS]), _LIST)
    more = f" and {count - SHOWN_OUTLETS} more" if count > SHOWN_OUTLETS else ""
    told = "1 outlet" if count == 1 else f"{count} outlets, {story.independent} independent"
    articles = "" if story.articles == count else f", {story.articles} articles"
    copies = _copies(story)
    gone = f" · withdrawn by {_part(', '.join(story.withdrawn), _OUTLET)}" if story.withdrawn else ""
    return f"*Sources:* {told}{articles}{copies and ': '}{copies}{' · ' if copies else ': '}{named}{more}{gone}"


def _copies(story: Story) -> str:
    """Which of the outlets are no sources of their own: ": 3 carry AP, 2 print one text"."""
    told = [
        f"{count} carry {agency}" if agency else f"{count} print one text"
        for agency, count in story.copies
        if count > 1
    ]
    return ", ".join(told)


def _reason(reason: str, story: Story, policy: Policy) -> str:
    return f"{reason} · story {story.name} · {policy.name}@{policy.version}"


def safe_link(url: str) -> str:
    """The URL if it is http(s) with a host and no sign-in part, made safe for Slack's link markup; otherwise nothing."""
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not host or "@" in parts.netloc:
        return ""
    link = quote(url.strip(), safe=":/?#[]@!$&'()*+,;=%-._~", errors="replace").replace("&", "&amp;")
    return link if len(link) <= LINK_LIMIT else ""


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
    if text[limit - 1] == "\u200b":  # never between a mark and what makes it harmless
        cut = cut[:-1]
    if cut.rfind("&") > cut.rfind(";"):  # never end inside an escape
        cut = cut[: cut.rfind("&")]
    if cut.rfind("<") > cut.rfind(">"):  # nor inside a link
        cut = cut[: cut.rfind("<")]
    return cut.rstrip() + "…"
