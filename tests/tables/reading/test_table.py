"""A file becomes text and types, and says how it was read."""

from __future__ import annotations

import datetime

import pytest

from tests.tables.reading.conftest import Reader
from thetool.tables.reading import sink
from thetool.tables.reading.problems import UnfitReadOptions
from thetool.tables.reading.report import ColumnType

SALES = "id;price;sold;zip;paid\n1;1.234,50 €;05.01.2024;01234;ja\n2;2,25 €;28.02.2024;98765;nein\n3;;;01067;ja\n"


def test_text_and_types(read: Reader) -> None:
    found = read(SALES)
    assert found.texts()[0] == ("1", "1.234,50 €", "05.01.2024", "01234", "ja")
    assert found.texts()[2] == ("3", None, None, "01067", "ja")
    assert found.values("id") == [1, 2, 3]
    assert found.values("price") == [1234.5, 2.25, None]
    assert found.values("sold") == [datetime.date(2024, 1, 5), datetime.date(2024, 2, 28), None]
    assert found.values("zip") == ["01234", "98765", "01067"]
    assert found.values("paid") == [True, False, True]


def test_each_choice_has_a_reason(read: Reader) -> None:
    reading = read(SALES).reading
    assert (reading.delimiter and reading.delimiter.value, reading.header.value) == (";", 1)
    assert reading.encoding is not None
    assert reading.encoding.value == "utf-8"
    choices = [reading.format, reading.encoding, reading.delimiter, reading.quote, reading.header]
    assert all(choice is not None and choice.reason and not choice.asked for choice in choices)
    assert all(column.reason for column in reading.columns)


def test_asking_for_types(read: Reader) -> None:
    found = read(SALES, columns={"id": {"type": "text"}, "zip": {"type": "integer"}})
    assert found.values("id") == ["1", "2", "3"]
    assert found.values("zip") == [1234, 98765, 1067]
    assert found.column("zip").asked
    assert read(SALES, as_text=True).values("price") == ["1.234,50 €", "2,25 €", None]


def test_a_column_that_is_not_there(read: Reader) -> None:
    with pytest.raises(UnfitReadOptions, match="'cost'"):
        read(SALES, columns={"cost": {"type": "number"}})


def test_a_bad_value_far_down_is_found(read: Reader) -> None:
    lines = [f"{number},{number / 4}" for number in range(30_000)]
    lines[25_000] = "25000,broken"
    found = read("id,amount\n" + "\n".join(lines) + "\n")
    column = found.column("amount")
    assert (column.type, column.untyped) == (ColumnType.NUMBER, 1)
    assert [(example.row, example.text) for example in column.untyped_examples] == [(25_001, "broken")]
    assert found.values("amount")[25_000] is None
    assert found.texts()[25_000] == ("25000", "broken")


def test_long_tables_are_read_as_short_ones(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long table goes through Polars' streaming engine, in parts whose order nobody knows."""
    lines = [f'{at};{at},5 €;{at % 28 + 1:02}.01.2024;{at:05};{"ja" if at % 2 else "nein"};""' for at in range(3_000)]
    lines[2_000] = "2000;viel;?;02000;n/a;"
    content = "id;price;sold;zip;paid;nothing\n" + "\n".join(lines)
    short = read(content)
    monkeypatch.setattr(sink, "_SMALL_CELLS", 0)
    long = read(content)
    assert long.reading == short.reading
    assert long.text.equals(short.text)
    assert long.typed.equals(short.typed)
    assert (long.column("price").untyped, long.column("nothing").empty) == (1, 3_000)
