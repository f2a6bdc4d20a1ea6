"""The files analysts write: rules, word lists, name lists and cue lists. These models are the only description of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from math import prod
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from tocsin.signal import Certainty, Stage

SLUG = r"^[a-z0-9]+(?:[-_][a-z0-9]+)*$"
Slug = Annotated[str, StringConstraints(pattern=SLUG)]
ListName = Annotated[Slug, WithJsonSchema({"x-names": "lists"})]
"""A list: shared, or the rule's own."""
CueName = Annotated[Slug, WithJsonSchema({"x-names": "cues"})]
Named = Annotated[Slug, WithJsonSchema({"x-names": "slugs"})]
"""The slug of an entry of a list of names."""
Phrase = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
MAX_CHOICES = 256
"""Entries that one entry with choices may stand for."""
_CHOICE = re.compile(r"\(([^()|]*\|[^()]*)\)")


def _spread(value: object) -> object:
    """Entries with every choice made: "(defence | defense) budget" stands for two."""
    if not isinstance(value, list):
        return value
    try:
        if "(" not in "".join(value):  # as of most lists
            return value
    except TypeError:  # not all of it is text
        pass
    return [one for entry in value for one in (choices(entry) if isinstance(entry, str) and "(" in entry else [entry])]


@cache
def choices(entry: str) -> Sequence[str]:
    """The entries that one stands for, every choice in brackets made."""
    groups = [match[1].count("|") + 1 for match in _CHOICE.finditer(entry)]
    if prod(groups) > MAX_CHOICES:
        raise ValueError(
            f"{entry[:60]!r} stands for {prod(groups):,} entries, and {MAX_CHOICES} is the most; write it as several"
        )
    return tuple(dict.fromkeys(_spread_out(entry)))  # once each, though the inner group of two is spread first


def _spread_out(entry: str) -> list[str]:
    match = _CHOICE.search(entry)
    if not match:
        return [entry]
    return [
        spread
        for choice in match[1].split("|")
        for spread in _spread_out(" ".join((entry[: match.start()] + choice.strip() + entry[match.end() :]).split()))
    ]


Phrases = Annotated[
    list[Phrase],
    BeforeValidator(_spread),
    WithJsonSchema(
        {"type": "array", "items": {"type": "string", "minLength": 1}}
    ),  # as written, before choices are made
]
"""Entries of lists and names; a choice in brackets makes several of one: (defence | defense) budget."""
Level = Literal["low", "medium", "high", "critical"]
Slot = Literal["who", "where", "what"]

_PERIOD = re.compile(r"\A(\d+)([hdw])\Z")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def _period(value: object) -> timedelta:
    if isinstance(value, str) and (match := _PERIOD.match(value)):
        return timedelta(**{_UNITS[match[2]]: int(match[1])})
    if isinstance(value, timedelta):
        return value
    raise ValueError("write a period as a number and a unit: 12h, 30d or 8w")


Period = Annotated[
    timedelta,
    BeforeValidator(_period),
    WithJsonSchema({"type": "string", "pattern": r"^\d+[hdw]$", "examples": ["12h", "30d", "8w"]}),
]


