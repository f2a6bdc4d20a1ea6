"""Who does it, where, and who says so: names in a sentence told apart by the part they play."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain

from tocsin.compiled import Rule, RuleSet
from tocsin.scan import AUXILIARIES, FORMS_OF_BE, MAY_BE_PAST, PAST, Hit, Sentence

PREPOSITIONS = frozenset({
    "to", "into", "in", "at", "on", "against", "with", "from", "of", "by", "for", "near", "toward", "towards", "inside", "across", "over",
    "between", "within", "about", "via", "through", "around", "outside", "off", "along", "alongside", "under", "throughout", "beyond", "onto", "per",
})  # fmt: skip
TOWARDS = frozenset(
    {
        "to",
        "into",
        "in",
        "at",
        "near",
        "toward",
        "towards",
        "inside",
        "across",
        "on",
        "around",
        "along",
        "onto",
        "off",
        "for",
        "through",
        "throughout",
        "within",
        "over",
        "with",
    }
)
_BESIDE = frozenset({"alongside", "against"})
_DETERMINERS = frozenset({"the", "a", "an", "its", "their", "his", "her", "s", "all", "both", "some", "this", "that"})
_AUXILIARIES = AUXILIARIES | frozenset({"be", "been", "being", "can", "did", "do", "does", "must", "shall", "to"})
_COUNTS = frozenset({"two", "three", "four", "several", "many", "other", "various", "most"})
_POSSESSIVES = frozenset({"its", "their", "his", "her"})
_PRONOUNS = frozenset({"it", "he", "she", "they", "we", "i"})
_STOPPERS = (
    PREPOSITIONS
    | _AUXILIARIES
    | frozenset(
        {"and", "or", "but", "that", "which", "who", "as", "than", "while", "after", "before", "if", "when", "where"}
    )
)
_NOMINAL_TAGS = frozenset({"names", "seats", "leaders", "forces", "parliaments", "short", "people"})
OWNER_REACH = 6
SURE = 6
"""An actor at least this strong is read out of the sentence itself."""


@dataclass(frozen=True, slots=True)
class Actor:
    """A candidate for who acts: its slug, how it was found, and how strong that is (0 to 10)."""

    slug: str
    strength: int
    how: str
    hit: Hit


class Grammar:
    """The lists roles look at: reporting verbs and nouns of intent."""

    def __init__(self, rules: RuleSet) -> None:
        self.reporting = rules.lists.get("reporting", -1)
        self.intent = rules.lists.get("intent", -1)
        self.telling = rules.lists.get("telling", -1)
        self.theatres = rules.lists.get("theatres", -1)
        self.spot = rules.lists.get("spot", -1)
        self.arsenals = rules.lists.get("arsenals", -1)
        self.purses = rules.lists.get("purses", -1)
        self.amount = rules.lists.get("amount", -1)
        self.states = rules.states
        self.body = rules.lists.get("body", -1)
        self.institutions = rules.lists.get("institutions", -1)
        self.relays = rules.lists.get("relays", -1)


def owners(  # noqa: PLR0913 - all of it is needed
    sentence: Sentence, names: list[Hit], target: Hit, verb: Hit | None, grammar: Grammar, reports: Iterable[Hit] = ()
) -> list[Actor]:
    """Nationalities on a noun: "North Korean troops", "Russia's heavy artillery", "soldiers from Rwanda", "units from Diyarbakir"."""
    ends = {hit.end: hit for hit in names}
    told = {
        hit.start for hit in reports if hit.lexeme.tag in {"base", "s"}
    }  # "South Korean lawmakers expect the missile"
    found: list[Actor] = []
    if whole := next((hit for hit in names if hit.start <= target.start and target.end <= hit.end), None):
        return [Actor(whole.lexeme.slug, 10, "owner", whole)]  # "the Canadian Armed Forces"
    token = target.start
    listed = False
    for _ in range(OWNER_REACH):
        if not _APART.isdisjoint(sentence.page.gap(token)):
            break
        if (hit := ends.get(token)) and hit.start < target.start:
            found.append(Actor(hit.lexeme.slug, 10, "owner", hit))
            other = _conjoined(sentence, ends, hit)
            return [*found, Actor(other.lexeme.slug, 10, "owner", other)] if other else found
        token -= 1
        word = sentence.word(token)
        if word == "and" and sentence.word(token - 1).endswith("s"):  # "Serbian guns, tanks and infantry"
            listed = True
            continue
        if (
            not word
            or word in _STOPPERS
            or word in _PRONOUNS
            or word in {"a", "an"}
            or token in told
            or (verb and verb.start <= token < verb.end)
            or ("," in sentence.page.gap(token + 1) and not listed)
        ):
            break
    behind = _from_behind(sentence, names, target, grammar)
    if verb and verb.end <= target.start:  # "shifted its division from Gaza"
        behind = [
            Actor(actor.slug, 5, "origin", actor.hit) if sentence.word(target.end) == "from" else actor
            for actor in behind
        ]
    return found or behind


_APART = frozenset(":;()\u2013\u2014")
"""What parts a name from forces that are not its own: "Gunboats off Venezuela: three destroyers told to go"."""
_BELONGING = (
    ("from",),
    ("of",),
    ("belonging", "to"),
    ("in", "the", "uniform", "of"),
    ("in", "the", "uniforms", "of"),
    ("wearing", "the", "uniform", "of"),
)
"""What stands between forces and whose they are."""


def _from_behind(sentence: Sentence, names: list[Hit], target: Hit, grammar: Grammar) -> list[Actor]:
    token = target.end
    joint = next((one for one in _BELONGING if _spells(sentence, token, one)), ())
    if not joint:
        return []
    starts = {hit.start: hit for hit in names}
    homes = {hit.start: hit for hit in sentence.by_list.get(grammar.theatres, ()) if hit.lexeme.slug in grammar.states}
    for position in range(token + len(joint), token + len(joint) + 3):
        if hit := starts.get(position):
            return [Actor(hit.lexeme.slug, 9, "from", hit)]
        if joint == ("from",) and target.lexeme.tag not in PAST and (hit := homes.get(position)):
            return [Actor(grammar.states[hit.lexeme.slug], 9, "from", hit)]
        if sentence.word(position) not in _DETERMINERS:
            break
    return []


def _spells(sentence: Sentence, token: int, words: tuple[str, ...]) -> bool:
    return all(sentence.word(token + offset) == word for offset, word in enumerate(words))


def _part_of(hit: Hit, matched: Iterable[Hit]) -> bool:
    """Whether a word is part of a longer one of the match, and so reports nothing: "a navigational warning"."""
    return any(one.start <= hit.start and hit.end <= one.end and one.end - one.start > 1 for one in matched)


def subjects(
    sentence: Sentence, names: list[Hit], head: Hit, grammar: Grammar, matched: Iterable[Hit] = ()
) -> list[Actor]:
    """Actors before the verb, the nearest first; one that only reports is kept as a weak candidate."""
    found: list[Actor] = []
    reports = [
        hit
        for hit in sentence.by_list.get(grammar.reporting, [])
        if hit.end <= head.start and not _passive(sentence, hit) and not _part_of(hit, matched)
    ]
    told = sentence.by_list.get(grammar.telling, ())
    ends = {hit.end: hit for hit in names}
    for hit in reversed([hit for hit in names if hit.end <= head.start]):
        if (
            hit.lexeme.tag == "seats" and hit.start - sentence.low == 1 and sentence.word(sentence.low) == "in"
        ):  # "In Washington, officials said"
            found.append(Actor(hit.lexeme.slug, 4, "scene", hit))
            continue
        if sentence.word(_phrase_start(sentence, hit) - 1) == "by" and sentence.word(hit.end) == "to":
            found.append(Actor(hit.lexeme.slug, 9, "agent", hit))  # "preparations by North Korea to conduct"
            continue
        if (
            sentence.word(hit.end) not in AUXILIARIES and any(verb.end == _phrase_start(sentence, hit) for verb in told)
        ):  # "told Pyongyang to halt" against "told Tokyo that it …", "of a plan to …"; in "warns Pyongyang may …" Pyongyang acts
            following = [sentence.word(token) for token in range(hit.end, hit.end + 3)]
            if following[0] not in {"of", "about"} and not {"to", "against", "off"}.isdisjoint(following):
                found.append(Actor(hit.lexeme.slug, 9, "told", hit))
            continue
        if _acted_on(sentence, hit, reports, told, grammar):
            continue
        joined = ends.get(hit.start - 1) if sentence.word(hit.start - 1) == "and" else None
        if joined and _inside_phrase(sentence, joined, grammar):  # "in Iraq and Afghanistan"
            continue
        strength, how = _part(sentence, hit, head, reports)
        found.append(Actor(hit.lexeme.slug, strength, how, hit))
        other = _conjoined(sentence, ends, hit)
        if other and strength >= 7:  # noqa: PLR2004 - only a sure subject brings its companion
            found.append(Actor(other.lexeme.slug, strength, how, other))
    return found


def _part(sentence: Sentence, hit: Hit, head: Hit, reports: list[Hit]) -> tuple[int, str]:
    """How surely a name before the verb is its subject, and whether it only says so."""
    report = next((verb for verb in reports if hit.end <= verb.start), None)
    if report is None:
        strength, how = 8, "subject"
    elif _pronoun_between(sentence, report.end, head):
        strength, how = 7, "speaker"
    else:
        strength, how = (6 if hit.lexeme.tag == "forces" else 3), "reporter"
    return strength - (sentence.clause(hit.start) != sentence.clause(head.start)), how


def _acted_on(sentence: Sentence, hit: Hit, reports: list[Hit], told: Iterable[Hit], grammar: Grammar) -> bool:
    """Whether a name cannot act: a place, an object, somebody who is told something, or the only one who does not."""
    return (
        _left_out(sentence, hit)
        or _let_know(sentence, hit)
        or _behind_gerund(sentence, hit, reports)
        or _is_told(sentence, hit, told)
        or _inside_phrase(sentence, hit, grammar)
    )


def _let_know(sentence: Sentence, hit: Hit) -> bool:
    """Whether a name is let know something: "has let Wellington, Canberra and Papeete know"."""
    word = sentence.word
    let = any(
        word(token) in {"let", "lets", "letting"}
        for token in range(max(hit.start - OWNER_REACH, sentence.low), hit.start)
    )
    return let and any(word(token) == "know" for token in range(hit.end, hit.end + OWNER_REACH))


def _left_out(sentence: Sentence, hit: Hit) -> bool:
    """Whether a name is an exception: "every member but Cape Verde", "all except Hungary"."""
    token = _phrase_start(sentence, hit) - 1
    word = sentence.word(token)
    if word == "but":
        return any(sentence.word(token - step) in _EVERY for step in range(1, 5))
    return word in {"except", "excepting", "save", "barring", "excluding", "bar"}


_EVERY = frozenset({"every", "all", "any", "each", "everyone", "everybody", "none", "nobody"})


def _passive(sentence: Sentence, verb: Hit) -> bool:
    """Whether others say it of the subject: "North Korea is expected to", "Iran is widely believed to"."""
    before = verb.start - 2 if sentence.word(verb.start - 1).endswith("ly") else verb.start - 1
    return verb.lexeme.tag in PAST and sentence.word(before) in FORMS_OF_BE


def _phrase_start(sentence: Sentence, hit: Hit) -> int:
    """Where the phrase of a name begins: "told the two Koreas"."""
    start = hit.start
    while sentence.word(start - 1) in _DETERMINERS | _COUNTS:
        start -= 1
    return start


_OFFICES = frozenset(
    {"president", "chancellor", "premier", "king", "emir", "sultan", "general", "minister", "leader", "mr", "mrs", "ms"}
)


def _office(sentence: Sentence, start: int) -> int:
    """Where a name begins with the office before it: "sending President Assad"."""
    return start - (sentence.word(start - 1) in _OFFICES)


def _behind_gerund(sentence: Sentence, hit: Hit, reports: list[Hit]) -> bool:
    """Whether a name is the object of a participle: "visiting Washington", but not "saying Moscow will"."""
    token = _office(sentence, _phrase_start(sentence, hit)) - 1
    word = sentence.word(token)
    if word == "accusing":
        return True
    return word.endswith("ing") and word not in PREPOSITIONS and not any(verb.end == token + 1 for verb in reports)


def _is_told(sentence: Sentence, hit: Hit, told: Iterable[Hit]) -> bool:
    """Whether a name is told something by others: "President Yoon had been briefed on"."""
    return any(
        hit.end < verb.start <= hit.end + OWNER_REACH
        and verb.lexeme.tag in MAY_BE_PAST
        and sentence.word(verb.start - 1) in FORMS_OF_BE
        and not any("," in sentence.page.gap(token) for token in range(hit.end, verb.start))
        for verb in told
    )


def agents(sentence: Sentence, names: list[Hit], head: Hit) -> list[Actor]:
    """Actors behind a passive or a noun: "by North Korea"; an active verb in the present has none."""
    if head.lexeme.tag in {"base", "s"}:
        return []
    for hit in names:
        if hit.start <= head.end or hit.start > head.end + 14:
            continue
        before = hit.start - 1
        while sentence.word(before) in _DETERMINERS:
            before -= 1
        if sentence.word(before) == "by" and not _of_another(sentence, before - 1, head):
            return [Actor(hit.lexeme.slug, 9, "agent", hit)]
    return []


def tellers_of(sentence: Sentence, names: list[Hit], head: Hit, grammar: Grammar) -> list[Actor]:
    """Who told others what is done, of which it is the one that does it: "was informed by Madrid that a ship would sail"."""
    ends = [verb.end for verb in sentence.by_list.get(grammar.telling, ()) if verb.lexeme.tag in PAST]
    return [
        Actor(hit.lexeme.slug, 7, "speaker", hit)
        for hit in names
        if hit.end < head.start
        and sentence.word(hit.end) == "that"
        and sentence.word(hit.start - 1) == "by"
        and any(0 <= hit.start - 1 - end <= _WHEN for end in ends)
    ]


_WHEN = 2
"""Words between being told and who tells it: "were informed on Tuesday by"."""


def carriers(sentence: Sentence, names: list[Hit], head: Hit) -> list[Actor]:
    """Whose ships or aircraft bring it: "the rest is following on RAF TriStars", "came aboard HMS Ocean"."""
    return [
        Actor(hit.lexeme.slug, SURE, "carrier", hit)
        for hit in names
        if hit.lexeme.tag == "forces"
        and hit.start >= head.end
        and sentence.word(_phrase_start(sentence, hit) - 1) in _ABOARD
    ]


_ABOARD = frozenset({"on", "aboard", "by", "in"})


def _of_another(sentence: Sentence, token: int, head: Hit) -> bool:
    """Whether a participle that is not the head stands before "by": "came ashore at Split, where soldiers seized by the Serbs …"."""
    return token >= head.end and sentence.word(token).endswith("ed")


def _conjoined(sentence: Sentence, ends: dict[int, Hit], hit: Hit) -> Hit | None:
    if sentence.word(hit.start - 1) != "and":
        return None
    other = ends.get(hit.start - 1)
    return other if other and other.lexeme.slug != hit.lexeme.slug else None


def _inside_phrase(sentence: Sentence, hit: Hit, grammar: Grammar) -> bool:
    """Whether a name stands behind a preposition, so that it is a place or an object and does not act."""
    token = hit.start - 1
    if hit.lexeme.tag == "leaders":  # "to Polish premier Donald Tusk"
        offices = [office for office in sentence.by_list.get(grammar.body, ()) if office.end == hit.start]
        token = min((office.start for office in offices), default=hit.start) - 1
        token -= bool(offices) and any(
            one.end == token + 1 and one.lexeme.slug == hit.lexeme.slug for one in sentence.hits
        )
    described = hit.lexeme.tag == "adjectives" and not _a_people(sentence, hit)
    for _ in range(3):
        word = sentence.word(token)
        if word in _DETERMINERS or (word and word not in _STOPPERS and described):
            token -= 1
    if sentence.word(token) not in PREPOSITIONS:
        return False
    if _heads(sentence, token, grammar) and sentence.word(token) == ("in" if hit.lexeme.tag == "seats" else "of"):
        return False
    if sentence.word(token) in _BESIDE:  # "alongside Russian forces"
        return True
    if sentence.word(hit.end) in {"which", "who"}:  # "the challenges of North Korea, which is preparing …"
        return False
    return not _possesses_intent(sentence, hit, grammar)


def _heads(sentence: Sentence, token: int, grammar: Grammar) -> bool:
    """Whether a body that acts ends before a word: "the leadership of Laos", "the federal government in Addis Ababa"."""
    return any(hit.end == token for hit in sentence.by_list.get(grammar.body, ()))


def _possesses_intent(sentence: Sentence, hit: Hit, grammar: Grammar) -> bool:
    """Whether a name possesses a plan, and so acts: "over North Korea's potential plans to send"."""
    if sentence.word(hit.end) != "s" and hit.lexeme.tag != "adjectives":
        return False
    nouns = [noun for noun in sentence.by_list.get(grammar.intent, []) if hit.end <= noun.start <= hit.end + 4]
    return any(not any(sentence.word(token) in _STOPPERS for token in range(hit.end, noun.start)) for noun in nouns)


def _pronoun_between(sentence: Sentence, start: int, head: Hit) -> bool:
    clause = sentence.clause(head.start)
    return any(
        sentence.word(token) in _PRONOUNS and sentence.clause(token) == clause for token in range(start, head.start)
    )


def located(sentence: Sentence, names: list[Hit], head: Hit) -> list[Actor]:
    """A state something is prepared in, where nobody is said to act: "activity in North Korea consistent with a launch"."""
    near = [
        hit
        for hit in names
        if sentence.word(hit.start - 1) in {"in", "from", "by"} and abs(hit.start - head.start) <= LOCATED_REACH
    ]
    return [Actor(hit.lexeme.slug, 4, "located", hit) for hit in near]


def sited(sentence: Sentence, targets: list[Hit], grammar: Grammar) -> list[Actor]:
    """The state a named place lies in: "the Punggye-ri site"; surely who acts where the match itself names it."""
    places = [hit for hit in sentence.by_list.get(grammar.theatres, ()) if hit.lexeme.slug in grammar.states]
    own_ground = {token for target in targets for token in range(target.start, target.end)}
    return [Actor(grammar.states[hit.lexeme.slug], 8 if hit.start in own_ground else 5, "site", hit) for hit in places]


def owned(sentence: Sentence, targets: list[Hit], grammar: Grammar) -> list[Actor]:
    """The state whose weapon is named, where nobody else is said to act: "the Hwasong-20 could be tested"."""
    named = [hit for hit in sentence.by_list.get(grammar.arsenals, ()) if hit.lexeme.slug in grammar.states]
    matched = {token for target in targets for token in range(target.start, target.end)}
    return [Actor(grammar.states[hit.lexeme.slug], SURE if hit.start in matched else 4, "weapon", hit) for hit in named]


def paid(sentence: Sentence, grammar: Grammar) -> list[Actor]:
    """The state in whose money a sum is told, where only one is: "gave the army NIS 6.9 billion"."""
    sums = {place for hit in sentence.by_list.get(grammar.amount, ()) for place in range(hit.start, hit.end + 1)}
    told = [
        hit
        for hit in sentence.by_list.get(grammar.purses, ())
        if hit.lexeme.tag == "adjectives" and not sums.isdisjoint({hit.start, hit.end})
    ]
    return [Actor(told[0].lexeme.slug, SURE, "money", told[0])] if len({hit.lexeme.slug for hit in told}) == 1 else []


def possessed(
    sentence: Sentence, rule: Rule, names: list[Hit], targets: list[Hit], grammar: Grammar
) -> Iterator[Actor]:
    """Whose something the sentence speaks of besides, where nobody is said to act: "into a shaft of North Korea's test site"."""
    others = [hit for number in rule.owners for hit in sentence.by_list.get(number, ()) if hit not in targets]
    for other in others:
        yield from (replace(actor, strength=5) for actor in owners(sentence, names, other, None, grammar))


LOCATED_REACH = 14


def actors(sentence: Sentence, rule: Rule, matched: Iterable[Hit], head: Hit, grammar: Grammar) -> list[Actor]:
    """The candidates for who acts in a match, the strongest first."""
    names = sorted([*_names(sentence, rule), *_of_states(sentence, grammar)], key=lambda hit: hit.start)
    targets = [hit for hit in matched if hit.lexeme.list in rule.owners]
    reports = sentence.by_list.get(grammar.reporting, ())
    found: list[Actor] = []
    for target in targets:
        found += owners(sentence, names, target, head if head is not target else None, grammar, reports)
    found += agents(sentence, names, head)
    found += tellers_of(sentence, names, head, grammar)
    if rule.places:
        found += carriers(sentence, names, head)
    else:
        found += located(sentence, names, head)
        found += sited(sentence, targets, grammar)
        found += owned(sentence, targets, grammar)
        if grammar.purses in rule.actors:
            found += paid(sentence, grammar)
            found += [Actor(hit.lexeme.slug, 5, "parliament", hit) for hit in names if hit.lexeme.tag == "parliaments"]
    found += subjects(
        sentence,
        [hit for hit in names if hit.lexeme.tag in _NOMINAL_TAGS or _heads_phrase(sentence, hit, grammar)],
        head,
        grammar,
        matched,
    )
    if rule.places and (come := origins(names, sentence, head)):
        found = [
            replace(actor, strength=min(actor.strength, 4)) if actor.how == "reporter" else actor for actor in found
        ]
        found += come
    if not any(actor.strength >= SURE for actor in found):
        found += taken_up(sentence, rule, targets, head, grammar)
        found += [] if rule.places else possessed(sentence, rule, names, targets, grammar)
    found.sort(key=lambda actor: -actor.strength)
    return [
        actor
        for actor in found
        if may_act(rule, actor.slug)
        and (actor.strength >= SURE or actor.how == "site" or actor.slug not in rule.watchers)
    ]


def origins(names: list[Hit], sentence: Sentence, head: Hit) -> list[Actor]:
    """A state that something comes from, where nobody is said to act: "crossed from western Russia", "left the Chadian capital"."""
    near = [hit for hit in names if 0 <= hit.start - head.end <= OWNER_REACH and _is_ground(sentence, hit)]
    left = sentence.word(head.end - 1) in _LEFT
    return [
        Actor(hit.lexeme.slug, 5, "origin", hit)
        for hit in near
        if sentence.word(before := _before_phrase(sentence, hit.start)) == "from"
        or (left and hit.lexeme.tag == "adjectives" and before == head.end - 1)
    ][:1]


def _is_ground(sentence: Sentence, hit: Hit) -> bool:
    """Whether a name is that of a country, or of a place in it: "the Chadian capital"."""
    return hit.lexeme.tag == "names" or (hit.lexeme.tag == "adjectives" and sentence.word(hit.end) in _GROUNDS)


_LEFT = frozenset({"leave", "leaves", "left", "leaving", "departed", "depart", "departs"})
_GROUNDS = frozenset({"capital", "port", "base", "airport", "territory", "side", "mainland", "city", "town", "bank"})


def tellers(sentence: Sentence, rule: Rule, grammar: Grammar) -> tuple[str, ...]:
    """Who tells it in the sentence itself: "More soldiers for Kosovo, NATO says"."""
    verbs = sentence.by_list.get(grammar.reporting, ())
    near = [hit for hit in _names(sentence, rule) if any(0 <= verb.start - hit.end <= 1 for verb in verbs)]
    return (near[-1].lexeme.slug,) if near else ()


def taken_up(sentence: Sentence, rule: Rule, targets: list[Hit], head: Hit, grammar: Grammar) -> list[Actor]:
    """Whom a pronoun stands for, on the forces or as the subject: "their vehicles" takes up whoever was named last, "it has sent" who acted."""
    owned_at = next((token for target in targets if (token := _possessive(sentence, target))), None)
    at = owned_at if owned_at is not None else _pronoun_subject(sentence, head)
    if at is None:
        return []
    of_them = sentence.word(at) == "them"  # whoever says it in this sentence speaks of others
    before = [hit for hit in _names(sentence, rule) if hit.end <= at and not of_them]
    earlier = sentence.page.sentences[sentence.number - 1] if sentence.number else None
    for one, names in ((sentence, before), (earlier, _names(earlier, rule) if earlier else [])):
        acting = [hit for hit in names if one and not _placed(one, hit, rule, grammar)]
        if acting:
            hit = acting[0 if owned_at is None else -1]
            return [Actor(hit.lexeme.slug, SURE, "pronoun", hit)]
    return []


def _possessive(sentence: Sentence, target: Hit) -> int | None:
    """Where "its", "their", "his" or "her" stands on a noun."""
    for token in range(target.start - 1, target.start - OWNER_REACH, -1):
        word = sentence.word(token)
        if word in _POSSESSIVES:
            return token
        if not word or word in _STOPPERS - {"of"}:
            return None
    return None


def _pronoun_subject(sentence: Sentence, head: Hit) -> int | None:
    """Where the pronoun stands that is the subject of a verb: "they have amassed"."""
    for token in range(head.start - 1, head.start - OWNER_REACH, -1):
        word = sentence.word(token)
        if word in _PRONOUNS - {"we", "i"} or (word == "them" and sentence.word(token - 1) == "of"):
            return token
        if word not in _AUXILIARIES and not word.endswith("ly") and word not in {"now", "also", "already"}:
            return None
    return None


def may_act(rule: Rule, slug: str) -> bool:
    """Whether a rule takes somebody for an actor at all."""
    return not rule.only or slug in rule.only


def _names(sentence: Sentence, rule: Rule) -> list[Hit]:
    """Every name of a possible actor, in order."""
    names = [hit for number in rule.actors for hit in sentence.by_list.get(number, ())]
    return sorted(names, key=lambda hit: hit.start)


def _of_states(sentence: Sentence, grammar: Grammar) -> Iterator[Hit]:
    """Institutions whose names begin with a state's, each as that state: "North Korea's foreign ministry"."""
    for hit in sentence.by_list.get(grammar.institutions, ()):
        slug = grammar.states.get(hit.lexeme.slug)
        if slug and "s" in sentence.page.words[hit.start + 1 : hit.end]:
            yield Hit(hit.start, hit.end, hit.lexeme._replace(slug=slug, tag="names"))


