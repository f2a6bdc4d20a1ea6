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
    "materiel of an unknown list": (with_("runbook:", "what: {from: {boot: boots}, vague: {shoes: [boot]}}\nrunbook:"), "TOC303", "'boots'"),
    "a tab": (with_("story: {same: [who], quiet_for: 3d}", "story:\n\tsame: [who]"), "TOC106", "indent with spaces"),
    "a tab in a list": (with_("[Parades.]", "[Parades.,\n\tMarches.]"), "TOC106", "indent with spaces"),
    "Latin-1": (raw(SOUND.replace("Somebody", "Jérôme").encode("latin-1")), "TOC103", "encoding UTF-8"),
    "UTF-16": (raw(SOUND.encode("utf-16")), "TOC103", "encoding UTF-8"),
    "a picture": (raw(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), "TOC103", "encoding UTF-8"),
    "a zero byte": (text("title: a\0b\n"), "TOC104", "remove it"),
    "a bell": (text("title: a\ab\n"), "TOC104", "remove it"),
    "nothing": (text(""), "TOC210", "is empty; write fields"),
    "only comments": (text("# later\n"), "TOC210", "is empty; write fields"),
    "a list": (text("- title: A\n"), "TOC210", "and no fields; write fields"),
    "a word": (text("title\n"), "TOC210", "holds 'title' and no fields"),
    "two documents": (text(f"{SOUND}---\n{SOUND}"), "TOC111", "split the file"),
    "a merge left undone": (
        with_("title: Marching", "<<<<<<< HEAD\ntitle: Marching\n=======\ntitle: A march\n>>>>>>> theirs"), "TOC115", "up to line 5",
    ),
    "the mark of a merge": (text(f"{SOUND}=======\n"), "TOC115", "remove those that begin with"),
    "a merge on Windows": (
        raw(SOUND.replace("title: M", "<<<<<<< HEAD\n=======\n>>>>>>> b\ntitle: M").replace("\n", "\r\n").encode()), "TOC115", "both versions",
    ),
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
    "a word for a list": (with_("[Parades.]", "Parades"), "TOC210", "should be a list, like [one, another], not 'Parades'"),
    "a word for fields": (with_("{same: [who], quiet_for: 3d}", "who"), "TOC210", "story: should hold fields, like {name: value}, not 'who'"),
    "a field misspelt": (with_("forms:", "froms:"), "TOC204", "unknown field 'froms', did you mean 'forms'?"),
    "quotation marks that are none": (
        with_('{text: "Ruritania marched its host."', "{text: “Ruritania marched, it seems, its host.”"), "TOC204", "only the straight quotation marks",
    ),
    "a head that is no list": (with_("<host>}", "<host>, head: moves}"), "TOC309", "name a list of the form: march, host"),
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


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        pytest.param("strolling.yml", "rename it strolling.yaml", id="another ending"),
        pytest.param("strolling.yaml.txt", "rename it strolling.yaml", id="an editor's ending"),
        pytest.param("Strolling.YAML", "rename it Strolling.yaml", id="capitals"),
        pytest.param("europe/strolling.yaml", "move it there", id="a folder of its own"),
    ],
)
def test_a_file_that_is_not_read_is_a_fault(folder: Path, name: str, mend: str) -> None:
    """What is called or laid so that no rule comes of it is told: whoever wrote it believes that it rings."""
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(SOUND, encoding="utf-8")
    (folder / "_parked.yml").write_text(SOUND, encoding="utf-8")
    ran = tocsin("check", "--rules", folder)
    assert [ran.code, ran.out.count("\n")] == [1, 1]
    assert ran.out.startswith(f"rules/{name}:1:1: is not read: ")
    assert mend in ran.out


def test_one_file_alone_is_checked(folder: Path) -> None:
    """Of a file that is named the faults and tests are told, of the others how many they have; by its name, and where tests are run."""
    (folder / "other.yaml").write_text("title: [", encoding="utf-8")
    (folder / BAD).write_text(SOUND.replace("who: ruritania", "who: zenda"), encoding="utf-8")
    ran = tocsin("check", "--rules", folder, folder / "marching.yaml")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == "1 rule, 0 faults, 2 inline tests, 0 failed; 1 fault in other files\n"
    ran = tocsin("check", "--rules", folder, folder / BAD)
    assert ran.out.startswith(f"rules/{BAD}:")
    assert ran.out.count("\n") == 1
    ran = tocsin("check", "--rules", folder, folder / "nowhere.yaml")
    assert (ran.code, "rules/nowhere.yaml:1:1: cannot be read" in ran.out) == (1, True)
    assert tocsin("test", "--rules", folder, folder / "marching.yaml").code == 1  # for the fault of the other file
    ran = tocsin("test", "--rules", folder, "other")
    assert "other: none of its tests was run (mend the faults told above)" in ran.err
    assert "there is no rule marchin, did you mean 'marching'?" in tocsin("test", "--rules", folder, "marchin").err


@pytest.mark.parametrize("what", FILES)
def test_a_bad_file_is_a_fault(folder: Path, what: str) -> None:
    """A bad file beside a sound one is told with its name, line, column, code and mend; the sound one is tested all the same."""
    make, code, told = FILES[what]
    make(folder / BAD)
    ran = tocsin("check", "--rules", folder, "--format", "ndjson")
    assert ran.code == 1
    assert "Traceback" not in ran.err
    assert ran.err.splitlines()[-1].startswith("1 rule, ")
    found = [row for row in ran.rows if row["code"] == code]
    assert found, ran.rows
    assert all(
        row["file"] == f"rules/{BAD}" and row["line"] >= 1 and row["column"] >= 1 and row["mend"] for row in ran.rows
    )
    assert any(told in row["what"] for row in found), found
    assert found[0]["mend"] == OF_CODE[code].mend


@pytest.mark.parametrize("name", ["rules/lists/army.yaml", "rules/cues/plans.yaml", "rules/routes.yaml", "feeds.yaml"])
def test_a_merge_left_undone_is_told_in_every_kind_of_file(folder: Path, name: str) -> None:
    """The marks that git leaves are told as such wherever they stand, twice where two places were changed on both sides."""
    clash = "<<<<<<< HEAD\na: b\n=======\na: c\n>>>>>>> theirs\n"
    path = folder.parent / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{clash}kind: words\n{clash}", encoding="utf-8")
    ran = tocsin("check", "--rules", folder, *([path] if name == "feeds.yaml" else []), "--format", "ndjson")
    clashes = [row for row in ran.rows if row["file"].endswith(name)]
    assert [(row["code"], row["line"], row["column"]) for row in clashes] == [("TOC115", 1, 1), ("TOC115", 7, 1)]
    assert "both versions stand here, up to line 5" in clashes[0]["what"]


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
    assert ran.err.startswith("1 rule, 300 faults, 2 inline tests, 0 failed")
