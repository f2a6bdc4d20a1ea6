"""A rule set packed: everything about its words and forms worked out once, in sections of text that are read when they are wanted.

Sections are JSON, or lines: no bytes that a program would run, and nothing bound to one Python or one processor.
"""

from __future__ import annotations

import json
from collections import ChainMap, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import inf

from tocsin.compiled import OWN_BREAK, Cue, Form, Heeded, Lexeme, OwnRow, Rule, RuleSet, Sections, Step, lengths_of
from tocsin.rows import row
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


@dataclass(frozen=True, slots=True)
class Draft:
    """A rule set as it was compiled, before it is packed."""

    version: str
    """A hash of all its files."""
    shared: str
    """A hash of what is written in its lists and cues."""
    rules: tuple[Rule, ...]
    lists: Mapping[str, int]
    entries: Mapping[Lexeme, Iterable[str]]
    """What a phrase can mean → the phrases that mean it."""
    cancels: Mapping[str, Iterable[int]] = field(default_factory=dict)
    """Phrases under `not:`, with the lists whose words they cancel."""
    states: Mapping[str, str] = field(default_factory=dict)
    """Slug of a place → slug of the state it lies in."""
    beside: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Slug → those whose company makes its short names plain."""
    printed: Mapping[str, str] = field(default_factory=dict)
    """Slug → printed name of every entry of the name lists."""

    @property
    def order(self) -> list[str]:
        """The names of the rules, in their order."""
        return [rule.policy.name for rule in self.rules]


def packed(draft: Draft) -> RuleSet:
    """The rule set of a draft."""
    names = [rule.policy.name for rule in draft.rules]
    known = frozenset(names)
    owner = {
        number: rule
        for name, number in draft.lists.items()
        if (rule := name.partition(".")[0]) in known and "." in name
    }
    shared, owned = _apart(draft, owner)
    lexemes = {
        lexeme: number for number, lexeme in enumerate(dict.fromkeys(one for found in shared.values() for one in found))
    }
    shared_cues = {id(rule.cues): rule.cues for rule in draft.rules}
    cues = {id(cue): cue for found in shared_cues.values() for cue in found}
    numbers = {cue: number for number, cue in enumerate(cues)}
    heeded = {some: [numbers[id(cue)] for cue in found] for some, found in shared_cues.items()}
    places = {some: place for place, some in enumerate(heeded)}

    short = {
        Heeded: lambda some: {"heeded": places[id(some)]},
        Cue: lambda cue: {"cue": numbers[id(cue)]},
        ChainMap: lambda names: {"names": dict(names.maps[0])},
    }
    lengths: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for first, found in lengths_of(shared).items():
        lengths[found].append(first)
    return RuleSet(Sections.of({
        "head": _json({"version": draft.version, "shared": draft.shared, "rules": names}),
        **sieved(draft.rules, Entries(draft)),
        "lists": _json(list(draft.lists)),
        "lengths": _json([" ".join(map(str, one)) for one in lengths]),
        "firsts": _lines(map(" ".join, lengths.values())),
        "phrases": _paired(shared, (_meaning([lexemes[one] for one in found], draft.cancels.get(phrase, ())) for phrase, found in shared.items())),
        "lexemes": _lines(map(_json, lexemes)),
        "states": _json(draft.states),
        "beside": _json(draft.beside),
        "printed": _json(draft.printed),
        "cues": _json([row(cue, {}) for cue in cues.values()]),
        "heeded": _json([*heeded.values()]),
        "rules": _lines(_json(row(rule, short)) for rule in draft.rules),
        "owned": _lines(_json(owned.get(name, ())) for name in names),
    }))  # fmt: skip


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines)


def _paired(keys: Iterable[str], values: Iterable[str]) -> str:
    return f"{_lines(keys)}\n\n{_lines(values)}"


_json = json.JSONEncoder(separators=(",", ":")).encode


def _apart(draft: Draft, owner: Mapping[int, str]) -> tuple[dict[str, list[Lexeme]], dict[str, list[OwnRow]]]:
    """The phrases of the lists everybody shares, with those that cancel; and by rule those of its own lists."""
    shared: dict[str, list[Lexeme]] = {phrase: [] for phrase in draft.cancels}
    owned: dict[str, list[OwnRow]] = defaultdict(list)
    for lexeme, phrases in draft.entries.items():
        if rule := owner.get(lexeme.list):
            owned[rule].append((lexeme, OWN_BREAK.join(phrases)))
        else:
            for phrase in phrases:
                shared.setdefault(phrase, []).append(lexeme)
    return {phrase: shared[phrase] for phrase in sorted(shared)}, owned


def _meaning(lexemes: Iterable[int], cancelled: Iterable[int]) -> str:
    return f"{' '.join(map(str, lexemes))};{' '.join(map(str, cancelled))}".rstrip(";")


class Entries:
    """The phrases of each list, by tag."""

    def __init__(self, draft: Draft) -> None:
        self.kinds = {draft.lists[name]: kind for name, kind in COMPUTED.items() if name in draft.lists}
        self.holding: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for lexeme, phrases in draft.entries.items():
            self.holding[lexeme.list][lexeme.tag] += phrases


class _Steps:
    """The different steps of all forms, by number, and their words."""

    def __init__(self, entries: Entries) -> None:
        self.numbers: dict[tuple[frozenset[int], frozenset[str]], int] = {}
        self.computed: dict[int, list[str]] = {}
        self.phrases: list[list[str]] = []
        self.common: list[float] = []
        """How common a step's words are."""
        self.longest: list[int] = []
        """Words the longest phrase of a step has."""
        self._kinds, self._holding = entries.kinds, entries.holding

    def number(self, step: Step) -> int:
        """The number of a step; steps that ask for the same are one."""
        key = (step.lists, step.tags)
        if key not in self.numbers:
            self.numbers[key] = len(self.phrases)
            self._add(step)
        return self.numbers[key]

    def _add(self, step: Step) -> None:
        phrases = {
            phrase
            for one in step.lists
            for tag, found in self._holding.get(one, {}).items()
            if not step.tags or tag in step.tags
            for phrase in found
        }
        if kinds := sorted({self._kinds[one] for one in step.lists if one in self._kinds}):
            self.computed[len(self.phrases)] = kinds
        self.phrases.append(sorted(phrases))
        self.common.append(_FIGURES if kinds == [FIGURE] else inf if kinds else sum(map(_commonness, phrases)))
        self.longest.append(FAR if FIGURE in kinds else max([phrase.count(" ") + 1 for phrase in phrases], default=1))


