"""How near each part of a photo is, with any model for relative depth that transformers knows (DPT, Depth-Anything).

Sources: Ranftl et al. 2021 (DPT), Yang et al. 2024 (Depth Anything V2). Such models give inverse depth up to a scale
and a shift, so that only the order of distances means something; here the farthest part is 0, the nearest 1.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from thetool.vision.torch_ops import make_torchvision_importable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class DepthModel:
    """The model in memory. One thread at a time.

    Args:
        folder: as `save_pretrained` writes it: `config.json`, `preprocessor_config.json`, weights as safetensors.
        device: a `torch.device`.
        dtype: a `torch.dtype`; float32 unless told otherwise.
    """

    def __init__(self, folder: Path, device: Any = "cpu", dtype: Any = None) -> None:
        make_torchvision_importable()
        import torch
        from transformers import AutoImageProcessor, AutoModelForDepthEstimation

        self._device, self._dtype = device, dtype or torch.float32
        self._prepare = AutoImageProcessor.from_pretrained(folder, local_files_only=True)
        model = AutoModelForDepthEstimation.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, dtype=self._dtype
        )
        self._model = model.to(device).eval()

    def find(self, pixels: NDArray[np.uint8], size: tuple[int, int] | None = None) -> NDArray[np.float32]:
        """How near all is in pixels (height, width, 3), RGB: (height, width), 0 to 1. Nothing near or far gives 0.

        Args:
            pixels: the photo.
            size: width and height of the answer, where it is not to be the photo's.
        """
        import numpy as np
        import torch
        from PIL import Image

        batch = self._prepare(images=Image.fromarray(pixels), return_tensors="pt")
        with torch.inference_mode():
            found = self._model(pixel_values=batch["pixel_values"].to(self._device, self._dtype))
            wanted = pixels.shape[:2] if size is None else size[::-1]
            (whole,) = self._prepare.post_process_depth_estimation(found, target_sizes=[wanted])
        depth = whole["predicted_depth"].float().cpu().numpy()
        low, high = float(depth.min()), float(depth.max())
        if not high > low:
            return np.zeros(depth.shape, np.float32)
        return np.asarray((depth - low) / (high - low), np.float32)
