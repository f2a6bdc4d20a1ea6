"""One question and its answer on an open connection, whatever the server does: in time, within limits, in the words of HTTP/1.1.

`http.client` speaks the protocol; it reads from a wire that ends when the time or the bytes are used up.
"""

from __future__ import annotations

import http.client
import io
import re
import socket
import ssl
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import cast

from tocsin.addresses import Target
from tocsin.errors import FetchFault


@dataclass(frozen=True, slots=True)
class Limits:
    """What one GET may cost. Sizes are in bytes."""

    deadline: float = 10.0
    """Seconds for everything, redirects included: name, connections, handshakes, headers and body."""
    header: int = 64 * 1024
    """The head of one answer, with what the server says before it (1xx)."""
    wire: int = 8 * 1024 * 1024
    """A body as it comes."""
    body: int = 8 * 1024 * 1024
    """A body decompressed."""
    ratio: int = 100
    """How many times what came over the wire a body of more than `free` may be."""
    free: int = 1024 * 1024
    redirects: int = 5


@dataclass(frozen=True, slots=True)
class Until:
    """The moment at which everything must be done."""

    end: float

    @classmethod
    def after(cls, seconds: float) -> Until:
        """So many seconds from now."""
        return cls(monotonic() + seconds)

    def left(self, doing: str) -> float:
        """The seconds that are left; a `FetchFault` when there are none."""
        seconds = self.end - monotonic()
        if seconds <= 0:
            raise self.fault(doing)
        return seconds

    def fault(self, doing: str) -> FetchFault:
        """That the time is over."""
        return FetchFault("timeout", f"the time was over while {doing}")


_PIECE = 64 * 1024
_MEMBERS = 1000
"""How many gzip files, one after the other, one answer may be."""
_LONGEST_VALUE = 4096
_DIGITS = 15
_DEFLATE = 8
_GZIP = 0x1F
_UNSENDABLE = re.compile(r"[^ -~\xa0-\xff]+ *")
"""What cannot stand in the value of a header, with the blanks of a folded line."""


class Wire(io.RawIOBase):
    """The bytes of a socket while there is time and `allowance`: however the server drips, reading ends in time."""

    def __init__(self, sock: socket.socket, until: Until) -> None:
        super().__init__()
        self._sock, self._until = sock, until
        self._allowance, self._kind, self._doing = 0, "", ""
        self.count = 0
        self.waits = True

    def allow(self, size: int, kind: str, doing: str) -> None:
        """Lets so many bytes more come; more than these is a fault of this kind."""
        self._allowance, self._kind, self._doing = self.count + size, kind, doing

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: object) -> int | None:
        """Reads what there is, at least a byte; 0 at the end, None when there is nothing and nobody waits."""
        room = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # BufferedReader hands over a memoryview
        if self.count >= self._allowance:
            raise FetchFault(self._kind, f"the server sent too much while {self._doing}")
        left = self._until.left(self._doing)
        self._sock.settimeout(left if self.waits else 0)
        try:
            got = self._sock.recv_into(room[: self._allowance - self.count])
        except (BlockingIOError, ssl.SSLWantReadError):
            if self.waits:
                raise
            return None
        except TimeoutError:
            raise self._until.fault(self._doing) from None
        self.count += got
        return got


class Exchange:
    """One question over `sock`, and its answer; `OSError` and `HTTPException` are the caller's to tell. Closed by the caller."""

    def __init__(self, sock: socket.socket, until: Until, limits: Limits) -> None:
        self._sock, self._until, self._limits = sock, until, limits
        self._wire = Wire(sock, until)
        self._reader = io.BufferedReader(self._wire)
        # All it wants of a socket is `makefile`.
        self._response = http.client.HTTPResponse(cast("socket.socket", self), method="GET")
        self.headers: Mapping[str, str] = {}

    def ask(self, target: Target, headers: Mapping[str, str]) -> int:
        """Asks, and reads the head of the answer; gives its status."""
        connection = http.client.HTTPConnection(target.host, target.port)
        connection.sock = self._sock
        self._sock.settimeout(self._until.left("asking"))
        connection.request("GET", target.path, headers=headers)
        self._wire.allow(self._limits.header, "headers", "reading the headers")
        self._response.begin()
        _check_framing(self._response.headers)
        self.headers = _clean(self._response.headers)
        return self._response.status

    def close(self) -> None:
        """Lets go of the answer; left to chance, Python 3.13 complains of the order."""
        self._response.close()
        self._reader.close()

    def makefile(self, _mode: str) -> io.BufferedReader[Wire]:
        """What `http.client` reads from."""
        return self._reader

    def body(self) -> bytes:
        """The body, decompressed."""
        limits, doing = self._limits, "reading the body"
        self._wire.allow(limits.wire, "large", doing)
        if (self._response.length or 0) > limits.wire:
            raise FetchFault("large", f"the body has {self._response.length:,} bytes; the limit is {limits.wire:,}")
        kept = io.BytesIO()
        for piece in unpacked(self._pieces(), self.headers.get("content-encoding", "")):
            self._until.left(doing)
            kept.write(piece)
            if kept.tell() > max(limits.free, limits.ratio * self._wire.count):
                raise FetchFault("bomb", f"{self._wire.count:,} bytes decompress to more than {kept.tell() - 1:,}")
            if kept.tell() > limits.body:
                raise FetchFault("large", f"the body is larger than {limits.body:,} bytes")
        return kept.getvalue()

    def _pieces(self) -> Iterator[bytes]:
        """The body as it is sent, without its framing."""
        if self._response.chunked:
            try:
                while piece := self._response.read(_PIECE):
                    yield piece
            except ValueError:
                raise FetchFault("protocol", "a chunk has a length that is no number") from None
            return
        left = self._response.length
        while left is None or left > 0:
            piece = self._reader.read1(_PIECE if left is None else min(_PIECE, left))
            if not piece:
                break
            left = None if left is None else left - len(piece)
            yield piece
        if left:
            raise FetchFault("length", f"the answer ends {left:,} bytes before the length it says")
        if left == 0 and self._has_more():
            raise FetchFault("length", "the answer goes on after the length it says")

    def _has_more(self) -> bool:
        """Whether the server sent more than it said, as far as that is known without waiting."""
        self._wire.allow(_PIECE, "length", "reading the body")
        self._wire.waits = False
        try:
            return bool(self._reader.peek(1))
        except OSError:
            return False


