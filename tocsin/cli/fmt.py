"""`tocsin fmt`: files laid out alike, with their comments and their meaning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import unified_diff
from pathlib import Path

import click

from tocsin.cli import BAD_INPUT, FINDINGS, FINE
from tocsin.cli.layout import laid_out
from tocsin.cli.options import DEFAULT_RULES
from tocsin.errors import InputFault, RuleFaults
from tocsin.source import contents, decoded


@click.command("fmt")
@click.option("--check", "only_look", is_flag=True, help="Change nothing; exit code 1 when a file would change.")
@click.option("--diff", "shown", is_flag=True, help="Change nothing; show what would change.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
def command(paths: tuple[Path, ...], *, only_look: bool, shown: bool) -> int:
    """Lays out rules, lists, cues, routes and lists of feeds alike: indents, line lengths, quotes where other readers of YAML need them.

    PATHS: files, and folders with all their .yaml files; the rules of this checkout when nothing is said. Comments stay, and so does the
    meaning: a file for which that cannot be promised is left as it is, and told.
    """
    changed = failed = 0
    for path in _files(paths or [DEFAULT_RULES]):
        try:
            before, after = _both(path)
        except (RuleFaults, InputFault) as error:
            click.echo(str(error), err=True)
            failed += 1
            continue
        if before == after.encode():
            continue
        changed += 1
        if shown:
            old = before.decode("utf-8-sig").splitlines(keepends=True)
            click.echo("".join(unified_diff(old, after.splitlines(keepends=True), f"a/{path}", f"b/{path}")), nl=False)
        else:
            click.echo(f"{path}: {'would be' if only_look else 'was'} laid out anew")
        if not (only_look or shown):
            path.write_bytes(after.encode())
    if failed:
        return BAD_INPUT
    return FINDINGS if changed and (only_look or shown) else FINE


def _both(path: Path) -> tuple[bytes, str]:
    """A file as it is, and as it should be."""
    raw = contents(path, str(path))
    return raw, laid_out(decoded(raw, str(path)).text, str(path))


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(path.rglob("*.yaml")) if path.is_dir() else [path]
