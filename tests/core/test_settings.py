"""The settings: what each reads, and what is said of one that is missing or wrong."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from tocsin.errors import SettingsFault
from tocsin.settings import Settings

WORDS = {
    "stack": "TOCSIN_STACK",
    "table": "TOCSIN_TABLE",
    "bucket": "TOCSIN_BUCKET",
    "article_queue": "TOCSIN_ARTICLE_QUEUE",
    "feed_queue": "TOCSIN_FEED_QUEUE",
    "question_queue": "TOCSIN_QUESTION_QUEUE",
    "receive_secret": "TOCSIN_RECEIVE_SECRET",
    "signing_secret": "TOCSIN_SLACK_SIGNING_SECRET",
    "rules": "TOCSIN_RULES",
    "slack_channel": "TOCSIN_SLACK_CHANNEL",
    "slack_secret": "TOCSIN_SLACK_SECRET",
    "slack_url": "TOCSIN_SLACK_URL",
}
MAY_BE_EMPTY = {"page_queue": "TOCSIN_PAGE_QUEUE", "slack_team": "TOCSIN_SLACK_TEAM", "slack_app": "TOCSIN_SLACK_APP"}
NUMBERS = {
    "max_age": "TOCSIN_MAX_AGE_DAYS",
    "lease": "TOCSIN_LEASE_SECONDS",
    "quarantine": "TOCSIN_QUARANTINE_SECONDS",
    "pace": "TOCSIN_PACE_SECONDS",
    "roots": "TOCSIN_ROOTS_PER_HOUR",
}
TEMPLATE = Path(__file__).parents[2] / "template.yaml"


@pytest.mark.parametrize(("name", "variable"), WORDS.items())
def test_a_word_is_read_from_its_variable(name: str, variable: str) -> None:
    """From a setting's name you can guess its environment variable."""
    assert getattr(Settings({variable: " value "}), name) == "value"


@pytest.mark.parametrize(("name", "variable"), (WORDS | NUMBERS).items())
@pytest.mark.parametrize("environment", [{}, None], ids=["missing", "blank"])
def test_a_missing_variable_is_named(name: str, variable: str, environment: dict[str, str] | None) -> None:
    """A function that lacks a setting says which, and where it should have come from."""
    settings = Settings({variable: " "} if environment is None else environment)
    with pytest.raises(SettingsFault, match=rf"{variable} is not set; template\.yaml"):
        getattr(settings, name)


def test_queues_of_dead_letters_are_told_apart() -> None:
    """Each has a name and a URL, which may hold any sign but a blank."""
    settings = Settings({"TOCSIN_DEAD_LETTERS": "A=https://sqs/1/a B=https://sqs/1/b?c=d "})
    assert settings.dead_letters == {"A": "https://sqs/1/a", "B": "https://sqs/1/b?c=d"}


@pytest.mark.parametrize(("name", "variable"), MAY_BE_EMPTY.items())
def test_what_may_be_empty_must_be_there(name: str, variable: str) -> None:
    """An empty value is one; a variable that is not there is a mistake of the template."""
    assert [getattr(Settings({variable: given}), name) for given in (" T0X ", " ")] == ["T0X", ""]
    with pytest.raises(SettingsFault, match=rf"{variable} is not set"):
        getattr(Settings({}), name)


@pytest.mark.parametrize(("given", "expected"), [("true", True), ("false", False)])
def test_buttons_are_shown_or_not(given: str, *, expected: bool) -> None:
    """As the template says."""
    assert Settings({"TOCSIN_BUTTONS": given}).buttons is expected


@pytest.mark.parametrize(("name", "variable"), NUMBERS.items())
@pytest.mark.parametrize("value", ["ten", "-1", "nan", "inf", "1e300", "100001", "1,5", "0x10"])
def test_a_number_that_is_none_is_named(name: str, variable: str, value: str) -> None:
    """A value that is no sensible number is refused by name, not found out later."""
    with pytest.raises(SettingsFault, match=rf"{variable} must be a number from 0 to 100,000, not '{value}'"):
        getattr(Settings({variable: value}), name)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("max_age", "3", timedelta(days=3)),
        ("max_age", "0.5", timedelta(hours=12)),
        ("max_age", "0", None),
        ("lease", "75", timedelta(seconds=75)),
        ("quarantine", "0", timedelta(0)),
    ],
)
def test_a_number_is_a_length_of_time(name: str, value: str, expected: timedelta | None) -> None:
    """Ages are days, leases are seconds, and an age of zero is no limit."""
    assert getattr(Settings({NUMBERS[name]: value}), name) == expected


def test_a_function_needs_only_its_own_variables() -> None:
    """A setting nobody asks for need not be there."""
    assert Settings({"TOCSIN_TABLE": "t"}).table == "t"


class _AnyTag(yaml.SafeLoader):
    """Reads a template, whatever its functions such as !Ref mean."""


_AnyTag.add_multi_constructor("!", lambda _loader, tag, _node: tag)


def test_every_setting_is_in_the_template_and_every_variable_is_a_setting() -> None:
    """The variables `template.yaml` sets and the settings the code knows are the same."""
    template = yaml.load(TEMPLATE.read_text(encoding="utf-8"), _AnyTag)  # noqa: S506 - a SafeLoader
    functions = [
        template["Globals"]["Function"],
        *(one.get("Properties", {}) for one in template["Resources"].values()),
    ]
    told = {name for function in functions for name in function.get("Environment", {}).get("Variables", {})}
    assert {name for name in told if name.startswith("TOCSIN_")} == {
        *WORDS.values(), *NUMBERS.values(), *MAY_BE_EMPTY.values(), "TOCSIN_BUTTONS", "TOCSIN_DEAD_LETTERS",
    }  # fmt: skip
