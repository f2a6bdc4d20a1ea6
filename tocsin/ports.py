"""What the steps of the pipeline need from the world: the protocols that `tocsin.adapters` and the test twins fulfil."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from tocsin.rulefiles import SHORT

if TYPE_CHECKING:  # each costs a start, and a function needs few of them
    from tocsin.article import Article
    from tocsin.cursor import Cursor, Part
    from tocsin.decide import Fate
    from tocsin.feed import Answer
    from tocsin.health import Kind
    from tocsin.silence import Silence
    from tocsin.story import Story
    from tocsin.subscription import Subscription

Clock = Callable[[], datetime]
"""Tells the time, in UTC."""


@dataclass(frozen=True, slots=True)
class Message:
    """What Slack is asked to show. `blocks` is Block Kit, `text` the full fallback; `metadata` proves whose it is."""

    text: str
    blocks: tuple[Mapping[str, Any], ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Posted:
    """Where a message stands in Slack."""

    channel: str
    ts: str


class Slack(Protocol):
    """A receiver of messages. Every method raises `Throttled`, `Rejected` or `Unknown` and nothing else."""

    def post(self, channel: str, message: Message, *, thread_ts: str | None = None, broadcast: bool = False) -> Posted:
        """Posts once, without any retry of its own; returns the channel id and ts Slack answered."""

    def update(self, posted: Posted, message: Message) -> None:
        """Replaces the whole message. `Rejected(kind="missing")` when a person deleted it."""

    def find(self, channel: str, alert: str, *, oldest: float, thread_ts: str | None = None) -> Posted | None:
        """The message whose metadata names `alert`, posted at or after `oldest` (epoch seconds), or None."""

    def copies(self, channel: str, alert: str, *, oldest: float, thread_ts: str | None = None) -> Sequence[Posted]:
        """All the messages `find` might have found: there should be one."""

    def delete(self, posted: Posted) -> None:
        """Removes a message. `Rejected(kind="missing")` when it is gone already or can never be removed."""

    def permalink(self, posted: Posted) -> str | None:
        """A link to the message, or None when Slack gives none."""


class Queue(Protocol):
    """The way of a feed to whoever asks it, or of an article to detection."""

    def send(self, bodies: Sequence[str]) -> None:
        """Sends every body, in batches; raises when any was not accepted, after trying the refused ones again."""


class Web(Protocol):
    """The only way out to the network for addresses that come from outside."""

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """One guarded GET, redirects included; `FetchFault` for everything that is not 200, 304 or 410."""


class Meter(Protocol):
    """Where figures about the running of Tocsin go."""

    def __call__(self, **values: Sequence[float]) -> None:
        """Tells the values of each figure by its name."""


def unmetered(**_values: Sequence[float]) -> None:
    """A `Meter` that tells nobody."""


class Archive(Protocol):
    """The bucket: dropped files, article batches, fates of articles that held no signal."""

    def read(self, key: str, *, limit: int) -> bytes:
        """The object's bytes; `InputFault` when it is gone or larger than `limit` bytes."""

    def metadata(self, key: str) -> Mapping[str, str]:
        """User metadata of the object, decoded."""

    def write(self, key: str, body: bytes) -> None:
        """Creates or replaces the object."""

    def keys(self, prefix: str) -> Sequence[str]:
        """The keys under a prefix, in order."""


@dataclass(frozen=True, slots=True)
class FateRecord:
    """What became of an article, as it is kept for 90 days. `signals` are JSON values, each with its decision."""

    article: str
    fate: Fate
    reason: str
    at: str
    rules: str
    title: str = ""
    source: str = ""
    signals: tuple[Mapping[str, Any], ...] = ()
    url: str = ""
    published: str = ""
    content: str = ""
    """See `Article.content`."""
    before: tuple[Mapping[str, Any], ...] = ()
    """Of an article that was edited: fate, reason, time and content of its earlier versions."""
    lacks: str = ""
    """See `Article.lacks`."""

    @classmethod
    def of(cls, article: Article, fate: Fate, reason: str, at: str, rules: str = "") -> FateRecord:
        """The fate of an article, without its signals."""
        published = article.published.isoformat() if article.published else ""
        return cls(
            article.id, fate, reason, at, rules, article.title, article.source, (), article.url, published, article.content, lacks=article.lacks
        )  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """JSON values that `from_json` reads back to an equal record."""
        return asdict(self)

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> FateRecord:
        """Reads what `to_json` wrote."""
        return cls(**{**row, "signals": tuple(row["signals"]), "before": tuple(row.get("before", ()))})


