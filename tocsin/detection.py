"""From an article to its signals: findings of each rule put together by actor, materiel and theatre."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import cached_property
from itertools import product

from tocsin import roles
from tocsin.article import Article
from tocsin.background import of_these_days
from tocsin.compiled import Rule, RuleSet
from tocsin.figures import figures_of
from tocsin.match import Finding, findings, lead, leads, names_actor, opens, parts, read, words
from tocsin.scan import Hit, Page, Sentence
from tocsin.signal import STAGES, Evidence, Field, Figure, Signal, Stage, rank

_TITLE_WEIGHT = 3
_MENTIONS = 2
"""Mentions in headline and lead that make a place the setting of an article."""
QUOTED = 200
"""Sentences one signal quotes at most."""

SIGNALS = 500
"""Signals one article holds at most."""
WORK = 20_000
"""Forms tried on a sentence, and matches weighed, behind which no further part of an article is read.

Dense news takes ten for a thousand characters, so of what people write five million characters are read to their end.
"""

log = logging.getLogger("tocsin")

Found = list[tuple[Finding, str | None]]
"""Findings with the theatre each names."""
Judged = list[tuple[Rule, list[Finding]]]
"""The findings of each rule that has one."""
Hears = Callable[[Finding], None]
"""Who is told of findings."""


def detect(rules: RuleSet, article: Article, hears: Hears | None = None) -> tuple[Signal, ...]:
    """The signals of an article, one for each rule and set of slots, in the order of the rules.

    At most `SIGNALS`, and for at most `WORK`: no article of the news has a tenth as many, and an attack ends there.
    `hears` is told every finding on the way, as `explained` tells them.
    """
    found: dict[tuple[str | None, ...], Signal] = {}
    work = 0
    for start, part in parts(article):
        if len(found) >= SIGNALS or work >= WORK:
            log.warning(
                "article %s is crammed with what rules look for: not read from character %d on",
                ascii(article.id),
                start,
            )
            break
        signals, weighed = _in_part(rules, part, hears)
        work += weighed
        for signal in signals:
            key = (signal.rule, signal.who, signal.where, signal.what)
            moved = signal.moved(start) if start else signal
            found[key] = found[key].joined(moved, QUOTED) if key in found else moved
    return tuple(sorted(found.values(), key=lambda signal: rules.order[signal.rule])[:SIGNALS])


def _in_part(rules: RuleSet, article: Article, hears: Hears | None) -> tuple[tuple[Signal, ...], int]:
    """The signals of a part, and how much work it was."""
    pages = read(rules, article)
    everything = judged(rules, pages)
    if hears and everything:
        for finding in _cast_out(rules, everything, pages):
            hears(finding)
    found = [(rule, counting) for rule, matched in everything if (counting := _counting(matched))]
    protagonist = _surest(finding for _, counting in found for finding in counting)
    signals = tuple(
        signal for rule, counting in found for signal in _assemble(rules, rule, counting, pages, protagonist)
    )
    work = sum(page.tries for page in pages) + sum(len(matched) for _, matched in everything)
    for page in pages:
        page.release()
    return signals, work


def judged(rules: RuleSet, pages: list[Page]) -> Judged:
    """Every finding of each rule that has one, after what the whole article says was weighed as well."""
    possible = sorted({rules.order[name] for page in pages for name in page.possible})
    return [(rules.rules[place], _judged(rules, rules.rules[place], pages)) for place in possible]


def explained(rules: RuleSet, pages: list[Page]) -> Iterator[Finding]:
    """Every finding, with what it lacks to be part of a signal: the same judgement by which `detect` makes signals."""
    yield from _cast_out(rules, judged(rules, pages), pages)


def _cast_out(rules: RuleSet, found: Judged, pages: list[Page]) -> Iterator[Finding]:
    """The findings, those lacking too for which nobody is said to act."""
    protagonist = _surest(finding for _, matched in found for finding in _counting(matched))
    for rule, matched in found:
        cast = _Cast(rules, rule, _counting(matched), pages, protagonist)
        for finding in matched:
            nobody = not finding.lacking and rule.actor_required and not cast.of(finding)
            yield replace(finding, lacking="who: nobody is said to act, here or elsewhere") if nobody else finding


def _counting(matched: list[Finding]) -> list[Finding]:
    return [finding for finding in matched if not finding.lacking]


def _judged(rules: RuleSet, rule: Rule, pages: list[Page]) -> list[Finding]:
    """The findings of one rule; denied, all that count, where the article opens by denying it."""
    possible = [page for page in pages if rule.policy.name in page.possible]
    vetoes = {page.field: veto for page in possible if (veto := _veto(rules, rule, page) or _theme(rules, rule, page))}
    matched = [_silenced(rules, finding, vetoes) for finding in findings(rules, rule, possible)]
    if rule.after_done and _opens_with_deed(rule, matched, pages, rules.lists.get("past-date", -1)):
        matched = [_looking_back(finding) for finding in matched]
    if any(finding.weak and not finding.lacking for finding in matched):
        matched = _outdone(matched)
    if rule.anchored and not any(_anchors(rules, finding) for finding in _counting(matched)):
        matched = [_without(finding, "who: no sentence that counts says who acts") for finding in matched]
    if any(_says_no(finding) for finding in matched):
        matched = _gainsaid(rules, matched)
    denied = any(_opens_with_denial(finding) for finding in matched if not finding.lacking.startswith(_VETO))
    return [_denied(finding) if denied and not finding.lacking else finding for finding in matched]


def _without(finding: Finding, lacking: str) -> Finding:
    """A finding that does not count, for this reason where there is none yet."""
    return finding if finding.lacking else replace(finding, lacking=lacking)


def _silenced(rules: RuleSet, finding: Finding, vetoes: Mapping[Field, str]) -> Finding:
    veto = vetoes.get(finding.sentence.page.field)
    return finding if not veto or _stands_alone(rules, finding) else replace(finding, lacking=veto)


def _outdone(matched: list[Finding]) -> list[Finding]:
    """Hints, and findings met only by their place in the article, count where no better one does."""
    if all(finding.weak for finding in _counting(matched)):
        return matched
    why = "needs more than a hint or its place in the article: another sentence says it better"
    return [_without(finding, why) if finding.weak else finding for finding in matched]


_NO = ("negated", "never nothing-coming", "without no-sign-that")
"""How what is lacking begins where an article says that there is nothing."""


def _says_no(finding: Finding) -> bool:
    """Whether a finding lacks nothing but that the article says yes: "no sign that a test is being prepared"."""
    return finding.lacking.startswith(_NO)


def _gainsaid(rules: RuleSet, matched: list[Finding]) -> list[Finding]:
    """The findings of an article that says somewhere that there is nothing.

    Hints no longer count, nor, where it opens so and its lead says nothing else, does what is not told by a sentence that stands alone.
    """
    opens_so = any(_says_no(finding) and opens(finding.sentence) for finding in matched)
    led = (
        finding for finding in _counting(matched) if finding.sentence.page.field == "text" and leads(finding.sentence)
    )
    bare = opens_so and all(finding.weak for finding in led)
    why = "the article says that there is nothing"
    return [
        _without(finding, why) if finding.weak or (bare and not _stands_alone(rules, finding)) else finding
        for finding in matched
    ]


def _opens_with_deed(rule: Rule, matched: list[Finding], pages: list[Page], past_date: int) -> bool:
    """Whether headline or first sentence tell that the thing was done, and neither, by more than a hint, that it is to come."""
    opening = [finding for finding in matched if opens(finding.sentence)]
    if any(not finding.form.weak for finding in _counting(opening)):
        return False
    told = (sentence for page in pages for sentence in page.sentences[:1])
    lately = (one for one in told if not rule.deed.isdisjoint(one.by_list) and past_date not in one.by_list)
    return any(finding.happened for finding in opening) or any(lately)


def _looking_back(finding: Finding) -> Finding:
    """A finding of an article about what was done, which counts where it speaks of another."""
    more = not finding.rule.after_done.isdisjoint(finding.sentence.by_list)
    more = more or (finding.stage in {"preparing", "imminent"} and of_these_days(finding.match))
    why = "after_done: the article opens with the deed, and this speaks of no other"
    return finding if more else _without(finding, why)


def _anchors(rules: RuleSet, finding: Finding) -> bool:
    """Whether the sentence itself says who acts, or what institution tells it, or only who could; of a headline nothing is asked.

    Of what is in the lead or ahead it is enough that headline and lead say who acts, of anything that the headline does.
    """
    sentence = finding.sentence
    titled = sentence.page.field == "title"
    if titled or names_actor(rules, finding) or rules.lists.get("institutions", -1) in sentence.by_list:
        return True
    led = leads(sentence)
    if led and not finding.rule.actors.isdisjoint(sentence.by_list):
        return True
    opening = lead(sentence.page.company)
    heard = opening if led or finding.stage != "done" else [one for one in opening if one.page.field == "title"]
    grammar = roles.Grammar(rules)
    return any(roles.acts(one, finding.rule, grammar) for one in heard if one is not sentence)


def _stands_alone(rules: RuleSet, finding: Finding) -> bool:
    """Whether a sentence says by itself who does it, that it is to come and that somebody reports it, whatever the article is about."""
    sentence = finding.sentence
    sure = bool(finding.who) and finding.who[0].strength >= roles.SURE
    reports = sentence.by_list.get(rules.lists.get("reporting", -1), ())
    reported = any(verb.end <= finding.match.head.start for verb in reports)
    return sure and reported and finding.stage != "done" and finding.rule.never_in_lead.isdisjoint(sentence.by_list)


_VETO = "the article: "


def _veto(rules: RuleSet, rule: Rule, page: Page) -> str:
    """Why a headline, or the lead of a text, tells that it is about something the rule leaves alone; empty where it does not.

    Each speaks for itself: a headline never silences the text.
    """
    titled = page.field == "title"
    barred = rule.never_in_title | rule.never_in_lead if titled else rule.never_in_lead
    for sentence in page.sentences[: None if titled else page.lead] if barred else ():
        for number in sorted(barred & sentence.by_list.keys()):
            told = words(sentence, sentence.by_list[number][0])
            return f"{_VETO}never_in_{'title' if titled else 'lead'} {rules.names[number]}: {told!r}"
    return ""


def _theme(rules: RuleSet, rule: Rule, page: Page) -> str:
    """Why headline and lead together tell that a text is about something else: both hold a word that bars a headline."""
    if page.field == "title":
        return ""
    titled = {
        number for one in page.company if one.field == "title" for sent in one.sentences for number in sent.by_list
    }
    told = {number for sentence in page.sentences[: page.lead] for number in sentence.by_list}
    both = sorted(rule.never_as_theme & titled & told)
    return f"{_VETO}never_as_theme {rules.names[both[0]]}: headline and lead" if both else ""


def _opens_with_denial(finding: Finding) -> bool:
    return opens(finding.sentence) and "denied" in finding.flags


def _denied(finding: Finding) -> Finding:
    return replace(finding, flags=tuple(dict.fromkeys((*finding.flags, "denied"))))


def _assemble(
    rules: RuleSet, rule: Rule, found: list[Finding], pages: list[Page], protagonist: tuple[str, ...]
) -> Iterator[Signal]:
    """Findings of one rule → signals, one for each set of slots."""
    cast = _Cast(rules, rule, found, pages, protagonist)
    groups: Groups = {}
    for finding in found:
        actors = cast.of(finding)
        if not actors and rule.actor_required:
            continue
        for actor in actors or (None,):
            where = roles.place(finding.sentence, rule, finding.match.head, actor, cast.grammar)
            where = where or cast.opposite(finding, actor)
            groups.setdefault((actor, finding.what), []).append((finding, _theatre(rule, where, actor)))
    for (who, what), group in _told_apart(rule, groups).items():
        theatre = _usual(group) or _theatre(rule, _setting(rule, pages, who), who)
        yield _signal(rules, rule, (who, theatre, what), [finding for finding, _ in group])


Groups = dict[tuple[str | None, str | None], Found]
"""Findings by actor and materiel."""


def _told_apart(rule: Rule, groups: Groups) -> Groups:
    """The groups that are things of their own: one kind under two words ("the missile, an ICBM") is one.

    So is what is told only as an alternative of something else: "a missile or a satellite" is one launch of which more is not known.
    """
    joined: Groups = {}
    for (who, what), found in groups.items():
        named = next((kind for kinds in rule.kinds if what in kinds for kind in kinds if (who, kind) in groups), what)
        joined.setdefault((who, named), []).extend(found)
    told: Groups = {}
    for (who, what), found in sorted(joined.items(), key=lambda group: -len(group[1])):
        other = next(
            (name for name in told if name[0] == who and _alternative(rule, found, what, name[1])), (who, what)
        )
        told.setdefault(other, []).extend(found)
    return told


_APART = 6
"""Words that may stand between two alternatives."""
_BEFORE = 3
"""Words before the first of them within which "from" must stand: "from a satellite launch to an ICBM test"."""


def _alternative(rule: Rule, found: Found, what: str | None, other: str | None) -> bool:
    """Whether whatever tells of one materiel names it only as the alternative of another: joined to it by "or", or by "from … to"."""
    lists = {name: _words_for(rule, name) for name in (what, other)}
    return all(_joined_by_or(finding.sentence, lists[what], lists[other]) for finding, _ in found)


def _words_for(rule: Rule, what: str | None) -> list[int]:
    """The lists whose words name a materiel, or may."""
    kinds = next((kinds for kinds in rule.kinds if what in kinds), (what,))
    plain = [number for slug, number in rule.materiel if slug in kinds]
    return plain + [number for number, meant in rule.vague if not meant.isdisjoint(kinds)]


def _joined_by_or(sentence: Sentence, these: list[int], those: list[int]) -> bool:
    page = sentence.page
    for one, other in product(_named(sentence, these), _named(sentence, those)):
        first, second = (one, other) if one.start < other.start else (other, one)
        between = page.words[first.end : min(second.start, first.end + _APART)]
        ranges = "to" in between and "from" in page.words[max(sentence.low, first.start - _BEFORE) : first.start]
        if second.start - first.end <= _APART and ("or" in between or ranges):
            return True
    return False


def _named(sentence: Sentence, lists: list[int]) -> Iterator[Hit]:
    return (hit for number in lists for hit in sentence.by_list.get(number, ()))


class _Cast:
    """Who acts in an article's findings: whom the sentence says, else whom the others say, else what it is about."""

    def __init__(
        self, rules: RuleSet, rule: Rule, found: list[Finding], pages: list[Page], protagonist: tuple[str, ...]
    ) -> None:  # what an actor may be inherited from
        self.grammar = roles.Grammar(rules)
        self._rule, self._pages = rule, pages
        self._both = rules.lists.get("both", -1)
        self._sure = _surest(found) or (() if rule.places else protagonist)
        self._last: tuple[str, ...] = ()
        told = {id(one): one for one in (*(one.sentence for one in found), *lead(pages))}
        self._goals = {slug for one in told.values() for slug in roles.goals(one, rule)}
        """Where something goes, by the findings and the lead: such a place hardly acts."""

    @cached_property
    def _topic(self) -> tuple[str, ...]:
        return _topic(self._rule, self._pages, self.grammar, self._goals)

    @cached_property
    def _pair(self) -> tuple[str, ...]:
        return _pair(self._rule, self._pages)

    def opposite(self, finding: Finding, actor: str | None) -> str | None:
        """The other of two that both do it at a place without a name: "both sides are massing troops along the border"."""
        between = self._of_both(finding) and self.grammar.spot in finding.sentence.by_list
        return next((other for other in self._pair if other != actor), None) if between else None

    def _of_both(self, finding: Finding) -> bool:
        return self._both in finding.sentence.by_list and len(self._pair) > 1

    def of(self, finding: Finding) -> tuple[str, ...]:
        """The actors of one finding; findings are asked for in the order of the article."""
        if self._of_both(finding):
            return self._pair
        counts = finding.who and not (self._rule.places and _only_suspects(finding))
        best = finding.who[0].strength if counts else 0
        inherited = self._last or self._sure
        if best < roles.SURE and self._rule.inherits and inherited:
            return inherited
        if not best and self._rule.speaker and finding.stage != "done" and finding.certainty != "suspected":
            told = roles.tellers(finding.sentence, self._rule, self.grammar)
            if told:
                return told
        if not best:
            return self._topic if self._rule.inherits else ()
        actors = _strongest(finding)
        if best >= roles.SURE:
            self._last = actors
        return actors