def own(  # noqa: PLR0913 - all of it is needed
    sentence: Sentence, rule: Rule, matched: Iterable[Hit], head: Hit, found: Iterable[Actor], grammar: Grammar
) -> bool:
    """Whether the forces a match speaks of are the actor's own: it is named, and nobody else's name stands on them."""
    names = _names(sentence, rule)
    forces = [hit for hit in matched if hit is not head and not hit.lexeme.slug]
    placed = next((hit.start for hit in forces if sentence.word(hit.start) in TOWARDS), sentence.high)
    forces = [hit for hit in forces if hit.start < placed]  # what stands behind "on the Chinese border" is a place
    named = {actor.slug for target in forces for actor in owners(sentence, names, target, head, grammar)}
    first = next(iter(found), None)
    if first is None:  # "The army has beefed up its presence": of whomever the article is about
        return any({"its", "their"} & {sentence.word(target.start - step) for step in (1, 2, 3)} for target in forces)
    return first.strength >= SURE and (not named or first.slug in named)


def _a_people(sentence: Sentence, hit: Hit) -> bool:
    """Whether an adjective stands for those who act: "the Chinese were also preparing"."""
    return sentence.word(hit.start - 1) == "the" and sentence.word(hit.end) in AUXILIARIES


def _heads_phrase(sentence: Sentence, hit: Hit, grammar: Grammar) -> bool:
    """An adjective may begin the subject: "the Chinese military", "the American decision to"; or be it: "the Chinese are preparing"."""
    if _a_people(sentence, hit):
        return True
    intents = (noun for noun in sentence.by_list.get(grammar.intent, ()) if sentence.word(noun.end) == "to")
    bodies = chain(sentence.by_list.get(grammar.body, ()), intents)
    return any(hit.end <= body.start <= hit.end + 3 for body in bodies)