@dataclass(frozen=True, slots=True)
class Held:
    """An alert that a silence or the trial of its rule held back, for the digest of its day."""

    story: str
    """Id of the story."""
    reason: str
    """Why it would have been posted."""
    by: str
    """What held it: the detail of the decision."""
    kind: str
    """`silenced` or `shadow`."""
    rule: str
    text: str
    """The slots and the stage, as they are printed."""
    title: str
    outlet: str
    url: str
    at: str

    @property
    def day(self) -> str:
        """The UTC day whose digest lists it."""
        return self.at[:10]


@dataclass(frozen=True, slots=True)
class Wanted:
    """An alert a commit puts into the outbox: the root of a story (whole state), or one reply in its thread."""

    alert: str
    story: Story
    reply: Mapping[str, Any] | None = None
    """None: the root message shall show the story's present state. Else reason, detail and report of a reply."""
    level: str = ""
    """What waits is delivered in order of level."""


@dataclass(frozen=True, slots=True)
class Commit:
    """What is written at once or not at all."""

    fate: FateRecord | None = None
    stories: tuple[Story, ...] = ()
    """Stories as they shall be; each must still have the version it was read with."""
    alerts: tuple[Wanted, ...] = ()
    relied: tuple[tuple[str, int], ...] = ()
    """Stories that are only read: each must still have this version."""
    beside: tuple[tuple[str, int], ...] = ()
    """Stories beside which a new one begins: each must still have this version, which rises, so that whoever read it before reads again."""
    held: tuple[Held, ...] = ()
    replaces: str | None = None
    """Content of the version of the article whose fate this one takes the place of, because the article was edited."""
    address: str = ""
    """Under which the article is found again when it comes with another id."""
    article: str = ""
    """The id of the article at that address."""
    more: tuple[FateRecord, ...] = ()
    """Fates of other articles that have none yet."""


def digest_alert(day: str) -> str:
    """The id of the alert that is the digest of a UTC day."""
    return f"{DIGEST}{day}"


DIGEST = "digest/"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something about the running of Tocsin that the channel is told, together with what else the same hour brought."""

    about: str
    """Id of the feed."""
    kind: Kind
    name: str
    """The feed's outlet."""
    detail: str
    at: str

    @property
    def hour(self) -> str:
        """The UTC hour (2025-03-01T09) with whose notices it is told."""
        return self.at[:13]


def notices_alert(hour: str) -> str:
    """The id of the alert that is the notices of a UTC hour."""
    return f"{NOTICES}{hour}"


NOTICES = "notices/"
NOTICES_WAIT = timedelta(hours=1, minutes=5)
"""After the beginning of an hour, when its notices are told: none is written any more, whatever function still runs."""


@dataclass(frozen=True, slots=True)
class Bulletin:
    """Something about the running of Tocsin that the channel is told at once, in words: an alarm, or that it lives."""

    title: str
    lines: tuple[str, ...]
    level: str = "low"


MUTED = "muted by "
"""What the note of an alert begins with that waits for the end of a muted interval, and is not late."""
BULLETIN = "ops/"
"""What the ids of alerts that are bulletins begin with."""


@dataclass(frozen=True, slots=True)
class RulesInForce:
    """Which set of rules the functions use, since when, and who wanted it."""

    set: str
    """The hash that names its files; empty: the rules that were deployed."""
    by: str
    at: str
    note: str = ""
    before: str = ""
    """The set that was in force before, which stays so where this one cannot be used."""

    @property
    def version(self) -> str:
        """As it is printed."""
        return version_of(self.set)


def version_of(rules: str) -> str:
    """A set of rules as it is printed."""
    return rules[:SHORT] or "deployed"


@dataclass(frozen=True, slots=True)
class Tally:
    """What was read and rung on a UTC day: about, because what is counted twice by accident stays so."""

    day: str = ""
    articles: int = 0
    """Articles that were decided on, but for fresh ones."""
    alerts: int = 0
    rules: str = ""
    """The version of the rules that read last."""
    last_article: str = ""
    """When the last of these articles was read."""
    last_alert: str = ""
    """When the last alert was put into the outbox."""
    silent: int | None = None
    """Articles that the archive counts: fresh ones, and others in which no rule found anything. None until the next morning."""

    @property
    def read(self) -> int:
        """All articles."""
        return self.articles + (self.silent or 0)


@dataclass(frozen=True, slots=True)
class Backlog:
    """The alerts that should have been delivered by now."""

    waiting: int = 0
    since: datetime | None = None
    """From when on the one that waits longest should have been delivered."""
    doubtful: int = 0
    """Alerts of which nobody knows whether they were posted."""
    why: str = ""
    """What is noted of the one that waits longest."""


