"""Takes the picture of an alert for README.md, from the page of a replay of the seeds: python docs/picture.py (needs Chromium, and an emoji font)."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
WIDTH = 792
"""Pixels of the window, at which an alert is as wide as Slack shows it."""

ALONE = """
(() => {
  const alert = document.querySelector('.channel li:has(.thread)');
  for (const other of alert.parentElement.children) other.hidden = other !== alert;
  Object.assign(alert.style, {border: '1px solid var(--line)', borderRadius: '8px', margin: '16px'});
  const {x, y, width, height} = alert.getBoundingClientRect();
  return {x: Math.floor(x) - 8, y: Math.floor(y) - 8, width: Math.ceil(width) + 17, height: Math.ceil(height) + 17};
})()
"""
"""Leaves the alert with a reply alone, with a border on every side; where it is then, with some room around it, in whole pixels."""


def main() -> None:
    """Writes docs/pictures/alert.webp, of the thread with a reply in out/replay.html."""
    sys.path.insert(0, str(ROOT))
    from tests.browser import browser

    with tempfile.TemporaryDirectory() as profile, browser(Path(profile)) as tab:
        tab.resize(WIDTH, 900)
        tab.open((ROOT / "out" / "replay.html").as_uri())
        clip = tab.look(ALONE)
        tab.picture(ROOT / "docs" / "pictures" / "alert.webp", clip)


if __name__ == "__main__":
    main()