_ACTING = 3
"""What a name weighs that stands as a subject does."""


def topics(sentence: Sentence, rule: Rule, grammar: Grammar, *, speakers: bool = False) -> Iterator[tuple[str, int]]:
    """Whom a sentence is about, with a weight: places less than subjects, and whoever only speaks not unless asked for."""
    reports = sentence.by_list.get(grammar.reporting, ())
    for number in rule.actors:
        for hit in sentence.by_list.get(number, ()):
            speaks = any(
                hit.end <= verb.start <= hit.end + 5 or 0 <= hit.start - verb.end < TELLER_REACH for verb in reports
            )
            if not speakers and speaks:
                continue
            if not speakers and ":" in (sentence.page.gap(hit.end) if hit.end < sentence.high else ""):
                continue
            if not may_act(rule, hit.lexeme.slug) or (rule.places and _goal(sentence, hit)):
                continue
            nominal = hit.lexeme.tag in _NOMINAL_TAGS or _heads_phrase(sentence, hit, grammar)
            yield hit.lexeme.slug, _ACTING if nominal and not _placed(sentence, hit, rule, grammar) else 1


def acts(sentence: Sentence, rule: Rule, grammar: Grammar) -> bool:
    """Whether a sentence names one who acts, and does not only report or stand for a place."""
    return any(weight >= _ACTING for _, weight in topics(sentence, rule, grammar))


