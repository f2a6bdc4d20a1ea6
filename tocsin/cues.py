"""What the words around a match say about it: stage, certainty, flags, and what silences it (Harkema 2009, ConText)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from tocsin.compiled import Cue, Rule
from tocsin.forms import MATCHES, Match, matches
from tocsin.scan import FORMS_OF_BE, MAY_BE_PAST, PAST, Hit, Sentence
from tocsin.signal import STAGES, Certainty, Stage

Reached = tuple[tuple[Cue, Hit], ...]
"""The cues that reach a match, in the order of the rule, each with the words that make it."""

_BE = frozenset({"is", "are", "was", "were", "be", "also", "now"})
_KEEP = frozenset({"been", "keep", "keeps", "kept", "began", "begun", "begins", "started", "seen", "still"})
_IS = frozenset({"is", "are"})
_HAVE = frozenset({"has", "have", "had"})
_BETWEEN = frozenset({"now", "just", "also", "since", "already", "even", "all", "thus", "again"})
_SHORT = frozenset({"s", "re", "m"})
_SHORTENED = frozenset({"it", "he", "she", "they", "we", "you", "i", "who", "that", "there"})
_PASSIVE_REACH = 3


class Around:
    """The cues of a rule that stand in a sentence or beside it: looked for once, whatever matches there."""

    def __init__(self, rule: Rule, sentence: Sentence) -> None:
        self.rule = rule
        self._sentence = sentence
        present = sentence.by_list.keys()
        self._standing = [
            (cue, places)
            for cue in rule.cues
            if cue.forms or cue.adjacent or not present.isdisjoint(cue.lists)
            if (places := tuple(_opening(cue, sentence))) or cue.adjacent
        ]

    def reaching(self, match: Match) -> Reached:
        """The cues that reach a match, each by its first words that do."""
        inside = {(hit.start, hit.end) for hit in match.hits}
        found = (
            (cue, self._first(cue, places, match, inside))
            for cue, places in self._standing
            if cue.name not in match.form.ignored
        )
        return tuple((cue, hit) for cue, hit in found if hit)

    def _first(self, cue: Cue, places: Sequence[Hit], match: Match, inside: set[tuple[int, int]]) -> Hit | None:
        for hit in places:
            if not (cue.drop and (hit.start, hit.end) in inside) and _reaches(cue, hit, match):
                return hit
        return _beside(cue, self._sentence) if cue.adjacent else None


def _opening(cue: Cue, sentence: Sentence) -> Iterator[Hit]:
    """The places a cue stands at from which it may reach something; one that `opens` stands at the beginning."""
    return (hit for hit in _hits(cue, sentence) if not cue.opens or hit.start <= sentence.low + 1)


def _hits(cue: Cue, sentence: Sentence) -> Iterator[Hit]:
    """The places a cue stands at."""
    if cue.only and (cue.only == "title") != sentence.headline:
        return
    for number in cue.lists:
        yield from sentence.by_list.get(number, ())
    for form in cue.forms:
        for found in islice(matches(form, sentence), MATCHES):
            yield Hit(found.begin, found.end, found.hits[0].lexeme)


def _reaches(cue: Cue, hit: Hit, match: Match) -> bool:
    sentence, head = match.sentence, match.head
    if hit.end <= head.start:
        before, between = True, range(hit.end, head.start)
    elif hit.start >= head.end:
        before, between = False, range(match.end if hit.start >= match.end else head.end, hit.start)
    else:
        wider = hit.start <= head.start and hit.end > head.end  # "flew out" where the head is "flew"
        past = head.lexeme.tag in PAST
        whole = past and hit.end == head.end and any(one.start == hit.start < head.start for one in match.hits)
        wider = wider or whole  # "soldiers who came"
        return wider and not any(sentence.between(number, head.end, hit.end) for number in cue.unless)
    if cue.direction != "either" and (cue.direction == "before") != before:
        return False
    if len(between) > cue.reach:
        return False
    clauses = (sentence.clause(head.start), sentence.clause(match.begin))
    if cue.clause and sentence.clause(hit.start) not in clauses:
        return False
    return not any(sentence.between(number, between.start, between.stop) for number in cue.unless)


def _beside(cue: Cue, sentence: Sentence) -> Hit | None:
    """A cue that stands in the neighbouring sentence from which it reaches: "However, there are no immediate signs"."""
    sentences = sentence.page.sentences
    number = sentence.number + cue.adjacent
    if not 0 <= number < len(sentences):
        return None
    if sentences[number].span.block not in {sentence.span.block, sentence.span.block + cue.adjacent}:
        return None
    return next(_hits(cue, sentences[number]), None)


def stage_of(match: Match, reached: Reached) -> tuple[Stage, bool]:
    """The stage, and whether words (and not only a tense) point forward."""
    stage, forward = _said(match, tuple((cue, hit) for cue, hit in reached if not cue.raises))
    raised = [cue.stage for cue, _ in reached if cue.stage and forward and stage in cue.raises]
    return max((stage, *raised), key=STAGES.index), forward


def _said(match: Match, reached: Reached) -> tuple[Stage, bool]:
    """The stage by the words and the tense, before anything raises it."""
    tag = tag_of(match)
    happened = match.form.tense and tag in PAST and not _passive(match) and not _going_on(match)
    least = STAGES.index(match.form.stage) if match.form.stage else 0
    for cue, _ in reached:
        if cue.stage == "done":
            return "done", False
        if cue.stage and not happened and STAGES.index(cue.stage) >= least:
            return cue.stage, True
    if match.form.stage and not happened:
        return match.form.stage, match.form.stage != "done"
    if match.form.tense and _going_on(match):
        return "planned", True
    happens = match.form.tense and tag != "base" and not _passive(match)
    return ("done" if happens else "planned"), False


def tag_of(match: Match) -> str:
    """How the verb stands; what looks like a base form behind "has" or "had" is a participle: "has come", "has now run"."""
    tag = match.head.lexeme.tag
    if tag != "base":
        return tag
    if _behind(match, _HAVE):
        return "part"
    return "s" if _plural(match) else tag


def _plural(match: Match) -> bool:
    """Whether a verb that looks like a base form stands in the present, right behind a subject in the plural: "the marines land at"."""
    before = _before(match)
    subject = any(hit.end == match.head.start for hit in match.hits)
    return subject and before.endswith("s") and before not in _HAVE | FORMS_OF_BE


def _behind(match: Match, words: frozenset[str]) -> bool:
    """Whether the head stands right behind one of some words, or with an adverb between: "has now come", "are already on their way"."""
    before, earlier = _before(match), match.sentence.word(match.head.start - 2)
    return before in words or (earlier in words and (before.endswith("ly") or before in _BETWEEN))


def _going_on(match: Match) -> bool:
    """Whether it is being done as the article speaks: "is sending", "are being sent"."""
    if match.head.lexeme.tag == "ing":
        return _before(match) in _BE or _contracted(match)
    return _before(match) == "being" and match.sentence.word(match.head.start - 2) in {"is", "are"}


def _contracted(match: Match) -> bool:
    """Whether "is" or "are" before the head is written short: "it's sending"."""
    start = match.head.start
    return _before(match) in _SHORT and match.sentence.word(start - 2) in _SHORTENED


def present(match: Match) -> bool:
    """Whether the verb stands in the present or goes on: news of these days. So do words of being under way behind "is"."""
    tag = tag_of(match)
    if tag == "word":
        return _behind(match, _IS)
    return tag == "s" or (tag == "ing" and (_before(match) in _BE | _KEEP or _behind(match, _IS)))


def perfect(match: Match) -> bool:
    """Whether the verb stands in the present perfect, in which news of these days is told: "has since been moved".

    Reported, it is shifted back: "said that they had been moved".
    """
    sentence, start = match.sentence, match.head.start
    if tag_of(match) not in MAY_BE_PAST:
        return False
    told = {sentence.word(token) for token in range(start - _PASSIVE_REACH, start)}
    if told & {"has", "have"}:
        return True
    return "had" in told and any(sentence.word(token) in _SAID for token in range(start - _SAID_REACH, start))


_SAID = frozenset(
    {
        "said",
        "told",
        "reported",
        "announced",
        "confirmed",
        "claimed",
        "disclosed",
        "revealed",
        "declared",
        "acknowledged",
    }
)
_SAID_REACH = 16
"""Words between who said so in the past and what had been done."""


def passive(match: Match) -> bool:
    """Whether a participle stands right behind a form of "be": "have been sent"."""
    return match.head.lexeme.tag in PAST and _before(match) in FORMS_OF_BE


def _before(match: Match) -> str:
    return match.sentence.word(match.head.start - 1)


def _passive(match: Match) -> bool:
    """Whether a participle stands behind "be", so that its time is decided before it: "will be sent", "to be deployed"."""
    start = match.head.start
    return any(match.sentence.word(token) == "be" for token in range(start - _PASSIVE_REACH, start))


def certainty_of(reached: Reached) -> Certainty:
    """How sure the speaker is; doubt outweighs confirmation."""
    said = {cue.certainty for cue, _ in reached}
    if "suspected" in said:
        return "suspected"
    return "confirmed" if "confirmed" in said else "asserted"


def flags_of(reached: Reached) -> tuple[str, ...]:
    """The flags the cues set, each once."""
    return tuple(dict.fromkeys(cue.flag for cue, _ in reached if cue.flag))
