"""What stands on a news page around the news: captions, credits, bylines, teasers, subscriptions, headlines said twice.

A sentence is furniture only by its construction, as a whole; a sentence of the news that happens to speak of photographs,
subscriptions or watching is left alone. Entries of a live blog and the parts of a broadcast script are news.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from tocsin.text import Pattern, Span, fold

_TEASERS = (
    "read more", "read also", "also read", "read next", "read on", "read the full story", "read full story", "more", "more news", "more stories",
    "more on this", "more on this story", "related", "related article", "related articles", "related story", "related stories", "related news",
    "related coverage", "related content", "related topics", "related links", "related roundup", "related posts", "related video", "related videos",
    "recommended", "recommended for you", "recommended reading", "see also", "watch", "watch live", "watch now", "watch also", "also watch",
    "watch/listen", "watch more", "watch the video", "just watched", "must watch", "must read", "listen", "listen live", "listen now", "dont miss",
    "don't miss", "don’t miss", "most read", "most popular", "most viewed", "trending", "trending now", "top stories", "editor's picks",
    "editor’s picks", "editors' picks", "editors’ picks", "in pictures", "in photos", "photos", "gallery", "photo gallery", "picture gallery",
    "slideshow", "video", "videos", "podcast", "from the archive", "from the archives", "you may also like", "you might also like", "up next",
    "next story", "previous story", "what to read next", "tags", "topics", "filed under", "explore more", "further reading",
)  # fmt: skip
"""What announces another story, or something to look at."""
_ALONE = (
    "advertisement", "advertorial", "sponsored", "sponsored content", "promoted content", "news feed", "newsfeed", "breaking news", "top comments",
    "comments", "share", "share this", "share this article", "share this story", "print", "email", "save", "subscribe", "subscribed", "sign up",
    "sign in", "log in", "menu", "search", "close", "skip to content", "loading", "click here", "story continues below",
    "story continues below advertisement", "article continues below", "continue reading", "continue reading below", "continue reading the main story",
    "back to top", "copy link", "link copied", "replay", "more videos", "replay more videos", "listen to this article",
)  # fmt: skip
"""Lines that are nothing but a button or a heading of the page."""
_OPENINGS = (
    r"follow (?:us|me|our|@)\b", r"like us on\b", r"find us on\b",
    r"join (?:us on|our (?:\w+ )?(?:channel|group|newsletter|community|telegram|whatsapp))\b", r"subscribe (?:to|now|here|today|for)\b",
    r"sign up (?:for|to|here|now|today)\b.*(?:newsletter|e-?mail|inbox|alert|briefing|digest|updates|here|free)", r"sign up (?:here|now)\b",
    r"get (?:the|our|all)\b.*\b(?:newsletter|inbox|app)\b", r"download (?:the|our)\b.*\bapp\b", r"click (?:here|for more|to)\b",
    r"by (?:signing up|entering your e-?mail|clicking|subscribing|continuing to (?:use|browse))\b",
    r"you(?:'ve|’ve| have) (?:successfully )?subscribed\b", r"already a subscriber\b", r"you can (?:now )?listen to\b", r"new you can now\b",
    r"support (?:our|independent|quality) journalism\b", r"thank you for reading\b", r"thanks for reading\b",
    r"copyright (?:©|\(c\)|\d{4}|by\b|the\b)", r"©", r"\(c\) \d{4}", r"all rights reserved\b", r"this (?:material|content) may not be\b",
    r"this (?:article|story|report|piece|post) (?:was |has been )?(?:originally |first )?(?:published|appeared|updated|produced|translated|generated)\b",
    r"the views expressed\b", r"comments are (?:closed|moderated|off)\b", r"contact the (?:author|writer|reporter|newsroom)\b",
    r"send (?:tips|corrections|comments)\b", r"have a tip\b", r"got a tip\b", r"full text for subscribers\b", r"media playback is\b",
    r"enlarge (?:this )?image\b", r"(?:toggle|hide|view) caption\b", r"(?:image|media|photo|picture|video) (?:caption|copyright|source|credit)\b",
    r"(?:file|files|representational|representative) (?:photo|image|picture|pic)\b",
    r"(?:photos?|images?|pictures?|photographs?|graphic|illustration|pic) ?(?:credit|courtesy)?[:=|]", r"pictured:", r"\(?files?\)? ?[-–—:] ",
    r"\d+ of \d+ ?\|", r"slideshow \(", r"(?:first )?(?:published|posted|updated|last updated|last modified) ?(?:[:|]|at \d|on \d|\d)[^.]{0,80}$",
    r"(?:edited|compiled|translated|written|reported) by ?:", r"\(?(?:edited|compiled|translated|written|reported) by [^.]{1,60}\)?$",
    r"with (?:files|inputs|agency inputs|reporting|additional reporting) (?:from|by)\b", r"\[?reporter's e-?mail\b", r"\d+ min(?:ute)?s? read\b",
)  # fmt: skip
"""How lines begin that offer, credit or forbid something. The whole sentence goes."""
_CLOSINGS = (
    r"\bcontributed (?:to|reporting (?:to|for)) (?:this|the) (?:report|article|story)\b.{0,20}$",
    r"\b(?:writers?|reporters?|correspondents?|producers?) [^.]{1,80} contributed\W*$", r"\bread more\W*$", r"\ball rights reserved\W*$",
    r"\bto (?:this|our) newsletter\W*$", r"\bclick here\W*$",
)  # fmt: skip
"""How such lines end."""
_AGENCIES = (
    "AP", "AFP", "Reuters", "REUTERS", "EPA(?:-EFE)?", "EFE", "Getty(?: Images)?", "Xinhua", "Yonhap", "KCNA", "KNS", "Kyodo", "TASS", "Sputnik",
    "UPI", "PTI", "ANI", "[Dd]pa", "DPA", "Anadolu(?: Agency)?", "AA", "IRNA", "Alamy", "Shutterstock", "Bloomberg", "NurPhoto", "Z[Uu][Mm][Aa](?: Press)?",
    "MAXPPP", "Handout", "[Pp]ool", "Maxar(?: Technologies)?", "Planet Labs", "Landov", "Corbis", "Newsis", "Ukrinform", "Unsplash", "Wikimedia",
)  # fmt: skip
"""Whose pictures the news prints."""
_AGENCY = f"(?:{'|'.join(_AGENCIES)})"
_PICTURE = "(?:[Pp]hotos?|[Ii]mages?|[Pp]ictures?|[Ff]ile|FILE|[Cc]redit|[Pp]hotograph|[Vv]ideo|[Ii]llustration)"
_CREDITS = (
    rf"[(\[][^()\[\]]{{0,80}}(?:/|\||\bvia\b|\bby\b|:)\s*{_AGENCY}\b[^()\[\]]{{0,40}}[)\]]\.?$",
    rf"[(\[]{_AGENCY}\b ?(?:[Pp]hotos?|[Ii]mages?|[Ff]ile|/)[^()\[\]]{{0,60}}[)\]]\.?$",
    rf"[(\[]{_PICTURE}\b(?: credit| courtesy)?(?: ?[:=|/]| by | from | photo\b| image\b|(?=[)\]]))[^()\[\]]{{0,80}}[)\]]\.?$",
    r"(?:^|[.|,;)”\"] ?|\s)(?:Photos?|Images?|Pictures?|Credit|Photograph|Courtesy|Graphic|Illustration)(?: [Cc]redit| [Cc]ourtesy)? ?[:=|] ?[^.:]{1,80}\.?$",
    r"\bCredit\s?(?:\.\.\.|…)", rf"\|\s*[^|.]{{1,60}}\b{_AGENCY}(?: [Pp]hoto)?$",
    rf"[\w)](?: ?/ ?|,? via ){_AGENCY}(?: via {_AGENCY})?(?: [Pp]hoto)?$", r"\b[Ff]ile [Pp](?:hoto|icture|ic|HOTO)\.?$",
    r"\bin this (?:undated |file |handout |pool |recent )*(?:photo|picture|photograph) (?:released|provided|distributed|taken|made available|from)\b",
)  # fmt: skip
"""What ends, or marks, the caption of a picture."""
_CAPTION = 2
"""Sentences a caption has at most; of a longer paragraph, or one that is all there is, only the credit itself is furniture."""
_HEADLINE = 30
"""Words a headline or teaser has at most."""
_SAID_TWICE = 4
"""Words a line needs to be a headline said twice, not the name of a speaker."""
_TEASED = 8
"""Headlines of other stories that follow one announcement."""
_ENDS = (".", "!", "?", ".”", '."', ".’", "?”", "!”", '?"', '!"', ".)", ":", ",", ";")

_BEFORE = r"[\s*▲►•|(\[>–—-]{0,4}"
_NAMES = "|".join(sorted(map(re.escape, _TEASERS), key=len, reverse=True))
_LABEL = Pattern(
    rf"{_BEFORE}(?:(?:{_NAMES})\s*[:|»>]|(?:also read|read also|read more|see also|related)\s*[-–—]|just watched\b|must watch\b|watch: )",
    re.IGNORECASE,
)
_HEADING = Pattern(rf"{_BEFORE}(?:{_NAMES})\W*$", re.IGNORECASE)
_BUTTON = Pattern(rf"{_BEFORE}(?:{'|'.join(map(re.escape, _ALONE))})\W*$", re.IGNORECASE)
_OPENING = Pattern(rf"{_BEFORE}(?:{'|'.join(_OPENINGS)})", re.IGNORECASE)
_CLOSING = Pattern("|".join(_CLOSINGS), re.IGNORECASE)
_CREDIT = Pattern("|".join(_CREDITS))
_HINTS = (
    "hoto",
    "mage",
    "icture",
    "redit",
    "ourtesy",
    "raphic",
    "llustration",
    "ideo",
    "ile",
    "ILE",
    "HOTO",
    "/",
    "|",
    " via ",
    "(",
)
"""Without any of these nothing is a credit."""
_CLOSERS = ("contributed", "read more", "reserved", "newsletter", "click here")
"""Without any of these, in small letters, nothing ends as what is offered or credited does."""
_TAIL = 200
"""Characters of a sentence's end in which a credit is looked for."""
_NAME = (
    r"(?:[A-Z][\w.'’-]*|of|in|and|de|der|van|von|bin|al|el|our|the|a|an|for|from|with|staff|bureaux?|desk|correspondents?|reporters?|defence|defense|diplomatic"
    r"|political|agencies|editors?|writers?|&|\|)"
)
_NAMED = rf"{_NAME}(?:[,;/]? ?[,;/ ]{_NAME}){{0,16}}"
_BYLINE = Pattern(
    rf"(?:(?:Analysis|Commentary|Report|Story|Words|Text|Interview) )?(?:by|By|BY):? {_NAMED}"
    rf"|\W?(?:(?:Additional|With additional|With) )?(?:[Rr]eporting|[Ww]riting|[Ee]diting)(?: and (?:reporting|writing|editing))? (?:by|from|in) "
    rf"{_NAMED}(?:; (?:[Ww]riting|[Ee]diting|[Aa]dditional reporting)(?: and editing)? by {_NAMED}){{0,3}}[.)]*"
)
_SHOUTED = 4
"""Words a byline in capitals has at most; a longer line in capitals is a headline."""


