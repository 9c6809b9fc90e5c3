"""Whether a content is a table, judged by its beginning, the name of its file and the type that it was declared as.

A type that says something decides: `text/csv` is a table, `text/plain` a text whatever it holds. Then the name does:
`a.csv` is a table, `a.log` is not. Where both say nothing the content must leave no doubt: JSON records, or lines that
fall into the same number of cells and are no log, no code, no list and no prose.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Literal

import orjson

from thetool.analyze.hypertext import is_html
from thetool.text.byte_order import mark_of, utf_16_of
from thetool.text.layout import Form, is_code, layout_of

TABLE_TYPES = frozenset(
    {
        "text/csv", "text/x-csv", "application/csv", "application/x-csv", "text/comma-separated-values",
        "text/tab-separated-values", "text/x-comma-separated-values", "application/vnd.ms-excel",
        "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines",
        "application/jsonlines",
    }
)  # fmt: skip
"""Types of tables that are texts; browsers on Windows call a CSV file `application/vnd.ms-excel`."""
TABLE_ENDINGS = frozenset({".csv", ".tsv", ".tab", ".psv", ".jsonl", ".ndjson"})
_OPEN_ENDINGS = frozenset({"", ".txt", ".dat", ".data", ".asc", ".out", ".export", ".json"})
"""Endings that leave it to the content; all others name a text of some other sort (`.md`, `.log`, `.py` …)."""
_OPEN_TYPES = frozenset(
    {"", "application/octet-stream", "application/x-www-form-urlencoded", "application/unknown", "application/json"}
)
_PACKED_ENDINGS = frozenset({".gz", ".zip"})

_MOST_LINES = 200
_FEWEST_ROWS = 3
_FEW_ROWS = 5
_SAME_WIDTH = 0.9
_LONGEST_NAME = 60
_DELIMITERS = ("\t", ";", ",", "|")

_records = re.compile(r"\s*\[\s*\{\s*[\"}]").match
# Possessive, and of what has no blanks around: else a long line of blanks would be gone through once for each of them.
_markdown_rule = re.compile(r"\|?(?:\s*+:?-{2,}+:?\s*+\|)++(?:\s*+:?-{2,}+:?)?").fullmatch
_number = re.compile(r"[-+]?[$€£]?\s?[\d.,' ]*\d\s?[%€]?").fullmatch
_word = re.compile(r"[^\W\d_]")

Said = Literal["table", "text"] | None


def is_table(head: bytes, declared: str, filename: str | None, *, whole: bool) -> bool:
    """Whether a text is a table.

    Args:
        head: the beginning of what is known to be no binary file.
        declared: the media type that it came with, in small letters and without parameters; empty when there was none.
        filename: as the sender named it.
        whole: `head` is all there is.
    """
    said = _said(declared, filename)
    return looks_like_table(_readable(head), whole=whole) if said is None else said == "table"


def are_records(head: bytes) -> bool:
    """Whether JSON begins as an array of objects."""
    return _records(_readable(head)) is not None


def ending_of(filename: str | None) -> str:
    """The ending of a file's name in small letters, without that of its packing: `.csv` of `A.CSV.GZ`."""
    path = PurePosixPath((filename or "").lower().strip())
    return PurePosixPath(path.stem).suffix if path.suffix in _PACKED_ENDINGS else path.suffix


def looks_like_table(text: str, *, whole: bool = True) -> bool:
    """Whether a text is one by itself; the last line counts only when the text is `whole`."""
    if _records(text):
        return True
    lines = [line for line in text.splitlines()[: _MOST_LINES + 1] if line.strip()]
    if not whole or len(lines) > _MOST_LINES:
        lines = lines[:-1]
    if len(lines) >= 2 and all(map(_is_record, lines)):
        return True
    if (
        len(lines) < _FEWEST_ROWS
        or is_html(text, None)
        or is_code(lines)
        or any(_markdown_rule(line.strip()) for line in lines[:5])
    ):
        return False
    form = layout_of("\n".join(lines)).form
    return form != "json" and any(_is_delimited(lines, delimiter, form) for delimiter in _DELIMITERS)


def _said(declared: str, filename: str | None) -> Said:
    """What type and name say of it."""
    ending = ending_of(filename)
    if declared not in _OPEN_TYPES:
        return "table" if declared in TABLE_TYPES else "text"
    if ending in TABLE_ENDINGS:
        return "table"
    return None if ending in _OPEN_ENDINGS else "text"


def _readable(head: bytes) -> str:
    """The beginning as text, good enough to look at its lines: what is no UTF-8 stands for letters of some sort."""
    mark = mark_of(head)
    encoding = mark.encoding if mark else utf_16_of(head) or "utf-8"
    start = len(mark.start) if mark else 0
    return codecs.getincrementaldecoder(encoding)(errors="replace").decode(head[start:])


def _is_record(line: str) -> bool:
    """Whether a line is a JSON object."""
    if not (line.lstrip().startswith("{") and line.rstrip().endswith("}")):
        return False
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


def _is_delimited(lines: Sequence[str], delimiter: str, form: Form) -> bool:
    """Whether nearly all lines fall into the same number of cells, and these are not the pieces of sentences."""
    try:
        rows = [row for row in csv.reader(lines, delimiter=delimiter) if row]
    except csv.Error:
        return False
    if len(rows) < _FEWEST_ROWS:
        return False
    width, often = Counter(map(len, rows)).most_common(1)[0]
    if width < 2 or often < _SAME_WIDTH * len(rows):
        return False
    even = [row for row in rows if len(row) == width]
    if _is_margin(even, 0) or (width == 2 and _is_margin(even, 1)):
        return False
    named = len(rows[0]) == width and _are_names(rows[0])
    if form == "log" and not (named and width > 2):
        return False
    return delimiter in "\t|" or not _is_prose(even, width, lines, delimiter, named=named)


def _is_margin(rows: Sequence[Sequence[str]], column: int) -> bool:
    """Whether a column is mostly blank: lines that begin or end with the delimiter."""
    return sum(not row[column].strip() for row in rows) > len(rows) / 2


def _are_names(row: Sequence[str]) -> bool:
    """Whether these may be names of columns: short, different, none of them a number."""
    cells = [cell.strip() for cell in row]
    return len(set(cells)) == len(cells) and all(
        cell and len(cell) <= _LONGEST_NAME and _word.search(cell) and cell[-1] not in ".!?" for cell in cells
    )


def _is_prose(rows: Sequence[Sequence[str]], width: int, lines: Sequence[str], delimiter: str, *, named: bool) -> bool:
    """Commas and semicolons also stand in sentences, lists and numbers, with a blank after them or a digit."""
    inner = [cell for row in rows for cell in row[1:]]
    followed = sum(cell[:1] == " " for cell in inner) / len(inner)
    numbers = any(
        sum(_number(row[column].strip()) is not None for row in rows[1:]) > len(rows) / 2 for column in range(width)
    )
    if followed:
        return not (named and width > 2 and len(rows) >= _FEW_ROWS and (numbers or followed <= 0.5))
    if width > 2 or delimiter == ";":
        return False
    quoted = sum(f'{delimiter}"' in line for line in lines) > len(lines) / 3
    return not (named and (numbers or quoted))
