"""Rules compiled once: what is kept, when it is not used, and that nobody can tell the difference."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.harm import cut, emptied, flipped
from tests.system import ROOT, RULES, rule_set, seed_articles
from tocsin.adapters.kept import sealed, unsealed
from tocsin.adapters.rulebook import INSIDE, KEPT, build, models, rulebook
from tocsin.article import Article
from tocsin.detection import detect
from tocsin.errors import RuleFaults
from tocsin.rules import load

RULE = """title: Marching
id: 0c1f6f1e-5a0c-4c0c-9a53-0d6b6f7f0a10
name: marching
status: experimental
level: {done: high}
description: Somebody marches somewhere.
who: {from: [realms]}
lists:
  march: {verbs: [march]}
  host: {nouns: [host]}
forms:
  - {form: <march> ..4 <host>}
story: {same: [who], quiet_for: 3d}
"""
REALMS = """list: realms
kind: names
entries:
  - {slug: ruritania, name: Ruritania, names: [Ruritania]}
"""
TELLS = Article("a", "Ruritania marched its host to the border.")
ENVIRONMENT = {"TOCSIN_RULES": str(RULES), "TOCSIN_MAX_AGE_DAYS": "0", "PYTHONPATH": str(ROOT)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small set of rules, with a file that does not load."""
    rules = tmp_path / "rules"
    (rules / "lists").mkdir(parents=True)
    (rules / "lists" / "realms.yaml").write_text(REALMS, encoding="utf-8")
    (rules / "marching.yaml").write_text(RULE, encoding="utf-8")
    (rules / "broken.yaml").write_text("name: [", encoding="utf-8")
    return rules


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment whose cache is empty."""
    return {"XDG_CACHE_HOME": str(tmp_path / "cache")}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that holds the shipped rules."""
    place: Path = tmp_path_factory.mktemp("cache")
    rulebook(RULES, {"XDG_CACHE_HOME": str(place)})
    return place


def kept(home: dict[str, str]) -> list[Path]:
    """The files in the cache."""
    return sorted((Path(home["XDG_CACHE_HOME"]) / "tocsin" / "rules").iterdir())


def compiled_again(folder: Path, home: dict[str, str]) -> bool:
    """Whether the rules of a folder have to be compiled, told by the import of the compiler in a program of its own."""
    code = (
        "import sys; from pathlib import Path; from tocsin.adapters.rulebook import rulebook\n"
        f"rulebook(Path({str(folder)!r})); print('tocsin.rules' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**home, "PYTHONPATH": str(ROOT)}
    )
    return ran.stdout.strip() == "True"


def test_what_was_kept_detects_the_same(cache: Path) -> None:
    """The seeds and every sentence that must fire have the same signals by rules read from YAML and by rules that were kept."""
    loaded = load(RULES)
    again = rulebook(RULES, {"XDG_CACHE_HOME": str(cache)}).rule_set
    texts = [test.text for model in loaded.models.values() for test in model.tests.fires]
    articles = [*seed_articles(), *(Article(str(number), text) for number, text in enumerate(texts[::5]))]
    assert again is not loaded.rule_set
    assert [detect(again, one) for one in articles] == [detect(loaded.rule_set, one) for one in articles]


def test_faults_are_kept(folder: Path, home: dict[str, str]) -> None:
    """A file that does not load is told of each time, the other rules run."""
    first, second = rulebook(folder, home), rulebook(folder, home)
    assert [str(fault) for fault in first.faults] == [str(fault) for fault in second.faults]
    assert [fault.file for fault in second.faults] == ["rules/broken.yaml"]
    assert [*second.rule_set.order] == ["marching"]
    assert [signal.who for signal in detect(second.rule_set, TELLS)] == ["ruritania"]


def test_the_second_time_nothing_is_compiled(folder: Path, home: dict[str, str]) -> None:
    """What was compiled once is read from the cache."""
    assert [compiled_again(folder, home) for _ in range(2)] == [True, False]


def test_a_built_folder_needs_no_cache(folder: Path) -> None:
    """A folder with its artefact in it, as a layer has it, is read without compiling, whatever the environment."""
    build(folder)
    assert (folder / INSIDE).exists()
    assert not compiled_again(folder, {})
    assert [fault.file for fault in rulebook(folder, {}).faults] == ["rules/broken.yaml"]


