"""Measures every way on every case, and prints the table."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module, metadata
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from packaging.requirements import Requirement

from bench.engine import keep, machine, say, together
from bench.engine import ratio as over
from bench.peers.cases import Case, Outcome, corpus, generated, posts, seeds, stories
from bench.replay import processor_seconds
from bench.stories import ROOT

OURS = "ours"
FRONT = "keywords"
"""The reader that stands before the ways that only tell articles apart."""
TENFOLD = 10
READ = "import json, sys; from bench.peers.{0} import reader; reader()(*json.load(sys.stdin))"
APART = "import json, sys; from bench.peers.{0} import alone; alone([tuple(json.load(sys.stdin))], {1})"
"""What a fresh interpreter does: import, one article."""


@dataclass(frozen=True)
class Peer:
    """A way: a module of this package that has a `reader` of its own, or tells articles apart behind the loop of keywords."""

    module: str
    title: str
    apart: bool = False

    @property
    def needs(self) -> tuple[str, ...]:
        """Packages it must have installed."""
        found: tuple[str, ...] = import_module(f"bench.peers.{self.module}").NEEDS
        return found

    @property
    def missing(self) -> list[str]:
        """Those that are not."""
        return [name for name in self.needs if not _installed(name)]

    def attribute(self, name: str) -> Any:
        """What the module calls so."""
        return getattr(import_module(f"bench.peers.{self.module}"), name)

    def alone_at(self, threshold: float) -> Callable[[Sequence[tuple[str, str]]], list[int]]:
        """What tells which articles are the first of their kind, at a threshold."""
        alone: Callable[[Sequence[tuple[str, str]], float], list[int]] = self.attribute("alone")
        return lambda articles: alone(articles, threshold)


PEERS = (
    Peer(OURS, "**Tocsin**"),
    Peer("keywords", "(a) loop of keyword patterns"),
    Peer("matcher", "(b) spaCy's Matcher"),
    Peer("tfidf", "(c) keywords, TF-IDF clusters", apart=True),
    Peer("minhash", "(d) keywords, MinHash-LSH", apart=True),
    Peer("titles", "(e) keywords, exact titles", apart=True),
)


def _installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


@cache
def hears(module: str, case: Case) -> tuple[dict[str, set[str]], int]:
    """What the reader of a module hears, and its false alarms."""
    reads = import_module(f"bench.peers.{module}").reader()
    return case.heard(reads), case.false(reads)


def fares(peer: Peer, case: Case) -> tuple[int, int, Outcome]:
    """Signals found, false alarms, and what came of the alerts; of all thresholds that with the fewest mistakes."""
    heard, false = hears(FRONT if peer.apart else peer.module, case)
    if peer.module == OURS:
        came = stories(case, heard)
    elif peer.apart:
        tried = [posts(case, heard, peer.alone_at(one)) for one in peer.attribute("THRESHOLDS")]
        came = min(tried, key=lambda one: (one.empty + one.swallowed, one.swallowed))
    else:
        came = posts(case, heard, lambda some: list(range(len(some))))
    return case.found(heard), false, came


def works(peers: Sequence[Peer], case: Case, most: int) -> dict[str, Callable[[], object]]:
    """What each has to do with so many articles."""
    texts = [(one.title, one.text) for one in case.stream[:most]]

    def work(peer: Peer) -> Callable[[], object]:
        if peer.apart:
            thresholds = peer.attribute("THRESHOLDS")
            return partial(peer.attribute("alone"), texts, thresholds[len(thresholds) // 2])
        reads = peer.attribute("reader")()
        return lambda: [reads(*one) for one in texts]

    return {peer.module: work(peer) for peer in peers}


def starts(peers: Sequence[Peer], article: tuple[str, str], rounds: int) -> dict[str, list[float]]:
    """Processor seconds from a fresh interpreter to the first article read, in turns."""
    found: dict[str, list[float]] = {peer.module: [] for peer in peers}
    given = json.dumps(article)
    with TemporaryDirectory() as cache:  # of its own, which others do not empty
        for number in range(rounds + 1):  # the first fills it
            for peer in peers:
                at = peer.attribute("THRESHOLDS")[0] if peer.apart else None
                code = APART.format(peer.module, at) if peer.apart else READ.format(peer.module)
                seconds = processor_seconds([sys.executable, "-c", code], given, XDG_CACHE_HOME=cache)
                if number:
                    found[peer.module].append(seconds)
    return found


def weight(peer: Peer) -> float:
    """Megabytes of what must be installed for it, unpacked, without bytecode."""
    if peer.module == OURS:
        return sum(path.stat().st_size for path in _ours()) / 1e6
    return sum(_weight(name) for name in _closure(peer.needs)) / 1e6


def _ours() -> Iterator[Path]:
    for folder, kind in (("tocsin", "*.py"), ("rules", "*.yaml")):
        yield from (ROOT / folder).rglob(kind)


def _closure(names: Sequence[str]) -> set[str]:
    """Packages and all they need."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop().lower()
        if name in found or not _installed(name):
            continue
        found.add(name)
        needed = map(Requirement, metadata.requires(name) or ())
        waiting += [one.name for one in needed if one.marker is None or one.marker.evaluate({"extra": ""})]
    return found


