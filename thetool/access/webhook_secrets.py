"""The secrets that sign webhooks: one for each key, and one for the master key.

A secret is derived from `SECRET_KEY` (or the master key) and a salt, and only the salt is stored: whoever reads the
database cannot sign. When `SECRET_KEY` changes, the secrets are lost, which their fingerprints tell.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import os
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import text

from thetool.access.secrets import HASH_BYTES, derive, hkdf_sha256
from thetool.config import Settings
from thetool.database.orm import db
from thetool.web.problems import Problem

PREFIX = "whsec_"
SALT_BYTES = 32
GRACE_SECONDS = 86_400
MOST = 5
"""Secrets that sign for a key at a time: each is a signature in the header of each message."""

# Two that make one at a time take turns, so that each sees what the other made.
_TAKE_TURNS = text("select pg_advisory_xact_lock(hashtextextended(coalesce(:key_id, 'master'), 7003))")
_SIGNING = text("""
    select count(*), extract(epoch from min(retires_at) - now()) from webhook_secrets
    where key_id is not distinct from cast(:key_id as uuid) and (retires_at is null or retires_at > now())
""")
_RETIRE = text("""
    update webhook_secrets set retires_at = now() + make_interval(secs => :grace)
    where key_id is not distinct from cast(:key_id as uuid) and retires_at is null
""")
_FORGET = text("delete from webhook_secrets where retires_at < now()")
_ADD = text("""
    insert into webhook_secrets (key_id, salt, fingerprint) values (:key_id, :salt, :fingerprint)
""")
_INHERIT = text("""
    insert into webhook_secrets (key_id, salt, fingerprint, retires_at)
    select cast(:heir as uuid), salt, fingerprint, retires_at from webhook_secrets where key_id = :key_id order by id
""")


class TooManyWebhookSecrets(Problem):
    """The key has five secrets that sign already, all but the newest until a day after the next one was made."""

    status = 429
    code = "too_many_webhook_secrets"
    title = "The key has as many webhook secrets as it may have"


def make(settings: Settings, key_id: UUID | None) -> str:
    """Give a key (None: the master key) a new secret, as `whsec_…`; the one before signs along for a day.

    Raises:
        TooManyWebhookSecrets: five sign already.
    """
    _require_room(key_id)
    salt = os.urandom(SALT_BYTES)
    secret = _secret(settings, salt)
    db.session.execute(_FORGET)
    db.session.execute(_RETIRE, {"key_id": key_id, "grace": GRACE_SECONDS})
    db.session.execute(_ADD, {"key_id": key_id, "salt": salt, "fingerprint": _fingerprint(secret)})
    db.session.commit()
    return PREFIX + base64.b64encode(secret).decode()


def _require_room(key_id: UUID | None) -> None:
    whose = {"key_id": key_id and str(key_id)}
    db.session.execute(_TAKE_TURNS, whose)
    number, seconds = db.session.execute(_SIGNING, whose).one()
    if number >= MOST:
        wait = max(1, math.ceil(seconds or GRACE_SECONDS))
        raise TooManyWebhookSecrets(
            f"{number} secrets sign for this key; the oldest ends in {wait:,} seconds. Use the newest.",
            headers={"Retry-After": str(wait)},
        )


def inherit(key_id: UUID, heir: UUID) -> None:
    """Let the key that takes another's place sign as that did; in the present transaction of the session."""
    db.session.execute(_INHERIT, {"key_id": key_id, "heir": heir})


def recall(settings: Settings, kept: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
    """The secrets of (salt, fingerprint) as they are stored, in that order; without those that are lost."""
    secrets = []
    for salt, fingerprint in kept:
        secret = _secret(settings, bytes(salt))
        if hmac.compare_digest(_fingerprint(secret), bytes(fingerprint)):
            secrets.append(secret)
    return secrets


def _secret(settings: Settings, salt: bytes) -> bytes:
    return hkdf_sha256(derive(settings, "webhooks"), salt=salt, info=b"webhook secret", length=HASH_BYTES)


def _fingerprint(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()
