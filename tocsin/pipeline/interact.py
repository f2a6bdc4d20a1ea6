"""Takes what people do in Slack: presses of buttons, forms that are sent, and the slash command."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin import message, silencing
from tocsin.actions import Action, Kind
from tocsin.errors import Conflict, InputFault
from tocsin.feedback import Feedback
from tocsin.pipeline.question import Question
from tocsin.pipeline.receive import Reply, Request, Trusted, failure
from tocsin.pipeline.stories import TRIES, root_alert, standing
from tocsin.ports import Archive, Clock, DeskTable, Forms, Queue, Wanted
from tocsin.silence import Silence
from tocsin.slack_events import (
    MAX_BODY,
    WINDOW,
    Challenge,
    Command,
    Event,
    Origin,
    Person,
    Press,
    Sent,
    is_check,
    read,
    seal_of,
)
from tocsin.story import Story, act

log = logging.getLogger("tocsin")

SILENCED_FOR = timedelta(hours=24)
HELP = """\
/tocsin status: what waits, what is silenced, how the feeds are
/tocsin why URL: why an article was alerted, or not; also an article's id or a story's
/tocsin silence list
/tocsin silence add 7d rule=alert-posture who=poland the announced exercise
/tocsin silence expire ID
/tocsin rules: the rules, and which are on trial
/tocsin feeds: the feeds that are not well"""
QUESTIONS = ("status", "why", "silence", "rules", "feeds")
DONE = Reply(200, {})


@dataclass(frozen=True, slots=True)
class Interactor:
    """Answers Slack within its three seconds: what needs the rules, or looks far, goes on a queue and is answered from there.

    A press changes the story, in one transaction with the order to show it anew, so that presses that come twice or at the same
    moment do no harm.
    """

    secret: Trusted
    table: DeskTable
    archive: Archive
    queue: Queue
    forms: Forms
    clock: Clock
    team: str = ""
    app: str = ""

    def interact(self, request: Request) -> Reply:
        """Takes one request: 200 when it was taken, 400 when Slack's own cannot be read, 401 for everybody else's."""
        if len(request.body) <= MAX_BODY and is_check(request.headers, request.body):
            return DONE
        if not self._genuine(request):
            return failure(401, "unauthorized", "only requests that Slack has signed, just now and once, are taken")
        try:
            return self._taken(read(request.headers, request.body))
        except InputFault as fault:
            log.warning("a request of Slack's was not understood: %s", fault)
            return failure(400, "unreadable", str(fault))

    def _taken(self, event: Event | None) -> Reply:
        if event is None:
            return DONE
        if isinstance(event, Challenge):
            return Reply(200, {"challenge": event.word})
        if not self._ours(event.origin):
            log.warning(
                "refused a request of the workspace %s and app %s", ascii(event.origin.team), ascii(event.origin.app)
            )
            return failure(401, "unauthorized", "this is not the app's own workspace")
        match event:
            case Press():
                return self._pressed(event)
            case Sent():
                return self._sent(event)
        return self._asked(event)

    def _genuine(self, request: Request) -> bool:
        """Whether a request is Slack's, of this moment, and was not seen before."""
        now = self.clock()
        seal = seal_of(request.headers, request.body, now)
        if seal is None or not seal.is_of(self.secret.current()):
            log.warning("refused a request from %s that Slack has not signed", ascii(request.sender))
            return False
        if not self.table.once(f"REQUEST#{seal.signature}", now, now + 2 * WINDOW):
            log.warning("refused a request from %s that came before", ascii(request.sender))
            return False
        return True

    def _ours(self, origin: Origin) -> bool:
        return self.team in {"", origin.team} and self.app in {"", origin.app}

    def _asked(self, command: Command) -> Reply:
        """What can be asked is asked; anything else gets help."""
        if command.text.partition(" ")[0].lower() in QUESTIONS:
            self._ask(command.text, command.person, command.respond_at)
            return DONE
        return Reply(200, {"response_type": "ephemeral", "text": HELP})

    def _ask(self, text: str, person: Person, respond_at: str) -> None:
        asked = Question(text, person.id, person.name, respond_at, self.clock().isoformat())
        self.queue.send([asked.to_json()])

    def _pressed(self, press: Press) -> Reply:
        match press.button:
            case "acknowledge":
                self._note(press.story, self._action("acknowledged", press.person))
            case "silence":
                until = self.clock().replace(microsecond=0) + SILENCED_FOR
                action = self._action("silenced", press.person, until=until.isoformat())
                self._note(press.story, action, press.same)
            case "why":
                if story := standing(self.table, press.story):
                    self._ask(f"why {story.name}", press.person, press.respond_at)
            case "irrelevant":
                if story := standing(self.table, press.story):
                    self.forms.open(press.trigger, message.form(story))
            case _:
                log.info("the button %s is none of ours", ascii(press.button))
        return DONE

    def _sent(self, sent: Sent) -> Reply:
        """Marks the story, and keeps its sentence for whoever mends the rule."""
        told = message.REASONS.get(sent.reason, sent.reason)
        why = f"{told}. {sent.note}" if sent.note.strip() else told
        story = self._note(sent.story, self._action("irrelevant", sent.person, why=why))
        if story:
            kept = Feedback.on(story, sent.reason, sent.note[:1_000], sent.person.name or sent.person.id, self._now)
            self.archive.write(kept.key, kept.to_json())
        return DONE

    @property
    def _now(self) -> str:
        return self.clock().replace(microsecond=0).isoformat()

    def _action(self, kind: Kind, person: Person, *, until: str = "", why: str = "") -> Action:
        return Action(self._now, kind, person.id, person.name, until, why)

    def _note(self, story_id: str, action: Action, same: tuple[str, ...] = ()) -> Story | None:
        """Writes what was done into the story, or the one it is part of by now; the story as it is then."""
        for _ in range(TRIES):
            story = standing(self.table, story_id)
            if story is None:
                log.warning("there is no story %s any more", ascii(story_id))
                return None
            after = act(story, action)
            if after.actions == story.actions:
                return story
            silences = _silences(after, action, same) if action.kind == "silenced" else ()
            shown = Wanted(root_alert(story.id), after) if story.alerted and story.posted else None
            try:
                self.table.act(after, shown, silences, self.clock())
            except Conflict:
                continue
            return after
        raise Conflict(f"story {story_id!r} lost against other writers {TRIES} times")


def _silences(story: Story, action: Action, same: tuple[str, ...]) -> tuple[Silence, ...]:
    begins, ends = datetime.fromisoformat(action.at), datetime.fromisoformat(action.until)
    return silencing.of_story(story, same, begins, ends, action.name or action.by)
