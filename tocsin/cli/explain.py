"""`tocsin explain`: what matched in each sentence, and what a near miss lacked."""

from __future__ import annotations

from pathlib import Path

import click

from tocsin.article import Article
from tocsin.cli import BAD_INPUT, FINDINGS, FINE
from tocsin.cli.options import load_rules, paths_argument, read_inputs, report_fault, rules_option
from tocsin.compiled import RuleSet
from tocsin.detection import explained
from tocsin.match import Finding, parts, read
from tocsin.reasons import Role, coloured, reasons

_STYLES: dict[Role, str] = {
    "head": "bold cyan", "form": "cyan", "who": "bold blue", "stage": "magenta", "certainty": "green", "flag": "yellow", "fresh": "bright_green",
    "drop": "bold red",
}  # fmt: skip
"""How words look by their roles."""


@click.command("explain")
@rules_option
@click.option("--rule", "name", help="Only this rule.")
@paths_argument
def command(rules: Path, name: str | None, paths: tuple[str, ...]) -> int:
    """Shows for each rule and sentence which form matched, which cue set what, and for near misses the one thing lacking."""
    loaded = load_rules(rules)
    if name and name not in loaded.rule_set.order:
        raise click.BadParameter(f"there is no rule {name!r}; there are {', '.join(loaded.rule_set.order)}")
    rejected = 0
    for entry in read_inputs(paths):
        if entry.article is None:
            rejected += 1
            report_fault(entry)
        else:
            _explain(loaded.rule_set, entry.article, name)
    if rejected:
        return BAD_INPUT
    return FINDINGS if loaded.faults else FINE


def _explain(rule_set: RuleSet, article: Article, name: str | None) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    console.print(Text(f"{article.id}  {article.title}", style="bold"))
    if console.is_terminal:
        console.print(Text.assemble("  ", *((f"{role}  ", style) for role, style in _STYLES.items())))
    told = 0
    for _, part in parts(article):
        for finding in explained(rule_set, read(rule_set, part)):
            if name not in {None, finding.rule.policy.name}:
                continue
            told += 1
            what, style = ("near miss", "yellow") if finding.lacking else ("match", "green")
            console.print(Text(f"  {what} {finding.rule.policy.name}", style=style))
            console.print(_marked(finding))
            for line in reasons(finding):
                console.print(Text("    " + line))
    if not told:
        console.print("  no form of any rule matches a sentence", style="dim")


def _marked(finding: Finding) -> object:
    from rich.text import Text

    text = Text("    ")
    for piece, role in coloured(finding):
        text.append(piece.replace("\n", " "), style=_STYLES[role] if role else "")
    return text
