"""The measures, on made-up pairs whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from tests.restyle.rooms import room
from thetool.restyle.quality import measure, palette_match, structure

PHOTO = room(512, 384)
PIXELS = np.asarray(PHOTO)


def recoloured() -> np.ndarray:
    return 255 - PIXELS[..., ::-1]


def shuffled() -> np.ndarray:
    blocks = PIXELS.reshape(8, 48, 8, 64, 3).swapaxes(1, 2).reshape(64, 48, 64, 3)
    order = np.random.default_rng(1).permutation(64)
    return blocks[order].reshape(8, 8, 48, 64, 3).swapaxes(1, 2).reshape(PIXELS.shape)


def noise() -> np.ndarray:
    return np.random.default_rng(2).integers(0, 256, PIXELS.shape, np.uint8)


def test_structure_knows_the_same_room_whatever_its_colours() -> None:
    assert structure(PIXELS, PIXELS) == 1.0
    assert structure(PIXELS, recoloured()) > 0.9


def test_structure_knows_another_room() -> None:
    assert structure(PIXELS, shuffled()) < 0.35
    assert structure(PIXELS, noise()) < 0.15, "edges everywhere are no match"
    assert structure(PIXELS, np.full_like(PIXELS, 200)) == 0.0
    assert structure(np.full_like(PIXELS, 200), PIXELS) is None


def test_structure_falls_as_the_room_moves() -> None:
    moved = [structure(PIXELS, np.roll(PIXELS, by, axis=(0, 1))) for by in (0, 2, 40)]
    assert moved[0] == 1.0
    assert moved[0] >= moved[1] > moved[2]
    assert moved[2] < 0.35


def test_style_is_the_distance_to_the_palette() -> None:
    flat = np.full((64, 64, 3), (200, 30, 30), np.uint8)
    assert palette_match(flat, ["#c81e1e"]) == pytest.approx(1.0, abs=0.01)
    assert palette_match(flat, ["#1e1ec8"]) == 0.0
    half = flat.copy()
    half[:32] = (30, 30, 200)
    assert palette_match(half, ["#c81e1e"]) == pytest.approx(0.5, abs=0.02)
    assert palette_match(half, ["#c81e1e"], where=np.arange(64)[:, None].repeat(64, 1) >= 32) > 0.99


def test_sharpness_falls_with_blur_and_only_the_failing_measure_fails() -> None:
    palette = ["#d8d0c4", "#8b6b4a", "#30508c", "#a9c8e8"]
    sharp = measure(PIXELS, PIXELS, palette)
    assert (sharp.passed, sharp.structure.value, sharp.style.passed) == (True, 1.0, True)
    blurred = measure(PIXELS, np.asarray(PHOTO.filter(ImageFilter.GaussianBlur(8))), palette)
    assert blurred.sharpness.value is not None
    assert sharp.sharpness.value is not None
    assert blurred.sharpness.value < 0.3 < sharp.sharpness.value
    assert (blurred.passed, blurred.sharpness.passed, blurred.style.passed) == (False, False, True)
    assert blurred.score < 1 <= sharp.score
    assert Image.fromarray(PIXELS).size == PHOTO.size


def test_what_is_not_wished_for_is_not_measured() -> None:
    """Where a sofa is to go, neither its outlines nor the style's colours are to be found."""
    found = measure(None, PIXELS, None)
    assert (found.structure.value, found.style.value, found.passed) == (None, None, True)
    assert found.sharpness.value is not None


def test_only_the_painted_part_counts_where_only_a_part_was_painted() -> None:
    where = np.zeros(PIXELS.shape[:2], bool)
    where[:, 300:] = True
    other = np.where(where[..., None], noise(), PIXELS)
    assert structure(PIXELS, other, where) < 0.2
    assert structure(PIXELS, other, ~where) > 0.9
