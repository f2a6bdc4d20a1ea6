"""Addresses that want the guard to ask a machine it must not ask, or to open a file, and the traps that count who comes.

Traps listen on every address of this machine, IPv4 and IPv6. One machine stands for the public Internet: 127.0.0.2, which the guard
is allowed to ask; it redirects to every payload. What the process connects to and opens is counted by an audit hook, too, so that
a question to 10.0.0.1 is seen although nobody is there. `run()` counts; `make hostile` prints that.
"""

from __future__ import annotations

import json
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from itertools import cycle
from pathlib import Path
from threading import Thread

from tests.hostile.servers import heard, listening
from tocsin.adapters.exchange import Limits
from tocsin.adapters.web import Guard
from tocsin.addresses import PORTS, SPECIAL
from tocsin.errors import FetchFault

PUBLIC = "127.0.0.2"
"""What stands for the public Internet. Linux answers on all of 127.0.0.0/8."""
SECRET = "the contents of a file of this machine"


def spellings(address: str) -> Iterator[str]:
    """Ways to write an IPv4 address in a web address, right and wrong, that some program or other understands."""
    number = int(IPv4Address(address))
    a, b, c, d = address.split(".")
    eight, sixteen = [f"0{int(one):o}" for one in (a, b, c, d)], [f"0x{int(one):x}" for one in (a, b, c, d)]
    yield from (address, f"{address}.", f"{address}..", f"{a}.{b}.{int(c) * 256 + int(d)}")
    yield from (
        f"{a}.{number & 0xFFFFFF}",
        str(number),
        hex(number),
        f"0{number:o}",
        hex(number).upper(),
        f"{number + 2**32}",
    )
    yield from (".".join(eight), ".".join(sixteen), ".".join([*sixteen[:2], c, eight[3]]), f"{a}.{b}.{c}.{d:0>3}")
    yield from (".".join(f"{one:0>10}" for one in eight), ".".join(str(int(one) + 256) for one in (a, b, c, d)))
    yield from (address.replace(".", dot) for dot in ("。", "．", "｡", "%2e", "%E3%80%82"))
    yield address.translate({ord(digit): ord("０") + int(digit) for digit in "0123456789"})
    yield address.translate({ord(digit): ord("①") + int(digit) - 1 for digit in "123456789"})
    yield "".join(f"%{ord(one):02x}" for one in address)
    six: tuple[str, ...] = (
        f"::ffff:{address}",
        f"::ffff:{number >> 16:x}:{number & 0xFFFF:x}",
        f"::{address}",
        f"::ffff:0:{address}",
    )
    six += (f"64:ff9b::{address}", f"64:ff9b:1::{address}", f"2002:{number >> 16:x}:{number & 0xFFFF:x}::1")
    six += (f"2001:0:{number >> 16:x}:{number & 0xFFFF:x}::1", f"fe80::5efe:{address}", f"2a00:1450::5efe:{address}")
    turned = number ^ 0xFFFFFFFF
    six += (f"2001:0:808:808::{turned >> 16:x}:{turned & 0xFFFF:x}", f"0:0:0:0:0:FFFF:{address}")
    yield from (f"[{one}]" for one in six)


_HOSTS = """
    localhost LOCALHOST localhost. localhost.localdomain ip6-localhost ⓛocalhost loc%61lhost ʟocalhost
    0 0.0.0.0 00 0x0 0.0 127.1 127.0.1 127.255.255.254 127.0.0.53 10.0.0.1 10.1 172.16.0.1 172.31.255.255
    192.168.0.1 192.168.1 100.64.0.1 100.100.100.200 192.0.0.192 198.18.0.1 224.0.0.1 255.255.255.255
    [::1] [::] [0:0:0:0:0:0:0:1] [::0001] [::1%lo] [::1%25lo] [fe80::1] [fe80::1%lo] [fe80::1%25eth0]
    [fd00:ec2::254] [fd00::1] [fec0::1] [ff02::1] [::127.0.0.1] [::2] [v1.x] [::1 ::1 [::1]] [127.0.0.1] []
"""
HOSTS: tuple[str, ...] = (*spellings("127.0.0.1"), *spellings("169.254.169.254"), *_HOSTS.split())
"""Hosts for `http://…:{port}/`."""

