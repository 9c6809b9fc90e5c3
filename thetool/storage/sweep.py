"""Removing blobs whose time is over, and what killed processes left behind."""

from __future__ import annotations

import structlog

from thetool.storage import rows
from thetool.storage.blobs import remove
from thetool.storage.problems import StorageUnavailable
from thetool.storage.state import storage

BATCH = 100

log = structlog.get_logger(__name__)


def sweep() -> int:
    """Delete expired blobs, blobs whose writer fell silent for an hour, and deletions that did not end; how many.

    Safe in several processes at once. What cannot be removed now, because the bucket is away, is tried again later.
    """
    removed = 0
    while batch := sweep_batch():
        removed += batch
    return removed


def sweep_batch() -> int:
    """The same for at most `BATCH` of them."""
    of = storage()
    removed = 0
    for row in rows.mark_deleting_expired(of.engine, BATCH):
        try:
            remove(of, row)
            removed += 1
        except StorageUnavailable as error:
            log.warning("blob not swept", blob_id=str(row.id), error=str(error))
    return removed


def due() -> int:
    """How many blobs a sweep would delete now."""
    return rows.count_expired(storage().engine)
