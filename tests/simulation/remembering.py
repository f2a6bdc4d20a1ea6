"""Pure functions that are asked the same few things thousands of times remember what they answered."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any
from unittest import mock

from tocsin import decide, message, silencing
from tocsin.article import Article
from tocsin.pipeline import deciding
from tocsin.policy import Policy
from tocsin.signal import Signal
from tocsin.silence import Silence
from tocsin.story import Report


@contextmanager
def remembering() -> Iterator[None]:
    """What is decided, rendered, compressed and read of an article is worked out once for the same values."""
    with ExitStack() as stack:
        for owner, name, instead in (
            (Report, "of", cache(Report.of)),
            (Article, "content", property(cache(vars(Article)["content"].fget))),
            (message, "root", _remembered(message.root, lambda story, policy: (story, policy.version))),
            (message, "reply", _remembered(message.reply, lambda *given: (*given[:-1], given[-1].version))),
            (silencing, "matcher", _remembered(silencing.matcher, lambda text, rules: (text, rules.version))),
            (deciding, "decide", _remembered(decide.decide, _asked)),
            (gzip, "compress", cache(gzip.compress)),
        ):
            stack.enter_context(mock.patch.object(owner, name, instead))
        yield


def _remembered(function: Callable[..., Any], key: Callable[..., Any]) -> Callable[..., Any]:
    """A pure function that remembers its results by what `key` makes of its arguments."""
    known: dict[Any, Any] = {}

    def remembered(*given: Any, **named: Any) -> Any:
        asked = key(*given), tuple(named.items())
        if asked not in known:
            known[asked] = function(*given, **named)
        return known[asked]

    return remembered


def _asked(
    signal: Signal, report: Report, policy: Policy, known: Any, silences: Sequence[Silence], now: Any, max_age: Any
) -> Any:
    """What a decision depends on; the hour matters only when there is a silence, which begins and ends."""
    assert max_age is None
    return signal, report, policy.version, tuple(known), (tuple(silences), now) if silences else None
