"""How fast the detector is at 10, 100, 1,000 and 10,000 rules, over articles of the length of the news.

The rules are variants of the shipped ones with other verbs, nouns and actors; the articles are made of sentences of our own, 98 in 100
without a signal. Ratios between the rows travel from machine to machine, articles a second do not.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from importlib import metadata
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from ahocorasick_rs import BytesAhoCorasick, MatchKind

from tocsin.adapters.rulebook import build, rulebook
from tocsin.article import MAX_TEXT, Article
from tocsin.compiled import Form, RuleSet, Step
from tocsin.detection import detect
from tocsin.reading import entries
from tocsin.rules import ROUTES
from tocsin.source import read
from tocsin.text import fold

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
FEW = 10
"""Articles on which the slow ones are measured."""
TIMES = 20
"""How often the engine reads them for each time that others do."""
LOADED = 25
"""Times the compiled set is loaded."""
TRIED = 1_000
"""Sentences of which those are kept that hold no rule's words."""
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
    phrases: int
    compile_s: float
    load_ms: float
    """Until an article without a rule's words can be dismissed."""
    ready_ms: float
    """Until an article with a signal has been read, the first one of all."""
    memory_mb: float
    """Over a Python that has imported the same."""
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


def shipped() -> list[tuple[str, dict[str, Any]]]:
    """The shipped rules as written, by name."""
    return [(path.stem, read(path).data) for path in sorted(RULES.glob("*.yaml")) if path.name != ROUTES]


def articles(count: int, chance: random.Random) -> list[Article]:
    """Articles, of which the share `SIGNALS` holds a sentence that a shipped rule must find."""
    firing = [test["text"] for _, rule in shipped() for test in rule["tests"]["fires"]]
    every = round(1 / SIGNALS)
    return [article(number, chance, "" if number % every else chance.choice(firing)) for number in range(count)]


