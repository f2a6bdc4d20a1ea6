"""How bytes become articles, and what is said of those that cannot."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tocsin.article import MAX_TEXT, Article
from tocsin.errors import InputFault
from tocsin.reading import MAX_FILE, Entry, articles, contents, entries, lines

GOOD = '{"text": "Good."}'


def fault(body: bytes, name: str = "a.txt") -> InputFault:
    """What is said of a file that is no article."""
    with pytest.raises(InputFault) as caught:
        articles(name, body)
    return caught.value


def told(found: list[Entry]) -> list[str]:
    """The texts of the articles, and for each fault what is wrong with the input."""
    return [entry.article.text if entry.article else f"fault: {entry.fault and entry.fault.what}" for entry in found]


def read_json(**fields: object) -> Article:
    """The article of a JSON file with these fields."""
    return articles("a.json", json.dumps({"text": "Text.", **fields}).encode())[0]


@pytest.mark.parametrize(
    ("name", "body", "what", "mend"),
    [
        pytest.param("a.txt", b"", "is empty", "put the article's text", id="empty"),
        pytest.param("a.txt", b" \r\n\t", "is empty", "put the article's text", id="blank"),
        pytest.param("a.txt", b"\xef\xbb\xbf", "text: is empty", 'give it a "text"', id="byte order mark alone"),
        pytest.param("a.txt", b"%PDF\x00\x01", "is a binary file", "drop text", id="zero byte"),
        pytest.param(
            "a.txt", b"\x1f\x8b\x08\x02\x03\x04" * 9, "is a binary file", "drop text", id="control characters"
        ),
        pytest.param("a.txt", "Überfall".encode("utf-16"), "is UTF-16", "UTF-8", id="UTF-16"),
        pytest.param("a.txt", "Attack".encode("utf-16-be"), "is a binary file", "drop text", id="UTF-16 unmarked"),
        pytest.param("a.txt", "Übung".encode("latin-1"), "is not UTF-8 (byte 0xdc at 0)", "UTF-8", id="Latin-1"),
        pytest.param("a.txt", b"Army \xe2\x80", "is not UTF-8 (byte 0xe2 at 5)", "UTF-8", id="cut short"),
        pytest.param("a.txt", b"x" * (MAX_TEXT + 1), "text: string should have at most", "5,000,000", id="too long"),
        pytest.param("a.json", b"", "is empty", "put the article's text", id="empty JSON"),
        pytest.param("a.json", b"{", "is not JSON", "JSON formatter", id="broken JSON"),
        pytest.param("a.json", b"[" * 100_000, "is not JSON", "JSON formatter", id="deep JSON"),
        pytest.param("a.json", b"9" * 5_000, "is not JSON", "JSON formatter", id="endless number"),
        pytest.param("a.json", b'"text"', "is not a JSON object", '{"text"', id="JSON string"),
        pytest.param("a.json", b"[]", "holds an empty list", "put articles", id="empty list"),
        pytest.param("a.json", b'{"title": "T"}', "text: field required", 'give it a "text"', id="no text"),
        pytest.param(
            "a.json", b'{"text": null}', "text: input should be a valid string", 'give it a "text"', id="null"
        ),
        pytest.param(
            "a.json", b'{"text": ["T"]}', "text: input should be a valid", 'give it a "text"', id="list as text"
        ),
        pytest.param("a.json", b'{"text": " "}', "text: is empty", 'give it a "text"', id="blank text"),
    ],
)
def test_bad_files(name: str, body: bytes, what: str, mend: str) -> None:
    """A file that is no article is told with what is wrong, its name, and how to mend it."""
    found = fault(body, name)
    assert found.where == name
    assert what in found.what
    assert mend in found.mend
    assert str(found) == f"{name}: {found.what} ({found.mend})"


@pytest.mark.parametrize(
    ("field", "value", "what", "mend"),
    [
        pytest.param("published", "yesterday", "published: input should be a valid datetime", "2025-01-24", id="words"),
        pytest.param(
            "published", "2025-13-01", "published: input should be a valid datetime", "2025-01-24", id="month 13"
        ),
        pytest.param("published", [2025], "published: input should be a valid datetime", "2025-01-24", id="list"),
        pytest.param("published", True, "published: input should be a valid datetime", "2025-01-24", id="true"),
        pytest.param("published", "0001-01-01T00:00:00+14:00", "year must lie between 1900", "2025-01-24", id="year 1"),
        pytest.param(
            "published", "9999-12-31T23:59:59-14:00", "year must lie between 1900", "2025-01-24", id="year 9999"
        ),
        pytest.param("published", 1e300, "published: input should be a valid datetime", "2025-01-24", id="endless"),
        pytest.param("id", "x" * 301, "id: string should have at most 300", "300 printable characters", id="long id"),
        pytest.param("id", "a\nb", "id: holds a character that cannot be printed", "or none", id="line end in the id"),
        pytest.param("id", 7, "id: input should be a valid string", "or none", id="number as id"),
        pytest.param(
            "title", "x" * 2_001, "title: string should have at most 2000", "shorten the title", id="long title"
        ),
        pytest.param(
            "source", {"name": "x"}, "source: input should be", "shorten the source or leave it out", id="object"
        ),
        pytest.param("url", "x" * 2_001, "url: string should have at most 2000", "shorten the url", id="long url"),
    ],
)
def test_bad_fields(field: str, value: object, what: str, mend: str) -> None:
    """A field that cannot be used is named, with how to write it."""
    with pytest.raises(InputFault) as caught:
        read_json(**{field: value})
    assert what in caught.value.what
    assert mend in caught.value.mend


def test_all_bad_fields_are_told_at_once() -> None:
    """Nobody has to mend an article one field at a time."""
    with pytest.raises(InputFault, match=r"id: .*; title: .*2025-01-24|id: .*; title: ") as caught:
        read_json(id=1, title=2)
    assert "id" in caught.value.mend
    assert "title" in caught.value.mend


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        pytest.param("2025-01-24T09:30:00Z", datetime(2025, 1, 24, 9, 30, tzinfo=UTC), id="UTC"),
        pytest.param("2025-01-24T18:30:00+09:00", datetime(2025, 1, 24, 9, 30, tzinfo=UTC), id="another zone"),
        pytest.param("2025-01-24T09:30:00", datetime(2025, 1, 24, 9, 30, tzinfo=UTC), id="no zone"),
        pytest.param("2025-01-24", datetime(2025, 1, 24, tzinfo=UTC), id="a day"),
        pytest.param("2025-01", datetime(2025, 1, 1, tzinfo=UTC), id="a month"),
        pytest.param(" 2025 ", datetime(2025, 1, 1, tzinfo=UTC), id="a year"),
        pytest.param(2025, datetime(2025, 1, 1, tzinfo=UTC), id="a year as a number"),
        pytest.param("20250124", datetime(2025, 1, 24, tzinfo=UTC), id="a day without dashes"),
        pytest.param(1737711000, datetime(2025, 1, 24, 9, 30, tzinfo=UTC), id="seconds"),
        pytest.param("1737711000000", datetime(2025, 1, 24, 9, 30, tzinfo=UTC), id="milliseconds as a text"),
        pytest.param("", None, id="blank"),
        pytest.param(None, None, id="null"),
    ],
)
def test_dates(written: object, meant: datetime | None) -> None:
    """A date is read in the ways people write it, and kept in UTC."""
    assert read_json(published=written).published == meant


def test_unknown_keys_and_nulls_are_ignored() -> None:
    """An export of another program can be dropped as it is."""
    found = read_json(id=None, title=None, source=None, url=None, section="World", tags=["a"])
    assert found == Article(id="a", text="Text.", named="file")


@pytest.mark.parametrize("field", ["text", "title", "source", "url", "id"])
def test_what_nobody_can_see_is_left_out(field: str) -> None:
    r"""Half a character from a careless export (\\ud83d), and characters that show nothing, do not reach an article."""
    found = articles(
        "a.json", b'{"text": "T", "%s": "a\\ud83db\\udc00\\ud83d\\ude00\\u202ec\\u200bd\\u0007"}' % field.encode()
    )[0]
    assert getattr(found, field) == "ab😀cd"


def test_a_file_name_of_broken_bytes_gives_a_clean_id() -> None:
    """A file whose name is no Unicode can be recorded under an id that can be written down."""
    assert articles("inbox/a\udcff.txt", b"Text.")[0].id == "a"


def test_a_long_file_name_gives_a_short_id() -> None:
    """A name too long for an id is replaced by a fingerprint, the same each time."""
    first, second = (articles("x" * 250 + end, b"Text.")[0].id for end in (".txt", "y.txt"))
    assert len(first) == len(second) == 16
    assert first != second


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("One.\r\nTwo.\r\n", "One.\nTwo.\n"),
        ("One.\rTwo.", "One.\nTwo."),
        ("\n\n  One. ", "\n\n  One. "),
        ("One.\u2028Two.\x85", "One.\nTwo.\n"),
        ("e\u0301", "é"),
        ("Атака “now” — 5 % ‘x’…", "Атака “now” — 5 % ‘x’…"),
    ],
)
def test_a_text_is_cleaned_once(written: str, read: str) -> None:
    """Line ends are made alike and characters put together; blanks, dashes and quotation marks stay as they are."""
    assert articles("a.txt", written.encode())[0].text == read


@given(some.text(alphabet=some.characters(exclude_categories=["Cs"])))
def test_cleaning_twice_changes_nothing(text: str) -> None:
    """Whatever the script, what has been read is read again unchanged: offsets hold on every way through the system."""
    for article in (entry.article for entry in contents("a.txt", text.encode())):
        assert article is None or articles("a.txt", article.text.encode())[0].text == article.text


def test_metadata_completes_a_text() -> None:
    """A dropped text gets title, outlet, URL and date from the metadata beside it, never its text."""
    told_beside = {"title": "T", "source": "S", "url": "https://x.example", "published": "2025-01-24", "text": "no"}
    assert articles("inbox/a.txt", b"Text.", told_beside) == [
        Article("a", "Text.", "T", "S", "https://x.example", datetime(2025, 1, 24, tzinfo=UTC), named="file")
    ]


@pytest.mark.parametrize("name", ["page.md", "README", "a.TXT"])
def test_any_other_file_is_a_text(name: str) -> None:
    """A file whose name says nothing else is taken for a text."""
    assert articles(name, b"Text.")[0].text == "Text."


def test_a_list_of_articles() -> None:
    """A JSON file may hold several articles; those without an id get one by their number."""
    found = articles("inbox/day.json", b'[{"text": "A."}, {"text": "B.", "id": "b"}]')
    assert [article.id for article in found] == ["day-1", "b"]


BROKEN_LINES = f'{GOOD}\n\nno JSON\n{{"title": "T"}}\n[1]\n{GOOD}'.encode() + b'\n{"text": "\xff"}\n' + GOOD.encode()
BROKEN_TOLD = [
    "Good.",
    "fault: is not JSON: Expecting value: line 1 column 1 (char 0)",
    "fault: text: field required",
    "fault: is not a JSON object",
    "Good.",
    "fault: is not UTF-8 (byte 0xff at 10)",
    "Good.",
]


def test_a_bad_line_stops_no_other() -> None:
    """Of a file of JSON lines each line fails for itself, and the good ones before and after it are read."""
    assert told(list(contents("day.jsonl", BROKEN_LINES))) == BROKEN_TOLD


def test_a_bad_line_in_a_file_on_disk_stops_no_other(tmp_path: Path) -> None:
    """It makes no difference whether the lines come from a file on disk."""
    (tmp_path / "day.jsonl").write_bytes(BROKEN_LINES)
    assert told(list(entries(tmp_path / "day.jsonl"))) == BROKEN_TOLD


def test_a_bad_line_is_found_by_its_number() -> None:
    """The fault of a line names the line as an editor counts it, blank ones included, and keeps its bytes."""
    bad = [entry for entry in contents("day.jsonl", BROKEN_LINES) if entry.fault]
    assert [entry.name for entry in bad] == [f"day.jsonl, line {number}" for number in (3, 4, 5, 7)]
    assert [str(entry.fault).split(": ")[0] for entry in bad] == [entry.name for entry in bad]
    assert bad[0].body == b"no JSON"


def test_lines_get_ids_by_their_number(tmp_path: Path) -> None:
    """An article without an id has the same one whether its file was dropped or read from disk."""
    body = f"\n{GOOD}\n\n{GOOD}\n".encode()
    (tmp_path / "day.jsonl").write_bytes(body)
    on_disk = [entry.article.id for entry in entries(tmp_path / "day.jsonl") if entry.article]
    assert on_disk == [article.id for article in articles("day.jsonl", body)] == ["day-2", "day-4"]


def test_line_separators_inside_an_article_end_no_line() -> None:
    """U+2028, which JSON allows inside a string, does not tear an article apart."""
    body = '{"text": "One.\u2028Two.\x85Three."}\r\n'.encode()
    assert [article.text for article in articles("day.jsonl", body)] == ["One.\nTwo.\nThree."]


def test_a_byte_order_mark_before_json() -> None:
    """JSON saved by an editor of Windows is read like any other."""
    body = b"\xef\xbb\xbf" + GOOD.encode()
    assert [articles(name, body)[0].text for name in ("a.json", "a.jsonl")] == ["Good.", "Good."]


def test_lines_of_a_stream() -> None:
    """Lines that come from elsewhere are read the same way, under the name they are given."""
    assert [entry.name for entry in lines("standard input", iter([GOOD, "", "x"]))] == [
        "standard input, line 1",
        "standard input, line 3",
    ]


def test_all_or_none_for_those_who_want_it() -> None:
    """Who asks for the articles of a file as a whole gets the first fault instead."""
    with pytest.raises(InputFault, match="line 3"):
        articles("day.jsonl", BROKEN_LINES)


def test_a_bad_article_in_a_list_stops_no_other() -> None:
    """Of a JSON list each article fails for itself, told by its number."""
    found = list(contents("day.json", b'[{"text": "A."}, {"title": "T"}, 7, {"text": "B."}]'))
    assert told(found) == ["A.", "fault: text: field required", "fault: is not a JSON object", "B."]
    assert found[1].name == "day.json, article 2"


# paths


def sparse(path: Path, size: int) -> Path:
    """A file of so many bytes that takes no room on the disk."""
    with path.open("wb") as stream:
        stream.truncate(size)
    return path


@pytest.mark.parametrize("suffix", [".txt", ".json", ".jsonl"])
def test_a_file_of_50_megabytes(tmp_path: Path, suffix: str) -> None:
    """A huge file is refused quickly with the limit, and without being read whole."""
    begun = time.process_time()
    (entry,) = entries(sparse(tmp_path / f"huge{suffix}", 50_000_000))
    assert time.process_time() - begun < 1
    assert entry.body is None
    assert entry.fault
    assert "20,000,000 bytes" in str(entry.fault) or "is a binary file" in str(entry.fault)


def test_a_line_of_50_megabytes(tmp_path: Path) -> None:
    """One endless line ends the file with a fault; the articles before it are read."""
    path = tmp_path / "day.jsonl"
    path.write_bytes(GOOD.encode() + b"\n" + b'{"text": "' + b"x" * (MAX_FILE + 10) + b'"}\n')
    good, bad = entries(path)
    assert good.article
    assert "split it" in str(bad.fault)


@pytest.mark.parametrize(
    ("path", "what"),
    [
        pytest.param("missing", "does not exist", id="missing folder"),
        pytest.param("missing.txt", "does not exist", id="missing file"),
        pytest.param("x" * 5_000, "cannot be read: File name too long", id="endless name"),
        pytest.param("x\0", "cannot be read: embedded null", id="zero in the name"),
        pytest.param("a.txt/b.txt", "cannot be read: Not a directory", id="file taken for a folder"),
    ],
)
def test_paths_that_name_nothing(tmp_path: Path, path: str, what: str) -> None:
    """A path that names nothing is told with what to check."""
    (tmp_path / "a.txt").write_text("Text.")
    (entry,) = entries(tmp_path / path)
    assert what in str(entry.fault)
    assert "check the path" in str(entry.fault)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_nobody_may_read(tmp_path: Path) -> None:
    """A file without permission is told as such."""
    (tmp_path / "a.txt").touch(mode=0)
    (entry,) = entries(tmp_path / "a.txt")
    assert "Permission denied" in str(entry.fault)


@pytest.mark.parametrize("body", [b"", b"\n \n"], ids=["empty", "blank"])
def test_an_empty_file_of_lines(tmp_path: Path, body: bytes) -> None:
    """A file of JSON lines without a line is told as empty, not passed over."""
    (tmp_path / "day.jsonl").write_bytes(body)
    (entry,) = entries(tmp_path / "day.jsonl")
    assert "is empty" in str(entry.fault)


def folder(path: Path, manifest: str = "") -> list[Entry]:
    """The inputs of a folder with two articles and a bad file, and a manifest where one is given."""
    (path / "a.txt").write_bytes(b"A.\r\n")
    (path / "b.txt").write_bytes(b"")
    (path / "sub").mkdir(exist_ok=True)
    (path / "sub" / "c.txt").write_bytes(b"C.")
    (path / "notes.md").write_bytes(b"no article")
    if manifest:
        (path / "manifest.yaml").write_text(manifest)
    return list(entries(path))


def test_a_folder(tmp_path: Path) -> None:
    """The articles of a folder and its folders come in the order of their names; a bad one stops no other."""
    assert told(folder(tmp_path)) == ["A.\n", "fault: is empty", "C."]


def test_a_text_keeps_its_bytes(tmp_path: Path) -> None:
    """A text read from disk can be dropped elsewhere byte for byte, a bad one too."""
    assert [entry.body for entry in folder(tmp_path)] == [b"A.\r\n", b"", b"C."]


def test_a_folder_without_articles(tmp_path: Path) -> None:
    """An empty folder is told with what was looked for."""
    (entry,) = entries(tmp_path)
    assert "holds no article; looked for .txt, .html, .htm, .eml, .json, .jsonl" in str(entry.fault)


def test_a_manifest_tells_what_the_files_do_not(tmp_path: Path) -> None:
    """Outlet, title and date come from the manifest, for files in folders too."""
    manifest = "articles:\n- {file: sub/c.txt, source: S, title: T, published: 2025-01-24}\n- {file: a.txt, url: https://x.example}\n"
    a, _, c = (entry.article for entry in folder(tmp_path, manifest))
    assert a
    assert c
    assert (a.url, a.published) == ("https://x.example", None)
    assert (c.source, c.title, c.published) == ("S", "T", datetime(2025, 1, 24, tzinfo=UTC))


def test_a_manifest_that_names_no_file(tmp_path: Path) -> None:
    """Entries without a file are told in the order of the manifest, and the articles go on."""
    found = folder(tmp_path, "articles:\n- file: z.txt\n- file: y.txt\n- file: a.txt\n")
    assert told(found) == [
        "fault: names 'z.txt', which is not in the folder",
        "fault: names 'y.txt', which is not in the folder",
        "A.\n",
        "fault: is empty",
        "C.",
    ]
    assert str(found[0].fault).startswith(f"{tmp_path}/manifest.yaml: ")
    assert "correct the name" in str(found[0].fault)


@pytest.mark.parametrize(
    ("manifest", "what"),
    [
        pytest.param("articles: [", "line 1, column 11: is not YAML", id="broken"),
        pytest.param(
            "articles:\n- file: a.txt\n  file: b.txt\n", "line 3, column 3: the key 'file' is here", id="duplicate"
        ),
        pytest.param("# nothing\n", "has no list `articles`", id="empty"),
        pytest.param("a.txt: S\n", "has no list `articles`", id="another shape"),
        pytest.param("articles: a.txt\n", "has no list `articles`", id="no list"),
        pytest.param("articles: [a.txt]\n", "has no list `articles`", id="list of names"),
        pytest.param("articles:\n- source: S\n", "has no list `articles`", id="no file"),
        pytest.param("articles:\n- file: [a.txt]\n", "has no list `articles`", id="list as a file"),
        pytest.param("articles:\n- file: 7\n", "has no list `articles`", id="number as a file"),
    ],
)
def test_a_broken_manifest(tmp_path: Path, manifest: str, what: str) -> None:
    """A manifest that cannot be used is told with its place, and the articles go on without it."""
    first, *rest = folder(tmp_path, manifest)
    assert what in str(first.fault)
    assert told(rest) == ["A.\n", "fault: is empty", "C."]


def test_a_bad_date_in_a_manifest(tmp_path: Path) -> None:
    """A date in the manifest that is none is told for its file alone."""
    found = folder(tmp_path, "articles:\n- {file: a.txt, published: Friday}\n")
    assert [bool(entry.fault) for entry in found] == [True, True, False]
    assert "2025-01-24" in str(found[0].fault)


@given(some.binary(max_size=60), some.sampled_from(["a.txt", "a.json", "a.jsonl"]))
def test_any_bytes_are_read_or_told(body: bytes, name: str) -> None:
    """Every input ends as articles or as a fault with a place and a remedy, and nothing else."""
    for entry in contents(name, body):
        assert (entry.article is None) != (entry.fault is None)
        assert entry.fault is None or (entry.fault.what and entry.fault.where and entry.fault.mend)


JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=5),
    lambda inner: (
        some.lists(inner, max_size=3)
        | some.dictionaries(some.sampled_from(["id", "text", "title", "source", "url", "published", "x"]), inner)
    ),
    max_leaves=8,
)


@given(JSON)
def test_any_json_is_read_or_told(data: object) -> None:
    """Whatever JSON somebody drops, each of its articles is read or told."""
    for entry in contents("a.json", json.dumps(data).encode()):
        assert (entry.article is None) != (entry.fault is None)


@given(
    some.builds(
        Article,
        id=some.text(min_size=1),
        text=some.text(),
        title=some.text(),
        source=some.text(),
        url=some.text(),
        published=some.none() | some.datetimes(min_value=datetime(1900, 1, 2), timezones=some.just(UTC)),  # noqa: DTZ001
    )
)
def test_an_article_survives_json(article: Article) -> None:
    """An article comes back from the queue as it was sent, its date in UTC."""
    assert Article.from_json(json.loads(json.dumps(article.to_json()))) == article


def test_an_article_without_a_date_gets_the_time_of_arrival() -> None:
    """It says so, and keeps that time when it arrives once more; one with a date keeps its own."""
    now, later = datetime(2025, 1, 24, tzinfo=UTC), datetime(2025, 2, 1, tzinfo=UTC)
    arrived = Article("a", "Text.").arriving(now)
    assert (arrived.published, arrived.dated) == (now, "arrival")
    assert arrived.arriving(later) == arrived
    assert Article("a", "Text.", published=now).arriving(later).dated == "given"
