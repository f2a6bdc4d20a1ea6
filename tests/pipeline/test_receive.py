"""Articles posted over HTTPS: who is let in, what becomes of each, and what is said of what cannot be taken."""

from __future__ import annotations

import base64
import io
import json
import logging
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.system import System, World, brought, system
from tests.twins import Clock, MemoryArchive, MemoryQueue, MemoryTable
from tocsin import reading
from tocsin.adapters.gateway import answer_of, request_of
from tocsin.article import Article
from tocsin.errors import SettingsFault
from tocsin.pipeline.receive import FRESH, MAX_ARTICLES, MAX_BODY, Door, Receiver, Reply, Request

EVENT = json.loads((Path(__file__).parents[1] / "events" / "http-api.json").read_text(encoding="utf-8"))
SECRET = "a-secret-that-nobody-guesses"
TEXT = "North Korea is preparing to send more troops to Russia, Seoul said on Friday."
JSON = {"content-type": "application/json"}
KNOWN = {"authorization": f"Bearer {SECRET}"}


@dataclass
class Kept:
    """A secret as Secrets Manager keeps it; counts how often it was asked for."""

    value: str = SECRET
    at_hand: str = ""
    fetched: int = 0

    def __call__(self) -> str:
        """The secret as it was last fetched."""
        return self.at_hand

    def refresh(self) -> str:
        """The secret as it is now."""
        self.fetched += 1
        self.at_hand = self.value
        return self.at_hand


@dataclass
class Endpoint:
    """The receiver on the twins."""

    clock: Clock = field(default_factory=Clock)
    archive: MemoryArchive = field(default_factory=MemoryArchive)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    table: MemoryTable = field(default_factory=MemoryTable)
    secret: Kept = field(default_factory=Kept)
    receiver: Receiver = field(init=False)

    def __post_init__(self) -> None:
        door = Door(self.secret, self.clock)
        self.receiver = Receiver(door, self.archive, self.queue, self.table, self.clock, reading.contents)

    def post(self, body: Any, headers: dict[str, str] = KNOWN | JSON) -> Reply:
        """Somebody posts an object of JSON, or bytes."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.receiver.receive(Request(headers, raw, "192.0.2.10"))

    @property
    def articles(self) -> list[Article]:
        """What is on the queue."""
        return brought(self.archive, self.queue.bodies)


@pytest.fixture
def endpoint() -> Endpoint:
    """The receiver on the twins."""
    return Endpoint()


# Who is let in


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {SECRET}"},
        {"authorization": f"bearer  {SECRET} "},
        {"x-tocsin-secret": SECRET},
        {"authorization": "Basic abc", "x-tocsin-secret": SECRET},
        {"authorization": f"Bearer {SECRET}", "x-tocsin-secret": "wrong"},
    ],
)
def test_whoever_knows_the_secret_is_let_in(endpoint: Endpoint, headers: dict[str, str]) -> None:
    """The secret is taken from either header; what else is sent beside it does no harm."""
    assert endpoint.post({"text": TEXT}, headers | JSON).status == 202
    assert [article.text for article in endpoint.articles] == [TEXT]


STRANGERS: list[dict[str, str]] = [
    {},
    {"authorization": ""},
    {"authorization": "Bearer "},
    {"authorization": SECRET},
    {"authorization": f"Basic {SECRET}"},
    {"authorization": "Bearer wrong"},
    {"authorization": f"Bearer {SECRET[:-1]}"},
    {"authorization": f"Bearer {SECRET}x"},
    {"authorization": f"Bearer {SECRET.upper()}"},
    {"authorization": f"Bearer {SECRET},Bearer {SECRET}"},
    {"authorization": "Bearer \u00fc\ud83d"},
    {"x-tocsin-secret": "wrong"},
    {"x-tocsin-secret": ""},
]


@pytest.mark.parametrize("headers", STRANGERS)
@pytest.mark.parametrize("body", [b"", b"{", b"x" * (MAX_BODY + 1), json.dumps({"text": TEXT}).encode()])
def test_strangers_are_all_told_the_same(endpoint: Endpoint, headers: dict[str, str], body: bytes) -> None:
    """No secret, a wrong one or half of it: one answer, whatever else is right or wrong; nothing is kept of what they sent."""
    assert endpoint.post(body, headers) == endpoint.post({"text": TEXT}, {**JSON, "x-tocsin-secret": "no"})
    assert endpoint.post(body, headers).status == 401
    assert (endpoint.queue.bodies, endpoint.table.fates, endpoint.archive.keys("")) == ([], {}, [])


def test_strangers_cannot_make_the_secret_be_fetched(endpoint: Endpoint) -> None:
    """However many try, the secret is asked for once a minute, and never for those who send none."""
    for _ in range(20):
        endpoint.post({"text": TEXT}, JSON)
    assert endpoint.secret.fetched == 0
    for _ in range(20):
        endpoint.post({"text": TEXT}, {"x-tocsin-secret": "wrong"})
    assert endpoint.secret.fetched == 1


def test_a_new_secret_opens_and_an_old_one_closes_within_a_minute(endpoint: Endpoint) -> None:
    """A secret that was replaced is void, and its successor is known, without a deployment."""
    assert endpoint.post({"text": TEXT}).status == 202
    endpoint.secret.value = "another-secret-that-nobody-guesses"
    endpoint.clock.move(seconds=FRESH / timedelta(seconds=1))
    assert endpoint.post({"text": TEXT}).status == 401
    assert endpoint.post({"text": TEXT}, JSON | {"x-tocsin-secret": endpoint.secret.value}).status == 202


# What becomes of what is posted


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", json.dumps([{"id": "a", "text": TEXT}, {"title": "T"}, {"id": "c", "text": TEXT}])),
        ("application/json; charset=UTF-8", json.dumps([{"id": "a", "text": TEXT}, 7, {"id": "c", "text": TEXT}])),
        (
            "application/x-ndjson",
            f'{{"id": "a", "text": "{TEXT}"}}\n{{"text": ""}}\n\n{{"id": "c", "text": "{TEXT}"}}\n',
        ),
        ("application/jsonl", f'{{"id": "a", "text": "{TEXT}"}}\nno JSON\n{{"id": "c", "text": "{TEXT}"}}'),
    ],
)
def test_each_article_of_a_post_has_its_own_outcome(endpoint: Endpoint, kind: str, body: str) -> None:
    """Of a list, or of lines, the good ones are queued and the others named by their place, with a reason; each has a fate."""
    reply = endpoint.post(body.encode(), KNOWN | {"content-type": kind})
    assert reply.status == 202
    assert reply.body["accepted"] == ["a", "c"] == [article.id for article in endpoint.articles]
    ((index, reason),) = [(each["index"], each["reason"]) for each in reply.body["rejected"]]
    assert index == 1
    ((name, fate),) = endpoint.table.fates.items()
    assert (fate.fate, fate.reason) == ("rejected", reason)
    assert name.startswith("post-")


def test_one_article_is_as_good_as_a_list(endpoint: Endpoint) -> None:
    """One object is one article, with all that it says of itself; it is archived, too."""
    told = {
        "id": "x",
        "title": "T",
        "source": "S",
        "url": "https://x.example/1",
        "published": "2025-01-24T09:30:00+09:00",
    }
    assert endpoint.post({**told, "text": TEXT}).body == {"accepted": ["x"], "rejected": []}
    (article,) = endpoint.articles
    assert (article.title, article.source, article.url, article.text) == ("T", "S", "https://x.example/1", TEXT)
    assert article.published is not None
    assert article.published.isoformat() == "2025-01-24T00:30:00+00:00"
    assert len(endpoint.archive.keys("articles/")) == 1


def test_an_article_without_an_id_gets_the_same_each_time(endpoint: Endpoint) -> None:
    """A post that is repeated, alone or among others, carries the same ids; another outlet's copy of a text has its own."""
    one, other = {"text": TEXT, "source": "A"}, {"text": TEXT, "source": "B"}
    first = endpoint.post(one).body["accepted"]
    again = endpoint.post([other, one, one]).body["accepted"]
    assert again[1:] == first
    assert again[0] != first[0]
    assert len(endpoint.queue.bodies) == 3


