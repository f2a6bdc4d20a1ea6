"""`tocsin rules push`, `history` and `rollback`: rules change without a deployment, and only for such as pass their tests."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tocsin.cli import FINDINGS, FINE, RULES_UNREADABLE
from tocsin.cli.diff import FORMS, Changes, compared, counts_of
from tocsin.cli.faults import failed_tests, faults_of
from tocsin.cli.options import format_option, rules_option, stack_option
from tocsin.errors import Conflict, Fault, InputFault, RuleFaults
from tocsin.ports import Bulletin, RulesInForce, version_of
from tocsin.rulefiles import SHORT, files_of, fingerprint, written_to
from tocsin.rules import Loaded, load

if TYPE_CHECKING:
    from tocsin.adapters.stack import DeployedStack

author_option = click.option("--author", default=None, help="Who does it.  [default: who AWS says you are]")
note_option = click.option("--note", default="", help="Why; it stands in the history.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


@click.command("push")
@stack_option
@rules_option
@author_option
@note_option
@yes_option
@click.option("--dry-run", is_flag=True, help="Check and compare; neither upload nor tell anybody.")
def push(stack_name: str, rules: Path, author: str | None, note: str, *, yes: bool, dry_run: bool) -> int:  # noqa: PLR0913 - a command has a parameter for each option
    """Puts the rules of a folder in force, if they load without a fault and pass their tests; functions use them within a minute.

    Shows first what that does to alerts. Rules with faults change nothing, and the channel is told who pushed what.
    """
    from tocsin.adapters.rule_sets import keep
    from tocsin.adapters.stack import deployed

    files = files_of(rules)
    name = fingerprint(files)
    loaded, faults = _checked(rules)
    with deployed(stack_name) as stack:
        by = author or stack.caller()
        if loaded is None or faults:
            for fault in faults:
                click.echo(str(fault))
            if not dry_run:
                _refuse(stack, name, by, faults)
            click.echo(f"{len(faults)} faults: the rules in force stay as they are", err=True)
            return FINDINGS if loaded else RULES_UNREADABLE
        known = stack.table().rules_in_force()
        if known and known.set == name:
            click.echo(f"{version_of(name)} is in force already, since {known.at[:16]}, by {known.by}")
            return FINE
        changes = _differences(stack, known, loaded)
        if dry_run:
            return FINE
        if not yes:
            click.confirm(f"Put {version_of(name)} in force?", abort=True)
        keep(stack.archive(), files)
        what = counts_of(changes) if changes is not None else f"{len(loaded.models)} rules, the first that were pushed"
        _put(stack, RulesInForce(name, by, _now(), note, known.set if known else ""), known, what)
    return FINE


@click.command("history")
@stack_option
@format_option
def history(stack_name: str, form: str) -> int:
    """Lists the rules that were put in force, the last first."""
    from tocsin.adapters.stack import deployed

    with deployed(stack_name) as stack:
        found = stack.table().rules_history()
    if form == "table" and not found:
        click.echo("nothing was pushed: the rules that were deployed are in force")
    for place, one in enumerate(found):
        if form == "ndjson":
            click.echo(json.dumps({**asdict(one), "version": one.version, "in_force": place == 0}, ensure_ascii=False))
        else:
            mark = "in force" if place == 0 else ""
            click.echo(
                f"{one.version:<{SHORT}}  {one.at[:16]}  {mark:<8}  {ascii(one.by)[1:-1]}  {ascii(one.note)[1:-1]}".rstrip()
            )
    return FINE


@click.command("rollback")
@stack_option
@author_option
@note_option
@yes_option
@click.argument("version", required=False)
def rollback(stack_name: str, author: str | None, note: str, version: str | None, *, yes: bool) -> int:
    """Puts rules of before in force again: VERSION, as `tocsin rules history` prints it, or else those before the present ones.

    `deployed` are the rules that came with the deployment.
    """
    from tocsin.adapters.stack import deployed

    with deployed(stack_name) as stack:
        known = stack.table().rules_in_force()
        if known is None:
            raise InputFault("nothing was pushed", "rollback", "the rules that were deployed are in force")
        wanted = known.before if version is None else _named(version, stack.table().rules_history())
        if wanted == known.set:
            click.echo(f"{version_of(wanted)} is in force already")
            return FINE
        if wanted:
            stack.rules(wanted)
        if not yes:
            click.confirm(f"Put {version_of(wanted)} in force again, instead of {known.version}?", abort=True)
        why = note or f"instead of {known.version}"
        _put(stack, RulesInForce(wanted, author or stack.caller(), _now(), why, known.set), known, "rolled back")
    return FINE


def _checked(rules: Path) -> tuple[Loaded | None, list[Fault]]:
    """The rules of a folder, and every fault and failed test; None when no rule loads."""
    try:
        loaded = load(rules)
    except RuleFaults as error:
        return None, error.faults
    faults = [*faults_of(rules, loaded), *failed_tests(loaded)]
    return (loaded if loaded.models else None), sorted(faults)


def _refuse(stack: DeployedStack, name: str, by: str, faults: list[Fault]) -> None:
    """Tells the channel of rules that were pushed and not taken; of the same ones once an hour at most."""
    from tocsin.adapters.rule_sets import refusal

    now = datetime.now(UTC)
    told = refusal("Rules were not taken", by, faults, "The rules in force stay as they are.")
    stack.table().announce(f"rules-refused-{version_of(name)}-{now:%Y-%m-%dT%H}", told, now)


def _differences(stack: DeployedStack, known: RulesInForce | None, after: Loaded) -> Changes | None:
    """Shows what the rules do to alerts, against those that were pushed before; None when there are none to compare with."""
    from tocsin.adapters.rule_sets import NAME

    if known is None or not known.set:
        click.echo(
            "nothing is in force that was pushed, so there is nothing to compare with; `tocsin diff` compares with a revision of git"
        )
        return None
    try:
        files = stack.rules(known.set)
    except InputFault as fault:
        click.echo(f"cannot compare with the rules in force: {fault}", err=True)
        return None
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / NAME
        written_to(folder, files)
        changes, heard, _ = compared(load(folder), after)
    FORMS["table"](changes, f"{heard}, against {known.version} in force")
    return changes


def _named(version: str, found: Sequence[RulesInForce]) -> str:
    """The set of a version."""
    sets = {one.set for one in found if version_of(one.set).startswith(version)}
    if version == version_of(""):
        return ""
    if len(sets) != 1:
        what = "names several versions" if sets else "was never in force"
        raise InputFault(what, version, "`tocsin rules history` lists them")
    return sets.pop()


def _put(stack: DeployedStack, wanted: RulesInForce, known: RulesInForce | None, what: str) -> None:
    """Puts a set in force and tells the channel."""
    table = stack.table()
    try:
        table.put_in_force(wanted, known)
    except Conflict as error:
        raise InputFault(
            str(error), wanted.version, "look at `tocsin rules history`, and push again if you still want to"
        ) from error
    before = version_of(known.set if known else "")
    lines = [f"By {wanted.by}: {what}, instead of {before}.", *([wanted.note] if wanted.note else [])]
    table.announce(
        f"rules-{wanted.at}", Bulletin(f"Rules {wanted.version} are in force", tuple(lines)), datetime.now(UTC)
    )
    click.echo(f"{wanted.version} is in force: {what}. Functions use it within a minute.")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
