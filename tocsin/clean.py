"""Text from outside, cleaned once at the border: what nobody can see goes, markup becomes lines, and nothing grows.

Gone are control characters, bidirectional controls, zero-width characters, variation selectors, soft hyphens, lone
surrogates, private and unassigned code points: they hide words from rules, or one text behind another. ZERO WIDTH JOINER
and NON-JOINER stay between letters of the scripts whose spelling needs them (Arabic, Persian, Syriac, the scripts of
India, Burmese, Khmer, Mongolian), and go everywhere else, in emoji too. Every kind of space becomes a space, every kind
of line end a line feed; what is left is in Unicode's normal form C. All of it takes linear time.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {
    chr(code) for start, end in ((0x180B, 0x1810), (0xFE00, 0xFE10), (0xE0100, 0xE01F0)) for code in range(start, end)
}
"""Letters, marks and symbols that show nothing."""
_PLAIN = frozenset(map(chr, range(ord(" "), ord("~")))) | {"\n"}
_BREAKS = dict.fromkeys("\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029", "\n")
_JOINING = "[\u0600-\u109f\u1780-\u18af\ua840-\ua87f\ua8e0-\ua8ff\ufb50-\ufdff\ufe70-\ufefc]"
_JOINERS = "\u200c\u200d"
_STRAY = re.compile(f"[{_JOINERS}](?:(?<!{_JOINING}[{_JOINERS}])|(?!{_JOINING}))")
_MARKS = 30
"""As many combining marks on one character as Unicode's stream-safe format allows; sorting more of them takes quadratic time."""
_STACK = re.compile(rf"[^\w\s\x00-\x7f]{{{_MARKS + 1},}}")


def clean(text: str, limit: int | None = None) -> str:
    """The text as a reader sees it, at most `limit` characters of it; lines stay lines."""
    text = text[:limit].replace("\r\n", "\n")
    if text.isascii() and text.isprintable():
        return text
    alphabet = set(text) - _PLAIN
    if not text.isascii():
        text = _STRAY.sub("", text)
        if any(map(unicodedata.combining, alphabet)):
            text = _STACK.sub(_unstacked, text)
    table = {ord(char): _seen(char) for char in alphabet if not char.isprintable() or char in _INVISIBLE}
    if table:
        text = text.translate(table)
    return text if text.isascii() else unicodedata.normalize("NFC", text)[:limit]


def line(text: str, limit: int | None = None) -> str:
    """`clean` as one line without surplus spaces."""
    return " ".join(clean(text, limit).split())


def _seen(char: str) -> str:
    """What is shown in place of a character that is not printed."""
    if char in _BREAKS:
        return _BREAKS[char]
    if char in _JOINERS:
        return char
    return " " if char == "\t" or char.isspace() else ""


def _unstacked(found: re.Match[str]) -> str:
    """The same run without the marks that are piled too high."""
    kept, height = [], 0
    for char in found[0]:
        height = height + 1 if unicodedata.combining(char) else 0
        if height <= _MARKS:
            kept.append(char)
    return "".join(kept)


