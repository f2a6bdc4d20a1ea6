"""A long replay shared among cores: what may tell a story stays together, what holds no signal is spread."""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from tocsin.adapters.rulebook import rulebook
from tocsin.detection import detect
from tocsin.reading import Entry

FEW = 200
"""Inputs for which a second system is not worth its start."""

Share = list[int]
"""Places in the order of arrival."""
Made = TypeVar("Made")

_STARTED: list[Callable[[Any], Any]] = []


def _call(given: Any) -> Any:  # noqa: ANN401 - whatever the work takes and makes
    return _STARTED[-1](given)


def worth(inputs: int) -> int:
    """How many processes so many inputs are worth: all cores or one. Processes must begin as copies of this one."""
    forks = "fork" in multiprocessing.get_all_start_methods()
    return (os.cpu_count() or 1) if forks and inputs > FEW else 1


@contextmanager
def beside(work: Callable[[Any], Made], given: Sequence[Any]) -> Iterator[Callable[[], list[Made]]]:
    """Does some work in processes of its own, one for each thing given; what is yielded waits for what they made."""
    _STARTED.append(work)  # they begin as copies of this process, so the work need not be written down
    try:
        with multiprocessing.get_context("fork").Pool(max(1, len(given))) as pool:
            made = pool.map_async(_call, given, chunksize=1)
            yield made.get
    finally:
        _STARTED.pop()


def shares(order: Sequence[Entry], rules: Path, jobs: int) -> list[Share]:
    """A share for each core. The first holds every input that can be part of a story, or that another has to do with.

    An article without a signal meets another only by its id or its address; those that share one stay in the first share.
    """
    names = Counter(name for entry in order for name in _names(entry))
    signals = _fires(order, rules, jobs)
    must = [at for at, entry in enumerate(order) if signals[at] or any(names[name] > 1 for name in _names(entry))]
    free = sorted(set(range(len(order))) - set(must))
    mine = max(0, -(-len(order) // jobs) - len(must))
    return [sorted([*must, *free[:mine]]), *(free[mine + first :: jobs - 1] for first in range(jobs - 1))]


def _names(entry: Entry) -> set[str]:
    article = entry.article
    return {f"id {article.id}", *([f"at {article.address}"] if article.address else [])} if article else set()


def _fires(order: Sequence[Entry], rules: Path, jobs: int) -> list[bool]:
    """Of each input whether a signal is in it; what cannot be read counts as such."""
    rule_set = rulebook(rules).rule_set

    def look(chunk: Sequence[int]) -> list[bool]:
        return [article is None or bool(detect(rule_set, article)) for at in chunk for article in [order[at].article]]

    with beside(look, [range(first, len(order), jobs) for first in range(jobs)]) as made:
        found = dict(
            pair for first, some in enumerate(made()) for pair in zip(range(first, len(order), jobs), some, strict=True)
        )
    return [found[at] for at in range(len(order))]
