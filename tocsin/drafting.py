"""A first draft of a rule, out of sentences that must fire and sentences that must not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tocsin.compiled import Lexeme, RuleSet
from tocsin.text import fold
from tocsin.words import irregular_verb, noun_forms, verb_forms

WIDTH = 8
"""Words between what is done and what it is done to, unless the sentences need more."""
MOST = 20
_VERBAL = frozenset({"base", "s", "ing", "past", "part", "bare"})
_ENDINGS = (("ied", "y"), ("ies", "y"), ("ing", ""), ("ed", ""), ("es", ""), ("s", ""))
_MUTE = frozenset("cgsuvz")
"""Letters behind which a verb mostly has an e: close, change, use, give."""
_LITTLE_LINES = (
    "a about after again against all also an and another any are as at be been before being but by can could day did do does for from had has have he",
    "her his if in into is it its last may might more most must near new next no not now of off on or other our out over own plan plans prepare",
    "prepares prepared preparing said say says she should since so some soon than that the their them then there these they this those to today",
    "tomorrow under until up very was we were when where which while who will with would year years yesterday monday tuesday wednesday thursday friday",
    "saturday sunday",
)
_LITTLE = frozenset(word for line in _LITTLE_LINES for word in line.split())
"""Words that say neither what is done nor to what."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What whoever wants a rule says of it."""

    name: str
    title: str
    about: str
    fires: tuple[str, ...]
    silent: tuple[str, ...]
    actors: tuple[str, ...]
    """The lists of those who may do it."""
    does: tuple[str, ...]
    """What is done: verbs in their base form."""
    things: tuple[str, ...]
    """What it is done to, or with: nouns in the singular."""
    reference: str = ""


def written(answers: Answers, number: str, who: Sequence[str] = ()) -> str:
    """The rule's file; `number` is its id, `who` acts in each of the sentences that fire, as far as that is known."""
    quoted = {name: _quoted(getattr(answers, name)) for name in ("title", "about", "reference")}
    told = [f", who: {one}" if one else "" for one in (*who, *[""] * len(answers.fires))]
    fires = "\n".join(f"    - {{text: {_quoted(text)}{one}}}" for text, one in zip(answers.fires, told, strict=False))
    silent = "\n".join(f"    - {_quoted(text)}" for text in answers.silent)
    forms = "\n".join(f"  - {{form: {form}, head: does}}" for form in _forms(answers))
    return f"""title: {quoted["title"]}
id: {number}
name: {answers.name}
status: experimental
level: {{planned: low, preparing: medium, imminent: high, done: high}}
description: {quoted["about"]}
references: [{quoted["reference"]}]
falsepositives:
  - {_quoted(f"What sounds like it: {answers.silent[0]}")}
policy: Nothing is left out on purpose yet; say here what becomes of exercises, relief, police and peacekeepers.
runbook: Read the sentence in its article, and look for a second source.
who: {{from: [{", ".join(answers.actors)}]}}
lists:
  does:
    description: What is done.
    verbs: [{", ".join(map(_quoted, answers.does))}]
  thing:
    description: What it is done to, or with.
    nouns: [{", ".join(map(_quoted, answers.things))}]
forms:
{forms}
story: {{same: [who], quiet_for: 21d}}
tests:
  fires:
{fires}
  silent:
{silent}
"""


def _quoted(text: str) -> str:
    return json.dumps(" ".join(text.split()), ensure_ascii=False)


def _forms(answers: Answers) -> Iterator[str]:
    """The forms that the sentences need: what is done before the thing, behind it, or both."""
    does = {one for verb in answers.does for one in verb_forms(verb)}
    things = {one for noun in answers.things for one in noun_forms(noun)}
    before, behind = [], []
    for text in answers.fires:
        words = _words(text)
        gaps = [there - here - 1 for here in _places(words, does) for there in _places(words, things) if here != there]
        before += [min(gap for gap in gaps if gap >= 0)] if any(gap >= 0 for gap in gaps) else []
        if gaps and max(gaps) < 0:
            behind += [-max(gaps) - 2]
    if before or not behind:
        yield f"<does> ..{min(MOST, max([WIDTH, *before]))} <thing>"
    if behind:
        yield f"<thing> ..{min(MOST, max([WIDTH, *behind]))} <does>"


