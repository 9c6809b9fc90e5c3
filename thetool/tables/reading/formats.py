"""Which format a file is in, by its first bytes, and where these do not tell by its name."""

from __future__ import annotations

import json
import re
from pathlib import Path

from thetool.tables.reading.containers import ZIP, check, opened, unpacking
from thetool.tables.reading.encodings import BEGINNING, beginning
from thetool.tables.reading.problems import TAKEN, EmptyTable, NotATable, UnsupportedTable
from thetool.tables.reading.report import Choice, Format

_OTHERS = {
    b"\xd0\xcf\x11\xe0": "an old Excel file (.xls), or a workbook that is locked with a password",
    b"%PDF": "a PDF",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"SQLite format 3\0": "an SQLite database",
    b"7z\xbc\xaf": "packed with 7-Zip",
    b"Rar!": "packed with RAR",
    b"\x28\xb5\x2f\xfd": "packed with Zstandard",
    b"BZh": "packed with bzip2",
    b"\xfd7zXZ": "packed with xz",
    b"ARROW1": "an Arrow or Feather file",
    b"ORC": "an ORC file",
    b"Obj\x01": "an Avro file",
    b"\x89HDF": "an HDF5 file",
    b"\x7fELF": "a program",
    b"MZ": "a program",
    b"{\\rtf": "an RTF document",
}
_BINARY = ("MZ", "ORC", "BZh")  # may begin a text too
_PAGE = re.compile(
    r"\s*+(?:(?><!--.*?-->)\s*+)*+(<!doctype html|<html|<head|<body|<\?xml[^>]*>\s*<(!doctype )?html)", re.I | re.S
)  # atomic: a comment ends at its first end, else each further one would double the time
# trading programs write the names of columns so too, but close none: <DATE> <OPEN>
_ELEMENTS = re.compile(r"\s*<[a-z][\w:.-]*( [^>]*)?>\s*<", re.I)
_LONGEST_RECORD = 4 << 20  # that is looked at, to tell lines of JSON from a document
_MOST_BLANKS = 1 << 20
_ASKED = "It was asked for."


def find_format(path: Path, filename: str | None, asked: Format | None) -> Choice:
    """The format of a file that is not packed.

    Raises:
        EmptyTable: there is not one byte in it but blanks.
        NotATable: it is a web page or another text that is none.
        UnsupportedTable: it is in a format that is not read here.
    """
    if asked is not None:
        return Choice(value=asked, reason=_ASKED, asked=True)
    at = 0
    with path.open("rb") as file:
        start = file.read(BEGINNING)
        if not start.strip():
            blank = file.read(_MOST_BLANKS)
            start = blank.lstrip()[:BEGINNING]
            at = BEGINNING + len(blank) - len(blank.lstrip())
    if not start:
        raise EmptyTable("The file is empty, or begins with a megabyte of blanks. Send one with a row at least.")
    if start.startswith(b"PAR1"):
        return Choice(value=Format.PARQUET, reason="The file begins as Parquet does.")
    if start.startswith(ZIP):
        return _workbook(path)
    _refuse_others(start)
    if start.lstrip()[:1] == b"{":
        with path.open("rb") as file:
            file.seek(at)
            start = file.readline(_LONGEST_RECORD) + file.read(BEGINNING)
    return _of_text(beginning(start), filename)


def _workbook(path: Path) -> Choice:
    with opened(path) as archive:
        names = set(archive.namelist())
        kind = b""
        if "mimetype" in names and (member := archive.getinfo("mimetype")).file_size < 200:
            check(member, 200)
            with unpacking("The workbook"):
                kind = archive.read(member)
    if "xl/workbook.xml" in names:
        return Choice(value=Format.XLSX, reason="It is a zip file with the parts of an Excel workbook.")
    if "content.xml" not in names:
        raise UnsupportedTable("It is a binary Excel workbook (.xlsb). Save it as .xlsx.")
    if kind and b"spreadsheet" not in kind:
        raise UnsupportedTable("It is an OpenDocument file, but no spreadsheet. Save the table in it as ODS or CSV.")
    return Choice(value=Format.ODS, reason="It is a zip file with the parts of an OpenDocument spreadsheet.")


def _refuse_others(start: bytes) -> None:
    for magic, name in _OTHERS.items():
        if start.startswith(magic) and (magic.decode("latin-1") not in _BINARY or b"\0" in start[:512]):
            raise UnsupportedTable(f"It is {name}. What is read: {TAKEN}.")


def _of_text(text: str, filename: str | None) -> Choice:
    if _PAGE.match(text):
        raise NotATable(_page_told(text))
    if re.match(r"\s*<\?xml", text, re.I) or (_ELEMENTS.match(text) and re.search(r"</|/>", text)):
        raise NotATable("It is XML. Save the table in it as CSV, JSON or XLSX.")
    bare = text.lstrip()
    named = (filename or "").lower()
    if bare.startswith("{"):
        return _of_objects(bare, named)
    if bare.startswith("[") and (
        re.match(r"\[\s*([\[{\"\]]|-?\d+\s*[,\]]|true|false|null)", bare) or named.endswith(".json")
    ):
        if named.endswith((".jsonl", ".ndjson")) or re.match(r"\[[^\n]*\]\s*\n\s*\[", bare):
            return Choice(value=Format.JSONL, reason="Each line is a JSON list.")
        return Choice(value=Format.JSON, reason="It begins as a JSON list does.")
    return Choice(value=Format.CSV, reason="It is text with a row on each line.")


def _of_objects(bare: str, named: str) -> Choice:
    first, _, rest = bare.partition("\n")
    try:
        whole = isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        whole = False
    if whole and (rest.strip() or named.endswith((".jsonl", ".ndjson"))):
        return Choice(value=Format.JSONL, reason="The first line is a JSON object, and others follow.")
    return Choice(value=Format.JSON, reason="It begins as a JSON object does.")


def _page_told(text: str) -> str:
    title = re.search(r"<title[^>]*>([^<]{1,200})", text, re.I)
    named = f' called "{" ".join(title[1].split())}"' if title and title[1].strip() else ""
    return f"It is a web page{named}, not a table: often the page that asks one to sign in. Download the file again."
