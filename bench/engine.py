"""How fast the detector is at 10, 100, 1,000 and 10,000 rules, over articles of the length of the news.

The rules are variants of the shipped ones with other verbs, nouns and actors; the articles are made of sentences of our own, 98 in 100
without a signal. Ratios between the rows travel from machine to machine, articles a second do not.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any

from tocsin.article import Article
from tocsin.compiled import RuleSet
from tocsin.detection import detect
from tocsin.rules import load
from tocsin.source import read

ROOT = Path(__file__).parent.parent
RULES = ROOT / "rules"
RESULTS = Path(__file__).with_name("results.json")
SIZES = (10, 100, 1_000, 10_000)
QUICK = (10, 100)
LENGTH = 5_000
"""Characters an article has, about."""
SIGNALS = 0.02
"""The share of articles that hold a signal."""
ACTORS = 40
"""Lists of actors the variants share."""
KEPT = frozenset({"number", "more"})
"""Lists of the forms that stay what they are, for every rule speaks of numbers."""
WORDS = 8
"""Nouns a list of a variant has; of verbs half as many."""
FORMS = 4
"""Forms a variant keeps of the rule it is made from."""
SEED = 20_250_124

VERBS = (
    "abandon", "absorb", "advance", "anchor", "arm", "assemble", "assign", "board", "brace", "bring in", "bury", "camouflage", "carry", "clear",
    "cluster", "commit", "concentrate", "convoy", "crate", "deploy", "detach", "dig in", "dispatch", "disperse", "drag", "drive", "embark",
    "encircle", "entrench", "erect", "escort", "exercise", "expand", "ferry", "field", "fit out", "fly in", "fortify", "fuel", "garrison", "gather",
    "ground", "guard", "harbour", "haul", "hide", "hoist", "host", "inspect", "install", "lay", "lease", "load", "lodge", "man", "march", "marshal",
    "mass", "mount", "move", "muster", "outfit", "park", "patrol", "pile up", "place", "plant", "position", "post", "prime", "pull in", "push",
    "quarter", "raise", "rally", "ready", "rearm", "rebase", "recruit", "refit", "relocate", "renew", "rent", "reopen", "repair", "replace",
    "reposition", "resupply", "rig", "roll out", "rotate", "rush", "scatter", "screen", "send", "set up", "shelter", "shift", "ship", "shuttle",
    "sortie", "staff", "stage", "station", "steer", "stockpile", "store", "stow", "strengthen", "supply", "surge", "swap", "switch", "thicken", "tow",
    "train", "transfer", "unload", "unpack", "upgrade", "warehouse", "wheel", "winch", "wire",
)  # fmt: skip
FIRST = (
    "airborne", "alpine", "ammunition", "amphibious", "anti-tank", "arctic", "armoured", "artillery", "assault", "border", "bridge", "cavalry",
    "chemical", "civil defence", "coastal", "combat", "command", "convoy", "cruise", "decoy", "desert", "drone", "electronic", "engineer", "escort",
    "field", "fighter", "frontier", "fuel", "glide", "ground", "guard", "guided", "harbour", "heavy", "helicopter", "howitzer", "hospital",
    "infantry", "interceptor", "jungle", "landing", "launch", "light", "logistics", "long-range", "marine", "mechanised", "medical", "mine",
    "missile", "mobile", "mortar", "motor", "mountain", "naval", "night", "patrol", "pioneer", "pontoon", "radar", "railway", "rapid",
    "reconnaissance", "recovery", "relay", "repair", "reserve", "rifle", "river", "rocket", "scout", "sea", "security", "shock", "siege", "signal",
    "ski", "sniper", "space", "storm", "strategic", "strike", "submarine", "supply", "tactical", "tank", "territorial", "torpedo", "training",
    "transport", "tunnel", "vanguard", "water", "winter",
)  # fmt: skip
SECOND = (
    "battalion", "battery", "boat", "brigade", "carrier", "column", "company", "corps", "crew", "depot", "detachment", "division", "element", "fleet",
    "flight", "flotilla", "garrison", "group", "gun", "hangar", "launcher", "legion", "magazine", "motor", "outpost", "party", "patrol", "platoon",
    "pier", "regiment", "section", "shelter", "squad", "squadron", "staff", "stock", "team", "train", "troop", "tube", "unit", "vehicle", "warehouse",
    "wing",
)  # fmt: skip

PEOPLE = (
    "the mayor", "a spokeswoman for the bank", "the head coach", "the growers' association", "an official of the finance ministry", "the curator",
    "a shopkeeper", "the minister of health", "residents of the old town", "the chief economist", "the union", "the harbour master", "a judge",
    "the airline", "the weather office", "the leader of the opposition", "the festival's director", "a teacher", "the railway", "the police",
)  # fmt: skip
DEEDS = (
    "said that prices would fall before the summer", "opened a new bridge across the river", "has asked for patience until the repairs are done",
    "told reporters that nothing had been decided", "will present the figures next week", "praised the work of the volunteers",
    "rejected the complaint", "called the result the best in ten years", "is looking for two hundred apprentices",
    "warned that the dry weather could last", "agreed on a new timetable", "signed a contract with a company from abroad",
    "met their counterparts in the capital on Monday", "expects fewer visitors than last year", "has been criticised for the delay",
    "moved the exhibition to a larger hall", "raised the fees for parking", "won the second match of the season",
    "published a report on drinking water", "sent a delegation to the trade fair", "plans to plant five thousand trees", "closed three branches",
    "launched a campaign against litter", "celebrated the anniversary with a concert", "put the costs at 14 million euros",
    "promised a review by autumn",
)  # fmt: skip
PLACES = (
    "in Lisbon", "in the north of Italy", "near the airport of Vienna", "in Nairobi", "on the coast of Chile", "in Ottawa", "at the port of Antwerp",
    "in Osaka", "in the valley", "in Warsaw on Tuesday", "outside parliament", "at a hotel in Geneva", "in southern India", "in Washington",
    "in the suburbs of Lima",
)  # fmt: skip
ENDS = (
    "after weeks of talks", "despite the rain", "as the holidays begin", "because demand is low", "for the first time since 2019",
    "according to the local paper", "while negotiations go on", "which surprised many", "although the budget is tight",
    "and more details are to follow", "to the relief of commuters", "amid doubts about the cost", "as part of a wider programme",
    "with help from the region", "before the end of the month",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """What was measured at one number of rules."""

    rules: int
    forms: int
    surfaces: int
    load_s: float
    first_article_s: float
    articles_per_s: float
    background_per_s: float
    signals: int


def say(what: str) -> None:
    """Progress, on standard error."""
    print(what, file=sys.stderr, flush=True)


def sentence(chance: random.Random) -> str:
    """A sentence without a signal."""
    parts = [chance.choice(PEOPLE), chance.choice(DEEDS), chance.choice(PLACES), chance.choice(ENDS)]
    told = " ".join(parts[: chance.choice((2, 3, 3, 4, 4))])
    return told[0].upper() + told[1:] + "."


def article(number: int, chance: random.Random, signal: str = "") -> Article:
    """An article of about `LENGTH` characters, with a sentence that is a signal in its lead or below."""
    sentences: list[str] = []
    while sum(map(len, sentences)) < LENGTH:
        sentences.append(sentence(chance))
    if signal:
        sentences.insert(chance.choice((0, 1, 2, 7, 15)), signal)
    paragraphs = [" ".join(sentences[first : first + 3]) for first in range(0, len(sentences), 3)]
    title = signal.rstrip(".") if signal and chance.random() < 0.5 else sentence(chance).rstrip(".")  # noqa: PLR2004 - half of them
    return Article(str(number), "\n\n".join(paragraphs), title, "bench", published=datetime(2025, 6, 15, tzinfo=UTC))


def articles(count: int, chance: random.Random) -> list[Article]:
    """Articles, of which the share `SIGNALS` holds a sentence that a shipped rule must find."""
    firing = [test["text"] for path in sorted(RULES.glob("*.yaml")) for test in read(path).data["tests"]["fires"]]
    every = round(1 / SIGNALS)
    return [article(number, chance, "" if number % every else chance.choice(firing)) for number in range(count)]


def variants(count: int, chance: random.Random) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rules made from the shipped ones: those themselves first, then copies with other verbs, nouns and actors."""
    shipped = [(path.stem, read(path).data) for path in sorted(RULES.glob("*.yaml"))]
    shared = {name: words for path in _word_files() for name, words in read(path).data["lists"].items()}
    for number in range(count):
        stem, rule = shipped[number % len(shipped)]
        if number < len(shipped):
            yield stem, rule
            continue
        name = f"{stem}-{number}"
        forms, lists = rule["forms"][:FORMS], rule.get("lists", {})
        named = sorted({part for form in forms for part in _named(form["form"])} & {*shared, *lists} - KEPT)
        own = {one: _words(chance, verbs="verbs" in (shared | lists)[one]) for one in named}
        yield name, {
            **{key: value for key, value in rule.items() if key != "tests"},
            "name": name, "id": f"{number:08d}-0000-4000-8000-000000000000", "status": "experimental", "forms": forms,
            "lists": {one: _short(words) for one, words in lists.items()} | own, "who": rule["who"] | {"from": [f"actors-{number % ACTORS}"]},
        }  # fmt: skip


