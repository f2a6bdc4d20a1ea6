"""What happens in a run: which files are dropped when, where alerts go, and what people do in Slack."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from tests.system import seeds
from tests.twins import CHANNEL
from tocsin.routes import Matcher, Route, Routes, everything_to

POISON, SILENT, BROKEN, LATE, LATER = "poison", "silent", "broken", "late", "later"
WATCH = "C0WATCH"
LATEST = "2025-01-25T12:00:00+00:00"


@dataclass(frozen=True, slots=True)
class Drop:
    """A file as a user drops it."""

    key: str
    body: bytes
    metadata: tuple[tuple[str, str], ...] = ()
    articles: tuple[str, ...] = ()
    """The ids of what it holds: by its own name, unless it says others."""

    def __post_init__(self) -> None:
        if not self.articles:
            object.__setattr__(self, "articles", (self.key.rpartition("/")[2].removesuffix(".txt"),))


@dataclass(frozen=True, slots=True)
class Deed:
    """Something a person does in Slack, and does again until it is taken."""

    at: float
    """Seconds after the start."""
    person: str
    does: str
    """A button of the message, or the slash command as it is typed."""
    story: str = ""
    """On the first report of the story whose id begins like this."""


@dataclass(frozen=True)
class Scene:
    """What is dropped, said and done."""

    name: str = "seeds"
    waves: tuple[tuple[str, ...], ...] = (("000", SILENT, BROKEN), ("003", "001", POISON), ("002", "004"))
    """What is dropped into the inbox at once, and half a minute later, and half a minute after that."""
    routes: Routes = field(default_factory=lambda: everything_to(CHANNEL), hash=False)
    deeds: tuple[Deed, ...] = ()
    alerts: int = 5
    """How many are raised; one fewer when the dispatch is decided on before every report of its preparation."""
    together: bool = False
    """Whether what is dropped at once stands in one file, so that one message brings many articles."""


GOES_ON = Route("watch", (Matcher("rule", "=", ("additional-deployment",)),), goes_on=True)
SEEDS = Scene()
CHANNELS = Scene(
    "channels",
    (("001",), ("002",)),
    Routes({"desk": (CHANNEL,), "watch": (WATCH,)}, Route("desk", (), (GOES_ON, Route("desk")))),
    alerts=4,
)
"""The deployment is told to the watch and to the desk, everything else to the desk alone."""
DESK = Scene(
    "desk",
    (("001",), ("003",)),
    deeds=(
        Deed(68, "ana", "acknowledge", "additional-deployment"),
        Deed(70, "ben", "silence", "launch-preparation/north-korea/icbm"),
        Deed(70, "cleo", "irrelevant", "additional-deployment"),
        Deed(71, "dan", "why", "additional-deployment"),
        Deed(72, "dan", "silence add 7d rule=budget-increase who=poland the parade"),
    ),
    alerts=3,
)
"""While a second outlet tells the story, people press its buttons, and one types the slash command."""
QUIET = tuple(f"{SILENT}{number}" for number in range(6))
BATCH = Scene("batch", ((POISON, "000", "003", "001", "002", "004", *QUIET), (LATE, LATER)), together=True)
"""All of it comes in one message, the poison first; and later two articles that only add to a story."""
SCENES = {scene.name: scene for scene in (SEEDS, CHANNELS, DESK, BATCH)}


@cache
def drops(scene: Scene = SEEDS) -> tuple[tuple[Drop, ...], ...]:
    """The files of a scene: seeds, an article without a signal, a file that is no text, and one that no detector survives."""
    told: dict[str, Drop] = {}
    for entry in seeds():
        article, name = entry.article, entry.name.rpartition("/")[2]
        assert article is not None
        assert entry.body is not None
        published = article.published.isoformat() if article.published else ""
        known = (("title", article.title), ("source", article.source), ("url", article.url), ("published", published))
        told[name[:3]] = Drop(f"inbox/{name}", entry.body, known)
    told[SILENT] = Drop(f"inbox/{SILENT}.txt", b"Two ministers opened a museum on Friday.")
    told[BROKEN] = Drop(f"inbox/{BROKEN}.txt", b"\x00\x01\x02")
    told[POISON] = Drop(f"inbox/{POISON}.txt", b"Two ministers closed a museum on Friday.")
    late = b"North Korea is preparing to send more troops to Russia, officials said on Friday."
    for name in (LATE, LATER):
        says = (("title", f"Troops, {name}"), ("source", f"The {name} outlet"), ("published", LATEST))
        told[name] = Drop(f"inbox/{name}.txt", late, says)
    told |= {name: Drop(f"inbox/{name}.txt", f"Two ministers opened {name} on Friday.".encode()) for name in QUIET}
    waves = (tuple(told[name] for name in wave) for wave in scene.waves)
    return tuple((_one_file(wave),) if scene.together else wave for wave in waves)


def _one_file(some: Sequence[Drop]) -> Drop:
    """What some files tell, in one."""
    rows = [{"id": one.articles[0], "text": one.body.decode(), **dict(one.metadata)} for one in some]
    told = "\n".join(json.dumps({name: value for name, value in row.items() if value}) for row in rows)
    return Drop(f"inbox/{some[0].articles[0]}.jsonl", told.encode(), articles=tuple(row["id"] for row in rows))
