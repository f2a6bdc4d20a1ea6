"""A rule set packed: everything about its words and forms worked out once, in sections of text that are read when they are wanted.

Sections are JSON, or lines: no bytes that a program would run, and nothing bound to one Python or one processor.
"""

from __future__ import annotations

import json
from collections import ChainMap, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from itertools import chain
from math import inf
from typing import Any

from tocsin.compiled import OWN_BREAK, Form, Heeded, Lexeme, Rule, RuleSet, Sections, Step, among_all, lengths_of
from tocsin.policy import Policy
from tocsin.rows import absolute, row
from tocsin.sieve import ALWAYS, COMPUTED, FAR, FIGURE, HALF_A, filed

_FIGURES = 0.3
"""How common figures are."""
_EVERYWHERE = 1.0
"""As common as one of the commonest words: nearly every sentence has a word of such a step, so it is not looked for."""
_COMMONEST = frozenset({
    "a", "an", "and", "are", "as", "at", "be", "by", "for", "from", "had", "has", "have", "he", "in", "is", "it", "its", "of", "on", "that", "the", "to",
    "was", "were", "will", "with",
})  # fmt: skip
_EVERYDAY_LINES = (
    "about after all also another back been before between but can come could day down early first further get give go her his if into last late may more most",
    "move near new next no not now off one only or other out over plan put s said say second see send set she since so some support take than their them then",
    "there these they third this three time two under until up us we week when which who would year years",
)  # fmt: skip
_EVERYDAY = frozenset(word for line in _EVERYDAY_LINES for word in line.split())
"""Words that stand in most articles of any kind."""
RAREST = 3
"""Steps of a form that are looked for first."""

Place = tuple[int, frozenset[str]]
"""What a step of a form asks for: a word of a list, with one of some tags if there are any."""


