"""Which format a file is in, and what is none that is read."""

from __future__ import annotations

import io
import zipfile

import pytest

from tests.tables.reading.conftest import Reader
from thetool.tables.reading.problems import EmptyTable, NotATable, UnsupportedTable


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("<!DOCTYPE html>\n<html><head><title>Sign in</title></head>", '"Sign in"'),
        ("\ufeff\n<html lang=en><body>a,b</body></html>", "web page"),
        ('<?xml version="1.0"?>\n<rows><row a="1"/></rows>', "XML"),
    ],
)
def test_texts_that_are_no_tables(read: Reader, content: str, told: str) -> None:
    with pytest.raises(NotATable, match=told):
        read(content, filename="data.csv")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"%PDF-1.7\n", "PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "old Excel"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"SQLite format 3\0", "SQLite"),
        (b"\x28\xb5\x2f\xfd\0\0", "Zstandard"),
    ],
)
def test_other_formats(read: Reader, content: bytes, told: str) -> None:
    with pytest.raises(UnsupportedTable, match=told):
        read(content, filename="data.csv")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("a,b\n1,2\n", "csv"),
        ("a\tb\n1\t2\n", "tsv"),
        ('[{"a": 1}]', "json"),
        ('{"a": 1}\n{"a": 2}\n', "jsonl"),
        ('{"a": 1}', "json"),
        ("[x],y\n1,2\n", "csv"),
        ("{x},y\n1,2\n", "json"),
        ("MZ,b\n1,2\n", "csv"),
    ],
)
def test_texts(read: Reader, content: str, kind: str) -> None:
    if content.startswith("{x}"):
        assert read(content, format="csv").texts() == [("1", "2")]
        return
    assert read(content).reading.format.value == kind


def test_lines_of_json_may_be_long(read: Reader) -> None:
    long = "x" * 10_000
    found = read(f'{{"a": 1, "b": "{long}"}}\n{{"a": 2}}\n')
    assert found.texts() == [("1", long), ("2", None)]
    assert read(f'{{"a": "{long}"}}').reading.format.value == "json"


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"[Content_Types].xml": b"", "word/document.xml": b""}, "Office"),
        ({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<x/>"}, "OpenDocument"),
    ],
)
def test_documents(read: Reader, parts: dict[str, bytes], told: str) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with pytest.raises(UnsupportedTable, match=told):
        read(packed.getvalue())


def test_many_comments_are_gone_through_once(read: Reader) -> None:
    """Each doubled the time: forty took days."""
    assert read("<!---->" * 40 + "x,y\n1,2\n").texts() == [("1", "2")]


@pytest.mark.parametrize("content", ['{"a": 1, "b": 2}\n{"a": 3, "b": 4}\n', '[{"a": 1, "b": 2}]'])
def test_many_blanks_before_a_table(read: Reader, content: str) -> None:
    few = read(content)
    many = read("\n" * 9_000 + content)
    assert many.texts() == few.texts()
    assert many.reading.format == few.reading.format
    with pytest.raises(EmptyTable, match="blanks"):
        read("\n" * 1_200_000 + content)
    with pytest.raises(EmptyTable, match="first 1,000 lines are blank"):
        read("\n" * 9_000 + "a,b\n1,2\n")