_FOREIGN = r"""
    {file} file://{file} file:{file} FILE://{file} file://localhost{file} file:///{file} url:file://{file}
    file:///etc/passwd file:/etc/passwd file://127.0.0.1/etc/passwd \\127.0.0.1\c$ jar:file:///etc/passwd!/
    gopher://127.0.0.1:{port}/_x ftp://127.0.0.1:{port}/ dict://127.0.0.1:{port}/ ldap://127.0.0.1:{port}/
    tftp://127.0.0.1:{port}/ ws://127.0.0.1:{port}/ smb://127.0.0.1:{port}/ http+unix://%2Frun%2Fx.sock/
    view-source:http://127.0.0.1:{port}/ feed:http://127.0.0.1:{port}/ feed://127.0.0.1:{port}/
    blob:http://127.0.0.1:{port}/x data:application/rss+xml,<rss/> javascript:alert(1) about:blank netdoc:{file}
"""
"""Files, and schemes that other libraries know."""
_AMBIGUOUS = r"""
    http://public.example@127.0.0.1:{port}/ http://127.0.0.1:{port}@public.example/ http://@127.0.0.1:{port}/
    http://public.example:80@127.0.0.1:{port}/ http://u:p@127.0.0.1:{port}/ http://:@127.0.0.1:{port}/
    http://127.0.0.1:{port}\@public.example/ http://public.example\@127.0.0.1:{port}/ http://127.0.0.1:{port}\.x/
    http://127.0.0.1:{port}#@public.example/ http://public.example#@127.0.0.1:{port}/..// http://127.0.0.1:{port}?@x/
    http://127.0.0.1:{port};public.example/ http://127.0.0.1%00public.example:{port}/ http://127.0.0.1%0a:{port}/
    http:///127.0.0.1:{port}/ http:127.0.0.1:{port}/ http:/127.0.0.1:{port}/ http:\\127.0.0.1:{port}\
    //127.0.0.1:{port}/ 127.0.0.1:{port}/ http:////127.0.0.1:{port}/ http://127.0.0.1:{port}:80/
    http://127.0.0.1:80:{port}/ http://127.0.0.1:0{port}/ http://127.0.0.1:{port}０/ http://127.0.0.1:+{port}/
    http://127.0.0.1:-1/ http://127.0.0.1:/ http://127.0.0.1:99999/ http://127.0.0.1,public.example:{port}/
    http://[::1]public.example:{port}/ http://public.example[::1]:{port}/ http://127.0.0.1／:{port}/
    http://public.example／@127.0.0.1:{port}/ http://127.0.0.1：{port}/ http://℀.127.0.0.1:{port}/
    HTTP://127.0.0.1:{port}/ hTTps://127.0.0.1:{port}/ http://$(hostname):{port}/
"""
"""Addresses whose host differs from reader to reader."""
_INVISIBLE: tuple[str, ...] = (
    "http://127.0.0.1 :{port}/",
    "http://127.0.0.1:{port} public.example/",
    " http://127.0.0.1:{port}/",
    "http://127.0.0.1\x00:{port}/",
    "http://127.0.0.1\t:{port}/",
    "http://127.0.\n0.1:{port}/",
    "ht\ntp://127.0.0.1:{port}/",
    "http://127.0.0.1\r\nHost: x:{port}/",
    "http://127.0.0.1:{port}/ HTTP/1.1\r\nX: y",
    "\x00http://127.0.0.1:{port}/",
    "http://127.0.0.1:{port}/\u202e",
    "http://127.0.0\u200b.1:{port}/",
    "http://127.0.0.1\u00ad:{port}/",
    "http://\ufeff127.0.0.1:{port}/",
    "http://127.0.0.1:{port}\ud800/",
)
_SERVICES = """
    http://127.0.0.1:9001/2018-06-01/runtime/invocation/next http://localhost:9001/ http://169.254.100.1:9001/
    http://169.254.169.254/latest/meta-data/iam/security-credentials/ http://169.254.170.2/v2/credentials
    http://169.254.169.123/ http://[fd00:ec2::254]/latest/meta-data/ http://[fd00:ec2::23]/
    http://metadata.google.internal/computeMetadata/v1/ http://127.0.0.1:22/ http://127.0.0.1:25/
    http://127.0.0.1:6379/ http://127.0.0.1:11211/ http://public.example:22/
"""
"""What lives on this machine or next to it."""
_NOBODY = """
    http:// https:// http: http://:{port}/ http://.:{port}/ http://..:{port}/ http://?/ http://#/ http://-:{port}/
    http://*:{port}/ http://a..b:{port}/ http://xn--a:{port}/ http://straße.example/
"""
_LONG = (
    f"http://{'a' * 64}.example:{{port}}/",
    f"http://{'a.' * 200}example:{{port}}/",
    "http://127.0.0.1:{port}/" + "a" * 5000,
)
_LINES = (_FOREIGN, _AMBIGUOUS, _SERVICES, _NOBODY)
URLS: tuple[str, ...] = ("", " ", *(url for lines in _LINES for url in lines.split()), *_INVISIBLE, *_LONG)

