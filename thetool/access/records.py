"""The tables of owners and of the keys issued to them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKey, Text, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from thetool.access.ids import MASTER_OWNER_ID as MASTER_OWNER_ID
from thetool.database.ids import new_id
from thetool.database.orm import Record

Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]


class Owner(Record):
    """Whoever files, jobs and results belong to; keys come and go, the owner stays."""

    __tablename__ = "owners"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(Text, unique=True)
    created_at: Mapped[Moment] = mapped_column(server_default=func.now())


class ApiKey(Record):
    """An issued key. Only the SHA-256 of its secret is kept, with a prefix to recognise it by."""

    __tablename__ = "api_keys"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("owners.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(Text)
    key_hash: Mapped[bytes] = mapped_column(unique=True)
    key_prefix: Mapped[str] = mapped_column(Text)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    rate_limit_per_minute: Mapped[int | None]
    job_quota: Mapped[int | None]
    storage_quota_bytes: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[Moment] = mapped_column(server_default=func.now())
    expires_at: Mapped[Moment | None]
    revoked_at: Mapped[Moment | None]
    last_used_at: Mapped[Moment | None]
    replaced_by: Mapped[UUID | None] = mapped_column(ForeignKey("api_keys.id", ondelete="SET NULL"))

    owner: Mapped[Owner] = relationship(lazy="joined")

    @property
    def owner_name(self) -> str:
        """Name of the key's owner."""
        return self.owner.name
