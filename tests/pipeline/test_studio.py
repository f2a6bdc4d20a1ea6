"""The studio: what comes of an article and an edited rule, on a page that only its own user can reach."""

from __future__ import annotations

import html
import re
import socket
import threading
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
import uvicorn
from starlette.testclient import TestClient

from tests.browser import BROWSER, CONTROL, browser
from tests.marching import RULE
from tests.system import tocsin
from tocsin.article import Article
from tocsin.cli.studio.app import FIELDS, MAX_ARTICLE, MAX_BODY, Studio
from tocsin.cli.studio.desk import Desk, digest

PORT = 8765
HOME = f"http://127.0.0.1:{PORT}"
TEXT = "Ruritania marched its host to the sea. Ruritania moved its host to Zenda."
MOVED = RULE.replace("march: {verbs: [march]}", "march: {verbs: [move]}").replace(
    "Ruritania marched its host.", "Ruritania moved its host."
)
HOSTILE = "<script>stolen=1</script><img src=//evil.example onerror=stolen=2> </textarea>\"'{{7*7}}"


@pytest.fixture
def studio(folder: Path) -> Studio:
    """A studio on the small set of rules."""
    return Studio(Desk(folder), "127.0.0.1", PORT)


@pytest.fixture
def client(studio: Studio) -> TestClient:
    """Somebody who opened the address printed."""
    found = TestClient(studio.app, base_url=HOME)
    assert found.get(studio.address).status_code == 200
    return found


def sheet(rule: str = RULE, text: str = TEXT, file: str = "marching.yaml", **fields: str) -> dict[str, str]:
    """What the form sends: a rule with its file, and an article."""
    article = {**dict.fromkeys(FIELDS, ""), "title": "Headline", "published": "2025-01-10", "text": text}
    return {"file": file, "base": digest(RULE), "rule": rule, "do": "hear", **article, **fields}


def shown(client: TestClient, **fields: str) -> str:
    """The second half of the page, in words and marks alone."""
    answer = client.post("/", data=sheet(**fields), headers={"part": "result"})
    return re.sub(r"\s+", " ", answer.text)


def test_it_shows_evidence_slots_story_and_message(client: TestClient) -> None:
    """An article shows the sentence with its words by role, the slots, the story, and the message as Slack would show it."""
    page = shown(client)
    assert '<span class="role who" title="who acts">Ruritania</span> <span class="role head"' in page
    assert "<dt>who</dt><dd>Ruritania" in page
    assert "marching/ruritania#1" in page
    assert "HIGH Marching" in page
    assert "<b>Sources:</b> 1 outlet" in page
    assert "on trial, so this is recorded and not posted" in page


def test_an_edit_changes_what_is_shown_and_no_file(client: TestClient, folder: Path) -> None:
    """An edited rule is tried as it stands in the editor: evidence and message change, the file does not."""
    assert "<b>marched</b>" in shown(client)
    page = shown(client, rule=MOVED)
    assert "<b>moved</b>" in page
    assert "<b>marched</b>" not in page
    assert "1 run" not in page
    assert "2 run, none failed" in page
    assert (folder / "marching.yaml").read_text(encoding="utf-8") == RULE


def test_the_edit_here_is_told_in_alerts(client: TestClient) -> None:
    """What an edit adds to or takes from the alerts of the article on the page is told at once."""
    page = shown(client, rule=RULE.replace("{done: high}", "{done: critical}"))
    assert "What your edit changes here" in page
    assert "high, on trial → critical, on trial" in page


def test_what_nobody_waits_for_is_not_worked_out(client: TestClient) -> None:
    """Whoever types faster than the rules are read waits for the last answer only; what is to be saved is saved whenever it was asked."""
    for turn, wish, status in (
        ("page 2", "hear", 200),
        ("page 1", "hear", 204),
        ("other 1", "hear", 200),
        ("page 1", "save", 200),
    ):
        answer = client.post("/", data=sheet(do=wish), headers={"part": "result", "turn": turn})
        assert (turn, wish, answer.status_code) == (turn, wish, status)


