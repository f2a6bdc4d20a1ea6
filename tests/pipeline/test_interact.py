"""What people do in Slack: who is believed, what a press changes, and what is answered to whom."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from infra.local.person import SIGNING_SECRET, Person, Sealed, seal
from infra.local.slack import APP, TEAM, Delay, ErrorCode, LocalSlack
from tests.system import System, World, rule_set, seed_articles, system
from tests.twins import CHANNEL, Clock, MemoryArchive, MemoryFeeds, MemoryQueue, MemoryTable
from tocsin.adapters.gateway import answer_of, request_of
from tocsin.adapters.slack_desk import SlackForms, SlackResponses
from tocsin.article import Article
from tocsin.errors import InputFault, Unknown
from tocsin.memory import Kept
from tocsin.pipeline.deliver import Deliverer
from tocsin.pipeline.interact import HELP, Interactor
from tocsin.pipeline.question import Answerer, Question
from tocsin.pipeline.receive import Reply, Request, Trusted
from tocsin.ports import Message, Wanted
from tocsin.story import Story

TEXT = "North Korea is preparing to send more troops to Russia, Seoul said on Friday."
STORY = "additional-deployment/north-korea/russia#1"


@dataclass
class Known:
    """The signing secret, at hand and where it is kept."""

    value: str = SIGNING_SECRET

    def __call__(self) -> str:
        """The secret as it was last fetched."""
        return self.value

    def refresh(self) -> str:
        """The secret as it is now."""
        return self.value


@dataclass
class Token:
    """The bot token of a local Slack."""

    slack: LocalSlack

    def __call__(self) -> str:
        """The token at hand."""
        return self.slack.token

    def refresh(self) -> str:
        """The token fetched anew."""
        return self.slack.token


@dataclass
class Desk:
    """A story's message in a local Slack, and what takes what is done there, on the twins."""

    slack: LocalSlack
    world: World = field(default_factory=World)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    feeds: MemoryFeeds = field(default_factory=MemoryFeeds)
    team: str = ""
    app: str = ""

    def __post_init__(self) -> None:
        self.slack._clock = lambda: self.clock().timestamp()  # noqa: SLF001 - one clock for both

    @property
    def clock(self) -> Clock:
        """The one clock."""
        return self.world.clock

    @property
    def table(self) -> MemoryTable:
        """The one table."""
        return self.world.table

    @property
    def archive(self) -> MemoryArchive:
        """The one bucket."""
        return self.world.archive

    def person(self, name: str = "ana", **changes: Any) -> Person:
        """A member of the workspace."""
        return Person(self.slack, f"U0{name.upper()}", name, clock=lambda: self.clock().timestamp(), **changes)

    @property
    def interactor(self) -> Interactor:
        """What takes requests."""
        forms = SlackForms(self.slack.url, Token(self.slack), timeout=0.5)
        secret = Trusted(Known(), self.clock)
        return Interactor(secret, self.table, self.archive, self.queue, forms, self.clock, self.team, self.app)

    def take(self, sealed: Sealed) -> Reply:
        """A request arrives."""
        return self.interactor.interact(Request(sealed.headers, sealed.body, "192.0.2.1"))

    def arrive(self, *articles: Article) -> None:
        """Articles are decided on and delivered."""
        assert self.world.arrive(*articles) == []
        self.deliver()

    def deliver(self) -> None:
        """What is wanted is delivered, with buttons, into the local Slack, some seconds after what was posted last: the turn is free."""
        self.world.clock.move(seconds=3)
        self.deliverer().deliver(self.world.hints())

    def deliverer(self) -> Deliverer:
        """Delivers into the local Slack, with buttons."""
        from tocsin.adapters.slack import SlackWorkspace

        slack = SlackWorkspace(self.slack.url, Token(self.slack))
        return replace(self.world.deliverer(slack=slack), buttons=True)

    @property
    def root(self) -> Any:
        """The one root message."""
        return self.slack.messages(CHANNEL)[0]

    def press(self, button: str, name: str = "ana") -> Reply:
        """Somebody presses a button of the root message."""
        return self.take(self.person(name).press(CHANNEL, self.root.ts, button))

    def answer(self) -> str:
        """The questions on the queue are answered; the text of the last answer."""
        for body in self.queue.bodies:
            self.answerer().answer(Question.from_json(body))
        self.queue.bodies.clear()
        return "\n".join(block["text"]["text"] for block in self.slack.told[-1].blocks)

    def answerer(self) -> Answerer:
        """What answers questions."""
        responses = SlackResponses(self.slack.url)
        return Answerer(rule_set, Kept(self.table, None), self.table, self.feeds, responses, self.clock)

    def asked(self, text: str) -> str:
        """Somebody types the slash command; what they are answered."""
        reply = self.take(self.person().type(text))
        assert reply.status == 200
        return str(reply.body["text"]) if reply.body else self.answer()

    @property
    def story(self) -> Story:
        """The one story."""
        return self.table.stories[STORY]