def _only_suspects(finding: Finding) -> bool:
    """Whether the sentence names nobody but whoever suspects it, of others: "Officials in Seoul believe that a contingent is being picked"."""
    return finding.certainty == "suspected" and all(actor.how == "reporter" for actor in finding.who)


def _strongest(finding: Finding) -> tuple[str, ...]:
    """The strongest actor, with the one it is joined to by "and"."""
    first = finding.who[0]
    alike = [actor for actor in finding.who if (actor.strength, actor.how) == (first.strength, first.how)]
    joined = any(
        abs(first.hit.start - actor.hit.end) == 1 or abs(actor.hit.start - first.hit.end) == 1
        for actor in alike
        if actor.slug != first.slug
    )
    return tuple(dict.fromkeys(actor.slug for actor in alike))[: 2 if joined else 1]


def _surest(found: Iterable[Finding]) -> tuple[str, ...]:
    """The actor that most findings read out of their own sentence."""
    sure = Counter(finding.who[0].slug for finding in found if finding.who and finding.who[0].strength >= roles.SURE)
    return (sure.most_common(1)[0][0],) if sure else ()


def _pair(rule: Rule, pages: list[Page]) -> tuple[str, ...]:
    """The two actors an article names most: whom "both sides" means."""
    named = Counter(
        hit.lexeme.slug
        for page in pages
        for sentence in page.sentences
        for hit in sentence.hits
        if hit.lexeme.list in rule.actors
    )
    return tuple(slug for slug, _ in named.most_common(2))


