"""Predictions that were made before: in this process, then shared by all of them.

A key is all that the outputs depend on: the model's id, its revision and file, and the inputs bit by bit. So a change
of the model leaves its earlier predictions unreachable, in every process at once; they go when they are the oldest, or
their time is over, or with the model. What goes wrong here is a miss.
"""

from __future__ import annotations

import hashlib
import struct
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
import structlog

from thetool.config import Settings
from thetool.database.hit_counts import HitCounter
from thetool.serving.lookup import Served
from thetool.serving.runtime.checking import Feeds
from thetool.serving.shared_cache import SharedCache

if TYPE_CHECKING:
    import numpy as np

SHARED_FROM_MS = 5.0
"""A model that is quicker is asked again sooner than the shared cache: a round trip takes a good part of that."""
MOST_BYTES = 2**20
"""Outputs of more bytes are not kept."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Kept:
    """Outputs, and how long the run took that made them."""

    outputs: list[Any]
    milliseconds: float


class PredictionCache:
    """The cache of one process and, behind it, the shared one."""

    def __init__(self, settings: Settings, counter: HitCounter, shared: SharedCache) -> None:
        self._settings = settings
        self.counter = counter
        self.local = LocalCache(settings.prediction_cache_bytes)
        self.shared = shared

    @property
    def enabled(self) -> bool:
        """Whether predictions are cached at all."""
        return self._settings.cache_enabled and self._settings.cache_prediction_ttl > 0

    def find(self, key: bytes, *, usual_ms: float | None) -> Kept | None:
        """What was kept by this key.

        Args:
            key: of `key_of`.
            usual_ms: how long the model takes; None when that is not known yet.
        """
        kept = self.local.get(key)
        if kept is None and (usual_ms is None or usual_ms >= SHARED_FROM_MS):
            kept = self._find_shared(key)
        self.counter.count(hit=kept is not None)
        return kept

    def keep(self, key: bytes, model_id: UUID, kept: Kept) -> None:
        """Keep what a run gave."""
        size = _size(kept.outputs)
        if size is None or size > MOST_BYTES:
            return
        # Rows of a shared run are parts of one large array, which would stay with the last of them.
        kept = Kept([out if out.base is None else out.copy() for out in kept.outputs], kept.milliseconds)
        ttl = self._settings.cache_prediction_ttl
        self.local.put(key, kept, size, ttl)
        if kept.milliseconds >= SHARED_FROM_MS:
            self.shared.put(key, model_id, encode(kept), ttl)

    def _find_shared(self, key: bytes) -> Kept | None:
        try:
            found = self.shared.get(key)
            if found is None:
                return None
            data, ttl = found
            kept = decode(data)
        except Exception as error:
            log.warning("the shared cache of predictions failed", error=str(error))
            return None
        self.local.put(key, kept, _size(kept.outputs) or 0, ttl)
        return kept


class LocalCache:
    """The predictions used last, within a budget of bytes."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._lock = threading.Lock()
        self._kept: OrderedDict[bytes, tuple[Kept, int, float]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: bytes) -> Kept | None:
        """What is kept, if its time is not over."""
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            if time.monotonic() >= found[2]:
                self._remove(key)
                return None
            self._kept.move_to_end(key)
            return found[0]

    def put(self, key: bytes, kept: Kept, size: int, ttl: float) -> None:
        """Keep it for so many seconds, in place of those used longest ago."""
        with self._lock:
            if key in self._kept:
                self._remove(key)
            self._kept[key] = kept, size + ENTRY_BYTES, time.monotonic() + ttl
            self._bytes += size + ENTRY_BYTES
            while self._bytes > self._budget:
                self._remove(next(iter(self._kept)))

    def forget(self, model_id: UUID) -> None:
        """Forget what a model gave."""
        with self._lock:
            for key in [key for key in self._kept if key.startswith(model_id.bytes)]:
                self._remove(key)

    def _remove(self, key: bytes) -> None:
        self._bytes -= self._kept.pop(key)[1]


ENTRY_BYTES = 500
"""What an entry takes besides its numbers."""


def key_of(model: Served, feeds: Feeds) -> bytes:
    """The model's id, and SHA-256 of all that the outputs depend on."""
    digest = hashlib.sha256(f"{model.id} {model.revision} {model.sha256}".encode())
    for name in sorted(feeds):
        array = feeds[name]
        digest.update(orjson.dumps([name, array.dtype.str, array.shape]))
        digest.update(orjson.dumps(array.ravel().tolist()) if array.dtype.kind == "O" else _bytes(array))
    return model.id.bytes + digest.digest()


def encode(kept: Kept) -> bytes:
    """Outputs as bytes: the length of a head, the head in JSON, the numbers."""
    head, parts = [], []
    for array in kept.outputs:
        strings = array.ravel().tolist() if array.dtype.kind == "O" else None
        head.append([array.dtype.str, array.shape, strings])
        parts.append(b"" if strings is not None else _bytes(array))
    described = orjson.dumps([kept.milliseconds, head])
    return b"".join([struct.pack("<I", len(described)), described, *map(bytes, parts)])


def decode(data: bytes) -> Kept:
    """The opposite of `encode`; ValueError when it is something else."""
    import numpy as np

    (length,) = struct.unpack_from("<I", data)
    milliseconds, head = orjson.loads(data[4 : 4 + length])
    offset, outputs = 4 + length, []
    for dtype, shape, strings in head:
        if strings is not None:
            array = np.empty(len(strings), dtype=object)
            array[:] = strings
        else:
            count = int(np.prod(shape, dtype=np.int64))
            array = np.frombuffer(data, dtype=dtype, count=count, offset=offset)
            offset += array.nbytes
        outputs.append(array.reshape(shape))
    return Kept(outputs, milliseconds)


def _bytes(array: np.ndarray[Any, Any]) -> Any:
    import numpy as np

    contiguous = np.ascontiguousarray(array)
    return contiguous.tobytes() if contiguous.dtype.kind not in "fiub" else contiguous.view(np.uint8).reshape(-1).data


def _size(outputs: list[Any]) -> int | None:
    """Bytes of the outputs; None where one of them is no tensor."""
    size = 0
    for output in outputs:
        if not hasattr(output, "nbytes"):
            return None
        size += sum(map(len, output.ravel().tolist())) if output.dtype.kind == "O" else output.nbytes
    return size
