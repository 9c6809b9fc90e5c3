"""The tables of analyses and of the cache's counts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKey, Text
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.orm import Mapped, mapped_column

from thetool.database.orm import Record

Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]


class Analysis(Record):
    """A finished analysis, which is also the cache's entry. Its id is that of the job that made it."""

    __tablename__ = "analyses"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("owners.id", ondelete="CASCADE"))
    job_id: Mapped[UUID | None]
    cache_key: Mapped[bytes]
    kind: Mapped[str] = mapped_column(Text)
    result: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]


class CacheCount(Record):
    """How often a cache had an answer, over all processes."""

    __tablename__ = "cache_counts"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    hits: Mapped[int] = mapped_column(BigInteger)
    misses: Mapped[int] = mapped_column(BigInteger)
