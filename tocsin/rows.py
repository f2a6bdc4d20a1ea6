"""Frozen dataclasses and named tuples as rows of JSON, and back: lists are tuples, and what JSON has no word for is an object with one key, its kind.

Numbers below zero count within something: where they stand in a tuple or a set, that is of a kind of its own, so that they can be made absolute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from datetime import timedelta
from typing import Any

_PLAIN = frozenset({str, int, float, bool, type(None)})
Kinds = Mapping[str, Callable[[Any], Any]]
"""Kind → what makes a value of its row."""


def absolute(number: int, first: int) -> int:
    """A number that counts within something from -1 on down, among all: `first`, and on. Others are."""
    return number if number >= 0 else first - 1 - number


def row(value: Any, known: Mapping[type, Callable[[Any], Any]]) -> Any:
    """What JSON can hold of a value; of the types in `known`, what that makes of it.

    What a named tuple has at its end by default is left out, for it has it again when it is made.
    """
    kind = type(value)
    if kind in _PLAIN:
        return value
    if short := known.get(kind):
        return short(value)
    if kind in {tuple, list}:
        told = _rows(value, known)
        return {"own": told} if any(type(one) is int and one < 0 for one in value) else told
    if kind is frozenset:
        told = sorted(value)
        return {"own set" if told and type(told[0]) is int and told[0] < 0 else "set": told}
    if kind is timedelta:
        return {"time": [value.days, value.seconds, value.microseconds]}
    parts = _told(value) if isinstance(value, tuple) else [getattr(value, one.name) for one in fields(value)]
    return {kind.__name__: _rows(parts, known)}


def _rows(values: Iterable[Any], known: Mapping[type, Callable[[Any], Any]]) -> list[Any]:
    return [one if type(one) in _PLAIN else row(one, known) for one in values]


def _told(value: Any) -> tuple[Any, ...]:
    """A named tuple without the defaults at its end."""
    defaults = _DEFAULTS.get(type(value))
    if defaults is None:
        defaults = _DEFAULTS[type(value)] = [*value._field_defaults.values()][::-1]
    end = len(value)
    for default in defaults:
        if value[end - 1] != default:
            break
        end -= 1
    found: tuple[Any, ...] = value[:end]
    return found


_DEFAULTS: dict[type, list[Any]] = {}
"""Kind → its defaults, the last first."""


def value(row: Any, kinds: Kinds) -> Any:
    """The value of a row."""
    if isinstance(row, list):
        return tuple(values(row, kinds))
    if isinstance(row, dict):
        ((kind, inner),) = row.items()
        return kinds[kind](inner)
    return row


def values(row: Iterable[Any], kinds: Kinds) -> list[Any]:
    """The values of some rows; most are plain, and not asked further."""
    return [one if type(one) in _PLAIN else value(one, kinds) for one in row]


def kinds(classes: Iterable[type], first: int = 0, **others: Callable[[Any], Any]) -> Kinds:
    """The kinds of some dataclasses, of sets and of times, and of whatever else is given. `first`: what -1 stands for; then -2 for the next."""

    def own(row: Iterable[Any]) -> tuple[Any, ...]:
        return tuple([absolute(one, first) if type(one) is int else value(one, found) for one in row])

    found: dict[str, Callable[[Any], Any]] = {
        "set": frozenset,
        "own": own,
        "own set": lambda row: frozenset([absolute(one, first) for one in row]),
        "time": lambda parts: timedelta(*parts),
        **others,
    }

    def of(made: type) -> Callable[[Any], Any]:
        return lambda row: made(*values(row, found))

    found |= {made.__name__: of(made) for made in classes}
    return found
