"""An article as the rules see it: its words, its sentences and clauses, and every list entry that stands in them."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import accumulate

from tocsin.amounts import amounts, value
from tocsin.compiled import Lexeme, RuleSet
from tocsin.furniture import news
from tocsin.signal import Field
from tocsin.text import MAX_TOKENS, Span, entity_end, fold, plain, sentences

_WORD = re.compile(rb"[a-z0-9]+")
_HARD = frozenset({"but", "although", "though", "whereas", "while", "despite", "unless"})
_SOFT = frozenset({
    "which", "who", "whose", "where", "when", "as", "after", "before", "amid", "because", "since", "even", "saying", "citing", "adding",
    "according", "following", "with", "and", "so", "prompting", "raising", "underscoring", "fueling", "fuelling", "if", "until", "or", "noting", "warning",
})  # fmt: skip
AUXILIARIES = frozenset({
    "is", "are", "was", "were", "has", "have", "had", "will", "would", "could", "may", "might", "should",
})  # fmt: skip
"""Verbs a clause of its own may begin with."""
_VERBS = AUXILIARIES | {"said", "says"}
_BREAK = re.compile(r"[;:\u2014\u2013]|\s[-\u2010-\u2015]+\s|--|\.\.\.|\u2026")
_LONG_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_MONTHS = {form: number for number, name in enumerate(_LONG_MONTHS, 1) for form in (name, name[:3])} | {"sept": 9}
_FINITE = frozenset({"base", "bare", "s"})
_ARTICLES = frozenset({"the", "a", "an", "this", "these", "its", "his", "her", "their", "our", "any"})
HEADLINE = 20
"""Words a headline has at most."""
_FULL_STOPS = frozenset(".!?\"'\u201d\u2019)")
_FIRST_YEAR = 1900
_YEAR = re.compile(r"(?:19|20)\d\d")
_DAY_DIGITS = 2
_TIMES = frozenset(
    {
        "in",
        "during",
        "of",
        "early",
        "late",
        "mid",
        "spring",
        "summer",
        "autumn",
        "fall",
        "winter",
        "around",
        "until",
        "back",
    }
)
_COMPARISONS = frozenset(
    {"than", "over", "from", "since", "above", "compared", "by", "until", "fiscal", "year", "through"}
)
_PLACING = frozenset(
    {"to", "into", "toward", "towards", "near", "off", "onto", "at", "in", "outside", "around", "through", "for"}
)
_WEEKDAYS = frozenset({"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"})
_MARKS = frozenset(',;:!?()[]"\u201c\u201d')


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry of a list in the text: words [start, end) of its field."""

    start: int
    end: int
    lexeme: Lexeme


def _start(hit: Hit) -> int:
    return hit.start


