"""The system test: the template as it is, deployed by `sam deploy` to ministack on loopback, with its authorisation on.

python -m tests.engine ENVIRONMENT BUILT     `make system-test` makes both

1. Five files are dropped into the bucket; five alerts arrive at a local Slack through the real wiring of events; the schedules fire.
2. A newer version is deployed, one that fails, and the older again, while articles come: nothing is lost, nothing rings twice.
3. Every function does each kind of its work under its own role.
4. Without any single statement of its role it does not. What AWS does under that role, and ministack as itself, IAM's simulator is asked about.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import groupby
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote

from infra.local.person import SIGNING_SECRET, Person
from infra.local.slack import LocalSlack
from infra.local.stack import keep_secret
from infra.replay import CHANNEL, SECRET
from tests.built import SHARED_SECRET
from tests.engine.running import ROOT, Called, Failed, Stack, deploy, engine, wait_for
from tests.engine.undoing import undo
from tests.system import seeds
from tocsin.adapters.dynamodb import DynamoTable, want
from tocsin.adapters.feed_table import FeedTable
from tocsin.adapters.rule_sets import keep
from tocsin.adapters.s3 import S3Archive
from tocsin.article import Article
from tocsin.pipeline.question import Question
from tocsin.ports import RulesInForce
from tocsin.rulefiles import files_of
from tocsin.subscription import Subscription

TEXT = "North Korea is preparing to send more troops to Russia, Seoul said on Friday."
TELLS = "Turkey is preparing to send more troops to {where}, officials said on Friday."
WHERE = ("Libya", "Somalia", "Iraq")
"""Where what comes while other versions are deployed sends them: each is a story of its own."""
ALERTS = 5
PATIENCE = 600
"""Seconds that a machine which has other things to do may take: longer than a message stays hidden whose call ended badly,
as a call does of which ministack takes the layer away while another version is deployed."""
FUNCTIONS = (
    "Due",
    "Fetch",
    "Intake",
    "Receive",
    "Page",
    "Detect",
    "Deliver",
    "Sweep",
    "Interact",
    "Answer",
    "Digest",
    "Ops",
)
ADDRESS = "93.184.215.14"
"""A public address, whose server the functions that are tried find on this machine."""
FEED = """<rss version="2.0"><channel><title>A feed</title><link>http://{address}/</link>
<item><title>{path}</title><link>http://{address}{path}.html</link><guid>{path}</guid><pubDate>{now}</pubDate><description>{text}</description></item>
<item><guid>{path}-nothing</guid><pubDate>{now}</pubDate></item></channel></rss>"""
"""An article, and an entry that is none."""


class Outside(BaseHTTPRequestHandler):
    """A server whose every address is a feed with something new."""

    def do_GET(self) -> None:
        """Answers with a feed."""
        told = FEED.format(address=ADDRESS, path=self.path, now=format_datetime(datetime.now(UTC)), text=TEXT).encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/rss+xml")
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, *_: object) -> None:
        """Stays quiet."""


@contextmanager
def outside() -> Iterator[dict[str, str]]:
    """The server, and what a function must have in its environment to find it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Outside) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        folder = Path(__file__).parent / "outside"
        yield {"PYTHONPATH": str(folder), "BENT": ADDRESS, "OUTSIDE": str(server.server_address[1])}
        server.shutdown()


def messages(bodies: Sequence[Any], tries: int = 1) -> dict[str, Any]:
    """An event of SQS, whose messages came so often."""
    about = {"ApproximateReceiveCount": str(tries), "SentTimestamp": str(int(time.time() * 1000))}
    told = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
    return {"Records": [{"messageId": str(n), "body": body, "attributes": about} for n, body in enumerate(told)]}


