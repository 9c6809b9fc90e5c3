"""Odd and hostile tables through the real route: read rightly or refused clearly, with the reason; nothing is left."""

from __future__ import annotations

import gzip
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import psutil
import pytest

from tests.analyze.house import House, refused
from thetool.jobs import scratch

HOUSE = {"MAX_TABLE_BYTES": 20_000_000, "CACHE_ENABLED": False}
PEOPLE = "name;stadt\nJörg Müller;Köln\nJürgen Groß;Düsseldorf\nUwe Weiß;Münster\n"


@pytest.fixture(autouse=True)
def _nothing_is_left(house: House) -> Iterator[None]:
    """No content in storage, no job at work, no file in the folder of the process that did it."""
    yield
    assert house.rows("select count(*) from blobs") == [(0,)]
    assert house.rows("select count(*) from jobs where status in ('queued', 'running')") == [(0,)]
    folders = Path(tempfile.gettempdir()).glob(f"{scratch.PREFIX}{os.getpid()}-*")
    assert [list(folder.iterdir()) for folder in folders if folder.exists()] in ([], [[]])
    assert sum("thetool.jobs.child" in one.cmdline() for one in psutil.Process().children()) <= 1


def send(house: House, content: bytes | str, name: str = "odd.csv", **options: str) -> Any:
    data = content.encode() if isinstance(content, str) else content
    return house.analyze(data={"file": (io.BytesIO(data), name), "tasks": "profile", **options})


def read(house: House, content: bytes | str, name: str = "odd.csv", **options: str) -> dict[str, Any]:
    answer = send(house, content, name, **options)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    result: dict[str, Any] = answer.json["result"]
    assert result["profile"]["rows"] == result["reading"]["rows"]
    return result


def codes(result: dict[str, Any]) -> set[str]:
    return {note["code"] for note in result["reading"]["notes"]}


def names(result: dict[str, Any]) -> list[str]:
    return [column["name"] for column in result["reading"]["columns"]]


def workbook(*rows: tuple[Any, ...], merged: str | None = None) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    if merged:
        book.active.merge_cells(merged)
    book.save(out)
    return out.getvalue()