def article(name: str = "one", text: str = TEXT, **changes: Any) -> Article:
    """An article of today."""
    return Article(
        name, text, f"Title {name}", f"Outlet {name}", f"https://news.example/{name}", Clock().now, **changes
    )


@pytest.fixture
def desk() -> Iterator[Desk]:
    """A desk that was told of one story."""
    with LocalSlack() as slack:
        ready = Desk(slack)
        ready.arrive(article())
        yield ready


# Who is believed


def tampered(sealed: Sealed, body: bytes | None = None, **headers: str) -> Sealed:
    """A request after somebody had it in hand."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return Sealed({**sealed.headers, **told}, sealed.body if body is None else body)


FORGED: Mapping[str, Callable[[Sealed], Sealed]] = {
    "no headers": lambda one: Sealed({}, one.body),
    "another body": lambda one: tampered(one, one.body + b"x"),
    "not UTF-8": lambda one: tampered(one, b"\xff"),
    "no number": lambda one: tampered(one, x_slack_request_timestamp="yesterday"),
    "not ASCII": lambda one: tampered(one, x_slack_signature="v0=" + "é" * 64),
    "half a character": lambda one: tampered(one, x_slack_signature="\ud83d"),
    "another secret": lambda one: seal(one.body, float(one.headers["x-slack-request-timestamp"]), "another"),
    "an hour old": lambda one: seal(one.body, float(one.headers["x-slack-request-timestamp"]) - 3600),
    "huge": lambda one: seal(b"x" * 2_000_000, float(one.headers["x-slack-request-timestamp"])),
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_forged_requests_change_nothing(desk: Desk, forge: Callable[[Sealed], Sealed]) -> None:
    """Whatever is wrong with a request, the answer is 401 in the same words, and the story is as it was."""
    pressed = desk.person().press(CHANNEL, desk.root.ts, "acknowledge")
    reply = desk.take(forge(pressed))
    assert (reply.status, reply.body) == (401, desk.take(Sealed({}, b"")).body)
    assert desk.story.actions == ()


def test_a_request_is_taken_once(desk: Desk) -> None:
    """Whoever overhears a press cannot play it again, not even within the five minutes."""
    asked = desk.person().type("status")
    assert desk.take(asked).status == 200
    desk.clock.move(minutes=4)
    assert desk.take(asked).status == 401
    assert len(desk.queue.bodies) == 1


def test_a_sealed_request_that_cannot_be_read_is_bad_input(desk: Desk) -> None:
    """It is Slack's, but nothing we know: 400."""
    assert desk.take(seal(b"\xff", desk.clock().timestamp())).status == 400
    assert desk.take(seal(b"{}", desk.clock().timestamp(), kind="text/plain")).status == 400


