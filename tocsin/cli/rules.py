"""`tocsin rules`: how each rule is doing, what it takes to ring, and the rules a deployed stack uses."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import click

from tocsin.adapters.exchange import shown
from tocsin.cli import BAD_INPUT, FINDINGS, FINE
from tocsin.cli.backtest import Tally, tally_of
from tocsin.cli.history import Last, git, last_changes
from tocsin.cli.options import format_option, load_models, rules_option
from tocsin.cli.rules_push import history, push, rollback
from tocsin.cli.verdicts import verdicts
from tocsin.demands import ENOUGH, untested
from tocsin.errors import InputFault
from tocsin.ports import Held
from tocsin.rule import Rule
from tocsin.rules import Loaded
from tocsin.source import parse

Status = Literal["experimental", "test", "stable"]
NEXT: Mapping[str, Status] = {"experimental": "test", "test": "stable"}
"""What a status leads to."""
DAYS = 14
"""Days back for which the stack is asked what it held back."""
WIDE = 132
"""Letters of a row of the list, at least."""
SHOWN = 5
"""Alerts that a commit message names."""
PAGES = 50
"""Pages of the table, of 1 MB each, that are looked through for stories."""

_ASKED = ("fires", "alerts", "stories", "not_relevant", "held")
"""What archives and the stack tell."""

asked_option = click.option(
    "--stack-name",
    envvar="TOCSIN_STACK",
    show_envvar=True,
    help="Ask this deployed stack for stories and verdicts, too.",
)


@dataclass
class _Heard:
    """What a deployed stack knows of one rule."""

    stories: int = 0
    articles: int = 0
    irrelevant: int = 0
    held: list[Held] = field(default_factory=list)
    """What it would have posted, were it not on trial."""

    @property
    def rate(self) -> float | None:
        """The share of its stories that somebody called not relevant."""
        return self.irrelevant / self.stories if self.stories else None


@click.group("rules")
def command() -> None:
    """How each rule is doing, what it takes to ring, and the rules a deployed stack uses."""


@command.command("list")
@rules_option
@format_option
@asked_option
@click.argument("paths", nargs=-1)
def list_(rules: Path, form: str, stack_name: str | None, paths: tuple[str, ...]) -> int:
    """Lists the rules: status, inline tests, last change; what each finds in the archives at PATHS; and what the desk said of it.

    Stories and the share called "not relevant" are those of a deployed stack, which is asked where --stack-name names one.
    """
    loaded = load_models(rules)
    tally, rejected = tally_of(loaded.rule_set, paths) if paths else (None, 0)
    heard = _heard(stack_name) if stack_name else None
    changes = last_changes(rules)
    rows = [_row(rule, changes, tally, heard) for rule in loaded.models.values()]
    if form == "ndjson":
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
    else:
        _show(rows)
    if rejected:
        return BAD_INPUT
    return FINDINGS if loaded.faults else FINE


@command.command("promote")
@rules_option
@asked_option
@click.option(
    "--to", type=click.Choice(["test", "stable"]), help="The status it moves to; the next one when nothing is said."
)
@click.option(
    "--commit", "commits", is_flag=True, help="Commit the change with git; otherwise the message is only printed."
)
@click.argument("name", metavar="RULE")
@click.argument("paths", nargs=-1)
def promote(  # noqa: PLR0913 - a command has a parameter for each option
    rules: Path, stack_name: str | None, to: str | None, name: str, *, commits: bool, paths: tuple[str, ...]
) -> int:
    """Moves a rule on, from experimental to test to stable, and prints the evidence for it as a commit message.

    It is refused, and nothing is written, while a test of the rule fails or it has fewer of them than its new status asks for. Evidence
    are its tests, what it finds in the archives at PATHS, and what the deployed stack would have posted (--stack-name).
    """
    loaded = load_models(rules)
    if name not in loaded.models:
        raise InputFault(f"there is no rule {name}", str(rules), f"there are {', '.join(loaded.models)}")
    rule = loaded.models[name]
    wanted = to or NEXT.get(rule.status)
    if wanted is None or (wanted == rule.status):
        raise InputFault(f"is {rule.status} already", f"{name}.yaml", "name another status with --to")
    unmet = list(_unmet(loaded, rule, wanted))
    if unmet:
        for what in unmet:
            click.echo(what, err=True)
        click.echo(f"{name} stays {rule.status}: {len(unmet)} in the way of {wanted}", err=True)
        return FINDINGS
    tally, rejected = tally_of(loaded.rule_set, paths) if paths else (None, 0)
    heard = _heard(stack_name).get(name, _Heard()) if stack_name else None
    message = "\n".join(_message(rule, wanted, tally, heard, stack_name))
    file = rules / f"{name}.yaml"
    file.write_text(_promoted(file, rule.status, wanted), encoding="utf-8")
    click.echo(message)
    if commits:
        git(rules, "commit", "--quiet", "--message", message, "--only", "--", file.name)
    return BAD_INPUT if rejected else FINE


def _unmet(loaded: Loaded, rule: Rule, wanted: str) -> Iterator[str]:
    """What stands between a rule and a status."""
    source = loaded.sources[rule.name]
    for outcome in (one for verdict in verdicts().of(loaded, [rule.name]) for one in verdict.failed):
        yield from (str(source.fault(outcome.path, what, outcome.code)) for what in outcome.faults)
    yield from map(str, untested(rule.model_copy(update={"status": wanted}), source))


def _promoted(file: Path, old: str, new: str) -> str:
    """The rule's file with its new status; `InputFault` where the status cannot be found in the text."""
    text = file.read_text(encoding="utf-8-sig")
    lines = text.splitlines(keepends=True)
    source = parse(text, str(file))
    place = source.fault(["status"], "")
    line = lines[place.line - 1]
    lines[place.line - 1] = line[: place.column - 1] + line[place.column - 1 :].replace(old, new, 1)
    written = "".join(lines)
    if parse(written, str(file)).data != {**source.data, "status": new}:
        raise InputFault(
            "writes its status in a way that cannot be changed here", str(file), f"write `status: {new}` by hand"
        )
    return written


