"""The name lists under `rules/lists` are complete, unambiguous and plain YAML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from infra import gazetteer
from tocsin.rule import Name
from tocsin.text import fold_phrase

Lists = Mapping[str, tuple[Name, ...]]


@pytest.fixture(scope="module")
def lists() -> Lists:
    """The shipped lists."""
    return gazetteer.load()


@pytest.fixture(scope="module")
def meanings(lists: Lists) -> Mapping[bytes, str]:
    """What each name of states.yaml means."""
    return {fold_phrase(phrase): entry.slug for entry in lists["states"] for _, phrase in gazetteer.surfaces(entry)}


def _added(lists: Lists, name: str, entry: Name) -> Lists:
    return {**lists, name: (*lists[name], entry)}


def _without(lists: Lists, name: str, slug: str) -> Lists:
    return {**lists, name: tuple(entry for entry in lists[name] if entry.slug != slug)}


def _replaced(lists: Lists, name: str, slug: str, **update: object) -> Lists:
    entries = (entry.model_copy(update=update) if entry.slug == slug else entry for entry in lists[name])
    return {**lists, name: tuple(entries)}


def test_shipped_lists_are_sound(lists: Lists) -> None:
    """Every ISO 3166 entry under every name CLDR and ISO give it is covered, and no name stands for two entries of a list."""
    assert gazetteer.complaints(lists) == []


@pytest.mark.parametrize("name", ["states", "alliances", "theatres", "institutions", "relays"])
def test_every_list_is_there(lists: Lists, name: str) -> None:
    """The five name lists exist and hold entries."""
    assert lists[name]


def _broken(lists: Lists) -> Iterator[tuple[str, Lists, str]]:
    north = next(entry for entry in lists["states"] if entry.slug == "north-korea")
    invented = Name(slug="ruritania", name="Ruritania", names=["Ruritania"], adjectives=["Ruritanian"])
    academy = {"state": "france", "names": ["French Defense Academy"]}
    yield "state missing", _without(lists, "states", "kenya"), "ISO 3166 KE"
    yield "read as its neighbour", _replaced(lists, "states", "guinea-bissau", names=["Bissau"]), "ISO 3166 GW"
    yield "dependency missing", _without(lists, "theatres", "bermuda"), "ISO 3166 BM"
    yield "state that never was", _added(lists, "states", invented), "'ruritania' is no state"
    yield "entry twice", _added(lists, "states", north), "slug 'north-korea' is here twice"
    yield "name of two states", _replaced(lists, "states", "nepal", seats=["Seoul"]), "'Seoul' (nepal, seats)"
    yield "no adjective", _replaced(lists, "states", "nepal", adjectives=[]), "'nepal' has no adjective"
    yield "no name", _replaced(lists, "relays", "reuters", names=[]), "'reuters' has no name"
    yield "unknown state", _replaced(lists, "theatres", "guam", state="atlantis"), "'atlantis', which is no slug"
    yield "unknown type", _replaced(lists, "relays", "reuters", type="blog"), "'reuters' has the type 'blog'"
    yield "ministry hides its state", _replaced(lists, "institutions", "iaea", **academy), "the forces of 'france'"


def test_each_fault_is_told(lists: Lists) -> None:
    """A list with a fault gets a complaint that names the entry and the fault."""
    for what, broken, complaint in _broken(lists):
        assert any(complaint in line for line in gazetteer.complaints(broken)), what


@pytest.mark.parametrize(
    ("phrase", "slug"),
    [
        ("N. Korea", "north-korea"), ("DPRK", "north-korea"), ("Kim Jong Un", "north-korea"), ("Pyongyang", "north-korea"),
        ("Kim Yong-hyun", "south-korea"), ("U.S.", "united-states"), ("Pentagon", "united-states"), ("Kremlin", "russia"),
        ("Türkiye", "turkey"), ("Myanmar", "myanmar"), ("Burma", "myanmar"), ("Zaire", "democratic-republic-of-the-congo"),
        ("Downing Street", "united-kingdom"), ("Zelenskyy", "ukraine"), ("Zelenskiy", "ukraine"), ("Soviet", "soviet-union"),
        ("Rwandan", "rwanda"), ("South Sudanese", "south-sudan"), ("Knesset", "israel"), ("House", "united-states"),
        ("Élysée", "france"), ("RDF", "rwanda"), ("Ivorian", "ivory-coast"), ("People's Liberation Army", "china"),
    ],
)  # fmt: skip
def test_names_the_news_uses(meanings: Mapping[bytes, str], phrase: str, slug: str) -> None:
    """Wire-copy spellings, adjectives, seats, leaders and forces are read as their state."""
    assert meanings.get(fold_phrase(phrase)) == slug


@pytest.mark.parametrize(
    "phrase", ["Korea", "Korean", "Brussels", "Ministry of Defense", "National Assembly", "Jersey"]
)
def test_ambiguous_names_are_left_out(meanings: Mapping[bytes, str], phrase: str) -> None:
    """A name that may mean two states or none is no state's name."""
    assert fold_phrase(phrase) not in meanings


def test_a_newspaper_hides_its_town(lists: Lists) -> None:
    """Papers, seas and straits named after a state or capital are names of their own, longer than the state's."""
    names = {fold_phrase(phrase) for name in ("relays", "theatres") for entry in lists[name] for phrase in entry.names}
    hiding = [
        "Kyiv Independent",
        "Washington Post",
        "Jerusalem Post",
        "Moscow Times",
        "Korea Times",
        "South China Sea",
        "Sea of Japan",
        "New York",
    ]
    assert [phrase for phrase in hiding if fold_phrase(phrase) not in names] == []