def test_an_article_that_is_posted_again_rings_once(endpoint: Endpoint, world: World) -> None:
    """Whoever is not sure that a post arrived may post it again, with or without an id."""
    for told in ({"text": TEXT}, {"text": TEXT}, {"text": TEXT, "id": "x"}, {"text": TEXT, "id": "x"}):
        endpoint.post(told)
    world.arrive(*endpoint.articles)
    world.deliver()
    assert len(world.slack.standing) == 1


def test_what_is_posted_is_cleaned(endpoint: Endpoint) -> None:
    """What nobody can see reaches neither the queue nor the answer."""
    endpoint.post(b'{"id": "a\\u202e", "text": "North\\u200b Korea\\ud83d sends troops.", "title": "A\\nB\\u0007"}')
    (article,) = endpoint.articles
    assert (article.id, article.text, article.title) == ("a", "North Korea sends troops.", "A B")


@pytest.mark.parametrize(
    ("status", "code", "headers", "body"),
    [
        (400, "nothing_accepted", JSON, b""),
        (400, "nothing_accepted", JSON, b"{"),
        (400, "nothing_accepted", JSON, b"[]"),
        (400, "nothing_accepted", JSON, b"[" * 100_000),
        (400, "nothing_accepted", JSON, b'{"text": "\xff"}'),
        (400, "nothing_accepted", JSON, b'[{"title": "T"}]'),
        (400, "nothing_accepted", JSON, b"\x1f\x8b\x08\x00\x00"),
        (413, "too_large", JSON, b" " * (MAX_BODY + 1)),
        (413, "too_many", JSON, json.dumps([{"text": "a"}] * (MAX_ARTICLES + 1)).encode()),
        (413, "too_many", {"content-type": "application/x-ndjson"}, b'{"text": "a"}\n' * (MAX_ARTICLES + 1)),
        (415, "unsupported_type", {}, b"{}"),
        (415, "unsupported_type", {"content-type": "text/plain"}, b"{}"),
        (415, "unsupported_type", {"content-type": "multipart/form-data; boundary=x"}, b"{}"),
        (415, "unsupported_type", {"content-type": "application/json; charset=latin-1"}, b"{}"),
        (415, "unsupported_type", {"content-type": "application/json", "content-encoding": "gzip"}, b"{}"),
        (415, "unsupported_type", {"content-type": "a\nb; charset*0=x"}, b"{}"),
    ],
)
def test_what_cannot_be_taken_is_said_in_json(
    endpoint: Endpoint, status: int, code: str, headers: dict[str, str], body: bytes
) -> None:
    """A post of which nothing can be taken gets its own status, a code, and a sentence about how to mend it; nothing is queued."""
    reply = endpoint.post(body, KNOWN | headers)
    assert (reply.status, reply.body["error"]) == (status, code)
    assert reply.body["message"]
    assert endpoint.queue.bodies == []
    if code == "nothing_accepted":
        assert [each["index"] for each in reply.body["rejected"]] == [0]
        assert endpoint.table.fates


