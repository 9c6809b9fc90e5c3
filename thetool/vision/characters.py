"""What a line of printed text says: PP-OCRv6's recogniser, which reads a strip of 48 pixels column by column.

Source: Graves et al. 2006 (CTC); PaddleOCR's `PP-OCRv6_small_rec.yml` has the size and the normalisation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from thetool.weights.sessions import open_session

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Strip = NDArray[np.uint8]

HEIGHT = 48
SHORTEST, LONGEST = 320, 3_200
"""Pixels that a strip is padded to, and squeezed to."""
BATCH_WIDTH = 1_920
"""Pixels of one batch: for each eighth one a row of 18,710 probabilities comes out."""


class Character(NamedTuple):
    """One character of a line, and where in the line it was seen: 0 at its left end, 1 at its right one."""

    text: str
    confidence: float
    place: float


class LineReader:
    """The recogniser in memory. Safe to use from several threads.

    Args:
        model: ONNX file with one input (lines, 3, 48, width), one output (lines, columns, characters + 2), and its
            characters in the metadata `character`, one a line.
        threads: cores that one run uses.

    Raises:
        ValueError: the file does not name as many characters as it tells apart.
    """

    def __init__(self, model: Path, threads: int = 1) -> None:
        self._session = open_session(model, threads=threads, keeps_memory=False)
        self._input = self._session.get_inputs()[0].name
        named = self._session.get_modelmeta().custom_metadata_map.get("character", "")
        self._characters = ["", *named.split("\n"), " "]  # the first stands for "no character here"
        classes = self._session.get_outputs()[0].shape[-1]
        if classes != len(self._characters):
            raise ValueError(f"{model} names {len(self._characters)} characters, and tells {classes} apart")

    def read(self, strips: Sequence[Strip], check: Callable[[], None] = lambda: None) -> list[list[Character]]:
        """Read each strip (height, width, 3), RGB, which holds one line from left to right.

        `check` is called before each batch (about 50 ms), and may raise to stop the work.
        """
        import numpy as np

        lines: list[list[Character]] = [[] for _ in strips]
        for numbers in _batches([_width(strip) for strip in strips]):
            check()
            widths = [_width(strips[number]) for number in numbers]
            batch = np.zeros((len(numbers), 3, HEIGHT, max(SHORTEST, *widths)), np.float32)
            for row, number in enumerate(numbers):
                batch[row, :, :, : widths[row]] = _prepared(strips[number])
            (probabilities,) = self._session.run(None, {self._input: batch})
            columns = probabilities.shape[1] / batch.shape[3]
            for row, number in enumerate(numbers):
                lines[number] = self._decoded(probabilities[row], columns * widths[row])
        return lines

    def _decoded(self, probabilities: NDArray[np.float32], columns: float) -> list[Character]:
        """The characters of one line, which fills so many columns: each where it begins to be the likeliest."""
        import numpy as np

        best = probabilities.argmax(1)
        begins = np.flatnonzero((best != 0) & (best != np.concatenate([[0], best[:-1]])))
        return [
            Character(
                self._characters[best[column]],
                min(1.0, float(probabilities[column, best[column]])),
                min(1.0, (int(column) + 0.5) / columns),
            )
            for column in begins
        ]


def _width(strip: Strip) -> int:
    height, width = strip.shape[:2]
    return int(max(1, min(LONGEST, ceil(width * HEIGHT / height))))


def _batches(widths: Sequence[int]) -> Iterator[list[int]]:
    """Numbers of strips that are about as wide, so many that a batch is no wider than `BATCH_WIDTH`, or one strip."""
    order = sorted(range(len(widths)), key=lambda number: widths[number])
    batch: list[int] = []
    for number in order:
        if batch and (len(batch) + 1) * max(SHORTEST, widths[number]) > BATCH_WIDTH:
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch


def _prepared(strip: Strip) -> NDArray[np.float32]:
    """The strip 48 pixels high, BGR, from -1 to 1, channels first."""
    import cv2
    import numpy as np

    small = cv2.resize(strip, (_width(strip), HEIGHT))[..., ::-1]
    normal: NDArray[np.float32] = small.transpose(2, 0, 1).astype(np.float32) / 127.5 - 1
    return normal
