"""What comes packed, and what is packed to do harm."""

from __future__ import annotations

import errno
import gzip
import io
import zipfile
from pathlib import Path

import pytest

from tests.tables.reading.conftest import Reader
from thetool.tables.reading.containers import unpacking
from thetool.tables.reading.limits import Limits
from thetool.tables.reading.problems import AmbiguousArchive, DamagedTable, TableTooLarge, UnsupportedTable
from thetool.tables.reading.table import read_table

CSV = b"a,b\n1,2\n"


def zipped(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def refused(path: Path, content: bytes, limits: Limits) -> str:
    (path / "source").write_bytes(content)
    with pytest.raises(TableTooLarge) as caught:
        read_table(path / "source", path, limits=limits)
    assert [file.name for file in path.iterdir()] == ["source"]
    return str(caught.value)


def test_gzip(read: Reader) -> None:
    found = read(gzip.compress(CSV), filename="x.csv.gz")
    assert found.texts() == [("1", "2")]
    assert found.reading.unpacked is not None
    assert found.reading.unpacked.value == "gzip"


def test_zip_with_one_file(read: Reader) -> None:
    found = read(zipped({"folder/x.tsv": b"a\tb\n1\t2\n", "__MACOSX/folder/._x.tsv": b"?", "folder/.DS_Store": b"?"}))
    assert found.texts() == [("1", "2")]
    assert found.reading.unpacked is not None
    assert found.reading.unpacked.value == "x.tsv"


@pytest.mark.parametrize("files", [{}, {"a.csv": CSV, "b.csv": CSV}])
def test_zip_with_none_or_several(read: Reader, files: dict[str, bytes]) -> None:
    with pytest.raises(AmbiguousArchive):
        read(zipped(files))


def test_packed_twice(read: Reader) -> None:
    with pytest.raises(UnsupportedTable, match="twice"):
        read(zipped({"x.csv.gz": gzip.compress(CSV)}))


@pytest.mark.parametrize("content", [gzip.compress(CSV * 9999)[:-30], zipped({"a.csv": CSV * 9999})[:-40]])
def test_cut_off(read: Reader, content: bytes) -> None:
    with pytest.raises(DamagedTable):
        read(content)


def test_bombs_by_what_they_say_and_by_what_they_are(tmp_path: Path) -> None:
    limits = Limits(unpacked_bytes=1 << 20)
    zeros = b"0" * (4 << 20)
    assert "GiB" in refused(tmp_path, gzip.compress(zeros), limits)
    bomb = zipped({"a.csv": zeros})
    assert "GiB" in refused(tmp_path, bomb, limits)


def test_a_zip_file_that_lies_about_its_size(read: Reader) -> None:
    content = bytearray(zipped({"a.csv": b"1,2\n" * 300_000}))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = content.find(signature) + offset
        content[at : at + 4] = (1000).to_bytes(4, "little")
    with pytest.raises(DamagedTable, match="cannot be unpacked"):
        read(bytes(content))


def test_a_locked_zip_file(read: Reader) -> None:
    content = bytearray(zipped({"a.csv": CSV}))
    content[content.find(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(DamagedTable, match="password"):
        read(bytes(content))


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_member(read: Reader, method: int) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        archive.writestr("a.csv", "".join(f"{number},{number**2}\n" for number in range(1_000)))
    damaged = bytearray(packed.getvalue())
    for at in range(50, 80):
        damaged[at] ^= 0x55
    with pytest.raises(DamagedTable, match="cannot be unpacked"):
        read(bytes(damaged))


def test_a_damaged_type_of_a_workbook(read: Reader) -> None:
    packed = bytearray(zipped({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": b"<a/>"}))
    packed[45] ^= 0xFF
    with pytest.raises(DamagedTable):
        read(bytes(packed))


def test_a_text_that_is_asked_for_as_a_workbook(read: Reader) -> None:
    with pytest.raises(DamagedTable, match="cannot be opened"):
        read(CSV, format="ods")


def test_a_full_disk_is_no_damage() -> None:
    with pytest.raises(OSError, match="No space left"), unpacking("It"):
        raise OSError(errno.ENOSPC, "No space left on device")
