"""How a silence is asked for, in words or for a story, and how it is told."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from difflib import get_close_matches

from tocsin.compiled import RuleSet
from tocsin.errors import InputFault
from tocsin.signal import STAGES
from tocsin.silence import MATCHERS, UNNAMED, Silence
from tocsin.story import Story

_ONE = f"{', '.join(MATCHERS[:-1])} or {MATCHERS[-1]}"
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}
_PERIOD = re.compile(r"([0-9]{1,5})([hdw])")
SLOTS = ("who", "where", "what")
MAX_AUTHOR, MAX_COMMENT = 100, 300


def period(text: str) -> timedelta:
    """A length of time: 12h, 7d or 2w; `InputFault` for anything else."""
    found = _PERIOD.fullmatch(text)
    if not found or int(found[1]) == 0:
        raise InputFault(f"{text!r} is no length of time", mend="write a number and a unit: 12h, 7d or 2w")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def matcher(text: str, rules: RuleSet) -> tuple[str, str]:
    """A matcher that can match something: a mistyped one would silence nothing and say nothing. `InputFault` says what is."""
    name, sign, value = text.partition("=")
    if not sign or name not in MATCHERS:
        raise InputFault(f"{text!r} is no matcher", mend=f"write {_ONE}, =, and a value")
    policies = [rule.policy for rule in rules.rules]
    slugs = {slug for one in policies for slug in one.names} | {UNNAMED}
    known: set[str] = {"rule": {one.name for one in policies}, "stage": {*map(str, STAGES)}}.get(name, slugs)
    if value not in known:
        near = get_close_matches(value, known, 3)
        raise InputFault(f"no {name} is called {value!r}" + (f"; did you mean {' or '.join(near)}?" if near else ""))
    return name, value


def silence(  # noqa: PLR0913 - the parts of a silence
    matchers: Iterable[tuple[str, str]],
    begins: datetime,
    ends: datetime,
    author: str,
    comment: str,
    *,
    critical: bool = False,
) -> Silence:
    """A silence whose id tells the same request from another."""
    pairs = tuple(matchers)
    name = hashlib.sha256(repr((pairs, begins, ends, author, comment)).encode()).hexdigest()[:6]
    return Silence(name, pairs, begins, ends, author[:MAX_AUTHOR], comment[:MAX_COMMENT], critical)


def of_story(story: Story, same: Collection[str], begins: datetime, ends: datetime, author: str) -> tuple[Silence, ...]:
    """What holds back a story's alerts: silences of its rule and the slots that make its identity.

    There is one for each kind of materiel that is one thing here.
    """
    named = [slot for slot in SLOTS if slot in same or getattr(story, slot)]
    slots = [(slot, getattr(story, slot) or UNNAMED) for slot in named if slot != "what"]
    kinds = (story.kinds or (story.what or UNNAMED,)) if "what" in named else ("",)
    return tuple(
        Silence(
            hashlib.sha256(f"{story.id}\n{kind}".encode()).hexdigest()[:8],
            (("rule", story.rule), *slots, *([("what", kind)] if kind else [])),
            begins,
            ends,
            author[:MAX_AUTHOR],
            f"from the message of {story.name}"[:MAX_COMMENT],
        )
        for kind in kinds
    )


def told(silence: Silence) -> str:
    """A silence in one line."""
    what = " ".join(f"{name}={value}" for name, value in silence.matchers)
    critical = ", even critical" if silence.holds_critical else ""
    return f"{what}{critical} · {silence.begins:%Y-%m-%d %H:%M} to {silence.ends:%Y-%m-%d %H:%M} UTC · {silence.author}: {silence.comment}"


def state(silence: Silence, now: datetime) -> str:
    """Whether it is in force, was, or will be."""
    return "ended" if silence.ends <= now else "in force" if silence.begins <= now else "to come"
