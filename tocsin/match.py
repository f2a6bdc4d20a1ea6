"""Matching: a compiled rule set against an article, from forms and cues to signals. No input makes it backtrack."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from tocsin import roles
from tocsin.article import Article
from tocsin.compiled import Cue, Form, Rule, RuleSet
from tocsin.figures import figures_of
from tocsin.scan import Hit, Page, Sentence
from tocsin.signal import STAGES, Certainty, Evidence, Field, Figure, Signal, Stage, rank

LEAD = 3
"""Sentences of the text that count as its lead, besides the title."""
WINDOW = 12
"""Words on either side of a match in which `needs`, `with` and `never` lists are looked for."""
_CERTAINTY: tuple[Certainty, ...] = ("suspected", "asserted", "confirmed")


@dataclass(frozen=True, slots=True)
class Finding:
    """One match of one form in one sentence, with everything read out of it; `lacking` says why it does not count."""

    rule: Rule
    form: Form
    sentence: Sentence
    hits: tuple[Hit, ...]
    head: Hit
    cues: tuple[tuple[Cue, Hit], ...]
    stage: Stage
    certainty: Certainty
    flags: tuple[str, ...]
    who: tuple[roles.Actor, ...]
    what: str | None
    lacking: str = ""


def detect(rules: RuleSet, article: Article) -> tuple[Signal, ...]:
    """The signals of an article, one for each rule and set of slots, in the order of the rules."""
    pages = read(rules, article)
    found: dict[str, list[Finding]] = {}
    for rule in rules.rules:
        if not _vetoed(rule, pages):
            matched = list(findings(rules, rule, pages))
            if hits := [finding for finding in matched if not finding.lacking]:
                found[rule.policy.name] = [_denied(finding) for finding in hits] if any(map(_opens_with_denial, matched)) else hits
    protagonist = _surest(finding for hits in found.values() for finding in hits)
    return tuple(signal for rule in rules.rules if (hits := found.get(rule.policy.name)) for signal in _assemble(rules, rule, hits, pages, protagonist))


def _opens_with_denial(finding: Finding) -> bool:
    """Whether the headline or the first sentence denies it: then the rest of the article tells what is denied."""
    first = finding.sentence.page.field == "title" or finding.sentence.number == 0
    return first and "denied" in finding.flags


def _denied(finding: Finding) -> Finding:
    return replace(finding, flags=tuple(dict.fromkeys((*finding.flags, "denied"))))


def _vetoed(rule: Rule, pages: list[Page]) -> bool:
    titles = [sentence for page in pages if page.field == "title" for sentence in page.sentences]
    if any(number in sentence.by_list for sentence in titles for number in rule.never_in_title):
        return True
    return bool(rule.never_in_lead) and any(number in sentence.by_list for page in pages for sentence in page.sentences[:LEAD] for number in rule.never_in_lead)


def _surest(found: Iterable[Finding]) -> tuple[str, ...]:
    """The actor that most findings read out of their own sentence."""
    sure = Counter(finding.who[0].slug for finding in found if finding.who and finding.who[0].strength >= SURE)
    return (sure.most_common(1)[0][0],) if sure else ()


def read(rules: RuleSet, article: Article) -> list[Page]:
    """The title and the text, scanned; a title that the text repeats is still read once as a title."""
    fields: list[tuple[Field, str]] = [("title", article.title), ("text", article.text)]
    return [Page(rules, field, original, article.published) for field, original in fields if original.strip()]


def findings(rules: RuleSet, rule: Rule, pages: list[Page]) -> Iterator[Finding]:
    """Every match of a rule's forms in an article, the near misses too (`lacking` names the one thing)."""
    grammar = roles.Grammar(rules)
    for page in pages:
        forms = [form for form in rule.forms if all(step.optional or step.lists & page.present for step in form.steps)]
        for sentence in page.sentences if forms else ():
            taken: set[tuple[int, int, str | None]] = set()
            for form in forms:
                for hits in _matches(form, sentence):
                    head = hits[form.head] if form.head < len(hits) else hits[0]
                    finding = _weigh(rules, rule, form, sentence, hits, head, grammar)
                    key = (head.start, head.end, finding.what)
                    if finding.lacking or key not in taken:
                        yield finding
                    if not finding.lacking:
                        taken.add(key)


