"""The rows of blobs: what may happen to one, each in a short transaction of its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, Interval, cast, delete, func, insert, or_, select, update

from thetool.storage.place import Key
from thetool.storage.records import BlobRecord

WRITING_LEASE = "1 hour"
"""A blob whose writer has said nothing for so long is swept."""
DELETING_LEASE = "10 minutes"
"""A deletion that has not ended by then (the bucket was away) is tried again by the sweep."""

_from_now = {lease: func.now() + cast(lease, Interval) for lease in (WRITING_LEASE, DELETING_LEASE)}
_not_expired = or_(BlobRecord.expires_at.is_(None), BlobRecord.expires_at > func.now())


def begin(engine: Engine, key: Key, place: str, media_type: str, filename: str | None) -> None:
    """Make the row of a blob whose bytes are about to come."""
    values = {
        "id": key.blob_id,
        "owner_id": key.owner_id,
        "place": place,
        "media_type": media_type,
        "filename": filename,
        "expires_at": _from_now[WRITING_LEASE],
    }
    with engine.begin() as connection:
        connection.execute(insert(BlobRecord).values(values))


def renew(engine: Engine, blob_id: UUID, size: int) -> bool:
    """Say that a blob is still being written, and how much of it is there; False when somebody deleted it."""
    return _change_writing(engine, blob_id, size=size, expires_at=_from_now[WRITING_LEASE]) is not None


def finish(engine: Engine, blob_id: UUID, size: int, sha256: bytes, expires_at: datetime | None) -> Any:
    """Make a written blob readable; its row, or None when somebody deleted it."""
    return _change_writing(engine, blob_id, state="stored", size=size, sha256=sha256, expires_at=expires_at)


def stored(engine: Engine, blob_id: UUID) -> Any:
    """The row of a stored blob that has not expired, or None."""
    query = select(BlobRecord.__table__).where(BlobRecord.id == blob_id, BlobRecord.state == "stored", _not_expired)
    with engine.connect() as connection:
        return connection.execute(query).one_or_none()


def mark_deleting(engine: Engine, blob_id: UUID) -> Any:
    """Take a blob, whatever its state, out of sight for good; its row, or None when there is none."""
    found = _mark_deleting(engine, BlobRecord.id == blob_id)
    return found[0] if found else None


def mark_deleting_of(engine: Engine, owner_id: UUID) -> Sequence[Any]:
    """Take all blobs of an owner out of sight; their rows."""
    return _mark_deleting(engine, BlobRecord.owner_id == owner_id)


def mark_deleting_expired(engine: Engine, count: int) -> Sequence[Any]:
    """Take up to `count` blobs whose time is over, stored or left behind; no other sweep gets the same ones."""
    due = (
        select(BlobRecord.id)
        .where(BlobRecord.expires_at <= func.now())
        .order_by(BlobRecord.expires_at)
        .limit(count)
        .with_for_update(skip_locked=True)
    )
    return _mark_deleting(engine, BlobRecord.id.in_(due))


def count_expired(engine: Engine) -> int:
    """How many blobs have a time that is over."""
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).where(BlobRecord.expires_at <= func.now())) or 0


def forget(engine: Engine, blob_id: UUID) -> None:
    """Remove the row of a blob whose bytes are gone."""
    with engine.begin() as connection:
        connection.execute(delete(BlobRecord).where(BlobRecord.id == blob_id))


def _change_writing(engine: Engine, blob_id: UUID, **values: Any) -> Any:
    still_writing = update(BlobRecord).where(BlobRecord.id == blob_id, BlobRecord.state == "writing")
    with engine.begin() as connection:
        return connection.execute(still_writing.values(values).returning(*BlobRecord.__table__.columns)).one_or_none()


def _mark_deleting(engine: Engine, which: Any) -> Sequence[Any]:
    change = (
        update(BlobRecord)
        .where(which)
        .values(state="deleting", expires_at=_from_now[DELETING_LEASE])
        .returning(BlobRecord.id, BlobRecord.owner_id, BlobRecord.place, BlobRecord.size)
    )
    with engine.begin() as connection:
        return connection.execute(change).all()
