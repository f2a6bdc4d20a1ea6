"""What stories cost, and what other ways of telling developments apart would have done.

python -m bench.stories cost                       reads and writes of an article as the table grows, on moto, and what its keys reach
python -m bench.stories compare                    alerts and swallowed developments over the seeds
python -m bench.stories compare --corpus FILE      the same over articles with gold labels, a JSON object a line
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from botocore.client import BaseClient

from infra.local.pump import Pump
from infra.local.slack import LocalSlack
from infra.local.stack import LocalStack, keep_secret
from infra.replay import CHANNEL, SECRET, TEMPLATE
from tocsin.adapters.dynamodb import DynamoTable
from tocsin.adapters.s3 import S3Archive
from tocsin.article import Article
from tocsin.decide import decide
from tocsin.detection import detect
from tocsin.pipeline.detect import Detector
from tocsin.reading import entries
from tocsin.rules import load
from tocsin.signal import Signal
from tocsin.source import read
from tocsin.story import Report, Story, identity

ROOT = Path(__file__).parent.parent
RULES = load(ROOT / "rules").rule_set
NOON = datetime(2025, 6, 15, 12, tzinfo=UTC)

# ── compare ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Development:
    """Something that deserves one alert, and the articles that tell it."""

    name: str
    rule: str
    who: str | None
    articles: frozenset[str]
    slots: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Score:
    """What a way of telling apart made of the articles."""

    method: str
    alerts: int
    repeated: int
    """Alerts that told no development anew."""
    swallowed: int
    """Developments no alert told."""

    @property
    def wrong(self) -> tuple[int, int]:
        """To choose the best threshold by: what was repeated or swallowed, and of equals what swallows less."""
        return self.repeated + self.swallowed, self.swallowed


@dataclass
class Case:
    """Articles in order of publication, what Tocsin finds in them, and what there is to be told."""

    articles: list[Article]
    developments: list[Development]
    signals: dict[str, list[Signal]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.articles.sort(key=lambda one: (one.published or NOON, one.id))
        self.signals = {one.id: [s for s in detect(RULES, one) if RULES.policy(s.rule).posted] for one in self.articles}
        self.developments = [
            found
            for one in self.developments
            if (
                found := replace(one, articles=frozenset(name for name in one.articles if self._tells(name, one)))
            ).articles
        ]
        told = {name for one in self.developments for name in one.articles}
        self.articles = [one for one in self.articles if one.id in told]

    def _tells(self, article: str, development: Development) -> bool:
        return any(tells(signal, development) for signal in self.signals[article])

    def score(self, method: str, alerts: Iterable[tuple[str, Signal | None]]) -> Score:
        """The score of alerts: pairs of an article and the signal it tells, or None when it tells all it holds."""
        told: set[str] = set()
        repeated = count = 0
        for article, signal in alerts:
            count += 1
            fresh = {
                one.name
                for one in self.developments
                if article in one.articles and (signal is None or tells(signal, one)) and one.name not in told
            }
            repeated += not fresh
            told |= fresh
        return Score(method, count, repeated, len(self.developments) - len(told))


def tells(signal: Signal, development: Development) -> bool:
    """Whether a signal tells a development."""
    return (signal.rule, signal.who) == (development.rule, development.who) and all(
        getattr(signal, name) == value for name, value in development.slots
    )


Told = tuple[list[Article], list[Development]]
"""Articles, and what there is to be told of them."""


def told_by_seeds() -> Told:
    """The five seeds, with the alerts of their manifest."""
    articles = [entry.article for entry in entries(ROOT / "seeds") if entry.article]
    developments = []
    for number, row in enumerate(read(ROOT / "seeds" / "manifest.yaml").data["alerts"]):
        names = frozenset(one.id for one in articles if one.id[:3] in row["articles"])
        slots = tuple((name, row[name]) for name in ("where", "what", "stage") if row.get(name))
        developments.append(Development(str(number), row["rule"], row["who"], names, slots))
    return articles, developments


def told_by_corpus(path: Path) -> Told:
    """A corpus: an article a line, with `gold.labels` (rule, who) and `gold.event`, the same for one development."""
    articles: dict[tuple[str, str, str], set[str]] = {}
    for row in rows_of(path):
        for label in row["gold"]["labels"] if row["gold"]["event"] else ():
            if label["status"] != "denied":
                articles.setdefault((row["gold"]["event"], label["rule"], label["who"]), set()).add(row["id"])
    developments = [
        Development("/".join(map(str, key)), key[1], key[2], frozenset(names)) for key, names in articles.items()
    ]
    several = [entry.article for entry in entries(path) if entry.article]
    return [replace(one, published=one.published or NOON) for one in several], developments


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The lines of a corpus."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def case_of_seeds() -> Case:
    """The five seeds."""
    return Case(*told_by_seeds())


def case_of_corpus(path: Path) -> Case:
    """A labelled corpus."""
    return Case(*told_by_corpus(path))


def slots(case: Case) -> Score:
    """Tocsin: rule and slots within an episode, the strongest stage of each article, rises and changes in the thread."""
    kept: dict[str, dict[str, Story]] = {}
    alerts: list[tuple[str, Signal | None]] = []
    told = {name for one in case.developments for name in one.articles}
    for article in case.articles:
        for signal in case.signals[article.id]:
            if not any(tells(signal, one) for one in case.developments if article.id in one.articles):
                continue  # the same articles and signals for every method
            policy = RULES.policy(signal.rule)
            known = kept.setdefault(identity(signal, policy), {})
            report = Report.of(signal, article)
            decision = decide(signal, report, policy, list(known.values()), (), NOON, None)
            known |= {story.id: story for story in decision.changed}
            if decision.alert and article.id in told:
                alerts.append((article.id, signal))
    return case.score("slots (Tocsin)", alerts)


def exact(case: Case) -> Score:
    """An exact key: address, headline or text."""
    seen: set[str] = set()
    alerts: list[tuple[str, None]] = []
    for article in case.articles:
        keys = {key for key in (article.address, article.title.casefold(), article.content) if key}
        if not keys & seen:
            alerts.append((article.id, None))
        seen |= keys
    return case.score("exact keys", alerts)


Near = Callable[[int, int], float]


def by_similarity(case: Case, name: str, near: Near, thresholds: Sequence[float]) -> Score:
    """An article alerts when none before it is as near as the threshold; of all thresholds the best."""
    return min(
        (_at(case, f"{name}, {threshold:g}", near, threshold) for threshold in thresholds), key=lambda one: one.wrong
    )


def _at(case: Case, name: str, near: Near, threshold: float) -> Score:
    count = range(len(case.articles))
    alone = [at for at in count if not any(near(at, before) >= threshold for before in range(at))]
    return case.score(name, [(case.articles[at].id, None) for at in alone])


def _words(article: Article) -> list[str]:
    return re.findall(r"\w+", f"{article.title} {article.text}".casefold())


def _shingles(article: Article, size: int = 3) -> set[str]:
    words = _words(article)
    return {" ".join(words[at : at + size]) for at in range(max(1, len(words) - size + 1))}


def simhash(case: Case) -> Near:
    """Share of equal bits of two SimHashes of 64 bits (Charikar 2002) over words."""

    def of(article: Article) -> int:
        sums = [0] * 64
        for word, count in Counter(_words(article)).items():
            value = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "big")
            for bit in range(64):
                sums[bit] += count if value >> bit & 1 else -count
        return sum(1 << bit for bit in range(64) if sums[bit] > 0)

    hashes = [of(article) for article in case.articles]
    return lambda one, other: 1 - (hashes[one] ^ hashes[other]).bit_count() / 64


def tfidf(case: Case) -> Near:
    """Cosine of two articles' words weighted by their rarity among all of them."""
    counts = [Counter(_words(article)) for article in case.articles]
    spread = Counter(word for one in counts for word in one)
    vectors = []
    for one in counts:
        vector = {word: (1 + math.log(n)) * math.log(len(counts) / spread[word]) for word, n in one.items()}
        length = math.sqrt(sum(value * value for value in vector.values())) or 1.0
        vectors.append({word: value / length for word, value in vector.items()})
    return lambda one, other: sum(value * vectors[other].get(word, 0.0) for word, value in vectors[one].items())