def test_only_the_own_workspace_and_app_are_heard(desk: Desk) -> None:
    """Where a workspace or an app is named, others are refused, though they sign with the same secret."""
    desk.team, desk.app = TEAM, APP
    assert desk.press("acknowledge").status == 200
    for desk.team, desk.app in (("T0OTHER", APP), (TEAM, "A0OTHER")):
        assert desk.press("silence").status == 401
        assert desk.take(desk.person().type("status")).status == 401
    assert [action.kind for action in desk.story.actions] == ["acknowledged"]


def test_slack_is_told_that_we_are_here(desk: Desk) -> None:
    """The look at the certificate needs no seal; the challenge does."""
    assert (
        desk.take(Sealed({"content-type": "application/x-www-form-urlencoded"}, b"ssl_check=1&token=x")).status == 200
    )
    challenge = b'{"type": "url_verification", "challenge": "word"}'
    sealed = seal(challenge, desk.clock().timestamp(), kind="application/json")
    assert desk.take(sealed) == Reply(200, {"challenge": "word"})
    assert desk.take(Sealed({"content-type": "application/json"}, challenge)).status == 401


# What a press changes


def test_an_acknowledgement_shows_in_the_message(desk: Desk) -> None:
    """Who and when; the message is edited in place, and nobody is pinged."""
    assert desk.press("acknowledge").status == 200
    desk.deliver()
    assert len(desk.slack.messages(CHANNEL)) == 1
    assert "*Acknowledged* by ana, 1 Mar 2025 09:00 UTC" in desk.root.text


def test_presses_that_come_again_change_nothing(desk: Desk) -> None:
    """The first acknowledgement stands, whoever presses after; no further edit is made."""
    for name in ("ana", "ben", "ana"):
        desk.press("acknowledge", name)
        desk.deliver()
        desk.clock.move(minutes=1)
    assert [(action.kind, action.name) for action in desk.story.actions] == [("acknowledged", "ana")]
    assert len(desk.root.versions) == 2


def test_presses_at_the_same_moment_are_both_kept(desk: Desk) -> None:
    """One that loses against another writer reads again and tries again."""

    class Busy(MemoryTable):
        rivals = 2

        def act(self, story: Story, shown: Wanted | None, silences: Any, now: Any) -> None:
            if Busy.rivals:
                Busy.rivals -= 1
                desk.press("silence" if Busy.rivals else "acknowledge", "ben")
            super().act(story, shown, silences, now)

    busy = Busy()
    busy.__dict__ = desk.table.__dict__
    desk.world.table = busy
    assert desk.press("acknowledge").status == 200
    assert {action.kind for action in desk.story.actions} == {"acknowledged", "silenced"}


def test_a_press_during_a_report_loses_neither(desk: Desk) -> None:
    """An article that is decided on meanwhile is counted, and the press stands."""
    desk.press("acknowledge")
    desk.arrive(article("two", "Seoul says North Korea is getting ready to send additional troops to Russia."))
    assert desk.root.text.count("*Acknowledged*") == 1
    assert "2 outlets" in desk.root.text


@pytest.mark.parametrize("order", list(permutations(["acknowledge", "silence", "irrelevant"])))
def test_the_order_of_presses_makes_no_difference(desk: Desk, order: tuple[str, ...]) -> None:
    """Whatever is pressed first, the message is the same in the end."""
    for button in order:
        desk.press(button)
        if button == "irrelevant":
            desk.take(desk.person().send(desk.slack.forms[-1], "past"))
    desk.deliver()
    assert [line.split(",")[0] for line in desk.root.blocks[-3]["text"]["text"].split("\n")] == [
        "*Acknowledged* by ana",
        "*Silenced* until 2 Mar 2025 09:00 UTC by ana",
        "*Not relevant*",
    ]


DENIAL = "North Korea denied that it is preparing to send more troops to Russia, state media said."


