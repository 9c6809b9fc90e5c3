"""How many pictures a file holds, without decoding any. Runs in the decoder's child.

Pillow counts those of a GIF by going through them one by one, and those of a TIFF by reading all of their tags.
"""

from __future__ import annotations

import struct

MOST = 10_000
"""No more are counted."""


def gif_frames(content: bytes) -> int:
    """The frames of a GIF (GIF89a specification, 1990); of one that is cut off, those that begin in it."""
    number, end = 0, len(content)
    at = 13 + _colour_table(content[10])
    while at + 10 < end and number < MOST:
        if content[at] == 0x2C:  # an image: its place and size, perhaps a colour table, a byte, data
            number += 1
            at = _after_blocks(content, at + 11 + _colour_table(content[at + 9]))
        elif content[at] == 0x21:  # an extension: what kind of, data
            at = _after_blocks(content, at + 2)
        else:
            break
    return max(number, 1)


def tiff_frames(content: bytes) -> int:
    """The directories in the chain of a TIFF (revision 6.0) or BigTIFF; a chain that bites its tail ends there."""
    order = "<" if content[:1] == b"I" else ">"
    big = content[2:4] in (b"+\0", b"\0+")
    entries, entry, link = ("Q", 20, "Q") if big else ("H", 12, "L")
    width = struct.calcsize(order + entries)
    seen: set[int] = set()
    try:
        (at,) = struct.unpack_from(order + link, content, 8 if big else 4)
        while at and at not in seen and len(seen) < MOST:
            (number,) = struct.unpack_from(order + entries, content, at)
            seen.add(at)
            (at,) = struct.unpack_from(order + link, content, at + width + number * entry)
    except struct.error:  # it points outside of the file
        pass
    return max(len(seen), 1)


def _colour_table(flags: int) -> int:
    """Bytes of the colour table that the flags announce."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _after_blocks(content: bytes, at: int) -> int:
    """Where a run of data blocks ends: each says its length, the last one is empty."""
    end = len(content)
    while at < end and content[at]:
        at += content[at] + 1
    return at + 1
