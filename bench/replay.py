"""How much longer the replay of the seeds takes than what nothing on moto can do without: importing it and making the stack.

Counted is processor time, of fresh interpreters, in turns.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from statistics import median

from bench.engine import ROOT, keep, machine, ran, ratio, say

FLOOR = """
import moto, boto3
from infra.local.stack import LocalStack
from infra.replay import TEMPLATE
with LocalStack(TEMPLATE, {"SlackChannel": "C0BENCH", "SlackTokenSecret": "bench"}):
    pass
"""
REPLAY = "import sys; from tocsin.cli import main; sys.exit(main())"
"""What `make replay` runs once everything is set up."""


def processor_seconds(command: list[str], given: str = "", **variables: str) -> float:
    """Seconds of processor time, user's and system's, of a process that reads something and ends well."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path, **variables}
    seconds, failed = ran(command, ROOT, environment, given)
    if failed:
        raise SystemExit(f"{' '.join(command)} failed:\n{failed}")
    return seconds


def main() -> None:
    """Measures, prints and adds to the results."""
    parser = argparse.ArgumentParser(prog="python -m bench.replay", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="turns of both")
    parser.add_argument("--quick", action="store_true", help="two turns; writes no file")
    options = parser.parse_args()
    took: dict[str, list[float]] = {"floor": [], "replay": []}
    with tempfile.TemporaryDirectory() as folder:
        replay = [sys.executable, "-c", REPLAY, "replay", "seeds", "--html", str(Path(folder, "replay.html"))]
        for number in range(2 if options.quick else options.rounds):
            say(f"turn {number + 1}")
            took["floor"].append(processor_seconds([sys.executable, "-c", FLOOR]))
            took["replay"].append(processor_seconds(replay))
    found = ratio(took["replay"], took["floor"])
    for name, seconds in took.items():
        print(f"{name:10} {median(seconds):6.2f} s of processor, {min(seconds):.2f} to {max(seconds):.2f}")
    each = [one / other for one, other in zip(took["replay"], took["floor"], strict=True)]
    print(f"replay over floor {found:.2f}, {min(each):.2f} to {max(each):.2f}")
    if not options.quick:
        about = machine() | {"floor_s": round(median(took["floor"]), 2), "rounds": len(each)}
        keep({"replay_over_floor": round(found, 2)}, replay=about)


if __name__ == "__main__":
    main()
