"""Which pixels belong to an object, from a box around it: SAM 2 (Ravi et al. 2024), by transformers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from thetool.vision.torch_ops import make_torchvision_importable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Box = tuple[float, float, float, float]
"""x_min, y_min, x_max, y_max in pixels."""
Polygon = list[tuple[float, float]]

_SMOOTH = 0.004  # of an outline's length: how far a polygon may be off it


class Masks(NamedTuple):
    """One mask for each box."""

    masks: NDArray[np.bool_]
    """(N, height, width)."""
    scores: NDArray[np.float32]
    """How well the model thinks that each fits (its own estimate of the overlap, 0 to 1)."""


class MaskModel:
    """The model in memory. One thread at a time.

    Args:
        folder: as `save_pretrained` writes it: `config.json`, processor, weights as safetensors.
        device: a `torch.device`.
        dtype: a `torch.dtype`; float32 unless told otherwise.
    """

    def __init__(self, folder: Path, device: Any = "cpu", dtype: Any = None) -> None:
        make_torchvision_importable()
        import torch
        from transformers import Sam2Model, Sam2Processor

        self._device, self._dtype = device, dtype or torch.float32
        self._prepare = Sam2Processor.from_pretrained(folder, local_files_only=True)
        model = Sam2Model.from_pretrained(folder, local_files_only=True, use_safetensors=True, dtype=self._dtype)
        self._model = model.to(device).eval()

    def find(self, pixels: NDArray[np.uint8], boxes: Sequence[Box]) -> Masks:
        """The object in each box of pixels (height, width, 3), RGB; none of it lies outside of its box."""
        import numpy as np
        import torch
        from PIL import Image

        height, width = pixels.shape[:2]
        if not boxes:
            return Masks(np.zeros((0, height, width), np.bool_), np.zeros(0, np.float32))
        wanted = [[list(box) for box in boxes]]
        batch = self._prepare(images=Image.fromarray(pixels), input_boxes=wanted, return_tensors="pt")
        sizes = batch.pop("original_sizes")
        tensors = {
            name: value.to(self._device, self._dtype if value.is_floating_point() else None)
            for name, value in batch.items()
        }
        with torch.inference_mode():
            found = self._model(**tensors, multimask_output=False)
            (masks,) = self._prepare.post_process_masks(found.pred_masks.float().cpu(), sizes)
        inside = np.stack([_filled(box, height, width) for box in boxes])
        scores = found.iou_scores.float().cpu().numpy().reshape(-1)
        return Masks(masks.numpy().reshape(len(boxes), height, width).astype(np.bool_) & inside, scores.clip(0, 1))


def box_masks(boxes: Sequence[Box], height: int, width: int) -> NDArray[np.bool_]:
    """The boxes themselves as masks (N, height, width), for where no model is at hand."""
    import numpy as np

    return np.array([_filled(box, height, width) for box in boxes], np.bool_).reshape(len(boxes), height, width)


def outline(mask: NDArray[np.bool_]) -> Polygon:
    """The largest connected part of a mask as a polygon of few corners; empty where the mask is."""
    import cv2
    import numpy as np

    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not found:
        return []
    largest = max(found, key=cv2.contourArea)
    corners = cv2.approxPolyDP(largest, _SMOOTH * cv2.arcLength(largest, True), True).reshape(-1, 2)
    return [(float(x), float(y)) for x, y in corners]


def _filled(box: Box, height: int, width: int) -> NDArray[np.bool_]:
    import numpy as np

    filled = np.zeros((height, width), np.bool_)
    left, top, right, bottom = (round(edge) for edge in box)
    filled[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = True
    return filled
