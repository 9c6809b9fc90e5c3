"""Thumbnails and photos with boxes: JPEGs that show what they should, and nothing that the file said."""

from __future__ import annotations

import io
from itertools import combinations

import numpy as np
import pytest
from PIL import Image

from tests.vision.pictures import encoded, photo, scene
from thetool.vision import annotate
from thetool.vision.annotate import Mark, annotated
from thetool.vision.decoder import Decoder
from thetool.vision.photo import Photo, photo_of
from thetool.vision.thumbnail import thumbnail

GREY = photo_of(np.full((400, 600, 3), 128, np.uint8))


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    assert image.format == "JPEG"
    image.load()
    return image


def changed(marks: list[Mark], on: Photo = GREY) -> tuple[int, int, int, int]:
    """Where a grey photo is not grey any more: left, top, right, bottom."""
    rows, columns = np.nonzero(np.abs(np.asarray(opened(annotated(on, marks))).astype(int) - 128).max(axis=2) > 60)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1_280, 720), (320, 180)),
        ((300, 900), (107, 320)),
        ((100, 50), (100, 50)),
        ((1, 1), (1, 1)),
        ((5_000, 1), (320, 1)),
    ],
    ids=str,
)
def test_thumbnail(size: tuple[int, int], expected: tuple[int, int]) -> None:
    content = thumbnail(photo_of(scene(*size) if min(size) > 20 else np.zeros((size[1], size[0], 3), np.uint8)))
    assert opened(content).size == expected
    assert len(content) < 20_000


def test_thumbnail_shows_the_photo() -> None:
    pixels = scene(1_280, 960)
    small = np.asarray(opened(thumbnail(photo_of(pixels)))).astype(int)
    expected = np.asarray(Image.fromarray(pixels).resize((320, 240), Image.Resampling.BOX))
    assert np.abs(small - expected).mean() < 4


def test_nothing_of_the_file_is_in_them(decoder: Decoder) -> None:
    exif = Image.Exif()
    exif[0x010E] = "a secret"
    found = decoder.decode(encoded(photo(), "JPEG", exif=exif, comment=b"a secret"))
    for content in (thumbnail(found), annotated(found, [("person", (10, 10, 100, 100))])):
        assert b"secret" not in content
        assert not opened(content).getexif()


def test_box_is_where_it_was_found() -> None:
    left, top, right, bottom = changed([("", (100, 200, 300, 350))])
    assert np.abs(np.subtract((left, top, right, bottom), (100, 200, 300, 350))).max() <= 12


def test_boxes_are_in_pixels_of_the_full_size() -> None:
    smaller = Photo(GREY.pixels, 4.0, GREY.facts)
    assert changed([("", (400, 800, 1_200, 1_400))], smaller) == changed([("", (100, 200, 300, 350))])


def test_words_stand_above_the_box_or_inside() -> None:
    assert changed([("a person 0.87", (100, 200, 300, 350))])[1] < 190
    assert changed([("a person 0.87", (0, 0, 600, 400))]) == (0, 0, 600, 400)
    assert changed([("a person 0.87", (590, 390, 599, 399))])[2] == 600


@pytest.mark.parametrize("letters", ["éößñçÄ", "Привет", "Ωμέγα", "日本語中文", "ąęłğšůő"], ids=ascii)
def test_letters_of_other_languages_are_drawn(letters: str) -> None:
    """Each has a shape of its own; what a font lacks looks the same, whichever it is."""
    drawn = [annotate._tag(letter, "#c2410c", 40, 4).tobytes() for letter in (*letters, "?")]
    assert len(set(drawn)) == len(drawn) == len(letters) + 1


def test_words_do_not_cover_each_other_where_there_is_room() -> None:
    taken: list[annotate.Rectangle] = []
    for _ in range(6):
        taken.append(annotate._place((80, 20), (100, 200, 300, 350), (600, 400), taken))
    assert not any(annotate._common(one, other) for one, other in combinations(taken, 2))
    assert annotate._place((80, 20), (0, 0, 600, 400), (600, 400), []) == (0, 0, 80, 20)
    assert annotate._place((80, 20), (5, 5, 6, 6), (10, 10), [])[:2] == (0, 0)


def test_same_label_same_colour() -> None:
    def colour(words: str) -> tuple[int, ...]:
        image = opened(annotated(GREY, [(words, (100, 100, 400, 300))]))
        return tuple(np.asarray(image)[150:250, 101].mean(axis=0).round(-1).astype(int).tolist())

    assert colour("person 0.9") == colour("person 0.4") != colour("bicycle 0.4")


@pytest.mark.parametrize(
    "mark",
    [
        ("outside", (-100.0, -100.0, 5_000.0, 5_000.0)),
        ("backwards", (300.0, 300.0, 100.0, 100.0)),
        ("a point", (5.5, 5.5, 5.5, 5.5)),
        ("日本語 العربية \0\n", (10.0, 10.0, 100.0, 100.0)),
        ("long " * 500, (10.0, 10.0, 100.0, 100.0)),
    ],
    ids=["outside", "backwards", "point", "other-letters", "long"],
)
def test_marks_of_any_kind(mark: Mark) -> None:
    assert opened(annotated(GREY, [mark])).size == (600, 400)
    assert opened(annotated(photo_of(np.zeros((1, 1, 3), np.uint8)), [mark])).size == (1, 1)
