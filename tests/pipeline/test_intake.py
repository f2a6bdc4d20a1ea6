"""How dropped files become articles on the queue, and what becomes of those that cannot."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.system import System, brought
from tests.twins import Clock, MemoryArchive, MemoryQueue, MemoryTable
from tocsin import reading
from tocsin.adapters.sqs import NotQueued, SqsQueue
from tocsin.article import Article
from tocsin.pipeline.archive import MAX_FILE
from tocsin.pipeline.collect import Collector

TEXT = "North Korea is preparing to send more troops to Russia, Seoul said on Friday."


@dataclass
class Intake:
    """The collector on the twins."""

    clock: Clock = field(default_factory=Clock)
    archive: MemoryArchive = field(default_factory=MemoryArchive)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    table: MemoryTable = field(default_factory=MemoryTable)

    def drop(self, name: str, body: bytes, **metadata: str) -> None:
        """A user drops a file, and S3 tells of it."""
        self.collect(self.archive.drop(f"inbox/{name}", body, **metadata))

    def collect(self, key: str) -> None:
        """S3 tells of a file."""
        Collector(self.archive, self.queue, self.table, self.clock, reading.contents).collect(key)

    @property
    def articles(self) -> list[Article]:
        """What is on the queue."""
        return brought(self.archive, self.queue.bodies)

    @property
    def rejected(self) -> dict[str, str]:
        """Name → why it was rejected."""
        return {name: record.reason for name, record in self.table.fates.items() if record.fate == "rejected"}


@pytest.fixture
def intake() -> Intake:
    """The collector on the twins."""
    return Intake()


def test_a_text_file_becomes_an_article(intake: Intake) -> None:
    """A text file is an article named after the file, completed by the object's metadata."""
    told = {"title": "Troops", "source": "The Outlet", "url": "https://news.example/1", "published": "2025-01-24"}
    intake.drop("2025/report.txt", TEXT.encode(), **told)
    (article,) = intake.articles
    assert (article.id, article.text, article.title, article.source) == ("report", TEXT, "Troops", "The Outlet")
    assert (article.url, article.dated) == ("https://news.example/1", "given")
    assert article.published is not None
    assert article.published.isoformat() == "2025-01-24T00:00:00+00:00"


def test_an_article_without_a_date_gets_the_time_of_arrival(intake: Intake) -> None:
    """An article nobody dated is dated by its arrival, and says so."""
    intake.drop("report.txt", TEXT.encode())
    (article,) = intake.articles
    assert (article.published, article.dated) == (intake.clock(), "arrival")


@pytest.mark.parametrize("name", ["two.json", "two.jsonl"])
def test_a_file_may_hold_many_articles(intake: Intake, name: str) -> None:
    """A JSON list and JSON lines hold an article each; unknown keys do no harm."""
    rows = [{"id": "one", "text": TEXT, "lang": "en"}, {"id": "two", "text": TEXT}]
    lines = "\n".join(json.dumps(row) for row in rows)
    intake.drop(name, (json.dumps(rows) if name.endswith(".json") else lines).encode())
    assert [article.id for article in intake.articles] == ["one", "two"]


@pytest.mark.parametrize("name", ["many.json", "many.jsonl"])
def test_a_bad_article_in_a_file_does_not_take_the_others_along(intake: Intake, name: str) -> None:
    """Of a file of many articles those that cannot be read are rejected, each with its number; the others are queued."""
    rows = [{"id": "one", "text": TEXT}, {"id": "two"}, 3, {"id": "four", "text": TEXT}]
    lines = "\n".join(json.dumps(row) for row in rows)
    intake.drop(name, (json.dumps(rows) if name.endswith(".json") else lines).encode())
    assert [article.id for article in intake.articles] == ["one", "four"]
    assert set(intake.rejected) == {"many-2", "many-3"}


def test_files_of_the_same_articles_are_kept_apart(intake: Intake) -> None:
    """Two files whose articles have the same ids but other texts are both archived."""
    for text in (TEXT, f"{TEXT} Tokyo agreed."):
        intake.drop("same.json", json.dumps({"id": "one", "text": text, "published": "2025-01-24"}).encode())
    assert len(intake.archive.keys("articles/")) == 2


def test_what_was_queued_is_archived(intake: Intake) -> None:
    """The articles of a file are kept in the archive, once, however often S3 tells of the file."""
    intake.drop("report.txt", TEXT.encode(), published="2025-01-24")
    intake.collect("inbox/report.txt")
    assert len(intake.archive.keys("articles/")) == 1
    assert len(set(intake.queue.bodies)) == 1


