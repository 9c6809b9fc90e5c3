"""Defects that a text shows by itself: blanks around it, broken letters, words for nothing.

One pattern picks the suspicious among the different values; only these are looked at further.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import polars as pl

from thetool.tables.profile.issue_schemas import IssueCode
from thetool.tables.reading.columns.words import NULL_WORDS

_BLANK = r"[ \t\u00a0\u2000-\u200a\u202f\u3000]"
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u200e\u200f\u2060\ufeff\u00ad]"
# UTF-8 read as Windows-1252: the first byte of a letter, then bytes that only follow one.
_NEXT = r"[\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]"
_MOJIBAKE = "|".join(
    (
        rf"[ÃÅÄ]{_NEXT}",
        r"Â[\u0080-\u00bf€]",
        rf"â€{_NEXT}",
        r"â[\u0080-\u0084‚„…†][\u0080-\u00bf]",
        "ï»¿|ï¿½",
        rf"ðŸ{_NEXT}",
        rf"(?:[ÐÑ]{_NEXT}){{2}}",
        rf"(?:[ÎÏ]{_NEXT}){{2}}",
    )
)
_JUNK = r"""["'`“”„«»;,|*#~\\_=<>]"""

# What spreadsheets run when they open a file: an equals sign, or another sign before a call (@SUM(…) or DDE (+cmd|…).
_FORMULA = r"\A\s*(?:=[^=\s]|[-+@]\S.*(?:[A-Za-z]\(|\|))"

_words = "|".join(re.escape(word) for word in sorted({*NULL_WORDS, "tbd", "unknown", "undefined", "leer"} - {"", "."}))

PATTERNS: dict[IssueCode, str] = {
    "formulas": _FORMULA,
    "null_words": rf"\A\s*(?i:{_words})\s*\z",
    "surrounding_whitespace": r"\A\s|\s\z",
    "inner_whitespace": rf"\S{_BLANK}{{2,}}\S",
    "control_characters": _CONTROL,
    "lost_characters": r"\ufffd",
    "broken_encoding": _MOJIBAKE,
    "surrounding_junk": rf"\A\s*{_JUNK}|{_JUNK}\s*\z",
}
SUSPICIOUS = "|".join(f"(?:{pattern})" for pattern in PATTERNS.values())
_mojibake = re.compile(_MOJIBAKE)


@dataclass
class Found:
    """A defect: the rows that have it, the first of them and its value."""

    rows: int = 0
    row: int | None = None
    value: str = ""
    values: dict[str, int] = field(default_factory=dict)

    def add(self, start: int, text: pl.Series, counts: pl.DataFrame) -> None:
        """Add the rows of a batch: its cells from row `start` on, the values with the defect and their rows."""
        if not counts.height:
            return
        self.rows += int(counts["rows"].sum())
        if self.row is None:
            at = (
                text.is_in(counts["value"].implode()).arg_max()
                if counts.height > 1
                else text.index_of(counts["value"][0])
            )
            self.row, self.value = start + int(at or 0) + 1, text[int(at or 0)]


@dataclass
class CellDefects:
    """The defects of a column's cells, counted batch by batch.

    `null_words_asked`: the request said which words stand for nothing, so that all others say something.
    """

    null_words_asked: bool = False
    found: dict[IssueCode, Found] = field(default_factory=dict)

    def add(self, start: int, text: pl.Series, suspicious: pl.DataFrame) -> None:
        """Add a batch: the column's cells from row `start` on, its suspicious values (`value`) and their `rows`."""
        if not suspicious.height:
            return
        masks = suspicious.select(
            pl.col("value").str.contains(pattern).alias(code) for code, pattern in PATTERNS.items()
        )
        for code in PATTERNS:
            if masks[code].any() and not (code == "null_words" and self.null_words_asked):
                found = self.found.setdefault(code, Found())
                mask = masks[code] & ~masks["formulas"] if code == "surrounding_junk" else masks[code]
                some = suspicious.filter(mask)
                found.add(start, text, some)
                if code == "null_words":
                    for word, rows in some.select("value", "rows").iter_rows():
                        found.values[word] = found.values.get(word, 0) + rows


def repaired(value: str) -> str | None:
    """A text that was UTF-8 and was read as Windows-1252, as it should be; None if it was not."""
    if not _mojibake.search(value):
        return None
    try:
        data = b"".join(_byte(letter) for letter in value)
        return data.decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return None


def _byte(letter: str) -> bytes:
    """The byte that Windows-1252 shows as this letter; it leaves five bytes as they are."""
    return letter.encode("latin-1" if letter in "\x81\x8d\x8f\x90\x9d" else "cp1252")
