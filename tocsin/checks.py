"""Every check of the files analysts write, by its code: what it finds, why that is a fault, how to mend it, and an example.

A code never changes its meaning, and one that is gone is not given again. docs/checks.md is made of this.
1xx a file can be read, 2xx its fields, 3xx lists, forms and names, 4xx what a rule must have, 5xx inline tests, 6xx lists of feeds,
7xx routes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["rule", "words", "cues", "routes", "feeds", "opml", "told"]


@dataclass(frozen=True, slots=True)
class Check:
    """One check. `example` is wrong on purpose: a part of a file of its kind, or words where no part of a file can show it."""

    code: str
    what: str
    why: str
    mend: str
    example: str
    kind: Kind = "rule"


GROUPS = {
    "1": "The file can be read",
    "2": "Its fields",
    "3": "Lists, forms and names",
    "4": "What is asked of a rule",
    "5": "Inline tests",
    "6": "Lists of feeds",
    "7": "Routes",
}
"""The first digit of a code → what its checks are about."""

_ONE_MEANING = "Words would silently mean something else than what is written."
_BOMB = "A few lines could stand for gigabytes, and nobody could tell where a value came from."
_UNTRIED = "A rule that rings must have been tried on what the news really says."
_DEAD = "The form looks as if it did something, and nothing will ever come of it."
_DUTY = "Whoever is woken by an alert needs it."
_STORY = 'tests:\n  fires: [{text: "Ruritania marched its host."}]\n  silent: ["Nobody moved."]\n'
_TWICE = (
    '[[{source: A, published: 2025-03-01, text: "Ruritania marched its host."}, '
    '{source: B, published: 2025-03-02, text: "Ruritania marched its host."}]]'
)
_TO = "receivers:\n  - {name: desk, channel: default}\n"
_PROMISE = "The test says what the rule is for; now it does something else."

CHECKS = (
    Check(
        "TOC101",
        "The file cannot be read",
        "Its rule would be missing without a word.",
        "Make it a file that you may read.",
        "a folder called marching.yaml",
        "told",
    ),
    Check(
        "TOC102",
        "The file is too large",
        "Nobody can edit it any more, and reading it holds everything up.",
        "Split it.",
        "a rule of more than a megabyte",
        "told",
    ),
    Check(
        "TOC103",
        "The file is not UTF-8",
        _ONE_MEANING,
        "Save it with the encoding UTF-8.",
        "a rule saved as Latin-1",
        "told",
    ),
    Check(
        "TOC104",
        "A character that cannot be seen",
        "What nobody sees, nobody can check.",
        "Remove it.",
        "description: A bell\\u0007 rings.",
        "told",
    ),
    Check(
        "TOC105",
        "The file is not YAML",
        "Nothing of it can be used.",
        "Mend the line; often a colon, a bracket or a quotation mark before it is missing.",
        "title: Marching: a rule",
    ),
    Check(
        "TOC106",
        "A tab in the indentation",
        "YAML indents with spaces only.",
        "Indent with spaces.",
        "story:\n\tsame: [who]",
    ),
    Check("TOC107", "An anchor or alias", _BOMB, "Write the value out, or make it a list.", "tags: &same [army]"),
    Check(
        "TOC108",
        "A tag",
        "Tags make of text something else.",
        "Put text that begins with ! into quotes.",
        "description: !important Somebody marches.",
    ),
    Check(
        "TOC109",
        "Too many values in one file",
        "Nobody can edit it any more.",
        "Split the file.",
        "a list of more than 50,000 words",
        "told",
    ),
    Check(
        "TOC110",
        "Nested too deeply",
        "No rule nests so; it is an attack, or brackets were not closed.",
        "Close brackets, or make it flatter.",
        "tags: " + "[" * 40,
    ),
    Check(
        "TOC111",
        "Another document begins",
        "Only the first would be read.",
        "Split the file, or remove the line ---.",
        "runbook: Look where they march to.\n---\ntitle: Another",
    ),
    Check(
        "TOC112",
        "A key that is no word",
        "Every field is named by a word.",
        "Put text that begins with [ or { into quotes.",
        "? [title]\n: Marching",
    ),
    Check("TOC113", "A merge key", _BOMB, "Write the keys out.", "story:\n  <<: {same: [who]}\n  quiet_for: 3d"),
    Check(
        "TOC114",
        "A key that is there twice",
        "The second would silently win.",
        "Remove one.",
        "story:\n  same: [who]\n  quiet_for: 3d\n  quiet_for: 5d",
    ),
    Check(
        "TOC115",
        "A merge that was left undone",
        "Both versions of a place stand in the file, and nobody said which of them counts.",
        "Keep the lines you want, and remove those that git wrote around them.",
        "<<<<<<< HEAD\ntitle: Marching\n=======\ntitle: On the march\n>>>>>>> marching-on",
    ),
    Check(
        "TOC201",
        "There is no such folder of rules",
        "Nothing can be checked.",
        "Name one with --rules.",
        "tocsin check --rules no-such-folder",
        "told",
    ),
    Check(
        "TOC202",
        "The folder holds no rule",
        "Nothing would ever ring.",
        "Put a rule NAME.yaml into it.",
        "tocsin check --rules empty-folder",
        "told",
    ),
    Check(
        "TOC203",
        "A shared file of unknown kind",
        "It could be read as anything.",
        "Begin it with kind: words, names or cues.",
        "kind: wrods\nlists: {}",
        "words",
    ),
    Check(
        "TOC204",
        "An unknown field",
        "What it says would be ignored.",
        "Correct its name, or remove it.",
        "runbok: Look where they march to.",
    ),
    Check(
        "TOC205",
        "A field of another system",
        "What it says would be ignored.",
        "Write what it is called here; the message says it.",
        "severity: high",
    ),
    Check("TOC206", "A field is missing", "The rule cannot work without it.", "Add it.", "# without story"),
    Check(
        "TOC207",
        "A value that is none of those there are",
        "It would be ignored.",
        "Write one of those the message lists.",
        "status: urgent",
    ),
    Check(
        "TOC208",
        "A name that is no slug",
        "Names are used in addresses, files and silences.",
        "Use small letters, digits and single dashes.",
        "who: {from: [Realms of old]}",
    ),
    Check(
        "TOC209",
        "A value that cannot be read: a period, a date, a condition",
        "It could mean anything.",
        "Write it as the message says: 12h, 30d or 8w, a date as 2025-03-01, a condition as level >= high.",
        "story: {same: [who], quiet_for: three days}",
    ),
    Check(
        "TOC210",
        "A value of the wrong kind",
        "A list is wanted where a word stands, or the other way round.",
        "Write it as the other rules do.",
        "references: https://example.org/",
    ),
    Check(
        "TOC211",
        "A text that is too short or too long",
        "An empty one says nothing, and of a very long one nothing is shown.",
        "Write 1 to 200 characters.",
        'title: ""',
    ),
    Check(
        "TOC212",
        "A number out of its range",
        "Beyond it the number has no sense.",
        "Keep to the range the message names.",
        "kind: cues\ncues:\n  - {name: far, sets: {stage: done}, words: [yesterday], reach: 200}",
        "cues",
    ),
    Check(
        "TOC213",
        "The rule's name is not that of its file",
        "From the name of a rule you must be able to find its file.",
        "Rename one of them.",
        "name: strolling",
    ),
    Check(
        "TOC214",
        "The id is no UUID",
        "The id stays the same when a rule is renamed, so it must be unlike any other.",
        "Make one: python3 -c 'import uuid; print(uuid.uuid4())'.",
        "id: marching-1",
    ),
    Check(
        "TOC215",
        "A file that is not read",
        "Its rule would be missing without a word.",
        "Give it the name, or put it into the folder, that the message says.",
        "marching.yml, or marching.yaml.txt, or europe/marching.yaml",
        "told",
    ),
    Check(
        "TOC301",
        "A list that exists already",
        "One of the two would silently win.",
        "Choose another name.",
        "kind: words\nlists:\n  realms: {words: [realm]}",
        "words",
    ),
    Check(
        "TOC302",
        "An empty list",
        "No word can ever match it.",
        "Give it verbs, nouns or words.",
        "lists:\n  march: {verbs: [march]}\n  host: {}",
    ),
    Check(
        "TOC303",
        "An unknown list",
        "What asks for it can never match.",
        "Correct its name, or make the list.",
        "forms:\n  - {form: <marsh> ..4 <host>}",
    ),
    Check(
        "TOC304", "An unknown cue", "Nothing would be ignored or heeded.", "Correct its name.", "ignore_cues: [nope]"
    ),
    Check(
        "TOC305",
        "A form that cannot be read",
        "It could mean anything.",
        "Use words, <lists>, (one | other), a gap .. or ..3.",
        "forms:\n  - {form: <march ..4 <host>}",
    ),
    Check(
        "TOC306",
        "A gap that is too wide",
        "Words so far apart have nothing to do with each other.",
        "Write a smaller number.",
        "forms:\n  - {form: <march> ..99 <host>}",
    ),
    Check(
        "TOC307",
        "An empty choice",
        "It would match anything.",
        "Write a word on both sides of |.",
        "forms:\n  - {form: <march> (the | ) <host>}",
    ),
    Check(
        "TOC308",
        "A form without a word",
        _DEAD,
        "Write at least one word or list that is not optional.",
        "forms:\n  - {form: <march> ..4 <host>}\n  - {form: <host>?}",
    ),
    Check(
        "TOC309",
        "The head does not stand in the form",
        "Cues look at the head's word, and there is none.",
        "Name a list of the form.",
        "forms:\n  - {form: <march> ..4 <host>, head: realms}",
    ),
    Check(
        "TOC310",
        "update_on names what the rule cannot see",
        "No change of it would ever be told.",
        "Name a figure's `counts`, or where or what.",
        "story: {same: [who], quiet_for: 3d, update_on: [troops]}",
    ),
    Check(
        "TOC311",
        "An unknown form of a word",
        "It was left out, and the list matched in any form.",
        "Write one of those the message lists.",
        "forms:\n  - {form: <march:passed> ..4 <host>}",
    ),
    Check(
        "TOC312",
        "A slug that no list of names has",
        "What asks for it can never be met.",
        "Correct it; slugs stand in rules/lists.",
        "who: {from: [realms], only: [ruritanya]}",
    ),
    Check(
        "TOC313",
        "A form that is written twice",
        "Whoever changes one will wonder why nothing changes.",
        "Remove one.",
        "forms:\n  - {form: <march> ..4 <host>}\n  - {form: <march> ..4 <host>}",
    ),
    Check(
        "TOC314",
        "An entry that stands in its list twice",
        "Whoever removes one will wonder why nothing changes.",
        "Remove one.",
        "lists:\n  march: {verbs: [march, march]}\n  host: {nouns: [host]}",
    ),
    Check(
        "TOC315",
        "A form that stands for too many forms",
        "A few phrases with many wordings each could stand for millions.",
        "Write it as several forms.",
        "phrases:\n  any: ["
        + ", ".join(f"w{number}" for number in range(30))
        + "]\nforms:\n  - {form: <any> <march> <any> <host>}",
    ),
    Check(
        "TOC316",
        "A form of a word that binds its neighbours",
        "What stands behind the colon of one list holds for all that stands beside it in brackets: the plain word there is never heard.",
        "Write the same behind each list, or a form of its own for what is meant otherwise.",
        "forms:\n  - {form: (<march:past> | strode) ..4 <host>}",
    ),
    Check(
        "TOC401",
        "A list that nothing uses",
        "It does nothing, and looks as if it did.",
        "Use it in a rule, or remove it.",
        "lists:\n  march: {verbs: [march]}\n  host: {nouns: [host]}\n  idle: {words: [idle]}",
    ),
    Check(
        "TOC402",
        "A phrase that stands in no form",
        "It does nothing, and looks as if it did.",
        "Use it, or remove it.",
        "phrases:\n  idle: [<march>]",
    ),
    Check(
        "TOC403",
        "A list whose exceptions cancel every entry",
        "No word can ever match it.",
        "Remove the one or the other.",
        "lists:\n  march: {verbs: [march]}\n  host: {nouns: [host], not: [host, hosts]}",
    ),
    Check(
        "TOC404",
        "The id of another rule",
        "Silences and stories could not tell the two apart.",
        "Give the copy an id of its own.",
        "a copy of a rule that kept its id",
        "told",
    ),
    Check(
        "TOC405",
        "A rule without a policy",
        "Domestic use, relief, police, peacekeepers and exercises look like what it looks for.",
        "Say what the rule does about each.",
        "# without policy",
    ),
    Check(
        "TOC406",
        "A rule without a reference",
        "Nobody can tell why it is there.",
        "Name a source for what it looks for.",
        "# without references",
    ),
    Check(
        "TOC407",
        "A rule without false positives",
        _DUTY,
        "Say what it is known to take for a signal.",
        "# without falsepositives",
    ),
    Check("TOC408", "A rule without a runbook", _DUTY, "Say what an analyst does with an alert.", "# without runbook"),
    Check(
        "TOC411",
        "Too few tests that must fire",
        _UNTRIED,
        "Paste sentences of real articles under fires.",
        "status: test",
    ),
    Check(
        "TOC412",
        "Too few tests that must stay silent",
        _UNTRIED,
        "Paste sentences that look alike under silent.",
        "status: test",
    ),
    Check(
        "TOC413",
        "Too few different actors in the tests",
        "A rule that was tried on one state may hear no other.",
        "Let tests that fire tell of other actors (who).",
        "status: test",
    ),
    Check(
        "TOC414",
        "No test names the stage",
        "The stage decides how loudly it rings.",
        "Add `stage` to tests that fire.",
        "status: test",
    ),
    Check(
        "TOC415",
        "Too few tests of same_story",
        "What two outlets tell of one event must ring once.",
        "Give pairs of articles that are one story.",
        "status: stable",
    ),
    Check(
        "TOC416",
        "Too few tests of new_story",
        "Two events must not hide each other.",
        "Give pairs of articles that are two stories.",
        "status: stable",
    ),
    Check(
        "TOC417",
        "Too few tests of update",
        "What has come further must ring again.",
        "Give articles of which the last updates the story.",
        "status: stable",
    ),
    Check(
        "TOC421",
        "A form with a step that no word can meet",
        _DEAD,
        "Give the list such an entry, or leave the tag out.",
        "forms:\n  - {form: <march> ..4 <host>}\n  - {form: <march> ..4 <host:ing>}",
    ),
    Check(
        "TOC422",
        "A form that forbids its own step",
        _DEAD,
        "Take the list out of `without` or `never_in_sentence`.",
        "forms:\n  - {form: <march> ..4 <host>, without: [host]}",
    ),
    Check(
        "TOC423",
        "A form that demands and forbids a list",
        _DEAD,
        "Take it out of `with` or `without`.",
        "forms:\n  - {form: <march> ..4 <host>, with: [realms], without: [realms]}",
    ),
    Check(
        "TOC424",
        "A form whose need silences it",
        _DEAD,
        "Take it out of `needs`, `without` or `never`.",
        "forms:\n  - {form: <march> ..4 <host>, needs: [realms], without: [realms]}",
    ),
    Check(
        "TOC425",
        "A text that is tested twice",
        "Under both fires and silent one of the two must fail; twice under one it proves nothing more.",
        "Remove one.",
        'tests:\n  fires: [{text: "Ruritania marched its host."}]\n  silent: ["Nobody moved.", "Nobody moved."]',
    ),
    Check(
        "TOC501",
        "A text that must fire stays silent",
        _PROMISE,
        "`tocsin test` says what it lacked. Mend the form, or correct the test.",
        'tests:\n  fires: [{text: "Ruritania slept."}]\n  silent: ["Nobody moved."]',
    ),
    Check(
        "TOC502",
        "A text that must fire is read otherwise",
        _PROMISE,
        "`tocsin test` says what decided it. Mend form or cue, or correct the test.",
        'tests:\n  fires: [{text: "Ruritania marched its host.", stage: imminent}]\n  silent: ["Nobody moved."]',
    ),
    Check(
        "TOC503",
        "A text that must stay silent fires",
        _PROMISE,
        "Narrow the form that the message names, or add to `never`.",
        'tests:\n  fires: [{text: "Ruritania marched its host."}]\n  silent: ["Ruritania marched its host home."]',
    ),
    Check(
        "TOC504",
        "Articles of one story do not become one",
        _PROMISE,
        "`tocsin test` shows which slot differs.",
        _STORY + "  same_story: " + _TWICE.replace("03-02", "03-09"),
    ),
    Check(
        "TOC505",
        "Articles of several stories become one",
        _PROMISE,
        "`tocsin test` shows which slots agree; add what tells them apart to `story: same`.",
        _STORY + "  new_story: " + _TWICE,
    ),
    Check(
        "TOC506",
        "The last article is no update of the story",
        _PROMISE,
        "`tocsin test` shows what became of it.",
        _STORY + "  update: " + _TWICE,
    ),
    Check(
        "TOC602",
        "A list without feeds",
        "Nothing would be listened to.",
        "Write `feeds:` and below it a list.",
        "feeds: []",
        "feeds",
    ),
    Check(
        "TOC603",
        "A feed that is listed twice",
        "It would be asked twice.",
        "Remove one.",
        "feeds:\n  - {url: https://example.org/rss, name: One}\n  - {url: https://example.org/rss, name: Two}",
        "feeds",
    ),
    Check(
        "TOC604",
        "Too many feeds",
        "They cannot all be asked in time.",
        "Split the list, and leave out what nobody needs.",
        "a list of more than 20,000 feeds",
        "told",
    ),
    Check(
        "TOC605",
        "An unknown field of a feed",
        "What it says would be ignored.",
        "Correct its name, or remove it.",
        "feeds:\n  - {url: https://example.org/rss, name: One, colour: red}",
        "feeds",
    ),
    Check(
        "TOC606",
        "A feed without an address or a name",
        "It cannot be asked, or nobody can tell who spoke.",
        "Add it.",
        "feeds:\n  - {url: https://example.org/rss}",
        "feeds",
    ),
    Check(
        "TOC607",
        "An address that cannot be asked",
        "Only public web addresses are.",
        "Write one that begins with https:// or http://.",
        "feeds:\n  - {url: ftp://example.org/rss, name: One}",
        "feeds",
    ),
    Check(
        "TOC608",
        "A period that cannot be read",
        "The feed would be asked at the wrong pace.",
        "Write 5m, 2h or 1d.",
        "feeds:\n  - {url: https://example.org/rss, name: One, every: often}",
        "feeds",
    ),
    Check(
        "TOC609",
        "`slowest` is shorter than `every`",
        "The two say opposite things.",
        "Swap them, or leave one out.",
        "feeds:\n  - {url: https://example.org/rss, name: One, every: 2h, slowest: 1h}",
        "feeds",
    ),
    Check(
        "TOC610",
        "An entry that is no feed",
        "Each is a mapping with an address and a name.",
        "Write - {url: https://…, name: …}.",
        "feeds:\n  - https://example.org/rss",
        "feeds",
    ),
    Check(
        "TOC611",
        "A value of a feed that cannot be used",
        "It is too long, too short or of the wrong kind.",
        "Write it as the message says.",
        "feeds:\n  - {url: https://example.org/rss, name: One, pages: perhaps}",
        "feeds",
    ),
    Check(
        "TOC621",
        "The file is no OPML",
        "Its feeds cannot be found.",
        "Export the list from your feed reader anew, as OPML.",
        "<rss><channel/></rss>",
        "opml",
    ),
    Check(
        "TOC622",
        "The file is no XML",
        "Its feeds cannot be found.",
        "Export the list anew; the message says where it breaks.",
        "<opml><body>",
        "opml",
    ),
    Check(
        "TOC623",
        "A document type is declared",
        "It may stand for files and for gigabytes.",
        "Remove <!DOCTYPE …>.",
        "<!DOCTYPE opml><opml/>",
        "opml",
    ),
    Check(
        "TOC701",
        "A name that is there twice",
        "Nobody could tell which is meant.",
        "Rename one.",
        _TO + "  - {name: desk, channel: C0AAAAAAA}\nroute: {receiver: desk}",
        "routes",
    ),
    Check(
        "TOC702",
        "A name that there is not",
        "The route would never be taken, or lead nowhere.",
        "Correct it.",
        _TO + "route: {receiver: dusk}",
        "routes",
    ),
    Check(
        "TOC703",
        "Fallbacks that lead in a circle",
        "An alert that no channel takes would never come to an end.",
        "Let one have none.",
        "receivers:\n  - {name: desk, channel: default, fallback: desk}\nroute: {receiver: desk}",
        "routes",
    ),
    Check(
        "TOC704",
        "Hours that end before they begin",
        "They would mute nothing.",
        "Write two entries, one to '24:00' and one from '00:00'.",
        _TO
        + "route: {receiver: desk}\ntime_intervals:\n  - name: night\n    time_intervals:\n      - {times: [{start_time: '22:00', end_time: '06:00'}]}",
        "routes",
    ),
    Check(
        "TOC705",
        "The first route names no receiver",
        "What no other route takes would go nowhere.",
        "Name one.",
        _TO + "route: {}",
        "routes",
    ),
    Check(
        "TOC706",
        "The first route has matchers",
        "What does not match would go nowhere.",
        "Move them into its routes.",
        _TO + "route: {receiver: desk, matchers: [level >= high]}",
        "routes",
    ),
    Check(
        "TOC707",
        "A first route that goes on",
        "The first route takes everything, and there is none after it to go on to.",
        "Write continue on the routes in it.",
        _TO + "route:\n  receiver: desk\n  continue: true",
        "routes",
    ),
)
"""All of them, in the order of their codes."""
OF_CODE = {check.code: check for check in CHECKS}


def page() -> str:
    """docs/checks.md: every check with what it finds, why, the mend and an example."""
    lines = [
        "# Checks",
        "",
        f"`tocsin check` knows {len(CHECKS)} checks. Each fault is printed as `file:line:column: what is wrong; how to mend it [code]`.",
        "Codes never change their meaning. This page is made by `make docs` of `tocsin/checks.py`.",
    ]
    for digit, title in GROUPS.items():
        lines += ["", f"## {title}"]
        for check in CHECKS:
            if check.code[3] == digit:
                lines += [
                    "",
                    f"### {check.code}",
                    "",
                    f"**{check.what}.** {check.why}",
                    "",
                    f"Mend: {check.mend}",
                    "",
                    *_example(check),
                ]
    return "\n".join([*lines, ""])


def _example(check: Check) -> list[str]:
    if check.kind == "told":
        return [f"Example: {check.example}" if check.example[0].islower() else f"Example: `{check.example}`"]
    return [f"```{'xml' if check.kind == 'opml' else 'yaml'}", check.example, "```"]