def test_a_silence_holds_back_the_story_for_a_day(desk: Desk) -> None:
    """A silenced story does not ring when it moves on, and another one does; the silence names who asked for it, and ends."""
    desk.press("silence")
    desk.deliver()
    assert "*Silenced* until 2 Mar 2025 09:00 UTC by ana" in desk.root.text
    (silence,) = desk.table.silences(desk.clock())
    assert dict(silence.matchers) == {"rule": "additional-deployment", "who": "north-korea", "where": "russia"}
    assert (silence.author, silence.ends - silence.begins) == ("ana", timedelta(hours=24))
    desk.arrive(article("denial", DENIAL))
    assert desk.table.fates["denial"].fate == "silenced"
    assert len(desk.slack.messages(CHANNEL)) == 1
    desk.arrive(article("poland", "Poland is preparing to send more troops to Lithuania, Warsaw said."))
    assert len(desk.slack.messages(CHANNEL)) == 2
    desk.clock.move(hours=24)
    assert desk.table.silences(desk.clock()) == []


def test_without_a_silence_the_story_rings_when_it_moves_on(desk: Desk) -> None:
    """An acknowledgement holds nothing back."""
    desk.press("acknowledge")
    desk.arrive(article("denial", DENIAL))
    assert len(desk.slack.messages(CHANNEL)) == 2


def test_a_silence_of_materiel_that_is_one_thing_covers_all_its_words(desk: Desk) -> None:
    """A rocket and a missile are one story, so a silence of it holds back reports of either."""
    desk.arrive(article("launch", "Iran is preparing to launch a spy satellite, officials said."))
    launch = next(one for one in desk.slack.messages(CHANNEL) if "launch-preparation" in one.text)
    desk.take(desk.person().press(CHANNEL, launch.ts, "silence"))
    story = next(one for one in desk.table.stories.values() if one.rule == "launch-preparation")
    silenced = {dict(one.matchers)["what"] for one in desk.table.silences(desk.clock())}
    assert silenced == set(story.kinds or (story.what,))


def test_a_press_on_a_story_that_is_gone_does_no_harm(desk: Desk) -> None:
    """A message may outlive its story."""
    pressed = [desk.person().press(CHANNEL, desk.root.ts, button) for button in ("acknowledge", "why", "irrelevant")]
    desk.table.stories.clear()
    assert [desk.take(one).status for one in pressed] == [200, 200, 200]
    assert (desk.queue.bodies, desk.slack.forms) == ([], [])


# Not relevant


def test_what_is_not_relevant_becomes_a_test_for_the_rule(desk: Desk) -> None:
    """The form asks why; what is sent marks the story and leaves its sentence in the bucket, as a test to be copied."""
    assert desk.press("irrelevant").status == 200
    (form,) = desk.slack.forms
    assert "preparing" in form["blocks"][0]["text"]["text"]
    assert desk.story.actions == ()
    assert desk.take(desk.person().send(form, "past", "That was <!here> *last* year")) == Reply(200, {})
    desk.deliver()
    assert "*Not relevant*, says ana, 1 Mar 2025 09:00 UTC: It tells of something long past." in desk.root.text
    assert "&lt;!here&gt; *\u200blast*\u200b year" in desk.root.text
    (key,) = desk.archive.keys("feedback/")
    assert key == "feedback/additional-deployment/2025-03-01-additional-deployment-north-korea-russia-1.json"
    kept = json.loads(desk.archive.read(key, limit=10_000))
    assert (kept["sentence"], kept["reason"], kept["by"]) == (TEXT, "past", "ana")
    assert kept["test"] == f'tests:\n  silent:\n    - "{TEXT}"\n'


def test_a_form_that_cannot_be_opened_is_no_success(desk: Desk) -> None:
    """Slack shows whoever pressed that something went wrong."""
    desk.slack.fail_next("views.open", ErrorCode("expired_trigger_id"))
    with pytest.raises(Unknown):
        desk.press("irrelevant")


def test_slack_is_not_waited_for_longer_than_it_waits(desk: Desk) -> None:
    """A form that Slack is slow to open is given up."""
    desk.slack.fail_next("views.open", Delay(1.0))
    with pytest.raises(Unknown):
        desk.press("irrelevant")


