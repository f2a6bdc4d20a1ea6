"""Strict YAML: what is refused, where the fault is said to be, and what words mean."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tocsin.errors import Fault, RuleFaults
from tocsin.source import MAX_BYTES, MAX_DEPTH, MAX_NODES, parse, read


def faults_of(text: str) -> list[Fault]:
    """The faults of a text that must have some."""
    with pytest.raises(RuleFaults) as caught:
        parse(text, "x.yaml")
    return caught.value.faults


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        pytest.param("a: &x 1\nb: *x\n", (1, 4), "anchors and aliases", id="anchor"),
        pytest.param("a: 1\nb: *x\n", (2, 4), "anchors and aliases", id="alias of nothing"),
        pytest.param("a:\n  <<: {b: 1}\n", (2, 3), "merge keys", id="merge key"),
        pytest.param("a: 1\nb: 2\na: 3\n", (3, 1), "'a' is here twice", id="duplicate key"),
        pytest.param("a:\n  b: 1\n  b: 1\n", (3, 3), "'b' is here twice", id="nested duplicate key"),
        pytest.param("a:\n\tb: 1\n", (2, 1), "holds a tab", id="tab"),
        pytest.param("a: !!python/object/apply:os.system [ls]\n", (1, 4), "tags", id="tag of a list"),
        pytest.param("a: 1\n---\nb: 1\n", (2, 1), "another document", id="second document"),
        pytest.param("a: !!int '3'\n", (1, 4), "tags", id="tag of a word"),
        pytest.param("a: !!set {b}\n", (1, 4), "tags", id="tag of a mapping"),
        pytest.param("a: ! b\n", (1, 4), "tags", id="bare tag"),
        pytest.param("? [a]\n: 1\n", (1, 3), "a key must be a word", id="list as a key"),
        pytest.param(
            "a: [1, 2\nb: 3\n", (1, 4), "the [ that opens here is not closed; write a: [1, 2]", id="open bracket"
        ),
        pytest.param('a: "b\n', (1, 4), 'opens here is not closed; write a: "b"', id="open quotes"),
        pytest.param("a: b: c\n", (1, 4), 'quotation marks; write a: "b: c"', id="second colon"),
        pytest.param('a: "b"#c\n', (1, 7), "a comment begins with a blank", id="comment at quotes"),
        pytest.param("a: [b, c]#d\n", (1, 10), "a comment begins with a blank", id="comment at a bracket"),
        pytest.param("a: [b,#c\n  d]\n", (1, 7), "a comment begins with a blank", id="comment at a comma"),
        pytest.param("a: >#c\n  b\n", (1, 5), "a comment begins with a blank", id="comment at a block"),
        pytest.param("a: [b,\nc]\n", (2, 1), "began on line 1 goes on here", id="list that goes on too far left"),
        pytest.param("x:\n  a: 'b\n  c'\n", (3, 3), "began on line 2 goes on here", id="words that go on too far left"),
        pytest.param("a: 'b\n\tc'\n", (2, 1), "a tab stands where spaces must", id="tab where a value goes on"),
        pytest.param("a: [b, -]\n", (1, 8), "a dash alone", id="dash in a list"),
        pytest.param("# c\n%YAML 1.2\n---\na: 1\n", (2, 1), "directives", id="directive"),
        pytest.param("a: |\n    \n  b\n", (1, 4), "reaches further than its first line", id="blank line in a block"),
        pytest.param("a: 1\nb: x\x07y\n", (2, 5), "U+0007", id="control character"),
        pytest.param("a: \x00\n", (1, 4), "U+0000", id="zero"),
        pytest.param("a: \ud800\n", (1, 4), "U+D800", id="lone surrogate"),
        pytest.param('a: "\\ud800"\n', (1, 7), "is not YAML", id="escaped lone surrogate"),
    ],
)
def test_what_is_refused(text: str, place: tuple[int, int], what: str) -> None:
    """A construct that hides what a rule says is refused, with its line and column."""
    (fault,) = faults_of(text)
    assert (fault.line, fault.column) == place
    assert what in fault.what


WRITTEN = """title: Border closed
lists:
  shut: {verbs: [close, seal]}
  frontier: {nouns: [border]}
