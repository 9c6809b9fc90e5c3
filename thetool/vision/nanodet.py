"""NanoDet-g on ONNX Runtime: the 80 classes of COCO. A small model (published mAP 22.9): scores should be shown.

Source: RangiLyu, https://github.com/RangiLyu/nanodet. Preprocessing and decoding are upstream's (`nanodet-g.yml`,
`warp.py`, `gfl_head.py`): the aspect ratio is kept, the picture lies in the middle of a black square of 416 pixels,
BGR, a mean and a deviation for each channel; a box's sides are expectations over 11 bins (Li et al. 2020, Generalized
Focal Loss). One thing differs: upstream's bilinear resize is not antialiased, ours is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from thetool.vision.coco import NAMES
from thetool.vision.objects import Detections
from thetool.vision.overlap import joined, suppress
from thetool.weights.sessions import open_session

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

INPUT_SIZE = 416
STRIDES = (8, 16, 32)
MOST = 100
"""Objects in one picture, as in upstream's configuration; so is the overlap."""
OVERLAP = 0.6

_BINS = 11  # reg_max 10
_MEAN = (103.53, 116.28, 123.675)  # BGR
_SPREAD = (57.375, 57.12, 58.395)


class _Placement(NamedTuple):
    """Where the scaled picture lies on the square canvas: one number for x, one for y."""

    offset: tuple[int, int]
    scale: tuple[float, float]


class NanoDet:
    """The model in memory (about 45 MB). Safe to use from several threads.

    Args:
        files: `model.onnx`, with one input (1, 3, 416, 416) and six outputs (1, cells, 80 or 44): for each of three
            strides the scores of the classes and the bins of the boxes.
        threads: cores that one run uses.

    Raises:
        ValueError: the file holds another model.
    """

    names: Sequence[str] = NAMES
    threshold = 0.35  # upstream's own demo shows objects from it

    def __init__(self, files: Mapping[str, Path], threads: int = 1) -> None:
        self._session = open_session(files["model.onnx"], threads=threads)
        self._input = self._session.get_inputs()[0].name
        outputs = {tuple(output.shape[1:]): output.name for output in self._session.get_outputs()}
        cells = [(INPUT_SIZE // stride) ** 2 for stride in STRIDES]
        try:
            self._outputs = [outputs[count, width] for count in cells for width in (len(NAMES), 4 * _BINS)]
        except KeyError:
            raise ValueError(f"{files['model.onnx']} is not NanoDet-g: its outputs are {sorted(outputs)}") from None

    def detect(self, pixels: NDArray[np.uint8], threshold: float) -> Detections:
        """Find what scores at least `threshold` in pixels (height, width, 3), RGB."""
        batch, placement = _prepared(pixels)
        outputs = self._session.run(self._outputs, {self._input: batch})
        levels = zip(outputs[::2], outputs[1::2], STRIDES, strict=True)
        found = joined([_decoded(scores[0], bins[0], stride, threshold) for scores, bins, stride in levels])
        kept = suppress(found, OVERLAP, MOST)
        boxes = (kept.boxes - placement.offset * 2) / (placement.scale * 2)
        return kept._replace(boxes=boxes.astype(kept.boxes.dtype))


def _prepared(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], _Placement]:
    """Lay the picture onto a black square, as a batch of one, channels first."""
    import numpy as np
    from PIL import Image

    height, width = pixels.shape[:2]
    ratio = INPUT_SIZE / max(width, height)
    small_width, small_height = max(1, round(width * ratio)), max(1, round(height * ratio))
    left, top = (INPUT_SIZE - small_width) // 2, (INPUT_SIZE - small_height) // 2
    picture = Image.fromarray(pixels)
    small = picture.resize((small_width, small_height), Image.Resampling.BILINEAR, reducing_gap=2.0)
    batch = np.zeros((1, 3, INPUT_SIZE, INPUT_SIZE), np.float32)
    batch[0, :, top : top + small_height, left : left + small_width] = np.asarray(small)[..., ::-1].transpose(2, 0, 1)
    batch -= np.array(_MEAN, np.float32)[:, None, None]
    batch /= np.array(_SPREAD, np.float32)[:, None, None]
    return batch, _Placement((left, top), (small_width / width, small_height / height))


def _decoded(scores: NDArray[np.float32], bins: NDArray[np.float32], stride: int, threshold: float) -> Detections:
    """What one level of the pyramid found, in pixels of the canvas; a cell may stand for several classes."""
    import numpy as np

    cells, classes = np.nonzero(scores >= threshold)
    logits = bins[cells].reshape(-1, 4, _BINS)
    weights = np.exp(logits - logits.max(-1, keepdims=True))
    distances = (weights / weights.sum(-1, keepdims=True)) @ np.arange(_BINS, dtype=np.float32) * stride
    row = INPUT_SIZE // stride
    centres = (np.stack([cells % row, cells // row], 1).astype(np.float32) + 0.5) * stride
    boxes = np.concatenate([centres - distances[:, :2], centres + distances[:, 2:]], 1)
    return Detections(boxes, scores[cells, classes], classes)
