"""Boxes of the same object: the surest stays, or they are merged."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thetool.vision.objects import Detections
from thetool.vision.overlap import joined, likeliest, merge, suppress


def detections(*rows: tuple[float, float, float, float, float, int]) -> Detections:
    """One row: the box, its score, its class."""
    table = np.array(rows, np.float32).reshape(-1, 6)
    return Detections(table[:, :4], table[:, 4], table[:, 5].astype(np.int64))


def iou(one: np.ndarray, other: np.ndarray) -> float:
    size = np.clip(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0, None)
    common = float(size[0] * size[1])
    area = [float((box[2] - box[0]) * (box[3] - box[1])) for box in (one, other)]
    return common / (sum(area) - common)


def test_the_surest_of_a_class_stays() -> None:
    found = detections((0, 0, 10, 10, 0.5, 1), (1, 0, 11, 10, 0.9, 1), (0, 0, 10, 10, 0.4, 2), (20, 0, 30, 10, 0.3, 1))
    kept = suppress(found, 0.6, 100)
    assert kept.scores.tolist() == pytest.approx([0.9, 0.4, 0.3])
    assert kept.classes.tolist() == [1, 2, 1]


def test_no_more_than_asked_for() -> None:
    found = detections(*((20.0 * number, 0, 20.0 * number + 9, 9, number / 100, 0) for number in range(50)))
    assert suppress(found, 0.5, 3).scores.tolist() == pytest.approx([0.49, 0.48, 0.47])


def test_one_object_is_of_one_class() -> None:
    dog, cat, cat_again = (0, 0, 100, 100, 0.37, 1), (0, 1, 100, 101, 0.57, 2), (1, 0, 100, 99, 0.2, 2)
    rider, beside = (0, 0, 100, 89, 0.5, 3), (200, 0, 300, 100, 0.4, 1)
    kept = likeliest(detections(dog, cat, rider, beside, cat_again))
    assert kept.scores.tolist() == pytest.approx([0.57, 0.5, 0.4])
    assert kept.classes.tolist() == [2, 3, 1]


def test_what_was_cut_becomes_the_whole_with_the_score_of_the_surest() -> None:
    left, right = (0, 0, 60, 10, 0.8, 7), (25, 0, 100, 12, 0.6, 7)
    other_class, apart = (0, 0, 60, 10, 0.7, 3), (200, 0, 210, 10, 0.5, 7)
    found = detections(left, right, other_class, apart)
    merged = merge(found, 0.5, np.array([True, False, True, True]))
    assert merged.boxes.tolist() == [[0, 0, 100, 12], [0, 0, 60, 10], [200, 0, 210, 10]]
    assert merged.scores.tolist() == pytest.approx([0.8, 0.7, 0.5])


def test_what_was_seen_whole_stays_as_it_is() -> None:
    found = detections((0, 0, 60, 10, 0.8, 7), (25, 0, 100, 12, 0.6, 7))
    assert merge(found, 0.5, np.array([False, True])).boxes.tolist() == [[0, 0, 60, 10]]


def test_nothing_stays_nothing() -> None:
    nothing = joined([])
    assert len(suppress(nothing, 0.5, 10).boxes) == len(likeliest(nothing).boxes) == 0
    assert len(merge(nothing, 0.5, np.zeros(0, bool)).boxes) == 0


box = st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(1, 20), st.integers(1, 20))
row = st.tuples(box, st.integers(1, 100), st.integers(0, 2)).map(
    lambda given: (*given[0][:2], given[0][0] + given[0][2], given[0][1] + given[0][3], given[1] / 100, given[2])
)


@settings(max_examples=60, deadline=None)
@given(st.lists(row, max_size=12))
def test_what_stays_does_not_overlap_and_what_goes_had_a_surer_one(rows: list[tuple]) -> None:  # type: ignore[type-arg]
    found = detections(*rows)
    kept = suppress(found, 0.5, 100)
    stay = list(zip(kept.boxes, kept.scores, kept.classes, strict=True))
    for number, (one, _, one_class) in enumerate(stay):
        assert all(iou(one, other) <= 0.5 + 1e-6 for other, _, c in stay[number + 1 :] if c == one_class)
    for one, score, one_class in zip(*found, strict=True):
        assert any(
            iou(one, other) > 0.5 - 1e-6 and other_score >= score and c == one_class for other, other_score, c in stay
        )
