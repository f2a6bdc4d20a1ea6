"""Files that no analyst means to write: each is a fault with its place and how to mend it, never a traceback, and the other rules go on."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.marching import RULE
from tests.system import tocsin
from tocsin.checks import OF_CODE

BOMB = "a: &a [x, x]\n" + "".join(
    f"{b}: &{b} [*{a}, *{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
BAD = "strolling.yaml"
SOUND = RULE.replace("name: marching", "name: strolling").replace("0c1f6f1e", "0c1f6f1f")


def with_(old: str, new: str) -> Callable[[Path], object]:
    """A sound rule with something put in the place of something else."""
    assert old in SOUND
    return lambda path: path.write_text(SOUND.replace(old, new, 1), encoding="utf-8")


def text(content: str) -> Callable[[Path], object]:
    """A file with this text."""
    return lambda path: path.write_text(content, encoding="utf-8")


def raw(content: bytes) -> Callable[[Path], object]:
    """A file with these bytes."""
    return lambda path: path.write_bytes(content)


FILES: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "a bomb of aliases": (text(BOMB), "TOC107", "anchors and aliases"),
    "a bomb of merge keys": (text("a: {b: 1}\nc:\n  <<: {b: 1}\n"), "TOC113", "merge keys"),
    "an alias alone": (text("title: *none\n"), "TOC107", "write the value out"),
    "brackets without end": (text("tags: " + "[" * 100_000), "TOC110", "make it flatter"),
    "steps without end": (text("".join(" " * level + "a:\n" for level in range(60))), "TOC110", "make it flatter"),
    "two megabytes": (text("# " + "x" * 2_000_000), "TOC102", "split the file"),
    "sixty thousand values": (text(f"tags: [{'a, ' * 60_000}]"), "TOC109", "split the file"),
    "a key twice": (with_("runbook:", "title: Again\nrunbook:"), "TOC114", "remove one"),
    "a key of a part twice": (with_("quiet_for: 3d", "quiet_for: 3d, quiet_for: 4d"), "TOC114", "remove one"),
    "a tab": (with_("story: {same: [who], quiet_for: 3d}", "story:\n\tsame: [who]"), "TOC106", "indent with spaces"),
    "a tab in a list": (with_("[Parades.]", "[Parades.,\n\tMarches.]"), "TOC106", "indent with spaces"),
    "Latin-1": (raw(SOUND.replace("Somebody", "Jérôme").encode("latin-1")), "TOC103", "encoding UTF-8"),
    "UTF-16": (raw(SOUND.encode("utf-16")), "TOC103", "encoding UTF-8"),
    "a picture": (raw(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), "TOC103", "encoding UTF-8"),
    "a zero byte": (text("title: a\0b\n"), "TOC104", "remove it"),
    "a bell": (text("title: a\ab\n"), "TOC104", "remove it"),
    "nothing": (text(""), "TOC210", ""),
    "only comments": (text("# later\n"), "TOC210", ""),
    "a list": (text("- title: A\n"), "TOC210", ""),
    "a word": (text("title\n"), "TOC210", ""),
    "two documents": (text(f"{SOUND}---\n{SOUND}"), "TOC111", "split the file"),
    "a directive": (text(f"%YAML 1.2\n---\n{SOUND}"), "TOC105", "remove the line"),
    "a Python object": (with_("[Parades.]", "!!python/object/apply:os.system [ls]"), "TOC108", "quotes"),
    "a tag": (with_("Parades.", "!Parades again"), "TOC108", "quotes"),
    "quotes without end": (with_("title: Marching", 'title: "Marching'), "TOC105", "is not YAML"),
    "a bracket without end": (with_("[Parades.]", "[Parades."), "TOC105", "is not YAML"),
    "a comment that touches": (with_("[Parades.]", "[Parades.]# why"), "TOC105", "put one there"),
    "lines that go on too far left": (with_('"Nobody moved."', '"Nobody\nmoved."'), "TOC105", "indent the line further"),
    "a list as a key": (text("? [a]\n: 1\n"), "TOC112", "quotes"),
    "a name that is not the file's": (with_("name: strolling", "name: walking"), "TOC213", "rename one of them"),
    "a name that leads elsewhere": (with_("name: strolling", "name: ../../etc/passwd"), "TOC208", ""),
    "NO for a status": (with_("status: experimental", "status: NO"), "TOC207", "'NO'"),
    "on for a field": (with_("runbook:", "on:"), "TOC204", "unknown field 'on'"),
    "a number for a title": (with_("title: Marching", "title: 12"), "TOC210", "string"),
    "012 for a number": (with_("quiet_for: 3d", "quiet_for: 3d, tolerance: a012"), "TOC210", "'a012'"),
    "a time for a period": (with_("quiet_for: 3d", "quiet_for: 1:30"), "TOC209", "12h, 30d or 8w"),
    "a day that there is not": (
        with_("  silent:", "  update: [[{text: A, source: B, published: 2025-02-30}]]\n  silent:"), "TOC209", "2025-03-01",
    ),
    "a number beyond all": (with_("quiet_for: 3d", "quiet_for: 3d, tolerance: 999999999999999"), "TOC212", ""),
    "a word for a list": (with_("[Parades.]", "Parades"), "TOC210", "list"),
    "a list for a word": (with_("title: Marching", "title: [Marching]"), "TOC210", "string"),
    "a form of a megabyte": (with_("<march> ..4 <host>", "w " * 200_000), "TOC211", ""),
    "a form of brackets": (with_("<march> ..4 <host>", '"((((((((((<march>"'), "TOC305", "cannot read the form"),
    "a gap without end": (with_("..4", "..99999999999999999999"), "TOC306", "40 is the most"),
    "phrases that multiply": (
        with_("forms:\n  - {form: <march> ..4 <host>}", f"phrases: {{p: [{', '.join('abcdefghij')}]}}\nforms:\n  - {{form: {'<p> ' * 12}}}"),
        "TOC315", "write it as several",
    ),
    "choices that multiply": (with_("{nouns: [host]}", f'{{nouns: ["{"(a|b) " * 30}"]}}'), "TOC209", "write it as several"),
    "a folder": (lambda path: path.mkdir(), "TOC101", "check the path"),
    "a link to nothing": (lambda path: path.symlink_to("nowhere"), "TOC101", "check the path"),
    "a link to itself": (lambda path: path.symlink_to(path.name), "TOC101", "check the path"),
    "a pipe": (os.mkfifo, "TOC101", "it is no file"),
}  # fmt: skip


@pytest.mark.parametrize("what", FILES)
def test_a_bad_file_is_a_fault(folder: Path, what: str) -> None:
    """A bad file beside a sound one is told with its name, line, column, code and mend; the sound one is tested all the same."""
    make, code, told = FILES[what]
    make(folder / BAD)
    ran = tocsin("check", "--rules", folder, "--format", "ndjson")
    assert ran.code == 1
    assert "Traceback" not in ran.err
    assert ran.err.splitlines()[-1].startswith("1 rules, ")
    found = [row for row in ran.rows if row["code"] == code]
    assert found, ran.rows
    assert all(
        row["file"] == f"rules/{BAD}" and row["line"] >= 1 and row["column"] >= 1 and row["mend"] for row in ran.rows
    )
    assert any(told in row["what"] for row in found), found
    assert found[0]["mend"] == OF_CODE[code].mend


def test_there_are_enough() -> None:
    """At least thirty bad files are tried."""
    assert len(FILES) >= 30


def test_hundreds_of_bad_files(folder: Path) -> None:
    """However many files are bad, each is told, and the one that is not is tested."""
    for number in range(300):
        (folder / f"bad-{number}.yaml").write_text("a: [", encoding="utf-8")
    ran = tocsin("check", "--rules", folder)
    assert ran.code == 1
    assert ran.out.count("is not YAML") == 300
    assert ran.err.startswith("1 rules, 300 faults, 2 inline tests, 0 failed")
