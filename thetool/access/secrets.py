"""Signing keys for cookies and links, derived so that they survive a redeploy and are the same on each machine."""

from __future__ import annotations

import hashlib
import hmac

from thetool.access.local_key import master_key
from thetool.config import Settings

HASH_BYTES = hashlib.sha256().digest_size


def derive(settings: Settings, purpose: str) -> bytes:
    """32 secret bytes for one purpose, from `SECRET_KEY` or else the master key; knowing one tells nothing of another.

    Raises:
        SettingsError: when there is no master key and a local one cannot be kept.
    """
    secret = settings.secret_key.get_secret_value() if settings.secret_key else master_key(settings)
    return hkdf_sha256(secret.encode(), salt=b"thetool", info=purpose.encode(), length=HASH_BYTES)


def hkdf_sha256(material: bytes, *, salt: bytes, info: bytes, length: int) -> bytes:
    """HKDF with SHA-256 (RFC 5869): `length` bytes, at most 255 × 32."""
    if not 0 < length <= 255 * HASH_BYTES:
        raise ValueError(f"HKDF-SHA256 gives 1 to {255 * HASH_BYTES} bytes, not {length}")
    extracted = hmac.digest(salt or bytes(HASH_BYTES), material, hashlib.sha256)
    output = block = b""
    for counter in range(1, -(-length // HASH_BYTES) + 1):
        block = hmac.digest(extracted, block + info + bytes([counter]), hashlib.sha256)
        output += block
    return output[:length]