@cache
def _commonness(phrase: str) -> float:
    """How often a phrase stands in a sentence, roughly: of those that are not everyday the shorter, the commoner (Zipf)."""
    if phrase in _COMMONEST:
        return 1.0
    return 0.1 if phrase in _EVERYDAY else 2.0 ** -max(8, len(phrase) + 4)


def sieved(rules: Iterable[Rule], entries: Entries) -> dict[str, str]:
    """The sections of the sieve for the forms of some rules: see `tocsin.sieve`.

    A form waits for the words of its two rarest steps, so a text costs nothing for rules of whose words it holds none.
    """
    steps = _Steps(entries)
    forms: list[str] = []
    waiting: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for rule in rules:
        for place, form in enumerate(rule.forms):
            chain = list(_chain(form, steps))
            telling = _telling(chain, steps)
            first, second = [*(step for step in telling if steps.common[step] < inf), ALWAYS, ALWAYS][:2]
            waiting[first][second].append(len(forms))
            parts = (_written(_part(chain, some, steps)) for some in (telling[:RAREST], telling))
            forms.append(f'["{rule.policy.name}",{place},{",".join(parts)}]')
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


def _telling(chain: Iterable[tuple[int, int]], steps: _Steps) -> list[int]:
    """The steps that are looked for, the rarest first: not those that nearly every sentence has a word of, where others do."""
    rarest = sorted({step for step, _ in chain}, key=lambda step: (steps.common[step], step))
    found = [step for step in rarest if steps.common[step] < _EVERYWHERE]
    words = [step for step in found if step not in steps.computed]
    return found if len(words) > 1 else rarest[:RAREST]


def _part(chain: Sequence[tuple[int, int]], kept: Collection[int], steps: _Steps) -> list[tuple[int, int]]:
    """The chain of some steps of a chain."""
    found: list[tuple[int, int]] = []
    between = 0
    for number, reach in chain:
        if number in kept:
            found.append((number, min(FAR, between + reach)))
            between = 0
        else:
            between += reach + steps.longest[number]
    return found


def _written(chain: Iterable[tuple[int, int]]) -> str:
    """A chain as JSON; there are so many that an encoder for each is felt."""
    return f"[{','.join([f'[{step},{reach}]' for step, reach in chain])}]"


def _chain(form: Form, steps: _Steps) -> Iterator[tuple[int, int]]:
    """The steps that must have a word, each with how far behind the one before it may begin; what may stand between them counts."""
    between = 0
    for step in form.steps:
        number = steps.number(step)
        figure = FIGURE in steps.computed.get(number, ())
        reach = between + step.gap
        if step.optional:
            between = reach + steps.longest[number]
            continue
        yield number, min(FAR, reach + HALF_A if figure else reach)
        between = FAR if figure else 0


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
