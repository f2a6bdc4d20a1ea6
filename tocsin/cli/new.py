"""`tocsin new`: a rule out of a few questions, which passes its own tests."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import uuid4

import click

from tocsin.cli import FINDINGS, FINE
from tocsin.cli.options import load_rules, rules_option, so_many
from tocsin.compiled import RuleSet
from tocsin.drafting import Answers, guessed, written
from tocsin.errors import InputFault, RuleFaults
from tocsin.rules import Loaded, load
from tocsin.schemas import HEADER
from tocsin.trial import run, signals_of

_SLUG = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*\Z")
LEAST = 2
"""Sentences of each kind."""
REFERENCE = "https://example.org/"


@click.command("new")
@rules_option
@click.option("--name", help="Its name, which is its file's name: small letters and dashes.")
@click.option("--title", help="What an alert is headed with.")
@click.option("--about", help="What it is about, in a sentence.")
@click.option("--fires", multiple=True, help="A sentence that must fire; give two or more.")
@click.option("--silent", multiple=True, help="A sentence that sounds like it and must not fire; give two or more.")
@click.option(
    "--actor", "actors", multiple=True, help="A list of those who may do it: states (as usual), alliances, non-states …"
)
@click.option(
    "--does", multiple=True, help="What is done, as a verb: march. Guessed from the sentences when nothing is said."
)
@click.option(
    "--thing", "things", multiple=True, help="What it is done to, as a noun: host. Guessed when nothing is said."
)
@click.option("--reference", default=REFERENCE, show_default=True, help="A source for what it looks for.")
@click.option("--keep", is_flag=True, help="Write the rule although not all of its tests come out.")
def command(  # noqa: PLR0913 - a command has a parameter for each option
    rules: Path,
    name: str | None,
    title: str | None,
    about: str | None,
    fires: tuple[str, ...],
    silent: tuple[str, ...],
    actors: tuple[str, ...],
    does: tuple[str, ...],
    things: tuple[str, ...],
    reference: str,
    *,
    keep: bool,
) -> int:
    """Asks a few questions, and writes a rule with status experimental that passes its own tests; or says what is missing.

    What the options leave open is asked for, on a terminal or in lines of standard input: name, title, what it is about, sentences (an
    empty line ends them), who may do it, what is done and to what. The rule rings nowhere: the digest shows what it would have posted.
    """
    known = load_rules(rules).rule_set
    name = free(name or _asked("Name of the rule (small letters and dashes)"), rules)
    title = title or _asked("Title of its alerts", name.replace("-", " ").capitalize())
    about = about or _asked("What is it about, in a sentence", title)
    fires = fires or tuple(_sentences("A sentence that must fire"))
    silent = silent or tuple(_sentences("A sentence that sounds like it and must not fire"))
    enough(name, fires, silent)
    actors = among(
        actors or tuple(_asked("Who may do it, as names of lists", "states").replace(",", " ").split()), known
    )
    if not (does and things):
        verbs, nouns = guessed(known, fires)
        does = does or _listed("What is done, as verbs", verbs)
        things = things or _listed("To what, as nouns in the singular", nouns)
    text, missing = drafted(rules, Answers(name, title, about, fires, silent, actors, does, things, reference))
    for line in missing:
        click.echo(line, err=True)
    if missing and not keep:
        click.echo(
            f"{name} was not written; call it again with other words, or with --keep and mend the file", err=True
        )
        return FINDINGS
    path = rules / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    told = "its tests do not all pass yet" if missing else f"it passes its {len(fires) + len(silent)} tests"
    click.echo(f"{path}: written; {told}. Next: tocsin watch, and more sentences under tests.")
    return FINDINGS if missing else FINE


def drafted(rules: Path, answers: Answers) -> tuple[str, list[str]]:
    """The file of a rule for a folder, and what keeps it from passing its tests."""
    number = str(uuid4())
    missing, who = _tried(rules, answers.name, written(answers, number))
    schema = rules.resolve().parent / "schemas" / "rule.json"
    head = f"{HEADER}../schemas/rule.json\n" if schema.is_file() else ""
    return head + written(answers, number, who), missing


def _asked(question: str, usual: str | None = None) -> str:
    answer: str = click.prompt(question, default=usual, err=True)
    return answer.strip()


def _sentences(question: str) -> Iterator[str]:
    """Sentences until an empty line, or the end of standard input."""
    count = 0
    while True:
        try:
            told = click.prompt(
                f"{question}{' (empty: no more)' if count >= LEAST else ''}", default="", show_default=False, err=True
            )
        except click.Abort:
            return
        if not told.strip():
            return
        count += 1
        yield told.strip()


def _listed(question: str, guess: Sequence[str]) -> tuple[str, ...]:
    """Words, divided by commas."""
    told = _asked(f"{question}, divided by commas", ", ".join(guess) or None)
    return tuple(word.strip() for word in told.split(",") if word.strip())


def free(name: str, rules: Path) -> str:
    """A name that no rule of a folder has; `InputFault` where it is none."""
    if not _SLUG.match(name):
        raise InputFault(f"{name!r} is no name of a rule", str(rules), "write small letters, digits and single dashes")
    if (rules / f"{name}.yaml").exists():
        raise InputFault("there is such a rule already", str(rules / f"{name}.yaml"), "choose another name")
    return name


def enough(name: str, fires: Sequence[str], silent: Sequence[str]) -> None:
    """`InputFault` where there are too few sentences of a kind."""
    for kind, texts in (("must fire", fires), ("must not fire", silent)):
        if len(texts) < LEAST:
            raise InputFault(
                f"{so_many(len(texts), 'sentence')} that {kind}, and {LEAST} are needed",
                name,
                "paste them from real articles",
            )


def among(actors: tuple[str, ...], known: RuleSet) -> tuple[str, ...]:
    """Lists that there are; `InputFault` names those there are not."""
    if unknown := [one for one in actors if one not in known.lists]:
        raise InputFault(
            f"there is no list {', '.join(unknown)}", "who may do it", "write states, alliances or non-states"
        )
    return actors


def _tried(rules: Path, name: str, text: str) -> tuple[list[str], list[str]]:
    """What keeps a rule from passing its tests, and who acts in each that must fire: tried beside the lists and cues of the folder."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "rules"
        folder.mkdir()
        for shared in ("lists", "cues"):
            if (rules / shared).is_dir():
                (folder / shared).symlink_to((rules / shared).resolve())
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
        try:
            loaded = load(folder)
        except RuleFaults as error:
            return [str(fault) for fault in error.faults], []
    if name not in loaded.models:
        return [str(fault) for fault in loaded.faults if fault.file == f"rules/{name}.yaml"], []
    tests = loaded.models[name].tests.fires
    found = [signals_of(loaded.rule_set, name, test.text) for test in tests]
    return list(_missing(loaded, name)), [(one[0].who or "") if len(one) == 1 else "" for one in found]


def _missing(loaded: Loaded, name: str) -> Iterator[str]:
    """The tests that do not come out, why, and what to do about it."""
    for outcome in run(loaded.rule_set, loaded.models[name]):
        if not outcome.passed:
            yield f"{outcome.kind} {outcome.index + 1}: {'; '.join(outcome.faults)}"
            yield from (f"    {line}" for line in outcome.why)
            yield f"    {_advice(outcome.kind, outcome.why)}"


def _advice(kind: str, why: Sequence[str]) -> str:
    """What to do about a test that does not come out."""
    lacks = next((line.strip().removeprefix("lacks").strip() for line in why if line.strip().startswith("lacks")), "")
    if kind == "silent":
        return "what tells this sentence apart? Put its word into a list, and that list under `never`, or narrow --does and --thing"
    if lacks.startswith("who"):
        return "nobody who may act is named in it: name another list with --actor, or a sentence that says who does it"
    if lacks:
        return f"the form matches, but: {lacks}"
    return "no form matches: name the words of this sentence with --does and --thing"
