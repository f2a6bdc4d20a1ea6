"""An article as the rules see it: its words, its sentences and clauses, and every list entry that stands in them."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import accumulate, count

from tocsin.amounts import NUMERALS, amounts, value
from tocsin.compiled import ANYWHERE, COMPUTED, Lexeme, Place, RuleSet
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
FORMS_OF_BE = frozenset({"is", "are", "was", "were", "be", "been", "being"})
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
_UNTIL = frozenset({"and", "to", "or", "until", "till", "through"})
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
FIGURES = frozenset({"number", "amount", "percent", "figure"})
DATES = frozenset({"past-date", "coming-date", "near-date"})
_FIGURES = frozenset(word.encode() for word in NUMERALS)
_DATES = frozenset(month.encode() for month in _MONTHS)
_PREPOSITIONS = frozenset(word.encode() for word in _PLACING)
_DIGIT = re.compile(rb"[0-9]")
_CAPITAL = re.compile(r" [^\W\d_a-z]")
_MARKS = frozenset(',;:!?()[]"\u201c\u201d')


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry of a list in the text: words [start, end) of its field."""

    start: int
    end: int
    lexeme: Lexeme


def _start(hit: Hit) -> int:
    return hit.start


def _end(found: tuple[int, int, int]) -> int:
    return found[1]


