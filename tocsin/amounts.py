"""Sums of money and percentages as they stand in a text: "3.92 trillion yen", "Rs 7.85 lakh crore", "$48bn", "7.4%", "two and a half percent".

No list can hold them, so the scan finds them by these words. Their value decides whether one of two is the greater.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

Kind = Literal["amount", "percent", "figure"]

_SCALES = {
    "thousand": 1e3, "lakh": 1e5, "lakhs": 1e5, "million": 1e6, "millions": 1e6, "mln": 1e6, "mn": 1e6, "m": 1e6, "crore": 1e7, "crores": 1e7,
    "billion": 1e9, "billions": 1e9, "bn": 1e9, "bln": 1e9, "b": 1e9, "milliard": 1e9, "trillion": 1e12, "trillions": 1e12, "tn": 1e12, "trn": 1e12,
    "tln": 1e12, "tr": 1e12, "t": 1e12,
}  # fmt: skip
_LARGE = 1e5
_DIGITS = 40
"""Digits of a number that are read."""
_ALONE = frozenset({"m", "b", "t", "tr"})
"""Scales that count only where they are glued to the number or the sum has a currency."""
_CURRENCIES = frozenset({
    "dollar", "dollars", "dlr", "dlrs", "euro", "euros", "pound", "pounds", "stg", "sterling", "yen", "yuan", "renminbi", "won", "ruble", "rubles",
    "rouble", "roubles", "rupee", "rupees", "taka", "rupiah", "ringgit", "baht", "peso", "pesos", "dong", "kyat", "mark", "marks", "franc", "francs",
    "lira", "liras", "lire", "guilder", "guilders", "schilling", "schillings", "peseta", "pesetas", "escudos", "drachma", "drachmas", "krone", "kroner",
    "krona", "kronor", "kroon", "kroons", "koruna", "korunas", "crown", "crowns", "zloty", "zlotys", "zlotych", "forint", "forints", "leu", "lei", "lev",
    "leva", "lats", "litas", "litai", "hryvnia", "hryvnias", "hryvnya", "tenge", "som", "soms", "manat", "manats", "dram", "drams", "lari", "laris",
    "dinar", "dinars", "dirham", "dirhams", "riyal", "riyals", "rial", "rials", "toman", "tomans", "shekel", "shekels", "birr", "nakfa", "naira",
    "cedi", "cedis", "shilling", "shillings", "rand", "kwacha", "kwanza", "kwanzas", "pula", "real", "reais", "reals", "bolivar", "bolivars", "sol",
    "soles", "afghani", "afghanis", "tugrik", "kuna", "denars", "leks",
})  # fmt: skip
_CODES = frozenset({
    "usd", "us", "eur", "gbp", "jpy", "krw", "rmb", "cny", "twd", "nt", "aud", "cad", "nzd", "sgd", "hkd", "rs", "inr", "pkr", "lkr", "bdt", "tk", "idr",
    "php", "p", "rm", "thb", "vnd",
    "chf", "sfr", "sek", "nok", "dkk", "czk", "pln", "huf", "ron", "bgn", "uah", "rub", "kzt", "azn", "amd", "gel", "try", "nis",
    "ils", "egp", "sar", "aed", "dzd", "mad", "etb", "ngn", "n", "kes", "ksh", "shs", "sh", "ush", "ugx", "tsh", "zar", "cfa", "brl", "cop", "dm", "mxn",
})  # fmt: skip
_SIGNS = frozenset("$€£¥₹₩₽₺₪₦₱฿₴₸")
_COUNTED = frozenset({
    "men", "women", "people", "persons", "troops", "soldiers", "personnel", "reservists", "recruits", "conscripts", "volunteers", "fighters", "servicemen",
    "jobs", "workers", "employees", "civilians", "refugees", "residents", "citizens", "voters", "votes", "signatures", "visitors", "tons", "tonnes", "barrels",
    "hectares", "acres", "miles", "kilometers", "kilometres", "shells", "rounds", "drones", "mines", "rifles", "copies", "doses", "hours", "times", "years",
    "households", "homes", "families", "children", "square", "cubic", "strong", "man", "member", "members",
})  # fmt: skip
"""What a large number without a currency is of, where it is no money."""
_PERCENTS = frozenset({"percent", "pct", "pc"})
_WORDS = {
    "one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0, "seven": 7.0, "eight": 8.0, "nine": 9.0, "ten": 10.0, "eleven": 11.0,
    "twelve": 12.0, "thirteen": 13.0, "fourteen": 14.0, "fifteen": 15.0, "sixteen": 16.0, "seventeen": 17.0, "eighteen": 18.0, "nineteen": 19.0,
    "twenty": 20.0, "thirty": 30.0, "forty": 40.0, "fifty": 50.0, "sixty": 60.0, "seventy": 70.0, "eighty": 80.0, "ninety": 90.0, "hundred": 100.0,
}  # fmt: skip

NUMERALS = frozenset({*_WORDS, *(scale for scale, value in _SCALES.items() if value >= _LARGE)})
"""Words without which, or digits, a sentence holds no number."""
Gap = Callable[[int], str]
"""What stands in the original before a word."""


def amounts(words: Sequence[str], gap: Gap, behind: Callable[[int], str]) -> Iterator[tuple[int, int, Kind]]:
    """The sums and percentages among some words, each as [start, end) with its kind."""
    token = 0
    while token < len(words):
        end, glued = _number(words, gap, token)
        if end == token:
            token += 1
            continue
        signed = bool(_SIGNS.intersection(gap(token))) or (
            token > 0 and words[token - 1] in _CODES and not gap(token).strip(". ")
        )
        last, scale = _scaled(words, end)
        large = scale >= _LARGE and words[last - 1] not in _ALONE
        if _percent(words, end, behind):
            stop = end + (0 if behind(end - 1) == "%" else 2 if words[end] in {"per", "percentage"} else 1)
            yield token, stop, "percent"
        elif last < len(words) and words[last] in _CURRENCIES and (scale or glued or words[token][0].isdigit()):
            stop = last + 1
            yield token, stop, "amount"
        elif signed or glued or (large and not _COUNTED.intersection(words[last : last + 1])):
            stop = last
            yield token, stop, "amount"
        else:
            stop = last if large else end
            yield token, stop, "figure"
        token = max(stop, token + 1)


def _number(words: Sequence[str], gap: Gap, token: int) -> tuple[int, bool]:
    """Where a number that begins at a word ends, and whether its scale is glued to it ("48bn")."""
    word = words[token]
    if word[0].isdigit():
        end = token + 1
        while word.isdecimal() and end < len(words) and words[end][0].isdigit() and gap(end) in {".", ","}:
            word = words[end]
            end += 1
        return end, word.lstrip("0123456789") in _SCALES
    figures = _coded(word)
    if figures and figures.lstrip("0123456789") in _SCALES:  # "Rs545bn"
        return token + 1, True
    if figures.isdecimal():  # "N1.38 trillion", "Rs650 billion"
        end = token + 1
        while end < len(words) and words[end][0].isdigit() and gap(end) in {".", ","}:
            end += 1
        return end, words[end - 1].lstrip("0123456789") in _SCALES
    half = words[token : token + 2] == ["half", "a"]
    following = words[token + 1 + half] if token + 1 + half < len(words) else ""
    if word in _WORDS or ((half or word == "a") and (following == "hundred" or _SCALES.get(following, 0) >= _LARGE)):
        end = token + 1 + half
        while end < len(words) and (words[end] in _WORDS or (words[end : end + 3] == ["and", "a", "half"])):
            end += 3 if words[end] == "and" else 1
        return end, False
    return token, False


def _coded(word: str) -> str:
    """The number glued to a currency's code; empty where a word is nothing like it."""
    digit = next((place for place, letter in enumerate(word) if letter.isdigit()), 0)
    return word[digit:] if word[:digit] in _CODES else ""