def _placed(sentence: Sentence, hit: Hit, rule: Rule, grammar: Grammar) -> bool:
    """Whether a name stands behind a preposition, or in a row with one that does: "in Bulgaria, Hungary and Romania"."""
    ends = {one.end: one for one in _names(sentence, rule)}
    while not _inside_phrase(sentence, hit, grammar):
        joint = hit.start - 1 if sentence.word(hit.start - 1) == "and" else hit.start
        before = ends.get(joint)
        if not before or (joint == hit.start and sentence.page.gap(joint) != ", "):
            return False
        hit = before
    return True


_JOINED = frozenset({"join", "joins", "joining", "joined"})
HELPED = _JOINED | frozenset({
    "support", "help", "aid", "assist", "bolster", "reinforce", "defend", "protect", "back", "shield", "guard", "leave", "leaving", "send",
    "sends", "sending", "sent", "give", "gives", "supply", "enter", "invade",
})  # fmt: skip
"""Verbs whose object is where something goes, or comes from."""
_GOALS = HELPED | {"to", "into", "toward", "towards", "near", "off", "for"}
_DIRECTIONS = frozenset(
    {
        "western",
        "southern",
        "northern",
        "eastern",
        "central",
        "north",
        "south",
        "east",
        "west",
        "neighboring",
        "neighbouring",
        "occupied",
        "southeast",
        "southeastern",
        "northeast",
        "northeastern",
    }
)

