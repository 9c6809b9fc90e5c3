"""Where lines of printed text are in an image: PP-OCRv6's detector, which marks the pixels that are text.

Source: Liao et al. 2020 (Differentiable Binarization); PaddleOCR's `PP-OCRv6_small_det.yml` has the normalisation and
the thresholds. RapidOCR, which exported the model, has others (.5 for each mean and deviation, small images made
larger); here it sees what it was trained with.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from thetool.weights.sessions import open_session

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Corners = NDArray[np.float32]
    """(4, 2): x and y of the upper left, upper right, lower right and lower left corner of a line as it is read."""

LONGEST = 2_000
"""Pixels of the longer side; a larger image is made smaller, which bounds time and memory."""
MOST = 1_000

_MEAN = (0.485, 0.456, 0.406)  # in this order for BGR: so it was trained
_SPREAD = (0.229, 0.224, 0.225)
_GRAIN = 32  # the network halves the image five times
_TEXT = 0.3  # a pixel's probability from which it counts as text
_LINE = 0.6  # the mean probability inside a box from which it is a line
_GROW = 1.5  # the network marks the cores of lines; their boxes are larger by this times area over circumference
_SMALLEST = 3  # pixels of the shorter side of a core


class LineFinder:
    """The detector in memory. Safe to use from several threads.

    Args:
        model: ONNX file with one input (1, 3, height, width) and one output (1, 1, height, width).
        threads: cores that one run uses.
    """

    def __init__(self, model: Path, threads: int = 1) -> None:
        self._session = open_session(model, threads=threads, keeps_memory=False)
        self._input = self._session.get_inputs()[0].name

    def find(self, pixels: Pixels) -> list[Corners]:
        """The corners of each line in pixels (height, width, 3), RGB; in the order in which people read."""
        batch = _prepared(pixels)
        (maps,) = self._session.run(None, {self._input: batch})
        height, width = pixels.shape[:2]
        return in_reading_order(_boxes(maps[0, 0], width, height))


def in_reading_order(lines: list[Corners]) -> list[Corners]:
    """From top to bottom; lines side by side, whose middles are at one height, from left to right."""
    rows: list[list[Corners]] = []
    for line in sorted(lines, key=_middle):
        beside = rows and abs(_middle(line) - _middle(rows[-1][0])) < min(_height(line), _height(rows[-1][0])) / 2
        if beside:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda line: float(line[:, 0].min()))]


def _middle(line: Corners) -> float:
    return float(line[:, 1].mean())


def _height(line: Corners) -> float:
    return float(line[:, 1].max() - line[:, 1].min())


def _prepared(pixels: Pixels) -> NDArray[np.float32]:
    """The image as a batch of one, channels first, its sides multiples of 32."""
    import cv2
    import numpy as np

    height, width = pixels.shape[:2]
    ratio = min(1.0, LONGEST / max(width, height))
    size = [max(_GRAIN, round(side * ratio / _GRAIN) * _GRAIN) for side in (width, height)]
    bgr = cv2.resize(pixels, size)[..., ::-1].transpose(2, 0, 1)
    batch: NDArray[np.float32] = np.ascontiguousarray(bgr[None], np.float32)
    batch /= 255
    batch -= np.array(_MEAN, np.float32)[:, None, None]
    batch /= np.array(_SPREAD, np.float32)[:, None, None]
    return batch


def _boxes(probabilities: NDArray[np.float32], width: int, height: int) -> list[Corners]:
    """A box around each patch of text pixels, in pixels of an image of this size."""
    import cv2
    import numpy as np

    mask = (probabilities > _TEXT).astype(np.uint8)
    outlines, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    scale = np.array([width / mask.shape[1], height / mask.shape[0]], np.float32)
    found = []
    for outline in outlines[:MOST]:
        centre, (a, b), angle = cv2.minAreaRect(outline)
        core = np.asarray(cv2.boxPoints((centre, (a, b), angle)), np.float32)
        if min(a, b) < _SMALLEST or _score(probabilities, core) < _LINE:
            continue
        more = a * b * _GROW / (a + b)  # twice the distance, so much on either side
        corners = np.asarray(cv2.boxPoints((centre, (a + more, b + more), angle)), np.float32) * scale
        found.append(_clockwise(np.clip(corners, 0, [width, height]).astype(np.float32)))
    return found


def _score(probabilities: NDArray[np.float32], corners: Corners) -> float:
    """The mean probability between the corners."""
    import cv2
    import numpy as np

    height, width = probabilities.shape
    left, top = np.clip(np.floor(corners.min(0)), 0, [width - 1, height - 1]).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(0)), 0, [width - 1, height - 1]).astype(int)
    mask = np.zeros((bottom - top + 1, right - left + 1), np.uint8)
    cv2.fillPoly(mask, [(corners - [left, top]).astype(np.int32)], 1)
    return float(cv2.mean(probabilities[top : bottom + 1, left : right + 1], mask)[0])


def _clockwise(corners: Corners) -> Corners:
    """The corners from the upper left one on: of the two left ones the upper, then the upper right one."""
    import numpy as np

    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    upper_left, lower_left = by_x[:2][np.argsort(by_x[:2, 1], kind="stable")]
    upper_right, lower_right = by_x[2:][np.argsort(by_x[2:, 1], kind="stable")]
    return np.stack([upper_left, upper_right, lower_right, lower_left])
