"""How an e-mail becomes an article."""

from __future__ import annotations

from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tocsin import mail
from tocsin.article import Article
from tocsin.errors import InputFault
from tocsin.reading import articles, contents

TEXT = "North Korea is preparing to send more troops to Russia, Seoul said on Friday."
HEADERS = {
    "From": "The Desk <desk@news.example>",
    "Subject": "More troops",
    "Date": "Fri, 24 Jan 2025 18:30:00 +0900",
    "Message-ID": "<1@news.example>",
}


def written(text: str = TEXT, *, markup: str = "", **headers: str) -> EmailMessage:
    """An e-mail with this text, and with this HTML beside it."""
    made = EmailMessage()
    for name, value in (HEADERS | {name.replace("_", "-"): value for name, value in headers.items()}).items():
        made[name] = value
    made.set_content(text)
    if markup:
        made.add_alternative(markup, subtype="html")
    return made


def read(made: EmailMessage | bytes) -> Article:
    """The article of an e-mail."""
    return articles("inbox/a.eml", made if isinstance(made, bytes) else made.as_bytes())[0]


def test_an_email_is_an_article() -> None:
    """Subject, sender, date and Message-ID are headline, outlet, time and id."""
    found = read(written())
    assert (found.title, found.source, found.text.strip()) == ("More troops", "The Desk", TEXT)
    assert (found.id, found.named, found.lacks) == ("1@news.example", "given", "")
    assert found.published == datetime(2025, 1, 24, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "source"),
    [
        ({"List_Id": "Wire alerts <alerts.wire.example>"}, "Wire alerts"),
        ({"List_Id": "<alerts.wire.example>"}, "The Desk"),
        ({"From": "desk@news.example"}, "news.example"),
        ({"From": "=?utf-8?b?7Jew7ZWp64m07Iqk?= <a@b.example>"}, "연합뉴스"),
    ],
)
def test_who_speaks(headers: dict[str, str], source: str) -> None:
    """The outlet is the list's name, else the sender's, else the sender's domain."""
    assert read(written(**headers)).source == source


def test_an_email_links_to_its_archive() -> None:
    """An address in Archived-At is the article's."""
    assert read(written(Archived_At="<https://lists.example/1>")).url == "https://lists.example/1"


def test_plain_text_is_preferred_to_html() -> None:
    """Of two forms of one text the plain one is read; of HTML alone, what a browser shows."""
    assert read(written(markup="<p>HTML</p>")).text.strip() == TEXT
    made = written()
    made.set_content(f"<html><style>p {{}}</style><p>{TEXT}</p><p>Second.</p></html>", subtype="html")
    assert read(made).text == f"{TEXT}\nSecond."


def test_attachments_are_named_and_left_out() -> None:
    """What hangs on an e-mail is not read, and the article says so."""
    made = written()
    made.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="order of battle.pdf")
    made.add_attachment("Iran attacks.", filename="other.txt")
    made.add_attachment(written("Iran attacks again."))
    found = read(made)
    assert found.text.strip() == TEXT
    assert found.lacks == "3 attachments: order of battle.pdf, other.txt, message/rfc822"


def test_a_forwarded_email_is_read_in_place_of_an_empty_one() -> None:
    """Whoever forwards an e-mail as an attachment and writes nothing means the one forwarded; not any depth of it."""
    made = written(Subject="Original", Message_ID="<2@news.example>")
    for depth in range(1, mail.MAX_FORWARDS + 2):
        outer = written("", Subject="Fwd")
        outer.add_attachment(made)
        made = outer
        if depth <= mail.MAX_FORWARDS:
            assert (read(made).title, read(made).id) == ("Original", "2@news.example")
    with pytest.raises(InputFault, match="without a text"):
        read(made)


@pytest.mark.parametrize("encoding", ["iso-8859-1", "windows-1251", "koi8-r", "iso-2022-jp", "gb2312"])
def test_emails_in_other_encodings(encoding: str) -> None:
    """A text is read in the encoding its part names."""
    text = {"iso-8859-1": "Séoul", "iso-2022-jp": "日本の部隊", "gb2312": "部队"}.get(encoding, "войска")
    head = f"Subject: x\nContent-Type: text/plain; charset={encoding}\nContent-Transfer-Encoding: 8bit\n\n"
    assert read(head.encode() + text.encode(encoding) + b" " * 400).text.strip() == text


@pytest.mark.parametrize(
    "head",
    [
        "Date: never", "Date: Fri, 99 Jan 2025 18:30:00 +0900", "Date: Fri, 31 Dec 9999 23:59:59 -1400", "From: <", "From: ((((", "From:",
        "Message-ID: <>", f"Message-ID: <{'x' * 400}>", f"Subject: {'x ' * 4_000}", "Subject: =?utf-8?q?a", "Content-Type: ;;;", "Archived-At: javascript:x",
    ],
)  # fmt: skip
def test_a_header_that_is_none_does_no_harm(head: str) -> None:
    """A header that nobody can read leaves the article without what it would have said."""
    found = read(f"{head}\n\n{TEXT}".encode())
    assert (found.text, found.url, found.published) == (TEXT, "", None)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"Subject: x\n\n \n", "is an e-mail without a text"),
        (b"Content-Type: image/png\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=", "is an e-mail without a text"),
        (b"Subject: x\n\n" + b"a\n" * (mail.MAX_LINES + 1), "400,000 lines"),
        (b"Subject: x\n\n" + b"a" * mail.MAX_MAIL, "10,000,000 bytes"),
        (
            b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(99)),
            "parts in parts",
        ),
        (b"Content-Type: multipart/mixed; boundary=x\n\n" + b"--x\n\na\n" * 2_000, "1,000 parts"),
        (b"Content-Type: text/plain; " + b"a=b; " * 9_000 + b"\n\nText.", "5,000 bytes in a header"),
        (b"Content-Type: text/plain;" + b"\n a=b;" * 9_000 + b"\n\nText.", "5,000 bytes in a header"),
    ],
    ids=range(8),
)
def test_an_email_that_cannot_be_read(body: bytes, what: str) -> None:
    """An e-mail without a text, or made to keep the parser busy is told with what is wrong."""
    with pytest.raises(InputFault) as caught:
        read(body)
    assert what in caught.value.what
    assert caught.value.mend


PIECES = [
    "From: ", "Subject: ", "Date: ", "Message-ID: ", "Content-Type: multipart/mixed; boundary=x", "Content-Type: message/rfc822",
    "\n", "\n\n", "--x", "--x--", "Content-Transfer-Encoding: base64", "Content-Disposition: attachment; filename*=utf-7''%ff",
    "=?utf-8?b?", "?=", "<", ">", "(", '"', ";", "a", "\udcff", "\x00",
]  # fmt: skip


@given(some.lists(some.sampled_from(PIECES), max_size=30))
def test_whatever_comes_is_an_article_or_a_fault(pieces: list[str]) -> None:
    """Whatever an e-mail is made of, it becomes an article, or somebody is told why not; nothing else happens."""
    (entry,) = contents("a.eml", "".join(pieces).encode("utf-8", "surrogateescape"))
    assert (entry.article is None) is (entry.fault is not None)
