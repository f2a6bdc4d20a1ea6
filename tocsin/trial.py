"""The tests at the bottom of a rule, run with the same matching as everything else."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from tocsin.article import Article
from tocsin.compiled import RuleSet
from tocsin.decide import Decision, correct, decide
from tocsin.detection import detect, explained
from tocsin.match import Finding, read
from tocsin.policy import Policy
from tocsin.reasons import reasons
from tocsin.rule import BLANK, Fires, Report, Rule, Tests, Variants
from tocsin.signal import Signal, rank
from tocsin.story import Report as StoryReport
from tocsin.story import Story, identity

WHEN = datetime(2025, 6, 15, tzinfo=UTC)
"""When the articles of `fires` and `silent` are published: rules read past dates against it."""
AROUND = 80
"""Letters on either side of a word beyond which no phrase goes that it is part of."""
STORIES = ("same_story", "new_story", "update")
SINGLE = ("fires", "silent", *STORIES)
"""The kinds of which each entry is one test."""
KINDS = (*SINGLE, "variants")
_NOTHING = "nothing"
_CODES = {"silent": "TOC503", "same_story": "TOC504", "new_story": "TOC505", "update": "TOC506"}
READ = ("who", "where", "what", "stage", "certainty")
"""What is read out of a text, besides flags."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one test came out: its text, what was wanted of it, and what came."""

    rule: str
    kind: str
    index: int
    text: str
    wanted: str
    got: str
    faults: tuple[str, ...] = ()
    """What is wrong, a sentence each; none when the test passed."""
    why: tuple[str, ...] = ()
    """Of a test that failed, the reasons of every finding of the rule, as `tocsin explain` gives them."""
    word: str = ""
    """Of variants, the word that stood in the blank."""
    place: int = 0
    """Of variants, where among its words that stands."""

    @property
    def name(self) -> str:
        """What the test is called: its kind, its number, and of variants the word."""
        return f"{self.kind} {self.index + 1}" + (f" {self.word!r}" if self.word else "")

    @property
    def passed(self) -> bool:
        """Whether it came out as wanted."""
        return not self.faults

    @property
    def code(self) -> str:
        """The check that it fails, if it does."""
        kind = "silent" if self.wanted == _NOTHING else self.kind
        return _CODES.get(kind, "TOC501" if self.got == _NOTHING else "TOC502")

    @property
    def path(self) -> tuple[str | int, ...]:
        """Leads to the test in the rule's file."""
        return ("tests", self.kind, self.index, *(("words", self.place) if self.word else ()))


Hears = Callable[[Finding], None]
Seeks = Callable[[RuleSet, Article], Sequence[Signal]]
"""Who looks for signals: `detect`, or somebody who remembers what it found."""


def run(rules: RuleSet, rule: Rule, seeks: Seeks = detect) -> Iterator[Outcome]:
    """The outcome of every test of one rule, but for its variants, in the order of the file."""
    bench = _Bench(rules, rule.name, seeks)
    for index, test in enumerate(rule.tests.fires):
        yield bench.fires(index, test)
    for index, text in enumerate(rule.tests.silent):
        yield bench.silent(index, text)
    for kind in STORIES:
        for index, reports in enumerate(getattr(rule.tests, kind)):
            yield bench.stories(kind, index, reports)


@dataclass(frozen=True, slots=True)
class Variant:
    """One word of the variants of a rule, and the test that it makes."""

    rule: str
    index: int
    place: int
    word: str
    some: Variants
    named: str
    """Names the variants by what they say and want."""

    @property
    def name(self) -> str:
        """Names it by what it says and wants: as long as the rule is the same, so is what comes of it."""
        return f"{self.named} {self.word}"

    @property
    def test(self) -> Fires:
        """What it says, and what must be read out of it."""
        return self.some.saying(self.word)

    @property
    def told_apart(self) -> bool:
        """Whether stories come of it."""
        return False

    @property
    def articles(self) -> list[Article]:
        """What it hears."""
        test = self.test
        return [article_of(test.text, test.title)]

    def passed(self, text: str, wanted: str, got: str) -> Outcome:
        """What came of it when it passed."""
        return Outcome(self.rule, "variants", self.index, text, wanted, got, word=self.word, place=self.place)


@dataclass(frozen=True, slots=True)
class Trial:
    """One test of a rule, but for variants."""

    rule: str
    kind: str
    index: int
    tests: Tests
    """The test, alone."""

    @property
    def name(self) -> str:
        """Names it by what it says and wants: as long as all rules are the same, so is what comes of it."""
        told = f"{self.kind} {self.tests.model_dump_json()}"
        return hashlib.sha256(told.encode()).hexdigest()[:32]

    @property
    def told_apart(self) -> bool:
        """Whether stories come of it."""
        return self.kind in STORIES

    @property
    def articles(self) -> list[Article]:
        """What it hears, in order."""
        ((_, told),) = articles_of(self.rule, self.tests)
        return told

    def tried(self, rules: RuleSet, rule: Rule, hears: Hears) -> Outcome:
        """What comes of it."""
        alone = rule.model_copy(update={"tests": self.tests})
        (outcome,) = run(rules, alone, lambda rules, article: detect(rules, article, hears))
        return replace(outcome, index=self.index)

    def passed(self, text: str, wanted: str, got: str) -> Outcome:
        """What came of it when it passed."""
        return Outcome(self.rule, self.kind, self.index, text, wanted, got)


