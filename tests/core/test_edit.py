"""What an edit may touch: an article that is said to be untouched is found the same things in, before and after."""

from __future__ import annotations

import random
import re
import shutil
from pathlib import Path

import pytest

from tests.marching import REALMS, RULE
from tests.system import RULES, seed_articles
from tocsin.article import Article
from tocsin.compiled import Counted, Cue, Doubt, Form, Rule, RuleSet, Step
from tocsin.detection import detect
from tocsin.edit import LISTS, between
from tocsin.rules import Shelf, load
from tocsin.trial import articles

EDITS = [
    pytest.param("mobilisation.yaml", "forms:\n", "forms:\n  - {form: <reserve-force> ..3 up}\n", id="a form"),
    pytest.param("lists/forces.yaml", "[soldier, troop,", "[soldier,", id="a word of a list"),
    pytest.param(
        "cues/stage.yaml", "direction: either\n    reach: 12", "direction: either\n    reach: 3", id="a cue's reach"
    ),
]


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    """What was read of the shipped rules."""
    return Shelf()


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory, shelf: Shelf) -> tuple[Path, RuleSet, list[Article]]:
    """A copy of the shipped rules, compiled, with the articles of their tests and the seeds."""
    folder = tmp_path_factory.mktemp("shipped") / "rules"
    shutil.copytree(RULES, folder)
    loaded = load(folder, shelf)
    told = [article for rule in loaded.models.values() for _, some in articles(rule) for article in some]
    return folder, loaded.rule_set, [*random.Random(7).sample(told, 60), *seed_articles()[:1]]


@pytest.mark.parametrize(("file", "old", "new"), EDITS)
def test_what_is_not_touched_is_the_same(
    shipped: tuple[Path, RuleSet, list[Article]], shelf: Shelf, file: str, old: str, new: str
) -> None:
    """After an edit of a rule, a list or a cue most articles are untouched, and in those the same is found."""
    folder, before, told = shipped
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    try:
        after = load(folder, shelf).rule_set
    finally:
        path.write_text(text, encoding="utf-8")
    edit = between(before, after)
    touched = [article for article in told if edit.touches(article)]
    untouched = [article for article in told if article not in touched]
    assert len(untouched) > len(told) / 2
    assert all(detect(before, article) == detect(after, article) for article in untouched)


def test_no_edit_touches_nothing(folder: Path) -> None:
    """Two loads of the same files differ in nothing."""
    edit = between(load(folder).rule_set, load(folder).rule_set)
    assert (edit.forms, edit.phrases, edit.owned, edit.everything) == ({}, frozenset(), {}, False)
    assert not edit.touches(Article("a", "Ruritania marched its host."))


def test_what_stands_at_the_bottom_and_how_grave_it_is_touches_nothing(folder: Path) -> None:
    """Another test, title, level or period of quiet finds the same signals, whatever comes of them."""
    before = load(folder).rule_set
    edited = RULE.replace("title: Marching", "title: On the march").replace("quiet_for: 3d", "quiet_for: 5d")
    (folder / "marching.yaml").write_text(edited.replace("Nobody moved", "Nobody stirred"), encoding="utf-8")
    edit = between(before, load(folder).rule_set)
    assert not edit.touches(Article("a", "Ruritania marched its host."))


def test_another_list_touches_what_holds_its_words(folder: Path) -> None:
    """Where lists are numbered anew they are known by their names: only what holds a word of the new list, or of a rule that asks for it, is touched."""
    before = load(folder).rule_set
    other = REALMS.replace("realms", "kingdoms").replace("Ruritania", "Freedonia").replace("ruritania", "freedonia")
    (folder / "lists" / "kingdoms.yaml").write_text(other, encoding="utf-8")
    edit = between(before, load(folder).rule_set)
    assert edit.before.names != edit.after.names
    assert not edit.touches(Article("a", "Ruritania marched its host."))
    assert edit.touches(Article("a", "Freedonia slept."))
    (folder / "marching.yaml").write_text(RULE.replace("[realms]", "[kingdoms]"), encoding="utf-8")
    edit = between(before, load(folder).rule_set)
    assert edit.touches(Article("a", "Ruritania marched its host."))
    assert not edit.touches(Article("a", "Nothing at all."))


def test_every_number_of_a_list_is_known_to_be_one() -> None:
    """What holds numbers in a compiled rule holds those of lists, which are compared by name, or says here that it holds others."""
    others = {"Step.gap", "Form.head", "Cue.reach", "Cue.adjacent", "Doubt.above"}
    kinds: list[type] = [Rule, Form, Step, Cue, Counted, Doubt]
    numbers = {
        f"{kind.__name__}.{name}"
        for kind in kinds
        for name, told in kind.__annotations__.items()
        if re.search(r"\b(int|float)\b", str(told))
    }
    assert numbers - others == {f"{kind.__name__}.{name}" for kind, names in LISTS.items() for name in names}


def test_what_stands_on_the_shelf_is_not_read_again(folder: Path) -> None:
    """A folder that is loaded again gives what a first load gives, faults and all, from what was read before."""
    shelf = Shelf()
    load(folder, shelf)
    (folder / "strolling.yaml").write_text(RULE.replace("marching", "strolling") + "odd: 1\n", encoding="utf-8")
    kept = shelf.sources["rules/marching.yaml"][1]
    for _ in range(2):
        again, anew = load(folder, shelf), load(folder)
        assert again.faults == anew.faults != []
        assert again.rule_set.sections == anew.rule_set.sections
        assert again.sources["marching"] is kept
