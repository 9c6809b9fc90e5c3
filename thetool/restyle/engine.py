"""The models of this process on its device: loaded when first needed, kept, let go of when idle; what they did, cached.

Whoever has pictures to paint puts them on the easel. One thread at a time paints; it takes along what others have put
there that fits into the same call, so that waiting jobs of one size share a batch.
"""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, cast

import structlog

from thetool import gpu
from thetool.config import Settings
from thetool.restyle.kept import Kept
from thetool.restyle.loading import Painters, load
from thetool.restyle.painting import AllStopped, Picture, paint
from thetool.restyle.problems import OutOfDeviceMemory

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from thetool.vision.masks import Box, Masks

    Pixels = NDArray[np.uint8]

log = structlog.get_logger(__name__)

Made = TypeVar("Made")
KEPT_DEPTHS = 32
KEPT_WORDS = 64
LOOK_SECONDS = 0.1
GATHER_SECONDS = 1.0


class Engine:
    """One for a process. Safe to use from several threads, of which one at a time computes on the device."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._computing = threading.RLock()
        self._painters: Painters | None = None
        self._used_at = time.monotonic()
        self._timer: threading.Timer | None = None
        self._easel: list[Picture] = []
        self._easel_lock = threading.Lock()
        self._preparing: set[int] = set()
        self._depths = Kept(KEPT_DEPTHS)
        self._words = Kept(KEPT_WORDS)
        self.batches: list[int] = []
        """How many pictures each of the last calls painted."""

    @contextmanager
    def on_device(self, check: Callable[[], None] = lambda: None) -> Iterator[Painters]:
        """The loaded models, for this thread alone; `check` is called while others have them, and may raise.

        Raises:
            WeightsUnavailable: they cannot be loaded.
            DeviceLost: the device failed; the job may succeed on another.
        """
        while not self._computing.acquire(timeout=LOOK_SECONDS):
            check()
        try:
            yield self._loaded()
        except RuntimeError as error:
            if is_lost(error):
                self.unload()
                raise gpu.report_lost(error) from error
            raise
        finally:
            self._used_at = time.monotonic()
            self._unload_later()
            self._computing.release()

    def depth(self, key: Hashable, make: Callable[[Painters], Made], check: Callable[[], None]) -> Made:
        """What `make` gives, or gave for the same key: one photo in five styles has its depth found once."""
        return self._kept(self._depths, key, make, check)

    def objects(self, pixels: Pixels, boxes: Sequence[Box], check: Callable[[], None]) -> Masks | None:
        """The masks of what is in boxes; None where there is no model for it."""
        with self.on_device(check) as painters:
            return None if painters.masks is None else painters.masks.find(pixels, boxes)

    def paint(self, pictures: Sequence[Picture], check: Callable[[], None]) -> float:
        """Paint these, with whatever fits of others; gives the seconds of the device that they took.

        Args:
            pictures: of one job.
            check: is called while they wait for their turn, and may raise to take them off the easel.

        Raises:
            Whatever `check` or their watches raised: Interrupted, mostly.
            OutOfDeviceMemory: the device is too small for one of them.
        """
        with self._easel_lock:
            self._easel += pictures
            self._preparing.discard(threading.get_ident())
        try:
            self._gather(pictures, check)
            while any(waits(picture) for picture in pictures):
                check()
                if self._computing.acquire(timeout=LOOK_SECONDS):
                    try:
                        self._paint_next(pictures)
                    finally:
                        self._computing.release()
        except BaseException as error:
            with self._easel_lock:
                self._easel = [picture for picture in self._easel if picture not in pictures]
            for picture in pictures:  # another thread may be painting them
                picture.stopped = picture.stopped or error
            raise
        for picture in pictures:
            if picture.stopped is not None:
                raise picture.stopped
        return sum(picture.seconds for picture in pictures)

    @contextmanager
    def preparing(self) -> Iterator[None]:
        """Say that this thread will soon have pictures to paint: who paints waits a moment for them."""
        with self._easel_lock:
            self._preparing.add(threading.get_ident())
        try:
            yield
        finally:
            with self._easel_lock:
                self._preparing.discard(threading.get_ident())

    def _gather(self, mine: Sequence[Picture], check: Callable[[], None]) -> None:
        """Wait while others prepare theirs, which takes a fraction of a painting, as long as there is room for them."""
        deadline = time.monotonic() + GATHER_SECONDS
        while time.monotonic() < deadline:
            with self._easel_lock:
                alike = sum(picture.key == mine[0].key for picture in self._easel)
                if not self._preparing or alike >= self._settings.restyle_batch:
                    return
            check()
            time.sleep(GATHER_SECONDS / 100)

    def unload(self) -> None:
        """Let go of the device's memory; the next job loads the models again."""
        with self._computing:
            if self._painters is None:
                return
            self._painters = None
            self._depths.clear()
            self._words.clear()
            gc.collect()
            _empty_cache()
            log.info("the restyling models are unloaded")

    @property
    def loaded(self) -> bool:
        """Whether the models are in memory."""
        return self._painters is not None

    def _loaded(self) -> Painters:
        if self._painters is None:
            device = gpu.held() or gpu.Device(gpu.CPU, "CPU")
            self._painters = load(self._settings, device.in_torch())
        return self._painters

    def _next_batch(self, mine: Sequence[Picture]) -> list[Picture]:
        """Pictures off the easel that can be painted in one call, the caller's first one among them."""
        with self._easel_lock:
            first = next((picture for picture in mine if waits(picture) and picture in self._easel), None)
            if first is None:
                return []
            batch = [picture for picture in self._easel if picture.key == first.key]
            batch.sort(key=lambda picture: picture is not first)
            batch = batch[: self._settings.restyle_batch]
            self._easel = [picture for picture in self._easel if picture not in batch]
            return batch

    def _paint_next(self, mine: Sequence[Picture]) -> None:
        """Paint a batch; whatever goes wrong with all of it is told to each."""
        batch = self._next_batch(mine)
        if not batch:  # somebody else took them along
            return
        began = time.monotonic()
        try:
            with self.on_device() as painters:
                self._in_memory(painters, batch)
        except AllStopped:
            log.info("nobody wants the pictures any more", pictures=len(batch))
        except BaseException as error:
            for picture in batch:
                picture.stopped = picture.stopped or error
        for picture in batch:
            picture.seconds += (time.monotonic() - began) / len(batch)
        self.batches = [*self.batches[-99:], len(batch)]

    def _in_memory(self, painters: Painters, batch: list[Picture]) -> None:
        """Paint them all at once; where the device has no room for that, in halves, then in tiles, else not at all."""
        import torch

        try:
            paint(painters, batch, lambda words: self._embedded(painters, words))
            return
        except torch.OutOfMemoryError as error:
            log.warning(
                "too little memory on the device", pictures=len(batch), size=batch[0].size, error=str(error)[:200]
            )
        _empty_cache()
        if len(batch) > 1:
            middle = len(batch) // 2
            self._in_memory(painters, batch[:middle])
            self._in_memory(painters, batch[middle:])
            return
        painters.image_to_image.vae.enable_tiling()
        try:
            paint(painters, batch, lambda words: self._embedded(painters, words))
        except torch.OutOfMemoryError as error:
            _empty_cache()
            width, height = batch[0].size
            raise OutOfDeviceMemory(
                f"The device has too little memory to paint {width} × {height} pixels; ask for quality=fast."
            ) from error
        finally:
            painters.image_to_image.vae.disable_tiling()

    def _embedded(self, painters: Painters, words: str) -> Any:
        """The text encoder's output for these words (1, tokens, numbers)."""

        def encode(painters: Painters) -> Any:
            return painters.image_to_image.encode_prompt(words, painters.device, 1, False)[0]

        return self._kept(self._words, words, encode)

    def _kept(
        self, kept: Kept, key: Hashable, make: Callable[[Painters], Made], check: Callable[[], None] = lambda: None
    ) -> Made:
        with self.on_device(check) as painters:
            if (found := kept.get(key)) is None:
                found = kept.put(key, make(painters))
            return cast(Made, found)

    def _unload_later(self) -> None:
        seconds = self._settings.gpu_idle_unload_seconds
        if self._timer is not None or not seconds or self._painters is None:
            return
        self._timer = threading.Timer(seconds, self._unload_if_idle)
        self._timer.name, self._timer.daemon = "idle-unload", True
        self._timer.start()

    def _unload_if_idle(self) -> None:
        self._timer = None
        with self._computing:
            left = self._used_at + self._settings.gpu_idle_unload_seconds - time.monotonic()
            if left <= 0:
                self.unload()
            else:
                self._unload_later()


def waits(picture: Picture) -> bool:
    """Whether it is neither painted nor given up."""
    return picture.painted is None and picture.stopped is None


def is_lost(error: RuntimeError) -> bool:
    """Whether an error of torch means that its device cannot be used any more by this process.

    Every error of CUDA but a lack of memory leaves its context unusable; torch has types for them since 2.7.
    """
    names = {kind.__name__ for kind in type(error).__mro__}
    if "OutOfMemoryError" in names or "DeviceLost" in names:
        return False
    return "AcceleratorError" in names or str(error).startswith("CUDA error")


def _empty_cache() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()


_engines: dict[Settings, Engine] = {}  # `setdefault` gives all threads the same one


def engine_of(settings: Settings) -> Engine:
    """The engine of this process."""
    return _engines.setdefault(settings, Engine(settings))
