"""Bytes in Postgres: rows of 1 MiB in `blob_chunks`, each written and read in a transaction of its own.

Chunks travel by binary COPY: as parameters of a statement they would travel as hexadecimal, at half the speed.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator
from typing import Any, cast
from uuid import UUID

import psycopg2.errors
from psycopg2.extensions import cursor as Cursor  # noqa: N812  a class
from sqlalchemy import Engine, text

from thetool.storage.place import CHUNK_BYTES, Key
from thetool.storage.problems import BlobLost

CHUNKS_A_TRANSACTION = 64

# The format is in Postgres' documentation of COPY: a header, rows as (number of fields, then length and bytes of
# each), and -1.
_HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
_ROW = struct.Struct("!h i16s ii i")
_ONE_FIELD = struct.Struct("!hi")
_END = struct.pack("!h", -1)

_WRITE = "copy blob_chunks (blob_id, number, data) from stdin (format binary)"
_READ = (
    "copy (select substring(data from %s for %s) from blob_chunks where blob_id = %s and number = %s) "
    "to stdout (format binary)"
)
_REMOVE = text(
    "delete from blob_chunks where blob_id = :blob_id and number in "
    "(select number from blob_chunks where blob_id = :blob_id order by number limit :count)"
)


class Postgres:
    """The database as a place for bytes."""

    name = "postgres"

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def write(self, key: Key, chunks: Iterable[bytes]) -> None:
        """Keep the chunks, a transaction each, so that a slow sender holds no connection.

        Raises:
            BlobLost: the blob's row was deleted meanwhile.
        """
        for number, chunk in enumerate(chunks):
            try:
                self._copy(_WRITE, _copied_row(key.blob_id, number, chunk))
            except psycopg2.errors.ForeignKeyViolation:
                raise BlobLost(f"blob {key.blob_id} was deleted while it was written") from None

    def read(self, key: Key, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` up to `stop`, a chunk and a transaction at a time."""
        while start < stop:
            number, offset = divmod(start, CHUNK_BYTES)
            wanted = min(CHUNK_BYTES - offset, stop - start)
            chunk = self._chunk(key.blob_id, number, offset, wanted)
            if len(chunk) != wanted:
                raise BlobLost(f"blob {key.blob_id} has no bytes at {start}")
            yield chunk
            start += wanted

    def remove(self, key: Key) -> None:
        """Remove its chunks, some to a transaction: a long one would hold up the vacuum of hot tables."""
        parameters = {"blob_id": key.blob_id, "count": CHUNKS_A_TRANSACTION}
        removed = CHUNKS_A_TRANSACTION
        while removed == CHUNKS_A_TRANSACTION:
            with self._engine.begin() as connection:
                removed = connection.execute(_REMOVE, parameters).rowcount

    def _chunk(self, blob_id: UUID, number: int, offset: int, wanted: int) -> bytes:
        found = io.BytesIO()
        self._copy(_READ, found, (offset + 1, wanted, str(blob_id), number))
        data = found.getbuffer()[len(_HEADER) :]
        return b"" if data[: len(_END)] == _END else bytes(data[_ONE_FIELD.size : -len(_END)])

    def _copy(self, statement: str, data: io.BytesIO, parameters: tuple[Any, ...] = ()) -> None:
        with self._engine.begin() as connection:
            cursor = cast(Cursor, connection.connection.cursor())
            cursor.copy_expert(cursor.mogrify(statement, parameters), data, CHUNK_BYTES)


def _copied_row(blob_id: UUID, number: int, chunk: bytes) -> io.BytesIO:
    row = _ROW.pack(3, 16, blob_id.bytes, 4, number, len(chunk))
    return io.BytesIO(b"".join((_HEADER, row, chunk, _END)))
