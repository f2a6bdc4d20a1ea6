"""A deployed stack, as the command line finds it: what CloudFormation says it is made of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from tocsin.adapters.dead_letters import DeadLetters, dead_letters
from tocsin.adapters.dynamodb import DynamoTable
from tocsin.adapters.feed_table import FeedTable
from tocsin.adapters.s3 import S3Archive
from tocsin.adapters.secrets import SecretToken
from tocsin.errors import SettingsFault


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
        secret = SecretToken(_client("secretsmanager"), self._parameter("SlackTokenSecret"))
        return self._parameter("SlackUrl"), self._parameter("SlackChannel"), secret

    def dead_letters(self) -> list[DeadLetters]:
        """The stack's dead-letter queues, by name."""
        pages = _client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=self.name)
        urls = {
            row["LogicalResourceId"]: row["PhysicalResourceId"]
            for page in pages
            for row in page["StackResourceSummaries"]
            if row["ResourceType"] == "AWS::SQS::Queue"
        }
        return sorted(dead_letters(_client("sqs"), urls), key=lambda queue: queue.name)

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
    def _described(self) -> dict[str, Any]:
        (found,) = _client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        stack: dict[str, Any] = found
        return stack


@contextmanager
def deployed(name: str) -> Iterator[DeployedStack]:
    """The stack of that name; whatever AWS refuses while it is asked becomes a `SettingsFault` that says what to set."""
    try:
        yield DeployedStack(name)
    except ClientError as error:
        what = f"AWS refuses: {error.response['Error']['Message']}"
        raise SettingsFault(f"{what}; name the stack with --stack-name, the account with AWS_PROFILE") from error
    except BotoCoreError as error:
        raise SettingsFault(f"AWS cannot be asked: {error}; set AWS_REGION, and AWS_PROFILE or credentials") from error


def _client(service: str) -> Any:
    make: Any = boto3.client  # its stubs list every service by name
    return make(service)