def _weight(name: str) -> int:
    files = metadata.files(name) or []
    paths = [Path(str(one.locate())) for one in files if one.suffix != ".pyc"]
    return sum(path.stat().st_size for path in paths if path.exists())


def row(peer: Peer, cases: Sequence[Case], figures: dict[str, Any]) -> str:
    """A line of the table."""
    cells = [peer.title]
    for case in cases:
        told = figures["cases"][case.name]
        cells += [f"{told['found']} of {case.signals_wanted}", f"{told['false']} of {len(case.calm):,}"]
        cells += [
            f"{told['alerts']}, {told['empty']}, {told['swallowed']}" if case.developments else f"{told['alerts']}"
        ]
    speed, start = (figures[f"{name}_over_tocsin"] for name in ("speed", "start"))
    cells += [f"{one:.2f} ×" if one < TENFOLD else f"{one:,.0f} ×" for one in (speed, start)]
    cells.append(f"{figures['megabytes']:,.1f}")
    return f"| {' | '.join(cells)} |"


def head(cases: Sequence[Case]) -> str:
    """The head of the table."""
    cells = [""]
    for case in cases:
        cells += [f"{case.name}: found", "false alarms", "alerts, empty, swallowed" if case.developments else "alerts"]
    cells += ["articles/s", "cold start", "MB installed"]
    return f"| {' | '.join(cells)} |\n|{'---|' * len(cells)}"


def measured(peers: Sequence[Peer], cases: Sequence[Case], *, quick: bool) -> dict[str, dict[str, Any]]:
    """Every figure of every way."""
    say("how fast they read")
    speeds = together(works(peers, cases[1], 50 if quick else 200), 3 if quick else 5)
    say("how fast they start")
    first = cases[0].stream[0]
    begun = starts(peers, (first.title, first.text), 2 if quick else 5)
    found: dict[str, dict[str, Any]] = {}
    for peer in peers:
        told = {}
        for case in cases:
            say(f"{peer.module}: {case.name}")
            heard, false, came = fares(peer, case)
            told[case.name] = {
                "found": heard, "of": case.signals_wanted, "false": false, "of_calm": len(case.calm),
                "alerts": came.alerts, "empty": came.empty, "swallowed": came.swallowed,
            }  # fmt: skip
        found[peer.module] = {
            "cases": told,
            "speed_over_tocsin": over(speeds[OURS], speeds[peer.module]),
            "start_over_tocsin": over(begun[peer.module], begun[OURS]),
            "megabytes": round(weight(peer), 1),
        }
    found[OURS]["articles_per_s"] = round(min(len(cases[1].stream), 50 if quick else 200) / median(speeds[OURS]))
    found[OURS]["start_s"] = round(median(begun[OURS]), 3)
    return found


def main() -> None:
    """Measures, prints the table and adds to the results."""
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument(
        "--corpus", type=Path, help="a labelled corpus, a JSON object a line, as of `bench.stories compare`"
    )
    parser.add_argument("--only", choices=[peer.module for peer in PEERS], help="one row, with Tocsin's beside it")
    parser.add_argument("--articles", type=int, default=2_000, help="how many to generate")
    parser.add_argument("--quick", action="store_true", help="200 articles, fewer turns; writes no file")
    options = parser.parse_args()
    peers = []
    for peer in PEERS:
        if options.only not in {None, peer.module} and peer.module != OURS:
            continue
        if peer.missing:
            say(f"{peer.title}: left out, {' and '.join(peer.missing)} not installed; pip install --group bench")
        else:
            peers.append(peer)
    cases = [seeds(), generated(200 if options.quick else options.articles)]
    cases += [corpus(options.corpus)] if options.corpus else []
    found = measured(peers, cases, quick=options.quick)
    print(head(cases))
    for peer in peers:
        print(row(peer, cases, found[peer.module]))
    about = machine()
    print(
        f"\nTocsin: {found[OURS]['articles_per_s']:,} articles a second, cold start {found[OURS]['start_s']} s of processor;"
        f" with all that a deployed bot needs (boto3, feedparser …) {sum(map(_weight, _closure(_dependencies()))) / 1e6:.0f} MB more."
        f" {about['processor']}, {about['system']}, Python {about['python']}, commit {about['commit']}"
    )
    if not options.quick and not options.only:
        versions = {name: metadata.version(name) for peer in peers for name in peer.needs}
        keep({}, peers=about | {"versions": versions, "ways": found})


def _dependencies() -> list[str]:
    return [one.name for one in map(Requirement, metadata.requires("tocsin") or ()) if one.marker is None]


if __name__ == "__main__":
    main()