_NONE = Tests()


def trials(rule: Rule) -> Iterator[Trial]:
    """The tests of a rule one by one, in the order in which they run, but for its variants."""
    for kind in SINGLE:
        for index, test in enumerate(getattr(rule.tests, kind)):
            yield Trial(rule.name, kind, index, _NONE.model_copy(update={kind: [test]}))


def variants(rule: Rule) -> list[Variant]:
    """The tests that the variants of a rule make, word by word."""
    found = []
    for index, some in enumerate(rule.tests.variants):
        told = some.model_dump_json(exclude={"words"})
        named = hashlib.sha256(told.encode()).hexdigest()[:32]
        found += [Variant(rule.name, index, place, word, some, named) for place, word in enumerate(some.words)]
    return found


def tried(alone: RuleSet, variant: Variant, hears: Hears | None = None) -> Outcome:
    """What comes of a variant where its rule is alone, so that it hangs on no other."""
    bench = _Bench(alone, variant.rule, lambda rules, article: detect(rules, article, hears))
    test = variant.test
    fires = variant.some.fires is not None
    outcome = bench.fires(variant.index, test) if fires else bench.silent(variant.index, test.text, test.title)
    return replace(outcome, kind="variants", word=variant.word, place=variant.place)


def articles(rule: Rule) -> Iterator[tuple[str, list[Article]]]:
    """The articles of each test of a rule, with the name of the test: what the test hears, in order. Variants are no cases of their own."""
    yield from articles_of(rule.name, rule.tests)


def articles_of(rule: str, tests: Tests) -> Iterator[tuple[str, list[Article]]]:
    """The same of some tests of a rule."""
    for index, test in enumerate(tests.fires):
        yield f"{rule} fires {index + 1}", [article_of(test.text, test.title)]
    for index, text in enumerate(tests.silent):
        yield f"{rule} silent {index + 1}", [article_of(text)]
    for kind in STORIES:
        for index, reports in enumerate(getattr(tests, kind)):
            yield f"{rule} {kind} {index + 1}", [_reported(number, one) for number, one in enumerate(reports, 1)]


def texts(rule: Rule) -> Iterator[tuple[str, str, str]]:
    """Every text of the tests of a rule, with its headline, and of variants each word with what stands before and behind it: (before, new, behind)."""
    for _, told in articles(rule):
        yield from (("", _text(one.title, one.text), "") for one in told)
    for some in rule.tests.variants:
        before, _, after = _text(some.title, some.text).partition(BLANK)
        yield "", f"{before}{some.words[0]}{after}", ""
        yield from ((before[-AROUND:], word, after[:AROUND]) for word in some.words[1:])


def _text(title: str, text: str) -> str:
    return " | ".join(part for part in (title, text) if part)


def article_of(text: str, title: str = "") -> Article:
    """The text of a test as an article."""
    return Article("inline-test", text, title, "inline test", published=WHEN)


def _reported(number: int, one: Report) -> Article:
    name = one.id or f"inline-test-{number}"
    return Article(name, one.text, one.title, one.source, published=_moment(one))


