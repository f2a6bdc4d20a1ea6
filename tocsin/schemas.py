"""JSON Schema of every kind of YAML file, made of the models: for editors, which complete fields and names and mark what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tocsin.kinds import KINDS, Kind
from tocsin.rule import SLUG, Cue
from tocsin.rules import Loaded

DIALECT = "http://json-schema.org/draft-07/schema#"
"""What editors know best."""
HEADER = "# yaml-language-server: $schema="
"""How a file begins that names its schema."""
Names = Mapping[str, list[str]]
"""What is named → the names there are."""
NONE: Names = {"lists": [], "cues": [], "slugs": []}


def names_of(loaded: Loaded) -> Names:
    """The names an editor can offer: lists that every rule may use, cues, and the slugs of names."""
    shared = [name for name, (words, _, _) in loaded.declared.items() if "." not in name and not isinstance(words, Cue)]
    named = [name for name in loaded.draft.lists if name not in loaded.declared and not name.startswith('"')]
    cues = [name for name, (words, _, _) in loaded.declared.items() if isinstance(words, Cue)]
    return {"lists": sorted([*shared, *named]), "cues": sorted(cues), "slugs": sorted(loaded.draft.printed)}


def schema(kind: Kind, names: Names = NONE) -> dict[str, Any]:
    """The schema of one kind of file. Names that are offered are no bounds: a rule has lists of its own."""
    made = _named(kind.model.model_json_schema(by_alias=True))
    used = sorted(_used(made))
    definitions = made.pop("$defs", {}) | {f"x-{what}": _offered(names.get(what, [])) for what in used}
    return {
        "$schema": DIALECT,
        "$id": f"{kind.name}.json",
        **made,
        **({"definitions": definitions} if definitions else {}),
    }


def written(kind: Kind, names: Names = NONE) -> str:
    """The schema as a file."""
    return json.dumps(schema(kind, names), ensure_ascii=False, indent=1) + "\n"


def everything(names: Names = NONE) -> dict[str, str]:
    """Name of each file → what stands in it."""
    return {f"{kind.name}.json": written(kind, names) for kind in KINDS.values()}


def _offered(names: Iterable[str]) -> dict[str, Any]:
    known = list(names)
    free = {"type": "string", "pattern": SLUG}
    return {"anyOf": [{"enum": known}, free]} if known else free


def _named(part: Any) -> Any:  # noqa: ANN401 - any part of a schema
    """A part of a schema in the words of the dialect, with what is named as a reference, and without titles that repeat the field."""
    if isinstance(part, list):
        return [_named(one) for one in part]
    if not isinstance(part, dict):
        return part.replace("#/$defs/", "#/definitions/") if isinstance(part, str) else part
    if what := part.get("x-names"):
        rest = {key: value for key, value in part.items() if key in {"description", "default"}}
        return {"allOf": [{"$ref": f"#/definitions/x-{what}"}], **rest} if rest else {"$ref": f"#/definitions/x-{what}"}
    return {key: _named(value) for key, value in part.items() if not (key == "title" and isinstance(value, str))}


def _used(part: Any) -> set[str]:  # noqa: ANN401 - any part of a schema
    """What is named anywhere in a schema."""
    if isinstance(part, list):
        return {name for one in part for name in _used(one)}
    if not isinstance(part, dict):
        return set()
    own = (
        {str(part["$ref"]).removeprefix("#/definitions/x-")}
        if str(part.get("$ref", "")).startswith("#/definitions/x-")
        else set()
    )
    return own | {name for value in part.values() for name in _used(value)}
