"""The Slack message of an alert: what it says in which order, and that nothing from outside gets out of its place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.core.values import DAY, NOON, QUOTE, evidence, policy, report, signal
from tocsin.message import SHOWN_OUTLETS, escape, plain, reply, root, safe_link
from tocsin.ports import Message
from tocsin.signal import Figure, Signal, Stage
from tocsin.story import Report, Story, add, begin

DOUBTED = Figure(
    "103.8%", 103.8, "percent", "total government spending", "+3.8 %",
    "state media give spending as a percentage of the year before; unverified",
)  # fmt: skip
SEEN = "first seen 10 Mar 2031, last seen 12 Mar 2031"
MARKED = evidence(QUOTE, marks=((112, 121), (130, 135 + 7)))


def story_of(*reports: Report, first: Signal | None = None) -> Story:
    """The story of these reports."""
    return reduce(add, reports[1:], begin(first or signal(), reports[0], policy(), 1))


def told(message: Message) -> list[str]:
    """The texts of the blocks, from the top."""
    return [text for block in message.blocks for text in texts(block)]


def texts(block: Any) -> list[str]:
    """The texts of one block."""
    return [one["text"] for one in ([block["text"]] if "text" in block else block["elements"])]


def a_reply(
    detail: str = "preparing → done", reason: str = "stage_up", stage: Stage = "done", **changes: Any
) -> Message:
    """A reply in the thread of a story."""
    shown = report("a2", stage, 1, **changes)
    story = story_of(report("a1"), shown)
    return reply(f"{story.id}/{reason}", reason, detail, shown, story, policy())


FULL = report(
    "a1", says=("Ministry of Defence", "NIS"), relays=("Yonhap",), flags=("no-immediate-sign", "novel-flag"), figures=(DOUBTED,),
    evidence=MARKED, certainty="suspected",
)  # fmt: skip


def test_the_root_message_reads_in_order() -> None:
    """Level and title; slots; headline, outlet, time; evidence; who says so; stage, certainty, flags; figures; sources; the rest."""
    story = replace(story_of(FULL, report("a2", days=2)), episode=2)
    assert told(root(story, policy())) == [
        "🟠 HIGH Landing of marines",
        "*Borduria → Syldavia* · preparing",
        "<https://news.example/a1|Headline of a1>\nOutlet a1, 10 Mar 2031 12:00 UTC",
        "> Borduria is *preparing* to land *more marines* in Syldavia, the ministry said.",
        "*Says:* Ministry of Defence; NIS (via Yonhap)",
        "*Stage:* preparing · *Certainty:* suspected · *Flags:* no immediate sign of action; novel flag",
        f"*Figures:* printed “103.8%”, likely +3.8 %: total government spending ({DOUBTED.note})",
        "*Sources:* 2 outlets, 2 independent: Outlet a1, Outlet a2",
        f"first_\u200breport · story {story.name} · landing@v3 · {SEEN} · earlier story: landing/borduria/syldavia#1",
    ]


def test_a_reply_reads_in_order() -> None:
    """What changed comes first, then the report that says so, with its own source and day."""
    assert told(a_reply()) == [
        "🔴 CRITICAL Landing of marines: preparing → done",
        "*Stage: preparing → done*",
        "*Borduria → Syldavia* · done",
        "<https://news.example/a2|Headline of a2>\nOutlet a2, 11 Mar 2031 12:00 UTC",
        f"> {QUOTE}",
        "*Says:* Ministry of Defence",
        "*Stage:* done · *Certainty:* asserted",
        "*Source:* Outlet a2",
        "stage_\u200bup · story landing/borduria/syldavia#1 · landing@v3 · seen 11 Mar 2031",
    ]


def test_the_text_says_all_that_the_blocks_say() -> None:
    """Where blocks are not shown, in a notification or a plain client, the text is complete."""
    message = root(story_of(FULL), policy())
    assert message.text == "\n".join(told(message))


def test_a_message_without_blocks() -> None:
    """When Slack refuses the blocks, text and metadata are left as they were."""
    message = root(story_of(FULL), policy())
    assert plain(message) == Message(message.text, (), message.metadata)


@pytest.mark.parametrize(
    ("message", "alert", "reason", "level"),
    [
        pytest.param(
            root(story_of(FULL), policy()),
            "landing/borduria/syldavia#1/first_report",
            "first_report",
            "high",
            id="root",
        ),
        pytest.param(a_reply(), "landing/borduria/syldavia#1/stage_up", "stage_up", "critical", id="reply"),
    ],
)
def test_the_metadata_proves_whose_it_is(message: Message, alert: str, reason: str, level: str) -> None:
    """A message carries the id of its alert, by which it is found again in the history."""
    assert message.metadata == {
        "alert": alert,
        "story": "landing/borduria/syldavia#1",
        "reason": reason,
        "level": level,
    }


@pytest.mark.parametrize(
    ("level", "header"),
    [("low", "🔵 LOW"), ("medium", "🟡 MEDIUM"), ("high", "🟠 HIGH"), ("critical", "🔴 CRITICAL")],
)
def test_the_level_is_told_in_words(level: str, header: str) -> None:
    """Nobody needs to tell colours apart to see how grave an alert is."""
    message = root(story_of(report()), policy(level=(("preparing", level),)))
    assert told(message)[0] == f"{header} Landing of marines"


def test_the_level_follows_the_furthest_stage() -> None:
    """The root of a story that is done shows the level of done."""
    assert told(root(story_of(report(), report("a2", "done")), policy()))[0].startswith("🔴 CRITICAL")


@pytest.mark.parametrize(
    ("slots", "line"),
    [
        pytest.param({"what": "icbm", "where": None}, "*Borduria · Icbm* · preparing", id="materiel"),
        pytest.param({"where": None}, "*Borduria* · preparing", id="actor alone"),
        pytest.param({"who": None}, "*Syldavia* · preparing", id="place alone"),
        pytest.param({"who": None, "where": None}, "*Landing of marines* · preparing", id="none"),
        pytest.param({"who": "san-theodoros"}, "*San theodoros → Syldavia* · preparing", id="a name nobody gave"),
    ],
)
def test_one_line_made_of_the_slots(slots: dict[str, Any], line: str) -> None:
    """Who, where and what stand in one line, by their printed names."""
    rule = policy(same=("who", "where", "what"))
    story = begin(signal(**slots), report(), rule, 1)
    assert told(root(story, rule))[1] == line


@pytest.mark.parametrize(
    ("changes", "headline"),
    [
        pytest.param({"title": ""}, f"<https://news.example/a1|{QUOTE}>", id="no title: the evidence"),
        pytest.param({"title": " \u202e "}, f"<https://news.example/a1|{QUOTE}>", id="invisible title"),
        pytest.param({"url": ""}, "Headline of a1", id="no URL"),
        pytest.param({"url": "javascript:alert(1)"}, "Headline of a1", id="no link one may follow"),
        pytest.param({"title": "A | B"}, "<https://news.example/a1|A ¦ B>", id="bar"),
        pytest.param(
            {"url": "https://x.example/?a=1&b=|>"}, "<https://x.example/?a=1&amp;b=%7C%3E|Headline of a1>", id="URL"
        ),
        pytest.param({"url": "https://x.example/" + "y" * 900}, "Headline of a1", id="endless URL"),
    ],
)
def test_the_headline(changes: dict[str, Any], headline: str) -> None:
    """The headline links to the article where its URL is one that may be followed."""
    assert told(root(story_of(report(**changes)), policy()))[2].split("\n")[0] == headline


@pytest.mark.parametrize(
    ("changes", "when"),
    [
        pytest.param({}, "10 Mar 2031 12:00 UTC", id="to the minute"),
        pytest.param({"published": NOON.replace(hour=0)}, "10 Mar 2031", id="the day alone"),
        pytest.param(
            {"dated": "arrival"}, "10 Mar 2031 12:00 UTC (time of arrival; the article has no date)", id="arrival"
        ),
    ],
)
def test_the_time_of_the_headline(changes: dict[str, Any], when: str) -> None:
    """An alert says when its article was published, and when it only says when it arrived."""
    assert told(root(story_of(report(**changes)), policy()))[2].endswith(f"Outlet a1, {when}")


@pytest.mark.parametrize(
    ("marks", "line"),
    [
        pytest.param([], "> one two three", id="none"),
        pytest.param([(0, 3), (8, 13)], "> *one* two *three*", id="at both ends"),
        pytest.param([(8, 13), (0, 3)], "> *one* two *three*", id="out of order"),
        pytest.param([(0, 7), (4, 13)], "> *one two* three", id="overlapping"),
        pytest.param([(4, 4), (8, 99), (-3, 2)], "> one two three", id="empty and outside"),
    ],
)
def test_matched_words_are_bold(marks: list[tuple[int, int]], line: str) -> None:
    """The words that matched stand out in the quoted sentence."""
    shown = replace(report(), quote="one two three", marks=tuple(marks))
    assert told(root(story_of(shown), policy()))[3] == line


def test_a_quotation_over_several_lines_is_one_line() -> None:
    """A sentence of hard-wrapped copy stays inside its quotation."""
    assert told(root(story_of(report(quote="One\r\ntwo\n\nthree")), policy()))[3] == "> One two three"


def test_who_says_so_when_nobody_is_named() -> None:
    """A report without a source of its own says that the outlet itself is it."""
    assert "*Says:* the outlet itself" in told(root(story_of(report(says=())), policy()))


@pytest.mark.parametrize(
    ("figure", "line"),
    [
        pytest.param(Figure("3,000", 3000, "people", "troops"), "*Figures:* 3,000 (troops)", id="what it counts"),
        pytest.param(Figure("5 bn", 5e9, "money", ""), "*Figures:* 5 bn", id="nothing known"),
    ],
)
def test_a_figure(figure: Figure, line: str) -> None:
    """A figure is printed as it was written, with what it counts."""
    assert line in told(root(story_of(report(figures=(figure,))), policy()))


def test_a_doubted_figure_is_not_taken_at_its_word() -> None:
    """103.8 % is printed as written, with the likely reading, what it is a figure of, and that nobody verified it."""
    (line,) = (
        line for line in told(root(story_of(report(figures=(DOUBTED,))), policy())) if line.startswith("*Figures")
    )
    for part in ("printed “103.8%”", "likely +3.8 %", "total government spending", "unverified"):
        assert part in line


@pytest.mark.parametrize(
    ("count", "line"),
    [
        pytest.param(1, "1 outlet: Outlet a000", id="one"),
        pytest.param(2, "2 outlets, 2 independent: Outlet a000, Outlet a001", id="two"),
    ],
)
def test_sources_are_counted(count: int, line: str) -> None:
    """The root says how many outlets tell it, and how many on their own."""
    story = story_of(*(report(f"a{number:03}") for number in range(count)))
    assert f"*Sources:* {line}" in told(root(story, policy()))


def test_many_sources_are_summed_up() -> None:
    """Beyond a dozen the outlets are counted, not named."""
    line = told(root(story_of(*(report(f"a{number:03}") for number in range(20))), policy()))[-2]
    assert line.endswith(f", Outlet a011 and {20 - SHOWN_OUTLETS} more")


def test_articles_are_counted_where_they_are_more_than_outlets() -> None:
    """Five articles of one outlet are one outlet, and said to be five articles."""
    story = story_of(*(report(f"a{number}", source="One") for number in range(5)))
    assert "*Sources:* 1 outlet, 5 articles: One" in told(root(story, policy()))


def test_the_root_of_a_disputed_story_says_so() -> None:
    """Once somebody denied it, the root shows that, once."""
    story = replace(story_of(report(flags=("denied",))), denials=(report("d1"),))
    assert "*Stage:* preparing · *Certainty:* asserted · *Flags:* denied" in told(root(story, policy()))


@pytest.mark.parametrize(
    ("reason", "what"), [("stage_up", "Stage"), ("disputed", "Disputed"), ("material_change", "Changed")]
)
def test_a_reply_says_what_changed(reason: str, what: str) -> None:
    """The first line of a reply is the change itself."""
    assert told(a_reply("3,000 → 10,000", reason))[1] == f"*{what}: 3,000 → 10,000*"


def test_the_root_does_not_depend_on_the_order() -> None:
    """The same reports in any order give the same root message, to the byte."""
    reports = [report("a0"), report("a2", "done", 3, says=("NIS",)), report("a3", days=-2, figures=(DOUBTED,)), FULL]
    assert root(story_of(*reports), policy()) == root(story_of(*reports[::-1]), policy())


# from outside


@pytest.mark.parametrize(
    ("outside", "shown"),
    [
        pytest.param("a & b", "a &amp; b", id="and"),
        pytest.param("<!channel>", "&lt;!channel&gt;", id="everybody"),
        pytest.param("<@U123>", "&lt;@U123&gt;", id="somebody"),
        pytest.param("<https://evil.example|click>", "&lt;https://evil.example|click&gt;", id="link"),
        pytest.param("&amp;lt;", "&amp;amp;lt;", id="escaped already"),
        pytest.param("*bold*", "*\u200bbold*\u200b", id="bold"),
        pytest.param("_it_ ~no~ `code`", "_\u200bit_\u200b ~\u200bno~\u200b `\u200bcode`\u200b", id="other marks"),
        pytest.param("> quoted", "&gt; quoted", id="quotation"),
        pytest.param("a\nb\r\n\tc", "a b c", id="lines"),
        pytest.param("a\u202eb\u2066c\u2069", "abc", id="turned direction"),
        pytest.param("\x07a\x1bb\x9f", "ab", id="control characters"),
        pytest.param("خبر עברית 한국어 🚨", "خبر עברית 한국어 🚨", id="other scripts"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_escaping(outside: str, shown: str) -> None:
    """Text from outside is shown as it is, and can neither ping, link, format nor turn what follows."""
    assert escape(outside) == shown


HOSTILE = {
    "long": "x" * 6_000,
    "long words": "word " * 1_500,
    "only and": "&" * 4_000,
    "only quotes": '"' * 4_000,
    "only less-than": "<" * 4_000,
    "bars": "|" * 4_000,
    "stars": "*" * 4_000,
    "right to left": "\u202eمقلوب\u200f " * 400,
    "everybody": "<!channel> <!here> <!everyone> @here @channel " * 90,
    "somebody": "<@U012ABCDEF> <#C012ABCDEF> <!subteam^S012> " * 90,
    "link": "<https://evil.example|https://bank.example> https://evil.example/?a=1&b=2 " * 60,
    "formats": "*bold* _it_ ~no~ `c` ```code``` > quote\n> quote\n" * 90,
    "zero width": "\u200b\u200d\ufeff" * 1_500,
    "lines": "a\n\r\u2028\x85" * 900,
    "control": "\x00\x07\x1b[31m" * 900,
    "emoji": "🚨" * 4_000,
    "escaped": "&lt;!channel&gt;" * 300,
    "entities": "&amp" * 1_200,
}


def in_root(text: str) -> Message:
    """A root message with this text in every field that comes from outside."""
    return root(hostile_story(text), policy(title=text))


def in_reply(text: str) -> Message:
    """A reply with this text in every field that comes from outside."""
    story = hostile_story(text)
    return reply(f"{story.id}/disputed", "disputed", f"denied, says {text}", story.best, story, policy(title=text))


def hostile_story(text: str) -> Story:
    """A story with this text in every field."""
    figure = Figure(text, 1, text, text, text, text)
    marks = tuple((100 + at, 100 + at + 3) for at in range(0, len(text) - 3, 5))
    told_by = [
        report(
            f"a{number}", source=f"{number}{text}", title=text, url=f"https://evil.example/{text}", says=(text,) * 9,
            relays=(text,) * 9, flags=(text,) * 9, figures=(figure,) * 9, evidence=evidence(text, marks=marks), dated="arrival",
        )
        for number in range(15)
    ]  # fmt: skip
    slots = signal(who=text, where=text, what=text)
    story = reduce(add, told_by, begin(slots, told_by[0], policy(same=("who", "where", "what")), 2))
    return replace(story, articles=10_000, denials=(told_by[0],))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("message_of", [in_root, in_reply])
def test_slacks_limits_hold_for_any_content(message_of: Callable[[str], Message], text: str) -> None:
    """Whatever an article holds, in whatever field, Slack accepts the message and its edits."""
    message = message_of(text)
    header, *sections, context = message.blocks
    assert len(header["text"]["text"]) <= 150
    assert all(0 < len(section["text"]["text"]) <= 3_000 for section in sections)
    assert all(0 < len(element["text"]) <= 3_000 for element in context["elements"])
    assert len(message.blocks) <= 50
    assert len(json.dumps(message.blocks, ensure_ascii=False)) < 10_000
    assert 0 < len(message.text) < 4_000


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("message_of", [in_root, in_reply])
def test_nothing_from_outside_pings_or_links(message_of: Callable[[str], Message], text: str) -> None:
    """The only markup in a message is ours: each `<` opens the one link of the headline, each `&` one of three escapes."""
    message = message_of(text)
    for shown in [message.text, *told(message)]:
        links = re.findall(r"<[^>]*>", shown)
        assert all(re.fullmatch(r"<https://evil\.example/[^|<>\s]*\|[^|<>\n]+>", link) for link in links)
        assert len(links) <= 1
        assert not re.search(r"&(?!(amp|lt|gt);)", shown)
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202a-\u202e\u2066-\u2069]", shown)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize(("message_of", "parts"), [(in_root, 9), (in_reply, 10)])
def test_no_part_of_a_hostile_message_is_lost(message_of: Callable[[str], Message], parts: int, text: str) -> None:
    """A part as long as it gets takes no other's room: story, rule and reason are still there."""
    shown = told(message_of(text))
    assert len(shown) == parts
    assert re.match("first_\u200breport · story |disputed · story ", shown[-1])


