"""JSON in memory takes twenty times the bytes that came: a few large bodies at a time are made into arrays."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from thetool.serving.runtime.problems import PredictionsBusy

LARGE_BYTES = 2**20
AT_ONCE = 2
WAIT_SECONDS = 30.0

_places = threading.BoundedSemaphore(AT_ONCE)


@contextmanager
def decoding(size: int) -> Iterator[None]:
    """Hold this while a body of `size` bytes, which has come, is decoded.

    Raises:
        PredictionsBusy: others that are as large took too long.
    """
    if size < LARGE_BYTES:
        yield
        return
    if not _places.acquire(timeout=WAIT_SECONDS):
        raise PredictionsBusy(
            f"Other requests of more than {LARGE_BYTES // 2**20} MiB of JSON are decoded; send large inputs as .npy "
            "files, or in KServe's binary form.",
            headers={"Retry-After": "5"},
        )
    try:
        yield
    finally:
        _places.release()