_PARTS = frozenset({
    "north", "south", "east", "west", "northeast", "northwest", "southeast", "southwest", "part", "parts", "edge", "outskirts", "shores", "coast", "heart",
    "interior", "capital",
})  # fmt: skip
"""What may stand before "of" and the name of a place: "to the east of Chad", "into parts of Syria"."""


def places(sentence: Sentence, rule: Rule, who: str | None) -> Iterator[str]:
    """Every place a sentence names that is not the actor itself and does not stand for a government."""
    for number in rule.places:
        for hit in sentence.by_list.get(number, ()):
            if hit.lexeme.slug != who and hit.lexeme.tag in {"names", "adjectives"}:
                yield hit.lexeme.slug


def place(sentence: Sentence, rule: Rule, head: Hit, who: str | None, grammar: Grammar) -> str | None:
    """Where it happens: the nearest place the match points to that is not the actor itself."""
    best: tuple[int, str] | None = None
    for number in rule.places:
        for hit in sentence.by_list.get(number, ()):
            slug = hit.lexeme.slug
            if slug == who or hit.lexeme.tag in {"leaders", "forces", "parliaments", "people", "short"}:
                continue
            distance = hit.start - head.end if hit.start >= head.end else 15 + head.start - hit.end
            if not _pointed_at(sentence, hit, grammar) and (number != grammar.theatres or distance > 15):  # noqa: PLR2004 - a region named close by is meant
                continue
            if best is None or distance < best[0]:
                best = (distance, slug)
    return best[1] if best and best[0] < 40 else None  # noqa: PLR2004 - farther names belong to something else


