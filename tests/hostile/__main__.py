"""`make hostile`: everything hostile, one part after another, and one line of counts at the end. Exit code 1 when anything fails.

    python -m tests.hostile [PART…]      # all parts, or some: feeds mutated upstream yaml_suite servers ssrf polling

Each part is a module here whose `run()` returns counts, and runs in a process of its own. A part that is not there, or cannot do its
work, says so and counts as a failure.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
Counts = Mapping[str, float]
PARTS: dict[str, tuple[str, Callable[[Counts], bool]]] = {
    "feeds": ("hostile feeds", lambda counts: counts["feeds"] >= 140 and not counts["wrong"]),
    "mutated": ("mutated feeds", lambda counts: not counts["uncaught"]),
    "upstream": (
        "feedparser's own files",
        lambda counts: not any(counts[what] for what in ("uncaught", "lost", "added", "missed")),
    ),
    "yaml_suite": (
        "the YAML test suite's failing cases",
        lambda counts: counts["refused"] == counts["failing"] >= 84 and not counts["uncaught"],
    ),
    "servers": (
        "hostile servers",
        lambda counts: (
            counts["typed"] == counts["servers"] >= 13
            and counts["slowest_seconds"] <= 15
            and counts["largest_megabytes"] <= 20
        ),
    ),
    "ssrf": (
        "ways inside",
        lambda counts: (
            counts["refused"] == counts["payloads"] >= 250 and not counts["connections"] and not counts["files"]
        ),
    ),
    "polling": ("identity and polling", lambda counts: not counts["extra alerts"]),
}
"""By module: what it is called, and whether its counts are those promised."""
_CALL = "import json; from tests.hostile.{0} import run; counts = run(); print(); print(json.dumps(counts))"


def part(name: str) -> tuple[bool, str]:
    """Runs one part: whether all is right, and what to say of it in the last line."""
    title, right = PARTS[name]
    print(f"== {title}", flush=True)  # noqa: T201
    if importlib.util.find_spec(f"tests.hostile.{name}") is None:
        print(f"tests/hostile/{name}.py is missing")  # noqa: T201
        return False, f"{title}: missing"
    ran = subprocess.run(
        [sys.executable, "-c", _CALL.format(name)], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
    )
    told, _, last = ran.stdout.rstrip().rpartition("\n")
    if ran.returncode:
        print(ran.stdout, end="")  # noqa: T201
        return False, f"{title}: failed"
    if told.strip():
        print(told.rstrip())  # noqa: T201
    counts = json.loads(last)
    fine = right(counts)
    figures = ", ".join(f"{count:g} {what.replace('_', ' ')}" for what, count in counts.items())
    print(f"{'ok' if fine else 'FAILED'}: {figures}", flush=True)  # noqa: T201
    return fine, f"{title}: {figures}" + ("" if fine else " (FAILED)")


def main(names: list[str]) -> int:
    """Runs the parts."""
    if unknown := set(names) - set(PARTS):
        print(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}", file=sys.stderr)  # noqa: T201
        return 3
    results = [part(name) for name in names or PARTS]
    print("hostile: " + "; ".join(told for _, told in results))  # noqa: T201
    return 0 if all(fine for fine, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
