"""The steps of the pipeline put together for a Lambda function: settings from the environment, clients made once."""

from __future__ import annotations

import logging
import os
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tocsin.adapters.traces import traced
from tocsin.settings import Settings

if TYPE_CHECKING:
    from tocsin.adapters.dynamodb import DynamoTable
    from tocsin.adapters.feed_table import FeedTable
    from tocsin.adapters.in_force import InForce
    from tocsin.adapters.metrics import LogMeter
    from tocsin.adapters.rule_sets import RulesInUse
    from tocsin.adapters.s3 import S3Archive
    from tocsin.adapters.secrets import SecretToken
    from tocsin.adapters.slack import SlackWorkspace
    from tocsin.adapters.sqs import SqsQueue
    from tocsin.artefact import Artefact
    from tocsin.compiled import RuleSet
    from tocsin.feed import Answer
    from tocsin.pipeline.collect import Collector
    from tocsin.pipeline.deliver import Deliverer
    from tocsin.pipeline.detect import Detector
    from tocsin.pipeline.interact import Interactor
    from tocsin.pipeline.page import Page, PageReader
    from tocsin.pipeline.poll import Poller
    from tocsin.pipeline.question import Answerer
    from tocsin.pipeline.receive import Receiver
    from tocsin.ports import Web
    from tocsin.routes import Routes

log = logging.getLogger("tocsin")
log.addFilter(traced)

SETS = 4
"""Sets of rules that a function keeps in memory."""


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


class Late:
    """Something that is made when it is first asked for something: what an event does without then costs no start."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._made = cache(make)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._made(), name)


@cache
def client(service: str) -> Any:
    """A client with short timeouts, one for each service, of boto3's core: what boto3 puts around it costs a start, too."""
    return Late(partial(_made, service))


def _made(service: str) -> Any:
    from botocore.config import Config

    config = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})
    return _session().create_client(service, config=config)


@cache
def _session() -> Any:
    from botocore.session import get_session

    from tocsin.adapters.services import Models

    session = get_session()
    session.register_component("data_loader", Models())
    return session


def rules() -> Path:
    """The folder of the rules in force: those that were pushed, else those that were deployed."""
    return _in_use_here(tells=False).folder()


def rules_named(name: str | None) -> Path:
    """The folder of the set that came with an article (empty: the deployed one, for which nothing is asked), or of the one in force.

    The channel is told of a set that cannot be used.
    """
    return Path(Settings(os.environ).rules) if name == "" else _in_use_here(tells=True).folder(name)


def _in_use_here(*, tells: bool) -> RulesInUse:
    settings = Settings(os.environ)
    return _in_use(settings.rules, settings.table, settings.bucket, tells)


def _name_in_force() -> str:
    """The set in force, as it goes with articles; empty for the deployed one."""
    told = _in_force(Settings(os.environ).table)()
    return told.set if told else ""


@cache
def _in_force(_table: str) -> InForce:
    from tocsin.adapters.in_force import InForce

    return InForce(table, now)


@cache
def _in_use(deployed: str, name: str, _bucket: str, tells: bool) -> RulesInUse:  # noqa: FBT001 - a key of the cache
    from tocsin.adapters.rule_sets import RulesInUse

    tell = (lambda name, bulletin: table().announce(name, bulletin, now())) if tells else None
    return RulesInUse(Path(deployed), _in_force(name), archive, tell, _book)


def rule_set(folder: Path) -> RuleSet:
    """The compiled rules of a folder; the faults of files that do not load are logged, the others run.

    `RuleFaults` when no rule is left: without any rule every article would be recorded as silent.
    """
    return _loaded(folder).rule_set


@lru_cache(maxsize=SETS)
def _book(folder: Path) -> Artefact:
    from tocsin.adapters.rulebook import rulebook

    return rulebook(folder, sealed=True)


@lru_cache(maxsize=SETS)
def _loaded(folder: Path) -> Artefact:
    found = _book(folder)
    for fault in found.faults:
        log.error("rule fault %s", fault)
    return found


@lru_cache(maxsize=SETS)
def routes(folder: Path, channel: str) -> Routes:
    """Where the alerts of the rules of a folder go: when its routes do not load, that is logged and all go to the one channel."""
    from tocsin.routes import everything_to

    loaded = _loaded(folder)
    if found := loaded.routes:
        return found.to(channel)
    for fault in loaded.misrouted:
        log.error("rule fault %s; every alert goes to %s", fault, channel)
    return everything_to(channel)


def table() -> DynamoTable:
    """The table the environment names."""
    from tocsin.adapters.dynamodb import DynamoTable

    return DynamoTable(client("dynamodb"), Settings(os.environ).table)


def archive() -> S3Archive:
    """The bucket the environment names."""
    from tocsin.adapters.s3 import S3Archive

    return S3Archive(client("s3"), Settings(os.environ).bucket)


def feeds() -> FeedTable:
    """The list of feeds in the table the environment names."""
    from tocsin.adapters.feed_table import FeedTable

    return FeedTable(client("dynamodb"), Settings(os.environ).table)