def zipped(*files: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings(house: House, encoding: str) -> None:
    result = read(house, PEOPLE.encode(encoding))
    assert result["preview"]["rows"] == [line.split(";") for line in PEOPLE.splitlines()[1:]]
    assert result["reading"]["encoding"]["reason"]


def test_central_europe(house: House) -> None:
    text = "imię;miasto\n" + "Łukasz Żółć;Łódź\nŚwiętosława Gżegżółka;Częstochowa\n" * 4
    result = read(house, text.encode("cp1250"), encoding="cp1250")
    assert (names(result)[0], result["preview"]["rows"][0][1]) == ("imię", "Łódź")
    problem = refused(send(house, text.encode("cp1250"), encoding="utf-8"), 422, "unreadable_encoding")
    assert "utf-8" in problem["detail"].lower()


def test_mixed_encodings_are_told(house: House) -> None:
    lines = [f"Jörg;{number}".encode("latin-1" if number % 10 == 0 else "utf-8") for number in range(50)]
    result = read(house, b"name;n\n" + b"\n".join(lines))
    assert "mixed_encodings" in codes(result)
    assert {row[0] for row in result["preview"]["rows"]} == {"Jörg"}


def test_characters_that_are_none_are_told(house: House) -> None:
    result = read(house, b"a,b\n1,x\0y\n2,z\n3,w\n")
    assert "nul_characters" in codes(result)


def test_ragged_rows_are_told(house: House) -> None:
    result = read(house, "a,b,c\n1,2,3\n4,5\n6,7,8,9\n10,11,12\n")
    assert {"short_rows", "long_rows"} <= codes(result)
    assert result["reading"]["rows"] == 4


def test_line_ends_and_delimiters_within_quotes(house: House) -> None:
    result = read(house, 'id,text\n1,"a,\nb"\n2,"says ""no"""\n')
    assert result["preview"]["rows"] == [["1", "a,\nb"], ["2", 'says "no"']]


@pytest.mark.parametrize("content", ["a,b,c\n", "a,b,c"])
def test_only_a_header(house: House, content: str) -> None:
    result = read(house, content)
    assert (result["reading"]["rows"], names(result)) == (0, ["a", "b", "c"])
    assert "no_rows" in codes(result)


def test_nothing(house: House) -> None:
    refused(send(house, ""), 422, "empty_input")
    for content in (" \n\n \n", "\ufeff\n"):
        refused(send(house, content), 422, "empty_table")


def test_preamble_and_footer(house: House) -> None:
    table = "\n".join(f"{number},{number * 2},x" for number in range(9))
    result = read(house, f"Report\nmade today\n\nid,amount,what\n{table}\n\nTotal: 72\n")
    assert (result["reading"]["rows"], result["reading"]["header"]["value"]) == (9, 4)
    assert result["reading"]["preamble"]["text"][:2] == ["Report", "made today"]
    assert result["reading"]["footer"]["text"][-1] == "Total: 72"


def test_two_tables(house: House) -> None:
    first = "id,name,born\n" + "".join(f"{n},Ann,2001\n" for n in range(40))
    second = "city,people\n" + "".join(f"Ulm,{n}\n" for n in range(9))
    result = read(house, f"{first}\n\n{second}")
    [other] = result["reading"]["other_tables"]
    assert "other_tables" in codes(result)
    again = read(house, f"{first}\n\n{second}", header_row=str(other["first_line"]), last_row=str(other["last_line"]))
    assert names(result) == ["id", "name", "born"]
    assert names(again) == other["names"] == ["city", "people"]


def test_names_that_are_missing_or_repeated(house: House) -> None:
    result = read(house, "id,,name,name\n1,2,a,b\n3,4,c,d\n")
    assert len(set(names(result))) == 4
    assert all(names(result))
    assert {"unnamed_columns", "renamed_columns"} <= codes(result)


def test_a_bad_value_far_down_is_counted_and_kept(house: House) -> None:
    rows = 900_000
    numbers = ["7"] * rows
    numbers[-2] = "x"
    result = read(house, "n\n" + "\n".join(numbers))
    [column] = result["reading"]["columns"]
    assert (result["reading"]["rows"], column["type"], column["untyped"]) == (rows, "integer", 1)
    assert column["untyped_examples"] == [{"row": rows - 1, "text": "x"}]


def test_hostile_values_are_text(house: House) -> None:
    hostile = ["=1+1", "<script>alert(1)</script>", "\u202egnp", "'; drop table jobs; --", "{{7*7}}", "%s%n"]
    result = read(house, "v,n\n" + "".join(f'"{value}",1\n' for value in hostile))
    assert [row[0] for row in result["preview"]["rows"]] == hostile


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"<!doctype html><html><body><table><tr><td>1,2</td></tr></table></body></html>", "page.csv"),
        (b"\x7fELF but it is called so\n", "program.csv"),
        (b"%PDF-1.4 but it is called so\n", "paper.csv"),
    ],
)
def test_what_only_its_name_makes_a_table(house: House, content: bytes, name: str) -> None:
    answer = send(house, content, name)
    assert answer.status_code in (415, 422)
    refused(answer, answer.status_code, {415: "unsupported_media_type", 422: "not_a_table"}[answer.status_code])


def test_a_bomb(house: House) -> None:
    bomb = b"a,b\n" + b"1,2\n" * 10_000_000
    for content, name in ((gzip.compress(bomb), "bomb.csv.gz"), (zipped(("bomb.csv", bomb)), "bomb.zip")):
        assert len(content) < 1_000_000
        problem = refused(send(house, content, name), 422, "table_too_large")
        assert "Unpacked it has more than" in problem["detail"]


def test_what_is_packed_twice(house: House) -> None:
    bomb = gzip.compress(b"a,b\n" + b"1,2\n" * 10_000_000)
    inner = zipped(("bomb.csv", b"a,b\n" + b"1,2\n" * 10_000_000))
    for content, name in (
        (gzip.compress(bomb), "bomb.csv.gz"),
        (zipped(("inner.zip", inner)), "bomb.zip"),
        (zipped(("bomb.csv.gz", bomb)), "bomb.zip"),
    ):
        answer = send(house, content, name)
        refused(answer, answer.status_code, "unsupported_media_type")
        assert answer.status_code == 415


def test_ten_thousand_columns(house: House) -> None:
    wide = ",".join(f"c{number}" for number in range(10_000)) + "\n" + ",".join(map(str, range(10_000))) + "\n"
    answer = send(house, wide, "wide.csv")
    assert answer.status_code == 200
    result = answer.json["result"]
    assert (result["reading"]["rows"], result["profile"]["columns"]) == (1, 10_000)
    assert len(result["reading"]["columns"]) == 10_000 or answer.json["notes"]  # what is left out is said


def test_keys_that_come_twice_are_told(house: House) -> None:
    result = read(house, '[{"a": 1, "a": 2}, {"a": 3}]', "a.json")
    assert "repeated_json_keys" in codes(result)
    assert result["preview"]["rows"] == [["2"], ["3"]]


