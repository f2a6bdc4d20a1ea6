"""Matching a rule against an article: every match of its forms, what is read out of it, and what a near miss lacks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from tocsin import background, roles
from tocsin.article import Article
from tocsin.compiled import Form, Rule, RuleSet
from tocsin.cues import Around, Reached, certainty_of, flags_of, passive, perfect, present, stage_of
from tocsin.forms import MATCHES, Match, matches
from tocsin.scan import AUXILIARIES, PAST, Hit, Page, Sentence
from tocsin.signal import Certainty, Field, Stage
from tocsin.text import stretches

WEIGHED = 1_500
"""Matches of one rule that are weighed in one part of an article."""
PART = 200_000
"""Characters of a text that are read at once, several times what the longest live blogs have."""
_WEAK = frozenset({"perfect"})
"""Needs that make a match news only where the article holds nothing surer."""
_NEEDS = "needs one of "
_VERBS = frozenset({"past", "part", "base", "bare", "s", "ing"})
WINDOW = 12
"""Words on either side of a match in which the lists of `needs` and `never` are looked for."""
_COMPANY = 5
"""Words between two things that are joined by "and"."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A match of one rule with everything read out of it; `lacking` says why it does not count."""

    rule: Rule
    match: Match
    cues: Reached
    stage: Stage
    certainty: Certainty
    flags: tuple[str, ...]
    who: tuple[roles.Actor, ...]
    what: str | None
    lacking: str = ""
    weak: bool = False
    """Whether it is news only where the article holds nothing surer: a hint, or what it `needs` is met by `perfect` alone."""

    @property
    def sentence(self) -> Sentence:
        """The sentence it stands in."""
        return self.match.sentence

    @property
    def timed(self) -> bool:
        """Whether words or a tense say how far it has come, so that "done" is more than what is left when nothing does."""
        return (
            self.stage != "done"
            or bool(self.match.form.stage)
            or self.match.head.lexeme.tag in PAST
            or any(cue.stage for cue, _ in self.cues)
        )

    @property
    def happened(self) -> bool:
        """Whether a verb says that it was done, so that it lacks nothing but that it is to come."""
        head = self.match.head
        tags = PAST | {"s"} if self.sentence.headline and head == self.match.hits[0] else PAST
        told = head.lexeme.tag in tags or any(cue.stage == "done" for cue, _ in self.cues)
        return self.stage == "done" and told and self.lacking.startswith(_NEEDS)

    @property
    def form(self) -> Form:
        """The form that matched."""
        return self.match.form


def parts(article: Article) -> Iterator[tuple[int, Article]]:
    """The article in parts of bounded length, each with the place in the text where it begins; nearly every article is one.

    What stands in another part is not known to a part, save the headline: so no article fills the memory.
    """
    if len(article.text) <= PART:
        yield 0, article
        return
    for start, end in stretches(article.text, PART):
        yield start, replace(article, text=article.text[start:end])


def read(rules: RuleSet, article: Article) -> list[Page]:
    """The title and the text, scanned."""
    fields: list[tuple[Field, str]] = [("title", article.title), ("text", article.text)]
    pages = [Page(rules, field, original, article.published) for field, original in fields if original.strip()]
    for page in pages:
        page.company = pages
    return pages


def findings(rules: RuleSet, rule: Rule, pages: list[Page]) -> Iterator[Finding]:
    """The matches of a rule's forms in an article, the near misses too (`lacking` names the one thing).

    At most `WEIGHED` of them: articles of the news have a tenth as many, and an attack ends there.
    """
    return islice(_all(rules, rule, pages), WEIGHED)


def _all(rules: RuleSet, rule: Rule, pages: list[Page]) -> Iterator[Finding]:
    grammar = roles.Grammar(rules)
    for page in pages:
        possible = page.possible.get(rule.policy.name, {})
        for sentence in page.sentences if possible else ():
            if sentence.place in possible:
                forms = [rule.forms[number] for number in sorted(possible[sentence.place])]
                yield from _in_sentence(rules, rule, forms, sentence, grammar)


def _in_sentence(
    rules: RuleSet, rule: Rule, forms: list[Form], sentence: Sentence, grammar: roles.Grammar
) -> Iterator[Finding]:
    """The findings of one sentence; of several that count for one head and materiel, the first form's."""
    taken: set[tuple[int, int, str | None]] = set()
    around: Around | None = None
    for form in forms:
        for match in islice(matches(form, sentence), MATCHES):
            around = around or Around(rule, sentence)
            finding = _weigh(rules, match, around, grammar)
            key = (match.head.start, match.head.end, finding.what)
            if finding.lacking or key not in taken:
                yield finding
            if not finding.lacking:
                taken.add(key)