def minhash(case: Case) -> Iterator[Score]:
    """MinHash-LSH of datasketch over shingles of three words; nothing when it is not installed."""
    try:
        from datasketch import MinHash, MinHashLSH
    except ImportError:
        return
    hashes = []
    for article in case.articles:
        one = MinHash(num_perm=128)
        one.update_batch([shingle.encode() for shingle in _shingles(article)])
        hashes.append(one)
    scores = []
    for threshold in [at / 100 for at in range(2, 100, 2)]:
        index = MinHashLSH(threshold=threshold, num_perm=128)
        alone = []
        for at, one in enumerate(hashes):
            if not index.query(one):
                alone.append(at)
            index.insert(str(at), one)
        alerts = [(case.articles[at].id, None) for at in alone]
        scores.append(case.score(f"MinHash-LSH, {threshold:g}", alerts))
    yield min(scores, key=lambda one: one.wrong)


def compare(case: Case) -> None:
    """Prints the table."""
    steps = [at / 100 for at in range(1, 101)]
    scores = [
        slots(case),
        exact(case),
        by_similarity(case, "SimHash", simhash(case), [at / 64 for at in range(20, 65)]),
    ]
    scores += [*minhash(case), by_similarity(case, "TF-IDF", tfidf(case), steps)]
    print(f"{len(case.articles)} articles that tell {len(case.developments)} developments\n")
    print("| told apart by, best threshold | alerts | that repeat | developments swallowed |\n|---|---|---|---|")
    for one in scores:
        print(f"| {one.method} | {one.alerts} | {one.repeated} | {one.swallowed} |")


