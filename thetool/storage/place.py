"""What a place for bytes can do; `postgres.py` and `s3.py` are the two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Key:
    """Names a blob's bytes, whatever state its row is in."""

    owner_id: UUID
    blob_id: UUID


class Place(Protocol):
    """Where bytes are kept. Nothing here touches the blob's row."""

    name: str

    def write(self, key: Key, chunks: Iterable[bytes]) -> None:
        """Keep the chunks, each of `CHUNK_BYTES` but the last; when it raises, `remove` is still to be called."""

    def read(self, key: Key, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` up to `stop`, a piece at a time, holding nothing open between pieces.

        Raises:
            BlobLost: when they are not there (any more).
        """

    def remove(self, key: Key) -> None:
        """Remove what is there of it, half-written parts included; may be called again."""
