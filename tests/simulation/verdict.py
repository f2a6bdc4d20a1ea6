"""What must hold when nothing is left to do, and which count a broken promise goes to."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from tests.simulation.faults import Schedule
from tests.simulation.scenes import BROKEN, POISON, SEEDS, Scene, drops
from tests.simulation.world import Variant, World, simulated
from tests.system import brought, rule_set
from tests.twins import MemoryTable
from tocsin import message
from tocsin.article import Article
from tocsin.pipeline.stories import root_alert
from tocsin.ports import BESIDE, beside
from tocsin.routes import PASSES, Facts
from tocsin.story import Story

COUNTS = ("lost", "duplicate", "stuck")
DISPATCH, SPEAKS_OF_IT = "stage_up-done", "002"
"""The alert that the troops were sent, and the seed that says so."""
NEVER_MUTED = datetime(2025, 3, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run broke: `lost`, `duplicate` or `stuck`, each with what happened."""

    schedule: Schedule
    broken: tuple[tuple[str, str], ...] = ()
    calls: int = 0
    redriven: bool = False
    """Whether something lay among the dead letters that a redrive brought back."""
    scene: str = SEEDS.name

    def broke(self, count: str) -> bool:
        """Whether it belongs to a count."""
        return any(name == count for name, _ in self.broken)

    def __str__(self) -> str:
        told = "; ".join(f"{count}: {what}" for count, what in self.broken)
        scene = "" if self.scene == SEEDS.name else f"--scene {self.scene} "
        return f"{scene}--schedule '{self.schedule}'  {told or 'every promise held'}"


def judged(world: World, *, replays: bool = True) -> Verdict:
    """Runs a world to its end and says which promises it broke: on the way, in the end, and when it is all replayed.

    The end is after the runbook: when what met as many faults as it has receives lies among the dead letters, their alarm rings,
    and what an operator then does is done once. With fewer faults nothing may be given up.
    """
    simulated(world)
    calls = len(world.kinds)
    if redriven := bool(world.given_up):
        few = [what for what, receives in world.given_up.items() if len(world.met.faults) < receives]
        world.broken += [("lost", f"{what} was given up after few faults") for what in few]
        world.redrive()
        simulated(world)
    broken = [*world.broken, *_ended(world, world.left)]
    if replays and not broken:
        broken += _replayed(world)
    return Verdict(world.met, tuple(dict.fromkeys(broken)), calls, redriven, world.variant.scene.name)


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
    yield from _deeds(world, left)


def _messages(world: World, left: MemoryTable) -> Iterator[tuple[str, str]]:
    """Each alert that a story raised stands once in the channel, replies in the thread of their root."""
    scene, standing = world.variant.scene, world.slack.standing
    copies = Counter(one.alert for one in standing)
    raised = {alert for story in left.stories.values() if story.posted for alert in story.alerted}
    wanted = {beside(alert, channel) for alert in raised for channel in _channels(alert, scene)}
    for alert in wanted - set(copies):
        yield "lost", f"{alert} never reached the channel"
    for alert in set(copies) - wanted:
        yield "duplicate", f"{alert} stands in the channel, and no story raised it"
    roots = {one.alert: one.ts for one in standing if one.thread_ts is None}
    for one in standing:
        alert, _, channel = one.alert.partition(BESIDE)
        root = root_alert(alert.rpartition("/")[0])
        if copies[one.alert] > 1:
            yield "duplicate", f"{one.alert} stands {copies[one.alert]} times in the channel"
        if alert != root and (one.thread_ts is None or one.thread_ts != roots.get(beside(root, channel))):
            yield "lost", f"{one.alert} is not in the thread of its root"
        if channel not in {"", one.channel}:
            yield "lost", f"{one.alert} stands in {one.channel}"
    expected = scene.alerts - (
        any(SPEAKS_OF_IT in wave for wave in scene.waves) and not any(one.endswith(DISPATCH) for one in raised)
    )
    if len(raised) != expected:
        yield "lost" if len(raised) < expected else "duplicate", f"{len(raised)} alerts were raised"


def _channels(alert: str, scene: Scene) -> Sequence[str]:
    """Where an alert stands: in its own channel, which is not said, and beside it."""
    facts = Facts(alert.partition("/")[0], PASSES)
    return ["", *(place.channels[0] for place in scene.routes.places(facts, NEVER_MUTED)[1:])]