def test_dates_that_no_calendar_has(house: House) -> None:
    out = io.BytesIO()
    pl.DataFrame({"day": pl.Series([19_000, 2**31 - 1], dtype=pl.Int32).cast(pl.Date)}).write_parquet(out)
    result = read(house, out.getvalue(), "dates.parquet")
    [column] = result["reading"]["columns"]
    assert (column["type"], column["untyped"], "dates_out_of_range" in codes(result)) == ("date", 1, True)


def test_two_tables_of_the_same_width(house: House) -> None:
    first, second = "id,name,born\n1,Ann,2001\n2,Bo,2002\n", "city,mayor,people\nUlm,Cy,9\nBonn,Di,8\n"
    result = read(house, f"{first}\n{second}")
    [other] = result["reading"]["other_tables"]
    told = next(note["message"] for note in result["reading"]["notes"] if note["code"] == "other_tables")
    assert ("lines 5 to 7" in told, "header_row" in told) == (True, True)
    again = read(house, f"{first}\n{second}", header_row=str(other["first_line"]))
    assert names(again) == other["names"] == ["city", "mayor", "people"]


def test_a_workbook_that_is_a_bomb(house: House) -> None:
    sheet = b"<worksheet><sheetData>" + b"<row><c><v>1</v></c></row>" * 1_000_000 + b"</sheetData></worksheet>"
    with zipfile.ZipFile(io.BytesIO(workbook(("a", "b"), (1, 2)))) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    content = zipped(*{**parts, "xl/worksheets/sheet1.xml": sheet}.items())
    assert len(content) < 500_000
    refused(send(house, content, "bomb.xlsx"), 422, "table_too_large")


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ((("a.csv", b"a,b\n1,2\n"), ("b.csv", b"a,b\n1,2\n")), "ambiguous_archive"),
        ((("../../etc/a.csv", b"a,b\n1,2\n"),), None),
    ],
)
def test_archives(house: House, files: tuple[tuple[str, bytes], ...], code: str | None) -> None:
    answer = send(house, zipped(*files), "files.zip")
    if code is not None:
        refused(answer, 422, code)
    else:
        assert answer.json["result"]["reading"]["rows"] == 1


def test_workbooks(house: House) -> None:
    content = workbook(
        ("what", "when", "sum"),
        ("old", "1899-12-30", "=1+1"),
        ("new", date(2026, 1, 2), 5),
        ("merged", None, 7),
        merged="A4:B4",
    )
    result = read(house, content, "book.xlsx")
    assert (result["reading"]["format"]["value"], result["reading"]["rows"]) == ("xlsx", 3)
    assert {"formulas_without_value", "merged_cells"} <= codes(result)
    assert result["preview"]["rows"][0][:2] == ["old", "1899-12-30"]
    assert [column["type"] for column in result["reading"]["columns"]][:2] == ["text", "datetime"]
    refused(send(house, content, "book.xlsx", sheet="none"), 422, "unfit_read_options")
    refused(send(house, content[:-200], "book.xlsx"), 422, "damaged_table")


def test_nested_parquet(house: House) -> None:
    out = io.BytesIO()
    pl.DataFrame({"id": [1, 2], "tags": [["a"], ["b", "c"]], "at": [{"x": 1}, {"x": 2}]}).write_parquet(out)
    result = read(house, out.getvalue(), "nested.parquet")
    assert "nested_values" in codes(result)
    assert json.loads(result["preview"]["rows"][1][1]) == ["b", "c"]
    refused(send(house, out.getvalue()[:-30], "nested.parquet"), 422, "damaged_table")


def test_json_that_is_broken_or_too_large(house: House) -> None:
    assert read(house, '[{"a": 1}, {"a": {"b": [1, 2]}}]', "a.json")["reading"]["rows"] == 2
    refused(send(house, '[{"a": 1}, {"a": ', "cut.json"), 422, "damaged_table")
    record = json.dumps({"a": "x" * 1_000}).encode()
    large = b"[" + b",".join([record] * 20_000) + b"]"
    assert refused(send(house, large, "large.json"), 413, "too_large")["limit"] == 20_000_000


def test_deep_json_is_refused_and_kills_nothing(house: House) -> None:
    deep = '[{"a": ' + "[" * 100_000 + "]" * 100_000 + "}]"
    answer = send(house, deep, "deep.json")
    assert answer.status_code in (200, 422), answer.get_data(as_text=True)[:300]


def test_options_that_do_not_fit(house: House) -> None:
    table = "a,b\n1,2\n"
    for options in ({"header_row": "99"}, {"columns": '{"c": {"type": "text"}}'}):
        problem = refused(send(house, table, **options), 422, "unfit_read_options")
        assert problem["job_id"]
    refused(send(house, table, encoding="no-such"), 422, "unreadable_encoding")
