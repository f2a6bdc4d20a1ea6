"""What holds for every test: none reaches an account of the person who runs it, none shows Slack's token. And a small set of rules to break."""

from __future__ import annotations

import logging
import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests import marching

CANARY = "xoxb-"
"""How every token begins that a test has."""


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


class _Listener(logging.Handler):
    """Formats every record as a log would show it, traceback and all, and keeps those that show a token."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler.emit`."""
        if CANARY in (line := self.format(record)):
            self.shown.append(line)


_listener = _Listener()


@pytest.fixture(scope="session", autouse=True)
def listening() -> Iterator[None]:
    """Hears what is logged."""
    logging.getLogger().addHandler(_listener)
    yield
    logging.getLogger().removeHandler(_listener)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test during which a token was logged or printed fails."""
    report = yield
    shown = [*_listener.shown, *(text for name, text in report.sections if "Captured" in name and CANARY in text)]
    _listener.shown.clear()
    if shown and report.outcome == "passed":
        report.outcome = "failed"
        report.longrepr = "Slack's token was shown:\n" + "\n".join(shown)
    return report
