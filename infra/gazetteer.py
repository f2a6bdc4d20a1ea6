"""Checks the name lists under `rules/lists` against ISO 3166 (pycountry) and the English names of Unicode CLDR (Babel).

The lists are written by hand; this changes nothing. `python -m infra.gazetteer [FOLDER]` prints one complaint a line.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pycountry
from babel import Locale

from tocsin.rule import Name, NamesFile
from tocsin.source import read
from tocsin.text import fold_phrase

FOLDER = Path(__file__).parents[1] / "rules" / "lists"
ROLES = ("names", "adjectives", "people", "short", "seats", "leaders", "forces", "parliaments")
TYPES: Mapping[str, frozenset[str]] = {
    "alliances": frozenset({"alliance", "non-state"}),
    "institutions": frozenset({"military", "government", "intelligence", "research", "international"}),
    "relays": frozenset({"agency", "newspaper", "broadcaster", "state-media"}),
}
"""What `type` may say in the lists that have one."""
DEPENDENCIES = frozenset({
    "AI", "AQ", "AS", "AW", "AX", "BL", "BM", "BQ", "BV", "CC", "CK", "CW", "CX", "FK", "FO",
    "GF", "GG", "GI", "GL", "GP", "GS", "GU", "HK", "HM", "IM", "IO", "JE", "KY", "MF", "MO",
    "MP", "MQ", "MS", "NC", "NF", "NU", "PF", "PM", "PN", "PR", "RE", "SH", "SJ", "SX", "TC",
    "TF", "TK", "UM", "VG", "VI", "WF", "YT",
})  # fmt: skip
"""ISO 3166 codes of what is no state (Antarctica, and territories of other states). They belong into theatres, all others into states."""
UNCODED = frozenset({"kosovo", "soviet-union", "yugoslavia", "czechoslovakia", "east-germany", "west-germany"})
"""States without a code of their own: Kosovo, and those that are no more."""
WITHOUT_ADJECTIVE = frozenset({"dominica", "republic-of-the-congo"})
"""Their adjectives belong to a larger namesake."""
NAMESAKES: Mapping[str, str] = {"CG": "Congo", "JE": "Jersey", "RE": "Réunion"}
"""ISO code → the one of its names that in the news means something else when it stands alone."""

Lists = Mapping[str, tuple[Name, ...]]


@dataclass(frozen=True, slots=True)
class Territory:
    """One entry of ISO 3166 with its English names in ISO and CLDR."""

    code: str
    names: tuple[str, ...]


def load(folder: Path = FOLDER) -> dict[str, tuple[Name, ...]]:
    """The name lists by name; `RuleFaults` when a file is not strict YAML, `ValidationError` when it is no list of names."""
    files = [data for path in sorted(folder.glob("*.yaml")) if (data := read(path).data).get("kind") == "names"]
    lists = [NamesFile.model_validate(data) for data in files]
    return {one.list: tuple(one.entries) for one in lists}


def territories() -> Iterator[Territory]:
    """Every entry of ISO 3166-1 by code, but those that no name tells from a namesake."""
    english = Locale("en").territories
    for country in sorted(pycountry.countries, key=lambda one: one.alpha_2):
        iso = getattr(country, "common_name", country.name)
        official = getattr(country, "official_name", iso)
        # ISO calls Taiwan a province; CLDR's name is the one the news uses
        names = [iso, english[country.alpha_2], *([] if country.alpha_2 == "TW" else [official])]
        straight = dict.fromkeys(map(_straight, names))
        straight.pop(NAMESAKES.get(country.alpha_2, ""), None)
        if straight:
            yield Territory(country.alpha_2, tuple(straight))


def _straight(name: str) -> str:
    """A name as it is spoken: "Iran, Islamic Republic of" is turned round."""
    head, comma, tail = name.partition(", ")
    return f"{tail} {head}" if comma and tail.endswith((" of", " of the")) else name


def complaints(lists: Lists) -> list[str]:
    """What is wrong with the lists, in words an analyst can act on; empty when all is well."""
    found: list[str] = []
    for name, entries in lists.items():
        found += _repeated(name, entries)
    return [*found, *_uncovered(lists), *_incomplete(lists), *_hidden(lists)]


def surfaces(entry: Name) -> Iterator[tuple[str, str]]:
    """Every (role, phrase) of an entry."""
    return ((role, phrase) for role in ROLES for phrase in getattr(entry, role))


def _repeated(name: str, entries: Iterable[Name]) -> Iterator[str]:
    slugs: set[str] = set()
    owners: dict[bytes, str] = {}
    for entry in entries:
        if entry.slug in slugs:
            yield f"{name}: the slug {entry.slug!r} is here twice; join the entries"
        slugs.add(entry.slug)
        for role, phrase in surfaces(entry):
            folded = fold_phrase(phrase)
            if folded in owners:
                yield f"{name}: {phrase!r} ({entry.slug}, {role}) stands under {owners[folded]} already; keep one, or leave both out"
            owners.setdefault(folded, entry.slug)


def _uncovered(lists: Lists) -> Iterator[str]:
    """Each name of ISO and CLDR must be read as one and the same entry, of the right list."""
    places = {slug: state for entry in lists["theatres"] if (slug := entry.slug) and (state := entry.state)}
    known = _known([*lists["states"], *lists["theatres"]])
    states = {entry.slug for entry in lists["states"]}
    coded: set[str] = set()
    for territory in territories():
        read_as = {name: _read_as(name, known, places) for name in territory.names}
        slugs = set().union(*read_as.values())
        if len(slugs) != 1 or not all(read_as.values()):
            yield f"ISO 3166 {territory.code}: its names are read as {read_as}; give one entry all of them"
        elif (territory.code in DEPENDENCIES) == bool(slugs & states):
            yield f"ISO 3166 {territory.code}: {slugs} belongs into the other of states and theatres"
        coded |= slugs
    for slug in sorted(states - coded - UNCODED):
        yield f"states: {slug!r} is no state of ISO 3166; correct the name, or add it to UNCODED with the reason"


def _known(entries: Iterable[Name]) -> dict[bytes, set[str]]:
    known: dict[bytes, set[str]] = defaultdict(set)
    for entry in entries:
        for phrase in (*entry.names, *entry.adjectives):
            known[fold_phrase(phrase)].add(entry.slug)
    return known


def _read_as(name: str, known: Mapping[bytes, set[str]], places: Mapping[str, str]) -> set[str]:
    """The slugs the longest names in `name` stand for; a state that only says whose a place is does not count."""
    words, slugs, at = fold_phrase(name).split(), set[str](), 0
    while at < len(words):
        end = next((end for end in range(len(words), at, -1) if b" ".join(words[at:end]) in known), None)
        slugs |= known[b" ".join(words[at:end])] if end else set()
        at = end or at + 1
    return slugs - {state for slug in slugs if (state := places.get(slug)) and state != slug}


def _incomplete(lists: Lists) -> Iterator[str]:
    states = {entry.slug for entry in lists["states"]}
    for entry in lists["states"]:
        if not entry.adjectives and entry.slug not in WITHOUT_ADJECTIVE:
            yield f"states: {entry.slug!r} has no adjective; add what stands before a noun"
    for name, entries in lists.items():
        for entry in entries:
            if not any(True for _ in surfaces(entry)):
                yield f"{name}: {entry.slug!r} has no name; add one"
            if entry.state and entry.state not in states:
                yield f"{name}: {entry.slug!r} lies in or belongs to {entry.state!r}, which is no slug of states.yaml"
            if name in TYPES and entry.type not in TYPES[name]:
                yield f"{name}: {entry.slug!r} has the type {entry.type!r}; write one of {sorted(TYPES[name])}"


def _hidden(lists: Lists) -> Iterator[str]:
    """The name of an army or ministry that holds its state's name hides the state, so it must stand for the state itself."""
    states = {entry.slug: entry for entry in lists["states"]}
    for body in lists["institutions"]:
        if body.state not in states:
            continue
        owned = [fold_phrase(phrase) for _, phrase in surfaces(states[body.state])]
        for phrase in body.names:
            folded = fold_phrase(phrase)
            if _acts(folded) and folded not in owned and any(_holds(folded, name) for name in owned):
                yield f"states: add {phrase!r} to the forces of {body.state!r}; institutions.yaml hides the state behind it"


_ACTING = frozenset({b"military", b"army", b"navy", b"junta", b"armed", b"defence", b"defense"})
_SPEAKING = frozenset(
    {b"official", b"officials", b"intelligence", b"agency", b"spokesman", b"spokesperson", b"blogger", b"bloggers"}
)


def _acts(folded: bytes) -> bool:
    """Whether a body's name is that of one who moves troops, and not only speaks."""
    words = set(folded.split())
    return bool(words & _ACTING) and not words & _SPEAKING


def _holds(phrase: bytes, name: bytes) -> bool:
    return b" " + name + b" " in b" " + phrase + b" "


def main(arguments: list[str]) -> int:
    """Prints the complaints; 1 when there are any."""
    lists = load(Path(arguments[0]) if arguments else FOLDER)
    found = complaints(lists)
    counts = ", ".join(f"{len(entries)} {name}" for name, entries in lists.items())
    sys.stdout.write("".join(f"{line}\n" for line in found) or f"{counts}: all is well\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