@dataclass(frozen=True, slots=True)
class Rolled:
    """A first report that was one too many for its rule, channel and hour: it is told in the list of the hour."""

    alert: str
    level: str
    text: str
    """The slots and the stage, as they are printed."""
    title: str
    outlet: str
    url: str


@dataclass(frozen=True, slots=True)
class Burst:
    """The list of the first reports of a rule that were too many for a channel within a UTC hour (2025-03-01T09)."""

    rule: str
    channel: str
    hour: str

    @property
    def alert(self) -> str:
        """The id of the alert that is this list."""
        return f"{BURST}{self.rule}/{self.channel}/{self.hour}"


BURST = "burst/"
BESIDE = "@"


def beside(alert: str, channel: str) -> str:
    """The id of an alert in a further channel; in its own, which is not said, the alert's id."""
    return f"{alert}{BESIDE}{channel}" if channel else alert


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """An alert waiting to be delivered, as one deliverer holds it. Times are epoch seconds."""

    alert: str
    story: str
    wanted: int
    shown: int = 0
    level: str = ""
    reply: Mapping[str, Any] | None = None
    channel: str = ""
    """Where it stands; while it does not, where a post was begun last."""
    ts: str = ""
    attempted_at: float | None = None
    """When a call was begun, by an earlier claim, whose outcome is not recorded."""
    plain: bool = False
    """Slack refused the blocks: show the text alone."""
    doubted_at: float | None = None
    """When the first post was begun that the history did not show, so that it was given up and begun anew."""
    rolled_into: str = ""
    """The alert that is the list which tells of it instead of a message of its own."""
    bulletin: Bulletin | None = None
    """What it says, when it is a bulletin."""
    further: tuple[str, ...] = ()
    """Other channels that routes which go on found for it: there it has a row, and a message, of its own."""
    begun_at: float | None = None
    """When this claim noted that a call begins, for `channel`; None: it did not."""

    @property
    def beside(self) -> str:
        """The channel in which it stands beside the alert it is of; empty for that alert itself."""
        return self.alert.partition(BESIDE)[2] if self.story else ""

    @property
    def burst(self) -> Burst | None:
        """The list of first reports it is; None for any other alert."""
        return Burst(*self.alert.removeprefix(BURST).split("/")) if self.alert.startswith(BURST) else None

    @property
    def digest(self) -> str | None:
        """The day whose digest it is; None for an alert of a story."""
        return self.alert.removeprefix(DIGEST) if self.alert.startswith(DIGEST) else None

    @property
    def notices(self) -> str | None:
        """The hour whose notices it is; None for any other alert."""
        return self.alert.removeprefix(NOTICES) if self.alert.startswith(NOTICES) else None


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of asking for a turn to show something in a channel: it was taken, or is free at another time."""

    until: datetime | None = None
    """When to ask again; None: the turn was taken."""
    shut: bool = False
    """Whether no channel has turns, because Slack refuses the token."""
    probe: bool = False
    """Whether this is the one call that finds out if Slack takes the token again."""


BEYOND = timedelta(hours=1)
"""How far ahead a turn may lie; one further ahead was given by a clock that was wrong."""


class Memory(Protocol):
    """Stories, fates and silences: what a decision needs."""

    def known(self, articles: Sequence[Article]) -> Mapping[str, FateRecord]:
        """The recorded fates of these articles by their id: each its own, else that of the article at its address. Consistent."""

    def record(self, fate: FateRecord) -> None:
        """Records the fate of an input that changes nothing else; a second time changes nothing."""

    def episodes(self, key: str) -> Sequence[Story]:
        """The few stories of an identity that were begun last, the last first, strongly consistent."""

    def story(self, story_id: str) -> Story | None:
        """One story, strongly consistent."""

    def silences(self, now: datetime) -> Sequence[Silence]:
        """The silences in force."""

    def commit(self, commit: Commit, now: datetime) -> None:
        """Writes it all; `Conflict` when a story changed meanwhile, the article has a fate other than the one expected, or another has the address."""

    def want(self, wanted: Wanted, now: datetime) -> None:
        """Puts an order into the outbox that only says what an alert shall show; nothing when as much was wanted before."""


class Table(Memory, Protocol):
    """What a decision needs, and the outbox."""

    def fate(self, article: str) -> FateRecord | None:
        """The recorded fate, strongly consistent."""

    def held(self, day: str) -> Sequence[Held]:
        """What was held back on a UTC day (2025-03-01), in order of stories."""

    def want_digest(self, day: str, now: datetime) -> bool:
        """Puts the digest of a day into the outbox; False when it was there already."""

    def announce(self, name: str, bulletin: Bulletin, now: datetime) -> bool:
        """Puts a bulletin into the outbox; False when one of that name was there already."""

    def count(self, tally: Tally, now: datetime) -> None:
        """Adds articles and alerts to the tally of the day, with the moment and the version of the rules."""

    def count_silent(self, day: str, articles: int) -> None:
        """Sets how many articles of a UTC day were silent; a second time changes nothing."""

    def tallies(self, days: Sequence[str]) -> Sequence[Tally]:
        """The tallies of these UTC days (2025-03-01) that have one, in order."""

    def backlog(self, now: datetime) -> Backlog:
        """The alerts that should have been delivered by now; of many, those that are due first."""

    def notices(self, hour: str) -> Sequence[Notice]:
        """What is to be told of a UTC hour (2025-03-01T09), in order of feeds."""

    def claim(
        self, alert: str, owner: str, now: datetime, lease: timedelta, *, begins: str | None = None
    ) -> OutboxRow | None:
        """Takes the row for `owner` until the lease ends; None when there is nothing to do or another owner has it.

        `begins`: unless the row tells of a call already, one to Slack is noted as begun now, for this channel if the row names none.
        """

    def turn(self, channel: str, now: datetime, pace: timedelta) -> Turn:
        """Takes the channel's turn, after which the next one is free a `pace` later; or says when to ask again."""

    def pause(self, channel: str, until: datetime) -> None:
        """Gives the channel no turns until then, unless it has none for longer already."""

    def shut(self, until: datetime) -> None:
        """Gives no channel any turn until then; after that one call may probe."""

    def reopen(self) -> None:
        """Gives turns again."""

    def room(self, burst: Burst, alert: str, most: int) -> bool:
        """Counts a first report among those of its rule, channel and hour; False when there are so many already without it."""

    def roll_up(self, row: OutboxRow, owner: str, burst: Burst, rolled: Rolled, now: datetime) -> None:
        """Puts an alert into the list of the hour instead of the channel, and the list into the outbox; `Conflict`."""

    def rolled(self, burst: Burst) -> Sequence[Rolled]:
        """What the list of an hour tells, in order of alerts."""

    def spread(self, row: OutboxRow, channel: str, now: datetime) -> None:
        """Wants of an alert in a further channel what is wanted of the alert; nothing when as much was wanted there before."""

    def spreads(self, alert: str, owner: str, channels: Sequence[str]) -> None:
        """Notes on a row to which further channels it spreads; `Conflict` when the row was lost to another owner."""

    def further(self, alert: str) -> Sequence[str]:
        """The further channels to which an alert spreads, strongly consistent."""

    def posting(self, alert: str, owner: str, now: datetime, channel: str) -> None:
        """Notes that a call to Slack begins, before it does, and for which channel. `Conflict` when the row was lost to another owner."""

    def delivered(self, alert: str, owner: str, posted: Posted, shown: int, *, audit: datetime | None = None) -> bool:
        """Notes what Slack shows now; False when the story has changed meanwhile and must be shown again.

        `audit` says when the row is doubtful, if nothing more is wanted of it until then.
        """

    def release(  # noqa: PLR0913 - what is known of the call
        self,
        alert: str,
        owner: str,
        due: datetime,
        *,
        surely_not_posted: bool,
        plain: bool = False,
        doubted_at: float | None = None,
        note: str = "",
    ) -> None:
        """Gives the row back, to be tried again when due. `surely_not_posted` forgets the call begun.

        `plain` is for good, and the first `doubted_at` is kept until the row is audited for the last time.
        """

    def bury(self, alert: str, owner: str, note: str) -> None:
        """Marks the row as undeliverable, with the reason."""

    def posted(self, alert: str) -> Posted | None:
        """Where an alert, or the list it was put into, stands in Slack, strongly consistent; None while it does not."""

    def due(self, now: datetime, limit: int) -> Sequence[str]:
        """Alerts whose time has come, those of a higher level first, and of one level the longest waiting."""

    def doubtful(self, now: datetime, limit: int) -> Sequence[OutboxRow]:
        """Delivered rows that are to be audited by now, the longest waiting first."""

    def audited(self, alert: str, again: datetime | None) -> None:
        """Notes that a doubtful row was audited, and when it is to be again; None: its doubt is over."""


