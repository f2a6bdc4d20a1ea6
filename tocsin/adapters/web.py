"""The only way out to the network for addresses that come from outside: who is asked, and what may come back.

A name is resolved once, every address it has is checked (`tocsin.addresses`), and the connection goes to a checked address; the
name stays in `Host`, SNI and the check of the certificate. Each redirect goes the same way. Proxies and cookies are not used.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from http import HTTPStatus
from http.client import BadStatusLine, HTTPException, IncompleteRead, LineTooLong, RemoteDisconnected, UnknownProtocol
from ipaddress import ip_network
from queue import Empty, SimpleQueue
from threading import Thread

from tocsin import __version__
from tocsin.adapters.exchange import Exchange, Limits, Until, is_plain, shown
from tocsin.addresses import PORTS, Address, Network, Target, follow, parse, read, refusal
from tocsin.errors import FetchFault, SettingsFault
from tocsin.feed import Answer

KINDS: Mapping[str, str] = {
    "url": "correct the address",
    "private": "feeds are fetched from public hosts only; of a network of your own, drop or post the articles",
    "port": "ask the publisher for an address on a usual port",
    "name": "check how the host is spelt; if it is right, the publisher's DNS fails",
    "connection": "the server refuses or drops the connection; open the address in a browser, or try again later",
    "timeout": "the server is too slow; try again later, and remove the feed if it stays so",
    "tls": "the publisher must mend the certificate or the server; look whether the feed has another address",
    "protocol": "what answers is no sound web server; check scheme and port",
    "headers": "the server sends too many or too large headers; its publisher must mend that",
    "encoding": "the server compresses its answer wrongly or unasked; its publisher must mend that",
    "bomb": "the answer swells when it is decompressed as no feed does; remove the feed",
    "large": "ask the publisher for a feed with fewer entries",
    "length": "the server sends more or less than it says; try again later, and tell its publisher if it stays so",
    "redirect": "open the address in a browser, and use the one it ends at",
    "busy": "the server asks to wait; fetch it less often",
    "status": "open the address in a browser; the publisher may have moved or closed the feed",
}
"""Every `FetchFault.kind`, with what an operator can do about it."""
PASSING = frozenset({"name", "connection", "timeout", "length", "busy"})
"""The kinds that may pass by themselves; so does a `status` of 500 and more."""

Resolve = Callable[[str], Sequence[str]]
"""The IP addresses of a name, as text; `OSError` when it has none."""

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5"
)
_PASSED_ON = frozenset({"if-none-match", "if-modified-since", "accept", "accept-language", "cache-control"})
_ANSWERS = frozenset({200, 304, 410})
_REDIRECTS, _PERMANENT = frozenset({301, 302, 303, 307, 308}), frozenset({301, 308})
_BUSY = frozenset({429, 503})
_ATTEMPTS = 4
"""How many addresses of a host are tried."""
_LONGEST_PAUSE = 7 * 86_400.0


def addresses_of(name: str) -> Sequence[str]:
    """What the system's resolver knows of a name."""
    return [str(found[4][0]) for found in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)]


