"""A real Chromium that a test drives as a person would: opens pages, types, looks. Over the browser's own pipe, without a port or a driver."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from select import select
from typing import Any

BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome", "chrome") if (found := shutil.which(name))),
    None,
)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--remote-debugging-pipe",
)  # fmt: skip
PATIENCE = 30.0
"""Seconds after which something that is waited for will not come."""
KEYS: Mapping[str, Mapping[str, Any]] = {
    "Tab": {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9},
    "Enter": {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"},
    "s": {"key": "s", "code": "KeyS", "windowsVirtualKeyCode": 83},
}
CONTROL = 2
_WIRE = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]]
for number, end in enumerate(ends, 3):
    os.dup2(end, number)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Begins the browser with the pipe where it looks for it: 3 and 4, which may be taken by the other end."""


class Tab:
    """One page in the browser."""

    def __init__(self, to: int, back: int) -> None:
        self._to, self._back = to, back
        self._number = 0
        self._rest = b""
        self.asked: list[str] = []
        """The addresses the page has asked for."""
        self.complaints: list[str] = []
        """What the console told of errors, and what the page's policy forbade."""
        self._session = ""
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self._call(f"{domain}.enable")

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        row = {"id": self._number, "method": method, "params": params}
        if self._session:
            row["sessionId"] = self._session
        os.write(self._to, json.dumps(row).encode() + b"\0")
        while True:
            told = self._read()
            if told.get("id") == self._number:
                if "error" in told:
                    raise AssertionError(f"{method}: {told['error']}")
                found: dict[str, Any] = told["result"]
                return found

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            assert select([self._back], [], [], PATIENCE)[0], "the browser says nothing"
            some = os.read(self._back, 1 << 16)
            assert some, "the browser has ended"
            self._rest += some
        line, _, self._rest = self._rest.partition(b"\0")
        told: dict[str, Any] = json.loads(line)
        params = told.get("params", {})
        if told.get("method") == "Network.requestWillBeSent":
            self.asked.append(params["request"]["url"])
        elif told.get("method") == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.complaints.append(params["entry"]["text"])
        elif told.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(params["exceptionDetails"]))
        return told

    def open(self, address: str) -> None:
        """Goes to an address and waits until the page is there."""
        self._call("Page.navigate", url=address)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def look(self, expression: str) -> Any:
        """What an expression of JavaScript is in the page."""
        found = self._call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, expression: str) -> None:
        """Waits until an expression holds."""
        ends = time.monotonic() + PATIENCE
        while not self.look(f"Boolean({expression})"):
            assert time.monotonic() < ends, f"never came true: {expression}"
            time.sleep(0.02)

    def type(self, text: str) -> None:
        """Writes where the cursor is."""
        self._call("Input.insertText", text=text)

    def press(self, key: str, modifiers: int = 0) -> None:
        """Presses a key and lets it go."""
        for kind in ("keyDown", "keyUp"):
            self._call("Input.dispatchKeyEvent", type=kind, modifiers=modifiers, **KEYS[key])

    def resize(self, width: int, height: int, scheme: str = "light") -> None:
        """Makes the window so wide and high, and asks for light or dark."""
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self._call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, path: Path, clip: Mapping[str, float] | None = None, scale: float = 1) -> None:
        """Keeps what is to be seen, as the name of the file says: of the window, or of a part of the page."""
        more: dict[str, Any] = {"clip": {**clip, "scale": scale}, "captureBeyondViewport": True} if clip else {}
        shot = self._call("Page.captureScreenshot", format=path.suffix.lstrip("."), **more)
        path.write_bytes(base64.b64decode(shot["data"]))


@contextmanager
def browser(profile: Path) -> Iterator[Tab]:
    """A browser of its own, with one page."""
    assert BROWSER
    (theirs, to), (back, ours) = os.pipe(), os.pipe()

    command = [str(theirs), str(ours), BROWSER, *FLAGS, f"--user-data-dir={profile}"]
    running = subprocess.Popen(
        [sys.executable, "-c", _WIRE, *command],
        pass_fds=(theirs, ours),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs)
    os.close(ours)
    try:
        yield Tab(to, back)
    finally:
        running.kill()
        running.wait()
        os.close(to)
        os.close(back)