def queue(url: str, about: Callable[[], str] | None = None) -> SqsQueue:
    """A queue by its URL; `about` names the set of rules that goes with what is sent."""
    from tocsin.adapters.sqs import SqsQueue

    return SqsQueue(client("sqs"), url, about)


def letters() -> Mapping[str, int]:
    """About how many messages lie in each queue of dead letters."""
    from tocsin.adapters.dead_letters import DeadLetters

    urls = Settings(os.environ).dead_letters
    return {name: DeadLetters(client("sqs"), name, url).count() for name, url in urls.items()}


def meter() -> LogMeter:
    """Where figures about the running go."""
    from tocsin.adapters.metrics import LogMeter

    return LogMeter(Settings(os.environ).stack, now)


def web() -> Web:
    """The guarded way out to the network."""
    from tocsin.adapters.web import Guard

    return Guard()


def token(name: str, kind: str = "Slack bot token", least: int = 1) -> SecretToken:
    """A token by the name of what holds it, fetched when it is first asked for."""
    from tocsin.adapters.secrets import SecretToken, service_of

    return SecretToken(client(service_of(name)), name, kind, least)


def poller() -> Poller:
    """What `handlers.fetch` runs."""
    from tocsin.adapters.feed import parse
    from tocsin.pipeline.page import Unread
    from tocsin.pipeline.poll import Poller

    settings = Settings(os.environ)
    articles, url = queue(settings.article_queue, _name_in_force), settings.page_queue
    pages = queue(url, _name_in_force) if url else Unread(archive(), articles, now)
    return Poller(feeds(), web(), parse, archive(), articles, pages, queue(settings.feed_queue), now, meter())


def collector() -> Collector:
    """What `handlers.intake` runs."""
    from tocsin import reading
    from tocsin.pipeline.collect import Collector

    return Collector(archive(), queue(Settings(os.environ).article_queue), Late(table), now, reading.contents)


def receiver() -> Receiver:
    """What `handlers.receive` runs."""
    from tocsin import reading
    from tocsin.pipeline.receive import Door, Receiver

    settings = Settings(os.environ)
    secret = token(settings.receive_secret, "shared secret", least=24)
    articles = queue(settings.article_queue)
    return Receiver(Door(secret, now), archive(), articles, Late(table), now, reading.contents)


def page_reader(about: str | None = None) -> PageReader:
    """What `handlers.page` runs; the set of rules that came with a summary goes on with its article."""
    from tocsin.pipeline.page import PageReader

    articles = queue(Settings(os.environ).article_queue, None if about is None else lambda: about)
    return PageReader(web(), _extracted, archive(), articles, now)


def _extracted(answer: Answer) -> Page:
    from tocsin.adapters.pages import extract

    return extract(answer)


def detector(rules: str | None = None) -> Detector:
    """What `handlers.detect` runs, with the set of rules that is named, or else is in force; it goes on with what comes again."""
    from tocsin.pipeline.detect import Detector

    settings = Settings(os.environ)
    return Detector(
        rule_set(rules_named(rules)),
        table,
        archive,
        now,
        settings.max_age,
        tally=lambda one, at: table().count(one, at),
        again=lambda: queue(settings.article_queue, None if rules is None else lambda: rules),
    )


def interactor() -> Interactor:
    """What `handlers.interact` runs. Slack waits three seconds for an answer, so it is not waited for longer."""
    from tocsin.adapters.slack_desk import SlackForms
    from tocsin.pipeline.interact import Interactor
    from tocsin.pipeline.receive import Trusted

    settings = Settings(os.environ)
    signing = token(settings.signing_secret, "signing secret of the Slack app", least=16)
    forms = SlackForms(settings.slack_url, token(settings.slack_secret), timeout=2.5)
    questions = queue(settings.question_queue)
    origin = (settings.slack_team, settings.slack_app)
    return Interactor(Trusted(signing, now), table(), archive(), questions, forms, now, *origin)


def answerer() -> Answerer:
    """What `handlers.answer` runs."""
    from tocsin.adapters.slack_desk import SlackResponses
    from tocsin.memory import Kept
    from tocsin.pipeline.question import Answerer

    settings, kept = Settings(os.environ), table()
    responses = SlackResponses(settings.slack_url)
    return Answerer(lambda: rule_set(rules()), Kept(kept, None), kept, feeds(), responses, now)


@cache
def workspace(url: str, secret: str) -> SlackWorkspace:
    """Slack, with the token of a secret that is fetched once."""
    from tocsin.adapters.slack import SlackWorkspace

    return SlackWorkspace(url, token(secret))


def deliverer() -> Deliverer:
    """What `handlers.deliver` and `handlers.sweep` run, made for each call: the rules may be others."""
    from tocsin.pipeline.deliver import Deliverer

    settings, folder = Settings(os.environ), rules()
    slack, routed = workspace(settings.slack_url, settings.slack_secret), routes(folder, settings.slack_channel)
    return Deliverer(
        table(), slack, rule_set(folder).policy, now, uuid.uuid4().hex, routed, settings.lease, settings.quarantine, time.sleep,
        settings.pace, settings.roots, settings.buttons,
    )  # fmt: skip
