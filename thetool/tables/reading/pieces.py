"""A delimited text, read piece by piece: of a file of any size no more than some megabytes are in memory.

`table.read_table` looks at a whole file before it decides; here the first lines decide, and each piece is read once.
A row with too many or too few fields is given as far as it goes, with what is wrong about it beside it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import polars as pl

from thetool.tables.reading.delimited import UTF_8, opened
from thetool.tables.reading.draft import Draft
from thetool.tables.reading.mending import Stretch, text_of
from thetool.tables.reading.options import ReadOptions
from thetool.tables.reading.problems import TableTooLarge
from thetool.tables.reading.region import LONGEST_LINE
from thetool.tables.reading.survey import Survey, end_of_lines, survey_lines

BLOCK = 4 << 20
ROWS_OF_A_PIECE = 20_000
Tell = Callable[[float], None]


@dataclass
class Piece:
    """Some rows, every column as text; `wrong` says of rows (counted from 0 here) what is wrong about their fields."""

    frame: pl.DataFrame
    wrong: dict[int, str] = field(default_factory=dict)


class TextPieces:
    """The table in a delimited text.

    Args:
        source: the file.
        folder: where a copy in UTF-8 goes, if one is needed; `close` removes it.
        options: how it is read; what is left out is found.

    Raises:
        EmptyTable, NotATable, UnreadableEncoding, UnfitReadOptions, TableTooLarge: there is no table to be read.
    """

    def __init__(self, source: Path, folder: Path, options: ReadOptions, tell: Tell = lambda _: None) -> None:
        self._copy = folder / UTF_8
        found = opened(source, folder, options, tell, whole=False)
        self.draft: Draft = found.draft
        self.names = found.draft.names
        self.delimiter = found.dialect.delimiter
        self._text = found
        self._schema = dict.fromkeys(self.names, pl.String)
        self._at = found.region.start
        self._ahead = 0  # bytes of the piece that is out, where these are known

    def fraction(self, of_piece: float = 0.0) -> float:
        """How much of the table was read, from 0 to 1; `of_piece` is how much of the last piece is done with."""
        region = self._text.region
        return (self._at + of_piece * self._ahead - region.start) / max(1, region.end - region.start)

    def pieces(self) -> Iterator[Piece]:
        """The rows, in order; each call begins anew.

        Raises:
            TableTooLarge: a field has no end; mostly a quote that is never closed.
        """
        region, quote = self._text.region, self._text.dialect.quote
        line, self._at = region.first_line, region.start
        with self._text.path.open("rb") as file:
            file.seek(region.start)
            rest = b""
            while self._at < region.end:
                read = file.read(min(BLOCK, region.end - self._at - len(rest)))
                block = rest + read
                cut = end_of_lines(block, quote) if read else len(block)
                if self._at + len(block) >= region.end:
                    cut = len(block)
                if not cut and len(block) > LONGEST_LINE:
                    raise TableTooLarge(_endless(line))
                lines, rest = block[:cut], block[cut:]
                if not lines:
                    continue
                found = survey_lines(lines, self._text.dialect.delimiter, quote)
                if found.odd_quotes or self._text.dialect.escape:  # where rows end only a reading of each can tell
                    yield from self._row_by_row(self._at, region.end, line)
                    return
                yield from self._of(lines, found, line)
                self._at, self._ahead = self._at + len(lines), 0
                line += lines.count(b"\n")

    def close(self) -> None:
        """Remove the copy that was made."""
        self._copy.unlink(missing_ok=True)

    def _of(self, lines: bytes, found: Survey, line: int) -> Iterator[Piece]:
        if found.is_regular(len(self.names)) and (frame := self._at_once(lines, found.rows)) is not None:
            if found.empty_quotes:
                frame = frame.with_columns(pl.when(pl.col(self.names) != "").then(pl.col(self.names)))
            self._ahead = len(lines)
            yield Piece(frame)
            return
        yield from self._rows(io.StringIO(lines.decode("utf-8", "replace"), newline=""), line)

    def _at_once(self, lines: bytes, rows: int) -> pl.DataFrame | None:
        try:
            frame = pl.read_csv(
                lines,
                has_header=False,
                separator=self._text.dialect.delimiter,
                quote_char=self._text.dialect.quote or None,
                schema=self._schema,
                infer_schema=False,
            )
        except pl.exceptions.PolarsError:  # a row with too many fields and one with too few
            return None
        return frame if frame.height == rows else None

    def _row_by_row(self, start: int, end: int, line: int) -> Iterator[Piece]:
        with Stretch(self._text.path, start, end) as stretch:
            for piece in self._rows(text_of(stretch), line):
                self._at = stretch.position()
                yield piece
            self._at = end

    def _rows(self, text: io.TextIOBase, line: int) -> Iterator[Piece]:
        width = len(self.names)
        reader = self._text.dialect.rows(one.replace("\0", "") for one in text)
        filled = (row for row in reader if row)
        while True:
            try:
                rows = list(islice(filled, ROWS_OF_A_PIECE))
            except csv.Error as error:
                raise TableTooLarge(_endless(line + reader.line_num)) from error  # type: ignore[attr-defined]
            if not rows:
                return
            wrong = {at: _wrong(row, width) for at, row in enumerate(rows) if len(row) != width}
            wrong = {at: words for at, words in wrong.items() if words}
            fitted = ([*row[:width], *[None] * (width - len(row))] for row in rows)
            columns = [[value or None for value in column] for column in zip(*fitted, strict=True)]
            yield Piece(pl.DataFrame(dict(zip(self.names, columns, strict=True)), schema=self._schema), wrong)


def _wrong(row: list[str], width: int) -> str:
    """What is wrong about a row of another width; empty fields at its end are not."""
    if len(row) > width and not any(row[width:]):
        return ""
    fields = "1 field" if len(row) == 1 else f"{len(row):,} fields"
    return f"the row has {fields}, the table {width:,} columns"


def _endless(line: int) -> str:
    return (
        f"A field near line {line:,} has no end; is a quote never closed? "
        'Ask for quote "" when quotes are only characters here.'
    )
