"""The main colours of a photo: clusters in OKLab (Ottosson 2020), where equal distances look equally different."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field

from thetool.vision.colour_names import COLOUR_NAMES
from thetool.vision.photo import Photo

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Colours = NDArray[np.float32]  # (number, 3)

MOST = 6

_SAMPLE = 48
"""So many rows and columns are looked at: 2,304 pixels give each share to about a hundredth."""
_CLUSTERS, _ROUNDS = 16, 4
_ALIKE = 0.06
"""Colours closer than this in OKLab are one; 0.02 is just noticeable side by side."""
_NAMING = (1, 1.5, 1.5)
"""For a name, hue and colourfulness count more than lightness does."""
_SPECK = 0.005
"""A colour with a smaller share is left out; its pixels count for the colour closest to it."""


class Colour(BaseModel):
    """One of the main colours."""

    hex: str = Field(pattern="^#[0-9a-f]{6}$", description="In sRGB, as CSS writes it.", examples=["#8c5a2b"])
    share: float = Field(ge=0, le=1, description="Share of the photo that is closest to it; all shares sum to 1.")
    name: str = Field(description="A plain name for it.", examples=["light brown"])


class Palette(BaseModel):
    """The main colours of a photo."""

    colours: list[Colour] = Field(description="Largest share first; no more than six.")


def find_palette(photo: Photo, most: int = MOST) -> Palette:
    """The photo's main colours, no more than `most` (1 to 16); the same photo always gives the same ones."""
    import numpy as np

    if not 1 <= most <= 16:
        raise ValueError(f"1 to 16 colours, not {most}")
    sample = _sample(photo.pixels)
    points = oklab(sample)
    centres = _without_specks(points, _merged(points, _clusters(points), most))
    nearest = _nearest(points, centres)
    counts = np.bincount(nearest, minlength=len(centres))
    order = [cluster for cluster in np.argsort(-counts, kind="stable") if counts[cluster]]
    shares = _rounded([counts[cluster] / len(points) for cluster in order])
    colours = np.array([_typical(sample[nearest == cluster], points[nearest == cluster]) for cluster in order])
    names = names_of(colours)
    return Palette(
        colours=[
            Colour(hex=f"#{colour.tobytes().hex()}", share=share, name=name)
            for colour, share, name in zip(colours, shares, names, strict=True)
        ]
    )


