"""A year of forty stories, made up, with what must come of each: rises, denials, changed figures, reprints, late copies, quiet spells."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from tocsin.article import Article
from tocsin.signal import Stage

START = datetime(2025, 1, 6, 8, tzinfo=UTC)
STORIES = 40
_ACTORS = ["Turkey", "France", "India", "Iran", "Egypt", "Poland", "Germany", "Japan"]
_THEATRES = ["Libya", "Chad", "Niger", "Somalia", "Lebanon"]
_SAID: dict[Stage | str, str] = {
    "planned": "{who} plans to send {more}troops to {where}, officials said.",
    "preparing": "{who} is preparing to send {more}troops to {where}, officials said.",
    "done": "{who} has sent {more}troops to {where}, officials said on Sunday.",
    "denied": "{who} denied that it is preparing to send more troops to {where}.",
    "gone": "{who} and {where} signed an agreement on fishing, officials said.",
}


@dataclass(frozen=True, slots=True)
class Arrival:
    """An article with the moment it arrives and the alert it must raise: a reason, or nothing."""

    at: datetime
    article: Article
    story: str
    raises: str = ""


@dataclass
class _Script:
    """One story being written. Days count from the story's first."""

    number: int
    who: str
    where: str
    begins: datetime
    chance: random.Random
    written: int = 0

    @property
    def key(self) -> str:
        """The identity its story must have."""
        return f"additional-deployment/{self.who.lower()}/{self.where.lower()}"

    def tells(self, day: float, kind: str, raises: str = "", *, figure: str = "", late: float = 0) -> Arrival:
        """A new article of an outlet of its own, published on a day, arriving `late` days later."""
        self.written += 1
        more = f"{figure} more " if figure else "more "
        sentence = _SAID[kind].format(who=self.who, where=self.where, more=more)
        name = f"s{self.number}-{self.written}"
        text = f"{sentence} {self._filler(name)}"
        published = self.begins + timedelta(days=day)
        url = f"https://outlet{self.written}.example/{self.number}/{self.written}"
        article = Article(name, text, f"Notes of day {self.written}", f"Outlet {self.written}", url, published)
        return Arrival(published + timedelta(days=late), article, self.key, raises)

    def _filler(self, name: str) -> str:
        """A text that shares no phrase with that of another article."""
        return " ".join(f"Item {name}x{number} of the {name}y{number} list was read aloud." for number in range(8))


def year(seed: int = 1) -> list[Arrival]:
    """Everything that arrives in the year, in order of arrival."""
    chance = random.Random(seed)
    pairs = [(who, where) for who in _ACTORS for where in _THEATRES]
    found: list[Arrival] = []
    for number, (who, where) in enumerate(chance.sample(pairs, STORIES)):
        begins = START + timedelta(days=chance.randrange(0, 200), minutes=17 * number)
        found += _story(_Script(number, who, where, begins, chance), number)
    return sorted(found, key=lambda one: (one.at, one.article.id))


def _story(script: _Script, number: int) -> Iterator[Arrival]:
    """One story; its number says what it goes through, so that every turn and every pair of turns comes up."""
    first = script.tells(0, "planned" if number % 5 == 0 else "preparing", "first_report", figure="3,000")
    yield first
    yield script.tells(0.5, "preparing", figure="3,200")
    yield from _noise(script, first, number)
    if number % 3 == 0:
        yield script.tells(3, "denied", "disputed")
        yield script.tells(3.5, "denied")
    if number % 4 < 2:
        yield script.tells(4, "preparing", "material_change", figure="10,000")
        yield script.tells(6, "preparing", figure="9,500")
    if number % 2 == 0:
        rise = script.tells(8, "done", "stage_up")
        yield rise
        yield script.tells(9, "done")
        yield script.tells(9.5, "preparing")
        yield script.tells(2, "preparing", late=8)
    if number % 7 == 0:
        wrong = script.tells(8.4, "preparing", figure="3,000")
        yield wrong
        gone = _SAID["gone"].format(who=script.who, where=script.where)
        edited = replace(wrong.article, text=gone + wrong.article.text[wrong.article.text.index(" Item") :])
        yield Arrival(wrong.at + timedelta(days=1), edited, script.key, "corrected")
    if number % 6 == 2:  # another deed, some days after the one that was planned
        yield script.tells(14, "done", "first_report")
        yield script.tells(15, "done")
    if number % 6 == 3:  # the same again after a fortnight: another development
        yield script.tells(22, "preparing", "first_report")
        yield script.tells(23, "planned")
    if number % 6 == 1:
        yield script.tells(13 + 61 + number % 3, "preparing", "first_report")
        yield script.tells(13 + 62 + number % 3, "done", "stage_up")


def _noise(script: _Script, first: Arrival, number: int) -> Iterator[Arrival]:
    """What must ring nothing: reprints, reposts, links with tracking, new headlines, redeliveries."""
    one = first.article
    later = first.at + timedelta(days=1)
    reprint = replace(one, id=f"{one.id}-r", source="Reprint Daily", url=f"https://reprint.example/{number}")
    yield Arrival(later, reprint, script.key)
    yield Arrival(later, replace(one, id=f"{one.id}-g", url=f"{one.url}?utm_source=rss"), script.key)
    yield Arrival(
        later, replace(one, id=f"{one.id}-h", url=one.url.replace("https://", "http://www.") + "/"), script.key
    )
    yield Arrival(later, replace(one, title="Another headline"), script.key)
    yield Arrival(later + timedelta(days=1), one, script.key)
    wire = script.tells(1.5, "preparing")
    for outlet in range(3):
        agency = replace(wire.article, id=f"{wire.article.id}-{outlet}", source=f"Paper {outlet}", url="")
        yield Arrival(wire.at, replace(agency, text=f"{one.source.upper()} (AP) — {agency.text} {outlet}"), script.key)
