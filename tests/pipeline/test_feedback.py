"""`tocsin feedback`: what was not relevant becomes a test of the rule that rang."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.system import RULES, STACK, System, rule_set, tocsin
from tocsin.errors import InputFault
from tocsin.feedback import Feedback
from tocsin.mending import mend
from tocsin.source import parse

SENTENCE = "North Korea is preparing to send more troops to Russia, Seoul said on Friday."
RULE = "additional-deployment"
ONE = Feedback(
    RULE, f"{RULE}/north-korea/russia#1", "one", "Outlet", "Title", "https://x.example/1", SENTENCE, "past", "", "ana",
    "2025-03-01T09:00:00+00:00",
)  # fmt: skip
TEXT = (RULES / f"{RULE}.yaml").read_text(encoding="utf-8")


def silent_of(text: str) -> list[str]:
    """The silent tests of a rule file."""
    tests: list[str] = parse(text, "x.yaml").data["tests"]["silent"]
    return tests


def test_a_sentence_becomes_the_last_silent_test() -> None:
    """One line is added, at the end of the list; the file is otherwise as it was, and still a rule."""
    mended = mend([ONE], rule_set(), TEXT, "x.yaml")
    before, after = TEXT.splitlines(), mended.text.splitlines()
    assert [line for line in after if line not in before] == [f'    - "{SENTENCE}"']
    assert len(after) == len(before) + 1
    assert silent_of(mended.text) == [*silent_of(TEXT), SENTENCE]
    assert mended.taken == (ONE,)


def test_quotes_and_signs_of_yaml_are_kept() -> None:
    """Whatever stands in a sentence, the test says the same."""
    odd = f'"We: {SENTENCE}" # said – Seoul\u2019s \\ minister, {{x}} & *y*\n[1]'
    mended = mend([replace(ONE, sentence=odd)], rule_set(), TEXT, "x.yaml")
    assert silent_of(mended.text)[-1] == " ".join(odd.split())


def test_what_is_a_test_already_or_fires_no_more_is_left() -> None:
    """Each sentence once, and none on which the rule is silent anyway: each is told with the reason."""
    told = [ONE, replace(ONE, at="later"), replace(ONE, sentence="Nothing happened.")]
    mended = mend(told, rule_set(), TEXT, "x.yaml")
    assert [why for _, why in mended.left] == ["is a test already", "does not fire by itself (any more)"]
    again = mend([ONE], rule_set(), mended.text, "x.yaml")
    assert (again.text, again.taken) == (mended.text, ())


@pytest.mark.parametrize(
    "text", ["tests:\n  fires: []\n", "tests:\n  silent: []\n", "tests:\n  silent: [a, b]\n", "name: x\n"]
)
def test_a_file_without_a_list_to_add_to_is_named(text: str) -> None:
    """What has to be done by hand first is said."""
    with pytest.raises(InputFault, match=r"x\.yaml: has no list `silent:`"):
        mend([ONE], rule_set(), text, "x.yaml")


def test_where_the_list_ends() -> None:
    """The entry goes behind the last one, however that is written, or nowhere; the last line stays a line."""
    text = f"tests:\n  silent:\n  - 'One.'\n  # why\nname: {RULE}"
    assert mend([ONE], rule_set(), text, "x").text == text.replace("'One.'\n", f"'One.'\n  - \"{SENTENCE}\"\n")
    several = f"tests:\n  silent:\n  - One\n    goes on.\nname: {RULE}\n"
    assert mend([ONE], rule_set(), several, "x").text == several.replace("on.\n", f'on.\n  - "{SENTENCE}"\n')
    gap = "tests:\n  silent:\n  - 'One\n\n    goes on.'\n"
    with pytest.raises(InputFault, match="on one line"):
        mend([ONE], rule_set(), gap, "x")
    last = f"name: {RULE}\ntests:\n  silent:\n  - One."
    assert mend([ONE], rule_set(), last, "x").text == f'{last}\n  - "{SENTENCE}"\n'


def test_what_was_kept_is_read_back() -> None:
    """An object is the feedback it was made of; anything else is named."""
    assert Feedback.from_json(ONE.to_json(), "x") == ONE
    for body in (b"", b"{}", b"[]", b'{"rule": 7}', b"\xff", b"[" * 100_000):
        with pytest.raises(InputFault, match=r"feedback/x: is no feedback"):
            Feedback.from_json(body, "feedback/x")


def test_feedback_is_shown_as_a_diff_and_applied(
    deployed: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On moto: the diff is one that `git apply` takes, --apply writes the same, and afterwards there is nothing left to do."""
    s3, bucket = deployed.stack.client("s3"), deployed.stack.physical("Bucket")
    for one in (ONE, replace(ONE, rule="gone", story="gone/x#1")):
        s3.put_object(Bucket=bucket, Key=one.key, Body=one.to_json())
    s3.put_object(Bucket=bucket, Key="feedback/odd.json", Body=b"{")
    others = [path.name for path in RULES.glob("*.yaml") if path.stem != RULE]
    shutil.copytree(RULES, tmp_path / "rules", ignore=lambda *_: others)
    monkeypatch.chdir(tmp_path)
    asked = ("feedback", "--stack-name", STACK, "--rules", "rules")
    ran = tocsin(*asked)
    assert ran.code == 1
    assert f'+    - "{SENTENCE}"' in ran.out
    assert "additional-deployment: ana, 2025-03-01, past (https://x.example/1)" in ran.err
    assert "gone: there is no such rule" in ran.err
    assert "feedback/odd.json: is no feedback" in ran.err
    assert (tmp_path / "rules" / f"{RULE}.yaml").read_text(encoding="utf-8") == TEXT
    assert tocsin(*asked, "--apply").out == f"rules/{RULE}.yaml: 1 added\n"
    applied = (tmp_path / "rules" / f"{RULE}.yaml").read_text(encoding="utf-8")
    (tmp_path / "rules" / f"{RULE}.yaml").write_text(TEXT, encoding="utf-8")
    subprocess.run(["git", "apply", "-"], input=ran.out.encode(), check=True, cwd=tmp_path)  # noqa: S607 - whichever git there is
    assert (tmp_path / "rules" / f"{RULE}.yaml").read_text(encoding="utf-8") == applied
    assert "is a test already" in tocsin(*asked).err
