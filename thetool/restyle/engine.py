"""The models of this process on its device: loaded when first needed, kept, let go of when idle; what they say, too."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar, cast

import structlog

from thetool import gpu
from thetool.config import Settings
from thetool.restyle.controls import find_outlines
from thetool.restyle.easel import Easel
from thetool.restyle.kept import Kept
from thetool.restyle.loading import CANNY, Painters, load
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


class Engine:
    """One for a process. Safe to use from several threads, of which one at a time computes on the device."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._computing = threading.RLock()
        self._painters: Painters | None = None
        self._used_at = time.monotonic()
        self._timer: threading.Timer | None = None
        self.easel = Easel(self._paint, settings.restyle_batch)
        self._depths = Kept(KEPT_DEPTHS)
        self._words = Kept(KEPT_WORDS)

    @contextmanager
    def on_device(self, check: Callable[[], None] = lambda: None) -> Iterator[Painters]:
        """The loaded models, for this thread alone; `check` is called while others have them, and may raise.

        Raises:
            WeightsUnavailable: they cannot be loaded.
            OutOfDeviceMemory: the device has no room for them, or for what is done with them.
            DeviceLost: the device failed; the job may succeed on another.
        """
        while not self._computing.acquire(timeout=LOOK_SECONDS):
            check()
        try:
            yield self._loaded()
        except RuntimeError as error:
            if is_lost(error):
                lost = gpu.report_lost(error)
                with suppress(RuntimeError):  # a lost device cannot even be told to let go
                    self.unload()
                raise lost from error
            if lacks_memory(error):
                _empty_cache()
                raise OutOfDeviceMemory(
                    "The device has too little memory for the models. Another program may use it; else smaller models "
                    "or a larger device are needed."
                ) from error
            raise
        finally:
            self._used_at = time.monotonic()
            self._unload_later()
            self._computing.release()

    def depth(self, key: Hashable, make: Callable[[Painters], Made], check: Callable[[], None]) -> tuple[Made, float]:
        """What `make` gives, or gave for the same key: one photo in five styles has its depth found once.

        Beside it the seconds of the device that it took.
        """
        with self.on_device(check) as painters:
            began = time.monotonic()
            return self._kept(self._depths, key, lambda: make(painters)), time.monotonic() - began

    def outlines(self, pixels: Pixels, check: Callable[[], None]) -> tuple[Pixels, float]:
        """The edge map of a photo at the size of the painting, and the seconds of the device that it took.

        Canny's edges need no device, and are not waited for.
        """
        if self._settings.restyle_edges == CANNY:
            return find_outlines(pixels), 0.0
        with self.on_device(check) as painters:
            began = time.monotonic()
            return find_outlines(pixels, painters.outlines), time.monotonic() - began

    def objects(self, pixels: Pixels, boxes: Sequence[Box], check: Callable[[], None]) -> tuple[Masks | None, float]:
        """The masks of what is in boxes, None where there is no model for it; and the seconds that it took."""
        with self.on_device(check) as painters:
            began = time.monotonic()
            found = None if painters.masks is None else painters.masks.find(pixels, boxes)
            return found, time.monotonic() - began

    def unload(self, patience: float = -1) -> bool:
        """Let go of the device's memory; the next job loads the models again.

        Args:
            patience: for so many seconds at most others may go on computing; -1 is for as long as they do.

        Returns:
            Whether they are unloaded.
        """
        if not self._computing.acquire(timeout=patience):
            return False
        try:
            if self._painters is not None:
                self._painters = None
                self._depths.clear()
                self._words.clear()
                gc.collect()
                _empty_cache()
                log.info("the restyling models are unloaded")
        finally:
            self._computing.release()
        return True

    @property
    def loaded(self) -> bool:
        """Whether the models are in memory."""
        return self._painters is not None

    def _loaded(self) -> Painters:
        if self._painters is None:
            device = gpu.held() or gpu.Device(gpu.CPU, "CPU")
            self._painters = load(self._settings, device.in_torch())
        return self._painters

    def _paint(self, batch: list[Picture]) -> None:
        """Paint a batch; whatever goes wrong with all of it is told to each."""
        began = time.monotonic()
        try:
            with self.on_device() as painters:
                began = time.monotonic()  # to load the models is nobody's painting
                self._in_memory(painters, batch)
        except AllStopped:
            log.info("nobody wants the pictures any more", pictures=len(batch))
        except BaseException as error:
            for picture in batch:
                picture.stopped = picture.stopped or error
        for picture in batch:
            picture.seconds += (time.monotonic() - began) / len(batch)

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
        import torch

        def encode() -> Any:
            with torch.no_grad():  # else what is kept would keep all that it was computed from
                return painters.image_to_image.encode_prompt(words, painters.device, 1, False)[0]

        return self._kept(self._words, words, encode)

    def _kept(self, kept: Kept, key: Hashable, make: Callable[[], Made]) -> Made:
        if (found := kept.get(key)) is None:
            found = kept.put(key, make())
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


def is_lost(error: RuntimeError) -> bool:
    """Whether an error of torch means that its device cannot be used any more by this process.

    Every error of CUDA but a lack of memory leaves its context unusable; torch has types for them since 2.7.
    """
    if lacks_memory(error):
        return False
    names = {kind.__name__ for kind in type(error).__mro__}
    return "AcceleratorError" in names or str(error).startswith("CUDA error")


def lacks_memory(error: RuntimeError) -> bool:
    """Whether an error of torch means that its device has too little memory."""
    return any(kind.__name__ == "OutOfMemoryError" for kind in type(error).__mro__)


def _empty_cache() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()


_engines: dict[Settings, Engine] = {}  # `setdefault` gives all threads the same one


def engine_of(settings: Settings) -> Engine:
    """The engine of this process."""
    return _engines.setdefault(settings, Engine(settings))
