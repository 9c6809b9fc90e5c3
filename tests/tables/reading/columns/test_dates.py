"""Dates and times in many writings; day or month first over the whole column."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.tables.reading.conftest import Reader
from thetool.tables.reading.report import ColumnType


def table(*values: str) -> str:
    return "k;x\n" + "".join(f"row;{value}\n" for value in values)


@pytest.mark.parametrize(
    ("texts", "days"),
    [
        (["2024-01-05", "2024-12-31"], [(2024, 1, 5), (2024, 12, 31)]),
        (["2024/1/5", "2024/12/31"], [(2024, 1, 5), (2024, 12, 31)]),
        (["5.1.2024", "31.12.2024"], [(2024, 1, 5), (2024, 12, 31)]),
        (["01.02.2024", "03.04.2024"], [(2024, 2, 1), (2024, 4, 3)]),
        (["5/1/2024", "31/12/2024"], [(2024, 1, 5), (2024, 12, 31)]),
        (["1/5/2024", "12/31/2024"], [(2024, 1, 5), (2024, 12, 31)]),
        (["5-Jan-24", "31-Dec-23"], [(2024, 1, 5), (2023, 12, 31)]),
        (["5. März 2024", "31. Dezember 2023"], [(2024, 3, 5), (2023, 12, 31)]),
        (["March 5, 2024", "Dec 31st, 2023"], [(2024, 3, 5), (2023, 12, 31)]),
        (["Tue, 5 Mar 2024", "Sun, 31 Dec 2023"], [(2024, 3, 5), (2023, 12, 31)]),
        (["5 août 2024", "31 déc. 2023"], [(2024, 8, 5), (2023, 12, 31)]),
        (["25/12/99", "01/02/05"], [(1999, 12, 25), (2005, 2, 1)]),
        (["1850-03-01", "0999-03-01", "1899-12-31"] * 7, None),
        (["20240105", "20241231", "20230601", "20220202", "20211111"], None),
    ],
)
def test_writings(read: Reader, texts: list[str], days: list[tuple[int, int, int]] | None) -> None:
    found = read(table(*texts))
    assert found.column("x").type is (ColumnType.DATE if days or texts[0][0] == "2" else ColumnType.TEXT)
    if days:
        assert found.values("x") == [dt.date(*day) for day in days]
        assert found.column("x").untyped == 0


def test_before_1900(read: Reader) -> None:
    assert read(table("1850-03-01", "1789-07-14")).values("x") == [dt.date(1850, 3, 1), dt.date(1789, 7, 14)]


@pytest.mark.parametrize(("last", "order"), [("13/02/2024", "dmy"), ("02/13/2024", "mdy")])
def test_one_row_far_down_says_which_comes_first(read: Reader, last: str, order: str) -> None:
    rows = [f"{day % 12 + 1:02}/{day % 11 + 1:02}/2024" for day in range(5_000)]
    column = read(table(*rows, last)).column("x")
    assert (column.type, column.date_order, column.untyped) == (ColumnType.DATE, order, 0)


def test_nothing_says_which_comes_first(read: Reader) -> None:
    content = table("01/02/2024", "03/04/2024")
    found = read(content)
    assert "guess" in found.column("x").reason
    assert found.codes() == {"guessed_date_order"}
    assert read(content, date_order="dmy").values("x")[0] == dt.date(2024, 2, 1)
    assert read(content, date_order="mdy").values("x")[0] == dt.date(2024, 1, 2)


def test_another_column_says_which_comes_first(read: Reader) -> None:
    found = read("x,y\n01/02/2024,25/03/2024\n03/04/2024,26/03/2024\n")
    assert found.values("x") == [dt.date(2024, 2, 1), dt.date(2024, 4, 3)]
    assert "other columns" in found.column("x").reason
    assert found.codes() == set()


def test_semicolons_make_the_day_come_first_and_are_said_to(read: Reader) -> None:
    found = read("x;y\n01/02/2024;a\n03/04/2024;b\n")
    assert found.values("x") == [dt.date(2024, 2, 1), dt.date(2024, 4, 3)]
    assert found.column("x").reason.endswith("day first is a guess, because semicolons separate the fields.")
    assert found.codes() == {"guessed_date_order"}


def test_no_such_day(read: Reader) -> None:
    found = read(table(*["05.01.2024"] * 20, "31.02.2024", "soon"))
    assert found.column("x").untyped == 2
    assert [example.text for example in found.column("x").untyped_examples] == ["31.02.2024", "soon"]


def test_several_forms_in_one_column(read: Reader) -> None:
    found = read(table("2024-01-05", "06.01.2024", "7 Jan 2024", "2024-01-08"))
    assert found.values("x") == [dt.date(2024, 1, day) for day in (5, 6, 7, 8)]
    assert sum(found.column("x").date_formats.values()) == 4


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-01-05 10:30:15", dt.datetime(2024, 1, 5, 10, 30, 15)),
        ("2024-01-05T10:30:15.25", dt.datetime(2024, 1, 5, 10, 30, 15, 250_000)),
        ("2024-01-05 10:30", dt.datetime(2024, 1, 5, 10, 30)),
        ("5.1.2024 9:05", dt.datetime(2024, 1, 5, 9, 5)),
        ("05.01.2024, 09:05 Uhr", None),
        ("1/25/2024 5:07 PM", dt.datetime(2024, 1, 25, 17, 7)),
        ("1/25/2024 12:07:01 a.m.", dt.datetime(2024, 1, 25, 0, 7, 1)),
        ("2024-01-05T10:30:00Z", dt.datetime(2024, 1, 5, 10, 30, tzinfo=dt.UTC)),
        ("2024-01-05T10:30:00+02:00", dt.datetime(2024, 1, 5, 8, 30, tzinfo=dt.UTC)),
        ("2024-01-05 10:30:00 -0330", dt.datetime(2024, 1, 5, 14, 0, tzinfo=dt.UTC)),
    ],
)
def test_dates_with_times(read: Reader, text: str, moment: dt.datetime | None) -> None:
    found = read(table(text, text))
    assert found.column("x").type is (ColumnType.DATETIME if moment else ColumnType.TEXT)
    assert found.values("x") == [moment or text] * 2


def test_midnights_are_days(read: Reader) -> None:
    found = read(table("2024-01-05 00:00:00", "2024-01-06 00:00:00"))
    assert found.values("x") == [dt.date(2024, 1, 5), dt.date(2024, 1, 6)]
    mixed = read(table("2024-01-05 00:00:00", "2024-01-06 00:00:01"))
    assert mixed.values("x") == [dt.datetime(2024, 1, 5), dt.datetime(2024, 1, 6, 0, 0, 1)]


def test_times(read: Reader) -> None:
    assert read(table("9:05", "23:59:59")).values("x") == [dt.time(9, 5), dt.time(23, 59, 59)]
    assert read(table("9:05 pm", "12:00 AM")).values("x") == [dt.time(21, 5), dt.time(0, 0)]


def test_asking_for_a_date(read: Reader) -> None:
    found = read(table("2024-01-05", "a", "b", "c"), columns={"x": {"type": "date"}})
    assert found.values("x") == [dt.date(2024, 1, 5), None, None, None]
    assert found.column("x").untyped == 3
