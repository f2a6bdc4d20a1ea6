"""`tocsin new`: a rule out of a few questions, which passes its own tests, or what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.system import Ran, rule_set, tocsin
from tocsin.drafting import guessed
from tocsin.rules import load

FIRES = ("Ruritania laid mines on Monday.", "Mines were laid by Ruritania at night.")
SILENT = ("The hen laid an egg.", "Miners went on strike.")
SAID = ("--title", "Mines laid", "--about", "Somebody lays mines.", "--actor", "realms")


def new(
    folder: Path, *options: str, fires: tuple[str, ...] = FIRES, silent: tuple[str, ...] = SILENT, stdin: str = ""
) -> Ran:
    """Calls the command for a rule on mines."""
    texts = [
        option for kind, some in (("--fires", fires), ("--silent", silent)) for text in some for option in (kind, text)
    ]
    return tocsin("new", "--rules", folder, "--name", "mines", *SAID, *texts, *options, stdin=stdin.encode())


def test_a_rule_out_of_options(folder: Path) -> None:
    """With two sentences of each kind, a verb and a noun there is a rule on trial that passes its tests, beside the others."""
    ran = new(folder, "--does", "lay", "--thing", "mine")
    assert (ran.code, ran.out) == (
        0,
        f"{folder}/mines.yaml: written; it passes its 4 tests. Next: tocsin watch, and more sentences under tests.\n",
    )
    assert tocsin("check", "--rules", folder).code == 0
    rule = load(folder).models["mines"]
    assert rule.status == "experimental"
    assert [form.form for form in rule.forms] == ["<does> ..8 <thing>", "<thing> ..8 <does>"]
    assert [test.who for test in rule.tests.fires] == ["ruritania", "ruritania"]
    assert tuple(rule.tests.silent) == SILENT


def test_verb_and_noun_are_guessed(folder: Path) -> None:
    """What is done and to what is read out of the sentences, and offered for an answer."""
    assert new(folder, stdin="\n\n").code == 0
    rule = load(folder).models["mines"]
    assert (rule.lists["does"].verbs, rule.lists["thing"].nouns) == (["lay"], ["mine"])


def test_everything_is_asked_for(folder: Path) -> None:
    """Without options every answer is a line of standard input; an empty one ends the sentences."""
    lines = ["mines", "Mines laid", "Somebody lays mines.", *FIRES, "", *SILENT, "", "realms", "lay", "mine"]
    ran = tocsin("new", "--rules", folder, stdin="\n".join([*lines, ""]).encode())
    assert (ran.code, "A sentence that must fire" in ran.err) == (0, True)
    assert load(folder).models["mines"].title == "Mines laid"


@pytest.mark.parametrize(
    ("fires", "silent", "told"),
    [
        pytest.param(
            (*FIRES, "They laid mines."), SILENT, "nobody who may act is named in it", id="nobody acts"
        ),
        pytest.param((*FIRES, "Ruritania strewed bombs."), SILENT, "no form matches: name the words of this sentence", id="other words"),
        pytest.param(FIRES, (*SILENT, "Ruritania lays mines of gold."), "what tells this sentence apart?", id="fires"),
    ],
)  # fmt: skip
def test_what_is_missing_is_told(folder: Path, fires: tuple[str, ...], silent: tuple[str, ...], told: str) -> None:
    """A rule that does not pass its tests is not written: each test that fails is told, why, and what to do; --keep writes it."""
    ran = new(folder, "--does", "lay", "--thing", "mine", fires=fires, silent=silent)
    assert (ran.code, (folder / "mines.yaml").exists()) == (1, False)
    assert told in ran.err
    kept = new(folder, "--does", "lay", "--thing", "mine", "--keep", fires=fires, silent=silent)
    assert (kept.code, "its tests do not all pass yet" in kept.out) == (1, True)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        pytest.param(("--name", "Mines at sea"), "'Mines at sea' is no name of a rule", id="no slug"),
        pytest.param(("--name", "marching"), "there is such a rule already", id="taken"),
        pytest.param(("--actor", "kings"), "there is no list kings", id="no such list"),
        pytest.param(("--does", "lay", "--thing", "(a |"), "mines.yaml", id="a word that breaks the form"),
    ],
)
def test_answers_that_cannot_be_used(folder: Path, options: tuple[str, ...], told: str) -> None:
    """An answer that cannot be used is told, and nothing is written."""
    ran = new(folder, *options, "--does", "lay")
    assert ran.code in {1, 3}
    assert told in ran.err + ran.out or ran.code == 1
    assert sorted(path.name for path in folder.glob("*.yaml")) == ["marching.yaml"]


def test_too_few_sentences(folder: Path) -> None:
    """One sentence is not enough to tell a signal from its likes."""
    ran = new(folder, fires=FIRES[:1])
    assert (ran.code, "1 sentence that must fire, and 2 are needed" in ran.err) == (3, True)


@pytest.mark.parametrize(
    ("fires", "verbs", "nouns"),
    [
        (("Poland closed its airspace on Tuesday.", "Iran has shut its skies to all flights."), ["close", "shut"], ["airspace", "sky"]),
        (("Chile recalled its ambassador.", "The ambassador was recalled by France."), ["recall"], ["ambassador"]),
        (("Hello there.",), [], []),
        ((), [], []),
    ],
)  # fmt: skip
def test_guesses(fires: tuple[str, ...], verbs: list[str], nouns: list[str]) -> None:
    """Guesses are base forms, of words that stand in all sentences where there are some; of nothing nothing is guessed."""
    found = guessed(rule_set(), fires)
    assert found[0] == verbs
    assert found[1] == nouns or not verbs
