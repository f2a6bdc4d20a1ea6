"""Articles of any length: what they cost, and that nothing is lost where they are read in parts."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tocsin.article import Article
from tocsin.compiled import RuleSet
from tocsin.detection import QUOTED, detect
from tocsin.match import PART
from tocsin.rules import load
from tocsin.text import stretches

RULE = """
title: Marching
id: 0c1f6f1e-5a0c-4c0c-9a53-0d6b6f7f0a10
name: marching
status: test
level: {done: high}
description: Somebody marches somewhere.
who: {from: [realms]}
where: {from: [realms]}
lists:
  march: {verbs: [march]}
  host: {nouns: [host]}
forms:
  - {form: <march> ..4 <host>}
  - {form: <host> ..4 <march>}
story: {same: [who], quiet_for: 3d}
"""
REALMS = """
list: realms
kind: names
entries:
  - {slug: ruritania, name: Ruritania, names: [Ruritania]}
  - {slug: graustark, name: Graustark, names: [Graustark]}
"""
SAYS = "Ruritania marched its host to Graustark. "
FILLER = "Nothing else was heard of on that long and quiet day. "
MEGABYTE = 1_048_576


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> RuleSet:
    """One rule and two realms."""
    folder: Path = tmp_path_factory.mktemp("rules")
    (folder / "lists").mkdir()
    (folder / "lists" / "realms.yaml").write_text(REALMS, encoding="utf-8")
    (folder / "marching.yaml").write_text(RULE, encoding="utf-8")
    return load(folder).rule_set


def article(text: str, title: str = "") -> Article:
    """An article of that text."""
    return Article("a", text, title, published=datetime(2031, 5, 1, tzinfo=UTC))


def peak(rules: RuleSet, text: str) -> int:
    """Bytes that are in use at most while signals are looked for in a text."""
    tracemalloc.start()
    try:
        detect(rules, article(text))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("march march march host ", id="words of the rule"),
        pytest.param("word " * 1_000, id="one sentence"),
        pytest.param("“" * 1_000 + SAYS + "”" * 1_000, id="nested quotes"),
        pytest.param(SAYS, id="signals"),
        pytest.param("Host. ", id="short sentences"),
        pytest.param("." * 1_000, id="dots"),
        pytest.param("h" * 1_000, id="one word"),
    ],
)
def test_memory_does_not_grow_with_the_article(rules: RuleSet, text: str) -> None:
    """However long a text is, and whatever it repeats, the memory it needs beyond itself is bounded."""
    detect(rules, article(text))  # what is made once is made
    assert peak(rules, text * (2 * PART // len(text))) < 24 * MEGABYTE


def test_a_long_article_is_read_to_its_end(rules: RuleSet) -> None:
    """A signal is found in the last part of an article as in the first, and its quotes are where it says."""
    text = FILLER * (3 * PART // len(FILLER)) + SAYS
    (signal,) = detect(rules, article(text))
    assert (signal.who, signal.where) == ("ruritania", "graustark")
    assert signal.evidence.quote == text[signal.evidence.start : signal.evidence.end] == SAYS.strip()
    assert [text[start:end] for start, end in signal.evidence.marks] == ["marched", "host"]


def test_what_several_parts_say_is_one_signal(rules: RuleSet) -> None:
    """The sentences of one signal stand together in the order of the text, wherever the article is cut."""
    text = SAYS + FILLER * (2 * PART // len(FILLER)) + SAYS
    (signal,) = detect(rules, article(text))
    assert [sentence.start for sentence in signal.sentences] == [0, len(text) - len(SAYS)]


def test_the_headline_is_known_to_every_part(rules: RuleSet) -> None:
    """A sentence far down takes its actor from the headline, and the headline is quoted once at most."""
    text = FILLER * (2 * PART // len(FILLER)) + "A host was marched across the river. "
    (signal,) = detect(rules, article(text, "Ruritania marches its host"))
    assert signal.who == "ruritania"
    assert sum(sentence.field == "title" for sentence in signal.sentences) <= 1


def test_a_flood_of_signals_is_cut(rules: RuleSet, caplog: pytest.LogCaptureFixture) -> None:
    """An article that repeats a signal without end is quoted up to a limit, and where it is read no further, that is told."""
    crammed = SAYS * (4 * PART // len(SAYS))
    signals = detect(rules, article(crammed + "Graustark marched its host home. "))
    assert [signal.who for signal in signals] == ["ruritania"]
    assert all(len(signal.sentences) <= QUOTED for signal in signals)
    (told,) = caplog.messages
    assert "not read from character" in told


def test_no_quote_is_longer_than_a_sentence_may_be(rules: RuleSet) -> None:
    """Of a sentence without end only the stretch that holds the signal is quoted."""
    text = "word " * 5_000 + "Ruritania marched its host " + "word " * 5_000
    (signal,) = detect(rules, article(text))
    assert len(signal.evidence.quote.split()) <= 250
    assert text[signal.evidence.start : signal.evidence.end] == signal.evidence.quote


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        pytest.param("aaa aaa\n\nbbb bbb", ["aaa aaa\n\n", "bbb bbb"], id="at a paragraph"),
        pytest.param("aaaaa aa\nbbb bbb", ["aaaaa aa\n", "bbb bbb"], id="at a line"),
        pytest.param("aaaaa a. bbb bbb", ["aaaaa a. ", "bbb bbb"], id="at a full stop"),
        pytest.param("aaaaa aa bbb bbb", ["aaaaa aa ", "bbb bbb"], id="at a word"),
        pytest.param("a" * 23, ["a" * 10, "a" * 10, "aaa"], id="nowhere better"),
        pytest.param("short", ["short"], id="not at all"),
    ],
)
def test_where_a_long_text_is_cut(text: str, cut: list[str]) -> None:
    """A long text is cut at the end of a paragraph, else of a line, a sentence, a word; nothing of it is lost."""
    assert [text[start:end] for start, end in stretches(text, 10)] == cut
