"""`tocsin silence`: what the desk does not want to be told for a while."""

from __future__ import annotations

import getpass
import hashlib
import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path

import click

from tocsin.cli import FINE
from tocsin.cli.options import format_option, load_rules, moment, period, rules_option, stack_option
from tocsin.compiled import RuleSet
from tocsin.errors import InputFault
from tocsin.signal import STAGES
from tocsin.silence import MATCHERS, Silence

_ONE = f"{', '.join(MATCHERS[:-1])} or {MATCHERS[-1]}"


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
    pairs = tuple(_pair(one, load_rules(rules).rule_set) for one in matchers)
    name = hashlib.sha256(repr((pairs, start, ends, author, comment)).encode()).hexdigest()[:6]
    silence = Silence(name, pairs, start, ends, (author or getpass.getuser())[:100], comment[:300], hold_critical)
    from tocsin.adapters.stack import deployed

    with deployed(stack_name) as stack:
        stack.table().add_silence(silence)
    click.echo(f"{silence.id}  {_told(silence)}")
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
        state = "ended" if silence.ends <= now else "in force" if silence.begins <= now else "to come"
        if form == "ndjson":
            row = {**asdict(silence), "begins": silence.begins.isoformat(), "ends": silence.ends.isoformat()}
            click.echo(json.dumps({**row, "matchers": dict(silence.matchers), "state": state}, ensure_ascii=False))
        else:
            click.echo(f"{silence.id}  {state:8}  {_told(silence)}")
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


def _pair(matcher: str, rules: RuleSet) -> tuple[str, str]:
    """A matcher that can match something: a mistyped one would silence nothing and say nothing."""
    name, sign, value = matcher.partition("=")
    if not sign or name not in MATCHERS:
        raise click.UsageError(f"{matcher!r} is no matcher; write {_ONE}, =, and a value")
    policies = [rule.policy for rule in rules.rules]
    slugs = {slug for one in policies for slug in one.names}
    known: set[str] = {"rule": {one.name for one in policies}, "stage": {*map(str, STAGES)}}.get(name, slugs)
    if value not in known:
        near = get_close_matches(value, known, 3)
        raise click.UsageError(
            f"no {name} is called {value!r}" + (f"; did you mean {' or '.join(near)}?" if near else "")
        )
    return name, value


def _told(silence: Silence) -> str:
    what = " ".join(f"{name}={value}" for name, value in silence.matchers)
    critical = ", even critical" if silence.holds_critical else ""
    return f"{what}{critical} · {silence.begins:%Y-%m-%d %H:%M} to {silence.ends:%Y-%m-%d %H:%M} UTC · {silence.author}: {silence.comment}"
