"""Which URLs are called, and where they may lead."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import Any

import pytest

from thetool.web.outbound import addresses
from thetool.web.outbound.addresses import (
    AddressRefused,
    NameUnknown,
    Target,
    look_up,
    refuse_literal,
    why_refused,
)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://example.com", Target("https", "example.com", 443, "/")),
        ("HTTP://Example.COM:8080/a?b=c", Target("http", "example.com", 8080, "/a?b=c")),
        ("https://example.com?x", Target("https", "example.com", 443, "/?x")),
        ("https://[2606:4700::1111]:8443/x", Target("https", "2606:4700::1111", 8443, "/x")),
        ("https://my_host.example/a@b", Target("https", "my_host.example", 443, "/a@b")),
    ],
)
def test_a_url_is_read(url: str, target: Target) -> None:
    assert Target.of(url) == target


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("ftp://example.com", "https:// or http://"),
        ("file:///etc/passwd", "https:// or http://"),
        ("example.com/hook", "https:// or http://"),
        ("", "https:// or http://"),
        ("https://user:secret@example.com/", "no user name"),
        ("https://user@example.com\\@other.example/", "no user name"),
        ("https://example.com/#there", "no fragment"),
        ("https://example.com/a b", "printable ASCII"),
        ("https://example.com/\r\nHost: other", "printable ASCII"),
        ("https://bücher.example/", "printable ASCII"),
        ("https:///path", "HOST"),
        ("https://example.com\\path", "HOST"),
        ("https://example.com:port/", "HOST"),
        ("https://.../", "host name"),
        (f"https://{'a' * 254}/", "host name"),
        ("https://example.com:22/", "port 22"),
        ("https://example.com:0/", "port 0"),
        ("https://example.com:70000/", "port 70000"),
        (f"https://example.com/{'a' * 2048}", "at most 2,048"),
    ],
    ids=range(19),
)
def test_a_url_that_breaks_a_rule_is_refused_with_its_name(url: str, rule: str) -> None:
    with pytest.raises(ValueError, match=rule.replace(".", r"\.")):
        Target.of(url)


PRIVATE = [
    "127.0.0.1",
    "127.8.8.8",
    "::1",
    "10.0.0.1",
    "172.16.5.4",
    "192.168.1.1",
    "100.64.0.1",
    "fc00::1",
    "fd12:3456::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "2002:7f00:1::",
    "2002:a00:1::1",
]
NEVER = [
    "0.0.0.0",
    "::",
    "169.254.169.254",
    "169.254.0.1",
    "fe80::1",
    "168.63.129.16",
    "100.100.100.200",
    "fd00:ec2::254",
    "224.0.0.1",
    "255.255.255.255",
    "240.0.0.1",
    "ff02::1",
    "fec0::1",
    "64:ff9b:1::1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "::ffff:0.0.0.0",
]
PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::"]


@pytest.mark.parametrize("address", PRIVATE + NEVER)
def test_what_is_not_public_is_refused(address: str) -> None:
    assert why_refused(ip_address(address), private=False) is not None


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_is_reached(address: str) -> None:
    assert why_refused(ip_address(address), private=False) is None


@pytest.mark.parametrize("address", PRIVATE)
def test_private_ones_may_be_allowed(address: str) -> None:
    assert why_refused(ip_address(address), private=True) is None


@pytest.mark.parametrize("address", NEVER)
def test_some_are_never_reached(address: str) -> None:
    assert why_refused(ip_address(address), private=True) is not None


LITERALS = ["127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::1]", "localhost", "a.localhost."]


@pytest.mark.parametrize("host", LITERALS)
def test_an_address_in_the_url_is_refused_at_once_however_it_is_written(host: str) -> None:
    target = Target.of(f"http://{host}:8000/")
    with pytest.raises(AddressRefused):
        refuse_literal(target, private=False)
    refuse_literal(target, private=True)


def test_a_name_is_not_looked_up_when_it_is_given() -> None:
    refuse_literal(Target.of("https://no-such-name.invalid/"), private=False)


def answering(monkeypatch: pytest.MonkeyPatch, *found: str) -> None:
    """Let every name stand for these addresses."""

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        return [
            (socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found
        ]

    monkeypatch.setattr(addresses, "getaddrinfo", getaddrinfo)


def test_all_addresses_of_a_name_must_be_good(monkeypatch: pytest.MonkeyPatch) -> None:
    target = Target.of("https://example.com/")
    answering(monkeypatch, "8.8.8.8", "2606:4700:4700::1111")
    assert [address[0] for _, address in look_up(target, 5, private=False)] == ["8.8.8.8", "2606:4700:4700::1111"]
    answering(monkeypatch, "8.8.8.8", "10.0.0.7")
    with pytest.raises(AddressRefused, match=r"10\.0\.0\.7, a private address"):
        look_up(target, 5, private=False)
    answering(monkeypatch, "fe80::1%eth0")
    with pytest.raises(AddressRefused, match="link-local"):
        look_up(target, 5, private=True)


@pytest.mark.parametrize("host", ["a..b", "a" * 64 + ".example"], ids=["empty label", "long label"])
def test_a_name_that_cannot_be_is_unknown(host: str) -> None:
    with pytest.raises(NameUnknown):
        look_up(Target.of(f"https://{host}/"), 5, private=False)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "There is no computer called example.com"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), r"just now \(Temporary failure\). Try again later"),
    ],
)
def test_a_failed_look_up_is_told_in_words(monkeypatch: pytest.MonkeyPatch, error: OSError, words: str) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(addresses, "getaddrinfo", fail)
    with pytest.raises(NameUnknown, match=words) as raised:
        look_up(Target.of("https://example.com/"), 5, private=False)
    assert "Errno" not in str(raised.value)


def test_a_resolver_that_hangs_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    over = threading.Event()
    monkeypatch.setattr(addresses, "getaddrinfo", lambda *_, **__: over.wait(30) and [])
    with pytest.raises(NameUnknown, match=r"within 0\.05 seconds"):
        look_up(Target.of("https://example.com/"), 0.05, private=False)
    over.set()
