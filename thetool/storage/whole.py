"""Small files that are in memory as a whole: row and bytes in one statement, where a stream takes nine.

Photos' thumbnails and inputs come by the hundred; a row that is first `writing` protects what arrives piece by piece,
and these have arrived.
"""

from __future__ import annotations

from datetime import datetime
from typing import cast

from sqlalchemy import Engine

from thetool.access.statement import first_row
from thetool.storage.place import Key

MOST_BYTES = 512 * 1024
"""The bytes travel as a parameter, in hexadecimal; of more than this a stream's binary copy is as quick."""

_INSERT = """
    with blob as (
        insert into blobs (id, owner_id, place, state, filename, media_type, size, sha256, expires_at)
        values (
            %(id)s::uuid, %(owner_id)s::uuid, 'postgres', 'stored', %(filename)s::text, %(media_type)s::text,
            octet_length(%(data)s::bytea), %(sha256)s::bytea, %(expires_at)s::timestamptz
        )
        returning id, created_at
    ), chunk as (
        insert into blob_chunks (blob_id, number, data) select id, 0, %(data)s::bytea from blob
    )
    select created_at from blob
"""


def insert(
    engine: Engine,
    key: Key,
    data: bytes,
    *,
    media_type: str,
    filename: str | None,
    sha256: bytes,
    expires_at: datetime | None,
) -> datetime:
    """Keep a file in Postgres; when that was.

    Raises:
        psycopg2.Error, sqlalchemy.exc.SQLAlchemyError: Postgres is away; then nothing is kept.
    """
    made = first_row(
        _INSERT,
        engine=engine,
        id=str(key.blob_id),
        owner_id=str(key.owner_id),
        filename=filename,
        media_type=media_type,
        sha256=sha256,
        expires_at=expires_at,
        data=data,
    )
    return cast(tuple[datetime], made)[0]