def test_what_was_deployed_is_believed_where_it_is_whole(folder: Path) -> None:
    """A function takes what was compiled in its folder without looking at the files it was compiled of; what is cut off is compiled anew."""
    build(folder)
    _append(folder / "marching.yaml")
    assert detect(rulebook(folder, {}, sealed=True).rule_set, TELLS)
    assert rulebook(folder, {}, sealed=True).rule_set.version != rulebook(folder, {}).rule_set.version
    cut(folder / INSIDE)
    assert rulebook(folder, {}, sealed=True).rule_set.version == rulebook(folder, {}).rule_set.version


def _foreign(path: Path) -> None:
    path.write_bytes(b"\x80\x05\x95 not ours")


def _of_another_set(path: Path) -> None:
    head, _, body = (unsealed(path.read_bytes()) or b"").partition(b"\n")
    path.write_bytes(sealed(json.dumps(json.loads(head) | {"tocsin": "0" * 64}).encode() + b"\n" + body))


@pytest.mark.parametrize("harm", [cut, flipped, _foreign, emptied, _of_another_set])
def test_a_harmed_artefact_is_made_anew(folder: Path, home: dict[str, str], harm: Callable[[Path], None]) -> None:
    """What is cut off, changed or of another set is no artefact: the rules are compiled, and kept again."""
    rulebook(folder, home)
    (path,) = kept(home)
    whole = path.read_bytes()
    harm(path)
    assert [*rulebook(folder, home).rule_set.order] == ["marching"]
    assert path.read_bytes() == whole


def _another(folder: Path) -> None:
    (folder / "walking.yaml").write_text(RULE.replace("marching", "walking"), encoding="utf-8")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda folder: _append(folder / "marching.yaml"), id="a rule"),
        pytest.param(lambda folder: _append(folder / "lists" / "realms.yaml"), id="a list"),
        pytest.param(lambda folder: (folder / "broken.yaml").unlink(), id="a file gone"),
        pytest.param(_another, id="a rule more"),
    ],
)
def test_a_changed_folder_is_compiled(folder: Path, home: dict[str, str], change: Callable[[Path], None]) -> None:
    """Whatever changes in a file or among the files, the artefact of before is not used; neither is one in the folder."""
    build(folder)
    before = rulebook(folder, home)
    change(folder)
    assert compiled_again(folder, home)
    assert rulebook(folder, home).rule_set is not before.rule_set


def _append(path: Path) -> None:
    path.write_text(path.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")


@pytest.mark.parametrize("obstacle", ["a file", "others may write", "no home"])
def test_without_a_cache_rules_are_compiled(folder: Path, tmp_path: Path, obstacle: str) -> None:
    """Where nothing can be kept, or where others could put something, rules are compiled each time."""
    place = tmp_path / "cache"
    if obstacle == "a file":
        place.write_text("in the way", encoding="utf-8")
    elif obstacle == "others may write":
        (place / "tocsin" / "rules").mkdir(parents=True)
        (place / "tocsin" / "rules").chmod(0o777)
    home = {} if obstacle == "no home" else {"XDG_CACHE_HOME": str(place)}
    assert [*rulebook(folder, home).rule_set.order] == ["marching"]
    assert compiled_again(folder, home)


def test_the_cache_does_not_grow(folder: Path, home: dict[str, str]) -> None:
    """Only the artefacts used last are kept."""
    rulebook(folder, home)
    cache = kept(home)[0].parent
    for number in range(KEPT + 5):
        (cache / f"{number:064}").write_bytes(b"old")
    _append(folder / "marching.yaml")
    rulebook(folder, home)
    assert len(kept(home)) == KEPT


def test_without_any_rule_nothing_is_kept(tmp_path: Path, home: dict[str, str]) -> None:
    """A folder none of whose rules loads is an error each time it is asked for."""
    (tmp_path / "rules").mkdir()
    for _ in range(2):
        with pytest.raises(RuleFaults, match="holds no rule"):
            rulebook(tmp_path / "rules", home)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("The mayor opened a bakery.", id="none of the rules' words"),
        pytest.param("The ministry sent more teachers to the north, and the company moved there.", id="some of them"),
    ],
)
def test_an_article_without_a_signal_needs_no_library(cache: Path, text: str) -> None:
    """Until an article without a signal is dismissed, detection imports neither YAML nor pydantic nor boto3."""
    body = json.dumps(Article("a", text, fresh=True).to_json())
    code = (
        "import os, sys; import handlers.detect; from pathlib import Path; from tocsin.adapters import aws; from tocsin.pipeline import detect\n"
        f"detector = detect.Detector(aws.rule_set(Path(os.environ['TOCSIN_RULES'])), None, None, aws.now, None)\n"
        f"assert detector.take([detect.Sent('1', {body!r})]) == []\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, check=True, env=ENVIRONMENT | {"XDG_CACHE_HOME": str(cache)},
    )  # fmt: skip
    assert {"tocsin", "handlers"} <= {*ran.stdout.split()}
    assert {*ran.stdout.split()} & {"yaml", "pydantic", "boto3", "botocore", "slack_sdk", "feedparser"} == set()