# Questions


def test_why_is_answered_to_whoever_asked(desk: Desk) -> None:
    """The trace of `tocsin why` goes to the asker alone; the channel sees nothing of it."""
    assert desk.press("why") == Reply(200, {})
    answer = desk.answer()
    assert answer.startswith(f"story {STORY}: ")
    assert "Outlet one" in answer
    assert desk.slack.told[-1].sent["response_type"] == "ephemeral"
    assert desk.slack.told[-1].sent["replace_original"] is False
    assert len(desk.root.versions) == 1


def test_why_tells_of_an_article(desk: Desk) -> None:
    """By its address, as Slack writes it, or its id; what is not kept is said, with where else to look."""
    for target in ("https://news.example/one", "<https://news.example/one|news.example>", "one"):
        assert desk.asked(f"why {target}").startswith("article one (")
    assert "nothing is kept of 'two'" in desk.asked("why two")
    assert "/tocsin why, and an article" in desk.asked("why")


def test_status_says_what_waits(desk: Desk) -> None:
    """Alerts, silences, rules and feeds in four lines."""
    assert desk.asked("status").split("\n") == [
        "alerts due and not delivered: 0",
        "silences in force: 0",
        f"rules: {len(rule_set().rules)}",
        "feeds: no feed",
    ]
    desk.press("silence")
    assert "silences in force: 1" in desk.asked("status")
    assert "alerts due and not delivered: 1" in desk.asked("STATUS")


def test_silences_are_added_listed_and_ended(desk: Desk) -> None:
    """As on the command line, with the same checks; what is asked twice is there once."""
    assert desk.asked("silence list") == "no silence"
    added = desk.asked("silence add 7d rule=alert-posture who=poland announced *exercise*")
    assert "rule=alert-posture who=poland · 2025-03-01 09:00 to 2025-03-08 09:00 UTC · ana: announced" in added
    asked = desk.person().type("silence add 7d rule=alert-posture who=poland announced *exercise*")
    desk.take(asked)
    desk.queue.bodies *= 2
    desk.answer()
    (silence,) = desk.table.silences(desk.clock())
    assert silence.comment == "announced *exercise*"
    assert desk.asked("silence").startswith(f"{silence.id} in force: rule=alert-posture")
    desk.clock.move(minutes=1)
    assert desk.asked(f"silence expire {silence.id}") == f"{silence.id} ended"
    assert desk.table.silences(desk.clock()) == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("silence add", "say how long, what, and why"),
        ("silence add 7d", "say how long, what, and why"),
        ("silence add soon who=poland", "write a number and a unit"),
        ("silence add 0h who=poland", "write a number and a unit"),
        ("silence add 7d who=polland", "did you mean poland"),
        ("silence add 7d colour=red", "is no matcher"),
        ("silence expire", "there is no silence"),
        ("silence expire x", "/tocsin silence list"),
        ("silence forever", "write list, add or expire"),
    ],
)
def test_a_silence_that_cannot_be_understood_is_explained(desk: Desk, text: str, complaint: str) -> None:
    """What was wrong is answered, and nothing is silenced."""
    assert complaint in desk.asked(text)
    assert desk.table.all_silences() == []


def test_rules_and_feeds_are_told(desk: Desk) -> None:
    """Every rule with its title; of the feeds those that are not well."""
    assert "additional-deployment: Additional troop deployment" in desk.asked("rules")
    assert desk.asked("feeds") == "no feed"


@pytest.mark.parametrize("text", ["", "help", "statuses", "why? x", "<!channel>", "x" * 3_000])
def test_nonsense_gets_help(desk: Desk, text: str) -> None:
    """At once, and to the asker alone."""
    reply = desk.take(desk.person().type(text))
    assert (reply.body["response_type"], reply.body["text"]) == ("ephemeral", HELP)
    assert desk.queue.bodies == []


HOSTILE = "<!channel> <@U1> <https://evil.example|bank> *b* _i_ ~s~ `c` & \u202e"