def goals(sentence: Sentence, rule: Rule) -> Iterator[str]:
    """The names of a sentence that are only where something goes; none of a rule without places."""
    return (hit.lexeme.slug for hit in _names(sentence, rule) if rule.places and _goal(sentence, hit))


def _goal(sentence: Sentence, hit: Hit) -> bool:
    """Whether a name is only where something goes, or who is helped: "to Kuwait", "help the Iraqi army"."""
    token = hit.start - 1
    while sentence.word(token) in _DETERMINERS:
        token -= 1
    if sentence.word(token) == "of" and sentence.word(token - 1) in _PARTS:  # "off the coast of Venezuela"
        token = _before_phrase(sentence, token - 1)
    if hit.lexeme.tag == "people":  # "to join Rwandans"
        return sentence.word(token) in _JOINED
    return hit.lexeme.tag in {"names", "adjectives", "seats"} and sentence.word(token) in _GOALS


def taken_along(sentence: Sentence, hit: Hit) -> bool:
    """Whether forces are those that others join or relieve: "will join the forces arrayed around Iran"."""
    return sentence.word(_before_phrase(sentence, hit.start)) in _MET


_MET = _JOINED | {
    "relieve",
    "relieves",
    "relieved",
    "relieving",
    "replace",
    "replaces",
    "replacing",
    "replaced",
    "reinforce",
    "reinforces",
    "reinforcing",
}
"""Verbs whose object is forces that are there."""


