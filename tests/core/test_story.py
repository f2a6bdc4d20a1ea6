"""A story: its state is a set of reports, whatever the order in which they come."""

from __future__ import annotations

import json
import random
from dataclasses import asdict, replace
from functools import reduce
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.core.values import DAY, NOON, article, evidence, policy, report, signal, words
from tocsin.signal import STAGES, Figure, Stage
from tocsin.sources import SAME_TEXT, SHINGLE, SKETCH, shared, sketch
from tocsin.story import MAX_DENIALS, MAX_OUTLETS, MAX_REPORTS, Report, Story, Told, add, begin, identity, repeats

ITEM = 400_000
"""Bytes a table item may have, give or take the keys."""
HOSTILE = ['"', "\\", "\x01", "語", "😀", "x", "<", "\n"]
"""Characters that take one to six bytes in an item."""


def story_of(*reports: Report) -> Story:
    """The story that comes of these reports, in this order."""
    first, *rest = reports
    return reduce(add, rest, begin(signal(first.stage), first, policy(), 1))


def as_json(story: Story) -> Story:
    """A story written and read back."""
    return Story.from_json(json.loads(json.dumps(story.to_json())))


REPORTS = some.lists(
    some.builds(
        report,
        name=some.sampled_from([f"a{number}" for number in range(9)]),
        stage=some.sampled_from(STAGES),
        days=some.integers(-5, 5),
        source=some.sampled_from(["One", "Two", "Three"]),
        text=some.sampled_from([words("x"), words("y"), ""]),
    ),
    min_size=1,
    max_size=9,
    unique_by=lambda one: one.article,
)
"""Reports of distinct articles; some outlets print one text twice."""


@given(REPORTS, some.randoms())
def test_the_order_of_reports_makes_no_difference(reports: list[Report], chance: random.Random) -> None:
    """Articles that arrive in any order end in the same story."""
    shuffled = chance.sample(reports, len(reports))
    assert story_of(*shuffled) == story_of(*reports)


@given(REPORTS, some.data())
def test_a_report_that_comes_again_changes_nothing(reports: list[Report], data: some.DataObject) -> None:
    """A kept report that is delivered once more leaves the story as it was."""
    story = story_of(*reports)
    assert add(story, data.draw(some.sampled_from(story.reports))) == story


def test_all_orders_of_five_reports() -> None:
    """All 120 orders of five articles, two of them one text, end in one story."""
    reports = [
        report("a1"),
        report("a2", "done", 3),
        report("a3", "planned", -2),
        report("a4", "done", 1, source="Outlet a2", text=words("a2")),
        report("a5", days=2),
    ]
    assert len({story_of(*order) for order in permutations(reports)}) == 1


@pytest.mark.parametrize("seed", range(5))
def test_more_reports_than_are_kept(seed: int) -> None:
    """Beyond the reports a story keeps, and with reprints among them, the order still makes no difference."""
    chance = random.Random(seed)
    reports = [
        report(
            f"a{number}",
            chance.choice(STAGES),
            number % 7,
            source=f"Outlet {number % 70}",
            text=words(str(number % 50)),
        )
        for number in range(3 * MAX_REPORTS)
    ]
    ends = {story_of(*chance.sample(reports, len(reports))) for _ in range(4)}
    assert len(ends) == 1
    (story,) = ends
    assert len(story.reports) == MAX_REPORTS
    assert story.articles == 3 * MAX_REPORTS


def test_the_strongest_and_earliest_reports_are_kept() -> None:
    """When a story tells more than it keeps, the first words of its furthest stage stay."""
    early = [report(f"p{number:03}", "preparing", number) for number in range(MAX_REPORTS)]
    late = [report(f"d{number}", "done", 90 + number) for number in range(3)]
    kept = story_of(*early, *late).reports
    assert [one.article for one in kept[:3]] == ["d0", "d1", "d2"]
    assert [one.article for one in kept[3:]] == [f"p{number:03}" for number in range(MAX_REPORTS - 3)]


def test_a_dropped_report_that_comes_again_is_not_kept() -> None:
    """Beyond the limit a repetition changes nothing but the count of articles."""
    reports = [report(f"a{number:03}", days=number) for number in range(MAX_REPORTS + 5)]
    story = story_of(*reports)
    assert replace(add(story, reports[-1]), articles=story.articles) == story


