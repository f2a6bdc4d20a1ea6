"""Compares the ratios of a run with those that are kept: which became better or worse, and by how much.

python -m bench.compare                      bench/results.json against the one of the last commit
python -m bench.compare OLD NEW              two files
python -m bench.compare --format github      a warning of the workflow for each that became worse by more than a fifth
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("results.json")
BORNE = 0.20
"""By how much a ratio may become worse before somebody is told: machines differ, and runs do."""
GROWING = ("engine_over_",)
"""What the names of ratios begin with of which more is better."""


@dataclass(frozen=True)
class Change:
    """One ratio, before and after; None where it was not measured."""

    name: str
    before: float | None
    after: float | None

    @property
    def worse(self) -> float | None:
        """By which share it became worse; negative: better. None: there is nothing to compare."""
        if not self.before or not self.after:
            return None
        grown = self.after / self.before
        return (1 / grown if self.name.startswith(GROWING) else grown) - 1

    @property
    def warns(self) -> bool:
        """Whether it became worse than is borne."""
        return self.worse is not None and self.worse > BORNE

    def __str__(self) -> str:
        before, after = ("-" if one is None else f"{one:g}" for one in (self.before, self.after))
        told = (
            "not in both" if self.worse is None else f"{abs(self.worse):.0%} {'worse' if self.worse > 0 else 'better'}"
        )
        return f"{self.name:40} {before:>10} → {after:>10}   {told if self.worse else told if self.worse is None else 'the same'}"


def flat(ratios: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, float]]:
    """Ratios by their names; those inside others have names with points."""
    for name, value in ratios.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{above}{name}.")
        else:
            yield above + name, float(value)


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Every ratio of two results."""
    old, new = (dict(flat(one.get("ratios", {}))) for one in (before, after))
    return [Change(name, old.get(name), new.get(name)) for name in sorted({**old, **new})]


def committed() -> str:
    """The results as they were committed last."""
    command = ["git", "show", "HEAD:./results.json"]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=RESULTS.parent).stdout


def main() -> None:
    """Prints every ratio. It ends well whatever became worse: a machine that is busy fails no build."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="the old results and the new ones")
    parser.add_argument("--format", choices=["table", "github"], default="table")
    options = parser.parse_args()
    if len(options.files) not in {0, 2}:
        parser.error("name two files, the old one and the new one, or none")
    try:
        old, new = [one.read_text(encoding="utf-8") for one in options.files] or [
            committed(),
            RESULTS.read_text("utf-8"),
        ]
        found = changes(json.loads(old), json.loads(new))
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        sys.exit(f"there are no results to compare: {error}; `make bench` writes bench/results.json")
    for one in found:
        print(one)
    worse = [one for one in found if one.warns]
    for one in worse if options.format == "github" else ():
        print(f"::warning title=bench::{one.name} went from {one.before:g} to {one.after:g}, {one.worse:.0%} worse")
    print(f"{len(found)} ratios, {len(worse)} worse by more than {BORNE:.0%}")


if __name__ == "__main__":
    main()
