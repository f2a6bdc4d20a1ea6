"""`tocsin backtest`: what the rules would have done with an archive of articles."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import click

from tocsin.article import Article
from tocsin.cli import BAD_INPUT, FINDINGS, FINE
from tocsin.cli.crowd import Miss, find
from tocsin.cli.options import (
    format_option,
    load_rules,
    paths_argument,
    read_inputs,
    report_fault,
    rules_option,
    so_many,
)
from tocsin.compiled import RuleSet
from tocsin.errors import Fault, InputFault
from tocsin.expectations import broken, expectations
from tocsin.policy import Policy
from tocsin.rehearsal import Alert, Rehearsal, in_order, month

KINDS = ("fires", "stories", "alerts")


@dataclass
class Tally:
    """What an archive came to."""

    policies: Mapping[str, Policy]
    months: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """(rule, month, kind) → how many."""
    alerts: list[Alert] = field(default_factory=list)
    misses: list[tuple[Article, Miss]] = field(default_factory=list)
    articles: int = 0
    seconds: float = 0.0

    def count(self, rule: str, kind: str) -> int:
        """How many of a kind a rule has."""
        return sum(number for (name, _, one), number in self.months.items() if (name, one) == (rule, kind))

    def counts(self) -> dict[str, dict[str, int]]:
        """The same for every rule and kind."""
        return {name: {kind: self.count(name, kind) for kind in KINDS} for name in self.policies}


@click.command("backtest")
@rules_option
@format_option
@click.option(
    "--expect",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file of expectations; fails where one is not met.",
)
@click.option("--near", type=click.IntRange(0), default=3, show_default=True, help="Near misses to list of each rule.")
@click.option("--alerts", "listed", is_flag=True, help="List the alerts, too.")
@paths_argument
def command(  # noqa: PLR0913 - a command has a parameter for each option
    rules: Path, form: str, expect: Path | None, near: int, *, listed: bool, paths: tuple[str, ...]
) -> int:
    """Runs an archive of articles through the rules, and counts fires, stories and alerts of each rule in each month.

    PATHS: folders, .jsonl and .jsonl.gz files, s3://BUCKET/PREFIX, and whatever `tocsin detect` reads. Rules on trial are counted, too.
    A near miss is a sentence that lacked one thing, in an article in which its rule stayed silent.
    """
    loaded = load_rules(rules)
    expected = expectations(expect, loaded.rule_set.order) if expect else {}
    tally, rejected = tally_of(loaded.rule_set, paths, near=near > 0)
    unmet = list(broken(expected, tally.counts()))
    if form == "ndjson":
        _rows(tally, unmet)
    else:
        _show(tally, unmet, near, listed=listed)
    if rejected:
        return BAD_INPUT
    return FINDINGS if loaded.faults or unmet else FINE


def tally_of(rules: RuleSet, paths: Sequence[str], *, near: bool = False) -> tuple[Tally, int]:
    """What the archive at some paths comes to, and how many inputs could not be read."""
    articles, rejected = read_all(paths)
    order, start = in_order(articles, datetime.now(UTC))
    tally = Tally({rule.policy.name: rule.policy for rule in rules.rules}, articles=len(order))
    rehearsal = Rehearsal(rules, start)
    began = time.monotonic()
    for article, found in find(order, [rules], near=near):
        tally.months.update((signal.rule, month(article), "fires") for signal in found.signals[0])
        tally.alerts += rehearsal.hears(article, found.signals[0])
        tally.misses += [(article, miss) for miss in found.misses]
    tally.months.update((alert.rule, alert.month, "alerts") for alert in tally.alerts)
    tally.months.update((story.rule, story.first_seen[:7], "stories") for story, _ in rehearsal.stories().values())
    tally.seconds = time.monotonic() - began
    return tally, rejected


def read_all(paths: Sequence[str]) -> tuple[list[Article], int]:
    """The articles of all paths, and how many inputs could not be used; each of those is reported."""
    articles: list[Article] = []
    rejected = 0
    for entry in read_inputs(paths):
        if entry.article is None:
            rejected += 1
            report_fault(entry)
        else:
            articles.append(entry.article)
    if not articles:
        raise InputFault("no article that can be read", ", ".join(paths), "name files or folders that hold some")
    return articles, rejected


def _rows(tally: Tally, unmet: Sequence[Fault]) -> None:
    for alert in tally.alerts:
        click.echo(json.dumps(row_of(alert), ensure_ascii=False))
    for article, miss in tally.misses:
        told = {"near_miss": miss.rule, "lacking": miss.lacking, "form": miss.form, "sentence": miss.sentence}
        click.echo(json.dumps({**told, "article": article.id, "title": article.title}, ensure_ascii=False))
    for rule, when in sorted({(rule, when) for rule, when, _ in tally.months}):
        counts = {kind: tally.months[rule, when, kind] for kind in KINDS}
        click.echo(json.dumps({"rule": rule, "month": when, **counts}))
    for fault in unmet:
        click.echo(json.dumps({"unmet": fault.what, "file": fault.file, "line": fault.line}))
    summary = {"articles": tally.articles, "seconds": round(tally.seconds, 3), "near_misses": len(tally.misses)}
    click.echo(json.dumps({"summary": {**summary, "rules": tally.counts(), "unmet": len(unmet)}}))


def row_of(alert: Alert) -> dict[str, object]:
    """An alert as JSON values."""
    article = alert.article
    return {
        "alert": f"{alert.story}/{alert.reason}", "rule": alert.rule, "story": alert.story, "reason": alert.reason, "level": alert.level,
        "trial": alert.trial, "article": article.id, "title": article.title, "outlet": article.source,
        "published": article.published.isoformat() if article.published else None, "sentence": alert.sentence,
    }  # fmt: skip


def _show(tally: Tally, unmet: Sequence[Fault], near: int, *, listed: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for alert in tally.alerts if listed else ():
        when = f"{alert.article.published:%Y-%m-%d}" if alert.article.published else "undated"
        trial = ", on trial" if alert.trial else ""
        told = f"{when} {alert.level}{trial} {alert.story} {alert.reason}"
        console.print(Text(told, style="bold"))
        console.print(
            Text(f"    {alert.article.source or 'unknown outlet'}: {alert.article.title or alert.article.id}")
        )
        console.print(Text(f"    {alert.sentence}", style="dim"))
    missed = Counter(miss.rule for _, miss in tally.misses)
    for name in tally.policies:
        _show_misses(name, [one for one in tally.misses if one[1].rule == name], near)
    table = Table(box=None, pad_edge=False)
    for column in ("rule", "status", "month", *KINDS, "near misses"):
        table.add_column(column, justify="left" if column in {"rule", "status", "month"} else "right")
    for name, policy in tally.policies.items():
        whole = [str(tally.count(name, kind)) for kind in KINDS]
        table.add_row(Text(name, style="bold"), policy.status, "all", *whole, str(missed[name]), style="bold")
        for when in sorted({when for rule, when, _ in tally.months if rule == name}):
            table.add_row("", "", when, *(str(tally.months[name, when, kind]) for kind in KINDS))
    console.print(table)
    speed = tally.articles / tally.seconds if tally.seconds else 0
    console.print(Text(f"{tally.articles:,} articles in {tally.seconds:.1f} s ({speed:,.0f} a second)", style="dim"))
    for fault in unmet:
        console.print(Text(str(fault), style="bold red"))


def _show_misses(rule: str, misses: Sequence[tuple[Article, Miss]], near: int) -> None:
    """What the near misses of a rule lacked, the most frequent first, each with a sentence."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    lacking = Counter(miss.lacking for _, miss in misses)
    for what, count in lacking.most_common(near):
        article, miss = next((article, miss) for article, miss in misses if miss.lacking == what)
        console.print(Text(f"near miss {rule}: lacks {what} ({so_many(count, 'time')})", style="yellow"))
        console.print(Text(f"    {article.id}: {miss.sentence}", style="dim"))