BAD: dict[str, tuple[str, bytes, str]] = {
    "empty": ("bad.txt", b"", "is empty"),
    "blank": ("bad.txt", b" \n\n ", "is empty"),
    "binary": ("bad.txt", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" * 50, "binary"),
    "latin-1": ("bad.txt", "Séoul a annoncé".encode("latin-1"), "is not UTF-8"),
    "utf-16": ("bad.txt", TEXT.encode("utf-16"), "UTF-16"),
    "no json": ("bad.json", b"{", "is not JSON"),
    "no object": ("bad.json", b"3", "is not a JSON object"),
    "no text": ("bad.json", b'{"title": "T"}', "text"),
    "deep": ("bad.json", b"[" * 100_000, "JSON"),
    "bad date": ("bad.json", b'{"text": "T", "published": "some day"}', "published"),
    "huge": ("bad.txt", b"a" * (MAX_FILE + 1), "20,000,000 is the most"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_rejected_with_the_reason(intake: Intake, name: str) -> None:
    """A file that is no article is recorded as rejected, says where and why, and puts nothing on the queue."""
    file, body, reason = BAD[name]
    intake.drop(file, body)
    assert intake.queue.bodies == []
    assert reason in intake.rejected["bad"]
    assert file in intake.rejected["bad"]


def test_a_file_that_is_gone_is_rejected(intake: Intake) -> None:
    """A file that was deleted before it was read is recorded as rejected."""
    intake.collect("inbox/gone.txt")
    assert "not in the bucket" in intake.rejected["gone"]


class HalfDeafSqs:
    """An SQS that refuses some entries of a batch, answering 200 as SQS does."""

    def __init__(self, refuse: Callable[[int, str], bool]) -> None:
        self.calls = 0
        self.taken: list[str] = []
        self._refuse = refuse

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803 - boto3's
        """See boto3."""
        assert QueueUrl == "url"
        self.calls += 1
        failed = [entry for entry in Entries if self._refuse(self.calls, entry["MessageBody"])]
        self.taken += [entry["MessageBody"] for entry in Entries if entry not in failed]
        return {"Successful": [], "Failed": [{"Id": entry["Id"], "Code": "InternalError"} for entry in failed]}


def test_messages_sqs_refuses_are_sent_again() -> None:
    """Entries that SQS lists as failed are sent again, and only those."""
    sqs = HalfDeafSqs(lambda call, body: call == 1 and body in "bd")
    SqsQueue(sqs, "url").send(list("abcde"))
    assert (sqs.calls, sorted(sqs.taken)) == (2, list("abcde"))


def test_messages_sqs_keeps_refusing_are_reported() -> None:
    """A batch that SQS will not take whole raises, so that the file comes again."""
    with pytest.raises(NotQueued, match="1 of 2"):
        SqsQueue(HalfDeafSqs(lambda _, body: body == "b"), "url").send(["a", "b"])


def test_messages_are_batched_by_number_and_size() -> None:
    """No batch has more than ten entries or more bytes than SQS takes."""
    sqs = HalfDeafSqs(lambda *_: False)
    SqsQueue(sqs, "url").send(["x" * 100_000] * 5 + ["y"] * 21)
    assert sqs.calls == 3 + 2
    assert len(sqs.taken) == 26


NAMES = ["plain.txt", "with blank and + plus.txt", "über—straße.txt", "50% sure?.txt", "a/b/c.txt"]


def test_files_of_any_name_reach_the_channel(on_moto: System) -> None:
    """On moto, a file dropped under any name is found again by the key S3 tells, and its article gets a fate."""
    for number, name in enumerate(NAMES):
        on_moto.drop(name, TEXT.encode(), source=f"Outlet {number}", published="2025-02-01")
    on_moto.pump.drain()
    for name in NAMES:
        record = on_moto.table.fate(name.rpartition("/")[2].removesuffix(".txt"))
        assert record is not None
        assert record.fate in {"alerted", "corroborated"}


def test_metadata_keeps_its_letters(on_moto: System) -> None:
    """On moto, metadata outside ASCII, percent-escaped by whoever drops the file, is read back as it was."""
    on_moto.drop("report.txt", TEXT.encode(), title="Séoul: 50 % — “plus”", source="Le Journal", published="2025-02-01")
    on_moto.pump.drain()
    record = on_moto.table.fate("report")
    assert record is not None
    assert (record.title, record.source) == ("Séoul: 50 % — “plus”", "Le Journal")


def test_metadata_that_only_looks_encoded_is_taken_as_it_is(on_moto: System) -> None:
    """On moto, metadata that looks like a broken encoded word rejects nothing."""
    bucket = on_moto.stack.physical("Bucket")
    told = {"title": "=?no-such-charset?B?AAAA?=", "source": "=?utf-8?B?A?="}
    on_moto.stack.client("s3").put_object(Bucket=bucket, Key="inbox/odd.txt", Body=TEXT.encode(), Metadata=told)
    on_moto.pump.drain()
    record = on_moto.table.fate("odd")
    assert record is not None
    assert record.fate == "alerted"


def test_a_bad_file_does_not_hold_up_the_others(on_moto: System) -> None:
    """On moto, bad files are recorded as rejected while a good one beside them alerts; nothing is left in a queue."""
    on_moto.drop("empty.txt", b"")
    on_moto.drop("binary.txt", b"\x00\x01" * 100)
    on_moto.drop("good.txt", TEXT.encode(), published="2025-02-01")
    on_moto.pump.drain()
    records = [on_moto.table.fate(name) for name in ("empty", "binary", "good")]
    assert [record.fate for record in records if record] == ["rejected", "rejected", "alerted"]
    assert not on_moto.pump.waiting()


def test_a_mended_file_alerts_after_all(on_moto: System) -> None:
    """On moto, a file that was rejected, mended and dropped again under the same name alerts."""
    on_moto.drop("report.txt", b"")
    on_moto.pump.drain()
    on_moto.drop("report.txt", TEXT.encode(), published="2025-02-01")
    on_moto.pump.drain()
    record = on_moto.table.fate("report")
    assert record is not None
    assert (record.fate, len(on_moto.slack.posts)) == ("alerted", 1)
