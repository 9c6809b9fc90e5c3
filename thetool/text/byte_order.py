"""Byte order marks: the first bytes by which a text in Unicode may say how it is encoded."""

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


def mark_of(content: bytes) -> Mark | None:
    """The mark that `content` begins with."""
    return next((mark for mark in _MARKS if content.startswith(mark.start)), None)
