"""Which URLs are called, and which of the network's addresses are reached.

A host name says nothing about where it leads, and may lead elsewhere a moment later. So the name is looked up once, all
that it stands for is checked, and the connection goes to what was checked (`line`).
"""

from __future__ import annotations

import queue
import re
import socket
import threading
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from socket import EAI_NONAME, gaierror, getaddrinfo
from typing import Any

MAX_URL_LENGTH = 2048
MAX_HOST_LENGTH = 253
LOWEST_FREE_PORT = 1024
MAX_PORT = 65_535
DEFAULT_PORTS = {"http": 80, "https": 443}

Address = IPv4Address | IPv6Address
Endpoint = tuple[socket.AddressFamily, Any]
"""What a socket is made for and connected to."""

_is_printable = re.compile(r"[!-~]*", re.ASCII).fullmatch
_parts = re.compile(
    r"(https?)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?([/?].*)?", re.ASCII | re.IGNORECASE
).fullmatch

# Where clouds tell a machine its secrets, but for those in the link-local network.
_METADATA = {IPv4Address("168.63.129.16"), IPv4Address("100.100.100.200"), IPv6Address("fd00:ec2::254")}
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_UNIQUE_LOCAL = IPv6Network("fc00::/7")
_NO_SUCH_NAME = {EAI_NONAME, getattr(socket, "EAI_NODATA", EAI_NONAME)}
_NAT64 = IPv6Network("64:ff9b::/96")


class AddressRefused(Exception):  # noqa: N818  reads as a sentence where it is raised
    """It leads to an address that is not called. The message is the rest of a sentence: `leads to …`."""

    code = "address_refused"


class NameUnknown(Exception):  # noqa: N818  reads as a sentence where it is raised
    """The host name could not be looked up."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL in its parts. `path` is what the request line holds, with the query."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def of(cls, url: str) -> Target:
        """Read a URL.

        Raises:
            ValueError: it is none that is called; says which rule it breaks.
        """
        _check_characters(url)
        found = _parts(url)
        if found is None:
            raise ValueError("must be http://HOST/PATH or https://HOST/PATH, a port after the host if need be")
        scheme, host, port, path = found[1].lower(), found[2].lower().strip("[]"), found[3], found[4] or "/"
        if len(host) > MAX_HOST_LENGTH or not host.strip("."):
            raise ValueError("has a host name that cannot be")
        return cls(scheme, host, _port(scheme, port), path if path[0] == "/" else f"/{path}")


def _check_characters(url: str) -> None:
    if len(url) > MAX_URL_LENGTH:
        raise ValueError(f"has {len(url):,} characters; at most {MAX_URL_LENGTH:,} are taken")
    if not _is_printable(url):
        raise ValueError("must be printable ASCII: other characters as %XX, in host names as xn--…")
    if "#" in url:
        raise ValueError("must have no fragment (#…)")
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() not in DEFAULT_PORTS:
        raise ValueError("must start with https:// or http://")
    if "@" in re.split(r"[/?\\]", rest, maxsplit=1)[0]:
        raise ValueError("must hold no user name and no password")


def _port(scheme: str, given: str | None) -> int:
    port = DEFAULT_PORTS[scheme] if given is None else int(given)
    if port not in DEFAULT_PORTS.values() and not LOWEST_FREE_PORT <= port <= MAX_PORT:
        raise ValueError(f"has the port {port}; it may be 80, 443, or {LOWEST_FREE_PORT} to {MAX_PORT}")
    return port


def refuse_literal(target: Target, *, private: bool) -> None:
    """Refuse a target that names a refused address itself, in whatever notation; other names are looked up later.

    Raises:
        AddressRefused: it does.
    """
    if f".{target.host}".rstrip(".").endswith(".localhost") and not private:
        raise AddressRefused("is on this machine (localhost)")
    literal = _literal(target.host)
    if literal is not None:
        _require_reachable(literal, private=private)


def look_up(target: Target, seconds: float, *, private: bool) -> list[Endpoint]:
    """Where the target's host is now, each address checked.

    Args:
        target: whose host to look up.
        seconds: how long to wait for the answer.
        private: whether private addresses may be reached.

    Raises:
        NameUnknown: there is no such name, or nobody answered in time.
        AddressRefused: at least one of the addresses may not be reached: then none of them is.
    """
    found = _ask(target.host, target.port, seconds)
    endpoints = list(dict.fromkeys((family, address) for family, _, _, _, address in found))
    for _, address in endpoints:
        _require_reachable(ip_address(address[0].partition("%")[0]), private=private)
    return endpoints


def _ask(host: str, port: int, seconds: float) -> list[Any]:
    """getaddrinfo knows no timeout; a thread that still asks when ours is over ends by the system's."""
    answer: queue.SimpleQueue[list[Any] | OSError | UnicodeError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answer.put(getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answer.put(error)

    threading.Thread(target=ask, name="look-up", daemon=True).start()
    try:
        found = answer.get(timeout=seconds)
    except queue.Empty:
        raise NameUnknown(f"The name {host} could not be looked up within {seconds:g} seconds.") from None
    if isinstance(found, list):
        return found
    raise NameUnknown(_not_found(host, found)) from found


def _not_found(host: str, error: OSError | UnicodeError) -> str:
    """Why there is no address, without the system's numbers."""
    if isinstance(error, UnicodeError):
        return f"{host} cannot be the name of a computer."
    if isinstance(error, gaierror) and error.errno in _NO_SUCH_NAME:
        return f"There is no computer called {host}, as far as can be told from here: check the name."
    return f"The name {host} could not be looked up just now ({error.strerror or error}). Try again later."


def _literal(host: str) -> Address | None:
    """The address that a host is by itself, also in the old forms that the system understands (127.1, 0x7f000001)."""
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def _require_reachable(address: Address, *, private: bool) -> None:
    refused = why_refused(address, private=private)
    if refused is not None:
        raise AddressRefused(f"leads to {address}, {refused}")


def why_refused(address: Address, *, private: bool) -> str | None:
    """What speaks against an address; None when it may be reached.

    Args:
        address: as a connection would be made to it.
        private: whether private addresses may be reached. A cloud's metadata, link-local, multicast and reserved ones
            never are.
    """
    inner = _inner(address)
    if inner is not None:
        return why_refused(inner, private=private)
    if address in _METADATA:
        return "a cloud's metadata service"
    if address.is_loopback:
        return None if private else "this machine itself"
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return "a link-local, multicast or unspecified address"
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST and address not in _UNIQUE_LOCAL:
        return "a reserved address"
    if isinstance(address, IPv4Address) and address.is_reserved:
        return "a reserved address"
    return None if private or address.is_global else "a private address"


def _inner(address: Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for: mapped, 6to4, Teredo or NAT64 (RFC 4291, 3056, 4380, 6052)."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)