def _message(rule: Rule, wanted: str, tally: Tally | None, heard: _Heard | None, stack: str | None) -> Iterator[str]:
    """The evidence, as a commit message."""
    yield f"rules: {rule.name} moves from {rule.status} to {wanted}"
    yield ""
    counts = rule.tests.counts()
    told = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    yield f"{counts.total()} inline tests pass ({told}); a rule of status {wanted} needs {ENOUGH[wanted].fires} fires and {ENOUGH[wanted].silent} silent."
    if tally:
        found = tally.counts()[rule.name]
        yield f"In {tally.articles:,} articles: {found['fires']} fires, {found['stories']} stories, {found['alerts']} alerts."
        alerts = [alert for alert in tally.alerts if alert.rule == rule.name]
        yield from (f"- {alert.level} {alert.reason}: {shown(alert.sentence, 200)}" for alert in alerts[:SHOWN])
        yield from [f"- and {len(alerts) - SHOWN} more"] if len(alerts) > SHOWN else []
    if heard:
        rate = f"{heard.irrelevant} called not relevant" + (f" ({heard.rate:.0%})" if heard.rate is not None else "")
        yield f"Stack {stack}: {heard.stories} stories told by {heard.articles} articles, {rate}."
        yield f"Held back in {DAYS} days: {len(heard.held)}."
        yield from (
            f"- {one.reason}: {shown(one.title or one.text, 200)} ({shown(one.outlet, 60)})"
            for one in heard.held[:SHOWN]
        )


def _heard(stack_name: str) -> dict[str, _Heard]:
    """What a deployed stack knows, by rule."""
    from tocsin.adapters.stack import deployed

    found: dict[str, _Heard] = defaultdict(_Heard)
    now = datetime.now(UTC)
    with deployed(stack_name) as stack:
        table = stack.table()
        for story in table.stories(PAGES)[0]:
            if story.merged:
                continue
            one = found[story.rule]
            one.stories += 1
            one.articles += story.articles
            one.irrelevant += any(action.kind == "irrelevant" for action in story.actions)
        for back in range(DAYS):
            for held in table.held(f"{now - timedelta(days=back):%Y-%m-%d}"):
                if held.kind == "shadow":
                    found[held.story.partition("/")[0]].held.append(held)
    return found


def _row(
    rule: Rule, changes: Mapping[str, Last], tally: Tally | None, heard: Mapping[str, _Heard] | None
) -> dict[str, object]:
    """All that is known of a rule, as JSON values; None where nobody was asked."""
    tests = rule.tests.counts()
    one = None if heard is None else heard.get(rule.name, _Heard())
    return {
        "rule": rule.name,
        "status": rule.status,
        "tests": tests.total(),
        **({kind: None if tally is None else tally.count(rule.name, kind) for kind in ("fires", "alerts")}),
        "stories": one.stories if one else None,
        "not_relevant": one.irrelevant if one else None,
        "rate": one.rate if one else None,
        "held": len(one.held) if one else None,
        "last_change": asdict(changes.get(f"{rule.name}.yaml", Last())),
    }


def _show(rows: Sequence[Mapping[str, object]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    console.width = max(console.width, WIDE)
    table = Table(box=None, pad_edge=False)
    asked = [name for name in _ASKED if any(row[name] is not None for row in rows)]
    for name in ("rule", "status", "tests", *asked, "last change"):
        table.add_column(
            name.replace("_", " "),
            justify="left" if name in {"rule", "status", "last change"} else "right",
            no_wrap=True,
        )
    for row in rows:
        last, rate = row["last_change"], row["rate"]
        assert isinstance(last, dict)  # noqa: S101 - `_row` makes it
        told = {name: _told(row[name]) for name in asked}
        if isinstance(rate, float) and "not_relevant" in told:
            told["not_relevant"] += f" ({rate:.0%})"
        change = f"{last['day']} {last['subject']}".strip() or "not committed"
        cells = [str(row["rule"]), str(row["status"]), _told(row["tests"]), *told.values(), shown(change, 45)]
        table.add_row(*map(Text, cells))
    console.print(table)


def _told(count: object) -> str:
    return "-" if count is None else str(count)


command.add_command(push)
command.add_command(history)
command.add_command(rollback)
