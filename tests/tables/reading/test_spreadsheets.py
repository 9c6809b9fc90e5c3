"""XLSX and ODS, as spreadsheet programs write them, and as nobody should."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from pathlib import Path

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from tests.tables.reading.books import SHEET, cell, changed, ods, rows, xlsx
from tests.tables.reading.conftest import Reader
from thetool.tables.reading.limits import Limits
from thetool.tables.reading.problems import DamagedTable, EmptyTable, TableTooLarge, UnfitReadOptions, UnsupportedTable
from thetool.tables.reading.table import read_table


def test_values(read: Reader) -> None:
    found = read(
        rows(
            ("name", "zip", "n", "share", "day", "moment", "ok", "clock"),
            ("Ann", "01234", 1, 0.5, dt.date(2024, 1, 5), dt.datetime(2024, 1, 5, 10, 30), True, dt.time(9, 30)),
            ("Bo", "98765", 2, 1.25, dt.date(2024, 1, 6), dt.datetime(2024, 1, 6, 0, 0), False, dt.time(23, 0)),
        )
    )
    assert found.typed.drop("_row").rows() == [
        ("Ann", "01234", 1, 0.5, dt.date(2024, 1, 5), dt.datetime(2024, 1, 5, 10, 30), True, dt.time(9, 30)),
        ("Bo", "98765", 2, 1.25, dt.date(2024, 1, 6), dt.datetime(2024, 1, 6), False, dt.time(23, 0)),
    ]
    assert found.reading.sheet is not None
    assert found.reading.sheet.value == "Sheet"


def test_sheets(read: Reader) -> None:
    def fill(book: openpyxl.Workbook) -> None:
        for name, value in (("Zwei & <2>", 2), ("Drei", 3)):
            sheet = book.create_sheet(name)
            sheet.append(["x"])
            sheet.append([value])

    content = xlsx(fill)
    first = read(content)
    assert first.reading.sheet is not None
    assert first.reading.sheet.value == "Zwei & <2>"
    assert [sheet.name for sheet in first.reading.sheets] == ["Sheet", "Zwei & <2>", "Drei"]
    assert "other_sheets" in first.codes()
    assert read(content, sheet="Drei").values("x") == [3]
    with pytest.raises(UnfitReadOptions, match="'Vier'"):
        read(content, sheet="Vier")
    with pytest.raises(EmptyTable):
        read(content, sheet="Sheet")


def test_a_table_in_the_middle_of_a_sheet(read: Reader) -> None:
    def fill(book: openpyxl.Workbook) -> None:
        sheet = book.active
        sheet["C3"] = "Report of 2024"
        for at, row in enumerate([("item", "n"), ("a", 1), ("b", 2), ("Total", 3)], 5):
            sheet.cell(at, 3, row[0])
            sheet.cell(at, 4, row[1])

    found = read(xlsx(fill))
    assert found.reading.header.value == 5
    assert found.typed.drop("_row").rows() == [("a", 1), ("b", 2)]
    assert found.reading.preamble is not None
    assert found.reading.preamble.first_line == 3
    assert found.reading.footer is not None
    assert (found.reading.footer.first_line, found.reading.footer.text) == (8, ["Total\t3"])


def test_two_tables_in_a_sheet(read: Reader) -> None:
    content = rows(("item", "n", "price"), ("a", 1, 2.5), ("b", 2, 3.5), (), ("key", "share"), ("x", 5), ("y", 6))
    found = read(content)
    assert found.typed.drop("_row").rows() == [("a", 1, 2.5), ("b", 2, 3.5)]
    assert [(other.first_line, other.names) for other in found.reading.other_tables] == [(5, ["key", "share"])]
    assert "other_tables" in found.codes()
    assert read(content, header_row=5).values("share") == [5, 6]
    assert read(content, header_row=5).reading.header.value == 5


def test_formulas_without_values_errors_and_merged_cells(read: Reader) -> None:
    def fill(book: openpyxl.Workbook) -> None:
        sheet = book.active
        for row in (("a", "b", "c"), ("x", 1, "=B2*2"), ("y", 2, "=B3*2"), (None, 3, "#N/A")):
            sheet.append(row)
        sheet.merge_cells("A3:A4")

    found = read(xlsx(fill))
    counts = {note.code: note.count for note in found.reading.notes}
    assert counts == {"formulas_without_value": 2, "error_cells": 1, "merged_cells": 1}
    assert found.values("a") == ["x", "y", None]


def test_formulas_with_values(read: Reader) -> None:
    content = changed(
        rows(("a", "b"), (1, "=A2*2")), SHEET, lambda xml: xml.replace(b"<f>A2*2</f><v />", b"<f>A2*2</f><v>2</v>")
    )
    found = read(content)
    assert found.values("b") == [2]
    assert "formulas" in found.codes()


def test_dates_before_1900_are_texts_that_are_dates(read: Reader) -> None:
    found = read(rows(("born",), ("1850-03-01",), ("1899-12-31",)))
    assert found.values("born") == [dt.date(1850, 3, 1), dt.date(1899, 12, 31)]


def test_days_count_from_1904_where_the_workbook_says_so(read: Reader) -> None:
    def fill(book: openpyxl.Workbook) -> None:
        book.epoch = CALENDAR_MAC_1904
        for row in (("n", "day"), (1, dt.date(2024, 2, 29)), (2, dt.date(1904, 1, 2))):
            book.active.append(row)

    assert read(xlsx(fill)).values("day") == [dt.date(2024, 2, 29), dt.date(1904, 1, 2)]


def test_a_document_type(read: Reader) -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    content = changed(rows(("a",), (1,)), SHEET, lambda xml: bomb + xml)
    with pytest.raises(DamagedTable, match="document type"):
        read(content)


def test_a_part_that_is_too_large(tmp_path: Path) -> None:
    content = changed(rows(("a",), (1,)), "xl/styles.xml", lambda xml: xml + b" " * (2 << 20))
    (tmp_path / "source").write_bytes(content)
    assert read_table(tmp_path / "source", tmp_path).rows == 1
    with pytest.raises(TableTooLarge):
        read_table(tmp_path / "source", tmp_path, limits=Limits(sheet_bytes=1 << 20))


@pytest.mark.parametrize("part", ["xl/workbook.xml", SHEET])
def test_damaged(read: Reader, part: str) -> None:
    content = rows(("a",), (1,))
    with pytest.raises(DamagedTable):
        read(changed(content, part, lambda xml: xml[: len(xml) // 2] + b"<<<"))
    with pytest.raises(DamagedTable):
        read(content[: len(content) // 2])


def test_ods(read: Reader) -> None:
    found = read(
        ods(
            '<table:table table:name="Tabelle &amp; 1">'
            '<table:table-row table:number-rows-repeated="3"><table:table-cell/></table:table-row>'
            f"<table:table-row>{cell('name')}{cell('n')}{cell('day')}</table:table-row>"
            f'<table:table-row>{cell("Ann")}<table:table-cell office:value-type="float" office:value="1.5"/>'
            '<table:table-cell office:value-type="date" office:date-value="1850-03-01"/></table:table-row>'
            f'<table:table-row table:number-rows-repeated="2">{cell("Bo")}'
            '<table:table-cell office:value-type="float" office:value="2"/>'
            '<table:table-cell office:value-type="date" office:date-value="2024-03-01"/></table:table-row>'
            "</table:table>"
        )
    )
    assert (found.reading.format.value, found.reading.header.value) == ("ods", 4)
    assert found.values("n") == [1.5, 2.0, 2.0]
    assert found.values("day") == [dt.date(1850, 3, 1), dt.date(2024, 3, 1), dt.date(2024, 3, 1)]


def test_binary_workbooks(read: Reader) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("xl/workbook.bin", b"x")
    with pytest.raises(UnsupportedTable, match="xlsb"):
        read(out.getvalue())
