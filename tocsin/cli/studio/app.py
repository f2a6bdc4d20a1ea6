"""The studio's page: one form that is sent whole, answered with the page, or with its second half alone when its script asks.

Nobody else gets in: the port is the loopback's, the host must be named as this machine names it (so that no page elsewhere
can reach it under a name of its own), and each request carries a cookie that only the printed address gives.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from threading import Lock
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from infra.preview import ENV
from tocsin.article import Article
from tocsin.checks import OF_CODE
from tocsin.cli.diff import SEEDS, Changes, counts_of, headline
from tocsin.cli.studio.desk import Both, Desk, Draft, Stale
from tocsin.detection import detect
from tocsin.errors import Fault, InputFault, RuleFaults, TocsinError
from tocsin.reading import Entry, articles, entries
from tocsin.reasons import ROLES
from tocsin.source import MAX_BYTES
from tocsin.trial import Outcome

MAX_BODY = 6_000_000
"""Bytes of a request: an article and a rule as a form writes them, or a dropped file."""
MAX_ARTICLE = 500_000
"""Characters of an article in the studio: ten times the longest that was ever printed."""
FIELDS = ("title", "source", "published", "url", "text")
ASKED = ("name", "title", "about", "fires", "silent", "actors", "does", "things")
"""What is asked for a new rule; the fields of the form are called new-name and so on."""
OK, NO_CONTENT, CONFLICT, REFUSED = 200, 204, 409, 422
SHOWN = 200
"""Changes of a diff that are shown."""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
WORDS = {
    "head": "what the cues look at",
    "form": "other words of the form",
    "who": "who acts",
    "stage": "how far it has come",
    "certainty": "how sure the speaker is",
    "flag": "a flag",
    "fresh": "that it is news",
    "drop": "what silences it",
}
"""What the colours mean."""


@dataclass
class Sheet:
    """What the form holds."""

    file: str
    text: str
    base: str
    seed: str = ""
    article: dict[str, str] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=lambda: dict.fromkeys(ASKED, ""))
    """What was said of a new rule that could not be drafted."""

    @property
    def draft(self) -> Draft:
        """The file in the editor. Forms write other ends of lines than files have."""
        lines = self.text.replace("\r\n", "\n").replace("\r", "\n")
        return Draft(self.file, lines if lines.endswith("\n") or not lines else f"{lines}\n", self.base)

    def read(self) -> Article | None:
        """The article of the form; None where there is none yet. `InputFault` says what is wrong with it."""
        if not self.article.get("text", "").strip():
            return None
        if len(self.article["text"]) > MAX_ARTICLE:
            raise InputFault(
                f"has more than {MAX_ARTICLE:,} characters", "the article", "`tocsin explain FILE` reads it"
            )
        row = {name: value for name, value in self.article.items() if value.strip()}
        return articles("the article.json", json.dumps(row).encode())[0]


@dataclass
class Result:
    """What is shown of it."""

    note: str = ""
    trouble: str = ""
    faults: list[Fault] = field(default_factory=list)
    heard: Both | None = None
    tests: list[Outcome] = field(default_factory=list)
    changes: Changes | None = None
    told: str = ""
    status: int = 200


class Studio:
    """The page at `address`, and the application behind it."""

    def __init__(self, desk: Desk, host: str, port: int) -> None:
        self.desk = desk
        self._host = f"{host}:{port}"
        self._key = secrets.token_urlsafe(24)
        self._cookie = f"tocsin-{port}"
        self._lock = Lock()
        self._turns: dict[str, int] = {}
        """Page → the number of what it asked last."""
        self._seeds = {entry.article.id: entry.article for entry in _seeds() if entry.article}
        self.address = f"http://{self._host}/?key={self._key}"
        routes = [
            Route("/", self._page),
            Route("/", self._answer, methods=["POST"]),
            Route("/read", self._read, methods=["POST"]),
            Route("/seed", self._seed, methods=["POST"]),
            Route("/studio.css", self._style),
            Route("/studio.js", self._script),
        ]
        guard = Middleware(BaseHTTPMiddleware, dispatch=self._guard)
        self.app = Starlette(routes=routes, middleware=[guard], exception_handlers={TocsinError: _refused})

    async def _guard(self, request: Request, go_on: RequestResponseEndpoint) -> Response:
        """Lets in who has the key, by the name of this machine, from no other page."""
        response = self._kept_out(request)
        if response is None:
            response = await go_on(request)
        for name, value in HEADERS.items():
            response.headers[name] = value
        return response

    def _kept_out(self, request: Request) -> Response | None:
        if request.headers.get("host") != self._host:
            return PlainTextResponse(f"This is {self._host}, and nothing else.", 400)
        if request.headers.get("origin", f"http://{self._host}") != f"http://{self._host}":
            return PlainTextResponse("Another page has no business here.", 403)
        if _same(request.query_params.get("key", ""), self._key):
            entered = RedirectResponse("/", 303)
            entered.set_cookie(self._cookie, self._key, httponly=True, samesite="strict")
            return entered
        if _same(request.cookies.get(self._cookie, ""), self._key):
            return None
        return PlainTextResponse(
            "Open the address that `tocsin studio` printed in the terminal: it holds the key.", 403
        )

    async def _style(self, _request: Request) -> Response:
        return Response(ENV.get_template("studio.css.j2").render(), media_type="text/css")

    async def _script(self, _request: Request) -> Response:
        return Response(ENV.get_template("studio.js").render(), media_type="text/javascript")

    async def _page(self, request: Request) -> Response:
        return await run_in_threadpool(self._first, request.query_params.get("file", ""))

    def _first(self, file: str) -> Response:
        """The page as it opens: the first seed, and the rule that finds most in it."""
        with self._lock:
            seed = next(iter(self._seeds), "")
            sheet = Sheet(file or self._best(seed), "", "", seed, _fields(self._seeds.get(seed)))
            return self._shown(self._opened(sheet), "hear", part=False)

    def _best(self, seed: str) -> str:
        """The file of the first rule that finds something in an article; the first there is where none does."""
        files = self.desk.files()
        article = self._seeds.get(seed)
        found = detect(self.desk.saved().rule_set, article) if article else ()
        return next((name for one in found if (name := f"{one.rule}.yaml") in files), next(iter(files)))

    def _opened(self, sheet: Sheet) -> Sheet:
        draft = self.desk.open(sheet.file)
        return replace(sheet, text=draft.text, base=draft.base)

    async def _answer(self, request: Request) -> Response:
        sent = (await _body(request)).decode("utf-8", "replace")
        try:
            form = parse_qs(sent, keep_blank_values=True, max_num_fields=30)
        except ValueError as error:
            raise HTTPException(400, "More fields than the form has.") from error
        given = {name: values[0] for name, values in form.items()}
        tab, _, number = request.headers.get("turn", "").partition(" ")
        turn = tab, int(number) if number.isdecimal() else 0
        self._turns[tab] = max(turn[1], self._turns.get(tab, 0))
        return await run_in_threadpool(self._answered, given, "part" in request.headers, turn)

    def _answered(self, given: Mapping[str, str], part: bool, turn: tuple[str, int]) -> Response:  # noqa: FBT001 - as the header says
        wish = given.get("do", "hear")
        told = {name: given.get(name, "") for name in FIELDS}
        sheet = Sheet(given.get("file", ""), given.get("rule", ""), given.get("base", ""), given.get("seed", ""), told)
        sheet.asked = {name: given.get(f"new-{name}", "") for name in ASKED}
        with self._lock:
            if (
                wish == "hear" and turn[1] < self._turns[turn[0]]
            ):  # the page has asked anew meanwhile, and does not wait for this
                return Response(status_code=NO_CONTENT)
            if wish == "open":
                sheet = self._opened(replace(sheet, file=given.get("open", "")))
            elif wish == "load":
                sheet = replace(sheet, article=_fields(self._seeds.get(sheet.seed)))
            elif wish == "new":
                try:
                    sheet = self._new(sheet)
                except InputFault as fault:
                    return self._shown(sheet, "hear", part=part, trouble=fault)
            return self._shown(sheet, wish, part=part)

    def _new(self, sheet: Sheet) -> Sheet:
        """The sheet with a rule that was drafted out of what was said of it; in the place of a seed it hears the first sentence that must fire."""
        draft = self.desk.new(sheet.asked)
        if sheet.seed:
            first = sheet.asked["fires"].strip().splitlines()[0]
            sheet = replace(sheet, seed="", article={**_fields(None), "text": first})
        return replace(sheet, file=draft.file, text=draft.text, base=draft.base, asked=dict.fromkeys(ASKED, ""))

    def _shown(self, sheet: Sheet, wish: str, *, part: bool, trouble: InputFault | None = None) -> Response:
        """The page, or its second half; `trouble`: why no new rule was drafted."""
        result = self._result(sheet, wish)
        if trouble:
            result.trouble, result.status = f"No rule was drafted: {trouble}", REFUSED
        if wish == "save" and result.status == OK:
            sheet = self._opened(sheet)
        shown = {"sheet": sheet, "result": result, "WORDS": WORDS, "ROLES": ROLES, "CHECKS": OF_CODE, "SHOWN": SHOWN}
        shown |= {
            "archive": bool(self.desk.archive),
            "counts_of": counts_of,
            "headline": headline,
            "own": f"{self.desk.rules.name}/{sheet.file}",
        }
        if part:
            return HTMLResponse(ENV.get_template("studio-result.html.j2").render(shown), result.status)
        files: dict[str, list[str]] = {}
        for name in self.desk.files():
            kind = name.partition("/")[0].capitalize() if "/" in name else "Rules"
            files.setdefault(kind, []).append(name)
        if not sheet.base and sheet.file and all(sheet.file not in names for names in files.values()):
            files["New, not saved"] = [sheet.file]
        page = ENV.get_template("studio.html.j2").render(
            shown, files=files, seeds=self._seeds.values(), folder=self.desk.rules
        )
        return HTMLResponse(page.encode("utf-8", "replace"), result.status)

    def _result(self, sheet: Sheet, wish: str) -> Result:
        result = Result()
        try:
            article = sheet.read()
        except InputFault as fault:
            article, result.trouble = None, str(fault)
        try:
            self._work(sheet.draft, article, wish, result)
        except RuleFaults as error:
            result.faults, result.status = error.faults, REFUSED
        except InputFault as fault:
            result.trouble, result.status = str(fault), CONFLICT if isinstance(fault, Stale) else REFUSED
        return result

    def _work(self, draft: Draft, article: Article | None, wish: str, result: Result) -> None:
        if len(draft.text) > MAX_BYTES:
            raise InputFault(f"has more than {MAX_BYTES:,} characters", draft.file, "split the file")
        if wish == "save":
            result.faults = self.desk.save(draft)
            result.status = REFUSED if result.faults else OK
            result.note = f"Not saved: {draft.file} does not check." if result.faults else f"{draft.file} is saved."
        else:
            result.faults = self.desk.faults(draft)
        if article:
            result.heard = self.desk.hear(draft, article)
        result.tests = self.desk.tests(draft)
        if wish == "diff" and not result.faults:
            result.changes, result.told = self.desk.differences(draft, article)
        if wish == "new":
            failed = sum(not one.passed for one in result.tests)
            passes = "some of its tests fail: mend them here" if failed else "it passes its tests"
            result.note = f"{draft.file} is drafted, and {passes}. Nothing is written before you save it."

    async def _seed(self, request: Request) -> Response:
        """The fields of a seed."""
        return JSONResponse({"fields": _fields(self._seeds.get(request.query_params.get("name", ""))), "more": 0})

    async def _read(self, request: Request) -> Response:
        """The fields of a dropped file: text, page, e-mail or JSON, as `tocsin detect` reads it."""
        name = request.query_params.get("name", "")[:200].rpartition("/")[2]
        try:
            found = await run_in_threadpool(articles, name, await _body(request))
        except InputFault as fault:
            return JSONResponse({"fault": str(fault)}, REFUSED)
        return JSONResponse({"fields": _fields(found[0]), "more": len(found) - 1})


def _seeds() -> Iterator[Entry]:
    return entries(SEEDS) if SEEDS.is_dir() else iter(())


def _fields(article: Article | None) -> dict[str, str]:
    """An article as the form shows it."""
    if article is None:
        return dict.fromkeys(FIELDS, "")
    when = f"{article.published:%Y-%m-%dT%H:%M}".removesuffix("T00:00") if article.published else ""
    return {
        "title": article.title,
        "source": article.source,
        "published": when,
        "url": article.url,
        "text": article.text,
    }


async def _body(request: Request) -> bytes:
    """What was sent, unless it is too much."""
    body = b""
    async for some in request.stream():
        body += some
        if len(body) > MAX_BODY:
            raise HTTPException(413, f"More than {MAX_BODY:,} bytes. Nothing was read.")
    return body


def _same(given: str, key: str) -> bool:
    return secrets.compare_digest(given.encode("utf-8", "replace"), key.encode())


async def _refused(_request: Request, error: Exception) -> Response:
    """What could not even be shown, in words."""
    return PlainTextResponse(str(error), REFUSED)