def _matches(form: Form, sentence: Sentence) -> Iterator[tuple[Hit, ...]]:
    """The leftmost match of a form from each place it can begin."""
    by_list = sentence.by_list
    columns: list[list[Hit]] = []
    for step in form.steps:
        column = [hit for number in step.lists for hit in by_list.get(number, ()) if not step.tags or hit.lexeme.tag in step.tags]
        if not column and not step.optional:
            return
        column.sort(key=lambda hit: (hit.start, -hit.end))
        columns.append(column)
    for first in columns[0]:
        chain = _follow(form, columns, first, sentence)
        if chain:
            yield chain


def _follow(form: Form, columns: list[list[Hit]], first: Hit, sentence: Sentence) -> tuple[Hit, ...] | None:
    """Extends a match step by step. All ends a step can reach are kept, so nothing is tried twice."""
    reached: dict[int, tuple[Hit, ...]] = {first.end: (first,)}
    for step, column in zip(form.steps[1:], columns[1:], strict=True):
        following: dict[int, tuple[Hit, ...]] = dict(reached) if step.optional else {}
        starts = [hit.start for hit in column]
        for end, chain in reached.items():
            for index in range(bisect_left(starts, end), len(column)):
                hit = column[index]
                if hit.start > end + step.gap:
                    break
                if step.leaves_clause or sentence.clause(hit.start) == sentence.clause(end - 1):
                    following.setdefault(hit.end, (*chain, hit))
        if not following:
            return None
        reached = following
    return min(reached.values(), key=lambda chain: (-len(chain), chain[-1].end))


def _weigh(rules: RuleSet, rule: Rule, form: Form, sentence: Sentence, hits: tuple[Hit, ...], head: Hit, grammar: roles.Grammar) -> Finding:  # noqa: PLR0913 - the parts of one match
    reached = tuple(pair for pair in _reaching(rule, sentence, hits, head) if pair[0].name not in form.ignored)
    stage, forward = _stage(rule, form, reached, head, sentence)
    found = tuple(roles.actors(sentence, rule, hits, head, grammar))
    finding = Finding(
        rule, form, sentence, hits, head, reached, stage, _certainty(reached), _flags(reached), found, _materiel(rule, form, sentence, hits)
    )
    return replace(finding, lacking=_lacking(rules, finding, forward=forward))


def _reaching(rule: Rule, sentence: Sentence, hits: tuple[Hit, ...], head: Hit) -> Iterator[tuple[Cue, Hit]]:
    inside = {(hit.start, hit.end) for hit in hits}
    begin, end = min(hit.start for hit in hits), max(hit.end for hit in hits)
    for cue in rule.cues:
        for hit in _cue_hits(cue, sentence):
            if (hit.start, hit.end) in inside and cue.drop:
                continue
            if _reaches(cue, hit, sentence, head, begin, end):
                yield cue, hit
                break
        else:
            if hit := _cued_from(sentence, cue):
                yield cue, hit


def _cue_hits(cue: Cue, sentence: Sentence) -> Iterator[Hit]:
    for number in cue.lists:
        yield from sentence.by_list.get(number, ())
    for form in cue.forms:
        for chain in _matches(form, sentence):
            yield Hit(chain[0].start, chain[-1].end, chain[0].lexeme)


def _reaches(cue: Cue, hit: Hit, sentence: Sentence, head: Hit, begin: int, end: int) -> bool:  # noqa: PLR0913 - two spans of words
    if hit.end <= head.start:
        ahead, between = True, range(hit.end, head.start)
    elif hit.start >= head.end:
        ahead, between = False, range(max(head.end, end if hit.start >= end else head.end), hit.start)
    else:
        return hit.start <= head.start and hit.end > head.end  # "flew out" where the head is "flew"
    if cue.direction != "either" and (cue.direction == "before") != ahead:
        return False
    if len(between) > cue.reach:
        return False
    if cue.clause and sentence.clause(hit.start) != sentence.clause(head.start) and sentence.clause(hit.start) != sentence.clause(begin):
        return False
    return not any(
        between.start <= stop.start < between.stop for number in cue.unless for stop in sentence.by_list.get(number, ())
    )


