"""What stands in the way of a deployment, looked for before it is made: region, credentials, quota, secrets, and what a failed one left."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from tocsin.adapters.secrets import how_to_store, service_of
from tocsin.pipeline.doctor import Finding

SERVICES = (
    "cloudformation",
    "cloudwatch",
    "dynamodb",
    "lambda",
    "logs",
    "s3",
    "scheduler",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
    "xray",
)
"""What the template is made of; the endpoints need `apigatewayv2` besides."""
LEAST = 10
"""Concurrent executions Tocsin gets along with; some accounts are given fewer."""
RESERVABLE = 101
"""Concurrent executions with which an account may reserve one: a hundred must stay unreserved."""
STATES = {
    "ROLLBACK_COMPLETE": "its first deployment failed and was undone; delete what is left (make destroy), mend the cause, deploy again",
    "ROLLBACK_FAILED": "its first deployment failed, and could not be undone; delete it (make destroy), mend the cause, deploy again",
    "CREATE_FAILED": "its first deployment failed; delete it (make destroy), mend the cause, deploy again",
    "DELETE_FAILED": "it could not be deleted; the events of the stack name the resource that stays, remove that and delete it again",
    "UPDATE_ROLLBACK_FAILED": "an update failed, and could not be undone; `aws cloudformation continue-update-rollback`, then deploy again",
}
"""What half-failed deployments leave, and what to do."""


def described(status: str) -> Finding:
    """What the status of a stack means for a deployment."""
    if status.endswith("_IN_PROGRESS"):
        return Finding("stack", "failed", f"it is {status}", "wait until that is over, then try again")
    if status in STATES:
        what, _, mend = STATES[status].partition("; ")
        return Finding("stack", "failed", f"it is {status}: {what}", mend)
    return Finding("stack", "ok", f"it is {status}; this deployment changes it")


def quota(settings: Mapping[str, Any], *, reserves: bool) -> Finding:
    """Whether an account's concurrency is enough."""
    most = int(settings["AccountLimit"]["ConcurrentExecutions"])
    ask = "ask for more: Service Quotas, AWS Lambda, Concurrent executions"
    if most < LEAST:
        return Finding("quota", "failed", f"the account runs {most} functions at once, and {LEAST} are the least", ask)
    if reserves and most < RESERVABLE:
        return Finding(
            "quota",
            "failed",
            f"of {most} concurrent executions none can be reserved",
            f"leave ReserveSweep at false, or {ask}",
        )
    return Finding("quota", "ok", f"{most} concurrent executions")


def examine(
    session: boto3.Session, stack: str, secrets: Mapping[str, str], *, reserves: bool, endpoints: bool
) -> Iterator[Finding]:
    """Every step in order; one that AWS refuses says what to do. `secrets`: the name of each by the parameter that names it."""
    region = session.region_name
    if not region:
        yield Finding("region", "failed", "none is named", "set AWS_REGION, for example eu-central-1")
        return
    wanted = (*SERVICES, "apigatewayv2") if endpoints else SERVICES
    missing = [one for one in wanted if region not in _regions(session, one)]
    if missing:
        yield Finding(
            "region",
            "failed",
            f"{region} has no {', '.join(missing)}, as far as boto3 knows",
            "choose another region, such as eu-central-1 or us-east-1",
        )
        return
    yield Finding("region", "ok", f"{region} has all {len(wanted)} services")
    steps: dict[str, Callable[[], Finding]] = {
        "credentials": lambda: Finding("credentials", "ok", str(session.client("sts").get_caller_identity()["Arn"])),
        "stack": lambda: _stack(session, stack),
        "quota": lambda: quota(session.client("lambda").get_account_settings(), reserves=reserves),
        **{f"secret {name}": partial(_secret, session, parameter, name) for parameter, name in secrets.items()},
    }
    for step, look in steps.items():
        try:
            yield look()
        except ClientError as error:
            what = f"AWS refuses {error.operation_name}: {error.response['Error']['Message']}"
            yield Finding(step, "failed", what, "use credentials that may deploy: AWS_PROFILE names them")
        except BotoCoreError as error:
            yield Finding(step, "failed", str(error), "log in (aws sso login), or set AWS_PROFILE or credentials")
            return


def _regions(session: boto3.Session, service: str) -> list[str]:
    """The regions a service has: of all kinds, for accounts of China and the government."""
    return [
        region for kind in session.get_available_partitions() for region in session.get_available_regions(service, kind)
    ]


def _stack(session: boto3.Session, name: str) -> Finding:
    try:
        (found,) = session.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return Finding("stack", "ok", f"{name} is new; this deployment creates it")
    return described(str(found["StackStatus"]))


def _secret(session: boto3.Session, parameter: str, name: str) -> Finding:
    """Whether a secret is there; its value is not read."""
    step = f"secret {name}"
    if service_of(name) == "ssm":
        return _parameter(session, step, parameter, name)
    try:
        told = session.client("secretsmanager").describe_secret(SecretId=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return Finding(
            step,
            "failed",
            "it does not exist in this region",
            f"{how_to_store(name)}, or name another by {parameter}",
        )
    if "DeletedDate" in told:
        return Finding(
            step, "failed", "it is scheduled for deletion", f"aws secretsmanager restore-secret --secret-id {name}"
        )
    return Finding(step, "ok", "it exists")


def _parameter(session: boto3.Session, step: str, parameter: str, name: str) -> Finding:
    """As `_secret`, of a parameter."""
    wanted = [{"Key": "Name", "Option": "Equals", "Values": [name]}]
    found = session.client("ssm").describe_parameters(ParameterFilters=wanted)["Parameters"]
    if not found:
        mend = f"{how_to_store(name)}, or name another by {parameter}"
        return Finding(step, "failed", "it does not exist in this region", mend)
    if found[0]["Type"] != "SecureString":
        mend = f"delete it, aws ssm delete-parameter --name {name}, then {how_to_store(name)}"
        return Finding(step, "failed", "it is not encrypted", mend)
    return Finding(step, "ok", "it exists")
