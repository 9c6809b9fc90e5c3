"""YOLO by the package `ultralytics`, where requirements-gpu.txt is installed. Its licence is AGPL-3.0.

Source: Jocher et al., https://github.com/ultralytics/ultralytics. Preprocessing, decoding and non-maximum suppression
are the package's own.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import TYPE_CHECKING, Any

from thetool.vision.objects import Detections
from thetool.vision.torch_ops import make_torchvision_importable
from thetool.weights.problems import PackageMissing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

OVERLAP = 0.7
"""The package's own default, as is `threshold`."""

# Read when the package is imported: it must not call out, install packages or keep settings in somebody's home.
_QUIET = {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false", "YOLO_VERBOSE": "false"}


class Yolo:
    """One YOLO model in memory. Safe to use from several threads, one of which runs at a time.

    Args:
        checkpoint: a `.pt` file of the package; it is a pickle, so only one that the catalogue's SHA-256 vouches for.
        device: such as `cuda:0`; None is the first CUDA device, or else the CPU.

    Raises:
        PackageMissing: the package is not installed.
    """

    threshold = 0.25

    def __init__(self, checkpoint: Path, device: str | None = None) -> None:
        self._model = package().YOLO(str(checkpoint), task="detect")
        self._device = device
        self._running = Lock()  # a model keeps its predictor, and so what it is predicting, in itself
        named: dict[int, str] = self._model.names
        self.names: Sequence[str] = [named[index] for index in range(len(named))]

    def detect(self, pixels: NDArray[np.uint8], threshold: float) -> Detections:
        """Find what scores at least `threshold` in pixels (height, width, 3), RGB."""
        import numpy as np

        bgr = np.ascontiguousarray(pixels[..., ::-1])
        with self._running:
            options = {"conf": threshold, "iou": OVERLAP, "device": self._device, "verbose": False}
            boxes = self._model.predict(bgr, **options)[0].boxes.cpu().numpy()
        order = np.argsort(-boxes.conf, kind="stable")
        scores, classes = boxes.conf.astype(np.float32), boxes.cls.astype(np.int64)
        return Detections(boxes.xyxy.astype(np.float32)[order], scores[order], classes[order])


def package() -> Any:
    """The package, imported so that it keeps quiet."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    os.environ.setdefault("YOLO_CONFIG_DIR", _home())
    try:
        make_torchvision_importable()
        import ultralytics
    except ImportError as error:
        what = f"YOLO runs with the package ultralytics, which cannot be imported: {error}."
        how_to = "run: pip install -r requirements-gpu.txt (its licence is AGPL-3.0)"
        raise PackageMissing("objects", what, how_to) from error
    ultralytics.settings.update({"sync": False})  # no statistics to its makers
    return ultralytics


@cache
def _home() -> str:
    """A folder for what the package writes when it is imported; it goes with the process."""
    folder = TemporaryDirectory(prefix="thetool-ultralytics-")
    atexit.register(folder.cleanup)
    return folder.name
