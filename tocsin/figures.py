"""Numbers in a sentence, bound to the noun they count: "1,500 soldiers", "6K", "ten thousand", "7.2 percent", "$52 billion"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tocsin.compiled import Doubt, Rule
from tocsin.scan import Hit, Sentence
from tocsin.signal import Figure
from tocsin.text import Pattern

_NUMBER = r"(?<![\w.,])(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?P<k>\s?[kK]\b)?"
_SCALE = r"(?:[\s-]*(?P<scale>thousand|hundred|million|billion|trillion|bn|mn|m|tn)\b)?"
_PERCENT = Pattern(_NUMBER + r"\s?(?P<unit>%|per\s?cent\b|percent\b|pct\b|percentage points\b|pc\b)")
_MONEY = Pattern(
    r"(?P<unit>[$€£¥₹₩]|US\$|A\$|Rs\.?|PKR|USD|EUR|\b(?:RMB))\s?" + _NUMBER.replace(r"(?<![\w.,])", "") + _SCALE,
    re.IGNORECASE,
)
_MONEY_AFTER = Pattern(
    _NUMBER
    + r"\s?"
    + _SCALE
    + r"\s(?P<unit>dollars|yuan|rupees|euros|pounds|won|rubles|roubles|crowns|kronor|zlotys?|shekels|yen|pesos|marks)\b",
    re.IGNORECASE,
)
_COUNT = Pattern(_NUMBER + r"(?!\d|(?:st|nd|rd|th)\b)" + _SCALE, re.IGNORECASE)
_WORDS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
    "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90, "dozen": 12, "a": 1,
}  # fmt: skip
_SPELLED = Pattern(
    r"\b(?P<number>" + "|".join(_WORDS) + r")[\s-](?P<scale>hundred|thousand|million|billion|dozen)\b", re.IGNORECASE
)
_SCALES = {
    "hundred": 1e2,
    "dozen": 12.0,
    "thousand": 1e3,
    "million": 1e6,
    "mn": 1e6,
    "m": 1e6,
    "billion": 1e9,
    "bn": 1e9,
    "trillion": 1e12,
    "tn": 1e12,
}
_YEARS = range(1900, 2101)
REACH = 5
"""Words a number may stand before the noun it counts."""


def figures_of(rule: Rule, sentence: Sentence, hits: tuple[Hit, ...]) -> Iterator[Figure]:
    """The figures of a matched sentence that the rule asks for, as printed, with the reading it doubts them by."""
    for wanted in rule.figures:
        if wanted.unit == "count":
            yield from _counts(sentence, wanted.of, wanted.counts, hits)
        else:
            for printed, value, unit in (_percents if wanted.unit == "percent" else _money)(sentence.plain):
                yield _doubted(rule, Figure(printed, value, unit, wanted.counts))


def _percents(text: str) -> Iterator[tuple[str, float, str]]:
    for match in _PERCENT.finditer(text):
        yield _printed(match), _value(match), "percent"


def _money(text: str) -> Iterator[tuple[str, float, str]]:
    for pattern in (_MONEY, _MONEY_AFTER):
        for match in pattern.finditer(text):
            yield _printed(match), _value(match), "money"


def _counts(sentence: Sentence, nouns: frozenset[int], counts: str, hits: tuple[Hit, ...]) -> Iterator[Figure]:
    page = sentence.page
    for hit in (hit for number in nouns for hit in sentence.by_list.get(number, ()) if _matched(hit, hits)):
        low = max(sentence.low, hit.start - REACH)
        begin, end = page.bounds[low][0], page.bounds[hit.start][0]
        found = [*_COUNT.finditer(page.plain, begin, end), *_SPELLED.finditer(page.plain, begin, end)]
        for match in found:
            value = _value(match)
            if value in _YEARS and "," not in match.group():
                continue
            if not re.search(r"[;:.%]\s|%|percent", page.plain[match.end() : end]):
                yield Figure(_printed(match), value, "count", counts)


def _matched(noun: Hit, hits: tuple[Hit, ...]) -> bool:
    """Whether a noun is part of what matched, under whatever list."""
    return any(hit.start < noun.end and noun.start < hit.end for hit in hits)


def _printed(match: re.Match[str]) -> str:
    """The figure as it is printed; an entity leaves blanks behind."""
    return " ".join(match.group().split())


def _value(match: re.Match[str]) -> float:
    groups = match.groupdict()
    number = groups["number"].lower()
    value = float(_WORDS[number]) if number in _WORDS else float(number.replace(",", ""))
    if groups.get("k"):
        value *= 1000
    return value * _SCALES.get((groups.get("scale") or "").lower(), 1.0)


def _doubted(rule: Rule, figure: Figure) -> Figure:
    for doubt in rule.doubts:
        if doubt.unit == figure.unit and figure.value > doubt.above:
            return Figure(
                figure.printed, figure.value, figure.unit, doubt.counts, _reading(doubt, figure.value), doubt.note
            )
    return figure


def _reading(doubt: Doubt, value: float) -> str:
    return doubt.reading.format(value=f"{value:g}", less_100=f"{value - 100:+.3g}")
