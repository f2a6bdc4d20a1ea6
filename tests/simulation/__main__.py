"""Runs schedules of faults through the system, and exits with 1 when one of them loses, repeats or leaves something.

python -m tests.simulation                          every single fault
python -m tests.simulation --pairs --random 100000  every pair, and as many schedules of three and more
python -m tests.simulation --scene seeds --schedule '34:late 57:crash-after delay=20'
python -m tests.simulation --baselines              the same faults for other ways to deliver
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from importlib.util import find_spec

from tests.simulation.faults import Schedule, argument
from tests.simulation.scenes import SCENES
from tests.simulation.search import Progress, Tally, Unit, at_random, every_pair, every_single, searched
from tests.simulation.variants import BASELINES, MUTANTS
from tests.simulation.verdict import judged
from tests.simulation.world import Variant, World, deployed

NEEDS = "because {} is not installed: .venv/bin/pip install aws-lambda-powertools"
DEPLOYED = Variant().name
VARIANTS = {DEPLOYED: Variant()} | {variant.name: variant for variant in (*BASELINES, *MUTANTS)}


def main() -> int:
    """The command line."""
    options = _options()
    variant = VARIANTS[options.variant]
    if options.scene:
        variant = replace(variant, scene=SCENES[options.scene])
    if variant.library and not find_spec(variant.library):
        print(f"{variant.name} cannot be run, {NEEDS.format(variant.library)}", file=sys.stderr)
        return 3
    if options.schedule is not None:
        return _told(options.schedule, variant)
    if options.baselines:
        return _compared(options)
    scenes = (
        [variant] if options.scene or options.variant != DEPLOYED else [Variant(scene=one) for one in SCENES.values()]
    )
    tally = _searched(
        [unit for place, one in enumerate(scenes) for unit in _units(options, one, place, len(scenes))], options
    )
    print(*tally.told(), sep="\n")
    return 0 if tally.holds else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m tests.simulation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--schedule", type=argument, help="one schedule, told call by call")
    parser.add_argument("--pairs", action="store_true", help="every pair of faults")
    parser.add_argument(
        "--random",
        type=int,
        default=0,
        metavar="N",
        help="so many schedules of three and more faults, an equal share for each scene",
    )
    parser.add_argument("--seed", type=int, default=1, help="what the random schedules are drawn from")
    parser.add_argument(
        "--variant", choices=VARIANTS, default=DEPLOYED, help="another way to deliver, or a mutant of this one"
    )
    parser.add_argument("--scene", choices=SCENES, help="only what happens in this one of the scenes")
    parser.add_argument(
        "--baselines", action="store_true", help="every single fault for the other ways to deliver, as a table"
    )
    parser.add_argument("--cores", type=int, help="processes at work; every core when nothing is said")
    return parser.parse_args()


def _units(options: argparse.Namespace, variant: Variant, place: int = 0, scenes: int = 1) -> list[Unit]:
    """What is tried in the scene at a place of so many: its share of the random schedules, and what else is asked for."""
    with deployed():
        units = every_pair(variant) if options.pairs else []
        share = options.random * (place + 1) // scenes - options.random * place // scenes if options.random else 0
        units += at_random(variant, share, options.seed) if share else []
        return units if options.pairs or options.random else every_single(variant)


def _searched(units: list[Unit], options: argparse.Namespace) -> Tally:
    return searched(units, Progress(), options.cores)


def _told(schedule: Schedule, variant: Variant) -> int:
    """One schedule, told call by call."""
    with deployed():
        verdict = judged(World(schedule, variant, told=print), replays=False)
    print(verdict)
    tally = Tally()
    tally.add(verdict)
    print(tally)
    return 0 if tally.holds else 1


def _compared(options: argparse.Namespace) -> int:
    """Every single fault for each way to deliver."""
    print(f"{'':24}{'schedules':>10}{'lost':>8}{'duplicates':>12}{'stuck':>8}")
    for variant in (*BASELINES, Variant()):
        if variant.library and not find_spec(variant.library):
            print(f"{variant.name:24}  not run, {NEEDS.format(variant.library)}", flush=True)
            continue
        tally = _searched(_units(options, variant), options)
        print(f"{variant.name:24}{tally.schedules:10}{tally.lost:8}{tally.duplicates:12}{tally.stuck:8}", flush=True)
    return 0


if __name__ == "__main__":
    began = time.monotonic()
    code = main()
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    sys.exit(code)
