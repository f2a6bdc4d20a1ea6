"""`tocsin routes`: where alerts go, and why."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from tocsin.artefact import Artefact
from tocsin.cli import BAD_INPUT, FINE
from tocsin.cli.options import format_option, load_rules, moment, read_inputs, report_fault, rules_option
from tocsin.detection import detect
from tocsin.routefile import load, names_of
from tocsin.routes import FIELDS, Facts, Place, facts_of
from tocsin.rules import near
from tocsin.signal import LEVELS, STAGES


@click.group("routes")
def command() -> None:
    """Receivers and routes stand in rules/routes.yaml; `tocsin check` reads them with the rules."""


@command.command("test")
@rules_option
@format_option
@click.option("--rule", help="Name of a rule.")
@click.option(
    "--level", type=click.Choice(LEVELS), help="When nothing is said, the rule's own at this stage, else medium."
)
@click.option("--who", help="Slug of an actor: north-korea.")
@click.option("--where", help="Slug of a place.")
@click.option("--what", help="Slug of materiel.")
@click.option("--stage", type=click.Choice(STAGES), help="How far it has come.")
@click.option("--at", callback=moment, metavar="WHEN", help="When it would be posted, in UTC.  [default: now]")
@click.argument("paths", nargs=-1)
def test(rules: Path, form: str, at: datetime | None, paths: tuple[str, ...], **given: str | None) -> int:
    """Shows where an alert would go and why: one that the options describe, or those of the articles in PATHS.

    Nothing is sent. The channel `default` is the one the deployment names.
    """
    if paths and any(given.values()):
        raise click.UsageError("describe an alert with options, or name articles; not both")
    loaded = load_rules(rules)
    routes, now = load(rules, loaded), at or datetime.now(UTC)
    if not paths:
        facts = _described(given, loaded)
        _show(facts, routes.places(facts, now), form)
        return FINE
    rejected = False
    for entry in read_inputs(paths):
        if entry.article is None:
            rejected = True
            report_fault(entry)
            continue
        signals = [one for one in detect(loaded.rule_set, entry.article) if loaded.rule_set.policy(one.rule).posted]
        for one in signals:
            level = loaded.rule_set.policy(one.rule).level_of(one.stage)
            facts = Facts(one.rule, level, one.who or "", one.where or "", one.what or "", one.stage)
            _show(facts, routes.places(facts, now), form, entry.article.id)
        if not signals and form != "ndjson":
            click.echo(f"{entry.article.id}: no signal")
    return BAD_INPUT if rejected else FINE


def _described(given: dict[str, str | None], loaded: Artefact) -> Facts:
    """The alert that the options describe."""
    for name in ("rule", "who", "where", "what"):
        value, known = given[name], names_of(name, loaded)
        if value and value not in known:
            raise click.BadParameter(f"there is no {value!r}{near(value, known)}", param_hint=f"--{name}")
    rule, stage = given["rule"], given["stage"]
    own = loaded.rule_set.policy(rule).level_of(stage) if rule and stage else "medium"
    return facts_of({**given, "level": given["level"] or own})


def _show(facts: Facts, places: Sequence[Place], form: str, article: str = "") -> None:
    told = {name: value for name in FIELDS if (value := getattr(facts, name))}
    if form == "ndjson":
        for place in places:
            click.echo(json.dumps(({"article": article} if article else {}) | _row(told, place), ensure_ascii=False))
        return
    click.echo((f"{article}: " if article else "") + ", ".join(f"{name} {value}" for name, value in told.items()))
    for place in places:
        click.echo(f"  goes to {place.receiver}: channel {', then '.join(place.channels)}")
        for depth, route in enumerate(place.way, 1):
            click.echo(f"  {'  ' * depth}{route} → {route.receiver}")
        if place.muted_until:
            until = f"{place.muted_until:%Y-%m-%d %H:%M} UTC"
            click.echo(f"  waits: {place.muted_by} mutes it until {until}; critical would pass")


def _row(told: dict[str, str], place: Place) -> dict[str, Any]:
    until = place.muted_until.isoformat() if place.muted_until else None
    way = [str(route) for route in place.way]
    row = {"alert": told, "receiver": place.receiver, "channels": list(place.channels), "way": way}
    return row | {"muted_by": place.muted_by or None, "muted_until": until}
