"""English inflection for the words analysts write in lists: regular endings and a table of irregular words."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal

Tag = Literal["base", "s", "ing", "past", "part", "word", "plural", "bare"]
"""How a form stands to its entry: verb base, third person, -ing, past, participle; a word as written; a plural;
a base form that is the past as well ("put")."""

_PAST = {
    "beget": "begot", "bleed": "bled", "breed": "bred", "bring": "brought", "build": "built", "buy": "bought",
    "cut": "cut", "dig": "dug", "feed": "fed", "fight": "fought", "find": "found",
    "flee": "fled", "get": "got", "have": "had", "hear": "heard", "hit": "hit", "hold": "held",
    "keep": "kept", "lay": "laid", "lead": "led", "leave": "left", "let": "let", "lose": "lost",
    "make": "made", "mean": "meant", "meet": "met", "offset": "offset", "pay": "paid",
    "put": "put", "quit": "quit", "read": "read", "rebuild": "rebuilt", "say": "said",
    "seek": "sought", "sell": "sold", "send": "sent", "set": "set", "shed": "shed", "shoot": "shot", "shut": "shut",
    "sit": "sat", "slide": "slid", "sling": "slung", "speed": "sped", "spend": "spent",
    "split": "split", "spread": "spread", "stand": "stood", "stick": "stuck", "strike": "struck", "swing": "swung",
    "tell": "told", "think": "thought", "understand": "understood", "upset": "upset",
    "wed": "wed", "win": "won", "wind": "wound",
}  # fmt: skip
_SPLIT_PAST = {  # past and participle differ
    "arise": ("arose", "arisen"), "become": ("became", "become"), "begin": ("began", "begun"),
    "break": ("broke", "broken"), "choose": ("chose", "chosen"), "come": ("came", "come"), "do": ("did", "done"),
    "draw": ("drew", "drawn"), "drive": ("drove", "driven"), "eat": ("ate", "eaten"), "fall": ("fell", "fallen"),
    "fly": ("flew", "flown"), "forbid": ("forbade", "forbidden"), "foresee": ("foresaw", "foreseen"),
    "freeze": ("froze", "frozen"), "give": ("gave", "given"), "go": ("went", "gone"), "grow": ("grew", "grown"),
    "hide": ("hid", "hidden"), "know": ("knew", "known"), "mow": ("mowed", "mown"),
    "outgrow": ("outgrew", "outgrown"), "overcome": ("overcame", "overcome"), "overrun": ("overran", "overrun"),
    "overtake": ("overtook", "overtaken"), "overthrow": ("overthrew", "overthrown"), "retake": ("retook", "retaken"),
    "rewrite": ("rewrote", "rewritten"), "ring": ("rang", "rung"), "ride": ("rode", "ridden"), "rise": ("rose", "risen"), "run": ("ran", "run"),
    "see": ("saw", "seen"), "show": ("showed", "shown"), "shrink": ("shrank", "shrunk"), "sink": ("sank", "sunk"),
    "speak": ("spoke", "spoken"), "steal": ("stole", "stolen"), "strive": ("strove", "striven"),
    "swear": ("swore", "sworn"), "take": ("took", "taken"), "tear": ("tore", "torn"), "throw": ("threw", "thrown"),
    "undergo": ("underwent", "undergone"), "undertake": ("undertook", "undertaken"), "wake": ("woke", "woken"),
    "wear": ("wore", "worn"), "withdraw": ("withdrew", "withdrawn"), "write": ("wrote", "written"),
}  # fmt: skip
_BOTH = frozenset({  # also spelled with one l
    "cancel", "counsel", "dial", "fuel", "funnel", "label", "level", "marshal", "model", "pencil", "refuel", "signal", "travel",
    "tunnel",
})  # fmt: skip
_DOUBLING = frozenset({  # stressed on the last of several syllables
    "admit", "airdrop", "allot", "begin", "commit", "compel", "control", "defer", "deter", "equip", "expel", "forbid",
    "incur", "occur", "offset", "omit", "outfit", "patrol", "permit", "prefer", "propel", "quit", "rebel", "recur",
    "refer", "repel", "reset", "submit", "transfer", "upset",
})  # fmt: skip
_PLURALS = {
    "aircraft": "aircraft", "barracks": "barracks", "cargo": "cargoes", "cavalry": "cavalry", "child": "children",
    "corps": "corps", "embargo": "embargoes", "half": "halves", "headquarters": "headquarters", "hero": "heroes",
    "infantry": "infantry", "knife": "knives", "leaf": "leaves", "life": "lives", "means": "means",
    "person": "people", "personnel": "personnel", "series": "series", "shelf": "shelves", "spacecraft": "spacecraft",
    "species": "species", "thief": "thieves", "tornado": "tornadoes", "torpedo": "torpedoes", "veto": "vetoes",
    "volcano": "volcanoes", "wife": "wives", "wolf": "wolves",
}  # fmt: skip
_MAN = frozenset({"human", "german", "roman", "norman", "ottoman", "talisman", "shaman"})
_BE: dict[str, Tag] = {
    "be": "base", "is": "s", "are": "s", "am": "s", "being": "ing", "was": "past", "were": "past", "been": "part",
}  # fmt: skip
_VOWELS = "aeiou"


@cache
def verb_forms(verb: str) -> Mapping[str, Tag]:
    """Every form of a verb or phrasal verb ("beef up", "test-fire"): surface form → tag. Its first word is inflected."""
    head, _, rest = verb.partition(" ")
    prefix, hyphen, stem = head.rpartition("-")
    tail = f" {rest}" if rest else ""
    return {f"{prefix}{hyphen}{form}{tail}": tag for form, tag in _inflected(stem).items()}


def _inflected(verb: str) -> dict[str, Tag]:
    if verb == "be":
        return dict(_BE)
    forms: dict[str, Tag] = {verb: "base", _third(verb): "s", _ing(verb): "ing"}
    if verb in _BOTH:
        forms |= {f"{verb}ling": "ing", f"{verb}led": "past"}
    past, part = _SPLIT_PAST.get(verb) or (_past(verb), "")
    if past == verb:
        forms[verb] = "bare"
    forms.setdefault(past, "past")
    if part:
        forms.setdefault(part, "part")
    return forms


@cache
def noun_forms(noun: str) -> Mapping[str, Tag]:
    """A noun and its plural; of a compound ("advance party") the last word changes."""
    head, space, last = noun.rpartition(" ")
    return {noun: "word", f"{head}{space}{_plural(last)}": "plural"}


def _third(verb: str) -> str:
    if verb == "have":
        return "has"
    if verb.endswith(("s", "x", "z", "ch", "sh", "o")):
        return verb + "es"
    if verb.endswith("y") and verb[-2:-1] not in _VOWELS:
        return verb[:-1] + "ies"
    return verb + "s"


def _ing(verb: str) -> str:
    if verb.endswith("ie"):
        return verb[:-2] + "ying"
    if verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")):
        return verb[:-1] + "ing"
    return (verb + verb[-1] if _doubles(verb) else verb) + "ing"


def _past(verb: str) -> str:
    if verb in _PAST:
        return _PAST[verb]
    if verb.endswith("e"):
        return verb + "d"
    if verb.endswith("y") and verb[-2:-1] not in _VOWELS:
        return verb[:-1] + "ied"
    return (verb + verb[-1] if _doubles(verb) else verb) + "ed"


def _doubles(verb: str) -> bool:
    if verb in _DOUBLING:
        return True
    one_syllable = sum(letter in _VOWELS for letter in verb) == 1
    return one_syllable and verb[-1] not in _VOWELS + "wxy" and verb[-2:-1] in _VOWELS


def _plural(noun: str) -> str:
    if noun in _PLURALS:
        return _PLURALS[noun]
    if noun.endswith("man") and noun.lower() not in _MAN:
        return noun[:-3] + "men"
    if noun.endswith("sis"):
        return noun[:-2] + "es"
    if noun.endswith(("s", "x", "z", "ch", "sh")):
        return noun + "es"
    if noun.endswith("y") and noun[-2:-1] not in _VOWELS:
        return noun[:-1] + "ies"
    return noun + "s"


@cache
def _irregular() -> Mapping[str, str]:
    past = {form: verb for verb, form in _PAST.items()}
    split = {form: verb for verb, forms in _SPLIT_PAST.items() for form in forms}
    return {**past, **split}


def irregular_verb(form: str) -> str:
    """The verb of which this is an irregular past or participle: lay for laid; empty where it is none."""
    return _irregular().get(form, "")
