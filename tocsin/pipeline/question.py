"""Answers what people ask in Slack: the slash command, and why there was an alert."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import islice

from tocsin import health, message, silencing, why
from tocsin.compiled import RuleSet
from tocsin.cursor import Cursor
from tocsin.errors import InputFault
from tocsin.ports import Clock, DeskTable, FeedList, Listed, Message, Responses
from tocsin.silence import Silence

log = logging.getLogger("tocsin")

MAX_FEEDS = 1_000
"""Feeds of the list that are looked at."""
MAX_DUE = 100
_TOGETHER = 100
_NOT_HERE = (
    "nothing is kept of {target}, or it held no signal: `tocsin why` on the command line looks into the archive, too"
)


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asked, on its way to be answered at the address Slack gave for it."""

    text: str
    by: str
    name: str
    respond_at: str
    at: str

    def to_json(self) -> str:
        """A queue message."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, body: str) -> Question:
        """Reads what `to_json` wrote."""
        return cls(**json.loads(body))


@dataclass(frozen=True, slots=True)
class Answerer:
    """Answers questions. One that is asked twice is answered twice; the silence it adds is one."""

    rules: Callable[[], RuleSet]
    remembered: why.Remembered
    table: DeskTable
    feeds: FeedList
    responses: Responses
    clock: Clock

    def answer(self, question: Question) -> None:
        """Answers where Slack wants the answer; what cannot be answered is said, too."""
        try:
            lines = list(self._lines(question))
        except InputFault as fault:
            lines = [str(fault)]
        self._respond(question, message.answer(lines))

    def _respond(self, question: Question, told: Message) -> None:
        try:
            self.responses.respond(question.respond_at, told)
        except InputFault as fault:
            log.warning("an answer was not given: %s", fault)

    def _lines(self, question: Question) -> Iterator[str]:
        verb, _, rest = question.text.strip().partition(" ")
        match verb.lower():
            case "why":
                return self._why(_unlinked(rest.strip()))
            case "silence":
                return self._silence(rest.split(), question)
            case "rules":
                return self._rules()
            case "feeds":
                return self._feeds()
        return self._status()

    def _why(self, target: str) -> Iterator[str]:
        if not target:
            raise InputFault("say what: /tocsin why, and an article's URL or id, or a story's id")
        try:
            yield from why.answer(target, None, self.remembered, self.rules().policy)
        except InputFault as fault:
            raise InputFault(_NOT_HERE.format(target=repr(target[:200]))) from fault

    def _silence(self, words: list[str], question: Question) -> Iterator[str]:
        verb, *rest = words or ["list"]
        match verb.lower():
            case "list":
                return self._silences()
            case "add":
                return self._silence_added(rest, question)
            case "expire":
                return self._silences_ended(rest, datetime.fromisoformat(question.at))
        raise InputFault(f"{verb!r} is nothing to do with a silence", mend="write list, add or expire")

    def _silences(self) -> Iterator[str]:
        known = sorted(self.table.all_silences(), key=lambda one: (one.ends, one.id))
        now = self.clock()
        yield from (f"{one.id}  {silencing.state(one, now)}: {silencing.told(one)}" for one in known)
        if not known:
            yield "no silence"

    def _silence_added(self, words: list[str], question: Question) -> Iterator[str]:
        pairs = [word for word in words[1:] if "=" in word]
        if not words or not pairs:
            raise InputFault(
                "say how long, what, and why: /tocsin silence add 7d rule=alert-posture who=poland exercise"
            )
        begins = datetime.fromisoformat(question.at).replace(microsecond=0)
        ends = begins + silencing.period(words[0])
        comment = " ".join(word for word in words[1:] if "=" not in word) or "no reason was given"
        matchers = [silencing.matcher(pair, self.rules()) for pair in pairs]
        silence = silencing.silence(matchers, begins, ends, question.name or question.by, comment)
        self.table.add_silence(silence)
        yield f"{silence.id}  {silencing.told(silence)}"

    def _silences_ended(self, names: list[str], now: datetime) -> Iterator[str]:
        known = {one.id: one for one in self.table.all_silences()}
        if not names or (unknown := [name for name in names if name not in known]):
            raise InputFault(
                f"there is no silence {', '.join(unknown) if names else ''}".strip(),
                mend="/tocsin silence list shows them",
            )
        for name in names:
            self._end(known[name], now.replace(microsecond=0))
            yield f"{name}  ended"

    def _end(self, silence: Silence, now: datetime) -> None:
        if silence.ends > now:
            self.table.add_silence(replace(silence, begins=min(silence.begins, now), ends=now))

    def _rules(self) -> Iterator[str]:
        for rule in self.rules().rules:
            policy = rule.policy
            trial = "" if policy.posted else f" ({policy.status}: recorded, not posted)"
            yield f"{policy.name}: {policy.title}{trial}, @{policy.version}"

    def _feeds(self) -> Iterator[str]:
        states = self._states()
        yield _counted(Counter(state for _, state, _ in states))
        yield from (f"{name}: {state}: {reason}" for name, state, reason in states if state not in {"well", "new"})

    def _states(self) -> list[tuple[str, str, str]]:
        """Each feed of the list, how it is, and why."""
        now = self.clock()
        names = [one.feed.id for one in islice(self.feeds.all(), MAX_FEEDS)]
        found: dict[str, tuple[Listed, Cursor]] = {}
        for first in range(0, len(names), _TOGETHER):
            found |= self.feeds.read(names[first : first + _TOGETHER])
        return [(found[one][0].feed.name, *health.standing(found[one][1].health, now)) for one in names if one in found]

    def _status(self) -> Iterator[str]:
        now = self.clock()
        due = len(self.table.due(now, MAX_DUE))
        yield f"alerts due and not delivered: {f'{MAX_DUE} or more' if due == MAX_DUE else due}"
        yield f"silences in force: {len(self.table.silences(now))}"
        yield f"rules: {len(self.rules().rules)}"
        yield f"feeds: {_counted(Counter(state for _, state, _ in self._states()))}"


def _counted(states: Counter[str]) -> str:
    return ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "no feed"


def _unlinked(text: str) -> str:
    """An address without what Slack puts around it."""
    return text[1:-1].partition("|")[0] if text.startswith("<") and text.endswith(">") else text
