"""`tocsin replay`: the whole pipeline on moto."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click

from tocsin.cli import BAD_INPUT, FINDINGS, FINE
from tocsin.cli.options import format_option, load_rules, paths_argument, read_inputs, report_fault, rules_option
from tocsin.cli.pace import Pace
from tocsin.errors import InputFault, SettingsFault

_UNITS = {"h": 1 / 24, "d": 1.0, "w": 7.0}


def _age(_context: click.Context, _parameter: click.Parameter, value: str | None) -> float:
    if value is None:
        return 0.0
    if not value[:-1].isdigit() or value[-1] not in _UNITS:
        raise click.BadParameter("write an age as a number and a unit: 12h, 7d or 2w")
    return int(value[:-1]) * _UNITS[value[-1]]


@click.command("replay")
@rules_option
@format_option
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write the replay as one HTML page.")
@click.option("--shuffle", type=int, metavar="SEED", help="Let the articles arrive in a random order.")
@click.option("--as-given", is_flag=True, help="Let the articles arrive as they are given, not as they were published.")
@click.option(
    "--batch",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    help="Articles that arrive at the same moment.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    help="Processes that share the articles; if not given, all cores for more than 200 of them.",
)
@click.option(
    "--max-age", callback=_age, metavar="AGE", help="Older articles are recorded as stale, not posted (12h, 7d, 2w)."
)
@click.option(
    "--slack",
    is_flag=True,
    help="Post to the workspace of TOCSIN_SLACK_TOKEN and TOCSIN_SLACK_CHANNEL instead of the local Slack.",
)
@paths_argument
def command(
    rules: Path,
    form: str,
    html: Path | None,
    shuffle: int | None,
    as_given: bool,
    batch: int,
    jobs: int | None,
    max_age: float,
    slack: bool,
    paths: tuple[str, ...],
) -> int:
    """Runs articles through the deployed functions, with resources made from template.yaml on moto and a local Slack."""
    loaded = load_rules(rules)
    inputs = list(read_inputs(paths))
    if not inputs:
        raise InputFault("no article to replay", ", ".join(paths), "name files or folders that hold some")
    workspace = _workspace() if slack else None
    from infra.replay import Options, replay

    options = Options(rules, shuffle, as_given, batch, max_age, workspace, jobs=jobs)
    if form == "ndjson":
        pace = Pace(len(inputs))
        options.on_progress = lambda done, _: pace.tell(done)
        replayed = replay(inputs, options)
        for row in rows(replayed):
            click.echo(json.dumps(row, ensure_ascii=False))
    else:
        from tocsin.cli.show import show_replay

        replayed = show_replay(inputs, options, replay)
    if html:
        from infra.page import render

        html.parent.mkdir(parents=True, exist_ok=True)
        html.write_text(render(replayed), encoding="utf-8")
        click.echo(f"page: {html}", err=form == "ndjson")
    faults = [entry for entry in inputs if entry.fault]
    for entry in faults:
        report_fault(entry)
    if faults:
        return BAD_INPUT
    return FINDINGS if loaded.faults else FINE


def _workspace() -> dict[str, str]:
    token, channel = os.environ.get("TOCSIN_SLACK_TOKEN", ""), os.environ.get("TOCSIN_SLACK_CHANNEL", "")
    if not token or not channel:
        raise SettingsFault(
            "--slack needs TOCSIN_SLACK_TOKEN (a bot token, xoxb-…) and TOCSIN_SLACK_CHANNEL (a channel id, C…) in the environment"
        )
    return {"token": token, "channel": channel}


def rows(replayed: Any) -> list[dict[str, Any]]:
    """The NDJSON output: articles in order of arrival, then alerts, then the summary."""
    found: list[dict[str, Any]] = []
    for arrival in replayed.arrivals:
        fate = arrival.fate
        found.append({"id": arrival.article, "signals": list(fate.signals), "fate": fate.fate, "reason": fate.reason})
    for message in replayed.alerts:
        told = message.metadata["event_payload"]
        found.append({
            **{name: told[name] for name in ("alert", "story", "reason", "level")}, "text": message.text, "blocks": list(message.blocks),
            "channel": message.channel, "ts": message.ts, "thread_ts": message.thread_ts,
        })  # fmt: skip
    return [*found, {"summary": replayed.summary()}]
