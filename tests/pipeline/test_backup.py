"""What can be taken out of a deployed stack, and put back: exports, taps, and a table restored from a backup."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.system import STACK, System, row_of, seed_articles, system, tocsin
from tocsin.article import Article

BAKERY = "The mayor opened a bakery."


def stored(system: System, table: str) -> dict[str, object]:
    """Every item of a table by its key."""
    found = system.stack.client("dynamodb").scan(TableName=table)["Items"]
    return {f"{item['pk']['S']} {item['sk']['S']}": item for item in found}


def test_stories_and_fates_are_exported(deployed: System, tmp_path: Path) -> None:
    """Every story, and the one fate of every article, with a signal or without, as JSON lines; Parquet without pyarrow says what to install."""
    deployed.send(row_of(seed_articles()[0]), row_of(Article("bakery", BAKERY)))
    deployed.pump.drain()
    fates = tocsin("export", "--stack-name", STACK, "fates").rows
    assert {row["article"]: row["fate"] for row in fates} == {seed_articles()[0].id: "alerted", "bakery": "no_signal"}
    stories = tmp_path / "stories.jsonl"
    assert tocsin("export", "--stack-name", STACK, "stories", stories).code == 0
    assert {json.loads(line)["rule"] for line in stories.read_text(encoding="utf-8").splitlines()} >= {
        "additional-deployment"
    }
    try:
        import pyarrow.parquet
    except ImportError:
        ran = tocsin("export", "--stack-name", STACK, "--parquet", "fates", tmp_path / "fates.parquet")
        assert (ran.code, "pip install" in ran.err) == (3, True)
    else:
        tocsin("export", "--stack-name", STACK, "--parquet", "fates", tmp_path / "fates.parquet")
        assert pyarrow.parquet.read_table(tmp_path / "fates.parquet").num_rows == len(fates)


def test_a_window_of_production_is_replayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What arrived within the window is replayed as often as one likes with the same output, byte for byte, and the same decisions as in production."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    file = tmp_path / "tap.jsonl.gz"
    with system() as running:
        running.name_outputs()
        for number, article in enumerate(reversed(seed_articles()[:2])):
            running.drop(f"{number}.json", json.dumps(article.to_json()).encode())
            running.pass_time(1)
        running.drop("bakery.txt", BAKERY.encode())
        running.pump.drain()
        assert tocsin("tap", "--stack-name", STACK, "--since", "2h", file).code == 0
        fates = tocsin("export", "--stack-name", STACK, "fates").rows
        nothing = tocsin("tap", "--stack-name", STACK, "--since", "1h", "--until", "2025-02-01", file)
    assert (nothing.code, "widen it" in nothing.err) == (3, True)
    once, again = (tocsin("replay", "--as-given", "--format", "ndjson", file) for _ in range(2))
    assert (once.code, once.out) == (0, again.out)
    replayed = {row["id"]: (row["fate"], row["reason"]) for row in once.rows if "fate" in row}
    assert replayed == {row["article"]: (row["fate"], row["reason"]) for row in fates}


def test_a_backup_is_put_back(deployed: System) -> None:
    """After the table lost its items, those of a table restored from a backup are copied back, and nothing that rang rings again; what is newer stays."""
    client, table = deployed.stack.client("dynamodb"), deployed.stack.physical("Table")
    deployed.send(*(row_of(article) for article in seed_articles()[:2]))
    deployed.pump.drain()
    before, posts = stored(deployed, table), len(deployed.slack.posts)
    backup = client.create_backup(TableName=table, BackupName="drill")["BackupDetails"]["BackupArn"]
    for item in client.scan(TableName=table)["Items"]:
        client.delete_item(TableName=table, Key={name: item[name] for name in ("pk", "sk")})
    client.restore_table_from_backup(TargetTableName="restored", BackupArn=backup)
    assert (
        tocsin("restore", "--stack-name", STACK, "--yes", "restored").out
        == f"{len(before)} copied, 0 there, 0 expired\n"
    )
    assert stored(deployed, table) == before
    again = tocsin("restore", "--stack-name", STACK, "--yes", "restored")
    assert again.out == f"0 copied, {len(before)} there, 0 expired\n"
    deployed.send(*(row_of(article) for article in seed_articles()[:2]))
    deployed.pass_time(3)
    assert len(deployed.slack.posts) == posts


def test_what_is_not_there_is_not_put_back(deployed: System) -> None:
    """A table that does not exist is said, with what to do."""
    ran = tocsin("restore", "--stack-name", STACK, "--yes", "nowhere")
    assert (ran.code, deployed.stack.name in ran.err) == (3, False)
    assert "AWS refuses" in ran.err


@pytest.mark.parametrize("arguments", [["export", "--parquet", "fates"], ["tap"]])
def test_a_file_is_asked_for(arguments: list[str]) -> None:
    """What cannot be shown on a terminal wants a file's name."""
    assert tocsin(*arguments).code == 3
