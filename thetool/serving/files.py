"""Models' files: kept as blobs, once for each content of an owner, with a copy on the disk of each machine."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from tempfile import NamedTemporaryFile
from uuid import UUID

from psycopg2.errors import ForeignKeyViolation
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from thetool.config import Settings
from thetool.serving.lookup import Served
from thetool.serving.problems import FileNotTaken
from thetool.serving.runtime.graph import other_format
from thetool.serving.runtime.problems import InvalidModel
from thetool.storage import blobs
from thetool.storage.blobs import Blob
from thetool.storage.chunks import Stream, in_chunks
from thetool.storage.problems import BlobLost
from thetool.web.problems import NotFound

MEDIA_TYPE = "application/vnd.thetool.model"
CHUNK_BYTES = 2**20
COPIES_OF_THE_CACHE = 4
"""The disk holds so many times the bytes that memory may: a model that made room in memory is read from there."""

# One that is there already is touched, so that nobody deletes it before this transaction ends.
_KEEP = text(
    """
    insert into model_files (owner_id, sha256, blob_id, size) values (:owner_id, :sha256, :blob_id, :size)
    on conflict (owner_id, sha256) do update set size = excluded.size returning blob_id
    """
)
_TAKE = text(
    """
    update models set file_sha256 = :sha256, status = 'uploaded', error_message = null, found = null,
        validation_job_id = null, revision = revision + 1, updated_at = now()
    where id = :id and revision = :revision and status in ('pending', 'uploaded', 'error')
    returning id
    """
)
_FORGET_UNUSED = text(
    """
    delete from model_files f where owner_id = :owner_id and sha256 = :sha256
        and not exists (select from models m where m.owner_id = f.owner_id and m.file_sha256 = f.sha256)
    returning blob_id
    """
)
_UNUSED = text(
    """
    select owner_id, encode(sha256, 'hex') from model_files f
    where not exists (select from models m where m.owner_id = f.owner_id and m.file_sha256 = f.sha256) limit :limit
    """
)


def take(
    engine: Engine,
    model: Served,
    stream: Stream,
    *,
    max_bytes: int,
    quota_bytes: int | None,
    filename: str | None,
) -> Blob:
    """Keep a file as that of a model, in place of an earlier one; of equal contents one is kept.

    Raises:
        InvalidModel: it is empty, or surely something else than ONNX.
        FileNotTaken: the model was changed in the meantime, by another upload say.
        TooLarge, StorageQuotaExceeded, StorageFull, IncompleteUpload, StorageUnavailable: as `blobs.store` says.
    """
    blob = blobs.store(
        _checked(in_chunks(stream, CHUNK_BYTES)),
        owner_id=model.owner_id,
        media_type=MEDIA_TYPE,
        filename=filename,
        max_bytes=max_bytes,
        quota_bytes=quota_bytes,
    )
    sha256 = bytes.fromhex(blob.sha256)
    try:
        with engine.begin() as connection:
            values = {"owner_id": model.owner_id, "sha256": sha256, "blob_id": blob.id, "size": blob.size}
            kept: UUID = connection.execute(_KEEP, values).scalar_one()
            taken = connection.execute(_TAKE, {"sha256": sha256, "id": model.id, "revision": model.revision}).scalar()
            if taken is None:
                raise FileNotTaken("The model was changed while the file came: by another upload, or deleted.")
    except BaseException:
        blobs.delete(blob.id)
        raise
    if kept != blob.id:
        blobs.delete(blob.id)
    if model.sha256 is not None and model.sha256 != blob.sha256:
        forget_unused(engine, model.owner_id, model.sha256)
    return blob


def forget_unused(engine: Engine, owner_id: UUID, sha256: str) -> bool:
    """Delete a file that no model is made of any more; whether it was so."""
    try:
        with engine.begin() as connection:
            values = {"owner_id": owner_id, "sha256": bytes.fromhex(sha256)}
            blob_id = connection.execute(_FORGET_UNUSED, values).scalar()
    except IntegrityError as error:
        if isinstance(error.orig, ForeignKeyViolation):  # another model was made of it this very moment
            return False
        raise
    if blob_id is not None:
        blobs.delete(blob_id)
    return blob_id is not None


def unused(engine: Engine, limit: int) -> list[tuple[UUID, str]]:
    """Owners and contents of files that no model is made of: whoever was to forget them did not live to do it."""
    with engine.connect() as connection:
        return [(owner_id, sha256) for owner_id, sha256 in connection.execute(_UNUSED, {"limit": limit})]


def local_copy(settings: Settings, model: Served) -> Path:
    """The model's file on this machine's disk, which is a cache: read from storage when it is not there.

    Raises:
        NotFound: the file is gone: the model was deleted.
        BlobLost, StorageUnavailable: its bytes cannot be had.
    """
    if model.sha256 is None or model.blob_id is None or model.size is None:
        raise NotFound("The model has no file.")
    folder = settings.home / "models"
    path = folder / f"{model.sha256}.onnx"
    with suppress(OSError):
        if path.stat().st_size == model.size:
            os.utime(path)
            return path
    folder.mkdir(parents=True, exist_ok=True)
    _make_room(folder, COPIES_OF_THE_CACHE * settings.model_cache_bytes - model.size)
    digest = hashlib.sha256()
    with NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as copy:
        try:
            for chunk in blobs.read(model.blob_id):
                digest.update(chunk)
                copy.write(chunk)
            if digest.hexdigest() != model.sha256:
                raise BlobLost("The stored file is not the one that was sent.")
            os.replace(copy.name, path)
        except BaseException:
            os.unlink(copy.name)
            raise
    return path


def drop_copy(settings: Settings, sha256: str) -> None:
    """Remove this machine's copy of a file."""
    with suppress(OSError):
        (settings.home / "models" / f"{sha256}.onnx").unlink()


def _make_room(folder: Path, most_bytes: int) -> None:
    """Remove the copies that were used longest ago, until the rest has at most so many bytes."""
    copies = []
    for path in folder.iterdir():
        with suppress(OSError):
            found = path.stat()
            copies.append((found.st_mtime, found.st_size, path))
    used = sum(size for _, size, _ in copies)
    for _, size, path in sorted(copies):
        if used <= most_bytes:
            return
        with suppress(OSError):
            path.unlink()
            used -= size


def _checked(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same chunks, unless they are nothing, or begin like another kind of file."""
    first = next(chunks, b"")
    if not first:
        raise InvalidModel("The file is empty.")
    if other := other_format(first):
        raise InvalidModel(f"The file is not ONNX: it is {other}.")
    return chain((first,), chunks)
