"""Boxes that overlap are the same object seen twice: keep the surest of them, or merge them into one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from thetool.vision.objects import Detections

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ALIKE = 0.9
"""Boxes of different classes with more than this IoU are one object: their sides differ by some hundredths of it, which
is less than the models themselves are off by. What lies on something else (a rider on a horse) has another outline."""

Metric = Literal["iou", "ios"]
"""What an overlap is divided by: the union of the two boxes, or the smaller of them, which may lie in the other."""


def suppress(found: Detections, overlap: float, most: int) -> Detections:
    """Greedy non-maximum suppression: of boxes of one class with more than that IoU, only the surest stays.

    Returns:
        Up to `most` of them, surest first.
    """
    import numpy as np

    order = np.argsort(-found.scores, kind="stable")
    kept: list[int] = []
    while order.size and len(kept) < most:
        best, rest = int(order[0]), order[1:]
        kept.append(best)
        order = rest[~_same(found, best, rest, overlap, "iou")]
    return Detections(found.boxes[kept], found.scores[kept], found.classes[kept])


def likeliest(found: Detections, overlap: float = ALIKE) -> Detections:
    """Of boxes with more than that IoU, whatever their classes, only the surest: an object is of one class.

    Returns:
        They, surest first.
    """
    import numpy as np

    order = np.argsort(-found.scores, kind="stable")
    kept: list[int] = []
    while order.size:
        best, rest = int(order[0]), order[1:]
        kept.append(best)
        order = rest[~_overlapping(found, best, rest, overlap, "iou")]
    return Detections(found.boxes[kept], found.scores[kept], found.classes[kept])


def merge(found: Detections, overlap: float, cut: NDArray[np.bool_]) -> Detections:
    """Greedy non-maximum merging (Akyon et al. 2022, SAHI) of what slices found: boxes that overlap become one.

    The overlap is measured against the smaller box, so that the part of an object which one slice saw counts as the
    whole that another saw. A box that was `cut` off by the edge of its slice becomes the box around all that overlap
    it; any other is whole, and stays as it is. An object has the score of its surest box.
    """
    import numpy as np

    order = np.argsort(-found.scores, kind="stable")
    kept: list[int] = []
    boxes = found.boxes.copy()
    while order.size:
        best, rest = int(order[0]), order[1:]
        same = _same(found, best, rest, overlap, "ios")
        if cut[best]:
            group = boxes[[best, *rest[same].tolist()]]
            boxes[best] = np.concatenate([group[:, :2].min(0), group[:, 2:].max(0)])
        kept.append(best)
        order = rest[~same]
    return Detections(boxes[kept], found.scores[kept], found.classes[kept])


def joined(parts: list[Detections]) -> Detections:
    """All that several searches found."""
    import numpy as np

    return Detections(
        np.concatenate([np.empty((0, 4), np.float32), *(part.boxes for part in parts)]),
        np.concatenate([np.empty(0, np.float32), *(part.scores for part in parts)]),
        np.concatenate([np.empty(0, np.int64), *(part.classes for part in parts)]),
    )


def _same(found: Detections, best: int, rest: NDArray[np.int64], overlap: float, metric: Metric) -> NDArray[np.bool_]:
    """Which of `rest` are of the class of `best` and overlap it by more than `overlap`."""
    same: NDArray[np.bool_] = _overlapping(found, best, rest, overlap, metric) & (
        found.classes[rest] == found.classes[best]
    )
    return same


def _overlapping(
    found: Detections, best: int, rest: NDArray[np.int64], overlap: float, metric: Metric
) -> NDArray[np.bool_]:
    """Which of `rest` overlap `best` by more than `overlap`."""
    import numpy as np

    box, others = found.boxes[best], found.boxes[rest]
    size = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    common = np.clip(size, 0, None).prod(1)
    area, areas = (box[2:] - box[:2]).prod(), (others[:, 2:] - others[:, :2]).prod(1)
    whole = np.minimum(area, areas) if metric == "ios" else area + areas - common
    over: NDArray[np.bool_] = common > overlap * whole
    return over
