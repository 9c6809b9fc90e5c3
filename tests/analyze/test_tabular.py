"""What is a table and what stays a text, an image or nothing: by type, by name, by content."""

from __future__ import annotations

import gzip
import io
import struct
import tracemalloc
import zipfile

import pytest

from thetool.analyze.kinds import SNIFFED_BYTES, kind_of
from thetool.analyze.packed import inside_zip
from thetool.web.problems import UnsupportedMediaType

CSV = b"name,age,city\nAnn,31,Bonn\nBob,42,Berlin\nCid,53,Ulm\n"
PARQUET = b"PAR1\x15\x04\x15\x10\x15\x14"


def zipped(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return packed.getvalue()


SPREADSHEET = b"application/vnd.oasis.opendocument.spreadsheet"
XLSX = zipped(("[Content_Types].xml", b"<Override ContentType='x.spreadsheetml.sheet.main+xml'/>"), ("a.xml", b""))
XLSX_OTHER_ORDER = zipped(("docProps/app.xml", b"<a/>"), ("xl/workbook.xml", b"<a/>"))
DOCX = zipped(("[Content_Types].xml", b"<Override ContentType='x.wordprocessingml.document'/>"), ("word/a.xml", b""))
ODS = zipped(("mimetype", SPREADSHEET), ("META-INF/manifest.xml", b""), ("content.xml", b""), method=zipfile.ZIP_STORED)
ODT = zipped(("mimetype", b"application/vnd.oasis.opendocument.text"), method=zipfile.ZIP_STORED)

BY_CONTENT = {
    "commas": CSV,
    "semicolons, decimal commas": b"Datum;Betrag;Text\n1.2.2026;3,50;Milch\n2.2.2026;4,20;Brot, frisch\n",
    "tabs": b"a\tb\n1\t2\n3\t4\n",
    "bars": b"id|name\n1|Ann\n2|Bob\n",
    "quoted commas and line ends": b'id,text\n1,"a, b\nand c"\n2,"d"\n3,e\n',
    "Windows line ends": CSV.replace(b"\n", b"\r\n"),
    "old Mac line ends": CSV.replace(b"\n", b"\r"),
    "a mark": b"\xef\xbb\xbf" + CSV,
    "UTF-16": CSV.decode().encode("utf-16"),
    "UTF-16 without a mark": CSV.decode().encode("utf-16-le"),
    "Latin-1": "name;stadt\nJörg;Köln\nUwe;Münster\n".encode("latin-1"),
    "two columns of names and numbers": b"city,people\nBonn,336000\nUlm,129000\n",
    "prices by the minute": b"time,open,close\n" + b"".join(b"2026-01-02 10:%02d:00,1.5,1.6\n" % n for n in range(9)),
    "blanks after commas": b"name, age, city\n" + b"Ann, 31, Bonn\n" * 8,
    "one line too many": CSV * 3 + b"a footer without commas\n" + CSV * 3,
    "records": b'[{"a": 1}, {"a": 2}]',
    "records, laid out": b'\n[\n  {\n    "a": 1\n  }\n]',
    "JSON lines": b'{"a": 1}\n{"a": 2}\n',
    "JSON lines with blank ones": b'{"a": 1}\n\n{"a": {"b": [1]}}\n\n',
    "cut off in the middle of a line": CSV * (SNIFFED_BYTES // len(CSV) + 1),
    "Parquet": PARQUET,
    "Excel": XLSX,
    "Excel by another writer": XLSX_OTHER_ORDER,
    "OpenDocument": ODS,
    "gzip": gzip.compress(CSV),
    "a ZIP of one": zipped(("a.csv", CSV)),
    "a ZIP of one from a Mac": zipped(("__MACOSX/._a.csv", b"\0\5"), ("a.csv", CSV)),
    "a ZIP of Parquet": zipped(("a.parquet", PARQUET)),
    "a gzip of Excel": gzip.compress(XLSX),
}
TEXTS = {
    "prose": b"I came, I saw,\nyou came, you saw,\nthey came, they saw.\n",
    "prose with a comma in each line": b"Dear Ann, thank you.\nYes, it came.\nWell, see you.\nBest, Bob\n",
    "verses": b"So long lives this, and this\nAnd so, my love,\nGood night, good\n",
    "a letter": "Liebe Anna,\nwie geht es Dir, und was macht Bob?\nViele Grüße, Cid\n".encode(),
    "names": b"Doe, John\nRoe, Jane\nPoe, Edgar\n",
    "names without a blank": b"Doe,John\nRoe,Jane\nPoe,Edgar\n",
    "thousands": b"1,234\n2,345\n3,456\n",
    "a log": b"2026-01-02 10:00:00,123 INFO started\n" * 9,
    "another log": b"".join(b"10:00:%02d WARN shop, orders, %d\n" % (n, n) for n in range(9)),
    "Python": b"def add(a, b):\n    return a, b\n\nx = add(1, 2)\nprint(x, 3)\n",
    "C": b"int a, b;\na = 1;\nb = 2;\nreturn a;\n",
    "JavaScript": b"const a = [1, 2];\nconst b = [3, 4];\nexport { a, b };\n",
    "style sheet": b"a { color: red;\nmargin: 0;\npadding: 1px;\n}\n",
    "SQL": b"insert into t values (1, 2);\ninsert into t values (3, 4);\ninsert into t values (5, 6);\n",
    "Makefile": b"all:\n\tcc a.c\n\tcc b.c\n\tcc c.c\n",
    "Markdown table": b"| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n",
    "Markdown": b"# A title\n\n- one, two\n- three, four\n- five, six\n",
    "subtitles": b"1\n00:00:01,000 --> 00:00:02,000\nHello, you\n\n2\n00:00:03,000 --> 00:00:04,000\nYes\n",
    "HTML": b"<!doctype html>\n<p>a, b</p>\n<p>c, d</p>\n<p>e, f</p>\n",
    "a JSON object": b'{"a": 1, "b": [1, 2]}',
    "a JSON array of numbers": b"[1, 2, 3]",
    "one JSON line": b'{"a": 1}\n',
    "two lines": b"a,b\n1,2\n",
    "one line": b"a,b,c",
    "YAML": b"a: 1\nb: 2\nc: 3\n",
    "settings": b"a=1\nb=2,3\nc=4\n",
    "chat": b"Ann: hi, Bob\nBob: hi, Ann\nAnn: fine, you\n",
    "ragged": b"a,b,c\n1\n2,3\n4,5,6,7\n8,9\n",
    "nothing but delimiters": b";;;\n;;;\n;;;\n",
}


@pytest.mark.parametrize("content", BY_CONTENT.values(), ids=BY_CONTENT)
@pytest.mark.parametrize("declared", [None, "application/octet-stream"])
def test_tables_that_nothing_names(content: bytes, declared: str | None) -> None:
    assert kind_of(content, declared) == "table"


@pytest.mark.parametrize("content", TEXTS.values(), ids=TEXTS)
def test_texts_that_nothing_names(content: bytes) -> None:
    assert kind_of(content) == "text"


@pytest.mark.parametrize("name", ["a.csv", "A.CSV", "a.tsv", "a.tab", "a.psv", "a.jsonl", "a.ndjson"])
@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"no table at all", b"one\n"])
def test_a_name_may_say_that_it_is_one(name: str, content: bytes) -> None:
    assert kind_of(content, None, name) == kind_of(content, "application/octet-stream", name) == "table"