def unpacked(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The pieces, decompressed, each of a bounded size."""
    match encoding.strip().lower():
        case "" | "identity":
            yield from pieces
        case "gzip" | "x-gzip":
            yield from _inflated(pieces, "gzip")
        case "deflate":
            yield from _inflated(pieces, "deflate")
        case other:
            raise FetchFault("encoding", f"the answer is compressed as {shown(other, 40)!r}, which was not asked for")


def _inflated(pieces: Iterable[bytes], name: str) -> Iterator[bytes]:
    members, inflater = 0, None
    try:
        for piece in pieces:
            data = piece
            while data:
                if inflater is None:
                    if members and (name == "deflate" or data[0] != _GZIP):
                        return  # padding behind the end
                    members += 1
                    if members > _MEMBERS:
                        raise FetchFault("bomb", f"the body is made of more than {_MEMBERS:,} compressed parts")
                    inflater = zlib.decompressobj(_window(name, data))
                yield from _drained(inflater, data)
                data = inflater.unused_data
                inflater = None if inflater.eof else inflater
    except zlib.error:
        raise FetchFault(
            "encoding", f"the answer says it is compressed as {name}, and cannot be decompressed"
        ) from None
    if inflater is not None:
        raise FetchFault("length", f"the answer ends in the middle of its {name}")


def _drained(inflater: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    """All that comes out when `data` goes in, never more than a piece at once."""
    while True:
        out = inflater.decompress(data, _PIECE)
        yield out
        data = inflater.unconsumed_tail
        if inflater.eof or (not data and len(out) < _PIECE):
            return


def _window(name: str, data: bytes) -> int:
    """What zlib must be told; `deflate` comes with zlib's own head or, from some servers, without it."""
    if name == "gzip":
        return 16 + zlib.MAX_WBITS
    return zlib.MAX_WBITS if data[0] & 15 == _DEFLATE else -zlib.MAX_WBITS


def _check_framing(headers: http.client.HTTPMessage) -> None:
    """That there is one way to tell where the answer ends."""
    if headers.defects or headers.get_payload():
        raise FetchFault("protocol", "a header line cannot be read")
    coding = [value.strip().lower() for value in headers.get_all("transfer-encoding", [])]
    if coding not in ([], ["chunked"], ["identity"]):
        raise FetchFault("protocol", f"the answer is transferred as {shown(', '.join(coding), 40)!r}")
    lengths = {value.strip() for value in headers.get_all("content-length", [])}
    if len(lengths) > 1 or not all(value.isascii() and value.isdigit() and len(value) <= _DIGITS for value in lengths):
        raise FetchFault("protocol", f"the length {shown(', '.join(sorted(lengths)), 40)!r} is no usable number")


def _clean(headers: http.client.HTTPMessage) -> dict[str, str]:
    """The headers by lower-case name, on one line each. One that is too long to be kept or sent back is left out."""
    kept: dict[str, str] = {}
    for name in dict.fromkeys(name.lower() for name in headers):
        value = ", ".join(str(one) for one in headers.get_all(name, []))
        value = _UNSENDABLE.sub(" ", value).strip()
        if len(value) <= _LONGEST_VALUE:
            kept[name] = value
    return kept


def is_plain(text: str) -> bool:
    """Whether a text can be sent as the value of a header."""
    return not _UNSENDABLE.search(text)


def shown(text: str, limit: int = 160) -> str:
    """Words of a stranger as they may stand in a message: on one line, nothing invisible, and not long."""
    line = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text[:limit])
    return line[:limit] + ("…" if len(text) > limit or len(line) > limit else "")
