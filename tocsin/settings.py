"""Every setting of the running system, read from the environment that `template.yaml` gives each function."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from tocsin.errors import SettingsFault

_MOST = 100_000
"""The largest number any setting may have: 273 years in days, a good day in seconds."""


class Settings:
    """The settings by name: `table` is the environment variable `TOCSIN_TABLE`, and so on.

    A function is given only the variables it uses, so each is read when asked for;
    `SettingsFault` names the one that is missing or wrong.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    @property
    def table(self) -> str:
        """Name of the DynamoDB table."""
        return self._text("TOCSIN_TABLE")

    @property
    def stack(self) -> str:
        """Name of the stack, which its metrics carry."""
        return self._text("TOCSIN_STACK")

    @property
    def bucket(self) -> str:
        """Name of the S3 bucket with `inbox/`, `articles/` and `fates/`."""
        return self._text("TOCSIN_BUCKET")

    @property
    def article_queue(self) -> str:
        """URL of the SQS queue between intake and detection."""
        return self._text("TOCSIN_ARTICLE_QUEUE")

    @property
    def feed_queue(self) -> str:
        """URL of the SQS queue of feeds that are due."""
        return self._text("TOCSIN_FEED_QUEUE")

    @property
    def page_queue(self) -> str:
        """URL of the SQS queue of articles whose pages are to be fetched; empty when none are."""
        return self._given("TOCSIN_PAGE_QUEUE")

    @property
    def dead_letters(self) -> Mapping[str, str]:
        """URLs of the SQS queues of dead letters by name: `Name=URL`, with blanks between them."""
        return dict(one.split("=", 1) for one in self._text("TOCSIN_DEAD_LETTERS").split())

    @property
    def rules(self) -> str:
        """Folder of the rules."""
        return self._text("TOCSIN_RULES")

    @property
    def slack_channel(self) -> str:
        """Id of the channel alerts go to."""
        return self._text("TOCSIN_SLACK_CHANNEL")

    @property
    def slack_secret(self) -> str:
        """Name or ARN of the secret that holds the bot token."""
        return self._text("TOCSIN_SLACK_SECRET")

    @property
    def receive_secret(self) -> str:
        """Name or ARN of the secret that those who post articles share."""
        return self._text("TOCSIN_RECEIVE_SECRET")

    @property
    def question_queue(self) -> str:
        """URL of the SQS queue of questions asked in Slack."""
        return self._text("TOCSIN_QUESTION_QUEUE")

    @property
    def signing_secret(self) -> str:
        """Name or ARN of the secret with which Slack signs what it sends."""
        return self._text("TOCSIN_SLACK_SIGNING_SECRET")

    @property
    def slack_team(self) -> str:
        """Id of the only workspace whose requests are taken; any when it is empty."""
        return self._given("TOCSIN_SLACK_TEAM")

    @property
    def slack_app(self) -> str:
        """Id of the only app whose requests are taken; any when it is empty."""
        return self._given("TOCSIN_SLACK_APP")

    @property
    def buttons(self) -> bool:
        """Whether root messages have buttons: whether there is anything that takes presses."""
        return self._text("TOCSIN_BUTTONS") == "true"

    @property
    def slack_url(self) -> str:
        """Base of Slack's Web API, with the closing slash."""
        return self._text("TOCSIN_SLACK_URL")

    @property
    def max_age(self) -> timedelta | None:
        """Articles published longer ago than this are recorded as stale, not posted; None: no limit."""
        days = self._number("TOCSIN_MAX_AGE_DAYS")
        return timedelta(days=days) if days else None

    @property
    def lease(self) -> timedelta:
        """How long one deliverer owns an alert; longer than the function's timeout."""
        return timedelta(seconds=self._number("TOCSIN_LEASE_SECONDS"))

    @property
    def quarantine(self) -> timedelta:
        """How much longer than the lease an alert of unknown outcome waits before the channel's history decides."""
        return timedelta(seconds=self._number("TOCSIN_QUARANTINE_SECONDS"))

    @property
    def pace(self) -> timedelta:
        """The least time between two messages to one channel."""
        return timedelta(seconds=self._number("TOCSIN_PACE_SECONDS"))

    @property
    def roots(self) -> int:
        """First reports of one rule that one channel gets as messages within an hour; 0: all."""
        return int(self._number("TOCSIN_ROOTS_PER_HOUR"))

    def _text(self, name: str) -> str:
        value = self._environment.get(name, "").strip()
        if not value:
            what = f"the environment variable {name} is not set"
            raise SettingsFault(f"{what}; template.yaml gives it to every function that needs it")
        return value

    def _given(self, name: str) -> str:
        """A variable that must be there, and may be empty."""
        if name not in self._environment:
            raise SettingsFault(f"the environment variable {name} is not set; template.yaml gives it, if only empty")
        return self._environment[name].strip()

    def _number(self, name: str) -> float:
        value = self._text(name)
        try:
            number = float(value)
        except ValueError:
            number = -1
        if not 0 <= number <= _MOST:  # nor NaN, which compares with nothing
            raise SettingsFault(f"{name} must be a number from 0 to {_MOST:,}, not {value!r}")
        return number