@pytest.mark.parametrize(
    "declared",
    ["text/csv", "TEXT/CSV", "text/tab-separated-values", "application/csv", "application/x-ndjson",
     "application/vnd.ms-excel"],
)  # fmt: skip
def test_a_type_may_say_that_it_is_one(declared: str) -> None:
    assert kind_of(b"a,b\n1,2\n", declared, "whatever.txt") == "table"


@pytest.mark.parametrize("declared", ["text/plain", "text/markdown", "text/html", "text/x-python", "TEXT/PLAIN"])
@pytest.mark.parametrize("name", [None, "a.csv"])
def test_a_type_may_say_that_it_is_none(declared: str, name: str | None) -> None:
    assert kind_of(CSV, declared, name) == "text"
    assert kind_of(b'[{"a": 1}]', declared, name) == "text"


@pytest.mark.parametrize("name", ["a.md", "a.log", "a.py", "a.html", "a.srt", "a.ini"])
def test_a_name_may_say_that_it_is_none(name: str) -> None:
    assert kind_of(CSV, None, name) == "text"


@pytest.mark.parametrize("name", ["a", "a.txt", "a.dat", "a.json", ".csv"])
def test_other_names_leave_it_to_the_content(name: str) -> None:
    assert kind_of(CSV, None, name) == "table"
    assert kind_of(b"some text", None, name) == "text"