def test_the_rule_in_the_editor_comes_first(client: TestClient, folder: Path) -> None:
    """Of several rules that find something the one that is edited is shown first, whatever the order of the files."""
    other = (
        RULE.replace("name: marching", "name: aaa")
        .replace("title: Marching", "title: Another")
        .replace("0c1f6f1e", "0c1f6f1f")
    )
    (folder / "aaa.yaml").write_text(other, encoding="utf-8")
    page = shown(client)
    assert 0 < page.index("HIGH Marching") < page.index("HIGH Another")


def test_a_fault_has_its_place_and_the_saved_rules_speak(client: TestClient) -> None:
    """A fault stands with line and column, and below it is what the rules as saved make of the article."""
    page = shown(client, rule=RULE.replace("<host>", "<hots>"))
    assert 'data-line="16" data-column="6"' in page
    assert "unknown list &#39;hots&#39;, did you mean &#39;host&#39;" in page
    assert "<b>marched</b>" in page


def test_a_test_that_fails_says_why(client: TestClient) -> None:
    """The tests at the bottom of the edited rule run, and what came stands beside what was wanted."""
    page = shown(client, rule=RULE.replace("who: ruritania", "who: zenda"))
    assert "2 run, 1 failed" in page
    assert "<dt>wanted</dt><dd>a signal: who zenda</dd>" in page


def test_near_misses_say_what_they_lack(client: TestClient) -> None:
    """A sentence that lacked one thing is shown with it."""
    page = shown(client, rule=RULE.replace("<host>}", "<host>, with: [realms]}"), text="They marched the host.")
    assert "1 near miss" in page
    assert "lacks with realms: none in the sentence" in page


def test_saving_writes_what_checks(client: TestClient, folder: Path) -> None:
    """A rule that checks is saved, with the ends of lines files have, and what is opened next begins from there."""
    answer = client.post("/", data=sheet(MOVED.replace("\n", "\r\n"), do="save"), headers={"part": "result"})
    assert answer.status_code == 200
    assert "marching.yaml is saved." in answer.text
    assert (folder / "marching.yaml").read_text(encoding="utf-8") == MOVED
    assert f'data-base="{digest(MOVED)}"' in answer.text
    assert "move]" in client.get("/?file=marching.yaml").text


NEW = {
    "do": "new", "new-name": "mines-laid", "new-actors": "realms", "seed": "seed",
    "new-fires": "Ruritania laid mines on Monday.\r\nMines were laid by Ruritania at night.\r\n",
    "new-silent": "The hen laid an egg.\r\nMiners went on strike.",
}  # fmt: skip
"""What the form sends of a new rule."""


def test_a_new_rule_is_drafted_and_saved(client: TestClient, folder: Path) -> None:
    """Out of a name and a few sentences comes a rule in the editor that passes its tests; it is written when it is saved, once."""
    page = client.post("/", data=sheet(**NEW)).text
    assert "mines-laid.yaml is drafted, and it passes its tests" in page
    assert not (folder / "mines-laid.yaml").exists()
    assert "new, not saved" in page
    text = html.unescape(re.findall(r'<textarea name="rule"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)[0])
    assert "HIGH Mines laid" in page  # of its first sentence, in the place of the seed
    draft = sheet(text, file="mines-laid.yaml", base="")
    assert "4 run, none failed" in client.post("/", data=draft, headers={"part": "result"}).text
    saved = client.post("/", data={**draft, "do": "save"}, headers={"part": "result"})
    assert (saved.status_code, "mines-laid.yaml is saved." in saved.text) == (200, True)
    assert (folder / "mines-laid.yaml").read_text(encoding="utf-8") == text
    assert tocsin("check", "--rules", folder).code == 0
    again = client.post("/", data={**draft, "do": "save", "rule": f"{text}# again\n"}, headers={"part": "result"})
    assert (again.status_code, "was changed by somebody else" in again.text) == (409, True)


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("new-name", "../mines", "is no name of a rule"),
        ("new-name", "marching", "there is such a rule already"),
        ("new-fires", "Ruritania laid mines.", "1 sentence that must fire, and 2 are needed"),
        ("new-silent", "", "0 sentences that must not fire"),
        ("new-actors", "kings", "there is no list kings"),
        ("new-fires", "It is so.\nSo it is.", "no verb was found in the sentences that must fire"),
    ],
)
def test_a_new_rule_that_cannot_be_drafted_says_why(client: TestClient, field: str, value: str, told: str) -> None:
    """What is missing is told, and what was written stays in the form; the rule in the editor as well."""
    answer = client.post("/", data=sheet(**{**NEW, field: value}))
    page = html.unescape(answer.text)
    assert (answer.status_code, "No rule was drafted: " in page, told in page) == (422, True, True)
    assert '<details class="new" id="new" open>' in page
    assert "The hen laid an egg." in page or field == "new-silent"
    assert "name: marching" in page


