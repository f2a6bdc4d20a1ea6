"""Mutants of rules on all cores, and what their tests do not notice."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from tocsin.cli import FINDINGS, FINE
from tocsin.cli.crowd import counted, spread
from tocsin.cli.diff import SEEDS
from tocsin.cli.layout import laid_out
from tocsin.mutation import KINDS, Holdings, Kind, Mutant, Range
from tocsin.proposing import Proposer, joined, written
from tocsin.reading import entries
from tocsin.rule import Variants
from tocsin.rules import Loaded

CHUNK = 8
"""Mutants a process takes at once."""


SHARED = "shared lists"
"""What the entries of lists are counted under that stand in no rule's file."""
_BEGUN = re.compile(r"^  variants:", re.MULTILINE)


def mutate(  # noqa: PLR0913 - the options
    folder: Path, loaded: Loaded, names: Sequence[str], form: str, sample: int, seed: int, least: int, *, writes: bool
) -> int:
    """Tries mutants of some rules and prints what came of them; `FINDINGS` where a stable rule notices too few."""
    ranges = ranges_of(loaded, names)
    chosen: list[Mutant] = []
    for name, mutants in [
        *((name, ranges[name].mutants()) for name in names),
        ("", [*Holdings(loaded).of_shared(names)]),
    ]:
        if sample and len(mutants) > sample:
            picked = random.Random(f"{seed} {name}").sample(range(len(mutants)), sample)  # noqa: S311 - a sample to be had again
            chosen += [mutants[at] for at in sorted(picked)]
        else:
            chosen += mutants
    tried = noticed(ranges, chosen)
    if writes:
        _write(folder, loaded, proposed(ranges, [one for one, by in tried if not by]))
        return FINE
    short = False
    for name in [*names, *([""] if any(not one.rule for one in chosen) else [])]:
        own = [(one, by) for one, by in tried if one.rule == name]
        caught = sum(bool(by) for _, by in own)
        short |= (not name or loaded.models[name].status == "stable") and 100 * caught < least * len(own)
        (_rows if form == "ndjson" else _show)(name or SHARED, own)
    return FINDINGS if loaded.faults or short else FINE


def ranges_of(loaded: Loaded, names: Sequence[str]) -> dict[str, Range]:
    """Where the mutants of each rule are tried."""
    seeds = [entry.article for entry in entries(SEEDS) if entry.article] if SEEDS.is_dir() else []
    return {name: Range(loaded, name, seeds) for name in names}


def noticed(ranges: Mapping[str, Range], mutants: Sequence[Mutant]) -> Sequence[tuple[Mutant, str]]:
    """The mutants that do not come to the same as the rule, with what notices them, on all cores. Of a shared list any rule may."""

    def tried(some: Sequence[Mutant]) -> list[str | None]:
        return [_tried(ranges, one) for one in some]

    verdicts = counted(spread(tried, mutants, CHUNK, few=CHUNK), len(mutants), "mutants")
    return [(one, by) for one, by in zip(mutants, verdicts, strict=True) if by is not None]


def _tried(ranges: Mapping[str, Range], mutant: Mutant) -> str | None:
    if mutant.rule:
        return ranges[mutant.rule].noticed(mutant)
    return next(filter(None, (one.noticed(mutant) for one in ranges.values())), "")


def proposed(ranges: Mapping[str, Range], mutants: Sequence[Mutant]) -> dict[str, list[Variants]]:
    """Rule → tests that would notice mutants, on all cores: those of one list together, so that they share a sentence."""
    groups: dict[tuple[str, frozenset[int] | str], list[Mutant]] = {}
    for one in mutants:
        groups.setdefault((one.rule, frozenset(number for _, number in one.without) or one.what), []).append(one)
    proposers = {name: Proposer(one) for name, one in ranges.items()}
    for proposer in proposers.values():
        proposer.stock  # noqa: B018 - made before the processes part

    def found(some: Sequence[list[Mutant]]) -> list[list[tuple[str, Variants]]]:
        return [[*_proposals(proposers, one)] for one in some]

    tables: dict[str, list[Variants]] = {}
    for some in counted(spread(found, [*groups.values()], 1, few=1), len(groups), "groups of mutants"):
        for name, test in some:
            tables.setdefault(name, []).append(test)
    return {name: joined(some) for name, some in tables.items()}


def _proposals(proposers: Mapping[str, Proposer], mutants: Sequence[Mutant]) -> Iterator[tuple[str, Variants]]:
    """For some mutants a test each, with the rule it belongs to; of a shared list, the first rule that has one."""
    left = list(mutants)
    for name, proposer in proposers.items():
        if mutants[0].rule in {"", name}:
            found = [*proposer.propose(left)]
            yield from ((name, test) for _, test in found if test)
            left = [one for one, test in found if not test]


def _write(folder: Path, loaded: Loaded, tables: Mapping[str, Sequence[Variants]]) -> None:
    """Adds tests to the files of their rules."""
    for name, some in tables.items():
        path = folder / f"{name}.yaml"
        path.write_text(_with_variants(path.read_text(encoding="utf-8"), some, str(path)), encoding="utf-8")
        click.echo(
            f"{loaded.sources[name].file}: {sum(len(one.words) for one in some)} tests in {len(some)} sentences added; read them, and keep what is right"
        )


def _with_variants(text: str, some: Sequence[Variants], file: str) -> str:
    """The file of a rule with more variants at the end of its tests, these laid out as `tocsin fmt` does it."""
    head = text.rstrip("\n") + "\n"
    if not _BEGUN.search(head):
        head += "  variants:\n"
    _, _, lines = laid_out(f"tests:\n  variants:\n{''.join(map(written, some))}", file).partition("  variants:\n")
    return head + lines


Tried = Sequence[tuple[Mutant, str]]


def _rows(name: str, tried: Tried) -> None:
    for one, by in tried:
        if not by:
            row = {"rule": name, "survived": one.what, "kind": one.kind, "file": one.at.file, "line": one.at.line}
            click.echo(json.dumps(row, ensure_ascii=False))
    mutants, caught = _counts(tried)
    told = {kind: {"mutants": mutants[kind], "caught": caught[kind]} for kind in KINDS if mutants[kind]}
    summary = {"rule": name, "mutants": mutants.total(), "caught": caught.total(), "kinds": told}
    click.echo(json.dumps({"summary": summary | {"by": Counter(by for _, by in tried if by)}}))


def _show(name: str, tried: Tried) -> None:
    for one, by in tried:
        if not by:
            click.echo(f"{one.at.file}:{one.at.line}:{one.at.column}: survives: {one.what}")
    mutants, caught = _counts(tried)
    share = caught.total() / mutants.total() if mutants else 1.0
    kinds = ", ".join(f"{kind} {caught[kind]} of {mutants[kind]}" for kind in KINDS if mutants[kind])
    click.echo(f"{name}: {caught.total()} of {mutants.total()} mutants noticed ({share:.0%}): {kinds}")


def _counts(tried: Tried) -> tuple[Counter[Kind], Counter[Kind]]:
    """How many there are of each kind, and how many were noticed."""
    return Counter(one.kind for one, _ in tried), Counter(one.kind for one, by in tried if by)
