"""Text in images: drawn here, and read with the real models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from thetool.config import Settings
from thetool.vision import characters
from thetool.vision.characters import Character, LineReader
from thetool.vision.ocr import TextInImage, TextReader, find_text
from thetool.vision.photo import Photo, photo_of
from thetool.vision.text_lines import in_reading_order
from thetool.weights.folder import locate

LINES = ["Invoice 2026-1104", "Total: 1,249.00 EUR", "Thank you for your visit!"]


@pytest.fixture(scope="module")
def invoice() -> Image.Image:
    """Three lines, 30 pixels high, each 70 pixels below the one before."""
    image = Image.new("RGB", (480, 240), "white")
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(LINES):
        draw.text((30, 20 + 70 * number), line, "black", font=ImageFont.load_default(30))
    return image


@pytest.fixture(scope="module")
def found(invoice: Image.Image, reader: TextReader) -> TextInImage:
    return find_text(photo(invoice), reader)


def photo(image: Image.Image) -> Photo:
    return photo_of(np.asarray(image))


def test_reads_lines_as_they_are_printed(found: TextInImage) -> None:
    assert found.text == "\n".join(LINES)
    assert [line.text for line in found.lines] == LINES
    assert min(line.confidence for line in found.lines) > 0.9


def test_boxes_lie_around_lines_and_words(invoice: Image.Image, found: TextInImage) -> None:
    for number, line in enumerate(found.lines):
        drawn = ImageDraw.Draw(invoice).textbbox((30, 20 + 70 * number), LINES[number], font=ImageFont.load_default(30))
        assert np.abs(np.array(line.box) - drawn).max() < 10
        assert [word.text for word in line.words] == LINES[number].split()
        starts = [word.box[0] for word in line.words]
        assert starts == sorted(starts)
    date = found.lines[0].words[1]
    assert date.text == "2026-1104"
    width = ImageFont.load_default(30).getlength
    assert date.box[0] == pytest.approx(30 + width("Invoice "), abs=10)
    assert date.box[2] == pytest.approx(30 + width(LINES[0]), abs=10)


def test_boxes_are_those_of_the_full_size(invoice: Image.Image, found: TextInImage, reader: TextReader) -> None:
    large = find_text(replace(photo(invoice), scale=2.5), reader).lines[0]
    assert np.array(large.box) == pytest.approx(2.5 * np.array(found.lines[0].box), abs=0.3)


@pytest.mark.parametrize("degrees", [90, 270], ids=["upwards", "downwards"])
def test_reads_what_stands_upright(degrees: int, invoice: Image.Image, reader: TextReader) -> None:
    line = invoice.crop((0, 0, 480, 75)).rotate(degrees, expand=True)
    found = find_text(photo(line), reader)
    assert found.text == LINES[0]
    first, last = found.lines[0].words
    assert (first.box[1] < last.box[1]) == (degrees == 270)


def test_reads_what_is_tilted(invoice: Image.Image, reader: TextReader) -> None:
    assert find_text(photo(invoice.rotate(8, expand=True, fillcolor="white")), reader).text == "\n".join(LINES)


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 2), (31, 33)], ids=str)
def test_any_shape_without_text_has_none(shape: tuple[int, int], reader: TextReader) -> None:
    found = find_text(photo_of(np.full((*shape, 3), 255, np.uint8)), reader)
    assert found.text == ""
    assert found.lines == []


def corners(x: float, y: float, width: float = 100, height: float = 20) -> NDArray[np.float32]:
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], np.float32)


def test_lines_are_read_from_top_to_bottom_and_from_left_to_right() -> None:
    upper, left, right, lower = corners(300, 0), corners(0, 54), corners(200, 50), corners(0, 90)
    order = in_reading_order([right, lower, left, upper])
    assert [line[0].tolist() for line in order] == [line[0].tolist() for line in (upper, left, right, lower)]


def test_batches_hold_every_strip_and_a_bounded_width() -> None:
    widths = [100, 2000, 320, 640, 50, 3200, 900]
    batches = list(characters._batches(widths))
    assert sorted(number for batch in batches for number in batch) == list(range(len(widths)))
    for batch in batches:
        width = len(batch) * max(characters.SHORTEST, *(widths[number] for number in batch))
        assert len(batch) == 1 or width <= characters.BATCH_WIDTH
    assert list(characters._batches([])) == []


def test_a_character_is_said_once_and_twice_where_a_gap_divides_it(reader: TextReader) -> None:
    """CTC: columns that say the same in a row are one character; the first class says that there is none."""
    line = reader._reader
    a, b = (line._characters.index(letter) for letter in "ab")
    columns = np.full((8, len(line._characters)), 0, np.float32)
    for column, said in enumerate([0, a, a, 0, a, b, b, 0]):
        columns[column, said] = 0.5 + column / 100
    assert line._decoded(columns, 8) == [
        Character("a", pytest.approx(0.51), 1.5 / 8),
        Character("a", pytest.approx(0.54), 4.5 / 8),
        Character("b", pytest.approx(0.55), 5.5 / 8),
    ]


def test_a_model_without_its_characters_is_refused(weights_dir: Path) -> None:
    files = locate(Settings(WEIGHTS_DIR=weights_dir), "ocr")
    with pytest.raises(ValueError, match="characters"):
        LineReader(files["det.onnx"])
