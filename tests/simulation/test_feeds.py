"""Whatever call fails while feeds are asked, every entry is sent on; with the cursor written first one would be lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from typing import Any

from tests.listening import Listening, entry
from tests.simulation.faults import READ, WRITE, Fault
from tests.simulation.world import Port
from tests.system import brought
from tests.twins import Crash
from tocsin.adapters.feed import parse
from tocsin.pipeline.poll import Asked, Poll, Poller, asked_for, send_due

MODES = {
    "feeds.due": READ,
    "feeds.round": READ,
    "feeds.read": READ,
    "web.get": READ,
    "feeds.asked": WRITE,
    "feeds.sent": WRITE,
    "feeds.wait": WRITE,
    "feeds.recall": READ,
    "feeds.put_aside": WRITE,
    "feeds.save": WRITE,
    "feeds.reschedule": WRITE,
    "archive.write": WRITE,
    "queue.send": WRITE,
}
ENTRIES = [entry(f"n{number}") for number in range(18)]
MINUTES = 22
parsed = cache(parse)


class CursorFirst(Poller):
    """Writes how far it has read before it sends what it read."""

    def _sent(self, polls: Sequence[Poll], now: datetime) -> set[str]:
        for poll in polls:
            self._settle(poll, now)
        return super()._sent(polls, now)


@dataclass
class Reading:
    """A feed that is asked every few minutes, one of whose calls is spoilt."""

    fault: Fault | None = None
    poller: Callable[..., Poller] = Poller
    kinds: list[str] = field(default_factory=list)
    desk: Listening = field(default_factory=Listening)
    left: list[str] = field(default_factory=list)
    """Feeds that were sent off and not asked yet."""

    def run(self) -> set[str]:
        """Two entries, and later many more; answers the ids that were sent on, each perhaps more than once."""
        self.desk.add()
        for minute in range(MINUTES):
            if minute in {0, MINUTES // 3}:
                self.desk.publish(*ENTRIES[: 2 if minute == 0 else None])
            self.desk.world.clock.move(minutes=1)
            with suppress(Crash, OSError):
                send_due(self.port("feeds"), self.port("feed_queue"), self.desk.world.clock())
            self.left += [feed for body in self.desk.feed_queue.bodies for feed in asked_for(body)]
            self.desk.feed_queue.bodies.clear()
            with suppress(Crash, OSError):
                self.left = self.ask(self.left)
        return {article.id for article in brought(self.desk.world.archive, self.desk.queue.bodies)}

    def ask(self, feeds: Sequence[str]) -> list[str]:
        """The function is called; answers what comes again."""
        ports = [self.port("queue"), self.port("pages"), self.port("feed_queue"), self.desk.world.clock]
        poller = self.poller(self.port("feeds"), self.port("web"), parsed, self.port("archive"), *ports)
        return poller.poll([Asked(feed, feed) for feed in feeds]) if feeds else []

    def port(self, name: str) -> Any:
        """A neighbour whose calls are counted."""
        target = self.desk.world.archive if name == "archive" else getattr(self.desk, name)
        return Port(self.call, target, "queue" if name.endswith("queue") else name)

    def call(self, kind: str, act: partial[Any]) -> Any:
        """One call, spoilt when it is the one."""
        self.kinds.append(kind)
        mode = self.fault.mode if self.fault and self.fault.at == len(self.kinds) else ""
        if mode.endswith("after") or mode == "twice":
            act()
        if mode.startswith("crash"):
            raise Crash
        if mode.startswith("error"):
            raise OSError(kind)
        return act()


def faults() -> list[Fault]:
    """Every single fault of a run, of those that matter to one reader alone."""
    reading = Reading()
    assert len(reading.run()) == len(ENTRIES)
    return [Fault(at, mode) for at, kind in enumerate(reading.kinds, 1) for mode in MODES[kind] if mode != "pause"]


def test_no_single_fault_loses_an_entry() -> None:
    """Whichever call fails, crashes or is made twice, every entry is sent on, and nothing else."""
    whole = Reading().run()
    for fault in faults():
        assert Reading(fault).run() == whole, fault


def test_a_cursor_that_is_written_first_is_caught() -> None:
    """A poller that writes its cursor before its articles are accepted loses an entry under some single fault."""
    whole = Reading().run()
    assert any(Reading(fault, CursorFirst).run() != whole for fault in faults())