def _words(text: str) -> list[str]:
    return fold(text).decode("ascii").split()


def _places(words: Sequence[str], entries: set[str]) -> list[int]:
    """Where an entry ends or begins: of one of several words, its first."""
    split = [_words(entry) for entry in entries]
    return [at for at in range(len(words)) if any(words[at : at + len(one)] == one for one in split if one)]


def guessed(rules: RuleSet, fires: Sequence[str]) -> tuple[list[str], list[str]]:
    """What seems to be done in some sentences, and to what: verbs and nouns in their base forms, one of each sentence at most.

    A word counts as a verb or noun where some list has it as one, or its ending says so; names and everyday words do not count.
    """
    meanings = rules.meanings
    told = [[(word, meanings.get(word, ((), ()))[0]) for word in _words(text)] for text in fires]
    everywhere = set.intersection(*[{_stem(word) for word, _ in words} for words in told]) if told else set()
    verbs: dict[str, None] = {}
    nouns: dict[str, None] = {}
    for words in told:
        verb, noun = _pair(words, everywhere)
        if verb:
            verbs[verb] = None
        if noun:
            nouns[noun] = None
    return list(verbs), list(nouns)


def _pair(words: Sequence[tuple[str, Sequence[Lexeme]]], everywhere: set[str]) -> tuple[str, str]:
    """What is done in one sentence and to what: words that stand in all the sentences first, then those that stand closest."""
    usable = [
        (at, word, found)
        for at, (word, found) in enumerate(words)
        if word not in _LITTLE and word.isalpha() and not any(one.slug for one in found)
    ]
    verbs = [(at, base, _stem(word) in everywhere) for at, word, found in usable if (base := _verb(word, found))]
    nouns = [(at, base, _stem(word) in everywhere) for at, word, found in usable if (base := _noun(word, found))]
    pairs = [
        ((shared + common, here < there, -here, -abs(here - there)), verb, noun)
        for here, verb, shared in verbs
        for there, noun, common in nouns
        if here != there
    ]
    if not pairs:
        return (verbs[0][1] if verbs else "", nouns[0][1] if nouns else "")
    _, verb, noun = max(pairs)
    return verb, noun


def _verb(word: str, found: Sequence[Lexeme]) -> str:
    """The base form of a word that may be a verb; empty where it is none."""
    if irregular := irregular_verb(word):
        return irregular
    known = any(one.tag in _VERBAL for one in found)
    if not known and not re.search(r"(?:ed|ing)\Z", word):
        return ""
    return next((base for base in _bases(word) if word in verb_forms(base)), word)


def _noun(word: str, found: Sequence[Lexeme]) -> str:
    """The singular of a word that may be a noun; empty where it is none."""
    if irregular_verb(word) or (found and all(one.tag in _VERBAL for one in found)):
        return ""
    if not found and re.search(r"(?:ed|ing|ly)\Z", word):
        return ""
    return next((base for base in _bases(word) if word in noun_forms(base)), word)


def _bases(word: str) -> Iterator[str]:
    """What a word may be a form of, by its ending: what is most likely first."""
    for end, new in _ENDINGS:
        stem = word.removesuffix(end)
        if stem != word and len(stem + new) > 2:  # noqa: PLR2004 - "red" is no form of "r"
            if end in {"ed", "ing"}:
                mute = stem[-1] in _MUTE and not stem.endswith("ss")
                yield from (stem + "e", stem) if mute else (stem, stem + "e")
                yield from [stem[:-1]] if stem[-1] == stem[-2] else []
            else:
                yield stem + new


def _stem(word: str) -> str:
    """What forms of a word share, roughly."""
    return re.sub(r"(?:ies|ied|ing|ed|es|s|e)\Z", "", word) if len(word) > 4 else word  # noqa: PLR2004 - short words are their stems
