"""Sums of money and percentages: found in a text, and compared by a rule's forms."""

from __future__ import annotations

from pathlib import Path

import pytest

from tocsin.article import Article
from tocsin.compiled import RuleSet
from tocsin.match import findings, read
from tocsin.rules import load

LISTS = """
kind: words
lists:
  amount: {words: [billions]}
  percent: {words: [several percent]}
  figure: {words: [a figure]}
  fleet: {nouns: [fleet]}
"""
NAMES = """
list: realms
kind: names
entries:
  - {slug: ruritania, name: Ruritania, names: [Ruritania, US]}
"""
RULE = """
title: Money for the fleet
id: 5b0c1c76-3f0a-4f8e-9d0c-1f2e3d4c5b6a
name: fleet-money
status: test
level: {planned: low, preparing: low, imminent: low, done: low}
description: More money.
forms:
  - {form: "<fleet> ..9 <amount> ..6 against ..4 <amount>", amounts: falling, without: []}
  - {form: "<fleet> ..6 from <figure> to <amount>", amounts: rising}
  - {form: "last year ..5 <amount>", amounts: below-told, told: [fleet]}
who: {from: [realms]}
story: {same: [who], quiet_for: 30d}
"""


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> RuleSet:
    """A rule set that compares sums."""
    folder: Path = tmp_path_factory.mktemp("rules")
    (folder / "lists").mkdir()
    (folder / "lists" / "words.yaml").write_text(LISTS, encoding="utf-8")
    (folder / "lists" / "realms.yaml").write_text(NAMES, encoding="utf-8")
    (folder / "fleet-money.yaml").write_text(RULE, encoding="utf-8")
    loaded = load(folder)
    assert not loaded.faults
    return loaded.rule_set


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        pytest.param("It gets 3.92 trillion yen.", "amount", 3.92e12, id="decimals, scale, currency"),
        pytest.param("Rs 41,200 crore", "amount", 4.12e11, id="thousands and crore"),
        pytest.param("Rs 7.85 lakh crore", "amount", 7.85e12, id="two scales"),
        pytest.param("an extra $48bn", "amount", 48e9, id="a glued scale"),
        pytest.param("Rs2.12tr set aside", "amount", 2.12e12, id="a currency and a scale, both glued"),
        pytest.param("Rs545bn, up 10%", "amount", 545e9, id="a currency and a scale on one number"),
        pytest.param("P10 billion more", "amount", 10e9, id="pesos"),
        pytest.param("N1.38 trillion", "amount", 1.38e12, id="a glued currency"),
        pytest.param("nine trillion yen", "amount", 9e12, id="a number word"),
        pytest.param("half a billion euros", "amount", 5e8, id="half a billion"),
        pytest.param("a 25-billion-peso list", "amount", 25e9, id="hyphens"),
        pytest.param("a dividend of 40 euros", "amount", 40, id="no scale but a currency"),
        pytest.param("up 7.4% on-year", "percent", 7.4, id="a percent sign"),
        pytest.param("5.9 pct above", "percent", 5.9, id="pct"),
        pytest.param("two and a half per cent", "percent", 2.5, id="percent in words"),
        pytest.param("0.3 percentage points", "percent", 0.3, id="percentage points"),
        pytest.param("120 m long", "figure", 120, id="metres are no money"),
        pytest.param("an army of 1.5 million men", "figure", 1.5e6, id="men are no money"),
    ],
)
def test_a_sum_is_found_with_its_value(rules: RuleSet, text: str, kind: str, value: float) -> None:
    """Each way of printing money or a percentage is one hit of its list, with its value."""
    (page,) = read(rules, Article(id="one", text=text))
    values = [page.value(hit) for hit in page.hits if rules.names.get(hit.lexeme.list) == kind]
    assert any(found == pytest.approx(value) for found in values)


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        pytest.param("The fleet gets 40 billion, against 34 billion in the last year.", True, id="more than before"),
        pytest.param("The fleet gets 34 billion, against 40 billion in the last year.", False, id="less than before"),
        pytest.param("The fleet goes from 34 to 40 billion.", True, id="a bare figure takes the other's scale"),
        pytest.param("The fleet goes from 40 to 34 billion.", False, id="a bare figure that is more"),
        pytest.param("The fleet gets 40 billion. Last year it got 34 billion.", True, id="below the sum just told"),
        pytest.param("The fleet gets 34 billion. Last year it got 40 billion.", False, id="above the sum just told"),
        pytest.param("Roads get 40 billion. Last year it was 34 billion.", False, id="told of something else"),
    ],
)
def test_forms_compare_sums(rules: RuleSet, text: str, *, counts: bool) -> None:
    """A form with `amounts` counts only where its sums compare as it says."""
    pages = read(rules, Article(id="one", text=text))
    assert any(not finding.lacking for finding in findings(rules, rules.rules[0], pages)) is counts


def test_a_currency_names_no_state(rules: RuleSet) -> None:
    """The letters before a dollar sign belong to the sum."""
    (page,) = read(rules, Article(id="one", text="It costs US$40 billion."))
    assert not any(hit.lexeme.slug for hit in page.hits)