REFUSED = {
    "no YAML": (RULE + "tags: [\n", "TOC105"),
    "unknown field": (RULE + "contians: 1\n", "TOC204"),
    "a test fails": (RULE.replace("who: ruritania", "who: zenda"), "TOC502"),
    "a demand unmet": (RULE.replace("runbook: Look where they march to.\n", ""), "TOC408"),
    "empty": ("", "TOC"),
}


@pytest.mark.parametrize(("rule", "code"), REFUSED.values(), ids=REFUSED)
def test_saving_refuses_what_does_not_check(client: TestClient, folder: Path, rule: str, code: str) -> None:
    """What `tocsin check` would complain of is not written; the fault is told."""
    answer = client.post("/", data=sheet(rule, do="save"), headers={"part": "result"})
    assert answer.status_code == 422
    assert code in answer.text
    assert (folder / "marching.yaml").read_text(encoding="utf-8") == RULE


def test_faults_in_other_files_count_when_the_edit_makes_them(client: TestClient, folder: Path) -> None:
    """A list that a rule needs cannot be renamed under it; a fault another file had before stops nobody."""
    lists = (folder / "lists" / "realms.yaml").read_text(encoding="utf-8")
    (folder / "broken.yaml").write_text("no rule", encoding="utf-8")
    told = {"file": "lists/realms.yaml", "base": digest(lists), "do": "save"}
    renamed = client.post("/", data=sheet(lists.replace("list: realms", "list: lands"), **told))
    assert renamed.status_code == 422
    assert "rules/marching.yaml:" in renamed.text
    longer = lists + "  - {slug: zenda, name: Zenda, names: [Zenda]}\n"
    assert client.post("/", data=sheet(longer, **told)).status_code == 200
    assert (folder / "lists" / "realms.yaml").read_text(encoding="utf-8") == longer


def test_what_somebody_else_saved_is_not_overwritten(client: TestClient, folder: Path) -> None:
    """A file that was changed since it was opened is left as it is, and the text in the editor too."""
    theirs = RULE.replace("Parades.", "Parades and fairs.")
    (folder / "marching.yaml").write_text(theirs, encoding="utf-8")
    answer = client.post("/", data=sheet(MOVED, do="save"))
    assert answer.status_code == 409
    assert "was changed by somebody else" in answer.text
    assert "verbs: [move]" in answer.text
    assert (folder / "marching.yaml").read_text(encoding="utf-8") == theirs


@pytest.mark.parametrize(
    "file",
    [
        "../secret.yaml",
        "lists/../../secret.yaml",
        "/etc/passwd",
        "",
        "marching",
        "lists",
        "linked.yaml",
        "new.yaml",
        "\0",
    ],
)
def test_nothing_outside_the_folder_is_read_or_written(client: TestClient, folder: Path, file: str) -> None:
    """Only the files of the rules folder can be opened and saved, whatever a request names, links that lead out included."""
    secret = folder.parent / "secret.yaml"
    secret.write_text("word: sesame\n", encoding="utf-8")
    (folder / "linked.yaml").symlink_to(secret)
    before = sorted(path for path in folder.parent.rglob("*"))
    for wish in ("save", "open", "hear", "diff"):
        answer = client.post("/", data=sheet(file=file, do=wish, open=file, base=digest("word: sesame\n")))
        assert answer.status_code == 422
        assert "sesame" not in answer.text
    assert sorted(path for path in folder.parent.rglob("*")) == before
    assert secret.read_text(encoding="utf-8") == "word: sesame\n"