def _weigh(rules: RuleSet, match: Match, around: Around, grammar: roles.Grammar) -> Finding:
    rule, reached = around.rule, around.reaching(match)
    stage, forward = stage_of(match, reached)
    who = tuple(roles.actors(match.sentence, rule, match.hits, match.head, grammar))
    what = _materiel(rule, match)
    finding = Finding(rule, match, reached, stage, certainty_of(reached), flags_of(reached), who, what)
    lacking = next(_lacks(rules, finding, forward=forward), "")
    sure = [need for need in match.form.needs if need not in _WEAK]
    placed = bool(match.form.needs) and not any(_met(need, finding, forward=forward) for need in sure)
    weak = not lacking and (match.form.weak or placed)
    return replace(finding, lacking=lacking, weak=weak)


def _materiel(rule: Rule, match: Match) -> str | None:
    if match.form.what:
        return match.form.what
    starts, ends = {hit.start for hit in match.hits}, {hit.end for hit in match.hits}
    for slug, number in rule.materiel:
        if any(hit.start in starts or hit.end in ends for hit in match.sentence.by_list.get(number, ())):
            return slug
    return (_meant(rule, match) if rule.vague else None) or rule.default_what


def _meant(rule: Rule, match: Match) -> str | None:
    """What a vague word, or no word at all, stands for: the nearest thing named in the sentence, else where the topic is told."""
    starts = {hit.start for hit in match.hits}
    slugs = next(
        (
            slugs
            for number, slugs in rule.vague
            if any(hit.start in starts for hit in match.sentence.by_list.get(number, ()))
        ),
        None,
    )
    for sentence in _around(match.sentence):
        named = [
            (abs(hit.start - match.head.start) if sentence is match.sentence else hit.start, order, slug)
            for order, (slug, number) in enumerate(rule.materiel)
            if slugs is None or slug in slugs
            for hit in sentence.by_list.get(number, ())
        ]
        if named:
            return min(named)[2]
    return None


def _lacks(rules: RuleSet, finding: Finding, *, forward: bool) -> Iterator[str]:
    """What a match lacks, in words and the weightiest first; nothing when it counts."""
    yield from _silenced(rules, finding)
    rule, match, names = finding.rule, finding.match, rules.names
    present_lists = match.sentence.by_list
    if rule.active and match.hits[0] == match.head:
        yield from _no_object(match)
    if _attribute(match):
        yield "an attribute: what is done stands behind it"
    if match.form.with_ and not any(number in present_lists for number in match.form.with_):
        yield f"with {' or '.join(names[number] for number in match.form.with_)}: none in the sentence"
    if match.form.about and not match.form.about & _topics(match.sentence):
        yield f"about {' or '.join(sorted(names[number] for number in match.form.about))}: not what the article is about"
    if match.form.only_who and not _about(finding):
        yield f"only who {', '.join(match.form.only_who)}"
    if match.form.who == "own" and not roles.own(
        match.sentence, rule, match.hits, match.head, finding.who, roles.Grammar(rules)
    ):
        yield "who own: the forces are somebody else's"
    if match.form.told and not match.form.told & {number for one in _told(match.sentence) for number in one.by_list}:
        yield f"told {' or '.join(sorted(names[number] for number in match.form.told))}: not here, and not in the sentence before"
    if match.form.amounts and match.form.amounts != _trend(rules, match):
        yield f"amounts {match.form.amounts}: the sums do not compare so"
    if match.form.needs and not any(_met(need, finding, forward=forward) for need in match.form.needs):
        yield _NEEDS + ", ".join(need if isinstance(need, str) else names[need] for need in match.form.needs)


def _silenced(rules: RuleSet, finding: Finding) -> Iterator[str]:
    match = finding.match
    years = {hit.start for hit in match.sentence.by_list.get(rules.lists.get("past-date", -1), ())}
    numbers = [hit for hit in match.hits if hit.lexeme.list == rules.lists.get("number", -1)]
    if any(hit.start in years or _is_year(match.sentence, hit) for hit in numbers):
        yield "a year is no number"
    if match.sentence.headline and match.head.lexeme.tag in {"base", "bare"} and _bidden(match):
        yield "asked for: a headline's imperative"
    if match.sentence.plain.rstrip().endswith("?"):
        yield "asked, not reported"
    yield from background.reasons(match, rules.lists, fresh=any(cue.fresh for cue, _ in finding.cues))
    for cue, hit in finding.cues:
        if cue.drop:
            yield f"{cue.drop}: {words(match.sentence, hit)!r} ({cue.name})"
    yield from _barred(rules, finding)


