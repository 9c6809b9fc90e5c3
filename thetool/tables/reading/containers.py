"""Files that come packed: gzip, and zip with one file. Sizes are checked as declared, and again while unpacking."""

from __future__ import annotations

import gzip
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from thetool.tables.reading.limits import Limits
from thetool.tables.reading.problems import AmbiguousArchive, DamagedTable, TableTooLarge, UnsupportedTable
from thetool.tables.reading.report import Choice

CHUNK = 1 << 20
UNPACKED = "unpacked.tmp"
GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_LOCKED = 0x1
_SPREADSHEETS = ("xl/workbook.xml", "xl/workbook.bin", "content.xml")


def unpacked(
    source: Path, folder: Path, filename: str | None, limits: Limits, tell: Callable[[float], None]
) -> tuple[Path, str | None, Choice | None]:
    """The file inside, unpacked into the folder, its name, and what was done; the file itself when it is not packed.

    Raises:
        AmbiguousArchive: a zip file without a file, or with several.
        DamagedTable: it cannot be unpacked, or is locked.
        TableTooLarge: unpacked it is larger than allowed.
    """
    with source.open("rb") as file:
        start = file.read(4)
    if start.startswith(GZIP):
        target = folder / UNPACKED
        _gunzip(source, target, limits, tell)
        name = (filename or "").removesuffix(".gz") or None
        return _not_packed_again(target), name, Choice(value="gzip", reason="The file begins as gzip does.")
    if start == _EMPTY_ZIP or (start == ZIP and not is_spreadsheet(source)):
        target = folder / UNPACKED
        name = _unzip(source, target, limits, tell)
        return _not_packed_again(target), name, Choice(value=name, reason="It is the only file in the zip file.")
    return source, filename, None


def is_spreadsheet(source: Path) -> bool:
    """Whether a zip file is a workbook."""
    with opened(source) as archive:
        names = set(archive.namelist())
    return any(name in names for name in _SPREADSHEETS)


def opened(source: Path) -> zipfile.ZipFile:
    """The zip file, opened. Raises DamagedTable."""
    try:
        return zipfile.ZipFile(source)
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise DamagedTable(f"The zip file cannot be opened ({error}). Was it sent to its end?") from error


def _not_packed_again(path: Path) -> Path:
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(GZIP) or (start == ZIP and not is_spreadsheet(path)):
        raise UnsupportedTable("It is packed twice. Unpack it once, and send that.")
    return path


def _gunzip(source: Path, target: Path, limits: Limits, tell: Callable[[float], None]) -> None:
    size = max(1, source.stat().st_size)
    with source.open("rb") as raw, gzip.open(raw) as inside, unpacking("The gzip file"):
        _copy(inside, target, limits, lambda: tell(min(1.0, raw.tell() / size)))


def _unzip(source: Path, target: Path, limits: Limits, tell: Callable[[float], None]) -> str:
    with opened(source) as archive:
        files = [one for one in archive.infolist() if not one.is_dir() and not _is_by_the_way(one.filename)]
        if any(one.filename == "[Content_Types].xml" for one in files):
            raise UnsupportedTable("It is an Office document, but no workbook. Save the table in it as XLSX or CSV.")
        if len(files) != 1:
            names = ", ".join(repr(one.filename[:100]) for one in files[:10])
            told = f"It holds {len(files)} files: {names}." if files else "It holds no file."
            raise AmbiguousArchive(f"{told} Send one table at a time.")
        member = files[0]
        check(member, limits.unpacked_bytes)
        with unpacking(f"{member.filename[:100]!r}"), archive.open(member) as inside:
            _copy(inside, target, limits, lambda: tell(min(1.0, inside.tell() / max(1, member.file_size))))
        return member.filename.rsplit("/", 1)[-1][:200]


@contextmanager
def unpacking(what: str) -> Iterator[None]:
    """Raise DamagedTable in place of what the unpackers of the standard library raise over a damaged file."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the disk, not of the file: gzip's and bzip2's have no number
        raise DamagedTable(f"{what} cannot be unpacked to its end ({error}).") from error


def _is_by_the_way(name: str) -> bool:
    """What operating systems put beside the files."""
    return name.startswith("__MACOSX/") or name.rsplit("/", 1)[-1].startswith(".")


def check(member: zipfile.ZipInfo, most: int) -> None:
    """Refuse a member by what the archive says of it."""
    if member.flag_bits & _LOCKED:
        raise DamagedTable("The file is locked with a password. Save it without one.")
    if member.file_size > most:
        raise TableTooLarge(too_large(most))


def _copy(inside: IO[bytes] | gzip.GzipFile, target: Path, limits: Limits, tell: Callable[[], None]) -> None:
    done = 0
    with target.open("wb") as out:
        while chunk := inside.read(CHUNK):
            done += len(chunk)
            if done > limits.unpacked_bytes:
                raise TableTooLarge(too_large(limits.unpacked_bytes))
            out.write(chunk)
            tell()


def too_large(most: int) -> str:
    """That what is packed has more than so many bytes."""
    return f"Unpacked it has more than {most / (1 << 30):.3g} GiB, the most that a packed file may have."
