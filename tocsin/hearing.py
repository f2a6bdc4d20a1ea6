"""What Tocsin makes of one article that comes alone: each finding, the signals, the stories, and the messages as Slack would get them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tocsin import message
from tocsin.article import Article
from tocsin.compiled import RuleSet
from tocsin.detection import detect
from tocsin.difference import Ended
from tocsin.match import Finding
from tocsin.policy import Policy
from tocsin.ports import FateRecord, Message
from tocsin.reasons import Role, coloured, reasons
from tocsin.rehearsal import Rehearsal, in_order
from tocsin.signal import Field, Stage
from tocsin.story import Story

MOST = 300
"""Sentences that are kept of an article."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A sentence in which forms of a rule matched: what `tocsin explain` says of it."""

    rule: str
    field: Field
    stage: Stage
    lacking: str
    """Why it does not count; empty where it does."""
    pieces: tuple[tuple[str, Role | None], ...]
    reasons: tuple[tuple[str, ...], ...]
    """Of each form that matched, the surest first."""

    @classmethod
    def of(cls, finding: Finding) -> Spot:
        """What a finding says, apart from the page it stands on."""
        name, field = finding.rule.policy.name, finding.sentence.page.field
        pieces = tuple(coloured(finding))
        return cls(name, field, finding.stage, finding.lacking, pieces, (tuple(reasons(finding)),))

    def joined(self, finding: Finding) -> Spot:
        """The same, after another form has matched there: what counts goes before what lacks something."""
        other = Spot.of(finding)
        if self.lacking and not other.lacking:
            return replace(other, reasons=(*other.reasons, *self.reasons))
        return replace(self, reasons=(*self.reasons, *other.reasons))


@dataclass(frozen=True, slots=True)
class Shown:
    """A story the article tells, with its root message."""

    story: Story
    policy: Policy
    root: Message

    @property
    def level(self) -> str:
        """How grave it is."""
        return self.policy.level_of(self.story.stage)


@dataclass(frozen=True, slots=True)
class Hearing:
    """Everything that comes of an article."""

    spots: tuple[Spot, ...]
    misses: tuple[Spot, ...]
    """The sentences that lacked something for every form."""
    fate: FateRecord | None
    """None where no rule found a signal."""
    stories: tuple[Shown, ...]
    ended: Ended

    @property
    def signals(self) -> Sequence[Mapping[str, Any]]:
        """The signals as `tocsin detect` prints them, each with what was decided."""
        return self.fate.signals if self.fate else ()


def hear(rules: RuleSet, article: Article, now: datetime) -> Hearing:
    """What the rules make of an article, as the deployed detection step would: nothing is posted, nothing is kept."""
    found: dict[tuple[str, Field, str], Spot] = {}

    def hears(finding: Finding) -> None:
        sentence = finding.sentence
        key = (finding.rule.policy.name, sentence.page.field, sentence.text)
        if key in found:
            found[key] = found[key].joined(finding)
        elif len(found) < MOST:
            found[key] = Spot.of(finding)

    signals = detect(rules, article, hears)
    (alone,), start = in_order([article], now)
    rehearsal = Rehearsal(rules, start)
    alerts = rehearsal.hears(alone, signals)
    fate = rehearsal.ledger.fates.get(article.id)
    shown = [_shown(rules, story) for story, _ in rehearsal.stories().values()]
    spots = tuple(spot for spot in found.values() if not spot.lacking)
    misses = tuple(spot for spot in found.values() if spot.lacking)
    return Hearing(spots, misses, fate, tuple(shown), Ended.of(rehearsal, alerts))


def _shown(rules: RuleSet, story: Story) -> Shown:
    policy = rules.policy(story.rule)
    return Shown(story, policy, message.root(story, policy, buttons=True))
