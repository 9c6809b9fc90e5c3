"""The size to paint at and the size of the result."""

from __future__ import annotations

import pytest

from thetool.restyle.problems import UnfitPhoto
from thetool.restyle.sizes import require_fit, result_size, smaller, working_size


@pytest.mark.parametrize(
    ("width", "height", "pixels"),
    [
        (w, h, p)
        for w, h in [(4000, 3000), (3000, 4000), (1920, 1080), (500, 500), (1000, 340), (640, 479)]
        for p in (512**2, 640**2, 768**2)
    ],
)
def test_sides_are_multiples_of_64_near_the_photos_shape(width: int, height: int, pixels: int) -> None:
    made = working_size(width, height, pixels)
    assert all(side % 64 == 0 for side in made)
    assert pixels / 2 <= made[0] * made[1] <= 1.1 * pixels
    assert made[0] / made[1] == pytest.approx(width / height, rel=0.06)
    size = result_size(width, height, made)
    assert max(size) == max(made)
    assert size[0] / size[1] == pytest.approx(width / height, rel=0.005)


def test_too_small_or_too_narrow() -> None:
    require_fit(64, 64)
    require_fit(3000, 1000)
    for width, height in ((10, 10), (2000, 63), (1100, 100), (3001, 1000)):
        with pytest.raises(UnfitPhoto):
            require_fit(width, height)


def test_the_next_smaller_size_ends_somewhere() -> None:
    assert smaller((768, 576)) == (576, 384)
    assert smaller((576, 384)) == (384, 256)
    with pytest.raises(ValueError):
        smaller((384, 256))
