"""`tocsin explain`: what matched in each sentence, and what a near miss lacked."""

from __future__ import annotations

from pathlib import Path

import click

from tocsin.article import Article
from tocsin.cli import BAD_INPUT, FINDINGS, FINE
from tocsin.cli.options import load_rules, paths_argument, read_inputs, report_fault, rules_option
from tocsin.compiled import RuleSet
from tocsin.match import Finding, findings, parts, read


@click.command("explain")
@rules_option
@click.option("--rule", "name", help="Only this rule.")
@paths_argument
def command(rules: Path, name: str | None, paths: tuple[str, ...]) -> int:
    """Shows for each rule and sentence which form matched, which cue set what, and for near misses the one thing lacking."""
    loaded = load_rules(rules)
    if name and name not in loaded.models:
        raise click.BadParameter(f"there is no rule {name!r}; there are {', '.join(loaded.models)}")
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
    for _, part in parts(article):
        pages = read(rule_set, part)
        for finding in (
            finding
            for rule in rule_set.rules
            if name in {None, rule.policy.name}
            for finding in findings(rule_set, rule, pages)
        ):
            console.print(
                Text(
                    "  " + ("near miss " if finding.lacking else "match ") + finding.rule.policy.name,
                    style="yellow" if finding.lacking else "green",
                )
            )
            console.print(_marked(finding))
            console.print(Text(f"    form   {finding.form.text}"))
            for line in _reasons(finding):
                console.print(Text("    " + line))


def _marked(finding: Finding) -> object:
    from rich.text import Text

    start = finding.sentence.span.start
    text = Text("    " + finding.sentence.text.replace("\n", " "))
    for begin, end in finding.sentence.marks(list(finding.match.hits)):
        text.stylize("bold cyan", 4 + begin - start, 4 + end - start)
    for cue, hit in finding.cues:
        for begin, end in (
            finding.sentence.marks([hit]) if finding.sentence.low <= hit.start < finding.sentence.high else ()
        ):
            text.stylize("magenta" if not cue.drop else "red", 4 + begin - start, 4 + end - start)
    return text


def _reasons(finding: Finding) -> list[str]:
    lines = [f"lacks  {finding.lacking}"] if finding.lacking else []
    lines.append(
        f"stage  {finding.stage}, {finding.certainty}"
        + (f", flags {', '.join(finding.flags)}" if finding.flags else "")
    )
    if finding.cues:
        lines.append("cues   " + ", ".join(cue.name for cue, _ in finding.cues))
    lines.append(
        "who    "
        + (
            ", ".join(f"{actor.slug} ({actor.how} {actor.strength})" for actor in finding.who[:3])
            or "nobody in the sentence"
        )
    )
    return lines
