"""Where the table is in the file: names, what comes before, what comes after."""

from __future__ import annotations

import pytest

from tests.tables.reading.conftest import Reader
from thetool.tables.reading.header import find_start
from thetool.tables.reading.names import named
from thetool.tables.reading.problems import EmptyTable, UnfitReadOptions

REPORT = "Sales report 2024\nCreated by: us\n\nregion|units|revenue\n" + "".join(
    f"R{number}|{number}|{number * 10}\n" for number in range(1, 8)
)


def names(read: Reader, content: str, **options: object) -> list[str]:
    return [column.name for column in read(content, **options).reading.columns]


def test_preamble_and_footer_are_kept(read: Reader) -> None:
    found = read(REPORT + "Total|28|280\n\nSource: the till\n")
    reading = found.reading
    assert reading.header.value == 4
    assert reading.preamble is not None
    assert reading.preamble.text[:2] == ["Sales report 2024", "Created by: us"]
    assert reading.footer is not None
    assert (reading.footer.first_line, reading.footer.text) == (12, ["Total|28|280", "", "Source: the till"])
    assert found.values("units") == [1, 2, 3, 4, 5, 6, 7]


def test_preamble_of_a_padded_export(read: Reader) -> None:
    found = read("Report,,\n,,\nname,x,y\na,1,2\nb,3,4\n")
    assert [column.name for column in found.reading.columns] == ["name", "x", "y"]
    assert found.texts() == [("a", "1", "2"), ("b", "3", "4")]


def test_preamble_of_words_and_values_that_is_filled_up(read: Reader) -> None:
    reading = read(
        "Konto:;DE89370400440532013000;;;\nStand:;1.234,56;;;\n;;;;\nBuchung;Wert;Text;Betrag;Währung\n"
        + "01.10.2026;01.10.2026;REWE;-12,30;EUR\n" * 9
    ).reading
    assert [column.name for column in reading.columns] == ["Buchung", "Wert", "Text", "Betrag", "Währung"]
    assert (reading.rows, reading.header.value, reading.preamble is not None and reading.preamble.count) == (9, 4, 3)


def test_the_first_rows_of_a_table_with_gaps_are_no_preamble(read: Reader) -> None:
    reading = read("a;b;c;d\nx;1;;\ny;;;\nfoo;2;bar;3\n" + "z;4;baz;5\n" * 9).reading
    assert (reading.rows, reading.header.value) == (12, 1)


def test_a_company_called_total_is_no_footer(read: Reader) -> None:
    found = read("company,city\nShell,London\nTotal,Paris\n")
    assert found.texts() == [("Shell", "London"), ("Total", "Paris")]
    assert found.reading.footer is None
    assert read("kind,n\nAccount,1\nCounter,2\nTotally,3\n").reading.rows == 3


def test_no_row_is_cut_off(read: Reader) -> None:
    found = read("a,b\n" + "1,x\n" * 120_000)
    assert found.reading.rows == found.typed.height == 120_000


def test_short_last_rows_with_values_are_no_footer(read: Reader) -> None:
    found = read("a,b,c\n1,2,3\n4,5,6\n7\n")
    assert found.reading.rows == 3
    assert "short_rows" in found.codes()


def test_no_names(read: Reader) -> None:
    found = read("1,2.5,x\n2,3.5,y\n")
    assert found.reading.header.value == 0
    assert names(read, "1,2.5,x\n2,3.5,y\n") == ["column_1", "column_2", "column_3"]
    assert "no_header" in found.codes()


def test_years_may_be_names(read: Reader) -> None:
    assert names(read, "country,2019,2020,2021\nA,1,2,3\nB,4,5,6\n") == ["country", "2019", "2020", "2021"]


def test_words_only(read: Reader) -> None:
    assert names(read, "name,city\nAnn,Bern\nBo,Oslo\n") == ["name", "city"]


def test_names_that_are_missing_or_come_twice(read: Reader) -> None:
    found = read("a,a,,_row, b \n1,2,3,4,5\n")
    assert [column.name for column in found.reading.columns] == ["a", "a_2", "column_3", "_row_2", "b"]
    assert [column.original_name for column in found.reading.columns] == ["a", "a", "", "_row", " b "]
    assert {"renamed_columns", "unnamed_columns"} <= found.codes()


def test_a_new_name_is_not_one_of_the_file(read: Reader) -> None:
    assert names(read, "a,a,a_2,column_5,\n1,2,3,4,5\n") == ["a", "a_3", "a_2", "column_5", "column_5_2"]


def test_names_that_polars_takes_for_patterns(read: Reader) -> None:
    found = read("*,^b$,b\n1,2,3\n4,5,6\n")
    assert [column.name for column in found.reading.columns] == ["(*)", "(^b$)", "b"]
    assert found.texts() == [("1", "2", "3"), ("4", "5", "6")]
    assert "renamed_columns" in found.codes()


def test_names_one_short(read: Reader) -> None:
    """As R writes row names."""
    found = read("x,y\n1,2,3\n2,3,4\n")
    assert [column.original_name for column in found.reading.columns] == ["x", "y", None]


def test_only_names(read: Reader) -> None:
    found = read("name,city\n")
    assert (found.reading.rows, names(read, "name,city\n")) == (0, ["name", "city"])
    assert "no_rows" in found.codes()


@pytest.mark.parametrize("content", ["", "\n \n\r\n", "\ufeff", ",,\n,,\n"])
def test_nothing(read: Reader, content: str) -> None:
    with pytest.raises(EmptyTable):
        read(content)


def test_asking_for_the_row(read: Reader) -> None:
    found = read("x,y\nname,city\nAnn,Bern\n", header_row=2)
    assert found.texts() == [("Ann", "Bern")]
    assert found.reading.header.asked
    assert read("x,y\nAnn,Bern\n", header_row=0).texts() == [("x", "y"), ("Ann", "Bern")]


def test_asking_for_the_last_row(read: Reader) -> None:
    assert read("a,b\n1,2\n3,4\nx,y\n", last_row=3).values("a") == [1, 3]


@pytest.mark.parametrize("options", [{"header_row": 9}, {"last_row": 1}])
def test_rows_that_are_not_there(read: Reader, options: dict[str, int]) -> None:
    with pytest.raises(UnfitReadOptions):
        read("a,b\n1,2\n3,4\n", **options)


def test_a_name_over_two_lines(read: Reader) -> None:
    found = read('"first\nname",n\nAnn,1\nBo,2\n')
    assert found.reading.columns[0].name == "first name"
    assert found.texts() == [("Ann", "1"), ("Bo", "2")]


def test_a_hostile_field_is_looked_at_once() -> None:
    """This took hours: an address of at signs and dots, in every way to divide it."""
    field = "@." * 5_000 + " "
    assert not find_start([["a", "b"], [field + "x", "y"]]).start


def test_thousands_of_columns_of_one_name() -> None:
    names, _ = named(["a"] * 50_000)
    assert names[:3] == ["a", "a_2", "a_3"]
    assert len(set(names)) == 50_000