def _topic(rule: Rule, pages: list[Page], grammar: roles.Grammar, goals: AbstractSet[str]) -> tuple[str, ...]:
    """Whom the headline and the lead are about, for articles none of whose sentences says who acts."""
    for speakers, least in _hearings(rule):
        counts: Counter[str] = Counter()
        for sentence in lead(pages):
            for slug, weight in roles.topics(sentence, rule, grammar, speakers=speakers):
                counts[slug] += (weight >= least) * weight * (_TITLE_WEIGHT if sentence.page.field == "title" else 1)
        if +counts:
            return (max(counts, key=lambda slug: (slug not in goals, slug not in rule.watchers, counts[slug])),)
    return _dateline(rule, pages) or _home(rule, pages, grammar)


def _hearings(rule: Rule) -> Iterator[tuple[bool, int]]:
    """Whom to ask in turn: whether whoever only speaks counts, and how much a name must weigh, as places weigh less."""
    if not rule.speaker:
        yield False, 1
    elif rule.places:
        yield from ((False, 3), (True, 3), (True, 1))
    else:
        yield from ((False, 1), (True, 1))


def _dateline(rule: Rule, pages: list[Page]) -> tuple[str, ...]:
    """The state a text is datelined from, which no sentence holds: "MANILA, Philippines -- The Army is sending …"."""
    for page in pages:
        within = [sentence for sentence in page.sentences[: page.lead + 1] if page.field == "text"]
        for hit in page.hits if within else ():
            if hit.start >= within[-1].low:
                break
            if not roles.may_act(rule, hit.lexeme.slug):
                continue
            if hit.lexeme.list in rule.actors and not any(one.low <= hit.start < one.high for one in within):
                return (hit.lexeme.slug,)
    return ()


