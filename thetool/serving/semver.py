"""Versions in the order of Semantic Versioning 2.0.0 (semver.org, section 11)."""

from __future__ import annotations

import re

MAX_CHARACTERS = 50

_RELEASE, _NUMBER, _WORD, _END = b"\xff", b"\x01", b"\x02", b"\x00"
_IDENTIFIER = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_version = re.compile(
    r"(0|[1-9][0-9]*)(?:\.(0|[1-9][0-9]*))?(?:\.(0|[1-9][0-9]*))?"
    rf"(?:-({_IDENTIFIER}(?:\.{_IDENTIFIER})*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?",
    re.ASCII,
)


def precedence(version: str) -> bytes:
    """Bytes that sort as the versions do: 1.0.0-alpha < 1.0.0-alpha.1 < 1.0.0-beta.2 < 1.0.0-beta.11 < 1.0.0 < 1.0.1.

    Minor and patch may be left away (`2` is 2.0.0); what follows `+` does not count.

    Raises:
        ValueError: it is no such version, or has more than 50 characters.
    """
    match = _version.fullmatch(version)
    if match is None or len(version) > MAX_CHARACTERS:
        raise ValueError("is no version such as 1.4.0 or 2.0.0-beta.1 (semver.org)")
    *numbers, before = match.groups()
    release = b"".join(_number(number or "0") for number in numbers)
    if before is None:
        return release + _RELEASE
    return release + b"".join(_identifier(identifier) for identifier in before.split("."))


def is_release(key: bytes) -> bool:
    """Whether a precedence is that of a release: no `-beta` or the like."""
    return key.endswith(_RELEASE)


def _identifier(text: str) -> bytes:
    if text.isdecimal():
        return _NUMBER + _number(text)
    return _WORD + text.encode() + _END


def _number(text: str) -> bytes:
    """Without leading zeros the longer number is the larger one."""
    return bytes([len(text)]) + text.encode()
