"""Where the outlines in a photo are: Canny 1986, by OpenCV."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LOW, HIGH = 100, 200
"""The bounds that the edge ControlNet was trained with (lllyasviel, `gradio_canny.py`)."""


def find_edges(pixels: NDArray[np.uint8], low: int = LOW, high: int = HIGH) -> NDArray[np.bool_]:
    """The pixels of (height, width, 3), RGB, that are on an outline: (height, width), each outline one pixel wide."""
    import cv2
    import numpy as np

    return np.asarray(cv2.Canny(np.ascontiguousarray(pixels), low, high) > 0, np.bool_)
