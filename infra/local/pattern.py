"""The part of EventBridge's pattern language that event filters in `template.yaml` may use."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from tocsin.errors import SettingsFault

Test = Callable[[Any], bool]
Pattern = Callable[[Mapping[str, Any]], bool]

_ABSENT = object()


def read_filters(criteria: Mapping[str, Any]) -> Pattern:
    """Whether a record matches any of the patterns of a `FilterCriteria`; without patterns everything does.

    Knows nested keys, lists of exact values, `{"prefix": …}` and `{"exists": …}`; `SettingsFault` for anything else.
    """
    patterns = [_read_keys(json.loads(each["Pattern"]), at="") for each in criteria.get("Filters", [])]
    return lambda record: not patterns or any(pattern(record) for pattern in patterns)


def _read_keys(pattern: Mapping[str, Any], at: str) -> Test:
    tests = {key: _read(value, f"{at}.{key}") for key, value in pattern.items()}

    def matches(record: Any) -> bool:  # noqa: ANN401 - any value of JSON
        found = record if isinstance(record, Mapping) else {}
        return all(test(found.get(key, _ABSENT)) for key, test in tests.items())

    return matches


def _read(value: Any, at: str) -> Test:  # noqa: ANN401 - any value of JSON
    if at.rpartition(".")[2].startswith("$"):
        raise _unknown(at, value)
    if isinstance(value, Mapping):
        return _read_keys(value, at)
    if not isinstance(value, list) or not value:
        raise _unknown(at, value)
    tests = [_read_choice(choice, at) for choice in value]
    return lambda found: any(test(each) for test in tests for each in (found if isinstance(found, list) else [found]))


def _read_choice(choice: Any, at: str) -> Test:  # noqa: ANN401 - any value of JSON
    match choice:
        case {"prefix": str(prefix), **rest} if not rest:
            return lambda found: isinstance(found, str) and found.startswith(prefix)
        case {"exists": bool(wanted), **rest} if not rest:
            return lambda found: (found is not _ABSENT and not isinstance(found, Mapping)) is wanted
        case str() | int() | float() | None:
            return lambda found: type(found) is type(choice) and found == choice
    raise _unknown(at, choice)


def _unknown(at: str, value: object) -> SettingsFault:
    return SettingsFault(
        f"infra/local/pattern.py does not know {json.dumps(value)} at {at.lstrip('.')}; teach it, with a test"
    )
