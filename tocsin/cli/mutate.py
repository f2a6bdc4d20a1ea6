"""Mutants of rules on all cores, and what their tests do not notice."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click

from tocsin.cli import FINDINGS, FINE
from tocsin.cli.crowd import counted
from tocsin.cli.options import DEFAULT_RULES
from tocsin.mutation import KINDS, Mutant, Range, Verdict
from tocsin.reading import entries
from tocsin.rules import Loaded

SEEDS = DEFAULT_RULES.parent / "seeds"
CHUNK = 8
"""Mutants a process takes at once."""
_RANGES: dict[str, Range] = {}
"""What the processes begin with, by rule."""


def mutate(loaded: Loaded, names: Sequence[str], form: str, sample: int, seed: int, least: int) -> int:  # noqa: PLR0913 - the options
    """Tries mutants of some rules and prints what came of them; `FINDINGS` where a stable rule notices too few."""
    seeds = [entry.article for entry in entries(Path(SEEDS)) if entry.article] if SEEDS.is_dir() else []
    chosen: list[Mutant] = []
    for name in names:
        _RANGES[name] = Range(loaded, name, seeds)
        mutants = _RANGES[name].mutants()
        if sample and len(mutants) > sample:
            picked = random.Random(f"{seed} {name}").sample(range(len(mutants)), sample)  # noqa: S311 - a sample to be had again
            mutants = [mutants[at] for at in sorted(picked)]
        chosen += mutants
    try:
        verdicts = [one for one in counted(_tried(chosen), len(chosen), "mutants") if one]
    finally:
        _RANGES.clear()
    short = False
    for name in names:
        own = [one for one in verdicts if one.mutant.rule == name]
        caught = sum(bool(one.by) for one in own)
        short |= loaded.models[name].status == "stable" and 100 * caught < least * len(own)
        (_rows if form == "ndjson" else _show)(name, own)
    return FINDINGS if loaded.faults or short else FINE


def _tried(mutants: Sequence[Mutant]) -> Iterator[Verdict | None]:
    """The verdict on each mutant, in order; None on one that comes to the same as the rule."""
    chunks = [mutants[at : at + CHUNK] for at in range(0, len(mutants), CHUNK)]
    jobs = os.cpu_count() or 1
    if jobs == 1 or len(chunks) == 1 or "fork" not in multiprocessing.get_all_start_methods():
        yield from (one for chunk in chunks for one in _try(chunk))
        return
    with multiprocessing.get_context("fork").Pool(jobs) as pool:  # copies of this process, with the rules in them
        yield from (one for some in pool.imap(_try, chunks) for one in some)


def _try(mutants: Iterable[Mutant]) -> list[Verdict | None]:
    return [_RANGES[one.rule].verdict(one) if _RANGES[one.rule].differs(one) else None for one in mutants]


def _rows(name: str, verdicts: Sequence[Verdict]) -> None:
    for one in verdicts:
        if not one.by:
            row = {
                "rule": name,
                "survived": one.mutant.what,
                "kind": one.mutant.kind,
                "file": one.at.file,
                "line": one.at.line,
            }
            click.echo(json.dumps(row, ensure_ascii=False))
    tried = Counter(one.mutant.kind for one in verdicts)
    caught = Counter(one.mutant.kind for one in verdicts if one.by)
    told = {kind: {"mutants": tried[kind], "caught": caught[kind]} for kind in KINDS if tried[kind]}
    click.echo(
        json.dumps({"summary": {"rule": name, "mutants": tried.total(), "caught": caught.total(), "kinds": told}})
    )


def _show(name: str, verdicts: Sequence[Verdict]) -> None:
    for one in verdicts:
        if not one.by:
            click.echo(f"{one.at.file}:{one.at.line}:{one.at.column}: survives: {one.mutant.what}")
    tried = Counter(one.mutant.kind for one in verdicts)
    caught = Counter(one.mutant.kind for one in verdicts if one.by)
    share = caught.total() / tried.total() if tried else 1.0
    kinds = ", ".join(f"{kind} {caught[kind]} of {tried[kind]}" for kind in KINDS if tried[kind])
    click.echo(f"{name}: {caught.total()} of {tried.total()} mutants noticed ({share:.0%}): {kinds}")