@given(some.text(max_size=80), some.text(max_size=80), some.text(max_size=80))
def test_any_content_makes_a_message(title: str, outlet: str, quote: str) -> None:
    """No text in an article keeps its alert from being written."""
    message = root(story_of(report(title=title, source=outlet, evidence=evidence(quote or "x"))), policy())
    assert len(message.blocks) == 8
    assert all(told(message))


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("javascript:alert(1)", id="script"),
        pytest.param("data:text/html,x", id="data"),
        pytest.param("file:///etc/passwd", id="file"),
        pytest.param("ftp://x.example", id="ftp"),
        pytest.param("//x.example", id="no scheme"),
        pytest.param("x.example", id="a name"),
        pytest.param("https://", id="no host"),
        pytest.param("https:///path", id="a path"),
        pytest.param("https://bank.example@evil.example", id="a name in front of the host"),
        pytest.param("https://evil.example\\@bank.example", id="a backslash"),
        pytest.param("http://[::1", id="half an address"),
        pytest.param("https://x.example/" + "é" * 200, id="too long once encoded"),
        pytest.param("", id="nothing"),
    ],
)
def test_links_that_are_not_made(url: str) -> None:
    """Only http and https with an honest host become a link."""
    assert safe_link(url) == ""


@pytest.mark.parametrize(
    ("url", "link"),
    [
        pytest.param("https://x.example/a?b=1&c=2#d", "https://x.example/a?b=1&amp;c=2#d", id="query"),
        pytest.param("HTTP://X.example", "HTTP://X.example", id="capitals"),
        pytest.param(" https://x.example ", "https://x.example", id="blanks around"),
        pytest.param("https://x.example/a b|<c>\n", "https://x.example/a%20b%7C%3Cc%3E", id="markup"),
        pytest.param("https://x.example/%E9?q=ü", "https://x.example/%E9?q=%C3%BC", id="encoded already"),
        pytest.param("https://x.example/\ud800", "https://x.example/?", id="half a character"),
        pytest.param("https://[2001:db8::1]:8080/", "https://[2001:db8::1]:8080/", id="address"),
    ],
)
def test_links_that_are_made(url: str, link: str) -> None:
    """A link keeps its address and can hold nothing of Slack's markup."""
    assert safe_link(url) == link


@given(some.text(max_size=60))
def test_any_url_is_safe(url: str) -> None:
    """Whatever stands for a URL, what becomes of it cannot leave its place in the markup."""
    assert not re.search(r"[<>|\s]", safe_link("https://x.example/" + url))
    assert not re.search(r"[<>|\s]", safe_link(url))


def test_days_are_those_of_the_story() -> None:
    """First and last seen are the days of the first and the last report."""
    message = root(story_of(report(days=0), report("a2", days=-40), report("a3", days=2)), policy())
    first, last = NOON - 40 * DAY, NOON + 2 * DAY
    assert f"first seen {first.day} {first:%b %Y}, last seen {last.day} {last:%b %Y}" in message.text
