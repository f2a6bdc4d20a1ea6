"""`tocsin explain`: what matched in each sentence, and what a near miss lacked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tocsin.article import Article
from tocsin.cli import BAD_INPUT, FINDINGS, FINE
from tocsin.cli.options import load_rules, paths_argument, read_inputs, report_fault, rules_option, so_many
from tocsin.compiled import RuleSet
from tocsin.detection import detect
from tocsin.match import Finding, parts, read
from tocsin.reasons import Role, coloured, nearly, reasons
from tocsin.signal import Field, Signal

if TYPE_CHECKING:
    from rich.console import Console

_STYLES: dict[Role, str] = {
    "head": "bold cyan", "form": "cyan", "who": "bold blue", "stage": "magenta", "certainty": "green", "flag": "yellow", "fresh": "bright_green",
    "drop": "bold red",
}  # fmt: skip
"""How words look by their roles."""


@click.command("explain")
@rules_option
@click.option("--rule", "name", help="Only this rule.")
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Every form that matched, and near misses where the rule found a signal, too.",
)
@paths_argument
def command(rules: Path, name: str | None, paths: tuple[str, ...], *, everything: bool) -> int:
    """Shows for each rule and sentence which form matched, which cue set what, and for near misses the one thing lacking.

    Last come the signals, as `tocsin detect` finds them. Of the forms that match in one sentence the first is shown, and of near misses
    those in sentences where the rule found nothing.
    """
    loaded = load_rules(rules)
    if name and name not in loaded.rule_set.order:
        known = loaded.rule_set.order
        raise click.BadParameter(f"there is no rule {name!r}; there are {', '.join(known)}")
    rejected = 0
    for entry in read_inputs(paths):
        if entry.article is None:
            rejected += 1
            report_fault(entry)
        else:
            _explain(loaded.rule_set, entry.article, name, everything=everything)
    if rejected:
        return BAD_INPUT
    return FINDINGS if loaded.faults else FINE


def _explain(rule_set: RuleSet, article: Article, name: str | None, *, everything: bool) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    console.print(Text(f"{article.id}  {article.title}", style="bold"))
    found: dict[tuple[str, Field, str], list[Finding]] = {}

    def hears(finding: Finding) -> None:
        rule = finding.rule.policy.name
        if name in {None, rule}:
            found.setdefault((rule, finding.sentence.page.field, finding.sentence.text), []).append(finding)

    signals = [signal for signal in detect(rule_set, article, hears) if name in {None, signal.rule}]
    if not found:
        console.print(f"  no form of {name or 'any rule'} matches a sentence", style="dim")
        for _, part in parts(article) if name else ():
            for sentence, lacks in nearly(rule_set, name or "", read(rule_set, part)):
                console.print(Text(f"    {' '.join(sentence.text.split())}\n    lacks  {lacks}", style="dim"))
        return
    if console.is_terminal:
        console.print(Text.assemble("  ", *((f"{role}  ", style) for role, style in _STYLES.items())))
    for some in found.values():
        _show(console, some, everything=everything)
    for signal in signals:
        console.print(Text(f"  signal {signal.rule}: {_slots(signal)}", style="bold green"))
    if not signals:
        console.print(Text("  no signal", style="bold yellow"))


def _show(console: Console, found: Sequence[Finding], *, everything: bool) -> None:
    """Prints what was found of a rule in a sentence: of what counts the first, else the first near miss."""
    from rich.text import Text

    counting = [one for one in found if not one.lacking]
    told = found if everything else (counting or found)[:1]
    for finding in told:
        what, style = ("near miss", "yellow") if finding.lacking else ("match", "green")
        console.print(Text(f"  {what} {finding.rule.policy.name}", style=style))
        console.print(_marked(finding))
        for line in reasons(finding):
            console.print(Text("    " + line))
    if more := 0 if everything else len(counting or found) - 1:
        console.print(Text(f"    and by {so_many(more, 'other form')}: --all shows them", style="dim"))


def _slots(signal: Signal) -> str:
    slots = [f"{slot} {value}" for slot in ("who", "where", "what") if (value := getattr(signal, slot))]
    return ", ".join([*slots, f"stage {signal.stage}", f"certainty {signal.certainty}", *signal.flags])


def _marked(finding: Finding) -> object:
    from rich.text import Text

    text = Text("    ")
    for piece, role in coloured(finding):
        text.append(piece.replace("\n", " "), style=_STYLES[role] if role else "")
    return text