class Page:
    """One field of an article, scanned once."""

    def __init__(self, rules: RuleSet, field: Field, original: str, published: datetime | None = None) -> None:
        self.field: Field = field
        self.original = original
        self.plain = plain(original)
        """The original with entities read, at the same offsets: what sentences, words and marks are looked for in."""
        self.company: Sequence[Page] = (self,)
        """The pages of the article, in any of which a short name's full name may stand."""
        self._rules = rules
        self._published = published
        self._folded = fold(self.plain)
        self._words = self._folded.split()

    def release(self) -> None:
        """Lets go of what refers back to the page, so that its memory is free as soon as nobody uses it."""
        self.company = ()
        self.__dict__.pop("sentences", None)

    @cached_property
    def words(self) -> list[str]:
        """The folded words."""
        return [word.decode("ascii") for word in self._words]

    @cached_property
    def bounds(self) -> list[tuple[int, int]]:
        """Each word's offsets in the original."""
        return [match.span() for match in _WORD.finditer(self._folded)]

    def gap(self, token: int) -> str:
        """What stands between the word before and this one."""
        return self.plain[self.bounds[token - 1][1] if token else 0 : self.bounds[token][0]]

    def behind(self, token: int) -> str:
        """The character of the original behind a word, past a space before "%"."""
        end = self.bounds[token][1]
        return self.original[end : end + 2].strip()[:1] if self.original[end : end + 1] in {" ", "%"} else ""

    def value(self, hit: Hit, *, scaled: bool = True) -> float:
        """How much a sum of money, a percentage or a figure is; unscaled, 40 billion is 40."""
        begin, end = self.bounds[hit.start][0], self.bounds[hit.end - 1][1]
        return value(self.words[hit.start : hit.end], self.original[begin:end], scaled=scaled)

    @cached_property
    def raw(self) -> list[tuple[int, int, int]]:
        """Every surface form found, as (first word, word behind the last, number of the surface)."""
        joined = b" " + b" ".join(self._words) + b" "
        found = self._rules.automaton.find_matches_as_indexes(joined, overlapping=True)
        starts = list(accumulate((len(word) + 1 for word in self._words), initial=0))
        meanings = self._rules.meanings
        return [
            (first := bisect_left(starts, begin), first + meanings[number][2], number) for number, begin, _ in found
        ]

    @cached_property
    def hits(self) -> list[Hit]:
        """The list entries that count, in order: a short name only where the article names its entry, or its state, in full."""
        named = {full for page in self.company for full in page.named_in_full}
        states = self._rules.states
        return [
            hit
            for hit in self._standing
            if hit.lexeme.tag != "short" or hit.lexeme.slug in named or states.get(hit.lexeme.slug) in named
        ]

    @cached_property
    def named_in_full(self) -> set[str]:
        """The slugs of what the page calls by more than a short name."""
        return {hit.lexeme.slug for hit in self._standing if hit.lexeme.slug and hit.lexeme.tag != "short"}

    @cached_property
    def _standing(self) -> list[Hit]:
        """The list entries in order, without those that capitals, marks, a longer name or a `not:` phrase rule out."""
        hits: list[Hit] = []
        cancelled: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
        for start, end, number in self.raw:
            lexemes, cancels, _ = self._rules.meanings[number]
            if end - start > 1 and not self._unbroken(start, end):
                continue
            for canceled in cancels:
                for token in range(start, end):
                    cancelled[canceled, token].append((start, end))
            hits += [
                Hit(start, end, lexeme) for lexeme in lexemes if not lexeme.capitals or self._capital(start, lexeme)
            ]
        hits = [
            hit
            for hit in hits
            if not self._a_noun(hit)
            and not self._a_currency(hit)
            and not any(
                hit.end <= end and end - start > hit.end - hit.start
                for start, end in cancelled.get((hit.lexeme.list, hit.start), ())
            )
        ]
        hits += [hit for hit in self._computed() if hit.lexeme.list >= 0]  # a set without the list has no use for it
        hits.sort(key=lambda hit: (hit.start, -hit.end))
        return self._longest_names(hits)

    def _a_noun(self, hit: Hit) -> bool:
        """Whether what may be a verb stands behind an article or possessive, and so is a noun: "the move", "its plan"."""
        return hit.lexeme.tag in _FINITE and hit.start > 0 and self.words[hit.start - 1] in _ARTICLES

    def _a_currency(self, hit: Hit) -> bool:
        """Whether a name is the beginning of a sum of money and no state: "US$40 billion"."""
        end = self.bounds[hit.end - 1][1]
        return bool(hit.lexeme.slug) and self.original[end : end + 1] == "$"

    def _computed(self) -> Iterator[Hit]:
        """Words no list can hold: numbers in digits (`number`), sums (`amount`, `percent`, `figure`), and dates."""
        number, past, coming, near = (
            self._rules.lists.get(name, -1) for name in ("number", "past-date", "coming-date", "near-date")
        )
        sums = {
            "amount": self._rules.lists.get("amount", -1),
            "percent": self._rules.lists.get("percent", -1),
            "figure": self._rules.lists.get("figure", -1),
        }
        for start, end, kind in amounts(self.words, self.gap, self.behind):
            yield Hit(start, end, Lexeme(sums[kind], "word"))
        place = self._rules.lists.get("unlisted-place", -1)
        for token, word in enumerate(self.words):
            if self._placed(token, word):
                yield Hit(token, token + 1, Lexeme(place, "word"))
            if word[0].isdigit():
                yield Hit(token, token + 1, Lexeme(number, "word"))
                if len(word) == 4 and self._past_year(token, int(word) if word.isdecimal() else 0):  # noqa: PLR2004 - a year
                    yield Hit(token, token + 1, Lexeme(past, "word"))
            elif word in _MONTHS and self._past_month(token, _MONTHS[word]):
                yield Hit(token, token + 1, Lexeme(past, "word"))
            elif word in _MONTHS and self._coming(token, _MONTHS[word]):
                yield Hit(token, token + 1, Lexeme(coming, "word"))
                if self._near(token, _MONTHS[word]):
                    yield Hit(token, token + 1, Lexeme(near, "word"))

    @cached_property
    def _year(self) -> int:
        """The year the article speaks from: its own, or the latest it names where it has no date."""
        if self._published is not None:
            return self._published.year
        return max((int(word) for word in self.words if _YEAR.fullmatch(word)), default=0)

    def _placed(self, token: int, word: str) -> bool:
        """A capitalised word of a text behind a preposition of place: "to Jermuk"."""
        return (
            self.field == "text"
            and self._word(token - 1) in _PLACING
            and self.original[self.bounds[token][0]].isupper()
            and not self.original[self.bounds[token - 1][0]].isupper()
            and self.gap(token) == " "
            and word not in _MONTHS
            and word not in _WEEKDAYS
        )

    def _past_year(self, token: int, year: int) -> bool:
        """A year before the article's, said as a time ("in 1962", "October 1962"), not as a name ("the 2018 agreement")."""
        if not _FIRST_YEAR <= year < self._year:
            return False
        before, earlier = self._word(token - 1), self._word(token - 2)
        if before in _COMPARISONS or earlier in _COMPARISONS:
            return False
        return before in _TIMES or before in _MONTHS or (before.isdecimal() and earlier in _MONTHS)

    def _past_month(self, token: int, month: int) -> bool:
        """A month one to eight months back, said as a time ("in May", "last May"), not as a beginning ("since May")."""
        if self._published is None or not self.plain[self.bounds[token][0]].isupper():
            return False
        before = self._word(token - 2) if self._word(token - 1) in {"early", "late", "mid"} else self._word(token - 1)
        if before == "last":
            return True
        return before in {"in", "of"} and 1 <= (self._published.month - month) % 12 <= 8  # noqa: PLR2004 - months

    def _coming(self, token: int, month: int) -> bool:
        """A month up to four months ahead, or a later day of this month."""
        if self._published is None or not self.plain[self.bounds[token][0]].isupper():
            return False
        ahead = (month - self._published.month) % 12
        return 1 <= ahead <= 4 or (ahead == 0 and any(day > self._published.day for day in self._days(token)))  # noqa: PLR2004 - months

    def _near(self, token: int, month: int) -> bool:
        """A day within two weeks of the article."""
        assert self._published is not None  # noqa: S101 - `_coming` looked
        ahead = (month - self._published.month) % 12
        return any(0 <= ahead * 30 + day - self._published.day <= 15 for day in self._days(token))  # noqa: PLR2004 - days

    def _days(self, token: int) -> list[int]:
        return [
            int(word)
            for word in (self._word(token - 1), self._word(token + 1))
            if word.isdecimal() and len(word) <= _DAY_DIGITS
        ]

    def _word(self, token: int) -> str:
        return self.words[token] if 0 <= token < len(self.words) else ""

    def _unbroken(self, start: int, end: int) -> bool:
        return all(not _MARKS.intersection(self.gap(token)) for token in range(start + 1, end))

    def _capital(self, start: int, lexeme: Lexeme) -> bool:
        word, inside, first = start, 0, 0
        for offset in lexeme.capitals:  # offsets count letters of the folded surface, spaces included
            while offset - first >= (length := self.bounds[word][1] - self.bounds[word][0]) + 1:
                first += length + 1
                word += 1
            inside = offset - first
            if not self.plain[self.bounds[word][0] + inside].isupper():
                return False
        return True

    def _longest_names(self, hits: list[Hit]) -> list[Hit]:
        """Drops a name inside a longer name: the state in "Kyiv Independent", the Korea in "North Korea"."""
        kept: list[Hit] = []
        covered = -1
        cover = 0
        for hit in hits:
            if hit.lexeme.slug:
                inside = hit.end <= covered and hit.end - hit.start < cover
                if inside:
                    continue
                if hit.end > covered:
                    covered, cover = hit.end, hit.end - hit.start
            kept.append(hit)
        return kept

    @cached_property
    def present(self) -> set[int]:
        """The lists of which a word stands in the page."""
        return {hit.lexeme.list for hit in self.hits}

    @cached_property
    def sentences(self) -> list[Sentence]:
        """The sentences in order, with the hits in each."""
        if not self._words:
            return []
        starts = [start for start, _ in self.bounds]
        hit_starts = [hit.start for hit in self.hits]
        found: list[Sentence] = []
        for span in self._spans():
            low, high = bisect_left(starts, span.start), bisect_right(starts, span.end - 1)
            for first in range(low, high, MAX_TOKENS):
                last = min(first + MAX_TOKENS, high)
                hits = [
                    hit
                    for hit in self.hits[bisect_left(hit_starts, first) : bisect_left(hit_starts, last)]
                    if hit.end <= last
                ]
                begin = span.start if first == low else self.bounds[first][0]
                end = entity_end(self.original, span.end - 1) if last == high else self.bounds[last - 1][1]
                found.append(Sentence(self, len(found), Span(begin, end, span.block), first, last, hits))
        return found

    def _spans(self) -> Iterable[Span]:
        """Where the sentences stand; of a text only those that tell the news."""
        spans = sentences(self.plain)
        return spans if self.field == "title" else news(self.plain, spans)


