"""How good a result is: three measures, each a number from 0 to 1 with a meaning, none of them a taste.

They say whether the room is still the same room, whether its colours are the style's, and whether it is sharp. What
makes a picture beautiful they do not know, nor whether a chair looks like a chair.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field

from thetool.vision.edges import find_edges
from thetool.vision.palette import oklab
from thetool.vision.photo import photo_of
from thetool.vision.quality import find_quality

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Mask = NDArray[np.bool_]

STRUCTURE, STYLE, SHARPNESS = 0.2, 0.3, 0.3
"""Below these a result is tried once more with another seed. They are choices, not measurements."""

_TOLERANCE = 0.006  # of the longer side: outlines so near to each other are the same
_LOW, _HIGH = 40, 100
_BLUR = 1.5
_FAR = 0.25  # in OKLab: a colour so far from all of the palette has nothing of it
_MOST_PIXELS = 20_000


class Measure(BaseModel):
    """One measure."""

    value: float | None = Field(ge=0, le=1, description="null: there is nothing to measure.")
    threshold: float
    passed: bool
    meaning: str


class QualityOut(BaseModel):
    """How good the result is, by measurement."""

    structure: Measure
    style: Measure
    sharpness: Measure
    passed: bool = Field(description="Whether none is below its threshold.")
    retried: bool = Field(
        False, description="Whether a second one was painted, with another seed; this is the better of the two."
    )

    @property
    def score(self) -> float:
        """To compare two tries with: how far above (1 is at) its threshold the worst measure is."""
        measures = (self.structure, self.style, self.sharpness)
        return min((m.value / m.threshold for m in measures if m.value is not None), default=1.0)


def measure(
    photo: Pixels | None, result: Pixels, palette: Sequence[str] | None, where: Mask | None = None
) -> QualityOut:
    """Measure a result beside its photo, both (height, width, 3) of the same size.

    Args:
        photo: the upright photo; None where the result is not to have its outlines.
        result: what was painted.
        palette: the colours that are wished for, as `#rrggbb`; None where none are.
        where: (height, width), true where was painted; None is everywhere.
    """
    sharpness = find_quality(photo_of(result)).sharpness.value
    parts = {
        "structure": _measure(
            None if photo is None else structure(photo, result, where),
            STRUCTURE,
            "How far the outlines of photo and result are in the same places: 1 all of them, 0 no more than by chance.",
        ),
        "style": _measure(
            None if palette is None else palette_match(result, palette, where),
            STYLE,
            "How near the result's colours are to the style's palette (or to the wished one): 1 all are of it, 0 none.",
        ),
        "sharpness": _measure(sharpness, SHARPNESS, "1: edges are one pixel wide; 0: nine and more."),
    }
    return QualityOut(**parts, passed=all(part.passed for part in parts.values()))


def structure(photo: Pixels, result: Pixels, where: Mask | None = None) -> float | None:
    """How far the outlines of two pictures are in the same places, beyond what chance would give; None without any.

    The F-measure of their edges (Canny) with a tolerance of .6 % of the longer side, as in Martin et al. 2004, less
    what edges strewn at random would reach, so that a result full of edges is no match. Colours do not count.
    """
    import numpy as np

    one, other = _outlines(photo), _outlines(result)
    if where is not None:
        one, other = one & where, other & where
    area = one.size if where is None else max(1, int(where.sum()))
    if one.sum() < area / 1000:
        return None
    if not other.any():
        return 0.0
    near_one, near_other = _dilated(one), _dilated(other)
    precision, recall = near_one[other].mean(), near_other[one].mean()
    by_chance = [float((near if where is None else near & where).sum() / area) for near in (near_one, near_other)]
    values = [
        max(0.0, (float(hit) - chance) / max(1e-6, 1 - chance))
        for hit, chance in zip((precision, recall), by_chance, strict=True)
    ]
    found = 0.0 if min(values) <= 0 else 2 * values[0] * values[1] / sum(values)
    return float(np.clip(found, 0, 1))


def palette_match(result: Pixels, palette: Sequence[str], where: Mask | None = None) -> float:
    """How near the colours are to a palette: 1 less the mean distance to its nearest colour, in quarters of OKLab."""
    import numpy as np

    pixels = result.reshape(-1, 3) if where is None else result[where]
    pixels = pixels[:: max(1, len(pixels) // _MOST_PIXELS)]
    points, wanted = oklab(pixels), oklab(colours_of(palette))
    nearest = np.linalg.norm(points[:, None] - wanted[None], axis=2).min(1)
    return float(1 - np.clip(nearest / _FAR, 0, 1).mean())


def colours_of(palette: Sequence[str]) -> Pixels:
    """Colours written `#rrggbb` as (number, 3)."""
    import numpy as np

    return np.frombuffer(bytes.fromhex("".join(colour[1:] for colour in palette)), np.uint8).reshape(-1, 3)


def _measure(value: float | None, threshold: float, meaning: str) -> Measure:
    rounded = None if value is None else round(value, 3)
    return Measure(value=rounded, threshold=threshold, passed=rounded is None or rounded >= threshold, meaning=meaning)


def _outlines(pixels: Pixels) -> Mask:
    import cv2
    import numpy as np

    return find_edges(np.asarray(cv2.GaussianBlur(pixels, (0, 0), _BLUR), np.uint8), _LOW, _HIGH)


def _dilated(edges: Mask) -> Mask:
    import cv2
    import numpy as np

    size = 2 * max(1, round(_TOLERANCE * max(edges.shape))) + 1
    return np.asarray(cv2.dilate(edges.astype(np.uint8), np.ones((size, size), np.uint8)) > 0, np.bool_)
