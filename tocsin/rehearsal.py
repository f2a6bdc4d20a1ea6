"""What alerts articles would raise: the deployed detection step on a table in memory, without Slack, and what came of it.

Rules on trial are rehearsed, too; what they would post is marked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from tocsin.article import AHEAD, EARLIEST, Article
from tocsin.compiled import RuleSet
from tocsin.episodes import REMEMBERED
from tocsin.errors import InputFault, TocsinError
from tocsin.pipeline.detect import Detector
from tocsin.pipeline.stories import standing
from tocsin.ports import Commit, FateRecord, Wanted
from tocsin.signal import Signal, rank
from tocsin.silence import Silence
from tocsin.story import Story


class Ledger:
    """`tocsin.ports.Memory` in dictionaries, for one writer who never fails."""

    def __init__(self) -> None:
        self.fates: dict[str, FateRecord] = {}
        self.stories: dict[str, Story] = {}
        self.commits: list[Commit] = []
        """What was written since somebody looked."""
        self._addresses: dict[str, str] = {}
        self._keys: dict[str, list[str]] = {}

    def known(self, articles: Sequence[Article]) -> Mapping[str, FateRecord]:
        """See `Memory.known`."""
        ids = {one.id: one.id if one.id in self.fates else self._addresses.get(one.address, "") for one in articles}
        return {one: self.fates[name] for one, name in ids.items() if name in self.fates}

    def record(self, fate: FateRecord) -> None:
        """See `Memory.record`."""
        self.fates.setdefault(fate.article, fate)

    def episodes(self, key: str) -> Sequence[Story]:
        """See `Memory.episodes`."""
        found = [self.stories[name] for name in self._keys.get(key, ())]
        return sorted(found, key=lambda story: -story.number)[:REMEMBERED]

    def story(self, story_id: str) -> Story | None:
        """See `Memory.story`."""
        return self.stories.get(story_id)

    def silences(self, _now: datetime) -> Sequence[Silence]:
        """See `Memory.silences`: a rehearsal has none."""
        return ()

    def commit(self, commit: Commit, _now: datetime) -> None:
        """See `Memory.commit`."""
        if commit.fate:
            self.fates[commit.fate.article] = commit.fate
        for story in commit.stories:
            if story.id not in self.stories:
                self._keys.setdefault(story.id.rpartition("#")[0], []).append(story.id)
            self.stories[story.id] = replace(story, version=story.version + 1)
        if commit.address:
            self._addresses[commit.address] = commit.article
        self.commits.append(commit)

    def want(self, wanted: Wanted, _now: datetime) -> None:
        """See `Memory.want`."""
        self.commits.append(Commit(alerts=(wanted,)))


class _Nowhere:
    """`tocsin.ports.Archive` that keeps nothing: a rehearsal has no use for the fates of silent articles."""

    def read(self, key: str, *, limit: int) -> bytes:
        """See `Archive.read`."""
        raise InputFault(f"nothing is kept, nor its {limit} bytes", key)

    def metadata(self, _key: str) -> Mapping[str, str]:
        """See `Archive.metadata`."""
        return {}

    def write(self, key: str, body: bytes) -> None:
        """See `Archive.write`."""

    def keys(self, _prefix: str) -> Sequence[str]:
        """See `Archive.keys`."""
        return ()


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert that an article would raise."""

    rule: str
    story: str
    """Id of its story as it was then; `Rehearsal.story_of` follows it."""
    reason: str
    """The end of the alert's id: first_report, stage_up-done …"""
    level: str
    trial: bool
    """Whether its rule is on trial, so that it is recorded and not posted."""
    article: Article
    sentence: str

    @property
    def month(self) -> str:
        """When its article was published: 2025-03."""
        return month(self.article)


def month(article: Article) -> str:
    """When an article was published, as far as a table by months asks."""
    return f"{article.published:%Y-%m}" if article.published else "undated"


@dataclass
class Rehearsal:
    """Articles go in, in the order of their arrival, with the signals that were found in them; alerts come out."""

    rules: RuleSet
    now: datetime
    """When the first article arrives; later each arrives when it was published."""
    ledger: Ledger = field(default_factory=Ledger)
    _signals: Sequence[Signal] = ()
    _raised: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._policies = {rule.policy.name: rule.policy for rule in self.rules.rules}
        self._detector = Detector(
            self.rules, lambda: self.ledger, _Nowhere, lambda: self.now, None, lambda _rules, _article: self._signals
        )

    def hears(self, article: Article, signals: Sequence[Signal]) -> list[Alert]:
        """The alerts an article raises."""
        if not signals and not self.ledger.known([article]):
            return []
        if article.published and article.published > self.now:
            self.now = article.published
        self._signals = signals
        if self._detector.detect([("", article)]):
            raise TocsinError(f"the article {article.id!r} could not be decided on; the log says why")
        commits, self.ledger.commits = self.ledger.commits, []
        return [alert for commit in commits for alert in self._alerts(commit, article, signals)]

    def _alerts(self, commit: Commit, article: Article, signals: Sequence[Signal]) -> Iterator[Alert]:
        for wanted in commit.alerts:
            if wanted.alert not in self._raised:
                self._raised.add(wanted.alert)
                yield self._alert(wanted, article, signals)
        stories = {story.id: story for story in commit.stories}
        for held in commit.held:
            if held.story in stories:
                yield self._alert(Wanted(f"{held.story}/{held.reason}", stories[held.story]), article, signals)

    def _alert(self, wanted: Wanted, article: Article, signals: Sequence[Signal]) -> Alert:
        story = wanted.story
        policy = self._policies[story.rule]
        told = [one for one in signals if one.rule == story.rule and one.who == story.who]
        told = told or [one for one in signals if one.rule == story.rule]
        strongest = max(told, key=lambda one: rank(one.stage), default=None)
        sentence = " ".join(strongest.evidence.quote.split()) if strongest else ""
        reason = wanted.alert.removeprefix(f"{story.id}/")
        return Alert(story.rule, story.id, reason, policy.level_of(story.stage), not policy.posted, article, sentence)

    def story_of(self, name: str) -> Story | None:
        """A story as it stands in the end, or the one it turned out to be part of."""
        return standing(self.ledger, name)

    def stories(self) -> dict[str, tuple[Story, frozenset[str]]]:
        """The stories as they stand in the end, each with the ids of the articles that told it."""
        told: dict[str, set[str]] = {}
        found: dict[str, Story] = {}
        for fate in self.ledger.fates.values():
            for row in fate.signals:
                story = self.story_of(row["story"]) if row.get("story") else None
                if story:
                    found[story.id] = story
                    told.setdefault(story.id, set()).add(fate.article)
        return {name: (story, frozenset(told[name])) for name, story in found.items()}


def in_order(articles: Iterable[Article], late: datetime) -> tuple[list[Article], datetime]:
    """Articles by when they were published, those that do not say it last, at `late`; and when the first arrives."""
    order = sorted(articles, key=lambda one: (_believed(one, late), one.id))
    return order, _believed(order[0], late) if order else late


def _believed(article: Article, late: datetime) -> datetime:
    """When an article says it was published, unless that cannot be."""
    published = article.published
    return published if published and EARLIEST <= published <= late + AHEAD else late
