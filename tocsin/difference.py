"""What an edit of rules does to alerts: two rehearsals of the same articles, compared story by story."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from tocsin.rehearsal import Alert, Rehearsal
from tocsin.story import Story

Kind = Literal["added", "dropped", "merged", "split", "changed"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `alert` is as it is now, of a dropped one as it was; `detail` says what changed."""

    kind: Kind
    alert: Alert
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a rehearsal: its stories with the articles that told them, and the alerts of each by their reasons."""

    stories: Mapping[str, tuple[Story, frozenset[str]]]
    alerts: Mapping[str, Mapping[str, Alert]]

    @classmethod
    def of(cls, rehearsal: Rehearsal, alerts: Sequence[Alert]) -> Ended:
        """What a rehearsal came to, with every alert it raised."""
        found: dict[str, dict[str, Alert]] = defaultdict(dict)
        for alert in alerts:
            story = rehearsal.story_of(alert.story)
            found[story.id if story else alert.story].setdefault(alert.reason, alert)
        return cls(rehearsal.stories(), found)

    def ringing(self) -> Iterator[str]:
        """The stories that raised an alert."""
        return (name for name in self.stories if self.alerts.get(name))

    def first(self, name: str) -> Alert:
        """The first alert of a story."""
        return next(iter(self.alerts[name].values()))


def compare(before: Ended, after: Ended) -> list[Change]:
    """The differences between two rehearsals of the same articles, kind by kind."""
    shared = _shared(before, after)
    pairs = _pairs(shared)
    found = [*_gathered(before, after, shared), *_scattered(before, after, shared)]
    explained_old = {old for old, _ in shared} - pairs.keys()
    explained_new = {new for _, new in shared} - set(pairs.values())
    for old in before.ringing():
        if old not in pairs:
            found += [Change("dropped", alert) for alert in _unexplained(before.alerts[old], old in explained_old)]
    for new in after.ringing():
        if new not in pairs.values():
            found += [Change("added", alert) for alert in _unexplained(after.alerts[new], new in explained_new)]
    for old, new in pairs.items():
        found += _changed(before.alerts.get(old, {}), after.alerts.get(new, {}))
    return sorted(found, key=lambda change: (KINDS.index(change.kind), change.alert.rule, change.alert.story))


def _shared(before: Ended, after: Ended) -> Counter[tuple[str, str]]:
    """Stories of before and after that some of the same articles tell → how many articles do.

    An article may tell several stories of a rule: those of the same slots are each other's, what is left is paired with what is left.
    """
    olds, news = _tellers(before), _tellers(after)
    shared: Counter[tuple[str, str]] = Counter()
    for teller in olds.keys() & news.keys():
        old, new = olds[teller], news[teller]
        shared.update((old[key], new[key]) for key in old.keys() & new.keys())
        shared.update((old[one], new[other]) for one in old.keys() - new.keys() for other in new.keys() - old.keys())
    return shared


def _tellers(ended: Ended) -> dict[tuple[str, str], dict[str, str]]:
    """Of each rule and article, the stories it tells that raised an alert, by their slots."""
    tells: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for name in ended.ringing():
        story, articles = ended.stories[name]
        for article in articles:
            tells[story.rule, article][story.key] = name
    return tells


def _pairs(shared: Mapping[tuple[str, str], int]) -> dict[str, str]:
    """Each story of before with the one of after that it is: those that share the most articles first."""
    pairs: dict[str, str] = {}
    taken: set[str] = set()
    for (old, new), _ in sorted(shared.items(), key=lambda item: (-item[1], item[0])):
        if old not in pairs and new not in taken:
            pairs[old] = new
            taken.add(new)
    return pairs


def _gathered(before: Ended, after: Ended, shared: Mapping[tuple[str, str], int]) -> Iterator[Change]:
    """Stories of before that are one now."""
    for new in after.ringing():
        olds = sorted(old for old, other in shared if other == new)
        if len(olds) > 1:
            told = " and ".join(before.stories[old][0].name for old in olds)
            yield Change("merged", after.first(new), f"{told} are one story now, {after.stories[new][0].name}")


def _scattered(before: Ended, after: Ended, shared: Mapping[tuple[str, str], int]) -> Iterator[Change]:
    """Stories of before that are several now."""
    for old in before.ringing():
        news = sorted(new for other, new in shared if other == old)
        if len(news) > 1:
            told = " and ".join(after.stories[new][0].name for new in news)
            yield Change(
                "split", before.first(old), f"{before.stories[old][0].name} is {len(news)} stories now, {told}"
            )


def _unexplained(alerts: Mapping[str, Alert], explained: bool) -> Iterator[Alert]:  # noqa: FBT001 - two cases of one story
    """The alerts of a story without counterpart; where it was merged or split, that explains its first."""
    for reason, alert in alerts.items():
        if not (explained and reason == "first_report"):
            yield alert


def _changed(before: Mapping[str, Alert], after: Mapping[str, Alert]) -> Iterator[Change]:
    """The alerts of one story that are more, fewer or others now."""
    for reason, alert in before.items():
        if reason not in after:
            yield Change("dropped", alert)
    for reason, alert in after.items():
        old = before.get(reason)
        if old is None:
            yield Change("added", alert)
        elif _level(old) != _level(alert):
            yield Change("changed", alert, f"{_level(old)} → {_level(alert)}")
        elif old.article.id != alert.article.id:
            yield Change("changed", alert, f"raised by {alert.article.id} instead of {old.article.id}")


def _level(alert: Alert) -> str:
    return f"{alert.level}, on trial" if alert.trial else alert.level
