"""All that is measured, one after the other, in one process tree: the engine, the replay, the peers, cold starts.

make bench                    everything; adds to bench/results.json
make bench ARGS=--quick       small; writes nothing
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from bench.engine import ROOT, say

PARTS = ("engine", "replay", "peers", "cold")


def main() -> None:
    """Runs the parts. One that fails is told of at the end and stops no other."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="measure little, write nothing")
    parser.add_argument("--only", choices=PARTS, action="append", help="one part; may be given again")
    options = parser.parse_args()
    failed = []
    for part in options.only or PARTS:
        say(f"── {part}")
        print(f"\n── {part}\n", flush=True)
        given = ["--quick"] if options.quick else []
        if subprocess.run([sys.executable, "-m", f"bench.{part}", *given], cwd=ROOT, check=False).returncode:
            failed.append(part)
    if failed:
        sys.exit(f"could not be measured: {', '.join(failed)}; the reasons stand above")


if __name__ == "__main__":
    main()
