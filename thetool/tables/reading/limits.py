"""How large a table may be; what is beyond is refused before it fills memory or disk."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of one reading."""

    unpacked_bytes: int = 8 << 30
    """Of a file that comes packed, after unpacking."""
    sheet_bytes: int = 1 << 30
    """Of the XML of a sheet, which is read as a whole."""
    cells: int = 10_000_000
    """Of a sheet, empty ones between others counted: all are in memory at once, about 100 bytes each."""
    columns: int = 50_000
    rows: int = 1_000_000_000
    blank_lines: int = 10_000_000
    """Of a text: they are no rows, but each takes time."""
    record_characters: int = 32 << 20
    """Of one JSON record."""


LIMITS = Limits()
