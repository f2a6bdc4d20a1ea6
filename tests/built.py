"""The built functions, run as Lambda runs them: a clean interpreter, Lambda's own runtime client, and loopback for a world."""

from __future__ import annotations

import json
import os
import platform
import queue
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import requests
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]  # it ships no types

from infra.local.function import Function, Outcome
from infra.local.person import SIGNING_SECRET, Person
from infra.local.pump import Pump
from infra.local.slack import LocalSlack
from infra.local.stack import LocalStack, keep_secret
from infra.replay import CHANNEL, SECRET
from tocsin.adapters.feed_table import FeedTable
from tocsin.article import Article
from tocsin.subscription import Subscription

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / "template.yaml"
PATIENCE = 60
"""Seconds a function may take to start and to answer, on a machine that has other things to do."""
EVENTS = ROOT / "tests" / "events"
SHARED_SECRET = "a-secret-that-nobody-guesses"
_SERVICE = re.compile(r"Credential=[^/]+/[^/]+/(?P<region>[^/]+)/(?P<service>[^/]+)/")
_HOP = {"transfer-encoding", "connection", "content-encoding"}
"""Headers about the way, not about what is sent."""
_CHARGED = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


class Unbuilt(Exception):
    """The artefact cannot be built or run here; says why."""


@dataclass(frozen=True, slots=True)
class Artefact:
    """What was built: the folders of functions and layers, and the interpreter that runs them."""

    folder: Path
    python: Path

    def code(self, function: str) -> Path:
        """The folder of a function's own code."""
        return self.folder / function

    def layers(self, function: str) -> list[Path]:
        """The folders of the layers the template gives a function."""
        template = _template()
        own = template["Resources"][function]["Properties"].get("Layers", [])
        return [self.folder / one["Ref"] for one in (*template["Globals"]["Function"]["Layers"], *own)]


@cache
def _template() -> dict[str, Any]:
    found: dict[str, Any] = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))
    return found


def interpreter() -> Path:
    """A virtual environment of the functions' Python with Lambda's runtime client and nothing else. `Unbuilt` where there is none."""
    found = subprocess.run([ROOT / "infra" / "runtime.sh"], cwd=ROOT, capture_output=True, text=True, check=False)
    if found.returncode:
        raise Unbuilt("functions run on Python 3.13, and none is here; name one with PYTHON=/path/to/python3.13")
    setup = [str(ROOT / "infra" / "setup.sh"), ".venv-runtime", "requirements/runtime.txt"]
    environment = {**os.environ, "PYTHON": found.stdout.strip()}
    subprocess.run(setup, cwd=ROOT, env=environment, check=True)
    return ROOT / ".venv-runtime" / "bin" / "python"


