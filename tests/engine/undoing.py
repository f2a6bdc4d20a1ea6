"""A newer version is deployed, another whose deployment fails, and the older one again, while articles come: nothing is lost, nothing rings twice."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]  # it ships no types

from tests.engine.running import Failed, Stack, deploy

KEPT = ("STORY#", "ARTICLE#", "ADDRESS#", "ALERT#", "RULES")
"""How the keys of items begin that nothing but an article, or a push, may change; the others count, or tell whose turn it is."""
STATEFUL = ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SQS::Queue")
LATER = {"IndexName": "later", "KeySchema": [{"AttributeName": "later", "KeyType": "HASH"}], "Projection": {"ProjectionType": "KEYS_ONLY"}}  # fmt: skip
"""An index beside those there are, as a newer version would bring one."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a stack holds: names of what it is made of, items of its table, objects of its bucket by their content."""

    made_of: Mapping[str, str]
    items: Mapping[str, Any]
    objects: Mapping[str, str]

    @classmethod
    def of(cls, stack: Stack, names: list[str]) -> Kept:
        """What is kept now; `names` are the stateful resources."""
        table, bucket = stack.physical["Table"], stack.physical["Bucket"]
        pages = stack.client("dynamodb").get_paginator("scan").paginate(TableName=table)
        rows = [item for page in pages for item in page["Items"]]
        listed = stack.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return cls(
            {name: stack.physical.get(name, "") for name in names},
            {f"{row['pk']['S']} {row['sk']['S']}": row for row in rows},
            {one["Key"]: one["ETag"] for page in listed for one in page.get("Contents", ())},
        )

    def lost(self, now: Kept) -> Iterator[str]:
        """What is gone, or another, since."""
        yield from (f"{name} is another" for name, one in self.made_of.items() if now.made_of[name] != one)
        yield from (f"the item {key} is gone" for key in self.items.keys() - now.items.keys())
        yield from (f"the item {key} is another" for key, item in self.items.items() if key.startswith(KEPT) and now.items.get(key, item) != item)  # fmt: skip
        yield from (f"the object {key} is gone, or another" for key, tag in self.objects.items() if now.objects.get(key) != tag)  # fmt: skip


def undo(
    url: str, built: Path, parameters: dict[str, str], come: Callable[[], None], settled: Callable[[Stack], None]
) -> Iterator[str]:
    """Deploys and goes back, and says what was done.

    `come` lets an article come that nobody told before; `settled` waits until it, and all others, rang once. `Failed` when something is lost.
    """
    older = yaml_parse((built / "template.yaml").read_text(encoding="utf-8"))
    names = [name for name, one in older["Resources"].items() if one["Type"] in STATEFUL]
    before = Kept.of(Stack.of(url), names)
    for what, template, fails in (
        ("a newer version was deployed", newer(older, built), False),
        ("one failed, and CloudFormation went back", failing(newer(older, built)), True),
        ("the older one was deployed again", older, False),
    ):
        come()  # it waits on a queue, or is read by functions that are about to change
        file = built / "undoing.json"
        file.write_text(json.dumps(template), encoding="utf-8")
        try:
            deploy(url, file, parameters)
        except Failed:
            if not fails:
                raise
        stack = Stack.of(url)
        (told,) = stack.client("cloudformation").describe_stacks(StackName=stack.name)["Stacks"]
        if told["StackStatus"] != ("UPDATE_ROLLBACK_COMPLETE" if fails else "UPDATE_COMPLETE"):
            raise Failed(f"{what}, and the stack is {told['StackStatus']}")
        settled(stack)
        now = Kept.of(stack, names)
        if lost := sorted(before.lost(now)):
            raise Failed(f"{what}, and {len(lost)} things are lost: {'; '.join(lost[:5])}")
        yield f"{what}: {len(before.items)} items and {len(before.objects)} objects are there as they were, {len(now.items) - len(before.items)} items more"
        before = now


def newer(older: dict[str, Any], built: Path) -> dict[str, Any]:
    """A later version: other code, another size, a setting and a queue more, and an index beside the one there is."""
    template: dict[str, Any] = json.loads(json.dumps(older))
    resources = template["Resources"]
    detect = resources["Detect"]["Properties"]
    code = built / "newer"
    shutil.rmtree(code, ignore_errors=True)
    shutil.copytree(built / detect["CodeUri"], code)
    with (code / "handlers" / "detect.py").open("a", encoding="utf-8") as handler:
        handler.write("\n# a later version\n")
    detect |= {"CodeUri": code.name, "MemorySize": 1024, "Timeout": 50}
    detect["Environment"]["Variables"]["TOCSIN_LATER"] = {"Ref": "LaterQueue"}
    resources["LaterQueue"] = {"Type": "AWS::SQS::Queue"}
    table = resources["Table"]["Properties"]
    table["AttributeDefinitions"].append({"AttributeName": "later", "AttributeType": "S"})
    table["GlobalSecondaryIndexes"].append(LATER)
    return template


def failing(template: dict[str, Any]) -> dict[str, Any]:
    """A template of which one resource cannot be made, after others were changed."""
    changed = {"Type": "AWS::SQS::Queue", "DependsOn": ["Detect", "Table"], "Properties": {"VisibilityTimeout": 99_999}}
    resources = template["Resources"]
    resources["Detect"]["Properties"]["MemorySize"] = 2048
    return {**template, "Resources": {**resources, "Impossible": changed}}
