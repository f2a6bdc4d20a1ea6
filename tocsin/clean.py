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
_BREAKS = dict.fromkeys("\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029", "\n")
_JOINERS = re.compile("[\u200c\u200d]")
_JOINING = "[\u0600-\u109f\u1780-\u18af\ua840-\ua87f\ua8e0-\ua8ff\ufb50-\ufdff\ufe70-\ufeff]"
_JOINED = re.compile(f"(?<={_JOINING})[\u200c\u200d](?={_JOINING})")
_KEPT = {"\ue000": "\u200c", "\ue001": "\u200d"}
_PRIVATE = re.compile("[\ue000\ue001]")
_MARKS = 30
"""As many combining marks on one character as Unicode's stream-safe format allows; sorting more of them takes quadratic time."""
_STACK = re.compile(rf"[^\w\s\x00-\x7f]{{{_MARKS + 1},}}")


def clean(text: str, limit: int | None = None) -> str:
    """The text as a reader sees it, at most `limit` characters of it; lines stay lines."""
    text = text[:limit].replace("\r\n", "\n")
    if not text.isascii():
        if _JOINERS.search(text):
            text = _JOINED.sub(lambda found: "\ue000" if found[0] == "\u200c" else "\ue001", _PRIVATE.sub("", text))
        text = _STACK.sub(_unstacked, text)
    table = {ord(char): _seen(char) for char in set(text) if not char.isprintable() or char in _INVISIBLE}
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
    if char in _KEPT:
        return _KEPT[char]
    return " " if char == "\t" or char.isspace() else ""


def _unstacked(found: re.Match[str]) -> str:
    """The same run without the marks that are piled too high."""
    kept, height = [], 0
    for char in found[0]:
        height = height + 1 if unicodedata.combining(char) else 0
        if height <= _MARKS:
            kept.append(char)
    return "".join(kept)


_TAG = re.compile(r"""<(/?)([a-zA-Z][^\s<>/"']*+)((?:[^<>"']++|"[^"]*+"|'[^']*+')*+)(>|(?=<)|\Z)""")
"""A tag up to its end, or to where the next begins. Each attempt ends at the next `<`, so all of them together are linear."""
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
    "script", "select", "style", "svg", "template", "textarea", "title", "video",
})  # fmt: skip
"""Elements whose content is no text of the page."""
_RAW = frozenset({"script", "style"})
"""Those of them that a browser lets reach to the end when they are not closed."""
_EMPTY = frozenset({"embed", "link", "meta"})
_KNOWN = _INLINE | _SPACED | _BLOCKS | _UNSEEN
_LONG_NUMBER = re.compile(r"&#(?:0*+[0-9]{8,}+|[xX]0*+[0-9a-fA-F]{7,}+);?")
_HTML = re.compile(r"</[a-zA-Z][a-zA-Z0-9]*+\s*+>|<(?:br|p|img|hr)\b", re.IGNORECASE)
_SPACES = re.compile(r"[^\S\n]+")
_LINES = re.compile(r" ?\n[ \n]*")


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
    return tidy(clean("".join(_pieces(source))), limit)


def tidy(text: str, limit: int | None = None) -> str:
    """Clean text without surplus spaces and empty lines."""
    return _LINES.sub("\n", _SPACES.sub(" ", text)).strip()[:limit].rstrip()


def _pieces(source: str) -> Iterator[str]:
    """The text between the tags, and what stands for them."""
    gone: set[str] = set()
    at = 0
    while (start := source.find("<", at)) >= 0:
        yield unescaped(source[at:start])
        shown, at = _markup(source, start, gone)
        yield shown
    yield unescaped(source[at:])


def _markup(source: str, start: int, gone: set[str]) -> tuple[str, int]:
    """What is shown for the markup that begins at a `<`, and where it ends. `gone`: closings there are no more of."""
    if source.startswith("<!--", start):
        return "", _after(source, "-->", start + 2, gone, len(source))
    if source.startswith("<![CDATA[", start):
        end = _after(source, "]]>", start + 9, gone, len(source))
        return source[start + 9 : end].removesuffix("]]>"), end
    if source.startswith(("<!", "<?"), start):
        return "", _after(source, ">", start, gone, len(source))
    tag = _TAG.match(source, start)
    if tag is None:
        return "<", start + 1
    name = tag[2].lower()
    if not tag[4] and name not in _KNOWN:
        return "<", start + 1
    if name in _UNSEEN and not tag[1]:
        return "", tag.end() if name in _EMPTY else _unseen(source, name, tag.end(), gone)
    return "\n" if name in _BLOCKS else " " if name in _SPACED else "", tag.end()


def _unseen(source: str, name: str, start: int, gone: set[str]) -> int:
    """The end of an element whose content is not shown."""
    closing = f"</{name}"
    if closing not in gone:
        found = re.compile(re.escape(closing) + r"\b[^<>]*+>?", re.IGNORECASE).search(source, start)
        if found:
            return found.end()
        gone.add(closing)
    return len(source) if name in _RAW else start


def _after(source: str, closing: str, start: int, gone: set[str], otherwise: int) -> int:
    """The place behind the next `closing`."""
    if closing not in gone:
        found = source.find(closing, start)
        if found >= 0:
            return found + len(closing)
        gone.add(closing)
    return otherwise


def tags(source: str, name: str) -> Iterator[dict[str, str]]:
    """The attributes of each start tag of that name in a piece of HTML, by lower-case name."""
    for found in _TAG.finditer(source):
        if not found[1] and found[2].lower() == name:
            pairs = _ATTRIBUTE.findall(found[3])
            yield {key.lower(): clean(unescaped(value.strip("\"'")), 2_000) for key, value in pairs}


def web_address(link: str, base: str = "", limit: int = 2_000) -> str:
    """The link as an absolute http(s) address, read relative to `base`; empty when it is none, or longer than `limit`."""
    link = "".join(clean(link).split("\n")).strip().replace(" ", "%20")
    try:
        link = urljoin(base, link) if base else f"https:{link}" if link.startswith("//") else link
        parts = urlsplit(link)
        usable = parts.scheme in {"http", "https"} and parts.hostname and not parts.username and len(link) <= limit
    except ValueError:
        return ""
    return link if usable else ""
