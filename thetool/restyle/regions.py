"""Which part of a photo is painted anew, and putting that part back into the photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from thetool.restyle.options import Options, spelled
from thetool.restyle.problems import NothingToRepaint
from thetool.restyle.rooms import FURNITURE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

GROW = 0.012
"""Of the longer side: so far a removed object's mask grows, for its shadow and its blurred outline."""
FEATHER = 0.006
"""Of the longer side: so wide is the seam, all of it on the repainted side."""
_LEAST = 0.001


@dataclass(frozen=True)
class Region:
    """Where to paint: `mask` is (height, width), true there; None is everywhere. `notes` say what could not be done.

    `removed` is the part of it where something is to go; None where nothing is.
    """

    mask: Mask | None
    removed: Mask | None = None
    notes: tuple[str, ...] = ()


def region(options: Options, labels: Sequence[str], masks: Mask, given: Mask | None) -> Region:
    """The part that these wishes leave to be painted.

    Args:
        options: `remove` and `keep_furniture`.
        labels: of the objects that were found.
        masks: theirs, (N, height, width).
        given: the caller's own mask (height, width), true where it is to be painted.

    Raises:
        NothingToRepaint: that is nothing.
    """
    import numpy as np

    notes = []
    wanted, removed = given, None
    if options.remove:
        removed, missing = _of_labels(options.remove, labels, masks)
        if missing:
            notes.append(f"Not found in the photo, and so not removed: {', '.join(missing)}. {_shown(labels)}")
        removed = _grown(removed)
        wanted = removed if wanted is None else wanted | removed
    if options.keep_furniture:
        names = _furniture(options, labels) if options.keep_furniture is True else options.keep_furniture
        kept, missing = _of_labels(names, labels, masks)
        if missing:
            notes.append(f"Not found in the photo, and so not kept: {', '.join(missing)}. {_shown(labels)}")
        elif not names:
            notes.append("No furniture was found in the photo, and so none was kept.")
        if kept.any():
            wanted = ~kept if wanted is None else wanted & ~kept
    if wanted is not None and wanted.mean() < _LEAST:
        raise NothingToRepaint(" ".join(notes) or "The mask, less what is kept, leaves nothing of the photo to paint.")
    if removed is not None and wanted is not None:
        removed = np.asarray(removed & wanted, np.bool_)
    return Region(wanted, removed, tuple(notes))


def put_back(painted: NDArray[np.uint8], photo: NDArray[np.uint8], mask: Mask) -> NDArray[np.uint8]:
    """The photo with the painted part in it; every pixel outside of the mask is the photo's own.

    All three have the same height and width.
    """
    import cv2
    import numpy as np

    width = max(1, round(FEATHER * max(mask.shape)))
    distance = cv2.distanceTransform(np.pad(mask, 1, mode="edge").astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    share = np.clip(distance / width, 0, 1)[..., None] * mask[..., None]
    return np.asarray(np.rint(share * painted + (1 - share) * photo), np.uint8)


def _furniture(options: Options, labels: Sequence[str]) -> list[str]:
    """What is kept when no names are given: all furniture but what is to go."""
    return sorted((FURNITURE & set(labels)) - set(map(spelled, options.remove)))


def _shown(labels: Sequence[str]) -> str:
    return f"It shows: {', '.join(dict.fromkeys(labels))}." if labels else "No objects were found in it."


def _of_labels(names: Sequence[str], labels: Sequence[str], masks: Mask) -> tuple[Mask, list[str]]:
    import numpy as np

    wanted = set(map(spelled, names))
    chosen = [index for index, label in enumerate(labels) if label in wanted]
    union = np.any(masks[chosen], axis=0) if chosen else np.zeros(masks.shape[1:])
    return np.asarray(union, np.bool_), sorted(wanted - set(labels))


def _grown(mask: Mask) -> Mask:
    import cv2
    import numpy as np

    size = 2 * max(1, round(GROW * max(mask.shape))) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), kernel) > 0, np.bool_)