class DeskTable(Table, Protocol):
    """The table as people use it: what they do about stories, and silences."""

    def once(self, name: str, now: datetime, until: datetime) -> bool:
        """Whether nobody said this name before, or only so long ago that it is forgotten; it is remembered until then."""

    def act(self, story: Story, shown: Wanted | None, silences: Sequence[Silence], now: datetime) -> None:
        """Writes a story over the version it was made from, an order to show it, and silences, all or nothing; `Conflict`."""

    def all_silences(self) -> Sequence[Silence]:
        """The silences in force, those to come, and those that ended yesterday or today."""

    def add_silence(self, silence: Silence) -> None:
        """Records a silence, in place of one with its id; it is forgotten a day after its end."""


class Forms(Protocol):
    """Forms that are shown to whoever pressed a button."""

    def open(self, trigger: str, form: Mapping[str, Any]) -> None:
        """Opens a form, within three seconds of the press; raises `Throttled`, `Rejected` or `Unknown`."""


class Responses(Protocol):
    """Answers that only the person sees who asked."""

    def respond(self, address: str, message: Message) -> None:
        """Answers at an address Slack gave for that; `InputFault` when it is none of Slack's, or too old."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A feed of the deployed list, and its place in the schedule."""

    feed: Subscription
    interval: timedelta
    """At which it is asked now."""
    place: int | None = None
    """The second of its interval at which its turn comes; None when it takes no turns."""
    due: datetime | None = None
    """When it is asked out of turn; None when it takes its turns, or has ended."""
    asked: datetime | None = None
    """When it was last sent off out of turn, or was asked before it began to take turns."""

    @property
    def ended(self) -> bool:
        """Whether it is not asked any more: its server said that it is gone for good, or reading it ended the function."""
        return self.place is None and self.due is None