def _is_year(sentence: Sentence, hit: Hit) -> bool:
    """Whether a number is a year by what stands before it: "the budget for 2019 is to be sent to"."""
    word = sentence.word(hit.start)
    return (
        word.isdigit()
        and word[:2] in {"19", "20"}
        and len(word) == len("2019")
        and sentence.word(hit.start - 1) in _OF_YEARS
    )


_OF_YEARS = frozenset(
    {"in", "for", "since", "by", "until", "from", "of", "fiscal", "year", "early", "late", "mid", "before", "after"}
)


def _barred(rules: RuleSet, finding: Finding) -> Iterator[str]:
    """The words a rule or form bars, near the match or in its sentence."""
    rule, match, names = finding.rule, finding.match, rules.names
    for number in rule.never:
        found = _near(match, number)
        if found and not (_joined(rule, match, found) or _tells(rules, match, found) or _before_it(match, found)):
            yield f"never {names[number]}: {words(match.sentence, found)!r}"
    for number in (*finding.rule.never_in_sentence, *match.form.without):
        if standing := match.sentence.by_list.get(number):
            yield f"without {names[number]}: {words(match.sentence, standing[0])!r}"


def _met(need: str | int, finding: Finding, *, forward: bool) -> bool:
    if isinstance(need, int):
        return _near(finding.match, need) is not None
    if need == "forward":
        return forward
    if need == "fresh":
        return present(finding.match) or any(cue.fresh for cue, _ in finding.cues)
    if need == "perfect":
        return perfect(finding.match)
    titled = finding.sentence.page.field == "title"
    return titled or (need == "lead" and leads(finding.sentence))


def leads(sentence: Sentence) -> bool:
    """Whether a sentence is a headline, or one of the first of the text."""
    return sentence.page.field == "title" or sentence.number < sentence.page.lead


def opens(sentence: Sentence) -> bool:
    """Whether a sentence is a headline, or the very first of the text."""
    return sentence.page.field == "title" or sentence.number == 0


def _trend(rules: RuleSet, match: Match) -> str | None:
    """Whether the first of a match's sums is less than the last (rising) or more (falling), or the only one below those just told."""
    amount, percent, figure = (rules.lists.get(name, -1) for name in ("amount", "percent", "figure"))
    found = [hit for hit in match.hits if hit.lexeme.list in {amount, percent, figure}]
    if not found:
        return None
    page = match.sentence.page
    if match.form.amounts == "over-hundred":  # "103.6 percent of last year's"
        whole = found[0].lexeme.list == percent and page.value(found[0]) > _WHOLE
        return "over-hundred" if whole else None
    if len(found) == 1:  # against the sums of the sentence before
        earlier = _told(match.sentence)[:-1]
        sums = [page.value(hit) for one in earlier for hit in one.by_list.get(found[0].lexeme.list, ())]
        return "below-told" if sums and page.value(found[0]) < max(sums) else None
    kinds = {found[0].lexeme.list, found[-1].lexeme.list}
    if kinds == {amount, percent}:
        return None
    plain = figure in kinds  # "from 34 to 40 billion"
    first, last = page.value(found[0], scaled=not plain), page.value(found[-1], scaled=not plain)
    return "rising" if first < last else "falling" if first > last else None


_WHOLE = 100.0
"""Percent that are all of it."""


def _told(sentence: Sentence) -> list[Sentence]:
    """A sentence with the one before it."""
    return sentence.page.sentences[max(0, sentence.number - 1) : sentence.number + 1]


def _topics(sentence: Sentence) -> set[int]:
    """The lists that stand where an article says what it is about: its headline, its lead, and the sentences just told."""
    return {number for one in _around(sentence) for number in one.by_list}


def names_actor(rules: RuleSet, finding: Finding) -> bool:
    """Whether the sentence itself says who acts, if only as "both sides"."""
    if finding.who or rules.lists.get("both", -1) in finding.sentence.by_list:
        return True
    return any(hit.start < finding.match.end for hit in finding.sentence.by_list.get(rules.lists.get("power", -1), ()))


def lead(pages: Iterable[Page]) -> list[Sentence]:
    """The headline and the first sentences of the text."""
    return [one for page in pages for one in page.sentences[: page.lead]]


def _around(sentence: Sentence) -> list[Sentence]:
    """The sentence itself, the one before, the headline and the lead: where an article says what it speaks of."""
    return [*_told(sentence)[::-1], *lead(sentence.page.company)]


def _about(finding: Finding) -> bool:
    """Whether one of the form's only actors acts, or is named in the sentence or at the page's beginning."""
    slugs = finding.form.only_who
    if finding.who and finding.who[0].slug in slugs:
        return True
    near = [finding.sentence, *finding.sentence.page.sentences[:2]]
    lists = [one.by_list.get(number, ()) for one in near for number in finding.rule.actors]
    return any(hit.lexeme.slug in slugs for hits in lists for hit in hits)