def _moment(one: Report) -> datetime:
    return datetime.fromisoformat(one.published).replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Bench:
    """Where the tests of one rule are run."""

    rules: RuleSet
    rule: str
    seeks: Seeks

    def fires(self, index: int, test: Fires) -> Outcome:
        """A text that must fire, as the test says."""
        article = article_of(test.text, test.title)
        found = signals_of(self.rules, self.rule, test.text, test.title, self.seeks)
        wanted = {name: value for name in READ if (value := getattr(test, name))}
        flags = set(test.flags or ())
        asked = ", ".join(
            [*(f"{name} {value}" for name, value in wanted.items()), *(f"flag {flag}" for flag in sorted(flags))]
        )
        asked = f"a signal{': ' if asked else ''}{asked}"
        got = _told(found)
        right = any(
            all(getattr(one, name) == value for name, value in wanted.items()) and flags <= set(one.flags)
            for one in found
        )
        fault = (
            ""
            if right
            else f"wanted {asked}, got {got}: {test.text!r:.120}"
            if found
            else f"stayed silent: {test.text!r:.160}"
        )
        return self._outcome("fires", index, [article], asked, got, fault)

    def silent(self, index: int, text: str, title: str = "") -> Outcome:
        """A text that must stay silent."""
        article = article_of(text, title)
        found = signals_of(self.rules, self.rule, text, title, self.seeks)
        forms = " and ".join(dict.fromkeys(repr(one.evidence.form) for one in found))
        fault = f"fired as {_told(found)} by the form {forms}: {text!r:.120}" if found else ""
        return self._outcome("silent", index, [article], _NOTHING, _told(found), fault)

    def stories(self, kind: str, index: int, reports: list[Report]) -> Outcome:
        """Articles that must end in one story, in as many as they are, or in an update of one."""
        told = [_reported(number, one) for number, one in enumerate(reports, 1)]
        desk = _Desk(self.rules, replace(self.rules.policy(self.rule), status="stable"), self.seeks)
        faults = tuple(_complaints(desk, kind, reports, told))
        becomes = [f"article {number} {one.becomes}" for number, one in enumerate(reports, 1) if one.becomes]
        wanted = {"same_story": "one story", "new_story": "a story each", "update": "one story, updated by the last"}[
            kind
        ]
        got = ", ".join(
            f"article {number} {decision.reason} ({decision.story.name})" if decision and decision.story
            else f"article {number} {decision.reason if decision else 'silent'}"
            for number, decision in enumerate(desk.decisions, 1)
        )  # fmt: skip
        return self._outcome(kind, index, told, "; ".join([wanted, *becomes]), got, *faults)

    def _outcome(self, kind: str, index: int, told: list[Article], wanted: str, got: str, *faults: str) -> Outcome:
        wrong = tuple(fault for fault in faults if fault)
        text = "\n".join(_text(one.title, one.text) for one in told)
        return Outcome(self.rule, kind, index, text, wanted, got, wrong, tuple(self._why(told)) if wrong else ())

    def _why(self, told: list[Article]) -> Iterator[str]:
        """The reasons of every finding of the rule in the articles of a test."""
        silent = True
        for number, article in enumerate(told, 1):
            for finding in explained(self.rules, read(self.rules, article)):
                if finding.rule.policy.name == self.rule:
                    silent = False
                    where = f" in article {number}" if len(told) > 1 else ""
                    yield f"{'near miss' if finding.lacking else 'match'}{where}: {' '.join(finding.sentence.text.split())}"
                    yield from (f"    {line}" for line in reasons(finding))
        if silent:
            yield "no form of the rule matches a sentence"


def signals_of(rules: RuleSet, rule: str, text: str, title: str = "", seeks: Seeks = detect) -> list[Signal]:
    """What one rule finds in the text of a test."""
    found = seeks(rules, article_of(text, title))
    return [signal for signal in found if signal.rule == rule and "denied" not in signal.flags]


def _told(found: list[Signal]) -> str:
    """Signals in words: their slots, and what was read."""
    return "; ".join(
        ", ".join([*(f"{name} {value}" for name in READ if (value := getattr(one, name))), *(f"flag {flag}" for flag in one.flags)])
        for one in found
    ) or _NOTHING  # fmt: skip


@dataclass
class _Desk:
    """Hears the articles of one story test in their order, as if the rule were not on trial, and remembers their stories."""

    rules: RuleSet
    policy: Policy
    seeks: Seeks = detect
    stories: dict[str, Story] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)
    """Article → id of the story it told."""
    decisions: list[Decision | None] = field(default_factory=list)
    """What became of each article; None where it stayed silent and never said anything else."""

    def hears(self, article: Article) -> Decision | None:
        """What becomes of an article."""
        self.decisions.append(self._heard(article))
        return self.decisions[-1]

    def _heard(self, article: Article) -> Decision | None:
        assert article.published is not None  # noqa: S101 - a report of a test says when
        published = article.published
        found = [signal for signal in self.seeks(self.rules, article) if signal.rule == self.policy.name]
        signal = max(found, key=lambda item: ("denied" not in item.flags, rank(item.stage)), default=None)
        report = StoryReport.of(signal, article) if signal else None
        before = self.stories.get(self.told.get(article.id, ""))
        if before and (signal is None or identity(signal, self.policy) == before.key):
            known = report or before.told_by(article.id)
            return self._keep(article.id, correct(signal, known, self.policy, before, (), published, None))
        if signal is None or report is None:
            return None
        key = identity(signal, self.policy)
        episodes = [story for story in self.stories.values() if story.key == key]
        return self._keep(article.id, decide(signal, report, self.policy, episodes, (), published, None))

    def _keep(self, article: str, decision: Decision) -> Decision:
        self.stories |= {story.id: story for story in decision.changed}
        if decision.story:
            self.told[article] = decision.story.id
        return decision


def _complaints(desk: _Desk, kind: str, reports: list[Report], told: list[Article]) -> Iterator[str]:
    """What is wrong with what becomes of the articles of a story test."""
    last: Decision | None = None
    for number, (one, article) in enumerate(zip(reports, told, strict=True), 1):
        last = desk.hears(article)
        if last is None:
            yield f"article {number} stayed silent: {one.text!r:.120}"
            return
        if one.becomes and last.reason != one.becomes:
            yield f"article {number} became {last.reason}, wanted {one.becomes}: {one.text!r:.120}"
    stories = sorted({desk.stories[story].merged or story for story in desk.told.values()})
    if kind == "new_story" and len(stories) < len(desk.told):
        yield f"{len(desk.told)} articles made {len(stories)} stories, wanted one each: {stories}"
    if kind != "new_story" and len(stories) > 1:
        yield f"wanted one story, got {stories}"
    if kind == "update" and last and last.fate != "updated":
        yield f"the last article became {last.reason}, wanted an update"