def _home(rule: Rule, pages: list[Page], grammar: roles.Grammar) -> tuple[str, ...]:
    """The state whose places headline, dateline and lead name, where they name no state: "The army moved tanks up to Leh"."""
    hits = [
        hit
        for page in pages
        for hit in page.hits
        if hit.lexeme.list == grammar.theatres and hit.lexeme.slug in grammar.states
    ]
    return (grammar.states[hits[0].lexeme.slug],) if hits and rule.places else ()


def _theatre(rule: Rule, where: str | None, who: str | None) -> str | None:
    for group in rule.theatres:
        if where in group:
            return next((slug for slug in group if slug != who), where)
    return where


def _usual(group: Found) -> str | None:
    """The theatre of one actor's findings: an article tells one development, and where it goes is said most and first."""
    weights: Counter[str] = Counter()
    for finding, where in group:
        if where:
            weights[where] += _TITLE_WEIGHT if leads(finding.sentence) else 1
    return weights.most_common(1)[0][0] if weights else None


def _setting(rule: Rule, pages: list[Page], who: str | None) -> str | None:
    """The place the headline and the lead name most, where no finding says one and there are at least two mentions of it."""
    named: Counter[str] = Counter()
    for sentence in lead(pages):
        named.update(roles.places(sentence, rule, who))
    place, mentions = named.most_common(1)[0] if named else ("", 0)
    return place if mentions >= _MENTIONS else None


