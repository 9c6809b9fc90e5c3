"""What a photo shows as a whole: the likeliest of ImageNet's 1,000 classes, by EfficientNet-Lite0.

Source: Tan and Le 2019; Google's Lite variants (`tensorflow/tpu`, `models/official/efficientnet/lite`). Preprocessing
is that of their evaluation code (`efficientnet_lite_builder.py`, `preprocessing.py`): the central square of
224 / (224 + 32) of the short side, bicubic to 224, RGB, (x - 127) / 128. One thing differs: our resize is antialiased.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
from pydantic import BaseModel, Field

from thetool.weights.sessions import open_session

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from thetool.vision.photo import Photo

INPUT_SIZE = 224
CROP_PADDING = 32
SURE = 0.3
"""Below it the best guess is more often wrong than right, and `sure` is false."""
MOST = 5

_MEAN, _SPREAD = 127.0, 128.0  # the Lite models' own, not ImageNet's mean and deviation


class Label(BaseModel):
    """One guess at what a photo shows."""

    id: int = Field(
        ge=0, description="Number of the ImageNet class, from 0: stays when its name changes.", examples=[967]
    )
    label: str = Field(description="Name of the ImageNet class; no two classes share one.", examples=["espresso"])
    confidence: float = Field(ge=0, le=1, description="Probability that the model gives it; all 1,000 sum to 1.")


class Labels(BaseModel):
    """What a photo shows as a whole."""

    items: list[Label] = Field(description="The five likeliest classes, likeliest first.")
    sure: bool = Field(description="False when the likeliest has less than .3: then take it for a guess.")


class Classifier:
    """The model in memory (about 50 MB). Safe to use from several threads.

    Args:
        files: `model.onnx`, with the input `image` (N, 3, 224, 224) and the output `probabilities` (N, 1000), and
            `names.json`, a list of the 1,000 names in index order.
        threads: cores that one run uses.

    Raises:
        ValueError: the names are not as many as the classes.
    """

    def __init__(self, files: Mapping[str, Path], threads: int = 1) -> None:
        self.names: list[str] = orjson.loads(files["names.json"].read_bytes())
        self._session = open_session(files["model.onnx"], threads=threads)
        classes = self._session.get_outputs()[0].shape[-1]
        if classes != len(self.names):
            raise ValueError(f"{files['names.json']} has {len(self.names)} names for {classes} classes")

    def probabilities(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The probability of each class, for pixels (height, width, 3), RGB."""
        (rows,) = self._session.run(None, {"image": _prepared(pixels)})
        found: NDArray[np.float32] = rows[0]
        return found


def find_labels(photo: Photo, classifier: Classifier) -> Labels:
    """The five likeliest classes of what the photo shows."""
    probabilities = classifier.probabilities(photo.pixels)
    best = probabilities.argsort()[::-1][:MOST]
    items = [
        Label(id=i, label=classifier.names[i], confidence=round(min(1.0, float(probabilities[i])), 4))
        for i in best.tolist()
    ]
    return Labels(items=items, sure=items[0].confidence >= SURE)


def _prepared(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The central square as a batch of one, channels first."""
    import numpy as np
    from PIL import Image

    height, width = pixels.shape[:2]
    side = max(1, int(INPUT_SIZE / (INPUT_SIZE + CROP_PADDING) * min(width, height)))
    left, top = (width - side + 1) // 2, (height - side + 1) // 2
    square = Image.fromarray(pixels[top : top + side, left : left + side])
    small = square.resize((INPUT_SIZE, INPUT_SIZE), Image.Resampling.BICUBIC, reducing_gap=2.0)
    batch: NDArray[np.float32] = (np.asarray(small, np.float32) - _MEAN) / _SPREAD
    return np.ascontiguousarray(batch.transpose(2, 0, 1)[None])
