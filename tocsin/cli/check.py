"""`tocsin check`: faults of the rules, and the tests at the bottom of each rule."""

from __future__ import annotations

from pathlib import Path

import click

from tocsin.cli import FINDINGS, FINE, RULES_UNREADABLE
from tocsin.cli.options import rules_option
from tocsin.errors import Fault
from tocsin.rules import load
from tocsin.source import read
from tocsin.trial import run


@click.command("check")
@rules_option
def command(rules: Path) -> int:
    """Prints every fault as file:line:column, then runs the inline tests of every rule that loads."""
    loaded = load(rules)
    failed: list[Fault] = []
    count = 0
    for name, rule in loaded.models.items():
        source = read(rules / f"{name}.yaml", f"{rules.name}/{name}.yaml")
        tests = rule.tests
        count += sum(len(getattr(tests, kind)) for kind in type(tests).model_fields)
        failed += [source.fault(failure.path, failure.what) for failure in run(loaded.rule_set, rule)]
    for fault in [*loaded.faults, *failed]:
        click.echo(str(fault))
    click.echo(
        f"{len(loaded.models)} rules, {len(loaded.faults)} faults, {count} inline tests, {len(failed)} failed", err=True
    )
    if loaded.faults:
        return RULES_UNREADABLE if not loaded.models else FINDINGS
    return FINDINGS if failed else FINE
