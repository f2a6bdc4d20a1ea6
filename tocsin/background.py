"""What the grammar around a match says against its being news: it is asked, it is none, it is of another time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tocsin.forms import Match
from tocsin.scan import MAY_BE_PAST, PAST, Sentence

_ASKS = frozenset({"q", "question", "reporter", "journalist", "interviewer", "correspondent"})
"""Who asks in a transcript: "Q. (daily newspaper) …", "REPORTER: …"."""
_ASK_MARKS = frozenset(":.(")
_ASKED_AT_LENGTH = 12
"""Sentences a question has at most."""
_SOME = frozenset({
    "fewer", "less", "more", "later", "longer", "doubt", "matter", "other", "sooner", "choice", "secret", "surprise", "small", "one", "shock",
})  # fmt: skip
"""What makes of "no" behind it no denial: "no fewer than 300 soldiers"."""
_LATELY = frozenset({"just", "now", "already", "since"})
_RELATIVE = frozenset({"which", "who", "that"})
_REACH = 3
"""Words between "had" and its verb, or "when" and a match."""
_LONG_SPANS = frozenset({"years", "decade", "decades", "century", "centuries", "generation", "generations"})
_SINCE = frozenset({"after", "since", "before"})
_COUNTED = 10
"""Words between the years that are counted and a verb."""
_FRAMED = 2
"""Sentences a time named at a sentence's beginning rules over."""
_BEGINNING = 8
"""Words of a sentence's beginning."""
_THESE_DAYS = frozenset({
    "is", "are", "will", "has", "have", "ll", "shall", "plans", "plan", "intends", "intend", "wants", "want", "may", "can",
})  # fmt: skip
"""Verbs that stand in the article's own time."""


def reasons(match: Match, lists: Mapping[str, int], *, fresh: bool) -> Iterator[str]:
    """Why a match is no news by the grammar around it; `fresh` when a cue dates it to these days."""
    if _asked_aloud(match.sentence):
        yield "asked, not reported: what somebody who asks has heard"
    if _none_of_it(match):
        yield "negated: 'no' stands on what is spoken of"
    if _before_that(match, lists.get("reporting", -1), fresh=fresh):
        yield "background: 'had' tells what was before"
    if _counted_since(match):
        yield "history: years have passed since"
    if _recalled(match):
        yield "background: 'when' tells what was before"
    if not fresh and _framed(match, lists.get("past-date", -1)):
        yield "history: the sentences before speak of another time"


def of_these_days(match: Match) -> bool:
    """Whether a verb of the sentence up to the match's end stands in the article's own time."""
    sentence = match.sentence
    return any(sentence.word(token) in _THESE_DAYS for token in range(sentence.low, match.end))


def _asked_aloud(sentence: Sentence) -> bool:
    """Whether a paragraph is a question of a transcript: "Q: There are reports that …"."""
    page, first = sentence.page, sentence
    for earlier in reversed(page.sentences[max(0, sentence.number - _ASKED_AT_LENGTH) : sentence.number]):
        if earlier.span.block != sentence.span.block:
            break
        first = earlier
    behind = first.low + 1
    return (
        first.word(first.low) in _ASKS and behind < len(page.words) and bool(_ASK_MARKS.intersection(page.gap(behind)))
    )


def _none_of_it(match: Match) -> bool:
    """Whether it is none that is spoken of: "will send no troops"."""
    word = match.sentence.word
    inside = {token for hit in match.hits for token in range(hit.start, hit.end)}
    return any(
        word(token) == "no"
        and token not in inside
        and (word(token + 1) not in _SOME or (word(token + 1) == "more" and word(token + 2) != "than"))
        and not word(token + 1)[:1].isdigit()  # "Tunnel No. 3"
        and match.sentence.page.gap(token + 1) == " "  # "no-man's-land"
        for token in range(match.begin + 1, match.end - 1)
    )


def _before_that(match: Match, reporting: int, *, fresh: bool) -> bool:
    """Whether "had" tells of what was before the article's days, and nobody reports it: "Japan, which had deployed batteries"."""
    sentence, start = match.sentence, match.head.start
    if match.head.lexeme.tag not in MAY_BE_PAST or sentence.headline:
        return False
    had = next((token for token in range(start - 1, start - 1 - _REACH, -1) if sentence.word(token) == "had"), None)
    if had is None or any(sentence.word(token) in _LATELY for token in range(had, start)):
        return False
    if sentence.word(had - 1) in _RELATIVE and "," in sentence.page.gap(had - 1):
        return True
    return not fresh and reporting not in sentence.by_list


def _counted_since(match: Match) -> bool:
    """Whether a clause counts the years since: "52 years after 75,000 troops came ashore"."""
    sentence = match.sentence
    for token in range(match.head.start - 1, max(match.head.start - 1 - _COUNTED, sentence.low), -1):
        if ", " in sentence.page.gap(token + 1):
            return False
        if sentence.word(token) in _SINCE and sentence.word(token - 1) in _LONG_SPANS:
            return True
    return False


def _recalled(match: Match) -> bool:
    """Whether a clause with "when" recalls it: "sent in February, when Russian tanks stood at the border"."""
    sentence = match.sentence
    recalls = any(
        sentence.word(token) == "when" and token > sentence.low for token in range(match.begin - _REACH, match.begin)
    )
    was = (sentence.word(token) in {"was", "were"} for token in range(match.begin, match.end))
    return recalls and (match.head.lexeme.tag in PAST or any(was))


def _framed(match: Match, past: int) -> bool:
    """Whether a sentence shortly before, of the same paragraph, begins with a time long past, and this one names none of its own."""
    sentence, page = match.sentence, match.sentence.page
    if page.field == "title" or of_these_days(match):
        return False
    return any(
        earlier.span.block == sentence.span.block and earlier.between(past, earlier.low, earlier.low + _BEGINNING)
        for earlier in page.sentences[max(0, sentence.number - _FRAMED) : sentence.number]
    )
