"""What is in the photo: its pixels, the objects in it with their outlines, the kind of room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from thetool.config import Settings
from thetool.restyle.engine import Engine
from thetool.restyle.schemas import SeenObject
from thetool.restyle.telling import Telling
from thetool.vision.masks import box_masks, outline
from thetool.vision.models import models_of
from thetool.vision.objects import find_objects
from thetool.vision.photo import Photo
from thetool.weights.problems import WeightsUnavailable
from thetool.weights.used import ModelUsed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

_MOST_OBJECTS = 20


@dataclass(frozen=True)
class Seen:
    """What was seen: objects with their masks (N, height, width) at the size of the photo's pixels."""

    objects: list[SeenObject]
    masks: Mask
    models: list[ModelUsed]

    @property
    def labels(self) -> list[str]:
        """What the objects are."""
        return [item.label for item in self.objects]


def mask_of(photo: Photo, mask: Photo) -> Mask:
    """A decoded mask as (height, width) at the size of the photo's pixels: true where it is light."""
    import numpy as np

    from thetool.restyle.controls import resized

    height, width = photo.pixels.shape[:2]
    return np.asarray(resized(mask.pixels, (width, height)).mean(2) >= 128, np.bool_)


def see(settings: Settings, photo: Photo, engine: Engine, telling: Telling) -> Seen:
    """Find the objects in a photo, and cut them out; what has no model here is left out, and noted."""
    notes = telling.notes
    models = models_of(settings)
    height, width = photo.pixels.shape[:2]
    try:
        found = find_objects(photo, models.detector()).items
    except WeightsUnavailable as missing:
        notes.append(f"Objects were not looked for: {missing.what}")
        return Seen([], box_masks([], height, width), [])
    if len(found) > _MOST_OBJECTS:
        notes.append(f"Of {len(found)} objects the {_MOST_OBJECTS} surest were looked at.")
        found = found[:_MOST_OBJECTS]
    boxes = [tuple(edge / photo.scale for edge in item.box) for item in found]
    cut, seconds = engine.objects(photo.pixels, boxes, telling.check) if found else (None, 0.0)  # type: ignore[arg-type]
    telling.gpu_seconds += seconds
    if cut is None and found:
        notes.append("There is no model here that cuts objects out (RESTYLE_MASK_MODEL): their boxes stand in.")
    masks = box_masks(boxes, height, width) if cut is None else cut.masks  # type: ignore[arg-type]
    objects = [
        SeenObject(
            label=item.label,
            confidence=item.confidence,
            box=item.box,
            outline=[(round(x * photo.scale, 1), round(y * photo.scale, 1)) for x, y in outline(mask)],
            area=round(float(mask.mean()), 4),
            mask_confidence=None if cut is None else round(float(cut.scores[index]), 3),
        )
        for index, (item, mask) in enumerate(zip(found, masks, strict=True))
    ]
    return Seen(objects, masks, [models.used("objects")])