def _pointed_at(sentence: Sentence, hit: Hit, grammar: Grammar) -> bool:
    """Whether a name is where something goes: "to Kuwait", "to the east of Chad", "to the border of Kuwait"."""
    token = _before_phrase(sentence, hit.start)
    if sentence.word(token) == "of":
        spots = (spot.start for spot in sentence.by_list.get(grammar.spot, ()) if spot.end == token)
        start = next(spots, token - 1 if sentence.word(token - 1) in _PARTS else None)
        token = token if start is None else _before_phrase(sentence, start)
    return sentence.word(token) in TOWARDS or sentence.word(token) in HELPED


def _before_phrase(sentence: Sentence, start: int) -> int:
    """The word before a name and what belongs to it: "the", "its", "western"."""
    token = start - 1
    while sentence.word(token) in _DETERMINERS or sentence.word(token) in _DIRECTIONS:
        token -= 1
    return token


def speakers(rules: RuleSet, sentences: Iterable[Sentence]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Who reports it (institutions named beside a reporting verb), and which agencies or papers pass it on."""
    grammar = Grammar(rules)
    says: dict[str, None] = {}
    relays: dict[str, None] = {}
    for sentence in sentences:
        verbs = sentence.by_list.get(grammar.reporting, ())
        for hit in sentence.by_list.get(grammar.relays, ()):
            relays[rules.printed[hit.lexeme.slug]] = None
        for hit in sentence.by_list.get(grammar.institutions, ()):
            if (
                not verbs
                or min(abs(verb.start - hit.end) for verb in verbs) <= SPEAKER_REACH
                or min(abs(hit.start - verb.end) for verb in verbs) <= SPEAKER_REACH
            ):
                says[rules.printed[hit.lexeme.slug]] = None
    return tuple(says), tuple(relays)


SPEAKER_REACH = 16
TELLER_REACH = 3
"""Words between a reporting verb and whoever speaks."""