@pytest.mark.parametrize("name", ["a.csv.gz", "a.gz", "a"])
def test_what_is_packed_is_judged_by_what_is_inside(name: str) -> None:
    assert kind_of(gzip.compress(CSV), "application/gzip", name) == "table"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (gzip.compress(b"some text, and more"), "a.txt.gz"),
        (gzip.compress(CSV), "a.log.gz"),
        (gzip.compress(gzip.compress(CSV)), "a.csv.gz.gz"),
        (b"\x1f\x8b\x08\0garbage", "a.csv.gz"),
        (zipped(("a.txt", b"some text")), "a.zip"),
        (zipped(("a.jpg", b"\xff\xd8\xff\xe0")), "a.zip"),
        (DOCX, "a.docx"),
        (ODT, "a.odt"),
        (zipped(("META-INF/MANIFEST.MF", b"a"), ("a.csv", CSV)), "a.jar"),
        (b"PK\x05\x06" + bytes(18), "empty.zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(64), "a.xls"),
    ],
    ids=[
        "a text", "a log", "packed twice", "garbage", "a ZIP of a text", "a ZIP of a photo", "Word", "Writer",
        "Java", "an empty ZIP", "old Excel",
    ],
)  # fmt: skip
def test_what_is_packed_and_no_table_is_refused(content: bytes, name: str) -> None:
    with pytest.raises(UnsupportedMediaType, match="or a table"):
        kind_of(content, None, name)


@pytest.mark.parametrize("content", [PARQUET + bytes(8), XLSX, gzip.compress(CSV)], ids=["Parquet", "Excel", "gzip"])
@pytest.mark.parametrize("declared", ["text/plain", "image/png", "application/pdf", "video/mp4"])
def test_a_binary_table_declared_as_something_else_is_refused(content: bytes, declared: str) -> None:
    with pytest.raises(UnsupportedMediaType, match=f"though it was sent as {declared}"):
        kind_of(content, declared)


def test_a_bomb_is_unpacked_no_further_than_it_is_looked_at() -> None:
    assert kind_of(gzip.compress(CSV * 400_000)) == "table"
    assert kind_of(zipped(("a.csv", CSV * 400_000))) == "table"


def test_the_rest_of_a_large_file_changes_nothing() -> None:
    long = CSV * 5_000
    assert (
        kind_of(long) == kind_of(long[: SNIFFED_BYTES + 1]) == kind_of(long + b"prose, at the end. " * 9_999) == "table"
    )


@pytest.mark.parametrize(
    "line",
    [
        b" " * 60_000 + b"x",
        b"|" + b"-- " + b" " * 60_000 + b"x",
        b"1," + b" " * 60_000 + b"x",
        b"1, 2," + b"-" * 60_000,
    ],
    ids=["blanks", "a rule that is none", "a cell of blanks", "hyphens"],
)
def test_a_hostile_line_is_judged_at_once(line: bytes) -> None:
    """Each took from seconds to hours, in which nobody else was answered."""
    assert kind_of(b"a,b\n" + line + b"\nc\n", "application/octet-stream") == "text"


def test_a_zip_of_headers_that_all_hold_what_follows() -> None:
    header = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 8, 0, 0, 0, 0, 0, 0, 0, 0)
    tracemalloc.start()
    inside_zip((header * 3_000)[:SNIFFED_BYTES])
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 10 << 20
