"""What `tocsin explain` tells of an article: which form and cue decided what, and the one thing a near miss lacked."""

from __future__ import annotations

import pytest

from tests.system import SEEDS, rule_set, seed_articles, tocsin
from tocsin.article import Article
from tocsin.detection import detect, explained
from tocsin.match import read

BOTH = Article(
    "both",
    "North Korea may be preparing to send more troops to Russia, Seoul said.\n\nFrance will not send more troops to Chad.",
    "The news of the day",
)


def explain(text: str, *options: str) -> list[str]:
    """The lines printed for a text."""
    return tocsin("explain", *options, "-", stdin=text.encode()).out.splitlines()


def test_a_match_names_its_form_and_every_cue_with_its_words() -> None:
    """Of a match the form is shown, the cue that set the stage and each other thing, and the words that make the cue."""
    lines = "\n".join(
        explain(
            "North Korea is reportedly preparing to send more troops to Russia, Seoul said.",
            "--rule",
            "additional-deployment",
        )
    )
    assert "match additional-deployment" in lines
    assert "form   <send> ..6 <more>" in lines
    assert "stage  preparing: cue preparing ('preparing')" in lines
    assert "cue    suspected ('reportedly'): certainty suspected" in lines
    assert "who    north-korea (" in lines


def test_a_cue_of_the_neighbouring_sentence_is_shown_with_its_words() -> None:
    """A flag that stands in the next sentence is explained by that sentence's words."""
    text = "North Korea is preparing to launch a spy satellite. There are no immediate signs of a launch."
    assert any("cue    no-immediate-sign ('no immediate signs'" in line for line in explain(text)), explain(text)


@pytest.mark.parametrize(
    ("text", "lacking"),
    [
        pytest.param("France will not send more troops to Chad.", "negated: 'not' (negation)", id="negated"),
        pytest.param("If France sent more troops to Chad, the talks would end.", "hypothetical: 'If'", id="hypothesis"),
        pytest.param("Will France send more troops to Chad?", "asked, not reported", id="question"),
        pytest.param("Somebody will send more soldiers somewhere.", "who: ", id="nobody acts"),
    ],
)
def test_a_near_miss_names_the_one_thing_it_lacks(text: str, lacking: str) -> None:
    """What keeps a sentence from being a signal is told once, with the words that do it."""
    lines = explain(text, "--rule", "additional-deployment")
    misses = [line for line in lines if line.strip().startswith("lacks")]
    assert any(lacking in line for line in misses), lines
    assert not any("match" in line and "near" not in line for line in lines), lines


def test_what_the_article_silences_is_told() -> None:
    """A sentence that counts by itself and is silenced by what the article is about says so, with the word."""
    article = Article("a", "It was so.", "On this day: France sends more troops to Chad")
    told = [finding.lacking for finding in explained(rule_set(), read(rule_set(), article))]
    assert any(lacking.startswith("the article: never_in_title opinion-title: 'On this day'") for lacking in told), told


def test_the_missing_word_is_told() -> None:
    """A sentence that would match but for one word says of which list, where one rule is asked about."""
    lines = explain("France dawdled reinforcements to Chad.", "--rule", "additional-deployment")
    assert lines[1] == "  no form of additional-deployment matches a sentence"
    assert any(line.startswith("    lacks  a word of <") and "'reinforcements'" in line for line in lines), lines
    assert explain("It rained.", "--rule", "additional-deployment")[2:] == []


def test_what_comes_of_it_is_told_last() -> None:
    """Below what matched stand the signals with their slots, or that there is none."""
    found = explain("North Korea will send more troops to Russia.")
    assert (
        found[-1] == "  signal additional-deployment: who north-korea, where russia, stage planned, certainty asserted"
    )
    assert explain("France will not send more troops to Chad.")[-1] == "  no signal"


def test_a_sentence_is_shown_once_for_a_rule() -> None:
    """However many forms match in a sentence it is shown once, and a near miss not where the rule matches; --all shows every one."""
    text = "North Korea is preparing to send more troops to Russia, Seoul said."
    heads = [line for line in explain(text) if line.startswith(("  match", "  near miss"))]
    assert heads == ["  match additional-deployment"]
    assert sum(line.startswith("  match additional-deployment") for line in explain(text, "--all")) > 1


def test_a_text_without_any_match_says_so() -> None:
    """Where nothing matches at all, that is what is printed."""
    assert "  no form of any rule matches a sentence" in explain("Nobody moved.")


@pytest.mark.parametrize("article", [*seed_articles(), BOTH], ids=lambda article: article.id)
def test_explanation_and_detection_agree(article: Article) -> None:
    """Whatever detection quotes is explained as a match, and a rule with a match has a signal."""
    found = list(explained(rule_set(), read(rule_set(), article)))
    matches = {(one.rule.policy.name, one.sentence.text) for one in found if not one.lacking}
    signals = detect(rule_set(), article)
    assert {(signal.rule, quote.quote) for signal in signals for quote in signal.sentences} <= matches
    assert {rule for rule, _ in matches} == {signal.rule for signal in signals}


def test_one_rule_alone_is_explained() -> None:
    """With `--rule` nothing of another rule is shown."""
    lines = tocsin("explain", "--rule", "budget-increase", SEEDS / "000_9cf0b81c197f5ead.txt").out.splitlines()
    told = {line.split()[-1] for line in lines if line.startswith(("  match", "  near miss"))}
    assert told == {"budget-increase"}
