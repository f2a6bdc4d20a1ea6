"""`tocsin fmt`: files laid out alike, with every comment, and with the same meaning."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tests.system import ROOT, tocsin
from tocsin.cli.layout import laid_out
from tocsin.errors import InputFault, RuleFaults
from tocsin.source import parse

UNTIDY = """# head
title:   Marching   # why
forms:
 -   form:  <march>
     needs: [ a,b ,
         c]
 # between
 - {form: one,with: [two]}
pairs:
-   - x   # first
    - y
odd: [NO, 012, plain]
text: |
    Lines
      kept # no comment
folded: >-
  one
  two
quoted: 'single'
empty:



last: "double"\x20\x20
# end"""
TIDY = """# head
title: Marching     # why
forms:
  - form: <march>
    needs: [a, b, c]
 # between
  - {form: one, with: [two]}
pairs:
  - - x # first
    - "y"
odd: ["NO", "012", plain]
text: |
  Lines
    kept # no comment
folded: >-
  one
  two
quoted: 'single'
empty:

last: "double"
# end
"""


def test_how_a_file_is_laid_out() -> None:
    """Indents, blanks and line ends are the same everywhere; comments, their columns, quotes and meaning stay."""
    assert laid_out(UNTIDY, "x.yaml") == TIDY
    assert laid_out(TIDY, "x.yaml") == TIDY


def test_long_lists_break_between_their_entries() -> None:
    """A list in brackets goes on in the next line before an entry that would stand too far right, never inside one."""
    entries = [f"entry number {number}" for number in range(40)]
    written = laid_out(f"lists:\n  a: {{words: [x]}}\n  b: [{', '.join(entries)}]\n", "x.yaml")
    lines = written.splitlines()
    assert len(lines) == 7
    assert max(map(len, lines)) <= 160
    assert all(line.strip().startswith("entry number") for line in lines[3:])


def test_what_stands_in_braces_stays_on_its_line() -> None:
    """An inline test is a line, however long it is."""
    text = f'tests:\n  fires:\n    - {{text: "{"word " * 60}end", who: ruritania, flags: [a, b], stage: done}}\n'
    assert laid_out(text, "x.yaml") == text


@pytest.mark.parametrize("name", ["evacuation.yaml", "routes.yaml", "cues/budget.yaml", "lists/grammar.yaml"])
def test_shipped_files_keep_their_meaning_and_settle(name: str) -> None:
    """A shipped file laid out says what it said, to the order of its fields, and is not changed a second time."""
    text = (ROOT / "rules" / name).read_text(encoding="utf-8")
    once = laid_out(text, name)
    assert repr(parse(once, name).data) == repr(parse(text, name).data)
    assert laid_out(once, name) == once


_words = some.text("ab #:-'\"[]{},&*!|>%@?\\~éNO012.", max_size=8)


@settings(max_examples=60)
@given(
    some.recursive(
        _words, lambda inner: some.lists(inner, max_size=3) | some.dictionaries(_words, inner, max_size=3), max_leaves=8
    )
)
def test_any_file_keeps_its_meaning_or_is_left(data: object) -> None:
    """Whatever a file holds, it comes out meaning the same, or is refused."""
    import yaml

    text = yaml.safe_dump({"a": data}, allow_unicode=True)
    try:
        before = parse(text, "x.yaml").data
        after = laid_out(text, "x.yaml")
    except (RuleFaults, InputFault):
        return
    assert repr(parse(after, "x.yaml").data) == repr(before)


def test_the_command(tmp_path: Path) -> None:
    """`--check` only says which files would change, `--diff` shows how, and without either they are written."""
    path = tmp_path / "rules" / "x.yaml"
    path.parent.mkdir()
    path.write_text(UNTIDY, encoding="utf-8")
    looked = tocsin("fmt", "--check", path)
    assert (looked.code, looked.out) == (1, f"{path}: would be laid out anew\n")
    shown = tocsin("fmt", "--diff", path)
    assert (shown.code, "-title:   Marching   # why\n+title: Marching     # why\n" in shown.out) == (1, True)
    assert path.read_text(encoding="utf-8") == UNTIDY
    assert tocsin("fmt", path.parent).code == 0
    assert path.read_text(encoding="utf-8") == TIDY
    assert tocsin("fmt", "--check", path).code == 0


def test_a_file_that_cannot_be_read_is_told_and_left(tmp_path: Path) -> None:
    """A file that is no YAML is a fault with its place; the others are laid out all the same."""
    (tmp_path / "a.yaml").write_text("a: [", encoding="utf-8")
    (tmp_path / "b.yaml").write_text("a:   1", encoding="utf-8")
    ran = tocsin("fmt", tmp_path, tmp_path / "missing.yaml")
    assert ran.code == 3
    assert f"{tmp_path}/a.yaml:1:4: is not YAML" in ran.err
    assert "missing.yaml:1:1: cannot be read" in ran.err
    assert (tmp_path / "b.yaml").read_text(encoding="utf-8") == "a: 1\n"


@pytest.mark.parametrize("path", sorted(one.name for one in (ROOT / "rules" / "cues").glob("*.yaml")))
def test_the_shipped_cues_are_laid_out(path: str) -> None:
    """What Tocsin ships is laid out as `tocsin fmt` does it. Rules and lists take a quarter of a minute: `make layout` looks at them every night."""
    text = (ROOT / "rules" / "cues" / path).read_text(encoding="utf-8")
    assert laid_out(text, path) == text
