"""An article as the rules see it: its words, its sentences and clauses, and every list entry that stands in them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from tocsin.amounts import amounts, value
from tocsin.compiled import Lexeme, RuleSet
from tocsin.furniture import news
from tocsin.sieve import COMPUTED, PLACING
from tocsin.sieve import MONTH_NUMBERS as _MONTHS
from tocsin.signal import Field
from tocsin.text import MAX_TOKENS, Pattern, Span, entity_end, fold, hard_wrapped, plain, sentences

_WORD = Pattern(rb"[a-z0-9]+")
_HARD = frozenset({"but", "although", "though", "whereas", "while", "despite", "unless"})
_SOFT = frozenset({
    "which", "who", "whose", "where", "when", "as", "after", "before", "amid", "because", "since", "even", "saying", "citing", "adding",
    "according", "following", "with", "and", "so", "prompting", "raising", "underscoring", "fueling", "fuelling", "if", "until", "or", "noting", "warning",
})  # fmt: skip
_WENT = frozenset(
    {
        "began",
        "came",
        "drove",
        "flew",
        "gave",
        "got",
        "has",
        "left",
        "made",
        "put",
        "rose",
        "sent",
        "set",
        "stood",
        "took",
        "went",
    }
)
"""Verbs of the past that do not end like "landed"."""
_RELATIVE = frozenset({"which", "who", "whose", "whom", "where", "when"})
AUXILIARIES = frozenset({
    "is", "are", "was", "were", "has", "have", "had", "will", "would", "could", "may", "might", "should",
})  # fmt: skip
"""Verbs a clause of its own may begin with."""
PAST = frozenset({"past", "part"})
"""What form of a verb a word of the past is."""
MAY_BE_PAST = PAST | {"bare"}
"""The same, and the form of a verb that does not change: "put"."""
FORMS_OF_BE = frozenset({"is", "are", "was", "were", "be", "been", "being"})
_VERBS = AUXILIARIES | {"said", "says"}
_BREAK = Pattern(r"[;:\u2014\u2013]|\s[-\u2010-\u2015]+\s|--|\.\.\.|\u2026")
_FINITE = frozenset({"base", "bare", "s"})
_ARTICLES = frozenset({"the", "a", "an", "this", "these", "its", "his", "her", "their", "our", "any"})
HEADLINE = 20
"""Words a headline has at most."""
_FULL_STOPS = frozenset(".!?\"'\u201d\u2019)")
_FIRST_YEAR = 1900
_YEAR = Pattern(r"(?:19|20)\d\d")
_DAY_DIGITS = 2
_UNTIL = frozenset({"and", "to", "or", "until", "till", "through"})
_DASHES = frozenset({"-", "\u2013"})
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
_ONWARDS = frozenset({"on", "onward", "onwards"})
_AHEAD = frozenset({"will", "ll", "would", "shall", "plans", "intends", "expects", "hopes", "aims"})
"""Verbs behind which, or ahead of which, a month is one to come."""
_AHEAD_REACH = 10
_ENDS = frozenset('.;:!?()"\u201c\u201d')
_WEEKDAYS = frozenset({"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"})
_LINE = Pattern(r"\n")
_MARKS = frozenset(',;:!?()[]"\u201c\u201d')


Range = tuple[int, int, Span]
"""A span with its words [low, high)."""


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry of a list in the text: words [start, end) of its field."""

    start: int
    end: int
    lexeme: Lexeme


def _start(hit: Hit) -> int:
    return hit.start


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