# ── cost ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

SIZES = (0, 100, 1_000)
FILLER = " ".join(
    f"Nothing else of note happened in district {number} of the capital that day." for number in range(30)
)
TEXT = f"Turkey is preparing to send more troops to Syria, officials said. {FILLER}"


@dataclass
class Meter:
    """Counts what a DynamoDB client asks for: calls, and the items they read, write, or only check."""

    calls: Counter[str] = field(default_factory=Counter)
    read: int = 0
    written: int = 0
    checked: int = 0

    def watch(self, client: Any) -> None:
        """Counts from now on."""
        client.meta.events.register("before-parameter-build.dynamodb", self._asked)
        client.meta.events.register("after-call.dynamodb", self._answered)

    def _asked(self, params: dict[str, Any], model: Any, **_: object) -> None:
        self.calls[model.name] += 1
        actions = params.get("TransactItems", ())
        self.checked += sum("ConditionCheck" in action for action in actions)
        self.written += sum("ConditionCheck" not in action for action in actions) + (
            model.name in {"PutItem", "UpdateItem"}
        )

    def _answered(self, parsed: dict[str, Any], model: Any, **_: object) -> None:
        found = parsed.get("Responses", {})
        batch = sum(map(len, found.values())) if isinstance(found, dict) else 0
        self.read += (
            (len(parsed.get("Items", ())) + batch + ("Item" in parsed)) if model.name != "TransactWriteItems" else 0
        )

    def told(self) -> str:
        """What was counted, and from zero again."""
        calls = self.calls.total()
        text = f"{calls} calls: {self.read} read, {self.written} written, {self.checked} checked"
        self.calls, self.read, self.written, self.checked = Counter(), 0, 0, 0
        return text


def cost() -> None:
    """Prints reads and writes of each kind of article at each size of the table."""
    print("| stories in the table | first report | second outlet | fortieth outlet | redelivered | no signal |")
    print("|---|---|---|---|---|---|")
    for size in SIZES:
        print(f"| {size:,} | " + " | ".join(costs(size)) + " |")


