"""Signatures of the Standard Webhooks specification 1.0 (standardwebhooks.com): HMAC-SHA256 over id, time and body."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable


def signed_headers(message_id: str, timestamp: int, body: bytes, secrets: Iterable[bytes]) -> dict[str, str]:
    """The headers that tell a receiver who sent this, and when.

    Args:
        message_id: the same for every attempt to tell the same thing, so that a receiver knows what it knows already.
        timestamp: seconds since 1970, of this attempt.
        body: as it is sent.
        secrets: each signs; the receiver needs one that fits.
    """
    signed = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    signatures = [base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode() for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
