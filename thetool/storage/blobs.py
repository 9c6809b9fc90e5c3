"""Blobs: files of any size that belong to an owner. Storing, reading and deleting, streamed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from thetool.database.ids import new_id
from thetool.storage import rows, whole
from thetool.storage.chunks import Stream
from thetool.storage.filenames import clean_filename, clean_media_type
from thetool.storage.intake import Intake
from thetool.storage.place import Key, Place
from thetool.storage.postgres import Postgres
from thetool.storage.problems import BlobLost
from thetool.storage.state import Storage, storage
from thetool.web.problems import NotFound, TooLarge

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Blob:
    """A stored file; `size` in bytes, `sha256` in hexadecimal, `place` is `postgres` or `s3`."""

    id: UUID
    owner_id: UUID
    place: str
    filename: str | None
    media_type: str
    size: int
    sha256: str
    created_at: datetime
    expires_at: datetime | None


def store(
    stream: Stream,
    *,
    owner_id: UUID,
    media_type: str,
    filename: str | None = None,
    expires_at: datetime | None = None,
    max_bytes: int | None = None,
    quota_bytes: int | None = None,
    expected_bytes: int | None = None,
) -> Blob:
    """Keep what a stream gives, in chunks of 1 MiB, outside the caller's transaction; it holds no connection meanwhile.

    When anything goes wrong, nothing is left; what a killed process leaves is swept an hour later.

    Args:
        stream: has `read(n)`, yields bytes, or is bytes.
        owner_id: whose it is.
        media_type: what it is served as.
        filename: as the sender named it; made harmless.
        expires_at: when it is deleted by itself.
        max_bytes: the most that it may have.
        quota_bytes: the most that the owner may keep in all (`Caller.storage_quota_bytes`).
        expected_bytes: the announced size, when there is one.

    Raises:
        TooLarge: it has more than `max_bytes`.
        StorageQuotaExceeded: the owner would keep more than `quota_bytes`.
        StorageFull: Postgres would hold more than `MAX_DATABASE_BLOB_BYTES`.
        IncompleteUpload: it has another size than announced.
        StorageUnavailable: the bucket is away.
        BlobLost: it was deleted while it was written.
    """
    into = storage()
    key = Key(owner_id, new_id())
    intake = Intake(into, key, max_bytes=max_bytes, quota_bytes=quota_bytes, expected_bytes=expected_bytes)
    intake.require_room()
    media_type, filename = clean_media_type(media_type), clean_filename(filename)
    if isinstance(stream, bytes) and len(stream) <= whole.MOST_BYTES and into.place.name == Postgres.name:
        return _at_once(into, key, intake, stream, media_type, filename, expires_at)
    rows.begin(into.engine, key, into.place.name, media_type, filename)
    return _written(into, key, intake, stream, expires_at)


def _at_once(
    into: Storage,
    key: Key,
    intake: Intake,
    data: bytes,
    media_type: str,
    filename: str | None,
    expires_at: datetime | None,
) -> Blob:
    """Keep a small file of which all is here."""
    data = b"".join(intake.chunks(data))
    sha256, size = intake.sha256, intake.size
    created_at = whole.insert(
        into.engine, key, data, media_type=media_type, filename=filename, sha256=sha256, expires_at=expires_at
    )
    into.usage.add(size)
    return Blob(
        id=key.blob_id,
        owner_id=key.owner_id,
        place=Postgres.name,
        filename=filename,
        media_type=media_type,
        size=size,
        sha256=sha256.hex(),
        created_at=created_at,
        expires_at=expires_at,
    )


def _written(into: Storage, key: Key, intake: Intake, stream: Stream, expires_at: datetime | None) -> Blob:
    """Write the bytes of a blob that has its row, and make it readable; when that fails nothing is left."""
    place = into.place
    try:
        place.write(key, intake.chunks(stream))
        row = rows.finish(into.engine, key.blob_id, intake.size, intake.sha256, expires_at)
        if row is None:
            raise BlobLost("The file was deleted while it was written.")
    except BaseException:
        _discard(into, place, key)
        raise
    if place.name == Postgres.name:
        into.usage.add(intake.size)
    return _blob(row)


def get(blob_id: UUID) -> Blob:
    """A stored blob.

    Raises:
        NotFound: there is none, or its time is over.
    """
    row = rows.stored(storage().engine, blob_id)
    if row is None:
        raise NotFound
    return _blob(row)


def read(blob_id: UUID) -> Iterator[bytes]:
    """The bytes of a blob, a piece at a time, each in a short transaction.

    Raises:
        NotFound: there is no such blob; at once, not when the first piece is asked for.
        BlobLost: it went away; also in the middle.
        StorageUnavailable: the bucket is away.
    """
    blob = get(blob_id)
    return read_range(blob, 0, blob.size)


def read_range(blob: Blob, start: int, stop: int) -> Iterator[bytes]:
    """The bytes of a blob from `start` up to `stop`; raises as `read` does."""
    return storage().place_named(blob.place).read(Key(blob.owner_id, blob.id), start, stop)


def read_bytes(blob_id: UUID, limit: int) -> bytes:
    """All bytes of a blob that has at most `limit`.

    Raises:
        TooLarge: it has more; nothing is read then. Else as `read` does.
    """
    blob = get(blob_id)
    if blob.size > limit:
        raise TooLarge(f"The file has {blob.size} bytes; at most {limit} are taken here.")
    return b"".join(read_range(blob, 0, blob.size))


def delete(blob_id: UUID) -> bool:
    """Delete a blob, whatever its state: out of sight first, then its bytes, then its row. False when there is none.

    Raises:
        StorageUnavailable: the bucket is away; the blob is out of sight, and the sweep removes it later.
    """
    of = storage()
    row = rows.mark_deleting(of.engine, blob_id)
    if row is not None:
        remove(of, row)
    return row is not None


def delete_all_of(owner_id: UUID) -> int:
    """Delete all blobs of an owner, and what is in the bucket under their name; how many there were.

    Call it before the owner's row is deleted: the database deletes blobs' rows with it, which then name no object.

    Raises:
        StorageUnavailable: the bucket is away; call it again.
    """
    of = storage()
    found = rows.mark_deleting_of(of.engine, owner_id)
    for row in found:
        remove(of, row)
    if of.s3 is not None:
        of.s3.remove_all_of(owner_id)
    return len(found)


def remove(of: Storage, row: Any) -> None:
    """Remove the bytes, then the row, of a blob that was marked as `deleting`."""
    of.place_named(row.place).remove(Key(row.owner_id, row.id))
    rows.forget(of.engine, row.id)
    if row.place == Postgres.name:
        of.usage.add(-row.size)


def _blob(row: Any) -> Blob:
    return Blob(
        id=row.id,
        owner_id=row.owner_id,
        place=row.place,
        filename=row.filename,
        media_type=row.media_type,
        size=row.size,
        sha256=bytes(row.sha256).hex(),
        created_at=row.created_at,
        expires_at=row.expires_at,
    )


def _discard(into: Storage, place: Place, key: Key) -> None:
    """Clean up after a store that failed; what cannot be removed now is left to the sweep."""
    try:
        rows.mark_deleting(into.engine, key.blob_id)
        place.remove(key)  # also when the row is gone: bytes may have come after whoever deleted it
        rows.forget(into.engine, key.blob_id)
    except Exception as error:  # the first error is the one to tell
        log.warning("left to the sweep", blob_id=str(key.blob_id), error=str(error))