def _signal(
    rules: RuleSet, rule: Rule, slots: tuple[str | None, str | None, str | None], members: list[Finding]
) -> Signal:
    told = sorted(_evidence(members), key=lambda sentence: (sentence.field == "text", sentence.start))
    quoted = _quotable([sentence for sentence in told if "denied" not in sentence.flags] or told)
    strongest = max(
        quoted,
        key=lambda one: (rank(one.stage), one.field == "text", STAGES.index(one.stage), -one.start),
    )
    figures = tuple(
        dict.fromkeys(figure for one in members for figure in figures_of(rule, one.sentence, one.match.hits))
    )
    flags = dict.fromkeys(flag for sentence in quoted for flag in sentence.flags)
    says, relays = roles.speakers(rules, [sentence for finding in members for sentence in _heard(finding)])
    return Signal(
        rule.policy.name,
        *slots,
        _reached(strongest.stage, told),
        strongest.certainty,
        tuple(dict.fromkeys((*flags, *_doubts(rule, figures)))),
        says,
        relays,
        figures,
        strongest,
        tuple(quoted),
    )


def _reached(stage: Stage, told: list[Evidence]) -> Stage:
    """How far it has come by what is quoted; a headline's tense is no time, but one that says that it is near is heeded."""
    near = any(one.stage == "imminent" for one in told)
    return "imminent" if near and stage in {"planned", "preparing"} else stage