def notices(*keys: str) -> dict[str, Any]:
    """What SNS tells Intake of dropped files."""
    told = [json.dumps({"Records": [{"s3": {"object": {"key": key}}}]}) for key in keys]
    return {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": message}} for message in told]}


class Work:
    """For each function, events that make it do each kind of work its role is for; each time with something new to do."""

    def __init__(self, stack: Stack, slack: LocalSlack) -> None:
        self.stack, self.slack, self._number, self.wanted = stack, slack, 0, ""
        self.table = DynamoTable(stack.client("dynamodb"), stack.physical["Table"])
        self.feeds = FeedTable(stack.client("dynamodb"), stack.physical["Table"])

    def new(self) -> str:
        """A name nobody had before."""
        self._number += 1
        return f"n{self._number}-{int(time.time())}"

    def put(self, key: str, body: bytes) -> str:
        """Puts an object into the bucket, for a direct call."""
        self.stack.client("s3").put_object(Bucket=self.stack.physical["Bucket"], Key=key, Body=body)
        return key

    def article(self, text: str = TEXT, **more: Any) -> dict[str, Any]:
        """A new article as it travels."""
        return Article(self.new(), text, title=self.new(), **more).to_json()

    def by_reference(self, *texts: str) -> dict[str, Any]:
        """New articles that are kept in the bucket, as one message names them."""
        import gzip

        rows = "\n".join(json.dumps(self.article(text)) for text in texts)
        key = self.put(f"articles/{self.new()}.jsonl.gz", gzip.compress(rows.encode()))
        return {"ref": key, "lines": [0, len(texts)]}

    def subscribed(self, host: str = "127.0.0.1", **more: Any) -> str:
        """A feed that is due; of a host that may not be asked, unless another is named."""
        name = self.new()
        feed = Subscription(name, f"http://{host}/{name}", name, **more)
        self.feeds.add(feed, datetime.now(UTC) - timedelta(minutes=1))
        return name

    def due(self) -> Iterator[Any]:
        """A feed that is due."""
        self.subscribed()
        yield {}

    def fetch(self) -> Iterator[Any]:
        """Feeds of whole articles and of summaries, one that cannot be read, and some that are to be read alone."""
        yield messages([{"feeds": [self.subscribed(ADDRESS), self.subscribed(ADDRESS, pages=True), self.subscribed()]}])
        yield messages([{"feeds": [self.subscribed(), self.subscribed()]}], tries=2)

    def intake(self) -> Iterator[Any]:
        """A text, something that is none, and an object that is gone."""
        for name, body in (
            (f"{self.new()}.txt", TEXT.encode()),
            (f"{self.new()}.txt", b"\x00\x01"),
            (f"{self.new()}.txt", None),
        ):
            key = f"hidden/{name}" if body is None else self.put(f"inbox/{name}", body)
            yield notices(key.replace("hidden/", "inbox/"))

    def receive(self) -> Iterator[Any]:
        """A post with an article, and something that is none."""
        http = json.loads((ROOT / "tests" / "events" / "http-api.json").read_text(encoding="utf-8"))
        told = {"authorization": f"Bearer {SHARED_SECRET}", "content-type": "application/json"}
        yield {
            **http,
            "headers": told,
            "isBase64Encoded": False,
            "body": json.dumps([{"text": TEXT, "id": self.new()}, {"text": ""}]),
        }

    def page(self) -> Iterator[Any]:
        """A summary whose page cannot be had, and one that travels by reference."""
        yield messages(
            [self.article("A summary.", url="https://127.0.0.1/page"), self.by_reference("Another summary.")]
        )

    def detect(self) -> Iterator[Any]:
        """An article with a signal, one without, and one by reference; and a message with several, which is taken apart."""
        yield messages(
            [self.article(), self.article("The mayor opened a bakery."), self.by_reference("Two ministers met.")]
        )
        yield messages([self.by_reference("Two ministers met.", "Two others did, too.")], tries=2)

    def alert(self) -> str:
        """An alert that waits in the outbox, as the stream's event names it."""
        alert, told = f"ops/{self.new()}", json.dumps({"title": "A test", "lines": ["of roles"], "level": "low"})
        client, table = self.stack.client("dynamodb"), self.stack.physical["Table"]
        self.table.reopen()  # who found no token before lets no message go for minutes
        want(
            client, table, alert, "waiting", datetime.now(UTC) - timedelta(seconds=1), bulletin=told
        )  # of which the stream tells nobody
        self.wanted = alert
        return f"ALERT#{alert}"

    def deliver(self) -> Iterator[Any]:
        """An alert that has just entered the outbox."""
        keys = {"pk": {"S": self.alert()}, "sk": {"S": "OUTBOX"}}
        yield {"Records": [{"eventID": "1", "dynamodb": {"Keys": keys, "SequenceNumber": "1"}}]}

    def sweep(self) -> Iterator[Any]:
        """An alert that is due."""
        self.alert()
        yield {}

    def interact(self) -> Iterator[Any]:
        """A question, which goes on a queue; a silence, and a form that is opened and sent."""
        person = Person(self.slack, f"U0{self.new().upper()}", self.new(), clock=time.time)
        yield person.type("status").event()
        root = next(one for one in self.slack.messages(CHANNEL) if "irrelevant" in json.dumps(one.blocks))
        yield person.press(CHANNEL, root.ts, "silence").event()
        opened = len(self.slack.forms)
        yield person.press(CHANNEL, root.ts, "irrelevant").event()
        if len(self.slack.forms) > opened:
            yield person.send(self.slack.forms[-1], "other").event()

    def answer(self) -> Iterator[Any]:
        """Questions of each kind."""
        asked = ("status", "why nobody", "silence add 7d rule=alert-posture who=poland exercise", "rules", "feeds")
        at = datetime.now(UTC).isoformat()
        yield messages([Question(text, "U0ANA", "ana", self.slack.address(), at).to_json() for text in asked])

    def digest(self) -> Iterator[Any]:
        """A morning, after days whose silent articles nobody has counted."""
        for back in range(1, 4):
            key = {"pk": {"S": "TALLIES"}, "sk": {"S": f"DAY#{datetime.now(UTC) - timedelta(days=back):%Y-%m-%d}"}}
            self.stack.client("dynamodb").delete_item(TableName=self.stack.physical["Table"], Key=key)
        yield {}

    def ops(self) -> Iterator[Any]:
        """A look for dead letters, and an alarm nobody was told of."""
        yield {}
        event = json.loads((ROOT / "tests" / "events" / "sns-alarm.json").read_text(encoding="utf-8"))
        event["Records"][0]["Sns"]["MessageId"] = self.new()
        yield event

    def done(self, function: str) -> Iterator[Called]:
        """Lets a function that has just started do its work; what came of each call."""
        self.stack.afresh(function)
        self.wanted = ""
        yield from (Called(f"AccessDenied: {what}", "", failed=True) for what in self.stack.refused(function))
        yield from (self.stack.call(function, event) for event in getattr(self, function.lower())())
        if self.wanted and not any(self.wanted in json.dumps(one.metadata) for one in self.slack.messages(CHANNEL)):
            yield Called(f"{self.wanted} was not posted", "", failed=True)


def speak_plainly(stack: Stack) -> None:
    """Takes the bucket's policy away, which refuses whatever comes without TLS: on loopback there is none. First it is seen to refuse."""
    gone = notices("inbox/nothing.txt")
    if "explicit deny" not in stack.call("Intake", gone).log:
        raise Failed("the bucket was spoken to without TLS")
    stack.client("s3").delete_bucket_policy(Bucket=stack.physical["Bucket"])


def push(stack: Stack) -> None:
    """Puts other rules in force than those that were deployed, so that every function has to fetch them."""
    files = files_of(ROOT / "rules")
    name, pushed = next(iter(files)), files[next(iter(files))] + b"\n# pushed\n"
    rules = keep(S3Archive(stack.client("s3"), stack.physical["Bucket"]), {**files, name: pushed})
    table = DynamoTable(stack.client("dynamodb"), stack.physical["Table"])
    table.put_in_force(RulesInForce(rules, "system-test", datetime.now(UTC).isoformat()), None)


def drop(stack: Stack, name: str, body: bytes, **metadata: str) -> None:
    """Drops a file."""
    stack.client("s3").put_object(Bucket=stack.physical["Bucket"], Key=f"inbox/{name}", Body=body, Metadata=metadata)


def drop_seeds(stack: Stack) -> None:
    """Drops the five seeds, with what their manifest tells, as they were printed: the later event when all is decided on the earlier one.

    Calls that a topic makes at the same moment end in any order, and a later stage that is told first needs no second alert.
    """
    table, dropped = DynamoTable(stack.client("dynamodb"), stack.physical["Table"]), list[str]()
    told = [(seed, seed.article.published) for seed in seeds() if seed.article]
    for _, day in groupby(sorted(told, key=lambda one: str(one[1])), lambda one: one[1]):
        for seed, published in day:
            assert seed.body is not None
            known = {"published": quote(published.isoformat())} if published else {}
            drop(stack, Path(seed.name).name, seed.body, **known)
            dropped.append(Path(seed.name).stem)
        wait_for("fates", lambda: all(map(table.fate, dropped)), PATIENCE)


def ring(stack: Stack, slack: LocalSlack) -> None:
    """The seeds' way from the bucket to Slack, and the schedules, by the real wiring."""
    drop_seeds(stack)
    try:
        told = wait_for("five alerts", lambda: len(alerts(slack)) >= ALERTS, PATIENCE)
    except Failed as why:
        raise Failed(f"{why}; there are {len(alerts(slack))}\n{stack.logs()}") from why
    say(f"five files dropped, five alerts in Slack after {told:.0f} s")
    ran = wait_for("a round of the schedules", lambda: all(map(stack.ran, ("Due", "Sweep"))), PATIENCE)
    say(f"Due and Sweep called by their schedules after {ran:.0f} s more")
    time.sleep(5)
    if len(alerts(slack)) != ALERTS:
        raise Failed(f"there are {len(alerts(slack))} alerts instead of {ALERTS}")


def go_back(stack: Stack, slack: LocalSlack, built: Path, parameters: dict[str, str]) -> Stack:
    """Other versions are deployed and undone, while articles come and the seeds come once more; the stack as it is then."""
    stories: list[str] = []

    def come() -> None:
        """Drops an article that tells what nobody told yet, and the seeds again."""
        stories.append(WHERE[len(stories)])
        drop(stack, f"{stories[-1]}.txt", TELLS.format(where=stories[-1]).encode())
        drop_seeds(stack)

    def settled(now: Stack) -> None:
        """Waits until each told once, and a while, for what might ring twice."""
        now.client("s3").delete_bucket_policy(Bucket=now.physical["Bucket"])  # see `speak_plainly`
        wanted = ALERTS + len(stories)
        try:
            wait_for(f"{wanted} alerts", lambda: len(alerts(slack)) >= wanted, PATIENCE)
            wait_for("empty queues", now.idle, PATIENCE)
        except Failed as why:
            raise Failed(f"{why}; there are {len(alerts(slack))}\n{now.logs()}") from why
        if len(alerts(slack)) != wanted:
            raise Failed(f"there are {len(alerts(slack))} alerts instead of {wanted}")

    for line in undo(stack.url, built, parameters, come, settled):
        say(f"{line}; {len(alerts(slack))} alerts")
    return Stack.of(stack.url)


def alerts(slack: LocalSlack) -> list[Any]:
    """The alerts in the channel."""
    return [one for one in slack.messages(CHANNEL) if one.metadata and "ops/" not in json.dumps(one.metadata)]


def look_at(work: Work, function: str) -> Iterator[str]:
    """Whether a function does its work under its role, and not without any statement of it: what is wrong."""
    if denied := next((one.denied for one in work.done(function) if one.denied), ""):
        yield f"{function} does not work under its role: {denied}"
        return
    for statement in work.stack.statements(function)[2]:
        sid = statement["Sid"]
        with work.stack.without(function, sid):
            missed = any(one.denied for one in work.done(function))
        if not missed:
            yield f"{function} does not miss {sid}"


def say(line: str) -> None:
    """Tells how far it is."""
    print(f"system-test: {line}", flush=True)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        "python -m tests.engine", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("environment", type=Path, help="virtual environment with ministack and SAM's translator in it")
    parser.add_argument("built", type=Path, help="folder in which `sam build` left what it built")
    parser.add_argument("--functions", help="only the roles of these, for example Detect,Deliver; none: no role at all")
    options = parser.parse_args()
    began = time.monotonic()
    with ExitStack() as undo:
        slack = undo.enter_context(LocalSlack())
        url = undo.enter_context(engine(options.environment.absolute() / "bin" / "python", AUTH="true"))
        secrets = {SECRET: slack.token, "posts": SHARED_SECRET, "signing": SIGNING_SECRET}
        parameters = {
            "SlackChannel": CHANNEL,
            "SlackTokenSecret": SECRET,
            "SlackUrl": slack.url,
            "MaxAgeDays": "0",
            "SecondsBetweenMessages": "0",
        }
        parameters |= {
            "ReceiveSecret": "posts",
            "SlackSigningSecret": "signing",
            "RulesFolder": str(options.built.absolute() / "CoreLayer" / "rules"),
        }
        for name, value in secrets.items():
            keep_secret(Stack.of(url).client, name, value)
        deploy(url, options.built.absolute() / "template.yaml", parameters)
        say(f"deployed after {time.monotonic() - began:.0f} s")
        stack = Stack.of(url)
        speak_plainly(stack)
        push(stack)
        ring(stack, slack)
        stack = go_back(stack, slack, options.built.absolute(), parameters)
        stack.quieten()
        stack.outside = undo.enter_context(outside())
        named = FUNCTIONS if options.functions is None else options.functions.split(",")
        functions = [one for one in named if one in FUNCTIONS]
        work, faults = Work(stack, slack), []
        for function in functions:
            found = list(look_at(work, function))
            faults += found
            say(f"{function}: {'; '.join(found) or 'works under its role, and not without any statement of it'}")
    say(f"{len(functions)} roles, {len(faults)} faults, {time.monotonic() - began:.0f} s")
    return 1 if faults else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as why:
        sys.exit(f"system-test: {why}")
