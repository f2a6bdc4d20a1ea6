"""How a text becomes sentences and comparable words."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tocsin.text import fold, fold_phrase, hard_wrapped, sentences

ANY_TEXT = some.text(alphabet=some.characters(exclude_categories=()))
"""Any text Python can hold, lone surrogates included."""
PROSE = some.text(alphabet="abc ABC.!?\"'”’)\r\n\t 9,;:\u00a0\u2003é語")
"""Text with every kind of sentence end, and without the marks of a dateline."""


@given(ANY_TEXT)
def test_folding_keeps_the_length(text: str) -> None:
    """An offset into the folded text is the offset in the original, whatever characters it holds."""
    assert len(fold(text)) == len(text)


@given(ANY_TEXT)
def test_folded_text_is_lower_case_letters_digits_and_spaces(text: str) -> None:
    """Nothing but ASCII letters in lower case, digits and spaces is left to compare."""
    assert set(fold(text)) <= set(b"abcdefghijklmnopqrstuvwxyz0123456789 ")


@given(some.text(alphabet=some.characters(max_codepoint=0x2FF)))
def test_folding_does_not_depend_on_the_neighbours(text: str) -> None:
    """A character folds alike in a Latin-1 text and in one with curly quotes, which goes another way."""
    assert fold(text) == fold(text + "’")[:-1]


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        pytest.param("Pyongyang", b"pyongyang", id="case"),
        pytest.param("Erdoğan", b"erdogan", id="diacritics beyond Latin-1"),
        pytest.param("Orbán", b"orban", id="diacritics of Latin-1"),
        pytest.param("U.S.-led", b"u s  led", id="punctuation"),
        pytest.param("Russia’s", b"russia s", id="curly apostrophe"),
        pytest.param("１２", b"12", id="full-width digits"),
        pytest.param("войск 한국", b"        ", id="other scripts"),
    ],
)
def test_folding(text: str, folded: bytes) -> None:
    """Case, diacritics and punctuation make no difference; other scripts are blank."""
    assert fold(text) == folded


def test_every_character_of_unicode_folds_to_one_byte() -> None:
    """No character of Unicode breaks the one-to-one correspondence."""
    everything = "".join(map(chr, range(0x110000)))
    assert len(fold(everything)) == len(everything)


def test_a_phrase_is_folded_to_single_spaces() -> None:
    """However an analyst spaces and hyphenates a phrase, it is looked for as the same words."""
    assert fold_phrase("  Spy-Satellite   launch ") == b"spy satellite launch"


@given(PROSE)
def test_sentences_are_ordered_and_disjoint(text: str) -> None:
    """Sentences come in the order of the text and never overlap."""
    spans = sentences(text)
    assert all(span.start < span.end for span in spans)
    assert all(before.end <= after.start and before.block <= after.block for before, after in pairwise(spans))


@given(PROSE)
def test_sentences_are_trimmed(text: str) -> None:
    """A quoted sentence neither begins nor ends with a blank."""
    assert all((quote := text[span.start : span.end]) == quote.strip() for span in sentences(text))


@given(PROSE)
def test_sentences_cover_every_character_that_is_not_blank(text: str) -> None:
    """No word of an article is outside its sentences."""
    spans = sentences(text)
    gaps = [0, *(place for span in spans for place in (span.start, span.end)), len(text)]
    assert not any(text[start:end].strip() for start, end in zip(gaps[::2], gaps[1::2], strict=True))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        pytest.param("Seoul warned. Tokyo agreed.", 2, id="full stops"),
        pytest.param("Will they? They will! So be it.", 3, id="questions and shouts"),
        pytest.param("“They will go.” He left.", 2, id="a quotation ends inside its marks"),
        pytest.param("The U.S. Army sent troops.", 1, id="initials"),
        pytest.param("It was sent by the U.S. The ministry agreed.", 2, id="initials before a sure beginning"),
        pytest.param("Gen. Smith spoke on Jan. 24 at noon.", 1, id="abbreviations"),
        pytest.param("About 3.5 million came.", 1, id="a decimal point"),
        pytest.param("It ended.The next began.", 2, id="a missing blank"),
        pytest.param("First paragraph\n\nSecond paragraph", 2, id="a blank line"),
        pytest.param("A headline without a stop\nThe text begins here.", 2, id="a line end"),
        pytest.param("A headline without a stop\r\nThe text begins here.", 2, id="a line end of Windows"),
        pytest.param("Wait ... what? Yes.", 3, id="dots"),
        pytest.param("", 0, id="nothing"),
        pytest.param(" \n\t ", 0, id="only blanks"),
    ],
)
def test_sentence_ends(text: str, count: int) -> None:
    """A sentence ends where a reader would end it."""
    assert len(sentences(text)) == count


WRAPPED = """North Korea is preparing to send more troops to Russia, the Joint Chiefs
of Staff said on Friday, after heavy losses among the soldiers who have been
fighting there since last autumn. A second sentence, which is also broken
over several lines, follows it.
"""


@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["unix", "windows"])
def test_hard_wrapped_copy_is_joined(line_end: str) -> None:
    """In copy that is wrapped by hand a line end does not end the sentence."""
    assert len(sentences(WRAPPED.replace("\n", line_end))) == 2


def test_blocks_number_the_paragraphs() -> None:
    """Sentences of one paragraph share a number that those of the next do not have."""
    first, second, third = sentences("One here. Two here.\n\nThree here.")
    assert first.block == second.block < third.block


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("SEOUL, South Korea (AP) — North Korea prepares.", id="agency and dash"),
        pytest.param("SEOUL, Jan. 24 (Yonhap) -- North Korea prepares.", id="date and agency"),
        pytest.param("MOSCOW – North Korea prepares.", id="city alone"),
        pytest.param("LONDON (Reuters) - North Korea prepares.", id="hyphen"),
    ],
)
def test_a_dateline_is_no_part_of_the_sentence(text: str) -> None:
    """The quoted sentence begins after the dateline of wire copy, at its own offset."""
    span = sentences(text)[-1]
    assert text[span.start : span.end] == "North Korea prepares."


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("." * 1_000_000 + "x", id="dots"),
        pytest.param("?!" * 500_000 + "x", id="marks"),
        pytest.param("A. (" * 100_000, id="initials"),
        pytest.param("U.S.\u00a0" * 100_000, id="abbreviations"),
        pytest.param("\n \r" * 300_000, id="line ends"),
        pytest.param("\n" + " " * 1_000_000 + "x", id="blanks"),
        pytest.param(".'" * 500_000 + "x", id="quotes"),
        pytest.param("AA, A. " * 100_000, id="datelines"),
        pytest.param("A" * 1_000_000, id="one word"),
    ],
)
def test_hostile_text_takes_linear_time(text: str) -> None:
    """Half a megabyte and more made to trip the sentence splitter takes no more than a few seconds."""
    begun = time.process_time()
    sentences(text)
    assert time.process_time() - begun < 5


@given(PROSE)
def test_a_line_holds_whole_sentences(text: str) -> None:
    """In a text that is not hard-wrapped the sentences are those of its lines: a line can be read alone."""
    if hard_wrapped(text):
        return
    found, begin = [], 0
    for line in text.split("\n"):
        whole = f"{line}\n"[: len(text) - begin]
        found += [(begin + one.start, begin + one.end) for one in sentences(whole)]
        begin += len(whole)
    assert [(one.start, one.end) for one in sentences(text)] == found
