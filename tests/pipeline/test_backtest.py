"""`tocsin backtest`: what the rules would have done with an archive, and whether that is what was expected."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.system import World, found_once, rule_set, seed_articles, tocsin
from tocsin.cli import crowd
from tocsin.rehearsal import Rehearsal, in_order

LATE = datetime(2026, 1, 1, tzinfo=UTC)
MARCH = "Ruritania marched its host."


def archive(folder: Path, *told: tuple[str, str], name: str = "archive.jsonl.gz") -> Path:
    """An archive of articles: when each was published, and what it says."""
    rows = [
        {"id": f"a{number}", "text": text, "title": f"Headline {number}", "source": "Gazette", "published": when}
        for number, (when, text) in enumerate(told, 1)
    ]
    body = "\n".join(json.dumps(row) for row in rows).encode()
    path = folder / name
    path.write_bytes(gzip.compress(body) if name.endswith(".gz") else body)
    return path


ARCHIVE = (
    ("2025-01-10", MARCH),
    ("2025-01-11", "The host of Ruritania has marched."),
    ("2025-01-12", "Ruritania marched its host again."),
    ("2025-03-20", MARCH),
    ("2025-03-21", "They marched their host."),
)


def test_a_rehearsal_raises_what_is_posted() -> None:
    """Over the seeds a rehearsal raises exactly the alerts that the pipeline puts into the outbox, and those of rules on trial, marked."""
    world = World()
    rehearsal = Rehearsal(rule_set(), in_order(seed_articles(), LATE)[1])
    raised = []
    for article in in_order(seed_articles(), LATE)[0]:
        world.arrive(article)
        raised += rehearsal.hears(article, found_once(article))
    assert {f"{one.story}/{one.reason}" for one in raised if not one.trial} == set(world.table.rows)
    assert {one.rule for one in raised if one.trial} == {"arms-transfer"}
    assert {name for name, (story, _) in rehearsal.stories().items() if story.posted} == {
        row.story for row in world.table.rows.values()
    }


def test_fires_stories_and_alerts_of_each_month(folder: Path, tmp_path: Path) -> None:
    """Fires, stories and alerts are counted for each rule and month; of what is told again only the first report is an alert."""
    ran = tocsin("backtest", "--rules", folder, "--format", "ndjson", archive(tmp_path, *ARCHIVE))
    months = {row["month"]: row for row in ran.rows if "month" in row}
    assert {when: (row["fires"], row["stories"], row["alerts"]) for when, row in months.items()} == {
        "2025-01": (2, 1, 1),
        "2025-03": (1, 1, 1),
    }
    assert [row["alert"] for row in ran.rows if "alert" in row] == [
        "marching/ruritania#1/first_report",
        "marching/ruritania#2/first_report",
    ]
    assert ran.rows[-1]["summary"]["articles"] == len(ARCHIVE)


def test_near_misses_are_listed(folder: Path, tmp_path: Path) -> None:
    """A sentence that lacked one thing, where its rule stayed silent, is told with what it lacked."""
    path = archive(tmp_path, *ARCHIVE)
    (miss,) = (
        row for row in tocsin("backtest", "--rules", folder, "--format", "ndjson", path).rows if "near_miss" in row
    )
    assert (miss["near_miss"], miss["sentence"], miss["article"]) == ("marching", "They marched their host.", "a5")
    assert miss["lacking"].startswith("who: nobody is said to act")
    assert "near miss marching: lacks who" in tocsin("backtest", "--rules", folder, path).out


@pytest.mark.parametrize(
    ("bound", "code", "told"),
    [
        pytest.param("alerts: {exactly: 2}", 0, "", id="met"),
        pytest.param("alerts: {exactly: 1}", 1, "marching has 2 alerts, expected exactly 1", id="exactly"),
        pytest.param("stories: {at_least: 3}", 1, "marching has 2 stories, expected at least 3", id="at least"),
        pytest.param("fires: {at_least: 1, at_most: 2}", 1, "marching has 3 fires, expected at most 2", id="at most"),
        pytest.param("alerts: {exact: 1}", 2, "alerts.exact: extra inputs are not permitted", id="misspelt"),
        pytest.param("alerts: many", 2, "write `alerts: {exactly: 3}`", id="no bound"),
    ],
)
def test_expectations(folder: Path, tmp_path: Path, bound: str, code: int, told: str) -> None:
    """What was expected and did not come makes the backtest fail, with its place; a file that cannot be read is refused."""
    wanted = tmp_path / "expected.yaml"
    wanted.write_text(f"marching:\n  {bound}\n", encoding="utf-8")
    ran = tocsin("backtest", "--rules", folder, "--expect", wanted, archive(tmp_path, *ARCHIVE))
    assert ran.code == code, ran
    assert told in ran.out + ran.err
    assert not told or f"{wanted}:" in ran.out + ran.err


def test_expectations_of_a_rule_that_there_is_not(folder: Path, tmp_path: Path) -> None:
    """A mistyped rule would be expected of in vain."""
    wanted = tmp_path / "expected.yaml"
    wanted.write_text("strolling: {alerts: {exactly: 0}}\n", encoding="utf-8")
    ran = tocsin("backtest", "--rules", folder, "--expect", wanted, archive(tmp_path, *ARCHIVE))
    assert (ran.code, "there is no rule 'strolling'; there are marching" in ran.err) == (2, True)


def test_what_cannot_be_read_is_said(folder: Path, tmp_path: Path) -> None:
    """A batch that is cut off is told of, with exit code 3, and what was read of it counts."""
    path = archive(tmp_path, *ARCHIVE)
    path.write_bytes(path.read_bytes()[:-9])
    ran = tocsin("backtest", "--rules", folder, path, archive(tmp_path, *ARCHIVE, name="whole.jsonl"))
    assert ran.code == 3
    assert f"rejected: {path}: cannot be read" in ran.err
    assert tocsin("backtest", "--rules", folder, tmp_path / "nowhere").code == 3


def test_many_processes_find_what_one_finds(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spread over processes the same is found, in the same order."""
    told = [(f"2025-{1 + number % 9:02}-01", MARCH if number % 3 else "Nobody moved.") for number in range(60)]
    path = archive(tmp_path, *told)
    alone = tocsin("backtest", "--rules", folder, "--format", "ndjson", path)
    monkeypatch.setattr(crowd, "FEW", 1)
    monkeypatch.setattr(crowd, "CHUNK", 7)
    together = tocsin("backtest", "--rules", folder, "--format", "ndjson", path)
    assert together.rows[:-1] == alone.rows[:-1]


def test_the_archive_of_a_bucket(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """s3://BUCKET/PREFIX is read as a folder is; a bucket that there is not is said so."""
    for name, value in {"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        make: Any = boto3.client
        s3 = make("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="desk")
        s3.put_object(Bucket="desk", Key="articles/2025/01/one.jsonl.gz", Body=archive(tmp_path, *ARCHIVE).read_bytes())
        s3.put_object(Bucket="desk", Key="fates/2025/01/one.jsonl.gz", Body=b"no article")
        ran = tocsin("backtest", "--rules", folder, "--format", "ndjson", "s3://desk/articles/")
        assert (ran.code, ran.rows[-1]["summary"]["articles"]) == (0, len(ARCHIVE))
        refused = tocsin("backtest", "--rules", folder, "s3://nowhere/")
        assert (refused.code, "check the bucket's name" in refused.err) == (3, True)
