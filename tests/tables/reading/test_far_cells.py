"""Cells that are far from each other, or that come a billion times: counted however they are written, then refused."""

from __future__ import annotations

import re
from pathlib import Path

import openpyxl
import pytest

from tests.tables.reading.books import SHEET, cell, changed, ods, rows, xlsx
from tests.tables.reading.conftest import Reader
from thetool.tables.reading import spreadsheets, workbook
from thetool.tables.reading.limits import Limits
from thetool.tables.reading.problems import DamagedTable, EmptyTable, TableTooLarge
from thetool.tables.reading.table import read_table


def test_a_cell_far_away(read: Reader) -> None:
    def fill(book: openpyxl.Workbook) -> None:
        book.active["A1"] = "a"
        book.active["XFD1048576"] = "z"

    with pytest.raises(TableTooLarge, match="span"):
        read(xlsx(fill))


ONE = "<v>1</v></c>"
FIRST = f'<row r="1"><c r="A1">{ONE}</row>'


def with_cells(written: str) -> bytes:
    """A workbook with this in place of its rows."""
    return changed(rows((1,)), SHEET, lambda xml: re.sub(rb"<sheetData>.*</sheetData>", written.encode(), xml))


@pytest.mark.parametrize(
    "cells",
    [
        f"<row r='5000'><c r='ZZ5000'>{ONE}</row>",
        '<x:row r="5000"><x:c r="ZZ5000"><x:v>1</x:v></x:c></x:row>',
        f'<row r="5000"><c r="zz5000">{ONE}</row>',
        f'<row r="5000"><c s="1" r = "ZZ5000">{ONE}</row>',
        f'<row r="5000"><c r="ZZ5000">{ONE}<c r="A5000">{ONE}</row>',
        f'<row r="2"><c r="ZZ5000">{ONE}<c r="A2">{ONE}</row>',
        f'<row r="5000">{f"<c>{ONE}" * 702}</row>',
        f'<row r="5000"><c r="ZY5000">{ONE}<c>{ONE}</row>',
        f'{"<row/>" * 2499}{"<row></row>" * 2499}<row><c r="ZY5000">{ONE}<c>{ONE}</row>',
        f'<row r="5000"><c x=">" r="ZZ5000">{ONE}</row>',
        f'<!-- <c x=" --><row r="5000"><c r="ZZ5000">{ONE}</row>',
    ],
    ids=[
        "in single quotes", "with a prefix", "in small letters", "with blanks", "not the last", "in another row",
        "nowhere", "after a far one", "rows nowhere", "behind an angle", "behind a comment",
    ],
)  # fmt: skip
def test_a_cell_far_away_that_is_written_otherwise(tmp_path: Path, cells: str) -> None:
    (tmp_path / "source").write_bytes(with_cells(f"<sheetData>{FIRST}{cells}</sheetData>"))
    with pytest.raises((TableTooLarge, DamagedTable), match="Its cells span 3,510,000|has no end"):
        read_table(tmp_path / "source", tmp_path, limits=Limits(cells=1_000_000))


FAR = f'<sheetData>{FIRST}<row r="5000"><c r="ZZ5000">{ONE}</row></sheetData>'


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        ("xl/_rels/workbook.xml.rels", b"worksheets/sheet1.xml", b"worksheets/SHEET1.xml"),
        ("xl/workbook.xml", b"<sheets>", b'<sheets><!-- <sheet name="Sheet" sheetId="9" r:id="rId9"/> -->'),
        ("xl/workbook.xml", b"r:id=", b"relationships:id="),
    ],
)
def test_a_sheet_that_is_found_otherwise(tmp_path: Path, part: str, old: bytes, new: bytes) -> None:
    content = changed(with_cells(FAR), part, lambda xml: xml.replace(old, new))
    (tmp_path / "source").write_bytes(content)
    with pytest.raises(TableTooLarge, match="Its cells span 3,510,000"):
        read_table(tmp_path / "source", tmp_path, limits=Limits(cells=1_000_000))


