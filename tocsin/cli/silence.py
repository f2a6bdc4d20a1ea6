"""`tocsin silence`: what the desk does not want to be told for a while."""

from __future__ import annotations

import getpass
import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import click

from tocsin import silencing
from tocsin.cli import FINE
from tocsin.cli.options import format_option, load_rules, moment, period, rules_option, stack_option
from tocsin.errors import InputFault


@click.group("silence")
def command() -> None:
    """Silences hold back posts, never records: what they held back stands in the digest of the day."""


@command.command("add")
@stack_option
@rules_option
@click.option("--for", "length", callback=period, metavar="PERIOD", help="How long it lasts: 12h, 7d or 2w.")
@click.option("--until", callback=moment, metavar="WHEN", help="When it ends, in UTC: 2025-03-01 or 2025-03-01T18:00.")
@click.option("--from", "begins", callback=moment, metavar="WHEN", help="When it begins, in UTC.  [default: now]")
@click.option("--author", default=None, help="Who asks for it.  [default: your user name]")
@click.option("--comment", required=True, help="Why; it stands in fates and digests.")
@click.option("--hold-critical", is_flag=True, help="Hold back even a rise to critical, which passes otherwise.")
@click.argument("matchers", nargs=-1, required=True, metavar="NAME=VALUE...")
def add(  # noqa: PLR0913 - a command has a parameter for each option
    stack_name: str,
    rules: Path,
    length: object,
    until: datetime | None,
    begins: datetime | None,
    author: str | None,
    comment: str,
    *,
    hold_critical: bool,
    matchers: tuple[str, ...],
) -> int:
    """Adds a silence. NAME is rule, who, where, what or stage; all must agree: rule=launch-preparation who=north-korea."""
    now = datetime.now(UTC).replace(microsecond=0)
    start = begins or now
    ends = until or (start + length if length else None)  # type: ignore[operator]  # what `period` returns
    if ends is None or (until and length):
        raise click.UsageError("say how long: --for PERIOD or --until WHEN, one of them")
    if ends <= max(start, now):
        raise click.UsageError("it would end before it begins; check --from, --until and --for")
    known = load_rules(rules).rule_set
    pairs = [silencing.matcher(one, known) for one in matchers]
    silence = silencing.silence(pairs, start, ends, author or getpass.getuser(), comment, critical=hold_critical)
    from tocsin.adapters.stack import deployed

    with deployed(stack_name) as stack:
        stack.table().add_silence(silence)
    click.echo(f"{silence.id}  {silencing.told(silence)}")
    return FINE


@command.command("list")
@stack_option
@format_option
def show(stack_name: str, form: str) -> int:
    """Lists the silences in force, those to come, and those that ended within the last day."""
    from tocsin.adapters.stack import deployed

    with deployed(stack_name) as stack:
        silences = sorted(stack.table().all_silences(), key=lambda one: (one.ends, one.id))
    now = datetime.now(UTC)
    for silence in silences:
        state = silencing.state(silence, now)
        if form == "ndjson":
            row = {**asdict(silence), "begins": silence.begins.isoformat(), "ends": silence.ends.isoformat()}
            click.echo(json.dumps({**row, "matchers": dict(silence.matchers), "state": state}, ensure_ascii=False))
        else:
            click.echo(f"{silence.id}  {state:8}  {silencing.told(silence)}")
    if not silences and form != "ndjson":
        click.echo("no silence")
    return FINE


@command.command("expire")
@stack_option
@click.argument("names", nargs=-1, required=True, metavar="ID...")
def expire(stack_name: str, names: tuple[str, ...]) -> int:
    """Ends silences now. The next report of what they held back rings."""
    from tocsin.adapters.stack import deployed

    now = datetime.now(UTC).replace(microsecond=0)
    with deployed(stack_name) as stack:
        table = stack.table()
        known = {silence.id: silence for silence in table.all_silences()}
        if unknown := [name for name in names if name not in known]:
            raise InputFault(f"there is no silence {', '.join(unknown)}", mend="`tocsin silence list` shows them")
        for name in names:
            silence = known[name]
            if silence.ends > now:
                table.add_silence(replace(silence, begins=min(silence.begins, now), ends=now))
            click.echo(f"{name}  ended")
    return FINE
