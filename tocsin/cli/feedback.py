"""`tocsin feedback`: what the desk called not relevant, as tests for the rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path

import click

from tocsin.adapters.exchange import shown
from tocsin.cli import FINDINGS, FINE
from tocsin.cli.options import load_rules, rules_option, stack_option
from tocsin.errors import InputFault
from tocsin.feedback import FOLDER, Feedback
from tocsin.mending import mend

MAX_OBJECT = 100_000


@click.command("feedback")
@stack_option
@rules_option
@click.option("--apply", "applies", is_flag=True, help="Write the tests into the rule files instead of showing them.")
def command(stack_name: str, rules: Path, *, applies: bool) -> int:
    """Shows, as a diff of the rule files, a `silent:` test for each sentence that rang and was not relevant.

    Only sentences on which the rule fires today are taken: `tocsin check` fails until the rule is mended, which is the point.
    Exit code 1 when there is something to apply, or something could not be used.
    """
    loaded = load_rules(rules)
    found = False
    for name, told in sorted(_kept(stack_name).items()):
        file = rules / f"{name}.yaml"
        if name not in loaded.rule_set.order:
            _complain(f"{name}: there is no such rule (any more)")
            found = True
            continue
        text = file.read_text(encoding="utf-8-sig")
        mended = mend(told, loaded.rule_set, text, str(file))
        for one, why in mended.left:
            _complain(f"{name}: {why}: {one.sentence}")
        for one in mended.taken:
            _complain(
                f"{name}: {one.by}, {one.at[:10]}, {one.reason}{': ' if one.note else ''}{one.note} ({one.url or one.article})"
            )
        if mended.taken and applies:
            file.write_text(mended.text, encoding="utf-8")
            click.echo(f"{file}: {len(mended.taken)} added")
        elif mended.taken:
            found = True
            click.echo("".join(_diff(file, text, mended.text)), nl=False)
    return FINDINGS if found else FINE


def _kept(stack_name: str) -> dict[str, list[Feedback]]:
    """What is kept, by rule, the oldest first; an object that is no feedback is told and left."""
    from tocsin.adapters.stack import deployed

    found: dict[str, list[Feedback]] = defaultdict(list)
    with deployed(stack_name) as stack:
        archive = stack.archive()
        for key in archive.keys(FOLDER):
            try:
                one = Feedback.from_json(archive.read(key, limit=MAX_OBJECT), key)
            except InputFault as fault:
                _complain(str(fault))
                continue
            found[one.rule].append(one)
    return found


def _diff(file: Path, before: str, after: str) -> Iterator[str]:
    """A unified diff that `git apply` and `patch` take from the folder the command was called in."""
    for line in unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{file}", f"b/{file}"
    ):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _complain(what: str) -> None:
    click.echo(shown(what, 400), err=True)