def _longest_names(hits: list[Hit]) -> list[Hit]:
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
        tokens = dict(zip(accumulate((len(word) + 1 for word in self._words), initial=0), count(), strict=False))
        meanings = self._rules.meanings
        return [(first := tokens[begin], first + meanings[number][2], number) for number, begin, _ in found]

    @cached_property
    def possible(self) -> dict[str, dict[int, list[int]]]:
        """Rule → sentence → the forms, by their numbers, of which a word for each step may stand in that sentence.

        Worked out from what was found alone, before anything else is: most pages hold no such sentence and are done with.
        """
        rules = self._rules
        found: dict[str, dict[int, list[int]]] = {}
        anchored = rules.anchored
        if ANYWHERE not in anchored and all(number not in anchored for _, _, number in self.raw):
            return found
        lows, highs = self._ranges
        begun: dict[int, set[int]] = {}
        if anywhere := anchored.get(ANYWHERE):
            begun = {place: set(anywhere) for place in range(len(lows))}
        for first, last, number in self.raw:
            if number in anchored and (place := bisect_right(lows, first) - 1) >= 0 and last <= highs[place]:
                begun.setdefault(place, set()).update(anchored[number])
        ends = [last for _, last, _ in self.raw]
        for place, forms in begun.items():
            near = self.raw[bisect_right(ends, lows[place]) : bisect_right(ends, highs[place])]
            numbers = {number for first, _, number in near if first >= lows[place]}
            lists = frozenset[Place]().union(*(rules.bearing[number] for number in numbers))
            whole: frozenset[Place] | None = None
            for rule, form, listed, others in (rules.waiting[one] for one in forms):
                if any(map(lists.isdisjoint, listed)):
                    continue
                if others:
                    whole = lists | self._computable(place) if whole is None else whole
                    if any(map(whole.isdisjoint, others)):
                        continue
                found.setdefault(rule, {}).setdefault(place, []).append(form)
        return found

    def _computable(self, place: int) -> set[Place]:
        """The lists to which a sentence may add words that no list can hold."""
        span, lows, highs = self._spans[place], *self._ranges
        words = frozenset(self._words[lows[place] : highs[place]])
        digits = _DIGIT.search(self._folded, span.start, span.end) is not None
        names: set[str] = set()
        if digits or words & _FIGURES:
            names |= FIGURES
        if digits or words & _DATES:
            names |= DATES
        if words & _PREPOSITIONS and _CAPITAL.search(self.plain, span.start, span.end):
            names.add("unlisted-place")
        return {self._rules.lists[name] for name in names if name in self._rules.lists}

    @cached_property
    def _ranges(self) -> tuple[list[int], list[int]]:
        """The first word of each sentence, and the word behind its last."""
        lows, highs, token, place = [], [], 0, 0
        for span in self._spans:
            token += len(self._folded[place : span.start].split())
            lows.append(token)
            token += len(self._folded[span.start : span.end].split())
            highs.append(token)
            place = span.end
        return lows, highs

    @cached_property
    def hits(self) -> list[Hit]:
        """The list entries that count in the whole page, outside of its sentences too."""
        return self.hits_in(0, len(self._words))

    def hits_in(self, low: int, high: int) -> list[Hit]:
        """The list entries that count in words [low, high): a short name only where the article names it, or its state, in full."""
        standing = self._standing(low, high, self._lexemes)
        standing += [
            hit for hit in self._computed(low, high) if hit.lexeme.list >= 0
        ]  # a set without the list has no use for it
        standing.sort(key=lambda hit: (hit.start, -hit.end))
        named, states = self._named, self._rules.states
        return [
            hit
            for hit in _longest_names(standing)
            if low <= hit.start
            and hit.end <= high
            and (hit.lexeme.tag != "short" or hit.lexeme.slug in named or states.get(hit.lexeme.slug) in named)
        ]

    @cached_property
    def _named(self) -> set[str]:
        """What the article calls by more than a short name; looked for only where a short name may stand."""
        shortened = any(number in self._rules.shortened for page in self.company for _, _, number in page.raw)
        return {slug for page in self.company for slug in page.named_in_full} if shortened else set()

    @cached_property
    def named_in_full(self) -> set[str]:
        """The slugs of what the page calls by more than a short name."""
        standing = self._standing(0, len(self._words), self._rules.naming.__getitem__)
        standing.sort(key=lambda hit: (hit.start, -hit.end))
        return {hit.lexeme.slug for hit in _longest_names(standing) if hit.lexeme.tag != "short"}

    def _lexemes(self, number: int) -> Sequence[Lexeme]:
        """What a surface form may mean: entries of shared lists, and of those of the rules that may find something here."""
        shared, owned = self._rules.apart[number]
        if not owned:
            return shared
        return [*shared, *(lexeme for rule in self._candidates if rule in owned for lexeme in owned[rule])]

    @cached_property
    def _candidates(self) -> list[str]:
        return sorted({rule for page in self.company for rule in page.possible})

    def _standing(self, low: int, high: int, lexemes_of: Callable[[int], Sequence[Lexeme]]) -> list[Hit]:
        """The list entries that touch words [low, high), without those that capitals, marks or a `not:` phrase rule out."""
        hits: list[Hit] = []
        meanings = self._rules.meanings
        cancelled: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
        for index in range(bisect_right(self.raw, low, key=_end), len(self.raw)):
            start, end, number = self.raw[index]
            if start >= high:
                if end - self._rules.longest >= high:
                    break
                continue
            lexemes, cancels = lexemes_of(number), meanings[number][1]
            if end - start > 1 and (lexemes or cancels) and not self._unbroken(start, end):
                continue
            for canceled in cancels:
                for token in range(start, end):
                    cancelled[canceled, token].append((start, end))
            hits += [
                Hit(start, end, lexeme) for lexeme in lexemes if not lexeme.capitals or self._capital(start, lexeme)
            ]
        return [
            hit
            for hit in hits
            if not self._a_noun(hit)
            and not self._a_currency(hit)
            and not any(
                hit.end <= end and end - start > hit.end - hit.start
                for start, end in cancelled.get((hit.lexeme.list, hit.start), ())
            )
        ]

    def _a_noun(self, hit: Hit) -> bool:
        """Whether what may be a verb stands behind an article or possessive, and so is a noun: "the move", "its plan"."""
        return hit.lexeme.tag in _FINITE and hit.start > 0 and self.words[hit.start - 1] in _ARTICLES

    def _a_currency(self, hit: Hit) -> bool:
        """Whether a name is the beginning of a sum of money and no state: "US$40 billion"."""
        end = self.bounds[hit.end - 1][1]
        return bool(hit.lexeme.slug) and self.original[end : end + 1] == "$"

    def _computed(self, low: int, high: int) -> Iterator[Hit]:
        """Words no list can hold: numbers in digits (`number`), sums (`amount`, `percent`, `figure`), and dates."""
        lists = {name: self._rules.lists.get(name, -1) for name in COMPUTED}
        number, past, coming, near = (lists[name] for name in ("number", "past-date", "coming-date", "near-date"))
        words = self.words[low:high]
        for start, end, kind in amounts(
            words, lambda token: self.gap(low + token), lambda token: self.behind(low + token)
        ):
            yield Hit(low + start, low + end, Lexeme(lists[kind], "word"))
        place = lists["unlisted-place"]
        for token, word in enumerate(words, low):
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
            for word in (self._word(token - 1), self._word(token + 1), self._first_day(token))
            if word.isdecimal() and len(word) <= _DAY_DIGITS
        ]

    def _first_day(self, token: int) -> str:
        """The day a stretch of days before a month begins with: "between 8 and 25 February", "18-22 November"."""
        if not self._word(token - 1).isdecimal():
            return ""
        return self._word(token - 3) if self._word(token - 2) in _UNTIL else self._word(token - 2)

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

    @cached_property
    def present(self) -> set[int]:
        """The lists of which a word stands in a sentence of the page."""
        return {number for sentence in self.sentences for number in sentence.by_list}

    @cached_property
    def sentences(self) -> list[Sentence]:
        """The sentences in order."""
        if not self._words:
            return []
        starts = [start for start, _ in self.bounds]
        found: list[Sentence] = []
        spans = self._spans if self.field == "title" else news(self.plain, self._spans)
        places = {span.start: place for place, span in enumerate(self._spans)}
        for span in spans:
            low, high = bisect_left(starts, span.start), bisect_right(starts, span.end - 1)
            for first in range(low, high, MAX_TOKENS):
                last = min(first + MAX_TOKENS, high)
                begin = span.start if first == low else self.bounds[first][0]
                end = entity_end(self.original, span.end - 1) if last == high else self.bounds[last - 1][1]
                where = Span(begin, end, span.block)
                found.append(Sentence(self, len(found), where, first, last, places[span.start]))
        return found

    @cached_property
    def _spans(self) -> list[Span]:
        """Where the sentences stand, those that are no news too."""
        return sentences(self.plain)


class Sentence:
    """A sentence of a page: words [low, high) and the hits in them."""

    __slots__ = ("_by_list", "_clauses", "_hits", "high", "low", "number", "page", "place", "span")

    def __init__(self, page: Page, number: int, span: Span, low: int, high: int, place: int) -> None:  # noqa: PLR0913 - all of it is needed
        self.page, self.number, self.span, self.low, self.high = page, number, span, low, high
        self.place = place
        """Its number among all sentences of the field, those that are no news too."""
        self._hits: list[Hit] | None = None
        self._by_list: dict[int, list[Hit]] | None = None
        self._clauses: list[int] | None = None

    @property
    def hits(self) -> list[Hit]:
        """The list entries in it that count, in order."""
        if self._hits is None:
            self._hits = self.page.hits_in(self.low, self.high)
        return self._hits

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
            if "," in self.page.gap(ahead) or self.page.words[ahead] in {"and", "or"}:  # "troops, guns and tanks will"
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
