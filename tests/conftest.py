"""What holds for every test: none can reach an account of the person who runs it. And a small set of rules for those who want one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import marching


@pytest.fixture(scope="session", autouse=True)
def no_account() -> Iterator[None]:
    """Hides the settings through which boto3, Slack or a proxy would lead out of this machine."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("AWS_", "TOCSIN_SLACK_")) or name.lower().endswith("_proxy"):
                patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A set of one rule without a fault."""
    return marching.write(tmp_path)
