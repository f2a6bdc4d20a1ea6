"""How a replay looks in the terminal while it runs."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from tocsin.cli.pace import Pace
from tocsin.reading import Entry

_STYLES = {"low": "blue", "medium": "yellow", "high": "dark_orange", "critical": "red"}


def show_replay(inputs: Sequence[Entry], options: Any, replay: Callable[[Sequence[Entry], Any], Any]) -> Any:
    """Runs the replay, showing each alert as it is posted and at the end what became of each article."""
    console = Console(highlight=False)
    console.print(f"{len(inputs)} inputs; making the system of template.yaml on moto …", style="dim")
    with console.status("starting") as status:
        options.on_message = lambda method, call: _show_call(console, method, call)
        pace = Pace(len(inputs))
        options.on_progress = lambda done, _: status.update(pace.line(done)) if console.is_terminal else pace.tell(done)
        replayed = replay(inputs, options)
    _fates(console, replayed)
    return replayed


def _show_call(console: Console, method: str, call: Any) -> None:
    told = (call.metadata or {}).get("event_payload", {})
    if method == "chat.update":
        console.print(Text(f"  ✎ root message brought up to date: {told.get('story', '')}", style="dim"))
        return
    title, _, body = _readable(call.text).partition("\n")
    where = " (in the thread, broadcast to the channel)" if call.thread_ts else ""
    wrapped = "\n".join(textwrap.fill(line, max(40, console.width - 6)) for line in body.splitlines())
    console.print(
        Panel(
            Text(wrapped),
            title=Text(title + where, style="bold"),
            title_align="left",
            border_style=_STYLES.get(told.get("level", ""), "white"),
        )
    )


def _readable(text: str) -> str:
    return text.replace("\u200b", "").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _fates(console: Console, replayed: Any) -> None:
    console.print(Text("What became of each article", style="bold"))
    for arrival in replayed.arrivals:
        article = arrival.entry.article
        when = f"{article.published:%Y-%m-%d}" if article and article.published else "without a date"
        outlet = (article.source if article else "") or "no outlet"
        told = Text.assemble(f"{outlet}, {when}: ", (arrival.fate.fate, "bold"), f". {arrival.fate.reason}")
        console.print(Text(arrival.article, style="bold"), Padding(told, (0, 0, 0, 4)), sep="\n")
    summary = replayed.summary()
    fates = ", ".join(f"{count} {fate}" for fate, count in summary["fates"].items())
    console.print(
        f"{summary['articles']} articles in = {sum(summary['fates'].values())} fates ({fates}); {summary['alerts']} alerts, {summary['updates']} edits"
    )