# On moto, through the handler


def event(body: str, *, encoded: bool = False, **headers: str) -> dict[str, Any]:
    """An event of API Gateway."""
    told = {"content-type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return {**EVENT, "headers": told, "body": body, "isBase64Encoded": encoded}


def test_a_post_reaches_the_article_queue() -> None:
    """On moto, a post in base64 lies on the queue with its id and text, and a stranger's does not."""
    with system(ReceiveSecret="shared") as running:
        running.stack.client("secretsmanager").create_secret(Name="shared", SecretString=SECRET)
        told = {"id": "posted", "text": TEXT, "source": "The Outlet", "published": "2025-02-28"}
        body = base64.b64encode(json.dumps(told).encode()).decode()
        answer = running.pump.call("Receive", event(body, encoded=True, authorization=f"Bearer {SECRET}"))
        assert (answer["statusCode"], json.loads(answer["body"])["accepted"]) == (202, ["posted"])
        assert running.pump.call("Receive", event(body, encoded=True))["statusCode"] == 401
        (message,) = running.messages_in("ArticleQueue")
        assert Article.from_json(json.loads(message)).text == TEXT


def test_an_endpoint_that_is_not_set_up_says_nothing_of_it(caplog: pytest.LogCaptureFixture) -> None:
    """On moto, a secret that is absent, can be guessed or is none is told in the log; the caller may come again later."""
    caplog.set_level(logging.ERROR, "tocsin")
    with system(ReceiveSecret="shared") as running:
        for stored, complaint in (
            (None, "it does not exist"),
            ("short", "can be guessed"),
            ("two words", "no shared secret"),
        ):
            if stored:
                running.stack.client("secretsmanager").delete_secret(SecretId="shared", ForceDeleteWithoutRecovery=True)
                running.stack.client("secretsmanager").create_secret(Name="shared", SecretString=stored)
            answer = running.pump.call("Receive", event("{}", authorization=f"Bearer {SECRET}"))
            assert (answer["statusCode"], answer["headers"]["Retry-After"]) == (503, "60")
            assert json.loads(answer["body"])["error"] == "unavailable"
            assert "shared" not in answer["body"]
            assert complaint in caplog.text
    assert SECRET not in caplog.text
    assert "short;" not in caplog.text


def test_the_gateways_event_is_read() -> None:
    """The envelope of API Gateway gives headers, body and sender, and an answer is one it understands."""
    request = request_of(EVENT)
    assert request.headers["authorization"] == "Bearer EXAMPLE-EXAMPLE-EXAMPLE-EXAMPLE"
    assert json.load(io.BytesIO(request.body))["title"] == "Troops"
    assert request.sender == "192.0.2.10"
    answer = answer_of(Reply(401, {"error": "unauthorized"}))
    assert (answer["statusCode"], answer["headers"]["WWW-Authenticate"]) == (401, "Bearer")


def test_a_queue_that_refuses_is_not_hidden(endpoint: Endpoint) -> None:
    """When the queue does not take an article, the post fails as a whole, so that it is posted again."""

    class Deaf(MemoryQueue):
        def send(self, bodies: Any) -> None:
            raise SettingsFault(f"refused {len(bodies)}")

    deaf = Receiver(endpoint.receiver.door, endpoint.archive, Deaf(), endpoint.table, endpoint.clock, reading.contents)
    with pytest.raises(SettingsFault, match="refused 1"):
        deaf.receive(Request(KNOWN | JSON, json.dumps({"text": TEXT}).encode()))


def test_the_system_without_a_secret_has_no_endpoint(on_moto: System) -> None:
    """Nobody gets an open door who did not ask for one."""
    assert {"Receive", "Interact", "Answer"}.isdisjoint(on_moto.stack.of_type("AWS::Lambda::Function"))
    assert on_moto.stack.of_type("AWS::ApiGatewayV2::Stage") == []
