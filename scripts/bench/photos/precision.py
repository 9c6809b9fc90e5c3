"""Mean average precision as COCO defines it: over classes, and over overlaps from .50 to .95."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

OVERLAPS = np.arange(0.5, 0.96, 0.05)
RECALLS = np.linspace(0, 1, 101)


class Found(NamedTuple):
    """What a model found in one photo; `classes` are names."""

    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    classes: Sequence[str]


class Picture(NamedTuple):
    """What is in a photo, and what was found in it. What is of no class of `counted` does not count; None: all do."""

    objects: Sequence[tuple[str, NDArray[np.float64]]]
    found: Found
    counted: frozenset[str] | None = None


def mean_average_precision(pictures: Sequence[Picture], overlaps: Sequence[float] = tuple(OVERLAPS)) -> float:
    """The mean over the classes that are there of the area under their curve of precision over recall."""
    classes = sorted({label for picture in pictures for label, _ in picture.objects})
    return float(np.mean([[_average_precision(pictures, label, overlap) for label in classes] for overlap in overlaps]))


def precision_and_recall(pictures: Sequence[Picture], threshold: float, overlap: float = 0.5) -> tuple[float, float]:
    """The share of what was found from `threshold` on that is right, and the share of what is there that was found."""
    right = said = there = 0
    for picture in pictures:
        labels = {label for label, _ in picture.objects} | set(picture.found.classes)
        for label in labels if picture.counted is None else labels & picture.counted:
            scores, hits, objects = _hits(picture, label, overlap)
            right += int(hits[scores >= threshold].sum())
            said += int((scores >= threshold).sum())
            there += objects
    return right / max(said, 1), right / max(there, 1)


def _average_precision(pictures: Sequence[Picture], label: str, overlap: float) -> float:
    parts = [
        _hits(picture, label, overlap) for picture in pictures if picture.counted is None or label in picture.counted
    ]
    scores = np.concatenate([part[0] for part in parts])
    hits = np.concatenate([part[1] for part in parts])[np.argsort(-scores, kind="stable")]
    right = np.cumsum(hits)
    recall = right / sum(part[2] for part in parts)
    precision = np.maximum.accumulate((right / np.arange(1, len(hits) + 1))[::-1])[::-1]
    places = np.searchsorted(recall, RECALLS, side="left")
    return float(np.mean([precision[place] if place < len(precision) else 0.0 for place in places]))


def _hits(picture: Picture, label: str, overlap: float) -> tuple[NDArray[np.float64], NDArray[np.bool_], int]:
    """Scores of what was found of a class, surest first; whether each is an object (once); how many there are."""
    chosen = np.array([name == label for name in picture.found.classes], bool)
    scores = np.asarray(picture.found.scores)[chosen]
    order = np.argsort(-scores, kind="stable")
    boxes = np.asarray(picture.found.boxes).reshape(-1, 4)[chosen][order]
    objects = [box for name, box in picture.objects if name == label]
    free = list(range(len(objects)))
    hits = np.zeros(len(boxes), bool)
    for place, box in enumerate(boxes):
        best = max(free, key=lambda number: iou(box, objects[number]), default=None)
        if best is not None and iou(box, objects[best]) >= overlap:
            free.remove(best)
            hits[place] = True
    return scores[order], hits, len(objects)


def iou(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """The overlap of two boxes: what they share, divided by what they cover."""
    size = np.clip(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0, None)
    common = size.prod()
    return float(common / ((one[2:] - one[:2]).prod() + (other[2:] - other[:2]).prod() - common))