def _sample(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pixels from all over, one of each cell of a grid; which one is left to chance, for patterns repeat themselves."""
    import numpy as np

    chance = np.random.default_rng(0)
    places = []
    for side in pixels.shape[:2]:
        number = min(side, _SAMPLE)
        bounds = np.linspace(0, side, number + 1)
        places.append((bounds[:-1] + chance.random(number) * np.diff(bounds)).astype(int))
    return pixels[np.ix_(*places)].reshape(-1, 3)


def _clusters(points: Colours) -> Colours:
    """Centres by k-means, begun with k-means++ (Arthur and Vassilvitskii 2007) and a fixed seed."""
    import numpy as np

    squares = np.einsum("ij,ij->i", points, points)
    centres = [points.mean(axis=0)]
    distances = np.full(len(points), np.inf, np.float32)
    for luck in np.random.default_rng(0).random(_CLUSTERS):
        last = centres[-1]
        np.minimum(distances, squares - 2 * (points @ last) + last @ last, out=distances)
        heights = np.maximum(distances, 0).cumsum()
        if heights[-1] < 1e-6 * len(points):
            break
        centres.append(points[np.searchsorted(heights, luck * heights[-1])])
    found = np.array(centres[1:] or centres)
    for _ in range(_ROUNDS):
        found = _means(points, _nearest(points, found), found)
    return found


def _merged(points: Colours, centres: Colours, most: int) -> Colours:
    """No more than `most` centres, and none that look alike: the two that cost least (Ward 1963) become one, and again.

    Begun with more than are wanted, the outcome depends less on chance.
    """
    import numpy as np

    weights = np.bincount(_nearest(points, centres), minlength=len(centres)).astype(np.float32)
    centres, weights = centres[weights > 0], weights[weights > 0]
    while len(centres) > 1:
        distances = ((centres[:, None] - centres) ** 2).sum(axis=2)
        costs = distances / (1 / weights[:, None] + 1 / weights)
        if len(centres) <= most:
            costs[distances >= _ALIKE**2] = np.inf
        np.fill_diagonal(costs, np.inf)
        one, other = np.unravel_index(costs.argmin(), costs.shape)
        if not np.isfinite(costs[one, other]):
            break
        both = weights[one] + weights[other]
        centres[one] = (centres[one] * weights[one] + centres[other] * weights[other]) / both
        weights[one] = both
        others = np.arange(len(centres)) != other
        centres, weights = centres[others], weights[others]
    return centres


def _without_specks(points: Colours, centres: Colours) -> Colours:
    import numpy as np

    counts = np.bincount(_nearest(points, centres), minlength=len(centres))
    kept: Colours = centres[counts >= min(_SPECK * len(points), counts.max())]
    return kept


def _nearest(points: Colours, centres: Colours) -> NDArray[np.intp]:
    """The number of the centre closest to each point."""
    nearest: NDArray[np.intp] = ((centres**2).sum(axis=1) - 2 * points @ centres.T).argmin(axis=1)
    return nearest


def _means(points: Colours, nearest: NDArray[np.intp], centres: Colours) -> Colours:
    """The mean of each centre's points; a centre without any stays where it is."""
    import numpy as np

    counts = np.bincount(nearest, minlength=len(centres))
    sums = np.stack([np.bincount(nearest, axis, minlength=len(centres)) for axis in points.T], axis=1)
    found = np.where(counts[:, None], sums / np.maximum(counts, 1)[:, None], centres)
    return found.astype(np.float32)


def oklab(colours: NDArray[np.uint8]) -> Colours:
    """OKLab of sRGB colours, both (number, 3)."""
    import numpy as np

    to_cones, to_lab = _matrices()
    found: Colours = np.cbrt(_linear()[colours] @ to_cones) @ to_lab
    return found


@cache
def _linear() -> NDArray[np.float32]:
    """The light that each of the 256 steps of sRGB stands for (IEC 61966-2-1)."""
    import numpy as np

    steps = np.arange(256) / 255
    return np.where(steps <= 0.04045, steps / 12.92, ((steps + 0.055) / 1.055) ** 2.4).astype(np.float32)


@cache
def _matrices() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """From linear sRGB to the cones' response, and from its cube root to OKLab."""
    import numpy as np

    to_cones = [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
    to_lab = [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
    return np.array(to_cones, np.float32).T, np.array(to_lab, np.float32).T


def _typical(colours: NDArray[np.uint8], points: Colours) -> NDArray[np.uint8]:
    """The one of these colours that is closest to their mean: one that is there, exactly so in flat drawings."""
    colour: NDArray[np.uint8] = colours[((points - points.mean(axis=0)) ** 2).sum(axis=1).argmin()]
    return colour


def names_of(colours: NDArray[np.uint8]) -> list[str]:
    """Plain names of sRGB colours (number, 3)."""
    names, known = _known()
    return [names[at] for at in _nearest(oklab(colours) * _NAMING, known)]


@cache
def _known() -> tuple[list[str], Colours]:
    import numpy as np

    pairs = [(name, colour) for name, colours in COLOUR_NAMES.items() for colour in colours.split()]
    colours = np.frombuffer(bytes.fromhex("".join(colour for _, colour in pairs)), np.uint8).reshape(-1, 3)
    return [name for name, _ in pairs], (oklab(colours) * _NAMING).astype(np.float32)


def _rounded(shares: list[float]) -> list[float]:
    """Shares with four digits whose sum is 1 still."""
    rounded = [round(float(share), 4) for share in shares]
    rounded[0] = round(1 - sum(rounded[1:]), 4)
    return rounded
