"""A token as AWS keeps it for us, Slack's or that of those who post articles: kept in memory, never shown."""

from __future__ import annotations

import json
import re
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tocsin.errors import SettingsFault

_HEADER_SAFE = re.compile(r"[!-~]+")
_ACTIONS = {"ssm": "ssm:GetParameter", "secretsmanager": "secretsmanager:GetSecretValue"}
_KEY = "its KMS key cannot be used; allow kms:Decrypt on that key to the function's role"
_ABSENT = {"ResourceNotFoundException", "ParameterNotFound"}
# What the services answer, and what the operator should do about it.
_MENDS = {
    "DecryptionFailure": _KEY,
    "InvalidKeyId": _KEY,
    "InvalidRequestException": "it has no value or is scheduled for deletion; restore it or store the token in it",
}


def how_to_store(name: str) -> str:
    """The command that keeps a token under a name for the first time."""
    if service_of(name) == "ssm":
        return f"tocsin slack token {name}"
    if name.startswith("arn:"):  # AWS makes those up
        return "aws secretsmanager create-secret, then deploy with its ARN"
    return f"aws secretsmanager create-secret --name {name} --secret-string …"


def service_of(name: str) -> str:
    """Which service keeps a secret: a name that begins with a slash is one of Parameter Store, any other, and an ARN, one of Secrets Manager."""
    return "ssm" if name.startswith("/") else "secretsmanager"


def store(client: Any, name: str, token: str) -> None:
    """Keeps a token, new or anew, in a parameter of that name, encrypted with the account's own key, which costs nothing."""
    client.put_parameter(Name=name, Value=token, Type="SecureString", Overwrite=True)


class SecretToken:
    """The token held by one secret, fetched with a `client` of the service that keeps it when first asked for.

    The secret is the token itself or the JSON object `{"token": "…"}`; `kind` says what it should be, and `least` how many
    characters it has at the least. Whatever keeps the token from being read raises `SettingsFault`, which names the secret
    and what to mend, never its value.
    """

    def __init__(self, client: Any, name: str, kind: str = "Slack bot token", least: int = 1) -> None:
        self._client, self._name, self._kind, self._least = client, name, kind, least
        self._token = ""

    def __repr__(self) -> str:
        """Names the secret, hides the token."""
        return f"SecretToken({self._name!r})"

    def __call__(self) -> str:
        """The token, fetched once."""
        return self._token or self.refresh()

    def refresh(self) -> str:
        """The token as it is kept now, for when the one at hand may be out of date."""
        token = _token_in(self._fetch())
        if not token:
            raise SettingsFault(
                f'the secret {self._name} holds no {self._kind}; store the token itself or {{"token": "…"}}'
            )
        if len(token) < self._least:
            token = ""  # no traceback shall show it
            raise SettingsFault(
                f"the secret {self._name} holds a {self._kind} that can be guessed; store one of {self._least} characters or more"
            )
        self._token = token
        return token

    def _fetch(self) -> str:
        """What is kept under the name."""
        service = service_of(self._name)
        try:
            told = self._parameter() if service == "ssm" else self._secret()
        except ClientError as error:
            what = self._mend(error.response["Error"]["Code"], service)
            raise SettingsFault(f"the secret {self._name} cannot be read: {what}") from None
        except BotoCoreError as error:
            raise SettingsFault(f"the secret {self._name} cannot be read: {type(error).__name__}") from None
        if told is None:
            anew = f"aws ssm delete-parameter --name {self._name}, then {how_to_store(self._name)}"
            raise SettingsFault(f"the secret {self._name} cannot be read: it is not encrypted; {anew}")
        return told

    def _mend(self, code: str, service: str) -> str:
        """What an answer means, and what to do. Secrets Manager denies access to what is not there."""
        if code in _ABSENT:
            return f"it does not exist; {how_to_store(self._name)}"
        if code == "AccessDeniedException":
            absent = f" or, if it does not exist, {how_to_store(self._name)}" if service == "secretsmanager" else ""
            return f"access is denied; allow {_ACTIONS[service]} on it to the function's role{absent}"
        return _MENDS.get(code, code)

    def _secret(self) -> str:
        return str(self._client.get_secret_value(SecretId=self._name).get("SecretString", ""))

    def _parameter(self) -> str | None:
        """The value of a parameter; None when it is not kept secret."""
        found = self._client.get_parameter(Name=self._name, WithDecryption=True)["Parameter"]
        return str(found["Value"]) if found["Type"] == "SecureString" else None


def _token_in(secret: str) -> str:
    """The token in a secret's text, or nothing where there is none that can travel in an HTTP header."""
    token = secret.strip()
    if token.startswith("{"):
        token = _field_of(token)
    return token if _HEADER_SAFE.fullmatch(token) else ""


def _field_of(text: str) -> str:
    try:
        token = json.loads(text).get("token")
    except (ValueError, RecursionError):
        return ""
    return token.strip() if isinstance(token, str) else ""
