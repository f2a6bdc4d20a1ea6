from __future__ import annotations

import json
import os
import shutil
import subprocess
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from tocsin.addresses import LONGEST, follow, read, refusal, special, wrapped
from tocsin.errors import FetchFault

ROOT = Path(__file__).parents[2]

TABLE = """
    0.0.0.0 this network
    0.255.255.255 this network
    10.0.0.1 private use
    10.255.255.255 private use
    100.64.0.1 shared by a carrier
    100.127.255.255 shared by a carrier
    127.0.0.1 loopback
    127.255.255.254 loopback
    169.254.169.254 link-local
    169.254.170.2 link-local
    172.16.0.1 private use
    172.31.255.255 private use
    192.0.0.9 protocol assignments
    192.0.0.192 protocol assignments
    192.0.2.1 documentation
    192.31.196.1 AS112
    192.52.193.1 multicast tunnels
    192.88.99.1 6to4 relays
    192.168.0.1 private use
    192.168.255.255 private use
    192.175.48.1 AS112
    198.18.0.1 benchmarks
    198.19.255.255 benchmarks
    198.51.100.1 documentation
    203.0.113.1 documentation
    224.0.0.1 multicast
    239.255.255.250 multicast
    240.0.0.1 reserved
    255.255.255.255 broadcast
    :: unspecified
    ::1 loopback
    ::7f00:1 IPv4-compatible
    ::ffff:127.0.0.1 IPv4-mapped
    ::ffff:8.8.8.8 IPv4-mapped
    ::ffff:0:127.0.0.1 IPv4-translated
    64:ff9b::7f00:1 NAT64
    64:ff9b::808:808 NAT64
    64:ff9b:1::1 local NAT64
    64:ff9b:1:7f00:0:100:: local NAT64
    64:ff9b:2::1 not assigned
    100::1 discarded
    100:0:0:1::1 dummy
    2001::1 Teredo
    2001:0:808:808::80ff:fffe Teredo
    2001:1::1 protocol assignments
    2001:2::1 benchmarks
    2001:3::1 multicast tunnels
    2001:4:112::1 AS112
    2001:10::1 ORCHID
    2001:20::1 ORCHID
    2001:30::1 drone identifiers
    2001:1ff::1 protocol assignments
    2001:db8::1 documentation
    2002:7f00:1:: 6to4
    2002:808:808::1 6to4
    2620:4f:8000::1 AS112
    2a00:1450::5efe:a00:1 ISATAP
    3fff::1 documentation
    3fff:fff:ffff::1 documentation
    4000::1 not assigned
    5f00::1 segment routing
    fc00::1 unique local
    fd00:ec2::254 unique local
    fe80::1 link-local
    fe80::1%eth0 link-local
    fec0::1 site-local
    ff02::1 multicast
    ff0e::1 multicast
    1.1.1.1 -
    8.8.8.8 -
    9.255.255.255 -
    11.0.0.0 -
    100.63.255.255 -
    100.128.0.0 -
    126.255.255.255 -
    128.0.0.1 -
    169.253.255.255 -
    172.15.255.255 -
    172.32.0.0 -
    192.0.1.0 -
    192.167.255.255 -
    192.169.0.0 -
    198.17.255.255 -
    198.20.0.0 -
    223.255.255.255 -
    2001:200::1 -
    2001:4860:4860::8888 -
    2003::1 -
    2606:4700:4700::1111 -
    2a00:1450:4001:81b::200e -
    3ffe::1 -
"""
"""Addresses at the ends of the special-purpose networks and next to them; - is a public one."""
ROWS = [tuple(line.split(maxsplit=1)) for line in TABLE.strip().splitlines()]


@pytest.mark.parametrize(("address", "name"), ROWS)
def test_every_special_network_is_known(address: str, name: str) -> None:
    """An address is in the network the registries of IANA say, or public."""
    assert (special(ip_address(address)) or "-") == name


def interpreter(version: str) -> str | None:
    """A Python of this version, on the path or among pyenv's; a command of that name may be a shim for nothing."""
    installed = sorted(Path(os.environ.get("PYENV_ROOT", "/nowhere")).glob(f"versions/{version}.*/bin/python"))
    for one in (shutil.which(f"python{version}"), *map(str, installed)):
        if one and subprocess.run([one, "-c", ""], capture_output=True, check=False).returncode == 0:
            return one
    return None


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_every_python_knows_the_same_networks(version: str) -> None:
    """The table is the same on every Python there is: `ipaddress` itself changed its mind between them."""
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} here")
    look = (
        "import json, sys; from ipaddress import ip_address; from tocsin.addresses import special;"
        "print(json.dumps([special(ip_address(one)) or '-' for one in json.load(sys.stdin)]))"
    )
    asked = json.dumps([address for address, _ in ROWS])
    ran = subprocess.run([python, "-c", look], cwd=ROOT, input=asked, capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == [name for _, name in ROWS]


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("8.8.8.8", []),
        ("2606:4700::1", []),
        ("::ffff:10.0.0.1", ["10.0.0.1"]),
        ("64:ff9b::10.0.0.1", ["10.0.0.1"]),
        ("2002:a00:1::1", ["10.0.0.1"]),
        ("2001:0:808:808::f5ff:fffe", ["8.8.8.8", "10.0.0.1"]),
        ("2a00:1450::200:5efe:10.0.0.1", ["10.0.0.1"]),
    ],
)
def test_what_an_address_stands_for(address: str, inside: list[str]) -> None:
    """The IPv4 address inside an IPv6 one is found, for Teredo that of the server and that of the client."""
    assert [str(one) for one in wrapped(ip_address(address))] == inside