@pytest.mark.parametrize("seed", range(3))
def test_more_outlets_than_are_named(seed: int) -> None:
    """Whatever the order, the same outlets are remembered, and no more than the limit."""
    reports = [report(f"a{number:03}") for number in range(MAX_OUTLETS + 20)]
    random.Random(seed).shuffle(reports)
    assert story_of(*reports).outlets == tuple(
        sorted(f"Outlet a{number:03}" for number in range(MAX_OUTLETS + 20))[:MAX_OUTLETS]
    )


def test_what_a_story_tells() -> None:
    """Furthest stage, first and last day, outlets and articles are those of all its reports."""
    story = story_of(report("a1", "preparing", 2), report("a2", "done", 5), report("a3", "planned", -1))
    assert story.stage == "done"
    assert story.first_seen == (NOON - DAY).isoformat()
    assert story.last_seen == (NOON + 5 * DAY).isoformat()
    assert story.outlets == ("Outlet a1", "Outlet a2", "Outlet a3")
    assert story.articles == 3


@pytest.mark.parametrize(
    ("reports", "best"),
    [
        pytest.param([("a1", "preparing", 0, "T"), ("a2", "done", 9, "T")], "a2", id="the furthest stage"),
        pytest.param([("a1", "done", 3, "T"), ("a2", "done", 1, "T")], "a2", id="then the earliest"),
        pytest.param([("a1", "done", 1, ""), ("a2", "done", 3, "T")], "a2", id="of those with a headline"),
        pytest.param([("a1", "done", 1, ""), ("a2", "done", 3, "")], "a1", id="unless none has one"),
        pytest.param([("a1", "planned", 0, "T"), ("a2", "preparing", 9, "T")], "a2", id="preparing before planned"),
        pytest.param([("b", "done", 1, "T"), ("a", "done", 1, "T")], "a", id="then by id"),
    ],
)
def test_the_report_that_is_shown(reports: list[tuple[str, Stage, float, str]], best: str) -> None:
    """An alert shows the earliest report of the furthest stage that has a headline."""
    assert (
        story_of(*(report(name, stage, days, title=title) for name, stage, days, title in reports)).best.article == best
    )


def test_flags_are_those_of_the_furthest_stage() -> None:
    """A flag of an earlier stage does not linger on the alert once the thing is done."""
    preparing = report("a1", flags=("no-immediate-sign", "figure-disputed"))
    planned = report("a2", "planned", 1, flags=("figure-disputed", "unconfirmed-by-party"))
    assert story_of(preparing, planned).flags == ("no-immediate-sign", "figure-disputed", "unconfirmed-by-party")
    assert story_of(preparing, planned, report("a3", "done", flags=("denied",))).flags == ("denied",)


def test_values_are_gathered_without_repetition() -> None:
    """Who says so is told once, however many outlets repeat it."""
    story = story_of(report("a1", says=("NIS", "JCS")), report("a2", "done", says=("JCS", "Kyiv")))
    assert story.gathered("says") == ("JCS", "Kyiv", "NIS")


# independent sources

TEXT = words("wire", 200)
REPRINT = TEXT + " " + words("desk", 40)


