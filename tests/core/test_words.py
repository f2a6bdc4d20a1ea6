"""English inflection of the words in lists."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tocsin.words import noun_forms, verb_forms

WORD = some.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("verb", "forms"),
    [
        pytest.param("deploy", "deploy deploys deploying deployed", id="vowel before y"),
        pytest.param("carry", "carry carries carrying carried", id="consonant before y"),
        pytest.param("dispatch", "dispatch dispatches dispatching dispatched", id="ch"),
        pytest.param("prepare", "prepare prepares preparing prepared", id="silent e"),
        pytest.param("agree", "agree agrees agreeing agreed", id="double e"),
        pytest.param("ship", "ship ships shipping shipped", id="doubled consonant"),
        pytest.param("fix", "fix fixes fixing fixed", id="x is not doubled"),
        pytest.param("station", "station stations stationing stationed", id="several syllables"),
        pytest.param("commit", "commit commits committing committed", id="stress on the last"),
        pytest.param("airdrop", "airdrop airdrops airdropping airdropped", id="compound"),
        pytest.param("quit", "quit quits quitting", id="u is no vowel after q"),
        pytest.param("up", "up ups upping upped", id="two letters"),
        pytest.param("travel", "travel travels traveling travelling traveled travelled", id="both spellings"),
        pytest.param("send", "send sends sending sent", id="irregular"),
        pytest.param("put", "put puts putting", id="past like the base"),
        pytest.param("fly", "fly flies flying flew flown", id="participle of its own"),
        pytest.param("freeze", "freeze freezes freezing froze frozen", id="irregular with silent e"),
        pytest.param("go", "go goes going went gone", id="o"),
        pytest.param("have", "have has having had", id="have"),
        pytest.param("be", "be is are am being was were been", id="be"),
        pytest.param("lie", "lie lies lying lied", id="ie"),
        pytest.param("beef up", "beef up,beefs up,beefing up,beefed up", id="phrasal"),
        pytest.param("be put ashore", "be,is,are,am,being,was,were,been", id="phrasal be"),
        pytest.param("test-fire", "test-fire test-fires test-firing test-fired", id="hyphen"),
        pytest.param("test-fly", "test-fly test-flies test-flying test-flew test-flown", id="irregular after a hyphen"),
    ],
)
def test_a_verb_is_known_in_every_form(verb: str, forms: str) -> None:
    """An analyst writes the base form; the others are recognised, and no form that English does not have."""
    expected = set(forms.split("," if "," in forms else " "))
    if verb == "be put ashore":
        expected = {f"{form} put ashore" for form in expected}
    assert set(verb_forms(verb)) == expected


@pytest.mark.parametrize(
    ("form", "tag"),
    [("go", "base"), ("goes", "s"), ("going", "ing"), ("went", "past"), ("gone", "part")],
)
def test_each_form_of_a_verb_is_told_apart(form: str, tag: str) -> None:
    """What has been done is told from what is being done by the form of the verb."""
    assert verb_forms("go")[form] == tag


@pytest.mark.parametrize(
    ("noun", "plural"),
    [
        pytest.param("soldier", "soldiers", id="s"),
        pytest.param("batch", "batches", id="es"),
        pytest.param("army", "armies", id="ies"),
        pytest.param("convoy", "convoys", id="vowel before y"),
        pytest.param("serviceman", "servicemen", id="men"),
        pytest.param("servicewoman", "servicewomen", id="women"),
        pytest.param("policeman", "policemen", id="any kind of men"),
        pytest.param("German", "Germans", id="no kind of men"),
        pytest.param("aircraft", "aircraft", id="no plural"),
        pytest.param("crisis", "crises", id="sis"),
        pytest.param("torpedo", "torpedoes", id="oes"),
        pytest.param("advance party", "advance parties", id="compound"),
        pytest.param("ICBM", "ICBMs", id="letters"),
    ],
)
def test_a_noun_is_known_in_the_plural(noun: str, plural: str) -> None:
    """An analyst writes the singular; the plural is recognised."""
    assert list(noun_forms(noun)) == list(dict.fromkeys([noun, plural]))


@given(WORD)
def test_any_word_can_be_a_verb(word: str) -> None:
    """No word an analyst may write breaks the inflection, and its own form is always among the others."""
    assert word in verb_forms(word)


@given(WORD, WORD)
def test_any_words_can_be_a_noun(first: str, last: str) -> None:
    """A compound keeps its first word in the plural."""
    assert all(form.startswith(f"{first} ") for form in noun_forms(f"{first} {last}"))