def costs(size: int, outlets: int = 40) -> Iterator[str]:
    """What each kind of article costs beside so many stories of others; the last but two is the one of the last outlet."""
    with LocalStack(TEMPLATE, {"SlackChannel": "C0BENCH", "SlackTokenSecret": "bench"}) as stack:
        client = stack.client("dynamodb")
        table, archive = (
            DynamoTable(client, stack.physical("Table")),
            S3Archive(stack.client("s3"), stack.physical("Bucket")),
        )
        detector = Detector(RULES, lambda: table, lambda: archive, lambda: NOON, None)
        _fill(detector, client, stack.physical("Table"), size)
        meter = Meter()
        meter.watch(client)

        def arrives(number: int, text: str = TEXT) -> str:
            published = NOON - timedelta(days=2) + timedelta(minutes=number)
            url = f"https://outlet{number}.example/1"
            article = Article(f"a{number}", f"{text} {number}", "News", f"Outlet {number}", url, published)
            assert detector.detect([("1", article)]) == []  # noqa: S101 - a bench stops when something fails
            return meter.told()

        yield arrives(1)
        yield arrives(2)
        for number in range(3, outlets):
            arrives(number)
        yield arrives(outlets)
        yield arrives(outlets)
        yield arrives(outlets + 1, "The weather stays mild until Friday.")


def _fill(detector: Detector, client: Any, name: str, size: int) -> None:
    """Fills the table with stories of others, of all ages."""
    if not size:
        return
    detector.detect(
        [("1", Article("x", TEXT.replace("Turkey", "France"), "News", "Outlet", "", NOON - timedelta(days=200)))]
    )
    items = client.scan(TableName=name)["Items"]
    (story,) = [item for item in items if item["pk"]["S"].startswith("STORY#")]
    for number in range(size):
        client.put_item(TableName=name, Item=story | {"pk": {"S": f"STORY#additional-deployment/x{number}/y"}})


# ── reach ────────────────────────────────────────────────────────────────────────────────────────────────────────────

BESIDE = (0, 1_000, 1_000_000)
"""Stories of others in the table that is asked."""
TRIED = (0, 2, 4)
"""So many of them are really told; how the partitions grow from two to four is how they go on."""
OTHERS = (("France", "Mali"), ("Italy", "Libya"), ("India", "Bhutan"), ("Japan", "Philippines"))
"""Who sends troops where."""


@dataclass(frozen=True, order=True)
class Access:
    """One way in which the table is asked, with a point of suspension for what is an article's or a story's own."""

    call: str
    key: str
    limit: float = 0
    """Items it asks for at most; 0: those of exact keys."""


@dataclass
class Reached:
    """Every access of a run, and how many items lie under its key: those it has to read, however few it wants."""

    found: dict[Access, int] = field(default_factory=dict)
    asked: list[tuple[Access, str, str]] = field(default_factory=list)
    """Accesses with the index and the partition they ask, to be counted in the end."""

    def note(self, call: str, given: dict[str, Any]) -> None:
        """One call of a DynamoDB client."""
        if call == "Query":
            values = [next(iter(value.values())) for value in given["ExpressionAttributeValues"].values()]
            key = " ".join(_pattern(value) for value in values)
            access = Access(f"Query {given.get('IndexName', '')}".strip(), key, given.get("Limit", 0) or math.inf)
            self.asked.append((access, given.get("IndexName", ""), values[0]))
        elif call == "Scan":
            raise AssertionError("the table is scanned")
        else:
            keys = list(_keys(given))
            for name in {_pattern(key) for key in keys}:
                access = Access(call, name)
                self.found[access] = max(self.found.get(access, 0), sum(_pattern(key) == name for key in keys))

    def counted(self, items: Sequence[dict[str, Any]]) -> dict[Access, int]:
        """How many items each access reaches among these."""
        found = dict(self.found)
        for access, index, partition in self.asked:
            attribute = {"": "pk", "due": "due_shard"}[index]
            under = sum(item.get(attribute, {}).get("S") == partition for item in items)
            found[access] = max(found.get(access, 0), under)
        return found


