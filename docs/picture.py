"""Takes the picture of an alert for README.md, from the page of a replay of the seeds: python docs/picture.py (needs Chromium, and an emoji font)."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
WIDTH = 760
"""Pixels of the window, at which an alert is as wide as Slack shows it."""


def main() -> None:
    """Writes docs/pictures/alert.webp, of the thread with a reply in out/replay.html."""
    sys.path.insert(0, str(ROOT))
    from tests.browser import browser

    with tempfile.TemporaryDirectory() as profile, browser(Path(profile)) as tab:
        tab.resize(WIDTH, 900)
        tab.open((ROOT / "out" / "replay.html").as_uri())
        clip = tab.look(
            "(({x, y, width, height}) => ({x, y, width, height}))(document.querySelector('.channel li:has(.thread)').getBoundingClientRect())"
        )
        tab.picture(ROOT / "docs" / "pictures" / "alert.webp", clip)


if __name__ == "__main__":
    main()