@pytest.mark.parametrize(
    ("first", "second", "independent"),
    [
        pytest.param({}, {}, 2, id="own texts"),
        pytest.param({"source": "One"}, {"source": "One"}, 1, id="one outlet, two texts"),
        pytest.param({"text": TEXT}, {"text": TEXT}, 1, id="the same text"),
        pytest.param({"text": TEXT}, {"text": REPRINT}, 1, id="a reprint with a paragraph of its own"),
        pytest.param({"text": TEXT}, {"text": TEXT.upper().replace(" ", "  ")}, 1, id="the same text set anew"),
        pytest.param(
            {"text": "SEOUL (AP) — " + words("x")}, {"text": "TOKYO (AP) — " + words("y")}, 1, id="same agency"
        ),
        pytest.param(
            {"text": "SEOUL (AP) — " + words("x")},
            {"text": "PARIS (Associated Press) " + words("y")},
            1,
            id="its full name",
        ),
        pytest.param(
            {"text": "SEOUL (AP) — " + words("x")}, {"text": "SEOUL (AFP) — " + words("y")}, 2, id="two agencies"
        ),
        pytest.param({"source": "Yonhap"}, {"text": "SEOUL (Yonhap) -- " + words("y")}, 1, id="the agency itself"),
        pytest.param({"source": "Associated Press"}, {"text": "SEOUL (AP) — " + words("y")}, 1, id="itself in full"),
        pytest.param(
            {"text": "Reuters - " + words("x")}, {"text": "LONDON (Reuters) " + words("y")}, 1, id="at the head"
        ),
        pytest.param(
            {"text": words("x") + " (AP)" * 9 + words("x")},
            {"text": words("y") + " (AP)" * 9 + words("y")},
            2,
            id="named far below",
        ),
        pytest.param({"text": words("x") + " (ANI)"}, {"text": words("y") + " (ANI)"}, 1, id="signed at the end"),
        pytest.param(
            {"text": words("x") + " © 2031 The Associated Press."},
            {"text": "OSLO (AP) — " + words("y")},
            1,
            id="its copyright",
        ),
        pytest.param(
            {"text": words("x") + " (Reporting by A B; editing by C D)"},
            {"text": "OSLO (Reuters) — " + words("y")},
            1,
            id="its desk",
        ),
        pytest.param({"text": "한국 뉴스"}, {"text": "другие новости"}, 2, id="scripts that are not folded"),
    ],
)
def test_independent_sources(first: dict[str, Any], second: dict[str, Any], independent: int) -> None:
    """Two outlets are two sources unless they print one text or one agency's copy."""
    story = story_of(report("a1", **first), report("a2", **second))
    assert story.independent == independent


def test_a_chain_of_copies_is_one_source() -> None:
    """Where one text is a copy of two that share little, all three are one source, in whatever order they come."""
    copy = words("x", 360).split()
    chain = [report(f"a{at}", text=" ".join(copy[at : at + 200])) for at in (0, 80, 160)]
    assert shared(chain[0].sketch, chain[2].sketch) < SAME_TEXT
    assert {story_of(*order).independent for order in permutations(chain)} == {1}


def test_five_outlets_two_sources() -> None:
    """Four reprints of an agency and one outlet with a text of its own are two sources."""
    wires = [report(f"w{number}", text=f"CITY{number} (Yonhap) -- {words(str(number))}") for number in range(4)]
    story = story_of(*wires, report("own"))
    assert (len(story.outlets), story.independent) == (5, 2)


def exact(one: str, other: str) -> float:
    """The share of common shingles, counted."""
    first, second = (
        {tuple(text.split()[at : at + SHINGLE]) for at in range(len(text.split()) - SHINGLE + 1)}
        for text in (one, other)
    )
    return len(first & second) / len(first | second)


@pytest.mark.parametrize("common", [0, 0.25, 0.5, 0.9, 1])
def test_the_estimated_share_is_close_to_the_exact_one(common: float) -> None:
    """Over a hundred pairs the estimate is right on average, and rarely further off than sampling explains."""
    chance = random.Random(7)
    off = []
    for _ in range(100):
        half = [f"w{chance.randrange(9_999)}" for _ in range(round(200 * common))]
        one, other = (
            " ".join(half + [f"w{chance.randrange(9_999)}" for _ in range(200 - len(half))]) for _ in range(2)
        )
        share = exact(one, other)
        off.append((shared(sketch(one), sketch(other)) - share, 4 * (share * (1 - share) / SKETCH) ** 0.5))
    assert abs(sum(error for error, _ in off)) / len(off) < 0.04  # four standard errors
    assert sum(abs(error) > bound + 1e-9 for error, bound in off) <= 1


@pytest.mark.parametrize(("common", "same"), [(0.1, False), (0.7, True)])
def test_reprints_are_told_from_independent_copy(common: float, same: bool) -> None:
    """Copy that shares a tenth of its phrases is its own in 99 of 100 cases; a reprint cut by a third is found as often."""
    chance = random.Random(11)
    found = 0
    for _ in range(200):
        text = [f"w{chance.randrange(99_999)}" for _ in range(400)]
        other = text[: round(800 * common / (1 + common))]  # then `common` is the share of the union
        other += [f"w{chance.randrange(99_999)}" for _ in range(400 - len(other))]
        found += shared(sketch(" ".join(text)), sketch(" ".join(other))) >= SAME_TEXT
    assert found >= 198 if same else found <= 2


