"""`tocsin detect`: signals in articles."""

from __future__ import annotations

import json
from pathlib import Path

import click

from tocsin.article import Article
from tocsin.cli import BAD_INPUT, FINDINGS, FINE
from tocsin.cli.options import format_option, load_rules, paths_argument, read_inputs, report_fault, rules_option
from tocsin.detection import detect
from tocsin.signal import Signal


@click.command("detect")
@rules_option
@format_option
@click.option("--trial", is_flag=True, help="Signals of rules on trial (status test or experimental), too.")
@paths_argument
def command(rules: Path, form: str, *, trial: bool, paths: tuple[str, ...]) -> int:
    """Finds the signals in articles.

    PATHS: .txt, .json or .jsonl files (an article a line: id, title, text, published, source, url), folders, or - for standard input.
    """
    loaded = load_rules(rules)
    rule_set = loaded.rule_set
    rejected = 0
    for entry in read_inputs(paths):
        if entry.article is None:
            rejected += 1
            report_fault(entry)
            continue
        signals = [one for one in detect(rule_set, entry.article) if trial or rule_set.policy(one.rule).posted]
        if form == "ndjson":
            click.echo(
                json.dumps(
                    {"id": entry.article.id, "signals": [signal.to_json() for signal in signals]}, ensure_ascii=False
                )
            )
        else:
            _show(entry.article, signals)
    if rejected:
        return BAD_INPUT
    return FINDINGS if loaded.faults else FINE


def _show(article: Article, signals: list[Signal]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    console.print(Text(f"{article.id}  {article.title}", style="bold"))
    if not signals:
        console.print("  no signal", style="dim")
    for signal in signals:
        slots = " · ".join(value for value in (signal.who, signal.where, signal.what) if value)
        console.print(
            Text(
                f"  {signal.rule}: {slots} · {signal.stage}, {signal.certainty} {' '.join(signal.flags)}".rstrip(),
                style="yellow",
            )
        )
        for sentence in signal.sentences:
            quoted = Text("    " + " ".join(sentence.quote.split()))
            console.print(quoted)
