"""What holds for every core test: hypothesis does not time its examples, for other work may slow the machine; a small set of rules."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from tests import marching

settings.register_profile("tocsin", deadline=None)
settings.load_profile("tocsin")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A set of one rule without a fault."""
    return marching.write(tmp_path)