@pytest.mark.parametrize("text", ["", "한국", "..."], ids=["nothing", "another script", "dots"])
def test_a_text_without_words_is_like_no_other(text: str) -> None:
    """Two articles whose text cannot be compared are not taken for one."""
    assert sketch(text) == ()
    assert shared(sketch(text), sketch(text)) == 0
    assert not repeats(report("a1", source="One", text=text), report("a2", source="One", text=text))


@given(some.text(max_size=300))
def test_a_text_is_all_its_own(text: str) -> None:
    """A text shares everything with itself, and its sketch stays small."""
    assert len(sketch(text)) <= SKETCH
    assert shared(sketch(text), sketch(text)) == bool(sketch(text))


# reports


def test_a_report_quotes_the_evidence() -> None:
    """The marks of a report are places in its quotation, not in the article."""
    quote = "Borduria is preparing to land."
    told = report("a1", evidence=evidence(quote, marks=((112, 121), (125, 129))))
    assert [told.quote[start:end] for start, end in told.marks] == ["preparing", "land"]


def test_the_time_of_a_report_is_utc() -> None:
    """Times are compared as text, so all are written in UTC."""
    tokyo = NOON.fromisoformat("2031-03-10T21:00:00+09:00")
    assert report("a1", published=tokyo).published == NOON.isoformat()


def test_an_article_without_a_source_is_of_an_unknown_outlet() -> None:
    """An outlet nobody named is shown as such."""
    assert report("a1", source="").outlet == "unknown outlet"


@pytest.mark.parametrize("character", HOSTILE)
@pytest.mark.parametrize("size", [0, 10, 1_200, 5_000])
def test_a_quotation_is_cut_not_changed(character: str, size: int) -> None:
    """What a report keeps of a long sentence is its beginning, and marks beyond it are dropped."""
    quote = character * size
    told = report("a1", evidence=evidence(quote, marks=tuple((100 + at, 101 + at) for at in range(0, size, 7))))
    assert quote.startswith(told.quote)
    assert size > 100 or told.quote == quote
    assert all(end <= len(told.quote) for _, end in told.marks)


def test_a_url_too_long_to_keep_is_left_out() -> None:
    """A link that was cut would lead astray; none is better."""
    assert report("a1", url="https://x.example/" + "y" * 2_000).url == ""


# storage


@given(REPORTS)
def test_a_story_survives_json(reports: list[Report]) -> None:
    """A story comes back from the table as it was written."""
    story = story_of(*reports)
    assert as_json(story) == story


def test_a_story_with_everything_survives_json() -> None:
    """Marks, figures, flags, alerts, the denial and the version are read back too."""
    told = report(
        flags=("denied",), says=("A",), relays=("B",), figures=(Figure("1 %", 1.0, "percent", "x", "+1 %", "why"),),
        evidence=evidence(marks=((101, 103),)),
    )  # fmt: skip
    anchor = Told("troops", "count", 1.0, 2.0, "1", "2", ("x",), NOON.isoformat())
    story = replace(story_of(told), alerted=("x",), told=(anchor,), posted=False, version=7, denials=(report("d"),))
    assert as_json(story) == story


@pytest.mark.parametrize("denial", [None, report("d")])
def test_a_story_of_an_earlier_version_is_read(denial: Report | None) -> None:
    """A row that knows one denial at most, the name of the episode before, and nothing of what was told is read all the same."""
    story = replace(story_of(report()), denials=(denial,) if denial else ())
    row = {**story.to_json(), "previous": "", "denial": denial and asdict(denial)}
    for name in ("denials", "told", "merged"):
        del row[name]
    assert as_json(replace(Story.from_json(row))) == story


