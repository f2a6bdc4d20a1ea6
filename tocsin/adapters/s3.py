"""The bucket in S3: dropped files, article batches and the fates of silent articles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import ClientError

from tocsin.errors import InputFault


class S3Archive:
    """`tocsin.ports.Archive` on an S3 client and a bucket name."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client, self._bucket = client, bucket

    def read(self, key: str, *, limit: int) -> bytes:
        """See `Archive.read`."""
        answer = self._get(key)
        size: int = answer["ContentLength"]
        if size > limit:
            raise InputFault(
                f"is {size:,} bytes long, and {limit:,} is the most", key, "split the file into smaller ones"
            )
        body: bytes = answer["Body"].read()
        return body

    def metadata(self, key: str) -> Mapping[str, str]:
        """See `Archive.metadata`. S3 keeps metadata in ASCII: encoded words and percent escapes are read back."""
        try:
            answer = self._client.head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            raise _missing(error, error.response["Error"]["Code"], key) from error
        return {name: _decoded(value) for name, value in answer["Metadata"].items()}

    def write(self, key: str, body: bytes) -> None:
        """See `Archive.write`."""
        self._client.put_object(Bucket=self._bucket, Key=key, Body=body)

    def keys(self, prefix: str) -> Sequence[str]:
        """See `Archive.keys`."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        return [row["Key"] for page in pages for row in page.get("Contents", [])]

    def newest(self, prefix: str) -> datetime | None:
        """When the newest object under a prefix was written."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        return max((row["LastModified"] for page in pages for row in page.get("Contents", [])), default=None)

    def _get(self, key: str) -> Any:
        try:
            return self._client.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            raise _missing(error, error.response["Error"]["Code"], key) from error


def _missing(error: Exception, code: str, key: str) -> Exception:
    if code in {"NoSuchKey", "404", "NotFound"}:
        return InputFault("is not in the bucket any more", key, "drop it again")
    return error


def _decoded(value: str) -> str:
    try:
        return unquote(str(make_header(decode_header(value))))
    except (LookupError, ValueError, HeaderParseError):  # it only looks like encoded words
        return value
