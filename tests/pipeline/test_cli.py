"""`tocsin detect` on the command line: what it prints, what it accepts, and how it ends."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.system import ROOT, RULES, SEEDS, Ran, seed_articles, tocsin

TEXT = "North Korea is preparing to send more troops to Russia, Seoul said on Friday."
SIGNAL = {
    "rule", "who", "where", "what", "stage", "certainty", "flags", "says", "relays", "figures",
    "evidence", "start", "end", "sentences",
}  # fmt: skip
COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-7]")


@cache
def detected() -> Ran:
    """What `tocsin detect` prints for the seeds."""
    return tocsin("detect", "--format", "ndjson", SEEDS)


def test_detect_prints_one_line_an_article_in_input_order() -> None:
    """With `--format ndjson` each article is one line, in the order of the input, and nothing else is printed."""
    assert (detected().code, detected().err) == (0, "")
    assert [row["id"] for row in detected().rows] == [article.id for article in seed_articles()]
    assert all(set(row) == {"id", "signals"} for row in detected().rows)


def test_a_signal_has_the_promised_fields() -> None:
    """Each signal and each of its sentences has the fields the documentation promises; `in` is added for the title."""
    for row in detected().rows:
        for signal in row["signals"]:
            assert set(signal) - {"in"} == SIGNAL
            for sentence in signal["sentences"]:
                assert set(sentence) - {"in"} == {"text", "start", "end", "stage"}


def test_states_and_materiel_are_named_by_slug() -> None:
    """Who, where and what are slugs."""
    named = {(one["who"], one["where"], one["what"]) for row in detected().rows for one in row["signals"]}
    korea = "north-korea"
    assert named == {(korea, "russia", None), (korea, None, "satellite"), (korea, None, "icbm"), (korea, None, None)}


def test_offsets_lead_to_the_evidence() -> None:
    """`start` and `end` cut every quote, word for word, out of the file it was found in (or out of its title)."""
    articles = {article.id: article for article in seed_articles()}
    quotes = [(row["id"], quote) for row in detected().rows for signal in row["signals"] for quote in quotes_of(signal)]
    assert len(quotes) >= 32
    for name, (text, start, end, field) in quotes:
        assert getattr(articles[name], field)[start:end] == text


def quotes_of(signal: dict[str, Any]) -> list[tuple[str, int, int, str]]:
    """Every quote of a signal, with its place."""
    rows = [{**signal, "text": signal["evidence"]}, *signal["sentences"]]
    return [(row["text"], row["start"], row["end"], row.get("in", "text")) for row in rows]


def test_offsets_count_characters_of_the_file() -> None:
    """The offsets hold in the file itself, as it lies in the folder."""
    for row in detected().rows:
        text = (SEEDS / f"{row['id']}.txt").read_text(encoding="utf-8")
        for signal in row["signals"]:
            if "in" not in signal:
                assert text[signal["start"] : signal["end"]] == signal["evidence"]


STDIN: dict[str, tuple[bytes, list[str]]] = {
    "text": (TEXT.encode(), ["standard-input"]),
    "text with a byte order mark": (b"\xef\xbb\xbf" + TEXT.encode(), ["standard-input"]),
    "json lines": (b'{"id": "a", "text": "T"}\n\n{"id": "b", "text": "T"}\n', ["a", "b"]),
    "json over several lines": (json.dumps({"id": "a", "text": TEXT}, indent=2).encode(), ["a"]),
    "a separator inside json": ('{"id": "a", "text": "one\u2028two"}\n{"id": "b", "text": "T"}'.encode(), ["a", "b"]),
}


@pytest.mark.parametrize("name", STDIN)
def test_detect_reads_standard_input(name: str) -> None:
    """`-` reads a text, JSON or JSON lines from standard input."""
    body, ids = STDIN[name]
    ran = tocsin("detect", "--format", "ndjson", "-", stdin=body)
    assert (ran.code, [row["id"] for row in ran.rows]) == (0, ids)


@pytest.mark.parametrize("body", [b"", b"S\xe9oul", b'{"id": "a", "text": "S\xe9oul"}\n{"id": "b", "text": "T"}', b"{"])
def test_bad_standard_input_is_said_to_be_so(body: bytes) -> None:
    """Standard input that cannot be used ends with a message, not with a traceback."""
    ran = tocsin("detect", "--format", "ndjson", "-", stdin=body)
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith("rejected: standard")


def test_several_paths_are_read_in_order(tmp_path: Path) -> None:
    """Files of every kind may be mixed; each article has its id, or that of its file."""
    (tmp_path / "one.txt").write_text(TEXT)
    (tmp_path / "two.json").write_text(json.dumps({"text": TEXT, "lang": "en"}))
    (tmp_path / "three.jsonl").write_text("\n".join(json.dumps({"id": name, "text": TEXT}) for name in ("x", "y")))
    ran = tocsin("detect", "--format", "ndjson", *[tmp_path / name for name in ("two.json", "three.jsonl", "one.txt")])
    assert [row["id"] for row in ran.rows] == ["two", "x", "y", "one"]
    assert {signal["stage"] for row in ran.rows for signal in row["signals"]} == {"preparing"}


def test_a_bad_line_leaves_the_others(tmp_path: Path) -> None:
    """A bad line of a JSON-lines file is named with its number; the lines around it are read."""
    file = tmp_path / "many.jsonl"
    file.write_text('{"id": "a", "text": "T"}\nnonsense\n{"id": "c"}\n{"id": "d", "text": "T"}\n')
    ran = tocsin("detect", "--format", "ndjson", file)
    assert (ran.code, [row["id"] for row in ran.rows]) == (3, ["a", "d"])
    assert "many.jsonl, line 2: is not JSON" in ran.err
    assert "many.jsonl, line 3" in ran.err


def test_a_missing_path_is_bad_input() -> None:
    """A path that does not exist is named, and the exit code is 3."""
    ran = tocsin("detect", "no/such/file.txt")
    assert ran.code == 3
    assert ran.err == "rejected: no/such/file.txt: does not exist (check the path)\n"


@pytest.mark.parametrize("rules", ["empty", "missing"])
def test_without_any_rule_nothing_runs(tmp_path: Path, rules: str) -> None:
    """A folder without rules, or none at all, is said to be so, and the exit code is 2."""
    (tmp_path / "empty").mkdir()
    ran = tocsin("detect", "--rules", tmp_path / rules, SEEDS)
    assert (ran.code, ran.out) == (2, "")
    assert rules in ran.err


def test_an_unreadable_rule_does_not_stop_the_others(tmp_path: Path) -> None:
    """A rule that cannot be read is named with file, line and column; the others find what they find."""
    rules = shutil.copytree(RULES, tmp_path / "rules")
    (rules / "broken.yaml").write_text("title: Broken\nforms: [\n")
    ran = tocsin("detect", "--rules", rules, "--format", "ndjson", SEEDS)
    assert ran.out == detected().out
    assert re.search(r"rules/broken\.yaml:\d+:\d+: ", ran.err)
    assert ran.code == 1


@pytest.mark.parametrize(
    "arguments", [["detect"], ["detect", "--format", "xml", "-"], ["detekt"], ["detect", "--nope"]]
)
def test_a_wrong_command_line_is_explained(arguments: list[str]) -> None:
    """A wrong option, value or command is explained in a sentence, and the exit code is 3."""
    ran = tocsin(*arguments)
    assert (ran.code, ran.out) == (3, "")
    assert "Error: " in ran.err


def test_a_table_for_people_shows_every_sentence() -> None:
    """Without `--format` each article is shown with its signals and their sentences."""
    ran = tocsin("detect", SEEDS / "004_e9ccfc9d12dcd1b1.txt")
    assert ran.code == 0
    assert "004_e9ccfc9d12dcd1b1" in ran.out
    assert "additional-deployment: north-korea · russia · preparing" in ran.out
    assert "accelerating its efforts to send additional troops to Russia" in ran.out


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal the table is coloured, unless NO_COLOR is set."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    assert COLOUR.search(tocsin("detect", SEEDS).out)
    monkeypatch.setenv("NO_COLOR", "1")
    assert not COLOUR.search(tocsin("detect", SEEDS).out)


def test_the_program_ends_as_promised(tmp_path: Path) -> None:
    """Started as a program of its own, it prints its lines, complains on standard error and ends with the code."""
    (tmp_path / "good.txt").write_text(TEXT)
    (tmp_path / "bad.txt").write_bytes(b"")
    command = [
        sys.executable,
        "-c",
        "from tocsin.cli import main; main()",
        "detect",
        "--format",
        "ndjson",
        str(tmp_path),
    ]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 3
    assert [json.loads(line)["id"] for line in ran.stdout.splitlines()] == ["good"]
    assert ran.stderr.splitlines() == [f"rejected: {tmp_path / 'bad.txt'}: is empty (put the article's text into it)"]


def test_a_replay_with_an_unreadable_rule_says_so(tmp_path: Path) -> None:
    """A replay goes on with the rules that load, names the faults on standard error, and ends with exit code 1."""
    rules = shutil.copytree(RULES, tmp_path / "rules")
    (rules / "broken.yaml").write_text("title: Broken\nforms: [\n")
    (tmp_path / "one.txt").write_text(TEXT)
    ran = tocsin("replay", "--rules", rules, "--format", "ndjson", tmp_path / "one.txt")
    assert (ran.code, ran.rows[-1]["summary"]["articles"]) == (1, 1)
    assert re.search(r"rules/broken\.yaml:\d+:\d+: ", ran.err)
