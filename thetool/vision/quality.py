"""How good a photo is technically: sharpness, exposure, noise, resolution.

All but the resolution are judged at the size in which a photo fills a screen (`SCREEN`), because a large photo is only
ever looked at smaller. The bounds between the words are choices of ours; the numbers say more.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, Field

from thetool.vision.photo import Photo

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Grey = NDArray[np.uint8]

SCREEN = 1_600
"""Pixels of the longer side at which a photo is judged; smaller ones are judged as they are."""

_SPAN = 9
"""An edge so many pixels wide counts as not sharp at all."""
_LINES = 100  # so many rows, and as many columns or more, are enough to find edges in
_TILES = (6, 8)
_TILE = 32
_FEWEST_PIXELS = 40
_LEAST_STEP = 10
_NOISE_STEPS = 5.7  # four standard deviations of the difference of two noisy pixels
_LEAST_CONTRAST = 30
_BLOCK, _BANDS = 16, 10
_BLACK, _WHITE = 3, 252
_MUCH = 0.15
_ENOUGH = 80_000


class Sharpness(BaseModel):
    """How sharp the sharpest parts are."""

    value: float | None = Field(
        ge=0,
        le=1,
        description="1: edges are one pixel wide; 0: nine and more; null: too small or too even to be judged.",
    )
    word: Literal["blurred", "soft", "sharp", "unknown"] = Field(description="In a word: below .3, below .6, above.")


class Exposure(BaseModel):
    """How light the photo is."""

    value: float = Field(ge=0, le=1, description="Mean lightness: 0 is black, 1 is white.")
    word: Literal["dark", "good", "bright", "low contrast", "harsh contrast"] = Field(
        description="In a word: mean below .2, above .8; nearly all within .25; much black and much white."
    )
    shadows: float = Field(ge=0, le=1, description="Share of the photo that is black, without detail.")
    highlights: float = Field(ge=0, le=1, description="Share of the photo that is white, without detail.")


class Noise(BaseModel):
    """How grainy the photo is."""

    value: float | None = Field(
        ge=0,
        description="Standard deviation of the noise in even parts, in steps of 0 to 255; null: too small to tell.",
    )
    word: Literal["clean", "some noise", "noisy", "unknown"] = Field(description="In a word: below 3, below 8, above.")


class Resolution(BaseModel):
    """How many pixels the photo has."""

    value: float = Field(ge=0, description="Megapixels.")
    word: Literal["tiny", "low", "medium", "high"] = Field(description="In a word: below .1, below 1, below 8, above.")


class Quality(BaseModel):
    """How good a photo is technically, each a number and a plain word. Whether it is a good picture is not judged."""

    sharpness: Sharpness
    exposure: Exposure
    noise: Noise
    resolution: Resolution


def find_quality(photo: Photo) -> Quality:
    """Judge the photo's sharpness, exposure, noise and resolution."""
    grey = _grey(photo)
    noise = _noise(grey)
    return Quality(
        sharpness=_sharpness(grey, noise or 0),
        exposure=_exposure(grey),
        noise=Noise(
            value=noise,
            word="unknown" if noise is None else "clean" if noise < 3 else "some noise" if noise < 8 else "noisy",
        ),
        resolution=_resolution(photo),
    )


