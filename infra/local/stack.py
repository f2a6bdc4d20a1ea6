"""The resources `template.yaml` describes, created from it on moto; nothing is named, set or wired a second time."""

from __future__ import annotations

import itertools
import json
import logging
import os
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self
from unittest import mock

import boto3
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from samtranslator.translator.transform import transform  # type: ignore[import-untyped]  # it ships no types
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]  # it ships no types

from tocsin.adapters.secrets import service_of, store
from tocsin.errors import SettingsFault

CREATED = frozenset(
    {
        "AWS::DynamoDB::Table",
        "AWS::IAM::Role",
        "AWS::Lambda::Function",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
        "AWS::SNS::Topic",
        "AWS::SQS::Queue",
    }
)
"""Types moto's CloudFormation creates."""

LEFT_OUT = {
    "AWS::ApiGatewayV2::Api": "moto's CloudFormation lacks it; `Pump.call` stands in for the gateway",
    "AWS::ApiGatewayV2::Stage": "as the API; its throttle is the gateway's",
    "AWS::Budgets::Budget": "nothing here costs anything",
    "AWS::CloudWatch::Alarm": "moto's CloudFormation lacks it, and no metric is measured; `Pump.call` hands Ops what an alarm tells",
    "AWS::CloudWatch::Dashboard": "as the alarms",
    "AWS::Lambda::EventInvokeConfig": "the pump reads it; a schedule's target it calls once",
    "AWS::Lambda::EventSourceMapping": "the pump delivers; moto would delete messages nobody has seen",
    "AWS::Lambda::LayerVersion": "the pump imports the handlers, and with them the package, from the checkout",
    "AWS::Lambda::Permission": "moto enforces no policies",
    "AWS::Logs::MetricFilter": "as the alarms",
    "AWS::S3::BucketPolicy": "moto enforces no policies",
    "AWS::SNS::Subscription": "the pump delivers to functions, and nobody is mailed",
    "AWS::SNS::TopicPolicy": "moto enforces no policies",
    "AWS::SQS::QueuePolicy": "moto enforces no policies",
    "AWS::Scheduler::Schedule": "the pump fires schedules",
}
"""Types that stay out of moto, and why that takes nothing from the system's behaviour."""

_NUMBERS = itertools.count(1)
_PACKAGED = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}


# The translator counts its own use and complains on the user's terminal that nobody sends the counts to AWS.
logging.getLogger("samtranslator.metrics").setLevel(logging.ERROR)


class LocalStack:
    """A template running on moto between `__enter__` and `__exit__`, which undoes everything.

    No request leaves this process for AWS, whatever account the caller's environment names;
    plain HTTP, such as slack_sdk's to 127.0.0.1, is left alone. One may run inside another; they share no resource.
    Raises `SettingsFault` for a parameter the template does not have, one it misses, or a resource type nobody has met.
    """

    def __init__(self, template: Path, parameters: Mapping[str, str], *, region: str = "eu-west-1") -> None:
        self.template = template.resolve()
        self.region = region
        self.account = DEFAULT_ACCOUNT_ID
        self.name = f"tocsin-{next(_NUMBERS)}"
        self._parameters = dict(parameters)
        self._clients: dict[str, Any] = {}
        self._physical: dict[str, str] = {}
        self._resources: dict[str, dict[str, Any]] = {}
        self._undo = ExitStack()

    def __enter__(self) -> Self:
        """Starts moto and creates the stack."""
        with ExitStack() as undo:
            undo.enter_context(_environment(self.region))
            undo.enter_context(mock_aws(config={"lambda": {"use_docker": False}}))
            undo.callback(self._clients.clear)
            self._create()
            self._notify()
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        """Drops every resource and gives the environment back as it was."""
        self._undo.close()

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients' types when it runs
        """A boto3 client of the stack's region, the same one each time."""
        if service not in self._clients:
            connect: Any = boto3.client  # its stubs know literal names only
            self._clients[service] = connect(service, region_name=self.region)
        return self._clients[service]

    def physical(self, logical_id: str) -> str:
        """The physical id of a created resource: a name, or a queue's URL."""
        return self._physical[logical_id]

    def environment(self, function: str) -> dict[str, str]:
        """The environment variables the template gives a function."""
        variables = self.properties(function).get("Environment", {}).get("Variables", {})
        return {name: str(value) for name, value in variables.items()}

    def properties(self, logical_id: str) -> dict[str, Any]:
        """The properties of a resource of the translated template, created or left out, every reference resolved."""
        properties: dict[str, Any] = self._resources[logical_id]["Properties"]
        return properties

    def of_type(self, resource_type: str) -> list[str]:
        """The logical ids of all resources of a type, in the template's order."""
        return [name for name, resource in self._resources.items() if resource["Type"] == resource_type]

    def _create(self) -> None:
        translated = _translate(self.template, self._parameters)
        resources = translated["Resources"]
        created = {name: resource for name, resource in resources.items() if _is_created(name, resource["Type"])}
        absent = resources.keys() - created.keys()
        outputs = {name: _told(_without(resource, absent)) for name, resource in resources.items()}
        cloudformation = self.client("cloudformation")
        cloudformation.create_stack(
            StackName=self.name,
            TemplateBody=json.dumps(translated | {"Resources": created, "Outputs": outputs}),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in self._parameters.items()],
        )
        for resource in cloudformation.describe_stack_resources(StackName=self.name)["StackResources"]:
            if "PhysicalResourceId" in resource:  # else a condition keeps it out
                self._physical[resource["LogicalResourceId"]] = resource["PhysicalResourceId"]
        (stack,) = cloudformation.describe_stacks(StackName=self.name)["Stacks"]
        self._resources = {output["OutputKey"]: json.loads(output["OutputValue"]) for output in stack["Outputs"]}

    def _notify(self) -> None:
        """Sets the buckets' notifications, which moto's CloudFormation ignores."""
        for bucket in self.of_type("AWS::S3::Bucket"):
            wanted = self.properties(bucket).get("NotificationConfiguration", {})
            if unknown := wanted.keys() - {"TopicConfigurations"}:
                raise SettingsFault(
                    f"{bucket} notifies by {', '.join(unknown)}; only topics are known to infra/local/stack.py"
                )
            self.client("s3").put_bucket_notification_configuration(
                Bucket=self.physical(bucket),
                NotificationConfiguration={
                    "TopicConfigurations": [_notification(topic) for topic in wanted.get("TopicConfigurations", [])]
                },
            )