Said = tuple[str, Mapping[str, Collection[str]]]
"""What is in a list: the slug of its entries, and by tag their phrases."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A rule set as it was compiled, before it is packed."""

    version: str
    """A hash of all its files."""
    shared: str
    """A hash of what is written in its lists and cues."""
    rules: tuple[Rule, ...]
    """Their own lists have numbers below zero, counted within each rule, so that forms that are alike in several are one."""
    lists: Mapping[str, int]
    entries: Mapping[Lexeme, Iterable[str]]
    """What a phrase can mean → the phrases that mean it; of the lists everybody shares."""
    owned: Mapping[str, Sequence[Said]] = field(default_factory=dict)
    """Name of a rule → what is in its own lists."""
    cancels: Mapping[str, Iterable[int]] = field(default_factory=dict)
    """Phrases under `not:`, with the lists whose words they cancel."""
    states: Mapping[str, str] = field(default_factory=dict)
    """Slug of a place → slug of the state it lies in."""
    beside: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Slug → those whose company makes its short names plain."""
    printed: Mapping[str, str] = field(default_factory=dict)
    """Slug → printed name of every entry of the name lists."""
    firsts: Mapping[str, int] = field(default_factory=dict)
    """Name of a rule → the number its first own list has among all lists."""

    def among_all(self) -> Iterator[Rule]:
        """The rules, with the numbers that their lists have among all."""
        return (among_all(rule, self.firsts.get(rule.policy.name, 0)) for rule in self.rules)

    def meant(self) -> Iterator[tuple[Lexeme, Iterable[str]]]:
        """What a phrase can mean, of all lists, with the phrases that mean it."""
        yield from self.entries.items()
        for rule, lists in self.owned.items():
            for number, (slug, said) in enumerate(lists, self.firsts[rule]):
                yield from ((Lexeme(number, tag, slug), phrases) for tag, phrases in said.items() if phrases)

    @property
    def order(self) -> list[str]:
        """The names of the rules, in their order."""
        return [rule.policy.name for rule in self.rules]


def packed(draft: Draft, before: tuple[Draft, RuleSet] | None = None) -> RuleSet:
    """The rule set of a draft. The words of the shared lists are taken over of a set packed before, where they are the same."""
    names = [rule.policy.name for rule in draft.rules]
    same = before[1] if before and _speaks_alike(before[0], draft) else None
    shared_cues = {id(rule.cues): rule.cues for rule in draft.rules}
    cues = {id(cue): cue for found in shared_cues.values() for cue in found}
    numbers = {cue: number for number, cue in enumerate(cues)}
    heeded = {some: [numbers[id(cue)] for cue in found] for some, found in shared_cues.items()}
    places = {some: place for place, some in enumerate(heeded)}

    rows = _Rows(
        {
            Heeded: lambda some: {"heeded": places[id(some)]},
            ChainMap: lambda names: {"names": dict(names.maps[0])},
        }
    )
    made = RuleSet(Sections.of({
        "head": _json({"version": draft.version, "shared": draft.shared, "rules": names}),
        **sieved(draft, Entries(draft)),
        "lists": _json(list(draft.lists)),
        **({name: same.sections[name] for name in _OF_WORDS} if same else _worded(draft)),
        "states": _json(draft.states),
        "beside": _json(draft.beside),
        "printed": _json(draft.printed),
        "cues": _json([row(cue, {}) for cue in cues.values()]),
        "heeded": _json([*heeded.values()]),
        "rules": _lines(f"[{draft.firsts.get(rule.policy.name, 0)},{rows.of(rule)}]" for rule in draft.rules),
        "owned": _lines(rows.owned(draft, name) for name in names),
    }))  # fmt: skip
    if same:
        made.__dict__.update({name: same.__dict__[name] for name in _READ_OF_WORDS if name in same.__dict__})
    return made


_OF_WORDS = ("lengths", "firsts", "phrases", "lexemes")
"""The sections that hang on the words of shared lists alone."""
_READ_OF_WORDS = ("_phrases", "_lexemes", "lexicon", "meanings")
"""What a set reads out of these."""


def _speaks_alike(one: Draft, other: Draft) -> bool:
    """Whether the shared lists of two drafts hold the same words, in the same order."""
    return [*one.entries] == [*other.entries] and (one.entries, one.cancels) == (other.entries, other.cancels)


def _worded(draft: Draft) -> dict[str, str]:
    """The sections about the words of the shared lists."""
    shared = _shared(draft)
    lexemes = {
        lexeme: number for number, lexeme in enumerate(dict.fromkeys(one for found in shared.values() for one in found))
    }
    lengths: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for first, found in lengths_of(shared).items():
        lengths[found].append(first)
    return {
        "lengths": _json([" ".join(map(str, one)) for one in lengths]),
        "firsts": _lines(map(" ".join, lengths.values())),
        "phrases": _paired(shared, (_meaning([lexemes[one] for one in found], draft.cancels.get(phrase, ())) for phrase, found in shared.items())),
        "lexemes": _lines(map(_lexeme, lexemes)),
    }  # fmt: skip


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines)


def _paired(keys: Iterable[str], values: Iterable[str]) -> str:
    return f"{_lines(keys)}\n\n{_lines(values)}"


_json = json.JSONEncoder(separators=(",", ":")).encode


_POLICY = [one.name for one in fields(Policy)]


class _Rows:
    """Rules as rows of JSON. What several rules have alike is written once."""

    def __init__(self, known: Mapping[type, Callable[[Any], Any]]) -> None:
        self._known = known
        self._forms: dict[int, str] = {}
        """Of each form, by its place in memory."""
        self._rests: dict[Any, str] = {}
        self._lists: dict[int, str] = {}
        """Of what is in each list, by its place in memory."""

    def owned(self, draft: Draft, rule: str) -> str:
        """The row of a rule's own lists, behind the number of the first."""
        lists = [f'["{slug}",{self._list(said)}]' for slug, said in draft.owned.get(rule, ())]
        return f"[{','.join([str(draft.firsts.get(rule, 0)), *lists])}]"

    def _list(self, said: Mapping[str, Collection[str]]) -> str:
        found = self._lists.get(id(said))
        if found is None:
            parts = [f'"{tag}":"{OWN_BREAK.join(phrases)}"' for tag, phrases in said.items() if phrases]
            found = self._lists[id(said)] = f"{{{','.join(parts)}}}"
        return found

    def of(self, rule: Rule) -> str:
        """The row of a rule."""
        policy, forms, *rest = rule
        return f'{{"Rule":[{self._policy(policy)},[{",".join(map(self._form, forms))}],{self._rest(rest)}]}}'

    def _policy(self, policy: Policy) -> str:
        name, title, version, *rest = [getattr(policy, one) for one in _POLICY]
        key = tuple([tuple(one.maps[0].items()) if type(one) is ChainMap else one for one in rest])
        return f'{{"Policy":[{_json(name)},{_json(title)},{_json(version)},{self._alike(key, rest)}]}}'

    def _form(self, form: Form) -> str:
        found = self._forms.get(id(form))
        if found is None:
            found = self._forms[id(form)] = self._told(form)
        return found

    def _rest(self, rest: Sequence[Any]) -> str:
        return self._alike(
            tuple([id(one) if type(one) is Heeded else one for one in rest]), rest
        )  # which would take long to compare

    def _alike(self, key: Any, parts: Iterable[Any]) -> str:
        """Some parts, as they were written where their key was the same."""
        found = self._rests.get(key)
        if found is None:
            found = self._rests[key] = ",".join(map(self._told, parts))
        return found

    def _told(self, value: object) -> str:
        return _json(row(value, self._known))