def _heard(finding: Finding) -> Iterator[Sentence]:
    """The sentence of a match, and the neighbour a cue of it stands in: both may say who reports it."""
    sentence = finding.sentence
    yield sentence
    for cue, hit in finding.cues:
        if cue.adjacent and not sentence.low <= hit.start < sentence.high:
            yield sentence.page.sentences[sentence.number + cue.adjacent]


def _quotable(evidence: list[Evidence]) -> list[Evidence]:
    """The sentences to quote: a headline, whose tense is no time, only where the text does not say it itself."""
    return [sentence for sentence in evidence if sentence.field == "text"] or evidence


def _doubts(rule: Rule, figures: Iterable[Figure]) -> Iterator[str]:
    notes = {figure.note for figure in figures if figure.reading}
    return (doubt.flag for doubt in rule.doubts if doubt.note in notes)


def _evidence(members: list[Finding]) -> Iterator[Evidence]:
    by_sentence: dict[tuple[str, int], list[Finding]] = {}
    for finding in members:
        place = (finding.sentence.page.field, finding.sentence.span.start)
        by_sentence.setdefault(place, []).append(finding)
    for group in list(by_sentence.values())[:QUOTED]:
        told = [finding for finding in group if finding.timed] or group
        best = max(told, key=lambda finding: (rank(finding.stage), STAGES.index(finding.stage)))
        sentence = best.sentence
        yield Evidence(
            sentence.text,
            sentence.span.start,
            sentence.span.end,
            best.stage,
            best.certainty,
            best.flags,
            sentence.page.field,
            sentence.marks([hit for finding in group for hit in finding.match.hits]),
            best.form.text,
        )
