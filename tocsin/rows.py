"""Frozen dataclasses and named tuples as rows of JSON, and back: lists are tuples, and what JSON has no word for is an object with one key, its kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from datetime import timedelta
from typing import Any

_PLAIN = frozenset({str, int, float, bool, type(None)})
Kinds = Mapping[str, Callable[[Any], Any]]
"""Kind → what makes a value of its row."""


def row(value: Any, known: Mapping[type, Callable[[Any], Any]]) -> Any:
    """What JSON can hold of a value; of the types in `known`, what that makes of it."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if short := known.get(kind):
        return short(value)
    if kind in {tuple, list}:
        return [row(one, known) for one in value]
    if kind is frozenset:
        return {"set": sorted(value, key=str) if any(isinstance(one, str) for one in value) else list(value)}
    if kind is timedelta:
        return {"time": [value.days, value.seconds, value.microseconds]}
    return {kind.__name__: [row(getattr(value, name), known) for name in _names(kind)]}


_NAMES: dict[type, tuple[str, ...]] = {}


def _names(kind: Any) -> tuple[str, ...]:
    if kind not in _NAMES:
        _NAMES[kind] = getattr(kind, "_fields", None) or tuple(field.name for field in fields(kind))
    return _NAMES[kind]


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


def kinds(classes: Iterable[type], **others: Callable[[Any], Any]) -> Kinds:
    """The kinds of some dataclasses, of sets and of times, and of whatever else is given."""
    found: dict[str, Callable[[Any], Any]] = {"set": frozenset, "time": lambda parts: timedelta(*parts), **others}

    def of(made: type) -> Callable[[Any], Any]:
        return lambda row: made(*values(row, found))

    found |= {made.__name__: of(made) for made in classes}
    return found
