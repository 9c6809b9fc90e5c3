"""Main colours: the right ones, in the right shares, always the same."""

from __future__ import annotations

import numpy as np
import pytest

from tests.vision.pictures import BLUE, RED, scene
from thetool.vision.colour_names import COLOUR_NAMES
from thetool.vision.palette import Palette, find_palette
from thetool.vision.photo import Photo, photo_of


def striped(*parts: tuple[tuple[int, int, int], int]) -> Photo:
    """Upright stripes of these colours and widths."""
    return photo_of(np.concatenate([np.full((100, width, 3), colour, np.uint8) for colour, width in parts], axis=1))


def as_written(palette: Palette) -> list[tuple[str, str, float]]:
    return [(colour.name, colour.hex, colour.share) for colour in palette.colours]


def test_flat_colours_are_told_exactly() -> None:
    found = find_palette(striped((RED, 50), (BLUE, 30), ((0, 0, 0), 20)))
    assert [(colour.name, colour.hex) for colour in found.colours] == [
        ("red", "#ff0000"), ("blue", "#0000ff"), ("black", "#000000"),
    ]  # fmt: skip
    for colour, share in zip(found.colours, (0.5, 0.3, 0.2), strict=True):
        assert colour.share == pytest.approx(share, abs=0.02)


def test_one_colour() -> None:
    assert as_written(find_palette(striped(((255, 255, 255), 7)))) == [("white", "#ffffff", 1)]
    assert as_written(find_palette(photo_of(np.full((1, 1, 3), 128, np.uint8)))) == [("grey", "#808080", 1)]


def test_shades_that_look_alike_are_one_colour() -> None:
    noisy = np.random.default_rng(0).normal((40, 90, 160), 4, (200, 300, 3)).clip(0, 255).astype(np.uint8)
    (colour,) = find_palette(photo_of(noisy)).colours
    assert np.abs(np.subtract(list(bytes.fromhex(colour.hex[1:])), (40, 90, 160))).max() <= 2


def test_specks_are_no_main_colour() -> None:
    pixels = np.full((200, 200, 3), (250, 250, 250), np.uint8)
    pixels[:10, :10] = RED
    assert [colour.name for colour in find_palette(photo_of(pixels)).colours] == ["white"]


def test_a_small_share_of_a_very_different_colour_is_one() -> None:
    found = find_palette(striped(((90, 90, 90), 960), (RED, 40)))
    assert [colour.name for colour in found.colours] == ["dark grey", "red"]


@pytest.mark.parametrize("most", [1, 3, 6, 16])
def test_no_more_than_asked_for(most: int) -> None:
    colours = find_palette(photo_of(scene()), most).colours
    assert 1 <= len(colours) <= most
    assert sum(colour.share for colour in colours) == pytest.approx(1, abs=1e-9)
    assert [colour.share for colour in colours] == sorted((colour.share for colour in colours), reverse=True)


def test_the_same_photo_gives_the_same_colours() -> None:
    assert find_palette(photo_of(scene())) == find_palette(photo_of(scene()))


def test_half_the_size_gives_nearly_the_same_colours() -> None:
    large, small = (find_palette(photo_of(scene(*size))).colours for size in ((1_280, 960), (640, 480)))
    assert large[0].hex == small[0].hex
    assert large[0].share == pytest.approx(small[0].share, abs=0.04)


def test_fine_patterns_are_not_mistaken_for_one_of_their_colours() -> None:
    """As a grid of looks at every eighth pixel would do."""
    pixels = np.zeros((480, 480, 3), np.uint8)
    pixels[::2] = 255
    found = find_palette(photo_of(pixels))
    assert {colour.name for colour in found.colours} == {"black", "white"}
    assert found.colours[0].share < 0.75


@pytest.mark.parametrize("most", [0, 17])
def test_number_of_colours_is_bounded(most: int) -> None:
    with pytest.raises(ValueError, match="1 to 16"):
        find_palette(photo_of(scene()), most)


def test_every_name_is_that_of_its_own_colours() -> None:
    for name, colours in COLOUR_NAMES.items():
        for colour in colours.split():
            red, green, blue = bytes.fromhex(colour)
            assert as_written(find_palette(striped(((red, green, blue), 4)))) == [(name, f"#{colour}", 1)]
