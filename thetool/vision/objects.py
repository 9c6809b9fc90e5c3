"""Which objects a photo shows and where, with any model that finds them: `nanodet.NanoDet`, `yolo.Yolo`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from pydantic import BaseModel, Field

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from thetool.vision.photo import Photo


class DetectedObject(BaseModel):
    """One object in a photo."""

    label: str = Field(description="Name of its class.", examples=["bicycle"])
    confidence: float = Field(ge=0, le=1, description="How sure the model is; not a calibrated probability.")
    box: tuple[float, float, float, float] = Field(
        description="[x_min, y_min, x_max, y_max] in pixels of the upright full-size image."
    )


class Objects(BaseModel):
    """The objects in a photo."""

    items: list[DetectedObject] = Field(description="Surest first.")


class Detections(NamedTuple):
    """What a model found in pixels: one row each, surest first."""

    boxes: NDArray[np.float32]
    """(N, 4): x_min, y_min, x_max, y_max in pixels of the array that was searched."""
    scores: NDArray[np.float32]
    classes: NDArray[np.int64]
    """Indices into the model's `names`."""


class ObjectModel(Protocol):
    """A model that finds objects. Safe to use from several threads."""

    names: Sequence[str]
    """Names of its classes, by index."""
    threshold: float
    """The score that its makers show objects from."""

    def detect(self, pixels: NDArray[np.uint8], threshold: float) -> Detections:
        """Find what scores at least `threshold` in pixels (height, width, 3), RGB."""
        ...


def find_objects(photo: Photo, model: ObjectModel, threshold: float | None = None) -> Objects:
    """The objects in the photo that score at least `threshold` (without it: the one that the model's makers use).

    What a model takes for two kinds of things at the same place is told once, as the likelier (`overlap.likeliest`).
    """
    import numpy as np

    from thetool.vision.overlap import likeliest

    found = likeliest(model.detect(photo.pixels, model.threshold if threshold is None else threshold))
    right, bottom = photo.facts.width, photo.facts.height
    boxes = np.clip(found.boxes * photo.scale, 0, [right, bottom, right, bottom])
    items = [
        DetectedObject(label=model.names[label], confidence=round(min(1.0, float(score)), 4), box=tuple(box))
        for box, score, label in zip(boxes.round(1).tolist(), found.scores, found.classes, strict=True)
    ]
    return Objects(items=items)