def _scaled(words: Sequence[str], end: int) -> tuple[int, float]:
    """Where the scale behind a number ends, and its value; 0 where there is none."""
    scale = 0.0
    while end < len(words) and words[end] in _SCALES:
        scale = (scale or 1.0) * _SCALES[words[end]]
        end += 1
    return end, scale


def _percent(words: Sequence[str], end: int, behind: Callable[[int], str]) -> bool:
    if behind(end - 1) == "%":
        return True
    return end < len(words) and (
        words[end] in _PERCENTS
        or words[end : end + 2] in (["per", "cent"], ["percentage", "points"], ["percentage", "point"])
    )


def value(words: Sequence[str], printed: str, *, scaled: bool = True) -> float:
    """How much a sum, percentage or figure is, of its words and how it is printed; the currency does not count."""
    number_word = printed.split(" ", maxsplit=1)[0]
    digits = "".join(letter for letter in number_word.lstrip("".join(_SIGNS)) if letter in "0123456789.")
    try:
        number = float(digits[:_DIGITS])
    except ValueError:
        number = _spelled(words)
    for word in words if scaled else ():
        number *= _SCALES.get((_coded(word) or word).lstrip("0123456789"), 1.0)
    return number


def _spelled(words: Sequence[str]) -> float:
    number = 0.0
    for word in words:
        if word == "hundred":
            number = (number or 1.0) * _WORDS[word]
        else:
            number += _WORDS.get(word, 0.0)
    return (number + 0.5 if "half" in words else number) or 1.0
