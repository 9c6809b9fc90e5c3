"""Searching a large photo in slices beside the whole, so that small objects are found: with any model.

Source: Akyon et al. 2022, Slicing Aided Hyper Inference (SAHI). A model sees a photo at its own size (416 or 640
pixels), so that ten of 4,000 pixels become one; in a slice they stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from thetool.vision.objects import Detections, ObjectModel
from thetool.vision.overlap import joined, merge

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAME = 0.5
"""Two boxes of one class are one object when they share more than this of the smaller one (SAHI's default)."""

_EDGE = 4  # pixels: a box that ends so near to an edge was cut off by it


class Sliced:
    """A model that searches slices, and the whole as well: an object larger than a slice is seen there only.

    Args:
        model: what searches each of them.
        size: pixels of a slice's sides.
        overlap: share of a slice that the next one sees too, so that an object at an edge is whole in one of them.

    Raises:
        ValueError: the size or the overlap makes no slices.
    """

    def __init__(self, model: ObjectModel, size: int = 640, overlap: float = 0.2) -> None:
        if size < 1 or not 0 <= overlap < 1:
            raise ValueError(f"slices of {size} pixels cannot overlap by {overlap}")
        self._model = model
        self._size = size
        self._step = max(1, int(size * (1 - overlap)))
        self.names: Sequence[str] = model.names
        self.threshold: float = model.threshold

    def detect(self, pixels: NDArray[np.uint8], threshold: float) -> Detections:
        """Find what scores at least `threshold` in pixels (height, width, 3), RGB."""
        import numpy as np

        height, width = pixels.shape[:2]
        whole = self._model.detect(pixels, threshold)
        if max(height, width) <= self._size:
            return whole
        found, cut = [whole], [np.zeros(len(whole.scores), bool)]
        for top in self._starts(height):
            for left in self._starts(width):
                part = self._model.detect(pixels[top : top + self._size, left : left + self._size], threshold)
                part = part._replace(boxes=part.boxes + np.array([left, top] * 2, part.boxes.dtype))
                found.append(part)
                cut.append(self._cut_off(part.boxes, (left, top), (width, height)))
        return merge(joined(found), SAME, np.concatenate(cut))

    def _cut_off(
        self, boxes: NDArray[np.float32], corner: tuple[int, int], sides: tuple[int, int]
    ) -> NDArray[np.bool_]:
        """Which boxes end where the slice with this upper left corner ends, but not the photo with these sides."""
        import numpy as np

        start = np.array(corner)
        before = (boxes[:, :2] <= start + _EDGE) & (start > 0)
        after = (boxes[:, 2:] >= start + self._size - _EDGE) & (start + self._size < np.array(sides))
        return np.asarray((before | after).any(1), np.bool_)

    def _starts(self, length: int) -> Iterator[int]:
        """Where slices begin along a side; the last one ends with it."""
        last = max(0, length - self._size)
        yield from range(0, last, self._step)
        yield last
