"""What guides the painting, seen in the photo at the size of the painting: how near things are, and their outlines."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from thetool.restyle.sizes import Size
from thetool.vision.edges import find_edges

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from thetool.vision.depth import DepthModel
    from thetool.vision.outlines import OutlineModel

    Pixels = NDArray[np.uint8]
    Map = NDArray[np.uint8]


class Controls(NamedTuple):
    """Two pictures (height, width): depth in grey, the nearest white; outlines white on black."""

    depth: Map
    edges: Map


def find_depth(photo: Pixels, size: Size, model: DepthModel) -> Map:
    """The depth map at this size (width, height): grey, as the ControlNet was trained with, not in false colours."""
    import numpy as np

    return np.asarray(np.rint(model.find(photo, size) * 255), np.uint8)


def find_outlines(photo: Pixels, model: OutlineModel | None = None) -> Map:
    """The edge map of a photo at the size of the painting: of a larger one's map, made smaller, edges are blurred."""
    import numpy as np

    if model is not None:
        return model.find(photo)
    return np.where(find_edges(photo), np.uint8(255), np.uint8(0))


def without(maps: Controls, gone: Map) -> Controls:
    """The maps of the room once something is gone (255 there): its outlines would bring it back, and its depth, too.

    The depth behind it is guessed from what is around it (Telea 2004, by OpenCV).
    """
    import cv2
    import numpy as np

    filled = np.asarray(cv2.inpaint(maps.depth, np.ascontiguousarray(gone), 3, cv2.INPAINT_TELEA), np.uint8)
    return Controls(filled, np.where(gone > 0, np.uint8(0), maps.edges))


def mask_at(mask: NDArray[np.bool_], size: Size) -> Map:
    """A mask (height, width) at another size (width, height): 255 where it is true."""
    import numpy as np

    return np.where(resized(np.where(mask, np.uint8(255), np.uint8(0)), size) > 127, np.uint8(255), np.uint8(0))


def resized(pixels: Pixels, size: Size) -> Pixels:
    """Pixels (height, width) or (height, width, 3) at another size (width, height)."""
    import numpy as np
    from PIL import Image

    if pixels.shape[1::-1] == size:
        return pixels
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))