def test_rules_are_read_when_they_are_wanted() -> None:
    """Iterating over the rules, and asking for one from the end, gives them as written."""
    rules = rule_set().rules
    assert [rule.policy.name for rule in rules] == [*rule_set().order]
    assert rules[-1].policy == rule_set().policy(rules[-1].policy.name)
    assert [rule.policy.name for rule in rules[:2]] == [*rule_set().order][:2]


def test_models_are_the_same_from_what_was_kept(folder: Path, home: dict[str, str]) -> None:
    """Read again from what was kept, a folder has the same models, faults with their places, and set; a file that changed is read anew."""
    first, again = models(folder, home), models(folder, home)
    assert (again.models, again.faults, again.used) == (first.models, first.faults, first.used)
    assert again.rule_set.sections["rules"] == first.rule_set.sections["rules"]
    assert detect(again.rule_set, TELLS) == detect(first.rule_set, TELLS)
    (folder / "marching.yaml").write_text(RULE.replace("nouns: [host]", "nouns: [army]"), encoding="utf-8")
    assert models(folder, home).models["marching"].lists["host"].nouns == ["army"]


def test_what_is_kept_of_a_file_and_broken_is_read_anew(folder: Path, home: dict[str, str]) -> None:
    """A kept file that somebody cut off is no harm: the rule file itself is read."""
    first = models(folder, home)
    for path in (Path(home["XDG_CACHE_HOME"]) / "tocsin" / "files").iterdir():
        path.write_bytes(b'{"title": ')
    assert models(folder, home).models == first.models


ALIKE = {
    "marching": (["march"], ["host"], ""),
    "sailing": (["sail"], ["fleet"], ""),
    "driving": (["drive"], ["host", "horse"], ""),
    "sitting": ([], ["host"], "march: {words: [sits still]}"),
    "flying": (["fly"], ["wing"], "host: {any_of: [own]}\n  own: {nouns: [wing]}"),
}
"""Name of a rule → its verbs and nouns, and what it has instead of one of the lists."""


def test_rules_with_forms_alike_hear_their_own_words(folder: Path) -> None:
    """A form that stands in several rules looks in each for the words of that rule's lists, whatever they are called or stand for."""
    for name, (verbs, nouns, instead) in ALIKE.items():
        march, host = f"march: {{verbs: {verbs}}}", f"host: {{nouns: {nouns}}}"
        lists = [one for one in (march, host) if one.partition(":")[0] not in instead.partition("{")[0]]
        text = RULE.replace("name: marching", f"name: {name}").replace("  march: {verbs: [march]}\n  host: {nouns: [host]}\n", "".join(
            f"  {one}\n" for one in [*lists, *filter(None, [instead])]
        ))  # fmt: skip
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    loaded = load(folder)
    said = {
        "Ruritania marched its host to the border.": ["marching"],
        "Ruritania sailed its fleet to the border.": ["sailing"],
        "Ruritania drove its host to the border.": ["driving"],
        "Ruritania drove its horses to the border.": ["driving"],
        "Ruritania sits still, its host at the border.": ["sitting"],
        "Ruritania flew its wing to the border.": ["flying"],
        "Ruritania sailed its host to the border.": [],
        "Ruritania flew its fleet to the border.": [],
    }
    heard = {text: [one.rule for one in detect(loaded.rule_set, Article("a", text))] for text in said}
    assert [fault for fault in loaded.faults if "broken" not in fault.file] == []
    assert heard == said
    assert loaded.again is not None
    assert [loaded.again(loaded.sources[name], loaded.models[name]) for name in ALIKE] == [
        loaded.rule_set.rules[loaded.rule_set.order[name]] for name in ALIKE
    ]
