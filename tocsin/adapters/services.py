"""What boto3's core knows of the services that functions ask: a copy without its documentation, and without the other four hundred services.

`python -m tocsin.adapters.services FOLDER` writes it, as `infra/layer.sh` does; where there is none, all is read as boto3 ships it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from botocore.loaders import Loader

SERVICES = ("dynamodb", "s3", "secretsmanager", "sqs", "ssm")
_CALLS = {"ssm": ("GetParameter",)}
"""Of Systems Manager, which has a hundred and fifty calls, the one that is made: all of it would cost a start a tenth of a second."""
COPY = Path(__file__).with_name("services")
"""Where the layer has it."""
_READ = ("service-2", "endpoint-rule-set-1", "paginators-1")
"""What is read of a service: its calls, its addresses, what comes in pages."""


class Models(Loader):
    """boto3's loader, which takes the copy first, and does not look through every folder to learn which services there are."""

    def __init__(self, copy: Path = COPY) -> None:
        super().__init__(extra_search_paths=[str(copy)])

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - boto3's
        """Those that functions ask."""
        return [*SERVICES]


def write(folder: Path) -> None:
    """Writes the copy of what the botocore of this interpreter knows."""
    for name, data in _known():
        file = folder / f"{name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(_undocumented(data), separators=(",", ":")), encoding="utf-8")


def _known() -> Iterator[tuple[str, Any]]:
    loader = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    places = loader.load_data("endpoints")
    for partition in places["partitions"]:
        partition["services"] = {name: told for name, told in partition["services"].items() if name in SERVICES}
    yield "endpoints", places
    for service in SERVICES:
        version = loader.determine_latest_version(service, "service-2")
        for kind in _READ:
            data = loader.load_data(f"{service}/{version}/{kind}")
            cut = kind == "service-2" and service in _CALLS
            yield f"{service}/{version}/{kind}", _cut(data, _CALLS[service]) if cut else data


def _cut(told: dict[str, Any], calls: Sequence[str]) -> dict[str, Any]:
    """A service with these calls alone, and the shapes they speak of."""
    operations = {call: told["operations"][call] for call in calls}
    shapes: dict[str, Any] = {}
    ahead = [*_named(operations)]
    while ahead:
        if (name := ahead.pop()) not in shapes:
            shapes[name] = told["shapes"][name]
            ahead += _named(shapes[name])
    return {**told, "operations": operations, "shapes": shapes}


def _named(part: Any) -> Iterator[str]:
    """The shapes that a part of a description names."""
    if isinstance(part, dict):
        if isinstance(part.get("shape"), str):
            yield part["shape"]
        part = [*part.values()]
    if isinstance(part, list):
        for one in part:
            yield from _named(one)


def _undocumented(part: Any) -> Any:
    """The same with empty documentation: botocore asks for some of it."""
    if isinstance(part, dict):
        return {name: "" if _is_said(name, one) else _undocumented(one) for name, one in part.items()}
    return [_undocumented(one) for one in part] if isinstance(part, list) else part


def _is_said(name: str, part: Any) -> bool:
    return name == "documentation" and isinstance(part, str)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