@pytest.mark.parametrize("character", HOSTILE)
def test_a_story_fits_into_a_table_item(character: str) -> None:
    """Ten thousand reports with everything as long as it gets stay below 400 kB, whatever the characters."""
    long = character * 1_000
    many = tuple(f"{number}{long}" for number in range(50))
    slots = signal(who=long, where=long)
    figures = tuple(Figure(name, 1e300, long, long, long, long) for name in many)
    marks = tuple((at, at + 1) for at in range(100, 1_100))
    hostile = signal(
        "done",
        quote=long,
        flags=many,
        says=many,
        relays=many,
        figures=figures,
        evidence=evidence(long, "done", marks=marks),
    )
    one = Report.of(hostile, article(title=long * 2, url=f"https://x/{long}", text=long * 20))
    reports = [
        replace(
            one,
            article=f"{number:05}" + ("😀" * 295),
            outlet=f"{number:03}{one.outlet}"[: len(one.outlet)],
            sketch=(*one.sketch[1:], number),
        )
        for number in range(2 * MAX_OUTLETS)
    ]
    story = reduce(add, reports, begin(slots, one, policy(), 1))
    story = replace(story, alerted=tuple(f"{story.id}/{number}" for number in range(5)), denials=(one,) * MAX_DENIALS)
    assert len(story.reports) == MAX_REPORTS
    assert len(json.dumps(story.to_json(), ensure_ascii=False).encode()) < ITEM


def test_ten_thousand_reports_are_counted() -> None:
    """A story everybody tells stays small and still knows how many told it."""
    reports = [report(f"a{number:05}", quote="x" * 1_000) for number in range(300)]
    story = story_of(
        *(
            replace(reports[number % 300], article=f"a{number:05}", outlet=f"O{number}", sketch=(number,))
            for number in range(10_000)
        )
    )
    assert story.articles == 10_000
    assert len(json.dumps(story.to_json())) < ITEM / 2


# identity and episodes


@pytest.mark.parametrize(
    ("change", "same"),
    [
        pytest.param({"stage": "done"}, True, id="stage"),
        pytest.param({"certainty": "confirmed"}, True, id="certainty"),
        pytest.param({"flags": ("denied",)}, True, id="flags"),
        pytest.param({"says": ("Somebody",)}, True, id="source"),
        pytest.param({"what": "icbm"}, True, id="a slot the rule does not name"),
        pytest.param({"who": "syldavia"}, False, id="actor"),
        pytest.param({"where": None}, False, id="no place"),
    ],
)
def test_identity(change: dict[str, Any], same: bool) -> None:
    """Two signals are one story when the rule's slots agree; hedges, stage and source stay out of it."""
    assert (identity(replace(signal(), **change), policy()) == identity(signal(), policy())) is same


def test_long_slots_are_told_apart() -> None:
    """Names that differ only far behind are different stories, under keys of bounded length."""
    one, other = (identity(signal(who="x" * 5_000 + end), policy()) for end in "ab")
    assert one != other
    assert len(one) < 200


def test_a_story_has_the_slots_of_its_identity() -> None:
    """What two outlets may name differently is no part of the story: it must not depend on who came first."""
    story = begin(signal(what="icbm"), report(), policy(), 3)
    assert (story.who, story.where, story.what) == ("borduria", "syldavia", None)
    assert (story.id, story.previous) == ("landing/borduria/syldavia#3", "landing/borduria/syldavia#2")


def test_one_thing_under_two_words_is_one_story() -> None:
    """A missile and an ICBM are one identity where the rule says so, and the story shows the closer word."""
    rule = policy(same=("who", "what"), kinds=(("icbm", "missile"),))
    vague, close = signal(what="missile"), signal(what="icbm")
    assert identity(vague, rule) == identity(close, rule) != identity(signal(what="satellite"), rule)
    story = begin(vague, replace(report("a1"), what="missile"), rule, 1)
    assert story.slot("what") == "missile"
    assert add(story, replace(report("a2"), what="icbm")).slot("what") == "icbm"


def test_what_an_article_told() -> None:
    """A reply quotes the article that caused it, a denial too; one that is no longer kept gives way to the best."""
    story = replace(story_of(report("a1"), report("a2", "done")), denials=(report("a3"),))
    assert [story.told_by(name).article for name in ("a1", "a3", "gone")] == ["a1", "a3", "a2"]