forms:
  - {form: <shut> ..3 <frontier>}
tests:
  fires:
    - {text: "Poland closed its border.", who: poland}
  silent:
    - "Poland closed its embassy."
    - "Finland closed its shops."
"""
SLIPS = {
    "quotes not closed": ('its embassy."', "its embassy.", (11, 7), 'write - "Poland closed its embassy."'),
    "quotes not closed in brackets": (
        'its border."',
        "its border.",
        (9, 14),
        '"Poland closed its border.", who: poland}',
    ),
    "quotes inside": ("its embassy", 'its "embassy"', (11, 26), "write - \"Poland closed its 'embassy'.\""),
    "an apostrophe inside": ("Border closed", "'Poland's border'", (1, 15), 'write title: "Poland\'s border"'),
    "a colon in a text": ("Border closed", "Border: closed", (1, 8), 'write title: "Border: closed"'),
    "a colon missing": ("title:", "title", (1, 6), "write title: Border closed"),
    "a colon missing behind a part": ("forms:", "forms", (5, 6), "write forms:"),
    "a blank missing": ("title: ", "title:", (1, 6), "write title: Border closed"),
    "a square bracket missing": ("seal]", "seal", (3, 17), "write shut: {verbs: [close, seal]}"),
    "a brace missing": ("seal]}", "seal]", (3, 9), "write shut: {verbs: [close, seal]}"),
    "a brace too many": ("seal]}", "seal]}}", (3, 31), "write shut: {verbs: [close, seal]}"),
    "a dash missing": (
        '- "Poland closed its e',
        '"Poland closed its e',
        (11, 5),
        'write - "Poland closed its embassy."',
    ),
    "a blank behind the dash missing": ('- "Finland', '-"Finland', (12, 5), 'write - "Finland closed its shops."'),
    "a line too far left": ("  silent:", " silent:", (10, 2), "indent it by 2"),
    "a line too far right": ('    - "Finland', '     - "Finland', (12, 6), "indent it by 4"),
    "a sign that means something": ("Border closed", "@border", (1, 8), 'write title: "@border"'),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_told_where_it_was_made(slip: str) -> None:
    """What a hand that writes YAML gets wrong is told at its own line, not where YAML's reader gave up, and with the line as it should be."""
    old, new, place, mend = SLIPS[slip]
    assert old in WRITTEN
    (fault,) = faults_of(WRITTEN.replace(old, new, 1))
    assert (fault.line, fault.column, fault.code) == (*place, "TOC105")
    assert mend in fault.what


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[" * (MAX_DEPTH + 1), id="brackets"),
        pytest.param("{a: " * (MAX_DEPTH + 1), id="braces"),
        pytest.param("- " * (MAX_DEPTH + 1), id="dashes"),
        pytest.param("".join(" " * level + "a:\n" for level in range(MAX_DEPTH + 2)), id="indentation"),
    ],
)
def test_too_deep(text: str) -> None:
    """Nesting beyond what a person writes is refused, before it is read to its end."""
    assert "nested deeper" in faults_of(text)[0].what


def test_depth_that_is_allowed() -> None:
    """Nesting up to the limit is read."""
    assert parse("[" * MAX_DEPTH + "]" * MAX_DEPTH, "x.yaml").data != []


@pytest.mark.parametrize(
    "text",
    [
        "a: [b, c\n]\n", "a: {b: c\n}\n", "a: [\n  b,  # why\n  c, # d,#e\n]\n", 'a: ["b,#c", "d\n e"]\n', "a: 'b#c' # d\n", "a: [b#c, d] # e\n",
        "a:\n  - [b,\n    c]\n", "- 'a\n\n  b'\n", "[a,\nb]\n", "a: |  # why\n  # no comment\n\n  b\n", "a: >-\n\n  b\n    c\n", "a: |2\n     \n    b\n",
        "a: [-1]\n",
    ],
)  # fmt: skip
def test_what_looks_alike_and_is_allowed(text: str) -> None:
    """Comments with their blank, values that go on further right, closing brackets at the margin: nothing of it is refused."""
    assert parse(text, "x.yaml").data


