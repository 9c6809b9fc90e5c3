"""Issuing, listing, rotating and revoking keys."""

from __future__ import annotations

import hashlib
import math
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from thetool.access import webhook_secrets
from thetool.access.caller import Caller
from thetool.access.policy import require
from thetool.access.records import ApiKey, Owner
from thetool.access.schemas import KeyIn, KeysQuery
from thetool.access.state import access
from thetool.database.ids import new_id
from thetool.database.orm import db
from thetool.web.current import settings
from thetool.web.problems import Conflict, Forbidden, ValidationFailed

PREFIX_LENGTH = 11
BOUNDS = ("rate_limit_per_minute", "job_quota", "storage_quota_bytes", "expires_at")
NEVER = datetime.max.replace(tzinfo=UTC)


def issue(caller: Caller, wanted: KeyIn) -> tuple[ApiKey, str]:
    """Make a key; gives its row and its secret, which is kept nowhere.

    Raises:
        Forbidden: an issued key asked for another owner, or for more than it may do itself.
        ValidationFailed: the key would have ended already.
    """
    if wanted.expires_at is not None and wanted.expires_at <= datetime.now(UTC):
        raise ValidationFailed.of_fields([("expires_at", "is in the past", "body")])
    bounds = {name: getattr(wanted, name) for name in BOUNDS}
    issuer = _row_of(caller)
    if issuer is not None:
        bounds = {name: getattr(issuer, name) if value is None else value for name, value in bounds.items()}
    key = ApiKey(name=wanted.name, owner_id=_owner_for(caller, wanted), scopes=list(wanted.scopes), **bounds)
    _refuse_more_than(issuer, key)
    return _save(key)


def keys_of(caller: Caller, query: KeysQuery) -> Sequence[ApiKey]:
    """Up to `query.limit + 1` keys that the caller may see, newest first."""
    statement = select(ApiKey).join(Owner).order_by(ApiKey.id.desc()).limit(query.limit + 1)
    if not caller.is_master:
        statement = statement.where(ApiKey.owner_id == caller.owner_id)
    if query.owner is not None:
        statement = statement.where(Owner.name == query.owner)
    if not query.revoked:
        statement = statement.where(ApiKey.revoked_at.is_(None))
    after = query.after("keys", UUID)
    if after is not None:
        statement = statement.where(ApiKey.id < after)
    return db.session.scalars(statement).all()


def find(caller: Caller, key_id: UUID) -> ApiKey:
    """The key with this id. Raises NotFound when the caller may not see it."""
    return require(caller, "read", db.session.get(ApiKey, key_id))


def rotate(caller: Caller, key_id: UUID, *, grace_seconds: int) -> tuple[ApiKey, str]:
    """Issue a key like this one, which ends now or `grace_seconds` later; gives the new row and its secret.

    Raises:
        NotFound: the caller may not see the key.
        Conflict: it has ended already.
        Forbidden: it may do more than the key that asks.
    """
    old = require(caller, "write", db.session.get(ApiKey, key_id, with_for_update={"of": ApiKey}))
    now = db.session.scalar(select(func.now())) or NEVER
    if old.revoked_at is not None or (old.expires_at or NEVER) <= now:
        raise Conflict("The key has ended; issue a new one.")
    _refuse_more_than(_row_of(caller), old)
    bounds = {name: getattr(old, name) for name in BOUNDS}
    new = ApiKey(name=old.name, owner_id=old.owner_id, scopes=list(old.scopes), **bounds)
    if grace_seconds:
        old.expires_at = min(old.expires_at or NEVER, now + timedelta(seconds=grace_seconds))
    else:
        old.revoked_at = now
    return _save(new, in_place_of=old)


def revoke(caller: Caller, key_id: UUID) -> None:
    """End a key: here at once, in other processes within seconds. Raises NotFound when the caller may not see it."""
    key = require(caller, "delete", db.session.get(ApiKey, key_id))
    db.session.execute(
        update(ApiKey).where(ApiKey.id == key.id, ApiKey.revoked_at.is_(None)).values(revoked_at=func.now())
    )
    db.session.commit()
    access().keys.forget()


def _owner_for(caller: Caller, wanted: KeyIn) -> UUID:
    if not caller.is_master:
        if wanted.owner not in (None, caller.owner_name):
            raise Forbidden("Only the master key issues keys of other owners.")
        return caller.owner_id
    row = insert(Owner).values(id=new_id(), name=wanted.owner or wanted.name)
    row = row.on_conflict_do_update(index_elements=[Owner.name], set_={"name": row.excluded.name})
    return db.session.execute(row.returning(Owner.id)).scalar_one()


def _row_of(caller: Caller) -> ApiKey | None:
    """The key that asks; None for the master key, which has no bounds."""
    return None if caller.is_master else db.session.get(ApiKey, caller.key_id)


def _refuse_more_than(issuer: ApiKey | None, key: ApiKey) -> None:
    """A key may not make, or get the secret of, one that may do more than itself. Raises Forbidden."""
    if issuer is None:
        return
    if not set(key.scopes) <= set(issuer.scopes):
        raise Forbidden(f"This key has not all of the scopes {', '.join(key.scopes)} itself.")
    for name, own, wanted in zip(BOUNDS, _bounds(issuer), _bounds(key), strict=True):
        if wanted > own:
            raise Forbidden(f"This key's own `{name}` is lower than that.")


def _bounds(key: ApiKey) -> tuple[float, float, float, float]:
    return (
        key.rate_limit_per_minute or settings().rate_limit_per_minute,
        math.inf if key.job_quota is None else key.job_quota,
        math.inf if key.storage_quota_bytes is None else key.storage_quota_bytes,
        math.inf if key.expires_at is None else key.expires_at.timestamp(),
    )


def give_webhook_secret(caller: Caller, key_id: UUID | None) -> str:
    """Give a key (None: the master key) a new secret for webhooks; the one before signs along for a day.

    Raises:
        NotFound: the caller may not see the key.
        TooManyWebhookSecrets: five sign for it already.
    """
    if key_id is not None:
        require(caller, "write", db.session.get(ApiKey, key_id))
    return webhook_secrets.make(settings(), key_id)


def _save(key: ApiKey, *, in_place_of: ApiKey | None = None) -> tuple[ApiKey, str]:
    secret = f"tt_{secrets.token_urlsafe(32)}"
    key.key_hash = hashlib.sha256(secret.encode()).digest()
    key.key_prefix = secret[:PREFIX_LENGTH]
    db.session.add(key)
    if in_place_of is not None:
        db.session.flush()
        in_place_of.replaced_by = key.id
        webhook_secrets.inherit(in_place_of.id, key.id)
    db.session.commit()
    access().keys.forget()
    return key, secret