def test_cells_that_do_not_say_where_they_are(read: Reader) -> None:
    bare = "".join(f"<row>{''.join(f'<c><v>{n}</v></c>' for n in row)}</row>" for row in ((1, 2), (3, 4), (5, 6)))
    found = read(with_cells(f"<sheetData><row/><row><c/></row>{bare}</sheetData>"), header_row=0)
    assert found.texts() == [("1", "2"), ("3", "4"), ("5", "6")]
    named = read(with_cells(f"<sheetData><row/><row><c/></row>{bare}</sheetData>"), header_row=3)
    assert (named.reading.header.value, named.texts()) == (3, [("3", "4"), ("5", "6")])
    small = read(with_cells(f'<sheetData><row r="2"><c r="b2">{ONE}</row></sheetData>'), header_row=0)
    assert small.texts() == [("1",)]


def test_formulas_however_they_are_written(read: Reader) -> None:
    prefixed = (
        '<x:row r="1"><x:c r="A1"><x:f>1+1</x:f></x:c><x:c r="B1"><x:f t="shared" si="0"/><x:v>2</x:v></x:c></x:row>'
    )
    found = read(with_cells(f"<x:sheetData>{prefixed}</x:sheetData>"), header_row=0)
    assert {note.code: note.count for note in found.reading.notes}["formulas_without_value"] == 1
    assert found.texts() == [("2",)]


def test_a_million_empty_cells_without_a_place_are_too_many(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(with_cells(f"<sheetData><row>{'<c/>' * 1_000}</row></sheetData>"))
    with pytest.raises(TableTooLarge):
        read_table(tmp_path / "source", tmp_path, limits=Limits(cells=999))


def test_parts_that_are_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = changed(rows((1,)), "xl/styles.xml", lambda xml: xml + b" " * 700_000)
    (tmp_path / "source").write_bytes(changed(content, "xl/theme/theme1.xml", lambda xml: xml + b" " * 700_000))
    assert read_table(tmp_path / "source", tmp_path, limits=Limits(sheet_bytes=1 << 20)).rows == 1
    monkeypatch.setattr(spreadsheets, "_opened", pytest.fail)  # calamine unpacks some parts when it opens the file
    for limits in (Limits(sheet_bytes=1 << 20, unpacked_bytes=1 << 20), Limits(sheet_bytes=1 << 19)):
        with pytest.raises(TableTooLarge):
            read_table(tmp_path / "source", tmp_path, limits=limits)


def test_many_empty_sheets_are_not_gone_through_for_ever(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(book: openpyxl.Workbook) -> None:
        for number in range(6):
            book.create_sheet(f"S{number}")
        book["S5"]["A1"] = 7

    looks: list[bool] = []
    look = workbook.look_inside
    monkeypatch.setattr(
        workbook, "look_inside", lambda *args, whole=True: (looks.append(whole), look(*args, whole=whole))[1]
    )
    assert read(xlsx(fill)).reading.rows == 1
    assert looks == [True, *[False] * 6]
    monkeypatch.setattr(spreadsheets, "_MOST_SHEETS", 5)
    with pytest.raises(EmptyTable, match="first 5 sheets"):
        read(xlsx(fill))
    assert read(xlsx(fill), sheet="S5").reading.rows == 1


FORMULA = 'table:formula="of:=1>0" '
REPEATED = 'table:number-columns-repeated="900000000"'


@pytest.mark.parametrize(
    "row",
    [
        f"<table:table-row>{cell('x', REPEATED)}</table:table-row>",
        f'<table:table-row table:number-rows-repeated="900000000">{cell("x")}</table:table-row>',
        f'<table:table-row table:number-rows-repeated="900000000"><table:table-cell/></table:table-row>'
        f"<table:table-row>{cell('x')}</table:table-row>",
        f"<table:table-row>{cell('x', REPEATED.replace(chr(34), chr(39)))}</table:table-row>",
        f"<table:table-row>{cell('x', FORMULA + REPEATED)}</table:table-row>",
        f"<table:table-row>{cell('x', REPEATED.replace('900000000', '0000000000900000000'))}</table:table-row>",
    ],
)
def test_ods_that_repeats_without_end(read: Reader, row: str) -> None:
    with pytest.raises(TableTooLarge):
        read(ods(f'<table:table table:name="T">{row}</table:table>'))
