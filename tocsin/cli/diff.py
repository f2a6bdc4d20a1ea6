"""`tocsin diff`: what an edit of the rules does to alerts."""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from tocsin.adapters.rulebook import models
from tocsin.article import Article
from tocsin.cli import BAD_INPUT, FINDINGS, FINE
from tocsin.cli.backtest import read_all, row_of
from tocsin.cli.crowd import find
from tocsin.cli.history import git
from tocsin.cli.options import DEFAULT_RULES, load_models, period, rules_option
from tocsin.compiled import RuleSet
from tocsin.difference import KINDS, Change, Ended, compare
from tocsin.errors import InputFault, RuleFaults
from tocsin.rehearsal import Alert, Rehearsal, in_order
from tocsin.rules import Loaded
from tocsin.trial import articles as told_by

SEEDS = DEFAULT_RULES.parent / "seeds"
MOST = 100
"""Changes a comment lists; GitHub takes 65,536 characters."""


@dataclass
class Case:
    """Articles that are rehearsed together: the test of a rule, or all of an archive."""

    name: str
    articles: Sequence[Article]
    start: datetime
    rehearsals: list[Rehearsal] = field(default_factory=list)
    alerts: tuple[list[Alert], list[Alert]] = field(default_factory=lambda: ([], []))

    def changes(self) -> list[Change]:
        """What is different in the second rehearsal."""
        before, after = (Ended.of(*one) for one in zip(self.rehearsals, self.alerts, strict=True))
        return compare(before, after)


@click.command("diff")
@rules_option
@click.option(
    "--base",
    default="HEAD",
    show_default=True,
    metavar="REV|DIR",
    help="What to compare with: a revision of git, or a folder.",
)
@click.option(
    "--since", callback=period, metavar="PERIOD", help="Of the archives only what was published since: 30d, 8w."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "ndjson", "markdown"]),
    default="table",
    show_default=True,
    help="For people, one JSON object a line, or a comment on a pull request.",
)
@click.argument("paths", nargs=-1)
def command(rules: Path, base: str, since: timedelta | None, form: str, paths: tuple[str, ...]) -> int:
    """Shows which alerts an edit of the rules adds, drops, merges, splits or changes, each with its headline and sentence.

    The old and the new rules hear the seeds, the inline tests of all rules, and the archives at PATHS (as `tocsin backtest` reads them).
    """
    after = load_models(rules)
    with base_of(rules, base) as folder:
        before = models(folder)
    if not before.models:
        raise RuleFaults(before.faults)
    changes, heard, rejected = compared(before, after, paths, since)
    FORMS[form](changes, f"{heard}, against {base}")
    if rejected:
        return BAD_INPUT
    return FINDINGS if after.faults else FINE


def compared(
    before: Loaded, after: Loaded, paths: Sequence[str] = (), since: timedelta | None = None
) -> tuple[Changes, str, int]:
    """What is different in alerts, how much was heard, and how many inputs could not be read."""
    cases, rejected = cases_of([after, before], paths, since)
    return differences(before, after, cases), extent(cases), rejected


@contextmanager
def base_of(rules: Path, base: str) -> Iterator[Path]:
    """The folder of the rules to compare with."""
    if Path(base).is_dir():
        yield Path(base)
        return
    mend = "name a revision of git (main, HEAD~1) or a folder of rules with --base"
    if base.startswith("-"):
        raise InputFault("there is no such folder", base, mend)
    try:
        packed = git(rules, "archive", "--format=tar", base)  # of the folder alone
    except InputFault as fault:
        raise InputFault(fault.what, base, mend) from fault
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / rules.resolve().name
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(folder, filter="data")
        yield folder


def cases_of(
    loaded: Sequence[Loaded], paths: Sequence[str] = (), since: timedelta | None = None
) -> tuple[list[Case], int]:
    """Everything that is rehearsed, and how many inputs could not be read."""
    now = datetime.now(UTC)
    tests: dict[tuple[Article, ...], str] = {}
    for rule in (rule for one in loaded for rule in one.models.values()):
        for name, articles in told_by(rule):
            tests.setdefault(tuple(articles), name)
    cases = [Case(name, told, told[0].published or now) for told, name in tests.items()]
    if SEEDS.is_dir():
        cases.append(Case("seeds", *in_order(read_all([str(SEEDS)])[0], now)))
    if not paths:
        return cases, 0
    articles, rejected = read_all(paths)
    kept = [one for one in articles if since is None or (one.published is not None and one.published >= now - since)]
    return [*cases, Case("archive", *in_order(kept, now))], rejected