def _stage(rule: Rule, form: Form, reached: tuple[tuple[Cue, Hit], ...], head: Hit, sentence: Sentence) -> tuple[Stage, bool]:
    """The stage, and whether words (and not only a tense) point forward."""
    happened = rule.tense and head.lexeme.tag in {"past", "part"} and not _passive(sentence, head)
    for cue, _ in reached:
        if cue.stage == "done":
            return "done", False
        if cue.stage and not happened:
            return cue.stage, True
    if form.stage and not happened:
        return form.stage, form.stage != "done"
    if rule.tense and head.lexeme.tag == "ing" and sentence.word(head.start - 1) in _BE:
        return "planned", True
    return ("done" if rule.tense else "planned"), False


_KEEP = frozenset({"been", "keep", "keeps", "kept", "began", "begun", "begins", "started", "seen", "still"})
_BE = frozenset({"is", "are", "was", "were", "be", "also", "now"})


def _passive(sentence: Sentence, head: Hit) -> bool:
    """Whether a participle stands behind "be", so that its time is decided before it: "will be sent", "to be deployed"."""
    return any(sentence.word(token) == "be" for token in range(head.start - 3, head.start))


def _certainty(reached: tuple[tuple[Cue, Hit], ...]) -> Certainty:
    said = {cue.certainty for cue, _ in reached}
    return next((certainty for certainty in ("suspected", "confirmed") if certainty in said), "asserted")


