"""The table of blobs. Their bytes are in `blob_chunks` (see `postgres.py`) or in a bucket."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKey, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from thetool.database.orm import Record

Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]


class BlobRecord(Record):
    """A file's name, size and place.

    `state` is `writing` until all bytes are there, `stored`, or `deleting` while they are removed. `expires_at` is
    when the sweep takes the row: a stored blob's own end of life, or the lease of whoever writes or deletes it.
    """

    __tablename__ = "blobs"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("owners.id", ondelete="RESTRICT"))
    place: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, server_default="writing")
    filename: Mapped[str | None] = mapped_column(Text)
    media_type: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger, server_default="0")
    sha256: Mapped[bytes | None]
    created_at: Mapped[Moment] = mapped_column(server_default=func.now())
    expires_at: Mapped[Moment | None]
