"""The HTML replay page, rendered from a replay made by hand and opened in a real Chromium."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from infra.local.slack import SlackMessage, Version
from infra.page import edits, marked, render
from infra.preview import mrkdwn
from infra.replay import Arrival, Replayed
from tocsin import message
from tocsin.article import Article
from tocsin.decide import FATES
from tocsin.errors import InputFault
from tocsin.policy import Policy
from tocsin.ports import FateRecord, Message
from tocsin.reading import Entry
from tocsin.signal import STAGES, Certainty, Evidence, Field, Figure, Signal, Stage
from tocsin.story import Report, Story, add, begin

BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome", "chrome") if (found := shutil.which(name))),
    None,
)
in_browser = pytest.mark.skipif(
    BROWSER is None, reason="no Chromium on the PATH: install chromium or google-chrome to open the page in it"
)

START = datetime(2031, 3, 4, 6, 30, tzinfo=UTC)
HOSTILE = (
    "<script>window.stolen=1</script><img src=https://evil.example/x onerror=window.stolen=2>"
    " \"'`*_~ </style></title>{{7*7}} &lt;b&gt; 🚨"
)
RIGHT_TO_LEFT = "وكالة الأنباء \u202eمقلوب"
LONG_WORD = "Unbreakable" * 60

LANDINGS = Policy(
    "landing-practice",
    "Landing practice",
    "v7",
    "stable",
    (("preparing", "high"), ("done", "critical")),
    ("who", "where"),
    timedelta(30),
    (),
    "",
)
FUNDS = Policy("extra-funds", "Extra funds", "v7", "stable", (("done", "medium"),), ("who",), timedelta(30), (), "")


def article(number: int, text: str, days: float = 0, **fields: Any) -> Article:
    """An article published some days after the start."""
    told = {
        "title": f"Ferry timetable changes, part {number}",
        "source": f"Outlet {number}",
        "url": f"https://news.example/{number}?a=1&b=2",
    }
    return Article(f"a{number}", text, **{**told, "published": START + timedelta(days), **fields})


def signal(
    one: Article,
    quote: str,
    rule: str = "landing-practice",
    stage: Stage = "preparing",
    certainty: Certainty = "asserted",
    **slots: Any,
) -> Signal:
    """A signal whose evidence is this quote from the text, or from the title when it is not in the text."""
    field: Field = "text" if quote in one.text else "title"
    at = getattr(one, field).find(quote)
    evidence = Evidence(quote, at, at + len(quote), stage, certainty, field=field, marks=((at, at + quote.find(" ")),))
    told = {
        "who": "port-authority",
        "where": "north-bay",
        "what": None,
        "flags": (),
        "says": ("the harbour master",),
        "relays": (),
        "figures": (),
    }
    return Signal(rule, **{**told, **slots}, stage=stage, certainty=certainty, evidence=evidence, sentences=(evidence,))


def arrival(one: Article, fate: str, *told: tuple[Signal, Story | None, str | None]) -> Arrival:
    """An article that arrived, with its fate and what was decided for each signal."""
    rows = tuple(
        {**found.to_json(), "story": story and story.id, "alert": alert, "reason": "first_report", "detail": "by hand"}
        for found, story, alert in told
    )
    record = FateRecord(one.id, fate, f"{fate} & why", START.isoformat(), "rules-7", one.title, one.source, rows)  # type: ignore[arg-type]
    return Arrival(Entry(f"{one.id}.txt", one), one.id, one.published or START, record)


def posted(shown: list[Message], days: float, number: int, thread: SlackMessage | None = None) -> SlackMessage:
    """A message with its versions; a reply is broadcast."""
    at = (START + timedelta(days)).timestamp()
    kinds = [{"event_type": "alert", "event_payload": dict(one.metadata)} for one in shown]
    versions = tuple(
        Version(at + 3600 * age, one.text, one.blocks, kind)
        for age, (one, kind) in enumerate(zip(shown, kinds, strict=True))
    )
    return SlackMessage(
        "C0ALERTS", f"{at:.0f}.{number:06d}", versions, thread.ts if thread else None, thread is not None
    )


@cache
def sample() -> Replayed:
    """A replay with every kind of thing the page shows, hostile texts among them."""
    quiet = "The quay was swept on Monday and the gulls came back. " * 40
    first = article(
        1,
        f"Crews practise landings in the north bay.\n{quiet}\nThe harbour master expects more boats soon.",
        title=f"Landings practised {HOSTILE}",
    )
    second = article(
        2,
        f"Opening remark. Boats were seen again. {RIGHT_TO_LEFT} {LONG_WORD}",
        3,
        title=RIGHT_TO_LEFT,
        source=LONG_WORD,
        url="javascript:alert(1)",
    )
    third = article(
        3, f"The practice took place on Friday, all agree. The port will spend 12% more. {HOSTILE}", 9, published=None
    )
    dated = third.arriving(START + timedelta(9))
    one, title = (
        signal(first, "Crews practise landings in the north bay."),
        signal(first, "Landings practised", certainty="suspected"),
    )
    one = replace(
        one,
        sentences=(
            *one.sentences,
            signal(first, "The harbour master expects more boats soon.").evidence,
            title.evidence,
        ),
    )
    title_only = signal(second, RIGHT_TO_LEFT[:5], certainty="suspected", says=(HOSTILE,), flags=("no-immediate-sign",))
    done = signal(
        third,
        "The practice took place on Friday, all agree.",
        stage="done",
        certainty="confirmed",
        flags=("unconfirmed-by-party",),
    )
    figure = Figure("12%", 12.0, "%", "harbour spending", "+1.2 %", "unverified")
    spent = signal(
        third,
        "The port will spend 12% more.",
        "extra-funds",
        "done",
        where=None,
        figures=(figure,),
        flags=("figure-disputed",),
    )

    begun = begin(one, Report.of(one, first), LANDINGS, 1)
    grown = add(begun, Report.of(title_only, second))
    risen = add(grown, Report.of(done, dated))
    paid = begin(spent, Report.of(spent, dated), FUNDS, 1)
    root = posted([message.root(story, LANDINGS) for story in (begun, grown, risen)], 0, 1)
    reply = message.reply(f"{risen.id}/stage_up-done", "stage_up", "preparing → done", risen.best, risen, LANDINGS)
    messages = (root, posted([reply], 9, 2, root), posted([message.root(paid, FUNDS)], 9, 3))

    fault = InputFault("holds 12 NUL bytes", f"inbox/{HOSTILE}", "save it as UTF-8 text")
    broken = Arrival(
        Entry("broken.bin", fault=fault),
        "broken",
        START,
        FateRecord("broken", "rejected", str(fault), START.isoformat(), ""),
    )
    arrivals = (
        arrival(first, "alerted", (one, begun, f"{begun.id}/first_report")),
        arrival(second, "corroborated", (title_only, grown, None)),
        arrival(third, "updated", (done, risen, f"{risen.id}/stage_up-done"), (spent, paid, f"{paid.id}/first_report")),
        arrival(article(4, f"Nothing to see. {quiet}", 4, title=""), "no_signal"),
        broken,
    )
    return Replayed(arrivals, (risen, paid), messages, 3, 2)


def many(count: int, *, spread: float) -> Replayed:
    """A replay of this many articles, each a story of its own; `spread` days lie between them."""
    arrivals, stories = [], []
    for number in range(count):
        one = article(number, "Crews practise landings in the north bay.", number * spread)
        found = signal(one, one.text, stage=STAGES[number % len(STAGES)], where=f"bay-{number}")
        story = begin(found, Report.of(found, one), LANDINGS, 1)
        arrivals.append(arrival(one, "alerted", (found, story, None)))
        stories.append(story)
    return Replayed(tuple(arrivals), tuple(stories), (), 0, 0)


# ── without a browser ────────────────────────────────────────────────────────────────────────────────────────────────


def test_sums_balance_on_the_page() -> None:
    """The head of the page says as many fates out as articles in."""
    sums = re.findall(r"<dt>([\w ]+)</dt><dd>([\d,]+)</dd>", render(sample()))
    assert sums == [
        ("articles in", "5"),
        ("fates out", "5"),
        ("alerts", "3"),
        ("posts to Slack", "3"),
        ("edits in place", "2"),
    ]


def test_nothing_is_loaded_from_outside() -> None:
    """Nothing in the page makes a browser ask for anything: addresses stand in links and in data URIs only."""
    page = render(sample())
    tags = re.findall(r"<[a-z][^>]*>", page)
    assert not re.search(r"url\(|@import|@font-face", page)
    assert not [tag for tag in tags if re.match(r"<(script|img|iframe|object|embed|video|audio|base|form)\b", tag)]
    assert not [tag for tag in tags if re.search(r"\s(src|srcset|style|on\w+|action|ping)=", tag)]
    assert [tag[:27] for tag in tags if tag.startswith("<link")] == ['<link rel="icon" href="data']


def test_links_from_outside_are_http_and_carry_no_opener() -> None:
    """A link out of the page is http(s), with rel=noopener noreferrer; any other scheme is no link."""
    outward = [tag for tag in re.findall(r"<a [^>]*>", render(sample())) if 'href="#' not in tag]
    assert outward
    assert all(re.match(r'<a href="https?://[^"]*" rel="noopener noreferrer"', tag) for tag in outward)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("*bold* and plain", "<b>bold</b> and plain"),
        ("a &amp; b &lt;i&gt;", "a &amp; b &lt;i&gt;"),
        (
            "<https://a.example/?x=1&amp;y=2|the *title*>",
            '<a href="https://a.example/?x=1&amp;y=2" rel="noopener noreferrer" dir="auto">the *title*</a>',
        ),
        (
            "<https://a.example>",
            '<a href="https://a.example" rel="noopener noreferrer" dir="auto">https://a.example</a>',
        ),
        ("> quoted *word*\nnext\nlast", "<blockquote>quoted <b>word</b></blockquote>next<br>last"),
        (
            "*see <https://a.example|it>*",
            '<b>see <a href="https://a.example" rel="noopener noreferrer" dir="auto">it</a></b>',
        ),
        ("*\u200bnot bold*\u200b 2*3*4 * no *", "*\u200bnot bold*\u200b 2*3*4 * no *"),
        (
            "<javascript:alert(1)|x> <!channel> <img src=x>",
            "&lt;javascript:alert(1)|x&gt; &lt;!channel&gt; &lt;img src=x&gt;",
        ),
        (
            '<https://a.example/"onclick="x|"y">',
            '<a href="https://a.example/&#34;onclick=&#34;x" rel="noopener noreferrer" dir="auto">&#34;y&#34;</a>',
        ),
    ],
)
def test_slack_markup_becomes_safe_html(source: str, shown: str) -> None:
    """Bold, quotes, http(s) links and the three escapes are shown as Slack shows them; all else stays text."""
    assert mrkdwn(source) == shown


def test_outside_text_escaped_by_the_message_comes_back_as_it_was() -> None:
    """What the message escapes for Slack reads on the page as in the article."""
    assert html.unescape(mrkdwn(message.escape(HOSTILE))).replace("\u200b", "") == HOSTILE


def test_overlapping_evidence_is_cut_where_it_begins_and_ends() -> None:
    """A stretch of text names every signal it is evidence of; offsets beyond the text are ignored."""
    pieces = [
        (piece.text, piece.signals)
        for piece in marked("abcdefgh", [(1, 4, 1), (2, 6, 2), (7, 99, 3), (50, 60, 4), (5, 5, 5)])
    ]
    assert pieces == [("a", ()), ("b", (1,)), ("cd", (1, 2)), ("ef", (2,)), ("g", ()), ("h", (3,))]


def test_evidence_of_text_and_title_is_marked_where_it_stands() -> None:
    """The sentences a signal names are marked in the text and in the title, with the number of the signal."""
    found = re.findall(r"<mark>(.*?)<a class=\"ref\" href=\"#(signal-1-1)\"", render(sample()))
    assert [html.unescape(text) for text, _ in found] == [
        "Landings practised",
        "Crews practise landings in the north bay.",
        "The harbour master expects more boats soon.",
    ]


def test_an_edit_says_what_changed() -> None:
    """Each earlier version of a message is kept, the latest first, with the words that went and came."""
    shown = edits(sample().messages[0])
    words = [{kind: text for kind, text in line if kind} for line in shown[0].changes]
    assert len(shown) == 2
    assert any("HIGH" in one.get("del", "") and "CRITICAL" in one.get("ins", "") for one in words)


def test_long_text_folds_around_the_evidence() -> None:
    """A long stretch without evidence folds away; no character of the article is lost by it."""
    folds = re.findall(r"<summary>([\d,]+) characters without evidence</summary>", render(sample()))
    assert len(folds) == 2


def test_an_enormous_article_makes_no_enormous_page() -> None:
    """Of millions of characters the page shows the surroundings of the evidence and says what it left out."""
    one = article(1, "word " * 600_000 + "Crews practise landings in the north bay." + " more" * 200_000)
    found = signal(one, "Crews practise landings in the north bay.")
    page = render(Replayed((arrival(one, "alerted", (found, None, None)),), (), (), 0, 0))
    assert len(page) < 150_000
    assert "characters are left out of this page" in page
    assert "<mark>Crews practise landings in the north bay." in page


def test_more_articles_than_shown_are_listed_with_their_fate() -> None:
    """Beyond 300 articles the rest is listed with its fate only, and the page says so."""
    page = render(many(312, spread=0.1))
    assert len(re.findall(r'<article class="card ', page)) == 300
    assert len(re.findall(r'<li class="card-line">', page)) == 12
    assert "The first 300 articles are shown in full. The other 12 with their fate only" in page


@pytest.mark.parametrize("count", [0, 1, 300])
@pytest.mark.parametrize("spread", [0.0, 2.5])
def test_timeline_holds_any_number_of_stories(count: int, spread: float) -> None:
    """From none to 300 stories, of one moment or of years, each report is a dot inside the picture."""
    page = render(many(count, spread=spread))
    places = [float(x) for x in re.findall(r'<svg class="dot \w+" x="([\d.]+)%"', page)]
    assert len(places) == count
    assert all(0 <= x <= 100 for x in places)


def test_an_undated_article_says_so() -> None:
    """An article without a date shows its time of arrival as such."""
    assert "no date; time of arrival <time" in render(sample())


def test_a_rejected_input_says_why() -> None:
    """An input that never became an article shows its fault message in full, as text."""
    fault = str(sample().arrivals[-1].entry.fault)
    assert fault in html.unescape(render(sample()))
    assert fault not in render(sample())


def test_half_a_character_does_not_stop_the_page() -> None:
    """A lone surrogate, which no file can hold, is replaced."""
    one = article(1, "A broken \ud83d sign.")
    assert "A broken ? sign." in render(Replayed((arrival(one, "no_signal"),), (), (), 0, 0))


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_every_colour_of_text_is_legible(theme: int) -> None:
    """Text has a contrast of at least 4.5 to 1 on every ground of the page, in both themes (WCAG 2.2, AA)."""
    colours = {
        name: pair[theme] for name, *pair in re.findall(r"--(\w+): light-dark\((#\w{6}), (#\w{6})\)", render(sample()))
    }
    text = ["ink", "dim", "link", "low", "medium", "high", "critical", *STAGES, "plus", "minus"]
    pairs = [(name, ground) for name in text for ground in ("paper", "panel", "sunk")] + [
        ("ink", "mark"),
        ("panel", "critical"),
        ("panel", "high"),
    ]
    lights = {name: _luminance(colour) + 0.05 for name, colour in colours.items()}
    faint = {
        (one, two): ratio
        for one, two in pairs
        if (ratio := max(lights[one], lights[two]) / min(lights[one], lights[two])) < 4.5
    }
    assert not faint


# ── in a real browser ────────────────────────────────────────────────────────────────────────────────────────────────

_PROBE = """<!DOCTYPE html><meta charset="utf-8"><pre id="found"></pre><iframe id="page" srcdoc="{page}"></iframe>
<script>
const frame = document.getElementById("page");
frame.onload = () => {
  const inside = frame.contentDocument, found = {width: {}};
  found.loaded = frame.contentWindow.performance.getEntriesByType("resource").length;
  found.stolen = frame.contentWindow.stolen ?? window.stolen ?? null;
  found.scripts = inside.scripts.length;
  found.seen = [...inside.querySelectorAll(".card")].filter(one => one.checkVisibility()).length;
  for (const open of [false, true]) {
    inside.querySelectorAll("details").forEach(one => one.open = open);
    for (const width of [320, 375, 1280]) {
      frame.style.width = width + "px"; frame.style.border = "0";
      const root = inside.documentElement, timeline = inside.querySelector(".scroll");
      found.width[width + (open ? " open" : "")] = [root.scrollWidth, timeline.scrollWidth - timeline.clientWidth];
    }
  }
  inside.getElementById("show-rejected")?.click();
  found.filtered = [...inside.querySelectorAll(".card")].filter(one => one.checkVisibility()).length;
  const ground = () => inside.defaultView.getComputedStyle(inside.body).backgroundColor;
  inside.getElementById("theme-light").click(); found.light = ground();
  inside.getElementById("theme-dark").click(); found.dark = ground();
  document.getElementById("found").textContent = JSON.stringify(found);
};
</script>"""


def _opened(file: Path, folder: Path) -> str:
    """The document after Chromium has opened the file, with no name resolving to any host."""
    assert BROWSER
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    quiet = [
        "--host-resolver-rules=MAP * ~NOTFOUND",
        f"--user-data-dir={folder / 'profile'}",
        f"--log-net-log={folder / 'net.json'}",
    ]
    command = [
        BROWSER,
        *flags,
        *quiet,
        "--virtual-time-budget=5000",
        "--window-size=1280,900",
        "--dump-dom",
        file.as_uri(),
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


@pytest.fixture(scope="module")
def dom(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The page as Chromium reads it, and its log of the network."""
    folder = tmp_path_factory.mktemp("page")
    file = folder / "replay.html"
    file.write_text(render(sample()), encoding="utf-8")
    return _opened(file, folder), (folder / "net.json").read_text(encoding="utf-8", errors="replace")


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a page around the unchanged page finds in it: widths, scripts, requests, visible articles."""
    folder = tmp_path_factory.mktemp("probe")
    file = folder / "probe.html"
    file.write_text(_PROBE.replace("{page}", html.escape(render(sample()))), encoding="utf-8")
    found = re.search(r'<pre id="found">(.*?)</pre>', _opened(file, folder), re.DOTALL)
    assert found
    assert found[1], "the page did not load inside the probe"
    told: dict[str, Any] = json.loads(html.unescape(found[1]))
    return told


@in_browser
def test_the_browser_shows_alerts_articles_and_timeline(dom: tuple[str, str]) -> None:
    """Chromium opens the file and finds in it every alert, every article and every story."""
    page = dom[0]
    assert len(re.findall(r'<article class="message ', page)) == len(sample().alerts)
    assert len(re.findall(r'<article class="card ', page)) == len(sample().arrivals)
    assert len(re.findall(r'<li id="story-\d+"', page)) == len(sample().stories)
    assert "CRITICAL Landing practice: preparing → done" in page
    assert "also sent to the channel" in page
    assert "(edited) 2 earlier versions" in page


@in_browser
def test_the_browser_asks_for_nothing(dom: tuple[str, str], probe: dict[str, Any]) -> None:
    """Opening the page makes no request, not even for what hostile text names."""
    assert "evil.example" not in dom[1]
    assert "news.example" not in dom[1]
    assert probe["loaded"] == 0


@in_browser
def test_no_script_of_outside_text_runs(probe: dict[str, Any]) -> None:
    """Hostile text stays text: the page holds no script element and none ran."""
    assert probe["scripts"] == 0
    assert probe["stolen"] is None


@in_browser
@pytest.mark.parametrize("width", [320, 375, 1280])
@pytest.mark.parametrize("folds", ["", " open"], ids=["folded", "unfolded"])
def test_nothing_overflows_sideways(probe: dict[str, Any], width: int, folds: str) -> None:
    """From a small phone to a desktop nothing is wider than the window, folded or not."""
    assert probe["width"][f"{width}{folds}"] == [width, 0]


@in_browser
def test_articles_can_be_filtered_by_fate(probe: dict[str, Any]) -> None:
    """Choosing a fate leaves only its articles on the page, without any script."""
    assert (probe["seen"], probe["filtered"]) == (len(sample().arrivals), sample().fates["rejected"])


@in_browser
def test_the_theme_can_be_chosen(probe: dict[str, Any]) -> None:
    """The choice of colours overrules what the system prefers."""
    assert probe["light"] == "rgb(241, 238, 230)"
    assert probe["dark"] == "rgb(12, 16, 20)"


def test_every_fate_can_be_chosen() -> None:
    """The filter knows every fate an article may have."""
    one = article(1, "Nothing to see.")
    page = render(Replayed(tuple(arrival(one, fate) for fate in FATES), (), (), 0, 0))
    assert all(f'id="show-{fate}"' in page and f"#show-{fate}:checked" in page for fate in FATES)