def fill_layer(folder: Path, name: str, what: str) -> None:
    """Fills a folder with a layer as `sam build` does, for this machine's processor."""
    processor = _CHARGED.get(platform.machine().lower())
    if processor is None or platform.system() != "Linux":
        raise Unbuilt(
            f"layers are made for Linux on x86_64 and arm64, not for {platform.system()} on {platform.machine()}"
        )
    made = subprocess.run(
        [ROOT / "infra" / "layer.sh", str(folder / name), what],
        cwd=ROOT, env={**os.environ, "ARCHITECTURE": processor}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode:
        raise Unbuilt(f"the layer could not be filled: {made.stderr.strip()[-500:]}")


def build(folder: Path) -> None:
    """Fills a folder with the core layer and the functions as `sam build` does, without the SAM CLI."""
    fill_layer(folder, "CoreLayer", "core")
    unwanted = shutil.ignore_patterns("__pycache__")
    for name, one in _template()["Resources"].items():
        if one["Type"] == "AWS::Serverless::Function":
            shutil.copytree(ROOT / "handlers", folder / name / "handlers", ignore=unwanted)


class BuiltFunction(Function):
    """One function of the artefact in a process of its own, which asks a runtime API on loopback for its events."""

    def __init__(self, stack: LocalStack, logical_id: str, artefact: Artefact, aws: str) -> None:
        super().__init__(stack, logical_id)
        self._artefact, self._aws = artefact, aws
        self._events: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._answers: queue.Queue[Outcome] = queue.Queue()
        self._process: subprocess.Popen[bytes] | None = None
        self._server: ThreadingHTTPServer | None = None

    @property
    def started(self) -> bool:
        """Whether it was ever called."""
        return self._process is not None

    def invoke(self, event: object) -> Outcome:
        """Starts the function if it does not run yet, and hands it one event."""
        if self._process is None:
            self._start()
        self._events.put((str(uuid4()), json.dumps(event).encode()))
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            try:
                return self._answers.get(timeout=0.2)
            except queue.Empty:
                if self._process and self._process.poll() is not None:
                    break
        ended = self._process.poll() if self._process else None
        return Outcome(error=f"{self.name} gave no answer (exit code {ended}); it wrote:\n{self.written()}")

    def written(self) -> str:
        """What the process wrote to its log."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def said(self) -> list[dict[str, Any]]:
        """The lines of its log that the pipeline wrote, each with the fields the runtime gave it."""
        rows = [json.loads(line) for line in self.written().splitlines() if line.startswith("{")]
        return [row for row in rows if row.get("logger") == "tocsin"]

    def stop(self) -> None:
        """Ends the process and its runtime API."""
        if self._process:
            self._process.kill()
            self._process.wait()
        if self._server:
            self._server.shutdown()
            self._server.server_close()

    @property
    def _log(self) -> Path:
        return self._artefact.folder / f"{self.name}.log"

    def _start(self) -> None:
        self._server = _serve(_runtime_api(self))
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [self._artefact.python, "-m", "awslambdaric", self._properties["Handler"]],
                cwd=self._artefact.code(self.name), env=self._environment(), stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def _environment(self) -> dict[str, str]:
        """What Lambda gives a process, and what the template gives this function: nothing of the machine's own."""
        layers = self._artefact.layers(self.name)
        port = self._server.server_port if self._server else 0
        return self._stack.environment(self.name) | {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}",
            "AWS_LAMBDA_FUNCTION_NAME": self.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self._properties["MemorySize"]),
            "AWS_LAMBDA_LOG_FORMAT": self._properties["LoggingConfig"]["LogFormat"],
            "AWS_LAMBDA_LOG_LEVEL": self._properties["LoggingConfig"]["ApplicationLogLevel"],
            "AWS_REGION": self._stack.region,
            "AWS_DEFAULT_REGION": self._stack.region,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_ENDPOINT_URL": self._aws,
            "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
            "LAMBDA_TASK_ROOT": str(self._artefact.code(self.name)),
            "PYTHONPATH": os.pathsep.join(str(layer / "python") for layer in layers),
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PATH": "/usr/bin:/bin",
        }

    def next(self) -> tuple[str, bytes]:
        """The next event, with the id of its call."""
        return self._events.get()

    def end(self, outcome: Outcome) -> None:
        """What came of the call."""
        self._answers.put(outcome)


def trace_of(call: str) -> str:
    """The id of the trace that a call with this id is told it belongs to."""
    return f"1-{call[:8]}-{call.replace('-', '')[8:]}"


def _runtime_api(function: BuiltFunction) -> type[BaseHTTPRequestHandler]:
    """The four resources of Lambda's runtime API, for one function."""

    class RuntimeApi(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            call, event = function.next()
            self.send_response(200)
            self.send_header("Lambda-Runtime-Aws-Request-Id", call)
            self.send_header("Lambda-Runtime-Trace-Id", f"Root={trace_of(call)};Parent={call[-12:]}0000;Sampled=1")
            self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + PATIENCE) * 1000)))
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", function.arn)
            self.send_header("Content-Type", "application/json")  # the client crashes without it
            self.send_header("Content-Length", str(len(event)))
            self.end_headers()
            self.wfile.write(event)

        def do_POST(self) -> None:
            body = _body(self)
            if self.path.endswith("/response"):
                function.end(Outcome(json.loads(body)))
            elif self.path.endswith("/error"):  # of a call, or of the start
                function.end(Outcome(error=body.decode("utf-8", "replace")))
            _reply(self, 202, {}, b"")

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    return RuntimeApi


def _body(request: BaseHTTPRequestHandler) -> bytes:
    """The body of a request: of one length, or in chunks."""
    if "chunked" not in request.headers.get("Transfer-Encoding", "").lower():
        return request.rfile.read(int(request.headers.get("Content-Length", 0)))
    parts = []
    while length := int(request.rfile.readline().split(b";")[0], 16):
        parts.append(request.rfile.read(length))
        request.rfile.readline()
    request.rfile.readline()
    return b"".join(parts)