def _near(match: Match, number: int) -> Hit | None:
    """A word of a list in the match's clauses, at most `WINDOW` words away."""
    sentence = match.sentence
    clauses = {sentence.clause(hit.start) for hit in match.hits}
    for hit in sentence.between(number, match.begin - WINDOW, match.end + WINDOW):
        if hit.end <= match.end + WINDOW and sentence.clause(hit.start) in clauses:
            return hit
    return None


def _bidden(match: Match) -> bool:
    """Whether a verb begins what is said: "Minister: spare us the applause, send the launchers"; no "up" does: "5 percent, up from 4"."""
    start = match.head.start
    return (
        start > match.sentence.low
        and match.sentence.word(start) != "up"
        and bool({":", ","} & set(match.sentence.page.gap(start)))
    )


_NO_OBJECT = frozenset(
    {"against", "under", "from", "with", "without", "by", "after", "before", "on", "at", "in", "into", "through"}
)
"""Prepositions behind which no object of a verb stands; "some", "up to", "close to" and "dozens of" may stand before one."""


def _attribute(match: Match) -> bool:
    """Whether a participle only says which forces are spoken of: "armour now parked in Germany will join"."""
    sentence, head = match.sentence, match.head
    if head.lexeme.tag not in PAST or match.hits[0] is head:
        return False
    noun = head.start - (sentence.word(head.start - 1) in {"now", "currently", "already"})
    noun_hit = next((hit for hit in match.hits if hit.end == noun), None)
    if not noun_hit:
        return False
    if roles.taken_along(sentence, noun_hit):
        return True
    ahead = range(match.end, min(match.end + WINDOW, sentence.high))
    clause = sentence.clause(head.start)
    for token in ahead:
        if sentence.clause(token) != clause or sentence.word(token) in {"and", "or", "but", "that", "which", "who"}:
            return False
        if sentence.word(token) in AUXILIARIES:
            return True
    return False


_MEASURES = frozenset({"least", "most"})
"""What makes a number of "at": "sent at least 500 soldiers"."""


def _no_object(match: Match) -> Iterator[str]:
    """Why what a form names behind its verb is not what that verb acts on: "are sent by the army", "puts a floor under the troops"."""
    head, following = match.hits[0], match.hits[min(1, len(match.hits) - 1)]
    if passive(match):
        yield "active: the verb stands in the passive"
    asked = match.sentence.word(following.start) in _NO_OBJECT  # by the form itself: "reinforced … with"
    word = match.sentence.word
    between = (word(token) for token in range(head.end, following.start) if word(token + 1) not in _MEASURES)
    if head.lexeme.tag in _VERBS and not asked and not _NO_OBJECT.isdisjoint(between):
        yield "active: something else is the verb's object"


def _tells(rules: RuleSet, match: Match, found: Hit) -> bool:
    """Whether a word is only that of whoever tells it: "Peacekeepers have watched tanks move up", "…, the governor wrote"."""
    verbs = match.sentence.by_list.get(rules.lists.get("reporting", -1), ())
    if any(0 <= verb.start - found.end <= _TELLING for verb in verbs if verb.end <= match.begin):
        return True
    behind = found.start >= match.end and any(
        "," in match.sentence.page.gap(token) for token in range(found.start - _TELLING, found.start + 1)
    )
    return behind and any(verb.start == found.end for verb in verbs)


def _before_it(match: Match, found: Hit) -> bool:
    """Whether a word stands in a clause of what came before: "began to travel after 30 peacekeepers were hurt"."""
    word = match.sentence.word
    if not any(word(token) == "after" for token in range(match.end, found.start)):
        return False
    return word(found.end) in AUXILIARIES or word(found.end + 1) in AUXILIARIES


_TELLING = 2
"""Words between whoever tells it and the verb: "Peacekeepers have since watched"."""


def _joined(rule: Rule, match: Match, found: Hit) -> bool:
    """Whether a word only goes along with one of a match that names where: "soldiers and police flew to Fiji"."""
    sentence = match.sentence
    if not any(sentence.between(number, match.head.end, match.end + WINDOW) for number in rule.places):
        return False
    for hit in match.hits:
        between = range(min(hit.end, found.end), max(hit.start, found.start))
        told = {sentence.word(token) for token in between}
        if len(between) <= _COMPANY and told & {"and", "or"} and told.isdisjoint(roles.PREPOSITIONS):
            return True
    return False


def words(sentence: Sentence, hit: Hit) -> str:
    """The words of a hit as they stand in the original."""
    bounds = sentence.page.bounds
    return sentence.page.original[bounds[hit.start][0] : bounds[hit.end - 1][1]]
