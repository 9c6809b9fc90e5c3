"""YOLO by ultralytics, where requirements-gpu.txt is installed: an untrained network shows that all of it fits."""

from __future__ import annotations

import numpy as np
import pytest

from thetool.vision.coco import NAMES
from thetool.vision.objects import find_objects
from thetool.vision.photo import Photo
from thetool.vision.slicing import Sliced
from thetool.vision.yolo import Yolo, package

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def yolo(tmp_path_factory: pytest.TempPathFactory) -> Yolo:
    checkpoint = tmp_path_factory.mktemp("yolo") / "yolo11n.pt"
    untrained = package().YOLO("yolo11n.yaml")
    untrained.model.names = dict(enumerate(NAMES))
    untrained.save(checkpoint)
    return Yolo(checkpoint)


def test_gives_objects_as_every_model_does(yolo: Yolo, cat: Photo) -> None:
    assert tuple(yolo.names) == NAMES
    items = find_objects(cat, yolo, 0.0001).items
    assert items
    assert {item.label for item in items} <= set(NAMES)
    assert [item.confidence for item in items] == sorted((item.confidence for item in items), reverse=True)
    boxes = np.array([item.box for item in items])
    assert (boxes >= 0).all()
    assert (boxes <= [cat.facts.width, cat.facts.height] * 2).all()


def test_searches_slices_too(yolo: Yolo, cat: Photo) -> None:
    assert find_objects(cat, Sliced(yolo, 256), 0.0001).items


def test_suppression_is_that_of_every_model(yolo: Yolo) -> None:
    from torch import from_numpy
    from torchvision.ops import nms

    from thetool.vision.objects import Detections
    from thetool.vision.overlap import suppress

    chance = np.random.default_rng(0)
    corner = chance.uniform(0, 80, (400, 2))
    boxes = np.concatenate([corner, corner + chance.uniform(5, 40, (400, 2))], 1).astype(np.float32)
    scores = chance.permutation(400).astype(np.float32)
    kept = suppress(Detections(boxes, scores, np.zeros(400, np.int64)), 0.5, 400)
    assert boxes[nms(from_numpy(boxes), from_numpy(scores), 0.5).numpy()].tolist() == kept.boxes.tolist()
