"""The kinds of YAML file there are: how each is told from the others, the model that describes it, and where such files lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, RootModel

from tocsin.expectations import Expected
from tocsin.feeds import FeedLine
from tocsin.manifest import ManifestFile
from tocsin.routefile import RoutesFile
from tocsin.rule import CuesFile, NamesFile, Rule, Slug, WordsFile


class FeedsFile(BaseModel):
    """A list of feeds."""

    model_config = ConfigDict(extra="forbid")

    feeds: list[FeedLine]


class ExpectationsFile(RootModel[dict[Slug, Expected]]):
    """What a backtest is expected to find, by the names of rules."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of file."""

    name: str
    model: type[BaseModel]


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("rule", Rule),
        Kind("words", WordsFile),
        Kind("names", NamesFile),
        Kind("cues", CuesFile),
        Kind("routes", RoutesFile),
        Kind("feeds", FeedsFile),
        Kind("expectations", ExpectationsFile),
        Kind("manifest", ManifestFile),
    )
}
"""All of them, by name."""
_SHARED = ("words", "names", "cues")
_TOLD_BY = {"route": "routes", "receivers": "routes", "articles": "manifest", "feeds": "feeds"}
"""A field that only one kind has → that kind."""


def kind_of(data: Any) -> Kind:  # noqa: ANN401 - whatever a YAML file holds
    """What kind of file holds this; a rule, where nothing says otherwise."""
    if not isinstance(data, dict):
        return KINDS["rule"]
    if data.get("kind") in _SHARED:
        return KINDS[data["kind"]]
    if told := next((name for key, name in _TOLD_BY.items() if key in data), None):
        return KINDS[told]
    bounds = Expected.model_fields.keys()
    if data and all(isinstance(row, dict) and row and row.keys() <= bounds for row in data.values()):
        return KINDS["expectations"]
    return KINDS["rule"]
