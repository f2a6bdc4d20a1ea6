"""`manifest.yaml` beside a folder of articles: what is known of each beyond its text, and what must and must not come out of it.

`tocsin.reading` takes title, source, address and day of it, whatever else stands there; tests and the measurements of `bench/` read the rest.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from tocsin.rule import Named, Slug
from tocsin.signal import Certainty, Stage


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class WantedSignal(_Part):
    """A signal that an article holds."""

    rule: Slug = Field(description="The rule")
    who: Named | None = Field(default=None, description="Who acts")
    where: Named | None = Field(default=None, description="The theatre")
    what: Slug | None = Field(default=None, description="The materiel")
    stage: Stage = Field(description="How far it has come")
    certainty: Certainty = Field(description="How sure whoever says it is")
    flags: list[Slug] = Field(default=[], description="The flags it carries")


class Firing(_Part):
    """A sentence in which a rule must fire, or may."""

    rule: Slug = Field(description="The rule")
    what: Slug | None = Field(default=None, description="The materiel that must be found")
    stage: Stage | None = Field(default=None, description="The stage that must be found")
    text: str = Field(description="The sentence, word for word")


class Trap(_Part):
    """A sentence in which no rule may fire."""

    why: str = Field(description="What it is instead")
    text: str = Field(description="The sentence, word for word")


class Described(_Part):
    """One article of the folder."""

    file: str = Field(min_length=1, description="The file, as it is called in the folder")
    title: str = Field(default="", description="Its headline")
    source: str = Field(default="", description="The outlet that printed it")
    url: str = Field(default="", description="Where it stands")
    published: str = Field(default="", description="When it was published: 2025-01-24, or with a time")
    dated: str = Field(default="", description="How that day is known")
    named: str = Field(default="", description="How outlet and headline are known")
    signals: list[WantedSignal] = Field(default=[], description="The signals it holds")
    must_fire: list[Firing] = Field(default=[], description="Sentences in which a rule must fire")
    may_fire: list[Firing] = Field(default=[], description="Sentences in which a rule may fire: both can be defended")
    must_not_fire: list[Trap] = Field(default=[], description="Sentences in which no rule may fire")


class WantedAlert(_Part):
    """An alert that must come of all the articles together."""

    rule: Slug = Field(description="The rule")
    who: Named | None = Field(default=None, description="Who acts")
    where: Named | None = Field(default=None, description="The theatre")
    what: Slug | None = Field(default=None, description="The materiel")
    stage: Stage = Field(description="The stage it tells")
    flags: list[Slug] = Field(default=[], description="The flags it carries")
    articles: list[str] = Field(min_length=1, description="The articles that tell it, by how their files begin")
    reason: Slug = Field(description="Why it rings: first_report, stage_up …")
    of: str = Field(default="", description="The alert whose story it goes on with: A1 for the first of the list")


class ManifestFile(_Part):
    """What is known of a folder of articles."""

    articles: list[Described] = Field(description="The articles")
    alerts: list[WantedAlert] = Field(default=[], description="The alerts that must come of them, and no other")
