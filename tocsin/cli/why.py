"""`tocsin why`: why an article was alerted or not, and why two are one story or two."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import click

from tocsin.cli import FINE
from tocsin.cli.options import load_rules, read_inputs, rules_option, stack_option
from tocsin.errors import SettingsFault
from tocsin.why import answer


@click.command("why")
@stack_option
@rules_option
@click.option(
    "--replay",
    "paths",
    multiple=True,
    metavar="PATH",
    help="Ask a replay of these articles instead of the deployed stack.",
)
@click.argument("target")
@click.argument("other", required=False)
def command(stack_name: str, rules: Path, paths: tuple[str, ...], target: str, other: str | None) -> int:
    """Answers "why was I (not) told" and "why one alert and not two".

    TARGET is an article's id or URL, or a story's id. With OTHER, both are articles: which slots agree, which differ.
    """
    rule_set = load_rules(rules).rule_set
    policies = rule_set.policy
    from tocsin.detection import detect
    from tocsin.memory import Ended, Kept

    if paths:
        from infra.replay import Options, replay

        replayed = replay(list(read_inputs(paths)), Options(rules))
        records = tuple(arrival.fate for arrival in replayed.arrivals)
        _say(answer(target, other, Ended(records, replayed.stories), policies))
        return FINE
    from tocsin.adapters.stack import deployed

    try:
        with deployed(stack_name) as stack:
            _say(answer(target, other, Kept(stack.table(), stack.archive(), partial(detect, rule_set)), policies))
    except SettingsFault as fault:
        raise SettingsFault(f"{fault}; or ask a replay of articles that lie here: --replay seeds") from fault
    return FINE


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)
