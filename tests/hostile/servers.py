"""Servers that drip, flood, lie, swell and hang up, on loopback, and what the guard makes of each.

`run()` asks them all and counts; `make hostile` prints that. The kinds under `expected` are what an operator must be told.
"""

from __future__ import annotations

import gzip
import itertools
import socket
import ssl
import struct
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tocsin.adapters.exchange import Limits
from tocsin.adapters.web import Guard
from tocsin.errors import FetchFault

Serve = Callable[[socket.socket], None]
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\n"
DRIP = 0.02
"""Seconds between two bytes: never long enough for the timeout of a single read."""
SECONDS, MEGABYTES = 15.0, 20.0
"""What one server may cost."""


@contextmanager
def listening(serve: Serve, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server for as long as the `with` statement lasts; gives its port. Each connection has a thread of its own."""
    with socket.create_server((host, 0)) as listener:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()

        def answer(connection: socket.socket) -> None:
            # What the guard does with a connection, hanging up included, is no fault of the server.
            with suppress(OSError), connection:
                connection.settimeout(30)
                if tls is None:
                    serve(connection)
                else:
                    with tls.wrap_socket(connection, server_side=True) as safe:
                        serve(safe)

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def heard(connection: socket.socket) -> bytes:
    """The question, to the end of its headers."""
    got = b""
    while b"\r\n\r\n" not in got and (piece := connection.recv(65536)):
        got += piece
    return got


def sends(*parts: bytes) -> Serve:
    """Answers with these bytes and hangs up."""
    return streams(lambda: parts)


def streams(parts: Callable[[], Iterable[bytes]], pause: float = 0.0) -> Serve:
    """Answers with whatever comes, for as long as somebody listens."""

    def serve(connection: socket.socket) -> None:
        heard(connection)
        for part in parts():
            connection.sendall(part)
            time.sleep(pause)

    return serve


def drips(head: bytes, letters: bytes = b" ") -> Serve:
    """Sends the head at once, and then letter after letter, for ever."""
    return streams(lambda: itertools.chain([head], (bytes([one]) for one in itertools.cycle(letters))), DRIP)


def floods(head: bytes, piece: bytes) -> Serve:
    """Sends the head, and then the same piece for ever, as fast as it goes."""
    return streams(lambda: itertools.chain([head], itertools.repeat(piece)))


def redirects(location: str, status: str = "302 Found") -> Serve:
    """Sends everybody elsewhere; `{port}` is its own port, `{next}` a path nobody was at."""
    paths = itertools.count()

    def serve(connection: socket.socket) -> None:
        heard(connection)
        told = location.format(port=connection.getsockname()[1], next=f"/{next(paths)}")
        connection.sendall(f"HTTP/1.1 {status}\r\nLocation: {told}\r\nContent-Length: 0\r\n\r\n".encode())

    return serve


def silent(connection: socket.socket) -> None:
    """Takes the question and never answers."""
    while connection.recv(65536):
        pass


def resets(*parts: bytes) -> Serve:
    """Sends something and resets the connection."""

    def serve(connection: socket.socket) -> None:
        heard(connection)
        for part in parts:
            connection.sendall(part)
        time.sleep(DRIP)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return serve


def rude(*parts: bytes) -> Serve:
    """Speaks before it is asked, and goes on as if nothing had been said."""

    def serve(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)
        silent(connection)

    return serve


def drips_at_once(connection: socket.socket) -> None:
    """Drips the beginning of a TLS record that never ends."""
    for letter in itertools.chain(b"\x16\x03\x03\x40\x00", itertools.repeat(2)):
        connection.sendall(bytes([letter]))
        time.sleep(DRIP)


def _framed(size: bytes, body: bytes) -> bytes:
    return size + b"\r\n" + body + b"\r\n"


ZEROS = b"\0" * 1_000_000
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
GZIP = OK + b"Content-Encoding: gzip\r\n\r\n"
BOMB = gzip.compress(ZEROS * 30, mtime=0)
FEED = b'<?xml version="1.0"?><rss version="2.0"><channel><title>T</title></channel></rss>'


@dataclass(frozen=True)
class Hostile:
    """A server, and the kinds of fault it may be told as."""

    serve: Serve
    expected: str
    """Several when it depends on which of two limits is met first, or on how the system tells a connection that ends."""
    scheme: str = "http"
    certificate: bool = False
    """Whether it speaks TLS, with a certificate nobody has vouched for."""


SERVERS: dict[str, Hostile] = {
    # Time
    "never answers": Hostile(silent, "timeout"),
    "drips the status line": Hostile(drips(b"HTTP/1.1 200 ", b"O"), "timeout"),
    "drips headers": Hostile(drips(OK, b"X: y\r\n"), "timeout"),
    "drips interim answers": Hostile(drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "timeout"),
    "drips a body": Hostile(drips(OK + b"Content-Length: 1000000\r\n\r\n", FEED), "timeout"),
    "drips a body without a length": Hostile(drips(OK + b"\r\n", FEED), "timeout"),
    "drips chunks": Hostile(drips(CHUNKED, b"1\r\n<\r\n"), "timeout"),
    "drips gzip": Hostile(drips(GZIP, BOMB), "timeout"),
    "stops in the middle": Hostile(rude(OK + b"Content-Length: 100\r\n\r\n", FEED), "timeout"),
    "sends a feed and keeps the line open": Hostile(rude(OK + b"\r\n", FEED), "timeout"),
    "drips TLS": Hostile(drips_at_once, "timeout", "https"),
    "never greets on TLS": Hostile(silent, "timeout", "https"),
    "redirects to a dead end": Hostile(redirects("http://dead.example:{port}/"), "timeout"),
    # Size
    "endless headers": Hostile(floods(OK, b"X-Filler: " + b"x" * 500 + b"\r\n"), "headers"),
    "one endless header": Hostile(floods(OK + b"X-Filler: ", b"x" * 5000), "headers"),
    "an endless status line": Hostile(floods(b"HTTP/1.1 200 ", b"x" * 5000), "headers"),
    "a hundred and one headers": Hostile(sends(OK, b"A: b\r\n" * 101, b"\r\n", FEED), "headers"),
    "a header of 60 kB in a head of 100": Hostile(
        sends(OK, (b"X: " + b"x" * 60_000 + b"\r\n") * 2, b"\r\n"), "headers"
    ),
    "endless interim answers": Hostile(floods(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 50), "headers"),
    "an endless body": Hostile(floods(OK + b"\r\n", ZEROS), "large"),
    "an endless body of chunks": Hostile(floods(CHUNKED, _framed(b"f4240", ZEROS)), "large"),
    "endless tiny chunks": Hostile(floods(CHUNKED, _framed(b"1", b"x") * 5000), "large timeout"),
    "an endless chunk extension": Hostile(floods(CHUNKED + b"5;", b"x" * 5000), "headers"),
    "endless trailers": Hostile(floods(CHUNKED + _framed(b"1", b"x") + b"0\r\n", b"X: y\r\n" * 5000), "large timeout"),
    "a length of ten terabytes": Hostile(sends(OK, b"Content-Length: 10000000000000\r\n\r\n", FEED), "large"),
    # Compression
    "a gzip bomb": Hostile(sends(GZIP, BOMB), "bomb"),
    "a gzip bomb in pieces": Hostile(sends(GZIP, *(gzip.compress(ZEROS, mtime=0) for _ in range(30))), "bomb"),
    "a gzip of empty gzips": Hostile(sends(GZIP, gzip.compress(b"", mtime=0) * 5000), "bomb"),
    "a deflate bomb": Hostile(sends(OK, b"Content-Encoding: deflate\r\n\r\n", zlib.compress(ZEROS * 30)), "bomb"),
    "a gzip in a gzip": Hostile(
        sends(OK, b"Content-Encoding: gzip, gzip\r\n\r\n", gzip.compress(BOMB, mtime=0)), "encoding"
    ),
    "endless gzip": Hostile(floods(GZIP, BOMB), "bomb"),
    "no gzip at all": Hostile(sends(GZIP, FEED), "encoding"),
    "half a gzip": Hostile(sends(GZIP, gzip.compress(FEED)[:-20]), "length"),
    "a gzip with a wrong sum": Hostile(sends(GZIP, gzip.compress(FEED)[:-8] + b"\1" * 8), "encoding"),
    "brotli unasked": Hostile(sends(OK, b"Content-Encoding: br\r\n\r\n", b"\x0b\x02\x80" + FEED), "encoding"),
    "an encoding with an escape": Hostile(sends(OK, b"Content-Encoding: \x1b[31m\r\n\r\n", FEED), "encoding"),
    # Lies about length
    "a length too short": Hostile(sends(OK, b"Content-Length: 20\r\n\r\n", FEED), "length"),
    "a length too long": Hostile(sends(OK, b"Content-Length: 2000\r\n\r\n", FEED), "length"),
    "a negative length": Hostile(sends(OK, b"Content-Length: -1\r\n\r\n", FEED), "protocol"),
    "two lengths": Hostile(sends(OK, b"Content-Length: 5\r\nContent-Length: 50\r\n\r\n", FEED), "protocol"),
    "a length of five thousand digits": Hostile(sends(OK, b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n"), "protocol"),
    "a chunk too short": Hostile(sends(CHUNKED, b"ffff\r\n", FEED), "length"),
    "a chunk too long": Hostile(sends(CHUNKED, b"5\r\n", FEED), "length"),
    "a chunk of minus one": Hostile(sends(CHUNKED, b"-1\r\n", FEED), "length"),
    "a chunk of minus five": Hostile(sends(CHUNKED, b"-5\r\n", FEED), "protocol"),
    "a chunk of no size": Hostile(sends(CHUNKED, b"zz\r\n", FEED), "length"),
    "chunks without an end": Hostile(sends(CHUNKED, _framed(b"5", FEED[:5])), "length"),
    "gzip as transfer coding": Hostile(
        sends(OK, b"Transfer-Encoding: gzip, chunked\r\n\r\n", gzip.compress(FEED)), "protocol"
    ),
    # No HTTP
    "resets at once": Hostile(resets(), "connection"),
    "resets in the middle": Hostile(resets(OK + b"Content-Length: 1000000\r\n\r\n", FEED), "connection"),
    "hangs up at once": Hostile(sends(), "connection"),
    "garbage": Hostile(sends(bytes(range(256)) * 40), "protocol"),
    "another protocol": Hostile(rude(b"SSH-2.0-OpenSSH_9.9\r\n"), "protocol"),
    "HTTP/0.9": Hostile(sends(FEED), "protocol"),
    "HTTP/2": Hostile(sends(b"HTTP/2.0 200 OK\r\n\r\n", FEED), "protocol"),
    "a status of letters": Hostile(sends(b"HTTP/1.1 abc OK\r\n\r\n", FEED), "protocol"),
    "a line that is no header": Hostile(sends(OK, b"\x00\x01 no header\r\nX: y\r\n\r\n", FEED), "protocol"),
    "two answers in one": Hostile(sends(OK, b"HTTP/1.1 200 OK\r\n\r\n", FEED), "protocol"),
    # TLS
    "plain HTTP on a TLS port": Hostile(rude(OK, b"\r\n", FEED), "tls", "https"),
    "garbage on a TLS port": Hostile(rude(b"\x15\x03\x01" + bytes(range(256)) * 40), "tls", "https"),
    "hangs up on TLS": Hostile(lambda _: None, "tls", "https"),
    "a certificate nobody vouches for": Hostile(sends(OK, b"\r\n", FEED), "tls", "https", certificate=True),
    "TLS on a plain port": Hostile(sends(OK, b"\r\n", FEED), "protocol connection", "http", certificate=True),
    # Redirects
    "a redirect to itself": Hostile(redirects("/"), "redirect"),
    "endless redirects": Hostile(redirects("{next}"), "redirect"),
    "a redirect without an address": Hostile(sends(b"HTTP/1.1 302 Found\r\n\r\n"), "redirect"),
    "a redirect to a private host": Hostile(redirects("http://10.0.0.1:{port}/"), "private"),
    "a redirect to the metadata of the cloud": Hostile(
        redirects("http://169.254.169.254/latest/meta-data/"), "private"
    ),
    "a redirect to a file": Hostile(redirects("file:///etc/passwd"), "redirect"),
    "a redirect with a password": Hostile(redirects("http://user:word@127.0.0.1:{port}/"), "redirect"),
    "a redirect of 20 kB": Hostile(redirects("http://127.0.0.1/" + "x" * 20_000), "redirect"),
    "a redirect with an escape": Hostile(redirects("http://\x1b[31m/"), "redirect"),
    "a redirect that is no address": Hostile(redirects("http://[::1/"), "redirect"),
    # Refusals
    "no such feed": Hostile(sends(b"HTTP/1.1 404 \x1b[31m\r\n\r\n"), "status"),
    "a failing server": Hostile(sends(b"HTTP/1.1 500 Oops\r\n\r\n"), "status"),
    "a status of its own": Hostile(sends(b"HTTP/1.1 799 Never\r\n\r\n"), "status"),
    "a part of the feed": Hostile(sends(b"HTTP/1.1 206 Partial Content\r\n\r\n", FEED), "status"),
    "a wish to be left alone": Hostile(sends(b"HTTP/1.1 429 Slow\r\nRetry-After: 120\r\n\r\n"), "busy"),
    "another protocol from now on": Hostile(sends(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", ZEROS), "status"),
}


@dataclass(frozen=True)
class Cost:
    """What came of asking one server."""

    kind: str
    """Of the fault; `answer` when there was none, else the name of an error nobody meant."""
    what: str
    seconds: float
    megabytes: float
    """Memory at the worst moment, beyond what was there before."""


def ask(name: str, deadline: float) -> Cost:
    """Asks one of the servers. Those that are not told by their slowness get all the time there is, for a machine may be slow, too."""
    hostile = SERVERS[name]
    limits = Limits(deadline=deadline) if "timeout" in hostile.expected else Limits()
    with TemporaryDirectory() as folder:
        tls = own_certificate(Path(folder), "localhost")[0] if hostile.certificate else None
        with listening(hostile.serve, tls=tls) as port:
            guard = Guard(allow=("127.0.0.1/32",), resolve=_dead, limits=limits)
            return measured(lambda: guard.get(f"{hostile.scheme}://127.0.0.1:{port}/"))


def measured(call: Callable[[], object]) -> Cost:
    """What a call costs, and the fault it ends with."""
    tracemalloc.start()
    start = time.monotonic()
    kind, what = "answer", ""
    try:
        call()
    except FetchFault as fault:
        kind, what = fault.kind, str(fault)
    except Exception as error:  # noqa: BLE001 - the finding: an error nobody meant
        kind, what = type(error).__name__, str(error)
    seconds = time.monotonic() - start
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return Cost(kind, what, seconds, peak / 1e6)


def _dead(_: str) -> list[str]:
    """A resolver that never comes back."""
    time.sleep(30)
    return []


def own_certificate(folder: Path, *names: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a certificate for these names, and a client's that trusts it and nothing else."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    private = serialization.PrivateFormat.PKCS8
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cafile=str(file))


def run(deadline: float = 10.0) -> dict[str, float]:
    """Asks them all: how many there are, how many were told as what they are, and the worst time and memory."""
    costs = {name: ask(name, deadline) for name in SERVERS}
    right = [name for name, cost in costs.items() if cost.kind in SERVERS[name].expected.split()]
    return {
        "servers": len(costs),
        "typed": len(right),
        "slowest_seconds": round(max(cost.seconds for cost in costs.values()), 2),
        "largest_megabytes": round(max(cost.megabytes for cost in costs.values()), 1),
    }


if __name__ == "__main__":
    print(run())  # noqa: T201
