"""What of a news page is no news: captions, credits, bylines, teasers, subscriptions, headlines said twice."""

from __future__ import annotations

import pytest

from tests.system import rule_set
from tocsin.article import Article
from tocsin.detection import detect
from tocsin.furniture import news
from tocsin.text import plain, sentences

BEFORE = "The minister spoke at noon.\n\n"
AFTER = "\n\nNobody else commented."
SAYS = "North Korea is preparing to send more troops to Russia."


def told(text: str) -> list[str]:
    """The sentences of a text that are news."""
    return [text[span.start : span.end] for span in news(text, sentences(text))]


FURNITURE = [
    "Photo: Anna Berg",
    "Photo/Reuters",
    "(AP Photo/Carl Dahl)",
    "(Image credit: Erik Falk)",
    "Tanks roll through the capital on Monday. (Photo: KCNA)",
    "Soldiers wave flags at the airport on Monday. (Gerd Holm / AFP)",
    "Soldiers wave flags at the airport | Ida Juhl/AP Photo",
    "FILE PHOTO: A tank fires during a drill in the snow.",
    "FILE - A tank fires during a drill in the snow.",
    "Image caption The base from above",
    "Enlarge this image toggle caption Kai Lund/AFP via Getty Images",
    "A launcher stands in the snow in this photo released by the state agency.",
    "1 of 4 | A guard stands at the gate. File Photo",
    "By Mia Nord",
    "By Mia Nord and Olaf Pedersen in Kyiv",
    "By our defence correspondent",
    "BY MIA NORD",
    "(Reporting by Mia Nord; Editing by Olaf Pedersen)",
    "Additional reporting by Rune Strand in Oslo",
    "Edited by: News Desk",
    "Mia Nord contributed to this report.",
    "Read more: Army to send more troops to the border",
    "Also read | Army to send more troops to the border",
    "Watch: Army sends more troops to the border",
    "RELATED: Army sends more troops to the border",
    "Army sends more troops to the border – live Read more",
    "Follow us on every network there is.",
    "Subscribe to our daily briefing.",
    "Sign up for the evening newsletter.",
    "By signing up you agree to our terms.",
    "Click here to get the app",
    "Copyright 2031 The Evening Paper.",
    "© 2031 The Evening Paper",
    "All rights reserved.",
    "Advertisement",
    "Story continues below advertisement",
    "Updated: 18:22 IST",
    "Published 3 May 2031",
    "This article was originally published in another paper.",
    "Comments are closed.",
    "3 min read",
]


@pytest.mark.parametrize("line", FURNITURE)
def test_furniture_is_left_out(line: str) -> None:
    """A line that belongs to the page and not to the story is no sentence of the news; its neighbours are."""
    assert told(BEFORE + line + AFTER) == [BEFORE.strip(), AFTER.strip()]


NEWS = [
    "By Monday the army had sent more troops.",
    "By noon Russia had massed its tanks",
    "BY NOON RUSSIA SENDS MORE TROOPS TO THE FRONT",
    "By continuing to send troops, Moscow tests its neighbours.",
    "Satellite images show new trucks at the launch site.",
    "A satellite image provided by a company shows a rocket on the pad.",
    "More trucks had arrived on Friday (images showed a dozen of them).",
    "Sources: Army to send more troops to the border",
    "More troops will follow, the general said.",
    "Watch the border, he said, for more troops are coming.",
    "Related units will be sent as well.",
    "Reporting by two papers shows that more troops were sent.",
    "Reporting from Kyiv, she said more troops had arrived.",
    "Follow-up measures are under way, the staff said.",
    "The army published photos of the convoy.",
    "Copyright law was not on the agenda of the ministers.",
    "Poland contributed 300 soldiers to the force.",
    "“Listen: we will send more troops,” the president said.",
    "14:05 Russia sends more troops to the border.",
    "Anchor: Russia sends more troops to the border.",
    "Report: Russia sends more troops to the border.",
    "TEXT: Russia sends more troops to the border.",
    "Officials said so on Monday (Interfax).",
    "The video shows soldiers who board a ship.",
    "Sign the treaty, he urged them.",
    "Print and radio told of the call-up.",
]


@pytest.mark.parametrize("line", NEWS)
def test_news_is_never_furniture(line: str) -> None:
    """A sentence that only sounds like furniture stays, and so do the entries of live blogs and broadcast scripts."""
    assert told(BEFORE + line + AFTER) == [BEFORE.strip(), line, AFTER.strip()]


