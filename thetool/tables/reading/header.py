"""Where the table is in a text: what comes before it, the row with the names, what comes after it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from thetool.tables.reading.columns.words import NULL_WORDS

_VALUE = re.compile(
    r"[-+(]?[$€£¥]?\s?\d[\d.,' \u00a0\u202f]*\s?[%€$£¥]?\)?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*|true|false"
    r"|[^\s@]+@[^\s@]+\.[^\s@.]+|[0-9a-f-]{36}",
    re.I,
)
_YEAR = re.compile(r"(19|20)\d\d")
_TOTAL = re.compile(
    r"(grand |sub-?|overall )?(total|totals|sum|average|mean|count)|summe|gesamt(summe)?|insgesamt|zwischensumme"
    r"|mittelwert|somme|totale|total général|media|promedio|suma|totaal|razem|итого|всего",
    re.I,
)
_LATEST_START = 100
_LONGEST_VALUE = 300
_MOST_FOOTER = 20
Row = Sequence[str]


@dataclass(frozen=True)
class Place:
    """Where a table begins among the first rows; `names` is None where there is no row with names."""

    start: int  # index of the row with the names, or of the first row of data
    has_names: bool
    width: int
    reason: str


def find_start(rows: Sequence[Row]) -> Place:
    """Where the table begins, among the first rows of the file (blank lines are empty rows)."""
    width = common_width(rows)
    start = next((at for at, row in enumerate(rows[:_LATEST_START]) if _begins(row, rows[at + 1 :], width)), 0)
    start = _after_filled_up(rows, start, width)
    body = [row for row in rows[start + 1 :] if _filled(row)]
    first = rows[start] if rows else []
    if not _looks_like_names(first, body) and start and _is_short_header(rows[start - 1], rows[start:], width):
        return Place(start - 1, True, width, "The row before the first has only words, one for almost each column.")
    if _looks_like_names(first, body):
        return Place(start, True, max(width, len(first)), _why_names(first, body))
    return Place(start, False, width, "The first row has values as those below it: no names.")


def common_width(rows: Sequence[Row]) -> int:
    """How many fields most rows have; of those as common, the most."""
    widths = Counter(len(row) for row in rows if _filled(row))
    return max(widths, key=lambda width: (widths[width] * (1 if width == 1 else 3), width)) if widths else 1


def _begins(row: Row, later: Sequence[Row], width: int) -> bool:
    """Whether the table can begin here: as many fields as most rows have, and more than one of them filled."""
    if len(row) < width or not _filled(row):
        return False
    alone = width >= 2 and _filled(row) <= 1 and any(_filled(one) > 1 for one in later[:5])
    if alone and (width >= 3 or not _filled(later[0])):
        return False
    following = next((one for one in later if _filled(one)), None)
    return following is None or len(following) >= width or not any(len(one) >= width for one in later)


def _after_filled_up(rows: Sequence[Row], start: int, width: int) -> int:
    """The row with the names where lines before it are filled up with delimiters, as spreadsheets write them.

    Such lines (`Account:;DE89…;;;`) are as wide as the table, and half empty at least: the names come below them, in a
    row of words that has no gap, with numbers or dates under it.
    """
    at = start
    while at < min(len(rows), _LATEST_START) and _filled(rows[at]) <= width // 2 and not "".join(rows[at][-1:]).strip():
        at += 1
    if at == start or at == len(rows) or width < 4:
        return start
    row, below = rows[at], [one for one in rows[at + 1 : at + 51] if _filled(one)]
    dense = sum(_filled(one) > width // 2 for one in below) > len(below) / 2
    if dense and _filled(row) == width and _looks_like_names(row, below):
        return at if any(_differs(number, below) for number in range(width)) else start
    return start


def _filled(row: Row) -> int:
    return sum(1 for field in row if field.strip())


def _is_value(field: str) -> bool:
    bare = field.strip()
    return len(bare) <= _LONGEST_VALUE and bool(_VALUE.fullmatch(bare))


def _looks_like_names(first: Row, body: Sequence[Row]) -> bool:
    names = [field.strip() for field in first]
    filled = [name for name in names if name]
    if not filled or any(len(name) > 300 for name in filled):
        return False
    values = [name for name in filled if _is_value(name)]
    if values and not (all(map(_YEAR.fullmatch, values)) and len(set(values)) == len(values) < len(filled)):
        return False
    if len(filled) < len(names) / 2:
        return False
    if any(_differs(number, body) for number in range(len(names))):
        return True
    below = {(number, field.strip()) for row in body[:200] for number, field in enumerate(row)}
    return len(set(filled)) == len(filled) and not any(
        (number, name) in below for number, name in enumerate(names) if name
    )


def _differs(number: int, body: Sequence[Row]) -> bool:
    """Whether the fields of a column below are values (numbers, dates), as names are not."""
    fields = [row[number] for row in body[:50] if number < len(row) and row[number].strip()]
    return len(fields) > 0 and sum(map(_is_value, fields)) >= len(fields) * 0.7


def _why_names(first: Row, body: Sequence[Row]) -> str:
    if not body:
        return "It is the only row, and has only words."
    if any(_differs(number, body) for number in range(len(first))):
        return "It has only words, and there are numbers or dates below."
    return "It has only words, none of which comes again below."


def _is_short_header(row: Row, later: Sequence[Row], width: int) -> bool:
    enough = max(2, width // 2) <= _filled(row) < width + 1 and len(row) >= width - 2
    return enough and _looks_like_names(row, [one for one in later if _filled(one)])


def is_other_table(ahead: Sequence[Row], width: int, names: Sequence[str] | None) -> bool:
    """Whether these rows, which follow a blank one, begin a table of their own: other names, another width."""
    filled = [row for row in ahead if _filled(row)]
    if len(filled) < 2:
        return False
    place = find_start(filled)
    if not place.has_names or place.width < 2:
        return False
    first, body = filled[place.start], filled[place.start + 1 :]
    return place.width != width or list(first) == names or (names is not None and _are_other_names(first, body))


def _are_other_names(first: Row, body: Sequence[Row]) -> bool:
    """Whether a row of words below a table of as many columns is no row of it: each says something, none comes twice,
    and there are numbers or dates below.
    """
    fields = [field.strip() for field in first]
    words = all(field and field.lower() not in NULL_WORDS and not _is_value(field) for field in fields)
    return words and len(set(fields)) == len(fields) and any(_differs(at, body) for at in range(len(fields)))


def count_footer(rows: Sequence[Row], width: int) -> int:
    """How many of the last rows are no rows of the table: totals, remarks, blank lines before them."""
    count = 0
    for back, row in enumerate(reversed(rows[-_MOST_FOOTER:]), 1):
        if not _filled(row):
            continue
        if not (is_remark(row, width) or is_total(row)):
            break
        count = back
    else:
        return 0 if len(rows) <= _MOST_FOOTER else count
    # blank lines between the table and its footer belong to neither
    return count


def is_remark(row: Row, width: int) -> bool:
    """A line of text below a table, in one field where the table has several."""
    if width < 2 or not _filled(row):
        return False
    alone = _filled(row) == 1 and row[0].strip() != "" and not _is_value(row[0])
    return alone and (len(row) < width or width >= 4) and len(row) <= width


def is_total(row: Row) -> bool:
    """A row of sums: the word for it, and else numbers, or nothing."""
    filled = [field.strip() for field in row if field.strip()]
    if not filled or not _TOTAL.fullmatch(filled[0].rstrip(":").strip()):
        return False
    return len(filled) > 1 and all(map(_is_value, filled[1:]))
