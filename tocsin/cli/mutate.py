"""Mutants of rules on all cores, and what their tests do not notice."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence

import click

from tocsin.cli import FINDINGS, FINE
from tocsin.cli.crowd import counted, spread
from tocsin.cli.diff import SEEDS
from tocsin.mutation import KINDS, Mutant, Range, Verdict
from tocsin.reading import entries
from tocsin.rules import Loaded

CHUNK = 8
"""Mutants a process takes at once."""


def mutate(loaded: Loaded, names: Sequence[str], form: str, sample: int, seed: int, least: int) -> int:  # noqa: PLR0913 - the options
    """Tries mutants of some rules and prints what came of them; `FINDINGS` where a stable rule notices too few."""
    seeds = [entry.article for entry in entries(SEEDS) if entry.article] if SEEDS.is_dir() else []
    chosen: list[Mutant] = []
    ranges = {name: Range(loaded, name, seeds) for name in names}
    for name in names:
        mutants = ranges[name].mutants()
        if sample and len(mutants) > sample:
            picked = random.Random(f"{seed} {name}").sample(range(len(mutants)), sample)  # noqa: S311 - a sample to be had again
            mutants = [mutants[at] for at in sorted(picked)]
        chosen += mutants

    def tried(some: Sequence[Mutant]) -> list[Verdict | None]:
        return [ranges[one.rule].verdict(one) for one in some]

    verdicts = [one for one in counted(spread(tried, chosen, CHUNK, few=CHUNK), len(chosen), "mutants") if one]
    short = False
    for name in names:
        own = [one for one in verdicts if one.mutant.rule == name]
        caught = sum(bool(one.by) for one in own)
        short |= loaded.models[name].status == "stable" and 100 * caught < least * len(own)
        (_rows if form == "ndjson" else _show)(name, own)
    return FINDINGS if loaded.faults or short else FINE


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