def _reply(request: BaseHTTPRequestHandler, status: int, headers: Mapping[str, str], body: bytes) -> None:
    about = {name: value for name, value in headers.items() if name.lower() not in _HOP}
    if request.command != "HEAD":
        about = {name: value for name, value in about.items() if name.lower() != "content-length"}
        about["Content-Length"] = str(len(body))
    request.send_response(status)
    for name, value in about.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body)


def _serve(handler: type[BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


@contextmanager
def aws_on_loopback(traces: set[tuple[str, str]]) -> Iterator[str]:
    """The moto of this process as an endpoint that other processes can ask; the signature says which service is meant.

    `traces` gets the traces that went with what was asked, each with the service.
    """
    one_at_a_time = threading.Lock()

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = _body(self)
            signed = _SERVICE.search(self.headers.get("Authorization", ""))
            if signed is None:
                _reply(self, 400, {}, b"not signed")
                return
            if told := self.headers.get("X-Amzn-Trace-Id"):
                traces.add((signed["service"], told.partition(";")[0].removeprefix("Root=")))
            host = f"{signed['service']}.{signed['region']}.amazonaws.com"
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            with one_at_a_time:
                answer = requests.request(
                    self.command,
                    f"https://{host}{self.path}",
                    headers=headers,
                    data=body,
                    timeout=PATIENCE,
                    stream=True,
                )
                content = b"" if self.command == "HEAD" else answer.content
            _reply(self, answer.status_code, answer.headers, content)

        do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _pass_on  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = _serve(Door)
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@dataclass(frozen=True, slots=True)
class Ground:
    """What built functions run on: the template on moto, a door to it for other processes, and a Slack."""

    stack: LocalStack
    slack: LocalSlack
    aws: str
    """The endpoint that other processes ask."""
    traces: set[tuple[str, str]]
    """The traces that went with what they asked, each with the service."""


@contextmanager
def ground(artefact: Artefact) -> Iterator[Ground]:
    """A stack whose functions use the built rules, with every secret in its place."""
    with ExitStack() as undo:
        slack = undo.enter_context(LocalSlack())
        given = {"SlackChannel": CHANNEL, "SlackTokenSecret": SECRET, "SlackUrl": slack.url, "MaxAgeDays": "0"}
        given |= {"ReceiveSecret": "posts", "SlackSigningSecret": "signing", "SecondsBetweenMessages": "0"}
        given["RulesFolder"] = str(artefact.folder / "CoreLayer" / "rules")
        stack = undo.enter_context(LocalStack(TEMPLATE, given))
        for name, value in {SECRET: slack.token, "posts": SHARED_SECRET, "signing": SIGNING_SECRET}.items():
            keep_secret(stack.client, name, value)
        traces: set[tuple[str, str]] = set()
        yield Ground(stack, slack, undo.enter_context(aws_on_loopback(traces)), traces)


def event(name: str) -> dict[str, Any]:
    """A reference event."""
    told: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return told


def call_the_others(on: Ground, pump: Pump, mark: str = "") -> tuple[Any, Any, Any]:
    """Gives every function that no article of an inbox reaches an event of its own; what Receive, Ops and Interact answer.

    `mark` tells the events of one round from those of another.
    """
    feeds = FeedTable(on.stack.client("dynamodb"), on.stack.physical("Table"))
    nobody = f"https://127.0.0.1/feed{mark}.xml"  # which no guard asks
    feeds.add(Subscription(f"nobody{mark}", nobody, "Nobody"), datetime.now(UTC))
    page = Article(f"p{mark}", "A summary.", url="https://127.0.0.1/page")
    queue_url = on.stack.physical("PageQueue")
    on.stack.client("sqs").send_message(QueueUrl=queue_url, MessageBody=json.dumps(page.to_json()))
    for name in ("Due", "Digest", "Sweep"):
        pump.fire(name)
    text = json.dumps({"text": f"The mayor opened a bakery{mark}."})
    post = event("http-api") | {"body": text, "isBase64Encoded": False}
    post["headers"] = {"authorization": f"Bearer {SHARED_SECRET}", "content-type": "application/json"}
    asked = Person(on.slack, clock=time.time).type("status")
    return pump.call("Receive", post), pump.call("Ops", event("sns-alarm")), pump.call("Interact", asked.event())
