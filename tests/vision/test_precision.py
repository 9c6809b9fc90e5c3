"""The benchmark's score of detections, against what COCO's definition gives by hand."""

from __future__ import annotations

import numpy as np
import pytest

from scripts.bench.photos.precision import Found, Picture, mean_average_precision, precision_and_recall

ONE, OTHER, NOWHERE = ([0, 0, 10, 10], [20, 0, 30, 10], [50, 50, 60, 60])


def picture(*found: tuple[list[int], float], counted: frozenset[str] | None = None) -> Picture:
    """Two cats, and what was found, all of it as a cat."""
    boxes = np.array([box for box, _ in found], float).reshape(-1, 4)
    scores = np.array([score for _, score in found], float)
    objects = [("cat", np.array(box, float)) for box in (ONE, OTHER)]
    return Picture(objects, Found(boxes, scores, ["cat"] * len(found)), counted)


def test_all_and_nothing() -> None:
    assert mean_average_precision([picture((ONE, 0.9), (OTHER, 0.8))]) == 1
    assert mean_average_precision([picture()]) == 0
    assert mean_average_precision([picture((NOWHERE, 0.9))]) == 0


def test_precision_over_recall_at_101_points() -> None:
    """Hit, miss, hit: precision 1 up to a recall of .5 (51 points), then 2 / 3 (50 points)."""
    found = picture((ONE, 0.9), (NOWHERE, 0.8), (OTHER, 0.7))
    assert mean_average_precision([found], [0.5]) == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert precision_and_recall([found], 0.75) == (0.5, 0.5)


def test_an_object_found_twice_counts_once() -> None:
    assert precision_and_recall([picture((ONE, 0.9), ([0, 0, 10, 11], 0.8))], 0.5) == (0.5, 0.5)


def test_a_loose_box_counts_up_to_its_overlap() -> None:
    """An overlap of .72 is enough for .50, .55, .60, .65 and .70: five of ten."""
    found = picture(([0, 0, 10, 7.2], 0.9), ([20, 0, 30, 7.2], 0.8))  # type: ignore[list-item]
    assert mean_average_precision([found]) == pytest.approx(0.5)


def test_classes_that_were_not_looked_for_do_not_count() -> None:
    extra = Found(np.array([ONE, OTHER, NOWHERE], float), np.array([0.9, 0.8, 0.95]), ["cat", "cat", "spoon"])
    seen = picture()._replace(found=extra)
    assert precision_and_recall([seen], 0.5) == (2 / 3, 1)
    assert precision_and_recall([seen._replace(counted=frozenset({"cat"}))], 0.5) == (1, 1)