_ENDS = (str(one) for network, _ in SPECIAL for one in (network[0], network[network.num_addresses // 2], network[-1]))
INWARD: tuple[str, ...] = (*dict.fromkeys(_ENDS), "4000::1", "2a00:1450::5efe:7f00:1", "fe80::1%1")
"""An address or three of every network that is not public, as a name server may give them."""

_LOCATIONS = r"""
    //127.0.0.1:{port}/ ///127.0.0.1:{port}/ /\127.0.0.1:{port}/ \\127.0.0.1:{port}/ http:127.0.0.1
    http://127.0.0.1:{port} HTTP://127.1:{port}/ //[::1]:{port}/ //name.example:{port}/ //user@127.0.0.1:{port}/
    file:{file} file://{file} gopher://127.0.0.1:{port}/_x ftp://127.0.0.1:{port}/ data:,x javascript:1 ://
"""
LOCATIONS: tuple[str, ...] = (
    *_LOCATIONS.split(),
    *(url for url in URLS if url and "\n" not in url and "\ud800" not in url),
)
"""Answers to `Location`, many of them no whole addresses."""


@dataclass
class Traps:
    """Listens everywhere but for the public machine, and counts who comes. `port` is the one all traps share."""

    port: int = 0
    caught: list[str] = field(default_factory=list)

    @contextmanager
    def set(self) -> Iterator[Traps]:
        """The traps, for as long as the `with` statement lasts."""
        with ExitStack() as stack:
            four = stack.enter_context(socket.create_server(("", 0)))
            self.port = four.getsockname()[1]
            listeners = [four]
            if socket.has_ipv6:
                six = socket.create_server(("::", self.port), family=socket.AF_INET6)
                listeners.append(stack.enter_context(six))
            for listener in listeners:
                Thread(target=self._watch, args=(listener,), daemon=True).start()
            yield self
            for listener in listeners:
                listener.shutdown(socket.SHUT_RDWR)

    def _watch(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, peer = listener.accept()
            except OSError:
                return
            self.caught.append(str(peer))
            connection.close()


@dataclass
class Watch:
    """What this process connects to and which files it opens, told by the interpreter itself."""

    allowed: tuple[str, int] = ("", 0)
    forbidden: str = "-"
    connected: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    on: bool = False

    def hear(self, event: str, arguments: tuple[object, ...]) -> None:
        """An audit hook (PEP 578), which cannot be removed: it rests while `on` is false."""
        if not self.on:
            return
        if event == "socket.connect" and str(arguments[1]) != str(self.allowed):
            self.connected.append(str(arguments[1]))
        if event in ("open", "os.open") and str(arguments[0]) in (self.forbidden, "/etc/passwd"):
            self.opened.append(str(arguments[0]))


_WATCH = Watch()
_HOOKED: list[Callable[..., None]] = []


@dataclass(frozen=True)
class Payload:
    """One attempt: what is asked, what the name server says each time it is asked, and what the public machine says."""

    name: str
    url: str
    answers: tuple[Sequence[str], ...] = ()
    """Of the name server, one after the other, and then from the beginning."""
    location: str = ""
    status: int = 302
    harmless: bool = False
    """Whether an answer of the public machine is a good end: the attempt only hopes for a second question to the name server."""


def payloads() -> Iterator[Payload]:
    """All of them. `{port}` is the traps' port, `{hop}` the public machine's, `{file}` a file of this machine."""
    public, inside = [PUBLIC], ["127.0.0.1"]
    for scheme in ("http", "https"):
        for host in HOSTS:
            yield Payload(f"host {host}", f"{scheme}://{host}:{{port}}/", (inside,))
    for url in URLS:
        yield Payload(f"address {url!r}", url, (inside,))
    for address in INWARD:
        yield Payload(f"name at {address}", "http://name.example:{port}/", ([address],))
        yield Payload(f"name at {address}, too", "http://name.example:{port}/", ([PUBLIC, address],))
    yield Payload("name at many, one inside", "http://name.example:{port}/", ([*[PUBLIC] * 50, "10.0.0.1"],))
    yield Payload("name at one inside, then many", "http://name.example:{port}/", (["::1", *[PUBLIC] * 50],))
    yield Payload("name at nothing", "http://name.example:{port}/", ([],))
    yield Payload("name at nonsense", "http://name.example:{port}/", (["nonsense"],))
    yield Payload("name at a name", "http://name.example:{port}/", (["localhost"],))
    for turns in ((public, inside), (public, ["::1"]), (public, ["169.254.169.254"]), (public, inside, public)):
        told = f"rebinding to {turns[1][0]}"
        yield Payload(told, "http://name.example:{hop}/", turns, harmless=True)
        yield Payload(f"{told}, by a redirect", "http://name.example:{hop}/", turns, "http://name.example:{port}/", 302)
        yield Payload(f"{told}, by a path", "http://name.example:{hop}/", turns, "/again", 301)
        yield Payload(f"{told}, backwards", "http://name.example:{hop}/", tuple(reversed(turns[:2])))
    for index, host in enumerate(HOSTS):
        status = (301, 302, 303, 307, 308)[index % 5]
        yield Payload(
            f"redirect to {host}", "http://public.example:{hop}/", (public, inside), f"http://{host}:{{port}}/", status
        )
    for location in LOCATIONS:
        # What is no whole address leads back to the public machine, and there in a circle.
        yield Payload(f"redirect to {location!r}", "http://public.example:{hop}/", (public, inside), location)


def attempt(payload: Payload, traps: Traps, file: Path) -> str:
    """Makes one attempt: the kind of the fault it met, `answer` when the public machine answered it."""
    answers = cycle(payload.answers or [[]])
    places = {"port": traps.port, "file": str(file)}

    def answer(connection: socket.socket) -> None:
        heard(connection)
        if payload.location:
            location = _filled(payload.location, {**places, "hop": connection.getsockname()[1]}).encode()
            connection.sendall(b"HTTP/1.1 %d Go\r\nLocation: %s\r\n\r\n" % (payload.status, location))
        else:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with listening(answer, PUBLIC) as hop:
        guard = Guard(
            allow=(f"{PUBLIC}/32",),
            ports={*PORTS, traps.port},  # the port must not be what saves it
            resolve=lambda _: next(answers),
            limits=Limits(deadline=5),
        )
        _WATCH.allowed, _WATCH.forbidden = (PUBLIC, hop), str(file)
        _WATCH.on = True
        try:
            got = guard.get(_filled(payload.url, {**places, "hop": hop}))
        except FetchFault as fault:
            return fault.kind
        finally:
            _WATCH.on = False
    return "leak" if SECRET.encode() in got.body else "answer"


def _filled(text: str, places: dict[str, object]) -> str:
    for name, value in places.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


def attempts() -> dict[str, object]:
    """Makes every attempt; the counts, and by name those that did not end as they must."""
    if not _HOOKED:
        _HOOKED.append(_WATCH.hear)
        sys.addaudithook(_WATCH.hear)
    _WATCH.connected.clear()
    _WATCH.opened.clear()
    wrong: dict[str, str] = {}
    count = 0
    with Traps().set() as traps, tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "secret.xml"
        file.write_text(SECRET, encoding="utf-8")
        for payload in payloads():
            count += 1
            kind = attempt(payload, traps, file)
            if (kind == "answer") is not payload.harmless or kind == "leak":
                wrong[payload.name] = kind
    return {
        "payloads": count,
        "connections": len(traps.caught) + len(_WATCH.connected),
        "files": len(_WATCH.opened),
        "wrong": wrong,
    }


def run() -> dict[str, float]:
    """Makes every attempt: how many there are, how many were refused or harmless, and who came where nobody must."""
    counts = attempts()
    wrong = counts.pop("wrong")
    assert isinstance(wrong, dict)
    return {
        **{name: int(str(value)) for name, value in counts.items()},
        "refused": int(str(counts["payloads"])) - len(wrong),
    }


if __name__ == "__main__":
    print(json.dumps(attempts(), ensure_ascii=True))  # noqa: T201
