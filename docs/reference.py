"""Writes the pages of the documentation that are made of the code: python docs/reference.py [FOLDER].

Of every kind of file each field, with what its model says of it and an example out of the files Tocsin ships; of every command
each option; every setting; every check.
"""

from __future__ import annotations

import ast
import inspect
import sys
import types
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import click
import yaml
from pydantic import BaseModel, Field, create_model
from pydantic.fields import FieldInfo

from tocsin import checks, cli, expectations, feeds, manifest, reading, routefile, rule, settings
from tocsin.source import parse, read

ROOT = Path(__file__).parents[1]
LONGEST = 110
"""Characters of an example that are shown; what is longer is cut."""
SHORTEST = 18
"""Characters under which an example says little, if there is another."""
MADE = "This page is made by `make docs`, of the code.\n"


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────

_ARTICLE: Mapping[str, Any] = {
    name: (datetime if field.is_date else str, Field(... if name == "text" else None, description=field.what))
    for name, field in reading.FIELDS.items()
}
ARTICLE = create_model("Article", **_ARTICLE)
"""What is read of an article, as a model like the others: the functions read it without one."""
KINDS: Sequence[tuple[str, str, type[BaseModel]]] = (
    ("Rules", "`rules/NAME.yaml`: one kind of signal.", rule.Rule),
    ("Word lists", "`rules/lists/NAME.yaml` with `kind: words`: words that rules name in angle brackets.", rule.WordsFile),
    ("Name lists", "`rules/lists/NAME.yaml` with `kind: names`: states, places, institutions and what the news calls them.", rule.NamesFile),
    ("Cues", "`rules/cues/NAME.yaml`: words that decide stage, certainty, flags or silence of a match near them.", rule.CuesFile),
    ("Routes", "`rules/routes.yaml`: which channel an alert goes to, in the words of Alertmanager.", routefile.RoutesFile),
    ("Feeds", "A list of feeds, as `tocsin feeds import` takes it: `feeds:` with a list of these.", feeds.FeedLine),
    ("Expectations", "What `tocsin backtest --expect FILE` asks of an archive: below the name of each rule, these.", expectations.Expected),
    ("Manifests", "`manifest.yaml` in a folder of articles: what is known of each beyond its text; only `file` is needed.", manifest.ManifestFile),
    ("Articles", "An article as JSON: in a file, a line of a file, or a post.", ARTICLE),
)  # fmt: skip
"""Every kind of file people write: what it is called, where it stands, and the model that reads it."""
EXAMPLES: Mapping[type[BaseModel], str] = {
    rule.Rule: """
cues: [planned, preparing, denied]
forms: [{form: <launch> ..3 <rocket>, what: satellite, only_who: [iran, north-korea]}]
who: {from: [states], required: false, inherit: false}
story: {same: [who], quiet_for: 30d, tolerance: 0.25}
tests:
  fires: [{text: "Drills begin on Monday.", title: "Drills near the border", where: baltic, certainty: asserted, flags: [denied]}]
  update:
    - - {id: a1, title: "More troops", text: "Ruritania sends 500 soldiers.", source: Gazette, published: "2025-01-24"}
      - {id: a2, text: "Ruritania sends 900 soldiers.", source: Gazette, published: "2025-01-25T09:30", becomes: material_change}
  variants:
    - {fires: "Ruritania {} 500 soldiers.", words: [sends, ships], who: ruritania, where: baltic, what: icbm, stage: done, certainty: asserted, flags: [denied]}
    - {silent: "Nothing else was said.", title: "Ruritania {} soldiers", words: [salutes, thanks]}
""",
    rule.NamesFile: "description: Everything that acts as a state\nnot: [Air China]\nentries: [{type: region, people: [Bavarians], not: [Bavarian cream]}]",
    rule.CuesFile: "cues: [{verbs: [rule out], nouns: [denial], only: title, not: [cannot rule out], include: [reporting]}]",
    routefile.RoutesFile: """
receivers:
  - {name: desk, channel: default}
  - {name: korea, channel: C0123456789, fallback: desk}
route:
  receiver: desk
  routes: [{receiver: korea, matchers: [who = north-korea | south-korea, level >= medium], mute_time_intervals: [nights], continue: true}]
time_intervals:
  - name: nights
    time_intervals: [{times: [{start_time: "22:00", end_time: "24:00"}], weekdays: [monday:friday], location: Europe/Berlin}]
""",
    feeds.FeedLine: "{url: https://en.yna.co.kr/RSS/nk.xml, name: Yonhap, language: en, country: KR, every: 5m, slowest: 6h, pages: true}",
    expectations.Expected: "{fires: {at_least: 2, at_most: 40}, stories: {at_least: 2}, alerts: {exactly: 3}}",
    manifest.ManifestFile: """
articles:
  - file: 001.txt
    source: Gazette
    title: Ruritania may send more troops
    url: https://example.org/1
    published: "2025-01-24"
    dated: the text says “on Friday”
    named: the byline is that outlet's
    signals: [{rule: additional-deployment, who: north-korea, where: russia, what: icbm, stage: preparing, certainty: suspected, flags: [denied]}]
    must_fire: [{rule: additional-deployment, what: icbm, stage: preparing, text: "It is preparing to send more troops."}]
    may_fire: [{rule: budget-increase, text: "It bolsters its defence budget."}]
    must_not_fire: [{why: history, text: "It has sent 11,000 soldiers."}]
alerts:
  - {rule: additional-deployment, who: north-korea, where: russia, what: icbm, stage: done, flags: [denied], articles: ["001"], reason: stage_up, of: A1}
""",
    ARTICLE: """
{id: yna-20250124, title: "Seoul expects more troops", source: Yonhap, url: "https://example.org/1", published: "2025-01-24T09:30:00Z",
 text: "North Korea is preparing to send more troops to Russia, Seoul said."}
""",
}  # fmt: skip
"""Examples of what no shipped file has, each a part of a file."""
TAKEN: Mapping[type[BaseModel], Sequence[str]] = {
    rule.Rule: ("*.yaml",),
    rule.WordsFile: ("lists/*.yaml",),
    rule.NamesFile: ("lists/*.yaml",),
    rule.CuesFile: ("cues/*.yaml",),
}
"""Where examples are looked for first."""
Found = dict[tuple[type[BaseModel], str], list[Any]]
"""Model and field → the values it has somewhere."""


