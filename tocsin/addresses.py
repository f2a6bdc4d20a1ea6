"""Which addresses of the Internet may be asked: web addresses that can be read in one way only, and public hosts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import quote, urljoin, urlsplit

from tocsin.errors import FetchFault

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

PORTS = frozenset({80, 443, 8080, 8443})
"""Where feeds are served."""
LONGEST = 4096
"""Characters of a web address."""
_SCHEMES = {"http": 80, "https": 443}

_TABLE = """
    0.0.0.0/8           this network
    10.0.0.0/8          private use
    100.64.0.0/10       shared by a carrier
    127.0.0.0/8         loopback
    169.254.0.0/16      link-local
    172.16.0.0/12       private use
    192.0.0.0/24        protocol assignments
    192.0.2.0/24        documentation
    192.31.196.0/24     AS112
    192.52.193.0/24     multicast tunnels
    192.88.99.0/24      6to4 relays
    192.168.0.0/16      private use
    192.175.48.0/24     AS112
    198.18.0.0/15       benchmarks
    198.51.100.0/24     documentation
    203.0.113.0/24      documentation
    224.0.0.0/4         multicast
    255.255.255.255/32  broadcast
    240.0.0.0/4         reserved
    ::/128              unspecified
    ::1/128             loopback
    ::ffff:0:0/96       IPv4-mapped
    ::ffff:0:0:0/96     IPv4-translated
    ::/96               IPv4-compatible
    64:ff9b::/96        NAT64
    64:ff9b:1::/48      local NAT64
    100::/64            discarded
    100:0:0:1::/64      dummy
    2001::/32           Teredo
    2001:2::/48         benchmarks
    2001:3::/32         multicast tunnels
    2001:4:112::/48     AS112
    2001:10::/28        ORCHID
    2001:20::/28        ORCHID
    2001:30::/28        drone identifiers
    2001::/23           protocol assignments
    2001:db8::/32       documentation
    2002::/16           6to4
    2620:4f:8000::/48   AS112
    3fff::/20           documentation
    5f00::/16           segment routing
    fc00::/7            unique local
    fe80::/10           link-local
    fec0::/10           site-local
    ff00::/8            multicast
"""
"""The special-purpose registries of IANA and multicast, and what they once listed; the closer network stands first.

A table of our own, because `ipaddress` changes its mind from version to version and lets a third of these through.
Networks that only wrap an IPv4 address are here as a whole: no feed lives there, and what they wrap is beyond control.
"""
SPECIAL: tuple[tuple[Network, str], ...] = tuple(
    (ip_network(network), name.strip())
    for network, name in (row.split(maxsplit=1) for row in _TABLE.strip().splitlines())
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_ISATAP = {b"\x00\x00\x5e\xfe", b"\x02\x00\x5e\xfe"}
_WRAPPED_LAST = tuple(IPv6Network(one) for one in ("::ffff:0:0/96", "::ffff:0:0:0/96", "::/96", "64:ff9b::/96"))
_TEREDO, _SIX_TO_FOUR, _LOCAL_NAT64 = IPv6Network("2001::/32"), IPv6Network("2002::/16"), IPv6Network("64:ff9b:1::/48")


def special(address: Address) -> str:
    """The name of the special-purpose network an address is in; empty for a public one."""
    for network, name in SPECIAL:
        if address in network:
            return name
    if isinstance(address, IPv6Address):
        if address.scope_id:
            return "of one link"
        if address not in _GLOBAL_UNICAST:
            return "not assigned"
        if address.packed[8:12] in _ISATAP:
            return "ISATAP"
    return ""


def wrapped(address: Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses an IPv6 address stands for, by the way it is made."""
    if isinstance(address, IPv4Address) or int(address) <= 1:  # :: and ::1 are themselves
        return ()
    if any(address in network for network in _WRAPPED_LAST) or address.packed[8:12] in _ISATAP:
        return (IPv4Address(address.packed[12:]),)
    if address in _SIX_TO_FOUR:
        return (IPv4Address(address.packed[2:6]),)
    if address in _TEREDO:  # the server, and the client with every bit turned
        return IPv4Address(address.packed[4:8]), IPv4Address(int.from_bytes(address.packed[12:]) ^ 0xFFFFFFFF)
    if address in _LOCAL_NAT64:  # RFC 6052 places it by the length of the prefix: 48, 56, 64 or 96
        packed = address.packed
        places = (packed[6:8] + packed[9:11], packed[7:8] + packed[9:12], packed[9:13], packed[12:])
        return tuple(IPv4Address(place) for place in places)
    return ()


