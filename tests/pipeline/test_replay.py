"""`tocsin replay`: the seeds through the whole system, and what comes out of good and bad input."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from infra.replay import Options, replay
from infra.shares import shares
from tests.system import RULES, SEEDS, Ran, tocsin
from tocsin.reading import entries
from tocsin.source import read

TEXT = "North Korea is preparing to send more troops to Russia, Seoul said on Friday."
ALERT = {"alert", "story", "reason", "level", "text", "blocks", "channel", "ts", "thread_ts"}


@cache
def replayed(*options: str) -> Ran:
    """What `tocsin replay` prints for the seeds."""
    return tocsin("replay", "--format", "ndjson", *options, SEEDS)


def articles(ran: Ran) -> list[dict[str, Any]]:
    """The lines of the articles."""
    return [row for row in ran.rows if "id" in row]


def alerts(ran: Ran) -> list[dict[str, Any]]:
    """The lines of the alerts."""
    return [row for row in ran.rows if "alert" in row]


def summary(ran: Ran) -> dict[str, Any]:
    """The last line."""
    found: dict[str, Any] = ran.rows[-1]["summary"]
    return found


def manifest() -> Mapping[str, Any]:
    """What the manifest of the seeds tells."""
    found: Mapping[str, Any] = read(SEEDS / "manifest.yaml").data
    return found


def test_the_seeds_give_the_five_alerts_of_their_manifest() -> None:
    """Each alert the manifest lists is posted, and no other: rule, who, where or what, stage, reason and flags agree."""
    told = [row for article in articles(replayed()) for row in article["signals"] if row["alert"]]
    assert len(told) == len(alerts(replayed())) == 5
    for wanted in manifest()["alerts"]:
        slots = {name: wanted.get(name) for name in ("rule", "who", "where", "what", "stage", "reason")}
        (row,) = [one for one in told if {name: one[name] for name in slots} == slots]
        assert set(row["flags"]) == set(wanted.get("flags", []))


def test_each_alert_rests_on_the_articles_of_the_manifest() -> None:
    """The articles that tell a story at an alert's stage are those the manifest names."""
    for wanted in manifest()["alerts"]:
        slots = {name: wanted.get(name) for name in ("rule", "who", "where", "what", "stage")}
        tell = [
            article["id"][:3]
            for article in articles(replayed())
            for row in article["signals"]
            if {name: row[name] for name in slots} == slots
        ]
        assert sorted(tell) == wanted["articles"]


def test_the_escalation_is_a_reply_broadcast_to_the_channel() -> None:
    """The dispatch is told in the thread of the first alert; the other four are messages of the channel."""
    by_alert = {row["alert"]: row for row in alerts(replayed())}
    root = by_alert["additional-deployment/north-korea/russia#1/first_report"]
    reply = by_alert["additional-deployment/north-korea/russia#1/stage_up-done"]
    assert reply["thread_ts"] == root["ts"]
    assert [row["thread_ts"] for row in by_alert.values()].count(None) == 4


def test_the_output_has_the_promised_shape() -> None:
    """Articles in order of arrival, then alerts, then the summary, each line with the promised fields."""
    kinds = ["id" if "id" in row else "alert" if "alert" in row else "summary" for row in replayed().rows]
    assert kinds == ["id"] * 5 + ["alert"] * 5 + ["summary"]
    assert [row["id"][:3] for row in articles(replayed())] == ["000", "001", "003", "004", "002"]
    assert {"id", "signals", "fate", "reason"} == set().union(*articles(replayed()))
    assert all(set(row) == ALERT for row in alerts(replayed()))
    assert all({"story", "alert", "reason"} <= set(signal) for row in articles(replayed()) for signal in row["signals"])
    assert set(summary(replayed())) == {"articles", "fates", "alerts", "posts", "updates"}
    assert replayed().code == 0
    assert all(" of 5 articles" in line for line in replayed().err.splitlines())  # progress, where it takes long


def test_the_replay_finds_what_detect_finds() -> None:
    """The signals of rules that are not on trial are those `tocsin detect` prints, field by field."""
    plain = {row["id"]: row["signals"] for row in tocsin("detect", "--format", "ndjson", SEEDS).rows}
    for row in articles(replayed()):
        kept = [signal for signal in row["signals"] if signal["reason"] != "shadow"]
        assert [{name: signal[name] for name in plain[row["id"]][0]} for signal in kept] == plain[row["id"]]


