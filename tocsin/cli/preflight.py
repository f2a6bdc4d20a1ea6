"""`tocsin preflight`: what stands in the way of a deployment."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from tocsin.cli import FINDINGS, FINE
from tocsin.cli.options import format_option, stack_option


@click.command("preflight")
@stack_option
@format_option
@click.option("--token-secret", help="The value you will give SlackTokenSecret.")
@click.option("--receive-secret", help="The value of ReceiveSecret, if posts shall be taken.")
@click.option("--signing-secret", help="The value of SlackSigningSecret, if messages shall have buttons.")
@click.option("--reserve-sweep", is_flag=True, help="ReserveSweep will be true.")
def command(  # noqa: PLR0913 - a command has a parameter for each option
    stack_name: str,
    form: str,
    token_secret: str | None,
    receive_secret: str | None,
    signing_secret: str | None,
    *,
    reserve_sweep: bool,
) -> int:
    """Looks, before `make deploy`, at region, credentials, quota, secrets, and at what a failed deployment left; exit code 1 when something must be mended.

    Nothing is changed, and no secret's value is read. After the deployment `tocsin slack doctor` looks at the app, its scopes and the channel.
    """
    import boto3

    from tocsin.adapters.preflight import examine
    from tocsin.adapters.stack import asking

    named = {"SlackTokenSecret": token_secret, "ReceiveSecret": receive_secret, "SlackSigningSecret": signing_secret}
    secrets = {parameter: name for parameter, name in named.items() if name}
    endpoints = bool(receive_secret or signing_secret)
    with asking(
        "set AWS_REGION, and AWS_PROFILE or credentials"
    ):  # a profile that there is not cannot even be begun with
        found = list(examine(boto3.Session(), stack_name, secrets, reserves=reserve_sweep, endpoints=endpoints))
    for one in found:
        if form == "ndjson":
            click.echo(json.dumps(asdict(one), ensure_ascii=False))
        else:
            click.echo(f"{one.state:<8}{one.step:<12}  {one.what}" + (f"\n{'':22}mend: {one.mend}" if one.mend else ""))
    return FINDINGS if any(one.state == "failed" for one in found) else FINE
