"""The shape of a whole text file, byte by byte: whether it is regular enough for Polars, and how many rows it has.

Polars goes into and out of quotes at every quote, wherever it stands, and cannot tell a short row from one with empty
fields at its end, nor a blank line from a row of empty fields. So everything is counted here first, with NumPy; a file
that is not regular is mended (`mending`) before Polars sees it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

CHUNK = 1 << 20
_THREADS = 2
_NEWLINE, _RETURN = 0x0A, 0x0D


@dataclass
class Survey:
    """What is in a text file (UTF-8 or another superset of ASCII), outside of quotes but for `nuls`."""

    line_ends: int = 0
    delimiters: int = 0
    blank_lines: int = 0
    nuls: bool = False
    lone_returns: bool = False
    empty_quotes: bool = False
    odd_quotes: bool = False
    ends_with_line_end: bool = True

    @property
    def rows(self) -> int:
        """How many rows there are when no line is blank."""
        return self.line_ends + (not self.ends_with_line_end)

    def add(self, part: Survey) -> None:
        """Add what is in the next part."""
        self.line_ends += part.line_ends
        self.delimiters += part.delimiters
        self.blank_lines += part.blank_lines
        self.nuls |= part.nuls
        self.lone_returns |= part.lone_returns
        self.empty_quotes |= part.empty_quotes
        self.odd_quotes |= part.odd_quotes

    def is_regular(self, width: int) -> bool:
        """Whether Polars reads it as it is, when it also finds no row too long."""
        flaws = self.odd_quotes or self.lone_returns or self.nuls or self.blank_lines
        return not flaws and self.delimiters == self.rows * (width - 1)


def survey(
    path: Path, start: int, end: int, delimiter: str, quote: str, tell: Callable[[float], None] = lambda _: None
) -> Survey:
    """Count what is between two positions, which must be starts of lines; `tell` hears the share that is done."""
    found = Survey()
    inside = False  # of quotes
    before = _NEWLINE
    counting: deque[Callable[[], Survey]] = deque()
    with ThreadPoolExecutor(_THREADS) as threads:
        for position, chunk, after in _chunks(path, start, end):
            count = partial(_count, chunk, before, after, ord(delimiter), ord(quote or "\0"), inside)
            counting.append(threads.submit(count).result if end - start > CHUNK else count)
            if quote and np.count_nonzero(np.frombuffer(chunk, np.uint8) == ord(quote)) % 2:
                inside = not inside
            before = chunk[-1]
            if len(counting) > _THREADS:
                found.add(counting.popleft()())
                tell((position - start) / max(1, end - start))
        for one in counting:
            found.add(one())
    found.odd_quotes |= inside
    found.ends_with_line_end = before == _NEWLINE
    return found


def survey_lines(lines: bytes, delimiter: str, quote: str) -> Survey:
    """Count what is in whole lines, which begin outside of quotes."""
    found = _count(lines, _NEWLINE, _NEWLINE, ord(delimiter), ord(quote or "\0"), False)
    found.odd_quotes |= bool(quote) and lines.count(quote.encode()) % 2 == 1
    found.ends_with_line_end = lines.endswith(b"\n")
    return found


def end_of_lines(chunk: bytes, quote: str) -> int:
    """Where the last whole line of a chunk ends that begins outside of quotes; 0 when it has no such end."""
    if not quote or quote.encode() not in chunk:
        return chunk.rfind(b"\n") + 1
    octets = np.frombuffer(chunk, np.uint8)
    within = np.bitwise_xor.accumulate((octets == ord(quote)).view(np.uint8)).view(bool)
    ends = np.flatnonzero((octets == _NEWLINE) & ~within)
    return int(ends[-1]) + 1 if len(ends) else 0


def _chunks(path: Path, start: int, end: int) -> Iterator[tuple[int, bytes, int]]:
    """Position, bytes, and the byte after them (a line end after the last)."""
    with path.open("rb") as file:
        file.seek(start)
        position, chunk = start, file.read(min(CHUNK, end - start))
        while chunk:
            if chunk.endswith(b"\r") and position + len(chunk) < end:
                chunk += file.read(1)  # a line end in one piece; of several returns all but the last are lone anyway
            following = file.read(min(CHUNK, end - position - len(chunk)))
            yield position, chunk, following[0] if following else _NEWLINE
            position += len(chunk)
            chunk = following


def _count(chunk: bytes, before: int, after: int, delimiter: int, quote: int, inside: bool) -> Survey:
    """A chunk that begins inside of quotes or outside, between two other bytes.

    One bit for each byte, 64 in a number: what is outside of quotes, and what stands beside what, are operations on
    whole numbers then, as in "Parsing Gigabytes of JSON per Second" (Langdale and Lemire, 2019).
    """
    content = b"".join((bytes((before,)), chunk, bytes((after,))))
    octets = np.frombuffer(content, np.uint8)
    line_ends, delimiters = _bits(octets == _NEWLINE), _bits(octets == delimiter)
    returns = _bits(octets == _RETURN) if b"\r" in content else np.zeros_like(line_ends)
    found = Survey(nuls=b"\0" in chunk)
    outside = ~np.zeros_like(line_ends)
    for at in (0, len(octets) - 1):  # the two bytes around it
        outside[at // 64] &= ~(np.uint64(1) << np.uint64(at % 64))
    if inside or (quote and quote in chunk):
        quotes = _bits(octets == quote) & outside
        within = _parity(quotes)
        if inside:
            within = ~within
        edges = line_ends | returns | delimiters
        around = edges | _bits(octets == quote)
        opens, closes = quotes & within, quotes & ~within
        found.odd_quotes = bool((opens & ~_later(around)).any() or (closes & ~_earlier(around)).any())
        found.empty_quotes = bool((opens & _later(edges) & _earlier(around & ~edges)).any())
        outside &= ~within
    found.line_ends = _number(line_ends & outside)
    found.delimiters = _number(delimiters & outside)
    found.lone_returns = bool((returns & outside & ~_earlier(line_ends)).any())
    blank = _later(line_ends) | (_later(returns) & _later(_later(line_ends)))
    found.blank_lines = _number(((line_ends & blank) | (returns & _later(returns))) & outside)
    return found


def _bits(found: np.ndarray) -> np.ndarray:
    """Truths as the bits of 64-bit numbers, the lowest first; the last number is filled up with zeros."""
    words = np.zeros(len(found) // 64 + 1, "<u8")
    words.view(np.uint8)[: -(-len(found) // 8)] = np.packbits(found, bitorder="little")
    return words


def _later(bits: np.ndarray) -> np.ndarray:
    """Each bit at the next place: where the place before has one."""
    moved = bits << 1
    moved[1:] |= bits[:-1] >> 63
    return moved


def _earlier(bits: np.ndarray) -> np.ndarray:
    """Each bit at the place before: where the next place has one."""
    moved = bits >> 1
    moved[:-1] |= bits[1:] << 63
    return moved


def _parity(bits: np.ndarray) -> np.ndarray:
    """Where the number of bits up to here, and here, is odd."""
    odd = bits.copy()
    for places in (1, 2, 4, 8, 16, 32):
        odd ^= odd << places
    before = np.bitwise_xor.accumulate(odd >> 63)
    odd[1:] ^= 0 - before[:-1]
    return odd


def _number(bits: np.ndarray) -> int:
    return int(np.bitwise_count(bits).sum())