def _grey(photo: Photo) -> Grey:
    """The luma (BT.601), at most `SCREEN` wide and high."""
    import numpy as np
    from PIL import Image

    image = Image.fromarray(photo.pixels).convert("L")
    if max(image.size) > SCREEN:
        width, height = (max(1, side * SCREEN // max(image.size)) for side in image.size)
        image = image.resize((width, height), Image.Resampling.HAMMING)
    return np.asarray(image)


def _sharpness(grey: Grey, noise: float) -> Sharpness:
    """By how much blurring takes from the differences between neighbours, an idea of Crété-Roffet et al. 2007.

    Blurred by a mean of nine pixels, neighbours differ by a ninth of what pixels nine apart do. The energies of both
    differences, less that of the noise, say how wide an edge of even slope is that would have them. Only the sharper
    half of the parts where something is to be seen counts: a background out of focus is no fault.
    """
    import numpy as np

    if min(grey.shape) < 2 * _SPAN:
        return _sharp(None)
    tiles = tuple(max(1, min(most, side // _TILE)) for most, side in zip(_TILES, grey.shape, strict=True))
    every = max(1, min(grey.shape) // _LINES)
    rows = _energies(grey[::every], noise, tiles)
    columns = _energies(grey[:, ::every].T, noise, tiles[::-1])
    near, far, pixels = (a + b.T for a, b in zip(rows, columns, strict=True))
    judged = pixels >= _FEWEST_PIXELS
    if not judged.any():
        dark, light = np.percentile(grey[::every, ::every], (2, 98))
        return _sharp(0.0 if light - dark >= _LEAST_CONTRAST and noise < 3 else None)
    near, far = near[judged], far[judged]
    best = (near / far).argsort()[len(near) // 2 :]
    return _sharp(_score(float(far[best].sum()), float(near[best].sum())))


def _score(far: float, near: float) -> float:
    """1 for edges one pixel wide, 0 for nine: a slope w wide has the energies 1 / w and 9 - w / 3."""
    if far >= 54 * near:
        return 0.0
    width = 1.5 * (9 - math.sqrt(81 - 4 / 3 * far / near))
    return min(1.0, max(0.0, (_SPAN - width) / (_SPAN - 1)))


def _sharp(value: float | None) -> Sharpness:
    if value is None:
        return Sharpness(value=None, word="unknown")
    return Sharpness(value=round(value, 3), word="blurred" if value < 0.3 else "soft" if value < 0.6 else "sharp")


def _energies(lines: Grey, noise: float, tiles: tuple[int, ...]) -> list[NDArray[np.float32]]:
    """The energies of the differences between neighbours, and nine apart, and the number of pixels, for each tile.

    Only where those nine apart differ by more than noise does.
    """
    import numpy as np

    values = lines.astype(np.float32)
    near = values[:, _SPAN // 2 + 1 : -(_SPAN // 2)] - values[:, _SPAN // 2 : -(_SPAN // 2) - 1]
    far = values[:, _SPAN:] - values[:, :-_SPAN]
    counted = np.abs(far) > max(_LEAST_STEP, _NOISE_STEPS * noise)
    of_noise = 2 * noise**2
    near, far = ((np.square(differences) - of_noise) * counted for differences in (near, far))
    down, across = (
        np.linspace(0, side, number, endpoint=False).astype(int) for side, number in zip(far.shape, tiles, strict=True)
    )

    def by_tile(amounts: NDArray[np.generic]) -> NDArray[np.float32]:
        sums = np.add.reduceat(amounts, across, axis=1, dtype=np.float32)
        return np.add.reduceat(sums, down, axis=0, dtype=np.float32)

    return [by_tile(near), by_tile(far), by_tile(counted)]


def _noise(grey: Grey) -> float | None:
    """Immerkær 1996, over small blocks; a fifth of them are evener than the one that is taken for the noise.

    Where all is noise, that block has 7 % less than the mean of them all.

    Blocks that are nearly black or white are left out, because noise is cut off there.
    """
    import numpy as np

    height, width = grey.shape
    if min(height, width) < 2 * _BLOCK:
        return None
    bands = min(_BANDS, height // (_BLOCK + 2))
    tops = np.linspace(0, height - _BLOCK - 2, bands).astype(int)
    across = (width - 2) // _BLOCK
    values = grey[tops[:, None] + np.arange(_BLOCK + 2), : across * _BLOCK + 2].astype(np.int16)
    values = values[:, :, 2:] - 2 * values[:, :, 1:-1] + values[:, :, :-2]
    values = np.abs(values[:, 2:] - 2 * values[:, 1:-1] + values[:, :-2])
    differences = values.reshape(bands, _BLOCK, across, _BLOCK).mean(axis=(1, 3)).ravel()
    inner = grey[tops[:, None] + np.arange(_BLOCK), 1 : across * _BLOCK + 1]
    means = inner.reshape(bands, _BLOCK, across, _BLOCK).mean(axis=(1, 3)).ravel()
    usable = differences[(means > 4 * _BLACK) & (means < 255 - 4 * _BLACK)]
    if not usable.size:
        return 0.0
    spread: float = np.percentile(usable, 20).item() * math.sqrt(math.pi / 2) / 6 / 0.93
    return round(spread, 2)


def _exposure(grey: Grey) -> Exposure:
    import numpy as np

    rows = grey[:: max(1, grey.size // _ENOUGH)]
    counts = np.bincount(rows.ravel(), minlength=256) / rows.size
    mean = float(counts @ np.arange(256)) / 255
    shadows, highlights = float(counts[: _BLACK + 1].sum()), float(counts[_WHITE:].sum())
    low, high = np.searchsorted(counts.cumsum(), (0.01, 0.99))
    word: Literal["dark", "good", "bright", "low contrast", "harsh contrast"] = "good"
    if shadows > _MUCH and highlights > _MUCH:
        word = "harsh contrast"
    elif mean < 0.2 or mean > 0.8:
        word = "dark" if mean < 0.2 else "bright"
    elif high - low < 0.25 * 255:
        word = "low contrast"
    return Exposure(value=round(mean, 3), word=word, shadows=round(shadows, 4), highlights=round(min(1, highlights), 4))


def _resolution(photo: Photo) -> Resolution:
    megapixels = photo.facts.width * photo.facts.height / 1e6
    words: tuple[tuple[float, Literal["tiny", "low", "medium"]], ...] = ((0.1, "tiny"), (1, "low"), (8, "medium"))
    word: Literal["tiny", "low", "medium", "high"] = next((word for most, word in words if megapixels < most), "high")
    return Resolution(value=round(megapixels, 4), word=word)
