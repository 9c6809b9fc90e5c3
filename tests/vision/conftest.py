"""Real models, each loaded once, photos to try them on, and a decoder for all tests that do not harm it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import thetool
from thetool.config import Settings
from thetool.vision.decoder import Decoder
from thetool.vision.labels import Classifier
from thetool.vision.models import Models
from thetool.vision.objects import ObjectModel
from thetool.vision.ocr import TextReader
from thetool.vision.photo import Photo, photo_of

PHOTOS = Path(thetool.__file__).parent / "pages" / "static" / "photos"


@pytest.fixture(scope="session")
def decoder() -> Iterator[Decoder]:
    decoder = Decoder()
    yield decoder
    decoder.close()


@pytest.fixture(scope="session")
def models(weights_dir: Path) -> Models:
    """The models that the settings choose."""
    return Models(Settings(WEIGHTS_DIR=weights_dir))


@pytest.fixture(scope="session")
def classifier(models: Models) -> Classifier:
    return models.classifier()


@pytest.fixture(scope="session")
def detector(models: Models) -> ObjectModel:
    return models.detector()


@pytest.fixture(scope="session")
def reader(models: Models) -> TextReader:
    return models.reader()


@pytest.fixture(scope="session")
def cat() -> Photo:
    return _photo("cat")


@pytest.fixture(scope="session")
def coffee() -> Photo:
    return _photo("coffee")


def _photo(name: str) -> Photo:
    with Image.open(PHOTOS / f"{name}.jpg") as image:
        return photo_of(np.asarray(image.convert("RGB")))