def test_the_edit_in_alerts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The diff hears inline tests, the archive and the article, and lists what the edit does to alerts."""
    monkeypatch.setattr("tocsin.cli.diff.SEEDS", folder / "none")
    archive = [Article("a1", "Ruritania moved its host.", "From the archive", "Gazette")]
    studio = Studio(Desk(folder, archive), "127.0.0.1", PORT)
    client = TestClient(studio.app, base_url=HOME)
    client.get(studio.address)
    page = shown(client, rule=MOVED, text="Ruritania marched its host.", do="diff")
    assert '<li class="change added"><b>added</b> <code>marching</code> ruritania#1 first report' in page
    assert "archive: From the archive (Gazette)" in page
    assert '<li class="change dropped"><b>dropped</b>' in page


KEPT_OUT = {
    "no key": ({}, {}, 403),
    "a wrong key": ({}, {"cookie": f"tocsin-{PORT}=guessed"}, 403),
    "another name for this machine": ({}, {"host": f"evil.example:{PORT}"}, 400),
    "another port": ({}, {"host": "127.0.0.1:80"}, 400),
    "another page": ({"key": "right"}, {"origin": "https://evil.example"}, 403),
    "a page without an origin": ({"key": "right"}, {"origin": "null"}, 403),
}


@pytest.mark.parametrize(("query", "headers", "status"), KEPT_OUT.values(), ids=KEPT_OUT)
def test_nobody_else_gets_in(studio: Studio, query: dict[str, str], headers: dict[str, str], status: int) -> None:
    """Without the key, by another name or from another page nothing is shown and nothing done: no rebinding, no forged form."""
    client = TestClient(studio.app, base_url=HOME)
    if query:
        client.get(studio.address)
    for method, path in product(("GET", "POST"), ("/", "/read", "/seed", "/studio.js")):
        answer = client.request(method, path, headers=headers, follow_redirects=False)
        assert answer.status_code == status
        assert "set-cookie" not in answer.headers


def test_the_key_becomes_a_cookie_no_other_site_sends(studio: Studio) -> None:
    """The address printed leads to the page without the key in it, and gives a cookie that scripts and other sites do not get."""
    answer = TestClient(studio.app, base_url=HOME).get(studio.address, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "SameSite=strict" in answer.headers["set-cookie"]


def test_the_page_may_load_nothing_from_elsewhere(client: TestClient) -> None:
    """The policy allows the page's own style and script alone, and no page may frame it."""
    policy = client.get("/").headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    page = client.get("/").text + client.get("/studio.css").text + client.get("/studio.js").text
    assert not re.findall(r"(?:src|href|action)=[\"']?(?:https?:)?//|url\(|@import|\son\w+=|\sstyle=", page)


def test_hostile_text_stays_text(client: TestClient) -> None:
    """Whatever an article or a rule holds never becomes markup."""
    told = f"Ruritania marched its host {HOSTILE}."
    rule = RULE.replace("title: Marching", f'title: "{HOSTILE[:60]}"')
    answer = client.post("/", data=sheet(rule, told, title=HOSTILE, source=HOSTILE, url="javascript:alert(1)"))
    assert "stolen=1&lt;/script&gt;" in answer.text
    assert not re.search(r"<script>stolen|<img|href=.javascript|\b49\b", answer.text)


def test_too_much_is_refused(client: TestClient) -> None:
    """A request, an article or a rule that is too long is refused in words."""
    assert client.post("/", content=b"x" * (MAX_BODY + 1)).status_code == 413
    assert "has more than 500,000 characters" in shown(client, text="x" * (MAX_ARTICLE + 1))
    assert "has more than 1,048,576 characters" in shown(client, rule="#" * 1_048_577)
    assert client.post("/", data={str(number): "" for number in range(100)}).status_code == 400


def test_bad_articles_are_told(client: TestClient) -> None:
    """An article that cannot be read says why; the rest of the page goes on working."""
    page = shown(client, published="yesterday")
    assert "write dates as 2025-01-24" in page
    assert "2 run, none failed" in page


MAIL = b"Subject: Marching\r\nFrom: desk@example.org\r\nDate: Fri, 10 Jan 2025 09:30:00 +0000\r\n\r\nRuritania marched its host.\r\n"


def test_a_dropped_file_is_read(client: TestClient) -> None:
    """A file dropped on the page fills the form as `tocsin detect` would read it; what is no article says so."""
    fields = client.post("/read", params={"name": "../a.eml"}, content=MAIL).json()["fields"]
    assert (fields["title"], fields["published"]) == ("Marching", "2025-01-10T09:30")
    assert fields["text"].startswith("Ruritania marched")
    binary = client.post("/read", params={"name": "a.txt"}, content=b"\x00\x01\x02" * 9)
    assert (binary.status_code, "binary file" in binary.json()["fault"]) == (422, True)