def _stories(world: World, left: MemoryTable) -> Iterator[tuple[str, str]]:
    """Every story, and its root, is what it is when nothing fails: all its sources are there."""
    stories, found = _undisturbed(world.variant.scene).stories, _bare(left)
    for name in stories.keys() | found.keys():
        if found.get(name) != stories.get(name):
            yield "lost", f"story {name} is not complete"
    texts = _texts(world)
    for story in left.stories.values():
        shown = message.root(story, rule_set().policy(story.rule)).text
        for alert in texts:
            if alert.partition(BESIDE)[0] == root_alert(story.id) and texts[alert] != shown:
                yield "lost", f"{alert} does not show the last state of its story"


def _fates(world: World, left: MemoryTable) -> Iterator[tuple[str, str]]:
    """Every article has one fate, and only the poison lies among the dead letters."""
    fates = Counter([*left.fates, *_silent(world)])
    files = {article for wave in drops(world.variant.scene) for drop in wave for article in drop.articles}
    told = files - {POISON}
    for article in told:
        if fates[article] != 1:
            yield "lost" if not fates[article] else "duplicate", f"article {article} has {fates[article]} fates"
    for article in set(fates) - told:
        yield "duplicate", f"{article} is no article, and has a fate"
    for what in world.given_up:
        yield "lost", f"{what} lies among the dead letters"
    if POISON in files and not any(one.id == POISON for one in brought(world.archive, world.articles.dead)):
        yield "stuck", "the poison was not given up"


def _deeds(world: World, left: MemoryTable) -> Iterator[tuple[str, str]]:
    """What people did stands once: in the stories (`_stories`), as silences, as feedback; and who asked was answered."""
    calm = _undisturbed(world.variant.scene)
    for what, found, wanted in (
        ("silences", {one.matchers for one in left.all_silences()}, calm.silences),
        ("feedback", set(world.archive.keys("feedback/")), calm.feedback),
        ("answers", _answers(world), calm.answers),
    ):
        if len(found) != len(wanted) or (what == "silences" and found != wanted):
            yield "lost" if len(found) < len(wanted) else "duplicate", f"there are {len(found)} {what}"


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
    world.articles.send([json.dumps(article.to_json()) for article in _articles(world.variant.scene)])
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
def _articles(scene: Scene) -> tuple[Article, ...]:
    """The articles that were decided on, as they stand on the queue."""
    world = World(variant=Variant(scene=scene))
    bodies: list[str] = []
    send = world.articles.send

    def listening(sent: Any) -> None:
        bodies.extend(sent)
        send(sent)

    world.articles.send = listening  # type: ignore[method-assign, assignment]  # to hear what is sent
    simulated(world)
    told = {one.id: one for one in brought(world.archive, bodies)}
    return tuple(one for name, one in told.items() if name not in {POISON, BROKEN})


@dataclass(frozen=True, slots=True)
class Calm:
    """What is there in the end when nothing fails."""

    stories: Mapping[str, Story]
    silences: set[Any]
    feedback: set[str]
    answers: set[str]


@cache
def _undisturbed(scene: Scene) -> Calm:
    """How a scene ends when nothing fails."""
    world = simulated(World(variant=Variant(scene=scene)))
    return Calm(
        _bare(world.left),
        {one.matchers for one in world.left.all_silences()},
        set(world.archive.keys("feedback/")),
        _answers(world),
    )


def _answers(world: World) -> set[str]:
    """What was answered, by how it begins: the trace of a story, or the silence that was added."""
    return {told.text[:5] if told.text.startswith("story") else "silence" for _, told in world.responses.answered}


def _bare(left: MemoryTable) -> dict[str, Story]:
    """The stories without what may differ: versions count writes, `alerted` and `told` are history, deeds are done again later."""
    return {
        story.id: replace(
            story,
            version=0,
            alerted=(),
            begun_by="",
            told=(),
            actions=tuple(replace(one, at="", until="") for one in story.actions),
        )
        for story in left.stories.values()
    }


def _texts(world: World) -> dict[str, str]:
    """What the roots show."""
    return {
        one.alert: one.message.text for one in world.slack.standing if one.message.metadata["reason"] == "first_report"
    }