def files_page() -> str:
    """Every field of every kind of file."""
    found = examples()
    parts = ["# What can be written in files\n", MADE]
    parts += [
        (
            "Each field with its type, what it does, and an example out of the files Tocsin ships. A field without “required” may be left out. "
            "`tocsin check` finds what is wrong with a file, and [checks](../checks.md) explains each fault.\n"
        )
    ]
    told: set[type[BaseModel]] = set()
    for title, what, model in KINDS:
        parts.append(f"## {title}\n\n{what}\n")
        for one in within(model):
            if one in told:
                continue
            told.add(one)
            if one is not model:
                parts.append(f"### {_name(one)}\n\n{_doc(one)}\n")
            parts.append("\n".join(_row(one, name, field, found) for name, field in fields(one)) + "\n")
    return "\n".join(parts)


def fields(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    """The fields of a model as they are written."""
    for name, field in model.model_fields.items():
        yield field.alias or name, field


def within(model: type[BaseModel]) -> list[type[BaseModel]]:
    """A model with the models of its parts, each once, in the order in which they are met."""
    found: list[type[BaseModel]] = []
    waiting = [model]
    while waiting:
        one = waiting.pop(0)
        if one not in found:
            found.append(one)
            waiting += [part for _, field in fields(one) if (part := part_of(field.annotation))]
    return found


def part_of(annotation: Any) -> type[BaseModel] | None:
    """The model inside an annotation, perhaps in a list or a mapping."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := part_of(inner))), None)


@cache
def examples() -> Found:
    """What the fields hold in the files of this checkout, and in `EXAMPLES`."""
    found: Found = defaultdict(list)
    for model, patterns in TAKEN.items():
        for pattern in patterns:
            for path in sorted((ROOT / "rules").glob(pattern)):
                data = read(path).data
                if path.name != "routes.yaml" and data.get("kind") in {None, _kind_of(model)}:
                    _collect(model, data, found)
    for model, text in EXAMPLES.items():
        _collect(model, parse(text, "example").data, found)
    return found


def _kind_of(model: type[BaseModel]) -> str | None:
    field = model.model_fields.get("kind")
    return get_args(field.annotation)[0] if field else None


def _collect(model: type[BaseModel], data: Any, found: Found) -> None:
    if not isinstance(data, dict):
        return
    for name, field in fields(model):
        if name in data:
            found[model, name].append(data[name])
            part = part_of(field.annotation)
            for inner in _inner(data[name]) if part else ():
                _collect(part, inner, found)  # type: ignore[arg-type] # there is one: the line above asked


def _inner(value: Any) -> Iterator[dict[str, Any]]:
    """The mappings that are parts: one, those of a list, of lists in a list, or the values of a mapping of them."""
    if isinstance(value, list):
        for one in value:
            yield from _inner(one)
    elif isinstance(value, dict):
        yield value
        yield from (one for one in value.values() if isinstance(one, dict))


def _row(model: type[BaseModel], name: str, field: FieldInfo, found: Found) -> str:
    part = part_of(field.annotation)
    kind = _kind(field.annotation) + (
        f", see [{_name(part)}](#{_name(part).lower().replace(' ', '-')})" if part else ""
    )
    needed = ", required" if field.is_required() else ""
    told = f"- **`{name}`** ({kind}{needed}): {(field.description or '').rstrip('.')}."
    shown = "" if part else _example(name, found.get((model, name), []))
    return told + (f"\n  <br>`{shown}`" if shown else "")


def _example(name: str, values: Sequence[Any]) -> str:
    """The shortest value that says something, as a line of YAML."""
    shortest = sorted({repr(value): value for value in values}.items(), key=lambda one: (len(one[0]), one[0]))
    telling = [value for text, value in shortest if SHORTEST <= len(text) + len(name) <= LONGEST]
    if not shortest:
        return ""
    line = _line(name, (telling or [value for _, value in shortest])[0])
    return line if len(line) <= LONGEST else f"{line[:LONGEST].rpartition(' ')[0]} …"


def _line(name: str, value: Any) -> str:
    written = yaml.safe_dump({name: value}, default_flow_style=True, width=10_000, allow_unicode=True, sort_keys=False)
    return written.strip()[1:-1].replace("`", "'")


def _name(model: type[BaseModel]) -> str:
    """How a part is called: RouteModel → Route."""
    return model.__name__.removesuffix("Model").lstrip("_")


def _doc(model: type[BaseModel]) -> str:
    return " ".join(inspect.getdoc(model).split()) if model.__doc__ else ""  # type: ignore[union-attr] # it has one


def _kind(annotation: Any) -> str:
    """A type in words."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _kind(inner[0])
    if origin is Literal:
        return "one of " + ", ".join(f"`{one}`" for one in inner)
    if origin in {Union, types.UnionType}:
        return " or ".join(dict.fromkeys(_kind(one) for one in inner if one is not type(None)))
    if origin in {list, tuple}:
        return "list" if part_of(inner[0]) else f"list of {_kind(inner[0]).replace('one of', 'any of')}"
    if origin is dict:
        return "mapping"
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return "fields"
    names = {str: "text", bool: "true or false", int: "number", float: "number", timedelta: "period"}
    return names.get(annotation, "date")


# ── commands ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def commands_page() -> str:
    """Every command with its arguments and options."""
    parts = ["# Commands\n", MADE]
    parts += [
        (
            "With `--format ndjson` a command prints one JSON object a line. Exit codes: 0 fine, 1 findings, or some rule did not load (the others did "
            "their work), 2 no rule can be used, 3 bad input or settings.\n"
        )
    ]
    for path, command in commands():
        usage = " ".join(["tocsin", *path, *command.collect_usage_pieces(click.Context(command))])
        parts.append(f"{'#' * (len(path) + 1)} tocsin {' '.join(path)}\n")
        parts.append(f"```text\n{usage}\n```\n\n{_help(command)}\n")
        rows = [_option(one) for one in command.params if isinstance(one, click.Option)]
        parts.append("\n".join(rows) + "\n" if rows else "")
    return "\n".join(parts)


def commands() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command and subcommand, with the words that call it."""
    waiting: list[tuple[tuple[str, ...], click.Command]] = [((), cli.tocsin)]
    while waiting:
        path, command = waiting.pop(0)
        if path:
            yield path, command
        if isinstance(command, click.Group):
            context = click.Context(command)
            names = command.list_commands(context)
            found = [((*path, name), one) for name in names if (one := command.get_command(context, name))]
            waiting = [*found, *waiting]


def _help(command: click.Command) -> str:
    return "\n\n".join(" ".join(one.split()) for one in inspect.cleandoc(command.help or "").split("\n\n"))


def _option(option: click.Option) -> str:
    names = ", ".join(f"`{one}`" for one in (*option.opts, *option.secondary_opts))
    context = click.Context(click.Command("tocsin"))
    value = "" if option.is_flag else f" `{option.make_metavar(context)}`"
    more = option.get_help_extra(context)
    default = f" By default {more['default'].strip('()')}." if "default" in more else ""
    variable = f" Also from `{', '.join(more['envvars'])}`." if "envvars" in more else ""
    return f"- {names}{value}: {(option.help or '').rstrip('.')}.{default}{variable}"


# ── settings ─────────────────────────────────────────────────────────────────────────────────────────────────────────

OUTSIDE: Mapping[str, str] = {
    "TOCSIN_STACK": "Name of the deployed stack that commands ask; `tocsin` where it is not set.",
    "TOCSIN_SLACK_TOKEN": "A bot token, for `tocsin replay --slack` and `tocsin slack doctor`.",
    "TOCSIN_SLACK_CHANNEL": "The channel to which those two post.",
    "TOCSIN_SLACK_URL": "Base of Slack's Web API for them, with the closing slash, where it is not the usual one.",
    "AWS_PROFILE, AWS_REGION …": "Where commands find the stack, as for every program that talks to AWS.",
    "SSL_CERT_FILE": "Certificates to be trusted instead of the system's.",
    "XDG_CACHE_HOME": "Where compiled rules are kept between commands; `~/.cache` where it is not set.",
}
"""What commands read from the environment."""


def settings_page() -> str:
    """Every parameter of the deployment and every variable of the environment."""
    template = yaml.load((ROOT / "template.yaml").read_text(encoding="utf-8"), Loader=_Plain)  # noqa: S506 - a safe loader that skips tags
    parts = ["# Settings\n", MADE, "## Of a deployment\n"]
    parts.append(
        "The parameters of `template.yaml`, for which `make deploy` asks. They can be changed by deploying again.\n"
    )
    for name, told in template["Parameters"].items():
        default = told.get("Default")
        said = "required" if default is None else "by default empty" if default == "" else f"by default `{default}`"
        parts.append(f"- **`{name}`** ({said}): {' '.join(told['Description'].split())}")
    parts.append("\n## Of commands\n\nVariables of the environment.\n")
    parts += [f"- `{name}`: {told}" for name, told in OUTSIDE.items()]
    parts.append(
        "\n## Of the functions\n\n`template.yaml` gives each function those it uses; nobody sets them by hand.\n"
    )
    parts += [f"- `{name}`: {told}" for name, told in variables().items()]
    return "\n".join(parts) + "\n"


class _Plain(yaml.SafeLoader):
    """Reads CloudFormation's short forms as nothing."""


_Plain.add_multi_constructor("!", lambda _loader, _tag, _node: None)


def variables() -> dict[str, str]:
    """The variables of the environment that the functions read, with what their settings say."""
    found: dict[str, str] = {}
    for node in ast.walk(ast.parse(inspect.getsource(settings))):
        if isinstance(node, ast.FunctionDef) and (told := ast.get_docstring(node)):
            named = [
                one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)
            ]
            found |= {name: " ".join(told.split()) for name in named if name.startswith("TOCSIN_")}
    return found


PAGES = {
    "checks.md": checks.page,
    "reference/files.md": files_page,
    "reference/commands.md": commands_page,
    "reference/settings.md": settings_page,
}
"""The pages that are made of the code."""


def main() -> None:
    """Writes the pages."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs"
    for name, make in PAGES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
