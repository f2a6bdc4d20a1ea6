"""`tocsin schema`: JSON Schema of the YAML files, for editors."""

from __future__ import annotations

from pathlib import Path

import click

from tocsin.cli import FINDINGS, FINE
from tocsin.cli.options import load_models, rules_option
from tocsin.kinds import KINDS
from tocsin.schemas import everything, names_of, written


@click.command("schema")
@rules_option
@click.option(
    "--write", "folder", type=click.Path(path_type=Path, file_okay=False), help="Write all schemas into this folder."
)
@click.argument("kind", required=False, type=click.Choice(sorted(KINDS)))
def command(rules: Path, folder: Path | None, kind: str | None) -> int:
    """Prints the JSON Schema of one kind of YAML file, or writes those of all kinds into a folder.

    They are made of the models that read the files. Lists, cues and slugs of the rules are offered for completion; a rule may name others,
    for it has lists of its own.
    """
    if kind is None and folder is None:
        raise click.UsageError(f"name a kind ({', '.join(sorted(KINDS))}), or a folder with --write")
    loaded = load_models(rules)
    names = names_of(loaded)
    if kind:
        click.echo(written(KINDS[kind], names), nl=False)
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in everything(names).items():
            (folder / name).write_text(text, encoding="utf-8")
    return FINDINGS if loaded.faults else FINE
