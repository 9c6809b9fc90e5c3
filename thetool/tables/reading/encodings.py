"""Which encoding a text file is in, and the same text as UTF-8.

In this order: what was asked for; a byte order mark; the NULs that every second byte of mostly Latin UTF-16 is; UTF-8
when the whole file is that, without one wrong byte; else a guess, which is said to be one. A file of which most lines
beyond ASCII are UTF-8 is read line by line, the other lines as Windows-1252, and counted.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import polars as pl

from thetool.tables.reading.problems import UnreadableEncoding
from thetool.tables.reading.report import Choice, ReadingNote
from thetool.text import older_encodings
from thetool.text.byte_order import mark_of, utf_16_of

CHUNK = 8 << 20
BEGINNING = 4_096
_SAMPLE_LINES = 2_000
_LONGEST_LINE = 16 << 20
_NO_CHARACTER_SETS = frozenset(("idna", "punycode", "raw_unicode_escape", "unicode_escape", "utf_7"))
MIXED = "utf-8 and windows-1252"


@dataclass(frozen=True)
class Encoding:
    """An encoding, as Python calls it, the length of the mark before the text, and why it is this one."""

    name: str
    reason: str
    mark: int = 0
    asked: bool = False
    guessed: bool = False

    @property
    def is_utf_8(self) -> bool:
        """Whether the bytes are UTF-8 as they are."""
        return self.name == "utf-8"

    def choice(self) -> Choice:
        """As the reading tells it."""
        return Choice(value=self.name, reason=self.reason, asked=self.asked)

    def notes(self) -> list[ReadingNote]:
        """That it is a guess, when it is one."""
        if not self.guessed:
            return []
        told = f"The encoding, {self.name}, is a guess; ask for another encoding when letters look wrong."
        return [ReadingNote(code="guessed_encoding", message=told)]


def find_encoding(path: Path, asked: str | None, tell: Callable[[float], None]) -> Encoding:
    """The encoding of a file.

    Raises:
        UnreadableEncoding: there is no encoding of the name that was asked for.
    """
    with path.open("rb") as file:
        head = file.read(BEGINNING)
    mark = mark_of(head)
    if asked:
        return _asked(path, head, asked)
    if mark and mark.encoding == "utf-8" and (wrong := first_byte_not_utf_8(path, tell)) is not None:
        told = f"The file begins with the byte order mark of UTF-8, but byte {wrong:,} is none: line by line."
        return Encoding(MIXED, told, len(mark.start))
    if mark:
        return Encoding(mark.encoding, "The file begins with its byte order mark.", len(mark.start))
    wide = utf_16_of(head)
    if wide:
        return Encoding(wide, "Every second byte of the beginning is NUL, as in Latin text in UTF-16.")
    wrong = first_byte_not_utf_8(path, tell)
    if wrong is None:
        return Encoding("utf-8", "The whole file is valid UTF-8.")
    return _guess(path, wrong)


def _asked(path: Path, head: bytes, asked: str) -> Encoding:
    name = _known(asked).removesuffix("-sig")
    mark = mark_of(head)
    if mark and mark.agrees_with(name):
        name = mark.encoding
    elif name == "utf-16":
        name = utf_16_of(head) or "utf-16-le"
    if name == "utf-8" and (wrong := first_byte_not_utf_8(path)) is not None:
        told = f"It is not utf-8: byte {wrong:,} is wrong."
        raise UnreadableEncoding(f"{told} Leave the encoding out to have it found.")
    return Encoding(name, "It was asked for.", len(mark.start) if mark and mark.encoding == name else 0, asked=True)


def beginning(content: bytes) -> str:
    """The text of a file's first bytes, for a first look; what cannot be decoded is replaced."""
    mark = mark_of(content)
    if mark:
        return content[len(mark.start) :].decode(mark.encoding, "replace")
    return content.decode(utf_16_of(content) or "utf-8", "replace")


def _known(asked: str) -> str:
    try:
        found = codecs.lookup(asked)
    except (LookupError, ValueError) as error:
        raise UnreadableEncoding(f"No encoding is called {asked!r}. Try utf-8, utf-16 or windows-1252.") from error
    if not found._is_text_encoding or found.name.replace("-", "_") in _NO_CHARACTER_SETS:
        raise UnreadableEncoding(f"{asked!r} is not an encoding of texts. Try utf-8, utf-16 or windows-1252.")
    return found.name


def first_byte_not_utf_8(path: Path, tell: Callable[[float], None] = lambda _: None) -> int | None:
    """Where the file stops being UTF-8; None when all of it is."""
    size, position = path.stat().st_size, 0
    with path.open("rb") as file:
        rest = b""
        while chunk := file.read(CHUNK):
            content = rest + chunk
            cut = len(content) - _cut_off(content)
            wrong = _first_wrong(content[:cut])
            if wrong is not None:
                return position + wrong
            rest = content[cut:]
            position += cut
            tell(position / size)
    return position if rest else None


def _cut_off(content: bytes) -> int:
    """How many bytes at the end begin a character that the content does not end."""
    for back in range(1, min(4, len(content)) + 1):
        octet = content[-back]
        if octet < 0x80:
            return 0
        if octet >= 0xC0:
            length = 2 if octet < 0xE0 else 3 if octet < 0xF0 else 4
            return back if length > back else 0
    return 0


