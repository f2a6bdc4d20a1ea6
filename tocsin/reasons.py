"""What is said of a finding: its sentence with the role of each word, and in a line each what it lacks, its form, and what decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Literal, get_args

from tocsin.compiled import Cue, Form, RuleSet
from tocsin.match import Finding, words
from tocsin.scan import Hit, Page, Sentence

Role = Literal["head", "form", "who", "stage", "certainty", "flag", "fresh", "drop"]
"""What a word does: the form's head, its other words, an actor; or what a cue says: stage, certainty, a flag, news, or silence."""
ROLES: tuple[Role, ...] = get_args(Role)


def coloured(finding: Finding) -> list[tuple[str, Role | None]]:
    """The sentence in pieces, each with its role; of a word that has two, the weightier. `finding.sentence.text` is all pieces joined."""
    sentence = finding.sentence
    roles: list[Role | None] = [None] * len(sentence.text)
    for hits, role in _weighed(finding):
        for start, end in sentence.marks([hit for hit in hits if sentence.low <= hit.start < sentence.high]):
            begin, behind = start - sentence.span.start, end - sentence.span.start
            roles[begin:behind] = [role] * len(roles[begin:behind])
    pairs = zip(sentence.text, roles, strict=True)
    return [("".join(letter for letter, _ in some), role) for role, some in groupby(pairs, key=lambda pair: pair[1])]


def _weighed(finding: Finding) -> Iterator[tuple[Iterable[Hit], Role]]:
    """The words of a finding with their roles, the weightiest last."""
    yield finding.match.hits, "form"
    for cue, hit in finding.cues:
        yield [hit], _says(cue)
    yield [actor.hit for actor in finding.who[:1]], "who"
    yield [finding.match.head], "head"


def _says(cue: Cue) -> Role:
    said: list[tuple[object, Role]] = [
        (cue.drop, "drop"), (cue.stage or cue.raises, "stage"), (cue.certainty, "certainty"), (cue.flag, "flag"),
    ]  # fmt: skip
    return next((role for value, role in said if value), "fresh")


def reasons(finding: Finding) -> list[str]:
    """The reasons of a finding, in the order in which `tocsin explain` prints them."""
    who = ", ".join(f"{actor.slug} ({actor.how} {actor.strength})" for actor in finding.who[:3])
    return [
        *([f"lacks  {finding.lacking}"] if finding.lacking else []),
        f"form   {finding.form.text}",
        f"stage  {finding.stage}: {_decided(finding)}",
        *_cues(finding),
        f"who    {who or 'nobody in the sentence'}",
        *([f"what   {finding.what}"] if finding.what else []),
    ]


def nearly(rules: RuleSet, name: str, pages: list[Page]) -> Iterator[tuple[Sentence, str]]:
    """The sentences in which only one word is missing for a form of a rule, each with the lists one of which should hold it."""
    rule = rules.rules[rules.order[name]]
    for page in pages:
        page.possible.setdefault(name, {})  # so that its words are looked for although no form can match
        for sentence in page.sentences:
            if lacks := next((found for form in rule.forms if (found := _one_missing(rules, form, sentence))), ""):
                yield sentence, lacks


def _one_missing(rules: RuleSet, form: Form, sentence: Sentence) -> str:
    """Which word a form lacks in a sentence that has one for each other step of it; else nothing."""
    steps = [step for step in form.steps if not step.optional]
    missing = [step for step in steps if step.lists.isdisjoint(sentence.by_list)]
    if len(missing) != 1 or len(steps) == 1:
        return ""
    lists = sorted({f"<{rules.names[number].rpartition('.')[2]}>" for number in missing[0].lists})
    heard = (min(step.lists & sentence.by_list.keys()) for step in steps if step is not missing[0])
    there = ", ".join(repr(words(sentence, sentence.by_list[number][0])) for number in heard)
    return f"a word of {' or '.join(lists)} beside {there}: {form.text}"


def _decided(finding: Finding) -> str:
    """What decided the stage."""
    for cue, hit in finding.cues:
        if cue.stage == finding.stage:
            return f"cue {cue.name} ({_said(finding, cue, hit)!r})"
    head = words(finding.sentence, finding.match.head)
    return "the form says so" if finding.form.stage == finding.stage else f"the verb or noun itself ({head!r})"


def _cues(finding: Finding) -> Iterator[str]:
    """Every cue that reaches the match, what it sets, and its words."""
    for cue, hit in finding.cues:
        sets = {
            "stage": cue.stage,
            "certainty": cue.certainty,
            "flag": cue.flag,
            "drops it as": cue.drop,
            "news of": cue.fresh and "these days",
        }
        told = ", ".join(f"{what} {value}" for what, value in sets.items() if value)
        yield f"cue    {cue.name} ({_said(finding, cue, hit)!r}): {told}"


def _said(finding: Finding, cue: Cue, hit: Hit) -> str:
    """The words of a cue, of the neighbouring sentence where it stands there."""
    sentence = finding.sentence
    if not sentence.low <= hit.start < sentence.high:
        sentence = sentence.page.sentences[sentence.number + cue.adjacent]
    return " ".join(words(sentence, hit).split())