LEAD = 3
"""Whole sentences of the text that are its lead, besides the title."""


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
        self.words = self._folded.decode("ascii").split()
        """The folded words."""

    @cached_property
    def lead(self) -> int:
        """How many of its sentences are its lead: the headline, or the first of a text up to the third that is a whole one.

        Lines without a full stop above it - a headline told again, a byline, a date - do not use it up.
        """
        if self.field == "title":
            return 1
        whole = [sentence.number for sentence in self.sentences[: 2 * LEAD] if not sentence.headline]
        return 1 + whole[LEAD - 1] if len(whole) >= LEAD else max(LEAD, 1 + max(whole, default=0))

    def release(self) -> None:
        """Lets go of what refers back to the page, so that its memory is free as soon as nobody uses it."""
        self.company = ()
        self.__dict__.pop("sentences", None)

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
    def possible(self) -> dict[str, dict[int, list[int]]]:
        """Rule → where a sentence begins → the forms, by their numbers, whose steps may all have a word in that sentence, in order.

        Worked out from the words alone, before anything else is: most pages hold no such sentence and are done with. Sentences
        are looked for only in lines that may hold one.
        """
        found: dict[str, dict[int, list[int]]] = {}
        sifted = self._rules.sieve.sift(self.words)
        if sifted is None or not sifted.near:
            return found
        for low, high, span in self._ranges(self._lines, 0, 0):
            inside = ((1 << (high - low)) - 1) << (low + 1)
            near = [form for form, ends in sifted.near if ends & inside]
            if forms := sifted.within(low, high, near) if near else ():
                for first, last, sentence in self._ranges(self._sentences_of(span), span.start, low):
                    for form in sifted.within(first, last, forms):
                        found.setdefault(form.rule, {}).setdefault(sentence.start, []).append(form.number)
        return found

    @property
    def tries(self) -> int:
        """How many forms are tried on how many sentences."""
        return sum(len(forms) for places in self.possible.values() for forms in places.values())

    @cached_property
    def _lines(self) -> list[Span]:
        """The lines of the page; all of it, where a sentence may run over their ends."""
        if hard_wrapped(self.plain):
            return [Span(0, len(self.plain), 0)]
        ends = [*(match.end() for match in _LINE.finditer(self.plain)), len(self.plain)]
        return [Span(start, end, 0) for start, end in zip([0, *ends], ends, strict=False)]

    def _sentences_of(self, line: Span) -> list[Span]:
        if line.start == 0 and line.end == len(self.plain):
            return self._spans
        begin = line.start
        return [Span(begin + one.start, begin + one.end, 0) for one in sentences(self.plain[begin : line.end])]

    def _ranges(self, spans: Iterable[Span], place: int, token: int) -> list[Range]:
        """The words [low, high) of some spans in order; `token` is the number of the first word at or behind `place`."""
        found: list[Range] = []
        for span in spans:
            low = token + (len(self._folded[place : span.start].split()) if place < span.start else 0)
            place = span.end
            token = low + len(self._folded[span.start : place].split())
            found.append((low, token, span))
        return found

    @cached_property
    def hits(self) -> list[Hit]:
        """The list entries that count in the whole page, outside of its sentences too."""
        return self.hits_in(0, len(self.words))

    def hits_in(self, low: int, high: int) -> list[Hit]:
        """The list entries that count in words [low, high): a short name only where the article names it, or its state, in full."""
        standing = self._standing(low, high)
        standing += [
            hit for hit in self._computed(low, high) if hit.lexeme.list >= 0
        ]  # a set without the list has no use for it
        standing.sort(key=lambda hit: (hit.start, -hit.end))
        return [
            hit
            for hit in _longest_names(standing)
            if low <= hit.start
            and hit.end <= high
            and (hit.lexeme.tag != "short" or self._told_in_full(hit.lexeme.slug))
        ]

    def _told_in_full(self, slug: str) -> bool:
        """Whether the article calls something, the state it belongs to, or one it stands beside, by more than a short name."""
        enough = {slug, self._rules.states.get(slug), *self._rules.beside.get(slug, ())}
        return any(not enough.isdisjoint(page.named_in_full) for page in self.company)

    @cached_property
    def named_in_full(self) -> set[str]:
        """The slugs of what the page calls by more than a short name; looked for only where a short name stands."""
        standing = self._standing(0, len(self.words), names=True)
        standing.sort(key=lambda hit: (hit.start, -hit.end))
        return {hit.lexeme.slug for hit in _longest_names(standing) if hit.lexeme.tag != "short"}

    @cached_property
    def _candidates(self) -> tuple[str, ...]:
        return tuple(sorted({rule for page in self.company for rule in page.possible}))

    def _found(self, low: int, high: int, *, names: bool) -> Iterator[tuple[int, int, Sequence[Lexeme], Sequence[int]]]:
        """The phrases that touch words [low, high), as (start, end, what it means, lists it cancels).

        Those of shared lists, and of the lists of the rules that may find something here; or only the `names` of the shared.
        """
        rules, words = self._rules, self.words
        for start, end, phrase in rules.lexicon.find(words, low, high):
            lexemes, cancels = rules.meaning(phrase)
            yield start, end, [one for one in lexemes if one.slug] if names else lexemes, cancels
        if not names and self._candidates:
            lexicon, meanings = rules.owned(self._candidates)
            for start, end, phrase in lexicon.find(words, low, high):
                yield start, end, meanings[phrase], ()

    def _standing(self, low: int, high: int, *, names: bool = False) -> list[Hit]:
        """The list entries that touch words [low, high), without those that capitals, marks or a `not:` phrase rule out."""
        hits: list[Hit] = []
        cancelled: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
        for start, end, lexemes, cancels in self._found(low, high, names=names):
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
        """Whether what may be a verb is a noun: behind an article or possessive ("the move"), or a plural in a row ("Ships, tanks")."""
        if hit.lexeme.tag == "s" and hit.end < len(self.words) and self.gap(hit.end) == ", ":
            return True
        if hit.lexeme.tag not in _FINITE or not hit.start:
            return False
        before = self.words[hit.start - 1]
        return before in _ARTICLES or (before == "s" and self._word(hit.start - 2) != "let")

    def _a_currency(self, hit: Hit) -> bool:
        """Whether a name is the beginning of a sum of money and no state: "US$40 billion"."""
        end = self.bounds[hit.end - 1][1]
        return bool(hit.lexeme.slug) and self.original[end : end + 1] == "$"

    def _computed(self, low: int, high: int) -> Iterator[Hit]:
        """Words no list can hold: numbers in digits (`number`), sums (`amount`, `percent`, `figure`), and dates."""
        lists = {name: self._rules.lists.get(name, -1) for name in COMPUTED}
        number, past, coming, near, recent = (
            lists[name] for name in ("number", "past-date", "coming-date", "near-date", "recent-date")
        )
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
                if self._in_two_weeks(token, _MONTHS[word], 1):
                    yield Hit(token, token + 1, Lexeme(near, "word"))
            elif word in _MONTHS and self._recent(token, _MONTHS[word]):
                yield Hit(token, token + 1, Lexeme(recent, "word"))

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
            and self._word(token - 1) in PLACING
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
        if before == "from" and self._word(token + 1) in _ONWARDS:  # "from 1949 on"
            return True
        if (
            before == "from" and self._word(token + 1) in _UNTIL and self.plain[self.bounds[token - 1][0]].isupper()
        ):  # "From 1964 to 1973, …"
            return True
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
        back = (self._published.month - month) % 12
        return before in {"in", "of"} and 1 <= back <= 8 and not self._foretold(token)  # noqa: PLR2004 - months

    def _foretold(self, token: int) -> bool:
        """Whether a time is that of something to come: "will be launched in November", or opening a sentence "In November it will"."""
        for near in range(token - 1, max(token - 1 - _AHEAD_REACH, -1), -1):
            if _ENDS.intersection(self.gap(near + 1)):
                break
            if self._word(near) in _AHEAD:
                return True
        if token > 1 and "." not in self.gap(token - 1):
            return False
        following = range(token + 1, min(token + 1 + _AHEAD_REACH, len(self.words)))
        told = next((near for near in following if self._word(near) in _AHEAD), None)
        return told is not None and not any("." in self.gap(near) for near in range(token + 2, told + 1))

    def _coming(self, token: int, month: int) -> bool:
        """A month up to four months ahead, or a later day of this month."""
        if self._published is None or not self.plain[self.bounds[token][0]].isupper():
            return False
        ahead = (month - self._published.month) % 12
        return 1 <= ahead <= 4 or (ahead == 0 and any(day > self._published.day for day in self._days(token)))  # noqa: PLR2004 - months

    def _recent(self, token: int, month: int) -> bool:
        """A day of the two weeks before the article: "on Nov. 19"; of another year where one is named behind it."""
        if self._published is None or not self.plain[self.bounds[token][0]].isupper():
            return False
        years = (word for word in (self._word(token + 1), self._word(token + 2)) if _YEAR.fullmatch(word))
        if int(next(years, self._published.year)) < self._published.year - (month > self._published.month):
            return False
        return self._in_two_weeks(token, month, -1)

    def _in_two_weeks(self, token: int, month: int, way: int) -> bool:
        """Whether a day of a month lies within two weeks of the article: ahead (1) or back (-1)."""
        published = self._published
        if published is None:
            return False
        months = way * (month - published.month) % 12
        return any(0 <= months * 30 + way * (day - published.day) <= 15 for day in self._days(token))  # noqa: PLR2004 - days

    def _days(self, token: int) -> list[int]:
        return [
            int(word)
            for word in (self._word(token - 1), self._word(token + 1), self._first_day(token), self._last_day(token))
            if word.isdecimal() and len(word) <= _DAY_DIGITS
        ]

    def _first_day(self, token: int) -> str:
        """The day a stretch of days before a month begins with: "between 8 and 25 February", "18-22 November"."""
        if not self._word(token - 1).isdecimal():
            return ""
        return self._word(token - 3) if self._word(token - 2) in _UNTIL else self._word(token - 2)

    def _last_day(self, token: int) -> str:
        """The day a stretch of days behind a month ends with: "April 24 or 25", "Dec. 17-20"."""
        if not self._word(token + 1).isdecimal():
            return ""
        if self._word(token + 2) in _UNTIL:
            return self._word(token + 3)
        return self._word(token + 2) if self._word(token + 2) and self.gap(token + 2) in _DASHES else ""

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
        if not self.words:
            return []
        starts = [start for start, _ in self.bounds]
        found: list[Sentence] = []
        spans = self._spans if self.field == "title" else news(self.plain, self._spans)
        for span in spans:
            low, high = bisect_left(starts, span.start), bisect_right(starts, span.end - 1)
            for first in range(low, high, MAX_TOKENS):
                last = min(first + MAX_TOKENS, high)
                begin = span.start if first == low else self.bounds[first][0]
                end = entity_end(self.original, span.end - 1) if last == high else self.bounds[last - 1][1]
                where = Span(begin, end, span.block)
                found.append(Sentence(self, len(found), where, first, last, span.start))
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
        """Where the whole of it begins; a long sentence is cut."""
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
        number = last = 0
        around: int | None = None
        for token in range(self.low, self.high):
            word = self.page.words[token]
            if around is not None and self._resumes(token, word):
                number, around = around, None
            elif token > self.low and (word in _HARD or self._breaks(token, word)):
                around = number if word in _RELATIVE else None
                number = last = last + 1
            numbers.append(number)
        return numbers

    def _resumes(self, token: int, word: str) -> bool:
        """Whether the clause around a relative one goes on: "the carrier, which has just left Manila, may be sent"."""
        return "," in self.page.gap(token) and (word in AUXILIARIES or word in _WENT or word.endswith("ed"))

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
