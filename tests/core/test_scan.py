"""What of the name lists counts in an article."""

from __future__ import annotations

from pathlib import Path

import pytest

from tocsin.article import Article
from tocsin.compiled import RuleSet
from tocsin.match import read
from tocsin.rules import load

NAMES = """
list: desks
kind: names
entries:
  - {slug: harbour-desk, name: Harbour Desk, names: [Harbour Desk], short: [HD], state: ruritania}
  - {slug: heron-daily, name: Heron Daily, names: [Heron Daily], short: [HD]}
  - {slug: ruritania, name: Ruritania, names: [Ruritania], short: [the Isle]}
"""


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> RuleSet:
    """A rule set that knows two bodies with one acronym, and the state one of them belongs to."""
    folder: Path = tmp_path_factory.mktemp("rules")
    (folder / "lists").mkdir()
    (folder / "lists" / "desks.yaml").write_text(NAMES, encoding="utf-8")
    return load(folder).rule_set


@pytest.mark.parametrize(
    ("title", "text", "named"),
    [
        pytest.param("", "The HD said so.", set(), id="nobody named in full"),
        pytest.param("", "Heron Daily (HD) said so. HD said more.", {"heron-daily"}, id="named in full beside it"),
        pytest.param("Heron Daily looks on", "The HD said so.", {"heron-daily"}, id="named in full in the headline"),
        pytest.param("", "In Ruritania the HD said so.", {"harbour-desk"}, id="its state named in full"),
        pytest.param("", "Ships left the Isle.", set(), id="a state by its short name alone"),
        pytest.param("", "Ships left the Isle. Ruritania was calm.", {"ruritania"}, id="a state named in full later"),
    ],
)
def test_a_short_name_counts_only_beside_the_full_one(desks: RuleSet, title: str, text: str, named: set[str]) -> None:
    """A short name means its entry only where the article names that entry, or the state it belongs to, in full."""
    pages = read(desks, Article("a", text, title))
    shorts = {hit.lexeme.slug for page in pages for hit in page.hits if hit.lexeme.tag == "short"}
    assert shorts == named
