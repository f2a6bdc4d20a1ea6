"""The daily digest: what silences and rules on trial held back, posted once a day."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.system import LEASE, QUARANTINE, System, World, row_of
from tests.twins import CHANNEL, Crash, fails
from tocsin.article import Article
from tocsin.errors import Rejected, Unknown
from tocsin.pipeline.digest import DIGEST_DAYS, want_digests
from tocsin.ports import Held, Table
from tocsin.silence import Silence

TEXT = "Turkey is preparing to send more troops to Syria, officials said."
DIGEST = "digest/2025-03-01"


def article(name: str, text: str = TEXT, **changes: object) -> Article:
    """An article of this morning."""
    one = Article(name, text, f"Headline {name}", f"Outlet {name}", "", World().clock() - timedelta(hours=2))
    return replace(one, **changes)  # type: ignore[arg-type]  # fields of an article


def silenced(world: World, *, holds_critical: bool = False) -> None:
    """Somebody silences what Turkey does."""
    now = world.clock()
    world.table.add_silence(
        Silence("drill", (("who", "turkey"),), now, now + timedelta(days=3), "Ana", "an exercise", holds_critical)
    )


def next_morning(world: World) -> list[str]:
    """The clock moves to the next morning, and the digest is asked for."""
    world.clock.now = (world.clock.now + timedelta(days=1)).replace(hour=6, minute=0)
    return want_digests(world.table, world.clock())


def test_what_a_silence_held_back_is_listed(world: World) -> None:
    """The next morning the channel reads what was silenced, by whom and why, each story once."""
    silenced(world)
    world.arrive(
        article("one"), article("two", "Ankara plans to dispatch additional soldiers to Syria, a minister said.")
    )
    world.deliver()
    assert world.slack.standing == []
    assert next_morning(world) == ["2025-03-01"]
    world.deliver()
    (shown,) = world.slack.standing
    assert (shown.alert, shown.thread_ts, shown.channel) == (DIGEST, None, CHANNEL)
    for part in (
        "Held back on 1 Mar 2025",
        "Silenced: 1",
        "Turkey → Syria, preparing",
        "first report",
        "silence drill by Ana",
    ):
        assert part in shown.message.text


def test_a_digest_is_posted_once(world: World) -> None:
    """Asked for again, delivered again, swept again: there is one digest of a day."""
    silenced(world)
    world.arrive(article("one"))
    assert next_morning(world) == ["2025-03-01"]
    for _ in range(3):
        assert want_digests(world.table, world.clock()) == []
        world.deliver()
        world.sweep()
    assert len(world.standing(DIGEST)) == 1
    assert world.undelivered() == {}


@pytest.mark.parametrize("effect", [True, False], ids=["after it took effect", "before"])
@pytest.mark.parametrize(
    "error", [Unknown("reset"), Rejected("content", "invalid_blocks"), Crash()], ids=["unknown", "refused", "crash"]
)
def test_a_digest_survives_a_failure(world: World, error: BaseException, effect: bool) -> None:
    """Whatever the call to Slack comes to, the digest is posted, and once."""
    silenced(world)
    world.arrive(article("one"))
    next_morning(world)
    world.slack.twists["post"].append(fails(error, effect=effect and not isinstance(error, Rejected)))
    with suppress(Crash):
        world.deliver()
    world.sweep(int((LEASE + QUARANTINE) / timedelta(minutes=1)) + 10)
    assert len(world.standing(DIGEST)) == 1


def test_a_day_on_which_nothing_was_held_back_has_no_digest(world: World) -> None:
    """A quiet day makes no noise in the morning."""
    world.arrive(article("one"))
    assert next_morning(world) == []


def test_a_digest_that_was_missed_is_made_up(world: World) -> None:
    """When the schedule fails for a day or two, the digests come with the next one."""
    silenced(world)
    world.arrive(article("one"))
    world.clock.move(days=DIGEST_DAYS - 1)
    assert next_morning(world) == ["2025-03-01"]


def test_rules_on_trial_are_listed(world: World) -> None:
    """What a rule on trial would have posted stands in the digest; what would only have corroborated it does not."""
    text = "Russia has put its strategic missile forces on high alert, the defence ministry said."
    world.arrive(article("one", text), article("two", f"{text} Nobody knows why."))
    (held,) = world.table.held("2025-03-01")
    assert (held.kind, held.reason) == ("shadow", "first_report")
    next_morning(world)
    world.deliver()
    assert "Rules on trial: 1" in world.standing(DIGEST)[0].message.text


def test_a_long_digest_fits_a_message(world: World) -> None:
    """However much was held back, the message stays within Slack's limits and says how much more there was."""
    long = "<!channel> *x*" * 40
    rows = [Held(f"r/{n}#1", "first_report", long, kind, long, long, long, long, "", "2025-03-01T00:00:00+00:00")
            for n in range(300) for kind in ("silenced", "shadow")]  # fmt: skip
    for at, row in enumerate(rows):
        world.table.helds[row.day, str(at)] = row
    next_morning(world)
    world.deliver()
    (shown,) = world.slack.standing
    assert len(shown.message.text) < 4_000
    assert all(len(block["text"]["text"]) <= 3_000 for block in shown.message.blocks if "text" in block)
    assert "and 290 more" in str(shown.message.blocks)
    assert "<!channel>" not in str(shown.message.blocks)


@pytest.mark.parametrize("holds", [False, True])
def test_a_rise_to_critical_passes_a_silence(world: World, holds: bool) -> None:
    """A story nobody was told of rings when it turns critical, unless the silence holds even that."""
    silenced(world, holds_critical=holds)
    world.arrive(article("one"))
    world.arrive(article("two", "Turkey has sent the additional troops to Syria, officials said on Friday."))
    world.deliver()
    assert [shown.alert.rpartition("/")[2] for shown in world.slack.standing] == ([] if holds else ["first_report"])


def test_the_digest_on_moto(on_moto: System) -> None:
    """From the template: a silenced article, the schedule of the next morning, and the message in the channel."""
    table: Table = on_moto.table
    on_moto.table.add_silence(
        Silence("drill", (("who", "turkey"),), on_moto.now, on_moto.now + timedelta(days=3), "Ana", "an exercise")
    )
    on_moto.send(row_of(article("one")))
    on_moto.pump.drain()
    assert len(table.held("2025-03-01")) == 1
    on_moto.move(days=1)
    assert on_moto.pump.fire("Digest") == {"days": ["2025-03-01"], "heartbeat": True}
    assert on_moto.pump.fire("Digest") == {"days": [], "heartbeat": False}
    on_moto.pump.drain()
    on_moto.pass_time(2)
    post, heartbeat = sorted(on_moto.slack.posts, key=lambda one: "Tocsin lives" in one.text)
    assert "Turkey → Syria, preparing" in post.text
    assert "From 2025-02-17 to 2025-02-23: 0 articles read" in heartbeat.text