@pytest.mark.parametrize(
    ("address", "allow", "refused"),
    [
        ("10.0.0.1", [], True),
        ("10.0.0.1", ["10.0.0.0/8"], False),
        ("10.0.0.1", ["192.168.0.0/16", "fc00::/7"], True),
        ("::ffff:10.0.0.1", ["10.0.0.0/8"], True),
        ("64:ff9b::808:808", ["64:ff9b::/96"], False),
        ("64:ff9b::a00:1", ["64:ff9b::/96"], True),
        ("64:ff9b:1::808:808", ["64:ff9b:1::/48"], True),
        ("8.8.8.8", [], False),
    ],
)
def test_what_is_allowed_is_no_way_around(address: str, allow: list[str], *, refused: bool) -> None:
    """A network that is allowed lets its own addresses through; one that wraps others lets none through that is not public."""
    assert bool(refusal(ip_address(address), [ip_network(one) for one in allow])) is refused


READ = {
    "http://example.org": "http://example.org/",
    "https://example.org:443/feed.xml": "https://example.org/feed.xml",
    "http://example.org:443/": "http://example.org:443/",
    "HTTPS://EXAMPLE.ORG/Feed": "https://example.org/Feed",
    "https://example.org./a?b=c&d=%20e#part": "https://example.org/a?b=c&d=%20e",
    "https://example.org:/": "https://example.org/",
    "  https://example.org/a b \n": "https://example.org/a%20b",
    "https://example.org/ü?q=ö|x": "https://example.org/%C3%BC?q=%C3%B6%7Cx",
    "https://example.org/a\\b": "https://example.org/a%5Cb",
    "https://example.org?a=/b?c": "https://example.org/?a=/b?c",
    "https://bücher.example/": "https://xn--bcher-kva.example/",
    "https://例え。テスト/": "https://xn--r8jz45g.xn--zckzah/",
    "https://news_1.example.org/": "https://news_1.example.org/",
    "http://8.8.8.8/": "http://8.8.8.8/",
    "http://８.8.8.8./": "http://8.8.8.8/",
    "http://[2606:4700::0001]:8080/": "http://[2606:4700::1]:8080/",
}


@pytest.mark.parametrize("text", READ)
def test_an_address_is_read_in_one_form(text: str) -> None:
    """What means the same is read as the same address, in ASCII and without its fragment; and reading it again changes nothing."""
    assert read(text).url == READ[text]
    assert read(READ[text]).url == READ[text]


@pytest.mark.parametrize(
    "text",
    [
        *[
            "",
            "example.org",
            "//example.org/",
            "http:example.org",
            "http:///feed",
            "http://",
            "https://:443/",
            "http://.",
        ],
        *["ftp://example.org/", "file:///etc/passwd", "feed://example.org/", "javascript:alert(1)", "data:,x"],
        *[
            "http://user@example.org/",
            "http://user:word@example.org/",
            "http://@example.org/",
            "http://a\\@example.org/",
        ],
        *[
            "http://example.org:0x50/",
            "http://example.org:80:80/",
            "http://example.org:８０/",
            "http://example.org:-1/",
        ],
        *[
            "http://2130706433/",
            "http://0x7f.1/",
            "http://127.1/",
            "http://0177.0.0.1/",
            "http://1.2.3.4.5/",
            "http://1.2.3.256/",
        ],
        *[
            "http://127.0.0.1../",
            "http://a..b/",
            "http://-a.b/",
            "http://a b/",
            "http://a%62.c/",
            "http://a,b/",
            "http://*.b/",
        ],
        *[
            "http://[::1%25lo]/",
            "http://[::1%lo]/",
            "http://[::1/",
            "http://::1/",
            "http://[127.0.0.1]/",
            "http://[::1]x/",
        ],
        *[
            "http://exa\tmple.org/",
            "http://example.org/\r\nX: y",
            "http://example.org/\x00",
            "http://example.org/\ud800",
        ],
        *["http://straße.example/", "http://a\u200db.example/", "http://a／b.example/", "http://℀.example/"],
        *[f"http://{'a' * 64}.example/", f"http://{'a.' * 130}example/", f"http://{'ü' * 300}.example/"],
        "http://example.org/" + "a" * LONGEST,
    ],
)
def test_an_address_that_could_mean_two_things_is_none(text: str) -> None:
    """What is no web address, or is read differently by different programs, is refused with a reason that fits on a line."""
    with pytest.raises(FetchFault) as fault:
        read(text)
    assert fault.value.kind == "url"
    assert fault.value.what.isprintable()
    assert len(fault.value.what) < 200


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("https://b.example/x", "https://b.example/x"),
        ("/x", "https://a.example/x"),
        ("x?y", "https://a.example/news/x?y"),
        ("?y", "https://a.example/news/feed?y"),
        ("//b.example", "https://b.example/"),
        ("x y#z", "https://a.example/news/x%20y"),
        ("/\\b.example/", "https://a.example/%5Cb.example/"),
    ],
)
def test_a_redirect_is_read_from_where_it_stands(location: str, url: str) -> None:
    """A redirect may leave out what stays the same."""
    assert follow(read("https://a.example/news/feed"), location).url == url


@pytest.mark.parametrize("location", ["http://[::1", "file:///x", "http://u@b.example/", "/a\rb", "x" * (LONGEST + 1)])
def test_a_redirect_is_no_way_around(location: str) -> None:
    """A redirect is held to what an address is held to."""
    with pytest.raises(FetchFault):
        follow(read("https://a.example/news/feed"), location)