def _shared(draft: Draft) -> dict[str, list[Lexeme]]:
    """The phrases of the lists everybody shares, with those that cancel."""
    shared: dict[str, list[Lexeme]] = {phrase: [] for phrase in draft.cancels}
    for lexeme, phrases in draft.entries.items():
        for phrase in phrases:
            shared.setdefault(phrase, []).append(lexeme)
    return {phrase: shared[phrase] for phrase in sorted(shared)}


def _lexeme(lexeme: Lexeme) -> str:
    """A lexeme as JSON, of whose parts none needs an encoder."""
    number, tag, slug, capitals = lexeme
    return f'[{number},"{tag}","{slug}",{[*capitals]}]' if capitals else f'[{number},"{tag}","{slug}"]'


def _meaning(lexemes: Iterable[int], cancelled: Iterable[int]) -> str:
    return f"{' '.join(map(str, lexemes))};{' '.join(map(str, cancelled))}".rstrip(";")


class Entries:
    """The phrases of each list, by tag."""

    def __init__(self, draft: Draft) -> None:
        self.kinds = {draft.lists[name]: kind for name, kind in COMPUTED.items() if name in draft.lists}
        shared: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for lexeme, phrases in draft.entries.items():
            shared[lexeme.list][lexeme.tag] += phrases
        self.holding: dict[int, Mapping[str, Collection[str]]] = {**shared}
        for rule, lists in draft.owned.items():
            self.holding.update(enumerate([said for _, said in lists], draft.firsts[rule]))


_NOTHING: Mapping[str, Collection[str]] = {}


class _Steps:
    """The different steps of all forms, by number, and their words."""

    def __init__(self, entries: Entries) -> None:
        self.first = 0
        """Where the own lists begin of the rule whose steps are asked for."""
        self.numbers: dict[tuple[int, frozenset[int], frozenset[str]], int] = {}
        self.computed: dict[int, list[str]] = {}
        self.phrases: list[list[str]] = []
        self.common: list[float] = []
        """How common a step's words are."""
        self.longest: list[int] = []
        """Words the longest phrase of a step has."""
        self._kinds, self._holding = entries.kinds, entries.holding

    def number(self, step: Step) -> int:
        """The number of a step; steps that ask for the same are one."""
        lists, tags = step.lists, step.tags
        key = (self.first if lists and min(lists) < 0 else 0, lists, tags)
        found = self.numbers.get(key)
        if found is None:
            found = self.numbers[key] = len(self.phrases)
            self._add({absolute(one, self.first) for one in lists}, tags)
        return found

    def _add(self, lists: Collection[int], tags: Collection[str]) -> None:
        phrases = [
            *dict.fromkeys(
                chain.from_iterable(
                    [
                        said
                        for one in sorted(lists)
                        for tag, said in self._holding.get(one, _NOTHING).items()
                        if not tags or tag in tags
                    ]
                )
            )
        ]
        if kinds := sorted({self._kinds[one] for one in lists if one in self._kinds}):
            self.computed[len(self.phrases)] = kinds
        self.phrases.append(phrases)
        self.common.append(_FIGURES if kinds == [FIGURE] else inf if kinds else sum(map(_commonness, phrases)))
        self.longest.append(FAR if FIGURE in kinds else max([phrase.count(" ") for phrase in phrases], default=0) + 1)


@cache
def _commonness(phrase: str) -> float:
    """How often a phrase stands in a sentence, roughly: of those that are not everyday the shorter, the commoner (Zipf)."""
    if phrase in _COMMONEST:
        return 1.0
    return 0.1 if phrase in _EVERYDAY else 2.0 ** -max(8, len(phrase) + 4)


