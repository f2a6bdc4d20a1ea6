from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.clean import clean, html_text, line, tags, web_address


@pytest.mark.parametrize(
    ("given", "seen"),
    {
        "control characters": ("a\x00b\x07c\x1b[31md\x7f\x9b", "abc[31md"),
        "bidirectional controls": ("\u202eabc\u202c \u2066d\u2069\u200e", "abc d"),
        "zero-width characters": ("tr\u200bo\ufeffo\u2060ps", "troops"),
        "a soft hyphen": ("mobil\u00adisation", "mobilisation"),
        "lone surrogates": ("a\ud800b\udfffc", "abc"),
        "unassigned and private characters": ("a\u0378b\ue000c\U0010ffffd", "abcd"),
        "variation selectors and fillers": ("a\ufe0fb\u3164c\U000e0101d", "abcd"),
        "tag characters": ("a" + "".join(chr(0xE0000 + ord(char)) for char in "hidden"), "a"),
        "every kind of space": ("a\u00a0b\u2003c\td\u3000e", "a b c d e"),
        "every kind of line end": ("a\r\nb\rc\u2028d\x85e\u2029f\x0bg\x0ch", "a\nb\nc\nd\ne\nf\ng\nh"),
        "letters and marks apart": ("e\u0301", "é"),
        "ZWNJ in Persian": ("می\u200cخواهم", "می\u200cخواهم"),
        "ZWJ in Sinhala": ("ශ්\u200dරී", "ශ්\u200dරී"),
        "joiners between other letters": ("a\u200cb\u200dc 👨\u200d👩", "abc 👨👩"),
        "joiners at an edge": ("\u200cم\u200c \u200d", "م "),
        "emoji and rare scripts": ("🔔 𐍈 войска 部队 한국", "🔔 𐍈 войска 部队 한국"),
    }.values(),
)
def test_text_is_what_a_reader_sees(given: str, seen: str) -> None:
    """What cannot be seen is gone, joiners stay where the language needs them, spaces and lines are of one kind."""
    assert clean(given) == seen


@given(st.text(st.characters(), max_size=60))
def test_clean_text_stays_as_it_is(text: str) -> None:
    """Cleaning twice changes nothing more, and the result can be stored, sent and printed."""
    once = clean(text)
    assert clean(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert once.encode().decode() == once
    assert all(char.isprintable() or char in "\n\u200c\u200d" for char in once)


def test_marks_are_not_piled_up_without_end() -> None:
    """A character keeps thirty combining marks, so that sorting a hundred thousand of them costs nobody minutes."""
    assert len(clean("a" + "\u0316\u0301" * 100_000)) <= 31


def test_length_is_bounded() -> None:
    """No more than the limit is kept, of text and of lines."""
    assert (clean("x" * 10, 4), line(" a \n b  c ", 6)) == ("xxxx", "a b")


@pytest.mark.parametrize(
    ("source", "shown"),
    {
        "paragraphs and breaks": ("<p>One</p><p>Two<br>three</p>", "One\nTwo\nthree"),
        "inline elements": ("<b>B</b>old <a href='x'>link</a>s", "Bold links"),
        "lists and tables": ("<ul><li>a<li>b</ul><table><tr><td>c<td>d<tr><td>e</table>", "a\nb\nc d\ne"),
        "entities": (
            "Fish &amp; chips &#8211; &eacute;&nbsp;x &lt;b&gt; &bogus; &#xD800;",
            "Fish & chips – é x <b> &bogus; \ufffd",
        ),
        "a number beyond all": (f"a&#{'9' * 5_000};b", "a\ufffdb"),
        "scripts and styles": ("a<script>if (x<y) {'</p>'}</script>b<STYLE>p{}</STYLE >c", "abc"),
        "a script never closed": ("a<script>b<p>c", "a"),
        "what is embedded": ("a<iframe>b</iframe><svg><text>c</text></svg><select><option>d</select>e", "ae"),
        "an element never closed that hides": ("a<svg>b<p>c", "ab\nc"),
        "comments": ("a<!-- <p>b</p> -->c<!-- never closed <p>d", "ac"),
        "a section": ("<![CDATA[a <b>]]>c", "a <b>c"),
        "brackets that are none": ("3 < 5 <3 a <and> b", "3 < 5 <3 a b"),
        "a tag cut off": ('words <a href="https://example.org/very', "words"),
        "quotes in attributes": ("<a title='x > y'>z</a>", "z"),
        "empty lines and spaces": ("<div> <p> a  b </p> \n\n <p> </p>c</div>", "a b\nc"),
        "what hides in entities": ("a&#8238;b&#x200b;c", "abc"),
    }.values(),
)
def test_html_becomes_what_a_browser_shows(source: str, shown: str) -> None:
    """Blocks become lines; scripts, styles, comments and what is embedded are left out; entities are decoded once."""
    assert html_text(source) == shown


@given(
    st.lists(
        st.sampled_from(
            ["<", ">", "<p", "<script>", "</script", "<!--", "-->", "&", "&#", '"', "'", "=", "a", " ", "]]>"]
        )
    )
)
def test_any_markup_becomes_clean_text(parts: list[str]) -> None:
    """Whatever the markup, what comes out is clean, without surplus spaces and lines."""
    shown = html_text("".join(parts))
    assert clean(shown) == shown == shown.strip()
    assert "  " not in shown
    assert "\n\n" not in shown


def test_attributes_of_tags_are_found() -> None:
    """The attributes of a tag are read whatever their quotes and capitals."""
    source = """<LINK rel=alternate HREF="/a?x=1&amp;y=2" type='application/rss+xml'><link><p rel=x>"""
    assert list(tags(source, "link")) == [{"rel": "alternate", "href": "/a?x=1&y=2", "type": "application/rss+xml"}, {}]


@pytest.mark.parametrize(
    ("link", "base", "address"),
    [
        ("https://example.org/a", "", "https://example.org/a"),
        (" /a\n", "https://example.org/feed/x", "https://example.org/a"),
        ("HTtps://example.org/A", "", "https://example.org/A"),
        ("b", "https://example.org/feed/x", "https://example.org/feed/b"),
        ("//example.org/a", "", "https://example.org/a"),
        ("https://example.org/a b", "", "https://example.org/a%20b"),
        ("/a", "", ""),
        ("javascript:alert(1)", "https://example.org/", ""),
        ("https://user:secret@example.org/", "", ""),
        ("http://[", "https://example.org/", ""),
        ("ftp://example.org/a", "", ""),
        ("https://example.org/" + "a" * 3_000, "", ""),
    ],
)
def test_links_are_absolute_web_addresses(link: str, base: str, address: str) -> None:
    """A link is made absolute; what is no http or https address, or one with a password in it, is none."""
    assert web_address(link, base) == address