class Guard:
    """Asks the web within limits; fulfils `tocsin.ports.Web`. Several threads may share one.

    `allow` are networks that may be asked although they are not public, on any port; `ports` are those of public hosts. `resolve`
    stands in for the system's resolver, `tls` for the system's certificates; `contact` is added to the name Tocsin gives itself.
    """

    def __init__(  # noqa: PLR0913 - the ways in which tests and a network of one's own differ
        self,
        *,
        allow: Iterable[str] = (),
        ports: Iterable[int] = PORTS,
        resolve: Resolve = addresses_of,
        limits: Limits | None = None,
        contact: str = "",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        if not is_plain(contact):
            raise SettingsFault("the contact of the feed reader must be plain text on one line")
        self._allow: tuple[Network, ...] = tuple(ip_network(one) for one in allow)
        self._ports, self._resolve, self._limits, self._given = frozenset(ports), resolve, limits or Limits(), tls
        self._agent = f"Tocsin/{__version__} (feed reader{f'; +{contact}' if contact else ''})"

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """One GET with its redirects. `FetchFault`, its kind one of `KINDS`, for all that is not 200, 304 or 410.

        `headers` are those of a conditional or particular request: any other is a mistake of the caller (`ValueError`).
        A redirect from https to http is not followed: what was asked for safely would come from anybody on the way.
        """
        asked = {name.title(): value for name, value in (headers or {}).items()}
        if strange := [name for name in asked if name.lower() not in _PASSED_ON]:
            raise ValueError(f"the guard does not send {', '.join(strange)}")
        until = Until.after(self._limits.deadline)
        target = read(url)
        seen: list[str] = []
        permanent = True
        while True:
            seen.append(target.url)
            with (
                _translated(),
                self._connected(target, until) as sock,
                closing(Exchange(sock, until, self._limits)) as exchange,
            ):
                status = exchange.ask(target, {**self._headers(target), **_sendable(asked)})
                if status in _ANSWERS:
                    moved = target.url if permanent and len(seen) > 1 else ""
                    return Answer(
                        target.url, status, exchange.headers, exchange.body() if status == HTTPStatus.OK else b"", moved
                    )
            if status not in _REDIRECTS:
                raise _status_fault(status, exchange.headers.get("retry-after", ""))
            permanent = permanent and status in _PERMANENT
            target = _next(target, exchange.headers.get("location", ""), seen, self._limits.redirects)

    def _headers(self, target: Target) -> dict[str, str]:
        return {
            "Host": target.authority,
            "User-Agent": self._agent,
            "Accept": ACCEPT,
            "Accept-Encoding": "gzip",
            "Connection": "close",
        }

    def _connected(self, target: Target, until: Until) -> socket.socket:
        """A connection to the first address of the target that answers, after all of them were found to be public."""
        if not self._allow and not target.address:
            self._check_port(target)
        addresses = [target.address] if target.address else self._addresses(target.host, until)
        for address in addresses:
            if why := refusal(address, self._allow):
                raise FetchFault("private", why if target.address else f"{target.host}: {why}")
            if not any(address in network for network in self._allow):
                self._check_port(target)
        addresses = addresses[:_ATTEMPTS]
        for index, address in enumerate(addresses, 1):
            last = index == len(addresses)
            # One dead address of several must not use up the time of the others.
            patience = until.left("connecting") / (1 if last else 2)
            try:
                return self._opened(target, address, patience, until)
            except ssl.SSLError:
                raise
            except OSError:
                if last:
                    raise
        raise FetchFault("name", f"the host {target.host} has no address")

    def _check_port(self, target: Target) -> None:
        if target.port not in self._ports:
            raise FetchFault("port", f"port {target.port} is none of {', '.join(map(str, sorted(self._ports)))}")

    def _addresses(self, name: str, until: Until) -> Sequence[Address]:
        """The addresses of a name, asked for once. A resolver knows no deadline, so a thread of its own waits for it."""
        answers: SimpleQueue[Sequence[str] | None] = SimpleQueue()

        def ask() -> None:
            try:
                answers.put(self._resolve(name))
            except (OSError, UnicodeError):
                answers.put(None)

        Thread(target=ask, daemon=True, name="resolver").start()
        try:
            found = answers.get(timeout=until.left("looking up the host"))
        except Empty:
            raise until.fault("looking up the host") from None
        if not found:
            raise FetchFault("name", f"the host {name} is not found")
        try:
            return list(dict.fromkeys(parse(one) for one in found))
        except ValueError:
            raise FetchFault("name", f"the host {name} has an address that cannot be read") from None

    def _opened(self, target: Target, address: Address, patience: float, until: Until) -> socket.socket:
        """A connection to one address; for https with the handshake done in the name of the host."""
        sock = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)  # noqa: PLR2004
        try:
            sock.settimeout(patience)
            sock.connect((str(address), target.port))
            if target.scheme == "http":
                return sock
            sock.settimeout(until.left("greeting the server"))  # for the whole handshake, not for each read of it
            return self._tls.wrap_socket(sock, server_hostname=target.host)
        except BaseException:
            sock.close()
            raise

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        context = self._given or ssl.create_default_context()
        context.set_alpn_protocols(["http/1.1"])
        return context


