"""The faults of rules, of routes and of lists of feeds, and the inline tests that fail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tocsin.cli.crowd import Heard
from tocsin.cli.verdicts import verdicts
from tocsin.demands import shortcomings
from tocsin.errors import Fault, RuleFaults
from tocsin.routefile import load as load_routes
from tocsin.rules import Loaded
from tocsin.trial import Outcome, run


def failed_tests(loaded: Loaded, heard: Heard | None = None) -> Iterator[Fault]:
    """The inline tests of all rules that do not come out as they say, read on all cores.

    Where somebody waits, `heard` knows most, and variants are left out.
    """
    if heard is None:
        yield from told(loaded, (one for found in verdicts().of(loaded, loaded.models) for one in found.failed))
    else:
        heard.turn(loaded.rule_set)
        seek = heard.seek
        yield from told(loaded, (one for rule in loaded.models.values() for one in run(loaded.rule_set, rule, seek)))


def told(loaded: Loaded, outcomes: Iterable[Outcome]) -> Iterator[Fault]:
    """Those of some outcomes that are not as their tests say, as faults."""
    for outcome in outcomes:
        if outcome.faults:
            source = loaded.sources[outcome.rule]
            yield from (source.fault(outcome.path, what, outcome.code) for what in outcome.faults)


def faults_of(rules: Path, loaded: Loaded) -> list[Fault]:
    """The faults of a folder that was loaded, its tests apart."""
    return sorted([*loaded.faults, *shortcomings(loaded), *_faults_of_routes(rules, loaded)])


def _faults_of_routes(rules: Path, loaded: Loaded) -> list[Fault]:
    """The faults of the routes beside the rules."""
    try:
        load_routes(rules, loaded)
    except RuleFaults as error:
        return error.faults
    return []


def faults_of_feeds(lists: Sequence[Path]) -> Iterator[Fault]:
    """The faults of lists of feeds."""
    if not lists:
        return
    from tocsin import feeds  # which most commands need not wait for

    for path in lists:
        try:
            with path.open("rb") as stream:
                yield from feeds.read(str(path), stream.read(feeds.MAX_FILE + 1))[1]
        except OSError as error:
            what = f"cannot be read: {error.strerror or error}; check the path and its permissions"
            yield Fault(str(path), 1, 1, what, "TOC101")
        except RuleFaults as error:
            yield from error.faults
