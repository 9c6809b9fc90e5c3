"""Outlines of other kinds than Canny's, by networks of controlnet-aux: straight lines (M-LSD) and soft edges (HED).

Sources: Gu et al. 2022 (M-LSD), Xie and Tu 2015 (HED, in lllyasviel's own training). Their weights are PyTorch's
checkpoints, which are pickles; `weights_only` reads tensors out of them and runs nothing.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thetool.vision.torch_ops import make_torchvision_importable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FILES = {"mlsd": "mlsd_large_512_fp32.pth", "hed": "ControlNetHED.pth"}
"""Kinds of outlines, and the file of each one's weights."""
_SCORE, _LENGTH = 0.1, 0.1
"""Of a line of M-LSD's: how sure, how long it is at least; as controlnet-aux has them."""


class OutlineModel:
    """The network in memory, in float32. One thread at a time.

    Args:
        kind: one of FILES.
        folder: where its file is.
        device: a `torch.device`.

    Raises:
        ImportError: controlnet-aux is not installed.
        OSError, RuntimeError, pickle.UnpicklingError: the file cannot be read, or is of another network.
    """

    def __init__(self, kind: str, folder: Path, device: Any = "cpu") -> None:
        make_torchvision_importable()
        import torch

        with warnings.catch_warnings():  # of all its detectors at once, most of which are not used here
            warnings.simplefilter("ignore")
            from controlnet_aux.hed import ControlNetHED_Apache2, HEDdetector
            from controlnet_aux.mlsd.models.mbv2_mlsd_large import MobileV2_MLSD_Large
        network = MobileV2_MLSD_Large() if kind == "mlsd" else ControlNetHED_Apache2()
        network.load_state_dict(torch.load(folder / FILES[kind], map_location="cpu", weights_only=True))
        self._network = network.float().to(device).eval()
        self._soft = HEDdetector(self._network) if kind == "hed" else None

    def find(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The outlines of (height, width, 3), RGB, sides multiples of 64: (height, width), light on black."""
        import numpy as np

        if self._soft is None:
            return _drawn(self._lines(pixels), pixels.shape[:2])
        side = min(pixels.shape[:2])  # so that it leaves the size as it is
        found = self._soft(pixels, detect_resolution=side, image_resolution=side, output_type="np")
        return np.ascontiguousarray(found[..., 0])

    def _lines(self, pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
        """x and y of both ends of each straight line: (number, 4). Its detector would hide any error."""
        import numpy as np
        import torch
        from controlnet_aux.mlsd.utils import pred_lines

        try:
            with torch.inference_mode():
                return np.asarray(pred_lines(pixels, self._network, list(pixels.shape[:2]), _SCORE, _LENGTH))
        except IndexError:  # so it says that there are none
            return np.zeros((0, 4))


def _drawn(lines: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Lines of one pixel's width on a map of (height, width)."""
    import cv2
    import numpy as np

    drawn = np.zeros(shape, np.uint8)
    for left, top, right, bottom in lines.astype(int).tolist():
        cv2.line(drawn, (left, top), (right, bottom), 255, 1)
    return drawn
