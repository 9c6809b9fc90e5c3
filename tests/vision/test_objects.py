"""Objects, with the real model: what is found, and where."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from thetool.config import Settings
from thetool.vision import nanodet
from thetool.vision.coco import NAMES
from thetool.vision.nanodet import NanoDet
from thetool.vision.objects import Detections, ObjectModel, find_objects
from thetool.vision.photo import Photo, photo_of
from thetool.weights.folder import locate


def pasted(photo: Photo, size: tuple[int, int], at: tuple[int, int], shrink: float = 1) -> Photo:
    """The photo on a black one of another size (width, height)."""
    image = Image.fromarray(photo.pixels)
    image = image.resize((round(image.width * shrink), round(image.height * shrink)))
    canvas = Image.new("RGB", size)
    canvas.paste(image, at)
    return photo_of(np.asarray(canvas))


def best(photo: Photo, detector: ObjectModel, label: str) -> NDArray[np.float64]:
    """The box of the surest object of a class."""
    return np.array(next(item.box for item in find_objects(photo, detector).items if item.label == label))


def test_finds_what_is_there(cat: Photo, detector: ObjectModel) -> None:
    found = find_objects(cat, detector).items
    assert found[0].label == "cat"
    assert found[0].confidence > 0.5
    assert [item.confidence for item in found] == sorted((item.confidence for item in found), reverse=True)


def test_what_is_taken_for_two_things_is_told_as_the_likelier() -> None:
    class Unsure:
        names = ("cat", "dog")
        threshold = 0.35

        def detect(self, pixels: NDArray[np.uint8], threshold: float) -> Detections:
            boxes = np.array([[10, 10, 90, 90], [10, 10, 90, 89]], np.float32)
            return Detections(boxes, np.array([0.57, 0.37], np.float32), np.array([0, 1]))

    found = find_objects(photo_of(np.zeros((100, 100, 3), np.uint8)), Unsure())
    assert [(item.label, item.confidence) for item in found.items] == [("cat", 0.57)]


def test_finds_nothing_in_nothing(detector: ObjectModel) -> None:
    assert find_objects(photo_of(np.zeros((300, 500, 3), np.uint8)), detector).items == []


@pytest.mark.parametrize("size", [(1000, 310), (460, 900), (900, 900)], ids=["wide", "tall", "square"])
def test_boxes_are_in_pixels_of_the_photo_whatever_its_shape(
    size: tuple[int, int], cat: Photo, detector: ObjectModel
) -> None:
    at = (size[0] - cat.facts.width - 5, size[1] - cat.facts.height - 5)
    box = best(pasted(cat, size, at), detector, "cat")
    own = best(cat, detector, "cat") + [*at, *at]
    common = np.clip(np.minimum(box[2:], own[2:]) - np.maximum(box[:2], own[:2]), 0, None).prod()
    union = (box[2:] - box[:2]).prod() + (own[2:] - own[:2]).prod() - common
    assert common / union > 0.6


def test_boxes_are_those_of_the_full_size_and_end_at_its_edges(cat: Photo, detector: ObjectModel) -> None:
    full = replace(cat.facts, width=cat.facts.width * 4 - 1, height=cat.facts.height * 4 - 1)
    large = best(replace(cat, scale=4.0, facts=full), detector, "cat")
    assert np.abs(large - 4 * best(cat, detector, "cat")).max() <= 1.2
    assert (large[2:] <= [full.width, full.height]).all()
    assert (large >= 0).all()


def test_a_lower_threshold_finds_more(coffee: Photo, detector: ObjectModel) -> None:
    few, many = (find_objects(coffee, detector, threshold).items for threshold in (0.35, 0.1))
    assert many[: len(few)] == few
    assert len(many) > len(few)
    assert all(item.confidence >= 0.1 for item in many)
    assert "cup" in [item.label for item in many]


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (416, 417)], ids=str)
def test_any_shape_is_taken(shape: tuple[int, int], detector: ObjectModel) -> None:
    find_objects(photo_of(np.full((*shape, 3), 90, np.uint8)), detector, 0.01)


def test_the_network_sees_the_photo_as_documented() -> None:
    """On a black square of 416 pixels, its aspect ratio kept, in the middle; blue first; each channel normalised."""
    pixels = np.full((208, 832, 3), 0, np.uint8)
    pixels[:] = (10, 20, 30)
    batch, placement = nanodet._prepared(pixels)
    mean, spread = np.array(nanodet._MEAN), np.array(nanodet._SPREAD)
    assert batch.shape == (1, 3, 416, 416)
    assert placement == ((0, 156), (0.5, 0.5))
    assert np.abs(batch[0, :, 200, 200] - (np.array([30, 20, 10]) - mean) / spread).max() < 1e-5
    assert np.abs(batch[0, :, 155, 200] - (0 - mean) / spread).max() < 1e-5


def test_a_box_is_decoded_from_its_distances() -> None:
    """The side of a box is the expectation over 11 bins, times the stride, from the middle of its cell."""
    scores = np.zeros((52 * 52, 80), np.float32)
    bins = np.full((52 * 52, 44), -50, np.float32)
    cell = 10 * 52 + 20  # row 10, column 20, stride 8: its middle is (164, 84)
    scores[cell, 15] = 0.9
    for side, distance in enumerate((1, 2, 3, 10)):
        bins[cell, side * 11 + distance] = 50
    found = nanodet._decoded(scores, bins, 8, 0.5)
    assert found.boxes.tolist() == [[164 - 8, 84 - 16, 164 + 24, 84 + 80]]
    assert NAMES[found.classes[0]] == "cat"
    assert found.scores[0] == pytest.approx(0.9)


def test_another_model_is_refused(weights_dir: Path) -> None:
    files = locate(Settings(WEIGHTS_DIR=weights_dir), "labels")
    with pytest.raises(ValueError, match="is not NanoDet-g"):
        NanoDet(files)
