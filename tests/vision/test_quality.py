"""Numbers that grow and fall with what they are about, and with nothing else."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tests.vision.pictures import scene
from thetool.vision.photo import photo_of
from thetool.vision.quality import Quality, find_quality


def quality(**options: float) -> Quality:
    return find_quality(photo_of(scene(**options)))


def test_sharpness_falls_with_blur() -> None:
    values = [quality(blur=blur).sharpness.value or 0 for blur in (0, 0.7, 1, 1.5, 2, 3, 6)]
    assert values == sorted(values, reverse=True)
    assert (values[0] > 0.9, values[-1]) == (True, 0)
    words = [quality(blur=blur).sharpness.word for blur in (0, 1.5, 4)]
    assert words == ["sharp", "soft", "blurred"]


@pytest.mark.parametrize("noise", [3, 10])
def test_noise_is_not_taken_for_sharpness(noise: float) -> None:
    for blur in (0, 1, 2, 3):
        clean, noisy = (quality(blur=blur, noise=amount).sharpness.value for amount in (0, noise))
        assert noisy == pytest.approx(clean, abs=0.08)


def test_a_background_out_of_focus_is_no_fault() -> None:
    pixels = scene(blur=8)
    pixels[160:320, 200:440] = scene()[160:320, 200:440]
    assert find_quality(photo_of(pixels)).sharpness.word == "sharp"


@pytest.mark.parametrize("factor", [0.3, 0.6])
def test_sharpness_does_not_depend_on_contrast(factor: float) -> None:
    dull = (128 + (scene().astype(float) - 128) * factor).astype(np.uint8)
    assert find_quality(photo_of(dull)).sharpness.value == pytest.approx(quality().sharpness.value, abs=0.05)


@pytest.mark.parametrize("width", [1, 2, 3, 5, 7, 9])
def test_sharpness_is_the_width_of_edges(width: int) -> None:
    """1 for one pixel, 0 for nine, and evenly between: edges of even slope, every sixty pixels, upright and level."""
    saw = np.abs((np.arange(600) % 60) - 30.0)
    steps = np.clip((saw - 15 + width % 2 / 2) / width + 0.5, 0, 1)
    pixels = np.repeat(
        (40 + 160 * (steps[:, None] + steps[None, :]) / 2).round().astype(np.uint8)[..., None], 3, axis=2
    )
    assert find_quality(photo_of(pixels)).sharpness.value == pytest.approx((9 - width) / 8, abs=0.07)


@pytest.mark.parametrize("noise", [2, 5, 10, 20])
def test_noise_is_measured(noise: float) -> None:
    assert quality(noise=noise).noise.value == pytest.approx(noise, rel=0.1)


def test_noise_in_words() -> None:
    assert [quality(noise=noise).noise.word for noise in (0, 5, 15)] == ["clean", "some noise", "noisy"]


def test_fine_texture_is_not_taken_for_noise() -> None:
    """Where some of the photo is even, that tells."""
    pixels = scene()
    pixels[:, :320] = np.random.default_rng(0).integers(0, 256, (480, 320, 1), dtype=np.uint8)
    assert (find_quality(photo_of(pixels)).noise.value or 0) < 3


def test_exposure() -> None:
    def exposure(values: object) -> tuple[str, float, float, float]:
        pixels = np.zeros((100, 100, 3), np.uint8)
        pixels[:] = np.asarray(values)[..., None]
        found = find_quality(photo_of(pixels)).exposure
        return found.word, found.value, found.shadows, found.highlights

    ramp = np.linspace(10, 245, 100)[None, :].astype(np.uint8)
    assert exposure(ramp)[0] == "good"
    assert exposure(np.full((1, 100), 0)) == ("dark", 0, 1, 0)
    assert exposure(np.full((1, 100), 255)) == ("bright", 1, 0, 1)
    assert exposure(ramp // 8)[0] == "dark"
    assert exposure(100 + ramp // 8)[0] == "low contrast"
    assert exposure(np.repeat([[0, 255]], 50, axis=1).reshape(1, 100)) == ("harsh contrast", 0.5, 0.5, 0.5)


@pytest.mark.parametrize(
    ("size", "word"), [((200, 150), "tiny"), ((800, 600), "low"), ((1_600, 1_200), "medium")], ids=str
)
def test_resolution(size: tuple[int, int], word: str) -> None:
    found = find_quality(photo_of(np.zeros((size[1], size[0], 3), np.uint8))).resolution
    assert (found.value, found.word) == (size[0] * size[1] / 1e6, word)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5_000), (5_000, 1), (17, 17), (18, 18), (18, 500), (31, 33), (700, 32)])
def test_any_shape(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    found = find_quality(photo_of(pixels))
    assert found.sharpness.value is None or min(shape) >= 18
    assert (found.noise.value is None) == (min(shape) < 32)


def test_what_is_too_even_cannot_be_judged() -> None:
    flat = find_quality(photo_of(np.full((300, 400, 3), 128, np.uint8)))
    assert (flat.sharpness.value, flat.sharpness.word, flat.noise.value) == (None, "unknown", 0)


def test_large_photos_are_judged_as_they_are_seen() -> None:
    """Pixels that only exist when one looks through a magnifying glass do not count."""
    large = Image.fromarray(scene()).resize((3_200, 2_400), Image.Resampling.BICUBIC)
    assert find_quality(photo_of(np.asarray(large))).sharpness.value == pytest.approx(
        find_quality(photo_of(np.asarray(large.resize((1_600, 1_200), Image.Resampling.HAMMING)))).sharpness.value,
        abs=0.02,
    )


def test_strong_compression_is_no_noise() -> None:
    file = io.BytesIO()
    Image.fromarray(scene()).save(file, "JPEG", quality=20)
    with Image.open(file) as image:
        assert find_quality(photo_of(np.asarray(image))).noise.word == "clean"