def test_nothing_from_outside_pings_or_breaks_an_answer(desk: Desk) -> None:
    """Articles, names and comments are text in answers and forms, whatever they hold."""
    desk.arrive(article("two", f"{TEXT} {HOSTILE}", lacks=HOSTILE))
    for told in (desk.asked("why two"), desk.asked(f"why {HOSTILE}"), desk.asked(f"silence {HOSTILE}")):
        assert "<" not in told
        assert "\u202e" not in told
        assert "*b*" not in told
    desk.press("irrelevant")
    assert "<" not in json.dumps(desk.slack.forms)


def test_a_long_answer_is_cut_to_what_slack_takes(desk: Desk) -> None:
    """What does not fit is counted, not lost in silence."""
    for number in range(120):
        desk.asked(f"silence add {number + 1}d who=poland {'x' * 200}")
    told = desk.asked("silence list")
    assert "more lines; `tocsin` on the command line shows all" in told
    assert len(desk.slack.told[-1].blocks) == 3


@pytest.mark.parametrize(
    "address",
    [
        "",
        "x",
        "https://evil.example/actions/1",
        "http://hooks.slack.com/actions/1",
        "https://hooks.slack.com.evil.example/1",
        "https://hooks.slack.com@evil.example/1",
        "https://hooks.slack.com:8443/1",
        "https://[::1",
        "file:///etc/passwd",
    ],
)
def test_only_slack_is_answered(address: str) -> None:
    """An address that is none of Slack's is not called, whatever a request says."""
    with pytest.raises(InputFault, match="none of Slack's"):
        SlackResponses("https://slack.com/api/").respond(address, Message("x", ()))


def test_an_answer_that_slack_takes_no_more_is_given_up(desk: Desk) -> None:
    """Half an hour later nobody waits: the question is done with, and does not come again."""
    desk.press("why")
    desk.clock.move(minutes=31)
    for body in desk.queue.bodies:
        desk.answerer().answer(Question.from_json(body))
    assert desk.slack.told == []


# Everything together


def test_the_seeds_end_alike_in_any_order() -> None:
    """With everything pressed after each article, the root messages are the same for any order of arrival."""
    ends = []
    articles = seed_articles()
    for order in (articles, articles[::-1], articles[2:] + articles[:2]):
        with LocalSlack() as slack:
            desk = Desk(slack)
            for one in order:
                desk.clock.now = max(desk.clock.now, one.published or desk.clock.now)
                desk.arrive(one)
            roots = {ts: alert for ts, alert, _ in shown(slack) if alert.endswith("/first_report")}
            for ts in roots:
                for button in ("acknowledge", "silence"):
                    desk.take(desk.person().press(CHANNEL, ts, button))
            desk.deliver()
            desk.clock.move(minutes=1)
            desk.deliverer().sweep()  # makes the edits for which there was no turn
            ends.append({alert: told for ts, alert, told in shown(slack) if ts in roots})
    assert len(ends[0]) == 4
    assert ends[0] == ends[1] == ends[2]


def shown(slack: LocalSlack) -> list[tuple[str, str, Any]]:
    """Where each message stands, whose it is, and what it shows."""
    return [(one.ts, one.metadata["event_payload"]["alert"], (one.text, one.blocks)) for one in slack.messages(CHANNEL)]


@pytest.fixture(scope="module")
def on_moto_with_buttons() -> Iterator[System]:
    """The system with its endpoint for Slack, on moto."""
    with system(SlackSigningSecret="signing", SlackTeam=TEAM) as running:
        running.stack.client("secretsmanager").create_secret(Name="signing", SecretString=SIGNING_SECRET)
        yield running


