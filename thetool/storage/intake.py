"""One blob on its way in: counted, hashed, kept within its bounds, and its row kept alive."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from thetool.storage import rows
from thetool.storage.chunks import Stream, in_chunks
from thetool.storage.place import CHUNK_BYTES, Key
from thetool.storage.postgres import Postgres
from thetool.storage.problems import BlobLost, IncompleteUpload, StorageFull, StorageQuotaExceeded
from thetool.storage.state import Storage
from thetool.storage.usage import database_bytes, owner_bytes
from thetool.web.problems import TooLarge

RENEW_BYTES = 16 << 20
"""How often the bounds are looked at again: so much may several writers at once pass them."""


class Intake:
    """Passes a stream on in chunks, and knows afterwards what it was: `size` in bytes and `sha256`.

    Args:
        storage: where it goes.
        key: the blob.
        max_bytes: the most that this blob may have.
        quota_bytes: the most that its owner may keep in all.
        expected_bytes: what the sender announced, when it did.
    """

    def __init__(
        self,
        storage: Storage,
        key: Key,
        *,
        max_bytes: int | None,
        quota_bytes: int | None,
        expected_bytes: int | None,
    ) -> None:
        self._storage = storage
        self._key = key
        self._max = max_bytes
        self._quota = quota_bytes
        self._expected = expected_bytes
        self._in_database = storage.place.name == Postgres.name
        self._quota_left: int | None = None
        self._database_left: int | None = None
        self._renewed_at = 0
        self._digest = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> bytes:
        """Of all that came in."""
        return self._digest.digest()

    def require_room(self) -> None:
        """Refuse before anything is read what cannot fit; call it first.

        Raises:
            TooLarge, StorageQuotaExceeded, StorageFull: the announced size is too much.
        """
        if self._quota is not None:
            self._quota_left = self._quota - owner_bytes(self._storage.engine, self._key.owner_id)
        if self._in_database:
            self._database_left = self._storage.settings.max_database_blob_bytes - self._storage.usage.bytes()
        self._check(self._expected or 0)

    def chunks(self, stream: Stream) -> Iterator[bytes]:
        """The stream's chunks of `CHUNK_BYTES`.

        Raises:
            TooLarge, StorageQuotaExceeded, StorageFull: as soon as it is too much.
            IncompleteUpload: it ended before its announced size.
            BlobLost: the blob was deleted meanwhile.
        """
        for chunk in in_chunks(stream, CHUNK_BYTES):
            self.size += len(chunk)
            self._digest.update(chunk)
            if self.size - self._renewed_at >= RENEW_BYTES:
                self._renew()
            self._check(self.size)
            yield chunk
        if self._expected is not None and self.size != self._expected:
            raise IncompleteUpload(f"{self.size} of the announced {self._expected} bytes came.")

    def _renew(self) -> None:
        engine, blob_id = self._storage.engine, self._key.blob_id
        if not rows.renew(engine, blob_id, self.size):
            raise BlobLost("The file was deleted while it was written.")
        if self._quota is not None:
            self._quota_left = self._quota - owner_bytes(engine, self._key.owner_id, besides=blob_id)
        if self._in_database:
            limit = self._storage.settings.max_database_blob_bytes
            self._database_left = limit - database_bytes(engine, besides=blob_id)
        self._renewed_at = self.size

    def _check(self, size: int) -> None:
        if self._max is not None and size > self._max:
            raise TooLarge(f"At most {self._max} bytes are taken here.")
        if self._quota_left is not None and size > self._quota_left:
            left = max(0, self._quota_left)
            raise StorageQuotaExceeded(
                f"This key lets its owner keep {self._quota} bytes, of which {left} are left: delete files."
            )
        if self._database_left is not None and size > self._database_left:
            raise StorageFull(
                "The database holds as many bytes of files as MAX_DATABASE_BLOB_BYTES allows: set a bucket "
                "(S3_BUCKET_NAME), raise that limit, or delete files."
            )
