"""What must hold when nothing is left to do, and which count a broken promise goes to."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from tests.simulation.deployment import deployment
from tests.simulation.faults import Schedule
from tests.simulation.world import BROKEN, POISON, World, drops, simulated
from tests.twins import MemoryTable
from tocsin.article import Article
from tocsin.pipeline.stories import root_alert
from tocsin.story import Story

COUNTS = ("lost", "duplicate", "stuck")
FIVE = 5
"""Alerts the seeds make; one fewer when the dispatch is decided on before every report of its preparation."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run broke: `lost`, `duplicate` or `stuck`, each with what happened."""

    schedule: Schedule
    broken: tuple[tuple[str, str], ...] = ()
    calls: int = 0
    redriven: bool = False
    """Whether something lay among the dead letters that a redrive brought back."""

    def broke(self, count: str) -> bool:
        """Whether it belongs to a count."""
        return any(name == count for name, _ in self.broken)

    def __str__(self) -> str:
        told = "; ".join(f"{count}: {what}" for count, what in self.broken)
        return f"--schedule '{self.schedule}'  {told or 'every promise held'}"


def judged(world: World, *, replays: bool = True) -> Verdict:
    """Runs a world to its end and says which promises it broke: on the way, in the end, and when it is all replayed.

    The end is after the runbook: when what met as many faults as it has receives lies among the dead letters, their alarm rings,
    and what an operator then does is done once. With fewer faults nothing may be given up.
    """
    simulated(world)
    calls = len(world.kinds)
    if redriven := bool(world.given_up):
        if len(world.met.faults) < deployment().articles.receives:
            world.broken += [("lost", f"{what} was given up after few faults") for what in world.given_up]
        world.redrive()
        simulated(world)
    broken = [*world.broken, *_ended(world, world.left)]
    if replays and not broken:
        broken += _replayed(world)
    return Verdict(world.met, tuple(dict.fromkeys(broken)), calls, redriven)


def _ended(world: World, left: MemoryTable) -> Iterator[tuple[str, str]]:
    """What is wrong in the end."""
    if world.stuck:
        yield "stuck", "there is still work to do after hours without a fault"
    for alert, row in left.rows.items():
        if row.status != "delivered":
            yield ("stuck" if row.status != "dead" else "lost"), f"{alert} is {row.status}: {row.note}"
    yield from _messages(world, left)
    yield from _stories(world, left)
    yield from _fates(world, left)


def _messages(world: World, left: MemoryTable) -> Iterator[tuple[str, str]]:
    """Each alert that a story raised stands once in the channel, replies in the thread of their root."""
    standing = world.slack.standing
    copies = Counter(one.alert for one in standing)
    raised = {alert for story in left.stories.values() if story.posted for alert in story.alerted}
    for alert in raised - set(copies):
        yield "lost", f"{alert} never reached the channel"
    for alert in set(copies) - raised:
        yield "duplicate", f"{alert} stands in the channel, and no story raised it"
    roots = {one.alert: one.ts for one in standing if one.thread_ts is None}
    for one in standing:
        root = root_alert(one.alert.rpartition("/")[0])
        if copies[one.alert] > 1:
            yield "duplicate", f"{one.alert} stands {copies[one.alert]} times in the channel"
        if one.alert != root and (one.thread_ts is None or one.thread_ts != roots.get(root)):
            yield "lost", f"{one.alert} is not in the thread of its root"
    expected = FIVE - (not any(alert.endswith("stage_up-done") for alert in raised))
    if len(raised) != expected:
        yield "lost" if len(raised) < expected else "duplicate", f"{len(raised)} alerts were raised"


def _stories(world: World, left: MemoryTable) -> Iterator[tuple[str, str]]:
    """Every story, and its root, is what it is when nothing fails: all its sources are there."""
    stories, roots = _undisturbed()
    found = _bare(left)
    for name in stories.keys() | found.keys():
        if found.get(name) != stories.get(name):
            yield "lost", f"story {name} is not complete"
    texts = _texts(world)
    for alert in roots.keys() - {one for one in texts if texts[one] == roots.get(one)}:
        yield "lost", f"{alert} does not show the last state of its story"


def _fates(world: World, left: MemoryTable) -> Iterator[tuple[str, str]]:
    """Every article has one fate, and only the poison lies among the dead letters."""
    fates = Counter([*left.fates, *_silent(world)])
    told = {drop.key.rpartition("/")[2].removesuffix(".txt") for wave in drops() for drop in wave} - {POISON}
    for article in told:
        if fates[article] != 1:
            yield "lost" if not fates[article] else "duplicate", f"article {article} has {fates[article]} fates"
    for article in set(fates) - told:
        yield "duplicate", f"{article} is no article, and has a fate"
    for what in world.given_up:
        yield "lost", f"{what} lies among the dead letters"
    if not any(json.loads(body)["id"] == POISON for body in world.articles.dead):
        yield "stuck", "the poison was not given up"


def _silent(world: World) -> Iterator[str]:
    """The articles whose fate is in the archive, each batch once however often it was written."""
    found: set[str] = set()
    for key in world.archive.keys("fates/"):
        rows = gzip.decompress(world.archive.read(key, limit=1_000_000)).decode().splitlines()
        found |= {json.loads(row)["article"] for row in rows}
    return iter(found)


def _replayed(world: World) -> Iterator[tuple[str, str]]:
    """Everything that ever came comes again, and changes nothing."""
    before = _state(world)
    world.stream.fresh += before[2]
    world.articles.send([json.dumps(article.to_json()) for article in _articles()])
    simulated(world)
    if before != _state(world) or world.stuck:
        yield "duplicate", "a replay changed something"
    yield from world.broken


def _state(world: World) -> tuple[Any, ...]:
    """What a replay must not change."""
    left = world.left
    posts = world.slack.calls.count("post")
    return _bare(left), _texts(world), list(left.rows), set(left.fates), posts, len(world.slack.messages)


@cache
def _articles() -> tuple[Article, ...]:
    """The articles that were decided on, as they stand on the queue."""
    world = World()
    bodies: list[str] = []
    send = world.articles.send

    def listening(sent: Any) -> None:
        bodies.extend(sent)
        send(sent)

    world.articles.send = listening  # type: ignore[method-assign, assignment]  # to hear what is sent
    simulated(world)
    return tuple(one for body in bodies if (one := Article.from_json(json.loads(body))).id not in {POISON, BROKEN})


@cache
def _undisturbed() -> tuple[Mapping[str, Story], Mapping[str, str]]:
    """Stories and root messages when nothing fails."""
    world = simulated(World())
    return _bare(world.left), _texts(world)


def _bare(left: MemoryTable) -> dict[str, Story]:
    """The stories without what may differ: versions count writes, `alerted` and `told` are history."""
    stories = left.stories.values()
    return {story.id: replace(story, version=0, alerted=(), told=()) for story in stories}


def _texts(world: World) -> dict[str, str]:
    """What the roots show."""
    return {
        one.alert: one.message.text for one in world.slack.standing if one.message.metadata["reason"] == "first_report"
    }
