"""Parquet: declared types are kept."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import random

import polars as pl
import pytest

from tests.tables.reading.conftest import Reader
from thetool.tables.reading.problems import DamagedTable
from thetool.tables.reading.report import ColumnType
from thetool.web.problems import Problem


def parquet(**columns: object) -> bytes:
    out = io.BytesIO()
    pl.DataFrame(columns).write_parquet(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, None, -3], ColumnType.INTEGER),
        ([0.1, None, 1e300], ColumnType.NUMBER),
        ([True, None, False], ColumnType.BOOLEAN),
        ([dt.date(1850, 1, 1), None, dt.date(2024, 2, 29)], ColumnType.DATE),
        ([dt.datetime(2024, 1, 1, 10, 0, 0, 5), None, dt.datetime(1850, 1, 1)], ColumnType.DATETIME),
        (
            [dt.datetime(2024, 1, 1, tzinfo=dt.UTC), None, dt.datetime(2024, 1, 1, 5, tzinfo=dt.UTC)],
            ColumnType.DATETIME,
        ),
        ([dt.time(1, 2, 3), None, dt.time(4, 5, 6, 7)], ColumnType.TIME),
        (["x", None, ""], ColumnType.TEXT),
    ],
)
def test_declared_types(read: Reader, values: list[object], kind: ColumnType) -> None:
    found = read(parquet(x=values))
    assert found.values("x") == values
    assert (found.column("x").type, found.column("x").untyped) == (kind, 0)


def test_texts_are_typed_as_any_text(read: Reader) -> None:
    found = read(parquet(zip=["01234", "1"], n=["1", "2"]))
    assert found.values("zip") == ["01234", "1"]
    assert found.values("n") == [1, 2]


def test_nested_values_are_json(read: Reader) -> None:
    found = read(parquet(l=[[1, 2], None, []], s=[{"a": 1, "b": "ä"}, {"a": None, "b": "x"}, None]))
    assert found.values("l") == ["[1,2]", None, "[]"]
    assert found.values("s") == ['{"a":1,"b":"ä"}', '{"a":null,"b":"x"}', None]
    assert "nested_values" in found.codes()


def test_whole_numbers_beyond_64_bits_are_counted(read: Reader) -> None:
    found = read(parquet(x=pl.Series([2**63 + 5, 1], dtype=pl.UInt64)))
    assert found.values("x") == [None, 1]
    assert found.column("x").untyped_examples[0].text == str(2**63 + 5)


@pytest.mark.parametrize(
    ("dtype", "stored", "good", "text"),
    [
        (pl.Date, 2**31 - 1, dt.date(1970, 1, 2), "2147483647 days from 1970-01-01"),
        (pl.Datetime("us"), 2**63 - 1, dt.datetime(1970, 1, 1, 0, 0, 0, 1), f"{2**63 - 1} us from 1970-01-01"),
        (pl.Datetime("ms"), -(2**63) + 1, dt.datetime(1970, 1, 1, 0, 0, 0, 1000), f"{-(2**63) + 1} ms from 1970-01-01"),
        (pl.Datetime("us", "Europe/Berlin"), 2**62, dt.datetime(1970, 1, 1, 0, 0, 0, 1, dt.UTC), None),
    ],
)
def test_dates_that_no_calendar_has(
    read: Reader, dtype: pl.DataType, stored: int, good: object, text: str | None
) -> None:
    """One such date must not cost the other columns, nor the other rows."""
    physical = pl.Series([1, None, stored], dtype=pl.Int32 if dtype == pl.Date else pl.Int64)
    found = read(parquet(when=physical.cast(dtype), n=[1, 2, 3]))
    assert found.values("when") == [good, None, None]
    assert found.values("n") == [1, 2, 3]
    column = found.column("when")
    assert (column.untyped, column.untyped_examples[0].row) == (1, 3)
    assert text in (None, column.untyped_examples[0].text)
    told = {note.code: note.message for note in found.reading.notes}
    assert "when (1)" in told["dates_out_of_range"]


def test_the_first_and_the_last_day_of_calendars(read: Reader) -> None:
    days = [dt.date(1, 1, 1), dt.date(9999, 12, 31)]
    moments = [dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59, 999_999)]
    found = read(parquet(day=days, moment=moments, milli=pl.Series(moments, dtype=pl.Datetime("ms"))))
    assert (found.values("day"), found.values("moment")) == (days, moments)
    assert "dates_out_of_range" not in found.codes()


def test_a_column_called_as_ours(read: Reader) -> None:
    assert [column.name for column in read(parquet(_row=[5])).reading.columns] == ["_row_2"]


def test_no_rows(read: Reader) -> None:
    found = read(parquet(x=pl.Series([], dtype=pl.Int64)))
    assert (found.reading.rows, found.column("x").type) == (0, ColumnType.INTEGER)


@pytest.mark.parametrize("cut", [-10, 60])
def test_damaged(read: Reader, cut: int) -> None:
    with pytest.raises(DamagedTable):
        read(parquet(x=list(range(1000)))[:cut])


def test_any_byte_may_be_wrong(read: Reader) -> None:
    """Whatever is damaged, it is read or refused; what Polars asserts is no crash of ours."""
    drawn = random.Random(5)
    content = parquet(a=[1, 2, 3], s=[{"x": 1}] * 3, t=["x", "y", "z"])
    for _ in range(150):
        damaged = bytearray(content)
        for _ in range(3):
            damaged[drawn.randrange(4, len(damaged))] = drawn.randrange(256)
        with contextlib.suppress(Problem):
            read(bytes(damaged))
