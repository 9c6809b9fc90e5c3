"""Reading printed text in a photo: where its lines are (`text_lines`), and what each says (`characters`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field

from thetool.telemetry.heap import return_freed_memory
from thetool.vision.characters import Character, LineReader
from thetool.vision.text_lines import LineFinder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from thetool.vision.photo import Photo
    from thetool.vision.text_lines import Corners, Pixels

    Read = tuple[Corners, list[Character]]
    """Where a line is, and its characters; there is at least one."""

LEAST = 0.5
"""Confidence below which a line is left out, as in PaddleOCR (`drop_score`): it is more often no text at all."""

_UPRIGHT = 1.5  # a box that many times as high as wide holds a line that is turned by 90 degrees

Box = tuple[float, float, float, float]
_BOX = "[x_min, y_min, x_max, y_max] around it, in pixels of the upright full-size image."


class Word(BaseModel):
    """One word of a line."""

    text: str
    confidence: float = Field(ge=0, le=1, description="Mean of its characters' probabilities.")
    box: Box = Field(description=f"{_BOX} Left and right are estimated from where the model saw the characters.")


class Line(BaseModel):
    """One line of text, or the part of a line that stands apart."""

    text: str
    confidence: float = Field(ge=0, le=1, description="Mean of its characters' probabilities.")
    box: Box = Field(description=_BOX)
    words: list[Word] = Field(description="Its words, in order.")


class TextInImage(BaseModel):
    """The text that a photo shows."""

    text: str = Field(description="All lines, one below the other.")
    lines: list[Line] = Field(description="From top to bottom, and from left to right where they stand side by side.")


class TextReader:
    """The two models in memory (about 100 MB). Safe to use from several threads.

    Args:
        files: `det.onnx`, which finds lines, and `rec.onnx`, which reads them.
        threads: cores that one run uses.
    """

    def __init__(self, files: Mapping[str, Path], threads: int = 1) -> None:
        self._finder = LineFinder(files["det.onnx"], threads)
        self._reader = LineReader(files["rec.onnx"], threads)

    def read(self, pixels: Pixels, check: Callable[[], None] = lambda: None) -> list[Read]:
        """The corners and the characters of each line in pixels (height, width, 3), RGB; in reading order."""
        try:
            ways = [way for corners in self._finder.find(pixels) for way in _ways_to_read(corners)]
            read = self._reader.read([_cut_out(pixels, way) for way in ways], check)
        finally:
            return_freed_memory()  # up to 200 MB of it
        return _best_ways(list(zip(ways, read, strict=True)))


def find_text(photo: Photo, reader: TextReader, check: Callable[[], None] = lambda: None) -> TextInImage:
    """Read what is printed in the photo. Text that is upside down is not found, or is read wrong.

    `check` is called now and then, and may raise to stop the work.
    """
    lines = [_line(corners * photo.scale, characters) for corners, characters in reader.read(photo.pixels, check)]
    lines = [line for line in lines if line.text and line.confidence >= LEAST]
    return TextInImage(text="\n".join(line.text for line in lines), lines=lines)


def _line(corners: Corners, characters: Sequence[Character]) -> Line:
    words = [_word(corners, word, _half_width(characters)) for word in _words(characters)]
    return Line(
        text=" ".join(word.text for word in words),
        confidence=_confidence(characters),
        box=_around(corners),
        words=words,
    )


def _words(characters: Sequence[Character]) -> list[list[Character]]:
    """The characters between blanks."""
    words: list[list[Character]] = [[]]
    for character in characters:
        if character.text.isspace():
            words.append([])
        else:
            words[-1].append(character)
    return [word for word in words if word]


def _word(corners: Corners, characters: Sequence[Character], half: float) -> Word:
    start, end = max(0.0, characters[0].place - half), min(1.0, characters[-1].place + half)
    upper_left, upper_right, lower_right, lower_left = corners
    upper, lower = upper_right - upper_left, lower_right - lower_left
    part = [upper_left + start * upper, upper_left + end * upper, lower_left + end * lower, lower_left + start * lower]
    return Word(
        text="".join(character.text for character in characters),
        confidence=_confidence(characters),
        box=_around(part),
    )


def _half_width(characters: Sequence[Character]) -> float:
    """Half of the mean distance of the characters, as a share of the line."""
    if len(characters) < 2:
        return 0.5
    return (characters[-1].place - characters[0].place) / (len(characters) - 1) / 2


def _confidence(characters: Sequence[Character]) -> float:
    return round(sum(character.confidence for character in characters) / len(characters), 4)


def _around(corners: Corners | Sequence[NDArray[np.float32]]) -> Box:
    xs, ys = [float(x) for x, _ in corners], [float(y) for _, y in corners]
    return round(min(xs), 1), round(min(ys), 1), round(max(xs), 1), round(max(ys), 1)


def _ways_to_read(corners: Corners) -> list[Corners]:
    """Corners from where the line may begin. One that stands upright may be read downwards or upwards."""
    import numpy as np

    width, height = _sides(corners)
    if min(width, height) < 1:
        return []
    if height < _UPRIGHT * width:
        return [corners]
    return [np.roll(corners, -1, axis=0), np.roll(corners, 1, axis=0)]


def _best_ways(found: Sequence[Read]) -> list[Read]:
    """Of the ways in which one line was read, that in which the characters are the surest."""
    best: dict[tuple[float, ...], Read] = {}
    for corners, characters in found:
        if characters:
            line = tuple(sorted(corners.ravel().tolist()))
            if line not in best or _confidence(characters) > _confidence(best[line][1]):
                best[line] = corners, characters
    return list(best.values())


def _sides(corners: Corners) -> tuple[int, int]:
    """Width and height of a box, whole pixels."""
    import numpy as np

    upper_left, upper_right, lower_right, lower_left = corners
    width = max(np.linalg.norm(upper_right - upper_left), np.linalg.norm(lower_right - lower_left))
    height = max(np.linalg.norm(lower_left - upper_left), np.linalg.norm(lower_right - upper_right))
    return int(width), int(height)


def _cut_out(pixels: Pixels, corners: Corners) -> Pixels:
    """What lies between the corners, turned to lie level."""
    import cv2
    import numpy as np

    width, height = _sides(corners)
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    turn = cv2.getPerspectiveTransform(corners, target)
    size = (width, height)
    cut = cv2.warpPerspective(pixels, turn, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cut, np.uint8)