def test_all_faults_are_told_at_once() -> None:
    """An analyst sees every duplicate key at once, in the order of the file."""
    assert [fault.line for fault in faults_of("a: 1\na: 2\nb: 1\nb: 2\n")] == [2, 4]


def test_a_flood_of_faults_is_cut() -> None:
    """Ten thousand faults are not ten thousand lines on the screen."""
    assert len(faults_of("a: 1\n" * 10_000)) <= 50


@pytest.mark.parametrize("word", ["NO", "no", "on", "off", "yes", "y", "1:30", "012", "0x1f", "1e5", "1_000", ".inf"])
def test_words_stay_words(word: str) -> None:
    """What YAML would turn into a boolean or an odd number stays the text that was written."""
    assert parse(f"a: {word}\n{word}: b\n", "x.yaml").data == {"a": word, word: "b"}


@pytest.mark.parametrize("word", ["2025-01-24", "1234567890123456", "3.14159265358979323", "Korea", "~x", "=", "ÿ"])
def test_longer_words_stay_words(word: str) -> None:
    """A date, a long run of digits and a name are text too."""
    assert parse(f"a: {word}\n", "x.yaml").data == {"a": word}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("7", 7),
        ("0", 0),
        ("-3", -3),
        ("0.5", 0.5),
        ("-10.25", -10.25),
        ("true", True),
        ("false", False),
        ("null", None),
    ],
)
def test_what_is_no_word(written: str, value: object) -> None:
    """Plain numbers, true, false and null mean what they look like; in quotes they are text."""
    assert parse(f"[{written}, '{written}']", "x.yaml").data == [value, written]


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "---\n"])
def test_an_empty_file_is_nothing(text: str) -> None:
    """A file that says nothing is read as nothing, and it is for the reader to complain."""
    assert parse(text, "x.yaml").data is None


FILE = "title: T\nforms:\n  - {form: one}\n  - {form: two}\nstory:\n  same: [who]\n"


@pytest.mark.parametrize(
    ("path", "place"),
    [
        pytest.param(("title",), (1, 1), id="a word: its key"),
        pytest.param(("forms", 1), (4, 5), id="an item"),
        pytest.param(("forms", 1, "form"), (4, 6), id="a key of an item"),
        pytest.param(("story", "same"), (6, 9), id="a list"),
        pytest.param(("story", "same", 0), (6, 10), id="a word in a list"),
        pytest.param(("forms", 7), (3, 3), id="missing item: the list"),
        pytest.param(("story", "quiet_for"), (6, 3), id="missing key: the mapping"),
        pytest.param(("nothing", "at", "all"), (1, 1), id="missing altogether: the file"),
    ],
)
def test_the_place_of_a_fault(path: tuple[str | int, ...], place: tuple[int, int]) -> None:
    """A fault found later is told with the line and column of what it is about, or of the nearest that exists."""
    fault = parse(FILE, "x.yaml").fault(path, "is wrong")
    assert str(fault) == f"x.yaml:{place[0]}:{place[1]}: is wrong"


def test_the_place_in_an_empty_file() -> None:
    """A fault of an empty file is at its beginning."""
    assert str(parse("", "x.yaml").fault(("title",), "is missing")) == "x.yaml:1:1: is missing"


