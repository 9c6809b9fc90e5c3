"""Links that open one file for some time without a key: `/files/<id>?expires=…&signature=…`."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from uuid import UUID

from thetool.access.secrets import derive
from thetool.config import Settings
from thetool.storage.blobs import Blob
from thetool.storage.problems import LinkExpired
from thetool.storage.state import storage
from thetool.web.problems import Forbidden

_seconds = re.compile(r"[0-9]{1,11}", re.ASCII)


def signed_link(blob: Blob, seconds: float) -> str:
    """A link to the blob that is good for so many seconds, on every machine that has the same secret.

    It starts with `PUBLIC_URL` where that is set; else it is a path, relative to wherever this service is reached.
    """
    settings = storage().settings
    return f"{settings.public_url or ''}{signed_path(settings, blob.id, seconds)}"


def signed_path(settings: Settings, blob_id: UUID, seconds: float) -> str:
    """The same link without the address of the service."""
    expires = str(int(time.time() + seconds))
    return f"/files/{blob_id}?expires={expires}&signature={_signature(settings, blob_id, expires)}"


def require_signature(blob_id: UUID, expires: str, signature: str) -> None:
    """Check what a link says.

    Raises:
        Forbidden: it was not made here, or for another file or time (403 `forbidden`).
        LinkExpired: its time is over (403 `link_expired`).
    """
    right = _signature(storage().settings, blob_id, expires)
    if not _seconds.fullmatch(expires) or not hmac.compare_digest(right.encode(), signature.encode("utf-8", "replace")):
        raise Forbidden("The link's signature is not right.")
    if int(expires) < time.time():
        raise LinkExpired


def _signature(settings: Settings, blob_id: UUID, expires: str) -> str:
    signed = f"{blob_id}\n{expires}".encode("utf-8", "replace")
    digest = hmac.digest(derive(settings, "files"), signed, hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
