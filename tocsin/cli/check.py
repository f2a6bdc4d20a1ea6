"""`tocsin check`: faults of the rules, and the tests at the bottom of each rule."""

from __future__ import annotations

from pathlib import Path

import click

from tocsin.cli import FINDINGS, FINE, RULES_UNREADABLE
from tocsin.cli.options import rules_option
from tocsin.demands import shortcomings
from tocsin.errors import Fault, RuleFaults
from tocsin.routes import load as load_routes
from tocsin.rules import Loaded, load
from tocsin.trial import run


@click.command("check")
@rules_option
def command(rules: Path) -> int:
    """Prints every fault of rules and routes as file:line:column, then runs the inline tests of every rule that loads."""
    loaded = load(rules)
    failed: list[Fault] = []
    count = 0
    for name, rule in loaded.models.items():
        count += sum(len(getattr(rule.tests, kind)) for kind in type(rule.tests).model_fields)
        failed += [loaded.sources[name].fault(failure.path, failure.what) for failure in run(loaded.rule_set, rule)]
    faults = [*loaded.faults, *shortcomings(loaded), *_routes(rules, loaded)]
    for fault in sorted([*faults, *failed]):
        click.echo(str(fault))
    told = f"{len(loaded.models)} rules, {len(faults)} faults, {count} inline tests, {len(failed)} failed"
    click.echo(told, err=True)
    if not loaded.models:
        return RULES_UNREADABLE
    return FINDINGS if faults or failed else FINE


def _routes(rules: Path, loaded: Loaded) -> list[Fault]:
    """The faults of the routes."""
    try:
        load_routes(rules, loaded)
    except RuleFaults as error:
        return error.faults
    return []