@pytest.mark.parametrize(
    ("raw", "place", "what"),
    [
        pytest.param("a: 1\nb: caf\xe9\n".encode("latin-1"), (2, 7), "is not UTF-8", id="Latin-1"),
        pytest.param("ä: caf\xe9".encode() + b"\xe9", (1, 8), "is not UTF-8", id="after other letters"),
        pytest.param("a: 1\n".encode("utf-16"), (1, 1), "is not UTF-8", id="UTF-16"),
        pytest.param(b"a: 1\n" * (MAX_BYTES // 5 + 1), (1, 1), "split the file", id="too long"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, raw: bytes, place: tuple[int, int], what: str) -> None:
    """A file of the wrong encoding or size is refused with the place and how to mend it."""
    path = tmp_path / "x.yaml"
    path.write_bytes(raw)
    with pytest.raises(RuleFaults) as caught:
        read(path, "x.yaml")
    (fault,) = caught.value.faults
    assert (fault.file, fault.line, fault.column) == ("x.yaml", *place)
    assert what in fault.what


@pytest.mark.parametrize("name", ["missing.yaml", "."], ids=["missing", "a folder"])
def test_files_that_are_none(tmp_path: Path, name: str) -> None:
    """A path that names no file is a fault that says so."""
    with pytest.raises(RuleFaults, match="cannot be read"):
        read(tmp_path / name)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    """A file saved by an editor of Windows is read like any other."""
    (tmp_path / "x.yaml").write_bytes(b"\xef\xbb\xbfa: 1\r\n")
    assert read(tmp_path / "x.yaml").data == {"a": 1}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            "a: &a [x]\n"
            + "".join(f"{b}: &{b} [*{a},*{a},*{a}]\n" for a, b in zip("abcdefghi", "bcdefghij", strict=True)),
            id="aliases",
        ),
        pytest.param("[" * 500_000, id="brackets"),
        pytest.param("{" * 500_000, id="braces"),
        pytest.param("? " * 400_000, id="question marks"),
        pytest.param(":" * 1_000_000, id="colons"),
        pytest.param("a: b\n" * 200_000, id="many nodes"),
        pytest.param("[" + "1," * (MAX_NODES - 10) + "]", id="as many nodes as are allowed"),
        pytest.param("a: 1\n" * (MAX_NODES // 2 - 10), id="as many duplicates as are allowed"),
        pytest.param("#" * 1_000_000, id="one comment"),
        pytest.param("a: " + "1" * 1_000_000, id="one number"),
        pytest.param("a: |\n" + " \n" * 500_000, id="one block"),
    ],
)
def test_a_yaml_bomb_is_answered_at_once(text: str) -> None:
    """Whatever a hostile file holds, seconds of work settle it, where a bomb would take minutes."""
    begun = time.process_time()
    with suppress(RuleFaults):
        parse(text, "x.yaml")
    assert time.process_time() - begun < 5


@given(some.text(alphabet="ab:-?#&*!|>'\"[]{},%@ \n\t\\<~1.é\x85\u2028\ufeff\x00"))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text does anything but yield data or faults with a place inside the file."""
    faults: list[Fault] = []
    try:
        parse(text, "x.yaml")
    except RuleFaults as error:
        faults = error.faults
    assert all(fault.line >= 1 and fault.column >= 1 and fault.what for fault in faults)


@given(
    some.dictionaries(
        some.text("abc <", max_size=3),
        some.recursive(
            some.none() | some.booleans() | some.integers() | some.floats(width=16) | some.text("aß 1.:-\"'\\{[#&*!"),
            lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text("ab", max_size=2), inner, max_size=3),
            max_leaves=8,
        ),
        min_size=1,
        max_size=3,
    )
)  # fmt: skip
def test_json_is_read_as_the_yaml_it_is(data: dict[str, object]) -> None:
    """A file of JSON means the same whether it is read the quick way or, with a comment before it, as any other YAML."""
    text = json.dumps(data, ensure_ascii=False)

    def said(text: str) -> object:
        try:
            return parse(text, "x.yaml").data
        except RuleFaults as error:
            return {fault.what for fault in error.faults}

    assert said(text) == said(f"# rules\n{text}")


def test_a_fault_in_json_has_its_place() -> None:
    """Where a file is JSON, its faults are told with line and column all the same."""
    source = parse('{"name": "a",\n "forms": [{"form": "b"}]}', "x.yaml")
    assert str(source.fault(["forms", 0, "form"], "is odd")) == "x.yaml:2:13: is odd"
    (fault,) = faults_of('{"a": 1,\n "a": 2}')
    assert (fault.line, fault.column, fault.what[:18]) == (2, 2, "the key 'a' is her")
    assert "nested deeper" in faults_of('{"a": ' + "[" * 40 + "]" * 40 + "}")[0].what
