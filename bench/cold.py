"""How long functions take to start: from a fresh interpreter to the answer to their first event, out of what was built.

Counted is processor time, as a ratio to a fresh interpreter that makes one boto3 client for DynamoDB, in the same run. Every call of a
function is a first one here: each gets a process of its own, with the layers and the environment it would have, and moto for AWS.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from bench.engine import keep, machine, ran, say
from infra.local.function import Outcome
from infra.local.pump import Pump
from infra.local.stack import LocalStack
from tests.built import (
    Artefact,
    BuiltFunction,
    Ground,
    Unbuilt,
    build,
    call_the_others,
    fill_layer,
    ground,
    interpreter,
)
from tests.system import seeds
from tocsin.adapters.sqs import SqsQueue
from tocsin.article import Article

FLOOR = "import boto3; boto3.client('dynamodb')"
FIRST = (
    "import json, sys, importlib; module, event, answer = sys.argv[1:]; "
    "handler = importlib.import_module(module).handler; "
    "given = json.load(open(event)); told = handler(given, None); "
    "open(answer, 'w').write(json.dumps(told))"
)
"""What one process does: import, first event, answer."""
CALM = "The harvest was better than last year's, the growers' association said, and bread will cost what it did. " * 48
"""An article of five kilobytes without a signal."""


@dataclass
class Starts:
    """Processor seconds of each first call, by handler, and of the floor beside them."""

    seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def run(self, name: str, command: list[str], environment: dict[str, str], folder: Path) -> str:
        """Runs a process to its end, and notes how much processor time it took; its log, if it failed."""
        seconds, failed = ran(command, folder, environment)
        if not failed:
            self.seconds[name].append(seconds)
        return failed


class ColdFunction(BuiltFunction):
    """A function that starts anew for every event."""

    def __init__(self, stack: LocalStack, logical_id: str, artefact: Artefact, aws: str, starts: Starts) -> None:
        super().__init__(stack, logical_id, artefact, aws)
        self._starts = starts

    def invoke(self, event: object) -> Outcome:
        """One process for one event, and one for the floor."""
        module = self._properties["Handler"].rpartition(".")[0]
        environment, code, python = self._environment(), self._artefact.code(self.name), str(self._artefact.python)
        with tempfile.TemporaryDirectory() as folder:
            given, told = Path(folder, "event"), Path(folder, "answer")
            given.write_text(json.dumps(event), encoding="utf-8")
            name = module.removeprefix("handlers.")
            if name == "detect" and '\\"fresh\\": true' not in given.read_text(encoding="utf-8"):
                name = "detect with a signal"
            self._starts.run("floor", [python, "-c", FLOOR], environment, code)
            failed = self._starts.run(name, [python, "-c", FIRST, module, str(given), str(told)], environment, code)
            return Outcome(error=failed) if failed else Outcome(json.loads(told.read_text(encoding="utf-8")))


def built(folder: Path) -> Artefact:
    """The layers and functions, and the interpreter to run them. `Unbuilt` where that cannot be."""
    python = interpreter()
    build(folder)
    fill_layer(folder, "PageLayer", "pages")
    return Artefact(folder, python)


def measure(artefact: Artefact, rounds: int) -> dict[str, list[float]]:
    """Gives every function first events for some rounds; the processor seconds of each call."""
    starts = Starts()
    with ground(artefact) as on:
        pump = Pump(on.stack, lambda stack, name: ColdFunction(stack, name, artefact, on.aws, starts))
        for number in range(rounds):
            say(f"round {number + 1} of {rounds}")
            call_all(on, pump, number)
        failed = [call.error for call in pump.invocations if call.error]
        if failed:
            raise SystemExit(f"{len(failed)} calls failed, the first with:\n{failed[0]}")
    return starts.seconds


def call_all(on: Ground, pump: Pump, number: int) -> None:
    """An event for every function: an article with a signal on its way, one without, and what people and clocks do."""
    stack, seed = on.stack, seeds()[number % 5]
    key = f"inbox/{number}-{Path(seed.name).name}"
    stack.client("s3").put_object(Bucket=stack.physical("Bucket"), Key=key, Body=seed.body or b"")
    pump.drain()
    calm = Article(f"calm/{number}", CALM, "Bread", "Outlet", published=datetime.now(UTC), fresh=True)
    articles = SqsQueue(stack.client("sqs"), stack.physical("ArticleQueue"), lambda: "")  # while nothing was pushed
    articles.send([json.dumps(calm.to_json())])
    pump.drain()  # alone: the page below becomes an article that the detector looks up
    call_the_others(on, pump, f"-{number}")
    pump.drain()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="first calls of each function")
    parser.add_argument(
        "--built", type=Path, help="a folder that was filled before, as .aws-sam/build for this processor"
    )
    parser.add_argument("--dry", action="store_true", help="write no file")
    parser.add_argument("--quick", action="store_true", help="one first call of each; writes no file")
    options = parser.parse_args()
    try:
        tell(options)
    except Unbuilt as error:
        say(f"left out: {error}")


def tell(options: argparse.Namespace) -> None:
    """Measures, prints a table and adds to the results, unless they are not wanted."""
    with tempfile.TemporaryDirectory() as folder:
        say("building the layers")
        artefact = Artefact(options.built, interpreter()) if options.built else built(Path(folder))
        found = measure(artefact, 1 if options.quick else options.rounds)
    floor = median(found.pop("floor"))
    ratios = {name: round(median(seconds) / floor, 2) for name, seconds in sorted(found.items())}
    print(f"{'floor: one DynamoDB client':34} {floor * 1000:6.0f} ms of processor")
    for name, ratio in ratios.items():
        spread = sorted(found[name])
        print(f"{name:34} {ratio:6.2f}   {spread[0] / floor:.2f} to {spread[-1] / floor:.2f}, {len(spread)} starts")
    if not options.dry and not options.quick:
        about = machine() | {"floor_ms": round(floor * 1000), "rounds": options.rounds}
        keep({"cold_start": ratios}, **{"cold start": about})


if __name__ == "__main__":
    main()