def news(text: str, spans: Iterable[Span]) -> Iterator[Span]:
    """The sentences of a text that are not furniture; of a headline said twice, the first."""
    told: set[bytes] = set()
    teased = 0
    for _, block in groupby(spans, key=lambda span: span.block):
        sentences = list(block)
        line = text[sentences[0].start : sentences[-1].end]
        if len(sentences) == 1 and _HEADING.match(line):
            teased = _TEASED
            continue
        unfinished = len(sentences) == 1 and not line.endswith(_ENDS) and line.count(" ") < _HEADLINE
        if unfinished:
            if teased:
                teased -= 1
                continue
            words = _words(line)
            if words in told:
                continue
            if words.count(b" ") + 1 >= _SAID_TWICE:
                told.add(words)
        elif sentences:
            teased = 0
        yield from _of_line(text, sentences, unfinished=unfinished)


def _of_line(text: str, sentences: list[Span], *, unfinished: bool) -> Iterator[Span]:
    """The sentences of one line that are not furniture."""
    last = sentences[-1]
    alone = not text[: sentences[0].start].strip() and not text[last.end :].strip()
    captioned = len(sentences) <= _CAPTION and not alone
    if captioned and any(_credited(text, one) for one in sentences):
        return
    for span in sentences:
        byline = (unfinished or span is last) and _is_byline(text[span.start : span.end])
        if not byline and not _is_furniture(text, span):
            yield span


def _is_furniture(text: str, span: Span) -> bool:
    start, end = span.start, span.end
    return bool(
        _LABEL.match(text, start, end)
        or _BUTTON.match(text, start, end)
        or _OPENING.match(text, start, end)
        or _ends_so(text, max(start, end - _TAIL), end)
        or _credited(text, span)
    )


def _ends_so(text: str, start: int, end: int) -> bool:
    tail = text[start:end].lower()
    return any(closer in tail for closer in _CLOSERS) and _CLOSING.search(text, start, end) is not None


def _credited(text: str, span: Span) -> bool:
    start = max(span.start, span.end - _TAIL)
    tail = text[start : span.end]
    return any(hint in tail for hint in _HINTS) and _CREDIT.search(text, start, span.end) is not None


def _is_byline(line: str) -> bool:
    if len(line) > _TAIL or not _BYLINE.fullmatch(line):
        return False
    return not line.isupper() or len(line.split()) <= _SHOUTED + 1


def _words(line: str) -> bytes:
    return b" ".join(fold(line).split())
