"""What story, decision and message need to know of a rule, apart from how it recognises its signal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Policy:
    """A rule as the decision sees it. `version` is a hash of everything that decides what the rule finds."""

    name: str
    title: str
    version: str
    status: str
    level: tuple[tuple[str, str], ...]
    same: tuple[str, ...]
    quiet_for: timedelta
    update_on: tuple[str, ...]
    runbook: str
    tolerance: float = 0.5
    """Share by which a figure must differ from what was told to be a change."""
    again_after: timedelta = timedelta.max
    """After this much quiet only a higher stage still belongs to the story; the same one again is a new development."""
    kinds: tuple[tuple[str, ...], ...] = ()
    """Materiel that makes one story, the closer word first."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Slug → printed name, of actors, places and materiel."""

    @property
    def posted(self) -> bool:
        """Whether the rule's alerts are posted; a rule on trial is recorded only."""
        return self.status in {"stable", "deprecated"}

    @property
    def near(self) -> timedelta:
        """How far two reports of one stage may stand apart in one story."""
        return min(self.again_after, self.quiet_for)

    def kin(self, slot: str, value: str | None) -> tuple[str, ...]:
        """The materiel that is one thing with a slot's value; nothing where it stands for itself."""
        return next((kinds for kinds in self.kinds if value in kinds), ()) if slot == "what" else ()

    def one_of(self, slot: str, value: str | None) -> str | None:
        """A slot's value as it identifies a story: of materiel that is one, the first."""
        kin = self.kin(slot, value)
        return kin[0] if kin else value

    def level_of(self, stage: str) -> str:
        """The level of an alert at this stage."""
        return dict(self.level).get(stage, "medium")

    def printed(self, slug: str | None) -> str:
        """How a slot's value is printed."""
        if not slug:
            return ""
        return self.names.get(slug) or slug.replace("-", " ").capitalize()