def _pattern(key: str) -> str:
    """`STORY#additional-deployment/turkey/syria` → `STORY#…`; a moment → `…`."""
    if key.replace(".", "").isdigit():
        return "…"
    return key.split("#", maxsplit=1)[0] + ("#…" if "#" in key else "")


def _keys(given: dict[str, Any]) -> Iterator[str]:
    """The partitions of the exact keys a call names."""
    for action in given.get("TransactItems", ()):
        yield from _keys(next(iter(action.values())))
    for table in given.get("RequestItems", {}).values():
        for key in table["Keys"] if isinstance(table, dict) else ():
            yield key["pk"]["S"]
    for name in ("Key", "Item"):
        if name in given:
            yield given[name]["pk"]["S"]


def reach() -> None:
    """Prints how the table is asked on an article's whole way to Slack, and how many items that reaches as it grows."""
    few, some, more = (_reached(others) for others in TRIED)
    each = {access: (more[access] - some.get(access, 0)) / (TRIED[2] - TRIED[1]) for access in more}
    print(
        "\n| call | key | "
        + " | ".join(f"{beside:,} stories beside" for beside in BESIDE)
        + " |\n|---|---|---|---|---|"
    )
    for access in sorted(more):
        base = few.get(access, more[access] - TRIED[2] * each[access])
        cells = [f"{min(base + each[access] * beside, access.limit or math.inf):,.0f}" for beside in BESIDE]
        print(f"| {access.call} | `{access.key}` | {' | '.join(cells)} |")


def _reached(others: int) -> dict[Access, int]:
    """What a story reaches beside so many others, all told and delivered: first report, second outlet, a copy, a calm article, the sweep."""
    seen = Reached()
    call: Any = vars(BaseClient)["_make_api_call"]  # where every client of boto3 asks
    watching = False

    def watched(client: BaseClient, name: str, given: dict[str, Any]) -> Any:
        if watching and client.meta.service_model.service_name == "dynamodb":
            seen.note(name, given)
        return call(client, name, given)

    with ExitStack() as undo:
        slack = undo.enter_context(LocalSlack())
        given = {
            "SlackChannel": CHANNEL,
            "SlackTokenSecret": SECRET,
            "SlackUrl": slack.url,
            "SecondsBetweenMessages": "0",
        }
        stack = undo.enter_context(LocalStack(TEMPLATE, given | {"RulesFolder": str(ROOT / "rules")}))
        keep_secret(stack.client, SECRET, slack.token)
        undo.enter_context(mock.patch.object(BaseClient, "_make_api_call", watched))
        pump = Pump(stack)

        def arrives(name: str, text: str) -> None:
            key = f"inbox/{name}.txt"
            stack.client("s3").put_object(Bucket=stack.physical("Bucket"), Key=key, Body=f"{text} {name}".encode())
            pump.drain()

        for number, (who, where) in enumerate(OTHERS[:others]):
            arrives(f"other-{number}", TEXT.replace("Turkey", who).replace("Syria", where))
        watching = True
        for name in ("first", "second", "first"):
            arrives(name, TEXT)
        arrives("calm", "The weather stays mild until Friday.")
        pump.fire("Sweep")
        pump.drain()
        watching = False
        if failed := [one.error for one in pump.invocations if one.error]:
            raise SystemExit(failed[0])
        return seen.counted(stack.client("dynamodb").scan(TableName=stack.physical("Table"))["Items"])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["cost", "compare"])
    parser.add_argument("--corpus", type=Path)
    options = parser.parse_args()
    if options.what == "cost":
        cost()
        reach()
    else:
        compare(case_of_corpus(options.corpus) if options.corpus else case_of_seeds())


if __name__ == "__main__":
    main()