class Sentence:
    """A sentence of a page: words [low, high) and the hits in them."""

    __slots__ = ("_by_list", "_clauses", "high", "hits", "low", "number", "page", "span")

    def __init__(self, page: Page, number: int, span: Span, low: int, high: int, hits: list[Hit]) -> None:  # noqa: PLR0913 - all of it is needed
        self.page, self.number, self.span, self.low, self.high, self.hits = page, number, span, low, high, hits
        self._by_list: dict[int, list[Hit]] | None = None
        self._clauses: list[int] | None = None

    @property
    def text(self) -> str:
        """The sentence as it stands in the original."""
        return self.page.original[self.span.start : self.span.end]

    @property
    def plain(self) -> str:
        """The sentence with entities read, at the same offsets."""
        return self.page.plain[self.span.start : self.span.end]

    @property
    def headline(self) -> bool:
        """Whether it is written as a headline: the title, or a short line of the text without a full stop or in capitals."""
        text = self.plain
        short = self.high - self.low <= HEADLINE and text.rstrip()[-1:] not in _FULL_STOPS
        return self.page.field == "title" or short or text.isupper()

    @property
    def by_list(self) -> dict[int, list[Hit]]:
        """The hits of each list, in order."""
        if self._by_list is None:
            self._by_list = {}
            for hit in self.hits:
                self._by_list.setdefault(hit.lexeme.list, []).append(hit)
        return self._by_list

    def between(self, number: int, low: int, high: int) -> list[Hit]:
        """The hits of a list that begin at words [low, high)."""
        hits = self.by_list.get(number)
        if not hits:
            return []
        return hits[bisect_left(hits, low, key=_start) : bisect_left(hits, high, key=_start)]

    def clause(self, token: int) -> int:
        """The number of the clause a word stands in."""
        if self._clauses is None:
            self._clauses = self._number_clauses()
        return self._clauses[token - self.low]

    def _number_clauses(self) -> list[int]:
        numbers: list[int] = []
        number = 0
        for token in range(self.low, self.high):
            word = self.page.words[token]
            if token > self.low and (word in _HARD or self._breaks(token, word)):
                number += 1
            numbers.append(number)
        return numbers

    def _breaks(self, token: int, word: str) -> bool:
        gap = self.page.gap(token)
        if _BREAK.search(gap):
            return not (word[0].isdigit() and self.page.words[token - 1][0].isdigit())  # a range of numbers is no break
        if "," not in gap or len(gap) == 1:  # a comma inside a number
            return False
        return word in _SOFT or self._new_subject(token)

    def _new_subject(self, token: int) -> bool:
        """Whether a clause of its own begins behind a comma: a short subject and then a verb's auxiliary."""
        for ahead in range(token + 1, min(token + 5, self.high)):
            if "," in self.page.gap(ahead):
                return False
            if self.page.words[ahead] in _VERBS:
                return True
        return False

    def word(self, token: int) -> str:
        """The folded word, or an empty string outside the sentence."""
        return self.page.words[token] if self.low <= token < self.high else ""

    def marks(self, hits: list[Hit]) -> tuple[tuple[int, int], ...]:
        """Offsets in the original of the words of some hits, in order."""
        return tuple(sorted({(self.page.bounds[hit.start][0], self.page.bounds[hit.end - 1][1]) for hit in hits}))
