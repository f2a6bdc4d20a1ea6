"""What the pipeline tests share: a world on the twins, and the system on moto."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.system import System, World, system


@pytest.fixture
def world() -> World:
    """Detector and deliverer on the twins."""
    return World()


@pytest.fixture
def on_moto() -> Iterator[System]:
    """The system from `template.yaml` on moto."""
    with system() as running:
        yield running