def _flags(reached: tuple[tuple[Cue, Hit], ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(cue.flag for cue, _ in reached if cue.flag))


def _materiel(rule: Rule, form: Form, sentence: Sentence, hits: tuple[Hit, ...]) -> str | None:
    if form.what:
        return form.what
    matched = {(hit.start, hit.end) for hit in hits}
    for slug, number in rule.materiel:
        if any(hit.start == start or hit.end == end for hit in sentence.by_list.get(number, ()) for start, end in matched):
            return slug
    return rule.default_what


def _lacking(rules: RuleSet, finding: Finding, *, forward: bool) -> str:
    """The one thing a match lacks, in words; an empty string when it counts."""
    rule, form, sentence = finding.rule, finding.form, finding.sentence
    names = rules.names
    for cue, hit in finding.cues:
        if cue.drop:
            return f"{cue.drop}: {_words(sentence, hit)!r} ({cue.name})"
    for number in rule.never:
        if hit := _near(sentence, finding, number):
            return f"never {names[number]}: {_words(sentence, hit)!r}"
    for number in (*rule.never_in_sentence, *form.without):
        if found := sentence.by_list.get(number):
            return f"without {names[number]}: {_words(sentence, found[0])!r}"
    if form.with_ and not any(number in sentence.by_list for number in form.with_):
        return f"with {' or '.join(names[number] for number in form.with_)}: none in the sentence"
    if form.only_who and not (finding.who and finding.who[0].slug in form.only_who) and not _about(rule, sentence, form.only_who):
        return f"only who {', '.join(form.only_who)}"
    if form.who == "own" and not roles.own(sentence, rule, finding.hits, finding.head, finding.who):
        return "who own: the forces are somebody else's"
    if form.needs and not _need(finding, forward=forward):
        return "needs one of " + ", ".join(str(names.get(need, need)) if isinstance(need, int) else need for need in form.needs)
    return ""


def _present(sentence: Sentence, head: Hit) -> bool:
    """Whether the verb stands in the present: news of these days."""
    return head.lexeme.tag == "s" or (head.lexeme.tag == "ing" and sentence.word(head.start - 1) in _BE | _KEEP)


def _about(rule: Rule, sentence: Sentence, slugs: tuple[str, ...]) -> bool:
    """Whether one of these actors is named in the sentence or at the page's beginning."""
    page = sentence.page
    near = [sentence, *page.sentences[:2]]
    return any(hit.lexeme.slug in slugs for one in near for number in rule.actors for hit in one.by_list.get(number, ()))


def _need(finding: Finding, *, forward: bool) -> bool:
    sentence = finding.sentence
    for need in finding.form.needs:
        if isinstance(need, int):
            if _near(sentence, finding, need):
                return True
        elif (
            (need == "forward" and forward)
            or (need == "fresh" and (_present(sentence, finding.head) or any(cue.fresh for cue, _ in finding.cues)))
            or (need == "title" and sentence.page.field == "title")
            or (need == "lead" and (sentence.page.field == "title" or sentence.number < LEAD))
        ):
            return True
    return False


def _near(sentence: Sentence, finding: Finding, number: int) -> Hit | None:
    begin, end = min(hit.start for hit in finding.hits) - WINDOW, max(hit.end for hit in finding.hits) + WINDOW
    clauses = {sentence.clause(hit.start) for hit in finding.hits}
    for hit in sentence.by_list.get(number, ()):
        if begin <= hit.start and hit.end <= end and sentence.clause(hit.start) in clauses:
            return hit
    return None


def _words(sentence: Sentence, hit: Hit) -> str:
    return sentence.page.original[sentence.page.bounds[hit.start][0] : sentence.page.bounds[hit.end - 1][1]]


def _cued_from(sentence: Sentence, cue: Cue) -> Hit | None:
    """A cue that stands in the neighbouring sentence from which it reaches: "However, there are no immediate signs"."""
    sentences = sentence.page.sentences
    number = sentence.number + cue.adjacent
    if not cue.adjacent or not 0 <= number < len(sentences) or sentences[number].span.block not in {sentence.span.block, sentence.span.block + cue.adjacent}:
        return None
    return next(_cue_hits(cue, sentences[number]), None)


SURE = 6
"""An actor at least this strong is read out of the sentence itself; a weaker one gives way to an inherited actor."""


def _assemble(rules: RuleSet, rule: Rule, found: list[Finding], pages: list[Page], protagonist: tuple[str, ...]) -> list[Signal]:
    """Findings of one rule → signals, one for each set of slots."""
    sure = _surest(found) or protagonist
    pair = _pair(rule, pages)
    topic = _topic(rule, pages, roles.Grammar(rules))
    groups: dict[tuple[str | None, str | None], list[tuple[Finding, str | None]]] = {}
    last: tuple[str, ...] = ()
    for finding in found:
        who = pair if rules.lists.get("both", -1) in finding.sentence.by_list and len(pair) > 1 else _actors(finding, last or sure, topic, rule)
        if not who and rule.actor_required:
            continue
        if finding.who and finding.who[0].strength >= SURE:
            last = who
        for actor in who or (None,):
            where = roles.place(finding.sentence, rule, finding.head, actor, rules.lists.get("theatres", -1))
            groups.setdefault((actor, finding.what), []).append((finding, _theatre(rule, where, actor)))
    return [signal for (who, what), group in groups.items() for signal in _signals(rules, rule, who, what, group)]


def _actors(finding: Finding, sure: tuple[str, ...], topic: tuple[str, ...], rule: Rule) -> tuple[str, ...]:
    """Who acts: whom the sentence says, else whom the article's other sentences say, else whoever speaks, else what the article is about."""
    best = finding.who[0].strength if finding.who else 0
    if best < SURE and rule.inherits and sure:
        return sure
    if best:
        first = finding.who[0]
        return tuple(dict.fromkeys(actor.slug for actor in finding.who if actor.strength == best and actor.how == first.how))[: 2 if _paired(finding) else 1]
    return topic if rule.inherits else ()


def _paired(finding: Finding) -> bool:
    first = finding.who[0]
    return any(other.hit.end + 1 == first.hit.start or first.hit.end + 1 == other.hit.start for other in finding.who[1:])


def _pair(rule: Rule, pages: list[Page]) -> tuple[str, ...]:
    """The two actors an article names most: whom "both sides" means."""
    counts = Counter(hit.lexeme.slug for page in pages for sentence in page.sentences for number in rule.actors for hit in sentence.by_list.get(number, ()))
    return tuple(slug for slug, _ in counts.most_common(2))


def _topic(rule: Rule, pages: list[Page], grammar: roles.Grammar) -> tuple[str, ...]:
    """Whom the headline and the lead are about, for articles none of whose sentences says who acts."""
    counts: Counter[str] = Counter()
    for page in pages:
        for sentence in page.sentences[: 1 if page.field == "title" else LEAD]:
            for slug, weight in roles.topics(sentence, rule, grammar):
                counts[slug] += weight * (3 if page.field == "title" else 1)
    return (counts.most_common(1)[0][0],) if counts else ()


def _theatre(rule: Rule, where: str | None, who: str | None) -> str | None:
    for group in rule.theatres:
        if where in group:
            return next(slug for slug in group if slug != who)
    return where


def _signals(rules: RuleSet, rule: Rule, who: str | None, what: str | None, group: list[tuple[Finding, str | None]]) -> Iterator[Signal]:
    """One actor's findings, split by theatre; those that name none join the theatre named most."""
    places = Counter(where for _, where in group if where)
    usual = places.most_common(1)[0][0] if places else None
    for theatre in dict.fromkeys(where or usual for _, where in group):
        members = [finding for finding, where in group if (where or usual) == theatre]
        yield _signal(rules, rule, who, theatre, what, members)


def _signal(rules: RuleSet, rule: Rule, who: str | None, where: str | None, what: str | None, members: list[Finding]) -> Signal:  # noqa: PLR0913 - the slots
    evidence = sorted(_evidence(members), key=lambda sentence: (sentence.field == "text", sentence.start))
    alive = _quotable([sentence for sentence in evidence if "denied" not in sentence.flags] or evidence)
    strongest = max(alive, key=lambda sentence: (rank(sentence.stage), sentence.field == "text", STAGES.index(sentence.stage), -sentence.start))
    figures = tuple(dict.fromkeys(figure for finding in members for figure in figures_of(rule, finding.sentence, finding.hits)))
    flags = tuple(dict.fromkeys(flag for sentence in alive for flag in sentence.flags))
    says, relays = roles.speakers(rules, [sentence for finding in members for sentence in _heard(finding)])
    return Signal(
        rule.policy.name, who, where, what, strongest.stage, strongest.certainty, (*flags, *_doubts(rule, figures)), says, relays, figures,
        strongest, tuple(alive),
    )  # fmt: skip


def _heard(finding: Finding) -> Iterator[Sentence]:
    """The sentence of a match, and the neighbour a cue of it stands in: both may say who reports it."""
    yield finding.sentence
    for cue, hit in finding.cues:
        if cue.adjacent and not finding.sentence.low <= hit.start < finding.sentence.high:
            yield finding.sentence.page.sentences[finding.sentence.number + cue.adjacent]


def _quotable(evidence: list[Evidence]) -> list[Evidence]:
    """The sentences to quote: a headline only where the text does not say as much itself."""
    told = [sentence for sentence in evidence if sentence.field == "text"]
    furthest = max((rank(sentence.stage) for sentence in told), default=0)
    return [sentence for sentence in evidence if sentence.field == "text" or rank(sentence.stage) > furthest]


def _doubts(rule: Rule, figures: Iterable[Figure]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(doubt.flag for figure in figures for doubt in rule.doubts if figure.reading and doubt.note == figure.note))


def _evidence(members: list[Finding]) -> Iterator[Evidence]:
    by_sentence: dict[tuple[str, int], list[Finding]] = {}
    for finding in members:
        by_sentence.setdefault((finding.sentence.page.field, finding.sentence.span.start), []).append(finding)
    for group in by_sentence.values():
        best = max(group, key=lambda finding: (rank(finding.stage), STAGES.index(finding.stage)))
        sentence = best.sentence
        marks = sentence.marks([hit for finding in group for hit in finding.hits])
        yield Evidence(
            sentence.text, sentence.span.start, sentence.span.end, best.stage, best.certainty, best.flags, sentence.page.field, marks, best.form.text
        )