def test_headlines_behind_an_announcement_are_other_stories() -> None:
    """What follows a line that announces other stories is left out, up to the next whole sentence."""
    text = "He left.\n\nRELATED\n- Army sends more troops\n- Fleet leaves port\n\nThe talks go on.\nA new headline"
    assert told(text) == ["He left.", "The talks go on.", "A new headline"]


def test_a_headline_said_twice_is_told_once() -> None:
    """The second time a headline stands in a text it is left out; what speakers are called may stand again and again."""
    text = "Army to send more troops north\n\nArmy to send more troops north\n\nAnchor\n\nHe left.\n\nAnchor"
    assert told(text) == ["Army to send more troops north", "Anchor", "He left.", "Anchor"]


def test_a_caption_never_takes_the_whole_text() -> None:
    """Of a text that is one paragraph only the credit goes."""
    assert told(f"{SAYS} (Photo: KCNA)") == [SAYS]


def test_of_a_long_paragraph_only_the_credit_goes() -> None:
    """A credit behind a paragraph of the story does not take the paragraph along."""
    assert told(f"{BEFORE}One. {SAYS} Two. Photo: Anna Berg{AFTER}")[1:4] == ["One.", SAYS, "Two."]


def signals(text: str, title: str = "") -> list[tuple[str, str | None]]:
    """Rule and actor of the signals in an article."""
    return [(signal.rule, signal.who) for signal in detect(rule_set(), Article("a", text, title))]


def test_furniture_is_no_evidence() -> None:
    """A teaser that would be a signal fires nothing."""
    assert signals(f"{BEFORE}Read more: {SAYS}{AFTER}") == []
    assert signals(f"{BEFORE}{SAYS}{AFTER}") == [("additional-deployment", "north-korea")]


def test_a_credit_names_no_actor() -> None:
    """Nobody named in a caption acts in the text."""
    text = f"{BEFORE}Soldiers of Iran on parade. (Photo: Anna Berg)\n\n{SAYS}"
    assert signals(text) == [("additional-deployment", "north-korea")]


@pytest.mark.parametrize(
    ("entity", "character"),
    [("&amp;", "&"), ("&#39;", "'"), ("&#x2019;", "’"), ("&nbsp;", "\u00a0"), ("&rdquo;", "”"), ("&ndash;", "–")],
)
def test_an_entity_is_its_character(entity: str, character: str) -> None:
    """An HTML entity is read as its character, and the text keeps its length."""
    text = f"A {entity} B"
    assert plain(text).replace(" ", "") == f"A {character} B".replace(" ", "")
    assert len(plain(text)) == len(text)


@pytest.mark.parametrize("text", ["A & B", "AT&T; no", "&nonsense; here", "&#99999999; there", "R&D&"])
def test_what_is_no_entity_stays(text: str) -> None:
    """An ampersand that begins no known entity is left as it is."""
    assert plain(text) == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("North Korea&#39;s army is preparing to send more troops to Russia.", id="apostrophe"),
        pytest.param("North&nbsp;Korea is preparing to send more&nbsp;troops to Russia.", id="blanks"),
        pytest.param("&ldquo;North Korea is preparing to send more troops to Russia.&rdquo;", id="quotes"),
        pytest.param("NORTH KOREA IS PREPARING TO SEND MORE TROOPS TO RUSSIA.", id="capitals"),
        pytest.param("SEOUL -- NORTH KOREA IS PREPARING TO SEND MORE TROOPS TO RUSSIA.", id="wire in capitals"),
        pytest.param("It rained.North Korea is preparing to send more troops to Russia.A man left.", id="no blanks"),
        pytest.param("It rained.“North Korea is preparing to send more troops to Russia.”He left.", id="curly quotes"),
    ],
)
def test_copy_of_every_make_is_read(text: str) -> None:
    """Entities, capitals, curly quotes and missing blanks hide no signal, and the quote is where it says, word for word."""
    (signal,) = detect(rule_set(), Article("a", f"He left.\n{text} Nobody commented."))
    assert (signal.rule, signal.who, signal.where) == ("additional-deployment", "north-korea", "russia")
    assert signal.evidence.quote in text
    assert signal.evidence.quote.lower().endswith(("russia.", "russia.”", "russia.&rdquo;"))
    assert f"He left.\n{text}"[signal.evidence.start : signal.evidence.end] == signal.evidence.quote


def test_a_headline_in_capitals_is_no_dateline() -> None:
    """In copy all in capitals only a few words before a dash are a place."""
    text = "RUSSIA SENDS MORE TROOPS TO THE BORDER - SAYS KYIV"
    assert told(text) == [text]