def differences(before: Loaded, after: Loaded, cases: Sequence[Case], jobs: int | None = None) -> Changes:
    """What is different between two sets of rules, kind by kind."""
    _rehearse(cases, [before.rule_set, after.rule_set], jobs)
    changes = [(case.name, change) for case in cases for change in case.changes()]
    return sorted(changes, key=lambda one: KINDS.index(one[1].kind))


def extent(cases: Sequence[Case]) -> str:
    """How much was heard."""
    return f"{len(cases):,} cases with {sum(len(case.articles) for case in cases):,} articles"


def _rehearse(cases: Sequence[Case], sets: Sequence[RuleSet], jobs: int | None) -> None:
    """Lets both sets of rules hear every case."""
    places = [(case, article) for case in cases for article in case.articles]
    for case in cases:
        case.rehearsals = [Rehearsal(rules, case.start) for rules in sets]
    found = find([article for _, article in places], sets, jobs=jobs)
    for (case, _), (article, one) in zip(places, found, strict=True):
        for rehearsal, alerts, signals in zip(case.rehearsals, case.alerts, one.signals, strict=True):
            alerts.extend(rehearsal.hears(article, signals))


Changes = Sequence[tuple[str, Change]]
"""Each change, with the name of its case."""


def counts_of(changes: Changes) -> str:
    """How many alerts of each kind: "2 added, 1 dropped"."""
    counts = Counter(change.kind for _, change in changes)
    return ", ".join(f"{counts[kind]} {kind}" for kind in KINDS if counts[kind]) or "no alert changes"


def _told(change: Change) -> str:
    alert = change.alert
    trial = ", on trial" if alert.trial else ""
    return f"{alert.rule}: {alert.story.partition('/')[2]} {alert.reason}, {alert.level}{trial}"


def headline(alert: Alert) -> str:
    """The headline of the article that raised an alert, with its outlet and day."""
    article = alert.article
    when = f", {article.published:%Y-%m-%d}" if article.published else ""
    return f"{article.title or article.id} ({article.source or 'unknown outlet'}{when})"


def _rows(changes: Changes, heard: str) -> None:
    for case, change in changes:
        row = {"change": change.kind, "case": case, "detail": change.detail, **row_of(change.alert)}
        click.echo(json.dumps(row, ensure_ascii=False))
    counts = Counter(change.kind for _, change in changes)
    click.echo(json.dumps({"summary": {**{kind: counts[kind] for kind in KINDS}, "heard": heard}}))


def show(changes: Changes, heard: str) -> None:
    """For people: each change with its headline and sentence."""
    from rich.console import Console
    from rich.text import Text

    styles = {"added": "green", "dropped": "red", "merged": "magenta", "split": "magenta", "changed": "yellow"}
    console = Console(highlight=False, soft_wrap=True)
    for case, change in changes:
        console.print(Text(f"{change.kind:8}{_told(change)}", style=f"bold {styles[change.kind]}"))
        if change.detail:
            console.print(Text(f"        {change.detail}", style=styles[change.kind]))
        console.print(Text(f"        {case}: {headline(change.alert)}"))
        if change.alert.sentence:
            console.print(Text(f"        {change.alert.sentence}", style="dim"))
    console.print(Text(counts_of(changes), style="bold"))
    console.print(Text(heard, style="dim"))


def _comment(changes: Changes, heard: str) -> None:
    """Markdown for a comment on a pull request."""
    click.echo(f"### What this edit does to alerts: {counts_of(changes)}\n")
    for case, change in changes[:MOST]:
        detail = f" — {_plain(change.detail)}" if change.detail else ""
        click.echo(f"- **{change.kind}** {_plain(_told(change))}{detail}")
        click.echo(f"  {_plain(case)}: {_plain(headline(change.alert))}")
        if change.alert.sentence:
            click.echo(f"  > {_plain(change.alert.sentence)}")
    if len(changes) > MOST:
        click.echo(f"\n… and {len(changes) - MOST} more: `tocsin diff` lists them.")
    click.echo(f"\n<sub>{_plain(heard)}</sub>")


_ESCAPES = {ord(letter): f"&#{ord(letter)};" for letter in "\\`*_[]<>|#@&"}


def _plain(text: str) -> str:
    """Words of the news without what Markdown, HTML or GitHub would take for something else."""
    short = text if len(text) <= 300 else f"{text[:300]}…"  # noqa: PLR2004 - a sentence that can be read
    return short.translate(_ESCAPES)


FORMS = {"table": show, "ndjson": _rows, "markdown": _comment}
