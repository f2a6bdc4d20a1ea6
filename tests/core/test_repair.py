"""What `tocsin check --fix` mends: only what can surely be mended, and it says what."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.marching import RULE
from tests.system import tocsin
from tocsin.repair import repaired
from tocsin.source import parse


def mended(text: str | bytes) -> tuple[str, list[str]]:
    """The text after the mends, and what is said of them."""
    found = repaired(text.encode() if isinstance(text, str) else text, "marching.yaml")
    return found.text, [f"{one.line}:{one.column} {one.what}" for one in found.mends]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        pytest.param("runbook:", "runbok:", "was 'runbok', is 'runbook'", id="misspelt field"),
        pytest.param("quiet_for", "quite_for", "was 'quite_for', is 'quiet_for'", id="misspelt field of a part"),
        pytest.param("verbs: [march]", "verb: [march]", "was 'verb', is 'verbs'", id="misspelt field of a list"),
        pytest.param("story: {", "story:\n\t{", "a tab in the indentation is two spaces now", id="tab"),
        pytest.param("\n", "\r\n", "a line ended with CR; now as all do", id="line ends of Windows"),
        pytest.param("title", "\ufefftitle", "began with a byte order mark", id="byte order mark"),
    ],
)
def test_what_is_surely_meant_is_mended(old: str, new: str, told: str) -> None:
    """A rule that was broken in a way with one meaning says after the mend what it said before."""
    text, what = mended(RULE.replace(old, new))
    assert told in what[0]
    assert parse(text, "").data == parse(RULE, "").data


def test_utf_16_is_known_by_its_mark() -> None:
    """A file that an editor saved as UTF-16 is UTF-8 after the mend."""
    assert mended(RULE.encode("utf-16"))[0] == RULE


@pytest.mark.parametrize("word", ["NO", "on", "off", "012", "1:30", "0x1f", "1e5", "1_000", "True", "n"])
def test_words_that_other_readers_misread_are_quoted(word: str) -> None:
    """What is a word here and a boolean or another number elsewhere is put into quotes, and means what it meant."""
    text, _ = mended(f"kind: words\nlists:\n  odd: {{words: [{word}, other]}}\n")
    assert f'["{word}", other]' in text
    assert parse(text, "").data["lists"]["odd"]["words"] == [word, "other"]


def test_a_number_where_words_are_wanted_is_quoted() -> None:
    """A title that is a number is put into quotes."""
    assert 'title: "2025"\n' in mended(RULE.replace("Marching", "2025"))[0]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(RULE, id="sound"),
        pytest.param(RULE.replace("runbook", "colour"), id="no field is alike"),
        pytest.param(RULE.replace("level: {done: high}", "severity: high"), id="a field of another system"),
        pytest.param(RULE.replace("status: experimental", "status: 7"), id="a value that stays wrong in quotes"),
        pytest.param(RULE + "runbok: Another.\n", id="the field that is meant is there already"),
        pytest.param(RULE.replace("story: {", "story:\n  \t same: ["), id="broken in another way too"),
        pytest.param("a: [", id="no YAML"),
        pytest.param("", id="empty"),
    ],
)
def test_what_may_be_meant_in_two_ways_is_left(text: str) -> None:
    """Where more than one thing may be meant, nothing is touched."""
    assert mended(text) == (text, [])


def test_check_fix_writes_the_files_and_says_what_it_did(folder: Path) -> None:
    """`tocsin check --fix` mends rules, lists and lists of feeds in place, names each mend with its place, and checks what it wrote."""
    (folder / "marching.yaml").write_bytes(RULE.replace("runbook", "runbok").replace("\n", "\r\n").encode())
    feeds = folder.parent / "feeds.yaml"
    feeds.write_text("feeds:\n  - {url: https://example.org/rss, name: One, country: NO, evry: 5m}\n", encoding="utf-8")
    assert tocsin("check", "--rules", folder, feeds).code == 2
    ran = tocsin("check", "--rules", folder, "--fix", feeds)
    assert ran.code == 0, ran
    assert (folder / "marching.yaml").read_text(encoding="utf-8") == RULE
    assert feeds.read_text(encoding="utf-8").endswith('country: "NO", every: 5m}\n')
    assert "rules/marching.yaml:10:1: mended: was 'runbok', is 'runbook'\n" in ran.err
    assert "mended" not in tocsin("check", "--rules", folder, "--fix", feeds).err