def refusal(address: Address, allow: Iterable[Network] = ()) -> str:
    """Why an address must not be asked, in words; empty when it may. `allow` are networks that may be asked although special."""
    allow = tuple(allow)
    name = special(address)
    inside = wrapped(address)  # also of what is allowed: NAT64 must not lead to a private network
    if name and not any(address in network for network in allow):
        told = f", for {inside[-1]}" if inside and address not in _LOCAL_NAT64 else ""
        return f"{address} is not public: {name}{told}"
    for one in inside:
        if why := refusal(one, allow):
            return f"{address} stands for {why}"
    return ""


@dataclass(frozen=True, slots=True)
class Target:
    """A web address, read: what is asked, of which host, and how."""

    scheme: str
    host: str
    """A name in lower-case ASCII without a last dot, or the text of an IP address without brackets."""
    port: int
    path: str
    """Path and query as they are sent."""
    address: Address | None = None
    """Set when the host is an IP address."""

    @property
    def authority(self) -> str:
        """Host and, unless it is the usual one, port: the header `Host`."""
        host = f"[{self.host}]" if isinstance(self.address, IPv6Address) else self.host
        return host if self.port == _SCHEMES[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The web address in its one form, without a fragment."""
        return f"{self.scheme}://{self.authority}{self.path}"


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORT = re.compile(r"[0-9]{0,5}")
_AUTHORITY = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]*)(?::(?P<port>.*))?")
_CHANGED_BY_IDNA_2003 = frozenset("ßẞς\u200c\u200d")
_LONGEST_NAME = 253
_IN_A_PATH = "/%:@!$&'()*+,;=~-._"


def read(url: str) -> Target:
    """The web address a text is; `FetchFault` of the kind `url` when it is none, or one that programs read differently."""
    text = url.strip(" \t\r\n")
    if len(text) > LONGEST:
        raise _fault(f"the address is longer than {LONGEST:,} characters", "use a shorter one")
    if _CONTROL.search(text):
        raise _fault("the address holds control characters", "remove them")
    try:
        parts = urlsplit(text)
    except ValueError:
        raise _fault("the address cannot be read", "write it as https://example.org/feed.xml") from None
    if parts.scheme not in _SCHEMES:
        raise _fault("the address is not one of the web", "begin it with https:// or http://")
    if "@" in parts.netloc:
        raise _fault("the address holds a user name or password", "leave out what stands before the @")
    found = _AUTHORITY.fullmatch(parts.netloc)
    port = int(found["port"] or _SCHEMES[parts.scheme]) if found and _PORT.fullmatch(found["port"] or "") else 0
    if not found or not 0 < port < 1 << 16:
        raise _fault("the address has no readable host and port", "write it as https://example.org:8443/feed.xml")
    host, address = _host(found["host"])
    path = quote(parts.path, safe=_IN_A_PATH) or "/"
    query = quote(parts.query, safe=_IN_A_PATH + "?")
    return Target(parts.scheme, host, port, f"{path}?{query}" if query else path, address)


def follow(target: Target, location: str) -> Target:
    """Where a redirect leads to; raises as `read` does."""
    if len(location) > LONGEST or _CONTROL.search(location):
        return read(location)
    try:
        return read(urljoin(target.url, location))
    except ValueError:
        raise _fault("the address cannot be read", "its publisher must mend it") from None


def _host(text: str) -> tuple[str, Address | None]:
    """The host in its one form, and the IP address it is, if it is one."""
    if text.startswith("["):
        try:
            six = IPv6Address(text[1:-1] if "%" not in text else "")
        except ValueError:
            raise _fault(
                "the host in brackets is no IPv6 address", "write it as [2001:db8::1], without a zone"
            ) from None
        return str(six), six
    name = _ascii(text).removesuffix(".")
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            four = IPv4Address(name)
        except ValueError:
            raise _fault(
                "the host is a number that is no plain IPv4 address", "write four numbers: 192.0.2.1"
            ) from None
        return name, four
    if len(name) > _LONGEST_NAME or not all(_LABEL.fullmatch(label) for label in labels):
        raise _fault("the host is no name of the Internet", "write it as example.org")
    return name, None


def _ascii(host: str) -> str:
    """The name in lower-case ASCII: `xn--` for other letters."""
    if host.isascii():
        return host.lower()
    if len(host) > _LONGEST_NAME or _CHANGED_BY_IDNA_2003 & set(host):
        raise _fault("the host has letters that programs read differently", "write it in its ASCII form, xn--…")
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise _fault("the host is no name of the Internet", "write it in its ASCII form, xn--…") from None


def parse(text: str) -> Address:
    """An IP address as a resolver gives it; `ValueError` when it is none."""
    return ip_address(text)


def _fault(what: str, mend: str) -> FetchFault:
    return FetchFault("url", f"{what}; {mend}")
