"""Cutting what comes in, from files, requests and generators, into chunks of one size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO, cast

Stream = BinaryIO | Iterable[bytes] | bytes


def in_chunks(stream: Stream, size: int) -> Iterator[bytes]:
    """The bytes of `stream` in chunks of `size`, the last one shorter; never more than that is read ahead.

    Args:
        stream: has `read(n)` (which may give less than asked for), yields pieces of any size, or is bytes itself.
        size: bytes of a chunk.
    """
    chunk = bytearray()
    for piece in _pieces(stream, size):
        rest = memoryview(piece)
        while rest:
            taken = rest[: size - len(chunk)]
            chunk += taken
            rest = rest[len(taken) :]
            if len(chunk) == size:
                yield bytes(chunk)
                chunk.clear()
    if chunk:
        yield bytes(chunk)


def _pieces(stream: Stream, size: int) -> Iterator[bytes]:
    if isinstance(stream, bytes):
        yield stream
    elif hasattr(stream, "read"):
        source = cast(BinaryIO, stream)
        while piece := source.read(size):
            yield piece
    else:
        yield from stream
