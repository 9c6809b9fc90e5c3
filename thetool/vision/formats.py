"""Which image format a file has, by its first bytes; names and Content-Types are not believed."""

from __future__ import annotations


def image_format(head: bytes) -> str | None:
    """The format that these first bytes (32 are enough) announce: `JPEG` … `HEIC`; None: no image that is read here."""
    raise NotImplementedError


def described(head: bytes) -> str:
    """What content looks like that is no image, for people: `a PDF document`, `an SVG drawing` …"""
    raise NotImplementedError