class Model(BaseModel):
    """A part of a file: no unknown key is accepted."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(Model):
    """A list of words and phrases. Verbs and nouns are given in their base form; the engine inflects them.

    An entry may hold choices: "(defence | defense) budget" is two entries.
    """

    description: str = Field(default="", description="What belongs into the list, for whoever adds to it")
    verbs: Phrases = Field(default_factory=list, description="Verbs and phrasal verbs in base form: send, beef up")
    nouns: Phrases = Field(default_factory=list, description="Nouns in the singular: soldier, advance party")
    words: Phrases = Field(default_factory=list, description="Anything to be taken as written: more, as many as")
    include: list[ListName] = Field(
        default_factory=list, description="Other lists whose entries belong to this one too"
    )
    any_of: Phrases = Field(
        default_factory=list,
        description="Instead of words: lists, of names too, any of which will do where a form asks for this one; "
        "`states:named` takes a state's names and seats, no adjective and no person, `states:adjectives` only those",
    )
    not_: Phrases = Field(
        default_factory=list, alias="not", description="Phrases that hold a word of the list but mean something else"
    )
    exclusive: bool = Field(
        default=False, description="A word that is part of a longer word of another exclusive list does not count"
    )


class WordsFile(Model):
    """A file of shared word lists."""

    kind: Literal["words"] = Field(description="Says that the file holds word lists")
    description: str = Field(default="", description="What the lists of the file have in common")
    lists: dict[Slug, Words] = Field(
        description="The lists by their names, which forms write in angle brackets: <send>"
    )


class Name(Model):
    """One state, alliance, place, institution or thing, with everything the news calls it."""

    slug: Slug = Field(description="By which it is known in slots, tests and stories; it never changes")
    name: Phrase = Field(description="How an alert prints it")
    names: Phrases = Field(default_factory=list, description="What the news calls it in full")
    adjectives: Phrases = Field(default_factory=list, description="Words for what belongs to it: North Korean")
    people: Phrases = Field(default_factory=list, description="Words for its people: Russians")
    short: Phrases = Field(
        default_factory=list,
        description="Short names that count only where the article names it, the state it belongs to, or one of `beside`, "
        "in full",
    )
    beside: list[Named] = Field(
        default=[], description="Entries whose company makes its short names plain: the North, beside South Korea"
    )
    seats: Phrases = Field(
        default_factory=list,
        description="Capitals and seats of power that stand for its government: Moscow, the Kremlin",
    )
    leaders: Phrases = Field(default_factory=list, description="Persons who stand for it")
    forces: Phrases = Field(default_factory=list, description="Its armed forces by their own names")
    parliaments: Phrases = Field(default_factory=list, description="Its parliament by its own name")
    not_: Phrases = Field(
        default_factory=list,
        alias="not",
        description="Phrases that hold one of its names but mean something else: Air China",
    )
    state: Named | None = Field(default=None, description="The state it lies in or belongs to")
    type: str = Field(default="", description="What kind of thing it is; nothing depends on it")


class NamesFile(Model):
    """A list of names: each entry has a slug, which never changes."""

    list: Slug = Field(description="How forms, who and where call the list: <states>")
    kind: Literal["names"] = Field(description="Says that the file holds names")
    description: str = Field(default="", description="What the list holds")
    not_: Phrases = Field(
        default=[], alias="not", description="Phrases that hold a name of the list but mean something else"
    )
    entries: tuple[Name, ...] = Field(description="The names")


class Sets(Model):
    """What a cue says about the words it reaches: exactly one of these."""

    stage: Stage | None = Field(
        default=None, description="How far the thing has come: planned, preparing, imminent or done"
    )
    certainty: Certainty | None = Field(
        default=None, description="How sure the speaker is: suspected, asserted or confirmed"
    )
    flag: Slug | None = Field(default=None, description="A flag the signal carries: denied, no-immediate-sign, …")
    drop: Slug | None = Field(default=None, description="Silences the match, with this word as the reason")
    fresh: bool | None = Field(default=None, description="The match is news of these days")


class Cue(Model):
    """Words that decide stage, certainty, flags or silence of a match near them."""

    name: Slug = Field(description="How rules and `explain` call it")
    sets: Sets = Field(description="What it says")
    verbs: Phrases = Field(default_factory=list, description="Verbs in base form")
    nouns: Phrases = Field(default_factory=list, description="Nouns in the singular")
    words: Phrases = Field(default_factory=list, description="Anything to be taken as written")
    forms: list[Phrase] = Field(
        default_factory=list, description="Cues with gaps, written like a rule's form: neither ..6 confirmed"
    )
    include: list[ListName] = Field(default_factory=list, description="Lists whose words are cues, too")
    not_: Phrases = Field(
        default_factory=list, alias="not", description="Phrases that hold a word of the cue but mean something else"
    )
    direction: Literal["before", "after", "either"] = Field(
        default="before", description="Where the cue stands, seen from the match"
    )
    reach: int = Field(default=8, ge=1, le=60, description="At most this many words between cue and match")
    scope: Literal["clause", "sentence", "next", "previous"] = Field(
        default="clause",
        description="How far it may stand from the match; `next` and `previous`: in the neighbouring sentence, too",
    )
    unless: list[ListName] = Field(
        default_factory=list, description="Lists or cues; one of them between cue and match breaks the cue"
    )
    opens: bool = Field(
        default=False, description='Counts only where its sentence begins with it: "In the autumn of 1990, …"'
    )
    raises: list[Stage] = Field(
        default_factory=list,
        description="Only raises these stages, of a match that is ahead without it: of a launch to come, a weekday says that it is near",
    )
    only: Literal["title", "text"] | None = Field(
        default=None, description="Counts only in headlines, or only in texts"
    )
    rules: list[Slug] = Field(
        default_factory=list, description="Only these rules heed it; all of them where none is named"
    )


class CuesFile(Model):
    """A file of cues. Of two that set the stage, the one that stands first in the file wins."""

    kind: Literal["cues"] = Field(description="Says that the file holds cues")
    description: str = Field(default="", description="What the cues of the file are about")
    cues: list[Cue] = Field(description="The cues")


class Who(Model):
    """Where the actor comes from."""

    from_: list[ListName] = Field(alias="from", description="Lists of names that can act")
    of: list[ListName] = Field(
        default_factory=list, description="Lists: a nationality on one of these words decides before any subject does"
    )
    required: bool = Field(default=True, description="Whether it is no signal where nobody is said to act")
    speaker: bool = Field(
        default=False,
        description="Where nobody acts in headline and lead, take whoever speaks there, or else the dateline's state",
    )
    anchor: bool = Field(
        default=False,
        description="A sentence of the text that tells it must say who acts or name an institution, one of the lead may only name who could; "
        "else the headline must say it, or the lead where the sentence stands there or looks ahead; a headline need not",
    )
    only: list[Named] = Field(
        default_factory=list, description="Slugs: nobody else can act, as only some states can test a nuclear weapon"
    )
    watchers: list[Named] = Field(
        default_factory=list,
        description="Slugs: who mostly tells what others do, and acts only where a sentence plainly says so, or nobody else is named",
    )
    inherit: bool = Field(
        default=True, description="Take the actor of the headline or an earlier sentence where this one names none"
    )


class Where(Model):
    """Where the theatre comes from."""

    from_: list[ListName] = Field(alias="from", description="Lists of names that can be the theatre")
    merge: list[list[Named]] = Field(
        default_factory=list,
        description="Places that are one theatre; the first names it, unless it is the actor itself",
    )


class What(Model):
    """Where the materiel comes from: the first list of which a word stands in the match gives the slot."""

    from_: dict[Slug, ListName] = Field(alias="from", description="slug of the slot: list of words")
    default: Slug | None = Field(default=None, description="The slot where no word says more")
    merge: list[list[Slug]] = Field(
        default_factory=list,
        description="Materiel that is one thing, in an article and as a story; the first is the closer word",
    )
    vague: dict[Slug, list[Slug]] = Field(
        default_factory=dict,
        description="List of words that may stand for several things → the slots they may stand for: the nearest named in the "
        "sentence, else in the sentence before, the headline or the lead. A match that names nothing may stand for all",
    )
    names: dict[Slug, Phrase] = Field(default_factory=dict, description="How an alert prints each slot")


class Form(Model):
    """One way in which the news says it."""

    form: Phrase = Field(
        description="Words, <lists> and <phrases> in order; `..` is a gap in one clause, `..3` at most three words, `...` may leave the "
        "clause; what stands around `..&3` or `...&3` may stand in either order"
    )
    head: ListName | None = Field(
        default=None, description="The list whose word the cues look at; otherwise the first verb"
    )
    stage: Stage | None = Field(
        default=None, description="The stage when no cue and no tense says more; words that say less do not lower it"
    )
    with_: list[ListName] = Field(
        default_factory=list, alias="with", description="Lists of which a word must stand in the sentence"
    )
    without: list[ListName] = Field(
        default_factory=list, description="Lists of which no word may stand in the sentence"
    )
    about: list[ListName] = Field(
        default_factory=list,
        description="Lists of which a word must stand in the headline, the first three sentences, this one or the one before",
    )
    told: list[ListName] = Field(
        default_factory=list,
        description="Lists of which a word must stand in this sentence or the one before: what the match takes up",
    )
    needs: list[str] | None = Field(
        default=None,
        description="One of: the name of a list or cue in the clause, forward, fresh, perfect, lead, title; left out, as the "
        "rule says, [] for none",
    )
    what: Slug | None = Field(default=None, description="The slot `what` of whatever this form finds")
    ignore_cues: list[CueName] = Field(default_factory=list, description="Cues that say nothing about this form")
    tense: bool | None = Field(
        default=None, description="Whether a past tense means that the thing is done; left out, as the rule says"
    )
    only_who: list[Named] = Field(
        default_factory=list, description="Only where one of these acts, or is what the article is about"
    )
    amounts: Literal["rising", "falling", "below-told", "over-hundred"] | None = Field(
        default=None,
        description=(
            "How the first and the last of the match's sums or percentages compare: rising (from 34 billion to 40), falling "
            "(40 billion, against 34); below-told: its one sum is less than one in the sentence before (It gets 40 billion. Last year it was 34); "
            "over-hundred: its first percentage is of an earlier sum, and more than all of it (103.6 percent of last year's)"
        ),
    )
    weak: bool = Field(
        default=False, description="A hint: what it finds counts only where the rule finds nothing else in the article"
    )
    who: Literal["any", "own"] = Field(default="any", description="own: the forces spoken of must be the actor's own")


class Warn(Model):
    """A figure a reader should doubt: when it is printed so, the likely reading is shown beside it."""

    unit: Literal["percent", "money", "count"] = Field(description="Of which figures")
    above: float = Field(description="Only figures above this")
    reading: str = Field(description="May use {value} and {less_100}")
    counts: str = Field(description="What the figure is likely a figure of, for the alert")
    flag: Slug = Field(description="The flag the signal carries then")
    note: str = Field(description="Why it is doubted, for the alert")


class Figures(Model):
    """Which numbers belong to the signal."""

    unit: Literal["percent", "money", "count"] = Field(description="Percentages, sums of money, or counts of things")
    of: list[ListName] = Field(default_factory=list, description="Lists: the number stands with one of their words")
    counts: str = Field(default="", description="What is counted, as an alert prints it and `update_on` names it")


class StoryRule(Model):
    """What makes two signals one story."""

    same: list[Slot] = Field(description="The slots that tell one story from another")
    quiet_for: Period = Field(description="How long nothing must be published before the next report is a new story")
    again_after: Period | None = Field(
        default=None,
        description="After this much quiet what is told is a new development, unless it is the first higher stage or gives a watched figure again",
    )
    update_on: list[str] = Field(
        default_factory=list,
        description="What else is told when it changes: `counts` of a figure, or where, what when the story is not told apart by it",
    )
    tolerance: float = Field(
        default=0.5, gt=0, le=10, description="Share by which a figure must differ from what was told to be a change"
    )


class Fires(Model):
    """A text that must fire, and what must be read out of it."""

    text: Phrase | str = Field(description="What the news says")
    title: str = Field(default="", description="The headline above it")
    who: Named | None = Field(default=None, description="The actor that must be found")
    where: Named | None = Field(default=None, description="The theatre that must be found")
    what: Slug | None = Field(default=None, description="The materiel that must be found")
    stage: Stage | None = Field(default=None, description="The stage that must be found")
    certainty: Certainty | None = Field(default=None, description="The certainty that must be found")
    flags: list[Slug] | None = Field(default=None, description="Flags the signal must carry, among others")


def _day(value: str) -> str:
    """A day, or a moment of it."""
    try:
        datetime.fromisoformat(value)
    except ValueError as error:
        raise ValueError("write a date as 2025-03-01 or 2025-03-01T09:30") from error
    return value


class Report(Model):
    """A short article of a story test."""

    text: str = Field(description="What the article says")
    title: str = Field(default="", description="Its headline")
    source: str = Field(description="The outlet")
    published: Annotated[str, AfterValidator(_day)] = Field(description="When, as a day or a moment")
    id: str = Field(default="", description="Of an article that comes again, edited")
    becomes: (
        Literal[
            "first_report", "stage_up", "material_change", "disputed", "corrected", "corroborated", "denied", "stale", "silenced",
            "shadow", "repeat",
        ]
        | None
    ) = Field(default=None, description="What must become of it")  # fmt: skip


BLANK = "{}"
"""Where in a sentence each of several words stands in turn."""


class Variants(Model):
    """A sentence with a blank, and the words that stand there in turn: a test for each."""

    fires: str | None = Field(default=None, description="What the news says, with {} for the word; it must fire")
    silent: str | None = Field(default=None, description="The same of what must stay silent")
    title: str = Field(default="", description="The headline above it; the {} may stand here instead")
    words: list[Phrase] = Field(min_length=1, description="What stands at the {} in turn, as written: sent, sails to")
    who: Named | None = Field(default=None, description="The actor that must be found each time")
    where: Named | None = Field(default=None, description="The theatre that must be found")
    what: Slug | None = Field(default=None, description="The materiel that must be found")
    stage: Stage | None = Field(default=None, description="The stage that must be found")
    certainty: Certainty | None = Field(default=None, description="The certainty that must be found")
    flags: list[Slug] | None = Field(default=None, description="Flags each signal must carry, among others")

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        """Whether it says what is to come of it, has one blank, and no word twice."""
        if (self.fires is None) == (self.silent is None):
            raise ValueError("write the sentence under `fires` or under `silent`, one of the two")
        if f"{self.title}\n{self.text}".count(BLANK) != 1:
            raise ValueError("the sentence, or its title, needs one {} where the words stand in turn")
        if self.silent is not None and self.model_fields_set - {"silent", "title", "words"}:
            raise ValueError("nothing is read out of what stays silent; leave out all but `title` and `words`")
        if twice := [word for word, count in Counter(self.words).items() if count > 1]:
            raise ValueError(f"{twice[0]!r} stands there twice; once is enough")
        return self

    @property
    def text(self) -> str:
        """The sentence, with its blank."""
        return self.fires if self.fires is not None else self.silent or ""

    def saying(self, word: str) -> Fires:
        """The text and headline that a word makes, and what must be read out of them."""
        asked = {name: getattr(self, name) for name in ("who", "where", "what", "stage", "certainty", "flags")}
        text, title = (part.replace(BLANK, word) for part in (self.text, self.title))
        return Fires.model_construct(text=text, title=title, **asked)


class Tests(Model):
    """What the rule must do, in the words of the news."""

    fires: list[Fires] = Field(default_factory=list, description="Texts that must fire")
    silent: list[str] = Field(default_factory=list, description="Texts that must stay silent")
    same_story: list[list[Report]] = Field(default_factory=list, description="Articles that must end in one story")
    new_story: list[list[Report]] = Field(default_factory=list, description="Articles that must end in a story each")
    update: list[list[Report]] = Field(
        default_factory=list, description="Articles of one story, the last of which must be told as an update"
    )
    variants: list[Variants] = Field(
        default_factory=list,
        description="Sentences in which each of several words must do the same, so that each is tested",
    )

    def counts(self) -> Counter[str]:
        """How many there are of each kind; of variants, each word is one."""
        counted = Counter({kind: len(getattr(self, kind)) for kind in type(self).model_fields})
        return counted | Counter({"variants": sum(len(one.words) for one in self.variants)})


class Rule(Model):
    """One kind of signal."""

    title: Phrase = Field(description="What an alert is called")
    id: str = Field(description="A UUID that never changes")
    name: Slug = Field(description="The file's name without .yaml")
    status: Literal["experimental", "test", "stable", "deprecated"] = Field(
        description="experimental and test are on trial: recorded, not posted; stable is posted; deprecated is posted and on its way out"
    )
    level: dict[Stage, Level] = Field(description="How grave an alert is at each stage")
    description: Phrase | str = Field(description="What the rule finds, in a sentence")
    references: list[str] = Field(default_factory=list, description="Sources for what it looks for")
    tags: list[str] = Field(default_factory=list, description="Names other systems know the signal by")
    falsepositives: list[str] = Field(default_factory=list, description="What it is known to take for a signal")
    policy: str = Field(
        default="",
        description="What the rule does about domestic use of troops, relief, police, peacekeepers, exercises",
    )
    runbook: str = Field(default="", description="What an analyst does with an alert")
    lists: dict[Slug, Words] = Field(default_factory=dict, description="Word lists only this rule uses")
    phrases: dict[Slug, list[Phrase]] = Field(
        default_factory=dict,
        description="Parts of forms that can be said in several ways: a form that names one stands for a form with each",
    )
    about: list[ListName] = Field(
        default_factory=list, description="The `about` of every form that has none of its own"
    )
    needs: list[str] = Field(default_factory=list, description="The `needs` of every form that says nothing of its own")
    forms: list[Form] = Field(description="The ways in which the news says it; one that matches is enough")
    never: list[ListName] = Field(
        default_factory=list, description="Lists: a word of one of them in the match's clause silences it"
    )
    never_in_sentence: list[ListName] = Field(
        default_factory=list, description="Lists: a word of one of them in the sentence silences the match"
    )
    never_in_lead: list[ListName] = Field(
        default_factory=list,
        description="Lists: a word of them in the first sentences of the text silences the rule in the text",
    )
    never_in_title: list[ListName] = Field(
        default_factory=list, description="Lists: a word of them in the headline silences the headline, never the text"
    )
    never_as_theme: list[ListName] = Field(
        default_factory=list,
        description="Lists: a word of one in the headline silences the headline, and the text where its lead holds one too",
    )
    after_done: list[Slug] = Field(
        default_factory=list,
        description="Lists: where headline or first sentence tell that it is done, and neither that it is to come, a sentence that "
        "holds no word of these (another, next) only looks back",
    )
    deed: list[ListName] = Field(
        default_factory=list,
        description="Lists: their words, too, tell in headline or first sentence that it is done, for `after_done`",
    )
    tense: bool = Field(default=True, description="Whether a past tense means that the thing is done")
    active: bool = Field(
        default=False,
        description="A form that begins with a verb does not match its passive: what is acted on stands before that",
    )
    cues: list[CueName] | None = Field(default=None, description="Only these cues speak to the rule; left out, all do")
    ignore_cues: list[CueName] = Field(default_factory=list, description="Cues that say nothing about this rule")
    who: Who = Field(description="Who acts")
    where: Where | None = Field(default=None, description="Where it happens")
    what: What | None = Field(default=None, description="What it is about")
    figures: list[Figures] = Field(default_factory=list, description="Which numbers belong to it")
    warn: list[Warn] = Field(default_factory=list, description="Figures to be doubted")
    story: StoryRule = Field(description="What makes one story of several articles")
    tests: Tests = Field(default_factory=Tests, description="What it must do")
