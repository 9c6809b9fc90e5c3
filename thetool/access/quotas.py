"""What an owner may keep, for work that goes on when the request with its key is over."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Engine

from thetool.access.statement import first_row

# A job does not say with which key it was asked for; the widest of the owner's keys could have.
_WIDEST = """
    select case when bool_and(storage_quota_bytes is not null) then max(storage_quota_bytes) end
    from api_keys
    where owner_id = %(owner_id)s::uuid and revoked_at is null and (expires_at is null or expires_at > now())
"""


def storage_quota_of(owner_id: UUID, engine: Engine) -> int | None:
    """Bytes that an owner may keep: the most that one of the owner's live keys allows; None is no bound."""
    row = first_row(_WIDEST, engine=engine, owner_id=str(owner_id))
    return None if row is None else row[0]