def test_an_occupied_port_is_told(folder: Path) -> None:
    """A port that somebody else uses is an error in words, not a traceback."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        ran = tocsin("studio", "--rules", folder, "--no-open", "--port", other.getsockname()[1])
    assert ran.code == 3
    assert "cannot be used: Address already in use" in ran.err


@pytest.fixture
def served(folder: Path) -> Iterator[Studio]:
    """A studio that really listens."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    studio = Studio(Desk(folder), *listening.getsockname())
    server = uvicorn.Server(uvicorn.Config(studio.app, log_level="error", lifespan="off"))
    running = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    running.start()
    yield studio
    server.should_exit = True
    running.join()
    listening.close()


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on the PATH: install chromium or google-chrome")
def test_an_analyst_at_work(served: Studio, folder: Path, tmp_path: Path) -> None:
    """In a real browser: paste an article, edit the rule, see both change, save with the keyboard; nothing foreign is asked for."""
    with browser(tmp_path / "profile") as tab:
        tab.resize(1280, 900)
        tab.open(served.address)
        tab.look("document.getElementById('text').focus()")
        tab.look("document.getElementById('text').select()")
        tab.type(TEXT)
        tab.until("document.querySelector('.blocks blockquote')?.textContent.includes('marched')")
        assert (
            tab.look("['title', 'source', 'seed'].map((name) => document.forms[0].elements[name].value).join()") == ",,"
        )
        tab.look("{const r = document.getElementById('rule'); r.focus(); r.select(); 1}")
        tab.type(RULE.replace("<host>", "<hots>"))
        tab.until("document.querySelector('.faults .goto')?.textContent === '16:6'")
        tab.look("document.querySelector('.faults .goto').focus()")
        tab.press("Enter")
        assert tab.look("document.activeElement.id") == "rule"
        assert (
            tab.look("document.activeElement.value.slice(0, document.activeElement.selectionStart).split('\\n').length")
            == 16
        )
        tab.look("document.getElementById('rule').select()")
        tab.type(MOVED)
        tab.until("document.querySelector('.blocks blockquote')?.textContent.includes('moved')")
        assert tab.look("!document.getElementById('edited').hidden")
        tab.press("s", CONTROL)
        tab.until("document.getElementById('said').textContent === 'marching.yaml is saved.'")
        assert (folder / "marching.yaml").read_text(encoding="utf-8") == MOVED
        assert tab.look("document.getElementById('edited').hidden")
        tab.look("document.querySelector('#new summary').focus()")
        tab.press("Enter")
        for name in ("name", "title", "about", "actors", "does", "things", "fires", "silent"):
            tab.press("Tab")
            assert tab.look("document.activeElement.name") == f"new-{name}"
            tab.type(NEW.get(f"new-{name}", "").replace("\r", ""))
        tab.press("Tab")
        tab.press("Enter")
        tab.until("document.querySelector('.note.news')?.textContent.includes('mines-laid.yaml is drafted')")
        tab.until("document.readyState === 'complete'")  # so that its script hears keys
        assert tab.look("document.getElementById('edited').textContent") == "new, not saved"
        assert tab.look("document.forms[0].elements.open.value") == "mines-laid.yaml"
        tab.press("s", CONTROL)
        tab.until("document.getElementById('said').textContent === 'mines-laid.yaml is saved.'")
        assert tab.look("document.getElementById('edited').hidden")
        tab.look("document.getElementById('new').open = true")
        grounds = []
        for width, scheme in ((320, "light"), (390, "dark"), (1280, "light"), (1920, "dark")):
            tab.resize(width, 800, scheme)
            assert tab.look("document.documentElement.scrollWidth") == width
            grounds.append(tab.look("getComputedStyle(document.body).backgroundColor"))
        assert grounds[::2] == [grounds[0]] * 2 != grounds[1::2]
        assert {address.split("?")[0].rsplit("/", 1)[0] for address in tab.asked} == {served.address.split("/?")[0]}
        assert tab.complaints == []