def _first_wrong(content: bytes) -> int | None:
    """Polars checks ten times as fast as Python decodes, but does not say where."""
    if content.isascii():
        return None
    try:
        pl.Series([content], dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.ComputeError:
        pass
    else:
        return None
    try:
        content.decode()
    except UnicodeDecodeError as error:
        return error.start
    return None


def _guess(path: Path, wrong: int) -> Encoding:
    lines = _lines_beyond_ascii(path)
    as_utf_8 = sum(_is_utf_8(line) for line in lines)
    told = f"It is not UTF-8 (byte {wrong:,} is not)"
    if as_utf_8 * 2 >= len(lines) or (as_utf_8 and _multibyte(lines) * 2 >= as_utf_8):
        return Encoding(MIXED, f"{told}, but {as_utf_8 / len(lines):.0%} of the lines beyond ASCII are: line by line.")
    name, why = _older(b"\n".join(lines))
    return Encoding(name, f"{told}; a guess: {why}", guessed=True)


def _lines_beyond_ascii(path: Path) -> list[bytes]:
    """The first of them in the whole file."""
    found: list[bytes] = []
    with path.open("rb") as file:
        rest = b""
        while (chunk := file.read(CHUNK)) and len(found) < _SAMPLE_LINES:
            if chunk.isascii() and rest.isascii():
                rest = b""
                continue
            lines = (rest + chunk).replace(b"\r", b"\n").split(b"\n")
            rest = lines.pop() if len(lines[-1]) < CHUNK else b""  # a longer one is as good as a line
            found += [line for line in lines if not line.isascii()][: _SAMPLE_LINES - len(found)]
    return found if rest.isascii() else [*found, rest]


def _is_utf_8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _multibyte(lines: list[bytes]) -> int:
    """How many lines are UTF-8 with characters of two bytes and more that no other encoding would have by chance."""
    return sum(_is_utf_8(line) and bool(re.search(rb"[\xc3\xe2][\x80-\xbf]", line)) for line in lines)


def _older(sample: bytes) -> tuple[str, str]:
    """By the words beyond ASCII; Western Europe's when they are too few to tell."""
    found = older_encodings.likeliest(sample)
    if found is not None:
        return found, f"in {found} its words make most sense."
    try:
        sample.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1", "it has bytes that Windows-1252 does not know."
    return (
        "cp1252",
        "the words do not tell, and this is the commonest of the older ones. Name another if letters look wrong.",
    )


def to_utf_8(source: Path, encoding: Encoding, target: Path, tell: Callable[[float], None]) -> list[ReadingNote]:
    """Write the text as UTF-8, without a mark; what had to be replaced is told.

    Raises:
        UnreadableEncoding: it is not in the encoding that was asked for.
    """
    size = max(1, source.stat().st_size)
    with source.open("rb") as read, target.open("wb") as write:
        read.seek(encoding.mark)
        if encoding.name == MIXED:
            return _mixed_to_utf_8(read, write, lambda done: tell(done / size))
        decoder = codecs.getincrementaldecoder(encoding.name)("strict" if encoding.asked else "replace")
        replaced = 0
        while True:
            chunk = read.read(CHUNK)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                told = (
                    f"It is not {encoding.name} ({error.reason} near byte {read.tell() - len(chunk) + error.start:,})."
                )
                raise UnreadableEncoding(f"{told} Leave the encoding out to have it found.") from error
            replaced += text.count("\ufffd")
            write.write(text.encode("utf-8", "replace"))
            tell(read.tell() / size)
            if not chunk:
                return _replaced(replaced, encoding.name)


def _whole_lines(read: IO[bytes]) -> Iterator[bytes]:
    """The file in pieces that end where lines do, whichever line ends it has."""
    rest = b""
    while chunk := read.read(CHUNK):
        content = rest + chunk
        cut = max(content.rfind(b"\n"), content.rfind(b"\r")) + 1
        cut = cut or (len(content) - _cut_off(content) if len(content) > _LONGEST_LINE else 0)
        if cut:
            yield content[:cut]
        rest = content[cut:]
    if rest:
        yield rest


def _said(count: int, one: str, many: str) -> str:
    return f"1 {one}" if count == 1 else f"{count:,} {many}"


def _replaced(count: int, encoding: str) -> list[ReadingNote]:
    if not count:
        return []
    told = f"{_said(count, 'byte does', 'bytes do')} not exist in {encoding}; instead there is \ufffd."
    return [ReadingNote(code="replaced_bytes", message=told, count=count)]


def _mixed_to_utf_8(read: IO[bytes], write: IO[bytes], tell: Callable[[float], None]) -> list[ReadingNote]:
    count = 0
    for lines in _whole_lines(read):
        if not _is_utf_8(lines):
            each = lines.splitlines(keepends=True)
            wrong = [at for at, line in enumerate(each) if not _is_utf_8(line)]
            count += len(wrong)
            for at in wrong:
                each[at] = each[at].decode("cp1252", "replace").encode()
            lines = b"".join(each)
        write.write(lines)
        tell(read.tell())
    told = f"{_said(count, 'line is', 'lines are')} not UTF-8, as the others are; read as Windows-1252."
    return [ReadingNote(code="mixed_encodings", message=told, count=count)]
