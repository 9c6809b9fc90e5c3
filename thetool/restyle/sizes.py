"""How large a photo is painted: the model works on sides that are multiples of 64, the result has the photo's shape."""

from __future__ import annotations

from thetool.restyle.problems import UnfitPhoto

STEP = 64
SMALLEST_SIDE = 64
LONGEST_RATIO = 3.0
Size = tuple[int, int]
"""Width, height."""


def working_size(width: int, height: int, pixels: int) -> Size:
    """The size to paint at: about so many pixels, both sides multiples of 64, as near to the photo's shape as can be.

    Of the sizes with at most a tenth more pixels, and at least half as many, the one whose proportions are nearest; of
    equally near ones the largest. It differs by a few per cent, which `result_size` undoes.
    """
    ratio = width / height
    sides = range(STEP, 4 * STEP * 16, STEP)
    fits = [(w, h) for w in sides for h in sides if pixels / 2 <= w * h <= 1.1 * pixels]
    return min(fits, key=lambda size: (round(abs(_distortion(size, ratio)), 2), -size[0] * size[1]))


def result_size(width: int, height: int, working: Size) -> Size:
    """The size of the result: the photo's own proportions, as many pixels on the longer side as were painted."""
    longest = max(working)
    scale = longest / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def require_fit(width: int, height: int) -> None:
    """Refuse a photo that no room fits into.

    Raises:
        UnfitPhoto: it is smaller than 64 pixels on a side, or more than three times as long as it is wide.
    """
    if min(width, height) < SMALLEST_SIDE:
        raise UnfitPhoto(
            f"The photo has {width} × {height} pixels; each side needs at least {SMALLEST_SIDE}. Send a larger one."
        )
    if max(width, height) > LONGEST_RATIO * min(width, height):
        raise UnfitPhoto(
            f"The photo is {max(width, height) / min(width, height):.1f} times as long as it is wide; up to "
            f"{LONGEST_RATIO:g} times can be restyled. Crop it."
        )


def smaller(size: Size) -> Size:
    """The next size to try when the device has no room for this one: about three quarters of each side.

    Raises:
        ValueError: there is none that would still show a room.
    """
    width, height = (max(STEP, int(side * 0.75) // STEP * STEP) for side in size)
    if (width, height) == size or min(width, height) < 4 * STEP:
        raise ValueError(f"{size[0]} × {size[1]} is as small as it gets")
    return width, height


def _distortion(size: Size, ratio: float) -> float:
    made = size[0] / size[1]
    return max(made / ratio, ratio / made) - 1