def sieved(draft: Draft, entries: Entries) -> dict[str, str]:
    """The sections of the sieve for the forms of the rules: see `tocsin.sieve`.

    A form waits for the words of its two rarest steps, so a text costs nothing for rules of whose words it holds none.
    """
    steps = _Steps(entries)
    forms: list[str] = []
    waiting: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for rule in draft.rules:
        name = rule.policy.name
        steps.first = draft.firsts.get(name, 0)
        for place, form in enumerate(rule.forms):
            links = _chained(form, steps)
            telling = _telling(links, steps)
            first, second = [*[step for step in telling if steps.common[step] < inf], ALWAYS, ALWAYS][:2]
            waiting[first][second].append(len(forms))
            whole = _written(_part(links, telling, steps))
            rarest = whole if len(telling) <= RAREST else _written(_part(links, telling[:RAREST], steps))
            forms.append(f'["{name}",{place},{rarest},{whole}]')
    words, rarest_words, kinds = _carriers(steps)
    alone = {word: str(kind) for kind, some in enumerate(words) for word in some}
    return {
        "computed": _json(list(steps.computed.items())),
        "kinds": _lines(_numbers(numbers) for numbers in kinds),
        "words": filed(alone),
        "rarest": filed({word: ";".join(some) for word, some in rarest_words.items()}),
        "waiting": _paired(map(str, waiting), map(_waiting, waiting.values())),
        "forms": _lines(forms),
    }


def _numbers(numbers: Iterable[int]) -> str:
    return " ".join(map(str, numbers))


def _waiting(others: Mapping[int, Sequence[int]]) -> str:
    """The forms that wait for a step, by the other step they wait for."""
    return ";".join(f"{other},{_numbers(forms)}" for other, forms in others.items())


def _telling(links: Iterable[tuple[int, int]], steps: _Steps) -> list[int]:
    """The steps that are looked for, the rarest first: not those that nearly every sentence has a word of, where others do."""
    rarest = sorted({step for step, _ in links})
    rarest.sort(key=steps.common.__getitem__)
    found = [step for step in rarest if steps.common[step] < _EVERYWHERE]
    words = [step for step in found if step not in steps.computed]
    return found if len(words) > 1 else rarest[:RAREST]


def _part(links: Sequence[tuple[int, int]], kept: Collection[int], steps: _Steps) -> list[tuple[int, int]]:
    """The chain of some steps of a chain."""
    found: list[tuple[int, int]] = []
    between = 0
    for number, reach in links:
        if number in kept:
            found.append((number, min(FAR, between + reach)))
            between = 0
        else:
            between += reach + steps.longest[number]
    return found


def _written(links: Iterable[tuple[int, int]]) -> str:
    """A chain as JSON; there are so many that an encoder for each is felt."""
    return f"[{','.join([f'[{step},{reach}]' for step, reach in links])}]"


def _chained(form: Form, steps: _Steps) -> list[tuple[int, int]]:
    """The steps that must have a word, each with how far behind the one before it may begin; what may stand between them counts."""
    found: list[tuple[int, int]] = []
    between = 0
    for step in form.steps:
        number = steps.number(step)
        reach = between + step.gap
        if step.optional:
            between = reach + steps.longest[number]
            continue
        figure = number in steps.computed and FIGURE in steps.computed[number]
        found.append((number, min(FAR, reach + HALF_A if figure else reach)))
        between = FAR if figure else 0
    return found


def _carriers(steps: _Steps) -> tuple[list[list[str]], dict[str, list[str]], list[Sequence[int]]]:
    """The words of each kind, the phrases by their rarest word, and the steps of each kind."""
    found: dict[str, list[int]] = defaultdict(list)
    for number, phrases in enumerate(steps.phrases):
        for phrase in phrases:
            found[phrase].append(number)
    kinds: dict[tuple[int, ...], int] = {}
    words: list[list[str]] = []
    by_word: dict[str, list[str]] = defaultdict(list)
    for phrase, numbers in found.items():
        kind = kinds.setdefault(tuple(numbers), len(kinds))
        if kind == len(words):
            words.append([])
        parts = phrase.split()
        if len(parts) == 1:
            words[kind].append(phrase)
        else:
            rarest = min(range(len(parts)), key=lambda place: (_commonness(parts[place]), place))
            by_word[parts[rarest]].append(f"{phrase},{rarest},{kind}")
    return words, by_word, list(kinds)