def variants(count: int, chance: random.Random) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rules made from the shipped ones: those themselves first, then copies with other verbs, nouns and actors."""
    ours = shipped()
    shared = {name: words for path in _word_files() for name, words in read(path).data["lists"].items()}
    for number in range(count):
        stem, rule = ours[number % len(ours)]
        if number < len(ours):
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
    """Seconds of processor time a piece of work takes, with the garbage of others swept away first."""
    gc.collect()
    begun = time.process_time()
    work()
    return time.process_time() - begun


def together(works: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Seconds that each of some works takes, in turns, so that what else the machine does meets all of them."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            found[name].append(seconds(work))
    return found


def spread(times: Sequence[float], per: int) -> dict[str, float]:
    """The median and the quartiles of some times, in microseconds for one of so many; and what they were measured on."""
    quarters = quantiles(times, n=4, method="inclusive") if len(times) > 1 else [*times] * 3
    low, middle, high = (round(one / per * 1e6, 1) for one in quarters)
    return {"median_us": middle, "from_us": low, "to_us": high, "readings": per, "rounds": len(times)}


def reading(read: Callable[[Article], object], some: Sequence[Article]) -> Callable[[], object]:
    """Reading some articles, as a piece of work."""
    return lambda: [read(one) for one in some]


def ratio(one: Sequence[float], other: Sequence[float]) -> float:
    """How many times longer the one takes, by the median of the turns."""
    return round(median(first / second for first, second in zip(one, other, strict=True)), 3)


# what else one could take


def words_of(article: Article) -> str:
    """Headline and text as the engine compares words: folded, divided by single spaces."""
    return " ".join(fold(f"{article.title}\n{article.text}").decode("ascii").split())


def bare_scan(rules: RuleSet) -> Callable[[Article], object]:
    """Folding, and the fastest portable automaton over the same phrases."""
    phrases = sorted({phrase.encode() for phrase, _ in rules.phrases()})
    automaton = BytesAhoCorasick([b" " + phrase + b" " for phrase in phrases], matchkind=MatchKind.Standard)

    def scan(article: Article) -> object:
        folded = b" ".join(fold(f"{article.title}\n{article.text}").split())
        return automaton.find_matches_as_indexes(b" " + folded + b" ", overlapping=True)

    return scan


NUMBER = r"[0-9][0-9a-z]*|one|two|three|four|five|six|seven|eight|nine|ten|hundred|thousand|million|billion|trillion"
"""What a pattern takes for the figures and dates that no list holds."""


def holding(rules: RuleSet) -> dict[int, dict[str, list[str]]]:
    """List → tag → its phrases."""
    found: dict[int, dict[str, list[str]]] = {}
    for phrase, lexemes in rules.phrases():
        for lexeme in lexemes:
            found.setdefault(lexeme.list, {}).setdefault(lexeme.tag, []).append(phrase)
    return found


def phrases_of(held: Mapping[int, Mapping[str, list[str]]], step: Step) -> list[str]:
    """The phrases that can stand at a step, the longest first."""
    tags = ((tag, found) for number in step.lists for tag, found in held.get(number, {}).items())
    return sorted(
        {one for tag, found in tags if not step.tags or tag in step.tags for one in found},
        key=lambda one: (-len(one), one),
    )


def re_loop(rules: RuleSet) -> Callable[[Article], object]:
    """One pattern a form, tried one after another: what most bots do."""
    held = holding(rules)

    def pattern(form: Form) -> re.Pattern[str]:
        parts: list[str] = []
        for step in form.steps:
            choices = [*map(re.escape, phrases_of(held, step))]
            choices += [NUMBER] if step.lists & rules.computed else []
            part = f"(?:{'|'.join(choices) or '(?!)'})"
            before = f" (?:[a-z0-9]+ ){{0,{step.gap}}}" if parts else r"\b"
            parts.append(f"(?:{before}{part})?" if step.optional else before + part)
        return re.compile("".join(parts) + r"\b")

    patterns = [pattern(form) for rule in rules.rules for form in rule.forms]
    return lambda article: [one for one in patterns if one.search(words_of(article))]


def spacy_matcher(rules: RuleSet) -> Callable[[Article], object] | None:
    """The Matcher of spaCy on a blank pipeline, a pattern a form; of phrases it looks for one word. None: spaCy is not here.

    A gap is as wide as its sentence, so it finds what the forms find, and more. Gaps of so many words at most cannot be measured: spaCy
    follows each way of spending them, and of a fortieth of an article that took more than a minute.
    """
    try:
        import spacy
        from spacy.matcher import Matcher
    except ImportError:
        return None
    pipeline, held = spacy.blank("en"), holding(rules)
    pipeline.add_pipe("sentencizer")
    matcher = Matcher(pipeline.vocab)
    for rule in rules.rules:
        for number, form in enumerate(rule.forms):
            tokens: list[dict[str, Any]] = []
            for step in form.steps:
                if tokens and step.gap:
                    tokens.append({"IS_SENT_START": False, "OP": "*"})
                words = {max(one.split(), key=len) for one in phrases_of(held, step)}
                tokens.append({"LOWER": {"IN": sorted(words)}, **({"OP": "?"} if step.optional else {})})
            matcher.add(f"{rule.policy.name} {number}", [tokens])
    return lambda article: matcher(pipeline(f"{article.title}\n\n{article.text}"))


# what is measured


def quiet(count: int, rules: RuleSet, chance: random.Random) -> list[Article]:
    """Articles without a rule's words: of no form do all their sentences together hold a word for each step."""
    pool: list[str] = []
    for _ in range(TRIED):
        told = sentence(chance)
        if rules.sieve.sift(fold(" ".join([*pool, told])).decode("ascii").split()) is None:
            pool.append(told)
    made = []
    for number in range(count):
        sentences: list[str] = []
        while sum(map(len, sentences)) < LENGTH:
            sentences.append(chance.choice(pool))
        paragraphs = [" ".join(sentences[first : first + 3]) for first in range(0, len(sentences), 3)]
        made.append(Article(str(number), "\n\n".join(paragraphs), sentences[0].rstrip("."), "bench"))
    return made


def worst(rules: RuleSet, chance: random.Random, length: int) -> dict[str, Article]:
    """Long articles that somebody made to keep the engine busy."""
    phrases = sorted({phrase for phrase, _ in rules.phrases()})
    firing = [test["text"] for _, rule in shipped() for test in rule["tests"]["fires"]]

    def filled(piece: Callable[[], str], between: str) -> Article:
        parts: list[str] = []
        size = 0
        while size < length:
            parts.append(piece())
            size += len(parts[-1]) + len(between)
        return Article("worst", between.join(parts)[:length], "", "bench", published=datetime(2025, 6, 15, tzinfo=UTC))

    return {
        "only phrases of the lists": filled(lambda: chance.choice(phrases), " "),
        "phrases in sentences": filled(lambda: " ".join(chance.choice(phrases) for _ in range(12)).capitalize(), ". "),
        "only signals": filled(lambda: chance.choice(firing), "\n\n"),
        "one signal, again and again": filled(lambda: firing[0], " "),
        "only numbers": filled(lambda: str(chance.randrange(1, 5000)), " "),
        "only points": filled(lambda: ".", ""),
    }


