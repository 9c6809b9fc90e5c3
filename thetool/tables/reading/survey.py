"""The shape of a whole text file, byte by byte: whether it is regular enough for Polars, and how many rows it has.

Polars goes into and out of quotes at every quote, wherever it stands, and cannot tell a short row from one with empty
fields at its end, nor a blank line from a row of empty fields. So everything is counted here first, with NumPy; a file
that is not regular is mended (`mending`) before Polars sees it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

CHUNK = 4 << 20
_THREADS = 2
_NEWLINE, _RETURN = 0x0A, 0x0D


@dataclass
class Survey:
    """What is in a text file (UTF-8 or another superset of ASCII), outside of quotes but for `nuls`."""

    line_ends: int = 0
    delimiters: int = 0
    blank_lines: int = 0
    nuls: int = 0
    lone_returns: bool = False
    quoted: bool = False
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
        self.nuls += part.nuls
        self.lone_returns |= part.lone_returns
        self.odd_quotes |= part.odd_quotes
        self.quoted |= part.quoted

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
    counting: deque[Future[Survey]] = deque()
    with ThreadPoolExecutor(_THREADS) as threads:
        for position, chunk, after in _chunks(path, start, end):
            quotes = chunk.count(quote.encode()) if quote else 0
            count = _count_quoted if quotes else _count
            counting.append(threads.submit(count, chunk, before, after, ord(delimiter), ord(quote or " "), inside))
            inside ^= quotes % 2 == 1
            before = chunk[-1]
            if len(counting) > _THREADS:
                found.add(counting.popleft().result())
                tell((position - start) / max(1, end - start))
        for one in counting:
            found.add(one.result())
    found.odd_quotes |= inside
    found.ends_with_line_end = before == _NEWLINE
    return found


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
    """A chunk without quotes, which is as a whole outside or inside of them."""
    found = Survey(nuls=chunk.count(0))
    if inside:
        return found
    octets = np.frombuffer(chunk, np.uint8)
    found.line_ends = int(np.count_nonzero(octets == _NEWLINE))
    found.delimiters = int(np.count_nonzero(octets == delimiter))
    found.blank_lines = _blank_lines(chunk, before)
    found.lone_returns = _has_lone_return(chunk, after)
    return found


def _blank_lines(chunk: bytes, before: int) -> int:
    starts_blank = before == _NEWLINE and chunk.startswith((b"\n", b"\r\n"))
    return int(starts_blank) + (b"\n\n" in chunk) + (b"\n\r\n" in chunk)


def _has_lone_return(chunk: bytes, after: int) -> bool:
    if b"\r" not in chunk:
        return False
    last_is_lone = chunk.endswith(b"\r") and after != _NEWLINE
    return last_is_lone or chunk.count(b"\r") - chunk.endswith(b"\r") != chunk.count(b"\r\n")


def _count_quoted(chunk: bytes, before: int, after: int, delimiter: int, quote: int, inside: bool) -> Survey:
    """A chunk with quotes, which begins inside of some or outside."""
    octets = np.frombuffer(chunk, np.uint8)
    quotes = octets == quote
    within = np.bitwise_xor.accumulate(quotes.view(np.uint8)).view(bool)
    if inside:
        within = ~within
    outside = ~within
    found = Survey(nuls=chunk.count(0), quoted=True)
    line_ends = (octets == _NEWLINE) & outside
    found.line_ends = int(np.count_nonzero(line_ends))
    found.delimiters = int(np.count_nonzero((octets == delimiter) & outside))
    found.odd_quotes = _has_odd_quote(octets, quotes, within, before, after, delimiter, quote)
    found.lone_returns = b"\r" in chunk and _has_return_at(octets, outside, after)
    found.blank_lines = _blank_at(octets, line_ends, before)
    return found


def _has_odd_quote(
    octets: np.ndarray, quotes: np.ndarray, within: np.ndarray, before: int, after: int, delimiter: int, quote: int
) -> bool:
    """A quote that opens where no field begins, or closes where none ends; doubled ones do neither."""
    where = np.flatnonzero(quotes)
    opens = within[where]
    edges = np.array([delimiter, _NEWLINE, _RETURN, quote], np.uint8)
    earlier = np.where(where > 0, octets[where - 1], before)
    later = np.where(where < len(octets) - 1, octets[np.minimum(where + 1, len(octets) - 1)], after)
    return bool((opens & ~np.isin(earlier, edges)).any() or (~opens & ~np.isin(later, edges)).any())


def _has_return_at(octets: np.ndarray, outside: np.ndarray, after: int) -> bool:
    returns = np.flatnonzero((octets == _RETURN) & outside)
    if not len(returns):
        return False
    later = np.where(returns < len(octets) - 1, octets[np.minimum(returns + 1, len(octets) - 1)], after)
    return bool((later != _NEWLINE).any())


def _blank_at(octets: np.ndarray, line_ends: np.ndarray, before: int) -> int:
    """Line ends that follow a line end, with or without a return between."""
    where = np.flatnonzero(line_ends)
    one = np.where(where > 0, octets[where - 1], before)
    two = np.where(where > 1, octets[where - 2], np.where(where == 1, before, 0))
    return int(np.count_nonzero((one == _NEWLINE) | ((one == _RETURN) & (two == _NEWLINE))))
