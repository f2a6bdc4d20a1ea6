"""What each part of the house may know: the core nothing of the outside, the functions only what is deployed."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = sorted((ROOT / "tocsin").glob("*.py"))
DEPLOYED = [*CORE, *sorted((ROOT / "tocsin" / "adapters").glob("*.py")), *sorted((ROOT / "handlers").glob("*.py"))]
PAGES = ROOT / "tocsin" / "adapters" / "pages.py"
"""The one module that imports what the layer of the function Page holds."""
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))

NEIGHBOURS = {"boto3", "botocore", "slack_sdk", "feedparser", "trafilatura", "moto", "click", "rich"}
OUTSIDE = NEIGHBOURS | {"os", "random", "secrets", "socket", "subprocess", "time", "urllib.request"}
CLOCKS = {"datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today"}
CHANCE = {"uuid.uuid1", "uuid.uuid4"}
DISTRIBUTIONS = {"yaml": "pyyaml", "botocore": "boto3", "pydantic_core": "pydantic"}
"""Distributions whose packages have another name, or which another one brings."""


def module_name(path: Path) -> str:
    """`tocsin.text` for `tocsin/text.py`."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Each import, at the top or inside a function, as the name it binds and what that stands for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((one.asname or one.name.split(".")[0], one.name) for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((one.asname or one.name, f"{node.module}.{one.name}") for one in node.names)


def dotted(node: ast.AST) -> str:
    """`a.b.c` for the expression that reads so, else nothing."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (owner := dotted(node.value)):
        return f"{owner}.{node.attr}"
    return ""


def reaches_out(source: str) -> list[str]:
    """What a module's source uses of the outside: neighbours, environment, clock, chance."""
    tree = ast.parse(source)
    bound = set(imports(tree))
    used = {name for _, name in bound}
    for node in ast.walk(tree):
        first, *rest = dotted(node).split(".")
        used |= {".".join([name, *rest]) for alias, name in bound if alias == first}
    return sorted(
        name for name in used if name in CLOCKS | CHANCE or any(f"{name}.".startswith(f"{one}.") for one in OUTSIDE)
    )


@pytest.mark.parametrize("path", CORE, ids=module_name)
def test_the_core_uses_nothing_of_the_outside(path: Path) -> None:
    """A core module names no neighbour, no environment, no clock and no chance, not even inside a function."""
    assert reaches_out(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", CORE, ids=module_name)
def test_the_core_imports_no_neighbour(path: Path) -> None:
    """Importing a core module brings no neighbour's library along, however far down."""
    look = f"import sys, {module_name(path)}; print(*sorted({NEIGHBOURS!r} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", look], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.split() == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import boto3", ["boto3"]),
        ("def f():\n    from botocore.config import Config", ["botocore.config.Config"]),
        ("from datetime import datetime as d\nd.now()", ["datetime.datetime.now"]),
        ("import datetime\ndatetime.date.today()", ["datetime.date.today"]),
        ("from os import environ", ["os.environ"]),
        ("import os.path as p", ["os.path"]),
        ("from time import monotonic", ["time.monotonic"]),
        ("from uuid import uuid4\nuuid4()", ["uuid.uuid4"]),
        ("for time in ():\n    time.hour", []),
        ("import timeit\nfrom datetime import datetime\ndatetime.fromisoformat('2031-01-01')", []),
    ],
)
def test_what_reaches_out_is_seen(source: str, found: list[str]) -> None:
    """The test above sees the outside by whatever name a module calls it."""
    assert reaches_out(source) == found


def test_the_functions_import_only_what_is_deployed() -> None:
    """Every library a deployed module imports is in the core layer, or for one module in the layer of Page: nothing else is there."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    core, pages = told["project"]["dependencies"], told["dependency-groups"]["pages"]
    for paths, requirements in (([PAGES], core + pages), ([path for path in DEPLOYED if path != PAGES], core)):
        trees = [ast.parse(path.read_text(encoding="utf-8")) for path in paths]
        packages = {name.split(".")[0] for tree in trees for _, name in imports(tree)}
        foreign = packages - sys.stdlib_module_names - {"tocsin", "handlers"}
        deployed = {re.split(r"[^a-z0-9-]", requirement)[0] for requirement in requirements}
        assert {DISTRIBUTIONS.get(name, name.replace("_", "-")) for name in foreign} <= deployed


def test_the_deployed_modules_leave_the_commands_alone() -> None:
    """No deployed module imports the command line or infra: neither is in the layer."""
    trees = {module_name(path): ast.parse(path.read_text(encoding="utf-8")) for path in DEPLOYED}
    assert [
        f"{module} imports {name}"
        for module, tree in trees.items()
        for _, name in imports(tree)
        if name.startswith(("tocsin.cli", "infra", "tests"))
    ] == []


def pins(lock: str) -> set[str]:
    """The versions a lock names, each as `name==version`."""
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    return set(re.findall(r"^[a-z0-9.-]+==[^ ;\\]+", text, re.MULTILINE))


@pytest.mark.parametrize("lock", ["layer.txt", "pages.txt"])
def test_what_is_deployed_is_what_was_tested(lock: str) -> None:
    """A layer's lock names no version that the tests do not run with, so that two layers never bring two of one package."""
    assert pins(lock) <= pins("dev.txt")


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_holds_hashes_and_no_address(lock: Path) -> None:
    """Each package of a lock has a hash, and no lock says where packages come from."""
    text = lock.read_text(encoding="utf-8")
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert entries
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in text
    assert "index-url" not in text