def measure(count: int, many: list[Article], repeats: int) -> tuple[Row, RuleSet]:
    """Everything about one number of rules."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "rules"
        folder.mkdir()
        say(f"{count:,} rules: writing")
        write(folder, count)
        say(f"{count:,} rules: compiling")
        compile_s = seconds(lambda: build(folder))
        say(f"{count:,} rules: loading")
        alone = json.loads(_run([sys.executable, __file__, "--load", str(folder)]))
        found = rulebook(folder)
        rules, faults = found.rule_set, found.faults
    if faults:
        raise SystemExit("\n".join(map(str, faults[:10])))
    background = [one for number, one in enumerate(many) if number % round(1 / SIGNALS)]
    say(f"{count:,} rules: {len(many)} articles, {repeats} times")
    for one in many:
        detect(rules, one)
    row = Row(
        rules=len(rules.rules),
        forms=sum(len(rule.forms) for rule in rules.rules),
        phrases=len({phrase for phrase, _ in rules.phrases()}),
        compile_s=round(compile_s, 2),
        load_ms=alone["load_ms"],
        ready_ms=alone["ready_ms"],
        memory_mb=alone["memory_mb"],
        articles_per_s=round(
            len(many) / median(seconds(lambda: [detect(rules, one) for one in many]) for _ in range(repeats)), 1
        ),
        background_per_s=round(
            len(background)
            / median(seconds(lambda: [detect(rules, one) for one in background]) for _ in range(repeats)),
            1,
        ),
        signals=sum(len(detect(rules, one)) for one in many),
    )
    return row, rules


def _run(command: list[str]) -> str:
    ran = subprocess.run(
        command, check=True, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    return ran.stdout


def load_alone(folder: Path) -> None:
    """In a process of its own: how long loading takes as functions load what was built, and how much memory articles of every kind make the rules take."""
    chance = random.Random(SEED)
    several, calm = articles(100, chance), Article("calm", "Bread, flour, yeast.", "Bread")
    before = _memory()
    times = [seconds(lambda: detect(rulebook(folder, sealed=True).rule_set, calm)) for _ in range(LOADED)]
    rules = rulebook(folder, sealed=True).rule_set
    ready_s = seconds(lambda: detect(rules, several[0]))
    for one in several:
        detect(rules, one)
    gc.collect()
    told = {
        "load_ms": median(times) * 1e3,
        "ready_ms": (median(times) + ready_s) * 1e3,
        "memory_mb": _memory() - before,
    }
    print(json.dumps({name: round(value, 2) for name, value in told.items()}))


def _memory() -> float:
    """Megabytes this process holds."""
    status = Path("/proc/self/status")
    if not status.exists():
        return float("nan")
    return (
        next(
            int(line.split()[1]) for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmRSS")
        )
        / 1024
    )


def against(rules: RuleSet, many: list[Article], repeats: int) -> tuple[dict[str, float], dict[str, Any]]:
    """The engine and what else one could take, on the same articles; the ratios and the times they come from."""
    ratios: dict[str, float] = {}
    times: dict[str, Any] = {}
    some, rounds = many[:FEW], 3
    for name, make in (("re_loop", re_loop), ("spacy_matcher", spacy_matcher)):
        say(f"the engine against {name}: compiling the patterns, then {len(some)} articles, in rounds: {rounds}")
        other = make(rules)
        if other is None:
            say(f"{name}: not here, so not measured")
            continue
        for one in some:
            detect(rules, one)
        found = together({
            "engine": reading(lambda one: detect(rules, one), some * TIMES),
            name: reading(other, some),
        }, rounds)  # fmt: skip
        ratios[f"engine_over_{name}"] = round(ratio(found[name], found["engine"]) * TIMES, 1)
        times |= {
            f"{one}, articles of {name}": spread(took, len(some) * (TIMES if one == "engine" else 1))
            for one, took in found.items()
        }
    say("background against a bare scan")
    scan, calm = bare_scan(rules), quiet(50, rules, random.Random(SEED))
    found = together({
        "background": reading(lambda one: detect(rules, one), calm),
        "bare scan": reading(scan, calm),
    }, repeats * 3)  # fmt: skip
    ratios["background_over_bare_scan"] = ratio(found["background"], found["bare scan"])
    return ratios, times | {one: spread(took, len(calm)) for one, took in found.items()}


def hostile(rules: RuleSet, many: list[Article], length: int) -> dict[str, float]:
    """How much longer a character of each of the worst articles takes than one of an ordinary article with a signal."""
    ordinary = [one for number, one in enumerate(many) if number % round(1 / SIGNALS) == 0]
    usual = median(seconds(lambda: [detect(rules, one) for one in ordinary]) for _ in range(5)) / sum(
        len(one.text) for one in ordinary
    )
    found: dict[str, float] = {}
    for name, one in worst(rules, random.Random(SEED), length).items():
        say(f"the worst articles: {name}")
        found[name] = round(seconds(partial(detect, rules, one)) / len(one.text) / usual, 2)
    return found


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


def kept(path: Path) -> dict[str, Any]:
    """The results as they are kept; other measurements add to the same file."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def keep(ratios: Mapping[str, Any], **parts: object) -> None:
    """Adds ratios, and what one part measured, to the results."""
    before = kept(RESULTS)
    found = before | parts | {"ratios": before.get("ratios", {}) | ratios}
    RESULTS.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def ran(command: Sequence[str], folder: Path, environment: Mapping[str, str], given: str = "") -> tuple[float, str]:
    """Seconds of processor time, user's and system's, of a process that reads something; and its log, if it failed."""
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as log:
        stdin.write(given.encode())
        stdin.seek(0)
        process = subprocess.Popen(command, cwd=folder, env=environment, stdin=stdin, stdout=log, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        log.seek(0)
        failed = log.read().decode("utf-8", "replace") or "it says nothing" if process.returncode else ""
    return usage.ru_utime + usage.ru_stime, failed


def main() -> None:
    """Measures, prints tables and writes the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10 and 100 rules, fewer articles; writes no file")
    parser.add_argument("--articles", type=Path, help="a folder or file of articles to measure on as well")
    parser.add_argument("--load", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.load:
        load_alone(options.load)
        return
    quick = options.quick
    repeats = 3 if quick else 7
    many = articles(100 if quick else 300, random.Random(SEED))
    rows: list[Row] = []
    rules = rulebook(RULES).rule_set
    ratios, times = against(rules, many, repeats)
    for count in QUICK if quick else SIZES:
        row, _ = measure(count, many, repeats)
        rows.append(row)
    ratios |= {f"growth_{row.rules}": round(rows[0].articles_per_s / row.articles_per_s, 2) for row in rows[1:]}
    bad = hostile(rules, many, 60_000 if quick else MAX_TEXT)
    ratios["worst_over_ordinary"] = max(bad.values())
    told: dict[str, Any] = {
        "ratios": ratios,
        "times": times,
        "worst articles": bad,
        "rows": [asdict(row) for row in rows],
    }
    if options.articles:
        told["given articles"] = given(rules, options.articles, repeats)
    about = machine() | {"article_characters": round(median(len(one.text) for one in many))}
    for key, value in {
        **about,
        **{f"ratio {name}": value for name, value in ratios.items()},
        **times,
        **told.get("given articles", {}),
    }.items():
        print(f"{key:34} {value}")
    print("  ".join(f"{name:>16}" for name in asdict(rows[0])))
    for row in rows:
        print("  ".join(f"{value:>16,}" for value in asdict(row).values()))
    for name, times_ordinary in bad.items():
        print(f"{name:34} {times_ordinary} × an ordinary article")
    if not quick:
        keep(ratios, engine=about | {name: part for name, part in told.items() if name != "ratios"})


def given(rules: RuleSet, path: Path, repeats: int) -> dict[str, float]:
    """Articles of somebody else, measured like our own."""
    several = [entry.article for entry in entries(path) if entry.article]
    took = median(seconds(lambda: [detect(rules, one) for one in several]) for _ in range(repeats))
    size = sum(len(one.text) for one in several) / len(several)
    return {
        "given articles": len(several),
        "given articles/s": round(len(several) / took, 1),
        "given characters": round(size),
    }


if __name__ == "__main__":
    main()