_MARKUP = re.compile(
    r"""<(?:
      !--(?:.*?-->|.*)
    | !\[CDATA\[(?P<data>.*?)(?:\]\]>|\Z)
    | [!?][^<>]*+>?
    | (?P<raw>script|style)\b[^<>]*+>?.*?(?:</(?P=raw)\b[^<>]*+>?|\Z)
    | (?P<close>/?)(?P<name>[a-z][^\s<>/"']*+)(?P<rest>(?:[^<>"']++|"[^"]*+"|'[^']*+')*+)(?P<end>>|(?=<)|\Z|["'][^<>]*+>?)
    )""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
"""A comment, a CDATA section, a declaration, a script, or a tag up to its end or to where the next begins.

What is not closed reaches to the end, as it does in a browser, or ends at the next `<`: so each attempt costs what it consumes.
"""
_ATTRIBUTE = re.compile(r"""([^\s=<>"'/]++)\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s<>"']++)""")
_INLINE = frozenset({
    "a", "abbr", "acronym", "b", "basefont", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i",
    "img", "ins", "kbd", "label", "mark", "meter", "nobr", "output", "progress", "q", "rp", "rt", "ruby", "s", "samp",
    "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr",
})  # fmt: skip
_SPACED = frozenset({"td", "th", "button", "input"})
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "br", "caption", "center", "dd", "details", "dir", "div", "dl",
    "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header",
    "hgroup", "hr", "html", "legend", "li", "main", "menu", "nav", "noscript", "ol", "p", "pre", "section", "summary",
    "table", "tbody", "tfoot", "thead", "tr", "ul",
})  # fmt: skip
_UNSEEN = frozenset({
    "applet", "audio", "canvas", "embed", "frameset", "iframe", "link", "math", "meta", "noembed", "noframes", "object",
    "select", "svg", "template", "textarea", "title", "video",
})  # fmt: skip
"""Elements whose content is no text of the page."""
_EMPTY = frozenset({"embed", "link", "meta"})
_KNOWN = _INLINE | _SPACED | _BLOCKS | _UNSEEN
_LONG_NUMBER = re.compile(r"&#(?:0*+[0-9]{8,}+|[xX]0*+[0-9a-fA-F]{7,}+);?")
_HTML = re.compile(r"</[a-zA-Z][a-zA-Z0-9]*+\s*+>|<(?:br|p|img|hr)\b", re.IGNORECASE)
_SPACES = re.compile(" {2,}+")
_LINES = re.compile(" ++\n[ \n]*+|\n[ \n]++")
"""Only what must change: a match for every space would cost more memory than the text."""


def is_html(text: str) -> bool:
    """Whether a text that does not say so has tags of HTML in it."""
    return _HTML.search(text) is not None


def unescaped(text: str) -> str:
    """The text with its entities decoded; a number that is no character becomes U+FFFD."""
    if "&" not in text:
        return text
    return html.unescape(_LONG_NUMBER.sub("\ufffd", text))


def html_text(source: str, limit: int | None = None) -> str:
    """What a browser would show of a piece of HTML: block elements as lines, scripts, styles and comments left out."""
    return tidy(clean(unescaped("".join(_shown(source)))), limit)


def tidy(text: str, limit: int | None = None) -> str:
    """Clean text without surplus spaces and empty lines."""
    return _LINES.sub("\n", _SPACES.sub(" ", text)).strip()[:limit].rstrip()


def _shown(source: str) -> list[str]:
    """The text between the tags, and what stands for them; entities are still entities."""
    pieces: list[str] = []
    hidden, since, at = "", 0, 0
    for found in _MARKUP.finditer(source):
        if found.start() > at:
            pieces.append(source[at : found.start()])
        at = found.end()
        name = (found["name"] or "").lower()
        if not name:
            pieces.append(found["data"] or "")
        elif found["end"] != ">" and not (name in _KNOWN and ("=" in found["rest"] or not found["rest"].strip())):
            pieces.append("<")
            at = found.start() + 1
        elif hidden == name and found["close"]:
            hidden = ""
            del pieces[since:]
        elif name in _UNSEEN:
            if not hidden and not found["close"] and name not in _EMPTY:
                hidden, since = name, len(pieces)
        elif name not in _INLINE:
            pieces.append(" " if name in _SPACED else "\n" if name in _BLOCKS else "")
    pieces.append(source[at:])
    return pieces


def tags(source: str, name: str) -> Iterator[dict[str, str]]:
    """The attributes of each start tag of that name in a piece of HTML, by lower-case name."""
    for found in _MARKUP.finditer(source):
        if not found["close"] and (found["name"] or "").lower() == name:
            pairs = _ATTRIBUTE.findall(found["rest"])
            yield {key.lower(): clean(unescaped(value.strip("\"'")), 2_000) for key, value in pairs}


def web_address(link: str, base: str = "", limit: int = 2_000) -> str:
    """The link as an absolute http(s) address, read relative to `base`; empty when it is none, or longer than `limit`."""
    link = "".join(clean(link).split("\n")).strip().replace(" ", "%20")
    if not link:  # it would be read as the base itself
        return ""
    try:
        link = urljoin(base, link) if base else f"https:{link}" if link.startswith("//") else link
        parts = urlsplit(link)
        usable = parts.scheme in {"http", "https"} and parts.hostname and not parts.username and len(link) <= limit
    except ValueError:
        return ""
    return parts.scheme + link[len(parts.scheme) :] if usable else ""
