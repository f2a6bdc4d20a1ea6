"""What is said of a finding, a line each: what it lacks, its form, and what decided each thing that was read out of it."""

from __future__ import annotations

from collections.abc import Iterator

from tocsin.compiled import Cue
from tocsin.match import Finding, words
from tocsin.scan import Hit


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
