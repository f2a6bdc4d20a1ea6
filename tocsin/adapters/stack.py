"""A deployed stack, as the command line finds it: what CloudFormation says it is made of."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from tocsin.adapters import backup, estimate
from tocsin.adapters.dead_letters import DeadLetters, dead_letters
from tocsin.adapters.dynamodb import DynamoTable
from tocsin.adapters.feed_table import FeedTable
from tocsin.adapters.preflight import described
from tocsin.adapters.rule_sets import fetched
from tocsin.adapters.s3 import S3Archive
from tocsin.adapters.secrets import SecretToken, service_of
from tocsin.errors import SettingsFault

_MENDS = {
    "AccessDenied": "use credentials that may do that: AWS_PROFILE names them",
    "AccessDeniedException": "use credentials that may do that: AWS_PROFILE names them",
    "ExpiredToken": "log in again: aws sso login",
    "ExpiredTokenException": "log in again: aws sso login",
    "LimitExceededException": "a quota is reached: Service Quotas tells which, and takes requests for more",
    "ResourceNotFoundException": "it was deleted, or is in another region: tocsin preflight says what a deployment lacks",
    "ThrottlingException": "AWS asks for less haste: try again in a minute",
}
"""What to do about what AWS refuses, where it is not the name of the stack."""


@dataclass(frozen=True, slots=True)
class Spending:
    """US dollars of the running month, of the whole account."""

    spent: float
    forecast: float | None
    """At the end of the month; None while AWS does not know."""
    limit: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """US dollars of the running month, of the stack."""

    spent: float
    expected: float
    """At the end of the month, if it goes on like this."""


def spending_of(budget: Mapping[str, Any]) -> Spending:
    """What a budget tells."""
    told = budget.get("CalculatedSpend", {})
    spent, forecast = (told.get(name, {}).get("Amount") for name in ("ActualSpend", "ForecastedSpend"))
    return Spending(float(spent or 0), float(forecast) if forecast else None, float(budget["BudgetLimit"]["Amount"]))


class DeployedStack:
    """Table, bucket, Slack and dead letters of a stack, by its name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def table(self) -> DynamoTable:
        """The stack's table."""
        return DynamoTable(_client("dynamodb"), self._output("Table"))

    def feeds(self) -> FeedTable:
        """The stack's list of feeds."""
        return FeedTable(_client("dynamodb"), self._output("Table"))

    def archive(self) -> S3Archive:
        """The stack's bucket."""
        return S3Archive(_client("s3"), self._output("Bucket"))

    def slack(self) -> tuple[str, str, SecretToken]:
        """Base of Slack's Web API, the channel, and the token, as the stack was given them."""
        name = self._parameter("SlackTokenSecret")
        secret = SecretToken(_client(service_of(name)), name)
        return self._parameter("SlackUrl"), self._parameter("SlackChannel"), secret

    def fetches_pages(self) -> bool:
        """Whether the pages of feeds that give summaries are fetched."""
        given = {each["ParameterKey"]: each["ParameterValue"] for each in self._described.get("Parameters", [])}
        return given.get("FetchPages") != "false"

    def dead_letters(self) -> list[DeadLetters]:
        """The stack's dead-letter queues, by name."""
        return self._dead_letters

    def queues(self) -> dict[str, int]:
        """About how many messages wait in each queue that is no dead-letter queue, by name."""
        urls = self._of_type("AWS::SQS::Queue")
        letters = {queue.name for queue in self.dead_letters()}
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        ask = _client("sqs").get_queue_attributes
        return {
            name: sum(map(int, ask(QueueUrl=url, AttributeNames=names)["Attributes"].values()))
            for name, url in sorted(urls.items())
            if name not in letters
        }

    def states(self, beginning: str, ending: str) -> Iterator[dict[str, Any]]:
        """The states of all items of a kind, by how their keys begin."""
        return backup.states(_client("dynamodb"), self._output("Table"), beginning, ending)

    def archived(self, kind: str, since: datetime, until: datetime) -> Iterator[tuple[backup.Kept, dict[str, Any]]]:
        """Every row of the batches of a kind that were written within a window, in that order."""
        archive = self.archive()
        for kept in backup.archived(_client("s3"), self._output("Bucket"), kind, since, until):
            yield from ((kept, row) for row in backup.rows(archive, kept.key))

    def rules(self, rules: str) -> dict[str, bytes]:
        """The files of a set of rules that was pushed."""
        return fetched(self.archive(), rules)

    def put_back(self, source: str, *, overwrite: bool) -> Mapping[str, int]:
        """Copies the items of another table into the stack's."""
        return backup.put_back(
            _client("dynamodb"), source, self._output("Table"), datetime.now(UTC), overwrite=overwrite
        )

    def caller(self) -> str:
        """Who asks, as AWS knows them: `user/ana`, `assumed-role/desk/ana`."""
        who: str = _client("sts").get_caller_identity()["Arn"]
        return who.rpartition(":")[2]

    def spending(self) -> Spending | None:
        """What the whole account spent this month; None when the stack has no budget, which is what tells it."""
        for name in self._of_type("AWS::Budgets::Budget").values():
            account = _client("sts").get_caller_identity()["Account"]
            return spending_of(_client("budgets").describe_budget(AccountId=account, BudgetName=name)["Budget"])
        return None

    def estimate(self, now: datetime) -> Estimate:
        """About what functions, queues and table cost this month, at list prices."""
        ask = _client("lambda").get_function_configuration
        names = self._of_type("AWS::Lambda::Function").values()
        functions = {name: int(ask(FunctionName=name)["MemorySize"]) for name in names}
        queues = [url.rpartition("/")[2] for url in self._of_type("AWS::SQS::Queue").values()]
        counted = list(estimate.figures(functions, queues, self._output("Table")))
        began = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        spent = estimate.spent(_client("cloudwatch"), counted, began, now)
        passed = max((now - began) / timedelta(days=1), 1 / 24)
        return Estimate(spent, spent / passed * monthrange(now.year, now.month)[1])

    def _of_type(self, resource_type: str) -> dict[str, str]:
        """The physical ids of the stack's resources of a type, by logical id."""
        return {
            row["LogicalResourceId"]: row["PhysicalResourceId"]
            for row in self._resources
            if row["ResourceType"] == resource_type and "PhysicalResourceId" in row
        }

    def _output(self, name: str) -> str:
        if name not in self._outputs:
            what = f"the stack {self.name!r} has no output {name}"
            raise SettingsFault(f"{what}: was it made from Tocsin's template.yaml?")
        return self._outputs[name]

    def _parameter(self, name: str) -> str:
        found = {each["ParameterKey"]: each["ParameterValue"] for each in self._described.get("Parameters", [])}
        if name not in found:
            what = f"the stack {self.name!r} has no parameter {name}"
            raise SettingsFault(f"{what}: was it made from Tocsin's template.yaml?")
        return str(found[name])

    @property
    def _outputs(self) -> dict[str, str]:
        return {output["OutputKey"]: output["OutputValue"] for output in self._described.get("Outputs", [])}

    @cached_property
    def _resources(self) -> list[dict[str, Any]]:
        """What the stack is made of, asked for once."""
        pages = _client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=self.name)
        return [row for page in pages for row in page["StackResourceSummaries"]]

    @cached_property
    def _dead_letters(self) -> list[DeadLetters]:
        """The dead-letter queues, looked for once."""
        queues, topics = self._of_type("AWS::SQS::Queue"), self._of_type("AWS::SNS::Topic")
        found = dead_letters(_client("sqs"), queues, _client("sns"), topics)
        return sorted(found, key=lambda queue: queue.name)

    @cached_property
    def _described(self) -> dict[str, Any]:
        (found,) = _client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        stack: dict[str, Any] = found
        standing = described(str(stack["StackStatus"]))
        if standing.state == "failed" and not stack.get("Outputs"):
            raise SettingsFault(f"the stack {self.name!r} is not deployed: {standing.what}; {standing.mend}")
        return stack


@contextmanager
def deployed(name: str) -> Iterator[DeployedStack]:
    """The stack of that name; whatever AWS refuses while it is asked becomes a `SettingsFault` that says what to set."""
    with asking("name the stack with --stack-name, its region with AWS_REGION, the account with AWS_PROFILE"):
        yield DeployedStack(name)


@contextmanager
def bucket(name: str) -> Iterator[S3Archive]:
    """The bucket of that name, as `deployed` gives a stack."""
    with asking("check the bucket's name, and name the account with AWS_PROFILE"):
        yield S3Archive(_client("s3"), name)


@contextmanager
def asking(mend: str) -> Iterator[None]:
    """What AWS refuses meanwhile becomes a `SettingsFault`."""
    try:
        yield
    except ClientError as error:
        told = error.response["Error"]
        raise SettingsFault(f"AWS refuses: {told['Message']}; {_MENDS.get(told['Code'], mend)}") from error
    except BotoCoreError as error:
        raise SettingsFault(f"AWS cannot be asked: {error}; set AWS_REGION, and AWS_PROFILE or credentials") from error


def _client(service: str) -> Any:
    make: Any = boto3.client  # its stubs list every service by name
    return make(service)
