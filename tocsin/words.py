"""English inflection for the words analysts write in lists: regular endings and a table of irregular words."""

from __future__ import annotations

from typing import Literal

Tag = Literal["base", "s", "ing", "past", "part", "word", "plural"]
"""How a surface form stands to its entry: verb base, third person, -ing, past, participle; a word as written; a plural."""

_PAST = {
    "send": "sent", "put": "put", "bring": "brought", "build": "built", "rebuild": "rebuilt", "spend": "spent", "keep": "kept",
    "lead": "led", "leave": "left", "set": "set", "hold": "held", "make": "made", "find": "found", "have": "had", "say": "said",
    "tell": "told", "think": "thought", "buy": "bought", "lay": "laid", "let": "let", "get": "got", "hit": "hit", "cut": "cut",
    "shoot": "shot", "win": "won", "stand": "stood", "understand": "understood", "read": "read", "feed": "fed", "pay": "paid",
    "meet": "met", "sell": "sold", "seek": "sought", "sit": "sat", "lose": "lost", "strike": "struck", "swing": "swung",
    "fight": "fought", "spread": "spread", "hear": "heard", "mean": "meant", "ship": "shipped", "transfer": "transferred",
    "commit": "committed", "step": "stepped", "plan": "planned", "bump": "bumped", "top": "topped", "step up": "stepped up",
    "map": "mapped", "permit": "permitted", "admit": "admitted", "ban": "banned", "pin": "pinned", "quit": "quit", "swap": "swapped",
    "drop": "dropped", "stop": "stopped", "prefer": "preferred", "refer": "referred", "defer": "deferred", "airlift": "airlifted",
    "ready": "readied", "sealift": "sealifted", "flood": "flooded", "split": "split", "shed": "shed", "beget": "begot", "slip": "slipped",
    "upset": "upset", "prop": "propped", "equip": "equipped", "begin": "began", "scrap": "scrapped", "ferry": "ferried",
    "travel": "travelled", "shut": "shut", "bar": "barred", "patrol": "patrolled", "double": "doubled", "offset": "offset",
    "wed": "wed", "leap": "leaped", "label": "labelled", "fuel": "fuelled", "refuel": "refuelled", "marshal": "marshalled", "cancel": "cancelled", "signal": "signalled", "pour": "poured", "near": "neared",
}  # fmt: skip
_SPLIT_PAST = {  # past and participle differ
    "go": ("went", "gone"), "fly": ("flew", "flown"), "see": ("saw", "seen"), "give": ("gave", "given"), "take": ("took", "taken"),
    "rise": ("rose", "risen"), "grow": ("grew", "grown"), "come": ("came", "come"), "do": ("did", "done"), "be": ("was", "been"),
    "show": ("showed", "shown"), "know": ("knew", "known"), "write": ("wrote", "written"), "draw": ("drew", "drawn"),
    "withdraw": ("withdrew", "withdrawn"), "drive": ("drove", "driven"), "begin": ("began", "begun"), "throw": ("threw", "thrown"),
    "break": ("broke", "broken"), "choose": ("chose", "chosen"), "speak": ("spoke", "spoken"), "fall": ("fell", "fallen"),
    "undergo": ("underwent", "undergone"), "undertake": ("undertook", "undertaken"), "mow": ("mowed", "mown"), "foresee": ("foresaw", "foreseen"),
    "overtake": ("overtook", "overtaken"), "steal": ("stole", "stolen"), "arise": ("arose", "arisen"), "become": ("became", "become"), "run": ("ran", "run"), "forbid": ("forbade", "forbidden"),
}  # fmt: skip
_BOTH = {"fuel", "refuel", "travel", "marshal", "cancel", "signal", "label"}  # also spelled with one l
_DOUBLING = {"transfer", "commit", "permit", "admit", "prefer", "refer", "defer", "equip", "begin", "patrol", "forbid"}
_NO_DOUBLING = {"beef", "near", "steam", "sail", "pour", "airlift", "flow", "fix", "tow", "show", "draw", "grow", "slow", "follow", "know", "throw", "mow", "vow", "row", "tax", "mix", "box", "lay", "say", "pay", "stay", "play", "buy"}
_PLURALS = {"man": "men", "serviceman": "servicemen", "woman": "women", "servicewoman": "servicewomen", "child": "children", "person": "people",
            "airman": "airmen", "infantryman": "infantrymen", "guardsman": "guardsmen", "rifleman": "riflemen", "aircraft": "aircraft", "spacecraft": "spacecraft",
            "corps": "corps", "personnel": "personnel", "infantry": "infantry", "cavalry": "cavalry", "headquarters": "headquarters", "series": "series"}  # fmt: skip
_VOWELS = "aeiou"


def verb_forms(verb: str) -> dict[str, Tag]:
    """Every form of a verb or phrasal verb ("beef up"): surface form → tag. The first word carries the ending."""
    head, _, rest = verb.partition(" ")
    tail = f" {rest}" if rest else ""
    forms: dict[str, Tag] = {head: "base", _third(head): "s", _ing(head): "ing"}
    if head in _BOTH:
        forms |= {f"{head}ing": "ing", f"{head}ed": "past", f"{head}led": "past", f"{head}ling": "ing"}
    if head in _SPLIT_PAST:
        past, part = _SPLIT_PAST[head]
        forms.setdefault(past, "past")
        forms.setdefault(part, "part")
    else:
        forms.setdefault(_past(head), "past")
    if head == "be":
        forms = {"be": "base", "is": "s", "are": "s", "am": "s", "being": "ing", "was": "past", "were": "past", "been": "part"}
    return {form + tail: tag for form, tag in forms.items()}


def noun_forms(noun: str) -> dict[str, Tag]:
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
    if verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")) and len(verb) > 2:
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
    if verb in _NO_DOUBLING or len(verb) < 3:
        return False
    one_syllable = sum(letter in _VOWELS for letter in verb) == 1
    return one_syllable and verb[-1] not in _VOWELS + "wxy" and verb[-2] in _VOWELS


def _plural(noun: str) -> str:
    if noun in _PLURALS:
        return _PLURALS[noun]
    if noun.endswith(("s", "x", "z", "ch", "sh")):
        return noun + "es"
    if noun.endswith("y") and noun[-2:-1] not in _VOWELS:
        return noun[:-1] + "ies"
    return noun + "s"
