"""How a text in Unicode shows its encoding: by a byte order mark, or by the NULs of UTF-16."""

from __future__ import annotations

import codecs
from typing import NamedTuple


class Mark(NamedTuple):
    """A byte order mark, and the encoding (as Python calls it) of what comes after it."""

    start: bytes
    encoding: str

    def agrees_with(self, encoding: str) -> bool:
        """Whether `encoding`, as `codecs.lookup` names it, says the same."""
        return self.encoding.startswith(encoding.removesuffix("-sig"))


_MARKS = (
    Mark(codecs.BOM_UTF8, "utf-8"),
    Mark(codecs.BOM_UTF32_LE, "utf-32-le"),  # begins as that of UTF-16 does
    Mark(codecs.BOM_UTF32_BE, "utf-32-be"),
    Mark(codecs.BOM_UTF16_LE, "utf-16-le"),
    Mark(codecs.BOM_UTF16_BE, "utf-16-be"),
)


_PATTERN_BYTES = 4_096
_MIN_NUL_SHARE = 0.3


def mark_of(content: bytes) -> Mark | None:
    """The mark that `content` begins with."""
    return next((mark for mark in _MARKS if content.startswith(mark.start)), None)


def utf_16_of(content: bytes) -> str | None:
    """Which UTF-16 a text without a mark is in: every second byte of mostly Latin text is NUL. None when it is not."""
    head = content[:_PATTERN_BYTES]
    shares = [head[side::2].count(0) / max(1, len(head) // 2) for side in (0, 1)]
    if max(shares) < _MIN_NUL_SHARE or min(shares) > _MIN_NUL_SHARE / 3:
        return None
    return "utf-16-le" if shares[1] > shares[0] else "utf-16-be"
