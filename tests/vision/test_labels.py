"""Labels, with the real model."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from thetool.config import Settings
from thetool.vision import labels
from thetool.vision.labels import Classifier, find_labels
from thetool.vision.photo import Photo, photo_of
from thetool.weights.folder import locate


def test_says_what_a_photo_shows(coffee: Photo, cat: Photo, classifier: Classifier) -> None:
    found = find_labels(coffee, classifier)
    assert (found.items[0].id, found.items[0].label) == (967, "espresso")
    assert found.sure
    assert any("cat" in item.label or "tabby" in item.label for item in find_labels(cat, classifier).items[:2])


def test_five_of_a_thousand_likeliest_first(coffee: Photo, classifier: Classifier) -> None:
    probabilities = classifier.probabilities(coffee.pixels)
    assert probabilities.sum() == pytest.approx(1, abs=1e-4)
    assert len(set(classifier.names)) == len(probabilities) == 1000
    assert [item.id for item in find_labels(coffee, classifier).items] == probabilities.argsort()[::-1][:5].tolist()
    confidences = [item.confidence for item in find_labels(coffee, classifier).items]
    assert confidences == [round(float(value), 4) for value in sorted(probabilities, reverse=True)[:5]]


def test_is_not_sure_of_what_shows_nothing(classifier: Classifier) -> None:
    grey = photo_of(np.full((300, 400, 3), 128, np.uint8))
    found = find_labels(grey, classifier)
    assert found.sure == (found.items[0].confidence >= labels.SURE)
    assert not found.sure


def test_the_network_sees_the_central_square_as_documented() -> None:
    """224 / 256 of the short side, in the middle, (x - 127) / 128, red first."""
    pixels = np.full((256, 512, 3), 0, np.uint8)
    pixels[16:240, 144:368] = (255, 127, 0)  # the square of 224, which needs no resize
    batch = labels._prepared(pixels)
    assert batch.shape == (1, 3, 224, 224)
    assert batch.dtype == np.float32
    expected = (np.array([255, 127, 0]) - 127) / 128
    assert np.abs(batch[0] - expected[:, None, None]).max() < 1e-6


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 2), (223, 225)], ids=str)
def test_any_shape_is_taken(shape: tuple[int, int], classifier: Classifier) -> None:
    photo = photo_of(np.full((*shape, 3), 200, np.uint8))
    assert len(find_labels(photo, classifier).items) == 5


def test_threads_share_one_model(coffee: Photo, cat: Photo, classifier: Classifier) -> None:
    alone = [find_labels(photo, classifier) for photo in (coffee, cat)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda number: find_labels((coffee, cat)[number % 2], classifier), range(12)))
    assert together == alone * 6


def test_names_of_another_model_are_refused(weights_dir: Path, tmp_path: Path) -> None:
    names = tmp_path / "names.json"
    names.write_text('["cat", "dog"]')
    files = locate(Settings(WEIGHTS_DIR=weights_dir), "labels")
    with pytest.raises(ValueError, match="2 names for 1000 classes"):
        Classifier({**files, "names.json": names})