def _environment(region: str) -> Any:  # noqa: ANN401 - mock's patcher has no public type
    """An environment that names no account, profile or endpoint but moto's, until it is closed."""
    ours = {
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",  # moto answers 404 to stream calls at account endpoints
    }
    theirs = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return mock.patch.dict(os.environ, theirs | ours, clear=True)


def keep_secret(client: Callable[[str], Any], name: str, value: str) -> None:
    """Keeps a secret, new or anew, where its name says that it is kept; `client` makes a client of a service."""
    if service_of(name) == "ssm":
        store(client("ssm"), name, value)
        return
    secrets = client("secretsmanager")
    if name in {one["Name"] for one in secrets.list_secrets()["SecretList"]}:
        secrets.put_secret_value(SecretId=name, SecretString=value)
    else:
        secrets.create_secret(Name=name, SecretString=value)


class _NoManagedPolicies:
    """Stands in for SAM's list of AWS-managed policies, which it would fetch from IAM."""

    def load(self) -> dict[str, str]:
        """Nothing: a template that needs one gets the ARN it wrote."""
        return {}


def _told(resource: dict[str, Any]) -> dict[str, Any]:
    """An output that tells a resource as CloudFormation resolves it: conditions decided, references filled in."""
    output = {"Value": {"Fn::ToJsonString": resource}}
    return output | {"Condition": resource["Condition"]} if "Condition" in resource else output


def _without(value: Any, absent: Collection[str]) -> Any:  # noqa: ANN401 - any value of JSON
    """A value of the template in which the name of a resource that is left out stands for its id."""
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]} if name in absent:
            return name
        case dict():
            return {key: _without(each, absent) for key, each in value.items()}
        case list():
            return [_without(each, absent) for each in value]
    return value


def _translate(template: Path, parameters: Mapping[str, str]) -> dict[str, Any]:
    """SAM to CloudFormation, offline, with a placeholder for the code."""
    source = yaml_parse(template.read_text(encoding="utf-8"))
    _check_parameters(template, source.get("Parameters", {}), parameters)
    for resource in source["Resources"].values():
        if code := _PACKAGED.get(resource["Type"]):
            resource["Properties"][code] = "s3://checkout/code"
    translated: dict[str, Any] = transform(source, dict(parameters), _NoManagedPolicies())
    for resource in translated["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            resource["Properties"]["Code"] = {"ZipFile": "# the pump imports the handlers from the checkout"}
            resource["Properties"].pop("Layers", None)
    return translated


def _check_parameters(template: Path, declared: Mapping[str, Any], given: Mapping[str, str]) -> None:
    if unknown := given.keys() - declared.keys():
        raise SettingsFault(
            f"{template.name} has no parameter {', '.join(sorted(unknown))}; it has {', '.join(declared)}"
        )
    if missing := {name for name, about in declared.items() if "Default" not in about} - given.keys():
        raise SettingsFault(f"{template.name} needs a value for its parameter {', '.join(sorted(missing))}")


def _is_created(name: str, resource_type: str) -> bool:
    if resource_type not in CREATED and resource_type not in LEFT_OUT:
        raise SettingsFault(
            f"{name} is of the type {resource_type}, which the local stack has not met;"
            " add it to CREATED or, with the reason, to LEFT_OUT in infra/local/stack.py"
        )
    return resource_type in CREATED


def _notification(topic: dict[str, Any]) -> dict[str, Any]:
    """What a bucket tells a topic, from CloudFormation's words to those of the S3 API."""
    rules = topic.get("Filter", {}).get("S3Key", {}).get("Rules", [])
    return {"TopicArn": topic["Topic"], "Events": [topic["Event"]], "Filter": {"Key": {"FilterRules": rules}}}