def test_the_buttons_work_in_the_whole_system(on_moto_with_buttons: System, caplog: pytest.LogCaptureFixture) -> None:
    """On moto, from `template.yaml`: an alert has buttons, a press shows in it, Why? is answered, a form is kept."""
    running, slack = on_moto_with_buttons, on_moto_with_buttons.slack
    for name in ("tocsin", "slack_sdk", "urllib3"):
        caplog.set_level(logging.DEBUG, name)
    running.drop("one.txt", TEXT.encode())
    running.pump.drain()
    (root,) = slack.messages(CHANNEL)
    ana = Person(slack)
    for button in ("acknowledge", "silence", "why", "irrelevant"):
        answer = running.pump.call("Interact", ana.press(CHANNEL, root.ts, button).event())
        assert (answer["statusCode"], answer["body"]) == (200, "")
    assert running.pump.call("Interact", ana.send(slack.forms[0], "other").event())["statusCode"] == 200
    asked = ana.type("silence list").event()
    assert running.pump.call("Interact", asked)["statusCode"] == 200
    assert running.pump.call("Interact", asked)["statusCode"] == 401
    running.pump.drain()
    (root,) = slack.messages(CHANNEL)
    for told in ("*Acknowledged* by ana", "*Silenced* until", "*Not relevant*, says ana"):
        assert told in root.text
    first, second = slack.told
    assert first.text.startswith(f"story {STORY}")
    assert "from the message of" in second.text
    bucket = running.stack.client("s3").list_objects_v2(Bucket=running.stack.physical("Bucket"), Prefix="feedback/")
    assert bucket["KeyCount"] == 1
    assert SIGNING_SECRET not in caplog.text
    assert slack.token not in caplog.text
    assert "/actions/" not in "".join(record.getMessage() for record in caplog.records if record.name == "tocsin")


def test_malformed_events_get_an_answer(on_moto_with_buttons: System) -> None:
    """On moto: whatever the gateway hands on, the answer is 400 or 401, and no call of the function fails."""
    ana = Person(on_moto_with_buttons.slack).type("status").event()
    for change, status in (
        ({"headers": None}, 401),
        ({"headers": {}}, 401),
        ({"body": None}, 401),
        ({"body": "%%%", "isBase64Encoded": True}, 400),
        ({"body": "\ud83d"}, 400),
        ({"body": "x" * 3_000_000}, 401),
        ({"headers": {**ana["headers"], "x-slack-signature": "v0=\u00e9"}}, 401),
        ({"headers": {**ana["headers"], "x-slack-request-timestamp": "soon"}}, 401),
    ):
        answer = on_moto_with_buttons.pump.call("Interact", {**ana, **change})
        assert answer["statusCode"] == status
        assert json.loads(answer["body"])["error"]
    assert all(call.error is None for call in on_moto_with_buttons.pump.invocations)


def test_the_table_on_moto_takes_presses_as_the_twin_does(on_moto_with_buttons: System) -> None:
    """A name is said once until it is forgotten; a story written over another version is a conflict on both."""
    from tocsin.errors import Conflict

    running = on_moto_with_buttons
    running.drop("two.txt", TEXT.encode())
    running.pump.drain()
    real, twin = running.table, MemoryTable()
    story = real.story(STORY)
    assert story
    twin.stories[STORY] = story
    for table in (real, twin):
        minute = timedelta(minutes=1)
        assert [table.once("REQUEST#x", running.now + minute * at, running.now + minute * (at + 10)) for at in (0, 5, 11)] == [True, False, True]  # fmt: skip
        table.act(story, None, (), running.now)
        with pytest.raises(Conflict):
            table.act(story, Wanted(f"{STORY}/first_report", story), (), running.now)
        after = table.story(STORY)
        assert after
        assert after.version == story.version + 1


def test_a_message_has_no_buttons_where_nobody_takes_presses(world: World) -> None:
    """Without an endpoint there is nothing that would lead to it; nothing done is answered with nothing."""
    world.arrive(article())
    world.deliver()
    (root,) = world.slack.standing
    assert all(block["type"] != "actions" for block in root.message.blocks)
    assert answer_of(Reply(200, {}))["body"] == ""
    assert request_of(Sealed({}, b"x").event()).body == b"x"