@dataclass(frozen=True, slots=True)
class Round:
    """What one run of Due finds: the turns that have come since the last one."""

    since: datetime | None
    """Until when turns were sent off; None: this is the first round."""
    turns: Sequence[tuple[datetime, str]] = ()
    """The feeds whose turn has come, each once, in order."""


class Feeds(Protocol):
    """The list of feeds, their schedule, and how far each has been read."""

    def due(self, now: datetime, limit: int) -> Sequence[str]:
        """The feeds that are to be asked out of turn and whose time has come, those that wait longest first."""

    def asked(self, feed: str, now: datetime) -> None:
        """Notes that a feed was sent off out of turn: it is due again an interval later. Nothing happens when it is not due any more."""

    def round(self, now: datetime) -> Round:
        """The feeds whose turn has come since turns were sent off last."""

    def sent(self, found: Round, until: datetime) -> None:
        """Notes that the turns of a round were sent off until then, unless another run did so meanwhile."""

    def wait(self, feed: str, now: datetime) -> None:
        """Lets a feed wait out of turn: it is due as soon as those are through that wait longer."""

    def read(self, feeds: Sequence[str], *, consistent: bool = False) -> Mapping[str, tuple[Listed, Cursor]]:
        """Those of the feeds that are on the list, with their cursors (version 0: never read); a write of this very moment counts if consistent."""

    def save(self, cursor: Cursor, notices: Sequence[Notice] = ()) -> None:
        """Writes a cursor over the version it was made from, and puts notices into the outbox, all or nothing; `Conflict`."""

    def recall(self, feed: str) -> Sequence[Part]:
        """What was put aside of the entries of a feed."""

    def put_aside(self, feed: str, part: Part) -> None:
        """Writes a part, in the place of what stands in its slot."""

    def reschedule(self, feed: str, every: timedelta, place: int, now: datetime, due: datetime | None = None) -> None:
        """Has a feed on the list that was asked now and has not ended take its turns from now on; with `due` it is asked out of turn, then."""

    def resume(self, feed: str, every: timedelta, place: int, now: datetime, due: datetime | None = None) -> None:
        """As `reschedule`, of a feed that had been taken out of the schedule."""

    def move(self, feed: str, old: str, new: str) -> None:
        """Gives a feed another address, unless somebody gave it one that is not `old` meanwhile."""

    def end(self, feed: str) -> None:
        """Takes a feed out of the schedule; it stays on the list."""


class FeedList(Protocol):
    """The list of feeds, as it is looked through."""

    def all(self) -> Iterable[Listed]:
        """Every feed on the list, in order of ids."""

    def read(self, feeds: Sequence[str], *, consistent: bool = False) -> Mapping[str, tuple[Listed, Cursor]]:
        """See `Feeds.read`."""