def test_the_sums_balance() -> None:
    """As many fates come out as articles go in, and as many posts as alerts."""
    told = summary(replayed())
    assert told["articles"] == sum(told["fates"].values()) == 5
    assert told["alerts"] == told["posts"] == 5
    assert told["fates"] == {"alerted": 1, "updated": 1, "corroborated": 3}


def test_the_same_shuffle_gives_the_same_output() -> None:
    """`--shuffle` with the same seed prints the same to the byte, and another order for another seed."""
    again = tocsin("replay", "--format", "ndjson", "--shuffle", "7", SEEDS)
    assert again.out == replayed("--shuffle", "7").out
    assert [row["id"] for row in articles(again)] != [row["id"] for row in articles(replayed())]


def test_articles_can_arrive_together() -> None:
    """With `--batch 5` all arrive at one moment; the channel is the same but for the edits in between."""
    together = replayed("--batch", "5")
    assert summary(together) | {"updates": 0} == summary(replayed()) | {"updates": 0}
    assert [row["text"] for row in alerts(together)] == [row["text"] for row in alerts(replayed())]


def test_articles_that_come_too_late_are_stale() -> None:
    """With `--max-age 7d` an article that arrives a month after it was published alerts nobody."""
    ran = replayed("--batch", "5", "--max-age", "7d")
    assert summary(ran)["fates"] == {"alerted": 1, "stale": 4}
    (alert,) = alerts(ran)
    assert alert["reason"] == "first_report"


@pytest.mark.parametrize("age", ["7", "week", "-1d", "1.5d", ""])
def test_an_age_needs_a_number_and_a_unit(age: str) -> None:
    """A maximal age that cannot be read is refused, with an example."""
    ran = tocsin("replay", "--max-age", age, SEEDS)
    assert ran.code == 3
    assert "12h, 7d or 2w" in ran.err


@pytest.mark.skipif(importlib.util.find_spec("infra.page") is None, reason="the page is not written yet")
def test_the_replay_writes_a_page(tmp_path: Path) -> None:
    """`--html` writes one page, into a folder made for it, and says where."""
    page = tmp_path / "out" / "replay.html"
    ran = tocsin("replay", "--html", page, SEEDS)
    assert ran.code == 0
    assert page.read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype html>")
    assert str(page) in ran.out.replace("\n", "")


def test_the_terminal_shows_alerts_and_fates() -> None:
    """For people, each alert is shown as it is posted, and at the end what became of each article."""
    ran = tocsin("replay", SEEDS)
    assert ran.code == 0
    assert "stage_up" in ran.out
    assert "5 articles in = 5 fates" in ran.out.replace("\n", " ")


BAD: dict[str, tuple[bytes, str]] = {
    "empty.txt": (b"", "is empty"),
    "binary.txt": (b"\x7fELF\x00\x00\x01" * 100, "is a binary file"),
    "latin.txt": ("Séoul a annoncé".encode("latin-1"), "is not UTF-8"),
    "textless.json": (b'{"title": "T"}', "text: field required"),
    "broken.json": (b'{"text": ', "is not JSON"),
    "lines.jsonl": (b'{"id": "line", "text": "T"}\n{"id": "none"}\n', "line 2"),
}


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ran]:
    """A folder of good and bad input, and what its replay prints."""
    folder = tmp_path_factory.mktemp("mixed")
    for name, (body, _) in BAD.items():
        (folder / name).write_bytes(body)
    with (folder / "large.txt").open("wb") as large:
        large.truncate(50_000_000)
    (folder / "good.txt").write_text(TEXT)
    (folder / "manifest.yaml").write_text(
        "articles:\n"
        "  - {file: good.txt, source: Outlet, published: 2025-02-01}\n"
        "  - {file: missing.txt, source: Outlet}\n"
    )
    return folder, tocsin("replay", "--format", "ndjson", folder)


def test_bad_input_is_rejected_with_its_reason(mixed: tuple[Path, Ran]) -> None:
    """Each bad input has the fate rejected, and its reason says what, where and how to mend it."""
    folder, ran = mixed
    rejected = {row["id"]: row["reason"] for row in articles(ran) if row["fate"] == "rejected"}
    wanted = {name: what for name, (_, what) in BAD.items()} | {
        "large.txt": "20,000,000 bytes",
        "missing.txt": "manifest.yaml",
    }
    assert len(rejected) == len(wanted)
    for name, what in wanted.items():
        (reason,) = [reason for reason in rejected.values() if f"{folder / name}" in reason or f"{name!r}" in reason]
        assert what in reason
        assert reason.endswith(")")
        assert f"rejected: {reason}" in ran.err


