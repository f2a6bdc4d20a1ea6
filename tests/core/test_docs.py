"""The documentation: every command, option, setting and field is in it, what it shows exists, and the site holds together."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
import pytest
import yaml
from pydantic import BaseModel, ValidationError

from tests.system import ROOT
from tocsin import cli
from tocsin.source import parse

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def _reference() -> ModuleType:
    """docs/reference.py, which is a program and no module of a package."""
    spec = importlib.util.spec_from_file_location("reference", ROOT / "docs" / "reference.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["reference"] = module
    spec.loader.exec_module(module)
    return module


reference = _reference()
COMMANDS = dict(reference.commands())
FIELDS = [(model, name, field) for _, _, top in reference.KINDS for model in reference.within(top) for name, field in reference.fields(model)]  # fmt: skip


@pytest.mark.parametrize("name", reference.PAGES)
def test_the_pages_are_those_the_code_makes(name: str) -> None:
    """What is made of the code is what `make docs` writes."""
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == reference.PAGES[name](), "make docs writes it anew"


def test_every_command_and_option_says_what_it_does() -> None:
    """Each command has a text, each of its options too, and the page has both."""
    page = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    assert {path[0] for path in COMMANDS} == set(cli.COMMANDS)
    for path, command in COMMANDS.items():
        assert command.help, path
        assert f"# tocsin {' '.join(path)}\n" in page
        for option in command.params:
            assert not isinstance(option, click.Option) or (option.help and option.opts[0] in page), (path, option.name)


def test_every_field_has_a_description_and_an_example() -> None:
    """Each field of each file says what it does, and shows a value or leads to its parts."""
    examples = reference.examples()
    assert [
        f"{model.__name__}.{name}"
        for model, name, field in FIELDS
        if not field.description or not (reference.part_of(field.annotation) or examples.get((model, name)))
    ] == []


def test_every_kind_of_file_is_documented() -> None:
    """No model of a file is forgotten on the page."""
    models = {model for model, _, _ in FIELDS}
    modules = {sys.modules[model.__module__] for _, _, model in reference.KINDS}
    kinds = {
        one
        for module in modules
        for one in vars(module).values()
        if isinstance(one, type) and one.__module__ == module.__name__
    }
    forgotten = {one.__name__ for one in kinds - models if issubclass(one, BaseModel) and one.__name__.strip("_") not in {"Model", "Part"}}  # fmt: skip
    assert forgotten == set()


@pytest.mark.parametrize("model", reference.EXAMPLES, ids=lambda model: model.__name__)
def test_the_examples_hold_only_what_is_known(model: type[BaseModel]) -> None:
    """Examples that no shipped file has are parts of files that would load: they may lack something, nothing in them is wrong."""
    wrong: set[str] = set()
    try:
        model.model_validate(parse(reference.EXAMPLES[model], "example").data)
    except ValidationError as error:
        wrong = {one["type"] for one in error.errors()}
    assert wrong <= {"missing"}


def test_every_setting_is_documented() -> None:
    """Each parameter of the template and each variable that any code reads stands on the page of settings."""
    page = (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    sources = [
        ROOT / "template.yaml",
        *(path for folder in ("tocsin", "handlers", "infra") for path in (ROOT / folder).rglob("*.py")),
    ]
    read = {name for path in sources for name in re.findall(r"\bTOCSIN_[A-Z_]+\b", path.read_text(encoding="utf-8"))}
    parameters = yaml.load((ROOT / "template.yaml").read_text(encoding="utf-8"), Loader=reference._Plain)["Parameters"]  # noqa: S506, SLF001 - a safe loader
    assert {name for name in (*read, *parameters) if f"`{name}`" not in page} == set()
    assert all(told["Description"] for told in parameters.values())


def shown() -> Iterator[tuple[str, str]]:
    """Every line of every console block, with its page."""
    for path in PAGES:
        for block in re.findall(r"^```console\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            yield from ((str(path.relative_to(ROOT)), line) for line in block.splitlines())


def parts(line: str) -> Iterator[list[str]]:
    """The commands of a line, each as its words: without comments, in pipes and lists."""
    for part in re.split(r"\||&&|;", line):
        words = shlex.split(part.replace("\\", ""), comments=True)
        while words and re.match(r"[A-Z_]+=", words[0]):
            words = words[1:]
        yield words


LINES = sorted({(page, " ".join(words)) for page, line in shown() for words in parts(line) if words and words[0].rpartition("/")[2] == "tocsin"})  # fmt: skip


@pytest.mark.parametrize(("page", "line"), LINES, ids=[f"{page}: {line}" for page, line in LINES])
def test_every_command_shown_exists(page: str, line: str) -> None:
    """A command that a page shows exists, and takes the options it is shown with."""
    words = line.split()[1:]
    found: click.Command = cli.tocsin
    while isinstance(found, click.Group):
        known = found.get_command(click.Context(found), words[0])
        assert known, f"{page}: there is no {line}"
        found, words = known, words[1:]
    found.make_context("tocsin", [word for word in words if word != "…"], resilient_parsing=True)


def test_every_target_shown_exists() -> None:
    """`make` is shown with targets that the Makefile has, and each of its targets says what it does."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-zA-Z-]+):.*## ", makefile, re.MULTILINE))
    named = {words[1] for _, line in shown() for words in parts(line) if words[:1] == ["make"] and len(words) > 1}
    named |= {name for path in PAGES for name in re.findall(r"`make ([a-z-]+)", path.read_text(encoding="utf-8"))}
    assert named - targets == set()
    assert targets <= set(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[0].split())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, made as `make site` makes it: what warns, fails."""
    out = tmp_path_factory.mktemp("site")
    how = ["--quiet", "--fail-on-warning", "--keep-going", "-E", "-b", "html", "-d", str(out / ".doctrees")]
    ran = subprocess.run(
        [sys.executable, "-m", "sphinx", *how, "docs", str(out)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return out


def test_every_page_is_in_the_site_and_every_link_leads_somewhere(site: Path) -> None:
    """Every page is in the site, reachable from its contents, and no link of it leads nowhere."""
    for path in (ROOT / "docs").rglob("*.md"):
        assert (site / path.relative_to(ROOT / "docs")).with_suffix(".html").exists()


def test_the_site_asks_for_nothing_outside(site: Path) -> None:
    """Opening a page makes no request to anybody else."""
    for path in site.rglob("*.html"):
        page = path.read_text(encoding="utf-8")
        assert (
            re.findall(r"<(?:script|img|iframe)[^>]*\ssrc=\"(?:https?:)?//|<link[^>]*\shref=\"(?:https?:)?//", page)
            == []
        )
    for path in site.rglob("*.css"):
        assert re.findall(r"url\(\s*[\"']?(?:https?:)?//|@import", path.read_text(encoding="utf-8")) == []
