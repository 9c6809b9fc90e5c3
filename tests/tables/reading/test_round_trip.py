"""Whatever Python's csv module writes, in any dialect and encoding, is read back the same."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from thetool.tables.reading.names import ROW
from thetool.tables.reading.options import ReadOptions
from thetool.tables.reading.table import read_table

LETTERS = st.characters(codec="cp1252", exclude_categories=["Cc", "Cf"])
TEXT = st.one_of(
    st.text(LETTERS, max_size=8), st.sampled_from(["", "a,b", 'say "x"', "two\nlines", "007", "1;2", " x ", "-"])
)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    width = draw(st.integers(2, 5))
    rows = draw(st.lists(st.lists(TEXT, min_size=width, max_size=width), min_size=1, max_size=8))
    return [[f"name{at}" for at in range(width)], *rows]


@given(
    table=tables(),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    line_end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
)
@settings(max_examples=60, deadline=None)
def test_round_trip(table: list[list[str]], delimiter: str, line_end: str, quoting: int, encoding: str) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=line_end, quoting=quoting).writerows(table)
    options = ReadOptions(delimiter=delimiter, quote='"', encoding=encoding, header_row=1, last_row=10_000)
    with TemporaryDirectory() as name:
        source = Path(name) / "source"
        source.write_bytes(out.getvalue().encode(encoding))
        reading = read_table(source, Path(name), options)
        text = pl.read_parquet(Path(name) / "text.parquet").drop(ROW)
    assert text.columns == table[0]
    assert [[value or "" for value in row] for row in text.rows()] == table[1:]
    assert reading.rows == len(table) - 1