def _word_files() -> list[Path]:
    return [path for path in sorted((RULES / "lists").glob("*.yaml")) if read(path).data["kind"] == "words"]


def _named(form: str) -> list[str]:
    return [part.split(">")[0].split(":")[0] for part in form.split("<")[1:]]


def _short(words: dict[str, Any]) -> dict[str, Any]:
    return {key: value[:WORDS] if isinstance(value, list) else value for key, value in words.items()}


def _words(chance: random.Random, *, verbs: bool) -> dict[str, list[str]]:
    if verbs:
        return {"verbs": chance.sample(VERBS, WORDS // 2)}
    return {"nouns": [f"{chance.choice(FIRST)} {chance.choice(SECOND)}" for _ in range(WORDS)]}


def write(folder: Path, count: int) -> None:
    """A folder of that many rules, with the shipped lists and cues and lists of actors for the variants."""
    chance = random.Random(SEED)
    for part in ("lists", "cues"):
        shutil.copytree(RULES / part, folder / part)
    entries = read(RULES / "lists" / "states.yaml").data["entries"]
    for number in range(ACTORS):
        names = {"list": f"actors-{number}", "kind": "names", "entries": chance.sample(entries, 12)}
        _dump(folder / "lists" / f"actors-{number}.yaml", names)
    for name, rule in variants(count, chance):
        _dump(folder / f"{name}.yaml", rule)


def _dump(path: Path, data: object) -> None:
    path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")  # JSON is YAML


def seconds(work: Callable[[], object]) -> float:
    """Seconds a piece of work takes, with the garbage of others swept away first."""
    gc.collect()
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def speed(rules: RuleSet, some: list[Article], repeats: int) -> float:
    """Articles a second, the median of some repeats."""
    return len(some) / median(seconds(lambda: [detect(rules, one) for one in some]) for _ in range(repeats))


def measure(count: int, many: list[Article], repeats: int) -> Row:
    """Everything about one number of rules."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "rules"
        folder.mkdir()
        say(f"{count:,} rules: writing")
        write(folder, count)
        say(f"{count:,} rules: loading")
        loaded = None

        def bring() -> None:
            nonlocal loaded
            loaded = load(folder)

        load_s = seconds(bring)
    if loaded is None or loaded.faults:
        raise SystemExit("\n".join(map(str, loaded.faults[:10])) if loaded else "nothing loaded")
    rules = loaded.rule_set
    first_article_s = seconds(lambda: detect(rules, many[0]))
    background = [one for number, one in enumerate(many) if number % round(1 / SIGNALS)]
    say(f"{count:,} rules: {len(many)} articles, {repeats} times")
    return Row(
        rules=len(rules.rules),
        forms=sum(len(rule.forms) for rule in rules.rules),
        surfaces=len(rules.surfaces),
        load_s=round(load_s, 3),
        first_article_s=round(first_article_s, 3),
        articles_per_s=round(speed(rules, many, repeats), 1),
        background_per_s=round(speed(rules, background, repeats), 1),
        signals=sum(len(detect(rules, one)) for one in many),
    )


def import_s(repeats: int) -> float:
    """Seconds a fresh interpreter takes to import what detection and loading need, beyond its own start."""

    def run(code: str) -> float:
        return seconds(lambda: subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT))  # noqa: S603 - our own code

    whole = median(run("import tocsin.detection, tocsin.rules") for _ in range(repeats))
    return round(whole - median(run("pass") for _ in range(repeats)), 3)


def machine() -> dict[str, Any]:
    """What it was measured on."""
    told = (line.split(":", 1)[1].strip() for line in _cpuinfo() if line.startswith("model name"))
    git = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False, cwd=ROOT)  # noqa: S607 - git on PATH
    return {
        "commit": git.stdout.strip(),
        "measured": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "processor": next(told, platform.processor() or platform.machine()),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {name: metadata.version(name) for name in ("ahocorasick_rs", "pydantic", "PyYAML")},
    }


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def main() -> None:
    """Measures, prints a table and writes the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10 and 100 rules, fewer articles; writes no file")
    quick = parser.parse_args().quick
    repeats = 3 if quick else 5
    many = articles(100 if quick else 300, random.Random(SEED))
    about = machine() | {
        "import_s": import_s(repeats),
        "article_characters": round(median(len(one.text) for one in many)),
    }
    rows = [measure(count, many, repeats) for count in (QUICK if quick else SIZES)]
    for key, value in about.items():
        print(f"{key:18} {value}")
    names = list(asdict(rows[0]))
    print("  ".join(f"{name:>16}" for name in names))
    for row in rows:
        print("  ".join(f"{value:>16,}" for value in asdict(row).values()))
    if not quick:
        RESULTS.write_text(
            json.dumps(about | {"rows": [asdict(row) for row in rows]}, indent=2) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
