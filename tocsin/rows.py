"""Frozen values as rows of JSON, and back: lists are tuples, and what JSON has no word for is an object with one key, its kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import timedelta
from typing import Any

Kinds = Mapping[str, Callable[[Any], Any]]
"""Kind → what makes a value of its row."""


def row(value: Any, *, known: Callable[[Any], Any] = lambda _: None) -> Any:
    """What JSON can hold of a value; `known` may have a shorter row for a part of it."""
    short = known(value)
    if short is not None:
        return short
    if is_dataclass(value) and not isinstance(value, type):
        return {type(value).__name__: [row(getattr(value, field.name), known=known) for field in fields(value)]}
    if isinstance(value, frozenset):
        return {"set": sorted(value, key=str) if any(isinstance(one, str) for one in value) else list(value)}
    if isinstance(value, timedelta):
        return {"time": [value.days, value.seconds, value.microseconds]}
    if isinstance(value, tuple):
        return [row(one, known=known) for one in value]
    return value


def value(row: Any, kinds: Kinds) -> Any:
    """The value of a row."""
    if isinstance(row, list):
        return tuple([value(one, kinds) for one in row])
    if isinstance(row, dict):
        ((kind, inner),) = row.items()
        return kinds[kind](inner)
    return row


def kinds(classes: Iterable[type], **others: Callable[[Any], Any]) -> Kinds:
    """The kinds of some dataclasses, of sets and of times, and of whatever else is given."""
    found: dict[str, Callable[[Any], Any]] = {"set": frozenset, "time": lambda parts: timedelta(*parts), **others}

    def of(made: type) -> Callable[[Any], Any]:
        return lambda rows: made(*[value(one, found) for one in rows])

    found |= {made.__name__: of(made) for made in classes}
    return found