def _sendable(headers: Mapping[str, str]) -> dict[str, str]:
    """Without what a server once said, like its ETag, and what cannot be sent back: that costs one full answer, no more."""
    return {name: value for name, value in headers.items() if is_plain(value)}


def _next(target: Target, location: str, seen: Sequence[str], limit: int) -> Target:
    """Where a redirect leads to, if it may be followed."""
    if not location:
        raise FetchFault("redirect", "the server redirects without a usable address")
    try:
        after = follow(target, _decoded(location))
    except FetchFault as fault:
        raise FetchFault("redirect", f"the server redirects to {shown(location)!r}: {fault.what}") from None
    if after.url in seen:
        raise FetchFault("redirect", f"the redirects lead back to {shown(after.url)}")
    if len(seen) > limit:
        raise FetchFault("redirect", f"there are more than {limit} redirects, the last to {shown(after.url)}")
    if (target.scheme, after.scheme) == ("https", "http"):
        raise FetchFault("redirect", f"the server redirects from https to http, {shown(after.url)}")
    return after


def _decoded(location: str) -> str:
    """Headers are read as Latin-1; an address that is not ASCII was meant as UTF-8."""
    try:
        return location.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return location


def _status_fault(status: int, retry_after: str) -> FetchFault:
    try:
        phrase = f" {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = ""
    kind = "busy" if status in _BUSY else "status"
    return FetchFault(kind, f"the server answers {status}{phrase}", status=status, retry_after=_pause(retry_after))


def _pause(asked: str) -> float | None:
    """The seconds a server asks to wait, given as a number or a date; None when it does not say."""
    if asked.isascii() and asked.isdigit():
        return min(float(asked[:12]), _LONGEST_PAUSE)
    try:
        until = parsedate_to_datetime(asked)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max((until - datetime.now(UTC)).total_seconds(), 0.0), _LONGEST_PAUSE)


_FAULTS: Sequence[tuple[type[Exception], str, str]] = (
    (ssl.SSLCertVerificationError, "tls", "the certificate is not good: {}"),
    (ssl.SSLError, "tls", "the server does not speak TLS as it should: {}"),
    (TimeoutError, "timeout", "the time was over while connecting"),
    (IncompleteRead, "length", "the answer ends too soon, or its chunks are not as long as they say"),
    (RemoteDisconnected, "connection", "the server hung up without an answer"),
    (OSError, "connection", "the connection failed: {}"),
    (LineTooLong, "headers", "a header is too long"),
    (BadStatusLine, "protocol", "the answer is not HTTP"),
    (UnknownProtocol, "protocol", "the answer is of another version than HTTP/1"),
    (HTTPException, "headers", "there are too many headers"),  # the one fault without a class of its own
)
"""What goes wrong on a connection: the first class that fits, the kind, and the words; `{}` is what the error says."""


@contextmanager
def _translated() -> Iterator[None]:
    """Tells what went wrong on a connection as a `FetchFault`."""
    try:
        yield
    except (OSError, HTTPException) as error:
        kind, words = next((kind, words) for one, kind, words in _FAULTS if isinstance(error, one))
        raise FetchFault(kind, words.format(_said(error))) from error


def _said(error: Exception) -> str:
    """What an error of the system says, without what the server said."""
    said = getattr(error, "verify_message", "") or getattr(error, "reason", "") or getattr(error, "strerror", "")
    return shown(str(said or type(error).__name__))
