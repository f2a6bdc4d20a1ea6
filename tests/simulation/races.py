"""Many processes decide on the same story and deliver the same alert at the same moment, on an engine whose writes are atomic.

python -m tests.simulation.races FOLDER     a virtual environment with ministack in it; `make races` brings one

moto lets two conditional writes of two threads both win now and then, so it proves nothing about races; ministack does not.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]  # it ships no types

from infra.local.person import SIGNING_SECRET
from infra.local.slack import LocalSlack
from tests.simulation.deployment import TEMPLATE, deployment
from tests.simulation.people import View, done
from tests.simulation.scenes import Deed
from tests.system import rule_set
from tests.twins import CHANNEL, FixedToken, Shown
from tocsin import message
from tocsin.adapters.dynamodb import DynamoTable
from tocsin.adapters.slack import SlackWorkspace
from tocsin.article import Article
from tocsin.errors import Conflict
from tocsin.pipeline.deliver import Deliverer
from tocsin.pipeline.detect import Detector
from tocsin.pipeline.interact import Interactor
from tocsin.pipeline.receive import Request, Trusted
from tocsin.pipeline.stories import root_alert
from tocsin.routes import everything_to

TABLE = "races"
ACTORS = ("Turkey", "France", "India", "Iran", "Egypt", "Poland", "Germany", "Japan")
THEATRES = ("Libya", "Chad", "Niger", "Somalia", "Lebanon")
STARTS_WITHIN = 60.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where the racers meet."""

    table: str
    slack: str
    token: str
    workers: int
    rounds: int


def table_at(url: str) -> DynamoTable:
    """The table on the engine."""
    return DynamoTable(_client(url), TABLE)


def _client(url: str) -> Any:
    connect: Any = boto3.client  # its stubs know literal names only
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    return connect("dynamodb", region_name="eu-west-1", endpoint_url=url, **keys)


def story_of(number: int) -> tuple[str, str, str]:
    """Who sends troops where in a round, and the story's id."""
    who, where = ACTORS[number % len(ACTORS)], THEATRES[number // len(ACTORS)]
    return who, where, f"additional-deployment/{who.lower()}/{where.lower()}#1"


def race(place: Place, worker: int, gate: Barrier) -> None:
    """One racer: in each round an article of its own about the one story, the one alert, its buttons, and an edit of it."""
    table = table_at(place.table)
    slack = SlackWorkspace(place.slack, FixedToken(place.token))
    numbers = deployment()
    given = (
        table,
        slack,
        rule_set().policy,
        now,
        f"owner {worker}",
        everything_to(CHANNEL),
        numbers.lease,
        numbers.quarantine,
        time.sleep,
        timedelta(0),
        0,
    )
    detector, deliverer = Detector(rule_set(), lambda: table, lambda: None, now, None), Deliverer(*given)  # type: ignore[arg-type, return-value]  # every article has a signal, so none goes to the archive
    interactor = Interactor(Trusted(FixedToken(SIGNING_SECRET), now), table, *([None] * 3), now)  # type: ignore[arg-type, call-arg]  # what is pressed needs the table alone
    for number in range(place.rounds):
        who, where, story = story_of(number)
        text = f"{who} is preparing to send more troops to {where}, officials told outlet {worker} in round {number}."
        article = Article(
            f"{number}-{worker}", text, source=f"Outlet {worker}", published=datetime(2025, 3, 1, tzinfo=UTC)
        )
        gate.wait()
        while detector.detect([("1", article)]):
            pass  # as the queue would bring it again
        gate.wait()
        deliverer.deliver([root_alert(story)])
        gate.wait()
        press(interactor, table, Deed(0, f"racer{worker}", ("acknowledge", "silence")[worker % 2], story))
        deliverer.deliver([root_alert(story)])
        gate.wait()


def press(interactor: Interactor, table: DynamoTable, deed: Deed) -> None:
    """Somebody presses a button of the message as it is now, and again until that is taken."""
    taken = False
    while not taken:
        story = table.story(deed.story)
        assert story
        shown = Shown(CHANNEL, "1", [message.root(story, rule_set().policy(story.rule), buttons=True)])
        sealed = done(deed, View([shown], time.monotonic_ns()), time.time())
        assert sealed
        try:
            taken = interactor.interact(Request(sealed.headers, sealed.body)).status == HTTPStatus.OK
        except Conflict:
            time.sleep(0.1)  # its loop lost six times against the others


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def judged(place: Place, slack: LocalSlack) -> tuple[int, int]:
    """How many articles, stories, alerts and deeds were lost or are not shown, and how many alerts were posted twice."""
    table, lost, twice = table_at(place.table), 0, 0
    posted = slack.messages(CHANNEL)
    alerts = [one.metadata["event_payload"]["alert"] for one in posted]
    texts = dict(zip(alerts, (one.text for one in posted), strict=True))
    for number in range(place.rounds):
        story = table.story(story_of(number)[2])
        fates = [table.fate(f"{number}-{worker}") for worker in range(place.workers)]
        if story is None:
            lost += place.workers
            continue
        copies = alerts.count(root_alert(story.id))
        lost += place.workers - story.articles + fates.count(None) + (not copies)
        lost += [one.kind for one in story.actions] != ["acknowledged", "silenced"][: place.workers]
        lost += texts.get(root_alert(story.id)) != message.root(story, rule_set().policy(story.rule)).text
        twice += max(0, copies - 1)
    lost += place.rounds * (place.workers > 1) - len(table.all_silences())
    return lost, twice + len(alerts) - len(set(alerts))


def raced(url: str, workers: int, rounds: int) -> tuple[int, int]:
    """Runs the race on an engine."""
    with LocalSlack() as slack:
        place = Place(url, slack.url, slack.token, workers, rounds)
        spawn = multiprocessing.get_context("spawn")
        gate = spawn.Barrier(workers)
        racers = [spawn.Process(target=race, args=(place, worker, gate)) for worker in range(workers)]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()
        if any(racer.exitcode for racer in racers):
            raise SystemExit("races: a racer fell; its traceback is above")
        return judged(place, slack)


@contextmanager
def engine(program: Path) -> Iterator[str]:
    """The engine on a free port of this machine, with the template's table on it; its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = tempfile.mkdtemp(prefix="ministack-")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
    told = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "LAMBDA_EXECUTOR": "local", "HOME": home}
    server = subprocess.Popen(
        [program], env=clean | told, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=home
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _create(url, server)
        yield url
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(home, ignore_errors=True)


def _create(url: str, server: subprocess.Popen[bytes]) -> None:
    wanted = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))["Resources"]["Table"]["Properties"]
    names = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until and server.poll() is None:
        with suppress(BotoCoreError, ClientError):
            _client(url).create_table(TableName=TABLE, **{name: wanted[name] for name in names})
            return
        time.sleep(0.2)
    raise SystemExit("races: ministack did not start; run it by hand to see why")


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        "python -m tests.simulation.races", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="virtual environment with ministack in it")
    parser.add_argument("--workers", type=int, default=6, help="processes that race")
    parser.add_argument(
        "--rounds", type=int, default=40, choices=range(1, 41), metavar="1..40", help="stories they race for"
    )
    options = parser.parse_args()
    with engine(options.folder.absolute() / "bin" / "ministack") as url:
        lost, twice = raced(url, options.workers, options.rounds)
    print(f"rounds {options.rounds}, workers {options.workers}, lost {lost}, twice {twice}")
    return 1 if lost or twice else 0


if __name__ == "__main__":
    sys.exit(main())
