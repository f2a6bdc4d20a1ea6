"""Other systems to simulate: mutants of this one, each without one thing it needs, and the ways others deliver."""

from __future__ import annotations

from tests.simulation.world import Variant

MUTANTS: tuple[Variant, ...] = ()
BASELINES: tuple[Variant, ...] = ()