def test_bad_input_does_not_stop_the_good(mixed: tuple[Path, Ran]) -> None:
    """The good article beside the bad ones alerts; the sums balance; the exit code is 3."""
    ran = mixed[1]
    assert summary(ran)["fates"] == {"alerted": 1, "no_signal": 1, "rejected": 8}
    assert (summary(ran)["articles"], len(articles(ran)), len(alerts(ran)), ran.code) == (10, 10, 1, 3)


def test_a_missing_path_does_not_stop_the_others() -> None:
    """A path that does not exist is rejected; the articles of the other paths arrive."""
    ran = tocsin("replay", "--format", "ndjson", "no/such/folder", SEEDS / "002_1a220f47108d2d0b.txt")
    assert (ran.code, [row["fate"] for row in articles(ran)]) == (3, ["rejected", "alerted"])
    assert "no/such/folder: does not exist" in ran.err


def test_an_empty_folder_is_bad_input(tmp_path: Path) -> None:
    """A folder without an article is said to be so."""
    ran = tocsin("replay", "--format", "ndjson", tmp_path)
    assert ran.code == 3
    assert "holds no article" in ran.err


def test_an_unreadable_rule_does_not_stop_the_replay(tmp_path: Path) -> None:
    """A rule that cannot be read is named; the replay runs with the others."""
    rules = shutil.copytree(RULES, tmp_path / "rules")
    (rules / "budget-increase.yaml").write_text("title: [\n")
    ran = tocsin("replay", "--rules", rules, "--format", "ndjson", SEEDS)
    assert "rules/budget-increase.yaml:" in ran.err
    assert len(alerts(ran)) == 4


def test_without_any_rule_no_replay_starts(tmp_path: Path) -> None:
    """Without any rule nothing is replayed, and the exit code is 2."""
    ran = tocsin("replay", "--rules", tmp_path, SEEDS)
    assert (ran.code, ran.out) == (2, "")


def test_an_article_that_is_there_twice_is_a_duplicate(tmp_path: Path) -> None:
    """Two articles of one id are one article: the second is recorded as a duplicate, and the sums balance."""
    row = json.dumps({"id": "one", "text": TEXT, "published": "2025-02-01"})
    (tmp_path / "two.jsonl").write_text(f"{row}\n{row}\n")
    ran = tocsin("replay", "--format", "ndjson", tmp_path)
    assert [article["fate"] for article in articles(ran)] == ["alerted", "duplicate"]
    assert (ran.code, len(alerts(ran))) == (0, 1)


def test_an_article_with_long_metadata_arrives(tmp_path: Path) -> None:
    """A title too long for an object's metadata reaches the alert all the same."""
    title = "Séoul announces — " * 40
    (tmp_path / "long.txt").write_text(TEXT)
    (tmp_path / "manifest.yaml").write_text(f"articles:\n  - {{file: long.txt, title: '{title}'}}\n", encoding="utf-8")
    ran = tocsin("replay", "--format", "ndjson", tmp_path)
    (alert,) = alerts(ran)
    assert "Séoul announces" in alert["text"]


def test_an_article_without_a_date_says_so(tmp_path: Path) -> None:
    """An article nobody dated is dated by its arrival, and its alert says so."""
    (tmp_path / "undated.txt").write_text(TEXT)
    ran = tocsin("replay", "--format", "ndjson", tmp_path)
    (alert,) = alerts(ran)
    assert "time of arrival" in alert["text"]


def test_a_slack_that_refuses_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """`--slack` without a token says which settings it needs."""
    monkeypatch.delenv("TOCSIN_SLACK_TOKEN", raising=False)
    ran = tocsin("replay", "--slack", SEEDS)
    assert ran.code == 3
    assert "TOCSIN_SLACK_TOKEN" in ran.err


def test_a_replay_shared_by_two_processes_ends_as_in_one(tmp_path: Path) -> None:
    """Every input has its fate, in order, and the stories and posts are those of a replay in one process."""
    for name, text in {"a": "Bread is dear.", "b": TEXT, "c": "Bread is cheap.", "d": "Rain is likely."}.items():
        (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8")
    inputs = list(entries(tmp_path))
    assert shares([*inputs, inputs[3]], RULES, 2) == [[1, 3, 4], [0, 2]]  # a signal and what comes twice stay together
    one, two = (replay(inputs, Options(RULES, jobs=jobs)) for jobs in (1, 2))
    fates = [[(each.article, each.fate.fate) for each in replayed.arrivals] for replayed in (one, two)]
    assert fates[0] == fates[1]
    assert (len(two.stories), two.posts) == (len(one.stories), one.posts) == (1, 1)
