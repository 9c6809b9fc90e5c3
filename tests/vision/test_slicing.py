"""Searching in slices: every pixel is looked at, and one object seen by several slices is one."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.vision.test_objects import pasted
from thetool.vision.objects import Detections, ObjectModel, find_objects
from thetool.vision.photo import Photo
from thetool.vision.slicing import Sliced


class BrightPixels:
    """A model that finds the box around all bright pixels, and remembers where it looked."""

    names = ("bright",)
    threshold = 0.5

    def __init__(self) -> None:
        self.seen: list[NDArray[np.uint8]] = []

    def detect(self, pixels: NDArray[np.uint8], threshold: float) -> Detections:
        self.seen.append(pixels)
        ys, xs = np.nonzero(pixels[..., 0] > 200)
        if not len(xs):
            return Detections(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int64))
        box = np.array([[xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]], np.float32)
        return Detections(box, np.array([0.9], np.float32), np.array([0]))


@pytest.mark.parametrize("shape", [(70, 190), (64, 65), (200, 10), (129, 129)], ids=str)
def test_every_pixel_is_in_a_slice_of_that_size(shape: tuple[int, int]) -> None:
    model = BrightPixels()
    pixels = np.arange(shape[0] * shape[1]).reshape(shape)
    Sliced(model, 64).detect(np.stack([pixels] * 3, 2), 0.5)  # type: ignore[arg-type]
    whole, *slices = model.seen
    assert whole.shape[:2] == shape
    assert set(pixels.ravel()) == set(np.concatenate([part[..., 0].ravel() for part in slices]))
    assert all(part.shape[:2] == (min(64, shape[0]), min(64, shape[1])) for part in slices)


def test_an_object_over_several_slices_is_one() -> None:
    pixels = np.zeros((900, 900, 3), np.uint8)
    pixels[400:560, 380:610] = 255
    found = Sliced(BrightPixels(), 500, 0.3).detect(pixels, 0.5)
    assert found.boxes.tolist() == [[380, 400, 610, 560]]


def test_a_small_photo_is_searched_once() -> None:
    model = BrightPixels()
    Sliced(model, 640).detect(np.zeros((640, 500, 3), np.uint8), 0.5)
    assert len(model.seen) == 1


@pytest.mark.parametrize(("size", "overlap"), [(0, 0.2), (640, 1), (640, -0.1)])
def test_slices_that_are_none_are_refused(size: int, overlap: float) -> None:
    with pytest.raises(ValueError, match="slices"):
        Sliced(BrightPixels(), size, overlap)


def test_finds_what_is_too_small_in_the_whole(cat: Photo, detector: ObjectModel) -> None:
    photo = pasted(cat, (2400, 1200), (1300, 500), shrink=0.5)
    assert "cat" not in [item.label for item in find_objects(photo, detector).items]
    cats = [item for item in find_objects(photo, Sliced(detector, 600)).items if item.label == "cat"]
    assert len(cats) == 1
    assert np.abs(np.array(cats[0].box) - [1300, 500, 1300 + 220, 500 + 150]).max() < 40
