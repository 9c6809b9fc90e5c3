"""A job's progress on its way into the database: often said, seldom written."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, cast
from uuid import UUID

import structlog
from pydantic import BaseModel

from thetool.database.connection import DatabaseUnavailable
from thetool.jobs.active import Running
from thetool.jobs.context import ChildJob, LostClaim
from thetool.jobs.groups import family
from thetool.jobs.inputs import InputGone
from thetool.jobs.options import JobOptions
from thetool.jobs.payload import clean
from thetool.jobs.queue import Queue
from thetool.jobs.registry import TransientError
from thetool.web.problems import NotFound

log = structlog.get_logger(__name__)

WRITE_SECONDS = 0.25
STAGE_LIMIT = 100
MESSAGE_LIMIT = 1000
DIGITS = 4


class Reporter:
    """The desk of a job in the worker itself: writes its progress, keeps its files.

    Between two writes lie at least `WRITE_SECONDS`; what is said meanwhile is written when the watcher flushes it.
    """

    def __init__(self, queue: Queue, running: Running) -> None:
        self._queue = queue
        self._running = running

    def report(self, fraction: float, stage: str | None, message: str | None) -> None:
        """Note the progress, and write it when the last write is long enough ago."""
        running = self._running
        running.fraction = round(fraction, DIGITS)
        running.stage = running.stage if stage is None else clean(stage, STAGE_LIMIT)
        running.message = running.message if message is None else clean(message, MESSAGE_LIMIT)
        running.untold = True
        if time.monotonic() - running.last_told >= WRITE_SECONDS:
            flush(self._queue, running)

    def store(
        self, stream: BinaryIO | bytes, *, media_type: str, filename: str | None, keep_seconds: float | None
    ) -> UUID:
        """Keep a file of the job's owner, among those that the job's listeners are told of at its end."""
        from thetool.access.quotas import storage_quota_of
        from thetool.storage import blobs
        from thetool.storage.state import storage

        claim = self._running.claim
        quota = storage_quota_of(claim.owner_id, storage().engine)
        file_id = blobs.store(
            stream,
            owner_id=claim.owner_id,
            media_type=media_type,
            filename=filename,
            expires_at=None if keep_seconds is None else datetime.now(UTC) + timedelta(seconds=keep_seconds),
            quota_bytes=quota,
        ).id
        noted = {"id": claim.id, "token": claim.token, "blob_id": file_id}
        if not self._queue.connection.run("keep_file", noted):
            blobs.delete(file_id)
            raise LostClaim
        return file_id

    def open(self, file_id: UUID) -> BinaryIO:
        """Open a copy of a stored file of the job's owner."""
        copy = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115  the caller closes it
        try:
            self._fill(copy, file_id)
        except BaseException:
            copy.close()
            raise
        copy.seek(0)
        return copy

    def copy(self, file_id: UUID, path: Path) -> None:
        """Make a copy of a stored file of the job's owner."""
        with path.open("xb") as copy:
            self._fill(copy, file_id)

    def _fill(self, copy: BinaryIO, file_id: UUID) -> None:
        """Write a stored file's bytes; stops between two pieces when the job is to stop."""
        from thetool.storage.problems import StorageUnavailable

        try:
            for piece in self._pieces(file_id):
                self._running.context.checkpoint()
                copy.write(piece)
        except StorageUnavailable as error:
            raise TransientError(str(error)) from error

    def _pieces(self, file_id: UUID) -> Iterator[bytes]:
        from thetool.storage import blobs

        try:
            blob = blobs.get(file_id)
            if blob.owner_id == self._running.claim.owner_id:
                return blobs.read_range(blob, 0, blob.size)
        except NotFound:
            pass
        raise InputGone("The file was deleted before the job came to it: send it again.")

    def spawn(self, kind: str, params: BaseModel, options: JobOptions) -> UUID:
        """Note a child; it is made in the transaction in which this attempt ends."""
        spawned = self._running.context.spawned
        if len(spawned) >= family.MAX_CHILDREN:
            raise family.TooManyChildren(f"A job may have {family.MAX_CHILDREN:,} children.")
        child = family.new_child(self._running.claim, kind, params, options)
        if not spawned:
            self._running.context.on_finish(lambda cursor: family.make_children(self._queue, spawned, cursor))
        spawned.append(child)
        return child.id

    def children(self) -> list[ChildJob]:
        """The children that were made."""
        return family.children_of(self._queue, self._running.claim.id)

    def must_wait(self) -> bool:
        """Whether there are children, made or to be made, that are not finished."""
        context = self._running.context
        return bool(context.spawned) or not all(child.finished for child in context.children)


def flush(queue: Queue, running: Running) -> None:
    """Write what is untold. Progress is no reason to fail: while the database is away it stays untold."""
    if not running.untold or running.abandoned:
        return
    running.untold, running.last_told = False, time.monotonic()
    try:
        if not queue.progress(running.claim, running.fraction, running.stage, running.message):
            running.interrupt(LostClaim)
    except DatabaseUnavailable as error:
        running.untold = True
        log.info("progress not written, the database is away", job_id=str(running.claim.id), error=str(error))
