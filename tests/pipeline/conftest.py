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


@pytest.fixture
def deployed(on_moto: System, monkeypatch: pytest.MonkeyPatch) -> System:
    """The system on moto, with a stack whose outputs name its table and bucket, as those of a deployed one do."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    on_moto.name_outputs()
    return on_moto
